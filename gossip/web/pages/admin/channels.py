"""The list of channels, and the page of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gossip.operations.channels import (
    PAUSE,
    ChannelCreate,
    ChannelDescribe,
    ChannelHide,
    ChannelList,
    ChannelModerators,
    ChannelPause,
    ChannelPublish,
    ChannelRemove,
    ChannelResume,
    ChannelSpeakers,
    channel_shown,
)
from gossip.web.http.requests import PublicRequest
from gossip.web.http.router import NotFound
from gossip.web.pages.admin.page import AdminPage


class _Pauses(AdminPage):
    """A page that shows how long channels stay paused."""

    def pauses(self, names: Iterable[str]) -> dict[str, float]:
        """For how many more seconds each of these channels is paused; others are left out."""
        channels, now = self._layout.gossip.network.registry.channels, self._layout.now
        ends = {name: channels[name].paused_until for name in names if name in channels}
        return {name: end - now for name, end in ends.items() if end is not None and end > now}


class ChannelsPage(_Pauses):
    """All channels, including hidden ones."""

    pattern = "/admin/channels"
    template = "admin/channels.html"
    title = "Channels"
    does = (ChannelCreate, ChannelPublish, ChannelHide, ChannelPause, ChannelResume)

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        page = await self.listed(request, ChannelList, actor, "name")
        network = self._layout.gossip.network
        return {
            **page,
            "listening": network.channels.subscribed(),
            "pauses": self.pauses(channel["name"] for channel, _ in page["rows"]),
            "minutes": PAUSE,
        }


class ChannelPage(_Pauses):
    """One channel."""

    pattern = "/admin/channels/{name}"
    template = "admin/channel.html"
    does = (
        ChannelPublish,
        ChannelHide,
        ChannelPause,
        ChannelResume,
        ChannelDescribe,
        ChannelSpeakers,
        ChannelModerators,
        ChannelRemove,
    )
    gone = (ChannelRemove,)
    parent = "/admin/channels"

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        (name,) = words
        registry = self._layout.gossip.network.registry
        known = registry.channels.get(name)
        if known is None:
            raise NotFound("There is no such channel.")
        return {
            "title": f"#{name}",
            "channel": channel_shown(registry, known, self._layout.now),
            "listening": self._layout.gossip.network.channels.subscribed().get(name, 0),
            "left": self.pauses([name]).get(name),
            "minutes": PAUSE,
        }
