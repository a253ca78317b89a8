"""L{gossip.web.accounts.cookies}: session cookies, and forms that only pages of this site can send."""

from __future__ import annotations

from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.accounts import TICKETS
from gossip.registry.changes import AccountSaved
from gossip.registry.secret import digest
from gossip.web.accounts.cookies import DAY
from gossip.web.accounts.passwords import Passwords
from gossip.web.site import public_site
from tests.support.memory_service import MemoryService
from tests.support.passwords import GOOD, QUICK
from tests.support.visitor import FORM_TYPE, Visitor


class VisitsTestCase(SynchronousTestCase):
    """A site, an account, and a browser."""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.accounts = self.service.network.registry.accounts
        self.site = public_site(
            self.service,
            self.service.store,
            self.service.clock,
            maybeDeferred,
            passwords=Passwords(maybeDeferred, QUICK),
        )
        self.visitor = Visitor(self.site)
        self.add("Ana")

    def add(self, name: str, **more: bool) -> None:
        """Add an account."""
        visitor = Visitor(self.site)
        account = visitor.sign_in(self.service, name, **more)
        self.service.network.registry.enact(AccountSaved(replace(account, password=QUICK.hash(GOOD))))
        self.accounts.revoke((digest(visitor.cookies["visit"]),))

    def edit(self, **attributes: bool) -> None:
        """Change Ana's account."""
        account = self.accounts.named("Ana")
        assert account is not None
        self.service.network.registry.enact(AccountSaved(replace(account, **attributes)))

    def sign_in(self, visitor: Visitor | None = None, name: str = "Ana") -> Visitor:
        """Sign in by the form."""
        visitor = visitor or self.visitor
        answer = visitor.post("/sign-in", {"name": name, "password": GOOD}, at="/sign-in")
        self.assertEqual((answer.code, answer.location), (303, "/"))
        return visitor


class CookieTests(VisitsTestCase):
    """The session cookie."""

    def test_attributes(self) -> None:
        """Scripts cannot read the cookie, other sites cannot send it, and it lasts as long as the session."""
        self.sign_in()
        (line,) = (line for line in self.visitor.said if line.startswith("visit="))
        attributes = {each.strip().lower() for each in line.split(";")[1:]}
        self.assertLessEqual({"httponly", "samesite=lax", "path=/", f"max-age={30 * DAY}"}, attributes)
        self.assertNotIn("secure", attributes)

    def test_secure(self) -> None:
        """On an encrypted connection no other host can set the cookie, and it is never sent unencrypted."""
        visitor = self.sign_in(Visitor(self.site, secure=True))
        (line,) = (line for line in visitor.said if line.startswith("__Host-visit="))
        attributes = {each.strip().lower() for each in line.split(";")[1:]}
        self.assertLessEqual({"secure", "httponly", "samesite=lax", "path=/"}, attributes)
        self.assertFalse(any(each.startswith("domain") for each in attributes))
        self.assertTrue(visitor.is_signed_in())

    def test_plain_name_on_encrypted_way(self) -> None:
        """On an encrypted connection a cookie without the prefix is ignored: another host may have set it."""
        self.sign_in()
        secure = Visitor(self.site, secure=True)
        secure.cookies = {"visit": self.visitor.cookies["visit"]}
        self.assertFalse(secure.is_signed_in())

    def test_only_a_digest(self) -> None:
        """The stored digest is not a valid cookie."""
        self.sign_in()
        (ticket,) = self.accounts.of("Ana", "visit")
        self.assertEqual(ticket.digest, digest(self.visitor.cookies["visit"]))
        self.visitor.cookies["visit"] = ticket.digest.hex()
        self.assertFalse(self.visitor.is_signed_in())

    def test_no_account(self) -> None:
        """Without an account a page without a form sets no cookie."""
        self.visitor.get("/")
        self.assertEqual(self.visitor.cookies, {})

    @given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=';,"\\'), max_size=60))
    def test_any_cookie(self, secret: str) -> None:
        """Any other cookie signs nobody in, and the page works."""
        visitor = Visitor(self.site)
        visitor.cookies = {"visit": secret, "form": secret}
        self.assertEqual(visitor.get("/sign-in").code, 200)
        self.assertFalse(visitor.is_signed_in())


