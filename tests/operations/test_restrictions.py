"""L{gossip.operations.restrictions}."""

from __future__ import annotations

from gossip.registry.changes import (
    AuditEntry,
    Filter,
    FilterRemoved,
    FilterSaved,
    MessageSaid,
    ReportResolved,
    Restriction,
    RestrictionLifted,
    RestrictionSet,
)
from gossip.registry.filters import FILTERS
from gossip.registry.registry import REPORTS
from tests.support.operations import AdminTestCase
from tests.support.world import NOW, uuid

SET = {"set_by": "unix:ana", "set_at": "2023-11-14T22:00:00.000Z"}


class RestrictionTests(AdminTestCase):
    """Mutes and bans."""

    def setUp(self) -> None:
        super().setUp()
        self.add()
        self.perform("channel/create", channel="gossip")

    def test_mute(self) -> None:
        """A mute is for a player, a game or an address, on a channel or everywhere, for a while or for good."""
        result = self.perform("mute/add", who="Ana  Lee@ALPHA", reason="So", channel="gossip", minutes=90)
        shown = {
            "who": "ana lee@Alpha",
            "channel": "gossip",
            "until": "2023-11-14T23:30:00.000Z",
            "reason": "So",
            **SET,
        }
        self.assertEqual(result, shown)
        restriction = Restriction(
            kind="mute",
            subject=f"ana lee@{uuid(2)}",
            channel="gossip",
            until=NOW + 5400,
            reason="So",
            set_by="unix:ana",
            set_at=NOW,
        )
        self.assertEqual(self.change, RestrictionSet(restriction))
        self.perform("mute/add", NOW + 1, who=uuid(2), reason="So")
        self.perform("mute/add", NOW + 2, who="2001:DB8::0", reason="So")
        listed = self.perform("mute/list", NOW + 3)["mutes"]
        self.assertEqual([each["who"] for each in listed], ["2001:db8::", "Alpha", "ana lee@Alpha"])
        self.assertEqual(len(self.perform("mute/list", NOW + 5400)["mutes"]), 2)
        self.assertEqual(self.perform("ban/list"), {"bans": []})

    def test_people_on_pages(self) -> None:
        """People on the pages are players of the network's own game: one of them or all of them can be muted."""
        for who, subject in (("Grapevine", "gossip"), ("Ana@Gossip", "ana@gossip")):
            self.perform("mute/add", who=who, reason="So")
            assert isinstance(self.change, RestrictionSet)
            self.assertEqual(self.change.restriction.subject, subject)
        self.assertEqual({each["who"] for each in self.perform("mute/list")["mutes"]}, {"gossip", "ana@gossip"})

    def test_like_an_address(self) -> None:
        """A player with a name that begins like an address is muted as a player."""
        for name in ("::1%eve", "192.0.2.1"):
            self.perform("mute/add", who=f"{name}@Alpha", reason="So")
            assert isinstance(self.change, RestrictionSet)
            self.assertEqual(self.change.restriction.subject, f"{name}@{uuid(2)}")

    def test_remove(self) -> None:
        """A restriction is lifted only on the channel that it was set on."""
        self.perform("ban/add", who="alpha", reason="So", channel="gossip")
        self.assertRefused("there is no such ban", "ban/remove", who="alpha")
        self.assertRefused("there is no such mute", "mute/remove", who="alpha", channel="gossip")
        self.assertEqual(self.perform("ban/remove", who="ALPHA", channel="gossip")["who"], "Alpha")
        self.assertEqual(self.change, RestrictionLifted("ban", uuid(2), "gossip"))
        self.assertEqual(self.perform("ban/list"), {"bans": []})

    def test_refused(self) -> None:
        """An unknown subject or channel, no reason, and no time are refused."""
        self.assertRefused("no such game", "mute/add", who="Ana@Nobody", reason="So")
        self.assertRefused("a player is named like Ana@MyMUD", "mute/add", who=" @Alpha", reason="So")
        self.assertRefused("no such channel", "mute/add", who="Alpha", reason="So", channel="nowhere")
        self.assertRefused("minutes: expected float > 0.0", "mute/add", who="Alpha", reason="So", minutes=0)
        self.perform("mute/add", who="Alpha", reason="می\u200cخواهم")
        for reason in ("", " ", "x" * 201, "a\nb", "a\u2028b", "\u202ea", "<b>"):
            self.assertRefused(
                "a reason has 1 to 200 characters, without control characters and tags",
                "mute/add",
                who="Alpha",
                reason=reason,
            )


