"""What lies in etc/."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from gossip.config import Config, load

ROOT = Path(__file__).resolve().parent.parent
ETC = ROOT / "etc"


def lists(value: Any) -> Any:
    """Make the tuples of settings the lists that TOML has."""
    if isinstance(value, dict):
        return {key: lists(inner) for key, inner in value.items()}
    return list(value) if isinstance(value, tuple) else value


class GossipToml(SynchronousTestCase):
    """The file that explains the settings."""

    def test_as_it_is(self) -> None:
        """As it is, it changes nothing."""
        self.assertEqual(load({"config": str(ETC / "gossip.toml")}, {}), Config())

    def test_every_setting(self) -> None:
        """It has every setting, once, and shows its default."""
        shown = re.sub(r"(?m)^#(?=\w+ = )", "", (ETC / "gossip.toml").read_text())
        self.assertEqual(tomllib.loads(shown), lists(msgspec.to_builtins(Config())))

    def test_explained(self) -> None:
        """Every setting, or a few of them together, stand below an explanation."""
        for block in (ETC / "gossip.toml").read_text().split("\n\n"):
            if re.search(r"(?m)^#\w+ = ", block):
                self.assertRegex(block.strip("\n"), r"^# \w")


class Others(SynchronousTestCase):
    """The files for systemd, proxies and containers."""

    def test_port(self) -> None:
        """Whatever names a port of the daemon names the default one."""
        port = Config().listen[0].split(":")[1]
        for name in ("nginx.conf", "Caddyfile", "Dockerfile", "compose.yaml", "gossip.socket"):
            self.assertRegex((ETC / name).read_text(), rf"(127\.0\.0\.1|\[::\]):{port}\b", name)

    def test_variables(self) -> None:
        """Every variable that is mentioned exists."""
        known = {"GOSSIP_CONFIG", *(f"GOSSIP_{name.upper()}" for name in Config.__struct_fields__)}
        mentioned = {name for path in ETC.iterdir() for name in re.findall(r"\bGOSSIP_[A-Z_]+", path.read_text())}
        self.assertIn("GOSSIP_LISTEN", mentioned)
        self.assertEqual(mentioned - known, set())

    def test_patience(self) -> None:
        """nginx outwaits a connection that has not authenticated."""
        timeouts = re.findall(r"proxy_(?:read|send)_timeout (\d+)s;", (ETC / "nginx.conf").read_text())
        self.assertEqual(len(timeouts), 2)
        self.assertGreater(min(map(int, timeouts)), Config().limits.authenticate_seconds)

    def test_open_files(self) -> None:
        """systemd and compose allow a file for every connection."""
        for name, pattern in (("gossip.service", r"LimitNOFILE=(\d+)"), ("compose.yaml", r"nofile: (\d+)")):
            found = re.search(pattern, (ETC / name).read_text())
            assert found is not None
            self.assertGreater(int(found[1]), Config().limits.connections, name)

    def test_copied(self) -> None:
        """What the Dockerfile copies exists."""
        copied = re.findall(r"(?m)^COPY ((?!--).+) \S+$", (ETC / "Dockerfile").read_text())
        sources = [source for line in copied for source in line.split()]
        self.assertIn("gossip", sources)
        self.assertEqual([source for source in sources if not (ROOT / source).exists()], [])
