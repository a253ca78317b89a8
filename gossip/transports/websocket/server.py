"""
Autobahn's websocket server, made lean: everything that goes past it, and everything that is overridden in it.

Autobahn does the unusual: odd requests, control frames, fragments, compressed messages, closes. The usual request and
the usual frame are most of what a daemon reads, and are read by L{gossip.transports.websocket.rfc6455}.
"""

from __future__ import annotations

import re
import zlib
from contextlib import suppress
from functools import cached_property
from typing import Any, Final

from autobahn.exception import PayloadCorruptError, PayloadExceededError
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.wamp.types import TransportDetails
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from autobahn.websocket.protocol import TrafficStats
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from autobahn.websocket.utf8validator import Utf8Validator
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from gossip.registry.addresses import UNKNOWN, Address, forwarded, read
from gossip.transports.budget import ITEM
from gossip.transports.inlet import Inlet
from gossip.transports.outlet import Outlet
from gossip.transports.turns import Turns
from gossip.transports.websocket.rfc6455 import WHOLE_TEXT, is_utf_8, switching_protocols, unmask, usual_key

HEAD_BYTES: Final = 8 * 1024
"""The maximum size of the request for the upgrade, in bytes."""

OPEN_SECONDS: Final = 10
"""How long the handshake may take, in seconds."""

CLOSE_SECONDS: Final = 1
"""How long the peer may take to answer a close frame, in seconds."""

STEPS_A_TURN: Final = 128
"""
How much Autobahn takes of what it was given in one turn of the reactor. The head of a frame is one step, its payload is
another.
"""

COUNTED_BYTES: Final = 4096
"""Bytes are counted when there are more than this: most reads are small, and pass without a look at the clock."""

# Every Origin is accepted (games are no browsers), even one that Autobahn cannot parse.
_ORIGIN: Final = re.compile(rb"\r\n(?:sec-websocket-)?origin[ \t]*:[^\r\n]*", re.IGNORECASE)

_HOPS: Final = re.compile(rb"\r\nx-forwarded-for[ \t]*:([^\r\n]*)", re.IGNORECASE)

_SMALLEST_BITS: Final = 9
_SMALLEST: Final = 1 << _SMALLEST_BITS
"""The smallest window that zlib can make, in bytes."""

_log = Logger()


class _Unused:
    """Takes the place of a Deferred that nothing waits for."""

    called = True

    def callback(self, result: object) -> None:
        pass


class Inflater:
    """
    Inflates the messages of one connection (RFC 7692), one after another.

    A client is asked to compress each message on its own (client_no_context_takeover). Some, such as tornado's,
    overlook that: their messages refer to earlier ones, but with the smallest window only to the last 512 bytes. These
    are kept, and nothing else between two messages, so both kinds of client are understood.
    """

    __slots__ = ("_bits", "_last", "_stream")

    EXTENSION_NAME = "permessage-deflate"

    def __init__(self, window_bits: int) -> None:
        """
        @param window_bits: the client has a window of 2 to this power bytes.
        """
        self._bits = window_bits
        self._last = b""
        self._stream: Any = None

    def start_decompress_message(self) -> None:
        self._stream = zlib.decompressobj(-self._bits, zdict=self._last)

    def decompress_message_data(self, data: bytes, max_output_len: int | None = None) -> bytes:
        """
        Inflate a part of a message.

        @param max_output_len: the maximum size of what it inflates to, in bytes; C{None} for no limit.
        """
        # One byte more tells a part that is too long from one that fits; and to zlib, 0 is no limit.
        most = 0 if max_output_len is None else max(max_output_len, 0) + 1
        text: bytes = self._inflated(data, most)
        if most and len(text) == most:
            raise PayloadExceededError(f"a message inflates to more than {max_output_len} bytes")
        if self._bits == _SMALLEST_BITS:
            self._last = text[-_SMALLEST:] if len(text) >= _SMALLEST else (self._last + text)[-_SMALLEST:]
        return text

    def end_decompress_message(self) -> None:
        # The end of a block, which the client leaves out.
        self._inflated(b"\x00\x00\xff\xff", 0)
        self._stream = None

    def _inflated(self, data: bytes, most: int) -> bytes:
        try:
            text: bytes = self._stream.decompress(data, most)
        except zlib.error as error:
            raise PayloadCorruptError(f"invalid permessage-deflate data: {error}") from error
        return text


