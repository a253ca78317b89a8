"""
What a client of IMC2 makes of a line: written from the description of its key search, and not from our reader.

It finds a key by looking for each C{=} outside of quotes and comparing the text before it.
"""

from __future__ import annotations

import re

LINE_BYTES = 8000
TEXT_BYTES = 700
REPLY_BYTES = 3500
VALUE_BYTES = 200
_REPLIES = {"who-reply", "whois-reply", "ice-chan-whoreply", "user-cache-reply"}


class Broken(Exception):
    """A real client would crash, hang or read something else."""


def lines_of(data: bytes) -> list[str]:
    """Split what a hub sent into lines, each of which a client can bear."""
    if not data:
        return []
    if not data.endswith(b"\r\n"):
        raise Broken("no end of line")
    lines = data[:-2].split(b"\r\n")
    for line in lines:
        if not line or b"\r" in line or b"\n" in line or b"\0" in line:
            raise Broken(f"an empty line or a control character: {line!r}")
        if len(line) >= LINE_BYTES - 2:
            raise Broken("too long")
    return [line.decode("utf-8") for line in lines]


_ANSWERS = re.compile(
    r"PW \S{1,64} \S{1,64} version=2 \S{1,30}( SHA256-SET)?|SHA256-AUTH-INIT \S+ [0-9]{9,10}|"
    r'SHA256-AUTH-APPR \S+ \S+ version=2|NOTICE \S+ "[^"]{0,200}" x x|autosetup \S+ reject connected'
)


def check_line(line: str) -> None:
    """Check a line: an answer to a login, or a packet."""
    if not _ANSWERS.fullmatch(line):
        check(line)


def key_of(line: str, wanted: str) -> str:
    """The value of a key, as C{imc_getData} finds it; empty if there is none."""
    inside = escaped = False
    for place, character in enumerate(line):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            inside = not inside
        elif character == "=" and not inside and line[:place].endswith(f" {wanted}"):
            return _value(line, place + 1)
    return ""


def _value(line: str, place: int) -> str:
    is_quoted = line[place : place + 1] == '"'
    place += is_quoted
    value = ""
    while place < len(line):
        character = line[place]
        if character == ('"' if is_quoted else " "):
            break
        if character == "\\" and place + 1 < len(line):
            place += 1
            character = {"n": "\n", "r": "\r"}.get(line[place], line[place])
        value += character
        place += 1
    return value


def check(line: str) -> dict[str, str]:
    """
    Check a packet as strictly as the rules for hubs are.

    @return: its five words as C{from}, C{sequence}, C{route}, C{type} and C{to}, and its values.
    """
    words = line.split(" ")
    if len(words) < 5:
        raise Broken(f"fewer than five words: {line!r}")
    head, rest = words[:5], line[len(" ".join(words[:5])) :]
    for word in head:
        if not 0 < len(word.encode()) <= 255 or word[0] in "\"'":
            raise Broken(f"a bad word in the header: {word!r}")
    if not head[1].isascii() or not head[1].isdigit() or "@" not in head[0] or "@" not in head[4]:
        raise Broken(f"a bad header: {line!r}")
    found = dict(zip(("from", "sequence", "route", "type", "to"), head, strict=True))
    keys = _keys(rest)
    if "text" in keys and (keys[-1] != "text" or ' text="' not in rest):
        raise Broken(f"the text is not the last key, or not quoted: {line!r}")
    for key in keys:
        found[key] = value = key_of(line, key)
        most = VALUE_BYTES
        if key in ("text", "list"):
            most = REPLY_BYTES if found["type"] in _REPLIES else TEXT_BYTES
        if len(value.encode()) > most + 1:  # the blank behind a backslash
            raise Broken(f"{key} is too long: {len(value)}")
        if key == "text" and value.endswith("\\"):
            raise Broken("the text ends in a backslash")
    return found


def _keys(rest: str) -> list[str]:
    """The keys of a line, in their order; every pair has one blank before it."""
    keys: list[str] = []
    place = 0
    while place < len(rest):
        if rest[place] != " ":
            raise Broken(f"no blank before a pair: {rest[place:]!r}")
        end = rest.find("=", place)
        if end < 0:
            raise Broken(f"no pair: {rest[place:]!r}")
        keys.append(rest[place + 1 : end])
        place = end + 1
        quoted = rest[place : place + 1] == '"'
        place += quoted
        while place < len(rest) and rest[place] != ('"' if quoted else " "):
            place += 2 if rest[place] == "\\" else 1
        place += quoted
    if len(set(keys)) != len(keys):
        raise Broken("a key comes twice")
    return keys
