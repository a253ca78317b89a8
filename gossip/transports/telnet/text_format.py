"""
Events as lines of the text dialect (telnet bridge, section 2).

A command travels through the network as the ref of its event and comes back in the answer, which has all that the final
line needs. So nothing is remembered here, and connections with the same options share the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from zope.interface import implementer

from gossip.protocol import server_events
from gossip.protocol.events import VERSION
from gossip.protocol.flags import granted
from gossip.protocol.server_events import ServerEvent
from gossip.service.interfaces import IWireFormat
from gossip.transports.telnet.lines import CHARSETS, Lettering

KINDS: Final = ("channels", "tells", "players", "games")
"""The kinds of events that a connection can choose to be told."""

_MAXLINE: Final = re.compile("[0-9]{3,4}", re.ASCII)
_LEAST_MAXLINE, _MOST_MAXLINE = 256, 4096
_SIGNS: Final = re.compile("[!-/:-@\\[-`{-~]{0,16}")


class Asked(Struct, frozen=True):
    """
    A command, as far as its answer needs it: the ref of the event that the command becomes.

    @ivar tag: the tag that the MUD put before the command; empty if none.
    @ivar verb: the command.
    @ivar lines: the lines that answer it when it succeeds, the final one last; empty for silence.
    """

    tag: str
    verb: str
    lines: tuple[str, ...] = ()

    def done(self, *lines: str) -> Asked:
        """The same command with the lines that answer it; the final line gets the tag."""
        *before, final = lines
        return replace(self, lines=(*before, self.marked(final)))

    def marked(self, line: str) -> str:
        """A line with the tag in front, if there is one."""
        return f"@{self.tag} {line}" if self.tag else line


class LineOptions(Struct, frozen=True):
    """
    The options of a connection, which a MUD sets by OPTION.

    @ivar lettering: how texts are written for it.
    @ivar echo: whether it is told its own messages.
    @ivar kinds: the kinds of events that it is told, of L{KINDS}.
    @ivar extensions: the extensions of the protocol that it asks for; C{None} if it knows of none.
    """

    lettering: Lettering = Lettering()
    echo: bool = False
    kinds: tuple[str, ...] = KINDS
    extensions: tuple[str, ...] | None = None

    def changed(self, key: str, value: str) -> LineOptions:
        """
        The options with one of them changed.

        @raise ValueError: there is no such option, or it cannot have that value.
        """
        match key:
            case "charset" if value.lower() in CHARSETS:
                return replace(self, lettering=replace(self.lettering, charset=value.lower()))
            case "maxline" if _MAXLINE.fullmatch(value) and _LEAST_MAXLINE <= int(value) <= _MOST_MAXLINE:
                return replace(self, lettering=replace(self.lettering, maxline=int(value)))
            case "double" | "strip" if _SIGNS.fullmatch(value):
                return replace(self, lettering=replace(self.lettering, **{key: "".join(dict.fromkeys(value))}))
            case "echo" if value.lower() in ("on", "off"):
                return replace(self, echo=value.lower() == "on")
            case "events" if set(kinds := value.lower().split(",")) <= {*KINDS, ""}:
                return replace(self, kinds=tuple(kind for kind in KINDS if kind in kinds))
            case "extensions":
                return replace(self, extensions=granted(value.lower().split(",")))
        raise ValueError(f"bad option {key}")

    def shown(self) -> dict[str, str]:
        """Every option and its value, as the MUD writes them. One that knows of no extensions reads of none."""
        lettering = self.lettering
        extensions = {} if self.extensions is None else {"extensions": ",".join(self.extensions)}
        return {
            "charset": lettering.charset,
            "maxline": str(lettering.maxline),
            "double": lettering.double,
            "strip": lettering.strip,
            "echo": "on" if self.echo else "off",
            "events": ",".join(self.kinds),
            **extensions,
        }


@implementer(IWireFormat)
class TextFormat:
    """Events as lines, for all connections with the same options."""

    def __init__(self, options: LineOptions) -> None:
        self._letters = options.lettering
        self._kinds = frozenset(options.kinds)

    def encode(self, event: ServerEvent) -> bytes:
        return b"".join(self._lines(event))

    def _lines(self, event: ServerEvent) -> Iterator[bytes]:
        letters, kinds = self._letters, self._kinds
        encode, who = letters.encode, letters.who
        match event:
            case server_events.ChannelsBroadcast(_, channel, game, player, message) if "channels" in kinds:
                yield from letters.spread(f"MSG {channel} {who(player, game)}", letters.text(message))
            case server_events.ChannelsRemoved(removed) if "channels" in kinds:
                for gone in removed:
                    head = f"REMOVED {gone.channel} {gone.seq} {who(gone.name, gone.game)}"
                    yield from letters.spread(head, letters.text(gone.reason), most=1)
            case server_events.TellsReceive(_, game, player, to_name, _, message) if "tells" in kinds:
                head = f"TELL {letters.name(to_name)} {who(player, game)}"
                yield from letters.spread(head, letters.text(message))
            case server_events.PlayersSignedIn(_, game, player) if "players" in kinds:
                yield encode(f"SIGNIN {who(player, game)}")
            case server_events.PlayersSignedOut(_, game, player) if "players" in kinds:
                yield encode(f"SIGNOUT {who(player, game)}")
            case server_events.GamesConnect(_, game) if "games" in kinds:
                yield encode(f"GAMEUP {game}")
            case server_events.GamesDisconnect(_, game) if "games" in kinds:
                yield encode(f"GAMEDOWN {game}")
            case server_events.Beat(number) if number:  # the first comes with the login, which is life enough
                yield encode(f"PING {number}")
            case server_events.ModerationNotice(_, kind, player, channel, reason, until):
                # A player with the name "-" must not be taken for the whole game.
                name = "-" if player is None else letters.name("?" if player == "-" else player)
                head = f"NOTICE {kind} {name} {_word(channel)} {until or '-'}"
                yield from letters.spread(head, letters.text(reason) or "-", most=1)
            case server_events.Restart(_, downtime):
                yield encode(f"RESTART {downtime}")
            case server_events.Authenticated(Asked() as asked, game):
                yield encode(asked.marked(f"OK LOGIN {game} {VERSION}"))
            case server_events.NotAuthenticated(Asked() as asked, error):
                head = asked.marked(f"ERR LOGIN {error.kind.number}")
                yield from letters.spread(head, letters.text(error.text), most=1)
            case server_events.Failure(_, Asked() as asked, error):
                head = asked.marked(f"ERR {asked.verb} {error.kind.number}")
                yield from letters.spread(head, letters.text(error.text), most=1)
            case server_events.Success(_, Asked() as asked):
                yield from map(encode, asked.lines)
            case server_events.ReportCreated(Asked() as asked, number):
                yield encode(asked.marked(f"OK REPORT {number}"))
            case server_events.ChannelsHistoryAnswer(Asked() as asked, channel, messages):
                for said in messages:
                    head = f"HISTORY {channel} {said.seq} {said.sent_at} {who(said.name, said.game)}"
                    yield from letters.spread(head, letters.text(said.message))
                yield encode(asked.marked(f"OK HISTORY {len(messages)}"))
            case server_events.ChannelsListAnswer(Asked() as asked, _, listed, more):
                for each in filter(_can_be_named, listed.channels):
                    yield from self._described(f"CHANNEL {each.channel} {each.games}", each.description)
                if not more:
                    yield encode(asked.marked("OK CHANNELS"))
            case server_events.ChannelsChanged(_, change, channel_of) if "channels" in kinds and _can_be_named(
                channel_of
            ):
                yield from self._described(f"CHANGED {channel_of.channel} {change}", _what_changed(change, channel_of))
            case server_events.PlayersStatusAnswer(Asked() as asked, games, before, more):
                for one in games:
                    names = map(letters.name, one.players)
                    yield from letters.listed(f"WHO {one.game} {len(one.players)}", names)
                if not more:
                    yield encode(asked.marked(f"OK WHO {before + len(games)}"))
            case server_events.GamesStatusAnswer(Asked() as asked, games, before, more):
                for told in games:
                    status = told.status if isinstance(told, server_events.PresenceOf) else told
                    where = "down" if isinstance(told, server_events.PresenceOf) and told.since is None else "up"
                    head = f"GAME {status.game} {where} {status.players_online_count}"
                    yield from letters.spread(head, letters.text(status.display_name) or status.game, most=1)
                if not more:
                    yield encode(asked.marked(f"OK GAMES {before + len(games)}"))

    def _described(self, head: str, text: str | None) -> Iterator[bytes]:
        """One line, with a text behind its head if there is one."""
        text = self._letters.text(text or "")
        return self._letters.spread(head, text, most=1) if text else iter((self._letters.encode(head),))


def _can_be_named(channel: server_events.ChannelOf) -> bool:
    """Can a line name a channel? Admins can put blanks in a name: no MUD can subscribe to such a channel."""
    return " " not in channel.channel


def _word(channel: str | None) -> str:
    """A channel as one word; a dash for all of them, which no channel must be taken for."""
    return "-" if channel is None else "?" if channel == "-" else channel.replace(" ", "%20")


def _what_changed(change: str, channel: server_events.ChannelOf) -> str | None:
    """What stands behind the kind of a change: the description, the end of a pause, or whether the game may speak."""
    match change:
        case "created" | "published" | "described":
            return channel.description
        case "paused":
            return channel.paused_until
        case "speakers":
            return "yes" if channel.may_speak else "no"
    return None
