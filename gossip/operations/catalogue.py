"""All operations, by the names that the admin API, gossipctl and the pages use."""

from __future__ import annotations

from typing import Final

from gossip.operations import accounts, moderation
from gossip.operations.agents import AgentList, AgentSet
from gossip.operations.channels import (
    ChannelCreate,
    ChannelDescribe,
    ChannelHide,
    ChannelList,
    ChannelPause,
    ChannelResume,
    ChannelShow,
    ChannelSpeakers,
)
from gossip.operations.games import (
    GameAdd,
    GameDisable,
    GameEdit,
    GameEnable,
    GameList,
    GameRemove,
    GameRotate,
    GameShow,
)
from gossip.operations.operation import Operation

_ALL: Final[tuple[type[Operation], ...]] = (
    GameAdd,
    GameList,
    GameShow,
    GameRotate,
    GameDisable,
    GameEnable,
    GameRemove,
    GameEdit,
    ChannelList,
    ChannelCreate,
    ChannelShow,
    ChannelHide,
    ChannelPause,
    ChannelResume,
    ChannelDescribe,
    ChannelSpeakers,
    AgentList,
    AgentSet,
    *moderation.OPERATIONS,
    *accounts.OPERATIONS,
)


OPERATIONS: Final = {operation.wire: operation for operation in _ALL}
"""All operations by their names."""
