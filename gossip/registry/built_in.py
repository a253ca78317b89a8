"""What a new network has from the beginning."""

from __future__ import annotations

from typing import Final

from gossip.registry.changes import Change, ChannelSaved
from gossip.registry.entities import Channel
from gossip.registry.names import ECHO_CHANNEL

BUILT_IN: Final[tuple[Change, ...]] = (
    ChannelSaved(Channel("gossip", hidden=False, description="For everybody", kept=True)),
    ChannelSaved(Channel(ECHO_CHANNEL, description="Say something here, and echo answers your game", kept=True)),
)
"""
The channels of a new network: one to talk on, and one to try things on, which is not on the pages.

They are made together with the store and never again, so an admin can change and remove them like all others.
"""
