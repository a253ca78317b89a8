"""Results as a table, as CSV, as JSON, as a chart, and as a page of the manual."""

from __future__ import annotations

import csv
import io
import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Final

from benchmarks.goals import goals
from benchmarks.points import FULL, QUICK, TINY, Figure, Scenario, Sizes
from benchmarks.run import Results

SIZES: Final[Mapping[str, Sizes]] = {"full": FULL, "quick": QUICK, "tiny": TINY}

COLUMNS: Final = (
    "scenario",
    "point",
    "server",
    "figure",
    "unit",
    "median",
    "least",
    "most",
    "baseline",
    "ratio",
    "rounds",
)


@dataclass(frozen=True)
class Row:
    """
    One figure of one server at one point.

    @ivar ratio: as a multiple of the baseline's median in the same run.
    """

    scenario: Scenario
    point: str
    server: str
    figure: Figure
    values: list[float]
    ratio: float | None

    @property
    def median(self) -> float:
        return statistics.median(self.values)


class Report:
    """The results of a run."""

    def __init__(
        self, machine: Mapping[str, str], size: str, rounds: int, scenarios: Sequence[Scenario], results: Results
    ) -> None:
        self._machine = machine
        self._size = size
        self._rounds = rounds
        self._results = results
        self._goals = list(goals(results, SIZES[size]))
        self._rows = [row for scenario in scenarios for row in self._of(scenario)]

    def _of(self, scenario: Scenario) -> Iterator[Row]:
        for point in scenario.points:
            for figure in scenario.figures:
                for kind in scenario.servers:
                    values = self._results.values(scenario.name, point.name, kind.name, figure.key)
                    if values:
                        yield Row(
                            scenario,
                            point.name,
                            kind.name,
                            figure,
                            values,
                            self._ratio(scenario, point.name, kind.name, figure, values),
                        )

    def _ratio(self, scenario: Scenario, point: str, server: str, figure: Figure, values: list[float]) -> float | None:
        """The baseline is another server at the same point, or the same server at another point."""
        if scenario.baseline in {one.name for one in scenario.points}:
            base = self._results.median(scenario.name, scenario.baseline, server, figure.key)
        else:
            base = self._results.median(scenario.name, point, scenario.baseline, figure.key)
        return statistics.median(values) / base if base else None

    # As text.

    def text(self) -> str:
        """For a terminal."""
        lines = [f"{key}: {value}" for key, value in self._machine.items()]
        lines.append(f"size: {self._size}; medians of {self._rounds} rounds")
        for scenario, rows in groupby(self._rows, lambda row: row.scenario):
            lines += ["", scenario.title, f"  (× is the ratio to: {scenario.baseline})", ""]
            lines += _aligned([("", "", "", "median", "minimum", "maximum", "×"), *map(_cells, rows)])
        lines += ["", "Goals", ""]
        lines += _aligned(
            [
                (
                    goal.title,
                    _number(goal.reached) + goal.unit if goal.reached is not None else "-",
                    ("≤ " if goal.most else "≥ ") + f"{goal.bound:g}{goal.unit}",
                    goal.verdict,
                )
                for goal in self._goals
            ]
        )
        if self._results.skipped:
            lines += ["", "Not measured", "", *(f"  {why}" for why in self._results.skipped)]
        if self._results.notes:
            lines += ["", "Notes", "", *(f"  {note}" for note in self._results.notes)]
        return "\n".join(lines)

    def csv(self) -> str:
        """For a spreadsheet: one line for each figure."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in self._rows:
            ratio = "" if row.ratio is None else f"{row.ratio:.3f}"
            numbers = (f"{row.median:.3f}", f"{min(row.values):.3f}", f"{max(row.values):.3f}")
            figure = (row.figure.title, row.figure.unit)
            writer.writerow(
                (
                    row.scenario.name,
                    row.point,
                    row.server,
                    *figure,
                    *numbers,
                    row.scenario.baseline,
                    ratio,
                    len(row.values),
                )
            )
        return file.getvalue()

    def json(self) -> str:
        """All data, each round as the load reported it."""
        rounds = [
            {"scenario": scenario, "point": point, "server": server, "rounds": measured}
            for (scenario, point, server), measured in self._results.rounds.items()
        ]
        reached = [
            {"goal": goal.title, "reached": goal.reached, "bound": goal.bound, "met": goal.met} for goal in self._goals
        ]
        run = {
            "machine": self._machine,
            "size": self._size,
            "skipped": self._results.skipped,
            "notes": self._results.notes,
        }
        return json.dumps({**run, "goals": reached, "measured": rounds}, indent=1)

    # As a chart.

    def svg(self) -> str:
        """The first figure of each scenario as bars, with the spread of the rounds as a thin line."""
        drawn: list[str] = []
        y = 28
        for scenario, grouped in groupby(self._rows, lambda row: row.scenario):
            rows = [row for row in grouped if row.figure is scenario.figures[0]]
            if not rows:
                continue
            y += 18
            drawn.append(_label(10, y, f"{scenario.title}: {rows[0].figure.title}, {rows[0].figure.unit}", "title"))
            y += 8
            most = max(max(row.values) for row in rows) or 1
            for point, bars in groupby(rows, lambda row: row.point):
                y += 16
                drawn.append(_label(10, y, point, "point"))
                for row in bars:
                    y += 15
                    drawn.append(_bar(y, row, most))
            y += 8
        size = f'width="{_WIDTH}" height="{y + 16}" viewBox="0 0 {_WIDTH} {y + 16}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
        machine = f"{self._machine['date']}, {self._machine['processor']}"
        about = f"{machine}, size {self._size}, medians of {self._rounds} rounds"
        return "\n".join([head, _STYLE, _label(10, 20, about, "point"), *drawn, "</svg>", ""])

    # As files.

    def save(self, directory: Path) -> None:
        """Write it as a table, as CSV, as JSON and as a chart."""
        directory.mkdir(parents=True, exist_ok=True)
        for suffix, text in (
            ("txt", self.text() + "\n"),
            ("csv", self.csv()),
            ("json", self.json()),
            ("svg", self.svg()),
        ):
            (directory / f"results.{suffix}").write_text(text, "utf-8")

    def publish(self, docs: Path) -> None:
        """Write the page of results, and its chart."""
        (docs / "performance.svg").write_text(self.svg(), "utf-8")
        (docs / "performance-results.rst").write_text(self.rst(), "utf-8")

    def rst(self) -> str:
        """A page of the manual."""
        title = "Performance results"
        lines = [".. Generated by python -m benchmarks --write. Do not edit.", "", title, "=" * len(title), ""]
        lines += [
            f"Medians of {self._rounds} rounds, size {self._size}. `performance.rst <performance.rst>`_ explains them.",
            "",
        ]
        lines += [f":{key}: {value}" for key, value in self._machine.items()]
        lines += ["", ".. image:: performance.svg", ""]
        lines += [
            *_heading("Goals"),
            *_listing(
                ("figure", "reached", "goal", ""),
                [
                    (
                        goal.title,
                        _number(goal.reached) + goal.unit if goal.reached is not None else "",
                        ("at most " if goal.most else "at least ") + f"{goal.bound:g}{goal.unit}",
                        goal.verdict,
                    )
                    for goal in self._goals
                ],
            ),
        ]
        for scenario, rows in groupby(self._rows, lambda row: row.scenario):
            lines += _heading(scenario.title)
            lines += [f"× is the ratio to: {scenario.baseline}.", ""]
            lines += _listing(("load", "server", "figure", "median", "minimum", "maximum", "×"), map(_cells, rows))
        if self._results.skipped:
            lines += [*_heading("Not measured"), *(f"* {why.splitlines()[0]}" for why in self._results.skipped), ""]
        if self._results.notes:
            lines += [*_heading("Notes"), *(f"* {note}" for note in self._results.notes), ""]
        return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    numbers = (_number(row.median), _number(min(row.values)), _number(max(row.values)))
    return (
        row.point,
        row.server,
        f"{row.figure.title}, {row.figure.unit}",
        *numbers,
        "" if row.ratio is None else f"{row.ratio:.2f}",
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns: texts to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    texts = [
        all(not cell[:1].isdigit() for cell in column[1:]) or index == 0
        for index, column in enumerate(zip(*rows, strict=True))
    ]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(row, widths, texts, strict=True)
        ).rstrip()
        for row in rows
    ]


def _heading(title: str) -> list[str]:
    return [title, "-" * len(title), ""]


def _listing(head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> list[str]:
    """A list-table of reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (head, *rows):
        lines += [f"   {'* -' if index == 0 else '  -'} {cell}".rstrip() for index, cell in enumerate(row)]
    return [*lines, ""]


