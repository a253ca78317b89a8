"""L{gossip.operations.reports}."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from gossip.operations.command import Table
from gossip.operations.reports import ReportList, ReportResolve
from gossip.registry.changes import MessageSaid, ReportMade, ReportResolved
from gossip.registry.entities import Report
from gossip.registry.registry import REPORTS
from tests.support.operations import AdminTestCase
from tests.support.world import NOW


class ReportTests(AdminTestCase):
    """Reports of messages."""

    def setUp(self) -> None:
        super().setUp()
        self.memory.said.extend(MessageSaid("gossip", seq, None, "Alpha", "Ana", "Hi", NOW) for seq in (1, 3))

    def test_report(self) -> None:
        """A report keeps the message, is open in the list, and is resolved once."""
        made = self.perform("report/add", channel="gossip", seq=3, reason="Rude")
        self.assertEqual((made["number"], made["message"], made["made_by"]), (1, "Hi", "unix:ana"))
        self.assertEqual(self.perform("report/add", channel="gossip", seq=1, reason="Rude")["number"], 2)
        self.assertEqual([each["number"] for each in self.perform("report/list")["reports"]], [1, 2])
        resolved = self.perform("report/resolve", NOW + 1, number=1, resolution="muted")
        self.assertEqual(self.change, ReportResolved(1, "unix:ana", NOW + 1, "muted"))
        self.assertEqual((resolved["resolved_by"], resolved["resolution"]), ("unix:ana", "muted"))
        self.assertRefused("no such open report", "report/resolve", number=1)
        self.assertEqual([each["number"] for each in self.perform("report/list")["reports"]], [2])

    def test_emote(self) -> None:
        """An emote is shown as one."""
        self.memory.said.append(MessageSaid("gossip", 4, None, "Alpha", "Ana", "/me waves", NOW))
        made = self.perform("report/add", channel="gossip", seq=4, reason="Rude")
        self.assertEqual(made["message"], "/me waves")
        [shown] = ReportResolve.view(made)
        assert isinstance(shown, dict)
        self.assertEqual(shown["about"], "[gossip] * Ana@Alpha waves")

    def test_without_message(self) -> None:
        """What a game quotes is no message, and marked as unverified."""
        quoted = Report(
            number=7,
            channel="",
            seq=0,
            game="Beta",
            name="Bo",
            message="Boo",
            reason="So",
            made_by="Ana@A",
            made_at=NOW,
        )
        for report in (quoted, replace(quoted, number=8, message="")):
            self.registry.enact(ReportMade(report))
        result = self.perform("report/list")
        told = [[each[key] for key in ("channel", "seq", "message", "quote", "verified")] for each in result["reports"]]
        self.assertEqual(told, [[None, None, None, "Boo", False], [None, None, None, None, False]])
        [table] = ReportList.view(result)
        assert isinstance(table, Table)
        self.assertEqual(
            [(row[2], row[4]) for row in table.rows],
            [("Ana@A", "Bo@Beta, unverified quote: Boo"), ("Ana@A", "Bo@Beta, no message")],
        )
        [shown] = ReportResolve.view(self.perform("report/resolve", number=7))
        assert isinstance(shown, Mapping)
        self.assertEqual(shown["about"], "Bo@Beta, unverified quote: Boo")

    def test_refused(self) -> None:
        """A report of no message, a second one by the same person, and one too many are refused."""
        for channel, seq in (("gossip", 2), ("testing", 1), ("gossip", 2**63 - 1)):
            self.assertRefused("no such message", "report/add", channel=channel, seq=seq, reason="Rude")
        self.perform("report/add", channel="gossip", seq=1, reason="Rude")
        self.assertRefused(
            "you have reported this message already", "report/add", channel="gossip", seq=1, reason="Very rude"
        )
        [report] = self.registry.reports.values()
        self.registry.reports = dict.fromkeys(range(REPORTS), report)
        self.assertRefused("too many reports are open already", "report/add", channel="gossip", seq=3, reason="Rude")
        self.assertRefused(
            "a resolution has at most 200 characters, without control characters and tags",
            "report/resolve",
            number=1,
            resolution="\x1b",
        )
