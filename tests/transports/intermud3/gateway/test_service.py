"""The gateway in a running service: its link, and what passes."""

from __future__ import annotations

import time

from msgspec.structs import replace
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from gossip.registry.changes import GameRemoved, GameSaved, I3LinkRemoved, I3LinkSaved
from gossip.registry.entities import I3Link
from gossip.service.interfaces import IConnection, ITransportStatus
from gossip.transports.intermud3.gateway.service import DEAF_SECONDS, GONE_SECONDS
from gossip.transports.intermud3.gateway.sessions import REJOIN_SECONDS, HouseConnection
from gossip.web.api.metrics import DaemonCollector
from tests.support.i3_gateway import MUD, SETTINGS, GatewayTestCase, gateway
from tests.support.memory_nodes import MemoryNode, Stream
from tests.support.memory_service import MemoryService
from tests.support.world import NOW, frame


class LinkTests(GatewayTestCase):
    """The link of a running service."""

    def test_interfaces(self) -> None:
        """The gateway and its connections are what they claim."""
        verifyObject(ITransportStatus, self.gateway)
        verifyObject(IConnection, HouseConnection(lambda event: (), lambda frame: None, lambda connection: None))

    def test_login(self) -> None:
        """The password is committed; then the channels are listened to."""
        [[kind, *_]] = self.login
        self.assertEqual(kind, "startup-req-3")
        self.assertEqual(
            [(each[0], each[6], each[7]) for each in self.listened],
            [
                ("channel-listen", "dchat", 1),
                ("channel-listen", "imud_code", 1),
            ],
        )
        kept = I3LinkSaved(I3Link(mud=MUD, router="*one", password=77, accepted_at=NOW))
        self.assertIn(kept, self.service.writer.kept)
        self.assertEqual(self.gateway.status().state, "up")

    def test_password_not_kept(self) -> None:
        """While the disk is full, the link does not come up."""
        self.gateway.stopService()
        self.service.writer.full = True
        self.gateway, self.routers = gateway(self.service)
        self.routers.let_in(78)
        self.settle()
        self.assertEqual(self.gateway.status().state, "off")
        self.assertFalse(self.routers.is_connected)
        self.flushLoggedErrors()

    def test_rules(self) -> None:
        """Nothing is dialled before the rules are accepted, or when they are forgotten."""
        self.service.change(I3LinkRemoved(MUD))
        self.settle()
        self.assertFalse(self.routers.is_connected)
        status = self.gateway.status()
        self.assertEqual((status.state, status.accepted), ("off", False))
        self.assertIn("accept-rules", status.why)
        self.settle(60)
        self.assertEqual(len(self.routers.dialled), 1)
        self.service.change(I3LinkSaved(I3Link(mud=MUD, accepted_at=NOW)))
        self.settle()
        self.assertEqual(len(self.routers.dialled), 2)

    def test_stop(self) -> None:
        """At its end the router is told, and all are gone."""
        self.gateway.stopService()
        self.assertEqual(self.routers.heard()[-1][:5], ["shutdown", 5, MUD, 0, "*one"])
        self.assertFalse(self.routers.is_connected)
        self.assertEqual(len(self.world.registry.remotes), 0)
        self.assertEqual(self.service.status()["sessions"], 1)

    def test_lost(self) -> None:
        """The MUDs stay for a minute after the link is lost; it is dialled again with the same password."""
        assert self.routers.wire is not None
        self.routers.away = True
        self.routers.wire.loseConnection()
        self.settle(GONE_SECONDS - 2)
        self.assertEqual(len(self.world.registry.remotes), 1)
        self.settle(4)
        self.assertEqual(len(self.world.registry.remotes), 0)
        self.assertEqual(self.service.health(), "ok")
        self.routers.away = False
        while not self.routers.is_connected:
            self.settle(1)
        self.assertEqual(self.routers.heard()[0][6], 77)
        self.routers.let_in()
        self.routers.list("Foo")
        self.settle()
        self.assertEqual(len(self.world.registry.remotes), 1)
        self.assertEqual(self.routers.dialled, ["*one"] * 3)

    def test_game_disabled(self) -> None:
        """While the game that speaks for the MUDs is disabled, there is no link."""
        game = self.world.game("Beta")
        self.service.change(GameSaved(replace(game, disabled=True)))
        self.settle()
        self.assertFalse(self.routers.is_connected)
        self.assertEqual(len(self.world.registry.remotes), 0)
        self.service.change(GameSaved(game))
        self.settle(REJOIN_SECONDS + 20)
        self.assertTrue(self.routers.is_connected)

    def test_game_removed(self) -> None:
        """A game that is removed while the router answers the login leaves nobody behind."""
        self.gateway.stopService()
        self.gateway, self.routers = gateway(self.service)
        self.world.registry.enact(GameRemoved(self.world.client_id("Beta")))
        self.routers.let_in()
        self.settle(0.5)
        self.assertFalse(self.routers.is_connected)
        self.settle()
        self.assertIn("there is no game Beta", self.gateway.status().why)

    def test_silent_log(self) -> None:
        """No password is logged, and strangers cannot fill the log."""
        with capturedLogs() as logs:
            self.setUp()
            for number in range(500):
                self.routers.chat(f"Mud{number}", "x", channel="dchat")
            self.routers.say(*[["beep", 0, "Foo", 0, 0, 0]] * 500)
            self.settle(4)
        lines = [str(each) for each in logs if each["log_namespace"].startswith("gossip.transports.intermud3.gateway")]
        self.assertFalse([each for each in lines if "77" in each.replace("6677", "") and "password" in each])
        self.assertLessEqual(sum("dropped {count}" in each for each in lines), 5)

    def test_status(self) -> None:
        """What an operator is shown, and what is counted."""
        self.routers.say(["chanlist-reply", 5, "*one", 0, MUD, 0, 3, {"dchat": ["*one", 0], "other": ["*one", 0]}])
        self.routers.chat(MUD, "our own")
        status = self.gateway.status()
        self.assertEqual(
            (status.router, status.game, status.muds, status.known, status.delivered, status.node),
            ("*one at 192.0.2.1 8080", "Beta", 1, True, 1, ""),
        )
        self.assertEqual(
            [(each.there, each.host, each.here, each.way) for each in self.gateway.channels()],
            [("dchat", "*one", "dchat", "both"), ("imud_code", "", "code", "in"), ("other", "*one", "", "")],
        )
        counts = {each.name: each.by_kind for each in self.gateway.counts()}
        self.assertEqual(counts["i3_link_packets_in"]["mudlist"], 1)
        self.assertEqual(counts["i3_link_packets_out"]["channel-listen"], 2)
        self.assertEqual(counts["i3_link_dropped"]["echo"], 1)
        metrics = {each.name: each for each in DaemonCollector(self.service, None).collect()}
        self.assertEqual(metrics["gossip_i3_link_up"].samples[0].value, 1)
        self.assertEqual(metrics["gossip_i3_remote_games"].samples[0].value, 1)

    def test_reconnect(self) -> None:
        """An operator can have it dialled again."""
        self.settle(20)
        self.gateway.reconnect()
        self.assertEqual(self.routers.dialled, ["*one", "*one"])


