"""
Passwords: the rules for them, and their hashes, made and checked with argon2 in threads.

A check is slow on purpose: it takes a processor tens of milliseconds. The numbers of checks that run and that wait are
bounded, so that sign-ins cannot keep the daemon from its work.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Hashable
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web import http

from gossip.operations.interfaces import InThread
from gossip.web.accounts.turns import Turns
from gossip.web.http.router import Problem

SHORTEST: Final = 10
LONGEST: Final = 200


def hasher() -> PasswordHasher:
    """Argon2id with the parameters that OWASP recommends."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class Busy(Problem):
    """Too many passwords are waiting to be checked."""

    def __init__(self) -> None:
        super().__init__(
            http.SERVICE_UNAVAILABLE,
            "Too many people are signing in right now. Try again in a moment.",
            {b"Retry-After": b"5"},
        )


def password_error(password: str, name: str) -> str | None:
    """
    Why a password is not allowed; C{None} if it is.

    @param name: the name of the account.
    """
    if not SHORTEST <= len(normalized(password)) <= LONGEST:
        return f"Use {SHORTEST} to {LONGEST} characters."
    if normalized(password).lower() == name.lower():
        return "The password must not be the account name."
    if len(set(password)) == 1:
        return "The password must not repeat a single character."
    return None


def normalized(password: str) -> str:
    """The password in a form that is the same for every keyboard (RFC 8265, section 4.2)."""
    return unicodedata.normalize("NFC", password)


class Passwords:
    """Makes and checks hashes of passwords."""

    def __init__(self, in_thread: InThread, argon: PasswordHasher | None = None) -> None:
        """
        @param in_thread: C{deferToThread}, or a substitute.
        @param argon: makes and checks the hashes.
        """
        self._in_thread = in_thread
        self._argon = argon or hasher()
        self._turns = Turns(Busy)

    async def hash(self, password: str, place: Hashable) -> str:
        """
        The hash of a password.

        @param place: the place that the request comes from.
        @raise Busy: too many checks are waiting.
        """
        made: str = await self._in_turn(place, self._argon.hash, normalized(password))
        return made

    async def verify(self, password: str, kept: str | None, place: Hashable) -> tuple[bool, str | None]:
        """
        Check a password. That takes the same time if there is no hash.

        @param kept: the stored hash; C{None} if the account does not exist or has no password.
        @param place: the place that the request comes from.
        @return: whether the password is right, and a new hash to store if the old one is weaker than today's.
        @raise Busy: too many checks are waiting.
        """
        # No password is longer than this.
        judged: tuple[bool, str | None] = await self._in_turn(
            place, self._verify, normalized(password)[: LONGEST + 1], kept
        )
        return judged

    def _verify(self, password: str, kept: str | None) -> tuple[bool, str | None]:
        if kept is None:
            self._argon.hash(password)
            return False, None
        try:
            self._argon.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False, None
        return True, self._argon.hash(password) if self._argon.check_needs_rehash(kept) else None

    async def _in_turn(self, place: Hashable, function: Callable[..., Any], *arguments: Any) -> Any:
        await self._turns.take(place)
        answer: Deferred[Any] = Deferred()

        def done(result: Any) -> None:
            self._turns.end(place)
            answer.errback(result) if isinstance(result, Failure) else answer.callback(result)

        # A cancelled request does not end the thread: its turn lasts until the thread is done.
        self._in_thread(function, *arguments).addBoth(done)
        return await answer
