"""
The table of the sessions of all nodes, for nodes that join later.

Each node writes its own sessions. They change in the transaction that also tells the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, delete, select, update

from gossip.cluster.pending import Pending
from gossip.cluster.scripts import Quote
from gossip.cluster.wire import Entry
from gossip.network.relays import SessionJoined, SessionLeft, SignedOut
from gossip.store import tables

_session: Final = msgspec.json.Decoder(SessionJoined).decode
_columns: Final = tables.node_sessions.c


def standing(pending: Iterable[Pending]) -> dict[int, SessionJoined | None]:
    """How the sessions of a node stand after some entries of it, by their numbers; C{None} for those that ended."""
    stand: dict[int, SessionJoined | None] = {}
    for each in pending:
        stand.update({session.number: session for session in each.sessions})
        if isinstance(each.entry, SessionLeft):
            stand[each.entry.number] = None
    return stand


def save(node: str, sessions: Mapping[int, SessionJoined | None], quote: Quote) -> list[str]:
    """Write how sessions of a node stand: the lines of a script (L{gossip.cluster.scripts})."""
    here = quote(node)
    return [
        f"EXECUTE gossip_session_left({here}, {number})"
        if session is None
        else f"EXECUTE gossip_session({here}, {number}, {quote(session.client_id)}, {quote(_text(session))})"
        for number, session in sessions.items()
    ]


def sign_out(connection: Connection, node: str, entries: Iterable[Entry]) -> None:
    """The sessions of other nodes do not list those players any more that left their games here."""
    for entry in entries:
        if isinstance(entry, SignedOut):
            _sign_out(connection, node, entry)


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


def _text(session: SessionJoined) -> str:
    return msgspec.json.encode(session).decode()


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
                .values(session=_text(replace(session, players=left)))
            )
