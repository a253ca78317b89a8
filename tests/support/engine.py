"""
A PostgreSQL server that a test may stop, crash and start again, and a proxy in front of it that can fall silent.

The server is of the test alone. Where PostgreSQL is not installed, the test is skipped.
"""

from __future__ import annotations

import atexit
import functools
import os
import selectors
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psycopg
from twisted.trial.unittest import SkipTest

from benchmarks.machine import CannotMeasure
from benchmarks.postgresql import SETTINGS, initialize, new_home, programs, run
from tests.support.daemon import WITHIN, free_port

SMALL: Final = {**SETTINGS, "max_connections": "40", "shared_buffers": "16MB", "fsync": "off"}
"""A crash of the server loses what it has not written, and not what the disk has not: so fsync may be off."""


@functools.cache
def _empty() -> Path:
    """A new database cluster, to be copied: to make one takes a second."""
    directory = new_home()
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    initialize(directory / "d")
    return directory / "d"


class Engine:
    """
    A PostgreSQL server. L{close} must be called, whatever happens.

    @ivar port: where it listens on the loopback.
    """

    def __init__(self, primary: Engine | None = None) -> None:
        """@param primary: what it is a standby of."""
        try:
            programs()
        except CannotMeasure as missing:
            raise SkipTest(str(missing)) from None
        self.port = free_port()
        self._home = new_home()
        self._data = self._home / "d"
        if primary is None:
            subprocess.run(["cp", "-a", str(_empty()), str(self._data)], check=True)
        else:
            run(
                "pg_basebackup",
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "--no-sync",
                "-D",
                str(self._data),
                "-d",
                primary.url(),
            )

    def close(self) -> None:
        """End it, and leave nothing behind."""
        if (self._data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self._home)

    def start(self) -> Engine:
        """Start it, and wait until it takes connections."""
        settings = " ".join(f"-c {name}={value}" for name, value in {**SMALL, "port": self.port}.items())
        run("pg_ctl", "-w", "-s", "-D", str(self._data), "-l", str(self._home / "log"), "start", "-o", settings)
        return self

    def stop(self, how: str = "fast") -> None:
        """
        Stop it.

        @param how: C{fast}, which writes everything to disk; or C{immediate}, which is a crash.
        """
        run("pg_ctl", "-w", "-s", "-D", str(self._data), "-m", how, "stop")

    def kill_one(self) -> None:
        """Kill one of its processes: the server throws out all others, and recovers as after a crash."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            os.kill(connection.info.backend_pid, signal.SIGKILL)

    def promote(self) -> None:
        """Make the standby the primary."""
        run("pg_ctl", "-w", "-s", "-D", str(self._data), "promote")

    def url(self, port: int | None = None, driver: str = "postgresql") -> str:
        """The URL of its database, by the port of a proxy perhaps."""
        return f"{driver}://gossip@127.0.0.1:{port or self.port}/postgres"

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Execute a statement, and return what it finds."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


class Proxy:
    """
    Passes on what comes on a port of the loopback to another one, until it falls silent: then nothing comes through,
    and no connection ends, as if a cable were cut. L{close} must be called, whatever happens.

    @ivar port: where it listens.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._speaking = threading.Event()
        self._speaking.set()
        self._wake, self._woken = socket.socketpair()
        self._ended = False
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._woken, selectors.EVENT_READ, lambda: self._woken.recv(1))
        self._sockets = [self._listener, self._wake, self._woken]
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    def fall_silent(self) -> None:
        """Pass on nothing any more."""
        self._speaking.clear()
        self._wake.send(b"!")

    def speak(self) -> None:
        """Pass on everything again, and what has come meanwhile."""
        self._speaking.set()

    def close(self) -> None:
        """End all connections."""
        self._ended = True
        self._speaking.set()
        self._wake.send(b"!")
        self._thread.join(WITHIN)
        for each in self._sockets:
            each.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._ended:
            for key, _ in self._selector.select():
                self._speaking.wait()
                if key.fileobj.fileno() != -1:  # type: ignore[union-attr]
                    key.data()

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        try:
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            near.close()
            return
        self._sockets += [near, far]
        for one, other in ((near, far), (far, near)):
            self._selector.register(one, selectors.EVENT_READ, functools.partial(self._pass, one, other))

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        data = b""
        with suppress(OSError):
            data = one.recv(65536)
            if data:
                other.sendall(data)
                return
        for each in (one, other):
            with suppress(KeyError):
                self._selector.unregister(each)
            each.close()


def engine(add_cleanup: Callable[..., object]) -> Engine:
    """A server that runs until the test ends."""
    made = Engine()
    add_cleanup(made.close)
    return made.start()


def hosts(*engines: Engine) -> str:
    """The URL of whichever of several servers can be written."""
    ports: Sequence[str] = [str(each.port) for each in engines]
    where = f"host={','.join(['127.0.0.1'] * len(ports))}&port={','.join(ports)}"
    return f"postgresql://gossip@/postgres?{where}&target_session_attrs=read-write"
