"""URLs: the addresses of this site, and the query parameters of a request."""

from __future__ import annotations

import re
from typing import Final

from twisted.web import http
from twisted.web.server import Request

from gossip.web.http.requests import PublicRequest
from gossip.web.http.router import Problem

_HOST: Final = re.compile(rb"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
# A path of this site only: no scheme, no host, no control characters.
_BACK: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def safe_return_path(path: str | None, otherwise: str = "/") -> str:
    """A path to go back to, if it is one of this site: a forged link could name any other."""
    return path if path is not None and _BACK.fullmatch(path) else otherwise


def site_address(request: PublicRequest) -> str | None:
    """The address of this site by the request's Host header, as C{https://example.org}; C{None} without a valid one."""
    host = request.getHeader(b"host") or b""
    if not _HOST.fullmatch(host):
        return None
    return f"{'https' if request.encrypted else 'http'}://{host.decode('ascii')}"


def socket_address(request: PublicRequest) -> str | None:
    """The address at which games connect, by the request's Host header; C{None} without a valid one."""
    address = site_address(request)
    return None if address is None else f"ws{address.removeprefix('http')}/socket"


def parameter(request: Request, name: str) -> str | None:
    """The first query parameter of this name; C{None} if there is none."""
    values = (request.args or {}).get(name.encode())
    return values[0].decode("utf-8", "replace") if values else None


def number_parameter(request: Request, name: str, least: int = 0, most: int = 2**53) -> int | None:
    """
    A query parameter that is a number; C{None} if there is none.

    @raise Problem: the value is not a number, or is out of range.
    """
    text = parameter(request, name)
    if text is None or text == "":
        return None
    if not re.fullmatch("[0-9]{1,16}", text) or not least <= int(text) <= most:
        raise Problem(http.BAD_REQUEST, f"{name} must be a number from {least} to {most}.")
    return int(text)
