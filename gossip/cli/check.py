"""What is wrong with the daemon that runs now, besides its configuration: see L{gossip.checks}."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import gossip
from gossip.checks import Finding
from gossip.config.config import Config

_HEALTH: Final = {
    "stopping": "it is stopping",
    "draining": "it takes no new games: gossipctl node drain --end",
    "stuck": "the database has not saved anything for a while",
}

BEHIND: Final = 1000
"""From this many changes on that wait for the database, somebody should look."""

FULL: Final = 0.9
"""From this part of the connections that are allowed, somebody should raise the limit."""


def about_daemon(config: Config, status: Mapping[str, Any] | None) -> Iterator[Finding]:
    """
    Look at the status of a daemon.

    @param config: the configuration as it is now.
    @param status: what the daemon says; C{None} if none runs.
    """
    if status is None:
        yield Finding("error", "daemon", f"no daemon runs at {config.admin_path}")
        return
    health = str(status["health"])
    if health != "ok":
        yield Finding("error", "health", f"{health}: {_HEALTH.get(health, 'changes cannot be saved: see the log')}")
    if waiting := status["waits_for_restart"]:
        yield Finding("warning", "restart", f"a restart is needed for {', '.join(waiting)}")
    if status["version"] != gossip.__version__:
        text = f"version {status['version']} runs, and {gossip.__version__} is installed: a restart is needed"
        yield Finding("warning", "restart", text)
    if status["queue"] >= BEHIND:
        yield Finding("warning", "database", f"{status['queue']} changes wait for it")
    limits = {"websocket": config.limits.connections, "telnet": config.limits.telnet.connections}
    for transport, number in status["connections"].items():
        most = limits.get(transport, 0)
        if most and number >= FULL * most:
            yield Finding("warning", "connections", f"{number} of {most} by {transport} are in use")
