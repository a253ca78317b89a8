"""
The values of LPC as Intermud-3 sends them ("MUD mode"), and the frames that they travel in. Without I/O.

A frame is its length in four bytes, big-endian, a value as text, and a NUL, which the length counts. The drivers of
LPC MUDs write such text with C{save_variable} and read it with C{restore_variable}, and are strict: the writer puts a
comma after each element, no white space between tokens, and only valid UTF-8. The reader is lenient.

It is written for strangers: it takes linear time and does not recurse, whatever arrives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, Final, TypeAlias

Value: TypeAlias = "int | float | str | list[Value] | dict[int | float | str, Value]"
"""A value of LPC. 0 also stands for nothing."""

DEPTH: Final = 32
"""How deep arrays and mappings may be in each other."""

TOKENS: Final = 20_000
"""How many values, brackets and lone commas a text may have."""

NUMERIC_KEYS: Final = 1000
"""
How many keys of mappings may be numbers, in all of a text. Python hashes strings with a secret, but numbers in a way
that everybody can foresee: among too many that collide, each takes as long to find as there are others.
"""

DIGITS: Final = 20
"""How many digits each part of a number may have."""

_LENGTH: Final = 4

# Each match takes a value or a bracket, and the comma or colon behind it. What is possessive is not tried again.
_TOKEN: Final = re.compile(
    r"""[ \t\r\n]*+
    (?: "([^"\\]*+(?:\\.[^"\\]*+)*+)"
      | (-?[0-9]++(?:\.[0-9]++)?+(?:e[+-][0-9]{1,3}+)?+)
      | (\(\{|\(\[)
      | (\}\)|\]\))
      )?+
    [ \t\r\n]*+([,:]?+)""",
    re.VERBOSE | re.DOTALL,
)
_CLOSES: Final = {"})": list, "])": dict}

_LIMITED_DIGITS: Final = re.compile(rf"-?[0-9]{{1,{DIGITS}}}(?:\.[0-9]{{1,{DIGITS}}})?(?:e.*)?")
_ESCAPES: Final = str.maketrans({'"': '\\"', "\\": "\\\\", "\0": None, "\r": None, "\n": "\r"})
_MOST: Final = 10**DIGITS

_NO_KEY: Final = object()


class MudmodeError(ValueError):
    """What arrived is no value, or no frame."""


def read(data: bytes, tokens: int = TOKENS) -> Value:
    """
    Read what a frame holds.

    White space between tokens and a missing last comma are allowed. A lone comma in an array stands for a 0, and so
    does a value that is missing in a mapping. Text that is not UTF-8 is read as Windows-1252.

    @param tokens: how many values, brackets and lone commas it may have.
    @raise MudmodeError: it is no value, or too large.
    """
    return _read(_decode(data[:-1] if data.endswith((b"\0", b"\r")) else data), tokens)


def _read(text: str, tokens: int) -> Value:
    # It goes on where it stopped, without a slice of the text.
    next_token = _TOKEN.scanner(text).match  # type: ignore[attr-defined]
    around: list[tuple[Any, Any]] = []
    container: Any = None
    key: Any = _NO_KEY
    value: Any
    numeric_keys = end = 0
    ended = False
    for _ in range(tokens):
        token = next_token()
        if token is None or token.end() == end:
            raise MudmodeError("this is no value of LPC" if end < len(text) else "the value does not end")
        end = token.end()
        string, number, opened, closed, separator = token.groups()
        if closed is not None:
            if type(container) is not _CLOSES[closed]:
                raise MudmodeError("a bracket closes what is not open")
            if key is not _NO_KEY:
                container[key] = 0
            value = container
            container, key = around.pop()
        elif ended:
            raise MudmodeError("a comma is missing")
        elif string is not None:
            value = _unescaped(string) if "\\" in string or "\r" in string else string
        elif number is not None:
            value = _number(number)
        elif opened is not None:
            if type(container) is dict and key is _NO_KEY:
                raise MudmodeError("a key is no string or number")
            if len(around) >= DEPTH:
                raise MudmodeError("the value is too deep")
            around.append((container, key))
            container, key = [] if opened == "({" else {}, _NO_KEY
            if separator:
                _lack(container, key, separator)
            continue
        else:
            _lack(container, key, separator)
            key = _NO_KEY
            continue
        ended = not separator
        if type(container) is list and separator != ":":
            container.append(value)
        elif container is None and not separator:
            if text[end:].strip(" \t\r\n"):
                raise MudmodeError("more follows the value")
            return value  # type: ignore[no-any-return]
        elif type(container) is not dict or (key is _NO_KEY) is not (separator == ":"):
            raise MudmodeError("a comma or colon is where none may be, or missing")
        elif key is not _NO_KEY:
            container[key], key = value, _NO_KEY
        else:
            key = value
            numeric_keys += string is None
            if numeric_keys > NUMERIC_KEYS:
                raise MudmodeError("too many keys are numbers")
    raise MudmodeError("the value has too many parts")


def _lack(container: Any, key: Any, separator: str) -> None:
    """A separator stands without a value before it."""
    if container is None or separator != ",":
        raise MudmodeError("a comma or colon is where none may be")
    if type(container) is list:
        container.append(0)
    elif key is not _NO_KEY:
        container[key] = 0


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _unescaped(string: str) -> str:
    """
    A backslash stands for what follows it, and a CR without one for LF.

    Each piece between two backslashes that escape each other has only such as escape something else.
    """
    pieces = string.split("\\\\")
    if "\r" in string:
        pieces = ["\r".join(part.replace("\r", "\n") for part in piece.split("\\\r")) for piece in pieces]
    return "\\".join(piece.replace("\\", "") for piece in pieces)


def _number(text: str) -> int | float:
    if not _LIMITED_DIGITS.fullmatch(text):
        raise MudmodeError("a number is too long")
    if text.lstrip("-").isdigit():
        return int(text)
    number = float(text)
    if not isfinite(number):
        raise MudmodeError("a number is too large")
    return number


def write(value: Any) -> bytes:
    """
    Write a value; C{None} and C{False} as 0, C{True} as 1.

    A NUL or CR in a string is dropped, and LF is written as CR. A backslash before it gets a blank, since some clients
    take the CR for a character that it escapes.

    @param value: integers, floats, strings, sequences and mappings. They may not be deeper than L{DEPTH}.
    @raise ValueError: it is too deep, or a number too large.
    """
    parts: list[str] = []
    _write(value, parts.append, DEPTH)
    return "".join(parts).encode("utf-8", "replace")


def _write(value: Any, put: Callable[[str], None], depth: int) -> None:
    if isinstance(value, str):
        if "\\\n" in value:
            value = value.replace("\\\n", "\\ \n")
        put(f'"{value.translate(_ESCAPES)}"')
    elif value is None or isinstance(value, int | float):
        put(_written(value or 0))
    elif depth <= 0:
        raise ValueError("the value is too deep")
    elif isinstance(value, Mapping):
        put("([")
        for key, inner in value.items():
            _write(key, put, 0)
            put(":")
            _write(inner, put, depth - 1)
            put(",")
        put("])")
    elif isinstance(value, Sequence):
        put("({")
        for inner in value:
            _write(inner, put, depth - 1)
            put(",")
        put("})")
    else:
        raise TypeError(f"no value of LPC: {type(value).__name__}")


def _written(number: float) -> str:
    if not -_MOST < number < _MOST:
        raise ValueError("a number is too large")
    return f"{number:f}" if isinstance(number, float) else str(int(number))


def frame(value: Any) -> bytes:
    """Write a value as a frame."""
    text = write(value)
    return (len(text) + 1).to_bytes(_LENGTH, "big") + text + b"\0"


class Frames:
    """
    What arrives on a connection, as frames.

    @ivar limit: the maximum length of a frame, in bytes, not counting the length itself. It counts from the next frame.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept = bytearray()
        self._at = 0
        self._skipped = 0

    def receive(self, data: bytes) -> None:
        """Bytes arrived. Take all frames before more bytes are read, so that no more than one frame waits."""
        skipped = min(self._skipped, len(data))
        self._skipped -= skipped
        del self._kept[: self._at]
        self._at = 0
        self._kept += data[skipped:] if skipped else data

    def take(self) -> bytes | None:
        """
        Return what the next frame holds, or C{None} if it has not arrived wholly.

        @raise MudmodeError: its length is 0 or over the limit, so that nothing behind it can be read. The first byte of
            a peer that does not speak Intermud-3 makes a length of millions.
        """
        end = self._end()
        if end is None:
            return None
        begin, self._at = self._at + _LENGTH, end
        return bytes(self._kept[begin:end])

    def ready(self) -> bool:
        """
        Has the next frame arrived wholly?

        @raise MudmodeError: as L{take}.
        """
        return self._end() is not None

    def _end(self) -> int | None:
        """Where the next frame ends; C{None} if it has not arrived wholly."""
        begin = self._at + _LENGTH
        if len(self._kept) < begin:
            return None
        length = int.from_bytes(self._kept[self._at : begin], "big")
        if not 0 < length <= self.limit:
            raise MudmodeError("a frame is empty or too long")
        end = begin + length
        return end if end <= len(self._kept) else None

    def skip(self) -> None:
        """Leave out a frame that could not be taken, since it is empty or too long."""
        self._at += _LENGTH
        length = int.from_bytes(self._kept[self._at - _LENGTH : self._at], "big")
        here = min(length, len(self))
        self._at += here
        self._skipped = length - here

    def __len__(self) -> int:
        """How many bytes are kept."""
        return len(self._kept) - self._at
