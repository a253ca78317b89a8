"""MUDs and other games at one router: transcripts of clients in the field, played from both sides; and hostile ones."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gossip.network.ratelimit import Rate
from gossip.network.relays import Passed, SessionJoined
from gossip.registry.changes import ChannelSaved, RestrictionSet
from gossip.registry.entities import Channel, Restriction
from gossip.service.watch import STEPS
from gossip.transports.intermud3.limits import I3Settings
from gossip.transports.intermud3.member import PASSED_ON
from gossip.transports.intermud3.mudmode import frame
from gossip.transports.seen_players import PLAYER_SECONDS
from tests.support.i3_games import I3TestCase, Mud, i3_identity
from tests.support.ports import ANY_RATE
from tests.support.world import NOW

DIKU = (
    '({"startup-req-3",5,"ZucchiniMud",0,"*gossip",0,123456,1795380748,1795380748,4003,0,0,"ZucchiniMud","Rom2.4b6",'
    '"ZucchiniMud","Rom","leisurely tinkering, feel free to drop by","yami@greengabbro.net",(["emoteto":1,"news":0,'
    '"ucache":1,"auth":0,"ftp":0,"nntp":0,"rcp":0,"amrcp":0,"tell":1,"beep":1,"mail":0,"file":0,"url":"none","http":0,'
    '"smtp":0,"pop3":0,"locate":1,"finger":1,"channel":1,"who":1,]),0,})'
)


class RouterTestCase(I3TestCase):
    """A router with the games Zucchini, a MUD, and ExVenture, another game."""

    settings = I3Settings(listen=("tcp:4114",), channels=("gossip=gossip", "testing=testing"))

    def setUp(self) -> None:
        super().setUp()
        for name in ("Zucchini", "ExVenture", "MyMUD"):
            self.world.add(name)
        i3_identity(self.world, "Zucchini", "ZucchiniMud")

    def write(self, mud: Mud, text: str, end: bytes = b"\r") -> list[Any]:
        """A MUD sends a packet as a client in the field writes it; returns the packets that came."""
        data = text.encode() + end
        mud.send(len(data).to_bytes(4, "big") + data)
        return mud.packets()

    def zucchini(self) -> Mud:
        """The MUD is there and has its lists."""
        mud = self.mud()
        mud.name = "ZucchiniMud"
        self.write(mud, DIKU)
        self.clock.advance(2)
        mud.packets()
        return mud

    def exventure(self, *channels: str) -> Any:
        """The other game is there, with its player Alice."""
        return self.websocket("ExVenture", channels=list(channels), players=["Alice", "Bo Derek"])


class TranscriptTests(RouterTestCase):
    """What clients in the field sent, and what they understood."""

    def test_login(self) -> None:
        """A Diku client logs in, ends its frames by a CR, and hears the lists as it reads them."""
        self.websocket("ExVenture", user_agent="ExVenture")
        mud = self.mud()
        reply, channels = self.write(mud, DIKU)
        routers = [["*gossip", "203.0.113.9 4114"]]
        self.assertEqual(reply, ["startup-reply", 5, "*gossip", 0, "ZucchiniMud", 0, routers, 123456])
        self.assertEqual(channels[7], {"gossip": ["*gossip", 0], "testing": ["*gossip", 0]})
        self.clock.advance(0.5)
        ((*_, muds),) = mud.packets()
        self.assertEqual(
            muds["ZucchiniMud"],
            [
                *(-1, "192.0.2.7", 4003, 0, 0, "ZucchiniMud", "Rom2.4b6", "ZucchiniMud", "Rom"),
                "leisurely tinkering, feel free to drop by",
                "yami@greengabbro.net",
                {
                    name: int(name in ("emoteto", "ucache", "tell", "beep", "locate", "finger", "channel", "who"))
                    for name in re.findall(r'"(\w+)":[01]', DIKU)
                },
                0,
            ],
        )
        self.assertEqual(muds["ExVenture"][5:9], ["ExVenture", "ExVenture", "unknown", "Other"])

    def test_channel(self) -> None:
        """A message is heard without its colours, and comes back to its own MUD as it was sent; so does an emote."""
        mud, (other, _) = self.zucchini(), self.exventure("gossip")
        self.assertEqual(self.write(mud, '({"channel-listen",5,"ZucchiniMud",0,"*gossip",0,"gossip",1,})'), [])
        message = (
            '({"channel-m",5,"ZucchiniMud","Test",0,0,"gossip","Test",'
            '"Hello \\"there\\" 100% %^RED%^%^BOLD%^red back\\\\slash",})'
        )
        text = 'Hello "there" 100% %^RED%^%^BOLD%^red back\\slash'
        own = ["channel-m", 4, "ZucchiniMud", "Test", 0, 0, "gossip", "Test", text]
        self.assertEqual(self.write(mud, message), [own])
        emote = '({"channel-e",5,"ZucchiniMud","Test",0,0,"gossip","Test","$N smiles happily.",})'
        self.assertEqual(self.write(mud, emote)[0][8], "$N smiles happily.")
        self.assertEqual(
            self.said(other), [("Test", 'Hello "there" 100% red back\\slash'), ("Test", "/me smiles happily.")]
        )

    def test_speaks_first(self) -> None:
        """A MUD that speaks on a channel that it does not listen to is heard, and hears nothing."""
        mud, (other, session) = self.zucchini(), self.exventure("gossip")
        self.assertEqual(mud.speak("gossip", "Test", "hi"), [])
        self.assertEqual(self.said(other), [("Test", "hi")])
        self.speak(session, "gossip", "Alice", "hello")
        self.assertEqual(mud.packets(), [])

    def speak(self, session: Any, channel: str, name: str, message: str) -> None:
        """A player of the other game says something."""
        payload = {"channel": channel, "name": name, "message": message}
        self.service.write(session, {"event": "channels/send", "payload": payload})

    def test_hears(self) -> None:
        """What others say is written once for all MUDs; colours and names in it are only text, and it has parts."""
        i3_identity(self.world, "Alpha", "Other Mud")
        mud, (_, session) = self.zucchini(), self.exventure("gossip")
        other = self.login("Alpha", "Other Mud", "192.0.2.8")
        mud.packets()
        self.listen(mud, "gossip")
        self.listen(other, "gossip")
        self.speak(session, "gossip", "Bo Derek", "%^RED%^ $N é")
        told = ["channel-m", 5, "ExVenture", "boderek", 0, 0, "gossip", "Bo Derek", "% ^RED% ^ $ N é"]
        self.assertEqual((mud.packets(), other.packets()), ([told], [told]))
        self.assertEqual(self.transport.counts()[1].by_kind["channel-m"], 1)
        self.speak(session, "gossip", "Alice", "/me " + "waves " * 600)
        parts = mud.packets()
        self.assertEqual([part[0] for part in parts], ["channel-e", "channel-m", "channel-m"])
        self.assertTrue(parts[0][8].startswith("$N waves waves"))

    def test_tells(self) -> None:
        """Tells go both ways; a refusal of the MUD reaches the player, and one of the network the MUD."""
        mud, (other, session) = self.zucchini(), self.exventure()
        payload = {"from_name": "Alice", "to_game": "Zucchini", "to_name": "Bob", "message": "psst"}
        payload["sent_at"] = "2026-01-01T00:00:00Z"
        self.service.write(session, {"event": "tells/send", "ref": "r", "payload": payload})
        self.assertEqual(mud.packets(), [["tell", 5, "ExVenture", "alice", "ZucchiniMud", "bob", "Alice", "psst"]])
        self.heard(other)
        error = '({"error",5,"ZucchiniMud",0,"ExVenture","alice","unk-user","No such player.",0,})'
        self.assertEqual(self.write(mud, error), [])
        self.assertEqual(self.said(other), [("system", "No such player.")])
        tell = '({"tell",5,"ZucchiniMud","Test","ExVenture","%s","Test","hi there",})'
        self.assertEqual(self.write(mud, tell % "boderek"), [])
        self.assertEqual(self.said(other), [("Test", "hi there")])
        ((*head, code, text, _),) = self.write(mud, tell % "eve")
        self.assertEqual(head, ["error", 5, "*gossip", 0, "ZucchiniMud", "Test"])
        self.assertEqual((code, text), ("unk-user", "receiving player offline"))
        self.assertEqual(self.write(mud, error.replace("alice", "carol")), [])
        self.assertEqual(self.said(other), [])

    def test_questions(self) -> None:
        """Questions about games that speak no Intermud-3 are answered for them."""
        self.world.change("ExVenture", homepage_url="https://ex.example.org")
        mud, _ = self.zucchini(), self.exventure()
        who = mud.packet("who-req", "Test", "exventure", "")
        rows = [["Alice", 0, ""], ["Bo Derek", 0, ""]]
        self.assertEqual(who, [["who-reply", 5, "ExVenture", 0, "ZucchiniMud", "Test", rows]])
        ((kind, *_, extra),) = mud.packet("finger-req", "Test", "ExVenture", "", "ALICE")
        self.assertEqual((kind, extra), ("finger-reply", "On ExVenture. https://ex.example.org\n"))
        ((*_, code, _, _),) = mud.packet("finger-req", "Test", "ExVenture", "", "eve")
        self.assertEqual(code, "unk-user")
        ((*_, game, name, _, _),) = mud.packet("locate-req", "Test", "", "", "alice")
        self.assertEqual((game, name), ("ExVenture", "Alice"))
        self.assertEqual(mud.packet("chan-who-req", "Test", "ExVenture", "", "gossip")[0][6:], ["gossip", []])
        self.assertEqual(mud.packet("auth-mud-req", "", "ExVenture", "")[0][0], "auth-mud-reply")
        ((*_, games),) = mud.packet("who-req", "Test", "*gossip", "")
        self.assertIn(["ExVenture", 0, "2 players"], games)
        self.assertEqual(mud.packet("chanlist-req", "Test", "*gossip", "")[0][0], "chanlist-reply")

    def test_gateway_in_python(self) -> None:
        """A gateway that is lenient in what it writes: far-travelled, with numbers as texts and lone commas."""
        i3_identity(self.world, "MyMUD", "PyGate")
        gate, mud = self.mud("192.0.2.8"), self.zucchini()
        gate.startup("PyGate")
        self.clock.advance(2)
        gate.packets()
        mud.packets()
        self.assertEqual(self.write(gate, '({"channel-listen",5,"PyGate",0,0,0,"gossip","1",})', b""), [])
        self.assertEqual([*gate.connection.member.listens_to], ["gossip"])
        self.assertEqual(self.write(gate, '({"who-req",5,"PyGate","*","ZucchiniMud",0,})', b""), [])
        self.assertEqual(mud.packets(), [["who-req", 4, "PyGate", "*", "ZucchiniMud", 0]])
        self.assertEqual(self.write(gate, '({"who-reply",200,"PyGate",0,"ZucchiniMud","alice",({,}),})', b""), [])
        self.assertEqual(mud.packets(), [["who-reply", 4, "PyGate", 0, "ZucchiniMud", "alice", [0]]])

    def test_self_ping(self) -> None:
        """MUDs ask themselves whether their connection works: it comes back, with a seventh element as well."""
        i3_identity(self.world, "MyMUD", "My Mud")
        mud = self.login("MyMUD", "My Mud")
        ping = '({"auth-mud-req",5,"My Mud",0,"My Mud",0,})'
        self.assertEqual(self.write(mud, ping), [["auth-mud-req", 4, "My Mud", 0, "My Mud", 0]])
        self.assertEqual(self.write(mud, ping.replace("0,})", "0,0,})"))[0][:2], ["auth-mud-req", 4])
        pong = '({"auth-mud-reply",5,"My Mud",0,"My Mud",0,123,})'
        self.assertEqual(self.write(mud, pong), [["auth-mud-reply", 4, "My Mud", 0, "My Mud", 0, 123]])

    def test_new_channel(self) -> None:
        """A channel that a MUD adds is offered to all MUDs at once, and is one of the network."""
        other = self.login("Alpha", address="192.0.2.8")
        mud = self.zucchini()
        other.packets()
        self.assertEqual(mud.packet("channel-add", "Test", "*gossip", "", "crafts", 0), [])
        self.clock.advance(1)
        self.assertIn({"crafts": ["*gossip", 0]}, [packet[7] for packet in other.packets()])
        self.assertIn("crafts", self.world.registry.channels)
        mud.packets()
        self.assertEqual(mud.speak("crafts", "Test", "hi")[0][:3], ["channel-m", 4, "ZucchiniMud"])
        ((*_, code, _, _),) = mud.packet("channel-add", "Test", "*gossip", "", "a b", 0)
        self.assertEqual(code, "bad-pkt")
        ((*_, code, _, _),) = mud.packet("channel-add", "Test", "*gossip", "", "other", 1)
        self.assertEqual(code, "not-allowed")

    def test_banned_channel(self) -> None:
        """A MUD that may not hear a channel is told so."""
        subject = self.world.client_id("Zucchini")
        ban = Restriction(kind="ban", subject=subject, channel="gossip", reason="Spam", set_by="ana", set_at=NOW)
        self.world.registry.enact(RestrictionSet(ban))
        mud = self.zucchini()
        ((*_, code, text, _),) = mud.packet("channel-listen", "", "*gossip", "", "gossip", 1)
        self.assertEqual(code, "not-allowed")
        self.assertIn("gossip: ", text)
        self.assertEqual([*mud.connection.member.listens_to], [])


class BetweenMudsTests(RouterTestCase):
    """What passes between two MUDs."""

    def setUp(self) -> None:
        super().setUp()
        self.one, self.two = self.login("Alpha"), self.login("Beta", address="192.0.2.8")
        self.clock.advance(5)
        self.one.packets(), self.two.packets()

    def test_passed(self) -> None:
        """Questions and answers reach the other MUD, written anew."""
        self.assertEqual(self.one.packet("who-req", "ana", "BETA mud", ""), [])
        self.assertEqual(self.two.packets(), [["who-req", 4, "Alpha Mud", "ana", "Beta Mud", 0]])
        rows = [["Bo", 0, "x" * 1000]] * 30
        self.two.packet("who-reply", "", "Alpha Mud", "ana", rows)
        ((*_, kept),) = self.one.packets()
        self.assertEqual(kept[0], ["Bo", 0, "x" * 500])
        self.assertLess(len(kept), 30)

    def test_all(self) -> None:
        """What is for all MUDs reaches those with the service, and not its own; nobody else's is passed on."""
        i3_identity(self.world, "Gamma", "Deaf Mud")
        deaf = self.login("Gamma", "Deaf Mud", "192.0.2.9", services={"tell": 1})
        self.one.packets(), self.two.packets(), deaf.packets()
        self.one.packet("ucache-update", "", "", "", "ana", "Ana", 1)
        self.assertEqual((self.one.packets(), deaf.packets()), ([], []))
        self.assertEqual(self.two.packets()[0][6:], ["ana", "Ana", 1])
        self.one.packet("locate-req", "ana", "", "", "bo")
        self.assertEqual(self.two.packets()[0][:4], ["locate-req", 4, "Alpha Mud", "ana"])

    def test_muted(self) -> None:
        """A muted player's update for all MUDs is not passed on."""
        subject = f"ana@{self.world.client_id('Alpha')}"
        mute = Restriction(kind="mute", subject=subject, reason="Spam", set_by="bo", set_at=NOW)
        self.world.registry.enact(RestrictionSet(mute))
        self.one.packet("ucache-update", "", "", "", "ana", "Ana", 1)
        self.assertEqual(self.two.packets(), [])

    def test_too_much(self) -> None:
        """A MUD has only so many packets passed on."""
        for _ in range(PASSED_ON.burst + 10):
            self.one.packet("who-req", "ana", "Beta Mud", "")
        self.assertEqual(len(self.two.packets()), PASSED_ON.burst)
        self.assertEqual(self.transport.counts()[2].by_kind["rate"], 10)

    def test_hidden(self) -> None:
        """A hidden MUD is asked nothing but by itself."""
        self.world.change("Beta", hidden=True)
        ((*_, code, _, _),) = self.one.packet("who-req", "ana", "Beta Mud", "")
        self.assertEqual(code, "unk-dst")
        self.assertEqual(self.two.packet("auth-mud-req", "", "Beta Mud", "")[0][0], "auth-mud-req")

    def test_tells(self) -> None:
        """Tells between MUDs pass the network, with its rules."""
        self.assertEqual(self.one.packet("tell", "ana", "Beta Mud", "BO", "Ana", "hi"), [])
        told = ["tell", 5, "Alpha Mud", "ana", "Beta Mud", "bo", "Ana", "hi"]
        self.assertEqual(self.two.packets(), [told])
        self.rates(tells_send=Rate(1, 0.001), global_=ANY_RATE)
        self.one.packet("tell", "ana", "Beta Mud", "bo", "Ana", "one")
        ((*_, code, _, _),) = self.one.packet("tell", "ana", "Beta Mud", "bo", "Ana", "two")
        self.assertEqual(code, "not-allowed")

    def test_players(self) -> None:
        """A player that did something counts as online for a quarter of an hour; others may be told things as well."""
        self.one.packet("tell", "bo", "Beta Mud", "x", "Bo Derek", "hi")
        self.assertEqual(self.factory.hub.whereis("bo derek"), (("Alpha", "Bo Derek"),))
        for _ in range(PLAYER_SECONDS // 10 + 1):
            self.clock.advance(10)
            self.turn()
        self.assertEqual(self.factory.hub.whereis("bo derek"), ())


class ProgressTests(RouterTestCase):
    """What the owner of a game sees of its steps."""

    def test_steps(self) -> None:
        """The steps of connecting succeed one by one, as for every other game; the password is not shown."""
        client_id, (_, session) = self.world.client_id("Zucchini"), self.exventure("gossip")
        self.service.watch.look(client_id, session.peer, self.service.now())
        mud = self.zucchini()
        self.listen(mud, "gossip")
        mud.speak("gossip", "Test", "hi")
        said = {"channel": "gossip", "name": "Alice", "message": "hi"}
        told = {"from_name": "Alice", "to_game": "Zucchini", "to_name": "Test", "message": "psst"}
        told["sent_at"] = "2026-01-01T00:00:00Z"
        self.service.write(session, {"event": "channels/send", "payload": said})
        self.service.write(session, {"event": "tells/send", "ref": "r", "payload": told})
        mud.packets()
        watched = self.service.watch.look(client_id, session.peer, self.service.now())
        self.assertEqual(set(STEPS) - set(watched.seen), set())
        self.assertNotIn("123456", repr(watched))


class NodesTests(RouterTestCase):
    """What passes to MUDs at other nodes, and from them."""

    def setUp(self) -> None:
        super().setUp()
        self.passed: list[Passed] = []
        self.factory.hub._pass_on = self.passed.append

    def test_out(self) -> None:
        """A packet for a MUD that is logged in elsewhere, one for all of them, and a login are told the other nodes."""
        mud = self.zucchini()
        here = Passed("i3", "here", self.world.client_id("Zucchini"))
        self.assertEqual(self.passed, [here])
        i3_identity(self.world, "Beta", "Beta Mud")
        self.world.network.relayed("b", self.elsewhere("Beta"), self.clock.now())
        mud.packet("who-req", "test", "Beta Mud", "")
        mud.packet("ucache-update", "", "", "", "test", "Test", 1)
        asked, updated = self.passed[1:]
        self.assertEqual((asked.what, asked.to), ("mud", self.world.client_id("Beta")))
        self.assertEqual(asked.payload, '({"who-req",4,"ZucchiniMud","test","Beta Mud",0,})')
        self.assertEqual((updated.what, updated.to), ("all", f"{self.world.client_id('Zucchini')} ucache"))

    def elsewhere(self, name: str) -> Any:
        """A MUD is logged in at another node."""
        return SessionJoined(1, self.world.client_id(name), "192.0.2.8", "i3", NOW, ("channels",), (), ())

    def test_in(self) -> None:
        """What another node passes on reaches the MUD here, if it is here."""
        mud = self.zucchini()
        packet = '({"who-req",4,"Beta Mud","ana","ZucchiniMud",0,})'
        self.factory.hub.passed(Passed("i3", "mud", self.world.client_id("Zucchini"), packet))
        self.assertEqual(mud.packets(), [["who-req", 4, "Beta Mud", "ana", "ZucchiniMud", 0]])
        update = '({"ucache-update",4,"Beta Mud",0,0,0,"ana","Ana",1,})'
        for to in (f"{self.world.client_id('Beta')} ucache", f"{self.world.client_id('Beta')} other"):
            self.factory.hub.passed(Passed("i3", "all", to, update))
        self.assertEqual(mud.packets(), [["ucache-update", 4, "Beta Mud", 0, 0, 0, "ana", "Ana", 1]])
        self.factory.hub.passed(Passed("i3", "mud", self.world.client_id("Beta"), packet))
        self.assertEqual(mud.packets(), [])

    def test_replaced(self) -> None:
        """A MUD that logs in at another node replaces its connection here."""
        mud = self.zucchini()
        here = Passed("i3", "here", self.world.client_id("Zucchini"))
        # One that was told before all nodes heard of this login does not count.
        self.factory.hub.passed(here)
        self.assertFalse(mud.closed)
        self.factory.hub.passed_back(here)
        self.factory.hub.passed(here)
        self.assertTrue(mud.closed)
        self.assertEqual([*self.factory.hub], [])


class HostileTests(RouterTestCase):
    """What strangers and broken MUDs send."""

    def test_every_channel(self) -> None:
        """A MUD that listens to a hundred channels in one write hears all of them after a while, without a strike."""
        self.rates()
        names = [f"chan{''.join(chr(97 + int(digit)) for digit in str(number))}" for number in range(100)]
        self.websocket("ExVenture")
        self.world.network.rules.limits = replace(self.world.network.rules.limits, channels=0, new_channels=0)
        for name in names:
            self.world.registry.enact(ChannelSaved(Channel(name, hidden=False)))
        mud = self.zucchini()
        self.factory.hub.look()
        listens = [["channel-listen", 5, "ZucchiniMud", 0, "*gossip", 0, name, 1] for name in names]
        self.rates()
        self.world.network.rules.limits = replace(self.world.network.rules.limits, channels=0)
        mud.send(b"".join(map(frame, listens[:50])))
        mud.packets()
        self.clock.advance(5)
        mud.send(b"".join(map(frame, listens[50:])))
        for _ in range(110):
            self.clock.advance(1)
            self.assertEqual([packet for packet in mud.packets() if packet[0] == "error"], [])
        (session,) = [each for each, name in self.service.sessions() if name == "i3"]
        self.assertEqual(set(session.channels), set(names))

    def test_another_name(self) -> None:
        """A MUD cannot speak in the name of another or of the router; the case of its own does not matter."""
        mud, (other, _) = self.zucchini(), self.exventure("gossip")
        for name in ("ExVenture", "*gossip", "", "Beta"):
            ((*_, code, _, _),) = mud.say(["channel-m", 5, name, "x", 0, 0, "gossip", "X", "hi"])
            self.assertEqual(code, "unk-src")
        self.assertEqual(self.said(other), [])
        mud.say(["channel-m", 5, "zucchiniMUD", "x", 0, 0, "gossip", "X", "hi"])
        self.assertEqual(self.said(other), [("X", "hi")])

    def test_texts(self) -> None:
        """Colours at both ends, names with what stands for names, and bytes that are no UTF-8 are heard as text."""
        mud, (other, _) = self.zucchini(), self.exventure("gossip")
        for name, text, kind in (("X", "%^a%^", "channel-m"), ("$N $O", "$N waves, $N", "channel-e")):
            mud.speak("gossip", name, text, kind)
        self.write(mud, '({"channel-m",5,"ZucchiniMud","x",0,0,"gossip","X","caf\u00e9",})')
        data = b'({"channel-m",5,"ZucchiniMud","x",0,0,"gossip","X","caf\xe9",})\0'
        mud.send(len(data).to_bytes(4, "big") + data)
        mud.packets()
        heard = [("X", "a"), ("$N $O", "/me waves, $N $O"), ("X", "café"), ("X", "café")]
        self.assertEqual(self.said(other), heard)

    def test_deep(self) -> None:
        """What is too deep or too long is dropped, and the connection goes on."""
        mud = self.zucchini()
        for text in ("({" * 33 + "})" * 33, "({" + "1," * 20_000 + "})", '({"tell",5,})'):
            mud.packets()
            self.write(mud, text)
        self.assertEqual(self.transport.counts()[2].by_kind["grammar"], 3)
        self.assertEqual(mud.packet("who-req", "x", "*gossip", "")[0][0], "who-reply")

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(
                    [
                        "channel-m",
                        "channel-e",
                        "channel-t",
                        "tell",
                        "emoteto",
                        "who-req",
                        "who-reply",
                        "finger-req",
                        "finger-reply",
                        "locate-req",
                        "locate-reply",
                        "chan-who-req",
                        "chan-user-req",
                        "ucache-update",
                        "auth-mud-req",
                        "auth-mud-reply",
                        "error",
                        "channel-add",
                        "channel-listen",
                        "oob-req",
                        "mail",
                        "chanlist-req",
                        "mudlist",
                        "startup-reply",
                    ]
                ),
                st.sampled_from(["", "*gossip", "ExVenture", "ZucchiniMud", "Beta Mud", "Nobody", "gossip"]),
                st.lists(
                    st.text(max_size=30) | st.integers(-5, 5) | st.lists(st.text(max_size=5), max_size=3), max_size=9
                ),
            ),
            max_size=8,
        )
    )
    @settings(max_examples=40, deadline=None)
    def test_anything(self, packets: list[tuple[str, str, list[Any]]]) -> None:
        """Whatever a MUD sends, nothing raises, and each frame to any MUD is one that a strict driver reads."""
        mud, other = self.zucchini(), self.login("Beta", address="192.0.2.8")
        for kind, to_mud, rest in packets:
            mud.say([kind, 5, "ZucchiniMud", "ana", to_mud or 0, "bo", *rest])
        mud.packets(), other.packets()
        for each in (mud, other):
            if not each.closed:
                each.wire.loseConnection()
        self.assertEqual(self.flushLoggedErrors(), [])
