"""Statistics for the pages: numbers of players and messages over time, and the latest messages."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, cast, func, not_, select

from gossip.registry.changes import MessageSaid
from gossip.store import queries, tables

Figures = dict[int, float]
"""Values by the start of each span of time, in seconds since the epoch. Spans without data are left out."""

# The database finds them itself: to hand it twenty thousand names would keep the whole daemon waiting.
_SHOWN_GAMES: Final = select(tables.games.c.client_id).where(
    not_(tables.games.c.hidden), not_(tables.games.c.disabled), not_(tables.games.c.hides_players)
)
_SHOWN_CHANNELS: Final = select(tables.channels.c.name).where(not_(tables.channels.c.hidden))


def _spans(connection: Connection, column: ColumnElement[float], step: int) -> ColumnElement[Any]:
    # A cast truncates in SQLite and rounds in PostgreSQL. Not every SQLite has floor().
    parts = column / step
    whole = func.floor(parts) if connection.dialect.name == "postgresql" else parts
    return cast(whole, BigInteger) * step


def players(connection: Connection, client_ids: Collection[str] | None, since: float, step: int) -> Figures:
    """See L{gossip.store.store.Store.player_figures}."""
    counts = tables.player_counts.c
    if client_ids is None:
        # Not by the index of games: SQLite would look for each of them at each of its times.
        among = func.coalesce(counts.client_id, "").in_(_SHOWN_GAMES)
    else:
        among = counts.client_id.in_(client_ids)
    sums = (
        select(counts.counted_at, func.sum(counts.count).label("players"))
        .where(counts.counted_at >= since, among)
        .group_by(counts.counted_at)
        .subquery()
    )
    span = _spans(connection, sums.c.counted_at, step).label("span")
    rows = connection.execute(select(span, func.max(sums.c.players)).group_by(span))
    return {int(start): float(most) for start, most in rows}


def players_each(connection: Connection, client_ids: Collection[str], since: float, step: int) -> dict[str, Figures]:
    """See L{gossip.store.store.Store.player_figures_each}."""
    counts = tables.player_counts.c
    span = _spans(connection, counts.counted_at, step).label("span")
    statement = select(counts.client_id, span, func.max(counts.count)).where(counts.counted_at >= since)
    figures: dict[str, Figures] = {}
    for client_id, start, most in connection.execute(
        statement.where(counts.client_id.in_(client_ids)).group_by(counts.client_id, span)
    ):
        figures.setdefault(client_id, {})[int(start)] = float(most)
    return figures


def messages(connection: Connection, channels: Collection[str] | None, since: float, step: int) -> Figures:
    """See L{gossip.store.store.Store.message_figures}."""
    said = tables.messages.c
    span = _spans(connection, said.said_at, step).label("span")
    among = said.channel.in_(_SHOWN_CHANNELS if channels is None else channels)
    statement = select(span, func.count()).where(said.said_at >= since, among).group_by(span)
    return {int(start): float(number) for start, number in connection.execute(statement)}


def messages_by_game(connection: Connection, since: float) -> dict[str, int]:
    """See L{gossip.store.store.Store.messages_by_game}."""
    said = tables.messages.c
    statement = (
        select(said.client_id, func.count())
        .where(said.said_at >= since, said.removed_at.is_(None), said.client_id.is_not(None))
        .where(said.channel.in_(_SHOWN_CHANNELS))
        .group_by(said.client_id)
    )
    return dict(connection.execute(statement).tuples().all())


def latest(connection: Connection, channels: Collection[str] | None, limit: int) -> list[MessageSaid]:
    """See L{gossip.store.store.Store.latest}."""
    # Ordered by number, not by time: a clock may jump.
    among = tables.messages.c.channel.in_(_SHOWN_CHANNELS if channels is None else channels)
    statement = select(*queries.SAID).where(among)
    rows = connection.execute(statement.order_by(tables.messages.c.id.desc()).limit(limit)).all()
    return [queries.message(row) for row in reversed(rows)]
