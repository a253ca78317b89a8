"""
One connection of the Intermud-3 port: the login of a MUD, its frames and its end.

One startup-reply leaves for each connection, and the router calls itself in it what the MUD calls it: some mudlibs hang
up on another one.
"""

from __future__ import annotations

import secrets
import socket
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gossip.network.session import Session, Situation
from gossip.protocol.errors import Error
from gossip.protocol.events import (
    VERSION,
    AuthenticateAsMud,
    ClientEvent,
    Noop,
)
from gossip.registry.addresses import Address
from gossip.service.interfaces import IConnection
from gossip.transports.budget import ITEM, Budget
from gossip.transports.inlet import Inlet
from gossip.transports.intermud3.conversation import short
from gossip.transports.intermud3.hub import TRANSPORT
from gossip.transports.intermud3.member import I3Member
from gossip.transports.intermud3.mudmode import Frames, MudmodeError, Value, read
from gossip.transports.intermud3.packets import (
    STARTUPS,
    TTL,
    BadPacket,
    Packet,
    Startup,
    error,
    router_name,
    startup,
    understood,
)
from gossip.transports.intermud3.wire import I3Format
from gossip.transports.outlet import Outlet

if TYPE_CHECKING:
    from gossip.transports.intermud3.factory import I3Factory

REASONS: Final = ("grammar", "origin", "ttl", "unknown", "rate")
"""Why packets are dropped."""

FRAMES_A_TURN: Final = 64
"""How many frames of a connection are handled in one turn of the reactor."""

SUPPORTS: Final = ("channels", "players", "tells", "games")

REFUSED_SECONDS: Final = 2.0
"""How long the answer to a login that was refused has to be read, in seconds."""

CLOSE_SECONDS: Final = 5.0
"""How long the last frame may take to leave, in seconds."""

BAD: Final = 20
"""So many frames in the name of others, or that nobody can read, within a minute end a connection."""

BAD_SECONDS: Final = 60.0
"""See L{BAD}."""

_PASSWORDS: Final = 2**31 - 1

_log = Logger()


class Refused(Exception):
    """A frame that ends the connection."""


class LoggingIn(Struct, frozen=True):
    """The ref of a login."""


