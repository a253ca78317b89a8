"""
What property tests share: frames of games, and how many examples they try.

Everybody who changes something runs the tests of a wing again and again, and hypothesis tries other examples each time:
a quarter of them is enough then. The run of all tests sets GOSSIP_TEST_THOROUGH, and tries them all.
"""

from __future__ import annotations

import os
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from gossip.network.ratelimit import Rate
from gossip.network.settings import Rates
from tests.support.world import frame

THOROUGH: Final = bool(os.environ.get("GOSSIP_TEST_THOROUGH"))
"""Whether all examples are tried, not a quarter of them."""


def examples(number: int) -> settings:
    """
    Settings for a property test.

    @param number: how many examples a thorough run tries.
    """
    return settings(
        database=None,
        deadline=None,
        print_blob=True,
        max_examples=number if THOROUGH else max(number // 4, 4),
        suppress_health_check=[HealthCheck.too_slow],
    )


def load() -> None:
    """Let property tests that say nothing else try 60 examples."""
    settings.register_profile("gossip", examples(60))
    settings.load_profile("gossip")


UNLIMITED: Final = Rates(*[Rate(0, 0)] * len(Rates.__struct_fields__))
"""No rate is limited."""


def event(wire: str, /, **payload: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Frames of an event whose payload is any of these."""
    return st.fixed_dictionaries(payload).map(lambda fields: frame(wire, fields))
