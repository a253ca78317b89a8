"""What the documents tell you to type, typed: every gossipctl, in the order of each document, into a fresh network."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.daemon import ROOT, WITHIN, Daemon, DaemonTestCase, environment
from tests.support.documents import CONNECTING, EXAMPLES, OPERATOR, PROTOCOL, README, TELNET, blocks

ENDLESS = "it follows the messages until somebody interrupts it"
NO_GATEWAY = "it has no gateway: no test dials a router of other people"
CANNOT = {
    "gossipctl tail": ENDLESS,
    "gossipctl tail gossip": ENDLESS,
    "gossipctl game rehearse MyMUD": "no game is connected here",
    "gossipctl game rehearse MyMUD --step tell --player Ana": "the same",
    "gossipctl game rehearse MyMUD --step restart": "the same",
    "gossipctl copy-to postgresql://gossip@localhost/gossip": "it needs a stopped daemon and an empty database",
    "gossipctl copy-to sqlite:///gossip.db": "the same",
    "gossipctl message show gossip:1042": "nobody has said that yet",
    'gossipctl message remove gossip:1042 "advertising"': "the same",
    'gossipctl report resolve 7 "muted for a day"': "nobody has reported anything yet, as the text above it says",
    "gossipctl talk --url wss://gossip.example.org/socket --name Ana --channel gossip --channel testing": (
        "it goes to a network on another machine"
    ),
    'docker compose -f etc/compose.yaml exec gossip gossipctl game add "My MUD" --short MyMUD': (
        "it needs Docker; what it runs in the container is typed for etc/compose.yaml"
    ),
    "gossipctl node end b": "a daemon that is alone has no other nodes",
    "gossipctl i3 status": NO_GATEWAY,
    "gossipctl i3 channels": NO_GATEWAY,
    "gossipctl i3 accept-rules": NO_GATEWAY,
    "gossipctl i3 reconnect": NO_GATEWAY,
    "gossipctl i3 forget": NO_GATEWAY,
    "gossipctl node drain": "it is no node",
}
"""Lines that cannot be typed here, with the reason."""

GOSSIPCTL = f'#!/bin/sh\nexec "{sys.executable}" -m gossip.cli.ctl "$@"\n'


def typed(path: Path) -> list[str]:
    """The lines of a document with gossipctl."""
    lines = [line for block in blocks(path, "sh") for line in re.sub(r"\\\n\s*", "", block).splitlines()]
    return [line for line in lines if re.search(r"\bgossipctl\b", line) and not line.startswith("alias ")]


def shown(path: Path) -> list[str]:
    """The lines for a shell with gossipctl in a file of etc/, without what leads into a container or a service."""
    found = re.findall(r"(?m)(?:docker .*|/opt/gossip/bin/)(gossipctl .*)$", path.read_text())
    return [re.sub(r"--data /var/lib/gossip(/a)? ", "", line) for line in found]


class TypedTests(DaemonTestCase):
    """A shell in the directory of a daemon, with a person at its terminal who is sure of everything."""

    def network(self) -> Daemon:
        """A daemon that nobody has used."""
        daemon = self.daemon().start()
        for directory in (daemon.directory, daemon.directory / "venv" / "bin"):
            directory.mkdir(parents=True, exist_ok=True)
            (directory / "gossipctl").write_text(GOSSIPCTL)
            (directory / "gossipctl").chmod(0o755)
        return daemon

    def type_(self, lines: Sequence[str]) -> None:
        """Type lines, one after the other, into one shell; each must succeed."""
        daemon = self.network()
        backups = daemon.directory / "backups"
        backups.mkdir()
        runnable = [line for line in lines if line not in CANNOT]
        script = []
        for number, line in enumerate(runnable):
            adapted = re.sub(r"/var/(backups|lib/gossip-backups)", str(backups), line)
            # Whoever talks has nothing to say.
            source = "/dev/null" if "gossipctl talk" in line else '"$KEYBOARD"'
            script.append(f'{{ {adapted}\n}} < {source} >> output 2>&1 || echo "{number} $?" >> failed')
        person, keyboard = pty.openpty()
        self.addCleanup(os.close, person)
        self.addCleanup(os.close, keyboard)
        os.write(person, b"y\n" * sum(" remove " in line for line in lines))
        variables = {
            "GOSSIP_DATA": str(daemon.data),
            "KEYBOARD": os.ttyname(keyboard),
            "PATH": f"{daemon.directory}:{os.environ['PATH']}",
        }
        subprocess.run(
            ["bash", "-c", "set -o pipefail\n" + "\n".join(script)],
            cwd=daemon.directory,
            env=environment(**variables),
            timeout=WITHIN * max(len(lines), 1),
            check=True,
        )
        failed = daemon.directory / "failed"
        if failed.exists():
            wrong = [runnable[int(each.split()[0])] for each in failed.read_text().splitlines()]
            self.fail(f"{wrong}\n{(daemon.directory / 'output').read_text()}")
        self.assertNotIn("Traceback", (daemon.directory / "output").read_text() if runnable else "")

    def test_documents(self) -> None:
        """Every line works in the order in which somebody reads it, but for those that cannot."""
        count = 0
        for path in (README, OPERATOR, CONNECTING, PROTOCOL, TELNET, EXAMPLES):
            if lines := typed(path):
                self.type_(lines)
                count += len(lines)
        self.assertGreater(count, 70)

    def test_etc(self) -> None:
        """So does what the files for systemd and containers show."""
        files = {path.name: lines for path in sorted((ROOT / "etc").iterdir()) if (lines := shown(path))}
        self.assertLessEqual({"Dockerfile", "compose.yaml", "gossip.service", "gossip-backup.service"}, set(files))
        for lines in files.values():
            self.type_(lines)

    def test_listed(self) -> None:
        """The list of lines that cannot be typed has no others."""
        every = {line for path in (README, OPERATOR, CONNECTING, EXAMPLES) for line in typed(path)}
        self.assertEqual(set(CANNOT) - every, set())
