"""What an admin can do to keep order: mutes, bans, word filters, reports, and the log of what admins did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta

from gossip.operations.operation import Done, Memory, Occasion, Operation, Result, find_channel, find_speaker
from gossip.protocol.text import clean, timestamp
from gossip.registry.changes import (
    AuditEntry,
    Filter,
    FilterRemoved,
    FilterSaved,
    MessageSaid,
    Report,
    ReportMade,
    ReportResolved,
    Restriction,
    RestrictionLifted,
    RestrictionSet,
)
from gossip.registry.errors import Refused
from gossip.registry.filters import Matcher, folded, words
from gossip.registry.registry import REASON, Registry
from gossip.registry.restrictions import address, is_over, player_of

TRIED: Final = 7 * 24 * 3600
"""Over how many seconds a filter is tried."""

_TRIED_MESSAGES: Final = 50_000
"""Over how many messages at the most."""

_SHOWN: Final = 20
"""So many of the messages that a filter hits are shown."""

_YEARS: Final = 10 * 366 * 24 * 60
_MOST: Final = 1000

Minutes = Annotated[float, Meta(gt=0, le=_YEARS)]
Many = Annotated[int, Meta(ge=1, le=_MOST)]


# Mutes and bans.


def _subject(registry: Registry, who: str) -> str:
    """
    Who is meant: an address, C{player@game}, or a game; people on the pages play in the network's own.

    @raise Refused: nobody is.
    """
    player, at, game = who.rpartition("@")
    if not at:
        return address(who) or find_speaker(registry, who)
    # A player may be called like an address: what stands behind its % may be anything.
    client_id = find_speaker(registry, game)
    if not player.strip() or clean(player) != player:
        raise Refused("a player is named like Ana@MyMUD")
    return player_of(client_id, player)


def _who(registry: Registry, subject: str) -> str:
    """The same as people write it."""
    player, at, client_id = subject.rpartition("@")
    game = registry.games.get(client_id)
    return player + at + (game.short_name if game else client_id)


def _where(registry: Registry, channel: str | None) -> str:
    return "" if channel is None else find_channel(registry, channel).name


def shown_restriction(registry: Registry, restriction: Restriction) -> Result:
    """A mute or a ban, as the admin is told of it."""
    until = restriction.until
    return {
        "who": _who(registry, restriction.subject),
        "channel": restriction.channel or None,
        "until": None if until is None else timestamp(until),
        "reason": restriction.reason,
        "set_by": restriction.set_by,
        "set_at": timestamp(restriction.set_at),
    }


class _Add(Operation, frozen=True):
    """Somebody is restricted: a game, C{player@game}, or an address; on a channel or everywhere."""

    who: str
    reason: str
    channel: str | None = None
    minutes: Minutes | None = None

    def restrict(self, kind: str, registry: Registry, on: Occasion) -> Done:
        restriction = Restriction(
            kind=kind,
            subject=_subject(registry, self.who),
            channel=_where(registry, self.channel),
            until=None if self.minutes is None else on.now + self.minutes * 60,
            reason=self.reason,
            set_by=on.actor,
            set_at=on.now,
        )
        return RestrictionSet(restriction), shown_restriction(registry, restriction)


class _Remove(Operation, frozen=True):
    """A restriction is over."""

    who: str
    channel: str | None = None

    def lift(self, kind: str, known: Mapping[tuple[str, str], Restriction], registry: Registry) -> Done:
        subject, channel = _subject(registry, self.who), self.channel or ""
        restriction = known.get((subject, channel))
        if restriction is None:
            raise Refused(f"there is no such {kind}")
        return RestrictionLifted(kind, subject, channel), shown_restriction(registry, restriction)


def _listed(known: Mapping[tuple[str, str], Restriction], registry: Registry, on: Occasion) -> list[Result]:
    held = [each for each in known.values() if not is_over(each, on.now)]
    return [shown_restriction(registry, each) for each in sorted(held, key=lambda each: -each.set_at)]


class MuteAdd(_Add, frozen=True):
    """Somebody may not speak, from the very next message on."""

    wire = "mute/add"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return self.restrict("mute", registry, on)


class MuteList(Operation, frozen=True):
    """Who may not speak, the latest first."""

    wire = "mute/list"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return None, {"mutes": _listed(registry.mutes, registry, on)}


class MuteRemove(_Remove, frozen=True):
    """Somebody may speak again."""

    wire = "mute/remove"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return self.lift("mute", registry.mutes, registry)


class BanAdd(_Add, frozen=True):
    """Somebody may not be here; the sessions of a game or an address end, or no longer hear the channel."""

    wire = "ban/add"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return self.restrict("ban", registry, on)


class BanList(Operation, frozen=True):
    """Who may not be here, the latest first."""

    wire = "ban/list"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return None, {"bans": _listed(registry.bans, registry, on)}


class BanRemove(_Remove, frozen=True):
    """Somebody may be here again."""

    wire = "ban/remove"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return self.lift("ban", registry.bans, registry)


# Word filters.


def shown_filter(kept: Filter) -> Result:
    """A filter, as the admin is told of it."""
    return {
        "text": kept.text,
        "channel": kept.channel or None,
        "substring": kept.substring,
        "action": kept.action,
        "reason": kept.reason,
        "set_by": kept.set_by,
        "set_at": timestamp(kept.set_at),
    }


def _filter_text(text: str) -> str:
    return folded(" ".join(text.split()))


class FilterAdd(Operation, frozen=True):
    """A word or several may not be said; as a substring, not within other words either."""

    wire = "filter/add"

    text: str
    reason: str
    channel: str | None = None
    substring: bool = False
    action: Literal["refuse", "mask"] = "refuse"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        kept = Filter(
            text=_filter_text(self.text),
            channel=_where(registry, self.channel),
            substring=self.substring,
            action=self.action,
            reason=self.reason,
            set_by=on.actor,
            set_at=on.now,
        )
        return FilterSaved(kept), shown_filter(kept)


class FilterList(Operation, frozen=True):
    """All filters."""

    wire = "filter/list"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        kept = sorted(registry.filters.kept.values(), key=lambda each: (each.text, each.channel))
        return None, {"filters": [shown_filter(each) for each in kept]}


class FilterRemove(Operation, frozen=True):
    """Something may be said again."""

    wire = "filter/remove"

    text: str
    channel: str | None = None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        text, channel = _filter_text(self.text), self.channel or ""
        kept = registry.filters.kept.get((text, channel))
        if kept is None:
            raise Refused("there is no such filter")
        return FilterRemoved(text, channel), shown_filter(kept)


class FilterTry(Operation, frozen=True):
    """What would a filter have hit in the last week? It hits nothing."""

    wire = "filter/try"
    looks = True

    text: str
    channel: str | None = None
    substring: bool = False

    def look(self, memory: Memory, now: float) -> tuple[int, list[MessageSaid]]:
        text = _filter_text(self.text)
        if not text or not (self.substring or words(text)):
            raise Refused("a filter without a word in it must look for a part of words")
        tried = Filter(text=text, substring=self.substring, reason="-", set_by="-", set_at=now)
        hits = Matcher([tried]).hits
        said = memory.said_since(now - TRIED, _TRIED_MESSAGES, self.channel)
        return len(said), [each for each in said if any(hits(each.message)) or any(hits(each.name))]

    def perform(self, registry: Registry, on: Occasion) -> Done:
        _where(registry, self.channel)
        count, hit = on.found
        return None, {"messages": count, "hits": len(hit), "shown": [shown_said(said) for said in hit[:_SHOWN]]}


def shown_said(said: MessageSaid) -> Result:
    """What was said, as programs are told of it."""
    return {
        "channel": said.channel,
        "seq": said.seq,
        "game": said.game,
        "name": said.name,
        "message": said.message,
        "said_at": timestamp(said.said_at),
    }


# Reports.


def shown_report(report: Report) -> Result:
    """A complaint, as the admin is told of it."""
    return {
        "number": report.number,
        "channel": report.channel,
        "seq": report.seq,
        "game": report.game,
        "name": report.name,
        "message": report.message,
        "reason": report.reason,
        "made_by": report.made_by,
        "made_at": timestamp(report.made_at),
        "resolved_by": report.resolved_by,
        "resolved_at": None if report.resolved_at is None else timestamp(report.resolved_at),
        "resolution": report.resolution,
    }


class ReportAdd(Operation, frozen=True):
    """Somebody complains of a message."""

    wire = "report/add"
    looks = True

    channel: str
    seq: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    reason: str

    def look(self, memory: Memory, now: float) -> MessageSaid | None:
        found = memory.history(self.channel, 1, before=self.seq + 1) if self.seq < 2**63 - 1 else ()
        return found[0] if found and found[0].seq == self.seq else None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        said: MessageSaid | None = on.found
        if said is None:
            raise Refused("no such message")
        this = (said.channel, said.seq, on.actor)
        if any((each.channel, each.seq, each.made_by) == this for each in registry.reports.values()):
            raise Refused("you have reported this message already")
        report = Report(
            number=registry.numbers.next_report(),
            channel=said.channel,
            seq=said.seq,
            game=said.game,
            name=said.name,
            message=said.message,
            reason=self.reason,
            made_by=on.actor,
            made_at=on.now,
        )
        return ReportMade(report), shown_report(report)


def _open(registry: Registry) -> list[Report]:
    return sorted(registry.reports.values(), key=lambda report: report.number)


class ReportList(Operation, frozen=True):
    """The complaints that nobody has seen to, the oldest first; or the latest of all."""

    wire = "report/list"
    looks = True

    all: bool = False
    limit: Many = 100

    def look(self, memory: Memory, now: float) -> list[Report]:
        return list(memory.reports(self.limit, resolved=True)) if self.all else []

    def perform(self, registry: Registry, on: Occasion) -> Done:
        reports = on.found if self.all else _open(registry)[: self.limit]
        return None, {"reports": [shown_report(report) for report in reports]}


class ReportResolve(Operation, frozen=True):
    """Somebody has seen to a complaint."""

    wire = "report/resolve"

    number: int
    resolution: str | None = None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        report = registry.reports.get(self.number)
        if report is None:
            raise Refused("no such open report")
        resolution = self.resolution or None
        if resolution and (len(resolution) > REASON or clean(resolution) != resolution):
            raise Refused(f"a resolution has up to {REASON} characters, without control characters and tags")
        change = ReportResolved(self.number, on.actor, on.now, resolution)
        return change, {
            **shown_report(report),
            "resolved_by": on.actor,
            "resolved_at": timestamp(on.now),
            "resolution": resolution,
        }


# What admins did.


def shown_entry(entry: AuditEntry) -> Result:
    """What an admin did, as the admin is told of it."""
    return {
        "at": timestamp(entry.at),
        "actor": entry.actor,
        "operation": entry.operation,
        "subject": entry.subject,
        "arguments": entry.arguments,
    }


class AuditList(Operation, frozen=True):
    """What admins did, the latest first; C{before} is in seconds since the epoch."""

    wire = "audit/list"
    looks = True

    limit: Many = 50
    before: float | None = None

    def look(self, memory: Memory, now: float) -> list[AuditEntry]:
        return list(memory.audit(self.limit, self.before))

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return None, {"entries": [shown_entry(entry) for entry in on.found]}


OPERATIONS: Final[tuple[type[Operation], ...]] = (
    MuteAdd,
    MuteList,
    MuteRemove,
    BanAdd,
    BanList,
    BanRemove,
    FilterAdd,
    FilterList,
    FilterRemove,
    FilterTry,
    ReportAdd,
    ReportList,
    ReportResolve,
    AuditList,
)
"""All that is here."""
