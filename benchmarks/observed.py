"""The daemon of a soak, and what can be seen of it from outside."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks import machine

CONFIG: Final = """\
[limits]
authenticate_seconds = {patience}
connections = 0
backlog_bytes = 65536
"""

AUTHENTICATE_WITHIN: Final = 5.0
ANSWERED_WITHIN: Final = 30.0


class Daemon:
    """
    The daemon, as a user runs it, and what can be seen of it from outside.

    @ivar lives: how often it was started.
    @ivar running: whether it was started and not killed since.
    """

    def __init__(
        self,
        directory: Path,
        data: Path,
        name: str = "daemon",
        arguments: Sequence[str] = (),
        patience: float = AUTHENTICATE_WITHIN,
    ) -> None:
        """
        @param name: of the files that it writes.
        @param arguments: more of its options.
        @param patience: how long it waits for a game to authenticate, in seconds.
        """
        self.port = machine.free_port()
        self.lives = 0
        self.running = False
        self._directory = directory
        self._told = directory / f"{name}.held.json"
        self._log = directory / f"{name}.log"
        config = directory / "gossip.toml"
        config.write_text(CONFIG.format(patience=patience))
        options: list[str | Path] = ["--nodaemon", "--pidfile=", "gossip", "--config", config, "--data", data]
        listen = ["--listen", f"tcp:{self.port}:interface=127.0.0.1", *arguments]
        self._command = [sys.executable, "-m", "benchmarks.watched", self._told, *options, *listen]
        self.start()

    def start(self) -> None:
        """Start it, and wait until games can join."""
        with self._log.open("ab") as log:
            self._process = machine.launch(self._command, machine.SERVER_CORE, self._directory, log)
        machine.wait_for_daemon(self.port, self._process, self._log)
        self.lives += 1
        self.running = True

    def kill(self) -> None:
        """End it at once, as a power failure does."""
        self.running = False
        self._process.kill()
        self._process.wait()

    def metrics(self) -> dict[str, float]:
        """The values of C{/metrics}; those with labels are added up."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWERED_WITHIN)) as connection:
            connection.request("GET", "/metrics", headers={"Connection": "close"})
            text = connection.getresponse().read().decode()
        figures: dict[str, float] = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                name = name.partition("{")[0]
                figures[name] = figures.get(name, 0.0) + float(value)
        return figures

    @property
    def kib(self) -> int:
        """Its memory."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))

    @property
    def open_files(self) -> int:
        """Its file descriptors."""
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))

    async def held(self) -> dict[str, dict[str, int]]:
        """Its delayed calls, and its objects that stand for connections."""
        self._told.unlink(missing_ok=True)
        self._process.send_signal(signal.SIGUSR2)
        await eventually(self._told.exists, ANSWERED_WITHIN)
        held: dict[str, dict[str, int]] = json.loads(self._told.read_text())
        return held

    def stop(self) -> int:
        """End it; returns its exit status."""
        machine.end(self._process)
        return self._process.returncode

    @property
    def troubles(self) -> list[str]:
        """The lines that it should not have logged."""
        return [line for line in self._log.read_text(errors="replace").splitlines() if "Traceback" in line]


async def eventually(look: Callable[[], object], within: float) -> bool:
    """Poll a condition; return whether it became true in time."""
    deadline = time.monotonic() + within
    while not look():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True
