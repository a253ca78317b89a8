"""L{gossip.web.pages.admin.moderation}: mutes and bans, filters, reports."""

from __future__ import annotations

import json
from urllib.parse import quote

from msgspec.structs import replace

from gossip.registry.addresses import UNKNOWN
from gossip.registry.changes import ChannelSaved, FilterRemoved, FilterSaved, ReportMade
from gossip.registry.entities import AuditEntry, Channel, Filter, Report, Restriction
from gossip.web.pages.admin.page import MOST_LISTED, MOST_SUGGESTED
from tests.support.sites import SURE, AdminPagesTestCase, seen
from tests.support.world import NOW


class OrderTests(AdminPagesTestCase):
    """Mutes and bans, filters, reports."""

    def test_mute(self) -> None:
        """A mute is set and lifted by forms; it is permanent or not, on one channel or on all."""
        typed = {"who": "Ana@alpha", "reason": "Shouting", "channel": "gossip", "minutes": "90"}
        self.done("/admin/moderation", "mute/add", **typed)
        [mute] = self.registry.mutes.values()
        subject = f"ana@{self.game().client_id}"
        expected = Restriction(
            kind="mute",
            subject=subject,
            channel="gossip",
            until=NOW + 5400,
            reason="Shouting",
            set_by="Root",
            set_at=NOW,
        )
        self.assertEqual(mute, expected)
        self.assertIn("ana@Alpha gossip 14 Nov 2023, 23:30 UTC Shouting Root", seen(self.read("/admin/moderation")))
        self.done("/admin/moderation", "mute/remove", who="ana@Alpha", channel="gossip")
        self.assertEqual(self.registry.mutes, {})
        self.done("/admin/moderation", "mute/add", who="192.0.2.7", reason="So", channel="", always="1")
        self.assertIn("192.0.2.7 one address everywhere permanent So", seen(self.read("/admin/moderation")))
        self.done("/admin/moderation", "mute/remove", who="192.0.2.7", channel="")
        self.assertIn("No mutes.", seen(self.read("/admin/moderation")))

    def test_next_event(self) -> None:
        """A mute takes effect with the next message, also for people on the pages."""
        self.service.say("Ana", UNKNOWN, "gossip", "Hi")
        self.done("/admin/moderation", "mute/add", who="Ana@gossip", reason="So", always="1")
        self.assertIn(
            "muted: so", str(self.failureResultOf(self.service.say("Ana", UNKNOWN, "gossip", "Hi")).value).lower()
        )
        self.done("/admin/moderation", "mute/remove", who="ana@gossip", channel="")
        self.successResultOf(self.service.say("Ana", UNKNOWN, "gossip", "Hi"))

    def test_ban(self) -> None:
        """A ban everywhere needs a confirmation; a ban from a channel does not."""
        why = "tick the box to confirm this action"
        page = self.refused("/admin/moderation", "ban/add", why, who="Alpha", reason="Spam", channel="", minutes="5")
        for name, value in (("who", "Alpha"), ("reason", "Spam"), ("minutes", "5")):
            self.assertEqual(self.fields(page, name), [value])
        session = self.service.join("Alpha", channels=["gossip"])
        self.done("/admin/moderation", "ban/add", who="Alpha", reason="Spam", channel="gossip", minutes="60")
        self.assertEqual(session.channels, {})
        self.done("/admin/moderation", "ban/remove", who="Alpha", channel="gossip")
        self.done("/admin/moderation", "ban/add", who="Alpha", reason="Spam", always="1", **SURE)
        self.assertEqual(session.situation.value, "gone")
        self.done("/admin/moderation", "ban/remove", who="Alpha", channel="")
        self.assertEqual(self.registry.bans, {})

    def test_order_refused(self) -> None:
        """A refused mute has the same reason as in gossipctl."""
        for why, fields in (
            ("no such game; a player is named like Ana@MyMUD", {"who": "Nobody", "reason": "So"}),
            ("no such channel", {"who": "Alpha", "reason": "So", "channel": "nowhere"}),
            ("a reason has 1 to 200 characters, without control characters and tags", {"who": "Alpha", "reason": ""}),
            ("minutes: expected a number", {"who": "Alpha", "reason": "So", "minutes": "long"}),
            ("there is no such mute", {}),
        ):
            wire = "mute/add" if fields else "mute/remove"
            self.refused("/admin/moderation", wire, why, **({"minutes": "60"} | fields if fields else {"who": "Alpha"}))

    def test_no_length(self) -> None:
        """A blank length is no decision: it never makes a mute or a ban permanent."""
        why = "say for how long, or tick For good"
        for wire in ("mute/add", "ban/add"):
            for minutes in ({}, {"minutes": ""}, {"minutes": " "}):
                self.refused("/admin/moderation", wire, why, who="Alpha", reason="So", channel="gossip", **minutes)
        self.assertEqual((self.registry.mutes, self.registry.bans), ({}, {}))
        self.done("/admin/moderation", "mute/add", who="Alpha", reason="So", minutes="5", always="1")
        self.assertEqual([mute.until for mute in self.registry.mutes.values()], [None])

    def test_filled_in(self) -> None:
        """A link can fill in the form, and nothing more."""
        page = self.read(f"/admin/moderation?who={quote('Ana@Alpha')}&channel=gossip").page
        self.assertEqual(self.fields(page, "who"), ["Ana@Alpha"])
        self.assertEqual(self.fields(page, "channel"), ["gossip"])
        self.assertEqual(self.registry.mutes, {})

    def test_old_path(self) -> None:
        """Bookmarks of version 1 lead to the page, with their target."""
        answer = self.root.get("/admin/order?who=Ana%40Alpha&channel=gossip")
        self.assertEqual((answer.code, answer.location), (303, "/admin/moderation?who=Ana%40Alpha&channel=gossip"))

    def test_filter(self) -> None:
        """A filter is tried, added and removed; a try changes nothing, is not logged, and keeps the form."""
        for seq, message in enumerate(("Oh darn!", "Darnation", "Hi", "DARN it"), 1):
            self.said(seq, message)
        typed = {"text": "Darn", "reason": "Language", "action": "mask"}
        answer = self.do("/admin/filters", "filter/try", **typed)
        self.assertEqual(answer.code, 200)
        self.assertIn("It would have matched 2 of 4 messages", seen(answer))
        self.assertIn("Ana@Alpha Oh darn!", seen(answer))
        self.assertNotIn("Darnation", seen(answer))
        for name in ("text", "reason"):
            self.assertEqual(self.fields(answer.page, name), [typed[name]])
        ticked = [
            attributes["value"]
            for _, attributes in answer.page.tags
            if attributes.get("type") == "radio" and "checked" in attributes
        ]
        self.assertEqual(ticked, ["mask"])
        self.assertEqual((self.registry.filters.kept, self.service.store.entries), ({}, []))
        self.assertIn("3 of 4", seen(self.do("/admin/filters", "filter/try", text="darn", substring="1")))
        self.done("/admin/filters", "filter/add", channel="gossip", **typed)
        kept = Filter(text="darn", channel="gossip", action="mask", reason="Language", set_by="Root", set_at=NOW)
        self.assertEqual(list(self.registry.filters.kept.values()), [kept])
        self.assertIn("darn gossip whole words asterisks Language Root", seen(self.read("/admin/filters")))
        self.done("/admin/filters", "filter/remove", text="darn", channel="gossip")
        self.assertEqual(self.registry.filters.kept, {})
        why = "a filter that contains no whole word needs substring matching"
        page = self.refused("/admin/filters", "filter/try", why, text="!!", reason="So")
        self.assertEqual(self.fields(page, "text"), ["!!"])

    def test_many_filters(self) -> None:
        """Of many filters the page shows the first, finds the others, and leads to the next; few need no search."""
        for number in range(MOST_LISTED + 5):
            kept = Filter(text=f"word{number:03}", reason="So", set_by="Root", set_at=NOW)
            self.registry.enact(FilterSaved(kept))
        last = f"word{MOST_LISTED + 4:03}"
        answer = self.read("/admin/filters")
        self.assertIn("5 more: use the filter to find them, or go to the next page", seen(answer))
        self.assertNotIn(last, seen(answer))
        [further] = [link for link in answer.page.links() if "after=" in link]
        for path in (f"/admin/filters?q={last}", f"/admin/filters{further}"):
            self.assertIn(last, seen(self.read(path)))
        for number in range(MOST_LISTED + 5):
            self.registry.enact(FilterRemoved(f"word{number:03}", ""))
        self.registry.enact(FilterSaved(Filter(text="word", reason="So", set_by="Root", set_at=NOW)))
        self.assertEqual(self.fields(self.read("/admin/filters").page, "q"), [])

    def test_suggested(self) -> None:
        """A form suggests the first channels by name, and not more of them than somebody would look through."""
        for number in range(3 * MOST_SUGGESTED):
            self.registry.enact(ChannelSaved(Channel(f"{'aB'[number % 2]}{number:03}")))
        tags = self.read("/admin/filters").page.tags
        names = [str(attributes["value"]) for tag, attributes in tags if tag == "option"]
        known = sorted(self.registry.channels, key=str.lower)
        self.assertEqual(names, known[:MOST_SUGGESTED])

    def report(self) -> None:
        """Bo reports a message of Ana."""
        report = Report(
            number=7,
            channel="gossip",
            seq=3,
            game="Alpha",
            name="Ana",
            message="Hi",
            reason="Rude",
            made_by="Bo",
            made_at=NOW,
        )
        self.registry.enact(ReportMade(report))
        self.service.store.complaints = [
            replace(report, number=6, resolved_by="Root", resolved_at=NOW, resolution="Was muted"),
            report,
        ]

    def test_reports(self) -> None:
        """Open reports are listed, each with a link to mute the sender; resolved ones can be shown, too."""
        self.report()
        answer = self.read("/admin/reports")
        self.assertIn("Ana @Alpha on gossip : Hi Bo: Rude", seen(answer))
        self.assertIn("/admin/moderation?who=Ana%40Alpha&channel=gossip", answer.page.links())
        self.assertIn("/chat/gossip/3#gossip-3", answer.page.links())
        self.assertNotIn("Was muted", seen(answer))
        self.assertIn("Was muted", seen(self.read("/admin/reports?all=1")))

    def test_handled(self) -> None:
        """A report is handled on its card: one form mutes and resolves, for the length that was chosen."""
        for length, until, did in (
            ("10", NOW + 600, "muted Ana@Alpha for 10 min"),
            ("60", NOW + 3600, "muted Ana@Alpha for 1 h"),
            ("always", None, "muted Ana@Alpha for good"),
        ):
            self.report()
            self.service.store.entries.clear()
            form = {"number": "7", "who": "Ana@Alpha", "channel": "gossip", "reason": "Rude", "length": length}
            answer = self.do("/admin/reports", "mute/add", **form)
            self.assertEqual(answer.location, "/admin/reports?done=mute/add-and-resolve")
            [mute] = self.registry.mutes.values()
            self.assertEqual((mute.until, mute.channel, mute.reason), (until, "gossip", "Rude"))
            muted, resolved = self.service.store.entries
            self.assertEqual((muted.operation, resolved.operation), ("mute/add", "report/resolve"))
            self.assertEqual(json.loads(resolved.arguments), {"number": 7, "resolution": did})
            self.assertIn("The mute is in effect, and the report is resolved. ", seen(self.read(answer.location)))

    def test_card(self) -> None:
        """An hour is chosen at first; the card has the lines around the message, and what was done before."""
        self.report()
        for seq in range(1, 9):
            self.said(seq, f"Line {seq}.")
        self.service.store.entries = [
            AuditEntry("1", NOW, "Boss", "mute/add", "x", '{"who":"ana@ALPHA","reason":"spam","minutes":60}'),
            AuditEntry("2", NOW, "Boss", "mute/add", "x", '{"who":"Bo@Alpha","reason":"spam","minutes":60}'),
            AuditEntry("3", NOW, "Boss", "ban/add", "x", '{"who":"Alpha","reason":"flood"}'),
            AuditEntry("4", NOW, "Boss", "mute/add", "x", "[7"),
        ]
        answer = self.read("/admin/reports")
        ticked = [
            each.get("value") for _, each in answer.page.tags if each.get("type") == "radio" and "checked" in each
        ]
        self.assertEqual(ticked, ["60"])
        self.assertEqual(self.fields(answer.page, "reason")[0], "Rude")
        for seq in range(1, 7):
            self.assertIn(f"Line {seq}.", seen(answer))
        self.assertNotIn("Line 7.", seen(answer))
        self.assertIn("2 earlier sanctions", seen(answer))
        self.assertIn("Boss banned Alpha: flood", seen(answer))
        self.assertIn("Boss muted ana@ALPHA for 1 hour: spam", seen(answer))
        self.assertNotIn("Bo@Alpha", seen(answer))

    def test_not_handled(self) -> None:
        """Without a length, or when another admin was faster, nothing is done at all."""
        self.report()
        form = {"who": "Ana@Alpha", "channel": "gossip", "reason": "Rude"}
        for length in ({}, {"length": ""}, {"length": "5"}, {"length": "Always"}):
            self.refused("/admin/reports", "mute/add", "choose for how long", number="7", **form, **length)
        for number in ("8", "", "x", "-7"):
            why = "no such open report"
            self.refused("/admin/reports", "mute/add", why, number=number, length="60", **form)
        self.assertEqual((self.registry.mutes, [*self.registry.reports]), ({}, [7]))

    def test_quote(self) -> None:
        """What a game quotes is marked as unverified, on the overview too, and so is the reporter that it names."""
        quoted = Report(
            number=7, channel="", seq=0, game="Alpha", name="Ana", message="<b>Boo", reason="So", made_by="Bo@Beta",
            made_at=NOW,
        )  # fmt: skip
        self.registry.enact(ReportMade(quoted))
        self.registry.enact(ReportMade(replace(quoted, number=8, message="")))
        page = seen(self.read("/admin/reports"))
        self.assertIn(
            "Ana @Alpha: <b>Boo unverified quote Bo@Beta: So ( 14 Nov 2023, 22:00 UTC , reporter as named", page
        )
        self.assertEqual(page.count("unverified quote"), 1)
        self.assertEqual(seen(self.read("/admin")).count("unverified quote"), 1)
        self.assertIn("/admin/moderation?who=Ana%40Alpha&channel=", self.read("/admin/reports").page.links())

    def test_resolve(self) -> None:
        """A report is resolved with a note; a refused form keeps its values."""
        self.report()
        why = "a resolution has at most 200 characters, without control characters and tags"
        page = self.refused("/admin/reports", "report/resolve", why, number="7", resolution="x" * 201)
        self.assertEqual(self.fields(page, "resolution"), ["x" * 201])
        self.done("/admin/reports", "report/resolve", number="7", resolution="Muted")
        self.assertEqual(self.registry.reports, {})
        self.assertEqual(json.loads(self.service.store.entries[-1].arguments), {"number": 7, "resolution": "Muted"})
        self.refused("/admin/reports", "report/resolve", "no such open report", number="7")
