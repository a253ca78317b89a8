"""L{gossip.service.service}: events in, outputs out, on a clock that stands still."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.logger import capturedLogs
from zope.interface.verify import verifyObject

from gossip.protocol.errors import Denied, Overrun
from gossip.protocol.events import ChannelsSend, Heartbeat
from gossip.registry.addresses import read
from gossip.registry.changes import Change, ChannelSaved, GameRemoved, MessageSaid
from gossip.registry.entities import Channel, Game
from gossip.registry.errors import Refused
from gossip.registry.registry import Registry
from gossip.registry.remotes import remote_id
from gossip.service.changes_in_turn import PATIENCE, NotKept, NotSettled
from gossip.service.counters import LATENCIES
from gossip.service.interfaces import CertificateStatus, IConnection, IGossip
from gossip.service.rehearsals import PARTING_SECONDS
from gossip.service.watch import SECONDS, Watched
from gossip.web.api.metrics import DaemonCollector
from tests.support.memory_service import CountingTransport, MemoryConnection, MemoryService
from tests.support.rewording import REWORDED, reword
from tests.support.running_service import ServiceTestCase, send
from tests.support.world import NOW, frame

PEER = read("192.0.2.9")


class EventsTests(ServiceTestCase):
    """Events from transports, and their results."""

    def test_interfaces(self) -> None:
        """The service and the test's connection are what they claim."""
        verifyObject(IGossip, self.service)
        verifyObject(IConnection, MemoryConnection("memory", "192.0.2.1"))

    def test_house(self) -> None:
        """A part of the daemon itself joins, hears, speaks and leaves; its remote games are in no list of sessions."""
        alpha, _ = self.join("Alpha", channels=["gossip"])
        supports = frozenset(("channels", "tells"))
        gateway, remote = MemoryConnection("i3", ""), MemoryConnection("i3", "")
        here = self.service.let_in(gateway, self.world.game("Beta"), supports, ["gossip"])
        game = Game(client_id=remote_id(here.client_id, "Souls"), short_name="SoulsI3", name="Souls", secrets=())
        there = self.service.let_in(remote, game, supports, ["gossip"])
        self.told(alpha)
        self.service.received(there, ChannelsSend(None, "gossip", "Bob", "hello"))
        [told] = self.told(alpha)
        self.assertEqual((told["payload"]["game"], told["payload"]["message"]), ("SoulsI3", "hello"))
        self.assertEqual((gateway.written, remote.written), (b"", b""))
        self.assertEqual([transport for _, transport in self.service.sessions()], ["memory", "i3"])
        status = self.service.status()
        self.assertEqual((status["games"], status["sessions_by_transport"]["i3"]), (2, 1))
        with self.assertRaises(Denied):
            self.service.let_in(remote, replace(game, client_id="x/Y", short_name="YI3"), supports, [])
        self.service.lost(there)
        self.service.lost(here)
        self.assertEqual(self.service.status()["sessions"], 1)

    def test_conversation(self) -> None:
        """A message is heard before it is on disk; its answer comes afterwards."""
        alpha, speaker = self.join("Alpha", channels=["gossip"])
        beta, _ = self.join("Beta", channels=["gossip"])
        self.told(alpha)
        self.say(speaker, send("1"))
        self.assertEqual([told["event"] for told in self.told(beta)], ["channels/broadcast"])
        self.assertEqual(self.told(alpha), [])
        self.writer.settle()
        self.assertEqual(self.told(alpha), [{"event": "channels/send", "ref": "1", "status": "success"}])
        self.assertIsInstance(self.writer.kept[-1], MessageSaid)

    def test_comings_and_goings(self) -> None:
        """The log names each game that joins or leaves, in a way that can be told of many together."""
        logged: list[str] = []
        self.patch(
            self.service, "_log", type("Log", (), {"info": lambda _, text, **of: logged.append(text.format(**of))})()
        )
        _, session = self.join("Alpha")
        self.join("Beta")
        self.clock.pump([1, 1])
        self.service.lost(session)
        self.clock.pump([1, 1])
        self.assertEqual(logged, ["joined: Alpha from 192.0.2.1", "joined: Beta from 192.0.2.1", "left: Alpha"])

    def test_numbers(self) -> None:
        """The status tells the sessions of each transport, while there are any."""
        _, first = self.join("Alpha")
        _, second = self.join("Beta")
        self.assertEqual(self.service.status()["sessions_by_transport"], {"memory": 2})
        self.service.lost(first)
        self.assertEqual(self.service.status()["sessions_by_transport"], {"memory": 1})
        self.service.lost(second)
        status = self.service.status()
        self.assertEqual((status["sessions_by_transport"], status["sessions"], status["games"]), ({}, 0, 2))

    def test_mistake_of_ours(self) -> None:
        """An error of our own is logged, ends that session with 1011, and hurts nobody else."""
        alpha, session = self.join("Alpha")
        beta, _ = self.join("Beta")
        self.told(alpha)
        self.patch(self.world.network, "receive", lambda *_: 1 / 0)
        self.service.received(session, Heartbeat(None))
        self.told(alpha)
        self.assertEqual(alpha.closed, (1011, "internal error"))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertIsNone(beta.closed)
        self.assertEqual([len(list(online.sessions)) for online in self.world.network.presence], [0, 1])

    def test_mistake_in_a_tick(self) -> None:
        """An error in a tick is logged, and the next tick comes."""
        ticks = []

        def tick(now: float) -> list[Any]:
            ticks.append(now)
            raise ZeroDivisionError

        self.patch(self.world.network, "tick", tick)
        self.clock.pump([1, 1])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        self.assertEqual(len(ticks), 2)

    def test_finished(self) -> None:
        """A peer that sends nothing more is closed when everything that it asked is answered."""
        connection, session = self.join("Alpha", channels=["gossip"])
        self.service.finished(session)
        self.assertEqual((self.told(connection), connection.closed), ([], (1000, "goodbye")))
        connection, session = self.join("Beta", channels=["gossip"])
        self.say(session, send("1"), frame("games/status", ref="2"), send("3"))
        self.service.finished(session)
        self.assertIsNone(connection.closed)
        self.writer.settle_one()
        self.assertIsNone(connection.closed)
        self.writer.settle()
        self.assertEqual([told["ref"] for told in self.told(connection) if told.get("status")], ["1", "2", "3"])
        self.assertEqual(connection.closed, (1000, "goodbye"))

    def test_unauthenticated(self) -> None:
        """A connection that does not authenticate is closed with 4001 after a minute."""
        connection, _ = self.connect()
        self.clock.pump([1] * 61)
        self.assertEqual((self.told(connection), connection.closed), ([], (4001, "login time-out")))

    def test_counted(self) -> None:
        """Events, messages and refusals are counted."""
        _, session = self.join("Alpha", channels=["gossip"])
        self.say(session, send("1"), frame("nonsense"))
        self.assertEqual(dict(self.service.counters.events), {"authenticate": 1, "channels/send": 1, "unknown": 1})
        self.assertEqual(self.service.counters.messages, 1)

    def test_transports(self) -> None:
        """The status shows the open connections of each transport, and what it counts."""
        service = MemoryService(transports=[CountingTransport()])
        status: dict[str, Any] = {**service.status()}
        self.assertEqual((status["connections"], status["pigeon_letters"]), ({"pigeon": 3}, {"in": 10, "out": 30}))

    def test_certificates(self) -> None:
        """The status and the metrics tell when the certificates of listeners end."""
        service = MemoryService(certificates=lambda: [CertificateStatus(("a.example", "b.example"), 2208988800.0)])
        ending = [{"names": ["a.example", "b.example"], "ends": "2040-01-01T00:00:00Z"}]
        self.assertEqual(service.status()["certificates"], ending)
        (shown,) = (
            family
            for family in DaemonCollector(service, None).collect()
            if family.name == "gossip_certificate_end_seconds"
        )
        self.assertEqual(
            [(sample.labels, sample.value) for sample in shown.samples],
            [({"names": "a.example b.example"}, 2208988800.0)],
        )

    def test_refusals(self) -> None:
        """Refused logins are counted by reason."""
        _, session = self.connect()
        self.say(session, frame("authenticate", {"client_id": "x", "client_secret": "y"}))
        self.assertEqual(dict(self.service.counters.failures), {"invalid credentials": 1})

    def test_reworded(self) -> None:
        """What is counted, and as what, does not depend on what the errors say."""
        reword(self)
        connection, session = self.join("Alpha", channels=["gossip"])
        self.told(connection)
        _, stranger = self.connect()
        self.say(stranger, frame("authenticate", {"client_id": "x", "client_secret": "y"}))
        self.say(session, send("1", "testing"), frame("channels/subscribe", {"channel": "no"}, "2"))
        self.assertEqual([told["error"] for told in self.told(connection)], [REWORDED] * 2)
        self.say(session, *[frame("heartbeat")] * 100)
        self.assertEqual(
            {error: number > 0 for error, number in self.service.counters.failures.items()},
            dict.fromkeys(
                ("invalid credentials", "not subscribed", "Could not subscribe", "rate limit exceeded"), True
            ),
        )
        self.assertEqual(self.service.counters.rate_limited, self.service.counters.failures["rate limit exceeded"])

    def test_waiting(self) -> None:
        """Answers that wait for a commit are counted, and changes that could not be kept."""
        _, session = self.join("Alpha", channels=["gossip"])
        self.writer.settle()
        self.say(session, send("1"))
        self.assertEqual((self.service.status()["answers"], self.service.counters.unkept), (1, 0))
        self.writer.settle(kept=False)
        self.assertEqual((self.service.status()["answers"], self.service.counters.unkept), (0, 1))

    def test_lag(self) -> None:
        """The delay of each tick is measured: it shows how long the reactor was busy."""
        self.clock.pump([1] * 3)
        for seconds in (1.3, 0.9, 0.8):
            self.clock.advance(seconds)
        counters = self.service.counters
        lags = dict(zip((*LATENCIES, None), counters.lags, strict=True))
        self.assertEqual({bound: count for bound, count in lags.items() if count}, {0.001: 4, 0.25: 1, 0.5: 1})
        self.assertAlmostEqual(counters.lag_seconds, 0.5, 3)

    def test_wall_clock_set(self) -> None:
        """A wall clock that is set is no lag, stops nothing, and is logged once."""
        self.clock.pump([1] * 3)
        ticks = sum(self.service.counters.lags)
        with capturedLogs() as logged:
            self.clock.ahead = -3600
            self.clock.pump([1] * 3)
        self.assertEqual(sum(self.service.counters.lags), ticks + 3)
        self.assertAlmostEqual(self.service.counters.lag_seconds, 0, 3)
        self.assertEqual([event["seconds"] for event in logged if "seconds" in event], [-3600])

    def test_health(self) -> None:
        """A writer that has work and does nothing for ten seconds is stuck, until it goes on."""
        _, session = self.join("Alpha", channels=["gossip"])
        self.clock.advance(1)
        self.writer.settle()
        self.say(session, send("1"))
        self.clock.pump([1] * 11)
        self.assertEqual(self.service.status()["health"], "ok")
        self.clock.pump([1] * 2)
        self.assertEqual((self.service.status()["health"], self.service.status()["queue"]), ("stuck", 1))
        self.writer.settle()
        self.clock.advance(1)
        self.assertEqual(self.service.status()["health"], "ok")
        self.assertEqual(self.service.status()["uptime"], 15)
        self.service.stopService()
        self.assertEqual(self.service.status()["health"], "stopping")

    def test_trouble(self) -> None:
        """What is not kept makes the network unwell, in the writer's word; the next change that is kept mends it."""
        _, session = self.join("Alpha", channels=["gossip"])
        for full, health in ((True, "disk-full"), (True, "disk-full"), (False, "ok")):
            self.writer.full = full
            self.say(session, send("1"))
            self.writer.settle()
            self.assertEqual(self.service.status()["health"], health)

    def test_quiet(self) -> None:
        """Where nobody speaks, the writer is probed at the start, and again whenever it rested for half a minute."""
        self.writer.slow = False
        self.clock.pump([1] * 2)
        self.assertEqual((self.writer.probes, self.service.status()["health"]), (1, "ok"))
        self.writer.full = True
        self.clock.pump([1] * 28)
        self.assertEqual((self.writer.probes, self.service.status()["health"]), (1, "ok"))
        self.clock.pump([1] * 4)
        self.assertEqual((self.writer.probes, self.service.status()["health"]), (2, "disk-full"))
        self.writer.full = False
        self.clock.pump([1] * 32)
        self.assertEqual((self.writer.probes, self.service.status()["health"]), (3, "ok"))
        for _ in range(60):
            self.writer.commit(ChannelSaved(Channel("gossip")), lambda kept: None, True)
            self.clock.advance(1)
        self.assertEqual(self.writer.probes, 3)

    def test_probe_that_hangs(self) -> None:
        """A probe that does not end in ten seconds is a stuck writer, and no further one is asked for."""
        self.clock.pump([1] * 60)
        self.assertEqual((self.writer.probes, self.service.status()["health"]), (1, "stuck"))
        self.writer.end_probe()
        self.clock.advance(1)
        self.assertEqual(self.service.status()["health"], "ok")


