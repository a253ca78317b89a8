"""Texts that the views of several commands share."""

from __future__ import annotations

from gossip.operations.command import Result


def minute(time: str | None) -> str:
    """Write a time for a column, to the minute; nothing for none."""
    return time[:16].replace("T", " ") if time else ""


def message_line(said: Result) -> str:
    """Write a message on one line: its channel, its sender and its text."""
    return f"[{said['channel']}] {said['name']}@{said['game']}: {said['message']}"
