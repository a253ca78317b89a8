"""
Scripts: what a node writes most, as texts of SQL that travel to the database in one piece.

A script costs one round trip, and the database has its statements planned already. If it begins and ends its own
transactions, a node can freeze at any time and keeps nobody waiting: either the database has all of it, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from gossip.network.relays import Relayed, SignedOut
from gossip.registry.changes import MessageSaid

ORDER: Final = int.from_bytes(b"ordr")
"""The first part of the lock that orders the groups of all nodes; the second one is made of the channel."""

STATEMENTS: Final = {
    "gossip_order (text)": f"SELECT pg_advisory_xact_lock({ORDER}, hashtext($1))",
    "gossip_say (text, text, text, text, text, double precision)": (
        "INSERT INTO messages (channel, seq, client_id, game, name, message, said_at)"
        " VALUES ($1, nextval('numbers'), $2, $3, $4, $5, $6)"
    ),
    "gossip_tell (text, text, text)": "SELECT pg_notify($1, $2 || pg_current_xact_id() || ' - ' || $3)",
    "gossip_tell_said (text, text, text)": (
        "SELECT pg_notify($1, $2 || pg_current_xact_id() || ' ' || currval('numbers') || ' ' || $3)"
    ),
    "gossip_session (text, bigint, text, text)": (
        "INSERT INTO node_sessions (node, number, client_id, session) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (node, number) DO UPDATE SET session = excluded.session"
    ),
    "gossip_session_left (text, bigint)": "DELETE FROM node_sessions WHERE node = $1 AND number = $2",
    "gossip_flush (text)": (
        "SELECT set_config('synchronous_commit', $1, true), pg_logical_emit_message(true, 'gossip', '')"
    ),
}
"""What scripts execute. A connection prepares them once."""

Quote = Callable[[str], str]
"""Makes a literal of a text."""

Write = Callable[[Quote], Sequence[str]]
"""Writes the lines of a script."""


def order(channel: str, quote: Quote) -> list[str]:
    """
    Begin a transaction with the lock that orders the groups of all nodes.

    @param channel: of the notifications.
    """
    return ["BEGIN", f"EXECUTE gossip_order({quote(channel)})"]


def say(said: Sequence[MessageSaid], quote: Quote) -> list[str]:
    """Store messages. The database gives them their numbers."""
    return [f"EXECUTE gossip_say({_values(each, quote)}, {each.said_at!r})" for each in said]


def _values(said: MessageSaid, quote: Quote) -> str:
    texts = (said.channel, said.client_id, said.game, said.name, said.message)
    return ", ".join("NULL" if text is None else quote(text) for text in texts)


def tell(channel: str, parts: Sequence[tuple[str, str]], numbered: bool, quote: Quote) -> list[str]:
    """
    Notify all nodes of a group.

    @param parts: see L{gossip.cluster.wire.written}.
    @param numbered: whether messages of this transaction were stored before.
    """
    here, statement = quote(channel), "gossip_tell_said" if numbered else "gossip_tell"
    return [f"EXECUTE {statement}({here}, {quote(head)}, {quote(body)})" for head, body in parts]


def flush(durable: str, quote: Quote) -> list[str]:
    """
    Begin a transaction that waits at its end until everything before is on disk, here and on a synchronous standby.

    @param durable: the C{synchronous_commit} of it.
    """
    return ["BEGIN", f"EXECUTE gossip_flush({quote(durable)})"]


def is_talk(entry: object) -> bool:
    """Is this a message, or something that nodes tell each other and that needs no look at other rows?"""
    return isinstance(entry, MessageSaid) or (isinstance(entry, Relayed) and not isinstance(entry, SignedOut))


def talk(
    channel: str,
    said: Sequence[MessageSaid],
    sessions: Sequence[str],
    parts: Sequence[tuple[str, str]],
    durable: str,
    quote: Quote,
) -> list[str]:
    """
    Write a group of talk: what is heard waits for no disk, what is acknowledged does.

    @param sessions: see L{gossip.cluster.session_rows.save}.
    @param durable: see L{flush}.
    """
    kept = [*say(said, quote), *sessions]
    heard = [*order(channel, quote), *kept, *tell(channel, parts, bool(said), quote), "COMMIT"]
    return [*heard, *flush(durable, quote), "COMMIT"] if said else heard
