"""The machine: its cores, its compiler, its versions, and processes pinned to a core."""

from __future__ import annotations

import hashlib
import http.client
import importlib.metadata
import os
import platform
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import IO, Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent

CORES: Final = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
"""The cores that we may use; none where the system does not tell."""

PINNED: Final = len(CORES) > 1
"""Whether server and load have a core each. If not, only ratios of CPU time mean anything."""

SERVER_CORE: Final = 0
LOAD_CORE: Final = 1

STARTS_WITHIN: Final = 60.0
ENDS_WITHIN: Final = 10.0


class CannotMeasure(Exception):
    """Something is missing on this machine; the text is for a person."""


def compiled(name: str) -> Path:
    """
    A program of ours in C, compiled on first use.

    @param name: its source is C{benchmarks/NAME.c}.
    @raise CannotMeasure: there is no compiler, or it refuses.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise CannotMeasure("a C compiler is needed for the load: on Debian, apt install gcc libc6-dev libssl-dev")
    source = HERE / f"{name}.c"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gossip-benchmarks"
    binary = cache / f"{name}-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}"
    if binary.exists():
        return binary
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = cache / f"{binary.name}.{os.getpid()}"
    command = [compiler, "-O2", "-std=gnu11", "-w", "-o", str(unfinished), str(source)]
    # Without the headers of OpenSSL all but TLS can be measured.
    for more in (["-DWITH_TLS", "-lssl", "-lcrypto"], []) if name == "load" else ([],):
        run = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
        if run.returncode == 0:
            unfinished.replace(binary)
            return binary
    raise CannotMeasure(f"{compiler} cannot compile {source}:\n{run.stderr}")


def can_do_tls() -> bool:
    """Was the load compiled with TLS?"""
    return b"SSL_do_handshake" in compiled("load").read_bytes()


def on_core(core: int) -> Callable[[], None] | None:
    """What a new process must do first to stay on one core."""
    if not PINNED:
        return None
    return lambda: os.sched_setaffinity(0, {CORES[core]})


def launch(
    command: Sequence[str | Path],
    core: int,
    directory: Path,
    log: IO[bytes],
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """
    Start a server on a core.

    @param directory: its working directory.
    @param log: what it writes goes there.
    """
    return subprocess.Popen(
        [str(word) for word in command],
        cwd=directory,
        env={**clean_environment(), **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        preexec_fn=on_core(core),  # noqa: PLW1509 (this process has no threads)
    )


def clean_environment() -> dict[str, str]:
    """The environment without settings of a daemon, and with this checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GOSSIP_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that we started."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(ENDS_WITHIN)


def free_port() -> int:
    """A free port of the loopback interface that the system does not give to outgoing connections."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_for_listener(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """
    Wait until a server listens.

    @raise CannotMeasure: it does not, or not soon.
    """
    _wait(partial(_listens, port), process, log)


def wait_for_daemon(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """
    Wait until games can join a daemon, which as a node listens before it hears the others.

    @raise CannotMeasure: they cannot, or not soon.
    """
    _wait(partial(_is_well, port), process, log)


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise CannotMeasure(f"{process.args!r} ended with {process.returncode}:\n{log.read_text(errors='replace')}")
        if ready():
            return
        time.sleep(0.02)
    raise CannotMeasure(f"{process.args!r} does not start:\n{log.read_text(errors='replace')}")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _is_well(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=STARTS_WITHIN)) as connection:
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False


def description() -> dict[str, str]:
    """The machine and the versions of what is compared, for the head of a report."""
    versions = {
        name: importlib.metadata.version(name)
        for name in ("twisted", "autobahn", "msgspec", "sqlalchemy", "websockets")
        if _installed(name)
    }
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "processor": _processor(),
        "cores": f"{len(CORES) or os.cpu_count()}" + ("" if PINNED else ", server and load not kept apart"),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **versions,
        **{name: found for name in ("nats-server", "mosquitto") if (found := _first_line(name))},
    }


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def program(name: str) -> str | None:
    """Where a program is. Debian installs servers outside the usual path."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _first_line(name: str) -> str | None:
    found = program(name)
    if found is None:
        return None
    flag = "-h" if name == "mosquitto" else "--version"
    run = subprocess.run([found, flag], capture_output=True, text=True, check=False)
    lines = (run.stdout or run.stderr).strip().splitlines()
    return lines[0] if lines else "?"


TWISTD: Final = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")
"""The command, wherever it may be installed."""
