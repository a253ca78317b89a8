"""The settings and limits of the Intermud-3 port. Without I/O, since the configuration imports them."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from gossip.transports.budget import Budget, Budgets
from gossip.transports.intermud3.channels import configured
from gossip.transports.intermud3.gateway.settings import I3GatewaySettings, mistakes
from gossip.transports.intermud3.lettering import PACKETS, TEXT_BYTES, Parts
from gossip.transports.intermud3.packets import is_router_name

_ADDRESS: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3} [1-9][0-9]{0,4}")


class I3Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """
    The Intermud-3 port.

    @ivar listen: where it listens, as endpoint strings; empty for nowhere. MUDs know no TLS.
    @ivar router: the name of the router, for MUDs that call it by none.
    @ivar address: the IPv4 address and the port at which MUDs reach it, if that is not the address that they dial.
    @ivar channels: the channels that are always offered, each as C{name=name for MUDs}; all public ones are as well.
    @ivar remote: whether MUDs are told of remote games, too.
    @ivar same_address: whether a wrong password is accepted from the address of the last login.
    @ivar gateway: the gateway to a live network of Intermud-3.
    """

    listen: tuple[str, ...] = ()
    router: str = "*gossip"
    address: str = ""
    channels: tuple[str, ...] = ("gossip=imud_gossip",)
    remote: bool = False
    same_address: bool = True
    gateway: I3GatewaySettings = I3GatewaySettings()


class I3Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """
    The limits of the Intermud-3 port; 0 is no limit.

    @ivar connections: the maximum number of connections.
    @ivar connections_per_address: the maximum number from one address.
    @ivar unauthenticated_per_address: the maximum number from one address that have not logged in.
    @ivar startup_seconds: how long a login may take, and any frame that has begun.
    @ivar frame_bytes_before_startup: the longest frame before the login.
    @ivar frame_bytes: the longest frame after it.
    @ivar backlog_bytes: how many bytes may wait for a slow reader before it is cut off.
    @ivar text_bytes: the longest text of one packet; at most 1,500, so that the frame fits into what drivers read.
    @ivar packets: how many packets a long text may take.
    @ivar budgets: how much a connection may send.
    """

    connections: int = 500
    connections_per_address: int = 20
    unauthenticated_per_address: int = 10
    startup_seconds: float = 30
    frame_bytes_before_startup: int = 8 * 1024
    frame_bytes: int = 64 * 1024
    backlog_bytes: int = 256 * 1024
    text_bytes: int = TEXT_BYTES
    packets: int = PACKETS
    budgets: Budgets = Budgets(Budget(32 * 1024, 4 * 1024), Budget(512 * 1024, 64 * 1024))

    @property
    def parts(self) -> Parts:
        """How a long text is split."""
        return Parts(self.text_bytes, self.packets or PACKETS)


def complaint(settings: I3Settings, limits: I3Limits) -> str:
    """What is wrong with the settings of the port; empty if nothing is."""
    if not all(settings.listen):
        return "i3.listen: must not contain an empty address"
    if not is_router_name(settings.router):
        return "i3.router: must have an asterisk, then 1 to 30 letters, digits, hyphens and underscores"
    if settings.address and not _ADDRESS.fullmatch(settings.address):
        return "i3.address: must look like 203.0.113.9 4114"
    try:
        configured(settings.channels)
    except ValueError as error:
        return f"i3.channels: {error}"
    if not 1 <= limits.text_bytes <= TEXT_BYTES:
        return f"limits.i3.text_bytes: must be 1 to {TEXT_BYTES}: drivers have no room for more"
    if 0 < limits.frame_bytes < limits.frame_bytes_before_startup:
        return "limits.i3.frame_bytes: must be at least limits.i3.frame_bytes_before_startup"
    return next((f"i3.gateway.{name}: {wrong}" for name, wrong in mistakes(settings.gateway)), "")
