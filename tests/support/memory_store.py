"""A store in memory, for what pages and operations read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from io import BytesIO
from typing import BinaryIO, Final

from gossip.registry.changes import Audited, Change, MessageSaid, MessagesRemoved
from gossip.registry.entities import AuditEntry, Report
from gossip.registry.registry import Registry
from gossip.registry.removals import emptied
from gossip.registry.search import Search
from gossip.registry.sought import Entries, Numbered, Sought
from gossip.store.errors import StoreError
from gossip.store.searching import Found, Hit

COPY: Final = b"a copy of everything" * 20_000
"""What a snapshot holds."""


class MemoryStore:
    """
    Remembers what was said and what admins did.

    @ivar full: there is no room for a snapshot.
    @ivar copies: a snapshot is possible.
    """

    def __init__(self) -> None:
        self.said: list[MessageSaid] = []
        self.snapshots: list[BytesIO] = []
        self.full = False
        self.copies = True
        self.entries: list[AuditEntry] = []
        self.complaints: list[Report] = []
        self.players: dict[str, dict[int, float]] = {}
        self.registry = Registry()

    def keep(self, change: Change) -> None:
        """Remember a change, as far as it is read from here."""
        match change:
            case Audited(entry, inner):
                self.entries.append(entry)
                if inner is not None:
                    self.keep(inner)
            case MessageSaid():
                self.said.append(change)
            case MessagesRemoved(messages, removal):
                gone = {(each.channel, each.seq) for each in messages}
                self.said = [
                    emptied(each, removal) if (each.channel, each.seq) in gone and each.removed is None else each
                    for each in self.said
                ]

    def history(
        self, channel: str, limit: int, before: int | None = None, after: int | None = None, removed: bool = True
    ) -> Sequence[MessageSaid]:
        found = [
            said
            for said in self.said
            if said.channel == channel
            and (before is None or said.seq < before)
            and (after is None or said.seq > after)
            and (removed or said.removed is None)
        ]
        return found[:limit] if after is not None else found[-limit:]

    def find(self, sought: Sought) -> list[MessageSaid]:
        of = [said for said in self.said if said.channel == sought.channel]
        if isinstance(sought, Numbered):
            return [said for said in of if said.seq == sought.seq]
        meant = (sought.game.lower(), sought.name.lower())
        return [
            said for said in of if (said.game.lower(), said.name.lower()) == meant and said.said_at >= sought.since
        ][-1:]

    def shown_games(self) -> list[str]:
        """The games that a database would find to show their players to everybody."""
        games = self.registry.games.values()
        return [each.client_id for each in games if not (each.hidden or each.disabled or each.hides_players)]

    def shown_channels(self) -> list[str]:
        """The channels that a database would find not to be hidden."""
        return [each.name for each in self.registry.channels.values() if not each.hidden]

    def latest(self, channels: Collection[str] | None, limit: int) -> Sequence[MessageSaid]:
        among = self.shown_channels() if channels is None else channels
        return [said for said in self.said if said.channel in among][-limit:]

    def player_figures(self, client_ids: Collection[str] | None, since: float, step: int) -> dict[int, float]:
        figures: dict[int, float] = {}
        for client_id in self.shown_games() if client_ids is None else client_ids:
            for start, most in self.players.get(client_id, {}).items():
                if start >= since:
                    figures[start // step * step] = figures.get(start // step * step, 0) + most
        return figures

    def player_figures_each(self, client_ids: Collection[str], since: float, step: int) -> dict[str, dict[int, float]]:
        return {each: self.player_figures([each], since, step) for each in client_ids if each in self.players}

    def message_figures(self, channels: Collection[str] | None, since: float, step: int) -> dict[int, float]:
        figures: dict[int, float] = {}
        for said in self.latest(channels, 10**9):
            start = int(said.said_at) // step * step
            figures[start] = figures.get(start, 0) + 1
        return figures

    def messages_by_game(self, since: float) -> dict[str, int]:
        said = [each for each in self.latest(None, 10**9) if each.said_at >= since and each.removed is None]
        return dict(Counter(each.client_id for each in said if each.client_id is not None))

    def said_since(self, since: float, limit: int, channel: str | None = None) -> Sequence[MessageSaid]:
        kept = [said for said in self.said if said.removed is None]
        return [said for said in kept if channel in (None, said.channel)][:limit]

    def said_by(
        self, game: str, since: float, limit: int, channel: str | None, named: Callable[[str], bool]
    ) -> Sequence[MessageSaid]:
        found = [said for said in self.said_since(since, 10**9, channel) if said.said_at >= since]
        return [said for said in found[::-1] if said.game.lower() == game.lower() and named(said.name)][:limit]

    def search(
        self,
        wanted: Search,
        limit: int,
        before: int | None = None,
        around: bool = False,
        allowed: Callable[[MessageSaid], bool] = lambda said: True,
    ) -> Found:
        hits: list[Hit] = []
        places: list[int] = []
        for place in range(len(self.said) if before is None else before - 1, 0, -1):
            said = self.said[place - 1]
            if wanted.finds(said) and allowed(said):
                if len(hits) == limit:
                    return Found(hits, places[-1])
                places.append(place)
                hits.append(
                    Hit(
                        said,
                        next(iter(self.history(said.channel, int(around), before=said.seq) if around else ()), None),
                        next(iter(self.history(said.channel, int(around), after=said.seq)), None),
                    )
                )
        return Found(hits)

    def first_since(self, channel: str, since: float) -> int | None:
        return min((said.seq for said in self.said if said.channel == channel and said.said_at >= since), default=None)

    def reports(self, limit: int, resolved: bool = False) -> Sequence[Report]:
        return [each for each in self.complaints[::-1] if resolved or each.resolved_at is None][:limit]

    def audit(self, limit: int, sought: Entries = Entries()) -> Sequence[AuditEntry]:
        return [entry for entry in self.entries[::-1] if _fits(entry, sought)][:limit]

    def audit_of(
        self, operations: Collection[str], limit: int, before: tuple[float, str] | None = None
    ) -> Sequence[AuditEntry]:
        found = sorted((entry for entry in self.entries if entry.operation in operations), key=_place, reverse=True)
        return [entry for entry in found if before is None or _place(entry) < before][:limit]

    def snapshot(self) -> BinaryIO:
        if self.full:
            raise StoreError("the disk is full")
        self.snapshots.append(BytesIO(COPY))
        return self.snapshots[-1]


def _place(entry: AuditEntry) -> tuple[float, str]:
    return entry.at, entry.key


def _fits(entry: AuditEntry, sought: Entries) -> bool:
    return (
        (sought.before is None or entry.at < sought.before)
        and (sought.since is None or entry.at >= sought.since)
        and sought.actor.lower() in ("", entry.actor.lower())
        and any(sought.about.lower() in text.lower() for text in (entry.operation, entry.subject, entry.arguments))
    )
