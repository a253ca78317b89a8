"""
The packets of Intermud-3: arrays that begin with their type, how far they may travel, and who sends what to whom.

Without I/O. Sources: the protocol's documents, and what clients and routers in the field send.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from msgspec import Struct

from gossip.transports.intermud3.mudmode import Value, frame
from gossip.transports.telnet.lines import one_line

TTL: Final = 5
"""How many routers a packet of ours may pass."""

FRAME_BYTES: Final = 8000
"""The maximum size of a frame to a MUD. LPC drivers close a connection at the first one of more than 10,000 bytes."""

_HEAD: Final = 6

_TEXT, _NUMBER, _MAPPING, _ARRAY, _SCALAR, _ANY = "text", "number", "mapping", "array", "scalar", "any"

_STARTUP: Final = (*(_NUMBER,) * 6, *(_TEXT,) * 5)
_SHAPES: Final[Mapping[str, tuple[str, ...]]] = {
    "startup-req-1": (*_STARTUP, _MAPPING),
    "startup-req-2": (*_STARTUP, _MAPPING),
    "startup-req-3": (*_STARTUP, _TEXT, _MAPPING, _MAPPING),
    "startup-reply": (_ARRAY, _NUMBER),
    "mudlist": (_NUMBER, _MAPPING),
    "chanlist-req": (),
    "chanlist-reply": (_NUMBER, _MAPPING),
    "channel-listen": (_TEXT, _NUMBER),
    "channel-add": (_TEXT, _NUMBER),
    "channel-m": (_TEXT, _TEXT, _TEXT),
    "channel-e": (_TEXT, _TEXT, _TEXT),
    "channel-t": (*(_TEXT,) * 7,),
    "tell": (_TEXT, _TEXT),
    "emoteto": (_TEXT, _TEXT),
    "who-req": (),
    "who-reply": (_ARRAY,),
    "finger-req": (_TEXT,),
    "finger-reply": (*(_SCALAR,) * 9,),
    "locate-req": (_TEXT,),
    "locate-reply": (_TEXT, _TEXT, _SCALAR, _SCALAR),
    "chan-who-req": (_TEXT,),
    "chan-who-reply": (_TEXT, _ARRAY),
    "chan-user-req": (_TEXT,),
    "chan-user-reply": (_TEXT, _TEXT, _NUMBER),
    "ucache-update": (_TEXT, _TEXT, _NUMBER),
    "auth-mud-req": (),
    "auth-mud-reply": (_NUMBER,),
    "shutdown": (_NUMBER,),
    "error": (_TEXT, _TEXT, _ANY),
}
"""What each type of packet has after its first six elements."""

TYPES: Final = tuple(_SHAPES)
"""The types of packets that are known."""

STARTUPS: Final = frozenset(("startup-req-1", "startup-req-2", "startup-req-3"))
"""The types by which a MUD introduces itself."""

_SHORT_LOCATE_REPLY: Final = 2
"""How much a locate-reply of protocols 1 and 2 has, which lacks the idle time and the status."""

_ROUTER: Final = re.compile(r"\*[A-Za-z0-9_-]{1,30}")
_INTEGER: Final = re.compile(r"-?[0-9]{1,20}")

TEXT_BYTES: Final = 100
"""The maximum length of each text that a MUD says of itself, in bytes."""

SERVICES: Final = 30
"""A MUD has at most this many services."""

NOTES: Final = 10
"""A MUD says at most this many other things of itself."""

NOTE_BYTES: Final = 200
"""The maximum length of each of those, in bytes. With the other limits, any record fits into a frame."""

_NOTE_NAME_BYTES: Final = 40
_SERVICE: Final = re.compile("[A-Za-z0-9_-]{1,32}")
_PORTS: Final = 65535

OPEN: Final = "open for public"
"""What a MUD says of itself that everybody may join."""


class BadPacket(ValueError):
    """
    What arrived is no packet, or not a whole one.

    @ivar packet: what of it can be answered; C{None} if nothing can.
    """

    def __init__(self, text: str, packet: Packet | None = None) -> None:
        super().__init__(text)
        self.packet = packet


class Packet(Struct, frozen=True):
    """
    A packet.

    @ivar type: what it is.
    @ivar ttl: how many routers it may still pass.
    @ivar from_mud: the MUD or router that sends it.
    @ivar from_user: the player that sends it, as one word; empty if none does.
    @ivar to_mud: the MUD or router that it is for; empty for all.
    @ivar to_user: the player that it is for, as one word; empty for none.
    @ivar rest: what follows, of the types that its type has there.
    """

    type: str
    ttl: int
    from_mud: str
    from_user: str
    to_mud: str
    to_user: str
    rest: tuple[Value, ...] = ()

    @property
    def value(self) -> list[Value]:
        """The packet as it is written. A name that is missing is 0."""
        names = (self.from_mud, self.from_user, self.to_mud, self.to_user)
        return [self.type, self.ttl, *(name or 0 for name in names), *self.rest]

    @property
    def frame(self) -> bytes:
        """The packet as it is sent."""
        return frame(self.value)

    def text(self, at: int) -> str:
        """The text at a place of the rest; empty if it is 0."""
        return text_of(self.rest[at])

    def number(self, at: int) -> int:
        """The integer at a place of the rest."""
        return number_of(self.rest[at])


def text_of(value: Value) -> str:
    """A text. 0 stands for none, and old clients write it as a string."""
    return value if isinstance(value, str) and value != "0" else ""


def number_of(value: Value) -> int:
    """An integer. Old clients write some as strings; everything else counts as 0."""
    if isinstance(value, str):
        return int(value) if _INTEGER.fullmatch(value) else 0
    return int(value) if isinstance(value, int | float) else 0


def understood(value: Value) -> Packet:
    """
    Understand what arrived as a packet.

    @return: the packet. One of a type that is not known has the rest as it came.
    @raise BadPacket: it is none, it lacks elements, or some of them are of wrong types. Too many are dropped.
    """
    if not isinstance(value, list) or len(value) < _HEAD:
        raise BadPacket("this is no packet")
    kind, ttl, *names = value[:_HEAD]
    if not isinstance(kind, str) or not isinstance(ttl, int) or not all(map(_is_text, names)):
        raise BadPacket("the beginning of the packet is wrong")
    from_mud, from_user, to_mud, to_user = map(text_of, names)
    rest = value[_HEAD:]
    if kind in ("startup-req-1", "startup-req-2") and len(rest) >= len(_SHAPES["startup-req-3"]):
        kind = "startup-req-3"
    packet = Packet(kind, ttl, from_mud, from_user, to_mud, to_user, tuple(rest))
    shape = _SHAPES.get(kind)
    if shape is None:
        return packet
    if kind == "locate-reply" and len(rest) == _SHORT_LOCATE_REPLY:
        rest += [0, 0]
    if len(rest) < len(shape):
        raise BadPacket("the packet lacks elements", packet)
    rest = rest[: len(shape)]
    if not all(_FITS[wanted](element) for wanted, element in zip(shape, rest, strict=True)):
        raise BadPacket("an element of the packet is of a wrong type", packet)
    return Packet(kind, ttl, from_mud, from_user, to_mud, to_user, tuple(rest))


def _is_text(value: Value) -> bool:
    return isinstance(value, str) or value == 0


def _is_number(value: Value) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and _INTEGER.fullmatch(value) is not None)


_FITS: Final = {
    _TEXT: _is_text,
    _NUMBER: _is_number,
    _MAPPING: lambda value: isinstance(value, dict) or value == 0,
    _ARRAY: lambda value: isinstance(value, list) or value == 0,
    _SCALAR: lambda value: isinstance(value, int | float | str),
    _ANY: lambda value: True,
}


def is_known(kind: str) -> bool:
    """Is this a type of packet whose elements are known?"""
    return kind in _SHAPES


def router_name(called: str, name: str) -> str:
    """
    What the router calls itself to a MUD: what that calls it, since some mudlibs accept no other name.

    @param called: the receiver of the MUD's startup-req.
    @param name: the name of the router, if the other one is no name of a router.
    """
    return called if is_router_name(called) else name


def is_router_name(name: str) -> bool:
    """Can a router have this name?"""
    return _ROUTER.fullmatch(name) is not None


class Record(Struct, frozen=True, kw_only=True):
    """
    What is told of a MUD.

    @ivar address: its IPv4 address; 0.0.0.0 if that is not known.
    @ivar port: where players connect; 0 if that is not known.
    @ivar tcp: its port for TCP between MUDs; 0 for none.
    @ivar udp: its port for UDP between MUDs; 0 for none.
    @ivar services: what it can do, and the port of each service or 1.
    @ivar other: what else it says of itself.
    """

    address: str = "0.0.0.0"  # noqa: S104  # stands for none
    port: int = 0
    tcp: int = 0
    udp: int = 0
    mudlib: str = "unknown"
    base_mudlib: str = "unknown"
    driver: str = "unknown"
    kind: str = "Other"
    status: str = OPEN
    email: str = ""
    services: Mapping[str, int] = {}
    other: Mapping[str, str] = {}

    def value(self, state: int, protocol: int = 3) -> list[Value]:
        """
        The record in a mudlist.

        @param state: -1 if the MUD is up, 0 if it is down.
        @param protocol: the version of the protocol; before 3 it has fewer elements.
        """
        named = [self.mudlib, self.base_mudlib, self.driver, self.kind, self.status]
        head: list[Value] = [state, self.address, self.port, self.tcp, self.udp, *named]
        services, other = _mapping(self.services.items()), _mapping(self.other.items())
        return [*head, self.email, services, other or 0] if protocol >= 3 else [*head, services]


def _mapping(entries: Iterable[tuple[str, Value]]) -> Value:
    return dict(entries)


class Startup(Struct, frozen=True):
    """
    How a MUD introduces itself.

    @ivar protocol: the version of the protocol that it speaks: 1, 2 or 3.
    @ivar name: its name.
    @ivar router: what it calls the router.
    @ivar password: the number that the router gave it at its first login; 0 if it has none.
    """

    protocol: int
    name: str
    router: str
    password: int
    record: Record


def startup(packet: Packet, address: str) -> Startup:
    """
    Understand how a MUD introduces itself.

    Only texts and services of the right types are kept, in their limits: clients in the field send others beside.

    @param packet: a startup-req-1, -2 or -3.
    @param address: where the MUD is.
    """
    protocol = int(packet.type[-1])
    ports = [max(0, min(packet.number(at), _PORTS)) for at in (3, 4, 5)]
    mudlib, base_mudlib, driver, kind, status = (_short(packet.text(at), TEXT_BYTES) for at in range(6, 11))
    newest = protocol >= 3
    services, other = packet.rest[12 if newest else 11], packet.rest[13] if newest else 0
    record = Record(
        address=address,
        port=ports[0],
        tcp=ports[1],
        udp=ports[2],
        mudlib=mudlib,
        base_mudlib=base_mudlib,
        driver=driver,
        kind=kind,
        status=status,
        email=_short(packet.text(11), TEXT_BYTES) if newest else "",
        services=dict(islice(_services(services), SERVICES)),
        other=dict(islice(_notes(other), NOTES)),
    )
    return Startup(protocol, packet.from_mud, packet.to_mud, packet.number(0), record)


def _services(value: Value) -> Iterator[tuple[str, int]]:
    for name, port in value.items() if isinstance(value, dict) else ():
        if isinstance(name, str) and _SERVICE.fullmatch(name) and _is_number(port):
            yield name, max(-1, min(number_of(port), _PORTS))


def _notes(value: Value) -> Iterator[tuple[str, str]]:
    for name, text in value.items() if isinstance(value, dict) else ():
        if isinstance(name, str) and isinstance(text, str | int):
            yield _short(name, _NOTE_NAME_BYTES), _short(str(text), NOTE_BYTES)


def _short(text: str, most: int) -> str:
    return one_line(text).encode()[:most].decode(errors="ignore")


def pages(kind: str, router: str, mud: str, number: int, entries: Iterable[tuple[str, Value]]) -> Iterator[bytes]:
    """
    Write a mudlist or chanlist-reply as frames that drivers accept. A frame without entries is never written, since old
    clients read past its end.

    @param kind: the type of the packets.
    @param router: the name of the router.
    @param mud: the MUD that the list is for.
    @param number: the number of this state of the list.
    @param entries: what the list has, by name.
    """
    empty = len(Packet(kind, TTL, router, "", mud, "", (number, {})).frame)
    page: dict[int | float | str, Value] = {}
    size = empty
    for name, entry in entries:
        more = len(frame({name: entry})) - len(frame({}))
        if page and size + more > FRAME_BYTES:
            yield Packet(kind, TTL, router, "", mud, "", (number, page)).frame
            page, size = {}, empty
        page[name] = entry
        size += more
    if page:
        yield Packet(kind, TTL, router, "", mud, "", (number, page)).frame


def error(router: str, to_mud: str, to_user: str, code: str, text: str, packet: Packet | None = None) -> Packet:
    """
    An error.

    @param code: one of C{unk-dst}, C{not-imp}, C{unk-type}, C{unk-src}, C{bad-pkt}, C{bad-proto}, C{not-allowed},
        C{unk-user} and C{unk-channel}.
    @param text: what went wrong, for people.
    @param packet: what it went wrong with, if that is sent back.
    """
    return Packet("error", TTL, router, "", to_mud, to_user, (code, text, 0 if packet is None else packet.value))
