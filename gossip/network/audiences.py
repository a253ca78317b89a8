"""
Audiences: to whom an event goes, by name.

The network says "all sessions on this channel except those of that game". The service, which carries the outputs out,
asks L{Audiences} which sessions those are. Only sessions of this process are ever found.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from gossip.network.session import Session
from gossip.protocol.flags import SUPPORTS

_REMEMBERED: Final = 64
"""For how many excluded games a group remembers the rest: each such tuple is as large as the group."""


class Subscribers(Struct, frozen=True):
    """
    All sessions that are subscribed to a channel, except those of one game.

    @ivar but: the client_id of that game; C{None} excludes nobody.
    @ivar numbered: the sessions that support history; without it, all others.
    """

    channel: str
    but: str | None = None
    numbered: bool = False


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


Audience = Subscribers | Supporters | SessionsOf


class _Group:
    """
    Sessions, and what is left of them without one game.

    What is left stays the same tuple until somebody joins or leaves: the fan-out tells by its identity that several
    events go to the same sessions.
    """

    __slots__ = ("_rest", "sessions")

    def __init__(self) -> None:
        self.sessions: dict[Session, None] = {}
        self._rest: dict[str | None, tuple[Session, ...]] = {}

    def join(self, session: Session) -> None:
        self.sessions[session] = None
        self._rest.clear()

    def leave(self, session: Session) -> None:
        self.sessions.pop(session, None)
        self._rest.clear()

    def without(self, client_id: str | None) -> tuple[Session, ...]:
        rest = self._rest.get(client_id)
        if rest is None:
            if len(self._rest) == _REMEMBERED:
                self._rest.clear()
            rest = tuple(session for session in self.sessions if client_id is None or session.client_id != client_id)
            self._rest[client_id] = rest
        return rest


class Audiences:
    """Which sessions hear what. Resolving a name costs two look-ups, however large the audience is."""

    def __init__(self) -> None:
        self._channels: dict[tuple[str, bool], _Group] = {}
        self._flags: dict[str, _Group] = {flag: _Group() for flag in SUPPORTS}

    def resolve(self, audience: Subscribers | Supporters) -> tuple[Session, ...]:
        """The sessions of an audience: the same tuple until somebody joins or leaves it."""
        if isinstance(audience, Supporters):
            return self._flags[audience.flag].without(audience.but)
        group = self._channels.get((audience.channel, audience.numbered))
        return group.without(audience.but) if group is not None else ()

    # Channels.

    def subscribe(self, session: Session, channel: str) -> None:
        """A session subscribed to a channel."""
        key = channel, session.numbered
        group = self._channels.get(key)
        if group is None:
            group = self._channels[key] = _Group()
        group.join(session)

    def unsubscribe(self, session: Session, channel: str) -> None:
        """A session unsubscribed from a channel, or ended."""
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

    def subscribed(self) -> dict[str, int]:
        """How many sessions are subscribed to each channel."""
        counts: dict[str, int] = {}
        for (channel, _), group in self._channels.items():
            counts[channel] = counts.get(channel, 0) + len(group.sessions)
        return counts

    # Flags.

    def support(self, session: Session) -> None:
        """A session authenticated: it supports its flags from now on."""
        for flag in session.supports:
            self._flags[flag].join(session)

    def withdraw(self, session: Session, flags: Iterable[str]) -> None:
        """A session no longer supports these flags, or ended."""
        for flag in flags:
            self._flags[flag].leave(session)
