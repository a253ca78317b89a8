"""What commands and pages need of the store, and of threads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, BinaryIO, Protocol

from twisted.internet.defer import Deferred

from gossip.operations.operation import Memory
from gossip.registry.changes import MessageSaid
from gossip.registry.entities import AuditEntry

InThread = Callable[..., "Deferred[Any]"]
"""Calls a function with arguments in a thread."""


class OperationsStore(Memory, Protocol):
    """The part of the store that operations use. Its methods block: call them in a thread."""

    def snapshot(self) -> BinaryIO: ...


class PagesStore(OperationsStore, Protocol):
    """
    The part of the store that pages use. Its methods block: call them in a thread.

    @ivar copies: whether C{snapshot} can copy it.
    """

    @property
    def copies(self) -> bool: ...
    def latest(self, channels: Collection[str], limit: int) -> Sequence[MessageSaid]: ...
    def first_since(self, channel: str, since: float) -> int | None: ...
    def audit_of(
        self, operations: Collection[str], limit: int, before: tuple[float, str] | None = None
    ) -> Sequence[AuditEntry]: ...
    def player_figures(self, client_ids: Collection[str], since: float, step: int) -> dict[int, float]: ...
    def player_figures_each(
        self, client_ids: Collection[str], since: float, step: int
    ) -> dict[str, dict[int, float]]: ...
    def messages_by_game(self, since: float) -> dict[str, int]: ...
    def message_figures(self, channels: Collection[str], since: float, step: int) -> dict[int, float]: ...
