"""A channel as an Atom feed (RFC 4287)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as Xml

from gossip.registry.changes import Channel, MessageSaid
from gossip.web.views.formatting import iso

_ATOM: Final = "http://www.w3.org/2005/Atom"

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot contain."""


def atom(network: str, channel: Channel, lines: Sequence[MessageSaid], site: str, now: float) -> bytes:
    """
    Write the feed.

    @param lines: the messages, the oldest first; the feed has the newest first.
    @param site: the address of this site.
    """
    page = f"{site}/chat/{quote(channel.name, safe='')}"
    feed = Xml.Element("feed", xmlns=_ATOM)
    _add(feed, "title", f"#{channel.name} · {network}")
    if channel.description:
        _add(feed, "subtitle", channel.description)
    _add(feed, "id", page)
    Xml.SubElement(feed, "link", rel="alternate", type="text/html", href=page)
    Xml.SubElement(feed, "link", rel="self", type="application/atom+xml", href=f"{page}/feed.atom")
    # Not the current time: an unchanged feed must not look changed.
    _add(feed, "updated", iso(lines[-1].said_at if lines else 0))
    for said in reversed(lines):
        entry = Xml.SubElement(feed, "entry")
        _add(entry, "id", f"{page}/{said.seq}")
        _add(entry, "title", f"{said.name}@{said.game}: {_short(said.message)}")
        _add(entry, "updated", iso(said.said_at))
        _add(Xml.SubElement(entry, "author"), "name", f"{said.name}@{said.game}")
        Xml.SubElement(entry, "link", rel="alternate", type="text/html", href=f"{page}/{said.seq}")
        _add(entry, "content", said.message).set("type", "text")
    document: str = Xml.tostring(feed, "unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{document}\n'.encode()


def _add(parent: Xml.Element, name: str, text: str) -> Xml.Element:
    element = Xml.SubElement(parent, name)
    element.text = _NO_XML.sub("\ufffd", text)
    return element


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"
