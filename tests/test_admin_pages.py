"""L{gossip.web.pages.admin}: what admins do in a browser, and what nobody else may."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gossip.accounts import AccountAdd
from gossip.network.changes import (
    Account,
    AccountSaved,
    Audited,
    AuditEntry,
    Channel,
    ChannelSaved,
    Filter,
    FilterSaved,
    GameSaved,
    GameSeen,
    MessageSaid,
    Report,
    ReportMade,
    Restriction,
    RestrictionSet,
)
from gossip.network.events import TelnetConnection
from gossip.network.registry import Registry
from gossip.service import NotKept
from gossip.web.pages.admin import _PAGES
from gossip.web.pages.admin.page import _DONE, MOST_LISTED, SECTIONS
from tests.support import NOW, uuid
from tests.test_pages import HOSTILE, Page, PagesTestCase
from tests.visitor import Answer, Visitor

_TAG = re.compile("<[^>]*>")

LISTS = tuple(where for where, _ in SECTIONS)
SURE = {"sure": "1"}


def seen(answer: Answer) -> str:
    """What can be read on a page, a blank wherever something else begins."""
    return " ".join(unescape(_TAG.sub(" ", answer.body.decode())).split())


class AdminPagesTestCase(PagesTestCase):
    """A site, and Root, who is its admin."""

    def setUp(self) -> None:
        super().setUp()
        self.root = Visitor(self.site)
        self.root.sign_in(self.service, "Root", admin=True)
        self.show("gossip", "All talk")

    @property
    def registry(self) -> Registry:
        return self.world.registry

    def read(self, path: str) -> Answer:
        """A page that Root reads."""
        answer = self.root.get(path)
        self.assertEqual(answer.code, 200, (path, seen(answer)))
        return answer

    def do(self, path: str, wire: str, **fields: str | list[str]) -> Answer:
        """Root sends a form of a page."""
        return self.root.post(path, {"do": wire, **fields}, at=path)

    def done(self, path: str, wire: str, to: str = "", **fields: str | list[str]) -> None:
        """Root sends a form of a page, it is done, noted by his name, and he reads so where he is sent."""
        before = len(self.service.store.entries)
        answer = self.do(path, wire, **fields)
        self.assertEqual((answer.code, answer.location), (303, f"{to or path}?done={wire}"), seen(answer))
        [entry] = self.service.store.entries[before:]
        self.assertEqual((entry.actor, entry.operation), ("Root", wire))
        self.assertIn(_DONE[wire], seen(self.read(answer.location)))

    def refused(self, path: str, wire: str, why: str, **fields: str | list[str]) -> Page:
        """Root sends a form, and is told why it is not done; nothing is noted. Returns the page that he sees then."""
        before = len(self.service.store.entries)
        answer = self.do(path, wire, **fields)
        self.assertEqual(answer.code, 422, seen(answer))
        self.assertIn(f"Not done: {why}.", seen(answer))
        self.assertEqual(len(self.service.store.entries), before)
        return answer.page

    def fields(self, page: Page, name: str) -> list[str | None]:
        """What stands in the fields of this name."""
        return [
            attributes.get("value")
            for tag, attributes in page.tags
            if tag == "input" and attributes.get("name") == name
        ]

    def game(self, name: str = "Alpha") -> Any:
        return self.registry.game_named(name)


class AccessTests(AdminPagesTestCase):
    """Who may, and who may not."""

    PATHS = (*LISTS, "/admin/games/Alpha", "/admin/accounts/Root", "/admin/channels/gossip")

    def test_signed_out(self) -> None:
        """Who is not signed in is sent to where that is done, and comes back."""
        for path in self.PATHS:
            answer = Visitor(self.site).get(path)
            self.assertEqual((answer.code, answer.location), (303, f"/sign-in?back={path}"), path)

    def test_user(self) -> None:
        """Somebody who is no admin gets no page of them, and can send no form; nothing comes of it."""
        ana = Visitor(self.site)
        ana.sign_in(self.service, "Ana")
        before = self.game()
        for path in self.PATHS:
            answer = ana.get(path)
            self.assertEqual((answer.code, "Only admins may do this." in seen(answer)), (403, True), path)
        for path, fields in (
            ("/admin/games/Alpha", {"do": "game/remove", "game": "Alpha", **SURE}),
            ("/admin/accounts/Ana", {"do": "account/edit", "name": "Ana", "admin": "1"}),
            ("/admin", {"do": "say", "channel": "gossip", "text": "Hi"}),
        ):
            answer = ana.post(path, fields, at="/channels")
            self.assertEqual((answer.code, "Only admins may do this." in seen(answer)), (403, True), path)
        self.assertEqual((self.game(), self.service.store.entries, self.service.store.said), (before, [], []))

    def test_no_longer(self) -> None:
        """Who is an admin no longer may no longer, with the same cookie."""
        self.registry.enact(AccountSaved(Account(name="Root", created_at=NOW)))
        self.assertEqual(self.root.get("/admin").code, 403)
        self.registry.enact(AccountSaved(Account(name="Root", created_at=NOW, admin=True, disabled=True)))
        self.assertEqual(self.root.get("/admin").code, 303)

    def test_other_sites(self) -> None:
        """What another site sends in the name of an admin is refused."""
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
        for path, wire in (("/admin", "game/remove"), ("/admin/filters", "mute/add"), ("/admin/order", "")):
            answer = self.do(path, wire, game="Alpha", who="Alpha", reason="So")
            self.assertEqual((answer.code, "cannot be done here" in seen(answer)), (400, True), path)
        for path in ("/admin/sessions", "/admin/audit"):
            self.assertEqual(self.root.post(path, {"do": "say"}, at="/admin").code, 405)
        self.assertEqual(self.service.store.entries, [])

    def test_nothing_there(self) -> None:
        """What is not there has no page, and no form."""
        for path in ("/admin/games/Nobody", "/admin/accounts/Nobody", "/admin/channels/nowhere", "/admin/nothing"):
            self.assertEqual(self.root.get(path).code, 404, path)
        answer = self.root.post("/admin/games/Nobody", {"do": "game/enable", "game": "Nobody"}, at="/admin")
        self.assertEqual(answer.code, 404)

    def test_no_database(self) -> None:
        """Where nothing can be kept, that is told, and nothing changes."""
        self.read("/admin/channels")
        self.service.broken = NotKept("the change could not be written")
        answer = self.root.post("/admin/channels", {"do": "channel/hide", "channel": "gossip"})
        self.assertEqual(answer.code, 503)
        self.assertFalse(self.registry.channels["gossip"].hidden)


class OverviewTests(AdminPagesTestCase):
    """What goes on."""

    def test_overview(self) -> None:
        """The overview says how the network is, what waits, and what was done."""
        self.world.join("Alpha", players=["Ana", "Bo"])
        self.report(7, reason="Rude")
        self.do("/admin/channels", "channel/hide", channel="gossip")
        text = seen(self.read("/admin"))
        for said in ("all is well", "1 game online", "1 session", "2 players online", "1 open report", "Rude"):
            self.assertIn(said, text)
        self.assertIn("Root channel/hide gossip", text)
        self.service.health = "stuck"
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
        """An admin says something as the network itself."""
        self.done("/admin", "say", channel="gossip", text="Hello, all")
        [said] = self.service.store.said
        self.assertEqual((said.name, said.message), ("system", "Hello, all"))
        page = self.refused("/admin", "say", "no such channel", channel="nowhere", text="Hello")
        self.assertEqual((self.fields(page, "channel"), self.fields(page, "text")), (["nowhere"], ["Hello"]))
        self.refused("/admin", "say", "empty message", channel="gossip", text=" ")

    def test_notice(self) -> None:
        """All games are told of a restart."""
        self.done("/admin", "restart-notice", seconds="90")
        self.assertEqual(self.service.notices, [90])
        page = self.refused("/admin", "restart-notice", "seconds: expected a number", seconds="soon")
        self.assertEqual(self.fields(page, "seconds"), ["soon"])
        self.assertEqual(self.service.notices, [90])

    def test_sessions(self) -> None:
        """The live sessions are there, and can be looked for without JavaScript."""
        self.assertIn("0 sessions are live.", seen(self.read("/admin/sessions")))
        self.world.join("Alpha", channels=["gossip", "testing"], players=["Ana"] + [f"P{n}" for n in range(30)])
        self.world.join("Beta", now=NOW - 90)
        text = seen(self.read("/admin/sessions"))
        self.assertIn("2 sessions are live.", text)
        self.assertIn("Alpha 192.0.2.1 websocket 2023-11-14 22:00 gossip, testing 31 Ana, P0,", text)
        self.assertIn("P18 and 11 more", text)
        self.assertIn("Beta 192.0.2.1 websocket 2023-11-14 21:58", text)
        self.assertNotIn("Beta", seen(self.read("/admin/sessions?q=alpha")))
        self.assertIn("Beta", seen(self.read("/admin/sessions?q=192.0.2.1")))

    def test_audit(self) -> None:
        """What admins did is there a page at a time, the latest first, each once; nothing on it can be changed."""
        for number in range(120):
            entry = AuditEntry(uuid(number), NOW + number / 3, "unix:ana", "x/y", f"Number {number}.", '{"a":1}')
            self.service.store.entries.append(entry)
        path, lines = "/admin/audit", []
        while path:
            page = self.read(path).page
            lines += [text for text in page.text.split("\n") if "Number" in text]
            forms = [attributes["action"] for tag, attributes in page.tags if tag == "form"]
            self.assertEqual([action for action in forms if "audit" in str(action)], [])
            path = next((str(attributes["href"]) for _, attributes in page.tags if attributes.get("rel") == "next"), "")
        numbers = [int(text.partition("Number ")[2].partition(".")[0]) for text in lines]
        self.assertEqual(numbers, list(range(119, -1, -1)))
        self.assertEqual(self.root.get("/admin/audit?before=x").code, 400)
        self.assertIn("No admin did anything before that.", seen(self.read("/admin/audit?before=1")))

    def test_menu(self) -> None:
        """Every page leads to all others, and says which one it is and how many reports wait."""
        self.report(1)
        self.report(2)
        for path in AccessTests.PATHS:
            page = self.read(path).page
            self.assertLessEqual({*LISTS}, {*page.links()}, path)
            current = [attributes["href"] for _, attributes in page.tags if attributes.get("aria-current")]
            section = "/".join(path.split("/")[:3])
            self.assertEqual(current[-1:], [section], path)
            self.assertIn("2 open", page.text)


class GameTests(AdminPagesTestCase):
    """Games."""

    def test_many(self) -> None:
        """Of very many games the first are there, and the others are found; a browser filters only where it has all."""
        for number in range(MOST_LISTED + 5):
            game = replace(
                self.game(), client_id=uuid(0x1000 + number), short_name=f"G{number:04}", name=f"Name {number}"
            )
            self.registry.enact(GameSaved(game))
        answer = self.read("/admin/games")
        self.assertIn("And 9 more: filter them.", seen(answer))
        self.assertNotIn("data-filter", str(answer.page.tags))
        self.assertNotIn("G0504", seen(answer))
        answer = self.read("/admin/games?q=g0504")
        self.assertIn("G0504", seen(answer))
        self.assertNotIn("more: filter", seen(answer))
        self.assertIn("None fits.", seen(self.read("/admin/games?q=nothing")))

    def test_list(self) -> None:
        """All games are there, hidden and disabled ones too; they can be looked for without JavaScript."""
        self.registry.enact(AccountSaved(Account(name="Ana")))
        self.world.change("Beta", hidden=True, disabled=True, owner="Ana")
        self.world.join("Gamma")
        page = self.read("/admin/games").page
        for name in ("Alpha", "Beta", "Gamma", "Delta"):
            self.assertIn(f"/admin/games/{name}", page.links())
        text = " ".join(page.text.split())
        self.assertIn("Beta The Beta Ana disabled hidden", text)
        self.assertIn("Gamma The Gamma online", text)
        rows = [
            attributes
            for tag, attributes in self.read("/admin/games?q=ANA").page.tags
            if tag == "tr" and "data-text" in attributes
        ]
        self.assertEqual([row["data-text"] for row in rows], ["Beta The Beta Ana"])

    def test_add(self) -> None:
        """A game is registered; its secret is shown in the answer itself, once, and stands in no note."""
        self.registry.enact(AccountSaved(Account(name="Ana")))
        answer = self.do("/admin/games", "game/add", name="New MUD", short_name="New", owner="ana", hide_players="1")
        self.assertEqual(answer.code, 200)
        game = self.game("New")
        self.assertEqual((game.name, game.owner, game.hidden, game.hides_players), ("New MUD", "Ana", False, True))
        words = seen(answer).split()
        secret = words[words.index("client_secret") + 1]
        self.assertIs(self.registry.authenticate(game.client_id, secret, NOW), game)
        [entry] = self.service.store.entries
        self.assertNotIn(secret, entry.arguments)
        self.assertNotIn(secret, seen(self.read("/admin/games")))
        self.assertEqual(answer.headers["cache-control"], "no-store")

    def test_add_refused(self) -> None:
        """What cannot be registered is told, and what was typed stays."""
        typed = {"name": 'A "b" <c>', "short_name": "alpha", "owner": "Nobody", "hidden": "1"}
        page = self.refused("/admin/games", "game/add", "no such account", **typed)
        for name in ("name", "short_name", "owner"):
            self.assertEqual(self.fields(page, name), [typed[name]])
        boxes = {
            attributes["name"]: "checked" in attributes
            for _, attributes in page.tags
            if attributes.get("type") == "checkbox"
        }
        self.assertEqual((boxes["hidden"], boxes["hide_players"]), (True, False))
        self.refused("/admin/games", "game/add", "the short name alpha is taken", name="A", short_name="alpha")
        self.refused(
            "/admin/games", "game/add", "the short name gossip is not to be had", name="A", short_name="gossip"
        )

    def test_show(self) -> None:
        """A game's page has all that is known of it, but its secrets."""
        self.registry.enact(GameSeen(self.game().client_id, "CoffeeMud 5", "2.3.0"))
        self.world.join("Alpha", user_agent="CoffeeMud 5")
        answer = self.read("/admin/games/alpha")
        for text in ("The Alpha", "online", self.game().client_id, "CoffeeMud 5", "nobody", "192.0.2.1"):
            self.assertIn(text, seen(answer))
        self.assertNotIn(self.game().secrets[0].digest.hex(), seen(answer))

    def test_edit(self) -> None:
        """A game is changed: what is emptied is gone, what is not ticked is not so."""
        self.registry.enact(AccountSaved(Account(name="Ana")))
        self.world.change("Alpha", hidden=True, tagline="Old", homepage_url="https://old.example/", owner="Ana")
        fields: dict[str, Any] = {
            "game": self.game().client_id,
            "name": "The New Alpha",
            "owner": "",
            "tagline": "New",
            "description": "Two\r\nlines",
            "homepage_url": "",
            "connections": "telnet://a.example:4000",
            "hidden": "0",
            "hide_players": ["0", "1"],
        }
        before = self.game()
        self.done("/admin/games/Alpha", "game/edit", **fields)
        expected = replace(
            before,
            name="The New Alpha",
            owner=None,
            tagline="New",
            description="Two\nlines",
            homepage_url=None,
            connections=(TelnetConnection("a.example", 4000),),
            hidden=False,
            hides_players=True,
        )
        self.assertEqual(self.game(), expected)
        page = self.read("/admin/games/Alpha").page
        self.assertEqual((self.fields(page, "name"), self.fields(page, "tagline")), (["The New Alpha"], ["New"]))
        self.assertIn("telnet://a.example:4000", page.text)
        self.assertIn("Two\nlines", page.text)

    def test_edit_refused(self) -> None:
        """What is refused leaves the game as it was, and what was typed stays."""
        before = self.game()
        why = "a web address starts with http:// or https:// and has up to 500 characters"
        typed = {
            "game": before.client_id,
            "name": "New",
            "homepage_url": "javascript:x",
            "description": 'Typed & "it"\r\nin vain',
            "hidden": ["0", "1"],
        }
        page = self.refused("/admin/games/Alpha", "game/edit", why, **typed)
        self.assertEqual((self.fields(page, "name"), self.fields(page, "homepage_url")), (["New"], ["javascript:x"]))
        self.assertIn('Typed & "it"\r\nin vain', page.text)
        self.assertEqual(self.game(), before)

    def test_rotate(self) -> None:
        """A new secret is shown once; the old one works beside it."""
        answer = self.do("/admin/games/Alpha", "game/rotate", game="Alpha")
        self.assertEqual(answer.code, 200)
        words = seen(answer).split()
        secret = words[words.index("client_secret") + 1]
        for one in (secret, self.world.secret("Alpha")):
            self.assertIsNotNone(self.registry.authenticate(self.game().client_id, one, NOW))
        self.assertNotIn(secret, seen(self.read("/admin/games/Alpha")))
        self.assertIn("works until 2023-11-15 22:00", seen(self.read("/admin/games/Alpha")))

    def test_disable(self) -> None:
        """A game is disabled only by who says that he means it; enabling it needs no such word."""
        path = "/admin/games/Alpha"
        session = self.world.join("Alpha")
        self.refused(path, "game/disable", "tick the box that says that you mean it", game="Alpha")
        self.assertFalse(self.game().disabled)
        self.done(path, "game/disable", game="Alpha", **SURE)
        self.assertTrue(self.game().disabled)
        self.assertEqual(session.situation.value, "gone")
        self.done(path, "game/enable", game="Alpha")
        self.assertFalse(self.game().disabled)

    def test_remove(self) -> None:
        """A game is removed by who means it; he is sent to the others."""
        self.refused("/admin/games/Alpha", "game/remove", "tick the box that says that you mean it", game="Alpha")
        self.done("/admin/games/Alpha", "game/remove", to="/admin/games", game="Alpha", **SURE)
        self.assertIsNone(self.game())


