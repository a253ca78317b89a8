"""
The packets of IMC2: one line each (IMC2, sections 1, 3 and 5). Without I/O.

C clients with fixed buffers read what is written here. A value that is too long overruns their stack, and a text that
is not quoted is taken for other keys. So the writer alone decides on quotes, lengths and the order of keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

LINE_BYTES: Final = 8000
"""Every line out is shorter than this, in bytes with its end."""

TEXT_BYTES: Final = 700
"""The maximum length of the text of a message or a tell, in bytes. Clients copy it into 1,024 bytes of stack."""

VALUE_BYTES: Final = 200
"""The maximum length of any other value, in bytes."""

REPLY_BYTES: Final = 3500
"""The maximum length of the text or the list of a reply, in bytes."""

WORD_BYTES: Final = 255
"""The maximum length of a word of the header, in bytes."""

PAIRS: Final = 20
"""At most this many pairs of a packet are read."""

_REPLIES: Final = ("who-reply", "whois-reply", "ice-chan-whoreply", "user-cache-reply")

_WORD: Final = re.compile(r" *([^ ]+)")
_SEQUENCE: Final = re.compile("[0-9]{1,20}", re.ASCII)
_BLANKS: Final = re.compile(" *")
_KEY: Final = re.compile("([A-Za-z0-9_-]{1,32})=", re.ASCII)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*+)("?)', re.DOTALL)
_BARE: Final = re.compile(r"((?:[^ \\]|\\.)*+)", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_PLAIN: Final = re.compile("[A-Za-z0-9_.:@!*-]+", re.ASCII)

_UNESCAPED: Final = {"n": "\n", "r": "\r"}
_ESCAPED: Final = str.maketrans(
    {
        **dict.fromkeys(map(chr, (*range(32), *range(127, 160))), ""),
        "\\": "\\\\",
        '"': '\\"',
        "\n": "\\n",
        "\r": "\\r",
    }
)


class Word(str):
    """A value that this network made, a number or a word. It is written without quotes if it needs none."""

    __slots__ = ()


class Packet(Struct, frozen=True):
    """
    A packet.

    @ivar sender: the player that sent it, or C{*}.
    @ivar origin: the MUD of that player.
    @ivar sequence: its number; the numbers of an origin grow.
    @ivar route: the MUDs and hubs that it passed, with C{!} between them.
    @ivar type: what kind of packet it is.
    @ivar target: the player that it is for, or C{*}.
    @ivar destination: the MUD of that player, C{*} for all, C{$} for all hubs; empty if there is none.
    @ivar values: the values by their keys.
    """

    sender: str
    origin: str
    sequence: int
    route: str
    type: str
    target: str
    destination: str
    values: Mapping[str, str]

    def get(self, key: str) -> str:
        """A value; empty if there is none."""
        return self.values.get(key, "")


def read(line: str) -> Packet | None:
    """
    Read a packet, from left to right in linear time.

    @param line: a line without its end.
    @return: C{None} if it is none.
    """
    words: list[str] = []
    place = 0
    while len(words) < 5:
        match = _WORD.match(line, place)
        if match is None:
            return None
        words.append(match[1])
        place = match.end()
    source, sequence, route, kind, target = words
    if not _SEQUENCE.fullmatch(sequence):
        return None
    sender, _, origin = source.partition("@")
    name, _, destination = target.partition("@")
    return Packet(sender, origin, int(sequence), route, kind, name, destination, _pairs(line, place))


def _pairs(line: str, place: int) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for _ in range(PAIRS):
        while True:
            blanks = _BLANKS.match(line, place)
            assert blanks is not None
            place = blanks.end()
            if place == len(line):
                return pairs
            key = _KEY.match(line, place)
            if key is not None:
                break
            # No pair: on to the next blank.
            place = line.find(" ", place)
            if place < 0:
                return pairs
        value, place = _value(line, key.end())
        pairs.setdefault(key[1].lower(), value)
    return pairs


def _value(line: str, place: int) -> tuple[str, int]:
    """The value that begins at a place, and where it ends. Without its end quote, a value ends with the line."""
    quoted = _QUOTED.match(line, place)
    match = quoted or _BARE.match(line, place)
    assert match is not None
    value, end = match[1], match.end()
    if (quoted is None or not quoted[2]) and line[end : end + 1] == "\\":
        end += 1  # at the end of the line, where it escapes nothing
    if "\\" in value:
        value = _ESCAPE.sub(lambda escape: _UNESCAPED.get(escape[1], escape[1]), value)
    return value, end


def quoted(value: str) -> str:
    """Write a value in quotes. It never ends in a backslash, after which clients find no other key."""
    written = value.translate(_ESCAPED)
    # Not before: a character that is left out may stand behind it.
    return f'"{written} "' if written.endswith("\\") else f'"{written}"'


def cut(value: str, most: int, codec: str) -> str:
    """The beginning of a value, of at most so many bytes."""
    if len(value) * 4 <= most:
        return value
    data = value.encode(codec, "replace")
    return value if len(data) <= most else data[:most].decode(codec, "ignore")


def most_bytes(kind: str, key: str) -> int:
    """How long a value may be, in bytes, by the type of its packet and its key."""
    if key in ("text", "list"):
        return REPLY_BYTES if kind in _REPLIES else TEXT_BYTES
    return VALUE_BYTES


def write(packet: Packet, codec: str = "ascii") -> bytes:
    """
    Write a packet as a line with its end. The text is the last key, and what is too long is cut.

    @param codec: the charset, by its name in Python; what does not fit into it becomes C{?}.
    """
    head = " ".join(
        (
            _header(f"{packet.sender}@{packet.origin}"),
            str(packet.sequence),
            _header(packet.route),
            _header(packet.type),
            _header(f"{packet.target}@{packet.destination}" if packet.destination else packet.target),
        )
    )
    values = {key: value for key, value in packet.values.items() if key != "text"}
    if "text" in packet.values:
        values["text"] = packet.values["text"]
    data = head.encode(codec, "replace")
    for key, value in values.items():
        # Each character may need an escape.
        room = (LINE_BYTES - len(b"\r\n") - 1 - len(data) - len(f' {key}="" ')) // 2
        kept = cut(value, min(most_bytes(packet.type, key), room), codec) if room > 0 else ""
        written = kept if isinstance(value, Word) and _PLAIN.fullmatch(kept) else quoted(kept)
        pair = f" {key}={written}".encode(codec, "replace")
        if len(data) + len(pair) + len(b"\r\n") < LINE_BYTES:
            data += pair
    return data + b"\r\n"


def _header(word: str) -> str:
    """A word of the header: without blanks and controls, and not in quotes, since clients read it as a word."""
    word = "".join("_" if character <= " " or character == "\x7f" else character for character in word)
    return word.lstrip("\"'")[:WORD_BYTES] or "*"


class Lines:
    """Makes lines of what arrives (IMC2, section 3). Carriage returns and NULs are dropped; empty lines are skipped."""

    def __init__(self) -> None:
        self._rest = b""

    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes; returns the lines that are whole now, without their ends."""
        *lines, self._rest = (self._rest + data).translate(None, b"\r\0").split(b"\n")
        return [line for line in lines if line]

    @property
    def unended(self) -> int:
        """How many bytes came without the end of their line."""
        return len(self._rest)
