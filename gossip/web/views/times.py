"""
Times on pages. One element shows one time, date and clock from the same source.

The server writes it in UTC, and says so where a date or a clock stands alone. The script of every page writes it again
in the zone of the reader, in the same words, so that no two times on a page are in different zones.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Literal

from markupsafe import Markup, escape

from gossip.web.views.formatting import clock, date, day, iso, moment, span

Form = Literal["clock", "seconds", "day", "date", "minute", "ago"]
"""How much of a time is shown; the script of every page has the same forms."""

_NEAR: Final = 1.0
_STAMP: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)")


def time_tag(at: float | str, form: Form = "minute", now: float | None = None) -> Markup:
    """
    A time as an element of a page.

    @param at: seconds since the epoch, or text as in C{2026-11-23T02:00:00Z}.
    @param form: how much of it is shown: C{clock} 02:00, C{seconds} 02:00:07, C{day} Monday, 23 November 2026, C{date}
        23 Nov 2026, C{minute} 23 Nov 2026, 02:00, C{ago} 3 hours ago.
    @param now: the time of the page, for C{ago}.
    """
    seconds = datetime.fromisoformat(at).timestamp() if isinstance(at, str) else at
    return Markup('<time class="{}" datetime="{}">{}</time>').format(form, iso(seconds), written(seconds, form, now))


def localised(text: str) -> Markup:
    """A text of the network with the times in it as elements: until when somebody is muted, for example."""
    parts = _STAMP.split(text)
    return Markup("").join(time_tag(part) if at % 2 else escape(part) for at, part in enumerate(parts))


def written(seconds: float, form: Form, now: float | None = None) -> str:
    """The text of a time, in UTC."""
    when = date(seconds)
    short = f"{when.day} {when:%b} {when.year}"
    match form:
        case "clock":
            return clock(seconds)
        case "seconds":
            return moment(seconds)
        case "day":
            return day(seconds)
        case "date":
            return short
        case "minute":
            return f"{short}, {clock(seconds)} UTC"
        case "ago":
            return _ago(seconds - (seconds if now is None else now))


def _ago(away: float) -> str:
    if abs(away) < _NEAR:
        return "now"
    return f"in {span(away)}" if away > 0 else f"{span(-away)} ago"
