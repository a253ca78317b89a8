"""Limits on the number of connections, in total and for each address."""

from __future__ import annotations

from collections import Counter
from typing import Final, Protocol

from gossip.registry.addresses import Address


class ConnectionLimits(Protocol):
    """The part of a configuration that limits connections; 0 is no limit."""

    @property
    def connections(self) -> int: ...
    @property
    def connections_per_address(self) -> int: ...
    @property
    def unauthenticated_per_address(self) -> int: ...


RESERVED_FILES: Final = 256
"""How many open files are kept for everything but connections: the database, the log, listeners, gossipctl."""


REFUSED_AT_ONCE: Final = 16
"""How many connections can be told at the same time that there is no room."""


def room_for(connections: int, files: int) -> int:
    """
    How many connections to accept, so that there is a file to open for each.

    @param connections: the limit of connections; 0 for none.
    @param files: the limit of open files; 0 for none.
    @return: 0 for no limit.
    """
    if not files:
        return connections
    room = files - min(RESERVED_FILES, files // 4)
    return min(connections or room, room)


class Room:
    """
    Counts the connections of all listeners together: each takes an open file, also while it is being refused.

    @ivar most: the maximum number; 0 for no limit.
    @ivar taken: how many there are.
    """

    def __init__(self, most: int = 0) -> None:
        self.most = most
        self.taken = 0

    @property
    def full(self) -> bool:
        """Whether a new connection is to be refused."""
        return 0 < self.most <= self.taken

    @property
    def crowded(self) -> bool:
        """Whether a new connection is to be closed at once: enough others are being refused in a polite way."""
        return 0 < self.most <= self.taken - REFUSED_AT_ONCE

    def enter(self) -> None:
        """A connection begins."""
        self.taken += 1

    def leave(self) -> None:
        """A connection has ended."""
        self.taken -= 1


class Admission:
    """
    Counts connections. A limit of 0 is no limit. The 2**64 IPv6 addresses of one site count as one address.

    @ivar total: the maximum number of connections.
    @ivar per_address: the maximum number from one address.
    @ivar waiting_per_address: the maximum number from one address that have not authenticated.
    """

    def __init__(self, total: int = 0, per_address: int = 0, waiting_per_address: int = 0) -> None:
        self.total = total
        self.per_address = per_address
        self.waiting_per_address = waiting_per_address
        self._count = 0
        self._addresses: Counter[Address] = Counter()
        self._waiting: Counter[Address] = Counter()

    def allow(self, limits: ConnectionLimits) -> None:
        """Follow these limits from now on; connections that are open stay."""
        self.total = limits.connections
        self.per_address = limits.connections_per_address
        self.waiting_per_address = limits.unauthenticated_per_address

    def __len__(self) -> int:
        """How many connections are admitted now."""
        return self._count

    def admit(self, address: Address) -> bool:
        """
        Count a new connection, if there is room for it.

        @return: whether there is; if so, call L{left} when the connection ends.
        """
        place = address.place
        for count, limit in (
            (self._count, self.total),
            (self._addresses[place], self.per_address),
            (self._waiting[place], self.waiting_per_address),
        ):
            if limit and count >= limit:
                return False
        self._count += 1
        self._addresses[place] += 1
        self._waiting[place] += 1
        return True

    def authenticated(self, address: Address) -> None:
        """An admitted connection has authenticated."""
        _decrease(self._waiting, address.place)

    def left(self, address: Address, authenticated: bool) -> None:
        """An admitted connection has ended."""
        self._count -= 1
        place = address.place
        _decrease(self._addresses, place)
        if not authenticated:
            _decrease(self._waiting, place)


def _decrease(counter: Counter[Address], place: Address) -> None:
    counter[place] -= 1
    if not counter[place]:
        del counter[place]
