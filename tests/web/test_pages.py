"""L{gossip.web.pages}: what people can see, and what they cannot."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as Xml

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol.server_events import AchievementOf, SecureTelnetConnection, TelnetConnection, WebConnection
from gossip.registry.changes import AchievementKept, ChannelSaved, GameOffline, GameSaved, GameSeen, UserAgentSaved
from gossip.registry.entities import Channel, UserAgent
from gossip.store.errors import StoreError
from gossip.web.http.assets import Assets
from gossip.web.http.router import Problem, Router
from gossip.web.views.charts import hour_chart, line_chart, sparkline
from gossip.web.views.emblem import emblem
from gossip.web.views.formatting import HUES, hue, iso, span
from gossip.web.views.queries import DAY, HOUR, PERIODS, SHARED, Series
from tests.support.properties import examples
from tests.support.site_browser import HOSTILE, PEOPLE, Browser, Page
from tests.support.sites import PagesTestCase
from tests.support.world import NOW, frame, uuid

ALL = (
    "/",
    "/games",
    "/games/Alpha",
    "/channels",
    "/chat/gossip",
    "/stats",
    "/status",
    "/rules",
    "/moderation",
    "/docs",
    "/docs/protocol",
)


class FrontTests(PagesTestCase):
    """The front page."""

    def test_who_is_here(self) -> None:
        """The page shows games, numbers of players, channels and messages."""
        self.service.join("Alpha", players=["Ana", "Bo"])
        self.service.join("Beta", players=["Cy"])
        self.show("gossip", "All talk")
        self.said(1, "Hi there", at=NOW - HOUR)
        page = self.page("/")
        for text in (
            "Gossip",
            "2games online",
            "3players online",
            "1message in the last 24 hours",
            "The Alpha",
            "Hi there",
        ):
            self.assertIn(text, page.text)
        self.assertLessEqual(
            {"/games/Alpha", "/games/Beta", "/chat/gossip", "/chat/gossip/1#gossip-1"}, {*page.links()}
        )

    def test_nobody_is_here(self) -> None:
        """An empty network says so."""
        text = self.page("/").text
        for said in ("0games online", "No games are online right now.", "No public channels yet.", "No messages yet"):
            self.assertIn(said, text)

    def test_address(self) -> None:
        """The address for games comes from the Host header, if that is valid."""
        hosts = {
            "mud.example": "ws://mud.example/socket",
            "[2001:db8::1]:4110": "ws://[2001:db8::1]:4110/socket",
            "": "/socket on this host",
            "a&b": "/socket on this host",
            "mud.example:": "/socket on this host",
        }
        for host, address in hosts.items():
            self.assertIn(f"by websocket at {address},", self.page("/", Host=host).text)
        self.assertIn("wss://mud.example:4110/socket", self.page("/", X_Forwarded_Proto="https").text)

    def test_terminal(self) -> None:
        """Requests that do not accept HTML, and curl, get plain text without control characters."""
        self.show("gossip")
        self.service.join("Alpha", players=["Ana"])
        self.said(1, "a\nb \x1b[2J<c>", name="A\rna")
        curl: dict[str, str] = {"User_Agent": "curl/8.5", "Accept": "text/html"}
        for headers in ({"Accept": "*/*"}, curl):
            code, got, body = Browser(self.site).ask("GET", "/", b"", **headers)
            self.assertEqual((code, got["content-type"]), (200, "text/plain; charset=utf-8"))
            self.assertIn("Online: 1 game, 1 player.", body.decode())
            self.assertIn("[gossip] A na@Alpha: a b [2J", body.decode())
            self.assertNotRegex(body, rb"[\x00-\x09\x0b-\x1f\x7f]")
        self.assertEqual(Browser(self.site).ask("GET", "/")[1]["content-type"], "text/html; charset=utf-8")
        self.said(2, "1 > 0", name="A<b")
        self.service.clock.advance(2)
        self.assertIn(b"A<b@Alpha: 1 > 0", Browser(self.site).ask("GET", "/", b"", Accept="*/*")[2])

    def test_emotes(self) -> None:
        """Emotes are about their players: on pages, in feeds and in terminals."""
        self.show("gossip")
        self.said(1, "/me waves & 1 < 2", name="Ana")
        for path in ("/", "/chat/gossip", "/channels"):
            text = " ".join(self.page(path).text.split())
            self.assertRegex(text, r"\* ?Ana ?@Alpha waves & 1 < 2", path)
            self.assertNotIn("/me", text)
        _, _, shown = Browser(self.site).ask("GET", "/", b"", Accept="*/*")
        self.assertIn(b"[gossip] * Ana@Alpha waves & 1 < 2", shown)
        feed = Xml.fromstring(self.get("/chat/gossip/feed.atom")[2])
        entry = feed.find("{http://www.w3.org/2005/Atom}entry")
        assert entry is not None
        for element in ("title", "content"):
            text = entry.findtext(f"{{http://www.w3.org/2005/Atom}}{element}") or ""
            self.assertEqual(text, "* Ana@Alpha waves & 1 < 2")

    def test_terminal_alone(self) -> None:
        """Where nobody is and nothing was said, the text has no gaps."""
        _, _, body = Browser(self.site).ask("GET", "/", b"", Accept="*/*")
        self.assertEqual(
            body.decode(),
            "Gossip: a network that connects MUDs.\nOnline: 0 games, 0 players.\n\n"
            "Join: ws://mud.example:4110/socket. How: /connect. JSON: /api/v1/\n",
        )

    def test_strangers(self) -> None:
        """Whoever is not signed in can sign in to talk, or create an account, if everybody can."""
        self.show("gossip")
        self.assertLessEqual({"/sign-in?back=/channels", "/sign-up"}, {*self.page("/").links()})
        self.assertLessEqual(
            {"/sign-in?back=%2Fchat%2Fgossip", "/sign-up?back=%2Fchat%2Fgossip"}, {*self.page("/chat/gossip").links()}
        )

    def test_theme(self) -> None:
        """The theme can be chosen without JavaScript, and leads back to a page of this site only."""
        code, headers, _ = self.get("/theme?to=dark&back=/games%3Fq=a")
        self.assertEqual((code, headers["location"]), (303, "/games?q=a"))
        self.assertIn("theme=dark;", headers["set-cookie"])
        self.assertIn("samesite=lax", headers["set-cookie"].lower())
        self.assertEqual(dict(self.page("/", Cookie="theme=dark").tags)["html"]["data-theme"], "dark")
        self.assertEqual(dict(self.page("/", Cookie='theme="><b>').tags)["html"]["data-theme"], "auto")
        for back in ("//evil.example", "https://evil.example", "/\\evil.example", "/%0d%0aX: y", "", "x"):
            code, headers, _ = self.get(f"/theme?to=red&back={quote(back, safe='%')}")
            self.assertEqual((code, headers["location"], "set-cookie" in headers), (303, "/", False), back)


class GamePageTests(PagesTestCase):
    """The pages about games."""

    def test_list(self) -> None:
        """Online games come first; a filter works without JavaScript."""
        self.service.join("Gamma", players=["Ana"])
        self.world.registry.enact(GameSeen(self.world.game("Beta").client_id, "ExVenture 1", "2.3.0"))
        self.world.change("Delta", language="Deutsch")
        cards = self.cards("")
        self.assertEqual(cards[0]["data-text"], "Gamma The Gamma")
        self.assertEqual(["data-online" in card for card in cards], [True, False, False, False])
        for query, shown in (
            ("q=exventure", ["Beta"]),
            ("online=1", ["Gamma"]),
            ("q=%3Cb%3E", []),
            ("base=ExVenture", ["Beta"]),
            ("base=ExVenture+1", []),
            ("language=Deutsch", ["Delta"]),
        ):
            cards = [card for card in self.cards(f"?{query}") if "hidden" not in card]
            self.assertEqual([str(card["data-text"]).split()[0] for card in cards], shown, query)

    def test_sorted(self) -> None:
        """The list is sorted by players, by name or by what games said lately; nonsense is ignored."""
        self.service.join("Gamma", players=["Ana"])
        self.show("gossip")
        self.said(1, game="Delta")
        self.said(2, game="Delta")
        self.said(3, game="Beta")
        self.said(4, game="Alpha", at=NOW - 49 * HOUR)
        for query, order in (
            ("", ["Gamma", "Alpha", "Beta", "Delta"]),
            ("?sort=name", ["Alpha", "Beta", "Delta", "Gamma"]),
            ("?sort=activity", ["Delta", "Beta", "Gamma", "Alpha"]),
            ("?sort=colour", ["Gamma", "Alpha", "Beta", "Delta"]),
        ):
            self.assertEqual([str(card["data-text"]).split()[0] for card in self.cards(query)], order, query)
        self.assertIn("2 messages in 48 hours", self.page("/games").text)

    def test_last_seen(self) -> None:
        """A game that is away says since when, on its page and in the list; one that is online does not."""
        client_id = self.world.client_id("Beta")
        self.world.registry.enact(GameOffline(client_id, NOW - 86400))
        for path in ("/games", "/games/Beta"):
            [seen] = [attributes for tag, attributes in self.page(path).tags if tag == "time"]
            self.assertEqual(seen["datetime"], iso(NOW - 86400), path)
        self.service.join("Beta")
        for path in ("/games", "/games/Beta"):
            self.assertNotIn("time", [tag for tag, _ in self.page(path).tags], path)

    def test_description(self) -> None:
        """A description keeps its paragraphs."""
        self.world.change("Alpha", description="One.\n\nTwo.")
        self.assertIn(b'<p class="prose">One.\n\nTwo.</p>', self.get("/games/Alpha")[2])

    def test_emblem(self) -> None:
        """Each name has an emblem, also that of a game that is gone; case makes no difference."""
        code, headers, body = self.get("/games/Alpha/emblem.svg")
        self.assertEqual((code, headers["content-type"]), (200, "image/svg+xml"))
        self.assertEqual(self.get("/games/ALPHA/emblem.svg")[2], body)
        self.assertNotEqual(self.get("/games/Gone/emblem.svg")[2], body)
        self.assertIn("/games/Alpha/emblem.svg", [attributes.get("src") for _, attributes in self.page("/games").tags])

    def test_periods(self) -> None:
        """One chart shows the period that is asked for, with a gap where nothing was counted."""
        client_id = self.world.client_id("Beta")
        self.service.store.players[client_id] = {int(NOW) - 7200: 5, int(NOW) - 3 * HOUR: 0, int(NOW) - 9 * 86400: 7}
        for query, title, step, counted in (
            ("", "48 hours", 1800, [0, 5]),
            ("?range=week", "Week", 7200, [0, 5]),
            ("?range=month", "Month", 8 * HOUR, [7, 5]),
            ("?range=century", "48 hours", 1800, [0, 5]),
        ):
            page = self.page(f"/games/Beta{query}")
            [chart] = [attributes for tag, attributes in page.tags if tag == "svg" and "data-values" in attributes]
            values = json.loads(str(chart["data-values"]))
            self.assertEqual([value for value in values if value is not None], counted, query)
            self.assertEqual(chart["data-step"], str(step))
            [current] = [
                attributes
                for tag, attributes in page.tags
                if str(attributes.get("href")).startswith("/games/Beta?range=") and "aria-current" in attributes
            ]
            self.assertEqual(current["href"], f"/games/Beta?range={PERIODS_BY_TITLE[title]}#over-time")

    def test_line_of_a_card(self) -> None:
        """A card has a line of its players if they were counted twice: one count would be a stroke at the edge."""
        counted = self.service.store.players
        for name, times in (("Alpha", (900,)), ("Beta", (900, 9000))):
            counted[self.world.client_id(name)] = {int(NOW) - seconds: 5 for seconds in times}
        self.assertEqual([tag for tag, _ in self.page("/games").tags].count("svg"), 1)

    def test_code_bases(self) -> None:
        """Versions of a code base count together, whatever its name has in it."""
        for name, agent in (
            ("Alpha", "Dead Souls 3.9"),
            ("Beta", "Dead Souls v3"),
            ("Gamma", "LPC, Lima"),
            ("Delta", "tbaMUD (2020)"),
        ):
            self.service.join(name, user_agent=agent)
        bases = {str(attributes["data-base"]) for attributes in self.cards("")}
        self.assertEqual(bases, {"Dead Souls", "LPC, Lima", "tbaMUD"})
        self.assertEqual(len(self.cards("?base=Dead+Souls")), len(self.cards("")))
        shown = [attributes for attributes in self.cards("?base=Dead+Souls") if "hidden" not in attributes]
        self.assertEqual(len(shown), 2)

    def cards(self, query: str) -> list[dict[str, str | None]]:
        """The cards of the list of games."""
        return [attributes for tag, attributes in self.page(f"/games{query}").tags if "data-text" in attributes]

    def test_game(self) -> None:
        """A game's page has everything public about it."""
        ways = (
            WebConnection("https://alpha.example/play"),
            TelnetConnection("alpha.example", 4000),
            SecureTelnetConnection("2001:db8::1", 4443),
        )
        self.world.change("Alpha", tagline="A tag", description="A place", homepage_url="https://a.example/?a=1&b=2")
        self.world.change("Alpha", connections=ways)
        self.service.join("Alpha", players=["Bo", "Ana"], channels=["gossip", "secret"], user_agent="ExVenture 1")
        self.world.registry.enact(UserAgentSaved(UserAgent("ExVenture 1", "https://ex.example/")))
        self.show("gossip")
        client_id = self.world.game("Alpha").client_id
        self.world.registry.enact(AchievementKept(client_id, AchievementOf(key=uuid(7), title="First", points=7)))
        hidden = AchievementOf(key=uuid(8), title="Surprise", display=False)
        self.world.registry.enact(AchievementKept(client_id, hidden))
        self.service.store.players[client_id] = {int(NOW) - 900: 41}
        page = self.page("/games/alpha")
        for text in ("The Alpha", "A tag", "A place", "ExVenture 1", "AnaBo", "First", "41"):
            self.assertIn(text, page.text.replace("\n", ""))
        self.assertNotIn("Surprise", page.text)
        self.assertNotIn("secret", page.text)
        expected = {
            "https://alpha.example/play",
            "telnet://alpha.example:4000",
            "telnets://[2001:db8::1]:4443",
            "https://a.example/?a=1&b=2",
            "https://ex.example/",
            "/chat/gossip",
        }
        self.assertLessEqual(expected, {*page.links()})
        self.assertEqual([tag for tag, _ in page.tags].count("svg"), 2)
        self.assertEqual([tag for tag, _ in page.tags].count("table"), 3)

    def test_transports(self) -> None:
        """A game's page says how it joined; the list does where that is unusual; and an offline game says nothing."""
        for name, transports in (("Alpha", ["websocket"]), ("Beta", ["imc2"]), ("Gamma", ["telnet", "i3", "i3"])):
            for transport in transports:
                session = self.service.connect(transport)
                self.service.write(session, frame("authenticate", self.world.credentials(name)))
        for name, shown in (("Alpha", "websocket"), ("Beta", "IMC2"), ("Gamma", "Intermud-3, telnet")):
            self.assertIn(f"Joined by{shown}", self.page(f"/games/{name}").text.replace("\n", ""))
        self.assertNotIn("Joined by", self.page("/games/Delta").text)
        text = self.page("/games").text
        self.assertIn("by IMC2", text)
        self.assertIn("by Intermud-3 and telnet", text)
        self.assertNotIn("by websocket", text)

    def test_new(self) -> None:
        """A game that never had players has a sentence in place of empty graphs."""
        page = self.page("/games/Delta")
        self.assertIn("No players were counted in this period.", page.text)
        self.assertNotIn("figure", [tag for tag, _ in page.tags])
        self.service.store.players[self.world.client_id("Delta")] = {int(NOW) - 900: 1}
        self.service.clock.advance(3600)
        self.assertIn("figure", [tag for tag, _ in self.page("/games/Delta").tags])

    def test_hides_players(self) -> None:
        """A game that hides its players shows neither names, nor numbers, nor graphs."""
        self.world.change("Beta", hides_players=True)
        self.service.join("Beta", players=["Bozo"])
        self.service.store.players[self.world.game("Beta").client_id] = {int(NOW) - 900: 4177}
        for path in ("/", "/games", "/games/Beta", "/games/Beta/badge.svg", "/stats"):
            body = self.get(path)[2].decode()
            self.assertNotIn("Bozo", body)
            self.assertNotRegex(body, "4,?177")
        self.assertIn("hides its players", self.page("/games/Beta").text)

    def test_hidden(self) -> None:
        """Hidden and disabled games, hidden channels and client_ids are on no page."""
        self.world.change("Alpha", hidden=True)
        self.world.change("Gamma", disabled=True)
        self.service.join("Alpha", players=["Ana"], channels=["secret"])
        self.service.store.players[self.world.game("Alpha").client_id] = {int(NOW) - 900: 4177}
        self.said(1, channel="secret", game="Beta")
        for path in ("/", "/games", "/channels", "/stats", "/status"):
            body = self.get(path)[2].decode()
            for text in ("Alpha", "Gamma", "secret", "Ana", "4,177", self.world.game("Beta").client_id):
                self.assertNotIn(text, body, path)
        for path in ("/games/Alpha", "/games/Gamma", "/games/Alpha/badge.svg", "/chat/secret", "/chat/secret/1"):
            self.assertEqual(self.get(path)[0], 404, path)
        for path in ("/chat/secret/live", "/chat/secret/feed.atom", "/games/Nobody"):
            self.assertEqual(self.get(path)[0], 404, path)

    def test_badge(self) -> None:
        """Other sites can show the badge, and browsers validate it with its ETag."""
        self.service.join("Alpha", players=["Ana"])
        code, headers, body = self.get("/games/Alpha/badge.svg")
        self.assertEqual((code, headers["content-type"]), (200, "image/svg+xml"))
        self.assertEqual(headers["cross-origin-resource-policy"], "cross-origin")
        self.assertEqual(Xml.fromstring(body).get("aria-label"), "Alpha: 1 player online")
        self.assertEqual(self.get("/games/Alpha/badge.svg", If_None_Match=headers["etag"])[0], 304)
        self.assertIn(b"Beta: offline", self.get("/games/Beta/badge.svg")[2])


