"""C{python -m benchmarks}: measures, and writes the results."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import machine, report
from benchmarks.machine import CannotMeasure
from benchmarks.muds import GossipBesideMuds
from benchmarks.nodes import KINDS
from benchmarks.points import FULL, QUICK, TINY, Scenario
from benchmarks.run import run
from benchmarks.scenarios import scenarios
from benchmarks.servers import SERVERS, Before, Gossip, Server

EVERY: tuple[type[Server], ...] = (*SERVERS, GossipBesideMuds, *KINDS, Before)
SIZES = {"full": FULL, "quick": QUICK, "tiny": TINY}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    names = list(dict.fromkeys(name for scenario in scenarios(TINY) for name in (_family(scenario), scenario.name)))
    options = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the daemon beside what C could do and what else there is. Takes most of an hour in full; "
        "the machine should have nothing else to do, and at least two cores.",
    )
    options.add_argument(
        "--quick", action="store_const", const="quick", dest="size", default="full", help="smaller, in some minutes"
    )
    options.add_argument("--size", choices=SIZES, default="full", help="how much of everything (full)")
    options.add_argument("--only", metavar="NAME", action="append", choices=names, help=f"one of: {', '.join(names)}")
    options.add_argument(
        "--server", metavar="NAME", action="append", choices=[one.name for one in EVERY], help="measure only this one"
    )
    options.add_argument("--rounds", type=int, default=5, help="of which the medians are told (5)")
    options.add_argument("--output", type=Path, metavar="DIR", help="where to write results.txt, .csv, .json and .svg")
    options.add_argument("--write", action="store_true", help="write the results into docs/, as they are published")
    options.add_argument(
        "--before", type=Path, metavar="TREE", help="measure the daemon of another checkout as well, in turn"
    )
    options.add_argument("--complete", action="store_true", help="fail if anything could not be measured")
    options.add_argument("--list", action="store_true", help="say what would be measured, and exit")
    return options


def _family(scenario: Scenario) -> str:
    """Scenarios that show several sides of one thing have a first word in common."""
    return scenario.name.partition("-")[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return the exit status."""
    options = parser().parse_args(arguments)
    sizes = SIZES[options.size]
    try:
        chosen = [one for one in scenarios(sizes) if not options.only or {one.name, _family(one)} & set(options.only)]
        if options.before is not None:
            Before.tree = options.before.resolve()
            chosen = [replace(one, servers=(Before, *one.servers)) if Gossip in one.servers else one for one in chosen]
        if options.list:
            for scenario in chosen:
                print(f"{scenario.name:12} {scenario.title}")
            return 0
        if not machine.PINNED:
            print("Only one core: server and load are in each other's way.", file=sys.stderr)
        results = run(chosen, sizes, options.rounds, options.server or ())
    except CannotMeasure as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    made = report.Report(machine.description(), options.size, options.rounds, chosen, results)
    print(made.text())
    if options.output is not None:
        made.save(options.output)
    if options.write:
        made.publish(machine.ROOT / "docs")
    if options.complete:
        servers = options.server or [one.name for one in EVERY if one.missing() is None and one is not Before]
        for missing in (found := results.missing(chosen, servers)):
            print(f"benchmarks: {missing}", file=sys.stderr)
        return 1 if found else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
