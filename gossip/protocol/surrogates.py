"""Lone surrogates: JSON allows them in strings (RFC 8259, section 8.2), and msgspec does not read them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import msgspec

_string = msgspec.json.Decoder(str).decode

# The closing quote is optional: otherwise every quote in an unterminated string would search to the end: quadratic.
_LITERAL = re.compile(rb'("(?:[^"\\]|\\.)*+"?)(\s*+:)?', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL)
_STAND_IN = re.compile(rb"-0\.0e-7770(\d+)")


def mend(frame: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
    """
    Replace each string that has a lone surrogate by a number, since such a string counts as a value of a wrong type.

    @return: the frame, and a function that restores the strings in what is echoed.
    @raise msgspec.DecodeError: a string has anything else that is no JSON.
    """
    # Numbers that the game wrote itself must not be taken for stand-ins.
    taken = set(_STAND_IN.findall(frame))
    numbers = (number for number in map(b"%d".__mod__, itertools.count()) if number not in taken)
    lone: dict[bytes, bytes] = {}

    def stand_in(literal: re.Match[bytes]) -> bytes:
        text, colon = literal[1], literal[2]
        whole = _ESCAPE.sub(lambda escape: b" " if escape[1] else escape[0], text)
        if whole == text:
            return literal[0]
        _string(whole)  # raises if anything else in it is invalid
        number = next(numbers)
        if colon:  # it is a key, which no event has
            lone[number] = text[1:-1]
            return b'"-0.0e-7770%b"%b' % (number, colon)
        lone[number] = text
        return b"-0.0e-7770%b" % number

    def restore(raw: bytes) -> bytes:
        return _STAND_IN.sub(lambda number: lone.get(number[1], number[0]), raw)

    return _LITERAL.sub(stand_in, frame), restore
