"""What can be rehearsed: see L{gossip.network.rehearsal}. gossipctl reads these names at every start."""

from __future__ import annotations

from typing import Final, Literal, get_args

StepName = Literal["message", "tell", "sign-in", "sign-out", "heartbeat", "restart"]

STEPS: Final[tuple[StepName, ...]] = get_args(StepName)
"""What can be rehearsed, in the order in which a game is tried."""

DOWNTIME: Final = 5
"""How long the network says that it will be away when a restart is rehearsed, in seconds."""
