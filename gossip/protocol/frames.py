"""
Events as JSON: reading and writing frames.

L{decode} never raises. It returns C{Unreadable}, C{Unknown} or C{Malformed} for anything invalid, and these take the
same way through the network as every other event.
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from gossip.protocol.errors import MALFORMED, Error
from gossip.protocol.events import (
    UNECHOED,
    VERSION,
    AchievementsCreate,
    AchievementsDelete,
    AchievementsSync,
    AchievementsUpdate,
    Authenticate,
    ChannelsHistory,
    ChannelsList,
    ChannelsRemove,
    ChannelsSend,
    ChannelsSubscribe,
    ChannelsUnsubscribe,
    ClientEvent,
    Event,
    GamesStatus,
    Heartbeat,
    Malformed,
    PlayersSignIn,
    PlayersSignOut,
    PlayersStatus,
    Ref,
    ReportsCreate,
    TellsSend,
    Unknown,
    Unreadable,
)
from gossip.protocol.server_events import (
    AchievementDeleted,
    AchievementRefused,
    AchievementSaved,
    AchievementsSynced,
    Authenticated,
    Beat,
    ChannelsBroadcast,
    ChannelsBroadcastNumbered,
    ChannelsChanged,
    ChannelsEmote,
    ChannelsHistoryAnswer,
    ChannelsListAnswer,
    ChannelsRemoved,
    EndOf,
    Failure,
    GamesConnect,
    GamesDisconnect,
    GamesStatusAnswer,
    ModerationNotice,
    NotAuthenticated,
    PlayersSignedIn,
    PlayersSignedOut,
    PlayersStatusAnswer,
    PresenceOf,
    ReportCreated,
    Restart,
    ServerEvent,
    StatusOf,
    Success,
    TellsReceive,
    Told,
)
from gossip.protocol.surrogates import mend
from gossip.protocol.text import timestamp

REF_BYTES: Final = 256
"""The default of how much of the sender's own JSON (a ref, the name of an unknown event) is echoed, in bytes."""

FRAME_OUT: Final = 16 * 1024
"""The default maximum size of a frame to a game, in bytes: the read limit of a client that is in use."""

# Reading.


class _Envelope(Struct, gc=False):
    event: Raw = UNECHOED
    ref: Raw = UNECHOED
    payload: Raw = UNECHOED


_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NOTHING: Final = (b"", b"null")

_envelope = msgspec.json.Decoder(_Envelope).decode
_string = msgspec.json.Decoder(str).decode
_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_items = msgspec.json.Decoder(list[Raw]).decode

_Reader = Callable[[bytes | Raw], Sequence[Any]]


def _payload_struct(event: type[Event]) -> type[Struct]:
    """The payload has all fields of the event but the ref. A null counts as absent only where a field is optional."""
    fields: list[Any] = []
    hints = typing.get_type_hints(event)
    for field in msgspec.structs.fields(event):
        if field.name != "ref":
            optional = field.default is not msgspec.NODEFAULT
            fields.append((field.name, hints[field.name], *([field.default] if optional else [])))
    names = {field.name: field.encode_name for field in msgspec.structs.fields(event)}
    return msgspec.defstruct(event.__name__ + "Payload", fields, rename=names, gc=False)


def _strict(event: type[Event]) -> _Reader:
    """A reader of payloads that requires every field to have its type."""
    decode = msgspec.json.Decoder(_payload_struct(event)).decode
    return lambda payload: msgspec.structs.astuple(decode(payload))


def _lenient(event: type[Event]) -> _Reader:
    """A reader of payloads for which a field of a wrong type is absent. It drops list entries that are no strings."""
    struct = _payload_struct(event)
    decode = msgspec.json.Decoder(struct).decode
    decoders = {field.name: msgspec.json.Decoder(field.type).decode for field in msgspec.structs.fields(struct)}
    hints = typing.get_type_hints(event)
    lists = [
        name for name in decoders if any(typing.get_origin(kind) is tuple for kind in typing.get_args(hints[name]))
    ]

    def one(name: str, raw: Raw) -> Any:
        try:
            return decoders[name](raw)
        except _UNREADABLE:
            pass
        if name not in lists:
            return None
        try:
            texts = [_text(item) for item in _items(raw)]
        except _UNREADABLE:
            return None
        # In supports, an entry that is no string stays: it leads to the error "includes unknown supports".
        if name == "supports":
            return tuple(texts)
        # No list of strings: the game does not know what extensions are, and gets the answer of an old client.
        if name == "extensions" and None in texts:
            return None
        return tuple(text for text in texts if text is not None)

    def read(payload: bytes | Raw) -> Sequence[Any]:
        try:
            return msgspec.structs.astuple(decode(payload))
        except _UNREADABLE:
            pass
        try:
            found = _fields(payload)
        except _UNREADABLE:
            found = {}
        return [one(name, found[name]) if name in found else None for name in decoders]

    return read


