"""L{gossip.web.pages.sign_in}: signing in and signing up."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import quote, urlsplit

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.internet.defer import maybeDeferred
from twisted.logger import LogEvent, globalLogPublisher

from gossip.operations.accounts import signed_out
from gossip.registry.changes import AccountRemoved, AccountSaved
from gossip.registry.entities import Account
from gossip.web.accounts import attempts, turns
from gossip.web.accounts.attempts import AttemptLimits
from tests.support.passwords import BETTER, GOOD, QUICK, Threads
from tests.support.rewording import reword
from tests.support.site_browser import HOSTILE, Unanswered
from tests.support.sites import AccountsTestCase
from tests.support.visitor import Answer, Visitor
from tests.support.world import NOW, uuid


class SignInTests(AccountsTestCase):
    """Signing in."""

    def setUp(self) -> None:
        super().setUp()
        self.add()

    def test_sign_in(self) -> None:
        """A name, in any case, and a password sign an account in."""
        answer = self.sign_in(name=" aNA ")
        self.assertEqual((answer.code, answer.location), (303, "/"))
        page = self.visitor.get("/games")
        self.assertIn("Account Ana", page.text)
        self.assertIn('action="/sign-out"', page.body.decode())
        self.assertNotIn("/admin", page.page.links())
        (ticket,) = self.accounts.of("Ana", "visit")
        self.assertEqual((ticket.label, ticket.made_at), ("192.0.2.1", NOW))

    def test_admin(self) -> None:
        """An admin gets the link to the admin pages."""
        self.add("Root", admin=True)
        self.sign_in(name="Root")
        self.assertIn("/admin", self.visitor.get("/").page.links())

    def test_wrong(self) -> None:
        """A wrong password, an unknown name and an account without a password get the same answer."""
        self.registry.enact(AccountSaved(Account(name="Empty", created_at=NOW)))
        told = set()
        for name, password in (("Ana", "wrong password"), ("Nobody", GOOD), ("Empty", GOOD), ("Empty", ""), ("", "")):
            answer = self.sign_in(name=name, password=password)
            self.assertIn422("Wrong name or password", answer)
            self.assertNotIn(GOOD, answer.body.decode())
            told.add(answer.text.replace(name or " ", ""))
        self.assertFalse(self.visitor.is_signed_in())
        self.assertEqual(self.accounts.tickets, {})

    def test_same_work(self) -> None:
        """All of these take the same work, so that the time does not tell whether an account exists."""
        self.in_thread = threads = Threads()
        for name in ("Ana", "Nobody"):
            self.visitor.get("/sign-in")
            with self.assertRaises(Unanswered):
                self.sign_in(name=name, password="wrong password")
            self.assertEqual(len(threads.working), 1)
            threads.finish()

    def test_filled_in_again(self) -> None:
        """After an error the form keeps the name, as text, and not the password."""
        answer = self.sign_in(name=HOSTILE, password="some secret words")
        fields = {tag.get("name"): tag for kind, tag in answer.page.tags if kind == "input"}
        self.assertEqual(fields["name"]["value"], HOSTILE)
        self.assertNotIn("value", fields["password"])
        self.assertNotIn("<script>alert", answer.body.decode())

    def test_disabled(self) -> None:
        """A disabled account is told so after the right password only, and is not signed in."""
        self.registry.enact(AccountSaved(replace(self.account(), disabled=True)))
        self.assertIn422("is disabled", self.sign_in())
        self.assertIn422("Wrong name or password", self.sign_in(password="wrong password"))
        self.assertFalse(self.visitor.is_signed_in())

    def test_signed_in_already(self) -> None:
        """A browser that is signed in is redirected."""
        self.sign_in()
        self.assertEqual(self.visitor.get("/sign-in?back=/games").location, "/games")

    def test_changed_meanwhile(self) -> None:
        """An old password that is checked while it is changed does not sign in."""
        self.in_thread = threads = Threads()
        self.visitor.get("/sign-in")
        with self.assertRaises(Unanswered):
            self.sign_in()
        self.registry.enact(AccountSaved(replace(self.account(), password=QUICK.hash(BETTER))))
        threads.finish()
        self.assertEqual(self.accounts.of("Ana", "visit"), [])

    def test_ended_meanwhile(self) -> None:
        """A sign-in during the removal, disabling or password change of the account gets no cookie."""
        ana = self.account()
        for change in (
            AccountRemoved("Ana"),
            AccountSaved(replace(ana, disabled=True)),
            AccountSaved(replace(ana, password=QUICK.hash(BETTER))),
        ):
            self.registry.enact(AccountSaved(ana))
            self.change_slowly(change)
            with self.assertRaises(Unanswered):
                self.sign_in(Visitor(self.site))
            self.settle()
            # A cookie for the removed account would sign in whoever takes the name next.
            self.assertEqual(self.accounts.tickets, {})

    def test_weak_hash(self) -> None:
        """A weak hash is replaced at the next sign-in."""
        weak = type(QUICK)(time_cost=1, memory_cost=8, parallelism=1, hash_len=8).hash(GOOD)
        self.registry.enact(AccountSaved(replace(self.account(), password=weak)))
        self.assertEqual(self.sign_in().code, 303)
        self.assertNotEqual(self.account().password, weak)
        self.assertEqual(self.sign_in(Visitor(self.site)).code, 303)

    @given(
        st.text(max_size=40) | st.sampled_from(["//x", "/\\x", "https://x", "/a\r\nb", "/ü", "/a b", "javascript:1"])
    )
    def test_any_way_back(self, back: str) -> None:
        """The path to go back to is always one of this site."""
        visitor = Visitor(self.site)
        visitor.get(f"/sign-in?back={quote(back)}")
        answer = visitor.post("/sign-in", {"name": "Ana", "password": GOOD, "back": back})
        self.assertEqual(answer.code, 303)
        parts = urlsplit(answer.location)
        self.assertEqual((parts.scheme, parts.netloc), ("", ""))
        self.assertRegex(answer.location, r"\A/(?![/\\])[!-~]*\Z")

    @given(st.dictionaries(st.sampled_from(["name", "password", "back", "x"]), st.text(max_size=300)))
    def test_any_form(self, fields: dict[str, str]) -> None:
        """Any input gets an answer, and only the password signs in."""
        visitor = Visitor(self.site, "2001:db8::1")
        self.service.clock.advance(3600)
        answer = visitor.post("/sign-in", fields, at="/sign-in")
        self.assertEqual(answer.code, 422)
        self.assertFalse(visitor.is_signed_in())


class BruteForceTests(AccountsTestCase):
    """Guessing passwords."""

    def setUp(self) -> None:
        super().setUp()
        self.add()
        self.limits = AttemptLimits(self.service.clock)

    def guess(self, times: int, name: str = "Ana", address: str = "192.0.2.66") -> Answer:
        """Try a number of wrong passwords, and return the last answer."""
        attacker = Visitor(self.site, address)
        for _ in range(times):
            answer = self.sign_in(attacker, name, "wrong password")
        return answer

    def test_one_account(self) -> None:
        """After too many wrong passwords for an account, an address is blocked for it, even with the right one."""
        most = self.limits.passwords.left("x")
        self.assertEqual(self.guess(most).code, 422)
        refused = self.sign_in(Visitor(self.site, "192.0.2.66"))
        self.assertEqual((refused.code, refused.headers["retry-after"]), (429, "900"))
        self.assertIn("Too many wrong passwords. Try again in 15 minutes.", refused.text)
        self.service.clock.advance(900)
        self.assertEqual(self.sign_in(Visitor(self.site, "192.0.2.66")).code, 303)

    def test_nobody_is_locked_out(self) -> None:
        """The owner of the account can still sign in from another address."""
        self.guess(self.limits.passwords.left("x") + 1)
        self.assertEqual(self.sign_in().code, 303)

    def test_many_accounts(self) -> None:
        """After too many wrong passwords for any accounts, an address is blocked for all."""
        for number in range(self.limits.passwords_from.left("x")):
            self.assertEqual(self.guess(1, f"Nobody{number}").code, 422)
        self.assertEqual(self.guess(1).code, 429)
        self.assertEqual(self.sign_in().code, 303)

    def test_one_network(self) -> None:
        """Another address of the same IPv6 network is blocked, too."""
        for number in range(self.limits.passwords.left("x")):
            self.guess(1, address=f"2001:db8::{number}")
        self.assertEqual(self.guess(1, address="2001:db8::ffff").code, 429)

    def test_all_at_once(self) -> None:
        """Many attempts at once do not get around the limit."""
        self.patch(turns, "OF_ONE_PLACE", 20)
        self.in_thread = threads = Threads()
        most = self.limits.passwords.left("x")
        for _ in range(most):
            with self.assertRaises(Unanswered):
                self.guess(1)
        self.assertEqual(self.guess(1).code, 429)
        while threads.working:
            threads.finish()

    def test_no_way_to_be_forgotten(self) -> None:
        """A blocked address cannot push out the attempts of others with invented names."""
        self.patch(attempts, "REMEMBERED", 60)
        self.guess(self.limits.passwords.left("x"))
        for number in range(self.limits.passwords_from.left("x") + 30):
            answer = self.guess(1, f"Nobody{number}", "192.0.2.67")
        self.assertEqual(answer.code, 429)
        self.assertEqual(self.guess(1).code, 429)

    def test_refused_for_one(self) -> None:
        """Attempts refused for one account do not count against the address."""
        self.guess(self.limits.passwords_from.left("x") + 1)
        self.assertEqual(self.guess(1, "Nobody").code, 422)

    def test_right_password(self) -> None:
        """The right password resets the count, so that occasional mistakes do not add up."""
        for _ in range(5):
            self.guess(self.limits.passwords.left("x") - 1, address="192.0.2.1")
            self.assertEqual(self.sign_in(Visitor(self.site)).code, 303)

    def test_own_page(self) -> None:
        """The same limits hold on the account page."""
        self.sign_in()
        fields = {"email": "", "current": "wrong password"}
        for _ in range(self.limits.passwords.left("x")):
            self.assertEqual(self.visitor.post("/account/email", fields, at="/account").code, 422)
        self.assertEqual(self.visitor.post("/account/email", {**fields, "current": GOOD}).code, 429)

    def test_links(self) -> None:
        """Links have a limit, too."""
        good = self.link("reset", "Ana")
        for number in range(self.limits.links.left("x")):
            self.assertEqual(self.visitor.get(f"/reset/{uuid(number + 100)}").code, 404)
        for path in (good, f"/reset/{uuid(99)}"):
            refused = self.visitor.get(path)
            self.assertEqual((refused.code, refused.headers["retry-after"]), (429, "900"))
        self.assertEqual(Visitor(self.site, "192.0.2.2").get(good).code, 200)

    def test_sign_ups(self) -> None:
        """An address can create a bounded number of accounts per hour; errors do not count."""
        for number in range(self.limits.sign_ups.left("x")):
            fields = {"name": f"User{number}", "password": GOOD, "again": GOOD}
            visitor = Visitor(self.site)
            self.assertEqual(visitor.post("/sign-up", {**fields, "again": "x"}, at="/sign-up").code, 422)
            self.assertEqual(visitor.post("/sign-up", fields).code, 303)
        self.assertEqual(Visitor(self.site).post("/sign-up", {**fields, "name": "One-more"}, at="/sign-up").code, 429)
        self.assertIsNone(self.accounts.named("One-more"))

    def test_sign_ups_in_a_crowd(self) -> None:
        """A sign-up that is refused because too many are waiting does not count."""
        self.in_thread = threads = Threads()
        for number in range(22):
            with self.assertRaises(Unanswered):
                self.guess(1, f"Nobody{number}", f"192.0.2.{number + 10}")
        fields = {"name": "Bob", "password": GOOD, "again": GOOD}
        for _ in range(self.limits.sign_ups.left("x") + 1):
            self.assertEqual(Visitor(self.site).post("/sign-up", fields, at="/sign-up").code, 503)
        while threads.working:
            threads.finish()
        self.in_thread = maybeDeferred
        self.assertEqual(Visitor(self.site).post("/sign-up", fields, at="/sign-up").code, 303)

    def test_one_crowds(self) -> None:
        """A place that sends right passwords all the time does not keep others out."""
        for number in range(22):
            self.add(f"User{number}")
        self.in_thread = threads = Threads()
        for number in range(22):
            with contextlib.suppress(Unanswered):
                self.assertEqual(self.sign_in(Visitor(self.site, "192.0.2.66"), f"User{number}").code, 503)
        with self.assertRaises(Unanswered):
            self.sign_in()
        while threads.working:
            threads.finish()
        self.assertEqual(len(self.accounts.of("Ana", "visit")), 1)

    def test_crowd(self) -> None:
        """A sign-in is refused if too many are waiting, and does not count as a wrong password."""
        self.in_thread = threads = Threads()
        for number in range(22):
            with self.assertRaises(Unanswered):
                self.guess(1, f"Nobody{number}", f"192.0.2.{number + 10}")
        for _ in range(15):
            self.assertEqual(self.sign_in().code, 503)
        while threads.working:
            threads.finish()
        self.in_thread = maybeDeferred
        self.assertEqual(self.sign_in().code, 303)


class SignUpTests(AccountsTestCase):
    """Signing up."""

    def sign_up(self, path: str = "/sign-up", visitor: Visitor | None = None, **fields: Any) -> Answer:
        """Fill in the form."""
        filled = {"name": "Ana", "password": GOOD, "again": GOOD, **fields}
        return (visitor or self.visitor).post(path, filled, at=path)

    def test_open(self) -> None:
        """Anybody can sign up and is signed in; the account is not an admin, and its password is hashed."""
        answer = self.sign_up(email=" ana@example.org ")
        self.assertEqual((answer.code, answer.location), (303, "/welcome"))
        account = self.account()
        self.assertEqual((account.admin, account.disabled, account.email), (False, False, "ana@example.org"))
        self.assertEqual(account.created_at, NOW)
        assert account.password is not None
        self.assertTrue(account.password.startswith("$argon2id$"))
        self.assertIn("Welcome, Ana!", self.visitor.get(answer.location).text)
        self.assertEqual(self.sign_in(Visitor(self.site)).code, 303)

    def test_way_back(self) -> None:
        """After signing up the browser goes back to where it came from."""
        self.assertIn("/sign-up?back=/chat/gossip", self.visitor.get("/sign-in?back=/chat/gossip").page.links())
        self.assertIn("/sign-in?back=%2Fchat%2Fgossip", self.visitor.get("/sign-up?back=/chat/gossip").page.links())
        self.assertEqual(self.sign_up("/sign-up?back=/chat/gossip", back="/chat/gossip").location, "/chat/gossip")

    def test_mistakes(self) -> None:
        """An error is shown at its field, and the form keeps its values except passwords."""
        self.add("Bob")
        mistakes: tuple[tuple[dict[str, Any], str], ...] = (
            ({"name": "A"}, "A name has 3 to 20 letters, digits, - and _, and begins with a letter."),
            ({"name": HOSTILE}, "A name has 3 to 20"),
            ({"name": "system"}, "The name system is reserved."),
            ({"name": "bOB"}, "The name bOB is taken."),
            ({"password": "short"}, "Use 10 to 200 characters."),
            ({"name": "Anastasia_1", "password": "anastasia_1"}, "The password must not be the account name."),
            ({"again": "x"}, "The passwords do not match."),
            ({"email": "ana@example.org, evil@example.org"}, "This is not a valid email address."),
            ({"email": "ana@example.org\r\nBcc: x@example.org"}, "This is not a valid email address."),
        )
        for fields, text in mistakes:
            answer = self.sign_up(**fields)
            self.assertIn422(text, answer)
            for value in (GOOD, "anastasia_1"):
                self.assertNotIn(value, answer.body.decode())
            tags = [tag for kind, tag in answer.page.tags if kind == "input" and tag.get("aria-invalid")]
            self.assertEqual(len(tags), 1, answer.text)
            self.assertIn(f"{tags[0]['id']}-wrong", tags[0]["aria-describedby"] or "")
            if "email" in fields:
                self.assertEqual(tags[0]["value"], fields["email"].strip())
        self.assertEqual([*self.accounts.all], ["bob"])

    def test_reworded(self) -> None:
        """An error is shown at the field of its code, whatever its text."""
        reword(self)
        for field, typed in (("name", "system"), ("email", "nowhere")):
            answer = self.sign_up(**{field: typed})  # type: ignore[arg-type]
            wrong = [tag["name"] for kind, tag in answer.page.tags if kind == "input" and tag.get("aria-invalid")]
            self.assertEqual(wrong, [field])

    def test_closed(self) -> None:
        """If sign-up is closed the page says so, with a link or without."""
        self.settings(sign_up="closed")
        for path in ("/sign-up", self.link("invite")):
            self.assertEqual(self.visitor.get(path).code, 403)
            self.assertIn("Sign-up is closed.", self.visitor.get(path).text)
            self.visitor.get("/sign-in")
            self.assertEqual(self.sign_up(path).code, 403)
        self.assertNotIn("/sign-up", self.visitor.get("/sign-in").body.decode())
        self.assertEqual(self.accounts.all, {})

    def test_invitation(self) -> None:
        """With an invitation one person can sign up, once."""
        self.settings(sign_up="invite")
        self.assertIn("Ask an admin for a link", self.visitor.get("/sign-up").text)
        self.visitor.get("/sign-in")
        self.assertEqual(self.sign_up().code, 403)
        path = self.link("invite")
        self.assertEqual(self.sign_up(path).code, 303)
        self.assertTrue(self.visitor.is_signed_in())
        other = Visitor(self.site)
        self.assertEqual(other.get(path).code, 404)
        other.get("/sign-in")
        self.assertEqual(self.sign_up(path, other, name="Bob").code, 404)
        self.assertEqual([*self.accounts.all], ["ana"])

    def test_invitation_survives_looks(self) -> None:
        """Neither a look at a link nor an error uses it up; it expires."""
        path = self.link("invite")
        for _ in range(3):
            self.assertEqual(self.visitor.get(path).code, 200)
            self.assertEqual(self.visitor.ask("HEAD", path).code, 200)
            self.assertEqual(self.sign_up(path, again="x").code, 422)
        self.service.clock.advance(7 * 24 * 3600 - 1)
        self.assertEqual(self.visitor.get(path).code, 200)
        self.service.clock.advance(1)
        self.assertEqual(self.visitor.get(path).code, 404)

    def test_two_at_once(self) -> None:
        """Of two sign-ups at the same time with one name or one invitation, one succeeds."""
        path = self.link("invite")
        self.in_thread = threads = Threads()
        for name in ("Ana", "Bob"):
            visitor = Visitor(self.site)
            visitor.get(path)
            with self.assertRaises(Unanswered):
                self.sign_up(path, visitor, name=name)
        for _ in range(2):
            visitor = Visitor(self.site)
            visitor.get("/sign-up")
            with self.assertRaises(Unanswered):
                self.sign_up("/sign-up", visitor, name="Ana")
        while threads.working:
            threads.finish()
        self.assertEqual([*self.accounts.all], ["ana"])
        self.assertEqual(len(self.accounts.tickets), 1)

    def test_other_link(self) -> None:
        """A link of another kind is invalid."""
        self.add()
        for kind in ("setup", "reset"):
            path = self.link(kind, "Ana" if kind == "reset" else "")
            self.assertEqual(self.visitor.get(path.replace(kind, "sign-up")).code, 404)

    def test_signed_in_already(self) -> None:
        """A browser that is signed in is redirected to the account page."""
        self.visitor.sign_in(self.service)
        self.assertEqual(self.visitor.get("/sign-up").location, "/welcome")

    @given(st.dictionaries(st.sampled_from(["name", "password", "again", "email", "back"]), st.text(max_size=250)))
    def test_any_form(self, fields: dict[str, str]) -> None:
        """Any input gets an answer; an account that it creates is valid."""
        self.service.clock.advance(3600)
        visitor = Visitor(self.site)
        answer = self.sign_up("/sign-up", visitor, **{"name": "Ann", **fields})
        self.assertIn(answer.code, (303, 422))
        if answer.code == 303:
            self.registry.enact(AccountRemoved((fields.get("name") or "Ann").strip()))
        self.assertEqual(self.accounts.all, {})


class SetupTests(AccountsTestCase):
    """The first admin."""

    def set_up(self, path: str, name: str = "Root", visitor: Visitor | None = None) -> Answer:
        """Fill in the form."""
        return (visitor or self.visitor).post(path, {"name": name, "password": GOOD, "again": GOOD}, at=path)

    def test_once(self) -> None:
        """The link creates the first admin, who is signed in, and works only once."""
        path = self.link("setup")
        self.assertIn("There is no admin yet.", self.visitor.get(path).text)
        answer = self.set_up(path)
        self.assertEqual((answer.code, answer.location), (303, "/admin?done=set-up"))
        self.assertTrue(self.account("Root").admin)
        self.assertTrue(self.visitor.is_signed_in())
        other = Visitor(self.site)
        self.assertEqual(other.get(path).code, 404)
        other.get("/sign-in")
        self.assertEqual(self.set_up(path, "Evil", other).code, 404)
        self.assertEqual([*self.accounts.all], ["root"])

    def test_where_signing_up_is_closed(self) -> None:
        """The link works even if sign-up is closed."""
        self.settings(sign_up="closed")
        self.assertEqual(self.set_up(self.link("setup")).code, 303)

    def test_admin_exists(self) -> None:
        """The link stops working when there is an admin."""
        path = self.link("setup")
        self.visitor.get(path)
        self.add("Root", admin=True)
        self.assertEqual(self.visitor.get(path).code, 404)
        self.assertEqual(self.set_up(path, "Evil").code, 404)

    def test_two_at_once(self) -> None:
        """The link does not create an admin if another one appeared while the password was hashed."""
        path = self.link("setup")
        self.visitor.get(path)
        self.in_thread = threads = Threads()
        with self.assertRaises(Unanswered):
            self.set_up(path)
        self.add("Other", admin=True)
        threads.finish()
        self.assertIsNone(self.accounts.named("Root"))

    def test_replaced(self) -> None:
        """A newer link replaces an older one."""
        old, new = self.link("setup"), self.link("setup")
        self.assertEqual((self.visitor.get(old).code, self.visitor.get(new).code), (404, 200))


class ResetTests(AccountsTestCase):
    """A link that sets a password."""

    def setUp(self) -> None:
        super().setUp()
        self.add()

    def reset(self, path: str, visitor: Visitor | None = None, **fields: str) -> Answer:
        """Fill in the form."""
        return (visitor or self.visitor).post(path, {"password": BETTER, "again": BETTER, **fields}, at=path)

    def test_reset(self) -> None:
        """The new password works and the old one does not; only the browser that set it is signed in."""
        thief = Visitor(self.site)
        thief.sign_in(self.service)
        self.registry.enact(signed_out(self.accounts, "Bob"))
        answer = self.reset(self.link("reset", "Ana"))
        self.assertEqual((answer.code, answer.location), (303, "/account?done=password"))
        self.assertIn("Your password is set.", self.visitor.get(answer.location).text)
        self.assertFalse(thief.is_signed_in())
        self.assertEqual(self.sign_in(Visitor(self.site)).code, 422)
        self.assertEqual(self.sign_in(Visitor(self.site), password=BETTER).code, 303)

    def test_tokens_end(self) -> None:
        """Tokens are revoked: a thief may have created them."""
        self.visitor.sign_in(self.service)
        self.visitor.post("/account/tokens", {"label": "x", "scope": "read"}, at="/account")
        self.assertEqual(len(self.accounts.of("Ana", "token")), 1)
        self.reset(self.link("reset", "Ana"))
        self.assertEqual(self.accounts.of("Ana", "token"), [])

    def test_first_password(self) -> None:
        """An account that an admin created gets its first password this way."""
        self.registry.enact(AccountSaved(Account(name="Bob", created_at=NOW)))
        self.assertEqual(self.reset(self.link("reset", "Bob")).location, "/welcome")
        self.assertEqual(self.sign_in(Visitor(self.site), "Bob", BETTER).code, 303)

    def test_once(self) -> None:
        """The link works once; neither a look at it nor an error uses it up."""
        path = self.link("reset", "Ana")
        for _ in range(3):
            self.assertEqual(self.visitor.get(path).code, 200)
            self.assertIn422("The passwords do not match.", self.reset(path, again="x"))
            self.assertIn422("10 to 200 characters", self.reset(path, password="x", again="x"))
        self.assertEqual(self.reset(path).code, 303)
        other = Visitor(self.site)
        answer = other.get(path)
        self.assertEqual(answer.code, 404)
        self.assertIn("it was used, replaced or has expired", answer.text)
        other.get("/sign-in")
        self.assertEqual(self.reset(path, other, password=GOOD, again=GOOD).code, 404)
        self.assertEqual(self.sign_in(Visitor(self.site), password=BETTER).code, 303)

    def test_two_at_once(self) -> None:
        """Of two uses at the same time one succeeds."""
        path = self.link("reset", "Ana")
        visitors = Visitor(self.site), Visitor(self.site)
        for visitor in visitors:
            visitor.get(path)
        self.in_thread = threads = Threads()
        for visitor, password in zip(visitors, (BETTER, "another good one"), strict=True):
            with self.assertRaises(Unanswered):
                self.reset(path, visitor, password=password, again=password)
        while threads.working:
            threads.finish()
        self.in_thread = maybeDeferred
        self.assertEqual(self.sign_in(password=BETTER).code, 303)
        self.assertEqual(self.sign_in(Visitor(self.site), password="another good one").code, 422)

    def test_no_good(self) -> None:
        """A link that expired, was replaced, is of another kind, or has no active account does not work."""
        old = self.link("reset", "Ana", NOW - 24 * 3600)
        self.assertEqual(self.visitor.get(old).code, 404)
        first, second = self.link("reset", "Ana"), self.link("reset", "Ana")
        self.assertEqual((self.visitor.get(first).code, self.visitor.get(second).code), (404, 200))
        self.assertEqual(self.visitor.get(self.link("invite").replace("sign-up", "reset")).code, 404)
        self.registry.enact(AccountSaved(replace(self.account(), disabled=True)))
        self.assertEqual(self.visitor.get(second).code, 404)
        self.registry.enact(AccountSaved(replace(self.account(), disabled=False)))
        self.registry.enact(AccountRemoved("Ana"))
        self.assertEqual(self.visitor.get(second).code, 404)

    def test_no_referrer(self) -> None:
        """The page of a link sends no referrer and is not cached."""
        answer = self.visitor.get(self.link("reset", "Ana"))
        self.assertEqual(
            (answer.headers["referrer-policy"], answer.headers["cache-control"]), ("no-referrer", "no-store")
        )

    def test_edited_meanwhile(self) -> None:
        """A change by an admin while a password is hashed is kept."""
        path = self.link("reset", "Ana")
        self.visitor.get(path)
        self.in_thread = threads = Threads()
        with self.assertRaises(Unanswered):
            self.reset(path)
        self.registry.enact(AccountSaved(replace(self.account(), disabled=True)))
        threads.finish()
        self.assertTrue(self.account().disabled)
        self.assertEqual(self.accounts.of("Ana", "visit"), [])


class ReaderTests(AccountsTestCase):
    """Crawlers and programs."""

    def test_log(self) -> None:
        """A HEAD request for a link, as mail programs send, does not put the link into the log."""
        logged: list[LogEvent] = []
        observer: Any = logged.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        answer = self.visitor.ask("HEAD", self.link("invite"))
        self.assertEqual((answer.code, answer.body, logged), (200, b"", []))
        self.assertGreater(int(answer.headers["content-length"]), 1000)

    def test_robots(self) -> None:
        """Crawlers are asked to stay away."""
        robots = self.visitor.get("/robots.txt").body.decode()
        for path in ("/account", "/forgot", "/reset/", "/setup/", "/sign-in", "/sign-up"):
            self.assertIn(f"Disallow: {path}\n", robots)

    def test_no_mail(self) -> None:
        """Without mail no page promises any."""
        self.assertEqual(self.visitor.get("/forgot").code, 404)
        self.visitor.get("/sign-in")
        self.assertEqual(self.visitor.post("/forgot", {"name": "Ana"}).code, 404)
        self.assertNotIn("/forgot", self.visitor.get("/sign-in").page.links())

    def test_sign_in_leads_back(self) -> None:
        """Signing in leads back to any page."""
        self.assertIn("/sign-in?back=/games%3Fq%3Da", self.visitor.get("/games?q=a").page.links())
        self.assertIn("/sign-in", self.visitor.get("/").page.links())
