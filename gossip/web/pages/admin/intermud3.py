"""The gateway to a live network of Intermud-3."""

from __future__ import annotations

from typing import Any

import msgspec

from gossip.operations.i3_gateway import I3AcceptRules, I3Forget, I3Reconnect, remote_games
from gossip.web.http.requests import PublicRequest
from gossip.web.pages.admin.page import AdminPage


class Intermud3Page(AdminPage):
    """How the gateway is, its channels and its MUDs."""

    pattern = "/admin/intermud3"
    template = "admin/intermud3.html"
    title = "Intermud-3"
    does = (I3AcceptRules, I3Reconnect, I3Forget)

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        gateway = self._layout.gossip.intermud
        if gateway is None:
            return {"gateway": None}
        muds = remote_games(self._layout.gossip)
        return {
            "gateway": msgspec.to_builtins(gateway.status()),
            "channels": msgspec.to_builtins(gateway.channels()),
            "rows": [(each, f"{each['short_name']} {each['name']}") for each in muds],
            "total": len(muds),
            "more": 0,
            "next": None,
            "wanted": "",
        }
