"""The commands of gossipctl that are operations of an admin."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Any, Final

from gossip.cli import terminal
from gossip.cli.terminal import Shown
from gossip.operations import channels

Run = Callable[[argparse.Namespace], int]
"""Carries a command out, and returns the exit code."""

_MINUTES: Final = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}


class Commands:
    """The commands of one kind of thing: each is an operation of L{gossip.operations.games}."""

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


def add_operations(commands: Any, common: argparse.ArgumentParser, run: Run) -> None:
    """
    Add them all.

    @param commands: the commands of gossipctl.
    """
    for kind, text, add in _KINDS:
        add(Commands(commands.add_parser(kind, help=text), common, kind, run))
    _add_moderation(commands, common, run)


def _add_games(commands: Commands) -> None:
    game = ("game", "GAME")
    add = commands.add("add", "register a game, and show its secret", terminal.credentials, "name", "NAME")
    add.add_argument("--short", metavar="SHORT", dest="short_name", required=True, help="how other games see it")
    add.add_argument("--hidden", action="store_true", help="do not show it to other games")
    add.add_argument("--hide-players", action="store_true", help="do not show its players to other games")
    _add_owner(add)
    _add_shell(add)
    _add_texts(add)
    commands.add("list", "list all games", terminal.games)
    commands.add("show", "show a game", terminal.game, *game)
    rotate = commands.add(
        "rotate", "give a game a new secret; the old one works for 24 hours", terminal.credentials, *game
    )
    _add_shell(rotate)
    commands.add("disable", "let a game no longer join", terminal.game, *game)
    commands.add("enable", "let a game join again", terminal.game, *game)
    commands.add("remove", "forget a game and its achievements", terminal.game, *game)
    edit = commands.add("edit", "change what is known of a game; an empty text is none", terminal.game, *game)
    edit.add_argument("--name", metavar="NAME")
    edit.add_argument("--hidden", action=argparse.BooleanOptionalAction)
    edit.add_argument("--hide-players", action=argparse.BooleanOptionalAction)
    _add_owner(edit)
    edit.add_argument("--no-connections", action="store_const", dest="connections", const=[])
    _add_texts(edit)


def _add_owner(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--owner", metavar="NAME", help="whose it is: the name of an account")


def _add_shell(parser: argparse.ArgumentParser) -> None:
    text = "print the credentials as a command that puts them into a shell's environment"
    parser.add_argument("--shell", action="store_const", dest="shown", const=terminal.exports, help=text)


def _add_texts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tagline", metavar="TEXT")
    parser.add_argument("--description", metavar="TEXT")
    parser.add_argument("--homepage", metavar="URL", dest="homepage_url")
    ways = {"--telnet": _telnet("telnet"), "--secure-telnet": _telnet("secure telnet"), "--web": _web}
    for option, way in ways.items():
        metavar = "URL" if way is _web else "HOST:PORT"
        text = "where people play it; may be repeated"
        parser.add_argument(option, metavar=metavar, dest="connections", action="append", type=way, help=text)


def _telnet(kind: str) -> Any:
    def read(text: str) -> dict[str, Any]:
        host, _, port = text.rpartition(":")
        if not host or not port.isascii() or not port.isdigit():
            raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
        return {"type": kind, "host": host.removeprefix("[").removesuffix("]"), "port": int(port)}

    return read


def _web(text: str) -> dict[str, Any]:
    return {"type": "web", "url": text}


def _add_channels(commands: Commands) -> None:
    channel = ("channel", "CHANNEL")
    commands.add("list", "list all channels", terminal.channels)
    create = commands.add("create", "make a channel that people see", terminal.channel, *channel)
    create.add_argument("--description", metavar="TEXT")
    commands.add("show", "let people see a channel", terminal.channel, *channel)
    commands.add("hide", "let people no longer see a channel", terminal.channel, *channel)
    pause = commands.add("pause", "let nobody speak on a channel for a while", terminal.channel, *channel)
    pause.add_argument(
        "minutes", metavar="MINUTES", nargs="?", type=float, default=channels.PAUSE, help="default: %(default)s"
    )
    commands.add("resume", "end the pause of a channel", terminal.channel, *channel)
    describe = commands.add("describe", "say what a channel is for", terminal.channel, *channel)
    describe.add_argument("description", metavar="TEXT")
    speakers = commands.add(
        "speakers",
        "say which games may speak on a channel; gossip is who talks on the pages",
        terminal.channel,
        *channel,
    )
    which = speakers.add_mutually_exclusive_group(required=True)
    which.add_argument("games", metavar="GAME", nargs="*", default=[], help="these")
    which.add_argument("--all", dest="games", action="store_const", const=None, help="all")
    which.add_argument("--none", dest="games", action="store_const", const=[], help="none but the network itself")


def _add_agents(commands: Commands) -> None:
    commands.add("list", "list all code bases", terminal.agents)
    setting = commands.add("set", "say where the home of a code base is", terminal.agent, "agent", "NAME")
    setting.add_argument("--url", metavar="URL", help="its web page")
    setting.add_argument("--repo-url", metavar="URL", help="its source")


def _add_accounts(commands: Commands) -> None:
    account = ("name", "NAME")
    text = "make an account, and show the link by which its owner sets a password"
    add = commands.add("add", text, terminal.account_link, *account)
    add.add_argument("--admin", action="store_true", help="it may do everything")
    _add_email(add)
    commands.add("list", "list all accounts", terminal.accounts)
    commands.add("show", "show an account", terminal.account, *account)
    edit = commands.add("edit", "change an account", terminal.account, *account)
    edit.add_argument("--admin", action=argparse.BooleanOptionalAction, help="whether it may do everything")
    edit.add_argument("--disabled", action=argparse.BooleanOptionalAction, help="whether it may not sign in")
    _add_email(edit)
    text = "show a link by which the owner of an account can set a new password"
    commands.add("reset", text, terminal.account_link, *account)
    commands.add("invite", "show a link by which one person can sign up", terminal.account_link)
    commands.add("remove", "forget an account; its games stay, and belong to nobody", terminal.account, *account)


def _add_email(parser: argparse.ArgumentParser) -> None:
    text = "where mail for its owner goes; an empty text is nowhere"
    parser.add_argument("--email", metavar="ADDRESS", help=text)


_KINDS: Final[tuple[tuple[str, str, Callable[[Commands], None]], ...]] = (
    ("game", "the games of the network", _add_games),
    ("channel", "the channels of the network", _add_channels),
    ("agent", "the code bases of games", _add_agents),
    ("account", "who can sign in on the pages", _add_accounts),
)


def _add_moderation(commands: Any, common: argparse.ArgumentParser, run: Run) -> None:
    """Mutes, bans, filters, reports, and the log of what admins did."""
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
