"""What one websocket can send, and what it can leave unfinished."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator

from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransportWithDisconnection

from gossip.config.config import Config
from gossip.network.session import Session, Situation
from gossip.transports.budget import Budget, Budgets
from gossip.transports.inlet import REST_SECONDS, RESTS
from gossip.transports.websocket.connection import LARGE_PER_ADDRESS
from gossip.transports.websocket.server import OPEN_SECONDS, STEPS_A_TURN
from tests.support.rawsocket import BINARY, CLOSE, PING, PONG, TEXT, frame, frames, handshake
from tests.support.websocket_games import HEARTBEAT, WebSocketTestCase

READ = 65536
"""What the reactor reads at once, in bytes."""

CONTINUATION = 0x0


class BudgetTestCase(WebSocketTestCase):
    """A connection with the default limits. What its peer sends waits while the connection is not read from."""

    def setUp(self) -> None:
        super().setUp()
        self.admission.per_address = 0
        limits = Config().limits
        self.factory.allow(limits.budgets, limits.unfinished_bytes)

    def joined(self) -> None:
        """The session has authenticated."""
        self.open()
        session = Session()
        session.situation = Situation.ACTIVE
        self.connection._session = session
        self.connection.dataReceived(frame(HEARTBEAT))

    @property
    def read_from(self) -> bool:
        return bool(self.transport.connected and self.transport.producerState == "producing")

    def flood(self, sent: bytes, seconds: int) -> list[int]:
        """Send the same again and again for some time; returns how many reads there were in each second."""
        reads = []
        for _ in range(seconds):
            reads.append(0)
            while self.read_from and reads[-1] < 1000:
                self.connection.dataReceived(sent)
                reads[-1] += 1
                while any(call.getTime() <= self.clock.seconds() for call in self.clock.getDelayedCalls()):
                    self.clock.advance(0)
            self.clock.advance(1)
        return reads


class FloodTests(BudgetTestCase):
    """Frames that no rate limit of the network counts."""

    def floods(self) -> Iterator[bytes]:
        """The worst reads of each kind: as many frames as there is room for."""
        opening = frame(b"", TEXT, fin=False)
        for one in (
            frame(b"", PING),
            frame(b"x" * 125, PING),
            frame(b"", PONG),
            opening + frame(b"", CONTINUATION, fin=False),
            frame(b"", TEXT, fin=False) + frame(b"", CONTINUATION),
            frame(b"", CONTINUATION, fin=False),
        ):
            yield one * (READ // len(one))
        yield opening + frame(b"", CONTINUATION, fin=False) * 10_000

    def test_cut_off(self) -> None:
        """
        A flood of frames gets a small burst, rests of a second, and an end: before and after the session has
        authenticated.
        """
        for joined in (False, True):
            for flood in self.floods():
                self.setUp()
                (self.joined if joined else self.open)()
                reads = self.flood(flood, 60)
                # Each read has thousands of frames. A few of them pass, then one piece a second.
                self.assertLess(sum(reads), 3 * RESTS, (joined, flood[:12]))
                self.assertEqual(self.connection.state, self.connection.STATE_CLOSED)
                self.assertFalse(self.transport.connected)
                self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_turns(self) -> None:
        """One read with thousands of frames is handled a few at a time, and others have their turns between."""
        self.joined()
        pings = 1000
        self.connection.dataReceived(frame(b"", PING) * pings)
        most = STEPS_A_TURN // 2
        answered = [len(list(frames(self.sent())))]
        while not self.read_from:
            turn = self.clock.calls.pop(0)  # one by one: advance(0) makes those that it leads to as well
            self.assertEqual(turn.getTime(), self.clock.seconds())
            turn.func(*turn.args)
            answered.append(len(list(frames(self.sent()))))
        answered = [number for number in answered if number]  # the turn of all connections begins in between
        self.assertEqual(answered, [most] * (pings // most) + [pings % most])
        self.assertTrue(self.read_from)

    def test_told(self) -> None:
        """A connection that is cut off is told with 1008, and closed even if it does not answer."""
        self.open()
        flood = frame(b"", PING) * 1000
        heard = b""
        while self.transport.connected:
            if self.read_from:
                self.connection.dataReceived(flood)
            self.clock.advance(REST_SECONDS)
            heard += self.sent()
        first, payload = list(frames(heard))[-1]
        self.assertEqual((first, int.from_bytes(payload[:2], "big")), (0x80 | CLOSE, 1008))

    def test_inflated(self) -> None:
        """A compressed message counts as what it inflates to."""
        self.open(b"Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover")
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = (deflate.compress(b" " * 60_000) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
        self.assertLess(len(bomb), 200)
        for _ in range(4):
            self.connection.dataReceived(frame(bomb, rsv=4))
            self.assertTrue(self.read_from)
        self.connection.dataReceived(frame(bomb, rsv=4))
        self.assertFalse(self.read_from)

    def test_text(self) -> None:
        """A stranger's whole frames of text count as well, in bytes."""
        self.open()
        self.assertLess(sum(self.flood(frame(b" " * 60_000), 60)), 2 * RESTS)
        self.assertFalse(self.transport.connected)

    def test_begins_anew(self) -> None:
        """After a rest that was long enough, rests in a row are counted afresh."""
        self.open()
        for _ in range(3 * RESTS):
            self.flood(frame(b"", PING) * 600, 1)
            for _ in range(2):
                self.clock.advance(30)
            self.assertTrue(self.read_from)

    def test_limits_change(self) -> None:
        """A reload of the limits counts for the connections that are open."""
        self.joined()
        self.connection.dataReceived(frame(b"x" * 100, PING) * 10)
        self.assertTrue(self.read_from)
        self.factory.allow(Budgets(Budget(1000, 10), Budget(1000, 10)), 4096)
        self.connection.dataReceived(frame(b"x" * 100, PING) * 10)
        self.assertFalse(self.read_from)

    def test_held(self) -> None:
        """A session that waits for its answers is not read from at the end of a rest, nor a resting one afterwards."""
        self.joined()
        self.connection.pause()
        self.connection.dataReceived(frame(b"", PING) * 100)
        self.clock.advance(0)
        self.assertFalse(self.read_from)
        self.connection.resume()
        self.assertTrue(self.read_from)
        self.connection.pause()
        self.connection.dataReceived(frame(b"", PING) * 100)
        self.connection.resume()
        self.assertFalse(self.read_from)
        self.clock.advance(0)
        self.assertTrue(self.read_from)

    def test_opened_after_a_rest(self) -> None:
        """A connection whose handshake had to wait is read from once it is open."""
        self.factory.allow(Budgets(Budget(100, 1000), Budget(100, 1000)), 4096)
        self.connection.dataReceived(handshake(b"X: " + b"x" * 5000))
        self.assertEqual((self.read_from, self.sent()), (False, b""))
        self.clock.advance(REST_SECONDS)
        self.assertIn(b" 101 ", self.sent())
        self.assertTrue(self.read_from)

    def test_more_under_tls(self) -> None:
        """What TLS still hands over to a resting connection is kept, in its order."""
        self.joined()
        self.listener.events.clear()
        self.connection.dataReceived(frame(b"", PING) * 100)
        self.connection.dataReceived(frame(HEARTBEAT))
        self.assertEqual(self.listener.events, [])
        self.clock.advance(0)
        self.assertEqual(len(self.listener.events), 1)


