"""Which kind of answer a request accepts: HTML or plain text."""

from __future__ import annotations

from twisted.web.server import Request


def accepts_html(request: Request) -> bool:
    """Whether the request accepts HTML. Programs do not, and the scripts of the pages ask for plain text."""
    return b"text/html" in (request.getHeader(b"accept") or b"")


def prefers_text(request: Request) -> bool:
    """Whether plain text is the better answer: for curl, and for programs that say what they accept, but not HTML."""
    agent = request.getHeader(b"user-agent") or b""
    accept = request.getHeader(b"accept")
    return agent.lower().startswith(b"curl/") or (accept is not None and b"text/html" not in accept)