def _attributes(payload: bytes | Raw) -> Sequence[Any]:
    """A reader of payloads whose fields the network judges one by one."""
    return (_fields(payload),)


def _text(raw: Raw) -> str | None:
    try:
        return _string(raw)
    except _UNREADABLE:
        return None


class _Kind(Struct, frozen=True):
    """How to read an event: its class, the reader of its payload, whether it needs a ref, and the error if invalid."""

    event: type[Event]
    read: _Reader
    ref_required: bool = False
    error: Error = MALFORMED


_KINDS: Final = {
    kind.event.wire: kind
    for kind in (
        _Kind(Authenticate, _lenient(Authenticate)),
        _Kind(Heartbeat, _lenient(Heartbeat)),
        _Kind(ChannelsSubscribe, _strict(ChannelsSubscribe)),
        _Kind(ChannelsUnsubscribe, _strict(ChannelsUnsubscribe)),
        _Kind(ChannelsSend, _strict(ChannelsSend)),
        _Kind(ChannelsList, _strict(ChannelsList), ref_required=True),
        _Kind(ChannelsHistory, _strict(ChannelsHistory), ref_required=True),
        _Kind(ChannelsRemove, _strict(ChannelsRemove)),
        _Kind(PlayersSignIn, _strict(PlayersSignIn)),
        _Kind(PlayersSignOut, _strict(PlayersSignOut)),
        _Kind(PlayersStatus, _strict(PlayersStatus), ref_required=True),
        _Kind(GamesStatus, _strict(GamesStatus), ref_required=True),
        _Kind(TellsSend, _strict(TellsSend), ref_required=True, error=Error.of("invalid-payload")),
        _Kind(ReportsCreate, _strict(ReportsCreate)),
        _Kind(AchievementsSync, _strict(AchievementsSync), ref_required=True),
        _Kind(AchievementsCreate, _attributes, ref_required=True),
        _Kind(AchievementsUpdate, _attributes, ref_required=True),
        _Kind(AchievementsDelete, _attributes, ref_required=True),
    )
}


def decode(frame: bytes, ref_bytes: int = REF_BYTES) -> ClientEvent:
    """
    Read one frame from a game. Never raises.

    @param frame: the bytes of one text frame, or of one line of the telnet bridge's JSON dialect.
    @param ref_bytes: the maximum length of a ref that is echoed, in bytes; 0 for no limit.
    """
    try:
        # msgspec checks UTF-8 only in what it decodes. A ref is echoed undecoded, so it has to be checked here.
        frame.decode()
    except UnicodeDecodeError:
        return Unreadable()
    try:
        envelope = _envelope(frame)
        restore = None
    except _UNREADABLE:
        # A lone surrogate is valid JSON (RFC 8259, section 8.2), but msgspec does not read it.
        try:
            mended, restore = mend(frame)
            envelope = _envelope(mended)
        except _UNREADABLE:
            return Unreadable()
    name = _text(envelope.event)
    kind = None if name is None else _KINDS.get(name)
    ref = _echo(envelope.ref, ref_bytes, restore)
    if kind is None:
        return Unknown(_echo(envelope.event, ref_bytes, restore) or None, ref)
    event = kind.event
    if ref is UNECHOED and event is not Heartbeat and event is not Authenticate:
        return Malformed(event.wire, ref)
    if ref is None and kind.ref_required:
        return Malformed(event.wire, None)
    payload: bytes | Raw = envelope.payload
    if bytes(payload) in _NOTHING:
        payload = b"{}"
    try:
        return event(ref, *kind.read(payload))
    except _UNREADABLE:
        return Malformed(event.wire, ref, kind.error)


def _echo(value: Raw, most: int, restore: Callable[[bytes], bytes] | None) -> Raw | None:
    """What is echoed of the sender's own JSON: C{None} if there is none, L{UNECHOED} if it is too long."""
    raw = bytes(value)
    if raw in _NOTHING:
        return None
    if restore is not None:
        raw = restore(raw)
    return UNECHOED if most and len(raw) > most else Raw(raw)


# Writing.


