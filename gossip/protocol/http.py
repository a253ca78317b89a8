"""The target of an HTTP request (RFC 9112, section 3.2), which the pages and the websocket read."""

from __future__ import annotations

import re
from typing import Final

_ABSOLUTE: Final = re.compile(rb"(?:http|ws)s?://([^/?#]*)(.*)", re.IGNORECASE)


def split_target(target: bytes) -> tuple[bytes, bytes | None]:
    """
    Split the target of a request.

    @return: the path with its query, and the host that the target names: C{None} unless it is a whole URL, as proxies
        and some clients send it.
    """
    if target.startswith(b"/"):
        return target, None
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        return target, None
    path = absolute[2]
    return (path if path.startswith(b"/") else b"/" + path), absolute[1]
