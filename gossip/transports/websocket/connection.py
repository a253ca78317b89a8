"""
Games by websocket (RFC 6455): frames to events, events to frames.

Autobahn does everything unusual: odd requests, control frames, fragments, compressed messages, closes. The usual things
go past it, since they are most of what a daemon does: see L{gossip.transports.websocket.rfc6455}.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import Any, Final

from autobahn.twisted.websocket import (
    WebSocketServerFactory,
    WebSocketServerProtocol,
)
from autobahn.wamp.types import TransportDetails
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from autobahn.websocket.protocol import TrafficStats
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from autobahn.websocket.utf8validator import Utf8Validator
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from gossip.network.session import Session, Situation
from gossip.protocol import frames
from gossip.protocol.errors import Error
from gossip.protocol.events import Unreadable
from gossip.service.interfaces import IConnection, IGossip, IWireFormat
from gossip.transports.admission import Admission
from gossip.transports.outlet import Outlet
from gossip.transports.websocket.rfc6455 import (
    WHOLE_TEXT,
    DeflateFormat,
    PlainFormat,
    is_utf_8,
    switching_protocols,
    unmask,
    usual_key,
)

HEAD_BYTES: Final = 8 * 1024
"""How many bytes the request for the upgrade may have."""

OPEN_SECONDS: Final = 10
"""How long the handshake may take."""

CLOSE_SECONDS: Final = 1
"""How long the other side may take to answer a close frame."""

GOODBYE: Final = b"goodbye"
"""The reason of each close frame: more than that is nobody's business."""

_log = Logger()

# Any Origin is let in (games are no browsers), also one that Autobahn cannot parse.
_ORIGIN: Final = re.compile(rb"\r\n(?:sec-websocket-)?origin[ \t]*:[^\r\n]*", re.IGNORECASE)


_OPEN: Final = (
    "connected",
    "data",
    "peer_address",
    "state",
    "transport",
    "wire_format",
    "_admitted",
    "_backlog",
    "_perMessageCompress",
    "_session",
    "_direct",
    "_waiting",
)
"""What a connection needs once it is open."""


class _Nobody:
    """Takes the place of a Deferred that nobody waits for."""

    called = True

    def callback(self, result: object) -> None:
        pass


class _Lean(WebSocketServerProtocol):
    """
    Autobahn's connection, with what is the same for most of them in the class.

    As it comes it gives each connection some seventy attributes, three Deferreds, a queue and timers of its own: nine
    KiB, and half of what a connect costs. A test compares this list with Autobahn's.
    """

    CONFIG_ATTRS: Any = ()
    transport: Any
    _transport_details = TransportDetails()
    is_open = is_closed = _Nobody()
    trafficStats = TrafficStats()
    send_queue: Any = ()
    peer = ""
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
    openHandshakeTimeoutCall = closeHandshakeTimeoutCall = None
    autoPingTimeoutCall = autoPingPending = autoPingPendingCall = autoPingPendingSent = None
    wasMaxFramePayloadSizeExceeded = wasMaxMessagePayloadSizeExceeded = False
    closedByMe = failedByMe = droppedByMe = wasClean = False
    wasServerConnectionDropTimeout = wasOpenHandshakeTimeout = wasCloseHandshakeTimeout = False
    wasServingFlashSocketPolicyFile = False
    localCloseCode = localCloseReason = remoteCloseCode = remoteCloseReason = None

    def __init__(self) -> None:
        pass

    @cached_property
    def utf8validator(self) -> Utf8Validator:  # type: ignore[override]
        """For whoever sends what does not go the usual way."""
        return Utf8Validator()

    def connectionMade(self) -> None:
        self.factory.countConnections += 1
        with suppress(AttributeError, OSError):  # a Unix socket has no such thing
            self.transport.setTcpNoDelay(True)

    def slim(self, *kept: str) -> None:
        """Let go of all that the handshake left behind, but for these attributes."""
        have = self.__dict__
        self.__dict__ = {name: have[name] for name in kept if name in have}