class BehavingTests(BudgetTestCase):
    """Games that do what they are meant to do never notice."""

    def test_hour(self) -> None:
        """
        Heartbeats with 2000 players every 15 seconds, a ping each second, ten of the largest messages at once and two a
        second: for an hour, each read goes on.
        """
        self.joined()
        players = [f"{number:064}" for number in range(900)]
        heartbeat = frame(json.dumps({"event": "heartbeat", "payload": {"players": players}}).encode())
        message = frame({"event": "channels/send", "payload": {"message": "x" * 12_288}})
        self.connection.dataReceived(message * 10)
        for second in range(3600):
            self.connection.dataReceived(message * 2)
            self.connection.dataReceived(frame(b"ping", PING) + frame(b"pong", PONG))
            if second % 15 == 0:
                self.connection.dataReceived(heartbeat)
            self.assertTrue(self.read_from, second)
            self.clock.advance(1)

    def test_fragments(self) -> None:
        """A library that cuts each message into fragments of a kilobyte."""
        self.joined()
        self.listener.events.clear()
        pieces = [
            frame(b'{"event":"heartbeat"', TEXT, fin=False),
            *[frame(b" " * 1000, CONTINUATION, fin=False)] * 12,
            frame(b"}", CONTINUATION),
        ]
        for _ in range(100):
            for piece in pieces * 2:
                self.connection.dataReceived(piece)
            self.assertTrue(self.read_from)
            self.clock.advance(1)
        self.assertEqual(len(self.listener.events), 200)

    def test_byte_by_byte(self) -> None:
        """A handshake and an authenticate that come byte by byte."""
        for number in handshake() + frame({"event": "authenticate", "payload": {"client_id": "x" * 36}}):
            self.connection.dataReceived(bytes((number,)))
            self.assertTrue(self.read_from)
        self.assertEqual(len(self.listener.events), 1)


