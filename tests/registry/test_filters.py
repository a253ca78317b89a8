"""Word filters: L{gossip.registry.filters}."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol.errors import Denied
from gossip.registry.entities import Filter
from gossip.registry.filters import Filters, Matcher, folded
from tests.support.world import NOW


def make(text: str, channel: str = "", substring: bool = False, action: str = "mask", reason: str = "no") -> Filter:
    """A filter."""
    return Filter(
        text=text, channel=channel, substring=substring, action=action, reason=reason, set_by="ana", set_at=NOW
    )


class FiltersTests(SynchronousTestCase):
    """What filters make of a text."""

    def setUp(self) -> None:
        self.filters = Filters()

    def masked(self, text: str, *filters: Filter, channel: str = "gossip") -> str:
        for each in filters:
            self.filters.save(each)
        return self.filters.judge(channel, text)

    def test_words(self) -> None:
        """Whole words are hit in any case and with anything around them, parts of words are not."""
        self.assertEqual(self.masked("Ass! class, ASS-ass _ass_", make("ass")), "***! class, ***-*** _***_")
        self.assertEqual(self.masked("assist"), "assist")

    def test_several_words(self) -> None:
        """Several words are hit one after the other, whatever stands between them."""
        filters = (make("buy gold"), make("buy"), make("buy gold now"))
        self.assertEqual(self.masked("please BUY  gold", *filters[:1]), "please *********")
        self.assertEqual(self.masked("buy,gold. now", *filters), "*************")
        self.assertEqual(self.masked("buy silver"), "*** silver")
        self.assertEqual(self.masked("gold buy"), "gold ***")

    def test_substrings(self) -> None:
        """A substring is hit within words; the longest of several that begin alike."""
        filters = (make("ex.am", substring=True), make("ex.ample", substring=True), make("p+", substring=True))
        self.assertEqual(
            self.masked("myEX.AMPLEs and ex.amx, exxam, cp+p", *filters), "my********s and *****x, exxam, c**p"
        )

    def test_refuse(self) -> None:
        """A filter that refuses says why, whatever others would mask."""
        self.filters.save(make("bad", action="refuse", reason="mind your language"))
        with self.assertRaises(Denied) as caught:
            self.masked("so darn bad", make("darn"))
        self.assertEqual(str(caught.exception), "message refused: mind your language")

    def test_channels(self) -> None:
        """A filter of a channel counts there only, beside those for everywhere, and before one of the same text."""
        self.masked("", make("one"), make("two", "gossip"), make("one", "gossip", action="refuse"))
        self.assertEqual(self.masked("one two", channel="testing"), "*** two")
        self.assertRaises(Denied, self.masked, "one two")
        self.assertEqual(self.masked("two"), "***")

    def test_changes(self) -> None:
        """What is saved and removed counts at once."""
        self.assertEqual(self.masked("one", make("one")), "***")
        self.filters.remove("one", "")
        self.filters.remove("nothing", "")
        self.assertEqual(self.masked("one"), "one")
        self.assertEqual(self.filters.kept, {})

    def test_case(self) -> None:
        """A letter whose small form is longer stays in its place."""
        self.assertEqual(folded("İX"), "İx")
        self.assertEqual(self.masked("İİ Straße", make("straße")), "İİ ******")

    def test_alike(self) -> None:
        """Words that look like the filter's are hit, in whatever letters; the mask covers all that was written."""
        filters = (make("ana"), make("spam", substring=True))
        for text in (
            "A\u200bna",
            "a\u00adna",
            "Ａｎａ",
            "Ána",
            "A\u0301na",
            "Аnа",
            "\U0001d504\U0001d52b\U0001d51e",
            "an\u0430",
        ):
            self.assertEqual(self.masked(f"O {text}!", *filters), f"O {'*' * len(text)}!", ascii(text))
        self.assertEqual(self.masked("unsp\u200d\u200dАm!", *filters), "un******!")
        self.assertEqual(self.masked("he11 tœ", make("hell"), make("toe", substring=True)), "**** **")
        self.assertEqual(self.masked("ΝΙΓ νιγ Νow", make("nig"), make("now")), "ΝΙΓ νιγ ***")

    def test_not_alike(self) -> None:
        """Words of plain letters are told apart, and so are those of scripts that need their marks."""
        filters = [make(text) for text in ("heil", "हन", "ass", "вор")]
        filters += [make(text, substring=True) for text in ("bum", "か", "가지")]
        for text in ("hell burn हिन् が", "가진", "бор", "Will it burn? |ass", "as s, a.ss"):
            self.assertEqual(self.masked(text, *filters), text.replace("|ass", "|***"))

    def test_kept(self) -> None:
        """A filter that an earlier release kept counts as it did, and one that looks like nothing hits nothing."""
        self.assertEqual(self.masked("привет", make("привет")), "******")
        self.assertEqual(self.masked("日本語 ノート", make("ノート"), make("語", substring=True)), "日本* ***")
        self.assertEqual(self.masked("a b", make("\u200b", substring=True), make("\u0301", substring=True)), "a b")

    @given(
        st.lists(st.text("ab.*(\\", min_size=1, max_size=5), min_size=1, max_size=8, unique=True),
        st.text("ab.*(\\ ", max_size=20),
    )
    def test_like_a_search(self, texts: list[str], text: str) -> None:
        """One pattern hits the same as a search for each: at every place the longest, from left to right."""
        hits = [(start, end) for start, end, _ in Matcher(make(each, substring=True) for each in texts).hits(text)]
        plain = "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))
        self.assertEqual(hits, [match.span() for match in re.finditer(plain, text)])

    def test_many(self) -> None:
        """The longest message is judged by as many filters as there may be, however alike they are."""
        for number in range(1000):
            self.filters.save(make("a" * (number % 63 + 1) + f"b{number}", substring=True))
            self.filters.save(make(f"word{number} word word word"))
        self.filters.judge("gossip", "x")
        for text in ("a" * 4096, "word " * 800, "word1 word word " * 250, "ab" * 2048):
            self.assertEqual(self.filters.judge("gossip", text), text)
