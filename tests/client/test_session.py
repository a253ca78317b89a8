"""L{gossip.client.session}: frames in, what they mean and the frames to send out."""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.client.session import (
    Answer,
    ClientSession,
    Heard,
    Heartbeat,
    Joined,
    Notice,
    Rejected,
    Restarting,
)
from tests.support.world import uuid


class SessionTestCase(SynchronousTestCase):
    """A session of a game with one player, whose refs count."""

    def setUp(self) -> None:
        numbers = itertools.count(1)
        self.session = ClientSession(
            "id",
            "secret",
            lambda: uuid(next(numbers)),
            supports=("channels", "tells"),
            channels=("gossip", "testing", "gossip"),
            players=("Ana",),
            user_agent="test",
        )

    def hear(self, event: str, **more: Any) -> Heard | None:
        """The network sends a frame."""
        return self.session.received(json.dumps({"event": event, **more}).encode())

    def join(self) -> None:
        self.session.authenticate()
        self.assertEqual(self.hear("authenticate", status="success"), Joined())


class ConnectionTests(SessionTestCase):
    """How a session joins, lives, and comes back."""

    def test_authenticate(self) -> None:
        """The first frame says what the game is, and each channel once."""
        self.assertEqual(
            json.loads(self.session.authenticate()),
            {
                "event": "authenticate",
                "payload": {
                    "client_id": "id",
                    "client_secret": "secret",
                    "supports": ["channels", "tells"],
                    "channels": ["gossip", "testing"],
                    "players": ["Ana"],
                    "version": "2.3.0",
                    "user_agent": "test",
                },
            },
        )

    def test_joined(self) -> None:
        """The session has joined from the answer of the network until the connection ends."""
        self.assertFalse(self.session.joined)
        self.join()
        self.assertTrue(self.session.joined)
        self.session.closed()
        self.assertFalse(self.session.joined)

    def test_rejected(self) -> None:
        """A network that does not let the session in says why."""
        self.assertEqual(self.hear("authenticate", status="failure", error="no"), Rejected("no"))
        for error in ({}, {"error": 7}):
            self.assertEqual(self.hear("authenticate", **error), Rejected("something went wrong"))
        self.assertFalse(self.session.joined)

    def test_heartbeat(self) -> None:
        """A heartbeat is answered with the players that are online then, once the session has joined."""
        self.assertEqual(self.hear("heartbeat"), Notice("heartbeat", {}))
        self.join()
        self.session.players.append("Bo")
        answer = self.hear("heartbeat")
        assert isinstance(answer, Heartbeat)
        self.assertEqual(json.loads(answer.frame), {"event": "heartbeat", "payload": {"players": ["Ana", "Bo"]}})

    def test_wait(self) -> None:
        """Waits double up to a minute, vary by half, and begin anew once the session has joined."""
        self.assertEqual([self.session.wait(1) for _ in range(8)], [1, 2, 4, 8, 16, 32, 60, 60])
        self.join()
        self.assertEqual([self.session.wait(0), self.session.wait(0)], [0.5, 1])

    def test_restart(self) -> None:
        """After a restart the first wait is longer by the downtime."""
        self.join()
        self.assertEqual(self.hear("restart", ref="x", payload={"downtime": 30}), Restarting())
        self.assertEqual([self.session.wait(0), self.session.wait(0)], [30.5, 1.0])

    def test_absurd_downtime(self) -> None:
        """A downtime that makes no sense counts as none."""
        for downtime in ("1e999", "-5", '"x"', "NaN", "9" * 400):
            self.session.received(b'{"event": "restart", "payload": {"downtime": %s}}' % downtime.encode())
            self.assertLessEqual(self.session.wait(1), 60)


