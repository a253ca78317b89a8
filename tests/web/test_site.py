"""L{gossip.web}: HTTP bytes in, HTTP bytes out."""

from __future__ import annotations

import json
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.interfaces import IAddress
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from gossip import __version__
from gossip.protocol import frames
from gossip.protocol.errors import Error
from gossip.registry.changes import AccountSaved, ChannelSaved, MessageSaid, MessagesRemoved, TicketIssued
from gossip.registry.entities import Account, Channel, Removal, Ticket
from gossip.registry.secret import digest
from gossip.service.counters import Counters
from gossip.web.api.admin_api import BACKLOG, BODY_BYTES, admin_site, unix_user
from gossip.web.http.requests import HALF_CLOSED_SECONDS
from gossip.web.settings import WebRules, WebSettings
from gossip.web.site import public_site
from tests.support.memory_service import CountingTransport, MemoryService
from tests.support.memory_store import COPY
from tests.support.site_browser import Browser
from tests.support.world import NOW, frame, uuid

HOSTILE = "<script>alert('1')</script>\"&"


class SiteTestCase(SynchronousTestCase):
    """A public site."""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.site = public_site(self.service, self.service.store, self.service.clock, maybeDeferred)

    def get(self, path: str, address: IAddress | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        return Browser(self.site, address).ask("GET", path, b"", **headers)


class HeaderTests(SiteTestCase):
    """What holds for every answer."""

    def test_security_headers(self) -> None:
        """Every answer forbids foreign scripts, sniffing, framing and referrers, and names no version."""
        for method, path in (("GET", "/"), ("GET", "/nothing"), ("POST", "/"), ("GET", "/health"), ("OPTIONS", "*")):
            headers = Browser(self.site).ask(method, path)[1]
            policy = (
                "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            )
            self.assertEqual(headers["content-security-policy"], policy, path)
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertEqual(headers["x-frame-options"], "DENY")
            self.assertEqual(headers["referrer-policy"], "no-referrer")
            self.assertEqual(headers["server"], "gossip")

    def test_nothing_else(self) -> None:
        """An unknown path is 404, and is not echoed in the answer."""
        for path in ("/nothing", "/socket", "/%3Cscript%3E", "/../etc/passwd", "//", "/health/"):
            code, headers, body = self.get(path)
            self.assertEqual((code, headers["content-type"]), (404, "text/plain; charset=utf-8"))
            self.assertEqual(body, b"There is nothing here.\n")

    def test_methods(self) -> None:
        """Only GET and HEAD, the latter without a body."""
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"):
            code, headers, _ = Browser(self.site).ask(method, "/")
            self.assertEqual((code, headers["allow"]), (405, "GET, HEAD"))
        code, headers, body = Browser(self.site).ask("HEAD", "/health")
        self.assertEqual((code, headers["content-length"], body), (200, "16", b""))

    def test_bodies(self) -> None:
        """A request with a body is refused, and one that does not end is cut off."""
        browser = Browser(self.site)
        self.assertEqual(browser.ask("GET", "/", b"x")[0], 413)
        browser = Browser(self.site)
        browser.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(17):
            browser.send(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        self.assertTrue(browser.transport.disconnecting)

    def test_idle(self) -> None:
        """An idle connection is closed."""
        browser = Browser(self.site)
        browser.send(b"GET / HTTP/1.1\r\n")
        self.service.clock.advance(29)
        self.assertFalse(browser.transport.disconnecting)
        self.service.clock.advance(2)
        self.assertTrue(browser.transport.disconnecting)

    def test_one_request(self) -> None:
        """A connection serves one request: a proxy must not send a game's upgrade after it."""
        transport = StringTransport()
        channel = self.site.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1))
        channel.makeConnection(transport)
        channel.dataReceived(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(b"\r\nConnection: close\r\n", transport.value())
        self.assertTrue(transport.disconnecting)


class TargetTests(SiteTestCase):
    """What a request asks for, and at which host (RFC 9112, section 3.2)."""

    def answer(self, request: bytes) -> int:
        """The code of the answer to a request."""
        browser = Browser(self.site)
        browser.send(request)
        return browser.read()[0]

    def test_host(self) -> None:
        """A request of HTTP/1.1 needs one valid Host header, one of HTTP/1.0 needs none; on every path."""
        for path in (b"/health", b"/", b"/nothing"):
            good = self.answer(b"GET %s HTTP/1.1\r\nHost: x:80\r\n\r\n" % path)
            self.assertNotEqual(good, 400)
            self.assertEqual(self.answer(b"GET %s HTTP/1.0\r\n\r\n" % path), good)
            for host in (b"", b"Host: x\r\nHost: x\r\n", b"Host: x\r\nHost: y\r\n", b"Host: x/y\r\n", b"Host: a b\r\n"):
                self.assertEqual(self.answer(b"GET %s HTTP/1.1\r\n%s\r\n" % (path, host)), 400, host)
            self.assertEqual(self.answer(b"GET %s HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n" % path), 400)
        for host in (b"mud.example", b"[::1]:4110", b"127.0.0.1:1", b"", b"MUD.example:"):
            self.assertEqual(self.answer(b"GET /health HTTP/1.1\r\nHost: %s\r\n\r\n" % host), 200, host)

    def test_host_at_the_admin_socket(self) -> None:
        """The admin API judges the Host header as well."""
        service = self.service
        site = admin_site(service, service.store, service.clock, maybeDeferred)
        for host, code in ((b"Host: gossip\r\n", 200), (b"", 400), (b"Host: x\r\nHost: x\r\n", 400)):
            browser = Browser(site)
            browser.send(b"GET /status HTTP/1.1\r\n%s\r\n" % host)
            self.assertEqual(browser.read()[0], code, host)

    def test_whole_url(self) -> None:
        """A target that is a whole URL counts as its path, and its host as the Host header."""
        for target, code in (
            (b"http://mud.example/health", 200),
            (b"HTTPS://mud.example:4110/health?x=1", 200),
            (b"http://mud.example", 200),
            (b"http://mud.example?x=1", 200),
            (b"http://mud.example/nothing", 404),
            (b"http://a@b/health", 400),
            (b"ftp://mud.example/health", 404),
            (b"health", 404),
        ):
            self.assertEqual(self.answer(b"GET %s HTTP/1.1\r\nHost: y\r\n\r\n" % target), code, target)
        browser = Browser(self.site)
        browser.send(b"GET https://mud.example:1/connect HTTP/1.1\r\nHost: other.example\r\nAccept: text/html\r\n\r\n")
        code, _, body = browser.read()
        self.assertEqual(code, 200)
        self.assertIn(b"ws://mud.example:1/socket", body)
        self.assertNotIn(b"other.example", body)

    def test_only_https(self) -> None:
        """A page that comes by HTTPS, and no other, tells browsers to come by HTTPS only."""
        name = "strict-transport-security"
        for path in ("/", "/nothing", "/static/nothing", "/health"):
            self.assertNotIn(name, self.get(path)[1])
            self.assertNotIn(name, self.get(path, X_Forwarded_Proto="http")[1])
            self.assertEqual(self.get(path, X_Forwarded_Proto="https")[1][name], "max-age=2592000")
        rules = WebRules(WebSettings(hsts_days=0))
        self.site = public_site(self.service, self.service.store, self.service.clock, maybeDeferred, rules=rules)
        self.assertEqual(self.get("/", X_Forwarded_Proto="https")[1][name], "max-age=0")


class HalfCloseTests(SiteTestCase):
    """A client that sends nothing more, such as C{nc -N}."""

    def setUp(self) -> None:
        super().setUp()
        self.reads: list[Deferred[Any]] = []
        self.site = public_site(self.service, self.service.store, self.service.clock, self.slowly)
        self.service.change(ChannelSaved(Channel("gossip", hidden=False)))

    def slowly(self, function: Any, *arguments: Any) -> Deferred[Any]:
        """Read in a thread that takes as long as the test wants."""
        read: Deferred[Any] = Deferred()
        self.reads.append(read)
        return read.addCallback(lambda _: function(*arguments))

    def ask(self, request: bytes) -> Browser:
        """Ask for something, and send nothing more."""
        browser = Browser(self.site)
        browser.send(request)
        browser.protocol.readConnectionLost()
        return browser

    def test_answered(self) -> None:
        """A page that is being read is answered, and then the connection ends."""
        browser = self.ask(b"GET /chat/gossip HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertFalse(browser.transport.disconnecting)
        self.assertTrue(self.reads)
        while self.reads:
            self.reads.pop().callback(None)
        self.assertEqual(browser.read()[0], 200)
        self.assertTrue(browser.transport.disconnecting)

    def test_bounded(self) -> None:
        """If its answer does not come, the connection ends."""
        browser = self.ask(b"GET /chat/gossip HTTP/1.1\r\nHost: x\r\n\r\n")
        self.service.clock.advance(HALF_CLOSED_SECONDS)
        self.assertTrue(browser.transport.disconnecting)

    def test_half_a_request(self) -> None:
        """What is not a whole request is not answered."""
        for request in (
            b"",
            b"GET / HT",
            b"GET / HTTP/1.1\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx",
        ):
            browser = self.ask(request)
            self.assertTrue(browser.transport.disconnecting, request)
            self.assertEqual(browser.transport.value(), b"")

    def test_stream(self) -> None:
        """A stream has no end, so it ends with the client's side."""
        browser = Browser(self.site)
        browser.send(b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(b"retry: ", browser.transport.value())
        self.assertFalse(browser.transport.disconnecting)
        browser.protocol.readConnectionLost()
        self.assertTrue(browser.transport.disconnecting)


class HealthTests(SiteTestCase):
    """Health, for monitoring."""

    def test_health(self) -> None:
        """A daemon that can do its work says so; another says what is wrong."""
        self.assertEqual((self.get("/health")[0], self.get("/health")[2]), (200, b'{"status":"ok"}\n'))
        self.service.get_stuck()
        self.assertEqual((self.get("/health")[0], self.get("/health")[2]), (503, b'{"status":"stuck"}\n'))


class MetricsTests(SiteTestCase):
    """Metrics."""

    def test_who_may_see_them(self) -> None:
        """Only loopback requests get the metrics, and none that come through a proxy."""
        local = IPv4Address("TCP", "127.0.0.1", 1)
        self.assertEqual(self.get("/metrics", local)[0], 200)
        self.assertEqual(self.get("/metrics", IPv6Address("TCP", "::1", 1))[0], 200)
        self.assertEqual(self.get("/metrics", IPv6Address("TCP", "::ffff:127.0.0.1", 1))[0], 200)
        self.assertEqual(self.get("/metrics", IPv4Address("TCP", "192.0.2.1", 1))[0], 404)
        self.assertEqual(self.get("/metrics", UNIXAddress("/run/x"))[0], 404)
        for name in ("X_Forwarded_For", "x_forwarded_host", "Forwarded", "Via", "X_Real_IP"):
            self.assertEqual(self.get("/metrics", local, **{name: "127.0.0.1"})[0], 404, name)

    def test_figures(self) -> None:
        """All metrics are there, in the format of Prometheus."""
        self.service.transports = [CountingTransport()]
        session = self.service.join("Alpha", players=["Ana"], channels=["gossip"])
        self.service.connect()
        self.service.clock.pump([1] * 5)
        self.service.writer.slow = True
        said = {"channel": "gossip", "name": "Ana", "message": "Hi"}
        self.service.write(session, *(frame("channels/send", said, ref) for ref in ("1", "2", None)))
        counters = self.service.counters
        sent = (b"{", b'{"event": "nonsense"}', b'{"event": "players/status"}', b'{"event": "heartbeat"}')
        for text in sent:
            counters.received(frames.decode(text))
        for code in ("unknown-event", "rate-limited"):
            counters.failed(Error.of(code))
        counters.failed(Error.of("bad-channel", channel="x"))
        counters.messages = 5
        counters.committed(0.004)
        counters.committed(60.0)
        counters.ticked(0.002)
        counters.unkept = 4
        self.service.world.registry.enact(AccountSaved(Account(name="Ana")))
        self.service.world.registry.enact(ChannelSaved(Channel("gossip", False)))
        reader = Browser(self.site)
        reader.send(b"GET /chat/gossip/live HTTP/1.1\r\nHost: x\r\n\r\n")
        _, headers, body = self.get("/metrics", IPv4Address("TCP", "127.0.0.1", 1))
        self.assertTrue(headers["content-type"].startswith("text/plain; version="))
        figures = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
        }
        expected = {
            ("gossip_info", __version__): 1,
            ("gossip_uptime_seconds",): 5,
            ("gossip_connections", "pigeon"): 3,
            ("gossip_sessions",): 1,
            ("gossip_transport_sessions", "websocket"): 1,
            ("gossip_pigeon_letters_total", "in"): 10,
            ("gossip_pigeon_letters_total", "out"): 30,
            ("gossip_games",): 1,
            ("gossip_players",): 1,
            ("gossip_healthy",): 1,
            ("gossip_channels",): 1,
            ("gossip_registered_games",): 4,
            ("gossip_accounts",): 1,
            ("gossip_open_reports",): 0,
            ("gossip_readers",): 1,
            ("gossip_readers_behind",): 0,
            ("gossip_readers_dropped_total",): 0,
            ("gossip_events_received_total", "unreadable"): 1,
            ("gossip_events_received_total", "unknown"): 1,
            ("gossip_events_received_total", "players/status"): 1,
            ("gossip_events_received_total", "heartbeat"): 1,
            ("gossip_failures_total", "unknown"): 1,
            ("gossip_failures_total", "Could not subscribe"): 1,
            ("gossip_failures_total", "rate limit exceeded"): 1,
            ("gossip_rate_limited_total",): 1,
            ("gossip_messages_total",): 5,
            ("gossip_deliveries_total",): 2,  # the answer to authenticate, and a heartbeat
            ("gossip_writer_queue",): 3,
            ("gossip_answers_waiting",): 2,
            ("gossip_unkept_total",): 4,
            ("gossip_reactor_lag_seconds_bucket", "0.001"): 5,
            ("gossip_reactor_lag_seconds_bucket", "0.0025"): 6,
            ("gossip_reactor_lag_seconds_count",): 6,
            ("gossip_reactor_lag_seconds_sum",): 0.002,
            ("gossip_commit_seconds_bucket", "0.0025"): 0,
            ("gossip_commit_seconds_bucket", "0.005"): 1,
            ("gossip_commit_seconds_bucket", "5.0"): 1,
            ("gossip_commit_seconds_bucket", "+Inf"): 2,
            ("gossip_commit_seconds_count",): 2,
        }
        self.assertEqual({key: figures.get(key) for key in expected}, expected)
        self.assertIn(("process_cpu_seconds_total",), figures)

    def test_unhealthy(self) -> None:
        """A daemon that cannot do its work says so in its metrics."""
        self.service.get_stuck()
        self.assertIn(b"\ngossip_healthy 0.0\n", self.get("/metrics", IPv4Address("TCP", "127.0.0.1", 1))[2])

    def test_draining(self) -> None:
        """A node that takes no new games does its work: nobody is woken up for it."""
        self.service.drain()
        self.assertIn(b"\ngossip_healthy 1.0\n", self.get("/metrics", IPv4Address("TCP", "127.0.0.1", 1))[2])

    def test_by_token(self) -> None:
        """With a token the metrics can be read from anywhere, also through a proxy; a wrong token is refused."""
        ticket = Ticket(digest=digest("secret"), kind="token", account="Ana", scope="metrics")
        for change in (AccountSaved(Account(name="Ana", admin=True)), TicketIssued(ticket)):
            self.service.world.registry.enact(change)
        far = IPv4Address("TCP", "192.0.2.1", 1)
        code, _, body = self.get("/metrics", far, Authorization="Bearer secret", X_Forwarded_For="203.0.113.1")
        self.assertEqual((code, b"gossip_games" in body), (200, True))
        code, headers, body = self.get("/metrics", far, Authorization="Bearer wrong")
        self.assertEqual((code, b"gossip_games" in body), (401, False))
        self.assertIn("invalid_token", headers["www-authenticate"])

    def test_kinds_are_bounded(self) -> None:
        """A game cannot create metrics without end."""
        counters = Counters()
        for number in range(1000):
            counters.received(frames.decode(b'{"event": "%d"}' % number))
            counters.failed(Error.of("missing-support", flag=str(number)))
        self.assertEqual(dict(counters.events), {"unknown": 1000})
        self.assertEqual(dict(counters.failures), {"missing support for": 1000})


class AdminTestCase(SynchronousTestCase):
    """An admin API."""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.in_thread: Any = maybeDeferred
        self.site = admin_site(self.service, self.service.store, self.service.clock, self._in_thread)

    def _in_thread(self, *call: Any) -> Any:
        return self.in_thread(*call)

    def browser(self) -> Browser:
        return Browser(self.site, UNIXAddress(None))

    def post(self, path: str, /, **arguments: Any) -> tuple[int, Any]:
        code, headers, body = self.browser().ask("POST", path, json.dumps(arguments).encode())
        self.assertEqual(headers["content-type"], "application/json")
        return code, json.loads(_whole(headers, body))

    def copied(self) -> bytes:
        """The copy of the database that is answered."""
        code, headers, body = self.browser().ask("POST", "/backup")
        self.assertEqual((code, headers["content-type"]), (200, "application/vnd.sqlite3"))
        self.assertEqual(headers["content-length"], str(len(body)))
        return body


class OperationTests(AdminTestCase):
    """Operations over the admin API."""

    def test_game_add(self) -> None:
        """A game that was added can join at once."""
        code, result = self.post("/game/add", name="My MUD", short_name="MyMUD")
        known = ["name", "short_name", "client_id", "client_secret", "owner", "link"]
        self.assertEqual((code, list(result)), (200, known))
        registry = self.service.network.registry
        self.assertIsNotNone(registry.authenticate(result["client_id"], result["client_secret"], NOW))

    def test_refused(self) -> None:
        """A refused operation is answered with 400 and the reason."""
        self.assertEqual(
            self.post("/game/show", game="Nobody"),
            (400, {"error": "no such game", "code": "not-found", "field": "game"}),
        )
        self.assertEqual(
            self.post("/game/show"),
            (400, {"error": "object missing required field game", "code": "invalid", "field": None}),
        )
        self.assertEqual(
            self.post("/game/add", name="A", short_name="alpha"),
            (400, {"error": "the short name alpha is taken", "code": "taken", "field": "short_name"}),
        )

    def test_unknown(self) -> None:
        """An unknown operation is 404, a wrong method 405, arguments without end 413."""
        self.assertEqual(
            self.post("/game/explode"), (404, {"error": "no such operation", "code": "not-found", "field": None})
        )
        self.assertEqual(self.browser().ask("GET", "/game/list")[0], 405)
        self.assertEqual(self.browser().ask("POST", "/status")[0], 405)
        self.assertEqual(self.browser().ask("POST", "/say", b" " * (BODY_BYTES + 1))[0], 413)

    def test_broken(self) -> None:
        """A failure of ours is logged, and answered without its details."""
        self.in_thread = lambda *call: fail(RuntimeError("the disk of /secret is full"))
        code, result = self.post("/backup")
        self.assertEqual(
            (code, result),
            (500, {"error": "something went wrong; the daemon's log has the details", "code": "failed", "field": None}),
        )
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_one_at_a_time(self) -> None:
        """Two edits of one game at the same time both count, and two games cannot get one name."""
        self.service.writer.slow = True
        first, second = self.browser(), self.browser()
        first.send(_request("/game/edit", game="Alpha", tagline="Here"))
        second.send(_request("/game/edit", game="Alpha", description="There"))
        self.assertEqual((first.transport.value(), second.transport.value()), (b"", b""))
        self.service.writer.settle()
        self.assertEqual(first.read()[0], 200)
        self.service.writer.settle()
        self.assertEqual(second.read()[0], 200)
        game = self.service.world.game("Alpha")
        self.assertEqual((game.tagline, game.description), ("Here", "There"))

    def test_gone(self) -> None:
        """An operation is carried out even if the connection closes before the answer."""
        self.service.writer.slow = True
        browser = self.browser()
        browser.send(_request("/game/disable", game="Alpha"))
        browser.protocol.connectionLost(_closed())
        self.service.writer.settle()
        self.assertTrue(self.service.world.game("Alpha").disabled)
        self.assertEqual(browser.transport.value(), b"")


class AuditTests(AdminTestCase):
    """Entries in the activity log."""

    def test_noted(self) -> None:
        """A change is logged, a query is not; the user behind any other socket than a unix socket is unknown."""
        self.service.join("Alpha", channels=["gossip"])
        self.post("/game/disable", game="Alpha")
        self.post("/game/disable", game="Alpha")
        self.post("/game/list")
        self.post("/say", channel="gossip", text="Hi")
        self.post("/say", channel="nowhere", text="Hi")
        self.assertEqual(self.copied(), COPY)
        entries = self.service.store.entries
        self.assertEqual([entry.operation for entry in entries], ["game/disable", "say", "backup"])
        self.assertEqual({entry.actor for entry in entries}, {"unix:unknown"})
        self.assertEqual(json.loads(entries[1].arguments), {"channel": "gossip", "text": "Hi"})
        _, listed = self.post("/audit/list", limit=1)
        self.assertEqual([entry["operation"] for entry in listed["entries"]], ["backup"])

    def test_users(self) -> None:
        """A user of the machine is logged by name, or by number if there is no name."""
        self.assertEqual(unix_user(0), "unix:root")
        self.assertEqual(unix_user(2**31 - 7), "unix:2147483641")


class DaemonTests(AdminTestCase):
    """Requests that only a running daemon can answer."""

    def test_status(self) -> None:
        """The socket has the status, the addresses and, without a token, the metrics."""
        code, _, body = self.browser().ask("GET", "/status")
        self.assertEqual((code, json.loads(body)), (200, {**self.service.status(), "address": "", "socket": ""}))
        self.assertIn(b"gossip_sessions 0.0", self.browser().ask("GET", "/metrics")[2])

    def test_say(self) -> None:
        """The network sends a message, or gives the reason why it cannot."""
        self.service.join("Alpha", channels=["gossip"])
        self.assertEqual(self.post("/say", channel="gossip", text="Hi"), (200, {"channel": "gossip", "text": "Hi"}))
        self.assertEqual([(said.name, said.message) for said in self.service.store.said], [("system", "Hi")])
        self.assertEqual(
            self.post("/say", channel="nowhere", text="Hi"),
            (400, {"error": "no such channel", "code": "not-found", "field": "channel"}),
        )
        self.assertEqual(
            self.post("/say", channel="gossip", text=""),
            (400, {"error": "empty message", "code": "empty-message", "field": None}),
        )

    def test_restart_notice(self) -> None:
        """A restart is announced, for a valid time only."""
        session = self.service.join("Alpha")
        self.assertEqual(self.post("/restart-notice", seconds=60), (200, {"seconds": 60}))
        self.assertEqual(self.post("/restart-notice", seconds=-1)[0], 400)
        self.assertEqual([told["payload"] for told in self.service.told(session)], [{"downtime": 60}])

    def test_backup(self) -> None:
        """A backup is answered with the copy itself, which is closed then; an error of the store is reported."""
        self.assertEqual(self.copied(), COPY)
        self.assertTrue(self.service.store.snapshots[0].closed)
        self.assertEqual(self.post("/backup", path="/backups/b.db")[0], 400, "there is no such argument")
        self.service.store.full = True
        self.assertEqual(
            self.post("/backup"), (400, {"error": "the disk is full", "code": "store-failed", "field": None})
        )

    def test_backup_gone(self) -> None:
        """The copy is closed if nobody waits for it any more."""
        made: list[Deferred[Any]] = [Deferred()]
        self.in_thread = lambda *call: made[0]
        browser = self.browser()
        browser.send(_request("/backup"))
        browser.protocol.connectionLost(_closed())
        copy = self.service.store.snapshot()
        made[0].callback(copy)
        self.assertEqual(copy.closed, True)


class TailTests(AdminTestCase):
    """Following messages."""

    def setUp(self) -> None:
        super().setUp()
        self.service.join("Alpha", channels=["gossip", "other"])

    def follow(self, query: str = "") -> Browser:
        browser = self.browser()
        browser.send(f"GET /tail{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return browser

    def say(self, *texts: str, channel: str = "gossip") -> None:
        for text in texts:
            self.successResultOf(self.service.announce(channel, text))

    def heard(self, browser: Browser) -> list[str]:
        """The messages since the last call."""
        value: bytes = browser.transport.value()
        browser.transport.clear()
        return [json.loads(line)["message"] for line in value.split(b"\r\n") if line.startswith(b"{")]

    def test_one_channel(self) -> None:
        """A tail starts with the last messages of its channel and continues with new ones."""
        self.say(*map(str, range(12)))
        browser = self.follow("?channel=gossip")
        self.assertEqual(self.heard(browser), [str(number) for number in range(2, 12)])
        self.say("elsewhere", channel="other")
        self.say("here")
        self.assertEqual(self.heard(browser), ["here"])

    def test_a_line(self) -> None:
        """A line has everything about a message, and nothing in it that could end it early."""
        browser = self.follow()
        self.say("a\nb")
        line = next(line for line in browser.transport.value().split(b"\r\n") if line.startswith(b"{"))
        self.assertEqual(
            json.loads(line),
            {
                "channel": "gossip",
                "seq": 1,
                "game": "gossip",
                "name": "system",
                "message": "a\nb",
                "said_at": "2023-11-14T22:00:00.000Z",
            },
        )
        self.assertEqual(line.count(b"\n"), 1)

    def test_removed(self) -> None:
        """A removed message is told as what is left of it, and is sent no more to a reader that waits for it."""
        browser, late = self.follow(), self.follow()
        late.transport.producer.pauseProducing()
        self.say("Oops", "Fine")
        said = self.service.store.said[0]
        change = MessagesRemoved((said,), Removal(NOW, "root", "typo"))
        self.service._carry_out(self.service.network.learned(change, self.service.now()))
        late.transport.producer.resumeProducing()
        for reader, texts in ((browser, ["Oops", "Fine", ""]), (late, ["", "Fine", ""])):
            lines = [json.loads(line) for line in reader.transport.value().split(b"\r\n") if line.startswith(b"{")]
            self.assertEqual([line["message"] for line in lines], texts)
            self.assertEqual((lines[2]["seq"], lines[2]["removed"], lines[2]["name"]), (said.seq, "typo", ""))
            self.assertNotIn("removed", lines[1])
        for reader in (browser, late):
            reader.protocol.connectionLost(_closed())
        self.assertNotIn(1, [len(self.service.heard), len(self.service.removed)])

    def test_all_channels(self) -> None:
        """Without a channel, a tail follows all channels."""
        browser = self.follow()
        self.assertTrue(browser.transport.value().startswith(b"HTTP/1.1 200 OK"))
        self.say("a")
        self.say("b", channel="other")
        self.assertEqual(self.heard(browser), ["a", "b"])

    def test_unknown_channel(self) -> None:
        """There is nothing to follow on a channel that does not exist."""
        self.assertEqual(self.browser().ask("GET", "/tail?channel=nowhere")[0], 400)
        self.assertEqual(self.service.heard, set())

    def test_between_history_and_present(self) -> None:
        """A message during the read of the history comes once, after it."""
        reading: Deferred[Any] = Deferred()
        self.in_thread = lambda *call: reading
        browser = self.follow("?channel=gossip")
        self.say("in both", "only new")
        reading.callback(self.service.store.said[:1])
        self.say("later")
        self.assertEqual(self.heard(browser), ["in both", "only new", "later"])

    def test_no_history(self) -> None:
        """A history that cannot be read ends the tail."""
        reading: Deferred[Any] = Deferred()
        self.in_thread = lambda *call: reading
        browser = self.follow("?channel=gossip")
        reading.errback(RuntimeError())
        self.assertEqual(browser.read()[0], 500)
        self.assertEqual((len(self.flushLoggedErrors(RuntimeError)), self.service.heard), (1, set()))

    def test_end(self) -> None:
        """A tail ends with its connection, also while its history is read."""
        browser = self.follow()
        reading: Deferred[Any] = Deferred()
        self.in_thread = lambda *call: reading
        other = self.follow("?channel=gossip")
        self.assertEqual(len(self.service.heard), 2)
        for one in (browser, other):
            one.protocol.connectionLost(_closed())
        self.assertEqual(self.service.heard, set())
        reading.callback([])

    def test_slow_reader(self) -> None:
        """Lines wait for a busy reader, in order; one that is too slow is dropped."""
        browser = self.follow()
        browser.transport.producer.pauseProducing()
        self.say("a", "b")
        self.assertEqual(self.heard(browser), [])
        browser.transport.producer.resumeProducing()
        self.assertEqual(self.heard(browser), ["a", "b"])
        browser.transport.producer.pauseProducing()
        (observer,) = self.service.heard
        for number in range(BACKLOG + 1):
            self.assertIn(observer, self.service.heard)
            observer(MessageSaid("gossip", number, uuid(1), "Alpha", "Ana", "flood", NOW))
        self.assertEqual(self.service.heard, set())
        self.assertTrue(browser.transport.disconnected or browser.transport.disconnecting)


def _request(path: str, /, **arguments: Any) -> bytes:
    body = json.dumps(arguments).encode()
    return b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (path.encode(), len(body)) + body


def _closed() -> Any:
    from twisted.internet.error import ConnectionLost
    from twisted.python.failure import Failure

    return Failure(ConnectionLost())


def _whole(headers: dict[str, str], body: bytes) -> bytes:
    """A body, whether it came in chunks or not."""
    if headers.get("transfer-encoding") != "chunked":
        return body
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole, body = whole + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return whole
