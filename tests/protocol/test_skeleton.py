"""What looks alike: L{gossip.protocol.skeleton}."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol.skeleton import alike, confusables, is_visible, plain, readings, skeleton, skeletons

CONFUSABLE = st.sampled_from(sorted(confusables()))
TEXT = st.text(
    CONFUSABLE | st.sampled_from("aIl1|0OrnmnНнΝν \t\u200b\u200d\u00ad\u0301\u093f\u3099가") | st.characters(),
    max_size=40,
)


class SkeletonTests(SynchronousTestCase):
    """Names that people mistake for each other share a skeleton."""

    def test_alike(self) -> None:
        """Case, accents, what is invisible, and letters of other scripts make no other name."""
        for name, others in {
            "Ana": (
                "ANA", "A\u200bna", "A\u00adna", "Ａｎａ", "Ána", "A\u0301na", "A\u0338na", "Аnа", "αnα",
                "\U0001d504na", "Ⓐna", " Ana ", "A\u20ddna", "\u2067Ana\u2069", "\U000e0041Ana",
            ),
            "Gossip": ("Gоssip", "g0ssip", "GOSSIP", "GOSSlP", "Gοѕѕір"),
            "Moderator": ("rnoderator", "M0derat0r", "МОDЕRАТОR"),
            "Bill": ("BiIl", "Bi1l", "B|ll", "Віll"),
            "Helen": ("Неlеn", "HELEN"),
            "Nathan": ("Νathan",),
            "Straße": ("STRASSE", "strasse"),
            "Ana Bo": ("Ana  Bo", "Ana\u3000Bo", "Ana\nBo", "Ana \u200b Bo"),
            "Ѕуѕtеm": ("system", "SYSTEM"),
            "Νίκος": ("νίκος", "ΝΙΚΟΣ"),
        }.items():  # fmt: skip
            for other in others:
                self.assertTrue(alike(name, other), f"{name!a} {other!a}")

    def test_different(self) -> None:
        """Other names stay others, and scripts keep the marks that make their words."""
        for one, other in (
            ("Ana", "Anna"), ("Ana", "A na"), ("Ana", "Ina"), ("हिन्दी", "हन्द"), ("はは", "ばば"), ("ข่า", "ขา"),
            ("Борис", "Ворис"), ("Vathan", "Nathan"), ("日本", "日木"), ("Ana", "Ana@Gamma"), ("ノ", "/"),
        ):  # fmt: skip
            self.assertFalse(alike(one, other), f"{one} {other}")

    def test_joiners(self) -> None:
        """A word with and without its joiner is one, for a comparison."""
        self.assertTrue(alike("می\u200cخواهم", "میخواهم"))

    def test_everything_confusable(self) -> None:
        """Every character of the data looks like its skeleton, and that like itself."""
        self.assertGreater(len(confusables()), 6000)
        for character in confusables():
            found = skeleton(character)
            self.assertEqual(skeleton(found), found, ascii(character))
            self.assertEqual(plain(plain(character)), plain(character), ascii(character))

    @given(TEXT)
    def test_idempotent(self, text: str) -> None:
        """A skeleton is its own skeleton, and a plain text its own plain text."""
        self.assertEqual(skeleton(skeleton(text)), skeleton(text))
        self.assertEqual(plain(plain(text)), plain(text))

    @given(TEXT)
    def test_case(self, text: str) -> None:
        """No case of a name has another skeleton, and a skeleton has no case."""
        found = skeleton(text)
        for same in (text.casefold(), text.lower(), found.casefold()):
            self.assertEqual(skeleton(same), found, ascii(same))

    @given(TEXT)
    def test_normal_forms(self, text: str) -> None:
        """The same text in another form of Unicode is the same."""
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            self.assertEqual(skeleton(unicodedata.normalize(form, text)), skeleton(text), form)

    @given(st.text(st.characters(max_codepoint=126)))
    def test_ascii(self, text: str) -> None:
        """ASCII takes a short cut to what the long way comes to."""
        [found] = skeletons(text)
        self.assertEqual(found, skeleton(f"{text}\u200b"))
        self.assertEqual([each.text for each in readings(text)], [each.text for each in readings(f"{text}\u200b")])

    @given(TEXT)
    def test_places(self, text: str) -> None:
        """Each part of a reading has its place in what was written; the parts follow each other."""
        for reading in readings(text):
            spans = [span for each in range(len(reading.text)) if (span := reading.span(each, each + 1))]
            self.assertEqual(sorted(spans), spans)
            for start, end in spans:
                self.assertTrue(0 <= start < end <= len(text))
                self.assertEqual(len(plain(text[start:end])), 1)


class VisibleTests(SynchronousTestCase):
    """Something is drawn, or nothing."""

    def test_nothing(self) -> None:
        """White space, fillers, joiners and marks alone draw nothing."""
        nothing = "\x1b\t\n \u00a0\u3000\u3164\u200b\u00ad\u2800\u0301\u115f\u1160\uffa0\ufe0f\u200d\u200e\u202e"
        for text in ("", nothing, *nothing, "\U000e0041"):
            self.assertFalse(is_visible(text), ascii(text))
            self.assertFalse(is_visible(f"{text} \u200b{text}"), ascii(text))
            self.assertTrue(is_visible(f"{text}a"), ascii(text))

    def test_something(self) -> None:
        """Letters, digits, punctuation, symbols and emoji of any script are seen, new ones too."""
        for text in (
            "a",
            ".",
            "é",
            "日",
            "हि",
            "\U0001f469\u200d\U0001f4bb",
            "✔️",
            "\U0001fae9",
            "\ue000",
            "—",
            "\u0645",
        ):
            self.assertTrue(is_visible(text), ascii(text))
