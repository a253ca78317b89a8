"""
Measures the store of a node by itself, in a process of its own. It prints one line of JSON.

    python -m benchmarks.stored write URL NAME SECONDS      groups as fast as they go, after a line on standard input
    python -m benchmarks.stored flush URL NAME SECONDS      the same, telling others in the transaction that is flushed
    python -m benchmarks.stored hear URL GROUPS             how soon one is heard, after so many groups
    python -m benchmarks.stored join URL SESSIONS           how soon a node knows the sessions of another one
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import tempfile
import time
import tracemalloc
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from random import Random
from threading import Thread
from typing import Any, Final

from gossip.cluster import scripts
from gossip.cluster.pending import Pending
from gossip.cluster.shared_store import Node, SharedStore
from gossip.network.network import Network
from gossip.network.relays import SessionJoined
from gossip.protocol.moment import Moment
from gossip.registry.changes import Change, MessageSaid

LISTENED: Final = 500
"""How many groups are listened to, for a median."""

PLAYERS: Final = 20
"""How many players a session has."""

NOW: Final = 1.7e9


class UnderFlush(SharedStore):
    """The obvious way, against which ours is measured: others are told by the transaction that waits for the disk."""

    def _write_talk(self, pending: Sequence[Pending], said: Sequence[MessageSaid]) -> list[Change]:
        def write(quote: scripts.Quote) -> list[str]:
            self._count_group()
            parts = self._parts([each.entry for each in pending])
            told = [*scripts.say(said, quote), *scripts.tell(self.channel, parts, True, quote)]
            return [*scripts.order(self.channel, quote), "SET LOCAL synchronous_commit = on", *told, "COMMIT"]

        self._database.run_alone(write)
        return []


def opened(kind: type[SharedStore], url: str, name: str, sessions: Sequence[SessionJoined] = ()) -> SharedStore:
    """The store of a node that has begun its life, with these sessions."""
    store = kind.open_as(url, tempfile.mkdtemp(prefix="gossip-stored-"), name)
    store.begin(Node(name, str(uuid.uuid4()), "1.0"), sessions)
    return store


def said(number: int) -> list[Pending]:
    """A group with one message."""
    return [Pending(MessageSaid("gossip", 0, None, "Alpha", "Ana", f"message {number}", NOW + number))]


def write(kind: type[SharedStore], url: str, name: str, seconds: float) -> dict[str, float]:
    """Write groups as fast as they go."""
    with closing(opened(kind, url, name)) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        groups, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            store.keep_group(said(groups))
            groups += 1
    return {"groups_s": groups / seconds}


def hear(url: str, groups: int) -> dict[str, float]:
    """
    How soon a group is heard: after a snapshot was taken elsewhere, which stays, and so many groups were written.

    @param groups: 0 for no snapshot.
    """
    heard: list[float] = []

    def listen(connection: Any) -> None:
        heard.extend(time.perf_counter() for _ in connection.notifies(timeout=60, stop_after=LISTENED))

    with closing(opened(SharedStore, url, "a")) as store, store._database.reading.connect() as snapshot:
        if groups:
            snapshot = snapshot.execution_options(isolation_level="REPEATABLE READ")
            snapshot.exec_driver_sql("SELECT count(*) FROM messages")
        for number in range(groups):
            store.keep_group(said(number))
        with closing(store.listen()) as connection:
            listening = Thread(target=listen, args=(connection,))
            listening.start()
            began = []
            for number in range(LISTENED):
                began.append(time.perf_counter())
                store.keep_group(said(groups + number))
            listening.join()
    return {"heard_us": 1e6 * statistics.median(at - since for since, at in zip(began, heard, strict=True))}


def join(url: str, count: int) -> dict[str, float]:
    """How soon a node that joins knows the sessions of another one, and what each takes of its memory."""
    random = Random(1)
    with closing(SharedStore.open_as(url, tempfile.mkdtemp(prefix="gossip-stored-"), "b")) as other:
        games = list(other.load().games)
        other.begin(Node("b", str(uuid.uuid4()), "1.0"), list(sessions(games, count, random)))
    with closing(opened(SharedStore, url, "a")) as store:
        began = time.perf_counter()
        picture = store.picture({})
        read = time.perf_counter()
        build(picture.known, picture.sessions["b"])
        built = time.perf_counter()
        del picture
        gc.collect()
        tracemalloc.start()
        picture = store.picture({})
        known, theirs = picture.known, list(picture.sessions["b"])
        del picture
        network = build(known, ())
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        network.nodes.replace("b", theirs, Moment(0.0, NOW))
        del theirs
        gc.collect()
        # What was read of them is gone: only what is kept counts.
        kept = tracemalloc.get_traced_memory()[0] - before
    return {"read_s": read - began, "build_s": built - read, "joined_s": built - began, "kept": kept, "sessions": count}


def sessions(games: Sequence[str], count: int, random: Random) -> Any:
    """Sessions of games in turn, with players of their own."""
    for number in range(count):
        players = tuple(f"Player{random.randrange(10**6)}" for _ in range(PLAYERS))
        game = games[number % len(games)]
        yield SessionJoined(number, game, "192.0.2.1", "websocket", NOW, ("channels", "players"), ("gossip",), players)


def build(known: Any, theirs: Sequence[SessionJoined]) -> Network:
    """A network that knows these sessions of another node."""
    random = Random(1)
    network = Network(known, lambda: str(uuid.uuid4()), random.random, shared=True)
    network.nodes.replace("b", theirs, Moment(0.0, NOW))
    return network


def main() -> None:
    """Measure."""
    what, url, *more = sys.argv[1:]
    ways: dict[str, Callable[[], dict[str, float]]] = {
        "write": lambda: write(SharedStore, url, more[0], float(more[1])),
        "flush": lambda: write(UnderFlush, url, more[0], float(more[1])),
        "hear": lambda: hear(url, int(more[0])),
        "join": lambda: join(url, int(more[0])),
    }
    print(json.dumps(ways[what]()))


if __name__ == "__main__":
    main()
