"""
What a MUD is still to be told of the two lists of Intermud-3: those of MUDs and of channels. Without I/O.

A change is remembered, and not its packet: what a slow MUD is told at last is how it is then, and however much happens,
no more waits than there are MUDs and channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final, Protocol

from msgspec import Struct

from gossip.transports.intermud3.mudmode import Value, write
from gossip.transports.intermud3.packets import FRAME_BYTES, TTL, Packet, Record, pages

CHANNELS: Final = 80
"""How many channels one packet lists; their names are short."""

_END: Final = b"]),})"
_AROUND: Final = 5
"""How many bytes a frame has beside its text: its length, and the NUL."""


class Entry(Struct, frozen=True):
    """
    A MUD in the list, as written.

    @ivar newest: for protocol 3.
    @ivar old: for protocols 1 and 2, which know less.
    """

    newest: bytes
    old: bytes
    up: bool


def entry(name: str, record: Record | None, up: bool = False) -> Entry:
    """
    Write a MUD of the list.

    @param record: what is told of it; C{None} if it is gone.
    """
    state = -1 if up else 0
    values: tuple[Value, Value] = (0, 0) if record is None else (record.value(state), record.value(state, 2))
    newest, old = (write({name: value})[2:-2] for value in values)
    return Entry(newest, old, up)


class Listed(Protocol):
    """What the lists say."""

    def entry(self, name: str) -> Entry:
        """A MUD."""

    def is_offered(self, channel: str) -> bool:
        """Whether MUDs know a channel by this name."""

    def number(self) -> int:
        """A new number for a list."""


class Lists:
    """What one MUD is still to be told."""

    def __init__(self, listed: Listed, router: str, mud: str, protocol: int) -> None:
        """
        @param router: the name of the router, as the MUD calls it.
        @param protocol: the version of the protocol that the MUD speaks.
        """
        self._listed = listed
        self._router = router
        self._mud = mud
        self._newest = protocol >= 3
        self._muds: dict[str, None] = {}
        self._channels: dict[str, None] = {}

    def muds_changed(self, names: Iterable[str]) -> None:
        """These MUDs came or went, or are different now."""
        self._muds.update(dict.fromkeys(names))

    def channels_changed(self, names: Iterable[str]) -> None:
        """These channels are newly offered, or no longer."""
        self._channels.update(dict.fromkeys(names))

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self._channels or self._muds)

    def next(self) -> tuple[str, bytes]:
        """Take the next packet: its type, and its frame. There must be something to tell."""
        if self._channels:
            return "chanlist-reply", self._next_channels()
        return "mudlist", self._next_muds()

    def _next_channels(self) -> bytes:
        names = [*islice(self._channels, CHANNELS)]
        entries: list[tuple[str, Value]] = []
        for name in names:
            del self._channels[name]
            entries.append((name, [self._router, 0] if self._listed.is_offered(name) else 0))
        return b"".join(pages("chanlist-reply", self._router, self._mud, self._listed.number(), entries))

    def _next_muds(self) -> bytes:
        packet = Packet("mudlist", TTL, self._router, "", self._mud, "", (self._listed.number(), {}))
        text = write(packet.value).removesuffix(_END)
        size = len(text) + len(_END) + _AROUND
        parts = [text]
        for name in [*self._muds]:
            written = self._listed.entry(name)
            part = written.newest if self._newest else written.old
            size += len(part)
            if size > FRAME_BYTES and len(parts) > 1:
                break
            parts.append(part)
            del self._muds[name]
        parts.append(_END)
        data = b"".join(parts)
        return (len(data) + 1).to_bytes(4, "big") + data + b"\0"
