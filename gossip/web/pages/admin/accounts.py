"""Who signs in on the pages."""

from __future__ import annotations

from typing import Any

from gossip.accounts import (
    AccountAdd,
    AccountEdit,
    AccountInvite,
    AccountList,
    AccountRemove,
    AccountReset,
    AccountShow,
)
from gossip.network.registry import Refused
from gossip.web.base import parameter, site_address
from gossip.web.pages.admin.page import AdminPage
from gossip.web.requests import PublicRequest
from gossip.web.router import NotHere


class AccountsPage(AdminPage):
    """All accounts."""

    pattern = "/admin/accounts"
    template = "admin/accounts.html"
    title = "Accounts"
    does = (AccountAdd, AccountInvite)

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        accounts = (await self.tell(AccountList(), actor))["accounts"]
        wanted = (parameter(request, "q") or "").strip()[:100]
        texts = {account["name"]: f"{account['name']} {account['email'] or ''}" for account in accounts}
        return {
            "accounts": accounts,
            "texts": texts,
            "wanted": wanted,
            "shown": {name for name, text in texts.items() if wanted.lower() in text.lower()},
            "site": site_address(request) or "",
        }


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
            raise NotHere("There is no such account.") from None
        return {"title": account["name"], "account": account, "site": site_address(request) or "", "actor": actor}
