"""
Notices: a game that wants to know is told of mutes and bans of itself and its players (event moderation/notice).

A restriction of an address names nobody, so no game is told of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush

from msgspec import Raw

from gossip.network.audiences import Audiences, Extended
from gossip.network.outputs import Outputs, Send
from gossip.network.presence import Presence
from gossip.protocol.flags import MODERATION
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import ModerationNotice
from gossip.protocol.text import timestamp
from gossip.registry.changes import Change, RestrictionLifted, RestrictionSet
from gossip.registry.entities import Restriction
from gossip.registry.registry import Registry
from gossip.registry.restrictions import address_of, is_over

LIFTED = "lifted"
"""The kind of notice when a mute or a ban ends."""


class Notices:
    """Tells games of restrictions: once when one begins or changes, and once when it ends."""

    def __init__(
        self, registry: Registry, presence: Presence, audiences: Audiences, new_ref: Callable[[], Raw]
    ) -> None:
        self._registry = registry
        self._presence = presence
        self._audiences = audiences
        self._new_ref = new_ref
        # By the time of their end: a second costs the same however many there are.
        self._ending: list[tuple[float, str, str, str]] = []
        self._known: set[Restriction] = set()

    def started(self, now: Moment) -> None:
        """The daemon starts, or has read everything anew: look out for the ends of what is in force."""
        self._ending.clear()
        for known in (self._registry.mutes, self._registry.bans):
            for restriction in known.values():
                if not is_over(restriction, now.wall):
                    self._look_out(restriction)

    def before(self, changes: Sequence[Change], now: Moment) -> Outputs:
        """
        Restrictions are about to be set or lifted: afterwards nobody knows what they were.

        @param changes: what happens together.
        """
        self._known = {
            change.restriction
            for change in changes
            if isinstance(change, RestrictionSet) and self._is_told(change.restriction)
        }
        # What a new restriction replaces does not end.
        if any(isinstance(change, RestrictionSet) for change in changes):
            return []
        ended = [
            self._registry.restrictions(change.kind).get((change.subject, change.channel))
            for change in changes
            if isinstance(change, RestrictionLifted)
        ]
        return [
            output
            for restriction in ended
            if restriction is not None and not is_over(restriction, now.wall)
            for output in self._lifted(restriction, now)
        ]

    def began(self, restriction: Restriction) -> Outputs:
        """A restriction is in force, or has changed."""
        self._look_out(restriction)
        return [] if restriction in self._known else self._tell(restriction.kind, restriction)

    def _is_told(self, restriction: Restriction) -> bool:
        """Whether games know all of a restriction: two admins can set the same one at the same time."""
        known = self._registry.restrictions(restriction.kind).get((restriction.subject, restriction.channel))
        return known is not None and (known.until, known.reason) == (restriction.until, restriction.reason)

    def tick(self, now: Moment) -> Outputs:
        """Time went by: some restrictions may be over."""
        outputs: Outputs = []
        while self._ending and self._ending[0][0] <= now.wall:
            until, kind, subject, channel = heappop(self._ending)
            restriction = self._registry.restrictions(kind).get((subject, channel))
            # It may have been lifted or replaced.
            if restriction is not None and restriction.until == until:
                outputs.extend(self._lifted(restriction, now))
        return outputs

    def _look_out(self, restriction: Restriction) -> None:
        if restriction.until is not None and address_of(restriction.subject) is None:
            heappush(self._ending, (restriction.until, restriction.kind, restriction.subject, restriction.channel))

    def _lifted(self, restriction: Restriction, now: Moment) -> Outputs:
        """One restriction ended. A ban of the same player may go on after a mute: the game is told of it again."""
        outputs = self._tell(LIFTED, restriction)
        other = self._registry.restrictions("mute" if restriction.kind == "ban" else "ban")
        for each in other.on(restriction.subject, restriction.channel):
            if not is_over(each, now.wall):
                outputs.extend(self._tell(each.kind, each))
        return outputs

    def _tell(self, kind: str, restriction: Restriction) -> Outputs:
        """
        Tell the sessions that want to know, one by one: a banned game loses them in the same moment.

        @param kind: the kind of restriction, or L{LIFTED}.
        """
        if address_of(restriction.subject) is not None:
            return []
        player, at, client_id = restriction.subject.rpartition("@")
        sessions = self._audiences.resolve(Extended(MODERATION, client_id=client_id))
        if not sessions:
            return []
        until = None if kind == LIFTED else restriction.until
        notice = ModerationNotice(
            self._new_ref(),
            kind,
            self._spelled(client_id, player) if at else None,
            restriction.channel or None,
            restriction.reason,
            None if until is None else timestamp(until, "seconds"),
        )
        return [Send(session, notice) for session in sessions]

    def _spelled(self, client_id: str, player: str) -> str:
        """The name of a player as the game spells it, if it lists the player: restrictions have it in lower case."""
        online = self._presence.online(client_id)
        return next((name for name in online.players if name.lower() == player), player) if online else player
