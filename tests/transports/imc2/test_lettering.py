"""Tests for texts and names of IMC2."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.imc2.lettering import heard, is_name, name, spread, text, token


class LetteringTests(SynchronousTestCase):
    """Nothing that another game sent becomes a colour, a second word or an overrun."""

    def test_heard(self) -> None:
        """Colours of IMC2 and of terminals are dropped, and emotes begin as everywhere."""
        for said, emote, message in (
            ("Hello ~Rred ~rlope", 0, "Hello red lope"),
            ("\x1b[1;31mred\x1b[0m  ^_^ `!x", 0, "red ^_^ x"),
            ("waves.", 1, "/me waves."),
            ("Shemp@RomMud smiles happily.", 2, "/me smiles happily."),
            ("Somebody smiles.", 2, "Somebody smiles."),
            ("", 1, ""),
        ):
            self.assertEqual(heard(said, emote, "shemp@rommud"), message)

    def test_text(self) -> None:
        """Texts are in the charset, and no sign begins a colour."""
        self.assertEqual(text("~Rred ^_^", "ascii"), "~ Rred ^_^")
        self.assertEqual(text("Zoë — hi", "ascii"), "Zoe - hi")
        self.assertEqual(text("Zoë", "latin1"), "Zoë")

    def test_names(self) -> None:
        """A name of another game is one word."""
        self.assertEqual(name("Conan the Great"), "Conan_the_Great")
        self.assertEqual(name("Zoë@x"), "Zoe_x")
        self.assertEqual(name(""), "Someone")
        self.assertEqual(len(name("x" * 99)), 40)
        self.assertEqual((token("O'Brien"), token("'x"), token("a b")), ("O'Brien", "_x", "a_b"))

    def test_is_name(self) -> None:
        """A name of an IMC2 MUD has 1 to 40 characters, no blank and no at sign."""
        self.assertTrue(is_name("x" * 40))
        for bad in ("", "x" * 41, "a b", "a@b", "ä"):
            self.assertFalse(is_name(bad))

    def test_spread(self) -> None:
        """A long text is split between words, and its end says that there was more."""
        self.assertEqual(list(spread("", "ascii")), [])
        self.assertEqual(list(spread("aa bb cc", "ascii", most=5)), ["aa bb", "cc"])
        self.assertEqual(list(spread("aaaaaaaa", "ascii", most=5)), ["aaaaa", "aaa"])
        self.assertEqual(list(spread("aa bb cc dd ee ff", "ascii", most=5, packets=2)), ["aa bb", "cc..."])

    @given(st.text(max_size=300), st.sampled_from(("ascii", "latin1", "utf-8")), st.integers(10, 50))
    def test_any_text(self, message: str, charset: str, most: int) -> None:
        """No part of any text has a colour, is empty or is longer than it may be."""
        parts = list(spread(text(message, charset), charset, most))
        self.assertLessEqual(len(parts), 4)
        for part in parts:
            self.assertTrue(part)
            self.assertLessEqual(len(part.encode("utf-8" if charset == "utf-8" else "latin-1")), most)
            self.assertIsNone(re.search("[~^`][A-Za-z!$]", part))

    @given(st.text(max_size=100))
    def test_any_name(self, player: str) -> None:
        """Any name becomes a word."""
        self.assertRegex(name(player), r"^[A-Za-z0-9_.-]{1,40}$")
        self.assertRegex(token(player), r"^[!-?A-~]{1,40}$")
