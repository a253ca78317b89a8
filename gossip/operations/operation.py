"""
What the operations of an admin have in common: arguments in, a change and a result out.

The running daemon carries operations out for its admin API and its pages, and gossipctl does when no daemon runs: all
by this code. An operation changes nothing itself; it returns the change that is to be kept, and what the admin is told
when it is. What changes something is kept together with the note of who did it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, Protocol, TypeVar

import msgspec
from msgspec import Struct, UnsetType

from gossip.protocol.text import clean
from gossip.registry.changes import Audited, AuditEntry, Change, Channel, Game, MessageSaid, Report
from gossip.registry.errors import Refused
from gossip.registry.names import NETWORK_GAME, is_network
from gossip.registry.registry import Registry

Result = dict[str, Any]
"""What the admin is told: an object of JSON."""

Done = tuple[Change | None, Result]
"""What is to be kept, C{None} if nothing; and what the admin is told when it is."""

Arguments = TypeVar("Arguments", bound=Struct)
Value = TypeVar("Value")

_SUBJECT: Final = 200
"""How many characters of what an operation is about are noted; the arguments have all of it."""


class Memory(Protocol):
    """The store, as far as operations read it; its methods block."""

    def history(
        self, channel: str, limit: int, before: int | None = None, after: int | None = None
    ) -> Sequence[MessageSaid]: ...
    def said_since(self, since: float, limit: int, channel: str | None = None) -> Sequence[MessageSaid]: ...
    def reports(self, limit: int, resolved: bool = False) -> Sequence[Report]: ...
    def audit(self, limit: int, before: float | None = None) -> Sequence[AuditEntry]: ...


class Occasion(Struct, frozen=True):
    """
    When and by whom something is done.

    @ivar now: seconds since the epoch.
    @ivar new_uuid: makes version 4 UUIDs, for identities and secrets.
    @ivar actor: who does it: C{unix:NAME} for a user of the machine, the name of an account otherwise.
    @ivar found: what the operation found in the store, if it looks there.
    """

    now: float
    new_uuid: Callable[[], str]
    actor: str
    found: Any = None


class Operation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    Something that an admin can do; its fields are the arguments, the first one says what it is about.

    @cvar wire: its name: the path in the admin API, without the first slash.
    @cvar looks: whether it must look into the store first.
    @cvar hushed: the arguments that are not noted.
    """

    wire: ClassVar[str]
    looks: ClassVar[bool] = False
    hushed: ClassVar[tuple[str, ...]] = ()

    def look(self, memory: Memory, now: float) -> Any:
        """What is in the store? To be called in a thread, and only if it C{looks}."""

    def perform(self, registry: Registry, on: Occasion) -> Done:
        """
        What does it come to? Nothing is changed.

        @raise Refused: it cannot be done; the text says why.
        """
        raise NotImplementedError


def carry_out(operation: Operation, registry: Registry, on: Occasion) -> Done:
    """
    What does an operation come to, with the note of it?

    @raise Refused: it cannot be done; the text says why.
    """
    change, result = operation.perform(registry, on)
    return (None if change is None else Audited(note(operation.wire, operation, on), change)), result


def note(wire: str, arguments: Struct, on: Occasion) -> AuditEntry:
    """The note of what an admin does."""
    shown: Result = msgspec.to_builtins(arguments)
    for field in msgspec.structs.fields(arguments):
        not_given = field.default is None and shown.get(field.name) is None
        if not_given or field.name in getattr(arguments, "hushed", ()):
            shown.pop(field.name, None)
    subject = str(shown.get(arguments.__struct_fields__[0], "")) if arguments.__struct_fields__ else ""
    written = msgspec.json.encode(shown).decode()
    return AuditEntry(on.new_uuid(), on.now, on.actor, wire, clean(subject)[:_SUBJECT], written)


def read(arguments: bytes, struct: type[Arguments]) -> Arguments:
    """
    Read arguments, which are an object of JSON; nothing at all is an empty one.

    @raise Refused: they are not what they must be; the text says which, and why.
    """
    try:
        return msgspec.json.decode(arguments or b"{}", type=struct)
    except msgspec.ValidationError as error:
        raise _refused(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("the arguments must be an object of JSON") from None


def filled_in(arguments: Mapping[str, Any], struct: type[Arguments]) -> Arguments:
    """
    Take arguments that somebody filled in, by their names: a text for whatever is none by itself.

    @raise Refused: they are not what they must be; the text says which, and why.
    """
    try:
        return msgspec.convert(arguments, struct, strict=False)
    except msgspec.ValidationError as error:
        raise _refused(error) from None


def _refused(error: msgspec.ValidationError) -> Refused:
    # msgspec says: Expected `int`, got `str` - at `$.minutes`
    what, _, where = str(error).replace("`", "").partition(" - at $.")
    what = what[:1].lower() + what[1:]
    return Refused(f"{where}: {what}" if where else what)


def given_or(given: Value | UnsetType, known: Value) -> Value:
    """The value of an argument; the known one if it was not given."""
    return known if isinstance(given, UnsetType) else given


def find_game(registry: Registry, named: str) -> Game:
    """
    A game by its short name or its client_id.

    @raise Refused: there is none.
    """
    game = registry.game_named(named) or registry.games.get(named.lower())
    if game is None:
        raise Refused("no such game")
    return game


def find_speaker(registry: Registry, named: str) -> str:
    """
    The client_id of a game that speaks on channels: people on the pages do it as the network's own game.

    @raise Refused: there is none.
    """
    return NETWORK_GAME if is_network(named) else find_game(registry, named).client_id


def find_channel(registry: Registry, name: str) -> Channel:
    """
    A channel by its name.

    @raise Refused: there is none.
    """
    channel = registry.channels.get(name)
    if channel is None:
        raise Refused("no such channel")
    return channel
