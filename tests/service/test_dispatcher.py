"""L{gossip.service.dispatcher}: what becomes of outputs, on a clock that stands still."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from gossip.registry.changes import MessageSaid
from gossip.registry.sought import LatestOf, Sought
from gossip.service.dispatcher import UNANSWERED
from tests.support.memory_service import MemoryService
from tests.support.running_service import ServiceTestCase, send
from tests.support.world import NOW, frame

_NO_RATES = {
    name: {"burst": 0, "per_second": 1}
    for name in ("global", "channels_send", "channels_subscribe", "channels_unsubscribe")
}


class AnswersTests(ServiceTestCase):
    """Answers, which may have to wait for the disk."""

    def test_answers_in_order(self) -> None:
        """An answer that waits for the disk holds back the session's later ones, and nobody else's."""
        alpha, speaker = self.join("Alpha", channels=["gossip"])
        beta, other = self.join("Beta", channels=["gossip"])
        self.told(alpha)
        self.say(speaker, send("1"), frame("nonsense", ref="2"), send("3"), frame("games/status", ref="4"))
        self.say(other, frame("nonsense", ref="5"))
        self.assertEqual(self.told(alpha), [])
        self.assertEqual([told["ref"] for told in self.told(beta) if "status" in told], ["5"])
        self.writer.settle_one()
        self.assertEqual([told["ref"] for told in self.told(alpha)], ["1", "2"])
        self.writer.settle_one(kept=False)
        self.assertEqual(
            [(told["ref"], told["status"]) for told in self.told(alpha)], [("3", "failure"), ("4", "success")]
        )

    def test_originated_events_wait_for_nothing(self) -> None:
        """A heartbeat leaves while an answer waits for the disk."""
        alpha, speaker = self.join("Alpha", channels=["gossip"])
        self.say(speaker, send("1"))
        self.clock.pump([1] * 16)
        self.assertEqual([told["event"] for told in self.told(alpha)], ["heartbeat"])

    def test_achievements_wait_for_each_other(self) -> None:
        """A game's achievements change one after the other, over all of its sessions, and are answered in order."""
        alpha, one = self.join("Alpha")
        again, two = self.join("Alpha")
        self.told(alpha)
        for session, ref in ((one, "1"), (one, "2"), (two, "3")):
            self.say(session, frame("achievements/create", {"title": ref, "points": 100}, ref))
        self.say(one, frame("nonsense", ref="4"))
        self.say(two, frame("achievements/sync", ref="5"))
        self.assertEqual(len(self.writer.waiting), 1)
        self.writer.settle_one()
        self.assertEqual([told["ref"] for told in self.told(alpha)], ["1"])
        self.writer.settle_one(kept=False)
        told = self.told(alpha)
        self.assertEqual([(one["ref"], one["status"]) for one in told], [("2", "failure"), ("4", "failure")])
        self.writer.settle_one()
        told = self.told(again)
        self.assertEqual([one["ref"] for one in told], ["3", "5"])
        self.assertEqual(told[1]["payload"]["total"], 2)

    def test_close_after_the_answers(self) -> None:
        """A close waits for the answers before it."""
        alpha, speaker = self.join("Alpha", channels=["gossip"])
        self.say(speaker, send("1"), *(frame("nonsense", ref=str(number)) for number in range(120)))
        self.told(alpha)
        self.assertIsNone(alpha.closed)
        self.writer.settle()
        self.assertEqual([told["ref"] for told in self.told(alpha)][:2], ["1", "0"])
        self.assertEqual(alpha.closed, (4000, "rate limit exceeded, goodbye"))

    def test_gone_before_the_answer(self) -> None:
        """A session may end before its answer is ready; what it said is kept."""
        alpha, speaker = self.join("Alpha", channels=["gossip"])
        self.say(speaker, send("1"), frame("achievements/create", {"title": "a"}, "2"))
        self.say(speaker, frame("achievements/create", {"title": "b"}, "3"))
        self.service.lost(speaker)
        self.writer.settle()
        self.assertEqual(self.told(alpha), [])
        self.assertEqual(len(self.writer.kept), len({repr(change) for change in self.writer.kept}))
        self.assertEqual(len(self.world.registry.achievements[self.world.game("Alpha").client_id]), 2)

    def test_back_pressure(self) -> None:
        """A connection that asks faster than the disk can answer is paused until the disk catches up."""
        self.world.network.rules.limits = msgspec.structs.replace(
            self.world.network.rules.limits,
            rates=msgspec.convert(_NO_RATES, type(self.world.network.rules.limits.rates)),
        )
        alpha, speaker = self.join("Alpha", channels=["gossip"])
        for number in range(UNANSWERED + 1):
            self.say(speaker, send(str(number)))
        self.assertTrue(alpha.paused)
        self.writer.settle()
        self.assertFalse(alpha.paused)
        self.assertEqual(len(self.told(alpha)), UNANSWERED + 1)

    def test_gone_while_paused(self) -> None:
        """A session that ends while it is paused leaves nothing behind."""
        limits = self.world.network.rules.limits
        rates = msgspec.convert(_NO_RATES, type(limits.rates))
        self.world.network.rules.limits = msgspec.structs.replace(limits, rates=rates)
        alpha, speaker = self.join("Alpha", channels=["gossip"])
        for number in range(UNANSWERED + 1):
            self.say(speaker, send(str(number)))
        self.assertTrue(alpha.paused)
        self.service.lost(speaker)
        self.writer.settle()
        self.assertEqual((self.service._dispatcher.paused, self.service._connections), (set(), {}))

    def test_ways_of_the_gone(self) -> None:
        """The fan-out keeps nothing of a connection that is gone."""
        _, speaker = self.join("Alpha", channels=["gossip"])
        others = [self.join(name, channels=["gossip"]) for name in ("Beta", "Gamma")]
        self.say(speaker, send("1"))
        self.clock.advance(0)
        self.assertTrue(self.service._dispatcher.fanout._known_routes)
        self.service.lost(others[0][1])
        self.assertEqual(self.service._dispatcher.fanout._known_routes, {})


