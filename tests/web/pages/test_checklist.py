"""L{gossip.web.views.checklist}: what is left to set up, on the admin's first page."""

from __future__ import annotations

import tomllib
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import maybeDeferred

from gossip.config.config import Config
from gossip.network.settings import NetworkSettings
from gossip.operations.errands import Backup
from gossip.operations.operation import Occasion, note
from gossip.registry.changes import ChannelSaved, GameRemoved
from gossip.registry.entities import Channel
from gossip.web.settings import MailSettings, WebRules, WebSettings
from gossip.web.site import public_site
from tests.support.memory_service import MemoryService
from tests.support.site_browser import Page
from tests.support.sites import PagesTestCase, seen
from tests.support.visitor import Visitor
from tests.support.world import NOW, uuid

DAY = 24 * 3600


class ChecklistTests(PagesTestCase):
    """The list, on a network without games."""

    config_file = ""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.world = self.service.world
        for game in list(self.world.registry.games):
            self.world.registry.enact(GameRemoved(game))
        self.rules = WebRules(WebSettings(), "http://127.0.0.1:4110")
        self.site = public_site(
            self.service,
            self.service.store,
            self.service.clock,
            maybeDeferred,
            rules=self.rules,
            config_file=self.config_file,
        )
        self.root = Visitor(self.site)
        self.root.sign_in(self.service, "Root", admin=True)

    def network(self, **changed: Any) -> None:
        """The operator changes settings of the network."""
        rules = self.world.network.rules
        rules.settings = replace(rules.settings, **changed)

    def text(self) -> str:
        """What the admin's first page says."""
        return seen(self.root.get("/admin"))

    def backed_up(self, ago: float) -> None:
        """A backup was made some seconds ago."""
        on = Occasion(NOW - ago, lambda: uuid(77), "unix:root")
        self.service.store.entries.append(note(Backup.wire, Backup(), on))

    def config(self) -> dict[str, Any]:
        """The lines of the configuration that the page shows, read as TOML."""
        body = self.root.get("/admin").body.decode()
        shown = Page(body.partition('<pre class="copy"')[2].partition("</pre>")[0].encode()).text
        return tomllib.loads(shown.partition(">")[2])

    def test_new(self) -> None:
        """A new network has everything to do, what to do for each, and the list open."""
        text = self.text()
        self.assertIn("Set up Gossip 0 of 7 done", text)
        self.assertLess(text.index("Set up Gossip"), text.index("games online"))
        for part in (
            "Name (not yet) The network is called Gossip, which is the default.",
            "Website (not yet) Not set: links in mail lead to http://127.0.0.1:4110.",
            "Rules and contact (not yet) /rules shows the default rules and no contact.",
            "Public channel (not yet) No channel is public: visitors can neither read nor talk.",
            "First game (not yet) No game is registered.",
            "Mail (not yet) Not set: no mail is sent.",
            "Backup (not yet) None has been made.",
            "gossipctl backup /var/backups/gossip --keep 14",
            "started without a configuration file",
        ):
            self.assertIn(part, text)
        page = self.root.get("/admin").page
        self.assertIn(("details", {"open": None}), page.tags)
        for link in ("/manage#register", "/admin/channels", "/rules", "/docs/operator#backups", "/docs/operator#tls"):
            self.assertIn(link, page.links())

    def test_links(self) -> None:
        """Each link of the list leads to a page that is there, and to a place on it."""
        body = self.root.get("/admin").body.decode()
        for link in Page(body.partition("<main")[2].encode()).links():
            path, _, fragment = link.partition("#")
            answer = self.root.get(path)
            self.assertEqual(answer.code, 200, link)
            self.assertIn(f'id="{fragment}"' if fragment else "", answer.body.decode(), link)

    def test_config(self) -> None:
        """The lines of the configuration can be copied as they are: each setting exists."""
        shown = self.config()
        self.assertEqual({*shown["network"]}, {"name", "website", "contact"})
        self.assertEqual({*shown["web"]["mail"]}, {"server", "sender", "user", "password"})
        for name in shown["network"]:
            self.assertTrue(hasattr(Config().network, name))
        for name in shown["web"]["mail"]:
            self.assertTrue(hasattr(Config().web.mail, name))
        self.network(name="Chatter", contact="root@mud.example")
        self.assertEqual({*self.config()["network"]}, {"website"})

    def test_ticks(self) -> None:
        """One item after another is ticked as it is set up; when all are done, the list is gone."""
        self.network(name="Chatter")
        self.assertIn("Set up Chatter 1 of 7 done", self.text())
        self.network(website="https://mud.example/")
        self.rules.address = "https://mud.example"
        self.assertIn("Website (done) Links lead to https://mud.example.", self.text())
        self.network(contact="root@mud.example")
        self.assertIn("(done) /rules shows the default rules and root@mud.example.", self.text())
        self.world.registry.enact(ChannelSaved(Channel("main", False)))
        self.assertIn("Public channel (done) #main is public.", self.text())
        self.rules.settings = WebSettings(mail=MailSettings(server="mail.example:25"))
        self.assertIn("Mail (done) Mail is sent by mail.example:25.", self.text())
        self.backed_up(8 * DAY)
        self.assertIn("Backup (not yet) The latest was made 8 days ago.", self.text())
        self.backed_up(2 * DAY)
        self.assertIn("Backup (done) The latest was made 2 days ago.", self.text())
        self.world.add("Alpha")
        self.assertIn("First game (not yet) 1 game registered, but none has connected yet.", self.text())
        self.assertIn("6 of 7 done", self.text())
        self.assertIn(("details", {"open": None}), self.root.get("/admin").page.tags)
        self.service.join("Alpha")
        self.assertNotIn("Set up Chatter", self.text())

    def test_folded(self) -> None:
        """Once a game has joined, the list is folded."""
        self.world.add("Alpha")
        self.service.join("Alpha")
        self.assertIn("First game (done) 1 game registered, 1 online.", self.text())
        self.assertIn(("details", {}), self.root.get("/admin").page.tags)
        self.assertLess(self.text().index("Latest activity"), self.text().index("Set up Gossip"))

    def test_set_up(self) -> None:
        """The first admin has the list open before everything else, even if a game was tried before."""
        self.world.add("Alpha")
        self.service.join("Alpha")
        answer = self.root.get("/admin?done=set-up")
        self.assertIn(("details", {"open": None}), answer.page.tags)
        self.assertLess(seen(answer).index("Set up Gossip"), seen(answer).index("Latest activity"))
        self.assertEqual(seen(answer).count("Set up Gossip"), 1)

    def test_postgresql(self) -> None:
        """What the daemon cannot know is not counted."""
        self.service.store.copies = False
        self.assertIn("0 of 6 done", self.text())
        self.assertIn("Backup The database is PostgreSQL.", self.text())

    def test_default(self) -> None:
        """The name counts as chosen if it is not the default."""
        self.assertIn(f"is called {NetworkSettings().name}, which is the default", self.text())


class ConfiguredTests(ChecklistTests):
    """The same, for a daemon with a configuration file."""

    config_file = "/etc/gossip/gossip.toml"

    def test_new(self) -> None:
        """The list names the file, and says how to reload it."""
        self.assertIn("These lines are missing in /etc/gossip/gossip.toml .", self.text())
        self.assertIn("systemctl reload gossip", self.text())
