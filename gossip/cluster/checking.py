"""What is wrong with a database that several nodes are to share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from sqlalchemy import make_url

from gossip.cluster.ear import DEAF, connect, hears
from gossip.cluster.shared_database import OLDEST, READERS

CONNECTIONS = READERS + 2
"""How many connections a node has: those that read, one that writes and one that listens."""

_LEFT = (
    "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    " - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')"
)
_PUBLIC = (
    "SELECT EXISTS (SELECT 1 FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) AS granted"
    " WHERE datname = current_database() AND grantee = 0 AND privilege_type = 'CONNECT')"
)


def faults(database: str) -> Iterator[tuple[Literal["error", "warning"], str]]:
    """
    Look at the database of a node.

    @param database: its URL.
    @return: for each fault whether nodes cannot run like this, and what is wrong.
    """
    try:
        import psycopg
    except ModuleNotFoundError:
        yield "error", "PostgreSQL needs psycopg: pip install 'gossip-mud[postgres]'"
        return
    url = make_url(database).set(drivername="postgresql+psycopg")
    try:
        with connect(url) as connection, connect(url) as other:
            if connection.info.server_version < OLDEST:
                yield "error", f"nodes need PostgreSQL {OLDEST // 10000} or later"
            if not hears(connection, other):
                yield "error", DEAF
            row = connection.execute(_LEFT).fetchone()
            left = CONNECTIONS if row is None else row[0] + 2  # the two that are open here
            if left < CONNECTIONS:
                yield "warning", f"it has {left} connections left, and a node takes {CONNECTIONS}"
            row = connection.execute(_PUBLIC).fetchone()
            if row is not None and row[0]:
                text = "every role of the server can connect, and so speak as a node: REVOKE CONNECT … FROM PUBLIC"
                yield "warning", text
    except psycopg.Error as error:
        yield "error", str(error).partition("\n")[0]
