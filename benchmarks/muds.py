"""MUDs by IMC2 beside the games that are measured: what they cost the others."""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from benchmarks import machine
from benchmarks.machine import CannotMeasure
from benchmarks.population import short_name
from benchmarks.servers import Gossip

MUDS: Final = 10
"""How many MUDs there are."""

_OPEN: Final = """
[imc2]
listen = ["tcp:{port}:interface=127.0.0.1"]
"""


class Muds:
    """MUDs that have logged in, and read whatever they are told."""

    def __init__(self, port: int, keys: dict[str, str]) -> None:
        """@param keys: the keys of the MUDs by their names."""
        self._over = False
        self._selector = selectors.DefaultSelector()
        for name, key in keys.items():
            mud = socket.create_connection(("127.0.0.1", port), 20)
            mud.sendall(f"PW {name} {key} version=2\n\r".encode())
            if not mud.recv(1000).startswith(b"PW "):
                raise CannotMeasure(f"{name} cannot log in by IMC2")
            mud.sendall(f"*@{name} 1 {name} keepalive-request *@*\n\r".encode())
            mud.setblocking(False)
            self._selector.register(mud, selectors.EVENT_READ, name)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        sequence = 1
        while not self._over:
            for key, _ in self._selector.select(0.2):
                mud = key.fileobj
                assert isinstance(mud, socket.socket)
                if b"keepalive-request" in mud.recv(1 << 18):
                    sequence += 1
                    mud.sendall(f"*@{key.data} {sequence} {key.data} is-alive *@*\n\r".encode())

    def leave(self) -> None:
        """End all of them."""
        self._over = True
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            mud = key.fileobj
            assert isinstance(mud, socket.socket)
            mud.close()
        self._selector.close()


class GossipBesideMuds(Gossip):
    """The same daemon, with MUDs by IMC2 on the channel that is measured. Only what other games receive is counted."""

    name = f"gossip, {MUDS} MUDs by IMC2 beside"
    _muds: Muds | None = None

    def command(self) -> list[str | Path]:
        command = super().command()
        config = self.directory / "gossip.toml"
        self._port = machine.free_port()
        config.write_text(config.read_text() + _OPEN.format(port=self._port))
        return command

    def start(self) -> None:
        super().start()
        # The load takes the first games.
        names = [short_name(len(self.ground.population.credentials) - 1 - number) for number in range(MUDS)]
        try:
            self._muds = Muds(self._port, {name: self._key(name) for name in names})
        except CannotMeasure:
            self.stop()
            raise

    def _key(self, name: str) -> str:
        gossipctl = Path(sys.executable).parent / "gossipctl"
        data = self.directory / "data"
        words: list[str | Path] = [gossipctl, "--data", data, "--json", "game", "key", name, "imc2"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotMeasure(f"no key for IMC2: {done.stderr}")
        return str(json.loads(done.stdout)["key"])

    def stop(self) -> None:
        if self._muds is not None:
            self._muds.leave()
        super().stop()
