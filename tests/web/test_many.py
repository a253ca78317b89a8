"""Pages and answers about thousands of games and channels: no turn of the reactor makes more than a slice of them."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.listing import SLICE
from gossip.registry.changes import AccountSaved, ChannelSaved, GameSaved, GameSeen
from gossip.registry.entities import Account, Channel, Game
from gossip.web.pages.front import NAMED
from gossip.web.pages.games import PAGE
from gossip.web.site import public_site
from gossip.web.views.queries import SHARED
from tests.support.site_browser import PEOPLE, Browser, Page
from tests.support.turns import CountingService
from tests.support.world import uuid

MANY = 3000


class WatchedAgents(dict[str, Any]):
    """The code bases of games, which each game has one of its own of; they note when somebody reads them."""

    def __init__(self, looked: set[object]) -> None:
        super().__init__()
        self._looked = looked

    def get(self, name: str, otherwise: Any = None) -> Any:
        self._looked.add(name)
        return otherwise


class ManyTests(SynchronousTestCase):
    """A network with 3,000 games and as many channels."""

    def setUp(self) -> None:
        self.service = CountingService()
        registry = self.service.network.registry
        self.few = len(registry.games)
        for number in range(MANY - self.few):
            client_id = uuid(0x1000 + number)
            game = Game(client_id=client_id, short_name=f"G{number:04}", name=f"Game {number:04}", secrets=())
            registry.enact(GameSaved(game))
            registry.enact(GameSeen(client_id, f"Base {number:04}", "1.0.0"))
        for number in range(MANY):
            registry.enact(ChannelSaved(Channel(f"c{number:04}", hidden=False)))
        registry.user_agents = WatchedAgents(self.service.looked)
        self.site = public_site(self.service, self.service.store, self.service.clock, maybeDeferred)
        self.service.counted()

    def ask(self, path: str, **headers: str) -> tuple[int, Any, bytes]:
        """An answer, when it is there."""
        browser = Browser(self.site)
        accept = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in (PEOPLE | headers).items())
        browser.send(f"GET {path} HTTP/1.1\r\nHost: mud.example\r\n{accept}\r\n".encode())
        self.service.clock.advance(0)
        return browser.read()

    def test_games(self) -> None:
        """All games are in one answer of the API, sorted, made in slices and shared for some seconds."""
        self.service.join("Beta", players=["Ana"])
        self.service.counted()
        code, heads, body = self.ask("/api/v1/games")
        games = [game["game"] for game in json.loads(body)["games"]]
        self.assertEqual((code, len(games), games[0]), (200, MANY, "Beta"))
        self.assertEqual(games[1:], sorted(games[1:], key=str.lower))
        turns = self.service.counted()
        self.assertLessEqual(max(turns), SLICE)
        self.assertGreaterEqual(sum(turns), MANY - self.few)
        self.assertGreaterEqual(len(turns), 3 * MANY // SLICE, "they are found, sorted and written in slices")
        again = self.ask("/api/v1/games")
        dated = "date"  # by the clock of the machine, which goes on
        self.assertEqual((again[0], again[1] | {dated: heads[dated]}, again[2]), (code, heads, body))
        self.assertEqual(self.ask("/api/v1/statistics")[0], 200)
        self.assertEqual(sum(self.service.counted()), 0, "others share what was made")
        self.service.clock.advance(SHARED)
        self.service.counted()
        self.ask("/api/v1/statistics")
        self.assertLessEqual(max(turns := self.service.counted()), SLICE)
        self.assertGreaterEqual(sum(turns), MANY - self.few)

    def test_pages(self) -> None:
        """The page of games has a hundred rows, finds all others, and leads to the next ones."""
        code, _, body = self.ask("/games")
        page = Page(body)
        self.assertEqual((code, self.rows(page)), (200, PAGE))
        self.assertIn("3,000 games", page.text)
        self.assertLessEqual(max(self.service.counted()), SLICE)
        [further] = [link for link in page.links() if "after=" in link]
        second = Page(self.ask(f"/games{further}")[2])
        self.assertEqual(self.rows(second), PAGE)
        self.assertEqual(set(self.games(page)) & set(self.games(second)), set())
        found = Page(self.ask("/games?q=base+2345")[2])
        self.assertEqual(self.games(found), ["/games/G2345"])
        self.assertIn("No matches.", Page(self.ask("/games?q=nothing")[2]).text)
        self.assertNotIn("data-filter", str(found.tags))

    def test_channels(self) -> None:
        """The page of channels has a hundred of them, and leads to the next ones; the API tells all."""
        page = Page(self.ask("/channels")[2])
        self.assertIn("2,900 more", page.text)
        [further] = [link for link in page.links() if "after=" in link]
        second = [link for link in Page(self.ask(f"/channels{further}")[2]).links() if link.startswith("/chat/c")]
        self.assertEqual((second[0], second[-1], len(second)), ("/chat/c0100", "/chat/c0199", 100))
        channels = json.loads(self.ask("/api/v1/channels")[2])["channels"]
        self.assertEqual([each["name"] for each in channels], [f"c{number:04}" for number in range(MANY)])

    def test_others(self) -> None:
        """The front page and the statistics look at no more than a slice either."""
        for path in ("/", "/stats"):
            self.service.clock.advance(SHARED)
            self.service.counted()
            self.assertEqual(self.ask(path)[0], 200)
            turns = self.service.counted()
            self.assertLessEqual(max(turns), SLICE, path)
            self.assertGreaterEqual(sum(turns), MANY - self.few, path)

    def test_terminal(self) -> None:
        """A terminal shows a hundred of the games online, and how many more there are."""
        for number in range(NAMED + 7):
            game = self.service.world.game(f"G{number:04}")
            self.service.network.presence.join(self.service.connect(), game, self.service.clock.now())
        text = self.ask("/", Accept="text/plain")[2].decode()
        self.assertIn(f"Online: {NAMED + 7} games", text)
        self.assertIn(f"  G{NAMED - 1:04} ", text)
        self.assertNotIn(f"G{NAMED:04}", text)
        self.assertIn("  and 7 more: /games", text)

    def test_owned(self) -> None:
        """The games of an account are found without a look at all others, also after they changed hands."""
        registry = self.service.network.registry
        for name in ("Ana", "Bo"):
            registry.enact(AccountSaved(Account(name=name)))
        self.service.world.change("Beta", owner="Ana")
        self.service.world.change("Alpha", owner="Ana")
        self.assertEqual([game.short_name for game in registry.games_of("Ana")], ["Alpha", "Beta"])
        self.service.world.change("Beta", owner="Bo")
        self.service.world.change("Alpha", owner=None)
        self.assertEqual([game.short_name for game in registry.games_of("Bo")], ["Beta"])
        self.assertEqual(registry.games_of("Ana"), [])

    def rows(self, page: Page) -> int:
        """The number of games of a page."""
        return len([tag for tag, attributes in page.tags if "data-text" in attributes])

    def games(self, page: Page) -> list[str]:
        """The links to games."""
        return [link for link in page.links() if link.startswith("/games/")]
