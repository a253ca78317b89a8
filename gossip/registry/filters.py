"""
Word filters.

A filter is a text, never a pattern: no filter can make the check of a message slow. Filters for whole words are looked
up word by word. All substring filters are found in one pass, by one pattern that is made of them. Texts are compared by
what they look like (L{gossip.protocol.skeleton}).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from gossip.protocol.errors import Denied
from gossip.protocol.skeleton import plain, readings
from gossip.protocol.text import is_line
from gossip.registry.entities import Filter
from gossip.registry.errors import Refused

FILTERS: Final = 2000
"""The maximum number of filters."""

FILTER_TEXT: Final = 64
"""The maximum length of a filter, in characters."""

_WORD: Final = re.compile(r"[^\W_]+")


def folded(text: str) -> str:
    """A text in lower case, with the same number of characters."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := character.lower()) == 1 else character for character in text)


def words(text: str) -> tuple[str, ...]:
    """The words of a text, in the form in which filters compare them."""
    return tuple(_WORD.findall(plain(text)))


class _Word:
    """A node in the tree of filters by words: the filter that ends with this word, and the words that may follow."""

    __slots__ = ("ends", "follows")

    def __init__(self) -> None:
        self.ends: Filter | None = None
        self.follows: dict[str, _Word] = {}


class Matcher:
    """Finds the matches of several filters."""

    def __init__(self, filters: Iterable[Filter]) -> None:
        self._first = _Word()
        self._parts: dict[str, Filter] = {}
        for each in filters:
            if each.substring:
                self._parts[plain(each.text)] = each
            else:
                word = self._first
                for one in words(each.text):
                    word = word.follows.setdefault(one, _Word())
                word.ends = each
        # Releases that compared letters only could keep a filter of nothing visible. It would be everywhere.
        self._parts.pop("", None)
        self._pattern = re.compile(_pattern(sorted(self._parts))) if self._parts else None

    def hits(self, text: str) -> Iterator[tuple[int, int, Filter]]:
        """The start and end of each match, and its filter."""
        for reading in readings(text):
            for start, end, hit in self._hits(reading.text):
                if span := reading.span(start, end):
                    yield *span, hit

    def _hits(self, text: str) -> Iterator[tuple[int, int, Filter]]:
        if self._first.follows:
            found = list(_WORD.finditer(text))
            for number, match in enumerate(found):
                word, last = self._first.follows.get(match[0]), number
                while word is not None:
                    if word.ends is not None:
                        yield match.start(), found[last].end(), word.ends
                    last += 1
                    word = word.follows.get(found[last][0]) if last < len(found) else None
        if self._pattern is not None:
            for match in self._pattern.finditer(text):
                yield match.start(), match.end(), self._parts[match[0]]


def _pattern(texts: list[str]) -> str:
    """
    A pattern that matches any of some sorted texts, preferring the longest.

    A common prefix is written once, so that the pattern never tries a text twice at one position.
    """
    parts: list[str] = []
    optional = ""
    start = 0
    while start < len(texts):
        text = texts[start]
        if not text:
            optional = "?"
            start += 1
            continue
        end = start + 1
        while end < len(texts) and texts[end][0] == text[0]:
            end += 1
        # They are sorted: a common prefix of the first and the last is common to all.
        common = 1
        while common < min(len(text), len(texts[end - 1])) and text[common] == texts[end - 1][common]:
            common += 1
        rest = [each[common:] for each in texts[start:end]]
        parts.append(re.escape(text[:common]) + (_pattern(rest) if rest != [""] else ""))
        start = end
    return f"(?:{'|'.join(parts)}){optional}"


class Filters:
    """
    All filters.

    @ivar kept: by text and channel. Read it freely; only L{save} and L{remove} change it.
    """

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Filter] = {}
        self._matchers: dict[str, Matcher] = {}
        self._own: set[str] = set()

    def check(self, kept: Filter) -> None:
        """
        Check a filter that somebody asks for.

        @raise Refused: it is invalid, or there are too many.
        """
        text = kept.text
        if not 1 <= len(text) <= FILTER_TEXT or folded(text) != text or not is_line(text):
            raise Refused(
                "invalid", "text", f"a filter has 1 to {FILTER_TEXT} characters, without control characters and tags"
            )
        if not kept.substring and not words(text):
            raise Refused("invalid", "text", "a filter that contains no whole word needs substring matching")
        if kept.substring and not plain(text).strip():
            raise Refused("invalid", "text", "a filter must not be blank")
        if len(self.kept) >= FILTERS and (text, kept.channel) not in self.kept:
            raise Refused("too-many", None, f"there are {FILTERS} filters already, the maximum")

    def save(self, kept: Filter) -> None:
        """Add a filter, or replace the one with the same text and channel."""
        self.kept[kept.text, kept.channel] = kept
        self._changed()

    def remove(self, text: str, channel: str) -> None:
        """Remove a filter, if it exists."""
        self.kept.pop((text, channel), None)
        self._changed()

    def _changed(self) -> None:
        self._matchers.clear()
        self._own = {channel for _, channel in self.kept}

    def judge(self, channel: str, text: str) -> str:
        """
        Apply the filters of a channel to a text.

        @return: the text, with the matches of masking filters replaced by asterisks.
        @raise Denied: a filter refuses the text.
        """
        masked: list[str] | None = None
        for start, end, hit in self._matcher(channel).hits(text):
            if hit.action == "refuse":
                raise Denied("message-refused", reason=hit.reason)
            if masked is None:
                masked = list(text)
            masked[start:end] = "*" * (end - start)
        return text if masked is None else "".join(masked)

    def _matcher(self, channel: str) -> Matcher:
        if channel not in self._own:
            channel = (
                ""  # all channels without filters of their own share one matcher: games can create any number of them
            )
        matcher = self._matchers.get(channel)
        if matcher is None:
            here = (kept for kept in self.kept.values() if kept.channel in ("", channel))
            matcher = self._matchers[channel] = Matcher(sorted(here, key=lambda kept: kept.channel))
        return matcher
