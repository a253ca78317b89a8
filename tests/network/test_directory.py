"""The directory of channels: their list, and what is told when they change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.outputs import ListChannels, Outputs
from gossip.network.session import Session
from gossip.protocol import frames
from gossip.protocol.server_events import ChannelOf, ChannelsListAnswer, ChannelsTold
from gossip.protocol.text import clean
from gossip.registry.changes import Audited, ChannelOpened, ChannelSaved, ChannelsRemoved, RestrictionSet, Together
from gossip.registry.entities import AuditEntry, Channel, Restriction
from tests.support.properties import examples
from tests.support.world import NOW, World, at, frame, uuid, written

GOSSIP = Channel("gossip", hidden=False, description="For everybody", kept=True)
STAFF = Channel("staff", kept=True)


class DirectoryTestCase(SynchronousTestCase):
    """A network with a public channel and a hidden one."""

    def setUp(self) -> None:
        self.world = World()
        for channel in (GOSSIP, STAFF):
            self.world.registry.enact(ChannelSaved(channel))

    def list(self, session: Session, now: float = NOW) -> list[dict[str, Any]]:
        """The channels that a session lists."""
        answers = self.world.ask(session, frame("channels/list", None, "c1"), now)
        found = [channel for answer in answers for channel in answer["payload"]["channels"]]
        for answer in answers:
            self.assertEqual((answer["event"], answer["ref"], answer["status"]), ("channels/list", "c1", "success"))
            self.assertEqual(answer["payload"]["total"], len(found))
        return found


class ListTests(DirectoryTestCase):
    """channels/list."""

    def test_list(self) -> None:
        """A session lists the public channels and the hidden ones that it hears, by name."""
        for name in ("Zoo", "arena"):
            self.world.registry.enact(ChannelSaved(Channel(name, hidden=False)))
        inside, outside = self.world.join("Alpha", channels=["staff"]), self.world.join("Beta")
        self.assertEqual([each["channel"] for each in self.list(inside)], ["arena", "gossip", "staff", "Zoo"])
        self.assertEqual([each["channel"] for each in self.list(outside)], ["arena", "gossip", "Zoo"])

    def test_testing(self) -> None:
        """The channel to try things on is listed for everybody, though the pages do not show it."""
        self.world.registry.enact(ChannelSaved(Channel("testing")))
        for session in (self.world.join("Alpha"), self.world.join("Beta", channels=["testing"])):
            self.assertEqual([each["channel"] for each in self.list(session)], ["gossip", "testing"])

    def test_keys(self) -> None:
        """What is told of a channel, at first and after a message."""
        session = self.world.join("Alpha", channels=["gossip"])
        for name in ("Beta", "Beta", "Gamma"):
            self.world.join(name, channels=["gossip"])
        told = {
            "channel": "gossip",
            "description": "For everybody",
            "subscribed": True,
            "games": 3,
            "may_speak": True,
            "paused_until": None,
            "last_sent_at": None,
        }
        self.assertEqual(self.list(session), [told])
        self.assertEqual(list(self.list(session)[0]), list(told))
        say = frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "hi"})
        self.world.say(session, say, NOW + 7.9)
        told["last_sent_at"] = "2023-11-14T22:00:07Z"
        self.assertEqual(self.list(session, NOW + 8), [told])
        self.assertEqual(self.list(self.world.join("Delta"), NOW + 8), [{**told, "subscribed": False}])

    def test_games(self) -> None:
        """Games that come and go are counted."""
        session = self.world.join("Alpha")
        self.assertEqual(self.list(session)[0]["games"], 0)
        other = self.world.join("Beta", channels=["gossip"])
        self.assertEqual(self.list(session)[0]["games"], 1)
        self.world.say(other, frame("channels/unsubscribe", {"channel": "gossip"}))
        self.assertEqual(self.list(session)[0]["games"], 0)

    def test_may_speak(self) -> None:
        """A game may speak if it is among the speakers, and neither muted nor banned itself; a pause ends by itself."""
        paused = replace(GOSSIP, speakers=frozenset([self.world.client_id("Alpha")]), paused_until=NOW + 59.5)
        self.world.registry.enact(ChannelSaved(paused))
        alpha, beta = self.world.join("Alpha"), self.world.join("Beta")
        self.assertEqual([self.list(each)[0]["may_speak"] for each in (alpha, beta)], [True, False])
        self.assertEqual(self.list(alpha)[0]["paused_until"], "2023-11-14T22:01:00Z")
        self.assertIsNone(self.list(alpha, NOW + 60)[0]["paused_until"])
        for subject, channel, may in ((f"x@{alpha.client_id}", "", True), (alpha.client_id, "staff", True)):
            self.mute(subject, channel)
            self.assertEqual(self.list(alpha, NOW + 100)[0]["may_speak"], may)
        self.mute(alpha.client_id, "gossip")
        self.assertFalse(self.list(alpha, NOW + 200)[0]["may_speak"])
        self.assertTrue(self.list(alpha, NOW + 1000)[0]["may_speak"])

    def mute(self, subject: str, channel: str) -> None:
        mute = Restriction(
            kind="mute", subject=subject, channel=channel, until=NOW + 1000, reason="x", set_by="ana", set_at=NOW
        )
        self.world.registry.enact(RestrictionSet(mute))

    def test_none(self) -> None:
        """No channels are one frame with a total of 0."""
        self.world.registry.enact(ChannelsRemoved(("gossip", "staff")))
        answers = self.world.ask(self.world.join("Alpha"), frame("channels/list", None, 1))
        self.assertEqual([answer["payload"] for answer in answers], [{"total": 0, "channels": []}])

    def test_refused(self) -> None:
        """It needs a ref, and at most five can be asked for at once, by all sessions of a game together."""
        first, second = self.world.join("Alpha"), self.world.join("Alpha")
        self.assertEqual(self.world.ask(first, frame("channels/list")), [])
        for session in (first, first, first, second, second):
            self.list(session)
        answers = self.world.ask(second, frame("channels/list", None, 1))
        self.assertEqual([answer["error"] for answer in answers], ["rate limit exceeded"])
        self.list(second, NOW + 1)

    def parts(self, session: Session, now: float = NOW) -> list[ChannelsListAnswer]:
        """The parts of the answer to one session."""
        (asked,) = self.world.say(session, frame("channels/list", None, "c1"), now)
        assert isinstance(asked, ListChannels)
        events = [self.world.network.listed(asked, number, at(now)).event for number in range(len(asked.parts))]
        return [event for event in events if isinstance(event, ChannelsListAnswer)]

    def test_told_once(self) -> None:
        """Games that are told the same are told the same object, until something changes: it is written once."""
        alpha, beta = self.world.join("Alpha"), self.world.join("Beta")
        gamma = self.world.join("Gamma", channels=["gossip"])

        def told(session: Session, second: int) -> ChannelsTold:
            [part] = self.parts(session, NOW + second)
            return part.told

        first = told(alpha, 0)
        self.assertIs(told(beta, 0), first)
        self.assertIsNot(told(gamma, 0), first)
        changes: list[Callable[[], object]] = [
            lambda: self.world.say(gamma, frame("channels/unsubscribe", {"channel": "gossip"}), NOW + 10),
            lambda: self.world.network.channels.announce("gossip", "hi", at(NOW + 20)),
            lambda: self.world.network.learned(ChannelSaved(replace(GOSSIP, paused_until=NOW + 35)), at(NOW + 30)),
            lambda: None,  # the pause ends
        ]
        for second, change in enumerate(changes, 1):
            change()
            again = told(alpha, 10 * second)
            self.assertNotEqual(again, first)
            self.assertIs(told(beta, 10 * second), again)
            first = again
        self.mute(alpha.client_id, "gossip")
        self.assertIsNot(told(alpha, 50), first)
        self.assertIs(told(beta, 50), first)

    def test_removed_meanwhile(self) -> None:
        """A channel that is removed while a long answer is written still counts: a client waits for the total."""
        session = self.world.join("Alpha", channels=["gossip"])
        (asked,) = self.world.say(session, frame("channels/list", None, 1))
        assert isinstance(asked, ListChannels)
        self.world.network.learned(ChannelsRemoved(("gossip",)), at(NOW))
        event = self.world.network.listed(asked, 0, at(NOW)).event
        assert isinstance(event, ChannelsListAnswer)
        self.assertEqual([(each.channel, each.games) for each in event.told.channels], [("gossip", 0)])

    def test_many(self) -> None:
        """500 channels come in frames of at most 16 KiB, in order, with hidden ones in their places."""
        for number in range(499):
            text = "é" * 2000 if number % 50 == 0 else "About this"
            self.world.registry.enact(ChannelSaved(Channel(f"c{number:03}", hidden=False, description=text)))
        hidden = ["a-hidden", "c010-hidden", "c049-hidden", "z-hidden"]
        for name in hidden:
            self.world.registry.enact(ChannelSaved(Channel(name)))
        session = self.world.join("Alpha", channels=hidden)
        for asking, more in ((session, hidden), (self.world.join("Beta"), [])):
            parts = self.parts(asking)
            self.assertEqual([part.more for part in parts], [*[True] * 4, False])
            texts = [text for part in parts for text in frames.encode(part)]
            self.assertLessEqual(max(map(len, texts)), 16 * 1024)
            payloads = [msgspec.json.decode(text)["payload"] for text in texts]
            names = [channel["channel"] for payload in payloads for channel in payload["channels"]]
            self.assertEqual(names, sorted([*(f"c{number:03}" for number in range(499)), "gossip", *more]))
            self.assertEqual({payload["total"] for payload in payloads}, {len(names)})
        self.world.registry.enact(ChannelsRemoved((*(f"c{number:03}" for number in range(499)), "gossip")))
        self.assertEqual([each["channel"] for each in self.list(session)], hidden)

    @examples(50)
    @given(
        some.lists(some.text(max_size=2000).map(clean) | some.none(), max_size=12),
        some.sampled_from((0, 2048, 16 * 1024)),
    )
    def test_anything(self, descriptions: list[str | None], frame_out: int) -> None:
        """Whatever is written about channels, every frame fits, and all channels are there; a long text may be cut."""
        channels = tuple(
            ChannelOf(
                channel="Ж" * 32 + str(number),
                description=text,
                subscribed=True,
                games=number,
                may_speak=False,
                paused_until=None,
                last_sent_at=None,
            )
            for number, text in enumerate(descriptions)
        )
        texts = frames.encode(ChannelsListAnswer(None, len(channels), ChannelsTold(channels)), frame_out)
        found = [each for text in texts for each in msgspec.json.decode(text)["payload"]["channels"]]
        self.assertEqual([each["channel"] for each in found], [each.channel for each in channels])
        for each, known in zip(found, channels, strict=True):
            self.assertTrue((known.description or "").startswith(each["description"] or ""))
        if frame_out:
            self.assertLessEqual(max(map(len, texts)), frame_out)


class ChangeTests(DirectoryTestCase):
    """channels/changed."""

    def setUp(self) -> None:
        super().setUp()
        self.inside = self.world.join("Alpha", channels=["gossip", "staff"], extensions=["directory"])
        self.outside = self.world.join("Beta", extensions=["directory", "moderation"])
        self.old = self.world.join("Gamma", channels=["gossip", "staff"], supports=["channels", "history"])
        self.other = self.world.join("Delta", channels=["gossip"], extensions=["moderation"])

    def learn(self, *changes: Any, now: float = NOW) -> Outputs:
        """The network learns of changes, and those that did not ask for it hear nothing."""
        entry = AuditEntry(uuid(1), NOW, "ana", "x", "x", "{}")
        outputs = self.world.network.learned(Audited(entry, Together(changes)), at(now))
        for session in (self.old, self.other):
            self.assertEqual(written(outputs, session), [])
        return outputs

    def told(self, outputs: Outputs, session: Session) -> list[tuple[str, str]]:
        """The changes that a session is told, each with the channel."""
        told = written(outputs, session)
        self.assertEqual({each["event"] for each in told} | {"channels/changed"}, {"channels/changed"})
        return [(each["payload"]["channel"], each["payload"]["change"]) for each in told]

    def test_testing(self) -> None:
        """All are told of the channel to try things on, though it is hidden: by whoever it is created."""
        outputs = self.world.say(self.old, frame("channels/subscribe", {"channel": "testing"}))
        for session in (self.inside, self.outside):
            self.assertEqual(self.told(outputs, session), [("testing", "created")])
        outputs = self.learn(ChannelSaved(Channel("testing", description="Try")), ChannelsRemoved(("testing",)))
        for session in (self.inside, self.outside):
            self.assertEqual(self.told(outputs, session), [("testing", "described"), ("testing", "removed")])

    def test_public(self) -> None:
        """A change of a public channel is told to all with the extension, once, with the keys of the list."""
        outputs = self.learn(ChannelSaved(replace(GOSSIP, description="Talk")))
        for session in (self.inside, self.outside):
            ((told,), (listed, *_)) = written(outputs, session), self.list(session)
            self.assertEqual(told["payload"], {**listed, "change": "described"})
            self.assertEqual(listed["description"], "Talk")
        self.assertNotEqual(*(written(outputs, session)[0]["ref"] for session in (self.inside, self.outside)))

    def test_kinds(self) -> None:
        """Each kind of change has its word; what games are not told of is no change."""
        channel = GOSSIP
        speakers = frozenset([self.world.client_id("Alpha")])
        for more, words in (
            ({"paused_until": NOW + 60}, ["paused"]),
            ({"paused_until": NOW + 90}, ["paused"]),
            ({"paused_until": None, "speakers": speakers}, ["resumed", "speakers"]),
            ({"paused_until": NOW - 1, "kept": False}, []),
            ({"paused_until": None, "described_by": "Boss", "described_at": NOW}, []),
            ({"description": None}, ["described"]),
        ):
            changed: dict[str, Any] = more
            channel = replace(channel, **changed)
            outputs = self.learn(ChannelSaved(channel))
            self.assertEqual(self.told(outputs, self.outside), [("gossip", word) for word in words])
        self.assertFalse(self.list(self.outside)[0]["may_speak"])

    def test_created(self) -> None:
        """A public channel is told to all; a hidden one that an admin creates, to nobody."""
        outputs = self.learn(ChannelSaved(Channel("news", hidden=False)))
        self.assertEqual(self.told(outputs, self.outside), [("news", "created")])
        self.assertEqual(self.learn(ChannelSaved(Channel("secret")), ChannelOpened("opened")), [])
        self.assertEqual(self.learn(ChannelOpened("news")), [])

    def test_created_by_a_game(self) -> None:
        """A game that creates a channel is told so; one that finds it is not."""
        subscribe = frame("channels/subscribe", {"channel": "testing"}, "s1")
        answers = self.world.ask(self.outside, subscribe)
        self.assertEqual([answer["event"] for answer in answers], ["channels/changed", "channels/subscribe"])
        self.assertEqual(answers[0]["payload"]["change"], "created")
        self.assertTrue(answers[0]["payload"]["subscribed"])
        for session in (self.outside, self.inside):
            self.assertEqual([each["event"] for each in self.world.ask(session, subscribe)], ["channels/subscribe"])
        for session in (self.old, self.other):
            created = frame("channels/subscribe", {"channel": f"for-{session.client_id[-1] * 3}"[:15]}, "s1")
            self.assertEqual([each["event"] for each in self.world.ask(session, created)], ["channels/subscribe"])

    def test_hidden_channel(self) -> None:
        """Changes of a hidden channel are told to those that hear it, its removal too."""
        outputs = self.learn(ChannelSaved(replace(STAFF, description="Plans")))
        self.assertEqual(self.told(outputs, self.inside), [("staff", "described")])
        self.assertEqual(self.told(outputs, self.outside), [])
        outputs = self.learn(ChannelsRemoved(("staff", "unknown")))
        self.assertEqual(self.told(outputs, self.inside), [("staff", "removed")])
        self.assertFalse(written(outputs, self.inside)[0]["payload"]["subscribed"])
        self.assertEqual(self.told(outputs, self.outside), [])

    def test_removed(self) -> None:
        """The removal of a public channel is told to all."""
        outputs = self.learn(ChannelsRemoved(("gossip",)))
        for session in (self.inside, self.outside):
            self.assertEqual(self.told(outputs, session), [("gossip", "removed")])
            self.assertNotIn("gossip", [each["channel"] for each in self.list(session)])
        self.assertEqual(self.world.network.audiences.known_games(["gossip"]), (None,))

    def test_published(self) -> None:
        """All are told of a channel that is published."""
        outputs = self.learn(ChannelSaved(replace(STAFF, hidden=False)))
        for session in (self.inside, self.outside):
            self.assertEqual(self.told(outputs, session), [("staff", "published")])

    def test_hidden(self) -> None:
        """All are told that a channel is hidden; only those that hear it, what else changed with that."""
        outputs = self.learn(ChannelSaved(replace(GOSSIP, hidden=True, description="Plans")))
        self.assertEqual(self.told(outputs, self.inside), [("gossip", "hidden"), ("gossip", "described")])
        self.assertEqual(self.told(outputs, self.outside), [("gossip", "hidden")])
        self.assertEqual(written(outputs, self.outside)[0]["payload"]["description"], "For everybody")
        self.assertEqual(self.told(self.learn(ChannelsRemoved(("gossip",))), self.outside), [])

    def test_together(self) -> None:
        """Of changes that come together each is told, by what the one before left."""
        outputs = self.learn(
            ChannelSaved(replace(GOSSIP, description="One")),
            ChannelSaved(replace(GOSSIP, description="One")),
            ChannelsRemoved(("gossip",)),
            ChannelSaved(Channel("gossip", hidden=False)),
        )
        words = ["described", "removed", "created"]
        self.assertEqual(self.told(outputs, self.outside), [("gossip", word) for word in words])
