"""The rules of the network, and what it keeps about people."""

from __future__ import annotations

from typing import Final

from gossip.web.http.requests import PublicRequest
from gossip.web.http.router import Router
from gossip.web.settings import WebRules
from gossip.web.views.house_rules import HouseRules
from gossip.web.views.layout import Layout
from gossip.web.views.queries import Cache

_GOOD: Final = 365 * 86400


class RulesPage:
    """The rules, and what is kept for how long: as the settings have it, so that it is true."""

    def __init__(self, layout: Layout, house_rules: HouseRules, web_rules: WebRules) -> None:
        self._layout = layout
        self._house_rules = house_rules
        self._web_rules = web_rules
        self._kept = Cache(layout.clock)

    def add(self, router: Router) -> None:
        """Add the page."""
        router.add("/rules", get=self.rules)

    async def rules(self, request: PublicRequest) -> bytes:
        """The rules."""
        rules = self._house_rules
        # Made on the first request, in a thread: the first one in a process takes half a second.
        made = await self._kept.get(rules.source, _GOOD, lambda: self._layout.read(rules.document, rules.source))
        return self._layout.page(
            request,
            "rules.html",
            title=made.title,
            description=f"The rules of {self._layout.name}, how to reach its operator, and what is kept for how long.",
            document=made,
            elsewhere=rules.elsewhere,
            settings=self._layout.gossip.network.rules.settings,
            visit_days=self._web_rules.settings.visit_days,
        )
