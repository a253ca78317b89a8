"""
The public site: a page that says who is here and how to join, and what machines ask for.

Everything on the page that came from outside is escaped; hidden games and channels are not on it, nor is any secret.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from html import escape
from typing import Final

from msgspec import UNSET
from twisted.internet.interfaces import IReactorTime
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import Request

from gossip.network.changes import Channel
from gossip.network.events import StatusOf
from gossip.web.metrics import Metrics
from gossip.web.requests import BoundedRequest, BoundedSite, answer, answer_json, answer_text
from gossip.web.service import Gossip

_HOST: Final = re.compile(rb"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_FORWARDED: Final = (b"forwarded", b"via", b"x-real-ip")
_HTML: Final = b"text/html; charset=utf-8"

_STYLE: Final = b"""\
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid #8886; }
td, dd { overflow-wrap: anywhere; }
.number { text-align: right; }
"""


class Pages(Resource):
    """All paths of the public site."""

    isLeaf = True

    def __init__(self, gossip: Gossip) -> None:
        super().__init__()
        self._gossip = gossip
        self._metrics = Metrics(gossip)
        self._pages: dict[bytes, Callable[[BoundedRequest], bytes]] = {
            b"/": self._front,
            b"/style.css": lambda request: answer(request, _STYLE, b"text/css; charset=utf-8"),
            b"/health": self._health,
            b"/metrics": self._figures,
        }

    def render(self, request: BoundedRequest) -> bytes:
        if request.method not in (b"GET", b"HEAD"):
            return answer_text(request, "Only GET and HEAD.", http.NOT_ALLOWED, {b"Allow": b"GET, HEAD"})
        if request.too_long:
            return answer_text(request, "Nothing here takes a body.", http.REQUEST_ENTITY_TOO_LARGE)
        return self._pages.get(request.path, self._nothing)(request)

    def _nothing(self, request: BoundedRequest) -> bytes:
        return answer_text(request, "There is nothing here.", http.NOT_FOUND)

    def _front(self, request: BoundedRequest) -> bytes:
        network = self._gossip.network
        games = [network.statuses.status_of(online) for online in network.presence if not online.game.hidden]
        channels = [channel for channel in network.registry.channels.values() if not channel.hidden]
        page = front_page(network.rules.settings.name, _address(request), games, channels)
        return answer(request, page.encode("utf-8", "replace"), _HTML)

    def _health(self, request: BoundedRequest) -> bytes:
        health = self._gossip.status()["health"]
        return answer_json(request, {"status": health}, http.OK if health == "ok" else http.SERVICE_UNAVAILABLE)

    def _figures(self, request: BoundedRequest) -> bytes:
        return self._metrics.render(request) if _is_local(request) else self._nothing(request)


class LastRequest(BoundedRequest):
    """
    The only request of its connection.

    A proxy that uses a connection again may send a game's upgrade after a page, and here it would find no socket.
    """

    def process(self) -> None:
        self.channel.persistent = False
        self.setHeader(b"Connection", b"close")
        super().process()


def public_site(gossip: Gossip, clock: IReactorTime) -> BoundedSite:
    """The site for everybody."""
    return BoundedSite(Pages(gossip), clock, LastRequest)


def front_page(name: str, address: str | None, games: Iterable[StatusOf], channels: Iterable[Channel]) -> str:
    """
    The page that says who is here and how to join.

    @param name: the name of the network.
    @param address: where games join; C{None} if the browser did not say by which name it found us.
    """
    games = sorted(games, key=lambda game: game.game.lower())
    players = sum(game.players_online_count for game in games)
    join = f"<code>{escape(address)}</code>" if address else "<code>/socket</code> on this host"
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(name)}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>{escape(name)}</h1>
<p>A network that connects MUDs. Online: {_count(len(games), "game")}, {_count(players, "player")}.</p>
<h2>Games</h2>
{_games(games)}
<h2>Channels</h2>
{_channels(channels)}
<h2>Join</h2>
<p>Games join by websocket at {join}, with the credentials that the admin of this network gives them.</p>
</main>
</body>
</html>
"""


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _games(games: Iterable[StatusOf]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{_linked(game)}</th><td>{escape(game.game)}</td>'
        f'<td class="number">{game.players_online_count}</td></tr>\n'
        for game in games
    )
    if not rows:
        return "<p>No game is here right now.</p>"
    head = '<tr><th scope="col">Game</th><th scope="col">Called</th><th scope="col" class="number">Players</th></tr>'
    return f"<table>\n<thead>{head}</thead>\n<tbody>\n{rows}</tbody>\n</table>"


def _linked(game: StatusOf) -> str:
    name, url = escape(game.display_name), game.homepage_url
    # The registry lets only web addresses in; a link is worth a second look.
    if url is UNSET or not url.lower().startswith(("http://", "https://")):
        return name
    return f'<a href="{escape(url)}" rel="noopener nofollow">{name}</a>'


def _channels(channels: Iterable[Channel]) -> str:
    rows = "".join(
        f"<dt>{escape(channel.name)}</dt><dd>{escape(channel.description or '')}</dd>\n"
        for channel in sorted(channels, key=lambda channel: channel.name.lower())
    )
    return f"<dl>\n{rows}</dl>" if rows else "<p>No channel is shown.</p>"


def _address(request: Request) -> str | None:
    """Where games join, by the name under which this page was asked for."""
    host = request.getHeader(b"host") or b""
    if not _HOST.fullmatch(host):
        return None
    secure = request.isSecure() or request.getHeader(b"x-forwarded-proto") == b"https"
    return f"{'wss' if secure else 'ws'}://{host.decode('ascii')}/socket"


def _is_local(request: Request) -> bool:
    """Does somebody on this machine ask for himself, and not a proxy for somebody else?"""
    for name, _ in request.requestHeaders.getAllRawHeaders():
        if name.lower() in _FORWARDED or name.lower().startswith(b"x-forwarded-"):
            return False
    try:
        address = ipaddress.ip_address(getattr(request.getClientAddress(), "host", ""))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
