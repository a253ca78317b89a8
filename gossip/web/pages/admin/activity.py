"""The activity log: what admins did, as a page and as a file for a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from msgspec import Struct

from gossip.operations.activity import activity
from gossip.operations.texts import end_of, time_of
from gossip.registry.entities import Account, AuditEntry
from gossip.registry.sought import Entries
from gossip.web.http.requests import PublicRequest, answer
from gossip.web.http.router import Router
from gossip.web.http.urls import number_parameter, parameter
from gossip.web.pages.admin.page import AdminPage
from gossip.web.views.formatting import iso
from gossip.web.views.layout import Layout

PAGE: Final = 50
"""How many entries a page of the activity log shows."""

EXPORTED: Final = 10_000
"""The maximum number of entries in the file."""

_UUID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST: Final = 100


class LogLine(Struct, frozen=True):
    """
    An entry of the activity log as people read it.

    @ivar at: seconds since the epoch.
    @ivar said: what was done, without the actor.
    """

    at: float
    actor: str
    said: str


def log_lines(layout: Layout, entries: Iterable[AuditEntry]) -> list[LogLine]:
    """Entries as people read them."""
    games = layout.gossip.network.registry.games

    def name(found: re.Match[str]) -> str:
        # The forms of these pages name games by their client_id.
        return games[found[0]].short_name if found[0] in games else found[0]

    return [
        LogLine(entry.at, entry.actor, _UUID.sub(name, activity(entry.operation, entry.subject, entry.arguments)))
        for entry in entries
    ]


class AuditPage(AdminPage):
    """The activity log, newest first."""

    pattern = "/admin/audit"
    template = "admin/audit.html"
    title = "Activity log"

    def add(self, router: Router) -> None:
        super().add(router)
        router.add("/admin/audit.csv", get=self._cookies.require_admin(self.export))

    async def values(self, request: PublicRequest, actor: str, *words: str) -> dict[str, Any]:
        sought = _sought(request)
        entries: list[AuditEntry] = await self._layout.read(self._layout.store.audit, PAGE + 1, sought)
        asked = {name: parameter(request, name) or "" for name in ("who", "what", "from", "to")}
        given = {name: value for name, value in asked.items() if value}
        # In microseconds: an integer names a page exactly.
        earlier = int(entries[PAGE - 1].at * 1e6) if len(entries) > PAGE else None
        return {
            "entries": log_lines(self._layout, entries[:PAGE]),
            "earlier": None if earlier is None else urlencode({**given, "before": earlier}),
            "later": parameter(request, "before") is not None,
            "asked": asked,
            "given": urlencode(given),
            "suggested": await self.suggested("account"),
        }

    async def export(self, request: PublicRequest, account: Account) -> bytes:
        """The entries that the page would show, as CSV (RFC 4180), at most L{EXPORTED} of them."""
        entries: Sequence[AuditEntry] = await self._layout.read(self._layout.store.audit, EXPORTED, _sought(request))
        file = io.StringIO(newline="")
        writer = csv.writer(file)
        writer.writerow(("at", "who", "activity", "operation", "subject", "arguments"))
        for start in range(0, len(entries), PAGE):
            some = entries[start : start + PAGE]
            for entry, line in zip(some, log_lines(self._layout, some), strict=True):
                cells = (iso(entry.at), entry.actor, line.said, entry.operation, entry.subject, entry.arguments)
                writer.writerow(map(_cell, cells))
        named = {b"Content-Disposition": b'attachment; filename="activity.csv"'}
        return answer(request, file.getvalue().encode("utf-8", "replace"), b"text/csv; charset=utf-8", headers=named)


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _sought(request: PublicRequest) -> Entries:
    """What the address of a page asks for: times, or days in UTC, both included. What is neither is ignored."""
    before = number_parameter(request, "before")
    end = _read(parameter(request, "to"), end_of)
    ends = [each for each in (None if before is None else before / 1e6, end) if each]
    return Entries(
        actor=(parameter(request, "who") or "").strip()[:_LONGEST],
        about=(parameter(request, "what") or "").strip()[:_LONGEST],
        since=_read(parameter(request, "from"), time_of),
        before=min(ends, default=None),
    )


def _read(text: str | None, read: Callable[[str], float]) -> float | None:
    try:
        return read(text or "")
    except ValueError:
        return None
