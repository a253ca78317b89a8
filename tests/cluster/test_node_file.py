"""L{gossip.cluster.node_file}: whose data directory it is."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gossip.cluster import node_file


class NodeFileTests(SynchronousTestCase):
    """A data directory."""

    def test_written(self) -> None:
        """It is a node's until a daemon that is alone takes it; what cannot be written or read keeps nobody."""
        directory = Path(self.mktemp())
        node_file.write(directory, "a")
        self.assertEqual(node_file.read(directory), "")
        directory.mkdir()
        for node in ("", "a", "b", "b", "", ""):
            node_file.write(directory, node)
            self.assertEqual(node_file.read(directory), node)
        self.assertEqual(list(directory.iterdir()), [])
