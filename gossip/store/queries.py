"""What is read back from the tables."""

from __future__ import annotations

from collections import defaultdict

import msgspec
from sqlalchemy import Connection, func, select, union_all

from gossip.network.changes import (
    AchievementKept,
    Channel,
    ChannelSaved,
    Game,
    GameSaved,
    GameSeen,
    MessageSaid,
    Secret,
    UserAgent,
    UserAgentSaved,
)
from gossip.network.events import AchievementOf, GameConnection
from gossip.network.registry import Registry
from gossip.store import tables

_connections = msgspec.json.Decoder(tuple[GameConnection, ...]).decode


def registry(connection: Connection) -> Registry:
    """
    Everything that the network must know at its start.

    @raise msgspec.DecodeError: the connections of a game are not what they must be: somebody else wrote them.
    """
    known = Registry()
    secrets: defaultdict[str, list[Secret]] = defaultdict(list)
    of_secrets = tables.secrets.c
    for row in connection.execute(select(tables.secrets).order_by(of_secrets.client_id, of_secrets.position)):
        secrets[row.client_id].append(Secret(bytes(row.digest), row.expires))
    for row in connection.execute(select(tables.games).order_by(tables.games.c.created_at, tables.games.c.client_id)):
        values = row._asdict()
        user_agent, version = values.pop("seen_user_agent"), values.pop("seen_version")
        values["connections"] = _connections(row.connections)
        known.enact(GameSaved(Game(**values, secrets=tuple(secrets[row.client_id]))))
        if version is not None:
            known.enact(GameSeen(row.client_id, user_agent, version))
    for row in connection.execute(select(tables.channels).order_by(tables.channels.c.name)):
        known.enact(ChannelSaved(Channel(**row._asdict())))
    for row in connection.execute(select(tables.user_agents).order_by(tables.user_agents.c.name)):
        known.enact(UserAgentSaved(UserAgent(**row._asdict())))
    for row in connection.execute(select(tables.achievements).order_by(tables.achievements.c.key)):
        values = row._asdict()
        known.enact(AchievementKept(values.pop("client_id"), AchievementOf(**values)))
    known.resume_sequences(_highest(connection))
    return known


def _highest(connection: Connection) -> dict[str, int]:
    """The highest number that each channel ever had on disk."""
    messages, sequences = tables.messages.c, tables.sequences.c
    both = union_all(
        select(messages.channel, func.max(messages.seq).label("highest")).group_by(messages.channel),
        select(sequences.channel, sequences.highest),
    ).subquery()
    rows = connection.execute(select(both.c.channel, func.max(both.c.highest)).group_by(both.c.channel))
    return {row[0]: row[1] for row in rows}


_SAID = [tables.messages.c[field] for field in MessageSaid.__struct_fields__]


def history(
    connection: Connection, channel: str, limit: int, before: int | None = None, after: int | None = None
) -> list[MessageSaid]:
    """See L{gossip.store.store.Store.history}."""
    seq = tables.messages.c.seq
    statement = select(*_SAID).where(tables.messages.c.channel == channel).limit(limit)
    if before is not None:
        statement = statement.where(seq < before)
    if after is not None:
        rows = connection.execute(statement.where(seq > after).order_by(seq)).all()
    else:
        rows = connection.execute(statement.order_by(seq.desc())).all()[::-1]
    return [MessageSaid(*row) for row in rows]


def player_counts(
    connection: Connection, since: float, until: float | None = None, client_id: str | None = None
) -> list[tuple[float, int]]:
    """See L{gossip.store.store.Store.player_counts}."""
    counts = tables.player_counts.c
    statement = select(counts.counted_at, func.sum(counts.count)).where(counts.counted_at >= since)
    if until is not None:
        statement = statement.where(counts.counted_at < until)
    if client_id is not None:
        statement = statement.where(counts.client_id == client_id)
    rows = connection.execute(statement.group_by(counts.counted_at).order_by(counts.counted_at))
    return [(counted_at, int(count)) for counted_at, count in rows]
