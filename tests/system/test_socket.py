"""The protocol at the real socket: a transcript for each section, event and error of the specification."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from websockets.exceptions import ConnectionClosed

from tests.support.daemon import WITHIN, DaemonTestCase, Frame, Game, SharedDaemonTestCase, credentials
from tests.support.node_pair import OnTwoNodes
from tests.support.world import CONTROLS, FLAGS, frame

NOWHERE = "00000000-0000-4000-8000-000000000000"
HEARTBEAT = {"event": "heartbeat"}
WELCOME = {"event": "authenticate", "status": "success", "payload": {"unicode": "✔️", "version": "2.3.0"}}
AN_ERROR = "an error occurred, try again"

NO_OBJECTS: list[Any] = [[], "x", 1, True]
"""Payloads of a wrong type."""

NO_STRINGS: list[Any] = [None, 1, True, [], {}]
"""Strings of a wrong type."""

REQUESTS: dict[str, tuple[str, Frame]] = {
    "channels/subscribe": ("channels", {"channel": "gossip"}),
    "channels/unsubscribe": ("channels", {"channel": "gossip"}),
    "channels/send": ("channels", {"channel": "gossip", "name": "Ana", "message": "Hello!"}),
    "channels/list": ("channels", {}),
    "players/sign-in": ("players", {"name": "Ana"}),
    "players/sign-out": ("players", {"name": "Ana"}),
    "players/status": ("players", {}),
    "games/status": ("games", {}),
    "tells/send": ("tells", {"from_name": "Ana", "to_game": "Beta", "to_name": "Bo", "message": "Hi"}),
    "achievements/sync": ("achievements", {}),
    "achievements/create": ("achievements", {"title": "First"}),
    "achievements/update": ("achievements", {"key": NOWHERE}),
    "achievements/delete": ("achievements", {"key": NOWHERE}),
}
"""Every request of an active session, with its flag and a good payload."""

REF_REQUIRED = [
    event for event in REQUESTS if event.endswith(("/status", "/list")) or event.startswith(("tells", "achievements"))
]


def success(event: str, ref: Any = "1") -> Frame:
    return {"event": event, "ref": ref, "status": "success"}


def failure(event: str, error: str, ref: Any = "1") -> Frame:
    return {"event": event, "ref": ref, "status": "failure", "error": error}


def say(message: str = "Hello!", name: str = "Ana", channel: str = "gossip") -> Frame:
    return {"channel": channel, "name": name, "message": message}


class ProtocolTestCase(SharedDaemonTestCase):
    """Assertions on what games hear."""

    def assert_hears(self, game: Game, *expected: Frame) -> None:
        """A game hears these events of the server, each with a fresh ref, and nothing else."""
        heard = game.hear()
        refs = [one.pop("ref") for one in heard]
        self.assertEqual(heard, list(expected))
        for ref in refs:
            self.assertEqual(uuid.UUID(ref).version, 4)
        self.assertEqual(len(set(refs)), len(refs))

    def assert_closed(self, game: Game, code: int, *last: Frame) -> None:
        """A game hears this, and is then closed."""
        self.assertEqual(game.ended(), (list(last), code, "goodbye"))


class ConversationTests(DaemonTestCase):
    """Two games, from their registration on, by the tools of their admins alone."""

    def test_conversation(self) -> None:
        """Two games registered while the daemon runs join, talk, tell, list players and games, manage achievements."""
        daemon = self.daemon().start()
        with ThreadPoolExecutor() as threads:
            registered = list(
                threads.map(
                    lambda short: daemon.gossipctl("game", "add", f"The {short}", "--short", short), ("Alpha", "Beta")
                )
            )
        self.assertEqual([one["name"] for one in registered], ["The Alpha", "The Beta"])
        alpha = self.connect(daemon, compression="deflate")
        beta = self.connect(daemon, compression=None)
        self.assertEqual(alpha.authenticate(registered[0], channels=["gossip"], players=["Ana"]), [WELCOME, HEARTBEAT])
        self.assertEqual(beta.authenticate(registered[1], channels=["gossip"], players=["Bo"]), [WELCOME, HEARTBEAT])
        self.assertEqual(alpha.expect("games/connect")["payload"], {"game": "Beta"})

        self.assertEqual(alpha.ask("channels/send", say("Hello!")), [success("channels/send")])
        self.assertEqual(
            beta.expect("channels/broadcast")["payload"],
            {"channel": "gossip", "game": "Alpha", "name": "Ana", "message": "Hello!"},
        )
        self.assertEqual(beta.outcome("channels/send", say("Hi, Ana ✔️", "Bo")), "success")
        self.assertEqual(alpha.expect("channels/broadcast")["payload"]["message"], "Hi, Ana ✔️")

        tell = {"from_name": "Ana", "to_game": "beta", "to_name": "bo", "message": "psst"}
        self.assertEqual(alpha.outcome("tells/send", {**tell, "sent_at": "2026-01-01T00:00:00Z"}), "success")
        self.assertEqual(
            beta.expect("tells/receive")["payload"],
            {
                "from_game": "Alpha",
                "from_name": "Ana",
                "to_name": "bo",
                "sent_at": "2026-01-01T00:00:00Z",
                "message": "psst",
            },
        )
        self.assertEqual(
            alpha.ask("players/status"),
            [{"event": "players/status", "ref": "1", "payload": {"game": "Beta", "players": ["Bo"]}}],
        )
        (status,) = beta.ask("games/status", {"game": "ALPHA"})
        self.assertEqual((status["payload"]["game"], status["payload"]["players_online_count"]), ("Alpha", 1))
        (created,) = beta.ask("achievements/create", {"title": "Talked", "points": 10})
        (synced,) = beta.ask("achievements/sync", ref="2")
        self.assertEqual(synced["payload"], {"total": 1, "achievements": [created["payload"]]})


class AuthenticateTests(ProtocolTestCase):
    """authenticate."""

    def refused(self, payload: Any, error: str, **more: Any) -> None:
        """An authenticate with this payload fails, and the connection is closed."""
        game = self.connect()
        game.write({"event": "authenticate", "payload": payload, **more})
        self.assert_closed(game, 4000, {"event": "authenticate", "status": "failure", "error": error})

    def test_success(self) -> None:
        """The welcome, the failures of bad channels, a heartbeat, in this order and without a ref."""
        game = self.connect()
        channels = ["gossip", "all", "x", "gossip", "two words", "Testing", 7, "gossip"]
        payload = credentials(self.register("Alpha"), channels=channels)
        heard = game.hear(frame("authenticate", payload, "my ref"), frame("games/status", {"game": "Alpha"}, "2"))
        bad = [
            {"event": "channels/subscribe", "status": "failure", "error": f"Could not subscribe to '{name}'"}
            for name in ("all", "x", "two words")
        ]
        self.assertEqual(heard[:-1], [WELCOME, *bad])
        game = self.connect()
        self.assertEqual(game.authenticate(self.register("Alpha"), channels=["all"]), [WELCOME, bad[0], HEARTBEAT])

    def test_credentials(self) -> None:
        """Credentials that are missing, of a wrong type, unknown or no match, and a payload that is none."""
        good = credentials(self.register("Alpha"))
        for payload in (None, {}, *NO_OBJECTS):
            self.refused(payload, "invalid credentials")
        for key in ("client_id", "client_secret"):
            for wrong in (*NO_STRINGS, "", NOWHERE):
                self.refused({**good, key: wrong}, "invalid credentials")
        self.refused({key: good[key] for key in ("client_id", "supports")}, "invalid credentials")
        self.refused({key: good[key] for key in ("client_secret", "supports")}, "invalid credentials")

    def test_credentials_first(self) -> None:
        """Invalid credentials are the only error that an unknown game learns; a ref is not sent back."""
        self.refused({"client_id": NOWHERE, "client_secret": NOWHERE}, "invalid credentials", ref="1")

    def test_supports(self) -> None:
        """supports that are missing, no list, empty, without channels, or unknown."""
        good = credentials(self.register("Alpha"))
        self.refused({key: good[key] for key in ("client_id", "client_secret")}, "missing supports")
        for wrong in (*NO_STRINGS, "channels"):
            self.refused({**good, "supports": wrong}, "missing supports")
        for poor in (["players"], ["Channels"], [None], ["dance"]):
            self.refused({**good, "supports": poor}, "must support channels")
        for strange in ("dance", "Players", None, 1, ["players"]):
            self.refused({**good, "supports": ["channels", strange]}, "includes unknown supports")

    def test_optional_fields(self) -> None:
        """Optional fields of a wrong type, or null, count as absent; UUIDs compare in lower case."""
        game = self.register("Alpha")
        upper = {"client_id": game["client_id"].upper(), "client_secret": game["client_secret"].upper()}
        for wrong in NO_STRINGS[:2] + NO_STRINGS[3:]:
            more = dict.fromkeys(("channels", "players", "version", "user_agent", "debug"), wrong)
            again = self.connect()
            self.assertEqual(again.authenticate(game, **{**more, **upper}), [WELCOME, HEARTBEAT])
            self.assertEqual(again.hear(frame("channels/send", say())), [], "debug, though it was not true")

    def test_hundred_channels(self) -> None:
        """The first 100 distinct channels count, without a rate limit; one more is too many."""
        names = [f"many-{a}{b}" for a in "abcdefghij" for b in "abcdefghijk"]
        game = self.connect()
        self.assertEqual(
            game.authenticate(self.register("Alpha"), channels=["many-aa", *names[:100], "x"]), [WELCOME, HEARTBEAT]
        )
        self.assertEqual(game.outcome("channels/send", say(channel=names[99])), "success")
        self.assertEqual(game.outcome("channels/send", say(channel=names[100])), "not subscribed")
        self.assertEqual(game.outcome("channels/subscribe", {"channel": names[0]}), "success")
        self.assertEqual(game.outcome("channels/subscribe", {"channel": names[100]}), "too many channels")

    def test_sessions(self) -> None:
        """A game may have 32 sessions, and not one more until one of them ends."""
        game = self.register("Alpha")
        sessions = [self.join("Alpha") for _ in range(32)]
        self.refused(credentials(game), "too many sessions")
        sessions[0].close()
        self.join("Alpha")

    def test_disabled(self) -> None:
        """A game that is disabled is closed, and may not come back before it is enabled."""
        game = self.join("Alpha")
        self.daemon.admin("game/disable", game="Alpha")
        self.assert_closed(game, 4000)
        self.refused(credentials(self.register("Alpha")), "invalid credentials")
        self.daemon.admin("game/enable", game="Alpha")
        self.join("Alpha")

    def test_rotated(self) -> None:
        """A new secret works at once, and the old one beside it."""
        old = self.register("Alpha")
        new = self.daemon.admin("game/rotate", game="Alpha")
        for secrets in (old, new):
            self.assertEqual(self.connect().authenticate(secrets), [WELCOME, HEARTBEAT])

    def test_wrong_secrets(self) -> None:
        """After 20 wrong secrets for a game the right one is refused too, and no other game is."""
        game = self.register("Alpha")
        for _ in range(20):
            self.refused({**credentials(game), "client_secret": NOWHERE}, "invalid credentials")
        self.refused(credentials(game), "invalid credentials")
        self.join("Beta")

    def test_second(self) -> None:
        """A second authenticate is an unknown event, and changes nothing."""
        game = self.join("Alpha", channels=["gossip"])
        again = credentials(self.register("Beta"), channels=[])
        self.assertEqual(game.ask("authenticate", again), [failure("authenticate", "unknown")])
        self.assertEqual(game.outcome("channels/send", say()), "success")

    def test_silent_before(self) -> None:
        """A game that sends nothing receives nothing."""
        game = self.connect()
        self.assertEqual(game.hear(), [])


class FramesTests(ProtocolTestCase):
    """Frames and answers."""

    def test_unauthenticated(self) -> None:
        """Before authentication everything but authenticate is refused, with or without a ref."""
        game = self.connect()
        for event in (*REQUESTS, "heartbeat", "nonsense", "restart"):
            self.assertEqual(game.ask(event), [failure(event, "unauthenticated")])
        self.assertEqual(
            game.hear({"event": "heartbeat"}, {"event": 7}, {"ref": [1]}, {}),
            [
                {"event": "heartbeat", "status": "failure", "error": "unauthenticated"},
                {"event": 7, "status": "failure", "error": "unauthenticated"},
                {"ref": [1], "status": "failure", "error": "unauthenticated"},
                {"status": "failure", "error": "unauthenticated"},
            ],
        )

    def test_unreadable(self) -> None:
        """What is no JSON object is unknown, before and after authentication; a binary frame is never one."""
        for game in (self.connect(), self.join("Alpha")):
            for sent in (
                "",
                "{",
                "nonsense",
                "[]",
                '"text"',
                "1",
                "null",
                "{'event': 1}",
                "{} {}",
                b'{"event": "x"}',
                b"\xff",
            ):
                self.assertEqual(game.hear(sent), [{"status": "failure", "error": "unknown"}])

    def test_unknown(self) -> None:
        """No event, one that is no string, and none that a game may send, with or without a ref."""
        game = self.join("Alpha")
        names: list[Any] = ["nonsense", "", "Channels/Send", "channels/broadcast", "tells/receive", "restart", 7, ["x"]]
        for name in names:
            self.assertEqual(game.ask(name), [failure(name, "unknown")])
            self.assertEqual(game.ask(name, ref=None), [{"event": name, "status": "failure", "error": "unknown"}])
        self.assertEqual(game.hear({"ref": 1}), [{"ref": 1, "status": "failure", "error": "unknown"}])
        self.assertEqual(game.hear({"event": None}), [{"status": "failure", "error": "unknown"}])

    def test_support_flags(self) -> None:
        """Each event needs its flag, which is judged before the rest of the frame."""
        game = self.join("Alpha", supports=["channels"])
        for event, (flag, payload) in REQUESTS.items():
            if flag != "channels":
                self.assertEqual(game.outcome(event, payload), f'missing support for "{flag}"')
                self.assertEqual(game.outcome(event, []), f'missing support for "{flag}"')
                self.assertEqual(game.ask(event, payload, None), [])

    def test_ref_required(self) -> None:
        """A request without the ref that it needs is neither answered nor carried out."""
        game = self.join("Alpha")
        for event in REF_REQUIRED:
            self.assertEqual(game.ask(event, REQUESTS[event][1], None), [], event)
        (synced,) = game.ask("achievements/sync")
        self.assertEqual(synced["payload"]["total"], 0)

    def test_debug(self) -> None:
        """With debug requests without a ref are answered too, without a ref."""
        game = self.join("Alpha", debug=True, channels=["gossip"])
        self.assertEqual(game.ask("channels/send", say(), None), [{"event": "channels/send", "status": "success"}])
        self.assertEqual(
            game.ask("channels/send", say(""), None),
            [{"event": "channels/send", "status": "failure", "error": "empty message"}],
        )
        for event in REF_REQUIRED:
            (answer,) = game.ask(event, REQUESTS[event][1], None)
            error = "invalid payload" if event == "tells/send" else AN_ERROR
            self.assertIn(answer, [{"event": event, "status": "failure", "error": one} for one in (error, AN_ERROR)])
        self.assertEqual(game.ask("heartbeat", ref=None), [])

    def test_malformed_payloads(self) -> None:
        """A payload that is no object, a field that is missing, null, or of a wrong type."""
        for event in (
            "channels/subscribe",
            "channels/unsubscribe",
            "channels/send",
            "players/sign-in",
            "players/sign-out",
        ):
            game = self.join("Alpha", channels=["gossip"])
            good = REQUESTS[event][1]
            for payload in (None, {}, *NO_OBJECTS):
                self.assertEqual(game.outcome(event, payload), AN_ERROR)
            for key in good:
                for wrong in NO_STRINGS:
                    self.assertEqual(game.outcome(event, {**good, key: wrong}), AN_ERROR)
            self.assertEqual(game.outcome(event, {**good, "more": 1}), "success")

    def test_malformed_queries(self) -> None:
        """A status query whose payload is no object, or whose game is no string; null and nothing ask for all."""
        game = self.join("Alpha")
        for event in ("players/status", "games/status"):
            for payload in (*NO_OBJECTS, {"game": 1}, {"game": ["Beta"]}, {"game": {}}):
                self.assertEqual(game.outcome(event, payload), AN_ERROR)
            self.assertEqual(game.ask(event)[0]["payload"]["game"], "gossip")
            for payload in (None, {}, {"game": None}):
                (answer,) = game.hear({"event": event, "ref": "1", "payload": payload})
                self.assertEqual(answer["payload"]["game"], "gossip")

    def test_null_ref(self) -> None:
        """A null ref counts as none."""
        game = self.join("Alpha", channels=["gossip"])
        self.assertEqual(game.hear({"event": "channels/send", "ref": None, "payload": say()}), [])

    def test_refs(self) -> None:
        """A ref of any kind comes back byte for byte; a null is none."""
        game = self.join("Alpha", channels=["gossip"])
        refs = [
            '"12345678-1234-4234-8234-123456789abc"', '"d41d8cd98f00b204e9800998ecf8427e"', '"two words"', '""',
            "0", "-0", "1", "1.0", "1.50", "1e2", "1E+400", "123456789012345678901234567890", "true", "false",
            "[]", "[1, 2 ,3]", "{}", '{"b" : 1,"a":[ null ]}',
            '"\\u0041\\/\\n"', '"✔️ é"', '"\\ud83d\\ude00"', '"\\ud800"',
            '"' + "x" * 254 + '"',
        ]  # fmt: skip
        for ref in refs:
            for event, payload in (("games/status", "{}"), ("channels/unsubscribe", "[]"), ("nonsense", "1")):
                game.write(f'{{"event": "{event}", "ref": {ref}, "payload": {payload}}}')
                heard = game.connection.recv(WITHIN)
                assert isinstance(heard, str)
                self.assertIn(f'"ref":{ref},', heard)
            game.hear()
            game = self.join("Alpha") if ref == "1e2" else game  # within the rate limit

    def test_long_ref(self) -> None:
        """A ref over 256 bytes is not sent back, and the event fails; an unreadable one is no frame at all."""
        game = self.join("Alpha", channels=["gossip"])
        for event, (_, payload) in REQUESTS.items():
            self.assertEqual(
                game.ask(event, payload, "x" * 255), [{"event": event, "status": "failure", "error": AN_ERROR}]
            )
        self.assertEqual(
            game.ask("nonsense", ref="x" * 255), [{"event": "nonsense", "status": "failure", "error": "unknown"}]
        )
        self.assertEqual(game.hear('{"event": "games/status", "ref": x}'), [{"status": "failure", "error": "unknown"}])

    def test_order(self) -> None:
        """Answers leave in the order of the requests, though some of them wait for the disk."""
        game = self.join("Alpha", channels=["gossip"])
        sent = [
            frame("channels/send", say(), 1),
            frame("nonsense", ref=2),
            frame("achievements/create", {"title": "One"}, 3),
            frame("achievements/create", {"title": "Two"}, 4),
            frame("channels/send", say(), 5),
            frame("achievements/sync", ref=6),
            frame("games/status", ref=7),
            frame("channels/send", say(""), 8),
        ]
        self.assertEqual([heard["ref"] for heard in game.hear(*sent)], [1, 2, 3, 4, 5, 6, 7, 8])

    def test_ping(self) -> None:
        """A ping is answered by a pong with the same payload, before and after authentication; a pong is ignored."""
        game = self.connect()
        for _ in range(2):
            for payload in (b"", b"x", b"\x00\xff", b"y" * 125):
                self.assertTrue(game.connection.ping(payload).wait(WITHIN))
            game.connection.pong(b"unasked")
            if game.hear(frame("games/status")):
                game.authenticate(self.register("Alpha"))

    def test_compression(self) -> None:
        """Compression is used where it is asked for, and each way a long message arrives whole, in fragments too."""
        for compression in ("deflate", None):
            games = {name: self.connect(compression=compression) for name in ("Alpha", "Beta")}
            for name, game in games.items():
                game.authenticate(self.register(name), channels=["gossip"])
                extensions = [extension.name for extension in game.connection.protocol.extensions]
                self.assertEqual(extensions, ["permessage-deflate"] if compression else [])
            message = "✔️ " + "long and " * 400
            text = json.dumps(frame("channels/send", say(message), "1"))
            games["Alpha"].connection.send([text[:10], text[10:2000], text[2000:]])
            self.assertEqual(games["Alpha"].expect("channels/send"), success("channels/send"))
            self.assertEqual(games["Beta"].expect("channels/broadcast")["payload"]["message"], message)
            for game in games.values():
                game.close()


class HeartbeatTests(ProtocolTestCase):
    """heartbeat and restart."""

    def players(self, game: Game) -> list[str]:
        (status,) = game.ask("players/status", {"game": "Alpha"})
        players: list[str] = status["payload"]["players"]
        return players

    def test_players(self) -> None:
        """A heartbeat replaces the session's players, and tells nobody; names that are none are dropped."""
        alpha, beta = self.join("Alpha", players=["Ana"]), self.join("Beta")
        alpha.hear()
        self.assertEqual(self.players(beta), ["Ana"])
        self.assertEqual(alpha.hear(frame("heartbeat", {"players": ["Bo", "", 1, None, "Cy", "Bo"]})), [])
        self.assertEqual(self.players(beta), ["Bo", "Cy"])
        self.assert_hears(beta)

    def test_never_answered(self) -> None:
        """Whatever a heartbeat looks like, it is a sign of life, and is never answered."""
        alpha, beta = self.join("Alpha", debug=True), self.join("Beta")
        alpha.hear()
        payloads: list[Any] = [None, {}, [], "x", {"players": None}, {"players": "Ana"}, {"players": {"Ana": 1}}]
        others: list[Frame] = [{}, {"ref": "1"}, {"ref": "x" * 300}, {"status": None, "ts": 1}]
        for more in (*({"payload": payload} for payload in payloads), *others):
            alpha.hear(frame("heartbeat", {"players": ["Ana"]}))
            self.assertEqual(alpha.hear({"event": "heartbeat", **more}), [])
            self.assertEqual(self.players(beta), [])

    def test_restart(self) -> None:
        """A restart is told to every session, each with a number of its own around the announced one."""
        games = [self.join("Alpha"), self.join("Alpha"), self.join("Beta")]
        stranger = self.connect()
        self.daemon.gossipctl("restart-notice", "100")
        restarts = [game.expect("restart") for game in games]
        for restart in restarts:
            self.assertEqual(set(restart), {"event", "ref", "payload"})
            self.assertEqual(uuid.UUID(restart["ref"]).version, 4)
            self.assertIsInstance(restart["payload"]["downtime"], int)
            self.assertTrue(95 <= restart["payload"]["downtime"] <= 105)
        self.assertEqual(len({restart["ref"] for restart in restarts}), 3)
        self.assertEqual(stranger.hear(), [])


