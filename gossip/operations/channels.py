"""Operations on channels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Final

from msgspec import Meta
from msgspec.structs import replace

from gossip.operations.accounts import find_account
from gossip.operations.command import Argument, Block, Result, Table
from gossip.operations.listing import Listing, rest
from gossip.operations.operation import Done, Occasion, Operation, find_channel, find_speaker, speaker_name
from gossip.operations.texts import minute
from gossip.protocol.text import clean, timestamp
from gossip.registry.changes import ChannelSaved, ChannelsRemoved
from gossip.registry.entities import Channel
from gossip.registry.errors import Refused
from gossip.registry.names import NETWORK_GAME
from gossip.registry.registry import Registry
from gossip.registry.remotes import gateway_of

PAUSE: Final = 30
"""How long a channel is paused by default, in minutes."""

_YEAR: Final = 366 * 24 * 60
_SPEAKERS: Final = 1000
_MODERATORS: Final = 100
_TEXT: Final = 2000


# What people see of results.


def _view_channels(result: Result) -> Sequence[Block]:
    rows = [
        (
            channel["name"],
            _state(channel),
            channel["description"] or "",
            channel["described_by"] or "",
            minute(channel["described_at"]),
        )
        for channel in result["channels"]
    ]
    head = ("CHANNEL", "STATE", "DESCRIPTION", "BY", "AT")
    return (Table(head, rows, "There is no channel."), *rest(result))


def _view_channel(result: Result) -> Sequence[Block]:
    speakers = result["speakers"]
    shown = {
        "name": result["name"],
        "state": _state(result),
        "description": result["description"],
        "described by": result["described_by"],
        "described at": minute(result["described_at"]),
        "speakers": None if speakers is None else ", ".join(speakers) or "none",
        "moderators": ", ".join(result["moderators"]) or None,
    }
    return (shown,)


def _view_hint(result: Result) -> Sequence[Block]:
    # "channel show" published the channel up to version 1.0: a script that still types it can learn it here.
    hint = f"Web pages do not show it. To publish it: gossipctl channel publish {result['name']}"
    return (*_view_channel(result), *(("", hint) if result["hidden"] else ()))


def _state(channel: Result) -> str:
    states = ["hidden" if channel["hidden"] else "public"]
    if channel["paused_until"]:
        states.append(f"paused until {channel['paused_until']}")
    if channel["speakers"] is not None:
        states.append("only some may speak")
    return ", ".join(states)


class ChannelList(Listing, frozen=True):
    """List all channels, hidden ones included."""

    wire = "channel/list"
    view = staticmethod(_view_channels)
    entries = "channels"

    def everything(self, registry: Registry) -> Collection[Channel]:
        return registry.channels.values()

    def key(self, entry: Channel) -> str:
        # Names of channels that differ only in case are different channels.
        return f"{entry.name.lower()} {entry.name}"

    def text(self, entry: Channel) -> str:
        return entry.name

    def shown(self, entries: Sequence[Channel], registry: Registry, on: Occasion) -> list[Result]:
        return [channel_shown(registry, channel, on.now) for channel in entries]


class ChannelCreate(Operation, frozen=True):
    """
    Create a channel. People see it on the web pages, unless it is hidden. A channel that a game creates by subscribing
    is hidden.

    @ivar channel: the channel.
    @ivar description: what the channel is for.
    @ivar hidden: do not show the channel to people. Games can still hear it.
    """

    wire = "channel/create"
    done = "Created the channel {name}."
    view = staticmethod(_view_channel)
    may_be_first = True

    channel: str
    description: str | None = None
    hidden: bool = False

    def perform(self, registry: Registry, on: Occasion) -> Done:
        if self.channel in registry.channels:
            raise Refused("taken", "channel", f"the channel {self.channel} exists already")
        channel = _described(Channel(self.channel, hidden=self.hidden, kept=True), self.description, on)
        return ChannelSaved(channel), channel_shown(registry, channel, on.now)


class ChannelInfo(Operation, frozen=True):
    """
    Show what is known of a channel.

    @ivar channel: the channel.
    """

    wire = "channel/info"  # not channel/show, which publishes: see L{ChannelShow}
    typed = "channel show"
    view = staticmethod(_view_hint)

    channel: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return None, channel_shown(registry, find_channel(registry, self.channel), on.now)


class ChannelPublish(Operation, frozen=True):
    """
    Publish a channel. The web pages show it from now on, with its messages.

    @ivar channel: the channel.
    """

    wire = "channel/publish"
    done = "The channel {name} is public now."
    view = staticmethod(_view_channel)

    channel: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, replace(channel, hidden=False), on.now)


class ChannelShow(ChannelPublish, frozen=True):
    """
    The name of channel/publish up to version 1.0. It still publishes, and goes away with the next release.

    @ivar channel: the channel.
    """

    wire = "channel/show"
    typed = None
    deprecated = "channel/publish"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        change, result = super().perform(registry, on)
        return change, {**result, "deprecated": f"{self.wire} goes away: use {self.deprecated}"}


class ChannelHide(Operation, frozen=True):
    """
    Hide a channel from people. Games still hear it.

    @ivar channel: the channel.
    """

    wire = "channel/hide"
    done = "The channel {name} is hidden now."
    view = staticmethod(_view_channel)

    channel: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, replace(channel, hidden=True), on.now)


class ChannelPause(Operation, frozen=True):
    """
    Pause a channel. Nobody can speak on it meanwhile.

    @ivar channel: the channel.
    @ivar minutes: how long, in minutes.
    """

    wire = "channel/pause"
    done = "Paused the channel {name}."
    view = staticmethod(_view_channel)

    channel: str
    minutes: Annotated[float, Meta(gt=0, le=_YEAR), Argument(positional=True)] = PAUSE

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, replace(channel, paused_until=on.now + self.minutes * 60), on.now)


class ChannelResume(Operation, frozen=True):
    """
    End the pause of a channel.

    @ivar channel: the channel.
    """

    wire = "channel/resume"
    done = "The channel {name} goes on."
    view = staticmethod(_view_channel)

    channel: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, replace(channel, paused_until=None), on.now)


class ChannelDescribe(Operation, frozen=True):
    """
    Describe what a channel is for, or what it is about at the moment.

    @ivar channel: the channel.
    @ivar description: the text; an empty text removes the description.
    """

    wire = "channel/describe"
    done = "Changed the channel {name}."
    view = staticmethod(_view_channel)

    channel: str
    description: str | None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return _changed(registry, channel, _described(channel, self.description, on), on.now)


class ChannelSpeakers(Operation, frozen=True):
    """
    Set which games can speak on a channel. People on the web pages speak as the game C{gossip}.

    @ivar channel: the channel.
    @ivar games: the games that can speak; if empty, only the network itself can; if null, all games can.
    """

    wire = "channel/speakers"
    done = "Changed the speakers of {name}."
    view = staticmethod(_view_channel)

    channel: str
    games: (
        Annotated[
            tuple[str, ...],
            Meta(max_length=_SPEAKERS),
            Argument("GAME", help="only these games"),
            Argument(option="--all", value=None, help="all games"),
            Argument(option="--none", value=(), help="only the network itself"),
        ]
        | None
    )

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        games = None if self.games is None else frozenset(find_speaker(registry, game, "games") for game in self.games)
        return _changed(registry, channel, replace(channel, speakers=games), on.now)


class ChannelModerators(Operation, frozen=True):
    """
    Set which accounts moderate a channel. On that channel they can remove messages, mute for at most a day, and resolve
    reports.

    @ivar channel: the channel.
    @ivar accounts: the accounts; none if it is empty.
    """

    wire = "channel/moderators"
    done = "Changed the moderators of {name}."
    view = staticmethod(_view_channel)

    channel: str
    accounts: Annotated[
        tuple[str, ...],
        Meta(max_length=_MODERATORS),
        Argument("ACCOUNT", help="only these accounts"),
        Argument(option="--none", value=(), help="nobody; admins can always moderate"),
    ]

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        moderators = frozenset(_moderator(registry, name) for name in self.accounts)
        return _changed(registry, channel, replace(channel, moderators=moderators), on.now)


def _moderator(registry: Registry, name: str) -> str:
    account = find_account(registry, name, "accounts")
    if account.disabled:
        raise Refused("conflict", "accounts", f"the account {account.name} is disabled")
    return account.name


class ChannelRemove(Operation, frozen=True):
    """
    Remove a channel. Games that are subscribed hear nothing of it any more; one that subscribes again creates it anew,
    unless its name is in network.blocked_channels. Its messages stay until they expire.

    @ivar channel: the channel.
    """

    wire = "channel/remove"
    question = "Remove the channel {channel}? Its messages stay until they expire."
    done = "Removed the channel {name}."
    view = staticmethod(_view_channel)

    channel: str

    def perform(self, registry: Registry, on: Occasion) -> Done:
        channel = find_channel(registry, self.channel)
        return ChannelsRemoved((channel.name,)), channel_shown(registry, channel, on.now)


def _changed(registry: Registry, known: Channel, channel: Channel, now: float) -> Done:
    # From now on it stays, whether anybody uses it or not.
    channel = replace(channel, kept=True, unused_since=None)
    return None if channel == known else ChannelSaved(channel), channel_shown(registry, channel, now)


def _described(channel: Channel, text: str | None, on: Occasion) -> Channel:
    """A channel with a new description, and who wrote it. One that stays the same keeps its author."""
    text = _text(text)
    if text == channel.description:
        return channel
    by, at = (None, None) if text is None else (on.actor, on.now)
    return replace(channel, description=text, described_by=by, described_at=at)


def _text(text: str | None) -> str | None:
    if text is not None and (len(text) > _TEXT or clean(text) != text):
        raise Refused(
            "invalid",
            "description",
            f"a description has at most {_TEXT} characters, without control characters and tags",
        )
    return text or None


def channel_shown(registry: Registry, channel: Channel, now: float) -> Result:
    """
    What is told of a channel.

    @param now: seconds since the epoch.
    """
    until, speakers = channel.paused_until, channel.speakers
    games = None
    if speakers is not None:
        games = [speaker_name(registry, each) for each in speakers if gateway_of(each) in registry.games]
        games += [NETWORK_GAME] if NETWORK_GAME in speakers else []
    return {
        "name": channel.name,
        "hidden": channel.hidden,
        "paused_until": timestamp(until) if until is not None and until > now else None,
        "description": channel.description,
        "described_by": channel.described_by,
        "described_at": None if channel.described_at is None else timestamp(channel.described_at),
        "speakers": None if games is None else sorted(games),
        "moderators": sorted(channel.moderators),
    }


OPERATIONS: Final[tuple[type[Operation], ...]] = (
    ChannelList,
    ChannelCreate,
    ChannelInfo,
    ChannelPublish,
    ChannelShow,
    ChannelHide,
    ChannelPause,
    ChannelResume,
    ChannelDescribe,
    ChannelSpeakers,
    ChannelModerators,
    ChannelRemove,
)
"""All operations on channels."""
