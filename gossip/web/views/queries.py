"""Queries of the store for pages, run in threads and cached for some seconds, however busy a page is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Hashable, Iterable, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from gossip.operations.listing import SLICE
from gossip.registry.changes import MessageSaid
from gossip.web.views.layout import Layout
from gossip.web.views.public import PublicChannels, PublicGame, PublicGames, PublicView

HOUR: Final = 3600
DAY: Final = 24 * HOUR

SHARED: Final = 5
"""For how many seconds requests share a list of all games or channels that is made in slices."""

_KEPT: Final = 1000


class Series(Struct, frozen=True):
    """
    Numbers over time.

    @ivar start: when the first span begins, in seconds since the epoch.
    @ivar step: the length of a span, in seconds.
    @ivar values: one for each span; C{None} where nothing was counted.
    """

    start: int
    step: int
    values: tuple[int | None, ...]

    @property
    def counted(self) -> bool:
        """Whether anything was counted at all."""
        return any(self.values)

    @property
    def total(self) -> int:
        """The sum of all values."""
        return sum(value or 0 for value in self.values)


class Period(Struct, frozen=True):
    """
    The period of a chart.

    @ivar key: its name in addresses.
    @ivar step: the length of a span, in seconds.
    @ivar spans: the number of spans.
    @ivar good: for how many seconds a result is cached.
    """

    key: str
    title: str
    step: int
    spans: int
    good: int

    def since(self, now: float) -> int:
        """When the first span begins."""
        return (int(now) // self.step - self.spans + 1) * self.step


PERIODS: Final = (
    Period("48h", "48 hours", HOUR // 2, 96, 60),
    Period("week", "Week", 2 * HOUR, 84, 300),
    Period("month", "Month", 8 * HOUR, 90, 900),
    Period("year", "Year", 4 * DAY, 92, 3600),
)
"""The periods that a chart can show; the first one is shown if none is asked for."""

SPARK: Final = Period("48h", "48 hours", HOUR, 48, 60)
TODAY: Final = Period("24h", "24 hours", HOUR, 24, 20)
_WEEKS: Final = Period("4weeks", "4 weeks", HOUR, 28 * 24, 3600)


def period_named(key: str | None) -> Period:
    """The period with this name in addresses, or the first one."""
    return next((period for period in PERIODS if period.key == key), PERIODS[0])


class Encoded(Struct, frozen=True):
    """
    An answer in JSON.

    @ivar digest: in hexadecimal; it differs if the answer differs.
    """

    body: bytes
    digest: str


class Cache:
    """Results of queries, for some seconds. Requests for a result that is being read wait for the same query."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._values: dict[Hashable, tuple[float, Any]] = {}
        self._waiting: dict[Hashable, list[Deferred[Any]]] = {}

    def get(self, key: Hashable, good: float, read: Callable[[], Deferred[Any]]) -> Deferred[Any]:
        """
        A result, from the cache or read now.

        @param good: for how many seconds a new result is cached.
        @param read: runs the query.
        """
        end, value = self._values.get(key, (0.0, None))
        if end > self._clock.seconds():
            return succeed(value)
        waiter: Deferred[Any] = Deferred()
        if key in self._waiting:
            self._waiting[key].append(waiter)
        else:
            self._waiting[key] = [waiter]
            read().addCallbacks(self._found, self._failed, callbackArgs=(key, good), errbackArgs=(key,))
        return waiter

    def _found(self, value: Any, key: Hashable, good: float) -> None:
        self._values.pop(key, None)
        if len(self._values) >= _KEPT:
            del self._values[next(iter(self._values))]
        self._values[key] = (self._clock.seconds() + good, value)
        for waiter in self._waiting.pop(key):
            waiter.callback(value)

    def _failed(self, failure: Failure, key: Hashable) -> None:
        for waiter in self._waiting.pop(key):
            waiter.errback(failure)


