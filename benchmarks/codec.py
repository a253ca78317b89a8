"""How fast plain lines pass a telnet codec: ours, Twisted's and, if installed, telnetlib3's.

    python benchmarks/codec.py

Every codec cuts the same text into lines and counts them; nothing is sent. The codecs take turns,
the median of the rounds is printed, in MB (10^6 bytes) a second and as a multiple of conch.
"""

from __future__ import annotations

import asyncio
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.conch.telnet import StatefulTelnetProtocol, TelnetTransport

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # works from a bare checkout

from gossip.transports.telnet.codec import Telnet

LINE = b"@17 send gossip Conan does anybody know the way to the dark tower?\r\n"
LINES = 30_000
ROUNDS = 5

Codec = Callable[[list[bytes]], int]
"""Takes what each read brings; returns how many lines that were."""


class Silent(asyncio.Transport):
    """A connection that swallows what is written: enough of one for both of the others."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def close(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def ours(reads: list[bytes]) -> int:
    codec = Telnet()
    return sum(len(codec.receive(data)) for data in reads)


def conch(reads: list[bytes]) -> int:
    lines = 0

    class Counting(StatefulTelnetProtocol):
        def lineReceived(self, line: bytes) -> None:
            nonlocal lines
            lines += 1

    untyped: Any = TelnetTransport
    transport = untyped(Counting)
    transport.makeConnection(Silent())
    for data in reads:
        transport.dataReceived(data)
    return lines


def telnetlib3(reads: list[bytes]) -> int:
    server_base = importlib.import_module("telnetlib3.server_base")

    async def count() -> int:
        server = server_base.BaseServer(encoding=False)
        server.connection_made(Silent())
        lines = 0
        for data in reads:
            server.data_received(data)
            for _ in range(data.count(b"\n")):
                lines += (await server.reader.readline()).endswith(b"\n")
        return lines

    return asyncio.run(count())


def megabytes(codec: Codec, reads: list[bytes]) -> float:
    """Run the codec once, check that it saw every line, return its MB a second."""
    start = time.perf_counter()
    lines = codec(reads)
    seconds = time.perf_counter() - start
    if lines != LINES:
        raise AssertionError(f"{codec.__name__} made {lines} lines of {LINES}")
    return sum(map(len, reads)) / seconds / 1e6


def main() -> None:
    codecs: dict[str, Codec] = {"gossip": ours, "twisted.conch": conch}
    if importlib.util.find_spec("telnetlib3") is not None:
        codecs["telnetlib3"] = telnetlib3
    text = LINE * LINES
    ways = {
        "reads of 64 KiB": [text[at : at + 65536] for at in range(0, len(text), 65536)],
        "a line a read": [LINE] * LINES,
    }
    print(f"{'':16}" + "".join(f"{way:>16} {'x conch':>8}" for way in ways))
    speeds: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS):
        for way, reads in ways.items():
            for name, codec in codecs.items():
                speeds.setdefault((name, way), []).append(megabytes(codec, reads))
    median = {key: statistics.median(values) for key, values in speeds.items()}
    for name in codecs:
        print(f"{name:16}", end="")
        for way in ways:
            speed = median[name, way]
            print(f"{speed:11.1f} MB/s {speed / median['twisted.conch', way]:8.2f}", end="")
        print()


if __name__ == "__main__":
    main()
