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
    LONGEST,
    SHORTEST,
    Busy,
    Passwords,
    hasher,
    password_error,
)
from gossip.web.accounts.turns import AT_ONCE, OF_ONE_PLACE, WAITING
from tests.support.passwords import GOOD, QUICK, Threads


class Hasher(PasswordHasher):
    """A hasher that counts its work."""

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
    """The rules for passwords."""

    def test_length(self) -> None:
        """A password has 10 to 200 characters."""
        for length, is_good in ((0, False), (9, False), (10, True), (200, True), (201, False)):
            self.assertEqual(password_error("ab" * (length // 2) + "c" * (length % 2), "Ana") is None, is_good, length)

    def test_characters(self) -> None:
        """The length is in characters, not in bytes, whether they are composed or not."""
        self.assertIsNone(password_error("pässwörter", "Ana"))
        self.assertIsNotNone(password_error("a\u0308" * 9, "Ana"))

    def test_name(self) -> None:
        """A password is not the account name, in any case."""
        self.assertIsNotNone(password_error("anastasia_1", "Anastasia_1"))
        self.assertIsNone(password_error("anastasia_1!", "Anastasia_1"))

    def test_dull(self) -> None:
        """A password is not a single repeated character."""
        self.assertIsNotNone(password_error("aaaaaaaaaaaaa", "Ana"))

    @given(st.text() | st.text(min_size=10), st.text())
    def test_anything(self, password: str, name: str) -> None:
        """Any text is allowed, or refused with a sentence."""
        told = password_error(password, name)
        self.assertTrue(len(password) >= SHORTEST if told is None else told.endswith("."))


class Keeping(SynchronousTestCase):
    """Hashes."""

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
        """Hashes are argon2id with the parameters that OWASP recommends."""
        self.assertRegex(hasher().hash(GOOD), r"^\$argon2id\$v=19\$m=19456,t=2,p=1\$")

    def test_right_and_wrong(self) -> None:
        """Only the right password is right; two hashes of one password differ."""
        kept = self.hash()
        self.assertNotIn("horse", kept)
        self.assertNotEqual(kept, self.hash())
        self.assertEqual(self.verify(GOOD, kept), (True, None))
        for wrong in ("", GOOD[:-1], GOOD.upper(), GOOD + " ", GOOD * 100):
            self.assertEqual(self.verify(wrong, kept), (False, None), wrong[:40])

    def test_long(self) -> None:
        """Every character of the longest password counts, and a longer one is wrong."""
        longest = "ab" * (LONGEST // 2)
        kept = self.hash(longest)
        self.assertEqual(self.verify(longest, kept), (True, None))
        self.assertEqual(self.verify(longest[:-1], kept), (False, None))
        self.assertEqual(self.verify(longest + "a", kept), (False, None))

    def test_keyboards(self) -> None:
        """A composed letter equals the same letter as two characters."""
        self.assertEqual(self.verify("pa\u0308sswo\u0308rter", self.hash("p\xe4ssw\xf6rter")), (True, None))

    def test_nobody(self) -> None:
        """A check without a hash takes as much work as one with a hash."""
        kept = self.hash()
        self.hasher.computed = 0
        self.assertEqual(self.verify(GOOD, None), (False, None))
        self.assertEqual(self.hasher.computed, 1)
        self.verify("wrong" * 3, kept)
        self.assertEqual(self.hasher.computed, 2)

    def test_damaged(self) -> None:
        """A damaged hash matches no password."""
        for kept in ("", "x", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$x$y"):
            self.assertEqual(self.verify(GOOD, kept), (False, None), kept)

    def test_weaker(self) -> None:
        """A weak hash is replaced when its password is checked, and not before."""
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
        """An error in the hasher is an error, and not a wrong password; the next check gets its turn."""

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
        """Check a password, by default from its own place."""
        return Deferred.fromCoroutine(self.passwords.verify(GOOD, self.kept, place or str(next(self.places))))

    def test_few_at_once(self) -> None:
        """A bounded number of checks runs at once; the others wait."""
        asked = [self.verify() for _ in range(AT_ONCE + 3)]
        for left in (3, 2, 1, 0):
            self.assertEqual(len(self.threads.working), AT_ONCE)
            self.assertEqual(sum(not each.called for each in asked), AT_ONCE + left)
            self.threads.finish()
        self.assertEqual([self.successResultOf(each) for each in asked[:4]], [(True, None)] * 4)

    def test_too_many(self) -> None:
        """With too many waiting, a check is refused at once, with the time to try again."""
        asked = [self.verify() for _ in range(AT_ONCE + WAITING)]
        busy = self.failureResultOf(self.verify(), Busy).value
        self.assertEqual((busy.code, busy.headers), (503, {b"Retry-After": b"5"}))
        self.threads.finish()
        asked.append(self.verify())
        while self.threads.working:
            self.threads.finish()
        self.assertEqual({self.successResultOf(each) for each in asked}, {(True, None)})

    def test_one_place(self) -> None:
        """One place can have a bounded number of checks, so that others get their turns."""
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
        """A cancelled check frees its place in the queue at once, and its thread when that is done."""
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

    def test_turns(self) -> None:
        """Places take turns: one that comes last waits for one check of each other place, not for all of them."""
        crowd = [self.verify(f"crowd {n}") for _ in range(4) for n in range(5)]
        late = self.verify("late")
        for _ in range(AT_ONCE + 6):
            self.assertFalse(late.called)
            self.threads.finish()
        self.assertEqual(self.successResultOf(late), (True, None))
        self.assertEqual(sum(each.called for each in crowd), AT_ONCE + 5)

    def test_crowd_gives_way(self) -> None:
        """Five places with an account each cannot keep anybody out: the longest line loses its last check."""
        crowd = [self.verify(f"crowd {n}") for _ in range(OF_ONE_PLACE) for n in range(5)]
        refused = sum(each.called for each in crowd)
        for each in crowd:
            each.addErrback(lambda failure: failure.trap(Busy))
        self.assertEqual(refused, 5 * OF_ONE_PLACE - AT_ONCE - WAITING)
        late = [self.verify(f"late {n}") for n in range(3)]
        self.assertEqual([each.called for each in late], [False] * 3)
        self.assertEqual(sum(each.called for each in crowd), refused + 3)
        while self.threads.working:
            self.threads.finish()
        self.assertEqual([self.successResultOf(each) for each in late], [(True, None)] * 3)

    def test_nothing_left(self) -> None:
        """Of checks that are done, cancelled or refused nothing is remembered."""
        asked = [self.verify(f"place {n % 7}") for n in range(OF_ONE_PLACE * 7)]
        for each in asked:
            each.addErrback(lambda failure: None)
        asked[10].cancel()
        while self.threads.working:
            self.threads.finish()
        turns = self.passwords._turns
        self.assertEqual((turns._running, turns._held, turns._lines), (0, {}, {}))