class TalkTests(GatewayTestCase):
    """Players here and there."""

    def test_channel(self) -> None:
        """What a MUD says is heard under its short name, and what a game says leaves."""
        self.routers.chat("Foo", "hello")
        self.assertEqual(
            [(each["channel"], each["game"], each["name"], each["message"]) for each in self.told()],
            [("dchat", "FooI3", "Bob", "hello")],
        )
        self.assertEqual(self.routers.heard(), [])
        self.say("channels/send", channel="dchat", name="Ana", message="hi there")
        self.assertEqual(
            self.routers.heard(), [["channel-m", 5, MUD, "ana.alpha", 0, 0, "dchat", "Ana.Alpha", "hi there"]]
        )
        self.say("channels/send", channel="code", name="Ana", message="stays")
        self.assertEqual(self.routers.heard(), [])

    def test_echo(self) -> None:
        """Our own line that comes back is not heard again."""
        self.say("channels/send", channel="dchat", name="Ana", message="hi there")
        [packet] = self.routers.heard()
        self.routers.say(packet)
        self.assertEqual(self.told(), [])

    def test_tells(self) -> None:
        """Tells go both ways; one that cannot be delivered is answered."""
        self.say("tells/send", from_name="Ana", to_game="FooI3", to_name="Bob", message="psst")
        self.assertEqual(self.routers.heard(), [["tell", 5, MUD, "ana.alpha", "Foo", "bob", "Ana.Alpha", "psst"]])
        self.routers.tell("Foo", "hm", "ana.alpha")
        [told] = self.told()
        self.assertEqual((told["from_game"], told["from_name"], told["to_name"]), ("FooI3", "Bob", "Ana"))
        self.routers.tell("Foo", "hm", "nobody.alpha")
        self.settle()
        self.assertEqual(self.routers.heard()[0][:7], ["error", 5, MUD, 0, "Foo", "bob", "unk-user"])
        self.routers.say(["error", 5, "Foo", 0, MUD, "ana.alpha", "unk-user", "No such player.", 0])
        [told] = self.told()
        self.assertEqual(
            (told["from_game"], told["from_name"], told["message"]), ("FooI3", "system", "No such player.")
        )

    def test_questions(self) -> None:
        """Who, finger and locate are answered from what is shown here."""
        self.routers.say(
            ["who-req", 5, "Foo", "bob", MUD, 0],
            ["finger-req", 5, "Foo", "bob", MUD, 0, "ana.alpha"],
            ["locate-req", 5, "Foo", "bob", 0, 0, "ana"],
        )
        self.settle()
        who, finger, locate = self.routers.heard()
        self.assertEqual(who[6], [["Ana.Alpha", 0, "The Alpha"]])
        self.assertEqual((finger[6], finger[14]), ("Ana.Alpha", "On The Alpha.\n"))
        self.assertEqual(locate[6:8], [MUD, "Ana.Alpha"])

    def test_players(self) -> None:
        """When a game asks for the players of a MUD, that MUD is asked, and the next answer has them."""
        self.say("players/status", game="FooI3")
        self.assertEqual(self.routers.heard("who-req"), [["who-req", 5, MUD, "gossip", "Foo", 0]])
        self.routers.say(["who-reply", 5, "Foo", 0, MUD, "gossip", [["Bob", 0, ""], ["Eve", 5, ""]]])
        self.service.told(self.alpha)
        self.say("players/status", game="FooI3")
        [answer] = [each for each in self.service.told(self.alpha) if each["event"] == "players/status"]
        self.assertEqual(answer["payload"], {"game": "FooI3", "players": ["Bob", "Eve"]})
        self.assertEqual(self.routers.heard(), [])
        self.say("players/status", game="Alpha")
        self.assertEqual(self.routers.heard(), [])

    def test_pace(self) -> None:
        """However much is said here, at most ten packets leave in any second, and no frame is over 8,000 bytes."""
        for number in range(10):
            self.service.write(
                self.alpha, frame("channels/send", {"channel": "dchat", "name": "Ana", "message": '"\\' * 2000}, number)
            )
        self.routers.times.clear()
        for _ in range(300):
            self.service.writer.settle()
            self.service.flush()
            self.clock.advance(0.1)
            self.routers.heard()
        times = self.routers.times
        self.assertEqual(len(times), 30)
        for index, at in enumerate(times[10:]):
            self.assertGreaterEqual(at, times[index] + 1 - 0.11)

    def test_thousand(self) -> None:
        """A thousand MUDs join within a second of CPU, and go as fast."""
        began = time.process_time()
        for start in range(0, 1000, 100):
            self.routers.list(*(f"Mud number {number}" for number in range(start, start + 100)))
        self.assertEqual(len(self.world.registry.remotes), 1000)
        self.gateway.stopService()
        self.assertEqual(len(self.world.registry.remotes), 0)
        self.assertLess(time.process_time() - began, 1)


