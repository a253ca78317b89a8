"""What people say, as HTML: links that lead where they say, and lines that belong together."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import quote, urlsplit

from markupsafe import Markup, escape

from gossip.protocol.emotes import emote
from gossip.registry.changes import MessageSaid
from gossip.registry.names import NETWORK_GAME

TOGETHER: Final = 300.0
"""Lines of one speaker belong together if at most this many seconds lie between two of them."""

_LINK: Final = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_SAFE: Final = "%/:=&?~#+!$,;'@()*[]-._"
_LINKED: Final = Markup('<a href="{}" target="_blank" rel="noopener nofollow ugc">{}<b>{}</b>{}</a>')


def linked(text: str) -> Markup:
    """A text with its web addresses as links. The host stands out: a link cannot pretend to lead elsewhere."""
    if "://" not in text:
        return escape(text)
    parts, end = [], 0
    for found in _LINK.finditer(text):
        link = _trimmed(found[0])
        made = _link(link)
        if made is not None:
            parts += [escape(text[end : found.start()]), made]
            end = found.start() + len(link)
    return Markup("").join([*parts, escape(text[end:])])


def _trimmed(link: str) -> str:
    """A web address without what belongs to the sentence around it."""
    while link and (link[-1] in ".,;:!?'*_" or (link[-1] == ")" and link.count("(") < link.count(")"))):
        link = link[:-1]
    return link


def _link(link: str) -> Markup | None:
    try:
        host = urlsplit(link).netloc
    except ValueError:
        return None
    # The host begins after what pretends to be one: https://good.example@evil.example
    before, at, host = host.rpartition("@")
    if not host or not host.isascii() or not re.match("[a-z0-9[]", host, re.IGNORECASE):
        return None
    head = link[: link.index("://") + 3] + before + at
    return _LINKED.format(quote(link, safe=_SAFE), head, host, link[len(head) + len(host) :])


def continues(said: MessageSaid, before: MessageSaid | None) -> bool:
    """Whether a line goes on with what the same player said right before it: it need not name the player again."""
    return (
        before is not None
        and (said.name, said.game, said.client_id) == (before.name, before.game, before.client_id)
        and said.removed is None
        and before.removed is None
        and emote(said.message) is None
        and emote(before.message) is None
        and said.said_at - before.said_at <= TOGETHER
    )


def is_ignored(said: MessageSaid, ignored: Collection[str], me: str = "") -> bool:
    """
    Whether a message is of somebody that a reader ignores.

    @param ignored: games and C{player@game}, in lower case.
    @param me: the name of the reader, who always sees what they said on the pages themselves.
    """
    game, name = said.game.lower(), said.name.lower()
    if said.removed is not None or (game == NETWORK_GAME and name == me.lower()):
        return False
    return game in ignored or f"{name}@{game}" in ignored


def mentions(said: MessageSaid, name: str) -> bool:
    """Whether a message names somebody, who did not send it."""
    if said.name.lower() == name.lower() or said.removed is not None:
        return False
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said.message, re.IGNORECASE) is not None
