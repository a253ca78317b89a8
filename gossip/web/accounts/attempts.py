"""
How often something may be tried on the pages: passwords, links, sign-ups, mails.

What is tried is counted before it is judged, so that many tries at once are no way around, and taken back where it was
no fault. Nothing is counted against an account alone: that would let anybody lock anybody out.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Final

from twisted.internet.interfaces import IReactorTime

from gossip.web.http.requests import TOO_MANY
from gossip.web.http.router import Problem
from gossip.web.views.formatting import count

REMEMBERED: Final = 10_000
"""Of how many subjects tries are remembered; beyond that the oldest are forgotten."""

MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE


class TooManyAttempts(Problem):
    """Something was tried too often; it may be again after a while."""

    def __init__(self, what: str, seconds: float) -> None:
        """
        @param what: what there was too much of, for people.
        @param seconds: after how long it may be tried again.
        """
        whole = max(math.ceil(seconds), 1)
        wait = count(whole, "second") if whole < MINUTE else count(math.ceil(whole / MINUTE), "minute")
        super().__init__(TOO_MANY, f"Too many {what}. Try again in {wait}.", {b"Retry-After": b"%d" % whole})


class Attempts:
    """Tries of one kind: each subject has so many in each span of time, which begins with the first of them."""

    def __init__(self, clock: IReactorTime, what: str, most: int, seconds: float) -> None:
        """
        @param what: what is tried, for people, in the plural.
        @param most: how many tries there are.
        @param seconds: in how many seconds.
        """
        self._clock = clock
        self._what = what
        self._most = most
        self._seconds = seconds
        self._tried: dict[Hashable, tuple[int, float]] = {}

    def __len__(self) -> int:
        """Of how many subjects tries are remembered."""
        return len(self._tried)

    def left(self, subject: Hashable) -> int:
        """How many tries somebody has now."""
        return self._most - self._counted(subject)[0]

    def spend(self, subject: Hashable) -> None:
        """
        Count a try.

        @raise TooManyAttempts: there were too many already, and this one is not to be.
        """
        tried, since = self._counted(subject)
        if tried >= self._most:
            # Not since + seconds - now: rounding could make that more than a whole span.
            raise TooManyAttempts(self._what, self._seconds - (self._clock.seconds() - since))
        if subject not in self._tried and len(self._tried) >= REMEMBERED:
            self._make_room()
        self._tried[subject] = tried + 1, since

    def take_back(self, subject: Hashable) -> None:
        """The last try was no fault."""
        tried, since = self._counted(subject)
        if tried > 1:
            self._tried[subject] = tried - 1, since
        else:
            self._tried.pop(subject, None)

    def forget(self, subject: Hashable) -> None:
        """Somebody begins anew."""
        self._tried.pop(subject, None)

    def _counted(self, subject: Hashable) -> tuple[int, float]:
        now = self._clock.seconds()
        tried, since = self._tried.get(subject, (0, now))
        # The clock of a machine may be set back.
        return (tried, min(since, now)) if since + self._seconds > now else (0, now)

    def _make_room(self) -> None:
        until = self._clock.seconds() - self._seconds
        self._tried = {subject: each for subject, each in self._tried.items() if each[1] > until}
        if len(self._tried) >= REMEMBERED:
            del self._tried[next(iter(self._tried))]


class AttemptLimits:
    """
    All that is counted.

    @ivar passwords: wrong passwords for one account from one address.
    @ivar passwords_from: wrong passwords from one address.
    @ivar sign_ups: accounts that are made from one address.
    @ivar links: links that are no good, from one address.
    @ivar mails: mails that are asked for from one address.
    @ivar mails_to: mails to one account.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.passwords = Attempts(clock, "wrong passwords", 10, 15 * MINUTE)
        self.passwords_from = Attempts(clock, "wrong passwords", 50, 15 * MINUTE)
        self.sign_ups = Attempts(clock, "new accounts from your address", 10, HOUR)
        self.links = Attempts(clock, "invalid links", 20, 15 * MINUTE)
        self.mails = Attempts(clock, "mails", 5, HOUR)
        self.mails_to = Attempts(clock, "mails", 3, HOUR)
