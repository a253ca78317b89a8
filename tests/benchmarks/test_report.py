"""L{benchmarks.report}: what is told of figures. No test says how fast anything is."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

from docutils.core import publish_doctree  # type: ignore[import-untyped]
from twisted.trial.unittest import SynchronousTestCase

from benchmarks import machine, report
from benchmarks.__main__ import main
from benchmarks.goals import goals
from benchmarks.points import FULL, QUICK, TINY, Point
from benchmarks.report import Report
from benchmarks.run import Results
from benchmarks.scenarios import scenarios

MACHINE = {"date": "today", "processor": "a <fast> one & only"}


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

    def test_saved(self) -> None:
        """Table, CSV, JSON and chart are written, and each holds what was measured."""
        directory = Path(self.mktemp())
        self.report.save(directory)
        self.assertIn("Fan-out", (directory / "results.txt").read_text("utf-8"))
        lines = list(csv.DictReader(io.StringIO((directory / "results.csv").read_text("utf-8"))))
        self.assertEqual({line["server"] for line in lines}, {"gossip", "C limit"})
        measured = json.loads((directory / "results.json").read_text())["measured"]
        self.assertEqual([len(one["rounds"]) for one in measured], [3, 3])
        ElementTree.fromstring((directory / "results.svg").read_text("utf-8"))

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


class Complete(SynchronousTestCase):
    """What was to be measured, and was not."""

    def setUp(self) -> None:
        """One scenario, measured whole."""
        (self.scenario,) = (one for one in scenarios(TINY) if one.name == "memory")
        self.results = Results()
        for point in self.scenario.points:
            self.results.rounds["memory", point.name, "gossip"] = [{"kib": 0.0}]

    def missing(self) -> list[str]:
        """What is missing of the daemon's figures."""
        return self.results.missing([self.scenario], ["gossip"])

    def test_complete(self) -> None:
        """Nothing is missing where every point has every figure; no memory is a figure, too."""
        self.assertEqual(self.missing(), [])

    def test_not_measured(self) -> None:
        """A point without a round is missing; a server that is not asked for is not."""
        point = self.scenario.points[0].name
        del self.results.rounds["memory", point, "gossip"]
        self.results.skipped.append("nats-server: not installed")
        self.assertEqual(self.missing(), [f"gossip, memory, {point}: not measured"])

    def test_not_a_number(self) -> None:
        """A figure that is no number, or nothing where there must be something, is missing."""
        point = self.scenario.points[0].name
        self.results.rounds["memory", point, "gossip"] = [{"kib": float("nan")}]
        self.assertEqual(self.missing(), [f"gossip, memory, {point}: memory a connection is nan"])
        (latency,) = (one for one in scenarios(TINY) if one.name == "latency")
        self.results.rounds["latency", latency.points[0].name, "gossip"] = [{"p50": 1.0, "p99": 0.0, "cpu_us": 2.0}]
        (told,) = self.results.missing([latency], ["gossip"])
        self.assertIn("p99 latency is 0.0", told)


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
