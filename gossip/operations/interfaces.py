"""What the pages and the admin API need of the service."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from gossip.network.network import Network
from gossip.network.session import Session
from gossip.operations.operation import Memory
from gossip.protocol.moment import Moment
from gossip.registry.changes import Change, MessageSaid
from gossip.service.counters import Counters, Status
from gossip.service.interfaces import ITransportStatus
from gossip.service.watch import Watch

InThread = Callable[..., "Deferred[Any]"]
"""Calls a function with arguments in a thread."""

Observer = Callable[[MessageSaid], None]
"""Is called with each message, on the reactor's thread; does not raise."""


class OperationsStore(Memory, Protocol):
    """The part of the store that operations use. Its methods block: call them in a thread."""

    def backup(self, path: Path) -> None: ...


class PagesStore(OperationsStore, Protocol):
    """The part of the store that pages use. Its methods block: call them in a thread."""

    def latest(self, channels: Collection[str], limit: int) -> Sequence[MessageSaid]: ...
    def player_figures(self, client_ids: Collection[str], since: float, step: int) -> dict[int, float]: ...
    def player_figures_each(
        self, client_ids: Collection[str], since: float, step: int
    ) -> dict[str, dict[int, float]]: ...
    def message_figures(self, channels: Collection[str], since: float, step: int) -> dict[int, float]: ...


class Gossip(Protocol):
    """The service, as the pages and the admin API see it."""

    @property
    def network(self) -> Network: ...
    @property
    def counters(self) -> Counters: ...
    @property
    def heard(self) -> set[Observer]: ...
    @property
    def transports(self) -> Sequence[ITransportStatus]: ...
    @property
    def watch(self) -> Watch: ...

    def now(self) -> Moment: ...
    def change(self, change: Change | Callable[[], Change | None]) -> Deferred[None]: ...
    def say(self, name: str, peer: str, channel: str, message: str) -> Deferred[None]: ...
    def announce(self, channel: str, text: str) -> Deferred[None]: ...
    def notice(self, seconds: int) -> None: ...
    def sessions(self) -> list[tuple[Session, str]]: ...
    def transport_of(self, session: Session) -> str: ...
    def status(self) -> Status: ...
