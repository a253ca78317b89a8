"""L{gossip.transports.websocket.connection}, on the wire but without a network."""

from __future__ import annotations

import base64
import hashlib
import zlib

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from twisted.internet.address import IPv6Address, UNIXAddress
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.testing import StringTransportWithDisconnection
from zope.interface.verify import verifyClass, verifyObject

from gossip.network.session import Session, Situation
from gossip.protocol.errors import Error
from gossip.protocol.events import ChannelsSend, ClientEvent, Heartbeat, Unreadable
from gossip.protocol.server_events import Beat, ChannelsBroadcast
from gossip.registry.addresses import read
from gossip.service.interfaces import IConnection, IGossip, IWireFormat
from gossip.transports.budget import ITEM, Budget, Budgets
from gossip.transports.half_close import HALF_CLOSED_SECONDS
from gossip.transports.websocket.connection import WebSocketConnection
from gossip.transports.websocket.rfc6455 import DeflateFormat, PlainFormat
from tests.support.rawsocket import BINARY, CLOSE, PING, PONG, TEXT, frame, frames, handshake, texts
from tests.support.websocket_games import HEARTBEAT, WebSocketTestCase

TORNADO = (b"\xaaVJ-K\xcd+Q\xb2R\xcaHM,*IJM,Q\xaa\x05\x00", b"\xaa\xc6&\x08\x00", b"\xc2*\x08\x00")
"""What tornado 6.6 sends for three heartbeats, with a window of 512 bytes."""

COFFEEMUD = (
    b'{"event": "authenticate","payload": {"client_id": "%s","client_secret": "x","supports": ["channels", "players", '
    b'"tells", "games", "achievements"],"channels": ["gossip"],"version": "2.3.0","user_agent": "CoffeeMud 5.11"}}'
)
"""What CoffeeMud sends first."""


class DrainingTests(WebSocketTestCase):
    """A daemon that takes no new games."""

    def test_hangs_up(self) -> None:
        """A handshake is not answered: a proxy in front asks another node then."""
        self.listener.takes_games = False
        for headers in ((), (b"Sec-WebSocket-Extensions: permessage-deflate",)):
            self.connect()
            self.assertEqual(self.open(*headers), b"")
            self.assertFalse(self.transport.connected)
        self.assertEqual((self.listener.connections, len(self.admission)), ([], 0))
        self.listener.takes_games = True
        self.connect()
        self.assertIn(b" 101 ", self.open())


class HalfCloseTests(WebSocketTestCase):
    """A peer that sends nothing more."""

    def test_finished(self) -> None:
        """The service is told once; when it closes the session, the connection ends without waiting for the peer."""
        self.open()
        self.connection.readConnectionLost()
        self.connection.readConnectionLost()  # reading was resumed
        self.assertEqual(self.listener.done, [self.connection._session])
        self.connection.write(self.connection.wire_format.encode(Beat(0)))
        self.connection.close(1000, Error.of("goodbye"))
        self.assertFalse(self.transport.connected)
        first, last = frames(self.sent())
        self.assertEqual((first[1], last), (HEARTBEAT, (0x80 | CLOSE, b"\x03\xe8goodbye")))
        self.assertEqual(self.listener.ended, self.listener.done)
        self.clock.advance(1)  # Autobahn's timer for our close frame
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_bounded(self) -> None:
        """If its answers do not come, the connection is cut off."""
        self.open()
        self.connection.readConnectionLost()
        self.clock.advance(HALF_CLOSED_SECONDS - 1)
        self.assertTrue(self.transport.connected)
        self.clock.advance(1)
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.listener.ended, self.listener.done)

    def test_nothing_asked(self) -> None:
        """Before the end of the handshake, and after our close frame, the connection ends at once."""
        self.connection.dataReceived(handshake()[:20])
        self.connection.readConnectionLost()
        self.assertFalse(self.transport.connected)
        self.connect()
        self.open()
        self.connection.close(1000, Error.of("goodbye"))
        self.connection.readConnectionLost()
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.listener.done, [])

    def test_kept_frames(self) -> None:
        """Frames that are kept since the connection exceeded its budget are handled before the service is told."""
        self.factory.budgets = Budgets(unauthenticated=Budget(ITEM, ITEM))
        self.open()
        self.connection.dataReceived(frame(b"", PING) * 4 + frame({"event": "heartbeat"}))
        self.connection.readConnectionLost()
        self.assertEqual((self.listener.events, self.listener.done), ([], []))
        self.clock.pump([1] * 9)
        self.assertEqual(len(self.listener.events), 1)
        self.assertEqual(len(set(map(id, self.listener.done))), 1)

    def test_lean(self) -> None:
        """A connection that is not half closed has no attribute for it."""
        self.open()
        self.assertTrue(IHalfCloseableProtocol.providedBy(self.connection))
        self.assertNotIn("_half_closed", vars(self.connection))


