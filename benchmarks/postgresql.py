"""A PostgreSQL server of our own, on the loopback: started for a benchmark or a test, and deleted after it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import psycopg

from benchmarks import machine
from benchmarks.machine import CannotMeasure

SETTINGS: Final = {"listen_addresses": "'127.0.0.1'", "unix_socket_directories": "''"}
"""By TCP, as several machines would."""


def programs() -> Path:
    """
    The directory with the programs of the server.

    @raise CannotMeasure: it is not installed.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not found and (elsewhere := shutil.which("initdb")):
        found = [Path(elsewhere)]
    if not found:
        raise CannotMeasure("PostgreSQL is needed: on Debian, apt install postgresql")
    return found[-1].parent


def run(program: str, *arguments: str, core: int | None = None) -> None:
    """
    Run a program of the server, as a user that the server accepts.

    @param core: it stays on this one, and so does what it starts.
    @raise CannotMeasure: it failed.
    """
    command = [str(programs() / program), *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    done = subprocess.run(
        command,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=None if core is None else machine.on_core(core),
    )
    if done.returncode:
        raise CannotMeasure(f"{program} ended with {done.returncode}: {done.stdout}{done.stderr}")


def new_home() -> Path:
    """A new directory, where the server can write."""
    directory = Path(tempfile.mkdtemp(prefix="gossip-engine-"))
    if os.geteuid() == 0:
        shutil.chown(directory, "postgres", "postgres")
    return directory


def initialize(data: Path) -> None:
    """Make the files of a server. Its superuser is C{gossip}, and everybody on the loopback may be that."""
    run("initdb", "-U", "gossip", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D", str(data))


class PostgreSQL:
    """
    A server with the settings that it comes with, which writes to disk as it should. L{close} must be called.

    @ivar port: where it listens.
    """

    def __init__(self, settings: Mapping[str, str] = {}, core: int | None = None) -> None:
        """
        @param settings: more of its settings.
        @param core: where it runs.
        @raise CannotMeasure: it cannot be started.
        """
        self.port = machine.free_port()
        self._home = new_home()
        self._data = self._home / "data"
        try:
            initialize(self._data)
            given = " ".join(
                f"-c {name}={value}" for name, value in {**SETTINGS, "port": self.port, **settings}.items()
            )
            log = str(self._home / "log")
            run("pg_ctl", "-w", "-s", "-D", str(self._data), "-l", log, "start", "-o", given, core=core)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Its first process, the parent of all others."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def create(self, database: str, template: str = "template0") -> None:
        """Make a database, with everything that another one has."""
        self.execute(f"CREATE DATABASE {database} TEMPLATE {template}")

    def url(self, database: str) -> str:
        """The URL of a database."""
        return f"postgresql://gossip@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Execute a statement, and return what it finds."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """End it, and leave nothing behind."""
        if (self._data / "postmaster.pid").exists():
            run("pg_ctl", "-w", "-s", "-D", str(self._data), "-m", "immediate", "stop")
        shutil.rmtree(self._home, ignore_errors=True)
