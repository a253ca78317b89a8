"""
The index of the words that were said, for L{gossip.store.searching}.

Messages are indexed in blocks of those that follow each other. A block has some buckets of words, each a row, and a
word has the places of the messages that have it. A message costs nothing while it is written: once a block is full, all
of it is indexed, in a short transaction of its own. What is not indexed yet is searched message by message.

These are tables like all others, on both databases, since they must forget: of a removed message, no byte stays. The
full text index of SQLite cannot do that before version 3.42. Rows are added behind all others and overwritten by rows
of their size, so that SQLite moves a row, and leaves a copy of it in the file, only when a block before it expires. The
copy goes when the file is rewritten: see L{gossip.store.forgetting}.
"""

from __future__ import annotations

import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Select, delete, func, insert, select, text, update

from gossip.registry.changes import MessageSaid
from gossip.registry.search import MARKS, shown, terms_of, terms_of_speaker
from gossip.registry.words import places as words_of
from gossip.store import tables

BLOCK: Final = 2048
"""How many messages a block has. The database depends on it, so it never changes."""

BUCKETS: Final = 256
"""How many buckets a block has; as above."""

Places = bytes | list[int]
"""The places of a word as they are kept: bits if there are many, numbers otherwise; a number may be there twice."""

Words = dict[str, Places]
"""The words of a bucket."""

_LOCK: Final = text(f"SELECT pg_advisory_xact_lock({int.from_bytes(b'srch')}, hashtext(current_schema()))")
_BYTES: Final = BLOCK // 8
_MANY: Final = _BYTES // 3
"""From this many places on, bits take less room than numbers."""

_DIGITS: Final = b"01".ljust(256)
"""Makes the digits of a binary number of bytes that are 0 or 1."""

_AT_ONCE: Final = 256 * 1024
"""How many characters of messages are looked at at once: each can be a word, and then takes 200 bytes of memory."""

_RESTS_AFTER, _RESTS = 128, 0.0005
"""After how many steps of its work, and for how many seconds, indexing lets others go on."""

_Item = TypeVar("_Item")

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Words).decode
_decode_places: Final = msgspec.msgpack.Decoder(dict[str, list[int]]).decode


def packed(places: list[int]) -> Places:
    """Places as they are kept."""
    if len(places) < _MANY:
        return places
    bits = bytearray(BLOCK)
    for place in places:
        bits[place] = 1
    bits.reverse()
    return int(bits.translate(_DIGITS), 2).to_bytes(_BYTES, "little")


def unpacked(kept: Places) -> int:
    """Places as a number, with a bit for each."""
    if isinstance(kept, bytes):
        return int.from_bytes(kept, "little")
    places = 0
    for place in kept:
        places |= 1 << place
    return places


def bucket_of(word: str) -> int:
    """
    In which bucket of a block a term is. Words that begin with the same two characters are together, since beginnings
    are searched for; speakers and channels are spread, since all may begin alike.
    """
    return _bucket(word if word[:1] in MARKS else word[:2])


@lru_cache(5000)
def _bucket(beginning: str) -> int:
    return zlib.crc32(beginning.encode()) % BUCKETS


def read_bucket(kept: bytes) -> Words:
    """The words of a bucket."""
    return _decode(kept.rstrip(b"\0")[:-1])


def _written(words: Words, size: int = 0) -> bytes:
    """
    A bucket as it is kept.

    @param size: at least so many bytes.
    """
    # A mark ends it, since places may end in zeros.
    return (_encode(words) + b"\xff").ljust(size, b"\0")


