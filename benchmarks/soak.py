"""
Thousands of games, for minutes or hours: nothing leaks, and every delivery is accounted for.

    python -m benchmarks.soak --games 1000 --seconds 600
    python -m benchmarks.soak --games 3000 --seconds 1800 --nodes 3 --kill-every 60

Games connect, talk, send tells, sign players in and out, leave properly, vanish in the middle of a frame, stop
reading, stop answering heartbeats, and reconnect. Strangers never authenticate, or use a wrong secret. In the end all
games leave. The daemon must then have as many file descriptors, delayed calls, sessions, connections and (in a soak of
minutes) as much memory as before, and everything that was acknowledged must be in its store, once. The soak must have
been long enough for games to do all of it. Otherwise the exit status is 1.

With several nodes there is a PostgreSQL of its own behind them, and a node of chance is killed every now and then. What
it acknowledged on channels must be stored and heard, and what was heard must be stored; its games come back elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import machine
from benchmarks.game import Game
from benchmarks.ledger import Ledger
from benchmarks.observed import ANSWERED_WITHIN, AUTHENTICATE_WITHIN, Daemon
from benchmarks.population import Population
from benchmarks.postgresql import PostgreSQL
from benchmarks.wire import Lost, Wire
from gossip.store.store import Store

ROOM: Final = 40
"""How many games share a channel."""

ADDRESSES: Final = 50
"""From how many addresses the games connect."""

SETTLED_WITHIN: Final = 30.0
"""How many seconds the daemon has to release everything."""

EXPECTED: Final = ("channels/send", "tells/send", "players/sign-in", "vanish", "part")
"""What games must have done: without it, a soak shows nothing."""

JUDGED_AFTER: Final = 120.0
"""How many seconds a soak must take for memory to be checked: before that, a daemon still grows into its load."""

PATIENCE: Final = 20.0
"""How long daemons wait for games to authenticate, if a thousand of them come at once from a node that was killed."""

LEFT_ALONE: Final = 5.0
"""How many seconds before the end the last node is killed, twice at least: what it left behind must be gone by then."""

GROWTH_KIB: Final = 6 * 1024
GROWTH: Final = 0.05
"""How much memory can grow from the second quarter of a soak to the last, because of fragmentation."""


@dataclass(frozen=True)
class Several:
    """
    Several nodes.

    @ivar kill_every: how many seconds pass between two kills; 0 for none.
    @ivar thought: how many seconds pass between two things that a game says, on average; 0 for what suits the soak.
    """

    nodes: int = 1
    kill_every: float = 0.0
    thought: float = 0.0


class Soak:
    """
    All of it.

    @ivar ending: everybody is to leave.
    @ivar over: fires when they are.
    @ivar several: whether there are several nodes.
    @ivar stay: how many seconds a session lasts, on average; C{thought}: between two things that a game says;
        C{absence}: between two sessions; C{ramp}: how many it takes for all games to join.
    """

    def __init__(self, games: int, seconds: float, seed: int, several: Several = Several()) -> None:
        self.several = several.nodes > 1
        self._several = several
        self.random = random.Random(seed)
        self.ledger = Ledger()
        self.ending = False
        self._daemons: list[Daemon] = []
        self.ramp = min(seconds / 5, games / 200)
        self.stay, self.absence = min(seconds / 4, 20.0), min(seconds / 20, 3.0)
        # Within the rate limit, even for a game that happens to send much.
        self.thought = several.thought or min(max(seconds / 10, 0.6), 4.0)
        self.left = seconds
        self._seconds = seconds
        self._count = games
        self._end = asyncio.Event()
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rooms = max(games * 2 // ROOM, 1)
        self._memory: defaultdict[str, list[int]] = defaultdict(list)
        self._lag = 0.0
        self._directory = Path(tempfile.mkdtemp(prefix="gossip-soak-"))
        self.population = Population(self._directory / "games", games)
        self._games: list[Game] = []
        self.steady: list[Game] = []

    def address(self, number: int) -> str:
        """Where a game comes from."""
        return f"127.0.0.{2 + number % ADDRESSES}"

    def rooms_of(self, number: int) -> list[str]:
        """The channels of a game: two, if there are two."""
        first = number % self._rooms
        return list(dict.fromkeys(_room(one) for one in (first, (first * 7 + 3) % self._rooms)))

    async def pause(self, seconds: float) -> None:
        """Wait, but not longer than the soak."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._end.wait()

    def daemon(self) -> Daemon:
        """Where the next session is: at one that runs."""
        return self.random.choice([one for one in self._daemons if one.running] or self._daemons)

    async def run(self) -> list[str]:
        """Run the soak; return the errors."""
        if not self.several:
            data = self.population.settle(self._directory / "data")
            return await self._run(None, [("daemon", data, ())])
        with closing(PostgreSQL(core=machine.SERVER_CORE)) as postgresql:
            postgresql.create("gossip")
            url = postgresql.url("gossip")
            self.population.settle_in(url, self._directory / "data")
            names = [chr(ord("a") + number) for number in range(self._several.nodes)]
            nodes = [(name, self._directory / name, ("--node", name, "--database", url)) for name in names]
            return await self._run(url, nodes)

    async def _run(self, url: str | None, started: Sequence[tuple[str, Path, Sequence[str]]]) -> list[str]:
        troubles: list[str] = []
        try:
            for name, data, arguments in started:
                patience = PATIENCE if self.several else AUTHENTICATE_WITHIN
                self._daemons.append(Daemon(self._directory, data, name, arguments, patience))
            self._games = [Game(self, number, number % 10 == 0) for number in range(self._count)]
            self.steady = [game for game in self._games if game.steady]
            troubles = await self._soak()
        finally:
            statuses = [daemon.stop() for daemon in self._daemons]
        troubles += [f"a daemon ended with {status}" for status in statuses if status]
        troubles += [trouble for daemon in self._daemons for trouble in daemon.troubles]
        with closing(Store.open(url, started[0][1])) as store:
            troubles += self._check_store(store)
        troubles += [f"no game did this: {what}" for what in EXPECTED if not self.ledger.happened[what]]
        return [*self.ledger.complaints, *troubles]

    def close(self) -> None:
        """End and delete everything that was started."""
        shutil.rmtree(self._directory, ignore_errors=True)

    async def _soak(self) -> list[str]:
        before = []
        for daemon in self._daemons:
            # Once before: what a first request imports and opens is no leak.
            await asyncio.to_thread(daemon.metrics)
            before.append((await daemon.held(), daemon.open_files))
        began = time.monotonic()
        others = [
            asyncio.create_task(one) for one in (self._strangers(), self._watch(began), self._watch_lag(), self._kill())
        ]
        games = [asyncio.create_task(game.play()) for game in self._games]
        await asyncio.wait([*games, *others], timeout=self._seconds, return_when=asyncio.FIRST_EXCEPTION)
        self.ending = True
        self._end.set()
        self.over.set_result(None)
        _, late = await asyncio.wait([*games, *others], timeout=2 * ANSWERED_WITHIN)
        for task in late:
            task.cancel()
            self.ledger.complain("somebody could not leave")
        for task in (*games, *others):
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error
        await asyncio.gather(*late, return_exceptions=True)
        troubles = []
        for daemon, (held, files) in zip(self._daemons, before, strict=True):
            troubles += await self._check_held(daemon, held, files)
        return troubles + [trouble for each in self._memory.values() for trouble in self._judge_memory(each)]

    async def _kill(self) -> None:
        """Kill a node of chance, and start it again, until the soak ends."""
        while self._several.kill_every:
            await self.pause(self._several.kill_every)
            if self.ending or self.left < 2 * LEFT_ALONE:
                return
            daemon = self.random.choice(self._daemons)
            daemon.kill()
            self.ledger.happened["kills"] += 1
            await asyncio.to_thread(daemon.start)

    async def _watch(self, began: float) -> None:
        """Note the memory, drop what is over, and report progress."""
        steps = told = 0
        while not self.ending:
            await self.pause(self._seconds / 40)
            self.left = self._seconds - (time.monotonic() - began)
            for number, daemon in enumerate(self._daemons):
                if daemon.running:
                    self._memory[chr(ord("a") + number)].append(daemon.kib)
            self.ledger.forget(ear for game in self._games for ear in game.ears.values())
            for complaint in self.ledger.complaints[told:]:
                self.say(complaint)
            told = len(self.ledger.complaints)
            steps += 1
            if steps % 8 == 0:
                kib = " + ".join(str(seen[-1]) for seen in self._memory.values())
                self.say(f"{self.left:6.0f} s left: {self.ledger.heard} heard, {self.ledger.wrong} wrong, {kib} KiB")

    async def _watch_lag(self) -> None:
        """Note how late the soak itself is: if it is too late, it loses games through no fault of the daemon."""
        while not self.ending:
            due = time.monotonic() + 0.1
            await self.pause(0.1)
            self._lag = max(self._lag, time.monotonic() - due)

    async def _strangers(self) -> None:
        """Connections that never join."""
        ways = (self._silent, self._half_a_request, self._wrong, self._junk)
        running: set[asyncio.Task[None]] = set()
        while not self.ending:
            await self.pause(self.random.expovariate(self._count / 200 + 1))
            way = self.random.choice(ways)
            self.ledger.happened[f"strangers: {way.__name__.strip('_').replace('_', ' ')}"] += 1
            task = asyncio.create_task(self._stranger(way))
            running.add(task)
            task.add_done_callback(running.discard)
        if running:
            await asyncio.wait(running, timeout=ANSWERED_WITHIN)

    async def _stranger(self, way: Callable[[int, str], Coroutine[Any, Any, None]]) -> None:
        daemon = self.daemon()
        life = daemon.lives
        try:
            await way(daemon.port, f"127.0.1.{self.random.randrange(1, 250)}")
        except Lost as lost:
            if daemon.running and daemon.lives == life:
                self.ledger.complain(f"a stranger: {lost}")

    async def _silent(self, port: int, address: str) -> None:
        wire = await Wire.open(port, address, lambda frame: None)
        await self._ends(wire, 4001)

    async def _wrong(self, port: int, address: str) -> None:
        wire = await Wire.open(port, address, lambda frame: None)
        payload = {"client_id": str(uuid.uuid4()), "client_secret": str(uuid.uuid4()), "supports": ["channels"]}
        wire.send({"event": "authenticate", "payload": payload})
        await self._ends(wire, 4000)

    async def _half_a_request(self, port: int, address: str) -> None:
        wire = await Wire.connect(port, address, lambda frame: None)
        wire.send_bytes(b"GET /socket HTTP/1.1\r\nUpgrade: webso")
        await self.pause(self.random.random())
        wire.vanish()

    async def _junk(self, port: int, address: str) -> None:
        wire = await Wire.open(port, address, lambda frame: None)
        wire.send_bytes(self.random.randbytes(200))
        await self.pause(self.random.random())
        wire.vanish()

    async def _ends(self, wire: Wire, code: int) -> None:
        try:
            async with asyncio.timeout(ANSWERED_WITHIN):
                ended = await wire.ended
        except TimeoutError:
            ended = None
        if ended != code:
            raise Lost(f"was closed with {ended} in place of {code}")

    # What is left.

    async def _check_held(self, daemon: Daemon, before: dict[str, dict[str, int]], files: int) -> list[str]:
        """Check that the daemon has what it had before the games came."""
        deadline = time.monotonic() + SETTLED_WITHIN
        while True:
            troubles = await self._still_held(daemon, before, files)
            if not troubles or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.5)
        return troubles

    async def _still_held(self, daemon: Daemon, before: dict[str, dict[str, int]], files: int) -> list[str]:
        held, metrics = await daemon.held(), await asyncio.to_thread(daemon.metrics)
        figures = ("gossip_connections", "gossip_sessions", "gossip_writer_queue")
        troubles = [f"{name} is {metrics[name]:.0f}" for name in figures if metrics.get(name)]
        for kind in ("calls", "objects"):
            for name, number in held[kind].items():
                was = before[kind].get(name, 0)
                # The request for these figures may still be on its way out; and a game that left a minute ago counts
                # as online, with its last session.
                if number > was + (metrics["gossip_games"] if name == "Session" else 1):
                    troubles.append(f"{kind}: {number} {name}, and {was} before")
        if daemon.open_files > files + 1:
            troubles.append(f"{daemon.open_files} open files, and {files} before")
        return troubles

    def _judge_memory(self, seen: Sequence[int]) -> list[str]:
        if self._seconds < JUDGED_AFTER or len(seen) < 8:
            return []
        quarter = len(seen) // 4
        early = statistics.median(seen[quarter : 2 * quarter])
        late = statistics.median(seen[-quarter:])
        if late - early > max(GROWTH_KIB, early * GROWTH):
            return [f"memory grew from {early:.0f} to {late:.0f} KiB"]
        return []

    def _check_store(self, store: Store) -> list[str]:
        """Check that everything acknowledged is in the store, in order and once, and everything that was heard."""
        troubles = []
        for room in map(_room, range(self._rooms)):
            due: dict[tuple[str, int], int] = {}
            for game, text in _history(store, room):
                session, number = map(int, text.split())
                if due.setdefault((game, session), 0) != number:
                    troubles.append(f"stored {room} {game} {session} {number} in place of {due[game, session]}")
                due[game, session] = number + 1
            for what, counted in (("acknowledged", self.ledger.kept), ("heard", self.ledger.most)):
                for (game, session, place), count in counted.items():
                    if place == room and due.get((game, session), 0) < count:
                        stored = due.get((game, session), 0)
                        troubles.append(f"of {count} {what} of {game} in {room}, {stored} are stored")
        return troubles

    def report(self) -> str:
        """What happened."""
        lines = [f"{self._count} games, {self._seconds:.0f} seconds: {self.ledger.heard} deliveries accounted for"]
        lines += [f"  {number:9} {what}" for what, number in sorted(self.ledger.happened.items())]
        lines.append(f"  {self._lag * 1000:9.0f} ms at most were the games themselves late")
        for name, seen in self._memory.items():
            which = f" of {name}" if self.several else ""
            lines.append(f"  memory{which}: {seen[0]} KiB first, {max(seen)} at most, {seen[-1]} last")
        return "\n".join(lines)

    def say(self, text: str) -> None:
        """Report progress."""
        print(text, file=sys.stderr)


