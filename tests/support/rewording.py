"""Other words for every error: what breaks by them had a sentence for a key."""

from __future__ import annotations

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol import errors
from gossip.registry.errors import Refused

REWORDED = "said in other words"
"""What every error says after L{reword}."""


def reword(case: SynchronousTestCase) -> None:
    """Give every error and every refusal another text, until the test is over."""
    kinds = {code: replace(kind, text=REWORDED) for code, kind in errors.KINDS.items()}
    case.patch(errors, "KINDS", kinds)
    case.patch(Refused, "__str__", lambda refused: REWORDED)
