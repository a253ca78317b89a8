"""
gossipctl talk: a person joins the network from a terminal, as a registered game with one player.

L{Conversation} does no I/O: lines and frames go in, frames and lines come out. The rest puts it between a terminal and
a websocket.
"""

from __future__ import annotations

import getpass
import json
import os
import random
import re
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct
from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.internet.stdio import StandardIO
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from gossip.cli.terminal import printable
from gossip.client.websocket import Connect, Link, Send, websocket
from gossip.protocol.events import VERSION
from gossip.registry.names import NETWORK_GAME

HELP: Final = (
    "What you type is said on the current channel. Besides:",
    "  /tell NAME@GAME TEXT   say something to one player",
    "  /who [GAME]            who is online",
    "  /games                 which games are online",
    "  /join CHANNEL          hear a channel, and talk there",
    "  /leave [CHANNEL]       no longer hear a channel",
    "  /quit                  leave; so does the end of the input",
    "  //TEXT                 say a line that begins with a slash",
)

LONGEST_WAIT: Final = 60.0
"""How many seconds lie between two tries to connect, at the most."""

_HELD: Final = 100
_DAY: Final = 24 * 3600
_SAYING: Final = ("channels/send", "tells/send")
_TELL: Final = re.compile(r"(.+?)@([^\s@]+)\s+(.+)")


class Turn(Struct, frozen=True):
    """
    What follows from a line or a frame.

    @ivar frames: what is sent.
    @ivar lines: what is shown; clean.
    @ivar over: the conversation has ended.
    """

    frames: tuple[bytes, ...] = ()
    lines: tuple[str, ...] = ()
    over: bool = False

    def __add__(self, other: Turn) -> Turn:
        return Turn(self.frames + other.frames, self.lines + other.lines, self.over or other.over)


