"""
The telnet bridge: MUDs without websockets join by a plain line (bridge's protocol, "GOSSIP 1").

Bytes pass the telnet codec, lines the dialect that the first of them decides on, and what they mean takes the same way
into the same network as the events of the websocket.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from gossip.counters import OVERRUNS
from gossip.network import frames
from gossip.network.events import ClientEvent, Quit, ServerEvent, Unreadable
from gossip.network.ratelimit import Bucket, Rate
from gossip.network.session import Session, Situation
from gossip.transports import telnet
from gossip.transports.admission import Admission
from gossip.transports.fanout import Outlet
from gossip.transports.interfaces import IConnection, IGossip, IWireFormat
from gossip.transports.telnet import Telnet
from gossip.transports.text_dialect import Options, Reply, TextDialect, TextFormat

LOGIN_SECONDS: Final = 30.0
"""How long a login may take."""

LOGINS: Final = 3
"""So many refused logins end a connection."""

TEXT_LINE: Final = 8192
"""How many bytes a line of the text dialect may have, after the login."""

JSON_LINE: Final = 64 * 1024
"""How many bytes a line of the JSON dialect may have, after the login."""

BACKLOG: Final = 256 * 1024
"""How many bytes may wait for a slow reader."""

_FORMATS: Final = 256
"""So many sets of options share what is written for them; who has others is written to alone."""

_CHARSETS: Final = {
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "ISO-8859-1": "latin1",
    "ISO8859-1": "latin1",
    "LATIN1": "latin1",
    "LATIN-1": "latin1",
    "CP437": "cp437",
    "IBM437": "cp437",
    "US-ASCII": "ascii",
    "ASCII": "ascii",
}
"""What the charsets are called in a CHARSET negotiation (RFC 2066; IANA, Character Sets)."""

_CLOSES: Final = {1000: 200, 1011: 500, 1012: 503, 4000: 401, 4001: 408}
"""What the close codes of the websocket are here."""

_AUTHENTICATION_FAILED: Final = 4000

CLOSE_SECONDS: Final = 5.0
"""How long the last words may take to leave."""

_log = Logger()


@implementer(IWireFormat)
class JsonFormat:
    """The events of the websocket, one a line, in ASCII."""

    def __init__(self, frame_out: int) -> None:
        """
        @param frame_out: how many bytes of JSON an event has at the most before it is made ASCII; 0 for any number.
        """
        self._frame_out = frame_out

    def encode(self, event: ServerEvent) -> bytes:
        return b"".join([_ascii(text) + b"\r\n" for text in frames.encode(event, self._frame_out)])


def _ascii(text: bytes) -> bytes:
    """JSON with every character beyond ASCII escaped (RFC 8259, section 7)."""
    if text.isascii():
        return text
    units = text.decode().encode("utf-16-be")
    return b"".join(
        bytes((low,)) if high == 0 and low < 0x80 else b"\\u%02x%02x" % (high, low)
        for high, low in zip(units[::2], units[1::2], strict=True)
    )


class TextSide:
    """The text dialect of one connection."""

    line_limit = TEXT_LINE

    def __init__(self, connection: BridgeConnection) -> None:
        self._connection = connection
        self._dialect = TextDialect(connection.factory.mssp)
        self._take_over_options()

    def hear(self, line: bytes) -> None:
        """A line came."""
        session = self._connection.active_session
        if session is not None:
            # Any line will do; a heartbeat event would empty the list of players.
            self._connection.factory.gossip.alive(session)
        before = self._dialect.options
        heard = self._dialect.read(line, session)
        if self._dialect.options is not before:
            self._take_over_options()
        for one in heard:
            self._connection.take(one)

    def too_long(self) -> None:
        """A line came that was too long to be read."""
        for one in self._dialect.too_long(self._connection.active_session):
            self._connection.take(one)

    def set_charset(self, charset: str) -> None:
        """The peer chose a charset by telnet."""
        self._dialect.options = self._dialect.options.changed("charset", charset)
        self._take_over_options()

    def goodbye(self, number: int, why: str) -> bytes:
        """The last line before a close."""
        return f"BYE {number} {why}\r\n".encode("ascii", "replace")

    def _take_over_options(self) -> None:
        self._connection.wire_format = self._connection.factory.text_format(self._dialect.options)


class JsonSide:
    """The JSON dialect of one connection."""

    line_limit = JSON_LINE

    def __init__(self, connection: BridgeConnection) -> None:
        self._connection = connection
        connection.wire_format = connection.factory.json_format

    def hear(self, line: bytes) -> None:
        """A line came."""
        self._connection.take(frames.decode(line, self._connection.factory.ref_bytes))

    def too_long(self) -> None:
        """A line came that was too long to be read."""
        self._connection.take(Unreadable())

    def set_charset(self, charset: str) -> None:
        """JSON is ASCII whatever the peer chose by telnet."""

    def goodbye(self, number: int, why: str) -> bytes:
        """The last line before a close."""
        close = {"event": "close", "payload": {"code": number, "reason": why}}
        return _ascii(msgspec.json.encode(close)) + b"\r\n"


@implementer(IConnection)
class BridgeConnection(Outlet, Protocol):
    """One MUD's line."""

    transport_name = "telnet"
    transport: Any
    wire_format: IWireFormat

    def __init__(self, factory: BridgeFactory, peer_address: str) -> None:
        # Protocol's own idea of a factory is another.
        self.factory: Any = factory
        self.peer_address = peer_address
        self._side: TextSide | JsonSide = TextSide(self)
        self._decided = False
        self._session: Session | None = None
        self._refused_logins = 0
        self._unheard: list[telnet.Event] = []
        self._waiting = True
        self._closing = False
        self._deadline: IDelayedCall | None = None
        self._lines: Bucket | None = None

    @property
    def active_session(self) -> Session | None:
        """The session of who is logged in."""
        session = self._session
        return session if session is not None and session.situation is Situation.ACTIVE else None

    # What comes in.

    def connectionMade(self) -> None:
        factory = self.factory
        self.open_outlet(factory.backlog)
        self.codec = Telnet(tls=isinstance(self.transport, TLSMemoryBIOProtocol))
        factory.connected(self)
        self.transport.setTcpNoDelay(True)
        self._deadline = factory.clock.callLater(factory.login_seconds, self._end, 408, "login time-out")
        self.codec.send_line(f"GOSSIP 1 {factory.banner}".encode())
        self._flush()

    def dataReceived(self, data: bytes) -> None:
        if not self.codec.wire_in and (data[:1] == b"\0" or data[:2] == b"\x16\x03"):
            # Intermud-3, or somebody who wants TLS: neither could read what we say.
            self.transport.abortConnection()
            return
        self._obey(self.codec.receive(data))
        self._flush()

    def _obey(self, events: Iterable[telnet.Event]) -> None:
        for event in events:
            if self._closing:
                return
            if self._is_being_refused():
                self._unheard.append(event)  # the answer to the login comes first
                continue
            try:
                self._hear(event)
            except Exception:
                # A mistake of ours hurts this session, and no other.
                _log.failure("a line of the bridge failed")
                self._end(500, "internal error")

    def _is_being_refused(self) -> bool:
        session = self._session
        return session is not None and session.situation is Situation.GONE

    def _hear(self, event: telnet.Event) -> None:
        match event:
            case telnet.Line(line):
                if self._decided or self._decide(line.lstrip()):
                    self._side.hear(line)
            case telnet.LineTooLong():
                self._decided = True
                self._side.too_long()
            case telnet.MSSPAsked():
                self.codec.send_mssp(self.factory.mssp())
            case telnet.CharsetAsked(names):
                known = next((name for name in names if name.upper() in _CHARSETS), None)
                if known is None:
                    self.codec.reject_charset()
                else:
                    self.codec.accept_charset(known)
                    self._side.set_charset(_CHARSETS[known.upper()])
            case telnet.CompressionFailed():
                self._end(460, "bad compressed data")
            case telnet.Flooded(reason):
                self._end(400, reason)

    def _decide(self, line: bytes) -> bool:
        """The first line decides on the dialect; whoever is at the wrong port is told so."""
        self._decided = True
        if line.startswith(b"{"):
            self._side = JsonSide(self)
            self._session = self.factory.gossip.opened(self)
        elif line.startswith((b"GET ", b"POST ", b"HEAD ")):
            self._end(400, f"this is the telnet bridge, not HTTP; {self.factory.web_hint}")
        elif line.startswith((b"PW ", b"SHA256-AUTH-REQ ")):
            self._end(400, "this is the telnet bridge, not IMC2; there is no IMC2 port here")
        return not self._closing

    def take(self, heard: ClientEvent | Reply) -> None:
        """
        Take what a line meant.

        @param heard: an event for the network, or what is said to somebody who has no session.
        """
        factory = self.factory
        if self._session is None and not self._is_in_time():
            return
        if isinstance(heard, Reply):
            self.codec.send_lines(heard.data)
            return
        if self._session is None:
            if isinstance(heard, Quit):
                self._end(200, "goodbye")
                return
            self._session = factory.gossip.opened(self)
        factory.gossip.received(self._session, heard)
        if self._waiting and self._session.situation is Situation.ACTIVE:
            self._waiting = False
            self._stop_deadline()
            self.codec.line_limit = self._side.line_limit
            factory.admission.authenticated(self.peer_address)

    def _is_in_time(self) -> bool:
        """Who has no session is limited as the network would do it."""
        now = self.factory.clock.seconds()
        self._lines = self._lines or Bucket(now)
        if self._lines.take(self.factory.line_rate(), now):
            return True
        if self._lines.strike(now):
            self._end(429, "rate limit exceeded, goodbye")
        else:
            self.codec.send_line(b"ERR LINE 429 rate limit exceeded")
        return False

    # What goes out.

    def write(self, data: bytes) -> None:
        if not self._closing:
            self.codec.send_lines(data)
            self._flush()

    def _flush(self) -> None:
        data = self.codec.flush()
        if data:
            super().write(data)

    def cut_off(self) -> None:
        self._end(410, "too slow")
        super().cut_off()

    def close(self, code: int, why: str) -> None:
        if self._waiting and isinstance(self._side, TextSide) and code == _AUTHENTICATION_FAILED:
            self._login_refused(why)
        elif why in OVERRUNS:
            self._end(429, why)
        else:
            self._end(_CLOSES.get(code, 500), why)

    def _login_refused(self, why: str) -> None:
        """A refused login ends its session; the connection may try again."""
        assert self._session is not None
        session, self._session = self._session, None
        self.factory.gossip.lost(session)
        self._refused_logins += 1
        if self._refused_logins >= LOGINS:
            self._end(401, why)
        unheard, self._unheard = self._unheard, []
        self._obey(unheard)
        self._flush()

    def _end(self, number: int, why: str) -> None:
        if self._closing:
            return
        self._closing = True
        self._stop_deadline()
        self.codec.send_lines(self._side.goodbye(number, why))
        super().write(self.codec.finish())
        self.shut()
        self.transport.loseConnection()
        # Who reads nothing would never see the end.
        self._deadline = self.factory.clock.callLater(CLOSE_SECONDS, self.transport.abortConnection)

    def pause(self) -> None:
        self.transport.pauseProducing()

    def resume(self) -> None:
        self.transport.resumeProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closing = True
        self._stop_deadline()
        if self._session is not None:
            self.factory.gossip.lost(self._session)
        self.factory.disconnected(self)
        self.factory.admission.left(self.peer_address, not self._waiting)

    def _stop_deadline(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None


class BridgeFactory(Factory):
    """Listens for MUDs."""

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        gossip: IGossip,
        admission: Admission,
        mssp: Callable[[], Mapping[str, str]],
        line_rate: Callable[[], Rate],
        *,
        banner: str,
        web_hint: str,
        frame_out: int = frames.FRAME_OUT,
        ref_bytes: int = frames.REF_BYTES,
        backlog: int = BACKLOG,
        login_seconds: float = LOGIN_SECONDS,
    ) -> None:
        """
        @param mssp: gives the live figures for MSSP.
        @param line_rate: how fast who is not logged in may send lines.
        @param banner: product, version and a word for people.
        @param web_hint: where websockets and pages are, for who is at the wrong port.
        @param frame_out: how many bytes of JSON an event may have; 0 for any number.
        @param ref_bytes: how many bytes a ref may have; 0 for any number.
        @param backlog: how many bytes may wait for a slow reader; 0 for any number.
        @param login_seconds: how long a login may take.
        """
        self.clock = clock
        self.gossip = gossip
        self.admission = admission
        self.mssp = mssp
        self.line_rate = line_rate
        self.banner = banner
        self.web_hint = web_hint
        self.ref_bytes = ref_bytes
        self.backlog = backlog
        self.login_seconds = login_seconds
        self.json_format = JsonFormat(frame_out)
        self._text_formats: dict[Options, TextFormat] = {}
        self._connections: set[BridgeConnection] = set()
        self._gone: Counter[str] = Counter()

    def buildProtocol(self, addr: IAddress | None) -> BridgeConnection | None:
        address = getattr(addr, "host", "").removeprefix("::ffff:")
        return BridgeConnection(self, address) if self.admission.admit(address) else None

    def text_format(self, options: Options) -> TextFormat:
        """The wire format of a connection with these options; those with the same share one."""
        shared = self._text_formats.get(options)
        if shared is None:
            shared = TextFormat(options)
            if len(self._text_formats) < _FORMATS:
                self._text_formats[options] = shared
        return shared

    def connected(self, connection: BridgeConnection) -> None:
        """A connection begins."""
        self._connections.add(connection)

    def disconnected(self, connection: BridgeConnection) -> None:
        """A connection is over; its bytes still count."""
        self._connections.discard(connection)
        self._gone.update(_traffic(connection.codec))

    def traffic(self) -> dict[str, int]:
        """Bytes since the start, both ways, on the wire and before compression."""
        total = Counter(self._gone)
        for connection in self._connections:
            total.update(_traffic(connection.codec))
        return dict(total)


def _traffic(codec: Telnet) -> dict[str, int]:
    return {name: getattr(codec, name) for name in ("wire_in", "plain_in", "wire_out", "plain_out")}
