"""Authentication: which game is this, and may it join (protocol specification, authenticate)?"""

from __future__ import annotations

from gossip.network.moderation import Moderation
from gossip.network.mud_logins import MudLogins
from gossip.network.presence import Presence
from gossip.network.session import Session
from gossip.network.settings import Rules
from gossip.protocol.errors import Denied
from gossip.protocol.events import Authenticate, AuthenticateAsMud, AuthenticateByKey
from gossip.protocol.flags import SUPPORTS
from gossip.protocol.moment import Moment
from gossip.registry.addresses import Address
from gossip.registry.entities import Game
from gossip.registry.registry import Registry


class WrongSecretUsed(Denied):
    """
    A game that is known was named with a secret that is not its own.

    @ivar client_id: the game.
    """

    def __init__(self, client_id: str) -> None:
        super().__init__("invalid-credentials")
        self.client_id = client_id


class Authentication:
    """Judges credentials, and how often they may be wrong."""

    def __init__(
        self, registry: Registry, presence: Presence, moderation: Moderation, muds: MudLogins, rules: Rules
    ) -> None:
        self._registry = registry
        self._muds = muds
        self._moderation = moderation
        self._presence = presence
        self._rules = rules
        self._supports: dict[frozenset[str], frozenset[str]] = {}
        self._wrong: dict[tuple[str, Address], tuple[int, float]] = {}

    def judge(self, session: Session, event: Authenticate, now: Moment) -> tuple[Game, frozenset[str]]:
        """
        May a session join?

        @return: its game, and the flags that it may use.
        @raise Denied: it may not.
        """
        game = self._identify(session.peer.place, event, now)
        if game is None or game.disabled or self._moderation.ban_of(session, game.client_id, "", now):
            raise Denied("invalid-credentials")
        if not event.supports:
            raise Denied("missing-supports")
        if "channels" not in event.supports:
            raise Denied("channels-not-supported")
        supports = frozenset(flag for flag in event.supports if flag in SUPPORTS)
        if not supports.issuperset(event.supports):
            raise Denied("unknown-supports")
        online = self._presence.online(game.client_id)
        most = self._rules.limits.sessions
        if most and online is not None and len(online.sessions) >= most:
            raise Denied("too-many-sessions")
        if game.hides_players:
            supports -= {"tells"}
        # There are few different ones, and they take as much memory as the rest of a session.
        return game, self._supports.setdefault(supports, supports)

    def knows(self, session: Session, event: Authenticate, now: Moment) -> bool:
        """Are these the credentials of a game that may join, as far as this node knows? Nothing is counted."""
        client_id = self._client_id(event)
        game = self._named(client_id, event, session.peer.place, now)
        return not (game is None or game.disabled or self._moderation.ban_of(session, game.client_id, "", now))

    def _identify(self, place: Address, event: Authenticate, now: Moment) -> Game | None:
        client_id = self._client_id(event)
        limits = self._rules.limits
        count, since = self._count(client_id, place, now)
        if limits.wrong_secrets and count >= limits.wrong_secrets:
            return None
        game = self._named(client_id, event, place, now)
        # Of unknown games nothing is remembered: anybody can make those up without end.
        if game is None and client_id in self._registry.games:
            self._wrong[client_id, place] = count + 1, since
            raise WrongSecretUsed(client_id)
        return game

    def _client_id(self, event: Authenticate) -> str:
        """Which game a session claims to be; empty if no such game is known."""
        if not event.client_id and isinstance(event, AuthenticateByKey):
            game = self._registry.game_named(event.name)
            return "" if game is None else game.client_id
        return (event.client_id or "").lower()

    def _named(self, client_id: str, event: Authenticate, place: Address, now: Moment) -> Game | None:
        """The game that a session claims to be, if it proves that."""
        if isinstance(event, AuthenticateAsMud):
            return self._muds.identify(event, place, now)
        use = event.use if isinstance(event, AuthenticateByKey) else ""
        return self._registry.authenticate(client_id, event.client_secret or "", now.wall, use)

    def wrong_secret(self, client_id: str, place: Address, now: Moment) -> None:
        """Another node saw a wrong secret: wherever they are tried, all of them count together."""
        count, since = self._count(client_id, place, now)
        self._wrong[client_id, place] = count + 1, since

    def _count(self, client_id: str, place: Address, now: Moment) -> tuple[int, float]:
        """How many wrong secrets count, and since when."""
        count, since = self._wrong.get((client_id, place), (0, now.steady))
        over = since + self._rules.limits.wrong_secrets_seconds <= now.steady
        return (0, now.steady) if over else (count, since)

    def forgive(self, now: Moment) -> None:
        """Forget wrong secrets that no longer count."""
        until = now.steady - self._rules.limits.wrong_secrets_seconds
        self._wrong = {key: wrong for key, wrong in self._wrong.items() if wrong[1] > until}
