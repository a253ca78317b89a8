"""
Copying everything that a network keeps from one database to another, such as from SQLite to PostgreSQL.

Both are locked meanwhile, so that no daemon uses them. The copy is one transaction: it is there as a whole or not at
all. It is compared with the original, row by row, before it is committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Table, func, insert, select

from gossip.store import tables
from gossip.store.errors import StoreError
from gossip.store.store import Store, plainly

BATCH: Final = 1000
"""How many rows are copied at a time."""

_OF_NODES: Final = (tables.nodes, tables.positions, tables.engine, tables.node_sessions)
_INDEX: Final = (tables.indexed_blocks, tables.indexed_words)
"""Made anew, by the numbers that messages have in the other database."""

_COPIED: Final = [table for table in tables.metadata.sorted_tables if table not in (*_OF_NODES, *_INDEX)]
"""What is kept, each table behind those that it refers to."""


def copy(source: Store, target_url: str, data_directory: Path) -> tuple[dict[str, int], bool]:
    """
    Copy a store to another, empty database.

    @param source: an open store, which no daemon uses.
    @param target_url: the URL of the other database.
    @param data_directory: the data directory of the daemon.
    @return: how many rows each table has; and whether they were copied now, not earlier.
    @raise StoreError: one of the two cannot be used, or the other database has something else in it.
    """
    target = Store.open(target_url, data_directory)
    try:
        if target.name == source.name:
            raise StoreError(f"{source.name} cannot be copied to itself")
        with plainly(target.name), source.reading() as original, target.writing() as copied:
            there = _describe(copied)
            here = _describe(original)
            if any(count for count, _ in there.values()):
                if there != here:
                    raise StoreError(f"{target.name} is not empty, and has not the same in it as {source.name}")
                return _counts(here), False
            for table in _COPIED:
                for rows in _rows(original, table):
                    copied.execute(insert(table), rows)
            if _describe(copied) != here:
                raise StoreError(f"the copy in {target.name} differs from {source.name}: nothing was copied")
        while target.index():
            pass
        return _counts(here), True
    finally:
        target.close()


def _rows(connection: Connection, table: Table) -> Iterator[list[dict[str, object]]]:
    # Messages have a number of their own in each database, which keeps their order and means nothing else.
    columns = [column for column in table.columns if column is not tables.messages.c.id]
    statement = select(*columns).order_by(*table.primary_key.columns)
    found = connection.execute(statement, execution_options={"yield_per": BATCH})
    for rows in found.mappings().partitions(BATCH):
        yield [dict(row) for row in rows]


def _describe(connection: Connection) -> dict[str, tuple[int, int]]:
    """For each table how many rows it has, and a checksum of them that does not depend on their order."""
    described = {}
    for table in _COPIED:
        checksum = 0
        for rows in _rows(connection, table):
            for row in rows:
                digest = sha256(repr([(name, row[name]) for name in sorted(row)]).encode()).digest()
                checksum = (checksum + int.from_bytes(digest)) % 2**256
        described[table.name] = (connection.scalar(select(func.count()).select_from(table)) or 0, checksum)
    return described


def _counts(described: dict[str, tuple[int, int]]) -> dict[str, int]:
    return {name: count for name, (count, _) in described.items()}