class AccountTests(AdminPagesTestCase):
    """Accounts."""

    def account(self, name: str = "Ana") -> Any:
        return self.registry.accounts.named(name)

    def link(self, answer: Answer) -> str:
        """The link on a page that shows one; its path."""
        self.assertEqual(answer.code, 200, seen(answer))
        whole = next(word for word in seen(answer).split() if word.startswith("http://mud.example:4110/"))
        return whole.removeprefix("http://mud.example:4110")

    def test_list(self) -> None:
        """All accounts are there, with their games."""
        self.registry.enact(AccountSaved(Account(name="Ana", email="ana@example.org", disabled=True)))
        self.world.change("Beta", owner="Ana")
        answer = self.read("/admin/accounts")
        self.assertIn("Ana disabled no password yet ana@example.org Beta", seen(answer))
        self.assertIn("Root admin", seen(answer))
        self.assertIn("/admin/games/Beta", answer.page.links())

    def test_add(self) -> None:
        """A new account comes with a link, which is shown once."""
        answer = self.do("/admin/accounts", "account/add", name="Ana", email="ana@example.org", admin="1")
        self.assertEqual((self.account().admin, self.account().email), (True, "ana@example.org"))
        secret = self.link(answer).removeprefix("/reset/")
        self.assertIsNotNone(self.registry.accounts.shown(secret, "reset", NOW))
        [entry] = self.service.store.entries
        self.assertEqual((entry.actor, entry.operation, entry.subject), ("Root", "account/add", "Ana"))
        self.assertNotIn(secret, entry.arguments)
        self.assertNotIn(secret, seen(self.read("/admin/accounts")))
        page = self.refused("/admin/accounts", "account/add", "the name ana is taken", name="ana", email="a@b.c")
        self.assertEqual((self.fields(page, "name"), self.fields(page, "email")), (["ana"], ["a@b.c"]))

    def test_invite(self) -> None:
        """An invitation is shown once."""
        secret = self.link(self.do("/admin/accounts", "account/invite")).removeprefix("/sign-up/")
        self.assertIsNotNone(self.registry.accounts.shown(secret, "invite", NOW))
        self.assertEqual(self.service.store.entries[0].operation, "account/invite")
        self.assertNotIn(secret, seen(self.read("/admin/accounts")))

    def test_account(self) -> None:
        """An account is changed piece by piece: what a form does not hold stays."""
        self.registry.enact(AccountSaved(Account(name="Ana", password="a hash", created_at=NOW)))
        path = "/admin/accounts/Ana"
        self.done(path, "account/edit", name="Ana", email="ana@example.org")
        self.done(path, "account/edit", name="Ana", admin="1")
        self.assertEqual(
            self.account(), Account(name="Ana", password="a hash", created_at=NOW, admin=True, email="ana@example.org")
        )
        self.done(path, "account/edit", name="Ana", admin="0")
        self.done(path, "account/edit", name="Ana", email="")
        self.assertEqual(self.account(), Account(name="Ana", password="a hash", created_at=NOW))
        self.assertNotIn("a hash", seen(self.read(path)))
        page = self.refused(path, "account/edit", "that is no address for mail", name="Ana", email="nowhere")
        self.assertEqual(self.fields(page, "email"), ["nowhere"])

    def test_disable(self) -> None:
        """An account is disabled by who means it; its owner is signed out."""
        ana = Visitor(self.site)
        ana.sign_in(self.service, "Ana")
        path = "/admin/accounts/Ana"
        why = "tick the box that says that you mean it"
        self.refused(path, "account/edit", why, name="Ana", disabled="1")
        self.done(path, "account/edit", name="Ana", disabled="1", **SURE)
        self.assertEqual(self.registry.accounts.of("Ana", "visit"), [])
        self.assertNotIn("account/reset", self.root.get(path).body.decode())
        self.done(path, "account/edit", name="Ana", disabled="0")
        self.assertFalse(self.account().disabled)

    def test_reset(self) -> None:
        """A link to a new password is shown once."""
        self.registry.enact(AccountSaved(Account(name="Ana")))
        secret = self.link(self.do("/admin/accounts/Ana", "account/reset", name="Ana")).removeprefix("/reset/")
        self.assertIsNotNone(self.registry.accounts.shown(secret, "reset", NOW))
        self.assertNotIn(secret, self.service.store.entries[0].arguments)

    def test_remove(self) -> None:
        """An account is removed by who means it; the last admin stays."""
        self.registry.enact(AccountSaved(Account(name="Ana")))
        path = "/admin/accounts/Ana"
        self.refused(path, "account/remove", "tick the box that says that you mean it", name="Ana")
        self.done(path, "account/remove", to="/admin/accounts", name="Ana", **SURE)
        self.assertIsNone(self.account())
        for wire, fields in (
            ("account/remove", SURE),
            ("account/edit", {"disabled": "1", **SURE}),
            ("account/edit", {"admin": "0"}),
        ):
            self.refused("/admin/accounts/Root", wire, "the last admin must stay one", name="Root", **fields)
        self.assertTrue(self.account("Root").admin)


