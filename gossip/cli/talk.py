"""
gossipctl talk: a person joins the network from a terminal, as a registered game with one player.

L{Conversation} does no I/O: lines and frames come in, frames and lines go out. L{Talk} puts it between a terminal and a
websocket. The protocol is that of L{gossip.client.session}.
"""

from __future__ import annotations

import getpass
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
from gossip.client.session import (
    Answer,
    ClientSession,
    Heartbeat,
    Joined,
    Notice,
    Payload,
    Rejected,
    Request,
    Restarting,
)
from gossip.client.websocket import Connect, Link, Send, websocket
from gossip.protocol.emotes import BEGINNING, spoken
from gossip.registry.names import NETWORK_GAME

HELP: Final = (
    "What you type is said on the current channel. Commands:",
    "  /tell NAME@GAME TEXT   send a tell to one player",
    "  /me TEXT               say what you do: others see * NAME@GAME TEXT",
    "  /who [GAME]            list the players online",
    "  /games                 list the games online",
    "  /channels              list the channels",
    "  /join CHANNEL          join a channel and talk there",
    "  /leave [CHANNEL]       leave a channel",
    "  /quit                  leave the network; the end of the input does so too",
    "  //TEXT                 say a line that begins with a slash",
)

_HELD: Final = 100
_SAYING: Final = ("channels/send", "tells/send")
_TELL: Final = re.compile(r"(.+?)@([^\s@]+)\s+(.+)")


