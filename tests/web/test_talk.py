"""What people say, as HTML."""

from __future__ import annotations

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.changes import MessageSaid
from gossip.web.views.talk import TOGETHER, continues, linked, mentions
from tests.support.world import NOW, uuid


def said(message: str = "Hello", name: str = "Ana", game: str = "Alpha", at: float = NOW) -> MessageSaid:
    """A message."""
    return MessageSaid("gossip", 1, uuid(1), game, name, message, at)


class LinkTests(SynchronousTestCase):
    """Web addresses."""

    def test_links(self) -> None:
        """An address becomes a link, without what belongs to the sentence, and its host stands out."""
        for text, address, head, host, tail in (
            ("See https://mud.example/a?b#c.", "https://mud.example/a?b#c", "https://", "mud.example", "/a?b#c</a>."),
            ("http://x.example/(a))", "http://x.example/(a)", "http://", "x.example", "/(a)</a>)"),
            ("https://a.example@b.example", "https://a.example@b.example", "https://a.example@", "b.example", "</a>"),
            ("https://x.example/é", "https://x.example/%C3%A9", "https://", "x.example", "/é</a>"),
        ):
            attributes = f'href="{address}" target="_blank" rel="noopener nofollow ugc"'
            self.assertIn(f"<a {attributes}>{head}<b>{host}</b>{tail}", str(linked(text)))

    def test_none(self) -> None:
        """Everything else stays text: other schemes, nothing behind the scheme, and hosts that look like others."""
        for text in ("javascript://x", "https://", "ftp://x.example", "https://аррle.example", "https://[x", "a://b"):
            self.assertNotIn("<a ", linked(text))

    @given(st.text(st.sampled_from("https://x.é@[]()<>\"'& &amp;.,:?#%\u202e"), max_size=60))
    def test_any(self, text: str) -> None:
        """Nothing is lost, nothing can be a tag but the link, and each leads to the web."""
        made = str(linked("https://" + text))
        plain = re.sub(r"</?[ab](?: [^<>]*)?>", "", made)
        self.assertEqual(unescape(plain), "https://" + text)
        self.assertTrue(all(each.startswith(("http://", "https://")) for each in re.findall('href="([^"]*)"', made)))


class LineTests(SynchronousTestCase):
    """Lines."""

    def test_continues(self) -> None:
        """A line goes on with the one before if the same player said both, soon after another, and none is an emote."""
        first = said()
        self.assertTrue(continues(said(at=NOW + TOGETHER), first))
        for other in (said(name="Bo"), said(game="Beta"), said("/me waves"), said(at=NOW + TOGETHER + 1)):
            self.assertFalse(continues(other, first))
        self.assertFalse(continues(first, said("/me waves")))
        self.assertFalse(continues(first, None))

    def test_mentions(self) -> None:
        """A message mentions somebody whose name is a word of it, in any case, unless they sent it."""
        for text, is_mentioned in (("@ana: hi", True), ("Hi Ana!", True), ("Banana", False), ("Anais", False)):
            self.assertEqual(mentions(said(text, "Bo"), "Ana"), is_mentioned)
        self.assertFalse(mentions(said("I am Ana"), "Ana"))