class HistoryTests(ServiceTestCase):
    """Reads of the history while the network goes on."""

    def setUp(self) -> None:
        super().setUp()
        self.asked: list[tuple[tuple[Any, ...], Deferred[list[MessageSaid]]]] = []
        self.connection, self.session = self.join("Alpha", supports=["channels", "history"], channels=["gossip"])

    def history(self, *asked: Any) -> Deferred[list[MessageSaid]]:
        self.asked.append((asked, reading := Deferred[list[MessageSaid]]()))
        return reading

    def ask(self, ref: str = "h") -> None:
        self.say(self.session, frame("channels/history", {"channel": "gossip", "limit": 2}, ref))

    def found(self, *seqs: int) -> None:
        """The oldest request finds these."""
        self.asked.pop(0)[1].callback([MessageSaid("gossip", seq, None, "Beta", "Bo", "Hi", NOW) for seq in seqs])

    def test_order(self) -> None:
        """The answer keeps its place among the others; broadcasts wait for nothing."""
        self.ask()
        self.say(self.session, frame("channels/subscribe", {"channel": "testing"}, "s"))
        self.service.announce("gossip", "Hello")
        self.assertEqual([each["event"] for each in self.told(self.connection)], ["channels/broadcast"])
        self.assertEqual(self.asked[0][0], ("gossip", 3, None, None))
        self.found(1, 2, 3)
        answer, other = self.told(self.connection)
        self.assertEqual((answer["ref"], other["ref"]), ("h", "s"))
        self.assertEqual([each["seq"] for each in answer["payload"]["messages"]], [2, 3])
        self.assertTrue(answer["payload"]["more"])

    def test_after_what_waits(self) -> None:
        """History is read after the messages before it are on disk, so that it includes them."""
        self.say(self.session, send("m"))
        self.ask()
        self.assertEqual(self.asked, [])
        self.assertEqual([type(change) for change, _ in self.writer.waiting], [MessageSaid])
        self.writer.settle()
        self.found(1)
        self.assertEqual([each["ref"] for each in self.told(self.connection)], ["m", "h"])

    def test_unreadable(self) -> None:
        """A database that cannot be read costs this answer and nothing else."""
        self.ask()
        self.asked.pop()[1].errback(OSError("away"))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        [answer] = self.told(self.connection)
        self.assertEqual((answer["ref"], answer["status"]), ("h", "failure"))
        self.ask("again")
        self.found()
        self.assertEqual(self.told(self.connection)[0]["payload"]["total"], 0)

    def test_gone(self) -> None:
        """A session that has ended by the time the messages are read gets nothing."""
        self.ask()
        self.service.lost(self.session)
        self.found(1)
        self.assertEqual(self.told(self.connection), [])

    def test_resume(self) -> None:
        """What was missed comes after the answers to the authentication, and before answers to later requests."""
        for _ in range(4):
            self.world.registry.numbers.next_message("gossip")
        connection, session = self.connect()
        more = {"supports": ["channels", "history"], "channels": ["gossip"], "resume": {"gossip": 4}}
        self.say(session, frame("authenticate", self.world.credentials("Beta", **more)), send("m"))
        self.writer.settle()
        self.assertEqual([each["event"] for each in self.told(connection)], ["authenticate", "heartbeat"])
        self.assertEqual(self.asked[0][0], ("gossip", 101, None, 4))
        self.found(5)
        resumed, sent = self.told(connection)
        self.assertEqual((resumed["event"], sent["ref"]), ("channels/history", "m"))
        self.assertNotIn("ref", resumed)

    def test_nothing(self) -> None:
        """A service without a store has no history."""
        service = MemoryService()
        session = service.join("Beta", supports=["channels", "history"], channels=["gossip"])
        service.write(session, frame("channels/history", {"channel": "gossip", "limit": 2}, "h"))
        self.assertEqual(service.told(session)[-1]["payload"]["messages"], [])


