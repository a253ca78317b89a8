"""The commands of gossipctl that are made from operations and errands, as the OpenAPI document is."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, UNSET

from gossip.cli.parser import Parser
from gossip.operations import catalogue
from gossip.operations.command import Argument, Command, about, about_arguments

Run = Callable[[argparse.Namespace], int]
"""Carries out what was parsed, and returns the exit code."""


def add_commands(subparsers: Any, common: argparse.ArgumentParser, run: Run) -> None:
    """
    Add a parser for each command that can be typed. What it parses has the command in C{command} and, in C{view}, what
    makes its result readable for people.

    @param subparsers: those of gossipctl.
    @param common: the options that every command takes.
    """
    kinds: dict[str, list[tuple[str, type[Command]]]] = {}
    for command in catalogue.COMMANDS.values():
        if command.typed is None:
            continue
        *kind, name = command.typed.split() or command.wire.split("/")
        if not kind:
            _add(subparsers, name, command, common, run)
            continue
        if kind[0] not in kinds:
            kinds[kind[0]] = []
            text = catalogue.KINDS[kind[0]]
            parser: Parser = subparsers.add_parser(kind[0], help=text, description=_sentence(text))
            parser.fill = partial(_fill, parser, kinds[kind[0]], common, run)
        kinds[kind[0]].append((name, command))


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The arguments of a command that were typed, by the names of its fields."""
    return {name: value for name, value in vars(arguments).items() if name in arguments.command.__struct_fields__}


def _fill(
    parser: Parser, commands: Sequence[tuple[str, type[Command]]], common: argparse.ArgumentParser, run: Run
) -> None:
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command in commands:
        _add(subparsers, name, command, common, run)


def _add(subparsers: Any, name: str, command: type[Command], common: argparse.ArgumentParser, run: Run) -> None:
    text = about(command)
    summary = text.partition(". ")[0].removesuffix(".")
    parser: Parser = subparsers.add_parser(
        name,
        help=summary[:1].lower() + summary[1:],
        description=text,
        parents=[common],
        argument_default=argparse.SUPPRESS,
    )
    parser.set_defaults(run=run, parser=parser, command=command, view=command.view)
    if command.shell_view is not Command.shell_view:
        help_ = "print a command that sets the environment of a shell"
        parser.add_argument("--shell", action="store_const", dest="view", const=command.shell_view, help=help_)
    if command.question:
        parser.add_argument("--yes", action="store_true", default=False, help="do not ask whether you are sure")
    texts = about_arguments(command)
    for field in msgspec.structs.fields(command):
        _add_field(parser, field, texts.get(field.name, ""))


def _add_field(parser: argparse.ArgumentParser, field: msgspec.structs.FieldInfo, help_: str) -> None:
    required = field.default is NODEFAULT
    types, ways = _parts(field.type)
    ways = ways or [Argument()]
    group: Any = parser
    if required and len(ways) > 1:
        group = parser.add_mutually_exclusive_group(required=True)
    for way in ways:
        positional = way.positional or (required and not way.option)
        options: dict[str, Any] = {"help": (way.help or help_.removesuffix(".")) + _default(field.default)}
        options |= _flag(way, types, field.default) or _value(way, types, positional, field)
        if positional:
            group.add_argument(field.name, **options)
            continue
        name = way.option or "--" + field.name.replace("_", "-")
        group.add_argument(
            name, dest=field.name, **options, **({"required": True} if required and group is parser else {})
        )


def _flag(way: Argument, types: Sequence[type], default: object) -> dict[str, Any]:
    """How argparse reads an option that takes no value; nothing if it takes one."""
    if way.value is not UNSET:
        return {"action": "store_const", "const": way.value}
    if bool in types:
        return {"action": argparse.BooleanOptionalAction if default is UNSET else "store_true"}
    return {}


def _value(way: Argument, types: Sequence[type], positional: bool, field: msgspec.structs.FieldInfo) -> dict[str, Any]:
    """How argparse reads a value."""
    options: dict[str, Any] = {"metavar": way.metavar or field.name.upper()}
    if way.read is not None:
        options["type"] = _reader(way.read)
    elif read := next((kind for kind in (int, float) if kind in types), None):
        options["type"] = read
    if way.words and field.default is not NODEFAULT:
        options |= {"nargs": "*", "action": _Words, "default": field.default}
    elif way.words:
        options |= {"nargs": "+", "action": _Words}
    elif tuple in types:
        options |= {"nargs": "*", "default": [], "action": _Several} if positional else {"action": "append"}
    elif positional and field.default is not NODEFAULT:
        # argparse would read a suppressed default as if somebody had typed it.
        options |= {"nargs": "?", "default": field.default}
    return options


class _Words(argparse.Action):
    """Takes several words as one text."""

    def __call__(self, parser: object, namespace: argparse.Namespace, values: Any, option: object = None) -> None:
        setattr(namespace, self.dest, " ".join(values))


class _Several(argparse.Action):
    """Takes values that an option can take the place of, wherever the option stands."""

    def __call__(self, parser: object, namespace: argparse.Namespace, values: Any, option: object = None) -> None:
        if values:
            setattr(namespace, self.dest, values)


def _reader(read: Callable[[str], object]) -> Callable[[str], object]:
    def reader(text: str) -> object:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return reader


def _parts(hint: Any) -> tuple[list[type], list[Argument]]:
    """The plain types that an annotation is made of, and the ways to give a value of it."""
    if get_origin(hint) is Annotated:
        inner, *more = get_args(hint)
        types, ways = _parts(inner)
        return types, [*ways, *(each for each in more if isinstance(each, Argument))]
    if get_origin(hint) in (Union, UnionType):
        parts = [_parts(each) for each in get_args(hint)]
        return [kind for types, _ in parts for kind in types], [way for _, ways in parts for way in ways]
    return [get_origin(hint) or hint], []


def _default(default: object) -> str:
    is_number = isinstance(default, int | float) and not isinstance(default, bool)
    return f" (default: {default})" if is_number else ""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