class ChannelsTests(ProtocolTestCase):
    """channels/*."""

    def broadcast(self, message: str, name: str = "Ana", game: str = "Alpha", channel: str = "gossip") -> Frame:
        payload = {"channel": channel, "game": game, "name": name, "message": message}
        return {"event": "channels/broadcast", "payload": payload}

    def test_broadcast(self) -> None:
        """Everybody on the channel hears what is said, but no session of the game that says it, under its own name."""
        alpha, again, beta = (self.join(name, channels=["gossip"]) for name in ("Alpha", "Alpha", "Beta"))
        gamma = self.join("Gamma", channels=["testing"])
        for game in (alpha, again, beta, gamma):
            game.hear()
        self.assertEqual(alpha.ask("channels/send", {**say(), "game": "Beta"}), [success("channels/send")])
        self.assertEqual(alpha.ask("channels/send", say("unasked"), None), [])
        self.assert_hears(beta, self.broadcast("Hello!"), self.broadcast("unasked"))
        self.assert_hears(again)
        self.assert_hears(gamma)

    def test_subscribe(self) -> None:
        """A game hears a channel from its subscription to the end of it; repeating either changes nothing."""
        alpha, beta = self.join("Alpha", channels=["gossip"]), self.join("Beta")
        alpha.hear()
        for event, heard in (("channels/subscribe", 1), ("channels/unsubscribe", 0)):
            for _ in range(2):
                self.assertEqual(beta.ask(event, {"channel": "gossip"}), [success(event)])
            alpha.hear(frame("channels/send", say()))
            self.assertEqual([one["event"] for one in beta.hear()], ["channels/broadcast"] * heard)
        self.assertEqual(beta.outcome("channels/unsubscribe", {"channel": "no such channel"}), "success")
        self.assertEqual(beta.ask("channels/subscribe", {"channel": "testing"}, None), [])

    def test_names(self) -> None:
        """Names that a channel may not have; they cost no rate limit. One that exists may be subscribed to."""
        game = self.join("Alpha")
        for name in ("", "ab", "a" * 16, "two words", "with7", "ünder", "gossip\n", "all", "ALL", "<b>", "a.b"):
            self.assertEqual(game.outcome("channels/subscribe", {"channel": name}), f'Could not subscribe to "{name}"')
        for name in ("abc", "A-b_C", "a" * 15):
            self.assertEqual(game.outcome("channels/subscribe", {"channel": name}), "success")
        self.daemon.admin("channel/create", channel="all 7")
        self.assertEqual(game.outcome("channels/subscribe", {"channel": "all 7"}), "success")

    def test_send_errors(self) -> None:
        """Each error of channels/send; none of them costs its rate limit."""
        alpha, beta = (self.join(name, channels=["gossip"]) for name in ("Alpha", "Beta"))
        alpha.hear(), beta.hear()
        for payload, error in (
            (say(channel="testing"), "not subscribed"),
            (say(channel="", name="", message=""), "not subscribed"),
            (say(name=""), "Name cannot be empty"),
            (say(name="<b>\x1b", message=""), "Name cannot be empty"),
            (say(name="a" * 65), "name too long"),
            (say(name="é" * 33), "name too long"),
            (say(message=""), "empty message"),
            (say(message="<b></b>\x00"), "empty message"),
            (say(message="x" * 4097), "message too long"),
            (say(message="😀" * 3073), "message too long"),
        ):
            self.assertEqual(alpha.outcome("channels/send", payload), error)
        self.assert_hears(beta)
        for message, name in (("x" * 4096, "é" * 32), ("😀" * 3072, "Ana")):
            self.assertEqual(alpha.outcome("channels/send", say(message, name)), "success")
            self.assert_hears(beta, self.broadcast(message, name))

    def test_paused(self) -> None:
        """Nobody speaks on a paused channel, and that is said before anything else is judged but the subscription."""
        game = self.join("Alpha", channels=["paused-one"])
        self.daemon.admin("channel/pause", channel="paused-one")
        self.assertEqual(game.outcome("channels/send", say("", channel="paused-one")), "channel is paused")
        self.daemon.admin("channel/resume", channel="paused-one")
        self.assertEqual(game.outcome("channels/send", say(channel="paused-one")), "success")

    def test_text(self) -> None:
        """Control characters and tags do not cross; talk does."""
        alpha, beta = (self.join(name, channels=["gossip"]) for name in ("Alpha", "Beta"))
        alpha.hear()
        for message, heard in (
            ("<b>Hi</b>", "Hi"),
            ("I <3 you > me", "I <3 you > me"),
            ("1 < 2, 3 > 2, <unclosed", "1 < 2, 3 > 2, <unclosed"),
            ("a &lt; b", "a &lt; b"),
            ("!1a><<!b>!>a", "!1a>!>a"),
            ("".join(CONTROLS) + " \t\r\n\x1b[31mred", " \t\r\n[31mred"),
            ("<\x00b>bold</\x1bb>", "bold"),
        ):
            self.assertEqual(alpha.outcome("channels/send", say(message, message)), "success")
            # White space in a name is one blank, and none at its ends.
            wanted = self.broadcast(heard, " ".join(heard.split()))
            self.assertEqual(beta.expect("channels/broadcast")["payload"], wanted["payload"])

    def test_network_speaks(self) -> None:
        """The network itself can say something on a channel."""
        game = self.join("Alpha", channels=["gossip"])
        self.daemon.gossipctl("say", "gossip", "Welcome!")
        self.assert_hears(game, self.broadcast("Welcome!", "system", "gossip"))


