"""Operations on the audit log: the notes of what admins did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gossip.operations.activity import activity
from gossip.operations.command import Block, Limit, Result, Table
from gossip.operations.operation import Done, Memory, Occasion, Operation
from gossip.protocol.text import timestamp
from gossip.registry.entities import AuditEntry
from gossip.registry.registry import Registry
from gossip.registry.sought import Entries


def _shown(entry: AuditEntry) -> Result:
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
        (
            each["at"][:19].replace("T", " "),
            each["actor"],
            activity(each["operation"], each["subject"], each["arguments"]),
        )
        for each in result["entries"]
    ]
    return (Table(("AT", "BY", "WHAT"), rows, "The log is empty."),)


class AuditList(Operation, frozen=True):
    """
    List what admins did, the latest first.

    @ivar limit: maximum number of entries.
    @ivar before: only entries before this time, in seconds since the epoch.
    @ivar since: only entries from this time on, in seconds since the epoch.
    @ivar by: only what this admin did.
    @ivar about: only entries that contain this text, such as the name of a game or of an operation.
    """

    wire = "audit/list"
    typed = "audit"
    looks = True
    view = staticmethod(_view_entries)

    limit: Limit = 50
    before: float | None = None
    since: float | None = None
    by: str = ""
    about: str = ""

    def look(self, memory: Memory, now: float) -> list[AuditEntry]:
        return list(memory.audit(self.limit, Entries(self.by, self.about, self.since, self.before)))

    def perform(self, registry: Registry, on: Occasion) -> Done:
        return None, {"entries": [_shown(entry) for entry in on.found]}


OPERATIONS: Final[tuple[type[Operation], ...]] = (AuditList,)
"""All operations on the audit log."""
