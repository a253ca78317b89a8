"""
What an admin can have done, declared once.

A L{Command} is a struct. Its name is the path of the admin API, its fields are the arguments, its docstring is the
documentation, and its view is what a person is shown of the result. The OpenAPI document and the command line of
gossipctl are made from that.

Two kinds of commands exist: an L{operation <gossip.operations.operation.Operation>} comes to a change that is kept; an
L{errand <gossip.operations.errands.Errand>} is something that the daemon does and that leaves nothing but a note.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final

from msgspec import UNSET, Meta, Struct

Result = dict[str, Any]
"""What the admin is told: an object of JSON."""


Limit = Annotated[int, Meta(ge=1, le=1000)]
"""The maximum number of entries to list."""


class Table(Struct, frozen=True):
    """
    Rows for people.

    @ivar head: the title of each column.
    @ivar empty: what is shown in place of a table without rows.
    """

    head: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]
    empty: str


Block = str | Mapping[str, object] | Table
"""What people see: a line of text; names with their values, those that are C{None} or empty left out; or a table."""

View = Callable[[Result], Sequence[Block]]
"""Makes what people see of a result. Texts may contain anything: whoever shows them cleans them."""


class Argument(Struct, frozen=True):
    """
    How an argument is given on a command line, where the name and the type of the field do not tell.

    Without it a field that has no default is positional, and any other is an option of the same name, such as
    C{--hide-players}. A field can have several, one for each way to give it.

    @ivar metavar: what stands for the value in the help; by default the name of the field in capitals.
    @ivar option: the name of the option, by default that of the field.
    @ivar help: what this way is for; by default what the docstring says of the field.
    @ivar positional: it is positional although it has a default.
    @ivar words: the value may be several words of the command line.
    @ivar value: what the option alone stands for; one that has this takes no value.
    @ivar read: makes the value of what is typed, and raises L{ValueError} with a text for people.
    """

    metavar: str = ""
    option: str = ""
    help: str = ""
    positional: bool = False
    words: bool = False
    value: object = UNSET
    read: Callable[[str], object] | None = None


class Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    Something that an admin can have done. The first field says what it is about.

    @cvar wire: its name: the path in the admin API, without the first slash.
    @cvar typed: what is typed for it after C{gossipctl}, by default the parts of C{wire}; C{None} if gossipctl does not
        offer it.
    @cvar needs_daemon: only a running daemon can do it. Otherwise gossipctl does it to the store of a stopped one.
    @cvar takes: how long it can take besides the usual, in seconds.
    @cvar may_be_first: a store is made for it, if there is none.
    @cvar hushed: the arguments that are not noted.
    @cvar question: what a person in a terminal is asked first, with arguments in braces: it cannot be undone.
    @cvar deprecated: the command that takes the place of this one, which goes away with the next release.
    @cvar done: what a person in a terminal is told first once it is done, with parts of the result in braces.
    """

    wire: ClassVar[str]
    typed: ClassVar[str | None] = ""
    needs_daemon: ClassVar[bool] = False
    takes: ClassVar[float] = 0.0
    may_be_first: ClassVar[bool] = False
    hushed: ClassVar[tuple[str, ...]] = ()
    question: ClassVar[str] = ""
    deprecated: ClassVar[str] = ""
    done: ClassVar[str] = ""

    @staticmethod
    def view(result: Result) -> Sequence[Block]:
        """Make what people see of a result, by default its names and values."""
        return (result,)

    @staticmethod
    def shell_view(result: Result) -> Sequence[Block]:
        """Make a command for a shell of a result. gossipctl offers C{--shell} where this is overridden."""
        return ()

    @staticmethod
    def beside_shell_view(result: Result) -> Sequence[Block]:
        """Make what people see while a shell takes the command, which it does not show."""
        return ()


_FIELD: Final = re.compile(r"\s+@ivar\s+(\w+):\s+")
_MARKUP: Final = re.compile(r"[CL]\{([^}]*)\}")


def explained(docstring: str) -> tuple[str, dict[str, str]]:
    """
    Read the docstring of a struct.

    @return: what it is, and what each C{@ivar} says, without markup and line breaks.
    """
    about, *fields = _FIELD.split(docstring)
    return _plain(about), {name: _plain(text) for name, text in zip(fields[::2], fields[1::2], strict=True)}


def about(command: type[Command]) -> str:
    """What a command does."""
    return explained(inspect.getdoc(command) or "")[0]


def about_arguments(command: type[Command]) -> dict[str, str]:
    """What each argument of a command is, where its docstring or that of a class it is made from says it."""
    known: dict[str, str] = {}
    for kind in reversed(command.__mro__):
        if issubclass(kind, Command):
            known |= explained(kind.__doc__ or "")[1]
    return {name: known[name] for name in command.__struct_fields__ if name in known}


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\1", " ".join(text.split()))
