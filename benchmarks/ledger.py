"""
Accounts for every delivery: which messages were sent, acknowledged and received.

The messages of a session in one place (a channel, the sign-ins of players, or the tells to one game) are a stream,
numbered from 0. A session in that place must receive every number of each stream once and in order, starting with the
first message that was sent after it joined. It must receive everything that was acknowledged before it made a request
before the answer to that request arrives.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from typing import Final

COMPLAINTS: Final = 50
"""How many complaints are kept as text. The rest is only counted."""

Name = tuple[str, int, str]
"""The name of a stream: the game, the number of its session, and the place."""


class Stream:
    """
    The messages of one session in one place.

    @ivar acknowledged: how many messages, from the first on, were acknowledged.
    @ivar over: no more messages will come.
    """

    def __init__(self, name: Name) -> None:
        self.name = name
        self.acknowledged = 0
        self.over = False
        self._said = array("Q")

    def say(self, moment: int) -> int:
        """Add a message; return its number."""
        self._said.append(moment)
        return len(self._said) - 1

    def before(self, moment: int) -> int:
        """How many messages were sent before a moment."""
        return bisect_left(self._said, moment)


class Ear:
    """The messages that one session receives in one place, from now on."""

    def __init__(self, ledger: Ledger, game: str, place: str) -> None:
        self.place = place
        self.since = ledger.moment()
        self._ledger = ledger
        self._game = game
        self.due: dict[Name, int] = {}

    def hear(self, name: Name, number: int) -> None:
        """The session received a message."""
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
        ledger.most[name] = max(ledger.most.get(name, 0), number + 1)

    def check(self, promised: Iterable[tuple[Stream, int]]) -> None:
        """Check that everything arrived that was acknowledged when L{Ledger.promised} was called."""
        for stream, acknowledged in promised:
            if stream.over or stream.name[0] == self._game:
                continue
            heard = self.due.get(stream.name, 0)
            if acknowledged > max(heard, stream.before(self.since)):
                self._ledger.complain(f"{self._game} heard {heard} of {stream.name}, of {acknowledged} acknowledged")


class Ledger:
    """
    The books of a soak.

    @ivar heard: the number of deliveries.
    @ivar complaints: the first errors, as text.
    @ivar wrong: the number of errors.
    @ivar happened: how often each thing happened.
    @ivar kept: how many messages of each stream were acknowledged, including streams that are over.
    @ivar most: how many messages of each stream somebody heard.
    """

    def __init__(self) -> None:
        self._places: dict[str, dict[Name, Stream]] = {}
        self.heard = 0
        self.wrong = 0
        self.complaints: list[str] = []
        self.happened: Counter[str] = Counter()
        self.kept: dict[Name, int] = {}
        self.most: dict[Name, int] = {}
        self._moment = 0
        self._began = time.monotonic()

    def complain(self, what: str) -> None:
        """Note an error."""
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
        """Begin the stream of a session in a place."""
        name = (game, session, place)
        stream = self._places.setdefault(place, {})[name] = Stream(name)
        return stream

    def stream(self, name: Name) -> Stream | None:
        """The stream of a session in a place, if it was not dropped yet."""
        return self._places.get(name[2], {}).get(name)

    def say(self, stream: Stream) -> int:
        """Note a message of a session in a place; return its number."""
        return stream.say(self.moment())

    def promised(self, place: str) -> list[tuple[Stream, int]]:
        """How many messages of each stream in a place are acknowledged now."""
        streams = self._places.get(place, {}).values()
        return [(stream, stream.acknowledged) for stream in streams if stream.acknowledged]

    def acknowledge(self, stream: Stream, number: int) -> None:
        """A message was acknowledged."""
        if number != stream.acknowledged:
            self.complain(f"{stream.name} {number} was acknowledged in place of {stream.acknowledged}")
        stream.acknowledged = number + 1
        self.kept[stream.name] = number + 1

    def forget(self, ears: Iterable[Ear]) -> None:
        """Drop the streams that are over, here and in the ears: a soak can take hours."""
        over: dict[str, list[Name]] = {}
        for place, streams in self._places.items():
            over[place] = [name for name, stream in streams.items() if stream.over]
            for name in over[place]:
                del streams[name]
        for ear in ears:
            for name in over.get(ear.place, ()):
                ear.due.pop(name, None)
