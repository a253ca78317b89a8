"""Rehearsals: what the network plays to one game alone."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.network.outputs import Close, Output, Send
from gossip.network.rehearsal import MESSAGE, RATE, TELL
from gossip.network.session import Session, Situation
from gossip.network.settings import NetworkSettings
from gossip.network.steps import STEPS, StepName
from gossip.protocol.errors import Error
from gossip.protocol.server_events import ChannelsBroadcast, PlayersSignedIn, PlayersSignedOut, Restart, TellsReceive
from gossip.protocol.text import timestamp
from gossip.registry.errors import Refused
from tests.support.world import NOW, World, at, ref


class RehearsalTests(SynchronousTestCase):
    """The steps, with a game that hears everything, and another one that hears nothing of it."""

    def setUp(self) -> None:
        self.world = World(NetworkSettings(echo=False))
        self.session = self.world.join("Alpha", channels=["gossip", "testing"], players=["Ana", "Bo"])
        self.world.join("Beta", channels=["gossip", "testing"], players=["Ana"])
        self.world.made = 0

    def play(self, step: StepName, player: str | None = None, now: float = NOW, game: str = "Alpha") -> list[Output]:
        return self.world.network.rehearsal.play(self.world.client_id(game), step, player, at(now)).outputs

    def end(self, *sessions: Session) -> list[Output]:
        return self.world.network.rehearsal.end(sessions, at(NOW))

    def refusal(self, step: StepName, player: str | None = None, now: float = NOW, game: str = "Alpha") -> str:
        with self.assertRaises(Refused) as caught:
            self.play(step, player, now, game)
        return str(caught.exception)

    def test_message(self) -> None:
        """Echo says something on testing, otherwise on the first channel of the game, to sessions that hear it."""
        told = ChannelsBroadcast(ref(1), "testing", "gossip", "echo", MESSAGE)
        self.world.join("Alpha")
        self.world.made = 0
        self.assertEqual(self.play("message"), [Send(self.session, told)])
        gamma = self.world.join("Gamma", channels=["news", "gossip"])
        [output] = self.play("message", game="Gamma")
        assert isinstance(output, Send) and isinstance(output.event, ChannelsBroadcast)
        self.assertEqual((output.session, output.event.channel), (gamma, "news"))
        self.assertEqual(self.world.pending, [])

    def test_tell(self) -> None:
        """Echo tells a player something: the named one, otherwise the first one."""
        for player, receiver in ((None, "Ana"), ("Bo", "Bo")):
            self.world.made = 0
            told = TellsReceive(ref(1), "gossip", "echo", receiver, timestamp(NOW), TELL)
            self.assertEqual(self.play("tell", player), [Send(self.session, told)])
        self.assertEqual(self.refusal("tell", "Cy"), "this player is not signed in to the game")

    def test_sign_in(self) -> None:
        """Echo signs in and out."""
        self.assertEqual(self.play("sign-in"), [Send(self.session, PlayersSignedIn(ref(1), "gossip", "echo"))])
        self.assertEqual(self.play("sign-out"), [Send(self.session, PlayersSignedOut(ref(2), "gossip", "echo"))])

    def test_heartbeat(self) -> None:
        """Nothing is sent: the heartbeats come by themselves."""
        self.assertEqual(self.play("heartbeat"), [])

    def test_restart(self) -> None:
        """All sessions of the game hear of a restart and are closed; the game stays online to others for a while."""
        second = self.world.join("Alpha")
        self.world.made = 0
        why = Error.of("restarting")
        self.assertEqual(
            self.play("restart"), [Send(self.session, Restart(ref(1), 5)), Send(second, Restart(ref(2), 5))]
        )
        self.assertIs(self.session.situation, Situation.ACTIVE)
        self.assertEqual(self.end(self.session, second), [Close(self.session, 1012, why), Close(second, 1012, why)])
        self.assertEqual(self.end(self.session, second), [])
        self.assertIs(self.session.situation, Situation.GONE)
        self.assertEqual([online.game.short_name for online in self.world.network.presence], ["Alpha", "Beta"])

    def test_not_supported(self) -> None:
        """A step that the game cannot take is refused."""
        self.assertEqual(self.refusal("message", game="Gamma"), "the game is not connected")
        self.world.join("Gamma", supports=["channels"])
        self.assertEqual(self.refusal("message", game="Gamma"), "the game is subscribed to no channel")
        self.assertEqual(self.refusal("tell", game="Gamma"), "no player is signed in to the game")
        self.assertEqual(self.refusal("sign-in", game="Gamma"), 'the game does not support "players"')
        self.world.join("Delta", supports=["channels"], players=["Di"])
        self.assertEqual(self.refusal("tell", game="Delta"), 'the game does not support "tells"')

    def test_after_a_restart(self) -> None:
        """A game in its minute of grace is not connected."""
        self.end(self.session)
        for step in STEPS:
            self.assertEqual(self.refusal(step), "the game is not connected")

    def test_rate(self) -> None:
        """Ten at once, then one in five seconds."""
        self.assertEqual((RATE.burst, RATE.per_second), (10, 0.2))
        for _ in range(10):
            self.play("message")
        told = "too many rehearsals: wait a few seconds"
        self.assertEqual(self.refusal("message"), told)
        self.assertEqual(self.refusal("restart", now=NOW + 4.9), told)
        self.play("message", now=NOW + 5)
        self.assertEqual(self.refusal("message", now=NOW + 5), told)
        self.play("message", game="Beta")
