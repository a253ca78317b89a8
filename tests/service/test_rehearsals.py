"""What comes of rehearsals."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gossip.network.steps import StepName
from gossip.registry.errors import Refused
from gossip.service.rehearsals import REMEMBERED, Rehearsed
from tests.support.memory_service import MemoryService
from tests.support.world import frame


class RehearsalsTests(SynchronousTestCase):
    """A daemon with a game that answers heartbeats when the test wants it to."""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.session = self.service.join("Alpha", channels=["testing"], players=["Ana"])
        self.client_id = self.service.world.client_id("Alpha")

    def play(self, step: StepName) -> Rehearsed:
        return self.service.rehearsals.play(self.client_id, step, None, self.service.now())

    def seconds(self, number: int) -> None:
        self.service.clock.pump([1.0] * number)

    def answer(self) -> None:
        """The game answers all heartbeats."""
        self.service.write(self.session, frame("heartbeat", {"players": ["Ana"]}))

    def events(self) -> list[Any]:
        return [event["event"] for event in self.service.told(self.session) if event["event"] != "heartbeat"]

    def test_sent(self) -> None:
        """Each step reaches the game, and nothing is kept."""
        steps: tuple[StepName, ...] = ("message", "tell", "sign-in", "sign-out", "heartbeat")
        for step in steps:
            self.play(step)
        self.assertEqual(self.events(), ["channels/broadcast", "tells/receive", "players/sign-in", "players/sign-out"])
        self.assertEqual(self.service.store.said, [])

    def test_heartbeat_answered(self) -> None:
        """A step is done when the game answers the heartbeat that comes next; one from before does not count."""
        self.answer()
        rehearsed = self.play("message")
        done = rehearsed.settled()
        self.answer()
        self.seconds(2)
        self.assertNoResult(done)
        self.assertEqual((rehearsed.done, rehearsed.outcome), (None, "waiting until it answers a heartbeat"))
        self.seconds(15)
        self.assertNoResult(done)
        self.answer()
        self.seconds(1)
        self.successResultOf(done)
        self.assertEqual((rehearsed.done, rehearsed.outcome), (True, "it answered the next heartbeat, after 18 s"))
        self.successResultOf(rehearsed.settled())

    def test_heartbeat_not_answered(self) -> None:
        """It failed if the game answers none: by then its connection is closed."""
        rehearsed = self.play("heartbeat")
        self.seconds(61)
        self.assertEqual((rehearsed.done, rehearsed.outcome), (False, "its connection ended"))

    def test_connection_ended(self) -> None:
        """It failed if the game leaves."""
        rehearsed = self.play("tell")
        self.service.lost(self.session)
        self.seconds(1)
        self.assertEqual((rehearsed.done, rehearsed.outcome), (False, "its connection ended"))

    def test_came_back(self) -> None:
        """After a restart the game is closed with 1012, and it is done when the game is back."""
        rehearsed = self.play("restart")
        self.assertEqual(self.events(), ["restart"])
        self.assertIsNone(self.service.connection(self.session).closed)
        self.seconds(1)
        self.service.flush()
        self.assertEqual(self.service.connection(self.session).closed, (1012, "restarting"))
        self.service.lost(self.session)
        self.seconds(5)
        self.assertEqual((rehearsed.done, rehearsed.outcome), (None, "waiting until it is back"))
        self.service.join("Alpha")
        self.seconds(1)
        self.assertEqual((rehearsed.done, rehearsed.outcome), (True, "it came back after 7 s"))

    def test_parting(self) -> None:
        """Between the restart event and the end of the connection there is half a second, as when the daemon stops."""
        self.service.clock.advance(0.7)
        self.play("restart")
        for seconds, closed in ((0.3, False), (0.7, False), (0.3, True)):
            self.service.clock.advance(seconds)
            self.service.flush()
            self.assertEqual(self.service.connection(self.session).closed is not None, closed)

    def test_came_back_early(self) -> None:
        """It is told when it did not wait."""
        rehearsed = self.play("restart")
        self.seconds(1)
        self.service.lost(self.session)
        self.service.join("Alpha")
        self.seconds(1)
        self.assertEqual(rehearsed.outcome, "it came back after 2 s, before the 5 seconds were over")

    def test_did_not_come_back(self) -> None:
        """It failed if the game is not back after a minute."""
        rehearsed = self.play("restart")
        self.seconds(61)
        self.assertEqual((rehearsed.done, rehearsed.outcome), (False, "it did not come back within 60 s"))

    def test_remembered(self) -> None:
        """The last outcome of each step is remembered for ten minutes, of each game its own."""
        first, second = self.play("message"), self.play("message")
        self.play("tell")
        rehearsals = self.service.rehearsals
        self.assertIsNot(first, second)
        self.assertIs(rehearsals.of(self.client_id)["message"], second)
        self.assertEqual(set(rehearsals.of(self.client_id)), {"message", "tell"})
        self.assertEqual(rehearsals.of(self.service.world.client_id("Beta")), {})
        for _ in range(int(REMEMBERED) // 15):
            self.seconds(15)
            self.answer()
        self.assertEqual(rehearsals.of(self.client_id), {})

    def test_refused(self) -> None:
        """A step that is refused is not remembered."""
        self.service.lost(self.session)
        self.assertRaises(Refused, self.play, "message")
        self.assertEqual(self.service.rehearsals.of(self.client_id), {})
