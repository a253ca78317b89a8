"""Which channels MUDs of Intermud-3 are offered, and when they hear them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.intermud3.channels import Offer, Wishes, configured, offered


class OfferTests(SynchronousTestCase):
    """Channels, by their names for MUDs."""

    def test_names(self) -> None:
        """A channel has its own name, unless a mudlib would keep what is said there to itself."""
        offer = offered({"gossip": "imud_gossip"}, ("testing", "Newbie", "gossip"))
        self.assertEqual(offer.here, {"imud_gossip": "gossip", "imud_Newbie": "Newbie", "testing": "testing"})
        self.assertEqual(offer.there, {"gossip": "imud_gossip", "Newbie": "imud_Newbie", "testing": "testing"})

    def test_left_out(self) -> None:
        """A name that is not plain, or that another channel has, is not offered."""
        offer = offered({"gossip": "talk"}, ("talk", "with blank", "imud_cre", "cre", "x"))
        self.assertEqual(offer.there, {"gossip": "talk", "cre": "imud_cre"})

    def test_news(self) -> None:
        """What is offered newly, or no longer."""
        before, now = offered({}, ("flowers", "testing")), offered({}, ("testing", "trees"))
        self.assertEqual([*now.news(before)], [("trees", True), ("flowers", False)])
        self.assertEqual([*now.news(now)], [])
        self.assertEqual([*now.news(Offer())], [("testing", True), ("trees", True)])

    def test_configured(self) -> None:
        """The setting has pairs of names, each at most once."""
        self.assertEqual(
            configured(("gossip=imud_gossip", "code=imud_code")), {"gossip": "imud_gossip", "code": "imud_code"}
        )
        for pairs in (("gossip",), ("gossip=",), ('gossip=a"b',), ("a=b", "a=c"), ("a=c", "b=c"), ("a b=c",)):
            self.assertRaises(ValueError, configured, pairs)

    @given(st.lists(st.sampled_from(("cre", "imud_cre", "talk", "gossip", "imud_gossip", "x y")), unique=True))
    def test_both_ways(self, visible: list[str]) -> None:
        """Each name stands for one channel, and each channel has one name."""
        offer = offered({"talk": "gossip"}, visible)
        self.assertEqual({channel: name for name, channel in offer.here.items()}, offer.there)
        self.assertEqual(offer.there["talk"], "gossip")


class WishesTests(SynchronousTestCase):
    """When wishes are carried out."""

    def test_paced(self) -> None:
        """Four are carried out at once, then one a second, in order."""
        wishes = Wishes()
        self.assertIsNone(wishes.wait(100.0))
        for number in range(100):
            wishes.add(f"channel{number}", True)
        self.assertEqual([name for name, _ in wishes.due(100.0)], [f"channel{number}" for number in range(4)])
        self.assertEqual(wishes.wait(100.0), 1.0)
        self.assertEqual(wishes.due(100.5), [])
        self.assertEqual(wishes.due(101.0), [("channel4", True)])
        done = [wish for second in range(102, 197) for wish in wishes.due(float(second))]
        self.assertEqual(len(done), 95)
        self.assertIsNone(wishes.wait(200.0))

    def test_latest_wins(self) -> None:
        """The latest wish counts; one that changes nothing is not carried out."""
        wishes = Wishes()
        wishes.add("a", True)
        wishes.add("a", False)
        wishes.add("b", True)
        self.assertEqual(wishes.due(0.0), [("b", True)])
        wishes.add("b", True)
        self.assertEqual(wishes.due(10.0), [])
        wishes.add("b", False)
        self.assertEqual(wishes.due(10.0), [("b", False)])

    def test_jump(self) -> None:
        """A channel that a player speaks on is heard at once, which counts as one of the wishes."""
        wishes = Wishes()
        for name in "abcde":
            wishes.add(name, True)
        self.assertTrue(wishes.jump("e", 0.0))
        self.assertFalse(wishes.jump("e", 0.0))
        self.assertEqual(wishes.due(0.0), [("a", True), ("b", True), ("c", True)])
        self.assertEqual(wishes.due(1.0), [("d", True)])

    def test_failed(self) -> None:
        """A MUD that could not be subscribed may wish again."""
        wishes = Wishes()
        self.assertTrue(wishes.jump("a", 0.0))
        wishes.failed("a")
        wishes.add("a", True)
        self.assertEqual(wishes.due(0.0), [("a", True)])
