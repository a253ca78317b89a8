"""Reports from games: L{gossip.network.reports}."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.outputs import Commit, Find, Send
from gossip.network.ratelimit import STRIKES
from gossip.network.reports import OF_A_GAME, checked_reason
from gossip.network.session import Session
from gossip.protocol import frames
from gossip.protocol.errors import MALFORMED, NOT_KEPT, Denied, Error
from gossip.protocol.events import Malformed, ReportsCreate
from gossip.protocol.server_events import Failure, ReportCreated
from gossip.protocol.text import is_line
from gossip.registry.changes import ChannelSaved, GameSaved, MessageSaid, ReportMade, ReportResolved
from gossip.registry.entities import Channel, Report
from gossip.registry.registry import REPORTS
from gossip.registry.sought import LatestOf, Numbered
from tests.support.properties import examples
from tests.support.world import NOW, World, at, frame

R = Raw(b'"r"')
SAID = MessageSaid("gossip", 1042, "b", "Beta", "Bo", "Darn!", NOW - 60)


class ReportsTests(SynchronousTestCase):
    """reports/create."""

    def setUp(self) -> None:
        self.world = World()
        self.world.registry.enact(ChannelSaved(Channel("gossip", hidden=False)))
        self.session = self.world.join("Alpha", supports=["channels"])
        self.now = NOW

    def report(self, session: Session | None = None, ref: Any = "r", **payload: Any) -> Any:
        """A game reports something, long after its last report; what the network wants done."""
        self.now += 1000
        sent = frame("reports/create", {"from": "Ana", "reason": "slur", **payload}, ref)
        return self.world.say(session or self.session, sent, self.now)

    def found(self, find: Find, *said: MessageSaid) -> Any:
        """The message was looked for; what the network wants done."""
        outputs = self.world.network.found(find, said, at(self.now))
        self.world._noted(outputs)
        return outputs

    def error(self, session: Session | None = None, **payload: Any) -> str:
        """Why a report fails."""
        [output] = self.report(session, **payload)
        self.assertIsInstance(output.event, Failure)
        return str(output.event.error.text)

    def made(self, number: int, **more: Any) -> list[Commit]:
        """The outputs that make a report."""
        about = {"channel": "gossip", "seq": 1042, "game": "Beta", "name": "Bo", "message": "Darn!"}
        report = Report(number=number, reason="slur", made_by="Ana@Alpha", made_at=self.now, **{**about, **more})
        then = Send(self.session, ReportCreated(R, number))
        failed = Send(self.session, Failure("reports/create", R, NOT_KEPT))
        return [Commit(ReportMade(report), (then,), (failed,))]

    def test_by_number(self) -> None:
        """The message with an id is looked for; its report is answered with the report's number once it is on disk."""
        [find] = self.report(id="gossip:1042")
        self.assertEqual(find, Find(self.session, Numbered("gossip", 1042), find.request))
        self.assertEqual(self.found(find, SAID), self.made(1))
        self.assertEqual(self.world.registry.reports, {})
        answer: Any
        [answer] = self.world.settle(self.now)
        self.assertEqual(answer, Send(self.session, ReportCreated(R, 1)))
        self.assertEqual(list(self.world.registry.reports), [1])
        self.assertEqual(
            frames.encode(answer.event),
            [b'{"event":"reports/create","ref":"r","status":"success","payload":{"report":1}}'],
        )

    def test_latest(self) -> None:
        """Without an id, the latest message of the player in the last 10 minutes is looked for."""
        [find] = self.report(channel="gossip", game="beta", name=" Bo ")
        self.assertEqual(find.sought, LatestOf("gossip", "Beta", "Bo", self.now - 600))
        self.assertEqual(self.found(find, SAID), self.made(1))
        [find] = self.report(channel="gossip", game="Grapevine", name="Cy")
        self.assertEqual(find.sought, LatestOf("gossip", "gossip", "Cy", self.now - 600))

    def test_player(self) -> None:
        """A report without a message has the quote, which nobody can verify; it need not have one."""
        quoted = {"channel": "", "seq": 0, "message": "I will\nfind you"}
        made = self.report(game="BETA", name="Bo", quote="I will\nfind <b>you")
        self.assertEqual(made, self.made(1, **quoted))
        self.assertEqual(self.report(game="Beta", name="Bo"), self.made(2, **{**quoted, "message": ""}))

    def test_not_found(self) -> None:
        """A message that is not there, or that cannot be read, is answered with a failure."""
        [find] = self.report(id="gossip:7")
        denied = Failure("reports/create", R, Error.of("no-such-message"))
        self.assertEqual(self.found(find), [Send(self.session, denied)])
        failed = Send(self.session, Failure("reports/create", R, NOT_KEPT))
        self.assertEqual(self.world.network.found(find, None, at(NOW)), [failed])

    def test_hidden(self) -> None:
        """A hidden channel that the session does not hear does not exist for it; one that it hears does."""
        self.world.registry.enact(ChannelSaved(Channel("staff")))
        about: dict[str, Any] = {"game": "Beta", "name": "Bo"}
        for channel in ("staff", "nowhere"):
            self.assertEqual(self.error(id=f"{channel}:1042"), "no such message")
            self.assertEqual(self.error(channel=channel, **about), "no such message")
        hearing = self.world.join("Gamma", channels=["staff"])
        [find] = self.report(hearing, id="staff:1042")
        self.assertEqual(find.sought, Numbered("staff", 1042))

    def test_failures(self) -> None:
        """What is wrong is told."""
        for wrong in ("gossip", "gossip:", "gossip:-1", "gossip:01", f"gossip:{2**63}", ":1", "gossip:1 ", "gossip:٣"):
            self.assertEqual(self.error(id=wrong), "no such message", wrong)
        about: dict[str, Any] = {"game": "Beta", "name": "Bo"}
        self.assertEqual(self.error(game="Omega", name="Bo"), "unknown game")
        self.assertEqual(self.error(channel="gossip", game="Omega", name="Bo"), "unknown game")
        for reason in ("", "  ", "\u200b", "x" * 201, "<b>"):
            self.assertEqual(self.error(reason=reason, **about), "reason must be 1 to 200 characters", reason)
        missing: dict[str, Any]
        for missing in ({}, {"game": "Beta"}, {"name": "Bo"}, {"channel": "gossip"}, {"id": 7}, {**about, "from": 7}):
            self.assertEqual(self.error(None, **missing), MALFORMED.text, missing)
        self.assertEqual(self.error(None, **{**about, "from": ""}), "Name cannot be empty")
        self.assertEqual(self.error(None, **{**about, "name": "x" * 65}), "name too long")
        self.assertEqual(self.error(None, **{**about, "from": "Ana@gossip"}), "this name belongs to the network")
        self.assertEqual(self.error(quote="x" * 4097, **about), "message too long")
        self.assertEqual(self.world.pending, [])

    def test_twice(self) -> None:
        """The same player cannot report the same twice: neither while the first waits for the disk, nor while open."""
        [find] = self.report(id="gossip:1042")
        self.found(find, SAID)
        again = [Send(self.session, Failure("reports/create", R, Error.of("reported-already")))]
        self.assertEqual(self.found(find, SAID), again)
        self.world.settle(self.now)
        self.assertEqual(self.found(find, SAID), again)
        [other] = self.report(None, **{"from": "Cy", "id": "gossip:1042"})
        self.assertIsInstance(self.found(other, SAID)[0], Commit)
        self.world.settle(self.now)
        self.world.registry.enact(ReportResolved(1, "Root", NOW, None))
        self.assertIsInstance(self.found(find, SAID)[0], Commit)

    def test_player_twice(self) -> None:
        """A player can be reported again for something else."""
        about: dict[str, Any] = {"game": "Beta", "name": "Bo"}
        self.report(quote="One", **about)
        self.assertEqual(self.error(quote="One", game="beta", name="bo"), "reported already")
        self.assertIsInstance(self.report(quote="Two", **about)[0], Commit)

    def test_not_kept(self) -> None:
        """A report that could not be kept can be made again."""
        [find] = self.report(id="gossip:1042")
        self.found(find, SAID)
        failed = Send(self.session, Failure("reports/create", R, NOT_KEPT))
        self.assertEqual(self.world.settle(self.now, kept=False), [failed])
        self.assertEqual(self.found(find, SAID), self.made(2))

    def test_another_node_was_first(self) -> None:
        """A report is judged again if another node was first: it gets another number, unless it is made already."""
        about: dict[str, Any] = {"game": "Beta", "name": "Bo"}
        [commit] = self.report(**about)
        assert isinstance(commit, Commit) and isinstance(commit.change, ReportMade)
        first = commit.change.report
        self.world.network.learned(ReportMade(replace(first, made_by="Cy@Gamma")), at(self.now))
        self.world.registry.numbers.report_given(first.number)
        [again] = self.world.network.again(commit, at(self.now))
        assert isinstance(again, Commit) and isinstance(again.change, ReportMade)
        self.assertEqual(again.change.report.number, first.number + 1)
        self.world.network.learned(again.change, at(self.now))
        refused = Send(self.session, Failure("reports/create", R, Error.of("reported-already")))
        self.assertEqual(self.world.network.again(again, at(self.now)), [refused])

    def test_without_ref(self) -> None:
        """A report without a ref is made, and not answered."""
        [find] = self.report(ref=None, id="gossip:1042")
        [commit] = self.found(find, SAID)
        self.assertEqual((commit.then, commit.otherwise), ((), ()))
        self.assertEqual(self.found(find, SAID), [])

    def test_rate(self) -> None:
        """A game may send three reports at once, then one a minute, over all its sessions; more is no abuse."""
        about = frame("reports/create", {"from": "Ana", "reason": "so", "game": "Beta", "name": "Bo"}, "r")
        other = self.world.join("Alpha")
        refused = Failure("reports/create", R, Error.of("rate-limited"))
        for number in range(3):
            self.world.say(self.session, {**about, "payload": {**about["payload"], "from": f"P{number}"}}, NOW)
        for _ in range(2 * STRIKES):
            self.assertEqual(self.world.say(other, about, NOW), [Send(other, refused)])
        assert other.online is not None
        self.assertEqual(other.online.buckets["reports_create"].strikes(at(NOW)), 0)
        self.assertIsInstance(self.world.say(other, about, NOW + 60)[0], Commit)
        self.assertEqual(self.world.say(other, about, NOW + 60), [Send(other, refused)])

    def test_too_many(self) -> None:
        """A game cannot fill the list alone; and when the list is full, it is full."""
        for number in range(OF_A_GAME):
            self.report(game="Beta", name="Bo", quote=str(number))
        self.assertEqual(self.error(game="Beta", name="Bo"), "too many open reports")
        gamma = self.world.join("Gamma")
        self.assertIsInstance(self.report(gamma, game="Beta", name="Bo")[0], Commit)
        self.world.settle(self.now)
        report = self.world.registry.reports[1]
        self.world.registry.reports.update(dict.fromkeys(range(REPORTS), report))
        delta = self.world.join("Delta")
        self.assertEqual(self.error(delta, game="Beta", name="Bo"), "too many open reports")

    def test_renamed(self) -> None:
        """The names that count are those under which the games are registered now."""
        game = self.world.change("Alpha", short_name="Omega")
        self.world.network.learned(GameSaved(game), at(NOW))
        [commit] = self.report(game="Beta", name="Bo")
        self.assertEqual(commit.change.report.made_by, "Ana@Omega")

    @given(st.text())
    @examples(200)
    def test_reasons(self, text: str) -> None:
        """A reason is one clean line of 1 to 200 characters, or refused."""
        try:
            reason = checked_reason(text)
        except Denied as denied:
            self.assertEqual(denied.error.code, "bad-reason")
        else:
            self.assertTrue(1 <= len(reason) <= 200 and is_line(reason))

    @given(
        st.dictionaries(
            st.sampled_from(["id", "channel", "game", "name", "from", "reason", "quote", "other"]),
            st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["gossip", "gossip:1", "Beta"]),
        )
    )
    @examples(200)
    def test_frames(self, payload: dict[str, Any]) -> None:
        """Whatever a game sends is read as a report, or is malformed; and what is read has the fields as sent."""
        event = frames.decode(msgspec.json.encode(frame("reports/create", payload, 1)))
        if isinstance(event, ReportsCreate):
            self.assertEqual(event.from_name, payload["from"])
            self.assertEqual((event.id, event.quote), (payload.get("id"), payload.get("quote")))
        else:
            assert isinstance(event, Malformed)
        world = World()  # a session that asks again and again is closed
        for output in world.say(world.join("Alpha"), frame("reports/create", payload, 1)):
            self.assertIsInstance(output, Send | Find | Commit)
