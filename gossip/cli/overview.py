"""What C{gossipctl} alone shows: where to begin, and the commands in groups."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, Final

from gossip.cli.parser import Parser

FIRST_STEPS: Final = (
    ("gossipctl status", "see how the daemon is, and where it listens"),
    ("gossipctl game add 'My MUD' --short MyMUD", "register a game, and get its credentials"),
    ("gossipctl account add NAME --admin", "create an admin of the web pages"),
    ("gossipctl help game add", "see what a command does, and its options"),
)
"""Commands to begin with, with what each is for."""

GROUPS: Final = {
    "Games, channels and people": ("game", "channel", "account", "agent"),
    "Moderation": ("mute", "ban", "filter", "report", "message"),
    "What happens": ("status", "sessions", "tail", "search", "audit"),
    "The daemon": ("check", "backup", "copy-to", "restart-notice", "say", "node", "i3"),
    "For you": ("talk", "help", "completion"),
}
"""The first words of commands, in groups. Others are shown below the groups."""

ABOUT: Final = """\
gossipctl administers the daemon whose data directory is ./gossip-data, or the one that --data, --config or --socket
names. If the daemon runs, changes take effect at once."""


class Overview(Parser):
    """The parser of gossipctl itself."""

    def format_help(self) -> str:
        sections = [self.format_usage().rstrip(), ABOUT, _section("First steps", dict(FIRST_STEPS)), *self._groups()]
        options = {_typed(each): each.help or "" for each in self._actions if each.option_strings}
        return "\n\n".join([*sections, _section("Options", options)]) + "\n"

    def _groups(self) -> Iterator[str]:
        # argparse keeps the help of commands to itself.
        below: Any = next(action for action in self.filled()._actions if isinstance(action.choices, dict))
        left: dict[str, str] = {choice.dest: choice.help or "" for choice in below._get_subactions()}
        for group, words in GROUPS.items():
            yield _section(group, {word: left.pop(word) for word in words if word in left})
        if left:
            yield _section("Others", left)


def _typed(action: argparse.Action) -> str:
    return " ".join(filter(None, (", ".join(action.option_strings), str(action.metavar or ""))))


def _section(title: str, lines: dict[str, str]) -> str:
    width = max(map(len, lines))
    return "\n".join([f"{title}:", *(f"  {name.ljust(width)}  {text}" for name, text in lines.items())])
