"""A browser at a site in memory: bytes of HTTP in, bytes out, and pages read as tags and text."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IAddress
from twisted.internet.testing import StringTransport

HOSTILE = "<script>alert('1')</script>\"'&<b onmouseover=x>"
"""Everything that may not become a tag or end an attribute."""

PEOPLE = {"Accept": "text/html,*/*;q=0.8"}


class Unanswered(Exception):
    """The answer to a request is not there yet: somebody works on it."""


class Browser:
    """
    A connection to a site: bytes in, bytes out.

    @ivar cookies_set: the values of all Set-Cookie headers of the answer that was read.
    """

    def __init__(self, site: Any, address: IAddress | None = None) -> None:
        address = address or IPv4Address("TCP", "192.0.2.1", 40000)
        self.transport: Any = StringTransport(peerAddress=address)
        self.cookies_set: list[str] = []
        self.protocol: Any = site.buildProtocol(address)
        self.protocol.makeConnection(self.transport)

    def send(self, data: bytes) -> None:
        self.protocol.dataReceived(data)

    def read(self) -> tuple[int, dict[str, str], bytes]:
        """
        The one answer that came.

        @return: its code, its headers by lower-case name, and its body as it was sent.
        """
        head, _, body = self.transport.value().partition(b"\r\n\r\n")
        if not head:
            raise Unanswered
        self.transport.clear()
        first, *lines = head.decode().split("\r\n")
        self.cookies_set = [line[12:] for line in lines if line.lower().startswith("set-cookie: ")]
        return (
            int(first.split()[1]),
            {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)},
            body,
        )

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send a request; C{_} in the name of a header is a hyphen."""
        headers = {"Host": "mud.example:4110", **headers}
        lines = [
            f"{method} {path} HTTP/1.1",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        ]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join((*lines, "", "")).encode() + body)
        return self.read()


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self) -> list[str]:
        """Where it leads to."""
        return [attributes.get("href") or "" for tag, attributes in self.tags if tag == "a"]
