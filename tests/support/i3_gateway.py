"""A gateway to Intermud-3 in memory, and the strict routers that it dials: a test speaks for all MUDs behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.operation import Occasion
from gossip.registry.changes import I3LinkSaved
from gossip.registry.entities import I3Link
from gossip.transports.intermud3.gateway.service import I3Gateway
from gossip.transports.intermud3.gateway.settings import I3GatewaySettings, Router
from gossip.transports.intermud3.mudmode import frame
from tests.support.memory_service import MemoryService
from tests.support.world import NOW, uuid
from tests.support.world import frame as game_frame
from tests.transports.intermud3 import strict

MUD = "Gossip"
SETTINGS = I3GatewaySettings(
    routers=("*one 192.0.2.1 8080", "*two 192.0.2.2 8080"),
    game="Beta",
    admin_email="admin@example.org",
    channels=("dchat=dchat", "code=imud_code:in"),
)
"""The gateway of the game Beta."""


class Wire(StringTransportWithDisconnection):
    """A connection in memory."""

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """It needs none."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """It is at once."""

    def abortConnection(self) -> None:
        self.loseConnection()


class Routers:
    """
    Where the gateway dials.

    @ivar dialled: the names of the routers that were dialled.
    @ivar away: whether nobody answers.
    @ivar times: when each packet came.
    """

    def __init__(self, clock: Any) -> None:
        self.dialled: list[str] = []
        self.away = False
        self.times: list[float] = []
        self._clock = clock
        self.wire: Wire | None = None
        self.name = ""

    def connect(self, router: Router, factory: Factory) -> Deferred[Any]:
        """What the gateway connects by."""
        self.dialled.append(router.name)
        if self.away:
            return fail(ConnectError())
        self.name = router.name
        self.wire = Wire()
        protocol = factory.buildProtocol(None)
        assert protocol is not None
        self.wire.protocol = protocol
        protocol.makeConnection(self.wire)
        return succeed(protocol)

    @property
    def is_connected(self) -> bool:
        return self.wire is not None and self.wire.connected

    def heard(self, kind: str = "") -> list[Any]:
        """The packets that came since the last look, each of which a driver can bear; of a type, if one is given."""
        assert self.wire is not None
        packets = strict.frames(self.wire.value())
        self.wire.clear()
        self.times += [self._clock.seconds()] * len(packets)
        return [each for each in packets if not kind or each[0] == kind]

    def say(self, *packets: Sequence[Any]) -> None:
        """Send packets."""
        assert self.wire is not None
        self.wire.protocol.dataReceived(b"".join(frame(packet) for packet in packets))

    def let_in(self, password: int = 77) -> None:
        """Answer the login."""
        self.say(["startup-reply", 5, self.name, 0, MUD, 0, [[self.name, "192.0.2.1 8080"]], password])

    def list(self, *muds: str, up: bool = True) -> None:
        """Tell of MUDs."""
        about = ["192.0.2.5", 4000, 0, 0, "lib", "lib", "driver", "LP", "open for public", "x@example.org"]
        services = {"tell": 1, "who": 1, "channel": 1}
        listed: Any = {name: [-1 if up else 0, *about, services, 0] for name in muds}
        self.say(["mudlist", 5, self.name, 0, MUD, 0, 7, listed])

    def chat(self, mud: str, text: str, user: str = "Bob", channel: str = "dchat") -> None:
        """A player of a MUD says something on a channel."""
        self.say(["channel-m", 5, mud, user.lower(), 0, 0, channel, user, text])

    def tell(self, mud: str, text: str, to_user: str, user: str = "Bob") -> None:
        """A player of a MUD tells one of ours something."""
        self.say(["tell", 5, mud, user.lower(), MUD, to_user, user, text])


def gateway(
    service: MemoryService, settings: I3GatewaySettings = SETTINGS, accepted: bool = True
) -> tuple[I3Gateway, Routers]:
    """The gateway of a service, started, and its routers."""
    routers = Routers(service.clock)
    made = I3Gateway(service.clock, routers.connect, service, settings, lambda: 0.5)
    service.intermud = made
    if accepted:
        service.world.registry.enact(I3LinkSaved(I3Link(mud=settings.mud, accepted_at=NOW)))
    made.startService()
    service.clock.advance(1)
    return made, routers


class GatewayTestCase(SynchronousTestCase):
    """A gateway that is up, with the MUD Foo, and the game Alpha with its player Ana on the channels."""

    def setUp(self) -> None:
        self.service = MemoryService()
        self.clock = self.service.clock
        self.world = self.service.world
        self.alpha = self.service.join("Alpha", channels=["dchat", "code"], players=["Ana"])
        self.gateway, self.routers = gateway(self.service)
        self.addCleanup(self.gateway.stopService)
        self.login = self.routers.heard()
        self.routers.let_in()
        self.settle()
        self.listened = self.routers.heard()
        self.routers.list("Foo")

    def settle(self, seconds: float = 2) -> None:
        """Time goes by; the disk keeps up, and what waits leaves. Alpha gives signs of life."""
        for _ in range(int(seconds * 4)):
            self.service.writer.settle()
            self.service.flush()
            self.service.alive(self.alpha)
            self.clock.advance(0.25)

    def told(self, *kinds: str) -> list[Any]:
        """What Alpha was told since the last look, without heartbeats."""
        self.settle()
        return [
            each.get("payload", each)
            for each in self.service.told(self.alpha)
            if each["event"] in (kinds or ("channels/broadcast", "tells/receive"))
        ]

    def say(self, event: str, **payload: Any) -> None:
        self.service.write(self.alpha, game_frame(event, payload, "1"))
        self.settle()

    def perform(self, operation: Any) -> None:
        """An admin does something."""
        change, _ = operation.perform(self.world.registry, Occasion(NOW, lambda: uuid(9), "unix:ana"))
        self.service.change(change)
        self.settle()
