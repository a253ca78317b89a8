"""
The file that says up to where numbers may have been given: see L{gossip.registry.numbers}.

It is no part of the database, so that a backup of the database which is put back does not put it back as well.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec
from twisted.logger import Logger

from gossip.registry.numbers import Mark

FILE: Final = "numbers.json"
"""The name of the file in the data directory."""

_log = Logger()


def read(directory: Path) -> Mark:
    """The mark in a data directory; zeros if there is none, or none that can be read."""
    path = directory / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Mark)
    except FileNotFoundError:
        return Mark()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        _log.warn("{path} cannot be read, numbers go by the clock alone: {error}", path=path, error=str(error))
        return Mark()


def write(directory: Path, mark: Mark) -> None:
    """Write the mark, whole or not at all. If that fails, it is logged: the time protects numbers as well."""
    path, new = directory / FILE, directory / f"{FILE}.new"
    try:
        with open(new, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(msgspec.json.encode(mark) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        parent = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)
    except OSError as error:
        _log.warn("{path} cannot be written, numbers go by the clock alone: {error}", path=path, error=error.strerror)
