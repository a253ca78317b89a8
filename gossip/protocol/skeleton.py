"""
Names and words that look alike: what comparisons go by, while everybody sees what was written.

A skeleton is a text without case, accents and invisible characters, with each character replaced by the one that it
can be mistaken for (UTS 39, section 4, after NFKC_Casefold of UAX 44). A skeleton is only compared, never shown.

The data of UTS 39 come from the package C{confusable_homoglyphs}. They are read once, by L{load}.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

import msgspec
from msgspec import Struct

# Default_Ignorable_Code_Point (UAX 44, DerivedCoreProperties.txt): what is drawn as nothing. Python does not know it.
_IGNORABLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)

# A name is compared as a whole. There these are told apart neither: "Bill", "BilI", "Bi1l"; "Modern", "Modem".
_IN_NAMES: Final = str.maketrans("i|", "ll")

# A private or unknown character may be drawn: the font decides, and Python may be older than an emoji.
_NOT_DRAWN: Final = {"Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Mc", "Me"}

_ENOUGH: Final = 8192
"""How many characters are remembered with what they are mistaken for."""


class _Homoglyph(Struct):
    c: str


def load() -> None:
    """Read the data, if they were not read yet. This takes some 60 ms of CPU, so a daemon does it at its start."""
    _capitals()


@cache
def confusables() -> dict[str, str]:
    """
    The characters that can be mistaken for others.

    @return: by character, the text that stands for it and all that look alike.
    """
    # gossipctl imports this module for every command, and needs the data for few.
    from importlib.resources import files

    data = files("confusable_homoglyphs").joinpath("confusables.json").read_bytes()
    # The file has each pair in both directions: every group is a star around the text that UTS 39 maps it to.
    # It marks what is written from right to left.
    stars = {
        text.strip("\u200e"): [each.c.strip("\u200e") for each in found]
        for text, found in msgspec.json.decode(data, type=_Stars).items()
    }
    prototypes: dict[str, str] = {}
    for text, others in stars.items():
        if len(others) == 1:
            if len(stars.get(others[0], ())) > 1:
                continue  # it is a point of a star
            # Of a pair, the file does not say which stands for which.
            text, other = sorted((text, others[0]), key=lambda each: (not each.isascii(), len(each) == 1, each))
            others = [other]
        if len(text) > 1:
            # "m" stands for itself, not "rn" for it as in UTS 39: otherwise a filter for "bum" would hit "burn".
            text = next((each for each in others if len(each) == 1 and each.isascii()), text)
        prototypes.update((each, text) for each in others if len(each) == 1 and each != text)
    return prototypes


_Stars = dict[str, list[_Homoglyph]]


def skeleton(name: str) -> str:
    """
    The skeleton of a name. It is the same in any case, and the skeleton of a skeleton is itself.

    White space counts as one blank. In names, C{i}, C{l}, C{1} and C{|} are one, and so are C{m} and C{rn}.
    """
    plain = _without_digits(name.lower()) if name.isascii() else "".join(map(_fold, _compatible(name)))
    return " ".join(plain.translate(_IN_NAMES).replace("rn", "m").split())


def skeletons(name: str) -> tuple[str, ...]:
    """
    What a name is compared by: its skeleton, and, if that differs, the one of what its capitals look like.

    The capital of Greek C{ν}, which looks like C{v}, looks like C{N}.
    """
    whole = skeleton(name)
    seen = name if name.isascii() else _as_seen(name)
    other = whole if seen == name else skeleton(seen)
    return (whole,) if other == whole else (whole, other)


def alike(one: str, other: str) -> bool:
    """Can two names be mistaken for each other?"""
    return not set(skeletons(one)).isdisjoint(skeletons(other))


class Reading(Struct, frozen=True):
    """
    A running text, as filters compare it.

    @ivar text: the characters that it can be mistaken for.
    @ivar places: where each of them stands in what was written; C{None} if both are of one length.
    """

    text: str
    places: list[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """
        The start and end of a part in what was written, with the accents and joiners in it and after it.

        @return: C{None} if the part begins or ends within a character: Hangul and kana are made of parts.
        """
        places = self.places
        if places is None:
            return start, end
        if places[end - 1] == places[end] or (start and places[start - 1] == places[start]):
            return None
        return places[start], places[end]


def readings(text: str) -> Iterator[Reading]:
    """How a running text can be read: in one way; in two, if its capitals look like other letters than the small."""
    if text.isascii():
        yield Reading(_without_digits(text.lower()))
        return
    yield _reading(text)
    seen = _as_seen(text)
    if seen != text:
        yield _reading(seen)


def plain(text: str) -> str:
    """A text as L{readings} has it first."""
    return next(readings(text)).text


def is_visible(text: str) -> bool:
    """Is anything of a text drawn: more than white space, joiners, fillers and accents without a letter?"""
    first = text[:1]
    if "!" <= first <= "~" or (first.isalnum() and not _IGNORABLE.match(first)):
        return True  # as most texts
    return any(each != "\u2800" and unicodedata.category(each) not in _NOT_DRAWN for each in _IGNORABLE.sub("", text))


def _reading(text: str) -> Reading:
    parts = list(map(_folded, text))
    if "" not in parts and sum(map(len, parts)) == len(text):
        return Reading("".join(parts))
    places = [place for place, part in enumerate(parts) for _ in part]
    places.append(len(text))
    return Reading("".join(parts), places)


def _without_digits(text: str) -> str:
    # In ASCII, only digits are mistaken for letters. Small l and capital I are told apart in running text: "hell",
    # "heil". This is several times as fast as str.translate.
    return text.replace("0", "o").replace("1", "l")


def _as_seen(text: str) -> str:
    """A text with the letters of ASCII that its capitals of other scripts look like."""
    return _capitals().sub(lambda found: _looks(found[0]), text)


@cache
def _capitals() -> re.Pattern[str]:
    """Finds the capitals that look like one letter of ASCII, other than what stands for them without case."""
    capitals = [each for each in confusables() if each.isupper() and not each.isascii()]
    looks = {each: _looks(each) for each in capitals}
    return re.compile(
        f"[{''.join(each for each, it in looks.items() if len(it) == 1 and it.isascii() and it != _folded(each))}]"
    )


def _compatible(text: str) -> str:
    """A text without what compatibility, case and accents tell apart (NFKC_Casefold, decomposed)."""
    # Twice: to fold the case of a character may bring others that can be decomposed.
    for _ in range(2):
        text = unicodedata.normalize("NFKD", text).casefold()
    text = _IGNORABLE.sub("", unicodedata.normalize("NFKD", text))
    return "".join(each for each in text if not _is_accent(each))


def _is_accent(character: str) -> bool:
    """
    Is this a mark that any letter can carry: an accent, an overlay, a point of Hebrew or Arabic, an enclosure?

    Vowel signs and viramas of Indic scripts, tones of Thai and the voicing of kana are none: they make other words.
    """
    kind = unicodedata.combining(character)
    return kind >= 200 or kind == 1 or 10 <= kind <= 36 or unicodedata.category(character) == "Me"


@lru_cache(_ENOUGH)
def _folded(character: str) -> str:
    """What stands for a character of a running text."""
    return "".join(map(_fold, _compatible(character)))


@lru_cache(_ENOUGH)
def _fold(character: str) -> str:
    """What stands for a character of which L{_compatible} leaves nothing to do."""
    passed = [character]
    while True:
        after = "".join(map(_next, passed[-1]))
        if after in passed:
            # Usually it is the last one. Where characters stand for each other, it is the same for all of them.
            return min(passed[passed.index(after) :])
        passed.append(after)


def _next(character: str) -> str:
    if character.isascii():
        return _without_digits(character)
    found = [found for each in (character, character.upper()) if (found := _looks(each)) != character]
    # Cyrillic small ve looks like no letter of ASCII, and its capital like B.
    return next((each for each in found if each.isascii()), found[0] if found else character)


@lru_cache(_ENOUGH)
def _looks(character: str) -> str:
    """
    What a character looks like, without case. A letter looks like letters: a word must not fall into two. What looks
    like a letter with an accent is not taken for the letter: otherwise Cyrillic be and ve are one.
    """
    own, found = _compatible(character), confusables().get(character, character)
    apart = any(map(_is_accent, unicodedata.normalize("NFKD", found)))
    found = _compatible(found)
    return own if apart or (character.isalnum() and not found.isalnum()) else found
