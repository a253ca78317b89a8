"""The channels of the network, and each of them."""

from __future__ import annotations

from typing import Any

from gossip.admin import (
    PAUSE,
    ChannelCreate,
    ChannelDescribe,
    ChannelHide,
    ChannelList,
    ChannelPause,
    ChannelResume,
    ChannelShow,
    ChannelSpeakers,
)
from gossip.web.base import parameter
from gossip.web.pages.admin.page import AdminPage
from gossip.web.requests import PublicRequest
from gossip.web.router import NotHere


class ChannelsPage(AdminPage):
    """All channels, the hidden ones too."""

    pattern = "/admin/channels"
    template = "admin/channels.html"
    title = "Channels"
    does = (ChannelCreate, ChannelShow, ChannelHide, ChannelPause, ChannelResume)

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        channels = (await self.tell(ChannelList(), actor))["channels"]
        network = self._base.gossip.network
        wanted = (parameter(request, "q") or "").strip()[:100]
        return {
            "channels": channels,
            "wanted": wanted,
            "shown": {channel["name"] for channel in channels if wanted.lower() in channel["name"].lower()},
            "listening": network.channels.subscribed(),
            "pauses": _pauses(self, [channel["name"] for channel in channels]),
            "minutes": PAUSE,
        }


class ChannelPage(AdminPage):
    """One channel."""

    pattern = "/admin/channels/{name}"
    template = "admin/channel.html"
    does = (ChannelShow, ChannelHide, ChannelPause, ChannelResume, ChannelDescribe, ChannelSpeakers)

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        (name,) = words
        channels = (await self.tell(ChannelList(), actor))["channels"]
        channel = next((channel for channel in channels if channel["name"] == name), None)
        if channel is None:
            raise NotHere("There is no such channel.")
        return {
            "title": f"#{name}",
            "channel": channel,
            "listening": self._base.gossip.network.channels.subscribed().get(name, 0),
            "left": _pauses(self, [name]).get(name),
            "minutes": PAUSE,
            "suggested": self.suggested(),
        }


def _pauses(page: AdminPage, names: list[str]) -> dict[str, float]:
    """For how many seconds each of these channels stays paused, if it is."""
    channels, now = page._base.gossip.network.registry.channels, page._base.now
    ends = {name: channels[name].paused_until for name in names if name in channels}
    return {name: end - now for name, end in ends.items() if end is not None and end > now}
