"""Operations on word filters."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Final, Literal

from gossip.operations.command import Argument, Block, Result, Table
from gossip.operations.listing import Listing, rest
from gossip.operations.operation import Done, Memory, Occasion, Operation, channel_name
from gossip.operations.texts import message_line, minute
from gossip.protocol.text import timestamp
from gossip.registry.changes import FilterRemoved, FilterSaved, MessageSaid
from gossip.registry.entities import Filter
from gossip.registry.errors import Refused
from gossip.registry.filters import Matcher, folded, words
from gossip.registry.registry import Registry

TRIED: Final = 7 * 24 * 3600
"""How far back a filter is tried, in seconds."""

_TRIED_MESSAGES: Final = 50_000
"""The maximum number of messages that a filter is tried on."""

_SHOWN: Final = 20
"""The maximum number of messages shown that a filter would have hit."""


def _shown(kept: Filter) -> Result:
    """A filter as admins see it."""
    return {
        "text": kept.text,
        "channel": kept.channel or None,
        "substring": kept.substring,
        "action": kept.action,
        "reason": kept.reason,
        "set_by": kept.set_by,
        "set_at": timestamp(kept.set_at),
    }


def _filter_text(text: str) -> str:
    return folded(" ".join(text.split()))


# What people see of results.


def _view_filters(result: Result) -> Sequence[Block]:
    rows = [
        (each["text"], each["channel"] or "all", _hits(each), each["action"], each["set_by"], each["reason"])
        for each in result["filters"]
    ]
    return (Table(("TEXT", "CHANNEL", "HITS", "ACTION", "BY", "REASON"), rows, "There is no filter."), *rest(result))


def _view_filter(result: Result) -> Sequence[Block]:
    shown = {
        "text": result["text"],
        "channel": result["channel"] or "all",
        "hits": _hits(result),
        "action": result["action"],
        "reason": result["reason"],
        "set by": result["set_by"],
        "set at": result["set_at"],
    }
    return (shown,)


def _hits(kept: Result) -> str:
    return "anywhere" if kept["substring"] else "words"


def _view_trial(result: Result) -> Sequence[Block]:
    count = f"It would have hit {result['hits']} of {result['messages']} messages of the last week."
    return count, *(f"{minute(each['said_at'])} {message_line(each)}" for each in result["shown"])


class FilterAdd(Operation, frozen=True):
    """
    Add a word filter.

    @ivar text: the word or words.
    @ivar reason: why; shown to whoever tried to say it.
    @ivar channel: only on this channel; everywhere if it is not given.
    @ivar substring: match inside other words too.
    @ivar action: refuse the message, or mask the words with asterisks.
    """

    wire = "filter/add"
    done = "Added the filter."
    view = staticmethod(_view_filter)

    text: str
    reason: str
    channel: str | None = None
    substring: bool = False
    action: Annotated[
        Literal["refuse", "mask"],
        Argument(option="--mask", value="mask", help="mask the words with asterisks instead of refusing the message"),
    ] = "refuse"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        kept = Filter(
            text=_filter_text(self.text),
            channel=channel_name(registry, self.channel),
            substring=self.substring,
            action=self.action,
            reason=self.reason,
            set_by=on.actor,
            set_at=on.now,
        )
        return FilterSaved(kept), _shown(kept)


class FilterList(Listing, frozen=True):
    """List all word filters."""

    wire = "filter/list"
    view = staticmethod(_view_filters)
    entries = "filters"

    def everything(self, registry: Registry) -> Collection[Filter]:
        return registry.filters.kept.values()

    def key(self, entry: Filter) -> str:
        # The name of a channel has no space.
        return f"{entry.text} {entry.channel}"

    def text(self, entry: Filter) -> str:
        return f"{entry.text} {entry.channel}"

    def shown(self, entries: Sequence[Filter], registry: Registry, on: Occasion) -> list[Result]:
        return [_shown(each) for each in entries]


class FilterRemove(Operation, frozen=True):
    """
    Remove a word filter.

    @ivar text: the word or words.
    @ivar channel: the channel of the filter; not given if it is one for all channels.
    """

    wire = "filter/remove"
    done = "Removed the filter."
    view = staticmethod(_view_filter)

    text: str
    channel: str | None = None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        text, channel = _filter_text(self.text), self.channel or ""
        kept = registry.filters.kept.get((text, channel))
        if kept is None:
            raise Refused("not-found", "text", "there is no such filter")
        return FilterRemoved(text, channel), _shown(kept)


class FilterTry(Operation, frozen=True):
    """
    Show which messages of the last week a word filter would have hit. It is not added.

    @ivar text: the word or words.
    @ivar channel: only on this channel; everywhere if it is not given.
    @ivar substring: match inside other words too.
    """

    wire = "filter/try"
    looks = True
    view = staticmethod(_view_trial)

    text: str
    channel: str | None = None
    substring: bool = False

    def look(self, memory: Memory, now: float) -> tuple[int, list[MessageSaid]]:
        text = _filter_text(self.text)
        if not text or not (self.substring or words(text)):
            raise Refused("invalid", "text", "a filter that contains no whole word needs substring matching")
        tried = Filter(text=text, substring=self.substring, reason="-", set_by="-", set_at=now)
        hits = Matcher([tried]).hits
        said = memory.said_since(now - TRIED, _TRIED_MESSAGES, self.channel)
        return len(said), [each for each in said if any(hits(each.message)) or any(hits(each.name))]

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel_name(registry, self.channel)
        count, hit = on.found
        hit = registry.removals.without(hit)
        return None, {"messages": count, "hits": len(hit), "shown": [_shown_message(said) for said in hit[:_SHOWN]]}


def _shown_message(said: MessageSaid) -> Result:
    """A message as programs see it."""
    return {
        "channel": said.channel,
        "seq": said.seq,
        "game": said.game,
        "name": said.name,
        "message": said.message,
        "said_at": timestamp(said.said_at),
    }


OPERATIONS: Final[tuple[type[Operation], ...]] = (
    FilterAdd,
    FilterList,
    FilterRemove,
    FilterTry,
)
"""All operations on word filters."""
