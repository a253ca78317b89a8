"""
One connection of the IMC2 port: its login, its lines and its end (IMC2, sections 1, 3 and 4).

A client reads without end after a FIN that comes before the answer to its login, and its whole MUD hangs. Until then a
connection ends only by an RST, and nothing is sent before the client has spoken.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from gossip.network.rehearsal import SERVICE_RESTART
from gossip.network.session import Session, Situation
from gossip.protocol.errors import Error
from gossip.protocol.events import VERSION, AuthenticateByKey, ChannelsSubscribe, ChannelsUnsubscribe, ClientEvent, Quit
from gossip.protocol.server_events import Authenticated, NotAuthenticated, ServerEvent
from gossip.registry.addresses import Address
from gossip.registry.entities import Secret
from gossip.registry.secret import IMC2, SERVER_WORD, secrets_of
from gossip.service.interfaces import IConnection
from gossip.transports.budget import ITEM, Budget
from gossip.transports.imc2 import login as logins
from gossip.transports.imc2.dialect import Dialect, Spoofing
from gossip.transports.imc2.login import Asking, Plain, Proved
from gossip.transports.imc2.packets import Lines, Packet
from gossip.transports.imc2.wire import Imc2Format
from gossip.transports.inlet import Inlet
from gossip.transports.outlet import Outlet
from gossip.transports.telnet.lines import decode

if TYPE_CHECKING:
    from gossip.transports.imc2.factory import Imc2Factory

LINES_A_TURN: Final = 64
"""How many lines of a connection are handled in one turn of the reactor."""

MANY_LINES: Final = 8
"""A connection that keeps more lines than this lets those go first that keep only a few."""

REFUSED_SECONDS: Final = 15.0
"""How long a client that was refused has to leave by itself, in seconds."""

CLOSE_SECONDS: Final = 5.0
"""How long the last line may take to leave, in seconds."""

SUPPORTS: Final = ("channels", "players", "tells", "games")

_log = Logger()


class Refused(Protocol):
    """A connection for which there is no room. It ends by an RST, and is not answered: "full" would be forever."""

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()


class Login(Struct, frozen=True):
    """
    The ref of a login.

    @ivar welcome: what is answered if it succeeds.
    """

    mud: str
    welcome: str


@implementer(IConnection)
class Imc2Connection(Inlet, Outlet, Protocol):
    """
    The connection of one MUD.

    @ivar dialect: understands its packets, from the login on.
    @ivar relayed: how much it has had passed on to other MUDs.
    """

    transport_name = "imc2"
    direct_send = None  # nothing leaves before the client has spoken
    factory: Imc2Factory
    transport: Any
    dialect: Dialect
    wire_format: Imc2Format

    def __init__(self, factory: Imc2Factory, peer_address: Address) -> None:
        self.factory = factory
        self.peer_address = peer_address
        self.relayed = factory.bucket()
        self._lines = Lines()
        self._unheard: deque[bytes] = deque()
        self._session: Session | None = None
        self._challenge: int | None = None
        self._logged_in = False
        self._replacing = False
        self._refused = False
        self._closing = False
        self._unwritten: list[bytes] = []
        self._deadline: IDelayedCall | None = None

    @property
    def active(self) -> Session | None:
        """The session, while it is logged in."""
        session = self._session
        return session if session is not None and session.situation is Situation.ACTIVE else None

    # What comes in.

    def connectionMade(self) -> None:
        factory, limits = self.factory, self.factory.transport.limits
        factory.transport.connected(self)
        with suppress(AttributeError, OSError):  # not every kind of socket has these options
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
        if limits.login_seconds:
            self._deadline = factory.clock.callLater(limits.login_seconds, self._abort)
        self.open_outlet(limits.backlog_bytes)

    def dataReceived(self, data: bytes) -> None:
        if self._closing or self._refused:
            return
        limits = self.factory.transport.limits
        lines = self._lines.receive(data)
        self._unheard.extend(lines)
        most = limits.unended_bytes if self._logged_in else limits.line_bytes_before_login or limits.unended_bytes
        # The login may be in the same read as the beginning of a longer line.
        if most and self._lines.unended > max(most, 0 if not lines else limits.unended_bytes):
            self._end()
            return
        self.charge(len(data) + ITEM * max(data.count(b"\n") - len(lines), 0))
        session = self.active
        if lines and session is not None:
            self.factory.gossip.alive(session)
        self._go_on()

    def read_on(self) -> None:
        self._go_on()

    @property
    def budget(self) -> Budget:  # type: ignore[override]
        """What the connection can send: little before it has logged in."""
        budgets = self.factory.transport.limits.budgets
        return budgets.authenticated if self._logged_in else budgets.unauthenticated

    def flooded(self) -> None:
        _log.info("cut off a flood: {peer}", peer=self.peer_address)
        self._abort()

    def _go_on(self) -> None:
        """Handle what was read, as far as it may be handled now."""
        for _ in range(LINES_A_TURN):
            if not self._unheard or self._must_wait() or not self.has_turn(len(self._unheard) > MANY_LINES):
                break
            try:
                self._hear(self._unheard.popleft())
            except Exception:
                # A bug of ours ends this connection, and affects no other.
                _log.failure("a line of the IMC2 port failed")
                self._end()
        if self._closing:
            return
        self.choose_reading()
        if self._unheard and not self._must_wait():
            self.factory.end_of_turn.call(self)

    def _must_wait(self) -> bool:
        answering = self._session is not None and not self._logged_in  # one login is all that a connection has
        return self._held or self.keeps or self._closing or self._refused or answering

    def may_read(self) -> bool:
        return self._closing or (super().may_read() and not self._unheard)

    def resume(self) -> None:
        self._let_in()  # the login may have waited
        super().resume()
        self.factory.end_of_turn.call(self)

    def _hear(self, line: bytes) -> None:
        limits = self.factory.transport.limits
        most = limits.line_bytes if self._logged_in else limits.line_bytes_before_login
        if most and len(line) > most:
            self._end()
        elif not self._logged_in:
            self._log_in(decode(line, "utf-8"))
        else:
            self.wire_format.speaks = True
            try:
                heard = self.dialect.read(decode(line, "utf-8"), self.factory.gossip.now())
            except Spoofing:
                _log.info("cut off {mud}: it spoke in the name of others", mud=self.dialect.mud)
                self._end()
                return
            for event in heard:
                self._take(event)

    def _take(self, event: ClientEvent) -> None:
        if self._session is not None:
            self.factory.gossip.received(self._session, event)

    # The login.

    def _log_in(self, line: str) -> None:
        """Handle a line before the login has succeeded. With an empty key the login fails, and counts as wrong."""
        factory = self.factory
        match logins.read(line):
            case Plain(mud, key, server_password) as login:
                by_sha256 = (
                    login.knows_sha256
                    and server_password == SERVER_WORD
                    and any(secret.clear == key.lower() for secret in self._kept_in_clear(mud))
                )
                self._authenticate(mud, key, self._welcome(login, by_sha256))
            case Asking(mud) if self._challenge is None and self._kept_in_clear(mud):
                self._challenge = factory.new_challenge()
                self.send_bytes(f"{logins.challenge(factory.server, self._challenge)}\r\n".encode())
            case Proved(mud, shown) as login if self._challenge is not None:
                key = logins.proved(self._challenge, shown, self._kept_in_clear(mud))
                self._authenticate(mud, key, self._welcome(login))
            case Asking(mud) | Proved(mud):
                name = logins.shown(mud)
                self._refuse(f"SHA-256 is not used here: type imcconfig localname {name}, then imcconnect")
            case None:
                self._abort()

    def _kept_in_clear(self, mud: str) -> list[Secret]:
        """The keys of a game that it can log in with by SHA-256."""
        factory, now = self.factory, self.factory.gossip.now().wall
        game = factory.network.registry.game_named(mud)
        if game is None or not factory.settings.sha256:
            return []
        keys = secrets_of(game, IMC2)
        return [key for key in keys if key.clear is not None and (key.expires is None or key.expires > now)]

    def _welcome(self, login: Plain | Proved, by_sha256: bool = False) -> str:
        return logins.welcome(login, self.factory.server, self.factory.settings.network, by_sha256)

    def _authenticate(self, mud: str, key: str, welcome: str) -> None:
        factory = self.factory
        game = factory.network.registry.game_named(mud)
        self.dialect = Dialect(factory.hub, mud, self._note_dropped, factory.transport.received)
        self.wire_format = Imc2Format(factory, self.dialect, self._answer)
        self._session = session = factory.gossip.opened(self)
        event = AuthenticateByKey(
            Login(mud, welcome),
            "" if game is None else game.client_id,
            key,
            SUPPORTS,
            tuple(factory.hub.offered()),
            (),
            VERSION,
            "IMC2",
            debug=False,
            name=mud,
            use=IMC2,
            lists_players=False,
        )
        factory.gossip.received(session, event)
        self._let_in()

    def _let_in(self) -> None:
        """The login is good, if the session is active now. If not, it is refused at the end of the turn."""
        factory, session = self.factory, self.active
        if session is None or session.online is None or self._logged_in:
            return
        self.dialect.game = session.online.game.short_name
        if factory.hub.mud(self.dialect.game) and not factory.may_replace(session.client_id):
            self._replacing = True
            self._take(Quit(None))
            return
        factory.hub.join(self)
        self._logged_in = True
        self.begin_anew()
        self._stop_deadline()
        factory.admitted_peer(self.peer_address)
        factory.gossip.alive(session)

    def _note_dropped(self, why: str) -> None:
        self.factory.transport.dropped(why)
        self.factory.dropped.add(lambda: f"{self.dialect.game} ({why})")

    def _answer(self, event: ServerEvent) -> bytes:
        """Write the answer to the login."""
        match event:
            case Authenticated(Login()) if self._replacing:
                return f"{logins.taken(self.factory.server)}\r\n".encode()
            case Authenticated(Login(_, welcome)):
                return f"{welcome}\r\n".encode()
            case NotAuthenticated(Login(mud), error) if error.code == "invalid-credentials":
                site = self.factory.network.rules.settings.site
                return self._notice(f"wrong key for {logins.shown(mud)}{f': see {site}/connect' if site else ''}")
            case NotAuthenticated(_, error):
                return self._notice(error.text)
        return b""

    def _notice(self, why: str) -> bytes:
        return f"{logins.notice(self.factory.server, self.factory.text(why))}\r\n".encode("ascii", "replace")

    def _refuse(self, why: str) -> None:
        self.send_bytes(self._notice(why))
        self._leave_alone()

    def _leave_alone(self) -> None:
        """The login was refused: the client leaves by itself. If not, an RST ends the connection."""
        self._refused = True
        self._unheard.clear()
        self._stop_deadline()
        self._deadline = self.factory.clock.callLater(REFUSED_SECONDS, self._abort)
        self.choose_reading()

    # What goes out.

    def write(self, data: bytes) -> None:
        if not self._closing:
            self._unwritten.append(data)
            self.factory.end_of_turn.call(self)

    def send(self, packets: Iterable[Packet]) -> None:
        """Send packets that the network knows nothing of."""
        if self._logged_in and self.wire_format.speaks:
            self.write(b"".join(map(self.factory.write, packets)))

    def turn_over(self) -> None:
        """The turn of the reactor is over: write what it brought, in one piece, and handle what waits."""
        if not self._closing:
            self._flush()
            self._go_on()

    def _flush(self) -> None:
        unwritten, self._unwritten = self._unwritten, []
        if unwritten:
            self.send_bytes(b"".join(unwritten))

    def look(self, came: Sequence[str], went: Sequence[str]) -> None:
        """Tell the MUD of channels that are offered from now on, and of those that no longer are."""
        if self.active is None or not self._logged_in:
            return
        hub = self.factory.hub
        self.send([*(hub.offer(name, self.dialect.mud) for name in came), *map(hub.withdraw, went)])
        for name in came:
            self._take(ChannelsSubscribe(None, name))
        for name in went:
            self._take(ChannelsUnsubscribe(None, name))
        for event in self.dialect.players(self.factory.gossip.now()):
            self._take(event)

    # The end.

    def close(self, code: int, why: Error) -> None:
        if self._logged_in or code == SERVICE_RESTART:
            self._end()  # a client that was told nothing tries again
        elif not self._closing:
            self._leave_alone()

    def replaced(self) -> None:
        """The game has logged in again: this connection is not needed any more."""
        self._end()

    def stop(self) -> None:
        """The daemon stops."""
        self._end()

    def _end(self) -> None:
        """End the connection: by a FIN once the client has logged in, and by an RST before."""
        if self._closing:
            return
        if not self._logged_in:
            self._abort()
            return
        self.factory.gossip.flush()  # the last lines of this turn
        self._flush()
        self._closing = True
        self._tidy()
        self.shut()
        # A peer that reads nothing would keep the connection open.
        self._deadline = self.factory.clock.callLater(CLOSE_SECONDS, self.transport.abortConnection)
        self.choose_reading()
        self.transport.loseConnection()

    def _abort(self) -> None:
        self._closing = True
        self._tidy()
        self.shut()
        self.transport.abortConnection()

    def _tidy(self) -> None:
        self._unheard.clear()
        self._unwritten.clear()
        self._stop_deadline()
        self.shut_inlet()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        factory, was_logged_in = self.factory, self._logged_in
        self._closing = True
        self._logged_in = False
        self._tidy()
        self.shut()
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
