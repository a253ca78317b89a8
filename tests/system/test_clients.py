"""Clients of telnet as they are in the field, at a real daemon: each joins, and talks with a game by websocket."""

from __future__ import annotations

import atexit
import functools
import http.client
import importlib.util
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from twisted.trial.unittest import SkipTest

from tests.support.certificate import certificate
from tests.support.daemon import ROOT, WITHIN, Daemon, DaemonTestCase, Game, SharedDaemonTestCase, eventually, free_port
from tests.support.telnet_games import CHARSET, IAC, MSSP, WILL

PATH: Final = os.environ.get("PATH", "") + ":/usr/games"
"""Debian has TinTin++ among the games."""

TELNETLIB3: Final = """
import asyncio, sys, telnetlib3

async def main():
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    reader, writer = await telnetlib3.open_connection("127.0.0.1", int(sys.argv[1]), encoding="utf8", compression=True)
    async def hear():
        while text := await reader.read(4096):
            print(text, end="", flush=True)
    hearing = asyncio.create_task(hear())
    while line := await lines.readline():
        writer.write(line.decode())
    hearing.cancel()

asyncio.run(main())
"""


def program(name: str) -> str:
    """
    Find a program.

    @raise SkipTest: it is not installed.
    """
    found = shutil.which(name, path=PATH)
    if found is None:
        raise SkipTest(f"{name} is not installed")
    return found


class Client(Protocol):
    """A program with a person, or a MUD, before it."""

    def type(self, line: str) -> None:
        """Type a line."""

    def shown(self) -> str:
        """All that was shown, or what is on the screen."""

    def close(self) -> None:
        """End the program."""


class Piped:
    """A program that reads and writes lines."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        self._heard = bytearray()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while data := os.read(self._process.stdout.fileno(), 65536):
            self._heard += data

    def type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def shown(self) -> str:
        return bytes(self._heard).decode(errors="replace")

    def close(self) -> None:
        self._process.kill()
        self._process.wait(WITHIN)
        self._reading.join(WITHIN)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class Screen:
    """A program in a terminal of its own."""

    def __init__(self, command: Sequence[str]) -> None:
        self._home = tempfile.mkdtemp(prefix="gossip-")
        self._tmux("new-session", "-d", "-x", "200", "-y", "120", *command)

    def _tmux(self, *arguments: str) -> str:
        run = subprocess.run(
            [program("tmux"), "-S", f"{self._home}/tmux", "-f", "/dev/null", *arguments],
            env={**os.environ, "HOME": self._home, "TERM": "xterm", "LC_ALL": "C.UTF-8", "PATH": PATH},
            cwd=self._home,
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
        )
        return run.stdout

    def type(self, line: str) -> None:
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def shown(self) -> str:
        return self._tmux("capture-pane", "-p", "-J")

    def close(self) -> None:
        self._tmux("kill-server")
        shutil.rmtree(self._home, ignore_errors=True)


@functools.cache
def bridged() -> tuple[Daemon, int]:
    """A daemon with a telnet bridge, and the bridge's port."""
    port = free_port()
    daemon = Daemon(arguments=("--telnet", f"tcp:{port}:interface=127.0.0.1"))
    atexit.register(daemon.close)
    return daemon.start(), port


