"""L{gossip.cluster.members}: who is alive."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.cluster.members import Member, Members


class MembersTests(SynchronousTestCase):
    """Node a judges the others, with a lease of 15 seconds."""

    def setUp(self) -> None:
        self.members = Members("a", 15)

    def test_silent(self) -> None:
        """A node whose beats stand still for the lease is gone; one that beats is not, and a itself is never judged."""
        for second in range(0, 15, 2):
            shown = [Member("a", "1", 0), Member("b", "2", 7), Member("c", "3", second)]
            self.assertEqual(self.members.beat(shown, second), [])
        gone = self.members.beat([Member("a", "1", 0), Member("b", "2", 7), Member("c", "3", 20)], 15)
        self.assertEqual(gone, [Member("b", "2", 7)])

    def test_outage(self) -> None:
        """After an outage of the database everybody has a fresh lease."""
        b = Member("b", "2", 7)
        self.members.beat([b], 0)
        self.members.deaf()
        self.assertEqual(self.members.beat([b], 100), [])
        self.assertEqual(self.members.beat([b], 114), [])
        self.assertEqual(self.members.beat([b], 115), [b])

    def test_new_life(self) -> None:
        """A node that began anew has a fresh lease, whatever its beats are."""
        self.members.beat([Member("b", "2", 7)], 0)
        self.assertEqual(self.members.beat([Member("b", "3", 7)], 20), [])
        self.assertEqual(self.members.beat([Member("b", "3", 7)], 34), [])
