"""How many connections there may be, in all and from one address: who comes too many is told so before the upgrade."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from gossip.registry.addresses import place_of


class ConnectionLimits(Protocol):
    """Where a configuration says how many connections there may be; 0 is no limit."""

    @property
    def connections(self) -> int: ...
    @property
    def connections_per_address(self) -> int: ...
    @property
    def unauthenticated_per_address(self) -> int: ...


class Admission:
    """
    Counts connections. A limit of 0 is none. With IPv6 the 2**64 addresses that one place has count as one.

    @ivar total: how many connections there may be.
    @ivar per_address: how many from one address.
    @ivar waiting_per_address: how many from one address that have not authenticated.
    """

    def __init__(self, total: int = 0, per_address: int = 0, waiting_per_address: int = 0) -> None:
        self.total = total
        self.per_address = per_address
        self.waiting_per_address = waiting_per_address
        self._count = 0
        self._addresses: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()

    def allow(self, limits: ConnectionLimits) -> None:
        """Follow these limits from now on; who is there already stays."""
        self.total = limits.connections
        self.per_address = limits.connections_per_address
        self.waiting_per_address = limits.unauthenticated_per_address

    def __len__(self) -> int:
        """How many connections are admitted now."""
        return self._count

    def admit(self, address: str) -> bool:
        """
        Somebody connects: let him in if there is room. Who is let in must be taken note of by L{left}.
        """
        address = place_of(address)
        for count, limit in (
            (self._count, self.total),
            (self._addresses[address], self.per_address),
            (self._waiting[address], self.waiting_per_address),
        ):
            if limit and count >= limit:
                return False
        self._count += 1
        self._addresses[address] += 1
        self._waiting[address] += 1
        return True

    def authenticated(self, address: str) -> None:
        """Somebody who was let in has authenticated."""
        _decrease(self._waiting, place_of(address))

    def left(self, address: str, authenticated: bool) -> None:
        """Somebody who was let in is gone."""
        self._count -= 1
        address = place_of(address)
        _decrease(self._addresses, address)
        if not authenticated:
            _decrease(self._waiting, address)


def _decrease(counter: Counter[str], address: str) -> None:
    counter[address] -= 1
    if not counter[address]:
        del counter[address]
