"""Tests for the connections of the IMC2 port: the login, the rules that keep MUDs alive, and how connections end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from gossip.registry.entities import Secret
from gossip.registry.secret import digest
from gossip.service.interfaces import IConnection, IWireFormat
from gossip.transports.imc2.connection import CLOSE_SECONDS, LINES_A_TURN, REFUSED_SECONDS
from gossip.transports.imc2.factory import REPLACED, REPLACED_SECONDS
from gossip.transports.imc2.limits import Imc2Limits
from gossip.transports.interfaces import ITransport
from tests.support.imc2_games import Imc2TestCase
from tests.support.ports import ANY_RATE

WRONG = 'NOTICE Gossip "wrong key for Alpha: see https://gossip.example.org/connect" x x'


class LoginTests(Imc2TestCase):
    """The first line and its answer."""

    def test_interfaces(self) -> None:
        """The transport, the connection and its wire format implement their interfaces."""
        mud = self.login("Alpha")
        verifyObject(ITransport, self.transport)
        verifyObject(IConnection, mud.connection)
        verifyObject(IWireFormat, mud.connection.wire_format)

    def test_right(self) -> None:
        """The right key is answered with the client's server password; the case of name and key does not matter."""
        key = self.key("Alpha")
        for line, answer in (
            (f"PW Alpha {key} version=2 autosetup ServerPw1 SHA256", "PW Gossip ServerPw1 version=2 GossipNet"),
            (f"PW aLPHA {key.upper()} version=2", "PW Gossip gossip version=2 GossipNet"),
            (f'PW Alpha {key} version=2 autosetup a"b', "PW Gossip gossip version=2 GossipNet"),
            (f"PW Alpha {key} version=2 autosetup", "PW Gossip gossip version=2 GossipNet"),
            (f"PW Alpha {key} version=2 autosetup {'x' * 65}", "PW Gossip gossip version=2 GossipNet"),
        ):
            self.assertEqual(self.mud().say(line), [answer])
        session = next(iter(self.world.network.presence)).sessions
        self.assertEqual([each.transport for each in session], ["imc2"])

    def test_nothing_unasked(self) -> None:
        """Nothing goes out before the client has spoken, and no empty line ever (rule 3)."""
        mud = self.mud()
        self.clock.advance(29)
        self.assertEqual(mud.raw(), b"")

    def test_only_the_answer(self) -> None:
        """Until the first packet of the client, only the answer to its login leaves."""
        _, session = self.websocket("Beta", channels=["gossip"])
        mud = self.mud()
        self.assertEqual(len(mud.say(f"PW Alpha {self.key('Alpha')} version=2")), 1)
        self.service.write(
            session, {"event": "channels/send", "payload": {"channel": "gossip", "name": "B", "message": "x"}}
        )
        self.assertEqual(mud.raw(), b"")
        mud.name = "Alpha"
        mud.packet("*", "is-alive *@*")
        self.service.write(
            session, {"event": "channels/send", "payload": {"channel": "gossip", "name": "B", "message": "y"}}
        )
        self.assertIn('text="y"', mud.lines()[0])

    def test_wrong(self) -> None:
        """
        A refused login is answered by a notice. The connection stays open, since the client leaves by itself, and ends
        by an RST after 15 seconds (rules 1 and 2).
        """
        self.key("Alpha")
        secret = self.world.secret("Alpha")
        for line in ("PW Alpha wrong version=2", f"PW Alpha {secret} version=2"):
            mud = self.mud()
            self.assertEqual(mud.say(line), [WRONG])
            self.clock.advance(5)
            self.assertFalse(mud.closed)
            self.assertEqual(mud.say(line, "junk", "GET / HTTP/1.0"), [])
            self.clock.advance(REFUSED_SECONDS - 5)
            self.assertTrue(mud.closed and mud.wire.aborted)

    def test_once(self) -> None:
        """A connection has one login: what comes behind one that is refused is not looked at."""
        key = self.key("Alpha")
        mud = self.mud()
        self.assertEqual(mud.say("PW Alpha wrong version=2", f"PW Alpha {key} version=2"), [WRONG])
        self.assertFalse(mud.closed)
        self.assertIsNone(self.world.network.presence.online(self.world.client_id("Alpha")))

    def test_refused(self) -> None:
        """Unknown, banned and disabled games, and a login by SHA-256, get the notice."""
        self.assertRegex(self.mud().say('PW No"body x version=2')[0], '^NOTICE Gossip "wrong key for Nobody: .*" x x$')
        key = self.key("Alpha")
        self.world.change("Alpha", disabled=True)
        self.assertEqual(self.mud().say(f"PW Alpha {key} version=2"), [WRONG])
        notice = 'NOTICE Gossip "SHA-256 is not used here: type imcconfig localname Alpha, then imcconnect" x x'
        for line in ("SHA256-AUTH-REQ Alpha", f"SHA256-AUTH-RESP Alpha {'0' * 64} version=2"):
            mud = self.mud()
            self.assertEqual(mud.say(line), [notice])
            self.assertFalse(mud.closed)

    def test_other_uses(self) -> None:
        """The key opens nothing else, and the secret of a game does not open this."""
        key = self.key("Alpha")
        connection, session = self.connect()
        credentials = {**self.world.credentials("Alpha"), "client_secret": key, "use": "imc2"}
        self.service.write(session, {"event": "authenticate", "payload": credentials})
        self.assertEqual(self.heard(connection)[0]["error"], "invalid credentials")

    def test_expired(self) -> None:
        """A key that was replaced works until its end."""
        now = self.clock.now().wall
        old = Secret(digest("old"), now + 100, "imc2")
        self.world.change("Alpha", secrets=(Secret(digest("new"), None, "imc2"), old))
        self.assertRegex(self.mud().say("PW Alpha OLD version=2")[0], "^PW ")
        self.clock.advance(100)
        self.assertRegex(self.mud().say("PW Alpha OLD version=2")[0], "^NOTICE ")
        self.assertRegex(self.mud().say("PW Alpha new version=2")[0], "^PW ")

    def test_many_wrong(self) -> None:
        """After 20 wrong keys from an address, not even the right one is looked at."""
        key = self.key("Alpha")
        for _ in range(20):
            mud = self.mud()
            mud.say("PW Alpha wrong version=2")
            mud.wire.loseConnection()
        self.assertEqual(self.mud().say(f"PW Alpha {key} version=2"), [WRONG])
        self.assertRegex(self.mud("192.0.2.8").say(f"PW Alpha {key} version=2")[0], "^PW ")

    def test_not_imc2(self) -> None:
        """What does not begin like IMC2 is cut off by an RST, and not answered."""
        for data in (b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\n", b"x" * 1025, b"PW " + b"x" * 1100 + b"\n", b"PW a\n"):
            mud = self.mud()
            mud.send(data)
            self.assertTrue(mud.wire.aborted, data)
            self.assertEqual(mud.raw(), b"")

    @given(st.lists(st.binary(max_size=80), max_size=6))
    @settings(max_examples=60)
    def test_anything(self, reads: list[bytes]) -> None:
        """No bytes raise, before the login or after it, and no buffer grows."""
        stranger = self.mud("192.0.2.9")
        mud = self.login("Alpha", address="192.0.2.10")
        for read in reads:
            stranger.send(read)
            mud.send(read + b"\nBob@Alpha 1 Alpha ice-msg-b *@* " + read)
        mud.lines()
        self.assertLess(len(mud.connection._unheard), LINES_A_TURN)
        for each in (stranger, mud):
            if not each.closed:
                each.wire.loseConnection()
        self.assertEqual(self.flushLoggedErrors(), [])


class EndTests(Imc2TestCase):
    """How connections end: by an RST before the login, and by a FIN after it."""

    limits = Imc2Limits(connections_per_address=3, unauthenticated_per_address=2)

    def test_silence(self) -> None:
        """A connection that says nothing for 30 seconds ends by an RST (rule 1)."""
        mud = self.mud()
        self.clock.advance(30)
        self.assertTrue(mud.closed and mud.wire.aborted)

    def test_full(self) -> None:
        """A connection for which there is no room ends by an RST, and not because there is no protocol for it."""
        self.mud(), self.mud()
        third = self.mud()
        self.assertTrue(third.closed and third.wire.aborted)
        self.assertEqual(third.raw(), b"")
        self.assertEqual(self.transport.open_connections(), 2)
        self.assertFalse(self.mud("192.0.2.8").closed)

    def test_places(self) -> None:
        """A place is free again when its connection has ended."""
        for _ in range(5):
            mud = self.login("Alpha")
            mud.wire.loseConnection()
        for _ in range(5):
            self.mud().wire.loseConnection()
        self.assertEqual((self.transport.open_connections(), len(self.transport.admission)), (0, 0))

    def test_stop(self) -> None:
        """When the daemon stops, games that are logged in get a FIN, and the others an RST."""
        joined, waiting = self.login("Alpha"), self.mud()
        self.service._carry_out(self.world.network.restart(30))
        self.factory.numPorts = 0
        for connection in list(self.transport.connections):
            connection.stop()
        self.assertEqual(
            joined.wire.value().split(b" ", 2)[2],
            b'Gossip emote *@* channel=15 level=Imm text="The network will be back in 30 seconds."\r\n',
        )
        self.assertTrue(joined.closed and not joined.wire.aborted)
        self.assertTrue(waiting.closed and waiting.wire.aborted)

    def test_slow_end(self) -> None:
        """A peer that does not take the last bytes is cut off."""
        mud = self.login("Alpha")
        mud.wire.loseConnection = lambda: None
        mud.connection.stop()
        self.assertFalse(mud.closed)
        self.clock.advance(CLOSE_SECONDS)
        self.assertTrue(mud.wire.aborted)

    def test_long_lines(self) -> None:
        """After the login, a line that is too long, or that has no end, closes."""
        self.limit(line_bytes=100, unended_bytes=200)
        for data in (b"x" * 101 + b"\n", b"x" * 201):
            mud = self.login("Alpha")
            mud.send(data)
            self.assertTrue(mud.closed and not mud.wire.aborted)

    def test_replaced(self) -> None:
        """A second login replaces the first, which gets a FIN; the game does not go offline."""
        beta, _ = self.websocket("Beta")
        first = self.login("Alpha")
        self.heard(beta)
        second = self.login("Alpha")
        self.assertTrue(first.closed and not first.wire.aborted)
        self.clock.advance(120)
        second.packet("*", "is-alive *@*")
        self.assertEqual(self.heard(beta), [])

    def test_replaced_often(self) -> None:
        """Two MUDs with the same key do not push each other out forever."""
        self.limit()
        first = self.login("Alpha")
        for _ in range(REPLACED):
            first = self.login("Alpha")
        last = self.mud()
        self.assertEqual(last.say(f"PW Alpha {self.key('Alpha')} version=2"), ["autosetup Gossip reject connected"])
        self.assertFalse(first.closed or last.closed)
        self.clock.advance(REFUSED_SECONDS)
        self.assertTrue(last.wire.aborted)
        for _ in range(int(REPLACED_SECONDS // 10)):
            self.clock.advance(10)
            first.packet("*", "is-alive *@*")
        self.login("Alpha")
        self.assertTrue(first.closed)

    def test_slow_reader(self) -> None:
        """The limits of a connection hold: what it may send, and what waits for it."""
        mud = self.login("Alpha")
        for _ in range(40):
            mud.send(b"\n" * 60_000)
            self.clock.advance(1)
        self.assertTrue(mud.closed)

    def test_beat(self) -> None:
        """Each beat asks for a sign of life; any line is one, and a MUD that sends none is closed after a minute."""
        mud = self.login("Alpha")
        self.tick(15)
        self.assertEqual(mud.lines(), ["*@Gossip # Gossip keepalive-request *@Alpha"])
        for _ in range(5):
            mud.packet("*", "is-alive *@Gossip")
            self.tick(15)
        self.assertFalse(mud.closed)
        self.tick(75)
        self.assertTrue(mud.closed and not mud.wire.aborted)

    def tick(self, seconds: int) -> None:
        """Time goes by."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.service._carry_out(self.world.network.tick(self.clock.now()))
            self.turn()

    def test_turns(self) -> None:
        """A read with many lines is handled in several turns of the reactor, in their order."""
        self.rates(global_=ANY_RATE, channels_send=ANY_RATE)
        beta, _ = self.websocket("Beta", channels=["gossip"])
        mud = self.login("Alpha")
        lines = [f'B@Alpha {n} Alpha ice-msg-b *@* channel=Gossip:gossip text="{n}"' for n in range(200)]
        mud.send("".join(f"{line}\n" for line in lines).encode())
        self.assertEqual(len(mud.connection._unheard), 200 - LINES_A_TURN)
        self.assertEqual([text for _, text in self.said(beta)], [str(n) for n in range(200)])