class FixationTests(VisitsTestCase):
    """Session fixation: somebody plants a cookie in another browser."""

    def test_new_ticket(self) -> None:
        """Each sign-in makes a new cookie, and the previous one stops working."""
        self.sign_in()
        first = self.visitor.cookies["visit"]
        self.visitor.get("/account")
        answer = self.visitor.post("/sign-in", {"name": "Ana", "password": GOOD})
        self.assertEqual(answer.code, 303)
        self.assertEqual(len(self.visitor.said), 1)
        self.assertNotEqual(self.visitor.cookies["visit"], first)
        attacker = Visitor(self.site)
        attacker.cookies["visit"] = first
        self.assertFalse(attacker.is_signed_in())
        self.assertEqual(len(self.accounts.of("Ana", "visit")), 1)

    def test_planted(self) -> None:
        """A planted cookie does not become the session of the account that signs in."""
        self.add("Mallory")
        planted = self.sign_in(Visitor(self.site), "Mallory").cookies["visit"]
        for cookie in (planted, "made-up"):
            victim = Visitor(self.site)
            victim.cookies["visit"] = cookie
            self.sign_in(victim)
            self.assertNotEqual(victim.cookies["visit"], cookie)
            attacker = Visitor(self.site)
            attacker.cookies["visit"] = cookie
            self.assertNotIn("Ana", attacker.get("/").text)

    def test_form_cookie(self) -> None:
        """The form cookie from before the sign-in does not make form tokens for the session."""
        self.visitor.get("/sign-in")
        before = self.visitor.csrf
        self.sign_in()
        self.assertEqual(self.visitor.post("/sign-out", {"csrf": before}).code, 403)
        self.assertTrue(self.visitor.is_signed_in())


class EndTests(VisitsTestCase):
    """How a session ends."""

    def test_sign_out(self) -> None:
        """Signing out ends the session, even with the old cookie; other browsers stay signed in."""
        self.sign_in()
        other = self.sign_in(Visitor(self.site, "192.0.2.2"))
        cookie = self.visitor.cookies["visit"]
        answer = self.visitor.post("/sign-out", at="/")
        self.assertEqual((answer.code, answer.location), (303, "/"))
        self.assertNotIn("visit", self.visitor.cookies)
        self.visitor.cookies["visit"] = cookie
        self.assertFalse(self.visitor.is_signed_in())
        self.assertTrue(other.is_signed_in())

    def test_time(self) -> None:
        """A session expires after its days, and not a second earlier."""
        self.sign_in()
        self.service.clock.advance(30 * DAY - 1)
        self.assertTrue(self.visitor.is_signed_in())
        self.service.clock.advance(1)
        self.assertFalse(self.visitor.is_signed_in())

    def test_disabled(self) -> None:
        """A disabled account is signed out at once."""
        self.sign_in()
        self.edit(disabled=True)
        self.assertFalse(self.visitor.is_signed_in())
        self.assertEqual(self.visitor.get("/account").location, "/sign-in?back=/account")

    def test_no_longer_admin(self) -> None:
        """A former admin loses the rights of admins at once."""
        self.sign_in()
        self.edit(admin=True)
        self.assertEqual(self.visitor.get("/admin").code, 200)
        self.edit(admin=False)
        self.assertEqual(self.visitor.get("/admin").code, 403)

    def test_many(self) -> None:
        """With too many sessions the oldest ends."""
        first = self.sign_in(Visitor(self.site))
        for _ in range(TICKETS):
            self.service.clock.advance(1)
            self.sign_in(Visitor(self.site))
        self.assertEqual(len(self.accounts.of("Ana", "visit")), TICKETS)
        self.assertFalse(first.is_signed_in())


class GuardTests(VisitsTestCase):
    """Pages that need an account."""

    def test_sign_in_first(self) -> None:
        """Without an account a browser is sent to the sign-in page, and from there back."""
        self.assertEqual(self.visitor.get("/account?x=%22").location, "/sign-in?back=/account%3Fx%3D%2522")
        answer = self.visitor.get("/sign-in?back=/account%3Fx%3D%2522")
        back = next(tag["value"] for name, tag in answer.page.tags if tag.get("name") == "back" and name == "input")
        self.assertEqual(back, "/account?x=%22")
        answer = self.visitor.post("/sign-in", {"name": "Ana", "password": GOOD, "back": back or ""})
        self.assertEqual(answer.location, "/account?x=%22")

    def test_form_without_visit(self) -> None:
        """A form from an ended session does nothing, and leads to the sign-in page."""
        self.sign_in()
        self.visitor.get("/account")
        self.accounts.revoke((digest(self.visitor.cookies["visit"]),))
        answer = self.visitor.post("/account/email", {"email": "x@example.org"})
        self.assertEqual((answer.code, answer.location), (303, "/sign-in?back=/"))

    def test_admin_page(self) -> None:
        """A page for admins is refused to all others."""
        self.assertEqual(self.visitor.get("/admin").location, "/sign-in?back=/admin")
        self.sign_in()
        self.assertEqual(self.visitor.get("/admin").code, 403)


