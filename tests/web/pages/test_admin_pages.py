"""L{gossip.web.pages.admin}: what admins can do in a browser, and nobody else."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gossip.operations.accounts import AccountAdd
from gossip.protocol.server_events import TelnetConnection
from gossip.registry.changes import (
    AccountSaved,
    Audited,
    ChannelSaved,
    ChannelsRemoved,
    FilterSaved,
    GameSaved,
    GameSeen,
    MessageSaid,
    ReportMade,
    RestrictionSet,
)
from gossip.registry.entities import Account, AuditEntry, Channel, Filter, Report, Restriction
from gossip.web.pages.admin import _PAGES
from gossip.web.pages.admin.overview import OverviewPage
from gossip.web.pages.admin.page import _DONE, MOST_SUGGESTED, SECTIONS, AdminPage
from tests.support.properties import examples
from tests.support.site_browser import HOSTILE, Page
from tests.support.sites import SURE, AdminPagesTestCase, seen
from tests.support.visitor import Answer, Visitor
from tests.support.world import NOW, uuid

LISTS = tuple(where for where, _ in SECTIONS)


def path_of(page: type[AdminPage]) -> str:
    """The path of a page, filled in for something that exists."""
    return page.pattern.replace("{name}", {"games": "Alpha", "accounts": "Root"}.get(page.parent[7:], "gossip"))


ADMIN_PAGES: tuple[type[AdminPage], ...] = (OverviewPage, *_PAGES)


class AccessTests(AdminPagesTestCase):
    """Access."""

    PATHS = (*LISTS, "/admin/games/Alpha", "/admin/accounts/Root", "/admin/channels/gossip")

    def test_signed_out(self) -> None:
        """Somebody who is not signed in is sent to the sign-in page, which leads back."""
        for path in self.PATHS:
            answer = Visitor(self.site).get(path)
            self.assertEqual((answer.code, answer.location), (303, f"/sign-in?back={path}"), path)

    def test_user(self) -> None:
        """Somebody who is not an admin gets none of the pages and can send none of the forms."""
        ana = Visitor(self.site)
        ana.sign_in(self.service, "Ana")
        before = self.game()
        for path in self.PATHS:
            answer = ana.get(path)
            self.assertEqual((answer.code, "Only admins can do this." in seen(answer)), (403, True), path)
        for path, fields in (
            ("/admin/games/Alpha", {"do": "game/remove", "game": "Alpha", **SURE}),
            ("/admin/accounts/Ana", {"do": "account/edit", "name": "Ana", "admin": "1"}),
            ("/admin", {"do": "say", "channel": "gossip", "text": "Hi"}),
        ):
            answer = ana.post(path, fields, at="/channels")
            self.assertEqual((answer.code, "Only admins can do this." in seen(answer)), (403, True), path)
        self.assertEqual((self.game(), self.service.store.entries, self.service.store.said), (before, [], []))

    def test_no_longer(self) -> None:
        """A former admin loses access at once, with the same cookie."""
        self.registry.enact(AccountSaved(Account(name="Root", created_at=NOW)))
        self.assertEqual(self.root.get("/admin").code, 403)
        self.registry.enact(AccountSaved(Account(name="Root", created_at=NOW, admin=True, disabled=True)))
        self.assertEqual(self.root.get("/admin").code, 303)

    def test_other_sites(self) -> None:
        """A form that another site sends in an admin's name is refused."""
        self.read("/admin/games/Alpha")
        fields = {"do": "game/remove", "game": "Alpha", **SURE}
        wrong: tuple[tuple[dict[str, str], dict[str, str]], ...] = (
            ({"csrf": ""}, {}),
            ({"csrf": "0" * 64}, {}),
            ({}, {"Origin": "https://evil.example"}),
            ({}, {"Sec_Fetch_Site": "cross-site"}),
            ({}, {"Sec_Fetch_Site": "same-site"}),
        )
        for more, headers in wrong:
            answer = self.root.post("/admin/games/Alpha", {**fields, **more}, **headers)
            self.assertEqual(answer.code, 403, (more, headers))
        answer = self.root.ask("POST", "/admin/games/Alpha", b'{"do": "game/remove"}', Content_Type="application/json")
        self.assertEqual(answer.code, 415)
        self.assertIsNotNone(self.game())
        self.assertEqual(self.root.post("/admin/games/Alpha", fields).code, 303)
        self.assertIsNone(self.game())

    def test_only_here(self) -> None:
        """A page does what its own forms do, and nothing else."""
        for path, wire in (("/admin", "game/remove"), ("/admin/filters", "mute/add"), ("/admin/moderation", "")):
            answer = self.do(path, wire, game="Alpha", who="Alpha", reason="So")
            self.assertEqual((answer.code, "cannot do that" in seen(answer)), (400, True), path)
        for path in ("/admin/sessions", "/admin/audit"):
            self.assertEqual(self.root.post(path, {"do": "say"}, at="/admin").code, 405)
        self.assertEqual(self.service.store.entries, [])

    def test_nothing_there(self) -> None:
        """Something that does not exist has no page and no form."""
        for path in ("/admin/games/Nobody", "/admin/accounts/Nobody", "/admin/channels/nowhere", "/admin/nothing"):
            self.assertEqual(self.root.get(path).code, 404, path)
        answer = self.root.post("/admin/games/Nobody", {"do": "game/enable", "game": "Nobody"}, at="/admin")
        self.assertEqual(answer.code, 404)

    def test_no_database(self) -> None:
        """If a change cannot be saved, the page says so, and nothing changes."""
        self.read("/admin/channels")
        self.service.writer.full = True
        answer = self.root.post("/admin/channels", {"do": "channel/hide", "channel": "gossip"})
        self.assertEqual(answer.code, 503)
        self.assertFalse(self.registry.channels["gossip"].hidden)


