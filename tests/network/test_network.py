"""The network: the order of its checks, heartbeats, time limits and changes."""

from __future__ import annotations

from typing import Any

from msgspec import Raw
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.audiences import Supporters
from gossip.network.outputs import Broadcast, Close, Commit, Send
from gossip.network.ratelimit import Rate
from gossip.network.session import Session, Situation
from gossip.network.settings import NetworkLimits, NetworkSettings, Rates
from gossip.protocol.errors import MALFORMED, NOT_KEPT, Error
from gossip.protocol.events import GamesStatus, PlayersListed
from gossip.protocol.server_events import (
    Authenticated,
    Beat,
    Failure,
    GamesConnect,
    GamesDisconnect,
    GamesStatusAnswer,
    Restart,
    Success,
)
from gossip.registry.changes import (
    AuditExpired,
    Change,
    GameOffline,
    GameRemoved,
    GameSaved,
    MessagesExpired,
    PlayerCountsExpired,
    PlayersCounted,
    Together,
)
from gossip.registry.errors import Refused
from tests.support.world import FLAGS, NOW, World, at, frame, ref, written

FOR_EVER = NetworkSettings(history_days=0, player_count_days=0, audit_days=0)
SLOW = NetworkLimits(rates=Rates(global_=Rate(2, 1)))
"""Limits that a test reaches quickly."""


def failed(event: Any, error: str, ref: Any = None) -> dict[str, Any]:
    """A failure, as a game reads it."""
    echoed = {key: value for key, value in (("event", event), ("ref", ref)) if value is not None}
    return {**echoed, "status": "failure", "error": error}


