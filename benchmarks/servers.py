"""The servers that are measured side by side: the daemon, the limits of C and Python, and other servers."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Final

from benchmarks import machine
from benchmarks.machine import TWISTD, CannotMeasure
from benchmarks.population import Population
from benchmarks.postgresql import PostgreSQL
from gossip.tap import Options

UNLIMITED: Final = """\
# A user's daemon but for its limits: one game may say as much as it likes, and all come from one address.
[limits]
connections = 0
connections_per_address = 0
unauthenticated_per_address = 0
sessions = 0
wrong_secrets = 0

[limits.budgets]
unauthenticated = { burst = 0 }
authenticated = { burst = 0 }

[limits.rates]
global = { burst = 0 }
channels_send = { burst = 0 }
channels_subscribe = { burst = 0 }
channels_unsubscribe = { burst = 0 }
"""
"""The configuration of the daemon that is measured. Nothing else about it is special."""

UNLIMITED_BRIDGE: Final = """
[limits.telnet]
connections = 0
connections_per_address = 0
unauthenticated_per_address = 0

[limits.telnet.budgets]
unauthenticated = { burst = 0 }
authenticated = { burst = 0 }
"""

BRIDGE: Final = hasattr(Options, "opt_telnet")
"""Whether this daemon has a telnet bridge."""


class Ground:
    """
    What the servers of a run share.

    @ivar directory: all that they write is below it.
    @ivar population: the registered games.
    @ivar certificate: a certificate and its key.
    """

    def __init__(self, directory: Path, population: Population, certificate: tuple[Path, Path]) -> None:
        self.directory = directory
        self.population = population
        self.certificate = certificate
        self.started = 0
        self._closing = ExitStack()

    def close(self) -> None:
        """End what the servers shared."""
        self._closing.close()

    @cached_property
    def postgresql(self) -> PostgreSQL:
        """
        A PostgreSQL, with a database C{population} that knows all games.

        @raise CannotMeasure: there is none.
        """
        made = self._closing.enter_context(closing(PostgreSQL(core=machine.SERVER_CORE)))
        made.create("population")
        self.population.settle_in(made.url("population"), self.new_directory("population"))
        return made

    def new_database(self, settings: Mapping[str, str]) -> str:
        """Make a database that knows all games, with settings of its own; returns its URL."""
        self.started += 1
        name = f"gossip{self.started}"
        self.postgresql.create(name, "population")
        for setting, value in settings.items():
            self.postgresql.execute(f"ALTER DATABASE {name} SET {setting} = '{value}'")
        return self.postgresql.url(name)

    def new_directory(self, name: str) -> Path:
        """A directory for one more server."""
        self.started += 1
        path = self.directory / f"{self.started}-{name.replace(' ', '')}"
        path.mkdir()
        return path


class Server:
    """
    A server, in a process of its own.

    @cvar name: what it is called in reports and with C{--only}.
    @cvar protocol: what the load speaks to it.
    @cvar offers: the kinds of doors that it has: C{plain}, C{tls}, C{telnet}.
    @ivar doors: the port of each.
    """

    name: ClassVar[str]
    protocol: ClassVar[str] = "ws"
    offers: ClassVar[tuple[str, ...]] = ("plain",)

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.directory = ground.new_directory(self.name)
        self.doors = {kind: machine.free_port() for kind in self.offers}
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def missing(cls) -> str | None:
        """What must be installed before it can be measured."""
        return None

    def command(self) -> list[str | Path]:
        """What starts it."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """What it needs in its environment."""
        return {}

    def start(self) -> None:
        """
        Start it, and wait until it listens.

        @raise CannotMeasure: it does not.
        """
        log = self.directory / "log"
        with log.open("wb") as file:
            self._process = machine.launch(
                self.command(), machine.SERVER_CORE, self.directory, file, self.environment()
            )
        try:
            for port in self.doors.values():
                machine.wait_for_listener(port, self._process, log)
        except CannotMeasure:
            self.stop()
            raise

    @property
    def pids(self) -> list[int]:
        """Its processes."""
        assert self._process is not None
        return [self._process.pid]

    @property
    def size(self) -> int:
        """How many daemons it is."""
        return 1

    @property
    def engine(self) -> int:
        """The process of the database behind it; 0 if that is in its own."""
        return 0

    def ports(self, door: str) -> list[int]:
        """The ports of a kind of door, between which the games are spread."""
        return [self.doors[door]]

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            machine.end(self._process)


class Gossip(Server):
    """The daemon, as a user runs it: with store, presence, refs and the code of all limits."""

    name = "gossip"
    offers = ("plain", "tls", "telnet") if BRIDGE else ("plain", "tls")

    def command(self) -> list[str | Path]:
        certificate, key = self.ground.certificate
        data = self.ground.population.settle(self.directory / "data")
        config = self.directory / "gossip.toml"
        config.write_text(UNLIMITED + (UNLIMITED_BRIDGE if BRIDGE else ""))
        listen = [
            *("--listen", f"tcp:{self.doors['plain']}:interface=127.0.0.1"),
            *("--listen", f"ssl:{self.doors['tls']}:interface=127.0.0.1:certKey={certificate}:privateKey={key}"),
        ]
        if BRIDGE:
            listen += ["--telnet", f"tcp:{self.doors['telnet']}:interface=127.0.0.1"]
        return [*TWISTD, "--nodaemon", "--pidfile=", "gossip", "--config", config, "--data", data, *listen]


_SETTLE: Final = """
import sys
from pathlib import Path
from benchmarks import population

