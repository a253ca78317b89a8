"""What pages show of games of other networks, and the admin page of the gateway to Intermud-3."""

from __future__ import annotations

from msgspec.structs import replace

from gossip.registry.changes import GameSaved, I3LinkRemoved
from tests.support.i3_gateway import MUD, Routers, gateway
from tests.support.sites import SURE, AdminPagesTestCase, PagesTestCase, seen


class RemoteGamesTests(PagesTestCase):
    """The list of games."""

    def setUp(self) -> None:
        super().setUp()
        made, self.routers = gateway(self.service)
        self.addCleanup(made.stopService)
        self.routers.let_in()
        self.routers.list("Dead Souls & Foo", "Antikaria")

    def test_list(self) -> None:
        """Remote games have a list of their own, by the game that they speak through."""
        text = " ".join(self.page("/games").text.split())
        self.assertIn("Via The Beta 2 games of another network, as its router tells of them.", text)
        self.assertIn("Antikaria AntikariaI3 Dead Souls & Foo DeadSoulsFooI3", text)
        self.assertIn("4 games, 1 online", text)

    def test_no_page(self) -> None:
        """A remote game has no page, and is in no list of the API."""
        self.assertEqual(self.get("/games/AntikariaI3")[0], 404)
        self.assertNotIn(b"Antikaria", self.get("/api/v1/games")[2])

    def test_hidden(self) -> None:
        """Those behind a hidden game are not shown."""
        self.service.world.registry.enact(GameSaved(replace(self.world.game("Beta"), hidden=True)))
        self.assertNotIn("Antikaria", self.page("/games").text)

    def test_said(self) -> None:
        """What a player of one said is shown with its short name."""
        self.show("dchat")
        self.said(1, name="Bob", game="AntikariaI3", channel="dchat")
        text = self.page("/chat/dchat").text
        self.assertIn("AntikariaI3", text)


class GatewayPageTests(AdminPagesTestCase):
    """The admin page of the gateway."""

    def open(self, accepted: bool = True) -> Routers:
        made, routers = gateway(self.service, accepted=accepted)
        self.addCleanup(made.stopService)
        return routers

    def test_none(self) -> None:
        """Without a gateway, the page says how to get one, and no page leads there."""
        self.assertIn("[i3.gateway]", seen(self.read("/admin/intermud3")))
        self.assertNotIn("/admin/intermud3", self.read("/admin").page.links())

    def test_shown(self) -> None:
        """How it is, its channels and its MUDs."""
        routers = self.open()
        routers.let_in()
        routers.list("Foo & Mud")
        routers.say(["chanlist-reply", 5, "*one", 0, MUD, 0, 3, {"dchat": ["*one", 0]}])
        text = seen(self.read("/admin/intermud3"))
        self.assertIn("Connected to *one at 192.0.2.1 8080 as Gossip.", text)
        self.assertIn("dchat *one dchat both ways", text)
        self.assertIn("FooMudI3 Foo & Mud", text)
        self.assertIn("/admin/intermud3", self.read("/admin").page.links())

    def test_accept(self) -> None:
        """The rules are accepted, the link is dialled again, and the password is forgotten, by forms."""
        routers = self.open(accepted=False)
        self.assertIn("Not connected: nobody accepted the rules", seen(self.read("/admin/intermud3")))
        self.done("/admin/intermud3", "i3/accept-rules")
        self.service.clock.advance(2)
        self.assertEqual(len(routers.dialled), 1)
        self.done("/admin/intermud3", "i3/reconnect")
        self.done("/admin/intermud3", "i3/forget", **SURE)
        self.assertIn(I3LinkRemoved(MUD), self.service.writer.kept)
        self.assertEqual(self.service.world.registry.i3_links, {})
