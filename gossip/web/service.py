"""What the pages and the admin API need of the service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from twisted.internet.defer import Deferred

from gossip.counters import Counters, Status
from gossip.network.changes import Change, MessageSaid
from gossip.network.network import Network

Observer = Callable[[MessageSaid], None]
"""Is told what is said, on the reactor's thread; does not raise."""


class Store(Protocol):
    """The store, as far as the admin API reads it; its methods block, and run in threads."""

    def history(self, channel: str, limit: int) -> Sequence[MessageSaid]: ...
    def backup(self, path: Path) -> None: ...


class Gossip(Protocol):
    """The service, as the pages and the admin API see it."""

    @property
    def network(self) -> Network: ...
    @property
    def counters(self) -> Counters: ...
    @property
    def heard(self) -> set[Observer]: ...

    def change(self, change: Change) -> Deferred[None]: ...
    def announce(self, channel: str, text: str) -> Deferred[None]: ...
    def notice(self, seconds: int) -> None: ...
    def status(self) -> Status: ...
