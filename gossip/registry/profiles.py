"""What a game may say of itself: its texts, its web addresses, and where players connect."""

from __future__ import annotations

import re
from typing import Final

from gossip.protocol.text import clean, clean_name
from gossip.registry.entities import Game
from gossip.registry.errors import Refused

# The status of a game must fit into one frame (16 KiB), with everything escaped.
_NAME, _TAGLINE, _LANGUAGE, _DESCRIPTION, _URL, _CONNECTIONS = 70, 70, 30, 2000, 500, 6
_WEB_ADDRESS: Final = re.compile(r"https?://[!-~]+", re.IGNORECASE)


def check_texts(game: Game, known: Game | None) -> None:
    """
    Check the texts of a game.

    @param known: the game as it is known: its name, tagline and language are not judged again.
    @raise Refused: one is too long, or not clean.
    """
    for what, most in (("name", _NAME), ("tagline", _TAGLINE), ("language", _LANGUAGE)):
        text = getattr(game, what)
        if text is None or (known is not None and getattr(known, what) == text):
            continue
        if len(text) > most or clean_name(text) != text:
            raise Refused(
                "invalid",
                what,
                f"a {what} has at most {most} characters on one line, without control characters and tags",
            )
    text = game.description
    if text is not None and (len(text) > _DESCRIPTION or clean(text) != text):
        raise Refused(
            "invalid",
            "description",
            f"a description has at most {_DESCRIPTION} characters, without control characters and tags",
        )


def check_connections(game: Game) -> None:
    """
    Check where a game says that it is.

    @raise Refused: an address is malformed, or there are too many.
    """
    check_address("homepage_url", game.homepage_url)
    for connection in game.connections:
        check_address("connections", getattr(connection, "url", None), "a web connection")
        host = getattr(connection, "host", "localhost")
        if not re.fullmatch(r"[0-9A-Za-z.:_-]{1,253}", host) or not 0 < getattr(connection, "port", 1) < 65536:
            raise Refused("invalid", "connections", "a telnet connection has a host name and a port from 1 to 65535")
    if len(game.connections) > _CONNECTIONS:
        raise Refused("too-many", "connections", f"a game has at most {_CONNECTIONS} connections")


def check_address(field: str, url: str | None, what: str = "a web address") -> None:
    """
    Check an address of a web page, if there is one.

    @raise Refused: it is malformed.
    """
    if url is not None and not (len(url) <= _URL and _WEB_ADDRESS.fullmatch(url)):
        raise Refused("invalid", field, f"{what} starts with http:// or https:// and has at most {_URL} characters")