class GuardTests(SynchronousTestCase):
    """The checks in the order of the specification: the first that fails answers."""

    def test_unreadable(self) -> None:
        """An unreadable frame is always answered as unknown, and never ends a session."""
        world = World()
        for session in (world.open(), world.join("Alpha")):
            for junk in (b"", b"{", b"[]", b"\xff", b"null"):
                self.assertEqual(
                    world.say(session, junk), [Send(session, Failure(None, None, Error.of("unknown-event")))]
                )
            self.assertIsNot(session.situation, Situation.GONE)

    def test_unauthenticated(self) -> None:
        """Before authentication nothing but authenticate is heard; event and ref are echoed."""
        world = World()
        session = world.open()
        for event in ("heartbeat", "channels/send", "tells/send", "what", "restart", 1):
            self.assertEqual(world.ask(session, {"event": event, "ref": "r"}), [failed(event, "unauthenticated", "r")])
            self.assertEqual(world.ask(session, {"event": event}), [failed(event, "unauthenticated")])
        self.assertEqual(world.ask(session, {}), [failed(None, "unauthenticated")])
        self.assertIs(session.situation, Situation.NEW)

    def test_unknown(self) -> None:
        """An event that no game may send is unknown, with or without a ref."""
        world = World()
        session = world.join("Alpha")
        for event in ("what", "restart", "channels/broadcast", "games/connect", "tells/receive", 1, [1], "Heartbeat"):
            self.assertEqual(world.ask(session, {"event": event, "ref": [0]}), [failed(event, "unknown", [0])])
            self.assertEqual(world.ask(session, {"event": event}), [failed(event, "unknown")])
        self.assertEqual(world.ask(session, {"ref": "r"}), [failed(None, "unknown", "r")])

    def test_second_authenticate(self) -> None:
        """An active session cannot authenticate again."""
        world = World()
        session = world.join("Alpha")
        again = frame("authenticate", world.credentials("Beta"), "r")
        self.assertEqual(world.ask(session, again), [failed("authenticate", "unknown", "r")])
        self.assertEqual(session.online and session.online.game.short_name, "Alpha")

    def test_flags(self) -> None:
        """Each event needs its flag, which is checked before its ref and payload; without a ref there is no answer."""
        world = World()
        session = world.join("Alpha", supports=["channels"])
        flags = {
            "players/sign-in": "players",
            "players/sign-out": "players",
            "players/status": "players",
            "games/status": "games",
            "tells/send": "tells",
            "achievements/sync": "achievements",
            "achievements/create": "achievements",
            "achievements/update": "achievements",
            "achievements/delete": "achievements",
        }
        for event, flag in flags.items():
            wanted = failed(event, f'missing support for "{flag}"', "r")
            self.assertEqual(world.ask(session, frame(event, 7, "r")), [wanted])
            self.assertEqual(world.ask(session, frame(event, 7)), [])

    def test_malformed(self) -> None:
        """A wrong ref or payload is answered if there is a ref, without it if that is too long."""
        world = World()
        session = world.join("Alpha")
        for event in ("channels/subscribe", "channels/send", "players/sign-in"):
            self.assertEqual(world.ask(session, frame(event, {}, "r")), [failed(event, MALFORMED.text, "r")])
            self.assertEqual(world.ask(session, frame(event, {})), [])
            self.assertEqual(world.ask(session, frame(event, {}, "r" * 255)), [failed(event, MALFORMED.text)])
        tell = frame("tells/send", {}, "r")
        self.assertEqual(world.ask(session, tell), [failed("tells/send", "invalid payload", "r")])
        for event in ("players/status", "games/status", "tells/send", "achievements/sync"):
            self.assertEqual(world.ask(session, frame(event)), [])

    def test_global_limit_first(self) -> None:
        """The global limit is looked at before all else: every frame counts, and is answered."""
        world = World(limits=SLOW)
        new = world.open()
        self.assertEqual(written(world.say(new, b"junk"), new), [failed(None, "unknown")])
        self.assertEqual(world.ask(new, frame("heartbeat")), [failed("heartbeat", "unauthenticated")])
        self.assertEqual(world.ask(new, b"junk"), [failed(None, "rate limit exceeded")])
        self.assertEqual(world.ask(new, frame("what", ref=1)), [failed("what", "rate limit exceeded", 1)])
        authenticate = frame("authenticate", world.credentials("Alpha"), "r")
        self.assertEqual(world.ask(new, authenticate), [failed("authenticate", "rate limit exceeded", "r")])
        self.assertIs(new.situation, Situation.NEW)
        self.assertEqual(world.ask(new, frame("heartbeat"), NOW + 1), [failed("heartbeat", "unauthenticated")])

    def test_global_abuse(self) -> None:
        """The tenth strike ends a session."""
        world = World(limits=SLOW)
        session = world.join("Alpha", NOW)
        self.assertEqual(world.say(session, frame("heartbeat")), [])
        exceeded = Failure("heartbeat", Raw(b"1"), Error.of("rate-limited"))
        for _ in range(9):
            self.assertEqual(world.say(session, frame("heartbeat", ref=1)), [Send(session, exceeded)])
        goodbye = Failure("heartbeat", Raw(b"1"), Error.of("rate-limited-goodbye"))
        self.assertEqual(
            world.say(session, frame("heartbeat", ref=1)), [Send(session, goodbye), Close(session, 4000, goodbye.error)]
        )
        self.assertIs(session.situation, Situation.GONE)
        self.assertEqual(world.say(session, frame("heartbeat")), [])
        self.assertEqual(next(iter(world.network.presence)).sessions, {})
        self.assertEqual(world.network.lost(session, at(NOW)), [])

    def test_limits_are_a_sessions_own(self) -> None:
        """What one session sends costs another nothing."""
        world = World(limits=SLOW)
        first, second = world.join("Alpha"), world.join("Alpha")
        for _ in range(5):
            world.say(first, frame("heartbeat"))
        self.assertEqual(world.say(second, frame("heartbeat")), [])

    def test_no_limit(self) -> None:
        """A burst of 0 is no limit."""
        world = World(limits=NetworkLimits(rates=Rates(global_=Rate(0, 20))))
        session = world.join("Alpha")
        self.assertEqual([world.say(session, frame("heartbeat")) for _ in range(1000)], [[]] * 1000)

    def test_debug(self) -> None:
        """With debug, requests without a ref are answered too, without one, for 300 s; heartbeats never."""
        world = World()
        session = world.join("Alpha", debug=True)
        signed_in = frame("players/sign-in", {"name": "Ana"})
        self.assertEqual(world.ask(session, signed_in), [{"event": "players/sign-in", "status": "success"}])
        self.assertEqual(world.ask(session, frame("games/status")), [failed("games/status", MALFORMED.text)])
        self.assertEqual(world.ask(session, frame("players/sign-in")), [failed("players/sign-in", MALFORMED.text)])
        said = frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hi"})
        self.assertEqual(world.ask(session, said), [failed("channels/send", "not subscribed")])
        self.assertEqual(world.ask(session, frame("heartbeat")), [])
        self.assertEqual(len(world.ask(session, signed_in, NOW + 299.9)), 1)
        self.assertEqual(world.ask(session, signed_in, NOW + 300), [])

    def test_no_debug(self) -> None:
        """Only C{true} asks for it."""
        world = World()
        for debug in (False, None, "true", 1, [True]):
            session = world.join("Alpha", debug=debug)
            self.assertEqual(world.ask(session, frame("players/sign-in", {"name": "Ana"})), [])


