"""Rehearsals over several nodes: the page on one of them, sessions of the game on any."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.network.session import Session
from gossip.network.steps import StepName
from gossip.registry.errors import Refused
from gossip.service.rehearsals import LATE, WITHIN, Rehearsed
from tests.support.memory_nodes import MemoryNode, Stream
from tests.support.world import frame


class RehearsalsElsewhereTests(SynchronousTestCase):
    """Two nodes; the owner rehearses on the first one."""

    def setUp(self) -> None:
        self.stream = Stream()
        self.a, self.b = (MemoryNode(self.stream, name) for name in "ab")
        self.client_id = self.a.world.client_id("Alpha")
        self.steps: tuple[StepName, ...] = ("message", "tell", "sign-in", "sign-out", "heartbeat", "restart")

    def join(self, node: MemoryNode) -> Session:
        return node.join("Alpha", channels=["gossip", "testing"], players=["Ana"])

    def play(self, step: StepName) -> Rehearsed:
        return self.a.rehearsals.play(self.client_id, step, None, self.a.now())

    def seconds(self, number: float) -> None:
        for _ in range(int(number)):
            for node in (self.a, self.b):
                node.clock.advance(1)

    def answer(self, *games: tuple[MemoryNode, Session]) -> None:
        for node, session in games:
            node.write(session, frame("heartbeat", {"players": ["Ana"]}))

    def told(self, node: MemoryNode, session: Session) -> list[str]:
        return [event["event"] for event in node.told(session) if event["event"] != "heartbeat"]

    def test_sent(self) -> None:
        """Each step reaches the session on the other node as it would reach one here, with the same words."""
        here, there = self.join(self.a), None
        alone = [(self.play(step).sent, self.told(self.a, here)) for step in self.steps]
        self.a.lost(here)
        self.seconds(60)
        there = self.join(self.b)
        beside = [(self.play(step).sent, self.told(self.b, there)) for step in self.steps]
        self.assertEqual(beside, alone)
        self.assertEqual([len(events) for _, events in beside], [1, 1, 1, 1, 0, 1])

    def test_done(self) -> None:
        """A step is done when all sessions have answered the next heartbeat, on whichever node they are."""
        games = [(self.a, self.join(self.a)), (self.b, self.join(self.b)), (self.b, self.join(self.b))]
        self.answer(*games)
        for late in games:
            rehearsed = self.play("message")
            self.seconds(16)
            self.answer(*(game for game in games if game is not late))
            self.seconds(1)
            self.assertIsNone(rehearsed.done)
            self.answer(late)
            self.seconds(1)
            self.assertEqual((rehearsed.done, rehearsed.outcome), (True, "it answered the next heartbeat, after 18 s"))

    def test_silent(self) -> None:
        """A game that does not answer, whose connection ends, or whose node is gone has not done what it should."""
        session = self.join(self.b)
        ended = self.play("message")
        self.b.lost(session)
        self.seconds(1)
        self.assertEqual((ended.done, ended.outcome), (False, "its connection ended"))
        self.join(self.b)
        gone = self.play("message")
        self.a.network.nodes.gone("b", self.a.now())
        for _ in range(int(WITHIN + LATE)):
            self.a.clock.advance(1)
        self.assertEqual((gone.done, gone.outcome), (False, "it did not answer a heartbeat within 60 s"))

    def test_restart(self) -> None:
        """A restart ends the sessions on all nodes; the game may come back on either."""
        for back in (self.a, self.b):
            here, there = self.join(self.a), self.join(self.b)
            rehearsed = self.play("restart")
            self.seconds(1)
            self.assertEqual(self.told(self.a, here), ["restart"])
            self.assertEqual(self.told(self.b, there), ["restart"])
            self.assertEqual(
                (self.a.connection(here).closed, self.b.connection(there).closed), ((1012, "restarting"),) * 2
            )
            for node, session in ((self.a, here), (self.b, there)):
                node.lost(session)
            self.seconds(5)
            self.assertIsNone(rehearsed.done)
            again = self.join(back)
            self.seconds(1)
            self.assertEqual((rehearsed.done, rehearsed.outcome[:15]), (True, "it came back af"))
            back.lost(again)
            self.seconds(60)

    def test_refused(self) -> None:
        """What cannot be played is refused at once, by what is known of sessions elsewhere."""
        with self.assertRaises(Refused) as caught:
            self.play("message")
        self.assertEqual(str(caught.exception), "the game is not connected")
        self.b.join("Alpha", supports=["channels"], channels=[])
        for step, text in (
            ("message", "the game is subscribed to no channel"),
            ("sign-in", 'the game does not support "players"'),
        ):
            with self.assertRaises(Refused) as caught:
                self.play(step)  # type: ignore[arg-type]
            self.assertEqual(str(caught.exception), text)
        self.assertEqual([each for each in self.stream.told if type(each).__name__ == "Rehearse"], [])

    def test_echo(self) -> None:
        """Echo answers all sessions of a game that hear its channel, on whichever node."""
        here, there = self.join(self.a), self.join(self.b)
        self.a.write(here, frame("channels/send", {"channel": "testing", "name": "Ana", "message": "Hi"}, "m"))
        self.assertEqual(self.told(self.a, here), ["channels/send", "channels/broadcast"])
        (heard,) = self.b.told(there)[-1:]
        self.assertEqual(heard["payload"]["message"], "Ana@Alpha said: Hi")
