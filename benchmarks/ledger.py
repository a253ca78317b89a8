"""
Every delivery accounted for: what was said, what was acknowledged, who heard it.

What a session says in one place (a channel, the sign-ins of players, or the tells to one game) is a stream, numbered
from 0. A session that
hears the place hears of each stream, from the first message that was said after it had joined, every number once and in
order. What was acknowledged before it asked for something must be heard before the answer comes.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from typing import Final

COMPLAINTS: Final = 50
"""So many are kept in words; the rest is counted."""

Name = tuple[str, int, str]
"""Of a stream: the game, which of its sessions, and the place."""


class Stream:
    """
    What one session says in one place.

    @ivar acknowledged: so many of the first messages were acknowledged.
    @ivar over: nothing more will be said.
    """

    def __init__(self, name: Name) -> None:
        self.name = name
        self.acknowledged = 0
        self.over = False
        self._said = array("Q")

    def say(self, moment: int) -> int:
        """Something is said; returns its number."""
        self._said.append(moment)
        return len(self._said) - 1

    def before(self, moment: int) -> int:
        """How many messages had been said before a moment."""
        return bisect_left(self._said, moment)


class Ear:
    """What one session hears of one place, from now on."""

    def __init__(self, ledger: Ledger, game: str, place: str) -> None:
        self.place = place
        self.since = ledger.moment()
        self._ledger = ledger
        self._game = game
        self.due: dict[Name, int] = {}

    def hear(self, name: Name, number: int) -> None:
        """It heard a message."""
        ledger = self._ledger
        ledger.heard += 1
        due = self.due.get(name)
        if due is None:
            stream = ledger.stream(name)
            if stream is None:
                ledger.complain(f"{self._game} heard {name} {number}, which nobody said")
                return
            if number > stream.before(self.since):
                ledger.complain(f"{self._game} missed the first of {name}: heard {number}")
        elif number != due:
            ledger.complain(f"{self._game} heard {name} {number} in place of {due}")
        if name[0] == self._game:
            ledger.complain(f"{self._game} heard itself")
        self.due[name] = number + 1

    def check(self, promised: Iterable[tuple[Stream, int]]) -> None:
        """Is everything there that had been acknowledged when L{Ledger.promised} was asked?"""
        for stream, acknowledged in promised:
            if stream.over or stream.name[0] == self._game:
                continue
            heard = self.due.get(stream.name, 0)
            if acknowledged > max(heard, stream.before(self.since)):
                self._ledger.complain(f"{self._game} heard {heard} of {stream.name}, of {acknowledged} acknowledged")


class Ledger:
    """
    The books of a soak.

    @ivar heard: how many deliveries there were.
    @ivar complaints: what was wrong, the first of it.
    @ivar wrong: how much was wrong.
    @ivar happened: how often everything happened.
    @ivar kept: how many messages of each stream were acknowledged, of those that are over too.
    """

    def __init__(self) -> None:
        self._places: dict[str, dict[Name, Stream]] = {}
        self.heard = 0
        self.wrong = 0
        self.complaints: list[str] = []
        self.happened: Counter[str] = Counter()
        self.kept: dict[Name, int] = {}
        self._moment = 0
        self._began = time.monotonic()

    def complain(self, what: str) -> None:
        """Something is wrong."""
        self.wrong += 1
        what = f"after {time.monotonic() - self._began:.1f} s: {what}"
        if len(self.complaints) < COMPLAINTS:
            self.complaints.append(what)

    def moment(self) -> int:
        """A number that grows: before and after, without a clock."""
        self._moment += 1
        return self._moment

    # Streams.

    def open(self, game: str, session: int, place: str) -> Stream:
        """A session is going to say something in a place."""
        name = (game, session, place)
        stream = self._places.setdefault(place, {})[name] = Stream(name)
        return stream

    def stream(self, name: Name) -> Stream | None:
        """What a session said in a place, if it is not long ago."""
        return self._places.get(name[2], {}).get(name)

    def say(self, stream: Stream) -> int:
        """It says something there; returns its number."""
        return stream.say(self.moment())

    def promised(self, place: str) -> list[tuple[Stream, int]]:
        """How much of each stream in a place is acknowledged now."""
        streams = self._places.get(place, {}).values()
        return [(stream, stream.acknowledged) for stream in streams if stream.acknowledged]

    def acknowledge(self, stream: Stream, number: int) -> None:
        """A message was acknowledged."""
        if number != stream.acknowledged:
            self.complain(f"{stream.name} {number} was acknowledged in place of {stream.acknowledged}")
        stream.acknowledged = number + 1
        self.kept[stream.name] = number + 1

    def forget(self, ears: Iterable[Ear]) -> None:
        """Drop the streams that are over, and what the ears know of them: a soak may take hours."""
        over: dict[str, list[Name]] = {}
        for place, streams in self._places.items():
            over[place] = [name for name, stream in streams.items() if stream.over]
            for name in over[place]:
                del streams[name]
        for ear in ears:
            for name in over.get(ear.place, ()):
                ear.due.pop(name, None)
