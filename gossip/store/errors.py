"""The ways in which a store fails."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot be used. The text is for the operator."""


class StoreInUse(StoreError):
    """Another daemon uses this store."""