class RefTests(SynchronousTestCase):
    """The ref that a transport sends with an event."""

    def test_opaque(self) -> None:
        """Whatever it is, it comes back untouched, with a success and with a failure."""
        world, token = World(), object()
        session = world.join("Alpha")
        for event in (GamesStatus(token), GamesStatus(token, "nobody")):
            [answer] = world.network.receive(session, event, at(NOW))
            assert isinstance(answer, Send) and isinstance(answer.event, GamesStatusAnswer | Failure)
            self.assertIs(answer.event.ref, token)


class HeartbeatTests(SynchronousTestCase):
    """Heartbeats, their answers, and missing answers."""

    def ticks(self, world: World, start: int, end: int) -> list[tuple[int, Any]]:
        """The outputs of each second from start up to end, each with its second."""
        return [(late, output) for late in range(start, end) for output in world.network.tick(at(NOW + late))]

    def test_every_15_seconds(self) -> None:
        """Each session gets a heartbeat every 15 s, counted from its own authentication."""
        world = World()
        world.network.tick(at(NOW))
        first = world.join("Alpha", NOW + 0.2)
        self.assertEqual(self.ticks(world, 1, 8), [])
        second = world.join("Beta", NOW + 7.5)
        self.assertEqual(self.ticks(world, 8, 15), [])
        self.assertEqual(
            self.ticks(world, 15, 38),
            [
                (15, Send(first, Beat(1))),
                (22, Send(second, Beat(1))),
                (30, Send(first, Beat(2))),
                (37, Send(second, Beat(2))),
            ],
        )

    def test_listed(self) -> None:
        """A list of players from the telnet bridge counts as a heartbeat, and is answered."""
        world = World()
        session = world.join("Alpha", players=["Ana"])
        self.assertEqual(session.unanswered, 1)
        listed = PlayersListed(ref(7), ("Bo", "", "Cy"))
        outputs = world.network.receive(session, listed, at(NOW))
        self.assertEqual(outputs, [Send(session, Success("players", ref(7)))])
        self.assertEqual((session.unanswered, list(session.players)), (0, ["Bo", "Cy"]))

    def test_unanswered(self) -> None:
        """Three unanswered heartbeats, the first sent with the authentication, close a session at the next one."""
        world = World()
        world.network.tick(at(NOW))
        session = world.join("Alpha")
        first, second = (Send(session, Beat(number)) for number in (1, 2))
        close = Close(session, 4001, Error.of("heartbeat-failed"))
        self.assertEqual(self.ticks(world, 1, 100), [(15, first), (30, second), (45, close)])
        self.assertIs(session.situation, Situation.GONE)

    def test_answered(self) -> None:
        """An answer in any form resets the count; other events do not."""
        for sign in (b'{"event":"heartbeat"}', b'{"event":"heartbeat","payload":[],"status":null,"ref":1}'):
            world = World()
            world.network.tick(at(NOW))
            session = world.join("Alpha")
            self.ticks(world, 1, 45)
            self.assertEqual(world.say(session, sign, NOW + 44), [])
            world.say(session, frame("games/status", ref=1), NOW + 50)
            beats = [(15 * number, Send(session, Beat(number))) for number in (3, 4, 5)]
            close = Close(session, 4001, Error.of("heartbeat-failed"))
            gone = Supporters("games", world.client_id("Alpha"))
            told = [
                (150, Broadcast(gone, GamesDisconnect(ref(world.made + 1), "Alpha"))),
                (150, Commit(GameOffline(world.client_id("Alpha"), NOW + 90), learned=True)),
            ]
            self.assertEqual(self.ticks(world, 45, 200), [*beats, (90, close), *told])

    def test_alive(self) -> None:
        """A sign of life other than a heartbeat counts too, and changes no players."""
        world = World()
        world.network.tick(at(NOW))
        session = world.join("Alpha", players=["Ana"])
        for start in range(1, 300, 30):
            self.ticks(world, start, start + 30)
            world.network.alive(session)
        self.assertEqual((session.situation, list(session.players)), (Situation.ACTIVE, ["Ana"]))

    def test_lost(self) -> None:
        """A session that has ended gets no heartbeats."""
        world = World()
        world.network.tick(at(NOW))
        session = world.join("Alpha")
        world.network.lost(session, at(NOW + 1))
        self.assertEqual(self.ticks(world, 1, 60), [])

    def test_jump(self) -> None:
        """After a jump forward each session gets one heartbeat; after a clock is set back, none until it catches up."""
        world = World()
        world.network.tick(at(NOW))
        session = world.join("Alpha")
        self.assertEqual(world.network.tick(at(NOW + 899)), [Send(session, Beat(1))])
        self.assertEqual(world.network.tick(at(NOW)), [])
        self.assertEqual(world.network.tick(at(NOW)), [])
        self.assertEqual(self.ticks(world, 1, 16), [(15, Send(session, Beat(2)))])

    def test_late_ticks(self) -> None:
        """A tick that was skipped is made up for."""
        world = World()
        world.network.tick(at(NOW))
        session = world.join("Alpha")
        self.assertEqual(world.network.tick(at(NOW + 14.9)), [])
        self.assertEqual(world.network.tick(at(NOW + 16.1)), [Send(session, Beat(1))])
        self.assertEqual(world.network.tick(at(NOW + 16.9)), [])

    def test_time_out(self) -> None:
        """A session that has not authenticated within 60 s of connecting is closed."""
        world = World()
        world.network.tick(at(NOW))
        first, second = world.open(NOW), world.open(NOW + 0.5)
        third = world.open(NOW + 1)
        self.assertEqual(self.ticks(world, 1, 60), [])
        world.say(second, frame("authenticate", world.credentials("Alpha")), NOW + 59)
        world.network.notes.keep()
        world.network.lost(third, at(NOW + 59))
        self.assertEqual(self.ticks(world, 60, 62), [(60, Close(first, 4001, Error.of("login-timeout")))])
        self.assertEqual(world.say(first, frame("authenticate", world.credentials("Alpha"))), [])

    def test_time_out_at(self) -> None:
        """It is not closed a second earlier, and never without a limit."""
        world, patient = World(), World(limits=NetworkLimits(authenticate_seconds=0))
        for each in (world, patient):
            each.network.tick(at(NOW))
        session, _ = world.open(NOW), patient.open(NOW)
        self.assertEqual(self.ticks(world, 1, 60), [])
        self.assertEqual(self.ticks(world, 60, 62), [(60, Close(session, 4001, Error.of("login-timeout")))])
        self.assertEqual(self.ticks(patient, 1, 200), [])


