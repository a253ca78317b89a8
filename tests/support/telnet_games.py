"""MUDs at the telnet port, in memory: the real service and the real network, on a clock that stands still."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransportWithDisconnection

from gossip.config.config import Config, Limits
from gossip.service.interfaces import ITransportStatus
from gossip.transports.telnet.connection import TelnetConnection
from gossip.transports.telnet.factory import TelnetFactory
from gossip.transports.telnet.limits import TelnetLimits
from gossip.transports.telnet.transport import TelnetTransport
from tests.support.memory_service import MemoryService
from tests.support.ports import Peer, PortTestCase

IAC, SB, SE, WILL, WONT, DO, DONT = 255, 250, 240, 251, 252, 253, 254
CHARSET, MSSP, MCCP2, MCCP3 = 42, 70, 86, 87

OPENING = bytes((IAC, WILL, MSSP, IAC, WILL, CHARSET, IAC, WILL, MCCP2, IAC, WILL, MCCP3)) + b"\r\n"
BANNER = "GOSSIP 1 gossip/1.0 HELP for help"

MSSP_FIGURES = {"NAME": "The Network", "PLAYERS": "7", "UPTIME": "1699999200"}


class Wire(StringTransportWithDisconnection):
    """A transport that counts what is written, and whether it is read from."""

    def __init__(self, address: IPv4Address) -> None:
        super().__init__(peerAddress=address)
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        super().write(data)


class Mud(Peer):
    """
    A MUD at the other end of a telnet connection.

    @ivar opening: what the server sends first.
    """

    connection: TelnetConnection

    def __init__(self, factory: TelnetFactory, turn: Callable[[], None], address: str = "192.0.2.7") -> None:
        super().__init__(Wire(IPv4Address("TCP", address, 4000)), factory, turn)
        self.opening = self.raw()

    def lines(self) -> list[str]:
        """The lines that came since the last look."""
        data = self.raw()
        assert not data or data.endswith(b"\r\n"), data
        return data.decode().split("\r\n")[:-1]

    def say(self, *lines: str) -> list[str]:
        """Send lines in one piece; returns the lines that came."""
        self.send("".join(f"{line}\n" for line in lines).encode())
        return self.lines()

    def frames(self) -> list[dict[str, Any]]:
        """The same as JSON."""
        return [json.loads(line) for line in self.lines()]


def telnet_port(transport: TelnetTransport, service: MemoryService) -> TelnetFactory:
    """A telnet port of a service."""
    return TelnetFactory(
        transport,
        service.clock,
        service,
        lambda: MSSP_FIGURES,
        lambda: service.world.network.rules.limits.rates.global_,
        banner=BANNER.removeprefix("GOSSIP 1 "),
        web_hint=lambda: "see https://mud.example/",
    )


class TelnetTestCase(PortTestCase):
    """A service with a telnet port and games, in memory."""

    limits = TelnetLimits()

    def setUp(self) -> None:
        self.transport = TelnetTransport(self.limits)
        super().setUp()
        self.factory = self.telnet_factory(self.transport)

    def transports(self) -> Sequence[ITransportStatus]:
        return [self.transport]

    def limit(self, limits: TelnetLimits) -> None:
        """Reload the configuration with these limits of the telnet port."""
        self.transport.configure(Config(limits=Limits(telnet=limits)))

    def telnet_factory(self, transport: TelnetTransport) -> TelnetFactory:
        """A telnet port of the service."""
        return telnet_port(transport, self.service)

    def mud(self, address: str = "192.0.2.7") -> Mud:
        """Somebody connects by telnet."""
        return Mud(self.factory, self.turn, address)

    def login(self, name: str, *lines: str) -> Mud:
        """A MUD logs in with the text dialect, says more, and forgets what it was told."""
        mud = self.mud()
        answers = mud.say(f"LOGIN {self.world.game(name).client_id} {self.world.secret(name)} Test 1.0")
        assert answers == [f"OK LOGIN {name} 2.3.0"], answers
        mud.say(*lines)
        return mud


def compressed(data: bytes) -> bytes:
    """What a client sends that begins with MCCP3 and keeps its stream open."""
    stream = zlib.compressobj(9)
    return bytes((IAC, SB, MCCP3, IAC, SE)) + stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)


TRANSCRIPT = """
C: send gossip Conan hi
S: ERR SEND 401 not logged in
C: login {client_id} wrong
S: ERR LOGIN 401 invalid credentials
C: login {client_id} {secret}  ROM 2.4b6
S: OK LOGIN OldMud 2.3.0
C: option charset=latin1 double={ maxline=512
S: OK OPTION charset=latin1 double={ maxline=512
C: @7 subscribe x
S: @7 ERR SUBSCRIBE 400 Could not subscribe to "x"
C: subscribe gossip
S: OK SUBSCRIBE gossip
C: signin Conan%20the%20Great
S: OK SIGNIN Conan%20the%20Great
W: channels/send {"channel": "gossip", "name": "Alice", "message": "nice {Rcolours"}
S: MSG gossip Alice@ExVenture nice {{Rcolours
W: tells/send {"from_name": "Alice", "to_game": "OldMud", "to_name": "Conan the Great", "message": "want to meet?"}
S: TELL Conan%20the%20Great Alice@ExVenture want to meet?
T: 15
S: PING 1
C: pong 1
C: tell Conan%20the%20Great Bob@Nowhere hi
S: ERR TELL 404 game offline
C: quit
S: BYE 200 goodbye
"""
"""The specification's own, with C for the client, S for the server, W for a game by websocket, T for seconds."""
