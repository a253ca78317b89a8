"""Passwords whose hashes cost next to nothing, and threads that work when they are told to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from argon2 import PasswordHasher
from twisted.internet.defer import Deferred, maybeDeferred

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Hashes that cost next to nothing."""

GOOD = "correct horse battery"
BETTER = "a better horse battery"


class Threads:
    """Threads that work when they are told to."""

    def __init__(self) -> None:
        self.working: list[tuple[Deferred[Any], Callable[..., Any], tuple[Any, ...]]] = []
        self.done: list[str] = []

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        self.working.append((done := Deferred[Any](), function, arguments))
        return done

    def finish(self) -> None:
        """The first one comes to its end."""
        done, function, arguments = self.working.pop(0)
        maybeDeferred(function, *arguments).chainDeferred(done)
