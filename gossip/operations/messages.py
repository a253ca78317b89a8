"""Operations on messages: search, look at one, remove one, or remove all that somebody said lately."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

from gossip.network.history import message_id, read_id
from gossip.operations.command import Argument, Block, Limit, Result, Table
from gossip.operations.operation import Done, Memory, Occasion, Operation, find_channel
from gossip.operations.restrictions import Minutes, minutes_of
from gossip.operations.texts import end_of, message_line, minute, time_of
from gossip.protocol.skeleton import is_visible
from gossip.protocol.text import is_line, timestamp
from gossip.registry.changes import Change, MessageSaid, MessagesRemoved
from gossip.registry.entities import Removal
from gossip.registry.errors import Refused
from gossip.registry.names import NETWORK_GAME, is_network
from gossip.registry.registry import Registry
from gossip.registry.removals import MOST, emptied, quoted
from gossip.registry.restrictions import alike
from gossip.registry.search import read_search
from gossip.registry.sought import Numbered

if TYPE_CHECKING:
    # gossipctl starts faster without a database.
    from gossip.store.searching import Found

PART: Final = 25
"""A purge removes this many messages at a time: what is said meanwhile is not held up by more."""

_LISTED: Final = 20
"""At most this many messages of a dry run are listed for people."""


def _sought(identity: str) -> Numbered:
    """
    The message that an argument means.

    @raise Refused: no message can be called that.
    """
    sought = read_id(identity)
    if sought is None:
        raise Refused("invalid", "id", "a message is named by its channel and its number, like gossip:1042")
    return sought


def _found(memory: Memory, identity: str) -> MessageSaid | None:
    sought = read_id(identity)
    if sought is None or sought.seq == 2**63 - 1:
        return None
    # Unlike a search, the history has what is left of removed messages.
    found = memory.history(sought.channel, 1, before=sought.seq + 1)
    return found[0] if found and found[0].seq == sought.seq else None


def shown_message(said: MessageSaid) -> Result:
    """A message as admins see it. C{removed} is why it was removed, and null if it was not."""
    removal = said.removed
    return {
        "id": message_id(said.channel, said.seq),
        "channel": said.channel,
        "seq": said.seq,
        "game": said.game,
        "name": said.name,
        "message": said.message,
        "said_at": timestamp(said.said_at),
        "removed": None if removal is None else removal.reason,
        "removed_by": None if removal is None else removal.by,
        "removed_at": None if removal is None else timestamp(removal.at),
    }


# What people see of results.


def _view_message(result: Result) -> Sequence[Block]:
    shown = {
        "id": result["id"],
        "message": message_line(result),
        "said at": result["said_at"],
        "removed by": result["removed_by"],
        "removed at": result["removed_at"],
    }
    return (shown,)


def _view_purge(result: Result) -> Sequence[Block]:
    found, removed = len(result["messages"]), result["removed"]
    more = (f"There are more than that: at most {MOST} are removed at once.",) if result["more"] else ()
    if removed or not found:
        return (f"Removed {removed} messages." if removed != 1 else "Removed 1 message.", *more)
    listed = [(each["id"], minute(each["said_at"]), message_line(each)) for each in result["messages"][:_LISTED]]
    rest = (f"... and {found - _LISTED} more.",) if found > _LISTED else ()
    count = "1 message" if found == 1 else f"{found} messages"
    question = f"This would remove {count}. Nothing was removed: to remove them, repeat it with --yes."
    return (Table(("ID", "AT", "MESSAGE"), listed, ""), *rest, *more, question)


def _view_search(result: Result) -> Sequence[Block]:
    rows = [(each["id"], minute(each["said_at"]), message_line(each)) for each in result["messages"]]
    more = (f"More: --before {result['next']}",) if result["next"] is not None else ()
    return (Table(("ID", "AT", "MESSAGE"), rows, "Nothing was found."), *more)


class MessageSearch(Operation, frozen=True):
    """
    Search everything that was said, on all channels, the latest first.

    @ivar query: words that a message must have, all of them; one with a * at its end stands for its beginning.
    @ivar name: only messages of players with this name.
    @ivar game: only messages of the game with this short name.
    @ivar channel: only messages on this channel.
    @ivar since: the earliest time, in seconds since the epoch.
    @ivar until: the time before which it was said, in seconds since the epoch.
    @ivar limit: the maximum number of messages.
    @ivar before: C{next} of the result before, to go on from there.
    """

    wire = "message/search"
    typed = "search"
    looks = True
    finds_latest = True
    view = staticmethod(_view_search)

    query: Annotated[str, Argument("WORDS", positional=True, words=True)] = ""
    name: str | None = None
    game: str | None = None
    channel: str | None = None
    since: Annotated[
        float | None, Argument("DATE", "--from", help="from this day on: 2026-11-20, in UTC", read=time_of)
    ] = None
    until: Annotated[
        float | None, Argument("DATE", "--to", help="until the end of this day: 2026-11-20, in UTC", read=end_of)
    ] = None
    limit: Limit = 20
    before: int | None = None

    def look(self, memory: Memory, now: float) -> Found:
        wanted = read_search(self.query, self.name, self.game, self.channel, self.since, self.until)
        return memory.search(wanted, self.limit, self.before)

    def perform(self, registry: Registry, on: Occasion) -> Done:
        said = registry.removals.without([hit.said for hit in on.found.hits])
        return None, {"messages": [shown_message(each) for each in said], "next": on.found.next}


class _OfMessage(Operation, frozen=True):
    """
    An operation on one message.

    @ivar id: the channel and the number of the message, like gossip:1042.
    """

    looks = True
    finds_latest = True
    view = staticmethod(_view_message)

    id: str

    @property
    def channel(self) -> str:
        """
        The channel of the message: who may do this there can be checked by it.

        @raise Refused: no message can be called that.
        """
        return _sought(self.id).channel

    def look(self, memory: Memory, now: float) -> MessageSaid | None:
        return _found(memory, self.id)

    def known(self, registry: Registry, on: Occasion) -> MessageSaid:
        """
        The message, as it is by now.

        @raise Refused: there is none.
        """
        _sought(self.id)
        if on.found is None:
            raise Refused("not-found", "id", "no such message")
        [said] = registry.removals.applied([on.found])
        return said


class MessageShow(_OfMessage, frozen=True):
    """Show a message, or what is left of a removed one."""

    wire = "message/show"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return None, shown_message(self.known(registry, on))


class MessageRemove(_OfMessage, frozen=True):
    """
    Remove a message. Its text and the player's name stay only in the activity log.

    @ivar reason: why; everybody sees it in the place of the message.
    """

    wire = "message/remove"
    question = "Remove {id}? Its text cannot be put back."
    done = "Removed {id}."

    reason: Annotated[str, Argument(words=True)]

    def noted(self, change: Change) -> Result:
        return _quoted(change)

    def perform(self, registry: Registry, on: Occasion) -> Done:
        said = self.known(registry, on)
        if said.removed is not None:
            raise Refused("conflict", "id", "this message was removed already")
        removal = Removal(on.now, on.actor, self.reason)
        return MessagesRemoved((said,), removal), shown_message(emptied(said, removal))


class MessagePurge(Operation, frozen=True):
    """
    Remove what a game or a player said lately, at most 1000 messages at once.

    Without C{yes}, this only says which messages that would be.

    @ivar who: a game, or PLAYER@GAME, by the names that its messages show.
    @ivar reason: why; everybody sees it in the place of the messages.
    @ivar minutes: how far back, in minutes.
    @ivar channel: only on this channel; on all channels if it is not given.
    @ivar yes: remove them.
    """

    wire = "message/purge"
    looks = True
    finds_latest = True
    view = staticmethod(_view_purge)

    who: str
    reason: Annotated[str, Argument(words=True)]
    minutes: Annotated[
        Minutes,
        Argument("TIME", "--for", help="how far back: 30m, 12h, 7d, 4w", read=minutes_of),
        Argument("MINUTES", "--minutes", help="the same in minutes"),
    ]
    channel: str | None = None
    yes: bool = False

    def look(self, memory: Memory, now: float) -> Sequence[MessageSaid]:
        player, at, game = self.who.rpartition("@")
        if is_network(game):
            game = NETWORK_GAME
        return memory.said_by(
            game, now - self.minutes * 60, MOST + 1, self.channel, lambda name: not at or alike(name, player)
        )

    def parts(self, found: Sequence[MessageSaid]) -> Sequence[Sequence[MessageSaid]]:
        if not self.yes or not found:
            return (found,)
        return [found[start : min(start + PART, MOST)] for start in range(0, min(len(found), MOST), PART)]

    def joined(self, found: Sequence[MessageSaid], results: Sequence[Result]) -> Result:
        return {
            **results[0],
            "removed": sum(result["removed"] for result in results),
            "messages": [each for result in results for each in result["messages"]][:MOST],
            "more": len(found) > MOST,
        }

    def noted(self, change: Change) -> Result:
        return _quoted(change)

    def perform(self, registry: Registry, on: Occasion) -> Done:
        player, at, game = self.who.rpartition("@")
        if not at and any(mark in self.who for mark in ".:/"):
            raise Refused("invalid", "who", "messages do not have addresses: name a game or a player")
        if not game or (at and not (is_visible(player) and is_line(player))):
            raise Refused("invalid", "who", "a player is named like Ana@MyMUD")
        channel = None if self.channel is None else find_channel(registry, self.channel).name
        found: Sequence[MessageSaid] = registry.removals.without(on.found)
        result: Result = {
            "who": self.who,
            "channel": channel,
            "since": timestamp(on.now - self.minutes * 60),
            "reason": self.reason,
            "removed": len(found) if self.yes else 0,
            "messages": [shown_message(said) for said in found],
        }
        if not self.yes or not found:
            return None, result
        removal = Removal(on.now, on.actor, self.reason)
        result["messages"] = [shown_message(emptied(said, removal)) for said in found]
        return MessagesRemoved(tuple(found), removal), result


def _quoted(change: Change) -> Result:
    assert isinstance(change, MessagesRemoved)
    return quoted(change.messages)


OPERATIONS: Final[tuple[type[Operation], ...]] = (
    MessageSearch,
    MessageShow,
    MessageRemove,
    MessagePurge,
)
"""All operations on messages."""
