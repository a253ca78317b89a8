"""Which channels MUDs of Intermud-3 are offered, by which names, and when their wishes to hear them are carried out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from gossip.registry.names import CHANNEL_NAME

OF_LIBRARIES: Final = frozenset(
    ("gossip", "newbie", "cre", "admin", "error", "cleric", "explorer", "fighter", "mage", "thief")
)
"""Channels that are local in the mudlib Dead Souls: it never sends what players say on one of this name to a router."""

PREFIX: Final = "imud_"
"""What the names of such channels begin with for MUDs, which show them to players as an intermud channel."""

WISHES_AT_ONCE: Final = 4
"""How many wishes to hear a channel, or no longer, are carried out at once. Then it is one a second."""

_PAIR: Final = re.compile("([^= ]{1,64})=([A-Za-z0-9_-]{1,32})")


class Offer(Struct, frozen=True):
    """
    The channels that are offered.

    @ivar here: what the network calls each, by its name for MUDs.
    @ivar there: the name for MUDs, by what the network calls it.
    """

    here: Mapping[str, str] = {}
    there: Mapping[str, str] = {}

    def news(self, before: Offer) -> Iterator[tuple[str, bool]]:
        """Each name for MUDs that is offered now and was not before, with C{True}; and the other way, with C{False}."""
        yield from ((name, True) for name in self.here if name not in before.here)
        yield from ((name, False) for name in before.here if name not in self.here)


def configured(pairs: Iterable[str]) -> dict[str, str]:
    """
    Read the channels that are always offered.

    @param pairs: each as C{name=name for MUDs}.
    @return: the names for MUDs, by what the network calls the channels.
    @raise ValueError: one is no such pair, or a name is there twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        match = _PAIR.fullmatch(pair)
        if match is None:
            raise ValueError(f"{pair!r} is not a channel and its name for Intermud-3, such as gossip=imud_gossip")
        here, there = match.groups()
        if here in found or there in found.values():
            raise ValueError(f"{pair!r} names a channel for the second time")
        found[here] = there
    return found


def offered(always: Mapping[str, str], visible: Iterable[str]) -> Offer:
    """
    Which channels are offered.

    @param always: the names for MUDs of those that always are, by what the network calls them.
    @param visible: what the network calls the channels that are not hidden. One whose name is not plain is left out,
        and so is one whose name for MUDs another one has.
    """
    there = {**always}
    taken = {*always.values()}
    for channel in sorted(visible):
        name = f"{PREFIX}{channel}" if channel.lower() in OF_LIBRARIES else channel
        if channel not in there and name not in taken and CHANNEL_NAME.fullmatch(channel):
            there[channel] = name
            taken.add(name)
    return Offer({name: channel for channel, name in there.items()}, there)


class Wishes:
    """
    What a MUD wants to hear. Mudlibs ask for every channel at once, which must not count as abuse.

    The latest wish for a channel counts, and a wish is only carried out if it changes anything.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, bool] = {}
        self._heard: set[str] = set()
        # When all that was carried out has leaked away, at one a second.
        self._empty_at = 0.0

    def add(self, channel: str, wanted: bool) -> None:
        """The MUD wants to hear a channel, or no longer."""
        if (channel in self._heard) == wanted:
            self._waiting.pop(channel, None)
        else:
            self._waiting[channel] = wanted

    def due(self, now: float) -> Sequence[tuple[str, bool]]:
        """
        What to carry out now: each channel, and whether to hear it.

        @param now: seconds on the steady clock.
        """
        due = []
        while self._waiting and self.wait(now) == 0.0:
            channel = next(iter(self._waiting))
            due.append((channel, self._waiting.pop(channel)))
            self._carry_out(*due[-1], now)
        return due

    def wait(self, now: float) -> float | None:
        """How many seconds it is until something is due; C{None} if nothing waits."""
        if not self._waiting:
            return None
        return max(0.0, self._empty_at - now - (WISHES_AT_ONCE - 1))

    def jump(self, channel: str, now: float) -> bool:
        """
        A player speaks on a channel, which the MUD has to hear for that, whatever it wished before.

        @return: whether the MUD does not hear it, and is to be subscribed at once.
        """
        if channel in self._heard:
            return False
        self._waiting.pop(channel, None)
        self._carry_out(channel, True, now)
        return True

    def failed(self, channel: str) -> None:
        """The MUD could not be subscribed to a channel: it does not hear it."""
        self._heard.discard(channel)

    def _carry_out(self, channel: str, wanted: bool, now: float) -> None:
        self._empty_at = max(now, self._empty_at) + 1
        if wanted:
            self._heard.add(channel)
        else:
            self._heard.discard(channel)
