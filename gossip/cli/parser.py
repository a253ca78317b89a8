"""The parser of gossipctl's command line: it reads no more than what is typed needs, and says what may be meant."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gossip.cli import terminal


class Parser(argparse.ArgumentParser):
    """
    A parser for one word of the command line and everything after it.

    @ivar fill: adds the commands of this parser. It runs when the parser is used, since most commands take less time
        than making the parsers of all others.
    """

    fill: Callable[[], None] | None = None

    def filled(self) -> Parser:
        """This parser, with its commands."""
        fill, self.fill = self.fill, None
        if fill is not None:
            fill()
        return self

    @property
    def below(self) -> dict[str, Parser]:
        """The parsers of the commands of this one, by their words; empty if it has none."""
        return next((action.choices for action in self.filled()._actions if isinstance(action.choices, dict)), {})

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        self.filled()
        args = sys.argv[1:] if args is None else args
        if not args and self.below:
            # The whole help is more useful here than the complaint that a command is missing.
            self.print_help(sys.stderr)
            self.exit(2)
        return super().parse_known_args(args, namespace)

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            # The usage that helps is the one of the command, not that of gossipctl.
            used: Parser = getattr(parsed, "parser", self)
            used.error(f"unrecognized arguments: {' '.join(unknown)}{did_you_mean(unknown[0], used.options())}")
        return parsed

    def options(self) -> list[str]:
        """The options of this parser, as they are typed."""
        return list(self._option_string_actions)

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse would keep quiet about help that cannot be written.
        (terminal.show if file is sys.stdout else terminal.complain)(message.rstrip("\n"))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        choices = action.choices or ()
        if choices and value not in choices and (meant := did_you_mean(str(value), choices)):
            raise argparse.ArgumentError(action, f"invalid choice: {value!r}{meant}")
        super()._check_value(action, value)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """What may have been meant by a word, as the end of a complaint; empty if nothing is like it."""
    alike = difflib.get_close_matches(word, known, n=1)
    return f", did you mean {alike[0]!r}?" if alike else ""