class NodesTests(SynchronousTestCase):
    """Two nodes, of which one has the link."""

    def setUp(self) -> None:
        stream = Stream()
        self.nodes = [MemoryNode(stream, name) for name in ("a", "b")]
        self.gateways = [gateway(node) for node in self.nodes]
        for made, _ in self.gateways:
            self.addCleanup(made.stopService)
        self.game = self.nodes[1].join("Alpha", channels=["dchat"], players=["Ana"])

    def lead(self, which: int | None) -> None:
        for number, node in enumerate(self.nodes):
            node.network.leads = number == which
        self.settle()

    def settle(self, seconds: int = 2) -> None:
        for _ in range(seconds):
            for node in self.nodes:
                node.flush()
                node.alive(self.game)
                node.clock.advance(1)

    def test_handed_over(self) -> None:
        """The node that leads has the link; when another one leads, that one has it, and the same password."""
        (first, here), (second, there) = self.gateways
        self.assertEqual((here.dialled, there.dialled), ([], []))
        self.lead(0)
        here.let_in(55)
        here.list("Foo")
        self.settle()
        self.assertEqual([len(node.world.registry.remotes) for node in self.nodes], [1, 1])
        self.assertEqual((first.status().state, second.status().state), ("up", "off"))
        here.chat("Foo", "hello")
        self.settle()
        told = [each for each in self.nodes[1].told(self.game) if each["event"] == "channels/broadcast"]
        self.assertEqual([each["payload"]["game"] for each in told], ["FooI3"])
        tell = {"from_name": "Ana", "to_game": "FooI3", "to_name": "Bob", "message": "psst"}
        here.heard()
        self.nodes[1].write(self.game, frame("tells/send", tell, "1"), frame("players/status", {"game": "FooI3"}, "2"))
        self.settle()
        self.assertEqual({each[0] for each in here.heard()}, {"tell", "who-req"})
        self.lead(1)
        self.assertFalse(here.is_connected)
        self.assertEqual([len(node.world.registry.remotes) for node in self.nodes], [0, 0])
        self.assertEqual(there.heard()[0][6], 55)
        there.let_in(55)
        there.list("Foo")
        self.settle()
        self.assertEqual([len(node.world.registry.remotes) for node in self.nodes], [1, 1])

    def test_deaf(self) -> None:
        """A node that hears no others hands the link over, before another one can take it for dead and dial."""
        self.lead(0)
        _, here = self.gateways[0]
        here.let_in()
        cluster = self.nodes[0].cluster
        assert cluster is not None
        cluster.joined = False
        self.settle(int(DEAF_SECONDS) - 2)
        self.assertTrue(here.is_connected)
        self.settle(5)
        self.assertFalse(here.is_connected)

    def test_reconnect(self) -> None:
        """Whichever node is asked, the one with the link dials again."""
        self.lead(0)
        (_, here), (second, _) = self.gateways
        here.let_in()
        self.settle(20)
        second.reconnect()
        self.settle()
        self.assertEqual(len(here.dialled), 2)


