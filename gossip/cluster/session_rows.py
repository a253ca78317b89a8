"""
The table of the sessions of all nodes, for nodes that join later.

Each node writes its own sessions. They change in the transaction that also tells the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from gossip.cluster.pending import Pending
from gossip.network.relays import SessionJoined, SessionLeft, SignedOut
from gossip.store import tables

PIECE: Final = 1000
"""
How many sessions are written at once. The database ends a transaction that says nothing for two seconds, and to encode
all sessions of a large node may take longer.
"""

_session: Final = msgspec.json.Decoder(SessionJoined).decode
_columns: Final = tables.node_sessions.c


def note(connection: Connection, node: str, pending: Iterable[Pending]) -> None:
    """Write how the sessions of a node stand after some entries of it."""
    stand: dict[int, SessionJoined | None] = {}
    signed_out: list[SignedOut] = []
    for each in pending:
        stand.update({session.number: session for session in each.sessions})
        if isinstance(each.entry, SessionLeft):
            stand[each.entry.number] = None
        elif isinstance(each.entry, SignedOut):
            signed_out.append(each.entry)
    gone = [number for number, session in stand.items() if session is None]
    if gone:
        connection.execute(delete(tables.node_sessions).where(_columns.node == node, _columns.number.in_(gone)))
    _save(connection, node, [session for session in stand.values() if session is not None])
    for out in signed_out:
        _sign_out(connection, node, out)


def begin(connection: Connection, node: str, sessions: Sequence[SessionJoined]) -> None:
    """A node has these sessions, and no others."""
    end(connection, node)
    _save(connection, node, sessions)


def end(connection: Connection, node: str) -> None:
    """A node has no sessions any more."""
    connection.execute(delete(tables.node_sessions).where(_columns.node == node))


def of(connection: Connection, node: str) -> list[SessionJoined]:
    """The sessions of a node."""
    return [_session(row) for row in connection.scalars(select(_columns.session).where(_columns.node == node))]


def others(connection: Connection, node: str) -> dict[str, list[SessionJoined]]:
    """The sessions of each other node that is there."""
    sessions: defaultdict[str, list[SessionJoined]] = defaultdict(list)
    statement = select(_columns.node, _columns.session).where(
        _columns.node.in_(select(tables.nodes.c.name)), _columns.node != node
    )
    for name, row in connection.execute(statement.order_by(_columns.node, _columns.number)):
        sessions[name].append(_session(row))
    return sessions


def _save(connection: Connection, node: str, sessions: Sequence[SessionJoined]) -> None:
    statement = insert(tables.node_sessions)
    saved = statement.on_conflict_do_update(
        index_elements=["node", "number"], set_={"session": statement.excluded.session}
    )
    for start in range(0, len(sessions), PIECE):
        rows = [
            {
                "node": node,
                "number": each.number,
                "client_id": each.client_id,
                "session": msgspec.json.encode(each).decode(),
            }
            for each in sessions[start : start + PIECE]
        ]
        connection.execute(saved, rows)


def _sign_out(connection: Connection, node: str, signed_out: SignedOut) -> None:
    """A player left a game: the sessions of it on other nodes do not list the player any more either."""
    theirs = select(_columns.node, _columns.number, _columns.session).where(
        _columns.client_id == signed_out.client_id, _columns.node != node
    )
    for name, number, row in connection.execute(theirs).all():
        session = _session(row)
        left = tuple(player for player in session.players if player != signed_out.name)
        if left != session.players:
            connection.execute(
                update(tables.node_sessions)
                .where(_columns.node == name, _columns.number == number)
                .values(session=msgspec.json.encode(replace(session, players=left)).decode())
            )
