"""L{gossip.operations.intermud3}."""

from __future__ import annotations

from gossip.operations.intermud3 import GameI3, placed
from gossip.registry.secret import digest
from tests.support.operations import AdminTestCase
from tests.support.world import NOW


class I3Tests(AdminTestCase):
    """The identity of a game on Intermud-3."""

    def test_given(self) -> None:
        """A game gets its name and a password, and a day for its first login; a second time, a new password."""
        self.add()
        first = self.perform("game/i3", game="alpha", name=" My Mud ")
        known = self.registry.i3.of(first["client_id"])
        assert known is not None
        self.assertEqual((first["mud"], known.name, known.address), ("My Mud", "My Mud", None))
        self.assertEqual(known.digest, digest(str(first["password"])))
        self.assertTrue(0 < first["password"] < 2**31)
        self.assertEqual((known.open_until, first["open_until"]), (NOW + 86400, "2023-11-15T22:00:00Z"))
        second = self.perform("game/i3", game="Alpha")
        self.assertEqual(second["mud"], "My Mud")
        self.assertNotEqual(second["password"], first["password"])
        self.assertNotIn(str(second["password"]), repr(self.change))

    def test_default(self) -> None:
        """Without a name, it is that of the game for other games."""
        self.add()
        self.assertEqual(self.perform("game/i3", game="Alpha")["mud"], "Alpha")

    def test_removed(self) -> None:
        """A game joins by Intermud-3 no longer."""
        self.add()
        self.assertRefused("this game does not join by Intermud-3", "game/i3", game="Alpha", remove=True)
        made = self.perform("game/i3", game="Alpha")
        self.assertIsNone(self.perform("game/i3", game="Alpha", remove=True)["mud"])
        self.assertIsNone(self.registry.i3.of(made["client_id"]))

    def test_refused(self) -> None:
        """Names that no MUD can have are refused, and those of others."""
        self.add()
        self.assertRefused("no such game", "game/i3", game="Nobody")
        why = 'a name on Intermud-3 has 1 to 40 ASCII characters without " \\ @ : , % or *, and no blank around it'
        self.assertRefused(why, "game/i3", game="Alpha", name="*router")
        self.assertRefused("the name Gossip is reserved", "game/i3", game="Alpha", name="Gossip")

    def test_view(self) -> None:
        """What a MUD needs is shown, with what is known of the network."""
        self.add()
        made = self.perform("game/i3", game="Alpha", name="My Mud")
        shown = GameI3.view(placed(made, "https://mud.example:8443", "4000", "*mine"))
        for line in (
            "Router           *mine",
            "Host             mud.example",
            "Port             4000",
            "Name of the MUD  My Mud",
            f"Password         {made['password']}",
        ):
            self.assertIn(line, shown)
        missing = "This network has no port for Intermud-3 yet: set listen in [i3]."
        self.assertNotIn(missing, shown)
        shown = GameI3.view(made)
        self.assertIn("Host             THIS-HOST", shown)
        self.assertIn(missing, shown)
        removed = GameI3.view(self.perform("game/i3", game="Alpha", remove=True))
        self.assertEqual([*removed], ["The Alpha (Alpha) can no longer join by Intermud-3."])
