"""The AsyncAPI document of the protocol, made from the structs of its events."""

from __future__ import annotations

import functools
import typing
from typing import Any, Final

import msgspec
from msgspec import Raw

from gossip.protocol import server_events
from gossip.protocol.events import VERSION, Event, Unknown
from gossip.protocol.frames import decode

_REF_REQUIRED: Final = (
    "channels/list",
    "players/status",
    "games/status",
    "tells/send",
    "achievements/sync",
    "achievements/create",
    "achievements/update",
    "achievements/delete",
    "channels/history",
)

_FROM_NETWORK: Final[dict[str, type[msgspec.Struct]]] = {
    "heartbeat": server_events.Beat,
    "restart": server_events.Restart,
    "channels/broadcast": server_events.ChannelsEmote,
    "channels/changed": server_events.ChannelsChanged,
    "channels/removed": server_events.RemovedOf,
    "players/sign-in": server_events.PlayersSignedIn,
    "players/sign-out": server_events.PlayersSignedOut,
    "games/connect": server_events.GamesConnect,
    "games/disconnect": server_events.GamesDisconnect,
    "tells/receive": server_events.TellsReceive,
    "moderation/notice": server_events.ModerationNotice,
}

_NOT_FOR_ALL: Final = ("id", "seq", "sent_at", "emote")
"""The fields of a broadcast that only games with the flag history or with extensions get."""

_ANSWERS: Final[dict[str, type[msgspec.Struct]]] = {
    "channels/list": server_events.ChannelsListAnswer,
    "channels/history": server_events.ChannelsHistoryAnswer,
    "players/status": server_events.PlayersOf,
    "games/status": server_events.StatusOf,
    "reports/create": server_events.ReportCreated,
    "achievements/create": server_events.AchievementOf,
    "achievements/update": server_events.AchievementOf,
}
"""Answers that have their own payload."""

_PRESENCE: Final = (("online", bool), ("uptime_seconds", int | None), ("last_seen_at", str | None))
"""What stands beside a status for games with the extension directory."""

_FLAT: Final = (server_events.ChannelOf, server_events.ChannelsTold)
"""Structs whose fields stand beside the others."""

_OURS: Final = ((server_events.ChannelsListAnswer, "more"),)
"""Fields that do not go on the wire."""

_REF: Final = {"description": "Any JSON value but null, up to 256 bytes; a UUID is the custom."}
_TEMPLATE: Final = "#/components/schemas/{name}"


@functools.lru_cache(8)
def asyncapi(network: str, site: str | None) -> bytes:
    """
    Write the document (AsyncAPI 3.0).

    @param network: the name of the network.
    @param site: the address of this site; C{None} if it is not known.
    """
    schemas: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for event in _client_events():
        payload = _payload(event, schemas)
        name = _add(messages, "send", event.wire, event, _frame(event.wire, payload, event.wire in _REF_REQUIRED))
        _operate(operations, "receive", name)
    for wire, struct in _FROM_NETWORK.items():
        schema = _frame(wire, _payload(struct, schemas), wire != "heartbeat")
        _operate(operations, "send", _add(messages, "from-network", wire, struct, schema))
    for wire, struct in _ANSWERS.items():
        # When a game resumes, the messages that it missed come without a ref.
        schema = _frame(wire, _payload(struct, schemas), wire != "channels/history", "success")
        _operate(operations, "send", _add(messages, "answer", wire, struct, schema))
    for wire in ("players/status", "games/status"):
        schema = _frame(wire, _payload(server_events.EndOf, schemas), True, "success")
        _operate(operations, "send", _add(messages, "end", wire, server_events.EndOf, schema))
    for kind, struct in (("success", server_events.Success), ("failure", server_events.Failure)):
        _operate(operations, "send", _add(messages, "any", kind, struct, _plain(kind)))
    document: dict[str, Any] = {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"{network}: the Gossip protocol",
            "version": VERSION,
            "description": "How games speak with the network: JSON objects as text frames of a websocket.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "socket": {
                "address": "/socket",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    }
    if site is not None:
        scheme, _, host = site.partition("://")
        document["servers"] = {"this": {"host": host, "protocol": "wss" if scheme == "https" else "ws"}}
    return msgspec.json.encode(document) + b"\n"


def _client_events() -> list[type[Event]]:
    """The events that games send over the websocket."""
    everything = Event.__subclasses__()
    return [each for each in everything if not isinstance(decode(b'{"event":"%b"}' % each.wire.encode()), Unknown)]


def _payload(struct: type[msgspec.Struct], schemas: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of a payload: all fields except the ref; C{None} if there are none."""
    if "attributes" in struct.__struct_fields__:
        struct = server_events.AchievementOf
        partial = True
    else:
        partial = False
    hints = typing.get_type_hints(struct)
    fields: list[Any] = []
    for field in msgspec.structs.fields(struct):
        if field.name in ("ref", "number") or hints[field.name] is Raw or (struct, field.name) in _OURS:
            continue
        if hints[field.name] in _FLAT:
            fields += [(each.name, each.type) for each in msgspec.structs.fields(hints[field.name])]
            continue
        flagged = struct is server_events.ChannelsEmote and field.name in _NOT_FOR_ALL
        optional = partial or flagged or not field.required
        fields.append((field.encode_name, hints[field.name], *([None] if optional else [])))
    if struct is server_events.StatusOf:
        fields += [(name, hint, None) for name, hint in _PRESENCE]
    if not fields:
        return None
    shape = msgspec.defstruct(struct.__name__, fields, kw_only=True)
    (schema,), components = msgspec.json.schema_components([shape], ref_template=_TEMPLATE)
    schemas.update({name: component for name, component in components.items() if name != struct.__name__})
    own: dict[str, Any] = components[struct.__name__] if "$ref" in schema else schema
    for each in own.get("properties", {}).values():
        each.pop("default", None)
        # The discriminator is an object in OpenAPI, but not in AsyncAPI. The types differ without it.
        each.get("items", {}).pop("discriminator", None)
    return {key: value for key, value in own.items() if key != "title"}


def _frame(wire: str, payload: dict[str, Any] | None, with_ref: bool, status: str | None = None) -> dict[str, Any]:
    properties: dict[str, Any] = {"event": {"const": wire}, "ref": _REF}
    required = ["event"]
    if with_ref:
        required.append("ref")
    if status is not None:
        properties["status"] = {"const": status}
    if payload is not None:
        properties["payload"] = payload
        if payload.get("required"):
            required.append("payload")
    return {"type": "object", "required": required, "properties": properties}


def _plain(kind: str) -> dict[str, Any]:
    properties: dict[str, Any] = {"event": {"type": "string"}, "ref": _REF, "status": {"const": kind}}
    required = ["status"]
    if kind == "failure":
        properties["error"] = {"type": "string"}
    return {"type": "object", "required": required, "properties": properties}


def _add(messages: dict[str, Any], way: str, wire: str, struct: type[msgspec.Struct], schema: dict[str, Any]) -> str:
    name = f"{way}-{wire.replace('/', '-')}"
    about = " ".join((struct.__doc__ or "").strip().partition("\n")[0].split())
    messages[name] = {"name": wire, "title": wire, "summary": about, "payload": schema}
    return name


def _operate(operations: dict[str, Any], action: str, name: str) -> None:
    operations[name] = {
        "action": action,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{name}"}],
    }