class AdminTests(ServiceTestCase):
    """Changes by an admin to a running network."""

    def test_change(self) -> None:
        """A change is in force when it is kept."""
        done = self.service.change(ChannelSaved(Channel("news", hidden=False)))
        self.assertNoResult(done)
        self.assertNotIn("news", self.world.registry.channels)
        self.writer.settle()
        self.successResultOf(done)
        self.assertIn("news", self.world.registry.channels)

    def test_made_in_turn(self) -> None:
        """A function makes its change from what is known once the change before it is in force."""
        seen: list[bool] = []

        def make() -> Change | None:
            seen.append("news" in self.world.registry.channels)
            return None if seen[-1] else ChannelSaved(Channel("news"))

        first, second = self.service.change(make), self.service.change(make)
        self.assertEqual(seen, [False])
        self.writer.settle()
        self.assertEqual(seen, [False, True])
        for done in (first, second):
            self.successResultOf(done)
        self.assertEqual(self.writer.waiting, [])

    def test_subscribed_while_made(self) -> None:
        """A game that subscribes to a channel while an admin makes it undoes nothing of that, on disk either."""
        made = ChannelSaved(Channel("news", hidden=False, description="All the news"))
        _, session = self.join("Alpha")
        self.service.change(made)
        self.say(session, frame("channels/subscribe", {"channel": "news"}))
        self.writer.settle()
        self.assertEqual(self.world.registry.channels["news"], made.channel)
        on_disk = Registry()
        for change in self.writer.kept:
            on_disk.enact(change)
        self.assertEqual(on_disk.channels["news"], made.channel)

    def test_cannot_be_made(self) -> None:
        """What a function raises is the failure of its change, and the next one has its turn."""

        def make() -> Change:
            raise KeyError

        self.failureResultOf(self.service.change(make), KeyError)
        self.service.change(ChannelSaved(Channel("news")))
        self.writer.settle()
        self.assertIn("news", self.world.registry.channels)

    def test_refused(self) -> None:
        """A change that contradicts what is known is refused, and the next one has its turn."""
        self.failureResultOf(self.service.change(GameRemoved("nobody")), Refused)
        done = self.service.change(ChannelSaved(Channel("news")))
        self.writer.settle()
        self.successResultOf(done)

    def test_not_kept(self) -> None:
        """A change that cannot be kept is not in force, and says so."""
        done = self.service.change(ChannelSaved(Channel("news")))
        self.writer.settle(kept=False)
        self.failureResultOf(done, NotKept)
        self.assertNotIn("news", self.world.registry.channels)

    def test_stuck(self) -> None:
        """While the disk does not answer nobody waits for ever, and a change that was begun is made when it does."""
        begun = self.service.change(ChannelSaved(Channel("news")))
        waiting = self.service.change(ChannelSaved(Channel("more")))
        said = self.service.say("Ana", PEER, "gossip", "hello")
        self.clock.advance(PATIENCE - 1)
        for done in (begun, waiting, said):
            self.assertNoResult(done)
        self.clock.advance(1)
        self.failureResultOf(begun, NotSettled)
        self.failureResultOf(said, NotSettled)
        self.assertIn("Nothing was changed.", str(self.failureResultOf(waiting, NotKept).value))
        third = self.service.change(ChannelSaved(Channel("third")))
        self.writer.settle()
        self.writer.settle()
        self.successResultOf(third)
        self.assertEqual({"news", "third"} - set(self.world.registry.channels), set())
        self.assertNotIn("more", self.world.registry.channels)

    def test_one_at_a_time(self) -> None:
        """Each change is judged by what the one before made of the network."""
        client_id = self.world.game("Alpha").client_id
        first, second = (self.service.change(GameRemoved(client_id)) for _ in range(2))
        self.writer.settle()
        self.successResultOf(first)
        self.failureResultOf(second, Refused)

    def test_removed_while_online(self) -> None:
        """Removing a game closes its sessions."""
        alpha, _ = self.join("Alpha")
        self.service.change(GameRemoved(self.world.game("Alpha").client_id))
        self.writer.settle()
        self.told(alpha)
        self.assertEqual(alpha.closed, (4000, "the game was removed"))

    def test_announce(self) -> None:
        """The network itself speaks, and observers hear it; one that fails hears no more."""
        alpha, _ = self.join("Alpha", channels=["gossip"])
        heard: list[MessageSaid] = []
        self.service.heard |= {heard.append, lambda said: 1 / 0}  # type: ignore[arg-type]
        self.successResultOf(self.service.announce("gossip", "hello"))
        self.service.announce("gossip", "again")
        self.assertEqual([told["payload"]["message"] for told in self.told(alpha)], ["hello", "again"])
        self.assertEqual([said.message for said in heard], ["hello", "again"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.failureResultOf(self.service.announce("nowhere", "hello"), Refused)

    def test_notice(self) -> None:
        """A notice of a restart goes to every game."""
        alpha, _ = self.join("Alpha")
        self.service.notice(60)
        self.assertEqual([told["payload"] for told in self.told(alpha)], [{"downtime": 60}])


class PeopleTests(ServiceTestCase):
    """Messages from people on the pages."""

    def setUp(self) -> None:
        super().setUp()
        self.alpha, _ = self.join("Alpha", channels=["gossip"])
        self.heard: list[MessageSaid] = []
        self.service.heard.add(self.heard.append)

    def test_say(self) -> None:
        """Games and pages hear a message at once; the call finishes when it is on disk."""
        done = self.service.say("Ana", PEER, "gossip", "hello")
        self.assertNoResult(done)
        [told] = self.told(self.alpha)
        self.assertEqual(
            (told["event"], told["payload"]),
            ("channels/broadcast", {"channel": "gossip", "game": "gossip", "name": "Ana", "message": "hello"}),
        )
        self.assertEqual([(said.game, said.name, said.message) for said in self.heard], [("gossip", "Ana", "hello")])
        self.writer.settle()
        self.assertIsNone(self.successResultOf(done))
        self.assertEqual(self.writer.kept[-1], self.heard[0])
        self.assertEqual(self.service.counters.messages, 1)

    def test_refused(self) -> None:
        """A message that is invalid or too fast is refused to its speaker, and nobody hears it."""
        self.failureResultOf(self.service.say("Ana", PEER, "gossip", ""), Denied)
        for _ in range(10):
            self.service.say("Ana", PEER, "gossip", "hello")
        self.told(self.alpha)
        self.failureResultOf(self.service.say("Ana", PEER, "gossip", "hello"), Overrun)
        self.assertEqual((self.told(self.alpha), len(self.heard), len(self.writer.waiting)), ([], 10, 10))

    def test_not_kept(self) -> None:
        """A message that could not be kept was still heard, and its speaker is told."""
        done = self.service.say("Ana", PEER, "gossip", "hello")
        self.writer.settle(kept=False)
        self.failureResultOf(done, NotKept)
        self.assertEqual(len(self.told(self.alpha)), 1)

    def test_order(self) -> None:
        """Games hear people and games in the order in which they spoke."""
        _, beta = self.join("Beta", channels=["gossip"])
        self.service.say("Ana", PEER, "gossip", "one")
        self.say(beta, send("2"))
        self.service.say("Bea", PEER, "gossip", "three")
        told = [told["payload"].get("message") for told in self.told(self.alpha)]
        self.assertEqual(told, [None, "one", "hello", "three"])  # the first is that Beta came

    def test_sessions(self) -> None:
        """The live sessions are those of games that have authenticated, with what carries them."""
        self.connect()
        [(session, transport)] = self.service.sessions()
        self.assertEqual((str(session.peer), session.opened_at, transport), ("192.0.2.1", NOW, "memory"))
        self.assertEqual(self.service.transport_of(session), "memory")
        self.service.lost(session)
        self.assertEqual(self.service.transport_of(session), "")


class WatchTests(ServiceTestCase):
    """What owners see of their sessions."""

    def look(self, name: str = "Alpha") -> Watched:
        """Somebody looks at a game."""
        return self.service.watch.look(self.world.game(name).client_id, PEER, self.clock.now())

    def test_told(self) -> None:
        """The watch is told what comes, what leaves and what ends, in the order in which it does."""
        watched = self.look()
        _, session = self.join("Alpha", channels=["gossip"])
        _, other = self.join("Beta", channels=["gossip"])
        watched.frames.clear()
        self.say(session, send("1"))
        self.assertEqual([each.way for each in watched.frames], ["in"])
        self.say(other, send("2"))
        self.assertIn('"Beta"', watched.frames[-1].text)
        self.writer.settle()
        self.assertIn('"success"', watched.frames[-1].text)
        self.service.notice(30)
        self.assertIn('"restart"', watched.frames[-1].text)
        self.service.lost(session)
        self.assertEqual([each.way for each in watched.frames], ["in", "out", "out", "out", "end"])
        self.assertEqual(set(watched.seen), {"opened", "authenticated", "message", "heard"})

    def test_refused(self) -> None:
        """The watch notes refused logins."""
        watched = self.look()
        _, session = self.connect()
        self.say(session, frame("authenticate", self.world.credentials("Alpha", supports=[])))
        self.assertEqual([each.error.text for each in watched.refusals], ["missing supports"])

    def test_cut_off(self) -> None:
        """The watch notes why a session was ended."""
        watched = self.look()
        self.join("Alpha")
        self.clock.pump([1] * 70)
        self.assertEqual(watched.frames[-1].text, "closed with 4001: heartbeat failure")

    def test_unwatched(self) -> None:
        """The service does not call the watch while nobody looks."""
        for method in ("received", "delivered", "broadcast", "lost", "rest"):
            self.patch(self.service.watch, method, None)
        _, session = self.join("Alpha", channels=["gossip"])
        self.join("Beta", channels=["gossip"])
        self.say(session, send("1"))
        self.writer.settle()
        self.clock.pump([1] * 20)
        self.service.lost(session)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_rest(self) -> None:
        """Watching ends some minutes after the last look."""
        self.look()
        self.clock.pump([1] * int(SECONDS + 1))
        self.assertEqual(self.service.watch.watched, {})


class DrainingTests(ServiceTestCase):
    """A node that takes no new games."""

    def test_authenticate(self) -> None:
        """Whoever authenticates is told to connect again, on an old connection too; games that are here stay."""
        alpha, one = self.join("Alpha", channels=["gossip"])
        waiting, two = self.connect()
        self.service.drain()
        late, three = self.connect()
        for session in (two, three):
            self.say(session, frame("authenticate", self.world.credentials("Beta")))
        self.assertEqual((self.told(waiting), self.told(late)), ([], []))
        why = 1012, "no new games here: connect again"
        self.assertEqual((alpha.closed, waiting.closed, late.closed), (None, why, why))
        for session in (two, three):
            self.service.lost(session)
        self.say(one, send("1"))
        self.writer.settle()
        self.assertEqual([told["status"] for told in self.told(alpha)], ["success"])
        self.assertEqual(self.service.status()["games"], 1)

    def test_nothing_else(self) -> None:
        """Other events of a session that has not authenticated are answered as ever."""
        waiting, session = self.connect()
        self.service.drain()
        self.say(session, send("1"))
        self.assertEqual([told["error"] for told in self.told(waiting)], ["unauthenticated"])
        self.assertIsNone(waiting.closed)

    def test_end(self) -> None:
        """Once it takes games again, they come."""
        self.service.drain()
        self.service.drain(False)
        self.join("Alpha")
        self.assertEqual(self.service.status()["games"], 1)


class StopTests(ServiceTestCase):
    """The stop of the service."""

    def test_nobody_there(self) -> None:
        """Without connections the service stops at once, and leaves no timer."""
        self.successResultOf(self.service.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_drain(self) -> None:
        """Every session is told, a moment later closed with 1012, and waited for."""
        alpha, one = self.join("Alpha")
        waiting, two = self.connect()
        stopped = self.service.stopService()
        self.assertEqual([told["event"] for told in self.told(alpha)], ["restart"])
        self.clock.advance(PARTING_SECONDS - 0.01)
        self.assertEqual((alpha.closed, waiting.closed), (None, None))
        self.clock.advance(0.01)
        self.assertEqual((alpha.closed, waiting.closed), ((1012, "restarting"), (1012, "restarting")))
        self.service.lost(one)
        self.assertNoResult(stopped)
        self.service.lost(two)
        self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_moment(self) -> None:
        """What a game asks in that moment is answered, and somebody that connects in it is closed with the others."""
        alpha, one = self.join("Alpha", channels=["gossip"])
        stopped = self.service.stopService()
        self.told(alpha)
        self.say(one, send("1"))
        self.writer.settle()
        self.assertEqual([told["status"] for told in self.told(alpha)], ["success"])
        late, two = self.connect()
        self.clock.advance(PARTING_SECONDS)
        self.assertEqual((alpha.closed, late.closed), ((1012, "restarting"), (1012, "restarting")))
        for session in (one, two):
            self.service.lost(session)
        self.successResultOf(stopped)

    def test_nobody_left(self) -> None:
        """If all games leave by themselves when they are told, nothing is waited for."""
        _, session = self.join("Alpha")
        stopped = self.service.stopService()
        self.service.lost(session)
        self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nobody_told(self) -> None:
        """Sessions that have not authenticated are told nothing, so they are closed at once."""
        stranger, _ = self.connect()
        self.service.stopService()
        self.assertEqual(stranger.closed, (1012, "restarting"))

    def test_drain_is_bounded(self) -> None:
        """The stop does not wait for ever for a connection that does not end."""
        self.join("Alpha")
        stopped = self.service.stopService()
        self.clock.advance(1.9)
        self.assertNoResult(stopped)
        self.clock.advance(0.1)
        self.successResultOf(stopped)
