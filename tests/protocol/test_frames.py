"""Frames: how events are read and written (protocol specification, Frames and answers)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol import events, server_events
from gossip.protocol.errors import MALFORMED, Error
from gossip.protocol.events import (
    UNECHOED,
    AchievementsCreate,
    AchievementsDelete,
    AchievementsSync,
    AchievementsUpdate,
    Authenticate,
    ChannelsSend,
    ChannelsSubscribe,
    ChannelsUnsubscribe,
    Event,
    GamesStatus,
    Heartbeat,
    Malformed,
    PlayersSignIn,
    PlayersSignOut,
    PlayersStatus,
    TellsSend,
    Unknown,
    Unreadable,
)
from gossip.protocol.frames import decode, encode
from gossip.protocol.server_events import (
    AchievementDeleted,
    AchievementOf,
    AchievementRefused,
    AchievementSaved,
    AchievementsSynced,
    Authenticated,
    Beat,
    ChannelsBroadcast,
    Failure,
    GamesConnect,
    GamesDisconnect,
    GamesStatusAnswer,
    PlayersOf,
    PlayersSignedIn,
    PlayersSignedOut,
    PlayersStatusAnswer,
    Restart,
    SecureTelnetConnection,
    StatusOf,
    Success,
    TellsReceive,
    TelnetConnection,
    WebConnection,
)
from tests.support.framing import text
from tests.support.world import FLAGS, uuid

R = Raw(b'"r"')

EVENTS = (
    "authenticate",
    "heartbeat",
    "channels/subscribe",
    "channels/unsubscribe",
    "channels/send",
    "players/sign-in",
    "players/sign-out",
    "players/status",
    "games/status",
    "tells/send",
    "achievements/sync",
    "achievements/create",
    "achievements/update",
    "achievements/delete",
)
WITH_REF = EVENTS[7:]
FROM_NETWORK = ("restart", "channels/broadcast", "games/connect", "games/disconnect", "tells/receive")

PAYLOADS: dict[str, Any] = {
    "authenticate": {
        "client_id": "c",
        "client_secret": "s",
        "supports": ["channels"],
        "channels": ["gossip"],
        "players": ["Ana"],
        "version": "2.3.0",
        "user_agent": "MyMUD 1.0",
        "debug": True,
    },
    "heartbeat": {"players": ["Ana", "Bo"]},
    "channels/subscribe": {"channel": "gossip"},
    "channels/unsubscribe": {"channel": "gossip"},
    "channels/send": {"channel": "gossip", "name": "Ana", "message": "Hello!"},
    "players/sign-in": {"name": "Ana"},
    "players/sign-out": {"name": "Ana"},
    "players/status": {"game": "Beta"},
    "games/status": {"game": "Beta"},
    "tells/send": {
        "from_name": "Ana",
        "to_game": "Beta",
        "to_name": "Bo",
        "message": "Hi",
        "sent_at": "2018-07-17T13:12:28Z",
    },
    "achievements/sync": {},
    "achievements/create": {"title": "First"},
    "achievements/update": {"key": "k", "title": "First"},
    "achievements/delete": {"key": "k"},
}


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


class DecodeTests(SynchronousTestCase):
    """What a game writes becomes an event, whatever it is."""

    def test_each_event(self) -> None:
        """Each event of the specification is read with all its fields."""
        wanted: list[Event] = [
            Authenticate(R, "c", "s", ("channels",), ("gossip",), ("Ana",), "2.3.0", "MyMUD 1.0", True),
            Heartbeat(R, ("Ana", "Bo")),
            ChannelsSubscribe(R, "gossip"),
            ChannelsUnsubscribe(R, "gossip"),
            ChannelsSend(R, "gossip", "Ana", "Hello!"),
            PlayersSignIn(R, "Ana"),
            PlayersSignOut(R, "Ana"),
            PlayersStatus(R, "Beta"),
            GamesStatus(R, "Beta"),
            TellsSend(R, "Ana", "Beta", "Bo", "Hi", "2018-07-17T13:12:28Z"),
            AchievementsSync(R),
            AchievementsCreate(R, {"title": Raw(b'"First"')}),
            AchievementsUpdate(R, {"key": Raw(b'"k"'), "title": Raw(b'"First"')}),
            AchievementsDelete(R, {"key": Raw(b'"k"')}),
        ]
        self.assertEqual([decode(text(name, dumped(PAYLOADS[name]))) for name in EVENTS], wanted)

    def test_no_object(self) -> None:
        """What is no JSON object in UTF-8 is unreadable."""
        frames = [
            b"",
            b" ",
            b"hello",
            b"[]",
            b"null",
            b"1",
            b'"authenticate"',
            b"{",
            b'{"event":"heartbeat"',
            b'{"event":"heartbeat"} {}',
            b"{'event':'heartbeat'}",
            b'{"event":"heartbeat",}',
            b'\xef\xbb\xbf{"event":"heartbeat"}',
            '{"event":"heartbeat"}'.encode("utf-16"),
            b'{"event":"heartbeat","x":NaN}',
            b'{"event":"heartbeat","x":01}',
            b'{"event":"heartbeat","x":"\x01"}',
            b"\x00\xff",
        ]
        self.assertEqual([decode(frame) for frame in frames], [Unreadable()] * len(frames))

    def test_not_utf_8(self) -> None:
        """Invalid UTF-8 is unreadable wherever it stands, so that nothing of it is sent back."""
        for junk in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"):
            frames = [
                text("channels/subscribe", b'{"channel":"%s"}' % junk),
                text("channels/subscribe", b'{"channel":"gossip","x":"%s"}' % junk),
                text("channels/subscribe", b'{"channel":"gossip"}', b'"%s"' % junk),
                text("channels/subscribe", b'{"channel":"gossip"}', b'"%s\\ud800"' % junk),
                b'{"event":"%s"}' % junk,
                b'{"%s":1,"event":"heartbeat"}' % junk,
            ]
            self.assertEqual([decode(frame) for frame in frames], [Unreadable()] * len(frames), junk)

    def test_unknown(self) -> None:
        """What is no event that a game may send is unknown; event and ref come back as they were written."""
        self.assertEqual(decode(b"{}"), Unknown(None, None))
        self.assertEqual(decode(b'{"ref":"r"}'), Unknown(None, R))
        self.assertEqual(decode(b'{"event":null,"ref":"r"}'), Unknown(None, R))
        for written in (b"1", b"[]", b'{"a": 1}', b'""', b'"Heartbeat"', b'"channels\\/no"', b'"heartbeat "', b"false"):
            self.assertEqual(decode(b'{"event":%s,"ref":"r"}' % written), Unknown(Raw(written), R))
        for name in FROM_NETWORK:
            self.assertEqual(decode(text(name)), Unknown(Raw(dumped(name)), R))
        self.assertEqual(decode(text("x" * 254)), Unknown(Raw(b'"%s"' % (b"x" * 254)), R))
        self.assertEqual(decode(text("x" * 255)), Unknown(None, R))

    def test_refs(self) -> None:
        """A ref of any kind of JSON comes back byte for byte; null is none."""
        refs = [
            b'"e0e2fb6e"',
            b'""',
            b"0",
            b"-1.50e+10",
            b"1" * 256,
            b"true",
            b"false",
            b"[1,  2]",
            b'{"b" : 1,"a":null}',
            b'"\\u00e9\\/"',
            '"é✔️"'.encode(),
            b"[null]",
            b'"\\ud83d\\ude00"',
        ]
        self.assertEqual(
            [decode(text("achievements/sync", ref=ref)) for ref in refs], [AchievementsSync(Raw(ref)) for ref in refs]
        )
        self.assertEqual(decode(text("players/sign-in", b'{"name":"Ana"}', b"null")), PlayersSignIn(None, "Ana"))
        self.assertEqual(decode(text("players/sign-in", b'{"name":"Ana"}', None)), PlayersSignIn(None, "Ana"))

    def test_long_ref(self) -> None:
        """A ref over 256 bytes makes an event malformed, and is not echoed; where none is wanted it is nothing."""
        long = b"1" * 257
        for name in EVENTS[2:]:
            event = decode(text(name, dumped(PAYLOADS[name]), long))
            self.assertEqual(event, Malformed(name, UNECHOED, MALFORMED))
            self.assertIs(event.ref, UNECHOED)
        self.assertEqual(decode(text("heartbeat", b'{"players":[]}', long)), Heartbeat(UNECHOED, ()))
        self.assertIsInstance(decode(text("authenticate", b"{}", long)), Authenticate)
        unknown = decode(text("what", None, long))
        self.assertEqual(unknown, Unknown(Raw(b'"what"'), UNECHOED))
        self.assertIs(unknown.ref, UNECHOED)

    def test_ref_limit(self) -> None:
        """The limit of a ref can be set, and 0 is none."""
        sync = text("achievements/sync", ref=b"12345")
        self.assertEqual(decode(sync, 4), Malformed("achievements/sync", UNECHOED))
        self.assertEqual(decode(sync, 5), AchievementsSync(Raw(b"12345")))
        long = b"1" * 5000
        self.assertEqual(decode(text("achievements/sync", ref=long), 0), AchievementsSync(Raw(long)))

    def test_ref_required(self) -> None:
        """An event that must have a ref is malformed without; the others are not."""
        for name in EVENTS:
            for ref in (None, b"null"):
                event = decode(text(name, dumped(PAYLOADS[name]), ref))
                self.assertIsNone(event.ref)
                self.assertEqual(event == Malformed(name, None, MALFORMED), name in WITH_REF, name)

    def test_payload_types(self) -> None:
        """A payload that is no object is malformed where it is not lenient; missing and null are an empty one."""
        for name in EVENTS[2:]:
            error = Error.of("invalid-payload") if name == "tells/send" else MALFORMED
            for payload in (b"[]", b'"x"', b"1", b"true"):
                self.assertEqual(decode(text(name, payload)), Malformed(name, R, error))
            empty = decode(text(name, b"{}"))
            self.assertEqual([decode(text(name)), decode(text(name, b"null"))], [empty, empty])

    def test_field_types(self) -> None:
        """A required field must be there and be a string."""
        for name in ("channels/subscribe", "channels/send", "players/sign-in", "players/sign-out", "tells/send"):
            error = Error.of("invalid-payload") if name == "tells/send" else MALFORMED
            for field in PAYLOADS[name]:
                if field == "sent_at":
                    continue
                without = {key: value for key, value in PAYLOADS[name].items() if key != field}
                self.assertEqual(decode(text(name, dumped(without))), Malformed(name, R, error))
                wrongs: list[Any] = [None, 1, True, [], {}, ["Ana"]]
                for wrong in wrongs:
                    payload = {**PAYLOADS[name], field: wrong}
                    self.assertEqual(decode(text(name, dumped(payload))), Malformed(name, R, error), (name, field))

    def test_null_optional(self) -> None:
        """A null optional field counts as absent; one of a wrong type is malformed."""
        self.assertEqual(decode(text("players/status", b'{"game":null}')), PlayersStatus(R, None))
        self.assertEqual(decode(text("games/status", b'{"game":null}')), GamesStatus(R, None))
        self.assertEqual(decode(text("games/status", b'{"game":1}')), Malformed("games/status", R, MALFORMED))
        tell = {**PAYLOADS["tells/send"], "sent_at": None}
        self.assertEqual(decode(text("tells/send", dumped(tell))), TellsSend(R, "Ana", "Beta", "Bo", "Hi", None))
        tell["sent_at"] = 1
        self.assertEqual(
            decode(text("tells/send", dumped(tell))), Malformed("tells/send", R, Error.of("invalid-payload"))
        )

    def test_lenient_authenticate(self) -> None:
        """In authenticate what has a wrong type counts as absent, each field by itself."""
        for payload in (None, b"null", b"{}", b"[]", b'"x"', b"1"):
            self.assertEqual(decode(text("authenticate", payload)), Authenticate(R))
        whole = decode(text("authenticate", dumped(PAYLOADS["authenticate"])))
        wrongs: list[Any] = [None, 1, {}, 1.5, {"a": []}]
        for field in PAYLOADS["authenticate"]:
            for wrong in wrongs:
                payload = dumped({**PAYLOADS["authenticate"], field: wrong})
                self.assertEqual(decode(text("authenticate", payload)), msgspec.structs.replace(whole, **{field: None}))
        for field in ("client_id", "client_secret", "version", "user_agent", "debug"):
            payload = dumped({**PAYLOADS["authenticate"], field: ["x"]})
            self.assertEqual(decode(text("authenticate", payload)), msgspec.structs.replace(whole, **{field: None}))
        for wrong in ("true", 1, [True]):
            event = decode(text("authenticate", dumped({"debug": wrong})))
            self.assertEqual(event, Authenticate(R))

    def test_lenient_lists(self) -> None:
        """In lists what is no string is dropped; in supports it stays visible."""
        payload = b'{"channels":["a",1,null,["b"],"\\ud800"],"players":[{},"Ana"],"supports":["channels",1,"\\udfff"]}'
        wanted = Authenticate(R, None, None, ("channels", None, None), ("a",), ("Ana",))
        self.assertEqual(decode(text("authenticate", payload)), wanted)
        self.assertEqual(decode(text("authenticate", b'{"supports":[null]}')), Authenticate(R, None, None, (None,)))

    def test_lenient_heartbeat(self) -> None:
        """A heartbeat is one whatever its payload is."""
        empty = (None, b"null", b"[]", b'["Ana"]', b"1", b'{"players":null}', b'{"players":"Ana"}', b'{"players":{}}')
        for payload in empty:
            self.assertEqual(decode(text("heartbeat", payload, None)), Heartbeat(None, None))
        self.assertEqual(decode(text("heartbeat", b'{"players":[1,"Ana",null]}', None)), Heartbeat(None, ("Ana",)))
        self.assertEqual(decode(b'{"event":"heartbeat","status":null,"ts":1}'), Heartbeat(None, None))

    def test_unknown_keys(self) -> None:
        """Unknown keys are ignored, and keys are case-sensitive."""
        frame = b'{"Event":1,"x":[{}],"event":"players/sign-in","status":null,"payload":{"name":"Ana","Name":1,"y":{}}}'
        self.assertEqual(decode(frame), PlayersSignIn(None, "Ana"))

    def test_duplicate_keys(self) -> None:
        """Of a key that is there twice the last counts."""
        frame = b'{"event":"heartbeat","event":"players/sign-in","ref":1,"ref":2,"payload":{"name":"A","name":"B"}}'
        self.assertEqual(decode(frame), PlayersSignIn(Raw(b"2"), "B"))

    def test_escapes(self) -> None:
        """Escapes in keys and values are read, and white space is no matter."""
        frame = b' {"\\u0065vent" :\t"players\\/sign-in",\r\n"payload":{"name":"\\u00e9\\ud83d\\ude00"}} '
        self.assertEqual(decode(frame), PlayersSignIn(None, "é😀"))

    def test_deep_nesting(self) -> None:
        """What is nested too deep to be read is not read."""
        deep = b"[" * 30000 + b"]" * 30000
        self.assertEqual(decode(text("heartbeat", deep)), Unreadable())
        self.assertEqual(decode(text("heartbeat", b'{"players":%s}' % deep)), Unreadable())
        self.assertEqual(decode(deep), Unreadable())
        self.assertEqual(decode(b'{"a":' * 10000), Unreadable())

    def test_huge_numbers(self) -> None:
        """Numbers of any size are numbers, which no field wants."""
        for number in (b"9" * 60000, b"1e400", b"-1e-400", b"1" + b"0" * 5000 + b".5"):
            self.assertEqual(
                decode(text("players/sign-in", b'{"name":%s}' % number)), Malformed("players/sign-in", R, MALFORMED)
            )
            self.assertEqual(
                decode(text("players/sign-in", b'{"name":"A","x":%s}' % number)), PlayersSignIn(R, "A"), number[:10]
            )

    def test_adversarial_size(self) -> None:
        """Frames made to search for ever do not."""
        for junk in (b'"' * 65000, b'"\\' * 32000, b'"\\ud800' * 9000, b'{"a":"\\ud800' * 5000, b'\\"' * 32000):
            self.assertEqual(decode(junk), Unreadable())
        many = b'{"event":"heartbeat","x":[%s]}' % b",".join([b'"\\ud800"'] * 7000)
        self.assertEqual(decode(many), Heartbeat(None, None))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
FIELDS = st.sampled_from(sorted({field for payload in PAYLOADS.values() for field in payload}))
FRAMES = st.fixed_dictionaries(
    {"event": st.sampled_from(EVENTS) | JSON},
    optional={"ref": JSON, "payload": st.dictionaries(FIELDS, JSON | st.lists(st.text())) | JSON},
)


class DecodePropertyTests(SynchronousTestCase):
    """Whatever a game sends."""

    @given(st.binary(max_size=200))
    def test_bytes(self, frame: bytes) -> None:
        """Arbitrary bytes never raise."""
        self.assertIsInstance(decode(frame), events.ClientEvent)

    @given(JSON, st.booleans())
    def test_json(self, value: Any, escaped: bool) -> None:
        """Arbitrary JSON never raises: an object is unknown, all else unreadable."""
        event = decode(json.dumps(value, ensure_ascii=escaped).encode())
        self.assertIsInstance(event, Unknown if isinstance(value, dict) else Unreadable)

    @given(FRAMES, st.integers(0, 300), st.binary(max_size=4), st.integers(0, 4))
    def test_mutated(self, value: Any, at: int, junk: bytes, cut: int) -> None:
        """Frames that are nearly right never raise."""
        frame = dumped(value)
        self.assertIsInstance(decode(frame), events.ClientEvent)
        self.assertIsInstance(decode(frame[:at] + junk + frame[at + cut :]), events.ClientEvent)

    @given(FRAMES)
    def test_echo(self, value: Any) -> None:
        """A ref comes back as it was, if it is short enough."""
        ref = dumped(value.get("ref"))
        event = decode(dumped(value))
        self.assertEqual(event.ref, None if ref == b"null" else Raw(ref) if len(ref) <= 256 else UNECHOED)

    @given(st.text('"\\ud8cfDzE0:,-.e7 {}[]\x01a', max_size=30))
    def test_strings(self, written: str) -> None:
        """What is read as JSON is JSON by another reader's measure too."""
        frame = b'{"event":"achievements/sync","ref":["%s"]}' % written.encode()
        try:
            json.loads(frame)
            readable = True
        except ValueError:
            readable = False
        event = decode(frame)
        self.assertEqual(not isinstance(event, Unreadable), readable)
        if readable and not isinstance(event, Malformed | Unknown) and b'"ref":["%s"]' % written.encode() in frame:
            assert isinstance(event.ref, Raw)
            self.assertIn(bytes(event.ref), frame)

    @given(st.sampled_from(EVENTS), st.text(), st.text())
    def test_round_trip(self, name: str, first: str, second: str) -> None:
        """All text comes through reading whole."""
        frame = msgspec.json.encode(
            {"event": "channels/send", "payload": {"channel": name, "name": first, "message": second}}
        )
        self.assertEqual(decode(frame), ChannelsSend(None, name, first, second))
        told = ChannelsBroadcast(Raw(b"1"), name, "Alpha", first, second)
        [written] = encode(told)
        payload = {"channel": name, "game": "Alpha", "name": first, "message": second}
        self.assertEqual(json.loads(written), {"event": "channels/broadcast", "ref": 1, "payload": payload})


