"""Tests for the connections of the Intermud-3 port: the login, the lists, silence, and how connections end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from gossip.registry.changes import ChannelSaved
from gossip.registry.entities import Channel
from gossip.service.interfaces import IConnection, IWireFormat
from gossip.transports.interfaces import ITransport
from gossip.transports.intermud3.connection import BAD, CLOSE_SECONDS
from gossip.transports.intermud3.limits import I3Limits, I3Settings
from gossip.transports.intermud3.member import SILENCE, TOO_LONG
from gossip.transports.intermud3.mudmode import frame
from gossip.transports.intermud3.packets import FRAME_BYTES
from tests.support.i3_games import PASSWORD, I3TestCase, Mud, i3_identity
from tests.support.ports import ANY_RATE


class LoginTests(I3TestCase):
    """The startup of a MUD and its answer."""

    def refused(self, mud: Mud, name: str, password: int = PASSWORD) -> str:
        """A login is refused, and the connection ends after two seconds; returns the text."""
        ((kind, _, sender, _, to_mud, _, code, text, _),) = mud.startup(name, password)
        self.assertEqual((kind, sender, to_mud, code), ("error", mud.router, name, "not-allowed"))
        self.clock.advance(1.9)
        self.assertFalse(mud.closed)
        self.clock.advance(0.1)
        self.assertTrue(mud.closed and not mud.wire.aborted)
        return str(text)

    def test_interfaces(self) -> None:
        """The transport, the connection and its wire format implement their interfaces."""
        mud = self.login("Alpha")
        verifyObject(ITransport, self.transport)
        verifyObject(IConnection, mud.connection)
        verifyObject(IWireFormat, mud.connection.wire_format)

    def test_right(self) -> None:
        """The right password is answered once, with the address that the MUD dialled; the lists follow."""
        i3_identity(self.world, "Alpha", "My Mud")
        mud = self.mud()
        reply, channels = mud.startup("MY mud")
        routers = [["*gossip", "203.0.113.9 4114"]]
        self.assertEqual(reply, ["startup-reply", 5, "*gossip", 0, "My Mud", 0, routers, PASSWORD])
        self.assertEqual(channels[:6], ["chanlist-reply", 5, "*gossip", 0, "My Mud", 0])
        self.assertEqual(channels[7], {"imud_gossip": ["*gossip", 0]})
        self.clock.advance(0.5)
        (muds,) = mud.packets()
        self.assertEqual(muds[:6], ["mudlist", 5, "*gossip", 0, "My Mud", 0])
        self.assertEqual(
            {name: record[0] for name, record in muds[7].items()},
            {"My Mud": -1, "gossip": -1, "Beta": 0, "Gamma": 0, "Delta": 0},
        )
        self.assertEqual(muds[7]["My Mud"][1:5], ["192.0.2.7", 4000, 0, 0])
        self.assertGreater(muds[6], channels[6])

    def test_first(self) -> None:
        """The first login gets a password, which is on disk before the answer leaves; with it, it gets in again."""
        i3_identity(self.world, "Alpha", "My Mud", digest=None, open_until=self.clock.now().wall + 60)
        mud = self.mud()
        mud.name = "My Mud"
        turn, mud._turn = mud._turn, lambda: None
        mud.startup("My Mud", 0)
        self.clock.advance(0)
        self.assertEqual(mud.raw(), b"")
        mud._turn = turn
        password = mud.packets()[0][7]
        self.assertTrue(0 < password < 2**31)
        mud.wire.loseConnection()
        again = self.mud("192.0.2.8")
        self.assertEqual(again.startup("My Mud", password)[0][7], password)
        self.refused(self.mud("192.0.2.9"), "My Mud", 0)

    def test_not_kept(self) -> None:
        """A password that cannot be kept is not told: the login is refused."""
        i3_identity(self.world, "Alpha", "My Mud", digest=None, open_until=self.clock.now().wall + 60)
        self.writer.full = True
        self.refused(self.mud(), "My Mud", 0)

    def test_same_address(self) -> None:
        """From the address of its last login a MUD gets a new password, if the router allows that."""
        self.login("Alpha", "My Mud").wire.loseConnection()
        password = self.mud().startup("My Mud", 0)[0][7]
        self.assertNotEqual(password, PASSWORD)
        self.factory.settings = I3Settings(same_address=False)
        self.refused(self.mud(), "My Mud", 0)
        self.assertEqual(self.mud().startup("My Mud", password)[0][7], password)

    def test_refused(self) -> None:
        """Unknown MUDs, wrong passwords and disabled games are refused, and told where to look."""
        text = self.refused(self.mud(), "My Mud")
        self.assertIn("My Mud is not registered here", text)
        self.assertIn("https://gossip.example.org/connect", text)
        i3_identity(self.world, "Alpha", "My Mud")
        self.refused(self.mud(), "My Mud", 1)
        self.refused(self.mud(), "Alpha")
        self.world.change("Alpha", disabled=True)
        self.refused(self.mud(), "My Mud")

    def test_hostile_names(self) -> None:
        """The name of a MUD that is refused is written back without harm."""
        for name in ("*x", 'a"b', "x" * 1000, "%^RED%^", "\0\r\n", ""):
            mud = self.mud()
            mud.startup(name)
            self.clock.advance(2)
            self.assertTrue(mud.closed)

    def test_router_name(self) -> None:
        """The router calls itself what the MUD calls it, if that is a name of a router."""
        i3_identity(self.world, "Alpha", "My Mud")
        for called, name in (("*i4", "*i4"), ("i4", "*gossip"), ("", "*gossip")):
            mud = self.mud()
            mud.router = called
            reply, channels = mud.startup("My Mud")
            self.assertEqual((reply[2], reply[6][0][0], channels[2]), (name, name, name))
            self.assertEqual(channels[7], {"imud_gossip": [name, 0]})

    def test_address(self) -> None:
        """The address of the router is the one that is configured."""
        self.factory.settings = I3Settings(address="198.51.100.1 4999")
        i3_identity(self.world, "Alpha", "My Mud")
        self.assertEqual(self.mud().startup("My Mud")[0][6], [["*gossip", "198.51.100.1 4999"]])

    def test_before(self) -> None:
        """Before its startup, a MUD is told nothing but that; a wrong startup can be repeated."""
        i3_identity(self.world, "Alpha", "My Mud")
        mud = self.mud()
        mud.name = "My Mud"
        (answer,) = mud.packet("tell", "ana", "Beta", "bo", "Ana", "hi")
        self.assertEqual(answer[4:7], ["My Mud", "ana", "unk-src"])
        ((*_, code, _, _),) = mud.say(["startup-req-3", 5, "My Mud", 0, "*gossip", 0, 1])
        self.assertEqual(code, "bad-pkt")
        self.assertEqual(mud.startup("My Mud")[0][0], "startup-reply")

    def test_again(self) -> None:
        """A second startup is an error, and not answered by a second startup-reply."""
        mud = self.login("Alpha")
        ((*_, code, _, _),) = mud.startup(mud.name)
        self.assertEqual(code, "bad-proto")

    def test_many_wrong(self) -> None:
        """After 20 wrong passwords from an address, not even the right one is looked at."""
        i3_identity(self.world, "Alpha", "My Mud")
        for _ in range(20):
            self.refused(self.mud(), "My Mud", 1)
        self.refused(self.mud(), "My Mud")
        self.assertEqual(self.mud("192.0.2.8").startup("My Mud")[0][0], "startup-reply")

    def test_not_intermud3(self) -> None:
        """What does not begin like Intermud-3 is cut off, and not answered."""
        for data in (b"GET / HTTP/1.1\r\n", b"\x01\0\0\0", b"\0\x00\x20\x01", b"\0\0\0\0"):
            mud = self.mud()
            mud.send(data)
            self.assertTrue(mud.wire.aborted, data)
            self.assertEqual(mud.raw(), b"")

    def test_old_protocol(self) -> None:
        """A MUD that speaks protocol 1 is told of less, and gets in all the same."""
        i3_identity(self.world, "Alpha", "My Mud")
        mud = self.mud()
        named = ["Lib", "Lib", "Driver", "LPMud", "open"]
        mud.say(["startup-req-1", 5, "My Mud", 0, "*gossip", 0, PASSWORD, 0, 0, 4000, 0, 0, *named, {"tell": 1}])
        self.clock.advance(1)
        (muds,) = mud.packets()
        self.assertEqual({len(record) for record in muds[7].values()}, {11})


class ListTests(I3TestCase):
    """What MUDs are told of each other and of channels."""

    def show(self, channel: str, hidden: bool = False) -> None:
        """A channel is public from now on, or no longer."""
        self.world.registry.enact(ChannelSaved(Channel(channel, hidden)))

    def test_pace(self) -> None:
        """Lists leave at two frames a second, each short enough for every driver, and all of it arrives."""
        for number in range(200):
            self.world.add(f"Game{number}")
        i3_identity(self.world, "Alpha", "My Mud")
        mud = self.mud()
        mud.startup("My Mud")
        found: dict[str, object] = {}
        numbers = []
        for _ in range(60):
            self.clock.advance(0.5)
            frames = mud.packets()
            self.assertLessEqual(len(frames), 1)
            for packet in frames:
                numbers.append(packet[6])
                found |= packet[7]
        self.assertEqual(len(found), 205)
        self.assertGreater(len(numbers), 2)
        self.assertEqual(numbers, sorted(set(numbers)))

    def test_coming_and_going(self) -> None:
        """Games that come and go are told in lists of one; a hidden one is not."""
        mud = self.login("Alpha")
        self.world.change("Gamma", hidden=True)
        _, session = self.websocket("Beta", user_agent="ExVenture 0.30")
        self.websocket("Gamma")
        self.clock.advance(1)
        (came,) = mud.packets()
        self.assertEqual([*came[7]], ["Beta"])
        self.assertEqual(
            came[7]["Beta"],
            [
                *(
                    -1,
                    "0.0.0.0",
                    0,
                    0,
                    0,
                    "ExVenture 0.30",
                    "ExVenture 0.30",
                    "unknown",
                    "Other",
                    "open for public",
                    "",
                ),
                {"tell": 1, "channel": 1, "who": 1, "finger": 1, "locate": 1},
                0,
            ],
        )
        self.service.lost(session)
        self.clock.advance(61)
        self.service._carry_out(self.world.network.tick(self.clock.now()))
        self.service._carry_out(self.world.network.tick(self.clock.now()))
        self.turn()
        self.clock.advance(1)
        self.assertEqual([packet[7]["Beta"][0] for packet in mud.packets() if packet[0] == "mudlist"], [0])

    def test_of_muds(self) -> None:
        """A MUD is told what another one said of itself; it stays known when that one is gone."""
        first = self.login("Alpha", other={"url": "http://mud.example.org"})
        self.login("Beta", address="192.0.2.9", port=5555)
        self.clock.advance(1)
        told = {name: record for packet in first.packets() for name, record in packet[7].items()}
        self.assertEqual(told["Beta Mud"][:6], [-1, "192.0.2.9", 5555, 0, 0, "Lib 1.0"])

    def test_much(self) -> None:
        """Whatever comes and goes while a MUD is told, the newest state is told once."""
        mud = self.login("Alpha")
        for _ in range(20):
            _, session = self.websocket("Beta")
            self.service.lost(session)
        self.clock.advance(10)
        self.assertEqual(len(mud.packets()), 1)

    def test_channels(self) -> None:
        """Channels that are public from now on are offered, and those that no longer are, are taken away."""
        mud = self.login("Alpha")
        self.websocket("Beta", channels=["crafts"])
        self.show("crafts")
        self.wait(70)
        (came,) = [packet for packet in mud.packets() if packet[0] == "chanlist-reply"]
        self.assertEqual(came[7], {"crafts": ["*gossip", 0]})
        self.show("crafts", hidden=True)
        self.wait(70)
        (went,) = [packet for packet in mud.packets() if packet[0] == "chanlist-reply"]
        self.assertEqual(went[7], {"crafts": 0})

    def test_renamed(self) -> None:
        """A MUD whose name changed is gone by its old name, and there by its new one."""
        mud = self.login("Alpha")
        i3_identity(self.world, "Beta", "New Name")
        self.wait(70)
        (told,) = mud.packets()
        self.assertEqual({name: record and record[0] for name, record in told[7].items()}, {"Beta": 0, "New Name": 0})
        self.assertEqual(told[7]["Beta"], 0)


class EndTests(I3TestCase):
    """How connections end."""

    limits = I3Limits(connections_per_address=3, unauthenticated_per_address=2)

    def test_silence_before(self) -> None:
        """A connection that does not log in is cut off after 30 seconds."""
        mud = self.mud()
        self.clock.advance(30)
        self.assertTrue(mud.wire.aborted)

    def test_frame_without_end(self) -> None:
        """A frame that never ends closes the connection of a MUD that has logged in, too."""
        mud = self.login("Alpha")
        for _ in range(5):
            mud.send(b"\0\0\xff\xff(" if _ == 0 else b"{")
            self.clock.advance(10)
        self.assertTrue(mud.closed)

    def test_slow_frame(self) -> None:
        """A frame that arrives in pieces is a frame."""
        mud = self.login("Alpha")
        data = frame(["who-req", 5, mud.name, "ana", "*gossip", 0])
        for byte in data[:-1]:
            mud.send(bytes([byte]))
        self.clock.advance(9)
        mud.send(data[-1:])
        self.assertEqual(mud.packets()[0][0], "who-reply")

    def test_full(self) -> None:
        """There is room for only so many connections, and it is free again when they end."""
        first, _ = self.mud(), self.mud()
        self.assertIsNone(self.factory.buildProtocol(first.wire.getPeer()))
        first.wire.loseConnection()
        self.assertIsNotNone(self.factory.buildProtocol(first.wire.getPeer()))
        self.assertEqual(self.transport.open_connections(), 1)

    def test_places(self) -> None:
        """Nothing of a connection stays when it has ended."""
        for _ in range(5):
            self.login("Alpha").wire.loseConnection()
        self.assertEqual((self.transport.open_connections(), len(self.transport.admission)), (0, 0))
        self.assertEqual([*self.factory.hub], [])

    def test_replaced(self) -> None:
        """A second login replaces the first; the game does not go offline."""
        beta, _ = self.websocket("Beta")
        first = self.login("Alpha")
        self.heard(beta)
        second = self.login("Alpha")
        self.assertTrue(first.closed and not first.wire.aborted)
        self.assertFalse(second.closed)
        self.assertEqual(self.heard(beta), [])

    def test_stop(self) -> None:
        """When the daemon stops, all connections end."""
        joined, waiting = self.login("Alpha"), self.mud()
        for connection in list(self.transport.connections):
            connection.stop()
        self.assertTrue(joined.closed and not joined.wire.aborted)
        self.assertTrue(waiting.wire.aborted)

    def test_draining(self) -> None:
        """A node that takes no new games ends a login without a word: after an error, a MUD would wait for an hour."""
        i3_identity(self.world, "Beta", "Beta Mud")
        stays, waiting = self.login("Alpha"), self.mud()
        self.service.drain()
        for mud in (waiting, self.mud()):
            self.assertEqual(mud.startup("Beta Mud"), [])
            self.assertTrue(mud.wire.aborted)
        self.assertFalse(stays.closed)
        self.service.drain(False)
        self.assertEqual(self.mud().startup("Beta Mud")[0][0], "startup-reply")

    def test_slow_end(self) -> None:
        """A peer that does not take the last bytes is cut off."""
        mud = self.login("Alpha")
        mud.wire.loseConnection = lambda: None
        mud.connection.stop()
        self.clock.advance(CLOSE_SECONDS)
        self.assertTrue(mud.wire.aborted)

    def test_shutdown(self) -> None:
        """A MUD that says that it leaves is let go."""
        mud = self.login("Alpha")
        mud.packet("shutdown", "", "*gossip", "", 0)
        self.assertTrue(mud.closed)

    def test_too_long(self) -> None:
        """A frame over the limit closes: what follows could not be found."""
        mud = self.login("Alpha")
        mud.send((70_000).to_bytes(4, "big"))
        self.assertTrue(mud.closed and not mud.wire.aborted)

    def test_wrong(self) -> None:
        """Twenty packets in the name of others, or that nobody can read, within a minute close the connection."""
        for wrong in (frame(["tell", 5, "Beta", "x", "Beta", "y", "X", "hi"]), frame("x"), b"\0\0\0\x02({"):
            self.rates(global_=ANY_RATE)
            mud = self.login("Alpha")
            for number in range(BAD):
                self.assertFalse(mud.closed, number)
                mud.send(wrong)
                mud.packets()
            self.assertTrue(mud.closed)

    def test_wrong_rarely(self) -> None:
        """The same over a longer time does not."""
        mud = self.login("Alpha")
        for _ in range(BAD * 2):
            ((*_, code, _, _),) = mud.say(["tell", 5, "Beta", "x", "Beta", "y", "X", "hi"])
            self.assertEqual(code, "unk-src")
            self.clock.advance(4)
        self.assertFalse(mud.closed)

    def test_flood(self) -> None:
        """A MUD that sends without end is cut off."""
        mud = self.login("Alpha")
        for _ in range(40):
            mud.send(frame(["x" * 60_000]) * 2)
            self.clock.advance(1)
        self.assertTrue(mud.closed)

    def asked(self, mud: Mud) -> int:
        """How often a MUD was asked whether it is there since the last look."""
        asked = [packet for packet in mud.packets() if packet[0] == "auth-mud-req"]
        self.assertTrue(all(packet[2] == mud.router and packet[4] == mud.name for packet in asked))
        return len(asked)

    def test_silence(self) -> None:
        """A silent MUD is asked once; one that never answers stays, since some know no such question."""
        mud = self.login("Alpha")
        self.wait(SILENCE - 20)
        self.assertEqual(self.asked(mud), 0)
        self.wait(20)
        self.assertEqual(self.asked(mud), 1)
        self.wait(TOO_LONG)
        self.assertEqual(self.asked(mud), 0)
        self.assertFalse(mud.closed)

    def test_silence_of_another(self) -> None:
        """One that has answered is closed when it no longer does."""
        mud = self.login("Alpha")
        self.wait(SILENCE)
        self.assertEqual(self.asked(mud), 1)
        self.assertEqual(mud.packet("auth-mud-reply", "", mud.router, "", 77), [])
        self.wait(SILENCE)
        self.assertEqual(self.asked(mud), 1)
        self.wait(TOO_LONG - SILENCE)
        self.assertTrue(mud.closed)

    def test_no_beats(self) -> None:
        """A MUD that is silent for minutes is not taken for dead by the network, which asks it for no heartbeats."""
        mud = self.login("Alpha")
        for _ in range(300):
            self.clock.advance(1)
            self.service._carry_out(self.world.network.tick(self.clock.now()))
            self.turn()
        self.assertFalse(mud.closed)
        self.assertEqual({packet[0] for packet in mud.packets()}, {"auth-mud-req"})

    @given(st.lists(st.binary(max_size=60) | st.binary(max_size=40).map(lambda data: data + b"\0"), max_size=6))
    @settings(max_examples=50, deadline=None)
    def test_anything(self, reads: list[bytes]) -> None:
        """No bytes raise, before the login or after it, and no buffer grows."""
        stranger, mud = self.mud("192.0.2.9"), self.login("Alpha", address="192.0.2.10")
        for data in reads:
            stranger.send(data)
            mud.send(len(data).to_bytes(4, "big") + data)
            self.assertLess(len(mud.connection._frames) + len(stranger.connection._frames), FRAME_BYTES)
        mud.packets()
        for each in (stranger, mud):
            if not each.closed:
                each.wire.loseConnection()
        self.assertEqual(self.flushLoggedErrors(), [])
