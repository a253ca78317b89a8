"""
Text as the lines of an old MUD: charsets, names without blanks, doubled colour codes, lengths (bridge's protocol,
section 4).

Whatever another world sent must not become a second token, a second line, a colour or a command here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from gossip.protocol.text import clean

CHARSETS: Final = {"utf-8": "utf-8", "latin1": "latin-1", "cp437": "cp437", "ascii": "ascii"}
"""The charsets of the bridge, and what Python calls them."""

MOST_LINES: Final = 8
"""A text is split over so many lines at the most."""

CUT: Final = "…"
"""What ends a text that is longer still."""

# Of the control characters TAB, LF and CR are left, which become blanks as all white space does.
_ODD: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]+")

_PLAIN: Final = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′‹›", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        "…": "...",
    }
)

_ESCAPES: Final = {" ": "%20", "%": "%25", "@": "%40", ",": "%2C"}
_ESCAPED: Final = str.maketrans(_ESCAPES)
_UNESCAPED: Final = {escape: character for character, escape in _ESCAPES.items()}
_ESCAPE: Final = re.compile("%(?:20|25|40|2C)", re.IGNORECASE)

_NOBODY: Final = "?"
"""Stands for a name of which nothing can be written: without it a line would miss a token."""

_NAME_LESS: Final = 48
"""A name takes so many bytes less than half a line."""

_LEAST_ROOM: Final = 16
"""A line has room for so many bytes of text, whatever stands before it."""


def one_line(text: str) -> str:
    """A text without control characters and tags, any run of white space one blank, none at the ends."""
    if text.isprintable() and "<" not in text and "  " not in text:
        return text.strip()
    return " ".join(clean(_ODD.sub("", text)).split())


def decode(line: bytes, charset: str) -> str:
    """
    Read an input line.

    @param charset: one of L{CHARSETS}; a line that is not UTF-8 where it should be is read as Windows-1252.
    @raise UnicodeDecodeError: an ASCII connection sent something else.
    """
    if charset != "utf-8":
        return line.decode(CHARSETS[charset])
    try:
        return line.decode()
    except UnicodeDecodeError:
        # Its five holes become control characters, and those are dropped.
        return "".join(bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in line)


def transliterate(text: str, charset: str) -> str:
    """
    Write a text with the characters of a charset: marks go, typography becomes plain, the rest is C{?}.

    @param charset: one of L{CHARSETS}.
    """
    codec = CHARSETS[charset]
    if codec == "utf-8" or text.isascii():
        return text
    # A letter and its mark may be one character there.
    text = unicodedata.normalize("NFC", text)
    return "".join(character if _fits(character, codec) else _nearest(character, codec) for character in text)


def _nearest(character: str, codec: str) -> str:
    plain = character.translate(_PLAIN)
    if plain == character:
        decomposed = unicodedata.normalize("NFKD", character)
        plain = "".join(part for part in decomposed if not unicodedata.combining(part))
    return "".join(part if _fits(part, codec) else " " if part.isspace() else "?" for part in plain)


def _fits(character: str, codec: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


class Lettering(Struct, frozen=True):
    """
    How texts are written for a connection.

    @ivar charset: one of L{CHARSETS}.
    @ivar maxline: how many bytes a line has at the most, with its end.
    @ivar double: the characters that are doubled, since one alone starts a colour there.
    @ivar strip: the characters that are left out.
    """

    charset: str = "utf-8"
    maxline: int = 1024
    double: str = ""
    strip: str = ""

    def text(self, text: str) -> str:
        """A text from another world."""
        # Transliteration and stripping may make a blank, a tag or a colour of what was none: they come first.
        text = transliterate(text, self.charset)
        for character in self.strip:
            text = text.replace(character, "")
        text = one_line(text)
        for character in self.double:
            text = text.replace(character, character * 2)
        return text

    def name(self, name: str) -> str:
        """A name from another world: one token, whatever is in it."""
        name = (self.text(name) or _NOBODY).translate(_ESCAPED)
        # Two names must leave a line room for a text: only one that is all escapes is cut.
        most = self.maxline // 2 - _NAME_LESS
        if self._size(name) > most:
            units = self._units(name)
            while self._size("".join(units)) > most:
                units.pop()
            name = "".join(units)
        return name

    def who(self, name: str, game: str) -> str:
        """A player of another world; the short name of a game is letters and digits."""
        return f"{self.name(name)}@{game}"

    def heard_name(self, token: str) -> str:
        """A name as the MUD wrote it; what was escaped and doubled for it comes back as it was."""
        # A per cent sign that starts no escape is itself.
        name = _ESCAPE.sub(lambda escape: _UNESCAPED[escape[0].upper()], token)
        for character in self.double:
            name = name.replace(character * 2, character)
        return one_line(name)

    def encode(self, line: str) -> bytes:
        """A finished line as it goes over the wire, with its end."""
        return line.encode(CHARSETS[self.charset], "replace") + b"\r\n"

    def spread(self, head: str, text: str, most: int = MOST_LINES) -> Iterator[bytes]:
        """
        The lines that carry a text behind the same head, each of at most C{maxline} bytes; none for no text.

        @param text: as L{text} returned it.
        @param most: how many lines there may be.
        """
        return map(self.encode, self.spread_text(head, text, most))

    def spread_text(self, head: str, text: str, most: int = MOST_LINES) -> Iterator[str]:
        """The same, as text and without their ends."""
        room = self._room(head)
        if self._size(text) <= room:
            if text:
                yield f"{head} {text}"
            return
        lines = [""]
        filled = 0
        for piece in self._pieces(text, room):
            size = self._size(piece)
            if filled + size > room:
                if len(lines) == most:
                    lines[-1] = self._shortened(lines[-1], room)
                    break
                lines.append("")
                filled = 0
                if piece == " ":
                    continue
            lines[-1] += piece
            filled += size
        for line in lines:
            if line := line.strip():
                yield f"{head} {line}"

    def listed(self, head: str, words: Iterable[str]) -> Iterator[bytes]:
        """The lines that carry words behind the same head: one at the least, each of at most C{maxline} bytes."""
        return (self.encode(head + row) for row in self.rows(head, words))

    def rows(self, head: str, words: Iterable[str]) -> Iterator[str]:
        """What follows the head on each of those lines."""
        room = self._room(head) + len(" ")
        row, filled = "", 0
        for word in words:
            size = self._size(word) + len(" ")
            if row and filled + size > room:
                yield row
                row, filled = "", 0
            row += f" {word}"
            filled += size
        yield row

    def _size(self, text: str) -> int:
        return len(text) if text.isascii() else len(text.encode(CHARSETS[self.charset], "replace"))

    def _room(self, head: str) -> int:
        """How many bytes a line has left for what follows its head and a blank."""
        return max(self.maxline - self._size(head) - len(" \r\n"), _LEAST_ROOM)

    def _shortened(self, text: str, room: int) -> str:
        """A text that goes on, with the sign that says so."""
        cut = self.text(CUT)
        units = self._units(text)
        while units and self._size("".join(units)) + self._size(cut) > room:
            units.pop()
        return "".join(units).rstrip() + cut

    def _pieces(self, text: str, room: int) -> Iterator[str]:
        """Words and blanks; a word that is longer than a line, in what must not be torn apart."""
        for word in re.split("( )", text):
            if self._size(word) <= room:
                yield word
            else:
                yield from self._units(word)

    def _units(self, word: str) -> list[str]:
        """Characters, escapes and doubled pairs."""
        doubled = "".join(f"|{re.escape(character * 2)}" for character in self.double)
        return re.findall(f"%[0-9A-Fa-f]{{2}}{doubled}|.", word, re.DOTALL)
