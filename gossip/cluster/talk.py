"""
Talk: a group of messages as one piece of SQL, since most groups are nothing else.

It travels to the database in one piece, with the end of its transaction. So a node can freeze at any time, and keeps
nobody waiting: either the database has all of it, or none. It also costs one round trip instead of six.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from gossip.network.relays import Relayed, SessionLeft, SignedOut
from gossip.registry.changes import MessageSaid

SAY: Final = (
    "INSERT INTO messages (channel, seq, client_id, game, name, message, said_at)"
    " SELECT said->>'channel', nextval('numbers'), said->>'client_id', said->>'game', said->>'name', said->>'message',"
    " (said->>'said_at')::double precision"
    " FROM json_array_elements(CAST({said} AS json)) WITH ORDINALITY AS each (said, place) ORDER BY place"
)
"""Stores messages, a JSON array, and gives them their numbers."""


def flush(durable: str) -> str:
    """
    Write a transaction that waits until everything before it is on disk, here and on a synchronous standby.

    @param durable: the C{synchronous_commit} of it.
    """
    return f"SET LOCAL synchronous_commit = {durable}; SELECT pg_logical_emit_message(true, 'gossip', '')"


def is_talk(entry: object) -> bool:
    """Is this a message, or something that nodes tell each other and nobody stores?"""
    return isinstance(entry, MessageSaid) or (
        isinstance(entry, Relayed) and not isinstance(entry, SessionLeft | SignedOut)
    )


def statement(
    lock: int,
    channel: str,
    said: Sequence[MessageSaid],
    parts: Sequence[tuple[str, str]],
    durable: str,
    quote: Callable[[str], str],
) -> str:
    """
    Write a group as SQL, for a transaction that has begun.

    @param lock: the first part of the lock that orders all groups.
    @param channel: of the notifications.
    @param parts: see L{gossip.cluster.wire.written}.
    @param durable: see L{flush}.
    @param quote: makes a literal of a text.
    """
    here = quote(channel)
    lines = [f"SELECT pg_advisory_xact_lock({lock}, hashtext({here}))"]
    last = "'-'"
    if said:
        lines.append(SAY.format(said=quote(msgspec.json.encode(said).decode())))
        last = "currval('numbers')"
    lines += [
        f"SELECT pg_notify({here}, {quote(head)} || pg_current_xact_id() || ' ' || {last} || ' ' || {quote(body)})"
        for head, body in parts
    ]
    # What is heard waits for no disk; what is acknowledged does.
    return "; ".join([*lines, "COMMIT", *(["BEGIN", flush(durable), "COMMIT"] if said else [])])
