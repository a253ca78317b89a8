"""Texts and names, to and from MUDs of Intermud-3."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.intermud3.lettering import (
    NAME_CHARACTERS,
    PACKETS,
    TEXT_BYTES,
    Parts,
    heard,
    heard_emote,
    said,
    told,
    user,
    written,
)
from gossip.transports.spreading import CUT


class HeardTests(SynchronousTestCase):
    """What MUDs say."""

    def test_colours(self) -> None:
        """Colours are dropped, and words between two marks stay."""
        for text, expected in {
            "%^RED%^HELLO%^RESET%^": "HELLO",
            "%^BOLD%^RED%^x": "x",
            "%^BOLD%^%^B_BLUE%^%^F255%^x%^B007%^ y": "x y",
            "%^hello%^": "hello",
            "RED 100% %^": "RED 100%",
            "F256 %^F256%^": "F256 F256",
            'Hello "there" 100% %^RED%^%^BOLD%^red back\\slash': 'Hello "there" 100% red back\\slash',
            "\x1b[1;31mred\x1b[0m": "red",
            "two\nlines\t here": "two lines here",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(heard(text), expected)

    def test_emotes(self) -> None:
        """A text that begins with the player is an emote; names replace what stands for them, once."""
        self.assertEqual(heard_emote("$N smiles happily.", "Test"), "/me smiles happily.")
        self.assertEqual(heard_emote("$N waves at $O, says $N.", "Ana", "Bo"), "/me waves at Bo, says Ana.")
        self.assertEqual(heard_emote("The sky above $N is red.", "$O", "$N"), "The sky above $O is red.")
        self.assertEqual(heard_emote("It rains.", "Ana"), "It rains.")
        self.assertEqual(heard_emote("$N ", "Ana"), "Ana")

    def test_bounded(self) -> None:
        """A long name that a text has again and again does not make the text much longer."""
        self.assertEqual(len(heard_emote("$N" * 10_000, "n" * 30_000)), 10_000 * NAME_CHARACTERS)

    @given(st.text(st.sampled_from("%^REDBOLD $NO\x1b[m\n")))
    def test_any_text(self, text: str) -> None:
        """What is heard is one line."""
        self.assertTrue(heard(text).isprintable())
        self.assertTrue(heard_emote(text, text, text).isprintable())


class WrittenTests(SynchronousTestCase):
    """What MUDs are told."""

    def test_vectors(self) -> None:
        """Nothing in a text is a colour, a line or a name."""
        for text, expected in {
            "%^RED%^ $N and $O": "% ^RED% ^ $ N and $ O",
            "$5 for $<b>N": "$5 for $ N",
            "%%^^": "%% ^^",
            "two\nlines": "two lines",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(written(text), expected)

    def test_said(self) -> None:
        """An emote begins with what stands for the player; in a tell it is between asterisks."""
        self.assertEqual([*said("hello $N")], [("channel-m", "hello $ N")])
        self.assertEqual([*said("/me waves")], [("channel-e", "$N waves")])
        self.assertEqual([*said("/me ")], [("channel-m", "/me")])
        self.assertEqual([*told("/me waves")], ["*waves*"])
        self.assertEqual([*told("psst")], ["psst"])
        self.assertEqual([*said("\n")], [])

    def test_long(self) -> None:
        """A long text is split between words, and cut after the last packet. Only the first part of an emote is one."""
        kinds = [kind for kind, _ in said("/me " + "word " * 500)]
        self.assertEqual(kinds, ["channel-e", "channel-m"])
        parts = [*told("word " * 10_000)]
        self.assertEqual(len(parts), PACKETS)
        self.assertTrue(parts[-1].endswith(CUT))
        self.assertEqual({*" ".join(parts[:-1]).split()}, {"word"})

    def test_parts(self) -> None:
        """The operator may want shorter texts, and fewer of them."""
        parts = [*told("word " * 100, Parts(50, 2))]
        self.assertEqual([len(part) <= 50 for part in parts], [True, True])
        self.assertTrue(parts[-1].endswith(CUT))
        self.assertEqual(len([*said("/me " + "word " * 100, Parts(50, 3))]), 3)

    @given(st.text(st.sampled_from("a é終$N%^<"), max_size=400).map(lambda text: text * 50))
    def test_sizes(self, text: str) -> None:
        """No part is too long, and none is empty or has a mark."""
        for part in told(text):
            self.assertTrue(0 < len(part.encode()) <= TEXT_BYTES)
            self.assertNotIn("%^", part)
            self.assertNotIn("$N", part)

    def test_user(self) -> None:
        """A name as one word has only letters and digits."""
        self.assertEqual(user("Zoë O'Brien-2"), "zoeobrien2")
        self.assertEqual(user("終焉"), "")
