"""
The wire between nodes: a group of changes and relays as the payloads of PostgreSQL notifications, and back.

A notification is a short text, and PostgreSQL delivers equal ones of a transaction only once. So a group is cut into
numbered parts. They arrive together and in their order, since one transaction sends all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from gossip.network.relays import Relayed
from gossip.registry.changes import Change, MessageSaid

PROTOCOL: Final = 2
"""
The version of what nodes write. A node reads its own and the one before, and writes what the oldest of all nodes reads.
So nodes are upgraded one after the other, by one version at a time.

New kinds of entries need no new version, nor do new fields with a default at the end: for a change that a node does not
know it reads everything anew, and it ignores a relay. What an older node would get wrong needs one.

In version 1 nobody writes L{Judged}: see L{gossip.cluster.judging}.
"""

PAYLOAD: Final = 7900
"""The maximum size of a payload, in bytes. PostgreSQL refuses 8000, and the whole transaction with it."""

NODE: Final = re.compile("[a-z0-9-]{1,20}")
"""The names that a node may have."""

_HEAD: Final = re.compile(
    r"([0-9]{1,9}) ([a-z0-9-]{1,20}) ([0-9a-f-]{36}) ([0-9]{1,18}) "
    r"([0-9]{1,6})/([0-9]{1,6}) ([0-9]{1,20}) ([0-9]{1,19}|-) "
)

_DATABASE: Final = 20 + 19 + 2
"""How many bytes the database adds: the number of the transaction and the last number of a message."""


class NodeJoined(Struct, frozen=True, tag=True, array_like=True):
    """The node that writes this began a new life: all its sessions are in the database."""


class NodeGone(Struct, frozen=True, tag=True, array_like=True):
    """
    A node is gone: it ended, or somebody declared it dead.

    @ivar epoch: the life of it that is over.
    """

    node: str
    epoch: str


class Judged(Struct, frozen=True, tag=True, array_like=True):
    """
    Changes of this group were judged by what was known.

    @ivar scope: which part of it; see L{gossip.cluster.judging.scope_of}.
    @ivar number: its position from now on: how many judged changes of it there were.
    """

    scope: str
    number: int


Entry = Change | Relayed | NodeJoined | NodeGone | Judged
"""What a group consists of."""

_write = msgspec.json.Encoder().encode
_change: Final = msgspec.json.Decoder(Change).decode
_relay: Final = msgspec.json.Decoder(Relayed | NodeJoined | NodeGone | Judged).decode
_items: Final = msgspec.json.Decoder(list[Raw]).decode


class Malformed(ValueError):
    """A payload that no node writes."""


class Unknown(Struct, frozen=True):
    """
    An entry that a node of a later release wrote.

    @ivar change: whether it changes what is known, so that it cannot be left out.
    """

    change: bool


class Group(Struct, frozen=True):
    """
    What a node wrote in one transaction.

    @ivar epoch: the life of the node, a UUID.
    @ivar number: counts the groups of an epoch.
    @ivar transaction: the number that the database gave to the transaction.
    @ivar entries: with the numbers that the database gave to messages.
    """

    protocol: int
    node: str
    epoch: str
    number: int
    transaction: int
    entries: tuple[Entry | Unknown, ...]


def written(protocol: int, node: str, epoch: str, number: int, entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """
    Write a group.

    @param protocol: what all nodes read.
    @param node: the name of this node.
    @return: for each part what comes before and what comes after that which the database adds: the number of its
        transaction and the number of the last message, or C{-}, with a space behind each.
    """
    body = _write(entries).decode()
    room = PAYLOAD - _DATABASE - len(_head(protocol, node, epoch, number, 999_999, 999_999))
    pieces = list(_cut(body, room))
    return [(_head(protocol, node, epoch, number, part, len(pieces)), piece) for part, piece in enumerate(pieces, 1)]


def _head(protocol: int, node: str, epoch: str, number: int, part: int, parts: int) -> str:
    return f"{protocol} {node} {epoch} {number} {part}/{parts} "


def _cut(text: str, room: int) -> Iterable[str]:
    """Cut a text into pieces of at most C{room} bytes in UTF-8, between characters."""
    data = text.encode()
    start = 0
    while start < len(data):
        end = min(start + room, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        yield data[start:end].decode()
        start = end


class Parts:
    """Puts the parts of groups together, as they arrive."""

    def __init__(self) -> None:
        self._head: tuple[str, ...] = ()
        self._bodies: list[str] = []

    def read(self, payload: str) -> Group | None:
        """
        Read a payload.

        @return: the group, if this was its last part.
        @raise Malformed: no node writes that. Parts that came before are dropped.
        """
        head = _HEAD.match(payload)
        if head is None:
            self._bodies.clear()
            raise Malformed("not a payload of a node")
        protocol, node, epoch, number, part, parts, transaction, last = head.groups()
        group = (protocol, node, epoch, number, parts, transaction)
        if int(part) == 1:
            self._head, self._bodies = group, []
        if group != self._head or int(part) != len(self._bodies) + 1 or int(part) > int(parts):
            self._bodies.clear()
            raise Malformed("a part of a group is missing")
        self._bodies.append(payload[head.end() :])
        if part != parts:
            return None
        entries = _entries("".join(self._bodies), None if last == "-" else int(last))
        self._bodies = []
        return Group(int(protocol), node, epoch, int(number), int(transaction), entries)


def _entries(body: str, last: int | None) -> tuple[Entry | Unknown, ...]:
    try:
        entries = [_entry(raw) for raw in _items(body)]
    except msgspec.DecodeError as error:
        raise Malformed(f"not a list of entries: {error}") from None
    said = [place for place, entry in enumerate(entries) if isinstance(entry, MessageSaid)]
    if said and last is None:
        raise Malformed("messages without a number")
    # They were numbered in one go, and no other node could take a number meanwhile.
    for number, place in enumerate(said, (last or 0) - len(said) + 1):
        entry = entries[place]
        assert isinstance(entry, MessageSaid)
        entries[place] = replace(entry, seq=number)
    return tuple(entries)


def _entry(raw: Raw) -> Entry | Unknown:
    # Relays are arrays, since there are many of them; changes are objects.
    relay = bytes(raw)[:1] == b"["
    try:
        entry: Entry = _relay(raw) if relay else _change(raw)
    except msgspec.ValidationError:
        return Unknown(change=not relay)
    return entry
