"""A service that counts what each turn of the reactor looks at."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from tests.support.memory_service import MemoryService


class CountingService(MemoryService):
    """
    A service whose slices are counted.

    @ivar looked: what this turn looked at. Whoever watches something adds to it.
    @ivar turns: for each turn that is over, how much it looked at.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.looked: set[object] = set()
        self.turns: list[int] = []

    def next_turn(self) -> Deferred[None]:
        self._end_turn()
        return super().next_turn()

    def counted(self) -> list[int]:
        """The counts of all turns until now, from which the next ones start anew."""
        self._end_turn()
        turns, self.turns = self.turns, []
        return turns

    def _end_turn(self) -> None:
        self.turns.append(len(self.looked))
        self.looked.clear()
