"""Operations of moderation: mutes, bans, word filters, reports, and the audit log."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from msgspec import Meta

from gossip.operations.command import Argument, Block, Result, Table
from gossip.operations.operation import Done, Memory, Occasion, Operation, find_channel, find_speaker
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
"""How far back a filter is tried, in seconds."""

_TRIED_MESSAGES: Final = 50_000
"""The maximum number of messages that a filter is tried on."""

_SHOWN: Final = 20
"""The maximum number of messages shown that a filter would have hit."""

_YEARS: Final = 10 * 366 * 24 * 60
_MOST: Final = 1000
_UNITS: Final = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}


def _minutes(text: str) -> object:
    match = re.fullmatch(r"([0-9]{1,6})([mhdw])", text)
    if match is None:
        raise ValueError(f"{text!r} is not like 30m, 12h, 7d or 4w")
    return int(match[1]) * _UNITS[match[2]]


Minutes = Annotated[float, Meta(gt=0, le=_YEARS)]
Many = Annotated[int, Meta(ge=1, le=_MOST)]


# Mutes and bans.


def _subject(registry: Registry, who: str) -> str:
    """
    Find the subject of a restriction: an address, C{player@game}, or a game. People on the web pages are players of the
    network's own game.

    @raise Refused: there is no such game, or the name is not one of a player.
    """
    player, at, game = who.rpartition("@")
    if not at:
        return address(who) or find_speaker(registry, who, "who")
    # A player may be called like an address: what stands behind its % may be anything.
    client_id = find_speaker(registry, game, "who")
    if not player.strip() or clean(player) != player:
        raise Refused("invalid", "who", "a player is named like Ana@MyMUD")
    return player_of(client_id, player)


def _who(registry: Registry, subject: str) -> str:
    """Write a subject as people do."""
    player, at, client_id = subject.rpartition("@")
    game = registry.games.get(client_id)
    return player + at + (game.short_name if game else client_id)


def _where(registry: Registry, channel: str | None) -> str:
    return "" if channel is None else find_channel(registry, channel).name


def shown_restriction(registry: Registry, restriction: Restriction) -> Result:
    """A mute or a ban as admins see it."""
    until = restriction.until
    return {
        "who": _who(registry, restriction.subject),
        "channel": restriction.channel or None,
        "until": None if until is None else timestamp(until),
        "reason": restriction.reason,
        "set_by": restriction.set_by,
        "set_at": timestamp(restriction.set_at),
    }


# What people see of results.


def _view_restrictions(restrictions: Sequence[Result], empty: str) -> Sequence[Block]:
    rows = [
        (each["who"], each["channel"] or "all", _minute(each["until"]) or "for good", each["set_by"], each["reason"])
        for each in restrictions
    ]
    return (Table(("WHO", "CHANNEL", "UNTIL", "BY", "REASON"), rows, empty),)


def _view_restriction(result: Result) -> Sequence[Block]:
    shown = {
        "who": result["who"],
        "channel": result["channel"] or "all",
        "until": result["until"] or "for good",
        "reason": result["reason"],
        "set by": result["set_by"],
        "set at": result["set_at"],
    }
    return (shown,)


def _minute(time: str | None) -> str:
    """A time for a column: to the minute."""
    return time[:16].replace("T", " ") if time else ""


class _Add(Operation, frozen=True):
    """
    Restrict a game, a player or an address, on a channel or everywhere.

    @ivar who: a game, PLAYER@GAME, or an IP address.
    @ivar reason: why; shown to the person affected.
    @ivar channel: only on this channel; everywhere if it is not given.
    @ivar minutes: how long, in minutes; for good if it is not given.
    """

    view = staticmethod(_view_restriction)

    who: str
    reason: str
    channel: str | None = None
    minutes: (
        Annotated[
            Minutes, Argument("TIME", "--for", help="how long: 30m, 12h, 7d, 4w (default: for good)", read=_minutes)
        ]
        | None
    ) = None

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
    """
    End a restriction.

    @ivar who: a game, PLAYER@GAME, or an IP address.
    @ivar channel: the channel of the restriction; not given if it is one for all channels.
    """

    view = staticmethod(_view_restriction)

    who: str
    channel: str | None = None

    def lift(self, kind: str, known: Mapping[tuple[str, str], Restriction], registry: Registry) -> Done:
        subject, channel = _subject(registry, self.who), self.channel or ""
        restriction = known.get((subject, channel))
        if restriction is None:
            raise Refused("not-found", "who", f"there is no such {kind}")
        return RestrictionLifted(kind, subject, channel), shown_restriction(registry, restriction)


def _listed(known: Mapping[tuple[str, str], Restriction], registry: Registry, on: Occasion) -> list[Result]:
    held = [each for each in known.values() if not is_over(each, on.now)]
    return [shown_restriction(registry, each) for each in sorted(held, key=lambda each: -each.set_at)]


class MuteAdd(_Add, frozen=True):
    """Mute a player, game or address. It still hears everything but cannot speak."""

    wire = "mute/add"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return self.restrict("mute", registry, on)


class MuteList(Operation, frozen=True):
    """List all mutes, the latest first."""

    wire = "mute/list"
    view = staticmethod(lambda result: _view_restrictions(result["mutes"], "Nobody is muted."))

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return None, {"mutes": _listed(registry.mutes, registry, on)}


class MuteRemove(_Remove, frozen=True):
    """End a mute."""

    wire = "mute/remove"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return self.lift("mute", registry.mutes, registry)


class BanAdd(_Add, frozen=True):
    """Ban a player, game or address. Sessions of a game or address end, or leave the channel of the ban."""

    wire = "ban/add"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return self.restrict("ban", registry, on)


class BanList(Operation, frozen=True):
    """List all bans, the latest first."""

    wire = "ban/list"
    view = staticmethod(lambda result: _view_restrictions(result["bans"], "Nobody is banned."))

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return None, {"bans": _listed(registry.bans, registry, on)}


class BanRemove(_Remove, frozen=True):
    """End a ban."""

    wire = "ban/remove"

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return self.lift("ban", registry.bans, registry)


# Word filters.


def shown_filter(kept: Filter) -> Result:
    """A filter as admins see it."""
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


# What people see of results.


def _view_filters(result: Result) -> Sequence[Block]:
    rows = [
        (each["text"], each["channel"] or "all", _hits(each), each["action"], each["set_by"], each["reason"])
        for each in result["filters"]
    ]
    return (Table(("TEXT", "CHANNEL", "HITS", "ACTION", "BY", "REASON"), rows, "There is no filter."),)


def _view_filter(result: Result) -> Sequence[Block]:
    shown = {
        "text": result["text"],
        "channel": result["channel"] or "all",
        "hits": _hits(result),
        "action": result["action"],
        "reason": result["reason"],
        "set by": result["set_by"],
        "set at": result["set_at"],
    }
    return (shown,)


def _hits(kept: Result) -> str:
    return "anywhere" if kept["substring"] else "words"


def _view_trial(result: Result) -> Sequence[Block]:
    count = f"It would have hit {result['hits']} of {result['messages']} messages of the last week."
    return count, *(f"{_minute(each['said_at'])} {_message(each)}" for each in result["shown"])


def _message(said: Result) -> str:
    return f"[{said['channel']}] {said['name']}@{said['game']}: {said['message']}"


class FilterAdd(Operation, frozen=True):
    """
    Add a word filter.

    @ivar text: the word or words.
    @ivar reason: why; shown to whoever tried to say it.
    @ivar channel: only on this channel; everywhere if it is not given.
    @ivar substring: match inside other words too.
    @ivar action: refuse the message, or mask the words with asterisks.
    """

    wire = "filter/add"
    view = staticmethod(_view_filter)

    text: str
    reason: str
    channel: str | None = None
    substring: bool = False
    action: Annotated[
        Literal["refuse", "mask"],
        Argument(option="--mask", value="mask", help="mask the words with asterisks instead of refusing the message"),
    ] = "refuse"

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
    """List all word filters."""

    wire = "filter/list"
    view = staticmethod(_view_filters)

    def perform(self, registry: Registry, on: Occasion) -> Done:
        kept = sorted(registry.filters.kept.values(), key=lambda each: (each.text, each.channel))
        return None, {"filters": [shown_filter(each) for each in kept]}


class FilterRemove(Operation, frozen=True):
    """
    Remove a word filter.

    @ivar text: the word or words.
    @ivar channel: the channel of the filter; not given if it is one for all channels.
    """

    wire = "filter/remove"
    view = staticmethod(_view_filter)

    text: str
    channel: str | None = None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        text, channel = _filter_text(self.text), self.channel or ""
        kept = registry.filters.kept.get((text, channel))
        if kept is None:
            raise Refused("not-found", "text", "there is no such filter")
        return FilterRemoved(text, channel), shown_filter(kept)


class FilterTry(Operation, frozen=True):
    """
    Show which messages of the last week a word filter would have hit. It is not added.

    @ivar text: the word or words.
    @ivar channel: only on this channel; everywhere if it is not given.
    @ivar substring: match inside other words too.
    """

    wire = "filter/try"
    looks = True
    view = staticmethod(_view_trial)

    text: str
    channel: str | None = None
    substring: bool = False

    def look(self, memory: Memory, now: float) -> tuple[int, list[MessageSaid]]:
        text = _filter_text(self.text)
        if not text or not (self.substring or words(text)):
            raise Refused("invalid", "text", "a filter that contains no whole word needs substring matching")
        tried = Filter(text=text, substring=self.substring, reason="-", set_by="-", set_at=now)
        hits = Matcher([tried]).hits
        said = memory.said_since(now - TRIED, _TRIED_MESSAGES, self.channel)
        return len(said), [each for each in said if any(hits(each.message)) or any(hits(each.name))]

    def perform(self, registry: Registry, on: Occasion) -> Done:
        _where(registry, self.channel)
        count, hit = on.found
        return None, {"messages": count, "hits": len(hit), "shown": [shown_said(said) for said in hit[:_SHOWN]]}


def shown_said(said: MessageSaid) -> Result:
    """A message as programs see it."""
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
    """A report as admins see it."""
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


# What people see of results.


def _view_reports(result: Result) -> Sequence[Block]:
    rows = [
        (
            each["number"],
            _minute(each["made_at"]),
            each["made_by"],
            each["reason"],
            _message(each),
            f"{each['resolved_by']}: {each['resolution'] or 'resolved'}" if each["resolved_at"] else "",
        )
        for each in result["reports"]
    ]
    return (Table(("NUMBER", "AT", "BY", "REASON", "MESSAGE", "RESOLVED"), rows, "No report is open."),)


def _view_report(result: Result) -> Sequence[Block]:
    shown = {
        "number": result["number"],
        "message": _message(result),
        "reason": result["reason"],
        "made by": result["made_by"],
        "made at": result["made_at"],
        "resolved by": result["resolved_by"],
        "resolved at": result["resolved_at"],
        "resolution": result["resolution"],
    }
    return (shown,)


class ReportAdd(Operation, frozen=True):
    """
    Report a message to the admins.

    @ivar channel: the channel of the message.
    @ivar seq: the number of the message on its channel.
    @ivar reason: what is wrong with it.
    """

    wire = "report/add"
    typed = None  # people report messages on the web pages
    looks = True
    view = staticmethod(_view_report)

    channel: str
    seq: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    reason: str

    def look(self, memory: Memory, now: float) -> MessageSaid | None:
        found = memory.history(self.channel, 1, before=self.seq + 1) if self.seq < 2**63 - 1 else ()
        return found[0] if found and found[0].seq == self.seq else None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        said: MessageSaid | None = on.found
        if said is None:
            raise Refused("not-found", "seq", "no such message")
        this = (said.channel, said.seq, on.actor)
        if any((each.channel, each.seq, each.made_by) == this for each in registry.reports.values()):
            raise Refused("conflict", "seq", "you have reported this message already")
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
    """
    List open reports, the oldest first.

    @ivar all: list resolved reports too, the latest first.
    @ivar limit: maximum number of reports.
    """

    wire = "report/list"
    looks = True
    view = staticmethod(_view_reports)

    all: bool = False
    limit: Many = 100

    def look(self, memory: Memory, now: float) -> list[Report]:
        return list(memory.reports(self.limit, resolved=True)) if self.all else []

    def perform(self, registry: Registry, on: Occasion) -> Done:
        reports = on.found if self.all else _open(registry)[: self.limit]
        return None, {"reports": [shown_report(report) for report in reports]}


class ReportResolve(Operation, frozen=True):
    """
    Resolve a report.

    @ivar number: the number of the report.
    @ivar resolution: a note of what was done.
    """

    wire = "report/resolve"
    view = staticmethod(_view_report)

    number: int
    resolution: Annotated[str, Argument(positional=True)] | None = None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        report = registry.reports.get(self.number)
        if report is None:
            raise Refused("not-found", "number", "no such open report")
        resolution = self.resolution or None
        if resolution and (len(resolution) > REASON or clean(resolution) != resolution):
            raise Refused(
                "invalid",
                "resolution",
                f"a resolution has up to {REASON} characters, without control characters and tags",
            )
        change = ReportResolved(self.number, on.actor, on.now, resolution)
        return change, {
            **shown_report(report),
            "resolved_by": on.actor,
            "resolved_at": timestamp(on.now),
            "resolution": resolution,
        }


# The audit log.


def shown_entry(entry: AuditEntry) -> Result:
    """An entry of the audit log as admins see it."""
    return {
        "at": timestamp(entry.at),
        "actor": entry.actor,
        "operation": entry.operation,
        "subject": entry.subject,
        "arguments": entry.arguments,
    }


def _view_entries(result: Result) -> Sequence[Block]:
    rows = [
        (each["at"][:19].replace("T", " "), each["actor"], each["operation"], each["subject"], each["arguments"])
        for each in result["entries"]
    ]
    return (Table(("AT", "BY", "OPERATION", "TARGET", "DETAILS"), rows, "The log is empty."),)


class AuditList(Operation, frozen=True):
    """
    List what admins did, the latest first.

    @ivar limit: maximum number of entries.
    @ivar before: only entries before this time, in seconds since the epoch.
    """

    wire = "audit/list"
    typed = "audit"
    looks = True
    view = staticmethod(_view_entries)

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
"""All operations of moderation."""
