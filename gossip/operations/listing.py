"""
Lists of what is known, in pages.

There may be a hundred thousand accounts: a list is gone through in slices, between which the daemon does other work.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from heapq import nsmallest
from itertools import chain
from operator import itemgetter
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from gossip.operations.command import Block, Result
from gossip.operations.operation import Done, Occasion, Operation
from gossip.registry.registry import Registry

SLICE: Final = 500
"""How many entries are looked at without a pause."""

PAGE: Final = 1000
"""The maximum number of entries of a page."""


class Listing(Operation, frozen=True):
    """
    A page of a list.

    @cvar entries: the name of the list in the result.
    @ivar match: only entries that contain this text.
    @ivar after: C{next} of the page before this one.
    @ivar limit: the maximum number of entries.
    """

    entries: ClassVar[str]

    match: str = ""
    after: str = ""
    limit: Annotated[int, Meta(ge=1, le=PAGE)] = PAGE

    def everything(self, registry: Registry) -> Collection[Any]:
        """All that can be listed, in any order."""
        raise NotImplementedError

    def key(self, entry: Any) -> str:
        """What entries are sorted by. No two have the same."""
        raise NotImplementedError

    def text(self, entry: Any) -> str:
        """What C{match} looks into."""
        raise NotImplementedError

    def counts(self, entry: Any, on: Occasion) -> bool:
        """Whether an entry is listed at all."""
        return True

    def shown(self, entries: Sequence[Any], registry: Registry, on: Occasion) -> list[Result]:
        """What is told of some entries."""
        raise NotImplementedError

    def perform(self, registry: Registry, on: Occasion) -> Done:
        work = self.work(registry, on)
        while True:
            try:
                next(work)
            except StopIteration as done:
                return None, done.value

    def work(self, registry: Registry, on: Occasion) -> Generator[None, None, Result]:
        """
        Make the page. Each step takes at most some milliseconds.

        @return: the entries, with C{next} to ask for the page after it (null if it is the last one), C{left}, how many
            entries follow, and C{total}, how many there are without C{match} and C{after}.
        """
        entries = list(self.everything(registry))
        wanted = self.match.strip().lower()
        page: list[tuple[str, Any]] = []
        fitting = 0
        for start in range(0, len(entries), SLICE):
            if start:
                yield
            found = [
                (key, entry)
                for entry in entries[start : start + SLICE]
                if (key := self.key(entry)) > self.after
                and (not wanted or wanted in self.text(entry).lower())
                and self.counts(entry, on)
            ]
            fitting += len(found)
            page = nsmallest(self.limit, chain(page, found), key=itemgetter(0))
        left = fitting - len(page)
        if len(entries) > SLICE:
            yield
        return {
            self.entries: self.shown([entry for _, entry in page], registry, on),
            "next": page[-1][0] if left else None,
            "left": left,
            "total": len(entries),
        }


def rest(result: Result) -> Sequence[Block]:
    """What people see below a page of a list: how to see the next one."""
    return (f"{result['left']} more: --after '{result['next']}'",) if result.get("left") else ()
