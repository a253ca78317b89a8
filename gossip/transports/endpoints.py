"""Endpoint strings of Twisted: what they consist of, and the ports that they name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "tcp": ("port", "interface", "backlog"),
    "tcp6": ("port", "backlog", "interface"),
    "unix": ("address", "mode", "backlog", "lockfile"),
    "ssl": (
        "port",
        "privateKey",
        "certKey",
        "sslmethod",
        "interface",
        "backlog",
        "extraCertChain",
        "dhParameters",
    ),
    "tls": ("path", "port", "backlog", "interface"),
}
"""The names of the arguments of endpoints, in the order in which they can stand without a name."""

_PLAIN: Final = ("tcp", "tcp6")
_ENCRYPTED: Final = ("ssl", "tls")

_NEED_PORT: Final = ("tcp", "tcp6", "ssl")
_LAST_PORT: Final = 65535

_PORT: Final = re.compile("[0-9]{1,5}")
_PART: Final = re.compile(r"(?:\\.|[^\\:])*", re.DOTALL)
_NAMED: Final = re.compile(r"((?:\\.|[^\\=])*)=(.*)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL: Final = re.compile(r"[\\:=]")


class EndpointError(Exception):
    """An endpoint string is wrong. The text is for the admin."""


class Endpoint(Struct, frozen=True):
    """
    An endpoint string in its parts.

    @ivar kind: C{tcp}, C{tcp6}, C{ssl}, C{tls}, C{unix}, or another one that Twisted knows.
    @ivar arguments: its arguments by name. Those of a kind that is not in L{PARAMETERS} are left out.
    @ivar proxied: whether C{haproxy:} stands in front: the peer's address comes from the PROXY protocol.
    """

    kind: str
    arguments: Mapping[str, str]
    proxied: bool = False

    @property
    def encrypted(self) -> bool:
        """Whether it uses TLS."""
        return self.kind in _ENCRYPTED

    def __str__(self) -> str:
        """The endpoint string without C{haproxy}, with a name in front of each argument."""
        named = [f"{name}={_SPECIAL.sub(_escape, value)}" for name, value in self.arguments.items()]
        return ":".join([self.kind, *named])


def _escape(special: re.Match[str]) -> str:
    return "\\" + special[0]


def parse(text: str) -> Endpoint:
    """
    Read an endpoint string.

    @raise EndpointError: it has an argument that its kind does not know, or the same one twice, or its port is none.
    """
    kind, *parts = _split(text)
    proxied = kind == "haproxy" and bool(parts)
    if proxied:
        kind, *parts = parts
    arguments = dict(_arguments(kind, parts))
    if kind in _NEED_PORT and "port" not in arguments:
        raise EndpointError(f"{kind} needs a port, such as {kind}:4110")
    port = arguments.get("port", "0")
    if not (_PORT.fullmatch(port) and int(port) <= _LAST_PORT):
        raise EndpointError(f"a port is a number from 0 to {_LAST_PORT}, not {port!r}")
    return Endpoint(kind, arguments, proxied)


def _split(text: str) -> Iterable[str]:
    """The parts between the colons that are not escaped."""
    start = 0
    while start <= len(text):
        part = _PART.match(text, start)
        assert part is not None
        yield part[0]
        start = part.end() + 1


def _arguments(kind: str, parts: Sequence[str]) -> Iterable[tuple[str, str]]:
    names = PARAMETERS.get(kind)
    if names is None:
        return
    seen: set[str] = set()
    unnamed = iter(names)
    for part in parts:
        named = _NAMED.fullmatch(part)
        name = named[1] if named else next(unnamed, part)
        if name not in names:
            raise EndpointError(f"{kind} has no argument {name!r}, only {', '.join(names)}")
        if name in seen:
            raise EndpointError(f"{kind} has {name} twice")
        seen.add(name)
        yield name, _ESCAPED.sub(r"\1", named[2] if named else part)


class Ports(NamedTuple):
    """
    Where a transport listens.

    @ivar plain: its first port without TLS; empty if it has none.
    @ivar encrypted: its first port with TLS; empty if it has none.
    """

    plain: str = ""
    encrypted: str = ""


def ports(endpoints: Sequence[str]) -> Ports:
    """
    The first port of each kind that endpoint strings name; other endpoints (unix, systemd, haproxy) name none.

    @raise EndpointError: one of them is wrong; the text names it.
    """
    parsed = []
    for text in endpoints:
        try:
            parsed.append(parse(text))
        except EndpointError as error:
            raise EndpointError(f"cannot listen on {text}: {error}") from None
    return Ports(_first(_PLAIN, parsed), _first(_ENCRYPTED, parsed))


def _first(kinds: Sequence[str], endpoints: Iterable[Endpoint]) -> str:
    found = (
        endpoint.arguments.get("port", "") for endpoint in endpoints if endpoint.kind in kinds and not endpoint.proxied
    )
    return next(filter(str.isdecimal, found), "")
