"""The ways in which a store fails."""

from __future__ import annotations

from enum import StrEnum


class Trouble(StrEnum):
    """Why the database keeps nothing at the moment, in a word. The health of the daemon tells it."""

    DISK_FULL = "disk-full"
    DISK_ERROR = "disk-error"
    READ_ONLY = "read-only"
    LOCKED = "locked"
    GONE = "gone"
    """The database was deleted, moved or replaced."""
    DAMAGED = "damaged"
    UNREACHABLE = "unreachable"
    IN_USE = "in-use"
    """Another daemon has taken the database over."""
    FAILING = "failing"
    """Anything else; the log has the details."""


class StoreError(Exception):
    """
    The store cannot be used. The text is for the operator.

    @ivar trouble: the same in a word.
    """

    def __init__(self, text: str, trouble: Trouble = Trouble.FAILING) -> None:
        super().__init__(text)
        self.trouble = trouble


class StoreInUse(StoreError):
    """Another daemon uses this store."""

    def __init__(self, text: str) -> None:
        super().__init__(text, Trouble.IN_USE)


class Stale(Exception):
    """What a change was judged by is different now. It is to be judged again; the store is well."""
