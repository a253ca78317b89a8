"""
The file that says whose data directory this is: a node keeps nothing else there, and its database is elsewhere.

Without it, C{gossipctl} would make a new database there if it does not know the node's.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

FILE: Final = "node"
"""The name of the file in the data directory."""


def read(directory: Path) -> str:
    """The name of the node that a data directory belongs to; empty if it belongs to none."""
    try:
        return (directory / FILE).read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def write(directory: Path, node: str) -> None:
    """
    Note whose data directory it is.

    @param node: the name of the node; empty for a daemon that is alone.
    """
    path = directory / FILE
    # A note that cannot be written must not keep a daemon from starting.
    with suppress(OSError):
        if node:
            with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write(f"{node}\n")
        else:
            path.unlink(missing_ok=True)
