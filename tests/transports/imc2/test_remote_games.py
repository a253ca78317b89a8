"""Tests for what IMC2 MUDs are told of the games of other networks."""

from __future__ import annotations

from msgspec.structs import replace

from gossip.network.session import Session
from gossip.registry.entities import Game
from gossip.registry.remotes import remote_id
from gossip.transports.imc2.factory import LOOK_SECONDS
from gossip.transports.imc2.games import NEW_GAMES
from gossip.transports.imc2.limits import Imc2Settings
from tests.support.imc2_games import TwoGames
from tests.support.memory_service import MemoryConnection
from tests.support.world import frame


class RemoteTests(TwoGames):
    """Games of other networks, which come through a gateway."""

    settings = Imc2Settings(listen=("tcp:4113",), remote=True)

    def setUp(self) -> None:
        super().setUp()
        self.gateway = self.house(self.world.game("Gamma"))
        self.old.lines()

    def house(self, game: Game) -> Session:
        """A part of the daemon joins for a game."""
        self.connection = connection = MemoryConnection("house", "192.0.2.1")
        supports = frozenset(("channels", "players", "tells", "games"))
        session = self.service.let_in(connection, game, supports, ["gossip"])
        self.turn()
        return session

    def remote(self, name: str, hidden: bool = True) -> Session:
        """A remote game comes."""
        client_id = remote_id(self.world.client_id("Gamma"), name)
        short_name = name.replace(" ", "") + "I3"
        return self.house(Game(client_id=client_id, short_name=short_name, name=name, secrets=(), hidden=hidden))

    def look(self) -> list[str]:
        """The hub looks; returns the types and senders of what OldMud is told by that."""
        self.clock.advance(LOOK_SECONDS)
        return [" ".join(line.split()[::3][:2]) for line in self.old.lines() if "keepalive" not in line]

    def test_told(self) -> None:
        """MUDs are told of remote games at the next look, once, and when they are gone; hidden or not."""
        souls, lima = self.remote("Dead Souls"), self.remote("Lima", hidden=False)
        self.assertEqual(self.old.lines(), [])
        self.assertEqual(self.look(), ["*@DeadSoulsI3 is-alive", "*@LimaI3 is-alive"])
        self.assertEqual(self.look(), [])
        alive = self.old.packet("*", "keepalive-request *@*")
        senders = [line.split()[0] for line in alive]
        self.assertEqual(senders, ["*@Gossip", "*@ExVenture", "*@Gamma", "*@DeadSoulsI3", "*@LimaI3"])
        self.assertIn("DeadSoulsI3     0", self.old.packet("Bob", "who Gossip type=who")[0])
        for session in (souls, lima):
            self.service.lost(session)
        self.turn()
        self.assertEqual(self.old.lines(), [])
        self.assertEqual(self.look(), ["*@Gossip close-notify"] * 2)

    def test_many(self) -> None:
        """A whole network that comes in one moment is told of in parts, and only as far as there is room for it."""
        self.world.network.rules.limits = replace(self.world.network.rules.limits, remote_games=400)
        for number in range(NEW_GAMES + 5):
            self.remote(f"Mud {number}")
        self.assertEqual([len(self.look()), len(self.look()), len(self.look())], [NEW_GAMES, 5, 0])

    def test_talk(self) -> None:
        """A remote game is heard, and answered, by the name that MUDs are told."""
        souls = self.remote("Dead Souls")
        self.say(souls, frame("channels/send", {"channel": "gossip", "name": "Cy", "message": "hi"}))
        (line,) = self.old.lines()
        self.assertRegex(line, r"^Cy@DeadSoulsI3 # DeadSoulsI3!Gossip ice-msg-b ")
        self.assertEqual(self.old.packet("Bob", "tell Cy@DeadSoulsI3 text=hello"), [])
        self.assertIn(b'"hello"', self.connection.written)


class NoRemoteTests(RemoteTests):
    """The same without the setting."""

    settings = Imc2Settings(listen=("tcp:4113",))

    def test_told(self) -> None:
        """MUDs are told of no remote games, even of those that everybody else is told of."""
        session = self.remote("Dead Souls", hidden=False)
        self.assertEqual(self.look(), [])
        self.assertNotIn("DeadSouls", str(self.old.packet("*", "keepalive-request *@*")))
        self.assertNotIn("DeadSouls", str(self.old.packet("Bob", "who Gossip type=who")))
        self.service.lost(session)
        self.assertEqual(self.look(), [])

    def test_many(self) -> None:
        """Nothing is told of many, either."""
        self.remote("Mud")
        self.assertEqual(self.look(), [])
