"""What a person sees in a terminal. Nothing that came from outside can command the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from gossip.operations.command import Block, Result, Table
from gossip.operations.texts import message_line, minute

_JOINERS: Final = "\u200c\u200d"
"""They are not printable, but emoji, Persian and Hindi need them."""


def printable(text: str) -> str:
    """Put a text on one line, without what a terminal takes for a command and without what reverses its lines."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _JOINERS else " " if char.isspace() else "" for char in text)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out rows in columns, each as wide as its longest cell."""
    cells = [tuple(head), *(tuple(printable(str(cell)) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)


def listing(values: Mapping[str, object]) -> str:
    """Lay out names and values, one pair a line."""
    width = max(map(len, values))
    return "\n".join(f"{name.ljust(width)}  {printable(str(value))}" for name, value in values.items())


def written(blocks: Sequence[Block]) -> str:
    """Write what a view of a command shows."""
    return "\n".join(map(_block, blocks))


def _block(block: Block) -> str:
    match block:
        case str():
            return printable(block)
        case Table(head, rows, empty):
            return table(head, rows) if rows else empty
    return listing({name: value for name, value in block.items() if value not in (None, "")})


# Where it goes.


def show(text: str) -> None:
    """
    Print a result.

    @raise OSError: nobody can read it.
    """
    print(text, flush=True)


def complain(text: str) -> None:
    """Print why something failed. If that cannot be printed either, the exit code has to do."""
    if sys.stderr is not None:
        with suppress(OSError):
            print(text, file=sys.stderr, flush=True)


def discard() -> None:
    """Let go of what could not be printed: Python would try again at its end, and complain."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


# What gossipctl asks a daemon for.


def status(result: Result) -> Sequence[Block]:
    """How the daemon is."""
    rows = [(", ".join(each["names"]), each["ends"]) for each in result.get("certificates", ())]
    certificates = (Table(("CERTIFICATE", "ENDS"), rows, ""),) if rows else ()
    return ({name: _counts(value) for name, value in result.items() if name != "certificates"}, *certificates)


def _counts(value: object) -> object:
    if isinstance(value, Mapping):
        return ", ".join(f"{number} {name}" for name, number in value.items()) or "none"
    return value


def sessions(result: Result) -> Sequence[Block]:
    """A table of live sessions."""
    rows = [
        (
            each["game"],
            each["peer"],
            each["transport"],
            minute(each["since"]),
            each["players"],
            ", ".join(each["channels"]),
        )
        for each in result["sessions"]
    ]
    return (Table(("GAME", "ADDRESS", "BY", "SINCE", "PLAYERS", "CHANNELS"), rows, "Nobody is connected."),)


def said(result: Result) -> Sequence[Block]:
    """One message: when, where, from whom, and the text."""
    return (f"{result['said_at'][11:19]} {message_line(result)}",)
