"""The cost of a line and of a connection on the telnet port, with and without MCCP2.

    python benchmarks/bridge.py

A daemon's service with its network in memory; its connections are real sockets of the loopback, whose other ends are
read from another process. One game talks, and all MUDs hear it. Times are of the daemon's thread alone.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import random
import resource
import socket
import statistics
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # works from a bare checkout

import msgspec
from twisted.internet import reactor as _reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import deferLater
from zope.interface import implementer

from gossip.network.audiences import Subscribers
from gossip.network.ratelimit import Rate
from gossip.network.session import Session
from gossip.network.settings import Rates
from gossip.protocol import frames
from gossip.protocol.errors import Error
from gossip.protocol.events import ChannelsSend, ClientEvent
from gossip.protocol.server_events import ServerEvent
from gossip.registry.addresses import read
from gossip.service.counters import Counters
from gossip.service.interfaces import IConnection, IWireFormat
from gossip.service.service import GossipService
from gossip.transports.budget import Budgets
from gossip.transports.telnet.factory import TelnetFactory
from gossip.transports.telnet.limits import TelnetLimits
from gossip.transports.telnet.transport import TelnetTransport
from tests.support.world import World, frame

MUDS = 500
TEXTS = 200
WORDS = (
    "the",
    "a",
    "of",
    "dragon",
    "sword",
    "tavern",
    "anybody",
    "way",
    "dark",
    "tower",
    "hello",
    "gold",
    "orc",
    "quest",
)

reactor: Any = _reactor


class Writer:
    """A store that keeps everything at once."""

    pending = groups = 0
    trouble = None

    def probe(self) -> None:
        pass

    def commit(self, change: Any, settled: Any, wanted: bool = True) -> None:
        reactor.callLater(0, settled, True)

    def barrier(self, done: Any) -> None:
        reactor.callLater(0, done)


@implementer(IWireFormat)
class Silence:
    """A game that is told nothing."""

    def encode(self, event: ServerEvent) -> bytes:
        return b""


@implementer(IConnection)
class Speaker:
    """The game that talks."""

    transport_name = "memory"
    peer_address = read("192.0.2.1")
    unsent = 0
    wire_format = Silence()
    direct_send = None

    def write(self, data: bytes) -> None:
        pass

    def spill(self, rest: bytes) -> None:
        pass

    def close(self, code: int, why: Error) -> None:
        pass

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass


def memory() -> int:
    """What this process holds, in bytes."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def clients(port: int, compressed: bool, login: bytes, pipe: Connection) -> None:
    """The other ends: they log in and read until they are told to stop. Then they report how many bytes they read."""

    async def one(heard: list[int]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write((b"\xff\xfd\x56" if compressed else b"") + login)
        while data := await reader.read(65536):
            heard[0] += len(data)

    async def every() -> None:
        heard = [0]
        tasks = [asyncio.create_task(one(heard)) for _ in range(MUDS)]
        while True:
            await asyncio.sleep(0.01)
            if pipe.poll():
                if pipe.recv() == "stop":
                    break
                pipe.send(heard[0])
        for task in tasks:
            task.cancel()

    asyncio.run(every())


class Run:
    """One run."""

    def __init__(self, compressed: bool) -> None:
        self._compressed = compressed
        self._random = random.Random(1)
        world = World()
        rules = world.network.rules
        any_rate = Rate(0, 1)
        rates = Rates(any_rate, any_rate, any_rate, any_rate)
        rules.limits = type(rules.limits)(rates=rates, sessions=0)
        self._service = GossipService(reactor, world.network, Writer(), Counters())
        limits = TelnetLimits(
            connections_per_address=0, unauthenticated_per_address=0, login_seconds=0, budgets=Budgets()
        )
        self._transport = TelnetTransport(limits)
        self._factory = TelnetFactory(
            self._transport, reactor, self._service, dict, lambda: any_rate, banner="benchmark", web_hint=str
        )
        self._session = self._service.opened(Speaker())
        self._say(frame("authenticate", world.credentials("Beta")))
        beta = world.credentials("Alpha")
        self._login = f"LOGIN {beta['client_id']} {beta['client_secret']}\nSUBSCRIBE gossip\n".encode()
        self._say(frame("channels/subscribe", {"channel": "gossip"}))

    def _say(self, sent: dict[str, Any]) -> None:
        event: ClientEvent = frames.decode(msgspec.json.encode(sent))
        self._service.received(self._session, event)

    async def run(self) -> dict[str, float]:
        """Connect, measure, disconnect."""
        before = memory()
        port = reactor.listenTCP(0, self._factory, interface="127.0.0.1", backlog=MUDS)
        ours, theirs = multiprocessing.Pipe()
        arguments = (port.getHost().port, self._compressed, self._login, theirs)
        process = multiprocessing.get_context("fork").Process(target=clients, args=arguments)
        process.start()
        while self._service.status()["sessions"] < MUDS + 1 or len(self._hearing()) < MUDS:
            await _later(0.05)
        await _later(0.5)
        held = memory() - before
        traffic = self._bytes()
        costs = []
        for _ in range(TEXTS):
            event = ChannelsSend(None, "gossip", "Ana", " ".join(self._random.choices(WORDS, k=12)))
            start = time.thread_time()
            self._service.received(self._session, event)
            await _turned()
            costs.append((time.thread_time() - start) / MUDS)
            await _later(0.02)
        grown = {name: number - traffic[name] for name, number in self._bytes().items()}
        ours.send("stop")
        process.join()
        await port.stopListening()
        lines = MUDS * TEXTS
        return {
            "us a line": statistics.median(costs) * 1e6,
            "wire bytes a line": grown["wire_out"] / lines,
            "plain bytes a line": grown["plain_out"] / lines,
            "KiB a connection": held / MUDS / 1024,
        }

    def _bytes(self) -> dict[str, int]:
        [counts] = self._transport.counts()
        return counts.by_kind

    def _hearing(self) -> tuple[Session, ...]:
        return self._service.network.hearing(Subscribers("gossip"))


async def _later(seconds: float) -> None:
    await deferLater(reactor, seconds)


async def _turned() -> None:
    """Wait until what this turn brought is written: the fan-out's turn, then the bridge's."""
    await _later(0)
    await _later(0)


def measured(compressed: bool) -> dict[str, float]:
    """Measure in a process of its own, so that memory is counted from zero."""
    result: dict[str, float] = {}

    def done(outcome: Any) -> None:
        if isinstance(outcome, dict):
            result.update(outcome)
        else:
            outcome.printTraceback()
        reactor.stop()

    reactor.callWhenRunning(lambda: ensureDeferred(Run(compressed).run()).addBoth(done))
    reactor.run()
    return result


def main() -> None:
    if len(sys.argv) > 1:
        for name, number in measured(sys.argv[1] == "mccp2").items():
            print(f"  {name:20} {number:8.2f}", flush=True)
        return
    for way in ("plain", "mccp2"):
        print(f"{way}: {MUDS} MUDs, {TEXTS} texts", flush=True)
        os.spawnv(os.P_WAIT, sys.executable, [sys.executable, __file__, way])


if __name__ == "__main__":
    socket.setdefaulttimeout(60)
    main()
