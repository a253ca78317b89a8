"""
The text dialect of the telnet bridge: lines to events, events to lines (bridge's protocol, sections 2 and 4).

A command travels through the network as an event, and what its final line needs travels with it, in the ref. So there
is nothing to remember here, and each connection with the same options is told the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace
from zope.interface import implementer

from gossip.network import events
from gossip.network.events import (
    VERSION,
    Authenticate,
    ChannelsSend,
    ChannelsSubscribe,
    ChannelsUnsubscribe,
    Event,
    GamesStatus,
    Heartbeat,
    Noop,
    PlayersSignIn,
    PlayersSignOut,
    PlayersStatus,
    Quit,
    ServerEvent,
    TellsSend,
)
from gossip.network.session import Session
from gossip.transports.interfaces import IWireFormat
from gossip.transports.lines import CHARSETS, Lettering, decode, one_line

KINDS: Final = ("channels", "tells", "players", "games")
"""What a connection may want to be told of."""

SUPPORTS: Final = ("channels", "players", "tells", "games")
"""What a LOGIN supports; achievements need the JSON dialect."""

_TAG: Final = re.compile(r"@([A-Za-z0-9._-]{1,16})(?: |$)")
_VERB: Final = re.compile("[A-Z-]{1,16}")
_DOUBLED: Final = re.compile("[!-/:-@\\[-`{-~]{0,16}")

_CODES: Final = (
    ("not logged in", 401),
    ("unauthenticated", 401),
    ("invalid credentials", 401),
    ("too many sessions", 401),
    ("not subscribed", 403),
    ("channel is paused", 403),
    ("too many channels", 403),
    ("game offline", 404),
    ("receiving player offline", 404),
    ("unknown game", 404),
    ("sending player offline", 412),
    ("line too long", 413),
    ("name too long", 413),
    ("message too long", 413),
    ("text not in the charset", 415),
    ("rate limit exceeded", 429),
    (events.AN_ERROR, 500),
    ("not supported", 501),
    ("missing support for", 501),
)


def code(error: str) -> int:
    """The number that stands before an error string of the protocol."""
    return next((number for start, number in _CODES if error.startswith(start)), 400)


class Asked(Struct, frozen=True, array_like=True):
    """
    What the final line of a command needs.

    @ivar tag: what the MUD put before the command.
    @ivar verb: the command.
    @ivar lines: what is said when it is done: the lines before the final one, and that.
    """

    tag: str
    verb: str
    lines: tuple[str, ...] = ()

    @property
    def ref(self) -> Raw:
        """Itself, as it travels."""
        return Raw(msgspec.json.encode(self))

    @property
    def mark(self) -> str:
        """What comes back in front of the answer."""
        return f"@{self.tag} " if self.tag else ""


_asked = msgspec.json.Decoder(Asked).decode


class Options(Struct, frozen=True):
    """
    What a MUD set by OPTION.

    @ivar lettering: how texts are written for it.
    @ivar echo: whether it is told what it said itself.
    @ivar kinds: what it is told of, of L{KINDS}.
    """

    lettering: Lettering = Lettering()
    echo: bool = False
    kinds: tuple[str, ...] = KINDS

    def changed(self, key: str, value: str) -> Options:
        """
        One option set anew.

        @raise ValueError: there is none of that name, or it cannot have that value.
        """
        match key:
            case "charset" if value.lower() in CHARSETS:
                return replace(self, lettering=replace(self.lettering, charset=value.lower()))
            case "maxline" if value.isascii() and value.isdigit() and 256 <= int(value[:5]) <= 4096:
                return replace(self, lettering=replace(self.lettering, maxline=int(value)))
            case "double" | "strip" if _DOUBLED.fullmatch(value):
                return replace(self, lettering=replace(self.lettering, **{key: "".join(dict.fromkeys(value))}))
            case "echo" if value.lower() in ("on", "off"):
                return replace(self, echo=value.lower() == "on")
            case "events" if set(kinds := tuple(filter(None, value.lower().split(",")))) <= set(KINDS):
                return replace(self, kinds=kinds)
        raise ValueError(f"bad option {key}")

    def __str__(self) -> str:
        lettering = self.lettering
        return (
            f"charset={lettering.charset} maxline={lettering.maxline} double={lettering.double}"
            f" strip={lettering.strip} echo={'on' if self.echo else 'off'} events={','.join(self.kinds)}"
        )


@implementer(IWireFormat)
class TextFormat:
    """Events as lines, for all connections with the same options."""

    def __init__(self, options: Options) -> None:
        self._letters = options.lettering
        self._kinds = frozenset(options.kinds)

    def encode(self, event: ServerEvent) -> bytes:
        return b"".join(self._lines(event))

    def _lines(self, event: ServerEvent) -> Iterator[bytes]:
        letters, kinds = self._letters, self._kinds
        name, encode = letters.name, letters.encode
        match event:
            case events.ChannelsBroadcast(_, channel, game, player, message) if "channels" in kinds:
                yield from letters.spread(f"MSG {name(channel)} {self._who(player, game)}", letters.text(message))
            case events.TellsReceive(_, game, player, to_name, _, message) if "tells" in kinds:
                yield from letters.spread(f"TELL {name(to_name)} {self._who(player, game)}", letters.text(message))
            case events.PlayersSignedIn(_, game, player) if "players" in kinds:
                yield encode(f"SIGNIN {self._who(player, game)}")
            case events.PlayersSignedOut(_, game, player) if "players" in kinds:
                yield encode(f"SIGNOUT {self._who(player, game)}")
            case events.GamesConnect(_, game) if "games" in kinds:
                yield encode(f"GAMEUP {game}")
            case events.GamesDisconnect(_, game) if "games" in kinds:
                yield encode(f"GAMEDOWN {game}")
            case events.Beat(number) if number:  # the first comes with the login, which is life enough
                yield encode(f"PING {number}")
            case events.Restart(_, downtime):
                yield encode(f"RESTART {downtime}")
            case events.Authenticated(ref, game):
                yield self._final(ref, f"OK LOGIN {game} {VERSION}")
            case events.NotAuthenticated(ref, error):
                yield self._final(ref, f"ERR LOGIN {code(error)} {error}")
            case events.Success(_, ref) if ref is not None:
                asked = _asked(ref)
                *before, final = asked.lines
                for line in before:
                    yield encode(line)
                yield encode(asked.mark + final)
            case events.Failure(_, ref, error) if ref is not None:
                asked = _asked(ref)
                yield encode(f"{asked.mark}ERR {asked.verb} {code(error)} {letters.text(error)}")
            case events.PlayersStatusAnswer(ref, games):
                for one in games:
                    yield from self._who_is_on(one)
                yield self._final(ref, f"OK WHO {len(games)}")
            case events.GamesStatusAnswer(ref, games):
                for status in games:
                    head = f"GAME {status.game} up {status.players_online_count}"
                    yield next(letters.spread(head, letters.text(status.display_name)))
                yield self._final(ref, f"OK GAMES {len(games)}")

    def _who(self, player: str, game: str) -> str:
        return f"{self._letters.name(player)}@{game}"

    def _final(self, ref: Raw | None, line: str) -> bytes:
        return self._letters.encode((_asked(ref).mark if ref is not None else "") + line)

    def _who_is_on(self, one: events.PlayersOf) -> Iterator[bytes]:
        """The players of a game, over as many lines as they need."""
        head = f"WHO {one.game} {len(one.players)}"
        line = head
        for player in one.players:
            written = self._letters.name(player)
            if line != head and len(self._letters.encode(f"{line} {written}")) > self._letters.maxline:
                yield self._letters.encode(line)
                line = head
            line += f" {written}"
        yield self._letters.encode(line)


class Wrong(Exception):
    """A line that is no command as it should be; the text is the error that answers it."""


class Reply(Struct, frozen=True):
    """What is said to somebody who is not logged in: whole lines, with their ends."""

    data: bytes


Heard = Event | Reply
"""What a line means: an event for the network, or what is said where there is no session for one."""


class TextDialect:
    """
    Understands the lines of one connection.

    @ivar options: what the MUD set.
    """

    def __init__(self, mssp: Callable[[], Mapping[str, str]]) -> None:
        """
        @param mssp: gives the live figures for MSSP-REQUEST.
        """
        self.options = Options()
        self._mssp = mssp

    def read(self, line: bytes, session: Session | None) -> list[Heard]:
        """
        Understand a line.

        @param session: the session, C{None} for who is not logged in.
        """
        tag, verb = "", "LINE"
        try:
            text = one_line(decode(line, self.options.lettering.charset))
            if match := _TAG.match(text):
                tag, text = match[1], text[match.end() :]
            verb, _, arguments = text.partition(" ")
            verb = verb.upper()
            if not _VERB.fullmatch(verb):
                verb = "LINE"
            command = _COMMANDS.get(verb)
            if command is None:
                raise Wrong("unknown command" if text else "empty command")
            if session is None and verb not in _BEFORE_LOGIN:
                raise Wrong("not logged in")
            return command(self, Asked(tag, verb), arguments, session)
        except UnicodeDecodeError:
            return self._refused(Asked(tag, verb), "text not in the charset", session)
        except Wrong as wrong:
            return self._refused(Asked(tag, verb), str(wrong), session)

    def too_long(self, session: Session | None) -> list[Heard]:
        """A line was too long to be read."""
        return self._refused(Asked("", "LINE"), "line too long", session)

    def _refused(self, asked: Asked, error: str, session: Session | None) -> list[Heard]:
        return self._say(asked, session, f"ERR {asked.verb} {code(error)} {error}")

    def _done(self, asked: Asked, *words: str) -> Asked:
        return replace(asked, lines=(" ".join(("OK", asked.verb, *words)),))

    def _say(self, asked: Asked, session: Session | None, *lines: str) -> list[Heard]:
        """Answer at once; in a session in the order of its answers, and within its rate limit."""
        if session is not None:
            return [Noop(replace(asked, lines=lines).ref)]
        letters = self.options.lettering
        *before, final = lines
        return [Reply(b"".join(map(letters.encode, (*before, asked.mark + final))))]

    def _name(self, token: str) -> str:
        return self.options.lettering.heard_name(token)

    # The commands.

    def _login(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        if session is not None:
            raise Wrong("already logged in")
        client_id, secret, agent = _words(arguments, 2, "LOGIN client_id client_secret [agent text]")
        ref = self._done(asked).ref
        return [Authenticate(ref, client_id, secret, SUPPORTS, (), (), VERSION, agent or None, False)]

    def _subscribe(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        (channel,) = _exactly(arguments, 1, "SUBSCRIBE channel")
        return [ChannelsSubscribe(self._done(asked, channel).ref, channel)]

    def _unsubscribe(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        (channel,) = _exactly(arguments, 1, "UNSUBSCRIBE channel")
        return [ChannelsUnsubscribe(self._done(asked, channel).ref, channel)]

    def _send(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        channel, token, text = _words(arguments, 2, f"{asked.verb} channel name text")
        if not text:
            raise Wrong("empty message")
        message = f"/me {text}" if asked.verb == "EMOTE" else text
        done = self._done(asked, channel)
        if self.options.echo and session is not None and session.online is not None:
            letters = self.options.lettering
            said = f"MSG {channel} {letters.name(self._name(token))}@{session.online.game.short_name}"
            charset = CHARSETS[letters.charset]
            echo = (line.decode(charset).rstrip() for line in letters.spread(said, letters.text(message)))
            done = replace(done, lines=(*echo, *done.lines))
        return [ChannelsSend(done.ref, channel, self._name(token), message)]

    def _tell(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        from_name, who, text = _words(arguments, 2, "TELL from-name name@game text")
        to_name, at, to_game = who.rpartition("@")
        if not at:
            raise Wrong("syntax: TELL from-name name@game text")
        if not text:
            raise Wrong("empty message")
        ref = self._done(asked, who).ref
        return [TellsSend(ref, self._name(from_name), to_game, self._name(to_name), text)]

    def _sign_in(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        (token,) = _exactly(arguments, 1, "SIGNIN name")
        return [PlayersSignIn(self._done(asked, token).ref, self._name(token))]

    def _sign_out(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        (token,) = _exactly(arguments, 1, "SIGNOUT name")
        return [PlayersSignOut(self._done(asked, token).ref, self._name(token))]

    def _players(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        names = tuple(dict.fromkeys(map(self._name, arguments.split())))
        return [Heartbeat(None, names), Noop(self._done(asked, str(len(names))).ref)]

    def _who(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        return [PlayersStatus(asked.ref, _optional(arguments, "WHO [game]"))]

    def _games(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        return [GamesStatus(asked.ref, _optional(arguments, "GAMES [game]"))]

    def _channels(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        assert session is not None
        letters = self.options.lettering
        lines = ["CHANNELS"]
        for channel in map(letters.name, session.channels):
            if len(letters.encode(f"OK {lines[-1]} {channel}")) > letters.maxline:
                lines.append("CHANNELS")
            lines[-1] += f" {channel}"
        lines[-1] = f"OK {lines[-1]}"
        return self._say(asked, session, *lines)

    def _option(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        options = self.options
        for word in arguments.split():
            key, _, value = word.partition("=")
            try:
                options = options.changed(key.lower(), value)
            except ValueError as error:
                raise Wrong(str(error)) from None
        self.options = options
        return self._say(asked, session, f"OK OPTION {arguments or options}")

    def _ping(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        return self._say(asked, session, f"PONG {arguments[:64]}".rstrip())

    def _pong(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        return []

    def _help(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        return self._say(asked, session, *(f"NOTE {line}" for line in _HELP), "OK HELP")

    def _quit(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        return [Quit(None)]

    def _mssp_request(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        figures = (f"{name}\t{value}" for name, value in self._mssp().items())
        return self._say(replace(asked, tag=""), session, "MSSP-REPLY-START", *figures, "MSSP-REPLY-END")


def _words(arguments: str, number: int, syntax: str) -> list[str]:
    """So many words, and the rest of the line."""
    words = arguments.split(" ", number)
    if len(words) < number or not words[0]:
        raise Wrong(f"syntax: {syntax}")
    return [*words, ""][: number + 1]


def _exactly(arguments: str, number: int, syntax: str) -> list[str]:
    words = arguments.split()
    if len(words) != number:
        raise Wrong(f"syntax: {syntax}")
    return words


def _optional(arguments: str, syntax: str) -> str | None:
    if " " in arguments:
        raise Wrong(f"syntax: {syntax}")
    return arguments or None


_Command = Callable[[TextDialect, Asked, str, Session | None], list[Heard]]

_COMMANDS: Final[dict[str, _Command]] = {
    "LOGIN": TextDialect._login,
    "SUBSCRIBE": TextDialect._subscribe,
    "UNSUBSCRIBE": TextDialect._unsubscribe,
    "SEND": TextDialect._send,
    "EMOTE": TextDialect._send,
    "TELL": TextDialect._tell,
    "SIGNIN": TextDialect._sign_in,
    "SIGNOUT": TextDialect._sign_out,
    "PLAYERS": TextDialect._players,
    "WHO": TextDialect._who,
    "GAMES": TextDialect._games,
    "CHANNELS": TextDialect._channels,
    "OPTION": TextDialect._option,
    "PING": TextDialect._ping,
    "PONG": TextDialect._pong,
    "HELP": TextDialect._help,
    "QUIT": TextDialect._quit,
    "MSSP-REQUEST": TextDialect._mssp_request,
}

_BEFORE_LOGIN: Final = frozenset(("LOGIN", "OPTION", "PING", "PONG", "HELP", "QUIT", "MSSP-REQUEST"))

_HELP: Final = (
    "LOGIN client_id client_secret [agent text]",
    "SUBSCRIBE channel, UNSUBSCRIBE channel, CHANNELS",
    "SEND channel name text, EMOTE channel name text",
    "TELL from-name name@game text",
    "SIGNIN name, SIGNOUT name, PLAYERS [name ...]",
    "WHO [game], GAMES [game]",
    "OPTION charset=utf-8|latin1|cp437|ascii maxline=256..4096 double=CHARS strip=CHARS echo=on|off",
    "OPTION events=channels,tells,players,games",
    "PING [token], HELP, QUIT",
)