class ForgeryTests(VisitsTestCase):
    """Request forgery: another site makes a browser send a form to ours."""

    def setUp(self) -> None:
        super().setUp()
        self.sign_in()
        self.visitor.get("/account")

    def out(self, fields: dict[str, str] | None = None, **headers: str) -> int:
        """Try to sign out; the code of the answer."""
        return self.visitor.post("/sign-out", fields or {}, **headers).code

    def assertRefused(self, fields: dict[str, str] | None = None, **headers: str) -> None:
        self.assertEqual(self.out(fields, **headers), 403, (fields, headers))
        self.assertTrue(self.visitor.is_signed_in())

    def test_token(self) -> None:
        """Without the token of this session a form is refused."""
        other = self.sign_in(Visitor(self.site))
        other.get("/account")
        fresh = Visitor(self.site)
        fresh.get("/sign-in")
        for token in ("", "x", other.csrf, fresh.csrf, self.visitor.csrf[:-1], self.visitor.csrf.upper(), "ü" * 64):
            self.assertRefused({"csrf": token})
        self.assertEqual(self.out(), 303)

    def test_no_token(self) -> None:
        """A form without a token is refused, with and without an account."""
        for visitor in (self.visitor, Visitor(self.site)):
            answer = visitor.ask("POST", "/sign-in", urlencode({"name": "Ana"}).encode(), Content_Type=FORM_TYPE)
            self.assertEqual(answer.code, 403)

    def test_fetch_site(self) -> None:
        """A request that the browser marks as cross-site or same-site is refused."""
        for site in ("cross-site", "same-site", "nonsense", "same-origin, cross-site"):
            self.assertRefused(Sec_Fetch_Site=site)
        self.assertEqual(self.out(Sec_Fetch_Site="same-origin"), 303)

    def test_origin(self) -> None:
        """A request from a page of another host or port is refused."""
        for origin in (
            "https://evil.example",
            "http://mud.example",
            "http://mud.example:4111",
            "http://mud.example:4110.evil.example",
            "http://[",
            "",
            "mud.example:4110",
        ):
            self.assertRefused(Origin=origin)
        self.assertEqual(self.out(Origin="http://MUD.example:4110"), 303)

    def test_no_origin(self) -> None:
        """Without an origin, as from our pages, the token alone decides."""
        self.assertRefused({"csrf": "x"}, Origin="null")
        self.assertRefused(Origin="null", Sec_Fetch_Site="cross-site")
        self.assertEqual(self.out(Origin="null", Sec_Fetch_Site="same-origin"), 303)

    def test_no_form(self) -> None:
        """Other content types that need no preflight request are refused."""
        body = urlencode({"csrf": self.visitor.csrf}).encode()
        for kind in ("text/plain", "application/json", "multipart/form-data; boundary=x", ""):
            answer = self.visitor.ask("POST", "/sign-out", body, Content_Type=kind)
            self.assertEqual(answer.code, 415, kind)
        self.assertTrue(self.visitor.is_signed_in())

    def test_get_changes_nothing(self) -> None:
        """Links and images on other sites cannot sign anybody out."""
        self.assertEqual(self.visitor.get("/sign-out").code, 303)
        self.assertTrue(self.visitor.is_signed_in())

    def test_too_many_fields(self) -> None:
        """A form with too many fields is refused early."""
        body = ("csrf=" + self.visitor.csrf + "&a=" * 1000).encode()
        self.assertEqual(self.visitor.ask("POST", "/sign-out", body, Content_Type=FORM_TYPE).code, 400)
        body = ("csrf=" + self.visitor.csrf + "&a=" + "x" * 70_000).encode()
        self.assertEqual(self.visitor.ask("POST", "/sign-out", body, Content_Type=FORM_TYPE).code, 413)
        self.assertTrue(self.visitor.is_signed_in())

    @given(st.binary(max_size=200))
    def test_any_body(self, body: bytes) -> None:
        """Any body without a valid token is refused, and nothing fails."""
        answer = self.visitor.ask("POST", "/sign-out", body or b"x", Content_Type=FORM_TYPE)
        self.assertEqual(answer.code, 403)

    def test_tokens_agree(self) -> None:
        """All forms of a page have the same token, also before signing in."""
        page = Visitor(self.site).get("/sign-in").body.decode()
        account = self.visitor.get("/account").body.decode()
        for text, forms in ((page, 1), (account, 3)):
            tokens = [line for line in text.split("<input ") if 'name="csrf"' in line]
            self.assertGreaterEqual(len(tokens), forms)
            self.assertEqual(len({line.partition(">")[0] for line in tokens}), 1)
