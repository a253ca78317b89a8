"""Games at the network, in the words of what they do: the same words, whatever carries them."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final, Protocol

from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransportWithDisconnection

from gossip.config.config import Config
from gossip.network.ratelimit import Rate
from gossip.service.interfaces import ITransportStatus
from gossip.transports.admission import Admission
from gossip.transports.imc2.limits import Imc2Settings
from gossip.transports.imc2.transport import Imc2Transport
from gossip.transports.intermud3 import mudmode
from gossip.transports.intermud3.limits import I3Settings
from gossip.transports.intermud3.transport import I3Transport
from gossip.transports.telnet.transport import TelnetTransport
from gossip.transports.websocket.connection import GameFactory
from tests.support import i3_games, imc2_client, imc2_games
from tests.support.clock import Clock
from tests.support.memory_nodes import MemoryNode, Stream
from tests.support.memory_service import MemoryService
from tests.support.ports import PortTestCase
from tests.support.rawsocket import CLOSE, TEXT, frame, frames, handshake
from tests.support.telnet_games import Mud, telnet_port
from tests.support.world import World

Told = tuple[Any, ...]
"""What a game was told, in the same words for every transport."""


class Seat(Protocol):
    """
    A game at the network, in the words of what it does.

    @ivar room: how many characters of a message its players read at least, in as many lines as it takes.
    @ivar gives_reasons: whether it is told why its connection ends.
    """

    room: int
    gives_reasons: bool

    def credentials(self, world: World, name: str) -> tuple[str, str]:
        """What a game joins with."""

    def can_say(self, name: str, message: str) -> bool:
        """Can a player have this name here, and type this?"""

    def join(self, client_id: str, secret: str, channels: list[str], players: list[str]) -> str: ...
    def say(self, channel: str, name: str, message: str) -> str: ...
    def tell(self, from_name: str, game: str, to_name: str, message: str) -> str: ...
    def list_players(self, *names: str) -> None:
        """Give a sign of life."""

    def junk(self) -> None: ...
    def leave(self) -> None: ...
    def told(self) -> list[Told]: ...
    def ended(self) -> str | None: ...


class WholeSeat(Seat, Protocol):
    """The same by a transport that has all of the protocol."""

    def subscribe(self, channel: str) -> str: ...
    def unsubscribe(self, channel: str) -> str: ...
    def sign_in(self, name: str) -> str: ...
    def sign_out(self, name: str) -> str: ...
    def who(self, game: str) -> list[str] | str: ...


class JsonSeat:
    """What the websocket and the JSON dialect of the bridge share."""

    room = 4096
    gives_reasons = True

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

    def credentials(self, world: World, name: str) -> tuple[str, str]:
        return world.game(name).client_id, world.secret(name)

    def can_say(self, name: str, message: str) -> bool:
        return True

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

    room = 4096
    gives_reasons = True

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

    def credentials(self, world: World, name: str) -> tuple[str, str]:
        return world.game(name).client_id, world.secret(name)

    def can_say(self, name: str, message: str) -> bool:
        return "\n" not in message

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


class Imc2Seat:
    """A game by IMC2. Its client gets no answers but its own words, and notices of what went wrong."""

    room = 2700
    gives_reasons = False

    def __init__(self, mud: imc2_games.Mud) -> None:
        self._mud = mud
        self._told: list[Told] = []
        self._refused = False

    def credentials(self, world: World, name: str) -> tuple[str, str]:
        return name, imc2_games.imc2_key(world, name)

    def can_say(self, name: str, message: str) -> bool:
        # Clients write names as one word, and colours as "~R".
        return name.isascii() and " " not in name and re.search("\n|[~^`][A-Za-z!$]", message) is None

    def join(self, client_id: str, secret: str, channels: list[str], players: list[str]) -> str:
        self._mud.name = client_id
        (answer,) = self._mud.say(f"PW {client_id} {secret} version=2 autosetup x")
        if answer.startswith("NOTICE "):
            self._refused = True
            return "invalid credentials" if "wrong key" in answer else answer
        self.list_players()
        return "success"

    def say(self, channel: str, name: str, message: str) -> str:
        emote = message.startswith("/me ")
        text = _in_quotes(message.removeprefix("/me "))
        return self._outcome(name, f"ice-msg-b *@* channel=Gossip:{channel} emote={emote:d} echo=1 text={text}")

    def tell(self, from_name: str, game: str, to_name: str, message: str) -> str:
        return self._outcome(from_name, f"tell {to_name}@{game} text={_in_quotes(message)}", "success")

    def list_players(self, *names: str) -> None:
        self._told += self._heard(self._mud.packet("*", "is-alive *@*"))

    def _outcome(self, name: str, packet: str, otherwise: str = "") -> str:
        outcome = "" if self._mud.closed else otherwise
        for told in self._heard(self._mud.packet(name, packet)):
            if told[0] == "answer":
                outcome = told[1]
            else:
                self._told.append(told)
        return outcome

    def _heard(self, lines: list[str]) -> list[Told]:
        heard: list[Told] = []
        for line in lines:
            packet = imc2_client.check(line.replace(" # ", " 1 ", 1))
            text, (name, game) = packet.get("text", ""), packet["from"].split("@")
            match packet["type"]:
                case "ice-msg-b" if "sender" in packet:
                    heard.append(("answer", "success"))
                case "ice-msg-b":
                    message = f"/me {text}" if packet["emote"] == "1" else text
                    heard.append(("said", packet["channel"].removeprefix("Gossip:"), game, name, message))
                case "tell" if packet.get("isreply") == "1":
                    heard.append(("answer", text))
                case "tell":
                    is_emote = packet.get("isreply") == "2"
                    message = f"/me {text.removeprefix(packet['from']).lstrip()}" if is_emote else text
                    game = "gossip" if game == "Gossip" else game
                    heard.append(("tell", packet["to"].partition("@")[0], game, name, message))
                case "is-alive":
                    heard.append(("games/connect", game))
                case "close-notify":
                    heard.append(("games/disconnect", packet["host"]))
                case "emote":
                    (seconds,) = re.findall("[0-9]+", text)
                    heard.append(("restart", int(seconds)))
        return heard

    def junk(self) -> None:
        self._mud.say("nonsense")

    def leave(self) -> None:
        self._mud.wire.loseConnection()

    def told(self) -> list[Told]:
        told, self._told = self._told + self._heard(self._mud.lines()), []
        return told

    def ended(self) -> str | None:
        self._told += self._heard(self._mud.lines())
        return "refused" if self._refused else "without a word" if self._mud.closed else None


class I3Seat:
    """A MUD by Intermud-3. It gets no answers but its own words, and errors."""

    room = 4096
    gives_reasons = False

    def __init__(self, mud: i3_games.Mud, clock: Clock) -> None:
        """@param clock: goes on when the MUD joins, since it is told its lists little by little."""
        self._mud = mud
        self._clock = clock
        self._told: list[Told] = []
        self._up: set[str] = set()
        self._refused = False

    def credentials(self, world: World, name: str) -> tuple[str, str]:
        if world.registry.i3.named(name) is None:
            i3_games.i3_identity(world, name, name)
        return name, str(i3_games.PASSWORD)

    def can_say(self, name: str, message: str) -> bool:
        # Clients write a line.
        return "\n" not in message

    def join(self, client_id: str, secret: str, channels: list[str], players: list[str]) -> str:
        answer = self._mud.startup(client_id, int(secret) if secret.isdecimal() else 0)[0]
        if answer[0] == "error":
            self._refused = True
            return "invalid credentials" if "is not registered here" in answer[7] else str(answer[7])
        for channel in channels:
            self._told += self._heard(self._mud.packet("channel-listen", "", "*gossip", "", _there(channel), 1))
        self._clock.advance(1)
        self.told()
        return "success"

    def say(self, channel: str, name: str, message: str) -> str:
        kind, text = _acted(message)
        return self._outcome(self._mud.packet(f"channel-{kind}", name.lower(), "", "", _there(channel), name, text))

    def tell(self, from_name: str, game: str, to_name: str, message: str) -> str:
        kind, text = _acted(message)
        kind = "tell" if kind == "m" else "emoteto"
        return self._outcome(self._mud.packet(kind, from_name.lower(), game, to_name, from_name, text), "success")

    def list_players(self, *names: str) -> None:
        self._told += self._heard(self._mud.packets())

    def _outcome(self, packets: list[Any], otherwise: str = "") -> str:
        outcome = "" if self._mud.closed else otherwise
        for told in self._heard(packets):
            if told[0] == "answer":
                outcome = told[1]
            else:
                self._told.append(told)
        return outcome

    def _heard(self, packets: list[Any]) -> list[Told]:
        heard: list[Told] = []
        for kind, _, game, _, _, to_user, *rest in packets:
            match kind:
                case "channel-m" | "channel-e" if game == self._mud.name:
                    heard.append(("answer", "success"))
                case "channel-m" | "channel-e":
                    channel, name, text = rest
                    message = f"/me {text.removeprefix('$N ')}" if kind == "channel-e" else text
                    heard.append(("said", channel.removeprefix("imud_"), game, name, message))
                case "tell":
                    name, text = rest
                    message = re.sub(r"^\*(.*)\*$", r"/me \1", text)
                    heard.append(("tell", to_user, game, name, message))
                case "error":
                    heard.append(("answer", rest[1]))
                case "mudlist":
                    heard += self._came_and_went(rest[1])
        return heard

    def _came_and_went(self, muds: dict[str, Any]) -> list[Told]:
        up = {name for name, record in muds.items() if record and record[0] == -1}
        came, went = up - self._up, (self._up & set(muds)) - up
        self._up = (self._up | came) - went
        return [*(("games/connect", name) for name in came), *(("games/disconnect", name) for name in went)]

    def junk(self) -> None:
        self._mud.send(mudmode.frame("nonsense"))

    def leave(self) -> None:
        self._mud.wire.loseConnection()

    def told(self) -> list[Told]:
        told, self._told = self._told + self._heard(self._mud.packets()), []
        return told

    def ended(self) -> str | None:
        self._told += self._heard(self._mud.packets())
        return "refused" if self._refused else "without a word" if self._mud.closed else None


def _there(channel: str) -> str:
    """The name of a channel for MUDs."""
    return "imud_gossip" if channel == "gossip" else channel


def _acted(message: str) -> tuple[str, str]:
    """The type and the text of a message, as a client sends them."""
    return ("e", f"$N {message.removeprefix('/me ')}") if message.startswith("/me ") else ("m", message)


def _in_quotes(text: str) -> str:
    """A value as a client writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Ports:
    """Every port of a service."""

    def __init__(self, service: MemoryService, telnet: TelnetTransport, imc2: Imc2Transport, i3: I3Transport) -> None:
        self.websockets = GameFactory(service.clock, service, Admission(0, 0, 0))
        self.lines = telnet_port(telnet, service)
        self.packets = imc2_games.imc2_port(imc2, service, Config(imc2=Imc2Settings(listen=("tcp:4113",))))
        self.router = i3_games.i3_port(i3, service, Config(i3=I3Settings(listen=("tcp:4114",))))


