"""
Session cookies, which say who is signed in, and the tokens that protect forms from other sites (CSRF).

A browser that signs in gets a ticket as a cookie, a new one each time, so that nobody can plant one in advance. A form
carries a token made from the cookie: another site can make a browser send the cookie, but cannot read it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

import msgspec
from twisted.web import http

from gossip.operations.accounts import LINK_PATHS, issue
from gossip.registry.addresses import Address
from gossip.registry.changes import Change, TicketsRevoked, Together
from gossip.registry.entities import Account, Ticket
from gossip.registry.secret import digest
from gossip.service.service import GossipService
from gossip.web.http.forms import Form
from gossip.web.http.requests import PublicRequest, bearer
from gossip.web.http.router import Problem, View, redirect
from gossip.web.settings import WebRules

DAY: Final = 24 * 3600

SHOWN: Final = 5 * 60
"""For how many seconds a page shows what is shown once."""

_VISIT, _FORM, _SHOWN = b"visit", b"form", b"shown"
_FIELDS: Final = 300
_LINKS: Final = tuple(path.encode() for path in LINK_PATHS.values())
_FORM_TYPE: Final = b"application/x-www-form-urlencoded"


class SignInFirst(Problem):
    """The page needs an account. The browser is sent to the sign-in page, which leads back."""

    def __init__(self, request: PublicRequest) -> None:
        here = request.uri if request.method != b"POST" else b"/"
        location = f"/sign-in?back={quote(here.decode('ascii', 'replace'), safe='/')}"
        super().__init__(http.SEE_OTHER, "Sign in first.", {b"Location": location.encode()})


class SessionCookies:
    """The cookies of browsers that are signed in."""

    def __init__(self, gossip: GossipService, rules: WebRules) -> None:
        self._gossip = gossip
        self._rules = rules

    def account(self, request: PublicRequest) -> Account | None:
        """The account that is signed in; C{None} if there is none."""
        ticket = self._ticket(request)
        return None if ticket is None else self._gossip.network.registry.accounts.named(ticket.account)

    def first(self, request: PublicRequest) -> Awaitable[None] | None:
        """
        What a request waits for before it is answered. A browser that shows a secret which is not known here may have
        got it from another node of the network just now; and what it changes may be what it changed there.
        """
        if self._gossip.cluster is None or not (request.method == b"POST" or self._is_unheard(request)):
            return None
        return self._gossip.caught_up()

    def _is_unheard(self, request: PublicRequest) -> bool:
        """Does a request show a secret that is not known here: a cookie, a token, or a link?"""
        shown = [_cookie(request, _VISIT), bearer(request) or ""]
        if request.path.startswith(_LINKS):
            shown.append(request.path.rpartition(b"/")[2].decode("ascii", "replace"))
        tickets = self._gossip.network.registry.accounts.tickets
        return any(secret and digest(secret) not in tickets for secret in shown)

    def require_account(self, request: PublicRequest) -> Account:
        """
        The account that is signed in.

        @raise SignInFirst: there is none.
        """
        account = self.account(request)
        if account is None:
            raise SignInFirst(request)
        return account

    def require_sign_in(self, view: Callable[..., Any]) -> View:
        """Make a view, which takes the account after the request, one that needs an account."""

        def guarded(request: PublicRequest, *words: str) -> Any:
            return view(request, self.require_account(request), *words)

        return guarded

    def require_admin(self, view: Callable[..., Any]) -> View:
        """The same for a view that needs an admin."""

        def guarded(request: PublicRequest, *words: str) -> Any:
            account = self.require_account(request)
            if not account.admin:
                raise Problem(http.FORBIDDEN, "Only admins can do this.")
            return view(request, account, *words)

        return guarded

    async def sign_in(self, request: PublicRequest, account: Account, peer: Address) -> None:
        """
        Sign a browser in, and sign out the account that was signed in there.

        @param account: the account as it was when its password was checked.
        @param peer: the address of the browser, which the account's page lists.
        @raise SignInFirst: the account was removed, disabled or got another password since.
        """
        secret, now = str(uuid.uuid4()), self._gossip.now().wall
        days = self._rules.settings.visit_days
        ticket = Ticket(
            digest=digest(secret),
            kind="visit",
            account=account.name,
            label=str(peer),
            made_at=now,
            expires=now + days * DAY,
        )
        accounts = self._gossip.network.registry.accounts

        def make() -> Change:
            # Checked here, when it is this change's turn: otherwise a ticket for a deleted account would sign in
            # whoever takes that name next.
            known = accounts.named(account.name)
            if known is None or known.disabled or known.password != account.password:
                raise SignInFirst(request)
            before, issued = self._ticket(request), issue(accounts, ticket)
            return Together((TicketsRevoked((before.digest,)), issued)) if before else issued

        await self._gossip.change(make)
        self._set(request, _VISIT, secret, int(days * DAY))

    async def sign_out(self, request: PublicRequest) -> None:
        """Sign a browser out. Does nothing if it is not signed in."""
        ticket = self._ticket(request)
        if ticket is not None:
            await self._gossip.change(TicketsRevoked((ticket.digest,)))
            self._set(request, _VISIT, "", 0)

    def current_digest(self, request: PublicRequest) -> bytes:
        """The digest of this browser's ticket; empty if it has none."""
        ticket = self._ticket(request)
        return b"" if ticket is None else ticket.digest

    # Forms.

    def form_token(self, request: PublicRequest) -> str:
        """
        The token that a form on a page must send back in its field C{csrf}. It differs each time that a page is made:
        by it a form that comes twice is known.
        """
        secret = self.form_secret(request) or request.form_secret
        if not secret:
            # The answer to this request sets it; all forms of the page share it.
            secret = request.form_secret = str(uuid.uuid4())
            self._set(request, _FORM, secret, None)
        request.form_nonce = request.form_nonce or uuid.uuid4().hex[:12]
        return _token(secret, request.form_nonce)

    def form_secret(self, request: PublicRequest) -> str:
        """What the forms of a browser are protected with; empty if it has nothing yet."""
        if self._ticket(request) is not None:
            return _cookie(request, _VISIT)
        return _cookie(request, _FORM)

    def read_form(self, request: PublicRequest) -> Form:
        """
        Read the form of a POST request.

        @raise Problem: another site sent it, or the body is not a form.
        """
        if (request.getHeader(b"content-type") or b"").partition(b";")[0].strip().lower() != _FORM_TYPE:
            raise Problem(http.UNSUPPORTED_MEDIA_TYPE, "Only forms are accepted here.")
        assert request.content is not None
        body = request.content.read().decode("ascii", "replace")
        try:
            form = Form(parse_qs(body, keep_blank_values=True, max_num_fields=_FIELDS, errors="replace"))
        except ValueError:
            raise Problem(http.BAD_REQUEST, "The form cannot be read.") from None
        secret, token = self.form_secret(request), _plain(form)
        expected = _token(secret, token.partition("-")[0])
        if not _is_from_here(request) or not secret or not hmac.compare_digest(expected, token):
            raise Problem(
                http.FORBIDDEN, "The form has expired, or another site sent it. Reload the page and try again."
            )
        return form

    # What is shown once.

    def show_later(self, request: PublicRequest, path: str, shown: Mapping[str, Any]) -> bytes:
        """
        Redirect to a page that shows something secret for L{SHOWN} seconds, and never again. A cookie carries it there,
        so that it is in no address, any node can show it, and a form that is sent twice shows the same.

        @param path: the page, which gets it from L{shown}.
        """
        value = base64.urlsafe_b64encode(msgspec.json.encode(shown)).decode()
        signed = f"{value}.{self._signature(request, value)}"
        self._set(request, _SHOWN, signed, SHOWN, path.partition("?")[0])
        return redirect(request, path)

    def shown(self, request: PublicRequest) -> dict[str, Any] | None:
        """What the page shows once; C{None} if there is nothing, or no longer."""
        value, _, signature = _cookie(request, _SHOWN).partition(".")
        if not value or not signature.isascii():
            return None
        if not hmac.compare_digest(self._signature(request, value), signature):
            return None
        shown: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(value))
        return shown

    def _signature(self, request: PublicRequest, value: str) -> str:
        # Another host of the domain could set the cookie: it must not put words into our pages.
        return hmac.new(_cookie(request, _VISIT).encode(), f"shown:{value}".encode(), hashlib.sha256).hexdigest()

    def _ticket(self, request: PublicRequest) -> Ticket | None:
        secret = _cookie(request, _VISIT)
        return (
            self._gossip.network.registry.accounts.shown(secret, "visit", self._gossip.now().wall) if secret else None
        )

    def _set(self, request: PublicRequest, name: bytes, value: str, seconds: int | None, path: str = "/") -> None:
        request.addCookie(
            _cookie_name(request, name),
            value.encode(),
            path=path.encode(),
            max_age=None if seconds is None else str(seconds).encode(),
            secure=request.encrypted,
            httpOnly=True,
            sameSite="lax",
        )