class PlayersTests(ProtocolTestCase):
    """players/*."""

    def sign(self, event: str, name: str, game: str = "Alpha") -> Frame:
        return {"event": f"players/sign-{event}", "payload": {"game": game, "name": name}}

    def status(self, game: Game, name: str | None = None) -> dict[str, list[str]]:
        """What players/status says, of one game or of all."""
        heard = game.ask("players/status", None if name is None else {"game": name})
        self.assertEqual({(one["event"], one["ref"]) for one in heard}, {("players/status", "1")})
        return {one["payload"]["game"]: one["payload"]["players"] for one in heard}

    def test_sign_in_and_out(self) -> None:
        """Other games hear sign-ins and sign-outs; the list of each session counts, and names compare exactly."""
        alpha, again = self.join("Alpha"), self.join("Alpha")
        beta, plain = self.join("Beta"), self.join("Gamma", supports=["channels"])
        for game in (alpha, again, beta):
            game.hear()
        for one, name in ((alpha, "Ana"), (again, "Ana"), (again, "ana"), (again, "<b>Bo</b>")):
            self.assertEqual(one.outcome("players/sign-in", {"name": name}), "success")
        self.assert_hears(beta, self.sign("in", "Ana"), self.sign("in", "ana"), self.sign("in", "Bo"))
        self.assertEqual(self.status(beta, "alpha"), {"Alpha": ["Ana", "ana", "Bo"]})
        for one, name in ((alpha, "Ana"), (again, "Ana"), (again, "nobody")):
            self.assertEqual(one.outcome("players/sign-out", {"name": name}), "success")
        self.assert_hears(beta, self.sign("out", "Ana"))
        self.assertEqual(self.status(beta, "alpha"), {"Alpha": ["ana", "Bo"]})
        again.close()
        self.assertEqual(alpha.ask("players/sign-in", {"name": "Cy"}, None), [])
        self.assert_hears(beta, self.sign("in", "Cy"))
        self.assert_hears(plain)
        self.assertEqual(self.status(beta, "alpha"), {"Alpha": ["Cy"]})

    def test_errors(self) -> None:
        """A name that is empty, or too long."""
        game = self.join("Alpha")
        for event in ("players/sign-in", "players/sign-out"):
            for name, error in (
                ("", "Name cannot be empty"),
                ("<b>", "Name cannot be empty"),
                ("x" * 65, "name too long"),
            ):
                self.assertEqual(game.outcome(event, {"name": name}), error)
            self.assertEqual(game.ask(event, {"name": ""}, None), [])

    def test_status(self) -> None:
        """All games but one's own, or one by its name in any case; hidden players are none, hidden games unknown."""
        self.register("Secret", hidden=True)
        self.register("Shy", hide_players=True)
        alpha = self.join("Alpha", players=["Ana"])
        self.assertEqual(self.status(alpha), {"gossip": ["system"]})
        for name, player in (("Beta", "Bo"), ("Secret", "Si"), ("Shy", "Sam")):
            self.join(name, players=[player])
        alpha.hear()
        self.assertEqual(self.status(alpha), {"Beta": ["Bo"], "Shy": []})
        for name, players in (("BETA", {"Beta": ["Bo"]}), ("alpha", {"Alpha": ["Ana"]}), ("shy", {"Shy": []})):
            self.assertEqual(self.status(alpha, name), players)
        for name in ("gossip", "Grapevine"):
            self.assertEqual(self.status(alpha, name), {"gossip": ["system"]})
        self.register("Offline")
        for name in ("Secret", "Offline", "Nowhere", ""):
            self.assertEqual(alpha.outcome("players/status", {"game": name}), "unknown game")

    def test_hidden(self) -> None:
        """Nobody hears of the players of a game that is hidden, or that hides them."""
        self.register("Secret", hidden=True)
        self.register("Shy", hide_players=True)
        beta = self.join("Beta")
        for name in ("Secret", "Shy"):
            game = self.join(name)
            beta.hear()
            for event in ("players/sign-in", "players/sign-out"):
                self.assertEqual(game.outcome(event, {"name": "Ana"}), "success")
        self.assert_hears(beta)

    def test_many(self) -> None:
        """A game lists 2000 players at the most, and a frame no more than fit into 16 KiB."""
        names = [f"{number:04}-{'x' * 15}" for number in range(2500)]
        alpha, beta = self.join("Alpha", players=names), self.join("Beta")
        beta.write(frame("players/status", {"game": "Alpha"}, "1"))
        answer = beta.connection.recv(WITHIN)
        assert isinstance(answer, str)
        self.assertLessEqual(len(answer.encode()), 16 * 1024)
        listed = json.loads(answer)["payload"]["players"]
        self.assertEqual(listed, names[: len(listed)])
        self.assertGreater(len(listed), 450)
        (status,) = beta.ask("games/status", {"game": "Alpha"})
        self.assertEqual(status["payload"]["players_online_count"], 2000)
        alpha.hear()
        self.assertEqual(alpha.outcome("players/sign-in", {"name": "One more"}), "success")
        self.assertEqual([one for one in beta.hear() if one["event"] == "players/sign-in"], [])


