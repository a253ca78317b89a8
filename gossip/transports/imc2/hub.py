"""What IMC2 MUDs are told of the network and of each other, and what passes between them (IMC2, sections 6 to 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final, Protocol

import msgspec

from gossip.network.network import Network
from gossip.network.ratelimit import Bucket, Rate
from gossip.network.relays import Passed
from gossip.network.session import Session
from gossip.protocol.moment import Moment
from gossip.registry.names import CHANNEL_NAME
from gossip.transports.imc2.dialect import Dialect
from gossip.transports.imc2.games import Games
from gossip.transports.imc2.limits import Imc2Settings
from gossip.transports.imc2.packets import Packet, Word
from gossip.transports.one_connection import OneConnection

CHANNELS: Final = 50
"""At most this many channels are offered."""

NEW_CHANNELS: Final = 4
"""At most this many more channels are offered at once: each session may only subscribe to some at a time."""

RELAYS: Final = Rate(20, 2)
"""How many packets of a connection are passed on to other MUDs."""

TRANSPORT: Final = "imc2"
"""The name of the transport."""

_IS_HERE, _TO_MUDS = "is-here", "to-muds"
"""What hubs pass on to those of other nodes: that a MUD has logged in, and packets for their MUDs."""

_KEPT: Final = ("type", "level", "channel", "lname", "list", "user", "gender", "text")
_WORDS: Final = frozenset(("level", "channel", "lname", "user", "gender"))
_TO_ALL: Final = ("user-cache", "user-cache-request")


class Member(Protocol):
    """A MUD that is logged in."""

    dialect: Dialect
    relayed: Bucket

    @property
    def active(self) -> Session | None: ...
    def send(self, packets: Iterable[Packet]) -> None: ...
    def replaced(self) -> None:
        """Its game has logged in again."""


class Imc2Hub:
    """
    The IMC2 side of the network.

    @ivar server: the name of the network on the wire.
    @ivar games: the games, as MUDs are told of them.
    @ivar one: sees to it that a game has one connection.
    """

    def __init__(
        self,
        network: Network,
        settings: Imc2Settings,
        now: Callable[[], Moment],
        text: Callable[[str], str],
        port: Callable[[], str],
        pass_on: Callable[[Passed], None],
    ) -> None:
        """
        @param text: writes a text of another game.
        @param port: returns the number of the port; empty if it is not known.
        @param pass_on: tells the hubs of other nodes something.
        """
        self.server = settings.server
        self._settings = settings
        self._network = network
        self._now = now
        self.games = Games(network, settings, text, port)
        self._pass_on = pass_on
        self.one = OneConnection()
        self._members: dict[str, Member] = {}
        self._offered: list[str] = self._wanted()

    # The MUDs.

    def __iter__(self) -> Iterator[Member]:
        return iter(list(self._members.values()))

    def join(self, member: Member) -> None:
        """A MUD logged in. Its game has one connection: any other is replaced, on whichever node it is."""
        name = member.dialect.game.lower()
        old = self._members.pop(name, None)
        self._members[name] = member
        if old is not None:
            old.replaced()
        self.one.told(name)
        self._pass_on(Passed(TRANSPORT, _IS_HERE, name))

    def leave(self, member: Member) -> None:
        """A connection ended."""
        name = member.dialect.game.lower()
        if self._members.get(name) is member:
            del self._members[name]

    def mud(self, name: str) -> str:
        member = self._members.get(name.lower())
        return self._elsewhere(name) if member is None else member.dialect.mud

    def _elsewhere(self, name: str) -> str:
        """The name of a MUD that is logged in on another node; empty if it is none."""
        game = self._network.registry.game_named(name)
        online = None if game is None else self._network.presence.online(game.client_id)
        if online is None or not any(session.node and session.transport == TRANSPORT for session in online.sessions):
            return ""
        return online.game.short_name

    def relay(self, source: Dialect, packet: Packet) -> bool:
        member = self._members.get(source.game.lower())
        session = None if member is None else member.active
        if member is None or session is None:
            return True
        now = self._now()
        if not member.relayed.take(RELAYS, now):
            return False
        if packet.type == "beep" and self._network.is_silenced(session, packet.sender, now):
            return True
        self._hand_over(source.game, packet)
        wanted = _wanted(packet)
        if wanted is None or self._elsewhere(wanted):
            kept = {key: str(packet.values[key]) for key in _KEPT if key in packet.values}
            written = msgspec.json.encode(msgspec.structs.replace(packet, values=kept)).decode()
            self._pass_on(Passed(TRANSPORT, _TO_MUDS, source.game, written))
        return True

    def passed(self, passed: Passed) -> None:
        """The hub of another node passed something on."""
        if passed.what == _IS_HERE:
            member = self._members.pop(passed.to, None) if self.one.goes(passed.to) else None
            if member is not None:
                member.replaced()
        elif passed.what == _TO_MUDS:
            with suppress(msgspec.DecodeError):  # a later release may write more
                self._hand_over(passed.to, msgspec.json.decode(passed.payload, type=Packet))

    def passed_back(self, passed: Passed) -> None:
        """All nodes have heard what this hub passed on."""
        if passed.what == _IS_HERE:
            self.one.heard_back(passed.to)

    def _hand_over(self, game: str, packet: Packet) -> None:
        """
        Hand a packet to the MUDs that are logged in here.

        @param game: the game that it comes from.
        """
        wanted = _wanted(packet)
        found = self._members.get((wanted or "").lower())
        others = list(self) if wanted is None else [found] if found is not None else []
        values = {
            key: Word(packet.values[key]) if key in _WORDS else packet.values[key]
            for key in _KEPT
            if key in packet.values
        }
        for other in others:
            if other.dialect.game.lower() == game.lower():
                continue
            to = "*" if wanted is None and packet.type != "whois" else packet.target if packet.destination else "*"
            destination = "*" if wanted is None else other.dialect.mud
            route = f"{game}!{self.server}"
            other.send((Packet(packet.sender, game, 0, route, packet.type, to, destination, values),))

    # The channels.

    def _wanted(self) -> list[str]:
        """The channels that are to be offered."""
        always = [name for name in self._settings.channels if CHANNEL_NAME.fullmatch(name)]
        shown = (
            channel.name
            for channel in self._network.registry.channels.values()
            if not channel.hidden and CHANNEL_NAME.fullmatch(channel.name)
        )
        return sorted({*always, *sorted(set(shown) - set(always))[: CHANNELS - len(always)]})

    def offered(self) -> Sequence[str]:
        return self._offered

    def look(self) -> tuple[list[str], list[str]]:
        """Look at the channels again; returns those that are newly offered, and those that no longer are."""
        wanted, before = self._wanted(), self._offered
        came = [name for name in wanted if name not in before][:NEW_CHANNELS]
        went = [name for name in before if name not in wanted][:NEW_CHANNELS]
        self._offered = sorted({*before, *came} - {*went})
        return came, went

    def offers(self, to: str) -> Sequence[Packet]:
        return [self.offer(name, to) for name in self._offered]

    def offer(self, channel: str, to: str) -> Packet:
        """Tell a MUD of a channel."""
        server = self.server
        values = {
            "channel": Word(f"{server}:{channel}"),
            "owner": Word(f"admin@{server}"),
            "operators": Word(f"admin@{server}"),
            "policy": Word("open"),
            "excluded": "",
            "level": Word("Mort"),
            # The name itself is a command of some MUDs, which would win.
            "localname": Word(f"i{channel}"),
        }
        return Packet("ICE", server, 0, server, "ice-update", "*", to, values)

    def withdraw(self, channel: str) -> Packet:
        """Tell all MUDs that a channel is no longer offered."""
        values = {"channel": Word(f"{self.server}:{channel}")}
        return Packet("ICE", self.server, 0, self.server, "ice-destroy", "*", "*", values)

    # The games and their players.

    def alive(self, to: str) -> Sequence[Packet]:
        return self.games.alive(to)

    def listed(self) -> str:
        return self.games.listed()

    def player_like(self, game: str, token: str) -> str:
        return self._network.statuses.player_like(game, token)

    def whereis(self, name: str) -> Sequence[tuple[str, str]]:
        found = self._network.statuses.whereis(name)
        return [(game, player) for game, player in found if not self.mud(game)]

    def contact(self) -> str:
        settings = self._network.rules.settings
        return settings.contact or settings.site or "they are on the web pages"


def _wanted(packet: Packet) -> str | None:
    """The name of the MUD that a packet is for; C{None} if it is for all."""
    wanted = packet.destination if packet.destination or packet.type != "who" else packet.target
    everybody = packet.type in _TO_ALL or (packet.type == "whois" and wanted in ("", "*"))
    return None if everybody else wanted
