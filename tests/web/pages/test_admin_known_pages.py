"""L{gossip.web.pages.admin}: games, accounts and channels."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from gossip.protocol.server_events import TelnetConnection
from gossip.registry.changes import AccountSaved, GameSaved, GameSeen
from gossip.registry.entities import Account, Channel
from gossip.registry.secret import digest
from gossip.web.pages.admin.page import MOST_LISTED
from tests.support.sites import SURE, AdminPagesTestCase, seen
from tests.support.visitor import Answer, Visitor
from tests.support.world import NOW, uuid


class GameTests(AdminPagesTestCase):
    """Games."""

    def test_many(self) -> None:
        """Of very many games the first are listed and the filter finds the others; the script filters only all rows."""
        for number in range(MOST_LISTED + 5):
            game = replace(
                self.game(), client_id=uuid(0x1000 + number), short_name=f"G{number:04}", name=f"Name {number}"
            )
            self.registry.enact(GameSaved(game))
        answer = self.read("/admin/games")
        self.assertIn("9 more: use the filter to find them, or go to the next page", seen(answer))
        self.assertNotIn("data-filter", str(answer.page.tags))
        last = f"G{MOST_LISTED + 4:04}"
        self.assertNotIn(last, seen(answer))
        [further] = [link for link in answer.page.links() if "after=" in link]
        for path in (f"/admin/games?q={last.lower()}", f"/admin/games{further}"):
            answer = self.read(path)
            self.assertIn(last, seen(answer))
            self.assertNotIn("more: use the filter", seen(answer))
        self.assertIn("No matches.", seen(self.read("/admin/games?q=nothing")))

    def test_list(self) -> None:
        """All games are listed, including hidden and disabled ones, and can be filtered without JavaScript."""
        self.registry.enact(AccountSaved(Account(name="Ana")))
        self.world.change("Beta", hidden=True, disabled=True, owner="Ana")
        self.service.join("Gamma")
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
        """A game is registered; only the answer shows its secret, and the activity log does not have it."""
        self.registry.enact(AccountSaved(Account(name="Ana")))
        answer = self.do("/admin/games", "game/add", name="New MUD", short_name="New", owner="ana", hide_players="1")
        self.assertLessEqual({"/admin/games/New", "/connect?game=New"}, {*answer.page.links()})
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
        """A refused registration shows the reason and keeps the values of the form."""
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
        self.refused("/admin/games", "game/add", "the short name gossip is reserved", name="A", short_name="gossip")

    def test_show(self) -> None:
        """A game's page has everything about it except its secrets."""
        self.registry.enact(GameSeen(self.game().client_id, "CoffeeMud 5", "2.3.0"))
        self.service.join("Alpha", user_agent="CoffeeMud 5")
        answer = self.read("/admin/games/alpha")
        for text in ("The Alpha", "online", self.game().client_id, "CoffeeMud 5", "Owner none", "192.0.2.1"):
            self.assertIn(text, seen(answer))
        self.assertNotIn(self.game().secrets[0].digest.hex(), seen(answer))

    def test_edit(self) -> None:
        """A game is edited: an emptied field is removed, an unticked box is off."""
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
        self.assertEqual(
            (self.fields(page, "name"), self.fields(page, "tagline")), (["The New Alpha", "Alpha"], ["New"])
        )
        self.assertIn("telnet://a.example:4000", page.text)
        self.assertIn("Two\nlines", page.text)

    def test_key(self) -> None:
        """A game gets a key for IMC2, which is shown once, as lines of imc.config."""
        self.assertIn("It has no key. This network has no IMC2 port yet", self.root.get("/admin/games/Alpha").text)
        self.rules.imc2_port = "4113"
        answer = self.do("/admin/games/Alpha", "game/key", game="Alpha")
        lines = dict(re.findall(r"^(\w+) +(\S+)$", answer.body.decode(), re.MULTILINE))
        self.assertEqual((lines["ServerAddr"], lines["ServerPort"]), ("mud.example", "4113"))
        authenticate, client_id = self.registry.authenticate, self.game().client_id
        self.assertIsNotNone(authenticate(client_id, lines["ClientPwd"], NOW, "imc2"))
        page = self.root.get("/admin/games/Alpha")
        self.assertIn("It has a key, which was shown only once. A new key leaves", page.text)
        self.assertNotIn(lines["ClientPwd"], page.body.decode())

    def test_i3(self) -> None:
        """A game gets a name and a password for Intermud-3, which is shown once, and loses them again."""
        self.assertIn("It does not join by Intermud-3.", self.root.get("/admin/games/Alpha").text)
        answer = self.do("/admin/games/Alpha", "game/i3", game="Alpha", name="My Mud")
        (password,) = re.findall("<code>([0-9]+)</code>", answer.body.decode())
        identity = self.world.registry.i3.named("My Mud")
        assert identity is not None
        self.assertEqual(identity.digest, digest(password))
        page = self.root.get("/admin/games/Alpha").text
        self.assertIn("It is My Mud there, last from nowhere.", page)
        self.assertIn("The first login until", page)
        self.do("/admin/games/Alpha", "game/i3", game="Alpha", remove="1")
        self.assertIsNone(self.world.registry.i3.named("My Mud"))

    def test_edit_refused(self) -> None:
        """A refused edit changes nothing and keeps the values of the form."""
        before = self.game()
        why = "a web address starts with http:// or https:// and has at most 500 characters"
        typed = {
            "game": before.client_id,
            "name": "New",
            "homepage_url": "javascript:x",
            "description": 'FailedForm & "it"\r\nin vain',
            "hidden": ["0", "1"],
        }
        page = self.refused("/admin/games/Alpha", "game/edit", why, **typed)
        self.assertEqual(
            (self.fields(page, "name"), self.fields(page, "homepage_url")), (["New", "Alpha"], ["javascript:x"])
        )
        self.assertIn('FailedForm & "it"\r\nin vain', page.text)
        self.assertEqual(self.game(), before)

    def test_rotate(self) -> None:
        """A new secret is shown once; the old one keeps working."""
        answer = self.do("/admin/games/Alpha", "game/rotate", game="Alpha")
        self.assertEqual(answer.code, 200)
        words = seen(answer).split()
        secret = words[words.index("client_secret") + 1]
        for one in (secret, self.world.secret("Alpha")):
            self.assertIsNotNone(self.registry.authenticate(self.game().client_id, one, NOW))
        self.assertNotIn(secret, seen(self.read("/admin/games/Alpha")))
        self.assertIn("works until 15 Nov 2023, 22:00 UTC", seen(self.read("/admin/games/Alpha")))

    def test_disable(self) -> None:
        """Disabling a game needs a confirmation; enabling it does not."""
        path = "/admin/games/Alpha"
        session = self.service.join("Alpha")
        self.refused(path, "game/disable", "tick the box to confirm this action", game="Alpha")
        self.assertFalse(self.game().disabled)
        self.done(path, "game/disable", game="Alpha", **SURE)
        self.assertTrue(self.game().disabled)
        self.assertEqual(session.situation.value, "gone")
        self.done(path, "game/enable", game="Alpha")
        self.assertFalse(self.game().disabled)

    def test_remove(self) -> None:
        """Removing a game needs a confirmation, and leads to the list."""
        self.refused("/admin/games/Alpha", "game/remove", "tick the box to confirm this action", game="Alpha")
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
        """All accounts are listed, with their games."""
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
        """An account is edited in parts: what a form does not contain stays the same."""
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
        page = self.refused(path, "account/edit", "this is not a valid email address", name="Ana", email="nowhere")
        self.assertEqual(self.fields(page, "email"), ["nowhere"])

    def test_disable(self) -> None:
        """Disabling an account needs a confirmation, and signs its owner out."""
        ana = Visitor(self.site)
        ana.sign_in(self.service, "Ana")
        path = "/admin/accounts/Ana"
        why = "tick the box to confirm this action"
        self.refused(path, "account/edit", why, name="Ana", disabled="1")
        self.done(path, "account/edit", name="Ana", disabled="1", **SURE)
        self.assertEqual(self.registry.accounts.of("Ana", "visit"), [])
        self.assertNotIn("account/reset", self.root.get(path).body.decode())
        self.done(path, "account/edit", name="Ana", disabled="0")
        self.assertFalse(self.account().disabled)

    def test_reset(self) -> None:
        """A link to set a new password is shown once."""
        self.registry.enact(AccountSaved(Account(name="Ana")))
        secret = self.link(self.do("/admin/accounts/Ana", "account/reset", name="Ana")).removeprefix("/reset/")
        self.assertIsNotNone(self.registry.accounts.shown(secret, "reset", NOW))
        self.assertNotIn(secret, self.service.store.entries[0].arguments)

    def test_remove(self) -> None:
        """Removing an account needs a confirmation; the last admin cannot be removed."""
        self.registry.enact(AccountSaved(Account(name="Ana")))
        path = "/admin/accounts/Ana"
        self.refused(path, "account/remove", "tick the box to confirm this action", name="Ana")
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
        """A channel that a game created can be approved and hidden again, on both pages."""
        self.service.join("Alpha", channels=["testing"])
        self.assertIn("testing hidden 1", seen(self.read("/admin/channels")))
        for path in ("/admin/channels", "/admin/channels/testing"):
            self.done(path, "channel/publish", channel="testing")
            self.assertFalse(self.channel("testing").hidden)
            self.done(path, "channel/hide", channel="testing")
            self.assertTrue(self.channel("testing").hidden)

    def test_pause(self) -> None:
        """A pause shows the time left, in words and for the countdown, and can be ended."""
        self.done("/admin/channels", "channel/pause", channel="gossip", minutes="30")
        self.service.clock.advance(61)
        for path in ("/admin/channels", "/admin/channels/gossip"):
            page = self.read(path).page
            self.assertIn("paused for 28 minutes more, until 14 Nov 2023, 22:30 UTC", " ".join(page.text.split()))
            [ticking] = [attributes for _, attributes in page.tags if attributes.get("class") == "countdown"]
            self.assertEqual(ticking["data-left"], "1739.0")
        self.done("/admin/channels/gossip", "channel/resume", channel="gossip")
        self.assertIsNone(self.channel().paused_until)
        self.done("/admin/channels/gossip", "channel/pause", channel="gossip", minutes="0.5")
        self.assertEqual(self.channel().paused_until, self.service.clock.wall + 30)
        self.service.clock.advance(30)
        self.assertNotIn("paused", seen(self.read("/admin/channels")))
        page = self.refused(
            "/admin/channels/gossip", "channel/pause", "minutes: must be more than 0", channel="gossip", minutes="-1"
        )
        self.assertEqual(self.fields(page, "minutes"), ["-1"])

    def test_create(self) -> None:
        """A channel is created: public, or hidden if its form says so."""
        self.done("/admin/channels", "channel/create", channel="news", description="What is new")
        by: dict[str, Any] = {"described_by": "Root", "described_at": self.service.clock.wall}
        self.assertEqual(self.channel("news"), Channel("news", False, None, "What is new", kept=True, **by))
        page = self.refused(
            "/admin/channels", "channel/create", "the channel news exists already", channel="news", description="x"
        )
        self.assertIn("news", self.fields(page, "channel"))
        self.assertIn("Hide it from people", seen(self.read("/admin/channels")))
        self.done("/admin/channels", "channel/create", channel="staff", description="", hidden="1")
        self.assertTrue(self.channel("staff").hidden)

    def test_describe(self) -> None:
        """The description of a channel can be set and removed."""
        self.done("/admin/channels/gossip", "channel/describe", channel="gossip", description="New\r\nlines")
        self.assertEqual(self.channel().description, "New\nlines")
        self.assertIn("(Root, 14 Nov 2023, 22:00 UTC", seen(self.read("/admin/channels/gossip")))
        self.done("/admin/channels/gossip", "channel/describe", channel="gossip", description="")
        self.assertIsNone(self.channel().description)

    def test_moderators(self) -> None:
        """Accounts moderate a channel, or nobody does; a refused form keeps its names."""
        path = "/admin/channels/gossip"
        self.done(path, "channel/moderators", channel="gossip", accounts="root")
        self.assertEqual(self.channel().moderators, frozenset(["Root"]))
        self.assertEqual(self.fields(self.read(path).page, "accounts"), ["Root"])
        page = self.refused(path, "channel/moderators", "no such account", channel="gossip", accounts="Root Nobody")
        self.assertEqual(self.fields(page, "accounts"), ["Root Nobody"])
        self.done(path, "channel/moderators", channel="gossip", accounts="")
        self.assertEqual(self.channel().moderators, frozenset())

    def test_speakers(self) -> None:
        """All games can speak, only some, or none."""
        path = "/admin/channels/gossip"
        ids = {name: self.game(name).client_id for name in ("Alpha", "Beta")}
        self.done(path, "channel/speakers", channel="gossip", games=["", "beta Alpha"])
        self.assertEqual(self.channel().speakers, frozenset(ids.values()))
        self.assertIn("Alpha Beta", seen(self.read(path)))
        self.done(path, "channel/speakers", channel="gossip", games=["", ""])
        self.assertEqual(self.channel().speakers, frozenset())
        self.assertIn("nobody can speak", seen(self.read("/admin/channels")))
        page = self.refused(path, "channel/speakers", "no such game", channel="gossip", games=["", "Nobody"])
        self.assertIn("Nobody", page.text)
        self.done(path, "channel/speakers", channel="gossip", games=["*", "Alpha"])
        self.assertIsNone(self.channel().speakers)

    def test_remove(self) -> None:
        """A channel is removed once that is confirmed, and the list comes next."""
        path = "/admin/channels/gossip"
        self.refused(path, "channel/remove", "tick the box to confirm this action", channel="gossip")
        self.done(path, "channel/remove", to="/admin/channels", channel="gossip", **SURE)
        self.assertNotIn("gossip", self.service.network.registry.channels)

    def test_odd_name(self) -> None:
        """A channel with an unusual name has a page, and its forms lead back to it."""
        name = "a b/c?d#e%41\"'&"
        self.show(name)
        path = f"/admin/channels/{quote(name, safe='')}"
        self.assertIn(path, self.read("/admin/channels").page.links())
        self.done(path, "channel/hide", channel=name)
        self.assertTrue(self.channel(name).hidden)
