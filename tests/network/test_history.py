"""History for games: L{gossip.network.history}."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.audiences import Subscribers
from gossip.network.history import SIZE
from gossip.network.outputs import Broadcast, Commit, Fetch, Send
from gossip.network.session import Session
from gossip.protocol import frames
from gossip.protocol.errors import MALFORMED, NOT_KEPT, Error
from gossip.protocol.server_events import (
    Beat,
    ChannelsBroadcast,
    ChannelsBroadcastNumbered,
    ChannelsHistoryAnswer,
    Failure,
    MessageOf,
)
from gossip.registry.changes import MessageSaid
from tests.support.world import FLAGS, NOW, World, at, frame, ref, written

R = Raw(b'"r"')
ALL = [*FLAGS, "history"]


def said(seq: int, message: str = "Hi") -> MessageSaid:
    """A message."""
    return MessageSaid("gossip", seq, None, "Beta", "Bo", message, NOW)


def message(seq: int, text: str = "Hi") -> MessageOf:
    """The same, as it stands in the history."""
    return MessageOf(f"gossip:{seq}", seq, "2023-11-14T22:00:00.000Z", "Beta", "Bo", text)


class EmoteTests(SynchronousTestCase):
    """Emotes: only sessions with an extension are told that a message is one."""

    def setUp(self) -> None:
        self.world = World()
        self.alpha = self.world.join("Alpha", channels=["gossip"])
        self.plain = self.world.join("Beta", channels=["gossip"])
        self.history = self.world.join("Gamma", supports=ALL, channels=["gossip"])
        self.extended = self.world.join("Delta", supports=ALL, channels=["gossip"], extensions=["moderation"])

    def heard(self, text: str) -> list[Any]:
        """What each game is told of a message."""
        payload = {"channel": "gossip", "name": "Ana", "message": text}
        outputs = self.world.say(self.alpha, frame("channels/send", payload))
        told = [written(outputs, session) for session in (self.plain, self.history, self.extended)]
        return [[{**each["payload"]} for each in some] for some in told]

    def test_emote(self) -> None:
        """An emote is marked for sessions with an extension, once, and begins as it was sent."""
        [[plain], [history], [extended]] = self.heard("/me waves")
        self.assertEqual(plain, {"channel": "gossip", "game": "Alpha", "name": "Ana", "message": "/me waves"})
        self.assertEqual(set(history), {*plain, "id", "seq", "sent_at"})
        self.assertEqual(extended, {**history, "emote": True})

    def test_no_emote(self) -> None:
        """Any other message is the same for both."""
        [_, [history], [extended]] = self.heard("/me")
        self.assertEqual(extended, history)

    def test_history(self) -> None:
        """In the history an emote is marked for the same sessions."""
        for session, keys in ((self.history, ()), (self.extended, ("emote",))):
            [fetch] = self.world.say(session, frame("channels/history", {"channel": "gossip"}, "r"))
            assert isinstance(fetch, Fetch)
            outputs = self.world.network.fetched(fetch, [said(1), said(2, "/me waves")])
            [answer] = written(outputs, session)
            first, second = answer["payload"]["messages"]
            self.assertEqual(set(second) - set(first), set(keys))
            self.assertTrue(second.get("emote", True))


class HistoryTests(SynchronousTestCase):
    """channels/history, resume, and what sessions with the flag receive."""

    def setUp(self) -> None:
        self.world = World()
        self.session = self.world.join("Alpha", supports=ALL, channels=["gossip"])

    def ask(self, session: Session | None = None, **payload: Any) -> Any:
        """Ask for history; what the network wants done."""
        sent = frame("channels/history", {"channel": "gossip", **payload}, "r")
        return self.world.say(session or self.session, sent)

    def found(self, fetch: Fetch, messages: Sequence[MessageSaid] | None) -> Any:
        return self.world.network.fetched(fetch, messages)

    def give(self, highest: int) -> None:
        """Messages up to this number have been said on the channel."""
        numbers = self.world.registry.numbers
        while numbers.highest_message("gossip") < highest:
            numbers.next_message("gossip")

    def error(self, **payload: Any) -> Any:
        [output] = self.ask(**payload)
        return output.event.error.text

    def test_ask(self) -> None:
        """What is asked for is fetched: the latest fifty, unless said otherwise."""
        self.assertEqual(self.ask(), [Fetch(self.session, "gossip", 50, None, None, R)])
        asked = self.ask(limit=100, before=7, after=0)
        self.assertEqual(asked, [Fetch(self.session, "gossip", 100, 7, 0, R)])

    def test_refused(self) -> None:
        """Wrong limits and numbers, other channels, no ref, and too many requests are refused."""
        for limit in (0, 101, -1):
            self.assertEqual(self.error(limit=limit), "limit must be 1 to 100")
        for wrong in ({"before": -1}, {"after": 2**63}, {"before": "1"}, {"limit": 1.5}, {"channel": None}):
            self.assertEqual(self.error(**wrong), MALFORMED.text)
        self.assertEqual(self.error(channel="testing"), "not subscribed")
        self.assertEqual(self.world.say(self.session, frame("channels/history", {"channel": "gossip"})), [])
        for _ in range(5):
            self.ask()
        self.assertEqual(self.error(), "rate limit exceeded")

    def test_needs_the_flag(self) -> None:
        """A session that does not support history cannot ask for it."""
        session = self.world.join("Beta", channels=["gossip"])
        [output] = self.ask(session)
        self.assertEqual(output.event.error.text, 'missing support for "history"')

    def test_answer(self) -> None:
        """The oldest comes first; one message too many says that there is more, on the side where one reads on."""
        latest, forward = Fetch(self.session, "gossip", 2, None, None, R), Fetch(self.session, "gossip", 2, None, 0, R)
        three = [said(1), said(2), said(3)]
        for fetch, messages, expected, more in (
            (latest, three, (2, 3), True),
            (forward, three, (1, 2), True),
            (latest, three[1:], (2, 3), False),
            (forward, [], (), False),
        ):
            answer = ChannelsHistoryAnswer(R, "gossip", tuple(map(message, expected)), more)
            self.assertEqual(self.found(fetch, messages), [Send(self.session, answer)])

    def test_bounded(self) -> None:
        """An answer ends where it grows too large, but has a message at least."""
        text = "x" * 12000
        fetch = Fetch(self.session, "gossip", 100, None, 0, R)
        [output] = self.found(fetch, [said(seq, text) for seq in range(100)])
        self.assertTrue(output.event.more)
        self.assertEqual(len(output.event.messages), SIZE // 12002)
        [output] = self.found(fetch, [said(1, "x" * SIZE)])
        self.assertEqual((len(output.event.messages), output.event.more), (1, False))

    def test_failed(self) -> None:
        """A failed read is answered with a failure; a session that has ended gets nothing."""
        fetch = Fetch(self.session, "gossip", 1, None, None, R)
        self.assertEqual(self.found(fetch, None), [Send(self.session, Failure("channels/history", R, NOT_KEPT))])
        self.world.network.lost(self.session, at(NOW))
        self.assertEqual(self.found(fetch, [said(1)]), [])

    def test_frames(self) -> None:
        """A long answer takes several frames of up to 16 KiB, each with the ref, the total and C{more}."""
        messages = tuple(message(seq, '"' * 3000) for seq in range(7))
        texts = frames.encode(ChannelsHistoryAnswer(R, "gossip", messages, True))
        self.assertTrue(all(len(text) <= frames.FRAME_OUT for text in texts))
        self.assertGreater(len(texts), 2)
        seqs = []
        for text in texts:
            read = msgspec.json.decode(text)
            payload = read.pop("payload")
            self.assertEqual(read, {"event": "channels/history", "ref": "r", "status": "success"})
            seqs += [each["seq"] for each in payload.pop("messages")]
            self.assertEqual(payload, {"channel": "gossip", "total": 7, "more": True})
        self.assertEqual(seqs, list(range(7)))
        [text] = frames.encode(ChannelsHistoryAnswer(None, "gossip", (), False))
        payload = {"channel": "gossip", "total": 0, "more": False, "messages": []}
        self.assertEqual(
            msgspec.json.decode(text), {"event": "channels/history", "status": "success", "payload": payload}
        )

    def test_broadcasts(self) -> None:
        """A session with the flag receives broadcasts with id, seq and sent_at; others receive them without."""
        plain = self.world.join("Gamma", channels=["gossip"])
        sender = self.world.join("Beta", channels=["gossip"])
        self.world.made = 0
        outputs = self.world.say(
            sender, frame("channels/send", {"channel": "gossip", "name": "Bo", "message": "Hi"}), NOW
        )
        numbered = ChannelsBroadcastNumbered(
            ref(2), "gossip", "Beta", "Bo", "Hi", "gossip:1", 1, "2023-11-14T22:00:00.000Z"
        )
        beta = self.world.client_id("Beta")
        self.assertEqual(
            outputs[:2],
            [
                Broadcast(Subscribers("gossip", beta), ChannelsBroadcast(ref(1), "gossip", "Beta", "Bo", "Hi")),
                Broadcast(Subscribers("gossip", beta, numbered=True), numbered),
            ],
        )
        common = {"channel": "gossip", "game": "Beta", "name": "Bo", "message": "Hi"}
        self.assertEqual(written(outputs, plain)[0]["payload"], common)
        more = {"id": "gossip:1", "seq": 1, "sent_at": "2023-11-14T22:00:00.000Z"}
        self.assertEqual(written(outputs, self.session)[0]["payload"], {**common, **more})
        commit = outputs[2]
        assert isinstance(commit, Commit) and isinstance(commit.change, MessageSaid)
        self.assertEqual((commit.change.seq, commit.change.said_at), (1, NOW))

    def test_audiences(self) -> None:
        """Both audiences stay the same tuples until somebody joins or leaves; the last one takes the channel along."""
        plain, sender = self.world.join("Gamma", channels=["gossip"]), self.world.join("Beta", channels=["gossip"])
        sent = frame("channels/send", {"channel": "gossip", "name": "Bo", "message": "Hi"})

        def heard() -> list[tuple[Session, ...]]:
            return [
                self.world.network.hearing(each.audience)
                for each in self.world.say(sender, sent)
                if isinstance(each, Broadcast)
            ]

        first, second = heard(), heard()
        self.assertEqual(first, [(plain,), (self.session,)])
        self.assertTrue(all(one is other for one, other in zip(first, second, strict=True)))
        self.world.network.lost(self.session, at(NOW))
        self.assertEqual(heard(), [(plain,)])
        for session in (plain, sender):
            self.world.network.lost(session, at(NOW))
        self.assertEqual(self.world.network.channels.subscribed(), {})

    def test_games_are_not_told(self) -> None:
        """The flag is not announced to other games."""
        asking = self.world.join("Beta")
        [answer] = self.world.ask(asking, frame("games/status", {"game": "Alpha"}, "r"))
        self.assertEqual(answer["payload"]["supports"], sorted(FLAGS))

    def test_resume(self) -> None:
        """What a session missed is fetched after the answers to its authenticate, on channels that it may hear."""
        self.give(5)
        session = self.world.open()
        wanted = {"gossip": 5, "testing": 0, "other": 3, "all": 1, "news": -1}
        more = {"supports": ALL, "channels": ["gossip", "all", "testing", "news"], "resume": wanted}
        outputs = self.world.say(session, frame("authenticate", self.world.credentials("Beta", **more)))
        fetches = [Fetch(session, "gossip", 100, None, 5, None, 2), Fetch(session, "testing", 100, None, 0, None, 2)]
        last = outputs.index(Send(session, Beat(0)))
        self.assertEqual([output for output in outputs if isinstance(output, Fetch)], fetches)
        self.assertEqual(outputs[last + 1 : last + 3], fetches)
        answer = ChannelsHistoryAnswer(None, "gossip", (message(6),), False)
        self.assertEqual(self.found(fetches[0], [said(6)]), [Send(session, answer)])

    def test_unknown_number(self) -> None:
        """A number that was never given leads nowhere: a game learns that, and can ask for the latest messages."""
        self.give(7)
        self.assertEqual(self.error(after=8), 'unknown number 8 on "gossip"')
        self.assertEqual(self.ask(after=7), [Fetch(self.session, "gossip", 50, None, 7, R)])
        self.assertEqual(self.ask(before=2**62), [Fetch(self.session, "gossip", 50, 2**62, None, R)])

    def test_resume_from_unknown_number(self) -> None:
        """A game that resumes from such a number is told so without a ref; its other channels resume."""
        self.give(7)
        session = self.world.open()
        wanted = {"gossip": 8, "testing": 0}
        more = {"supports": ALL, "channels": ["gossip", "testing"], "resume": wanted}
        outputs = self.world.say(session, frame("authenticate", self.world.credentials("Beta", **more)))
        failure = Failure("channels/history", None, Error.of("unknown-number", number="8", channel="gossip"))
        last = outputs.index(Send(session, Beat(0)))
        self.assertEqual(
            outputs[last + 1 : last + 3],
            [Send(session, failure), Fetch(session, "testing", 100, None, 0, None, 2)],
        )
        self.assertEqual(
            msgspec.json.decode(frames.encode(failure)[0]),
            {"event": "channels/history", "status": "failure", "error": 'unknown number 8 on "gossip"'},
        )

    def test_resume_is_ignored(self) -> None:
        """Without the flag, or of a wrong type, it counts as absent; it never costs the authentication."""
        self.world.join("Beta", channels=["gossip"], resume={"gossip": 1})
        for wrong in ({"gossip": "1"}, ["gossip"], 5, None, {"gossip": 2**63}, {"gossip": 10**30}):
            self.world.join("Beta", supports=ALL, channels=["gossip"], resume=wrong)
        self.assertEqual(self.world.fetches, [])

    def test_resume_is_bounded(self) -> None:
        """No more than twenty channels are resumed, and their answers are together no longer than a single one."""
        channels = ["abc" + chr(97 + number) for number in range(25)]
        self.world.join("Beta", supports=ALL, channels=channels, resume=dict.fromkeys(channels, 0))
        self.assertEqual([fetch.channel for fetch in self.world.fetches], channels[:20])
        sizes = []
        for fetch in self.world.fetches:
            [output] = self.found(fetch, [said(seq, "x" * 1000) for seq in range(101)])
            self.assertTrue(output.event.more)
            sizes.append(sum(len(each.message) for each in output.event.messages))
        self.assertLess(SIZE // 2, sum(sizes))
        self.assertLess(sum(sizes), SIZE)
