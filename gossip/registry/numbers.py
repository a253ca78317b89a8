"""
Where the next numbers of messages and reports come from.

In one daemon they come from memory. Several daemons on one network need one source for all of them.

A number is given once, forever: games resume from it, links contain it, and moderators write it down. This holds even
after a restore of an older backup, which does not know the numbers that were given since. So a daemon starts to count
above all of these, and each helps where another fails:

 - The highest number in the database. The numbers of a network that runs since before the other two were there go on.
 - The time: a number is at least as high as the microseconds (of a message) or minutes (of a report) since 2026. No
   channel has a million messages per second, and no network a report per minute, so this is above everything that an
   earlier daemon has given, on whichever machine, whatever was lost. Microseconds stay below 2**53, which every JSON
   parser reads exactly, until the year 2311; minutes are short enough to be typed.
 - A mark in the data directory, outside the database: up to where the last daemon may have counted. It holds if the
   clock was set back, and for reports that come right after a start.

Nothing is asked of games: to them it is a gap, which they know. A new epoch would have to be understood by each client.
"""

from __future__ import annotations

from typing import Annotated, Final, Protocol

from msgspec import Meta, Struct

EPOCH: Final = 1767225600
"""When the numbers that go by the time begin: at the start of 2026, in seconds since 1970."""

JUMP: Final = 1000
"""How far message numbers jump past the highest stored one at the start: the last ones given may not be stored."""

MESSAGES: Final = 10**9
"""How far above its start a daemon marks message numbers as given: more than a channel has between two starts."""

REPORTS: Final = 1000
"""The same, for reports."""

_MOST: Final = 2**52
"""A higher number is a mistake: of the clock, or in the file of the mark. From here, numbers can grow to 2**53."""


class Mark(Struct, frozen=True):
    """
    Numbers up to these have been given, or may have been.

    @ivar message: on any channel.
    @ivar report: of a report.
    """

    message: Annotated[int, Meta(ge=0, le=_MOST)] = 0
    report: Annotated[int, Meta(ge=0, le=2**31 - 1 - REPORTS)] = 0


def start(stored: Mark, marked: Mark, now: float) -> Mark:
    """
    The numbers above which a daemon starts to count.

    @param stored: the highest numbers in the database.
    @param marked: what an earlier daemon has marked: see L{reserved}.
    @param now: the time, in seconds since 1970.
    """
    seconds = max(now - EPOCH, 0.0)
    if seconds * 10**6 > _MOST:
        seconds = 0.0
    return Mark(
        max(stored.message + JUMP, marked.message, int(seconds * 10**6)),
        max(stored.report, marked.report, int(seconds / 60)),
    )


def reserved(start: Mark) -> Mark:
    """What a daemon marks at its start: up to where it may count."""
    return Mark(start.message + MESSAGES, start.report + REPORTS)


class Numbers(Protocol):
    """A source of numbers. Each number is given once; numbers only grow, and gaps are allowed."""

    def next_message(self, channel: str) -> int:
        """The number of the next message in a channel. Each channel has numbers of its own."""

    def highest_message(self, channel: str) -> int:
        """No message of a channel has a higher number than this."""

    def next_report(self) -> int:
        """The number of the next report."""

    def message_given(self, channel: str, number: int) -> None:
        """A message of a channel has this number, wherever it was given."""

    def report_given(self, number: int) -> None:
        """A report has this number, wherever it was given."""


class NumbersInMemory:
    """Counts in memory, for a daemon that is alone."""

    def __init__(self, start: Mark = Mark()) -> None:
        """@param start: count above these."""
        self._start = start.message
        self._messages: dict[str, int] = {}
        self._reports = start.report

    def next_message(self, channel: str) -> int:
        number = self._messages[channel] = self._messages.get(channel, self._start) + 1
        return number

    def highest_message(self, channel: str) -> int:
        return self._messages.get(channel, self._start)

    def next_report(self) -> int:
        self._reports += 1
        return self._reports

    def message_given(self, channel: str, number: int) -> None:
        self._messages[channel] = max(number, self.highest_message(channel))

    def report_given(self, number: int) -> None:
        self._reports = max(number, self._reports)


class NumbersHeard:
    """
    The numbers of a network of several nodes, as one node knows them: its database gives the numbers of messages, and
    a report has its number only if nobody else made one first.
    """

    def __init__(self) -> None:
        self._messages: dict[str, int] = {}
        self._reports = 0

    def next_message(self, channel: str) -> int:
        """The database replaces this."""
        return 0

    def highest_message(self, channel: str) -> int:
        return self._messages.get(channel, 0)

    def next_report(self) -> int:
        return self._reports + 1

    def message_given(self, channel: str, number: int) -> None:
        self._messages[channel] = max(number, self._messages.get(channel, 0))

    def report_given(self, number: int) -> None:
        self._reports = max(number, self._reports)
