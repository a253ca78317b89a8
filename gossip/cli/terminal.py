"""What a person sees in a terminal. Nothing that came from outside can command the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from gossip.operations.command import Block, Result, Table
from gossip.operations.listing import rest
from gossip.operations.texts import message_line, minute


class Unsure(Exception):
    """Somebody was asked whether they are sure, and did not say yes."""


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


def ask(question: str) -> None:
    """
    Ask a person whether they are sure.

    @raise Unsure: they are not, or there is nobody to ask.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise Unsure("this cannot be undone, and there is no terminal to ask whether you are sure: add --yes")
    # Not on standard output, which may go elsewhere.
    print(f"{printable(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Unsure("nothing was changed")


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
    shown = {name: _in_words(name, value) for name, value in result.items() if name != "certificates"}
    return ({name.replace("_", " "): text for name, text in shown.items()}, *certificates)


_UNITS: Final = {
    "deliveries": "events, each receiver counted, since the start",
    "queue": "changes wait for the database",
    "answers": "answers wait for a change to be saved",
}


def _in_words(name: str, value: object) -> object:
    if name == "uptime" and isinstance(value, int):
        return duration(value)
    if isinstance(value, Mapping):
        read = size if name.endswith("_bytes") else _number
        return ", ".join(f"{read(number)} {kind}" for kind, number in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{_number(value)} {_UNITS[name]}" if name in _UNITS else _number(value)


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def duration(seconds: int) -> str:
    """Write a time that passed, in its two largest units."""
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    from_first = [f"{number} {unit}" for number, unit in parts if number][:2]
    return " ".join(from_first) or "0 s"


def size(number: float) -> str:
    """Write a number of bytes, in its largest unit."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def sessions(result: Result) -> Sequence[Block]:
    """A table of live sessions."""
    several = any("node" in each for each in result["sessions"])
    rows = [
        (
            each["game"],
            each["peer"],
            *([each.get("node", "")] if several else []),
            each["transport"],
            minute(each["since"]),
            each["players"],
            ", ".join(each["channels"]),
        )
        for each in result["sessions"]
    ]
    return (
        Table(
            ("GAME", "ADDRESS", *(["NODE"] if several else []), "BY", "SINCE", "PLAYERS", "CHANNELS"),
            rows,
            "Nobody is connected.",
        ),
        *rest(result),
    )


def said(result: Result) -> Sequence[Block]:
    """One message: when, where, from whom, and the text."""
    return (f"{result['said_at'][11:19]} {message_line(result)}",)
