"""L{gossip.registry.remotes}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.entities import Game
from gossip.registry.names import SHORT_NAME
from gossip.registry.registry import Registry
from gossip.registry.remotes import gateway_of, remote_id, short_name
from tests.support.world import uuid


def short_names(*names: str, suffix: str = "I3") -> list[str]:
    """The short names that games of these names get, one after another."""
    taken: list[str] = []
    for name in names:
        taken.append(short_name(name, suffix, lambda each: each in taken))
    return taken


class RemotesTests(SynchronousTestCase):
    """Remote games: their names and identities."""

    def test_short_names(self) -> None:
        """A short name is the letters and digits of the name, cut, and the suffix."""
        for name, expected in (
            ("Dead Souls Foo", "DeadSoulsFooI3"),
            ("Unnamed_CoffeeMUD#2020", "UnnamedCoffeeI3"),
            ("終焉", "MudI3"),
            ("Élan", "ElanI3"),
            ("Antikaria", "AntikariaI3"),
        ):
            self.assertEqual(short_names(name), [expected])
            self.assertTrue(SHORT_NAME.fullmatch(expected))

    def test_taken(self) -> None:
        """A short name that is taken gets a number, in place of its end if it is full."""
        self.assertEqual(short_names("終", "焉", "Mud"), ["MudI3", "Mud2I3", "Mud3I3"])
        self.assertEqual(short_names(*["A" * 20] * 11)[1:3], ["A" * 12 + "2I3", "A" * 12 + "3I3"])
        self.assertEqual(short_names(*["A" * 20] * 11)[-1], "A" * 11 + "11I3")

    def test_identity(self) -> None:
        """A client_id holds that of the gateway and the name, without signs that mean something in a subject."""
        client_id = remote_id(uuid(7), "a@b/c d:e")
        self.assertEqual(client_id, f"{uuid(7)}/a%40b%2Fc%20d%3Ae")
        self.assertEqual((gateway_of(client_id), gateway_of(uuid(7))), (uuid(7), uuid(7)))
        game = Game(client_id=client_id, short_name="AbI3", name="a@b/c d:e", secrets=())
        self.assertEqual(game.through, uuid(7))
        self.assertIsNone(Game(client_id=uuid(7), short_name="A", name="A", secrets=()).through)

    def test_speakers(self) -> None:
        """A remote game is found among those that speak, not among those that are registered."""
        registry = Registry()
        game = Game(client_id=remote_id(uuid(7), "A"), short_name="AI3", name="A", secrets=())
        registry.remotes.came(game)
        self.assertEqual((registry.speaker_named("ai3"), registry.game_named("ai3")), (game, None))
        self.assertEqual(registry.game_of(game.client_id), game)
        registry.remotes.went(game.client_id)
        registry.remotes.went(game.client_id)
        self.assertIsNone(registry.speaker_named("ai3"))
