"""L{gossip.transports.telnet.factory} and its connections, with the real codec, service and network, in memory."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv6Address, UNIXAddress
from zope.interface.verify import verifyObject

from gossip.network.session import Session
from gossip.registry.changes import GameRemoved
from gossip.service.interfaces import IConnection, IWireFormat
from gossip.service.rehearsals import PARTING_SECONDS
from gossip.transports.budget import Budgets
from gossip.transports.half_close import HALF_CLOSED_SECONDS
from gossip.transports.telnet.connection import CLOSE_SECONDS, LINES_A_TURN
from gossip.transports.telnet.limits import TelnetLimits
from tests.support.clock import Clock
from tests.support.memory_nodes import MemoryNode, Stream
from tests.support.memory_service import MemoryConnection, MemoryService
from tests.support.ports import ANY_RATE
from tests.support.telnet_games import (
    BANNER,
    CHARSET,
    DO,
    IAC,
    MCCP2,
    MCCP3,
    MSSP,
    OPENING,
    SB,
    SE,
    TRANSCRIPT,
    WILL,
    Mud,
    TelnetTestCase,
    compressed,
)
from tests.support.world import frame


class OpeningTests(TelnetTestCase):
    """The first bytes, and peers at the wrong port."""

    def test_interfaces(self) -> None:
        """The connection and its wire formats implement their interfaces."""
        mud = self.mud()
        verifyObject(IConnection, mud.connection)
        verifyObject(IWireFormat, mud.connection.wire_format)
        verifyObject(IWireFormat, self.factory.json_format)

    def test_addresses(self) -> None:
        """A socket for both kinds of addresses has the plain IPv4 address, and a Unix socket has none."""
        for address, known in (
            (IPv6Address("TCP", "::ffff:192.0.2.9", 4000), "192.0.2.9"),
            (IPv6Address("TCP", "2001:db8::5", 4000), "2001:db8::5"),
            (UNIXAddress("/run/x"), "unknown"),
            (UNIXAddress(None), "unknown"),
            (None, "unknown"),
        ):
            connection = self.factory.buildProtocol(address)
            assert connection is not None
            self.assertEqual(str(connection.peer_address), known)

    def test_first_bytes(self) -> None:
        """The offers and the banner are sent in one write, MCCP3 last; then nothing is sent unasked."""
        mud = self.mud()
        self.assertEqual(mud.wire.writes, [OPENING + BANNER.encode() + b"\r\n"])
        self.clock.advance(29)
        self.assertEqual(mud.raw(), b"")

    def test_no_iac_to_a_plain_socket(self) -> None:
        """A peer that never sent an IAC gets none after the opening, whatever it does."""
        mud = self.login("Alpha", "OPTION charset=latin1 events=channels", "SUBSCRIBE gossip", "HELP", "MSSP-REQUEST")
        _, session = self.websocket("Beta", channels=["gossip"])
        self.say(session, frame("channels/send", {"channel": "gossip", "name": "ÿ", "message": "ÿÿ"}))
        self.assertEqual(mud.raw(), b"MSG gossip ?@Beta ??\r\n")

    def test_http(self) -> None:
        """A browser is told where the pages are."""
        for line in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /x HTTP/1.1\r\n", b"HEAD / HTTP/1.0\r\n"):
            mud = self.mud()
            mud.send(line)
            self.assertEqual(mud.lines(), ["BYE 400 this is the telnet bridge, not HTTP; see https://mud.example/"])
            self.assertTrue(mud.closed)

    def test_imc2(self) -> None:
        """
        IMC2 is told that this is the wrong port. It leaves by itself, or is cut off by an RST: after a FIN it would
        read for ever, and the whole MUD would hang.
        """
        for line in ("PW Mud secret version=2 autosetup", "SHA256-AUTH-REQ Mud", "SHA256-AUTH-RESP Mud 00"):
            mud = self.mud()
            self.assertRegex(mud.say(line)[0], "^BYE 400 .* IMC2")
            self.assertFalse(mud.closed)
            self.assertEqual(mud.say("PW Mud secret"), [])
            self.clock.advance(CLOSE_SECONDS)
            self.assertTrue(mud.closed)
            self.assertTrue(mud.wire.disconnected)  # aborted, and not closed

    def test_no_text(self) -> None:
        """Intermud-3 and a TLS handshake are closed at once and without an answer, however they are cut."""
        for reads in ((b"\0\0\0\x50",), (b"\x16\x03\x01\x02\x00",), (b"\x16", b"\x03"), (b"\0",)):
            mud = self.mud()
            for read in reads:
                mud.send(read)
            self.assertEqual(mud.raw(), b"")
            self.assertTrue(mud.closed, reads)

    def test_first_line_decides(self) -> None:
        """Empty and blank lines decide nothing; a brace as the first byte means JSON, anything else text."""
        mud = self.mud()
        unauthenticated = '{"event":"x","status":"failure","error":"unauthenticated"}'
        self.assertEqual(mud.say("", "  ", '{"event": "x"}'), [unauthenticated])
        mud = self.mud()
        self.assertEqual(mud.say(' {"event": "x"}'), ["ERR LINE 400 unknown command"])
        self.assertEqual(mud.say('{"event": "x"}'), ["ERR LINE 400 unknown command"])


class TranscriptTests(TelnetTestCase):
    """The conversation that the specification shows."""

    def test_transcript(self) -> None:
        """Each line of the transcript is answered by those below it, and by nothing else."""
        self.check(TRANSCRIPT)

    def check(self, transcript: str) -> None:
        """Play a transcript."""
        self.world.change("Alpha", short_name="OldMud")
        self.world.change("Beta", short_name="ExVenture")
        client_id, secret = self.world.game("OldMud").client_id, self.world.secret("OldMud")
        _, session = self.websocket("ExVenture", channels=["gossip"], players=["Alice"])
        text = transcript.replace("{client_id}", client_id).replace("{secret}", secret)
        mud = self.mud()
        expected: list[str] = []
        for line in text.strip().splitlines():
            who, _, said = line.partition(": ")
            if who == "S":
                expected.append(said)
                continue
            self.assertEqual(mud.lines(), expected)
            expected = []
            match who:
                case "C":
                    mud.send(said.encode() + b"\r\n")
                case "W":
                    event, _, payload = said.partition(" ")
                    self.say(session, frame(event, json.loads(payload), "1"))
                case "T":
                    self.clock.pump([1.0] * int(said))
        self.assertEqual(mud.lines(), expected)
        self.assertTrue(mud.closed)


class TranscriptOnNodesTests(TranscriptTests):
    """The same, with the game that joins by websocket on another node."""

    def make_service(self) -> MemoryService:
        clock = Clock()
        stream = Stream(clock)
        self.elsewhere, here = (MemoryNode(stream, name, clock=clock, transports=self.transports()) for name in "ab")
        here.world.beside.append(self.elsewhere.world)
        return here

    def connect(self) -> tuple[MemoryConnection, Session]:
        session = self.elsewhere.connect("memory")
        return self.elsewhere.connection(session), session

    def say(self, session: Session, *sent: dict[str, Any]) -> None:
        self.elsewhere.write(session, *sent)


class HalfCloseTests(TelnetTestCase):
    """A MUD that sends nothing more, such as C{nc -N}."""

    def test_answered(self) -> None:
        """Everything that was asked before is answered, in order and when it is on disk; then the connection ends."""
        self.rates(global_=ANY_RATE, channels_send=ANY_RATE)
        mud, game = self.mud(), self.world.game("Alpha")
        asked = [f"LOGIN {game.client_id} {self.world.secret('Alpha')}", "SUBSCRIBE gossip"]
        asked += [f"@{number} SEND gossip Ana x" for number in range(100)]
        mud.send("".join(f"{line}\n" for line in asked).encode() + b"and a half")
        mud.connection.readConnectionLost()
        answers = mud.lines()
        self.assertEqual(answers[:2], ["OK LOGIN Alpha 2.3.0", "OK SUBSCRIBE gossip"])
        self.assertEqual(answers[2:-1], [f"@{number} OK SEND gossip" for number in range(100)])
        self.assertEqual(answers[-1], "BYE 200 goodbye")
        self.assertTrue(mud.closed)

    def test_slow_disk(self) -> None:
        """It waits for the disk, but not for long."""
        mud = self.login("Alpha", "SUBSCRIBE gossip")
        mud.send(b"SEND gossip Ana x\n")
        mud.connection.readConnectionLost()
        self.clock.advance(HALF_CLOSED_SECONDS - 1)
        self.assertFalse(mud.closed)
        self.clock.advance(1)
        self.assertTrue(mud.closed)
        self.assertTrue(mud.wire.disconnected)  # aborted
        self.turn()

    def test_not_logged_in(self) -> None:
        """It need not be logged in."""
        mud = self.mud()
        mud.send(b"PING 1\nPING 2\n")
        mud.connection.readConnectionLost()
        self.assertEqual(mud.lines(), ["PONG 1", "PONG 2", "BYE 200 goodbye"])
        self.assertTrue(mud.closed)
        mud = self.mud()
        mud.connection.readConnectionLost()
        self.assertEqual(mud.lines(), ["BYE 200 goodbye"])
        self.assertTrue(mud.closed)

    def test_imc2(self) -> None:
        """An IMC2 client that leaves is gone at once."""
        mud = self.mud()
        mud.say("PW Mud secret")
        mud.connection.readConnectionLost()
        self.assertTrue(mud.closed)

    def test_json(self) -> None:
        """The same in JSON."""
        mud = self.mud()
        mud.send(b'{"event": "authenticate", "payload": {"client_id": "x"}}\n')
        mud.connection.readConnectionLost()
        self.assertEqual(mud.frames()[0]["event"], "authenticate")
        self.assertTrue(mud.closed)


class LoginTests(TelnetTestCase):
    """Logins, and how often a game may try."""

    def setUp(self) -> None:
        super().setUp()
        self.good = f"LOGIN {self.world.game('Alpha').client_id} {self.world.secret('Alpha')}"

    def test_refused(self) -> None:
        """A connection survives two refused logins, and the third ends it; answers keep their order."""
        mud = self.mud()
        self.assertEqual(
            mud.say("@a LOGIN x y", "PING 1", "@b LOGIN x", "LOGIN x y", "PING 2", "LOGIN x y", "PING 3"),
            [
                "@a ERR LOGIN 401 invalid credentials",
                "PONG 1",
                "@b ERR LOGIN 400 syntax: LOGIN client_id client_secret [agent text]",
                "ERR LOGIN 401 invalid credentials",
                "PONG 2",
                "ERR LOGIN 401 invalid credentials",
                "BYE 401 invalid credentials",
            ],
        )
        self.assertTrue(mud.closed)
        self.assertEqual(self.service.status()["connections"], {"telnet": 0})

    def test_after_a_refusal(self) -> None:
        """A login can succeed after two that failed, in one read; what follows is answered in order."""
        mud = self.mud()
        answers = mud.say("LOGIN x y", "LOGIN x y", self.good, "@1 SUBSCRIBE gossip", "SIGNIN Bo", "@2 CHANNELS")
        self.assertEqual(
            answers[2:], ["OK LOGIN Alpha 2.3.0", "@1 OK SUBSCRIBE gossip", "OK SIGNIN Bo", "@2 OK CHANNELS gossip"]
        )
        self.assertEqual(self.service.status()["sessions_by_transport"], {"telnet": 1})

    def test_any_number_of_logins(self) -> None:
        """A limit of 0 is no limit."""
        self.limit(TelnetLimits(logins=0))
        mud = self.mud()
        for _ in range(30):
            self.assertEqual(mud.say("LOGIN x y"), ["ERR LOGIN 401 invalid credentials"])

    def test_time_out(self) -> None:
        """A connection without a login is closed after 30 seconds; one that has logged in is not."""
        late, early = self.mud(), self.mud()
        early.say(self.good)
        self.clock.advance(29.9)
        self.assertEqual(late.lines(), [])
        self.clock.advance(0.1)
        self.assertEqual((late.lines(), late.closed), (["BYE 408 login time-out"], True))
        self.assertFalse(early.closed)

    def test_time_out_of_json(self) -> None:
        """In the JSON dialect the time-out is announced in JSON."""
        mud = self.mud()
        mud.say("{}")
        self.clock.advance(30)
        self.assertEqual(mud.frames(), [{"event": "close", "payload": {"code": 408, "reason": "login time-out"}}])

    def test_json_refused(self) -> None:
        """In the JSON dialect the first refused login ends the connection."""
        mud = self.mud()
        mud.send(b'{"event": "authenticate", "payload": {"client_id": "x"}}\n{"event": "x"}\n')
        self.assertEqual(
            mud.frames(),
            [
                {"event": "authenticate", "status": "failure", "error": "invalid credentials"},
                {"event": "close", "payload": {"code": 401, "reason": "invalid credentials"}},
            ],
        )
        self.assertTrue(mud.closed)

    def test_too_many_connections(self) -> None:
        """One address may have ten connections before their login, and twenty in total; others are not affected."""
        muds = [self.mud() for _ in range(10)]
        self.assertIsNone(self.factory.buildProtocol(muds[0].wire.getPeer()))
        self.mud("192.0.2.8")
        for mud in muds:
            mud.say(self.good)
        muds += [self.mud() for _ in range(10)]
        self.assertIsNone(self.factory.buildProtocol(muds[0].wire.getPeer()))
        muds[0].wire.loseConnection()
        self.assertIsNone(self.factory.buildProtocol(muds[0].wire.getPeer()))  # ten of those are not logged in
        muds[-1].wire.loseConnection()
        self.mud()

    def test_lost(self) -> None:
        """A MUD that disconnects is offline for all games."""
        mud = self.login("Alpha")
        mud.wire.loseConnection()
        self.assertEqual(self.service.status()["sessions"], 0)
        self.assertEqual(self.service.status()["connections"], {"telnet": 0})

    def test_already(self) -> None:
        """A second login is refused, and changes nothing."""
        mud = self.login("Alpha")
        self.assertEqual(mud.say(self.good, "PING"), ["ERR LOGIN 400 already logged in", "PONG"])


class LimitTests(TelnetTestCase):
    """Limits of length, rate and size."""

    def test_line_before_login(self) -> None:
        """A line of 1024 bytes is read before the login, a longer one is not, and the connection stays."""
        mud = self.mud()
        self.assertEqual(mud.say("PING " + "x" * 1019), ["PONG " + "x" * 32])
        self.assertEqual(mud.say("PING " + "x" * 1020, "PING 1"), ["ERR LINE 413 line too long", "PONG 1"])

    def test_line_after_login(self) -> None:
        """After the login the limit is 8192 bytes, even in the read that brought the login."""
        mud = self.mud()
        login = f"LOGIN {self.world.game('Alpha').client_id} {self.world.secret('Alpha')}"
        answers = mud.say(login, "PING " + "x" * 8187, "PING " + "x" * 8188, "PING 1")
        self.assertEqual(answers[1:], ["PONG " + "x" * 32, "ERR LINE 413 line too long", "PONG 1"])

    def test_json_line(self) -> None:
        """A line of the JSON dialect may have 144 KiB after the login, and 1024 bytes before."""
        mud = self.mud()
        unreadable = '{"status":"failure","error":"unknown"}'
        self.assertEqual(mud.say("{" + "x" * 1100), [unreadable])
        mud.say(json.dumps(frame("authenticate", self.world.credentials("Alpha"))))
        longest = '{"event": "nonsense", "ref": "1"}'.ljust(147_456)
        self.assertEqual(mud.say(longest), ['{"event":"nonsense","ref":"1","status":"failure","error":"unknown"}'])
        mud.say(longest + " ")
        self.assertTrue(mud.closed)

    def test_endless_line(self) -> None:
        """144 KiB without a line feed end the connection of a game; strangers have used up their budget before."""
        mud = self.login("Alpha")
        mud.send(b"x" * 147_456)
        self.assertFalse(mud.closed)
        mud.send(b"x")
        self.assertEqual(mud.lines()[-1], "BYE 400 too much without a line feed")
        self.assertTrue(mud.closed)

    def test_long_subnegotiation(self) -> None:
        """A subnegotiation of more than 8192 bytes ends the connection."""
        mud = self.mud()
        mud.send(bytes((IAC, SB, 24)) + b"x" * 8192)
        self.assertEqual((mud.lines(), mud.closed), (["BYE 400 subnegotiation too long"], True))

    def test_bomb(self) -> None:
        """A read that inflates to 256 KiB ends the connection."""
        mud = self.mud()
        bomb = compressed(b"x" * 10_000_000)
        mud.send(bomb)
        self.assertEqual((mud.lines(), mud.closed), (["BYE 400 too much in one compressed read"], True))

    def test_newlines(self) -> None:
        """256 KiB of newlines in one compressed read are refused; some fewer are just empty lines."""
        mud = self.mud()
        mud.send(compressed(b"\n" * 262_000))
        self.assertEqual((mud.say(), mud.closed), ([], False))
        mud = self.mud()
        mud.send(compressed(b"\n" * 262_144))
        self.assertEqual((mud.lines(), mud.closed), (["BYE 400 too much in one compressed read"], True))

    def test_bad_zlib(self) -> None:
        """Bytes that are not zlib after the start of MCCP3 end the connection, and none of them is obeyed."""
        mud = self.mud()
        mud.send(b"PING 1\n" + bytes((IAC, SB, MCCP3, IAC, SE)) + b"PING 2\n")
        self.assertEqual((mud.lines(), mud.closed), (["PONG 1", "BYE 460 bad compressed data"], True))

    def test_too_fast_before_login(self) -> None:
        """Before the login, lines are limited as the network limits events: refused, and closed at the tenth strike."""
        self.rates()
        mud = self.mud()
        answers = mud.say(*["@t PING"] * 100, *["@t ping"] * 20)
        self.assertEqual(
            answers,
            ["@t PONG"] * 100 + ["@t ERR PING 429 rate limit exceeded"] * 9 + ["BYE 429 rate limit exceeded, goodbye"],
        )
        self.assertTrue(mud.closed)

    def test_recovers(self) -> None:
        """A connection that waits a moment may go on."""
        self.rates()
        mud = self.mud()
        mud.say(*["PING"] * 101)
        self.clock.advance(0.05)
        self.assertEqual(mud.say("PING", "PING"), ["PONG", "ERR PING 429 rate limit exceeded"])

    def test_one_letter_lines(self) -> None:
        """A hundred thousand lines in one compressed read are handled up to the close, and no further."""
        self.rates()
        for mud in (self.mud(), self.login("Alpha")):
            data = compressed(b"x\n" * 131_000)
            mud.send(data)
            lines = mud.lines()
            self.assertEqual(lines[-1], "BYE 429 rate limit exceeded, goodbye")
            self.assertLess(len(lines), 112)

    def test_lines_without_rates(self) -> None:
        """Without rate limits, one turn of the reactor handles a few lines; no more are read until all are handled."""
        mud = self.login("Alpha")
        mud.send(compressed(b"PING\n" * 10_000))
        self.assertEqual(mud.wire.producerState, "paused")
        del mud.wire.writes[:]
        self.assertEqual(mud.lines(), ["PONG"] * 10_000)
        self.assertLessEqual(max(data.count(b"PONG") for data in mud.wire.writes), LINES_A_TURN)
        self.assertEqual(mud.wire.producerState, "producing")

    def test_pause(self) -> None:
        """A game that asks faster than the disk answers is not read further until it has its answers."""
        self.rates(global_=ANY_RATE, channels_send=ANY_RATE)
        mud = self.login("Alpha", "SUBSCRIBE gossip")
        mud.send(b"SEND gossip Ana hi\n" * 1000)
        for _ in range(100):
            self.clock.advance(0)
        self.assertEqual(mud.wire.producerState, "paused")
        self.assertLess(len(self.writer.waiting), 300)
        self.assertEqual(mud.lines(), ["OK SEND gossip"] * 1000)
        self.assertEqual(mud.wire.producerState, "producing")

    def test_gone_while_paused(self) -> None:
        """A MUD that goes away while it is paused leaves nothing behind."""
        self.rates(global_=ANY_RATE, channels_send=ANY_RATE)
        mud = self.login("Alpha", "SUBSCRIBE gossip")
        mud.send(b"SEND gossip Ana hi\n" * 1000)
        mud.wire.loseConnection()
        self.turn()
        self.assertLess(len(self.writer.kept), 300)

    def test_extensions(self) -> None:
        """Extensions are asked for before the login; old MUDs read nothing of them."""
        mud = self.mud()
        self.assertNotIn("extensions", "".join(mud.say("OPTION")))
        self.assertEqual(mud.say("OPTION extensions=Directory,mail"), ["OK OPTION extensions=directory"])
        mud.say(f"LOGIN {self.world.client_id('Alpha')} {self.world.secret('Alpha')}")
        (session,) = (session for session, _ in self.service.sessions())
        self.assertEqual(session.extensions, {"directory"})
        self.assertIn("extensions=directory", mud.say("OPTION")[0])
        self.assertEqual(mud.say("OPTION extensions="), ["ERR OPTION 400 bad option extensions"])

    def test_mistake_of_ours(self) -> None:
        """A bug of ours is logged, and ends only this connection."""
        mud, other = self.login("Alpha", "OPTION events="), self.login("Beta")
        self.patch(mud.connection, "_hear_line", lambda line: 1 / 0)
        self.assertEqual(mud.say("PING"), ["BYE 500 internal error"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(other.say("PING"), ["PONG"])

    def test_mistake_at_the_end_of_a_turn(self) -> None:
        """A bug in writing to one connection does not affect the others."""
        mud, other = self.mud(), self.mud()
        self.patch(mud.connection, "turn_over", lambda: 1 / 0)
        mud.send(b"PING\n")
        other.send(b"PING\n")
        self.assertEqual(other.lines(), ["PONG"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_nothing_after_the_close(self) -> None:
        """Input after the last line is ignored."""
        mud = self.mud()
        self.patch(mud.wire, "loseConnection", lambda: None)
        mud.send(b"QUIT\n")
        mud.send(b"PING\n")
        mud.connection.write(b"MSG\r\n")
        self.assertEqual(mud.lines(), ["BYE 200 goodbye"])

    def test_new_limits(self) -> None:
        """Reloaded limits apply to new connections."""
        self.limit(TelnetLimits(line_bytes_before_login=10, login_seconds=0, connections=1))
        mud = self.mud()
        self.assertEqual(mud.say("PING 123456"), ["ERR LINE 413 line too long"])
        self.assertIsNone(self.factory.buildProtocol(mud.wire.getPeer()))
        self.clock.advance(3600)
        self.assertFalse(mud.closed)

    def test_no_limits(self) -> None:
        """Without limits everything is accepted."""
        limits: dict[str, Any] = dict.fromkeys(TelnetLimits.__struct_fields__, 0)
        self.limit(TelnetLimits(**{**limits, "budgets": Budgets()}))
        mud = self.login("Alpha")
        self.assertEqual(mud.say("PING " + "x" * 200_000), ["PONG " + "x" * 32])
        mud.send(compressed(b"x" * 1_000_000 + b"\nPING 1\n"))
        self.assertEqual(mud.lines(), ["ERR LINE 400 unknown command", "PONG 1"])


class LifeTests(TelnetTestCase):
    """Signs of life."""

    def test_pings(self) -> None:
        """The server pings every 15 seconds; after three pings without a sign of life, the next beat closes."""
        mud = self.login("Alpha")
        self.clock.pump([1.0] * 15)
        self.assertEqual(mud.lines(), ["PING 1"])
        self.clock.pump([1.0] * 30)
        self.assertEqual(mud.lines(), ["PING 2", "PING 3"])
        self.clock.pump([1.0] * 14)
        self.assertFalse(mud.closed)
        self.clock.pump([1.0])
        self.assertEqual((mud.lines(), mud.closed), (["BYE 408 heartbeat failure"], True))

    def test_any_line(self) -> None:
        """Any complete line is a sign of life, even an empty or too long one; it does not change the players."""
        mud = self.login("Alpha", "SIGNIN Bo")
        for line in (b"\n", b"x" * 9000 + b"\n", b"PONG 3\r\n", b"SEND\n"):
            self.clock.pump([1.0] * 44)
            mud.send(line)
            mud.lines()
        self.assertFalse(mud.closed)
        self.assertEqual([game.players for game in self.world.network.presence], [("Bo",)])

    def test_part_of_a_line(self) -> None:
        """A line without an end is no sign of life."""
        mud = self.login("Alpha")
        for _ in range(4):
            self.clock.pump([1.0] * 15)
            mud.send(b"x")
        self.assertTrue(mud.closed)

    def test_json_needs_heartbeats(self) -> None:
        """In the JSON dialect other lines are no sign of life."""
        mud = self.mud()
        mud.say(json.dumps(frame("authenticate", self.world.credentials("Alpha"))))
        for _ in range(3):
            self.clock.pump([1.0] * 15)
            mud.say('{"event": "channels/subscribe", "payload": {"channel": "gossip"}}')
        self.assertTrue(mud.closed)


class OutTests(TelnetTestCase):
    """What is written, and how often."""

    def test_once_a_turn(self) -> None:
        """However much a turn brings, a connection is written to once, with one MCCP2 flush."""
        mud = self.mud()
        mud.send(bytes((IAC, DO, MCCP2)))
        start = mud.raw()
        self.assertEqual(start, bytes((IAC, SB, MCCP2, IAC, SE)))
        mud.send(f"LOGIN {self.world.game('Alpha').client_id} {self.world.secret('Alpha')}\nHELP\n".encode())
        mud.raw()
        mud.send(b"SUBSCRIBE gossip\n")
        mud.raw()
        _, session = self.websocket("Beta", channels=["gossip"], players=["Ana"])
        _, other = self.websocket("Gamma", channels=["gossip"])
        del mud.wire.writes[:]
        mud.send(b"PING 1\nHELP\nSIGNIN Bo\n" + bytes((IAC, DO, MSSP)) + b"PING 2\n")
        self.say(session, frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "a"}))
        self.say(other, frame("channels/send", {"channel": "gossip", "name": "Cy", "message": "b"}))
        self.turn()
        self.assertEqual(len(mud.wire.writes), 1)
        self.assertEqual(mud.wire.writes[0].count(b"\x00\x00\xff\xff"), 1)

    def test_compressed(self) -> None:
        """After DO MCCP2 everything is one zlib stream up to the goodbye; bytes are counted on both sides of it."""
        mud = self.mud()
        mud.send(bytes((IAC, DO, MCCP2)))
        mud.raw()
        stream = zlib.decompressobj()
        mud.send(f"LOGIN {self.world.game('Alpha').client_id} {self.world.secret('Alpha')}\n".encode())
        self.assertEqual(stream.decompress(mud.raw()), b"OK LOGIN Alpha 2.3.0\r\n")
        mud.send(b"HELP\n" * 20 + b"QUIT\n")
        text = stream.decompress(mud.raw())
        self.assertTrue(text.endswith(b"OK HELP\r\nBYE 200 goodbye\r\n"))
        self.assertTrue(stream.eof)
        [counts] = self.transport.counts()
        traffic = counts.by_kind
        self.assertEqual(traffic["wire_out"], sum(map(len, mud.wire.writes)))
        self.assertGreater(traffic["plain_out"], 5 * traffic["wire_out"])
        self.assertEqual(traffic["wire_in"], traffic["plain_in"])

    def test_encoded_once(self) -> None:
        """An event is encoded once for all connections with the same options."""
        muds = [self.login(name, "SUBSCRIBE gossip") for name in ("Alpha", "Beta", "Gamma")]
        muds[2].say("OPTION double={")
        self.assertIs(muds[0].connection.wire_format, muds[1].connection.wire_format)
        self.assertIsNot(muds[0].connection.wire_format, muds[2].connection.wire_format)
        muds[2].say("OPTION double=")
        self.assertIs(muds[0].connection.wire_format, muds[2].connection.wire_format)

    def test_many_options(self) -> None:
        """Only a limited number of sets of options is remembered, and every set works."""
        mud = self.login("Alpha", "SUBSCRIBE gossip", "OPTION events=channels")
        for number in range(256, 600):
            mud.say(f"OPTION maxline={number}")
        _, session = self.websocket("Beta", channels=["gossip"])
        self.say(session, frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "a"}))
        self.assertEqual(mud.lines(), ["MSG gossip Ana@Beta a"])

    def test_slow_reader(self) -> None:
        """A slow reader is cut off: the tests of the outlet say when."""
        mud = self.login("Alpha")
        mud.connection.cut_off()
        self.assertEqual(mud.lines(), ["BYE 410 too slow"])
        self.assertTrue(mud.closed)
        self.assertEqual(self.service.status()["sessions"], 0)

    def test_mssp(self) -> None:
        """Both forms of MSSP have the same variables."""
        mud = self.mud()
        mud.send(bytes((IAC, DO, MSSP)))
        block = b"".join(b"\x01%b\x02%b" % pair for pair in ((b"NAME", b"The Network"), (b"PLAYERS", b"7")))
        self.assertEqual(mud.raw(), bytes((IAC, SB, MSSP)) + block + b"\x01UPTIME\x021699999200" + bytes((IAC, SE)))
        lines = ["MSSP-REPLY-START", "NAME\tThe Network", "PLAYERS\t7", "UPTIME\t1699999200", "MSSP-REPLY-END"]
        self.assertEqual(mud.say("MSSP-REQUEST"), lines)
        self.assertEqual(self.login("Alpha").say("mssp-request"), lines)

    def test_charset(self) -> None:
        """A CHARSET negotiation chooses the first known charset, before or after the first line."""
        mud = self.login("Alpha", "SUBSCRIBE gossip", "OPTION events=channels")
        mud.send(bytes((IAC, SB, CHARSET, 1)) + b";KOI8-R;ISO-8859-1;UTF-8" + bytes((IAC, SE)))
        self.assertEqual(mud.raw(), bytes((IAC, SB, CHARSET, 2)) + b"ISO-8859-1" + bytes((IAC, SE)))
        _, session = self.websocket("Beta", channels=["gossip"])
        self.say(session, frame("channels/send", {"channel": "gossip", "name": "Zoë", "message": "ÿ → “x”"}))
        self.assertEqual(mud.raw(), "MSG gossip Zoë@Beta ".encode("latin-1") + b'\xff\xff ? "x"\r\n')
        mud.send(bytes((IAC, SB, CHARSET, 1)) + b";KOI8-R" + bytes((IAC, SE)))
        self.assertEqual(mud.raw(), bytes((IAC, SB, CHARSET, 3, IAC, SE)))

    def test_charset_before_json(self) -> None:
        """JSON is ASCII, whatever charset was chosen before the first line."""
        mud = self.mud()
        mud.send(bytes((IAC, SB, CHARSET, 1)) + b";LATIN1" + bytes((IAC, SE)))
        mud.raw()
        mud.say(json.dumps(frame("authenticate", self.world.credentials("Alpha", channels=["gossip"]))))
        _, session = self.websocket("Beta", channels=["gossip"])
        mud.raw()
        self.say(session, frame("channels/send", {"channel": "gossip", "name": "Zoë", "message": "😀 \u2028ÿ"}))
        data = mud.raw()
        self.assertTrue(data.isascii() and data.count(b"\n") == 1)
        payload = json.loads(data)["payload"]
        self.assertEqual((payload["name"], payload["message"]), ("Zoë", "😀 \u2028ÿ"))

    def test_restart(self) -> None:
        """When the daemon stops, logged-in games are told when it is back; every connection gets a last line."""
        mud, waiting = self.login("Alpha"), self.mud()
        self.factory.doStart()
        self.factory.doStop()
        self.assertEqual((waiting.lines(), waiting.closed), (["BYE 503 restarting"], True))
        self.assertFalse(mud.closed)
        stopped = self.service.stopService()
        self.assertEqual(mud.lines(), ["RESTART 30"])
        self.clock.advance(PARTING_SECONDS)
        self.assertEqual(mud.lines(), ["BYE 503 restarting"])
        self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_draining(self) -> None:
        """A node that takes no new games says so to whoever logs in, in either dialect; crawlers are answered."""
        stays, waiting = self.login("Alpha"), self.mud()
        self.service.drain()
        late, speaks_json = self.mud(), self.mud()
        for mud in (waiting, late):
            mud.lines()
            self.assertEqual(mud.say("PING 1"), ["PONG 1"])
            login = self.world.credentials("Beta")
            told = mud.say(f"LOGIN {login['client_id']} {login['client_secret']}", "HELP")
            self.assertEqual((told, mud.closed), (["BYE 503 no new games here: connect again"], True))
        speaks_json.lines()
        (line,) = speaks_json.say(json.dumps(frame("authenticate", self.world.credentials("Beta"))))
        payload = {"code": 503, "reason": "no new games here: connect again"}
        self.assertEqual(json.loads(line), {"event": "close", "payload": payload})
        self.assertTrue(speaks_json.closed)
        self.assertEqual(stays.say("PING 2"), ["PONG 2"])

    def test_last_words_are_bounded(self) -> None:
        """A peer that does not read the last line is cut off after five seconds."""
        mud = self.mud()
        self.patch(mud.wire, "loseConnection", lambda: None)
        self.assertEqual(mud.say("QUIT"), ["BYE 200 goodbye"])
        self.clock.advance(4.9)
        self.assertFalse(mud.wire.disconnected)
        self.clock.advance(0.1)
        self.assertTrue(mud.wire.disconnected)

    def test_removed_game(self) -> None:
        """A game that is removed is told, and its connection ends."""
        mud = self.login("Alpha")
        self.service.change(GameRemoved(self.world.game("Alpha").client_id))
        self.assertEqual((mud.lines(), mud.closed), (["BYE 401 the game was removed"], True))


class AnythingTests(TelnetTestCase):
    """Arbitrary input."""

    PIECES = st.one_of(
        st.binary(max_size=40),
        st.sampled_from(
            [
                b"\n",
                b"\r\n",
                b'{"event": "authenticate"}\n',
                b"LOGIN x y\n",
                b"@t PING\n",
                b"OPTION double={ charset=ascii\n",
                b"MSSP-REQUEST\n",
                b"QUIT\n",
                bytes((IAC, DO, MCCP2)),
                bytes((IAC, DO, MSSP)),
                bytes((IAC, WILL, CHARSET)),
                bytes((IAC, SB, CHARSET, 1)) + b";LATIN1" + bytes((IAC, SE)),
                compressed(b"PING 5\nHELP\n"),
                b"x" * 1030,
            ]
        ),
    )

    @given(st.lists(PIECES, max_size=12).map(b"".join), st.lists(st.integers(0, 200), max_size=8), st.booleans())
    def test_any_bytes(self, data: bytes, cuts: list[int], active: bool) -> None:
        """Any bytes, cut anywhere, raise nothing; the answers do not depend on the cuts."""
        answers = []
        for places in ([], sorted(cuts)):
            mud: Mud = self.login("Alpha") if active else self.mud()
            start = 0
            for place in [*places, len(data)]:
                mud.send(data[start : max(place, start)])
                start = max(place, start)
                self.turn()
            answers.append(_lines(mud.raw()))
            mud.wire.loseConnection()
            self.turn()
        if (
            b"BYE 460" in answers[0]
        ):  # what a broken stream held before it broke is lost, and how much counts by the read
            self.assertIn(b"BYE 460", answers[1])
        else:
            self.assertEqual(answers[0], answers[1])
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(self.service.status()["connections"], {"telnet": 0})


def _lines(data: bytes) -> bytes:
    """The lines that a client reads, with or without MCCP2; the answers of telnet itself come between them anywhere."""
    plain, start, stream = data.partition(bytes((IAC, SB, MCCP2, IAC, SE)))
    if start:
        inflate = zlib.decompressobj()
        plain += inflate.decompress(stream) + inflate.unused_data
    return re.sub(rb"\xff(?:\xfa.*?\xff\xf0|[\xfb-\xfe].)|NOTE yes\r\n", b"", plain, flags=re.DOTALL)