ACHIEVEMENT = AchievementOf(key=uuid(1), title="First")
ALL_SEVEN = {
    "key": uuid(1),
    "title": "First",
    "description": None,
    "points": 0,
    "display": True,
    "partial_progress": False,
    "total_progress": None,
}


def read(event: server_events.ServerEvent, frame_out: int = 16 * 1024) -> list[Any]:
    return [json.loads(frame) for frame in encode(event, frame_out)]


class EncodeTests(SynchronousTestCase):
    """What the network says, as the specification writes it."""

    def test_bytes(self) -> None:
        """The exact bytes of the frames that every game gets."""
        self.assertEqual(
            encode(Authenticated(None, "Alpha")),
            ['{"event":"authenticate","status":"success","payload":{"unicode":"✔️","version":"2.3.0"}}'.encode()],
        )
        self.assertEqual(encode(Beat(0)), [b'{"event":"heartbeat"}'])
        self.assertEqual(
            encode(ChannelsBroadcast(R, "gossip", "MyMUD", "Ana", 'Héllo "you"\n')),
            [
                '{"event":"channels/broadcast","ref":"r",'
                '"payload":{"channel":"gossip","game":"MyMUD","name":"Ana","message":"Héllo \\"you\\"\\n"}}'.encode()
            ],
        )
        self.assertEqual(
            encode(Success("channels/send", Raw(b'{"a" : 1}'))),
            [b'{"event":"channels/send","ref":{"a" : 1},"status":"success"}'],
        )
        self.assertEqual(
            encode(Failure("channels/send", R, Error.of("not-subscribed"))),
            [b'{"event":"channels/send","ref":"r","status":"failure","error":"not subscribed"}'],
        )

    def test_without_ref(self) -> None:
        """An answer to a request without a ref, or with one that is too long, has none."""
        for ref in (None, UNECHOED):
            self.assertEqual(read(Success("channels/send", ref)), [{"event": "channels/send", "status": "success"}])
            failed = {"event": "x", "status": "failure", "error": "unknown"}
            self.assertEqual(read(Failure(Raw(b'"x"'), ref, Error.of("unknown-event"))), [failed])
        self.assertEqual(
            read(Failure(None, None, Error.of("unknown-event"))), [{"status": "failure", "error": "unknown"}]
        )
        self.assertEqual(encode(Failure(Raw(b"[1, 2]"), R, MALFORMED))[0][:15], b'{"event":[1, 2]')

    def test_notices(self) -> None:
        """What the network says by itself."""
        self.assertEqual(read(Restart(R, 15)), [{"event": "restart", "ref": "r", "payload": {"downtime": 15}}])
        player = {"game": "Alpha", "name": "Ana"}
        self.assertEqual(
            read(PlayersSignedIn(R, "Alpha", "Ana")), [{"event": "players/sign-in", "ref": "r", "payload": player}]
        )
        self.assertEqual(
            read(PlayersSignedOut(R, "Alpha", "Ana")), [{"event": "players/sign-out", "ref": "r", "payload": player}]
        )
        game = {"game": "Alpha"}
        self.assertEqual(read(GamesConnect(R, "Alpha")), [{"event": "games/connect", "ref": "r", "payload": game}])
        self.assertEqual(
            read(GamesDisconnect(R, "Alpha")), [{"event": "games/disconnect", "ref": "r", "payload": game}]
        )
        payload = {
            "from_game": "Alpha",
            "from_name": "Ana",
            "to_name": "Bo",
            "sent_at": "2018-07-17T13:12:28Z",
            "message": "Hi",
        }
        self.assertEqual(
            read(TellsReceive(R, "Alpha", "Ana", "Bo", "2018-07-17T13:12:28Z", "Hi")),
            [{"event": "tells/receive", "ref": "r", "payload": payload}],
        )

    def test_players_status(self) -> None:
        """A frame for each game, in the form without a status."""
        answer = PlayersStatusAnswer(R, (PlayersOf("Alpha", ("Ana",)), PlayersOf("Beta", ())))
        self.assertEqual(
            read(answer),
            [
                {"event": "players/status", "ref": "r", "payload": {"game": "Alpha", "players": ["Ana"]}},
                {"event": "players/status", "ref": "r", "payload": {"game": "Beta", "players": []}},
            ],
        )

    def test_games_status(self) -> None:
        """The keys that are always there, and those that are where there is something."""
        least = StatusOf(
            game="Beta", display_name="", supports=(), channels=(), players_online_count=0, player_online_count=0
        )
        most = StatusOf(
            game="Alpha",
            display_name="The Alpha",
            description="A game",
            homepage_url="https://alpha.example",
            user_agent="MyMUD 1.0",
            user_agent_url="https://mymud.example",
            user_agent_repo_url="https://git.example",
            connections=(
                WebConnection("https://alpha.example/play"),
                TelnetConnection("alpha.example", 4000),
                SecureTelnetConnection("alpha.example", 4443),
            ),
            supports=FLAGS,
            channels=("gossip",),
            players_online_count=2,
            player_online_count=2,
        )
        self.assertEqual(
            read(GamesStatusAnswer(R, (least, most))),
            [
                {
                    "event": "games/status",
                    "ref": "r",
                    "status": "success",
                    "payload": {
                        "game": "Beta",
                        "display_name": "",
                        "supports": [],
                        "channels": [],
                        "players_online_count": 0,
                        "player_online_count": 0,
                    },
                },
                {
                    "event": "games/status",
                    "ref": "r",
                    "status": "success",
                    "payload": {
                        "game": "Alpha",
                        "display_name": "The Alpha",
                        "description": "A game",
                        "homepage_url": "https://alpha.example",
                        "user_agent": "MyMUD 1.0",
                        "user_agent_url": "https://mymud.example",
                        "user_agent_repo_url": "https://git.example",
                        "connections": [
                            {"type": "web", "url": "https://alpha.example/play"},
                            {"type": "telnet", "host": "alpha.example", "port": 4000},
                            {"type": "secure telnet", "host": "alpha.example", "port": 4443},
                        ],
                        "supports": list(FLAGS),
                        "channels": ["gossip"],
                        "players_online_count": 2,
                        "player_online_count": 2,
                    },
                },
            ],
        )

    def test_achievements(self) -> None:
        """An achievement has all its seven keys; a refusal has errors and no error."""
        self.assertEqual(
            read(AchievementSaved("achievements/create", R, ACHIEVEMENT)),
            [{"event": "achievements/create", "ref": "r", "status": "success", "payload": ALL_SEVEN}],
        )
        self.assertEqual(
            read(AchievementDeleted(R, uuid(1))),
            [{"event": "achievements/delete", "ref": "r", "status": "success", "payload": {"key": uuid(1)}}],
        )
        errors = {"title": ["can't be blank"]}
        self.assertEqual(
            read(AchievementRefused("achievements/update", R, errors)),
            [{"event": "achievements/update", "ref": "r", "status": "failure", "payload": {"errors": errors}}],
        )

    def test_sync_pages(self) -> None:
        """At most ten achievements a frame, and one empty frame if there are none."""
        head = {"event": "achievements/sync", "ref": "r", "status": "success"}
        self.assertEqual(read(AchievementsSynced(R, ())), [{**head, "payload": {"total": 0, "achievements": []}}])
        pages = read(AchievementsSynced(R, (ACHIEVEMENT,) * 23))
        self.assertEqual(pages[0], {**head, "payload": {"total": 23, "achievements": [ALL_SEVEN] * 10}})
        self.assertEqual([len(page["payload"]["achievements"]) for page in pages], [10, 10, 3])
        self.assertEqual(len(read(AchievementsSynced(R, (ACHIEVEMENT,) * 20))), 2)

    def test_frame_limit(self) -> None:
        """No frame is over 16 KiB, at the worst that the limits let through."""
        ref = Raw(b"1" * 256)
        worst = '"' * 4096, "✔" * 4096, "\n" * 4096, "😀" * 3072
        told: list[server_events.ServerEvent] = [
            *(ChannelsBroadcast(ref, "c" * 15, "g" * 15, '"' * 64, message) for message in worst),
            *(TellsReceive(ref, "g" * 15, '"' * 64, '"' * 64, "2" * 40, message) for message in worst),
            PlayersStatusAnswer(ref, (PlayersOf("g" * 15, tuple('"' * 60 + f"{n:04}" for n in range(2000))),)),
            AchievementsSynced(
                ref,
                (AchievementOf(key=uuid(1), title="\x01" * 200, description="\x01" * 1000, total_progress=-(2**31)),)
                * 5,
            ),
        ]
        status = StatusOf(
            game="g" * 15,
            display_name="😀" * 70,
            description="😀" * 2000,
            homepage_url="h" * 500,
            user_agent="😀" * 200,
            user_agent_url="h" * 500,
            user_agent_repo_url="h" * 500,
            connections=(WebConnection("h" * 500),) * 6,
            supports=FLAGS,
            channels=tuple(f"channel-{'x' * n}" for n in range(100)),
            players_online_count=2000,
            player_online_count=2000,
        )
        told.append(GamesStatusAnswer(ref, (status,)))
        for event in told:
            for frame in encode(event):
                self.assertLessEqual(len(frame), 16 * 1024, event)
                json.loads(frame)

    def test_cut(self) -> None:
        """As many names as fit; all of them without a limit."""
        names = tuple(f"{n:060}" for n in range(1000))
        answer = PlayersStatusAnswer(R, (PlayersOf("Alpha", names),))
        [payload] = [frame["payload"] for frame in read(answer)]
        fitting = len(payload["players"])
        self.assertEqual(payload["players"], list(names[:fitting]))
        self.assertTrue(230 < fitting < 260, fitting)
        self.assertEqual(len(read(answer, 0)[0]["payload"]["players"]), 1000)
        few = PlayersOf("Alpha", names[:200])
        self.assertEqual(read(PlayersStatusAnswer(R, (few,)))[0]["payload"]["players"], list(names[:200]))

    def test_tiny_frames(self) -> None:
        """A limit that nothing fits into leaves out what it can, and breaks nothing."""
        answer = PlayersStatusAnswer(R, (PlayersOf("Alpha", ("Ana",)), PlayersOf("Beta", ())))
        self.assertEqual([frame["payload"]["players"] for frame in read(answer, 512)], [[], []])
        pages = read(AchievementsSynced(R, (ACHIEVEMENT, ACHIEVEMENT)), 512)
        self.assertEqual([len(page["payload"]["achievements"]) for page in pages], [1, 1])
