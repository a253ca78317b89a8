"""Forms that end what is in use: each asks first, by a question that opens, a box to tick, or the password."""

from __future__ import annotations

from typing import Any

from gossip.registry.changes import AccountSaved, ChannelSaved, I3IdentitySaved, TicketIssued
from gossip.registry.entities import Account, Channel, I3Identity, Ticket
from gossip.registry.secret import digest
from tests.support.site_browser import Page
from tests.support.sites import OwnerTestCase
from tests.support.visitor import Visitor
from tests.support.world import NOW

MILD = {
    "account/edit",
    "account/edit admin=1",
    "account/reset",
    "channel/describe",
    "channel/hide",
    "channel/moderators",
    "channel/pause",
    "channel/speakers",
    "game/edit",
    "/account/email",
    "/account/tokens",
    "/manage/Alpha/profile",
    "/sign-out",
}
"""The forms that end nothing, or nothing that the next form does not bring back."""


class _Form:
    """
    A form.

    @ivar deed: what it does: its operation, or where it goes.
    """

    def __init__(self, attributes: dict[str, str | None]) -> None:
        self.deed = attributes.get("action") or ""
        self.asks = "popover" in attributes

    def add(self, field: dict[str, str | None]) -> None:
        """It has this field."""
        name, value = field.get("name"), field.get("value")
        if name == "do":
            self.deed = value or ""
        elif name in ("admin", "remove", "i3_remove", "disabled") and field.get("type") == "hidden":
            self.deed += f" {name}={value}"
        if field.get("type") == "password" or name in ("sure", "i3_sure"):
            self.asks = True


def forms(page: Page) -> list[_Form]:
    """The forms of a page that do something."""
    found: list[_Form] = []
    is_in = False
    for tag, attributes in page.tags:
        if tag == "form":
            is_in = attributes.get("method") == "post"
            if is_in:
                found.append(_Form(attributes))
        elif tag == "input" and is_in:
            found[-1].add(attributes)
    return found


class QuestionTests(OwnerTestCase):
    """Alpha joins by each way, and its owner has a token."""

    def setUp(self) -> None:
        super().setUp()
        registry = self.world.registry
        self.rules.i3_port = self.rules.imc2_port = "4113"
        client_id = self.world.client_id("Alpha")
        self.i3 = I3Identity(client_id=client_id, name="Alpha", digest=digest("1"), open_until=None, record="")
        registry.enact(I3IdentitySaved(self.i3))
        registry.enact(ChannelSaved(Channel("gossip", False)))
        registry.enact(AccountSaved(Account(name="Boss", admin=True, created_at=NOW)))
        token = Ticket(digest=digest("2"), kind="token", account="Ana", label="my bot", made_at=NOW, scope="read")
        registry.enact(TicketIssued(token))

    def asking(self, reader: Visitor, path: str) -> dict[str, bool]:
        """What the forms of a page do, and whether they ask first; without those that need not."""
        answer = reader.get(path)
        self.assertEqual(answer.code, 200, path)
        return {form.deed: form.asks for form in forms(answer.page) if form.deed not in MILD}

    def test_all_ask(self) -> None:
        """Whatever ends a secret, a token, rights, a game or an account asks before it does."""
        pages: tuple[tuple[Visitor, str, set[str]], ...] = (
            (self.ana, "/manage/Alpha/profile", set()),
            (
                self.ana,
                "/manage/Alpha/credentials",
                {"/manage/Alpha/secret", "/manage/Alpha/key", "/manage/Alpha/i3", "/manage/Alpha/i3 i3_remove=1"},
            ),
            (self.ana, "/manage/Alpha/danger", {"/manage/Alpha/remove"}),
            (self.ana, "/account", {"/account/password"}),
            (self.ana, "/account/tokens", {"/account/end"}),
            (self.ana, "/account/danger", {"/account/remove"}),
            (
                self.root,
                "/admin/games/Alpha",
                {"game/rotate", "game/key", "game/i3", "game/i3 remove=1", "game/disable", "game/remove"},
            ),
            (
                self.root,
                "/admin/accounts/Boss",
                {"account/edit admin=0", "account/edit disabled=1", "account/remove"},
            ),
            (self.root, "/admin/channels/gossip", {"channel/remove"}),
        )
        for reader, path, expected in pages:
            self.assertEqual(self.asking(reader, path), dict.fromkeys(expected, True), path)

    def test_told(self) -> None:
        """The question says what stops working, and when."""
        self.assertIn(
            "Programs that use the token my bot are refused from now on.", self.ana.get("/account/tokens").text
        )
        for reader, path in ((self.ana, "/manage/Alpha/credentials"), (self.root, "/admin/games/Alpha")):
            text = reader.get(path).text
            self.assertIn("The current secret keeps working for a day", text)
            self.assertIn("Yes, stop the current password", text)
            self.assertIn("Its name and its password there stop working.", text)
        for name, text in (("Root", "This is your own account: only another admin"), ("Boss", "Boss can then manage")):
            self.assertIn(text, self.root.get(f"/admin/accounts/{name}").text)

    def test_password(self) -> None:
        """A new password for Intermud-3 ends the one before only if that is confirmed; the first one ends nothing."""
        known, client_id = self.world.registry.i3, self.world.client_id("Alpha")

        def posts(**confirmed: str) -> list[Any]:
            fields = {"do": "game/i3", "game": "Alpha", "name": "My Mud", "i3_name": "My Mud", **confirmed}
            ways = ((self.ana, "/manage/Alpha/i3"), (self.root, "/admin/games/Alpha"))
            return [reader.post(path, fields) for reader, path in ways]

        for answer in posts():
            self.assertEqual(answer.code, 422)
            self.assertIn("tick the box", answer.text)
            self.assertIn("My Mud", [attributes.get("value") for _, attributes in answer.page.tags])
        self.assertEqual(known.of(client_id), self.i3)
        self.assertEqual(self.service.store.entries, [])
        for answer in posts(i3_sure="1", sure="1"):
            self.assertEqual(answer.code, 200, answer.text)
        identity = known.of(client_id)
        assert identity is not None
        self.assertEqual(identity.name, "My Mud")
        self.assertNotEqual(identity.digest, self.i3.digest)
        for reader, path, remove in (
            (self.ana, "/manage/Alpha/i3", {"i3_remove": "1"}),
            (self.root, "/admin/games/Alpha", {"do": "game/i3", "game": "Alpha", "remove": "1"}),
        ):
            self.world.registry.enact(I3IdentitySaved(self.i3))
            reader.post(path, remove)
            self.assertIsNone(known.of(client_id))
            reader.post(path, {"do": "game/i3", "game": "Alpha", "name": "New", "i3_name": "New"})
            identity = known.of(client_id)
            assert identity is not None
            self.assertEqual(identity.name, "New")
