"""L{gossip.registry.restrictions}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.addresses import network, read
from gossip.registry.entities import Restriction
from gossip.registry.restrictions import Restrictions


def ban(subject: str, channel: str = "", until: float | None = None) -> Restriction:
    return Restriction(kind="ban", subject=subject, channel=channel, until=until, reason="so", set_by="ana", set_at=0.0)


class Counted(dict[object, object]):
    """Counts its lookups."""

    lookups = 0

    def get(self, *arguments: object) -> object:
        Counted.lookups += 1
        return super().get(*arguments)


class RestrictionsTests(SynchronousTestCase):
    """All bans, and which of them somebody comes under."""

    def setUp(self) -> None:
        self.bans = Restrictions()

    def found(self, peer: str, channel: str = "", now: float = 0.0) -> str | None:
        restriction = self.bans.find(("a game",), read(peer), channel, now)
        return None if restriction is None else restriction.subject

    def test_addresses(self) -> None:
        """An address is looked up in all networks, everywhere or on a channel, until they end."""
        for each in (ban("192.0.2.7"), ban("192.0.2.0/24", "news"), ban("2001:db8::/48", until=5.0)):
            self.bans.set(each)
        self.assertEqual((self.found("192.0.2.7"), self.found("192.0.2.8")), ("192.0.2.7", None))
        self.assertEqual((self.found("192.0.2.8", "news"), self.found("192.0.2.8", "talk")), ("192.0.2.0/24", None))
        self.assertEqual(
            (self.found("2001:db8:0:9::1"), self.found("2001:db8:0:9::1", now=5.0)), ("2001:db8::/48", None)
        )
        self.assertIsNone(self.found("2001:db8:1::1"))
        self.assertIsNone(self.found("unknown"))
        for subject, channel in list(self.bans):
            self.bans.lift(subject, channel)
        self.assertEqual((self.bans, self.bans._networks, self.found("192.0.2.7")), ({}, {}, None))

    def test_games(self) -> None:
        """The first subject counts before the address, and a name like an address is none."""
        self.bans.set(ban("192.0.2.7"))
        self.bans.set(ban("192.0.2.9@some game"))
        self.assertIsNone(self.found("192.0.2.9"))
        self.bans.set(ban("a game", "news"))
        self.assertEqual((self.found("192.0.2.7"), self.found("192.0.2.7", "news")), ("192.0.2.7", "a game"))

    def test_earlier_releases(self) -> None:
        """Single IPv6 addresses count for their /64; several in one are lifted each for itself."""
        for subject in ("2001:db8::1", "2001:db8::2"):
            self.bans.set(ban(subject))
        self.assertIsNotNone(self.found("2001:db8::ffff"))
        self.assertEqual(len(self.bans.on("2001:db8::/64", "")), 2)
        self.bans.lift("2001:db8::2", "")
        self.assertEqual(self.found("2001:db8::ffff"), "2001:db8::1")
        self.bans.lift("2001:db8::1", "")
        self.assertEqual((self.found("2001:db8::1"), self.bans.on("2001:db8::/64", "")), (None, ()))

    def test_cost(self) -> None:
        """A lookup looks once into each length of prefix in use, however many bans there are."""
        costs = []
        for count in (1, 200):
            for number in range(count):
                self.bans.set(ban(f"192.0.{number}.0/24"))
                self.bans.set(ban(f"2001:db8:{number:x}::/48"))
            self.bans._networks = {size: Counted(known) for size, known in self.bans._networks.items()}  # type: ignore[misc]
            Counted.lookups = 0
            self.assertIsNone(self.found("203.0.113.1"))
            costs.append(Counted.lookups)
        self.assertEqual(costs, [1, 1])

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["192.0.2.1", "192.0.2.0/24", "192.0.0.0/16", "2001:db8::/64", "2001:db8::/32", "::9"]),
                st.sampled_from(["", "news"]),
                st.booleans(),
            )
        ),
        st.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.9.9", "2001:db8::1", "2001:db8:9::1", "::1", "unknown"]),
        st.sampled_from(["", "news"]),
    )
    def test_any_order(self, done: list[tuple[str, str, bool]], peer: str, channel: str) -> None:
        """Whatever was set and lifted, an address comes under a ban if a network that is left covers it."""
        bans, left = Restrictions(), set()
        for subject, where, lifted in done:
            if lifted:
                bans.lift(subject, where)
                left.discard((subject, where))
            else:
                bans.set(ban(subject, where))
                left.add((subject, where))
        covered = any(where in ("", channel) and network(subject).covers(read(peer)) for subject, where in left)
        self.assertEqual(bans.find((), read(peer), channel, 0.0) is not None, covered)
        self.assertEqual(set(bans), left)


class PlayersTests(SynchronousTestCase):
    """Players are known by what their names look like."""

    def setUp(self) -> None:
        self.bans = Restrictions()

    def found(self, name: str, client_id: str = "game", channel: str = "", now: float = 0.0) -> str | None:
        restriction = self.bans.find((client_id, f"{name}@{client_id}"), read("192.0.2.1"), channel, now)
        return None if restriction is None else restriction.subject

    def test_alike(self) -> None:
        """Whoever looks like a banned player is banned, in this game and on this channel, until it ends."""
        self.bans.set(ban("ana@game"))
        self.bans.set(ban("bill@game", "news", until=5.0))
        for name in ("Ana", "A\u200bna", "Аna", "Ａｎａ", "Áná", "ANA", " Ana"):
            self.assertEqual(self.found(name), "ana@game", ascii(name))
            self.assertIsNone(self.found(name, "another game"))
        self.assertEqual(
            [self.found("BilI", channel="news"), self.found("BilI"), self.found("BilI", channel="news", now=5.0)],
            ["bill@game", None, None],
        )
        self.assertIsNone(self.found("Anna"))
        self.assertIsNone(self.found("Ana@game"))

    def test_stored_before(self) -> None:
        """Names that were stored apart and look alike all count, each until it is lifted."""
        for subject in ("ana@game", "ána@game", "аna@game"):
            self.bans.set(ban(subject))
        self.assertEqual([each.subject for each in self.bans.on("A\u00adna@game", "")], [each for each, _ in self.bans])
        self.bans.set(ban("ána@game", until=5.0))
        self.assertEqual(len(self.bans.on("ana@game", "")), 3)
        for subject in ("ana@game", "аna@game", "ána@game"):
            self.assertIsNotNone(self.found("Ana"))
            self.bans.lift(subject, "")
        self.assertIsNone(self.found("Ana"))
        self.bans.lift("ana@game", "")
        self.assertEqual((self.bans, self.bans._players), ({}, {}))

    def test_capitals(self) -> None:
        """The capital of a Greek letter may look like another letter than the small one does."""
        self.bans.set(ban("nathan@game"))
        self.assertEqual((self.found("Νathan"), self.found("νathan")), ("nathan@game", None))
        self.bans.set(ban("νίκος@game"))
        self.assertEqual((self.found("ΝΙΚΟΣ"), self.found("Νίκος")), ("νίκος@game", "νίκος@game"))
