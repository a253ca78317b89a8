"""Texts that the views of several commands share."""

from __future__ import annotations

from gossip.operations.command import Result
from gossip.protocol.emotes import spoken
from gossip.registry.removals import stands_for


def minute(time: str | None) -> str:
    """Write a time for a column, to the minute; nothing for none."""
    return time[:16].replace("T", " ") if time else ""


def message_line(said: Result) -> str:
    """Write a message on one line: its channel, its sender and its text; of a removed one, why it was removed."""
    if said.get("removed") is not None:
        return f"[{said['channel']}] {said['game']}: {stands_for(said['removed'])}"
    return f"[{said['channel']}] {spoken(said['name'], said['game'], said['message'])}"
