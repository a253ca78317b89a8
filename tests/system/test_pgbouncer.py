"""Nodes behind a real PgBouncer, which some operators have in front of PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import mkdtemp

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.support.daemon import WITHIN, Daemon, Game, eventually, free_port, listens
from tests.support.engine import engine


class PgBouncerTests(SynchronousTestCase):
    """A node whose connections go through PgBouncer."""

    def setUp(self) -> None:
        program = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
        if program is None:
            raise SkipTest("needs pgbouncer")
        self.engine = engine(self.addCleanup)
        self.port = free_port()
        self.home = Path(mkdtemp(prefix="gossip-pgbouncer-"))
        self.addCleanup(shutil.rmtree, self.home)
        # It does not run as root.
        self.command = [program, "-q", *(("-u", "postgres") if os.geteuid() == 0 else ()), str(self.home / "ini")]
        self.home.chmod(0o755)

    def pool(self, mode: str) -> Daemon:
        """A node, which is not started, behind PgBouncer in one of its modes."""
        (self.home / "ini").write_text(
            f"[databases]\npostgres = host=127.0.0.1 port={self.engine.port} user=gossip\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = any\npool_mode = {mode}\n"
        )
        bouncer = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(bouncer.wait, WITHIN)
        self.addCleanup(bouncer.kill)
        eventually(lambda: listens(self.port), "pgbouncer")
        daemon = Daemon("", ("--node", "a", "--database", self.engine.url(self.port)))
        self.addCleanup(daemon.close)
        return daemon

    def test_transaction(self) -> None:
        """With pool_mode = transaction a node would hear nobody: it does not start, and says why."""
        node = self.pool("transaction")
        node.launch()
        self.assertEqual(node.wait(), 1)
        self.assertIn("nodes do not hear each other: what is in front of the server must keep sessions apart", node.log)
        self.assertNotIn("Traceback", node.log)
        self.assertEqual(self.engine.execute("SELECT to_regclass('nodes')"), [(None,)])

    def test_session(self) -> None:
        """With pool_mode = session all is well."""
        node = self.pool("session").start()
        game = Game(node.url)
        self.addCleanup(game.close)
        game.authenticate(node.register("Alpha"), channels=["gossip"])
        said = {"channel": "gossip", "name": "Ana", "message": "Hello!"}
        self.assertEqual(game.outcome("channels/send", said), "success")
