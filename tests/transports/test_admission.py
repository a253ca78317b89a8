"""L{gossip.transports.admission}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.admission import Admission


class AdmissionTests(SynchronousTestCase):
    """Limits on the number of connections."""

    def test_in_all(self) -> None:
        """The total is limited over all addresses; a connection that ends makes room."""
        admission = Admission(2, 0, 0)
        self.assertEqual([admission.admit(address) for address in "abc"], [True, True, False])
        admission.left("a", False)
        self.assertEqual([admission.admit("c"), admission.admit("c")], [True, False])

    def test_per_address(self) -> None:
        """Each address has its own limit."""
        admission = Admission(0, 1, 0)
        self.assertEqual([admission.admit(address) for address in "aab"], [True, False, True])
        admission.authenticated("a")
        self.assertFalse(admission.admit("a"))
        admission.left("a", True)
        self.assertTrue(admission.admit("a"))

    def test_ipv6(self) -> None:
        """The IPv6 addresses of one site share a limit; anything that is no address counts as itself."""
        admission = Admission(0, 1, 1)
        self.assertTrue(admission.admit("2001:db8:1:2::1"))
        self.assertFalse(admission.admit("2001:db8:1:2:3:4:5:6"))
        self.assertTrue(admission.admit("2001:db8:1:3::1"))
        admission.authenticated("2001:db8:1:2::9")
        admission.left("2001:db8:1:2::9", True)
        self.assertTrue(admission.admit("2001:db8:1:2::2%eth0"))
        self.assertEqual([admission.admit("a:b"), admission.admit("a:b")], [True, False])

    def test_waiting(self) -> None:
        """Connections that have not authenticated have a limit of their own."""
        admission = Admission(0, 0, 1)
        self.assertEqual([admission.admit("a"), admission.admit("a")], [True, False])
        admission.authenticated("a")
        self.assertEqual([admission.admit("a"), admission.admit("a")], [True, False])
        admission.left("a", True)
        self.assertFalse(admission.admit("a"))
        admission.left("a", False)
        self.assertTrue(admission.admit("a"))

    def test_no_limit(self) -> None:
        """A limit of 0 is no limit."""
        admission = Admission(0, 0, 0)
        self.assertTrue(all(admission.admit("a") for _ in range(3000)))