class TwoNetworksTests(SynchronousTestCase):
    """Two networks with gateways on the same Intermud-3 network."""

    def test_no_loop(self) -> None:
        """What is said on one is heard on the other, once, and comes back nowhere."""
        services = [MemoryService() for _ in range(2)]
        games = [service.join("Alpha", channels=["dchat"], players=["Ana"]) for service in services]
        names = (MUD, "Other")
        made = [
            gateway(service, replace(SETTINGS, mud=name, channels=("dchat=dchat",)))
            for service, name in zip(services, names, strict=True)
        ]
        for (each, routers), name in zip(made, names, strict=True):
            self.addCleanup(each.stopService)
            routers.say(["startup-reply", 5, "*one", 0, name, 0, [], 7])
        said = {"channel": "dchat", "name": "Ana", "message": "hello"}
        services[0].write(games[0], frame("channels/send", said, "1"))
        passed = []
        for _ in range(8):
            for service, game in zip(services, games, strict=True):
                service.writer.settle()
                service.flush()
                service.alive(game)
                service.clock.advance(1)
            # The router sends each packet to everybody, the sender included.
            packets = [packet for _, routers in made for packet in routers.heard("channel-m")]
            passed += packets
            for _, routers in made:
                routers.say(*packets)
        self.assertEqual(len(passed), 1)
        told = [
            [each["payload"]["game"] for each in service.told(game) if each["event"] == "channels/broadcast"]
            for service, game in zip(services, games, strict=True)
        ]
        self.assertEqual(told, [[], ["GossipI3"]])
