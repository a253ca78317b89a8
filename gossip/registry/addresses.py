"""
Where somebody is: IP addresses and networks of them.

An address is read once, where a connection or a request arrives. From then on it is a value in one form, whatever its
spelling was: limits count by its L{Address.place}, bans cover it or not, and logs and pages print it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from msgspec import Struct

WIDEST: Final = {32: 16, 128: 32}
"""
The shortest prefix of a network that can be restricted, by the bits of its addresses: 65,536 addresses in IPv4, and in
IPv6 what a provider gets at least from its registry.
"""

_PLACE: Final = {0: 0, 32: 32, 128: 64}
_NAMES: Final = {32: "IPv4", 128: "IPv6"}
_LONGEST: Final = 100
_WITH_PORT: Final = re.compile(r"(?:\[([^\[\]]*)\]|([0-9.]+))(?::[0-9]{1,5})?")


class Address(Struct, frozen=True, gc=False):
    """
    An address, or a network: all addresses that begin with the same bits. As a text it is in the form of RFC 5952.

    There is one for each connection, so it is small: less than the text that it prints as.

    @ivar bits: 32 for IPv4, 128 for IPv6, 0 for L{UNKNOWN}.
    @ivar number: the address; the bits after the prefix are 0.
    @ivar length: of the prefix, in bits; for a single address the same as C{bits}.
    """

    bits: int
    number: int
    length: int

    def __str__(self) -> str:
        if not self.bits:
            return "unknown"
        text = str(IPv4Address(self.number) if self.bits == 32 else IPv6Address(self.number))
        return text if self.length == self.bits else f"{text}/{self.length}"

    @property
    def place(self) -> Address:
        """
        What limits count by and what a ban covers: all of an IPv4 address, the first 64 bits of an IPv6 one. A site has
        at least a whole /64 network to itself (RFC 6177, section 2).
        """
        return self if self.bits != 128 else self.within(64)

    @property
    def last(self) -> Address:
        """The last address of a network."""
        return Address(self.bits, self.number | ((1 << self.bits - self.length) - 1), self.bits)

    @property
    def is_loopback(self) -> bool:
        """Is it on this machine?"""
        return self.within(8) == _LOOPBACK if self.bits == 32 else self == _LOOPBACK_6

    def within(self, length: int) -> Address:
        """The network with a prefix of this length that the address is in."""
        rest = self.bits - length
        return Address(self.bits, self.number >> rest << rest, length)

    def covers(self, other: Address) -> bool:
        """Is another address in this network?"""
        return self.bits == other.bits and self.length <= other.length and other.within(self.length) == self


UNKNOWN: Final = Address(0, 0, 0)
"""Where somebody is who came without an address, by a Unix socket for example. All of these count as one place."""

_LOOPBACK: Final = Address(32, 127 << 24, 8)
_LOOPBACK_6: Final = Address(128, 1, 128)


def read(text: str | None) -> Address:
    """
    Read a single address. An IPv4 address in an IPv6 one (RFC 4291, section 2.5.5.2), as sockets for both kinds show
    it, is an IPv4 address.

    @param text: an address in any case, with or without brackets, a port, a zone or leading zeros (IPv6 only: in IPv4
        some programs read them as octal numbers, see RFC 6943, section 3.1.1).
    @return: L{UNKNOWN} for anything else.
    """
    host = (text or "").strip()
    return UNKNOWN if len(host) > _LONGEST else _read(host)


# Games of one host, and the pages that one browser opens, share one value.
@lru_cache(maxsize=4096)
def _read(host: str) -> Address:
    written = _WITH_PORT.fullmatch(host)
    if written is not None:
        host = written[1] or written[2] or ""
    try:
        if ":" not in host:
            return Address(32, int(IPv4Address(host)), 32)
        host, zoned, zone = host.partition("%")
        if zoned and not zone:
            return UNKNOWN
        number = int(IPv6Address(host))
    except AddressValueError:
        return UNKNOWN
    if number >> 32 == 0xFFFF:
        return Address(32, number & 0xFFFFFFFF, 32)
    return Address(128, number, 128)


def forwarded(hops: str, proxies: int, own: Address) -> Address:
    """
    Where somebody is who comes through proxies.

    @param hops: the C{X-Forwarded-For} header: each proxy adds the address that it sees to the end.
    @param proxies: how many proxies are trusted.
    @param own: the address of the last proxy, as the socket has it.
    @return: the hop that the first trusted proxy saw. If that is not an address, the next one that is: a proxy that is
        known. What comes before the hops of trusted proxies may be anything, and is not looked at.
    """
    for hop in hops.split(",")[-proxies:] if proxies else ():
        address = read(hop)
        if address is not UNKNOWN:
            return address
    return own


def network(text: str) -> Address:
    """
    Read what a mute or a ban is for. A single IPv6 address means its L{Address.place}.

    @param text: an address, or a network like C{192.0.2.0/24}.
    @raise ValueError: it is neither, or too wide; the text says what was understood.
    """
    host, slash, prefix = text.strip().partition("/")
    address = read(host)
    if address is UNKNOWN:
        raise ValueError(f"{text[:_LONGEST]!r} is not an address like 192.0.2.1, 192.0.2.0/24 or 2001:db8::/48")
    if not slash:
        return address.place
    kind, shortest, longest = _NAMES[address.bits], WIDEST[address.bits], _PLACE[address.bits]
    length = int(prefix) if re.fullmatch("[0-9]{1,3}", prefix) else -1
    if not 0 <= length <= address.bits:
        raise ValueError(
            f"/{prefix[:_LONGEST]} is not the prefix of an {kind} network, like /{24 if shortest == 16 else 48}"
        )
    found = address.within(length)
    if length < shortest:
        raise ValueError(f"{found} is too wide: the widest {kind} network is a /{shortest}")
    if length > longest:
        raise ValueError(f"{found} is too narrow: in IPv6 a site has a /64, did you mean {address.place}?")
    if found.number != address.number:
        raise ValueError(f"{address} is inside of a /{length} network: did you mean {found}?")
    return found
