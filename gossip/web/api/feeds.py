"""Atom feeds (RFC 4287): of a channel, and of the open book of moderation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as Xml

from gossip.protocol.emotes import emote, spoken
from gossip.registry.changes import MessageSaid
from gossip.registry.entities import Channel
from gossip.registry.removals import stands_for
from gossip.web.views.formatting import iso
from gossip.web.views.open_book import Deed

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
    feed = _feed(f"#{channel.name} · {network}", channel.description, page, max(map(_updated, lines), default=0))
    for said in reversed(lines):
        author, title, content = _told(said)
        entry = Xml.SubElement(feed, "entry")
        _add(entry, "id", f"{page}/{said.seq}")
        _add(entry, "title", title)
        _add(entry, "updated", iso(_updated(said)))
        _add(Xml.SubElement(entry, "author"), "name", author)
        Xml.SubElement(entry, "link", rel="alternate", type="text/html", href=f"{page}/{said.seq}")
        _add(entry, "content", content).set("type", "text")
    return _written(feed)


def _updated(said: MessageSaid) -> float:
    """When a message last changed: a reader that has a removed one must see that it is another one now."""
    return said.said_at if said.removed is None else said.removed.at


def _told(said: MessageSaid) -> tuple[str, str, str]:
    """The author, the title and the content of an entry."""
    if said.removed is not None:
        text = stands_for(said.removed.reason)
        return f"@{said.game}", f"@{said.game}: {text}", text
    title = spoken(said.name, said.game, _short(said.message))
    content = said.message if emote(said.message) is None else spoken(said.name, said.game, said.message)
    return f"{said.name}@{said.game}", title, content


def moderation_feed(network: str, deeds: Sequence[Deed], site: str) -> bytes:
    """
    Write the feed of the open book.

    @param deeds: its latest entries, the newest first.
    @param site: the address of this site.
    """
    page = f"{site}/moderation"
    feed = _feed(f"Moderation · {network}", "", page, deeds[0].at if deeds else 0)
    _add(Xml.SubElement(feed, "author"), "name", network)
    for deed in deeds:
        entry = Xml.SubElement(feed, "entry")
        _add(entry, "id", f"urn:uuid:{deed.key}")
        where = f" on {deed.channel}" if deed.channel else ""
        _add(entry, "title", f"{deed.kind}: {deed.who}{where}" if deed.who else f"{deed.kind}{where}")
        _add(entry, "updated", iso(deed.at))
        Xml.SubElement(entry, "link", rel="alternate", type="text/html", href=page)
        end = f"Until {iso(deed.until)}." if deed.until is not None else "Permanent." if deed.lasts else ""
        _add(entry, "content", "\n".join(filter(None, (deed.reason, end)))).set("type", "text")
    return _written(feed)


def _feed(title: str, subtitle: str | None, page: str, updated: float) -> Xml.Element:
    """
    Begin a feed.

    @param page: the address of the page with the same entries; it identifies the feed.
    @param updated: the time of the latest entry, not the current one: an unchanged feed must not look changed.
    """
    feed = Xml.Element("feed", xmlns=_ATOM)
    _add(feed, "title", title)
    if subtitle:
        _add(feed, "subtitle", subtitle)
    _add(feed, "id", page)
    Xml.SubElement(feed, "link", rel="alternate", type="text/html", href=page)
    Xml.SubElement(feed, "link", rel="self", type="application/atom+xml", href=f"{page}/feed.atom")
    _add(feed, "updated", iso(updated))
    return feed


def _written(feed: Xml.Element) -> bytes:
    document: str = Xml.tostring(feed, "unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{document}\n'.encode()


def _add(parent: Xml.Element, name: str, text: str) -> Xml.Element:
    element = Xml.SubElement(parent, name)
    element.text = _NO_XML.sub("\ufffd", text)
    return element


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"
