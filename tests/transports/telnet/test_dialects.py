"""L{gossip.transports.telnet.dialects}: the dialect that the first bytes choose."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol.errors import Error
from gossip.transports.endpoints import Ports
from gossip.transports.telnet.dialects import choose, first_dialect, web_hint
from gossip.transports.telnet.json_dialect import JsonDialect
from gossip.transports.telnet.text_dialect import TextDialect
from tests.support.telnet_games import TelnetTestCase

PORTS = {"websocket": Ports("80", ""), "telnet": Ports("4111", "4112")}


class ChooseTests(TelnetTestCase):
    """The table."""

    def test_dialects(self) -> None:
        """A brace chooses JSON; a line that is not in the table stays with text."""
        self.assertIsInstance(choose(b'{"event": "heartbeat"}', self.factory), JsonDialect)
        self.assertIsInstance(first_dialect(self.factory), TextDialect)
        for line in (b"LOGIN a b", b"[", b"getting", b" {"):
            self.assertIsNone(choose(line, self.factory), line)

    def test_refusals(self) -> None:
        """Web browsers and IMC2 are at the wrong port, and are told where to go."""
        http = Error.of("not-http", hint="see https://mud.example/")
        for line in (b"GET / HTTP/1.1", b"POST /socket HTTP/1.1", b"HEAD / HTTP/1.0"):
            self.assertEqual(choose(line, self.factory), http)
        for line in (b"PW MyMUD secret version=2", b"SHA256-AUTH-REQ MyMUD"):
            self.assertEqual(choose(line, self.factory), Error.of("not-imc2"))


class HintTests(SynchronousTestCase):
    """Where a browser finds the pages."""

    def test_hint(self) -> None:
        """A browser is told the address of the pages if it is known, otherwise their port."""
        for website, ports, hint in (
            ("https://mud.example/", PORTS, "see https://mud.example/"),
            ("", PORTS, "http port 80"),
            ("", {"websocket": Ports("80", "443")}, "https port 443"),
            ("", {"websocket": Ports()}, "another port"),
            ("", {}, "another port"),
        ):
            self.assertIn(hint, web_hint(website, ports))
