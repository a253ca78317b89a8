"""
Text as the lines of an old MUD: charsets, names without blanks, doubled colour codes, lengths (bridge's protocol,
section 4).

Whatever another world sent must not become a second token, a second line, a colour or a command here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from gossip.network.text import clean

CHARSETS: Final = {"utf-8": "utf-8", "latin1": "latin-1", "cp437": "cp437", "ascii": "ascii"}
"""The charsets of the bridge, and what Python calls them."""

MOST_LINES: Final = 8
"""A text is split over so many lines at the most."""

CUT: Final = "…"
"""What ends a text that is longer still."""

# Beyond what no text may hold: TAB counts as a blank here, and LF and CR cannot be, since a line is a line.
_ODD: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff]+")

_PLAIN: Final = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′", "'"),
        **dict.fromkeys("“”„‟″", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        "…": "...",
        "‹": "'",
        "›": "'",
    }
)

_ESCAPES: Final = {" ": "%20", "%": "%25", "@": "%40", ",": "%2C"}
_ESCAPED: Final = str.maketrans(_ESCAPES)
_UNESCAPED: Final = {escape: character for character, escape in _ESCAPES.items()}
_ESCAPE: Final = re.compile("%(?:20|25|40|2C)", re.IGNORECASE)


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


def unescape(name: str) -> str:
    """A name as a MUD writes it; a C{%} that starts no escape is itself."""
    return _ESCAPE.sub(lambda escape: _UNESCAPED[escape[0].upper()], name)


def transliterate(text: str, charset: str) -> str:
    """
    Write a text with the characters of a charset: marks go, typography becomes plain, the rest is C{?}.

    @param charset: one of L{CHARSETS}.
    """
    codec = CHARSETS[charset]
    if codec == "utf-8" or text.isascii():
        return text
    return "".join(character if _fits(character, codec) else _nearest(character, codec) for character in text)


def _nearest(character: str, codec: str) -> str:
    plain = character.translate(_PLAIN)
    if plain == character:
        decomposed = unicodedata.normalize("NFKD", character)
        plain = "".join(part for part in decomposed if not unicodedata.combining(part))
        if not plain:
            return ""  # a mark of its own
    return "".join(part if _fits(part, codec) else "?" for part in plain)


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
        # Transliteration may make a blank, a tag or an escape of what was none: it comes first.
        text = one_line(transliterate(text, self.charset))
        for character in self.strip:
            text = text.replace(character, "")
        for character in self.double:
            text = text.replace(character, character * 2)
        # What was stripped may have stood between two halves of a tag.
        return one_line(text) if self.strip else text

    def name(self, name: str) -> str:
        """A name from another world: one token, whatever is in it."""
        return self.text(name).translate(_ESCAPED) or "%20"

    def heard_name(self, name: str) -> str:
        """A name as the MUD wrote it: what was doubled for it comes back doubled."""
        name = unescape(name)
        for character in self.double:
            name = name.replace(character * 2, character)
        return name

    def encode(self, line: str) -> bytes:
        """A finished line as it goes over the wire, with its end."""
        return line.encode(CHARSETS[self.charset], "replace") + b"\r\n"

    def spread(self, head: str, text: str) -> Iterator[bytes]:
        """
        The lines that carry a text behind the same head, each of at most C{maxline} bytes.

        @param text: as L{text} returned it.
        """
        codec = CHARSETS[self.charset]
        cut = transliterate(CUT, self.charset)
        room = max(self.maxline - len(head.encode(codec, "replace")) - 3, 16)
        words = self._pieces(text, room)
        lines = [""]
        filled = 0
        for piece in words:
            size = len(piece.encode(codec, "replace"))
            if filled + size > room and lines[-1]:
                lines.append("")
                filled = 0
                if piece == " ":
                    continue
            lines[-1] += piece
            filled += size
        if len(lines) > MOST_LINES:
            last = lines[MOST_LINES - 1]
            while len((last + cut).encode(codec, "replace")) > room:
                last = self._without_last(last)
            lines[MOST_LINES - 1 :] = [last + cut]
        for line in lines:
            yield self.encode(f"{head} {line.strip()}")

    def _pieces(self, text: str, room: int) -> Iterator[str]:
        """Words and blanks; a word that is longer than a line, in what must not be torn apart."""
        codec = CHARSETS[self.charset]
        for word in re.split("( )", text):
            if len(word.encode(codec, "replace")) <= room:
                yield word
            else:
                yield from self._units(word)

    def _units(self, word: str) -> list[str]:
        """Characters, escapes and doubled pairs."""
        doubled = "".join(f"|{re.escape(character * 2)}" for character in self.double)
        return re.findall(f"%[0-9A-Fa-f]{{2}}{doubled}|.", word, re.DOTALL)

    def _without_last(self, text: str) -> str:
        return "".join(self._units(text)[:-1])
