"""L{gossip.operations.agents}."""

from __future__ import annotations

from gossip.registry.changes import UserAgentSaved
from gossip.registry.entities import UserAgent
from tests.support.operations import AdminTestCase


class AgentTests(AdminTestCase):
    """Operations on code bases."""

    def test_set_and_list(self) -> None:
        """The addresses of a code base are set one by one, and removed."""
        self.perform("agent/set", agent="Evennia", url="https://e.example")
        self.assertEqual(self.change, UserAgentSaved(UserAgent("Evennia", "https://e.example")))
        self.perform("agent/set", agent="Evennia", repo_url="https://r.example")
        self.perform("agent/set", agent="Evennia")
        self.assertIsNone(self.change)
        self.assertEqual(
            self.perform("agent/list")["agents"],
            [{"name": "Evennia", "url": "https://e.example", "repo_url": "https://r.example"}],
        )
        self.assertIsNone(self.perform("agent/set", agent="Evennia", url="")["url"])

    def test_pages(self) -> None:
        """The list comes in pages, sorted without case, and can be searched."""
        for name in ("Ranvier", "evennia", "Evennia", "CoffeeMud"):
            self.registry.enact(UserAgentSaved(UserAgent(name)))
        names, after = [], ""
        for left in (2, 0):
            page = self.perform("agent/list", limit=2, after=after)
            self.assertEqual(page["left"], left)
            names += [agent["name"] for agent in page["agents"]]
            after = page["next"]
        self.assertEqual(names, ["CoffeeMud", "Evennia", "evennia", "Ranvier"])
        self.assertEqual([agent["name"] for agent in self.perform("agent/list", match="RAN")["agents"]], ["Ranvier"])

    def test_refused(self) -> None:
        """Names and addresses that are commands to a terminal or a browser are refused."""
        for agent in ("", "\x1b[31m", "x" * 201):
            self.assertRefused(
                "a code base's name has 1 to 200 characters, without control characters and tags",
                "agent/set",
                agent=agent,
            )
        self.assertRefused(
            "a web address starts with http:// or https:// and has at most 500 characters",
            "agent/set",
            agent="Evennia",
            url="javascript:alert(1)",
        )
