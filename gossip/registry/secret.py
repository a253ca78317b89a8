"""The form in which secrets are kept."""

from __future__ import annotations

import hashlib


def digest(secret: str) -> bytes:
    """The form in which a secret is kept. UUIDs compare in lower case."""
    return hashlib.sha256(secret.lower().encode("utf-8", "surrogatepass")).digest()
