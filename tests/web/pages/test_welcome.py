"""L{gossip.web.pages.welcome}: the first page of a new account."""

from __future__ import annotations

from gossip.registry.changes import ChannelSaved
from gossip.registry.entities import Channel
from tests.support.sites import OwnerTestCase
from tests.support.visitor import Visitor


class WelcomeTests(OwnerTestCase):
    """The page after sign-up."""

    def test_ways(self) -> None:
        """It leads to the form for a game, to the guides, and to the channel where people talk."""
        links = self.ana.get("/welcome").page.links()
        self.assertLessEqual({"/manage#register", "/connect", "/account"}, {*links})
        self.assertNotIn("/channels", links[links.index("/connect") :])
        self.world.registry.enact(ChannelSaved(Channel("a b", False)))
        self.assertLessEqual({"/chat/a%20b", "/channels"}, {*self.ana.get("/welcome").page.links()})
        self.world.registry.enact(ChannelSaved(Channel("gossip", False)))
        self.assertIn("/chat/gossip", self.ana.get("/welcome").page.links())
        self.assertIn("They see you as Ana@gossip.", self.ana.get("/welcome").text)

    def test_stranger(self) -> None:
        """It is for people with an account."""
        self.assertEqual(Visitor(self.site).get("/welcome").location, "/sign-in?back=/welcome")
