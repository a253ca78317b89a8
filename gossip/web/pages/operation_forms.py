"""
From the fields of a form to an operation.

Each argument takes the field of the same name, which is checked by the argument's type. A blank field is left out if
the argument is optional, unless the operation distinguishes an empty text from none. A checkbox that is not ticked
sends nothing: if that must count, a hidden field of the same name with a C{0} comes before it. In a list of texts each
word is an item, in a list of ways to play each line; C{*} stands for null, if the list can be null.
"""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Struct, UnsetType

from gossip.operations.operation import filled_in
from gossip.registry.errors import Refused
from gossip.web.http.forms import Form
from gossip.web.views import play_links

Arguments = TypeVar("Arguments", bound=Struct)

ALL: Final = "*"
"""Stands for null instead of a list: all of them."""


def fill(kind: type[Arguments], form: Form, **fixed: Any) -> Arguments:
    """
    Make an operation from the fields of a form. Other fields are ignored.

    @param fixed: arguments that do not come from the form.
    @raise Refused: a field is missing or invalid.
    """
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        given = [text.replace("\r\n", "\n").strip() for text in form.all(field.name)]
        kinds = _kinds(field.type)
        if not given:
            continue
        if tuple in kinds:
            values[field.name] = None if ALL in given and type(None) in kinds else _items(kinds[tuple], given)
        elif (int in kinds or float in kinds) and given[-1][-1:].isalpha():
            # msgspec accepts "nan" and "inf" as numbers.
            raise Refused("invalid", field.name, f"{field.name}: expected a number")
        elif given[-1] or field.required or (UnsetType in kinds and str in kinds):
            values[field.name] = given[-1]
    return filled_in(values | fixed, kind)


def _items(of: Any, given: list[str]) -> list[Any]:
    """The items of a list."""
    if get_args(of)[0] is str:
        return [word for text in given for word in text.split()]
    return [
        msgspec.to_builtins(play_links.read(line.strip()))
        for text in given
        for line in text.split("\n")
        if line.strip()
    ]


def _kinds(annotation: Any) -> dict[Any, Any]:
    """The types that a value can have, each with its full annotation."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return {kind: written for each in get_args(annotation) for kind, written in _kinds(each).items()}
    return {origin or annotation: annotation}
