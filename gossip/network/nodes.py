"""
The other nodes: several daemons that are one network.

Each node tells the others what becomes of its own sessions, and keeps a copy of theirs. Games, players and counts are
made of all of them, so that a game cannot tell on which node another one is. A daemon that is alone tells nobody, and
knows no copies.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from msgspec import Raw
from msgspec.structs import astuple

from gossip.network.audiences import Audiences, SessionsOf, Supporters
from gossip.network.listing import Listed, Listing
from gossip.network.outputs import Broadcast, Outputs, Relay, Send
from gossip.network.presence import Presence, to_others
from gossip.network.relays import (
    PlayersReplaced,
    Relayed,
    RemoteGame,
    SessionJoined,
    SessionLeft,
    SignedIn,
    SignedOut,
    Spoke,
    Subscribed,
    Told,
    Unsubscribed,
    WrongSecret,
)
from gossip.network.session import Session, Situation
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import GamesConnect, GamesDisconnect, PlayersSignedIn, PlayersSignedOut, TellsReceive
from gossip.registry.addresses import read
from gossip.registry.entities import Game
from gossip.registry.registry import Registry


class Nodes:
    """
    What is told to other nodes, and what is known of their sessions.

    @ivar shared: whether there can be other nodes.
    """

    def __init__(
        self,
        registry: Registry,
        presence: Presence,
        audiences: Audiences,
        new_ref: Callable[[], Raw],
        shared: bool,
    ) -> None:
        self.shared = shared
        self._registry = registry
        self._presence = presence
        self._audiences = audiences
        self._new_ref = new_ref
        self._given = 0
        self._own: dict[int, Session] = {}
        self._copies: dict[str, dict[int, Session]] = {}
        self._listing = Listing()

    # What becomes of sessions here.

    def joined(self, session: Session) -> Outputs:
        """A session authenticated."""
        if not self.shared:
            return []
        self._given += 1
        session.number = self._given
        self._own[session.number] = session
        return [Relay(joined(session))]

    def left(self, session: Session, now: Moment) -> Outputs:
        """A session that had authenticated ended."""
        outputs = self._end(session, now)
        if not self.shared:
            return outputs
        del self._own[session.number]
        return [*outputs, Relay(SessionLeft(session.number))]

    def _end(self, session: Session, now: Moment) -> Outputs:
        """A session is no longer present, here or elsewhere. With its last one, a remote game goes without a grace."""
        self._presence.leave(session, now)
        online = session.online
        assert online is not None
        if online.game.through is None or online.sessions:
            return []
        self._presence.forget(online.game.client_id)
        self._registry.remotes.went(online.game.client_id)
        return to_others(online, GamesDisconnect(self._new_ref(), online.game.short_name))

    def subscribed(self, session: Session, channel: str) -> Outputs:
        """A session subscribed to a channel."""
        return [Relay(Subscribed(session.number, channel))] if self.shared else []

    def unsubscribed(self, session: Session, channel: str) -> Outputs:
        """A session unsubscribed from a channel."""
        return [Relay(Unsubscribed(session.number, channel))] if self.shared else []

    def replaced(self, session: Session) -> Outputs:
        """The list of players of a session is another one than before."""
        return self._lists(session, PlayersReplaced(session.number, tuple(session.players)))

    def signed_in(self, session: Session, name: str) -> Outputs:
        """A player entered a game."""
        return self._lists(session, SignedIn(session.number, name))

    def signed_out(self, session: Session, name: str) -> Outputs:
        """A player left a game."""
        return self._lists(session, SignedOut(session.client_id, name))

    def _lists(self, session: Session, relay: Listed) -> Outputs:
        if not self.shared:
            return []
        self._listing.tell(session.client_id, relay)
        return [Relay(relay)]

    def told(self, client_id: str, told: TellsReceive, then: tuple[Send, ...], otherwise: tuple[Send, ...]) -> Outputs:
        """A player tells something to one of a game that has sessions elsewhere: this node hears it back as well."""
        _, *fields = astuple(told)
        return [Relay(Told(client_id, *fields), then, otherwise)]

    def wrong_secret(self, client_id: str, session: Session) -> Outputs:
        """A session used a wrong secret of a game."""
        return [Relay(WrongSecret(client_id, str(session.peer)))] if self.shared else []

    def spoke(self, account: str) -> Outputs:
        """A person on the pages spoke."""
        return [Relay(Spoke(account))] if self.shared else []

    # What others say of theirs.

    def relayed(self, node: str, relay: Relayed, now: Moment) -> Outputs:
        """
        A node tells something of its sessions. What it tells of one that is not known is out of date: there is nothing
        to do.

        @param node: the name of the node; empty for this one, which hears its own relays as well.
        """
        if isinstance(relay, Listed) and not node and self._listing.stands(relay):
            return []
        match relay:
            case Told(client_id, from_game, from_name, to_name, sent_at, message):
                told = TellsReceive(self._new_ref(), from_game, from_name, to_name, sent_at, message)
                return [Broadcast(SessionsOf(client_id, "tells"), told)]
            case SessionJoined() if node:
                self._listing.interfere(relay.client_id)
                return self._join(node, relay, now)
            case SignedOut(client_id, name):
                if node:
                    self._listing.interfere(client_id)
                return self._sign_out(client_id, name)
            case SessionLeft(number) | Subscribed(number) | Unsubscribed(number) if node:
                session = self._copies.get(node, {}).get(number)
                return [] if session is None else self._change(session, relay, now)
            case PlayersReplaced(number) | SignedIn(number):
                # Own ones as well: a player may have been signed out by another node just before.
                session = (self._copies.get(node, {}) if node else self._own).get(number)
                if session is None:
                    return []
                if node:
                    self._listing.interfere(session.client_id)
                return self._change(session, relay, now)
        return []

    def gone(self, node: str, now: Moment) -> Outputs:
        """A node is gone, and all of its sessions with it. Their games have the grace to come back elsewhere."""
        return [output for session in self._copies.pop(node, {}).values() for output in self._leave(session, now)]

    def replace(self, node: str, sessions: Iterable[SessionJoined], now: Moment) -> Outputs:
        """A node has these sessions and no others: those that are known stay as they are."""
        theirs = {each.number: each for each in sessions}
        known = self._copies.setdefault(node, {})
        outputs: Outputs = []
        for number in [number for number, session in known.items() if not _is_of(session, theirs.get(number))]:
            outputs += self._leave(known.pop(number), now)
        for number, each in theirs.items():
            # What it said of their players meanwhile was not heard.
            self._listing.interfere(each.client_id)
            session = known.get(number)
            if session is None:
                outputs.extend(self._join(node, each, now))
            else:
                self._stands(session, each)
        return outputs

    def changed_by(self, relay: Relayed) -> tuple[SessionJoined, ...]:
        """How the sessions of this node stand that a relay of this node is about."""
        match relay:
            case SignedOut(client_id):
                online = self._presence.online(client_id)
                found = () if online is None else online.here
            case (
                SessionJoined(number)
                | Subscribed(number)
                | Unsubscribed(number)
                | PlayersReplaced(number)
                | SignedIn(number)
            ):
                session = self._own.get(number)
                found = () if session is None else (session,)
            case _:
                found = ()
        return tuple(map(joined, found))

    @property
    def own(self) -> list[SessionJoined]:
        """The sessions of this node, as others are told of them."""
        return [joined(session) for session in self._own.values()]

    @property
    def copies(self) -> Iterator[Session]:
        """The sessions of all other nodes."""
        return (session for theirs in self._copies.values() for session in theirs.values())

    def sessions_of(self, node: str) -> Collection[Session]:
        """The sessions of a node; those of this one have no name."""
        return self._copies.get(node, {}).values() if node else self._own.values()

    @property
    def known(self) -> list[str]:
        """The nodes that sessions are known of."""
        return list(self._copies)

    def removed(self, channel: str) -> None:
        """A channel is gone: no copy is subscribed to it any more."""
        for theirs in self._copies.values():
            for session in theirs.values():
                self._unsubscribe(session, channel)

    def subscribed_channels(self) -> set[str]:
        """The channels that sessions of other nodes are subscribed to."""
        return {name for theirs in self._copies.values() for session in theirs.values() for name in session.channels}

    def _stands(self, session: Session, relay: SessionJoined) -> None:
        """A copy stands as its node says."""
        for name in [name for name in session.channels if name not in relay.channels]:
            self._unsubscribe(session, name)
        for name in relay.channels:
            self._subscribe(session, name)
        session.list_players(relay.players)
        _changed(session)

    def _subscribe(self, session: Session, channel: str) -> None:
        if channel not in session.channels:
            session.channels[channel] = None
            self._count(session, channel, 1)

    def _unsubscribe(self, session: Session, channel: str) -> None:
        if channel in session.channels:
            del session.channels[channel]
            self._count(session, channel, -1)

    def _count(self, session: Session, channel: str, change: int) -> None:
        """A copy subscribed to a channel, or unsubscribed from it. For a remote game, its gateway does."""
        if session.through is None:
            self._audiences.count_elsewhere(session.client_id, channel, change)

    def _join(self, node: str, relay: SessionJoined, now: Moment) -> Outputs:
        game = self._registry.games.get(relay.client_id) or _remote_game(relay)
        if game is None:
            return []
        known = self._copies.get(node, {}).get(relay.number)
        if known is not None:
            # It was among the sessions that this node read when the other one joined.
            self._stands(known, relay)
            return []
        session = Session(read(relay.peer), relay.transport, node)
        session.number = relay.number
        session.situation = Situation.ACTIVE
        session.opened_at = relay.opened_at
        session.supports = frozenset(relay.supports) - ({"tells"} if game.hides_players else set())
        session.list_players(relay.players)
        session.lists_players = relay.lists_players
        self._copies.setdefault(node, {})[relay.number] = session
        session.online, came = self._presence.join(session, game, now)
        if game.through is not None:
            self._registry.remotes.came(game)
        for name in relay.channels:
            self._subscribe(session, name)
        return to_others(session.online, GamesConnect(self._new_ref(), game.short_name)) if came else []

    def _change(self, session: Session, relay: Relayed, now: Moment) -> Outputs:
        outputs: Outputs = []
        match relay:
            case SessionLeft(number):
                del self._copies[session.node][number]
                return self._leave(session, now)
            case Subscribed(_, channel):
                self._subscribe(session, channel)
            case Unsubscribed(_, channel):
                self._unsubscribe(session, channel)
            case PlayersReplaced(_, players):
                session.list_players(players)
            case SignedIn(_, name):
                outputs = self._sign_in(session, name)
        _changed(session)
        return outputs

    def _sign_in(self, session: Session, name: str) -> Outputs:
        online = session.online
        assert online is not None
        came = not online.lists(name)
        session.list_player(name)
        game = online.game
        if not came or game.hidden or game.hides_players:
            return []
        told = PlayersSignedIn(self._new_ref(), game.short_name, name)
        return [Broadcast(Supporters("players", game.client_id), told)]

    def _sign_out(self, client_id: str, name: str) -> Outputs:
        online = self._presence.online(client_id)
        if online is None or not online.lists(name):
            return []
        online.signed_out(name)
        game = online.game
        if game.hidden or game.hides_players:
            return []
        told = PlayersSignedOut(self._new_ref(), game.short_name, name)
        return [Broadcast(Supporters("players", client_id), told)]

    def _leave(self, session: Session, now: Moment) -> Outputs:
        session.situation = Situation.GONE
        for name in session.channels:
            self._count(session, name, -1)
        return self._end(session, now)


def joined(session: Session) -> SessionJoined:
    """A session, as other nodes are told of it."""
    assert session.online is not None
    game = session.online.game
    return SessionJoined(
        session.number,
        session.client_id,
        str(session.peer),
        session.transport,
        session.opened_at,
        tuple(sorted(session.supports)),
        tuple(session.channels),
        tuple(session.players),
        session.lists_players,
        None if game.through is None else RemoteGame(game.short_name, game.name, game.hidden),
    )


def _remote_game(relay: SessionJoined) -> Game | None:
    """The remote game of a session of another node."""
    game = relay.remote
    if game is None:
        return None
    return Game(client_id=relay.client_id, short_name=game.short_name, name=game.name, secrets=(), hidden=game.hidden)


def _is_of(session: Session, relay: SessionJoined | None) -> bool:
    return relay is not None and (session.client_id, session.opened_at) == (relay.client_id, relay.opened_at)


def _changed(session: Session) -> None:
    assert session.online is not None
    session.online.changed()