class TimeTests(SynchronousTestCase):
    """Connects and disconnects, player counts, expiry and restarts."""

    def test_disconnect(self) -> None:
        """The others with the flag hear it once; after it, a return is news again."""
        world = World()
        other, _ = world.join("Beta"), world.join("Gamma", supports=["channels"])
        others = Supporters("games", world.client_id("Alpha"))
        self.assertEqual(world.network.hearing(others), (other,))
        first, second = world.join("Alpha"), world.join("Alpha")
        world.made = 0
        self.assertEqual(world.network.lost(first, at(NOW)), [])
        self.assertEqual(world.network.lost(second, at(NOW + 10)), [])
        world.network.tick(at(NOW + 68))
        self.assertEqual(world.network.tick(at(NOW + 69)), [])
        self.assertEqual(world.network.tick(at(NOW + 70))[:1], [Broadcast(others, GamesDisconnect(ref(1), "Alpha"))])
        back = world.open()
        outputs = world.say(back, frame("authenticate", world.credentials("Alpha")), NOW + 71)
        self.assertEqual(outputs[-1], Broadcast(others, GamesConnect(ref(2), "Alpha")))

    def test_quick_return(self) -> None:
        """A quick reconnect is announced to nobody."""
        world = World()
        other = world.join("Beta")
        world.network.lost(world.join("Alpha"), at(NOW))
        world.network.tick(at(NOW + 58))
        back = world.open(NOW + 59)
        outputs = world.say(back, frame("authenticate", world.credentials("Alpha")), NOW + 59)
        self.assertEqual(outputs, [Send(back, Authenticated(None, "Alpha")), Send(back, Beat(0))])
        for late in range(60, 70):
            told = [output for output in world.network.tick(at(NOW + late)) if isinstance(output, Broadcast)]
            self.assertEqual(told, [])
        self.assertIs(other.situation, Situation.ACTIVE)

    def test_hidden(self) -> None:
        """A hidden game is announced to nobody, but hears about the others."""
        world = World()
        world.change("Alpha", hidden=True)
        other = world.join("Beta")
        hidden = world.open()
        world.made = 0
        outputs = world.say(hidden, frame("authenticate", world.credentials("Alpha")))
        self.assertEqual([output for output in outputs if isinstance(output, Broadcast)], [])
        world.settle()
        world.made = 0
        third = world.open()
        last = world.say(third, frame("authenticate", world.credentials("Gamma")))[-1]
        others = Supporters("games", world.client_id("Gamma"))
        self.assertEqual(last, Broadcast(others, GamesConnect(ref(1), "Gamma")))
        self.assertEqual(world.network.hearing(others), (other, hidden))
        world.network.lost(hidden, at(NOW))
        world.network.tick(at(NOW + 59))
        told = [output for output in world.network.tick(at(NOW + 60)) if isinstance(output, Broadcast)]
        self.assertEqual(told, [])

    def test_counts(self) -> None:
        """Every quarter of an hour players are counted, where somebody is online."""
        world = World(NetworkSettings(history_days=0))
        world.network.tick(at(NOW))
        self.assertEqual(world.network.tick(at(NOW + 900)), [])
        self.assertEqual(world.network.tick(at(NOW + 1799)), [])
        world.join("Alpha", NOW + 1799, players=["Ana", "Bo"])
        counted = PlayersCounted(NOW + 1800, ((world.game("Alpha").client_id, 2),))
        self.assertEqual(world.network.tick(at(NOW + 1801)), [Commit(counted)])
        self.assertEqual(world.network.tick(at(NOW + 1802)), [])

    def test_expired(self) -> None:
        """Every hour old messages go, unless they are kept for ever."""
        world, keeping = World(NetworkSettings(history_days=2)), World(FOR_EVER)
        for each in (world, keeping):
            self.assertEqual([each.network.tick(at(NOW + late)) for late in (0, 3599)], [[], []])
        expected: list[Change] = [
            MessagesExpired(NOW + 3600 - 2 * 86400),
            PlayerCountsExpired(NOW + 3600 - 730 * 86400),
            AuditExpired(NOW + 3600 - 730 * 86400),
        ]
        self.assertEqual(world.network.tick(at(NOW + 3600)), list(map(Commit, expected)))
        self.assertEqual(keeping.network.tick(at(NOW + 3600)), [])

    def test_restart(self) -> None:
        """Every active session hears a whole number within 5 s of the announced one, at least 0."""
        world = World()
        first, second = world.join("Alpha"), world.join("Alpha")
        third = world.join("Beta")
        world.open()
        world.network.lost(world.join("Gamma"), at(NOW))
        for random, heard in ((0.0, 55), (0.5, 60), (1.0, 65), (0.9, 64)):
            world.random, world.made = random, 0
            self.assertEqual(
                world.network.restart(60),
                [Send(session, Restart(ref(n), heard)) for n, session in enumerate((first, second, third), 1)],
            )
        world.random = 0.0
        self.assertEqual(world.network.restart(3)[0], Send(first, Restart(ref(4), 0)))

    def test_restart_keeps_notes(self) -> None:
        """What was noted of games that have just joined is committed before the network goes away."""
        world = World()
        session = world.open()
        world.say(session, frame("authenticate", world.credentials("Alpha")))
        commit, *told = world.network.restart(60)
        assert isinstance(commit, Commit)
        self.assertIsInstance(commit.change, Together)
        self.assertEqual(len(told), 1)
        self.assertEqual(world.network.notes.keep(), [])


