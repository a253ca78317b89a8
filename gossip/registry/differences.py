"""What is different between two states of what is known, as changes: for those that did not hear of the real ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gossip.registry.changes import Change, ChannelSaved, ChannelsRemoved, RestrictionLifted, RestrictionSet
from gossip.registry.registry import Registry


def of_channels(before: Registry, after: Registry, kept: Collection[str]) -> Iterator[Change]:
    """
    How the channels changed.

    @param kept: channels that are not removed, whatever the later state says.
    """
    for name, channel in after.channels.items():
        if before.channels.get(name) != channel:
            yield ChannelSaved(channel)
    gone = tuple(name for name in before.channels if name not in after.channels and name not in kept)
    if gone:
        yield ChannelsRemoved(gone)


def of_restrictions(before: Registry, after: Registry) -> Iterator[RestrictionSet | RestrictionLifted]:
    """How mutes and bans changed. Those of games that are gone went with them, and of addresses only new ones count."""
    for kind in ("mute", "ban"):
        was, now = before.restrictions(kind), after.restrictions(kind)
        for subject, channel in was:
            if (subject, channel) not in now and subject.rpartition("@")[2] in after.games:
                yield RestrictionLifted(kind, subject, channel)
        for key, restriction in now.items():
            if was.get(key) != restriction:
                yield RestrictionSet(restriction)