class GamesTests(ProtocolTestCase):
    """games/*."""

    def test_connect(self) -> None:
        """Other games hear of a game's first session, and of no further one; never of a hidden game."""
        self.register("Secret", hidden=True)
        alpha, plain = self.join("Alpha"), self.join("Gamma", supports=["channels"])
        alpha.hear()
        for name in ("Beta", "Beta", "Secret"):
            self.join(name)
        self.assert_hears(alpha, {"event": "games/connect", "payload": {"game": "Beta"}})
        self.assert_hears(plain)

    def test_quick_reconnect(self) -> None:
        """A game that reconnects within a minute counts as online throughout, but without its players."""
        alpha, beta = self.join("Alpha"), self.join("Beta", channels=["gossip"], players=["Bo"])
        alpha.hear()
        beta.close()
        tell = {"from_name": "Ana", "to_game": "Beta", "to_name": "Bo", "message": "x"}
        self.assertEqual(alpha.outcome("tells/send", tell), "game offline")
        (status,) = alpha.ask("games/status", {"game": "Beta"})
        self.assertEqual((status["payload"]["supports"], status["payload"]["players_online_count"]), (sorted(FLAGS), 0))
        self.join("Beta")
        self.assert_hears(alpha)

    def test_removed(self) -> None:
        """A game that is removed is closed, and others hear of it at once."""
        alpha, beta = self.join("Alpha"), self.join("Beta")
        alpha.hear()
        self.daemon.admin("game/remove", game="Beta")
        self.assert_closed(beta, 4000)
        self.assert_hears(alpha, {"event": "games/disconnect", "payload": {"game": "Beta"}})
        self.daemon.admin("game/add", name="Another Beta", short_name="Beta")

    def test_status(self) -> None:
        """All that is known of a game, of each of its sessions together; hidden channels are left out."""
        connections = [
            {"type": "web", "url": "https://beta.example/play"},
            {"type": "telnet", "host": "beta.example", "port": 4000},
            {"type": "secure telnet", "host": "beta.example", "port": 4443},
        ]
        homepage = "https://beta.example/"
        self.register("Beta", description="A world.", homepage_url=homepage, connections=connections)
        alpha = self.join("Alpha")
        self.join("Beta", supports=["channels"], channels=["shown-here"], players=["Bo"], user_agent="Old 1.0")
        self.join(
            "Beta",
            supports=["channels", "games"],
            channels=["hidden-here"],
            players=["Bo", "Cy"],
            user_agent="BetaMUD 2.0",
        )
        self.daemon.admin("channel/publish", channel="shown-here")
        self.daemon.admin("agent/set", agent="BetaMUD 2.0", url="https://beta.example/code", repo_url=None)
        alpha.hear()
        status = {
            "game": "Beta",
            "display_name": "The Beta",
            "description": "A world.",
            "homepage_url": homepage,
            "user_agent": "BetaMUD 2.0",
            "user_agent_url": "https://beta.example/code",
            "user_agent_repo_url": "https://beta.example/code",
            "connections": connections,
            "supports": ["channels", "games"],
            "channels": ["shown-here"],
            "players_online_count": 2,
            "player_online_count": 2,
        }
        for payload in ({"game": "bEtA"}, None):
            answer = {"event": "games/status", "ref": "1", "status": "success", "payload": status}
            self.assertEqual(alpha.ask("games/status", payload), [answer])

    def test_bare_status(self) -> None:
        """The keys that are always there; a game may ask for itself, though it is hidden."""
        self.register("Secret", hidden=True)
        game = self.join("Secret", supports=["channels", "games"])
        (answer,) = game.ask("games/status", {"game": "secret"})
        self.assertEqual(
            answer["payload"],
            {
                "game": "Secret",
                "display_name": "The Secret",
                "supports": ["channels", "games"],
                "channels": [],
                "players_online_count": 0,
                "player_online_count": 0,
            },
        )
        self.assertEqual(self.join("Alpha").outcome("games/status", {"game": "Secret"}), "unknown game")

    def test_network(self) -> None:
        """The network answers by its two names, and for all where nobody else is online."""
        game = self.join("Alpha")
        for payload in (None, {"game": "gossip"}, {"game": "GRAPEVINE"}):
            (answer,) = game.ask("games/status", payload)
            self.assertEqual(
                [answer["payload"][key] for key in ("game", "display_name", "supports", "players_online_count")],
                ["gossip", "Gossip", ["channels", "players", "tells"], 1],
            )

    def test_unknown(self) -> None:
        """A game that is offline, or that nobody knows."""
        self.register("Offline")
        game = self.join("Alpha")
        for name in ("Offline", "Nowhere", "", "The Alpha"):
            self.assertEqual(game.outcome("games/status", {"game": name}), "unknown game")


