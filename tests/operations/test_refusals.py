"""Refusals: their codes and fields."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import msgspec
from twisted.trial.unittest import SynchronousTestCase

import gossip
from gossip.operations.catalogue import ERRANDS, OPERATIONS
from gossip.operations.games import GameAdd
from gossip.operations.operation import filled_in, read
from gossip.registry.errors import Refused

FORMS = {"i3_sure", "label", "scope", "sure"}
"""Fields of forms that are no arguments of an operation."""


def made() -> Iterator[tuple[str, list[ast.expr]]]:
    """Each refusal that the program makes: where, and its arguments."""
    for path in sorted(Path(gossip.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refused" and len(node.args) == 3:
                yield f"{path.name}:{node.lineno}", node.args


class RefusedTests(SynchronousTestCase):
    """What programs go by."""

    def test_codes(self) -> None:
        """Every code is one that the documentation of refusals names."""
        documented = Refused.__doc__ or ""
        for where, (code, _, _) in made():
            if isinstance(code, ast.Constant):
                self.assertIn(f"C{{{code.value!s}}}", documented, where)

    def test_fields(self) -> None:
        """Every field is an argument of some operation, or a field of a form."""
        known = {
            field.name for kind in (*OPERATIONS.values(), *ERRANDS.values()) for field in msgspec.structs.fields(kind)
        }
        for where, (_, field, _) in made():
            if isinstance(field, ast.Constant) and field.value is not None:
                self.assertIn(field.value, known | FORMS, where)

    def test_arguments(self) -> None:
        """Arguments of a wrong type are refused with their own name, however deep the mistake lies."""
        for arguments, field in (
            ({"name": 1, "short_name": "A"}, "name"),
            (
                {"name": "A", "short_name": "A", "connections": [{"type": "telnet", "host": "a", "port": []}]},
                "connections",
            ),
            ({"name": "A"}, None),
        ):
            for refused in (
                self.assertRaises(Refused, filled_in, arguments, GameAdd),
                self.assertRaises(Refused, read, msgspec.json.encode(arguments), GameAdd),
            ):
                self.assertEqual((refused.code, refused.field), ("invalid", field), str(refused))
