"""Players (protocol specification, Players)."""

from __future__ import annotations

from typing import Any

from msgspec import Raw
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.audiences import Supporters
from gossip.network.outputs import Broadcast, Send
from gossip.network.settings import NetworkLimits
from gossip.protocol.errors import Error
from gossip.protocol.server_events import Failure, PlayersSignedIn, PlayersSignedOut, Success
from tests.support.world import NOW, World, at, frame, ref

R = Raw(b'"r"')


def sign_in(name: str, ref: Any = None) -> dict[str, Any]:
    return frame("players/sign-in", {"name": name}, ref)


def sign_out(name: str, ref: Any = None) -> dict[str, Any]:
    return frame("players/sign-out", {"name": name}, ref)


class PlayersTests(SynchronousTestCase):
    """players/sign-in, players/sign-out and the lists in heartbeats."""

    def setUp(self) -> None:
        self.world = World()
        self.first, self.second = self.world.join("Alpha"), self.world.join("Alpha")
        self.other = self.world.join("Beta")
        self.world.join("Gamma", supports=["channels"])
        self.world.made = 0

    def online(self) -> tuple[str, ...]:
        """The players of Alpha."""
        online = self.world.network.presence.online(self.world.game("Alpha").client_id)
        assert online is not None
        return online.players

    def test_sign_in(self) -> None:
        """A sign-in is announced to the other games with the flag, once, and answered."""
        told = Broadcast(Supporters("players", self.world.client_id("Alpha")), PlayersSignedIn(ref(1), "Alpha", "Ana"))
        done = Send(self.first, Success("players/sign-in", R))
        self.assertEqual(self.world.say(self.first, sign_in("<b>Ana</b>", "r")), [told, done])
        self.assertEqual(self.world.say(self.first, sign_in("Ana", "r")), [done])
        self.assertEqual(self.world.say(self.second, sign_in("Ana")), [])
        self.assertEqual([list(each.players) for each in (self.first, self.second)], [["Ana"], ["Ana"]])
        self.assertEqual(len(self.world.say(self.second, sign_in("ana"))), 1)
        self.assertEqual(self.online(), ("Ana", "ana"))

    def test_sign_out(self) -> None:
        """A sign-out takes the player off the lists of all sessions of the game, and is announced once."""
        for session in (self.first, self.second):
            self.world.say(session, sign_in("Ana"))
        self.world.say(self.other, sign_in("Ana"))
        self.world.made = 0
        told = Broadcast(Supporters("players", self.world.client_id("Alpha")), PlayersSignedOut(ref(1), "Alpha", "Ana"))
        done = Send(self.first, Success("players/sign-out", R))
        self.assertEqual(self.world.say(self.first, sign_out("ana", "r")), [done])
        self.assertEqual(self.world.say(self.first, sign_out("Ana", "r")), [told, done])
        self.assertEqual(self.online(), ())
        self.assertEqual(self.world.say(self.second, sign_out("Ana")), [])
        self.assertEqual(list(self.other.players), ["Ana"])

    def test_names(self) -> None:
        """An empty name, or one that is too long, is refused."""
        for event, wire in ((sign_in, "players/sign-in"), (sign_out, "players/sign-out")):
            for name, code in (
                ("", "empty-name"),
                ("<b>", "empty-name"),
                ("\u200b \u3164", "empty-name"),
                ("x" * 65, "name-too-long"),
                ("Bo@Gоssip", "reserved-name"),
            ):
                self.assertEqual(
                    self.world.say(self.first, event(name, "r")), [Send(self.first, Failure(wire, R, Error.of(code)))]
                )
                self.assertEqual(self.world.say(self.first, event(name)), [])
        self.assertEqual(self.online(), ())

    def test_not_told(self) -> None:
        """Players of a hidden game, or of one that hides its players, are not announced; the game is answered."""
        for attributes in ({"hidden": True}, {"hides_players": True}):
            world = World()
            world.change("Alpha", **attributes)
            session, _ = world.join("Alpha"), world.join("Beta")
            for event, wire in ((sign_in, "players/sign-in"), (sign_out, "players/sign-out")):
                self.assertEqual(world.say(session, event("Ana", "r")), [Send(session, Success(wire, R))])

    def test_heartbeat(self) -> None:
        """A heartbeat replaces the session's own list, silently."""
        self.world.say(self.first, sign_in("Ana"))
        self.world.say(self.second, sign_in("Bo"))
        beat = frame(
            "heartbeat",
            {"players": ["Cy", "", 1, "<b>Di</b>", "Cy", "x" * 65, "\x00", "\u3164", "system@gossip", " C\ny"]},
        )
        self.assertEqual(self.world.say(self.first, beat), [])
        self.assertEqual(self.online(), ("Cy", "Di", "C y", "Bo"))

    def test_lower_limit(self) -> None:
        """A limit that is lowered holds from the next heartbeat on, also if that lists the same players as before."""
        beat = frame("heartbeat", {"players": ["Ana", "Bo"]})
        self.world.say(self.first, beat)
        self.world.network.rules.limits = NetworkLimits(players=1)
        self.world.say(self.first, beat)
        self.assertEqual(list(self.first.players), ["Ana"])

    def test_empty_heartbeats(self) -> None:
        """A heartbeat without a list or a payload means that nobody is online."""
        payloads: list[Any] = [None, {}, {"players": None}, {"players": "Ana"}, [], ["Ana"], 1]
        for payload in payloads:
            self.world.say(self.first, sign_in("Ana"))
            self.assertEqual(self.online(), ("Ana",))
            self.assertEqual(self.world.say(self.first, frame("heartbeat", payload, "r")), [])
            self.assertEqual(self.online(), ())

    def test_lost(self) -> None:
        """The end of a session drops its own players, without an announcement."""
        self.world.say(self.first, sign_in("Ana"))
        self.world.say(self.second, sign_in("Bo"))
        self.assertEqual(self.world.network.lost(self.first, at(NOW)), [])
        self.assertEqual(self.online(), ("Bo",))

    def test_limit(self) -> None:
        """More players than the limit are left out silently."""
        world = World(limits=NetworkLimits(players=2))
        session, other = world.join("Alpha", players=["A", "B", "C"]), world.join("Beta", players=["A"])
        self.assertEqual(list(session.players), ["A", "B"])
        self.assertEqual(world.say(session, sign_in("D", "r")), [Send(session, Success("players/sign-in", R))])
        world.say(session, frame("heartbeat", {"players": ["", "E", "E", "F", "G"]}))
        self.assertEqual(list(session.players), ["E", "F"])
        self.assertEqual(len(world.say(other, sign_in("B"))), 1)

    def test_no_limit(self) -> None:
        """0 means no limit."""
        world = World(limits=NetworkLimits(players=0))
        session = world.join("Alpha", players=[f"P{n}" for n in range(3000)])
        self.assertEqual(len(session.players), 3000)
        self.assertEqual(len(world.ask(session, sign_in("Ana", "r"))), 1)
        self.assertEqual(len(session.players), 3001)
