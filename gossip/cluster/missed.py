"""What a node missed of messages while it heard nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, select

from gossip.registry.changes import MessageSaid, MessagesRemoved
from gossip.registry.removals import LATEST
from gossip.store import queries, tables

_read: Final = msgspec.json.decode


def said(connection: Connection, channel: str, number: int, late: int) -> list[MessageSaid]:
    """
    Messages with higher numbers than this one, the latest first.

    @param late: the maximum number of them.
    """
    columns = tables.messages.c
    statement = (
        select(*queries.SAID)
        .where(columns.channel == channel, columns.seq > number, columns.removed_at.is_(None))
        .order_by(columns.seq.desc())
        .limit(late)
    )
    return [queries.message(row) for row in connection.execute(statement).all()]


def removed(connection: Connection, since: float) -> list[MessagesRemoved]:
    """
    The latest removals, as they were made: what the messages said is in the entries of the activity log about them.

    @param since: a time, in seconds since the epoch.
    """
    found = [(each, each.removed) for each in queries.removed(connection, LATEST)]
    latest = [(message, removal) for message, removal in found if removal is not None and removal.at >= since]
    if not latest:
        return []
    columns = tables.audit.c
    noted = connection.scalars(select(columns.arguments).where(columns.at >= since))
    quoted = {each["id"]: each for arguments in noted for each in _messages(arguments)}
    changes = []
    for message, removal in latest:
        quote = quoted.get(f"{message.channel}:{message.seq}", {})
        texts = {name: str(quote.get(name, "")) for name in ("name", "message")}
        changes.append(MessagesRemoved((replace(message, removed=None, **texts),), removal))
    return changes


def _messages(arguments: str) -> Iterator[dict[str, Any]]:
    """What an entry of the activity log quotes of messages."""
    given = _read(arguments)
    messages = given.get("messages") if isinstance(given, dict) else None
    for each in messages if isinstance(messages, list) else ():
        if isinstance(each, dict) and "id" in each:
            yield each
