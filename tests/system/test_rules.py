"""The rules of a network, at a real daemon: the operator changes the file and reloads."""

from __future__ import annotations

import signal
import subprocess

from tests.support.daemon import TWISTD, WITHIN, Daemon, DaemonTestCase, environment

RULES = "House rules\n===========\n\nBe kind.\n"


class RulesTests(DaemonTestCase):
    """The file of the setting C{rules}."""

    def test_reload(self) -> None:
        """A file that is missing leaves the default rules; a reload reads the file, and a mistake in it is logged."""
        daemon = self.daemon('[network]\nrules = "house.rst"\ncontact = "admin@example.org"\n').start()
        daemon.logged("/rules shows the default rules: cannot read house.rst: No such file or directory")
        self.assertIn("Keep it readable", self.page(daemon))
        self.assertIn('href="mailto:admin@example.org"', self.page(daemon))
        path = daemon.directory / "house.rst"
        for number, text in enumerate((RULES, f"{RULES}\n.. noet:: x\n"), 1):
            path.write_text(text)
            daemon.send_signal(signal.SIGHUP)
            daemon.logged("read the configuration again", number)
            page = self.page(daemon)
            self.assertIn("<h1>House rules</h1>", page)
            self.assertNotIn("Keep it readable", page)
        daemon.logged('a part of the rules is not shown as it was meant: line 6: Unknown directive type "noet".')

    def page(self, daemon: Daemon) -> str:
        return daemon.get("/rules").read().decode()

    def test_check(self) -> None:
        """--check tells of the file, and does not fail because of it."""
        daemon = self.daemon('[network]\nrules = "house.rst"\n')
        for text, said in (
            (
                None,
                "warning: network.rules: cannot read house.rst: No such file or directory; /rules shows the default",
            ),
            (RULES, ""),
            ("\nBe *kind.\n", "warning: network.rules: house.rst: line 2: Inline emphasis start-string without"),
        ):
            if text is not None:
                (daemon.directory / "house.rst").write_text(text)
            run = subprocess.run(
                [*TWISTD, "gossip", "--check", "--config", "gossip.toml", "--data", "data"],
                cwd=daemon.directory,
                env=environment(),
                capture_output=True,
                text=True,
                timeout=WITHIN,
                check=True,
            )
            warnings = [line for line in run.stdout.splitlines() if "network.rules" in line]
            self.assertEqual([said in line for line in warnings], [True] if said else [], run.stdout)
