"""The package, as it is installed and as it is checked out."""

from __future__ import annotations

import ast
import configparser
import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

ROOT = Path(__file__).resolve().parents[2]

FIND = """
import json, os, sys
root = os.path.realpath(".")
sys.path[:] = ["", *(entry for entry in sys.path if entry and os.path.realpath(entry) != root)]
from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
print(json.dumps([plugin.module for plugin in getPlugins(IServiceMaker) if plugin.tapname == "gossip"]))
"""
"""A bare checkout: an installation, if there is one, is hidden."""

BUILD = """
import json
from setuptools import Distribution
distribution = Distribution({"script_name": "setup.py"})
distribution.parse_config_files()
build = distribution.get_command_obj("build_py")
build.ensure_finalized()
print(json.dumps(list(build.get_output_mapping().values())))
"""
"""What setuptools would put into a wheel."""


def answer(program: str) -> Any:
    """What a program prints, run in the checkout by this Python."""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(run.stdout)


class Plugin(SynchronousTestCase):
    """twistd gossip."""

    def test_bare_checkout(self) -> None:
        """From a bare checkout twistd finds the plugin, and it once."""
        self.assertEqual(answer(FIND), ["gossip.tap"])

    def test_no_package(self) -> None:
        """Nothing makes packages of twisted/ and twisted/plugins/: they would hide the real ones."""
        self.assertEqual([path.name for path in (ROOT / "twisted").rglob("*.py")], ["gossip_dropin.py"])


class Wheel(SynchronousTestCase):
    """setup.cfg."""

    def test_complete(self) -> None:
        """Every file of the package is installed: modules of each package, migrations, py.typed, and the plugin."""
        if find_spec("setuptools") is None:
            raise SkipTest("needs setuptools")
        files = [path for path in (ROOT / "gossip").rglob("*") if path.is_file() and path.suffix != ".pyc"]
        expected = sorted(str(path.relative_to(ROOT)) for path in files)
        self.assertIn("gossip/py.typed", expected)
        built = sorted(str(Path(path)) for path in answer(BUILD))
        self.assertEqual(built, [*expected, "twisted/plugins/gossip_dropin.py"])

    def test_documents(self) -> None:
        """The manuals go with the package, which makes pages of them; there they lead to where they are written."""
        written = {path.name for path in (ROOT / "docs").glob("*.rst")} - {"index.rst"}
        shipped = ROOT / "gossip" / "web" / "docs"
        self.assertLessEqual({path.name for path in shipped.iterdir()}, written)
        self.assertLessEqual({"operator.rst", "protocol.rst"}, {path.name for path in shipped.iterdir()})
        for path in shipped.iterdir():
            self.assertEqual(path.resolve(), ROOT / "docs" / path.name)

    def test_dependencies(self) -> None:
        """Whatever the package imports is required by name, not by the luck that another dependency brings it."""
        setup = configparser.ConfigParser()
        setup.read(ROOT / "setup.cfg")
        lines = setup["options"]["install_requires"] + setup["options.extras_require"]["postgres"]
        required = {normal(line) for line in lines.split()}
        distributions = packages_distributions()
        missing = {
            name
            for path in (ROOT / "gossip").rglob("*.py")
            for name in imported(path)
            if required.isdisjoint(map(normal, distributions.get(name, [name])))
        }
        self.assertEqual(missing, set())


def normal(requirement: str) -> str:
    """The name in a requirement, as PyPI compares names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=;~ ]", requirement)[0]).lower()


def imported(path: Path) -> set[str]:
    """The packages of others that a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.partition(".")[0] for name in names} - {"gossip"} - sys.stdlib_module_names
