"""L{gossip.operations.executor} and L{gossip.operations.errands}: operations and errands in a running daemon."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.audit import AuditList
from gossip.operations.channels import ChannelCreate
from gossip.operations.command import Command
from gossip.operations.errands import Say
from gossip.operations.executor import Executor
from gossip.operations.games import GameEdit, GameShow
from gossip.operations.messages import MessageRemove
from gossip.operations.operation import Operation
from gossip.operations.restrictions import MuteAdd
from gossip.registry.changes import AccountSaved, ChannelSaved
from gossip.registry.entities import Account, Channel
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

    def test_moderate(self) -> None:
        """What a moderator does is judged before anything is read, and again when its turn comes."""
        registry = self.service.network.registry
        registry.enact(AccountSaved(Account(name="Ana")))
        channel = Channel("gossip", moderators=frozenset(["Ana"]))
        registry.enact(ChannelSaved(channel))
        read: list[str] = []

        def in_thread(function: Any, *arguments: Any) -> Deferred[Any]:
            read.append(function.__name__)
            return maybeDeferred(function, *arguments)

        executor = Executor(self.service, self.service.store, in_thread)

        def moderate(operation: Operation) -> Deferred[Any]:
            return Deferred.fromCoroutine(executor.moderate(operation, "gossip", "Ana"))

        mute = MuteAdd(who="Bo@Alpha", reason="So", channel="gossip", minutes=5)
        self.successResultOf(moderate(mute))
        self.assertEqual((self.noted()[0][:2], len(registry.mutes)), (("Ana", "mute/add"), 1))
        self.failureResultOf(moderate(MessageRemove(id="news:1", reason="So")), Refused)
        self.assertEqual(read, [])
        self.service.writer.slow = True
        self.service.change(ChannelSaved(replace(channel, moderators=frozenset())))
        late = moderate(mute)
        self.assertNoResult(late)
        self.service.writer.settle()
        self.assertEqual(str(self.failureResultOf(late, Refused).value), "you do not moderate gossip")
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
