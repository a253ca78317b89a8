"""
Rehearsals: what happens on a network with many games, played to the sessions of one game by the player C{echo}.

Nobody else notices, and nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Raw, Struct
from msgspec.structs import replace

from gossip.network.echo import Echo
from gossip.network.outputs import Outputs, Relay, Send
from gossip.network.presence import Online, Presence
from gossip.network.ratelimit import Bucket, Rate
from gossip.network.relays import Rehearse
from gossip.network.session import Session, Situation
from gossip.network.steps import DOWNTIME, STEPS, StepName
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
    @ivar sessions: the sessions that are sent it, those of other nodes as well.
    @ivar outputs: what is to be done here.
    @ivar channel: the channel of a message; empty for other steps.
    @ivar player: the player that gets a tell; empty for other steps.
    """

    sent: str
    sessions: tuple[Session, ...]
    outputs: Outputs
    channel: str = ""
    player: str = ""


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
        Play a step to the sessions of a game: at once to those that are here, by a relay to the others.

        @param player: the player that gets a tell, by default the first one that is signed in.
        @raise Refused: it cannot be played to this game, or too much was; the text says why.
        """
        online = self._presence.online(client_id)
        if online is None or not online.sessions:
            raise Refused("conflict", "game", "the game is not connected")
        bucket = online.buckets.get("rehearsal")
        if bucket is None:
            bucket = online.buckets["rehearsal"] = Bucket(now)
        if not bucket.take(RATE, now):
            raise Refused("too-many", None, "too many rehearsals: wait a few seconds")
        played = self._step(online, step, None, player, now)
        if any(session.node for session in played.sessions):
            played.outputs.append(Relay(Rehearse(client_id, step, played.channel, played.player)))
        return played

    def play_here(self, rehearse: Rehearse, now: Moment) -> Played:
        """
        Play a step that is rehearsed on another node.

        @raise Refused: the game is not here any more, or changed meanwhile.
        """
        online = self._presence.online(rehearse.client_id)
        if online is None or not online.here:
            raise Refused("conflict", "game", "the game is not connected")
        step = next((step for step in STEPS if step == rehearse.step), None)
        if step is None:
            raise Refused("invalid", "step", "no such step")
        return self._step(online, step, rehearse.channel or None, rehearse.player or None, now)

    def _step(self, online: Online, step: StepName, channel: str | None, player: str | None, now: Moment) -> Played:
        match step:
            case "message":
                return self._message(online, channel)
            case "tell":
                return self._tell(online, player, now)
            case "sign-in":
                told = PlayersSignedIn(self._new_ref(), NETWORK_GAME, ECHO_PLAYER)
                return self._to_supporters(online, "players", told, f"{_ECHO} signed in")
            case "sign-out":
                gone = PlayersSignedOut(self._new_ref(), NETWORK_GAME, ECHO_PLAYER)
                return self._to_supporters(online, "players", gone, f"{_ECHO} signed out")
            case "heartbeat":
                return Played("nothing: the next heartbeat comes by itself", tuple(online.sessions), [])
            case "restart":
                return self._restart(online)

    def end(self, sessions: Iterable[Session], now: Moment) -> Outputs:
        """End the sessions that heard of a restart, a moment later: as at a real one."""
        outputs: Outputs = []
        for session in sessions:
            if session.situation is Situation.ACTIVE:
                outputs.extend(self._close(session, SERVICE_RESTART, Error.of("restarting"), now))
        return outputs

    def _message(self, online: Online, channel: str | None) -> Played:
        heard = list(dict.fromkeys(name for session in online.sessions for name in session.channels))
        if not heard:
            raise Refused("conflict", "game", "the game is subscribed to no channel")
        if channel is None:
            channel = ECHO_CHANNEL if ECHO_CHANNEL in heard else heard[0]
        sessions = tuple(session for session in online.sessions if channel in session.channels)
        outputs = self._echo.broadcast_here(online, channel, MESSAGE)
        return Played(f"{_ECHO} said on {channel}: {MESSAGE}", sessions, outputs, channel=channel)

    def _tell(self, online: Online, player: str | None, now: Moment) -> Played:
        if player is None:
            player = next(iter(online.players), None)
            if player is None:
                raise Refused("conflict", "player", "no player is signed in to the game")
        elif not online.plays(player):
            raise Refused("not-found", "player", "this player is not signed in to the game")
        told = self._echo.tell(player, TELL, now)
        return replace(
            self._to_supporters(online, "tells", told, f"{_ECHO} told {player}: {TELL}"),
            player=player,
        )

    def _restart(self, online: Online) -> Played:
        outputs: Outputs = [Send(session, Restart(self._new_ref(), DOWNTIME)) for session in online.here]
        sent = f"a restart of {DOWNTIME} seconds, then the end of the connection with code {SERVICE_RESTART}"
        return Played(sent, tuple(online.sessions), outputs)

    def _to_supporters(self, online: Online, flag: str, event: ServerEvent, sent: str) -> Played:
        sessions = tuple(session for session in online.sessions if flag in session.supports)
        if not sessions:
            raise Refused("conflict", "step", f'the game does not support "{flag}"')
        return Played(sent, sessions, [Send(session, event) for session in sessions if not session.node])


_ECHO: Final = f"{ECHO_PLAYER}@{NETWORK_GAME}"
