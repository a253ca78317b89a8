"""A MUD that is logged in: what it wants, what it is told of the lists, and whether it is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Protocol

from twisted.internet.interfaces import IDelayedCall

from gossip.network.ratelimit import Rate
from gossip.network.session import Session, Situation
from gossip.protocol.errors import Error
from gossip.protocol.events import ChannelsSubscribe, ChannelsUnsubscribe, ClientEvent, Heartbeat, Noop
from gossip.registry.names import CHANNEL_NAME
from gossip.transports.intermud3 import conversation as acts
from gossip.transports.intermud3.channels import Wishes
from gossip.transports.intermud3.conversation import Conversation, code_of, speaker_of
from gossip.transports.intermud3.hub import View
from gossip.transports.intermud3.lists import Lists
from gossip.transports.intermud3.packets import STARTUPS, TTL, Packet, Startup, error
from gossip.transports.intermud3.wire import Subscribing
from gossip.transports.seen_players import SeenPlayers

if TYPE_CHECKING:
    from gossip.transports.intermud3.factory import I3Factory

LIST_SECONDS: Final = 0.5
"""The time between two packets of lists, in seconds: old clients read so much."""

SILENCE: Final = 120.0
"""After this many seconds without a packet, a MUD is asked whether it is there."""

TOO_LONG: Final = 300.0
"""After this many seconds without a packet, the connection of a MUD ends that answered such a question before."""

PASSED_ON: Final = Rate(40, 5)
"""How many packets of a connection are passed on to other MUDs."""


class Line(Protocol):
    """The connection of a MUD."""

    @property
    def unsent(self) -> int: ...
    def queue(self, data: bytes) -> None: ...
    def drop(self, why: str) -> None: ...
    def replaced(self) -> None: ...
    def leave(self) -> None: ...


class I3Member:
    """
    A MUD that is logged in here.

    @ivar client_id: its game.
    @ivar conversation: understands its packets.
    @ivar lists: what it is still to be told of the lists.
    """

    def __init__(self, factory: I3Factory, line: Line, session: Session, mud: acts.Mud, router: str, said: Startup):
        """
        @param router: the name of the router, as the MUD calls it.
        @param said: how the MUD introduced itself.
        """
        self.client_id = session.client_id
        self.conversation = Conversation(
            mud, View(factory.hub, router, session.client_id), factory.transport.limits.parts
        )
        self.lists = Lists(factory.hub, router, mud.name, said.protocol)
        self._factory = factory
        self._line = line
        self._session = session
        self._router = router
        self._wishes = Wishes()
        self._players = SeenPlayers()
        self._passed_on = factory.bucket()
        self._heard_at = factory.gossip.now().steady
        self._listed_at = self._heard_at - LIST_SECONDS
        self._asked = self._answers = self._gone = False
        self._listing: IDelayedCall | None = None
        self._wishing: IDelayedCall | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.conversation.mud.name

    @property
    def listens_to(self) -> Iterable[str]:
        """The channels that the MUD hears."""
        return self.conversation.heard_channels

    def shut(self) -> None:
        """The connection ends."""
        self._gone = True
        for call in (self._listing, self._wishing):
            if call is not None and call.active():
                call.cancel()

    def _send_event(self, event: ClientEvent) -> None:
        self._factory.gossip.received(self._session, event)

    # What it wants.

    def hear(self, packet: Packet) -> None:
        """The MUD sent a packet."""
        self._heard_at, self._asked = self._factory.gossip.now().steady, False
        if packet.type in STARTUPS:
            self.send(error(self._router, self.name, "", "bad-proto", "you have logged in already"))
        elif packet.type == "auth-mud-reply" and packet.to_mud == self._router:
            self._answers = True
        elif not self._converse(packet):
            return
        self._send_event(Noop(None))  # the rate limit of the session is for all packets

    def _converse(self, packet: Packet) -> bool:
        """Do what a packet asks for; returns whether it was none of the events that the network counts."""
        now = self._factory.gossip.now()
        speaker = speaker_of(packet)
        if speaker:
            self._players.saw(speaker, now)
            self._list_players()
        uncounted = True
        for act in self.conversation.hear(packet):
            match act:
                case acts.Ask(event, channel):
                    if channel is not None and self._wishes.jump(channel, now.steady):
                        self._send_event(ChannelsSubscribe(None, channel))
                    self._send_event(event)
                    uncounted = False
                case acts.Reply(frame):
                    self._line.queue(self._factory.counted(frame))
                case acts.Listen(channel, wanted):
                    self._listen(channel, wanted)
                case acts.Open(channel):
                    self._open(packet, channel)
                case acts.Pass() | acts.PassToAll():
                    self._pass(act, speaker)
                case acts.Drop(reason):
                    self._line.drop(reason)
                case acts.End():
                    self._line.leave()
        return uncounted

    def _list_players(self) -> None:
        players = self._players.news(self._factory.gossip.now())
        if players is not None:
            self._send_event(Heartbeat(None, players))

    def _pass(self, act: acts.Pass | acts.PassToAll, speaker: str) -> None:
        factory, session = self._factory, self._session
        if session.situation is not Situation.ACTIVE:
            return
        if not self._passed_on.take(PASSED_ON, factory.gossip.now()):
            self._line.drop("rate")
        elif isinstance(act, acts.Pass):
            factory.hub.pass_to(act.mud.short_name, act.packet)
        elif not speaker or not factory.hub.is_silenced(session, speaker):
            factory.hub.pass_to_all(self.client_id, act.service, act.packet)

    def _open(self, packet: Packet, channel: str) -> None:
        if not CHANNEL_NAME.fullmatch(channel):
            text = "the name of a channel has 3 to 15 letters, hyphens and underscores"
            self.send(error(self._router, packet.from_mud, packet.from_user, "bad-pkt", text))
        elif self._wishes.jump(channel, self._factory.gossip.now().steady):
            self.conversation.heard_channels.add(channel)
            self._send_event(ChannelsSubscribe(Subscribing(channel), channel))

    def _listen(self, channel: str, wanted: bool) -> None:
        if wanted:
            self.conversation.heard_channels.add(channel)
        else:
            self.conversation.heard_channels.discard(channel)
        self._wishes.add(channel, wanted)
        self._wish()

    def _wish(self) -> None:
        """Carry out what the MUD wants to hear, as fast as that may go."""
        now = self._factory.gossip.now().steady
        for channel, wanted in self._wishes.due(now):
            if wanted:
                self._send_event(ChannelsSubscribe(Subscribing(channel), channel))
            else:
                self._send_event(ChannelsUnsubscribe(None, channel))
        wait = self._wishes.wait(now)
        if wait is not None and self._wishing is None and not self._gone:
            self._wishing = self._factory.clock.callLater(wait, self._wish_again)

    def _wish_again(self) -> None:
        self._wishing = None
        self._wish()

    def unheard(self, channel: str, why: Error) -> bytes:
        """The MUD could not be subscribed to a channel; returns what it is told."""
        self._wishes.failed(channel)
        self.conversation.heard_channels.discard(channel)
        told = error(self._router, self.name, "", code_of(why), f"{channel}: {why.text}")
        return self._factory.counted(told.frame)

    # What it is told.

    def send(self, packet: Packet) -> None:
        """Send the MUD a packet."""
        self._line.queue(self._factory.counted(packet.frame))

    def lists_changed(self) -> None:
        """The MUD is to be told of its lists."""
        if self._listing is None and self.lists and not self._gone:
            wait = max(0.0, self._listed_at + LIST_SECONDS - self._factory.gossip.now().steady)
            self._listing = self._factory.clock.callLater(wait, self._list)

    def _list(self) -> None:
        """Tell the MUD one packet of its lists, unless it reads too slowly."""
        self._listing = None
        self._listed_at = self._factory.gossip.now().steady
        if self.lists and not self._line.unsent:
            kind, frame = self.lists.next()
            self._factory.transport.sent(kind)
            self._line.queue(frame)
        self.lists_changed()

    # Whether it is there.

    def replaced(self) -> None:
        """Its game has logged in again."""
        self._line.replaced()

    def beat(self) -> None:
        """Time went by: is the MUD there?"""
        self._factory.gossip.alive(self._session)
        self._list_players()
        silent = self._factory.gossip.now().steady - self._heard_at
        if silent >= TOO_LONG and self._answers:
            self._line.leave()
        elif silent >= SILENCE and not self._asked:
            self._asked = True
            self.send(Packet("auth-mud-req", TTL, self._router, "", self.name, ""))
