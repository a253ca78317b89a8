"""
What the operations of an admin have in common: arguments in, a change and a result out.

The running daemon carries operations out for its admin API and its pages, and gossipctl does when no daemon runs. An
operation changes nothing itself: it returns the change to keep, and the result to tell the admin once it is kept. A
change is kept together with a note of the admin that made it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeVar
from urllib.parse import unquote

import msgspec
from msgspec import Struct, UnsetType

from gossip.operations.command import Command, Result
from gossip.protocol.text import clean
from gossip.registry.changes import Audited, Change, MessageSaid
from gossip.registry.entities import AuditEntry, Channel, Game, Report
from gossip.registry.errors import Refused
from gossip.registry.names import NETWORK_GAME, is_network
from gossip.registry.registry import Registry
from gossip.registry.remotes import remote_id
from gossip.registry.search import Search
from gossip.registry.sought import Entries

if TYPE_CHECKING:
    # gossipctl starts faster without a database.
    from gossip.store.searching import Found

Done = tuple[Change | None, Result]
"""The change to keep, C{None} if there is none; and what the admin is told once it is kept."""

Arguments = TypeVar("Arguments", bound=Struct)
Value = TypeVar("Value")

_BOUND: Final = re.compile(r"expected (?:int|float) ([<>]=?) (-?[0-9]+)(?:\.0)?")
_BOUNDS: Final = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}

_SUBJECT: Final = 200
"""How many characters of the first argument are noted as the subject of an operation."""


class Memory(Protocol):
    """What operations read of the store; its methods block."""

    def history(
        self, channel: str, limit: int, before: int | None = None, after: int | None = None
    ) -> Sequence[MessageSaid]: ...
    def said_since(self, since: float, limit: int, channel: str | None = None) -> Sequence[MessageSaid]: ...
    def said_by(
        self, game: str, since: float, limit: int, channel: str | None, named: Callable[[str], bool]
    ) -> Sequence[MessageSaid]: ...
    def search(
        self,
        wanted: Search,
        limit: int,
        before: int | None = None,
        around: bool = False,
        allowed: Callable[[MessageSaid], bool] = lambda said: True,
    ) -> Found: ...
    def reports(self, limit: int, resolved: bool = False) -> Sequence[Report]: ...
    def audit(self, limit: int, sought: Entries = ...) -> Sequence[AuditEntry]: ...


class Occasion(Struct, frozen=True):
    """
    The circumstances of an operation.

    @ivar now: the time, in seconds since the epoch.
    @ivar new_uuid: makes version 4 UUIDs, for identities and secrets.
    @ivar actor: the admin: C{unix:NAME} for a user of the machine, otherwise the name of an account.
    @ivar found: what L{Operation.look} returned, if the operation looks into the store.
    @ivar in_clear: the uses of secrets that the operator has kept in clear, too.
    """

    now: float
    new_uuid: Callable[[], str]
    actor: str
    found: Any = None
    in_clear: frozenset[str] = frozenset()


def is_terminal(actor: str) -> bool:
    """Whether an admin is a user of the machine, and not an account of the web pages."""
    return actor.startswith("unix:")  # no name of an account has a colon


class Operation(Command, frozen=True):
    """
    A command that comes to a change of what is known, or tells what is known.

    @cvar looks: it reads the store before it is performed.
    @cvar finds_latest: it must find what was said just now, so it waits until that is on disk.
    """

    looks: ClassVar[bool] = False
    finds_latest: ClassVar[bool] = False

    def look(self, memory: Memory, now: float) -> Any:
        """Read the store. This blocks: it is called in a thread, and only if the operation C{looks}."""

    def parts(self, found: Any) -> Sequence[Any]:
        """
        Divide what L{look} returned. The operation is performed for each part, one after another: what has to wait for
        a large change does not wait long.

        @return: at least one part; by default all is one.
        """
        return (found,)

    def joined(self, found: Any, results: Sequence[Result]) -> Result:
        """The result of the operation, from what L{look} returned and the results of its parts."""
        return results[0]

    def noted(self, change: Change) -> Result:
        """What is noted with the arguments, from the change that was worked out."""
        return {}

    def perform(self, registry: Registry, on: Occasion) -> Done:
        """
        Work out the change and the result. This changes nothing itself.

        @raise Refused: it cannot be done; the text says why.
        """
        raise NotImplementedError


def carry_out(operation: Operation, registry: Registry, on: Occasion) -> Done:
    """
    Perform an operation, and add the note of it to its change.

    @raise Refused: it cannot be done; the text says why.
    """
    change, result = operation.perform(registry, on)
    if change is None:
        return None, result
    return Audited(note(operation.wire, operation, on, operation.noted(change)), change), result


def note(wire: str, arguments: Struct, on: Occasion, more: Result | None = None) -> AuditEntry:
    """
    Make the note of what an admin does.

    @param arguments: a command; arguments that were not given and those that are C{hushed} are not noted.
    @param more: what else is noted.
    """
    shown: Result = msgspec.to_builtins(arguments)
    for field in msgspec.structs.fields(arguments):
        not_given = field.default is None and shown.get(field.name) is None
        if not_given or field.name in getattr(arguments, "hushed", ()):
            shown.pop(field.name, None)
    subject = str(shown.get(arguments.__struct_fields__[0], "")) if arguments.__struct_fields__ else ""
    written = msgspec.json.encode(shown | (more or {})).decode()
    return AuditEntry(on.new_uuid(), on.now, on.actor, wire, clean(subject)[:_SUBJECT], written)


def read(arguments: bytes, struct: type[Arguments]) -> Arguments:
    """
    Read arguments from an object of JSON. No text at all counts as an empty object.

    @raise Refused: an argument is missing, unknown or of the wrong type; the text says which, and why.
    """
    try:
        return msgspec.json.decode(arguments or b"{}", type=struct)
    except msgspec.ValidationError as error:
        raise _refused(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("invalid", None, "the arguments must be an object of JSON") from None


def filled_in(arguments: Mapping[str, Any], struct: type[Arguments]) -> Arguments:
    """
    Make arguments from the fields of a form: texts, which become numbers and the like where the struct wants them.

    @raise Refused: an argument is missing, unknown or of the wrong type; the text says which, and why.
    """
    try:
        return msgspec.convert(arguments, struct, strict=False)
    except msgspec.ValidationError as error:
        raise _refused(error) from None


def _refused(error: msgspec.ValidationError) -> Refused:
    # msgspec says: Expected `int`, got `str` - at `$.minutes`
    what, _, where = str(error).replace("`", "").partition(" - at $.")
    what = what[:1].lower() + what[1:]
    bound = _BOUND.fullmatch(what)
    if bound is not None:
        what = f"must be {_BOUNDS[bound[1]]} {bound[2]}"
    return Refused("invalid", re.split(r"[.\[]", where)[0] or None, f"{where}: {what}" if where else what)


def given_or(given: Value | UnsetType, known: Value) -> Value:
    """Return the value of an argument, or the known value if the argument was not given."""
    return known if isinstance(given, UnsetType) else given


def find_game(registry: Registry, named: str, field: str = "game") -> Game:
    """
    Find a game by its short name or its client_id.

    @raise Refused: there is none.
    """
    game = registry.game_named(named) or registry.games.get(named.lower())
    if game is None:
        raise Refused("not-found", field, "no such game")
    return game


def find_speaker(registry: Registry, named: str, field: str) -> str:
    """
    Find the client_id of a game that speaks on channels, which may be a remote game. People on the pages speak as the
    network's own game.

    @param named: a short name, a client_id, or what L{speaker_name} returns.

    @raise Refused: there is none.
    """
    if is_network(named):
        return NETWORK_GAME
    remote = registry.remotes.named(named)
    if remote is not None:
        return remote.client_id
    gateway, of, name = named.partition("/")
    through = find_game(registry, gateway, field).client_id
    # One that is away has no short name.
    return remote_id(through, unquote(name)) if of else through


def speaker_name(registry: Registry, client_id: str) -> str:
    """What admins call a game that speaks. A remote game that is away is written as C{I3/Its%20Name}."""
    game = registry.game_of(client_id)
    if game is not None:
        return game.short_name
    gateway, of, name = client_id.partition("/")
    through = registry.games.get(gateway)
    return f"{through.short_name if through else gateway}{of}{name}"


def find_channel(registry: Registry, name: str) -> Channel:
    """
    Find a channel by its name.

    @raise Refused: there is none.
    """
    channel = registry.channels.get(name)
    if channel is None:
        raise Refused("not-found", "channel", "no such channel")
    return channel


def channel_name(registry: Registry, channel: str | None) -> str:
    """
    Find the name of a channel; an empty one stands for all channels.

    @raise Refused: there is no such channel.
    """
    return "" if channel is None else find_channel(registry, channel).name
