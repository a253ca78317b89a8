"""The table of errors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from twisted.trial.unittest import SynchronousTestCase

import gossip
from gossip.protocol.errors import KINDS, TABLE, Denied, Error

CODECS = ("Flooded",)
"""What else takes the code of an error: the telnet codec hands it on to the connection."""

LABELS = {
    "Could not subscribe",
    "Name cannot be empty",
    "an error occurred, try again",
    "banned",
    "channel is paused",
    "disconnected due to rate limit abuse",
    "empty message",
    "game offline",
    "includes unknown supports",
    "invalid credentials",
    "invalid payload",
    "limit must be 1 to 100",
    "message refused",
    "message too long",
    "missing support for",
    "missing supports",
    "must support channels",
    "muted",
    "name too long",
    "no such message",
    "not allowed to speak",
    "not subscribed",
    "not supported",
    "not yours",
    "rate limit exceeded",
    "rate limit exceeded, goodbye",
    "reason must be 1 to 200 characters",
    "receiving player offline",
    "reported already",
    "sending player offline",
    "this name belongs to the network",
    "too late",
    "too many channels",
    "too many open reports",
    "too many sessions",
    "unauthenticated",
    "unknown game",
    "unknown number",
    "unknown",
}


def made() -> Iterator[tuple[str, str, set[str | None]]]:
    """Each error that the program makes by its code: where, the code, and the names of the values."""
    for path in sorted(Path(gossip.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("Denied", "Error.of", *CODECS)):
                # Both of "x" if y else "z" are codes.
                codes = [each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)]
                for code in codes:
                    yield f"{path.name}:{node.lineno}", str(code), {keyword.arg for keyword in node.keywords}


class TableTests(SynchronousTestCase):
    """Codes, texts, numbers and metrics."""

    def test_codes(self) -> None:
        """A code stands for one kind, and is made of small letters, digits and hyphens."""
        self.assertEqual(len(KINDS), len(TABLE))
        for kind in TABLE:
            self.assertRegex(kind.code, r"\A[a-z0-9]+(-[a-z0-9]+)*\Z")
            self.assertIs(KINDS[kind.code], kind)

    def test_complete(self) -> None:
        """Every error that the program makes is in the table, gets a value for each name in its text and no other."""
        for where, code, values in made():
            self.assertIn(code, KINDS, where)
            names = {name for _, name, _, _ in Formatter().parse(KINDS[code].text) if name is not None}
            if None in values:  # **values_of(a restriction)
                values = {"until", "reason"}
            self.assertEqual(values, names, where)

    def test_used(self) -> None:
        """Every kind in the table is made somewhere."""
        by_restrictions = {"muted", "banned"}
        self.assertEqual({code for _, code, _ in made()} | by_restrictions, set(KINDS))

    def test_metrics(self) -> None:
        """The labels of the metric are those that dashboards and alerts know; a new kind may add one."""
        self.assertEqual({kind.metric for kind in TABLE if kind.metric}, LABELS)


class ErrorTests(SynchronousTestCase):
    """Errors of those kinds."""

    def test_values(self) -> None:
        """Values stand in the text as they are, whatever is in them."""
        error = Error.of("bad-channel", channel='{x} {0} %s "')
        self.assertEqual(error.text, 'Could not subscribe to "{x} {0} %s ""')
        self.assertIs(error.kind, KINDS["bad-channel"])

    def test_missing(self) -> None:
        """An error of no known kind, or without one of its values, cannot be made."""
        self.assertRaises(KeyError, Error.of, "made-up")
        self.assertRaises(KeyError, Error.of, "bad-channel")

    def test_denied(self) -> None:
        """A denied request carries the error that answers it, and says the same."""
        denied = Denied("message-refused", reason="mind your language")
        self.assertEqual(denied.error, Error("message-refused", "message refused: mind your language"))
        self.assertEqual(str(denied), denied.error.text)