class ChatPageTests(PagesTestCase):
    """The pages of the channels."""

    def setUp(self) -> None:
        super().setUp()
        self.show("gossip", "All talk")

    def numbers(self, path: str) -> list[int]:
        """The numbers of the messages on a page."""
        lines = [attributes.get("id") or "" for tag, attributes in self.page(path).tags if tag == "li"]
        return [int(line.removeprefix("gossip-")) for line in lines if line.startswith("gossip-")]

    def test_channels(self) -> None:
        """The list has every channel with its latest message."""
        self.said(1, "Old")
        self.said(2, "New")
        self.service.join("Alpha", channels=["gossip"])
        page = self.page("/channels")
        for text in ("gossip", "All talk", "New", "1 game listening"):
            self.assertIn(text, page.text)
        self.assertNotIn("Old", page.text)

    def test_described(self) -> None:
        """Pages show who described a channel, and when; users of the machine have no name there."""
        for actor, by in (("Boss", "by Boss "), ("unix:ana", "")):
            channel = Channel("gossip", False, description="All talk", described_by=actor, described_at=NOW)
            self.world.registry.enact(ChannelSaved(channel))
            self.service.clock.advance(SHARED)
            for path in ("/channels", "/chat/gossip"):
                self.assertIn(f"All talk (set {by}on 14 Nov 2023)", " ".join(self.page(path).text.split()), path)

    def test_last(self) -> None:
        """A channel's page has the latest messages in order, and links to older ones without JavaScript."""
        for seq in range(1, 251):
            self.said(seq, at=NOW + seq)
        self.assertEqual(self.numbers("/chat/gossip"), list(range(151, 251)))
        self.assertIn("/chat/gossip?before=151", self.page("/chat/gossip").links())
        self.assertEqual(self.numbers("/chat/gossip?before=151"), list(range(51, 151)))
        self.assertEqual(self.numbers("/chat/gossip?before=51"), list(range(1, 51)))
        self.assertNotIn("prev", [attributes.get("rel") for _, attributes in self.page("/chat/gossip?before=51").tags])
        self.assertEqual(self.numbers("/chat/gossip?after=40"), list(range(41, 141)))
        self.assertIn("/chat/gossip?after=140", self.page("/chat/gossip?after=40").links())
        for bad in ("before=x", "after=-1", "before=1e3", "before=" + "9" * 40):
            self.assertEqual(self.get(f"/chat/gossip?{bad}")[0], 400)

    def test_live(self) -> None:
        """The latest page is live from its last message on; the others are told of removals and count new lines."""
        for seq in range(1, 151):
            self.said(seq)
        logs = {path: self._log(path) for path in ("/chat/gossip", "/chat/gossip?before=50", "/chat/gossip/30")}
        self.assertEqual(logs["/chat/gossip"]["data-live"], "/chat/gossip/live")
        self.assertEqual(logs["/chat/gossip"]["data-last"], "150")
        for path in ("/chat/gossip?before=50", "/chat/gossip/30"):
            self.assertEqual(logs[path]["data-live"], "/chat/gossip/live")
            self.assertNotIn("data-last", logs[path])

    def test_nothing_there(self) -> None:
        """A page before the first message or after the last one links back, and follows from there."""
        for seq in range(5, 8):
            self.said(seq)
        before, after = self.page("/chat/gossip?before=5"), self.page("/chat/gossip?after=7")
        self.assertIn("No older messages.", before.text)
        self.assertIn("/chat/gossip?after=4", before.links())
        self.assertNotIn("data-last", self._log("/chat/gossip?before=5"))
        self.assertIn("/chat/gossip?after=0", self.page("/chat/gossip?before=0").links())
        self.assertIn("No newer messages.", after.text)
        self.assertIn("/chat/gossip?before=8", after.links())
        log = self._log("/chat/gossip?after=7")
        self.assertEqual((log["data-live"], log["data-last"]), ("/chat/gossip/live", "7"))

    def _log(self, path: str) -> dict[str, str | None]:
        return next(attributes for _, attributes in self.page(path).tags if attributes.get("role") == "log")

    def test_permalink(self) -> None:
        """A message has a link, which shows it with the messages around it."""
        for seq in range(2, 400, 2):
            self.said(seq)
        numbers = self.numbers("/chat/gossip/200")
        self.assertEqual((numbers[0], numbers[-1], numbers.count(200)), (100, 298, 1))
        found = [
            attributes["id"]
            for _, attributes in self.page("/chat/gossip/200").tags
            if attributes.get("class") == "found"
        ]
        self.assertEqual(found, ["gossip-200"])
        for path in ("/chat/gossip/201", "/chat/gossip/x", "/chat/gossip/" + "9" * 30, "/chat/nowhere/1"):
            self.assertEqual(self.get(path)[0], 404, path)

    def test_days(self) -> None:
        """Each day has a heading."""
        for seq in range(3):
            self.said(seq, at=NOW + seq * DAY / 2)
        text = self.page("/chat/gossip").text
        self.assertEqual(text.count("November 2023"), 2)
        self.assertLess(text.index("Tuesday, 14 November 2023"), text.index("Wednesday, 15 November 2023"))

    def test_colours(self) -> None:
        """A name always has the same colour, in any case, and the style sheet has all colours."""
        self.assertEqual(hue("Ana@Alpha"), hue("ANA@alpha"))
        style = next(
            attributes["href"] for _, attributes in self.page("/").tags if attributes.get("rel") == "stylesheet"
        )
        sheet = self.get(str(style))[2].decode()
        colours = dict(re.findall(r"\.n(\d+) \{ color: light-dark\((#\w{6}, #\w{6})\)", sheet))
        self.assertEqual(sorted(map(int, colours)), list(range(HUES)))
        grounds = ("#fbfcfa", "#121916")
        for pair in colours.values():
            for colour, ground in zip(pair.split(", "), grounds, strict=True):
                self.assertGreater(_contrast(colour, ground), 4.5, colour)

    def test_feed(self) -> None:
        """The feed is well-formed, newest first, and validated with its ETag."""
        self.assertEqual(self.get("/chat/gossip/feed.atom")[0], 200)
        self.service.clock.advance(2)
        self.said(1, "First")
        self.said(2, HOSTILE + "\ufffe\x01", name=HOSTILE)
        _, headers, body = self.get("/chat/gossip/feed.atom")
        atom = "{http://www.w3.org/2005/Atom}"
        feed = Xml.fromstring(body)
        contents = [entry.findtext(f"{atom}content") for entry in feed.iter(f"{atom}entry")]
        self.assertEqual(contents, [HOSTILE + "\ufffd\ufffd", "First"])
        self.assertEqual(headers["content-type"], "application/atom+xml; charset=utf-8")
        self.assertEqual(self.get("/chat/gossip/feed.atom", If_None_Match=headers["etag"])[0], 304)

    def test_one_read(self) -> None:
        """A busy page costs one query per second, also for requests during the query."""
        waiting: list[Deferred[Any]] = []
        self.in_thread = lambda *call: waiting.append(Deferred()) or waiting[-1]  # type: ignore[func-returns-value]
        browsers = [Browser(self.site) for _ in range(20)]
        for browser in browsers:
            browser.send(b"GET /chat/gossip HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n")
        self.assertEqual(self.reads, ["history"])
        browsers[0].protocol.connectionLost(_closed())
        waiting[0].callback([])
        self.assertEqual({browser.read()[0] for browser in browsers[1:]}, {200})
        self.get("/chat/gossip")
        self.assertEqual(self.reads, ["history"])
        self.service.clock.advance(2)
        self.in_thread = maybeDeferred
        self.get("/chat/gossip")
        self.assertEqual(self.reads, ["history"] * 2)