class Turn(Struct, frozen=True):
    """
    What follows from a line or a frame.

    @ivar frames: the frames to send.
    @ivar lines: the lines to show, safe for a terminal.
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

    @ivar failed: why the network did not let the person in, or why not all that was typed could be said; C{None} if
        nothing went wrong.
    """

    def __init__(
        self,
        client_id: str,
        secret: str,
        name: str,
        channels: Sequence[str],
        new_ref: Callable[[], str],
        where: str = "the network",
    ) -> None:
        """
        @param name: the name of the player.
        @param channels: the channels to join; the first is the one to talk on.
        @param new_ref: makes version 4 UUIDs.
        @param where: the address of the network.
        """
        self.failed: str | None = None
        self._session = ClientSession(
            client_id,
            secret,
            new_ref,
            supports=("channels", "players", "tells", "games"),
            channels=channels,
            players=[name],
            user_agent="gossipctl talk",
        )
        self._where = where
        self._is_open = False
        self._complaint = ""
        self._name = name
        self._before: str | None = None
        self._current: str | None = channels[0] if channels else None
        self._ending = False
        self._held: list[str] = []
        self._last: Request | None = None

    # The connection.

    def connecting(self) -> Turn:
        """The first attempt to connect begins."""
        return Turn(lines=(f"* Connecting to {self._where}",))

    def opened(self) -> Turn:
        """The connection is open."""
        self._is_open, self._complaint = True, ""
        return Turn((self._session.authenticate(),))

    def closed(self, reason: str) -> Turn:
        """The connection has ended, or could not be made."""
        unsaid = sum(request.event in _SAYING for request in self._session.closed())
        was_open, self._is_open = self._is_open, False
        if self.failed is not None:
            return Turn(over=True)
        why = f": {printable(reason)}" if reason else "."
        lines = (
            [f"* The connection ended{why}"] if was_open else self._complain(f"Cannot connect to {self._where}{why}")
        )
        if self._ending and (unsaid or self._held):
            self.failed = "not all was heard"
        if unsaid:
            lines.append("* What you said last may not have been heard.")
        return Turn(lines=tuple(lines), over=self._ending)

    def _complain(self, complaint: str) -> list[str]:
        """Say why there is no connection; the same is said once, however many attempts fail."""
        if complaint == self._complaint:
            return []
        self._complaint = complaint
        return [f"* {complaint}"] if self._ending else [f"* {complaint}", "* Trying again. /quit leaves."]

    def wait(self, chance: float) -> float:
        """
        Work out how long to wait before the next attempt to connect.

        @param chance: a random number from 0 to 1.
        @return: seconds.
        """
        return self._session.wait(chance)

    # What is typed.

    def typed(self, line: str) -> Turn:
        """The person typed a line."""
        line = line.strip()
        if not line:
            return Turn()
        if line in ("/quit", "/help"):
            return self._leave() if line == "/quit" else Turn(lines=HELP)
        if not self._session.joined:
            if len(self._held) == _HELD:
                return Turn(lines=("* Too many lines wait for the connection: this one is lost.",))
            self._held.append(line)
            return Turn()
        return self._carry_out(line)

    def ended(self) -> Turn:
        """Nothing more will be typed. What was typed is still said, and the answers are still shown."""
        self._ending = True
        return self._fence() if self._session.joined else Turn(over=not self._held)

    def _leave(self) -> Turn:
        self._ending = True
        return Turn(over=True)

    def _fence(self) -> Turn:
        # Nothing tells which frame of an answer is the last, but answers come in the order of the requests.
        self._last = self._session.games_status(NETWORK_GAME)
        return Turn((self._last.frame,))

    def _carry_out(self, line: str) -> Turn:
        if not line.startswith("/") or line.startswith("//"):
            return self._say(line.removeprefix("/"))
        command, _, rest = line[1:].partition(" ")
        rest = rest.strip()
        match command:
            case "tell":
                return self._tell(rest)
            case "who":
                return Turn((self._session.players_status(rest or None).frame,))
            case "me" if rest:
                return self._say(f"{BEGINNING}{rest}")
            case "games":
                return Turn((self._session.games_status().frame,))
            case "channels":
                return Turn((self._session.list_channels().frame,))
            case "join" if rest:
                # What is typed next is for this channel, whether the answer is there or not.
                self._before, self._current = self._current, rest
                return Turn((self._session.subscribe(rest).frame,))
            case "leave":
                return self._unsubscribe(rest or self._current)
        return Turn(lines=(f"* /{printable(command)} is no command, or needs more. /help lists the commands.",))

    def _say(self, text: str) -> Turn:
        if self._current is None:
            return Turn(lines=("* You are on no channel: /join one.",))
        return Turn((self._session.send(self._current, self._name, text).frame,))

    def _tell(self, rest: str) -> Turn:
        match = _TELL.fullmatch(rest)
        if match is None:
            return Turn(lines=("* Type /tell NAME@GAME TEXT.",))
        return Turn((self._session.tell(self._name, match[2], match[1], match[3]).frame,))

    def _unsubscribe(self, channel: str | None) -> Turn:
        if channel not in self._session.channels:
            return Turn(lines=("* You are not on that channel.",))
        return Turn((self._session.unsubscribe(channel).frame,))

    # What the network sends.

    def received(self, frame: bytes) -> Turn:
        """The network sent a frame. This raises nothing, whatever the frame is."""
        match self._session.received(frame):
            case Joined():
                return self._joined()
            case Rejected(error):
                self.failed = printable(error)
                return Turn(lines=(f"* The network refused you: {self.failed}",), over=True)
            case Heartbeat(answer):
                return Turn((answer,))
            case Restarting():
                return Turn(lines=("* The network restarts.",))
            case Answer(request) as answer:
                return Turn(over=True) if request is not None and request is self._last else self._answered(answer)
            case Notice(event, payload):
                return Turn(lines=_lines(event, payload))
        return Turn()

    def _stay(self) -> None:
        """Talk on a channel that was joined: if the current one was not, on the one before it."""
        joined = self._session.channels
        if self._current not in joined:
            self._current = self._before if self._before in joined else next(iter(joined), None)

    def _joined(self) -> Turn:
        self._stay()
        where = f"You talk on {printable(self._current)}" if self._current else "You are on no channel"
        turn = Turn(lines=(f"* Connected. {where}. /help lists the commands.",))
        held, self._held = self._held, []
        for line in held:
            turn += self._carry_out(line)
        return turn + self._fence() if self._ending else turn

    def _answered(self, answer: Answer) -> Turn:
        request, error = answer.request, answer.error
        if request is None or error is not None:
            if request is not None and request.event == "channels/subscribe":
                self._stay()
            what = "Not said: " if request is not None and request.event in _SAYING else ""
            return Turn(lines=(f"* {what}{printable(error or '')}",))
        match request.event:
            case "channels/subscribe":
                self._current = request.payload["channel"]
                return Turn(lines=(f"* You talk on {printable(request.payload['channel'])}.",))
            case "channels/unsubscribe":
                if self._current == request.payload["channel"]:
                    self._current = next(iter(self._session.channels), None)
                now = f"you talk on {printable(self._current)}" if self._current else "you are on no channel now"
                return Turn(lines=(f"* You left {printable(request.payload['channel'])}; {now}.",))
            case "tells/send":
                told = {key: printable(value) for key, value in request.payload.items()}
                return Turn(lines=(f"You tell {told['to_name']}@{told['to_game']}: {told['message']}",))
            case "players/status" | "games/status":
                return Turn(lines=(_status(request.event, answer.payload),))
            case "channels/list":
                return Turn(lines=_channels(answer.payload))
        return Turn()


