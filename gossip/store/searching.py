"""
Searching: which messages have all of some words, the latest first.

It goes back in time from block to block. What a block's index allows is read and compared with what is searched for:
the index only says where not to look. So a common word is found at once, and a rare one takes a look at the index of
each block. See L{gossip.store.word_index}.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, any_, literal, select

from gossip.registry.changes import MessageSaid
from gossip.registry.search import Search, Term
from gossip.store import queries, tables
from gossip.store.word_index import BLOCK, BUCKETS, Words, bucket_of, ends, read_bucket, unpacked

SECONDS: Final = 1.0
"""A search ends after this time, in seconds, and says how far it came."""

_ALL: Final = (1 << BLOCK) - 1
_FIRST_BLOCKS: Final = 8
_MOST_BLOCKS: Final = 256
_ROWS: Final = 200

_hit: Final = tables.messages.alias("hit")
_other: Final = tables.messages.alias("other")
_neighbour: Final = select(_other.c.id).where(_other.c.channel == _hit.c.channel).limit(1).correlate(_hit)
_BESIDE: Final = select(
    _hit.c.id,
    _neighbour.where(_other.c.seq < _hit.c.seq).order_by(_other.c.seq.desc()).scalar_subquery(),
    _neighbour.where(_other.c.seq > _hit.c.seq).order_by(_other.c.seq).scalar_subquery(),
)
"""Messages, each with those before and after it on its channel: all by their numbers in the database."""


class Hit(Struct, frozen=True):
    """
    A message that was found.

    @ivar before: the message before it on its channel; C{None} if there is none, or if it is not wanted.
    @ivar after: the message after it.
    """

    said: MessageSaid
    before: MessageSaid | None = None
    after: MessageSaid | None = None


class Found(Struct, frozen=True):
    """
    What a search found, the latest first.

    @ivar next: where to go on: see C{before} of L{search}; C{None} if there is nothing before.
    @ivar complete: whether the search came as far as it wanted. Otherwise it took too long.
    """

    hits: Sequence[Hit]
    next: int | None = None
    complete: bool = True


def search(
    connection: Connection,
    wanted: Search,
    limit: int,
    before: int | None = None,
    around: bool = False,
    allowed: Callable[[MessageSaid], bool] = lambda said: True,
    seconds: float = SECONDS,
) -> Found:
    """See L{gossip.store.store.Store.search}."""
    _prepare(connection, seconds)
    deadline = time.monotonic() + seconds
    lowest, highest = ends(connection)
    top = highest if before is None else min(highest, before - 1)
    hits: list[tuple[int, MessageSaid]] = []
    for bottom, candidates in _candidates(connection, wanted, lowest // BLOCK, top // BLOCK):
        reached = bottom
        for some in _parts(candidates, top, limit + 1):
            for identity, said in _read(connection, some):
                if wanted.finds(said) and allowed(said):
                    hits.append((identity, said))
                    if len(hits) > limit:
                        return Found(_with_lines(connection, hits[:limit], around), hits[limit - 1][0])
            if time.monotonic() >= deadline:
                reached = some[-1]
                break
        if time.monotonic() >= deadline and reached > lowest:
            return Found(_with_lines(connection, hits, around), reached, complete=False)
    return Found(_with_lines(connection, hits, around))


def _prepare(connection: Connection, seconds: float) -> None:
    if connection.dialect.name == "postgresql":
        # Each statement is short. Should one wait for something, it gives up.
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(seconds * 2000) + 1000}")


def _candidates(
    connection: Connection, wanted: Search, low: int, high: int
) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """
    Which places of blocks are to be looked at, for some blocks at a time, the latest first.

    @return: the number of the first message of all these blocks; for each, that of its first, and the places.
    """
    # Long words are rare, most of the time: where they are not, the others are not looked up.
    terms = sorted(wanted.terms, key=lambda term: (term.begins, -len(term.text)))
    size = _FIRST_BLOCKS
    while high >= low:
        bottom = max(high - size + 1, low)
        indexed = _indexed(connection, bottom, high)
        relevant = {block: known.words for block, known in indexed.items() if _overlaps(wanted, known)}
        found = _places(connection, terms, relevant) if terms else dict.fromkeys(relevant, _ALL)
        blocks = range(high, bottom - 1, -1)
        yield (
            bottom * BLOCK,
            [(block * BLOCK, found.get(block, 0) if block in indexed else _ALL) for block in blocks],
        )
        high = bottom - 1
        size = min(size * 2, _MOST_BLOCKS)


def _parts(candidates: Sequence[tuple[int, int]], top: int, first_size: int) -> Iterator[list[int]]:
    """
    The numbers of messages to look at, the latest first: a few, then more at a time.

    @param top: the highest one.
    """
    size = first_size
    some: list[int] = []
    for first, places in candidates:
        if first + BLOCK > top + 1:
            places &= (1 << max(top + 1 - first, 0)) - 1
        while places:
            highest = places.bit_length() - 1
            places ^= 1 << highest
            some.append(first + highest)
            if len(some) >= size:
                yield some
                some, size = [], min(size * 2, _ROWS)
    if some:
        yield some


def _indexed(connection: Connection, low: int, high: int) -> dict[int, Any]:
    columns = tables.indexed_blocks.c
    statement = select(tables.indexed_blocks).where(columns.block >= low, columns.block <= high)
    return {row.block: row for row in connection.execute(statement)}


def _overlaps(wanted: Search, block: Any) -> bool:
    return (wanted.since is None or block.last_at >= wanted.since) and (
        wanted.until is None or block.first_at < wanted.until
    )


def _places(connection: Connection, terms: Sequence[Term], blocks: Mapping[int, int]) -> Mapping[int, int]:
    """
    By block, the places that have all terms.

    @param blocks: where the words of each block begin.
    """
    left = dict.fromkeys(blocks, _ALL)
    for term in terms:
        # Words that begin with a single character may be in any bucket.
        buckets = [bucket_of(term.text)] if len(term.text) > 1 or not term.begins else range(BUCKETS)
        here: defaultdict[int, int] = defaultdict(int)
        starts = {blocks[block]: block for block in left}
        for block, words in _buckets(connection, starts, buckets, term.text.encode()):
            if term.begins:
                for word, kept in words.items():
                    if word.startswith(term.text):
                        here[block] |= unpacked(kept)
            elif term.text in words:
                here[block] |= unpacked(words[term.text])
        left = {block: both for block, places in left.items() if (both := places & here[block])}
        if not left:
            break
    return left


def _buckets(
    connection: Connection, starts: Mapping[int, int], buckets: Sequence[int], text: bytes
) -> Iterator[tuple[int, Words]]:
    """
    Read those buckets of blocks that may have a word.

    @param starts: the block, by where its words begin.
    @param text: the word, or how it begins.
    """
    columns = tables.indexed_words.c
    wanted = {start + bucket: block for start, block in starts.items() for bucket in buckets}
    every = list(wanted)
    for first in range(0, len(every), _ROWS):
        some = every[first : first + _ROWS]
        statement = select(columns.id, columns.words).where(_among(connection, columns.id, some))
        for identity, kept in connection.execute(statement):
            # To look for the bytes is much less work than to read all words.
            if text in kept:
                yield wanted[identity], read_bucket(kept)


def _read(connection: Connection, some: Sequence[int]) -> Iterator[tuple[int, MessageSaid]]:
    """The messages with some numbers, the latest first, as far as they are there and not removed."""
    ids = tables.messages.c.id
    statement = select(ids, *queries.SAID).where(tables.messages.c.removed_at.is_(None)).order_by(ids.desc())
    if len(some) == some[0] - some[-1] + 1:
        rows = connection.execute(statement.where(ids >= some[-1], ids <= some[0]))
    else:
        rows = connection.execute(statement.where(_among(connection, ids, some)))
    for identity, *row in rows:
        yield identity, queries.message(row)


def _among(connection: Connection, column: ColumnElement[int], values: Sequence[int]) -> ColumnElement[bool]:
    """Whether a column has one of some values."""
    if connection.dialect.name == "postgresql":
        # One value instead of many: the driver reads the statement on each execution.
        return column == any_(literal(list(values), ARRAY(BigInteger)))
    return column.in_(values)


def _with_lines(connection: Connection, hits: Sequence[tuple[int, MessageSaid]], around: bool) -> list[Hit]:
    if not around or not hits:
        return [Hit(said) for _, said in hits]
    beside = _BESIDE.where(_among(connection, _hit.c.id, [identity for identity, _ in hits]))
    neighbours = {identity: both for identity, *both in connection.execute(beside)}
    wanted = {identity for both in neighbours.values() for identity in both if identity is not None}
    ids = tables.messages.c.id
    statement = select(ids, *queries.SAID).where(_among(connection, ids, list(wanted)))
    lines = {identity: queries.message(row) for identity, *row in connection.execute(statement)}
    found = []
    for identity, said in hits:
        before, after = (lines.get(each) for each in neighbours.get(identity, (None, None)))
        found.append(Hit(said, before, after))
    return found
