"""L{gossip.operations.games}."""

from __future__ import annotations

from gossip.cli import terminal
from gossip.operations.games import GameAdd
from gossip.protocol.server_events import TelnetConnection, WebConnection
from gossip.registry.changes import GameRemoved, GameSaved, GameSeen
from gossip.registry.secret import digest
from tests.support.operations import AdminTestCase
from tests.support.world import NOW, uuid


class GameTests(AdminTestCase):
    """Operations on games."""

    def test_add(self) -> None:
        """A new game gets an identity and a secret; only a digest of the secret is kept."""
        self.assertEqual(
            self.add(),
            {
                "name": "The Alpha",
                "short_name": "Alpha",
                "client_id": uuid(2),
                "client_secret": uuid(1),
                "owner": None,
                "link": "/connect",
            },
        )
        game = self.registry.games[uuid(2)]
        self.assertEqual([secret.digest for secret in game.secrets], [digest(uuid(1))])
        self.assertEqual((game.created_at, game.hidden, game.hides_players, game.disabled), (NOW, False, False, False))
        self.assertIs(self.registry.authenticate(uuid(2), uuid(1), NOW), game)

    def test_owner(self) -> None:
        """
        A game that is added in a terminal belongs to the only admin, unless the admin says otherwise. If there is no
        admin, or more than one, it belongs to nobody.
        """
        self.perform("account/add", name="Boss", admin=True)
        self.perform("account/add", name="Ana")
        added = self.add()
        self.assertEqual((added["owner"], added["link"]), ("Boss", "/connect/Alpha"))
        self.assertEqual(self.perform("game/show", game="Alpha")["owner"], "Boss")
        self.assertIsNone(self.add("Beta", owner="")["owner"])
        self.assertIsNone(self.add("Gamma", owner=None)["owner"])
        self.assertEqual(self.add("Delta", owner="Ana")["owner"], "Ana")
        self.actor = "Boss"
        self.assertIsNone(self.add("Epsilon")["owner"], "the pages and the API name an owner, or mean none")
        self.actor = "unix:ana"
        self.perform("account/add", name="Second", admin=True)
        self.assertIsNone(self.add("Zeta")["owner"])
        self.perform("account/edit", name="Second", disabled=True)
        self.assertEqual(self.add("Eta")["owner"], "Boss")

    def test_views(self) -> None:
        """The admin is told where the game connects, where its guide is, and to whom it belongs."""
        made = {**self.add(), "address": "http://x.example:4110/connect"}
        about, _, shown, _, secret, belongs = GameAdd.view(made)
        self.assertEqual(about, "The Alpha (Alpha)")
        assert isinstance(shown, dict)
        self.assertEqual(shown["connect to"], "ws://x.example:4110/socket")
        self.assertEqual(shown["guide"], "http://x.example:4110/connect")
        self.assertIn("not shown again", str(secret))
        text = "It belongs to no account yet. An admin can take it at http://x.example:4110/manage."
        self.assertEqual(belongs, text)
        owned = {**made, "owner": "Boss", "link": "/connect/Alpha", "address": "https://x.example/connect/Alpha"}
        shown = GameAdd.view(owned)[2]
        assert isinstance(shown, dict)
        self.assertEqual(shown["connect to"], "wss://x.example/socket")
        text = "It belongs to the account Boss. To change that: gossipctl game edit Alpha --owner NAME"
        self.assertEqual(GameAdd.view(owned)[-1], text)
        self.assertEqual(GameAdd.beside_shell_view(owned)[-1], text)
        self.assertNotIn(made["client_secret"], terminal.written(GameAdd.beside_shell_view(owned)))
        for unknown in ({**made, "address": made["link"]}, {key: made[key] for key in list(made)[:4]}):
            written = terminal.written(GameAdd.view(unknown))
            self.assertNotIn("connect to", written)
            self.assertNotIn("http", written)

    def test_add_with_everything(self) -> None:
        """All arguments are kept; empty texts count as none."""
        self.add(
            hidden=True,
            hide_players=True,
            tagline="",
            description="Old",
            homepage_url="https://a.example/",
            connections=[
                {"type": "telnet", "host": "a.example", "port": 4000},
                {"type": "web", "url": "https://a.example/play"},
            ],
        )
        game = self.registry.games[uuid(2)]
        self.assertEqual((game.hidden, game.hides_players, game.tagline), (True, True, None))
        self.assertEqual((game.description, game.homepage_url), ("Old", "https://a.example/"))
        self.assertEqual(
            game.connections, (TelnetConnection("a.example", 4000), WebConnection("https://a.example/play"))
        )

    def test_blanks(self) -> None:
        """Blanks in a name and a tagline are single; a line break is refused."""
        result = self.perform("game/add", name=" The   Beta ", short_name="Beta", tagline="  A  world ")
        self.assertEqual(result["name"], "The Beta")
        self.assertEqual(self.perform("game/show", game="Beta")["tagline"], "A world")
        result = self.perform("game/edit", game="Beta", name="Beta  2 ", tagline=" ", language=" Old  English ")
        self.assertEqual((result["name"], result["tagline"], result["language"]), ("Beta 2", None, "Old English"))
        self.assertIsNone(self.perform("game/edit", game="Beta", language="")["language"])
        for field, most in (("name", 70), ("tagline", 70), ("language", 30)):
            text = f"a {field} has at most {most} characters on one line, without control characters and tags"
            self.assertRefused(text, "game/edit", game="Beta", **{field: "a\nb"})

    def test_add_refused(self) -> None:
        """Arguments that contradict the registry or have the wrong type are refused with a reason."""
        self.add()
        self.assertRefused("the short name alpha is taken", "game/add", name="B", short_name="alpha")
        self.assertRefused("the short name System is reserved", "game/add", name="B", short_name="System")
        self.assertRefused("name: expected str, got int", "game/add", name=1, short_name="Beta")
        self.assertRefused("object missing required field short_name", "game/add", name="B")
        self.assertRefused("object contains unknown field secret", "game/add", name="B", short_name="B", secret="x")
        self.assertEqual(list(self.registry.games), [uuid(2)])

    def test_list_and_show(self) -> None:
        """Games are shown by short name or client_id, with all that is known of them but their secrets."""
        self.add("Beta")
        self.add("alpha")
        self.registry.enact(GameSeen(uuid(4), "CoffeeMud", "2.3.0"))
        self.assertEqual([game["short_name"] for game in self.perform("game/list")["games"]], ["alpha", "Beta"])
        shown = self.perform("game/show", game="ALPHA")
        self.assertIsNone(self.change)
        self.assertEqual(shown, self.perform("game/show", game=uuid(4).upper()))
        self.assertEqual(
            shown,
            {
                "name": "The alpha",
                "short_name": "alpha",
                "client_id": uuid(4),
                "hidden": False,
                "hide_players": False,
                "disabled": False,
                "tagline": None,
                "description": None,
                "homepage_url": None,
                "language": None,
                "connections": [],
                "created_at": "2023-11-14T22:00:00.000Z",
                "owner": None,
                "old_secret_until": None,
                "user_agent": "CoffeeMud",
                "version": "2.3.0",
            },
        )
        self.assertNotIn("secret", str({key: value for key, value in shown.items() if key != "old_secret_until"}))

    def test_unknown(self) -> None:
        """An operation on a game that does not exist is refused."""
        for name in ("show", "rotate", "disable", "enable", "remove", "edit"):
            self.assertRefused("no such game", f"game/{name}", game="Nobody")

    def test_rotate(self) -> None:
        """The old secret works beside the new one for a day."""
        self.add()
        result = self.perform("game/rotate", game="alpha")
        self.assertEqual((result["client_id"], result["client_secret"]), (uuid(2), uuid(3)))
        self.assertEqual(result["old_secret_until"], "2023-11-15T22:00:00.000Z")
        for secret, now, works in ((1, NOW, True), (3, NOW, True), (1, NOW + 86400, False), (3, NOW + 86400, True)):
            self.assertEqual(self.registry.authenticate(uuid(2), uuid(secret), now) is not None, works)
        self.assertIsNone(self.perform("game/show", NOW + 86400, game="alpha")["old_secret_until"])

    def test_disable_enable_remove(self) -> None:
        """A game is disabled, enabled and removed; disabling it again changes nothing."""
        self.add()
        self.assertTrue(self.perform("game/disable", game="alpha")["disabled"])
        self.perform("game/disable", game="alpha")
        self.assertIsNone(self.change)
        self.assertFalse(self.perform("game/enable", game="alpha")["disabled"])
        self.assertIsInstance(self.change, GameSaved)
        self.assertEqual(self.perform("game/remove", game="alpha")["short_name"], "Alpha")
        self.assertEqual(self.change, GameRemoved(uuid(2)))

    def test_edit(self) -> None:
        """What is given changes, an empty text removes a value, all else stays."""
        self.add(tagline="Old", description="Old", connections=[{"type": "web", "url": "http://a.example"}])
        self.perform("game/edit", game="alpha")
        self.assertIsNone(self.change)
        result = self.perform("game/edit", game="alpha", name="New", hidden=True, tagline="", homepage_url="http://n")
        self.assertEqual((result["name"], result["hidden"], result["tagline"]), ("New", True, None))
        self.assertEqual((result["description"], result["homepage_url"]), ("Old", "http://n"))
        result = self.perform("game/edit", game="alpha", connections=[], hide_players=True, description=None)
        self.assertEqual((result["connections"], result["hide_players"], result["description"]), ([], True, None))
        self.assertRefused(
            "a web address starts with http:// or https:// and has at most 500 characters",
            "game/edit",
            game="alpha",
            homepage_url="javascript:alert(1)",
        )
