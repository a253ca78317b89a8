"""Events as packets for one IMC2 MUD (IMC2, section 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from msgspec import UNSET
from msgspec.structs import replace
from zope.interface import implementer

from gossip.protocol import server_events
from gossip.protocol.emotes import emote
from gossip.protocol.server_events import ServerEvent
from gossip.service.interfaces import IWireFormat
from gossip.transports.imc2 import lettering
from gossip.transports.imc2.dialect import Answered, Asked, Dialect, Said
from gossip.transports.imc2.packets import Packet, Word
from gossip.transports.telnet.lines import transliterate

if TYPE_CHECKING:
    from gossip.transports.imc2.factory import Imc2Factory

LIST_BYTES: Final = 3400
"""The maximum length of a list of players, in bytes."""


@implementer(IWireFormat)
class Imc2Format:
    """
    Events for one MUD.

    @ivar speaks: whether the MUD has sent a packet since its login. Until then it is told only how the login went: the
        client of Dead Souls forgets what follows the answer in one read.
    """

    def __init__(self, factory: Imc2Factory, dialect: Dialect, login: Callable[[ServerEvent], bytes]) -> None:
        """
        @param login: writes the answer to the login.
        """
        self._factory = factory
        self._dialect = dialect
        self._login = login
        self.speaks = False

    def encode(self, event: ServerEvent) -> bytes:
        if isinstance(event, server_events.Authenticated | server_events.NotAuthenticated):
            return self._login(event)
        if not self.speaks:
            return b""
        if isinstance(event, server_events.ChannelsBroadcast):
            return self._factory.broadcast(event)
        return b"".join(map(self._factory.write, self._packets(event)))

    def _packets(self, event: ServerEvent) -> Iterator[Packet]:
        factory, dialect = self._factory, self._dialect
        mud, server = dialect.mud, factory.server
        match event:
            case server_events.Success(_, Answered(packets)):
                yield from packets
            case server_events.Success(_, Said(name, channel, text, kind, sequence, True)):
                values = {
                    "channel": Word(f"{server}:{channel}"),
                    "emote": Word(kind),
                    "sender": Word(f"{name}@{mud}"),
                    "text": transliterate(text, factory.settings.charset),
                }
                yield Packet(f"{name}-{mud}", server, sequence, f"{mud}!{server}", "ice-msg-b", "*", mud, values)
            case server_events.Failure(_, Said(name) | Asked(_, name), error):
                yield dialect.note(name, factory.text(error.text))
            case server_events.TellsReceive(_, game, player, to_name, _, message):
                yield from self._tell(game, player, to_name, message)
            case server_events.PlayersStatusAnswer(Asked("who", name), games):
                for listed in games:
                    yield dialect.reply("who-reply", factory.wire_name(listed.game), name, self._who(listed))
            case server_events.PlayersStatusAnswer(Asked("finger", name, _, about), games):
                for listed in games:
                    found = factory.hub.player_like(listed.game, about)
                    is_there = found in listed.players
                    text = f"{self._name(found)} is on {listed.game}." if is_there else "No such player is online."
                    yield dialect.reply("who-reply", factory.wire_name(listed.game), name, f"\n\r{text}\n\r")
            case server_events.GamesStatusAnswer(Asked("info", name), told):
                for each in told:
                    status = each.status if isinstance(each, server_events.PresenceOf) else each
                    yield dialect.reply("who-reply", factory.wire_name(status.game), name, self._info(status))
            case server_events.GamesConnect(_, game):
                alive = factory.hub.games.alive_of(game, mud)
                if alive is not None:
                    yield alive
            case server_events.GamesDisconnect(_, game) if not factory.hub.games.is_remote(game):
                yield factory.hub.games.gone(game)
            case server_events.Beat(number) if number:
                yield Packet("*", server, 0, server, "keepalive-request", "*", mud, {})
            case server_events.Restart(_, downtime):
                values = {
                    "channel": Word("15"),
                    "level": Word("Imm"),
                    "text": f"The network will be back in {downtime} seconds.",
                }
                yield Packet("ICE", server, 0, server, "emote", "*", "*", values)

    def _name(self, player: str) -> str:
        return lettering.name(player)

    def _tell(self, game: str, player: str, to_name: str, message: str) -> Iterator[Packet]:
        factory = self._factory
        what = emote(message)
        origin = factory.wire_name(game)
        who = self._name(player)
        text = f"{who}@{origin} {what}" if what is not None else message
        to, mud = lettering.token(to_name), self._dialect.mud
        # A second packet of an emote would not begin with the speaker.
        for part in factory.spread(text, 1 if what is not None else None):
            values: dict[str, str] = {"isreply": Word("2"), "text": part} if what is not None else {"text": part}
            yield Packet(who, origin, 0, factory.route(origin), "tell", to, mud, values)

    def _who(self, listed: server_events.PlayersOf) -> str:
        game = self._factory.wire_name(listed.game)
        text = f"\n\r~WPlayers on {game} ({len(listed.players)})~!\n\r"
        for number, player in enumerate(listed.players):
            line = f"  {self._name(player)}\n\r"
            if len(text) + len(line) > LIST_BYTES:
                return f"{text}  ... and {len(listed.players) - number} more\n\r"
            text += line
        return text

    def _info(self, status: server_events.StatusOf) -> str:
        shown = (
            status.display_name,
            "" if status.homepage_url is UNSET else status.homepage_url,
            "" if status.user_agent is UNSET else status.user_agent,
        )
        return "".join(f"\n\r{self._factory.text(str(line))}" for line in shown if line) + "\n\r"


def broadcast(factory: Imc2Factory, event: server_events.ChannelsBroadcast) -> Iterator[Packet]:
    """A message on a channel, for all MUDs."""
    what = emote(event.message)
    origin = factory.wire_name(event.game)
    packet = Packet(lettering.name(event.name), origin, 0, factory.route(origin), "ice-msg-b", "*", "*", {})
    for number, part in enumerate(factory.spread(event.message if what is None else what)):
        values = {
            "channel": Word(f"{factory.server}:{event.channel}"),
            "emote": Word("1" if what is not None and not number else "0"),
            "echo": Word("1"),
            "text": part,
        }
        yield replace(packet, values=values)
