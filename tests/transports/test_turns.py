"""L{gossip.transports.turns}, and how the connections of each listener use it."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.session import Session
from gossip.protocol.events import ClientEvent
from gossip.transports.admission import Admission
from gossip.transports.sniffer import PIECE_BYTES, RequestLineSnifferFactory
from gossip.transports.turns import TURN_SECONDS, Turns
from gossip.transports.websocket.server import COUNTED_BYTES
from tests.support.guests import Guests
from tests.support.imc2_games import Imc2TestCase
from tests.support.rawsocket import frame, handshake
from tests.support.telnet_games import TelnetTestCase
from tests.support.websocket_games import Listener, WebSocketTestCase

WORK = TURN_SECONDS * 0.3
"""How long one event takes in these tests: four are more than a turn."""

Order = list[str]


def one_turn(clock: Clock) -> None:
    """One turn of the reactor: what is due now, but nothing that comes of it. C{advance} does not stop there."""
    for call in [call for call in clock.calls if call.getTime() <= clock.seconds()]:
        if call.active():
            clock.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)


class Worker:
    """A connection that has some work, and says when it did a part of it."""

    def __init__(self, name: str, parts: int, clock: Clock, turns: Turns, done: Order) -> None:
        self.name = name
        self.parts = parts
        self.clock = clock
        self.turns = turns
        self.done = done

    def have_turn(self) -> None:
        while self.parts:
            self.parts -= 1
            self.done.append(self.name)
            self.clock.rightNow += WORK
            if self.parts and not self.turns.open():
                self.turns.wait(self, large=self.name.isupper())
                return


class TurnsTests(SynchronousTestCase):
    """Connections without a network."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.turns = Turns(self.clock)
        self.done: Order = []

    def wait(self, name: str, parts: int = 1) -> Worker:
        worker = Worker(name, parts, self.clock, self.turns, self.done)
        self.turns.open()
        self.turns.wait(worker, large=name.isupper())
        return worker

    def turn(self) -> str:
        self.done.clear()
        one_turn(self.clock)
        return "".join(self.done)

    def test_open(self) -> None:
        """A turn is open for some time; the next one is as long."""
        for _ in range(2):
            self.assertTrue(self.turns.open())
            self.clock.rightNow += TURN_SECONDS / 2
            self.assertTrue(self.turns.open())
            self.clock.rightNow += TURN_SECONDS / 2
            self.assertFalse(self.turns.open())
            self.turn()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_in_turns(self) -> None:
        """Those that wait go on one after the other, each with what fits into a turn."""
        self.wait("a", 6)
        self.wait("b", 2)
        self.assertEqual([self.turn(), self.turn(), self.turn()], ["aaaa", "bbaa", ""])

    def test_small_first(self) -> None:
        """Those with little to do go first; one of the others goes on all the same."""
        self.wait("A", 9)
        self.wait("B")
        self.wait("c", 5)
        self.assertEqual([self.turn(), self.turn(), self.turn(), self.turn()], ["ccccA", "cBAA", "AAAA", "AA"])

    def test_share_of_reads(self) -> None:
        """When those that waited have had their time, there is as much for what is read in that turn."""
        self.wait("a", 9)
        self.assertEqual(self.turn(), "aaaa")
        self.assertTrue(self.turns.open())
        self.clock.rightNow += TURN_SECONDS
        self.assertFalse(self.turns.open())

    def test_left(self) -> None:
        """A connection that has ended waits no longer."""
        self.wait("a")
        self.turns.leave(self.wait("b"))
        self.turns.leave(self.wait("C"))
        self.assertEqual(self.turn() + self.turn(), "a")

    def test_mistake(self) -> None:
        """A mistake on one connection keeps no other from its turn."""
        self.wait("a").done = None  # type: ignore[assignment]
        self.wait("b")
        self.assertEqual(self.turn(), "b")
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)


