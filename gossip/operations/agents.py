"""Operations on code bases: the user agents that games name when they join."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from gossip.operations.command import Block, Result, Table
from gossip.operations.listing import Listing, rest
from gossip.operations.operation import Done, Occasion, Operation, given_or
from gossip.protocol.text import clean
from gossip.registry.changes import UserAgentSaved
from gossip.registry.entities import UserAgent
from gossip.registry.errors import Refused
from gossip.registry.registry import Registry

_URL: Final = 500
_USER_AGENT: Final = 200
_WEB_ADDRESS: Final = re.compile(r"https?://[!-~]+", re.IGNORECASE)


# What people see of results.


def _view_agents(result: Result) -> Sequence[Block]:
    rows = [(agent["name"], agent["url"] or "", agent["repo_url"] or "") for agent in result["agents"]]
    return (Table(("CODE BASE", "HOME", "SOURCE"), rows, "No code base is known."), *rest(result))


def _view_agent(result: Result) -> Sequence[Block]:
    return ({"name": result["name"], "home": result["url"], "source": result["repo_url"]},)


class AgentList(Listing, frozen=True):
    """List all code bases that games have named."""

    wire = "agent/list"
    view = staticmethod(_view_agents)
    entries = "agents"

    def everything(self, registry: Registry) -> Collection[UserAgent]:
        return registry.user_agents.values()

    def key(self, entry: UserAgent) -> str:
        # Names that differ only in case stand side by side.
        return f"{entry.name.lower()} {entry.name}"

    def text(self, entry: UserAgent) -> str:
        return entry.name

    def shown(self, entries: Sequence[UserAgent], registry: Registry, on: Occasion) -> list[Result]:
        return [msgspec.to_builtins(agent) for agent in entries]


class AgentSet(Operation, frozen=True):
    """
    Set where people find a code base. What is not given stays; an empty address removes the value.

    @ivar agent: the code base, as games name it.
    @ivar url: its web page.
    @ivar repo_url: its source code.
    """

    wire = "agent/set"
    done = "Changed the code base {name}."
    may_be_first = True
    view = staticmethod(_view_agent)

    agent: str
    url: str | UnsetType | None = UNSET
    repo_url: str | UnsetType | None = UNSET

    def perform(self, registry: Registry, on: Occasion) -> Done:
        if not 1 <= len(self.agent) <= _USER_AGENT or clean(self.agent) != self.agent:
            raise Refused(
                "invalid",
                "agent",
                f"a code base's name has 1 to {_USER_AGENT} characters, without control characters and tags",
            )
        known = registry.user_agents.get(self.agent) or UserAgent(self.agent)
        agent = UserAgent(
            self.agent,
            _address("url", given_or(self.url, known.url)),
            _address("repo_url", given_or(self.repo_url, known.repo_url)),
        )
        same = registry.user_agents.get(self.agent) == agent
        return None if same else UserAgentSaved(agent), msgspec.to_builtins(agent)


def _address(field: str, url: str | None) -> str | None:
    if url and not (len(url) <= _URL and _WEB_ADDRESS.fullmatch(url)):
        raise Refused(
            "invalid", field, f"a web address starts with http:// or https:// and has at most {_URL} characters"
        )
    return url or None


OPERATIONS: Final[tuple[type[Operation], ...]] = (AgentList, AgentSet)
"""All operations on code bases."""