class ClientsTests(SharedDaemonTestCase):
    """Each of the clients."""

    def find_daemon(self) -> Daemon:
        daemon, self.port = bridged()
        return daemon

    def traffic(self) -> dict[str, int]:
        """The bytes of the bridge so far."""
        return dict(self.daemon.status()["telnet_bytes"])

    def wait(self, client: Client, text: str) -> None:
        """Wait until a client shows a text."""
        try:
            eventually(lambda: text in client.shown(), text)
        except AssertionError as error:
            raise AssertionError(f"{error}; there is:\n{client.shown()}") from None

    def talk(self, client: Client, hub: Game) -> None:
        """What is said at each end is heard at the other."""
        client.type("SEND gossip Ana hello from the old world")
        heard = hub.expect("channels/broadcast")["payload"]
        self.assertEqual(
            heard, {"channel": "gossip", "game": "Old", "name": "Ana", "message": "hello from the old world"}
        )
        said = {"channel": "gossip", "name": "Bo Derek", "message": "hello from the new one"}
        self.assertEqual(hub.outcome("channels/send", said), "success")
        self.wait(client, "MSG gossip Bo%20Derek@Hub hello from the new one")

    def converse(self, client: Client, mccp2: bool = False, mccp3: bool = False) -> None:
        """
        Log in, subscribe, and talk both ways.

        @param mccp2: whether all that the client is sent must be compressed.
        @param mccp3: whether all that it sends must be.
        """
        self.addCleanup(client.close)
        hub = self.join("Hub", channels=["gossip"])
        old = self.register("Old")
        self.wait(client, "GOSSIP 1 ")
        client.type(f"LOGIN {old['client_id']} {old['client_secret']} a client")
        self.wait(client, "OK LOGIN Old 2.3.0")
        client.type("SUBSCRIBE gossip")
        self.wait(client, "OK SUBSCRIBE gossip")
        before = self.traffic()
        self.talk(client, hub)
        for number in range(3):
            client.type(f"@h{number} HELP")
            self.wait(client, f"@h{number} OK HELP")
        after = self.traffic()
        grown = {name: after[name] - before[name] for name in after}
        if mccp2:
            self.assertLess(grown["wire_out"], grown["plain_out"] * 0.8, grown)
        else:
            self.assertEqual(grown["wire_out"], grown["plain_out"])
        (self.assertNotEqual if mccp3 else self.assertEqual)(grown["wire_in"], grown["plain_in"])
        self.assertEqual(self.daemon.status()["sessions_by_transport"], {"telnet": 1, "websocket": 1})
        client.type("QUIT")
        eventually(lambda: self.daemon.status()["connections"].get("telnet") == 0, "the end of the connection")

    def test_tintin(self) -> None:
        """TinTin++, with MCCP2 and MCCP3."""
        client = Screen([program("tt++")])
        self.wait(client, "T I N T I N")
        client.type(f"#session a 127.0.0.1 {self.port}")
        self.converse(client, mccp2=True, mccp3=True)

    def test_tinyfugue(self) -> None:
        """TinyFugue, with MCCP2."""
        client = Screen([program("tf"), "-f/dev/null", "-n", "127.0.0.1", str(self.port)])
        self.converse(client, mccp2=True)

    def test_kbtin(self) -> None:
        """KBtin, with MCCP2."""
        client = Screen([program("KBtin")])
        client.type(f"#session a 127.0.0.1 {self.port}")
        self.converse(client, mccp2=True)

    def test_libtelnet(self) -> None:
        """The client of libtelnet, with MCCP2."""
        self.converse(Screen([program("telnet-client"), "127.0.0.1", str(self.port)]), mccp2=True)

    def test_inetutils(self) -> None:
        """The telnet of the GNU inetutils."""
        self.converse(Screen([program("telnet"), "127.0.0.1", str(self.port)]))

    def test_netcat(self) -> None:
        """netcat, which sends bare line feeds and ignores all of telnet."""
        self.converse(Piped([program("nc"), "127.0.0.1", str(self.port)]))

    def test_telnetlib3(self) -> None:
        """telnetlib3, with MCCP2 and MCCP3."""
        if importlib.util.find_spec("telnetlib3") is None:
            raise SkipTest("telnetlib3 is not installed")
        self.converse(Piped([sys.executable, "-c", TELNETLIB3, str(self.port)]), mccp2=True, mccp3=True)

    def test_c(self) -> None:
        """The C example, compiled as strictly as can be: it logs in, answers pings, and talks both ways."""
        directory = Path(self.mktemp())
        directory.mkdir()
        built = directory / "gossip"
        flags = ["-Wall", "-Wextra", "-pedantic", "-std=c89", "-Werror"]
        source = str(ROOT / "examples" / "gossip.c")
        subprocess.run([program("gcc"), *flags, "-c", "-o", str(directory / "gossip.o"), source], check=True)
        subprocess.run([program("gcc"), *flags, "-DGOSSIP_MAIN", "-o", str(built), source], check=True)
        self.example(str(built))
        here = [str(built), "127.0.0.1", str(self.port)]
        for arguments, complaint in (
            ([str(built)], "usage: gossip HOST PORT CLIENT_ID CLIENT_SECRET\n"),
            ([str(built), "127.0.0.1", "1", "x", "y"], "gossip: cannot connect to 127.0.0.1 1: Connection refused\n"),
            ([str(built), "127.0.0.1", "x", "x", "y"], "gossip: cannot connect to 127.0.0.1 x: "),
            ([*here, "x" * 600, "y"], "gossip: the client_id and the secret are too long\n"),
        ):
            run = subprocess.run(arguments, capture_output=True, text=True, timeout=WITHIN, check=False)
            self.assertEqual((run.returncode, run.stdout, run.stderr.count("\n")), (1, "", 1))
            self.assertTrue(run.stderr.startswith(complaint), run.stderr)
        refused = Piped([*here, "x", "y"])
        self.addCleanup(refused.close)
        self.wait(refused, "gossip: ERR LOGIN 401 invalid credentials")

    def test_python(self) -> None:
        """The Python example, in the JSON dialect."""
        self.example(sys.executable, str(ROOT / "examples" / "gossip_json.py"))

    def test_python_alone(self) -> None:
        """Without its arguments, or without a network, the Python example says so in one line."""
        example = [sys.executable, str(ROOT / "examples" / "gossip_json.py")]
        for arguments, complaint in (
            ([], "usage: python gossip_json.py HOST PORT CLIENT_ID CLIENT_SECRET"),
            (["127.0.0.1", "1", "id", "secret"], "gossip_json.py: cannot connect to 127.0.0.1 1: "),
            (["127.0.0.1", "port", "id", "secret"], "gossip_json.py: "),
        ):
            run = subprocess.run([*example, *arguments], capture_output=True, text=True, timeout=WITHIN, check=False)
            self.assertEqual((run.returncode, run.stdout, run.stderr.count("\n")), (1, "", 1))
            self.assertTrue(run.stderr.startswith(complaint), run.stderr)

    def example(self, *command: str) -> None:
        """Run an example that says what it reads, and prints what it hears."""
        hub = self.join("Hub", channels=["gossip"])
        old = self.register("Old")
        client = Piped([*command, "127.0.0.1", str(self.port), old["client_id"], old["client_secret"]])
        self.addCleanup(client.close)
        eventually(
            lambda: self.daemon.status()["sessions_by_transport"].get("telnet") == 1,
            f"a login: {client.shown()}",
        )
        self.wait(client, "joined")
        client.type("Ana hello from an example")
        heard = hub.expect("channels/broadcast")["payload"]
        self.assertEqual((heard["game"], heard["name"], heard["message"]), ("Old", "Ana", "hello from an example"))
        said = {"channel": "gossip", "name": "Bo", "message": "and back"}
        self.assertEqual(hub.outcome("channels/send", said), "success")
        eventually(lambda: "and back" in client.shown(), "an answer")
        self.assertRegex(client.shown(), r"\[gossip\] Bo@Hub: and back")

    def test_metrics(self) -> None:
        """The page for machines tells the bytes of the bridge."""
        text = self.get_text("/metrics")
        for kind in ("wire_in", "plain_in", "wire_out", "plain_out"):
            self.assertIn(f'gossip_telnet_bytes_total{{kind="{kind}"}}', text)

    def get_text(self, path: str) -> str:
        """A page of the public site."""
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=WITHIN)
        self.addCleanup(connection.close)
        connection.request("GET", path)
        return connection.getresponse().read().decode()


