"""The code bases that have a guide. Each has a template of the same name in C{templates/guides}."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Guide(Struct, frozen=True):
    """
    A guide to connecting a code base.

    @ivar name: the last part of its path.
    @ivar by_telnet: whether it uses the telnet bridge.
    @ivar by_imc2: whether it uses the IMC2 port.
    @ivar by_i3: whether it uses the Intermud-3 port.
    """

    name: str
    title: str
    about: str
    by_telnet: bool = False
    by_imc2: bool = False
    by_i3: bool = False


_ALL: Final = (
    Guide("evennia", "Evennia", "Has a built-in client: four settings and an address."),
    Guide("ranvier", "Ranvier", "The bundle gossip-ranvier, and three lines in ranvier.json."),
    Guide("elixir", "Elixir, ExVenture", "The gossip library, and a module with callbacks."),
    Guide("typescript", "TypeScript: MudForge, typevine", "Settings in the environment, and one line to change."),
    Guide("racket", "Racket", "A module with one address to change."),
    Guide("python", "Python", "A short program with the websockets library, to build on."),
    Guide(
        "diku", "Circle, tbaMUD, ROM, SMAUG", "One C file that uses telnet: no library, no websocket.", by_telnet=True
    ),
    Guide(
        "imc2",
        "ROM, SMAUG, Circle with IMC2",
        "The IMC2 client that many have: three lines of its configuration.",
        by_imc2=True,
    ),
    Guide("dead-souls", "Dead Souls", "Has an Intermud-3 client: one command.", by_i3=True),
    Guide("lima", "Lima", "Has an Intermud-3 client: one line to change.", by_i3=True),
    Guide("gurbalib", "GurbaLib", "Has an Intermud-3 client: a name, and two lines to change.", by_i3=True),
    Guide(
        "i3-diku",
        "ROM, SMAUG, Circle with Intermud-3",
        "The Intermud-3 client that some have: a name, and the router.",
        by_i3=True,
    ),
    Guide("lpc", "LPC: MudOS, FluffOS", "A small daemon that uses telnet.", by_telnet=True),
    Guide("coffeemud", "CoffeeMud", "Has a built-in client: four settings, and a host name in two places."),
    Guide("other", "Anything else", "The protocol in five steps, by websocket or telnet."),
)

GUIDES: Final = {guide.name: guide for guide in _ALL}
"""All guides by name, in display order."""
