"""The commands of gossipctl that are operations of an admin; here those that keep order."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Any, Final

from gossip import terminal
from gossip.terminal import Shown

Run = Callable[[argparse.Namespace], int]
"""Carries a command out, and returns the exit code."""

_MINUTES: Final = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}


class Commands:
    """The commands of one kind of thing: each is an operation of L{gossip.admin}."""

    def __init__(self, parser: argparse.ArgumentParser, common: argparse.ArgumentParser, kind: str, run: Run) -> None:
        self._commands = parser.add_subparsers(metavar="COMMAND", required=True)
        self._common = common
        self._kind = kind
        self._run = run

    def add(self, name: str, text: str, shown: Shown, *subject: str) -> argparse.ArgumentParser:
        """
        @param shown: how the result is shown to people.
        @param subject: the one argument that names what it is about, and how it is called in the help.
        """
        made: argparse.ArgumentParser = self._commands.add_parser(
            name, help=text, description=text, parents=[self._common], argument_default=argparse.SUPPRESS
        )
        made.set_defaults(run=self._run, operation=f"{self._kind}/{name}", shown=shown)
        if subject:
            made.add_argument(subject[0], metavar=subject[1])
        return made


def add_moderation(commands: Any, common: argparse.ArgumentParser, run: Run) -> None:
    """
    Mutes, bans, filters, reports, and the log of what admins did.

    @param commands: the commands of gossipctl.
    """
    for kind, text in (("mute", "who may not speak"), ("ban", "who may not be here")):
        _add_restrictions(Commands(commands.add_parser(kind, help=text), common, kind, run), kind)
    _add_filters(Commands(commands.add_parser("filter", help="what may not be said"), common, "filter", run))
    reports = Commands(commands.add_parser("report", help="complaints of messages"), common, "report", run)
    listing = reports.add("list", "list the complaints that nobody has seen to", terminal.reports)
    listing.add_argument("--all", action="store_true", help="the latest of all, resolved ones too")
    _add_limit(listing)
    resolve = reports.add("resolve", "say that somebody has seen to a complaint", terminal.report)
    resolve.add_argument("number", metavar="NUMBER", type=int)
    resolve.add_argument("resolution", metavar="TEXT", nargs="?", help="what came of it")
    text = "what admins did, the latest first"
    audit: argparse.ArgumentParser = commands.add_parser(
        "audit", help=text, description=text, parents=[common], argument_default=argparse.SUPPRESS
    )
    audit.set_defaults(run=run, operation="audit/list", shown=terminal.audit)
    _add_limit(audit)


def _add_restrictions(commands: Commands, kind: str) -> None:
    listed: dict[str, Shown] = {"mute": terminal.mutes, "ban": terminal.bans}
    what = {"mute": "let somebody not speak", "ban": "let somebody not be here"}[kind]
    add = commands.add("add", what, terminal.restriction)
    _add_who(add)
    add.add_argument("reason", metavar="REASON", help="is shown to who is meant")
    _add_channel(add)
    text = "for how long: 30m, 12h, 7d, 4w (default: for good)"
    add.add_argument("--for", metavar="TIME", dest="minutes", type=_minutes, help=text)
    commands.add("list", f"list all {kind}s", listed[kind])
    remove = commands.add("remove", f"end a {kind}", terminal.restriction)
    _add_who(remove)
    _add_channel(remove)


def _add_filters(commands: Commands) -> None:
    add = commands.add("add", "let something not be said", terminal.filter_, "text", "TEXT")
    add.add_argument("reason", metavar="REASON", help="is shown to who says it")
    _add_channel(add)
    _add_substring(add)
    text = "put asterisks in its place, instead of refusing the message"
    add.add_argument("--mask", dest="action", action="store_const", const="mask", help=text)
    commands.add("list", "list all filters", terminal.filters)
    _add_channel(commands.add("remove", "let something be said again", terminal.filter_, "text", "TEXT"))
    trial = commands.add("try", "show what a filter would have hit in the last week", terminal.tried, "text", "TEXT")
    _add_channel(trial)
    _add_substring(trial)


def _add_who(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("who", metavar="WHO", help="a game, PLAYER@GAME, or an address")


def _add_channel(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--channel", metavar="CHANNEL", help="only there (default: everywhere)")


def _add_substring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--substring", action="store_true", help="within words too")


def _add_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", metavar="NUMBER", type=int, help="so many at the most")


def _minutes(text: str) -> float:
    match = re.fullmatch(r"([0-9]{1,6})([mhdw])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not like 30m, 12h, 7d or 4w")
    return int(match[1]) * _MINUTES[match[2]]
