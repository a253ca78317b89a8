"""
Turns: a bounded number of checks runs at once, and the places that they come from take turns.

No limit counts right passwords. In a single queue, a few places with an account each would keep everybody else out.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable
from typing import Final

from twisted.internet.defer import Deferred, succeed

AT_ONCE: Final = 2
"""How many turns run at once: to check a password takes a thread and 19 MiB."""

WAITING: Final = 20
"""The maximum number of turns that wait."""

OF_ONE_PLACE: Final = 5
"""The maximum number of turns of one place."""

Waiting = deque["Deferred[None]"]


class Turns:
    """A queue in which each place has a line of its own."""

    def __init__(self, busy: Callable[[], Exception]) -> None:
        """
        @param busy: makes what is raised when there are too many.
        """
        self._busy = busy
        self._running = 0
        self._held: Counter[Hashable] = Counter()
        # The place whose turn is next stands first.
        self._lines: dict[Hashable, Waiting] = {}

    def take(self, place: Hashable) -> Deferred[None]:
        """
        Wait for a turn. When all places of the queue are taken, the longest line loses its last one to a shorter line.

        @return: fires when the turn begins; fails with what C{busy} makes if it has to give way to another place. A
            turn that is cancelled leaves the queue.
        @raise Exception: what C{busy} makes: there are too many.
        """
        if self._held[place] >= OF_ONE_PLACE:
            raise self._busy()
        if self._running < AT_ONCE:
            self._running += 1
            self._held[place] += 1
            return succeed(None)
        if sum(map(len, self._lines.values())) >= WAITING:
            self._make_room(place)
        turn: Deferred[None] = Deferred(lambda turn: self._leave_line(place, turn))
        self._held[place] += 1
        self._lines.setdefault(place, deque()).append(turn)
        return turn

    def end(self, place: Hashable) -> None:
        """A turn is over: the next place has one."""
        self._let_go(place)
        self._running -= 1
        if self._lines:
            next_place = next(iter(self._lines))
            line = self._lines.pop(next_place)
            turn = line.popleft()
            if line:
                self._lines[next_place] = line
            self._running += 1
            turn.callback(None)

    def _make_room(self, place: Hashable) -> None:
        longest = max(self._lines, key=lambda each: len(self._lines[each]))
        if len(self._lines[longest]) <= len(self._lines.get(place, ())) + 1:
            raise self._busy()
        last = self._lines[longest][-1]
        self._leave_line(longest, last)
        last.errback(self._busy())

    def _leave_line(self, place: Hashable, turn: Deferred[None]) -> None:
        line = self._lines[place]
        line.remove(turn)
        if not line:
            del self._lines[place]
        self._let_go(place)

    def _let_go(self, place: Hashable) -> None:
        self._held[place] -= 1
        if not self._held[place]:
            del self._held[place]
