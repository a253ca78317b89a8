"""L{gossip.transports.telnet.lines}: text as the lines of an old MUD."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.telnet.lines import CHARSETS, MOST_LINES, Lettering, decode, one_line, transliterate
from tests.support.world import CONTROLS

SIGNS = "!\"#$%&'()*+-./:;<=>?@[\\]^_`{|}~"

LETTERINGS = st.builds(
    Lettering,
    st.sampled_from(sorted(CHARSETS)),
    st.integers(256, 600),
    st.text(st.sampled_from(SIGNS), max_size=4).map(lambda signs: "".join(dict.fromkeys(signs))),
    st.text(st.sampled_from(SIGNS), max_size=2),
)
TEXTS = st.text(
    st.characters(codec="utf-8") | st.sampled_from(" <>{@%,\t\r\n\x1b\xff\u3000\u2028＠＜＞｛…é"), max_size=300
)
NAMES = st.text(st.sampled_from("ab <>{@%,\t\n\x1bé\u3000＠"), min_size=1, max_size=20)


class OneLineTests(SynchronousTestCase):
    """Text that no line may contain."""

    def test_plain(self) -> None:
        """Plain text stays unchanged, except for blanks at its ends."""
        for text in ("hello", "I <3 you > me", "1 < 2", "ça va? 😀", "50% @home"):
            self.assertEqual(one_line(text), text)
        self.assertEqual(one_line("  hello "), "hello")

    def test_controls(self) -> None:
        """Control characters, characters that change the direction of text, and byte order marks are removed."""
        for control in [*CONTROLS, "\ufeff"]:
            self.assertNotIn(control, one_line(f"a{control}b"), hex(ord(control)))

    def test_white_space(self) -> None:
        """Each run of white space becomes one blank."""
        for white in ("\t", "\r\n", "\n", "   ", "\xa0", "\u2028", "\u2029", "\u3000", " \t\u2003 "):
            self.assertEqual(one_line(f"a{white}b"), "a b", repr(white))

    def test_tags(self) -> None:
        """Tags are removed, even those that appear when something else is dropped."""
        for text in ("<b>x</b>", "<\x1bb>x", "<!ELEMENT x>x", "<<b>b>x", "<\ufeffb>x"):
            self.assertEqual(one_line(text).replace("b>", ""), "x", text)


class DecodeTests(SynchronousTestCase):
    """Input lines."""

    def test_utf_8(self) -> None:
        """UTF-8 is read as such, anything else as Windows-1252, whose undefined bytes are dropped."""
        self.assertEqual(decode("é😀".encode(), "utf-8"), "é😀")
        self.assertEqual(decode(b"caf\xe9 \x93x\x94 \xff", "utf-8"), "café “x” ÿ")
        self.assertEqual(one_line(decode(b"a\x81\x8d\xe9", "utf-8")), "aé")

    def test_others(self) -> None:
        """Latin-1 and code page 437 read any byte, ASCII none above 127."""
        every = bytes(range(256))
        self.assertEqual(decode(every, "latin1"), "".join(map(chr, range(256))))
        self.assertEqual(decode(b"\x82", "cp437"), "é")
        self.assertEqual(decode(b"x", "ascii"), "x")
        self.assertRaises(UnicodeDecodeError, decode, b"\x82", "ascii")


class TransliterateTests(SynchronousTestCase):
    """Characters that a charset lacks."""

    def test_ascii(self) -> None:
        """Marks are dropped, typography becomes plain, the rest becomes a question mark."""
        for text, expected in (
            ("Zoë", "Zoe"),
            ("“it’s”—…", '"it\'s"-...'),
            ("«x»", '"x"'),
            ("ﬁne", "fine"),
            ("Ł→😀", "???"),
            ("e\u0301", "e"),
            ("\u0301", ""),
            ("a\u3000b", "a b"),
        ):
            self.assertEqual(transliterate(text, "ascii"), expected, text)

    def test_kept(self) -> None:
        """Characters of the charset stay, with their marks where it has them."""
        self.assertEqual(transliterate("Zoë ÿ", "latin1"), "Zoë ÿ")
        self.assertEqual(transliterate("e\u0301", "latin1"), "é")
        self.assertEqual(transliterate("█é", "cp437"), "█é")
        self.assertEqual(transliterate("e\u0301😀", "utf-8"), "e\u0301😀")

    @given(TEXTS, st.sampled_from(sorted(CHARSETS)))
    def test_fits(self, text: str, charset: str) -> None:
        """The result can be encoded."""
        transliterate(text, charset).encode(CHARSETS[charset])


class TextTests(SynchronousTestCase):
    """Texts and names from other games."""

    def test_doubled(self) -> None:
        """Each of the characters is doubled."""
        self.assertEqual(Lettering(double="{").text("nice {Rcolours{{"), "nice {{Rcolours{{{{")
        self.assertEqual(Lettering(double="&^}").text("&r^x}b"), "&&r^^x}}b")
        self.assertEqual(Lettering(double="@").text("me@x"), "me@@x")

    def test_stripped(self) -> None:
        """Each of the characters is removed, and so is a tag that appears by that."""
        self.assertEqual(Lettering(strip="{}").text("{Ra}"), "Ra")
        self.assertEqual(Lettering(strip="*").text("<*b>x"), "x")

    def test_look_alikes(self) -> None:
        """A look-alike is treated as the character that transliteration makes of it."""
        letters = Lettering(charset="ascii", double="{")
        self.assertEqual(letters.text("＜b＞x"), "x")
        self.assertEqual(letters.text("｛R"), "{{R")
        self.assertEqual(letters.name("a＠b\u3000c％20，"), "a%40b%20c%2520%2C")

    def test_name(self) -> None:
        """A name is one token, and comes back unchanged."""
        letters = Lettering(double="{")
        for name, token in (
            ("Conan the Great", "Conan%20the%20Great"),
            ("a@b,c%d", "a%40b%2Cc%25d"),
            ("%20", "%2520"),
            ("{x}", "{{x}"),
            ("Zoë", "Zoë"),
        ):
            self.assertEqual(letters.name(name), token)
            self.assertEqual(letters.heard_name(token), name)
        self.assertEqual(letters.heard_name("a%2cb%41%"), "a,b%41%")

    def test_endless_name(self) -> None:
        """A name full of escapes is cut between them, so that two names leave room for a text."""
        letters = Lettering(maxline=256, double="@")
        name = letters.name("@" * 64)
        self.assertRegex(name, r"\A(%40){20,}\Z")
        head = f"TELL {name} {letters.who('@' * 64, 'Beta')}"
        self.assertTrue(all(len(line) <= 256 for line in letters.spread(head, "x " * 200)))
        self.assertEqual(Lettering(double="@").name("@" * 64), "%40" * 128)

    def test_no_name(self) -> None:
        """A name that cannot be written becomes a question mark, so that no token is missing."""
        self.assertEqual(Lettering(strip="{").who(" \t{", "Beta"), "?@Beta")

    @given(NAMES, LETTERINGS)
    def test_any_name(self, name: str, letters: Lettering) -> None:
        """Any name is one token without an at sign or a comma, and its length is limited."""
        written = letters.encode(letters.name(name)).decode(CHARSETS[letters.charset])
        self.assertRegex(written, r"\A[^\s@,]+\r\n\Z")
        self.assertLessEqual(len(written), letters.maxline // 2)

    @given(st.text(st.sampled_from("ab @%,{é"), min_size=1, max_size=20).map(one_line).filter(bool))
    def test_round_trip(self, name: str) -> None:
        """A name that is written and sent back is the same name."""
        for letters in (Lettering(), Lettering(double="{%")):
            self.assertEqual(letters.heard_name(letters.name(name)), name)


class SpreadTests(SynchronousTestCase):
    """Texts that are longer than a line."""

    def spread(self, text: str, maxline: int = 256, double: str = "", head: str = "MSG gossip Ana@Beta") -> list[str]:
        letters = Lettering(maxline=maxline, double=double)
        lines = [line.decode() for line in letters.spread(head, letters.text(text))]
        for line in lines:
            self.assertLessEqual(len(line.encode()), maxline)
            self.assertTrue(line.startswith(head + " ") and line.endswith("\r\n"))
        return [line.removeprefix(head + " ").removesuffix("\r\n") for line in lines]

    def test_short(self) -> None:
        """A text that fits is one line, up to the last byte; an empty text is no line."""
        self.assertEqual(self.spread("hello there"), ["hello there"])
        room = 256 - len("MSG gossip Ana@Beta  \r\n")
        self.assertEqual(self.spread("x" * (room + 0)), ["x" * room])
        self.assertEqual(len(self.spread("x" * (room + 2))), 2)
        self.assertEqual(self.spread(" "), [])

    def test_at_blanks(self) -> None:
        """A text is split at blanks, and nothing is lost."""
        text = " ".join(f"word{number}" for number in range(120))
        lines = self.spread(text)
        self.assertGreater(len(lines), 2)
        self.assertEqual(" ".join(lines), text)

    def test_between_characters(self) -> None:
        """A word that is longer than a line is split between characters, never inside one."""
        lines = self.spread("é😀" * 100)
        self.assertEqual("".join(lines), "é😀" * 100)

    def test_pairs(self) -> None:
        """Neither a doubled pair nor an escape is split."""
        lines = self.spread("{" * 300, double="{")
        self.assertTrue(all(line.count("{") % 2 == 0 for line in lines))
        lines = self.spread("x" * 3 + "%20" * 150)
        self.assertTrue(all(re.fullmatch("x*(%20)+", line) for line in lines), lines)

    def test_most(self) -> None:
        """There are at most eight lines; a longer text ends in the sign for a cut."""
        text = " ".join(f"word{number}" for number in range(1000))
        lines = self.spread(text)
        self.assertEqual(len(lines), MOST_LINES)
        self.assertTrue(lines[-1].endswith("…"))
        self.assertTrue(text.startswith(" ".join(lines).removesuffix("…")))
        self.assertFalse(any("…" in line for line in lines[:-1]))

    def test_sign_in_ascii(self) -> None:
        """The sign is written in the charset of the connection."""
        letters = Lettering(charset="ascii", maxline=256)
        self.assertTrue([*letters.spread("MSG", "x" * 5000)][-1].endswith(b"x...\r\n"))

    @given(TEXTS, NAMES, LETTERINGS)
    def test_anything(self, text: str, name: str, letters: Lettering) -> None:
        """Each line of any text has the head, a limited length, one end, and no control character."""
        head = f"TELL {letters.name(name)} {letters.who(name, 'Beta')}"
        lines = [*letters.spread(head, letters.text(text * 8))]
        self.assertLessEqual(len(lines), MOST_LINES)
        for line in lines:
            self.assertLessEqual(len(line), letters.maxline)
            read = line.decode(CHARSETS[letters.charset])
            self.assertEqual(read[:-2].split(" ")[:3], head.split(" "))
            self.assertEqual(read[-2:], "\r\n")
            self.assertFalse(any(control in read[:-2] for control in [*CONTROLS, "\r", "\n", "\t"]), repr(read))

    def test_rows(self) -> None:
        """Words in rows: nothing is lost, and no line is too long; no words are one line."""
        letters = Lettering(maxline=256)
        words = [f"player{number}" for number in range(200)]
        lines = [line.decode() for line in letters.listed("WHO Beta 200", words)]
        self.assertTrue(all(len(line) <= 256 and line.startswith("WHO Beta 200 ") for line in lines))
        self.assertEqual([word for line in lines for word in line.split()[3:]], words)
        self.assertEqual([*letters.listed("WHO Beta 0", [])], [b"WHO Beta 0\r\n"])

    def test_linear(self) -> None:
        """The worst texts are written in lines that fit."""
        letters = Lettering(charset="ascii", maxline=256, double="{")
        for text in ("ﷺ" * 4096, "<" * 4096, "{ " * 2048, "%4" * 2048, "“" * 4096):
            lines = list(letters.spread("MSG gossip Ana@Beta", letters.text(text * 4)))
            self.assertLessEqual(max(map(len, lines)), 256)
