"""
One connection of the Intermud-3 port: the login of a MUD, its frames, its lists and its end.

The rules that keep MUDs alive: one startup-reply for each connection, lists only as fast as old clients read, and a
router that calls itself what the MUD calls it.
"""

from __future__ import annotations

import secrets
import socket
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gossip.network.ratelimit import Rate
from gossip.network.session import Session, Situation
from gossip.protocol.errors import Error
from gossip.protocol.events import (
    VERSION,
    AuthenticateAsMud,
    ChannelsSubscribe,
    ChannelsUnsubscribe,
    ClientEvent,
    Heartbeat,
    Noop,
)
from gossip.registry.addresses import Address
from gossip.registry.names import CHANNEL_NAME
from gossip.service.interfaces import IConnection
from gossip.transports.budget import ITEM, Budget
from gossip.transports.inlet import Inlet
from gossip.transports.intermud3 import conversation as acts
from gossip.transports.intermud3.channels import Wishes
from gossip.transports.intermud3.conversation import Conversation, code_of, speaker_of
from gossip.transports.intermud3.hub import TRANSPORT, View
from gossip.transports.intermud3.lists import Lists
from gossip.transports.intermud3.mudmode import Frames, MudmodeError, Value, read
from gossip.transports.intermud3.packets import (
    TTL,
    BadPacket,
    Packet,
    Startup,
    error,
    router_name,
    startup,
    understood,
)
from gossip.transports.intermud3.wire import I3Format, Subscribing
from gossip.transports.outlet import Outlet
from gossip.transports.seen_players import SeenPlayers

if TYPE_CHECKING:
    from gossip.transports.intermud3.factory import I3Factory

REASONS: Final = ("grammar", "origin", "ttl", "unknown", "rate")
"""Why packets are dropped."""

FRAMES_A_TURN: Final = 64
"""How many frames of a connection are handled in one turn of the reactor."""

SUPPORTS: Final = ("channels", "players", "tells", "games")

LIST_SECONDS: Final = 0.5
"""The time between two packets of lists, in seconds: old clients read so much."""

REFUSED_SECONDS: Final = 2.0
"""How long the answer to a login that was refused has to be read, in seconds."""

CLOSE_SECONDS: Final = 5.0
"""How long the last frame may take to leave, in seconds."""

BAD: Final = 20
"""So many frames in the name of others, or that nobody can read, within a minute end a connection."""

BAD_SECONDS: Final = 60.0
"""See L{BAD}."""

SILENCE: Final = 120.0
"""After this many seconds without a packet, a MUD is asked whether it is there."""

TOO_LONG: Final = 300.0
"""After this many seconds without a packet, the connection of a MUD ends that answered such a question before."""

PASSED_ON: Final = Rate(40, 5)
"""How many packets of a connection are passed on to other MUDs."""

_STARTUPS: Final = frozenset(("startup-req-1", "startup-req-2", "startup-req-3"))
_PASSWORDS: Final = 2**31 - 1

_log = Logger()


class Refused(Exception):
    """A frame that ends the connection."""


class LoggingIn(Struct, frozen=True):
    """The ref of a login."""


