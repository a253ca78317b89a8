"""
What an IMC2 MUD says becomes events (IMC2, sections 5, 6, 8 and 10).

A request travels through the network as an event, whose ref has what its answer needs: L{gossip.transports.imc2.wire}
writes it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from msgspec import Struct

from gossip.protocol.events import (
    ChannelsSend,
    Event,
    GamesStatus,
    Heartbeat,
    Noop,
    PlayersStatus,
    TellsSend,
)
from gossip.protocol.moment import Moment
from gossip.registry.names import NETWORK_GAME, NETWORK_PLAYER
from gossip.transports.imc2.lettering import heard, is_name
from gossip.transports.imc2.packets import Packet, Word, read
from gossip.transports.seen_players import SeenPlayers

TYPES: Final = (
    "keepalive-request",
    "is-alive",
    "ice-refresh",
    "ice-msg-b",
    "ice-msg-p",
    "ice-msg-r",
    "tell",
    "who",
    "who-reply",
    "whois",
    "whois-reply",
    "beep",
    "ice-chan-who",
    "ice-chan-whoreply",
    "user-cache",
    "user-cache-request",
    "user-cache-reply",
    "imc-laston",
    "ice-cmd",
    "remote-admin",
    "ice-update",
    "ice-destroy",
    "emote",
    "close-notify",
)
"""The types of packets that are counted by name."""

REASONS: Final = ("grammar", "origin", "loop", "repeat", "name", "unknown", "rate")
"""Why packets are dropped."""

REMEMBERED: Final = 64
"""How many packets of a connection are remembered. A packet that is repeated within these is dropped."""

SPOOFED: Final = 20
"""So many packets in the name of another MUD within a minute end a connection."""

ANSWER_SECONDS: Final = 10
"""How often C{keepalive-request} is answered at most, in seconds."""

_RELAYED: Final = (
    "beep",
    "ice-chan-who",
    "ice-chan-whoreply",
    "user-cache",
    "user-cache-request",
    "user-cache-reply",
    "who-reply",
    "whois-reply",
)
_OF_PLAYERS: Final = frozenset(
    ("ice-msg-b", "ice-msg-p", "tell", "who", "whois", "beep", "user-cache", "ice-chan-who", "imc-laston")
)


class Said(Struct, frozen=True):
    """The ref of a message. With C{echo}, the MUD shows it when it comes back."""

    name: str
    channel: str
    text: str
    emote: str
    sequence: int
    echo: bool


class Asked(Struct, frozen=True):
    """
    The ref of a question of a player, or of a tell.

    @ivar kind: C{tell}, C{who}, C{finger} or C{info}.
    @ivar game: the game that the question is about, as the player wrote it.
    @ivar about: the player that the question is about.
    """

    kind: str
    name: str
    game: str = ""
    about: str = ""


class Answered(Struct, frozen=True):
    """The ref of a question that needs nothing of the network: packets that answer it, in the order of all answers."""

    packets: tuple[Packet, ...]


class Hub(Protocol):
    """What a dialect asks the IMC2 hub."""

    server: str

    def offered(self) -> Sequence[str]:
        """The channels that MUDs are offered."""

    def mud(self, name: str) -> str:
        """An IMC2 MUD that is logged in, by its name as it writes it itself; empty if there is none."""

    def player_like(self, game: str, token: str) -> str:
        """The player of a game that a word means."""

    def whereis(self, name: str) -> Sequence[tuple[str, str]]:
        """The games that show a player of this name and have not joined by IMC2, and the player."""

    def contact(self) -> str:
        """Where people ask the admins of the network."""

    def alive(self, to: str) -> Sequence[Packet]:
        """The network and its games, for a MUD."""

    def offers(self, to: str) -> Sequence[Packet]:
        """The channels, for a MUD."""

    def listed(self) -> str:
        """The games of the network with their players, as text."""

    def relay(self, source: Dialect, packet: Packet) -> bool:
        """Pass a packet on to the IMC2 MUDs that it is for; returns whether it was not too fast."""


class Spoofing(Exception):
    """A MUD sent too many packets in the name of others."""


class Dialect:
    """
    Understands the packets of one MUD.

    @ivar mud: the MUD's name as it writes it.
    @ivar game: the short name of its game.
    """

    def __init__(self, hub: Hub, mud: str, dropped: Callable[[str], None], received: Callable[[str], None]) -> None:
        """
        @param dropped: is told why a packet was dropped: one of L{REASONS}.
        @param received: is told the type of each packet.
        """
        self.mud = self.game = mud
        self._hub = hub
        self._dropped = dropped
        self._received = received
        self._last: deque[tuple[int, str]] = deque(maxlen=REMEMBERED)
        self._spoofed: deque[float] = deque(maxlen=SPOOFED)
        self._players = SeenPlayers()
        self._told_at: float | None = None

    def read(self, line: str, now: Moment) -> list[Event]:
        """
        Understand a line: at least one event, since each line counts.

        @raise Spoofing: it was the last of many in the name of others.
        """
        packet = read(line)
        why = "grammar" if packet is None else self._wrong(packet, now)
        if packet is None or why:
            self._dropped(why)
            return [Noop(None)]
        self._received(packet.type)
        events = list(self._events(packet, now))
        if packet.type in _OF_PLAYERS and packet.sender != "*":
            self._players.saw(packet.sender, now)
            events[:0] = self.players(now)
        return events

    def players(self, now: Moment) -> list[Event]:
        """The players that are taken as online, if they changed."""
        listed = self._players.news(now)
        return [] if listed is None else [Heartbeat(None, listed)]

    def _wrong(self, packet: Packet, now: Moment) -> str:
        """Why a packet is dropped; empty if it is not."""
        mud = self.mud.lower()
        passed = packet.route.lower().split("!")
        if packet.origin.lower() == mud and self._hub.server.lower() in passed:
            return "loop"
        if packet.origin.lower() != mud or passed != [mud]:
            self._spoofed.append(now.steady)
            if len(self._spoofed) == SPOOFED and self._spoofed[0] + 60 > now.steady:
                self._dropped("origin")
                raise Spoofing
            return "origin"
        if packet.sender != "*" and not is_name(packet.sender):
            return "name"
        if (packet.sequence, packet.type) in self._last:
            return "repeat"
        self._last.append((packet.sequence, packet.type))
        return ""

    def _events(self, packet: Packet, now: Moment) -> Iterator[Event]:
        hub, sender = self._hub, packet.sender
        match packet.type:
            case "keepalive-request":
                if self._told_at is not None and now.steady < self._told_at + ANSWER_SECONDS:
                    yield Noop(None)
                else:
                    self._told_at = now.steady
                    yield Noop(Answered(tuple(hub.alive(self.mud))))
            case "ice-refresh":
                yield Noop(Answered(tuple(hub.offers(self.mud))))
            case "is-alive":
                yield Noop(None)
            case "ice-msg-b":
                yield self._say(packet)
            case "ice-msg-p":
                yield self._note(sender, "this network has no private channels")
            case "tell":
                yield self._tell(packet)
            case "who":
                yield self._who(packet)
            case "whois":
                yield from self._whois(packet)
            case "imc-laston":
                name = packet.get("username")
                found = hub.whereis(name)
                where = ", ".join(f"{player}@{game}" for game, player in found[:3])
                yield self._note(sender, f"{where} is online" if found else f"{name[:40]} is not online")
            case "ice-cmd" | "remote-admin":
                yield self._note(sender, f"ask the admins of the network: {hub.contact()}")
            case kind if kind in _RELAYED:
                yield self._pass(packet)
            case _:
                self._dropped("unknown")
                yield Noop(None)

    def _pass(self, packet: Packet) -> Event:
        if not self._hub.relay(self, packet):
            self._dropped("rate")
        return Noop(None)

    def note(self, name: str, text: str) -> Packet:
        """A notice to a player of the MUD."""
        server = self._hub.server
        return Packet("*", server, 0, server, "tell", name, self.mud, {"isreply": Word("1"), "text": text})

    def _note(self, name: str, text: str) -> Event:
        return Noop(Answered((self.note(name, text),) if name != "*" else ()))

    def reply(self, kind: str, game: str, name: str, text: str) -> Packet:
        """A reply in the name of a game to a player of the MUD."""
        server = self._hub.server
        route = server if game.lower() == server.lower() else f"{game}!{server}"
        return Packet("*", game, 0, route, kind, name, self.mud, {"text": text})

    def _say(self, packet: Packet) -> Event:
        channel = packet.get("channel").partition(":")[2]
        if channel not in self._hub.offered():
            return self._note(packet.sender, "no such channel")
        if packet.sender == "*":
            self._dropped("name")
            return Noop(None)
        emote = packet.get("emote") if packet.get("emote") in ("1", "2") else "0"
        message = heard(packet.get("text"), int(emote), f"{packet.sender}@{self.mud}")
        echo = packet.get("echo") == "1"
        ref = Said(packet.sender, channel, packet.get("text"), emote, packet.sequence, echo)
        return ChannelsSend(ref, channel, packet.sender, message)

    def _tell(self, packet: Packet) -> Event:
        game, token, emote = self._game(packet.destination), packet.target, packet.get("isreply")
        if not is_name(token) or not game:
            self._dropped("name")
            return Noop(None)
        message = heard(packet.get("text"), 2 if emote == "2" else 0, f"{packet.sender}@{self.mud}")
        to_name = self._hub.player_like(game, token)
        if packet.sender == "*":
            # A refusal of the MUD: nobody wants an answer to that.
            return TellsSend(None, NETWORK_PLAYER, game, to_name, message)
        return TellsSend(Asked("tell", packet.sender), packet.sender, game, to_name, message)

    def _game(self, name: str) -> str:
        """A game by its name on the wire."""
        return NETWORK_GAME if name.lower() == self._hub.server.lower() else name

    def _who(self, packet: Packet) -> Event:
        game = packet.destination or packet.target
        if self._hub.mud(game):
            return self._pass(packet)
        sender, (kind, _, about) = packet.sender, (packet.get("type") or "who").partition(" ")
        if game.lower() == self._hub.server.lower():
            return Noop(Answered((self.reply("who-reply", self._hub.server, sender, self._hub.listed()),)))
        match kind.lower():
            case "finger":
                return PlayersStatus(Asked("finger", sender, game, about.strip()), game)
            case "info":
                return GamesStatus(Asked("info", sender, game), game)
        return PlayersStatus(Asked("who", sender, game), game)

    def _whois(self, packet: Packet) -> Iterator[Event]:
        name = packet.target
        found = self._hub.whereis(name)
        replies = (
            self.reply("whois-reply", game, packet.sender, f"{player}@{game} is online.")
            for game, player in found[:20]
            if game.lower() != self.game.lower()
        )
        self._pass(packet)
        yield Noop(Answered(tuple(replies)))
