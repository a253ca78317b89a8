"""Reports of messages, each handled on its card: what was said around it, what was done before, and what to do now."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from gossip.operations.command import Command, Result
from gossip.operations.messages import MessageRemove
from gossip.operations.reports import ReportList, ReportResolve
from gossip.operations.restrictions import MuteAdd
from gossip.registry.changes import MessageSaid
from gossip.registry.entities import AuditEntry
from gossip.registry.errors import Refused
from gossip.web.http.forms import Form
from gossip.web.http.requests import PublicRequest
from gossip.web.http.urls import parameter
from gossip.web.pages.admin.activity import LogLine, log_lines
from gossip.web.pages.admin.page import AdminPage
from gossip.web.pages.removal import remove_message
from gossip.web.views.public import PublicView

SHOWN: Final = 20
"""The maximum number of reports on the page: what stands around each is read for it."""

AROUND: Final = 3
"""How many messages before and after the reported one are shown."""

EARLIER: Final = 5
"""The maximum number of earlier sanctions of a player and a game."""

LENGTHS: Final = {"10": "10 min", "60": "1 h", "1440": "1 day", "10080": "7 days", "always": "for good"}
"""The lengths of a mute: minutes, and what people see."""

USUAL: Final = "60"
"""The length that is chosen at first."""

_SANCTIONS: Final = ("mute/add", "ban/add", "message/remove")
_LOOKED_AT: Final = 1000


class ReportsPage(AdminPage):
    """Reports of messages."""

    pattern = "/admin/reports"
    template = "admin/reports.html"
    title = "Reports"
    does = (ReportResolve, MessageRemove, MuteAdd)

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        everything = parameter(request, "all") is not None
        reports = (await self.tell(ReportList(all=everything, limit=SHOWN), actor))["reports"]
        open_ones = [report for report in reports if not report["resolved_at"]]
        around, sanctions = await self._layout.read(self._read, open_ones)
        registry = self._layout.gossip.network.registry
        return {
            "reports": reports,
            "everything": everything,
            "around": {number: registry.removals.applied(said) for number, said in around.items()},
            "earlier": {report["number"]: self._earlier(report, sanctions) for report in open_ones},
            "lengths": LENGTHS,
            "usual": USUAL,
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

    def _earlier(self, report: Result, sanctions: Sequence[AuditEntry]) -> list[LogLine]:
        """What was done about this player and this game before, the latest first."""
        of = _concerns(report["name"], report["game"])
        return log_lines(self._layout, [entry for entry in sanctions if of(entry)][:EARLIER])

    async def carry_out(self, action: Command, form: Form, actor: str) -> Result:
        if isinstance(action, ReportResolve):
            return await super().carry_out(action, form, actor)
        number = form.text("number")
        # Before anything is done: another admin may have handled it.
        reports = self._layout.gossip.network.registry.reports
        if not number.isascii() or not number.isdigit() or int(number) not in reports:
            raise Refused("not-found", "number", "no such open report")
        if isinstance(action, MessageRemove):
            result = await remove_message(self._executor, form, action, actor)
            did = "removed the message"
        else:
            assert isinstance(action, MuteAdd)
            length = form.text("length")
            if length not in LENGTHS:
                raise Refused("invalid", "minutes", "choose for how long")
            action = replace(action, minutes=None if length == "always" else float(length))
            result = await self._executor.carry_out(action, actor)
            did = f"muted {action.who} {'for good' if length == 'always' else f'for {LENGTHS[length]}'}"
        await self._executor.carry_out(ReportResolve(number=int(number), resolution=did), actor)
        return result

    def done(self, action: Command) -> str:
        return action.wire if isinstance(action, ReportResolve) else f"{action.wire}-and-resolve"


def _concerns(name: str, game: str) -> Callable[[AuditEntry], bool]:
    """Whether an entry is a sanction of a player or of the whole game."""
    meant = {game.lower(), f"{name}@{game}".lower()}

    def concerns(entry: AuditEntry) -> bool:
        try:
            given = json.loads(entry.arguments)
            said = [f"{each['name']}@{each['game']}" for each in given.get("messages", ())]
            return any(str(who).lower() in meant for who in (given.get("who"), *said))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return False  # an entry of another version of gossip

    return concerns
