"""L{gossip.service.second_looks}: a node refuses nothing that another node has just allowed."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.session import Situation
from gossip.registry.changes import ChannelSaved, GameSaved, RestrictionLifted, RestrictionSet
from gossip.registry.entities import Channel, Game, Restriction, Secret
from gossip.registry.secret import digest
from tests.support.memory_nodes import MemoryNode, Stream
from tests.support.memory_service import MemoryService
from tests.support.world import frame, uuid

ID, SECRET = uuid(0xAA), uuid(0xBB)


class SecondLooksTests(SynchronousTestCase):
    """Two nodes that hear each other late."""

    def setUp(self) -> None:
        self.stream = Stream()
        self.a, self.b = (MemoryNode(self.stream, name) for name in "ab")

    def late(self, change: Any) -> None:
        """An admin changes something on the one node; the other has not heard of it."""
        self.stream.slow = True
        self.a.change(change)

    def hear(self) -> None:
        self.stream.slow = False
        self.stream.hear()

    def credentials(self, **more: Any) -> dict[str, Any]:
        return {"client_id": ID, "client_secret": SECRET, "supports": ["channels"], **more}

    def game(self) -> Game:
        return Game(client_id=ID, short_name="Newest", name="The Newest", secrets=(Secret(digest(SECRET)),))

    def test_new_game(self) -> None:
        """A game that was registered on another node is let in; what it sent behind its login comes after that."""
        self.late(GameSaved(self.game()))
        session = self.b.connect()
        login = frame("authenticate", self.credentials(channels=["gossip"]))
        said = frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hi"}, "m")
        self.b.write(session, login, said)
        self.assertEqual((self.b.told(session), self.b.connection(session).paused), ([], True))
        self.hear()
        told = self.b.told(session)
        self.assertEqual([each["event"] for each in told], ["authenticate", "heartbeat", "channels/send"])
        self.assertEqual((told[0]["status"], told[2]["status"]), ("success", "success"))
        self.assertFalse(self.b.connection(session).paused)

    def test_new_secret(self) -> None:
        """So is a game that got a new secret there, and one that is no longer disabled or banned."""
        game = self.game()
        ban = Restriction(kind="ban", subject=ID, reason="spam", set_by="admin", set_at=0.0)
        for before, after in (
            (GameSaved(replace(game, secrets=())), GameSaved(game)),
            (GameSaved(replace(game, disabled=True)), GameSaved(game)),
            (RestrictionSet(ban), RestrictionLifted("ban", ID, "")),
        ):
            self.hear()
            self.a.change(before)
            self.late(after)
            session = self.b.connect()
            self.b.write(session, frame("authenticate", self.credentials()))
            self.hear()
            self.assertIs(session.situation, Situation.ACTIVE)
            self.b.lost(session)

    def test_wrong(self) -> None:
        """Credentials that are wrong everywhere are refused after one look more, with the same words as ever."""
        alone = MemoryService()
        refused = []
        for service in (self.b, alone):
            for client_id in (service.world.client_id("Alpha"), ID):
                session = service.connect()
                payload = {**self.credentials(), "client_id": client_id}
                service.write(session, frame("authenticate", payload), frame("heartbeat"))
                refused.append((service.told(session), service.connection(session).closed))
        self.assertEqual(refused[:2], refused[2:])
        self.assertEqual(refused[0][1], (4000, "invalid credentials"))
        self.assertEqual(self.b.asked, 2)
        self.b.join("Alpha")
        self.assertEqual(self.b.asked, 2)

    def test_mute_lifted(self) -> None:
        """A player whose mute was lifted elsewhere may speak; the order of what is said stays."""
        subject = f"ana@{self.a.world.client_id('Alpha')}"
        mute = Restriction(kind="mute", subject=subject, reason="spam", set_by="admin", set_at=0.0)
        session = self.b.join("Alpha", channels=["gossip"])
        self.a.change(RestrictionSet(mute))
        self.late(RestrictionLifted("mute", mute.subject, ""))
        for name in ("Ana", "Bo"):
            self.b.write(session, frame("channels/send", {"channel": "gossip", "name": name, "message": "Hi"}, name))
        self.assertEqual(self.b.told(session), [])
        self.hear()
        answers = [(each["ref"], each["status"]) for each in self.b.told(session)]
        self.assertEqual(answers, [("Ana", "success"), ("Bo", "success")])
        self.a.change(RestrictionSet(mute))
        self.b.write(session, frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hi"}, "m"))
        (answer,) = self.b.told(session)
        self.assertEqual(answer["error"], "muted: spam")

    def test_new_channel(self) -> None:
        """A channel that games may not create is there as soon as an admin created it, wherever."""
        session = self.b.join("Alpha")
        self.late(ChannelSaved(Channel("all")))
        self.b.write(session, frame("channels/subscribe", {"channel": "all"}, "s"))
        self.hear()
        (answer,) = self.b.told(session)
        self.assertEqual(answer["status"], "success")

    def test_lost(self) -> None:
        """Nothing comes of a request whose session ends meanwhile, and one that says goodbye is answered first."""
        self.late(GameSaved(self.game()))
        ended, leaving = self.b.connect(), self.b.connect()
        for session in (ended, leaving):
            self.b.write(session, frame("authenticate", self.credentials()))
        self.b.lost(ended)
        self.b.finished(leaving)
        self.assertIsNone(self.b.connection(leaving).closed)
        self.hear()
        self.assertEqual(self.b.told(ended), [])
        self.assertEqual([each["event"] for each in self.b.told(leaving)], ["authenticate", "heartbeat"])
        self.assertEqual(self.b.connection(leaving).closed, (1000, "goodbye"))
