"""
Text as lines for an old MUD: charsets, names without blanks, doubled colour codes, lengths (telnet bridge, section 4).

Nothing that another game sent may become a second token, a second line, a colour or a command.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from gossip.protocol.text import clean

CHARSETS: Final = {"utf-8": "utf-8", "latin1": "latin-1", "cp437": "cp437", "ascii": "ascii"}
"""The charsets of the telnet port, with their names in Python."""

MOST_LINES: Final = 8
"""The maximum number of lines for one text."""

CUT: Final = "…"
"""The end of a text that was cut after the last of those lines."""

# TAB, LF and CR are missing here: they become blanks, as all white space does.
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
"""Stands for a name that cannot be written at all: without it, a line would lack a token."""

_NAME_LESS: Final = 48
"""How much shorter than half a line a name must be, in bytes."""

_LEAST_ROOM: Final = 16
"""The minimum room for text in a line, in bytes, whatever its head is."""


def one_line(text: str) -> str:
    """A text without control characters and tags; each run of white space becomes one blank, or nothing at the ends."""
    if text.isprintable() and "<" not in text and "  " not in text:
        return text.strip()
    return " ".join(clean(_ODD.sub("", text)).split())


def decode(line: bytes, charset: str) -> str:
    """
    Read an input line.

    @param charset: one of L{CHARSETS}; with C{utf-8}, a line that is not UTF-8 is read as Windows-1252.
    @raise UnicodeDecodeError: the charset is C{ascii} and the line is not.
    """
    if charset != "utf-8":
        return line.decode(CHARSETS[charset])
    try:
        return line.decode()
    except UnicodeDecodeError:
        # The five undefined bytes become control characters, which are dropped later.
        return "".join(bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in line)


def transliterate(text: str, charset: str) -> str:
    """
    Write a text in the characters of a charset: marks are dropped, typography becomes plain, the rest becomes C{?}.

    @param charset: one of L{CHARSETS}.
    """
    codec = CHARSETS[charset]
    if codec == "utf-8" or text.isascii():
        return text
    # The charset may have a letter and its mark as one character.
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
    @ivar maxline: the maximum length of a line with its end, in bytes.
    @ivar double: the characters that are doubled, since a single one starts a colour on that MUD.
    @ivar strip: the characters that are removed.
    """

    charset: str = "utf-8"
    maxline: int = 1024
    double: str = ""
    strip: str = ""

    def text(self, text: str) -> str:
        """Write a text of another game."""
        # Transliteration and stripping can create a blank, a tag or a colour, so they come first.
        text = transliterate(text, self.charset)
        for character in self.strip:
            text = text.replace(character, "")
        text = one_line(text)
        for character in self.double:
            text = text.replace(character, character * 2)
        return text

    def name(self, name: str) -> str:
        """Write a name of another game: as one token, whatever it contains."""
        name = (self.text(name) or _NOBODY).translate(_ESCAPED)
        # Two names must leave room for a text in a line; only a name full of escapes is ever cut.
        most = self.maxline // 2 - _NAME_LESS
        if self._size(name) > most:
            units = self._units(name)
            while self._size("".join(units)) > most:
                units.pop()
            name = "".join(units)
        return name

    def who(self, name: str, game: str) -> str:
        """Write a player of another game; the short name of a game has only letters and digits."""
        return f"{self.name(name)}@{game}"

    def heard_name(self, token: str) -> str:
        """Read a name that the MUD wrote, and undo the escapes and doubled characters."""
        # A percent sign that starts no escape stands for itself.
        name = _ESCAPE.sub(lambda escape: _UNESCAPED[escape[0].upper()], token)
        for character in self.double:
            name = name.replace(character * 2, character)
        return one_line(name)

    def encode(self, line: str) -> bytes:
        """Encode a finished line, and add its end."""
        return line.encode(CHARSETS[self.charset], "replace") + b"\r\n"

    def spread(self, head: str, text: str, most: int = MOST_LINES) -> Iterator[bytes]:
        """
        The lines of a text behind the same head, each of at most C{maxline} bytes; no lines if the text is empty.

        @param text: as L{text} returned it.
        @param most: the maximum number of lines.
        """
        return map(self.encode, self.spread_text(head, text, most))

    def spread_text(self, head: str, text: str, most: int = MOST_LINES) -> Iterator[str]:
        """The same lines, not encoded and without their ends."""
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
        """The lines of words behind the same head: at least one line, each of at most C{maxline} bytes."""
        return (self.encode(head + row) for row in self.rows(head, words))

    def rows(self, head: str, words: Iterable[str]) -> Iterator[str]:
        """The part of each of those lines after the head."""
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
        """The room in a line after its head and a blank, in bytes."""
        return max(self.maxline - self._size(head) - len(" \r\n"), _LEAST_ROOM)

    def _shortened(self, text: str, room: int) -> str:
        """A text that is cut, with the sign for it at its end."""
        cut = self.text(CUT)
        units = self._units(text)
        while units and self._size("".join(units)) + self._size(cut) > room:
            units.pop()
        return "".join(units).rstrip() + cut

    def _pieces(self, text: str, room: int) -> Iterator[str]:
        """Words and blanks; a word that is longer than a line in its smallest units."""
        for word in re.split("( )", text):
            if self._size(word) <= room:
                yield word
            else:
                yield from self._units(word)

    def _units(self, word: str) -> list[str]:
        """The smallest units of a word: characters, escapes and doubled pairs."""
        doubled = "".join(f"|{re.escape(character * 2)}" for character in self.double)
        return re.findall(f"%[0-9A-Fa-f]{{2}}{doubled}|.", word, re.DOTALL)