_WIDTH: Final = 860
_LEFT: Final = 150
_LONGEST: Final = 560
_STYLE: Final = """<style>
text { font: 11px sans-serif; fill: #222; }
.title { font-weight: bold; font-size: 13px; }
.point { fill: #666; }
rect { fill: #a9b7c6; } .gossip { fill: #d9730d; }
line { stroke: #444; }
@media (prefers-color-scheme: dark) { text { fill: #ddd; } .point { fill: #999; } line { stroke: #bbb; } }
</style>"""


def _label(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y}" class="{kind}">{escape(text)}</text>'


def _bar(y: int, row: Row, most: float) -> str:
    """A bar as long as the median, with a line from the minimum to the maximum."""
    length, least, longest = (_LONGEST * value / most for value in (row.median, min(row.values), max(row.values)))
    kind = "gossip" if row.server == "gossip" else ""
    told = _number(row.median) + ("" if row.ratio is None else f"  ({row.ratio:.2f} ×)")
    return "".join(
        (
            _label(30, y, row.server),
            f'<rect x="{_LEFT}" y="{y - 9}" width="{max(length, 1):.1f}" height="10" class="{kind}"/>',
            f'<line x1="{_LEFT + least:.1f}" y1="{y - 4}" x2="{_LEFT + longest:.1f}" y2="{y - 4}"/>',
            _label(_LEFT + max(length, longest) + 6, y, told),
        )
    )
