"""L{gossip.cli.commands}: the command line of an operation is made from its struct."""

from __future__ import annotations

import argparse
import contextlib
import io
from typing import Annotated, Any, Literal

from msgspec import UNSET, UnsetType
from twisted.trial.unittest import SynchronousTestCase

from gossip.cli.commands import add_commands, given
from gossip.cli.parser import Parser
from gossip.operations import catalogue
from gossip.operations.command import Argument, Command


class Paint(Command, frozen=True):
    """
    Paint a wall. It dries soon.

    @ivar wall: which one.
    @ivar coats: how many.
    @ivar name: what to call the colour.
    @ivar wet_paint_sign: put up a sign.
    @ivar mixed: mix the colour first.
    @ivar finish: what it looks like.
    @ivar helpers: people who help.
    @ivar note: what to remember.
    """

    wire = "wall/paint"

    wall: str
    name: Annotated[str, Argument("COLOUR", "--colour")]
    coats: Annotated[int, Argument(positional=True)] = 2
    wet_paint_sign: bool = False
    mixed: bool | UnsetType = UNSET
    finish: Annotated[Literal["matt", "gloss"], Argument(option="--gloss", value="gloss")] = "matt"
    helpers: Annotated[tuple[str, ...], Argument(option="--with", read=str.title)] = ()
    note: str | None = None


class Dry(Command, frozen=True):
    """
    Let walls dry.

    @ivar walls: which ones.
    """

    wire = "dry"

    walls: Annotated[tuple[str, ...], Argument("WALL"), Argument(option="--all", value=None)] | None


class Remember(Command, frozen=True):
    """
    Remember something.

    @ivar text: what.
    """

    wire = "memory/add"
    typed = "remember"

    text: Annotated[str, Argument(words=True)]


class Hidden(Command, frozen=True):
    """Do what nobody can type."""

    wire = "hidden"
    typed = None


class CommandsTests(SynchronousTestCase):
    """Command lines of commands that nothing but their structs describe."""

    def setUp(self) -> None:
        self.patch(catalogue, "COMMANDS", {each.wire: each for each in (Paint, Dry, Remember, Hidden)})
        self.patch(catalogue, "KINDS", {"wall": "walls of the house"})
        self.parser = Parser()
        common = Parser(add_help=False)
        add_commands(self.parser.add_subparsers(required=True), common, lambda arguments: 7)

    def parse(self, line: str) -> argparse.Namespace:
        return self.parser.parse_args(line.split())

    def wrong(self, line: str) -> str:
        """The complaint about a command line."""
        with contextlib.redirect_stderr(io.StringIO()) as complaint, self.assertRaises(SystemExit):
            self.parse(line)
        return complaint.getvalue()

    def help(self, line: str) -> str:
        """The help of a command, without line breaks."""
        with contextlib.redirect_stdout(io.StringIO()) as text, self.assertRaises(SystemExit):
            self.parse(f"{line} --help")
        return " ".join(text.getvalue().split())

    def test_arguments(self) -> None:
        """A required field is positional, any other an option; only what was typed is an argument of the command."""
        everything = "wall paint north 3 --colour red --wet-paint-sign --no-mixed --gloss --with bo --with cy --note x"
        expected: tuple[tuple[str, dict[str, Any]], ...] = (
            ("wall paint north --colour red", {"wall": "north", "coats": 2, "name": "red"}),
            (
                everything,
                {
                    "wall": "north",
                    "coats": 3,
                    "name": "red",
                    "wet_paint_sign": True,
                    "mixed": False,
                    "finish": "gloss",
                    "helpers": ["Bo", "Cy"],
                    "note": "x",
                },
            ),
            ("dry north south", {"walls": ["north", "south"]}),
            ("dry --all", {"walls": None}),
            ("remember to eat", {"text": "to eat"}),
        )
        for line, arguments in expected:
            self.assertEqual(given(self.parse(line)), arguments, line)

    def test_command(self) -> None:
        """What was parsed knows its command, its view and how it is carried out."""
        parsed = self.parse("remember x")
        self.assertEqual((parsed.command, parsed.view, parsed.run(parsed)), (Remember, Remember.view, 7))

    def test_wrong(self) -> None:
        """Values of the wrong type, missing ones and contradictions are refused; some commands cannot be typed."""
        self.assertIn("invalid int value: 'x'", self.wrong("wall paint north x --colour red"))
        self.assertIn("required: --colour", self.wrong("wall paint north"))
        self.assertIn("required", self.wrong("dry"))
        self.assertIn("not allowed with", self.wrong("dry north --all"))
        self.assertIn("invalid choice: 'hidden'", self.wrong("hidden"))
        self.assertIn("invalid choice: 'memory'", self.wrong("memory add x"))

    def test_help(self) -> None:
        """Help is what the docstrings say."""
        self.assertIn("wall walls of the house", self.help(""))
        self.assertIn("paint paint a wall ", self.help("wall"))
        shown = self.help("wall paint")
        for text in ("Paint a wall. It dries soon.", "COATS how many (default: 2)", "--note NOTE what to remember"):
            self.assertIn(text, shown)