given = iter(Path(sys.argv[1]).read_text().split())
population.uuid.uuid4 = lambda: next(given)
games = len(Path(sys.argv[1]).read_text().splitlines())
population.Population(Path(sys.argv[2]), games).settle(Path(sys.argv[3]))
"""
"""Registers the same games with the benchmarks of another tree, which know its store."""


class Before(Gossip):
    """
    The daemon of another tree: as it was before.

    @cvar tree: where its sources are.
    """

    name = "before"
    tree: ClassVar[Path | None] = None

    def command(self) -> list[str | Path]:
        command = super().command()
        # A database that this tree made may be too new for that one.
        shutil.rmtree(self.directory / "data")
        known = str(self.ground.population.file)
        settling = [sys.executable, "-c", _SETTLE, known, str(self.directory / "games"), str(self.directory / "data")]
        subprocess.run(
            settling, cwd=self.directory, env={**machine.clean_environment(), **self.environment()}, check=True
        )
        return command

    def environment(self) -> Mapping[str, str]:
        return {"PYTHONPATH": str(self.tree)}


class Limit(Server):
    """C, epoll and one send for each delivery: no server can beat it by much."""

    name = "C limit"

    def command(self) -> list[str | Path]:
        return [machine.compiled("limit"), str(self.doors["plain"])]


class BatchLimit(Server):
    """The same, with the messages of a turn joined."""

    name = "C limit, joined"

    def command(self) -> list[str | Path]:
        return [machine.compiled("limit"), str(self.doors["plain"]), "-b"]


class _Other(Server):
    """One of our minimal servers on somebody else's library."""

    offers: ClassVar[tuple[str, ...]] = ("plain", "tls")
    library: ClassVar[str]

    @classmethod
    def missing(cls) -> str | None:
        return None if importlib.util.find_spec(cls.library) else f"pip install {cls.library}"

    def command(self) -> list[str | Path]:
        ports = [str(self.doors["plain"]), str(self.doors.get("tls", 0))]
        return [sys.executable, "-m", "benchmarks.others", self.library, *ports, *self.ground.certificate,
                self.ground.population.file]  # fmt: skip


class PythonLimit(_Other):
    """A loop of C{send()} in Python, and nothing else: no server in Python can beat it."""

    name = "Python limit"
    offers = ("plain",)
    library = "python"

    @classmethod
    def missing(cls) -> str | None:
        return None


class Websockets(_Other):
    """C{websockets.broadcast}."""

    name = "websockets"
    library = "websockets"


class Autobahn(_Other):
    """Autobahn unchanged: C{sendMessage(json.dumps(…))} to each subscriber."""

    name = "Autobahn"
    library = "autobahn"


class Nats(Server):
    """A message broker in Go, over plain TCP and without JSON, accounts or a disk."""

    name = "nats-server"
    protocol = "nats"

    @classmethod
    def missing(cls) -> str | None:
        return None if machine.program(cls.name) else "apt install nats-server"

    def command(self) -> list[str | Path]:
        return [machine.program(self.name) or self.name, "-a", "127.0.0.1", "-p", str(self.doors["plain"])]

    def environment(self) -> Mapping[str, str]:
        return {"GOMAXPROCS": "1"} if machine.PINNED else {}


class Mosquitto(Server):
    """A message broker in C: MQTT, quality of service 0."""

    name = "mosquitto"
    protocol = "mqtt"

    @classmethod
    def missing(cls) -> str | None:
        return None if machine.program(cls.name) else "apt install mosquitto"

    def command(self) -> list[str | Path]:
        config = self.directory / "mosquitto.conf"
        listener = f"listener {self.doors['plain']} 127.0.0.1"
        # Its queue of 1000 messages a slow subscriber would lose what we count.
        config.write_text(f"{listener}\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n")
        return [machine.program(self.name) or self.name, "-c", config]


SERVERS: Final[tuple[type[Server], ...]] = (
    Gossip,
    Limit,
    BatchLimit,
    PythonLimit,
    Websockets,
    Autobahn,
    Nats,
    Mosquitto,
)
