"""What is no longer kept."""

from __future__ import annotations

from typing import Final

from gossip.network.outputs import Commit, Outputs
from gossip.network.settings import NetworkSettings
from gossip.registry.changes import (
    AuditExpired,
    MessagesExpired,
    PlayerCountsExpired,
    RestrictionsExpired,
    TicketsExpired,
)
from gossip.registry.registry import Registry
from gossip.registry.restrictions import is_over

DAY: Final = 24 * 60 * 60


def expired(registry: Registry, settings: NetworkSettings, now: float) -> Outputs:
    """Drop what is too old."""
    outputs: Outputs = []
    if settings.history_days:
        outputs.append(Commit(MessagesExpired(now - settings.history_days * DAY)))
    if settings.player_count_days:
        outputs.append(Commit(PlayerCountsExpired(now - settings.player_count_days * DAY)))
    if settings.audit_days:
        outputs.append(Commit(AuditExpired(now - settings.audit_days * DAY)))
    if any(is_over(each, now) for each in (*registry.mutes.values(), *registry.bans.values())):
        outputs.append(Commit(RestrictionsExpired(now)))
    if registry.accounts.expired(now):
        outputs.append(Commit(TicketsExpired(now)))
    return outputs
