"""House sessions: parts of the daemon itself that join, for a registered game or for remote ones behind it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.audiences import SessionsOf, Subscribers, Supporters
from gossip.network.outputs import Broadcast, Close, Commit
from gossip.network.session import Session, Situation
from gossip.network.settings import NetworkLimits
from gossip.protocol.errors import Denied
from gossip.protocol.server_events import GamesConnect, GamesDisconnect, TellsReceive
from gossip.registry.changes import ChannelSaved, GameRemoved, GameSaved, MessageSaid, PlayersCounted, RestrictionSet
from gossip.registry.entities import Channel, Game, Restriction
from gossip.registry.remotes import remote_id
from tests.support.world import NOW, World, at, frame, hears, sent

SUPPORTS = frozenset(("channels", "players", "tells", "games"))


def remote_game(world: World, name: str, short_name: str, gateway: str = "Beta", hidden: bool = True) -> Game:
    """A remote game that speaks through a registered one."""
    client_id = remote_id(world.client_id(gateway), name)
    return Game(client_id=client_id, short_name=short_name, name=name, secrets=(), hidden=hidden)


class HouseTestCase(SynchronousTestCase):
    """Alpha with its player Ana, the gateway Beta, and the remote game Dead Souls, all on the channel gossip."""

    def setUp(self) -> None:
        self.world = world = World(limits=NetworkLimits(remote_games=2))
        self.alpha = world.join("Alpha", channels=["gossip"], players=["Ana"])
        self.gateway = self.house(world.game("Beta"))
        self.souls = remote_game(world, "Dead Souls", "DeadSoulsI3")
        self.remote = self.house(self.souls)

    def house(self, game: Game, *channels: str) -> Session:
        """A house session joins."""
        session = Session()
        self.came: list[Any] = self.world.network.house.join(session, game, SUPPORTS, channels or ("gossip",), at(NOW))
        return session

    def say(self, session: Session, event: str, **payload: Any) -> list[Any]:
        return self.world.say(session, frame(event, payload, "1"))

    def speak(self, session: Session, name: str = "Bob", message: str = "hi") -> list[Any]:
        """A player says something; returns who hears it."""
        outputs = self.say(session, "channels/send", channel="gossip", name=name, message=message)
        every = {"alpha": self.alpha, "gateway": self.gateway, "remote": self.remote}
        return [
            who
            for output in outputs
            if isinstance(output, Broadcast)
            for who, each in every.items()
            if each in self.world.network.hearing(output.audience)
        ]

    def restrict(self, kind: str, subject: str, channel: str = "") -> list[Any]:
        restriction = Restriction(kind=kind, subject=subject, channel=channel, reason="So", set_by="ana", set_at=NOW)
        return self.world.network.learned(RestrictionSet(restriction), at(NOW))

    def assertDenied(self, code: str, game: Game) -> None:
        with self.assertRaises(Denied) as caught:
            self.house(game)
        self.assertEqual(caught.exception.error.code, code)


class HouseTests(HouseTestCase):
    """Joining, speaking, leaving."""

    def test_registered(self) -> None:
        """A house session of a registered game is subscribed like any other, and asked for no sign of life."""
        self.assertIs(self.gateway.situation, Situation.ACTIVE)
        self.assertTrue(hears(Subscribers("gossip", None), self.gateway))
        self.assertIn(self.gateway, self.world.network.hearing(Subscribers("gossip")))
        delta = self.house(self.world.game("Delta"))
        self.assertEqual([type(each.event) for each in self.came if isinstance(each, Broadcast)], [GamesConnect])
        for second in range(100):
            self.world.network.tick(at(NOW + second))
        self.assertIs(delta.situation, Situation.ACTIVE)

    def test_new_channel(self) -> None:
        """A channel that does not exist is created for a registered game, and for no remote one."""
        self.house(self.world.game("Gamma"), "dchat")
        self.assertIn("dchat", self.world.registry.channels)
        self.house(remote_game(self.world, "B", "BI3"), "other")
        self.assertNotIn("other", self.world.registry.channels)

    def test_remote_speaks(self) -> None:
        """What a remote game says reaches all but its own gateway, under its own name."""
        self.assertEqual(self.speak(self.remote), ["alpha"])
        outputs = self.say(self.remote, "channels/send", channel="gossip", name="Bob", message="hello")
        [told] = sent(outputs, self.alpha)
        self.assertEqual((told.game, told.name, told.message), ("DeadSoulsI3", "Bob", "hello"))
        [said] = [each.change for each in outputs if isinstance(each, Commit) and isinstance(each.change, MessageSaid)]
        self.assertEqual(said.client_id, self.souls.client_id)

    def test_gateway_hears(self) -> None:
        """The gateway hears for its remote games, once."""
        self.assertEqual(self.speak(self.alpha, "Ana"), ["gateway"])
        self.assertEqual(self.world.network.audiences.games_on("gossip"), 2)

    def test_told_nothing_of_others(self) -> None:
        """A remote game is told nothing of other games: there may be a thousand."""
        for flag in SUPPORTS:
            self.assertNotIn(self.remote, self.world.network.hearing(Supporters(flag, "")))
            self.assertIn(self.gateway, self.world.network.hearing(Supporters(flag, "")))

    def test_not_subscribed(self) -> None:
        """A remote game speaks only on the channels that it joined with."""
        outputs = self.say(self.remote, "channels/send", channel="other", name="Bob", message="hello")
        self.assertEqual(sent(outputs, self.remote)[0].error.code, "not-subscribed")

    def test_tells(self) -> None:
        """Tells go to a remote game, whose players nobody lists, and come from it."""
        outputs = self.say(
            self.alpha, "tells/send", from_name="Ana", to_game="deadsoulsi3", to_name="bob", message="psst"
        )
        told: Any = outputs[0]
        self.assertEqual(told.audience, SessionsOf(self.souls.client_id, "tells"))
        self.assertEqual(self.world.network.hearing(told.audience), (self.remote,))
        outputs = self.say(self.remote, "tells/send", from_name="Bob", to_game="Alpha", to_name="ana", message="hm")
        [told, *_] = sent(outputs, self.alpha)
        self.assertIsInstance(told, TellsReceive)
        self.assertEqual((told.from_game, told.from_name, told.to_name), ("DeadSoulsI3", "Bob", "ana"))

    def test_statuses(self) -> None:
        """A hidden remote game is left out of lists, and answered by its name."""
        [answer] = self.world.ask(self.alpha, frame("games/status", None, "1"))
        self.assertEqual(answer["payload"]["game"], "Beta")
        [answer] = self.world.ask(self.alpha, frame("games/status", {"game": "DeadSoulsI3"}, "2"))
        self.assertEqual(answer["payload"]["display_name"], "Dead Souls")
        assert self.remote.online is not None
        self.remote.list_player("Bob")
        self.remote.online.changed()
        [answer] = self.world.ask(self.alpha, frame("players/status", {"game": "DEADSOULSI3"}, "3"))
        self.assertEqual(answer["payload"], {"game": "DeadSoulsI3", "players": ["Bob"]})

    def test_not_counted(self) -> None:
        """Remote games, their sessions and their players are no part of what the network counts of its own."""
        presence = self.world.network.presence
        assert self.remote.online is not None
        self.remote.list_player("Bob")
        self.remote.online.changed()
        self.assertEqual((len(presence), presence.sessions, presence.players), (2, 2, 1))
        self.world.network.tick(at(NOW))
        outputs = self.world.network.tick(at(NOW + 900))
        [counted] = [
            each.change for each in outputs if isinstance(each, Commit) and isinstance(each.change, PlayersCounted)
        ]
        self.assertEqual(
            [client_id for client_id, _ in counted.counts], [*map(self.world.client_id, ("Alpha", "Beta"))]
        )
        self.world.network.lost(self.remote, at(NOW))
        self.assertEqual((len(presence), presence.sessions, presence.players), (2, 2, 1))

    def test_leaves(self) -> None:
        """A remote game goes at once with its session: it has no grace, and its name is free."""
        self.world.network.lost(self.remote, at(NOW))
        self.assertIsNone(self.world.network.presence.online(self.souls.client_id))
        self.assertIsNone(self.world.registry.speaker_named("DeadSoulsI3"))
        self.assertEqual(len(self.world.registry.remotes), 0)
        self.assertEqual(self.speak(self.alpha, "Ana"), ["gateway"])
        self.world.network.lost(self.gateway, at(NOW))
        self.assertIsNotNone(self.world.network.presence.online(self.world.client_id("Beta")))

    def test_announced(self) -> None:
        """A remote game is announced if it is not hidden."""
        self.assertEqual(self.came, [])
        shown = self.house(remote_game(self.world, "Shown", "ShownI3", hidden=False))
        self.assertEqual([type(each.event) for each in self.came if isinstance(each, Broadcast)], [GamesConnect])
        gone: Any
        [gone] = self.world.network.lost(shown, at(NOW))
        self.assertIsInstance(gone.event, GamesDisconnect)

    def test_not_stored(self) -> None:
        """Nothing is noted of a remote game for a daemon after this one."""
        self.assertEqual([each for each in self.came if isinstance(each, Commit)], [])
        kept: Any
        [kept] = self.world.network.notes.keep()
        self.assertEqual([each.client_id for each in kept.change.changes], [self.world.client_id("Beta")])
        self.assertEqual(self.world.network.notes.keep(), self.world.network.lost(self.remote, at(NOW)))

    def test_denied(self) -> None:
        """A remote game needs its gateway, and room; a registered one must not be disabled."""
        self.assertDenied("game-offline", remote_game(self.world, "X", "XI3", gateway="Gamma"))
        self.house(remote_game(self.world, "Y", "YI3"))
        self.assertDenied("too-many-sessions", remote_game(self.world, "Z", "ZI3"))
        self.world.change("Delta", disabled=True)
        self.assertDenied("game-disabled", self.world.game("Delta"))

    def test_speakers(self) -> None:
        """On a channel for some games, a remote game speaks if it is one of them, or if its gateway is."""
        for speakers, heard in (
            (frozenset(["none"]), []),
            (frozenset([self.souls.client_id]), ["alpha"]),
            (frozenset([self.world.client_id("Beta")]), ["alpha"]),
        ):
            self.world.registry.enact(ChannelSaved(Channel("gossip", speakers=speakers)))
            self.assertEqual(self.speak(self.remote), heard)

    def test_resynced(self) -> None:
        """A node that reads everything anew keeps its remote games, which no database has."""
        known = World(shared=True).registry
        self.world.network.resynced(known, {}, [], [], at(NOW))
        self.assertIs(self.remote.situation, Situation.ACTIVE)
        self.assertEqual(self.world.registry.speaker_named("DeadSoulsI3"), self.souls)


class HouseModerationTests(HouseTestCase):
    """Mutes and bans of remote games and what is behind them."""

    def test_muted(self) -> None:
        """A remote player, a remote game, or everybody behind a gateway can be muted."""
        for subject in (f"bob@{self.souls.client_id}", self.souls.client_id, self.world.client_id("Beta")):
            self.world.registry.mutes.clear()
            self.restrict("mute", subject)
            self.assertEqual(self.speak(self.remote), [], subject)
            self.assertEqual(self.speak(self.remote, "Eve") == ["alpha"], "@" in subject)
            outputs = self.say(self.remote, "tells/send", from_name="Bob", to_game="Alpha", to_name="Ana", message="x")
            self.assertEqual(sent(outputs, self.alpha), [])

    def test_banned(self) -> None:
        """A ban of a remote game, or of its gateway, ends its session and keeps it out."""
        closed = self.restrict("ban", self.souls.client_id)
        self.assertEqual([each.session for each in closed if isinstance(each, Close)], [self.remote])
        self.assertDenied("banned", self.souls)
        other = self.house(remote_game(self.world, "Other", "OtherI3"))
        closed = self.restrict("ban", self.world.client_id("Beta"))
        self.assertEqual({each.session for each in closed if isinstance(each, Close)}, {self.gateway, other})
        self.assertDenied("banned", remote_game(self.world, "Third", "ThirdI3"))

    def test_banned_from_channel(self) -> None:
        """A remote game that is banned from a channel does not speak there, now or when it joins again."""
        self.restrict("ban", self.souls.client_id, "gossip")
        self.assertEqual(list(self.remote.channels), [])
        self.world.network.lost(self.remote, at(NOW))
        self.assertEqual(list(self.house(self.souls, "gossip", "testing").channels), ["testing"])

    def test_gateway_ends(self) -> None:
        """A gateway that is disabled or removed is told to end; its remote games can no longer join."""
        self.world.network.learned(GameSaved(replace(self.world.game("Beta"), disabled=True)), at(NOW))
        self.assertIs(self.gateway.situation, Situation.GONE)
        self.world.network.lost(self.remote, at(NOW))
        self.assertDenied("game-offline", self.souls)
        self.world.network.learned(GameRemoved(self.world.client_id("Beta")), at(NOW))
        self.assertDenied("game-offline", self.souls)

    def test_overrun(self) -> None:
        """A remote game that is too fast ten times is closed like any other."""
        outputs = [
            each
            for _ in range(40)
            for each in self.say(self.remote, "channels/send", channel="gossip", name="B", message="x")
        ]
        self.assertEqual([each.session for each in outputs if isinstance(each, Close)], [self.remote])
