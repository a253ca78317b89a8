"""The settings of a node."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class ClusterSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """
    How a node gets along with the others.

    @ivar lease_seconds: how long a silent node counts as alive, in seconds.
    @ivar late_messages: how many missed messages of a channel are heard late after the database was away.
    """

    lease_seconds: Annotated[float, Meta(ge=3)] = 15
    late_messages: Annotated[int, Meta(ge=0)] = 1000
