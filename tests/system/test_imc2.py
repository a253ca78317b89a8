"""A daemon with an IMC2 port: what it sends, and how its connections end, at real sockets."""

from __future__ import annotations

import hashlib
import signal
import socket
import time

from tests.support.daemon import Daemon, DaemonTestCase, eventually, free_port
from tests.support.imc2_client import lines_of

_CONFIG = """
network.website = "https://gossip.example.org/"
[imc2]
sha256 = true
listen = ["tcp:{port}:interface=127.0.0.1"]
"""


class Imc2Tests(DaemonTestCase):
    """A client that is a plain socket."""

    def setUp(self) -> None:
        self.port = free_port()
        self.logins: dict[str, str] = {}
        self.server: Daemon = self.daemon(_CONFIG.format(port=self.port)).start()

    def client(self, *lines: str) -> socket.socket:
        """A client that has sent lines."""
        client = socket.create_connection(("127.0.0.1", self.port), 20)
        self.addCleanup(client.close)
        client.sendall("".join(f"{line}\n\r" for line in lines).encode())
        return client

    def heard(self, client: socket.socket, end: str = "") -> list[str]:
        """What a client hears, up to a line that contains a text."""
        data = b""
        while not data.endswith(b"\r\n") or end.encode() not in data:
            more = client.recv(65536)
            self.assertTrue(more, "no FIN here")
            data += more
        return lines_of(data)

    def end(self, client: socket.socket) -> str:
        """How a connection ends: FIN or RST."""
        try:
            while client.recv(65536):
                pass
        except ConnectionResetError:
            return "RST"
        return "FIN"

    def login(self, name: str) -> socket.socket:
        """A MUD logs in with a new key."""
        self.server.register(name)
        key = self.server.admin("game/key", game=name)
        self.assertEqual((key["host"], key["port"]), ("gossip.example.org", str(self.port)))
        self.logins[name] = f"PW {name} {key['key']} version=2 autosetup x"
        client = self.client(self.logins[name])
        self.assertEqual(self.heard(client), ["PW Gossip x version=2 GossipNet"])
        return client

    def test_login_and_talk(self) -> None:
        """Two MUDs talk on a channel; the status and the metrics know them, and the key is in no log."""
        one, other = self.login("Alpha"), self.login("Beta")
        for name, client in (("Alpha", one), ("Beta", other)):
            client.sendall(
                f"*@{name} 1 {name} keepalive-request *@*\n\r*@{name} 2 {name} ice-refresh IMC@$\n\r".encode()
            )
            self.heard(client, "localname=igossip")
        one.sendall(b'Bob@Alpha 3 Alpha ice-msg-b *@* channel=Gossip:gossip text="hi" emote=0 echo=1\n\r')
        echo = self.heard(one, "ice-msg-b")[-1]
        self.assertRegex(echo, '^Bob-Alpha@Gossip 3 Alpha!Gossip ice-msg-b .* sender=Bob@Alpha text="hi"$')
        said = self.heard(other, "ice-msg-b")[-1]
        self.assertRegex(said, '^Bob@Alpha [0-9]+ Alpha!Gossip ice-msg-b .* echo=1 text="hi"$')
        status = self.server.status()
        self.assertEqual((status["connections"]["imc2"], status["imc2_packets_in"]["ice-msg-b"]), (2, 1))
        self.assertIn('gossip_connections{transport="imc2"} 2', self.server.get("/metrics").read().decode())
        self.assertIn("games by IMC2", self.server.log)
        self.assertNotIn("PW Alpha", self.server.log)

    def test_sha256(self) -> None:
        """With the setting, a key that was made by gossipctl or the API logs in by SHA-256 from the second time on."""
        self.server.register("Alpha")
        key = self.server.admin("game/key", game="Alpha")["key"]
        plain = self.client(f"PW Alpha {key} version=2 autosetup gossip SHA256")
        self.assertEqual(self.heard(plain), ["PW Gossip gossip version=2 GossipNet SHA256-SET"])
        client = self.client("SHA256-AUTH-REQ Alpha")
        number = self.heard(client)[0].split()[-1]
        proof = hashlib.sha256(f"{number}{key}gossip".encode()).hexdigest()
        client.sendall(f"SHA256-AUTH-RESP Alpha {proof} version=2\n\r".encode())
        self.assertEqual(self.heard(client), ["SHA256-AUTH-APPR Gossip GossipNet version=2"])
        self.assertNotIn(key, self.server.log)

    def test_restart(self) -> None:
        """
        At the end of the daemon, a MUD that is logged in is told, and gets a FIN; another gets an RST. The port is
        there again soon, since clients give up after some attempts (rule 4). The numbers of packets begin with the
        time, so that they go on growing: clients drop what they have had before.
        """
        joined = self.login("Alpha")
        joined.sendall(b"*@Alpha 1 Alpha ice-refresh IMC@$\n\r")
        self.heard(joined, "igossip")
        waiting = self.client()
        eventually(lambda: self.server.get("/health").status == 200, "a healthy daemon")
        self.server.send_signal(signal.SIGTERM)
        self.assertRegex(self.heard(joined, "emote")[-1], '^ICE@Gossip .* text="The network will be back in ')
        self.assertEqual((self.end(joined), self.end(waiting)), ("FIN", "RST"))
        self.assertEqual(self.server.wait(), 0)
        restarted_at = int(time.time())
        self.server.start()
        again = self.client(self.logins["Alpha"])
        self.assertRegex(self.heard(again)[0], "^PW Gossip")
        again.sendall(b"*@Alpha 2 Alpha ice-refresh IMC@$\n\r")
        self.assertGreater(int(self.heard(again, "igossip")[-1].split()[1]), restarted_at)
