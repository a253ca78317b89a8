"""The command line of gossipctl, in this process."""

from __future__ import annotations

import contextlib
import io

from gossip.cli.ctl import main


def run(*argv: str) -> tuple[int, str, str]:
    """
    Run a command line.

    @return: the exit code, stdout and stderr.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(argv)
    return code, out.getvalue(), err.getvalue()