class Conversation:
    """
    One person on the network.

    @ivar failed: why he was not let in, or why not all could be said before the end; C{None} if nothing went wrong.
    """

    def __init__(
        self, client_id: str, secret: str, name: str, channels: Sequence[str], new_ref: Callable[[], str]
    ) -> None:
        """
        @param name: of the player.
        @param channels: what to hear; the first is the one to talk on.
        @param new_ref: makes version 4 UUIDs.
        """
        self.failed: str | None = None
        self._client_id = client_id
        self._secret = secret
        self._name = name
        self._channels = list(dict.fromkeys(channels))
        self._current: str | None = self._channels[0] if self._channels else None
        self._new_ref = new_ref
        self._joined = False
        self._ending = False
        self._tries = 0
        self._downtime: float | None = None
        self._held: list[str] = []
        self._asked: dict[str, tuple[str, dict[str, Any]]] = {}
        self._last: str | None = None

    # The connection.

    def opened(self) -> Turn:
        """The connection is there."""
        supports = ["channels", "players", "tells", "games"]
        payload = {
            "client_id": self._client_id,
            "client_secret": self._secret,
            "supports": supports,
            "channels": self._channels,
            "players": [self._name],
            "version": VERSION,
            "user_agent": "gossipctl talk",
        }
        return Turn((_frame("authenticate", payload),))

    def closed(self, reason: str) -> Turn:
        """The connection is gone, or none came about."""
        unheard = len(self._held) + sum(event in _SAYING for event, _ in self._asked.values())
        self._joined = False
        self._asked.clear()
        if self.failed is not None:
            return Turn(over=True)
        lines = [f"* The connection ended: {printable(reason)}" if reason else "* The connection ended."]
        if unheard and self._ending:
            self.failed = "not all was heard"
        if unheard > len(self._held):
            lines.append("* What you said last may not have been heard.")
        return Turn(lines=tuple(lines), over=self._ending)

    def wait(self, chance: float) -> float:
        """
        How many seconds to wait before the next try to connect.

        @param chance: from 0 to 1; not everybody comes back in the same second.
        """
        downtime, self._downtime = self._downtime, None
        self._tries += 1
        return (downtime or 0.0) + min(2.0 ** (self._tries - 1), LONGEST_WAIT) * (0.5 + chance / 2)

    # What is typed.

    def typed(self, line: str) -> Turn:
        """The person typed a line."""
        line = line.strip()
        if not line:
            return Turn()
        if line in ("/quit", "/help"):
            return self._leave() if line == "/quit" else Turn(lines=HELP)
        if not self._joined:
            if len(self._held) == _HELD:
                return Turn(lines=("* Too many lines wait for the connection: this one is lost.",))
            self._held.append(line)
            return Turn()
        return self._carry_out(line)

    def ended(self) -> Turn:
        """Nothing more will be typed: what was typed is still said, and the answers are still shown."""
        self._ending = True
        return self._fence() if self._joined else Turn(over=not self._held)

    def _leave(self) -> Turn:
        self._ending = True
        return Turn(over=True)

    def _fence(self) -> Turn:
        # Nothing says which frame of an answer is the last, but answers come in the order of the requests.
        turn = self._ask("games/status", {"game": NETWORK_GAME})
        self._last = next(reversed(self._asked))
        return turn

    def _carry_out(self, line: str) -> Turn:
        if not line.startswith("/") or line.startswith("//"):
            return self._say(line.removeprefix("/"))
        command, _, rest = line[1:].partition(" ")
        rest = rest.strip()
        match command:
            case "tell":
                return self._tell(rest)
            case "who":
                return self._ask("players/status", {"game": rest} if rest else {})
            case "games":
                return self._ask("games/status", {})
            case "join" if rest:
                return self._ask("channels/subscribe", {"channel": rest})
            case "leave":
                return self._unsubscribe(rest or self._current)
        return Turn(lines=(f"* There is no /{printable(command)} like that; /help says what there is.",))

    def _say(self, text: str) -> Turn:
        if self._current is None:
            return Turn(lines=("* You are on no channel: /join one.",))
        return self._ask("channels/send", {"channel": self._current, "name": self._name, "message": text})

    def _tell(self, rest: str) -> Turn:
        match = _TELL.fullmatch(rest)
        if match is None:
            return Turn(lines=("* It goes /tell NAME@GAME TEXT.",))
        payload = {"from_name": self._name, "to_name": match[1], "to_game": match[2], "message": match[3]}
        return self._ask("tells/send", payload)

    def _unsubscribe(self, channel: str | None) -> Turn:
        if channel not in self._channels:
            return Turn(lines=("* You are not on that channel.",))
        return self._ask("channels/unsubscribe", {"channel": channel})

    def _ask(self, event: str, payload: dict[str, Any]) -> Turn:
        ref = self._new_ref()
        self._asked[ref] = (event, payload)
        return Turn((_frame(event, payload, ref),))

    # What the network sends.

    def received(self, frame: bytes) -> Turn:
        """The network sent a frame; whatever it is, nothing raises."""
        try:
            envelope = json.loads(frame)
        except (ValueError, RecursionError):
            return Turn()
        if not isinstance(envelope, dict):
            return Turn()
        event, payload = envelope.get("event"), envelope.get("payload")
        payload = payload if isinstance(payload, dict) else {}
        told = {key: printable(value) for key, value in payload.items() if isinstance(value, str)}
        ref = envelope.get("ref")
        asked = self._asked.get(ref) if isinstance(ref, str) else None
        if event == "authenticate":
            return self._authenticated(envelope)
        if event == "heartbeat" and self._joined:
            return Turn((_frame("heartbeat", {"players": [self._name]}),))
        if asked is not None:
            if ref == self._last:
                return Turn(over=True)
            # Further frames of a status are shown without their question.
            del self._asked[str(ref)]
            return self._answered(*asked, envelope, payload)
        if event == "restart":
            downtime = payload.get("downtime")
            self._downtime = downtime if isinstance(downtime, int | float) and 0 <= downtime <= _DAY else None
            return Turn(lines=("* The network restarts.",))
        if envelope.get("status") == "failure":
            return Turn(lines=(f"* {_error(envelope)}",))
        return Turn(lines=_lines(event, told, payload))

    def _authenticated(self, envelope: dict[str, Any]) -> Turn:
        if envelope.get("status") != "success":
            self.failed = _error(envelope)
            return Turn(lines=(f"* The network refused you: {self.failed}",), over=True)
        self._joined, self._tries = True, 0
        where = f"You talk on {printable(self._current)}" if self._current else "You are on no channel"
        turn = Turn(lines=(f"* Connected. {where}; /help says what else there is.",))
        held, self._held = self._held, []
        for line in held:
            turn += self._carry_out(line)
        return turn + self._fence() if self._ending else turn

    def _answered(self, event: str, asked: dict[str, Any], envelope: dict[str, Any], payload: dict[str, Any]) -> Turn:
        if envelope.get("status") == "failure":
            what = "Not said: " if event in _SAYING else ""
            return Turn(lines=(f"* {what}{_error(envelope)}",))
        match event:
            case "channels/subscribe":
                channel = asked["channel"]
                self._channels = list(dict.fromkeys([*self._channels, channel]))
                self._current = channel
                return Turn(lines=(f"* You talk on {printable(channel)}.",))
            case "channels/unsubscribe":
                channel = asked["channel"]
                self._channels = [name for name in self._channels if name != channel]
                if self._current == channel:
                    self._current = self._channels[0] if self._channels else None
                now = f"you talk on {printable(self._current)}" if self._current else "you are on no channel now"
                return Turn(lines=(f"* You left {printable(channel)}; {now}.",))
            case "tells/send":
                told = {key: printable(str(value)) for key, value in asked.items()}
                return Turn(lines=(f"You tell {told['to_name']}@{told['to_game']}: {told['message']}",))
            case "players/status" | "games/status":
                return Turn(lines=(_status(event, payload),))
        return Turn()


def _frame(event: str, payload: dict[str, Any], ref: str | None = None) -> bytes:
    frame = {"event": event, "payload": payload} if ref is None else {"event": event, "ref": ref, "payload": payload}
    return json.dumps(frame).encode()


