"""How fast values of Intermud-3 are read and written, and how long hostile ones take to be refused.

    python benchmarks/mudmode.py

Each line has the best of some rounds, in microseconds: a message on a channel, a list of 164 MUDs, and 2 MB of each
kind that a reader could spend quadratic time on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # works from a bare checkout

from gossip.transports.intermud3.mudmode import MudmodeError, read, write

ROUNDS = 20
TOKENS = 100_000
SIZE = 2_000_000

MESSAGE = ["channel-m", 5, "ZucchiniMud", "Test", 0, 0, "gossip", "Test", 'Hello "there", where is the dark tower?']


def mudlist(muds: int) -> list[Any]:
    """A list of MUDs, as a router sends it."""
    services = dict.fromkeys(("tell", "channel", "who", "locate", "finger", "emoteto", "auth", "ucache"), 1)
    return [
        *("mudlist", 5, "*gossip", 0, "ZucchiniMud", 0, 1795380807),
        {
            f"Mud Number {number}": [
                *(-1, f"192.0.2.{number}", 4000 + number, 0, 0, "Mudlib 3.0", "Mudlib 1.0", "Driver v2019", "LP"),
                *("open for public", "admin@mud.example.org", services | {"smtp": 25, "http": 80}),
                {"url": f"https://mud{number}.example.org", "time": "Thu Nov 26 19:05:31 2026"},
            ]
            for number in range(muds)
        },
    ]


def microseconds(work: Callable[[], object]) -> float:
    """The best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        with suppress(MudmodeError):
            work()
        best = min(best, time.perf_counter() - start)
    return best * 1e6


def main() -> None:
    for name, value in {"message": MESSAGE, "mudlist of 164": mudlist(164)}.items():
        data = write(value)
        reading, writing = microseconds(partial(read, data, TOKENS)), microseconds(partial(write, value))
        print(f"{name:16} {len(data):9,} bytes, read {reading:10,.1f} us, write {writing:10,.1f} us")
    for begin, repeated in (("({", "1,"), ("({", ","), ("({", "({"), ("({", " "), ("", "1"), ('"', '\\"')):
        data = (begin + repeated * (SIZE // len(repeated))).encode()
        refusing = microseconds(partial(read, data, TOKENS))
        print(f"2 MB of {repeated!r:8} {len(data):9,} bytes, refused {refusing:10,.1f} us")


if __name__ == "__main__":
    main()