def _cookie_name(request: PublicRequest, name: bytes) -> bytes:
    # With these prefixes it is set on encrypted connections only, with the second by no other host of the domain.
    prefix = b"__Secure-" if name == _SHOWN else b"__Host-"
    return prefix + name if request.encrypted else name


def _cookie(request: PublicRequest, name: bytes) -> str:
    return (request.getCookie(_cookie_name(request, name)) or b"").decode("ascii", "replace")


def _token(secret: str, nonce: str) -> str:
    return f"{nonce}-{hashlib.sha256(f'csrf:{nonce}:{secret}'.encode()).hexdigest()}"


def _plain(form: Form) -> str:
    """The token that a form sent; C{compare_digest} takes ASCII only."""
    token = form.text("csrf")
    return token if token.isascii() else ""


def _is_from_here(request: PublicRequest) -> bool:
    """Whether the request came from a page of this site, as far as the browser tells."""
    if (request.getHeader(b"sec-fetch-site") or b"same-origin") not in (b"same-origin", b"none"):
        return False
    origin = request.getHeader(b"origin")
    if origin is None or origin == b"null":
        # Browsers send null because our pages set no-referrer; then only the token decides.
        return True
    try:
        host = urlsplit(origin.decode("ascii", "replace")).netloc
    except ValueError:
        return False
    return host.lower() == (request.getHeader(b"host") or b"").decode("ascii", "replace").lower()
