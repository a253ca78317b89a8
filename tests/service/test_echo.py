"""The answers of echo, in the order in which they leave."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.support.memory_service import MemoryService
from tests.support.world import frame


def said(message: str, channel: str = "testing", ref: str | None = None) -> dict[str, Any]:
    return frame("channels/send", {"channel": channel, "name": "Ana", "message": message}, ref)


class EchoTests(SynchronousTestCase):
    """A game with two sessions, and a disk that is slow."""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.session = self.service.join("Alpha", channels=["testing", "gossip"])
        self.second = self.service.join("Alpha", channels=["testing"])
        self.service.writer.slow = True

    def heard(self) -> list[Any]:
        """What the session that spoke was told: refs of answers, and texts."""
        events = self.service.told(self.session)
        return [event["ref"] if "status" in event else event["payload"]["message"] for event in events]

    def test_after_the_answers(self) -> None:
        """Echo answers when the message is on disk: after the success of it, and before that of the next one."""
        self.service.write(self.session, said("one", "gossip", "1"), said("two", ref="2"), said("three", "gossip", "3"))
        self.assertEqual((self.heard(), self.service.told(self.second)), ([], []))
        self.service.writer.settle()
        self.assertEqual(self.heard(), ["1", "2", "Ana@Alpha said: two", "3"])
        [told] = self.service.told(self.second)
        self.assertEqual(told["payload"]["message"], "Ana@Alpha said: two")

    def test_without_ref(self) -> None:
        """A message that wants no answer is answered by echo in its turn all the same."""
        self.service.write(self.session, said("one", "gossip", "1"), said("two"))
        self.service.writer.settle()
        self.assertEqual(self.heard(), ["1", "Ana@Alpha said: two"])

    def test_not_kept(self) -> None:
        """What could not be kept is not answered."""
        self.service.write(self.session, said("one", ref="1"))
        self.service.writer.settle(kept=False)
        self.assertEqual(self.heard(), ["1"])

    def test_gone(self) -> None:
        """A game that has left is told nothing."""
        self.service.write(self.session, said("one", ref="1"))
        self.service.lost(self.session)
        self.service.lost(self.second)
        self.service.writer.settle()
        self.assertEqual(self.service.told(self.second), [])
