"""For which code bases it is known how they are connected. Each has a template of its name in C{templates/guides}."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Guide(Struct, frozen=True):
    """
    How a code base is connected.

    @ivar name: the last part of its path.
    @ivar by_telnet: whether it comes by the telnet bridge.
    """

    name: str
    title: str
    about: str
    by_telnet: bool = False


_ALL: Final = (
    Guide("evennia", "Evennia", "It has a client built in: four settings and an address."),
    Guide("ranvier", "Ranvier", "The bundle gossip-ranvier, and three lines in ranvier.json."),
    Guide("elixir", "Elixir, ExVenture", "The library gossip, and a module with callbacks."),
    Guide("typescript", "TypeScript: MudForge, typevine", "Settings in the environment, and one line to change."),
    Guide("racket", "Racket", "A module with one address to change."),
    Guide("python", "Python", "Thirty lines with the library websockets, to build upon."),
    Guide("diku", "Circle, tbaMUD, ROM, SMAUG", "One file of C, by telnet: no library, no websocket.", by_telnet=True),
    Guide("lpc", "LPC: MudOS, FluffOS", "A daemon of seventy lines, by telnet.", by_telnet=True),
    Guide("coffeemud", "CoffeeMud", "What to build on: its own intermud speaks other protocols.", by_telnet=True),
    Guide("other", "Anything else", "The protocol in five steps, by websocket or by telnet."),
)

GUIDES: Final = {guide.name: guide for guide in _ALL}
"""By their names, in the order in which they are shown."""
