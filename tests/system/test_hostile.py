"""Bad input of every kind gets the specified answer or a clean close; two games that talk meanwhile do not notice."""

from __future__ import annotations

import contextlib
import resource
import selectors
import signal
import socket
from collections import Counter
from threading import Event, Thread
from typing import Any, ClassVar, Final

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SkipTest
from websockets.exceptions import ConnectionClosed

from tests.support.daemon import WITHIN, Daemon, Frame, Game, SharedDaemonTestCase, credentials, eventually, free_port
from tests.support.properties import examples
from tests.support.rawsocket import BINARY, CLOSE, PING, PONG, TEXT, frame, frames, handshake, texts
from tests.support.world import FLAGS

CONFIG: Final = """
[limits.rates]
global = { burst = 0 }
channels_send = { burst = 0 }
channels_subscribe = { burst = 0 }
channels_unsubscribe = { burst = 0 }
"""
"""The rates have tests of their own; here they would only be in the way."""

UNKNOWN = {"status": "failure", "error": "unknown"}
AN_ERROR = "an error occurred, try again"


class Talk:
    """
    Two well-behaved games that talk while something else goes on, each message when the one before has arrived.

    @ivar exchanged: how many messages arrived, each way.
    """

    def __init__(self, daemon: Daemon, one: Frame, other: Frame) -> None:
        self._games = [Game(daemon.url), Game(daemon.url)]
        for game, registered in zip(self._games, (one, other), strict=True):
            game.authenticate(registered, channels=["gossip"], players=["Ana"], supports=["channels"])
        self._over = Event()
        self._wrong: list[str] = []
        self.exchanged = 0
        self._thread = Thread(target=self._talk, name="talk", daemon=True)
        self._thread.start()

    def _talk(self) -> None:
        try:
            while not self._over.wait(0.01):
                for speaker, listener in (self._games, self._games[::-1]):
                    message = f"No. {self.exchanged}"
                    speaker.write(
                        {
                            "event": "channels/send",
                            "ref": message,
                            "payload": {"channel": "gossip", "name": "Ana", "message": message},
                        }
                    )
                    heard, answer = self._next(listener), self._next(speaker)
                    if heard.get("payload", {}).get("message") != message:
                        self._wrong.append(f"{message} was heard as {heard}")
                    if (answer["event"], answer["ref"], answer["status"]) != ("channels/send", message, "success"):
                        self._wrong.append(f"{message} was answered by {answer}")
                self.exchanged += 1
        except Exception as error:
            self._wrong.append(repr(error))

    def _next(self, game: Game) -> Frame:
        while (heard := game.read())["event"] == "heartbeat":
            game.write({"event": "heartbeat", "payload": {"players": ["Ana"]}})
        return heard

    def go_on(self) -> None:
        """Wait for a few more messages."""
        until = self.exchanged + 3
        eventually(lambda: self._wrong or self.exchanged >= until, "messages of the well-behaved games")

    def end(self) -> list[str]:
        """Stop; returns what went wrong."""
        self._over.set()
        self._thread.join(WITHIN)
        for game in self._games:
            game.close()
        return self._wrong


class HostileTestCase(SharedDaemonTestCase):
    """A daemon at which two games talk while a test does its worst."""

    config = CONFIG

    def setUp(self) -> None:
        super().setUp()
        self.talk = Talk(self.daemon, self.register("Alpha"), self.register("Beta"))
        self.addCleanup(self.talk.end)

    def undisturbed(self) -> None:
        """The two games are still talking, and nothing was lost; the daemon is well, and made no mistake."""
        self.talk.go_on()
        self.assertEqual(self.talk.end(), [])
        self.assertEqual(self.daemon.get("/health").status, 200)
        self.assertNotIn("Traceback", self.daemon.log)
        self.assertNotIn("#critical", self.daemon.log)

    def raw(self, sent: bytes, address: str = "127.0.0.1") -> socket.socket:
        """A connection of bytes."""
        connection = socket.create_connection(("127.0.0.1", self.daemon.port), WITHIN, (address, 0))
        self.addCleanup(connection.close)
        connection.sendall(sent)
        return connection

    def answer(self, connection: socket.socket) -> bytes:
        """All that is answered to bytes, up to the end of the connection, without the head of the handshake."""
        heard = b""
        try:
            while data := connection.recv(65536):
                heard += data
        except ConnectionResetError:
            pass
        return heard.partition(b"\r\n\r\n")[2]

    def close_code(self, answer: bytes) -> int:
        """With which code a connection was closed."""
        first, payload = list(frames(answer))[-1]
        self.assertEqual(first, 0x80 | CLOSE)
        return int.from_bytes(payload[:2], "big")


