"""What happens when a game joins."""

from __future__ import annotations

from typing import Any

from msgspec import Raw
from twisted.trial.unittest import SynchronousTestCase

from gossip.network import joining
from gossip.network.audiences import Supporters
from gossip.network.outputs import Broadcast, Close, Commit, Send
from gossip.network.session import Situation
from gossip.network.settings import NetworkLimits
from gossip.protocol.errors import Error
from gossip.protocol.server_events import Authenticated, Beat, Failure, GamesConnect, NotAuthenticated
from gossip.registry.changes import ChannelOpened, GameOnline, GameSeen, Together, UserAgentMet
from tests.support.world import FLAGS, NOW, World, at, frame, ref, uuid


class AuthenticateTests(SynchronousTestCase):
    """Which sessions may join (protocol specification, authenticate)."""

    def refused(self, world: World, payload: Any, peer: str = "192.0.2.1", now: float = NOW) -> str:
        """The error, after which the session is closed."""
        session = world.open(now, peer)
        outputs = world.say(session, frame("authenticate", payload, "r"), now)
        send, close = outputs
        assert isinstance(send, Send) and isinstance(send.event, NotAuthenticated), outputs
        self.assertEqual((send.event.ref, send.session), (Raw(b'"r"'), session))
        self.assertEqual(close, Close(session, 4000, send.event.error))
        self.assertIs(session.situation, Situation.GONE)
        return send.event.error.text

    def test_success(self) -> None:
        """The answer has no ref; then come the bad channels, a heartbeat, and the news for the others."""
        world = World()
        other = world.join("Beta")
        plain = world.join("Gamma", supports=["channels"])
        world.made = 0
        session = world.open()
        payload = world.credentials("Alpha", channels=["gossip", "no", "gossip", "all", "gossip"])
        outputs = world.say(session, frame("authenticate", payload, "r"))
        self.assertEqual(
            outputs,
            [
                Send(session, Authenticated(Raw(b'"r"'), "Alpha")),
                Commit(ChannelOpened("gossip"), learned=True),
                Send(session, Failure("channels/subscribe", None, Error.of("not-joined", channel="no"))),
                Send(session, Failure("channels/subscribe", None, Error.of("not-joined", channel="all"))),
                Send(session, Beat(0)),
                Broadcast(Supporters("games", world.client_id("Alpha")), GamesConnect(ref(1), "Alpha")),
            ],
        )
        noted = (
            GameSeen(world.client_id("Alpha"), None, "1.0.0"),
            GameOnline(world.client_id("Alpha"), tuple(sorted(FLAGS)), ("gossip",), NOW),
        )
        self.assertEqual(world.network.tick(at(NOW)), [Commit(Together(noted), learned=True)])
        self.assertEqual(world.network.tick(at(NOW + 1)), [])
        self.assertEqual((session.situation, session.supports), (Situation.ACTIVE, set(FLAGS)))
        self.assertEqual(list(session.channels), ["gossip"])
        self.assertIsNot(plain, other)

    def test_second_session(self) -> None:
        """A second session of a game is no news."""
        world = World()
        world.join("Beta")
        first = world.join("Alpha")
        second = world.open()
        outputs = world.say(second, frame("authenticate", world.credentials("Alpha")))
        self.assertEqual(outputs, [Send(second, Authenticated(None, "Alpha")), Send(second, Beat(0))])
        self.assertIs(first.online, second.online)

    def test_credentials(self) -> None:
        """Missing, null, of a wrong type, unknown or no match: all the same, and before supports."""
        world = World()
        good = world.credentials("Alpha")
        payloads: list[Any] = [None, {}, [], "x", 1, {"supports": ["channels"]}]
        for key in ("client_id", "client_secret"):
            wrongs: list[Any] = [None, 1, [], [good[key]], {}, "", "x", uuid(0xFF), world.credentials("Beta")[key]]
            payloads += [{**good, key: wrong, "supports": None} for wrong in wrongs]
            payloads += [{name: value for name, value in good.items() if name != key}]
        for payload in payloads:
            self.assertEqual(self.refused(world, payload), "invalid credentials", payload)

    def test_upper_case(self) -> None:
        """UUIDs compare in lower case."""
        world = World()
        good = world.credentials("Alpha")
        world.join("Alpha", client_id=good["client_id"].upper(), client_secret=good["client_secret"].upper())

    def test_supports(self) -> None:
        """What supports must be, in the order of the checks."""
        world = World()
        cases: list[tuple[Any, str]] = [
            (None, "missing supports"),
            ([], "missing supports"),
            ("channels", "missing supports"),
            ({"channels": True}, "missing supports"),
            (1, "missing supports"),
            (["players"], "must support channels"),
            (["what"], "must support channels"),
            (["Channels"], "must support channels"),
            ([None], "must support channels"),
            (["channels", "what"], "includes unknown supports"),
            (["channels", None], "includes unknown supports"),
            (["channels", ["games"]], "includes unknown supports"),
            (["channels", 1], "includes unknown supports"),
        ]
        for supports, error in cases:
            self.assertEqual(self.refused(world, world.credentials("Alpha", supports=supports)), error, supports)
        without = {key: value for key, value in world.credentials("Alpha").items() if key != "supports"}
        self.assertEqual(self.refused(world, without), "missing supports")
        self.assertEqual(world.join("Alpha", supports=["channels", "channels"]).supports, {"channels"})

    def test_disabled(self) -> None:
        """A disabled game does not get in."""
        world = World()
        world.change("Alpha", disabled=True)
        self.assertEqual(self.refused(world, world.credentials("Alpha")), "invalid credentials")

    def test_hides_players(self) -> None:
        """A game that hides its players has no tells."""
        world = World()
        world.change("Alpha", hides_players=True)
        self.assertEqual(world.join("Alpha").supports, set(FLAGS) - {"tells"})

    def test_too_many_sessions(self) -> None:
        """The limit is a game's own, and sessions that are gone do not count."""
        world = World(limits=NetworkLimits(sessions=2))
        first, _ = world.join("Alpha"), world.join("Alpha")
        self.assertEqual(self.refused(world, world.credentials("Alpha")), "too many sessions")
        world.join("Beta")
        world.network.lost(first, at(NOW))
        world.join("Alpha")
        unlimited = World(limits=NetworkLimits(sessions=0))
        for _ in range(40):
            unlimited.join("Alpha")

    def test_channels(self) -> None:
        """The first distinct names count, bad ones too; they cost no rate limit."""
        world = World(limits=NetworkLimits(channels=7))
        good = ["chan-a", "chan-b", "chan_c", "Chan-a", "chan-e", "chan-f"]
        session = world.join("Alpha", channels=[good[0], *good, "x", "chan-h"])
        self.assertEqual(list(session.channels), good)
        subscribe = frame("channels/subscribe", {"channel": "chan-a"}, 1)
        for _ in range(5):
            self.assertEqual(world.ask(session, subscribe)[0]["status"], "success")
        everything = World(limits=NetworkLimits(channels=0)).join(
            "Alpha", channels=[f"c{'x' * n}" for n in range(2, 15)]
        )
        self.assertEqual(len(everything.channels), 13)

    def test_hundred_channels(self) -> None:
        """By default the first hundred names count."""
        names = [f"ch-{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(101)]
        self.assertEqual(list(World().join("Alpha", channels=names).channels), names[:100])

    def test_players(self) -> None:
        """Players given here are online from the start, cleaned."""
        session = World().join("Alpha", players=["Ana", "", None, "<b>Bo</b>", "Ana", "x" * 65])
        self.assertEqual(list(session.players), ["Ana", "Bo"])

    def test_wrong_optional(self) -> None:
        """Optional fields of a wrong type count as absent."""
        world = World()
        session = world.join("Alpha", channels={}, players="Ana", version=2, user_agent=["x"], debug="true")
        self.assertEqual((session.channels, session.players, session.debug_until), ({}, {}, 0.0))
        seen = GameSeen(world.game("Alpha").client_id, None, "1.0.0")
        self.assertEqual(world.registry.seen[seen.client_id], seen)

    def test_seen(self) -> None:
        """The code base is noted when it changes, cleaned and bounded."""
        world = World()
        client_id = world.game("Alpha").client_id
        more = {"version": "2.3.0", "user_agent": "<b>My\x00MUD</b>" + "1" * 300}
        name = "MyMUD" + "1" * 195

        def commits() -> list[Any]:
            world.say(world.open(), frame("authenticate", world.credentials("Alpha", **more)))
            noted: list[Any] = world.network.notes.keep()
            return [each for commit in noted for each in commit.change.changes]

        online = GameOnline(client_id, tuple(sorted(FLAGS)), (), NOW)
        self.assertEqual(commits(), [GameSeen(client_id, name, "2.3.0"), UserAgentMet(name), online])
        self.assertEqual(commits(), [])
        more["version"] = "2.2.0"
        self.assertEqual(commits(), [GameSeen(client_id, name, "2.2.0")])

    def test_wrong_secrets(self) -> None:
        """After too many wrong secrets from one address a game is not checked from there for the rest of the time."""
        world = World(limits=NetworkLimits(wrong_secrets=3, wrong_secrets_seconds=300))
        wrong = world.credentials("Alpha", client_secret=uuid(0xFF))
        for late in range(3):
            self.refused(world, wrong, now=NOW + late)
        good = world.credentials("Alpha")
        self.assertEqual(self.refused(world, good, now=NOW + 299), "invalid credentials")
        world.join("Beta", NOW + 299)
        elsewhere = world.open(NOW + 299, "192.0.2.2")
        world.say(elsewhere, frame("authenticate", good), NOW + 299)
        self.assertIs(elsewhere.situation, Situation.ACTIVE)
        world.join("Alpha", NOW + 300)

    def test_wrong_secrets_of_a_network(self) -> None:
        """Another address of the same IPv6 network gives no more tries."""
        world = World(limits=NetworkLimits(wrong_secrets=3))
        for number in range(3):
            self.refused(world, world.credentials("Alpha", client_secret="no"), f"2001:db8::{number}")
        good = world.credentials("Alpha")
        self.assertEqual(self.refused(world, good, "2001:db8::ffff"), "invalid credentials")
        elsewhere = world.open(NOW, "2001:db8:0:1::1")
        world.say(elsewhere, frame("authenticate", good))
        self.assertIs(elsewhere.situation, Situation.ACTIVE)

    def test_few_wrong_secrets(self) -> None:
        """Fewer wrong secrets than that do no harm, and without a limit none do."""
        for most in (4, 0):
            world = World(limits=NetworkLimits(wrong_secrets=most))
            for _ in range(3):
                self.refused(world, world.credentials("Alpha", client_secret="no"))
            world.join("Alpha")

    def test_forgive(self) -> None:
        """Wrong secrets are forgotten some time after they stopped to count, not before."""
        world = World(limits=NetworkLimits(wrong_secrets=1, wrong_secrets_seconds=1200))
        self.refused(world, world.credentials("Alpha", client_secret="no"))
        world.network.tick(at(NOW))
        world.network.tick(at(NOW + 900))
        self.assertEqual(self.refused(world, world.credentials("Alpha"), now=NOW + 900), "invalid credentials")
        world.network.tick(at(NOW + 1800))
        world.join("Alpha", NOW + 1800)

    def test_user_agents_are_bounded(self) -> None:
        """The number of known code bases is bounded; each game still shows its own."""
        world = World()
        self.patch(joining, "USER_AGENTS", 2)
        for number, name in enumerate(("Alpha", "Beta", "Gamma")):
            world.join(name, user_agent=f"MUD {number}")
        self.assertEqual(list(world.registry.user_agents), ["MUD 0", "MUD 1"])
        self.assertEqual(world.registry.seen[world.game("Gamma").client_id].user_agent, "MUD 2")