class TellsTests(ProtocolTestCase):
    """tells/*."""

    def tell(self, **changed: Any) -> Frame:
        return {"from_name": "Ana", "to_game": "Beta", "to_name": "Bo", "message": "psst", **changed}

    def test_tell(self) -> None:
        """A tell reaches each session of the game that supports tells; names compare without case."""
        alpha, beta, again = self.join("Alpha", players=["Ana"]), self.join("Beta", players=["Bo"]), self.join("Beta")
        plain = self.join("Beta", supports=["channels"])
        alpha.hear()
        for sent_at in ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456Z"):
            tell = self.tell(from_name="ANA", to_game="bETA", to_name="bO", message="<b>psst</b>", sent_at=sent_at)
            self.assertEqual(alpha.ask("tells/send", tell), [success("tells/send")])
            payload = {"from_game": "Alpha", "from_name": "ANA", "to_name": "bO", "sent_at": sent_at, "message": "psst"}
            for game in (beta, again):
                self.assert_hears(game, {"event": "tells/receive", "payload": payload})
        self.assert_hears(plain)

    def test_sent_at(self) -> None:
        """A tell without a time, or with null, gets one."""
        alpha, beta = self.join("Alpha", players=["Ana"]), self.join("Beta", players=["Bo"])
        alpha.hear()
        for tell in (self.tell(), self.tell(sent_at=None)):
            self.assertEqual(alpha.outcome("tells/send", tell), "success")
            sent_at = beta.expect("tells/receive")["payload"]["sent_at"]
            self.assertRegex(sent_at, r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z")

    def test_errors(self) -> None:
        """Each error of tells/send, in the order of the checks."""
        self.register("Offline")
        self.register("Shy", hide_players=True)
        alpha, beta = self.join("Alpha", players=["Ana"]), self.join("Beta", players=["Bo"])
        self.join("Plain", supports=["channels"], players=["Pia"])
        self.join("Shy", players=["Sam"])
        alpha.hear(), beta.hear()
        for payload, error in (
            (self.tell(to_game="Nowhere", from_name="nobody"), "game offline"),
            (self.tell(to_game="Offline"), "game offline"),
            (self.tell(to_game="Plain", from_name="nobody"), "not supported"),
            (self.tell(to_game="Shy", to_name="Sam"), "not supported"),
            (self.tell(from_name="nobody", to_name="nobody"), "sending player offline"),
            (self.tell(from_name=""), "sending player offline"),
            (self.tell(from_name="x" * 65), "sending player offline"),
            (self.tell(to_name="nobody", message=""), "receiving player offline"),
            (self.tell(message=""), "empty message"),
            (self.tell(message="x" * 4097), "message too long"),
        ):
            self.assertEqual(alpha.outcome("tells/send", payload), error)
        self.assert_hears(beta)

    def test_invalid(self) -> None:
        """No payload, a field that is missing or no string, a time that is none."""
        alpha, _ = self.join("Alpha", players=["Ana"]), self.join("Beta", players=["Bo"])
        alpha.hear()
        for payload in (None, {}, *NO_OBJECTS):
            self.assertEqual(alpha.outcome("tells/send", payload), "invalid payload")
        for key in self.tell():
            for wrong in NO_STRINGS:
                self.assertEqual(alpha.outcome("tells/send", self.tell(**{key: wrong})), "invalid payload")
        for sent_at in (
            1,
            "",
            "now",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04:05+00:00",
            "2026-13-02T03:04:05Z",
        ):
            self.assertEqual(alpha.outcome("tells/send", self.tell(sent_at=sent_at)), "invalid payload")

    def test_system(self) -> None:
        """A tell to the network's own player brings a line of help."""
        alpha = self.join("Alpha", players=["Ana"])
        heard = alpha.ask("tells/send", self.tell(to_game="Grapevine", to_name="SYSTEM"))
        self.assertIn(success("tells/send"), heard)
        (told,) = [one for one in heard if one["event"] == "tells/receive"]
        self.assertEqual(
            [told["payload"][key] for key in ("from_game", "from_name", "to_name")], ["gossip", "system", "Ana"]
        )
        self.assertTrue(told["payload"]["message"])
        self.assertEqual(alpha.outcome("tells/send", self.tell(to_game="gossip")), "receiving player offline")


class AchievementsTests(ProtocolTestCase):
    """achievements/*."""

    DEFAULTS = {"description": None, "points": 0, "display": True, "partial_progress": False, "total_progress": None}

    def create(self, game: Game, **attributes: Any) -> Frame:
        """Create an achievement; returns it."""
        (answer,) = game.ask("achievements/create", attributes)
        self.assertEqual(answer["status"], "success", answer)
        achievement: Frame = answer["payload"]
        return achievement

    def refused(self, game: Game, event: str, payload: Any, errors: dict[str, list[str]]) -> None:
        answer = {"event": event, "ref": "1", "status": "failure", "payload": {"errors": errors}}
        self.assertEqual(game.ask(event, payload), [answer])

    def test_life(self) -> None:
        """An achievement is created, changed, listed and deleted; it has all seven keys, and a key of its own."""
        game, beta = self.join("Alpha"), self.join("Beta")
        game.hear()
        first = self.create(game, title="First", key=NOWHERE)
        self.assertEqual(uuid.UUID(first["key"]).version, 4)
        self.assertNotEqual(first["key"], NOWHERE)
        self.assertEqual(first, {"key": first["key"], "title": "First", **self.DEFAULTS})
        changes = {
            "title": "Changed",
            "description": "How.",
            "points": 100,
            "display": False,
            "partial_progress": True,
            "total_progress": 10,
        }
        changed = {"key": first["key"], **changes}
        self.assertEqual(
            game.ask("achievements/update", changed),
            [{"event": "achievements/update", "ref": "1", "status": "success", "payload": changed}],
        )
        self.assertEqual(
            game.ask("achievements/update", {"key": first["key"].upper(), "points": 5, "description": None})[0][
                "payload"
            ],
            {**changed, "points": 5, "description": None},
        )
        self.refused(beta, "achievements/delete", {"key": first["key"]}, {"key": ["not found"]})
        self.refused(beta, "achievements/update", {"key": first["key"]}, {"key": ["not found"]})
        self.assertEqual(
            game.ask("achievements/delete", {"key": first["key"]}),
            [{"event": "achievements/delete", "ref": "1", "status": "success", "payload": {"key": first["key"]}}],
        )
        self.assertEqual(game.ask("achievements/sync")[0]["payload"], {"total": 0, "achievements": []})

    def test_sync(self) -> None:
        """All achievements, ordered by title, ten a frame; one empty frame if there are none."""
        game = self.join("Alpha")
        self.assertEqual(
            game.ask("achievements/sync"),
            [{**success("achievements/sync"), "payload": {"total": 0, "achievements": []}}],
        )
        titles = [f"{letter} title" for letter in "zÉyxAa😀wvutsr"]
        for title in titles[:10]:
            self.create(game, title=title)
        (whole,) = game.ask("achievements/sync")
        self.assertEqual(len(whole["payload"]["achievements"]), 10)
        for title in titles[10:]:
            self.create(game, title=title)
        pages = game.ask("achievements/sync")
        self.assertEqual([len(page["payload"]["achievements"]) for page in pages], [10, 3])
        self.assertEqual({page["payload"]["total"] for page in pages}, {13})
        listed = [one["title"] for page in pages for one in page["payload"]["achievements"]]
        self.assertEqual(listed, sorted(titles))

    def test_errors(self) -> None:
        """Attributes that are missing, of a wrong type, or out of range."""
        game = self.join("Alpha")
        for title in ({}, {"title": None}, {"title": ""}, {"title": "  "}):
            self.refused(game, "achievements/create", title, {"title": ["can't be blank"]})
        wrong_values: dict[str, list[Any]] = {
            "title": [1, [], "x" * 201],
            "description": [1, {}, "x" * 1001],
            "points": [-1, 101, 1.5, "1", True],
            "display": [0, "true", []],
            "partial_progress": [1, "x"],
            "total_progress": ["1", 1.5, True, 2**31],
        }
        for attribute, wrongs in wrong_values.items():
            for wrong in wrongs:
                self.refused(game, "achievements/create", {"title": "x", attribute: wrong}, {attribute: ["is invalid"]})
        game = self.join("Alpha")
        self.refused(
            game, "achievements/create", {"partial_progress": True, "points": 101},
            {"title": ["can't be blank"], "points": ["is invalid"], "total_progress": ["can't be blank"]},
        )  # fmt: skip
        for event in ("achievements/create", "achievements/update", "achievements/delete"):
            for payload in NO_OBJECTS:
                self.assertEqual(game.outcome(event, payload), AN_ERROR)
        for event in ("achievements/update", "achievements/delete"):
            for payload in ({}, {"key": None}, {"key": 1}, {"key": "x"}, {"key": NOWHERE}):
                self.refused(game, event, payload, {"key": ["not found"]})
        self.assertEqual(game.ask("achievements/sync")[0]["payload"]["total"], 0)

    def test_points(self) -> None:
        """A game has 500 points for all of its achievements, also where several sessions create at once."""
        games = [self.join("Alpha") for _ in range(4)]
        for game in games:
            for number in range(2):
                game.write(frame("achievements/create", {"title": f"No. {number}", "points": 100}, number))
        answers = [answer for game in games for answer in game.hear()]
        self.assertEqual(sorted(answer["status"] for answer in answers), ["failure"] * 3 + ["success"] * 5)
        (failed, *_) = [answer for answer in answers if answer["status"] == "failure"]
        self.assertEqual(failed["payload"], {"errors": {"points": ["no points left"]}})
        kept = games[0].ask("achievements/sync")[0]["payload"]["achievements"]
        self.assertEqual(sum(one["points"] for one in kept), 500)
        self.assertEqual(
            games[0].ask("achievements/update", {"key": kept[0]["key"], "points": 99})[0]["status"], "success"
        )
        self.create(games[1], title="The last", points=1)
        self.refused(games[2], "achievements/create", {"title": "x", "points": 1}, {"points": ["no points left"]})


class LimitsTests(ProtocolTestCase):
    """Limits: the rates, and their tenth strike, with the defaults."""

    def flood(self, game: Game, *sent: Frame) -> tuple[list[Frame], int | None, str | None]:
        """Send frames as fast as they go; returns all that is heard until the end."""
        try:
            for one in sent:
                game.write(one)
        except ConnectionClosed:
            pass
        return game.ended()

    def judge(self, heard: list[Frame], passing: str, burst: int) -> None:
        """The burst passes, nine strikes are told, and what passes between them is what leaked meanwhile."""
        outcomes = [one.get("error", one["status"]) for one in heard]
        self.assertEqual(set(outcomes), {passing, "rate limit exceeded"})
        self.assertEqual(outcomes[:burst], [passing] * burst)
        self.assertEqual(outcomes.count("rate limit exceeded"), 9)
        self.assertEqual([one["ref"] for one in heard], list(range(len(heard))))

    def test_global(self) -> None:
        """Every frame counts; at the tenth strike the session is closed."""
        game = self.join("Alpha")
        heard, code, reason = self.flood(game, *({"event": "nonsense", "ref": number} for number in range(1000)))
        *heard, last = heard
        self.assertEqual(last, failure("nonsense", "rate limit exceeded, goodbye", len(heard)))
        self.assertEqual((code, reason), (4000, "goodbye"))
        self.judge(heard, "unknown", 99)

    def test_global_unauthenticated(self) -> None:
        """Frames count before authentication too, and unreadable ones."""
        game = self.connect()
        try:
            for _ in range(1000):
                game.write("nonsense")
        except ConnectionClosed:
            pass
        heard, code, reason = game.ended()
        errors = [one["error"] for one in heard]
        self.assertEqual(set(errors[:100]), {"unknown"})
        self.assertEqual(errors.count("rate limit exceeded"), 9)
        self.assertEqual(heard[-1], {"status": "failure", "error": "rate limit exceeded, goodbye"})
        self.assertEqual((code, reason), (4000, "goodbye"))

    def test_own_rates(self) -> None:
        """channels/send, subscribe and unsubscribe have rates of their own; the tenth strike closes."""
        for event, burst in (("channels/send", 10), ("channels/subscribe", 5), ("channels/unsubscribe", 5)):
            game = self.join("Alpha", channels=["gossip"])
            sent = (frame(event, REQUESTS[event][1], number) for number in range(90))
            heard, code, reason = self.flood(game, *sent)
            *heard, last = heard
            self.assertEqual(
                last, {"event": "authenticate", "status": "failure", "error": "disconnected due to rate limit abuse"}
            )
            self.assertEqual((code, reason), (4000, "goodbye"))
            self.judge(heard, "success", burst)

    def test_not_carried_out(self) -> None:
        """A request over the limit is not carried out."""
        alpha, beta = (self.join(name, channels=["gossip"]) for name in ("Alpha", "Beta"))
        alpha.hear()
        answers = alpha.hear(*(frame("channels/send", say(str(number)), number) for number in range(14)))
        said = [str(one["ref"]) for one in answers if one["status"] == "success"]
        self.assertGreaterEqual(len(said), 10)
        self.assertIn(failure("channels/send", "rate limit exceeded", 11), answers)
        self.assertEqual([one["payload"]["message"] for one in beta.hear()], said)

    def test_refused_is_free(self) -> None:
        """A request that fails for another reason does not count against its own rate."""
        game = self.join("Alpha", channels=["gossip"])
        answers = game.hear(*(frame("channels/send", say(""), number) for number in range(20)))
        self.assertEqual({one["error"] for one in answers}, {"empty message"})
        answers = game.hear(*(frame("channels/send", say(), number) for number in range(10)))
        self.assertEqual({one["status"] for one in answers}, {"success"})

    def test_silent_without_ref(self) -> None:
        """An event's own rate limit is answered only to a request with a ref; the global one always."""
        game = self.join("Alpha", channels=["gossip"])
        self.assertEqual(game.hear(*[frame("channels/send", say())] * 15), [])


# All of it once more, with the games spread over two nodes.


class AuthenticateOnNodesTests(OnTwoNodes, AuthenticateTests): ...


class FramesOnNodesTests(OnTwoNodes, FramesTests): ...


class HeartbeatOnNodesTests(OnTwoNodes, HeartbeatTests): ...


class ChannelsOnNodesTests(OnTwoNodes, ChannelsTests): ...


class PlayersOnNodesTests(OnTwoNodes, PlayersTests): ...


class GamesOnNodesTests(OnTwoNodes, GamesTests): ...


class TellsOnNodesTests(OnTwoNodes, TellsTests): ...


class AchievementsOnNodesTests(OnTwoNodes, AchievementsTests): ...


class LimitsOnNodesTests(OnTwoNodes, LimitsTests): ...
