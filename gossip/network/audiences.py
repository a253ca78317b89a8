"""
Audiences: to whom an event goes, by name.

The network says "all sessions on this channel except those of that game". The service, which carries the outputs out,
asks L{Audiences} which sessions those are. Only sessions of this process are ever found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from gossip.network.session import Session
from gossip.protocol.flags import EXTENSIONS, SUPPORTS

_REMEMBERED: Final = 64
"""For how many excluded games a group remembers the rest: each such tuple is as large as the group."""


class Subscribers(Struct, frozen=True):
    """
    All sessions that are subscribed to a channel, except those of one game.

    @ivar but: the client_id of that game; C{None} excludes nobody.
    @ivar numbered: the sessions that are told the numbers of messages; without it, all others.
    @ivar extended: of the numbered ones, only those with any extension, or only those without; C{None} for both.
    """

    channel: str
    but: str | None = None
    numbered: bool = False
    extended: bool | None = None


class Supporters(Struct, frozen=True):
    """
    All sessions that support a flag, except those of one game.

    @ivar but: the client_id of that game.
    """

    flag: str
    but: str


class SessionsOf(Struct, frozen=True):
    """The sessions of one game that support a flag."""

    client_id: str
    flag: str


class Extended(Struct, frozen=True):
    """
    All sessions that were granted an extension.

    @ivar channel: only those that are subscribed to this channel.
    @ivar client_id: only those of this game.
    """

    extension: str
    channel: str | None = None
    client_id: str | None = None


class Chosen(Struct, frozen=True):
    """These sessions: those that are told the same, where others are told something else."""

    sessions: tuple[Session, ...]


Audience = Subscribers | Supporters | SessionsOf | Extended | Chosen


class _Group:
    """
    Sessions, and what is left of them without one game.

    What is left stays the same tuple until somebody joins or leaves: the fan-out tells by its identity that several
    events go to the same sessions.
    """

    __slots__ = ("_rest", "sessions")

    def __init__(self) -> None:
        self.sessions: dict[Session, None] = {}
        self._rest: dict[str | tuple[str | None, bool] | None, tuple[Session, ...]] = {}

    def join(self, session: Session) -> None:
        self.sessions[session] = None
        self._rest.clear()

    def leave(self, session: Session) -> None:
        self.sessions.pop(session, None)
        self._rest.clear()

    def without(self, client_id: str | None) -> tuple[Session, ...]:
        rest = self._rest.get(client_id)
        if rest is None:
            if len(self._rest) >= _REMEMBERED:
                self._rest.clear()
            rest = tuple(session for session in self.sessions if client_id is None or session.client_id != client_id)
            self._rest[client_id] = rest
        return rest

    def split(self, client_id: str | None, extended: bool) -> tuple[Session, ...]:
        """Of what is left, the sessions with any extension, or those without."""
        key = client_id, extended
        part = self._rest.get(key)
        if part is None:
            rest = self.without(client_id)
            part = tuple(session for session in rest if bool(session.extensions) is extended)
            # The same tuple, where that is all: it has a known route.
            part = self._rest[key] = rest if len(part) == len(rest) else part
        return part


class Audiences:
    """Which sessions hear what. Resolving a name costs two look-ups, however large the audience is."""

    def __init__(self) -> None:
        self._channels: dict[tuple[str, bool], _Group] = {}
        self._games: dict[str, int] = {}
        # How many sessions each game has on other nodes that are subscribed to a channel.
        self._elsewhere: dict[str, Counter[str]] = {}
        self._flags: dict[str, _Group] = {flag: _Group() for flag in SUPPORTS}
        self._extensions: dict[str, _Group] = {extension: _Group() for extension in EXTENSIONS}

    def resolve(self, audience: Subscribers | Supporters | Extended | Chosen) -> tuple[Session, ...]:
        """
        The sessions of an audience.

        They are the same tuple until somebody joins or leaves it; a narrowed audience is made anew.
        """
        match audience:
            case Subscribers(channel, but, numbered, extended):
                group = self._channels.get((channel, numbered))
                if group is None:
                    return ()
                return group.without(but) if extended is None else group.split(but, extended)
            case Supporters(flag, but):
                return self._flags[flag].without(but)
            case Extended(extension, channel, client_id):
                sessions = self._extensions[extension].without(None)
                if channel is not None:
                    sessions = tuple(session for session in sessions if channel in session.channels)
                if client_id is not None:
                    sessions = tuple(session for session in sessions if session.client_id == client_id)
                return sessions
            case Chosen(sessions):
                return sessions

    # Channels.

    def subscribe(self, session: Session, channel: str) -> None:
        """A session subscribed to a channel."""
        self._games.pop(channel, None)
        key = channel, session.numbered
        group = self._channels.get(key)
        if group is None:
            group = self._channels[key] = _Group()
        group.join(session)

    def unsubscribe(self, session: Session, channel: str) -> None:
        """A session unsubscribed from a channel, or ended."""
        self._games.pop(channel, None)
        key = channel, session.numbered
        group = self._channels.get(key)
        if group is not None:
            group.leave(session)
            if not group.sessions:
                del self._channels[key]

    def subscribers(self, channel: str) -> list[Session]:
        """All sessions that are subscribed to a channel."""
        groups = (self._channels.get((channel, numbered)) for numbered in (False, True))
        return [session for group in groups if group is not None for session in group.sessions]

    def hears(self, channel: str, numbered: bool) -> bool:
        """Is any session subscribed to a channel, with or without support of history?"""
        return (channel, numbered) in self._channels

    def games_on(self, channel: str) -> int:
        """How many games are subscribed to a channel. This is counted once until somebody joins or leaves it."""
        games = self._games.get(channel)
        if games is None:
            here = {session.client_id for session in self.subscribers(channel)}
            games = self._games[channel] = len(here.union(self._elsewhere.get(channel, ())))
        return games

    def count_elsewhere(self, client_id: str, channel: str, change: int) -> None:
        """A session of a game on another node subscribed to a channel (1), or unsubscribed from it (-1)."""
        self._games.pop(channel, None)
        counts = self._elsewhere.setdefault(channel, Counter())
        counts[client_id] += change
        if not counts[client_id]:
            del counts[client_id]
        if not counts:
            del self._elsewhere[channel]

    def known_games(self, channels: Iterable[str]) -> tuple[int | None, ...]:
        """The same for each of some channels, without counting; C{None} where somebody joined or left since."""
        return tuple(map(self._games.get, channels))

    def subscribed(self) -> dict[str, int]:
        """How many sessions are subscribed to each channel."""
        counts: dict[str, int] = {}
        for (channel, _), group in self._channels.items():
            counts[channel] = counts.get(channel, 0) + len(group.sessions)
        return counts

    # Flags and extensions.

    def support(self, session: Session) -> None:
        """A session authenticated: it supports its flags and has its extensions from now on."""
        for flag in session.supports:
            self._flags[flag].join(session)
        for extension in session.extensions:
            self._extensions[extension].join(session)

    def withdraw(self, session: Session, flags: Iterable[str]) -> None:
        """A session no longer supports these flags."""
        for flag in flags:
            self._flags[flag].leave(session)

    def ended(self, session: Session) -> None:
        """A session ended."""
        self.withdraw(session, session.supports)
        for extension in session.extensions:
            self._extensions[extension].leave(session)