class LeanServerProtocol(Inlet, Outlet, WebSocketServerProtocol):
    """
    One connection of Autobahn's server.

    This is all that is overridden, and why::

        attributes of a connection   in the class: Autobahn gives each connection some seventy attributes, three
                                     Deferreds, a queue and timers, which is 9 KiB and half of what a connect costs
        __init__, connectionMade     set none of them; the handshake's time-out uses the clock of the factory
        utf8validator                is made when it is first needed
        processHandshake             answers the usual request itself, in a quarter of the time; drops Origin headers
        _parseExtensionsHeader       declines offers that cannot be taken, where Autobahn would refuse the game
        onConnect                    asks L{admit}
        dataReceived                 takes usual frames itself, counts the bytes, waits for its turn; limits the size of
                                     a request
        consumeData                  counts unusual frames, and takes some of them in a turn
        _onMessage                   counts what a message inflates to
        _perMessageCompress          is an L{Inflater} once the connection is open
        sendData                     writes through the gate, with our own frames: two ways to the socket would mix them
        sendCloseFrame               shuts the gate: nothing follows a close frame; leaves out the payload for clients
                                     that stumble over it
        dropConnection               shuts the gate
        _fail_connection             logs it with the address
        failHandshake                logs it with the address
        unregisterProducer           does nothing: no producer was registered

    A test compares the attributes with those of the installed Autobahn, and C{setup.cfg} bounds its version.
    """

    CONFIG_ATTRS: Any = ()
    factory: LeanServerFactory
    transport: Any
    _transport_details = TransportDetails()
    is_open = is_closed = _Unused()
    trafficStats = TrafficStats()
    send_queue: Any = ()
    peer = ""
    peer_address = UNKNOWN
    state = WebSocketServerProtocol.STATE_CONNECTING
    send_state = WebSocketServerProtocol.SEND_STATE_GROUND
    data = b""
    websocket_version = 13
    inside_message = triggered = False
    autoPingPendingSeq = 0
    current_frame: Any = None
    trackedTimings: Any = None
    wasNotCleanReason: Any = None
    _perMessageCompress = None
    _isMessageCompressed = False
    _uncounted = 0
    openHandshakeTimeoutCall = closeHandshakeTimeoutCall = None
    autoPingTimeoutCall = autoPingPending = autoPingPendingCall = autoPingPendingSent = None
    wasMaxFramePayloadSizeExceeded = wasMaxMessagePayloadSizeExceeded = False
    closedByMe = failedByMe = droppedByMe = wasClean = False
    wasServerConnectionDropTimeout = wasOpenHandshakeTimeout = wasCloseHandshakeTimeout = False
    wasServingFlashSocketPolicyFile = False
    localCloseCode = localCloseReason = remoteCloseCode = remoteCloseReason = None
    bare_close = False

    # One of the options that L{LeanServerFactory} sets.
    maxMessagePayloadSize: int

    def __init__(self) -> None:
        pass

    @cached_property
    def utf8validator(self) -> Utf8Validator:  # type: ignore[override]
        """Checks the text of messages that are not read the usual way."""
        return Utf8Validator()

    def admit(self) -> bool:
        """
        Whether a connection may be upgraded. Called once, at the end of the handshake, when C{peer_address} is known:
        from a trusted proxy if there is one.
        """
        raise NotImplementedError

    def slim(self, *kept: str) -> None:
        """Drop everything that the handshake left behind, except for these attributes."""
        have = self.__dict__
        self.__dict__ = {name: have[name] for name in kept if name in have}

    # The handshake.

    def connectionMade(self) -> None:
        self.factory.countConnections += 1
        with suppress(AttributeError, OSError):  # a Unix socket has no such option
            self.transport.setTcpNoDelay(True)

    def processHandshake(self) -> None:
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = _ORIGIN.sub(b"", self.data[:end])
        proxies = self.factory.proxies
        # Not as Autobahn reads it: that takes more bytes for the end of a line than a proxy does.
        hops = b",".join(_HOPS.findall(head)).decode("latin-1") if proxies else ""
        own = read(getattr(self.transport.getPeer(), "host", None))
        self.peer_address = forwarded(hops, proxies, own)
        key = usual_key(head)
        if key is None:
            self.data = head + self.data[end:]
            super().processHandshake()
            return
        self.data = self.data[end + 4 :]
        try:
            self._admit()
        except ConnectionDeny as denied:
            self.failHandshake(denied.reason or "", denied.code)
            return
        self.sendData(switching_protocols(key))
        self.state = self.STATE_OPEN
        self.onOpen()
        data, self.data = self.data, b""
        if data:
            self.dataReceived(data)

    def _parseExtensionsHeader(self, header: str, removeQuotes: bool = True) -> list[tuple[str, Any]]:
        # An offer that cannot be taken is declined (RFC 7692, section 5.1).
        offered = super()._parseExtensionsHeader(header, removeQuotes)
        return [(name, params) for name, params in offered if name == "permessage-deflate" and _can_read(params)]

    def onConnect(self, request: ConnectionRequest) -> None:
        self._admit()

    def _admit(self) -> None:
        if not self.admit():
            raise ConnectionDeny(503, "too many connections")

    # What comes in.

    def dataReceived(self, data: bytes) -> None:
        self._uncounted += len(data)
        counted = self._uncounted > COUNTED_BYTES or self._rest is not None
        if (counted and not self._count_bytes()) or not self.has_turn(counted):
            self.data += data
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        if self.state == self.STATE_OPEN and not self.data and self.current_frame is None and not self.inside_message:
            data = self._take_whole_texts(data)
            if self._queued:
                self.data = data
                return
            if not data:
                return
        self.take_unusual(data)

    def _count_bytes(self) -> bool:
        cost, self._uncounted = self._uncounted, 0
        return self.charge(cost)

    def take_unusual(self, data: bytes) -> None:
        """Let Autobahn take what was read, or begin with what was kept of earlier reads."""
        self._dataReceived(data)
        if self.state == self.STATE_CONNECTING and len(self.data) > HEAD_BYTES:
            self.failHandshake("request header too long", 431)

    def read_on(self) -> None:
        data, self.data = self.data, b""
        self._take(data)

    def consumeData(self) -> None:
        if self.state in (self.STATE_CONNECTING, self.STATE_CLOSED):
            super().consumeData()
            return
        for _ in range(STEPS_A_TURN):
            if self.state == self.STATE_CLOSED or not self.charge(ITEM // 2):
                return
            if not self.processData() or not self.has_turn():
                return
        self.rest(0)

    def _onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self._isMessageCompressed:
            self.charge(len(payload))
        super()._onMessage(payload, isBinary)

    def _take_whole_texts(self, data: bytes) -> bytes:
        """
        Take the usual frames: masked, whole, uncompressed text of valid UTF-8 within the limit.

        @return: the rest, from the first other frame on.
        """
        start, end = 0, len(data)
        most = self.maxMessagePayloadSize or end
        while end - start >= 6 and data[start] == WHOLE_TEXT and self.state == self.STATE_OPEN:
            size = data[start + 1] - 0x80
            mask = start + 2
            if size == 126:
                size = int.from_bytes(data[mask : mask + 2], "big")
                mask += 2
                if size < 126:
                    break
            payload = mask + 4
            if not 0 <= size <= most or (size == 127 and mask == start + 2) or payload + size > end:
                break
            text = unmask(data[mask:payload], data[payload : payload + size])
            if not text.isascii() and not is_utf_8(text):
                break
            start = payload + size
            self.onMessage(text, False)
            if start < end and not self.has_turn(end - start > COUNTED_BYTES):
                break
        return data[start:] if start else data

    # What goes out.

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        self.send_bytes(data)

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        if self.bare_close:
            super().sendCloseFrame(None, None, isReply)
        else:
            super().sendCloseFrame(code, reasonUtf8, isReply)
        self.shut()

    def dropConnection(self, abort: bool = False) -> None:
        self.shut()
        super().dropConnection(abort)

    def _fail_connection(self, code: int = 1001, reason: str = "going away") -> None:
        _log.info("refused what {peer} sent: {reason}", peer=self._known_address(), reason=reason)
        super()._fail_connection(code, reason)

    def failHandshake(self, reason: str, code: int = 400, responseHeaders: Any = None) -> None:
        _log.info("refused the handshake of {peer}: {reason}", peer=self._known_address(), reason=reason)
        super().failHandshake(reason, code, responseHeaders)

    def _known_address(self) -> Address:
        """The address of the peer; that of a proxy before the request is read."""
        if self.peer_address is not UNKNOWN:
            return self.peer_address
        return read(getattr(self.transport.getPeer(), "host", None))

    def unregisterProducer(self) -> None:
        """Autobahn calls this at the end of each connection."""


class LeanServerFactory(WebSocketServerFactory):
    """
    Autobahn's server factory with our options.

    The options are set in a class of connections made for this factory: Autobahn would copy all thirty of them into
    each connection.
    """

    noisy = False

    def __init__(
        self, clock: IReactorTime, protocol: type[LeanServerProtocol], frame_in: int, proxies: int, turns: Turns
    ) -> None:
        """
        @param protocol: the class of its connections.
        @param frame_in: the maximum size of a message from a game, in bytes; 0 for no limit.
        @param proxies: how many proxies in front of the daemon are trusted to name the peer.
        @param turns: shares the turns of the reactor among the connections of all listeners.
        """
        # Without a version: it is no business of the peer.
        super().__init__(reactor=clock, server="")
        self.proxies = proxies
        self.turns = turns
        self.setProtocolOptions(
            webStatus=False,  # its page is an open redirect
            maxMessagePayloadSize=frame_in,
            failByDrop=False,  # a clean 1007 or 1009
            closeHandshakeTimeout=CLOSE_SECONDS,
            perMessageCompressionAccept=_accept_deflate,
        )
        options = WebSocketServerProtocol.CONFIG_ATTRS_COMMON + WebSocketServerProtocol.CONFIG_ATTRS_SERVER
        values: dict[str, Any] = {name: getattr(self, name) for name in options}
        values["perMessageCompressionAccept"] = staticmethod(_accept_deflate)
        values["factory"] = self
        self.protocol: Any = type(protocol.__name__, (protocol,), values)


def _can_read(params: Any) -> bool:
    """
    Whether an offer of permessage-deflate can be taken.

    Autobahn and zlib cannot take a window of 2^8 bytes. A client that names no parameter of its own may go on with its
    window of 32 KiB whatever it is told, as Perl's Mojo does, and to keep as much for each of them is too much.
    """
    if "client_max_window_bits" not in params and "client_no_context_takeover" not in params:
        return False
    try:
        PerMessageDeflateOffer.parse(params)
    except Exception:
        return False
    return True


def _accept_deflate(offers: list[Any]) -> PerMessageDeflateOfferAccept | None:
    """
    Compress for peers that offer it, with little memory: what we send needs no window, what we receive the smallest
    one that the peer allows.
    """
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(
                offer,
                request_max_window_bits=_SMALLEST_BITS if offer.accept_max_window_bits else 0,
                request_no_context_takeover=offer.accept_no_context_takeover,
            )
    return None
