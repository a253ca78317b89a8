"""Text: what may cross between worlds (protocol specification, channels/send)."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol.skeleton import skeleton
from gossip.protocol.text import MARKS, clean, clean_name, is_line, kept, too_long
from tests.support.world import CONTROLS

TRICKY = st.text(st.sampled_from("<<<>>>!/ab1 \x00\x1b\x9b\u202e\n&;"), max_size=60)


NAMES = st.text(
    st.sampled_from("<>/b1 \n\t\u0301\u0301\u200b\u200d\u200f\u202e\u00ad\u3164\ufeff\u2028aé@") | st.characters(),
    max_size=40,
)


class CleanTests(SynchronousTestCase):
    """Tags and controls go, talk stays."""

    def test_talk(self) -> None:
        """What is talk stays as it is."""
        for talk in (
            "",
            " Hello,  wörld! ",
            "1 < 2",
            "3 > 2",
            "<unclosed",
            "I <3 you > me",
            "a &lt; b",
            "<>",
            "< b>",
            "<-- look >",
            "a\tb\nc\r\n",
            "e\u0301 \u200d\ufeff\u00a0 ✔️",
            "\u2029\u202f\u2065\u206a",
            "<é>",
        ):
            self.assertEqual(clean(talk), talk)

    def test_line(self) -> None:
        """What stands on one line is known; marks that scripts and emoji need are no controls."""
        for text in ("", "Hi", "می\u200cخواهم", "क्\u200dष", "\U0001f469\u200d\U0001f4bb", "a\u00a0b\u3000c", "<3"):
            self.assertTrue(is_line(text), text)
        for text in ("a\tb", "a\n", "\ra", "a\u2028b", "a\u2029b", "\x1b[31m", "a\x85b", "\u202ea", "<b>"):
            self.assertFalse(is_line(text), text)

    def test_tags(self) -> None:
        """A run of < and a letter, / or !, up to the next >."""
        for text, wanted in (
            ("<b>Hi</b>", "Hi"),
            ("<!-- x -->a", "a"),
            ("<!ELEMENT x>", ""),
            ("<send href='a\nb'>go</send>", "go"),
            ("<<b>b>", "b>"),
            ("<<<<b>", ""),
            ("!1a><<b!>!>a", "!1a>!>a"),
            ("<b<i>u", "u"),
            ("<b> <unclosed", " <unclosed"),
            ("< <b>b>", "< b>"),
            ("a<Z>b<z>c", "abc"),
        ):
            self.assertEqual(clean(text), wanted, text)

    def test_controls(self) -> None:
        """Control characters and marks that turn lines around are dropped, each of them."""
        for control in CONTROLS:
            self.assertEqual(clean(f"a{control}{control}b"), "ab", hex(ord(control)))

    def test_controls_first(self) -> None:
        """Controls go before tags: they cannot hide one."""
        self.assertEqual(clean("<\x00b>Hi<\u202e/b>"), "Hi")

    def test_long(self) -> None:
        """Texts made to search for ever do not."""
        size = 200_000
        for unit in ("<", "<b", "<!", "<<b>", "> <", "<b>", "\x00<", "<\x00", "<1", "b<"):
            clean(unit * (size // len(unit)))
        self.assertEqual(clean("<b" * size), "<b" * size)
        self.assertEqual(clean("<" * size + ">"), "<" * size + ">")
        self.assertEqual(clean("<" * size + "b>"), "")

    @given(TRICKY | st.text())
    def test_harmless(self, text: str) -> None:
        """Nothing that comes out has a tag or a control."""
        out = clean(text)
        self.assertIsNone(re.search("<[A-Za-z/!][^>]*>", out))
        self.assertEqual([control for control in CONTROLS if control in out], [])

    @given(TRICKY | st.text())
    def test_idempotent(self, text: str) -> None:
        """Clean text stays as it is."""
        self.assertEqual(clean(clean(text)), clean(text))

    @given(st.text(st.characters(exclude_characters="<", exclude_categories=("Cc", "Cf", "Cs"))))
    def test_nothing_else(self, text: str) -> None:
        """Text without a < loses nothing but controls."""
        self.assertEqual(clean(f"{text}\x1b\t"), f"{text}\t")


class KeptTests(SynchronousTestCase):
    """What people type loses nothing but control characters."""

    def test_kept(self) -> None:
        """A blank keeps what would be a tag; all else stays as it is."""
        for text, wanted in (
            ("vector<string> and <Bob> says hi", "vector< string> and < Bob> says hi"),
            ("<<b>b>", "<< b>b>"),
            ("</b><!x>", "< /b>< !x>"),
            ("I <3 you > me <unclosed", "I <3 you > me <unclosed"),
            ("<\x00b>", "< b>"),
        ):
            self.assertEqual(kept(text), wanted)

    @given(TRICKY)
    def test_any(self, text: str) -> None:
        """Nothing of it is a tag, and without the blanks it is what was typed."""
        self.assertEqual(clean(kept(text)), kept(text))
        without = clean(text.replace("<", "\ue000")).replace("\ue000", "<")
        self.assertEqual(kept(text).replace(" ", ""), without.replace(" ", ""))

    def test_linear(self) -> None:
        """It takes linear time."""
        size = 200_000
        self.assertEqual(len(kept("<b" * size + ">")), size * 3 + 1)


class CleanNameTests(SynchronousTestCase):
    """Names stand within lines of others."""

    def test_names(self) -> None:
        """Names of all scripts stay as they were written."""
        for name in ("Ana", "Ana Bo", "Ana@Some Game", "O'Neil-Özgür", "Nguyễn", "می\u200cخواهم", "क्\u200dष", "हिन्दी",
                     "\U0001f469\u200d\U0001f4bb", "❤️", "שָׁלוֹם", "ข้า", "日本", "Ana_1"):  # fmt: skip
            for form in ("NFC", "NFD"):
                text = unicodedata.normalize(form, name)
                self.assertEqual(clean_name(text), text, form)

    def test_hidden_tags(self) -> None:
        """What is dropped leaves no tag behind."""
        self.assertEqual(clean_name("<\u200bb>Ana</\u2060b>"), "Ana")

    @given(NAMES)
    def test_one_line(self, text: str) -> None:
        """A name is clean, has single blanks within and no marks that turn a line or hide, and few on a letter."""
        name = clean_name(text)
        self.assertEqual(clean(name), name)
        self.assertEqual(" ".join(name.split()), name)
        self.assertTrue(is_line(name))
        self.assertIsNone(re.search("[\u200b\u200e\u200f\u202e\u2066\u00ad\u3164\ufeff]", name))
        self.assertIsNone(re.search(f"^\u0301|\u0301{{{MARKS + 1}}}", name))

    @given(NAMES)
    def test_idempotent(self, text: str) -> None:
        """A clean name stays as it is."""
        self.assertEqual(clean_name(clean_name(text)), clean_name(text))

    @given(st.text(st.characters(exclude_characters="<", exclude_categories=("C", "M", "Zl", "Zp"))))
    def test_same_name(self, text: str) -> None:
        """A cleaned name is compared as what was sent."""
        self.assertEqual(skeleton(clean_name(text)), skeleton(text))


class TooLongTests(SynchronousTestCase):
    """Limits in characters and in bytes; 0 is none."""

    def test_characters(self) -> None:
        """Exactly the limit passes."""
        self.assertEqual([too_long("é" * n, 3, 0) for n in (2, 3, 4)], [False, False, True])

    def test_bytes(self) -> None:
        """Bytes of UTF-8 count, exactly the limit passes."""
        self.assertEqual([too_long("é" * n, 0, 6) for n in (2, 3, 4)], [False, False, True])
        self.assertEqual([too_long(text, 0, 4) for text in ("aaaa", "aaaaa", "😀", "😀a")], [False, True, False, True])

    def test_none(self) -> None:
        """Without limits nothing is too long."""
        self.assertFalse(too_long("a" * 100_000, 0, 0))
