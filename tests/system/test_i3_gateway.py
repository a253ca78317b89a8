"""Two real daemons on the loopback: one is a router of Intermud-3, the other one joins it through its gateway."""

from __future__ import annotations

import itertools
import signal
import socket
import time
from typing import Any

from gossip.transports.intermud3.mudmode import frame
from tests.support.daemon import Daemon, DaemonTestCase, Frame, Game, eventually, free_port
from tests.support.databases import OnPostgreSQL
from tests.transports.intermud3 import strict

_ROUTER = """
[i3]
listen = ["tcp:{port}:interface=127.0.0.1"]
same_address = false
"""

_GATEWAY = """
[i3.gateway]
routers = ["*gossip 127.0.0.1 {port}"]
mud = "Second Net"
game = "I3"
admin_email = "admin@example.org"
channels = ["dchat=dchat"]
"""

LEASE = 8.0
"""How long a killed node counts as there, in seconds."""


class PlainMud:
    """A MUD of the router: a plain socket."""

    def __init__(self, port: int, name: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 20)
        self._kept = b""
        self.name = name
        about = ["Lib", "Lib", "Driver", "LPMud", "open for public", "x@example.org", {"tell": 1, "who": 1}, 0]
        self.say("startup-req-3", 0, "*gossip", 0, 0, 0, 0, 4000, 0, 0, *about)
        self.expect("startup-reply")

    def say(self, kind: str, user: Any, to_mud: Any, to_user: Any, *rest: Any) -> None:
        """Send a packet."""
        self._socket.sendall(frame([kind, 5, self.name, user, to_mud, to_user, *rest]))

    def expect(self, kind: str) -> list[Any]:
        """The next packet of a type; what comes before it is passed over."""
        while True:
            while len(self._kept) < 4 or len(self._kept) < 4 + int.from_bytes(self._kept[:4], "big"):
                more = self._socket.recv(65536)
                assert more, f"the connection ended before {kind}"
                self._kept += more
            end = 4 + int.from_bytes(self._kept[:4], "big")
            [packet] = strict.frames(self._kept[:end])
            self._kept = self._kept[end:]
            if packet[0] == kind:
                return list(packet)

    def close(self) -> None:
        self._socket.close()


class I3GatewayTests(DaemonTestCase):
    """Two networks that talk by Intermud-3."""

    def setUp(self) -> None:
        port = self.port = free_port()
        self.router = self.daemon(_ROUTER.format(port=port)).start()
        self.other = self.daemon(_GATEWAY.format(port=port)).start()
        for name, mud in (("SecondNet", "Second Net"), ("Foo", "Foo Mud")):
            self.router.register(name)
            self.router.admin("game/i3", game=name, name=mud)
        self.other.register("I3")

    def game(self, daemon: Daemon, name: str, player: str) -> Game:
        """A game joins the channel, with a player."""
        game = Game(daemon.url)
        self.addCleanup(game.close)
        game.authenticate(daemon.register(name), channels=["dchat"], players=[player])
        return game

    def come_up(self) -> None:
        """Wait until the gateway is up, and knows the MUDs."""
        eventually(lambda: self.other.admin("i3/status")["state"] == "up", "the link")
        eventually(lambda: "AlphaI3" in [each["short_name"] for each in self.muds()], "the MUDs")

    def muds(self) -> list[dict[str, Any]]:
        muds: list[dict[str, Any]] = self.other.admin("i3/muds")["muds"]
        return muds

    def test_two_networks(self) -> None:
        """Channels, tells, and questions pass both ways; mutes hold; the password outlives the daemon."""
        alpha = self.game(self.router, "Alpha", "Ana")
        self.router.admin("channel/publish", channel="dchat")
        foo = PlainMud(self.port, "Foo Mud")
        self.addCleanup(foo.close)
        beta = self.game(self.other, "Beta", "Bob")
        self.assertEqual(self.other.admin("i3/status")["state"], "off")
        self.other.admin("i3/accept-rules")
        self.come_up()

        # Channels.
        beta.write({"event": "channels/send", "payload": {"channel": "dchat", "name": "Bob", "message": "/me waves"}})
        heard = alpha.expect("channels/broadcast")["payload"]
        self.assertEqual((heard["game"], heard["name"], heard["message"]), ("SecondNet", "Bob.Beta", "/me waves"))
        alpha.write({"event": "channels/send", "payload": {"channel": "dchat", "name": "Ana", "message": "hello"}})
        heard = beta.expect("channels/broadcast")["payload"]
        self.assertEqual((heard["game"], heard["name"], heard["message"]), ("AlphaI3", "Ana", "hello"))

        # Tells.
        tell = {"from_name": "Bob", "to_game": "AlphaI3", "to_name": "Ana", "message": "psst"}
        self.assertEqual(beta.outcome("tells/send", tell), "success")
        told = alpha.expect("tells/receive")["payload"]
        self.assertEqual((told["from_game"], told["from_name"], told["message"]), ("SecondNet", "Bob.Beta", "psst"))
        tell = {"from_name": "Ana", "to_game": "SecondNet", "to_name": "bob.beta", "message": "what?"}
        self.assertEqual(alpha.outcome("tells/send", tell), "success")
        told = beta.expect("tells/receive")["payload"]
        self.assertEqual((told["from_game"], told["from_name"], told["to_name"]), ("AlphaI3", "Ana", "Bob"))

        # Questions.
        foo.say("who-req", "eve", "Second Net", 0)
        self.assertEqual(foo.expect("who-reply")[6], [["Bob.Beta", 0, "The Beta"]])
        foo.say("finger-req", "eve", "Second Net", 0, "bob.beta")
        self.assertEqual(foo.expect("finger-reply")[6], "Bob.Beta")
        foo.say("locate-req", "eve", 0, 0, "bob")
        self.assertEqual(foo.expect("locate-reply")[6:8], ["Second Net", "Bob.Beta"])
        asked = {"game": "AlphaI3"}
        eventually(
            lambda: beta.ask("players/status", asked)[-1]["payload"] == {"game": "AlphaI3", "players": ["Ana"]},
            "the players of a remote game",
        )

        # A muted player is not heard.
        self.other.admin("mute/add", who="Ana@AlphaI3", reason="Spam")
        for name in ("Ana", "Eve"):
            alpha.write({"event": "channels/send", "payload": {"channel": "dchat", "name": name, "message": "again"}})
        self.assertEqual(beta.expect("channels/broadcast")["payload"]["name"], "Eve")

        # The password is good for the next life: without it, the router lets in nobody by this name.
        self.other.stop(signal.SIGKILL)
        self.other.start()
        self.come_up()
        self.assertEqual(self.other.get("/health").status, 200)
        self.assertNotIn("admin@example.org", self.other.log)