class ChannelTests(AdminPagesTestCase):
    """Channels."""

    def channel(self, name: str = "gossip") -> Channel:
        return self.registry.channels[name]

    def test_approve_and_hide(self) -> None:
        """A channel that a game made is approved, and hidden again, on either page."""
        self.world.join("Alpha", channels=["testing"])
        self.assertIn("testing hidden 1", seen(self.read("/admin/channels")))
        for path in ("/admin/channels", "/admin/channels/testing"):
            self.done(path, "channel/show", channel="testing")
            self.assertFalse(self.channel("testing").hidden)
            self.done(path, "channel/hide", channel="testing")
            self.assertTrue(self.channel("testing").hidden)

    def test_pause(self) -> None:
        """A pause says how long it still lasts, in words and for the script that lets it tick; it can be ended."""
        self.done("/admin/channels", "channel/pause", channel="gossip", minutes="30")
        self.service.clock.advance(61)
        for path in ("/admin/channels", "/admin/channels/gossip"):
            page = self.read(path).page
            self.assertIn("paused for 28 minutes more, until 22:30 (UTC)", " ".join(page.text.split()))
            [ticking] = [attributes for _, attributes in page.tags if attributes.get("class") == "countdown"]
            self.assertEqual(ticking["data-left"], "1739.0")
        self.done("/admin/channels/gossip", "channel/resume", channel="gossip")
        self.assertIsNone(self.channel().paused_until)
        self.done("/admin/channels/gossip", "channel/pause", channel="gossip", minutes="0.5")
        self.assertEqual(self.channel().paused_until, self.service.clock.seconds() + 30)
        self.service.clock.advance(30)
        self.assertNotIn("paused", seen(self.read("/admin/channels")))
        page = self.refused(
            "/admin/channels/gossip", "channel/pause", "minutes: expected float > 0.0", channel="gossip", minutes="-1"
        )
        self.assertEqual(self.fields(page, "minutes"), ["-1"])

    def test_create(self) -> None:
        """A channel is made, and people see it."""
        self.done("/admin/channels", "channel/create", channel="news", description="What is new")
        self.assertEqual(self.channel("news"), Channel("news", False, None, "What is new"))
        page = self.refused(
            "/admin/channels", "channel/create", "the channel news exists already", channel="news", description="x"
        )
        self.assertIn("news", self.fields(page, "channel"))

    def test_describe(self) -> None:
        """A channel is described, or not."""
        self.done("/admin/channels/gossip", "channel/describe", channel="gossip", description="New\r\nlines")
        self.assertEqual(self.channel().description, "New\nlines")
        self.done("/admin/channels/gossip", "channel/describe", channel="gossip", description="")
        self.assertIsNone(self.channel().description)

    def test_speakers(self) -> None:
        """All games may speak, only some, or none."""
        path = "/admin/channels/gossip"
        ids = {name: self.game(name).client_id for name in ("Alpha", "Beta")}
        self.done(path, "channel/speakers", channel="gossip", games=["", "beta Alpha"])
        self.assertEqual(self.channel().speakers, frozenset(ids.values()))
        self.assertIn("Alpha Beta", seen(self.read(path)))
        self.done(path, "channel/speakers", channel="gossip", games=["", ""])
        self.assertEqual(self.channel().speakers, frozenset())
        self.assertIn("nobody may speak", seen(self.read("/admin/channels")))
        page = self.refused(path, "channel/speakers", "no such game", channel="gossip", games=["", "Nobody"])
        self.assertIn("Nobody", page.text)
        self.done(path, "channel/speakers", channel="gossip", games=["*", "Alpha"])
        self.assertIsNone(self.channel().speakers)

    def test_odd_name(self) -> None:
        """A channel with an odd name has its page, and comes back to it."""
        name = "a b/c?d#e%41\"'&"
        self.show(name)
        path = f"/admin/channels/{quote(name, safe='')}"
        self.assertIn(path, self.read("/admin/channels").page.links())
        self.done(path, "channel/hide", channel=name)
        self.assertTrue(self.channel(name).hidden)


