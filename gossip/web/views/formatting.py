"""How pages say things: times, numbers, addresses, and the colours of names."""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

HUES: Final = 12
"""How many colours names have; the style sheet knows them as n0 to n11."""

_WEB: Final = re.compile(r"https?://[!-~]+", re.IGNORECASE)


def date(seconds: float) -> datetime:
    """The date and time, in UTC."""
    # What is shown is asked of the database, where anything may stand.
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def iso(seconds: float) -> str:
    """A time for machines: C{2026-11-23T02:00:00Z}."""
    return date(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(seconds: float) -> str:
    """The time of the day, in UTC: C{02:00}."""
    return date(seconds).strftime("%H:%M")


def moment(seconds: float) -> str:
    """The time of the day, in UTC, to the second: C{02:00:07}."""
    return date(seconds).strftime("%H:%M:%S")


def day(seconds: float) -> str:
    """The day, in UTC: C{Monday, 23 November 2026}."""
    when = date(seconds)
    return f"{when:%A}, {when.day} {when:%B} {when.year}"


def number(value: float) -> str:
    """A number that people can read: C{12,345}."""
    return f"{value:,}"


def count(value: int, what: str) -> str:
    """So many of something."""
    return f"{value:,} {what}" if value == 1 else f"{value:,} {what}s"


def sentence(text: str) -> str:
    """What somebody is told as a sentence of its own: the registry and others begin small, and end without a stop."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def span(seconds: float) -> str:
    """How long something lasts, roughly: C{3 days}."""
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return count(int(seconds // size), name)
    return count(int(seconds), "second")


def hue(name: str) -> int:
    """The colour of a name: always the same one."""
    return zlib.crc32(name.lower().encode("utf-8", "replace")) % HUES


def web_address(url: object) -> str | None:
    """An address that may become a link; C{None} if it is none. The registry lets only such in; look twice."""
    return url if isinstance(url, str) and _WEB.fullmatch(url) else None


def host(url: str) -> str:
    """The name in a web address, for people."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url