class ReportsTests(ServiceTestCase):
    """Messages that are looked for while the network goes on."""

    def setUp(self) -> None:
        super().setUp()
        self.asked: list[tuple[Sought, Deferred[list[MessageSaid]]]] = []
        self.connection, self.session = self.join("Alpha", channels=["gossip"])

    def find(self, sought: Sought) -> Deferred[list[MessageSaid]]:
        self.asked.append((sought, looking := Deferred[list[MessageSaid]]()))
        return looking

    def report(self) -> None:
        """Say something, report it, and ask for something else."""
        payload = {"channel": "gossip", "game": "Alpha", "name": "Ana", "from": "Bo", "reason": "so"}
        self.say(self.session, send("m"), frame("reports/create", payload, "r"))
        self.say(self.session, frame("channels/subscribe", {"channel": "testing"}, "s"))

    def refs(self) -> list[Any]:
        """The refs and results of the answers so far."""
        return [(each["ref"], each.get("payload", each["status"])) for each in self.told(self.connection)]

    def test_order(self) -> None:
        """A message is looked for once it is on disk; the answer comes in its place, once the report is on disk."""
        self.report()
        self.assertEqual(self.asked, [])
        self.writer.settle()
        self.assertEqual(self.refs(), [("m", "success")])
        sought, looking = self.asked.pop()
        self.assertEqual(sought, LatestOf("gossip", "Alpha", "Ana", NOW - 600))
        looking.callback([MessageSaid("gossip", 1, None, "Alpha", "Ana", "hello", NOW)])
        self.assertEqual(self.refs(), [])
        self.writer.settle()
        self.assertEqual(self.refs(), [("r", {"report": 1}), ("s", "success")])
        [report] = self.world.registry.reports.values()
        self.assertEqual((report.message, report.made_by), ("hello", "Bo@Alpha"))

    def test_unreadable(self) -> None:
        """A database that cannot be read costs this answer and nothing else."""
        self.report()
        self.writer.settle()
        self.asked.pop()[1].errback(OSError("away"))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertEqual(self.refs(), [("m", "success"), ("r", "failure"), ("s", "success")])

    def test_gone(self) -> None:
        """A report of a session that has ended meanwhile is made all the same."""
        self.report()
        self.writer.settle()
        self.service.lost(self.session)
        self.asked.pop()[1].callback([MessageSaid("gossip", 1, None, "Alpha", "Ana", "hello", NOW)])
        self.writer.settle()
        self.assertEqual(len(self.world.registry.reports), 1)
