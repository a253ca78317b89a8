"""L{gossip.service.fanout}."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from gossip.network.session import Session
from gossip.protocol.errors import Error
from gossip.protocol.server_events import ServerEvent, Success
from gossip.registry.addresses import read
from gossip.service.fanout import Fanout, Routes
from gossip.service.interfaces import IConnection, IWireFormat


@implementer(IWireFormat)
class Names:
    """A wire format that counts how often it writes."""

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, event: ServerEvent) -> bytes:
        self.encoded += 1
        assert isinstance(event, Success)
        return event.wire.encode()


@implementer(IConnection)
class Recorder:
    """A connection that remembers each write."""

    transport_name = "memory"
    peer_address = read("192.0.2.1")
    unsent = 0
    direct_send: Any = None

    def __init__(self, wire_format: IWireFormat, fails: bool = False) -> None:
        self.wire_format = wire_format
        self.written: list[Any] = []
        self._fails = fails

    def write(self, data: bytes) -> None:
        if self._fails:
            raise RuntimeError("a mistake")
        self.written.append(data)

    def spill(self, rest: bytes) -> None:
        self.write(rest)

    def close(self, code: int, why: Error) -> None:
        self.written.append((code, why.text))

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass


class Direct(Recorder):
    """A connection with a direct route, which takes as many bytes as it is told."""

    def __init__(self, wire_format: IWireFormat) -> None:
        super().__init__(wire_format)
        self.takes: int | None = 1000
        self.direct_send: Any = self.take

    def take(self, data: bytes) -> int:
        if self.takes is None:
            raise BlockingIOError
        self.written.append(("direct", data))
        return min(self.takes, len(data))

    def spill(self, rest: bytes) -> None:
        self.written.append(("spilled", rest))


def event(wire: str) -> Success:
    return Success(wire, None)


class FanoutTests(SynchronousTestCase):
    """What leaves in a turn of the reactor is written at its end."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.format = Names()
        self.sessions = tuple(Session() for _ in range(3))
        self.connections: dict[Session, IConnection] = {}
        self.recorders = [Recorder(self.format) for _ in self.sessions]
        for session, recorder in zip(self.sessions, self.recorders, strict=True):
            self.connections[session] = recorder
        self.fanout = Fanout(self.clock, self.connections)

    def written(self) -> list[list[Any]]:
        self.clock.advance(0)
        return [recorder.written for recorder in self.recorders]

    def test_interfaces(self) -> None:
        """The test's own connection is one."""
        verifyObject(IConnection, self.recorders[0])
        verifyObject(IWireFormat, self.format)

    def test_end_of_turn(self) -> None:
        """Nothing is written before the end of the turn, and nothing is left to do after it."""
        self.fanout.send(self.sessions, event("a"))
        self.assertEqual([recorder.written for recorder in self.recorders], [[], [], []])
        self.assertEqual(self.written(), [[b"a"]] * 3)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_encoded_once(self) -> None:
        """An event is written once for all connections of a wire format."""
        self.fanout.send(self.sessions, event("a"))
        self.fanout.send(self.sessions, event("b"))
        self.assertEqual(self.written(), [[b"ab"]] * 3)
        self.assertEqual(self.format.encoded, 2)
        self.assertEqual(self.fanout.deliveries, 6)

    def test_each_format(self) -> None:
        """Connections of different wire formats get the event each in its own."""
        other = Names()
        self.recorders[2].wire_format = other
        self.fanout.send(self.sessions, event("a"))
        self.written()
        self.assertEqual((self.format.encoded, other.encoded), (1, 1))

    def test_order(self) -> None:
        """Of several audiences each connection gets its own in the order of the calls, in one write."""
        one, two, three = self.sessions
        self.fanout.send((one, two), event("a"))
        self.fanout.send((two,), event("b"))
        self.fanout.send((three, two), event("c"))
        self.assertEqual(self.written(), [[b"a"], [b"abc"], [b"c"]])

    def test_one_audience_and_answers(self) -> None:
        """Beside one audience the answers to single sessions keep their order without being put together."""
        _, two, three = self.sessions
        self.fanout.send((two,), event("a"))
        self.fanout.send(self.sessions, event("b"))
        self.fanout.send((three,), event("c"))
        self.assertEqual(self.written(), [[b"b"], [b"a", b"b"], [b"b", b"c"]])

    def test_one_session(self) -> None:
        """What one session is told in a turn is written at once, also where others are told in between."""
        for wire in ("a", "b"):
            self.fanout.send((self.sessions[0],), event(wire))
        self.fanout.send((self.sessions[1],), event("c"))
        self.clock.advance(0)
        self.assertEqual(self.written()[:2], [[b"ab"], [b"c"]])

    def test_close_comes_last(self) -> None:
        """A connection is closed after what was sent to it, also what was sent later in the turn."""
        self.fanout.close(self.sessions[0], 4000, Error.of("goodbye"))
        self.fanout.send(self.sessions[:1], event("a"))
        self.assertEqual(self.written()[0], [b"a", (4000, "goodbye")])

    def test_gone(self) -> None:
        """A session that is gone by the end of the turn is passed over."""
        self.fanout.send(self.sessions, event("a"))
        self.fanout.close(self.sessions[1], 4000, Error.of("goodbye"))
        del self.connections[self.sessions[1]]
        self.assertEqual(self.written(), [[b"a"], [], [b"a"]])

    def test_flush(self) -> None:
        """A flush writes at once, and only once."""
        self.fanout.send(self.sessions, event("a"))
        self.fanout.flush()
        self.fanout.flush()
        self.assertEqual([recorder.written for recorder in self.recorders], [[b"a"]] * 3)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_mistake_on_one_connection(self) -> None:
        """A connection that fails keeps nobody else from its frames, and is logged."""
        self.connections[self.sessions[0]] = Recorder(self.format, fails=True)
        self.fanout.send(self.sessions, event("a"))
        self.assertEqual(self.written()[1:], [[b"a"], [b"a"]])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_mistake_in_a_format(self) -> None:
        """An event that cannot be written is logged, and the rest of the turn goes out."""

        @implementer(IWireFormat)
        class Broken:
            def encode(self, event: ServerEvent) -> bytes:
                raise RuntimeError("a mistake")

        self.recorders[0].wire_format = Broken()
        self.fanout.send(self.sessions, event("a"))
        self.assertEqual(self.written(), [[], [b"a"], [b"a"]])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class DirectTests(SynchronousTestCase):
    """The way past C{write}, for whole audiences."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.recorders = [Direct(Names()) for _ in range(3)]
        self.format = self.recorders[0].wire_format = self.recorders[1].wire_format = Names()
        self.sessions = tuple(Session() for _ in self.recorders)
        self.connections: dict[Session, IConnection] = dict(zip(self.sessions, self.recorders, strict=True))
        self.fanout = Fanout(self.clock, self.connections)

    def send(self, wire: str) -> list[list[Any]]:
        self.fanout.send(self.sessions, event(wire))
        self.clock.advance(0)
        written = [recorder.written for recorder in self.recorders]
        for recorder in self.recorders:
            recorder.written = []
        return written

    def test_direct(self) -> None:
        """What can go the direct route does, for each wire format written once."""
        self.assertEqual(self.send("abc"), [[("direct", b"abc")]] * 3)
        self.assertEqual(self.format.encoded, 1)

    def test_short(self) -> None:
        """What is not taken is spilled, also after an error; the others do not notice."""
        self.recorders[0].takes = 1
        self.recorders[1].takes = None
        expected = [[("direct", b"abc"), ("spilled", b"bc")], [("spilled", b"abc")], [("direct", b"abc")]]
        self.assertEqual(self.send("abc"), expected)

    def test_old_and_new_clients(self) -> None:
        """Audiences without a common session are written to directly, each at once, however they took turns."""
        old, new = self.sessions[:2], (self.sessions[2], Session())
        for wire in ("a", "b"):
            self.fanout.send(old, event(wire))
            self.fanout.send(new, event(wire.upper()))
        self.clock.advance(0)
        direct = [("direct", b"ab"), ("direct", b"ab"), ("direct", b"AB")]
        self.assertEqual([recorder.written for recorder in self.recorders], [[each] for each in direct])
        self.fanout.lost()
        self.assertEqual(self.fanout._known_apart, {})

    def test_common_session(self) -> None:
        """Audiences with a common session are put together, and it hears all in the order of the calls."""
        one, both = self.sessions[:2], self.sessions[1:]
        for wire in ("a", "b"):
            self.fanout.send(one, event(wire))
            self.fanout.send(both, event(wire.upper()))
        self.clock.advance(0)
        self.assertEqual([recorder.written for recorder in self.recorders], [[b"ab"], [b"aAbB"], [b"AB"]])

    def test_put_together_once(self) -> None:
        """Connections in the same audiences get the same, put together once; an answer keeps its place in between."""
        everybody, some, one = self.sessions, self.sessions[:2], self.sessions[2:]
        self.recorders[2].wire_format = self.format
        for number, sessions in enumerate([everybody, some, everybody, one, everybody]):
            self.fanout.send(sessions, event("abcde"[number]))
        self.clock.advance(0)
        written = [recorder.written for recorder in self.recorders]
        self.assertEqual(written, [[b"abce"], [b"abce"], [b"acde"]])
        self.assertIs(written[0][0], written[1][0])

    def test_lost_and_found(self) -> None:
        """A connection that loses its direct route is written to like others, until it has it again."""
        self.send("a")
        self.recorders[0].direct_send = None
        Routes.generation += 1
        self.assertEqual(self.send("b")[0], [b"b"])
        self.recorders[0].direct_send = self.recorders[0].take
        Routes.generation += 1
        self.assertEqual(self.send("c")[0], [("direct", b"c")])

    def test_gone(self) -> None:
        """A session that is gone is passed over, though the audience was known."""
        self.send("a")
        del self.connections[self.sessions[0]]
        Routes.generation += 1
        self.assertEqual(self.send("b"), [[], [("direct", b"b")], [("direct", b"b")]])

    def test_nothing_kept_of_the_lost(self) -> None:
        """A connection that is gone is forgotten at once, though no outlet changed."""
        self.send("a")
        del self.connections[self.sessions[0]]
        self.fanout.lost()
        self.assertEqual(self.send("b")[0], [])

    def test_another_audience(self) -> None:
        """What is known of an audience is not taken for another that came to stand in its place in memory."""
        self.send("a")
        fewer = self.sessions[:2]
        self.fanout._known_routes[id(fewer)] = self.fanout._known_routes[id(self.sessions)]
        self.fanout.send(fewer, event("b"))
        self.clock.advance(0)
        self.assertEqual(self.recorders[2].written, [])
