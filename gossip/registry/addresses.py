"""What counts as one place, where something is counted by address."""

from __future__ import annotations

from ipaddress import IPv6Address


def place_of(address: str) -> str:
    """An address as it counts: of IPv6 the first 64 bits, which are what one place is given (RFC 6177, section 2)."""
    if ":" not in address:
        return address
    try:
        return IPv6Address(address.partition("%")[0]).exploded[:19]
    except ValueError:
        return address  # what a proxy reports may be anything
