"""
Which changes were judged by what is known, and by which part of it.

All nodes count the judged changes of each part. They have to count alike, so a node that speaks with one of the release
before counts as that does: see L{gossip.cluster.wire.PROTOCOL}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gossip.cluster.wire import PROTOCOL, Entry, Group, Judged, NodeGone, NodeJoined, Unknown
from gossip.network.relays import Relayed
from gossip.registry.changes import (
    AchievementDropped,
    AchievementKept,
    Audited,
    AuditExpired,
    Change,
    ChannelOpened,
    ChannelsRemoved,
    ChannelsUnused,
    GameOffline,
    GameOnline,
    GameSeen,
    I3IdentitySaved,
    MessageSaid,
    MessagesExpired,
    MessagesRemoved,
    PlayerCountsExpired,
    PlayersCounted,
    RestrictionsExpired,
    TicketsExpired,
    TicketsRevoked,
    Together,
    UserAgentMet,
)

_UNJUDGED: Final = (
    MessageSaid,
    MessagesExpired,
    MessagesRemoved,
    GameSeen,
    GameOnline,
    GameOffline,
    ChannelOpened,
    ChannelsUnused,
    UserAgentMet,
    PlayersCounted,
    PlayerCountsExpired,
    RestrictionsExpired,
    TicketsExpired,
    TicketsRevoked,
    AuditExpired,
)
"""Changes that hold whatever others did meanwhile."""


def scope_of(change: Change) -> str:
    """What a change is judged by: the achievements of one game, a login of a MUD, or everything else that is known."""
    match change:
        case AchievementKept(client_id) | AchievementDropped(client_id):
            return client_id
        case I3IdentitySaved(identity):
            return f"i3 {identity.client_id}"
    return ""


def is_judged(change: Change, protocol: int = PROTOCOL) -> bool:
    """
    Was a change checked against what is known, so that it holds only if that is still so?

    @param protocol: how nodes speak. In protocol 1, what consists of changes is judged whatever these are.
    """
    if protocol > 1:
        if isinstance(change, Together):
            return any(map(is_judged, change.changes))
        if isinstance(change, Audited):
            return change.change is not None and is_judged(change.change)
    elif isinstance(change, MessagesRemoved):
        return True
    return not isinstance(change, _UNJUDGED) and not (isinstance(change, ChannelsRemoved) and change.unused)


def counted(group: Group, positions: Mapping[str, int]) -> Iterator[Entry | Unknown]:
    """
    What a group says, with where its scopes are from then on, which nobody says in protocol 1.

    @param positions: where all scopes are, at any time.
    """
    for entry in group.entries:
        yield entry
        if group.protocol > 1 or isinstance(entry, Unknown | Relayed | NodeJoined | NodeGone | Judged):
            continue
        if is_judged(entry, 1):
            scope = scope_of(entry)
            yield Judged(scope, positions.get(scope, 0) + 1)
