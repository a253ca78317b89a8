"""L{gossip.operations.audit}."""

from __future__ import annotations

from gossip.registry.entities import AuditEntry
from tests.support.operations import AdminTestCase
from tests.support.world import NOW, uuid


class AuditTests(AdminTestCase):
    """The audit log."""

    def test_list(self) -> None:
        """The notes are listed, the latest first."""
        self.memory.entries = [AuditEntry(uuid(each), NOW + each, "ana", "a/b", "x", "{}") for each in (1, 2)]
        shown = self.perform("audit/list")["entries"]
        expected = {"actor": "ana", "operation": "a/b", "subject": "x", "arguments": "{}"}
        self.assertEqual(shown[0], {"at": "2023-11-14T22:00:02.000Z", **expected})
        self.assertEqual(len(self.perform("audit/list", limit=1)["entries"]), 1)
        self.assertRefused("limit: must be at most 1000", "audit/list", limit=1001)
