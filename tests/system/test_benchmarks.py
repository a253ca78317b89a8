"""The benchmarks: they run, and what they tell is what they measured. How fast anything is, no test says."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from docutils.core import publish_doctree  # type: ignore[import-untyped]
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from benchmarks import machine, report
from benchmarks.__main__ import main
from benchmarks.goals import goals
from benchmarks.report import Report
from benchmarks.run import Results
from benchmarks.scenarios import FULL, QUICK, TINY, Point, Scenario, scenarios

OURS = ("gossip", "C limit", "C limit, joined")
MACHINE = {"date": "today", "processor": "a <fast> one & only"}


def need_compiler() -> None:
    """Skip what needs the load, where it cannot be made."""
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        raise SkipTest("no C compiler")


def load(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the load alone."""
    command = [str(machine.compiled("load")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


class Suite(SynchronousTestCase):
    """The whole suite, tiny."""

    def measure(self, *arguments: str, servers: Sequence[str]) -> Path:
        """Run the command for one short round; returns the directory of its results."""
        need_compiler()
        directory = Path(tempfile.mkdtemp(prefix="gossip-"))
        self.addCleanup(shutil.rmtree, directory)
        chosen = [word for name in servers for word in ("--server", name)]
        command = [sys.executable, "-m", "benchmarks", "--size", "tiny", "--rounds", "1", "--output", str(directory)]
        done = subprocess.run(
            [*command, *chosen, *arguments],
            cwd=machine.ROOT,
            env=machine.clean_environment(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return directory

    def assert_measured(self, directory: Path, chosen: Sequence[Scenario], servers: Sequence[str]) -> None:
        """Everything was measured once, and nothing came to nothing."""
        results = json.loads((directory / "results.json").read_text())
        self.assertEqual(results["skipped"], [])
        measured = {(one["scenario"], one["point"], one["server"]): one["rounds"] for one in results["measured"]}
        expected = {
            (scenario.name, point.name, kind.name): scenario
            for scenario in chosen
            for point in scenario.points
            for kind in scenario.servers
            if kind.name in servers and point.door in kind.offers
        }
        self.assertEqual(measured.keys(), expected.keys())
        for key, scenario in expected.items():
            (figures,) = measured[key]
            for figure in scenario.figures:
                self.assertTrue(math.isfinite(figures[figure.key]), key)
                # So few connections may well fit into what a server has already, and so few games may be no work.
                if figure.key not in ("kib", "idle_cpu_percent"):
                    self.assertGreater(figures[figure.key], 0, key)

    def test_ours(self) -> None:
        """Every scenario runs with the daemon and with the limits in C; table, CSV, JSON and chart are written."""
        directory = self.measure(servers=OURS)
        self.assert_measured(directory, scenarios(TINY), OURS)
        table = (directory / "results.txt").read_text("utf-8")
        for scenario in scenarios(TINY):
            self.assertIn(scenario.title, table)
        lines = list(csv.DictReader(io.StringIO((directory / "results.csv").read_text("utf-8"))))
        self.assertEqual({line["scenario"] for line in lines}, {scenario.name for scenario in scenarios(TINY)})
        ElementTree.fromstring((directory / "results.svg").read_text("utf-8"))

    def test_others(self) -> None:
        """What the daemon is compared with speaks the same protocol as far as it is needed."""
        servers = [one for one in scenarios(TINY)[0].servers if one.name not in OURS and one.missing() is None]
        names = [one.name for one in servers]
        directory = self.measure("--only", "latency", "--only", "joining", servers=names)
        self.assert_measured(directory, [one for one in scenarios(TINY) if one.name in ("latency", "joining")], names)


class Load(SynchronousTestCase):
    """The load, on its own."""

    def setUp(self) -> None:
        """It must have been made."""
        need_compiler()

    def test_nobody_listens(self) -> None:
        """Where no server is, the load says so."""
        done = load("-p", str(machine.free_port()), "-P", "nats", "-n", "1", "-w", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nobody listens", done.stderr)

    def test_nobody_would_hear(self) -> None:
        """One game alone has nobody to hear it: an error, and no division by zero."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            done = load("-p", str(port), "-P", "nats", "-n", "1", "-m", "2", "-w", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("do not fit together", done.stderr)

    def test_credentials(self) -> None:
        """A file with too few games is an error that names it."""
        path = Path(self.mktemp())
        path.write_text("one secret\n")
        done = load("-p", "1", "-n", "2", "-f", str(path), "-w", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not enough games", done.stderr)


class Reports(SynchronousTestCase):
    """What is told of figures."""

    def setUp(self) -> None:
        """Figures that are easy to reckon with."""
        self.results = Results()
        point = f"{FULL.usual} subscribers, W=1"
        for server, values in (("gossip", (8.0, 6.0, 7.0)), ("C limit", (5.0, 7.0, 6.0))):
            self.results.rounds["fanout", point, server] = [
                {"cpu_us": value, "deliveries_s": 1000 * value} for value in values
            ]
        self.results.skipped.append("nats-server: not installed")
        self.results.notes.append("the load had no more to give")
        self.report = Report(MACHINE, "full", 3, scenarios(FULL), self.results)

    def test_medians_and_ratios(self) -> None:
        """A figure is the median of its rounds, and a multiple of the baseline's."""
        lines = list(csv.DictReader(io.StringIO(self.report.csv())))
        told = {(line["server"], line["figure"]): line for line in lines}
        self.assertEqual(told["gossip", "server CPU a delivery"]["median"], "7.000")
        self.assertEqual(told["gossip", "server CPU a delivery"]["ratio"], "1.167")
        self.assertEqual(told["C limit", "deliveries a second"]["ratio"], "1.000")

    def test_goals(self) -> None:
        """A goal is reached, missed, or was not measured."""
        verdicts = {goal.title: goal.verdict for goal in goals(self.results, FULL)}
        self.assertEqual(verdicts[f"CPU a delivery, {FULL.usual} subscribers, W=1, beside the C limit"], "reached")
        self.assertEqual(verdicts["durable sends a second"], "not measured")

    def test_goals_know_the_scenarios(self) -> None:
        """Every goal looks for what the scenarios measure: none is left out of a complete run."""
        results = Results()
        for scenario in scenarios(QUICK):
            for point in scenario.points:
                for kind in scenario.servers:
                    figures = {figure.key: 1.0 for figure in scenario.figures}
                    results.rounds[scenario.name, point.name, kind.name] = [figures]
        told = {goal.title: goal.reached for goal in goals(results, QUICK)}
        if not machine.can_do_tls():
            told.pop("memory a connection with TLS")
        self.assertNotIn(None, told.values())

    def test_page(self) -> None:
        """The page of the manual is well-formed, also when nothing was measured."""
        for one in (self.report, Report(MACHINE, "tiny", 0, scenarios(TINY), Results())):
            complaints = io.StringIO()
            settings = {"report_level": 1, "halt_level": 5, "warning_stream": complaints}
            publish_doctree(one.rst(), settings_overrides=settings)
            self.assertEqual(complaints.getvalue(), "")

    def test_chart(self) -> None:
        """The chart is XML, whatever the machine is called, and has a bar for each server."""
        chart = ElementTree.fromstring(self.report.svg())
        self.assertEqual(len(chart.findall("{http://www.w3.org/2000/svg}rect")), 2)
        ElementTree.fromstring(Report(MACHINE, "tiny", 0, scenarios(TINY), Results()).svg())

    def test_table(self) -> None:
        """The table names what was not measured, and what must be known of what was."""
        self.assertIn("the load had no more to give", self.report.text())
        self.assertIn("nats-server: not installed", self.report.text())
        self.assertIn("1.17", self.report.text())


class Sizes(SynchronousTestCase):
    """How much of everything."""

    def test_points_are_apart(self) -> None:
        """No two points of a scenario have the same name, in no size."""
        for sizes in report.SIZES.values():
            for scenario in scenarios(sizes):
                names = [point.name for point in scenario.points]
                self.assertEqual(len(names), len(set(names)), scenario.name)

    def test_games(self) -> None:
        """As many games are registered as any point needs."""
        for sizes in report.SIZES.values():
            points: list[Point] = [point for scenario in scenarios(sizes) for point in scenario.points]
            self.assertGreaterEqual(sizes.games, max(point.games for point in points))

    def test_list(self) -> None:
        """--list measures nothing."""
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            self.assertEqual(main(["--list", "--only", "memory"]), 0)
        self.assertIn("Memory", printed.getvalue())