def missing(connection: Connection) -> int | None:
    """The latest full block that is not indexed; C{None} if all are."""
    first, last = ends(connection)
    indexed = set(connection.scalars(select(tables.indexed_blocks.c.block)))
    full = range((last + 1) // BLOCK - 1, first // BLOCK - 1, -1)
    return next((block for block in full if block not in indexed), None)


def ends(connection: Connection) -> tuple[int, int]:
    """The lowest and the highest number of a message in the database; the highest is lower if there are none."""
    ids = tables.messages.c.id
    # SQLite looks at all messages for both in one statement.
    first, last = (connection.scalar(select(of(ids))) for of in (func.min, func.max))
    return (0, -1) if first is None or last is None else (first, last)


class Unindexed(NamedTuple):
    """
    A block that is not indexed yet, as it was when it was read.

    @ivar block: its number.
    @ivar rows: its messages that stand, by their numbers.
    """

    block: int
    rows: Sequence[Any]


def unindexed(connection: Connection) -> Unindexed | None:
    """Read the latest full block that is not indexed; C{None} if all are."""
    block = missing(connection)
    if block is None:
        return None
    of = tables.messages.c
    return Unindexed(block, connection.execute(_stand(block, of.channel, of.game, of.name, of.message)).all())


def _within(block: int) -> tuple[ColumnElement[bool], ...]:
    of, first = tables.messages.c, block * BLOCK
    return of.id >= first, of.id < first + BLOCK


def _stand(block: int, *columns: Column[Any]) -> Select[Any]:
    of = tables.messages.c
    return select(of.id, *columns).where(*_within(block), of.removed_at.is_(None)).order_by(of.id)


def buckets_of(read: Unindexed) -> list[bytes]:
    """
    The buckets of a block, as they are kept. This takes some tens of milliseconds, but half a minute if the messages
    are as long as they may be and have no two words alike: nothing may wait for it.
    """
    if sum(len(row.message) for row in read.rows) <= _AT_ONCE:
        found: dict[str, list[int]] = {}
        for some in _words_of(read):
            found |= some
        return [_written(words) for words in _resting(_spread(found, packed))]
    parts: list[list[bytes]] = [[] for _ in range(BUCKETS)]
    for some in _words_of(read):
        for part, words in zip(parts, _spread(some, list), strict=True):
            part.append(_encode(words))
    return [_merged(part) for part in parts]


def _words_of(read: Unindexed) -> Iterator[dict[str, list[int]]]:
    """
    The places of terms: those of the speakers, then those of the messages. If these are long, they are looked at one
    after the other, since the words of a whole block could take more than a gigabyte.
    """
    first = read.block * BLOCK
    speakers: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row in _resting(read.rows):
        speakers[row.channel, row.game, row.name].append(row.id - first)
    places: defaultdict[str, list[int]] = defaultdict(list)
    for speaker, some in speakers.items():
        for term in terms_of_speaker(*speaker):
            places[term].extend(some)
    yield places
    texts, size = [""] * BLOCK, 0
    for row in _resting(read.rows):
        texts[row.id - first] = shown(row.message)
        size += len(row.message)
        if size > _AT_ONCE:
            yield words_of(_resting(texts))
            texts, size = [""] * BLOCK, 0
    yield words_of(_resting(texts))


def _resting(items: Iterable[_Item]) -> Iterator[_Item]:
    """
    Let other threads have the interpreter now and then: they would wait 5 ms for it each time, and the reactor lets go
    of it with each write to a socket.
    """
    for number, item in enumerate(items, 1):
        yield item
        if number % _RESTS_AFTER == 0:
            time.sleep(_RESTS)


def _spread(found: dict[str, list[int]], kept: Callable[[list[int]], Places]) -> list[Words]:
    """The terms in their buckets, with their places as they are kept."""
    buckets: list[Words] = [{} for _ in range(BUCKETS)]
    for term, places in _resting(found.items()):
        buckets[bucket_of(term)][term] = kept(places)
    return buckets


def _merged(parts: Iterable[bytes]) -> bytes:
    """A bucket as it is kept, of parts of its words."""
    found: dict[str, list[int]] = {}
    for part in parts:
        for term, places in _decode_places(part).items():
            found.setdefault(term, []).extend(places)
    return _written({term: packed(places) for term, places in found.items()})


def add(connection: Connection, read: Unindexed, buckets: Iterable[bytes]) -> None:
    """
    Index a block, unless it is no longer as it was read: somebody removed a message, or another node was first.

    @param connection: in a transaction that writes.
    @param buckets: those of L{buckets_of}.
    """
    _lock(connection)
    if missing(connection) != read.block:
        return
    if connection.scalars(_stand(read.block)).all() != [row.id for row in read.rows]:
        return
    said_at = tables.messages.c.said_at
    times = select(func.coalesce(func.min(said_at), 0.0), func.coalesce(func.max(said_at), 0.0))
    first_at, last_at = connection.execute(times.where(*_within(read.block))).one()
    highest = connection.scalar(select(func.max(tables.indexed_words.c.id)))
    start = 0 if highest is None else highest + 1
    connection.execute(
        insert(tables.indexed_blocks),
        {"block": read.block, "first_at": first_at, "last_at": last_at, "words": start},
    )
    kept = [{"id": start + place, "words": words} for place, words in enumerate(buckets)]
    connection.execute(insert(tables.indexed_words), kept)


def forget(connection: Connection, messages: Iterable[tuple[int, MessageSaid]]) -> None:
    """
    Messages are removed: nothing of them stays in the index.

    @param messages: each with its number in the database, and as it was.
    """
    _lock(connection)
    gone: defaultdict[int, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for identity, said in messages:
        block, place = divmod(identity, BLOCK)
        for term in terms_of(said.channel, said.game, said.name, said.message):
            gone[block][term] |= 1 << place
    blocks = tables.indexed_blocks.c
    for block, words in gone.items():
        start = connection.scalar(select(blocks.words).where(blocks.block == block))
        if start is not None:
            _forget_words(connection, start, words)


def _forget_words(connection: Connection, start: int, gone: dict[str, int]) -> None:
    of = tables.indexed_words.c
    changed: defaultdict[int, list[str]] = defaultdict(list)
    for word in gone:
        changed[start + bucket_of(word)].append(word)
    for identity, kept in connection.execute(select(of.id, of.words).where(of.id.in_(changed))).all():
        words = read_bucket(kept)
        for word in changed[identity]:
            left = unpacked(words.pop(word, [])) & ~gone[word]
            if left:
                words[word] = packed([place for place in range(BLOCK) if left >> place & 1])
        connection.execute(
            update(tables.indexed_words).where(of.id == identity).values(words=_written(words, len(kept)))
        )


def drop(connection: Connection, identities: Collection[int]) -> None:
    """
    Messages expired: the blocks that have them are not indexed any more. One that has others still is indexed anew.

    @param identities: their numbers in the database.
    """
    if not identities:
        return
    _lock(connection)
    blocks, of = tables.indexed_blocks.c, tables.indexed_words.c
    gone = delete(tables.indexed_blocks).where(blocks.block.in_({identity // BLOCK for identity in identities}))
    for start in connection.scalars(gone.returning(blocks.words)).all():
        connection.execute(delete(tables.indexed_words).where(of.id >= start, of.id < start + BUCKETS))


def _lock(connection: Connection) -> None:
    """Nodes change the index one at a time: what one of them removes, no other may be adding."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
