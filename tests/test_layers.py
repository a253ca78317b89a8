"""Which module may import which: dependencies point one way."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

import gossip

ROOT = Path(gossip.__file__).parent
TESTS = Path(__file__).parent

IMPURE = {
    "asyncio",
    "importlib",
    "multiprocessing",
    "os",
    "random",
    "secrets",
    "selectors",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "uuid",
}
"""Of the standard library: I/O, clocks and chance."""


def modules(*parts: str) -> Iterator[tuple[str, ast.Module]]:
    """The modules below a part of the package, each with its name and its source."""
    path = ROOT.joinpath(*parts)
    for file in sorted(path.rglob("*.py")) if path.is_dir() else filter(Path.exists, [path]):
        name = ".".join(["gossip", *file.relative_to(ROOT).with_suffix("").parts])
        yield name, ast.parse(file.read_text("utf-8"))


def imported(module: ast.Module) -> set[str]:
    """Everything that a module imports, wherever it does so, by its whole name."""
    names: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level and node.module, "imports name the whole module"
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


DATA = {("gossip.protocol.skeleton", "importlib")}
"""Modules that may read data of Unicode from a package, once and as the first thing."""


class WingTests(SynchronousTestCase):
    """The wings: the packages of gossip, and those of its transports."""

    def test_contract(self) -> None:
        """Imports run down the floors that setup.cfg lists, and never in a circle."""
        if find_spec("importlinter") is None:
            raise SkipTest("needs import-linter")
        program = (
            "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports('setup.cfg', no_logo=True))"
        )
        run = subprocess.run(
            [sys.executable, "-c", program], check=False, cwd=ROOT.parent, capture_output=True, text=True, timeout=60
        )
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_docstrings(self) -> None:
        """Each wing says what it is, what it may import, and where to begin reading; what it names exists."""
        wings = [path.parent for path in ROOT.glob("*/__init__.py")]
        wings += [path.parent for path in ROOT.glob("transports/*/__init__.py")]
        self.assertGreater(len(wings), 10)
        for wing in wings:
            text = ast.get_docstring(ast.parse((wing / "__init__.py").read_text("utf-8"))) or ""
            self.assertRegex(text, r"(?s)^\S.*\nImports .*\nBegin with ", wing.name)
            for name in re.findall(r"L\{([\w.]+)\}", text):
                path = ROOT.parent.joinpath(*name.split("."))
                self.assertTrue(path.is_dir() or path.with_suffix(".py").is_file(), f"{wing.name}: {name}")


class LayerTests(SynchronousTestCase):
    """The order of the layers: tap, then web, transports, store and service, then network."""

    def importers(self, *packages: str, below: str = "") -> list[str]:
        """The modules that import one of the packages."""
        return [
            name
            for name, module in modules(*filter(None, below.split("/")))
            if any(within(each, *packages) for each in imported(module))
        ]

    def test_network(self) -> None:
        """The network and what lies below it import the standard library and msgspec: no clock, no I/O, no chance."""
        found = 0
        floors = ("protocol", "registry", "network")
        for name, module in (each for floor in floors for each in modules(floor)):
            found += 1
            for each in imported(module):
                top = each.partition(".")[0]
                pure = top in sys.stdlib_module_names and (top not in IMPURE or (name, top) in DATA)
                self.assertTrue(
                    pure or top == "msgspec" or within(each, *(f"gossip.{floor}" for floor in floors)),
                    f"{name} imports {each}",
                )
            called = {node.attr for node in ast.walk(module) if isinstance(node, ast.Attribute)}
            self.assertFalse(called & {"now", "utcnow", "today", "open"}, name)
        self.assertGreater(found, 10)

    def test_transports(self) -> None:
        """Transports know neither store nor web, nor each other's listeners."""
        self.assertEqual(self.importers("gossip.store", "gossip.web", "gossip.tap", below="transports"), [])
        for one, other in (("websocket", "telnet"), ("telnet", "websocket")):
            self.assertEqual(self.importers(f"gossip.transports.{one}", below=f"transports/{other}"), [])

    def test_store_and_web(self) -> None:
        """The store knows no transports and no pages, and pages know no transports."""
        self.assertEqual(self.importers("gossip.transports", "gossip.web", "gossip.tap", below="store"), [])
        self.assertEqual(self.importers("gossip.transports", "gossip.tap", below="web"), [])

    def test_autobahn(self) -> None:
        """Autobahn is known in two modules: at either end of a websocket."""
        allowed = ["gossip.client.websocket", "gossip.transports.websocket.server"]
        self.assertEqual([name for name in self.importers("autobahn", "txaio") if name not in allowed], [])

    def test_clock(self) -> None:
        """The time is asked for where both clocks are, and where there is no reactor; nobody reads it by itself."""
        without_reactor = ["gossip.checks", "gossip.cli.backup", "gossip.cli.daemon"]
        in_threads = [f"gossip.store.{name}" for name in ("forgetting", "searching", "word_index", "writer")]
        allowed = [*without_reactor, "gossip.service.clock", *in_threads]
        self.assertEqual(sorted(self.importers("time")), allowed)

    def test_global_reactor(self) -> None:
        """The global reactor is named where all is put together, and nowhere else."""
        allowed = ["gossip.tap"]
        self.assertEqual([name for name in self.importers("twisted.internet.reactor") if name not in allowed], [])

    def test_shared_by_tests(self) -> None:
        """Tests import nothing from each other: what they share is in C{tests/support}."""
        found = 0
        for file in TESTS.rglob("*.py"):
            found += 1
            for name in imported(ast.parse(file.read_text("utf-8"))):
                shared = not any(part.startswith("test_") for part in name.split("."))
                self.assertTrue(shared or not within(name, "tests"), f"{file} imports {name}")
        self.assertGreater(found, 50)
