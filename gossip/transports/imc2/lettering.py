"""Texts and names as they pass between IMC2 MUDs and the network (IMC2, section 8). Without I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gossip.protocol.emotes import BEGINNING
from gossip.transports import spreading
from gossip.transports.imc2.packets import TEXT_BYTES
from gossip.transports.telnet.lines import CHARSETS, one_line, transliterate

NAME_CHARACTERS: Final = 40
"""The maximum length of a name, in characters."""

PACKETS: Final = 4
"""A text is at most this many packets."""

NOBODY: Final = "Someone"
"""Stands for a name that cannot be written at all."""

_ANSI: Final = re.compile(r"\x1b\[[^A-Za-z]{0,32}[A-Za-z]")
_COLOUR: Final = re.compile("[~^`][A-Za-z!$]")
_TO_COLOUR: Final = re.compile("([~^`])(?=[A-Za-z!$])")
_NAME: Final = re.compile("[!-?A-~]{1,40}")
_UNFIT: Final = re.compile("[^A-Za-z0-9_.-]")


def heard(text: str, emote: int = 0, who: str = "") -> str:
    """
    Read a text of an IMC2 MUD: its colours are dropped.

    @param emote: 1 for an emote, 2 for a whole sentence that begins with the speaker.
    @param who: the speaker, as C{name@MUD}.
    @return: the message for the network.
    """
    text = one_line(_COLOUR.sub("", _ANSI.sub("", text)))
    if emote == 2:
        if not text.lower().startswith(f"{who.lower()} "):
            return text
        text = text[len(who) + 1 :]
    return f"{BEGINNING}{text}" if emote and text else text


def is_name(token: str) -> bool:
    """Can this be the name of a player of an IMC2 MUD?"""
    return _NAME.fullmatch(token) is not None


def name(player: str) -> str:
    """Write the name of a player of another game: as one word."""
    return _UNFIT.sub("_", transliterate(player, "ascii"))[:NAME_CHARACTERS] or NOBODY


def token(player: str) -> str:
    """Write the name of a player of the MUD itself, which knows it as it wrote it."""
    return player if is_name(player) and player[0] not in "\"'" else name(player)


def text(message: str, charset: str) -> str:
    """Write a text of another game. A sign that would begin a colour gets a blank behind it: there is no escape."""
    return _TO_COLOUR.sub(r"\1 ", one_line(transliterate(message, charset)))


def spread(written: str, charset: str, most: int = TEXT_BYTES, packets: int = PACKETS) -> Iterator[str]:
    """
    Split a text for the packets of a MUD.

    @param written: as L{text} returned it.
    @param most: the maximum length of a part, in bytes.
    @param packets: the maximum number of parts.
    """
    return spreading.spread(written, most, packets, CHARSETS[charset])
