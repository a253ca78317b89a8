"""Tests for what games are on Intermud-3: their names, and which they may have."""

from __future__ import annotations

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.registry.changes import GameRemoved, GameSaved, I3IdentityRemoved, I3IdentitySaved
from gossip.registry.entities import Game, I3Identity
from gossip.registry.errors import Refused
from gossip.registry.names import is_i3_name
from gossip.registry.registry import Registry

GAMES = [
    Game(client_id=str(number), short_name=name, name=name, secrets=()) for number, name in enumerate(("A1", "B2"))
]
MINE = I3Identity(client_id="0", name="My Mud")


class NameTests(SynchronousTestCase):
    """What a name on Intermud-3 may be."""

    def test_names(self) -> None:
        """A MUD's name is plain and may have blanks inside."""
        for name in ("My Mud", "Unnamed_CoffeeMUD#2020", "x", "Mud's", "a" * 40):
            self.assertTrue(is_i3_name(name), name)
        for name in ("", " x", "x ", "*x", 'a"b', "a\\b", "a@b", "a:b", "a,b", "a%b", "é", "a\nb", "x\n", "a" * 41):
            self.assertFalse(is_i3_name(name), name)


class IdentityTests(SynchronousTestCase):
    """Identities in the registry."""

    def setUp(self) -> None:
        self.registry = Registry()
        for game in GAMES:
            self.registry.enact(GameSaved(game))
        self.registry.enact(I3IdentitySaved(MINE))

    def test_found(self) -> None:
        """An identity is found by its game, and by its name in any case; the one from before is gone."""
        known = self.registry.i3
        self.assertEqual((known.of("0"), known.named("MY mud"), [*known]), (MINE, MINE, [MINE]))
        renamed = replace(MINE, name="Other")
        self.registry.enact(I3IdentitySaved(renamed))
        self.assertEqual((known.of("0"), known.named("other"), known.named("my mud")), (renamed, renamed, None))

    def test_removed(self) -> None:
        """An identity goes when it is removed, and with its game; a game that is gone gets none."""
        known = self.registry.i3
        self.registry.enact(I3IdentityRemoved("0"))
        self.assertEqual((known.of("0"), known.named("My Mud"), known.others("My Mud", "1")), (None, None, []))
        self.registry.enact(I3IdentitySaved(MINE))
        self.registry.enact(GameRemoved("0"))
        self.registry.enact(I3IdentitySaved(MINE))
        self.assertEqual([*known], [])

    def test_names(self) -> None:
        """A name is refused that is invalid, reserved, or like that of another game; what is known stays."""
        for name, code in (
            ("*router", "invalid"),
            ("my mud", "taken"),
            ("a1", "taken"),
            ("Gossip", "reserved"),
            ("Blocked", "reserved"),
        ):
            with self.assertRaises(Refused, msg=name) as raised:
                self.registry.check(I3IdentitySaved(I3Identity(client_id="1", name=name)), ("Blocked",))
            self.assertEqual((raised.exception.code, raised.exception.field), (code, "name"))
        for name in ("B2", "My Other Mud"):
            self.registry.check(I3IdentitySaved(I3Identity(client_id="1", name=name)))
        self.registry.check(I3IdentitySaved(MINE), ("My Mud",))

    def test_short_names(self) -> None:
        """A new game cannot have the name of another one on Intermud-3."""
        self.registry.enact(I3IdentitySaved(replace(MINE, name="Zork")))
        with self.assertRaises(Refused):
            self.registry.check(GameSaved(replace(GAMES[1], short_name="zork")))
        self.registry.check(GameSaved(replace(GAMES[0], short_name="zork")))
