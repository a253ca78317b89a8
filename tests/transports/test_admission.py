"""L{gossip.transports.admission}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.addresses import UNKNOWN, read
from gossip.transports.admission import Admission

A, B, C = map(read, ("192.0.2.1", "192.0.2.2", "192.0.2.3"))


class AdmissionTests(SynchronousTestCase):
    """Limits on the number of connections."""

    def test_in_all(self) -> None:
        """The total is limited over all addresses; a connection that ends makes room."""
        admission = Admission(2, 0, 0)
        self.assertEqual([admission.admit(address) for address in (A, B, C)], [True, True, False])
        admission.left(A, False)
        self.assertEqual([admission.admit(C), admission.admit(C)], [True, False])

    def test_per_address(self) -> None:
        """Each address has its own limit."""
        admission = Admission(0, 1, 0)
        self.assertEqual([admission.admit(address) for address in (A, A, B)], [True, False, True])
        admission.authenticated(A)
        self.assertFalse(admission.admit(A))
        admission.left(A, True)
        self.assertTrue(admission.admit(A))

    def test_ipv6(self) -> None:
        """The IPv6 addresses of one site share a limit."""
        admission = Admission(0, 1, 1)
        self.assertTrue(admission.admit(read("2001:db8:1:2::1")))
        self.assertFalse(admission.admit(read("2001:db8:1:2:3:4:5:6")))
        self.assertTrue(admission.admit(read("2001:db8:1:3::1")))
        admission.authenticated(read("2001:db8:1:2::9"))
        admission.left(read("2001:db8:1:2::9"), True)
        self.assertTrue(admission.admit(read("2001:db8:1:2::2%eth0")))

    def test_both_kinds(self) -> None:
        """On a socket for both kinds of addresses, one stranger does not take the room of all of IPv4."""
        admission = Admission(0, 2, 2)
        stranger = read("::ffff:192.0.2.66")
        self.assertEqual([admission.admit(stranger) for _ in range(3)], [True, True, False])
        self.assertFalse(admission.admit(read("192.0.2.66")))
        self.assertTrue(admission.admit(read("::ffff:192.0.2.67")))

    def test_no_address(self) -> None:
        """Connections without an address count as one place."""
        admission = Admission(0, 1, 1)
        self.assertEqual([admission.admit(UNKNOWN), admission.admit(read("@!"))], [True, False])

    def test_waiting(self) -> None:
        """Connections that have not authenticated have a limit of their own."""
        admission = Admission(0, 0, 1)
        self.assertEqual([admission.admit(A), admission.admit(A)], [True, False])
        admission.authenticated(A)
        self.assertEqual([admission.admit(A), admission.admit(A)], [True, False])
        admission.left(A, True)
        self.assertFalse(admission.admit(A))
        admission.left(A, False)
        self.assertTrue(admission.admit(A))

    def test_no_limit(self) -> None:
        """A limit of 0 is no limit."""
        admission = Admission(0, 0, 0)
        self.assertTrue(all(admission.admit(A) for _ in range(3000)))
