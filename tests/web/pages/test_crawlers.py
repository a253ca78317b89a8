"""L{gossip.web.pages.crawlers}, and what else pages tell programs that show links to people."""

from __future__ import annotations

from urllib.parse import urlsplit
from xml.etree import ElementTree as Xml

from msgspec.structs import replace

from gossip.registry.changes import GameSaved
from gossip.registry.entities import Removal
from gossip.web.views.guides import GUIDES
from tests.support.site_browser import HOSTILE, Page
from tests.support.sites import PagesTestCase
from tests.support.world import NOW

NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


class CrawlerTests(PagesTestCase):
    """The files for crawlers."""

    def locations(self) -> list[str]:
        """The addresses in the site map."""
        code, headers, body = self.get("/sitemap.xml")
        self.assertEqual((code, headers["content-type"]), (200, "application/xml; charset=utf-8"))
        return [str(each.text) for each in Xml.fromstring(body).iter(f"{NAMESPACE}loc")]

    def test_site_map(self) -> None:
        """Each address in the site map leads to a public page; games, channels and guides are in it."""
        self.show("a b&<c>")
        found = self.locations()
        self.assertEqual(len(found), len(set(found)))
        for location in found:
            self.assertTrue(location.startswith("http://mud.example:4110/"), location)
            self.page(urlsplit(location).path)
        paths = {urlsplit(location).path for location in found}
        guides = {f"/connect/{name}" for name in GUIDES}
        self.assertLessEqual({"/", "/rules", "/docs/protocol", "/games/Alpha", "/chat/a%20b%26%3Cc%3E", *guides}, paths)

    def test_hidden(self) -> None:
        """Nothing hidden is in it."""
        self.world.registry.enact(GameSaved(replace(self.world.game("Alpha"), hidden=True)))
        self.assertFalse([each for each in self.locations() if "Alpha" in each])

    def test_no_host(self) -> None:
        """Without the name of the site there is no map, and robots.txt names none."""
        self.assertEqual(self.get("/sitemap.xml", Host="a&b")[0], 404)
        self.assertNotIn(b"Sitemap", self.get("/robots.txt", Host="a&b")[2])

    def test_robots(self) -> None:
        """Crawlers are told which paths are not for them, and where the site map is."""
        lines = self.get("/robots.txt", X_Forwarded_Proto="https")[2].decode().splitlines()
        self.assertEqual((lines[0], lines[-1]), ("User-agent: *", "Sitemap: https://mud.example:4110/sitemap.xml"))
        for path in ("/account", "/admin", "/manage", "/setup/", "/reset/"):
            self.assertIn(f"Disallow: {path}", lines)
        self.assertFalse([line for line in lines if "connect" in line])


class DescriptionTests(PagesTestCase):
    """What programs show that are given a link."""

    def described(self, path: str) -> dict[str, str]:
        """The tags that describe a page."""
        named = [each for tag, each in self.page(path).tags if tag == "meta" and ("property" in each or "name" in each)]
        return {str(each.get("property") or each["name"]): str(each["content"]) for each in named}

    def test_public(self) -> None:
        """Public pages have a description for search engines, and tags for chat programs (https://ogp.me)."""
        self.show("gossip", "For everybody")
        game = replace(self.world.game("Alpha"), tagline="A quiet\nplace")
        self.world.registry.enact(GameSaved(game))
        for path, title, text in (
            ("/", "Gossip", "Gossip connects text games."),
            ("/games", "Games", "4 games on Gossip, 0 online."),
            ("/games/Alpha", "The Alpha", "A quiet place"),
            ("/games/Beta", "The Beta", "The Beta, a game on Gossip."),
            ("/channels", "Channels", "Messages on a channel reach"),
            ("/chat/gossip", "#gossip", "For everybody"),
            ("/connect", "Connect your game", "How to connect a text game to Gossip"),
            ("/connect/evennia", "Evennia: connect your game", "Evennia: Has a built-in client"),
            ("/stats", "Stats", "Players and messages"),
            ("/docs", "Docs", "The documents of Gossip"),
            ("/docs/protocol", "Joining with your game", ""),
            ("/rules", "Rules", "The rules of Gossip"),
        ):
            tags = self.described(path)
            self.assertIn(title, tags["og:title"], path)
            self.assertIn(text, tags["description"], path)
            self.assertEqual(tags["description"], tags["og:description"])
            self.assertEqual(tags["og:url"], f"http://mud.example:4110{path}")
            self.assertEqual(tags["og:site_name"], "Gossip")

    def test_message(self) -> None:
        """The link of a message tells the message, unless it was removed."""
        self.show("gossip", "For everybody")
        self.said(1, "Hello,\nall <3")
        self.said(2, "/me waves")
        removed = Removal(at=NOW, by="Root", reason="advertising")
        self.said(3, "")
        self.service.store.said[-1] = replace(self.service.store.said[-1], name="", removed=removed)
        for seq, text in ((1, "Ana@Alpha: Hello, all <3"), (2, "* Ana@Alpha waves"), (3, "For everybody")):
            self.assertEqual(self.described(f"/chat/gossip/{seq}")["description"], text)

    def test_private(self) -> None:
        """Pages that are not for everybody have none."""
        self.assertNotIn("og:title", self.described("/sign-in"))

    def test_hostile(self) -> None:
        """A description is one short line, and stays inside its attribute."""
        for text in (HOSTILE * 20, "word " * 200, "\n".join("x" * 200)):
            game = replace(self.world.game("Alpha"), tagline=None, description=text)
            self.world.registry.enact(GameSaved(game))
            tags = self.described("/games/Alpha")
            self.assertLessEqual(len(tags["description"]), 202)
            self.assertTrue(tags["description"].endswith(" …"))
            self.assertTrue(" ".join(text.split()).startswith(tags["description"].removesuffix(" …")))
        self.assertNotIn("b", [tag for tag, _ in Page(self.get("/games/Alpha")[2]).tags])


class ShortPathTests(PagesTestCase):
    """Paths that people and browsers try."""

    def test_icon(self) -> None:
        """Browsers find the icon without a page that names it."""
        code, headers, body = self.get("/favicon.ico")
        self.assertEqual((code, headers["content-type"]), (200, "image/svg+xml"))
        self.assertIn(b"<svg", body)

    def test_chat(self) -> None:
        """The path of all channels without the name of one leads to their list."""
        code, headers, _ = self.get("/chat")
        self.assertEqual((code, headers["location"]), (303, "/channels"))