def _error(envelope: dict[str, Any]) -> str:
    error = envelope.get("error")
    return printable(error) if isinstance(error, str) else "something went wrong"


def _lines(event: object, told: dict[str, str], payload: dict[str, Any]) -> tuple[str, ...]:
    """What is shown of an event that the network sent by itself."""
    game, name = told.get("game", "?"), told.get("name", "?")
    match event:
        case "channels/broadcast":
            return (f"[{told.get('channel', '?')}] {name}@{game}: {told.get('message', '')}",)
        case "tells/receive":
            return (f"{told.get('from_name', '?')}@{told.get('from_game', '?')} tells you: {told.get('message', '')}",)
        case "players/sign-in":
            return (f"* {name} entered {game}.",)
        case "players/sign-out":
            return (f"* {name} left {game}.",)
        case "games/connect":
            return (f"* {game} is online.",)
        case "games/disconnect":
            return (f"* {game} is offline.",)
        case "players/status" | "games/status":
            return (_status(str(event), payload),)
    return ()


def _status(event: str, payload: dict[str, Any]) -> str:
    game = printable(str(payload.get("game", "?")))
    if event == "players/status":
        players = payload.get("players")
        names = [printable(str(player)) for player in players] if isinstance(players, list) else []
        return f"  {game}: {', '.join(names) or 'nobody'}"
    name = printable(str(payload.get("display_name", game)))
    homepage = payload.get("homepage_url")
    shown = f"  {game} ({name}), players: {printable(str(payload.get('players_online_count', 0)))}"
    return f"{shown}, {printable(homepage)}" if isinstance(homepage, str) else shown


# Between a terminal and a websocket.


@implementer(IHalfCloseableProtocol)
class Talk(LineReceiver):
    """A terminal at one end and a websocket at the other: keeps a conversation connected until it is over."""

    delimiter = b"\n"

    def __init__(
        self, clock: IReactorTime, conversation: Conversation, connect: Connect, chance: Callable[[], float]
    ) -> None:
        """
        @param chance: makes numbers from 0 to 1.
        """
        self.done: Deferred[None] = Deferred()
        self._clock = clock
        self._conversation = conversation
        self._connect = connect
        self._chance = chance
        self._link: Link | None = None
        self._send: Send | None = None
        self._retry: IDelayedCall | None = None
        self._over = False

    # The terminal.

    def connectionMade(self) -> None:
        self._try()

    def lineReceived(self, line: bytes) -> None:
        self._follow(self._conversation.typed(line.decode("utf-8", "replace")))

    def lineLengthExceeded(self, line: bytes) -> None:
        self._follow(Turn(lines=("* That line is too long.",)))

    def readConnectionLost(self) -> None:
        """There is nothing more to read, but answers may still be shown."""
        self._follow(self._conversation.ended())

    def writeConnectionLost(self) -> None:
        """Nobody sees what is shown."""
        self._leave_terminal()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._over = True
        if self._retry is not None and self._retry.active():
            self._retry.cancel()
        if self._link is not None:
            self._link.close()
        self.done.callback(None)

    def _leave_terminal(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()

    # The network.

    def _try(self) -> None:
        self._link = self._connect(self._opened, self._received, self._closed)

    def _opened(self, send: Send) -> None:
        self._send = send
        self._follow(self._conversation.opened())

    def _received(self, frame: bytes) -> None:
        self._follow(self._conversation.received(frame))

    def _closed(self, code: int | None, reason: str) -> None:
        self._link = self._send = None
        if self._over:
            self._leave_terminal()
            return
        self._follow(self._conversation.closed(reason))
        if not self._over:
            self._retry = self._clock.callLater(self._conversation.wait(self._chance()), self._try)

    def _follow(self, turn: Turn) -> None:
        """Do what follows."""
        if self._over:
            return
        assert self.transport is not None
        for line in turn.lines:
            self.transport.write(line.encode("utf-8", "replace") + b"\n")
        if self._send is not None:
            for frame in turn.frames:
                self._send(frame)
        if turn.over:
            self._over = True
            if self._send is not None and self._link is not None:
                self._link.close()  # the terminal is left when that is done: what was sent must go out
            else:
                self._leave_terminal()


def main(url: str, client_id: str, secret: str, name: str | None, channels: Sequence[str]) -> int:
    """
    Talk until the person leaves.

    @return: the exit code: 1 if the network did not let him in, or what he typed could not be said.
    """
    conversation = Conversation(client_id, secret, name or _login(), channels, lambda: str(uuid.uuid4()))

    def run(reactor: Any) -> Deferred[None]:
        talk = Talk(reactor, conversation, websocket(reactor, url), random.random)
        StandardIO(talk, reactor=reactor)
        return talk.done

    try:
        task.react(run)
    except SystemExit as end:
        return 1 if conversation.failed is not None else int(bool(end.code))
    finally:
        # The shell shares the terminal, and does not expect this of it.
        for descriptor in (0, 1):
            os.set_blocking(descriptor, True)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "someone"
