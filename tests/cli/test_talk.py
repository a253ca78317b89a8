"""L{gossip.cli.talk}: lines and frames in, frames and lines out."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gossip.cli.talk import HELP, Conversation, Talk, Turn
from gossip.client.websocket import Send
from tests.support.world import uuid

WELCOME = {"event": "authenticate", "status": "success"}


def conversation(*channels: str) -> Conversation:
    """Ana, on gossip unless told otherwise; her refs count."""
    numbers = itertools.count(1)
    return Conversation("id", "secret", "Ana", channels or ("gossip",), lambda: uuid(next(numbers)))


def frames(turn: Turn) -> list[Any]:
    """What is sent, read."""
    return [json.loads(frame) for frame in turn.frames]


class ConversationTestCase(SynchronousTestCase):
    """A conversation that has joined."""

    def setUp(self) -> None:
        self.talk = conversation()
        self.talk.opened()
        self.hear(WELCOME)

    def hear(self, frame: Any) -> Turn:
        return self.talk.received(json.dumps(frame).encode())

    def answer(self, number: int, event: str, **more: Any) -> Turn:
        """The network answers a request."""
        return self.hear({"event": event, "ref": uuid(number), "status": "success", **more})

    def typed(self, line: str) -> list[Any]:
        """What is sent when something is typed."""
        turn = self.talk.typed(line)
        self.assertEqual((turn.lines, turn.over), ((), False))
        return frames(turn)


class JoiningTests(SynchronousTestCase):
    """How a conversation begins and ends."""

    def test_authenticate(self) -> None:
        """The first frame says who it is, and the answer is shown."""
        talk = conversation("gossip", "testing", "gossip")
        (sent,) = frames(talk.opened())
        self.assertEqual(sent["event"], "authenticate")
        self.assertEqual(
            sent["payload"],
            {
                "client_id": "id",
                "client_secret": "secret",
                "supports": ["channels", "players", "tells", "games"],
                "channels": ["gossip", "testing"],
                "players": ["Ana"],
                "version": "2.3.0",
                "user_agent": "gossipctl talk",
            },
        )
        turn = talk.received(json.dumps(WELCOME).encode())
        self.assertEqual(turn.lines, ("* Connected. You talk on gossip. /help lists the commands.",))

    def test_refused(self) -> None:
        """A person that the network refuses sees why, and does not come back."""
        talk = conversation()
        talk.opened()
        turn = talk.received(b'{"event": "authenticate", "status": "failure", "error": "invalid credentials"}')
        self.assertEqual(turn, Turn((), ("* The network refused you: invalid credentials",), True))
        self.assertEqual((talk.failed, talk.closed("goodbye").over), ("invalid credentials", True))

    def test_heartbeat(self) -> None:
        """A heartbeat is answered with the one player."""
        talk = conversation()
        talk.received(json.dumps(WELCOME).encode())
        turn = talk.received(b'{"event": "heartbeat"}')
        self.assertEqual(frames(turn), [{"event": "heartbeat", "payload": {"players": ["Ana"]}}])
        self.assertEqual(turn.lines, ())

    def test_typed_too_early(self) -> None:
        """What is typed before the network answers is said once it does, up to a hundred lines."""
        talk = conversation()
        self.assertEqual(talk.typed("hello"), Turn())
        turn = talk.received(json.dumps(WELCOME).encode())
        self.assertEqual([frame["payload"]["message"] for frame in frames(turn)], ["hello"])
        talk.closed("")
        for _ in range(100):
            self.assertEqual(talk.typed("hello"), Turn())
        self.assertIn("this one is lost", talk.typed("hello").lines[0])

    def test_cannot_connect(self) -> None:
        """A person sees where the connection could not be made, and why; the same is not said twice."""
        talk = Conversation("id", "secret", "Ana", ["gossip"], lambda: uuid(1), "ws://x/socket")
        self.assertEqual(talk.connecting().lines, ("* Connecting to ws://x/socket",))
        refused = ("* Cannot connect to ws://x/socket: Connection refused", "* Trying again. /quit leaves.")
        self.assertEqual(talk.closed("Connection refused"), Turn(lines=refused))
        self.assertEqual(talk.closed("Connection refused"), Turn())
        self.assertEqual(talk.closed("").lines[0], "* Cannot connect to ws://x/socket.")
        talk.opened()
        self.assertEqual(talk.closed("goodbye").lines, ("* The connection ended: goodbye",))
        self.assertEqual(talk.closed("Connection refused"), Turn(lines=refused))

    def test_quit(self) -> None:
        """/quit ends it, connected or not."""
        for talk in (conversation(), conversation()):
            self.assertTrue(talk.typed("/quit").over)
            self.assertTrue(talk.closed("").over)
            self.assertIsNone(talk.failed)

    def test_end_of_input(self) -> None:
        """At the end of the input the conversation waits for all answers: one last request marks their end."""
        talk = conversation()
        self.assertEqual(talk.typed("/who"), Turn())
        self.assertFalse(talk.ended().over)
        asked, last = frames(talk.received(json.dumps(WELCOME).encode()))
        self.assertEqual((asked["event"], last["event"]), ("players/status", "games/status"))
        for game in ("Alpha", "Beta"):
            answer = {"event": "players/status", "ref": asked["ref"], "payload": {"game": game, "players": []}}
            self.assertEqual(talk.received(json.dumps(answer).encode()), Turn(lines=(f"  {game}: nobody",)))
        self.assertEqual(talk.received(json.dumps({**last, "status": "success"}).encode()), Turn(over=True))
        self.assertIsNone(talk.failed)

    def test_end_of_no_input(self) -> None:
        """Without input there is nothing to wait for."""
        self.assertTrue(conversation().ended().over)

    def test_unheard(self) -> None:
        """Input that ended but could not be said is a failure."""
        talk = conversation()
        talk.typed("hello")
        talk.ended()
        turn = talk.closed("refused")
        self.assertEqual((turn.lines, turn.over), (("* Cannot connect to the network: refused",), True))
        self.assertEqual(talk.failed, "not all was heard")

    def test_coming_back(self) -> None:
        """A lost connection is made again, after longer and longer waits, and after a restart not too early."""
        talk = conversation()
        self.assertFalse(talk.closed("").over)
        self.assertEqual([talk.wait(1) for _ in range(8)], [1, 2, 4, 8, 16, 32, 60, 60])
        talk.opened()
        talk.received(json.dumps(WELCOME).encode())
        turn = talk.received(b'{"event": "restart", "ref": "x", "payload": {"downtime": 30}}')
        self.assertEqual(turn.lines, ("* The network restarts.",))
        talk.typed("hello")
        self.assertEqual(
            talk.closed("goodbye").lines,
            ("* The connection ended: goodbye", "* What you said last may not have been heard."),
        )
        self.assertEqual([talk.wait(0), talk.wait(0)], [30.5, 1.0])


class TypingTests(ConversationTestCase):
    """What is typed."""

    def test_say(self) -> None:
        """A line is said on the current channel; two slashes say one."""
        self.assertEqual(
            self.typed("  Hello, all!  "),
            [
                {
                    "event": "channels/send",
                    "ref": uuid(1),
                    "payload": {"channel": "gossip", "name": "Ana", "message": "Hello, all!"},
                }
            ],
        )
        self.assertEqual(self.typed("//help")[0]["payload"]["message"], "/help")
        self.assertEqual(self.typed("/me  waves")[0]["payload"]["message"], "/me waves")
        self.assertIn("/me is no command", self.talk.typed("/me").lines[0])
        self.assertEqual(self.typed(""), [])
        self.assertEqual(self.answer(1, "channels/send"), Turn())

    def test_not_said(self) -> None:
        """A line that the network refuses is shown as not said."""
        self.typed("Hello")
        turn = self.hear({"event": "channels/send", "ref": uuid(1), "status": "failure", "error": "channel is paused"})
        self.assertEqual(turn.lines, ("* Not said: channel is paused",))

    def test_tell(self) -> None:
        """A tell goes to one player, whose name may hold spaces and signs."""
        (sent,) = self.typed("/tell Old Bo@MyMUD  see you @ noon")
        self.assertEqual(
            sent["payload"],
            {"from_name": "Ana", "to_name": "Old Bo", "to_game": "MyMUD", "message": "see you @ noon"},
        )
        self.assertEqual(self.answer(1, "tells/send").lines, ("You tell Old Bo@MyMUD: see you @ noon",))
        for line in ("/tell", "/tell Bo", "/tell Bo@MyMUD", "/tell @MyMUD hi"):
            self.assertEqual(self.talk.typed(line), Turn(lines=("* Type /tell NAME@GAME TEXT.",)))

    def test_who(self) -> None:
        """/who asks for the players of all games or of one, and shows one line for each game."""
        self.assertEqual(self.typed("/who")[0], {"event": "players/status", "ref": uuid(1), "payload": {}})
        self.assertEqual(self.typed("/who Beta")[0]["payload"], {"game": "Beta"})
        turn = self.answer(1, "players/status", payload={"game": "Beta", "players": ["Bo", "Cy"]})
        self.assertEqual(turn.lines, ("  Beta: Bo, Cy",))
        turn = self.answer(1, "players/status", payload={"game": "Gamma", "players": []})
        self.assertEqual(turn.lines, ("  Gamma: nobody",))
        turn = self.hear({"event": "players/status", "ref": uuid(2), "status": "failure", "error": "unknown game"})
        self.assertEqual(turn.lines, ("* unknown game",))

    def test_games(self) -> None:
        """Games are shown with their names, players and homes."""
        self.assertEqual(self.typed("/games")[0]["event"], "games/status")
        payload = {"game": "Beta", "display_name": "The Beta", "players_online_count": 2}
        self.assertEqual(self.answer(1, "games/status", payload=payload).lines, ("  Beta (The Beta), players: 2",))
        payload["homepage_url"] = "https://b.example"
        turn = self.answer(1, "games/status", payload=payload)
        self.assertEqual(turn.lines, ("  Beta (The Beta), players: 2, https://b.example",))

    def test_channels(self) -> None:
        """The channels are listed, a long list in several frames; another network refuses it."""
        self.assertEqual(self.typed("/channels"), [{"event": "channels/list", "ref": uuid(1), "payload": {}}])
        channels = [{"channel": "gossip", "games": 2, "description": "For all\x1b[2J"}, {"channel": "x", "games": 0}]
        listed = ("  gossip, games: 2, For all[2J", "  x, games: 0")
        answer = {"payload": {"total": 3, "channels": channels}}
        self.assertEqual(self.answer(1, "channels/list", **answer), Turn(lines=listed))
        self.assertEqual(self.answer(1, "channels/list", **answer), Turn(lines=listed))
        for payload in ({}, {"channels": 7}, {"channels": ["x", None]}):
            self.assertEqual(self.answer(1, "channels/list", payload=payload), Turn())
        self.typed("/channels")
        failed = {"event": "channels/list", "ref": uuid(2), "status": "failure", "error": "unknown"}
        self.assertEqual(self.hear(failed), Turn(lines=("* unknown",)))

    def test_join_and_leave(self) -> None:
        """Joining a channel makes it the current one; leaving it brings back another, and then none."""
        self.assertEqual(self.typed("/join testing")[0]["event"], "channels/subscribe")
        self.assertEqual(self.typed("early")[0]["payload"]["channel"], "testing", "the answer is not there yet")
        self.assertEqual(self.answer(1, "channels/subscribe").lines, ("* You talk on testing.",))
        self.assertEqual(self.typed("late")[0]["payload"]["channel"], "testing")
        self.assertEqual(self.typed("/leave")[0]["payload"], {"channel": "testing"})
        self.assertEqual(self.answer(4, "channels/unsubscribe").lines, ("* You left testing; you talk on gossip.",))
        self.typed("/leave gossip")
        self.assertEqual(
            self.answer(5, "channels/unsubscribe").lines, ("* You left gossip; you are on no channel now.",)
        )
        self.assertEqual(self.talk.typed("x").lines, ("* You are on no channel: /join one.",))
        self.assertEqual(self.talk.typed("/leave").lines, ("* You are not on that channel.",))

    def test_join_refused(self) -> None:
        """A channel that cannot be joined changes nothing."""
        self.typed("/join all")
        error = 'Could not subscribe to "all"'
        turn = self.hear({"event": "channels/subscribe", "ref": uuid(1), "status": "failure", "error": error})
        self.assertEqual(turn.lines, (f"* {error}",))
        self.assertEqual(self.typed("x")[0]["payload"]["channel"], "gossip")

    def test_join_unanswered(self) -> None:
        """A channel is not the current one if the connection ended before it was joined."""
        self.typed("/join testing")
        self.talk.closed("")
        self.talk.opened()
        self.assertEqual(self.hear(WELCOME).lines, ("* Connected. You talk on gossip. /help lists the commands.",))

    def test_joined_channels_come_back(self) -> None:
        """A reconnect joins the channels again."""
        self.typed("/join testing")
        self.answer(1, "channels/subscribe")
        self.talk.closed("")
        self.assertEqual(frames(self.talk.opened())[0]["payload"]["channels"], ["gossip", "testing"])

    def test_help(self) -> None:
        """/help lists the commands, and an unknown command leads there."""
        self.assertEqual(self.talk.typed("/help"), Turn(lines=HELP))
        for line in ("/nonsense", "/", "/join", "/QUIT"):
            self.assertIn("/help lists the commands", self.talk.typed(line).lines[0])


class HearingTests(ConversationTestCase):
    """What the network says."""

    def test_events(self) -> None:
        """Each event is shown as a line."""
        told = {
            "channels/broadcast": "[gossip] Bo@Beta: Hello",
            "tells/receive": "Bo@Beta tells you: Hello",
            "players/sign-in": "* Bo entered Beta.",
            "players/sign-out": "* Bo left Beta.",
            "games/connect": "* Beta is online.",
            "games/disconnect": "* Beta is offline.",
        }
        payload = {"channel": "gossip", "game": "Beta", "name": "Bo", "message": "Hello"}
        payload |= {"from_game": "Beta", "from_name": "Bo", "to_name": "Ana"}
        for event, line in told.items():
            self.assertEqual(self.hear({"event": event, "ref": "x", "payload": payload}), Turn(lines=(line,)))

    def test_emote(self) -> None:
        """An emote is about its player."""
        payload = {"channel": "gossip", "game": "Beta", "name": "Bo", "message": "/me waves\n"}
        told = self.hear({"event": "channels/broadcast", "ref": "x", "payload": payload})
        self.assertEqual(told, Turn(lines=("[gossip] * Bo@Beta waves ",)))

    def test_hostile_texts(self) -> None:
        """No text from the network reaches the terminal as a command."""
        hostile = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\n\u202egnp.exe\x00"
        keys = ("channel", "game", "name", "message", "from_game", "from_name", "display_name", "homepage_url")
        payload = {**dict.fromkeys(keys, hostile), "players": [hostile], "players_online_count": hostile}
        events = ("channels/broadcast", "tells/receive", "players/sign-in", "games/connect")
        for event in (*events, "players/status", "games/status", "authenticate"):
            for status in ({}, {"status": "failure", "error": hostile}):
                turn = self.hear({"event": event, "ref": "x", "payload": payload, **status})
                for line in turn.lines:
                    self.assertTrue(line.isprintable(), (event, line))
                self.assertTrue(turn.lines)

    def test_junk(self) -> None:
        """What is not an event is ignored."""
        for junk in (b"", b"\xff", b"[]", b"null", b"{", b"[" * 100_000, b'{"event": 1}', b'{"event": {}, "ref": []}'):
            self.assertEqual(self.talk.received(junk), Turn())

    @given(
        st.sampled_from(
            [
                "authenticate",
                "channels/broadcast",
                "channels/list",
                "players/status",
                "games/status",
                "restart",
                "tells/receive",
                "x",
            ]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda value: (
                st.lists(value)
                | st.dictionaries(
                    st.sampled_from(["game", "players", "downtime", "name", "error", "channels", "channel"]), value
                )
            ),
        ),
        st.sampled_from([uuid(1), uuid(2), "x", None, 1, []]),
    )
    def test_anything(self, event: str, payload: Any, ref: Any) -> None:
        """Nothing raises, whatever the network sends, and all that is shown is printable."""
        self.setUp()
        self.talk.typed("hello")
        self.talk.typed("/who")
        for envelope in ({"payload": payload}, {"payload": payload, "status": "failure", "error": payload}):
            turn = self.hear({"event": event, "ref": ref, **envelope})
            for line in turn.lines:
                self.assertNotRegex(line, "[\x00-\x1f\x7f-\x9f]")


class Connections:
    """Connects to nothing; the test plays the network."""

    def __init__(self) -> None:
        self.made: list[Connections.One] = []

    def connect(
        self,
        opened: Callable[[Send], None],
        received: Callable[[bytes], None],
        closed: Callable[[int | None, str], None],
    ) -> One:
        one = self.One(opened, received, closed)
        self.made.append(one)
        return one

    class One:
        """One connection."""

        def __init__(
            self,
            opened: Callable[[Send], None],
            received: Callable[[bytes], None],
            closed: Callable[[int | None, str], None],
        ) -> None:
            self.opened, self.received, self.closed = opened, received, closed
            self.sent: list[Any] = []
            self.closing = False

        def open(self) -> None:
            self.opened(lambda frame: self.sent.append(json.loads(frame)))

        def close(self) -> None:
            self.closing = True


class TalkTests(SynchronousTestCase):
    """A terminal and a websocket, without either."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.connections = Connections()
        self.terminal = StringTransport()
        self.talk = Talk(self.clock, conversation(), self.connections.connect, lambda: 1.0)
        self.talk.makeConnection(self.terminal)

    def join(self) -> Connections.One:
        one = self.connections.made[-1]
        one.open()
        one.received(json.dumps(WELCOME).encode())
        self.terminal.clear()
        return one

    def test_conversation(self) -> None:
        """What is typed is sent, and what is heard is shown."""
        self.assertEqual(self.terminal.value(), b"* Connecting to the network\n")
        one = self.join()
        self.talk.dataReceived("Grüße\n".encode())
        self.assertEqual(one.sent[-1]["payload"]["message"], "Grüße")
        one.received(b'{"event": "games/connect", "payload": {"game": "B\\u00e9ta"}}')
        self.assertEqual(self.terminal.value(), "* Béta is online.\n".encode())

    def test_reconnect(self) -> None:
        """A connection that ends is made again, after a wait."""
        one = self.join()
        one.closed(1012, "goodbye")
        self.assertEqual(self.terminal.value(), b"* The connection ended: goodbye\n")
        self.clock.advance(0.9)
        self.assertEqual(len(self.connections.made), 1)
        self.clock.advance(0.2)
        self.assertEqual(len(self.connections.made), 2)
        self.connections.made[1].closed(None, "refused")
        self.clock.advance(2)
        self.assertEqual(len(self.connections.made), 3)
        self.join()

    def test_quit(self) -> None:
        """The terminal is left when the connection has ended, so that what was sent goes out."""
        one = self.join()
        self.talk.dataReceived(b"/quit\n")
        self.assertEqual((one.closing, self.terminal.disconnecting), (True, False))
        one.received(b'{"event": "games/connect", "payload": {"game": "Beta"}}')
        one.closed(1000, "")
        self.assertEqual((self.terminal.disconnecting, self.terminal.value()), (True, b""))
        self.assertNoResult(self.talk.done)
        self.talk.connectionLost(Failure(ConnectionDone()))
        self.successResultOf(self.talk.done)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_quit_while_connecting(self) -> None:
        """/quit does not wait for a connection that is being made."""
        self.talk.dataReceived(b"/quit\n")
        self.assertTrue(self.terminal.disconnecting)
        self.talk.connectionLost(Failure(ConnectionDone()))
        self.assertTrue(self.connections.made[0].closing)

    def test_quit_while_waiting(self) -> None:
        """/quit between two attempts leaves no timer behind."""
        self.join().closed(None, "")
        self.talk.dataReceived(b"/quit\n")
        self.talk.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_terminal_is_gone(self) -> None:
        """Without a terminal there is no conversation."""
        self.join()
        self.talk.writeConnectionLost()
        self.assertTrue(self.terminal.disconnecting)

    def test_end_of_input(self) -> None:
        """The end of the input is not the end of the output."""
        one = self.join()
        self.talk.dataReceived(b"hello\n")
        self.talk.readConnectionLost()
        self.assertFalse(one.closing)
        one.received(json.dumps({**one.sent[-1], "status": "success"}).encode())
        self.assertTrue(one.closing)

    def test_long_line(self) -> None:
        """An endless line is refused, and ends nothing."""
        self.join()
        self.talk.dataReceived(b"x" * 20_000 + b"\n")
        self.assertEqual(self.terminal.value(), b"* That line is too long.\n")
        self.assertFalse(self.terminal.disconnecting)
