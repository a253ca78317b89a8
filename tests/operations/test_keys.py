"""L{gossip.operations.keys}."""

from __future__ import annotations

from gossip.operations.keys import GameKey, located
from tests.support.operations import AdminTestCase
from tests.support.world import NOW


class KeyTests(AdminTestCase):
    """Keys for IMC2."""

    def test_key(self) -> None:
        """A key is 100 random bits, good for one use; the one before works for a day; the secret stays."""
        secret = self.add()["client_secret"]
        first = self.perform("game/key", game="alpha")
        second = self.perform("game/key", game="Alpha", protocol="imc2")
        client_id, authenticate = first["client_id"], self.registry.authenticate
        self.assertNotEqual(first["key"], second["key"])
        self.assertEqual((first["old_key_until"], second["old_key_until"]), (None, "2023-11-15T22:00:00.000Z"))
        for key, now, works in (
            (first["key"], NOW, True),
            (first["key"], NOW + 86400, False),
            (second["key"], NOW, True),
        ):
            self.assertRegex(key, "^[a-z2-7]{20}$")
            self.assertEqual(authenticate(client_id, key, now, "imc2") is not None, works)
            self.assertIsNone(authenticate(client_id, key, NOW))
        self.assertIsNotNone(authenticate(client_id, secret, NOW))
        self.assertIsNone(authenticate(client_id, secret, NOW, "imc2"))
        self.assertNotIn(second["key"], repr(self.change))

    def test_refused(self) -> None:
        """There is a key only for games and protocols that are known."""
        self.add()
        self.assertRefused("no such game", "game/key", game="Nobody")
        self.assertRefused("protocol: invalid enum value 'smtp'", "game/key", game="Alpha", protocol="smtp")

    def test_in_clear(self) -> None:
        """Keys are kept in clear only from the time on when the operator wants that; nothing writes them into a log."""
        self.add()
        old = self.perform("game/key", game="Alpha")
        self.assertEqual((old["sha256"], self.change.game.secrets[0].clear), (False, None))
        self.in_clear = frozenset({"imc2"})
        new = self.perform("game/key", game="Alpha")
        self.assertTrue(new["sha256"])
        self.assertEqual([secret.clear for secret in self.change.game.secrets], [new["key"], None, None])
        self.assertNotIn(new["key"], repr(self.change))
        shown = "\n".join(map(str, GameKey.view(new)))
        self.assertIn("SHA256      1", shown)
        self.assertIn("keeps the key in clear text", shown)
        self.assertIn("SHA256      0", GameKey.view(old))
        self.perform("game/rotate", game="Alpha")
        self.assertEqual([secret.clear for secret in self.change.game.secrets], [None, None, new["key"], None])

    def test_view(self) -> None:
        """The key is shown as lines of imc.config, with what is known of the network."""
        self.add()
        made = self.perform("game/key", game="Alpha")
        shown = GameKey.view(located(made, "https://mud.example:8443", "4000"))
        for line in ("LocalName   Alpha", "ServerAddr  mud.example", "ServerPort  4000", f"ClientPwd   {made['key']}"):
            self.assertIn(line, shown)
        self.assertNotIn("This network has no IMC2 port yet: set listen in [imc2].", shown)
        shown = GameKey.view(made)
        self.assertIn("ServerAddr  THIS-HOST", shown)
        self.assertIn("This network has no IMC2 port yet: set listen in [imc2].", shown)
