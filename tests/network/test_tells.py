"""Tells (protocol specification, Tells)."""

from __future__ import annotations

from typing import Any

from msgspec import Raw
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.audiences import SessionsOf
from gossip.network.outputs import Broadcast, Send
from gossip.network.session import Session
from gossip.network.settings import NetworkSettings
from gossip.network.tells import is_timestamp
from gossip.protocol.server_events import Success, TellsReceive
from gossip.protocol.text import timestamp
from tests.support.world import NOW, World, at, frame, ref

R = Raw(b'"r"')
SENT_AT = "2018-07-17T13:12:28Z"
TELL = {"from_name": "Ana", "to_game": "Beta", "to_name": "Bo", "message": "Hi", "sent_at": SENT_AT}


class TellsTests(SynchronousTestCase):
    """tells/send and tells/receive."""

    def setUp(self) -> None:
        self.world = World(NetworkSettings(help="Help!"))
        self.session = self.world.join("Alpha", players=["Ana"])
        self.other = self.world.join("Beta", players=["Bo"])
        self.beta = SessionsOf(self.world.client_id("Beta"), "tells")
        self.world.made = 0

    def tell(self, **more: Any) -> dict[str, Any]:
        return frame("tells/send", {**TELL, **more}, "r")

    def error(self, session: Session | None = None, /, **more: Any) -> Any:
        return self.world.ask(session or self.session, self.tell(**more))[0].get("error")

    def test_told(self) -> None:
        """A tell reaches every session of the receiving game with the flag, and is answered with success."""
        second = self.world.join("Beta")
        self.world.join("Beta", supports=["channels"])
        self.world.made = 0
        told = TellsReceive(ref(1), "Alpha", "Ana", "Bo", SENT_AT, "Hi")
        self.assertEqual(
            self.world.say(self.session, self.tell()),
            [Broadcast(self.beta, told), Send(self.session, Success("tells/send", R))],
        )
        self.assertEqual(self.world.network.hearing(self.beta), (self.other, second))

    def test_unlisted(self) -> None:
        """To and from a game whose protocol has no list of players, any name passes; that of the other is listed."""
        self.other.lists_players = False
        self.assertIsNone(self.error(to_name="Nobody"))
        self.assertEqual(self.error(from_name="Nobody"), "sending player offline")
        self.assertIsNone(self.error(self.other, from_name="Nobody", to_game="Alpha", to_name="Ana"))
        self.assertEqual(self.error(self.other, to_game="Alpha", to_name="Nobody"), "receiving player offline")

    def test_case(self) -> None:
        """Game and player names compare without case."""
        told = TellsReceive(ref(1), "Alpha", "ANA", "bO", SENT_AT, "Hi")
        outputs = self.world.say(self.session, self.tell(from_name="ANA", to_game="bETA", to_name="bO"))
        self.assertEqual(outputs[0], Broadcast(self.beta, told))

    def test_cleaned(self) -> None:
        """All texts are cleaned."""
        more = {"from_name": "<b>Ana", "to_name": "\x00Bo", "message": "<b>Hi</b> \x1b1 < 2"}
        [outputs, _] = self.world.say(self.session, self.tell(**{**more, "from_name": "<b>Ana</b>"}))
        told = TellsReceive(ref(1), "Alpha", "Ana", "Bo", SENT_AT, "Hi 1 < 2")
        self.assertEqual(outputs, Broadcast(self.beta, told))

    def test_invalid(self) -> None:
        """A missing field, a field of a wrong type, no payload or a bad sent_at fails before all other checks."""
        for field in TELL:
            self.assertEqual(self.error(**{"to_game": "nobody", field: 1}), "invalid payload")
        for field in ("from_name", "to_game", "to_name", "message"):
            self.assertEqual(self.error(**{"to_game": "nobody", field: None}), "invalid payload")
        payloads: list[Any] = [None, {}, [], 1]
        for payload in payloads:
            [answer] = self.world.ask(self.session, frame("tells/send", payload, "r"))
            self.assertEqual(answer["error"], "invalid payload")
        self.assertEqual(self.error(sent_at="yesterday", to_game="nobody"), "invalid payload")

    def test_order(self) -> None:
        """The errors in their order."""
        self.assertEqual(self.error(to_game="nobody", from_name="No", to_name="No"), "game offline")
        self.assertEqual(self.error(to_game="Gamma", from_name="No", to_name="No"), "game offline")
        self.world.join("Gamma", supports=["channels"], players=["Cy"])
        self.assertEqual(self.error(to_game="Gamma", from_name="No", to_name="No"), "not supported")
        self.assertEqual(self.error(from_name="No", to_name="No"), "sending player offline")
        self.assertEqual(self.error(from_name="Bo"), "sending player offline")
        self.assertEqual(self.error(to_name="No", message=""), "receiving player offline")
        self.assertEqual(self.error(to_name="Ana"), "receiving player offline")
        self.assertEqual(self.error(message="<b>"), "empty message")
        self.assertEqual(self.error(message="x" * 4097), "message too long")
        self.assertIsNone(self.error(message="x" * 4096))

    def test_hides_players(self) -> None:
        """A game that hides its players can neither receive tells nor send them."""
        self.world.change("Gamma", hides_players=True)
        hiding = self.world.join("Gamma", players=["Cy"])
        self.assertEqual(self.error(to_game="Gamma", to_name="Cy"), "not supported")
        self.assertEqual(self.error(hiding, from_name="Cy"), 'missing support for "tells"')

    def test_any_session(self) -> None:
        """A player may be listed by any session of the game."""
        first = self.world.join("Alpha")
        self.world.join("Beta", players=["Cy"], supports=["channels", "players"])
        self.assertIsNone(self.error(first, to_name="Cy"))

    def test_grace(self) -> None:
        """A game in its minute of grace is not connected."""
        self.world.network.lost(self.other, at(NOW))
        self.assertEqual(self.error(), "game offline")

    def test_itself(self) -> None:
        """Players of one game may tell each other."""
        self.assertIsNone(self.error(to_game="Alpha", to_name="Ana"))

    def test_sent_at_missing(self) -> None:
        """A missing sent_at is filled in, null counts as missing."""
        for payload in ({**TELL, "sent_at": None}, {key: value for key, value in TELL.items() if key != "sent_at"}):
            [told, _] = self.world.say(self.session, frame("tells/send", payload, "r"), NOW + 0.25)
            assert isinstance(told, Broadcast) and isinstance(told.event, TellsReceive)
            self.assertEqual(told.event.sent_at, "2023-11-14T22:00:00.250Z")

    def test_rules(self) -> None:
        """A tell to the network of nothing but "rules" brings their address, as far as it is known."""
        site = "https://gossip.example.org"
        for settings, answer in (
            (NetworkSettings(), "The rules of Gossip are on its web pages, at /rules."),
            (NetworkSettings(name="Mud Net", website=f"{site}/"), f"The rules of Mud Net: {site}/rules"),
            (NetworkSettings(rules=f"{site}/ours"), f"The rules of Gossip: {site}/ours"),
        ):
            self.world.network.rules.settings = settings
            for message, brings in (("rules", answer), (" Rules\n", answer), ("rules?", settings.help)):
                asked = self.tell(to_game="gossip", to_name="system", message=message)
                told = self.world.ask(self.session, asked)[0]
                self.assertEqual((told["payload"]["message"], told["payload"]["to_name"]), (brings, "Ana"))

    def test_system(self) -> None:
        """A tell to the network's player brings a line of help, and succeeds."""
        for game, name in (("gossip", "system"), ("GRAPEVINE", "System")):
            self.world.made = 0
            told = TellsReceive(ref(1), "gossip", "system", "Ana", timestamp(NOW), "Help!")
            self.assertEqual(
                self.world.say(self.session, self.tell(to_game=game, to_name=name)),
                [Send(self.session, told), Send(self.session, Success("tells/send", R))],
            )
        self.assertEqual(self.error(to_game="gossip", to_name="Bo"), "receiving player offline")
        self.assertEqual(self.error(to_game="gossip", to_name="system", from_name="No"), "sending player offline")

    def test_namesake_of_the_network(self) -> None:
        """A game that an admin gave the network's name does not receive the network's tells."""
        self.world.change("Gamma", short_name="gossip")
        self.world.join("gossip", players=["Cy"])
        self.assertEqual(self.error(to_game="gossip", to_name="Cy"), "receiving player offline")
        self.assertIsNone(self.error(to_game="gossip", to_name="system"))


class TimestampTests(SynchronousTestCase):
    """Times as the protocol writes them."""

    def test_good(self) -> None:
        """A time is in UTC, ends in Z, and may have fractions of a second."""
        for text in (SENT_AT, "2018-07-17T13:12:28.5Z", "2018-07-17T13:12:28.123456789Z", timestamp(NOW), timestamp(0)):
            self.assertTrue(is_timestamp(text), text)

    def test_bad(self) -> None:
        """All other texts are no times."""
        for text in (
            "",
            "now",
            "2018-07-17",
            "2018-07-17T13:12:28",
            "2018-07-17T13:12:28+00:00",
            "2018-07-17 13:12:28Z",
            "2018-13-17T13:12:28Z",
            "2018-02-30T13:12:28Z",
            "2018-07-17T24:12:28Z",
            "2018-07-17T13:12:28.Z",
            "2018-07-17T13:12:28Z\n",
            "٢018-07-17T13:12:28Z",
            "0000-07-17T13:12:28Z",
            "2018-07-17T13:12:28." + "1" * 50 + "Z",
        ):
            self.assertFalse(is_timestamp(text), text)