class _Frame(Struct, omit_defaults=True):
    event: str | Raw | UnsetType = UNSET
    ref: Raw | UnsetType = UNSET
    status: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
    payload: Any = UNSET


_write = msgspec.json.Encoder().encode

_WELCOME: Final = {"unicode": "✔️", "version": VERSION}
_AUTHENTICATED: Final = _write(_Frame("authenticate", status="success", payload=_WELCOME))
_BEAT: Final = _write(_Frame("heartbeat"))

_ENVELOPE: Final = 1024
"""How many bytes of a frame are reserved for everything around the payload."""


def encode(event: ServerEvent, frame_out: int = FRAME_OUT) -> list[bytes]:
    """
    Write an event as one frame, or as several if it answers a status, history or sync query.

    @param frame_out: the maximum size of a frame, in bytes; 0 for no limit.
    @return: JSON in UTF-8.
    """
    room = frame_out - _ENVELOPE if frame_out else sys.maxsize
    match event:
        case ChannelsBroadcast(ref, channel, game, name, message):
            payload: Any = {"channel": channel, "game": game, "name": name, "message": message}
            if isinstance(event, ChannelsBroadcastNumbered):
                payload |= {"id": event.id, "seq": event.seq, "sent_at": event.sent_at}
            if isinstance(event, ChannelsEmote):
                payload["emote"] = event.emote
            return [_write(_Frame("channels/broadcast", ref, payload=payload))]
        case Beat():
            return [_BEAT]
        case Success(wire, ref):
            return [_write(_Frame(wire, _shown(ref), "success"))]
        case Failure(wire, ref, wrong):
            return [_write(_Frame(UNSET if wire is None else wire, _shown(ref), "failure", wrong.text))]
        case Authenticated(_, _, None):
            return [_AUTHENTICATED]
        case Authenticated(_, _, extensions):
            return [_write(_Frame(Authenticate.wire, status="success", payload={**_WELCOME, "extensions": extensions}))]
        case NotAuthenticated(_, wrong):
            return [_write(_Frame(Authenticate.wire, status="failure", error=wrong.text))]
        case ChannelsHistoryAnswer(ref, channel, messages, more):
            head = {"channel": channel, "total": len(messages), "more": more}
            return [
                _write(_Frame("channels/history", _shown(ref), "success", payload={**head, "messages": page}))
                for page in _pages(map(_write, messages), len(messages), room)
            ]
        case PlayersStatusAnswer(ref, players_of):
            written = [_fitting(one, "players", room) for one in players_of]
            return [*_around(_Frame("players/status", _shown(ref)), written), *_end("players/status", event)]
        case GamesStatusAnswer(ref, games):
            seen_now = timestamp(event.asked_at, "seconds").encode()
            written = [
                _fitting(one, "channels", room)
                if isinstance(one, StatusOf)
                else _with_presence(one, _fitting(one.status, "channels", room), event.asked_at, seen_now)
                for one in games
            ]
            return [*_around(_Frame("games/status", _shown(ref), "success"), written), *_end("games/status", event)]
        case TellsReceive(ref, from_game, from_name, to_name, sent_at, message):
            payload = {
                "from_game": from_game,
                "from_name": from_name,
                "to_name": to_name,
                "sent_at": sent_at,
                "message": message,
            }
            return [_write(_Frame("tells/receive", ref, payload=payload))]
        case ModerationNotice(ref):
            payload = {name: getattr(event, name) for name in ("kind", "name", "channel", "reason", "until")}
            return [_write(_Frame("moderation/notice", ref, payload=payload))]
        case ChannelsRemoved(removed):
            names = ("channel", "id", "seq", "game", "name", "reason")
            payloads = [(each.ref, {name: getattr(each, name) for name in names}) for each in removed]
            return [_write(_Frame("channels/removed", ref, payload=payload)) for ref, payload in payloads]
        case PlayersSignedIn(ref, game, name):
            return [_write(_Frame("players/sign-in", ref, payload={"game": game, "name": name}))]
        case PlayersSignedOut(ref, game, name):
            return [_write(_Frame("players/sign-out", ref, payload={"game": game, "name": name}))]
        case GamesConnect(ref, game):
            return [_write(_Frame("games/connect", ref, payload={"game": game}))]
        case GamesDisconnect(ref, game):
            return [_write(_Frame("games/disconnect", ref, payload={"game": game}))]
        case ReportCreated(ref, report):
            return [_write(_Frame("reports/create", _shown(ref), "success", payload={"report": report}))]
        case AchievementsSynced(ref, achievements):
            return [
                _write(
                    _Frame(
                        "achievements/sync",
                        _shown(ref),
                        "success",
                        payload={"total": len(achievements), "achievements": page},
                    )
                )
                for page in _pages(map(_write, achievements), 10, room)
            ]
        case AchievementSaved(wire, ref, achievement):
            return [_write(_Frame(wire, _shown(ref), "success", payload=achievement))]
        case AchievementDeleted(ref, key):
            return [_write(_Frame("achievements/delete", _shown(ref), "success", payload={"key": key}))]
        case AchievementRefused(wire, ref, errors):
            return [_write(_Frame(wire, _shown(ref), "failure", payload={"errors": errors}))]
        case Restart(ref, downtime):
            return [_write(_Frame("restart", ref, payload={"downtime": downtime}))]
        case ChannelsListAnswer(ref, total, listed):
            start = _write(_Frame("channels/list", _shown(ref), "success", payload={"total": total}))[:-2]
            if room not in listed.written:
                channels = [_cut(one, "description", room) for one in listed.channels]
                listed.written[room] = [b",".join(page) for page in _pages(channels, len(channels), room)]
            return [b'%b,"channels":[%b]}}' % (start, page) for page in listed.written[room]]
        case ChannelsChanged(ref, change, channel_of):
            payload = {"channel": channel_of.channel, "change": change, **msgspec.structs.asdict(channel_of)}
            return [_write(_Frame("channels/changed", ref, payload=payload))]


