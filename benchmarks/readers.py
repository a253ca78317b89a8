"""What browsers that follow a busy channel cost the games: the latency of a message between two, with and without.

    python benchmarks/readers.py [READERS]

A daemon, two games in this process, and the readers of the chat page's server-sent events in another one. Rounds
without and with readers take turns; the medians of their latencies are compared. It exits with 1 if the readers make
the games' messages slower by more than a tenth.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # works from a bare checkout

from tests.support.daemon import Daemon, Game

READERS: Final = 1000
ROUNDS: Final = 7
MESSAGES: Final = 300
PER_SECOND: Final = 50
BEARABLE: Final = 1.1

CONFIG: Final = """
[limits]
readers_per_address = 0
[limits.rates]
global = { burst = 0, per_second = 0 }
channels_send = { burst = 0, per_second = 0 }
"""


def read(port: int, readers: int) -> None:
    """The other process: follow the channel several times, and print the number of events at the end."""
    # Readers are other machines: they must not take the games' share of this one.
    os.nice(19)
    selector = selectors.DefaultSelector()
    for _ in range(readers):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(b"GET /chat/gossip/live HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(4096)
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ)
    print("ready", flush=True)
    selector.register(sys.stdin, selectors.EVENT_READ)
    events = 0
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                print(events, flush=True)
                return
            assert isinstance(key.fileobj, socket.socket)
            events += key.fileobj.recv(1 << 16).count(b"\nid: ") or 0
        # A browser takes its time, and so leaves the games' process a core.
        time.sleep(0.05)


def latencies(speaker: Game, listener: Game) -> list[float]:
    """Send messages at a steady rate; return how many milliseconds each took to the other game."""
    took = []
    due = time.perf_counter()
    for number in range(MESSAGES):
        due += 1 / PER_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        payload = {"channel": "gossip", "name": "Ana", "message": f"message {number}"}
        sent = time.perf_counter()
        speaker.write({"event": "channels/send", "payload": payload})
        listener.expect("channels/broadcast")
        took.append((time.perf_counter() - sent) * 1000)
        if number % 100 == 0:
            for game in (speaker, listener):
                game.write({"event": "heartbeat", "payload": {"players": []}})
    return took


def main(readers: int) -> int:
    """Measure, and print."""
    daemon = Daemon(CONFIG).start()
    try:
        games = [Game(daemon.url, compression=None) for _ in range(2)]
        for game, name in zip(games, ("Alpha", "Beta"), strict=True):
            game.authenticate(daemon.register(name), channels=["gossip"])
        daemon.admin("channel/publish", channel="gossip")
        latencies(*games)  # warm
        rounds: dict[str, list[list[float]]] = {"without": [], "with": []}
        events = 0
        for _ in range(ROUNDS):
            rounds["without"].append(latencies(*games))
            command = [sys.executable, __file__, "--read", str(daemon.port), str(readers)]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
                assert other.stdin is not None and other.stdout is not None
                other.stdout.readline()
                rounds["with"].append(latencies(*games))
                time.sleep(1)
                other.stdin.close()
                events += int(other.stdout.readline())
        print(f"{readers} readers, {PER_SECOND} messages a second, {ROUNDS} rounds of {MESSAGES} messages")
        shown = {}
        for which, each in rounds.items():
            medians = [statistics.median(one) for one in each]
            tails = [statistics.quantiles(one, n=20)[-1] for one in each]
            shown[which] = statistics.median(medians)
            print(f"{which:8} p50 {statistics.median(medians):.3f} ms, p95 {statistics.median(tails):.3f} ms")
        ratio = shown["with"] / shown["without"]
        heard = events / (ROUNDS * readers * MESSAGES)
        print(json.dumps({"ratio": round(ratio, 3), "heard": round(heard, 4)}))
        return 0 if ratio <= BEARABLE and heard > 0.99 else 1
    finally:
        daemon.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        read(int(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else READERS))
