"""
Emotes: a message that begins with C{/me } says what a player does (protocol specification, Emotes).

The message keeps its beginning wherever it goes, so that games that know nothing of emotes lose nothing. People are
shown C{* Ana@MyMUD waves}.
"""

from __future__ import annotations

from typing import Final

BEGINNING: Final = "/me "
"""What an emote begins with."""


def emote(message: str) -> str | None:
    """What a player does, by the message; C{None} if it is no emote."""
    text = message.removeprefix(BEGINNING) if message.startswith(BEGINNING) else ""
    return text if text.strip() else None


def spoken(name: str, game: str, message: str) -> str:
    """A message as people read it, with its player in front."""
    text = emote(message)
    return f"{name}@{game}: {message}" if text is None else f"* {name}@{game} {text}"
