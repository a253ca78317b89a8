"""The registry: what is known, and what may not become known."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol.server_events import AchievementOf
from gossip.registry.changes import (
    AchievementDropped,
    AchievementKept,
    ChannelOpened,
    ChannelSaved,
    GameRemoved,
    GameSaved,
    GameSeen,
    UserAgentMet,
    UserAgentSaved,
)
from gossip.registry.entities import Channel, Game, Secret, UserAgent
from gossip.registry.errors import Refused
from gossip.registry.registry import Registry
from gossip.registry.secret import digest, old_secret_until, rotated, secrets_of
from tests.support.world import NOW, uuid

ALPHA = Game(client_id=uuid(1), short_name="Alpha", name="The Alpha", secrets=(Secret(digest(uuid(11))),))
BETA = Game(client_id=uuid(2), short_name="Beta", name="The Beta", secrets=(Secret(digest(uuid(12))),))


class RegistryTests(SynchronousTestCase):
    """Changes that are taken over."""

    def setUp(self) -> None:
        self.registry = Registry()
        self.registry.enact(GameSaved(ALPHA))
        self.registry.enact(GameSaved(BETA))

    def test_become(self) -> None:
        """The counts of changes differ from those before, so that everything made from the old ones is made anew."""
        other = Registry()
        for registry, name in ((self.registry, "old"), (other, "new")):
            registry.enact(ChannelSaved(Channel(name)))
        before = self.registry.revision, self.registry.channels_revision
        self.registry.become(other)
        self.assertEqual([*self.registry.channels], ["new"])
        self.assertGreater(self.registry.revision, before[0])
        self.assertGreater(self.registry.channels_revision, before[1])

    def test_names(self) -> None:
        """Games are found by short name, without case."""
        self.assertEqual(
            [self.registry.game_named(name) for name in ("Alpha", "ALPHA", "beta", "The Alpha", "")],
            [ALPHA, ALPHA, BETA, None, None],
        )

    def test_renamed(self) -> None:
        """A game that is renamed is found by its new name only."""
        renamed = replace(ALPHA, short_name="Omega")
        self.registry.enact(GameSaved(renamed))
        self.assertEqual([self.registry.game_named(name) for name in ("Alpha", "omega")], [None, renamed])

    def test_removed(self) -> None:
        """Nothing stays of a game that was removed, nor comes later."""
        achievement = AchievementOf(key=uuid(9), title="First")
        seen = GameSeen(ALPHA.client_id, "MyMUD", "1.0.0")
        kept = AchievementKept(ALPHA.client_id, achievement)
        for change in (seen, kept, GameRemoved(ALPHA.client_id), seen, kept, GameRemoved(ALPHA.client_id)):
            self.registry.enact(change)
        self.assertIsNone(self.registry.game_named("Alpha"))
        self.assertEqual((self.registry.games, self.registry.seen), ({BETA.client_id: BETA}, {}))
        self.assertEqual(self.registry.achievements, {})

    def test_authenticate(self) -> None:
        """A game shows its own secret, in any case."""
        cases = (
            (uuid(1), uuid(11), ALPHA),
            (uuid(1), uuid(11).upper(), ALPHA),
            (uuid(1), uuid(12), None),
            (uuid(2), uuid(11), None),
            (uuid(3), uuid(11), None),
            (uuid(1), "", None),
            ("", "", None),
            (uuid(1), "\udc80", None),
        )
        for client_id, secret, game in cases:
            self.assertEqual(self.registry.authenticate(client_id, secret, NOW), game)

    def test_rotated(self) -> None:
        """After a rotation the old secret works until its time is over, the new one always."""
        once = rotated(ALPHA, uuid(21), NOW, overlap=100)
        self.registry.enact(GameSaved(once))

        def works(secret: str, now: float) -> bool:
            return self.registry.authenticate(uuid(1), secret, now) is not None

        self.assertEqual([works(uuid(11), NOW + late) for late in (0, 99, 100)], [True, True, False])
        self.assertEqual([works(uuid(21), NOW + late) for late in (0, 100)], [True, True])
        # It is known that the game used the second, but not whether it went on to use the first.
        in_use = self.registry.in_use[""][uuid(1)]
        self.assertEqual(in_use, digest(uuid(21)))
        self.registry.enact(GameSaved(rotated(once, uuid(31), NOW, in_use=in_use)))
        self.assertEqual([works(uuid(n), NOW) for n in (11, 21, 31)], [False, True, True])

    def test_rotated_in_use(self) -> None:
        """The secret in use is not pushed out, however many newer ones there are; nor does its time get longer."""
        for in_use in (digest(uuid(11)), None):
            game = ALPHA
            for number in range(21, 30):
                game = rotated(game, uuid(number), NOW + number - 21, in_use=in_use, overlap=100)
            digests = [secret.digest for secret in game.secrets]
            self.assertEqual(digests, [digest(uuid(number)) for number in (29, 28, 27, 26, 11)])
            self.assertEqual(
                [secret.expires for secret in game.secrets], [None, *(NOW + 100 + n for n in (8, 7, 6, 0))]
            )
        later = rotated(game, uuid(31), NOW + 200, in_use=digest(uuid(11)))
        self.assertEqual([secret.digest for secret in later.secrets], [digest(uuid(31)), digest(uuid(29))])

    def test_uses(self) -> None:
        """A secret is accepted for its own use only; nothing is accepted for a use without secrets."""
        self.registry.enact(GameSaved(rotated(ALPHA, uuid(41), NOW, "imc2")))
        shown = [(secret, use) for secret in (uuid(11), uuid(41)) for use in ("", "imc2", "i3")]
        works = [self.registry.authenticate(uuid(1), secret, NOW, use) is not None for secret, use in shown]
        self.assertEqual(works, [True, False, False, False, True, False])

    def test_rotated_by_use(self) -> None:
        """A rotation leaves the secrets of all other uses as they are."""
        both = rotated(rotated(ALPHA, uuid(41), NOW, "imc2"), uuid(21), NOW, overlap=100)
        self.assertEqual(secrets_of(both, "imc2"), (Secret(digest(uuid(41)), use="imc2"),))
        self.assertEqual(secrets_of(both), (Secret(digest(uuid(21))), Secret(digest(uuid(11)), NOW + 100)))
        again = rotated(both, uuid(42), NOW, "imc2", overlap=200)
        self.assertEqual(secrets_of(again), secrets_of(both))
        self.assertEqual([secret.expires for secret in secrets_of(again, "imc2")], [None, NOW + 200])
        self.assertEqual(old_secret_until(again, NOW), NOW + 100)
        self.assertEqual(old_secret_until(again, NOW, "imc2"), NOW + 200)
        self.assertEqual(old_secret_until(again, NOW + 100), None)

    def test_points(self) -> None:
        """The points of a game's own achievements, as they are now."""
        self.assertEqual(self.registry.points(uuid(1)), 0)
        for key, points in ((uuid(5), 10), (uuid(6), 20), (uuid(6), 25)):
            self.registry.enact(AchievementKept(uuid(1), AchievementOf(key=key, title="T", points=points)))
        self.registry.enact(AchievementKept(uuid(2), AchievementOf(key=uuid(7), title="T", points=100)))
        self.assertEqual(self.registry.points(uuid(1)), 35)
        self.registry.enact(AchievementDropped(uuid(1), uuid(5)))
        self.registry.enact(AchievementDropped(uuid(1), uuid(5)))
        self.assertEqual(self.registry.points(uuid(1)), 25)

    def test_user_agents(self) -> None:
        """A code base is known by its name."""
        for agent in (UserAgent("MyMUD"), UserAgent("MyMUD", "https://mymud.example")):
            self.registry.enact(UserAgentSaved(agent))
        self.assertEqual(self.registry.user_agents, {"MyMUD": UserAgent("MyMUD", "https://mymud.example")})
        self.registry.enact(UserAgentMet("MyMUD"))
        self.registry.enact(UserAgentMet("Other"))
        self.assertEqual(self.registry.user_agents["MyMUD"].url, "https://mymud.example")
        self.assertEqual(self.registry.user_agents["Other"], UserAgent("Other"))

    def test_channel_opened(self) -> None:
        """A channel that a game opens is new, or stays as it is."""
        known = Channel("gossip", hidden=False, description="For everybody")
        for change in (ChannelSaved(known), ChannelOpened("gossip"), ChannelOpened("new")):
            self.registry.enact(change)
        self.assertEqual(self.registry.channels, {"gossip": known, "new": Channel("new")})