class AllPortsTestCase(PortTestCase):
    """A service with every port."""

    def setUp(self) -> None:
        self._telnet, self._imc2, self._i3 = TelnetTransport(), Imc2Transport(), I3Transport()
        super().setUp()
        self.patch(import_module("txaio").config, "loop", self.clock)  # Autobahn's timers know no other way
        self._ports = [Ports(service, self._telnet, self._imc2, self._i3) for service in self.services()]
        self._seats = 0
        for ports in self._ports:
            for factory in (ports.packets, ports.router):
                factory.doStart()
                self.addCleanup(factory.doStop)

    def services(self) -> Sequence[MemoryService]:
        """The services that games join in turn."""
        return (self.service,)

    def transports(self) -> Sequence[ITransportStatus]:
        return self._telnet, self._imc2, self._i3

    def seat_at(self, port: str) -> Seat:
        """A new connection to one of the ports, by a name in L{PORTS}."""
        return PORTS[port](self)

    def _next(self) -> Ports:
        self._seats += 1
        return self._ports[(self._seats - 1) % len(self._ports)]

    def by_websocket(self) -> WebSocketSeat:
        """A new connection by websocket."""
        return WebSocketSeat(self._next().websockets, self.turn)

    def by_json(self) -> BridgeJsonSeat:
        """A new connection by the JSON dialect of the bridge."""
        return BridgeJsonSeat(Mud(self._next().lines, self.turn))

    def by_text(self) -> TextSeat:
        """A new connection by the text dialect of the bridge."""
        return TextSeat(Mud(self._next().lines, self.turn))

    def by_imc2(self) -> Imc2Seat:
        """A new connection by IMC2."""
        return Imc2Seat(imc2_games.Mud(self._next().packets, self.turn))

    def by_i3(self) -> I3Seat:
        """A new connection by Intermud-3."""
        return I3Seat(i3_games.Mud(self._next().router, self.turn), self.clock)


class OnNodes(AllPortsTestCase):
    """Makes tests at one service tests at two nodes. The games connect to one and the other in turn."""

    def make_service(self) -> MemoryService:
        clock = Clock()
        stream = Stream(clock)
        self.nodes = [MemoryNode(stream, name, clock=clock, transports=self.transports()) for name in "ab"]
        # The first game to connect is another one than those that are tested.
        first, tested = self.nodes
        tested.world.beside.append(first.world)
        return tested

    def services(self) -> Sequence[MemoryService]:
        return self.nodes

    def rates(self, **rates: Rate) -> None:
        super().rates(**rates)
        for node in self.nodes:
            node.network.rules.limits = self.world.network.rules.limits


PORTS: Final[dict[str, Callable[[AllPortsTestCase], Seat]]] = {
    "websocket": AllPortsTestCase.by_websocket,
    "json": AllPortsTestCase.by_json,
    "text": AllPortsTestCase.by_text,
    "imc2": AllPortsTestCase.by_imc2,
    "i3": AllPortsTestCase.by_i3,
}
"""Everything that games can join by."""
