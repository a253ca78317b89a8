"""The ports that endpoint strings name, for people and crawlers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

_PLAIN: Final = re.compile(r"tcp6?:(?:port=)?(\d+)(?::|$)")
_ENCRYPTED: Final = re.compile(r"(?:ssl:(?:port=)?(\d+)(?::|$)|tls:.*:(\d+)$)")


class Ports(NamedTuple):
    """
    Where a transport listens.

    @ivar plain: its first port without TLS; empty if it has none.
    @ivar encrypted: its first port with TLS; empty if it has none.
    """

    plain: str = ""
    encrypted: str = ""


def ports(endpoints: Sequence[str]) -> Ports:
    """The first port of each kind that endpoint strings name; other endpoints (unix, systemd) name none."""
    return Ports(_first(_PLAIN, endpoints), _first(_ENCRYPTED, endpoints))


def _first(pattern: re.Pattern[str], endpoints: Sequence[str]) -> str:
    found = next(filter(None, map(pattern.match, endpoints)), None)
    return "" if found is None else next(filter(None, found.groups()))
