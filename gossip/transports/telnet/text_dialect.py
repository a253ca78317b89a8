"""
The text dialect of the telnet port: lines become events (telnet bridge, sections 2 and 4).

A command travels through the network as an event, whose ref has what the final line of its answer needs: see
L{gossip.transports.telnet.text_format}.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from gossip.network.session import Session
from gossip.protocol.errors import Denied, Error
from gossip.protocol.events import (
    VERSION,
    Authenticate,
    ChannelsList,
    ChannelsRemove,
    ChannelsSend,
    ChannelsSubscribe,
    ChannelsUnsubscribe,
    Event,
    GamesStatus,
    HistoryAsked,
    Noop,
    PlayersListed,
    PlayersSignIn,
    PlayersSignOut,
    PlayersStatus,
    Quit,
    ReportsCreate,
    TellsSend,
)
from gossip.transports.telnet.limits import TelnetLimits
from gossip.transports.telnet.lines import decode, one_line
from gossip.transports.telnet.text_format import Asked, LineOptions, TextFormat

SUPPORTS: Final = ("channels", "players", "tells", "games")
"""The flags that a LOGIN supports; achievements need the JSON dialect."""

_TAG: Final = re.compile(r"@([A-Za-z0-9._-]{1,16})(?: |$)")
_VERB: Final = re.compile("[A-Z-]{1,16}")

_SHOWN: Final = 32
"""How much unvalidated input is echoed back, in characters."""

_NAME: Final = 384
"""The maximum length of a name as written, in characters: 64, each doubled and escaped."""


class Reply(Struct, frozen=True):
    """An answer to a connection without a session: whole lines, with their ends."""

    data: bytes


Heard = Event | Reply
"""What a line means: an event for the network, or an answer where there is no session for one."""


_LIST: Final = re.compile(rb"\s*(@\S+\s+)?PLAYERS\s", re.IGNORECASE)
"""The beginning of a line that can have the names of all players of a game."""


class TextDialect:
    """
    Understands the lines of one connection.

    @ivar options: the options that the MUD has set.
    @ivar wire_format: how events are written for it.
    """

    any_line_is_life = session_per_login = True

    def __init__(self, mssp: Callable[[], Mapping[str, str]], format_for: Callable[[LineOptions], TextFormat]) -> None:
        """
        @param mssp: returns the variables for MSSP-REQUEST.
        @param format_for: returns the wire format for options.
        """
        self._mssp = mssp
        self._format_for = format_for
        self._set(LineOptions())

    def _set(self, options: LineOptions) -> None:
        self.options = options
        self.wire_format = self._format_for(options)

    def set_charset(self, charset: str) -> None:
        """Follow a charset that telnet negotiated."""
        self._set(self.options.changed("charset", charset))

    def line_bytes(self, limits: TelnetLimits, line: bytes) -> int:
        """How many bytes a line may have after the login; 0 for no limit. One that lists all players may be long."""
        return limits.json_line_bytes if _LIST.match(line) else limits.line_bytes

    def goodbye(self, why: Error) -> bytes:
        """Write the last line before a close."""
        letters = self.options.lettering
        return b"".join(letters.spread(f"BYE {why.kind.number}", letters.text(why.text), most=1))

    def read(self, line: bytes, session: Session | None, too_fast: bool = False) -> list[Heard]:
        """
        Understand a line.

        @param session: the session; C{None} before the login.
        @param too_fast: whether the line is over the rate limit; never in a session, where the network judges that.
        """
        try:
            text, readable = one_line(decode(line, self.options.lettering.charset)), True
        except UnicodeDecodeError:
            text, readable = one_line(line.decode("ascii", "replace")), False
        if not text:
            return []
        tag, verb = "", ""
        if match := _TAG.match(text):
            tag, text = match[1], text[match.end() :]
        verb, _, arguments = text.partition(" ")
        verb = verb.upper()
        command = _COMMANDS.get(verb)
        asked = Asked(tag, verb if _VERB.fullmatch(verb) else "LINE")
        try:
            if too_fast:
                raise Denied("rate-limited")
            if not readable:
                raise Denied("bad-charset")
            if command is None:
                raise Denied("unknown-command")
            if session is None and verb not in _BEFORE_LOGIN:
                raise Denied("not-logged-in")
            return command(self, asked, arguments, session)
        except Denied as denied:
            return self._refused(asked, denied.error, session)

    def too_long(self, session: Session | None, too_fast: bool = False) -> list[Heard]:
        """Answer a line that is too long to be read."""
        return self._refused(Asked("", "LINE"), Error.of("rate-limited" if too_fast else "line-too-long"), session)

    def _refused(self, asked: Asked, why: Error, session: Session | None) -> list[Heard]:
        return self._say(asked, session, f"ERR {asked.verb} {why.kind.number} {why.text}".rstrip())

    def _done(self, asked: Asked, *words: str) -> Asked:
        return asked.done(" ".join(("OK", asked.verb, *words)))

    def _say(self, asked: Asked, session: Session | None, *lines: str) -> list[Heard]:
        """Answer at once; in a session, in the order of its answers and within its rate limit."""
        done = asked.done(*lines)
        if session is not None:
            return [Noop(done)]
        return [Reply(b"".join(map(self.options.lettering.encode, done.lines)))]

    def _name(self, token: str) -> str:
        if len(token) > _NAME:
            raise Denied("name-too-long")
        return self.options.lettering.heard_name(token)

    # The commands.

    def _login(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        if session is not None:
            raise Denied("already-logged-in")
        client_id, secret, agent = _words(arguments, 2, "LOGIN client_id client_secret [agent text]")
        return [
            Authenticate(
                asked,
                client_id,
                secret,
                SUPPORTS,
                (),
                (),
                VERSION,
                agent or None,
                debug=False,
                extensions=self.options.extensions,
            )
        ]

    def _subscribe(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        (channel,) = _exactly(arguments, 1, "SUBSCRIBE channel")
        return [ChannelsSubscribe(self._done(asked, channel), channel)]

    def _unsubscribe(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        (channel,) = _exactly(arguments, 1, "UNSUBSCRIBE channel")
        return [ChannelsUnsubscribe(self._done(asked, channel[:_SHOWN]), channel)]

    def _send(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        channel, token, text = _words(arguments, 2, f"{asked.verb} channel name text")
        if not text:
            raise Denied("empty-message")
        message = f"/me {text}" if asked.verb == "EMOTE" else text
        name = self._name(token)
        final = f"OK {asked.verb} {channel}"
        options, letters = self.options, self.options.lettering
        if options.echo and "channels" in options.kinds and session is not None and session.online is not None:
            head = f"MSG {channel} {letters.who(name, session.online.game.short_name)}"
            done = asked.done(*letters.spread_text(head, letters.text(message)), final)
        else:
            done = asked.done(final)
        return [ChannelsSend(done, channel, name, message)]

    def _tell(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        from_name, who, text = _words(arguments, 2, "TELL from-name name@game text")
        to_name, at, to_game = who.rpartition("@")
        if not at:
            raise Denied("syntax", usage="TELL from-name name@game text")
        if not text:
            raise Denied("empty-message")
        done = self._done(asked, who)
        return [TellsSend(done, self._name(from_name), to_game, self._name(to_name), text)]

    def _report(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        syntax = "REPORT from-name name@game channel|- reason"
        from_name, who, channel, reason = _words(arguments, 3, syntax)
        name, at, game = who.rpartition("@")
        if not at:
            raise Denied("syntax", usage=syntax)
        where = None if channel == "-" else channel
        return [ReportsCreate(asked, self._name(from_name), reason, None, where, game, self._name(name))]

    def _remove(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        channel, seq, reason = _words(arguments, 2, "REMOVE channel number reason")
        return [ChannelsRemove(self._done(asked, channel, seq[:_SHOWN]), f"{channel}:{seq}", reason)]

    def _sign_in(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        (token,) = _exactly(arguments, 1, "SIGNIN name")
        return [PlayersSignIn(self._done(asked, token), self._name(token))]

    def _sign_out(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        (token,) = _exactly(arguments, 1, "SIGNOUT name")
        return [PlayersSignOut(self._done(asked, token), self._name(token))]

    def _players(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        names = tuple(filter(None, dict.fromkeys(map(self.options.lettering.heard_name, arguments.split()))))
        return [PlayersListed(self._done(asked, str(len(names))), names)]

    def _who(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        return [PlayersStatus(asked, _optional(arguments, "WHO [game]"))]

    def _games(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        return [GamesStatus(asked, _optional(arguments, "GAMES [game]"))]

    def _history(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        channel, count, *rest = [*arguments.split(), "", ""]
        if not channel or "".join(rest) or not re.fullmatch("[0-9]{0,3}", count, re.ASCII):
            raise Denied("syntax", usage="HISTORY channel [number]")
        return [HistoryAsked(asked, channel, int(count) if count else None)]

    def _channels(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        assert session is not None
        if arguments.upper() == "ALL":
            return [ChannelsList(asked)]
        rows = [f"CHANNELS{row}" for row in self.options.lettering.rows(asked.marked("OK CHANNELS"), session.channels)]
        return self._say(asked, session, *rows[:-1], f"OK {rows[-1]}")

    def _option(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        options, given = self.options, []
        for word in arguments.split():
            key, _, value = word.partition("=")
            try:
                if key.lower() == "extensions" and session is not None:
                    raise ValueError("extensions are granted at the login")
                options = options.changed(key.lower(), value)
            except ValueError:
                raise Denied("bad-option", option=key[:_SHOWN]) from None
            given.append(key.lower())
        self._set(options)
        shown = options.shown()
        words = (f"{key}={shown[key]}" for key in dict.fromkeys(given or shown))
        return self._say(asked, session, " ".join(("OK OPTION", *words)))

    def _ping(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        return self._say(asked, session, f"PONG {arguments[:_SHOWN]}".rstrip())

    def _pong(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        return [Noop(asked)] if session is not None else []  # counted, but not answered

    def _help(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        return self._say(asked, session, *(f"NOTE {line}" for line in _HELP), "OK HELP")

    def _quit(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        return [Quit(None)]

    def _mssp_request(self, asked: Asked, arguments: str, session: Session | None) -> list[Heard]:
        figures = (f"{name}\t{value}" for name, value in self._mssp().items())
        return self._say(Asked("", asked.verb), session, "MSSP-REPLY-START", *figures, "MSSP-REPLY-END")


def _words(arguments: str, number: int, syntax: str) -> list[str]:
    """The first words of a line, as many as asked for, and the rest of the line."""
    words = arguments.split(" ", number)
    if len(words) < number or not words[0]:
        raise Denied("syntax", usage=syntax)
    return [*words, ""][: number + 1]


def _exactly(arguments: str, number: int, syntax: str) -> list[str]:
    words = arguments.split()
    if len(words) != number:
        raise Denied("syntax", usage=syntax)
    return words


def _optional(arguments: str, syntax: str) -> str | None:
    if " " in arguments:
        raise Denied("syntax", usage=syntax)
    return arguments or None


_Command = Callable[[TextDialect, Asked, str, Session | None], list[Heard]]

_COMMANDS: Final[dict[str, _Command]] = {
    "LOGIN": TextDialect._login,
    "SUBSCRIBE": TextDialect._subscribe,
    "UNSUBSCRIBE": TextDialect._unsubscribe,
    "SEND": TextDialect._send,
    "EMOTE": TextDialect._send,
    "TELL": TextDialect._tell,
    "REPORT": TextDialect._report,
    "REMOVE": TextDialect._remove,
    "SIGNIN": TextDialect._sign_in,
    "SIGNOUT": TextDialect._sign_out,
    "PLAYERS": TextDialect._players,
    "WHO": TextDialect._who,
    "GAMES": TextDialect._games,
    "CHANNELS": TextDialect._channels,
    "HISTORY": TextDialect._history,
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
    "SUBSCRIBE channel, UNSUBSCRIBE channel, CHANNELS [ALL]",
    "SEND channel name text, EMOTE channel name text, HISTORY channel [number]",
    "TELL from-name name@game text",
    "REPORT from-name name@game channel|- reason, REMOVE channel number reason",
    "SIGNIN name, SIGNOUT name, PLAYERS [name ...]",
    "WHO [game], GAMES [game]",
    "OPTION charset=utf-8|latin1|cp437|ascii maxline=256..4096 double=CHARS strip=CHARS echo=on|off",
    "OPTION events=channels,tells,players,games, before LOGIN: extensions=directory,moderation",
    "PING [token], HELP, QUIT",
)
