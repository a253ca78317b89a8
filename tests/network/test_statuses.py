"""The two status queries (protocol specification, Players, Games)."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.ratelimit import Rate
from gossip.network.session import Session, Situation
from gossip.network.settings import NetworkLimits, NetworkSettings, Rates
from gossip.protocol import frames
from gossip.protocol.server_events import (
    Failure,
    GamesStatusAnswer,
    PlayersOf,
    PlayersStatusAnswer,
    PresenceOf,
    StatusOf,
    TelnetConnection,
)
from gossip.registry.changes import ChannelSaved, GameSaved, UserAgentSaved
from gossip.registry.entities import Channel, UserAgent
from tests.support.properties import examples
from tests.support.world import FLAGS, NOW, World, at, frame, sent

NETWORK = {
    "game": "gossip",
    "display_name": "Gossip",
    "supports": ["channels", "players", "tells"],
    "channels": [],
    "players_online_count": 1,
    "player_online_count": 1,
}


class StatusTests(SynchronousTestCase):
    """players/status and games/status are answered for the same games."""

    def setUp(self) -> None:
        self.world = World()
        self.session = self.world.join("Alpha", players=["Ana"])

    def players(self, session: Session, payload: Any = None) -> dict[str, list[str]]:
        """The players of each game that is answered."""
        answers = self.world.ask(session, frame("players/status", payload, "r"))
        for answer in answers:
            self.assertEqual((answer["event"], answer["ref"], "status" in answer), ("players/status", "r", False))
        return {answer["payload"]["game"]: answer["payload"]["players"] for answer in answers}

    def games(self, session: Session, payload: Any = None) -> list[Any]:
        """The payloads of the games that are answered."""
        answers = self.world.ask(session, frame("games/status", payload, "r"))
        for answer in answers:
            self.assertEqual((answer["event"], answer["ref"], answer["status"]), ("games/status", "r", "success"))
        return [answer["payload"] for answer in answers]

    def unknown(self, session: Session, name: str) -> bool:
        """Is a game unknown, by either query?"""
        answers = [
            self.world.ask(session, frame(event, {"game": name}, "r")) for event in ("players/status", "games/status")
        ]
        failures = [
            [{"event": event, "ref": "r", "status": "failure", "error": "unknown game"}]
            for event in ("players/status", "games/status")
        ]
        self.assertEqual(answers[0] == failures[0], answers[1] == failures[1])
        return answers == failures

    def test_all(self) -> None:
        """Each payload that asks for all games is answered for all but the asking one."""
        self.world.join("Beta", players=["Bo", "Cy"])
        self.world.join("Gamma")
        for payload in (None, {}, {"game": None}, {"Game": "Beta"}):
            self.assertEqual(self.players(self.session, payload), {"Beta": ["Bo", "Cy"], "Gamma": []})
            self.assertEqual([game["game"] for game in self.games(self.session, payload)], ["Beta", "Gamma"])
        null = b'{"event":"players/status","ref":"r","payload":null}'
        self.assertEqual(len(self.world.ask(self.session, null)), 2)

    def test_one(self) -> None:
        """A game is found by its name in any case, the asking game itself too."""
        self.world.join("Beta", players=["Bo"])
        self.assertEqual(self.players(self.session, {"game": "bETA"}), {"Beta": ["Bo"]})
        self.assertEqual(self.players(self.session, {"game": "Alpha"}), {"Alpha": ["Ana"]})
        self.assertEqual([game["game"] for game in self.games(self.session, {"game": "BETA"})], ["Beta"])

    def test_unknown(self) -> None:
        """Offline, unknown and hidden games are unknown; a hidden game may ask for itself."""
        self.world.change("Beta", hidden=True)
        hidden = self.world.join("Beta", players=["Bo"])
        for name in ("Beta", "Gamma", "nobody", "", "The Alpha"):
            self.assertTrue(self.unknown(self.session, name), name)
        self.assertEqual(self.players(self.session), {"gossip": ["system"]})
        self.assertEqual(self.players(hidden, {"game": "Beta"}), {"Beta": ["Bo"]})
        self.assertFalse(self.unknown(hidden, "Alpha"))

    def test_grace(self) -> None:
        """In the minute after its last session a game is online, without players."""
        self.world.network.tick(at(NOW))
        session = self.world.join("Beta", players=["Bo"], channels=["gossip"], supports=["channels", "games"])
        self.world.registry.enact(ChannelSaved(Channel("gossip", hidden=False)))
        self.world.network.lost(session, at(NOW))
        self.assertEqual(self.players(self.session), {"Beta": []})
        [game] = self.games(self.session, {"game": "Beta"})
        self.assertEqual(
            (game["supports"], game["channels"], game["players_online_count"]), (["channels", "games"], ["gossip"], 0)
        )
        self.world.network.tick(at(NOW + 59))
        self.assertFalse(self.unknown(self.session, "Beta"))
        self.world.network.alive(self.session)
        self.world.network.tick(at(NOW + 60))
        self.assertTrue(self.unknown(self.session, "Beta"))

    def test_hides_players(self) -> None:
        """A game that hides its players has an empty list and counts none, for itself too."""
        self.world.change("Beta", hides_players=True)
        session = self.world.join("Beta", players=["Bo"])
        self.assertEqual(self.players(self.session), {"Beta": []})
        self.assertEqual(self.players(session, {"game": "Beta"}), {"Beta": []})
        [game] = self.games(self.session)
        self.assertEqual((game["players_online_count"], game["player_online_count"]), (0, 0))

    def test_network(self) -> None:
        """The network itself answers by both of its names, and to all when nobody else does."""
        for payload in (None, {"game": "gossip"}, {"game": "GRAPEVINE"}):
            self.assertEqual(self.players(self.session, payload), {"gossip": ["system"]})
            self.assertEqual(self.games(self.session, payload), [NETWORK])
        self.world.join("Beta")
        self.assertEqual(self.players(self.session, {"game": "Gossip"}), {"gossip": ["system"]})

    def test_network_homepage(self) -> None:
        """The network tells the address of its pages, to games with the extension directory."""
        for website, address in (("gossip.example.org", "https://gossip.example.org/"), ("", None)):
            self.world.network.rules.settings = NetworkSettings(website=website)
            for name, extensions, told in (("Alpha", ["directory"], address), ("Beta", ["history"], None)):
                session = self.world.join(name, extensions=extensions)
                (answer,) = self.world.ask(session, frame("games/status", {"game": "gossip"}, "r"))
                self.assertEqual(answer["payload"].get("homepage_url"), told)

    def test_network_channels(self) -> None:
        """The network has all channels that are not hidden, and the name that is set."""
        self.world.registry.enact(ChannelSaved(Channel("gossip", hidden=False)))
        self.world.registry.enact(ChannelSaved(Channel("testing")))
        self.world.network.rules.settings = NetworkSettings(name="My net")
        self.assertEqual(self.games(self.session), [{**NETWORK, "display_name": "My net", "channels": ["gossip"]}])

    def test_whole_status(self) -> None:
        """An answer has everything public about a game, from all its sessions together."""
        self.world.change(
            "Beta",
            description="A game",
            homepage_url="https://beta.example",
            connections=(TelnetConnection("beta.example", 4000),),
        )
        agent = UserAgent("New 2", "https://new.example", "https://git.example")
        self.world.registry.enact(UserAgentSaved(agent))
        self.world.registry.enact(ChannelSaved(Channel("gossip", hidden=False)))
        self.world.registry.enact(ChannelSaved(Channel("testing", hidden=False)))
        first: dict[str, Any] = {"supports": ["channels", "tells"], "channels": ["gossip", "secret"], "players": ["Bo"]}
        self.world.join("Beta", user_agent="Old 1", **first)
        second: dict[str, Any] = {
            "supports": ["games", "channels"],
            "channels": ["testing", "gossip"],
            "players": ["Bo", "Cy"],
        }
        self.world.join("Beta", user_agent="New 2", **second)
        self.assertEqual(
            self.games(self.session),
            [
                {
                    "game": "Beta",
                    "display_name": "The Beta",
                    "description": "A game",
                    "homepage_url": "https://beta.example",
                    "user_agent": "New 2",
                    "user_agent_url": "https://new.example",
                    "user_agent_repo_url": "https://git.example",
                    "connections": [{"type": "telnet", "host": "beta.example", "port": 4000}],
                    "supports": ["channels", "games", "tells"],
                    "channels": ["gossip", "testing"],
                    "players_online_count": 2,
                    "player_online_count": 2,
                }
            ],
        )

    def test_least_status(self) -> None:
        """Keys without a value are left out, except those that are always present."""
        self.world.join("Beta", supports=["channels"])
        [game] = self.games(self.session)
        keys = ["game", "display_name", "supports", "channels", "players_online_count", "player_online_count"]
        self.assertEqual(list(game), keys)

    def test_one_address(self) -> None:
        """The one address of a code base that is known stands in both spellings."""
        self.world.join("Beta", user_agent="MyMUD")
        for agent in (UserAgent("MyMUD", url="https://a.example"), UserAgent("MyMUD", repo_url="https://a.example")):
            self.world.registry.enact(UserAgentSaved(agent))
            [game] = self.games(self.session)
            addresses = (game["user_agent_url"], game["user_agent_repo_url"])
            self.assertEqual(addresses, ("https://a.example", "https://a.example"))

    def test_limit(self) -> None:
        """All sessions of a game together show no more players than the limit."""
        self.world.network.rules.limits = NetworkLimits(players=3)
        self.world.join("Beta", players=["A", "B"])
        self.world.join("Beta", players=["C", "D"])
        self.assertEqual(self.players(self.session), {"Beta": ["A", "B", "C"]})
        [game] = self.games(self.session)
        self.assertEqual(game["players_online_count"], 3)
        self.world.network.rules.limits = NetworkLimits(players=0)
        self.assertEqual(self.players(self.session), {"Beta": ["A", "B", "C", "D"]})


class SharedAnswerTests(SynchronousTestCase):
    """What is told of a game is made once, and anew when it changes; each way in which it changes is tried."""

    def setUp(self) -> None:
        self.world = World()
        self.asking = self.world.join("Alpha")
        self.beta = self.world.join("Beta", channels=["gossip"], players=["Bo"], user_agent="MyMUD")

    def told(self) -> list[Any]:
        """What is told of Beta, by both queries."""
        asked = [frame(event, {"game": "Beta"}, "r") for event in ("players/status", "games/status")]
        return [sent(self.world.say(self.asking, each), self.asking)[0].games[0] for each in asked]

    def test_same(self) -> None:
        """Until the game changes, everybody is told the very same, whatever they ask for and whatever others do."""
        players, status = self.told()
        self.world.ask(self.beta, frame("heartbeat", {"players": ["Bo"]}))
        gamma = self.world.join("Gamma", channels=["new"], players=["Cy"], user_agent="Another")
        self.world.ask(gamma, frame("players/sign-in", {"name": "Di"}, "1"))
        for event, known in (("players/status", players), ("games/status", status)):
            [answer] = sent(self.world.say(gamma, frame(event, None, "r")), gamma)
            self.assertIs(next(game for game in answer.games if game.game == "Beta"), known)

    def test_changes(self) -> None:
        """Whatever changes what is told, is told."""
        world, beta = self.world, self.beta
        show = Channel("gossip", hidden=False)
        more: list[Session] = []
        for change in (
            lambda: world.ask(beta, frame("players/sign-in", {"name": "Cy"}, "1")),
            lambda: world.ask(beta, frame("players/sign-out", {"name": "Cy"}, "1")),
            lambda: world.ask(beta, frame("heartbeat", {"players": ["Bo", "Di"]})),
            lambda: world.ask(beta, frame("heartbeat", {"players": ["Di", "Bo"]})),
            lambda: world.registry.enact(ChannelSaved(show)),
            lambda: world.ask(beta, frame("channels/unsubscribe", {"channel": "gossip"}, "1")),
            lambda: world.ask(beta, frame("channels/subscribe", {"channel": "gossip"}, "1")),
            lambda: world.registry.enact(ChannelSaved(Channel("gossip"))),
            lambda: world.registry.enact(UserAgentSaved(UserAgent("MyMUD", "https://a.example"))),
            lambda: world.registry.enact(UserAgentSaved(UserAgent("MyMUD"))),
            lambda: more.append(world.join("Beta", user_agent="Other", players=["Ed"])),
            lambda: world.network.lost(more[0], at(NOW)),
            lambda: world.network.learned(GameSaved(replace(world.game("Beta"), name="Renamed")), at(NOW)),
            lambda: setattr(world.network.rules, "limits", NetworkLimits(players=1)),
            lambda: world.network.learned(GameSaved(replace(world.game("Beta"), hides_players=True)), at(NOW)),
        ):
            before = self.told()
            change()
            self.assertNotEqual(self.told(), before)

    def test_weight(self) -> None:
        """A query counts for what its answer weighs, and all sessions of a game pay together."""
        self.world.join("Gamma", players=[f"P{n}" for n in range(40)])
        self.world.network.rules.limits = NetworkLimits(rates=Rates(players_status=Rate(3, 1), games_status=Rate(3, 1)))
        other = self.world.join("Alpha")

        def passes(session: Session, event: str, now: float) -> bool:
            return "error" not in self.world.ask(session, frame(event, None, "r"), now)[0]

        # Beta weighs 1, Gamma 3 with its players.
        self.assertEqual([passes(self.asking, "players/status", NOW + n) for n in (0, 1, 2)], [True, False, True])
        self.assertFalse(passes(other, "players/status", NOW + 2))
        self.assertEqual([passes(other, "games/status", NOW + 2) for _ in range(3)], [True, True, False])
        self.assertFalse(passes(self.asking, "games/status", NOW + 2))


class SharedRateTests(SynchronousTestCase):
    """What all sessions of a game may send together."""

    def test_all_events(self) -> None:
        """They share a bound for all events; the sessions of other games do not feel it."""
        world = World(limits=NetworkLimits(rates=Rates(global_=Rate(4, 1)), sessions_share=2))
        sessions = [world.join("Alpha") for _ in range(4)]
        other = world.join("Beta")

        def refused(session: Session, now: float = NOW) -> bool:
            return "error" in world.ask(session, frame("channels/unsubscribe", {"channel": "x"}, "r"), now)[0]

        answers = [refused(session) for session in sessions for _ in range(3)]
        self.assertEqual(answers, [False] * 8 + [True] * 4)
        self.assertFalse(refused(other))
        self.assertEqual([refused(session, NOW + 1) for session in sessions[:3]], [False, False, True])

    def said(self, world: World, sessions: list[Session], message: str) -> int:
        """How many of nine messages from each session pass."""
        sent = {"channel": "gossip", "name": "Ana", "message": message}
        answers = [world.ask(session, frame("channels/send", sent, "r")) for session in sessions for _ in range(9)]
        return sum(answer["status"] == "success" for [answer] in answers)

    def test_messages(self) -> None:
        """A game says no more at once with all its sessions than four of them may, and long messages count as more."""
        world = World()
        sessions = [world.join("Alpha", channels=["gossip"]) for _ in range(32)]
        self.assertEqual(self.said(world, sessions, "hello"), 40)

    def test_long_messages(self) -> None:
        """A long message counts as more; a game with one session is bound by that one's limits only."""
        alone = World()
        self.assertEqual(self.said(alone, [alone.join("Alpha", channels=["gossip"])], "x" * 4096), 9)
        world = World()
        sessions = [world.join("Alpha", channels=["gossip"]) for _ in range(4)]
        self.assertEqual(self.said(world, sessions, "x" * 4096), 10)

    def test_subscriptions_and_history(self) -> None:
        """They share what may be subscribed, unsubscribed and read again as well."""
        for event, payload in (
            ("channels/subscribe", {"channel": "gossip"}),
            ("channels/unsubscribe", {"channel": "none"}),
            ("channels/history", {"channel": "gossip"}),
        ):
            world = World(limits=NetworkLimits(sessions_share=2))
            sessions = [world.join("Alpha", supports=[*FLAGS, "history"], channels=["gossip"]) for _ in range(4)]
            refused = 0
            for session in sessions:
                for _ in range(4):
                    outputs = world.say(session, frame(event, payload, "r"))
                    refused += any(isinstance(getattr(each, "event", None), Failure) for each in outputs)
            self.assertEqual(refused, 4 * 4 - 2 * 5, event)

    def test_few_sessions(self) -> None:
        """A game with no more sessions than the share is bound by their own limits only."""
        world = World(limits=NetworkLimits(rates=Rates(global_=Rate(4, 1)), sessions_share=2))
        sessions = [world.join("Alpha") for _ in range(2)]
        for session in sessions:
            for _ in range(3):
                [answer] = world.ask(session, frame("channels/unsubscribe", {"channel": "x"}, "r"))
                self.assertEqual(answer["status"], "success")

    def test_strikes(self) -> None:
        """An overrun counts against the session that sends, and not against the others of its game."""
        world = World(limits=NetworkLimits(rates=Rates(global_=Rate(100, 1)), sessions_share=1))
        first, second = world.join("Alpha"), world.join("Alpha")
        world.network.rules.limits = NetworkLimits(rates=Rates(global_=Rate(2, 0.001)), sessions_share=1)
        last = [world.ask(first, frame("heartbeat", None)) for _ in range(30)][-1]
        self.assertEqual((last, first.situation), ([], Situation.GONE))
        self.assertIs(second.situation, Situation.ACTIVE)

    def test_own_rates(self) -> None:
        """Tells, sign-ins, sign-outs and syncs have limits of their own, which all sessions of a game share."""
        rate = Rate(2, 1)
        rates = Rates(players_sign_in=rate, players_sign_out=rate, tells_send=rate, achievements_sync=rate)
        world = World(limits=NetworkLimits(rates=rates))
        sessions = [world.join("Alpha", players=["Ana"]) for _ in range(2)]
        world.join("Beta", players=["Bo"])
        tell = {"from_name": "Ana", "to_game": "Beta", "to_name": "Bo", "message": "hi", "sent_at": None}
        for sent_ in (
            frame("players/sign-in", {"name": "Cy"}, "r"),
            frame("players/sign-out", {"name": "Cy"}, "r"),
            frame("tells/send", tell, "r"),
            frame("tells/send", {**tell, "to_game": "gossip", "to_name": "system"}, "r"),
            frame("achievements/sync", None, "r"),
        ):
            assert sessions[0].online is not None
            sessions[0].online.buckets.clear()
            errors = [world.ask(sessions[n % 2], sent_)[-1].get("error") for n in range(3)]
            self.assertEqual(errors, [None, None, "rate limit exceeded"], sent_["event"])


