"""What holds for a session, whatever carries it: the same tests over the websocket and both dialects of the bridge."""

from __future__ import annotations

import itertools
import json
from importlib import import_module
from typing import Any, Protocol

from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransportWithDisconnection

from gossip.network.ratelimit import Rate
from gossip.service.rehearsals import PARTING_SECONDS
from gossip.transports.admission import Admission
from gossip.transports.websocket.connection import GameFactory
from tests.support.rawsocket import CLOSE, TEXT, frame, frames, handshake
from tests.support.telnet_games import ANY_RATE, Mud, TelnetTestCase

Told = tuple[Any, ...]
"""What a game was told, in the same words for every transport."""


class Seat(Protocol):
    """A game at the network, in the words of what it does."""

    def join(self, client_id: str, secret: str, channels: list[str], players: list[str]) -> str: ...
    def subscribe(self, channel: str) -> str: ...
    def unsubscribe(self, channel: str) -> str: ...
    def say(self, channel: str, name: str, message: str) -> str: ...
    def tell(self, from_name: str, game: str, to_name: str, message: str) -> str: ...
    def sign_in(self, name: str) -> str: ...
    def sign_out(self, name: str) -> str: ...
    def list_players(self, *names: str) -> None: ...
    def who(self, game: str) -> list[str] | str: ...
    def junk(self) -> None: ...
    def leave(self) -> None: ...
    def told(self) -> list[Told]: ...
    def ended(self) -> str | None: ...


class JsonSeat:
    """What the websocket and the JSON dialect of the bridge share."""

    def __init__(self) -> None:
        self._refs = itertools.count()
        self._told: list[Told] = []

    def write(self, event: dict[str, Any]) -> None:
        """Send an event."""
        raise NotImplementedError

    def read(self) -> list[dict[str, Any]]:
        """The events that came since the last look."""
        raise NotImplementedError

    def ask(self, event: str, payload: Any) -> list[dict[str, Any]]:
        ref = f"ref {next(self._refs)}"
        self.write({"event": event, "ref": ref, "payload": payload})
        answers = []
        for heard in self.read():
            if heard.get("ref") == ref:
                answers.append(heard)
            else:
                self._note(heard)
        return answers

    def outcome(self, event: str, payload: Any) -> str:
        """How a request went; nothing if it had no answer."""
        answers = self.ask(event, payload)
        return "" if not answers else str(answers[0].get("error", answers[0].get("status")))

    def _note(self, heard: dict[str, Any]) -> None:
        payload = heard.get("payload", {})
        match heard.get("event"):
            case "channels/broadcast":
                self._told.append(("said", *(payload[key] for key in ("channel", "game", "name", "message"))))
            case "tells/receive":
                self._told.append(("tell", *(payload[key] for key in ("to_name", "from_game", "from_name", "message"))))
            case "players/sign-in" | "players/sign-out" | "games/connect" | "games/disconnect" if "status" not in heard:
                self._told.append((heard["event"], *payload.values()))
            case "restart":
                self._told.append(("restart", payload["downtime"]))

    def told(self) -> list[Told]:
        for heard in self.read():
            self._note(heard)
        told, self._told = self._told, []
        return told

    def join(self, client_id: str, secret: str, channels: list[str], players: list[str]) -> str:
        supports = ["channels", "players", "tells", "games"]
        payload = {"client_id": client_id, "client_secret": secret, "supports": supports}
        self.write({"event": "authenticate", "payload": {**payload, "channels": channels, "players": players}})
        answer = self.read()[0]
        return str(answer.get("error", answer["status"]))

    def subscribe(self, channel: str) -> str:
        return self.outcome("channels/subscribe", {"channel": channel})

    def unsubscribe(self, channel: str) -> str:
        return self.outcome("channels/unsubscribe", {"channel": channel})

    def say(self, channel: str, name: str, message: str) -> str:
        return self.outcome("channels/send", {"channel": channel, "name": name, "message": message})

    def tell(self, from_name: str, game: str, to_name: str, message: str) -> str:
        payload = {"from_name": from_name, "to_game": game, "to_name": to_name, "message": message}
        return self.outcome("tells/send", payload)

    def sign_in(self, name: str) -> str:
        return self.outcome("players/sign-in", {"name": name})

    def sign_out(self, name: str) -> str:
        return self.outcome("players/sign-out", {"name": name})

    def list_players(self, *names: str) -> None:
        self.write({"event": "heartbeat", "payload": {"players": names}})

    def who(self, game: str) -> list[str] | str:
        (answer,) = self.ask("players/status", {"game": game})
        if "error" in answer:
            return str(answer["error"])
        players: list[str] = answer["payload"]["players"]
        return players

    def junk(self) -> None:
        self.write({"event": "nonsense"})