class SlowListener(Listener):
    """A network that takes its time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.heard: Order = []

    def received(self, session: Session, event: ClientEvent) -> None:
        super().received(session, event)
        assert isinstance(event.ref, msgspec.Raw)
        self.heard.append(msgspec.json.decode(event.ref))
        self.clock.rightNow += WORK


def beat(ref: str, size: int = 0) -> bytes:
    """A heartbeat, and about how many bytes it has."""
    return frame({"event": "heartbeat", "ref": ref, "payload": {"players": ["x" * size]}})


class WebSocketTests(WebSocketTestCase):
    """Games that send much work at once."""

    def setUp(self) -> None:
        super().setUp()
        self.admission.per_address = 0
        self.factory.gossip = self.slow = SlowListener(self.clock)

    def game(self) -> Any:
        self.connect()
        self.open()
        return self.connection

    def turn(self) -> str:
        """What was heard since the last turn; then the next one begins."""
        heard = " ".join(self.slow.heard)
        self.slow.heard.clear()
        one_turn(self.clock)
        return heard

    def test_bounded(self) -> None:
        """A turn handles what it has time for; the rest is kept, and handled in order by turns. Not much is kept."""
        a, b = self.game(), self.game()
        a.dataReceived(b"".join(beat(f"a{number}") for number in range(6)))
        self.assertTrue(a._reading)
        a.dataReceived(beat("a6"))
        self.assertFalse(a._reading)
        b.dataReceived(beat("b0") + beat("b1"))
        self.assertEqual([self.turn() for _ in range(4)], ["a0 a1 a2 a3", "a4 a5 a6 b0", "b1", ""])
        self.assertTrue(a._reading and b._reading)
        self.assertEqual((a.data, b.data), (b"", b""))

    def test_small_first(self) -> None:
        """A game with one small event does not wait for those with large ones."""
        large = [self.game() for _ in range(6)]
        small = self.game()
        for number, one in enumerate(large):
            one.dataReceived(beat(f"L{number}", COUNTED_BYTES) + beat(f"M{number}", COUNTED_BYTES))
        small.dataReceived(beat("s"))
        self.assertEqual([self.turn(), self.turn()], ["L0 M0 L1 M1", "s L2 M2 L3"])

    def test_unusual(self) -> None:
        """Fragments and frames in pieces are kept for a later turn as well."""
        a = self.game()
        halves = beat("a5")
        fragments = frame(b'{"event":"heartbeat",', 1, fin=False) + frame(b'"ref":"a4"}', 0)
        a.dataReceived(b"".join(beat(f"a{number}") for number in range(4)) + fragments + halves[:9])
        a.dataReceived(halves[9:])
        self.assertEqual([self.turn() for _ in range(2)], ["a0 a1 a2 a3", "a4 a5"])

    def test_end(self) -> None:
        """A connection that ends while it waits is forgotten; nothing more of it is heard."""
        a = self.game()
        a.dataReceived(b"".join(beat(f"a{number}") for number in range(7)))
        self.transport.loseConnection()
        self.assertEqual([self.turn() for _ in range(3)], ["a0 a1 a2 a3", "", ""])
        self.assertEqual(list(self.factory.turns._small), [])

    def test_half_closed(self) -> None:
        """What a game sent before it closed its side is handled before its session ends."""
        a = self.game()
        a.dataReceived(b"".join(beat(f"a{number}") for number in range(6)))
        a.readConnectionLost()
        self.assertEqual((self.turn(), self.slow.done), ("a0 a1 a2 a3", [a._session]))
        self.assertEqual(self.turn(), "a4 a5")

    def test_handshake(self) -> None:
        """A request for the socket waits, too, and what came with it comes after it."""
        a = self.game()
        a.dataReceived(b"".join(beat(f"a{number}") for number in range(5)))
        self.connect()
        self.connection.dataReceived(handshake() + beat("b"))
        self.assertEqual((self.sent(), self.turn()), (b"", "a0 a1 a2 a3"))
        self.assertIn(b"101 Switching", self.sent())
        self.assertEqual(self.turn(), "a4 b")


class TelnetTests(TelnetTestCase):
    """Games at the telnet port."""

    def test_bounded(self) -> None:
        """A turn handles the lines that it has time for; others have their turn before the rest."""
        done: Order = []
        receive = self.world.network.receive

        def slowly(session: Session, event: ClientEvent, now: Any) -> Any:
            done.append(session.client_id)
            self.clock.rightNow += WORK
            return receive(session, event, now)

        a, b = self.login("Alpha"), self.login("Beta")
        self.patch(self.world.network, "receive", slowly)
        a.connection.dataReceived(b"".join(b"PING %d\n" % number for number in range(7)))
        b.connection.dataReceived(b"PING 7\n")
        self.assertEqual(len(done), 4)
        self.turn()
        alpha, beta = (self.world.client_id(name) for name in ("Alpha", "Beta"))
        self.assertEqual(done, [*[alpha] * 7, beta])
        pongs = [[line for line in mud.lines() if line.startswith("PONG")] for mud in (a, b)]
        self.assertEqual(pongs, [[f"PONG {number}" for number in range(7)], ["PONG 7"]])


class Imc2Tests(Imc2TestCase):
    """Games at the IMC2 port."""

    def test_bounded(self) -> None:
        """A turn handles the lines that it has time for, in order; one with few lines does not wait for many."""
        done: Order = []
        receive = self.world.network.receive
        names = {self.world.client_id(name): name for name in ("Alpha", "Beta")}

        def slowly(session: Session, event: ClientEvent, now: Any) -> Any:
            done.append(names[session.client_id])
            self.clock.rightNow += WORK
            return receive(session, event, now)

        a, b = self.login("Alpha"), self.login("Beta")
        a.raw()
        self.patch(self.world.network, "receive", slowly)
        question = "*@{name} {number} {name} ice-refresh IMC@$\n"
        a.send("".join(question.format(name="Alpha", number=number) for number in range(19)).encode())
        b.send(question.format(name="Beta", number=1).encode())
        self.assertEqual((done, a.connection._reading), (["Alpha"] * 4, False))
        self.turn()
        self.assertEqual(done.index("Beta"), 4)
        self.assertEqual(done.count("Alpha"), 19)
        self.assertEqual([len(mud.lines()) for mud in (a, b)], [19, 1])
        self.assertTrue(a.connection._reading)

    def test_end(self) -> None:
        """A connection that ends while it waits is forgotten."""
        a, b = self.login("Alpha"), self.login("Beta")
        self.factory.turns.open()
        self.clock.rightNow += TURN_SECONDS
        for mud in (a, b):
            mud.send(b"x\n")
        a.wire.loseConnection()
        self.assertEqual(list(self.factory.turns._small), [b.connection])


class PageTests(SynchronousTestCase):
    """Browsers."""

    def test_bounded(self) -> None:
        """What a browser sends waits for its turn; a piece is passed on at least."""
        clock = Clock()
        people = Guests()
        factory = RequestLineSnifferFactory(clock, Guests(), people, Admission(0, 0, 0), most=100, seconds=10)
        transport = StringTransportWithDisconnection()
        protocol: Any = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
        transport.protocol = protocol
        protocol.makeConnection(transport)
        protocol.dataReceived(b"GET / HTTP/1.1\r\n")
        clock.rightNow += TURN_SECONDS
        protocol.dataReceived(b"x" * 3 * PIECE_BYTES)
        [guest] = people.made
        self.assertEqual((len(guest.heard), protocol._reading), (16, False))
        clock.advance(0)
        self.assertEqual((len(guest.heard), protocol._reading), (16 + 3 * PIECE_BYTES, True))
