"""Problems as the API tells them (RFC 9457)."""

from __future__ import annotations

from typing import Any

from gossip.web.http.requests import REASONS


def problem(status: int, text: str, **more: Any) -> dict[str, Any]:
    """What an answer with a problem says."""
    told = {"type": "about:blank", "title": REASONS[status].decode(), "status": status, "detail": text, "error": text}
    return {**told, **more}