class CachedQueries:
    """Cached queries of the store."""

    def __init__(self, layout: Layout, public: PublicView) -> None:
        self._layout = layout
        self._public = public
        self._kept = Cache(layout.clock)
        self._spoken: Counter[str] = Counter()
        # What is cached, or was read a moment ago, does not know of the latest ones.
        self._registry = layout.gossip.network.registry

    def _read(self, good: float, method: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """Call a method of the store, unless its result is cached."""
        key = (method.__name__, *arguments)
        return self._kept.get(key, good, lambda: self._layout.read(method, *arguments))

    async def history(
        self, channel: str, limit: int, before: int | None = None, after: int | None = None
    ) -> Sequence[MessageSaid]:
        """Messages of a channel, oldest first."""
        asked = (channel, limit, before, after)
        key = ("history", self._spoken[channel], *asked)
        found = await self._kept.get(key, 1, lambda: self._layout.read(self._layout.store.history, *asked))
        return self._registry.removals.applied(found)

    def spoken(self, channel: str) -> None:
        """Drop the cached messages of a channel: somebody on the pages sent one and wants to see it."""
        self._spoken[channel] += 1

    async def games(self) -> PublicGames:
        """All games."""
        return await self._all("games", self._public.games)  # type: ignore[no-any-return]

    async def channels(self) -> PublicChannels:
        """All channels."""
        return await self._all("channels", self._public.channels)  # type: ignore[no-any-return]

    async def _all(self, key: str, work: Callable[[], Generator[None, None, Any]]) -> Any:
        """What is made in slices. Where that needs several, requests share it for some seconds."""

        def make() -> Deferred[Any]:
            return Deferred.fromCoroutine(self._layout.gossip.in_slices(work()))

        return await (make() if self._public.few else self._kept.get(key, SHARED, make))

    async def encoded(self, key: str, entries: Sequence[Any]) -> Encoded:
        """
        An object of JSON with a list as its only value.

        @param key: the name of the list.
        """
        return await self._all(f"{key}.json", lambda: _encoded(key, entries))  # type: ignore[no-any-return]

    async def latest(self, limit: int) -> Sequence[MessageSaid]:
        """The latest messages of all public channels, oldest first."""
        return self._registry.removals.applied(await self._read(1, self._layout.store.latest, None, limit))

    async def messages(self, period: Period, channels: tuple[str, ...] | None = None) -> Series:
        """
        The number of messages over time.

        @param channels: on these; C{None} for all public ones.
        """
        since, figures = await self._figures(period, self._layout.store.message_figures, channels)
        # Every message is kept: a span without messages is one in which nobody spoke.
        return _series(period, since, figures, 0)

    async def players(self, period: Period, client_ids: tuple[str, ...] | None, current: int | None = None) -> Series:
        """
        The number of players of some games together, over time.

        @param client_ids: the games; C{None} for all public ones that show their players.
        @param current: how many there are now: the store has a count every 15 minutes only.
        """
        since, figures = await self._figures(period, self._layout.store.player_figures, client_ids)
        return _series(period, since, figures, None, current)

    async def _figures(
        self, period: Period, method: Callable[..., Any], of: tuple[str, ...] | None
    ) -> tuple[int, dict[int, float]]:
        """When the period begins, and the values by the start of their span."""
        since = period.since(self._layout.now)
        return since, await self._read(period.good, method, of, since, period.step)

    async def spoken_by(self) -> dict[str, int]:
        """The number of messages that each public game sent to public channels over 48 hours, by short name."""
        since = SPARK.since(self._layout.now)
        figures = await self._read(SPARK.good, self._layout.store.messages_by_game, since)
        games = self._registry.games
        return {games[client_id].short_name: number for client_id, number in figures.items() if client_id in games}

    async def sparks(self, games: Iterable[PublicGame]) -> dict[str, Series]:
        """The number of players of each of some games over time, by short name."""
        # In an order that stays, so that the result is found in the cache.
        counted = dict(sorted(self._public.counted(games).items()))
        since = SPARK.since(self._layout.now)
        method = self._layout.store.player_figures_each
        figures = await self._read(SPARK.good, method, tuple(counted), since, SPARK.step) if counted else {}
        return {
            name: _series(SPARK, since, figures[client_id], None)
            for client_id, name in counted.items()
            if client_id in figures
        }

    async def hours(self, client_ids: tuple[str, ...] | None) -> tuple[float, ...]:
        """
        The average number of players of some games at each hour of the day (UTC), over the last four weeks.

        @param client_ids: as in L{players}.
        """
        since = _WEEKS.since(self._layout.now)
        method = self._layout.store.player_figures
        figures: dict[int, float] = await self._read(_WEEKS.good, method, client_ids, since, HOUR)
        sums, numbers = [0.0] * 24, [0] * 24
        for start, most in figures.items():
            hour = start // HOUR % 24
            sums[hour] += most
            numbers[hour] += 1
        return tuple(round(total / number, 1) if number else 0.0 for total, number in zip(sums, numbers, strict=True))


def _encoded(key: str, entries: Sequence[Any]) -> Generator[None, None, Encoded]:
    parts = [b'{"%s":[' % key.encode()]
    digest = sha256(parts[0])
    for start in range(0, len(entries), SLICE):
        if start:
            yield
        part = msgspec.json.encode(entries[start : start + SLICE])[1:-1]
        parts.append(b"," + part if start else part)
        digest.update(parts[-1])
    parts.append(b"]}\n")
    return Encoded(b"".join(parts), digest.hexdigest())


def _series(
    period: Period, since: int, figures: dict[int, float], missing: int | None, current: int | None = None
) -> Series:
    """
    @param missing: the value of a span that has none.
    @param current: the value of the last span is at least this.
    """
    starts = range(since, since + period.spans * period.step, period.step)
    values = [int(figures[start]) if start in figures else missing for start in starts]
    if current is not None:
        values[-1] = max(values[-1] or 0, current)
    return Series(since, period.step, tuple(values))
