"""L{gossip.operations.restrictions}."""

from __future__ import annotations

from gossip.registry.changes import RestrictionLifted, RestrictionSet
from gossip.registry.entities import Game, Restriction
from gossip.registry.remotes import remote_id
from tests.support.operations import AdminTestCase
from tests.support.world import NOW, uuid

SET = {"set_by": "unix:ana", "set_at": "2023-11-14T22:00:00.000Z"}


class RestrictionTests(AdminTestCase):
    """Mutes and bans."""

    def setUp(self) -> None:
        super().setUp()
        self.add()
        self.perform("channel/create", channel="gossip")

    def test_mute(self) -> None:
        """A mute is for a player, a game or an address, on a channel or everywhere, for a while or for good."""
        result = self.perform("mute/add", who="Ana  Lee@ALPHA", reason="So", channel="gossip", minutes=90)
        shown = {
            "who": "ana lee@Alpha",
            "covers": None,
            "channel": "gossip",
            "until": "2023-11-14T23:30:00.000Z",
            "reason": "So",
            **SET,
        }
        self.assertEqual(result, shown)
        restriction = Restriction(
            kind="mute",
            subject=f"ana lee@{uuid(2)}",
            channel="gossip",
            until=NOW + 5400,
            reason="So",
            set_by="unix:ana",
            set_at=NOW,
        )
        self.assertEqual(self.change, RestrictionSet(restriction))
        self.perform("mute/add", NOW + 1, who=uuid(2), reason="So")
        self.perform("mute/add", NOW + 2, who="2001:DB8::0", reason="So")
        listed = self.perform("mute/list", NOW + 3)["mutes"]
        self.assertEqual([each["who"] for each in listed], ["2001:db8::/64", "Alpha", "ana lee@Alpha"])
        self.assertEqual(len(self.perform("mute/list", NOW + 5400)["mutes"]), 2)
        self.assertEqual(self.perform("ban/list")["bans"], [])

    def test_remote_games(self) -> None:
        """A remote game and its players are restricted by its short name, and by its own name while it is away."""
        game = Game(client_id=remote_id(uuid(2), "Dead Souls"), short_name="DeadSoulsI3", name="Dead Souls", secrets=())
        self.registry.remotes.came(game)
        for who in ("deadsoulsi3", "bob@DeadSoulsI3"):
            shown = who.replace("deads", "DeadS").replace("i3", "I3")
            self.assertEqual(self.perform("mute/add", who=who, reason="So")["who"], shown)
            self.assertTrue(self.change.restriction.subject.endswith(f"{uuid(2)}/Dead%20Souls"))
        self.registry.remotes.went(game.client_id)
        self.assertEqual(
            {each["who"] for each in self.perform("mute/list")["mutes"]},
            {"Alpha/Dead%20Souls", "bob@Alpha/Dead%20Souls"},
        )
        for who in ("Alpha/Dead%20Souls", "bob@Alpha/Dead%20Souls"):
            self.perform("mute/remove", who=who)
        self.assertEqual(self.perform("mute/list")["mutes"], [])

    def test_addresses(self) -> None:
        """A list says what an address or a network covers, and each spelling of it lifts it."""
        for number, (who, covers, spelled) in enumerate(
            (
                ("192.0.2.7", "one address", "::ffff:192.0.2.7"),
                ("192.0.2.0/24", "256 addresses, to 192.0.2.255", "[192.0.2.0]/24"),
                ("2001:db8:0:1::/64", "one /64 network", "2001:DB8:0:1::5"),
                ("2001:db8::/48", "65,536 /64 networks, to 2001:db8:0:ffff:ffff:ffff:ffff:ffff", "2001:DB8:0::/48"),
            )
        ):
            self.perform("ban/add", NOW + number, who=who, reason="So")
            [listed, *_] = self.perform("ban/list")["bans"]
            self.assertEqual((listed["who"], listed["covers"]), (who, covers))
            self.perform("ban/remove", who=spelled)
            self.assertEqual(self.perform("ban/list")["bans"], [])
        self.assertRefused(
            "192.0.2.5 is inside of a /24 network: did you mean 192.0.2.0/24?",
            "ban/add",
            who="192.0.2.5/24",
            reason="So",
        )
        self.assertRefused(
            "'999.1.1.1' is not an address like 192.0.2.1, 192.0.2.0/24 or 2001:db8::/48",
            "mute/remove",
            who="999.1.1.1",
        )

    def test_earlier_releases(self) -> None:
        """A new ban of a /64 takes the place of bans of single addresses in it; lifting it lifts all of them."""
        old = [
            Restriction(kind="ban", subject=f"2001:db8::{end}", reason="Old", set_by="ana", set_at=NOW)
            for end in (1, 2)
        ]
        for each in old:
            self.registry.enact(RestrictionSet(each))
        self.assertEqual({each["who"] for each in self.perform("ban/list")["bans"]}, {"2001:db8::/64"})
        self.perform("ban/add", who="2001:db8::9", reason="New")
        self.assertEqual([each["reason"] for each in self.perform("ban/list")["bans"]], ["New"])
        for each in old:
            self.registry.enact(RestrictionSet(each))
        self.perform("ban/remove", who="2001:db8::1")
        self.assertEqual(self.perform("ban/list")["bans"], [])

    def test_people_on_pages(self) -> None:
        """People on the pages are players of the network's own game: one of them or all of them can be muted."""
        for who, subject in (("Grapevine", "gossip"), ("Ana@Gossip", "ana@gossip")):
            self.perform("mute/add", who=who, reason="So")
            assert isinstance(self.change, RestrictionSet)
            self.assertEqual(self.change.restriction.subject, subject)
        self.assertEqual({each["who"] for each in self.perform("mute/list")["mutes"]}, {"gossip", "ana@gossip"})

    def test_like_an_address(self) -> None:
        """A player with a name that begins like an address is muted as a player."""
        for name in ("::1%eve", "192.0.2.1"):
            self.perform("mute/add", who=f"{name}@Alpha", reason="So")
            assert isinstance(self.change, RestrictionSet)
            self.assertEqual(self.change.restriction.subject, f"{name}@{uuid(2)}")

    def test_remove(self) -> None:
        """A restriction is lifted only on the channel that it was set on."""
        self.perform("ban/add", who="alpha", reason="So", channel="gossip")
        self.assertRefused("there is no such ban", "ban/remove", who="alpha")
        self.assertRefused("there is no such mute", "mute/remove", who="alpha", channel="gossip")
        self.assertEqual(self.perform("ban/remove", who="ALPHA", channel="gossip")["who"], "Alpha")
        self.assertEqual(self.change, RestrictionLifted("ban", uuid(2), "gossip"))
        self.assertEqual(self.perform("ban/list")["bans"], [])

    def test_refused(self) -> None:
        """An unknown subject or channel, no reason, and no time are refused."""
        self.assertRefused("no such game", "mute/add", who="Ana@Nobody", reason="So")
        self.assertRefused("a player is named like Ana@MyMUD", "mute/add", who=" @Alpha", reason="So")
        self.assertRefused("no such game; a player is named like Ana@MyMUD", "mute/add", who="Ana", reason="So")
        self.assertRefused("no such channel", "mute/add", who="Alpha", reason="So", channel="nowhere")
        self.assertRefused("minutes: must be more than 0", "mute/add", who="Alpha", reason="So", minutes=0)
        self.perform("mute/add", who="Alpha", reason="می\u200cخواهم")
        for reason in ("", " ", "x" * 201, "a\nb", "a\u2028b", "\u202ea", "<b>"):
            self.assertRefused(
                "a reason has 1 to 200 characters, without control characters and tags",
                "mute/add",
                who="Alpha",
                reason=reason,
            )