@implementer(IConnection)
class I3Connection(Inlet, Outlet, Protocol):
    """
    The connection of one MUD.

    @ivar client_id: the game of the MUD, once it has logged in.
    @ivar lists: what it is still to be told of the lists.
    @ivar conversation: understands its packets; C{None} until it has logged in.
    """

    transport_name = TRANSPORT
    direct_send = None  # each event is encoded, also those that are told to the MUD later, in its lists
    factory: I3Factory
    transport: Any
    lists: Lists

    def __init__(self, factory: I3Factory, peer_address: Address) -> None:
        self.factory = factory
        self.peer_address = peer_address
        self.wire_format = I3Format(self)
        self.conversation: Conversation | None = None
        self.client_id = ""
        self._frames = Frames(factory.transport.limits.frame_bytes_before_startup or _PASSWORDS)
        self._session: Session | None = None
        self._startup: Startup | None = None
        self._router = factory.settings.router
        self._wishes = Wishes()
        self._players = SeenPlayers()
        self._passed_on = factory.bucket()
        self._bad: deque[float] = deque(maxlen=BAD)
        self._waits = self._asking = self._refused = self._closing = False
        self._begun_at: float | None = None
        self._heard_at = self._listed_at = factory.gossip.now().steady
        self._asked = self._answers = False
        self._unwritten: list[bytes] = []
        self._turning: IDelayedCall | None = None
        self._deadline: IDelayedCall | None = None
        self._listing: IDelayedCall | None = None
        self._wishing: IDelayedCall | None = None

    @property
    def listens_to(self) -> Iterable[str]:
        """The channels that the MUD hears."""
        return () if self.conversation is None else self.conversation.heard_channels

    # What comes in.

    def connectionMade(self) -> None:
        factory, limits = self.factory, self.factory.transport.limits
        factory.transport.connected(self)
        with suppress(AttributeError, OSError):  # not every kind of socket has these options
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
            handle = self.transport.getHandle()
            for option, value in ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 20), (socket.TCP_KEEPCNT, 3)):
                handle.setsockopt(socket.IPPROTO_TCP, option, value)
        if limits.startup_seconds:
            self._deadline = factory.clock.callLater(limits.startup_seconds, self._abort)
        self.open_outlet(limits.backlog_bytes)
        self._session = factory.gossip.opened(self)

    def dataReceived(self, data: bytes) -> None:
        if self._closing or self._refused:
            return
        self._frames.receive(data)
        self.charge(len(data))
        self._go_on()

    def read_on(self) -> None:
        self._go_on()

    @property
    def budget(self) -> Budget:  # type: ignore[override]
        """What the connection can send: little before it has logged in."""
        budgets = self.factory.transport.limits.budgets
        return budgets.unauthenticated if self.conversation is None else budgets.authenticated

    def flooded(self) -> None:
        _log.info("cut off a flood: {peer}", peer=self.peer_address)
        self._abort()

    def _go_on(self) -> None:
        """Handle what was read, as far as it may be handled now."""
        self._waits = False
        for _ in range(FRAMES_A_TURN):
            if self._must_wait() or self._queued or not self._take():
                break
        else:
            self._waits = True
            self._at_end_of_turn()
        if not self._closing:
            self.choose_reading()

    def _take(self) -> bool:
        """Handle the next frame; returns whether there may be another one."""
        try:
            if not self._frames.ready():
                if len(self._frames) and self._begun_at is None:
                    self._begun_at = self.factory.gossip.now().steady
                return False
            if not self.has_turn(large=len(self._frames) > ITEM):
                return False
            frame = self._frames.take()
            self._begun_at = None
            if frame is not None:
                self.charge(ITEM)
                self._hear(frame)
        except (MudmodeError, Refused) as wrong:
            if self.conversation is not None:
                _log.info("cut off {mud}: {why}", mud=self.conversation.mud.name, why=str(wrong))
            self._end()
            return False
        except Exception:
            # A bug of ours ends this connection, and affects no other.
            _log.failure("a frame of the Intermud-3 port failed")
            self._end()
            return False
        return True

    def _must_wait(self) -> bool:
        return self._held or self._asking or self._closing or self._refused or self._rest is not None

    def may_read(self) -> bool:
        return self._closing or self._refused or (super().may_read() and not self._waits and not self._asking)

    def resume(self) -> None:
        super().resume()
        self._at_end_of_turn()

    def _hear(self, frame: bytes) -> None:
        packet = self._understood(frame)
        if packet is None:
            self._send_event(Noop(None))
            return
        self.factory.transport.received(packet.type)
        if self.conversation is None:
            self._introduce(packet)
            return
        self._heard_at, self._asked = self.factory.gossip.now().steady, False
        if packet.type in _STARTUPS:
            self._write(error(self._router, self.conversation.mud.name, "", "bad-proto", "you have logged in already"))
        elif packet.type == "auth-mud-reply" and packet.to_mud == self._router:
            self._answers = True
        else:
            self._converse(self.conversation, packet)
            return
        self._send_event(Noop(None))

    def _understood(self, frame: bytes) -> Packet | None:
        try:
            return understood(read(frame))
        except MudmodeError:
            self._drop("grammar")
        except BadPacket as bad:
            packet = bad.packet
            if packet is not None and packet.type != "error":
                self._write(error(self._router, packet.from_mud, packet.from_user, "bad-pkt", str(bad)))
            self._drop("grammar")
        return None

    def _drop(self, why: str) -> None:
        """
        A packet means nothing.

        @raise Refused: there were too many such packets.
        """
        factory = self.factory
        factory.transport.dropped(why)
        name = "a stranger" if self.conversation is None else self.conversation.mud.name
        factory.dropped.add(lambda: f"{name} ({why})")
        if why in ("grammar", "origin"):
            now = factory.gossip.now().steady
            self._bad.append(now)
            if len(self._bad) == BAD and self._bad[0] + BAD_SECONDS > now:
                raise Refused("it sent too much that is wrong, or in the name of others")

    def _send_event(self, event: ClientEvent) -> None:
        if self._session is not None:
            self.factory.gossip.received(self._session, event)

    # The login.

    def _introduce(self, packet: Packet) -> None:
        factory, session = self.factory, self._session
        if packet.type not in _STARTUPS:
            self._write(error(self._router, packet.from_mud, packet.from_user, "unk-src", "log in first"))
            return
        if session is None or session.situation is not Situation.NEW:
            return
        self._router = router_name(packet.to_mud, factory.settings.router)
        self._startup = said = startup(packet, str(self.peer_address))
        identity = factory.hub.identity(said.name)
        self._asking = True
        event = AuthenticateAsMud(
            LoggingIn(),
            "" if identity is None else identity.client_id,
            str(said.password),
            SUPPORTS,
            (),
            (),
            VERSION,
            said.record.mudlib or "Intermud-3",
            debug=False,
            use=TRANSPORT,
            lists_players=False,
            new_secret=str(1 + secrets.randbelow(_PASSWORDS)),
            same_address=factory.settings.same_address,
            record=msgspec.json.encode(said.record).decode(),
        )
        factory.gossip.received(session, event)

    def admitted(self, new_secret: str | None) -> bytes:
        """The MUD is logged in, and that is on disk; returns the answer."""
        factory, session, said = self.factory, self._session, self._startup
        mud = None if session is None else factory.hub.mud_of(session.client_id)
        if self._closing or session is None or said is None or mud is None:
            return b""
        self._asking = False
        self.client_id = session.client_id
        self.conversation = Conversation(mud, View(factory.hub, self._router, self.client_id))
        self._frames.limit = factory.transport.limits.frame_bytes or _PASSWORDS
        self.lists = Lists(factory.hub, self._router, mud.name, said.protocol)
        self.begin_anew()
        self._stop_deadline()
        self._heard_at = factory.gossip.now().steady
        self._listed_at = self._heard_at - LIST_SECONDS
        factory.admitted_peer(self.peer_address)
        factory.gossip.alive(session)
        self._at_end_of_turn()  # its next frames waited
        factory.clock.callLater(0, self._join)
        routers: list[Value] = [[self._router, factory.settings.address or self._dialled]]
        password = said.password if new_secret is None else int(new_secret)
        reply = Packet("startup-reply", TTL, self._router, "", mud.name, "", (routers, password))
        return factory.counted(reply.frame)

    def _join(self) -> None:
        """After the answer: the lists."""
        if self.conversation is not None and not self._closing:
            self.factory.hub.join(self)

    @property
    def _dialled(self) -> str:
        """The address that the MUD dialled."""
        here = self.transport.getHost()
        host = str(getattr(here, "host", "")).removeprefix("::ffff:")
        return f"{host} {getattr(here, 'port', 0)}"

    def refused(self, why: Error) -> bytes:
        """The MUD may not log in, or that could not be kept; returns the answer."""
        factory, said = self.factory, self._startup
        if self._closing or self._refused:
            return b""
        name = said.name if said is not None else ""
        site = factory.network.rules.settings.site
        text = why.text
        if why.code == "invalid-credentials":
            text = f"{acts.short(name)} is not registered here, or this is not its password"
            text += f": see {site}/connect" if site else ""
        self._leave_alone()
        return factory.counted(error(self._router, name, "", "not-allowed", text).frame)

    def _leave_alone(self) -> None:
        """The login was refused: the answer has a moment to be read."""
        self._refused, self._asking = True, False
        self._stop_deadline()
        self._deadline = self.factory.clock.callLater(REFUSED_SECONDS, self._end)

    # What a MUD wants.

    def _converse(self, conversation: Conversation, packet: Packet) -> None:
        now = self.factory.gossip.now()
        speaker = speaker_of(packet)
        if speaker:
            self._players.saw(speaker, now)
            self._list_players()
        counts = True
        for act in conversation.hear(packet):
            match act:
                case acts.Ask(event, channel):
                    if channel is not None and self._wishes.jump(channel, now.steady):
                        self._send_event(ChannelsSubscribe(None, channel))
                    self._send_event(event)
                    counts = False
                case acts.Reply(frame):
                    self.write(self.factory.counted(frame))
                case acts.Listen(channel, wanted):
                    self._listen(conversation, channel, wanted)
                case acts.Open(channel):
                    self._open(packet, channel)
                case acts.Pass() | acts.PassToAll():
                    self._pass(act, speaker)
                case acts.Drop(reason):
                    self._drop(reason)
                case acts.End():
                    self._end()
        if counts:  # the rate limit of the session is for all packets
            self._send_event(Noop(None))

    def _list_players(self) -> None:
        players = self._players.news(self.factory.gossip.now())
        if players is not None:
            self._send_event(Heartbeat(None, players))

    def _pass(self, act: acts.Pass | acts.PassToAll, speaker: str) -> None:
        factory, session = self.factory, self._session
        if session is None or session.situation is not Situation.ACTIVE:
            return
        if not self._passed_on.take(PASSED_ON, factory.gossip.now()):
            self._drop("rate")
        elif isinstance(act, acts.Pass):
            factory.hub.pass_to(act.mud.short_name, act.packet)
        elif not speaker or not factory.hub.is_silenced(session, speaker):
            factory.hub.pass_to_all(self.client_id, act.service, act.packet)

    def _open(self, packet: Packet, channel: str) -> None:
        if not CHANNEL_NAME.fullmatch(channel):
            text = "the name of a channel has 3 to 15 letters, hyphens and underscores"
            self._write(error(self._router, packet.from_mud, packet.from_user, "bad-pkt", text))
        elif self._wishes.jump(channel, self.factory.gossip.now().steady):
            if self.conversation is not None:
                self.conversation.heard_channels.add(channel)
            self._send_event(ChannelsSubscribe(Subscribing(channel), channel))

    def _listen(self, conversation: Conversation, channel: str, wanted: bool) -> None:
        if wanted:
            conversation.heard_channels.add(channel)
        else:
            conversation.heard_channels.discard(channel)
        self._wishes.add(channel, wanted)
        self._wish()

    def _wish(self) -> None:
        """Carry out what the MUD wants to hear, as fast as that may go."""
        now = self.factory.gossip.now().steady
        for channel, wanted in self._wishes.due(now):
            if wanted:
                self._send_event(ChannelsSubscribe(Subscribing(channel), channel))
            else:
                self._send_event(ChannelsUnsubscribe(None, channel))
        wait = self._wishes.wait(now)
        if wait is not None and self._wishing is None and not self._closing:
            self._wishing = self.factory.clock.callLater(wait, self._wish_again)

    def _wish_again(self) -> None:
        self._wishing = None
        self._wish()

    def unheard(self, channel: str, why: Error) -> bytes:
        """The MUD could not be subscribed to a channel; returns what it is told."""
        self._wishes.failed(channel)
        if self.conversation is None:
            return b""
        self.conversation.heard_channels.discard(channel)
        name = self.conversation.mud.name
        return self.factory.counted(error(self._router, name, "", code_of(why), f"{channel}: {why.text}").frame)

    # What goes out.

    def write(self, data: bytes) -> None:
        if not self._closing:
            self._unwritten.append(data)
            self._at_end_of_turn()

    def _write(self, packet: Packet) -> None:
        self.write(self.factory.counted(packet.frame))

    def send(self, packet: Packet) -> None:
        """Send a packet of another MUD."""
        self._write(packet)

    def _at_end_of_turn(self) -> None:
        if self._turning is None and not self._closing:
            self._turning = self.factory.clock.callLater(0, self._turn_over)

    def _turn_over(self) -> None:
        self._turning = None
        self._flush()
        self._go_on()

    def _flush(self) -> None:
        unwritten, self._unwritten = self._unwritten, []
        if unwritten:
            self.send_bytes(b"".join(unwritten))

    def lists_changed(self) -> None:
        """The MUD is to be told of its lists."""
        if self._listing is None and self.lists and not self._closing:
            wait = max(0.0, self._listed_at + LIST_SECONDS - self.factory.gossip.now().steady)
            self._listing = self.factory.clock.callLater(wait, self._list)

    def _list(self) -> None:
        """Tell the MUD one packet of its lists, unless it reads too slowly."""
        self._listing = None
        self._listed_at = self.factory.gossip.now().steady
        if self.lists and not self.unsent:
            kind, frame = self.lists.next()
            self.factory.transport.sent(kind)
            self.write(frame)
        self.lists_changed()

    # Time.

    def beat(self) -> None:
        """Time went by: is the MUD there?"""
        session, now = self._session, self.factory.gossip.now().steady
        limit = self.factory.transport.limits.startup_seconds
        if self._begun_at is not None and limit and self._begun_at + limit < now:
            self._end()
        if self.conversation is None or session is None or self._closing:
            return
        self.factory.gossip.alive(session)
        self._list_players()
        silent = now - self._heard_at
        if silent >= TOO_LONG and self._answers:
            self._end()
        elif silent >= SILENCE and not self._asked:
            self._asked = True
            self._write(Packet("auth-mud-req", TTL, self._router, "", self.conversation.mud.name, ""))

    # The end.

    def close(self, code: int, why: Error) -> None:
        if not self._refused:
            self._end()

    def replaced(self) -> None:
        """The game has logged in again: this connection is not needed any more."""
        self._end()

    def stop(self) -> None:
        """The daemon stops."""
        self._end()

    def _end(self) -> None:
        """End the connection, after what was written; at once if nothing was ever said to it."""
        if self._closing:
            return
        if self.conversation is None and not self._refused:
            self._abort()
            return
        self.factory.gossip.flush()  # the last frames of this turn
        self._flush()
        self._tidy()
        # A peer that reads nothing would keep the connection open.
        self._deadline = self.factory.clock.callLater(CLOSE_SECONDS, self.transport.abortConnection)
        self.choose_reading()
        self.transport.loseConnection()

    def _abort(self) -> None:
        self._flush()
        self._tidy()
        self.transport.abortConnection()

    def _tidy(self) -> None:
        self._closing = True
        self.shut()
        self.shut_inlet()
        self._stop_deadline()
        for call in (self._turning, self._listing, self._wishing):
            if call is not None and call.active():
                call.cancel()
        self._turning = self._listing = self._wishing = None
        self._unwritten.clear()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        factory, was_logged_in = self.factory, self.conversation is not None
        self._tidy()
        self.conversation = None
        factory.transport.disconnected(self, was_logged_in)
        factory.room.leave()
        if was_logged_in:
            factory.hub.leave(self)
        if self._session is not None:
            factory.gossip.lost(self._session)

    def _stop_deadline(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None
