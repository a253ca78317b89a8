"""
The words of a text, as a search compares them: without case, without accents, in any script.

Scripts that put no spaces between words, such as Chinese, Japanese and Thai, have no words here: a run of such
characters counts as its pairs of neighbours, so any part of it is found.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

LONGEST: Final = 64
"""A longer word counts as several, each with this many characters."""

_ASCII: Final = re.compile(f"[a-z0-9]{{1,{LONGEST}}}")
_ACCENTS: Final = re.compile("[\u0300-\u036f]+")
_RUN: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai and Lao, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Japanese and Chinese
    "\uac00-\ud7af\U00020000-\U0003ffff"  # Korean, rare Chinese
)
# Signs above and below letters of Hebrew, Arabic and the scripts of India belong to their words; Python's \w leaves
# them out.
_SIGNS: Final = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0981-\u0dff"
)
_TOKEN: Final = re.compile(rf"(?P<run>[{_RUN}]+)|(?:(?![{_RUN}_])[\w{_SIGNS}]){{1,{LONGEST}}}")


def folded(text: str) -> str:
    """A text as it is compared: C{Café} is C{cafe}."""
    if text.isascii():
        return text.lower()
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    # Put together again what has no accent: a syllable of Korean, a Japanese sound.
    return unicodedata.normalize("NFC", plain).casefold()


def tokens(text: str) -> Iterator[tuple[str, bool]]:
    """The words and runs of a folded text, in their order; and whether each is a run."""
    if text.isascii():
        return ((word, False) for word in _ASCII.findall(text))
    return ((each[0], each["run"] is not None) for each in _TOKEN.finditer(text))


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Where the words and runs of a text are, which need not be folded: where each begins and ends."""
    return (each.span() for each in _TOKEN.finditer(text))


def pairs(run: str) -> list[str]:
    """The pairs of neighbours in a run. Its last character stands alone as well: each begins one of them."""
    return [*(run[place : place + 2] for place in range(len(run) - 1)), run[-1]]


def terms(text: str) -> set[str]:
    """All words and pairs of a text."""
    text = folded(text)
    if text.isascii():
        return set(_ASCII.findall(text))
    found: set[str] = set()
    for token, is_run in tokens(text):
        if is_run:
            found.update(pairs(token))
        else:
            found.add(token)
    return found


def places(texts: Iterable[str]) -> dict[str, list[int]]:
    """
    The same for many texts.

    @return: for each word or pair, the numbers of the texts that have it, some of them twice.
    """
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        # What a set would cost is more than what it would save.
        for term in _ASCII.findall(text.lower()) if text.isascii() else terms(text):
            found[term].append(number)
    return found
