"""C{etc/nginx.cluster.conf}, as nginx reads it, in front of two nodes."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from pathlib import Path
from ssl import create_default_context
from tempfile import mkdtemp

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.support.certificate import certificate
from tests.support.daemon import ROOT, WITHIN, Daemon, Game, eventually, free_port
from tests.support.databases import OnPostgreSQL


class NginxTests(OnPostgreSQL, SynchronousTestCase):
    """Two nodes behind nginx."""

    def setUp(self) -> None:
        program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
        if program is None:
            raise SkipTest("needs nginx")
        super().setUp()
        assert self.url is not None
        self.nodes = []
        for name in "ab":
            node = Daemon("proxies = 1\n", ("--node", name, "--database", self.url))
            self.addCleanup(node.close)
            self.nodes.append(node.start())
        self.port = free_port()
        home = Path(mkdtemp(prefix="gossip-nginx-"))
        self.addCleanup(shutil.rmtree, home)
        certificate(home)
        cert, key = home / "cert.pem", home / "key.pem"
        self.trust = create_default_context(cafile=str(cert))
        config = (ROOT / "etc" / "nginx.cluster.conf").read_text()
        for found, replacement in (
            (r"127\.0\.0\.1:4110", f"127.0.0.1:{self.nodes[0].port}"),
            (r"127\.0\.0\.1:4120", f"127.0.0.1:{self.nodes[1].port}"),
            (r"listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            (r"listen 80;", f"listen 127.0.0.1:{free_port()};"),
            (r"\n *listen \[::\]:.*;", ""),
            (r"/etc/letsencrypt/\S*fullchain.pem", str(cert)),
            (r"/etc/letsencrypt/\S*privkey.pem", str(key)),
        ):
            config, count = re.subn(found, replacement, config)
            self.assertGreater(count, 0, found)
        (home / "gossip.conf").write_text(config)
        temporary = "".join(
            f"{kind}_temp_path {home}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (home / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {home}/pid; error_log {home}/log;"
            f" events {{}} http {{ access_log off; {temporary} include {home}/gossip.conf; }}"
        )
        command = [program, "-p", str(home), "-c", str(home / "nginx.conf"), "-e", str(home / "log")]
        nginx = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(nginx.wait, WITHIN)
        self.addCleanup(nginx.terminate)
        eventually((home / "pid").exists, "nginx")

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
