"""C{etc/nginx.cluster.conf}: games and browsers reach two nodes through nginx."""

from __future__ import annotations

import signal
import socket
from base64 import b64encode
from http.client import HTTPSConnection

from tests.support.daemon import WITHIN, Game
from tests.support.nginx import OnNginx


class NginxTests(OnNginx):
    """Two nodes behind nginx: games find them, and find the other one when one of them is gone."""

    def join(self, game: dict[str, str]) -> Game:
        """A game joins through nginx."""
        joined = Game(f"wss://localhost:{self.port}/socket", tls=self.trust)
        self.addCleanup(joined.close)
        joined.authenticate(game, channels=["gossip"])
        return joined

    def test_node_dies(self) -> None:
        """
        A game joins through nginx. New ones are sent elsewhere when its node drains; when that is killed, the
        game comes back to the other one, and is heard there.
        """
        alpha, beta = (self.nodes[0].register(name) for name in ("Alpha", "Beta"))
        game = self.join(alpha)
        here, left = self.apart("joined: Alpha from 127.0.0.1")
        # One that drains is passed over.
        here.admin("node/drain")
        self.join(left.register("Gamma")).close()
        left.logged("joined: Gamma from 127.0.0.1")
        here.stop(signal.SIGKILL)
        # nginx ends it without a word.
        _, code, _ = game.ended()
        self.assertIsNone(code)
        again, other = self.join(alpha), self.join(beta)
        left.logged("joined: Alpha from 127.0.0.1")
        said = {"channel": "gossip", "name": "Ana", "message": "back"}
        self.assertEqual(again.ask("channels/send", said)[-1]["status"], "success")
        self.assertEqual(other.expect("channels/broadcast")["payload"]["message"], "back")

    def test_telnet(self) -> None:
        """A MUD joins by telnet through nginx, with TLS and without; its node knows its address."""
        for port, name in zip(self.telnet, ("Alpha", "Beta"), strict=True):
            game = self.nodes[0].register(name)
            with socket.create_connection(("127.0.0.1", port), WITHIN, ("127.0.0.3", 0)) as plain:
                wrap = self.trust.wrap_socket
                connection = plain if name == "Alpha" else wrap(plain, server_hostname="localhost")
                connection.sendall(f"LOGIN {game['client_id']} {game['client_secret']}\r\n".encode())
                heard = b""
                while f"OK LOGIN {name}".encode() not in heard:
                    more = connection.recv(4096)
                    self.assertTrue(more, heard)
                    heard += more
            self.assertIn(f"joined: {name} from 127.0.0.3", "".join(node.log for node in self.nodes))


class FullNodesTests(OnNginx):
    """Two nodes that take one connection from an address."""

    config = "[limits]\nconnections_per_address = 1\n"

    def ask(self, address: str, **headers: str) -> tuple[HTTPSConnection, int]:
        """Ask for a page, or with these headers for more, from an address of the loopback; returns the status too."""
        connection = HTTPSConnection(
            "localhost", self.port, timeout=WITHIN, context=self.trust, source_address=(address, 0)
        )
        self.addCleanup(connection.close)
        connection.request("GET", "/socket" if headers else "/games", headers=headers)
        return connection, connection.getresponse().status

    def test_refused(self) -> None:
        """A client that both nodes refuse does not keep others from a node."""
        upgrade = {"Connection": "upgrade", "Upgrade": "websocket"}
        more = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": b64encode(bytes(16)).decode()}
        statuses = [self.ask("127.0.0.1", **upgrade, **more)[1] for _ in range(6)]
        self.assertEqual(statuses, [101, 101, 503, 503, 503, 503])
        for number in range(2, 10):
            connection, status = self.ask(f"127.0.0.{number}")
            self.assertEqual(status, 200)
            connection.close()