@implementer(IConnection)
class I3Connection(Inlet, Outlet, Protocol):
    """
    The connection of one MUD.

    @ivar member: the MUD, once it has logged in.
    """

    transport_name = TRANSPORT
    direct_send = None  # each event is encoded, also those that are told to the MUD later, in its lists
    factory: I3Factory
    transport: Any

    def __init__(self, factory: I3Factory, peer_address: Address) -> None:
        self.factory = factory
        self.peer_address = peer_address
        self.wire_format = I3Format(self)
        self.member: I3Member | None = None
        self._frames = Frames(factory.transport.limits.frame_bytes_before_startup or _PASSWORDS)
        self._session: Session | None = None
        self._startup: Startup | None = None
        self._router = factory.settings.router
        self._bad: deque[float] = deque(maxlen=BAD)
        self._waits = self._asking = self._refused = self._closing = False
        self._begun_at: float | None = None
        self._unwritten: list[bytes] = []
        self._deadline: IDelayedCall | None = None

    # What comes in.

    def connectionMade(self) -> None:
        factory, limits = self.factory, self.factory.transport.limits
        factory.transport.connected(self)
        with suppress(AttributeError, OSError):  # not every kind of socket has these options
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
            handle = self.transport.getHandle()
            for option, value in ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 20), (socket.TCP_KEEPCNT, 3)):
                handle.setsockopt(socket.IPPROTO_TCP, option, value)
        if limits.startup_seconds:
            self._deadline = factory.clock.callLater(limits.startup_seconds, self._abort)
        self.open_outlet(limits.backlog_bytes)
        self._session = factory.gossip.opened(self)

    def dataReceived(self, data: bytes) -> None:
        if self._closing or self._refused:
            return
        self._frames.receive(data)
        self.charge(len(data))
        self._go_on()

    def read_on(self) -> None:
        self._go_on()

    @property
    def budget(self) -> Budget:  # type: ignore[override]
        """What the connection can send: little before it has logged in."""
        budgets = self.factory.transport.limits.budgets
        return budgets.unauthenticated if self.member is None else budgets.authenticated

    def flooded(self) -> None:
        _log.info("cut off a flood: {peer}", peer=self.peer_address)
        self._abort()

    def _go_on(self) -> None:
        """Handle what was read, as far as it may be handled now."""
        self._waits = False
        for _ in range(FRAMES_A_TURN):
            if self._must_wait() or self._queued or not self._take():
                break
        else:
            self._waits = True
            self._at_end_of_turn()
        if not self._closing:
            self.choose_reading()

    def _take(self) -> bool:
        """Handle the next frame; returns whether there may be another one."""
        try:
            if not self._frames.ready():
                if len(self._frames) and self._begun_at is None:
                    self._begun_at = self.factory.gossip.now().steady
                return False
            if not self.has_turn(large=len(self._frames) > ITEM):
                return False
            frame = self._frames.take()
            self._begun_at = None
            if frame is not None:
                self.charge(ITEM)
                self._hear(frame)
        except (MudmodeError, Refused) as wrong:
            if self.member is not None:
                _log.info("cut off {mud}: {why}", mud=self.member.name, why=str(wrong))
            self._end()
            return False
        except Exception:
            # A bug of ours ends this connection, and affects no other.
            _log.failure("a frame of the Intermud-3 port failed")
            self._end()
            return False
        return True

    def _must_wait(self) -> bool:
        return self._held or self._asking or self._closing or self._refused or self._rest is not None

    def may_read(self) -> bool:
        return self._closing or self._refused or (super().may_read() and not self._waits and not self._asking)

    def resume(self) -> None:
        super().resume()
        self._at_end_of_turn()

    def _hear(self, frame: bytes) -> None:
        packet = self._understood(frame)
        if packet is None:
            self._send_event(Noop(None))
            return
        self.factory.transport.received(packet.type)
        if self.member is None:
            self._introduce(packet)
        else:
            self.member.hear(packet)

    def _understood(self, frame: bytes) -> Packet | None:
        try:
            return understood(read(frame))
        except MudmodeError:
            self.drop("grammar")
        except BadPacket as bad:
            packet = bad.packet
            if packet is not None and packet.type != "error":
                self._write(error(self._router, packet.from_mud, packet.from_user, "bad-pkt", str(bad)))
            self.drop("grammar")
        return None

    def drop(self, why: str) -> None:
        """
        A packet means nothing.

        @raise Refused: there were too many such packets.
        """
        factory = self.factory
        factory.transport.dropped(why)
        name = "a stranger" if self.member is None else self.member.name
        factory.dropped.add(lambda: f"{name} ({why})")
        if why in ("grammar", "origin"):
            now = factory.gossip.now().steady
            self._bad.append(now)
            if len(self._bad) == BAD and self._bad[0] + BAD_SECONDS > now:
                raise Refused("it sent too much that is wrong, or in the name of others")

    def _send_event(self, event: ClientEvent) -> None:
        if self._session is not None:
            self.factory.gossip.received(self._session, event)

    # The login.

    def _introduce(self, packet: Packet) -> None:
        factory, session = self.factory, self._session
        if packet.type not in STARTUPS:
            self._write(error(self._router, packet.from_mud, packet.from_user, "unk-src", "log in first"))
            return
        if session is None or session.situation is not Situation.NEW:
            return
        self._router = router_name(packet.to_mud, factory.settings.router)
        self._startup = said = startup(packet, str(self.peer_address))
        identity = factory.hub.identity(said.name)
        self._asking = True
        event = AuthenticateAsMud(
            LoggingIn(),
            "" if identity is None else identity.client_id,
            str(said.password),
            SUPPORTS,
            (),
            (),
            VERSION,
            said.record.mudlib or "Intermud-3",
            debug=False,
            use=TRANSPORT,
            lists_players=False,
            new_secret=str(1 + secrets.randbelow(_PASSWORDS)),
            same_address=factory.settings.same_address,
            record=msgspec.json.encode(said.record).decode(),
        )
        factory.gossip.received(session, event)

    def admitted(self, new_secret: str | None) -> bytes:
        """The MUD is logged in, and that is on disk; returns the answer."""
        factory, session, said = self.factory, self._session, self._startup
        mud = None if session is None else factory.hub.mud_of(session.client_id)
        if self._closing or session is None or said is None or mud is None:
            return b""
        self._asking = False
        self.member = I3Member(factory, self, session, mud, self._router, said)
        self._frames.limit = factory.transport.limits.frame_bytes or _PASSWORDS
        self.begin_anew()
        self._stop_deadline()
        factory.admitted_peer(self.peer_address)
        factory.gossip.alive(session)
        self._at_end_of_turn()  # its next frames waited
        factory.clock.callLater(0, self._join)
        routers: list[Value] = [[self._router, factory.settings.address or self._dialled]]
        password = said.password if new_secret is None else int(new_secret)
        reply = Packet("startup-reply", TTL, self._router, "", mud.name, "", (routers, password))
        return factory.counted(reply.frame)

    def _join(self) -> None:
        """After the answer: the lists."""
        if self.member is not None and not self._closing:
            self.factory.hub.join(self.member)

    @property
    def _dialled(self) -> str:
        """The address that the MUD dialled."""
        here = self.transport.getHost()
        host = str(getattr(here, "host", "")).removeprefix("::ffff:")
        return f"{host} {getattr(here, 'port', 0)}"

    def refused(self, why: Error) -> bytes:
        """The MUD may not log in, or that could not be kept; returns the answer."""
        factory, said = self.factory, self._startup
        if self._closing or self._refused:
            return b""
        name = said.name if said is not None else ""
        site = factory.network.rules.settings.site
        text = why.text
        if why.code == "invalid-credentials":
            text = f"{short(name)} is not registered here, or this is not its password"
            text += f": see {site}/connect" if site else ""
        self._leave_alone()
        return factory.counted(error(self._router, name, "", "not-allowed", text).frame)

    def _leave_alone(self) -> None:
        """The login was refused: the answer has a moment to be read."""
        self._refused, self._asking = True, False
        self._stop_deadline()
        self._deadline = self.factory.clock.callLater(REFUSED_SECONDS, self._end)
        self._at_end_of_turn()  # what it still sends is read, and dropped

    # What goes out.

    def write(self, data: bytes) -> None:
        # The service writes once at the end of a turn: another delay would cost more than the bytes.
        if not self._closing:
            self._unwritten.append(data)
            self._flush()

    def queue(self, data: bytes) -> None:
        """Send bytes at the end of this turn of the reactor, with all others of it."""
        if not self._closing:
            self._unwritten.append(data)
            self._at_end_of_turn()

    def _write(self, packet: Packet) -> None:
        self.queue(self.factory.counted(packet.frame))

    def _at_end_of_turn(self) -> None:
        if not self._closing:
            self.factory.end_of_turn.call(self)

    def turn_over(self) -> None:
        """The turn of the reactor is over: write what it brought, in one piece, and handle what waits."""
        if not self._closing:
            self._flush()
            self._go_on()

    def _flush(self) -> None:
        unwritten, self._unwritten = self._unwritten, []
        if unwritten:
            self.send_bytes(b"".join(unwritten))

    # Time.

    def beat(self) -> None:
        """Time went by: did the last frame end, and is the MUD there?"""
        limit = self.factory.transport.limits.startup_seconds
        if self._begun_at is not None and limit and self._begun_at + limit < self.factory.gossip.now().steady:
            self._end()
        if self.member is not None and not self._closing:
            self.member.beat()

    # The end.

    def close(self, code: int, why: Error) -> None:
        if not self._refused:
            self._end()

    def replaced(self) -> None:
        """The game has logged in again: this connection is not needed any more."""
        self._end()

    def leave(self) -> None:
        """The MUD leaves, or is gone."""
        self._end()

    def stop(self) -> None:
        """The daemon stops."""
        self._end()

    def _end(self) -> None:
        """End the connection, after what was written; at once if nothing was ever said to it."""
        if self._closing:
            return
        if self.member is None and not self._refused:
            self._abort()
            return
        self.factory.gossip.flush()  # the last frames of this turn
        self._flush()
        self._tidy()
        # A peer that reads nothing would keep the connection open.
        self._deadline = self.factory.clock.callLater(CLOSE_SECONDS, self.transport.abortConnection)
        self.choose_reading()
        self.transport.loseConnection()

    def _abort(self) -> None:
        self._flush()
        self._tidy()
        self.transport.abortConnection()

    def _tidy(self) -> None:
        self._closing = True
        self.shut()
        self.shut_inlet()
        self._stop_deadline()
        if self.member is not None:
            self.member.shut()
        self._unwritten.clear()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        factory, member = self.factory, self.member
        self._tidy()
        self.member = None
        factory.transport.disconnected(self, member is not None)
        factory.room.leave()
        if member is not None:
            factory.hub.leave(member)
        if self._session is not None:
            factory.gossip.lost(self._session)

    def _stop_deadline(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None
