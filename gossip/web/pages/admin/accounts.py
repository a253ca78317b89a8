"""The accounts of people on the pages."""

from __future__ import annotations

from typing import Any

from gossip.operations.accounts import (
    AccountAdd,
    AccountEdit,
    AccountInvite,
    AccountList,
    AccountRemove,
    AccountReset,
    AccountShow,
)
from gossip.registry.errors import Refused
from gossip.web.http.requests import PublicRequest
from gossip.web.http.router import NotFound
from gossip.web.http.urls import site_address
from gossip.web.pages.admin.page import AdminPage


class AccountsPage(AdminPage):
    """All accounts."""

    pattern = "/admin/accounts"
    template = "admin/accounts.html"
    title = "Accounts"
    does = (AccountAdd, AccountInvite)

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        page = await self.listed(request, AccountList, actor, "name", "email")
        return {**page, "site": site_address(request) or ""}


class AccountPage(AdminPage):
    """One account."""

    pattern = "/admin/accounts/{name}"
    template = "admin/account.html"
    does = (AccountEdit, AccountReset, AccountRemove)
    gone = (AccountRemove,)
    parent = "/admin/accounts"

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        try:
            account = await self.tell(AccountShow(*words), actor)
        except Refused:
            raise NotFound("There is no such account.") from None
        return {"title": account["name"], "account": account, "site": site_address(request) or "", "actor": actor}
