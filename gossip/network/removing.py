"""
Removing messages: a game takes back what it sent (protocol, channels/remove), and games are told of every removal.

What a game removes is read from the store behind the writer's barrier: a message that is not on disk yet is found too,
and its removal comes after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Raw

from gossip.network.answers import failure, success
from gossip.network.audiences import Extended
from gossip.network.history import message_id, read_id
from gossip.network.moderation import Moderation
from gossip.network.outputs import Broadcast, Commit, Find, Forget, Outputs
from gossip.network.ratelimit import spend
from gossip.network.reports import checked_reason, may_know
from gossip.network.session import Session
from gossip.network.settings import Rules
from gossip.protocol.errors import NOT_KEPT, Denied
from gossip.protocol.events import ChannelsRemove
from gossip.protocol.flags import MODERATION
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import ChannelsRemoved, RemovedOf
from gossip.registry.changes import Audited, MessageSaid, MessagesRemoved
from gossip.registry.entities import AuditEntry, Removal
from gossip.registry.registry import Registry
from gossip.registry.removals import quoted


class Removing:
    """Lets games remove messages of their own, and tells of those that were removed."""

    def __init__(
        self,
        registry: Registry,
        moderation: Moderation,
        new_uuid: Callable[[], str],
        new_ref: Callable[[], Raw],
        rules: Rules,
    ) -> None:
        """
        @param new_uuid: makes the keys of entries in the activity log.
        """
        self._registry = registry
        self._moderation = moderation
        self._new_uuid = new_uuid
        self._new_ref = new_ref
        self._rules = rules

    def remove(self, session: Session, event: ChannelsRemove, now: Moment) -> Outputs:
        """A game wants to remove a message that it sent."""
        sought = read_id(event.id)
        if sought is None:
            raise Denied("no-such-message")
        checked_reason(event.reason)
        assert session.online is not None
        if self._registry.mutes or self._registry.bans:
            # Everybody reads the reason: it is no way round a mute of the game.
            self._moderation.check_speaker(session.client_id, session.peer, "", sought.channel, now)
        spend(session.online.buckets, "channels_remove", self._rules.limits.rates.channels_remove, now)
        return [Find(session, sought, event)]

    def found(self, find: Find, found: Sequence[MessageSaid] | None, now: Moment) -> Outputs:
        """
        The message that a game wants to remove was looked for.

        @param found: the message; nothing if there is none; C{None} if it cannot be read.
        """
        session, event = find.session, find.request
        assert isinstance(event, ChannelsRemove)
        if found is None:
            return [*failure(session, event, NOT_KEPT, now)]
        try:
            return [self._commit(session, event, found, now)]
        except Denied as denied:
            return [*failure(session, event, denied.error, now)]

    def _commit(self, session: Session, event: ChannelsRemove, found: Sequence[MessageSaid], now: Moment) -> Commit:
        """
        @raise Denied: the game may not remove this.
        """
        if not found:
            raise Denied("no-such-message")
        [said] = found
        assert session.online is not None
        game = session.online.game
        if said.client_id != game.client_id:
            # Where the game hears nothing, it must not find out which numbers there are.
            raise Denied("not-yours" if may_know(self._registry, session, said.channel) else "no-such-message")
        seconds = self._rules.limits.remove_seconds
        if seconds and now.wall - said.said_at > seconds:
            raise Denied("too-late")
        reason, filters = checked_reason(event.reason), self._registry.filters
        if filters.kept:
            reason = filters.judge(said.channel, reason)
        removal = Removal(now.wall, f"game:{game.short_name}", reason)
        noted = msgspec.json.encode({"id": message_id(said.channel, said.seq), "reason": reason, **quoted([said])})
        entry = AuditEntry(self._new_uuid(), now.wall, removal.by, event.wire, event.id, noted.decode())
        change = Audited(entry, MessagesRemoved((said,), removal))
        return Commit(change, success(session, event, now), failure(session, event, NOT_KEPT, now))

    def removed(self, change: MessagesRemoved) -> Outputs:
        """Messages were removed: games with the extension are told, the one that sent a message as well."""
        return self.tell(self._registry.removals.first(change))

    def tell(self, first: MessagesRemoved) -> Outputs:
        """
        Tell of removals.

        @param first: those that games were not told of.
        """
        if not first.messages:
            return []
        told: dict[str, list[RemovedOf]] = {}
        for said in first.messages:
            identity, reason = message_id(said.channel, said.seq), first.removal.reason
            one = RemovedOf(self._new_ref(), said.channel, identity, said.seq, said.game, said.name, reason)
            told.setdefault(said.channel, []).append(one)
        return [
            Forget(first),
            *(Broadcast(Extended(MODERATION, name), ChannelsRemoved(tuple(each))) for name, each in told.items()),
        ]
