"""
Changes as SQL.

Both databases have the same C{INSERT … ON CONFLICT}. SQLAlchemy has it in a separate module for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec
from msgspec.structs import asdict
from sqlalchemy import Connection, Table, and_, bindparam, delete, insert, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gossip.registry.changes import (
    AccountRemoved,
    AccountSaved,
    AchievementDropped,
    AchievementKept,
    Audited,
    AuditExpired,
    Change,
    ChannelOpened,
    ChannelSaved,
    ChannelsRemoved,
    ChannelsUnused,
    FilterRemoved,
    FilterSaved,
    GameOffline,
    GameOnline,
    GameRemoved,
    GameSaved,
    GameSeen,
    I3IdentityRemoved,
    I3IdentitySaved,
    I3LinkRemoved,
    I3LinkSaved,
    MessageSaid,
    MessagesExpired,
    MessagesRemoved,
    PlayerCountsExpired,
    PlayersCounted,
    ReportMade,
    ReportResolved,
    RestrictionLifted,
    RestrictionSet,
    RestrictionsExpired,
    TastesSaved,
    TicketIssued,
    TicketsExpired,
    TicketsRevoked,
    Together,
    UserAgentMet,
    UserAgentSaved,
)
from gossip.registry.entities import Channel
from gossip.registry.removals import QUOTING, stands_for
from gossip.store import tables, word_index
from gossip.store.queries import SAID, message

EXPIRING: Final = 2000
"""One change deletes at most this many rows, so that it does not delay the changes behind it."""

_INDEPENDENT: Final = frozenset((MessageSaid, GameSeen, GameOnline))
"""Kinds of changes that write nothing of each other: only those of one kind must keep their order."""

_EXPIRING_TIMES: Final = 200

REMOVED: Final = "removed"
"""The key in C{Connection.info} that says that a removed text goes away: see L{gossip.store.forgetting}."""

Row = dict[str, Any]


class Unstorable(ValueError):
    """A change that no database accepts."""


def execute(connection: Connection, changes: Iterable[Change]) -> list[Change]:
    """
    Execute changes in their order.

    @param connection: in a transaction, which the caller commits.
    @return: changes that are left for a transaction of their own: many old messages are not deleted all at once.
    @raise Exception: one of the changes cannot be stored, or the database failed. Roll back.
    """
    rest: list[Change] = []
    # One executemany for a run of messages is ten times as fast as single statements.
    for kind, run in _runs(changes):
        rest.extend(_EXECUTE[kind](connection, run) or ())
    return rest


def _runs(changes: Iterable[Change]) -> Iterator[tuple[type[Change], list[Any]]]:
    """Changes of one kind at a time, in an order that comes to the same."""
    for independent, stretch in groupby(changes, lambda change: type(change) in _INDEPENDENT):
        if independent:
            # When many games join, these alternate.
            runs: dict[type[Change], list[Any]] = {}
            for change in stretch:
                runs.setdefault(type(change), []).append(change)
            yield from runs.items()
        else:
            for kind, run in groupby(stretch, type):
                yield kind, list(run)


def is_stored(connection: Connection, said: MessageSaid) -> bool:
    """
    Is exactly this message stored, whether or not it has been removed since? Every other change can be executed twice;
    a message cannot.
    """
    columns = tables.messages.c
    row = _message_row(said)
    texts = [columns[name] == row.pop(name) for name in ("name", "message")]
    same = [columns[name].is_not_distinct_from(value) for name, value in row.items()]
    same.append(or_(columns.removed_at.is_not(None), and_(*texts)))
    return connection.scalar(select(literal(1)).where(*same)) is not None


def probe(connection: Connection) -> list[Change]:
    """
    Write a row that does not stay.

    Both databases write that to their logs, and to disk: the same row written twice would be no change to SQLite.
    """
    columns = tables.sequences.c
    # No channel has this name.
    connection.execute(insert(tables.sequences), [{"channel": "", "highest": 0}])
    connection.execute(delete(tables.sequences).where(columns.channel == ""))
    return []


# One function for each kind of change.


def _save_games(connection: Connection, changes: list[GameSaved]) -> None:
    for change in changes:
        game = change.game
        row = asdict(game)
        del row["secrets"]
        row["connections"] = msgspec.json.encode(game.connections).decode()
        _save(connection, tables.games, [row])
        connection.execute(delete(tables.secrets).where(tables.secrets.c.client_id == game.client_id))
        _save(
            connection,
            tables.secrets,
            [
                {"client_id": game.client_id, "position": position, **asdict(secret)}
                for position, secret in enumerate(game.secrets)
            ],
        )


def _remove_games(connection: Connection, changes: list[GameRemoved]) -> None:
    statement = delete(tables.games).where(tables.games.c.client_id == bindparam("of"))
    rows = [{"of": change.client_id} for change in changes]
    connection.execute(statement, rows)
    # The restrictions of the game and of its players.
    connection.execute(delete(tables.restrictions).where(tables.restrictions.c.subject.endswith(bindparam("of"))), rows)


def _see_games(connection: Connection, changes: list[GameSeen]) -> None:
    statement = update(tables.games).where(tables.games.c.client_id == bindparam("of"))
    rows = [
        {"of": change.client_id, "seen_user_agent": change.user_agent, "seen_version": change.version}
        for change in changes
    ]
    connection.execute(statement, _storable(rows))


def _bring_online(connection: Connection, changes: list[GameOnline]) -> None:
    rows = [
        {
            "of": change.client_id,
            "online": msgspec.json.encode((change.supports, change.channels, change.since)).decode(),
        }
        for change in changes
    ]
    connection.execute(update(tables.games).where(tables.games.c.client_id == bindparam("of")), _storable(rows))


def _take_offline(connection: Connection, changes: list[GameOffline]) -> None:
    statement = update(tables.games).where(tables.games.c.client_id == bindparam("of")).values(online=None)
    rows = [{"of": change.client_id, "last_seen_at": change.last_seen_at} for change in changes]
    connection.execute(statement, rows)


def _save_i3_identities(connection: Connection, changes: list[I3IdentitySaved]) -> None:
    _save(connection, tables.i3_identities, [asdict(change.identity) for change in changes])


def _remove_i3_identities(connection: Connection, changes: list[I3IdentityRemoved]) -> None:
    of = tables.i3_identities.c.client_id
    connection.execute(delete(tables.i3_identities).where(of.in_([change.client_id for change in changes])))


def _save_i3_links(connection: Connection, changes: list[I3LinkSaved]) -> None:
    _save(connection, tables.i3_links, [asdict(change.link) for change in changes])


def _remove_i3_links(connection: Connection, changes: list[I3LinkRemoved]) -> None:
    statement = delete(tables.i3_links).where(tables.i3_links.c.mud.in_([change.mud for change in changes]))
    connection.execute(statement)


def _save_channels(connection: Connection, changes: list[ChannelSaved]) -> None:
    _save(connection, tables.channels, [_channel_row(change.channel) for change in changes])


def _open_channels(connection: Connection, changes: list[ChannelOpened]) -> None:
    _add(connection, tables.channels, [_channel_row(Channel(change.name)) for change in changes])


def _channel_row(channel: Channel) -> Row:
    row = asdict(channel)
    if row["speakers"] is not None:
        row["speakers"] = _names(row["speakers"])
    row["moderators"] = _names(row["moderators"]) if row["moderators"] else None
    return row


def _names(names: Iterable[str]) -> str:
    return msgspec.json.encode(sorted(names)).decode()


def _note_unused_channels(connection: Connection, changes: list[ChannelsUnused]) -> None:
    statement = update(tables.channels).where(tables.channels.c.name == bindparam("of"))
    for change in changes:
        rows = [{"of": name, "unused_since": change.since} for name in change.names]
        connection.execute(statement, rows)


def _remove_channels(connection: Connection, changes: list[ChannelsRemoved]) -> None:
    statement = delete(tables.channels).where(tables.channels.c.name == bindparam("of"))
    connection.execute(statement, [{"of": name} for change in changes for name in change.names])


def _save_user_agents(connection: Connection, changes: list[UserAgentSaved]) -> None:
    _save(connection, tables.user_agents, [asdict(change.user_agent) for change in changes])


def _meet_user_agents(connection: Connection, changes: list[UserAgentMet]) -> None:
    _add(connection, tables.user_agents, [{"name": change.name} for change in changes])


def _say(connection: Connection, changes: list[MessageSaid]) -> None:
    connection.execute(insert(tables.messages), _storable([_message_row(change) for change in changes]))


def _message_row(said: MessageSaid) -> Row:
    row = asdict(said)
    del row["removed"]
    return row


def _remove_messages(connection: Connection, changes: list[MessagesRemoved]) -> None:
    messages, reports = tables.messages, tables.reports
    statement = (
        update(messages)
        .where(messages.c.channel == bindparam("of"), messages.c.seq == bindparam("number"))
        .where(messages.c.removed_at.is_(None))
        .values(name="", message="")
    )
    rows = [
        {
            "of": said.channel,
            "number": said.seq,
            "removed_at": change.removal.at,
            "removed_by": change.removal.by,
            "removed_reason": change.removal.reason,
        }
        for change in changes
        for said in change.messages
    ]
    word_index.forget(connection, _still_said(connection, changes))
    # Each column by its name in the rows.
    statement = statement.values({name: bindparam(name) for name in ("removed_at", "removed_by", "removed_reason")})
    connection.execute(statement, _storable(rows))
    # What reports quote of them: all in one look at the reports, which have no index for this.
    reasons = {(said.channel, said.seq): change.removal.reason for change in changes for said in change.messages}
    found = select(reports.c.number, reports.c.channel, reports.c.seq).where(
        reports.c.seq.in_({seq for _, seq in reasons})
    )
    for number, *key in connection.execute(found).all():
        if (reason := reasons.get(tuple(key))) is not None:
            connection.execute(update(reports).where(reports.c.number == number).values(message=stands_for(reason)))
    connection.info[REMOVED] = True


def _still_said(connection: Connection, changes: list[MessagesRemoved]) -> list[tuple[int, MessageSaid]]:
    """The messages that are removed now, as they were."""
    of = tables.messages.c
    numbers: dict[str, list[int]] = {}
    for change in changes:
        for said in change.messages:
            numbers.setdefault(said.channel, []).append(said.seq)
    return [
        (row.id, message(row[1:]))
        for channel, some in numbers.items()
        for row in connection.execute(
            select(of.id, *SAID).where(of.channel == channel, of.seq.in_(some), of.removed_at.is_(None))
        )
    ]


def _expire(connection: Connection, changes: list[MessagesExpired]) -> list[Change]:
    latest = max(changes, key=lambda change: change.before)
    messages = tables.messages
    oldest = (
        select(messages.c.id).where(messages.c.said_at < latest.before).order_by(messages.c.said_at).limit(EXPIRING)
    )
    dropped = connection.execute(
        delete(messages).where(messages.c.id.in_(oldest)).returning(messages.c.id, messages.c.channel, messages.c.seq)
    ).all()
    word_index.drop(connection, [row.id for row in dropped])
    highest: dict[str, int] = {}
    for _, channel, seq in dropped:
        highest[channel] = max(seq, highest.get(channel, 0))
    for channel, seq in connection.execute(
        select(tables.sequences.c.channel, tables.sequences.c.highest).where(tables.sequences.c.channel.in_(highest))
    ):
        highest[channel] = max(seq, highest[channel])
    _save(connection, tables.sequences, [{"channel": channel, "highest": seq} for channel, seq in highest.items()])
    return [latest] if len(dropped) == EXPIRING else []


def _keep_achievements(connection: Connection, changes: list[AchievementKept]) -> None:
    rows = [{"client_id": change.client_id, **asdict(change.achievement)} for change in changes]
    _save(connection, tables.achievements, rows)


def _drop_achievements(connection: Connection, changes: list[AchievementDropped]) -> None:
    columns = tables.achievements.c
    statement = delete(tables.achievements).where(
        columns.client_id == bindparam("of"), columns.key == bindparam("dropped")
    )
    connection.execute(statement, [{"of": change.client_id, "dropped": change.key} for change in changes])


def _count_players(connection: Connection, changes: list[PlayersCounted]) -> None:
    rows = [
        {"counted_at": change.counted_at, "client_id": client_id, "count": count}
        for change in changes
        for client_id, count in change.counts
    ]
    _save(connection, tables.player_counts, rows)


def _expire_player_counts(connection: Connection, changes: list[PlayerCountsExpired]) -> list[Change]:
    latest = max(changes, key=lambda change: change.before)
    counts = tables.player_counts.c
    # All rows of a time are deleted together: there are at most a few hundred.
    oldest = (
        select(counts.counted_at)
        .where(counts.counted_at < latest.before)
        .distinct()
        .order_by(counts.counted_at)
        .limit(_EXPIRING_TIMES)
    )
    times = connection.scalars(oldest).all()
    connection.execute(delete(tables.player_counts).where(counts.counted_at.in_(times)))
    return [latest] if len(times) == _EXPIRING_TIMES else []


def _restrict(connection: Connection, changes: list[RestrictionSet]) -> None:
    _save(connection, tables.restrictions, [asdict(change.restriction) for change in changes])


def _lift(connection: Connection, changes: list[RestrictionLifted]) -> None:
    columns = tables.restrictions.c
    same = [columns[name] == bindparam(f"of_{name}") for name in ("kind", "subject", "channel")]
    rows = [{f"of_{name}": value for name, value in asdict(change).items()} for change in changes]
    connection.execute(delete(tables.restrictions).where(*same), rows)


def _expire_restrictions(connection: Connection, changes: list[RestrictionsExpired]) -> None:
    by = max(change.by for change in changes)
    connection.execute(delete(tables.restrictions).where(tables.restrictions.c.until <= by))


def _save_filters(connection: Connection, changes: list[FilterSaved]) -> None:
    _save(connection, tables.filters, [asdict(change.filter) for change in changes])


def _remove_filters(connection: Connection, changes: list[FilterRemoved]) -> None:
    columns = tables.filters.c
    statement = delete(tables.filters).where(
        columns.text == bindparam("of_text"), columns.channel == bindparam("of_channel")
    )
    connection.execute(statement, [{"of_text": change.text, "of_channel": change.channel} for change in changes])


def _make_reports(connection: Connection, changes: list[ReportMade]) -> None:
    messages = tables.messages.c
    rows = [asdict(change.report) for change in changes]
    for row in rows:
        # The message may have been removed while its report waited.
        of = messages.channel == row["channel"], messages.seq == row["seq"], messages.removed_at.is_not(None)
        reason = connection.scalar(select(messages.removed_reason).where(*of))
        if reason is not None:
            row["message"] = stands_for(reason)
    _save(connection, tables.reports, rows)


def _resolve_reports(connection: Connection, changes: list[ReportResolved]) -> None:
    for change in changes:
        row = asdict(change)
        statement = update(tables.reports).where(tables.reports.c.number == row.pop("number"))
        connection.execute(statement.values(_storable([row])[0]))


def _save_accounts(connection: Connection, changes: list[AccountSaved]) -> None:
    _save(connection, tables.accounts, [asdict(change.account) for change in changes])


def _remove_accounts(connection: Connection, changes: list[AccountRemoved]) -> None:
    names = [change.name for change in changes]
    connection.execute(delete(tables.tickets).where(tables.tickets.c.account.in_(names)))
    connection.execute(delete(tables.tastes).where(tables.tastes.c.account.in_(names)))
    connection.execute(delete(tables.accounts).where(tables.accounts.c.name.in_(names)))


def _save_tastes(connection: Connection, changes: list[TastesSaved]) -> None:
    rows = [asdict(change.tastes) for change in changes]
    _save(connection, tables.tastes, [{**row, "ignored": msgspec.json.encode(row["ignored"]).decode()} for row in rows])


def _issue_tickets(connection: Connection, changes: list[TicketIssued]) -> None:
    _save(connection, tables.tickets, [asdict(change.ticket) for change in changes])


def _revoke_tickets(connection: Connection, changes: list[TicketsRevoked]) -> None:
    digests = [digest for change in changes for digest in change.digests]
    connection.execute(delete(tables.tickets).where(tables.tickets.c.digest.in_(digests)))


def _expire_tickets(connection: Connection, changes: list[TicketsExpired]) -> None:
    by = max(change.by for change in changes)
    connection.execute(delete(tables.tickets).where(tables.tickets.c.expires <= by))


def _expire_audit(connection: Connection, changes: list[AuditExpired]) -> list[Change]:
    latest = max(changes, key=lambda change: change.before)
    audit, reports = tables.audit, tables.reports
    connection.execute(delete(reports).where(reports.c.resolved_at < latest.before))
    oldest = select(audit.c.key).where(audit.c.at < latest.before).order_by(audit.c.at).limit(EXPIRING)
    dropped = connection.scalars(delete(audit).where(audit.c.key.in_(oldest)).returning(audit.c.operation)).all()
    if not QUOTING.isdisjoint(dropped):
        connection.info[REMOVED] = True
    return [latest] if len(dropped) == EXPIRING else []


def _audit(connection: Connection, changes: list[Audited]) -> list[Change]:
    rest: list[Change] = []
    for change in changes:
        if change.change is not None:
            rest.extend(execute(connection, [change.change]))
        _save(connection, tables.audit, [asdict(change.entry)])
    return rest


def _do_together(connection: Connection, changes: list[Together]) -> list[Change]:
    return [rest for change in changes for rest in execute(connection, change.changes)]


_EXECUTE: Final[dict[type[Change], Callable[[Connection, list[Any]], list[Change] | None]]] = {
    GameSaved: _save_games,
    GameRemoved: _remove_games,
    GameSeen: _see_games,
    GameOnline: _bring_online,
    GameOffline: _take_offline,
    I3IdentitySaved: _save_i3_identities,
    I3IdentityRemoved: _remove_i3_identities,
    I3LinkSaved: _save_i3_links,
    I3LinkRemoved: _remove_i3_links,
    ChannelSaved: _save_channels,
    ChannelOpened: _open_channels,
    ChannelsUnused: _note_unused_channels,
    ChannelsRemoved: _remove_channels,
    UserAgentSaved: _save_user_agents,
    UserAgentMet: _meet_user_agents,
    MessageSaid: _say,
    MessagesRemoved: _remove_messages,
    MessagesExpired: _expire,
    AchievementKept: _keep_achievements,
    AchievementDropped: _drop_achievements,
    PlayersCounted: _count_players,
    PlayerCountsExpired: _expire_player_counts,
    RestrictionSet: _restrict,
    RestrictionLifted: _lift,
    RestrictionsExpired: _expire_restrictions,
    FilterSaved: _save_filters,
    FilterRemoved: _remove_filters,
    ReportMade: _make_reports,
    ReportResolved: _resolve_reports,
    AccountSaved: _save_accounts,
    AccountRemoved: _remove_accounts,
    TastesSaved: _save_tastes,
    TicketIssued: _issue_tickets,
    TicketsRevoked: _revoke_tickets,
    TicketsExpired: _expire_tickets,
    AuditExpired: _expire_audit,
    Together: _do_together,
    Audited: _audit,
}


def _save(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or update those with the same primary key. All rows have the same keys."""
    if not rows:
        return
    statement = _INSERT[connection.dialect.name](table)
    keys = [column.name for column in table.primary_key]
    values = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), _storable(rows))


def _add(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, and leave those with the same primary key as they are. All rows have the same keys."""
    connection.execute(_INSERT[connection.dialect.name](table).on_conflict_do_nothing(), _storable(rows))


_INSERT: Final[dict[str, Callable[[Table], Any]]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def _storable(rows: Sequence[Row]) -> Sequence[Row]:
    """
    Check rows, and return them.

    @raise Unstorable: a text contains a NUL character. PostgreSQL does not accept it, and SQLite must not hold what
        could not be moved to PostgreSQL.
    """
    for row in rows:
        for value in row.values():
            if type(value) is str and "\0" in value:
                raise Unstorable("a text contains a NUL character")
    return rows