DEEP = "[" * 30_000
REQUESTS: dict[str, Frame] = {
    "authenticate": dict.fromkeys(
        ("client_id", "client_secret", "supports", "channels", "players", "version", "user_agent", "debug")
    ),
    "heartbeat": {"players": []},
    "channels/subscribe": {"channel": "mallory"},
    "channels/unsubscribe": {"channel": "mallory"},
    "channels/send": {"channel": "mallory", "name": "Ana", "message": "Hello!"},
    "players/sign-in": {"name": "Ana"},
    "players/sign-out": {"name": "Ana"},
    "players/status": {"game": "Mallory"},
    "games/status": {"game": "Mallory"},
    "tells/send": {
        "from_name": "A",
        "to_game": "x",
        "to_name": "B",
        "message": "Hi",
        "sent_at": "2026-01-01T00:00:00Z",
    },
    "achievements/sync": {},
    "achievements/create": {
        "title": "First",
        "description": "",
        "points": 0,
        "display": True,
        "partial_progress": False,
        "total_progress": None,
    },
    "achievements/update": {"key": "", "title": "First", "points": 0},
    "achievements/delete": {"key": ""},
}
"""Every event that a game may send, and every field of it."""

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
"""Any value of JSON, lone surrogates among it."""


class FramesTests(HostileTestCase):
    """Frames that are whole, and hold nonsense."""

    def test_nonsense(self) -> None:
        """Anything but a JSON object is unknown, however deep or large; the session goes on."""
        game = self.join("Mallory")
        for sent in (
            "",
            " " * 65_536,
            "{",
            '{"event"',
            "NaN",
            "null",
            "[]",
            DEEP,
            '{"event": ' + DEEP,
            '{"a":' * 10_000,
            '{"event": "channels/send", "payload": ' + "[" * 20_000 + "]" * 20_000 + ', "ref": }',
            '"' * 65_536,
            '"\\' * 32_000,
            '{"event": "\\ud800',
            '{"event": "x" "ref": 1}',
            "{'event': 'heartbeat'}",
            "\x00",
            "\ufeff{}x",
            b"",
            b"\x00\xff" * 100,
            b'{"event": "heartbeat"}',
        ):
            self.assertEqual(game.hear(sent), [UNKNOWN], repr(sent[:40]))
        self.undisturbed()

    def test_deep_and_huge(self) -> None:
        """Deep nesting, huge numbers and lone surrogates inside of frames that can be read."""
        game = self.join("Mallory", channels=["mallory"], debug=True)
        values = (
            "[" * 8000 + "]" * 8000,
            '{"a":' * 3000 + "1" + "}" * 3000,
            "9" * 5000,
            "-" + "9" * 5000,
            "1e999999999",
            "-1E-999999999",
            "0." + "1" * 5000,
            '"\\ud800"',
            '"\\udfff\\ud800"',
            '{"\\ud800": 1}',
            '["\\udc00"]',
        )
        for value in values:
            for sent in (
                f'{{"event": "channels/send", "payload": {value}}}',
                f'{{"event": "channels/send", "payload": {{"channel": "mallory", "name": {value}, "message": "x"}}}}',
                f'{{"event": "achievements/create", "ref": "1", "payload": {{"title": "x", "points": {value}}}}}',
                f'{{"event": "achievements/delete", "ref": "1", "payload": {{"key": {value}}}}}',
                f'{{"event": "tells/send", "ref": "1", "payload": {{"from_name": {value}}}}}',
                f'{{"event": {value}}}',
                f'{{"event": "games/status", "ref": {value}, "payload": 1}}',
            ):
                answers = game.hear(sent)
                self.assertEqual([one["status"] for one in answers], ["failure"], sent[:80])
            for sent in (
                f'{{"event": "heartbeat", "payload": {{"players": {value}}}}}',
                f'{{"event": "heartbeat", "payload": {{"players": ["Ana", {value}]}}}}',
                f'{{"event": "heartbeat", "payload": {value}, "ref": {value}, "more": {value}}}',
            ):
                self.assertIn(game.hear(sent), ([], [UNKNOWN]), sent[:80])
        self.assertEqual(game.outcome("channels/send", {"channel": "mallory", "name": "M", "message": "x"}), "success")
        self.undisturbed()

    def test_wrong_types(self) -> None:
        """Any value in any field of any event is answered once, under its own ref, and the session goes on."""
        game = self.join("Mallory", channels=["mallory"])
        events = st.sampled_from(sorted(REQUESTS))
        count = 0

        @examples(150)
        @given(events, st.data())
        def attempt(event: str, data: st.DataObject) -> None:
            nonlocal count
            count += 1
            payload: Any = dict(REQUESTS[event])
            for field in payload:
                if data.draw(st.booleans()):
                    payload[field] = data.draw(anything)
            if data.draw(st.integers(0, 9)) == 0:
                payload = data.draw(anything)
            sent = {"event": event, "ref": count, "payload": payload}
            answers = [one for one in game.hear(sent) if one["event"] == event]
            if event == "heartbeat":
                self.assertEqual(answers, [])
                return
            self.assertEqual({one["ref"] for one in answers}, {count})
            if event not in ("achievements/sync", "players/status", "games/status"):
                self.assertEqual(len(answers), 1)
            for answer in answers:
                self.assertIn(answer.get("status", "success"), ("success", "failure"))

        attempt()
        self.undisturbed()

    def test_every_field(self) -> None:
        """A value of each wrong type in each field of each event."""
        game = self.join("Mallory", channels=["mallory"], players=["A"])
        wrongs: list[Any] = [True, -1, 10**400, 1.5, [], ["x"], {}, {"x": 1}, "\ud800", "x\udfff"]
        for event, good in REQUESTS.items():
            for field in good:
                for wrong in wrongs:
                    answers = game.ask(event, {**good, field: wrong})
                    outcomes = [one.get("error", one["status"]) for one in answers if one["event"] == event]
                    match event, field:
                        case "authenticate", _:
                            expected = "unknown"
                        case "heartbeat", _:
                            self.assertEqual(outcomes, [])
                            continue
                        case "tells/send", _:
                            expected = "invalid payload"
                        case (("achievements/create" | "achievements/update" | "achievements/delete"), _):
                            expected = "success" if _is_right(field, wrong) and event.endswith("create") else "failure"
                        case _:
                            expected = AN_ERROR
                    self.assertEqual(outcomes, [expected], (event, field, wrong))
        self.undisturbed()

    def test_wrong_types_before(self) -> None:
        """Whatever stands in the fields of an authenticate gets its error and a clean close, or lets the game in."""
        good: Frame = {**self.register("Mallory"), "supports": list(FLAGS)}
        wrongs: list[Any] = [
            None,
            True,
            -1,
            10**400,
            1.5,
            [],
            [None, 1, {}, ["x"]],
            {},
            "",
            "\ud800",
            ["\ud800"],
            "x" * 9000,
        ]
        for field in REQUESTS["authenticate"]:
            for wrong in wrongs:
                game = self.connect()
                game.write({"event": "authenticate", "payload": {**good, field: wrong}})
                if field in ("client_id", "client_secret", "supports"):
                    (answer,), code, reason = game.ended()
                    self.assertIn(
                        answer["error"],
                        (
                            "invalid credentials",
                            "missing supports",
                            "must support channels",
                            "includes unknown supports",
                        ),
                    )
                    self.assertEqual((code, reason), (4000, "goodbye"))
                else:
                    self.assertEqual(game.read()["status"], "success", (field, wrong))
                game.close()
        self.undisturbed()