class ListenerTests(DaemonTestCase):
    """The daemon's listeners for telnet."""

    def test_off(self) -> None:
        """Unless it is configured there is none, and the status says nothing of it."""
        daemon = self.daemon().start()
        self.assertNotIn("telnet_bytes", daemon.status())
        self.assertNotIn("telnet", daemon.log)

    def test_two(self) -> None:
        """There may be several; what is told of them, and of the network, is what is configured."""
        plain, other = free_port(), free_port()
        daemon = self.daemon(
            f'telnet = ["tcp:{plain}:interface=127.0.0.1", "tcp:{other}:interface=127.0.0.1"]\n'
            '[network]\nname = "Test Network"\n'
        ).start()
        for port in (plain, other):
            figures = self.read(port, b"MSSP-REQUEST\n", b"MSSP-REPLY-END\r\n")
            for line in (b"NAME\tTest Network", b"INTERMUD\tGOSSIP", b"PLAYERS\t0", b"PORT\t%d" % plain):
                self.assertIn(line + b"\r\n", figures)
            started = int(figures.partition(b"UPTIME\t")[2].split()[0])
            self.assertLess(abs(time.time() - started), 60)
        self.assertIn(b"http port %d," % daemon.port, self.read(plain, b"GET / HTTP/1.0\r\n\r\n"))
        daemon.configure(f'telnet = ["tcp:{plain}:interface=127.0.0.1"]\n[network]\nwebsite = "https://mud.example/"\n')
        daemon.send_signal(signal.SIGHUP)
        daemon.logged("read the configuration again")
        self.assertIn(b"see https://mud.example/", self.read(plain, b"GET / HTTP/1.0\r\n\r\n"))

    def test_limits_are_read_again(self) -> None:
        """SIGHUP reads the limits again."""
        port = free_port()
        daemon = self.daemon("", ("--telnet", f"tcp:{port}:interface=127.0.0.1")).start()
        long = b"PING " + b"x" * 2000 + b"\n"
        self.assertIn(b"ERR LINE 413", self.read(port, long, b"ERR"))
        daemon.configure("[limits.telnet]\nline_bytes_before_login = 4000\n")
        daemon.send_signal(signal.SIGHUP)
        daemon.logged("read the configuration again")
        self.assertIn(b"PONG xxx", self.read(port, long, b"PONG xxx"))

    def test_tls(self) -> None:
        """With TLS no compression is offered, and the rest is the same; at a stop there is a last line."""
        daemon = self.daemon()
        certificate(daemon.directory)
        port = free_port()
        files = f"privateKey={daemon.directory}/key.pem:certKey={daemon.directory}/cert.pem"
        daemon.arguments = ("--telnet", f"ssl:{port}:interface=127.0.0.1:{files}")
        daemon.start()
        trusting = ssl.create_default_context(cafile=str(daemon.directory / "cert.pem"))
        game = daemon.register("Old")
        login = f"LOGIN {game['client_id']} {game['client_secret']}\n".encode()
        heard = self.read(port, login, b"OK LOGIN Old", trusting)
        offers = bytes((IAC, WILL, MSSP, IAC, WILL, CHARSET)) + b"\r\nGOSSIP 1 gossip/"
        self.assertTrue(heard.startswith(offers), heard)
        with socket.create_connection(("127.0.0.1", port), WITHIN) as plain:
            connection = trusting.wrap_socket(plain, server_hostname="localhost")
            connection.recv(100)
            self.assertEqual(daemon.stop(), 0)
            self.assertEqual(connection.recv(100), b"BYE 503 restarting\r\n")

    def test_slow_reader(self) -> None:
        """A MUD that does not read what it is sent is cut off, and disturbs nobody."""
        port = free_port()
        config = (
            "[limits.rates]\nglobal = { burst = 0 }\nchannels_send = { burst = 0 }\n"
            "[limits.telnet]\nbacklog_bytes = 65536\n"
        )
        daemon = self.daemon(config, ("--telnet", f"tcp:{port}:interface=127.0.0.1")).start()
        old, hub = daemon.register("Old"), self.join(daemon, daemon.register("Hub"), channels=["gossip"])
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", port))
            deaf.sendall(f"LOGIN {old['client_id']} {old['client_secret']}\nSUBSCRIBE gossip\n".encode())
            eventually(lambda: daemon.status()["sessions_by_transport"].get("telnet") == 1, "a login")
            said = {"channel": "gossip", "name": "Ana", "message": "x" * 4096}
            for _ in range(5000):
                (answer,) = (heard for heard in hub.ask("channels/send", said) if "status" in heard)
                self.assertEqual(answer["status"], "success")
                if not daemon.status()["sessions_by_transport"].get("telnet"):
                    break
            self.assertEqual(daemon.status()["connections"], {"telnet": 0, "websocket": 1})
        daemon.logged("cut off a slow reader: 127.0.0.1")

    def read(self, port: int, sent: bytes, until: bytes = b"", context: ssl.SSLContext | None = None) -> bytes:
        """Connect, send something, and read up to the end, or to a text."""
        heard = b""
        with socket.create_connection(("127.0.0.1", port), WITHIN) as plain:
            connection = context.wrap_socket(plain, server_hostname="localhost") if context else plain
            connection.settimeout(WITHIN)
            connection.sendall(sent)
            while (not until or until not in heard) and (data := connection.recv(65536)):
                heard += data
            connection.close()
        return heard
