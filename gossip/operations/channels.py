"""Operations on channels."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta
from msgspec.structs import replace

from gossip.operations.operation import Done, Occasion, Operation, Result, find_channel, find_speaker
from gossip.protocol.text import clean, timestamp
from gossip.registry.changes import (
    Channel,
    ChannelSaved,
)
from gossip.registry.errors import Refused
from gossip.registry.names import NETWORK_GAME
from gossip.registry.registry import Registry

PAUSE: Final = 30
"""For how many minutes a channel is paused, unless said otherwise."""


_SPEAKERS: Final = 1000


_YEAR: Final = 366 * 24 * 60


_TEXT: Final = 2000


class ChannelList(Operation, frozen=True):
    """All channels, the hidden ones too."""

    wire = "channel/list"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channels = sorted(registry.channels.values(), key=lambda channel: (channel.name.lower(), channel.name))
        return None, {"channels": [_channel(registry, channel, on.now) for channel in channels]}


class ChannelCreate(Operation, frozen=True):
    """Make a channel that people see; one that a game makes by subscribing is hidden."""

    wire = "channel/create"

    channel: str
    description: str | None = None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        if self.channel in registry.channels:
            raise Refused(f"the channel {self.channel} exists already")
        channel = Channel(self.channel, hidden=False, description=_text(self.description))
        return ChannelSaved(channel), _channel(registry, channel, on.now)


class ChannelShow(Operation, frozen=True):
    """People see a channel from now on."""

    wire = "channel/show"

    channel: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, replace(channel, hidden=False), on.now)


class ChannelHide(Operation, frozen=True):
    """People no longer see a channel; games hear it all the same."""

    wire = "channel/hide"

    channel: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, replace(channel, hidden=True), on.now)


class ChannelPause(Operation, frozen=True):
    """Nobody may speak on a channel for a while."""

    wire = "channel/pause"

    channel: str
    minutes: Annotated[float, Meta(gt=0, le=_YEAR)] = PAUSE

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, replace(channel, paused_until=on.now + self.minutes * 60), on.now)


class ChannelResume(Operation, frozen=True):
    """The pause of a channel is over."""

    wire = "channel/resume"

    channel: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, replace(channel, paused_until=None), on.now)


class ChannelDescribe(Operation, frozen=True):
    """Say what a channel is for; an empty text is none."""

    wire = "channel/describe"

    channel: str
    description: str | None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, replace(channel, description=_text(self.description)), on.now)


class ChannelSpeakers(Operation, frozen=True):
    """
    Let only some games speak on a channel, none but the network itself, or, with C{games} null, all of them. People on
    the pages are the game C{gossip}.
    """

    wire = "channel/speakers"

    channel: str
    games: Annotated[tuple[str, ...], Meta(max_length=_SPEAKERS)] | None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        games = None if self.games is None else frozenset(find_speaker(registry, game) for game in self.games)
        return _changed(registry, channel, replace(channel, speakers=games), on.now)


def _changed(registry: Registry, known: Channel, channel: Channel, now: float) -> Done:
    return None if channel == known else ChannelSaved(channel), _channel(registry, channel, now)


def _text(text: str | None) -> str | None:
    if text is not None and (len(text) > _TEXT or clean(text) != text):
        raise Refused(f"a description has up to {_TEXT} characters, without control characters and tags")
    return text or None


def _channel(registry: Registry, channel: Channel, now: float) -> Result:
    until, speakers = channel.paused_until, channel.speakers
    games = None
    if speakers is not None:
        games = [registry.games[each].short_name for each in speakers if each in registry.games]
        games += [NETWORK_GAME] if NETWORK_GAME in speakers else []
    return {
        "name": channel.name,
        "hidden": channel.hidden,
        "paused_until": timestamp(until) if until is not None and until > now else None,
        "description": channel.description,
        "speakers": None if games is None else sorted(games),
    }
