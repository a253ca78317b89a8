"""
What people search for among the messages that were said.

A message is found if it has all words. They compare without case and without accents; one that ends in C{*} stands for
all that begin like it. Nothing else in a query means anything but itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from gossip.protocol.emotes import emote
from gossip.registry.changes import MessageSaid
from gossip.registry.errors import Refused
from gossip.registry.words import folded, pairs, spans, terms, tokens

LONGEST: Final = 200
"""The maximum length of a query, in characters."""

MOST_WORDS: Final = 10
"""The maximum number of words of a query."""

_CHUNK: Final = re.compile(r"\S+")

CHANNEL: Final = "#"
GAME: Final = "&"
NAME: Final = "@"
"""What the terms for the channel, the game and the player of a message begin with. No word has these characters."""


MARKS: Final = frozenset((CHANNEL, GAME, NAME))


class Wanted(Struct, frozen=True):
    """
    A word that is searched for, folded.

    @ivar begins: it is the beginning of a word.
    @ivar run: it is a part of a run: see L{gossip.registry.words}.
    """

    word: str
    begins: bool = False
    run: bool = False

    def is_in(self, text: str, words: set[str]) -> bool:
        """
        Does a text have it?

        @param text: the folded text.
        @param words: the words of that.
        """
        if self.run:
            return self.word in text
        if self.begins:
            return any(word.startswith(self.word) for word in words)
        return self.word in words

    def is_same(self, word: str) -> bool:
        """Is a word of a message, not folded, one that was searched for?"""
        text = folded(word)
        return self.is_in(text, {token for token, _ in tokens(text)})


class Term(Struct, frozen=True):
    """
    What a message must have to be found: one of the terms of L{terms_of}.

    @ivar begins: any term that begins like this.
    """

    text: str
    begins: bool = False


class Search(Struct, frozen=True):
    """
    What is searched for. Texts are folded, other than the channel.

    @ivar since: the earliest time, in seconds since the epoch.
    @ivar until: the time before which it was said.
    """

    words: tuple[Wanted, ...] = ()
    name: str | None = None
    game: str | None = None
    channel: str | None = None
    since: float | None = None
    until: float | None = None

    def finds(self, said: MessageSaid) -> bool:
        """Is this message one of those?"""
        if (
            said.removed is not None
            or (self.channel is not None and said.channel != self.channel)
            or (self.game is not None and folded(said.game) != self.game)
            or (self.name is not None and folded(said.name) != self.name)
            or (self.since is not None and said.said_at < self.since)
            or (self.until is not None and said.said_at >= self.until)
        ):
            return False
        if not self.words:
            return True
        text = folded(shown(said.message))
        words = {token for token, is_run in tokens(text) if not is_run}
        return all(wanted.is_in(text, words) for wanted in self.words)

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of every message that is found. Some others have them, too."""
        found: dict[Term, None] = {}
        for wanted in self.words:
            if wanted.run and len(wanted.word) > 1:
                found.update(dict.fromkeys(Term(pair) for pair in pairs(wanted.word)[:-1]))
            else:
                found[Term(wanted.word, wanted.begins or wanted.run)] = None
        for mark, named in ((NAME, self.name), (GAME, self.game), (CHANNEL, self.channel)):
            if named is not None:
                found[Term(_named(mark, named))] = None
        return tuple(found)

    def marked(self, text: str) -> list[tuple[str, bool]]:
        """Divide a text: each part, and whether it is a word that was searched for."""
        parts: list[tuple[str, bool]] = []
        done = 0
        for start, end in spans(text):
            if any(wanted.is_same(text[start:end]) for wanted in self.words):
                parts += [(text[done:start], False), (text[start:end], True)]
                done = end
        parts.append((text[done:], False))
        return [part for part in parts if part[0]]


def shown(message: str) -> str:
    """The text of a message as people see it: of an emote, what is done."""
    done = emote(message)
    return message if done is None else done


def terms_of(channel: str, game: str, name: str, message: str) -> set[str]:
    """All that a message is found by."""
    return {*terms(shown(message)), *terms_of_speaker(channel, game, name)}


def terms_of_speaker(channel: str, game: str, name: str) -> tuple[str, ...]:
    """What a message is found by, other than its words."""
    return _named(CHANNEL, channel), _named(GAME, folded(game)), _named(NAME, folded(name))


def _named(mark: str, name: str) -> str:
    return mark + name[:LONGEST]


def read_search(
    query: str = "",
    name: str | None = None,
    game: str | None = None,
    channel: str | None = None,
    since: float | None = None,
    until: float | None = None,
) -> Search:
    """
    Make a search of what somebody typed. An empty text counts as none.

    @param since: the earliest time, in seconds since the epoch.
    @param until: the time before which it was said.
    @raise Refused: it is too long, or it is nothing that could be searched for.
    """
    if len(query) > LONGEST:
        raise Refused("invalid", "query", f"a search has at most {LONGEST} characters")
    words = tuple(dict.fromkeys(_wanted(query)))
    if len(words) > MOST_WORDS:
        raise Refused("invalid", "query", f"a search has at most {MOST_WORDS} words")
    if query.strip() and not words:
        raise Refused("invalid", "query", "a search needs a letter or a digit")
    for field, text in (("name", name), ("game", game), ("channel", channel)):
        if text is not None and len(text) > LONGEST:
            raise Refused("invalid", field, f"it has at most {LONGEST} characters")
    if since is not None and until is not None and since >= until:
        raise Refused("invalid", "until", "the end is before the beginning")
    search = Search(
        words,
        folded(name) if name else None,
        folded(game.strip()) if game else None,
        channel or None,
        since,
        until,
    )
    if search == Search():
        raise Refused("invalid", "query", "there is nothing to search for")
    return search


def _wanted(query: str) -> Iterator[Wanted]:
    for chunk in _CHUNK.findall(folded(query)):
        found = list(tokens(chunk))
        for place, (token, is_run) in enumerate(found, 1):
            yield Wanted(token, not is_run and place == len(found) and chunk.endswith("*"), is_run)