class WebSocketSeat(JsonSeat):
    """A game by websocket."""

    def __init__(self, factory: Any, turn: Any) -> None:
        super().__init__()
        address = IPv4Address("TCP", "192.0.2.7", 4000)
        self._turn = turn
        self._code: int | None = None
        self._transport: Any = StringTransportWithDisconnection(peerAddress=address)
        self._connection = factory.buildProtocol(address)
        self._transport.protocol = self._connection
        self._connection.makeConnection(self._transport)
        self._connection.dataReceived(handshake())
        self._transport.clear()

    def write(self, event: dict[str, Any]) -> None:
        if self._code is None:
            self._connection.dataReceived(frame(json.dumps(event).encode()))

    def read(self) -> list[dict[str, Any]]:
        self._turn()
        heard = []
        for first, payload in frames(self._transport.value()):
            if first & 0x0F == TEXT:
                heard.append(json.loads(payload))
            elif first & 0x0F == CLOSE:
                self._code = int.from_bytes(payload[:2], "big")
        self._transport.clear()
        return heard

    def leave(self) -> None:
        self._transport.loseConnection()

    def ended(self) -> str | None:
        for heard in self.read():
            self._note(heard)
        words = {4000: "refused or abuse", 4001: "no life", 1012: "restart"}
        return None if self._code is None else words[self._code]


class BridgeJsonSeat(JsonSeat):
    """A game by the JSON dialect of the bridge."""

    def __init__(self, mud: Mud) -> None:
        super().__init__()
        self._mud = mud
        self._code: int | None = None

    def write(self, event: dict[str, Any]) -> None:
        self._mud.send(json.dumps(event).encode() + b"\n")

    def read(self) -> list[dict[str, Any]]:
        heard = self._mud.frames()
        if heard and heard[-1].get("event") == "close":
            self._code = heard.pop()["payload"]["code"]
        return heard

    def leave(self) -> None:
        self._mud.wire.loseConnection()

    def ended(self) -> str | None:
        for heard in self.read():
            self._note(heard)
        words = {401: "refused or abuse", 429: "refused or abuse", 408: "no life", 503: "restart"}
        return None if self._code is None else words[self._code]


