"""Addresses, grouped for limits per address."""

from __future__ import annotations

from ipaddress import IPv6Address


def place_of(address: str) -> str:
    """
    The part of an address that limits count by: all of IPv4, the first 64 bits of IPv6. A site has at least a whole /64
    network to itself (RFC 6177, section 2).
    """
    if ":" not in address:
        return address
    try:
        return IPv6Address(address.partition("%")[0]).exploded[:19]
    except ValueError:
        return address  # a proxy may report anything
