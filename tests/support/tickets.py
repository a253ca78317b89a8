"""Tickets that tests know the secrets of."""

from __future__ import annotations

from typing import Any

from gossip.registry.entities import Ticket
from gossip.registry.secret import digest
from tests.support.world import NOW, uuid


def ticket(number: int, kind: str = "visit", account: str = "Ana", made_at: float = NOW, **more: Any) -> Ticket:
    """The ticket whose secret is the UUID of this number."""
    return Ticket(digest=digest(uuid(number)), kind=kind, account=account, made_at=made_at, **more)
