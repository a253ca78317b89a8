"""
The public site: pages for people, JSON for programs, health and metrics for monitoring.

Everything on a page that comes from outside is escaped. No page shows a hidden game, a hidden channel or a secret.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from twisted.internet.interfaces import IReactorTime

from gossip.operations.executor import Executor
from gossip.operations.interfaces import InThread, PagesStore
from gossip.registry.changes import MessageSaid
from gossip.service.service import GossipService
from gossip.web.accounts.attempts import MINUTE, Attempts
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.accounts.mail import Mail
from gossip.web.accounts.passwords import Passwords
from gossip.web.accounts.sign_in import SignIn
from gossip.web.accounts.tokens import Tokens
from gossip.web.api.monitoring import Monitoring
from gossip.web.api.public_api import Api
from gossip.web.http.once import Once
from gossip.web.http.requests import BoundedSite, PublicRequest
from gossip.web.http.router import Router
from gossip.web.live import Live, Readers
from gossip.web.pages.about import AboutPages
from gossip.web.pages.account import AccountPages
from gossip.web.pages.admin import AdminPages
from gossip.web.pages.chat import ChatPages
from gossip.web.pages.chat_actions import ChatActions
from gossip.web.pages.connect import ConnectPages
from gossip.web.pages.crawlers import CrawlerPages
from gossip.web.pages.front import FrontPages
from gossip.web.pages.games import GamePages
from gossip.web.pages.manage import ManagePages
from gossip.web.pages.moderate import ModeratePages
from gossip.web.pages.moderation import ModerationPages
from gossip.web.pages.ownerless import OwnerlessGames
from gossip.web.pages.rules import RulesPage
from gossip.web.pages.search import SearchPage
from gossip.web.pages.sign_in import SignInPages
from gossip.web.pages.tastes import TastesPage
from gossip.web.pages.welcome import WelcomePage
from gossip.web.settings import WebRules
from gossip.web.views.checklist import Checklists
from gossip.web.views.house_rules import HouseRules
from gossip.web.views.layout import Layout
from gossip.web.views.public import PublicView
from gossip.web.views.queries import CachedQueries
from gossip.web.views.searches import Searches

SEARCHES: Final = 30
"""At most this many searches of one address are carried out in a minute."""


class PublicSite(BoundedSite):
    """
    The site for everybody.

    @ivar live: sends messages to readers as they are said.
    """

    def __init__(self, router: Router, clock: IReactorTime, gossip: GossipService, live: Live, rules: WebRules) -> None:
        super().__init__(router, clock, PublicRequest)
        self.live = live
        self._rules = rules
        self._gossip = gossip
        gossip.heard.add(live.heard)
        gossip.removed.add(live.removed)

    def getResourceFor(self, request: Any) -> Any:
        if request.encrypted:
            # RFC 6797, section 7.2: never on a page without TLS.
            days = self._rules.settings.hsts_days
            request.setHeader(b"Strict-Transport-Security", b"max-age=%d" % (days * 86400))
        return super().getResourceFor(request)

    def stopFactory(self) -> None:
        # Otherwise the streams would break off instead of ending.
        self.live.stop()
        super().stopFactory()

    def startFactory(self) -> None:
        self.live.start()
        super().startFactory()


def public_site(
    gossip: GossipService,
    store: PagesStore,
    clock: IReactorTime,
    in_thread: InThread,
    readers: Readers | None = None,
    proxies: int = 0,
    executor: Executor | None = None,
    rules: WebRules | None = None,
    passwords: Passwords | None = None,
    mail: Mail | None = None,
    ports: Mapping[str, tuple[str, str]] | None = None,
    house_rules: HouseRules | None = None,
    config_file: str = "",
) -> PublicSite:
    """
    The site for everybody.

    @param in_thread: C{deferToThread}, or a substitute.
    @param readers: the limits for readers of live messages.
    @param proxies: how many hops of X-Forwarded-For to trust.
    @param executor: the one that the admin API uses too; a new one by default.
    @param rules: the settings of the pages.
    @param passwords: makes and checks hashes; by default with argon2 at full strength.
    @param mail: sends mail, if it is configured.
    @param ports: the ports of each transport by its name, without and with TLS; empty for none.
    @param house_rules: the rules for people; the default ones by default.
    @param config_file: the path of the configuration file; empty if there is none.
    """
    rules = rules or WebRules()
    executor = executor or Executor(gossip, store, in_thread)
    cookies = SessionCookies(gossip, rules)
    layout = Layout(
        gossip, store, clock, in_thread, cookies.account, cookies.form_token, lambda: rules.can_sign_up, proxies
    )
    public = PublicView(gossip.network)
    queries = CachedQueries(layout, public)
    searches = Searches(layout, public, Attempts(clock, "searches", SEARCHES, MINUTE).spend)
    tokens = Tokens(gossip, clock)
    sign_in = SignIn(layout, cookies, executor, rules, passwords or Passwords(in_thread), mail)
    line: Any = vars(layout.templates.get_template("lines.html").module)["line"]

    def encode(said: MessageSaid, everywhere: bool) -> bytes:
        text: str = line(said, public.is_game(said.game), everywhere=everywhere)
        return text.strip().encode("utf-8", "replace")

    live = Live(clock, gossip.network.registry, encode, readers or Readers())
    chat = ChatPages(layout, public, queries, live)
    ownerless = OwnerlessGames(layout, cookies, executor)
    later = None if gossip.cluster is None else gossip.caught_up
    router = Router(layout.problem_page, cookies.first, later, Once(clock, cookies.form_secret))
    router.add("/static/{name}", get=layout.assets)
    # Browsers ask for it where a page names no icon: for JSON, or a feed.
    router.add("/favicon.ico", get=lambda request: layout.assets(request, "icon.svg"))
    for part in (
        Monitoring(layout, tokens, live),
        FrontPages(layout, public, queries),
        CrawlerPages(queries),
        GamePages(layout, public, queries),
        # Before the chat pages, whose patterns match its paths too.
        ChatActions(layout, public, queries, cookies, executor, chat),
        chat,
        AboutPages(layout, public, queries),
        ModerationPages(layout),
        RulesPage(layout, house_rules or HouseRules(), rules),
        SignInPages(sign_in, _new_uuid),
        WelcomePage(layout, public, cookies),
        AccountPages(sign_in, _new_uuid),
        TastesPage(layout, cookies),
        ownerless,
        ManagePages(layout, cookies, executor, rules, ownerless),
        ModeratePages(layout, cookies, executor),
        ConnectPages(
            layout,
            public,
            cookies,
            ownerless,
            rules,
            (ports or {}).get("telnet", ("", "")),
            (ports or {}).get("imc2", ("", ""))[0],
            ((ports or {}).get("i3", ("", ""))[0], rules.i3_router),
        ),
        AdminPages(layout, cookies, executor, public, Checklists(layout, public, rules), rules, config_file),
        SearchPage(layout, public, searches),
        Api(layout, public, queries, tokens, executor, searches),
    ):
        part.add(router)
    return PublicSite(router, clock, gossip, live, rules)


def _new_uuid() -> str:
    return str(uuid.uuid4())
