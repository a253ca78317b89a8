"""The MUDs of the other network: which are up, and what they are called here. Without I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from gossip.registry.remotes import short_name
from gossip.transports.intermud3.mudmode import Value
from gossip.transports.intermud3.packets import number_of
from gossip.transports.telnet.lines import one_line

MOST: Final = 1000
"""At most this many MUDs are known."""

STALE_SECONDS: Final = 60.0
"""How long after a router is joined anew its list may take, in seconds. A MUD that is not in it by then is gone."""

_NAME: Final = 64
_UP: Final = -1
_STATE, _SERVICES = 0, 11
_SUPPORTS: Final = {"tell": "tells", "who": "players"}
_ALWAYS: Final = frozenset(("channels", "games"))
_EVERYTHING: Final = frozenset(("channels", "games", "tells", "players"))


class Mud(Struct, frozen=True):
    """
    A MUD of the other network.

    @ivar name: its name there.
    @ivar short_name: its name here.
    @ivar supports: the flags that its services come to.
    """

    name: str
    short_name: str
    supports: frozenset[str] = _EVERYTHING


class Muds:
    """The MUDs that are up."""

    def __init__(self, mud: str, suffix: str, skip: Collection[str], is_taken: Callable[[str], bool]) -> None:
        """
        @param mud: the name of the network itself there.
        @param suffix: what short names end in.
        @param skip: the MUDs that are ignored.
        @param is_taken: whether a game here has a short name.
        """
        self._ignored = {mud.lower(), *(name.lower() for name in skip)}
        self._suffix = suffix
        self._is_taken = is_taken
        self._up: dict[str, Mud] = {}
        # Those that are known from a list before the link was lost.
        self._stale: dict[str, None] = {}
        self._stale_until = 0.0
        # What each was called once: it keeps its name while the daemon runs, and games and admins know it by that.
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()

    def __iter__(self) -> Iterator[Mud]:
        return iter(self._up.values())

    def __len__(self) -> int:
        return len(self._up)

    def find(self, name: str) -> Mud | None:
        """The MUD of this name, which compares without case."""
        return self._up.get(name.lower())

    def is_welcome(self, name: str) -> bool:
        """May a MUD of this name be here? Not if it is ignored, or no name."""
        return (
            name.lower() not in self._ignored
            and 0 < len(name) <= _NAME
            and one_line(name) == name
            and not {'"', "\\", "@"} & {*name}
        )

    def came(self, name: str, supports: frozenset[str] = _EVERYTHING) -> Mud | None:
        """A MUD is up; C{None} if it cannot be here."""
        key = name.lower()
        known = self._up.get(key)
        self._stale.pop(key, None)
        if known is not None and known.supports == supports:
            return known
        if not self.is_welcome(name) or (known is None and len(self._up) >= MOST):
            return None
        mud = self._up[key] = Mud(name, self._name(name), supports)
        return mud

    def went(self, name: str) -> None:
        """A MUD is down."""
        self._stale.pop(name.lower(), None)
        self._up.pop(name.lower(), None)

    def clear(self) -> None:
        """No MUD is known to be up."""
        self._up.clear()
        self._stale.clear()

    def joined(self, now: float) -> None:
        """A router was joined anew: it lists all that are up."""
        self._stale = dict.fromkeys(self._up)
        self._stale_until = now + STALE_SECONDS

    def outdated(self, now: float) -> list[Mud]:
        """The MUDs that the list of the router did not have any more; they are down from here on."""
        if not self._stale or now < self._stale_until:
            return []
        stale, self._stale = self._stale, {}
        return [self._up.pop(key) for key in stale if key in self._up]

    def read(self, listed: Mapping[int | float | str, Value]) -> tuple[list[Mud], list[Mud]]:
        """
        Read a mudlist.

        @return: the MUDs that came, or have other services than before, by their names; and those that went.
        """
        came: list[Mud] = []
        went: list[Mud] = []
        for name, record in sorted(_named(listed)):
            known = self._up.get(name.lower())
            if isinstance(record, list) and record and number_of(record[_STATE]) == _UP:
                mud = self.came(name, _supports(record))
                if mud is not None and mud is not known:
                    came.append(mud)
            elif known is not None:
                self.went(name)
                went.append(known)
        return came, went

    def _name(self, name: str) -> str:
        key = name.lower()
        kept = self._names.get(key)
        if kept is not None and not self._is_taken(kept):
            return kept
        found = short_name(name, self._suffix, lambda each: each.lower() in self._taken or self._is_taken(each))
        if len(self._names) >= 2 * MOST:
            self._forget()
        self._names[key] = found
        self._taken.add(found.lower())
        return found

    def _forget(self) -> None:
        """Forget what MUDs were called that are not up."""
        self._names = {key: name for key, name in self._names.items() if key in self._up}
        self._taken = {name.lower() for name in self._names.values()}


def _named(listed: Mapping[int | float | str, Value]) -> Iterable[tuple[str, Value]]:
    return ((name, record) for name, record in listed.items() if isinstance(name, str))


def _supports(record: list[Value]) -> frozenset[str]:
    # Of protocols 1 and 2 the records are shorter: there the services are at another place.
    services = next((each for each in record[_SERVICES - 1 :] if isinstance(each, dict)), {})
    return _ALWAYS | {flag for service, flag in _SUPPORTS.items() if services.get(service, 0) not in (0, "0")}
