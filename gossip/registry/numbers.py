"""
Where the next numbers of messages and reports come from.

In one daemon they come from memory. Several daemons on one network need one source for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

JUMP: Final = 1000
"""How far the message numbers of a channel jump at the start: the last messages heard may not have been stored."""


class Numbers(Protocol):
    """A source of numbers. Each number is given once; numbers only grow, and gaps are allowed."""

    def next_message(self, channel: str) -> int:
        """The number of the next message in a channel. Each channel has numbers of its own."""

    def next_report(self) -> int:
        """The number of the next report."""


class NumbersInMemory:
    """Counts in memory, for a daemon that is alone."""

    def __init__(self, messages: Mapping[str, int] | None = None, reports: int = 0) -> None:
        """
        @param messages: the highest stored message number of each channel. Numbers continue with a gap of L{JUMP}.
        @param reports: the highest stored number of a report; 0 if there is none.
        """
        self._messages = {channel: highest + JUMP for channel, highest in (messages or {}).items()}
        self._reports = reports

    def next_message(self, channel: str) -> int:
        number = self._messages[channel] = self._messages.get(channel, 0) + 1
        return number

    def next_report(self) -> int:
        self._reports += 1
        return self._reports
