"""A long text in several packets, for clients that bear only short ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

CUT: Final = "..."
"""The end of a text that was longer."""


def spread(text: str, most: int, packets: int, codec: str = "utf-8") -> Iterator[str]:
    """
    Split a text between words, else between characters; nothing if it is empty.

    @param most: the maximum length of a part, in bytes.
    @param packets: the maximum number of parts. The last one ends in L{CUT} if there was more.
    @param codec: the charset, by its name in Python.
    """
    rest = text.strip()
    for number in range(packets, 0, -1):
        if _size(rest, codec) <= most:
            if rest:
                yield rest
            return
        part = _beginning(rest, most - (len(CUT) if number == 1 else 0), codec)
        rest = rest[len(part) :].lstrip()
        yield part.rstrip() + (CUT if number == 1 else "")


def _beginning(rest: str, most: int, codec: str) -> str:
    """The beginning of a text of at most so many bytes, up to a blank if there is one."""
    part = rest.encode(codec, "replace")[:most].decode(codec, "ignore")
    blank = part.rfind(" ")
    return part[:blank] if blank > 0 and rest[len(part)] != " " else part


def _size(text: str, codec: str) -> int:
    return len(text) if text.isascii() else len(text.encode(codec, "replace"))
