"""L{gossip.web.pages.moderate}: the pages of moderators."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from gossip.operations.accounts import AccountEdit
from gossip.operations.channels import ChannelModerators
from gossip.operations.executor import Executor
from gossip.registry.changes import ChannelSaved, ReportMade, RestrictionSet
from gossip.registry.entities import AuditEntry, Channel, Report, Restriction
from gossip.registry.restrictions import player_of
from gossip.web.pages.moderate import ACTS
from tests.support.site_browser import HOSTILE
from tests.support.sites import SURE, PagesTestCase, seen
from tests.support.visitor import Answer, Visitor
from tests.support.world import NOW, uuid

PAGE = "/moderate/gossip"
REPORT = Report(
    number=7, channel="gossip", seq=3, game="Alpha", name="Bo", message="Darn", reason="Rude", made_by="Cy@Beta",
    made_at=NOW,
)  # fmt: skip


class ModeratePagesTests(PagesTestCase):
    """Ana moderates gossip, Bea moderates news, Root is an admin, and Cyd is nobody."""

    def setUp(self) -> None:
        super().setUp()
        self.registry = self.world.registry
        self.visitors = {name: Visitor(self.site) for name in ("Ana", "Bea", "Cyd", "Root")}
        for name, visitor in self.visitors.items():
            visitor.sign_in(self.service, name, admin=name == "Root")
        self.ana = self.visitors["Ana"]
        for name, moderator in (("gossip", "Ana"), ("news", "Bea")):
            self.registry.enact(ChannelSaved(Channel(name, False, moderators=frozenset([moderator]))))

    def do(self, wire: str, **fields: str) -> Answer:
        """Ana sends a form of the page."""
        return self.ana.post(PAGE, {"do": wire, **fields}, at=PAGE)

    def done(self, wire: str, **fields: str) -> str:
        """Ana sends a form; it is done, noted under her name, and the page says so. Returns what it shows."""
        before = len(self.service.store.entries)
        answer = self.do(wire, **fields)
        self.assertEqual((answer.code, answer.location), (303, f"{PAGE}?done={wire}"), seen(answer))
        [entry] = self.service.store.entries[before:]
        self.assertEqual((entry.actor, entry.operation), ("Ana", wire))
        return seen(self.ana.get(answer.location))

    def refused(self, why: str, wire: str, **fields: str) -> Answer:
        """Ana sends a form, and is told why it is not done; nothing is noted."""
        before = len(self.service.store.entries)
        answer = self.do(wire, **fields)
        self.assertEqual(answer.code, 422, seen(answer))
        self.assertIn(f"Not done: {why}.", seen(answer))
        self.assertEqual(len(self.service.store.entries), before)
        return answer

    def links(self, visitor: Visitor, path: str) -> list[str]:
        return [link for link in visitor.get(path).page.links() if link.startswith("/moderate")]

    def test_reporter(self) -> None:
        """Moderators are not told the name of a user of the machine who reported something; admins are."""
        self.registry.enact(ReportMade(replace(REPORT, made_by="unix:bob")))
        self.assertIn("an admin: Rude", seen(self.ana.get(PAGE)))
        self.assertNotIn("unix:", seen(self.ana.get(PAGE)))
        self.assertIn("unix:bob: Rude", seen(self.visitors["Root"].get("/admin/reports")))

    def test_reason(self) -> None:
        """Before a reason is written, it is said by whom it is read: by everybody, if there is an open book."""
        hint = "shown to the person affected"
        rules = self.world.network.rules
        for published, everybody in (("games", True), ("all", True), ("off", False)):
            rules.settings = replace(rules.settings, public_moderation=published)
            for visitor, path in ((self.ana, PAGE), (self.visitors["Root"], "/admin/moderation")):
                text = seen(visitor.get(path))
                self.assertIn(hint, text)
                self.assertEqual(f"{hint}, and to everybody on the page Moderation" in text, everybody, path)

    def test_who(self) -> None:
        """The page is there for moderators of the channel and for admins; for all others there is nothing."""
        codes = {
            name: [visitor.get(f"/moderate/{channel}").code for channel in ("gossip", "news", "nowhere")]
            for name, visitor in self.visitors.items()
        }
        self.assertEqual(
            codes,
            {"Ana": [200, 404, 404], "Bea": [404, 200, 404], "Cyd": [404, 404, 404], "Root": [200, 200, 404]},
        )
        for name in ("Bea", "Cyd"):
            visitor = self.visitors[name]
            visitor.get("/account")
            answer = visitor.post(PAGE, {"do": "mute/add", "who": "Bo@Alpha", "minutes": "5", "reason": "So"})
            self.assertEqual((answer.code, self.registry.mutes), (404, {}))
            self.assertEqual(visitor.post(PAGE, {"do": "nothing"}).code, 404)
        for channel in ("gossip", "nowhere"):
            answer = Visitor(self.site).get(f"/moderate/{channel}")
            self.assertEqual((answer.code, answer.location), (303, f"/sign-in?back=/moderate/{channel}"))

    def test_linked(self) -> None:
        """The channel links to the page for those that may, and so does the menu of the account."""
        found = {name: self.links(visitor, "/chat/gossip") for name, visitor in self.visitors.items()}
        # The menu is there twice: above the page, and in a drawer on narrow windows.
        twice = ["/moderate", "/moderate"]
        expected: dict[str, list[str]] = {"Ana": [*twice, PAGE], "Bea": twice, "Cyd": [], "Root": [PAGE]}
        self.assertEqual(found, expected)
        self.assertEqual(self.links(Visitor(self.site), "/chat/gossip"), [])

    def test_channels(self) -> None:
        """The list has the channels that an account moderates, each with its open reports."""
        self.registry.enact(ChannelSaved(Channel("staff", moderators=frozenset(["Ana"]))))
        self.registry.enact(ReportMade(REPORT))
        self.assertIn("#gossip 1 open report #staff hidden 0 open reports", seen(self.ana.get("/moderate")))
        self.assertEqual(
            [self.visitors[name].get("/moderate").code for name in ("Bea", "Cyd", "Root")], [200, 404, 404]
        )

    def test_no_longer(self) -> None:
        """An account that moderates no more finds nothing on the open page, whatever it sends."""
        self.ana.get(PAGE)
        executor = Executor(self.service, self.service.store, self._in_thread)
        fields = {"do": "mute/add", "who": "Bo@Alpha", "minutes": "5", "reason": "So"}

        def carry_out(command: Any) -> None:
            self.successResultOf(executor.carry_out(command, "Root"))

        carry_out(ChannelModerators(channel="gossip", accounts=()))
        self.assertEqual(self.ana.post(PAGE, fields).code, 404)
        carry_out(ChannelModerators(channel="gossip", accounts=("Ana", "Bea")))
        self.assertEqual(self.ana.get(PAGE).code, 200)
        carry_out(AccountEdit(name="Ana", disabled=True))
        self.assertEqual(self.ana.post(PAGE, fields).location, "/sign-in?back=/")
        self.assertEqual(self.registry.channels["gossip"].moderators, frozenset(["Bea"]))
        self.assertEqual(self.registry.mutes, {})

    def test_mute(self) -> None:
        """A moderator mutes on the channel for at most a day, and lifts that; what admins did for longer stays."""
        page = self.done("mute/add", who="Bo@alpha", minutes="90", reason="Shouting", channel="news")
        self.assertIn("The mute is in effect.", page)
        self.assertIn("bo@Alpha 14 Nov 2023, 23:30 UTC Shouting Ana", page)
        [mute] = self.registry.mutes.values()
        self.assertEqual((mute.channel, mute.until, mute.set_by), ("gossip", NOW + 5400, "Ana"))
        self.assertIn("The mute was lifted.", self.done("mute/remove", who="bo@Alpha"))
        self.assertEqual(self.registry.mutes, {})
        answer = self.refused("a moderator can mute for at most 24 hours", "mute/add", who="A", minutes="", reason="S")
        self.assertEqual([a["value"] for _, a in answer.page.tags if a.get("name") == "reason"][-1], "S")
        self.refused("only an admin can mute an address", "mute/add", who="192.0.2.1", minutes="5", reason="So")
        alpha = self.world.client_id("Alpha")
        admins = Restriction(
            kind="mute", subject=player_of(alpha, "Cy"), channel="gossip", reason="So", set_by="unix:bob", set_at=NOW
        )
        self.registry.enact(RestrictionSet(admins))
        self.registry.enact(RestrictionSet(replace(admins, subject="192.0.2.7")))
        shown = seen(self.ana.get(PAGE))
        self.assertIn("cy@Alpha permanent So an admin", shown)
        for hidden in ("192.0.2.7", "bob"):
            self.assertNotIn(hidden, shown)
        why = "this mute lasts for more than 24 hours: only an admin can change it"
        self.refused(why, "mute/remove", who="cy@Alpha")

    def test_report(self) -> None:
        """A moderator resolves the reports of the channel, and sees no others."""
        for report in (REPORT, replace(REPORT, number=8, channel="news", message="Psst"), replace(REPORT, number=9,
                       channel="", message="Tell")):  # fmt: skip
            self.registry.enact(ReportMade(report))
        shown = seen(self.ana.get(PAGE))
        self.assertIn("Bo @Alpha on gossip : Darn Cy@Beta: Rude", shown)
        for hidden in ("Psst", "Tell"):
            self.assertNotIn(hidden, shown)
        self.assertIn("The report was resolved.", self.done("report/resolve", number="7", resolution="Muted"))
        self.refused("only an admin can do this", "report/resolve", number="8")
        self.assertEqual(list(self.registry.reports), [8, 9])

    def entry(self, operation: str, actor: str = "unix:bob", **arguments: Any) -> None:
        """The log has something that was done before."""
        number = len(self.service.store.entries)
        noted = AuditEntry(uuid(number), NOW - number, actor, operation, "", json.dumps(arguments))
        self.service.store.entries.append(noted)

    def test_card(self) -> None:
        """
        A report is handled on its card as admins do: one form mutes on the channel and resolves, another removes and
        resolves. The card has the lines around the message, and what was done on this channel before.
        """
        for seq, text in ((2, "Before"), (3, "[removed: no] Darn"), (4, "After")):
            self.said(seq, text, "Bo")
        self.entry("mute/add", who="Bo@Alpha", channel="gossip", minutes=60.0, reason="Shouting")
        self.entry("mute/add", "Bea", who="Alpha", channel="gossip", minutes=None, reason="All of them")
        removed = {"game": "Alpha", "name": "Bo", "message": "Dirty text"}
        self.entry("message/remove", "Bea", id="gossip:1", reason="Ads", messages=[removed])
        for elsewhere in ("news", None):
            self.entry("mute/add", who="Bo@Alpha", channel=elsewhere, minutes=5.0, reason="Elsewhere")
        self.entry("ban/add", who="Bo@Alpha", reason="Elsewhere")
        self.entry("message/remove", id="news:1", reason="Elsewhere", messages=[removed])
        before = list(self.service.store.entries)
        for wire, fields, did, noted in (
            ("mute/add", {"who": "Bo@Alpha", "length": "10", "reason": "So"}, "The mute is in effect", "mute/add"),
            ("mute/add", {"who": "Alpha", "length": "1440", "reason": "So"}, "The mute is in effect", "mute/add"),
            ("message/remove", {"id": "gossip:3", "reason": "So", **SURE}, "The message was removed", "message/remove"),
            (
                "message/remove",
                {"id": "gossip:4", "reason": "So", "mute": "Bo@Alpha", **SURE},
                "The message was removed",
                "message/remove mute/add",
            ),
        ):
            self.service.store.entries[:] = before
            self.registry.enact(ReportMade(replace(REPORT, seq=int(fields.get("id", "gossip:3")[7:]))))
            card = seen(self.ana.get(PAGE))
            for text in ("Before", "After", "an admin muted Bo@Alpha on gossip for 1 hour: Shouting", "3 earlier"):
                self.assertIn(text, card)
            self.assertIn("Bea muted Alpha on gossip: All of them", card)
            self.assertIn("Bea removed gossip:1: Ads", card)
            for hidden in ("Elsewhere", "Dirty", "7 days", "for good", "everywhere", "/admin/"):
                self.assertNotIn(hidden, card)
            answer = self.do(wire, number="7", **fields)
            self.assertEqual((answer.code, answer.location), (303, f"{PAGE}?done={wire}-and-resolve"), seen(answer))
            self.assertIn(f"{did}, and the report is resolved.", seen(self.ana.get(answer.location)))
            done = self.service.store.entries[len(before) :]
            self.assertEqual([each.operation for each in done], [*noted.split(), "report/resolve"])
            self.assertEqual({each.actor for each in done}, {"Ana"})
            self.assertEqual(self.registry.reports, {})
        mutes = sorted((mute.until, mute.channel) for mute in self.registry.mutes.values())
        self.assertEqual(mutes, [(NOW + 24 * 3600, "gossip"), (NOW + 24 * 3600, "gossip")])

    def test_refused_card(self) -> None:
        """
        What moderators may not do is not done on a card either; nothing is done then, and the report stays open. What
        was typed is there again, on the card alone.
        """
        self.said(3, "Darn", "Bo")
        for report in (REPORT, replace(REPORT, number=8, channel="news")):
            self.registry.enact(ReportMade(report))
        form = {"who": "Bo@Alpha", "reason": "My reason", "length": "60"}
        for length in ("always", "10080", "", "nan", "99999"):
            self.refused("choose for how long", "mute/add", number="7", **{**form, "length": length})
        for number in ("8", "9", "x", "٧"):
            self.refused("no such open report", "mute/add", number=number, **form)
        self.refused("only an admin can mute an address", "mute/add", number="7", **{**form, "who": "192.0.2.1"})
        self.refused("tick the box to confirm this action", "message/remove", number="7", id="gossip:3", reason="So")
        self.refused("only an admin can do this", "message/remove", number="7", id="news:3", reason="So", **SURE)
        page = self.refused("no such game", "mute/add", number="7", **{**form, "who": "Bo@Nowhere"}).page
        self.assertEqual(sum(attributes.get("value") == "My reason" for _, attributes in page.tags), 1)
        self.assertEqual((self.registry.mutes, [*self.registry.reports]), ({}, [7, 8]))

    def test_hidden(self) -> None:
        """The card of a report on a hidden channel has no links to lines that nobody can open."""
        self.said(2, "Before", "Bo")
        self.said(3, "Darn", "Bo")
        self.registry.enact(ReportMade(REPORT))
        readers = ((self.ana, PAGE), (self.visitors["Root"], "/admin/reports"))
        for reader, path in readers:
            self.assertIn("/chat/gossip/3#gossip-3", reader.get(path).page.links())
        self.registry.enact(ChannelSaved(Channel("gossip", True, moderators=frozenset(["Ana"]))))
        for reader, path in readers:
            page = reader.get(path).page
            self.assertIn("Before", page.text)
            self.assertEqual([link for link in page.links() if link.startswith("/chat/gossip")], [], path)

    def test_remove(self) -> None:
        """A moderator removes a message of the channel; it is gone at once, and only the log has its text."""
        self.said(2, "/me waves", "Bo")
        self.said(3, "Darn it", "Bo")
        self.assertIn("* Bo @Alpha waves", seen(self.ana.get(PAGE)))
        self.said(4, "Psst", "Bo", channel="news")
        self.assertIn("Bo @Alpha: Darn it", seen(self.ana.get(PAGE)))
        shown = self.done("message/remove", id="gossip:3", reason="Language")
        self.assertIn("The message was removed.", shown)
        self.assertIn("[removed: Language]", shown)
        self.assertNotIn("Darn it", shown)
        self.assertIn("Darn it", self.service.store.entries[-1].arguments)
        self.assertIn(("gossip", 3), self.registry.removals)
        self.refused("this message was removed already", "message/remove", id="gossip:3", reason="Language")
        self.refused("only an admin can do this", "message/remove", id="news:4", reason="Language")

    def test_other_deeds(self) -> None:
        """The page does nothing else, whatever a form asks for."""
        self.ana.get(PAGE)
        for wire in ("ban/add", "channel/remove", "account/edit", ""):
            self.assertEqual(self.do(wire, who="Alpha", reason="So", channel="gossip", name="Ana").code, 400)
        self.assertEqual(self.service.store.entries, [])

    def test_hostile(self) -> None:
        """Whatever players, games and accounts wrote stays text."""
        self.said(3, HOSTILE, HOSTILE)
        self.registry.enact(ReportMade(replace(REPORT, message=HOSTILE, name=HOSTILE, made_by=HOSTILE, reason=HOSTILE)))
        answer = self.ana.get(PAGE)
        self.assertEqual(answer.code, 200)
        before = [tag for tag, _ in answer.page.tags if tag in ("b", "script", "img")]
        self.assertEqual(before.count("script"), 2)
        answer = self.refused("no such game", "mute/add", who=f"{HOSTILE}@x", minutes="5", reason=HOSTILE)
        self.assertIn(HOSTILE, [attributes.get("value") for _, attributes in answer.page.tags])

    def test_filled_in(self) -> None:
        """A link can name the player to mute, and does nothing more."""
        page = self.ana.get(f"{PAGE}?who=Bo%40Alpha").page
        self.assertIn("Bo@Alpha", [attributes.get("value") for _, attributes in page.tags])
        self.assertEqual(self.registry.mutes, {})

    def test_too_many(self) -> None:
        """A moderator cannot flood the log."""
        fields = {"who": "Bo@Alpha", "minutes": "5", "reason": "So"}
        self.ana.get(PAGE)
        for _ in range(ACTS):
            self.assertEqual(self.ana.post(PAGE, {"do": "mute/add", **fields}).code, 303)
        self.assertEqual(self.ana.post(PAGE, {"do": "mute/add", **fields}).code, 429)
