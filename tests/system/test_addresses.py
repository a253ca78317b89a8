"""Where connections come from, at a real daemon: on a socket for both kinds of addresses, and from a proxy."""

from __future__ import annotations

import contextlib
import socket

from tests.support.daemon import WITHIN, Daemon, DaemonTestCase, credentials, eventually, free_port
from tests.support.rawsocket import frame, handshake

HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def header(address: str) -> bytes:
    """What a proxy says of a connection."""
    return f"PROXY TCP4 {address} 127.0.0.1 5555 4110\r\n".encode()


class AddressTests(DaemonTestCase):
    """Each place counts for itself, and is banned for itself."""

    def setUp(self) -> None:
        self.both, self.proxied, self.telnet = free_port(), free_port(), free_port()

    def started(self, config: str = "") -> Daemon:
        arguments = (
            *("--listen", f"tcp6:{self.both}"),
            *("--listen", f"haproxy:tcp:{self.proxied}:interface=127.0.0.1"),
            *("--telnet", f"haproxy:tcp:{self.telnet}:interface=127.0.0.1"),
        )
        return self.daemon(config, arguments).start()

    def connect_to(self, port: int, sent: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", port), WITHIN, (source, 0))
        self.addCleanup(connection.close)
        connection.sendall(sent)
        return connection

    def status(self, port: int, sent: bytes = HEALTH, source: str = "127.0.0.1") -> bytes:
        """The status of the answer to a request."""
        with self.connect_to(port, sent, source) as connection:
            return connection.recv(4096).split()[1]

    def test_idle_sockets(self) -> None:
        """A stranger with idle sockets locks out nobody else, neither of IPv4 nor behind the same proxy."""
        daemon = self.started("[limits]\nunauthenticated_per_address = 3\nrequest_seconds = 60\n")
        for port, sent, others in (
            (self.both, b"", [(HEALTH, "127.0.0.2")]),
            (self.proxied, header("203.0.113.7"), [(header("203.0.113.8") + HEALTH, "127.0.0.2")]),
        ):
            idle = [self.connect_to(port, sent) for _ in range(5)]
            eventually(lambda: self.status(port, sent + HEALTH) == b"503", "no more room for the stranger")  # noqa: B023
            for request, source in others:
                self.assertEqual(self.status(port, request, source), b"200")
            for each in idle:
                each.close()
            eventually(lambda: self.status(port, sent + HEALTH) == b"200", "room")  # noqa: B023
        self.assertNotIn("Traceback", daemon.log)

    def test_from_a_proxy(self) -> None:
        """Games have the address that the proxy names, by websocket and by telnet; a ban of their network ends both."""
        daemon = self.started()
        game = daemon.register("Alpha")
        payload = {"event": "authenticate", "payload": credentials(game)}
        web = self.connect_to(self.proxied, header("203.0.113.9") + handshake())
        self.assertIn(b" 101 ", web.recv(4096))
        web.sendall(frame(payload))
        lines = self.connect_to(self.telnet, header("203.0.113.10"))
        lines.sendall(f"LOGIN {game['client_id']} {game['client_secret']}\r\n".encode())
        shown = eventually(lambda: self.peers(daemon, 2), "two sessions")
        self.assertEqual(shown, ["203.0.113.10", "203.0.113.9"])
        banned = daemon.admin("ban/add", who="203.0.113.0/24", reason="So")
        self.assertEqual(banned["covers"], "256 addresses, to 203.0.113.255")
        for connection in (web, lines):
            with contextlib.suppress(ConnectionResetError):  # nobody answers the close frame
                while connection.recv(4096):
                    pass
        self.assertEqual(self.peers(daemon, 0), [])

    def peers(self, daemon: Daemon, count: int) -> list[str] | None:
        """The addresses of all sessions, if there are that many."""
        found = sorted(each["peer"] for each in daemon.gossipctl("sessions")["sessions"])
        return found if len(found) == count else None
