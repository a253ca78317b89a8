"""
The link to a router: dialled, logged in, kept alive, dialled again. Without I/O: time and chance are arguments.

Each method returns what is to be done, in order. The owner tells what came of it.
"""

from __future__ import annotations

import enum
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from gossip.transports.intermud3.gateway.outgoing import Outgoing
from gossip.transports.intermud3.gateway.settings import Router
from gossip.transports.intermud3.lettering import heard
from gossip.transports.intermud3.mudmode import Frames, MudmodeError, Value, frame, read
from gossip.transports.intermud3.packets import OPEN, TTL, TYPES, BadPacket, Packet, text_of, understood

DIAL_SECONDS: Final = 20.0
"""How long a router has to accept a connection, in seconds."""

STARTUP_SECONDS: Final = 30.0
"""How long a router has to answer a login, in seconds."""

APART: Final = 15.0
"""Two attempts are at least this far apart, in seconds."""

RETRY, LONGEST_RETRY = 30.0, 900.0
"""How long after a failure the same router is tried again, in seconds: twice as long each time, with chance."""

CHANCE: Final = 0.2
"""By which part that time varies."""

FAILURES: Final = 3
"""After this many failures, the next router is tried."""

REFUSED, LONGEST_REFUSED = 3600.0, 24 * 3600.0
"""How long a router that refused us is left alone, in seconds: twice as long each time."""

SETTLED: Final = 300.0
"""After so long a time up, earlier failures do not count any more, in seconds."""

PING_SECONDS, SILENT_SECONDS = 120.0, 300.0
"""After how long a silence the router is asked for a sign of life, and taken as lost, in seconds."""

FRAME_BYTES_IN: Final = 2 * 1024 * 1024
"""The longest frame of a router. Lists of all MUDs are long."""

TOKENS_IN: Final = 100_000
"""How many values a packet of a router may have."""

MISTAKES, MISTAKE_SECONDS = 3, 60.0
"""So many packets that make no sense, in so many seconds, end the connection."""

STARTUP_COUNTS: Final = 6
"""How many packets routers count for a login."""

_SERVICES: Final = ("tell", "channel", "who", "finger", "locate", "auth")


class State(enum.Enum):
    """Where a link stands."""

    OFF = "off"
    DIALLING = "dialling"
    STARTUP = "logging in"
    UP = "up"


class Dial(Struct, frozen=True):
    """Connect to a router; then tell C{connected} or C{lost}."""

    router: Router


class Write(Struct, frozen=True):
    """Send the router something."""

    data: bytes


class HangUp(Struct, frozen=True):
    """Give up the attempt or the connection; what comes of it is of no interest any more."""


class Save(Struct, frozen=True):
    """Keep the password that a router gave; then tell C{saved}."""

    router: str
    password: int


class Heard(Struct, frozen=True):
    """The router passed on a packet."""

    packet: Packet


class Up(Struct, frozen=True):
    """Logged in."""


class Down(Struct, frozen=True):
    """Not logged in any more."""


class Note(Struct, frozen=True):
    """
    Something for the log.

    @ivar bad: whether it is a warning.
    """

    text: str
    bad: bool = False


Do = Dial | Write | HangUp | Save | Heard | Up | Down | Note
"""What is to be done."""


class Introduction(Struct, frozen=True):
    """
    How the network introduces itself.

    @ivar mud: its name.
    @ivar version: its software and version, in words.
    @ivar site: the address of its pages; empty if it has none.
    """

    mud: str
    version: str
    admin_email: str
    site: str = ""

    def frame(self, router: Router, password: int) -> bytes:
        """The first packet. Routers refuse any other number and types of elements than these 20."""
        services: dict[int | float | str, Value] = dict.fromkeys(_SERVICES, 1)
        other: Value = {"url": self.site} if self.site else 0
        about: list[Value] = [self.version, "gossip", "Python", "Other", OPEN, self.admin_email, services, other]
        head: list[Value] = ["startup-req-3", TTL, self.mud, 0, router.name, 0]
        return frame([*head, password, 0, 0, 0, 0, 0, *about])


