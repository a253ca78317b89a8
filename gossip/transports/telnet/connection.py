"""One connection of the telnet port: it connects the codec, the dialect and the network."""

from __future__ import annotations

import sys
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from gossip.network.ratelimit import Bucket
from gossip.network.session import Session, Situation
from gossip.protocol.errors import Error
from gossip.protocol.events import ClientEvent, Quit
from gossip.registry.addresses import Address
from gossip.service.interfaces import IConnection, IWireFormat
from gossip.transports.budget import ITEM, Budget
from gossip.transports.half_close import HALF_CLOSED_SECONDS
from gossip.transports.inlet import Inlet
from gossip.transports.outlet import Outlet
from gossip.transports.telnet import codec as telnet
from gossip.transports.telnet.codec import Telnet
from gossip.transports.telnet.dialects import NOT_LINES, choose, first_dialect
from gossip.transports.telnet.text_dialect import Reply

if TYPE_CHECKING:
    from gossip.transports.telnet.factory import TelnetFactory

CLOSE_SECONDS: Final = 5.0
"""How long the last line may take to leave, in seconds."""

LINES_A_TURN: Final = 64
"""
How many lines of a connection are handled in one turn of the reactor. The others wait for the next turn, and no more
are read until all are handled: one compressed read can hold a hundred thousand.
"""

DECODED_BYTES: Final = 4096
"""How much is decoded before its cost is counted, in bytes."""

_UNLIMITED: Final = sys.maxsize // 2

_CHARSETS: Final = {
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "ISO-8859-1": "latin1",
    "ISO8859-1": "latin1",
    "ISO_8859-1": "latin1",
    "LATIN1": "latin1",
    "LATIN-1": "latin1",
    "CP437": "cp437",
    "IBM437": "cp437",
    "US-ASCII": "ascii",
    "ASCII": "ascii",
}
"""The charsets by their names in a CHARSET negotiation (RFC 2066; IANA, Character Sets)."""

_AUTHENTICATION_FAILED: Final = 4000

_log = Logger()


