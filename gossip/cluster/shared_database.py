"""The PostgreSQL database of several nodes: what differs from the database of a daemon that is alone."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import URL

from gossip.store.database import PostgreSQL
from gossip.store.errors import StoreError, StoreInUse

OLDEST: Final = 130000
"""The oldest version of the server that has what nodes need (C{pg_current_xact_id})."""

READERS: Final = 5
"""How many connections of a node read. With the one that writes and the one that listens, 14 nodes fit into 100."""


class SharedPostgreSQL(PostgreSQL):
    """
    A schema that several nodes share. A daemon that is alone can use it at no time while a node does, nor the other way
    round, and no two nodes of one name can.
    """

    readers = READERS

    def __init__(self, url: URL, node: str) -> None:
        """@param node: the name of this node."""
        self._node = node
        super().__init__(url)

    @property
    def mark(self) -> str:
        """What the connection that writes calls itself: whoever declares this node dead ends it by that."""
        return self._mark

    @property
    def url(self) -> URL:
        """Where the database is."""
        return self._url

    def _prepare(self, connection: Any) -> None:
        if connection.info.server_version < OLDEST:
            raise StoreError(f"{self.name}: nodes need PostgreSQL {OLDEST // 10000} or later")
        # A node that freezes in the middle of a group, with the lock that orders all of them, loses its connection.
        for setting, value in (("idle_in_transaction_session_timeout", "2s"), ("lock_timeout", "5s")):
            connection.execute("SELECT set_config(%s, %s, false)", (setting, value))
        # What is heard does not wait for the disk: a second transaction does, before anything is acknowledged.
        connection.execute("SET synchronous_commit = off")
        connection.commit()

    def _locks(self, connection: Any) -> bool:
        key = {**self._KEY, "node": int.from_bytes(b"node"), "name": self._node}
        own = "%(node)s, hashtext(coalesce(current_schema(), '') || ':' || %(name)s)"
        return self._lock(connection, "pg_advisory_lock_shared", self._LOCK, key) and self._lock(
            connection, "pg_advisory_lock", own, key
        )

    def _in_use(self, connection: Any) -> StoreInUse:
        taken = connection.execute(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %(gossip)s"
            " AND mode = 'ExclusiveLock'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            self._KEY,
        ).fetchone()
        if taken:
            return StoreInUse(f"a daemon that is alone uses {self.name}: give it a node as well, or stop it")
        return StoreInUse(f"another daemon is the node {self._node} of {self.name}")
