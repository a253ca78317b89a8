"""
What holds for a game, whatever carries it: the same tests over every transport.

A transport joins in by its line in C{PORTS} of C{tests.support.seats}, by what it writes differently in L{TALK}, and by
a class at the end of this module.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from gossip.network.ratelimit import Rate
from gossip.service.rehearsals import PARTING_SECONDS
from tests.support.ports import ANY_RATE
from tests.support.seats import PORTS, AllPortsTestCase, OnNodes, Seat, WholeSeat


class Talk(NamedTuple):
    """
    Something that a player says.

    @ivar differently: the names of ports, and the name and the message as they are told there.
    """

    name: str
    message: str
    differently: dict[str, tuple[str, str]]


TALK: Final = (
    Talk("Ana", "hello <3", {}),
    Talk("Ana Bell", "hi", {"imc2": ("Ana_Bell", "hi")}),
    Talk("Ana", "/me waves.", {}),
    Talk("Ana", "/mewaves and ~ ^_^ {", {}),
    Talk("Zoë", "50% é @home — «x»", {"imc2": ("Zoe", '50% e @home - "x"')}),
    Talk("Ana", "日本語", {"imc2": ("Ana", "???")}),
    Talk("Ana", "~Rred ^Bblue `Gblink &R{R", {"imc2": ("Ana", "~ Rred ^ Bblue ` Gblink &R{R")}),
    Talk("Ana", "/me ~Rred ~!", {"imc2": ("Ana", "/me ~ Rred ~ !")}),
    Talk("Ana", "sender=Admin@X emote=1 echo=0 text=x", {}),
    Talk("Ana", '"quoted" and " back\\slash', {}),
    Talk("Ana", "at the end\\", {"imc2": ("Ana", "at the end\\ ")}),
    Talk("Bo\" x=1 'y", "hi", {"imc2": ("Bo__x_1__y", "hi")}),
    Talk("Ana", "two\r\nBYE 200 lines", dict.fromkeys(("text", "imc2", "i3"), ("Ana", "two BYE 200 lines"))),
    Talk("Ana", "/me jumps\nand falls", dict.fromkeys(("text", "imc2", "i3"), ("Ana", "/me jumps and falls"))),
)
"""What is heard alike everywhere, as far as the transports can write it."""

CLEANED: Final = (("a\x1b\x07\x00\x9bb", "ab"), ("<b>bold</b> <<b>b>", "bold b>"), ("\u202eabc", "abc"))
"""What reaches nobody as it was sent, and what becomes of it."""


class Behaviour(AllPortsTestCase):
    """What holds over every transport. To be mixed with one."""

    port = ""
    """The name of the port that is tested."""

    beats_until_the_end = 60
    """How long a connection may be without a sign of life, in seconds."""

    refusals = 1
    """How many refused logins end a connection."""

    def setUp(self) -> None:
        super().setUp()
        self.hub = self.by_websocket()
        self.enter(self.hub, "Beta", ["gossip"], ["Bo Derek"])

    def seat(self) -> Seat:
        """A new connection, by the transport that is tested."""
        return self.seat_at(self.port)

    def enter(self, seat: Seat, name: str, channels: list[str] | None = None, players: list[str] | None = None) -> None:
        """A game joins, and forgets what it was told by that."""
        credentials = seat.credentials(self.world, name)
        self.assertEqual(seat.join(*credentials, channels or [], players or []), "success")
        seat.told()

    def game(self, name: str = "Alpha", players: tuple[str, ...] = ("Ana",)) -> Seat:
        """A game on the channel gossip, by the transport that is tested; the others forget that it came."""
        seat = self.seat()
        self.enter(seat, name, ["gossip"], list(players))
        self.hub.told()
        return seat

    def others(self) -> dict[str, Seat]:
        """A game on the channel gossip at each port, by the name of the port."""
        self.rates(global_=ANY_RATE, channels_send=ANY_RATE)
        seats = {}
        for port in PORTS:
            self.world.add(f"By{port}")
            seats[port] = self.seat_at(port)
            self.enter(seats[port], f"By{port}", ["gossip"], ["Bo"])
        for seat in seats.values():
            seat.told()
        return seats

    def assert_ended(self, seat: Seat, why: str) -> None:
        """The network ended a connection, and said why where games are told."""
        self.assertIn(seat.ended(), (why,) if seat.gives_reasons else ("refused", "without a word"))

    def test_talk(self) -> None:
        """What a game says is heard alike by games at every port, and not by its own."""
        alpha, others = self.game(), self.others()
        self.assertEqual(alpha.told()[len(others) :], [])
        for name, message, differently in TALK:
            if not alpha.can_say(name, message):
                continue
            self.assertEqual(alpha.say("gossip", name, message), "success")
            for port, seat in others.items():
                told = differently.get(port, (name, message))
                self.assertEqual(seat.told(), [("said", "gossip", "Alpha", *told)], port)
            self.assertEqual(alpha.told(), [])

    def test_hearing(self) -> None:
        """What games at every port say is heard by a game."""
        alpha, others = self.game(), self.others()
        alpha.told()
        for port, seat in others.items():
            for name, message, differently in TALK:
                if seat.can_say(name, message):
                    self.assertEqual(seat.say("gossip", name, message), "success")
                    told = differently.get(self.port, (name, message))
                    self.assertEqual(alpha.told(), [("said", "gossip", f"By{port}", *told)])

    def test_cleaned(self) -> None:
        """Control characters and tags are told nobody."""
        alpha, others = self.game(), self.others()
        for message, cleaned in CLEANED:
            alpha.say("gossip", "Ana", message)
            for port, seat in others.items():
                self.assertEqual([each[-1] for each in seat.told()], [cleaned], port)

    def test_long(self) -> None:
        """Long messages are heard to the end, or as far as the room of a game goes, in lines that it can bear."""
        alpha, others = self.game(), self.others()
        for message in (" ".join(f"word{number}" for number in range(400)), "x" * 4000, "/me " + "waves " * 600):
            self.assertEqual(alpha.say("gossip", "Ana", message), "success")
            squeezed = message.replace(" ", "")
            for port, seat in others.items():
                told = "".join(each[-1] for each in seat.told()).replace(" ", "")
                self.assertTrue(squeezed.startswith(told.removesuffix("...")), (port, told))
                self.assertGreaterEqual(len(told), min(len(squeezed), seat.room * 4 // 5), port)

    def test_tells(self) -> None:
        """A tell reaches one player, whose answer finds the way back; where it does not, the sender is told why."""
        alpha = self.game()
        self.assertEqual(self.hub.tell("Bo Derek", "alpha", "ana", "what?"), "success")
        ((_, to, game, sender, message),) = alpha.told()
        self.assertEqual((to, game, message), ("ana", "Beta", "what?"))
        self.assertEqual(alpha.tell("Ana", game, sender, "/me waves"), "success")
        self.assertEqual(self.hub.told()[-1], ("tell", "Bo Derek", "Alpha", "Ana", "/me waves"))
        self.assertEqual(self.hub.tell("Bo Derek", "alpha", "ana", "/me laughs"), "success")
        self.assertEqual(alpha.told(), [("tell", "ana", "Beta", sender, "/me laughs")])
        self.assertEqual(alpha.tell("Ana", "Delta", "Bo", "psst"), "game offline")
        self.assertEqual(alpha.tell("Ana", "Beta", "Eve", "psst"), "receiving player offline")

    def test_network(self) -> None:
        """The network's player echo answers a tell."""
        alpha = self.game()
        self.assertEqual(alpha.tell("Ana", "gossip", "echo", "Psst!"), "success")
        ((_, to, *told),) = alpha.told()
        self.assertEqual((to.lower(), told), ("ana", ["gossip", "echo", "You said: Psst!"]))

    def test_presence(self) -> None:
        """A game that comes is announced to the others, and one that has been gone for a minute too."""
        alpha = self.seat()
        self.enter(alpha, "Alpha")
        self.assertEqual(self.hub.told(), [("games/connect", "Alpha")])
        other = self.seat()
        self.enter(other, "Gamma")
        self.assertEqual(alpha.told(), [("games/connect", "Gamma")])
        self.clock.pump([1.0] * 2)
        self.assertEqual(self.hub.told(), [("games/connect", "Gamma")])
        other.leave()
        for _ in range(62):
            self.clock.advance(1)
            for seat in (alpha, self.hub):
                seat.list_players()
        for seat in (alpha, self.hub):
            self.assertEqual(seat.told(), [("games/disconnect", "Gamma")])

    def test_abuse(self) -> None:
        """A game that keeps sending junk is disconnected."""
        alpha = self.game()
        self.rates(global_=Rate(3, 1))
        for _ in range(12):
            self.assertIsNone(alpha.ended())
            alpha.junk()
        alpha.junk()
        self.assert_ended(alpha, "refused or abuse")

    def test_rate_limit(self) -> None:
        """A game that talks too fast is refused, can speak again after a moment, and is disconnected if it keeps on."""
        self.rates(global_=ANY_RATE)
        alpha = self.game()
        outcomes = [alpha.say("gossip", "Ana", "hello") for _ in range(12)]
        self.assertEqual(outcomes, ["success"] * 10 + ["rate limit exceeded"] * 2)
        self.clock.advance(0.5)
        self.assertEqual(alpha.say("gossip", "Ana", "hello"), "success")
        outcomes = [alpha.say("gossip", "Ana", "hello") for _ in range(8)]
        self.assertEqual(outcomes, ["rate limit exceeded"] * 7 + [""])
        self.assert_ended(alpha, "refused or abuse")
        self.assertEqual(len(self.hub.told()), 11)

    def test_refused_login(self) -> None:
        """Wrong credentials are refused, and end the connection sooner or later."""
        alpha = self.seat()
        for number in range(self.refusals):
            self.assertIsNone(alpha.ended(), number)
            outcome = alpha.join(self.world.game("Alpha").client_id, "wrong", [], [])
            self.assertEqual(outcome, "invalid credentials")
        self.assert_ended(alpha, "refused or abuse")

    def test_no_sign_of_life(self) -> None:
        """A game that gives no sign of life is disconnected after some heartbeats, and its players go offline."""
        alpha = self.game()
        for _ in range(self.beats_until_the_end - 1):
            self.clock.advance(1)
            self.hub.list_players("Bo Derek")
        self.assertIsNone(alpha.ended())
        self.clock.advance(1)
        self.assert_ended(alpha, "no life")
        self.assertEqual(self.hub.who("Alpha"), [])

    def test_sign_of_life(self) -> None:
        """A game that gives signs of life stays connected."""
        alpha = self.game()
        for _ in range(200):
            self.clock.advance(1)
            for seat in (alpha, self.hub):
                seat.list_players("Ana")
        self.assertIsNone(alpha.ended())

    def test_restart(self) -> None:
        """At a stop each game is told the downtime, then its connection ends."""
        alpha = self.game()
        self.service.stopService()
        self.assertEqual(alpha.told(), [("restart", 30)])
        self.clock.advance(PARTING_SECONDS)
        self.assert_ended(alpha, "restart")

    def test_junk(self) -> None:
        """Nonsense disturbs nothing."""
        alpha = self.game()
        alpha.junk()
        self.assertEqual(alpha.say("gossip", "Ana", "hello"), "success")