@implementer(IConnection, IHalfCloseableProtocol)
class TelnetConnection(Inlet, Outlet, Protocol):
    """The connection of one MUD."""

    transport_name = "telnet"
    direct_send = None  # everything passes the codec
    factory: TelnetFactory
    transport: Any

    _half_closed = False

    def __init__(self, factory: TelnetFactory, peer_address: Address) -> None:
        self.factory = factory
        self.peer_address = peer_address
        self._dialect = first_dialect(factory)
        self._decided = False
        self._session: Session | None = None
        self._waiting = True
        self._refused_logins = 0
        self._rate: Bucket | None = None
        self._head = b""
        self._unheard: deque[telnet.Event | None] = deque()
        self._unread = b""
        self._closing = False
        self._deadline: IDelayedCall | None = None

    @property
    def wire_format(self) -> IWireFormat:
        """How events are written for the connection."""
        return self._dialect.wire_format

    @property
    def _active(self) -> Session | None:
        """The session, once it is logged in."""
        session = self._session
        return session if session is not None and session.situation is Situation.ACTIVE else None

    # What comes in.

    def connectionMade(self) -> None:
        factory, limits = self.factory, self.factory.transport.limits
        codec = self.codec = Telnet(tls=isinstance(self.transport, TLSMemoryBIOProtocol))
        # The length of a line is judged when it is handled: the login may arrive in the same read as the line.
        lines = (limits.line_bytes_before_login, limits.line_bytes, limits.json_line_bytes)
        codec.line_limit = max(map(_bound, lines))
        codec.unbroken_limit = _bound(limits.unended_bytes)
        codec.subnegotiation_limit = _bound(limits.subnegotiation_bytes)
        codec.answers_limit = _bound(limits.negotiations)
        codec.inflate_budget = _bound(limits.inflated_bytes)
        factory.transport.connected(self)
        with suppress(AttributeError, OSError):  # not every kind of socket has this option
            self.transport.setTcpNoDelay(True)
        if limits.login_seconds:
            self._deadline = factory.clock.callLater(limits.login_seconds, self._end, Error.of("login-timeout"))
        self.open_outlet(limits.backlog_bytes)
        codec.send_line(f"GOSSIP 1 {factory.banner}".encode("ascii", "replace"))
        self.send_bytes(codec.flush())

    def dataReceived(self, data: bytes) -> None:
        if self._closing:
            return
        codec = self.codec
        if codec.wire_in < 2:
            self._head += data[:2]
            if self._head.startswith(NOT_LINES):
                self._closing = True
                self.transport.abortConnection()
                return
        self._unread += data
        if self._rest is None and self.has_turn(len(self._unread) > DECODED_BYTES):
            self._decode()
            self._go_on()

    def _decode(self) -> None:
        """Make lines of what was read, as far as the budget goes: a little at a time, since a byte can be a command."""
        codec = self.codec
        lines = codec.lines_in
        while self._unread and not self.keeps:
            read, self._unread = self._unread[:DECODED_BYTES], self._unread[DECODED_BYTES:]
            plain, items = codec.plain_in, codec.commands_in + codec.lines_in
            heard = codec.receive(read)
            self._unheard.extend(heard)
            # Lines that are not empty count as their bytes: the network has rate limits for them.
            items = codec.commands_in + codec.lines_in - items - len(heard)
            self.charge(max(len(read), codec.plain_in - plain) + ITEM * max(items, 0))
            if self._unread:
                self.has_turn(large=True)
        session = self._active
        if session is not None and codec.lines_in > lines and self._dialect.any_line_is_life:
            # A heartbeat event would empty the list of players.
            self.factory.gossip.alive(session)

    def read_on(self) -> None:
        kept = bool(self._unread)
        self._decode()
        if kept and not self._unread and self._half_closed:
            self._unheard.append(None)
        self._go_on()

    @property
    def budget(self) -> Budget:  # type: ignore[override]
        """What the connection can send: little before it has logged in."""
        budgets = self.factory.transport.limits.budgets
        return budgets.unauthenticated if self._waiting else budgets.authenticated

    def flooded(self) -> None:
        _log.info("cut off a flood: {peer}", peer=self.peer_address)
        self._end(Error.of("rate-limited-goodbye"))
        self.transport.abortConnection()

    def readConnectionLost(self) -> None:
        if self._closing:
            self.transport.abortConnection()
        elif not self._half_closed:
            self._half_closed = True
            self._stop_deadline()
            self._deadline = self.factory.clock.callLater(HALF_CLOSED_SECONDS, self.transport.abortConnection)
            if not self._unread:
                self._unheard.append(None)
            self._go_on()

    def writeConnectionLost(self) -> None:
        pass

    def _go_on(self) -> None:
        """Handle what was read, as far as it may be handled now."""
        for _ in range(LINES_A_TURN):
            if not self._unheard or self._queued or self._must_wait():
                break
            try:
                self._hear(self._unheard.popleft())
                if self._unheard and not self.has_turn(large=bool(self._unread)):
                    break
            except Exception:
                # A bug of ours ends this connection, and affects no other.
                _log.failure("a line of the telnet port failed")
                self._end(Error.of("internal-error"))
        if self._closing:
            return
        if self._waiting and not self._unheard:
            # Not earlier: the login may be in the same read as the begin of a longer line.
            self._unheard.extend(self.codec.shorten(_bound(self.factory.transport.limits.line_bytes_before_login)))
        self.choose_reading()
        if self.codec.unsent or (self._unheard and not self._must_wait() and not self._queued):
            self.factory.end_of_turn.call(self)

    def _must_wait(self) -> bool:
        """Whether answers must leave first: those that are waited for, or the answer to a refused login."""
        session = self._session
        return self._held or (session is not None and session.situation is Situation.GONE)

    def may_read(self) -> bool:
        return self._closing or (super().may_read() and not self._unheard)

    def turn_over(self) -> None:
        """The turn of the reactor is over: write what it brought, in one piece, and handle what waits."""
        if self._closing:
            return
        if self.codec.unsent:
            self.send_bytes(self.codec.flush())
        self._go_on()

    def _hear(self, event: telnet.Event | None) -> None:
        """
        @param event: C{None} for the end of the input.
        """
        match event:
            case None:
                if self._session is None:
                    self._end(Error.of("goodbye"))
                else:
                    self.factory.gossip.finished(self._session)
            case telnet.Line(line):
                if self._decided or self._decide(line):
                    self._hear_line(line)
            case telnet.LineTooLong():
                self._decided = True
                self._hear_line(None)
            case telnet.MSSPAsked():
                self.codec.send_mssp(self.factory.mssp())
            case telnet.CharsetAsked(names):
                known = next((name for name in names if name.upper() in _CHARSETS), None)
                if known is None:
                    self.codec.reject_charset()
                else:
                    self.codec.accept_charset(known)
                    self._dialect.set_charset(_CHARSETS[known.upper()])
            case telnet.CompressionFailed():
                self._end(Error.of("bad-compression"))
            case telnet.Flooded(code):
                self._end(Error.of(code))

    def _decide(self, line: bytes) -> bool:
        """Choose the dialect by the first line that is not empty; returns whether the line is to be handled."""
        if not line.strip():
            self.charge(ITEM)
            return False
        self._decided = True
        chosen = choose(line, self.factory)
        if isinstance(chosen, Error):
            self._end(chosen)
        elif chosen is not None:
            self._dialect = chosen
            if not chosen.session_per_login:
                self._session = self.factory.gossip.opened(self)
        return not self._closing

    def _hear_line(self, line: bytes | None) -> None:
        """
        @param line: C{None} for a line that was too long even for the codec.
        """
        limits = self.factory.transport.limits
        most = limits.line_bytes_before_login if self._waiting else self._dialect.line_bytes(limits, line or b"")
        too_fast = self._session is None and not self._is_in_time()
        if self._closing:
            return
        session = self._active
        if line is None or (most and len(line) > most):
            heard = self._dialect.too_long(session, too_fast)
        else:
            heard = self._dialect.read(line, session, too_fast)
        if not heard:
            self.charge(ITEM)  # nothing else counts it
        for one in heard:
            self._take(one)

    def _is_in_time(self) -> bool:
        """Limit lines without a session as the network limits events."""
        now = self.factory.gossip.now()
        self._rate = self._rate or Bucket(now)
        if self._rate.take(self.factory.line_rate(), now):
            return True
        if self._rate.strike(now):
            self._end(Error.of("rate-limited-goodbye"))
        return False

    def _take(self, heard: ClientEvent | Reply) -> None:
        """
        @param heard: an event for the network, or an answer to a connection without a session.
        """
        factory = self.factory
        if isinstance(heard, Reply):
            self.codec.send_lines(heard.data)
            return
        if self._session is None:
            if isinstance(heard, Quit):
                self._end(Error.of("goodbye"))
                return
            self._session = factory.gossip.opened(self)
        session = self._session
        factory.gossip.received(session, heard)
        self._let_in()

    def _let_in(self) -> None:
        """Whatever may come from a game that has logged in may come from now on, if this one has."""
        factory, session = self.factory, self._active
        if self._waiting and session is not None:
            self._waiting = False
            self.begin_anew()
            if not self._half_closed:
                self._stop_deadline()
            factory.transport.admission.authenticated(self.peer_address)
            if self._dialect.any_line_is_life:
                factory.gossip.alive(session)  # text games need not answer the beat that comes with a login

    # What goes out.

    def write(self, data: bytes) -> None:
        if not self._closing:
            self.codec.send_lines(data)
            self.factory.end_of_turn.call(self)

    def cut_off(self) -> None:
        self._end(Error.of("too-slow"))
        super().cut_off()

    def close(self, code: int, why: Error) -> None:
        if self._waiting and self._dialect.session_per_login and code == _AUTHENTICATION_FAILED:
            self._login_refused(why)
        else:
            self._end(why)

    def _login_refused(self, why: Error) -> None:
        """End the session of a refused login; the game may try again on the same connection."""
        assert self._session is not None
        session, self._session = self._session, None
        self.factory.gossip.lost(session)
        self._refused_logins += 1
        if 0 < self.factory.transport.limits.logins <= self._refused_logins:
            self._end(why)
        else:
            self._go_on()

    def _end(self, why: Error) -> None:
        if self._closing:
            return
        self._closing = True
        self._unheard.clear()
        self._unread = b""
        self._stop_deadline()
        self.codec.send_lines(self._dialect.goodbye(why))
        self.open_outlet(0)  # the last line is within any backlog
        self.send_bytes(self.codec.finish())
        self.shut()
        # A peer that reads nothing would keep the connection open.
        self._deadline = self.factory.clock.callLater(CLOSE_SECONDS, self.transport.abortConnection)
        self.shut_inlet()
        self.choose_reading()  # TLS waits for the peer's close_notify
        # An IMC2 client reads for ever after a FIN. It leaves by itself, or is cut off by an RST.
        if why.code != "not-imc2":
            self.transport.loseConnection()

    def stop(self) -> None:
        """The daemon stops: say so to a connection without a session, which the network does not know."""
        if self._session is None:
            self._end(Error.of("restarting"))

    def resume(self) -> None:
        self._let_in()  # the login may have waited
        # Lines that wait come first.
        self._held = False
        self.factory.end_of_turn.call(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closing = True
        self._unheard.clear()
        self.shut()
        self.shut_inlet()
        self._stop_deadline()
        if self._session is not None:
            self.factory.gossip.lost(self._session)
        self.factory.transport.disconnected(self)
        self.factory.room.leave()
        self.factory.transport.admission.left(self.peer_address, not self._waiting)

    def _stop_deadline(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None


def _bound(limit: int) -> int:
    return limit or _UNLIMITED
