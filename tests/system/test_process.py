"""The daemon as its operator meets it: a process, with its command line, its signals, its exit status and its log."""

from __future__ import annotations

import contextlib  # not its suppress alone: trial takes that name of a module for something else
import json
import re
import shlex
import signal
import socket
import ssl
import subprocess
import time
from datetime import UTC, datetime
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote_plus, urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from twisted.trial.unittest import SynchronousTestCase

from tests.support.certificate import certificate, signed
from tests.support.daemon import (
    TWISTD,
    WITHIN,
    Daemon,
    DaemonTestCase,
    Frame,
    Game,
    credentials,
    environment,
    eventually,
    free_port,
)
from tests.support.rawsocket import frame, handshake

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \[[^]]+\] .*")
"""What each line of the log begins with."""


def twistd(*arguments: str, **variables: str) -> tuple[int, str, str]:
    """Run C{twistd gossip} to its end: exit status, what it said, what it complained about."""
    run = subprocess.run(
        [*TWISTD, "--nodaemon", "--pidfile=", "gossip", *arguments],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    return run.returncode, run.stdout, run.stderr


class CommandLineTests(SynchronousTestCase):
    """Options that answer, and end."""

    def written(self, text: str) -> str:
        path = Path(self.mktemp())
        path.write_text(text)
        return str(path)

    def test_check(self) -> None:
        """A good configuration is said to be good; a wrong one is refused with the place and the reason."""
        status, output, complaints = twistd("--check", "--telnet", "tcp:4111")
        self.assertEqual((status, complaints), (0, ""))
        good, *listening = output.splitlines()
        self.assertEqual(good, "The configuration is good.")
        for line in ("tcp:4110:interface=127.0.0.1: games at /socket, people at /", "tcp:4111: games by telnet"):
            self.assertIn(f"  would listen on {line}", listening)
        for text, complaint in (
            ("[limits]\nsesions = 3\n", "unknown key 'sesions' in [limits], did you mean 'sessions'?"),
            ("[limits.rates.global]\nburts = 3\n", "unknown key 'burts' in [limits.rates.global]"),
            ("downtime = 'soon'\n", "downtime: expected int, got str"),
            ("downtime = \n", "line 1"),
        ):
            status, output, complaints = twistd("--check", "--config", self.written(text))
            self.assertEqual(status, 78, complaints)
            self.assertIn(complaint, output + complaints)
            self.assertNotIn("Traceback", output + complaints)
        status, output, complaints = twistd("--check", "--config", "/no such file")
        self.assertEqual(status, 78)
        self.assertIn("cannot read /no such file", output + complaints)

    def test_check_looks_at_files(self) -> None:
        """What a daemon could not listen on, or with, is wrong before it tries; everything is said at once."""
        wrong = ("tcp:99999", "tpc:4110", "tls:/nonexistent:443")
        status, output, complaints = twistd("--check", *(word for one in wrong for word in ("--listen", one)))
        self.assertEqual((status, output, complaints.count("\n")), (78, "", 3))
        for one in wrong:
            self.assertIn(f"gossip: listen: {one}: ", complaints)

    def test_dump(self) -> None:
        """What is in force is printed as a file that is read again; an option goes before the environment."""
        path = self.written('downtime = 7\ndata = "from the file"\n[limits.rates]\nglobal = { burst = 5 }\n')
        status, dumped, _ = twistd("--config", path, "--dump-config", "--data", "given", GOSSIP_DATA="environment")
        self.assertEqual(status, 0)
        for line in ("downtime = 7", 'data = "given"', "burst = 5", "per_second = 20"):
            self.assertIn(line, dumped)
        self.assertEqual(twistd("--config", self.written(dumped), "--dump-config"), (0, dumped, ""))

    def test_no_output(self) -> None:
        """If what was asked for cannot be printed, one line says so."""
        command = shlex.join((*TWISTD, "--nodaemon", "--pidfile=", "gossip"))
        for option in ("--check", "--dump-config"):
            for redirected, why in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
                run = subprocess.run(
                    f"{command} {option} {redirected}",
                    shell=True,
                    env=environment(),
                    stderr=subprocess.PIPE,
                    text=True,
                    timeout=WITHIN,
                    check=False,
                )
                expected = (1, f"gossip: cannot write to standard output: {why}\n")
                self.assertEqual((run.returncode, run.stderr), expected, (option, redirected))

    def test_files_of_twistd(self) -> None:
        """If twistd cannot write its own files, one line says which and what to do."""
        for options, path, option in (
            (["--nodaemon", "--pidfile=/no/such/x.pid"], "/no/such/x.pid", "--pidfile"),
            (["--nodaemon", "--pidfile=", "--logfile=/no/such/log"], "/no/such/log", "--logfile"),
            (["--pidfile=", "--logfile=/no/such/log"], "/no/such/log", "--logfile"),
        ):
            run = subprocess.run(
                [*TWISTD, *options, "gossip"],
                env=environment(),
                capture_output=True,
                text=True,
                timeout=WITHIN,
                check=False,
            )
            why = f"No such file or directory; name another file with {option}, before the word gossip"
            expected = (1, "", f"gossip: twistd cannot write {path}: {why}\n")
            self.assertEqual((run.returncode, run.stdout, run.stderr), expected)

    def test_byte_order_mark(self) -> None:
        """A file that begins with a byte-order mark is read."""
        self.assertEqual(twistd("--check", "--config", self.written("\ufeffdowntime = 7\n"))[0], 0)


class StartTests(DaemonTestCase):
    """What may be in the way of a start."""

    def failed(self, daemon: Daemon, status: int = 1) -> str:
        """Start a daemon that cannot; returns the one line that says why."""
        daemon.launch()
        self.assertEqual(daemon.wait(), status, daemon.log)
        self.assertNotIn("Traceback", daemon.log)
        complaints = [line for line in daemon.log.splitlines() if re.search(r"(^|\] )gossip: ", line)]
        self.assertEqual(len(complaints), 1, daemon.log)
        return complaints[0]

    def test_in_use(self) -> None:
        """A second daemon on the same data ends with 1 and says why; the first does not notice."""
        first = self.daemon().start()
        self.assertRegex(self.failed(self.daemon(data=first.data)), "another daemon|in use")
        self.join(first, first.register("Alpha"))

    def test_port_taken(self) -> None:
        """A daemon whose port is taken ends with 1 and says which; gossipctl can use the store afterwards."""
        daemon = self.daemon()
        with socket.create_server(("127.0.0.1", daemon.port)):
            self.assertIn(str(daemon.port), self.failed(daemon))
        self.assertEqual(daemon.gossipctl("game", "list")["games"], [])

    def test_no_directory(self) -> None:
        """A data directory that cannot be made."""
        daemon = self.daemon()
        daemon.data.write_text("in the way")
        self.assertIn(str(daemon.data), self.failed(daemon))

    def test_deep_directory(self) -> None:
        """A data directory that is too deep for the admin's unix socket."""
        daemon = self.daemon()
        daemon.data = daemon.directory / ("deep" * 25)
        self.assertIn("has over 107 bytes", self.failed(daemon, 78))

    def test_endpoints(self) -> None:
        """Addresses that are none, or that need a file which is not there."""
        daemons = [
            self.daemon(arguments=("--listen", one)) for one in ("nonsense:1", "tcp:port", "ssl:0:privateKey=no")
        ]
        for daemon in daemons:
            self.assertIn(daemon.arguments[1], self.failed(daemon, 78))

    def test_unknown_key(self) -> None:
        """A configuration that is wrong."""
        daemon = self.daemon("lisen = []\n")
        daemon.launch()
        self.assertEqual(daemon.wait(), 78)
        self.assertIn("unknown key 'lisen', did you mean 'listen'?", daemon.log)
        self.assertNotIn("Traceback", daemon.log)
        self.assertFalse(daemon.data.exists())

    def test_few_files(self) -> None:
        """
        With fewer files to open than connections are allowed, the daemon says so and accepts fewer, on all ports
        together. What needs files besides goes on: gossipctl, the database, the log.
        """
        telnet = free_port()
        daemon = self.daemon(arguments=("--telnet", f"tcp:{telnet}:interface=127.0.0.1"))
        daemon.launch()
        daemon.limit_files(200)
        daemon.wait_until_healthy()
        daemon.logged("limits.connections is 20000, but this process may open only 200 files: at most 150 connections")
        mine = [socket.create_connection(("127.0.0.1", port), WITHIN) for port in (daemon.port, telnet) * 10]
        mine += [socket.create_connection(("127.0.0.1", daemon.port), WITHIN) for _ in range(300)]
        for one in mine:
            self.addCleanup(one.close)
        for one in mine[-150:]:
            with contextlib.suppress(ConnectionResetError):
                self.assertIn(one.recv(12), (b"HTTP/1.1 503", b""))
        daemon.gossipctl("game", "add", "The Full House", "--short", "Full")
        self.assertEqual(daemon.gossipctl("game", "list")["games"][0]["short_name"], "Full")
        self.assertNotIn("EMFILE", daemon.log)
        self.assertNotIn("Too many open files", daemon.log)
        for one in mine:
            one.close()
        eventually(lambda: daemon.get("/health").status == 200, "room for others")

    def test_private(self) -> None:
        """The data directory and the admin's socket are for nobody else; gossipctl works with and without a daemon."""
        daemon = self.daemon()
        daemon.gossipctl("game", "add", "The Early", "--short", "Early")
        daemon.start()
        modes = [path.stat().st_mode & 0o777 for path in (daemon.data, daemon.data / "admin.sock")]
        self.assertEqual(modes, [0o700, 0o600])
        daemon.gossipctl("game", "add", "The Late", "--short", "Late")
        self.assertEqual(daemon.stop(), 0)
        games = daemon.gossipctl("game", "list")["games"]
        self.assertEqual([game["short_name"] for game in games], ["Early", "Late"])


class TLSTests(DaemonTestCase):
    """wss and https."""

    def setUp(self) -> None:
        self.port, self.other_port, self.telnet_port = free_port(), free_port(), free_port()
        self.gossip = daemon = self.daemon()
        certificate(daemon.directory)
        files = f"privateKey={daemon.directory}/key.pem:certKey={daemon.directory}/cert.pem"
        daemon.arguments = (
            *("--listen", f"ssl:{self.port}:interface=127.0.0.1:{files}"),
            *("--listen", f"tls:{daemon.directory}:{self.other_port}"),
            *("--telnet", f"tls:{daemon.directory}:{self.telnet_port}"),
        )
        daemon.start()

    def trusting(self, *offered: str) -> ssl.SSLContext:
        """What trusts the certificate, and offers these protocols by ALPN."""
        context = ssl.create_default_context(cafile=str(self.gossip.directory / "cert.pem"))
        if offered:
            context.set_alpn_protocols(offered)
        return context

    def certificate_at(self, port: int) -> bytes | None:
        """The certificate that a new connection gets."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", port), WITHIN) as plain, context.wrap_socket(plain) as wrapped:
            return wrapped.getpeercert(binary_form=True)

    def test_verified(self) -> None:
        """A game that verifies the certificate joins over TLS, and talks with one that does not use it."""
        daemon = self.gossip
        alpha = Game(f"wss://127.0.0.1:{self.port}/socket", tls=self.trusting())
        self.addCleanup(alpha.close)
        alpha.authenticate(daemon.register("Alpha"), channels=["gossip"])
        beta = self.join(daemon, daemon.register("Beta"), channels=["gossip"])
        alpha.expect("games/connect")
        for one, other in ((alpha, beta), (beta, alpha)):
            message = "Hello! " * 500
            payload = {"channel": "gossip", "name": "Ana", "message": message}
            self.assertEqual(one.outcome("channels/send", payload), "success")
            self.assertEqual(other.expect("channels/broadcast")["payload"]["message"], message)
        with self.assertRaises(ssl.SSLCertVerificationError):
            Game(f"wss://127.0.0.1:{self.port}/socket", tls=ssl.create_default_context())
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(alpha.ended()[1:], (1012, "goodbye"))

    def test_negotiation(self) -> None:
        """Clients that offer HTTP/2, alone or beside HTTP/1.1, get pages, the websocket and the telnet port."""
        request = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for offered in (("h2", "http/1.1"), ("h2",), ("http/1.1",), ()):
            chosen = "http/1.1" if "http/1.1" in offered else None
            for port, expected, says in (
                (self.port, chosen, b"HTTP/1.1 200 OK"),
                (self.other_port, chosen, b"HTTP/1.1 200 OK"),
                (self.telnet_port, None, b"GOSSIP 1"),
            ):
                with socket.create_connection(("127.0.0.1", port), WITHIN) as plain:
                    wrapped = self.trusting(*offered).wrap_socket(plain, server_hostname="localhost")
                    self.assertEqual(wrapped.selected_alpn_protocol(), expected)
                    wrapped.sendall(request)
                    self.assertIn(says, wrapped.recv(4096))
            game = Game(f"wss://localhost:{self.other_port}/socket", tls=self.trusting(*offered))
            self.addCleanup(game.close)
            game.authenticate(self.gossip.register(f"G{offered}".translate(str.maketrans("", "", "(),'/. "))))

    def test_renewed(self) -> None:
        """A renewed certificate is read on SIGHUP; games stay, and a broken one changes nothing."""
        game = Game(f"wss://localhost:{self.port}/socket", tls=self.trusting())
        self.addCleanup(game.close)
        game.authenticate(self.gossip.register("Alpha"), channels=["gossip"])
        (before,) = self.gossip.status()["certificates"]
        renewed = signed("mud.example", ends=datetime(2040, 1, 1, tzinfo=UTC))
        (self.gossip.directory / "key.pem").write_bytes(renewed.key)
        self.gossip.send_signal(signal.SIGHUP)
        self.gossip.logged("the certificates stay as they were: no certificate belongs to the key in", 3)
        self.assertEqual(self.gossip.status()["certificates"], [before])
        (self.gossip.directory / "cert.pem").write_bytes(renewed.pem)
        self.gossip.send_signal(signal.SIGHUP)
        self.gossip.logged("read the certificate for mud.example, which ends at 2040-01-01T00:00:00Z", 3)
        for port in (self.port, self.other_port, self.telnet_port):
            self.assertEqual(self.certificate_at(port), ssl.PEM_cert_to_DER_cert(renewed.pem.decode()))
        found = self.gossip.gossipctl("status")["certificates"]
        self.assertEqual(found, [{"names": ["mud.example"], "ends": "2040-01-01T00:00:00Z"}])
        self.assertEqual(
            game.outcome("channels/send", {"channel": "gossip", "name": "Ana", "message": "Still here"}), "success"
        )

    def test_half_closed(self) -> None:
        """A client that ends its side after its requests, with TLS or without, gets its answers and then the end."""
        game = self.gossip.register("Alpha")
        login = f"login {game['client_id']} {game['client_secret']}\nsubscribe gossip\nsend gossip Ana x\n".encode()
        payload = {"channel": "gossip", "name": "Ana", "message": "x"}
        frames = (
            frame({"event": "authenticate", "payload": credentials(game, channels=["gossip"])}),
            frame({"event": "channels/send", "ref": "last", "payload": payload}),
        )
        page = b"GET /games/Alpha HTTP/1.1\r\nHost: x\r\n\r\n"
        last = b'"ref":"last","status":"success"}\x88\x09\x03\xe8goodbye'
        for port, asked, answered in (
            (self.telnet_port, login, b"OK SEND gossip\r\nBYE 200 goodbye\r\n"),
            (self.port, page, b"</html>"),
            (self.gossip.port, page, b"</html>"),
            (self.port, handshake() + b"".join(frames), last),
            (self.gossip.port, handshake() + b"".join(frames), last),
        ):
            with socket.create_connection(("127.0.0.1", port), WITHIN) as plain:
                connection: socket.socket = plain
                if port != self.gossip.port:
                    connection = self.trusting().wrap_socket(plain, server_hostname="localhost")
                connection.sendall(asked)
                socket.socket.shutdown(connection, socket.SHUT_WR)  # the FIN alone, and TLS stays
                heard = _all_of(connection)
                self.assertEqual(heard[-len(answered) :], answered)

    def test_quiet(self) -> None:
        """A client that asks for no name or an unknown one writes nothing into the log."""
        self.gossip.logged("no admin yet")  # the last line of the start
        before = self.gossip.log
        for _ in range(3):
            self.assertIsNotNone(self.certificate_at(self.other_port))
            self.assertIsNotNone(self.certificate_at(self.telnet_port))
        self.assertEqual(self.gossip.log, before)


def _all_of(connection: socket.socket) -> bytes:
    """Everything up to the end of a connection."""
    heard = b""
    while data := connection.recv(65536):
        heard += data
    return heard


class TerminationTests(DaemonTestCase):
    """SIGTERM."""

    def test_everybody_is_told(self) -> None:
        """Each session gets a restart, then 1012; one that never answers the close does not keep the daemon."""
        daemon = self.daemon("downtime = 100\n").start()
        game = daemon.register("Alpha")
        games = [self.join(daemon, game, channels=["gossip"]) for _ in range(3)]
        stranger = self.connect(daemon)
        deaf = socket.create_connection(("127.0.0.1", daemon.port), timeout=WITHIN)
        self.addCleanup(deaf.close)
        deaf.sendall(handshake() + frame({"event": "authenticate", "payload": credentials(game)}))
        heard = b""
        while b"heartbeat" not in heard:
            heard += deaf.recv(65536)
        payload = {"channel": "gossip", "name": "Ana", "message": "The last word"}
        games[0].write({"event": "channels/send", "ref": "1", "payload": payload})
        games[0].expect("channels/send")
        began = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - began, 8)
        for one in games:
            (restart,), code, reason = one.ended()
            self.assertEqual((restart["event"], code, reason), ("restart", 1012, "goodbye"))
            self.assertTrue(95 <= restart["payload"]["downtime"] <= 105)
        self.assertEqual(stranger.ended(), ([], 1012, "goodbye"))
        self.assertNotIn("Traceback", daemon.log)

    def test_twice(self) -> None:
        """A second SIGTERM changes nothing: the daemon still ends in order."""
        daemon = self.daemon().start()
        deaf = socket.create_connection(("127.0.0.1", daemon.port), timeout=WITHIN)
        self.addCleanup(deaf.close)
        deaf.sendall(handshake())
        self.assertIn(b" 101 ", deaf.recv(65536))
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.stop(), 0)
        self.assertNotIn("Traceback", daemon.log)


class ReloadTests(DaemonTestCase):
    """SIGHUP."""

    def test_reload(self) -> None:
        """What the file says now holds for sessions that are there and for new ones; a broken file changes nothing."""
        daemon = self.daemon().start()
        registered = daemon.register("Alpha")
        game = self.join(daemon, registered, channels=["gossip"])

        def said(number: int) -> str:
            payload = {"channel": "gossip", "name": "Ana", "message": "x" * number}
            return game.outcome("channels/send", payload)

        self.assertEqual([said(30), game.outcome("channels/subscribe", {"channel": "testing"})], ["success"] * 2)
        daemon.configure(
            '[network]\nname = "Another"\nblocked_channels = ["blocked"]\n'
            "[limits]\nmessage_characters = 20\nsessions = 1\n"
        )
        daemon.send_signal(signal.SIGHUP)
        daemon.logged("read the configuration again")
        self.assertEqual([said(20), said(21)], ["success", "message too long"])
        self.assertEqual(game.outcome("channels/subscribe", {"channel": "blocked"}), 'Could not subscribe to "blocked"')
        self.assertEqual(game.ask("games/status", {"game": "gossip"})[0]["payload"]["display_name"], "Another")
        late = self.connect(daemon)
        late.write({"event": "authenticate", "payload": credentials(registered)})
        self.assertEqual(late.read()["error"], "too many sessions")
        for times, broken in enumerate(("[limits]\nmessage_characters = 'many'\n", "no file at all", "\0"), 1):
            daemon.configure(broken)
            daemon.send_signal(signal.SIGHUP)
            daemon.logged("the configuration stays as it was", times)
            self.assertEqual([said(20), said(21)], ["success", "message too long"])
        self.assertEqual(daemon.status()["waits_for_restart"], [])
        daemon.configure('telnet = ["tcp:4111"]\nproxies = 1\n[limits]\nref_bytes = 9\nsessions = 2\n')
        daemon.send_signal(signal.SIGHUP)
        daemon.logged("a restart is needed for telnet, proxies, limits.ref_bytes")
        self.assertEqual(daemon.status()["waits_for_restart"], ["telnet", "proxies", "limits.ref_bytes"])
        self.assertIn("telnet, proxies, limits.ref_bytes", daemon.gossipctl_text("status"))
        daemon.configure("")
        daemon.send_signal(signal.SIGHUP)
        daemon.logged("read the configuration again", 2)
        self.assertEqual(said(30), "success")
        self.assertNotIn("Traceback", daemon.log)


SETUP = re.compile(r"no admin yet: make the first one at http://127\.0\.0\.1:(\d+)(/setup/[0-9a-f-]{36}) until \S+Z\n")


class FirstLinesTests(DaemonTestCase):
    """What the log begins with."""

    def test_words(self) -> None:
        """It says in words what listens where, and names no class of the program."""
        telnet, tls = free_port(), free_port()
        daemon = self.daemon()
        certificate(daemon.directory)
        files = f"privateKey={daemon.directory}/key.pem:certKey={daemon.directory}/cert.pem"
        daemon.arguments = (
            *("--telnet", f"tcp:{telnet}:interface=127.0.0.1"),
            *("--telnet", f"ssl:{tls}:interface=127.0.0.1:{files}"),
        )
        daemon.start().logged("no admin yet")
        for line in (
            f"The port for games and browsers starting on {daemon.port}",
            f"The port for games by telnet starting on {telnet}",
            f"The port for games by telnet (TLS) starting on {tls}",
            f"The socket for gossipctl starting on '{daemon.data}/admin.sock'",
        ):
            self.assertIn(f"{line}\n", daemon.log)
        self.assertNotRegex(daemon.log, "Factory|Site")


class SetUpTests(DaemonTestCase):
    """The link that makes the first admin."""

    def restarted(self, daemon: Daemon, times: int) -> list[str]:
        """Stop the daemon, start it again, and find the links that it has printed so far."""
        if times > 1:
            self.assertEqual(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
        daemon.launch()
        daemon.wait_until_healthy()
        daemon.logged("no admin yet", times)
        found = SETUP.findall(daemon.log)
        self.assertEqual([int(port) for port, _ in found], [daemon.port] * times)
        return [link for _, link in found]

    def test_printed(self) -> None:
        """Each start prints one that takes the place of the last, while there is no admin; what is printed is kept."""
        daemon = self.daemon()
        (first,) = self.restarted(daemon, 1)
        self.assertEqual(daemon.get(first).status, 200)
        _, second = self.restarted(daemon, 2)
        self.assertEqual([daemon.get(link).status for link in (first, second)], [404, 200])
        daemon.admin("account/add", name="Root", admin=True)
        self.assertEqual(daemon.get(second).status, 404)
        self.assertEqual(daemon.stop(), 0)
        daemon.start()
        self.assertEqual(daemon.log.count("no admin yet"), 2)
        daemon.admin("account/show", name="Root")
        self.assertNotIn("Traceback", daemon.log)

    def test_no_secret(self) -> None:
        """No other link is in the log, nor a password, nor a cookie, whatever is done with them."""
        daemon = self.daemon().start()
        link = daemon.admin("account/add", name="Ana")["link"]
        jar = CookieJar()
        browser = build_opener(HTTPCookieProcessor(jar))
        site = f"http://127.0.0.1:{daemon.port}"

        def fill_in(path: str, **fields: str) -> str:
            page: str = browser.open(site + path, timeout=WITHIN).read().decode()
            token = page.partition('name="csrf" value="')[2].partition('"')[0]
            with contextlib.suppress(HTTPError):  # a mistake
                page = browser.open(site + path, urlencode({"csrf": token, **fields}).encode(), WITHIN).read().decode()
            return page

        right, wrong = "correct horse battery", "incorrect horse battery"
        self.assertIn("Sign out", fill_in(link, password=right, again=right))
        secrets = [right, wrong, link, *(str(cookie.value) for cookie in jar)]
        self.assertEqual(len(secrets), 5)
        jar.clear()
        self.assertNotIn("Sign out", fill_in("/sign-in", name="Ana", password=wrong))
        self.assertIn("Sign out", fill_in("/sign-in", name="Ana", password=right))
        secrets += [str(cookie.value) for cookie in jar]
        self.assertEqual(daemon.stop(), 0)
        for secret in secrets:
            self.assertNotIn(secret, daemon.log)
            self.assertNotIn(quote_plus(secret), daemon.log)
        self.assertNotIn("Traceback", daemon.log)

    def test_reload(self) -> None:
        """The settings of sign-up and of links in mails are reloaded with the rest of the file."""
        daemon = self.daemon().start()
        self.assertEqual((daemon.get("/sign-up").status, daemon.get("/forgot").status), (200, 404))
        daemon.configure(
            '[network]\nwebsite = "https://gossip.example.org"\n[web]\nsign_up = "closed"\n'
            '[web.mail]\nserver = "127.0.0.1:9"\nsender = "gossip@example.org"\n'
        )
        daemon.send_signal(signal.SIGHUP)
        daemon.logged("read the configuration again")
        self.assertEqual((daemon.get("/sign-up").status, daemon.get("/forgot").status), (403, 200))


FORGED = "2026-01-01T00:00:00+0000 [-] FORGED"
"""What an admin must never believe."""


class LogTests(DaemonTestCase):
    """What stands in the log, and what does not."""

    def raw(self, daemon: Daemon, sent: bytes) -> None:
        """Send bytes, and wait for whatever the daemon makes of them."""
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=WITHIN) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            try:
                while connection.recv(65536):
                    pass
            except ConnectionResetError:
                pass

    def test_no_secret(self) -> None:
        """No secret is ever in the log, neither a right one nor a wrong one, wherever a game puts it."""
        daemon = self.daemon().start()
        right = daemon.gossipctl("game", "add", "The Alpha", "--short", "Alpha")
        rotated = daemon.gossipctl("game", "rotate", "Alpha")
        wrong = "11111111-2222-4333-8444-555555555555"
        for secret in (right["client_secret"], rotated["client_secret"], wrong):
            payload = {**credentials(right), "client_secret": secret}
            sent: list[Any] = [
                {"event": "authenticate", "payload": payload},
                {"event": "authenticate", "payload": {**payload, "client_id": secret}},
                {"event": "authenticate", "payload": {**payload, "supports": [secret]}},
                {"event": "authenticate", "payload": {**payload, "supports": secret}},
                {"event": secret, "ref": secret, "payload": payload},
                json.dumps({"event": "authenticate", "payload": payload})[:-1],
                json.dumps({"event": "authenticate", "payload": payload}) + " " * 147_456,
                json.dumps({"event": "authenticate", "payload": payload}).encode(),
            ]
            for one in sent:
                game = self.connect(daemon)
                game.write(one)
                game.close()
            masked = frame({"event": "authenticate", "payload": payload})
            self.raw(daemon, handshake() + masked[:-5])
            self.raw(daemon, handshake() + b"\x81\x7d" + json.dumps(payload).encode()[:125])
        self.assertEqual(daemon.stop(), 0)
        for secret in (right["client_secret"], rotated["client_secret"], wrong):
            self.assertNotIn(secret, daemon.log)
        self.assertNotIn("Traceback", daemon.log)

    def test_no_forging(self) -> None:
        """Nothing that comes from outside makes a line of the log, or commands a terminal."""
        daemon = self.daemon().start()
        evil = f"x\n{FORGED}\r{FORGED}\x85{FORGED}\u2028{FORGED}\x1b[2J\x07\x00"
        game = self.connect(daemon)
        game.authenticate(
            daemon.register("Alpha"), channels=["gossip", evil], players=[evil], user_agent=evil, version=evil
        )
        requests: list[Frame] = [
            {"event": "channels/send", "payload": {"channel": "gossip", "name": evil, "message": evil}},
            {"event": "channels/subscribe", "payload": {"channel": evil}},
            {"event": "players/sign-in", "payload": {"name": evil}},
            {"event": evil, "ref": evil},
            {"event": "achievements/create", "payload": {"title": evil}},
        ]
        game.hear(*requests, evil)
        for address in ("x\u2028", evil):
            self.connect(daemon).write({"event": "authenticate", "payload": {"client_id": address}})
        bare = evil.encode().replace(b"\n", b"").replace(b"\r", b"")
        for sent in (
            b"GET /%0a2026-01-01T00:00:00+0000%20[-]%20FORGED HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            b"GET /" + bare + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /\r" + FORGED.encode() + b"\rx HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: "
            + bare
            + b"\r\nReferer: "
            + bare
            + b"\r\nConnection: close\r\n\r\n",
            b"GET /socket HTTP/1.1\r\nHost: " + bare + b"\r\nUpgrade: " + bare + b"\r\n\r\n",
            b"GET /socket?" + bare + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            handshake(b"Origin: " + bare, b"User-Agent: " + bare, b"X-Forwarded-For: " + bare),
            handshake(b"Sec-WebSocket-Extensions: " + bare),
            handshake() + frame(evil.encode(), 0x8),
            handshake() + frame(b"\x03\xe8" + evil.encode()[:100], 0x8),
            evil.encode() + b"\n" + FORGED.encode() + b"\n\n",
        ):
            self.raw(daemon, sent)
        self.assertEqual(daemon.stop(), 0)
        for line in daemon.log.splitlines():
            self.assertRegex(line, LINE)
            self.assertFalse(line.startswith(FORGED), line)
            self.assertTrue(line.isprintable(), line)
