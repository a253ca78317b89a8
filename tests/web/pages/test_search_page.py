"""L{gossip.web.pages.search}, the same in the API, and the days of a channel: what visitors find."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from gossip.registry.changes import ChannelSaved, MessageSaid, MessagesRemoved
from gossip.registry.entities import Channel, Removal
from gossip.web.site import SEARCHES
from gossip.web.views.searches import AT_ONCE, WAITING
from tests.support.site_browser import Browser
from tests.support.sites import PagesTestCase, seen
from tests.support.visitor import Answer, Visitor

DAY = 1700006400.0  # 15 November 2023, 00:00
HOSTILE = '<b>Unicorn</b> & "dragon"'


class SearchTestCase(PagesTestCase):
    """Messages on a public and on a hidden channel."""

    def setUp(self) -> None:
        super().setUp()
        self.visitor = Visitor(self.site)
        self.show("gossip")
        self.world.registry.enact(ChannelSaved(Channel("secret", hidden=True)))
        texts = ["good morning", HOSTILE, "/me rides a unicorn", "good night"]
        for seq, text in enumerate(texts, 1):
            self.say(seq, text)
        self.say(1, "a secret unicorn", channel="secret")

    def say(self, seq: int, text: str, channel: str = "gossip", game: str = "Alpha") -> MessageSaid:
        """A message, one each 12 hours."""
        client_id = self.world.game(game).client_id
        said = MessageSaid(channel, seq, client_id, game, "Ana", text, DAY + (seq - 1) * 43200)
        self.service.store.keep(said)
        return said

    def search(self, query: str) -> Answer:
        """The page of a search."""
        return self.visitor.get(f"/search?{query}")

    def found(self, query: str, code: int = 200) -> Any:
        """What the API finds."""
        got, _, body = self.get(f"/api/v1/search?{query}")
        self.assertEqual(got, code, body)
        return json.loads(body)


class PageTests(SearchTestCase):
    """The page."""

    def test_form(self) -> None:
        """Without anything to search for, there is the form."""
        answer = self.visitor.get("/search")
        self.assertEqual(answer.code, 200)
        self.assertIn('<input id="q" type="search" name="q" value=""', answer.body.decode())
        self.assertNotIn('class="hit"', answer.body.decode())

    def test_hits(self) -> None:
        """What is found comes with its link, the lines around it, and the words marked; all of it is escaped."""
        body = self.search("q=UNICORN").body.decode()
        self.assertIn("&lt;b&gt;<mark>Unicorn</mark>&lt;/b&gt; &amp; &#34;dragon&#34;", body)
        self.assertIn('<a href="/chat/gossip/2#gossip-2">#gossip · <time', body)
        self.assertIn("rides a <mark>unicorn</mark>", body)
        self.assertEqual((body.count("good morning"), body.count("good night")), (1, 1))
        self.assertLess(body.index("gossip/3#"), body.index("gossip/2#"))
        self.assertNotIn("secret", body)
        self.assertNotIn("<b>", body)

    def test_channel_sign(self) -> None:
        """A channel may be given as the pages write it, in the API as well."""
        self.assertEqual(self.search("q=unicorn&channel=%23gossip").body.count(b'class="hit"'), 2)
        self.assertEqual(self.found("q=unicorn&channel=%23gossip"), self.found("q=unicorn&channel=gossip"))
        self.found("q=unicorn&channel=%23none", 404)

    def test_backwards(self) -> None:
        """Dates in the wrong order are a mistake, not a search that finds nothing."""
        answer = self.search("q=unicorn&from=2023-11-16&to=2023-11-15")
        self.assertEqual(answer.code, 400)
        self.assertIn("The end is before the beginning.", seen(answer))
        self.assertEqual(self.search("q=unicorn&from=2023-11-15&to=2023-11-15").code, 200)

    def test_form_again(self) -> None:
        """The form has what was searched for; the next page does, too."""
        for seq in range(5, 40):
            self.say(seq, "unicorn & co")
        body = self.search("q=unicorn+%26+co&name=%22Ana%22&from=2023-11-15").body.decode()
        self.assertIn('value="unicorn &amp; co"', body)
        self.assertIn('name="name" value="&#34;Ana&#34;"', body)
        self.assertIn("Nothing was found", body)
        body = self.search("q=unicorn+%26+co").body.decode()
        self.assertIn('href="?q=unicorn+%26+co&amp;before=', body)

    def test_wrong(self) -> None:
        """What makes no sense is told at the form."""
        for query, text in (
            ("q=%3F%3F", "A search needs a letter or a digit."),
            ("from=yesterday", "is no date like 2026-11-20"),
            ("q=" + "x" * 201, "A search has at most 200 characters."),
        ):
            answer = self.search(query)
            self.assertEqual(answer.code, 400)
            self.assertIn(text, seen(answer))
        self.assertEqual(self.search("q=x&before=y").code, 400)

    def test_hidden(self) -> None:
        """Nothing of a hidden channel or of a hidden game is found, nor is a hidden channel told from none."""
        for channel in ("secret", "none"):
            answer = self.search(f"q=unicorn&channel={channel}")
            self.assertEqual(answer.code, 404)
            self.assertIn("There is no such channel.", seen(answer))
            self.assertIn('value="unicorn"', answer.body.decode())
        self.world.change("Alpha", hidden=True)
        self.assertIn("Nothing was found", seen(self.search("q=unicorn")))
        self.assertEqual(self.found("q=unicorn")["hits"], [])

    def test_removed(self) -> None:
        """What was removed is not found, also if that happened while it was searched for."""
        said = self.service.store.said[1]
        removed = MessagesRemoved((said,), Removal(DAY, "ana", "spam"))
        self.service.network.registry.enact(removed)
        body = self.search("q=unicorn").body.decode()
        self.assertIn("[removed: spam]", body)
        self.assertNotIn("dragon", body)
        self.assertEqual(body.count('class="hit"'), 1)

    def test_many(self) -> None:
        """Few searches run at a time, some wait, the rest is told so; a browser that leaves frees no turn."""
        threads: list[Deferred[Any]] = []

        def in_thread(function: Any, *arguments: Any) -> Deferred[Any]:
            if function.__name__ != "search":
                return Deferred()
            threads.append(Deferred())
            return threads[-1].addCallback(lambda _: function(*arguments))

        self.in_thread = in_thread
        waiting = [self.begin() for _ in range(AT_ONCE + WAITING)]
        self.assertEqual(len(threads), AT_ONCE)
        self.assertEqual(self.get("/search?q=good")[0], 503)
        waiting[0].protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(len(threads), AT_ONCE)
        for place in range(len(waiting)):
            threads[place].callback(None)
        self.assertEqual(len(threads), len(waiting))
        self.assertEqual({browser.read()[0] for browser in waiting[1:]}, {200})

    def begin(self) -> Browser:
        """A browser that waits for a search."""
        browser = Browser(self.site)
        browser.send(b"GET /search?q=good HTTP/1.1\r\nHost: x\r\n\r\n")
        return browser

    def test_rate(self) -> None:
        """An address has a number of searches in a minute."""
        for _ in range(SEARCHES):
            self.assertEqual(self.found("q=nothing")["hits"], [])
        code, headers, _ = self.get("/api/v1/search?q=nothing")
        self.assertEqual((code, headers["retry-after"]), (429, "60"))
        self.service.clock.advance(60)
        self.found("q=nothing")


class ApiTests(SearchTestCase):
    """C{/api/v1/search}."""

    def test_pages(self) -> None:
        """Each page tells where the next one begins."""
        first = self.found("q=good&limit=1")
        self.assertEqual([hit["message"]["seq"] for hit in first["hits"]], [4])
        self.assertEqual(first["hits"][0]["path"], "/chat/gossip/4")
        self.assertEqual(first["hits"][0]["before"]["seq"], 3)
        self.assertEqual((first["hits"][0]["after"], first["complete"]), (None, True))
        second = self.found(f"q=good&limit=1&before={first['next']}")
        self.assertEqual(([hit["message"]["seq"] for hit in second["hits"]], second["next"]), ([1], None))

    def test_times(self) -> None:
        """A day to search until is in it."""
        for query, expected in (
            ("from=2023-11-15&to=2023-11-15", [2, 1]),
            ("from=2023-11-15T12:00&to=2023-11-16T00:00Z", [2]),
            ("from=2023-11-17", []),
        ):
            self.assertEqual([hit["message"]["seq"] for hit in self.found(query)["hits"]], expected, query)

    def test_refused(self) -> None:
        """What cannot be searched for is refused with the reason."""
        for query in ("", "q=%20", "q=!", "to=2023-13-01", "q=a&limit=51", "q=a+b+c+d+e+f+g+h+i+j+k"):
            self.assertIn("detail", self.found(query, 400), query)
        self.found("q=x&channel=secret", 404)


class DayTests(SearchTestCase):
    """C{/chat/NAME?on=DAY}."""

    def test_on(self) -> None:
        """A day begins the page; after the last one, the latest messages are there."""
        body = seen(self.visitor.get("/chat/gossip?on=2023-11-16"))
        self.assertIn("good night", body)
        self.assertNotIn("good morning", body)
        self.assertIn("good morning", seen(self.visitor.get("/chat/gossip?on=2023-12-01")))
        self.assertEqual(self.visitor.get("/chat/gossip?on=today").code, 400)


class BoxTests(SearchTestCase):
    """The box on other pages."""

    def test_channels(self) -> None:
        """The page of all channels searches all of them."""
        body = self.visitor.get("/channels").body.decode()
        self.assertIn('<form class="search-box" role="search" action="/search">', body)
        self.assertNotIn('type="checkbox"', body)

    def test_channel(self) -> None:
        """The page of a channel can search it alone, has a calendar, and its days have addresses."""
        body = self.visitor.get("/chat/gossip").body.decode()
        self.assertIn('<input type="checkbox" name="channel" value="gossip">', body)
        self.assertIn('<form class="go-to" action="/chat/gossip">', body)
        self.assertIn('<li class="day"><a href="/chat/gossip?on=2023-11-16">Thursday, 16 November 2023</a></li>', body)
