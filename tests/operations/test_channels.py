"""L{gossip.operations.channels}."""

from __future__ import annotations

from typing import Any

from gossip.operations.catalogue import COMMANDS
from gossip.operations.channels import ChannelInfo, ChannelShow
from gossip.protocol.text import timestamp
from gossip.registry.changes import AccountSaved, ChannelSaved, ChannelsRemoved
from gossip.registry.entities import Account, Channel
from tests.support.operations import AdminTestCase
from tests.support.world import NOW, uuid

CHANNEL = {
    "name": "gossip",
    "hidden": False,
    "paused_until": None,
    "description": None,
    "described_by": None,
    "described_at": None,
    "speakers": None,
    "moderators": [],
}


class ChannelTests(AdminTestCase):
    """Operations on channels."""

    def test_create(self) -> None:
        """A channel that an admin creates is shown; one that exists cannot be created again."""
        result = self.perform("channel/create", channel="gossip", description="All talk")
        by: dict[str, Any] = {"described_by": "unix:ana", "described_at": NOW}
        self.assertEqual(self.change, ChannelSaved(Channel("gossip", False, None, "All talk", kept=True, **by)))
        self.assertEqual(result, {**CHANNEL, "description": "All talk", **by, "described_at": timestamp(NOW)})
        self.assertRefused("the channel gossip exists already", "channel/create", channel="gossip")

    def test_create_hidden(self) -> None:
        """A channel for staff is hidden from its beginning."""
        self.assertTrue(self.perform("channel/create", channel="staff", hidden=True)["hidden"])
        self.assertEqual(self.change, ChannelSaved(Channel("staff", True, None, None, kept=True)))

    def test_publish_and_hide(self) -> None:
        """A channel is hidden and published."""
        self.perform("channel/create", channel="gossip")
        self.assertTrue(self.perform("channel/hide", channel="gossip")["hidden"])
        self.assertFalse(self.perform("channel/publish", channel="gossip")["hidden"])
        self.perform("channel/publish", channel="gossip")
        self.assertIsNone(self.change)

    def test_info(self) -> None:
        """A look at a channel changes nothing; the view of a hidden one says how to publish it."""
        self.perform("channel/create", channel="gossip", hidden=True)
        shown = self.perform("channel/info", channel="gossip")
        self.assertIsNone(self.change)
        self.assertEqual(shown, {**CHANNEL, "hidden": True})
        hint = "Web pages do not show it. To publish it: gossipctl channel publish gossip"
        self.assertEqual(ChannelInfo.view(shown)[-1], hint)
        self.assertEqual(len(ChannelInfo.view({**shown, "hidden": False})), 1)

    def test_old_show(self) -> None:
        """The old name of channel/publish does the same, says that it goes away, and cannot be typed."""
        self.perform("channel/create", channel="gossip", hidden=True)
        result = self.perform("channel/show", channel="gossip")
        self.assertEqual(self.change, ChannelSaved(Channel("gossip", False, kept=True)))
        self.assertEqual(result, {**CHANNEL, "deprecated": "channel/show goes away: use channel/publish"})
        self.assertIn(ChannelShow.deprecated, COMMANDS)
        self.assertIsNone(ChannelShow.typed)

    def test_pause_and_resume(self) -> None:
        """A pause lasts 30 minutes by default, and is not shown once it is over."""
        self.perform("channel/create", channel="gossip")
        self.assertEqual(self.perform("channel/pause", channel="gossip")["paused_until"], "2023-11-14T22:30:00.000Z")
        self.assertEqual(self.registry.channels["gossip"].paused_until, NOW + 1800)
        self.assertIsNone(self.perform("channel/list", NOW + 1800)["channels"][0]["paused_until"])
        self.assertEqual(
            self.perform("channel/pause", channel="gossip", minutes=1)["paused_until"], "2023-11-14T22:01:00.000Z"
        )
        self.assertIsNone(self.perform("channel/resume", channel="gossip")["paused_until"])
        self.assertRefused("minutes: must be more than 0", "channel/pause", channel="gossip", minutes=0)
        self.assertRefused("minutes: must be at most 527040", "channel/pause", channel="gossip", minutes=1e300)

    def test_describe(self) -> None:
        """A description is set and removed; it holds no control characters or tags."""
        self.perform("channel/create", channel="gossip")
        self.assertEqual(self.perform("channel/describe", channel="gossip", description="x")["description"], "x")
        self.assertIsNone(self.perform("channel/describe", channel="gossip", description="")["description"])
        for text in ("\x1b[31m", "<b>", "x" * 2001):
            self.assertRefused(
                "a description has at most 2000 characters, without control characters and tags",
                "channel/describe",
                channel="gossip",
                description=text,
            )

    def test_described_by(self) -> None:
        """The author of a description is known, until somebody changes it; saving the same again changes no author."""
        self.perform("channel/create", channel="gossip")
        describe = {"channel": "gossip", "description": "x"}
        self.perform("channel/describe", **describe)
        again = self.perform("channel/describe", NOW + 60, **describe)
        self.assertEqual((again["described_by"], again["described_at"]), ("unix:ana", timestamp(NOW)))
        other = self.perform("channel/describe", NOW + 60, channel="gossip", description="y")
        self.assertEqual(other["described_at"], timestamp(NOW + 60))
        self.assertEqual(self.perform("channel/describe", channel="gossip", description=""), CHANNEL)

    def test_remove(self) -> None:
        """A channel is removed; what it was is shown for the last time."""
        self.perform("channel/create", channel="gossip")
        self.assertEqual(self.perform("channel/remove", channel="gossip"), CHANNEL)
        self.assertEqual(self.change, ChannelsRemoved(("gossip",)))
        self.assertNotIn("gossip", self.registry.channels)

    def test_touched(self) -> None:
        """A channel that a game made stays once an admin did anything with it, even if that changed nothing."""
        self.registry.enact(ChannelSaved(Channel("gossip", unused_since=NOW)))
        self.perform("channel/hide", channel="gossip")
        self.assertEqual(self.change, ChannelSaved(Channel("gossip", kept=True)))

    def test_unknown(self) -> None:
        """An operation on a channel that does not exist is refused."""
        for name in ("info", "publish", "show", "hide", "pause", "resume", "remove"):
            self.assertRefused("no such channel", f"channel/{name}", channel="nowhere")
        self.assertRefused("no such channel", "channel/describe", channel="nowhere", description="")

    def test_moderators(self) -> None:
        """Accounts moderate a channel, by their names as they are; one that is disabled or unknown cannot."""
        self.perform("channel/create", channel="gossip")
        for name in ("Ana", "Bea", "Cyd"):
            self.registry.enact(AccountSaved(Account(name=name, disabled=name == "Cyd")))
        told = self.perform("channel/moderators", channel="gossip", accounts=["BEA", "ana", "Ana"])
        self.assertEqual(told["moderators"], ["Ana", "Bea"])
        self.assertEqual(self.registry.channels["gossip"].moderators, frozenset(["Ana", "Bea"]))
        self.assertEqual(self.registry.moderated_by("Ana"), ["gossip"])
        self.assertIn("Ana, Bea", str(ChannelInfo.view(told)))
        for wrong, text in (("Cyd", "the account Cyd is disabled"), ("Dot", "no such account")):
            self.assertRefused(text, "channel/moderators", channel="gossip", accounts=["Ana", wrong])
        self.assertRefused("no such channel", "channel/moderators", channel="nowhere", accounts=[])
        self.assertEqual(self.perform("channel/moderators", channel="gossip", accounts=[])["moderators"], [])
        self.assertEqual(self.registry.moderated_by("Ana"), [])

    def test_no_longer_there(self) -> None:
        """An account that is disabled or removed moderates nothing; nor does one of a channel that was removed."""
        channels = ("gossip", "Staff", "news")
        for name in ("Ana", "Bea", "Cyd"):
            self.registry.enact(AccountSaved(Account(name=name)))
        for channel in channels:
            self.perform("channel/create", channel=channel)
            self.perform("channel/moderators", channel=channel, accounts=["Ana", "Bea", "Cyd"])
        self.assertEqual(self.registry.moderated_by("Ana"), ["gossip", "news", "Staff"])
        self.perform("account/remove", name="ana")
        self.perform("account/edit", name="bea", disabled=True)
        self.perform("account/edit", name="bea", disabled=False)
        self.perform("channel/remove", channel="news")
        self.assertEqual({each.moderators for each in self.registry.channels.values()}, {frozenset(["Cyd"])})
        self.assertEqual([self.registry.moderated_by(name) for name in ("Ana", "Bea")], [[], []])
        self.assertEqual(self.registry.moderated_by("Cyd"), ["gossip", "Staff"])

    def test_speakers(self) -> None:
        """Some games, only the network itself, or all games can speak."""
        self.add()
        self.perform("channel/create", channel="gossip")
        self.assertEqual(self.perform("channel/speakers", channel="gossip", games=["ALPHA"])["speakers"], ["Alpha"])
        self.assertEqual(self.registry.channels["gossip"].speakers, frozenset([uuid(2)]))
        self.assertEqual(self.perform("channel/speakers", channel="gossip", games=[])["speakers"], [])
        told = self.perform("channel/speakers", channel="gossip", games=["alpha", "Gossip"])
        self.assertEqual(told["speakers"], ["Alpha", "gossip"])
        self.assertIsNone(self.perform("channel/speakers", channel="gossip", games=None)["speakers"])
        self.assertIsNone(self.registry.channels["gossip"].speakers)
        self.assertRefused("no such game", "channel/speakers", channel="gossip", games=["Nobody"])
        self.assertRefused("no such channel", "channel/speakers", channel="nowhere", games=None)
