"""
Removed messages: what is left of one, and which were removed last.

Of a removed message stay its number, channel, game and time, who removed it and why. Its text and the player's name are
in the entry of the activity log about the removal, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from msgspec.structs import replace

from gossip.registry.changes import MessageSaid, MessagesRemoved
from gossip.registry.entities import Removal, Report

LATEST: Final = 2000
"""How many of the removed messages are known in memory, the latest ones."""

MOST: Final = 1000
"""How many messages are removed at once, at most."""

QUOTING: Final = frozenset(("message/remove", "message/purge", "channels/remove"))
"""The operations whose entries in the activity log have what L{quoted} makes of removed messages."""

Key = tuple[str, int]
"""The channel and the number of a message."""


def stands_for(reason: str) -> str:
    """What stands where a removed message was."""
    return f"[removed: {reason}]"


def quoted(messages: Iterable[MessageSaid]) -> dict[str, Any]:
    """What the entry of the activity log keeps of messages that are removed: each in full."""
    return {
        "messages": [
            {"id": f"{said.channel}:{said.seq}", "game": said.game, "name": said.name, "message": said.message}
            for said in messages
        ]
    }


def emptied(said: MessageSaid, removal: Removal) -> MessageSaid:
    """What is left of a message."""
    return replace(said, name="", message="", removed=removal)


class Removals:
    """
    The messages that were removed last.

    What was read of the store, or is remembered elsewhere, may be older than the latest removals: whatever goes out
    passes L{applied} first.
    """

    def __init__(self) -> None:
        self._latest: dict[Key, MessageSaid] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._latest

    def add(self, change: MessagesRemoved) -> None:
        """Messages were removed. The first removal of a message counts."""
        for said in change.messages:
            key = said.channel, said.seq
            if key not in self._latest:
                self._latest[key] = emptied(said, change.removal)
        for key in list(islice(self._latest, max(len(self._latest) - LATEST, 0))):
            del self._latest[key]

    def first(self, change: MessagesRemoved) -> MessagesRemoved:
        """The same change without messages that another one had removed before. It was added already."""
        latest = self._latest
        messages = (each for each in change.messages if (each.channel, each.seq) in latest)
        mine = tuple(each for each in messages if latest[each.channel, each.seq].removed is change.removal)
        return change if mine == change.messages else replace(change, messages=mine)

    def unheard(self, changes: Iterable[MessagesRemoved]) -> Iterator[MessagesRemoved]:
        """The same changes without messages that are known to be removed."""
        for change in changes:
            yield replace(
                change, messages=tuple(each for each in change.messages if (each.channel, each.seq) not in self._latest)
            )

    def applied(self, messages: Sequence[MessageSaid]) -> Sequence[MessageSaid]:
        """The same messages, with what is left of those that were removed meanwhile."""
        latest = self._latest
        if not latest:
            return messages
        return [latest.get((said.channel, said.seq), said) for said in messages]

    def applied_to(self, report: Report) -> Report:
        """The same report; it does not quote a message that was removed."""
        said = self._latest.get((report.channel, report.seq))
        if said is None or said.removed is None:
            return report
        return replace(report, message=stands_for(said.removed.reason))

    def without(self, messages: Sequence[MessageSaid]) -> Sequence[MessageSaid]:
        """Those of some messages that were not removed."""
        return [said for said in self.applied(messages) if said.removed is None]

    def since(self, at: float, wanted: Callable[[str], bool]) -> Iterable[MessageSaid]:
        """
        What is left of messages that were removed since a time, as far as they are known in memory.

        @param at: seconds since the epoch.
        @param wanted: whether messages of a channel are wanted.
        """
        return (
            said
            for said in self._latest.values()
            if said.removed is not None and said.removed.at >= at and wanted(said.channel)
        )
