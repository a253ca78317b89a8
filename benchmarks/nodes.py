"""Daemons on PostgreSQL that are measured side by side: one alone, and nodes of one network."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import ClassVar, Final

import psycopg

from benchmarks import machine
from benchmarks.machine import TWISTD, CannotMeasure
from benchmarks.postgresql import programs
from benchmarks.servers import UNLIMITED, Ground, Server

SLOW: Final = {"commit_delay": "5000", "commit_siblings": "0"}
"""Settings of a database each commit of which waits 5 ms longer for the disk."""


class Database(Server):
    """
    A PostgreSQL database that knows all games, and no daemon.

    @cvar settings: settings of the database.
    @ivar url: where it is.
    """

    name = "PostgreSQL"
    settings: ClassVar[Mapping[str, str]] = {}

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self.url = ""

    @classmethod
    def missing(cls) -> str | None:
        try:
            programs()
        except CannotMeasure as missing:
            return str(missing)
        return None

    @property
    def pids(self) -> list[int]:
        return []

    @property
    def engine(self) -> int:
        return self.ground.postgresql.pid

    def start(self) -> None:
        self.url = self.ground.new_database(self.settings)

    def stop(self) -> None:
        """The server goes with the ground."""


class Nodes(Database):
    """
    Daemons on one database.

    @cvar names: of the nodes; one without a name is alone.
    """

    names: ClassVar[tuple[str, ...]]

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._ports = [machine.free_port() for _ in self.names]
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def size(self) -> int:
        return len(self.names)

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def ports(self, door: str) -> list[int]:
        return self._ports

    def start(self) -> None:
        super().start()
        config = self.directory / "gossip.toml"
        config.write_text(UNLIMITED)
        try:
            for name, port in zip(self.names, self._ports, strict=True):
                self._launch(name, port)
        except CannotMeasure:
            self.stop()
            raise

    def _launch(self, name: str, port: int) -> None:
        log = self.directory / f"log{name}"
        command = [
            *(*TWISTD, "--nodaemon", "--pidfile=", "gossip", "--config", self.directory / "gossip.toml"),
            *("--data", self.directory / f"data{name}", "--database", self.url),
            *("--listen", f"tcp:{port}:interface=127.0.0.1"),
            *(("--node", name) if name else ()),
        ]
        with log.open("wb") as file:
            self._processes.append(machine.launch(command, machine.SERVER_CORE, self.directory, file))
        machine.wait_for_daemon(port, self._processes[-1], log)

    @property
    def known_sessions(self) -> int:
        """How many sessions the nodes have told each other of."""
        with psycopg.connect(self.url) as connection:
            found = connection.execute("SELECT count(*) FROM node_sessions").fetchone()
        return int(found[0]) if found else 0

    def kill(self, number: int) -> None:
        """Kill one of them."""
        self._processes[number].kill()
        self._processes[number].wait()

    def stop(self) -> None:
        for process in self._processes:
            machine.end(process)


class Alone(Nodes):
    """One daemon, alone."""

    name = "alone"
    names = ("",)


class OneNode(Nodes):
    """One daemon that is a node, without others."""

    name = "one node"
    names = ("a",)


class TwoNodes(Nodes):
    """Two nodes, each with half of the games."""

    name = "two nodes"
    names = ("a", "b")


class SlowDisk(TwoNodes):
    """The same, where each flush takes 5 ms longer."""

    name = "two nodes, slow disk"
    settings = SLOW


class SlowDatabase(Database):
    """A database where each flush takes 5 ms longer."""

    name = "PostgreSQL, slow disk"
    settings = SLOW


KINDS: Final[tuple[type[Server], ...]] = (Alone, OneNode, TwoNodes, SlowDisk, Database, SlowDatabase)
