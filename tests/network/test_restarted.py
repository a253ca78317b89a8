"""What is known after a restart about the games that were online: as after a short absence, nobody hears of it."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gossip.network.network import Network
from gossip.network.outputs import Broadcast, Commit
from gossip.network.presence import GRACE
from gossip.network.session import Session
from gossip.protocol.server_events import GamesConnect, GamesDisconnect
from gossip.registry.changes import ChannelSaved, GameOffline, GameRemoved
from gossip.registry.entities import Channel
from tests.support.world import NOW, World, at, frame


class RestartedTests(SynchronousTestCase):
    """A daemon starts after another one ended, which was told nothing of its end."""

    def setUp(self) -> None:
        self.world = World()
        self.world.registry.enact(ChannelSaved(Channel("gossip", hidden=False)))
        more: dict[str, Any] = {"supports": ["channels", "games"], "channels": ["gossip"], "players": ["Ana"]}
        for name in ("Alpha", "Beta", "Gamma"):
            self.world.join(name, **more)
        self.start_again()

    def start_again(self) -> None:
        """Another daemon, with what the registry holds."""
        world = self.world
        world.network = Network(world.registry, world._new_uuid, lambda: 0.5)
        world.network.started(at(NOW))
        world.network.tick(at(NOW))

    def told(self, outputs: Any, kind: type[Any]) -> list[str]:
        """The games that a kind of news is about."""
        events = [output.event for output in outputs if isinstance(output, Broadcast)]
        return [event.game for event in events if isinstance(event, kind)]

    def come(self, name: str, now: float = NOW) -> tuple[Session, list[str]]:
        """A game joins; also returns which games are announced."""
        session = self.world.open(now)
        outputs = self.world.say(session, frame("authenticate", self.world.credentials(name)), now)
        return session, self.told(outputs, GamesConnect)

    def test_not_announced(self) -> None:
        """A game that comes back within the grace is announced to nobody, one that was not here is."""
        self.assertEqual(self.come("Alpha")[1], [])
        self.assertEqual(self.come("Beta", NOW + 59)[1], [])
        self.assertEqual(self.come("Delta")[1], ["Delta"])

    def test_shown(self) -> None:
        """Until then it shows what a grace shows: no players, and the last supports and channels."""
        session, _ = self.come("Alpha")
        answers = self.world.ask(session, frame("games/status", {"game": "Beta"}, "r"))
        shown = answers[0]["payload"]
        self.assertEqual(
            (shown["supports"], shown["channels"], shown["players_online_count"]),
            (["channels", "games"], ["gossip"], 0),
        )
        players = self.world.ask(session, frame("players/status", None, "r"))
        self.assertEqual(
            [answer["payload"] for answer in players],
            [{"game": "Beta", "players": []}, {"game": "Gamma", "players": []}],
        )

    def test_not_back(self) -> None:
        """A game that does not come back in time is announced as gone, and is not known as online any more."""
        self.come("Alpha", NOW + 1)
        network = self.world.network
        self.assertEqual(self.told(network.tick(at(NOW + GRACE - 1)), GamesDisconnect), [])
        outputs = network.tick(at(NOW + GRACE))
        self.assertEqual(self.told(outputs, GamesDisconnect), ["Beta", "Gamma"])
        gone = [output.change for output in outputs if isinstance(output, Commit)]
        self.assertEqual(gone, [GameOffline(self.world.client_id(name), NOW) for name in ("Beta", "Gamma")])
        self.start_again()
        self.assertEqual([online.game.short_name for online in network.presence], ["Alpha"])
        self.assertEqual([online.game.short_name for online in self.world.network.presence], ["Alpha"])

    def test_last_seen(self) -> None:
        """A game that does not come back was last seen when the daemon is known to have run last."""
        self.world.registry.last_alive = NOW + 900
        self.world.network = Network(self.world.registry, self.world._new_uuid, lambda: 0.5)
        self.world.network.started(at(NOW + 86400))
        self.world.network.tick(at(NOW + 86400))
        self.world.network.tick(at(NOW + 86400 + GRACE))
        self.assertEqual(set(self.world.registry.last_seen.values()), {NOW + 900})
        self.assertEqual(len(self.world.registry.last_seen), 3)

    def test_since(self) -> None:
        """A game that comes back within the grace has been online since before the restart."""
        session, _ = self.come("Alpha", NOW + 30)
        assert session.online is not None
        self.assertEqual(session.online.since, NOW)
        self.assertEqual(self.world.registry.online[session.client_id].since, NOW)

    def test_written_once(self) -> None:
        """A game is written down when it comes, and not again when it comes back or joins twice."""
        for _ in range(2):
            session, _ = self.come("Alpha")
            self.world.network.lost(session, at(NOW + 1))
            self.assertEqual(self.world.network.notes.keep(), [])

    def test_removed(self) -> None:
        """A game or a channel that was removed meanwhile is not missed."""
        self.world.registry.enact(GameRemoved(self.world.client_id("Beta")))
        del self.world.registry.channels["gossip"]
        self.start_again()
        [gamma] = [online for online in self.world.network.presence if online.game.short_name == "Gamma"]
        self.assertEqual(list(gamma.channels), [])
        self.assertEqual(len(list(self.world.network.presence)), 2)
