"""L{gossip.store.searching} and L{gossip.store.word_index}: what is found and what is forgotten, on both databases."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import delete, func, select
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.changes import MessageSaid, MessagesExpired, MessagesRemoved
from gossip.registry.search import Search, read_search
from gossip.registry.words import places
from gossip.store import forgetting, searching, tables, word_index
from gossip.store.store import Store
from gossip.store.word_index import BLOCK, packed, read_bucket, unpacked
from tests.support.databases import OnDatabase, OnPostgreSQL, OnSQLite
from tests.support.properties import examples
from tests.support.store_contract import ANA, REMOVAL

WORDS = ["Hello", "café", "CAFE", "dragon", "dragons", "x", "東京都", "東京", "京都", "ночь", "don't", "naïve", "42"]
NAMES = ["Ana", "ána", "Bo", "Zoë"]
MANY = 2 * BLOCK + 50
START = 1.7e9


def message(number: int, text: str, name: str = "Ana", game: str = "MyMUD", channel: str = "gossip") -> MessageSaid:
    """A message a minute."""
    return MessageSaid(channel, number, ANA, game, name, text, START + 60 * number)


def some(number: int) -> MessageSaid:
    """Any message."""
    text = " ".join(WORDS[number * step % len(WORDS)] for step in (1, 3, 7)) + (" /" if number % 5 else "")
    channel = "testing" if number % 11 == 0 else "gossip"
    return message(number, text, NAMES[number % 4], "MyMUD" if number % 3 else "Élan", channel)


class SearchTests(OnDatabase):
    """Two indexed blocks, and what was said after them."""

    def setUp(self) -> None:
        super().setUp()
        # On a busy machine, the second that a search may take is over before it is.
        self.patch(searching, "search", partial(searching.search, seconds=60.0))

    def filled(self, *changed: MessageSaid) -> Store:
        """
        A store with many messages.

        @param changed: what was said in place of some of them.
        """
        kept = self.open()
        self.said = {number: some(number) for number in range(1, MANY)} | {said.seq: said for said in changed}
        kept.keep(list(self.said.values()))
        while kept.index():
            pass
        with kept.reading() as connection:
            self.assertEqual(connection.scalar(select(func.count()).select_from(tables.indexed_blocks)), 2)
        return kept

    def words(self, store: Store) -> set[str]:
        """All words in the index."""
        with store.reading() as connection:
            return {
                word for kept in connection.scalars(select(tables.indexed_words.c.words)) for word in read_bucket(kept)
            }

    def found(self, store: Store, query: str = "", **more: Any) -> list[int]:
        """The numbers of what is found, all pages of it."""
        wanted = read_search(query, **more)
        numbers: list[int] = []
        before = None
        while True:
            page = store.search(wanted, 700, before)
            self.assertTrue(page.complete)
            numbers += [hit.said.seq for hit in page.hits]
            if page.next is None:
                return numbers
            before = page.next

    def test_found(self) -> None:
        """The latest come first, each with the lines around it; words, names and games compare as people read them."""
        kept = self.filled(message(700, "A Unicorn, at the Café"), message(MANY - 3, "unicorns!", "Zoë", "Élan"))
        page = kept.search(read_search("unicorn*"), 5, around=True)
        self.assertEqual([hit.said.seq for hit in page.hits], [MANY - 3, 700])
        self.assertEqual(page.hits[1].before, self.said[699])
        self.assertEqual(page.hits[1].after, self.said[701])
        self.assertEqual(self.found(kept, "UNICORN"), [700])
        self.assertEqual(self.found(kept, "unicorn cafe"), [700])
        self.assertEqual(self.found(kept, "unicorn*", name="zoe", game="elan"), [MANY - 3])
        self.assertEqual(self.found(kept, "unicorn*", channel="testing"), [])

    def test_allowed(self) -> None:
        """What is not allowed is not found, and takes no place of what is."""
        kept = self.filled(message(700, "unicorn"), message(701, "unicorn", "Bo"))
        page = kept.search(read_search("unicorn"), 1, allowed=lambda said: said.name != "Bo")
        self.assertEqual(([hit.said.seq for hit in page.hits], page.next), ([700], None))

    def test_everything(self) -> None:
        """Whatever is searched for, the index finds the same messages as a look at each of them."""
        kept = self.filled()
        words = st.sampled_from(
            [*WORDS, "drag*", "東", "都", "doesnotoccur", "caf*", "*", '"', "AND", "NOT hello", "-x"]
        )
        named = st.none() | st.sampled_from([*NAMES, "nobody"])
        times = st.none() | st.integers(0, MANY).map(lambda number: START + 60 * number)

        def in_order(both: tuple[float | None, float | None]) -> bool:
            since, until = both
            return since is None or until is None or since < until

        @examples(60)
        @given(
            st.lists(words, min_size=1, max_size=3),
            named,
            st.sampled_from([None, "mymud", "elan"]),
            st.sampled_from([None, "gossip", "testing"]),
            st.tuples(times, times).filter(in_order),
        )
        def check(
            query: list[str],
            name: str | None,
            game: str | None,
            channel: str | None,
            between: tuple[float | None, float | None],
        ) -> None:
            wanted = read_search(" ".join([*query, "x"]), name, game, channel, *between)
            expected = [number for number in range(MANY - 1, 0, -1) if wanted.finds(self.said[number])]
            page = kept.search(wanted, MANY)
            self.assertEqual([hit.said.seq for hit in page.hits], expected)

        check()

    def test_pages(self) -> None:
        """Page by page, everything is found once."""
        kept = self.filled()
        expected = [number for number in range(MANY - 1, 0, -1) if read_search("dragon").finds(self.said[number])]
        self.assertGreater(len(expected), 700)
        self.assertEqual(self.found(kept, "dragon"), expected)

    def test_removed(self) -> None:
        """What is removed is found no more, neither where it is indexed nor where it is not; its neighbours are."""
        kept = self.filled(*(message(number, f"unicorn uni{number}") for number in (700, 701, MANY - 2)))
        kept.keep([MessagesRemoved((self.said[700], self.said[MANY - 2]), REMOVAL)])
        kept.keep([MessagesRemoved((self.said[700],), REMOVAL)])
        self.assertEqual(self.found(kept, "unicorn"), [701])
        self.assertEqual({"uni700", "uni701"} & self.words(kept), {"uni701"})

    def test_expired(self) -> None:
        """What expires leaves the index at once; what is left of its block is indexed again."""
        kept = self.filled(message(5, "unicorn uni5"), message(1500, "unicorn uni1500"))
        kept.keep([MessagesExpired(START + 60 * 1000)])
        self.assertNotIn("uni5", self.words(kept))
        self.assertEqual(self.found(kept, "unicorn"), [1500])
        self.assertTrue(kept.index())
        self.assertFalse(kept.index())
        self.assertEqual(self.found(kept, "unicorn"), [1500])

    def test_meanwhile(self) -> None:
        """Others can write while a block is looked at. If they remove a message of it, it is looked at again."""
        kept = self.filled(message(5, "unicorn uni5"), message(6, "unicorn uni6"), message(MANY - 1, "unicorn"))
        with kept.writing() as connection:
            connection.execute(delete(tables.indexed_blocks).where(tables.indexed_blocks.c.block == 0))
        looked, removals = word_index.buckets_of, [self.said[5], None]

        def look(read: word_index.Unindexed) -> list[bytes]:
            buckets = looked(read)
            gone = removals.pop(0)
            if gone is not None:
                kept.keep([MessagesRemoved((gone,), REMOVAL)])
            return buckets

        self.patch(word_index, "buckets_of", look)
        self.assertTrue(kept.index())
        self.assertEqual(self.found(kept, "unicorn"), [MANY - 1, 6])
        self.assertEqual((kept.index(), kept.index()), (True, False))
        self.assertEqual(removals, [])
        self.assertEqual(self.found(kept, "unicorn"), [MANY - 1, 6])
        with kept.reading() as connection:
            self.assertEqual(connection.scalar(select(func.count()).select_from(tables.indexed_blocks)), 2)

    def test_long(self) -> None:
        """Long messages are looked at some at a time, so that they take little memory; all of them are found."""
        counted: list[int] = []

        def count(texts: Iterable[str]) -> dict[str, list[int]]:
            some = list(texts)
            counted.append(sum(map(len, some)))
            return places(some)

        self.patch(word_index, "_AT_ONCE", 1000)
        self.patch(word_index, "words_of", count)
        longest = "".join(map(chr, range(0x4E00, 0x4E00 + 500)))
        kept = self.filled(*(message(number, longest) for number in (700, 701, 900)), message(5, "unicorn 丁七"))
        self.assertEqual(self.found(kept, "丁七"), [5])
        self.assertEqual(self.found(kept, longest[:50]), [900, 701, 700])
        self.assertLess(max(counted), 1000 + 500 + 1)
        expected = [number for number in range(MANY - 1, 0, -1) if read_search("dragon").finds(self.said[number])]
        self.assertEqual(self.found(kept, "dragon"), expected)

    def test_not_indexed(self) -> None:
        """What is not indexed yet is found as well; a search that takes too long says how far it came."""
        kept = self.filled(message(5, "unicorn"), message(MANY - 1, "unicorn"))
        with kept.writing() as connection:
            connection.execute(delete(tables.indexed_blocks))
            connection.execute(delete(tables.indexed_words))
        self.assertEqual(self.found(kept, "unicorn"), [MANY - 1, 5])
        self.patch(searching, "SECONDS", 0.0)
        with kept.reading() as connection:
            first = searching.search(connection, read_search("unicorn"), 5, seconds=0.0)
            self.assertEqual(([hit.said.seq for hit in first.hits], first.complete), ([MANY - 1], False))
            second = searching.search(connection, read_search("unicorn"), 5, first.next)
        self.assertEqual(([hit.said.seq for hit in second.hits], second.complete), ([5], True))

    def test_nothing(self) -> None:
        """In an empty store, nothing is found and nothing is to be indexed."""
        kept = self.open()
        self.assertFalse(kept.index())
        self.assertEqual(kept.search(read_search("hello"), 5).hits, [])

    def test_first_since(self) -> None:
        """The first message of a day is found by its time, among numbers that need not follow each other."""
        kept = self.open()
        kept.keep([replace(message(number, "hello"), seq=number**3 * 10**12) for number in range(1, 40)])
        for number in (1, 2, 20, 39):
            for seconds in (0, -59):
                found = kept.first_since("gossip", START + 60 * number + seconds)
                self.assertEqual(found, number**3 * 10**12)
        self.assertIsNone(kept.first_since("gossip", START + 60 * 40))
        self.assertIsNone(kept.first_since("other", START))


class SQLiteSearchTests(SearchTests, OnSQLite, SynchronousTestCase):
    """On SQLite."""

    def test_bytes(self) -> None:
        """No byte of a removed word is left in the index, wherever it had it; its neighbours are there."""
        # The index has words in lower case, the messages have them as they are here.
        texts = {number: f"{number * 40503 % 65536:04x}secret{number}" for number in range(1, BLOCK)}
        kept = self.filled(*(message(number, f"{text.upper()} hello") for number, text in texts.items()))
        gone = [number for number in texts if number % 3]
        for start in range(0, len(gone), 50):
            part = tuple(self.said[number] for number in gone[start : start + 50])
            kept.keep([MessagesRemoved(part, REMOVAL)])
        self.patch(forgetting, "EMPTIED", 0.0)
        kept.probe()
        with closing(kept.snapshot()) as copy:
            files = b"".join([path.read_bytes() for path in Path(self.directory).iterdir()] + [copy.read()])
        self.assertEqual([number for number in gone if texts[number].encode() in files], [])
        self.assertTrue(all(text.encode() in files for number, text in texts.items() if number not in set(gone)))


class PostgreSQLSearchTests(SearchTests, OnPostgreSQL, SynchronousTestCase):
    """On PostgreSQL."""


class PlacesTests(SynchronousTestCase):
    """Places in a block."""

    @given(st.sets(st.integers(0, BLOCK - 1)))
    def test_packed(self, places: set[int]) -> None:
        """Few or many, they come back, and take little room."""
        kept = packed(sorted(places))
        self.assertEqual(unpacked(kept), sum(1 << place for place in places))
        self.assertLessEqual(len(msgspec.msgpack.encode(kept)), BLOCK // 8 + 3)


class NoSearchTests(SynchronousTestCase):
    """A search for nothing."""

    def test_everything(self) -> None:
        """It finds every message that was not removed."""
        self.assertTrue(Search().finds(some(1)))
