"""The writer: groups, failures, and that nobody waits for an answer in vain."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from threading import Event, current_thread, get_ident
from threading import enumerate as threads

from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.changes import Change, MessagesExpired
from gossip.store import writer as writing
from gossip.store.errors import StoreError, Trouble
from gossip.store.writer import Writer
from tests.support.databases import OnSQLite
from tests.support.writer_contract import GATHER, IDLE, SECONDS, Turns, WriterOnStoreTests, logged, said


class Disk:
    """
    What a writer writes to.

    @ivar groups: each group that it was given.
    @ivar bad: these changes fail.
    @ivar errors: these come first, one a group.
    @ivar rest: what the next groups leave to do.
    @ivar probes: how many probes it was given.
    @ivar moments: for each moment when it could forget, whether that was quiet.
    @ivar fails: it cannot forget.
    @ivar busy: it has been given something.
    @ivar free: it may go on.
    """

    def __init__(self) -> None:
        self.groups: list[list[Change]] = []
        self.bad: list[Change] = []
        self.errors: list[BaseException] = []
        self.rest: list[Change] = []
        self.probes = 0
        self.moments: list[bool] = []
        self.fails = False
        self.busy = Event()
        self.free = Event()
        self.free.set()
        self.thread = 0

    def probe(self) -> None:
        self.probes += 1
        if self.errors:
            raise self.errors.pop(0)

    def forget(self, quiet: bool) -> None:
        self.moments.append(quiet)
        if self.fails:
            raise ValueError("what?")

    def keep(self, changes: Sequence[Change]) -> list[Change]:
        self.groups.append(list(changes))
        self.thread = get_ident()
        self.busy.set()
        assert self.free.wait(SECONDS)
        if self.errors:
            raise self.errors.pop(0)
        if any(change in self.bad for change in changes):
            raise ValueError("a bad change")
        rest, self.rest = self.rest[:1], self.rest[1:]
        return rest


class WriterTests(SynchronousTestCase):
    """The writer, with a disk that does as it is told."""

    def setUp(self) -> None:
        self.disk = Disk()
        self.reactor = Turns()
        self.told: list[tuple[int, bool]] = []

    def writer(self, most: int = 100) -> Writer[Change]:
        """A writer; it is stopped after the test."""
        writer = Writer(self.disk, self.reactor, most=most, gather=GATHER, idle=IDLE)
        self.addCleanup(self.stop, writer)
        return writer

    def stop(self, writer: Writer[Change]) -> None:
        """Stop a writer."""
        self.disk.free.set()
        self.reactor.until(writer.stop())

    def say(self, writer: Writer[Change], *seqs: int) -> None:
        """Commit messages, and note what is told of them."""
        for seq in seqs:
            writer.commit(said(seq), partial(self.tell, seq))

    def tell(self, seq: int, kept: bool) -> None:
        """Note what is told of a message."""
        self.told.append((seq, kept))

    def whisper(self, writer: Writer[Change], seq: int) -> None:
        """Commit a message that nobody waits for."""
        writer.commit(said(seq), partial(self.tell, seq), False)

    def test_unwanted(self) -> None:
        """What nobody waits for waits for company: until something is wanted, or the end."""
        writer = self.writer()
        self.whisper(writer, 1)
        self.reactor.advance(IDLE - 2 * GATHER)
        self.say(writer, 2)
        self.reactor.turn()
        self.assertEqual(self.disk.groups, [[said(1), said(2)]])
        self.whisper(writer, 3)
        self.stop(writer)
        self.assertEqual(self.told, [(1, True), (2, True), (3, True)])

    def test_unwanted_for_long(self) -> None:
        """What nobody waits for is kept after a while all the same, and so is what comes after it."""
        writer = self.writer()
        for seq in (1, 2):
            self.whisper(writer, seq)
            self.reactor.advance(IDLE)
            self.reactor.turn()
        self.assertEqual(self.disk.groups, [[said(1)], [said(2)]])

    def test_hurry(self) -> None:
        """Only the first that is wanted brings the end of the wait nearer: further ones do not put it off."""
        writer = self.writer()
        self.whisper(writer, 1)
        self.say(writer, 2)
        self.reactor.advance(GATHER / 2)
        self.say(writer, 3)
        self.reactor.advance(GATHER / 2)
        assert self.disk.busy.wait(SECONDS)
        self.assertEqual(self.disk.groups, [[said(1), said(2), said(3)]])

    def test_enough(self) -> None:
        """Many that nobody waits for do not wait either, and leave no timer behind."""
        self.patch(writing, "ENOUGH", 2)
        writer = self.writer()
        self.whisper(writer, 1)
        self.whisper(writer, 2)
        assert self.disk.busy.wait(SECONDS)
        self.assertEqual(self.disk.groups, [[said(1), said(2)]])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_more_than_a_group(self) -> None:
        """What did not fit into a group is in the next one."""
        self.patch(writing, "GROUP", 2)
        self.patch(writing, "ENOUGH", 2)
        writer = self.writer()
        self.say_in_a_group(writer, 1, 2, 3)
        for _ in range(3):
            self.reactor.turn()
        self.assertEqual(self.disk.groups, [[said(0)], [said(1), said(2)], [said(3)]])

    def say_in_a_group(self, writer: Writer[Change], *seqs: int) -> None:
        """Commit messages in one group, after message 0 in one of its own."""
        self.disk.free.clear()
        self.disk.busy.clear()
        self.say(writer, 0)
        self.reactor.advance(GATHER)
        assert self.disk.busy.wait(SECONDS)
        self.say(writer, *seqs)
        self.reactor.advance(GATHER)
        self.disk.free.set()

    def test_kept(self) -> None:
        """A change is kept in another thread; that it was is told in this one, and not before."""
        writer = self.writer()
        self.say(writer, 1)
        self.reactor.advance(GATHER)
        assert self.disk.busy.wait(SECONDS)
        self.assertEqual(self.told, [])
        self.reactor.turn()
        self.assertEqual((self.told, self.disk.groups), ([(1, True)], [[said(1)]]))
        self.assertNotEqual(self.disk.thread, get_ident())

    def test_group(self) -> None:
        """What comes while a group is on its way to the disk is the next one, and is told in one turn, in order."""
        writer = self.writer()
        self.say_in_a_group(writer, 1, 2, 3)
        self.reactor.turn()
        self.assertEqual(self.told, [(0, True)])
        self.reactor.turn()
        self.assertEqual(self.told, [(0, True), (1, True), (2, True), (3, True)])
        self.assertEqual(self.disk.groups, [[said(0)], [said(1), said(2), said(3)]])

    def test_bad_change(self) -> None:
        """A bad change fails alone; all others of its group are kept, in their order."""
        events = logged(self)
        self.disk.bad = [said(3)]
        self.say_in_a_group(self.writer(), 1, 2, 3, 4, 5)
        self.reactor.turn()
        self.reactor.turn()
        self.assertEqual(self.told, [(0, True), (1, True), (2, True), (3, False), (4, True), (5, True)])
        self.assertEqual(len(events), 1)
        self.assertIn("a change (MessageSaid) was not written: ValueError: a bad change", formatEvent(events[0]))
        self.assertIn("in keep", formatEvent(events[0]))

    def test_away(self) -> None:
        """If the database is away a group fails as a whole, at once; the next may succeed."""
        events = logged(self)
        writer = self.writer()
        self.disk.errors = [StoreError("away"), StoreError("away")]
        self.say_in_a_group(writer, 1, 2)
        self.reactor.turn()
        self.reactor.turn()
        self.say(writer, 3)
        self.reactor.turn()
        self.assertEqual(self.told, [(0, False), (1, False), (2, False), (3, True)])
        self.assertEqual(self.disk.groups, [[said(0)], [said(1), said(2)], [said(3)]])
        self.assertEqual(
            [formatEvent(event) for event in events],
            ["nothing can be written (failing): away", "the database is written again; 3 changes were lost"],
        )

    def test_trouble(self) -> None:
        """The writer tells in a word why the last group was not kept, and logs each trouble once."""
        events = logged(self)
        writer = self.writer()
        full, locked = StoreError("one", Trouble.DISK_FULL), StoreError("two", Trouble.LOCKED)
        self.disk.errors = [full, full, locked]
        told: list[str | None] = [writer.trouble]
        for seq in range(4):
            self.say(writer, seq)
            self.reactor.turn()
            told.append(writer.trouble)
        self.assertEqual(told, [None, "disk-full", "disk-full", "locked", None])
        self.assertEqual(
            [formatEvent(event) for event in events],
            [
                "nothing can be written (disk-full): one",
                "nothing can be written (locked): two",
                "the database is written again; 3 changes were lost",
            ],
        )

    def test_bad_change_is_no_trouble(self) -> None:
        """A change that no database takes says nothing about this one: neither that it fails nor that it is well."""
        logged(self)
        writer = self.writer()
        self.disk.bad = [said(1)]
        self.disk.errors = [StoreError("full", Trouble.DISK_FULL)]
        told: list[str | None] = []
        for seq in (0, 1, 2, 1):
            self.say(writer, seq)
            self.reactor.turn()
            told.append(writer.trouble)
        self.assertEqual(told, ["disk-full", "disk-full", None, None])

    def test_trouble_after_half_a_group(self) -> None:
        """If the database fails while a group is split, what was kept before counts as kept."""
        logged(self)
        writer = self.writer()
        self.disk.free.clear()
        self.say_in_a_group(writer, 1, 2)
        keep = self.disk.keep

        def fails(changes: Sequence[Change]) -> list[Change]:
            if changes == [said(1), said(2)]:
                raise ValueError("one of them is bad")
            if changes == [said(2)]:
                raise StoreError("full", Trouble.DISK_FULL)
            return keep(changes)

        self.patch(self.disk, "keep", fails)
        self.reactor.turn()
        self.reactor.turn()
        self.assertEqual((self.told, writer.trouble), ([(0, True), (1, True), (2, False)], "disk-full"))

    def test_probe(self) -> None:
        """A probe finds trouble, and its end, without a change."""
        logged(self)
        writer = self.writer()
        self.disk.errors = [StoreError("full", Trouble.DISK_FULL)]
        told: list[str | None] = []
        for _ in range(2):
            writer.probe()
            self.reactor.turn()
            told.append(writer.trouble)
        self.assertEqual((told, writer.groups, self.disk.groups), (["disk-full", None], 2, []))

    def test_probe_with_changes(self) -> None:
        """A probe that waits behind changes costs nothing: these tell as much."""
        writer = self.writer()
        self.disk.free.clear()
        self.say(writer, 0)
        self.reactor.advance(GATHER)
        assert self.disk.busy.wait(SECONDS)
        writer.probe()
        self.say(writer, 1)
        self.reactor.advance(GATHER)
        self.disk.free.set()
        self.stop(writer)
        self.assertEqual((self.disk.probes, self.disk.groups), (0, [[said(0)], [said(1)]]))

    def test_unexpected_error(self) -> None:
        """Whatever happens in the thread, everybody is told, and the writer goes on."""
        self.disk.errors = [SystemExit()]
        writer = self.writer()
        self.say(writer, 1)
        self.reactor.turn()
        self.say(writer, 2)
        self.reactor.turn()
        self.assertEqual(self.told, [(1, False), (2, True)])
        self.assertEqual(len(self.flushLoggedErrors(SystemExit)), 1)

    def test_deaf(self) -> None:
        """Somebody who cannot be told keeps nobody else from it."""

        def deaf(kept: bool) -> None:
            raise RuntimeError("what?")

        self.disk.free.clear()
        writer = self.writer()
        writer.commit(said(1), deaf)
        self.say(writer, 2)
        self.disk.free.set()
        while not self.told:
            self.reactor.turn()
        self.assertEqual(self.told, [(2, True)])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_full(self) -> None:
        """What comes while too many wait fails soon, but not before commit returns; then there is room again."""
        writer = self.writer(most=2)
        self.say_in_a_group(writer, 1)
        self.disk.free.clear()
        events = logged(self)
        self.say(writer, 2, 3)
        self.assertEqual(self.told, [])
        self.disk.free.set()
        while len(self.told) < 4:
            self.reactor.turn()
        self.assertEqual(sorted(self.told), [(0, True), (1, True), (2, False), (3, False)])
        self.assertEqual([formatEvent(event) for event in events], ["2 changes were refused: 2 already wait"])
        self.say(writer, 4)
        self.reactor.turn()
        self.assertEqual(self.told[-1], (4, True))

    def test_full_of_refusals(self) -> None:
        """Refusals do not wait for a disk that hangs, and take one turn together."""
        writer = self.writer(most=1)
        self.disk.free.clear()
        self.say(writer, 1, 2, 3)
        self.reactor.turn()
        self.assertEqual(self.told, [(2, False), (3, False)])

    def test_stop(self) -> None:
        """A stop keeps what waits, then ends the thread; what comes later fails."""
        writer = self.writer()
        self.say_in_a_group(writer, 1, 2)
        stopped, again = writer.stop(), writer.stop()
        self.say(writer, 3)
        self.assertNoResult(stopped)
        self.reactor.until(stopped)
        self.assertEqual(sorted(self.told), [(0, True), (1, True), (2, True), (3, False)])
        self.assertEqual([thread for thread in threads() if thread is not current_thread()], [])
        for each in (stopped, again, writer.stop()):
            self.successResultOf(each)
        self.say(writer, 4)
        self.reactor.turn()
        self.assertEqual(self.told[-1], (4, False))

    def test_rest(self) -> None:
        """What a change leaves to do follows, without delaying others, and is told to nobody."""
        expired = MessagesExpired(1.0)
        self.disk.rest = [expired, expired]
        writer = self.writer()
        self.say_in_a_group(writer, 1)
        self.reactor.turn()
        self.reactor.turn()
        self.reactor.until(writer.stop())
        self.assertEqual(self.told, [(0, True), (1, True)])
        self.assertEqual(self.disk.groups[:2], [[said(0)], [said(1), expired]])
        self.assertEqual(self.disk.groups[2:], [[expired]])

    def test_barrier(self) -> None:
        """A barrier waits for everything committed before it, and for nothing committed after it."""
        writer = self.writer()
        self.disk.free.clear()
        self.say(writer, 1)
        self.reactor.advance(GATHER)
        assert self.disk.busy.wait(SECONDS)
        writer.barrier(partial(self.tell, 10, True))
        self.say(writer, 2)
        writer.barrier(partial(self.tell, 20, True))
        self.assertEqual(self.told, [])
        self.disk.free.set()
        self.reactor.turn()
        self.assertEqual(self.told, [(1, True), (10, True)])
        self.reactor.turn()
        self.assertEqual(self.told, [(1, True), (10, True), (2, True), (20, True)])

    def test_barrier_at_once(self) -> None:
        """With nothing to wait for, a barrier calls back at once, without a group, even after a stop."""
        writer = self.writer()
        writer.barrier(partial(self.tell, 0, True))
        self.say(writer, 1)
        self.stop(writer)
        writer.barrier(partial(self.tell, 2, True))
        self.assertEqual(self.told, [(0, True), (1, True), (2, True)])
        self.assertEqual(self.disk.groups, [[said(1)]])

    def test_barrier_within_a_group(self) -> None:
        """A barrier that is set while a group is settled waits until all of that group is settled."""
        writer = self.writer()
        writer.commit(said(1), lambda kept: writer.barrier(partial(self.tell, 0, True)))
        self.say(writer, 2)
        self.reactor.turn()
        self.assertEqual(self.told, [(2, True), (0, True)])

    def test_barrier_after_a_failure(self) -> None:
        """A change that fails is settled too: a barrier waits no longer for it."""
        self.disk.errors = [StoreError("away")]
        logged(self)
        writer = self.writer()
        self.say(writer, 1)
        writer.barrier(partial(self.tell, 0, True))
        self.reactor.turn()
        self.assertEqual(self.told, [(1, False), (0, True)])

    def test_barrier_in_a_hurry(self) -> None:
        """Somebody waits for a barrier: changes before it that nobody waits for are written without delay."""
        writer = self.writer()
        self.whisper(writer, 1)
        writer.barrier(partial(self.tell, 0, True))
        self.reactor.turn()
        self.assertEqual(self.told, [(1, True), (0, True)])

    def test_barrier_that_fails(self) -> None:
        """A barrier whose callback fails keeps no other from being called."""

        def fail() -> None:
            raise RuntimeError("what?")

        writer = self.writer()
        self.say(writer, 1)
        writer.barrier(fail)
        writer.barrier(partial(self.tell, 0, True))
        self.reactor.turn()
        self.assertEqual(self.told, [(1, True), (0, True)])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_figures(self) -> None:
        """What metrics show can be read at any time."""
        self.disk.bad = [said(1)]
        writer = self.writer(most=3)
        self.say_in_a_group(writer, 1, 2, 3)
        self.assertEqual((writer.pending, writer.groups), (3, 0))
        while writer.pending or len(self.told) < 4:
            self.reactor.turn()
        self.assertEqual((writer.pending, writer.groups), (0, 2))

    def test_forgetting(self) -> None:
        """After each group that was kept there is time to forget, and best after a probe; not before the end."""
        writer = self.writer()
        self.disk.errors = [StoreError("full", Trouble.DISK_FULL)]
        for seq in (1, 2):
            self.say(writer, seq)
            while (seq, seq == 2) not in self.told:
                self.reactor.turn()
        writer.probe()
        while writer.groups < 3:
            self.reactor.turn()
        self.say(writer, 3)
        self.stop(writer)
        self.assertEqual(self.disk.moments, [False, True])

    def test_forgetting_fails(self) -> None:
        """If that fails in a way that nobody knew, changes are kept all the same."""
        self.disk.fails = True
        writer = self.writer()
        for seq in (1, 2):
            self.say(writer, seq)
            while (seq, True) not in self.told:
                self.reactor.turn()
        self.stop(writer)
        self.assertGreater(len(self.flushLoggedErrors(ValueError)), 0)


class SQLiteWriterTests(WriterOnStoreTests, OnSQLite, SynchronousTestCase):
    """The writer on SQLite."""
