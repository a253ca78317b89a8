"""
A real daemon, in a process of its own, and games that join it by real sockets: for tests of the whole.

Nothing here sleeps in the hope that something has happened by then: what a test waits for is polled, or read, until it
is there, for at most L{WITHIN} seconds.
"""

from __future__ import annotations

import atexit
import functools
import http.client
import itertools
import json
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from ssl import SSLContext
from typing import Any, Final, TypeVar

from twisted.trial.unittest import SynchronousTestCase
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from gossip.cli.daemon import RunningDaemon
from tests.support.starter import Started, Starter
from tests.support.world import FLAGS

ROOT: Final = Path(__file__).resolve().parents[2]

WITHIN: Final = 20.0
"""How long a test waits for anything, in seconds: far longer than it takes on a slow machine."""

TWISTD: Final = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")
"""The command, wherever it may be installed."""

Frame = dict[str, Any]
Found = TypeVar("Found")

_tags = itertools.count()


def eventually(look: Callable[[], Found], what: str, within: float = WITHIN) -> Found:
    """
    Look again and again, until what is found is true.

    @param what: what is waited for, for people.
    """
    deadline = time.monotonic() + within
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} seconds: {what}")
        time.sleep(0.02)
    return found


def free_port() -> int:
    """A free port of the loopback, outside the range that the system gives to outgoing connections."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def listens(port: int) -> bool:
    """Does something listen on a port of the loopback?"""
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def environment(**more: str) -> dict[str, str]:
    """The environment of a process that runs this checkout, and has no settings but those of the test."""
    # Hundreds of processes need not compile all modules anew.
    left_out = ("GOSSIP_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


@functools.cache
def _starter() -> Starter | None:
    """What starts the daemons of this process; C{None} where the system has not what it needs."""
    return Starter(environment()) if hasattr(os, "pidfd_open") else None


class Daemon:
    """
    A daemon with a data directory of its own. L{close} must be called, whatever happens.

    @ivar directory: holds C{data}, the configuration C{gossip.toml}, and C{log}, all that the process wrote.
    @ivar port: where it listens on the loopback.
    @ivar environment: more of the environment of its process.
    """

    def __init__(self, config: str = "", arguments: Sequence[str] = (), data: Path | None = None) -> None:
        """
        @param config: the text of its configuration file.
        @param arguments: further options.
        @param data: its data directory, if it shares one with another daemon.
        """
        # Short, since it holds a unix socket.
        self.directory = Path(tempfile.mkdtemp(prefix="gossip-"))
        self.data = data or self.directory / "data"
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}/socket"
        self.arguments = tuple(arguments)
        self.environment: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | Started | None = None
        # Now: what is registered to be done at the end of this process after it is done before it ends.
        self._starter = _starter()
        self.configure(config)

    def configure(self, config: str) -> None:
        """Write the configuration file anew; SIGHUP makes a running daemon read it."""
        (self.directory / "gossip.toml").write_text(config)

    def launch(self) -> None:
        """Start the process, and wait for nothing."""
        arguments = [
            "--nodaemon",
            "--pidfile=",
            "gossip",
            *("--config", str(self.directory / "gossip.toml")),
            *("--data", str(self.data)),
            *("--listen", f"tcp:{self.port}:interface=127.0.0.1"),
            *self.arguments,
        ]
        with (self.directory / "log").open("ab") as log:
            # What is in the environment may have to be there from the first moment on.
            if self._starter is not None and not self.environment:
                self._process = self._starter.start(arguments, self.directory, environment(), log.fileno())
                return
            self._process = subprocess.Popen(
                [*TWISTD, *arguments],
                cwd=self.directory,
                env=environment(**self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def limit_files(self, most: int) -> None:
        """Let the process open only a few files. Call it right after L{launch}."""
        assert self._process is not None
        resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE, (most, most))

    def wait_until_healthy(self) -> None:
        """Wait until games can join."""
        eventually(self._is_healthy, "a healthy daemon")

    def start(self) -> Daemon:
        """Start the process, and wait until games can join."""
        self.launch()
        self.wait_until_healthy()
        return self

    def _is_healthy(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the daemon ended with {self._process.returncode}:\n{self.log}")
        try:
            return self.get("/health").status == http.client.OK
        except OSError:
            return False

    def get(self, path: str) -> http.client.HTTPResponse:
        """Ask the public site for a page."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=WITHIN)) as connection:
            connection.request("GET", path)
            return connection.getresponse()

    def send_signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end of the process; returns its exit status."""
        assert self._process is not None
        return self._process.wait(WITHIN)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the process; returns its exit status."""
        self.send_signal(number)
        return self.wait()

    def close(self) -> None:
        """End whatever is left, and leave nothing behind."""
        if self._process is not None and self._process.poll() is None:
            self.stop(signal.SIGKILL)
        shutil.rmtree(self.directory)

    @property
    def log(self) -> str:
        """All that the process wrote so far."""
        return (self.directory / "log").read_text(errors="backslashreplace")

    def logged(self, text: str, times: int = 1) -> None:
        """Wait for a text in the log."""
        eventually(lambda: self.log.count(text) >= times, f"{text!r} in the log")

    # The admin.

    def gossipctl(self, *arguments: str) -> Frame:
        """What the real gossipctl, in a process of its own, prints as JSON."""
        answer: Frame = json.loads(self.gossipctl_text("--json", *arguments))
        return answer

    def gossipctl_text(self, *arguments: str, within: float = WITHIN) -> str:
        """
        What the real gossipctl, in a process of its own, prints.

        @param within: how long it may take, in seconds.
        """
        command = (sys.executable, "-m", "gossip.cli.ctl", "--data", str(self.data), *arguments)
        run = subprocess.run(
            command,
            cwd=self.directory,
            env=environment(**self.environment),
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
        if run.returncode:
            raise AssertionError(f"gossipctl ended with {run.returncode}: {run.stderr}")
        return run.stdout

    def admin(self, operation: str, **arguments: Any) -> Frame:
        """Have something done by the admin API, as gossipctl does, without the second that its process takes."""
        return RunningDaemon(self.data / "admin.sock").post(operation, arguments)

    def status(self) -> Frame:
        """How the daemon is, as gossipctl is told."""
        return RunningDaemon(self.data / "admin.sock").get("status")

    def register(self, short_name: str, **more: Any) -> Frame:
        """Register a game; returns its credentials."""
        return self.admin("game/add", name=f"The {short_name}", short_name=short_name, **more)


def credentials(game: Mapping[str, Any], **more: Any) -> Frame:
    """The payload of an authenticate that succeeds."""
    return {"client_id": game["client_id"], "client_secret": game["client_secret"], "supports": list(FLAGS), **more}


class Game:
    """
    A game at the real socket, made with another websocket library than the daemon's.

    It answers no heartbeat by itself; those that come later than the first are left out of what it heard.

    @ivar connection: the library's connection.
    """

    def __init__(self, url: str, compression: str | None = "deflate", tls: SSLContext | None = None) -> None:
        self.connection: ClientConnection = connect(
            url,
            compression=compression,
            ssl=tls,
            proxy=None,
            ping_interval=None,
            open_timeout=WITHIN,
            close_timeout=WITHIN,
            max_size=None,
        )

    def write(self, sent: Frame | str | bytes) -> None:
        """Send a frame: an object as JSON, text as it is, bytes as a binary one."""
        self.connection.send(json.dumps(sent) if isinstance(sent, dict) else sent)

    def read(self, within: float = WITHIN) -> Frame:
        """The next frame, a heartbeat too."""
        frame: Frame = json.loads(self.connection.recv(within))
        return frame

    def authenticate(self, game: Mapping[str, Any], **more: Any) -> list[Frame]:
        """Join; returns what the daemon said up to the first heartbeat."""
        self.write({"event": "authenticate", "payload": credentials(game, **more)})
        heard = [self.read()]
        assert heard[0].get("status") == "success", heard
        while heard[-1]["event"] != "heartbeat":
            heard.append(self.read())
        return heard

    def expect(self, event: str, within: float = WITHIN) -> Frame:
        """The next frame of an event; what comes before it is passed over."""
        while True:
            frame = self.read(within)
            if frame["event"] == event:
                return frame

    def hear(self, *sent: Frame | str | bytes) -> list[Frame]:
        """
        Send frames, and return all that is heard until the daemon is done with them.

        Answers leave in the order of the requests: one more request shows where they end.
        """
        tag = f"end {next(_tags)}"
        for one in sent:
            self.write(one)
        self.write({"event": "end", "ref": tag})
        heard: list[Frame] = []
        while (frame := self.read()).get("ref") != tag:
            if frame != {"event": "heartbeat"}:
                heard.append(frame)
        return heard

    def ask(self, event: str, payload: Any = None, ref: Any = "1", **more: Any) -> list[Frame]:
        """Send a request, and return all that is heard until it is answered. C{None} is for no ref and no payload."""
        optional = {"ref": ref, "payload": payload}
        return self.hear({"event": event, **{key: one for key, one in optional.items() if one is not None}, **more})

    def outcome(self, event: str, payload: Any = None, ref: Any = "1") -> str:
        """Send a request that has one plain answer; returns C{success}, or the error."""
        (answer,) = self.ask(event, payload, ref)
        assert (answer["event"], answer.get("ref")) == (event, ref), answer
        assert (answer["status"] == "failure") == ("error" in answer), answer
        return str(answer.get("error", answer["status"]))

    def ended(self) -> tuple[list[Frame], int | None, str | None]:
        """Read to the end of the connection: the frames, and with which code and reason the daemon closed it."""
        frames: list[Frame] = []
        try:
            while True:
                frames.append(self.read())
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                return frames, None, None
            return frames, closed.rcvd.code, closed.rcvd.reason

    def close(self) -> None:
        """Leave."""
        self.connection.close()


@functools.cache
def shared(config: str = "") -> Daemon:
    """
    A daemon for tests that do not disturb each other; it ends with this process.

    @param config: the text of its configuration file; nothing is for all defaults.
    """
    daemon = Daemon(config)
    atexit.register(daemon.close)
    return daemon.start()


class DaemonTestCase(SynchronousTestCase):
    """Tests that start daemons of their own."""

    def daemon(self, config: str = "", arguments: Sequence[str] = (), data: Path | None = None) -> Daemon:
        """A daemon that is not started yet, and that ends with the test."""
        daemon = Daemon(config, arguments, data)
        self.addCleanup(daemon.close)
        return daemon

    def connect(self, daemon: Daemon, **options: Any) -> Game:
        """A game that has not authenticated yet."""
        game = Game(daemon.url, **options)
        self.addCleanup(game.close)
        return game

    def join(self, daemon: Daemon, registered: Mapping[str, Any], **more: Any) -> Game:
        """A game that has authenticated, with whatever else stands in its payload."""
        game = self.connect(daemon)
        game.authenticate(registered, **more)
        return game


class SharedDaemonTestCase(SynchronousTestCase):
    """
    Tests at one daemon. Each registers the games that it needs, and they are removed after it, so that every test finds
    nobody there.

    @cvar config: the text of the daemon's configuration file.
    """

    config = ""

    def setUp(self) -> None:
        self.daemon = self.find_daemon()
        self.registered: dict[str, Frame] = {}

    def find_daemon(self) -> Daemon:
        """The daemon to test at."""
        return shared(self.config)

    def register(self, short_name: str, **more: Any) -> Frame:
        """Register a game, for this test."""
        if short_name not in self.registered:
            self.registered[short_name] = self.daemon.register(short_name, **more)
            self.addCleanup(self.daemon.admin, "game/remove", game=short_name)
        return self.registered[short_name]

    def connect(self, **options: Any) -> Game:
        """A game that has not authenticated yet."""
        game = Game(self.daemon.url, **options)
        self.addCleanup(game.close)
        return game

    def join(self, short_name: str, **more: Any) -> Game:
        """A game that has authenticated, with whatever else stands in its payload."""
        game = self.connect()
        game.authenticate(self.register(short_name), **more)
        return game