class Link:
    """
    A link.

    @ivar state: where it stands.
    @ivar password: the number that a router gave us; 0 for none. The owner sets it before the first attempt.
    @ivar routers: what the router said that its network's routers are, for people to see.
    @ivar last_error: why the last attempt or connection ended; empty if none did.
    @ivar up_since: since when it is up, on the steady clock.
    @ivar received: packets from the router, by type.
    @ivar sent: packets to it, by type.
    @ivar malformed: packets that made no sense.
    """

    def __init__(self, routers: Sequence[Router], introduction: Introduction, random: Callable[[], float]) -> None:
        """
        @param routers: those to try, in order; at least one.
        @param random: makes numbers from 0 to 1.
        """
        self.state = State.OFF
        self.password = 0
        self.routers: list[tuple[str, str]] = []
        self.last_error = ""
        self.up_since = 0.0
        self.malformed = 0
        self.outgoing = Outgoing()
        self.received = Counter(dict.fromkeys((*TYPES, "other"), 0))
        self.sent = Counter(self.received)
        self._routers = routers
        self._introduction = introduction
        self._random = random
        self._index = 0
        self._running = False
        self._saving = False
        self._frames = Frames(FRAME_BYTES_IN)
        self._mistakes: deque[float] = deque(maxlen=MISTAKES)
        self._since = self._heard_at = self._pinged_at = 0.0
        self._dialled_at: float | None = None
        self._failures: Counter[Router] = Counter()
        self._refusals: Counter[Router] = Counter()
        self._retry_at: dict[Router, float] = {}
        self._barred_until: dict[Router, float] = {}

    @property
    def router(self) -> Router:
        """The router that it is connected to, or that is tried next."""
        return self._routers[self._index]

    # The owner.

    def start(self, now: float) -> list[Do]:
        """Dial, now and whenever the link is lost."""
        self._running = True
        return self.tick(now)

    def stop(self, now: float, downtime: int | None = None) -> list[Do]:
        """
        Dial no more, and hang up.

        @param downtime: how long we will be away, in seconds, for the router; C{None} if that is not known.
        """
        self._running = False
        if self.state is State.OFF:
            return []
        outputs: list[Do] = []
        if self.state is State.UP and downtime is not None:
            packet = Packet("shutdown", TTL, self._introduction.mud, "", self.router.name, "", (downtime,))
            outputs.append(Write(packet.frame))
        return [*outputs, *self._end()]

    def retry(self, now: float) -> list[Do]:
        """Hang up, forget all failures and refusals, and dial the first router."""
        self._failures.clear()
        self._refusals.clear()
        self._retry_at.clear()
        self._barred_until.clear()
        ended = self._end() if self.state is not State.OFF else []
        self._index = 0
        return [*ended, *self.tick(now)]

    def next_attempt(self, now: float) -> float:
        """In how many seconds a router is dialled; 0 if it may be now."""
        candidate = self._candidate(now)
        if candidate is None:
            return min(self._barred_until.values()) - now
        at = self._retry_at.get(self._routers[candidate], 0.0)
        if self._dialled_at is not None:
            at = max(at, self._dialled_at + APART)
        return max(0.0, at - now)

    def send(self, packet: bytes, urgent: bool, now: float) -> list[Do]:
        """
        Send a packet when its turn comes; nothing if the link is not up.

        @param packet: its frame.
        """
        if self.state is not State.UP:
            return []
        self.outgoing.add(packet, urgent, now)
        return self.flush(now)

    def flush(self, now: float) -> list[Do]:
        """Send what may leave by now."""
        due = self.outgoing.due(now) if self.state is State.UP else []
        for each in due:
            self._count_sent(kind_of(each))
        return [Write(b"".join(due))] if due else []

    # What comes of it.

    def connected(self, now: float) -> list[Do]:
        """The router accepted the connection."""
        self.state = State.STARTUP
        self._since = self._heard_at = self._pinged_at = now
        self._frames = Frames(FRAME_BYTES_IN)
        self._mistakes.clear()
        self.outgoing.count(STARTUP_COUNTS, now)
        self._count_sent("startup-req-3")
        return [Write(self._introduction.frame(self.router, self.password))]

    def lost(self, why: str, now: float) -> list[Do]:
        """The attempt failed, or the connection ended."""
        return [] if self.state is State.OFF else self._failed(why, now)

    def saved(self, kept: bool, now: float) -> list[Do]:
        """
        The password was kept.

        @param kept: whether it was.
        """
        if not self._saving or self.state is not State.STARTUP:
            return []
        self._saving = False
        return self._came_up(now) if kept else self._failed("the password could not be kept", now)

    def receive(self, data: bytes, now: float) -> list[Do]:
        """Bytes arrived."""
        self._heard_at = now
        frames = self._frames
        frames.receive(data)
        outputs: list[Do] = []
        # What comes may end the connection.
        while self.state in (State.STARTUP, State.UP) and frames is self._frames:
            try:
                text = frames.take()
            except MudmodeError as error:
                frames.skip()
                outputs += self._mistaken(error, now)
                continue
            if text is None:
                break
            try:
                packet = understood(read(text, TOKENS_IN))
            except BadPacket:
                self.malformed += 1
            except MudmodeError as error:
                outputs += self._mistaken(error, now)
            else:
                self.received[packet.type if packet.type in self.received else "other"] += 1
                outputs += self._hear(packet, now)
        return outputs

    def tick(self, now: float) -> list[Do]:
        """Time went by. To be called each second, and when the queue has something due."""
        match self.state:
            case State.OFF if self._running:
                return [*self._dial(now)]
            case State.DIALLING if now - self._since >= DIAL_SECONDS:
                return self._failed("it does not answer", now)
            case State.STARTUP if not self._saving and now - self._since >= STARTUP_SECONDS:
                return self._failed("it does not answer our login", now)
            case State.UP:
                return self._keep_alive(now)
        return []

    # How it goes on.

    def _candidate(self, now: float) -> int | None:
        """Which router is tried next: the present one, or the first after it that has not refused us lately."""
        count = len(self._routers)
        order = (number % count for number in range(self._index, self._index + count))
        return next((each for each in order if self._barred_until.get(self._routers[each], now) <= now), None)

    def _dial(self, now: float) -> Iterator[Do]:
        candidate = self._candidate(now)
        if candidate is None or self.next_attempt(now) > 0:
            return
        self._index = candidate
        self.state = State.DIALLING
        self._since = self._dialled_at = now
        yield Dial(self.router)

    def _keep_alive(self, now: float) -> list[Do]:
        if now - self.up_since >= SETTLED:
            del self._failures[self.router], self._refusals[self.router]
        silent = now - self._heard_at
        if silent >= SILENT_SECONDS:
            return self._failed("it is silent", now)
        if silent >= PING_SECONDS and now - self._pinged_at >= PING_SECONDS:
            self._pinged_at = now
            mud = self._introduction.mud
            # To ourselves: whatever a router does, it must bring that back.
            return self.send(Packet("auth-mud-req", TTL, mud, "", mud, "").frame, True, now)
        return self.flush(now)

    def _hear(self, packet: Packet, now: float) -> list[Do]:
        if self.state is State.STARTUP and packet.type == "error" and packet.text(0) != "warning":
            return self._refused(heard(packet.text(1)) or packet.text(0), now)
        if packet.type != "startup-reply":
            return [Heard(packet)]
        if self.state is not State.STARTUP or self._saving:
            return []
        self.routers = [*_routers(packet.rest[0])]
        password = packet.number(1)
        if password == self.password:
            return self._came_up(now)
        self._saving = True
        self.password = password
        return [Save(self.router.name, password)]

    def _came_up(self, now: float) -> list[Do]:
        self.state = State.UP
        self.up_since = now
        return [Note(f"joined Intermud-3 at {self.router}"), Up()]

    def _mistaken(self, error: MudmodeError, now: float) -> list[Do]:
        self.malformed += 1
        self._mistakes.append(now)
        if len(self._mistakes) == MISTAKES and now - self._mistakes[0] < MISTAKE_SECONDS:
            return self._failed(f"it sends what makes no sense: {error}", now)
        return []

    def _failed(self, why: str, now: float) -> list[Do]:
        router = self.router
        self._failures[router] += 1
        count = self._failures[router]
        delay = min(RETRY * 2 ** (count - 1), LONGEST_RETRY) * (1 + CHANCE * (2 * self._random() - 1))
        self._retry_at[router] = now + delay
        if count % FAILURES == 0:
            self._index = (self._index + 1) % len(self._routers)
        self.last_error = f"{router}: {why}"
        return [*self._end(), Note(f"not on Intermud-3: {self.last_error}", bad=True)]

    def _refused(self, why: str, now: float) -> list[Do]:
        router = self.router
        delay = min(REFUSED * 2 ** self._refusals[router], LONGEST_REFUSED)
        self._refusals[router] += 1
        self._barred_until[router] = now + delay
        self._index = (self._index + 1) % len(self._routers)
        self.last_error = f"{router} refused us: {why}"
        return [*self._end(), Note(f"{self.last_error}; it is left alone for {delay / 3600:.0f} h", bad=True)]

    def _end(self) -> list[Do]:
        was, self.state = self.state, State.OFF
        self._saving = False
        self.outgoing.clear()
        return [HangUp(), Down()] if was is State.UP else [HangUp()]

    def _count_sent(self, kind: str) -> None:
        self.sent[kind if kind in self.sent else "other"] += 1


def kind_of(packet: bytes) -> str:
    """The type of a packet of ours, by its frame."""
    return packet[7 : packet.index(b'"', 7)].decode()


def _routers(listed: Value) -> Iterator[tuple[str, str]]:
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, list) and len(each) >= 2:
            yield heard(text_of(each[0])), heard(text_of(each[1]))