PERIODS_BY_TITLE = {period.title: period.key for period in PERIODS}


class NetworkPageTests(PagesTestCase):
    """Stats, status, docs."""

    def test_stats(self) -> None:
        """The stats are shown as charts and as tables."""
        self.service.join("Alpha", players=["Ana"], user_agent="ExVenture 1")
        self.show("gossip")
        self.said(1, at=NOW - HOUR)
        page = self.page("/stats")
        self.assertIn("1message in the last 48 hours", page.text)
        self.assertIn("ExVenture", page.text)
        self.assertEqual([tag for tag, _ in page.tags].count("table"), 4)

    def test_status(self) -> None:
        """The status page shows the state of the daemon."""
        self.assertIn("all is well", self.page("/status").text)
        self.service.get_stuck()
        self.assertIn("stuck", self.page("/status").text)

    def test_documents(self) -> None:
        """The documents are pages without their own scripts and styles, and link to each other."""
        documents = [link for link in self.page("/docs").links() if link.startswith("/docs/")]
        self.assertLessEqual({"/docs/protocol", "/docs/operator"}, {*documents})
        for path in documents:
            page = self.page(path)
            tags = [tag for tag, _ in page.tags]
            self.assertEqual(tags.count("h1"), 1, path)
            self.assertEqual(tags.count("script"), 1, path)
            for tag, attributes in page.tags:
                self.assertNotIn("style", (tag, *attributes))
                self.assertFalse([name for name in attributes if name.startswith("on")])
            for link in page.links():
                if link.startswith("/docs/"):
                    self.assertEqual(self.get(link.partition("#")[0])[0], 200, link)
                self.assertNotIn(".rst", link)
        self.assertEqual(self.get("/docs/index")[0], 404)
        self.assertEqual(self.get("/docs/%2e%2e%2fREADME")[0], 404)


