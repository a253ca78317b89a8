"""Two real daemons that are nodes of one network, shared by tests that do not disturb each other."""

from __future__ import annotations

import atexit
import functools
import itertools
from typing import Any

from tests.support.daemon import Daemon, Frame, Game, SharedDaemonTestCase
from tests.support.databases import given_database, new_schema

_settled = itertools.count()


@functools.cache
def node_pair() -> tuple[Daemon, Daemon]:
    """
    Two nodes on a schema of their own; they end with this process.

    @raise SkipTest: C{GOSSIP_TEST_POSTGRESQL} names no database.
    """
    mine = new_schema(given_database(), atexit.register).set(drivername="postgresql")
    nodes = [
        Daemon("", ("--node", name, "--database", mine.render_as_string(hide_password=False))) for name in ("a", "b")
    ]
    for node in nodes:
        atexit.register(node.close)
        node.start()
    return nodes[0], nodes[1]


def settle(node: Daemon) -> None:
    """Wait until a node has heard what happened on either before."""
    # A node answers when it has heard what it committed, and with that all that anybody committed before.
    for each in (*(other for other in node_pair() if other is not node), node):
        each.admin("agent/set", agent="Settled", url=f"https://settled.example/{next(_settled)}")


class SettledGame(Game):
    """A game at a node, which looks at what it heard only when everything that happened elsewhere has arrived."""

    def __init__(self, node: Daemon, **options: Any) -> None:
        settle(node)
        self.node = node
        super().__init__(node.url, **options)

    def hear(self, *sent: Frame | str | bytes) -> list[Frame]:
        settle(self.node)
        return super().hear(*sent)


class OnTwoNodes(SharedDaemonTestCase):
    """Makes tests at one daemon tests at two nodes: the games connect to one and the other in turn."""

    def find_daemon(self) -> Daemon:
        """The node that an admin asks."""
        self.connected = 0
        return node_pair()[0]

    def connect(self, **options: Any) -> Game:
        """A game that has not authenticated yet."""
        node = node_pair()[self.connected % 2]
        self.connected += 1
        game = SettledGame(node, **options)
        self.addCleanup(game.close)
        return game
