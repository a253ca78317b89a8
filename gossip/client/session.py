"""
A client's session with a network, as values: frames come in, and what they mean and the frames to answer go out.

L{ClientSession} does no I/O. It signs in, answers heartbeats, matches answers to requests by their refs, joins its
channels again after a reconnect, and says how long to wait before one. The protocol is documented in
C{docs/protocol.rst}.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec import Struct

from gossip.protocol.events import VERSION

LONGEST_WAIT: Final = 60.0
"""The maximum time between two attempts to connect, in seconds, a restart of the network excepted."""

_DAY: Final = 24 * 3600

Payload = dict[str, Any]


class Request(Struct, frozen=True):
    """
    A request that the network answers.

    @ivar event: its name, such as C{channels/send}.
    """

    ref: str
    event: str
    payload: Payload

    @property
    def frame(self) -> bytes:
        """The request, as it is sent."""
        return _frame(self.event, self.payload, self.ref)


class Joined(Struct, frozen=True):
    """The network let the session in: requests can be sent."""


class Rejected(Struct, frozen=True):
    """The network did not let the session in, and will not next time."""

    error: str


class Heartbeat(Struct, frozen=True):
    """
    The network asks whether the session lives.

    @ivar frame: the answer, to be sent.
    """

    frame: bytes


class Answer(Struct, frozen=True):
    """
    The answer to a request.

    A status has one frame for each game, and a long list of channels has several. Only the first is an answer; the
    others are L{Notice}s, since in a status nothing tells which one is the last.

    @ivar request: the request; C{None} if no open request has this ref.
    @ivar error: why it failed; C{None} if it did not.
    """

    request: Request | None
    error: str | None
    payload: Payload


class Restarting(Struct, frozen=True):
    """The network will end the connection and come back."""


class Notice(Struct, frozen=True):
    """
    Something that the network tells without being asked.

    @ivar event: its name, such as C{channels/broadcast}; anything if the network is none.
    """

    event: object
    payload: Payload


Heard = Joined | Rejected | Heartbeat | Answer | Restarting | Notice
"""What a frame of the network means. Texts in it may contain anything."""


class ClientSession:
    """
    One game on a network, through all its connections.

    @ivar joined: it is connected, and the network let it in.
    @ivar channels: the channels that it is on, or joins next; in the order in which it joined them.
    @ivar players: the names of the players that it has online.
    """

    def __init__(
        self,
        client_id: str,
        secret: str,
        new_ref: Callable[[], str],
        *,
        supports: Iterable[str] = ("channels",),
        channels: Iterable[str] = (),
        players: Iterable[str] = (),
        user_agent: str,
    ) -> None:
        """
        @param new_ref: makes version 4 UUIDs.
        @param supports: the names of the features of the protocol that it uses.
        @param user_agent: the program that it is.
        """
        self.joined = False
        self.channels = list(dict.fromkeys(channels))
        self.players = list(players)
        self._credentials = {"client_id": client_id, "client_secret": secret}
        self._supports = list(supports)
        self._user_agent = user_agent
        self._new_ref = new_ref
        self._open: dict[str, Request] = {}
        self._tries = 0
        self._downtime: float | None = None

    # The connection.

    def authenticate(self) -> bytes:
        """Make the first frame of a connection."""
        payload = {
            **self._credentials,
            "supports": self._supports,
            "channels": self.channels,
            "players": self.players,
            "version": VERSION,
            "user_agent": self._user_agent,
        }
        return _frame("authenticate", payload)

    def closed(self) -> list[Request]:
        """
        Note that the connection has ended, or could not be made.

        @return: the requests that will get no answer; the network may have carried them out.
        """
        self.joined = False
        unanswered = list(self._open.values())
        self._open.clear()
        return unanswered

    def wait(self, chance: float) -> float:
        """
        Work out how long to wait before the next attempt to connect.

        @param chance: a random number from 0 to 1, so that clients do not all come back in the same second.
        @return: seconds.
        """
        downtime, self._downtime = self._downtime, None
        self._tries += 1
        return (downtime or 0.0) + min(2.0 ** (self._tries - 1), LONGEST_WAIT) * (0.5 + chance / 2)

    # Requests.

    def send(self, channel: str, name: str, message: str) -> Request:
        """Ask to say something on a channel, as a player."""
        return self._ask("channels/send", {"channel": channel, "name": name, "message": message})

    def tell(self, name: str, to_game: str, to_name: str, message: str) -> Request:
        """Ask to say something to one player of another game."""
        payload = {"from_name": name, "to_name": to_name, "to_game": to_game, "message": message}
        return self._ask("tells/send", payload)

    def subscribe(self, channel: str) -> Request:
        """Ask to join a channel. Once that is answered the channel is one of C{channels}."""
        return self._ask("channels/subscribe", {"channel": channel})

    def unsubscribe(self, channel: str) -> Request:
        """Ask to leave a channel. Once that is answered the channel is none of C{channels}."""
        return self._ask("channels/unsubscribe", {"channel": channel})

    def players_status(self, game: str | None = None) -> Request:
        """Ask for the players of one game, or of all."""
        return self._ask("players/status", {} if game is None else {"game": game})

    def list_channels(self) -> Request:
        """Ask for the channels of the network. Only this network knows of that; others refuse it."""
        return self._ask("channels/list", {})

    def games_status(self, game: str | None = None) -> Request:
        """Ask for one game, or for all games that are online."""
        return self._ask("games/status", {} if game is None else {"game": game})

    def _ask(self, event: str, payload: Payload) -> Request:
        request = Request(self._new_ref(), event, payload)
        self._open[request.ref] = request
        return request

    # What the network sends.

    def received(self, frame: bytes) -> Heard | None:
        """
        Take a frame of the network. This raises nothing, whatever the frame is.

        @return: what it means; C{None} if that is nothing.
        """
        try:
            envelope = json.loads(frame)
        except (ValueError, RecursionError):
            return None
        if not isinstance(envelope, dict):
            return None
        event, ref, payload = envelope.get("event"), envelope.get("ref"), envelope.get("payload")
        payload = payload if isinstance(payload, dict) else {}
        error = _error(envelope) if envelope.get("status") == "failure" else None
        if event == "authenticate":
            return self._authenticated(envelope)
        if event == "heartbeat" and self.joined:
            return Heartbeat(_frame("heartbeat", {"players": self.players}))
        if isinstance(ref, str) and ref in self._open:
            return self._answered(self._open.pop(ref), error, payload)
        if event == "restart":
            downtime = payload.get("downtime")
            self._downtime = downtime if isinstance(downtime, int | float) and 0 <= downtime <= _DAY else None
            return Restarting()
        return Notice(event, payload) if error is None else Answer(None, error, payload)

    def _authenticated(self, envelope: dict[str, Any]) -> Heard:
        if envelope.get("status") != "success":
            return Rejected(_error(envelope))
        self.joined, self._tries = True, 0
        return Joined()

    def _answered(self, request: Request, error: str | None, payload: Payload) -> Answer:
        channel: Any = request.payload.get("channel")
        if error is None and request.event == "channels/subscribe" and channel not in self.channels:
            self.channels.append(channel)
        if error is None and request.event == "channels/unsubscribe" and channel in self.channels:
            self.channels.remove(channel)
        return Answer(request, error, payload)


def _frame(event: str, payload: Payload, ref: str | None = None) -> bytes:
    frame = {"event": event, "payload": payload} if ref is None else {"event": event, "ref": ref, "payload": payload}
    return json.dumps(frame).encode()


def _error(envelope: dict[str, Any]) -> str:
    error = envelope.get("error")
    return error if isinstance(error, str) else "something went wrong"