class EverywhereTests(PagesTestCase):
    """What all pages have in common."""

    def fill(self, text: str) -> None:
        """Put a text into every field, even one that the registry would refuse."""
        game = replace(self.world.game("Alpha"), name=text, tagline=text, description=text)
        connections = (WebConnection(text), TelnetConnection(text, 4000))
        game = replace(game, homepage_url=text, connections=connections)
        self.service.join("Alpha", players=[text] if text else [])
        self.world.registry.enact(GameSaved(game))
        online = self.world.network.presence.online(game.client_id)
        assert online is not None
        online.game = game
        self.world.registry.enact(GameSeen(game.client_id, text, "2.3.0"))
        self.world.registry.enact(UserAgentSaved(UserAgent(text, text, text)))
        self.show(text or "empty", text)
        self.show("gossip", text)
        achievement = AchievementOf(key=uuid(1), title=text, description=text)
        self.world.registry.enact(AchievementKept(game.client_id, achievement))
        for channel in ("gossip", text):
            self.said(1, text, name=text, game=text, channel=channel)

    def check(self, text: str) -> None:
        """The text adds no tag, attribute or link to any page."""
        self.fill(text)
        for path in (*ALL, f"/chat/{quote(text, safe='')}", f"/games?q={quote(text, safe='')}"):
            if path == "/chat/":
                continue
            page = self.page(path)
            for tag, attributes in page.tags:
                self.assertNotIn(tag, ("iframe", "object", "embed", "base", "style"))
                self.assertFalse([name for name in attributes if name.startswith("on") or name == "style"], attributes)
                if tag == "script":
                    self.assertRegex(str(attributes["src"]), r"^/static/[a-z]+\.[0-9a-f]{12}\.js$")
                if tag == "img":
                    self.assertRegex(str(attributes["src"]), r"^/games/[^/]+/(emblem|badge)\.svg$")
                for name in ("href", "src", "action"):
                    if name in attributes:
                        self.assertRegex(str(attributes[name]), r"^(/|#|https?://|telnets?://|mailto:)", (path, tag))
        Xml.fromstring(self.get("/games/Alpha/badge.svg")[2])
        Xml.fromstring(self.get("/chat/gossip/feed.atom")[2])

    def test_hostile(self) -> None:
        """Hostile names, messages, descriptions and addresses stay text."""
        self.check(HOSTILE)
        for path in ("/", "/games/Alpha", "/chat/gossip"):
            self.assertIn(HOSTILE, self.page(path).text, path)

    def test_script_addresses(self) -> None:
        """An address that is not a web address is not a link."""
        self.check("javascript:alert(1)")
        self.assertFalse([link for link in self.page("/games/Alpha").links() if "script" in link.partition(":")[0]])

    @examples(15)
    @given(st.text(max_size=60))
    def test_any_text(self, text: str) -> None:
        """With any text anywhere, every page works, with no tags except its own."""
        self.setUp()
        self.check(text)

    def test_a_problem(self) -> None:
        """An unknown path is a page for people and a line for programs."""
        code, headers, body = self.get("/<b>")
        self.assertEqual((code, headers["content-type"]), (404, "text/html; charset=utf-8"))
        self.assertIn("There is nothing here.", Page(body).text)
        self.assertNotIn("b", [tag for tag, _ in Page(body).tags])

    def test_no_database(self) -> None:
        """An unavailable database is reported without its name; a bug of ours as an internal error."""
        self.show("gossip")
        self.in_thread = lambda *call: fail(StoreError("/secret/gossip.db: no"))
        code, _, body = self.get("/chat/gossip")
        self.assertEqual(code, 503)
        self.assertNotIn(b"secret", body)
        self.in_thread = lambda *call: fail(RuntimeError("/secret"))
        code, _, body = self.get("/chat/gossip")
        self.assertEqual((code, len(self.flushLoggedErrors(RuntimeError))), (500, 1))
        self.assertNotIn(b"secret", body)

    def test_static(self) -> None:
        """A file with a version in its name can be cached for ever; another version does not exist."""
        for link in re.findall(rb"/static/[a-z.0-9]+", self.get("/")[2]):
            code, headers, _ = self.get(link.decode())
            self.assertEqual((code, headers["cache-control"]), (200, "public, max-age=31536000, immutable"))
        code, headers, _ = self.get("/static/style.css")
        self.assertEqual((code, headers["content-type"]), (200, "text/css; charset=utf-8"))
        self.assertEqual(self.get("/static/style.css", If_None_Match=headers["etag"])[0], 304)
        for name in ("style.000000000000.css", "nothing.css", "..%2f..%2fsite.py", ".css", "layout.html"):
            self.assertEqual(self.get(f"/static/{name}")[0], 404)

    def test_weight(self) -> None:
        """All style sheets and scripts together weigh less than 70 kB, and no script has a text of several lines."""
        files = {name: size for name, size in Assets().weights.items() if name.endswith((".css", ".js"))}
        self.assertLess(sum(files.values()), 70_000, files)
        for name in files:
            body = self.get(f"/static/{name}")[2].decode()
            # Their indentation would be lost.
            self.assertEqual([line for line in body.split("\n") if line.count("`") % 2], [], name)
            self.assertNotIn("\n//", body)
            self.assertNotIn("/*", body if name.endswith(".css") else "")

    def test_structure(self) -> None:
        """Every page has one main heading, landmarks, a skip link, and names for its controls."""
        self.show("gossip")
        for path in ALL:
            page = self.page(path)
            tags = [tag for tag, _ in page.tags]
            self.assertEqual([tags.count(tag) for tag in ("h1", "main", "header", "footer")], [1, 1, 1, 1], path)
            self.assertEqual(page.links()[0], "#log" if path.startswith("/chat/") else "#main")
            for tag, attributes in page.tags:
                if tag == "nav":
                    self.assertIn("aria-label", attributes)
                if tag == "svg":
                    self.assertTrue(attributes.get("aria-hidden") or attributes.get("aria-label"))

    def test_head(self) -> None:
        """HEAD gets the headers of every page, and no body."""
        self.show("gossip")
        for path in (*ALL, "/live", "/chat/gossip/live"):
            code, _, body = Browser(self.site).ask("HEAD", path, b"", **PEOPLE)
            self.assertEqual((code, body), (200, b""), path)


