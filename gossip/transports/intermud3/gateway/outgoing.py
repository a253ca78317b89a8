"""
What waits to be sent to the router, at a pace that it bears. Without I/O.

A router drops everything of a MUD that sends more than 10 packets in a second.
"""

from __future__ import annotations

from collections import deque
from typing import Final

AT_ONCE: Final = 8
"""How many packets may leave at once."""

PER_SECOND: Final = 4
"""How many packets a second leave in the long run."""

IN_ANY_SECOND: Final = 10
"""How many packets leave in any second, at most."""

PATIENCE: Final = 20.0
"""How long a packet waits before it is dropped, in seconds."""

WAITING: Final = 200
"""At most this many packets of each kind wait."""

_ROUNDING: Final = 1e-6


class Outgoing:
    """
    A queue and a leaky bucket. What is urgent leaves first: it is dropped last.

    @ivar dropped: how many packets waited too long, or found the queue full.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._urgent: deque[tuple[float, bytes]] = deque()
        self._others: deque[tuple[float, bytes]] = deque()
        self._level = 0.0
        self._at = 0.0
        self._left: deque[float] = deque()

    def __len__(self) -> int:
        return len(self._urgent) + len(self._others)

    def clear(self) -> None:
        """The link is gone: nothing waits any more."""
        self._urgent.clear()
        self._others.clear()

    def add(self, frame: bytes, urgent: bool, now: float) -> None:
        """Let a packet wait for its turn."""
        queue = self._urgent if urgent else self._others
        if len(queue) >= WAITING:
            self.dropped += 1
        else:
            queue.append((now, frame))

    def count(self, packets: int, now: float) -> None:
        """Something was sent past the queue, which counts as this many packets."""
        self._leak(now)
        self._level += packets
        self._left.extend([now] * packets)

    def due(self, now: float) -> list[bytes]:
        """Take what may leave now."""
        for queue in (self._urgent, self._others):
            while queue and queue[0][0] + PATIENCE <= now:
                queue.popleft()
                self.dropped += 1
        frames = []
        while self and self._wait(now) <= _ROUNDING:
            queue = self._urgent or self._others
            frames.append(queue.popleft()[1])
            self.count(1, now)
        return frames

    def wait(self, now: float) -> float | None:
        """How many seconds it is until something may leave; C{None} if nothing waits."""
        return max(0.0, self._wait(now)) if self else None

    def _leak(self, now: float) -> None:
        self._level = max(0.0, self._level - (now - self._at) * PER_SECOND)
        self._at = now
        while self._left and self._left[0] + 1 <= now:
            self._left.popleft()

    def _wait(self, now: float) -> float:
        self._leak(now)
        full = (self._level + 1 - AT_ONCE) / PER_SECOND
        crowded = self._left[-IN_ANY_SECOND] + 1 - now if len(self._left) >= IN_ANY_SECOND else 0.0
        return max(full, crowded)