class UnfinishedTests(BudgetTestCase):
    """Messages of strangers that are not complete."""

    def another(self, address: str) -> None:
        """One more connection, from some address."""
        self.connection = self.made(IPv4Address("TCP", address, 4000))
        self.transport = StringTransportWithDisconnection(peerAddress=IPv4Address("TCP", address, 4000))
        self.transport.protocol = self.connection
        self.connection.makeConnection(self.transport)
        self.open()

    def test_authenticate(self) -> None:
        """An authenticate with 100 channels and 2000 players passes, in pieces as the network brings them."""
        self.open()
        payload = {
            "client_id": "x" * 36,
            "client_secret": "x" * 36,
            "supports": ["channels", "players", "tells", "games", "achievements"],
            "channels": [f"{number:015}" for number in range(100)],
            "players": [f"Conan the Great {number:08}" for number in range(2000)],
        }
        sent = frame({"event": "authenticate", "payload": payload})
        self.assertGreater(len(sent), 50_000)
        for start in range(0, len(sent), 1460):
            self.assertTrue(self.read_from)
            self.connection.dataReceived(sent[start : start + 1460])
        self.assertEqual(len(self.listener.events), 1)
        self.assertEqual(len(self.factory.seats), 0)
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_little(self) -> None:
        """Any number of connections can leave a little here."""
        for opcode in (TEXT, BINARY):
            for _ in range(2 * LARGE_PER_ADDRESS):
                self.another("192.0.2.1")
                self.connection.dataReceived(frame(b"x" * 4000, opcode, fin=False))
                self.assertIsNone(self.close_code())

    def test_large(self) -> None:
        """A few connections of an address can leave much here; the next is told to come later, other addresses not."""
        halves = (frame(b"x" * 62_000, TEXT, fin=False), frame(b"x" * 62_000)[:30_000], frame(b"x" * 62_000)[:8])
        for number in range(LARGE_PER_ADDRESS):
            self.another("192.0.2.1")
            self.connection.dataReceived(halves[number % 3])
            self.assertIsNone(self.close_code())
        for half in halves:
            self.another("192.0.2.1")
            self.connection.dataReceived(half)
            self.assertEqual(self.close_code(), 1013)
        self.another("192.0.2.2")
        self.connection.dataReceived(halves[0])
        self.assertIsNone(self.close_code())

    def test_in_time(self) -> None:
        """A large message must be complete after ten seconds."""
        self.open()
        self.connection.dataReceived(frame(b"x" * 10_000, TEXT, fin=False))
        self.clock.advance(OPEN_SECONDS - 1)
        self.assertIsNone(self.close_code())
        self.clock.advance(1)
        self.assertEqual(self.close_code(), 1008)
        self.clock.advance(1)
        self.assertEqual((len(self.factory.seats), self.clock.getDelayedCalls()), (0, []))

    def test_room_again(self) -> None:
        """A message that is complete, and a connection that ends, make room."""
        self.open()
        self.connection.dataReceived(frame(b"x" * 10_000, TEXT, fin=False))
        self.assertEqual(len(self.factory.seats), 1)
        self.connection.dataReceived(frame(b"", CONTINUATION))
        self.clock.advance(0)
        self.assertEqual((len(self.factory.seats), self.clock.getDelayedCalls()), (0, []))
        self.connection.dataReceived(frame(b"x" * 10_000, TEXT, fin=False))
        self.transport.loseConnection()
        self.clock.advance(0)
        self.assertEqual((len(self.factory.seats), self.clock.getDelayedCalls()), (0, []))

    def test_member(self) -> None:
        """A session that has authenticated needs no room."""
        self.joined()
        self.connection.dataReceived(frame(b"x" * 60_000, TEXT, fin=False))
        self.clock.advance(60)
        self.assertEqual((len(self.factory.seats), self.close_code()), (0, None))