class OrderTests(AdminPagesTestCase):
    """Mutes and bans, filters, reports."""

    def test_mute(self) -> None:
        """A mute is set by one form and lifted by another; it holds for a while or for good, on a channel or not."""
        typed = {"who": "Ana@alpha", "reason": "Shouting", "channel": "gossip", "minutes": "90"}
        self.done("/admin/order", "mute/add", **typed)
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
        self.assertIn("ana@Alpha gossip 2023-11-14 23:30 Shouting Root", seen(self.read("/admin/order")))
        self.done("/admin/order", "mute/remove", who="ana@Alpha", channel="gossip")
        self.assertEqual(self.registry.mutes, {})
        self.done("/admin/order", "mute/add", who="192.0.2.7", reason="So", channel="", minutes="")
        self.assertIn("192.0.2.7 everywhere for good So", seen(self.read("/admin/order")))
        self.done("/admin/order", "mute/remove", who="192.0.2.7", channel="")
        self.assertIn("Nobody is muted.", seen(self.read("/admin/order")))

    def test_next_event(self) -> None:
        """A mute counts for the very next message; one of a person on the pages, too."""
        self.service.say("Ana", "192.0.2.9", "gossip", "Hi")
        self.done("/admin/order", "mute/add", who="Ana@gossip", reason="So")
        self.assertIn(
            "muted: so", str(self.failureResultOf(self.service.say("Ana", "x", "gossip", "Hi")).value).lower()
        )
        self.done("/admin/order", "mute/remove", who="ana@gossip", channel="")
        self.successResultOf(self.service.say("Ana", "192.0.2.9", "gossip", "Hi"))

    def test_ban(self) -> None:
        """A ban of everywhere needs a word more than one of a channel."""
        why = "tick the box that says that you mean it"
        page = self.refused("/admin/order", "ban/add", why, who="Alpha", reason="Spam", channel="", minutes="5")
        for name, value in (("who", "Alpha"), ("reason", "Spam"), ("minutes", "5")):
            self.assertEqual(self.fields(page, name), [value])
        session = self.world.join("Alpha", channels=["gossip"])
        self.done("/admin/order", "ban/add", who="Alpha", reason="Spam", channel="gossip")
        self.assertEqual(session.channels, {})
        self.done("/admin/order", "ban/remove", who="Alpha", channel="gossip")
        self.done("/admin/order", "ban/add", who="Alpha", reason="Spam", **SURE)
        self.assertEqual(session.situation.value, "gone")
        self.done("/admin/order", "ban/remove", who="Alpha", channel="")
        self.assertEqual(self.registry.bans, {})

    def test_order_refused(self) -> None:
        """Who cannot be muted, and why, is told in the words of gossipctl."""
        for why, fields in (
            ("no such game", {"who": "Nobody", "reason": "So"}),
            ("no such channel", {"who": "Alpha", "reason": "So", "channel": "nowhere"}),
            ("a reason has 1 to 200 characters, without control characters and tags", {"who": "Alpha", "reason": ""}),
            ("minutes: expected a number", {"who": "Alpha", "reason": "So", "minutes": "long"}),
            ("there is no such mute", {}),
        ):
            wire = "mute/add" if fields else "mute/remove"
            self.refused("/admin/order", wire, why, **(fields or {"who": "Alpha"}))

    def test_filled_in(self) -> None:
        """A link from elsewhere fills the form in, and does nothing."""
        page = self.read(f"/admin/order?who={quote('Ana@Alpha')}&channel=gossip").page
        self.assertEqual(self.fields(page, "who"), ["Ana@Alpha"])
        self.assertEqual(self.fields(page, "channel"), ["gossip"])
        self.assertEqual(self.registry.mutes, {})

    def test_filter(self) -> None:
        """A filter is tried, added and removed; a try changes nothing, is not noted, and what was typed stays."""
        for seq, message in enumerate(("Oh darn!", "Darnation", "Hi", "DARN it"), 1):
            self.said(seq, message)
        typed = {"text": "Darn", "reason": "Language", "action": "mask"}
        answer = self.do("/admin/filters", "filter/try", **typed)
        self.assertEqual(answer.code, 200)
        self.assertIn("It would have hit 2 of 4 messages", seen(answer))
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
        self.assertIn("darn gossip words masked Language Root", seen(self.read("/admin/filters")))
        self.done("/admin/filters", "filter/remove", text="darn", channel="gossip")
        self.assertEqual(self.registry.filters.kept, {})
        why = "a filter without a word in it must look for a part of words"
        page = self.refused("/admin/filters", "filter/try", why, text="!!", reason="So")
        self.assertEqual(self.fields(page, "text"), ["!!"])

    def report(self) -> None:
        """Bo complains of Ana."""
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
        """Open reports are there, with the way to a mute of who said it; all of them can be seen."""
        self.report()
        answer = self.read("/admin/reports")
        self.assertIn("Ana @Alpha on gossip : Hi Bo: Rude", seen(answer))
        self.assertIn("/admin/order?who=Ana%40Alpha&channel=gossip", answer.page.links())
        self.assertIn("/chat/gossip/3#gossip-3", answer.page.links())
        self.assertNotIn("Was muted", seen(answer))
        self.assertIn("Was muted", seen(self.read("/admin/reports?all=1")))

    def test_resolve(self) -> None:
        """A report is resolved, with what came of it; what is refused stays typed."""
        self.report()
        why = "a resolution has up to 200 characters, without control characters and tags"
        page = self.refused("/admin/reports", "report/resolve", why, number="7", resolution="x" * 201)
        self.assertEqual(self.fields(page, "resolution"), ["x" * 201])
        self.done("/admin/reports", "report/resolve", number="7", resolution="Muted")
        self.assertEqual(self.registry.reports, {})
        self.assertEqual(json.loads(self.service.store.entries[-1].arguments), {"number": 7, "resolution": "Muted"})
        self.refused("/admin/reports", "report/resolve", "no such open report", number="7")


