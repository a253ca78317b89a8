"""Queries: what is read from the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, func, or_, select

from gossip.protocol.server_events import AchievementOf, GameConnection
from gossip.registry.changes import (
    AccountSaved,
    AchievementKept,
    ChannelSaved,
    FilterSaved,
    GameOffline,
    GameOnline,
    GameSaved,
    GameSeen,
    I3IdentitySaved,
    I3LinkSaved,
    MessageSaid,
    MessagesRemoved,
    ReportMade,
    RestrictionSet,
    TastesSaved,
    TicketIssued,
    UserAgentSaved,
)
from gossip.registry.entities import (
    Account,
    AuditEntry,
    Channel,
    Filter,
    Game,
    I3Identity,
    I3Link,
    Removal,
    Report,
    Restriction,
    Secret,
    Tastes,
    Ticket,
    UserAgent,
)
from gossip.registry.numbers import Mark, Numbers
from gossip.registry.registry import Registry
from gossip.registry.removals import LATEST
from gossip.registry.sought import Entries, LatestOf, Numbered, Sought
from gossip.store import tables


class _Online(msgspec.Struct, array_like=True, frozen=True):
    """The fields of a L{GameOnline} in their column. Daemons before the schema 0006 did not write the last one."""

    supports: tuple[str, ...]
    channels: tuple[str, ...]
    since: float = 0.0


_names = msgspec.json.Decoder(frozenset[str]).decode
_online = msgspec.json.Decoder(_Online).decode
_connections = msgspec.json.Decoder(tuple[GameConnection, ...]).decode


def registry(connection: Connection, numbers: Numbers) -> Registry:
    """
    Read everything that the network needs to know at its start.

    @param numbers: where the next numbers come from.
    @raise msgspec.DecodeError: the connections of a game, or the speakers or moderators of a channel, are malformed:
        another program wrote them.
    """
    known = Registry(numbers)
    secrets: defaultdict[str, list[Secret]] = defaultdict(list)
    of_secrets = tables.secrets.c
    for row in connection.execute(select(tables.secrets).order_by(of_secrets.client_id, of_secrets.position)):
        secrets[row.client_id].append(Secret(bytes(row.digest), row.expires, row.use, row.clear))
    for row in connection.execute(select(tables.games).order_by(tables.games.c.created_at, tables.games.c.client_id)):
        values = row._asdict()
        user_agent, version = values.pop("seen_user_agent"), values.pop("seen_version")
        online, last_seen_at = values.pop("online"), values.pop("last_seen_at")
        values["connections"] = _connections(row.connections)
        known.enact(GameSaved(Game(**values, secrets=tuple(secrets[row.client_id]))))
        if version is not None:
            known.enact(GameSeen(row.client_id, user_agent, version))
        if last_seen_at is not None:
            known.enact(GameOffline(row.client_id, last_seen_at))
        if online is not None:
            known.enact(GameOnline(row.client_id, *msgspec.structs.astuple(_online(online))))
    for row in connection.execute(select(tables.i3_identities)):
        digest = None if row.digest is None else bytes(row.digest)
        known.enact(I3IdentitySaved(I3Identity(**{**row._asdict(), "digest": digest})))
    for row in connection.execute(select(tables.i3_links)):
        known.enact(I3LinkSaved(I3Link(**row._asdict())))
    for row in connection.execute(select(tables.channels).order_by(tables.channels.c.name)):
        values = row._asdict()
        values["speakers"] = None if row.speakers is None else _names(row.speakers)
        values["moderators"] = frozenset() if row.moderators is None else _names(row.moderators)
        known.enact(ChannelSaved(Channel(**values)))
    known.last_said.update(_last_said(connection))
    known.last_alive = _last_alive(connection)
    for row in connection.execute(select(tables.user_agents).order_by(tables.user_agents.c.name)):
        known.enact(UserAgentSaved(UserAgent(**row._asdict())))
    for row in connection.execute(select(tables.achievements).order_by(tables.achievements.c.key)):
        values = row._asdict()
        known.enact(AchievementKept(values.pop("client_id"), AchievementOf(**values)))
    for row in connection.execute(select(tables.restrictions)):
        known.enact(RestrictionSet(Restriction(**row._asdict())))
    for row in connection.execute(select(tables.filters)):
        known.enact(FilterSaved(Filter(**row._asdict())))
    for row in connection.execute(select(tables.accounts)):
        known.enact(AccountSaved(Account(**row._asdict())))
    for row in connection.execute(select(tables.tastes)):
        known.enact(TastesSaved(Tastes(row.account, tuple(msgspec.json.decode(row.ignored)), row.undisturbed)))
    for row in connection.execute(select(tables.tickets)):
        known.enact(TicketIssued(Ticket(**{**row._asdict(), "digest": bytes(row.digest)})))
    for said in removed(connection, LATEST):
        assert said.removed is not None
        known.enact(MessagesRemoved((said,), said.removed))
    for report in reports(connection, 10**6, resolved=False):
        known.enact(ReportMade(report))
    return known


def _last_said(connection: Connection) -> dict[str, float]:
    """When each channel had its last message. The index of the messages has the answer for one channel at a time."""
    channels, messages = tables.channels.c, tables.messages.c
    latest = select(messages.said_at).where(messages.channel == channels.name).order_by(messages.seq.desc()).limit(1)
    rows = connection.execute(select(channels.name, latest.scalar_subquery()))
    return {name: said_at for name, said_at in rows if said_at is not None}


def _last_alive(connection: Connection) -> float:
    """When a daemon is known to have run last: players are counted each quarter of an hour."""
    columns = tables.messages.c.said_at, tables.player_counts.c.counted_at
    return max(connection.scalar(select(func.max(column))) or 0.0 for column in columns)


def highest(connection: Connection) -> Mark:
    """The highest numbers that were stored, or given by the database, of a message on any channel and of a report."""
    columns = tables.messages.c.seq, tables.sequences.c.highest, tables.reports.c.number
    said, expired, reported = (connection.scalar(select(func.max(column))) or 0 for column in columns)
    given = 0
    if connection.dialect.name == "postgresql":
        # By the nodes of a network: see gossip.cluster.
        given = connection.exec_driver_sql(
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM numbers"
        ).scalar_one()
    return Mark(max(said, expired, given), reported)


_TEXTS: Final = [field for field in MessageSaid.__struct_fields__ if field != "removed"]
SAID: Final = [
    *(tables.messages.c[field] for field in _TEXTS),
    *(tables.messages.c[f"removed_{field}"] for field in Removal.__struct_fields__),
]
"""The columns of a message, for L{message}."""


def message(row: Sequence[Any]) -> MessageSaid:
    """A message, from its columns."""
    channel, seq, client_id, game, name, text, said_at, at, by, reason = row
    removal = None if at is None else Removal(at, by, reason)
    return MessageSaid(channel, seq, client_id, game, name, text, said_at, removal)


def removed(connection: Connection, limit: int) -> list[MessageSaid]:
    """What is left of the messages that were removed last, in the order of their removal."""
    at = tables.messages.c.removed_at
    rows = connection.execute(select(*SAID).where(at.is_not(None)).order_by(at.desc()).limit(limit)).all()
    return [message(row) for row in reversed(rows)]


def history(
    connection: Connection,
    channel: str,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    removed: bool = True,
) -> list[MessageSaid]:
    """See L{gossip.store.store.Store.history}."""
    seq = tables.messages.c.seq
    statement = select(*SAID).where(tables.messages.c.channel == channel).limit(limit)
    if not removed:
        statement = statement.where(tables.messages.c.removed_at.is_(None))
    if before is not None:
        statement = statement.where(seq < before)
    if after is not None:
        rows = connection.execute(statement.where(seq > after).order_by(seq)).all()
    else:
        rows = connection.execute(statement.order_by(seq.desc())).all()[::-1]
    return [message(row) for row in rows]


def first_since(connection: Connection, channel: str, since: float) -> int | None:
    """See L{gossip.store.store.Store.first_since}."""
    of = tables.messages.c
    there = select(of.seq, of.said_at).where(of.channel == channel).limit(1)
    last = connection.execute(there.order_by(of.seq.desc())).first()
    if last is None or last.said_at < since:
        return None
    # Only the numbers have an index with the channel, and times grow with them: halve the range.
    low, high = 0, last.seq
    while low < high:
        middle = (low + high) // 2
        _, said_at = connection.execute(there.where(of.seq >= middle).order_by(of.seq)).one()
        if said_at < since:
            low = middle + 1
        else:
            high = middle
    found: int | None = connection.scalar(select(func.min(of.seq)).where(of.channel == channel, of.seq >= low))
    return found


def said_by(
    connection: Connection, game: str, since: float, channel: str | None, named: Callable[[str], bool], limit: int
) -> list[MessageSaid]:
    """See L{gossip.store.store.Store.said_by}."""
    messages = tables.messages.c
    statement = select(*SAID).where(func.lower(messages.game) == game.lower(), messages.said_at >= since)
    statement = statement.where(messages.removed_at.is_(None)).order_by(messages.said_at.desc(), messages.id.desc())
    if channel is not None:
        statement = statement.where(messages.channel == channel)
    rows = connection.execute(statement, execution_options={"yield_per": _AT_ONCE})
    return list(islice((message(row) for row in rows if named(row.name)), limit))


_LOOKED_AT: Final = 10_000
"""At most this many messages are looked at for the latest one of a player."""

_AT_ONCE: Final = 500


def find(connection: Connection, sought: Sought) -> list[MessageSaid]:
    """See L{gossip.store.store.Store.find}."""
    of = tables.messages.c
    seq = sought.seq if isinstance(sought, Numbered) else _latest_of(connection, sought)
    statement = select(*SAID).where(of.channel == sought.channel, of.seq == seq, of.removed_at.is_(None))
    return [message(row) for row in connection.execute(statement)]


def _latest_of(connection: Connection, sought: LatestOf) -> int | None:
    """The number of the latest message of a player; C{None} if there is none."""
    of = tables.messages.c
    # By number, which has an index with the channel: only what was said since then is looked at.
    statement = select(of.seq, of.said_at, of.game, of.name).where(of.channel == sought.channel)
    game, name = sought.game.lower(), sought.name.lower()
    options = {"yield_per": _AT_ONCE}
    with connection.execute(statement.order_by(of.seq.desc()).limit(_LOOKED_AT), execution_options=options) as rows:
        for row in rows:
            if row.said_at < sought.since:
                break
            # The databases compare without case in ASCII only.
            if row.game.lower() == game and row.name.lower() == name:
                return int(row.seq)
    return None


def said_since(connection: Connection, since: float, limit: int, channel: str | None = None) -> list[MessageSaid]:
    """See L{gossip.store.store.Store.said_since}."""
    messages = tables.messages.c
    statement = select(*SAID).where(messages.said_at >= since, messages.removed_at.is_(None))
    statement = statement.order_by(messages.said_at.desc()).limit(limit)
    if channel is not None:
        statement = statement.where(messages.channel == channel)
    return [message(row) for row in connection.execute(statement)]


def reports(connection: Connection, limit: int, resolved: bool) -> list[Report]:
    """See L{gossip.store.store.Store.reports}."""
    columns = tables.reports.c
    statement = select(tables.reports).order_by(columns.number.desc()).limit(limit)
    if not resolved:
        statement = statement.where(columns.resolved_at.is_(None))
    return [Report(**row._asdict()) for row in connection.execute(statement)]


def audit(connection: Connection, limit: int, sought: Entries) -> list[AuditEntry]:
    """See L{gossip.store.store.Store.audit}."""
    columns = tables.audit.c
    statement = _latest_entries(limit)
    if sought.before is not None:
        statement = statement.where(columns.at < sought.before)
    if sought.since is not None:
        statement = statement.where(columns.at >= sought.since)
    if sought.actor:
        statement = statement.where(func.lower(columns.actor) == sought.actor.lower())
    if sought.about:
        within = (columns.operation, columns.subject, columns.arguments)
        statement = statement.where(or_(*(column.icontains(sought.about, autoescape=True) for column in within)))
    return [AuditEntry(**row._asdict()) for row in connection.execute(statement)]


def audit_of(
    connection: Connection, operations: Collection[str], limit: int, before: tuple[float, str] | None
) -> list[AuditEntry]:
    """See L{gossip.store.store.Store.audit_of}."""
    columns = tables.audit.c
    statement = _latest_entries(limit).where(columns.operation.in_(operations))
    if before is not None:
        at, key = before
        statement = statement.where(columns.at <= at, or_(columns.at < at, columns.key < key))
    return [AuditEntry(**row._asdict()) for row in connection.execute(statement)]


def _latest_entries(limit: int) -> Select[Any]:
    columns = tables.audit.c
    return select(tables.audit).order_by(columns.at.desc(), columns.key.desc()).limit(limit)
