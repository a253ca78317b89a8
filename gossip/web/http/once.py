"""
A form that comes twice is carried out once.

A double click, a browser that sends a form again, and a reader who goes back and presses the button once more all send
the same form: the token of a form differs each time that its page is made. The second one gets the answer of the first.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web import http

from gossip.web.http.requests import PublicRequest

REMEMBERED: Final = 5 * 60.0
"""For how many seconds a form that was carried out is remembered."""

_MOST: Final = 2000


class _Outcome(Struct, frozen=True):
    """
    Where a form led to.

    @ivar ends: when it is forgotten, by the steady clock.
    @ivar cookies: the cookies that the answer set.
    """

    ends: float
    location: bytes
    cookies: tuple[bytes, ...]


class Once:
    """Remembers the forms that were carried out lately, and those that are being carried out."""

    def __init__(self, clock: IReactorTime, secret: Callable[[PublicRequest], str]) -> None:
        """@param secret: returns what the forms of a browser are protected with; empty if there is nothing."""
        self._clock = clock
        self._secret = secret
        self._outcomes: dict[bytes, _Outcome] = {}
        self._pending: dict[bytes, list[Deferred[None]]] = {}

    async def answer(self, view: Callable[..., Any], request: PublicRequest, *words: str) -> Any:
        """Answer a request with a form. Only an answer that leads to another page is remembered."""
        secret = self._secret(request)
        if not secret:
            return await _called(view, request, words)
        key = _key(secret, request)
        while key in self._pending:
            waiting: Deferred[None] = Deferred()
            self._pending[key].append(waiting)
            await waiting
        known = self._outcomes.get(key)
        if known is not None and known.ends > self._clock.seconds():
            request.setResponseCode(http.SEE_OTHER)
            request.setHeader(b"Location", known.location)
            request.cookies.extend(known.cookies)
            return b""
        self._pending[key] = []
        try:
            body = await _called(view, request, words)
            self._note(key, request)
            return body
        finally:
            for waiting in self._pending.pop(key):
                waiting.callback(None)

    def _note(self, key: bytes, request: PublicRequest) -> None:
        location = request.responseHeaders.getRawHeaders(b"location")
        if request.code != http.SEE_OTHER or not location:
            return
        self._outcomes.pop(key, None)
        if len(self._outcomes) >= _MOST:
            del self._outcomes[next(iter(self._outcomes))]
        self._outcomes[key] = _Outcome(self._clock.seconds() + REMEMBERED, location[0], tuple(request.cookies))


def _key(secret: str, request: PublicRequest) -> bytes:
    """The same for the same form from the same browser."""
    assert request.content is not None
    body = request.content.read()
    request.content.seek(0)
    return hashlib.sha256(b"\0".join((secret.encode("utf-8", "replace"), request.path, body))).digest()


async def _called(view: Callable[..., Any], request: PublicRequest, words: tuple[str, ...]) -> Any:
    answered = view(request, *words)
    return await answered if inspect.iscoroutine(answered) else answered