def _shown(ref: Ref) -> Raw | UnsetType:
    # Only the JSON of a game is echoed as JSON; the token of another transport is not (a watched session has one).
    return ref if isinstance(ref, Raw) and ref is not UNECHOED else UNSET


def _around(frame: _Frame, payloads: Sequence[bytes]) -> list[bytes]:
    """Write a frame around each of some payloads. Everything around them is written once."""
    head = _write(frame)[:-1] + b',"payload":'
    return [b"%b%b}" % (head, payload) for payload in payloads]


def _end(wire: str, answer: PlayersStatusAnswer | GamesStatusAnswer) -> list[bytes]:
    """The frame after the last part of an answer about all games, for sessions that know of it."""
    if answer.more or not answer.end_marked:
        return []
    total = EndOf(answer.before + len(answer.games))
    return [_write(_Frame(wire, _shown(answer.ref), "success", payload=total))]


def _with_presence(told: PresenceOf, written: bytes, now: float, seen_now: bytes) -> bytes:
    """
    Add to a status when the game was here. That changes each second, so the rest is not written again for it.

    @param written: the status.
    @param now: when it was asked for, in seconds since the epoch.
    @param seen_now: the same time, as it is written.
    """
    since, last = told.since, told.last_seen_at
    if since is None:
        seen = b"null" if last is None else b'"%b"' % timestamp(last, "seconds").encode()
        return b'%b,"online":false,"uptime_seconds":null,"last_seen_at":%b}' % (written[:-1], seen)
    seen = seen_now if last is None else timestamp(last, "seconds").encode()
    uptime = now - since if now > since else 0
    return b'%b,"online":true,"uptime_seconds":%d,"last_seen_at":"%b"}' % (written[:-1], uptime, seen)


def _fitting(payload: Told, name: str, room: int) -> bytes:
    """
    Write a payload, with the list or the text called C{name} cut to what fits into a frame. It remembers how it was
    written.
    """
    written = payload.written.get(room)
    if written is None:
        written = payload.written[room] = _cut(payload, name, room)
    return written


def _cut(payload: Struct, name: str, room: int) -> bytes:
    written = _write(payload)
    if len(written) > room:
        texts: tuple[str, ...] | str = getattr(payload, name)
        room -= len(_write(msgspec.structs.replace(payload, **{name: ()})))
        fit = 0
        for text in texts:
            room -= len(_write(text)) + 1
            if room < 0:
                break
            fit += 1
        written = _write(msgspec.structs.replace(payload, **{name: texts[:fit]}))
    return written


def _pages(things: Iterable[bytes], most: int, room: int) -> list[list[Raw]]:
    """Pages of at most C{most} things, and of no more than fit into a frame; one empty page if there are none."""
    pages: list[list[Raw]] = [[]]
    filled = 0
    for thing in things:
        size = len(thing) + 1
        if pages[-1] and (len(pages[-1]) == most or filled + size > room):
            pages.append([])
            filled = 0
        pages[-1].append(Raw(thing))
        filled += size
    return pages
