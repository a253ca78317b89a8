"""MUDs at the IMC2 port, in memory: the real service and the real network, on a clock that stands still."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory
from twisted.internet.testing import StringTransportWithDisconnection

from gossip.config.config import Config, Limits
from gossip.network.session import Session
from gossip.registry.entities import Secret
from gossip.registry.secret import digest
from gossip.service.interfaces import ITransportStatus
from gossip.transports.admission import Room
from gossip.transports.endpoints import Ports
from gossip.transports.imc2.factory import Imc2Factory
from gossip.transports.imc2.limits import Imc2Limits, Imc2Settings
from gossip.transports.imc2.transport import Imc2Transport
from gossip.transports.interfaces import Parts
from gossip.transports.turns import Turns
from tests.support import imc2_client
from tests.support.memory_service import MemoryConnection, MemoryService
from tests.support.ports import Peer, PortTestCase
from tests.support.world import World, frame


class Wire(StringTransportWithDisconnection):
    """
    A transport that knows how it ended.

    @ivar aborted: whether the end was an RST.
    """

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()

    def setTcpKeepAlive(self, enabled: bool) -> None:
        pass

    def setTcpNoDelay(self, enabled: bool) -> None:
        pass


class Mud(Peer):
    """
    A MUD at the other end of an IMC2 connection.

    It checks each line like a client that a wrong one would crash, and writes numbers in the place of sequences.
    """

    def __init__(self, factory: Imc2Factory, turn: Callable[[], None], address: str = "192.0.2.7") -> None:
        super().__init__(Wire(peerAddress=IPv4Address("TCP", address, 4000)), factory, turn)
        self._sequence = 1000
        self.name = ""

    def lines(self) -> list[str]:
        """The lines that came since the last look, each of which a client can bear; without their sequences."""
        lines = imc2_client.lines_of(self.raw())
        for line in lines:
            imc2_client.check_line(line)
        return [re.sub(r"^(\S+) [0-9]+ ", r"\1 # ", line) for line in lines]

    def say(self, *lines: str) -> list[str]:
        """Send lines in one piece; returns the lines that came."""
        self.send("".join(f"{line}\n\r" for line in lines).encode())
        return self.lines()

    def packet(self, sender: str, rest: str) -> list[str]:
        """Send a packet of the MUD with the next sequence; returns the lines that came."""
        self._sequence += 1
        return self.say(f"{sender}@{self.name} {self._sequence} {self.name} {rest}")


def imc2_port(transport: Imc2Transport, service: MemoryService, config: Config) -> Imc2Factory:
    """An IMC2 port of a service."""
    clock: Any = service.clock
    ports = {"imc2": Ports("4113", "")}
    return transport.factory(
        Parts(clock, service, service.world.network, config, ports, Factory(), Room(), Turns(clock))
    )


def imc2_key(world: World, name: str) -> str:
    """Give a game a key for IMC2, and nothing else; the key is always the same."""
    game = world.game(name)
    if all(secret.use != "imc2" for secret in game.secrets):
        world.change(name, secrets=(*game.secrets, Secret(digest(f"key{name}"), use="imc2")))
    return f"Key{name}"


class Imc2TestCase(PortTestCase):
    """A service with an IMC2 port and games, in memory."""

    limits = Imc2Limits()
    settings = Imc2Settings(listen=("tcp:4113",))

    def setUp(self) -> None:
        self.transport = Imc2Transport(self.limits)
        super().setUp()
        rules = self.world.network.rules
        rules.settings = replace(rules.settings, website="https://gossip.example.org/")
        self.config = Config(imc2=self.settings, limits=Limits(imc2=self.limits))
        self.factory = imc2_port(self.transport, self.service, self.config)
        self.factory.doStart()
        self.addCleanup(self.factory.doStop)

    def transports(self) -> Sequence[ITransportStatus]:
        return [self.transport]

    def limit(self, **limits: Any) -> None:
        """Reload the configuration with these limits of the IMC2 port."""
        self.transport.configure(replace(self.config, limits=Limits(imc2=Imc2Limits(**limits))))

    def mud(self, address: str = "192.0.2.7") -> Mud:
        """Somebody connects by IMC2."""
        return Mud(self.factory, self.turn, address)

    def key(self, name: str) -> str:
        """The key of a game, which it is given if it has none."""
        return imc2_key(self.world, name)

    def login(self, name: str, spelled: str = "", address: str = "192.0.2.7") -> Mud:
        """A MUD logs in, sends its first packet, and forgets what it was told."""
        key, mud = self.key(name), self.mud(address)
        mud.name = spelled or name
        answers = mud.say(f"PW {mud.name} {key} version=2 autosetup serverpw SHA256")
        assert answers == ["PW Gossip serverpw version=2 GossipNet"], answers
        mud.packet("*", "is-alive *@* versionid=x")
        return mud

    def said(self, connection: MemoryConnection) -> list[tuple[str, str]]:
        """The same: names and messages of what was said on channels and in tells."""
        payloads = [told.get("payload", {}) for told in self.heard(connection)]
        return [
            (str(payload.get("name", payload.get("from_name"))), payload["message"])
            for payload in payloads
            if "message" in payload
        ]


class TwoGames(Imc2TestCase):
    """OldMud by IMC2, and ExVenture by websocket."""

    def setUp(self) -> None:
        super().setUp()
        self.world.change("Alpha", short_name="OldMud")
        self.world.change("Beta", short_name="ExVenture")
        self.other, self.session = self.websocket(
            "ExVenture", channels=["gossip"], players=["Alice", "Conan the Great"]
        )
        self.old = self.login("OldMud")
        self.heard(self.other)

    def say(self, session: Session, *sent: dict[str, Any]) -> None:
        super().say(session, *sent)
        self.turn()

    def speak(self, message: str, name: str = "Alice") -> list[str]:
        """ExVenture says something; returns what OldMud is told."""
        self.say(self.session, frame("channels/send", {"channel": "gossip", "name": name, "message": message}))
        return self.old.lines()

    def whisper(self, to: str, message: str) -> list[str]:
        """ExVenture tells something; returns what OldMud is told."""
        payload = {"from_name": "Alice", "to_game": "OldMud", "to_name": to, "message": message}
        self.say(self.session, frame("tells/send", payload, "1"))
        return self.old.lines()