class TextSeat:
    """A game by the text dialect of the bridge."""

    def __init__(self, mud: Mud) -> None:
        self._mud = mud
        self._told: list[Told] = []
        self._code = ""
        self._tags = itertools.count()

    def _read(self) -> list[str]:
        lines = self._mud.lines()
        if lines and lines[-1].startswith("BYE "):
            self._code = lines.pop().split()[1]
        return lines

    def _ask(self, command: str) -> list[str]:
        tag = f"@{next(self._tags)} "
        self._mud.send(f"{tag}{command}\n".encode())
        answers = []
        for line in self._read():
            if line.startswith((tag, "WHO ")):
                answers.append(line.removeprefix(tag))
            else:
                self._note(line)
        return answers

    def _outcome(self, command: str) -> str:
        answers = self._ask(command)
        if not answers:
            return ""
        return "success" if answers[-1].startswith("OK ") else answers[-1].split(" ", 3)[3]

    def _note(self, line: str) -> None:
        kind, *words = line.split(" ", 3)
        match kind, words:
            case "MSG", [channel, who, message]:
                self._told.append(("said", channel, *_who(who)[::-1], message))
            case "TELL", [to_name, who, message]:
                self._told.append(("tell", _name(to_name), *_who(who)[::-1], message))
            case "SIGNIN" | "SIGNOUT", [who]:
                event = "players/sign-in" if kind == "SIGNIN" else "players/sign-out"
                self._told.append((event, *_who(who)[::-1]))
            case "GAMEUP" | "GAMEDOWN", [game]:
                self._told.append(("games/connect" if kind == "GAMEUP" else "games/disconnect", game))
            case "RESTART", [seconds]:
                self._told.append(("restart", int(seconds)))

    def join(self, client_id: str, secret: str, channels: list[str], players: list[str]) -> str:
        outcome = self._outcome(f"LOGIN {client_id} {secret}")
        if outcome == "success":
            for channel in channels:
                self._ask(f"SUBSCRIBE {channel}")
            self.list_players(*players)
        return outcome

    def subscribe(self, channel: str) -> str:
        return self._outcome(f"SUBSCRIBE {channel}")

    def unsubscribe(self, channel: str) -> str:
        return self._outcome(f"UNSUBSCRIBE {channel}")

    def say(self, channel: str, name: str, message: str) -> str:
        return self._outcome(f"SEND {channel} {_token(name)} {message}")

    def tell(self, from_name: str, game: str, to_name: str, message: str) -> str:
        return self._outcome(f"TELL {_token(from_name)} {_token(to_name)}@{game} {message}")

    def sign_in(self, name: str) -> str:
        return self._outcome(f"SIGNIN {_token(name)}")

    def sign_out(self, name: str) -> str:
        return self._outcome(f"SIGNOUT {_token(name)}")

    def list_players(self, *names: str) -> None:
        self._ask(f"PLAYERS {' '.join(map(_token, names))}")

    def who(self, game: str) -> list[str] | str:
        *lines, final = self._ask(f"WHO {game}")
        return [_name(name) for line in lines for name in line.split()[3:]] if lines else final.split(" ", 3)[3]

    def junk(self) -> None:
        self._mud.send(b"NONSENSE\n")

    def leave(self) -> None:
        self._mud.wire.loseConnection()

    def told(self) -> list[Told]:
        for line in self._read():
            self._note(line)
        told, self._told = self._told, []
        return told

    def ended(self) -> str | None:
        for line in self._read():
            self._note(line)
        words = {"401": "refused or abuse", "429": "refused or abuse", "408": "no life", "503": "restart"}
        return words[self._code] if self._code else None


def _token(name: str) -> str:
    return name.replace("%", "%25").replace(" ", "%20").replace("@", "%40")


def _name(token: str) -> str:
    return token.replace("%40", "@").replace("%20", " ").replace("%25", "%")


def _who(who: str) -> tuple[str, str]:
    name, _, game = who.partition("@")
    return _name(name), game


