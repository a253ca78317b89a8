"""
How much work a connection can ask of the daemon, in bytes that it sends.

Without I/O, since the configuration imports it.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

ITEM: Final = 512
"""What a frame, a telnet command or an empty line costs beside its own bytes: its work is that of so many bytes."""


class Budget(Struct, frozen=True, forbid_unknown_fields=True):
    """
    A leaky bucket of bytes.

    What a connection has used is one number: the time at which it has leaked away. That number is in the past for a
    connection that rests, and 0.0 for a new one, so that a connection needs no memory for a bucket.

    @ivar burst: how many bytes at once; 0 for no limit.
    @ivar per_second: how many bytes a second in the long run.
    """

    burst: int
    per_second: int

    def spend(self, empty_at: float, cost: int, now: float) -> float:
        """
        Use some of it.

        @param empty_at: when all that was used before has leaked away, in seconds on the steady clock.
        @param cost: in bytes.
        @return: when all of it has leaked away.
        """
        if not self.burst:
            return empty_at
        return (max(now, empty_at)) + cost / self.per_second

    def exceeded(self, empty_at: float, now: float) -> bool:
        """Whether more than the burst is in use."""
        return bool(self.burst) and (empty_at - now) * self.per_second > self.burst


NO_BUDGET: Final = Budget(0, 0)
"""No limit."""


class Budgets(Struct, frozen=True, forbid_unknown_fields=True):
    """
    What one connection can send.

    @ivar unauthenticated: until it has authenticated.
    @ivar authenticated: from then on.
    """

    unauthenticated: Budget = NO_BUDGET
    authenticated: Budget = NO_BUDGET
