"""L{gossip.operations.executor} and L{gossip.operations.errands}: operations and errands in a running daemon."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.audit import AuditList
from gossip.operations.channels import ChannelCreate
from gossip.operations.command import Command
from gossip.operations.errands import Say
from gossip.operations.executor import Executor
from gossip.operations.games import GameEdit, GameShow
from gossip.registry.errors import Refused
from gossip.service.changes_in_turn import NotKept
from gossip.store.errors import StoreError
from tests.support.memory_service import MemoryService
from tests.support.memory_store import COPY


class ExecutorTests(SynchronousTestCase):
    """Commands in a daemon with the game Alpha."""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.executor = Executor(self.service, self.service.store, maybeDeferred)

    def carry_out(self, command: Command, check: Callable[[], None] | None = None) -> Deferred[Any]:
        return Deferred.fromCoroutine(self.executor.carry_out(command, "ana", check))

    def noted(self) -> list[Any]:
        """What the audit log holds."""
        entries = self.service.store.entries
        return [(entry.actor, entry.operation, json.loads(entry.arguments)) for entry in entries]

    def test_operation(self) -> None:
        """An operation has changed what is known by the time its result is there, and is noted."""
        result = self.successResultOf(self.carry_out(ChannelCreate(channel="news")))
        self.assertEqual(result["name"], "news")
        self.assertIn("news", self.service.network.registry.channels)
        self.assertEqual(self.noted(), [("ana", "channel/create", {"channel": "news", "hidden": False})])

    def test_looks(self) -> None:
        """An operation that looks into the store has read it; one that changes nothing is not noted."""
        self.successResultOf(self.carry_out(ChannelCreate(channel="news")))
        entries = self.successResultOf(self.carry_out(AuditList()))["entries"]
        self.assertEqual([entry["operation"] for entry in entries], ["channel/create"])
        self.assertEqual(len(self.noted()), 1)

    def test_one_at_a_time(self) -> None:
        """An operation begins with what the operation before left: neither of two edits is lost."""
        self.service.writer.slow = True
        first = self.carry_out(GameEdit(game="Alpha", tagline="One"))
        second = self.carry_out(GameEdit(game="Alpha", description="Two"))
        self.assertNoResult(first)
        self.service.writer.slow = False
        self.service.writer.settle()
        self.successResultOf(first)
        self.successResultOf(second)
        shown = self.successResultOf(self.carry_out(GameShow(game="Alpha")))
        self.assertEqual((shown["tagline"], shown["description"]), ("One", "Two"))

    def test_check(self) -> None:
        """A check is made when the turn of the operation comes, and what it raises is the failure."""
        channels = self.service.network.registry.channels
        seen: list[bool] = []

        def check() -> None:
            seen.append("news" in channels)
            if seen[-1]:
                raise KeyError

        self.service.writer.slow = True
        first, second = (self.carry_out(ChannelCreate(channel=name), check=check) for name in ("news", "other"))
        self.assertEqual(seen, [False])
        self.service.writer.slow = False
        self.service.writer.settle()
        self.successResultOf(first)
        self.failureResultOf(second, KeyError)
        self.assertEqual((seen, "other" in channels), ([False, True], False))

    def test_say(self) -> None:
        """The network itself says something; the result of an errand is its arguments."""
        self.service.join("Alpha", channels=["gossip"])
        said = self.successResultOf(self.carry_out(Say(channel="gossip", text="Hi")))
        self.assertEqual(said, {"channel": "gossip", "text": "Hi"})
        self.assertEqual([each.message for each in self.service.store.said], ["Hi"])
        self.assertEqual(self.noted(), [("ana", "say", said)])

    def test_not_said(self) -> None:
        """An errand that is refused is not noted."""
        self.failureResultOf(self.carry_out(Say(channel="nowhere", text="Hi")), Refused)
        self.assertEqual(self.noted(), [])

    def test_backup(self) -> None:
        """A backup is a file with the copy, and is noted; one that fails is not."""
        copy = self.successResultOf(Deferred.fromCoroutine(self.executor.snapshot("ana")))
        self.assertEqual(copy.read(), COPY)
        self.service.store.full = True
        self.failureResultOf(Deferred.fromCoroutine(self.executor.snapshot("ana")), StoreError)
        self.assertEqual(self.noted(), [("ana", "backup", {})])

    def test_backup_not_noted(self) -> None:
        """Nobody gets a copy that could not be noted."""
        self.service.writer.full = True
        self.failureResultOf(Deferred.fromCoroutine(self.executor.snapshot("ana")), NotKept)
        self.assertTrue(self.service.store.snapshots[0].closed)
