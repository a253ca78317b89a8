"""L{gossip.web.pages.account}: what people can do with their account."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gossip.operations.accounts import signed_out
from gossip.registry.accounts import TICKETS
from gossip.registry.changes import AccountRemoved, AccountSaved, GameSaved, Together
from gossip.registry.secret import digest
from tests.support.passwords import BETTER, GOOD, QUICK
from tests.support.site_browser import HOSTILE, Unanswered
from tests.support.sites import AccountsTestCase
from tests.support.visitor import Answer, Visitor
from tests.support.world import uuid


class OwnAccountTests(AccountsTestCase):
    """The account page."""

    def setUp(self) -> None:
        super().setUp()
        self.add(email="ana@example.org")
        self.sign_in()

    def post(self, what: str, **fields: Any) -> Answer:
        """Fill in a form of the page."""
        return self.visitor.post(f"/account/{what}", fields, at="/account")

    def test_page(self) -> None:
        """The parts of the page show the account, and no secret."""
        other = Visitor(self.site, "198.51.100.7")
        self.sign_in(other)
        game = replace(self.service.world.game("Alpha"), owner="Ana", name="The <b>Alpha</b>")
        self.registry.enact(GameSaved(game))
        parts = {
            "/account": ("Name Ana", "Games The <b>Alpha</b>", "Change password"),
            "/account/visits": ("192.0.2.1 this browser", "198.51.100.7", "Sign out all others"),
            "/account/tokens": ("Create a token",),
            "/account/danger": ("Remove the account",),
        }
        for path, texts in parts.items():
            answer = self.visitor.get(path)
            for text in texts:
                self.assertIn(text, answer.text)
            self.assertLessEqual(set(parts), set(answer.page.links()))
            self.assertNotIn("argon2", answer.body.decode())
            for cookie in (self.visitor.cookies["visit"], other.cookies["visit"]):
                self.assertNotIn(cookie, answer.body.decode())

    def test_password(self) -> None:
        """A new password ends every other session and open link; this browser gets a new cookie, and tokens stay."""
        other = Visitor(self.site)
        self.sign_in(other)
        path = self.link("reset", "Ana")
        self.post("tokens", label="x", scope="read")
        cookie = self.visitor.cookies["visit"]
        answer = self.post("password", current=GOOD, password=BETTER, again=BETTER)
        self.assertEqual((answer.code, answer.location), (303, "/account?done=password"))
        self.assertTrue(self.visitor.is_signed_in())
        self.assertNotEqual(self.visitor.cookies["visit"], cookie)
        self.assertFalse(other.is_signed_in())
        other.cookies["visit"] = cookie
        self.assertFalse(other.is_signed_in())
        self.assertEqual(other.get(path).code, 404)
        self.assertEqual(len(self.accounts.of("Ana", "token")), 1)
        self.assertEqual(self.sign_in(Visitor(self.site)).code, 422)
        self.assertEqual(self.sign_in(Visitor(self.site), password=BETTER).code, 303)

    def test_password_mistakes(self) -> None:
        """An error is shown at its field, and nothing changes."""
        before = self.account()
        for fields, text in (
            ({"current": "wrong password"}, "Wrong password."),
            ({"current": ""}, "Wrong password."),
            ({"again": "x"}, "The passwords do not match."),
            ({"password": "short"}, "10 to 200 characters"),
        ):
            answer = self.post("password", **{"current": GOOD, "password": BETTER, "again": BETTER, **fields})
            self.assertIn422(text, answer)
            self.assertNotIn(BETTER, answer.body.decode())
        self.assertEqual(self.account(), before)

    def test_email(self) -> None:
        """With the password the email address can be changed or removed."""
        self.assertIn422("Wrong password.", self.post("email", email="new@example.org", current="x"))
        answer = self.post("email", email="ana@example.org\nx", current=GOOD)
        self.assertIn422("This is not a valid email address.", answer)
        self.assertEqual(self.account().email, "ana@example.org")
        path = self.link("reset", "Ana")
        self.assertEqual(self.post("email", email="new@example.org", current=GOOD).location, "/account?done=email")
        self.assertEqual(self.account().email, "new@example.org")
        # A link that went to the old address does not work.
        self.assertEqual(Visitor(self.site).get(path).code, 404)
        self.post("email", email="", current=GOOD)
        self.assertIsNone(self.account().email)

    def test_end(self) -> None:
        """One session can be ended, or all others."""
        others = [Visitor(self.site, f"198.51.100.{number}") for number in range(3)]
        for other in others:
            self.sign_in(other)
        self.assertEqual(self.post("end", ticket=digest(others[0].cookies["visit"]).hex()).code, 303)
        self.assertEqual([other.is_signed_in() for other in others], [False, True, True])
        self.post("end", others="1")
        self.assertEqual([other.is_signed_in() for other in others], [False, False, False])
        self.assertTrue(self.visitor.is_signed_in())
        self.post("end", ticket=digest(self.visitor.cookies["visit"]).hex())
        self.assertFalse(self.visitor.is_signed_in())

    def test_end_of_others(self) -> None:
        """Nobody can end another account's session or token, or a link."""
        self.add("Bob")
        bob = Visitor(self.site)
        self.sign_in(bob, "Bob")
        self.link("reset", "Ana")
        before = dict(self.accounts.tickets)
        self.post("end", ticket=[digest(bob.cookies["visit"]).hex(), digest(uuid(self.made)).hex(), "", "x", "ü"])
        self.assertEqual(self.accounts.tickets, before)

    def test_token(self) -> None:
        """A token is shown once and saved as a digest; it can be revoked."""
        answer = self.post("tokens", label=" my  <b>bot</b> ", scope="read")
        self.assertEqual(answer.code, 200)
        (ticket,) = self.accounts.of("Ana", "token")
        secret = answer.text.partition("Authorization: Bearer ")[2].split()[0]
        self.assertEqual(ticket, replace(ticket, digest=digest(secret), label="my bot", scope="read", expires=None))
        page = self.visitor.get("/account/tokens")
        self.assertIn("my bot", page.text)
        self.assertNotIn(secret, page.text)
        self.assertEqual(self.visitor.get("/account/end").location, "/account/visits")
        self.assertEqual(self.post("end", ticket=ticket.digest.hex()).location, "/account/tokens?done=ended")
        self.assertEqual(self.accounts.of("Ana", "token"), [])

    def test_scopes(self) -> None:
        """Only an admin gets a token with a scope for admins."""
        for scope in ("admin", "metrics", "", "x", HOSTILE):
            self.assertIn422("for admins only", self.post("tokens", label="x", scope=scope))
        self.assertNotIn('value="admin"', self.visitor.get("/account/tokens").body.decode())
        self.registry.enact(AccountSaved(replace(self.account(), admin=True)))
        for scope in ("read", "metrics", "admin"):
            self.assertEqual(self.post("tokens", label="x", scope=scope).code, 200)
        self.assertEqual({each.scope for each in self.accounts.of("Ana", "token")}, {"read", "metrics", "admin"})

    def test_labels(self) -> None:
        """A token needs a readable label."""
        for label in ("", "  ", "x" * 41, "\x00\x1b"):
            self.assertIn422("Use 1 to 40 characters.", self.post("tokens", label=label, scope="read"))

    def test_many_tokens(self) -> None:
        """The number of tokens is bounded; one more is refused, and drops none silently."""
        for _ in range(TICKETS):
            self.post("tokens", label="x", scope="read")
        before = self.accounts.of("Ana", "token")
        self.assertIn422(
            f"You have {TICKETS} tokens, the maximum: revoke one first.", self.post("tokens", label="x", scope="read")
        )
        self.assertEqual(self.accounts.of("Ana", "token"), before)

    def test_remove(self) -> None:
        """With the password the account can be removed: its sessions end, its games have no owner, and it is logged."""
        self.registry.enact(GameSaved(replace(self.service.world.game("Alpha"), owner="Ana")))
        self.assertIn422("Wrong password.", self.post("remove", current="wrong password"))
        self.assertEqual(self.post("remove", current=GOOD).location, "/")
        self.assertIsNone(self.accounts.named("Ana"))
        self.assertEqual(self.accounts.tickets, {})
        self.assertIsNone(self.service.world.game("Alpha").owner)
        self.assertFalse(self.visitor.is_signed_in())
        self.assertEqual(
            [(each.actor, each.operation, each.subject) for each in self.service.store.entries],
            [("Ana", "account/remove", "Ana")],
        )

    def test_removed_meanwhile(self) -> None:
        """A change during the removal of an account does not reach the next account of that name."""
        bob = replace(self.add("Bob"), name="Ana", email=None)
        wanted = (
            ("tokens", {"label": "x", "scope": "read"}),
            ("password", {"current": GOOD, "password": BETTER, "again": BETTER}),
            ("email", {"email": "new@example.org", "current": GOOD}),
            ("remove", {"current": GOOD}),
        )
        for what, fields in wanted:
            visitor = Visitor(self.site)
            self.add(email="ana@example.org")
            self.sign_in(visitor)
            visitor.get("/account")
            self.change_slowly(Together((AccountRemoved("Ana"), AccountSaved(bob))))
            with self.assertRaises(Unanswered):
                visitor.post(f"/account/{what}", fields)
            self.settle()
            self.assertEqual((self.accounts.named("Ana"), self.accounts.tickets), (bob, {}), what)

    def test_reset_meanwhile(self) -> None:
        """The old password changes nothing while the owner sets a new one with a link."""
        for what, fields in (
            ("password", {"current": GOOD, "password": "of the thief", "again": "of the thief"}),
            ("email", {"email": "thief@example.org", "current": GOOD}),
            ("remove", {"current": GOOD}),
        ):
            thief, changed = Visitor(self.site), self.add(email="ana@example.org")
            self.sign_in(thief)
            thief.get("/account")
            changed = replace(changed, password=QUICK.hash(BETTER))
            self.change_slowly(Together((AccountSaved(changed), signed_out(self.accounts, "Ana"))))
            with self.assertRaises(Unanswered):
                thief.post(f"/account/{what}", fields)
            self.settle()
            self.assertEqual((self.account(), self.accounts.of("Ana", "visit")), (changed, []), what)

    def test_last_admin(self) -> None:
        """The last admin cannot be removed."""
        self.registry.enact(AccountSaved(replace(self.account(), admin=True)))
        self.assertIn422("The last admin must stay one.", self.post("remove", current=GOOD))
        self.assertIsNotNone(self.accounts.named("Ana"))

    def test_cross_site(self) -> None:
        """Another site cannot change anything."""
        before = dict(self.accounts.tickets), dict(self.accounts.all)
        self.visitor.get("/account")
        for path, fields in (
            ("password", {"current": GOOD, "password": BETTER, "again": BETTER}),
            ("email", {"email": "evil@example.org", "current": GOOD}),
            ("end", {"others": "1"}),
            ("tokens", {"label": "x", "scope": "read"}),
            ("remove", {"current": GOOD}),
        ):
            self.assertEqual(self.visitor.post(f"/account/{path}", {**fields, "csrf": "x"}).code, 403)
            self.assertEqual(self.visitor.post(f"/account/{path}", fields, Sec_Fetch_Site="cross-site").code, 403)
            self.assertEqual(self.visitor.post(f"/account/{path}", fields, Origin="https://evil.example").code, 403)
        self.assertEqual((self.accounts.tickets, self.accounts.all), before)

    def test_nobody(self) -> None:
        """Without an account the page and its forms are not available."""
        visitor = Visitor(self.site)
        self.assertEqual(visitor.get("/account").location, "/sign-in?back=/account")
        for path in ("password", "email", "end", "tokens", "remove"):
            self.assertEqual(visitor.post(f"/account/{path}", {}, at="/sign-in").location, "/sign-in?back=/")

    @given(
        st.sampled_from(["password", "email", "end", "tokens", "remove"]),
        st.dictionaries(
            st.sampled_from(["current", "password", "again", "email", "ticket", "others", "label", "scope"]),
            st.text(max_size=60),
        ),
    )
    def test_any_form(self, what: str, fields: dict[str, str]) -> None:
        """Any input gets an answer, and without the password nothing changes."""
        before = self.account()
        self.service.clock.advance(3600)
        self.visitor.sign_in(self.service)
        answer = self.post(what, **fields)
        self.assertIn(answer.code, (200, 303, 422))
        self.assertEqual(self.account(), before)
