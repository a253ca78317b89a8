"""
Starts daemons fast: a process that has imported the libraries, and becomes a new twistd at each fork.

To import them takes a second of CPU, and the tests start hundreds of daemons. What runs then is all of twistd, in a
session and a process of its own. The reactor is not imported before: it belongs to one process.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

IMPORTED: Final = (
    "alembic.command",
    "gossip.cli.terminal",
    "gossip.cluster.service",
    "gossip.operations.executor",
    "gossip.transports.listening",
    "gossip.transports.registered",
    "gossip.web.api.admin_api",
    "gossip.web.live",
    "psycopg",
    "twisted.application.app",
    "twisted.scripts.twistd",
    "twisted.web.server",
)
"""What daemons need, and what does not import the reactor."""

MOST: Final = 65536
"""Bytes of a request: the arguments and the environment of a process."""


class Started:
    """A process that was started here; the same as C{subprocess.Popen}."""

    def __init__(self, starter: Starter, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._starter = starter
        self._ended = os.pidfd_open(pid)

    def send_signal(self, number: int) -> None:
        """Send a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def poll(self) -> int | None:
        """The exit status, C{None} while it runs."""
        return self._reap(0)

    def wait(self, timeout: float) -> int:
        """Wait for its end for at most some seconds; returns the exit status."""
        status = self._reap(timeout)
        if status is None:
            raise subprocess.TimeoutExpired("twistd", timeout)
        return status

    def _reap(self, timeout: float) -> int | None:
        if self.returncode is None:
            poller = select.poll()
            poller.register(self._ended, select.POLLIN)
            if poller.poll(timeout * 1000):
                self.returncode = self._starter.ask({"reap": self.pid})
                os.close(self._ended)
        return self.returncode


class Starter:
    """The process that starts others, as its parent sees it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """@param environment: of the process, and not of those that it starts."""
        self._end, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            process = subprocess.Popen(
                (sys.executable, "-m", __name__, str(other.fileno())),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
            )
        atexit.register(process.wait)
        atexit.register(self._end.close)

    def start(self, arguments: Sequence[str], directory: Path, environment: Mapping[str, str], log: int) -> Started:
        """
        Start twistd.

        @param log: the descriptor of the file that takes what it writes.
        """
        request = {"arguments": list(arguments), "directory": str(directory), "environment": dict(environment)}
        return Started(self, self.ask(request, log))

    def ask(self, request: Mapping[str, Any], *descriptors: int) -> int:
        """Ask for something; returns a number."""
        socket.send_fds(self._end, [json.dumps(request).encode()], descriptors)
        return int(self._end.recv(MOST))


def serve(end: socket.socket) -> bool:
    """
    Start processes until the parent has ended.

    @return: whether this is one of them.
    """
    while True:
        text, descriptors, _, _ = socket.recv_fds(end, MOST, 1)
        if not text:
            return False
        request = json.loads(text)
        if "reap" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["reap"], 0)[1])
        else:
            answer = os.fork()
            if not answer:
                become(request, descriptors[0])
                return True
            os.close(descriptors[0])
        end.send(str(answer).encode())


def become(request: Mapping[str, Any], log: int) -> None:
    """Be a new process."""
    os.setsid()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, log + 10)
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv[1:] = request["arguments"]


def main() -> None:
    """Serve; and be twistd, in processes that were started."""
    with closing(socket.socket(fileno=int(sys.argv.pop()))) as end:
        for name in IMPORTED:
            importlib.import_module(name)
        assert "twisted.internet.reactor" not in sys.modules
        started = serve(end)
        if started:
            # It is closed already.
            end.detach()
    if started:
        from twisted.scripts.twistd import run

        run()


if __name__ == "__main__":
    main()
