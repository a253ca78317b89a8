"""L{gossip.cluster.picture}: where a snapshot meets the stream."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.cluster.picture import Snapshot


class SnapshotTests(SynchronousTestCase):
    """Which transactions a snapshot holds."""

    def test_holds(self) -> None:
        """Those that were over: all below the first, and those up to the end that were not running."""
        snapshot = Snapshot.read("100:104:100,102")
        self.assertEqual([each for each in range(98, 107) if snapshot.holds(each)], [98, 99, 101, 103])

    def test_quiet(self) -> None:
        """A snapshot in which nothing ran."""
        snapshot = Snapshot.read("100:100:")
        self.assertEqual((snapshot.holds(99), snapshot.holds(100)), (True, False))

    @given(st.text(max_size=20))
    def test_malformed(self, text: str) -> None:
        """Anything else is refused."""
        try:
            snapshot = Snapshot.read(text)
        except ValueError:
            return
        self.assertEqual(text.count(":"), 2)
        self.assertIsInstance(snapshot, Snapshot)
