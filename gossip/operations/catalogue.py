"""All commands, by the names that the admin API, gossipctl and the pages use."""

from __future__ import annotations

from typing import Final

from gossip.operations import (
    accounts,
    agents,
    audit,
    channels,
    filters,
    games,
    intermud3,
    keys,
    messages,
    reports,
    restrictions,
)
from gossip.operations.command import Command
from gossip.operations.errands import Errand, RestartNotice, Say
from gossip.operations.i3_gateway import I3AcceptRules, I3Channels, I3Forget, I3Muds, I3Reconnect, I3Status
from gossip.operations.nodes import NodeDrain, NodeEnd, NodeList
from gossip.operations.operation import Operation
from gossip.operations.rehearsal import Rehearse

OPERATIONS: Final[dict[str, type[Operation]]] = {
    operation.wire: operation
    for module in (games, keys, intermud3, channels, agents, accounts, messages, restrictions, filters, reports, audit)
    for operation in module.OPERATIONS
}
"""All operations by their names."""

ERRANDS: Final[dict[str, type[Errand]]] = {
    errand.wire: errand
    for errand in (
        *(Rehearse, RestartNotice, Say, NodeList, NodeEnd, NodeDrain),
        *(I3Status, I3Muds, I3Channels, I3Reconnect, I3AcceptRules, I3Forget),
    )
}
"""All errands by their names."""

COMMANDS: Final[dict[str, type[Command]]] = {**OPERATIONS, **ERRANDS}
"""All operations and errands by their names."""

KINDS: Final = {
    "game": "register and change games",
    "channel": "create and change channels",
    "agent": "describe the code bases of games",
    "account": "create and change the accounts of people who sign in on the web pages",
    "message": "look at messages, and remove them",
    "mute": "keep players, games or addresses from speaking",
    "ban": "keep players, games or addresses out",
    "filter": "keep words from being said",
    "report": "read and resolve reports of messages",
    "node": "look after the daemons that share the network",
    "i3": "look after the gateway to Intermud-3",
}
"""The first word of commands that have two, with what all of them are for."""
