"""Backups of a real daemon, and the restore that the page for operators describes."""

from __future__ import annotations

import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.support.daemon import WITHIN, Daemon, DaemonTestCase, environment, eventually

ROOT = Path(__file__).resolve().parents[2]


class BackupTests(DaemonTestCase):
    """A daemon in use, and gossipctl in a process of its own."""

    def backup(self, daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = (sys.executable, "-m", "gossip.cli.ctl", "--data", str(daemon.data), "backup", *arguments)
        return subprocess.run(
            command, cwd=daemon.directory, env=environment(), capture_output=True, timeout=WITHIN, check=False
        )

    def heard(self, daemon: Daemon) -> list[str]:
        """What was said on the channel, as a game that joins now is told."""
        game = self.join(daemon, daemon.register("Beta"), channels=["gossip"], supports=["channels", "history"])
        (answer,) = game.ask("channels/history", {"channel": "gossip", "limit": 10})
        return [message["message"] for message in answer["payload"]["messages"]]

    def test_backup_and_restore(self) -> None:
        """What was there at the time of the backup is there after the restore, as the documents tell to do it."""
        daemon = self.daemon().start()
        game = self.join(daemon, daemon.register("Alpha"), channels=["gossip"])

        def say(text: str) -> str:
            return game.outcome("channels/send", {"channel": "gossip", "name": "Ana", "message": text})

        self.assertEqual(say("before"), "success")
        saved = self.backup(daemon, "saved.db")
        self.assertEqual((saved.returncode, saved.stderr), (0, b""))
        through = self.backup(daemon, "-")
        self.assertEqual((through.returncode, through.stdout[:15]), (0, b"SQLite format 3"))
        self.assertEqual(say("after"), "success")
        self.assertEqual(list(daemon.data.glob("*snapshot*")), [])
        self.assertEqual(daemon.stop(), 0)

        text = (ROOT / "docs" / "operator.rst").read_text().partition("\nBackups\n-------\n")[2]
        found = re.search(r"\n    systemctl stop gossip\n((?:    .*\n)*?)    systemctl start gossip\n", text)
        assert found is not None
        for line in found[1].splitlines():
            words = shlex.split(line)
            if words[0] == "install":
                # The user gossip is not here, and the backup has another name.
                words = ["install", "-m", "600", str(daemon.directory / "saved.db"), words[-1]]
            if words[0] != "cd":
                subprocess.run(words, cwd=daemon.data, check=True)
        restored = self.daemon(data=daemon.data).start()
        self.assertEqual(self.heard(restored), ["before"])

    def test_nowhere(self) -> None:
        """A full output and a file that is there get one line; the daemon does not mind."""
        daemon = self.daemon().start()
        command = (sys.executable, "-m", "gossip.cli.ctl", "--data", str(daemon.data), "backup", "-")
        with open("/dev/full", "wb") as full:
            run = subprocess.run(command, env=environment(), stdout=full, stderr=subprocess.PIPE, check=False)
        told = b"gossipctl: cannot write to standard output: No space left on device\n"
        self.assertEqual((run.returncode, run.stderr), (1, told))
        self.assertIn(b"already exists", self.backup(daemon, "/dev/full").stderr)
        self.assertEqual(daemon.status()["health"], "ok")
        self.assertNotIn("Traceback", daemon.log)

    def test_killed(self) -> None:
        """A daemon that is killed half-way leaves no half file at either end; others talk while a reader is slow."""
        daemon = self.daemon().start()
        for number in range(40):
            daemon.admin("channel/create", channel=f"c{number}", description="x" * 500)
        reader = socket.socket(socket.AF_UNIX)
        self.addCleanup(reader.close)
        reader.connect(str(daemon.data / "admin.sock"))
        reader.settimeout(WITHIN)
        reader.sendall(b"POST /backup HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(b" 200 OK", reader.recv(100))
        directory = daemon.directory / "backups"
        directory.mkdir()
        # A daemon that answers nothing any more, and then is gone.
        daemon.send_signal(signal.SIGSTOP)
        command = (sys.executable, "-m", "gossip.cli.ctl", "--data", str(daemon.data), "backup", str(directory))
        run = subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE)
        eventually(lambda: list(directory.iterdir()), "a file that is being written")
        daemon.stop(signal.SIGKILL)
        _, complaint = run.communicate(timeout=WITHIN)
        self.assertEqual((run.returncode, complaint.count(b"\n"), b"Traceback" in complaint), (1, 1, False))
        self.assertEqual(list(directory.iterdir()), [])
        self.assertEqual(list(daemon.data.glob("*snapshot*")), [])
