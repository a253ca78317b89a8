"""Where gossipctl writes a copy of the database: a file that appears when it is whole, or standard output."""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final

from gossip.cli.daemon import Failed

STDOUT: Final = "-"
"""Stands for standard output."""

_NAMED: Final = re.compile(r"gossip-\d{8}T\d{6}Z\.db")
_NO_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


def save(chunks: Iterable[bytes], to: str, keep: int | None = None) -> Path | None:
    """
    Write a copy of the database.

    @param chunks: the copy. Nothing of it is asked for if it cannot be written.
    @param to: a new file; a directory, where the file gets a name with the time; or L{STDOUT}.
    @param keep: how many files with such a name stay in the directory; C{None} for all.
    @return: the file; C{None} for standard output.
    @raise Failed: the file exists or cannot be written. Nothing is left of it.
    @raise OSError: standard output cannot be written.
    """
    if to == STDOUT and sys.stdout.isatty():
        raise Failed("a backup is not for a terminal: name a file")
    directory = Path(to)
    if keep is not None and (keep < 1 or not directory.is_dir()):
        raise Failed("--keep needs a number above 0, and a directory")
    if to == STDOUT:
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        return None
    path = Path(to)
    if path.is_dir():
        path /= time.strftime("gossip-%Y%m%dT%H%M%SZ.db", time.gmtime())
    _write(chunks, path)
    if keep is not None:
        _remove_older(path.parent, keep)
    return path.absolute()


def _write(chunks: Iterable[bytes], path: Path) -> None:
    if os.path.lexists(path):
        raise Failed(f"{path} already exists; a backup does not overwrite it")
    try:
        # Only its owner can read it.
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(handle, "wb") as file:
                file.writelines(chunks)
                file.flush()
                os.fsync(file.fileno())
            _rename(name, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name)
    except FileExistsError:
        raise Failed(f"{path} already exists; a backup does not overwrite it") from None
    except OSError as error:
        raise Failed(f"cannot write a backup to {path}: {error.strerror}") from None


def _rename(name: str, path: Path) -> None:
    """Give a file another name, unless that one exists."""
    try:
        # Unlike rename(2), this overwrites nothing that came meanwhile.
        os.link(name, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.rename(name, path)


def _remove_older(directory: Path, keep: int) -> None:
    """Remove all but the latest backups that got their names here: the time is in the name."""
    named = sorted(path for path in directory.iterdir() if _NAMED.fullmatch(path.name))
    for path in named[:-keep]:
        try:
            path.unlink()
        except OSError as error:
            raise Failed(f"cannot remove {path}: {error.strerror}") from None


@contextmanager
def tidy() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end what is in the block as Ctrl-C does, so that no half file stays behind."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, known in before.items():
            signal.signal(number, known)
