"""What is the same for many connections that each have a wire format of their own: it is written once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gossip.protocol.server_events import ServerEvent

REMEMBERED: Final = 64
"""How many events are remembered: some more than come in one turn of the reactor."""


class WrittenOnce:
    """Events as they were written. An event is known by its identity, since equal ones are different events."""

    def __init__(self) -> None:
        self._written: dict[int, tuple[ServerEvent, bytes]] = {}

    def written(self, event: ServerEvent, write: Callable[[], bytes]) -> bytes:
        """
        What was written for an event.

        @param write: writes it, if it is new.
        """
        known = self._written.get(id(event))
        # The event is kept with it: no other one can have its identity meanwhile.
        if known is None:
            if len(self._written) >= REMEMBERED:
                self._written.clear()
            known = self._written[id(event)] = event, write()
        return known[1]