class OverviewTests(AdminPagesTestCase):
    """The overview, the sessions and the activity log."""

    def test_overview(self) -> None:
        """The overview shows the state of the network, open reports and the latest activity."""
        self.service.join("Alpha", players=["Ana", "Bo"])
        self.report(7, reason="Rude")
        self.do("/admin/channels", "channel/hide", channel="gossip")
        text = seen(self.read("/admin"))
        for said in ("all is well", "1 game online", "1 session", "2 players online", "1 open report", "Rude"):
            self.assertIn(said, text)
        self.assertIn("Root hid the channel gossip", text)
        self.service.get_stuck()
        self.assertIn("stuck", seen(self.read("/admin")))

    def report(self, number: int, **more: Any) -> None:
        report = Report(
            **{
                "number": number,
                "channel": "gossip",
                "seq": number,
                "game": "Alpha",
                "name": "Ana",
                "message": "Hi",
                "reason": "Rude",
                "made_by": "bo",
                "made_at": NOW,
                **more,
            }
        )
        self.registry.enact(ReportMade(report))

    def test_say(self) -> None:
        """An admin sends a message as the network."""
        self.done("/admin", "say", channel="gossip", text="Hello, all")
        [said] = self.service.store.said
        self.assertEqual((said.name, said.message), ("system", "Hello, all"))
        page = self.refused("/admin", "say", "no such channel", channel="nowhere", text="Hello")
        self.assertEqual((self.fields(page, "text"), self.options(page)), (["Hello"], ["", "gossip"]))
        self.refused("/admin", "say", "empty message", channel="gossip", text=" ")

    def options(self, page: Page) -> list[str | None]:
        """The channels to choose from, the chosen one first."""
        options = [each for tag, each in page.tags if tag == "option"]
        options.sort(key=lambda each: "selected" not in each)
        return [each.get("value") for each in options]

    def test_channels(self) -> None:
        """The channel of a message is chosen from a list, if that is not too long."""
        self.assertEqual(self.options(self.read("/admin").page), ["gossip"])
        self.show("a <b>")
        self.assertEqual(self.options(self.read("/admin").page), ["gossip", "a <b>"])
        for number in range(MOST_SUGGESTED):
            self.show(f"c{number}")
        page = self.read("/admin").page
        self.assertEqual(self.fields(page, "channel"), [""])
        self.assertEqual(len(self.options(page)), MOST_SUGGESTED)

    def test_names(self) -> None:
        """The activity log has the name of a game that a form named by its client_id."""
        self.do("/admin/games/Alpha", "game/disable", game=self.world.client_id("Alpha"), **SURE)
        self.assertIn("Root disabled Alpha", seen(self.read("/admin")))
        self.assertNotIn(self.world.client_id("Alpha"), seen(self.read("/admin/audit")))

    def test_no_channels(self) -> None:
        """Without channels there is a link to create one."""
        self.registry.enact(ChannelsRemoved(("gossip",)))
        self.assertIn("No channels yet. Create one", seen(self.read("/admin")))

    def test_notice(self) -> None:
        """All games are notified of a restart."""
        session = self.service.join("Alpha")
        self.done("/admin", "restart-notice", seconds="90")
        self.assertEqual([told["payload"] for told in self.service.told(session)], [{"downtime": 90}])
        page = self.refused("/admin", "restart-notice", "seconds: expected a number", seconds="soon")
        self.assertEqual(self.fields(page, "seconds"), ["soon"])
        self.assertEqual(self.service.told(session), [])

    def test_sessions(self) -> None:
        """The live sessions are listed, and can be filtered without JavaScript."""
        self.assertIn("0 live sessions.", seen(self.read("/admin/sessions")))
        self.service.join("Alpha", channels=["gossip", "testing"], players=["Ana"] + [f"P{n}" for n in range(30)])
        self.service.join("Beta").opened_at = NOW - 90
        text = seen(self.read("/admin/sessions"))
        self.assertIn("2 live sessions.", text)
        self.assertIn("Alpha 192.0.2.1 websocket 14 Nov 2023, 22:00 UTC gossip, testing 31 Ana, P0,", text)
        self.assertIn("P18 and 11 more", text)
        self.assertIn("Beta 192.0.2.1 websocket 14 Nov 2023, 21:58 UTC", text)
        self.assertNotIn("Beta", seen(self.read("/admin/sessions?q=alpha")))
        self.assertIn("Beta", seen(self.read("/admin/sessions?q=192.0.2.1")))

    def test_audit(self) -> None:
        """The activity log has pages, newest first, with each entry once; nothing on it can be changed."""
        for number in range(120):
            entry = AuditEntry(uuid(number), NOW + number / 3, "unix:ana", "x/y", f"Number {number}.", '{"a":1}')
            self.service.store.entries.append(entry)
        path, lines = "/admin/audit", []
        while path:
            page = self.read(path).page
            lines += [text for text in page.text.split("\n") if "Number" in text]
            forms = [attributes for tag, attributes in page.tags if tag == "form"]
            changing = [form for form in forms if form.get("method") == "post"]
            self.assertEqual([form for form in changing if "audit" in str(form["action"])], [])
            path = next((str(attributes["href"]) for _, attributes in page.tags if attributes.get("rel") == "next"), "")
        numbers = [int(text.partition("Number ")[2].partition(".")[0]) for text in lines]
        self.assertEqual(numbers, list(range(119, -1, -1)))
        self.assertEqual(self.root.get("/admin/audit?before=x").code, 400)
        self.assertIn("No older entries.", seen(self.read("/admin/audit?before=1")))

    def test_sought(self) -> None:
        """Entries are found by who, what and when; the links to older ones and to the file keep what is asked."""
        entries = [
            AuditEntry("1", NOW - 86400, "Boss", "mute/add", "Ana@Alpha", '{"who":"Ana@Alpha","reason":"spam"}'),
            AuditEntry("2", NOW, "unix:ana", "mute/add", "Bo@Alpha", '{"who":"Bo@Alpha","reason":"=1+1"}'),
        ]
        self.service.store.entries.extend(entries)
        for query, found in (
            ("who=boss", ["Ana"]),
            ("what=bo%40alpha", ["Bo"]),
            ("from=2023-11-14", ["Bo"]),
            ("to=2023-11-13", ["Ana"]),
            ("from=2023-11-13&to=2023-11-14", ["Bo", "Ana"]),
            ("from=yesterday", ["Bo", "Ana"]),
            ("what=nothing", []),
        ):
            page = self.read(f"/admin/audit?{query}")
            self.assertEqual([name for name in ("Bo", "Ana") if f"muted {name}@Alpha" in seen(page)], found, query)
            [link] = [str(attributes["href"]) for _, attributes in page.page.tags if "download" in attributes]
            file = self.root.get(link)
            rows = list(csv.reader(io.StringIO(file.body.decode())))
            muted = [row[2].split()[1].rstrip(":") for row in rows[1:]]
            self.assertEqual(muted, [f"{name}@Alpha" for name in found], query)
            self.assertEqual(file.headers["content-type"], "text/csv; charset=utf-8")
        self.assertIn("No entries match.", seen(self.read("/admin/audit?what=nothing")))

    def test_formulas(self) -> None:
        """No cell of the file is a formula for a spreadsheet, whatever a text begins with."""
        for number, actor in enumerate(("=1", "+1", "-1", "@x", "\t=1", "a=1")):
            self.service.store.entries.append(AuditEntry(str(number), NOW, actor, "x/y", "", "{}"))
        rows = list(csv.reader(io.StringIO(self.root.get("/admin/audit.csv").body.decode())))
        self.assertEqual(sorted(row[1] for row in rows[1:]), sorted(["'=1", "'+1", "'-1", "'@x", "'\t=1", "a=1"]))
        self.assertEqual(Visitor(self.site).get("/admin/audit.csv").code, 303)

    def test_menu(self) -> None:
        """Every page links to all others, marks itself, and shows the number of open reports."""
        self.report(1)
        self.report(2)
        for path in AccessTests.PATHS:
            page = self.read(path).page
            self.assertLessEqual({*LISTS}, {*page.links()}, path)
            current = [attributes["href"] for _, attributes in page.tags if attributes.get("aria-current")]
            section = "/".join(path.split("/")[:3])
            self.assertEqual(current[-1:], [section], path)
            self.assertIn("2 open", page.text)


