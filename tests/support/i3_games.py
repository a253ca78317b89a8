"""MUDs at the Intermud-3 port, in memory: the real service and the real network, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory

from gossip.config.config import Config, Limits
from gossip.registry.changes import I3IdentitySaved
from gossip.registry.entities import I3Identity
from gossip.registry.secret import digest
from gossip.service.interfaces import ITransportStatus
from gossip.transports.admission import Room
from gossip.transports.endpoints import Ports
from gossip.transports.interfaces import Parts
from gossip.transports.intermud3.factory import I3Factory
from gossip.transports.intermud3.limits import I3Limits, I3Settings
from gossip.transports.intermud3.mudmode import frame
from gossip.transports.intermud3.packets import is_known
from gossip.transports.intermud3.transport import I3Transport
from gossip.transports.turns import Turns
from tests.support.imc2_games import Wire
from tests.support.memory_service import MemoryConnection, MemoryService
from tests.support.ports import Peer, PortTestCase
from tests.support.world import World
from tests.transports.intermud3 import strict

PASSWORD = 123456
"""The password of each MUD."""

ROUTER = "*gossip"

NEVER_SENT = {"emoteto", "beep", "ping", "router-shutdown", "chan-filter-req"}
"""Types that a router must not originate, since old clients die of them."""


class Mud(Peer):
    """
    A MUD at the other end of a connection. It checks each frame like a driver that a wrong one would crash.

    @ivar name: its name.
    @ivar router: what it calls the router.
    """

    def __init__(self, factory: I3Factory, turn: Callable[[], None], address: str = "192.0.2.7") -> None:
        here = IPv4Address("TCP", "203.0.113.9", 4114)
        super().__init__(Wire(here, IPv4Address("TCP", address, 4000)), factory, turn)
        self.name = ""
        self.router = ROUTER

    def packets(self) -> list[Any]:
        """The packets that came since the last look, each of which a driver can bear."""
        packets = strict.frames(self.raw())
        for packet in packets:
            kind = packet[0]
            assert is_known(kind) and kind not in NEVER_SENT, packet
            assert kind not in ("mudlist", "chanlist-reply") or packet[7], packet
        return packets

    def say(self, *packets: Sequence[Any]) -> list[Any]:
        """Send packets in one piece; returns those that came."""
        self.send(b"".join(map(frame, packets)))
        return self.packets()

    def packet(self, kind: str, user: str, to_mud: str, to_user: str, *rest: Any) -> list[Any]:
        """Send a packet; empty names are 0. Returns the packets that came."""
        return self.say([kind, 5, self.name, user or 0, to_mud or 0, to_user or 0, *rest])

    def startup(self, name: str, password: Any = PASSWORD, **more: Any) -> list[Any]:
        """Send the first packet; returns the packets that came."""
        self.name = name
        services = more.get("services", {"tell": 1, "channel": 1, "who": 1, "locate": 1, "ucache": 1})
        named = ["Lib 1.0", "Lib", "Driver", "LPMud", "mudlib development", "admin@mud.example.org"]
        said = [password, 0, 0, more.get("port", 4000), 0, 0, *named, services, more.get("other", 0)]
        return self.say(["startup-req-3", 5, name, 0, self.router, 0, *said])

    def speak(self, channel: str, user: str, text: str, kind: str = "channel-m") -> list[Any]:
        """A player says something; returns the packets that came."""
        return self.packet(kind, user.lower(), "", "", channel, user, text)


def i3_port(transport: I3Transport, service: MemoryService, config: Config) -> I3Factory:
    """An Intermud-3 port of a service."""
    clock: Any = service.clock
    ports = {"i3": Ports("4114", "")}
    return transport.factory(
        Parts(clock, service, service.world.network, config, ports, Factory(), Room(), Turns(clock))
    )


def i3_identity(world: World, game: str, name: str, **fields: Any) -> None:
    """Let a game join by Intermud-3."""
    fields = {"digest": digest(str(PASSWORD)), **fields}
    saved = I3IdentitySaved(I3Identity(client_id=world.client_id(game), name=name, **fields))
    for each in (world, *world.beside):
        each.registry.enact(saved)


class I3TestCase(PortTestCase):
    """A service with an Intermud-3 port and games, in memory."""

    limits = I3Limits()
    settings = I3Settings(listen=("tcp:4114",))

    def setUp(self) -> None:
        self.transport = I3Transport(self.limits)
        super().setUp()
        rules = self.world.network.rules
        rules.settings = replace(rules.settings, website="https://gossip.example.org/")
        self.config = Config(i3=self.settings, limits=Limits(i3=self.limits))
        self.transport.configure(self.config)
        self.factory = i3_port(self.transport, self.service, self.config)
        self.factory.doStart()
        self.addCleanup(self.factory.doStop)

    def transports(self) -> Sequence[ITransportStatus]:
        return [self.transport]

    def mud(self, address: str = "192.0.2.7") -> Mud:
        """Somebody connects."""
        return Mud(self.factory, self.turn, address)

    def login(self, game: str, name: str = "", address: str = "192.0.2.7", **more: Any) -> Mud:
        """A MUD logs in, is told its lists, and forgets them."""
        name = name or f"{game} Mud"
        if self.world.registry.i3.named(name) is None:
            i3_identity(self.world, game, name)
        mud = self.mud(address)
        (answer,) = [packet for packet in mud.startup(name, **more) if packet[0] == "startup-reply"]
        assert answer[7] == PASSWORD, answer
        self.clock.advance(5)
        mud.packets()
        return mud

    def wait(self, seconds: float) -> None:
        """Time goes by."""
        for _ in range(int(seconds // 10)):
            self.clock.advance(10)

    def listen(self, mud: Mud, *channels: str) -> None:
        """A MUD listens to channels."""
        for channel in channels:
            assert mud.packet("channel-listen", "", mud.router, "", channel, 1) == []
        self.clock.advance(len(channels))
        mud.packets()

    def said(self, connection: MemoryConnection) -> list[tuple[str, str]]:
        """What a game on another transport heard on channels and in tells: names and messages."""
        payloads = [told.get("payload", {}) for told in self.heard(connection)]
        return [
            (str(payload.get("name", payload.get("from_name"))), payload["message"])
            for payload in payloads
            if "message" in payload
        ]
