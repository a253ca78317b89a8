"""
What the owner of a game sees of its sessions: the last frames, how far the game came, and why it was refused.

Only games that somebody looks at are watched, from the first look until some minutes after the last one. Nothing is
kept of the others, and while nobody looks it costs the service one look at an empty dict.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from gossip.network.network import Network
from gossip.network.outputs import Close, Commit, Output, Send
from gossip.network.session import Session, Situation
from gossip.protocol import frames
from gossip.protocol.errors import Error
from gossip.protocol.events import (
    UNECHOED,
    Authenticate,
    AuthenticateByKey,
    ChannelsHistory,
    ChannelsSend,
    ClientEvent,
    Event,
    Heartbeat,
    Malformed,
    PlayersListed,
    Unknown,
    Unreadable,
)
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import ChannelsBroadcast, Failure, NotAuthenticated, ServerEvent, TellsReceive
from gossip.registry.addresses import Address
from gossip.registry.changes import MessageSaid, MessagesRemoved
from gossip.registry.restrictions import in_words

SECONDS: Final = 600.0
"""How long a game is watched after somebody looked, in seconds."""

ASK_SECONDS: Final = 60.0
"""How often other nodes are asked what they see of a game that somebody looks at, in seconds."""

GAMES: Final = 100
"""At most this many games are watched; one more replaces the one that was looked at longest ago."""

FRAMES: Final = 50
"""At most this many frames of a game are kept."""

REFUSALS: Final = 10
"""At most this many refused authentications of a game are kept."""

CHARACTERS: Final = 1000
"""At most this many characters of a frame are kept."""

HIDDEN: Final = "***"
"""Stands for a secret."""

STEPS: Final = ("opened", "authenticated", "heartbeat", "message", "heard", "told")
"""
How far a game comes, in this order: a socket, welcome, a sign of life that was asked for, something said, something
heard on a channel, and a tell to one of its players.
"""

_CUT: Final = "…"

_REMOVED: Final = "a message in it was removed"

_SAME_TIME: Final = 1.0
"""A frame that came within this many seconds of a message may be the one that brought it."""

_UNIQUE: Final = 20
"""A text of this many characters is no other one by chance."""

_SECRET: Final = 8
"""A secret of at least this many characters is hidden wherever it stands in the frame."""


class Frame(Struct, frozen=True):
    """
    A frame, or the end of a session.

    @ivar at: when, in seconds since the epoch.
    @ivar number: of the session, counted from when the watch began.
    @ivar peer: the address it came from.
    @ivar way: C{in} to the network, C{out} from it, C{end}.
    @ivar text: the frame in JSON; what ended the session.
    @ivar note: what is wrong with it; empty if nothing is.
    """

    at: float
    number: int
    peer: Address
    way: str
    text: str
    note: str = ""


class Refusal(Struct, frozen=True):
    """
    Somebody claimed to be this game and was not let in.

    @ivar at: when, in seconds since the epoch.
    @ivar peer: the address it came from.
    @ivar error: what it was told.
    @ivar hint: what was wrong with the secret, as far as its form tells; empty if nothing was.
    @ivar barred: why no secret would have been good; empty if one would.
    @ivar text: the frame in JSON, without the secret.
    """

    at: float
    peer: Address
    error: Error
    hint: str
    barred: str
    text: str


class Untold:
    """
    What other nodes are not told yet.

    @ivar frames: the last ones, each with the number that names its session among those of this node.
    @ivar refusals: the last ones.
    @ivar steps: how far the game came as they know it.
    """

    def __init__(self) -> None:
        self.frames: deque[tuple[int, Frame]] = deque(maxlen=FRAMES)
        self.refusals: deque[Refusal] = deque(maxlen=REFUSALS)
        self.steps: dict[str, float] = {}


class Watched:
    """
    What is seen of one game.

    @ivar looked_at: when somebody looked last, on the steady clock.
    @ivar frames: the last ones, the oldest first.
    @ivar refusals: the last ones, the oldest first.
    @ivar seen: when each of L{STEPS} was seen last.
    @ivar numbers: its sessions, counted from when the watch began.
    @ivar asked_at: when the other nodes were asked last what they see of it, on the steady clock.
    @ivar untold: what other nodes are not told yet; C{None} if nobody looks there.
    """

    def __init__(self, now: Moment) -> None:
        self.looked_at = now.steady
        self.frames: deque[Frame] = deque(maxlen=FRAMES)
        self.refusals: deque[Refusal] = deque(maxlen=REFUSALS)
        self.seen: dict[str, float] = {}
        self.numbers: dict[Session, int] = {}
        self.asked_at: float | None = None
        self.untold: Untold | None = None
        self._elsewhere: dict[tuple[str, int], int] = {}
        self._last = 0

    def know(self, session: Session) -> None:
        """A session of the game."""
        if session.node:
            self.numbers[session] = self.number_of(session.node, session.number)
        elif session not in self.numbers:
            self._last += 1
            self.numbers[session] = self._last

    def number_of(self, node: str, number: int) -> int:
        """
        The number of a session of another node.

        @param number: names the session there.
        """
        if (node, number) not in self._elsewhere:
            self._last += 1
            self._elsewhere[node, number] = self._last
        return self._elsewhere[node, number]

    def got(self, event: ServerEvent, now: Moment) -> None:
        """The game is sent something."""
        if isinstance(event, ChannelsBroadcast):
            self.seen["heard"] = now.wall
        elif isinstance(event, TellsReceive):
            self.seen["told"] = now.wall

    def peers(self) -> set[Address]:
        """The addresses that the game came from, or somebody who claimed to be it."""
        return {session.peer for session in self.numbers} | {refusal.peer for refusal in self.refusals}


class Watch:
    """
    Watches the games that somebody looks at. It has no clock: all methods are told the time.

    @ivar watched: those games, by client_id. Empty most of the time: look here before you call anything else.
    @ivar ask: asks the other nodes what they see of a game; C{None} if there are none.
    """

    def __init__(self, network: Network) -> None:
        self.watched: dict[str, Watched] = {}
        self.ask: Callable[[str, Address], None] | None = None
        self._network = network
        self._sessions: dict[Session, Watched] = {}

    def look(self, client_id: str, peer: Address, now: Moment) -> Watched:
        """
        Somebody looks at a game.

        @param peer: the owner's address: a socket that is opened from there is probably the game's.
        """
        watched = self.look_here(client_id, peer, now)
        if self.ask is not None and (watched.asked_at is None or watched.asked_at + ASK_SECONDS <= now.steady):
            watched.asked_at = now.steady
            self.ask(client_id, peer)
        return watched

    def look_here(self, client_id: str, peer: Address, now: Moment) -> Watched:
        """Somebody looks at a game, here or on another node. The arguments are those of L{look}."""
        watched = self.watched.pop(client_id, None)
        if watched is None:
            watched = Watched(now)
            if len(self.watched) >= GAMES:
                self._end(next(iter(self.watched)))
        # The latest look stands last.
        self.watched[client_id] = watched
        watched.looked_at = now.steady
        online = self._network.presence.online(client_id)
        for session in [session for session in watched.numbers if session.situation is Situation.GONE]:
            self._forget(session, watched)
        for session in online.sessions if online is not None else ():
            self._know(session, watched)
            watched.seen.setdefault("opened", session.opened_at)
            watched.seen.setdefault("authenticated", session.opened_at)
            if session.unanswered < session.beats:
                watched.seen.setdefault("heartbeat", now.wall)
        near = watched.peers() | {peer}
        for session in self._network.waiting:
            if session.peer in near:
                watched.seen["opened"] = max(session.opened_at, watched.seen.get("opened", 0.0))
        return watched

    def rest(self, now: Moment) -> None:
        """End what nobody has looked at for a while."""
        for client_id, watched in list(self.watched.items()):
            if watched.looked_at + SECONDS > now.steady:
                break  # they stand in the order of the looks
            self._end(client_id)

    def _end(self, client_id: str) -> None:
        for session in self.watched.pop(client_id).numbers:
            self._sessions.pop(session, None)

    def _know(self, session: Session, watched: Watched) -> None:
        watched.know(session)
        if not session.node:
            self._sessions[session] = watched

    def _forget(self, session: Session, watched: Watched) -> None:
        self._sessions.pop(session, None)
        del watched.numbers[session]

    # What happens.

    def received(self, session: Session, event: ClientEvent, outputs: Sequence[Output], now: Moment) -> None:
        """
        A session sent something.

        @param outputs: what the network made of it.
        """
        watched = self._sessions.get(session)
        if watched is None and isinstance(event, Authenticate):
            watched = self.watched.get((event.client_id or "").lower())
            if watched is None:
                return
            if session.situation is not Situation.ACTIVE:
                self._refused(session, event, watched, outputs, now)
                return
            self._know(session, watched)
            watched.seen["opened"] = session.opened_at
            watched.seen["authenticated"] = now.wall
        if watched is None:
            return
        self._add(session, watched, "in", *_written(event), now)
        if isinstance(event, Heartbeat | PlayersListed) and session.situation is Situation.ACTIVE:
            watched.seen["heartbeat"] = now.wall
        if any(isinstance(output, Commit) and isinstance(output.change, MessageSaid) for output in outputs):
            watched.seen["message"] = now.wall

    def _refused(
        self, session: Session, event: Authenticate, watched: Watched, outputs: Iterable[Output], now: Moment
    ) -> None:
        for output in outputs:
            if isinstance(output, Send) and isinstance(output.event, NotAuthenticated | Failure):
                text, _ = _written(event)
                error = output.event.error
                hint = barred = ""
                if error.code == "invalid-credentials":
                    hint, barred = self._hint(event, now), self._barred(session, event, now)
                refusal = Refusal(now.wall, session.peer, error, hint, barred, text)
                watched.refusals.append(refusal)
                if watched.untold is not None:
                    watched.untold.refusals.append(refusal)
                watched.seen["opened"] = session.opened_at

    def _hint(self, event: Authenticate, now: Moment) -> str:
        client_id, secret = (event.client_id or "").lower(), event.client_secret or ""
        use = event.use if isinstance(event, AuthenticateByKey) else ""
        return "" if self._network.registry.authenticate(client_id, secret, now.wall, use) else _form_of(secret)

    def _barred(self, session: Session, event: Authenticate, now: Moment) -> str:
        # Now, not when somebody looks: by then the ban may be over, and the owner would doubt the secret.
        registry, client_id = self._network.registry, (event.client_id or "").lower()
        game = registry.games.get(client_id)
        if game is not None and game.disabled:
            return "disabled by an admin"
        ban = registry.bans.find((client_id,), session.peer, "", now.wall)
        return in_words(ban) if ban is not None else ""

    def delivered(self, output: Send | Close, now: Moment) -> None:
        """The network sends something to a session, or ends it."""
        session = output.session
        watched = self._sessions.get(session)
        if watched is None:
            return
        if isinstance(output, Close):
            self._ended(session, watched, f"closed with {output.code}: {output.why.text}", now)
            return
        watched.got(output.event, now)
        for frame in frames.encode(output.event):
            self._add(session, watched, "out", _readable(frame), "", now)

    def broadcast(self, sessions: tuple[Session, ...], event: ServerEvent, now: Moment) -> None:
        """The network sends something to many sessions."""
        hearing = self._sessions.keys() & sessions
        if hearing:
            texts = [_readable(frame) for frame in frames.encode(event)]
            for session in sorted(hearing, key=lambda session: self._sessions[session].numbers[session]):
                self._sessions[session].got(event, now)
                for text in texts:
                    self._add(session, self._sessions[session], "out", text, "", now)

    def removed(self, change: MessagesRemoved) -> None:
        """Messages were removed: frames that quote them no longer do."""
        for watched in self.watched.values():
            for index, frame in enumerate(watched.frames):
                watched.frames[index] = _without(frame, change)
            if watched.untold is not None:
                untold = watched.untold.frames
                for index, (number, frame) in enumerate(untold):
                    untold[index] = number, _without(frame, change)

    def lost(self, session: Session, now: Moment) -> None:
        """The connection of a session is gone."""
        watched = self._sessions.get(session)
        if watched is not None:
            self._ended(session, watched, "the connection ended", now)

    def _ended(self, session: Session, watched: Watched, how: str, now: Moment) -> None:
        self._add(session, watched, "end", how, "", now)
        self._forget(session, watched)

    def _add(self, session: Session, watched: Watched, way: str, text: str, note: str, now: Moment) -> None:
        frame = Frame(now.wall, watched.numbers[session], session.peer, way, _cut(text), note)
        watched.frames.append(frame)
        if watched.untold is not None:
            watched.untold.frames.append((session.number, frame))


def _written(event: ClientEvent) -> tuple[str, str]:
    """The frame in which an event came, more or less and without the secret; and what is wrong with it."""
    if isinstance(event, Unreadable):
        return "", "no JSON object in UTF-8"
    frame: dict[str, Any] = {} if event.wire is None else {"event": event.wire}
    if isinstance(event.ref, Raw) and event.ref is not UNECHOED:
        frame["ref"] = event.ref
    if isinstance(event, Unknown):
        return _readable(_encoded(frame)), "no event that a game may send; its payload is not shown"
    if isinstance(event, Malformed):
        return _readable(_encoded(frame)), "its ref or its payload is not what it must be; the payload is not shown"
    payload = _payload(event)
    if payload:
        frame["payload"] = payload
    secret = event.client_secret if isinstance(event, Authenticate) else None
    if secret is None:
        return _readable(_encoded(frame)), ""
    payload["client_secret"] = HIDDEN
    written = _encoded(frame)
    if len(secret) >= _SECRET:
        # Somebody that mixes up the fields may have written the secret elsewhere, too.
        written = written.replace(_encoded(secret)[1:-1], HIDDEN.encode())
    return _readable(written), ""


def _payload(event: Event) -> dict[str, Any]:
    names = zip(event.__struct_fields__, event.__struct_encode_fields__, strict=True)
    fields = {written: getattr(event, name) for name, written in names if name != "ref"}
    attributes: dict[str, Raw] | None = fields.get("attributes")
    return {name: value for name, value in (attributes or fields).items() if value is not None}


def _encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _readable(frame: bytes) -> str:
    """JSON on one line, with blanks where people look for them."""
    with suppress(msgspec.DecodeError, RecursionError):  # a ref may be JSON that msgspec does not read
        frame = msgspec.json.format(frame, indent=0)
    return frame.decode("utf-8", "replace")


def _without(frame: Frame, removed: MessagesRemoved) -> Frame:
    """A frame without the messages that were removed."""
    quotes = any(_quotes(frame, said) for said in removed.messages)
    return replace(frame, text="", note=_REMOVED) if quotes else frame


def _quotes(frame: Frame, said: MessageSaid) -> bool:
    """Whether a frame has the text of a message. One that only might have it does."""
    text, message = frame.text, _encoded(said.message).decode()
    if frame.way == "in":
        # The text as it came, before it was cleaned and filtered: there is nothing to compare it with but the time.
        return ChannelsSend.wire in text and abs(frame.at - said.said_at) < _SAME_TIME
    if text.endswith(_CUT) and ChannelsHistory.wire in text:
        return True
    return f'"message": {message}' in text or (len(message) > _UNIQUE and message[1:_UNIQUE] in text)


def _cut(text: str) -> str:
    return text if len(text) <= CHARACTERS else text[:CHARACTERS] + _CUT


def _form_of(secret: str) -> str:
    """What is wrong with a secret that is not good, as far as its form tells."""
    if not secret:
        return "it showed no client_secret"
    if len(secret) != 36:
        return f"its client_secret has {len(secret)} characters instead of 36"
    return "its client_secret is another one"
