"""The sessions of MUDs of the other network: what admins can do about them."""

from __future__ import annotations

from gossip.operations.restrictions import BanAdd, BanRemove, MuteAdd
from gossip.transports.intermud3.gateway.sessions import REJOIN_SECONDS
from tests.support.i3_gateway import GatewayTestCase


class ModerationTests(GatewayTestCase):
    """Mutes and bans of strangers."""

    def test_muted(self) -> None:
        """A muted player of a MUD is not heard; others are."""
        self.perform(MuteAdd(who="Bob@FooI3", reason="Spam"))
        self.routers.chat("Foo", "hello")
        self.routers.tell("Foo", "hello", "ana.alpha")
        self.assertEqual(self.told(), [])
        self.assertEqual(self.routers.heard()[0][6], "not-allowed")
        self.routers.chat("Foo", "hello", user="Eve")
        self.assertEqual([each["name"] for each in self.told()], ["Eve"])

    def test_banned(self) -> None:
        """A MUD that is banned is left out, and comes back when the ban is lifted."""
        self.perform(BanAdd(who="FooI3", reason="Spam"))
        self.assertEqual(len(self.world.registry.remotes), 0)
        self.routers.chat("Foo", "hello")
        self.routers.list("Foo")
        self.assertEqual(self.told(), [])
        self.perform(BanRemove(who="Beta/Foo"))
        self.settle(REJOIN_SECONDS)
        self.assertEqual(len(self.world.registry.remotes), 1)

    def test_gateway_banned(self) -> None:
        """Without its gateway's game, nobody from there is here."""
        self.perform(BanAdd(who="Beta", reason="Enough"))
        self.assertEqual((len(self.world.registry.remotes), self.routers.is_connected), (0, False))

    def test_overrun(self) -> None:
        """A MUD that says too much is not told so; what goes on too long ends its session for five minutes."""
        for number in range(40):
            self.routers.say(*(["channel-m", 5, "Foo", "b", 0, 0, "dchat", "B", f"{number} {n}"] for n in range(4)))
            self.clock.advance(0.25)
        self.settle()
        self.assertEqual(self.routers.heard("error"), [])
