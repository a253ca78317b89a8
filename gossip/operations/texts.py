"""Texts that the views of several commands share."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from gossip.operations.command import Result
from gossip.protocol.emotes import spoken
from gossip.registry.removals import stands_for

_DATE: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z?")


def time_of(text: str) -> float:
    """
    Read a date or a time, in UTC: 2026-11-20 or 2026-11-20T18:30.

    @return: seconds since the epoch.
    @raise ValueError: it is not like that.
    """
    if _DATE.fullmatch(text) or _TIME.fullmatch(text):
        try:
            return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC).timestamp()
        except (ValueError, OverflowError):
            pass
    raise ValueError(f"{text!r} is no date like 2026-11-20, and no time like 2026-11-20T18:30")


def end_of(text: str) -> float:
    """
    The same, where a span ends: that of a date is the end of the day.

    @raise ValueError: it is not like that.
    """
    return time_of(text) + (timedelta(days=1).total_seconds() if _DATE.fullmatch(text) else 0)


def minute(time: str | None) -> str:
    """Write a time for a column, to the minute; nothing for none."""
    return time[:16].replace("T", " ") if time else ""


def message_line(said: Result) -> str:
    """Write a message on one line: its channel, its sender and its text; of a removed one, why it was removed."""
    if said.get("removed") is not None:
        return f"[{said['channel']}] {said['game']}: {stands_for(said['removed'])}"
    return f"[{said['channel']}] {spoken(said['name'], said['game'], said['message'])}"