class RequestTests(SessionTestCase):
    """Requests, and their answers."""

    def setUp(self) -> None:
        super().setUp()
        self.join()

    def test_frames(self) -> None:
        """Each request is a frame with a ref of its own."""
        expected: list[tuple[str, dict[str, Any]]] = [
            ("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hi"}),
            ("tells/send", {"from_name": "Ana", "to_name": "Bo", "to_game": "Beta", "message": "Hi"}),
            ("channels/subscribe", {"channel": "news"}),
            ("channels/unsubscribe", {"channel": "news"}),
            ("players/status", {}),
            ("players/status", {"game": "Beta"}),
            ("games/status", {}),
            ("games/status", {"game": "Beta"}),
        ]
        requests = [
            self.session.send("gossip", "Ana", "Hi"),
            self.session.tell("Ana", "Beta", "Bo", "Hi"),
            self.session.subscribe("news"),
            self.session.unsubscribe("news"),
            self.session.players_status(),
            self.session.players_status("Beta"),
            self.session.games_status(),
            self.session.games_status("Beta"),
        ]
        self.assertEqual(
            [json.loads(request.frame) for request in requests],
            [
                {"event": event, "ref": uuid(number), "payload": payload}
                for number, (event, payload) in enumerate(expected, 1)
            ],
        )

    def test_answers(self) -> None:
        """An answer belongs to the request with its ref, in whatever order answers come; and only once."""
        first, second = self.session.send("gossip", "Ana", "Hi"), self.session.players_status("Beta")
        payload = {"game": "Beta", "players": ["Bo"]}
        answer = {"ref": second.ref, "status": "success", "payload": payload}
        self.assertEqual(self.hear("players/status", **answer), Answer(second, None, payload))
        self.assertEqual(self.hear("players/status", **answer), Notice("players/status", payload))
        failure = {"ref": first.ref, "status": "failure", "error": "no"}
        self.assertEqual(self.hear("channels/send", **failure), Answer(first, "no", {}))
        self.assertEqual(self.hear("channels/send", **failure), Answer(None, "no", {}))

    def test_channels(self) -> None:
        """The channels are those that the network confirmed; the next connection joins them again."""
        joining, failing = self.session.subscribe("news"), self.session.subscribe("other")
        self.assertEqual(self.session.channels, ["gossip", "testing"])
        self.hear("channels/subscribe", ref=joining.ref, status="success")
        self.hear("channels/subscribe", ref=failing.ref, status="failure", error="no")
        self.assertEqual(self.session.channels, ["gossip", "testing", "news"])
        leaving, failing = self.session.unsubscribe("gossip"), self.session.unsubscribe("testing")
        self.hear("channels/unsubscribe", ref=leaving.ref, status="success")
        self.hear("channels/unsubscribe", ref=failing.ref, status="failure", error="no")
        self.session.closed()
        self.assertEqual(json.loads(self.session.authenticate())["payload"]["channels"], ["testing", "news"])

    def test_same_channel_again(self) -> None:
        """A channel that is joined twice is left by leaving it once."""
        self.hear("channels/subscribe", ref=self.session.subscribe("gossip").ref, status="success")
        for _ in range(2):
            self.hear("channels/unsubscribe", ref=self.session.unsubscribe("gossip").ref, status="success")
        self.assertEqual(self.session.channels, ["testing"])

    def test_unanswered(self) -> None:
        """A connection that ends says which requests get no answer; none of them is open on the next one."""
        answered, lost = self.session.games_status(), self.session.send("gossip", "Ana", "Hi")
        self.hear("games/status", ref=answered.ref, status="success")
        self.assertEqual(self.session.closed(), [lost])
        self.join()
        late = {"ref": lost.ref, "status": "failure", "error": "late"}
        self.assertEqual(self.hear("channels/send", **late), Answer(None, "late", {}))
        self.assertEqual(self.session.closed(), [])


class AnyFrameTests(SessionTestCase):
    """Whatever the network sends."""

    def test_notices(self) -> None:
        """What the network tells unasked is handed on as it is."""
        payload = {"channel": "gossip", "game": "Beta", "name": "Bo", "message": "\x1b[2J"}
        self.assertEqual(
            self.hear("channels/broadcast", ref="x", payload=payload), Notice("channels/broadcast", payload)
        )
        self.assertEqual(self.hear("games/connect", payload=[]), Notice("games/connect", {}))

    def test_junk(self) -> None:
        """What is not an object of JSON means nothing."""
        for junk in (b"", b"\xff", b"[]", b"null", b"{", b"[" * 100_000):
            self.assertIsNone(self.session.received(junk))

    @given(
        st.dictionaries(
            st.sampled_from(["event", "ref", "status", "payload", "error"]),
            st.sampled_from(["authenticate", "heartbeat", "restart", "channels/subscribe", "failure", uuid(1)])
            | st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                lambda value: st.lists(value) | st.dictionaries(st.sampled_from(["downtime", "channel"]), value),
            ),
        )
    )
    def test_anything(self, envelope: Any) -> None:
        """No frame raises, and a session survives it."""
        self.setUp()
        self.join()
        self.session.subscribe("news")
        self.session.received(json.dumps(envelope).encode())
        json.loads(self.session.authenticate())
        self.assertLessEqual(self.session.wait(1), 24 * 3600 + 1)
