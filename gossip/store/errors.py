"""How a store fails."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot be used; the text is for the person who runs it."""


class StoreInUse(StoreError):
    """Another daemon has this store."""
