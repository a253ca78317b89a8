"""Operations on mutes and bans."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Annotated, Final

from msgspec import Meta

from gossip.operations.command import Argument, Block, Result, Table
from gossip.operations.listing import Listing, rest
from gossip.operations.operation import Done, Occasion, Operation, channel_name, find_speaker, speaker_name
from gossip.operations.texts import minute
from gossip.protocol.skeleton import is_visible
from gossip.protocol.text import is_line, timestamp
from gossip.registry.addresses import network
from gossip.registry.changes import Change, RestrictionLifted, RestrictionSet, Together
from gossip.registry.entities import Restriction
from gossip.registry.errors import Refused
from gossip.registry.registry import Registry
from gossip.registry.restrictions import address_of, is_over, player_of

_YEARS: Final = 10 * 366 * 24 * 60
_UNITS: Final = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}


def minutes_of(text: str) -> object:
    """
    Read a length of time, such as 30m, 12h, 7d or 4w, in minutes.

    @raise ValueError: it is not like that.
    """
    match = re.fullmatch(r"([0-9]{1,6})([mhdw])", text)
    if match is None:
        raise ValueError(f"{text!r} is not like 30m, 12h, 7d or 4w")
    return int(match[1]) * _UNITS[match[2]]


Minutes = Annotated[float, Meta(gt=0, le=_YEARS)]


def find_subject(registry: Registry, who: str) -> str:
    """
    Find the subject of a restriction: an address, C{player@game}, or a game. People on the web pages are players of the
    network's own game.

    @raise Refused: there is no such game, or the name is not one of a player.
    """
    player, at, game = who.rpartition("@")
    remote = registry.game_named(who.partition("/")[0]) if "/" in who else None
    if not at and remote is None and any(mark in who for mark in ".:/"):  # no game has one of these in its name
        try:
            return str(network(who))
        except ValueError as error:
            raise Refused("invalid", "who", str(error)) from None
    if not at:
        try:
            return find_speaker(registry, who, "who")
        except Refused:
            raise Refused("not-found", "who", "no such game; a player is named like Ana@MyMUD") from None
    # A player may be called like an address: what stands behind its % may be anything.
    client_id = find_speaker(registry, game, "who")
    if not is_visible(player) or not is_line(player):
        raise Refused("invalid", "who", "a player is named like Ana@MyMUD")
    return player_of(client_id, player)


def _who(registry: Registry, subject: str) -> str:
    """Write a subject as people do."""
    address = address_of(subject)
    if address is not None:
        return str(address)
    player, at, client_id = subject.rpartition("@")
    return player + at + speaker_name(registry, client_id)


def _covers(subject: str) -> str | None:
    """What the subject of a restriction covers, in words; C{None} if it is no address."""
    address = address_of(subject)
    if address is None:
        return None
    if address.bits == 128:
        sites = 1 << 64 - address.length
        return "one /64 network" if sites == 1 else f"{sites:,} /64 networks, to {address.last}"
    count = 1 << 32 - address.length
    return "one address" if count == 1 else f"{count:,} addresses, to {address.last}"


def shown_restriction(registry: Registry, restriction: Restriction) -> Result:
    """A mute or a ban as admins see it."""
    until = restriction.until
    return {
        "who": _who(registry, restriction.subject),
        "covers": _covers(restriction.subject),
        "channel": restriction.channel or None,
        "until": None if until is None else timestamp(until),
        "reason": restriction.reason,
        "set_by": restriction.set_by,
        "set_at": timestamp(restriction.set_at),
    }


# What people see of results.


def _view_restrictions(restrictions: Sequence[Result], empty: str) -> Sequence[Block]:
    rows = [
        (
            each["who"],
            each["covers"] or "",
            each["channel"] or "all",
            minute(each["until"]) or "for good",
            each["set_by"],
            each["reason"],
        )
        for each in restrictions
    ]
    return (Table(("WHO", "COVERS", "CHANNEL", "UNTIL", "BY", "REASON"), rows, empty),)


def _view_restriction(result: Result) -> Sequence[Block]:
    shown = {
        "who": result["who"],
        **({"covers": result["covers"]} if result["covers"] else {}),
        "channel": result["channel"] or "all",
        "until": result["until"] or "for good",
        "reason": result["reason"],
        "set by": result["set_by"],
        "set at": result["set_at"],
    }
    return (shown,)


class _Add(Operation, frozen=True):
    """
    Restrict a game, a player or an address, on a channel or everywhere.

    @ivar who: a game, PLAYER@GAME, an IP address, or a network like 192.0.2.0/24.
    @ivar reason: why; shown to the person affected, and on the page /moderation if there is one.
    @ivar channel: only on this channel; everywhere if it is not given.
    @ivar minutes: how long, in minutes; for good if it is not given.
    """

    view = staticmethod(_view_restriction)

    who: str
    reason: str
    channel: str | None = None
    minutes: (
        Annotated[
            Minutes,
            Argument("TIME", "--for", help="how long: 30m, 12h, 7d, 4w (default: for good)", read=minutes_of),
            Argument("MINUTES", "--minutes", help="the same in minutes"),
        ]
        | None
    ) = None

    def restrict(self, kind: str, registry: Registry, on: Occasion) -> Done:
        restriction = Restriction(
            kind=kind,
            subject=find_subject(registry, self.who),
            channel=channel_name(registry, self.channel),
            until=None if self.minutes is None else on.now + self.minutes * 60,
            reason=self.reason,
            set_by=on.actor,
            set_at=on.now,
        )
        # Older spellings of the same address are replaced as well.
        known = registry.restrictions(kind).on(restriction.subject, restriction.channel)
        older = [_lifted(each) for each in known if each.subject != restriction.subject]
        return _together([*older, RestrictionSet(restriction)]), shown_restriction(registry, restriction)


class _Remove(Operation, frozen=True):
    """
    End a restriction.

    @ivar who: a game, PLAYER@GAME, an IP address, or a network like 192.0.2.0/24.
    @ivar channel: the channel of the restriction; not given if it is one for all channels.
    """

    view = staticmethod(_view_restriction)

    who: str
    channel: str | None = None

    def lift(self, kind: str, registry: Registry) -> Done:
        found = registry.restrictions(kind).on(find_subject(registry, self.who), self.channel or "")
        if not found:
            raise Refused("not-found", "who", f"there is no such {kind}")
        return _together([_lifted(each) for each in found]), shown_restriction(registry, found[-1])


def _lifted(restriction: Restriction) -> Change:
    return RestrictionLifted(restriction.kind, restriction.subject, restriction.channel)


def _together(changes: Sequence[Change]) -> Change:
    return changes[0] if len(changes) == 1 else Together(tuple(changes))


_LATEST: Final = 10**12
"""Later than any time of a restriction, in seconds since the epoch."""


class _List(Listing, frozen=True):
    def key(self, entry: Restriction) -> str:
        return f"{_LATEST - entry.set_at:016.3f} {entry.subject} {entry.channel}"

    def text(self, entry: Restriction) -> str:
        return f"{entry.subject} {entry.channel} {entry.reason}"

    def counts(self, entry: Restriction, on: Occasion) -> bool:
        return not is_over(entry, on.now)

    def shown(self, entries: Sequence[Restriction], registry: Registry, on: Occasion) -> list[Result]:
        return [shown_restriction(registry, each) for each in entries]


class MuteAdd(_Add, frozen=True):
    """Mute a player, game or address. It still hears everything but cannot speak."""

    wire = "mute/add"
    done = "Muted {who}."

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return self.restrict("mute", registry, on)


class MuteList(_List, frozen=True):
    """List all mutes, the latest first."""

    wire = "mute/list"
    view = staticmethod(lambda result: (*_view_restrictions(result["mutes"], "Nobody is muted."), *rest(result)))
    entries = "mutes"

    def everything(self, registry: Registry) -> Collection[Restriction]:
        return registry.mutes.values()


class MuteRemove(_Remove, frozen=True):
    """End a mute."""

    wire = "mute/remove"
    done = "{who} is no longer muted."

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return self.lift("mute", registry)


class BanAdd(_Add, frozen=True):
    """Ban a player, game or address. Sessions of a game or address end, or leave the channel of the ban."""

    wire = "ban/add"
    done = "Banned {who}."

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return self.restrict("ban", registry, on)


class BanList(_List, frozen=True):
    """List all bans, the latest first."""

    wire = "ban/list"
    view = staticmethod(lambda result: (*_view_restrictions(result["bans"], "Nobody is banned."), *rest(result)))
    entries = "bans"

    def everything(self, registry: Registry) -> Collection[Restriction]:
        return registry.bans.values()


class BanRemove(_Remove, frozen=True):
    """End a ban."""

    wire = "ban/remove"
    done = "{who} is no longer banned."

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return self.lift("ban", registry)


OPERATIONS: Final[tuple[type[Operation], ...]] = (
    MuteAdd,
    MuteList,
    MuteRemove,
    BanAdd,
    BanList,
    BanRemove,
)
"""All operations on mutes and bans."""
