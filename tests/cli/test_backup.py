"""L{gossip.cli.backup}: a file that appears when it is whole, and stays when it is needed."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gossip.cli import backup
from gossip.cli.daemon import Failed


class SaveTests(SynchronousTestCase):
    """Copies that end well, and copies that do not."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()

    def failed(self, to: Path, keep: int | None = None) -> str:
        return str(self.assertRaises(Failed, backup.save, [b"new"], str(to), keep))

    def test_whole(self) -> None:
        """The file has everything, is for its owner only, and is the only one."""
        path = self.directory / "b.db"
        self.assertEqual(backup.save([b"one", b"two"], str(path)), path.absolute())
        self.assertEqual((path.read_bytes(), stat.S_IMODE(path.stat().st_mode)), (b"onetwo", 0o600))
        self.assertEqual(list(self.directory.iterdir()), [path])

    def test_never_over_something(self) -> None:
        """Nothing is overwritten: no file, no dangling link, and nothing that appears while the copy is written."""
        path = self.directory / "b.db"

        def slow() -> Iterator[bytes]:
            yield b"half"
            path.write_text("precious")
            yield b"whole"

        self.assertIn("already exists", str(self.assertRaises(Failed, backup.save, slow(), str(path))))
        self.assertEqual((path.read_text(), list(self.directory.iterdir())), ("precious", [path]))
        self.assertIn("already exists", self.failed(path))
        link = self.directory / "link"
        link.symlink_to("nowhere")
        self.assertIn("already exists", self.failed(link))
        self.assertIn("already exists", self.failed(Path("/dev/full")))

    def test_no_place(self) -> None:
        """A place that cannot be written is named."""
        self.assertIn("No such file", self.failed(self.directory / "none" / "b.db"))

    def test_broken_off(self) -> None:
        """A copy that breaks off, or is broken off by a signal, leaves nothing."""

        def killed() -> Iterator[bytes]:
            yield b"half"
            os.kill(os.getpid(), signal.SIGTERM)
            yield b"whole"

        with self.assertRaises(SystemExit), backup.tidy():
            backup.save(killed(), str(self.directory / "b.db"))
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_keep(self) -> None:
        """In a directory a backup gets a name with the time; of those only the latest stay, and everything else."""
        for name in ("gossip-20250101T000000Z.db", "gossip-20260101T000000Z.db", "gossip-monday.db", "other"):
            (self.directory / name).touch()
        made = backup.save([b"new"], str(self.directory), 2)
        assert made is not None
        self.assertRegex(made.name, r"^gossip-\d{8}T\d{6}Z\.db$")
        self.assertEqual(
            {path.name for path in self.directory.iterdir()},
            {"gossip-20260101T000000Z.db", "gossip-monday.db", "other", made.name},
        )
        for keep, to in ((0, self.directory), (-1, self.directory), (2, self.directory / "b.db")):
            self.assertIn("--keep needs", self.failed(to, keep))

    def test_standard_output(self) -> None:
        """Standard output gets the copy and nothing else."""
        out = BytesIO()
        self.patch(sys, "stdout", TextIOWrapper(out))
        self.assertIsNone(backup.save([b"one", b"two"], "-"))
        sys.stdout.flush()
        self.assertEqual(out.getvalue(), b"onetwo")
