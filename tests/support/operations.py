"""A registry that an admin works on, without a daemon."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.catalogue import OPERATIONS
from gossip.operations.command import Result
from gossip.operations.operation import Occasion, read
from gossip.registry.errors import Refused
from gossip.registry.registry import Registry
from tests.support.memory_store import MemoryStore
from tests.support.world import NOW, uuid


class AdminTestCase(SynchronousTestCase):
    """A registry that an admin works on."""

    def setUp(self) -> None:
        self.registry = Registry()
        self.numbers = itertools.count(1)
        self.memory = MemoryStore()
        self.change: Any = None
        self.actor = "unix:ana"
        self.in_clear: frozenset[str] = frozenset()

    def perform(self, name: str, now: float = NOW, /, **arguments: Any) -> Result:
        """Carry out an operation as the daemon does; what it changed is in C{change}."""
        operation = read(msgspec.json.encode(arguments), OPERATIONS[name])
        on = Occasion(now, lambda: uuid(next(self.numbers)), self.actor, in_clear=self.in_clear)
        found = operation.look(self.memory, now) if operation.looks else None
        results = []
        for part in operation.parts(found):
            self.change, result = operation.perform(self.registry, replace(on, found=part))
            results.append(result)
            if self.change is not None:
                self.registry.check(self.change, ("system",))
                self.registry.enact(self.change)
        return operation.joined(found, results)

    def assertRefused(self, text: str, name: str, /, **arguments: Any) -> None:
        with self.assertRaises(Refused) as caught:
            self.perform(name, **arguments)
        self.assertEqual(str(caught.exception), text)

    def add(self, short_name: str = "Alpha", **more: Any) -> Result:
        return self.perform("game/add", name=f"The {short_name}", short_name=short_name, **more)