class FilterTests(AdminTestCase):
    """Word filters."""

    def test_add_list_remove(self) -> None:
        """A filter is kept in lower case, listed, replaced and removed."""
        self.perform("channel/create", channel="gossip")
        shown = {"text": "buy gold", "channel": None, "substring": False, "action": "refuse", "reason": "No ads", **SET}
        self.assertEqual(self.perform("filter/add", text=" Buy  GOLD", reason="No ads"), shown)
        kept = Filter(text="buy gold", reason="No ads", set_by="unix:ana", set_at=NOW)
        self.assertEqual(self.change, FilterSaved(kept))
        self.perform("filter/add", text="ass", reason="So", channel="gossip", substring=True, action="mask")
        self.assertEqual([each["text"] for each in self.perform("filter/list")["filters"]], ["ass", "buy gold"])
        self.assertRefused("there is no such filter", "filter/remove", text="ass")
        self.assertEqual(self.perform("filter/remove", text="BUY gold"), shown)
        self.assertEqual(self.change, FilterRemoved("buy gold", ""))

    def test_refused(self) -> None:
        """A filter that can match nothing is refused, and so is one too many."""
        for text, substring, error in (
            ("", False, "a filter has 1 to 64 characters, without control characters and tags"),
            ("a\x1bb", True, "a filter has 1 to 64 characters, without control characters and tags"),
            ("x" * 65, False, "a filter has 1 to 64 characters, without control characters and tags"),
            ("***", False, "a filter that contains no whole word needs substring matching"),
        ):
            self.assertRefused(error, "filter/add", text=text, reason="So", substring=substring)
        self.perform("filter/add", text="***", reason="So", substring=True)
        self.perform("filter/remove", text="***")
        self.perform("filter/add", text="می\u200cخواهم", reason="So")
        for number in range(FILTERS - 1):
            kept = Filter(text=f"x{number}", reason="So", set_by="ana", set_at=NOW)
            self.registry.filters.kept[kept.text, ""] = kept
        self.assertRefused("there are 2000 filters already, the maximum", "filter/add", text="one", reason="So")
        self.perform("filter/add", text="x1", reason="Because")

    def test_try(self) -> None:
        """A trial shows what a filter would have hit, and changes nothing."""
        self.perform("channel/create", channel="gossip")
        for seq, text in enumerate(("class", "You ass", "Hi"), 1):
            self.memory.said.append(MessageSaid("gossip", seq, None, "Alpha", "Ana", text, NOW))
        tried = self.perform("filter/try", text="ASS", channel="gossip")
        self.assertEqual((tried["messages"], tried["hits"], [each["seq"] for each in tried["shown"]]), (3, 1, [2]))
        self.assertIsNone(self.change)
        self.assertEqual(self.perform("filter/try", text="ass", substring=True)["hits"], 2)
        self.assertEqual(self.perform("filter/try", text="ana")["hits"], 3)
        self.assertRefused("no such channel", "filter/try", text="ass", channel="nowhere")
        self.assertRefused("a filter that contains no whole word needs substring matching", "filter/try", text="*")


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
            "a resolution has up to 200 characters, without control characters and tags",
            "report/resolve",
            number=1,
            resolution="\x1b",
        )


class AuditTests(AdminTestCase):
    """The audit log."""

    def test_list(self) -> None:
        """The notes are listed, the latest first."""
        self.memory.entries = [AuditEntry(uuid(each), NOW + each, "ana", "a/b", "x", "{}") for each in (1, 2)]
        shown = self.perform("audit/list")["entries"]
        expected = {"actor": "ana", "operation": "a/b", "subject": "x", "arguments": "{}"}
        self.assertEqual(shown[0], {"at": "2023-11-14T22:00:02.000Z", **expected})
        self.assertEqual(len(self.perform("audit/list", limit=1)["entries"]), 1)
        self.assertRefused("limit: expected int <= 1000", "audit/list", limit=1001)
