"""L{gossip.web.accounts.passwords}: rules, hashes, and bounds on the work that hashing costs."""

from __future__ import annotations

import itertools
from typing import Any

from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from gossip.web.accounts.passwords import (
    AT_ONCE,
    LONGEST,
    OF_ONE_PLACE,
    SHORTEST,
    WAITING,
    Busy,
    Passwords,
    hasher,
    password_error,
)
from tests.support.passwords import GOOD, QUICK, Threads


class Hasher(PasswordHasher):
    """Counts what it does."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.computed = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.computed += 1
        return super().hash(password, salt=salt)

    def verify(self, kept: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        self.computed += 1
        return super().verify(kept, password)


class Rules(SynchronousTestCase):
    """What a password must be."""

    def test_length(self) -> None:
        """It has ten characters or more, and not too many."""
        for length, is_good in ((0, False), (9, False), (10, True), (200, True), (201, False)):
            self.assertEqual(password_error("ab" * (length // 2) + "c" * (length % 2), "Ana") is None, is_good, length)

    def test_characters(self) -> None:
        """Characters count, not bytes, and not how they were composed."""
        self.assertIsNone(password_error("pässwörter", "Ana"))
        self.assertIsNotNone(password_error("a\u0308" * 9, "Ana"))

    def test_name(self) -> None:
        """It is not the name, in whatever case."""
        self.assertIsNotNone(password_error("anastasia_1", "Anastasia_1"))
        self.assertIsNone(password_error("anastasia_1!", "Anastasia_1"))

    def test_dull(self) -> None:
        """It is not one character over and over."""
        self.assertIsNotNone(password_error("aaaaaaaaaaaaa", "Ana"))

    @given(st.text() | st.text(min_size=10), st.text())
    def test_anything(self, password: str, name: str) -> None:
        """Whatever is typed is good or is told why not, in a sentence."""
        told = password_error(password, name)
        self.assertTrue(len(password) >= SHORTEST if told is None else told.endswith("."))


class Keeping(SynchronousTestCase):
    """How a password is kept and checked."""

    def setUp(self) -> None:
        self.hasher = Hasher()
        self.passwords = Passwords(maybeDeferred, self.hasher)

    def hash(self, password: str = GOOD) -> str:
        made: str = self.successResultOf(Deferred.fromCoroutine(self.passwords.hash(password, "x")))
        return made

    def verify(self, password: str, kept: str | None) -> tuple[bool, str | None]:
        judged: tuple[bool, str | None] = self.successResultOf(
            Deferred.fromCoroutine(self.passwords.verify(password, kept, "x"))
        )
        return judged

    def test_strength(self) -> None:
        """Passwords are kept as argon2id, as strong as OWASP asks for."""
        self.assertRegex(hasher().hash(GOOD), r"^\$argon2id\$v=19\$m=19456,t=2,p=1\$")

    def test_right_and_wrong(self) -> None:
        """The right one is right, every other one is wrong; two hashes of one are different."""
        kept = self.hash()
        self.assertNotIn("horse", kept)
        self.assertNotEqual(kept, self.hash())
        self.assertEqual(self.verify(GOOD, kept), (True, None))
        for wrong in ("", GOOD[:-1], GOOD.upper(), GOOD + " ", GOOD * 100):
            self.assertEqual(self.verify(wrong, kept), (False, None), wrong[:40])

    def test_long(self) -> None:
        """Of the longest password every character counts, and what is longer is wrong."""
        longest = "ab" * (LONGEST // 2)
        kept = self.hash(longest)
        self.assertEqual(self.verify(longest, kept), (True, None))
        self.assertEqual(self.verify(longest[:-1], kept), (False, None))
        self.assertEqual(self.verify(longest + "a", kept), (False, None))

    def test_keyboards(self) -> None:
        """A letter is the same whether it came as one character or as two."""
        self.assertEqual(self.verify("pa\u0308sswo\u0308rter", self.hash("p\xe4ssw\xf6rter")), (True, None))

    def test_nobody(self) -> None:
        """Who is not there, or has no password, takes as much work as who is."""
        kept = self.hash()
        self.hasher.computed = 0
        self.assertEqual(self.verify(GOOD, None), (False, None))
        self.assertEqual(self.hasher.computed, 1)
        self.verify("wrong" * 3, kept)
        self.assertEqual(self.hasher.computed, 2)

    def test_damaged(self) -> None:
        """What is no hash fits no password."""
        for kept in ("", "x", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$x$y"):
            self.assertEqual(self.verify(GOOD, kept), (False, None), kept)

    def test_weaker(self) -> None:
        """A hash that is weaker than today's is replaced when its password is shown, and not before."""
        stronger = Passwords(maybeDeferred, PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
        old = self.hash()
        self.passwords = stronger
        self.assertEqual(self.verify("wrong" * 3, old), (False, None))
        right, better = self.verify(GOOD, old)
        self.assertTrue(right)
        assert better is not None
        self.assertIn("t=2", better)
        self.assertEqual(self.verify(GOOD, better), (True, None))

    def test_broken(self) -> None:
        """A failure of the hash is a failure, and no wrong password; the next one has its turn."""

        def breaking(*arguments: Any) -> None:
            raise MemoryError

        self.patch(self.hasher, "verify", breaking)
        for _ in range(2 * AT_ONCE):
            self.failureResultOf(
                Deferred.fromCoroutine(self.passwords.verify(GOOD, QUICK.hash(GOOD), "x")), MemoryError
            )


class Crowds(SynchronousTestCase):
    """Many at once."""

    def setUp(self) -> None:
        self.threads = Threads()
        self.passwords = Passwords(self.threads, QUICK)
        self.kept = QUICK.hash(GOOD)
        self.places = itertools.count()

    def verify(self, place: str | None = None) -> Deferred[tuple[bool, str | None]]:
        """Somebody shows his password, from a place of his own if none is named."""
        return Deferred.fromCoroutine(self.passwords.verify(GOOD, self.kept, place or str(next(self.places))))

    def test_few_at_once(self) -> None:
        """Only so many are checked at once; the others wait for their turn."""
        asked = [self.verify() for _ in range(AT_ONCE + 3)]
        for left in (3, 2, 1, 0):
            self.assertEqual(len(self.threads.working), AT_ONCE)
            self.assertEqual(sum(not each.called for each in asked), AT_ONCE + left)
            self.threads.finish()
        self.assertEqual([self.successResultOf(each) for each in asked[:4]], [(True, None)] * 4)

    def test_too_many(self) -> None:
        """Beyond what may wait, one is told so at once, and when to come again."""
        asked = [self.verify() for _ in range(AT_ONCE + WAITING)]
        busy = self.failureResultOf(self.verify(), Busy).value
        self.assertEqual((busy.code, busy.headers), (503, {b"Retry-After": b"5"}))
        self.threads.finish()
        asked.append(self.verify())
        while self.threads.working:
            self.threads.finish()
        self.assertEqual({self.successResultOf(each) for each in asked}, {(True, None)})

    def test_one_place(self) -> None:
        """From one place come so many at once and no more, so that the others get their turns."""
        asked = [self.verify("one") for _ in range(OF_ONE_PLACE)]
        self.failureResultOf(self.verify("one"), Busy)
        self.failureResultOf(Deferred.fromCoroutine(self.passwords.hash(GOOD, "one")), Busy)
        asked.append(self.verify("another"))
        gone = asked.pop(OF_ONE_PLACE - 1)
        gone.cancel()
        self.failureResultOf(gone)
        asked.append(self.verify("one"))
        self.failureResultOf(self.verify("one"), Busy)
        self.threads.finish()
        asked.append(self.verify("one"))
        while self.threads.working:
            self.threads.finish()
        self.assertEqual([each.called for each in asked], [True] * (OF_ONE_PLACE + 2))

    def test_who_goes_away(self) -> None:
        """Who no longer waits frees his place in the queue at once, and his thread when it is done."""
        asked = [self.verify() for _ in range(AT_ONCE + 1)]
        asked[0].cancel()
        self.failureResultOf(asked[0])
        self.assertEqual(len(self.threads.working), AT_ONCE)
        self.threads.finish()
        self.assertEqual(len(self.threads.working), AT_ONCE)
        waiting = self.verify()
        waiting.cancel()
        self.failureResultOf(waiting)
        while self.threads.working:
            self.threads.finish()
        self.assertEqual([self.successResultOf(each) for each in asked[1:]], [(True, None)] * AT_ONCE)