class HandshakeTests(WebSocketTestCase):
    """The request for the upgrade, and its answer."""

    def test_interfaces(self) -> None:
        """The connection, the wire formats and the test's own service implement their interfaces."""
        self.open()
        verifyObject(IConnection, self.connection)
        verifyClass(IConnection, WebSocketConnection, tentative=True)
        verifyObject(IWireFormat, PlainFormat(0))
        verifyObject(IWireFormat, DeflateFormat(0, 15))
        verifyObject(IGossip, self.listener)

    def test_plain_old_form(self) -> None:
        """The answer has the form that every client in the field understands, and names no version."""
        accept = base64.b64encode(
            hashlib.sha1(b"dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        )
        self.assertEqual(
            self.open(),
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n",
        )
        self.assertEqual([str(connection.peer_address) for connection in self.listener.connections], ["192.0.2.1"])

    def test_any_origin(self) -> None:
        """Any Origin is accepted, even a malformed one."""
        for origin in (b"https://example.org", b"null", b"file://", b"nonsense", b"http://[", b"", b"a\r\nOrigin: b"):
            self.setUp()
            self.assertIn(b" 101 ", self.open(b"Origin: " + origin))

    def test_frame_in_the_same_packet(self) -> None:
        """A frame in the same packet as the handshake is not lost."""
        self.connection.dataReceived(handshake() + frame(HEARTBEAT))
        self.assertEqual(self.listener.events, [Heartbeat(None, None)])

    def test_nothing_is_sent_unasked(self) -> None:
        """After the handshake the server sends nothing."""
        self.open()
        self.clock.advance(3600)
        self.assertEqual(self.sent(), b"")

    def test_no_upgrade(self) -> None:
        """A request without an upgrade is told what is missing."""
        self.connection.dataReceived(b"GET /socket HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(self.sent().startswith(b"HTTP/1.1 426 "))
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.listener.ended, [])

    def test_endless_request(self) -> None:
        """A request that does not end is refused, and does not fill memory."""
        self.connection.dataReceived(b"GET /socket HTTP/1.1\r\n" + b"X: y\r\n" * 2000)
        self.assertTrue(self.sent().startswith(b"HTTP/1.1 431 "))
        self.assertFalse(self.transport.connected)

    def test_slow_request(self) -> None:
        """A request that takes too long ends."""
        self.connection.dataReceived(b"GET /socket HTTP/1.1\r\n")
        self.clock.advance(11)
        self.assertFalse(self.transport.connected)

    def test_too_many(self) -> None:
        """A connection over the limit is refused before the upgrade, and its end makes no room."""
        self.open()
        for answer in (b" 101 ", b" 503 ", b" 503 "):
            self.connect()
            self.assertIn(answer, self.open())
        self.assertEqual(len(self.listener.connections), 2)

    def test_room_again(self) -> None:
        """A connection that ends makes room."""
        for _ in range(4):
            self.connect()
            self.assertIn(b" 101 ", self.open())
            self.transport.loseConnection()
        self.assertEqual(len(self.listener.ended), 4)

    def test_mapped_address(self) -> None:
        """An IPv4 address is the same on a socket that also accepts IPv6."""
        self.transport.peerAddr = IPv6Address("TCP", "::ffff:192.0.2.9", 4000)
        self.open()
        self.assertEqual(str(self.listener.connections[0].peer_address), "192.0.2.9")

    def test_unix_socket(self) -> None:
        """A Unix socket has no address."""
        self.transport.peerAddr = UNIXAddress(None)
        self.open()
        self.assertEqual(str(self.listener.connections[0].peer_address), "unknown")

    def test_forwarded_is_not_believed(self) -> None:
        """Without a trusted proxy, X-Forwarded-For is ignored."""
        self.open(b"X-Forwarded-For: 198.51.100.7")
        self.assertEqual(str(self.listener.connections[0].peer_address), "192.0.2.1")


class UsualTests(WebSocketTestCase):
    """The usual request is answered here, every other one by Autobahn, and the answers are the same."""

    def answered(self, request: bytes) -> tuple[bytes, int]:
        self.setUp()
        self.connection.dataReceived(request)
        return self.sent(), len(self.listener.connections)

    def test_same_answer(self) -> None:
        """With an unknown extension, the same answer comes from Autobahn."""
        self.assertEqual(self.answered(handshake()), self.answered(handshake(b"Sec-WebSocket-Extensions: x-nothing")))

    def test_unusual(self) -> None:
        """A request with any fault is refused as Autobahn refuses it."""
        usual = handshake()
        for old, new, answer in (
            (b"GET ", b"PUT ", b"405"),
            (b"HTTP/1.1", b"HTTP/1.0", b"505"),
            (b"/socket", b"/socket#x", b"400"),
            (b"Host: localhost:4110\r\n", b"", b"400"),
            (b"Upgrade: websocket", b"Upgrade: h2c", b"400"),
            (b"Connection: Upgrade", b"Connection: close", b"400"),
            (b"Version: 13", b"Version: 12", b"400"),
            (b"25jZQ==", b"25jZQ=", b"400"),
            (b"25jZQ==", b"25j*Q==", b"400"),
            (b"Host: ", b"Host: a\r\nHost: ", b"400"),
            (b"Connection: Upgrade", b"Connection: keep-alive, Upgrade", b"101"),
            (b"Version: 13", b"version:13", b"101"),
            (b"Connection: Upgrade", b"connection:  UPGRADE ", b"101"),
        ):
            sent, opened = self.answered(usual.replace(old, new))
            self.assertEqual((sent[9:12], opened), (answer, int(answer == b"101")), (old, new))

    @given(st.lists(st.integers(1, 60), max_size=6))
    def test_cut_anywhere(self, cuts: list[int]) -> None:
        """However the request is cut, it is answered once, and what follows is handled."""
        self.setUp()
        rest = handshake() + frame(HEARTBEAT)
        for cut in cuts:
            self.connection.dataReceived(rest[:cut])
            rest = rest[cut:]
        self.connection.dataReceived(rest)
        self.assertEqual(self.sent().count(b" 101 "), 1)
        self.assertEqual(self.listener.events, [Heartbeat(None, None)])


class LeanTests(WebSocketTestCase):
    """The memory that a connection saves."""

    def test_nothing_forgotten(self) -> None:
        """Our class has every attribute that Autobahn gives each of its connections."""
        theirs = WebSocketServerProtocol()
        theirs.factory = WebSocketServerFactory(reactor=self.clock)
        theirs.transport = StringTransportWithDisconnection()
        theirs._connectionMade()
        missing = [name for name in theirs.__dict__ if not hasattr(self.connection, name)]
        self.assertEqual(missing, [])

    def test_slim(self) -> None:
        """An open connection has few attributes of its own, and none of its handshake."""
        for header in (b"X-Something: x", b"Sec-WebSocket-Extensions: x-nothing"):  # the usual way, and Autobahn's
            self.setUp()
            self.open(header)
            self.assertLess(len(self.connection.__dict__), 14)
            self.clock.advance(0)
            self.assertEqual(self.clock.getDelayedCalls(), [])


class ProxyTests(WebSocketTestCase):
    """Behind one trusted proxy."""

    options = {"proxies": 1}

    def test_forwarded(self) -> None:
        """The address is the one that the last proxy saw."""
        self.open(b"X-Forwarded-For: 203.0.113.9, 198.51.100.7")
        self.assertEqual(str(self.listener.connections[0].peer_address), "198.51.100.7")

    def test_spellings(self) -> None:
        """A port, brackets and a spelling of the proxy's make no difference, so limits and bans hold."""
        for written, address in (
            (b"203.0.113.7:5555", "203.0.113.7"),
            (b"[2001:db8::5]:443", "2001:db8::5"),
            (b"2001:DB8:0::0005", "2001:db8::5"),
            (b"::ffff:203.0.113.7", "203.0.113.7"),
        ):
            self.setUp()
            self.open(b"X-Forwarded-For: " + written)
            self.assertEqual(str(self.listener.connections[0].peer_address), address)

    def test_no_last_hop(self) -> None:
        """A last hop that is no address does not hide the proxy's own, nor is the hop before it believed."""
        for hops in (
            b"",
            b" ",
            b"203.0.113.9,",
            b"203.0.113.9, unknown",
            b"203.0.113.9, 999.1.1.1",
            b"203.0.113.9,\xff",
        ):
            self.setUp()
            self.open(b"X-Forwarded-For: " + hops)
            self.assertEqual(str(self.listener.connections[0].peer_address), "192.0.2.1", hops)

    def test_several_lines(self) -> None:
        """The last of several headers has the last hop; what another header holds is none."""
        for headers, address in (
            ((b"X-Forwarded-For: 203.0.113.9", b"x-forwarded-for: 203.0.113.10"), "203.0.113.10"),
            ((b"X-Forwarded-For: 203.0.113.9", b"User-Agent: x\x85X-Forwarded-For: 203.0.113.10"), "203.0.113.9"),
        ):
            self.setUp()
            self.open(*headers)
            self.assertEqual(str(self.listener.connections[0].peer_address), address)

    def test_not_forwarded(self) -> None:
        """Without the header it is the address of the connection."""
        self.open()
        self.assertEqual(str(self.listener.connections[0].peer_address), "192.0.2.1")


class FrameTests(WebSocketTestCase):
    """Frames from games, usual and unusual."""

    def setUp(self) -> None:
        super().setUp()
        self.open()

    def receive(self, *data: bytes) -> list[ClientEvent]:
        for piece in data:
            self.connection.dataReceived(piece)
        return self.listener.events

    def test_text(self) -> None:
        """Each text frame is an event, even several in one packet, or one in pieces."""
        whole = frame(HEARTBEAT)
        self.receive(whole + whole + whole[:3], whole[3:], whole)
        self.assertEqual(self.listener.events, [Heartbeat(None, None)] * 4)

    def test_lengths(self) -> None:
        """Frames of all three forms of length are read."""
        for padding in (0, 125, 126, 127, 40000, 65000):
            self.assertEqual(len(self.receive(frame(HEARTBEAT + b" " * padding))), len(self.listener.events))
        self.assertEqual(self.listener.events, [Heartbeat(None, None)] * 6)

    def test_fragments(self) -> None:
        """A message in fragments is one event, with a ping in between."""
        self.receive(
            frame(HEARTBEAT[:5], fin=False) + frame(b"x", PING) + frame(HEARTBEAT[5:9], 0, fin=False),
            frame(HEARTBEAT[9:], 0) + frame(HEARTBEAT),
        )
        self.assertEqual(self.listener.events, [Heartbeat(None, None)] * 2)
        self.assertEqual(list(frames(self.sent())), [(0x80 | PONG, b"x")])

    def test_ping(self) -> None:
        """A ping is answered by one pong with the same payload; a pong is ignored."""
        self.receive(frame(b"abc", PING) + frame(b"unasked", PONG) + frame(b"", PING))
        self.assertEqual(list(frames(self.sent())), [(0x80 | PONG, b"abc"), (0x80 | PONG, b"")])

    def test_binary(self) -> None:
        """A binary frame is answered like text that is not JSON."""
        self.assertEqual(self.receive(frame(HEARTBEAT, BINARY)), [Unreadable()])

    def test_invalid_utf_8(self) -> None:
        """Text that is not UTF-8 closes the connection with 1007, and is no event."""
        self.assertEqual(self.receive(frame(b'{"event":"\xff"}')), [])
        self.assertEqual(self.close_code(), 1007)

    def test_too_big(self) -> None:
        """A message over the limit closes the connection with 1009, whole or in fragments."""
        for data in (frame(b" " * 65537), frame(b" " * 65536, fin=False) + frame(b" ", 0), frame(b" " * (1 << 20))):
            self.setUp()
            self.assertEqual(self.receive(data), [])
            self.assertEqual(self.close_code(), 1009)

    def test_limit_itself(self) -> None:
        """A message of exactly the limit is read."""
        self.assertEqual(self.receive(frame(HEARTBEAT.ljust(65536))), [Heartbeat(None, None)])

    def test_unmasked(self) -> None:
        """A frame without a mask, a reserved bit or opcode ends the connection with 1002."""
        for data in (b"\x81\x02{}", frame(b"{}", rsv=1), frame(b"{}", 3), frame(b"{}", 0), frame(b"x" * 126, PING)):
            self.setUp()
            self.assertEqual(self.receive(data), [])
            self.assertEqual(self.close_code(), 1002)

    def test_close_by_the_game(self) -> None:
        """A close frame is answered after everything that was waiting to be written, and the session ends."""
        self.receive(frame((1000).to_bytes(2, "big"), CLOSE))
        answer, close = frames(self.sent())
        self.assertEqual((answer, close), ((0x81, HEARTBEAT), (0x80 | CLOSE, (1000).to_bytes(2, "big"))))
        self.assertFalse(self.transport.connected)
        self.assertEqual(len(self.listener.ended), 1)

    def test_after_our_close(self) -> None:
        """Messages after our close frame are ignored."""
        self.connection.close(4000, "goodbye")
        self.assertEqual(self.receive(frame(HEARTBEAT)), [])

    def test_half_a_frame(self) -> None:
        """A connection that ends within a frame ends its session, and nothing else happens."""
        self.receive(frame(HEARTBEAT)[:9])
        self.transport.loseConnection()
        self.assertEqual((self.listener.events, len(self.listener.ended)), ([], 1))

    @given(st.lists(st.integers(1, 60), max_size=12))
    def test_cut_anywhere(self, cuts: list[int]) -> None:
        """However the bytes are cut, the events are the same."""
        self.setUp()
        rest = frame(HEARTBEAT) + frame(b"p", PING) + frame(HEARTBEAT[:7], fin=False) + frame(HEARTBEAT[7:], 0)
        rest += frame('{"event":"✔"}'.encode()) + frame(b"", TEXT) + frame(HEARTBEAT.ljust(200))
        for cut in cuts:
            self.receive(rest[:cut])
            rest = rest[cut:]
        self.receive(rest)
        events = [type(event).__name__ for event in self.listener.events]
        self.assertEqual(events, ["Heartbeat", "Heartbeat", "Unknown", "Unreadable", "Heartbeat"])

    @given(st.binary(max_size=200), st.booleans())
    def test_junk(self, junk: bytes, framed: bool) -> None:
        """Junk never raises, and nothing of it outlives its connection."""
        self.setUp()
        self.receive(frame(junk) if framed else junk)
        self.transport.loseConnection()
        self.assertEqual(len(self.listener.ended), 1)
        self.flushLoggedErrors()


class OutTests(WebSocketTestCase):
    """Frames to games."""

    def test_events(self) -> None:
        """An event is one unmasked, unfragmented text frame, whatever its length."""
        self.open()
        empty = len(PlainFormat(0).encode(ChannelsBroadcast(Raw(b'"ref"'), "gossip", "Alpha", "Ana", ""))) - 2
        self.assertLess(empty, 125)
        for size in (1, 125 - empty, 126 - empty, 127 - empty, 200, 12_000):
            said = ChannelsBroadcast(Raw(b'"ref"'), "gossip", "Alpha", "Ana", "x" * size)
            self.connection.write(self.connection.wire_format.encode(said))
            [told] = texts(self.sent())
            self.assertEqual(told["payload"]["message"], "x" * size)

    def test_close(self) -> None:
        """Every close code of the protocol can be sent, with its reason, and the timer of the close ends with it."""
        for code in (4000, 4001, 1011, 1012):
            self.setUp()
            self.open()
            self.connection.close(code, "goodbye")
            self.assertEqual(list(frames(self.sent())), [(0x80 | CLOSE, code.to_bytes(2, "big") + b"goodbye")])
            self.connection.dataReceived(frame(code.to_bytes(2, "big"), CLOSE))
            self.assertFalse(self.transport.connected)

    def test_close_unanswered(self) -> None:
        """A peer that does not answer a close frame is cut off."""
        self.open()
        self.connection.close(4000, "goodbye")
        self.clock.advance(2)
        self.assertFalse(self.transport.connected)

    def test_nothing_after_the_close(self) -> None:
        """Nothing follows a close frame."""
        self.open()
        self.connection.close(4000, "goodbye")
        self.sent()
        self.connection.write(self.connection.wire_format.encode(Beat(0)))
        self.connection.close(4001, "goodbye")
        self.assertEqual(self.sent(), b"")

    def test_authenticated(self) -> None:
        """A session that authenticates makes room for another that has not."""
        self.admission.waiting_per_address = 1
        self.open()
        session = Session()
        session.situation = Situation.ACTIVE
        self.connection._session = session
        self.assertFalse(self.admission.admit(read("192.0.2.1")))
        self.connection.dataReceived(frame(HEARTBEAT))
        self.assertTrue(self.admission.admit(read("192.0.2.1")))


class CoffeeMudTests(WebSocketTestCase):
    """The client of CoffeeMud, as it is in the field."""

    def join(self, first: bytes = COFFEEMUD % b"x") -> None:
        self.open(b"Origin: http://coffeemud.net")
        self.receive(frame(first))
        self.listener.events.clear()
        self.sent()

    def receive(self, data: bytes) -> None:
        self.connection.dataReceived(data)

    def close_frame(self, code: int) -> bytes:
        self.connection.close(code, Error.of("restarting"))
        return self.sent()

    def test_bare_close(self) -> None:
        """Its close frame has no payload, which it would take for the beginning of the next frame that it reads."""
        for code in (1012, 4000, 4001):
            self.setUp()
            self.join()
            self.assertEqual(self.close_frame(code), b"\x88\x00")

    def test_other_closes(self) -> None:
        """So has that for a flood; the answer to its own close frame has none either."""
        self.join()
        self.connection.flooded()
        self.assertEqual(self.sent(), b"\x88\x00")
        self.setUp()
        self.join()
        self.receive(frame(b"\x03\xe8", CLOSE))
        self.assertEqual([*frames(self.sent())][-1], (0x88, b""))

    def test_others(self) -> None:
        """Everybody else gets the code and the reason, to the byte as before."""
        for agent in (b"MyMUD 1.0", b"NotCoffeeMud 5", b"CoffeeMudder", b"coffeemud 5"):
            self.setUp()
            self.join((COFFEEMUD % b"x").replace(b"CoffeeMud 5.11", agent))
            self.assertEqual(self.close_frame(1012), b"\x88\x09\x03\xf4goodbye", agent)

    def said(self) -> list[str]:
        return [event.message for event in self.listener.events if isinstance(event, ChannelsSend)]

    def test_sign_extended(self) -> None:
        """Its escapes are read as the UTF-8 that they stand for, and so is text that it sends properly."""
        said = (
            rb'{"event":"channels/send","payload":{"channel":"gossip","name":"Z\uffc3\uffb6e",'
            rb'"message":"f\uffc3\uffbcr \uffe2\uff9c\uff94"}}'
        )
        self.join()
        self.receive(
            frame(said) + frame(said.replace(rb"\uffc3\uffbc", "ü".encode()).replace(rb"\uffe2\uff9c\uff94", b""))
        )
        self.assertEqual(self.said(), ["für ✔", "für "])
        self.assertEqual([event.name for event in self.listener.events if isinstance(event, ChannelsSend)], ["Zöe"] * 2)

    def test_other_texts(self) -> None:
        """Texts of others are not touched."""
        self.join((COFFEEMUD % b"x").replace(b"CoffeeMud 5.11", b"MyMUD"))
        self.receive(frame(rb'{"event":"channels/send","payload":{"channel":"g","name":"A","message":"\uffc3\uffbc"}}'))
        self.assertEqual(self.said(), ["\uffc3\uffbc"])


class DeflateTests(WebSocketTestCase):
    """permessage-deflate (RFC 7692)."""

    def answer(self, offer: bytes) -> bytes:
        head = self.open(b"Sec-WebSocket-Extensions: " + offer)
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"sec-websocket-extensions"):
                return line.partition(b": ")[2]
        return b""

    def test_both_ways(self) -> None:
        """Messages are compressed both ways, each on its own, one after another."""
        self.assertIn(b"client_max_window_bits=9", self.answer(b"permessage-deflate; client_max_window_bits"))
        inflate = zlib.decompressobj(-15)
        for _ in range(3):
            deflate = zlib.compressobj(6, zlib.DEFLATED, -9)
            payload = (deflate.compress(HEARTBEAT) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
            self.connection.dataReceived(frame(payload, rsv=4) + frame(HEARTBEAT))
            self.connection.write(self.connection.wire_format.encode(Beat(0)))
            [(first, payload)] = frames(self.sent())
            self.assertEqual((first, inflate.decompress(payload + b"\x00\x00\xff\xff")), (0xC1, HEARTBEAT))
        self.assertEqual(self.listener.events, [Heartbeat(None, None)] * 6)

    def test_offers(self) -> None:
        """Compression is declined if the peer names no parameter of its own: it would keep a window of 32 KiB."""
        for offer, answer in (
            # As Perl's Mojo and Firefox offer it.
            (b"permessage-deflate", b""),
            (b"permessage-deflate; server_no_context_takeover; server_max_window_bits=10", b""),
            # As tornado, Chromium and websockets do.
            (
                b"permessage-deflate; client_max_window_bits",
                b"permessage-deflate; client_no_context_takeover; client_max_window_bits=9",
            ),
            (
                b"permessage-deflate; client_no_context_takeover",
                b"permessage-deflate; client_no_context_takeover",
            ),
            (
                b"permessage-deflate, permessage-deflate; client_max_window_bits=12",
                b"permessage-deflate; client_no_context_takeover; client_max_window_bits=9",
            ),
        ):
            self.setUp()
            self.assertEqual(self.answer(offer), answer, offer)
            # Plain frames are read either way.
            self.connection.dataReceived(frame(HEARTBEAT))
            self.assertEqual(self.listener.events, [Heartbeat(None, None)])

    def test_declined(self) -> None:
        """A peer whose offer was declined gets plain frames, and may not compress its own."""
        self.answer(b"permessage-deflate")
        self.connection.write(self.connection.wire_format.encode(Beat(0)))
        self.assertEqual([*frames(self.sent())], [(0x81, HEARTBEAT)])
        self.connection.dataReceived(frame(TORNADO[0], rsv=4))
        self.assertEqual(self.close_code(), 1002)

    def test_context_takeover(self) -> None:
        """tornado overlooks that it is asked to forget what it sent; each of its frames refers to those before."""
        self.answer(b"permessage-deflate; client_max_window_bits")
        for payload in TORNADO:
            self.connection.dataReceived(frame(payload, rsv=4))
        self.assertEqual(self.listener.events, [Heartbeat(None, None)] * 3)
        self.assertIsNone(self.close_code())

    @given(
        st.lists(st.text(max_size=40) | st.text("ab", min_size=200, max_size=900), max_size=8),
        st.booleans(),
        st.lists(st.integers(1, 60), max_size=12),
    )
    def test_any_context(self, texts: list[str], forgets: bool, cuts: list[int]) -> None:
        """Whatever is sent is read, whether the peer forgets what it sent or not, in whatever pieces it comes."""
        self.setUp()
        self.answer(b"permessage-deflate; client_max_window_bits")
        heard: list[bytes] = []
        self.patch(self.connection, "onMessage", lambda payload, binary: heard.append(payload))
        deflate = zlib.compressobj(6, zlib.DEFLATED, -9)
        rest = b""
        for text in texts:
            if forgets:
                deflate = zlib.compressobj(6, zlib.DEFLATED, -9)
            rest += frame((deflate.compress(text.encode()) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4], rsv=4)
        for cut in cuts:
            self.connection.dataReceived(rest[:cut])
            rest = rest[cut:]
        self.connection.dataReceived(rest)
        self.assertEqual(heard, [text.encode() for text in texts])

    def test_kept(self) -> None:
        """Between two messages a connection keeps 512 bytes for the next one, and no stream."""
        self.answer(b"permessage-deflate; client_max_window_bits")
        deflate = zlib.compressobj(6, zlib.DEFLATED, -9)
        text = b'{"event":"x","payload":"%s"}' % (b"xyz" * 1000)
        payload = (deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
        self.connection.dataReceived(frame(payload, rsv=4))
        inflater = self.connection._perMessageCompress
        kept = [getattr(inflater, name) for name in inflater.__slots__]
        self.assertEqual(kept, [9, text[-512:], None])
        self.assertFalse(hasattr(inflater, "__dict__"))

    def test_smaller_window(self) -> None:
        """A peer with a small window gets messages that fit it."""
        offer = b"permessage-deflate; client_no_context_takeover; server_max_window_bits=9"
        self.assertIn(b"server_max_window_bits=9", self.answer(offer))
        said = ChannelsBroadcast(Raw(b'"ref"'), "gossip", "Alpha", "Ana", "".join(map(str, range(1000))))
        self.connection.write(self.connection.wire_format.encode(said))
        [(_, payload)] = frames(self.sent())
        self.assertIn(b"997998999", zlib.decompressobj(-9).decompress(payload + b"\x00\x00\xff\xff"))

    def test_impossible_window(self) -> None:
        """A window that zlib cannot make is declined, and another offer is accepted."""
        impossible = b"permessage-deflate; client_no_context_takeover; server_max_window_bits=8"
        self.assertEqual(self.answer(impossible), b"")
        self.connect()
        answer = self.answer(impossible + b", permessage-deflate; client_no_context_takeover")
        self.assertEqual(answer, b"permessage-deflate; client_no_context_takeover")

    def test_bomb(self) -> None:
        """A message that inflates past the limit closes the connection with 1009, and is never in memory as a whole."""
        self.answer(b"permessage-deflate; client_no_context_takeover")
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        payload = (deflate.compress(bytes(10 << 20)) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
        self.connection.dataReceived(frame(payload, rsv=4))
        self.assertEqual((self.listener.events, self.close_code()), ([], 1009))
