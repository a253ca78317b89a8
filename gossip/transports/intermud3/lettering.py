"""Texts and names as they pass between MUDs of Intermud-3 and the network. Without I/O."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from gossip.protocol.emotes import BEGINNING, emote
from gossip.transports import spreading
from gossip.transports.telnet.lines import one_line

TEXT_BYTES: Final = 1500
"""The maximum length of a text in a packet, in bytes."""

PACKETS: Final = 6
"""A text is at most this many packets."""

NAME_CHARACTERS: Final = 64
"""How much of a name is put into an emote, in characters. A text can name its player thousands of times."""

_ANSI: Final = re.compile(r"\x1b\[[^A-Za-z]{0,32}[A-Za-z]")

_COLOURS: Final = ("BLACK", "RED", "GREEN", "ORANGE", "YELLOW", "BLUE", "MAGENTA", "CYAN", "WHITE")
_MARKS: Final = frozenset(
    (
        *("RESET", "BOLD", "FLASH", "BLINK", "UNDERLINE", "REVERSE", "ITALIC", "INITTERM", "ENDTERM", "CLEARLINE"),
        *_COLOURS,
        *(f"B_{colour}" for colour in _COLOURS),
        *(f"{ground}{number:03}" for ground in "FB" for number in range(256)),
    )
)
"""The colours and styles that LPC MUDs write between two C{%^} (pinkfish codes)."""

_NOT_IN_USERS: Final = re.compile("[^a-z0-9]")
_ACTOR: Final = "$N"


def heard(text: str) -> str:
    """Read a text of a MUD: its colours are dropped."""
    return one_line(_without_marks(_ANSI.sub("", text)))


def _without_marks(text: str) -> str:
    """Only what is known as a mark is dropped: in C{%^RED%^HELLO%^RESET%^}, the word is between two marks, too."""
    first, *pieces = text.split("%^")
    if not pieces:
        return text
    *between, last = pieces
    return "".join((first, *(piece for piece in between if piece not in _MARKS), last))


def heard_emote(text: str, name: str, target: str = "") -> str:
    """
    Read an emote of a MUD, in which C{$N} stands for the player and C{$O} for the target.

    @return: the message for the network: an emote if the text begins with the player, else a text.
    """
    text = heard(text)
    acting = text.startswith(f"{_ACTOR} ")
    text = text.removeprefix(f"{_ACTOR} ") if acting else text
    names = {"$N": heard(name)[:NAME_CHARACTERS], "$O": heard(target)[:NAME_CHARACTERS]}
    text = re.sub(r"\$[NO]", lambda found: names[found[0]], text)
    return f"{BEGINNING}{text}" if acting and text else text


def written(text: str) -> str:
    """Write a text or a name of another game: nothing in it is a colour or stands for a name."""
    return re.sub(r"\$(?=[NO])", "$ ", one_line(text)).replace("%^", "% ^")


def user(name: str) -> str:
    """The name of a player as one word, which its MUD finds the player by: its letters and digits of ASCII."""
    return _NOT_IN_USERS.sub("", unicodedata.normalize("NFKD", name).lower())


class Parts(Struct, frozen=True):
    """
    How a long text is split into packets.

    @ivar most: the longest text of a packet, in bytes.
    @ivar number: the maximum number of packets. The last one ends with dots if there would be more.
    """

    most: int = TEXT_BYTES
    number: int = PACKETS


def said(message: str, parts: Parts = Parts()) -> Iterator[tuple[str, str]]:
    """
    Write a message on a channel.

    @return: the type and the text of each packet.
    """
    doing = emote(message)
    texts = spreading.spread(written(message if doing is None else doing), parts.most, parts.number)
    for number, part in enumerate(texts):
        yield ("channel-m", part) if number or doing is None else ("channel-e", f"{_ACTOR} {part}")


def told(message: str, parts: Parts = Parts()) -> Iterator[str]:
    """Write a tell: the text of each packet. An emote is between asterisks."""
    doing = emote(message)
    text = written(message) if doing is None else f"*{written(doing)}*"
    return spreading.spread(text, parts.most, parts.number)
