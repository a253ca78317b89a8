"""
People on the web pages, who talk without a game.

They are players of the network's own game, C{NAME@gossip}, and come under everything that games come under: rate
limits, lengths, pauses, mutes, bans, filters, and the list of speakers of a channel.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from gossip.network.channels import Channels
from gossip.network.nodes import Nodes
from gossip.network.outputs import Outputs
from gossip.network.ratelimit import Buckets, spend
from gossip.network.settings import Rules
from gossip.network.speaker import Speaker
from gossip.protocol.errors import Overrun
from gossip.protocol.moment import Moment
from gossip.registry.addresses import Address
from gossip.registry.names import NETWORK_GAME

_REMEMBERED: Final = 10_000
"""The rate limits of at most this many people are remembered."""


class People:
    """Lets people on the pages talk."""

    def __init__(self, channels: Channels, nodes: Nodes, rules: Rules) -> None:
        self._channels = channels
        self._nodes = nodes
        self._rules = rules
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
        speaker = Speaker(NETWORK_GAME, NETWORK_GAME, name, peer, self._buckets_of(name))
        return [*self._channels.say(speaker, channel, message, now), *self._nodes.spoke(name)]

    def check(self, name: str, peer: Address, channel: str, now: Moment) -> None:
        """
        May somebody speak on a channel that exists, whatever they say? The arguments are those of L{say}.

        @raise Denied: they may not; the text says why.
        """
        self._channels.check_speaker(Speaker(NETWORK_GAME, NETWORK_GAME, name, peer), channel, now)

    def spoke(self, name: str, now: Moment) -> None:
        """A person spoke on another node, which counts here as well."""
        with suppress(Overrun):
            spend(self._buckets_of(name), "channels_send", self._rules.limits.rates.channels_send, now)

    def _buckets_of(self, name: str) -> Buckets:
        # The person that spoke last stands last: the one that was silent for longest is forgotten first.
        buckets = self._buckets[name] = self._buckets.pop(name, {})
        if len(self._buckets) > _REMEMBERED:
            del self._buckets[next(iter(self._buckets))]
        return buckets