class WholeBehaviour(Behaviour):
    """What holds over transports that have all of the protocol."""

    def seat(self) -> WholeSeat:
        seat: WholeSeat = self.seat_at(self.port)  # type: ignore[assignment]
        return seat

    def game(self, name: str = "Alpha", players: tuple[str, ...] = ("Ana",)) -> WholeSeat:
        seat: WholeSeat = super().game(name, players)  # type: ignore[assignment]
        return seat

    def test_same_game(self) -> None:
        """All sessions of the game that speaks are left out."""
        alpha, again = self.game(), self.game()
        alpha.say("gossip", "Ana", "hello")
        self.assertEqual((again.told(), len(self.hub.told())), ([], 1))

    def test_subscriptions(self) -> None:
        """A game that is not subscribed hears nothing and cannot speak; a bad name is refused."""
        alpha = self.game()
        self.assertEqual(alpha.unsubscribe("gossip"), "success")
        self.hub.say("gossip", "Bo", "hello")
        self.assertEqual((alpha.told(), alpha.say("gossip", "Ana", "hello")), ([], "not subscribed"))
        self.assertEqual(alpha.subscribe("gossip"), "success")
        self.assertEqual(alpha.subscribe("x"), 'Could not subscribe to "x"')
        self.assertEqual(alpha.say("gossip", "Ana", "hello"), "success")

    def test_too_long(self) -> None:
        """A message that is too long is refused."""
        alpha = self.game()
        self.assertEqual(alpha.say("gossip", "x" * 65, "hello"), "name too long")
        self.assertEqual(alpha.say("gossip", "Ana", "x" * 4097), "message too long")
        self.assertEqual(alpha.say("gossip", "Ana", "<b>"), "empty message")

    def test_unlisted(self) -> None:
        """A player who is not listed cannot send tells."""
        self.assertEqual(self.game().tell("Eve", "Beta", "Bo Derek", "psst"), "sending player offline")

    def test_echo(self) -> None:
        """The network's player echo answers the game that speaks on the channel testing, and nobody else."""
        alpha = self.game()
        for seat in (alpha, self.hub):
            self.assertEqual(seat.subscribe("testing"), "success")
        self.assertEqual(alpha.say("testing", "Ana", "hello"), "success")
        self.assertEqual(alpha.told(), [("said", "testing", "gossip", "echo", "Ana@Alpha said: hello")])
        self.assertEqual(self.hub.told(), [("said", "testing", "Alpha", "Ana", "hello")])

    def test_players(self) -> None:
        """Players come and go, one by one with a word, all at once without."""
        alpha = self.game()
        self.assertEqual((alpha.sign_in("Cy"), alpha.sign_out("Ana")), ("success", "success"))
        self.assertEqual(self.hub.told(), [("players/sign-in", "Alpha", "Cy"), ("players/sign-out", "Alpha", "Ana")])
        self.assertEqual(self.hub.who("Alpha"), ["Cy"])
        alpha.list_players("Dan Brown", "Eve")
        self.assertEqual((self.hub.told(), self.hub.who("Alpha")), ([], ["Dan Brown", "Eve"]))
        self.hub.sign_in("New")
        self.assertEqual(alpha.told(), [("players/sign-in", "Beta", "New")])
        self.assertEqual(alpha.who("beta"), ["Bo Derek", "New"])
        self.assertEqual(alpha.who("nobody"), "unknown game")


