"""
The one way from what somebody filled in to what is to be done.

An operation takes the fields that are named like its arguments, and judges them by its types. What is blank and need
not be given is left out; where an operation tells an empty text from none, the empty text is given. A box that is not
ticked sends nothing: where that must count, a hidden field of the same name with a C{0} stands before it. Of a list, a
text has an item a word, ways to play an item a line; C{*} is for all, where a list may be null.
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
"""Stands for no list at all, where that is possible: all of them."""


def fill(kind: type[Arguments], form: Form, **fixed: Any) -> Arguments:
    """
    Make what is to be done of the fields of a form; other fields are not looked at.

    @param fixed: arguments that are not the form's to give.
    @raise Refused: they are not what they must be; the text says which, and why.
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
            # To msgspec "nan" and "inf" are numbers.
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
    """The types that a value may have, and how each was written."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return {kind: written for each in get_args(annotation) for kind, written in _kinds(each).items()}
    return {origin or annotation: annotation}
