"""Sending messages from the pages, reporting them, and removing them. All need an account."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from twisted.web import http

from gossip.network.history import message_id
from gossip.operations.executor import Executor
from gossip.operations.messages import MessageRemove
from gossip.operations.reports import ReportAdd
from gossip.protocol.errors import Denied, Error, Overrun
from gossip.protocol.text import kept
from gossip.registry.entities import Account
from gossip.registry.errors import Refused
from gossip.store.errors import StoreError
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.accept import accepts_html
from gossip.web.http.requests import TOO_MANY, UNPROCESSABLE, PublicRequest, answer_text
from gossip.web.http.router import Problem, Router, redirect
from gossip.web.pages.chat import ChatPages, Draft, number_of
from gossip.web.pages.removal import remove_message
from gossip.web.views.layout import Layout
from gossip.web.views.public import PublicView
from gossip.web.views.queries import CachedQueries

REPORTS: Final = 20
"""The maximum number of open reports from one account."""

_AWAY: Final = "Games received the message, but it could not be saved: the database is not responding."
_SIGN_IN: Final = "You are no longer signed in. Reload the page to sign in."


class ChatActions:
    """What the forms on the channel pages do."""

    def __init__(
        self,
        layout: Layout,
        public: PublicView,
        queries: CachedQueries,
        cookies: SessionCookies,
        executor: Executor,
        chat: ChatPages,
    ) -> None:
        self._layout = layout
        self._public = public
        self._queries = queries
        self._cookies = cookies
        self._executor = executor
        self._chat = chat

    def add(self, router: Router) -> None:
        """Add the paths of the forms. A reload of such a path leads back to the page of the form."""
        router.add("/chat/{name}/say", get=lambda request, name: redirect(request, _path(name)), post=self.say)
        router.add(
            "/chat/{name}/{seq}/report", get=lambda request, *words: redirect(request, _path(*words)), post=self.report
        )
        router.add(
            "/chat/{name}/{seq}/remove",
            get=lambda request, *words: redirect(request, _path(*words)),
            post=self._cookies.require_admin(self.remove),
        )

    async def say(self, request: PublicRequest, name: str) -> bytes:
        """Send a message. The answer comes when it is saved."""
        self._public.channel(name)
        account = self._cookies.account(request)
        if account is None:
            return _sign_in(request, _path(name))
        draft = await self._said(request, account, name, self._cookies.read_form(request).text("message").strip())
        if draft.wrong and accepts_html(request):
            return await self._chat.chat(request, name, draft)
        if draft.wrong:
            raise Problem(draft.code, draft.wrong)
        self._queries.spoken(name)
        if accepts_html(request):
            return redirect(request, _path(name) + "#message")
        return answer_text(request, "Sent.", http.OK)

    async def _said(self, request: PublicRequest, account: Account, channel: str, text: str) -> Draft:
        """Send a message; the draft that comes back has the reason if that failed."""
        gossip = self._layout.gossip
        try:
            # People type tags to talk of them: nothing of theirs is dropped.
            await gossip.say(account.name, self._layout.peer(request), channel, kept(text))
        except Denied as denied:
            gossip.counters.failed(denied.error)
            return Draft(text, f"Not sent: {denied}.", UNPROCESSABLE)
        except Overrun:
            too_fast = Error.of("rate-limited")
            gossip.counters.failed(too_fast)
            return Draft(text, f"Not sent: {too_fast.text}. Wait a moment.", TOO_MANY)
        except StoreError:
            return Draft(text, _AWAY, http.SERVICE_UNAVAILABLE)
        return Draft()

    async def report(self, request: PublicRequest, name: str, seq: str) -> bytes:
        """Report a message."""
        self._public.channel(name)
        number = number_of(seq)
        account = self._cookies.account(request)
        if account is None:
            return _sign_in(request, _path(name, seq))
        reason = self._cookies.read_form(request).text("reason").strip()
        waiting = self._layout.gossip.network.registry.reports.values()
        try:
            if sum(report.made_by == account.name for report in waiting) >= REPORTS:
                raise Refused("too-many", None, f"you already have {REPORTS} open reports")
            await self._executor.carry_out(ReportAdd(channel=name, seq=number, reason=reason), account.name)
        except Refused as refused:
            draft = Draft(reason, f"Not reported: {refused}.", UNPROCESSABLE)
            return await self._chat.message(request, name, seq, draft)
        return redirect(request, _path(name, seq) + "?reported=1#report")

    async def remove(self, request: PublicRequest, account: Account, name: str, seq: str) -> bytes:
        """Remove a message, which only admins can do."""
        self._public.channel(name)
        form = self._cookies.read_form(request)
        reason = form.text("reason").strip()
        removal = MessageRemove(id=message_id(name, number_of(seq)), reason=reason)
        try:
            await remove_message(lambda each: self._executor.carry_out(each, account.name), form, removal)
        except Refused as refused:
            draft = Draft(reason, f"Not done: {refused}.", UNPROCESSABLE)
            return await self._chat.message(request, name, seq, removal=draft)
        return redirect(request, f"{_path(name, seq)}#{quote(name, safe='')}-{number_of(seq)}")


def _path(*words: str) -> str:
    return "/".join(("/chat", *(quote(word, safe="") for word in words)))


def _sign_in(request: PublicRequest, back: str) -> bytes:
    """Redirect to the sign-in page; a script gets a text to show."""
    if accepts_html(request):
        return redirect(request, f"/sign-in?back={quote(back, safe='/')}")
    raise Problem(http.FORBIDDEN, _SIGN_IN)
