"""Operations on reports of messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta

from gossip.operations.command import Argument, Block, Limit, Result, Table
from gossip.operations.operation import Done, Memory, Occasion, Operation
from gossip.operations.texts import message_line, minute
from gossip.protocol.text import clean, timestamp
from gossip.registry.changes import MessageSaid, ReportMade, ReportResolved
from gossip.registry.entities import Report
from gossip.registry.errors import Refused
from gossip.registry.registry import REASON, Registry


def shown_report(report: Report) -> Result:
    """
    A report as admins see it. What a player said elsewhere than on a channel is a C{quote}, which nobody can verify;
    C{channel}, C{seq} and C{message} are null then.
    """
    verified = bool(report.channel)
    return {
        "number": report.number,
        "channel": report.channel or None,
        "seq": report.seq if verified else None,
        "game": report.game,
        "name": report.name,
        "message": report.message if verified else None,
        "quote": None if verified else report.message or None,
        "verified": verified,
        "reason": report.reason,
        "made_by": report.made_by,
        "made_at": timestamp(report.made_at),
        "resolved_by": report.resolved_by,
        "resolved_at": None if report.resolved_at is None else timestamp(report.resolved_at),
        "resolution": report.resolution,
    }


# What people see of results.


def _about(result: Result) -> str:
    """Write on one line what a report is about."""
    if result["verified"]:
        return message_line(result)
    who = f"{result['name']}@{result['game']}"
    return f"{who}, unverified quote: {result['quote']}" if result["quote"] else f"{who}, no message"


def _view_reports(result: Result) -> Sequence[Block]:
    rows = [
        (
            each["number"],
            minute(each["made_at"]),
            each["made_by"],
            each["reason"],
            _about(each),
            f"{each['resolved_by']}: {each['resolution'] or 'resolved'}" if each["resolved_at"] else "",
        )
        for each in result["reports"]
    ]
    return (Table(("NUMBER", "AT", "BY", "REASON", "MESSAGE", "RESOLVED"), rows, "No report is open."),)


def _view_report(result: Result) -> Sequence[Block]:
    shown = {
        "number": result["number"],
        "about": _about(result),
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
    finds_latest = True
    view = staticmethod(_view_report)

    channel: str
    seq: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    reason: str

    def look(self, memory: Memory, now: float) -> MessageSaid | None:
        found = memory.history(self.channel, 1, before=self.seq + 1) if self.seq < 2**63 - 1 else ()
        return found[0] if found and found[0].seq == self.seq else None

    def perform(self, registry: Registry, on: Occasion) -> Done:
        said: MessageSaid | None = on.found
        if said is None or not registry.removals.without([said]):
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


def open_reports(registry: Registry) -> list[Report]:
    """The open reports, the oldest first."""
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
    limit: Limit = 100

    def look(self, memory: Memory, now: float) -> list[Report]:
        return list(memory.reports(self.limit, resolved=True)) if self.all else []

    def perform(self, registry: Registry, on: Occasion) -> Done:
        reports = on.found if self.all else open_reports(registry)[: self.limit]
        return None, {"reports": [shown_report(report) for report in reports]}


class ReportResolve(Operation, frozen=True):
    """
    Resolve a report.

    @ivar number: the number of the report.
    @ivar resolution: a note of what was done.
    """

    wire = "report/resolve"
    done = "Resolved report {number}."
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
                f"a resolution has at most {REASON} characters, without control characters and tags",
            )
        change = ReportResolved(self.number, on.actor, on.now, resolution)
        return change, {
            **shown_report(report),
            "resolved_by": on.actor,
            "resolved_at": timestamp(on.now),
            "resolution": resolution,
        }


OPERATIONS: Final[tuple[type[Operation], ...]] = (
    ReportAdd,
    ReportList,
    ReportResolve,
)
"""All operations on reports."""
