"""
Rehearsals: what happens on a network with many games, played to the sessions of one game by the player C{echo}.

Nobody else notices, and nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Raw, Struct

from gossip.network.echo import Echo
from gossip.network.outputs import Outputs, Send
from gossip.network.presence import Online, Presence
from gossip.network.ratelimit import Bucket, Rate
from gossip.network.session import Session, Situation
from gossip.network.steps import DOWNTIME, StepName
from gossip.protocol.errors import Error
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import PlayersSignedIn, PlayersSignedOut, Restart, ServerEvent
from gossip.registry.errors import Refused
from gossip.registry.names import ECHO_CHANNEL, ECHO_PLAYER, NETWORK_GAME

RATE: Final = Rate(10, 0.2)
"""How often a game may rehearse."""

SERVICE_RESTART: Final = 1012
"""The close code of a restart (IANA, WebSocket Close Code Number Registry)."""

MESSAGE: Final = "This is a rehearsal. The players on this channel should see it."
TELL: Final = "This is a rehearsal. Nobody but you should see it."


class Played(Struct, frozen=True):
    """
    A step that is played.

    @ivar sent: what the game is sent, in words.
    @ivar sessions: the sessions that are sent it.
    @ivar outputs: what is to be done.
    """

    sent: str
    sessions: tuple[Session, ...]
    outputs: Outputs


class Rehearsal:
    """Plays steps."""

    def __init__(
        self,
        presence: Presence,
        echo: Echo,
        new_ref: Callable[[], Raw],
        close: Callable[[Session, int, Error, Moment], Outputs],
    ) -> None:
        """
        @param close: ends a session.
        """
        self._presence = presence
        self._echo = echo
        self._new_ref = new_ref
        self._close = close

    def play(self, client_id: str, step: StepName, player: str | None, now: Moment) -> Played:
        """
        Play a step to the sessions of a game that are here.

        @param player: the player that gets a tell, by default the first one that is signed in.
        @raise Refused: it cannot be played to this game, or too much was; the text says why.
        """
        online = self._presence.online(client_id)
        if online is None or not online.here:
            raise Refused("conflict", "game", "the game is not connected")
        bucket = online.buckets.get("rehearsal")
        if bucket is None:
            bucket = online.buckets["rehearsal"] = Bucket(now)
        if not bucket.take(RATE, now):
            raise Refused("too-many", None, "too many rehearsals: wait a few seconds")
        match step:
            case "message":
                return self._message(online)
            case "tell":
                return self._tell(online, player, now)
            case "sign-in":
                told = PlayersSignedIn(self._new_ref(), NETWORK_GAME, ECHO_PLAYER)
                return self._to_supporters(online, "players", told, f"{_ECHO} signed in")
            case "sign-out":
                gone = PlayersSignedOut(self._new_ref(), NETWORK_GAME, ECHO_PLAYER)
                return self._to_supporters(online, "players", gone, f"{_ECHO} signed out")
            case "heartbeat":
                return Played("nothing: the next heartbeat comes by itself", online.here, [])
            case "restart":
                return self._restart(online)

    def end(self, sessions: Iterable[Session], now: Moment) -> Outputs:
        """End the sessions that heard of a restart, a moment later: as at a real one."""
        outputs: Outputs = []
        for session in sessions:
            if session.situation is Situation.ACTIVE:
                outputs.extend(self._close(session, SERVICE_RESTART, Error.of("restarting"), now))
        return outputs

    def _message(self, online: Online) -> Played:
        heard = list(dict.fromkeys(name for session in online.here for name in session.channels))
        if not heard:
            raise Refused("conflict", "game", "the game is subscribed to no channel")
        channel = ECHO_CHANNEL if ECHO_CHANNEL in heard else heard[0]
        outputs = self._echo.broadcast(online, channel, MESSAGE)
        sessions = tuple(session for session in online.here if channel in session.channels)
        return Played(f"{_ECHO} said on {channel}: {MESSAGE}", sessions, outputs)

    def _tell(self, online: Online, player: str | None, now: Moment) -> Played:
        if player is None:
            player = next(iter(online.players), None)
            if player is None:
                raise Refused("conflict", "player", "no player is signed in to the game")
        elif not online.plays(player):
            raise Refused("not-found", "player", "this player is not signed in to the game")
        told = self._echo.tell(player, TELL, now)
        return self._to_supporters(online, "tells", told, f"{_ECHO} told {player}: {TELL}")

    def _restart(self, online: Online) -> Played:
        outputs: Outputs = [Send(session, Restart(self._new_ref(), DOWNTIME)) for session in online.here]
        sent = f"a restart of {DOWNTIME} seconds, then the end of the connection with code {SERVICE_RESTART}"
        return Played(sent, online.here, outputs)

    def _to_supporters(self, online: Online, flag: str, event: ServerEvent, sent: str) -> Played:
        sessions = tuple(_supporting(online.here, flag))
        if not sessions:
            raise Refused("conflict", "step", f'the game does not support "{flag}"')
        return Played(sent, sessions, [Send(session, event) for session in sessions])


_ECHO: Final = f"{ECHO_PLAYER}@{NETWORK_GAME}"


def _supporting(sessions: Iterable[Session], flag: str) -> Iterable[Session]:
    return (session for session in sessions if flag in session.supports)