class WordsTests(SynchronousTestCase):
    """Where players are, and which one a plain word means."""

    def setUp(self) -> None:
        self.world = World()
        self.world.change("Gamma", hidden=True)
        self.world.change("Delta", hides_players=True)
        for name in ("Alpha", "Gamma", "Delta"):
            self.world.join(name, players=["Conan the Great", "Zoë", "a b", "ab"])
        self.statuses = self.world.network.statuses

    def test_whereis(self) -> None:
        """A player is found where others may know of it; names compare without case."""
        self.assertEqual(self.statuses.whereis("zoË"), (("Alpha", "Zoë"),))
        self.assertEqual(self.statuses.whereis("Nobody"), ())

    def test_player_like(self) -> None:
        """The exact name, else the only one with the same letters and digits, else the word itself."""
        for token, player in (
            ("conan_the_great", "Conan the Great"),
            ("ZOE", "Zoë"),
            ("AB", "ab"),
            ("a_b", "a_b"),
            ("nobody", "nobody"),
            ("__", "__"),
        ):
            self.assertEqual(self.statuses.player_like("alpha", token), player)
        self.assertEqual(self.statuses.player_like("Beta", "x"), "x")


class DirectoryTests(SynchronousTestCase):
    """What the extension directory adds to both queries."""

    def setUp(self) -> None:
        self.world = World()
        self.world.network.started(at(NOW))
        self.session = self.world.join("Alpha", extensions=["directory"])

    def ask(self, event: str, payload: Any = None, now: float = NOW, session: Session | None = None) -> list[Any]:
        """The payloads of an answer; an old client gets the same, without the new keys and the end."""
        asked = frame(event, payload, "r")
        return [answer.get("payload") for answer in self.world.ask(session or self.session, asked, now)]

    def seen(self, name: str, now: float) -> tuple[Any, ...]:
        """When a game was here, as another one is told."""
        [told] = self.ask("games/status", {"game": name}, now)
        self.assertEqual(list(told)[-3:], ["online", "uptime_seconds", "last_seen_at"])
        return told["online"], told["uptime_seconds"], told["last_seen_at"]

    def test_end(self) -> None:
        """An answer about all games ends with their number, one about a single game does not."""
        for number, name in ((1, "Beta"), (2, "Gamma")):
            self.world.join(name)
            for event in ("players/status", "games/status"):
                answers = self.world.ask(self.session, frame(event, None, "r"))
                self.assertEqual(len(answers), number + 1)
                end = {"event": event, "ref": "r", "status": "success", "payload": {"total": number}}
                self.assertEqual(answers[-1], end)
                self.assertEqual(len(self.ask(event, {"game": name})), 1)

    def test_end_of_parts(self) -> None:
        """Of a long answer only the last part has the end, with the number of all games."""
        part = PlayersStatusAnswer(None, (PlayersOf("Beta", ()),), end_marked=True)
        frames_of = [
            len(frames.encode(replace(part, before=before, more=more))) for before, more in ((0, True), (1, False))
        ]
        self.assertEqual(frames_of, [1, 2])
        self.assertIn(b'{"total":2}', frames.encode(replace(part, before=1))[-1])

    def test_alone(self) -> None:
        """Where no other game is, the network answers for itself, and is counted."""
        self.assertEqual(self.ask("players/status")[-1], {"total": 1})
        told, end = self.ask("games/status", None, NOW + 3600)
        self.assertEqual((told["game"], told["online"], told["uptime_seconds"]), ("gossip", True, 3600))
        self.assertEqual(end, {"total": 1})

    def test_old_clients(self) -> None:
        """Another extension brings none of this, and an old client gets what it always got."""
        self.world.join("Beta")
        for session in (self.world.join("Gamma"), self.world.join("Gamma", extensions=["moderation"])):
            for event in ("players/status", "games/status"):
                alpha, beta = self.ask(event, None, session=session)
                self.assertEqual((alpha["game"], beta["game"]), ("Alpha", "Beta"))
                self.assertFalse({"online", "uptime_seconds", "last_seen_at"} & {*beta})
            [failure] = self.world.ask(session, frame("games/status", {"game": "Delta"}, "r"))
            self.assertEqual(failure["error"], "unknown game")

    def test_uptime(self) -> None:
        """A game is online since its first session, through later ones and through the grace."""
        first = self.world.join("Beta", NOW + 10)
        self.assertEqual(self.seen("Beta", NOW + 70.9), (True, 60, "2023-11-14T22:01:10Z"))
        second = self.world.join("Beta", NOW + 80)
        self.world.network.lost(first, at(NOW + 90))
        self.assertEqual(self.seen("Beta", NOW + 100), (True, 90, "2023-11-14T22:01:40Z"))
        self.world.network.lost(second, at(NOW + 110))
        self.assertEqual(self.seen("Beta", NOW + 120), (True, 110, "2023-11-14T22:01:50Z"))
        self.world.join("Beta", NOW + 130)
        self.assertEqual(self.seen("Beta", NOW + 140), (True, 130, "2023-11-14T22:02:20Z"))

    def test_offline(self) -> None:
        """A game that is known and offline is told of, and when it was last here; a hidden or disabled one is not."""
        self.assertEqual(self.seen("delta", NOW), (False, None, None))
        session = self.world.join("Beta", NOW, players=["Bo"], channels=["gossip"])
        self.world.network.tick(at(NOW))
        self.world.network.lost(session, at(NOW + 5))
        for second in range(1, 66):
            self.world.network.alive(self.session)
            self.world.network.tick(at(NOW + second))
        self.assertEqual(self.seen("Beta", NOW + 66), (False, None, "2023-11-14T22:00:05Z"))
        [told] = self.ask("games/status", {"game": "Beta"}, NOW + 67)
        self.assertEqual(told["display_name"], "The Beta")
        self.assertEqual([told[key] for key in ("supports", "channels", "players_online_count")], [[], [], 0])
        for more in ({"hidden": True}, {"disabled": True}):
            self.world.change("Delta", **more)
            [failure] = self.world.ask(self.session, frame("games/status", {"game": "Delta"}, "r"), NOW + 68)
            self.assertEqual(failure["error"], "unknown game")
            self.world.change("Delta", hidden=False, disabled=False)
        self.assertEqual(self.ask("players/status", {"game": "Beta"}, NOW + 69), [None])

    def test_written_once(self) -> None:
        """Though the uptime differs each second, a status is written once for all that ask."""
        online = self.world.join("Beta").online
        assert online is not None
        self.ask("games/status")
        told = online.told["games"]
        (written,) = told.written.values()
        self.ask("games/status", None, NOW + 1)
        self.ask("games/status", None, NOW + 1, self.world.join("Gamma"))
        self.assertIs(online.told["games"], told)
        self.assertEqual([*told.written.values()], [written])

    @examples(50)
    @given(some.text(max_size=300), some.floats(0, 4e9), some.none() | some.floats(0, 4e9), some.floats(0, 4e9))
    def test_anything(self, name: str, since: float, left: float | None, now: float) -> None:
        """Whatever the clocks show, a status is JSON, and an uptime is a number of seconds."""
        status = StatusOf(
            game="Beta", display_name=name, supports=(), channels=(), players_online_count=0, player_online_count=0
        )
        for told in (PresenceOf(status, since, left), PresenceOf(status, None, left)):
            [written] = frames.encode(GamesStatusAnswer(None, (told,), asked_at=now))
            payload = msgspec.json.decode(written)["payload"]
            self.assertEqual((payload["display_name"], payload["online"]), (name, told.since is not None))
            uptime = payload["uptime_seconds"]
            self.assertTrue(uptime is None if told.since is None else isinstance(uptime, int) and uptime >= 0)
