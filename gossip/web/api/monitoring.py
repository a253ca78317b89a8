"""Health for everybody, and metrics for this machine and for requests with a token."""

from __future__ import annotations

from typing import Final

from twisted.web import http
from twisted.web.server import Request

from gossip.web.accounts.tokens import Tokens
from gossip.web.api.metrics import Metrics
from gossip.web.http.requests import PublicRequest, answer_json, own_address
from gossip.web.http.router import NotFound, Router
from gossip.web.live import Live
from gossip.web.views.layout import Layout

_FORWARDED: Final = (b"forwarded", b"via", b"x-real-ip")


class Monitoring:
    """Health and metrics."""

    def __init__(self, layout: Layout, tokens: Tokens, live: Live) -> None:
        self._layout = layout
        self._tokens = tokens
        self._metrics = Metrics(layout.gossip, live)

    def add(self, router: Router) -> None:
        """Add the paths."""
        router.add("/health", get=self.health)
        router.add("/metrics", get=self.metrics)

    def health(self, request: PublicRequest) -> bytes:
        """Whether the daemon can do its work."""
        health = self._layout.gossip.readiness()
        return answer_json(request, {"status": health}, http.OK if health == "ok" else http.SERVICE_UNAVAILABLE)

    def metrics(self, request: PublicRequest) -> bytes:
        """Metrics for Prometheus."""
        if not _is_local(request):
            # Without a token, do not reveal that the path exists.
            if request.getHeader(b"authorization") is None:
                raise NotFound
            self._tokens.required(request, self._layout.peer(request), "metrics")
        return self._metrics.render(request)


def _is_local(request: Request) -> bool:
    """Whether the request comes from this machine, and not through a proxy."""
    for name, _ in request.requestHeaders.getAllRawHeaders():
        if name.lower() in _FORWARDED or name.lower().startswith(b"x-forwarded-"):
            return False
    return own_address(request).is_loopback