class Behaviour(TelnetTestCase):
    """What holds for every session. To be mixed with a transport."""

    beats_until_the_end = 0
    """How long a connection may be without a sign of life, in seconds."""

    refusals = 1
    """How many refused logins end a connection."""

    def setUp(self) -> None:
        super().setUp()
        self.hub = WebSocketSeat(self.games(), self.turn)
        self.enter(self.hub, "Beta", ["gossip"], ["Bo Derek"])

    def games(self) -> GameFactory:
        """Where games by websocket come in."""
        self.patch(import_module("txaio").config, "loop", self.clock)  # Autobahn's timers know no other way
        return GameFactory(self.clock, self.service, Admission(0, 0, 0))

    def seat(self) -> Seat:
        """A new connection, by the transport that is tested."""
        raise NotImplementedError

    def enter(self, seat: Seat, name: str, channels: list[str] | None = None, players: list[str] | None = None) -> None:
        """A game joins, and forgets what it was told by that."""
        credentials = self.world.game(name).client_id, self.world.secret(name)
        self.assertEqual(seat.join(*credentials, channels or [], players or []), "success")
        seat.told()

    def game(self, name: str = "Alpha", players: tuple[str, ...] = ("Ana",)) -> Seat:
        """A game on the channel gossip, by the transport that is tested; the others forget that it came."""
        seat = self.seat()
        self.enter(seat, name, ["gossip"], list(players))
        self.hub.told()
        return seat

    def test_talk(self) -> None:
        """A message is heard by the other games, and not by its own."""
        alpha = self.game()
        self.assertEqual(alpha.say("gossip", "Ana Bell", "hello <3"), "success")
        self.assertEqual(self.hub.told(), [("said", "gossip", "Alpha", "Ana Bell", "hello <3")])
        self.assertEqual(self.hub.say("gossip", "Bo Derek", "50% é @home"), "success")
        self.assertEqual(alpha.told(), [("said", "gossip", "Beta", "Bo Derek", "50% é @home")])

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

    def test_tells(self) -> None:
        """A tell reaches one player, and says why where it does not."""
        alpha = self.game()
        self.assertEqual(alpha.tell("Ana", "Beta", "Bo Derek", "psst"), "success")
        self.assertEqual(self.hub.told(), [("tell", "Bo Derek", "Alpha", "Ana", "psst")])
        self.assertEqual(self.hub.tell("Bo Derek", "alpha", "ana", "what?"), "success")
        self.assertEqual(alpha.told(), [("tell", "ana", "Beta", "Bo Derek", "what?")])
        self.assertEqual(alpha.tell("Ana", "Delta", "Bo", "psst"), "game offline")
        self.assertEqual(alpha.tell("Ana", "Beta", "Eve", "psst"), "receiving player offline")
        self.assertEqual(alpha.tell("Eve", "Beta", "Bo Derek", "psst"), "sending player offline")

    def test_echo(self) -> None:
        """The network's player echo answers the game that speaks on the channel testing, and nobody else."""
        alpha = self.game()
        for seat in (alpha, self.hub):
            self.assertEqual(seat.subscribe("testing"), "success")
        self.assertEqual(alpha.say("testing", "Ana", "hello"), "success")
        self.assertEqual(alpha.told(), [("said", "testing", "gossip", "echo", "Ana@Alpha said: hello")])
        self.assertEqual(self.hub.told(), [("said", "testing", "Alpha", "Ana", "hello")])
        self.assertEqual(alpha.tell("Ana", "gossip", "echo", "Psst!"), "success")
        self.assertEqual(alpha.told(), [("tell", "Ana", "gossip", "echo", "You said: Psst!")])

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
        self.assertEqual(alpha.ended(), "refused or abuse")

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
        self.assertEqual(alpha.ended(), "refused or abuse")
        self.assertEqual(len(self.hub.told()), 11)

    def test_refused_login(self) -> None:
        """Wrong credentials are refused, and end the connection sooner or later."""
        alpha = self.seat()
        for number in range(self.refusals):
            self.assertIsNone(alpha.ended(), number)
            outcome = alpha.join(self.world.game("Alpha").client_id, "wrong", [], [])
            self.assertEqual(outcome, "invalid credentials")
        self.assertEqual(alpha.ended(), "refused or abuse")

    def test_no_sign_of_life(self) -> None:
        """A game that gives no sign of life is disconnected after some heartbeats, and its players go offline."""
        alpha = self.game()
        for _ in range(self.beats_until_the_end - 1):
            self.clock.advance(1)
            self.hub.list_players("Bo Derek")
        self.assertIsNone(alpha.ended())
        self.clock.advance(1)
        self.assertEqual(alpha.ended(), "no life")
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
        self.assertEqual(alpha.ended(), "restart")

    def test_junk(self) -> None:
        """Nonsense disturbs nothing."""
        alpha = self.game()
        alpha.junk()
        self.assertEqual(alpha.say("gossip", "Ana", "hello"), "success")


class WebSocketTests(Behaviour):
    """By websocket."""

    beats_until_the_end = 45

    def seat(self) -> Seat:
        return WebSocketSeat(self.games(), self.turn)


class BridgeJsonTests(Behaviour):
    """By the JSON dialect of the bridge."""

    beats_until_the_end = 45

    def seat(self) -> Seat:
        return BridgeJsonSeat(self.mud())


class BridgeTextTests(Behaviour):
    """By the text dialect of the bridge."""

    beats_until_the_end = 60
    refusals = 3

    def seat(self) -> Seat:
        return TextSeat(self.mud())


del Behaviour  # without a transport it is no test
