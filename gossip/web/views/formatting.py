"""Text for pages: times, numbers, addresses, and the colours of names."""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

_TRANSPORTS: Final = {"imc2": "IMC2", "i3": "Intermud-3", "i3-gateway": "a gateway to Intermud-3"}
"""The names of transports for people, where they differ from those for programs."""

HUES: Final = 12
"""The number of colours for names; the style sheet has them as n0 to n11."""

_WEB: Final = re.compile(r"https?://[!-~]+", re.IGNORECASE)


def date(seconds: float) -> datetime:
    """The date and time, in UTC."""
    # A time from the database can have any value.
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def iso(seconds: float) -> str:
    """A time for programs: C{2026-11-23T02:00:00Z}."""
    return date(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(seconds: float) -> str:
    """The time of day, in UTC: C{02:00}."""
    return date(seconds).strftime("%H:%M")


def moment(seconds: float) -> str:
    """The time of day, in UTC, to the second: C{02:00:07}."""
    return date(seconds).strftime("%H:%M:%S")


def day(seconds: float) -> str:
    """The day, in UTC: C{Monday, 23 November 2026}."""
    when = date(seconds)
    return f"{when:%A}, {when.day} {when:%B} {when.year}"


def number(value: float) -> str:
    """A number for people: C{12,345}."""
    return f"{value:,}"


def count(value: int, what: str) -> str:
    """A number of something: C{1 game}, C{2 games}."""
    return f"{value:,} {what}" if value == 1 else f"{value:,} {what}s"


def sentence(text: str) -> str:
    """A reason as a sentence. Those of the registry start with a lower-case letter and have no full stop."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def shortened(text: str, most: int = 200) -> str:
    """The beginning of a text on one line, cut between words."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most].rpartition(' ')[0] or line[:most]} …"


def span(seconds: float) -> str:
    """A rough duration: C{3 days}."""
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return count(int(seconds // size), name)
    return count(int(seconds), "second")


def days(value: float, endless: bool = True) -> str:
    """
    For how long something is kept, to follow a verb: C{for 30 days}.

    @param endless: whether 0 means without an end.
    """
    if endless and not value:
        return "without an end"
    what, number = ("day", value) if value >= 1 else ("hour", value * 24)
    text = f"{number:g} {what}" if number == 1 else f"{number:g} {what}s"
    return f"for {text}" if endless else text


def hue(name: str) -> int:
    """The colour of a name, always the same for a name."""
    return zlib.crc32(name.lower().encode("utf-8", "replace")) % HUES


def web_address(url: object) -> str | None:
    """An address that is safe as a link; C{None} if it is not. This is a second check, after that of the registry."""
    return url if isinstance(url, str) and _WEB.fullmatch(url) else None


def host(url: str) -> str:
    """The host of a web address, for people."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def transport(name: str) -> str:
    """The name of a transport for people: C{Intermud-3}."""
    return _TRANSPORTS.get(name, name)
