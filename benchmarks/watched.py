"""
twistd, which tells on SIGUSR2 what it holds: delayed calls, sessions, connections.

    python -m benchmarks.watched FILE TWISTD-ARGUMENTS

The daemon in it is the same as ever; C{FILE} is written anew at each signal, as JSON.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

HELD: Final = {"Session", "WebSocketConnection", "TelnetConnection", "RequestLineSniffer", "HTTPChannel"}
"""Classes of which none may be left when nobody is connected."""


def tell(reactor: Any, path: Path) -> None:
    """Write what is held."""
    gc.collect()
    calls = Counter(getattr(call.func, "__qualname__", type(call.func).__name__) for call in reactor.getDelayedCalls())
    objects = Counter(name for one in gc.get_objects() if (name := type(one).__name__) in HELD)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps({"calls": calls, "objects": objects}))
    unfinished.replace(path)


def main() -> None:
    """Run twistd."""
    path = Path(sys.argv.pop(1))
    from twisted.internet import reactor as untyped_reactor
    from twisted.scripts.twistd import run

    reactor: Any = untyped_reactor
    signal.signal(signal.SIGUSR2, lambda number, frame: reactor.callFromThread(tell, reactor, path))
    run()


if __name__ == "__main__":
    main()
