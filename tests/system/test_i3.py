"""A daemon that is a router of Intermud-3: what it sends, what it keeps, and how connections end, at real sockets."""

from __future__ import annotations

import signal
import socket
from typing import Any

from gossip.transports.intermud3.mudmode import frame
from tests.support.daemon import Daemon, DaemonTestCase, free_port
from tests.transports.intermud3 import strict

_CONFIG = """
network.website = "https://gossip.example.org/"
[i3]
listen = ["tcp:{port}:interface=127.0.0.1"]
same_address = false
[limits.i3]
connections_per_address = 3
startup_seconds = 1
"""


class I3Tests(DaemonTestCase):
    """A MUD that is a plain socket."""

    def setUp(self) -> None:
        self.port = free_port()
        self.server: Daemon = self.daemon(_CONFIG.format(port=self.port)).start()

    def mud(self, data: bytes = b"") -> socket.socket:
        """A MUD connects, and sends bytes."""
        mud = socket.create_connection(("127.0.0.1", self.port), 20)
        self.addCleanup(mud.close)
        mud.sendall(data)
        return mud

    def heard(self, mud: socket.socket, kind: str) -> Any:
        """The next packet of a type that a MUD hears; it checks each like a strict driver."""
        while True:
            head = mud.recv(4, socket.MSG_WAITALL)
            self.assertEqual(len(head), 4, "the connection ended")
            (packet,) = strict.frames(head + mud.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL))
            if packet[0] == kind:
                return packet

    def end(self, mud: socket.socket) -> str:
        """How a connection ends: FIN or RST."""
        try:
            while mud.recv(65536):
                pass
        except ConnectionResetError:
            return "RST"
        return "FIN"

    def startup(self, name: str, password: int) -> socket.socket:
        """A MUD sends its first packet."""
        named = ["Lib", "Lib", "Driver", "LPMud", "open", "ana@example.org"]
        said = [password, 0, 0, 4000, 0, 0, *named, {"tell": 1, "channel": 1, "who": 1}, 0]
        return self.mud(frame(["startup-req-3", 5, name, 0, "*gossip", 0, *said]))

    def login(self, name: str, password: int) -> tuple[socket.socket, int]:
        """A MUD logs in; returns its password from then on."""
        mud = self.startup(name, password)
        reply = self.heard(mud, "startup-reply")
        self.assertEqual(reply[6], [["*gossip", f"127.0.0.1 {self.port}"]])
        return mud, reply[7]

    def identity(self, game: str, name: str) -> int:
        """A game may join by Intermud-3; returns its password."""
        self.server.register(game)
        made = self.server.admin("game/i3", game=game, name=name)
        self.assertEqual(
            (made["host"], made["port"], made["router"]), ("gossip.example.org", str(self.port), "*gossip")
        )
        return int(made["password"])

    def test_password(self) -> None:
        """The password that the first login gets outlives the daemon, whatever ends it; a wrong one is refused."""
        self.identity("MyMUD", "My Mud")
        _, password = self.login("My Mud", 0)
        self.server.stop(signal.SIGKILL)
        self.server.start()
        refused = self.startup("My Mud", password + 1 if password < 2**31 - 1 else 1)
        error = self.heard(refused, "error")
        self.assertEqual((error[4], error[6]), ("My Mud", "not-allowed"))
        self.assertIn("https://gossip.example.org/connect", error[7])
        self.assertEqual(self.end(refused), "FIN")
        _, again = self.login("My Mud", password)
        self.assertEqual(again, password)
        self.assertNotIn(str(password), self.server.log)

    def test_talk(self) -> None:
        """Two MUDs talk on a channel and hear their lists; the status, the sessions and the metrics know them."""
        one, _ = self.login("One Mud", self.identity("One", "One Mud"))
        two, _ = self.login("Two Mud", self.identity("Two", "Two Mud"))
        for name, mud in (("One Mud", one), ("Two Mud", two)):
            self.assertEqual(self.heard(mud, "chanlist-reply")[7], {"imud_gossip": ["*gossip", 0]})
            self.assertIn(name, self.heard(mud, "mudlist")[7])
            mud.sendall(frame(["channel-listen", 5, name, 0, "*gossip", 0, "imud_gossip", 1]))
            mud.sendall(frame(["auth-mud-req", 5, name, 0, name, 0]))
            self.assertEqual(self.heard(mud, "auth-mud-req"), ["auth-mud-req", 4, name, 0, name, 0])
        said = ["One Mud", "ana", 0, 0, "imud_gossip", "Ana", "hi"]
        one.sendall(frame(["channel-m", 5, *said]))
        self.assertEqual(self.heard(one, "channel-m"), ["channel-m", 4, *said])
        self.assertEqual(self.heard(two, "channel-m"), ["channel-m", 5, *said])
        status = self.server.status()
        self.assertEqual((status["connections"]["i3"], status["i3_packets_in"]["channel-m"]), (2, 1))
        shown = self.server.gossipctl("sessions")["sessions"]
        self.assertEqual({each["transport"] for each in shown}, {"i3"})
        metrics = self.server.get("/metrics").read().decode()
        self.assertIn('gossip_connections{transport="i3"} 2', metrics)
        self.assertIn('gossip_i3_packets_in_total{kind="channel-m"} 1', metrics)
        self.assertIn("games by Intermud-3", self.server.log)
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual((self.end(one), self.end(two)), ("FIN", "FIN"))

    def test_strangers(self) -> None:
        """Silence and another protocol are cut off by an RST; one connection too many is closed."""
        self.assertEqual(self.end(self.mud()), "RST")
        self.assertEqual(self.end(self.mud(b"GET / HTTP/1.1\r\n\r\n")), "RST")
        self.assertEqual(self.end(self.mud((8193).to_bytes(4, "big") + b"x")), "RST")
        held = [self.mud() for _ in range(3)]
        self.assertEqual(self.end(self.mud()), "FIN")
        del held
