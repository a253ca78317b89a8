"""
Reports, each handled on its card: what was said around the message, what was done before, and what to do now.

Admins have the cards of all reports, and moderators those of their channel. A moderator mutes on the channel alone and
for at most a day, and reads no more of the activity log than what was done there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from gossip.operations.command import Command, Result
from gossip.operations.messages import MessageRemove
from gossip.operations.moderators import MUTE_MINUTES
from gossip.operations.reports import ReportResolve
from gossip.operations.restrictions import MuteAdd
from gossip.registry.changes import MessageSaid
from gossip.registry.entities import AuditEntry
from gossip.registry.errors import Refused
from gossip.web.http.forms import Form
from gossip.web.pages.admin.activity import LogLine, log_lines
from gossip.web.pages.removal import CarryOut, remove_message
from gossip.web.views.layout import Layout
from gossip.web.views.public import PublicView

SHOWN: Final = 20
"""The maximum number of reports on a page: what stands around each is read for it."""

AROUND: Final = 3
"""How many messages before and after the reported one are shown."""

EARLIER: Final = 5
"""The maximum number of earlier sanctions of a player and a game."""

ALWAYS: Final = "always"

LENGTHS: Final = {"10": "10 min", "60": "1 h", "1440": "1 day", "10080": "7 days", ALWAYS: "for good"}
"""The lengths of a mute: minutes, and what people see."""

USUAL: Final = "60"
"""The length that is chosen at first."""

_SANCTIONS: Final = ("mute/add", "ban/add", "message/remove")
_LOOKED_AT: Final = 1000


class ReportCards:
    """What the cards show, and what their forms do."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._registry = layout.gossip.network.registry

    async def values(self, reports: Sequence[Result], channel: str | None = None) -> dict[str, Any]:
        """
        What a template needs for the cards of some reports.

        @param channel: the channel, for its moderators; C{None} for admins.
        """
        open_ones = [report for report in reports if not report["resolved_at"]]
        around, sanctions = await self._layout.read(self._read, open_ones)
        shown = {number: self._registry.removals.applied(said) for number, said in around.items()}
        there = {(number, said.seq) for number, lines in shown.items() for said in lines if said.removed is None}
        channels = self._registry.channels
        return {
            "reports": reports,
            "around": shown,
            "removable": [report["number"] for report in open_ones if (report["number"], report["seq"]) in there],
            "earlier": {report["number"]: self._earlier(report, sanctions, channel) for report in open_ones},
            "lengths": lengths(channel),
            "usual": USUAL,
            "shown_channels": {name for name, each in channels.items() if not each.hidden},
            "is_game": PublicView(self._layout.gossip.network).is_game,
        }

    def _read(self, reports: Sequence[Result]) -> tuple[dict[int, list[MessageSaid]], list[AuditEntry]]:
        """What was said around each report, and the latest sanctions of anybody. This blocks."""
        store: Any = self._layout.store
        around: dict[int, list[MessageSaid]] = {}
        for report in reports:
            if report["verified"]:
                channel, seq = report["channel"], report["seq"]
                before = store.history(channel, AROUND, before=seq)
                around[report["number"]] = [*before, *store.history(channel, AROUND + 1, after=seq - 1)]
        return around, store.audit_of(_SANCTIONS, _LOOKED_AT) if reports else []

    def _earlier(self, report: Result, sanctions: Sequence[AuditEntry], channel: str | None) -> list[LogLine]:
        """What was done about this player and this game before, the latest first."""
        of = _concerns(report["name"], report["game"])
        if channel is None:
            return log_lines(self._layout, [entry for entry in sanctions if of(entry)][:EARLIER])
        there = [line for entry in sanctions if of(entry) and (line := self._line(entry, channel)) is not None]
        return there[:EARLIER]

    def _line(self, entry: AuditEntry, channel: str) -> LogLine | None:
        """What moderators of a channel read of an entry; C{None} if it is of elsewhere."""
        given = json.loads(entry.arguments)
        [line] = log_lines(self._layout, [entry])
        if entry.operation == "message/remove":
            # The text of what was removed is for admins alone.
            message = str(given.get("id", ""))
            where, said = message.rpartition(":")[0], f"removed {message}: {given.get('reason', '')}"
        else:
            where, said = given.get("channel"), line.said
        if where != channel:
            return None
        return replace(line, actor="an admin" if entry.actor.startswith("unix:") else entry.actor, said=said)

    async def act(self, action: Command, form: Form, carry_out: CarryOut, channel: str | None = None) -> Result:
        """
        Do what the form of a card asks for, and resolve the report.

        @param channel: the channel, for its moderators; C{None} for admins.
        @raise Refused: it cannot be done; the text says why.
        """
        number = form.text("number")
        # Before anything is done: somebody else may have handled it.
        report = self._registry.reports.get(int(number)) if number.isascii() and number.isdigit() else None
        if report is None or channel not in (None, report.channel):
            raise Refused("not-found", "number", "no such open report")
        if isinstance(action, MessageRemove):
            result = await remove_message(carry_out, form, action, channel)
            did = "removed the message"
        else:
            assert isinstance(action, MuteAdd)
            length = form.text("length")
            if length not in lengths(channel):
                raise Refused("invalid", "minutes", "choose for how long")
            result = await carry_out(replace(action, minutes=None if length == ALWAYS else float(length)))
            did = f"muted {action.who} {'for good' if length == ALWAYS else f'for {LENGTHS[length]}'}"
        await carry_out(ReportResolve(number=report.number, resolution=did))
        return result


def lengths(channel: str | None) -> Mapping[str, str]:
    """The lengths to choose from, for the moderators of a channel or for admins."""
    if channel is None:
        return LENGTHS
    return {length: what for length, what in LENGTHS.items() if length != ALWAYS and float(length) <= MUTE_MINUTES}


def _concerns(name: str, game: str) -> Callable[[AuditEntry], bool]:
    """Whether an entry is a sanction of a player or of the whole game."""
    meant: Collection[str] = {game.lower(), f"{name}@{game}".lower()}

    def concerns(entry: AuditEntry) -> bool:
        try:
            given = json.loads(entry.arguments)
            said = [f"{each['name']}@{each['game']}" for each in given.get("messages", ())]
            return any(str(who).lower() in meant for who in (given.get("who"), *said))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return False  # an entry of another version of gossip

    return concerns
