"""L{gossip.transports.admission}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.admission import Admission


class AdmissionTests(SynchronousTestCase):
    """How many connections there may be."""

    def test_in_all(self) -> None:
        """There is room for so many, wherever they come from, and again when one has left."""
        admission = Admission(2, 0, 0)
        self.assertEqual([admission.admit(address) for address in "abc"], [True, True, False])
        admission.left("a", False)
        self.assertEqual([admission.admit("c"), admission.admit("c")], [True, False])

    def test_per_address(self) -> None:
        """One address has room for so many, whatever the others do."""
        admission = Admission(0, 1, 0)
        self.assertEqual([admission.admit(address) for address in "aab"], [True, False, True])
        admission.authenticated("a")
        self.assertFalse(admission.admit("a"))
        admission.left("a", True)
        self.assertTrue(admission.admit("a"))

    def test_ipv6(self) -> None:
        """Of IPv6 one place has many addresses, which share its room; what is no address counts as itself."""
        admission = Admission(0, 1, 1)
        self.assertTrue(admission.admit("2001:db8:1:2::1"))
        self.assertFalse(admission.admit("2001:db8:1:2:3:4:5:6"))
        self.assertTrue(admission.admit("2001:db8:1:3::1"))
        admission.authenticated("2001:db8:1:2::9")
        admission.left("2001:db8:1:2::9", True)
        self.assertTrue(admission.admit("2001:db8:1:2::2%eth0"))
        self.assertEqual([admission.admit("a:b"), admission.admit("a:b")], [True, False])

    def test_waiting(self) -> None:
        """Who has not authenticated takes room of its own."""
        admission = Admission(0, 0, 1)
        self.assertEqual([admission.admit("a"), admission.admit("a")], [True, False])
        admission.authenticated("a")
        self.assertEqual([admission.admit("a"), admission.admit("a")], [True, False])
        admission.left("a", True)
        self.assertFalse(admission.admit("a"))
        admission.left("a", False)
        self.assertTrue(admission.admit("a"))

    def test_no_limit(self) -> None:
        """0 is no limit."""
        admission = Admission(0, 0, 0)
        self.assertTrue(all(admission.admit("a") for _ in range(3000)))
