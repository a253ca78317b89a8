"""L{gossip.operations.games}: what an admin can do comes to a change and a result."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gossip.operations.catalogue import OPERATIONS
from gossip.operations.operation import read
from gossip.protocol.events import TelnetConnection, WebConnection
from gossip.registry.changes import Channel, ChannelSaved, GameRemoved, GameSaved, GameSeen, UserAgent, UserAgentSaved
from gossip.registry.errors import Refused
from gossip.registry.secret import digest
from tests.support.operations import AdminTestCase
from tests.support.world import NOW, uuid

CHANNEL = {"name": "gossip", "hidden": False, "paused_until": None, "description": None, "speakers": None}


class GameTests(AdminTestCase):
    """Operations on games."""

    def test_add(self) -> None:
        """A new game gets an identity and a secret; only a digest of the secret is kept."""
        self.assertEqual(
            self.add(),
            {"name": "The Alpha", "short_name": "Alpha", "client_id": uuid(2), "client_secret": uuid(1)},
        )
        game = self.registry.games[uuid(2)]
        self.assertEqual([secret.digest for secret in game.secrets], [digest(uuid(1))])
        self.assertEqual((game.created_at, game.hidden, game.hides_players, game.disabled), (NOW, False, False, False))
        self.assertIs(self.registry.authenticate(uuid(2), uuid(1), NOW), game)

    def test_add_with_everything(self) -> None:
        """All attributes are kept, empty texts as none."""
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

    def test_add_refused(self) -> None:
        """What contradicts the registry or has a wrong type is refused in words."""
        self.add()
        self.assertRefused("the short name alpha is taken", "game/add", name="B", short_name="alpha")
        self.assertRefused("the short name System is reserved", "game/add", name="B", short_name="System")
        self.assertRefused("name: expected str, got int", "game/add", name=1, short_name="Beta")
        self.assertRefused("object missing required field short_name", "game/add", name="B")
        self.assertRefused("object contains unknown field secret", "game/add", name="B", short_name="B", secret="x")
        self.assertEqual(list(self.registry.games), [uuid(2)])

    def test_unreadable(self) -> None:
        """Arguments that are no JSON object are refused."""
        for arguments in (b"{", b"\xff", b'{"game": "\xff"}', b'{"game": "x"'):
            with self.assertRaises(Refused) as caught:
                read(arguments, OPERATIONS["game/show"])
            self.assertEqual(str(caught.exception), "the arguments must be an object of JSON")
        with self.assertRaises(Refused):
            read(b"[]", OPERATIONS["game/show"])
        self.assertEqual(read(b"", OPERATIONS["game/list"]), OPERATIONS["game/list"]())

    def test_list_and_show(self) -> None:
        """Games are shown with what is known of them, without their secrets; by short name or by client_id."""
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
        """What is about a game that does not exist is refused."""
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
        """A game is disabled, enabled and removed; what is so already changes nothing."""
        self.add()
        self.assertTrue(self.perform("game/disable", game="alpha")["disabled"])
        self.perform("game/disable", game="alpha")
        self.assertIsNone(self.change)
        self.assertFalse(self.perform("game/enable", game="alpha")["disabled"])
        self.assertIsInstance(self.change, GameSaved)
        self.assertEqual(self.perform("game/remove", game="alpha")["short_name"], "Alpha")
        self.assertEqual(self.change, GameRemoved(uuid(2)))

    def test_edit(self) -> None:
        """What is given changes, what is empty goes, all else stays."""
        self.add(tagline="Old", description="Old", connections=[{"type": "web", "url": "http://a.example"}])
        self.perform("game/edit", game="alpha")
        self.assertIsNone(self.change)
        result = self.perform("game/edit", game="alpha", name="New", hidden=True, tagline="", homepage_url="http://n")
        self.assertEqual((result["name"], result["hidden"], result["tagline"]), ("New", True, None))
        self.assertEqual((result["description"], result["homepage_url"]), ("Old", "http://n"))
        result = self.perform("game/edit", game="alpha", connections=[], hide_players=True, description=None)
        self.assertEqual((result["connections"], result["hide_players"], result["description"]), ([], True, None))
        self.assertRefused(
            "a web address starts with http:// or https:// and has up to 500 characters",
            "game/edit",
            game="alpha",
            homepage_url="javascript:alert(1)",
        )


class ChannelTests(AdminTestCase):
    """Operations on channels."""

    def test_create(self) -> None:
        """A channel that an admin creates is shown; one that exists is not created again."""
        result = self.perform("channel/create", channel="gossip", description="All talk")
        self.assertEqual(self.change, ChannelSaved(Channel("gossip", False, None, "All talk")))
        self.assertEqual(result, {**CHANNEL, "description": "All talk"})
        self.assertRefused("the channel gossip exists already", "channel/create", channel="gossip")

    def test_show_and_hide(self) -> None:
        """A channel is hidden and shown."""
        self.perform("channel/create", channel="gossip")
        self.assertTrue(self.perform("channel/hide", channel="gossip")["hidden"])
        self.assertFalse(self.perform("channel/show", channel="gossip")["hidden"])
        self.perform("channel/show", channel="gossip")
        self.assertIsNone(self.change)

    def test_pause_and_resume(self) -> None:
        """A pause lasts half an hour unless said otherwise, and is no longer shown when it is over."""
        self.perform("channel/create", channel="gossip")
        self.assertEqual(self.perform("channel/pause", channel="gossip")["paused_until"], "2023-11-14T22:30:00.000Z")
        self.assertEqual(self.registry.channels["gossip"].paused_until, NOW + 1800)
        self.assertIsNone(self.perform("channel/list", NOW + 1800)["channels"][0]["paused_until"])
        self.assertEqual(
            self.perform("channel/pause", channel="gossip", minutes=1)["paused_until"], "2023-11-14T22:01:00.000Z"
        )
        self.assertIsNone(self.perform("channel/resume", channel="gossip")["paused_until"])
        self.assertRefused("minutes: expected float > 0.0", "channel/pause", channel="gossip", minutes=0)
        self.assertRefused("minutes: expected float <= 527040.0", "channel/pause", channel="gossip", minutes=1e300)

    def test_describe(self) -> None:
        """A description is set and taken away; it holds no control characters and tags."""
        self.perform("channel/create", channel="gossip")
        self.assertEqual(self.perform("channel/describe", channel="gossip", description="x")["description"], "x")
        self.assertIsNone(self.perform("channel/describe", channel="gossip", description="")["description"])
        for text in ("\x1b[31m", "<b>", "x" * 2001):
            self.assertRefused(
                "a description has up to 2000 characters, without control characters and tags",
                "channel/describe",
                channel="gossip",
                description=text,
            )

    def test_unknown(self) -> None:
        """What is about a channel that does not exist is refused."""
        for name in ("show", "hide", "pause", "resume"):
            self.assertRefused("no such channel", f"channel/{name}", channel="nowhere")
        self.assertRefused("no such channel", "channel/describe", channel="nowhere", description="")


class AgentTests(AdminTestCase):
    """Operations on code bases."""

    def test_set_and_list(self) -> None:
        """Addresses of a code base are set one by one, and taken away."""
        self.perform("agent/set", agent="Evennia", url="https://e.example")
        self.assertEqual(self.change, UserAgentSaved(UserAgent("Evennia", "https://e.example")))
        self.perform("agent/set", agent="Evennia", repo_url="https://r.example")
        self.perform("agent/set", agent="Evennia")
        self.assertIsNone(self.change)
        self.assertEqual(
            self.perform("agent/list"),
            {"agents": [{"name": "Evennia", "url": "https://e.example", "repo_url": "https://r.example"}]},
        )
        self.assertIsNone(self.perform("agent/set", agent="Evennia", url="")["url"])

    def test_refused(self) -> None:
        """Names and addresses that a terminal or a browser could take for a command are refused."""
        for agent in ("", "\x1b[31m", "x" * 201):
            self.assertRefused(
                "a code base's name has 1 to 200 characters, without control characters and tags",
                "agent/set",
                agent=agent,
            )
        self.assertRefused(
            "a web address starts with http:// or https:// and has up to 500 characters",
            "agent/set",
            agent="Evennia",
            url="javascript:alert(1)",
        )


class AnyArgumentsTests(AdminTestCase):
    """Whatever the arguments are."""

    @given(
        st.sampled_from(sorted(OPERATIONS)),
        st.dictionaries(
            st.sampled_from(
                ["game", "channel", "agent", "name", "short_name", "minutes", "url", "connections", "hidden"]
            ),
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.just("Alpha")),
        ),
    )
    def test_nothing_but_refused(self, name: str, arguments: dict[str, Any]) -> None:
        """An operation is carried out or refused, and nothing else."""
        self.setUp()
        self.add()
        try:
            result = self.perform(name, **arguments)
        except Refused:
            return
        msgspec.json.encode(result)