class RouterTests(PagesTestCase):
    """L{gossip.web.http.router}."""

    def ask(self, router: Router, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        self.site.resource = router
        return Browser(self.site).ask(method, path, body)

    def router(self) -> Router:
        def told(request: Any, problem: Problem) -> bytes:
            request.setResponseCode(problem.code)
            return str(problem).encode()

        return Router(told)

    def test_words(self) -> None:
        """The values of a pattern are decoded; invalid UTF-8 is 404."""
        router = self.router()
        router.add("/a/{one}/b/{two}", get=lambda request, one, two: f"{one}|{two}".encode())
        self.assertEqual(self.ask(router, "GET", "/a/x%2Fy%20z/b/%C3%A9")[2], "x/y z|é".encode())
        for path in ("/a/%FF/b/x", "/a//b/x", "/a/x/b/", "/a/x/b/y/", "/a/x"):
            self.assertEqual(self.ask(router, "GET", path)[0], 404, path)

    def test_forms(self) -> None:
        """POST reaches only views that take it, with a bounded body."""
        router = self.router()
        router.add("/form", get=lambda request: b"form", post=lambda request: request.content.read())
        router.add("/only", post=lambda request: b"done")
        self.assertEqual(self.ask(router, "POST", "/form", b"a=1")[2], b"a=1")
        self.assertEqual(self.ask(router, "POST", "/form", b"a" * (64 * 1024 + 1))[0], 413)
        self.assertEqual(self.ask(router, "GET", "/form", b"a")[0], 413)
        code, headers, _ = self.ask(router, "GET", "/only")
        self.assertEqual((code, headers["allow"]), (405, "POST"))

    def test_late(self) -> None:
        """A view can wait; a closed connection gets no answer, and an error is reported as usual."""
        waiting: list[Deferred[bytes]] = []

        async def view(request: Any) -> bytes:
            waiting.append(Deferred())
            return await waiting[-1]

        router = self.router()
        router.add("/", get=view)
        self.site.resource = router
        browsers = [Browser(self.site) for _ in range(3)]
        for browser in browsers:
            browser.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        browsers[1].protocol.connectionLost(_closed())
        waiting[0].callback(b"late")
        waiting[2].errback(Problem(418, "no tea"))
        self.assertEqual(browsers[0].read()[::2], (200, b"late"))
        self.assertEqual(browsers[2].read()[::2], (418, b"no tea"))
        self.assertEqual(browsers[1].transport.value(), b"")


class ChartTests(SynchronousTestCase):
    """Charts and formatting."""

    @given(st.lists(st.none() | st.integers(0, 10**6), min_size=1, max_size=100))
    def test_any_numbers(self, values: list[int | None]) -> None:
        """With any numbers and gaps the chart is well-formed, and everything is inside it."""
        for picture in (
            line_chart(Series(int(NOW), HOUR, tuple(values))),
            hour_chart([value or 0 for value in values[:24]]),
            sparkline(values, "x"),
        ):
            drawn = Xml.fromstring(picture)
            _, _, width, height = map(float, str(drawn.get("viewBox")).split())
            for line in drawn.iter("polyline"):
                for point in str(line.get("points")).split():
                    x, y = map(float, point.split(","))
                    self.assertTrue(0 <= x <= width and 0 <= y <= height)

    def test_gaps(self) -> None:
        """Each run of counted values is a line of its own; nothing is drawn where nothing was counted."""
        for values, lines in (((1, 2, None, 0, 3), 2), ((None, None), 0), ((None, 4, None), 1), ((1, 1), 1)):
            for picture in (line_chart(Series(int(NOW), HOUR, values)), sparkline(values, "x")):
                self.assertEqual(picture.count("<polyline"), lines, values)
        self.assertIn("x: now not counted, at most 4", sparkline((4, None), "x"))

    def test_zone(self) -> None:
        """The axis says whose time it shows, left of its first time."""
        for period in PERIODS:
            drawn = Xml.fromstring(line_chart(Series(int(NOW), period.step, (1,) * period.spans)))
            texts = [text for text in drawn.iter("text") if text.get("class")]
            self.assertEqual([text.text for text in texts].count("UTC"), 1)
            zone, first, *_ = texts
            self.assertEqual((zone.text, zone.get("text-anchor"), zone.get("y")), ("UTC", "end", first.get("y")))
            # A letter is at most 7 units wide, and a time is written around its place.
            self.assertLess(float(zone.get("x", "")), float(first.get("x", "")) - 7 * len(first.text or "") / 2)

    @given(st.text(max_size=20))
    def test_emblems(self, name: str) -> None:
        """Any name has an emblem: a mirrored pattern that is neither almost empty nor almost full."""
        picture = Xml.fromstring(emblem(name))
        path = str(picture[1].get("d"))
        cells = {(int(x), int(y)) for x, y in re.findall(r"M(\d) (\d)h1v1h-1z", path)}
        self.assertEqual(cells, {(6 - x, y) for x, y in cells})
        self.assertTrue(5 <= sum(x <= 3 for x, _ in cells) <= 11)
        self.assertTrue(all(1 <= x <= 5 and 1 <= y <= 5 for x, y in cells))

    def test_spans(self) -> None:
        """A duration is in its largest unit."""
        said = [span(seconds) for seconds in (0, 1, 61, 7200, 86400 * 3.5)]
        self.assertEqual(said, ["0 seconds", "1 second", "1 minute", "2 hours", "3 days"])


def _contrast(one: str, other: str) -> float:
    """The contrast of two colours by WCAG."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _closed() -> Any:
    from twisted.internet.error import ConnectionLost
    from twisted.python.failure import Failure

    return Failure(ConnectionLost())
