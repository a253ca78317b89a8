"""How fast packets of IMC2 are read and written, and how long hostile ones take.

    python benchmarks/imc2.py

Each line has the best of some rounds, in microseconds: packets as MUDs send them, a list of players, and lines of
16 KiB (the longest that is read) of each kind that a reader could spend quadratic time on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # works from a bare checkout

from gossip.transports.imc2.packets import Packet, Word, read, write

ROUNDS = 200
SIZE = 16 * 1024

TEXT = 'Hello "there", where is the dark tower?'
PACKETS = {
    "message": Packet("Ana", "MyMUD", 7, "MyMUD!Gossip", "ice-msg-b", "*", "*", {
        "channel": Word("Gossip:gossip"), "emote": Word("0"), "echo": Word("1"), "text": TEXT,
    }),
    "tell": Packet("Ana", "MyMUD", 7, "MyMUD!Gossip", "tell", "Bob", "OldMud", {"text": TEXT}),
    "is-alive": Packet("*", "MyMUD", 7, "MyMUD!Gossip", "is-alive", "*", "OldMud", {
        "versionid": "ExVenture 0.30", "networkname": Word("GossipNet"), "url": "https://mymud.example.org",
        "host": "mymud.example.org", "port": Word("4000"),
    }),
    "who-reply": Packet("*", "MyMUD", 7, "MyMUD!Gossip", "who-reply", "Bob", "OldMud", {
        "text": "\n\r" + "".join(f"  Player{number}\n\r" for number in range(230)),
    }),
}  # fmt: skip


def microseconds(work: Callable[[], object]) -> float:
    """The best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best * 1e6


def main() -> None:
    for name, packet in PACKETS.items():
        line = write(packet)
        text = line.decode().rstrip("\r\n")
        assert read(text) is not None
        reading, writing = microseconds(partial(read, text)), microseconds(partial(write, packet))
        print(f"{name:10} {len(line):6,} bytes, read {reading:6.1f} us, write {writing:6.1f} us")
    for repeated in ("a ", 'a="', "\\", 'a="\\', "=", " ", "k=v "):
        text = "A@M 1 M x * a=" + repeated * (SIZE // len(repeated))
        print(f"16 KiB of {repeated!r:8} read {microseconds(partial(read, text)):8.1f} us")


if __name__ == "__main__":
    main()
