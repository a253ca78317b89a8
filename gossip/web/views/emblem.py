"""
The emblem of a game: a small picture made from its short name, always the same for a name.

It is a mirrored pattern on a ground whose colour is that of the name in the chat. The colours work on light and on
dark pages, since a picture does not know the theme.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from markupsafe import Markup

from gossip.web.views.formatting import hue

# The ground and the pattern, in the order of the colours of names.
_COLOURS: Final = (
    ("#8f2a22", "#ffd9d3"),
    ("#7d4a0c", "#ffe0b8"),
    ("#665707", "#f7e9a0"),
    ("#3f6310", "#d9f0b0"),
    ("#0f6038", "#b9f2d0"),
    ("#07605d", "#b5f0ea"),
    ("#0a5c85", "#c2e8ff"),
    ("#2451a3", "#d3e0ff"),
    ("#5440a8", "#e0d8ff"),
    ("#743091", "#f0d6ff"),
    ("#8c2270", "#ffd3ef"),
    ("#912449", "#ffd5e1"),
)

_SIDE: Final = 5
_LEFT: Final = (_SIDE + 1) // 2
_FEWEST, _MOST = 5, 11


def emblem(name: str) -> bytes:
    """The emblem as an SVG picture of its own."""
    return Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 7 7">{}</svg>\n').format(drawn(name)).encode()


def drawn(name: str) -> Markup:
    """The emblem as SVG elements in a square of seven units, to be part of another picture."""
    ground, pattern = _COLOURS[hue(name)]
    path = "".join(f"M{column + 1} {row + 1}h1v1h-1z" for row, column in sorted(_cells(name)))
    return Markup(
        '<rect width="7" height="7" rx="1.2" fill="{}"/><path fill="{}" shape-rendering="crispEdges" d="{}"/>'
    ).format(ground, pattern, path)


def _cells(name: str) -> set[tuple[int, int]]:
    """The filled cells, by row and column."""
    places = [(row, column) for row in range(_SIDE) for column in range(_LEFT)]
    for bits in _bits(name):
        left = {place for place, bit in zip(places, format(bits, f"0{len(places)}b"), strict=True) if bit == "1"}
        # An emblem that is almost empty or almost full looks like those of other names.
        if _FEWEST <= len(left) <= _MOST:
            break
    return left | {(row, _SIDE - 1 - column) for row, column in left}


def _bits(name: str) -> Iterator[int]:
    """Numbers of as many bits as the left half has cells, made from the name without regard to case."""
    digest = name.lower().encode("utf-8", "replace")
    while True:
        digest = sha256(digest).digest()
        yield int.from_bytes(digest[:2]) & (1 << _SIDE * _LEFT) - 1
