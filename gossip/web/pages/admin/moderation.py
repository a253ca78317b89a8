"""Moderation: mutes and bans, word filters."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from gossip.operations.command import Command, Result
from gossip.operations.filters import FilterAdd, FilterList, FilterRemove, FilterTry
from gossip.operations.restrictions import BanAdd, BanList, BanRemove, MuteAdd, MuteList, MuteRemove
from gossip.registry.errors import Refused
from gossip.web.http.forms import Form
from gossip.web.http.requests import PublicRequest
from gossip.web.http.urls import parameter
from gossip.web.pages.admin.page import MOST_LISTED, AdminPage

LENGTHS: Final = (
    (30, "30 minutes"),
    (2 * 60, "2 hours"),
    (12 * 60, "12 hours"),
    (24 * 60, "1 day"),
    (7 * 24 * 60, "1 week"),
    (28 * 24 * 60, "4 weeks"),
)
"""Suggested lengths of mutes and bans, in minutes."""


class RestrictionsPage(AdminPage):
    """Mutes and bans."""

    pattern = "/admin/moderation"
    template = "admin/restrictions.html"
    title = "Mutes & bans"
    does = (MuteAdd, MuteRemove, BanAdd, BanRemove)

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        mutes = await self.tell(MuteList(limit=MOST_LISTED), actor)
        bans = await self.tell(BanList(limit=MOST_LISTED), actor)
        # A link can name the target: it only fills in the form.
        given = {name: parameter(request, name) or "" for name in ("who", "channel", "reason")}
        return {
            "mutes": mutes["mutes"],
            "bans": bans["bans"],
            "more": {"mute": mutes["left"], "ban": bans["left"]},
            "given": given,
            "lengths": LENGTHS,
            "suggested": await self.suggested("game", "channel"),
        }

    async def carry_out(self, action: Command, form: Form, actor: str) -> Result:
        if isinstance(action, MuteAdd | BanAdd):
            # A field that was left blank is no decision.
            if action.minutes is None and not form.checked("always"):
                raise Refused("invalid", "minutes", "say for how long, or tick For good")
            action = replace(action, minutes=None) if form.checked("always") else action
        return await super().carry_out(action, form, actor)


class FiltersPage(AdminPage):
    """Word filters."""

    pattern = "/admin/filters"
    template = "admin/filters.html"
    title = "Filters"
    does = (FilterAdd, FilterRemove, FilterTry)

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        page = await self.listed(request, FilterList, actor, "text", "channel")
        return {**page, "suggested": await self.suggested("channel")}