class CheckTests(SynchronousTestCase):
    """What an admin may not do."""

    def setUp(self) -> None:
        self.registry = Registry()
        self.registry.enact(GameSaved(ALPHA))
        self.registry.enact(GameSaved(BETA))

    def refused(self, **attributes: Any) -> bool:
        """Is the game Alpha refused with these attributes?"""
        try:
            self.registry.check(GameSaved(replace(ALPHA, **attributes)), ("gossip", "Grapevine"))
        except Refused:
            return True
        return False

    def test_short_name(self) -> None:
        """Up to 15 letters and digits, not on the block list, unique without case."""
        for name in ("a", "A1", "x" * 15, "ALPHA"):
            self.assertFalse(self.refused(short_name=name), name)
        for name in ("g0ssip", "GoSSiP", "gosslp", "Grapev1ne", "6eta", "BETA"):
            self.assertEqual(self.refused(short_name=name), name != "6eta", name)
        for name in ("", "x" * 16, "a b", "a-b", "é", "a\n", "GOSSIP", "grapevine", "beta", "BETA", "1١"):
            self.assertTrue(self.refused(short_name=name), name)

    def test_name(self) -> None:
        """Unique without case, there, and clean."""
        for name in ("The Alpha", "the alpha", "x" * 70, "Ünïcode"):
            self.assertFalse(self.refused(name=name), name)
        for name in ("", " ", "THE BETA", "x" * 71, "a\x1b[0m", "<b>a</b>"):
            self.assertTrue(self.refused(name=name), name)
        for name in ("Gоssip", "GOSSIP", "Grapevine", "Тhe Веta", "The\u200b Beta", "The B\u0301eta", "The 8eta"):
            self.assertEqual(self.refused(name=name), name != "The 8eta", ascii(name))
        for name in (
            "\u3164",
            "\u200b\u00ad",
            "The\nAlpha",
            "The\u2028Alpha",
            "The  Alpha",
            " The",
            "A\u202eB",
            "A" + "\u0301" * 9,
        ):
            self.assertTrue(self.refused(name=name), ascii(name))

    def test_known_names(self) -> None:
        """What an earlier release let through stays, and can be disabled and changed; nobody else gets it."""
        odd = replace(ALPHA, client_id=uuid(9), short_name="b3ta", name="G0ssip\n", tagline="a\nb")
        alike = replace(odd, client_id=uuid(10), short_name="Gossip", name="Веta  ")
        for game in (odd, alike):
            self.registry.enact(GameSaved(game))
        for game in (odd, alike):
            self.registry.check(GameSaved(replace(game, disabled=True)), ("gossip",))
            for field in ("name", "tagline"):
                with self.assertRaises(Refused):
                    self.registry.check(GameSaved(replace(game, **{field: "b\na"})), ("gossip",))
        for game in (odd, alike):
            self.registry.enact(GameRemoved(game.client_id))
            self.assertRaises(Refused, self.registry.check, GameSaved(game), ("gossip",))
        self.assertFalse(self.refused(name="Веta"))

    def test_games(self) -> None:
        """A game that is not there cannot be removed."""
        self.registry.check(GameRemoved(ALPHA.client_id))
        self.assertRaises(Refused, self.registry.check, GameRemoved(uuid(3)))

    def test_channels(self) -> None:
        """An admin's channel may have any name of a sensible size."""
        for name in ("all", "a b", "x" * 64, "é" * 32):
            self.registry.check(ChannelSaved(Channel(name)))
        for name in ("", "x" * 65, "é" * 33, "a\x00", "<b>"):
            self.assertRaises(Refused, self.registry.check, ChannelSaved(Channel(name)))
