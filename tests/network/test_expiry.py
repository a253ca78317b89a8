"""L{gossip.network.expiry}: what is too old goes, by a clock that can be believed."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.network.expiry import AGREEMENT, EXPIRING, Retention
from gossip.network.outputs import Commit
from gossip.network.settings import NetworkSettings, Rules
from gossip.protocol.moment import Moment
from gossip.registry.changes import AuditExpired, MessagesExpired, PlayerCountsExpired
from gossip.registry.registry import Registry
from tests.support.world import NOW

DAY = 24 * 3600


class RetentionTests(SynchronousTestCase):
    """Ticks with two clocks, one of which can be set."""

    def setUp(self) -> None:
        self.retention = Retention(Registry(), set, Rules(NetworkSettings(history_days=30)))
        self.steady = 0.0
        self.ahead = 0.0

    def run_for(self, seconds: float) -> list[float]:
        """Let time pass; returns the times before which messages were dropped."""
        dropped = []
        for _ in range(int(seconds)):
            self.steady += 1
            for output in self.retention.tick(Moment(self.steady, NOW + self.steady + self.ahead)):
                assert isinstance(output, Commit)
                if isinstance(output.change, MessagesExpired):
                    dropped.append(output.change.before)
        return dropped

    def test_every_hour(self) -> None:
        """Once an hour, at the whole hour, what is too old goes."""
        self.assertEqual(self.run_for(2 * EXPIRING), [NOW + n * EXPIRING - 30 * DAY for n in (1, 2)])

    def test_kinds(self) -> None:
        """Messages, counts of players and the audit log go by settings of their own."""
        self.run_for(EXPIRING - 1)
        outputs = self.retention.tick(Moment(EXPIRING, NOW + EXPIRING))
        changes = [type(output.change) for output in outputs if isinstance(output, Commit)]
        self.assertEqual(changes, [MessagesExpired, PlayerCountsExpired, AuditExpired])

    def test_jump(self) -> None:
        """A clock that is 400 days ahead for some seconds, or for minutes, drops nothing."""
        self.run_for(AGREEMENT)
        for seconds in (4, AGREEMENT - 1):
            self.ahead = 400 * DAY
            self.assertEqual(self.run_for(seconds), [])
            self.ahead = 0
            self.assertEqual(self.run_for(AGREEMENT - 1), [])

    def test_believed(self) -> None:
        """A clock that stays where it was set is believed after some minutes."""
        self.run_for(AGREEMENT)
        self.ahead = 2 * DAY
        self.assertEqual(len(self.run_for(AGREEMENT + 1)), 1)

    def test_wrong_at_the_start(self) -> None:
        """A clock that is corrected soon after the start drops nothing before that."""
        self.ahead = 400 * DAY
        self.assertEqual(self.run_for(60), [])
        self.ahead = 0
        self.assertEqual(self.run_for(AGREEMENT), [])

    def test_drift(self) -> None:
        """A clock that is slewed by half a second each second counts as running, not as set."""
        dropped = []
        for _ in range(EXPIRING):
            self.ahead += 0.5
            dropped += self.run_for(1)
        self.assertEqual(len(dropped), 1)
