"""
An Evennia that has nothing but its Grapevine protocol: a process of an environment of its own, for C{test_evennia}.

Its arguments are the address of the network and, as JSON, its credentials and channels. Each line of its standard input
is JSON: the name of a method of Evennia's connection, and arguments. It writes what happens as lines of JSON:
C{connect} and C{disconnect}, C{data_in} with what Evennia would hand on to its bot, and C{log} with what it would log.
"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any


def report(what: str, *details: Any) -> None:
    """Tell the test what happened."""
    sys.stdout.write(json.dumps([what, *details]) + "\n")
    sys.stdout.flush()


class Sessions:
    """Takes the place of Evennia's session handler: remembers connections, and has one player, Eve."""

    def connect(self, session: Any) -> None:
        report("connect")

    def disconnect(self, session: Any) -> None:
        report("disconnect")

    def get_sessions(self, include_unloggedin: bool = False) -> list[Any]:
        return [SimpleNamespace(account=SimpleNamespace(key="Eve"))]

    def data_in(self, session: Any = None, **data: Any) -> None:
        report("data_in", data)


def main(address: str, settings: dict[str, Any]) -> None:
    """Run until the standard input ends."""
    from django.conf import settings as django_settings  # type: ignore[import-not-found, unused-ignore]
    from evennia import settings_default  # type: ignore[import-not-found, unused-ignore]

    django_settings.configure(settings_default, **settings)

    from evennia.server.portal import grapevine  # type: ignore[import-not-found, unused-ignore]
    from twisted.internet import reactor as reactor_module
    from twisted.internet.stdio import StandardIO
    from twisted.protocols.basic import LineOnlyReceiver
    from twisted.python import log

    reactor: Any = reactor_module
    log.addObserver(lambda event: report("log", log.textFromEventDict(event)))
    grapevine.GRAPEVINE_URI = address
    factory = grapevine.RestartingWebsocketServerFactory(
        Sessions(), uid=1, grapevine_channel=settings["GRAPEVINE_CHANNELS"][0]
    )

    class Commands(LineOnlyReceiver):
        delimiter = b"\n"

        def lineReceived(self, line: bytes) -> None:
            method, *arguments = json.loads(line)
            getattr(factory.bot, method)(*arguments)

        def connectionLost(self, reason: Any = None) -> None:
            if reactor.running:
                reactor.stop()

    StandardIO(Commands())
    factory.start()
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
