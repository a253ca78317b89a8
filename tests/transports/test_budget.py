"""L{gossip.transports.budget}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gossip.transports.budget import NO_BUDGET, Budget
from tests.support.world import STEADY


class BudgetTests(SynchronousTestCase):
    """One bucket, as a number."""

    def test_burst(self) -> None:
        """The burst passes at once, and one byte more does not, until it has leaked away."""
        budget = Budget(1000, 10)
        used = budget.spend(0.0, 1000, STEADY)
        self.assertFalse(budget.exceeded(used, STEADY))
        used = budget.spend(used, 1, STEADY)
        self.assertTrue(budget.exceeded(used, STEADY))
        self.assertFalse(budget.exceeded(used, STEADY + 0.2))

    def test_rest(self) -> None:
        """A long rest saves up no more than the burst."""
        budget = Budget(1000, 10)
        used = budget.spend(0.0, 1000, STEADY)
        used = budget.spend(used, 1001, STEADY + 1_000_000)
        self.assertTrue(budget.exceeded(used, STEADY + 1_000_000))

    def test_none(self) -> None:
        """A burst of 0 is no limit, whatever is left of the rate."""
        used = NO_BUDGET.spend(0.0, 10**12, STEADY)
        self.assertFalse(NO_BUDGET.exceeded(used, STEADY))

    @given(st.lists(st.tuples(st.floats(0, 10), st.integers(0, 400))))
    def test_never_more(self, spent: list[tuple[float, int]]) -> None:
        """Whatever passes in whatever rhythm, it is at most the burst and what leaks in that time."""
        budget, now, used, passed = Budget(1000, 100), STEADY, 0.0, 0
        for seconds, cost in spent:
            now += seconds
            after = budget.spend(used, cost, now)
            if not budget.exceeded(after, now):
                used, passed = after, passed + cost
        self.assertLessEqual(passed, 1000 + 100 * (now - STEADY) + 1e-3)
