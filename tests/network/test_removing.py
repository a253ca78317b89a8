"""L{gossip.network.removing}: games take messages back, and are told of removals."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.audiences import Extended
from gossip.network.outputs import Broadcast, Commit, Fetch, Find, Forget, Send
from gossip.network.session import Session
from gossip.network.settings import NetworkLimits
from gossip.protocol import frames
from gossip.protocol.errors import NOT_KEPT, Error
from gossip.protocol.events import ChannelsRemove
from gossip.protocol.server_events import ChannelsRemoved, Failure, RemovedOf, Success
from gossip.registry.changes import ChannelSaved, FilterSaved, MessageSaid, MessagesRemoved, RestrictionSet
from gossip.registry.entities import Channel, Filter, Removal, Restriction
from gossip.registry.removals import LATEST, Removals, emptied
from gossip.registry.sought import Numbered
from tests.support.properties import examples
from tests.support.world import NOW, World, at, frame, ref, uuid

R = Raw(b'"r"')


class RemovingTests(SynchronousTestCase):
    """channels/remove and channels/removed."""

    def setUp(self) -> None:
        self.world = World()
        self.world.registry.enact(ChannelSaved(Channel("gossip", hidden=False)))
        self.session = self.world.join("Alpha", channels=["gossip"], extensions=["moderation"])
        self.said = MessageSaid("gossip", 7, self.session.client_id, "Alpha", "Ana", "Oops", NOW - 60)

    def remove(self, session: Session | None = None, now: float = NOW, **payload: Any) -> Any:
        """A game wants to remove something; what the network wants done."""
        payload = {"id": "gossip:7", "reason": "typo", **payload}
        return self.world.say(session or self.session, frame("channels/remove", payload, "r"), now)

    def found(self, find: Find, *said: MessageSaid, now: float = NOW) -> Any:
        """The message was looked for; what the network wants done."""
        outputs = self.world.network.found(find, said, at(now))
        self.world._noted(outputs)
        return outputs

    def error(self, outputs: Any) -> str:
        """Why a request fails."""
        [output] = outputs
        self.assertIsInstance(output.event, Failure)
        return str(output.event.error.text)

    def removed(self, change: MessagesRemoved) -> Any:
        """Messages were removed; what the network wants done."""
        return self.world.network.learned(change, at(NOW))

    def test_own(self) -> None:
        """A game removes what it sent: that is kept with a note, and answered once it is on disk."""
        [find] = self.remove()
        self.assertEqual(find, Find(self.session, Numbered("gossip", 7), ChannelsRemove(R, "gossip:7", "typo")))
        outputs = self.found(find, self.said)
        [commit] = outputs
        change = MessagesRemoved((self.said,), Removal(NOW, "game:Alpha", "typo"))
        self.assertEqual(commit.change.change, change)
        entry = commit.change.entry
        self.assertEqual((entry.actor, entry.operation, entry.subject), ("game:Alpha", "channels/remove", "gossip:7"))
        quoted = [{"id": "gossip:7", "game": "Alpha", "name": "Ana", "message": "Oops"}]
        self.assertEqual(json.loads(entry.arguments), {"id": "gossip:7", "reason": "typo", "messages": quoted})
        self.assertEqual(commit.then, (Send(self.session, Success("channels/remove", R)),))
        self.assertEqual(commit.otherwise, (Send(self.session, Failure("channels/remove", R, NOT_KEPT)),))
        self.assertFalse(commit.learned)
        self.assertNotIn(("gossip", 7), self.world.registry.removals)

    def test_not_found(self) -> None:
        """What does not exist, was removed, or cannot be named so is no message; nor is one of another game its own."""
        for identity in ("gossip", "gossip:", "7", "gossip:x", ""):
            self.assertEqual(self.error(self.remove(id=identity)), "no such message")
        [find] = self.remove()
        self.assertEqual(self.error(self.found(find)), "no such message")
        others = [replace(self.said, client_id=client_id) for client_id in (None, self.world.client_id("Beta"))]
        for other in others:
            self.assertEqual(self.error(self.found(find, other)), "not yours")
        self.assertEqual(self.error(self.world.network.found(find, None, at(NOW))), NOT_KEPT.text)
        self.removed(MessagesRemoved((self.said,), Removal(NOW, "ana", "x")))
        self.assertEqual(self.error(self.found(find, self.said)), "no such message")

    def test_hidden(self) -> None:
        """Of a hidden channel that it does not hear, a game learns nothing; its own message it can remove."""
        self.world.registry.enact(ChannelSaved(Channel("staff")))
        [find] = self.remove(id="staff:7")
        own = replace(self.said, channel="staff")
        other = replace(own, client_id=self.world.client_id("Beta"))
        self.assertEqual(self.error(self.found(find, other)), "no such message")
        self.assertIsInstance(self.found(find, own)[0], Commit)
        self.session.channels["staff"] = None
        self.assertEqual(self.error(self.found(find, other)), "not yours")

    def test_too_late(self) -> None:
        """A message can be removed for ten minutes, or as long as the operator wants."""
        [find] = self.remove()
        [commit] = self.found(find, replace(self.said, said_at=NOW - 600))
        self.assertIsInstance(commit, Commit)
        old = replace(self.said, said_at=NOW - 600.5)
        self.assertEqual(self.error(self.found(find, old)), "too late")
        for seconds in (0, 601):
            self.world.network.rules.limits = NetworkLimits(remove_seconds=seconds)
            [commit] = self.found(find, old)
            self.assertIsInstance(commit, Commit)

    def test_reason(self) -> None:
        """A reason is cleaned as messages are; it is 1 to 200 characters, and comes under the filters."""
        for reason in ("", " ", "x" * 201, "\u200b"):
            self.assertEqual(self.error(self.remove(reason=reason)), "reason must be 1 to 200 characters")
        [find] = self.remove(reason="a <b>darn</b>\n typo\x1b")
        self.assertEqual(self.found(find, self.said)[0].change.change.removal.reason, "a darn typo")
        kept = Filter(text="darn", reason="Language", set_by="ana", set_at=NOW)
        self.world.registry.enact(FilterSaved(kept))
        self.assertEqual(self.error(self.found(find, self.said)), "message refused: Language")
        self.world.registry.enact(FilterSaved(replace(kept, action="mask")))
        self.assertEqual(self.found(find, self.said)[0].change.change.removal.reason, "a **** typo")

    def test_muted(self) -> None:
        """A game that is muted on the channel cannot put a reason there either; a muted player is no obstacle."""
        mute = Restriction(
            kind="mute", subject=self.session.client_id, channel="gossip", reason="So", set_by="", set_at=0
        )
        player = replace(mute, subject=f"ana@{self.session.client_id}", channel="")
        self.world.registry.enact(RestrictionSet(player))
        self.assertIsInstance(self.remove()[0], Find)
        self.world.registry.enact(RestrictionSet(mute))
        self.assertEqual(self.error(self.remove()), "muted: So")
        self.assertIsInstance(self.remove(id="other:7")[0], Find)

    def test_rate(self) -> None:
        """Five at once and one in ten seconds, for all sessions of a game together."""
        other = self.world.join("Alpha", channels=["gossip"])
        for session in (self.session, other, self.session, other, self.session):
            self.assertIsInstance(self.remove(session)[0], Find)
        self.assertEqual(self.error(self.remove(other)), "rate limit exceeded")
        self.assertIsInstance(self.remove(now=NOW + 10)[0], Find)
        self.assertEqual(self.error(self.remove(now=NOW + 10)), "rate limit exceeded")

    def test_told(self) -> None:
        """Sessions with the extension that hear the channel are told, the sender too; nobody else is."""
        more = [
            self.world.join("Beta", channels=["gossip"], extensions=["moderation"]),
            self.world.join("Beta", channels=["gossip"], extensions=["directory"]),
            self.world.join("Gamma", channels=["gossip"], supports=["channels", "history"]),
            self.world.join("Delta", channels=["testing"], extensions=["moderation"]),
        ]
        made = self.world.made
        change = MessagesRemoved((self.said, replace(self.said, channel="testing")), Removal(NOW, "ana", "ads"))
        told = RemovedOf(ref(made + 1), "gossip", "gossip:7", 7, "Alpha", "Ana", "ads")
        there = RemovedOf(ref(made + 2), "testing", "testing:7", 7, "Alpha", "Ana", "ads")
        outputs = self.removed(change)
        self.assertEqual(
            outputs,
            [
                Forget(change),
                Broadcast(Extended("moderation", "gossip"), ChannelsRemoved((told,))),
                Broadcast(Extended("moderation", "testing"), ChannelsRemoved((there,))),
            ],
        )
        hearing = [self.world.network.hearing(output.audience) for output in outputs[1:]]
        self.assertEqual(hearing, [(self.session, more[0]), (more[3],)])
        self.assertEqual(
            frames.encode(outputs[1].event),
            [
                b'{"event":"channels/removed","ref":"%s","payload":{"channel":"gossip","id":"gossip:7","seq":7,'
                b'"game":"Alpha","name":"Ana","reason":"ads"}}' % uuid(made + 1).encode()
            ],
        )

    def test_told_once(self) -> None:
        """Of a message that is removed twice games are told once."""
        change = MessagesRemoved((self.said,), Removal(NOW, "ana", "ads"))
        self.assertEqual(len(self.removed(change)), 2)
        again = MessagesRemoved((self.said, replace(self.said, seq=8)), Removal(NOW, "ana", "again"))
        forget, broadcast = self.removed(again)
        self.assertEqual([each.seq for each in forget.removed.messages], [8])
        self.assertEqual([each.seq for each in broadcast.event.messages], [8])
        self.assertEqual(self.removed(MessagesRemoved((self.said,), Removal(NOW, "bo", "more"))), [])

    def test_history(self) -> None:
        """What was removed while the history was read is left out of it."""
        session = self.world.join("Beta", channels=["gossip"], supports=["channels", "history"])
        [fetch] = self.world.say(session, frame("channels/history", {"channel": "gossip"}, "h"))
        assert isinstance(fetch, Fetch)
        self.removed(MessagesRemoved((self.said,), Removal(NOW, "ana", "ads")))
        [answer] = self.world.network.fetched(fetch, [self.said, replace(self.said, seq=8)])
        assert isinstance(answer, Send)
        self.assertEqual([each.seq for each in answer.event.messages], [8])  # type: ignore[union-attr]

    def test_report(self) -> None:
        """A message that was removed while a report of it was made is no message any more."""
        payload = {"from": "Bo", "id": "gossip:7", "reason": "ads"}
        [find] = self.world.say(self.session, frame("reports/create", payload, "r"))
        assert isinstance(find, Find)
        self.removed(MessagesRemoved((self.said,), Removal(NOW, "ana", "ads")))
        self.assertEqual(self.error(self.found(find, self.said)), "no such message")

    @given(st.dictionaries(st.sampled_from(["id", "reason", "more"]), st.text() | st.integers() | st.none()))
    @examples(200)
    def test_any_payload(self, payload: dict[str, Any]) -> None:
        """Whatever a game sends, it gets one answer, or one message is looked for."""
        world = World()
        world.registry.enact(ChannelSaved(Channel("gossip")))
        session = world.join("Alpha", channels=["gossip"])
        [output] = world.say(session, frame("channels/remove", payload, "r"))
        if isinstance(output, Send):
            assert isinstance(output.event, Failure)
            wanted = ("malformed", "no-such-message", "bad-reason")
            self.assertIn(output.event.error, [Error.of(code) for code in wanted])
        else:
            self.assertIsInstance(output, Find)


class RemovalsTests(SynchronousTestCase):
    """L{gossip.registry.removals}."""

    def test_latest(self) -> None:
        """The latest removals are known; the oldest are forgotten."""
        removals = Removals()
        said = MessageSaid("gossip", 0, None, "Alpha", "Ana", "Hi", NOW)
        for seq in range(LATEST + 1):
            removals.add(MessagesRemoved((replace(said, seq=seq),), Removal(float(seq), "ana", "x")))
        self.assertNotIn(("gossip", 0), removals)
        self.assertIn(("gossip", 1), removals)
        last = emptied(replace(said, seq=LATEST), Removal(float(LATEST), "ana", "x"))
        self.assertEqual(list(removals.since(float(LATEST), "gossip".__eq__)), [last])
        self.assertEqual(list(removals.since(0.0, "testing".__eq__)), [])
        self.assertEqual(removals.applied([said, replace(said, seq=LATEST)]), [said, last])
        self.assertEqual(removals.without([said, replace(said, seq=LATEST)]), [said])