def _is_right(field: str, value: Any) -> bool:
    """Whether one of the wrong values is good for an attribute of an achievement after all."""
    return (field in ("display", "partial_progress") and value is True and field != "partial_progress") or (
        field == "total_progress" and value == -1 and value is not True
    )


class BytesTests(HostileTestCase):
    """Frames that are none, and connections that stay half."""

    def test_closes(self) -> None:
        """Each breach of the websocket protocol has its close code."""
        large = b"x" * (1 << 20)
        breaches = (
            (frame(b"\xff\xfe"), 1007),
            (frame(b"\xed\xa0\x80"), 1007),
            (frame(b'{"event": "\xc3"}'), 1007),
            (frame(b"\xe2\x9c", TEXT, fin=False) + frame(b"\x28", 0x0), 1007),
            (frame(large), 1009),
            (frame(large, BINARY), 1009),
            (frame(large[:80_000], TEXT, fin=False) + frame(large[:80_000], 0x0), 1009),
            (b"\x81\xff" + (1 << 62).to_bytes(8, "big") + b"mask", 1009),
            (b"\x81\x05hello", 1002),
            (frame(b"x", TEXT, rsv=4), 1002),
            (frame(b"x", TEXT, rsv=1), 1002),
            (frame(b"x", 0x3), 1002),
            (frame(b"x", 0xF), 1002),
            (frame(b"x", 0x0), 1002),
            (frame(b"x" * 126, PING), 1002),
            (frame(b"x", PING, fin=False), 1002),
            (frame(b"x", TEXT, fin=False) + frame(b"y", TEXT), 1002),
            (frame(b"\x03", CLOSE), 1002),
            (frame((1005).to_bytes(2, "big"), CLOSE), 1002),
            (frame((1000).to_bytes(2, "big") + b"\xff", CLOSE), 1007),
            (frame((1000).to_bytes(2, "big") + b"bye", CLOSE), 1000),
        )
        # Side by side: the server waits for a peer that does not answer a close.
        connections = [self.raw(handshake() + sent) for sent, _ in breaches]
        for connection, (sent, code) in zip(connections, breaches, strict=True):
            self.assertEqual(self.close_code(self.answer(connection)), code, sent[:20])
        self.undisturbed()

    def test_bomb(self) -> None:
        """A small compressed message that would be a large one is not unpacked."""
        game = self.connect(compression="deflate")
        with contextlib.suppress(ConnectionClosed):
            game.write(" " * 50_000_000)
        self.assertEqual(game.ended()[1], 1009)
        self.undisturbed()

    def test_many_frames_in_one_packet(self) -> None:
        """Frames that come with the handshake, whole and in pieces of a byte, are answered one by one, in order."""
        sent = [frame({"event": "nonsense", "ref": number}) for number in range(50)]
        whole = self.raw(handshake() + b"".join(sent))
        self.assertEqual(self.refs(whole, 50), list(range(50)))
        pieces = self.raw(b"")
        pieces.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in handshake() + b"".join(sent[:5]):
            pieces.sendall(bytes((number,)))
        self.assertEqual(self.refs(pieces, 5), list(range(5)))
        self.undisturbed()

    def refs(self, connection: socket.socket, count: int) -> list[Any]:
        """The refs of the next answers."""
        heard = b""
        while heard.count(b'"ref"') < count or not heard.endswith(b"}"):
            heard += connection.recv(65536)
        return [answer["ref"] for answer in texts(heard.partition(b"\r\n\r\n")[2])]

    def test_not_http(self) -> None:
        """What is no request for the upgrade is refused, and the connection ends."""
        for sent in (
            b"\x00" * 9000,
            b"x" * 100_000,
            b"GET " + b"/" * 9000 + b" HTTP/1.1\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n",
            b"GET /socket HTTP/1.1\r\n" + b"X: " + b"x" * 20_000,
            b"GET /socket HTTP/1.1\r\n\r\n",
            b"POST /socket HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
            b"GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            handshake().replace(b"Version: 13", b"Version: 99"),
            handshake().replace(b"Version: 13", b"Version: x"),
            handshake().replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"short"),
            handshake(b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99, ,,;;=").replace(
                b"GET", b"PUT"
            ),
            b"FLASH / HTTP/9.9\r\n\r\n",
            b"\n\n\n",
        ):
            connection = self.raw(sent)
            heard = b""
            with contextlib.suppress(OSError):  # it may have been reset by now
                connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                while data := connection.recv(65536):
                    heard += data
            self.assertNotIn(b" 101 ", heard)
            self.assertTrue(not heard or heard.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5")), heard[:80])
        self.undisturbed()

    def test_half(self) -> None:
        """Unfinished connections cost others nothing; a connection that breaks off is forgotten."""
        whole = handshake() + frame({"event": "authenticate", "payload": {}})
        halves = [self.raw(whole[:size]) for size in range(0, len(whole), 3)]
        self.talk.go_on()
        for number, connection in enumerate(halves):
            if number % 2:
                # A reset.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            connection.close()
        self.talk.go_on()
        eventually(lambda: self.daemon.status()["connections"] == {"websocket": 2}, "nobody but the games that talk")
        self.undisturbed()

    def test_slow_reader(self) -> None:
        """A game that never reads is cut off, however much is said; a game that reads hears all of it."""
        deaf = socket.socket()
        self.addCleanup(deaf.close)
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", self.daemon.port))
        payload = credentials(self.register("Mallory"), channels=["mallory"])
        deaf.sendall(handshake() + frame({"event": "authenticate", "payload": payload}))
        eventually(lambda: self.daemon.status()["sessions"] == 3, "the deaf game")
        speaker, listener = self.join("Speaker", channels=["mallory"]), self.join("Listener", channels=["mallory"])
        sent = 0
        while "cut off a slow reader" not in self.daemon.log:
            self.assertLess(sent, 10_000)
            for _ in range(100):
                said = {"channel": "mallory", "name": "Ana", "message": f"{sent} {'x' * 4000}"}
                speaker.write({"event": "channels/send", "payload": said})
                self.assertTrue(listener.expect("channels/broadcast")["payload"]["message"].startswith(f"{sent} "))
                sent += 1
        self.undisturbed()


class FloodTests(HostileTestCase):
    """Connections that send without end what no rate limit counts, all at once."""

    def find_daemon(self) -> Daemon:
        # Its own: it has a telnet port.
        self.telnet = free_port()
        daemon = Daemon(self.config, ("--telnet", f"tcp:{self.telnet}:interface=127.0.0.1"))
        self.addCleanup(daemon.close)
        return daemon.start()

    def test_floods(self) -> None:
        """Each has a small burst, then hardly any turns, and in the end no connection. Meanwhile two games talk."""
        web = self.daemon.port
        upload = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        floods = (
            (web, handshake(), frame(b"", PING)),
            (web, handshake(), frame(b"", PONG)),
            (web, handshake(), frame(b"", TEXT, fin=False) + frame(b"", 0x0)),
            (web, handshake() + frame(b"", TEXT, fin=False), frame(b"", 0x0, fin=False)),
            (web, upload, b"1\r\nx\r\n"),
            (self.telnet, b"", b"\n"),
            (self.telnet, b"", b" \n"),
            (self.telnet, b"", b"\xff\xf1"),  # NOP
            (self.telnet, b"", b"\xff\xf6"),  # AYT
            (self.telnet, b"", b"\xff\xfa\xff\xf0"),  # an empty subnegotiation
        )
        with selectors.DefaultSelector() as selector:
            for port, first, one in floods:
                flooder = socket.create_connection(("127.0.0.1", port), WITHIN)
                self.addCleanup(flooder.close)
                flooder.sendall(first)
                if first.startswith(handshake()):
                    # What floods has to wait for its turn, and a handshake that waits long is given up.
                    self.assertIn(b" 101 ", flooder.recv(65_536))
                flooder.setblocking(False)
                selector.register(flooder, selectors.EVENT_READ | selectors.EVENT_WRITE, one * (65_536 // len(one)))
            heard: Counter[bytes] = Counter()
            exchanged = self.talk.exchanged
            while selector.get_map():
                ready = selector.select(WITHIN)
                self.assertTrue(ready, "a flood that is neither read nor ended")
                for key, events in ready:
                    connection: Any = key.fileobj
                    try:
                        if events & selectors.EVENT_WRITE:
                            connection.send(key.data)
                        if events & selectors.EVENT_READ:
                            data = connection.recv(65_536)
                            heard[key.data[:1]] += len(data)
                            if not data:
                                raise ConnectionResetError
                    except BlockingIOError:
                        pass
                    except (ConnectionResetError, BrokenPipeError):
                        selector.unregister(connection)
        # The answer to a ping has two bytes.
        self.assertLess(heard[b"\x89"], 4000)
        self.assertLess(self.daemon.status()["telnet_bytes"]["plain_in"], 3_000_000)
        self.assertGreater(self.talk.exchanged - exchanged, 100)
        # On a busy machine, a websocket may end because its frame is not whole after ten seconds.
        sure = [one for _, first, one in floods if not first.startswith(handshake())]
        self.assertGreaterEqual(self.daemon.log.count("cut off a flood: 127.0.0.1"), len(sure))
        self.undisturbed()


class CrowdTests(HostileTestCase):
    """Ten thousand connections that never authenticate."""

    crowd: ClassVar[int] = 10_000
    addresses: ClassVar[int] = 16
    batch: ClassVar[int] = 40  # within the backlog of a listening socket, or the system waits a second

    def setUp(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < self.crowd + 1000:
            raise SkipTest(f"only {hard} files may be open")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        super().setUp()

    def find_daemon(self) -> Daemon:
        # Its own: it is reconfigured.
        daemon = Daemon(self.config)
        self.addCleanup(daemon.close)
        return daemon.start()

    def test_crowd(self) -> None:
        """
        Of those from one address the first 500 are let in, the others get a 503; when they have taken too long, they
        are closed with 4001. Meanwhile two games talk.
        """
        here: list[socket.socket] = []
        answers: Counter[bytes] = Counter()
        for start in range(0, self.crowd, self.batch):
            batch = [
                self._knock(f"127.0.0.{10 + number % self.addresses}") for number in range(start, start + self.batch)
            ]
            for one, heard in self._hear(batch, b"\r\n\r\n"):
                answers[heard[:12]] += 1
                if heard.startswith(b"HTTP/1.1 101"):
                    here.append(one)
                else:
                    one.close()
        self.talk.go_on()
        admitted = 500 * self.addresses
        self.assertEqual(answers, {b"HTTP/1.1 101": admitted, b"HTTP/1.1 503": self.crowd - admitted})
        # There is room for others, and when the crowd is gone for its own addresses too.
        self.join("Mallory")
        self.daemon.configure(CONFIG.replace("[limits.rates]", "[limits]\nauthenticate_seconds = 0.5\n[limits.rates]"))
        self.daemon.send_signal(signal.SIGHUP)
        closes: Counter[bytes] = Counter()
        for one, heard in self._hear(here, None):
            closes[heard] += 1
            one.close()
        self.assertEqual(closes, {b"\x88\x09" + (4001).to_bytes(2, "big") + b"goodbye": admitted})
        self.daemon.configure(CONFIG)
        self.daemon.send_signal(signal.SIGHUP)
        self.daemon.logged("read the configuration again", 2)
        ((again, heard),) = self._hear([self._knock("127.0.0.10")], b"\r\n\r\n")
        self.assertTrue(heard.startswith(b"HTTP/1.1 101"))
        again.close()
        self.undisturbed()
        self.assertGreater(self.talk.exchanged, 10)

    def _knock(self, address: str) -> socket.socket:
        """Begin a connection from an address of the loopback, without waiting for it."""
        connection = socket.socket()
        self.addCleanup(connection.close)
        connection.setblocking(False)
        connection.bind((address, 0))
        connection.connect_ex(("127.0.0.1", self.daemon.port))
        return connection

    def _hear(self, connections: list[socket.socket], end: bytes | None) -> list[tuple[socket.socket, bytes]]:
        """
        What connections hear, up to some bytes or to their end. Those that are new do the handshake first; a close
        frame is answered by the end of the connection.
        """
        heard = dict.fromkeys(connections, b"")
        done: list[tuple[socket.socket, bytes]] = []
        with selectors.DefaultSelector() as selector:
            for one in connections:
                selector.register(one, selectors.EVENT_WRITE if end else selectors.EVENT_READ)
            while len(done) < len(connections):
                ready = selector.select(WITHIN)
                if not ready:
                    raise AssertionError(f"{len(connections) - len(done)} connections hear nothing")
                for key, _ in ready:
                    connection: Any = key.fileobj
                    if key.events == selectors.EVENT_WRITE:
                        connection.send(handshake())
                        selector.modify(connection, selectors.EVENT_READ)
                        continue
                    data = connection.recv(4096)
                    heard[connection] += data
                    if not data or (end and end in heard[connection]) or (not end and len(heard[connection]) >= 11):
                        selector.unregister(connection)
                        done.append((connection, heard[connection]))
        return done
