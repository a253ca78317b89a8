"""
An independent reader of MUD mode that is as strict as the strictest driver, and knows nothing of the daemon's codec.

It walks byte by byte. A comma follows each element, there is no white space between tokens, the text is UTF-8 and ends
in one NUL, and no backslash stands before a CR.
"""

from __future__ import annotations

from typing import Any


class Unfit(AssertionError):
    """A driver would refuse this."""


def frames(data: bytes) -> list[Any]:
    """Read all frames of a stream, which must end with one."""
    values = []
    while data:
        length = int.from_bytes(data[:4], "big")
        body, data = data[4 : 4 + length], data[4 + length :]
        if len(body) != length or length > 8000:
            raise Unfit("the frame is cut or too long")
        values.append(value(body))
    return values


def value(body: bytes) -> Any:
    """Read what a frame holds."""
    if not body.endswith(b"\0") or b"\0" in body[:-1] or b"\\\r" in body or b"\n" in body:
        raise Unfit("NUL, LF or an escaped CR")
    text = body[:-1].decode()
    found, rest = _value(text, 0)
    if rest != len(text):
        raise Unfit("more follows")
    return found


def _value(text: str, at: int) -> tuple[Any, int]:
    if text.startswith("({", at):
        array: list[Any] = []
        at += 2
        while not text.startswith("})", at):
            element, at = _value(text, at)
            at = _expect(text, at, ",")
            array.append(element)
        return array, at + 2
    if text.startswith("([", at):
        mapping: dict[Any, Any] = {}
        at += 2
        while not text.startswith("])", at):
            key, at = _value(text, at)
            at = _expect(text, at, ":")
            element, at = _value(text, at)
            at = _expect(text, at, ",")
            mapping[key] = element
        return mapping, at + 2
    if text.startswith('"', at):
        characters = []
        at += 1
        while text[at] != '"':
            if text[at] == "\\":
                at += 1
                characters.append(text[at])
            else:
                characters.append("\n" if text[at] == "\r" else text[at])
            at += 1
        return "".join(characters), at + 1
    begin = at
    while at < len(text) and text[at] in "-0123456789.":
        at += 1
    digits = text[begin:at]
    return (float(digits) if "." in digits else int(digits)), at


def _expect(text: str, at: int, mark: str) -> int:
    if not text.startswith(mark, at):
        raise Unfit(f"{mark} is missing at {at}")
    return at + 1
