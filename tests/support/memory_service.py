"""A service without sockets, threads and disk, for the pages and the admin API."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred, DeferredLock, fail, maybeDeferred, succeed
from twisted.internet.task import Clock

from gossip.network.outputs import Commit
from gossip.network.session import Session
from gossip.operations.interfaces import Observer
from gossip.registry.changes import Audited, AuditEntry, Change, MessageSaid, Report
from gossip.service.counters import Counters, Status
from gossip.service.interfaces import ITransportStatus
from gossip.service.watch import Watch
from gossip.store.errors import StoreError
from tests.support.running_service import CountingTransport
from tests.support.world import NOW, World, at


class MemoryStore:
    """Remembers what is said; backups are names."""

    def __init__(self) -> None:
        self.said: list[MessageSaid] = []
        self.backups: list[Path] = []
        self.entries: list[AuditEntry] = []
        self.complaints: list[Report] = []
        self.players: dict[str, dict[int, float]] = {}

    def history(
        self, channel: str, limit: int, before: int | None = None, after: int | None = None
    ) -> Sequence[MessageSaid]:
        found = [
            said
            for said in self.said
            if said.channel == channel and (before is None or said.seq < before) and (after is None or said.seq > after)
        ]
        return found[:limit] if after is not None else found[-limit:]

    def latest(self, channels: Collection[str], limit: int) -> Sequence[MessageSaid]:
        return [said for said in self.said if said.channel in channels][-limit:]

    def player_figures(self, client_ids: Collection[str], since: float, step: int) -> dict[int, float]:
        figures: dict[int, float] = {}
        for client_id in client_ids:
            for start, most in self.players.get(client_id, {}).items():
                if start >= since:
                    figures[start // step * step] = figures.get(start // step * step, 0) + most
        return figures

    def player_figures_each(self, client_ids: Collection[str], since: float, step: int) -> dict[str, dict[int, float]]:
        return {each: self.player_figures([each], since, step) for each in client_ids if each in self.players}

    def message_figures(self, channels: Collection[str], since: float, step: int) -> dict[int, float]:
        figures: dict[int, float] = {}
        for said in self.latest(channels, 10**9):
            start = int(said.said_at) // step * step
            figures[start] = figures.get(start, 0) + 1
        return figures

    def said_since(self, since: float, limit: int, channel: str | None = None) -> Sequence[MessageSaid]:
        return [said for said in self.said if channel in (None, said.channel)][:limit]

    def reports(self, limit: int, resolved: bool = False) -> Sequence[Report]:
        return [each for each in self.complaints[::-1] if resolved or each.resolved_at is None][:limit]

    def audit(self, limit: int, before: float | None = None) -> Sequence[AuditEntry]:
        return [entry for entry in self.entries[::-1] if before is None or entry.at < before][:limit]

    def backup(self, path: Path) -> None:
        if path in self.backups:
            raise StoreError(f"{path} already exists; a backup does not overwrite it")
        self.backups.append(path)


class MemoryService:
    """
    The service of a small network.

    @ivar slow: changes wait for L{settle}.
    @ivar broken: what the next change fails with.
    """

    def __init__(self) -> None:
        self.world = World()
        self.network = self.world.network
        self.counters = Counters()
        self.heard: set[Observer] = set()
        self.transports: Sequence[ITransportStatus] = [CountingTransport()]
        self.watch = Watch(self.network)
        self.store = MemoryStore()
        self.clock = Clock()
        self.clock.rightNow = NOW
        self.notices: list[int] = []
        self.health = "ok"
        self.slow = False
        self._changing = DeferredLock()
        self.broken: Exception | None = None
        self._waiting: list[tuple[Commit, Deferred[None]]] = []

    def change(self, change: Change | Callable[[], Change | None]) -> Deferred[None]:
        return self._changing.run(self._change, change)

    def _change(self, change: Change | Callable[[], Change | None]) -> Deferred[None]:
        made = change() if callable(change) else change
        if made is None:
            return succeed(None)
        if self.broken is not None:
            return fail(self.broken)
        commit = self.network.apply(made)
        self._waiting.append((commit, done := Deferred[None]()))
        if not self.slow:
            self.settle()
        return done

    def settle(self) -> None:
        """What waits is kept."""
        waiting, self._waiting = self._waiting, []
        for commit, done in waiting:
            if isinstance(commit.change, Audited):
                self.store.entries.append(commit.change.entry)
            elif isinstance(commit.change, MessageSaid):
                self.store.said.append(commit.change)
            self.world.settled(commit, True, self.clock.seconds())
            done.callback(None)

    def say(self, name: str, peer: str, channel: str, message: str) -> Deferred[None]:
        return maybeDeferred(self._say, name, peer, channel, message)

    def _say(self, name: str, peer: str, channel: str, message: str) -> Deferred[None]:
        *_, commit = self.network.people.say(name, peer, channel, message, at(self.clock.seconds()))
        assert isinstance(commit, Commit) and isinstance(commit.change, MessageSaid)
        for observer in list(self.heard):
            observer(commit.change)
        if self.broken is not None:
            return fail(self.broken)
        self._waiting.append((commit, done := Deferred[None]()))
        if not self.slow:
            self.settle()
        return done

    def announce(self, channel: str, text: str) -> Deferred[None]:
        return maybeDeferred(self._announce, channel, text)

    def _announce(self, channel: str, text: str) -> None:
        for output in self.network.channels.announce(channel, text, at(self.clock.seconds())):
            if isinstance(output, Commit) and isinstance(output.change, MessageSaid):
                self.store.said.append(output.change)
                for observer in list(self.heard):
                    observer(output.change)

    def notice(self, seconds: int) -> None:
        self.notices.append(seconds)

    def sessions(self) -> list[tuple[Session, str]]:
        return [(session, "websocket") for online in self.network.presence for session in online.sessions]

    def transport_of(self, session: Session) -> str:
        return "websocket"

    def status(self) -> Status:
        online = list(self.network.presence)
        return {
            "version": "1.2.3",
            "uptime": 60,
            "connections": {"websocket": 3, "telnet": 1},
            "sessions": sum(len(game.sessions) for game in online),
            "sessions_by_transport": {"websocket": 2, "telnet": 1},
            "games": len(online),
            "players": sum(len(game.players) for game in online),
            "channels": len(self.network.registry.channels),
            "deliveries": 7,
            "queue": 2,
            "answers": 3,
            "health": self.health,
        }
