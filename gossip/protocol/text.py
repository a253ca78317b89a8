"""
What may cross between worlds: text without control characters and without tags; and how a time is written.

The world at the other end is a terminal, a browser or a MUD that speaks MXP: what one game lets its players type must
never become a command there. What is talk stays talk: C{I <3 you > me} crosses whole.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

# C0 but TAB, LF and CR; DEL; C1; the embedding, override and isolate marks that turn lines around (Unicode UAX 9).
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")

_BREAKS: Final = re.compile("[\t\n\r\u2028\u2029]")

# The whole run of "<" goes, or what stands before the tag would open a new one: "<<b>b>". The look-behind and the
# possessive quantifiers keep it linear.
_TAG: Final = re.compile(r"(?<!<)<++[A-Za-z/!][^>]*+>")


def clean(text: str) -> str:
    """
    Drop control characters, then tags (protocol specification, channels/send). Takes linear time.

    Nothing else changes: no trimming, no normalisation.
    """
    if text.isprintable() and "<" not in text:
        return text
    text = _CONTROLS.sub("", text)
    # Past the last ">" nothing is a tag, and every "<" would search to the end in vain: quadratic.
    end = text.rfind(">") + 1
    return _TAG.sub("", text[:end]) + text[end:]


def is_line(text: str) -> bool:
    """
    Can a text stand on one line as it is: without what L{clean} drops, and without tabs and ends of lines?

    Other marks that are not printable stay: Persian, Hindi and half of all emoji need joiners.
    """
    return clean(text) == text and not _BREAKS.search(text)


def too_long(text: str, characters: int, size: int) -> bool:
    """
    Whether a text has more than so many characters, or bytes in UTF-8.

    @param characters: the most characters, 0 for no such limit.
    @param size: the most bytes, 0 for no such limit.
    """
    return bool(characters and len(text) > characters) or bool(
        # A character has at most four bytes: most texts need no encoding to know.
        size and len(text) * 4 > size and len(text.encode()) > size
    )


def timestamp(now: float, precision: str = "milliseconds") -> str:
    """
    A time as the protocol writes it.

    @param now: seconds since the epoch.
    @param precision: C{milliseconds} or C{seconds}.
    """
    return datetime.fromtimestamp(now, UTC).isoformat(timespec=precision).replace("+00:00", "Z")