class EverywhereTests(AdminPagesTestCase):
    """What all admin pages have in common."""

    def fill(self, text: str) -> None:
        """Put a text into every field, even one that the registry would refuse."""
        game = replace(self.game(), name=text, tagline=text, description=text, homepage_url=text)
        game = replace(game, connections=(TelnetConnection(text, 4000),), owner=text)
        self.service.join("Alpha", players=[text], channels=["gossip"])
        self.registry.enact(GameSaved(game))
        self.registry.enact(GameSeen(game.client_id, text, text))
        self.registry.enact(ChannelSaved(Channel("gossip", False, NOW + 60, text, frozenset([game.client_id]))))
        self.show(text, text)
        self.registry.enact(AccountSaved(Account(name=text, email=text)))
        for kind in ("mute", "ban"):
            restriction = Restriction(
                kind=kind, subject=f"{text}@{game.client_id}", channel=text, reason=text, set_by=text, set_at=NOW
            )
            self.registry.enact(RestrictionSet(restriction))
        self.registry.enact(FilterSaved(Filter(text=text, channel=text, reason=text, set_by=text, set_at=NOW)))
        report = Report(
            number=1,
            channel=text,
            seq=1,
            game=text,
            name=text,
            message=text,
            reason=text,
            made_by=text,
            made_at=NOW,
        )
        self.registry.enact(ReportMade(report))
        resolved = replace(report, number=2, resolved_by=text, resolved_at=NOW, resolution=text)
        self.service.store.complaints = [resolved, report]
        self.service.store.entries.append(AuditEntry(uuid(1), NOW, text, text, text, text))
        self.service.store.said.append(MessageSaid(text, 1, uuid(1), text, text, text, NOW))

    def pages(self, text: str) -> list[Answer]:
        """All pages, including those with the values of a failed form."""
        segment = quote(text, safe="")
        paths = (
            *LISTS,
            "/admin/games/Alpha",
            f"/admin/accounts/{segment}",
            f"/admin/channels/{segment}",
            "/admin/channels/gossip",
            "/admin/reports?all=1",
            f"/admin/moderation?who={segment}&channel={segment}&reason={segment}",
            *(f"/admin/{name}?q={segment}" for name in ("games", "accounts", "channels", "sessions")),
            f"/admin/games?done={segment}",
        )
        answers = [self.read(path) for path in paths]
        answers.append(self.do("/admin/filters", "filter/try", text=text, channel=text, substring="1"))
        answers.append(self.do("/admin/moderation", "mute/add", who=text, reason=text, minutes=text))
        answers.append(self.do("/admin/games", "game/add", name=text, short_name=text, owner=text))
        answers.append(self.do("/admin/channels/gossip", "channel/speakers", channel="gossip", games=["", text]))
        return answers

    def test_hostile(self) -> None:
        """What others wrote stays text, in fields as well; links go where they say."""
        self.fill(HOSTILE)
        for answer in self.pages(HOSTILE):
            self.assertIn(answer.code, (200, 422), seen(answer))
            for tag, attributes in answer.page.tags:
                self.assertNotIn(tag, ("b" if attributes else "", "iframe", "style"), seen(answer)[:80])
                self.assertFalse([name for name in attributes if name.startswith("on") or name == "style"], attributes)
                if tag == "script":
                    self.assertRegex(str(attributes["src"]), r"^/static/[a-z]+\.[0-9a-f]{12}\.js$")
                for name in ("href", "action"):
                    if name in attributes:
                        self.assertRegex(str(attributes[name]), r"^(/|#)", (tag, attributes))
        text = self.read("/admin/moderation").page.text
        self.assertIn(HOSTILE, text)

    @examples(40)
    @given(st.data())
    def test_anything(self, data: st.DataObject) -> None:
        """Any form sent to any page is carried out, or refused with a reason; nothing fails."""
        self.setUp()
        page = data.draw(st.sampled_from([page for page in ADMIN_PAGES if page.does]))
        path = path_of(page)
        kind = data.draw(st.sampled_from(page.does))
        text = st.one_of(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
            st.sampled_from(["Alpha", "Root", "gossip", "Ana@Alpha", "1", "0", "", "nan", "*", "telnet://a:1", "\0"]),
        )
        fields = {name: data.draw(st.lists(text, max_size=2)) for name in kind.__struct_fields__}
        answer = self.root.post(path, {"do": kind.wire, **data.draw(st.sampled_from([{}, SURE])), **fields}, at=path)
        self.assertIn(answer.code, (200, 303, 422), seen(answer))

    def test_nothing(self) -> None:
        """A form without its required fields is refused with a reason."""
        for page in ADMIN_PAGES:
            for kind in page.does:
                answer = self.root.post(path_of(page), {"do": kind.wire}, at=path_of(page))
                self.assertIn(answer.code, (200, 303, 422), kind.wire)

    def test_notes(self) -> None:
        """A URL can make a page show its own messages only."""
        for done in ("Your password was stolen", "nothing", ""):
            page = self.read(f"/admin/games?done={quote(done)}").page
            self.assertNotIn("note", [attributes.get("class") for _, attributes in page.tags])
        self.assertEqual({*_DONE} & {AccountAdd.wire, "game/add", "game/rotate"}, set())

    def test_structure(self) -> None:
        """Every page has one main heading, a name for each field and column, and a token in each form."""
        self.fill("Anything")
        for path in (*LISTS, "/admin/games/Alpha", "/admin/accounts/Root", "/admin/channels/gossip"):
            answer = self.read(path)
            tags = answer.page.tags
            self.assertEqual([tag for tag, _ in tags].count("h1"), 1, path)
            ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
            self.assertEqual(len(ids), len({*ids}), path)
            for tag, attributes in tags:
                if tag == "th":
                    self.assertIn(attributes.get("scope"), ("row", "col"), path)
                if "list" in attributes:
                    self.assertIn(attributes["list"], ids, path)
            posts = [attributes for tag, attributes in tags if tag == "form" and attributes.get("method") == "post"]
            tokens = [attributes for tag, attributes in tags if attributes.get("name") == "csrf"]
            self.assertLessEqual(len(posts), len(tokens), path)

    def test_audited(self) -> None:
        """An operation in the browser has the same entry in the activity log as one in a terminal."""
        self.done("/admin/moderation", "mute/add", who="Alpha", reason="So", channel="gossip", always="1")
        [entry] = self.service.store.entries
        self.assertEqual((entry.actor, entry.operation, entry.subject), ("Root", "mute/add", "Alpha"))
        self.assertEqual(json.loads(entry.arguments), {"who": "Alpha", "reason": "So", "channel": "gossip"})
        self.assertIsInstance(Audited(entry, None), Audited)
        self.assertIn("Root muted Alpha on gossip: So", seen(self.read("/admin/audit")))
