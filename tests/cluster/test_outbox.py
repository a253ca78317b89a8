"""L{gossip.cluster.outbox}: answers wait until this node has heard what they acknowledge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gossip.cluster.judging import is_judged
from gossip.cluster.outbox import Outbox
from gossip.cluster.pending import Pending
from gossip.cluster.wire import PROTOCOL
from gossip.network.relays import SessionLeft
from gossip.registry.changes import (
    AchievementDropped,
    Audited,
    ChannelOpened,
    ChannelSaved,
    ChannelsRemoved,
    GameOffline,
    GameSeen,
    MessageSaid,
    MessagesRemoved,
    Together,
)
from gossip.registry.entities import AuditEntry, Channel, Removal
from tests.support.world import NOW, uuid

SAID = MessageSaid("gossip", 0, None, "gossip", "system", "Hello!", NOW)


class Groups:
    """A writer that writes when a test says so."""

    trouble = None
    groups = 0

    def __init__(self) -> None:
        self.waiting: list[tuple[Pending, Callable[[bool], object], bool]] = []

    @property
    def pending(self) -> int:
        return len(self.waiting)

    def commit(self, change: Pending, done: Callable[[bool], object], wanted: bool) -> None:
        self.waiting.append((change, done, wanted))

    def probe(self) -> None: ...

    def barrier(self, done: Callable[[], object]) -> None:
        done()

    def write(self, group: int, kept: bool = True, stale: bool = False) -> None:
        """Settle the oldest entry."""
        pending, done, _ = self.waiting.pop(0)
        pending.group, pending.stale = group, stale
        done(kept)


class OutboxTests(SynchronousTestCase):
    """An outbox that is open."""

    def setUp(self) -> None:
        self.groups = Groups()
        self.outbox = Outbox(self.groups)
        self.outbox.opened({})
        self.told: list[tuple[str, Any]] = []

    def settled(self, name: str) -> Any:
        return lambda kept, stale=False: self.told.append((name, "stale" if stale else kept))

    def test_waits_for_the_ear(self) -> None:
        """What is on disk is settled when this node has heard it, in order; a barrier waits for it as well."""
        for name in "ab":
            self.outbox.commit(SAID, self.settled(name), False)
        self.groups.write(1)
        self.groups.write(2)
        self.outbox.barrier(lambda: self.told.append(("barrier", True)))
        self.assertEqual(self.told, [])
        self.outbox.heard(1)
        self.assertEqual(self.told, [("a", True)])
        self.outbox.heard(2)
        self.assertEqual(self.told, [("a", True), ("b", True), ("barrier", True)])

    def test_heard_first(self) -> None:
        """What was heard before it is on disk is settled at once then."""
        self.outbox.commit(SAID, self.settled("a"), True)
        self.outbox.heard(1)
        self.assertEqual(self.told, [])
        self.groups.write(1)
        self.assertEqual(self.told, [("a", True)])

    def test_failed(self) -> None:
        """What was not kept is settled at once; what is stale says so."""
        self.outbox.commit(SAID, self.settled("a"), True)
        self.outbox.commit(ChannelSaved(Channel("x")), self.settled("b"), True)
        self.groups.write(1, kept=False)
        self.groups.write(2, kept=False, stale=True)
        self.assertEqual(self.told, [("a", False)])
        self.outbox.judged("", 1)
        self.assertEqual(self.told, [("a", False), ("b", "stale")])

    def test_stale(self) -> None:
        """What is stale is judged again when this node has heard what others changed: that may be before or after."""
        for name in "ab":
            self.outbox.commit(ChannelSaved(Channel(name)), self.settled(name), True)
        self.outbox.commit(AchievementDropped(uuid(1), uuid(2)), self.settled("c"), True)
        self.outbox.judged(uuid(1), 1)
        for number in (1, 2, 3):
            self.groups.write(number, kept=False, stale=True)
        self.assertEqual(self.told, [("c", "stale")])
        self.outbox.judged("", 1)
        self.assertEqual(self.told, [("c", "stale"), ("a", "stale"), ("b", "stale")])

    def test_stale_and_deaf(self) -> None:
        """What is stale while this node is deaf is judged again when everything has been read anew."""
        self.outbox.commit(ChannelSaved(Channel("a")), self.settled("a"), True)
        self.outbox.deaf()
        self.groups.write(1, kept=False, stale=True)
        self.assertEqual(self.told, [])
        self.outbox.opened({"": 1})
        self.assertEqual(self.told, [("a", "stale")])

    def test_messages_are_wanted(self) -> None:
        """Others wait for a message, whether or not its sender does; for a note of a game nobody does."""
        self.outbox.commit(SAID, self.settled("a"), False)
        self.outbox.commit(GameSeen(uuid(1), None, "1.0"), self.settled("b"), False)
        self.assertEqual([wanted for *_, wanted in self.groups.waiting], [True, False])

    def test_deaf(self) -> None:
        """While this node is deaf nothing is written; then all is, and what was judged before is judged again."""
        self.outbox.deaf()
        self.assertEqual(self.outbox.trouble, "deaf")
        self.outbox.commit(ChannelSaved(Channel("x")), self.settled("change"), True)
        self.outbox.relay(SessionLeft(1), (), self.settled("relay"))
        self.outbox.commit(SAID, self.settled("said"), True)
        self.assertEqual((self.groups.waiting, self.outbox.pending), ([], 3))
        self.outbox.opened({"": 7})
        self.assertEqual(self.told, [("change", "stale")])
        self.assertEqual([pending.entry for pending, *_ in self.groups.waiting], [SessionLeft(1), SAID])
        self.assertIsNone(self.outbox.trouble)
        self.outbox.commit(ChannelSaved(Channel("x")), self.settled("change"), True)
        self.assertEqual(self.groups.waiting[-1][0].seen, 7)

    def test_deaf_for_long(self) -> None:
        """What waits for long fails, and so do changes when too many wait."""
        outbox = Outbox(self.groups, most=2)
        for number in range(3):
            outbox.commit(SAID, self.settled(f"said {number}"), True)
        outbox.relay(SessionLeft(1), (), self.settled("relay"))
        self.assertEqual((self.told, outbox.pending), ([("said 2", False)], 3))
        outbox.refuse()
        self.assertEqual(self.told[1:], [("said 0", False), ("said 1", False), ("relay", False)])
        self.assertEqual((self.groups.waiting, outbox.pending), ([], 0))

    def test_known_by_the_picture(self) -> None:
        """What was on disk when everything was read anew is known, whether or not it was heard."""
        self.outbox.commit(SAID, self.settled("a"), True)
        self.groups.write(5)
        self.outbox.deaf()
        self.outbox.opened({})
        self.assertEqual(self.told, [("a", True)])

    def test_judged(self) -> None:
        """Changes that were checked against what is known are judged, also within others."""
        entry = AuditEntry(uuid(1), NOW, "ana", "channel/create", "x", "{}")
        notes = (GameSeen(uuid(1), None, "1.0"), GameOffline(uuid(2), NOW))
        saved = ChannelSaved(Channel("x"))
        for change in (saved, Audited(entry, saved), ChannelsRemoved(("x",))):
            self.assertTrue(is_judged(change), change)
            self.assertTrue(is_judged(Together((ChannelOpened("x"), change))))
        unused = ChannelsRemoved(("x",), unused=True)
        for unjudged in (SAID, ChannelOpened("x"), unused, Together(notes), Audited(entry, None)):
            self.assertFalse(is_judged(unjudged), unjudged)

    def test_judged_by_class(self) -> None:
        """Nodes of protocol 1 count by the class of a change alone, and so does a node that speaks it."""
        audited = Audited(AuditEntry(uuid(1), NOW, "ana", "channel/create", "x", "{}"), None)
        for change in (Together(()), audited, MessagesRemoved((SAID,), Removal(NOW, "ana", "spam"))):
            self.outbox.protocol = PROTOCOL
            self.outbox.commit(change, self.settled("now"), True)
            self.outbox.protocol = 1
            self.outbox.commit(change, self.settled("with others"), True)
            self.assertEqual([pending.scope for pending, *_ in self.groups.waiting[-2:]], [None, ""])
        for unjudged in (SAID, ChannelOpened("x"), ChannelsRemoved(("x",), unused=True)):
            self.assertFalse(is_judged(unjudged, 1), unjudged)
