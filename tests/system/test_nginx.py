"""C{etc/nginx.cluster.conf}, as nginx reads it, in front of two nodes."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
from base64 import b64encode
from http.client import HTTPSConnection
from pathlib import Path
from ssl import create_default_context
from tempfile import mkdtemp

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.support.certificate import certificate
from tests.support.daemon import ROOT, WITHIN, Daemon, Game, eventually, free_port, listens
from tests.support.databases import OnPostgreSQL


class OnNginx(OnPostgreSQL, SynchronousTestCase):
    """
    Two nodes behind nginx.

    @ivar port: for games and browsers, with TLS.
    @ivar telnet: for MUDs, without TLS and with it.
    """

    config = ""

    def setUp(self) -> None:
        program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
        if program is None:
            raise SkipTest("needs nginx")
        super().setUp()
        assert self.url is not None
        home = Path(mkdtemp(prefix="gossip-nginx-"))
        self.addCleanup(shutil.rmtree, home)
        certificate(home)
        self.trust = create_default_context(cafile=str(home / "cert.pem"))
        self.port, self.telnet = free_port(), (free_port(), free_port())
        ports = [(free_port(), free_port()) for _ in "ab"]
        (home / "conf").write_text(self.configuration(home, ports))
        command = [program, "-c", str(home / "conf"), "-e", str(home / "log")]
        tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        if 'unknown directive "stream"' in tried.stderr:
            raise SkipTest("needs the module stream of nginx (Debian: libnginx-mod-stream)")
        self.assertEqual(tried.returncode, 0, tried.stderr)
        self.nodes = []
        for name, (_, telnet) in zip("ab", ports, strict=True):
            arguments = (
                "--node",
                name,
                "--database",
                self.url,
                "--telnet",
                f"haproxy:tcp:{telnet}:interface=127.0.0.1",
            )
            node = Daemon("proxies = 1\n" + self.config, arguments)
            self.addCleanup(node.close)
            node.port = ports["ab".index(name)][0]
            self.nodes.append(node.start())
        nginx = subprocess.Popen(
            [*command, "-g", "daemon off; master_process off;"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.addCleanup(nginx.wait, WITHIN)
        self.addCleanup(nginx.terminate)
        eventually(lambda: listens(self.port), "nginx")

    def configuration(self, home: Path, ports: list[tuple[int, int]]) -> str:
        """The file as it is, but for ports, paths, and how much it may open."""
        config = (ROOT / "etc" / "nginx.cluster.conf").read_text()
        temporary = "".join(
            f"{kind}_temp_path {home}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        for found, replacement in (
            (r"127\.0\.0\.1:4110", f"127.0.0.1:{ports[0][0]}"),
            (r"127\.0\.0\.1:4120", f"127.0.0.1:{ports[1][0]}"),
            (r"127\.0\.0\.1:4119", f"127.0.0.1:{ports[0][1]}"),
            (r"127\.0\.0\.1:4129", f"127.0.0.1:{ports[1][1]}"),
            (r"listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            (r"listen 80;", f"listen 127.0.0.1:{free_port()};"),
            (r"listen 4111;", f"listen 127.0.0.1:{self.telnet[0]};"),
            (r"listen 4112 ssl;", f"listen 127.0.0.1:{self.telnet[1]} ssl;"),
            (r"\n *listen \[::\]:.*;", ""),
            (r"/etc/letsencrypt/\S*fullchain.pem", f"{home}/cert.pem"),
            (r"/etc/letsencrypt/\S*privkey.pem", f"{home}/key.pem"),
            (r"pid /run/nginx.pid;", f"pid {home}/pid;"),
            (r"(?m)^worker_rlimit_nofile .*\n", ""),
            (r"worker_connections 32768;", "worker_connections 512;"),
            (r"http \{", f"http {{ {temporary}"),
        ):
            config, count = re.subn(found, replacement, config)
            self.assertGreater(count, 0, found)
        return config


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
        here, left = sorted(self.nodes, key=lambda node: "joined: Alpha from 127.0.0.1" not in node.log)
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
        """Who is refused by both nodes takes none of them away from others."""
        upgrade = {"Connection": "upgrade", "Upgrade": "websocket"}
        more = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": b64encode(bytes(16)).decode()}
        statuses = [self.ask("127.0.0.1", **upgrade, **more)[1] for _ in range(6)]
        self.assertEqual(statuses, [101, 101, 503, 503, 503, 503])
        for number in range(2, 10):
            connection, status = self.ask(f"127.0.0.{number}")
            self.assertEqual(status, 200)
            connection.close()
