"""Extensions of the protocol: granted to those that ask, and to nobody else."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.audiences import Extended, Subscribers
from gossip.network.session import Session
from gossip.protocol import frames
from gossip.protocol.events import Authenticate
from gossip.protocol.flags import EXTENSIONS
from gossip.protocol.server_events import Authenticated
from tests.support.world import FLAGS, NOW, World, at, frame, sent, written

JSON = some.recursive(
    some.none() | some.booleans() | some.integers(-9, 9) | some.text(max_size=9) | some.sampled_from(EXTENSIONS),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


class GrantTests(SynchronousTestCase):
    """What authenticate grants."""

    def setUp(self) -> None:
        self.world = World()

    def authenticate(self, name: str, **more: Any) -> tuple[Session, dict[str, Any]]:
        """A game authenticates; returns its session and the frame that answers it."""
        session = self.world.open()
        event = frames.decode(msgspec.json.encode(frame("authenticate", self.world.credentials(name, **more))))
        outputs = self.world.network.receive(session, event, at(NOW))
        return session, written(outputs, session)[0]

    def test_granted(self) -> None:
        """The answer names those that are granted, in the order of the request; unknown ones are left out."""
        session, answer = self.authenticate("Alpha", extensions=["moderation", "mail", "directory", "moderation"])
        welcome = {"unicode": "✔️", "version": "2.3.0", "extensions": ["moderation", "directory"]}
        self.assertEqual(answer, {"event": "authenticate", "status": "success", "payload": welcome})
        self.assertEqual(session.extensions, {"directory", "moderation"})

    def test_none_granted(self) -> None:
        """A game that asks for none that are known learns that, and is told nothing more."""
        session, answer = self.authenticate("Alpha", extensions=["mail"])
        self.assertEqual(answer["payload"]["extensions"], [])
        self.assertFalse(session.extensions)
        self.assertFalse(session.numbered)

    def test_not_asked(self) -> None:
        """No list of strings is as if absent: the answer is that of an old client."""
        _, old = self.authenticate("Alpha")
        self.assertEqual(old["payload"], {"unicode": "✔️", "version": "2.3.0"})
        for extensions in (None, "directory", {"directory": True}, ["directory", 1], [["directory"]], 7):
            session, answer = self.authenticate("Alpha", extensions=extensions)
            self.assertEqual(answer, old)
            self.assertFalse(session.extensions)

    @given(JSON)
    def test_anything(self, value: object) -> None:
        """Whatever is asked for, the authentication succeeds, and only known extensions are granted."""
        event = frames.decode(msgspec.json.encode(frame("authenticate", {"extensions": value})))
        assert isinstance(event, Authenticate)
        strings = isinstance(value, list) and all(isinstance(each, str) for each in value)
        self.assertEqual(event.extensions, tuple(value) if isinstance(value, list) and strings else None)

    def test_numbers(self) -> None:
        """Any extension brings the numbers of messages; history is the flag of that name as well."""
        for extension, flag in (("directory", False), ("moderation", False), ("history", True)):
            session, _ = self.authenticate("Alpha", supports=["channels"], extensions=[extension])
            self.assertTrue(session.numbered)
            self.assertEqual("history" in session.supports, flag)

    def test_not_told_to_others(self) -> None:
        """Other games do not learn of it."""
        _, _ = self.authenticate("Alpha", extensions=list(EXTENSIONS))
        asking = self.world.join("Beta")
        outputs = self.world.say(asking, frame("games/status", {"game": "Alpha"}, "r"))
        (answer,) = sent(outputs, asking)
        self.assertEqual(answer.games[0].supports, tuple(sorted(FLAGS)))

    def test_text_dialect_answer(self) -> None:
        """The event itself says what was granted; C{None} if nothing was asked for."""
        self.assertIsNone(Authenticated(None, "Alpha").extensions)


class ExtendedTests(SynchronousTestCase):
    """The audience of an extension."""

    def setUp(self) -> None:
        self.world = World()
        self.told = self.world.join("Alpha", extensions=["moderation"], channels=["gossip"])
        self.same = self.world.join("Alpha", extensions=["moderation", "directory"])
        self.other = self.world.join("Beta", extensions=["moderation"], channels=["gossip"])
        self.old = self.world.join("Gamma", channels=["gossip"])
        self.hearing = self.world.network.hearing

    def test_extended(self) -> None:
        """All sessions with it, those on a channel, those of a game, both."""
        self.assertEqual(self.hearing(Extended("moderation")), (self.told, self.same, self.other))
        self.assertEqual(self.hearing(Extended("moderation", channel="gossip")), (self.told, self.other))
        alpha = self.world.client_id("Alpha")
        self.assertEqual(self.hearing(Extended("moderation", client_id=alpha)), (self.told, self.same))
        self.assertEqual(self.hearing(Extended("moderation", "gossip", alpha)), (self.told,))
        self.assertEqual(self.hearing(Extended("directory")), (self.same,))

    def test_ended(self) -> None:
        """A session that ended is in none of them."""
        self.world.network.lost(self.told, at(NOW))
        self.assertEqual(self.hearing(Extended("moderation")), (self.same, self.other))

    def test_subscribers(self) -> None:
        """The subscribers that are told numbers can be split by whether they have an extension."""
        flag = self.world.join("Delta", supports=["channels", "history"], channels=["gossip"])
        numbered = Subscribers("gossip", numbered=True)
        self.assertEqual(self.hearing(numbered), (self.told, self.other, flag))
        self.assertEqual(self.hearing(Subscribers("gossip", None, True, extended=True)), (self.told, self.other))
        self.assertEqual(self.hearing(Subscribers("gossip", None, True, extended=False)), (flag,))
        self.assertEqual(self.hearing(Subscribers("gossip")), (self.old,))
