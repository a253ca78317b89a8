"""What happens when a game joins: its session gets its flags, channels and players, and the others hear of it."""

from __future__ import annotations

from collections.abc import Callable
from sys import intern
from typing import Final

from msgspec import Raw

from gossip.network.authentication import Authentication, WrongSecretUsed
from gossip.network.channels import Channels
from gossip.network.endings import Endings
from gossip.network.heartbeats import Heartbeats
from gossip.network.history import History
from gossip.network.mud_logins import MudLogins
from gossip.network.nodes import Nodes
from gossip.network.notes import Notes, coming_online
from gossip.network.outputs import Outputs, Send
from gossip.network.players import Players
from gossip.network.presence import Presence, to_others
from gossip.network.session import Session, Situation
from gossip.network.settings import Rules
from gossip.protocol.errors import Denied
from gossip.protocol.events import Authenticate, AuthenticateByKey
from gossip.protocol.flags import HISTORY, granted
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import Authenticated, GamesConnect, NotAuthenticated
from gossip.protocol.text import clean_name
from gossip.registry.changes import GameSeen, UserAgentMet
from gossip.registry.registry import Registry

DEBUG: Final = 300.0
"""How long a session with C{debug} gets answers to requests without a ref, in seconds."""

USER_AGENTS: Final = 10_000
"""At most this many code bases are noted."""

_USER_AGENT, _VERSION = 200, 20
"""How many characters of a code base's name, and of a protocol version, are kept."""


class Joining:
    """Lets games join."""

    def __init__(
        self,
        registry: Registry,
        presence: Presence,
        channels: Channels,
        authentication: Authentication,
        muds: MudLogins,
        players: Players,
        history: History,
        heartbeats: Heartbeats,
        endings: Endings,
        nodes: Nodes,
        notes: Notes,
        new_ref: Callable[[], Raw],
        rules: Rules,
    ) -> None:
        self._registry = registry
        self._presence = presence
        self._channels = channels
        self._authentication = authentication
        self._muds = muds
        self._players = players
        self._history = history
        self._heartbeats = heartbeats
        self._endings = endings
        self._nodes = nodes
        self._notes = notes
        self._new_ref = new_ref
        self._rules = rules

    def knows(self, session: Session, event: Authenticate, now: Moment) -> bool:
        """May a session join, and hear the channels that it wants, as far as this node knows? Nothing is counted."""
        may_join = self._channels.may_join
        return self._authentication.knows(session, event, now) and all(map(may_join, event.channels or ()))

    def join(self, session: Session, event: Authenticate, now: Moment) -> Outputs:
        """A new session authenticates: it joins, or it is told why not and ends."""
        try:
            game, supports = self._authentication.judge(session, event, now)
        except Denied as denied:
            outputs = self._endings.dismiss(session, NotAuthenticated(event.ref, denied.error), now)
            if isinstance(denied, WrongSecretUsed):
                outputs.extend(self._nodes.wrong_secret(denied.client_id, session))
            return outputs
        del self._endings.waiting[session]
        session.situation = Situation.ACTIVE
        session.lists_players = not isinstance(event, AuthenticateByKey) or event.lists_players
        extensions = None if event.extensions is None else granted(event.extensions)
        session.extensions = frozenset(extensions or ())
        session.supports = supports | {HISTORY} if HISTORY in session.extensions else supports
        session.debug_until = now.steady + DEBUG if event.debug else 0.0
        session.online, came = self._presence.join(session, game, now)
        outputs = self._muds.welcome(session, event, Authenticated(event.ref, game.short_name, extensions))
        # A name given twice is one wish: an undeserved failure throws a client in the field into a loop.
        for name in list(dict.fromkeys(event.channels or ()))[: self._rules.limits.channels or None]:
            if (
                self._channels.may_join(name)
                and not self._channels.ban_of(session, name, now)
                and self._channels.may_create(session, name, now)
            ):
                outputs.extend(self._channels.join(session, name, now))
            else:
                outputs.append(Send(session, self._channels.unjoined(name)))
        self._players.replace(session, event.players or ())
        outputs.append(self._heartbeats.beat(session))
        outputs.extend(self._history.resume(session, event.resume or {}))
        self._heartbeats.begin(session, now)
        outputs.extend(self._seen(game.client_id, event))
        session.online.changed()
        if came:
            outputs.extend(self._notes.note(coming_online(session, session.online)))
            outputs.extend(to_others(session.online, GamesConnect(self._new_ref(), game.short_name)))
        outputs.extend(self._nodes.joined(session))
        return outputs

    def _seen(self, client_id: str, event: Authenticate) -> Outputs:
        """Note the code base of a game if it differs from last time."""
        # Thousands of games have the same few: one copy of each is kept.
        user_agent = intern(clean_name(event.user_agent or "")[:_USER_AGENT]) or None
        seen = GameSeen(client_id, user_agent, intern(clean_name(event.version or "1.0.0")[:_VERSION]))
        outputs: Outputs = []
        if self._registry.seen.get(client_id) != seen:
            outputs.extend(self._notes.note(seen))
            if self._nodes.shared:
                # The session that joined last decides, and the next one may join elsewhere within the second.
                outputs.extend(self._notes.keep())
        known = self._registry.user_agents
        # Games can invent code bases without end.
        if user_agent is not None and user_agent not in known and len(known) < USER_AGENTS:
            outputs.extend(self._notes.note(UserAgentMet(user_agent)))
        return outputs
