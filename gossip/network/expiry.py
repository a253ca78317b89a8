"""Retention: what is too old is dropped."""

from __future__ import annotations

from collections.abc import Callable, Container
from itertools import islice
from typing import Final

from gossip.network.outputs import Commit, Outputs
from gossip.network.settings import NetworkSettings, Rules
from gossip.protocol.moment import Moment
from gossip.registry.changes import (
    AuditExpired,
    ChannelsRemoved,
    ChannelsUnused,
    MessagesExpired,
    PlayerCountsExpired,
    RestrictionsExpired,
    TicketsExpired,
)
from gossip.registry.registry import Registry
from gossip.registry.restrictions import is_over

DAY: Final = 24 * 60 * 60

EXPIRING: Final = 60 * 60
"""How often what is too old is dropped, in seconds."""

AGREEMENT: Final = 5 * 60.0
"""How long both clocks must have run side by side before anything is dropped, in seconds."""

JUMP: Final = 1.0
"""The wall clock was set if it moved this many seconds more or less than the steady one between two ticks."""


CHANNELS: Final = 1000
"""At most this many channels are removed, or noted as unused, at a time."""


class Retention:
    """
    Drops what is too old, by the wall clock.

    A wall clock that is wrong for a moment must not delete what cannot come back: nothing is dropped until the clock
    has agreed with the steady one for L{AGREEMENT}.
    """

    def __init__(self, registry: Registry, subscribed: Callable[[], Container[str]], rules: Rules) -> None:
        """
        @param subscribed: returns the channels that any session is subscribed to.
        """
        self._registry = registry
        self._subscribed = subscribed
        self._rules = rules
        self._offset: float | None = None
        self._agrees_since = 0.0
        self._hour: int | None = None

    def tick(self, now: Moment, leads: bool = True) -> Outputs:
        """
        Time went by. To be called each second.

        @param leads: whether it is for this node to drop anything.
        """
        offset, self._offset = self._offset, now.wall - now.steady
        if offset is None or abs(self._offset - offset) > JUMP:
            self._agrees_since = now.steady
        hour = int(now.wall) // EXPIRING
        if self._hour is None:
            self._hour = hour
        if hour == self._hour or now.steady - self._agrees_since < AGREEMENT:
            return []
        self._hour = hour
        if not leads:
            return []
        settings = self._rules.settings
        subscribed = self._subscribed()
        return [*expired(self._registry, settings, now), *unused_channels(self._registry, settings, subscribed, now)]


def expired(registry: Registry, settings: NetworkSettings, now: Moment) -> Outputs:
    """What is too old by now."""
    outputs: Outputs = []
    wall = now.wall
    if settings.history_days:
        outputs.append(Commit(MessagesExpired(wall - settings.history_days * DAY)))
    if settings.player_count_days:
        outputs.append(Commit(PlayerCountsExpired(wall - settings.player_count_days * DAY)))
    if settings.audit_days:
        outputs.append(Commit(AuditExpired(wall - settings.audit_days * DAY)))
    if any(is_over(each, wall) for each in (*registry.mutes.values(), *registry.bans.values())):
        outputs.append(Commit(RestrictionsExpired(wall)))
    if registry.accounts.expired(wall):
        outputs.append(Commit(TicketsExpired(wall)))
    return outputs


def unused_channels(registry: Registry, settings: NetworkSettings, subscribed: Container[str], now: Moment) -> Outputs:
    """
    Remove channels that nobody has used for long, and note which are used and which are not.

    They are removed at once, not when that is on disk: until then a game might subscribe to one of them.

    @param subscribed: the channels that any session is subscribed to.
    """
    if not settings.channel_days:
        return []
    until = now.wall - settings.channel_days * DAY
    free = [channel for channel in registry.channels.values() if not channel.kept]
    idle = [channel for channel in free if channel.name not in subscribed]
    over = (each.name for each in idle if each.unused_since is not None and each.unused_since <= until)
    fresh = (each.name for each in idle if each.unused_since is None)
    again = (each.name for each in free if each.unused_since is not None and each.name in subscribed)
    changes = (
        ChannelsRemoved(tuple(islice(over, CHANNELS)), unused=True),
        ChannelsUnused(tuple(islice(fresh, CHANNELS)), now.wall),
        ChannelsUnused(tuple(islice(again, CHANNELS)), None),
    )
    outputs: Outputs = []
    for change in changes:
        if change.names:
            registry.enact(change)
            outputs.append(Commit(change, learned=True))
    return outputs
