"""L{gossip.operations.rehearsal}: rehearsing from gossipctl, the API and the pages."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from gossip.cli import terminal
from gossip.network.steps import STEPS
from gossip.operations.executor import Executor
from gossip.operations.rehearsal import EXPLAINED, Rehearse
from gossip.registry.errors import Refused
from tests.support.memory_service import MemoryService
from tests.support.world import frame


class RehearseTests(SynchronousTestCase):
    """A daemon with the game Alpha."""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.executor = Executor(self.service, self.service.store, maybeDeferred)
        self.session = self.service.join("Alpha", channels=["testing"], players=["Ana"], supports=["channels", "tells"])

    def rehearse(self, **more: Any) -> Deferred[Any]:
        return Deferred.fromCoroutine(self.executor.carry_out(Rehearse(game="Alpha", **more), "ana"))

    def noted(self) -> list[Any]:
        entries = self.service.store.entries
        return [(entry.actor, entry.operation, entry.subject, json.loads(entry.arguments)) for entry in entries]

    def test_explained(self) -> None:
        """Each step is explained, in their order."""
        self.assertEqual(tuple(EXPLAINED), STEPS)

    def test_waits(self) -> None:
        """The result is there when it is known what the game did; the note is there before."""
        done = self.rehearse(step="message")
        self.assertNoResult(done)
        self.assertEqual(
            self.noted(), [("ana", "game/rehearse", "Alpha", {"game": "Alpha", "step": "message", "no_wait": False})]
        )
        self.service.clock.pump([1.0] * 16)
        self.service.write(self.session, frame("heartbeat"))
        self.service.clock.advance(1)
        result = self.successResultOf(done)
        [step] = result["steps"]
        self.assertEqual((result["game"], step["step"], step["done"]), ("Alpha", "message", True))
        self.assertEqual(
            terminal.written(Rehearse.view(result)).splitlines(),
            [
                "A message (message)",
                "  sent: echo@gossip said on testing: This is a rehearsal. The players on this channel should see it.",
                "  expected: Your game shows it to the players who hear that channel.",
                "  yes: it answered the next heartbeat, after 17 s",
            ],
        )

    def test_does_not_wait(self) -> None:
        """It need not wait."""
        [step] = self.successResultOf(self.rehearse(step="tell", player="Ana", no_wait=True))["steps"]
        self.assertEqual((step["done"], step["outcome"]), (None, "waiting until it answers a heartbeat"))

    def test_all(self) -> None:
        """Without a step it is all but the restart, and those that the game does not support are left out."""
        result = self.successResultOf(self.rehearse(no_wait=True))
        self.assertEqual(
            [(each["step"], each["sent"] is not None) for each in result["steps"]],
            [("message", True), ("tell", True), ("sign-in", False), ("sign-out", False), ("heartbeat", True)],
        )
        self.assertEqual(result["steps"][2]["outcome"], 'left out: the game does not support "players"')
        self.assertIn('  left out: the game does not support "players"\n', terminal.written(Rehearse.view(result)))

    def test_refused(self) -> None:
        """A game that is not there and a step that it does not support are refused, and not noted."""
        for more in ({"step": "sign-in"}, {"step": "tell", "player": "Bo"}):
            self.failureResultOf(self.rehearse(**more), Refused)
        self.service.lost(self.session)
        self.failureResultOf(self.rehearse(), Refused)
        unknown = Deferred.fromCoroutine(self.executor.carry_out(Rehearse(game="Nobody"), "ana"))
        self.failureResultOf(unknown, Refused)
        self.assertEqual(self.noted(), [])

    def test_check(self) -> None:
        """What must hold is checked before anything is sent."""
        self.service.told(self.session)

        def check() -> None:
            raise KeyError

        command = Rehearse(game="Alpha", step="message")
        self.failureResultOf(Deferred.fromCoroutine(self.executor.carry_out(command, "ana", check)), KeyError)
        self.assertEqual(self.service.told(self.session), [])