def _lines(event: object, payload: Payload) -> tuple[str, ...]:
    """What is shown of an event that the network sends unasked."""
    told = {key: printable(value) for key, value in payload.items() if isinstance(value, str)}
    game, name = told.get("game", "?"), told.get("name", "?")
    match event:
        case "channels/broadcast":
            return (f"[{told.get('channel', '?')}] {spoken(name, game, told.get('message', ''))}",)
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
        case "channels/list":
            return _channels(payload)
    return ()


def _channels(payload: dict[str, Any]) -> tuple[str, ...]:
    channels = payload.get("channels")
    known = [each for each in channels if isinstance(each, dict)] if isinstance(channels, list) else []
    return tuple(printable(f"  {each.get('channel', '?')}, {_channel(each)}") for each in known)


def _channel(channel: dict[str, Any]) -> str:
    description = channel.get("description")
    return f"games: {channel.get('games', 0)}" + (f", {description}" if isinstance(description, str) else "")


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
    """A terminal at one end and a websocket at the other. It keeps a conversation connected until it is over."""

    delimiter = b"\n"

    def __init__(
        self, clock: IReactorTime, conversation: Conversation, connect: Connect, chance: Callable[[], float]
    ) -> None:
        """
        @param chance: makes random numbers from 0 to 1.
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
        self._follow(self._conversation.connecting())
        self._try()

    def lineReceived(self, line: bytes) -> None:
        self._follow(self._conversation.typed(line.decode("utf-8", "replace")))

    def lineLengthExceeded(self, line: bytes) -> None:
        self._follow(Turn(lines=("* That line is too long.",)))

    def readConnectionLost(self) -> None:
        """The input has ended, but answers may still be shown."""
        self._follow(self._conversation.ended())

    def writeConnectionLost(self) -> None:
        """The terminal is gone."""
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
        """Do what a turn says."""
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
                self._link.close()  # what was sent must go out before the terminal is left
            else:
                self._leave_terminal()


def main(url: str, client_id: str, secret: str, name: str | None, channels: Sequence[str]) -> int:
    """
    Talk until the person leaves.

    @return: the exit code: 1 if the network did not let the person in, or not all that was typed could be said.
    """
    conversation = Conversation(client_id, secret, name or _login(), channels, lambda: str(uuid.uuid4()), url)

    def run(reactor: Any) -> Deferred[None]:
        talk = Talk(reactor, conversation, websocket(reactor, url), random.random)
        StandardIO(talk, reactor=reactor)
        return talk.done

    try:
        task.react(run)
    except SystemExit as end:
        return 1 if conversation.failed is not None else int(bool(end.code))
    finally:
        # The shell shares the terminal, and expects it to block.
        for descriptor in (0, 1):
            os.set_blocking(descriptor, True)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "someone"