class WebSocketTests(WholeBehaviour):
    """By websocket."""

    port = "websocket"
    beats_until_the_end = 45


class BridgeJsonTests(WholeBehaviour):
    """By the JSON dialect of the bridge."""

    port = "json"
    beats_until_the_end = 45


class BridgeTextTests(WholeBehaviour):
    """By the text dialect of the bridge."""

    port = "text"
    refusals = 3


class Imc2Tests(Behaviour):
    """By IMC2."""

    port = "imc2"


class I3Tests(Behaviour):
    """By Intermud-3."""

    port = "i3"

    def test_no_sign_of_life(self) -> None:
        """A MUD that is silent stays, since its protocol has no signs of life."""
        alpha = self.game()
        for _ in range(400):
            self.clock.advance(1)
            self.hub.list_players("Bo Derek")
        self.assertIsNone(alpha.ended())

    def test_restart(self) -> None:
        """At a stop its connection ends; old clients do not know that they can be told of it."""
        alpha = self.game()
        self.service.stopService()
        self.assertEqual(alpha.told(), [])
        self.clock.advance(PARTING_SECONDS)
        self.assert_ended(alpha, "restart")


class WebSocketOnNodesTests(OnNodes, WebSocketTests):
    """By websocket, with the games spread over two nodes."""


class BridgeJsonOnNodesTests(OnNodes, BridgeJsonTests):
    """By the JSON dialect of the bridge, with the games spread over two nodes."""


class BridgeTextOnNodesTests(OnNodes, BridgeTextTests):
    """By the text dialect of the bridge, with the games spread over two nodes."""


class Imc2OnNodesTests(OnNodes, Imc2Tests):
    """By IMC2, with the games spread over two nodes."""


class I3OnNodesTests(OnNodes, I3Tests):
    """By Intermud-3, with the games spread over two nodes."""


del Behaviour, WholeBehaviour  # without a transport they are no tests
