"""What another gateway brings back: found by its text. Without I/O."""

from __future__ import annotations

from collections import deque
from typing import Final

from gossip.protocol.emotes import emote
from gossip.transports.intermud3.lettering import user

SECONDS: Final = 30.0
"""What arrives this long after we sent the same text to a channel is ours, in seconds."""

STRIKES: Final = 5
"""After this many loops in L{STRIKE_SECONDS}, nothing that a MUD says on channels is heard for L{MUTED_SECONDS}."""

STRIKE_SECONDS: Final = 600.0
MUTED_SECONDS: Final = 3600.0

_REMEMBERED: Final = 1000


class Loops:
    """Remembers what was sent to channels, and the MUDs that brought it back."""

    def __init__(self) -> None:
        self._sent: dict[tuple[str, str], float] = {}
        self._strikes: dict[str, deque[float]] = {}
        self._muted: dict[str, float] = {}

    def sent(self, channel: str, text: str, now: float) -> None:
        """A text was sent to a channel."""
        key = channel, squashed(text)
        self._sent.pop(key, None)
        self._sent[key] = now
        while len(self._sent) > _REMEMBERED or next(iter(self._sent.values())) + SECONDS < now:
            del self._sent[next(iter(self._sent))]

    def closes(self, mud: str, channel: str, text: str, now: float) -> bool:
        """Does a MUD bring back what was sent? If it does so too often, it is muted."""
        squash = squashed(text)
        if not squash or self._sent.get((channel, squash), -SECONDS) + SECONDS < now:
            return False
        strikes = self._strikes.setdefault(mud.lower(), deque(maxlen=STRIKES))
        strikes.append(now)
        if len(strikes) == STRIKES and strikes[0] + STRIKE_SECONDS > now:
            self._muted[mud.lower()] = now + MUTED_SECONDS
            del self._strikes[mud.lower()]
        return True

    def is_muted(self, mud: str, now: float) -> bool:
        """Did a MUD bring back too much?"""
        until = self._muted.get(mud.lower())
        if until is not None and until <= now:
            del self._muted[mud.lower()]
            return False
        return until is not None


def squashed(message: str) -> str:
    """The letters and digits of a message, by which it is known again."""
    return user(emote(message) or message)
