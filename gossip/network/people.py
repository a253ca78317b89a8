"""
People on the web pages, who talk without a game.

They are players of the network's own game, C{NAME@gossip}, and come under everything that games come under: rate
limits, lengths, pauses, mutes, bans, filters, and the list of speakers of a channel.
"""

from __future__ import annotations

from typing import Final

from gossip.network.channels import Channels
from gossip.network.outputs import Outputs
from gossip.network.ratelimit import Buckets
from gossip.network.speaker import Speaker
from gossip.protocol.moment import Moment
from gossip.registry.addresses import Address
from gossip.registry.names import NETWORK_GAME

_REMEMBERED: Final = 10_000
"""The rate limits of at most this many people are remembered."""


class People:
    """Lets people on the pages talk."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._buckets: dict[str, Buckets] = {}

    def say(self, name: str, peer: Address, channel: str, message: str, now: Moment) -> Outputs:
        """
        Somebody says something on a channel that exists.

        @param name: the name of the account.
        @param peer: the address that it comes from.
        @return: broadcasts, if anybody hears it, and the commit of what was said.
        @raise Denied: it cannot be said; the text is what a game would be told.
        @raise Overrun: it comes too fast.
        """
        # The person that spoke last stands last: the one that was silent for longest is forgotten first.
        buckets = self._buckets[name] = self._buckets.pop(name, {})
        if len(self._buckets) > _REMEMBERED:
            del self._buckets[next(iter(self._buckets))]
        speaker = Speaker(NETWORK_GAME, NETWORK_GAME, name, peer, buckets)
        return self._channels.say(speaker, channel, message, now)
