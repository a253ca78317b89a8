"""
Text that may pass between games: without control characters and tags. And the format of times.

The other end is a terminal, a browser or a MUD that supports MXP. What players type in one game must never become a
command there. Ordinary talk stays as it is: C{I <3 you > me} passes unchanged.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Final

# C0 except TAB, LF and CR; DEL; C1; the embedding, override and isolate marks that reverse lines (Unicode UAX 9).
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")

# What no script needs within a name: fillers, and marks that turn lines around or separate nothing. Joiners, variation
# selectors and the tags of flags stay.
_HIDDEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufff8]+"
)

MARKS: Final = 4
"""The maximum number of marks on one letter of a name. Vietnamese needs two, Hebrew and old Slavonic three."""

_BREAKS: Final = re.compile("[\t\n\r\u2028\u2029]")

# The whole run of "<" is dropped: otherwise the rest of it would open a new tag, as in "<<b>b>". The look-behind and
# the possessive quantifiers keep it linear.
_TAG: Final = re.compile(r"(?<!<)<++[A-Za-z/!][^>]*+>")


_BEGINNING: Final = re.compile(r"<(?=[A-Za-z/!])")

_CUT: Final = "…"


def clean(text: str) -> str:
    """
    Drop control characters, then tags (protocol specification, channels/send). It takes linear time.

    Nothing else changes: the text is neither trimmed nor normalised.
    """
    if text.isprintable() and "<" not in text:
        return text
    text = _CONTROLS.sub("", text)
    # There is no tag after the last ">". Every "<" there would search to the end: quadratic.
    end = text.rfind(">") + 1
    return _TAG.sub("", text[:end]) + text[end:]


def kept(text: str) -> str:
    """
    Write a text so that L{clean} drops no tag from it: a blank after a C{<} that would begin one: C{vector< int>}.
    It takes linear time.

    @return: the text, without control characters.
    """
    text = _CONTROLS.sub("", text)
    end = text.rfind(">") + 1
    return _BEGINNING.sub(r"\g<0> ", text[:end]) + text[end:]


def clean_name(name: str) -> str:
    """
    Clean a name, which other games write into the middle of a line.

    Besides what L{clean} drops, it has no fillers and no marks that turn lines around, white space is one blank between
    words, and a letter has at most L{MARKS} marks. A blank, an C{@}, and the joiners of Persian, Hindi and emoji stay.
    """
    if name.isascii():
        if name.isalnum():
            return name
        if name.isprintable() and "<" not in name and "  " not in name:
            return name.strip()
        return " ".join(clean(name).split())
    if name.isalnum() and not _HIDDEN.search(name):
        return name
    # First, since what is hidden could hide a tag.
    name = " ".join(clean(_HIDDEN.sub("", name)).split())
    kept, marks = [], MARKS
    for character in name:
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else marks if kind == "Cf" else 0
        if marks <= MARKS:
            kept.append(character)
    return "".join(kept)


def is_line(text: str) -> bool:
    """
    Does a text fit on one line as it is: without anything that L{clean} drops, and without tabs and line breaks?

    Other characters that are not printable are allowed: Persian, Hindi and many emoji need joiners.
    """
    return clean(text) == text and not _BREAKS.search(text)


def too_long(text: str, characters: int, size: int) -> bool:
    """
    Does a text have more characters, or more bytes in UTF-8, than allowed?

    @param characters: the maximum number of characters; 0 for no limit.
    @param size: the maximum number of bytes; 0 for no limit.
    """
    return bool(characters and len(text) > characters) or bool(
        # A character has at most four bytes, so most texts need not be encoded.
        size and len(text) * 4 > size and len(text.encode()) > size
    )


def shortened(text: str, characters: int, size: int) -> str:
    """
    Cut a text that is L{too_long}, so that it fits with a mark at its end.

    @param characters: the maximum number of characters; 0 for no limit.
    @param size: the maximum number of bytes, at least those of the mark; 0 for no limit.
    """
    if not too_long(text, characters, size):
        return text
    if characters:
        text = text[: characters - 1]
    if size:
        text = text.encode()[: size - len(_CUT.encode())].decode(errors="ignore")
    return text + _CUT


def timestamp(now: float, precision: str = "milliseconds") -> str:
    """
    A time in the format of the protocol.

    @param now: seconds since the epoch.
    @param precision: C{milliseconds} or C{seconds}.
    """
    return datetime.fromtimestamp(now, UTC).isoformat(timespec=precision).replace("+00:00", "Z")
