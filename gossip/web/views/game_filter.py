"""Which games a visitor wants to see, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from gossip.web.http.requests import PublicRequest
from gossip.web.http.urls import parameter
from gossip.web.views.public import PublicGame, base_of

SORTS: Final = ("players", "name", "activity")
"""The orders. Activity is the number of messages that a game sent lately."""

_LONGEST: Final = 100


class GameFilter(Struct, frozen=True):
    """
    What a visitor asks the list of games for.

    @ivar text: part of a name, a tagline or a code base; empty for any.
    @ivar online: whether only games online are wanted.
    @ivar base: a code base without its version; empty for any.
    @ivar language: empty for any.
    @ivar sort: one of L{SORTS}.
    """

    text: str = ""
    online: bool = False
    base: str = ""
    language: str = ""
    sort: str = "players"

    @classmethod
    def of(cls, request: PublicRequest) -> GameFilter:
        """The filter in the address of a page. What makes no sense there is ignored."""
        text, base, language = (
            (parameter(request, name) or "").strip()[:_LONGEST] for name in ("q", "base", "language")
        )
        sort = parameter(request, "sort")
        online = parameter(request, "online") is not None
        return cls(text, online, base, language, sort if sort in SORTS else "players")

    def fits(self, game: PublicGame) -> bool:
        """Whether a game is wanted."""
        return (
            self.text.lower() in text_of(game).lower()
            and (game.online or not self.online)
            and self.base in ("", base_of(game))
            and self.language in ("", game.language)
        )

    def key(self, spoken: dict[str, int]) -> Callable[[PublicGame], Any]:
        """
        What games are sorted by.

        @param spoken: the number of messages that games sent lately, by their short name.
        """
        if self.sort == "name":
            return lambda game: game.display_name.lower()
        return lambda game: (-spoken.get(game.game, 0), not game.online, game.game.lower())

    @property
    def parameters(self) -> dict[str, str]:
        """The filter as parameters of an address."""
        given = {"q": self.text, "online": "1" if self.online else "", "base": self.base, "language": self.language}
        return {name: value for name, value in {**given, "sort": self.sort}.items() if value}


def text_of(game: PublicGame) -> str:
    """The text that the filter searches."""
    return " ".join(filter(None, (game.game, game.display_name, game.tagline, game.user_agent)))
