"""The load of the benchmarks, on its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path
from threading import Event, Thread

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from benchmarks import machine


def need_compiler() -> None:
    """Skip what needs the load, where it cannot be made."""
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        raise SkipTest("no C compiler")


def load(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the load alone."""
    command = [str(machine.compiled("load")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


class LateServer(Thread):
    """
    A server of the protocol of NATS, at two ports, that delivers each message late, to the game that joined second.

    @ivar ports: the first game must join at the first of them, and the second one at the second.

    @ivar delay: how late, in seconds.
    """

    delay = 0.3

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.ports = [listener.getsockname()[1] for listener in self._listeners]
        self.start()

    def close(self) -> None:
        """Listen no more."""
        for listener in self._listeners:
            listener.close()
        self.join()

    def run(self) -> None:
        """Serve one load."""
        games: list[socket.socket] = []
        try:
            for listener in self._listeners:
                game, _ = listener.accept()
                games.append(game)
                heard = b""
                while not heard.endswith(b"PING\r\n"):
                    heard += game.recv(4096)
                game.sendall(b"PONG\r\n")
            speaker = games[0].makefile("rb")
            while said := speaker.readline():
                size = int(said.split()[-1])
                text = speaker.read(size + 2)
                Event().wait(self.delay)
                games[1].sendall(b"MSG gossip 1 %d\r\n%s" % (size, text))
        except OSError:
            pass
        finally:
            for game in games:
                game.close()


class Load(SynchronousTestCase):
    """The load, on its own."""

    def setUp(self) -> None:
        """It must have been made."""
        need_compiler()

    def test_nobody_listens(self) -> None:
        """Where no server is, the load says so."""
        done = load("-p", str(machine.free_port()), "-P", "nats", "-n", "1", "-w", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nobody listens", done.stderr)

    def test_nobody_would_hear(self) -> None:
        """One game alone has nobody to hear it: an error, and no division by zero."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            done = load("-p", str(port), "-P", "nats", "-n", "1", "-m", "2", "-w", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("do not fit together", done.stderr)

    def test_credentials(self) -> None:
        """A file with too few games is an error that names it."""
        path = Path(self.mktemp())
        path.write_text("one secret\n")
        done = load("-p", "1", "-n", "2", "-f", str(path), "-w", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not enough games", done.stderr)

    def test_late(self) -> None:
        """
        Where nothing arrives in the time that is measured, the load measures on until something does; at several ports,
        and with a database, it tells what these add.
        """
        server = LateServer()
        self.addCleanup(server.close)
        done = load(
            *("-p", ",".join(map(str, server.ports)), "-P", "nats", "-n", "2", "-m", "1", "-w", "1", "-c", "1"),
            *("-s", str(os.getpid()), "-e", str(os.getpid()), "-t", "0.01", "-W", "0.01"),
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        measured = json.loads(done.stdout)
        self.assertGreater(measured["deliveries_s"], 0)
        self.assertGreater(measured["p50"], server.delay * 0.9e6)
        # It came from the other port; and here the server is counted twice.
        self.assertEqual(measured["across_p50"], measured["p50"])
        self.assertGreaterEqual(measured["all_cpu_us"], measured["cpu_us"] * 1.5)