@implementer(IConnection)
class WebSocketConnection(Outlet, _Lean):
    """One game's websocket."""

    transport_name = "websocket"
    peer_address = ""
    factory: GameFactory
    transport: Any
    wire_format: IWireFormat

    # Two of those options, which L{GameFactory} sets.
    maxMessagePayloadSize: int
    trustXForwardedFor: int

    _session: Session | None = None
    _deadline: IDelayedCall | None = None
    _admitted = False
    _waiting = False

    # The handshake.

    def connectionMade(self) -> None:
        self.open_outlet(self.factory.backlog)
        super().connectionMade()
        self._deadline = self.factory.clock.callLater(OPEN_SECONDS, self.dropConnection, True)

    def processHandshake(self) -> None:
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = _ORIGIN.sub(b"", self.data[:end])
        key = None if self.trustXForwardedFor else usual_key(head)
        if key is None:
            self.data = head + self.data[end:]
            super().processHandshake()
            return
        self.data = self.data[end + 4 :]
        try:
            self._admit(self._own_address())
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
        # An offer that we cannot take is declined (RFC 7692, section 5.1); Autobahn would refuse the game for it.
        offered = super()._parseExtensionsHeader(header, removeQuotes)
        return [(name, params) for name, params in offered if name == "permessage-deflate" and _can_read(params)]

    def onConnect(self, request: ConnectionRequest) -> None:
        forwarded = self.trustXForwardedFor and "x-forwarded-for" in request.headers
        self._admit(request.peer[:64] if forwarded else self._own_address())

    def _own_address(self) -> str:
        address: str = getattr(self.transport.getPeer(), "host", "")
        return address

    def _admit(self, address: str) -> None:
        # A socket for both kinds of addresses shows one of IPv4 like this.
        self.peer_address = address.removeprefix("::ffff:")
        if not self.factory.admission.admit(self.peer_address):
            raise ConnectionDeny(503, "too many connections")
        self._admitted = self._waiting = True

    def onOpen(self) -> None:
        compression = self._perMessageCompress
        bits = None if compression is None else compression.server_max_window_bits
        self.wire_format = self.factory.wire_format(bits)
        self._session = self.factory.gossip.opened(self)
        self._stop_deadline()
        self.slim(*_OPEN)

    def _stop_deadline(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()

    # What comes in.

    def dataReceived(self, data: bytes) -> None:
        if self.state == self.STATE_OPEN and not self.data and self.current_frame is None and not self.inside_message:
            data = self._take_whole_texts(data)
            if not data:
                return
        self._dataReceived(data)
        if self.state == self.STATE_CONNECTING and len(self.data) > HEAD_BYTES:
            self.failHandshake("request header too long", 431)

    def _take_whole_texts(self, data: bytes) -> bytes:
        """
        Take the usual frames: masked, whole, uncompressed text of valid UTF-8 within the limit.

        @return: the rest, from the first frame on that is anything else.
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
        return data[start:] if start else data

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        session = self._session
        if session is None or self.state != self.STATE_OPEN:
            return  # what comes after our close frame is no longer heard
        event = Unreadable() if isBinary else frames.decode(payload, self.factory.ref_bytes)
        self.factory.gossip.received(session, event)
        if self._waiting and session.situation is Situation.ACTIVE:
            self._waiting = False
            self.factory.admission.authenticated(self.peer_address)

    def onCloseFrame(self, code: int, reasonRaw: bytes) -> bool | None:
        # Who says his last words and leaves in one packet gets his answers before our close frame.
        self.factory.gossip.flush()
        return super().onCloseFrame(code, reasonRaw)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.shut()
        self._stop_deadline()
        if self._session is not None:
            self.factory.gossip.lost(self._session)
        if self._admitted:
            self._admitted = False
            self.factory.admission.left(self.peer_address, not self._waiting)

    # What goes out.

    # Not a method of its own: that would be one more call for each delivery.
    write = Outlet.send_bytes

    @property
    def direct_send(self) -> Callable[[bytes], int] | None:
        return self._direct

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        # Autobahn's own frames pass the gate too: two ways to the socket would mix them up.
        self.send_bytes(data)

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        super().sendCloseFrame(code, reasonUtf8, isReply)
        self.shut()

    def dropConnection(self, abort: bool = False) -> None:
        self.shut()
        super().dropConnection(abort)

    def close(self, code: int, why: Error) -> None:
        if self.state == self.STATE_OPEN:
            # Not sendClose: that refuses 1011 and 1012.
            self.sendCloseFrame(code, GOODBYE)
        elif self.state == self.STATE_CONNECTING:
            self.transport.loseConnection()

    def unregisterProducer(self) -> None:
        """Autobahn asks for it at each end; there is none."""

    def pause(self) -> None:
        self.transport.pauseProducing()

    def resume(self) -> None:
        self.transport.resumeProducing()


class GameFactory(WebSocketServerFactory):
    """Makes the connections of games."""

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        gossip: IGossip,
        admission: Admission,
        *,
        frame_in: int = 64 * 1024,
        frame_out: int = frames.FRAME_OUT,
        ref_bytes: int = frames.REF_BYTES,
        backlog: int = 1024 * 1024,
        proxies: int = 0,
    ) -> None:
        """
        @param frame_in: how many bytes a message to us may have; 0 for any number.
        @param frame_out: how many bytes a frame from us may have; 0 for any number.
        @param ref_bytes: how many bytes a ref may have; 0 for any number.
        @param backlog: how many bytes may wait for a slow reader; 0 for any number.
        @param proxies: how many proxies in front of us are trusted to say who connects.
        """
        # The version is nobody's business.
        super().__init__(reactor=clock, server="")
        self.clock = clock
        self.gossip = gossip
        self.admission = admission
        self.ref_bytes = ref_bytes
        self.backlog = backlog
        self._frame_out = frame_out
        self._plain = PlainFormat(frame_out)
        self._deflated: dict[int, DeflateFormat] = {}
        self.setProtocolOptions(
            webStatus=False,  # an open redirect
            maxMessagePayloadSize=frame_in,
            failByDrop=False,  # a clean 1007 or 1009
            closeHandshakeTimeout=CLOSE_SECONDS,
            perMessageCompressionAccept=_accept_deflate,
            trustXForwardedFor=proxies,
        )
        options = WebSocketServerProtocol.CONFIG_ATTRS_COMMON + WebSocketServerProtocol.CONFIG_ATTRS_SERVER
        values: dict[str, Any] = {name: getattr(self, name) for name in options}
        values["perMessageCompressionAccept"] = staticmethod(_accept_deflate)
        # Here too: Autobahn would copy its thirty options into each connection.
        values["factory"] = self
        self.protocol: Any = type("WebSocketConnection", (WebSocketConnection,), values)

    def wire_format(self, window_bits: int | None) -> IWireFormat:
        """
        How events are written for a connection.

        @param window_bits: the window of a connection that compresses, C{None} for one that does not.
        """
        if window_bits is None:
            return self._plain
        if window_bits not in self._deflated:
            self._deflated[window_bits] = DeflateFormat(self._frame_out, window_bits)
        return self._deflated[window_bits]


def _can_read(params: Any) -> bool:
    """Whether an offer of permessage-deflate is one that Autobahn and zlib can take: no window of 2^8 bytes, say."""
    try:
        PerMessageDeflateOffer.parse(params)
    except Exception:
        return False
    return True


def _accept_deflate(offers: list[Any]) -> PerMessageDeflateOfferAccept | None:
    """
    Compress for who offers it, with little memory: what we send needs no window, what we get the smallest one that
    the other side can do.
    """
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(
                offer,
                request_max_window_bits=9 if offer.accept_max_window_bits else 0,
                request_no_context_takeover=offer.accept_no_context_takeover,
            )
    return None
