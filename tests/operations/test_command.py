"""L{gossip.operations.command} and the catalogue: what commands declare of themselves."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.catalogue import COMMANDS, KINDS, OPERATIONS
from gossip.operations.command import Command, about, about_arguments, explained


class Restrict(Command, frozen=True):
    """
    Restrict somebody.

    @ivar who: a game,
        or an C{address}.
    @ivar reason: why.
    """

    who: str
    reason: str


class Greet(Restrict, frozen=True):
    """
    Greet. It is polite.

    @ivar reason: why
        now.
    """

    wire = "greet"

    loudly: bool = False


class DocumentationTests(SynchronousTestCase):
    """The documentation of commands."""

    def test_done(self) -> None:
        """A command that changes something and shows no secret, link or list says what was done."""
        quiet = {"list", "reset", "invite", "rotate", "key", "i3", "try"}
        others = {"account/add", "account/show", "game/add", "game/show", "audit/list", "channel/info"}
        others |= {"message/search", "message/show", "message/purge"}
        for wire, command in OPERATIONS.items():
            if command.typed is not None and wire.partition("/")[2] not in quiet and wire not in others:
                self.assertTrue(command.done, wire)
        for wire in ("game/remove", "channel/remove", "account/remove"):
            fields = OPERATIONS[wire].__struct_fields__
            self.assertIn(" x", OPERATIONS[wire].question.format_map(dict.fromkeys(fields, "x")), wire)

    def test_explained(self) -> None:
        """A docstring is read into a description and one text for each field, without markup and line breaks."""
        text = "One L{thing},\n    and\n\n    another.\n\n    @ivar a: C{x}\n        y.\n    @ivar b: z: w.\n    "
        self.assertEqual(explained(text), ("One thing, and another.", {"a": "x y.", "b": "z: w."}))

    def test_inherited(self) -> None:
        """A command inherits what its base class says of arguments, and can say it better."""
        self.assertEqual(about(Greet), "Greet. It is polite.")
        self.assertEqual(about_arguments(Greet), {"who": "a game, or an address.", "reason": "why now."})

    def test_all_are_documented(self) -> None:
        """Every command and every argument in the catalogue is documented, in whole sentences or phrases."""
        for command in COMMANDS.values():
            self.assertRegex(about(command), r"^[A-Z].*\.$", command.wire)
            texts = about_arguments(command)
            self.assertEqual(list(texts), list(command.__struct_fields__), command.wire)
            for text in texts.values():
                self.assertRegex(text, r"^[^A-Z].*[^.]\.$", command.wire)

    def test_kinds(self) -> None:
        """Every first word of a command of two words is explained, and no other."""
        self.assertEqual(
            set(KINDS), {kind for kind, _, rest in (wire.partition("/") for wire in COMMANDS) if rest} - {"audit"}
        )
