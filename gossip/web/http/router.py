"""
The router: which view answers a request, by the pattern of its path, and how problems become answers.

A view takes the request and the text for each pair of braces in its pattern. It returns the body or C{NOT_DONE_YET}, or
is a coroutine that returns the body::

    router.add("/games/{name}", get=game_page)
    async def game_page(request: PublicRequest, name: str) -> bytes: ...

A view raises a L{Problem} if it cannot answer.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from gossip.service.changes_in_turn import NotSettled
from gossip.store.errors import StoreError
from gossip.web.http.compression import compressed
from gossip.web.http.large import LARGE, LargeBody
from gossip.web.http.once import Once
from gossip.web.http.requests import PublicRequest, answer

View = Callable[..., bytes | int | Coroutine[Any, Any, bytes]]
"""Answers a request."""

_WORD: Final = re.compile(r"\{[a-z_]+\}")


class Problem(Exception):
    """A request that cannot be answered as asked. The text is a sentence for the reader."""

    def __init__(self, code: int, text: str, headers: Mapping[bytes, bytes] = {}) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.headers = headers


class NotFound(Problem):
    """Nothing has this path."""

    def __init__(self, text: str = "There is nothing here.") -> None:
        super().__init__(http.NOT_FOUND, text)


ProblemPage = Callable[[PublicRequest, Problem], bytes]
"""Makes the page for a problem; does not raise."""


class Router(Resource):
    """All paths of the public site."""

    isLeaf = True
    _log = Logger()

    def __init__(
        self,
        tell: ProblemPage,
        first: Callable[[PublicRequest], Awaitable[None] | None] = lambda request: None,
        later: Callable[[], Awaitable[None]] | None = None,
        once: Once | None = None,
    ) -> None:
        """
        @param first: returns what a request waits for before its view is called, if anything.
        @param later: returns what a request waits for that found nothing, before it looks again; C{None} if there will
            not be more than there is.
        @param once: answers POST, so that a form that comes twice is carried out once.
        """
        super().__init__()
        self._tell = tell
        self._first = first
        self._later = later
        self._once = once
        self._exact: dict[bytes, dict[bytes, View]] = {}
        self._patterns: list[tuple[re.Pattern[bytes], dict[bytes, View]]] = []

    def add(self, pattern: str, get: View | None = None, post: View | None = None) -> None:
        """
        Add a path.

        @param pattern: the path; C{{word}} matches one segment, which the view gets decoded.
        @param get: answers GET and HEAD.
        @param post: answers POST; the body is in C{request.content}.
        """
        views = {method: view for method, view in ((b"GET", get), (b"POST", post)) if view is not None}
        if _WORD.search(pattern):
            parts = map(re.escape, _WORD.split(pattern))
            self._patterns.append((re.compile("([^/]+)".join(parts).encode()), views))
        else:
            self._exact[pattern.encode()] = views

    def render(self, request: PublicRequest) -> bytes | int:
        body = self._rendered(request)
        if isinstance(body, bytes) and ((request.method == b"HEAD" and body) or len(body) > LARGE):
            # Of a HEAD, Twisted would log the URL, which can be a link that signs somebody in.
            _finish(body, request)
            return NOT_DONE_YET
        return compressed(request, body) if isinstance(body, bytes) else body

    def _rendered(self, request: PublicRequest) -> bytes | int:
        try:
            view, words = self._find(request)
            if request.method == b"POST" and self._once is not None:
                view = partial(self._once.answer, view)
            waiting = self._first(request)
            answered: Any
            if self._later is not None and request.method != b"POST":
                answered = self._found_later(self._later, waiting, view, request, words)
            elif waiting is not None:
                answered = _answered_after(waiting, view, request, words)
            else:
                answered = view(request, *words)
        except Exception as error:
            return self._failed(request, error)
        if not inspect.iscoroutine(answered):
            return answered  # type: ignore[no-any-return]
        done = Deferred.fromCoroutine(answered)
        if done.called:
            # It did not wait for anything: answer at once.
            results: list[Any] = []
            done.addBoth(results.append)
            (result,) = results
            return self._failed(request, result.value) if isinstance(result, Failure) else result
        if request.method != b"POST":
            # A GET is cancelled when its browser is gone. A POST is not, or a change could stop half-way.
            request.notifyFinish().addErrback(lambda _: done.cancel())
        done.addCallbacks(_finish, self._finish_failed, callbackArgs=(request,), errbackArgs=(request,))
        return NOT_DONE_YET

    async def _found_later(
        self,
        later: Callable[[], Awaitable[None]],
        waiting: Awaitable[None] | None,
        view: View,
        request: PublicRequest,
        words: list[str],
    ) -> Any:
        if waiting is not None:
            return await _answered_after(waiting, view, request, words)
        try:
            answered = view(request, *words)
            return await answered if inspect.iscoroutine(answered) else answered
        except NotFound:
            return await _answered_after(later(), view, request, words)

    def _finish_failed(self, failure: Failure, request: PublicRequest) -> None:
        _finish(self._failed(request, failure.value), request)

    def _find(self, request: PublicRequest) -> tuple[View, list[str]]:
        if request.method not in (b"GET", b"HEAD", b"POST"):
            raise Problem(http.NOT_ALLOWED, "Only GET and HEAD are allowed here.", {b"Allow": b"GET, HEAD"})
        views, words = self._views(request.path)
        method = b"GET" if request.method == b"HEAD" else request.method
        if method not in views:
            names = [name for name in (b"GET", b"HEAD", b"POST") if name.replace(b"HEAD", b"GET") in views]
            allowed = " and ".join(name.decode() for name in names)
            text = f"Only {allowed} {'is' if len(names) == 1 else 'are'} allowed here."
            raise Problem(http.NOT_ALLOWED, text, {b"Allow": b", ".join(names)})
        if request.too_long or (method == b"GET" and request.has_body):
            text = "The request is too long." if method == b"POST" else "A GET request must not have a body."
            raise Problem(http.REQUEST_ENTITY_TOO_LARGE, text)
        return views[method], words

    def _views(self, path: bytes) -> tuple[dict[bytes, View], list[str]]:
        if (views := self._exact.get(path)) is not None:
            return views, []
        for pattern, views in self._patterns:
            if found := pattern.fullmatch(path):
                try:
                    return views, [unquote_to_bytes(word).decode() for word in found.groups()]
                except UnicodeDecodeError:
                    break
        raise NotFound

    def _failed(self, request: PublicRequest, error: BaseException | None) -> bytes:
        if isinstance(error, Problem):
            problem = error
        elif isinstance(error, CancelledError):
            problem = Problem(http.SERVICE_UNAVAILABLE, "The request was cancelled.")
        elif isinstance(error, NotSettled):
            problem = Problem(http.SERVICE_UNAVAILABLE, str(error))
        elif isinstance(error, StoreError):
            self._log.warn("a page could not be read: {error}", error=str(error))
            problem = Problem(http.SERVICE_UNAVAILABLE, "The database is not responding. Try again in a moment.")
        else:
            self._log.failure("a page failed", Failure(error))
            problem = Problem(http.INTERNAL_SERVER_ERROR, "Something went wrong; the daemon's log has the details.")
        for name, value in problem.headers.items():
            request.setHeader(name, value)
        return self._tell(request, problem)


async def _answered_after(waiting: Awaitable[None], view: View, request: PublicRequest, words: list[str]) -> Any:
    await waiting
    answered = view(request, *words)
    return await answered if inspect.iscoroutine(answered) else answered


def _finish(body: bytes | int, request: PublicRequest) -> None:
    if not isinstance(body, bytes) or request.finished or request._disconnected:
        return
    body = compressed(request, body)
    if len(body) > LARGE and request.method != b"HEAD":
        LargeBody(request, body).start()
    else:
        request.setHeader(b"Content-Length", b"%d" % len(body))
        # For HEAD, Twisted writes the headers only.
        request.write(body)
        request.finish()


def redirect(request: PublicRequest, path: str) -> bytes:
    """Send a browser to another page of this site, by GET."""
    return answer(request, b"", b"text/plain; charset=utf-8", http.SEE_OTHER, {b"Location": path.encode()})
