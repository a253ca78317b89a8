"""
Limits on attempts on the pages: passwords, links, sign-ups, mails.

An attempt is counted before it is checked, so that many at once cannot get around the limit, and taken back if it was
legitimate. No attempt counts against an account alone: anybody could lock its owner out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from functools import partial
from typing import Final, Protocol

from twisted.internet.interfaces import IReactorTime

from gossip.web.http.requests import TOO_MANY
from gossip.web.http.router import Problem
from gossip.web.views.formatting import count

REMEMBERED: Final = 10_000
"""The maximum number of subjects whose attempts are remembered. The oldest are forgotten first."""

MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE


class ICounts(Protocol):
    """
    Tells the other nodes of the network what was counted.

    @ivar counting: hears what other nodes count, by kind.
    """

    counting: dict[str, Callable[[str, int], None]]

    def count(self, what: str, subject: str, change: int) -> None:
        """Tell the other nodes: see L{gossip.network.relays.Counted}."""


class TooManyAttempts(Problem):
    """Something was tried too often. It can be tried again later."""

    def __init__(self, what: str, seconds: float) -> None:
        """
        @param what: what there was too much of, for people.
        @param seconds: in how many seconds it can be tried again.
        """
        whole = max(math.ceil(seconds), 1)
        wait = count(whole, "second") if whole < MINUTE else count(math.ceil(whole / MINUTE), "minute")
        super().__init__(TOO_MANY, f"Too many {what}. Try again in {wait}.", {b"Retry-After": b"%d" % whole})


class Attempts:
    """Attempts of one kind: each subject has a number of them in a span of time, which begins with the first."""

    def __init__(self, clock: IReactorTime, what: str, most: int, seconds: float) -> None:
        """
        @param what: what is tried, for people, in the plural.
        @param most: the maximum number of attempts in a span.
        @param seconds: the length of a span.
        """
        self._clock = clock
        self._what = what
        self._most = most
        self._seconds = seconds
        self._tried: dict[str, tuple[int, float]] = {}
        self._tell: Callable[[str, int], object] = lambda subject, change: None

    def shared(self, counts: ICounts, what: str) -> Attempts:
        """
        Count the attempts of all nodes of the network.

        @param what: names the kind among nodes.
        """
        self._tell = partial(counts.count, what)
        counts.counting[what] = self.told
        return self

    def told(self, subject: str, change: int) -> None:
        """Another node counted attempts: see L{gossip.network.relays.Counted}."""
        if change > 0:
            self._add(subject, *self._counted(subject))
        elif change < 0:
            self._remove(subject)
        else:
            self._tried.pop(subject, None)

    def __len__(self) -> int:
        """The number of subjects whose attempts are remembered."""
        return len(self._tried)

    def left(self, subject: Hashable) -> int:
        """How many attempts a subject has left."""
        return self._most - self._counted(str(subject))[0]

    def spend(self, subject: Hashable) -> None:
        """
        Count an attempt.

        @raise TooManyAttempts: the limit is reached; this attempt is not allowed.
        """
        subject = str(subject)
        tried, since = self._counted(subject)
        if tried >= self._most:
            # Not since + seconds - now: rounding could make that more than a whole span.
            raise TooManyAttempts(self._what, self._seconds - (self._clock.seconds() - since))
        self._add(subject, tried, since)
        self._tell(subject, 1)

    def take_back(self, subject: Hashable) -> None:
        """Do not count the last attempt: it was legitimate."""
        subject = str(subject)
        self._remove(subject)
        self._tell(subject, -1)

    def forget(self, subject: Hashable) -> None:
        """Forget all attempts of a subject."""
        subject = str(subject)
        self._tried.pop(subject, None)
        self._tell(subject, 0)

    def _add(self, subject: str, tried: int, since: float) -> None:
        if subject not in self._tried and len(self._tried) >= REMEMBERED:
            self._make_room()
        self._tried[subject] = tried + 1, since

    def _remove(self, subject: str) -> None:
        tried, since = self._counted(subject)
        if tried > 1:
            self._tried[subject] = tried - 1, since
        else:
            self._tried.pop(subject, None)

    def _counted(self, subject: str) -> tuple[int, float]:
        now = self._clock.seconds()
        tried, since = self._tried.get(subject, (0, now))
        # The clock of the machine can be set back.
        return (tried, min(since, now)) if since + self._seconds > now else (0, now)

    def _make_room(self) -> None:
        until = self._clock.seconds() - self._seconds
        self._tried = {subject: each for subject, each in self._tried.items() if each[1] > until}
        if len(self._tried) >= REMEMBERED:
            del self._tried[next(iter(self._tried))]


class AttemptLimits:
    """
    The limits on attempts to sign in, sign up and get a link by mail.

    @ivar passwords: wrong passwords for one account from one address.
    @ivar passwords_from: wrong passwords from one address.
    @ivar sign_ups: new accounts from one address.
    @ivar links: invalid links from one address.
    @ivar mails: requests for a mail from one address.
    @ivar mails_to: mails to one account.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.passwords = Attempts(clock, "wrong passwords", 10, 15 * MINUTE)
        self.passwords_from = Attempts(clock, "wrong passwords", 50, 15 * MINUTE)
        self.sign_ups = Attempts(clock, "new accounts from your address", 10, HOUR)
        self.links = Attempts(clock, "invalid links", 20, 15 * MINUTE)
        self.mails = Attempts(clock, "mails", 5, HOUR)
        self.mails_to = Attempts(clock, "mails", 3, HOUR)

    def shared(self, counts: ICounts) -> AttemptLimits:
        """Count the attempts of all nodes of the network."""
        for what, attempts in vars(self).items():
            attempts.shared(counts, what)
        return self
