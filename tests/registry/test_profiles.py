"""What a game may say of itself."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol.server_events import SecureTelnetConnection, TelnetConnection, WebConnection
from gossip.registry.changes import GameSaved, UserAgentSaved
from gossip.registry.entities import Game, Secret, UserAgent
from gossip.registry.errors import Refused
from gossip.registry.registry import Registry
from gossip.registry.secret import digest
from tests.support.world import uuid

ALPHA = Game(client_id=uuid(1), short_name="Alpha", name="The Alpha", secrets=(Secret(digest(uuid(11))),))


class ProfileTests(SynchronousTestCase):
    """The profile of a game."""

    def setUp(self) -> None:
        self.registry = Registry()
        self.registry.enact(GameSaved(ALPHA))

    def refused(self, **attributes: Any) -> bool:
        """Is the game Alpha refused with these attributes?"""
        try:
            self.registry.check(GameSaved(replace(ALPHA, **attributes)))
        except Refused:
            return True
        return False

    def test_texts(self) -> None:
        """A tagline has at most 70 characters; what others are sent is bounded and clean."""
        self.assertFalse(self.refused(tagline="x" * 70, description="x" * 2000))
        for attributes in (
            {"tagline": "x" * 71},
            {"description": "x" * 2001},
            {"description": "<a>"},
            {"tagline": "\0"},
        ):
            self.assertTrue(self.refused(**attributes), attributes)

    def test_web_addresses(self) -> None:
        """http or https, and nothing else."""
        for url in ("http://a", "https://alpha.example/x?y#z", "HTTPS://a"):
            self.assertFalse(self.refused(homepage_url=url), url)
            self.assertFalse(self.refused(connections=(WebConnection(url),)), url)
        for url in (
            "",
            "ftp://a",
            "javascript:alert(1)",
            "http://",
            "http://a b",
            "http://a\n",
            "https://" + "a" * 500,
        ):
            self.assertTrue(self.refused(homepage_url=url), url)
            self.assertTrue(self.refused(connections=(WebConnection(url),)), url)
            self.assertRaises(Refused, self.registry.check, UserAgentSaved(UserAgent("a", repo_url=url)))
            self.assertRaises(Refused, self.registry.check, UserAgentSaved(UserAgent("a", url)))
        self.registry.check(UserAgentSaved(UserAgent("a", None, "https://a")))

    def test_connections(self) -> None:
        """A host, and a port that is one."""
        for kind in (TelnetConnection, SecureTelnetConnection):
            self.assertFalse(self.refused(connections=(kind("alpha.example", 1), kind("::1", 65535))))
            for wrong in (kind("", 1), kind("a b", 1), kind("a", 0), kind("a", 65536), kind("a" * 254, 1)):
                self.assertTrue(self.refused(connections=(wrong,)), wrong)
        self.assertFalse(self.refused(connections=(TelnetConnection("a", 1),) * 6))
        self.assertTrue(self.refused(connections=(TelnetConnection("a", 1),) * 7))
