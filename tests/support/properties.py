"""
How many examples property tests try.

Everybody who changes something runs the tests of a wing again and again, and hypothesis tries other examples each time:
a quarter of them is enough then. The run of all tests sets GOSSIP_TEST_THOROUGH, and tries them all.
"""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, settings

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
