"""The settings of the gateway to Intermud-3. Without I/O, since the configuration imports them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from gossip.registry.accounts import EMAIL
from gossip.registry.names import CHANNEL_NAME, SHORT_NAME, is_i3_name

_ROUTER: Final = re.compile(r"(\*[A-Za-z0-9_-]{1,30}) ([0-9A-Za-z._-]{1,253}) ([1-9][0-9]{0,4})")
_CHANNEL: Final = re.compile("([^= ]{1,64})=([A-Za-z0-9_-]{1,32})(?::(in|out|both))?")
_SUFFIX: Final = re.compile("[A-Za-z0-9]{1,8}")
_PORTS: Final = 65535

_REFUSED: Final = ("dead",)
_PLACEHOLDERS: Final = frozenset(("mud", "mymud", "yourmud", "newmud", "testmud", "unnamed", "unknown"))


class I3GatewaySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """
    The gateway to a live network of Intermud-3.

    @ivar routers: the routers of that network, each as C{*name host port}; empty for no gateway.
    @ivar mud: what the network is called there.
    @ivar game: the short name of the registered game that speaks for the MUDs there.
    @ivar admin_email: how its admins reach the operator.
    @ivar channels: the channels that pass, each as C{name=name there}, with C{:in} or C{:out} for one direction only.
    @ivar suffix: the end of the short names of the MUDs there.
    @ivar charset: in what charset texts are sent.
    @ivar list_remote: whether the MUDs there are in the lists of all games, and announced.
    @ivar skip: the MUDs there that are ignored.
    """

    routers: tuple[str, ...] = ()
    mud: str = "Gossip"
    game: str = ""
    admin_email: str = ""
    channels: tuple[str, ...] = ()
    suffix: str = "I3"
    charset: Literal["utf-8", "ascii"] = "utf-8"
    list_remote: bool = False
    skip: tuple[str, ...] = ()


class Router(Struct, frozen=True):
    """A router."""

    name: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.name} at {self.host} {self.port}"


class Mapped(Struct, frozen=True):
    """
    A channel that passes.

    @ivar here: what the network calls it.
    @ivar there: what the MUDs call it.
    @ivar hears: whether what MUDs say there is heard here.
    @ivar says: whether what games say here is heard there.
    """

    here: str
    there: str
    hears: bool = True
    says: bool = True


def routers_of(settings: I3GatewaySettings) -> tuple[Router, ...]:
    """
    The routers.

    @raise ValueError: one is malformed.
    """
    return tuple(map(_router, settings.routers))


def _router(text: str) -> Router:
    match = _ROUTER.fullmatch(text)
    if match is None or int(match[3]) > _PORTS:
        raise ValueError(f"{text!r} is not like '*name host port'")
    return Router(match[1], match[2], int(match[3]))


def mapped(settings: I3GatewaySettings) -> tuple[Mapped, ...]:
    """
    The channels that pass.

    @raise ValueError: one is malformed, or there twice.
    """
    found: list[Mapped] = []
    for text in settings.channels:
        match = _CHANNEL.fullmatch(text)
        if match is None or not CHANNEL_NAME.fullmatch(match[1]):
            raise ValueError(f"{text!r} is not like name=name_there, with :in or :out for one direction")
        here, there, way = match[1], match[2], match[3] or "both"
        if any(here == each.here or there == each.there for each in found):
            raise ValueError(f"{text!r} names a channel for the second time")
        found.append(Mapped(here, there, way != "out", way != "in"))
    return tuple(found)


def mistakes(settings: I3GatewaySettings) -> Iterator[tuple[str, str]]:
    """What is wrong with the settings: the name of each that is, and why."""
    for name, check in (("routers", routers_of), ("channels", mapped)):
        try:
            check(settings)
        except ValueError as error:
            yield name, str(error)
    plain = settings.mud.replace(" ", "").lower()
    if not is_i3_name(settings.mud):
        yield "mud", 'must have 1 to 40 ASCII characters without " \\ @ : , % or *, and no blank around it'
    elif plain.startswith(_REFUSED) or plain in _PLACEHOLDERS:
        yield "mud", f"routers refuse {settings.mud!r}: give the network a name of its own"
    if not _SUFFIX.fullmatch(settings.suffix):
        yield "suffix", "must have 1 to 8 letters and digits"
    if settings.routers and not SHORT_NAME.fullmatch(settings.game):
        yield "game", "must be the short name of a registered game, which speaks for the MUDs there"
    if settings.routers and not EMAIL.fullmatch(settings.admin_email):
        yield "admin_email", "must be an address like admin@example.org: routers ban MUDs whose admin they cannot reach"
