"""L{gossip.network.notes}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.network.notes import GATHERED, Notes
from gossip.network.outputs import Commit
from gossip.registry.changes import ChannelSaved, Together
from gossip.registry.entities import Channel
from gossip.registry.registry import Registry


class NotesTests(SynchronousTestCase):
    """Changes that nobody waits for."""

    def setUp(self) -> None:
        self.registry = Registry()
        self.notes = Notes(self.registry)
        self.changes = tuple(ChannelSaved(Channel(f"channel{number}")) for number in range(GATHERED))

    def test_gathered(self) -> None:
        """A change is in force at once, and committed with the others in their order, once."""
        for change in self.changes[:3]:
            self.assertEqual(self.notes.note(change), [])
        self.assertIn("channel2", self.registry.channels)
        self.assertEqual(self.notes.keep(), [Commit(Together(self.changes[:3]), learned=True)])
        self.assertEqual(self.notes.keep(), [])

    def test_many(self) -> None:
        """Many do not wait."""
        outputs = [output for change in self.changes for output in self.notes.note(change)]
        self.assertEqual(outputs, [Commit(Together(self.changes), learned=True)])
        self.assertEqual(self.notes.keep(), [])
