"""What a reader accepts: HTML, or plain text."""

from __future__ import annotations

from twisted.web.server import Request


def accepts_html(request: Request) -> bool:
    """Does who asks read pages? Programs get plain words, and scripts of ours ask for them."""
    return b"text/html" in (request.getHeader(b"accept") or b"")


def prefers_text(request: Request) -> bool:
    """Does who asks read plain text? A browser says that it takes HTML; curl is for people at a terminal."""
    agent = request.getHeader(b"user-agent") or b""
    accept = request.getHeader(b"accept")
    return agent.lower().startswith(b"curl/") or (accept is not None and b"text/html" not in accept)