class NodesTests(OnPostgreSQL, DaemonTestCase):
    """The gateway is a network of two nodes: one of them has the link."""

    def setUp(self) -> None:
        super().setUp()
        self.numbers = itertools.count()
        port = free_port()
        self.router = self.daemon(_ROUTER.format(port=port)).start()
        self.router.register("SecondNet")
        self.router.admin("game/i3", game="SecondNet", name="Second Net")
        assert self.url is not None
        config = _GATEWAY.format(port=port) + f"[cluster]\nlease_seconds = {LEASE}\n"
        self.a, self.b = (self.daemon(config, ("--node", name, "--database", self.url)).start() for name in "ab")
        self.a.register("I3")
        self.alpha, self.beta = self.router.register("Alpha"), self.a.register("Beta")
        self.join(self.router, self.alpha, channels=["dchat"])
        self.b.admin("i3/accept-rules")
        self.wait_for_link(self.a)
        self.talk()

    def status(self, node: Daemon) -> Frame:
        """How the link is, as a node knows it."""
        status: Frame = node.admin("i3/status")
        return status

    def wait_for_link(self, node: Daemon) -> None:
        """Wait until a node has the link, and knows the MUDs."""
        eventually(lambda: self.status(node)["state"] == "up", "the link")
        eventually(lambda: "AlphaI3" in [each["short_name"] for each in node.admin("i3/muds")["muds"]], "the MUDs")

    def talk(self) -> None:
        """A game of the other network and one at node b hear each other: on the channel, each once, and by tells."""
        there = self.join(self.router, self.alpha, channels=["dchat"], players=["Ana"])
        here = self.join(self.b, self.beta, channels=["dchat"], players=["Bob"])
        for speaker, player, hearer, heard_as in (
            (here, "Bob", there, ("SecondNet", "Bob.Beta")),
            (there, "Ana", here, ("AlphaI3", "Ana")),
        ):
            messages = [f"number {next(self.numbers)}" for _ in range(2)]
            for message in messages:
                said = {"channel": "dchat", "name": player, "message": message}
                speaker.write({"event": "channels/send", "payload": said})
            for message in messages:
                heard = hearer.expect("channels/broadcast")["payload"]
                self.assertEqual((heard["game"], heard["name"], heard["message"]), (*heard_as, message))
        tell = {"from_name": "Bob", "to_game": "AlphaI3", "to_name": "Ana", "message": "psst"}
        here.write({"event": "tells/send", "ref": "1", "payload": tell})
        self.assertEqual(there.expect("tells/receive")["payload"]["from_name"], "Bob.Beta")
        tell = {"from_name": "Ana", "to_game": "SecondNet", "to_name": "bob.beta", "message": "what?"}
        there.write({"event": "tells/send", "ref": "1", "payload": tell})
        self.assertEqual(here.expect("tells/receive")["payload"]["to_name"], "Bob")
        here.close()
        there.close()

    def test_killed(self) -> None:
        """The node that has the link is killed: the other one takes it over when the lease is over, and not before."""
        self.assertEqual((self.status(self.b)["state"], self.status(self.b)["node"]), ("off", "a"))
        killed_at = time.monotonic()
        self.assertEqual(self.a.stop(signal.SIGKILL), -signal.SIGKILL)
        self.wait_for_link(self.b)
        self.assertGreater(time.monotonic() - killed_at, LEASE)
        self.assertEqual(self.status(self.b)["node"], "b")
        self.talk()

    def test_stopped(self) -> None:
        """It stops: the other one takes the link over at once, and gives it back when the first one is there again."""
        self.assertEqual(self.a.stop(), 0)
        stopped_at = time.monotonic()
        self.wait_for_link(self.b)
        self.assertLess(time.monotonic() - stopped_at, LEASE)
        self.talk()
        self.a.start()
        self.wait_for_link(self.a)
        eventually(lambda: (self.status(self.b)["state"], self.status(self.b)["node"]) == ("off", "a"), "one link")
        self.talk()