def _room(number: int) -> str:
    return "room-" + "".join(chr(ord("a") + number // 26**place % 26) for place in range(3))


def _history(store: Store, channel: str) -> Iterator[tuple[str, str]]:
    """All messages on a channel, a page at a time: the game and the text of each."""
    seq = 0
    while page := store.history(channel, 10_000, after=seq):
        yield from ((one.game, one.message) for one in page)
        seq = page[-1].seq


def soak(games: int, seconds: float, seed: int, several: Several = Several()) -> tuple[list[str], Soak]:
    """
    Soak once.

    @return: what is wrong, and the soak, for its report.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    async def run() -> tuple[list[str], Soak]:
        it = Soak(games, seconds, seed, several)
        try:
            return await it.run(), it
        finally:
            it.close()

    return asyncio.run(run())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a soak; return the exit status."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    options.formatter_class = argparse.RawDescriptionHelpFormatter
    options.add_argument("--games", type=int, default=1000, help="how many games (1000)")
    options.add_argument("--seconds", type=float, default=600.0, help="for how long (600)")
    options.add_argument("--seed", type=int, default=1, help="of the chance in what they do")
    options.add_argument("--nodes", type=int, default=1, help="how many daemons are the network (1)")
    options.add_argument("--kill-every", type=float, default=0.0, metavar="SECONDS", help="kill one of them (never)")
    options.add_argument(
        "--thought", type=float, default=0.0, metavar="SECONDS", help="between two things that one says"
    )
    chosen = options.parse_args(arguments)
    if chosen.games < 2:
        options.error("two games at least")
    if chosen.kill_every and chosen.nodes < 2:
        options.error("to kill one takes two nodes at least")
    several = Several(chosen.nodes, chosen.kill_every, chosen.thought)
    if machine.PINNED:
        os.sched_setaffinity(0, {machine.CORES[machine.LOAD_CORE]})
    troubles, it = soak(chosen.games, chosen.seconds, chosen.seed, several)
    print(it.report())
    print("\n".join(["WRONG", *troubles]) if troubles else "Nothing leaked, and nothing was lost.")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