class EverywhereTests(AdminPagesTestCase):
    """What holds on all pages of the admins."""

    def fill(self, text: str) -> None:
        """Put a text wherever one can be, past what the registry would refuse."""
        game = replace(self.game(), name=text, tagline=text, description=text, homepage_url=text)
        game = replace(game, connections=(TelnetConnection(text, 4000),), owner=text)
        self.world.join("Alpha", players=[text], channels=["gossip"])
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
        """All pages, those with what somebody typed among them."""
        segment = quote(text, safe="")
        paths = (
            *LISTS,
            "/admin/games/Alpha",
            f"/admin/accounts/{segment}",
            f"/admin/channels/{segment}",
            "/admin/channels/gossip",
            "/admin/reports?all=1",
            f"/admin/order?who={segment}&channel={segment}&reason={segment}",
            *(f"/admin/{name}?q={segment}" for name in ("games", "accounts", "channels", "sessions")),
            f"/admin/games?done={segment}",
        )
        answers = [self.read(path) for path in paths]
        answers.append(self.do("/admin/filters", "filter/try", text=text, channel=text, substring="1"))
        answers.append(self.do("/admin/order", "mute/add", who=text, reason=text, minutes=text))
        answers.append(self.do("/admin/games", "game/add", name=text, short_name=text, owner=text))
        answers.append(self.do("/admin/channels/gossip", "channel/speakers", channel="gossip", games=["", text]))
        return answers

    def test_hostile(self) -> None:
        """What others wrote stays text, in fields as well; links lead where they say."""
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
        text = self.read("/admin/order").page.text
        self.assertIn(HOSTILE, text)

    @settings(max_examples=40)
    @given(st.data())
    def test_anything(self, data: st.DataObject) -> None:
        """Whatever is sent to any page, it is done, or refused in words; nothing fails."""
        self.setUp()
        page = data.draw(st.sampled_from([page for page in _PAGES if page.does]))
        path = page.pattern.replace("{name}", {"games": "Alpha", "accounts": "Root"}.get(page.parent[7:], "gossip"))
        kind = data.draw(st.sampled_from(page.does))
        text = st.one_of(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
            st.sampled_from(["Alpha", "Root", "gossip", "Ana@Alpha", "1", "0", "", "nan", "*", "telnet://a:1", "\0"]),
        )
        fields = {name: data.draw(st.lists(text, min_size=1, max_size=2)) for name in kind.__struct_fields__}
        answer = self.root.post(path, {"do": kind.wire, **data.draw(st.sampled_from([{}, SURE])), **fields}, at=path)
        self.assertIn(answer.code, (200, 303, 422), seen(answer))

    def test_notes(self) -> None:
        """An address can make no page say anything but what it says of things done."""
        for done in ("Your password was stolen", "nothing", ""):
            page = self.read(f"/admin/games?done={quote(done)}").page
            self.assertNotIn("note", [attributes.get("class") for _, attributes in page.tags])
        self.assertEqual({*_DONE} & {AccountAdd.wire, "game/add", "game/rotate"}, set())

    def test_structure(self) -> None:
        """Every page has one first heading, a name for each field and head of a table, and a token in each form."""
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
        """What is done in the browser stands in the log of admins as what is done in a terminal."""
        self.done("/admin/order", "mute/add", who="Alpha", reason="So", channel="gossip")
        [entry] = self.service.store.entries
        self.assertEqual((entry.actor, entry.operation, entry.subject), ("Root", "mute/add", "Alpha"))
        self.assertEqual(
            json.loads(entry.arguments), {"who": "Alpha", "reason": "So", "channel": "gossip", "minutes": None}
        )
        self.assertIsInstance(Audited(entry, None), Audited)
        self.assertIn('Root mute/add Alpha {"who":"Alpha"', seen(self.read("/admin/audit")))
