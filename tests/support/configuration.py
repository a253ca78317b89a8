"""Configurations from files."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gossip.config.config import Config
from gossip.config.errors import ConfigError
from gossip.config.loading import load

URL = "postgresql+psycopg://gossip:hush@db.example.org/gossip"


class ConfigCase(SynchronousTestCase):
    """A file to load from."""

    def written(self, text: str | bytes) -> str:
        """Write a file and say where."""
        path = Path(self.mktemp())
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    def loaded(self, text: str | bytes) -> Config:
        """Load a configuration of nothing but a file."""
        return load({"config": self.written(text)}, {})

    def complaint(self, text: str | bytes) -> str:
        """What is said about a file, without its name."""
        path = self.written(text)
        error = self.assertRaises(ConfigError, load, {"config": path}, {})
        return str(error).removeprefix(f"{path}: ")
