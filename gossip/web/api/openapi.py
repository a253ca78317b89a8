"""The OpenAPI document of C{/api/v1}, made from the structs of its requests and responses."""

from __future__ import annotations

import functools
from typing import Any, Final

import msgspec
from msgspec import Struct

from gossip.operations.catalogue import OPERATIONS
from gossip.operations.command import about, about_arguments, explained
from gossip.operations.operation import Operation
from gossip.web.api.schemas import (
    ChannelsResponse,
    GameDetails,
    GamesResponse,
    MessagesResponse,
    OwnGamesResponse,
    SearchResponse,
    StatisticsResponse,
    TokenResponse,
)
from gossip.web.http.problem_details import CONTENT_TYPE, ProblemDetails

ROOT: Final = "/api/v1"
"""The path that all others start with."""

MOST: Final = 100
"""The maximum number of messages in a response."""

MOST_FOUND: Final = 50
"""The maximum number of messages that a search finds at a time."""

_TEMPLATE: Final = "#/components/schemas/{name}"
_TOKEN: Final[list[dict[str, list[str]]]] = [{"token": []}]
_ABOUT: Final = """\
The public data of this network of MUDs can be read without a key, from any web page. Everything else needs a token: \
create one on your account page and send it as "Authorization: Bearer TOKEN". A token with the scope read can read \
your games, one with the scope metrics can read /metrics, and one with the scope admin can do everything that an admin \
can do."""


@functools.lru_cache(4)
def openapi(network: str) -> dict[str, Any]:
    """The document (3.1)."""
    told = (
        GamesResponse,
        GameDetails,
        ChannelsResponse,
        MessagesResponse,
        SearchResponse,
        StatisticsResponse,
        ProblemDetails,
        TokenResponse,
        OwnGamesResponse,
    )
    _, schemas = msgspec.json.schema_components((*told, *OPERATIONS.values()), ref_template=_TEMPLATE)
    for schema in schemas.values():
        _describe(schema)
    for operation in OPERATIONS.values():
        for argument, text in about_arguments(operation).items():
            schemas[operation.__name__]["properties"][argument]["description"] = text
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    window = [
        _query("before", "Only the latest messages with a lower seq.", 0),
        _query("after", "Only the oldest messages with a higher seq. If both are given, before is ignored.", 0),
        _query("limit", "The maximum number of messages.", 1, MOST),
    ]
    messages = _get(
        "The messages of a channel; of a hidden one only with a token of the scope admin",
        MessagesResponse,
        name,
        *window,
    )
    messages["get"]["security"] = [{}, *_TOKEN]
    messages["get"]["responses"] |= _refusals("401", "403", "429")
    search = _get("Search what was said on public channels", SearchResponse, *_SEARCH)
    search["get"]["responses"] |= _refusals("429")
    paths = {
        "/games": _get("All games", GamesResponse),
        "/games/{name}": _get("One game, by its short name", GameDetails, name),
        "/channels": _get("All channels", ChannelsResponse),
        "/channels/{name}/messages": messages,
        "/search": search,
        "/statistics": _get("Statistics of the network", StatisticsResponse),
        "/account": _with_token(_get("The token and its account", TokenResponse)),
        "/account/games": _with_token(_get("The games of the account, with their live sessions", OwnGamesResponse)),
        **{f"/admin/{wire}": _with_token(_post(operation)) for wire, operation in sorted(OPERATIONS.items())},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": network, "version": "1", "description": _ABOUT},
        "paths": {ROOT + path: operations for path, operations in paths.items()},
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _describe(schema: dict[str, Any]) -> None:
    """Move the text about each field from the docstring to the field."""
    schema["description"], fields = explained(schema.get("description", ""))
    for name, text in fields.items():
        schema["properties"][name]["description"] = text


def _query(name: str, about: str, least: int, most: int | None = None) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": least, **({} if most is None else {"maximum": most})}
    return {"name": name, "in": "query", "description": about, "schema": schema}


def _text(name: str, about: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": about, "schema": {"type": "string"}}


_SEARCH: Final = (
    _text("q", "Words that a message must have, all of them; one with a * at its end stands for its beginning."),
    _text("name", "Only messages of players with this name."),
    _text("game", "Only messages of the game with this short name."),
    _text("channel", "Only messages on this channel."),
    _text("from", "From this day or time on, in UTC: 2026-11-20 or 2026-11-20T18:30."),
    _text("to", "Until this time, or until the end of this day."),
    _query("before", "The field next of the page before.", 0),
    _query("limit", "The maximum number of messages.", 1, MOST_FOUND),
)


def _answer(about: str, kind: type[Struct]) -> dict[str, Any]:
    schema = {"$ref": _TEMPLATE.format(name=kind.__name__)}
    content_type = CONTENT_TYPE if kind is ProblemDetails else "application/json"
    return {"description": about, "content": {content_type: {"schema": schema}}}


_REFUSALS: Final = {
    "400": "The request is invalid or was refused.",
    "401": "The token is missing, invalid or revoked.",
    "403": "The token does not have the scope that this needs.",
    "404": "Not found.",
    "429": "Too many wrong tokens from this address.",
    "503": "The database is not responding.",
}


def _refusals(*codes: str) -> dict[str, Any]:
    return {code: _answer(_REFUSALS[code], ProblemDetails) for code in codes}


def _get(summary: str, kind: type[Struct], *parameters: dict[str, Any]) -> dict[str, Any]:
    responses = {"200": _answer("Success.", kind), **_refusals("503")}
    if parameters:
        responses |= _refusals("400", "404")
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": responses}}


def _post(operation: type[Operation]) -> dict[str, Any]:
    schema = {"$ref": _TEMPLATE.format(name=operation.__name__)}
    refused = _answer(_REFUSALS["400"], ProblemDetails)
    done = {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        "post": {
            "summary": about(operation),
            **({"deprecated": True} if operation.deprecated else {}),
            "requestBody": {"content": {"application/json": {"schema": schema}}},
            "responses": {"200": done, "400": refused, **_refusals("503")},
        }
    }


def _with_token(path: dict[str, Any]) -> dict[str, Any]:
    for operation in path.values():
        operation["security"] = _TOKEN
        operation["responses"] |= _refusals("401", "403", "429")
    return path
