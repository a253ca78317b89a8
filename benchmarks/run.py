"""Runs scenarios: the servers on one core, the load on another, all compared ones in turn in every round."""

from __future__ import annotations

import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks import machine
from benchmarks.machine import CannotMeasure
from benchmarks.points import Point, Scenario, Sizes
from benchmarks.population import Population, certificate
from benchmarks.servers import Ground, Server

BUSY: Final = 95.0
"""Above this use of its core, in percent, the load itself may be what was measured."""

MAY_BE_NOTHING: Final = ("kib", "idle_cpu_percent", "lost")
"""Figures that may be zero: a few connections fit into memory that a server has, and a few games are no work."""

Measured = dict[str, float]
"""What the load reports of one measurement."""


@dataclass
class Results:
    """
    All that was measured.

    @ivar rounds: by scenario, point and server, what each round brought.
    @ivar skipped: what could not be measured, and why.
    @ivar notes: what must be known of what was measured.
    """

    rounds: dict[tuple[str, str, str], list[Measured]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def values(self, scenario: str, point: str, server: str, key: str) -> list[float]:
        """One figure in all rounds."""
        return [measured[key] for measured in self.rounds.get((scenario, point, server), ()) if key in measured]

    def missing(self, scenarios: Sequence[Scenario], servers: Sequence[str]) -> list[str]:
        """
        What was not measured: each point of each scenario, with each server, and each figure of it.

        @param servers: the names of those that were to be measured.
        """
        missing: list[str] = []
        for scenario in scenarios:
            for point in scenario.points:
                for kind in scenario.servers:
                    if kind.name in servers and point.door in kind.offers:
                        missing += self._missing(scenario, point.name, kind.name)
        return missing

    def _missing(self, scenario: Scenario, point: str, server: str) -> Iterator[str]:
        where = f"{server}, {scenario.name}, {point}"
        rounds = self.rounds.get((scenario.name, point, server))
        if not rounds:
            yield f"{where}: not measured"
        for measured in rounds or ():
            for figure in scenario.figures:
                value = measured.get(figure.key, math.nan)
                if not math.isfinite(value) or (value <= 0 and figure.key not in MAY_BE_NOTHING):
                    yield f"{where}: {figure.title} is {value}"

    def median(self, scenario: str, point: str, server: str, key: str) -> float | None:
        """One figure; C{None} if it was not measured."""
        values = self.values(scenario, point, server, key)
        return statistics.median(values) if values else None


def run(scenarios: Sequence[Scenario], sizes: Sizes, rounds: int, only_servers: Sequence[str] = ()) -> Results:
    """
    Measure.

    @param only_servers: the names of those to measure; empty for all.
    @raise CannotMeasure: something is missing without which nothing can be measured.
    """
    machine.compiled("load")
    results = Results()
    directory = Path(tempfile.mkdtemp(prefix="gossip-benchmarks-"))
    places = ExitStack()
    try:
        # Others must get in to read a configuration, as mosquitto does as a user of its own.
        directory.chmod(0o755)
        ground = Ground(directory, Population(directory / "games", sizes.games), certificate(directory))
        places.callback(ground.close)
        for scenario in scenarios:
            servers = [one for one in scenario.servers if not only_servers or one.name in only_servers]
            _Run(scenario, servers, ground, results).run(rounds)
    except KeyboardInterrupt:
        results.notes.append("interrupted: not everything was measured in all rounds")
    finally:
        places.close()
        shutil.rmtree(directory, ignore_errors=True)
    return results


class _Run:
    """One scenario."""

    def __init__(self, scenario: Scenario, servers: Sequence[type[Server]], ground: Ground, results: Results) -> None:
        self._scenario = scenario
        self._kinds = servers
        self._ground = ground
        self._results = results
        self._running: dict[type[Server], Server] = {}

    def run(self, rounds: int) -> None:
        """Measure all points with all servers, several times."""
        print(f"{self._scenario.title}", file=sys.stderr)
        present = list(self._present())
        try:
            if not self._scenario.fresh:
                present = [kind for kind in present if self._start(kind)]
            for number in range(rounds):
                for point in self._scenario.points:
                    # Who comes first changes, so that no server always follows the same other.
                    for turn in range(len(present)):
                        kind = present[(turn + number) % len(present)]
                        if point.door in kind.offers:
                            self._measure(point, kind)
        finally:
            for server in self._running.values():
                server.stop()

    def _start(self, kind: type[Server]) -> bool:
        server = kind(self._ground)
        try:
            server.start()
        except CannotMeasure as error:
            self._skip(f"{kind.name}: {error}")
            return False
        self._running[kind] = server
        return True

    def _present(self) -> Iterator[type[Server]]:
        for kind in self._kinds:
            missing = kind.missing()
            if missing is None:
                yield kind
            else:
                self._skip(f"{kind.name}: not installed ({missing})")

    def _measure(self, point: Point, kind: type[Server]) -> None:
        try:
            if self._scenario.fresh:
                with _one(kind, self._ground) as server:
                    measured = self._load(point, server)
            else:
                measured = self._load(point, self._running[kind])
        except (LoadFailed, CannotMeasure) as failure:
            self._skip(f"{kind.name}, {self._scenario.name}, {point.name}: {failure}")
            return
        key = (self._scenario.name, point.name, kind.name)
        self._results.rounds.setdefault(key, []).append(measured)
        note = f"{kind.name}, {self._scenario.name}, {point.name}: the load reached its own limit; look at the CPU time"
        if measured.get("load_percent", 0.0) > BUSY and "-w" in point.arguments and note not in self._results.notes:
            self._results.notes.append(note)
        figures = [one for one in self._scenario.figures if one.key in measured]
        shown = ", ".join(f"{one.title} {measured[one.key]:,.1f} {one.unit}" for one in figures)
        print(f"  {point.name:32} {kind.name:16} {shown}", file=sys.stderr)

    def _load(self, point: Point, server: Server) -> Measured:
        if point.probe is not None:
            return point.probe(server)
        games = point.games * (server.size if point.each else 1)
        arguments = list(point.arguments)
        if "-P" not in arguments:
            arguments += ["-P", server.protocol]
        audience = point.games - 1
        if "-x" in arguments:
            audience -= point.games // int(arguments[arguments.index("-x") + 1])
        rate = point.rate / audience
        if point.half_of:
            key = (self._scenario.name, point.half_of, server.name)
            reached = self._results.rounds[key][-1]["messages_s"] if key in self._results.rounds else 0.0
            rate = max(reached / 2, 1.0)
        if rate:
            arguments += ["-r", f"{rate:.3f}"]
        return load(server, games, server.ports(point.door), arguments)

    def _skip(self, why: str) -> None:
        print(f"  {why}", file=sys.stderr)
        if why not in self._results.skipped:
            self._results.skipped.append(why)


class LoadFailed(Exception):
    """The load gave up; the text says why."""


def load(server: Server, games: int, ports: Sequence[int], arguments: Sequence[str]) -> Measured:
    """
    Run the load once.

    @param ports: where the games join, in turn.
    @raise LoadFailed: it gave up.
    """
    command = load_command(server, games, ports, arguments)
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
            preexec_fn=machine.on_core(machine.LOAD_CORE),
        )
    except subprocess.TimeoutExpired:
        raise LoadFailed("not done within ten minutes") from None
    if done.returncode:
        raise LoadFailed(done.stderr.strip())
    measured: Measured = json.loads(done.stdout)
    return measured


def load_command(server: Server, games: int, ports: Sequence[int], arguments: Sequence[str]) -> list[str]:
    """What runs the load."""
    several = {"-p": ports, "-s": server.pids, "-e": [server.engine] if server.engine else []}
    return [
        str(machine.compiled("load")),
        *(word for option, numbers in several.items() if numbers for word in (option, ",".join(map(str, numbers)))),
        *("-n", str(games), "-f", str(server.ground.population.file)),
        *arguments,
    ]


@contextmanager
def _one(kind: type[Server], ground: Ground) -> Iterator[Server]:
    """A server for one measurement."""
    server = kind(ground)
    server.start()
    try:
        yield server
    finally:
        server.stop()