class KeptTests(SynchronousTestCase):
    """Changes by an admin, and changes that are on disk."""

    def test_answers(self) -> None:
        """The outputs of a commit leave when it is settled: those for success or those for failure."""
        world = World()
        session = world.join("Alpha")
        done, not_done = Send(session, Success("x", None)), Send(session, Failure("x", None, NOT_KEPT))
        commit = Commit(MessagesExpired(NOW), (done,), (not_done,))
        self.assertEqual(world.settled(commit, True, NOW), [done])
        self.assertEqual(world.settled(commit, False, NOW), [not_done])

    def test_apply(self) -> None:
        """A change takes effect when it is kept, not before, and not if it failed."""
        world = World()
        changed = replace(world.game("Alpha"), short_name="Omega")
        commit = world.network.apply(GameSaved(changed))
        self.assertEqual(commit, Commit(GameSaved(changed)))
        self.assertEqual(world.settled(commit, False, NOW), [])
        self.assertIsNone(world.registry.game_named("Omega"))
        self.assertEqual(world.settled(commit, True, NOW), [])
        self.assertEqual(world.registry.game_named("omega"), changed)

    def test_refused(self) -> None:
        """A change that contradicts the registry or the block list of the settings is refused."""
        world = World(NetworkSettings(blocked_games=("Nope",)))
        # Those of the network itself belong to it whatever the list has.
        for name in ("BETA", "nope", "a b", "Gossip", "grapevine"):
            changed = GameSaved(replace(world.game("Alpha"), short_name=name))
            self.assertRaises(Refused, world.network.apply, changed)

    def test_game_changed(self) -> None:
        """A game that is online is what it is registered as from then on."""
        world = World()
        session = world.join("Alpha")
        changed = replace(world.game("Alpha"), short_name="Omega", hides_players=True)
        world.settled(world.network.apply(GameSaved(changed)), True, NOW)
        assert session.online is not None
        self.assertEqual((session.online.game, session.supports), (changed, set(FLAGS) - {"tells"}))

    def test_disabled(self) -> None:
        """All sessions of a disabled game are closed, and no others."""
        world = World()
        first, second, other = world.join("Alpha"), world.join("Alpha"), world.join("Beta")
        commit = world.network.apply(GameSaved(replace(world.game("Alpha"), disabled=True)))
        self.assertEqual(
            world.settled(commit, True, NOW),
            [Close(each, 4000, Error.of("game-disabled")) for each in (first, second)],
        )
        self.assertEqual([each.situation for each in (first, second)], [Situation.GONE] * 2)
        self.assertIs(other.situation, Situation.ACTIVE)

    def test_removed(self) -> None:
        """A game that is removed is closed and gone at once: it cannot come back."""
        world = World()
        session, other = world.join("Alpha"), world.join("Beta")
        commit = world.network.apply(GameRemoved(world.client_id("Alpha")))
        others = Supporters("games", world.client_id("Alpha"))
        world.made = 0
        self.assertEqual(
            world.settled(commit, True, NOW),
            [Close(session, 4000, Error.of("game-removed")), Broadcast(others, GamesDisconnect(ref(1), "Alpha"))],
        )
        asked = world.ask(other, frame("games/status", ref=1))
        self.assertEqual([answer["payload"]["game"] for answer in asked], ["gossip"])
        world.network.tick(at(NOW))
        self.assertEqual(world.network.tick(at(NOW + 61)), [Send(other, Beat(1))])

    def test_removed_offline(self) -> None:
        """A game that was not online is removed with its achievements."""
        world = World()
        client_id = world.game("Alpha").client_id
        self.assertEqual(world.settled(world.network.apply(GameRemoved(client_id)), True, NOW), [])
        self.assertIsNone(world.registry.game_named("Alpha"))

    def test_gone(self) -> None:
        """A session that has ended can do nothing; losing it twice changes nothing."""
        world = World()
        session = world.join("Alpha")
        world.network.lost(session, at(NOW))
        world.network.lost(session, at(NOW))
        self.assertEqual(world.say(session, b"junk"), [])
        never = Session()
        self.assertEqual(world.network.lost(never, at(NOW)), [])
