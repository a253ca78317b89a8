"""
Compressed answers (RFC 9110, section 8.4.1.3).

An answer to somebody with a cookie or a token is never compressed. It has a secret for its forms, and can repeat what a
link says: from the length of both together, compressed, an attacker that sees the traffic learns the secret (BREACH,
CVE-2013-3587).
"""

from __future__ import annotations

import gzip
import re
from typing import Final

from twisted.web import http
from twisted.web.server import Request

from gossip.web.http.large import LARGE

LEAST: Final = 1024
"""A body with fewer bytes is not worth it."""

_LEVEL: Final = 5
_KINDS: Final = re.compile(rb"text/|image/svg|application/([\w.-]+\+)?(json|xml)")
_GZIP: Final = re.compile(rb"(?:^|,)\s*(?:x-)?gzip\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?(?=,|$)", re.IGNORECASE)


def compressed(request: Request, body: bytes) -> bytes:
    """
    The body of an answer, compressed if that is worth it and the client can read it.

    @param request: the headers of its answer are complete but for the length.
    """
    kind = (request.responseHeaders.getRawHeaders(b"content-type") or [b""])[0]
    if (
        request.code != http.OK
        or not LEAST <= len(body) <= LARGE
        or not _KINDS.match(kind)
        or request.responseHeaders.hasHeader(b"content-encoding")
    ):
        return body
    request.responseHeaders.addRawHeader(b"Vary", b"Accept-Encoding")
    secret = request.getHeader(b"cookie") or request.getHeader(b"authorization") or request.cookies
    if secret or not _accepted(request):
        return body
    request.setHeader(b"Content-Encoding", b"gzip")
    if (etag := (request.responseHeaders.getRawHeaders(b"etag") or [b""])[0]).startswith(b'"'):
        # The bytes are not those that the strong one stands for (RFC 9110, section 8.8.1).
        request.setHeader(b"ETag", b"W/" + etag)
    return gzip.compress(body, _LEVEL, mtime=0)


def _accepted(request: Request) -> bool:
    found = _GZIP.search(request.getHeader(b"accept-encoding") or b"")
    return found is not None and found[1] not in (b"0", b"0.", b"0.0", b"0.00", b"0.000")
