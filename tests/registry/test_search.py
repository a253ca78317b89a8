"""L{gossip.registry.search} and L{gossip.registry.words}: which messages people find."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.changes import MessageSaid
from gossip.registry.entities import Removal
from gossip.registry.errors import Refused
from gossip.registry.search import LONGEST, Search, Wanted, read_search, terms_of
from gossip.registry.words import folded, places, terms

TEXTS = st.text(max_size=40) | st.lists(st.sampled_from(["Café", "dragon", "東京都", "ＷＩＤＥ", "ﬁ", "/me", "ß"])).map(
    " ".join
)


def said(text: str) -> MessageSaid:
    """A message."""
    return MessageSaid("gossip", 1, None, "Élan", "Zoë", text, 1000.0)


class SearchTests(SynchronousTestCase):
    """What is found."""

    def finds(self, query: str, text: str) -> bool:
        return read_search(query).finds(said(text))

    def test_words(self) -> None:
        """All words must be there, in any order; case, accents and punctuation mean nothing."""
        text = "The café's DRAGON flew to Málaga, on 26/11."
        for query in ("dragon", "Dragon CAFÉ", "cafe malaga", "26 the", "cafés'", "málaga!"):
            self.assertEqual(self.finds(query, text), query != "cafés'", query)
        for query in ("drag", "dragons", "dragon unicorn"):
            self.assertFalse(self.finds(query, text), query)

    def test_scripts(self) -> None:
        """Words are found in any script; where no spaces are between words, any part of a text is."""
        for query, text in (
            ("ЁЖИК", "Ежик в тумане"),
            ("straße", "STRASSE"),
            ("京都", "東京都に行く"),
            ("猫", "この猫"),
            ("한국", "한국어로"),
            ("हिन्दी", "यह हिन्दी है"),
            ("wide", "ＷＩＤＥ"),
        ):
            self.assertTrue(self.finds(query, text), query)
        self.assertFalse(self.finds("都京", "東京都"))

    def test_beginnings(self) -> None:
        """A star at the end of a word stands for the rest of it, and for nothing elsewhere."""
        self.assertTrue(self.finds("drag*", "dragons"))
        self.assertTrue(self.finds("foo-dra*", "foo dragons"))
        self.assertFalse(self.finds("*agons", "dragons"))

    def test_no_operators(self) -> None:
        """Nothing is an operator: quotes, brackets, AND, NOT, NEAR and colons are text like any other."""
        for query in ('"dragon"', "(dragon)", "dragon:", "+dragon", "^dragon", "-dragon", "{dragon}", "dragon;--"):
            self.assertTrue(self.finds(query, "a dragon"), query)
        for query in ("dragon AND unicorn", "NOT unicorn", "dragon OR unicorn", "NEAR(dragon, 2)"):
            self.assertFalse(self.finds(query, "a dragon"), query)

    def test_speakers(self) -> None:
        """Names and games compare like words, channels exactly; times are a span without its end."""
        for search, expected in (
            (read_search(name="zoe"), True),
            (read_search(name="zo"), False),
            (read_search(game="ELAN"), True),
            (read_search(channel="gossip"), True),
            (read_search(channel="Gossip"), False),
            (read_search(since=1000.0), True),
            (read_search(since=1000.1), False),
            (read_search(until=1000.0), False),
        ):
            self.assertEqual(search.finds(said("Hello")), expected, search)

    def test_removed(self) -> None:
        """What is left of a removed message is found by nothing."""
        self.assertFalse(Search().finds(replace(said("Hello"), removed=Removal(1.0, "ana", "spam"))))

    def test_emotes(self) -> None:
        """An emote is found by what is done, as people see it."""
        self.assertTrue(self.finds("waves", "/me waves"))
        self.assertFalse(self.finds("me", "/me waves"))

    def test_refused(self) -> None:
        """What is too long, too much or nothing is refused."""
        for query in ("x" * (LONGEST + 1), " ".join("abcdefghijk"), "?!", "", " "):
            self.assertRaises(Refused, read_search, query)

    def test_marked(self) -> None:
        """The words are marked where they stand, and all of the text is there."""
        search = read_search("cafe drag*")
        self.assertEqual(
            search.marked("<b>Café</b>: dragons!"),
            [("<b>", False), ("Café", True), ("</b>: ", False), ("dragons", True), ("!", False)],
        )

    @given(TEXTS, TEXTS)
    def test_terms(self, query: str, text: str) -> None:
        """A message that is found has all terms of the search; whatever is typed raises nothing but a refusal."""
        try:
            search = read_search(query)
        except Refused:
            return
        self.assertEqual("".join(part for part, _ in search.marked(text)), text)
        found = terms_of("gossip", "Élan", "Zoë", text)
        if search.finds(said(text)):
            for term in search.terms:
                self.assertTrue(any(each.startswith(term.text) if term.begins else each == term.text for each in found))

    @given(st.lists(TEXTS.map(lambda text: text.replace("\0", "")), max_size=5))
    def test_places(self, texts: list[str]) -> None:
        """Many texts together have the words that each has alone."""
        alone = [(word, number) for number, text in enumerate(texts) for word in terms(text)]
        self.assertEqual({(word, number) for word, some in places(texts).items() for number in some}, {*alone})

    @given(TEXTS)
    def test_found_by_itself(self, text: str) -> None:
        """A text is found by each of its own words."""
        for part in text.split():
            if len(folded(part)) > 20:
                continue
            try:
                search = read_search(part)
            except Refused:
                continue
            if all(wanted != Wanted("me") for wanted in search.words):
                self.assertTrue(search.finds(said(text)), (part, text))
