"""
Lists of what is known, in pages.

There may be a hundred thousand accounts: a list is gone through in slices, between which the daemon does other work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from heapq import merge, nsmallest
from itertools import chain, islice
from operator import itemgetter
from typing import Annotated, Any, ClassVar, Final, Generic, NamedTuple, TypeVar

from msgspec import Meta

from gossip.operations.command import Block, Result
from gossip.operations.operation import Done, Occasion, Operation
from gossip.registry.registry import Registry

SLICE: Final = 500
"""How many entries are looked at without a pause."""

PAGE: Final = 1000
"""The maximum number of entries of a page."""


_Entry = TypeVar("_Entry")
_Shown = TypeVar("_Shown")


class Page(NamedTuple, Generic[_Entry]):
    """
    A page of a list.

    @ivar next: what C{after} is for the page after this one; C{None} if this is the last one.
    @ivar left: how many entries follow.
    @ivar total: how many entries there are, those before the page and those that do not fit included.
    """

    entries: list[_Entry]
    next: str | None
    left: int
    total: int

    def shown(self, show: Callable[[list[_Entry]], list[_Shown]]) -> Generator[None, None, list[_Shown]]:
        """
        Show the entries. Each step takes L{SLICE} of them at most, and none of the work before it.

        @param show: what is shown of some entries.
        """
        if self.total <= SLICE:
            return show(self.entries)
        shown: list[_Shown] = []
        for start in range(0, len(self.entries), SLICE):
            yield
            shown += show(self.entries[start : start + SLICE])
        return shown


def paged(
    everything: Iterable[_Entry],
    key: Callable[[_Entry], str],
    fits: Callable[[_Entry], bool] = lambda entry: True,
    after: str = "",
    limit: int = PAGE,
) -> Generator[None, None, Page[_Entry]]:
    """
    Find a page of a list. Each step looks at L{SLICE} entries at most.

    @param everything: all entries, in any order.
    @param key: what entries are sorted by. No two have the same.
    @param fits: whether an entry is in the list.
    @param after: the key of the last entry of the page before this one.
    @param limit: the maximum number of entries of the page.
    """
    entries = list(everything)
    page: list[tuple[str, _Entry]] = []
    fitting = 0
    for start in range(0, len(entries), SLICE):
        if start:
            yield
        some = entries[start : start + SLICE]
        found = [(name, entry) for entry in some if (name := key(entry)) > after and fits(entry)]
        fitting += len(found)
        page = nsmallest(limit, chain(page, found), key=itemgetter(0))
    left = fitting - len(page)
    return Page([entry for _, entry in page], page[-1][0] if left else None, left, len(entries))


def in_order(
    everything: Iterable[_Entry], show: Callable[[list[_Entry]], Iterable[_Shown]], key: Callable[[_Shown], Any]
) -> Generator[None, None, list[_Shown]]:
    """
    Show all entries, sorted. Each step takes L{SLICE} of them at most.

    @param everything: all entries, in any order.
    @param show: what is shown of some entries.
    @param key: what the shown ones are sorted by.
    """
    entries = list(everything)
    parts: list[list[_Shown]] = []
    for start in range(0, len(entries), SLICE):
        if start:
            yield
        parts.append(sorted(show(entries[start : start + SLICE]), key=key))
    if len(parts) < 2:
        return parts[0] if parts else []
    shown: list[_Shown] = []
    merged = merge(*parts, key=key)
    while True:
        yield
        some = list(islice(merged, SLICE))
        if not some:
            return shown
        shown += some


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
        wanted = self.match.strip().lower()

        def fits(entry: Any) -> bool:
            return (not wanted or wanted in self.text(entry).lower()) and self.counts(entry, on)

        page = yield from paged(self.everything(registry), self.key, fits, self.after, self.limit)
        shown = yield from page.shown(lambda some: self.shown(some, registry, on))
        return {self.entries: shown, "next": page.next, "left": page.left, "total": page.total}


def rest(result: Result) -> Sequence[Block]:
    """What people see below a page of a list: how to see the next one."""
    if not result.get("left"):
        return ()
    # As a shell reads it: a filter can contain an apostrophe.
    after = result["next"].replace("'", "'\\''")
    return (f"{result['left']} more: --after '{after}'",)
