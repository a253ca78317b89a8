"""The link to a router: states, times, the login, and the pace of what is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.intermud3.gateway.link import (
    DIAL_SECONDS,
    STARTUP_SECONDS,
    Dial,
    Do,
    Down,
    HangUp,
    Heard,
    Introduction,
    Link,
    Note,
    Save,
    State,
    Up,
    Write,
)
from gossip.transports.intermud3.gateway.outgoing import IN_ANY_SECOND, PATIENCE, WAITING, Outgoing
from gossip.transports.intermud3.gateway.settings import Router
from gossip.transports.intermud3.mudmode import frame
from gossip.transports.intermud3.packets import TTL, Packet, error
from tests.support.properties import examples
from tests.transports.intermud3 import strict

FIRST, SECOND = Router("*one", "192.0.2.1", 8080), Router("*two", "192.0.2.2", 8080)
US = Introduction("Gossip", "gossip 1.0", "admin@example.org", "https://gossip.example.org")
HELLO = Packet("tell", TTL, "Gossip", "ana.mymud", "Foo", "bob", ("Ana.MyMUD", "hi")).frame


def reply(password: int = 7) -> bytes:
    """What a router answers to a login."""
    listed = [["*one", "192.0.2.1 8080"], ["*other", "192.0.2.9 8080"]]
    return frame(["startup-reply", 5, "*one", 0, "Gossip", 0, listed, password])


class LinkTestCase(SynchronousTestCase):
    """A link to two routers, at a time of its own."""

    chance = 0.5

    def setUp(self) -> None:
        self.now = 1000.0
        self.link = Link((FIRST, SECOND), US, lambda: self.chance)

    def do(self, method: Callable[..., list[Do]], *arguments: Any) -> list[Do]:
        return method(*arguments, self.now)

    def wait(self, seconds: float) -> list[Do]:
        """Time goes by; the link is told each second."""
        outputs: list[Do] = []
        for _ in range(int(seconds)):
            self.now += 1
            outputs += self.do(self.link.tick)
        return outputs

    def until_dialled(self, most: float = 100_000) -> tuple[float, Router]:
        """Wait for the next attempt: how long it took, and the router."""
        began = self.now
        while self.now < began + most:
            for output in self.wait(1):
                if isinstance(output, Dial):
                    return self.now - began, output.router
        raise AssertionError("no attempt")

    def connect(self) -> list[Do]:
        self.do(self.link.start)
        return self.do(self.link.connected)

    def come_up(self) -> None:
        self.connect()
        self.do(self.link.receive, reply())
        self.do(self.link.saved, True)
        self.assertIs(self.link.state, State.UP)


class LoginTests(LinkTestCase):
    """From the first attempt until the link is up."""

    def test_startup(self) -> None:
        """On connect, one packet leaves, of exactly 20 elements."""
        self.assertEqual(self.do(self.link.start), [Dial(FIRST)])
        [output] = self.do(self.link.connected)
        assert isinstance(output, Write)
        self.assertEqual(
            output.data[4:-1],
            b'({"startup-req-3",5,"Gossip",0,"*one",0,0,0,0,0,0,0,"gossip 1.0","gossip","Python","Other",'
            b'"open for public","admin@example.org",(["tell":1,"channel":1,"who":1,"finger":1,"locate":1,"auth":1,]),'
            b'(["url":"https://gossip.example.org",]),})',
        )
        [value] = strict.frames(output.data)
        self.assertEqual(len(value), 20)

    def test_password(self) -> None:
        """The password is kept before the link is up, and used from then on."""
        self.connect()
        self.assertEqual(self.do(self.link.receive, reply(661222234)), [Save("*one", 661222234)])
        self.assertIs(self.link.state, State.STARTUP)
        self.assertEqual(self.wait(STARTUP_SECONDS + 10), [])
        self.assertEqual([type(each) for each in self.do(self.link.saved, True)], [Note, Up])
        self.assertEqual(self.link.routers, [("*one", "192.0.2.1 8080"), ("*other", "192.0.2.9 8080")])
        self.do(self.link.lost, "end of connection")
        self.until_dialled()
        [output] = self.do(self.link.connected)
        assert isinstance(output, Write)
        self.assertIn(b'"*one",0,661222234,0,0,', output.data)
        self.assertEqual([type(each) for each in self.do(self.link.receive, reply(661222234))], [Note, Up])

    def test_not_kept(self) -> None:
        """A password that cannot be kept ends the attempt."""
        self.connect()
        self.do(self.link.receive, reply())
        self.assertIn(HangUp(), self.do(self.link.saved, False))
        self.assertIs(self.link.state, State.OFF)
        self.assertEqual(self.do(self.link.saved, True), [])

    def test_silent_router(self) -> None:
        """A router that does not accept, or does not answer, is given up."""
        self.do(self.link.start)
        self.assertEqual(self.wait(DIAL_SECONDS - 1), [])
        self.assertIn(HangUp(), self.wait(1))
        self.until_dialled()
        self.do(self.link.connected)
        self.assertEqual(self.wait(STARTUP_SECONDS - 1), [])
        self.assertIn(HangUp(), self.wait(1))

    def test_refused(self) -> None:
        """A router that refuses us is left alone for an hour, then for two, up to a day; others are tried."""
        self.link = Link((FIRST,), US, lambda: 0.5)
        refusal = error("*one", "Gossip", "", "not-allowed", "banned").frame
        self.connect()
        hours = []
        for _ in range(7):
            outputs = self.do(self.link.receive, refusal)
            self.assertEqual(outputs[0], HangUp())
            self.assertIn("banned", outputs[1].text if isinstance(outputs[1], Note) else "")
            seconds, _ = self.until_dialled(200_000)
            hours.append(round(seconds / 3600))
            self.do(self.link.connected)
        self.assertEqual(hours, [1, 2, 4, 8, 16, 24, 24])

    def test_refused_and_next(self) -> None:
        """After a refusal, the next router is tried, not before 15 seconds have gone by since the last attempt."""
        self.connect()
        self.do(self.link.receive, error("*one", "Gossip", "", "not-allowed", "no").frame)
        self.assertEqual(self.until_dialled(), (15, SECOND))
        self.do(self.link.lost, "no")
        self.assertEqual(self.until_dialled(), (30, SECOND))

    def test_warning(self) -> None:
        """A warning refuses nothing."""
        self.connect()
        outputs = self.do(self.link.receive, error("*one", "Gossip", "", "warning", "hm").frame)
        self.assertEqual([type(each) for each in outputs], [Heard])
        self.assertIs(self.link.state, State.STARTUP)


class RetryTests(LinkTestCase):
    """When a router is dialled again."""

    def test_failures(self) -> None:
        """The same router after 30 seconds, then 60; after three failures the next one."""
        self.do(self.link.start)
        tried = []
        for _ in range(8):
            self.do(self.link.lost, "refused")
            tried.append(self.until_dialled())
        self.assertEqual(
            tried,
            [
                (30, FIRST),
                (60, FIRST),
                (15, SECOND),
                (30, SECOND),
                (60, SECOND),
                (15, FIRST),
                (240, FIRST),
                (480, FIRST),
            ],
        )

    def test_longest(self) -> None:
        """The time between two attempts grows to 15 minutes, and varies by a fifth."""
        self.link = Link((FIRST,), US, lambda: self.chance)
        self.do(self.link.start)
        for _ in range(9):
            self.do(self.link.lost, "refused")
            self.until_dialled()
        for self.chance, expected in ((0.5, 900), (0.0, 720), (1.0, 1080)):
            self.do(self.link.lost, "refused")
            self.assertEqual(self.until_dialled()[0], expected)

    def test_settled(self) -> None:
        """Five minutes up, and earlier failures do not count."""
        self.do(self.link.start)
        self.do(self.link.lost, "refused")
        self.until_dialled()
        self.do(self.link.connected)
        self.do(self.link.receive, reply())
        self.do(self.link.saved, True)
        for _ in range(6):
            self.wait(50)
            self.do(self.link.receive, HELLO)
        self.wait(1)
        self.assertIn(Down(), self.do(self.link.lost, "end"))
        self.assertEqual(self.until_dialled(), (30, FIRST))

    def test_retry(self) -> None:
        """An operator can have it dialled at once, but never twice in 15 seconds."""
        self.connect()
        self.do(self.link.receive, error("*one", "Gossip", "", "not-allowed", "no").frame)
        self.assertEqual(self.do(self.link.retry), [])
        self.assertEqual(self.until_dialled(), (15, FIRST))
        self.do(self.link.lost, "refused")
        self.now += 20
        self.assertEqual(self.do(self.link.retry), [Dial(FIRST)])

    def test_stop(self) -> None:
        """On a stop the router is told for how long, and nothing is dialled any more."""
        self.come_up()
        outputs = self.do(lambda now: self.link.stop(now, 60))
        assert isinstance(outputs[0], Write)
        self.assertEqual(outputs[0].data[4:-1], b'({"shutdown",5,"Gossip",0,"*one",0,60,})')
        self.assertEqual(outputs[1:], [HangUp(), Down()])
        self.assertEqual(self.wait(4000), [])


class AliveTests(LinkTestCase):
    """A link that is up."""

    def test_silence(self) -> None:
        """After two minutes of silence it asks itself for a sign of life; after five the link is lost."""
        self.come_up()
        self.assertEqual(self.wait(119), [])
        [ping] = self.wait(1)
        assert isinstance(ping, Write)
        self.assertEqual(ping.data[4:-1], b'({"auth-mud-req",5,"Gossip",0,"Gossip",0,})')
        self.do(self.link.receive, ping.data)
        self.assertEqual(self.wait(119), [])
        self.assertEqual(len(self.wait(180)), 2)
        self.assertIn(Down(), self.wait(1))

    def test_malformed(self) -> None:
        """What makes no sense is left out; the third within a minute ends the connection."""
        self.come_up()
        junk = frame([1])[:-3] + b"x\0\0"
        for _ in range(2):
            self.assertEqual(self.do(self.link.receive, junk + HELLO)[-1].__class__, Heard)
            self.now += 31
        self.assertEqual(self.do(self.link.receive, junk)[-1:], [])
        self.assertIn(Down(), self.do(self.link.receive, junk))
        self.assertEqual(self.link.malformed, 4)

    def test_too_long(self) -> None:
        """A frame of over two megabytes is left out, wherever its pieces end; what follows is read."""
        self.come_up()
        size = 2 * 1024 * 1024 + 1
        data = size.to_bytes(4, "big") + b"x" * size + HELLO
        outputs = []
        for start in range(0, len(data), 60_000):
            outputs += self.do(self.link.receive, data[start : start + 60_000])
        self.assertEqual([type(each) for each in outputs], [Heard])
        self.assertEqual(self.link.malformed, 1)

    def test_second_reply(self) -> None:
        """A second startup-reply changes nothing."""
        self.come_up()
        self.assertEqual(self.do(self.link.receive, reply(8)), [])
        self.assertEqual(self.link.password, 7)

    def test_down(self) -> None:
        """Nothing is sent while the link is not up, or kept for later."""
        self.connect()
        self.assertEqual(self.do(lambda now: self.link.send(HELLO, True, now)), [])
        self.do(self.link.receive, reply())
        self.assertEqual([type(each) for each in self.do(self.link.saved, True)], [Note, Up])
        self.assertEqual(self.link.sent["tell"], 0)

    @given(st.lists(st.binary(max_size=40), max_size=8))
    @examples(50)
    def test_anything(self, pieces: list[bytes]) -> None:
        """No byte sequence raises."""
        self.setUp()
        self.come_up()
        for piece in pieces:
            self.do(self.link.receive, piece)
            self.do(self.link.receive, len(piece).to_bytes(4, "big") + piece)


class PaceTests(SynchronousTestCase):
    """The queue to the router."""

    def test_pace(self) -> None:
        """Eight leave at once, then four a second."""
        outgoing = Outgoing()
        for number in range(30):
            outgoing.add(b"%d" % number, False, 100.0)
        self.assertEqual(len(outgoing.due(100.0)), 8)
        self.assertEqual(outgoing.wait(100.0), 0.25)
        left = [len(outgoing.due(100.0 + quarter / 4)) for quarter in range(1, 13)]
        self.assertLessEqual(sum(left[:3]), 3)
        self.assertEqual(sum(left), 12)

    def test_urgent(self) -> None:
        """What is urgent leaves first, and each kind in its order."""
        outgoing = Outgoing()
        outgoing.count(7, 0.0)
        for number in range(3):
            outgoing.add(b"c%d" % number, False, 0.0)
            outgoing.add(b"t%d" % number, True, 0.0)
        left = [each for quarter in range(8) for each in outgoing.due(quarter / 4)]
        self.assertEqual(left, [b"t0", b"t1", b"t2", b"c0", b"c1", b"c2"])

    def test_patience(self) -> None:
        """What waits for 20 seconds is dropped, and so is what finds the queue full; both are counted."""
        outgoing = Outgoing()
        for _ in range(WAITING + 5):
            outgoing.add(b"x", False, 0.0)
        self.assertEqual((len(outgoing), outgoing.dropped), (WAITING, 5))
        outgoing.due(PATIENCE)
        self.assertEqual((len(outgoing), outgoing.dropped), (0, WAITING + 5))
        self.assertIsNone(outgoing.wait(PATIENCE))

    @given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 12), st.booleans()), max_size=60), st.booleans())
    @examples(60)
    def test_any_second(self, steps: list[tuple[int, int, bool]], login: bool) -> None:
        """At most ten packets leave in any second, and no more waits than fits."""
        outgoing, now, times = Outgoing(), 5000.0, []
        if login:
            outgoing.count(6, now)
            times += [now] * 6
        for pause, count, urgent in steps:
            now += pause / 1000
            for _ in range(count):
                outgoing.add(b"x", urgent, now)
            times += [now] * len(outgoing.due(now))
        for index, time in enumerate(times[IN_ANY_SECOND:]):
            self.assertGreaterEqual(time, times[index] + 1 - 1e-6)
