"""Players: they enter and leave games (protocol specification, players/sign-in and sign-out)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Raw

from gossip.network.answers import success
from gossip.network.audiences import Supporters
from gossip.network.channels import checked_name
from gossip.network.moderation import Moderation
from gossip.network.nodes import Nodes
from gossip.network.outputs import Broadcast, Outputs
from gossip.network.ratelimit import spend
from gossip.network.session import Session
from gossip.network.settings import Rules
from gossip.protocol.errors import Denied
from gossip.protocol.events import PlayersSignIn, PlayersSignOut
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import PlayersSignedIn, PlayersSignedOut


class Players:
    """The players that each session lists."""

    def __init__(self, moderation: Moderation, nodes: Nodes, new_ref: Callable[[], Raw], rules: Rules) -> None:
        self._moderation = moderation
        self._nodes = nodes
        self._new_ref = new_ref
        self._rules = rules

    def replace(self, session: Session, names: Sequence[str]) -> bool:
        """
        A session says who is online; nobody else is told.

        Names are cleaned. Empty and overlong ones, those of the network, and more than the limit are left out silently.

        @return: whether the session listed others before.
        """
        limits = self._rules.limits
        listed = session.players
        # Most heartbeats bring no news, and what others are told of the game stays as it was written.
        if len(names) == len(listed) <= (limits.players or len(listed)) and list(listed) == list(names):
            return False
        players: dict[str, None] = {}
        for name in names:
            if name not in listed:  # what it listed before was checked then
                try:
                    name = checked_name(name, limits)
                except Denied:
                    continue
            players[name] = None
            if len(players) == limits.players:
                break
        if list(players) == list(listed):
            return False
        session.list_players(players)
        if session.online is not None:
            session.online.changed()
        return True

    def sign_in(self, session: Session, event: PlayersSignIn, now: Moment) -> Outputs:
        """A player entered a game; other games are told, unless a session of this one lists the player already."""
        online = session.online
        assert online is not None
        name = checked_name(event.name, self._rules.limits)
        self._moderation.check_player(online.game.client_id, session.peer, name, now)
        spend(online.buckets, "players_sign_in", self._rules.limits.rates.players_sign_in, now)
        came = not online.lists(name)
        most = self._rules.limits.players
        if most and came and len(session.players) >= most:
            return [*success(session, event, now)]
        session.list_player(name)
        online.changed()
        told = PlayersSignedIn(self._new_ref(), online.game.short_name, name) if came else None
        others = self._nodes.signed_in(session, name)
        return [*self._tell(session, told), *others, *success(session, event, now)]

    def sign_out(self, session: Session, event: PlayersSignOut, now: Moment) -> Outputs:
        """A player left a game: it goes off the lists of all its sessions."""
        online = session.online
        assert online is not None
        name = checked_name(event.name, self._rules.limits)
        spend(online.buckets, "players_sign_out", self._rules.limits.rates.players_sign_out, now)
        went = online.lists(name)
        online.signed_out(name)
        told = PlayersSignedOut(self._new_ref(), online.game.short_name, name) if went else None
        others = self._nodes.signed_out(session, name)
        return [*self._tell(session, told), *others, *success(session, event, now)]

    def _tell(self, session: Session, told: PlayersSignedIn | PlayersSignedOut | None) -> Outputs:
        online = session.online
        assert online is not None
        if told is None or online.game.hidden or online.game.hides_players:
            return []
        return [Broadcast(Supporters("players", online.game.client_id), told)]
