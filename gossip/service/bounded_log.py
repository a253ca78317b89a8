"""
The log, bounded: however much happens, each kind of line is written about once a second.

What a stranger does, and what happens to thousands of games at once, would otherwise fill the disk. All lines pass
here, also those of Twisted and its libraries; whoever writes one does not think of it. Lines are of one kind if they
differ only in their fields. The first of a kind are written as they are; when there are more, one line tells of many.

A line can name a field C{item}: that of many lines is listed. A field C{peer} is listed, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import Final

from msgspec import Struct, field
from twisted.logger import ILogObserver, LogEvent, LogLevel, LogPublisher, formatEvent
from zope.interface import implementer

BURST: Final = 10
"""How many lines of a kind are written as they are before they are gathered, and as many again after a while."""

LISTED: Final = 20
"""At most this many items or addresses stand in one line."""

KINDS: Final = 500
"""At most this many kinds are told apart; the others are one kind."""

_FIELD: Final = re.compile(r"\{[^{}]*\}")
_NUMBER: Final = re.compile(r"[0-9]+")
_KIND_CHARACTERS: Final = 80

# Autobahn writes two or three lines for each bad frame, none with an address. We write one of our own.
_SILENT: Final = "autobahn."


class _Gathered(Struct):
    """
    The lines of a kind.

    @ivar credit: how many lines may be written now.
    @ivar count: how many lines wait to be told of.
    @ivar last: the last one of them.
    @ivar items: some of their items.
    @ivar peers: some of their addresses.
    """

    credit: int = BURST
    count: int = 0
    last: LogEvent = field(default_factory=dict)
    items: list[str] = field(default_factory=list)
    peers: dict[str, None] = field(default_factory=dict)

    def add(self, event: LogEvent) -> None:
        self.count += 1
        self.last = event
        if "item" in event and len(self.items) < LISTED:
            self.items.append(str(event["item"]))
        if "peer" in event and len(self.peers) < LISTED:
            self.peers[str(event["peer"])] = None

    def told(self) -> LogEvent:
        """One line for all of them."""
        event = {key: value for key, value in self.last.items() if key != "log_failure"}
        if self.count == 1:
            return self.last
        if self.items:
            event["item"] = _listed(self.items, self.count)
            return event
        event["log_text"] = formatEvent(self.last)
        event["log_peers"] = f", from {', '.join(self.peers)}" if self.peers else ""
        event["log_count"] = self.count
        event["log_format"] = "{log_text} ({log_count} like this{log_peers})"
        return event


class Frequent:
    """
    One kind of line, which may come thousands of times a second: then what is gathered costs a comparison, and not the
    way through Twisted's log. Call L{tick} once a second.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        """
        @param write: writes a line, given its item.
        """
        self._write = write
        self._count = 0
        self._items: list[str] = []

    def add(self, item: Callable[[], str]) -> None:
        """
        Write a line, or gather it.

        @param item: returns its item; not called if nobody is told of it.
        """
        self._count += 1
        if self._count <= BURST:
            self._write(item())
        elif len(self._items) < LISTED:
            self._items.append(item())

    def tick(self) -> None:
        """A second has passed: tell of what was gathered."""
        count, self._count = self._count, 0
        if self._items:
            self._write(_listed(self._items, count - BURST))
            self._items = []


@implementer(ILogObserver)
class BoundedLog:
    """An observer of the log that passes on what is within the bounds. Call L{tick} once a second."""

    def __init__(self, observer: Callable[[LogEvent], None]) -> None:
        self._observer = observer
        self._kinds: dict[tuple[str, str, str], _Gathered] = {}
        self._lock = Lock()  # threads log, too

    def __call__(self, event: LogEvent) -> None:
        if (
            event.get("log_namespace", "").startswith(_SILENT)
            and event.get("log_level", LogLevel.info) < LogLevel.error
        ):
            return
        kind = _kind(event)
        with self._lock:
            if kind not in self._kinds and len(self._kinds) >= KINDS:
                kind = ("", "", "")
            gathered = self._kinds.setdefault(kind, _Gathered())
            if gathered.count or not gathered.credit:
                gathered.add(event)
                return
            gathered.credit -= 1
        self._observer(event)

    def tick(self) -> None:
        """A second has passed: tell of what was gathered."""
        told = []
        with self._lock:
            for kind, gathered in list(self._kinds.items()):
                if gathered.count:
                    told.append(gathered.told())
                    self._kinds[kind] = _Gathered(credit=0)
                elif gathered.credit < BURST:
                    gathered.credit += 1
                else:
                    del self._kinds[kind]
        for event in told:
            self._observer(event)


def _listed(items: list[str], count: int) -> str:
    more = f" and {count - len(items)} more" if count > len(items) else ""
    return ", ".join(items) + more


def bound(publisher: LogPublisher) -> BoundedLog:
    """Let everything that a publisher passes on to its observers pass through a bounded log from now on."""
    observers = tuple(publisher._observers)
    bounded = BoundedLog(LogPublisher(*observers))
    publisher.addObserver(bounded)
    for observer in observers:
        publisher.removeObserver(observer)
    return bounded


def _kind(event: LogEvent) -> tuple[str, str, str]:
    """What lines have in common that differ only in their fields."""
    text = _without_fields(event.get("log_format") or "")
    if not text:
        # Nothing but a field: what other programs wrote, or our lines at the start.
        text = _NUMBER.sub("", formatEvent(event))[:_KIND_CHARACTERS]
    return event.get("log_namespace", ""), event.get("log_level", LogLevel.info).name, text


@lru_cache(maxsize=KINDS)
def _without_fields(text: str) -> str:
    return _NUMBER.sub("", _FIELD.sub("", text)).strip()[:_KIND_CHARACTERS]
