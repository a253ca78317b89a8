"""
Presence: which games are online, their sessions and players, and the minute of grace.

A player is online while any session of the game lists them. A game whose last session ended stays online for a minute:
a quick reconnect is announced to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from gossip.network.audiences import Audiences, SessionsOf, Supporters
from gossip.network.outputs import Broadcast, Outputs
from gossip.network.ratelimit import Buckets
from gossip.network.session import Session, Situation
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import GamesConnect, GamesDisconnect, Told
from gossip.registry.changes import GameOnline
from gossip.registry.entities import Game

GRACE: Final = 60.0
"""How many seconds a game stays online after its last session ended."""


class Online:
    """
    A game that is online.

    @ivar game: the game, as it is registered now.
    @ivar sessions: its sessions on all nodes, the latest last; none in the grace.
    @ivar supports: the flags of any session; in the grace, of the last one.
    @ivar channels: the channels of any session; in the grace, of the last one.
    @ivar buckets: the use that all its sessions together make of each rate that they share.
    @ivar told: what others are told of it, by the kind of query, until it changes.
    @ivar counted: how many players it had when they were counted last.
    @ivar since: when it came online, in seconds since the epoch.
    @ivar left_at: in the grace, when its last session ended, in seconds since the epoch.
    """

    __slots__ = ("_last", "_uncounted", "buckets", "counted", "game", "left_at", "sessions", "since", "told")

    def __init__(self, game: Game, since: float, uncounted: set[Online]) -> None:
        """
        @param uncounted: the games that changed since their players were counted; this one puts itself into it.
        """
        self._uncounted = uncounted
        self.counted = 0
        self.game = game
        self.since = self.left_at = since
        self.sessions: dict[Session, None] = {}
        self.buckets: Buckets = {}
        self.told: dict[str, Told] = {}
        self._last: Session | None = None

    @property
    def here(self) -> tuple[Session, ...]:
        """Its sessions on this node: those that can be told something."""
        return tuple(session for session in self.sessions if not session.node)

    def changed(self) -> None:
        """Something that others are told of it is different now."""
        self.told.clear()
        self._uncounted.add(self)

    def joined(self, session: Session) -> None:
        """A session authenticated."""
        self.sessions[session] = None
        self._last = None
        self.changed()

    def left(self, session: Session, now: Moment) -> None:
        """A session ended."""
        del self.sessions[session]
        # Much memory, if a game comes and goes: what keeps the session for a while has no use for it.
        session.list_players(())
        if not self.sessions:
            self._last = session
            self.left_at = now.wall
        self.changed()

    def signed_out(self, name: str) -> None:
        """A player left: no session lists the player any more."""
        for session in self.sessions:
            session.unlist_player(name)
        self.changed()

    def resume(self, session: Session, left_at: float) -> None:
        """It is in the grace, after a session of a daemon before this one."""
        self._last = session
        self.left_at = left_at

    @property
    def supports(self) -> frozenset[str]:
        return frozenset().union(*(session.supports for session in self._heard()))

    @property
    def channels(self) -> Iterable[str]:
        return dict.fromkeys(name for session in self._heard() for name in session.channels)

    @property
    def players(self) -> tuple[str, ...]:
        """Every player that any session lists, once."""
        return self.some_players(0)

    def some_players(self, most: int) -> tuple[str, ...]:
        """
        The players that its sessions list, each once.

        @param most: the maximum number; 0 for no limit.
        """
        names: dict[str, None] = {}
        for session in self.sessions:
            names.update(session.players)
            if 0 < most <= len(names):
                break
        return tuple(names)[: most or None]

    @property
    def lists_players(self) -> bool:
        """Is every player on the list of a session? Not if the protocol of one has no such list."""
        return all(session.lists_players for session in self.sessions)

    def lists(self, name: str) -> bool:
        """Does any session list this player? Names compare exactly."""
        return any(name in session.players for session in self.sessions)

    def plays(self, name: str) -> bool:
        """Does any session list this player? Names compare without case."""
        wanted = name.lower()
        return any(session.plays(wanted) for session in self.sessions)

    def _heard(self) -> Iterable[Session]:
        return self.sessions if self._last is None else (self._last,)


class Presence:
    """
    Which games are online, with which sessions and players.

    @ivar sessions: how many sessions all registered games have.
    """

    def __init__(self, audiences: Audiences) -> None:
        self._audiences = audiences
        self._online: dict[str, Online] = {}
        self._leaving: dict[str, float] = {}
        self._uncounted: set[Online] = set()
        self._players = 0
        self._remote = 0
        self.sessions = 0

    def __iter__(self) -> Iterator[Online]:
        return iter(self._online.values())

    def __len__(self) -> int:
        """How many registered games are online."""
        return len(self._online) - self._remote

    @property
    def players(self) -> int:
        """How many players all registered games have. Only what changed since the last time is counted again."""
        for online in self._uncounted:
            if online.game.through is not None:
                continue
            self._players -= online.counted
            online.counted = len(online.players)
            self._players += online.counted
        self._uncounted.clear()
        return self._players

    def _forget(self, online: Online | None) -> None:
        """A game is no longer online."""
        if online is not None:
            self._players -= online.counted
            self._uncounted.discard(online)
            self._remote -= online.game.through is not None

    def online(self, client_id: str) -> Online | None:
        """A game, if it is online."""
        return self._online.get(client_id)

    def join(self, session: Session, game: Game, now: Moment) -> tuple[Online, bool]:
        """
        A session authenticated; its C{supports} are known.

        @return: its game, and whether that came online by it.
        """
        online = self._online.get(game.client_id)
        came = online is None
        if online is None:
            online = self._online[game.client_id] = Online(game, now.wall, self._uncounted)
            self._remote += game.through is not None
        self._leaving.pop(game.client_id, None)
        online.joined(session)
        if game.through is None:
            self.sessions += 1
            if not session.node:
                self._audiences.support(session)
        return online, came

    def leave(self, session: Session, now: Moment) -> None:
        """A session ended; with its last one a game enters the grace."""
        online = session.online
        assert online is not None
        online.left(session, now)
        if online.game.through is None:
            self.sessions -= 1
            if not session.node:
                self._audiences.ended(session)
        # A copy may outlive its game: that one was removed here, and its node has not told of its end yet.
        if not online.sessions and self._online.get(online.game.client_id) is online:
            self._leaving[online.game.client_id] = now.steady + GRACE

    def resume(self, game: Game, was: GameOnline, channels: Iterable[str], alive: float, now: Moment) -> None:
        """
        A game was online when the daemon ended: it has the grace to come back, as after any absence.

        @param was: what is known of its last session.
        @param channels: the channels that it is known to have had, and that exist.
        @param alive: when the daemon is known to have run last, in seconds since the epoch.
        """
        online = self._online[game.client_id] = Online(game, was.since or now.wall, self._uncounted)
        last = Session()
        last.supports, last.channels, last.situation = frozenset(was.supports), dict.fromkeys(channels), Situation.GONE
        online.resume(last, min(max(was.since, alive) or now.wall, now.wall))
        self._leaving[game.client_id] = now.steady + GRACE

    def gone(self, now: Moment) -> list[Online]:
        """The games whose grace is over; they are offline from here on."""
        over = []
        for client_id, end in list(self._leaving.items()):
            if end > now.steady:
                break  # they stand in the order of their ends
            del self._leaving[client_id]
            over.append(self._online.pop(client_id))
            self._forget(over[-1])
        return over

    def changed(self, game: Game) -> Online | None:
        """
        A game is registered differently now.

        @return: itself, if it is online.
        """
        online = self._online.get(game.client_id)
        if online is not None:
            online.game = game
            online.changed()
            if game.hides_players:
                for session in online._heard():
                    session.supports -= {"tells"}
                    if not session.node:
                        self._audiences.withdraw(session, ("tells",))
        return online

    def forget(self, client_id: str) -> None:
        """A game without sessions has no grace: nothing comes back."""
        self._leaving.pop(client_id, None)
        self._forget(self._online.pop(client_id, None))

    def sessions_of(self, audience: SessionsOf) -> tuple[Session, ...]:
        """The sessions of a game that support a flag; none if it is offline."""
        online = self._online.get(audience.client_id)
        sessions = () if online is None else online.here
        return tuple(session for session in sessions if audience.flag in session.supports)

    def players_count(self) -> Iterator[tuple[str, int]]:
        """The client_id of each registered game that is online, and how many players it has."""
        return ((key, len(online.players)) for key, online in self._online.items() if online.game.through is None)


def to_others(online: Online, told: GamesConnect | GamesDisconnect) -> Outputs:
    """Tell all other games that a game came online, or went."""
    return [] if online.game.hidden else [Broadcast(Supporters("games", online.game.client_id), told)]
