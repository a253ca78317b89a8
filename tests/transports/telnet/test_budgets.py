"""What one telnet connection can send, and what it can leave unfinished."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from gossip.transports.inlet import REST_SECONDS, RESTS
from gossip.transports.telnet.connection import DECODED_BYTES
from gossip.transports.telnet.limits import TelnetLimits
from tests.support.telnet_games import DO, IAC, MCCP3, SB, SE, WILL, Mud, TelnetTestCase, compressed

READ = 65536
"""What the reactor reads at once, in bytes."""

NOP, AYT, GA, NAWS = 241, 246, 249, 31


def floods() -> Iterator[bytes]:
    """The worst reads of each kind."""
    for one in (
        b"\n",
        b"\r\n",
        b"\r\0\n",
        b" \n",
        bytes((IAC, NOP)),
        bytes((IAC, GA)),
        bytes((IAC, AYT)),
        bytes((IAC, SB, IAC, SE)),
        bytes((IAC, SB, NAWS, IAC, SE)),
        bytes((IAC, WILL, 200)),
        bytes((IAC, IAC)),
        bytes((IAC, IAC, 10)),
    ):
        yield one * (READ // len(one))


class FloodTests(TelnetTestCase):
    """What no rate limit of the network counts."""

    def flood(self, mud: Mud, sent: bytes, seconds: int = 60) -> int:
        """Send the same as long as it is read, for some time; returns how much of it was decoded."""
        for _ in range(seconds):
            while not mud.closed and mud.wire.producerState == "producing":
                mud.send(sent)
                self.turn()
            self.clock.advance(1)
        return mud.connection.codec.plain_in

    def test_cut_off(self) -> None:
        """A flood gets a small burst, rests of a second, and an end: before and after the login."""
        self.transport.limits = TelnetLimits(negotiations=0)
        for login in (False, True):
            for sent in floods():
                mud = self.login("Alpha") if login else self.mud()
                most = READ if b" " in sent else 3 * DECODED_BYTES
                self.assertLess(self.flood(mud, sent), 2 * RESTS * most, (login, sent[:5]))
                self.assertTrue(mud.closed, (login, sent[:5]))

    def test_told(self) -> None:
        """The connection that is cut off is told why."""
        mud = self.mud()
        self.flood(mud, b"\n" * READ)
        self.assertEqual(mud.lines(), ["BYE 429 rate limit exceeded, goodbye"])

    def test_compressed(self) -> None:
        """A flood that is compressed is none the smaller."""
        mud = self.mud()
        stream = zlib.compressobj(9)
        mud.send(bytes((IAC, SB, MCCP3, IAC, SE)) + stream.compress(b"") + stream.flush(zlib.Z_SYNC_FLUSH))
        for _ in range(60):
            if not mud.closed and mud.wire.producerState == "producing":
                mud.send(stream.compress(bytes((IAC, NOP)) * 2000) + stream.flush(zlib.Z_SYNC_FLUSH))
            self.clock.advance(1)
        self.assertTrue(mud.closed)

    def test_rest(self) -> None:
        """What a resting connection had read is handled after a second, in its order, and is read from again."""
        mud = self.mud()
        mud.send(b"PING 1\n" + b"\n" * 200)
        self.assertEqual(mud.lines(), ["PONG 1"])
        mud.send(b"\n" * DECODED_BYTES + b"PING 2\n")
        self.assertEqual(mud.lines(), [])
        self.assertEqual(mud.wire.producerState, "paused")
        mud.send(b"PING 3\n")  # TLS hands over what it had decrypted
        self.assertEqual(mud.lines(), [])
        for _ in range(3):
            self.clock.advance(REST_SECONDS)
        self.assertEqual(mud.lines(), ["PONG 2", "PONG 3"])
        self.clock.advance(REST_SECONDS)
        self.assertEqual(mud.wire.producerState, "producing")

    def test_half_closed_while_resting(self) -> None:
        """What a resting connection had read is answered, even if its peer sends nothing more."""
        mud = self.mud()
        mud.send(b"\n" * DECODED_BYTES + b"PING 1\n")
        mud.connection.readConnectionLost()
        self.assertEqual((mud.lines(), mud.closed), ([], False))
        self.clock.advance(REST_SECONDS)
        self.assertEqual((mud.lines(), mud.closed), (["PONG 1", "BYE 200 goodbye"], True))

    def test_end_while_resting(self) -> None:
        """A resting connection that ends leaves nothing behind."""
        mud = self.mud()
        mud.send(b"\n" * READ)
        self.assertIsNotNone(mud.connection._rest)
        mud.wire.loseConnection()
        self.clock.advance(REST_SECONDS)
        self.assertIsNone(mud.connection._rest)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)  # the service's own


class BehavingTests(TelnetTestCase):
    """MUDs and people that do what they are meant to do never notice."""

    def test_hour(self) -> None:
        """A GA after each line, empty lines and a NOP each second, 1000 players, ten messages at once: for an hour."""
        mud = self.login("Alpha", "SUBSCRIBE gossip")
        ga = bytes((IAC, GA))
        for second in range(3600):
            if second % 60 == 0:
                mud.send(b"PLAYERS " + b" ".join(b"%07d" % number for number in range(1000)) + b"\n" + ga)
                mud.send((b"SEND gossip Ana " + b"x" * 4000 + b"\n" + ga) * 10)
            mud.send(bytes((IAC, NOP)) + b"\r\n" + b"PING 1\r\n" + ga)
            self.turn()
            self.assertEqual(mud.wire.producerState, "producing", second)
            self.clock.advance(1)
        self.assertFalse(mud.closed)

    def test_negotiation(self) -> None:
        """A client that answers and offers every option of telnet before it logs in."""
        mud = self.mud()
        for option in range(50):
            mud.send(bytes((IAC, WILL, option, IAC, DO, option)))
        self.assertEqual(mud.wire.producerState, "producing")

    def test_character_by_character(self) -> None:
        """A person whose program sends each character as it is typed."""
        mud = self.mud()
        for character in b"HELP\r\n\r\nPING 1\r\n" * 15:
            mud.send(bytes((character,)))
            self.assertEqual(mud.wire.producerState, "producing")
            self.clock.advance(0.1)
        self.assertEqual(mud.lines().count("PONG 1"), 15)


class UnfinishedTests(TelnetTestCase):
    """Lines of strangers that have no end yet."""

    def kept(self, mud: Mud) -> int:
        """How many bytes of a line are kept for a connection."""
        return len(mud.connection.codec._line)

    def test_before_login(self) -> None:
        """Before the login no more of it is kept than a line can have then; the line is answered as one too long."""
        mud = self.mud()
        mud.send(b"PING " + b"x" * 1019)
        self.assertEqual(self.kept(mud), 1024)
        mud.send(b"x" * 60_000)
        self.assertEqual((self.kept(mud), mud.lines()), (0, ["ERR LINE 413 line too long"]))
        self.assertEqual(mud.say("x", "PING 1"), ["PONG 1"])

    def test_with_login(self) -> None:
        """A long line that begins in the read of the login is read."""
        mud = self.mud()
        login = f"LOGIN {self.world.game('Alpha').client_id} {self.world.secret('Alpha')}\n"
        mud.send(login.encode() + b"PING " + b"x" * 8000)
        self.turn()
        mud.lines()
        self.assertEqual(mud.say("x"), ["PONG " + "x" * 32])

    def test_compressed(self) -> None:
        """The same of a line that comes compressed."""
        mud = self.mud()
        mud.send(compressed(b"x" * 50_000))
        self.assertEqual(self.kept(mud), 0)
