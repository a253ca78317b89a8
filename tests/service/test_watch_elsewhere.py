"""L{gossip.service.watch_elsewhere}: an owner looks on one node, and the game is connected to another."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from gossip.network.relays import Looked, Seen
from gossip.registry.addresses import read
from gossip.registry.changes import MessageSaid, MessagesRemoved
from gossip.registry.entities import Removal
from gossip.service.watch import ASK_SECONDS, SECONDS, Watched
from gossip.web.views.progress import Progress, progress
from tests.support.memory_nodes import MemoryNode, Stream
from tests.support.world import frame, uuid

OWNER = read("198.51.100.7")


class WatchElsewhereTests(SynchronousTestCase):
    """Two nodes; the owner looks on the first one, and the game joins the other."""

    def setUp(self) -> None:
        self.stream = Stream()
        self.a, self.b = (MemoryNode(self.stream, name) for name in "ab")
        self.client_id = self.a.world.client_id("Alpha")

    def look(self) -> Progress:
        """The owner looks at the page of the game."""
        return progress(self.a, self.a.world.game("Alpha"), OWNER, self.a.now())

    def second(self) -> None:
        for node in (self.a, self.b):
            node.clock.advance(1)

    def relays(self) -> list[str]:
        """What nodes told each other of the watch."""
        told = [type(each).__name__ for each in self.stream.told if isinstance(each, Looked | Seen)]
        self.stream.told.clear()
        return told

    def frames(self, watched: Watched) -> list[tuple[int, str, str]]:
        """What the owner sees: the number of the session, the way and the event."""
        return [(each.number, each.way, json.loads(each.text)["event"]) for each in watched.frames]

    def test_frames(self) -> None:
        """The owner sees what a session on another node sends and gets, and how far the game came."""
        self.assertIn("Waiting for your game", self.look().said)
        session = self.b.join("Alpha", channels=["gossip"])
        self.b.write(session, frame("heartbeat"))
        self.b.write(session, frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hi"}, "m"))
        self.second()
        seen = self.look()
        events = ["authenticate", "authenticate", "heartbeat", "heartbeat", "channels/send", "channels/send"]
        ways = ["in", "out", "out", "in", "in", "out"]
        expected = [(1, way, event) for way, event in zip(ways, events, strict=True)]
        self.assertEqual(self.frames(seen.watched), expected)
        self.assertNotIn(self.b.world.secret("Alpha"), repr(list(seen.watched.frames)))
        done = [step.title for step in seen.steps if step.at is not None]
        self.assertEqual(done, ["Socket open", "Authenticated", "Heartbeat answered", "First message"])
        (shown,) = seen.sessions
        self.assertEqual((shown.number, shown.unanswered), (1, 0))
        self.assertEqual([meter.title for meter in shown.meters], ["All events", "Messages"])

    def test_same_as_alone(self) -> None:
        """What the page shows is what it would show if the game were here, also of two sessions on two nodes."""
        pages = []
        for nodes in ((self.a, self.a), (self.b, self.a), (self.b, self.b)):
            self.look()
            sessions = [node.join("Alpha", channels=["gossip"], players=["Ana"]) for node in nodes]
            self.second()
            seen = self.look()
            pages.append((seen.said, [step.at is None for step in seen.steps], len(seen.sessions)))
            self.assertEqual(len({each.number for each in seen.sessions}), 2)
            for node, session in zip(nodes, sessions, strict=True):
                node.lost(session)
            self.second()
            seen = self.look()
            self.assertEqual(seen.said, "Your game was connected, but is not connected right now.")
            self.assertEqual([each.text for each in seen.watched.frames][-1], "the connection ended")
            self.a.clock.pump([60.0] * 12)
            self.b.clock.pump([60.0] * 12)
        self.assertEqual(pages, [pages[0]] * 3)

    def test_refused(self) -> None:
        """The owner sees why the game was refused on another node, and a socket that is opened there."""
        self.look()
        session = self.b.connect(peer=str(OWNER))
        self.look().watched.asked_at = None
        self.look()
        self.second()
        self.assertIsNotNone(self.look().steps[0].at)
        credentials = {"client_id": self.client_id, "client_secret": uuid(7), "supports": ["channels"]}
        self.b.write(session, frame("authenticate", credentials))
        self.second()
        (refused,) = self.look().refused
        self.assertIn("its client_secret is another one", refused.meaning)
        self.assertEqual((refused.why, str(refused.peer)), ("invalid credentials", str(OWNER)))
        self.assertNotIn(uuid(7), refused.text)

    def test_removed(self) -> None:
        """Frames that quote a message lose it when that is removed, whether or not they were told."""
        self.b.join("Alpha", channels=["gossip"])
        other = self.b.join("Beta", channels=["gossip"])
        messages: list[MessageSaid] = []
        self.a.heard.add(messages.append)
        self.look()
        for text in ("a bad word", "another bad word"):
            self.b.write(other, frame("channels/send", {"channel": "gossip", "name": "Bo", "message": text}))
            if len(messages) == 1:
                self.second()
        shown = [each.text for each in self.look().watched.frames]
        self.assertEqual(sum("bad word" in text for text in shown), 1)
        self.a.change(MessagesRemoved(tuple(messages), Removal(0.0, "admin", "slur")))
        self.second()
        frames = list(self.look().watched.frames)
        self.assertEqual([each.note for each in frames if not each.text], ["a message in it was removed"] * 2)
        self.assertNotIn("bad word", repr(frames))

    def test_cheap(self) -> None:
        """Nobody is told anything while nobody looks; a look asks once a minute, and an answer comes once a second."""
        session = self.b.join("Alpha", channels=["gossip"])
        for _ in range(3):
            self.b.write(session, frame("heartbeat"))
            self.second()
        self.assertEqual(self.relays(), [])
        self.look()
        self.assertEqual(self.relays(), ["Looked"])
        self.second()
        self.assertEqual(self.relays(), ["Seen"])  # how far it came
        for _ in range(20):
            self.b.write(session, frame("heartbeat"))
            self.look()
        self.second()
        self.assertEqual(self.relays(), ["Seen"])
        self.second()
        self.assertEqual(self.relays(), [])
        for node in (self.a, self.b):
            node.clock.pump([1.0] * int(ASK_SECONDS))
        self.look()
        self.assertIn("Looked", self.relays())
        for node in (self.a, self.b):
            node.clock.pump([1.0] * (int(SECONDS) + 1))
        self.assertEqual((self.a.watch.watched, self.b.watch.watched), ({}, {}))
        self.relays()
        self.b.write(session, frame("heartbeat"))
        self.second()
        self.assertEqual(self.relays(), [])
