"""C{etc/nginx.cluster.conf}, as nginx reads it, in front of two nodes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from ssl import create_default_context
from tempfile import mkdtemp

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.support.certificate import certificate
from tests.support.daemon import ROOT, WITHIN, Daemon, eventually, free_port, listens
from tests.support.databases import OnPostgreSQL


class OnNginx(OnPostgreSQL, SynchronousTestCase):
    """
    Two nodes behind nginx.

    @ivar port: for games and browsers, with TLS.
    @ivar plain: for those that would not trust the certificate, without TLS.
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
        self.port, self.plain, self.telnet = free_port(), free_port(), (free_port(), free_port())
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
            node.url = f"ws://127.0.0.1:{node.port}/socket"
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
            (r"listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl; listen 127.0.0.1:{self.plain};"),
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

    def apart(self, text: str) -> list[Daemon]:
        """The nodes: first the one whose log has a text."""
        return sorted(self.nodes, key=lambda node: text not in node.log)
