"""What the owner of a game sees of its sessions: the steps of connecting, rates and players, and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

from markupsafe import Markup
from msgspec import Struct

from gossip.network.heartbeats import UNANSWERED
from gossip.network.presence import Online
from gossip.network.ratelimit import STRIKES, Bucket
from gossip.network.session import Session
from gossip.network.settings import NetworkLimits
from gossip.protocol.flags import SUPPORTS
from gossip.protocol.moment import Moment
from gossip.registry.addresses import Address
from gossip.registry.entities import Account, Game
from gossip.registry.registry import Registry
from gossip.registry.restrictions import in_words, is_over
from gossip.registry.secret import IMC2
from gossip.service.service import GossipService
from gossip.service.watch import STEPS, Refusal, Watched
from gossip.web.http.router import NotFound
from gossip.web.views.times import time_tag

NAMED: Final = 20
"""The maximum number of players that are named per session."""

_TITLES: Final = {
    "opened": ("Socket open", "Your game has reached the network."),
    "authenticated": ("Authenticated", "Its client_id and secret were accepted."),
    "heartbeat": ("Heartbeat answered", "It answers when the network checks that it is alive, every 15 seconds."),
    "message": ("First message", "One of your players sent a message on a channel."),
    "heard": ("Heard a message", "Your game was sent a message from a channel."),
    "told": ("Got a tell", "One of your players was sent a tell. This step needs the flag tells."),
}

_NEXT: Final = {
    "opened": "Waiting for your game to open a socket.",
    "authenticated": "The socket is open. Waiting for your game to authenticate.",
    "heartbeat": "Authenticated. Waiting for your game to answer a heartbeat.",
    "message": "Your game is connected. Have one of your players send a message.",
    "heard": "Your game sends. Waiting until another game says something on one of its channels.",
    "told": "Your game hears what is said. Waiting for a tell to one of your players.",
}

_BY_ECHO: Final = {
    "heard": "Your game sends. To see that it hears, subscribe to the channel testing and say something there: echo "
    "answers.",
    "told": "Your game hears what is said. Have one of your players send a tell to echo@gossip: it comes back.",
}
"""The same, if the player echo is there."""

_BY_IMC2: Final = {
    "heard": _NEXT["heard"],  # MUDs by IMC2 are not offered the channel testing, which is hidden
    "told": "Your game hears what is said. Have one of your players type imctell echo@Gossip hello: it comes back. If "
    "imclist shows this network by another name than Gossip, use that name.",
}
"""The same for games by IMC2."""

_MEANT: Final = {
    "missing-supports": 'The frame needs "supports", a list that contains at least "channels".',
    "channels-not-supported": 'The list "supports" must contain "channels".',
    "unknown-supports": f'The list "supports" can contain only these: {", ".join(SUPPORTS)}.',
    "too-many-sessions": "Your game has the maximum number of connections. Is an old copy of it still running?",
    "rate-limited": "Your game sends events faster than it may.",
}

_RATES: Final = {
    "global": "All events",
    "channels_send": "Messages",
    "channels_subscribe": "Subscribing",
    "channels_unsubscribe": "Unsubscribing",
    "channels_history": "History",
    "players_sign_in": "Players signing in (all sessions)",
    "players_sign_out": "Players signing out (all sessions)",
    "players_status": "Games and players asked for by players/status (all sessions)",
    "games_status": "Games asked for by games/status (all sessions)",
    "tells_send": "Tells (all sessions)",
    "reports_create": "Reports (all sessions)",
    "achievements_sync": "Achievements asked for (all sessions)",
    "channels_list": "Lists of channels (all sessions)",
}


class Step(Struct, frozen=True):
    """A step of connecting a game; C{at} is when it last succeeded, C{None} if never."""

    title: str
    about: str
    at: float | None


class Meter(Struct, frozen=True):
    """
    How much of a rate limit a session uses.

    @ivar level: how many events count right now.
    @ivar most: the maximum; 0 for no limit.
    @ivar strikes: how many overruns still count.
    """

    title: str
    level: int
    most: int
    per_second: float
    strikes: int


class OwnerSession(Struct, frozen=True):
    """
    A live session.

    @ivar number: its number in the list of frames.
    @ivar named: the first of its players.
    @ivar unanswered: how many heartbeats in a row were not answered.
    """

    number: int
    peer: Address
    transport: str
    since: float
    channels: tuple[str, ...]
    supports: tuple[str, ...]
    players: int
    named: tuple[str, ...]
    unanswered: int
    meters: tuple[Meter, ...]


class RefusalShown(Struct, frozen=True):
    """An authentication that was refused; C{meaning} tells the owner what to do."""

    at: float
    peer: Address
    why: str
    meaning: str
    text: str


ALL_DONE: Final = "All done: your game is talking with the others."
"""What is said of a game after the last step."""


class Progress(Struct, frozen=True):
    """
    Everything that the owner of a game sees.

    @ivar said: the state of the game in one sentence.
    @ivar restrictions: the mutes and bans of the game as text.
    @ivar refused: refused authentications, newest first.
    @ivar most_unanswered: how many heartbeats in a row can go unanswered.
    @ivar most_strikes: how many overruns end a session.
    """

    said: str
    steps: tuple[Step, ...]
    restrictions: tuple[str, ...]
    sessions: tuple[OwnerSession, ...]
    refused: tuple[RefusalShown, ...]
    watched: Watched
    most_unanswered: int = UNANSWERED
    most_strikes: int = STRIKES

    @property
    def done(self) -> bool:
        """Whether the last step is done."""
        return self.said == ALL_DONE


def own_game(registry: Registry, account: Account, name: str) -> Game:
    """
    A game that an account can manage: one that it owns, or any game if it is an admin.

    @raise NotFound: there is no such game.
    """
    game = registry.game_named(name)
    if game is None or not (account.admin or game.owner == account.name):
        raise NotFound("You have no such game.")
    return game


def progress(gossip: GossipService, game: Game, peer: Address, now: Moment) -> Progress:
    """
    Look at a game.

    @param peer: the address of the owner.
    """
    network = gossip.network
    watched = gossip.watch.look(game.client_id, peer, now)
    limits = network.rules.limits
    restrictions = _restrictions(network.registry, game, now)
    online = network.presence.online(game.client_id)
    sessions = [
        _session(session, watched.numbers[session], gossip.transport_of(session), limits, gossip.now())
        for session in (online.sessions if online is not None else ())
    ]
    refused = [_refused(each, limits) for each in reversed(watched.refusals)]
    return Progress(
        said=_said(watched, refused, network.rules.settings.echo, online),
        steps=tuple(Step(*_TITLES[step], watched.seen.get(step)) for step in STEPS),
        restrictions=restrictions,
        sessions=tuple(sorted(sessions, key=lambda session: session.number)),
        refused=tuple(refused),
        watched=watched,
    )


def _restrictions(registry: Registry, game: Game, now: Moment) -> tuple[str, ...]:
    found = [
        in_words(each) + (f" (on {each.channel})" if each.channel else "")
        for each in (*registry.bans.values(), *registry.mutes.values())
        if each.subject == game.client_id and not is_over(each, now.wall)
    ]
    return ("disabled by an admin", *found) if game.disabled else tuple(found)


def _said(watched: Watched, refused: Sequence[RefusalShown], echo: bool, online: Online | None) -> str:
    came = watched.seen.get("authenticated", 0.0)
    # Anybody who knows the client_id can be refused: that does not concern a game that is connected.
    if refused and not watched.numbers and refused[0].at >= came:
        first = refused[0]
        text = Markup("Refused: {}, {}. {}")
        return text.format(time_tag(first.at), first.why, first.meaning)
    if came and not watched.numbers:
        return "Your game was connected, but is not connected right now."
    missing = next((step for step in STEPS if step not in watched.seen), None)
    if missing is None or (missing == "told" and online is not None and "tells" not in online.supports):
        return ALL_DONE
    by_imc2 = online is not None and {session.transport for session in online.sessions} == {IMC2}
    return (_BY_IMC2 if echo and by_imc2 else _BY_ECHO if echo else {}).get(missing, _NEXT[missing])


def _refused(refusal: Refusal, limits: NetworkLimits) -> RefusalShown:
    meaning = _MEANT.get(refusal.error.code, "")
    if refusal.error.code == "invalid-credentials":
        minutes = ceil(limits.wrong_secrets_seconds / 60)
        if refusal.barred:
            meaning = f"Your game was refused: {refusal.barred}."
        elif not refusal.hint:
            meaning = f"The secret is correct, but too many wrong ones came before it. Wait {minutes} minutes."
        else:
            meaning = f"The client_id is correct, but {refusal.hint}. Copy the secret again, or create a new one."
            if limits.wrong_secrets:
                meaning += f" After {limits.wrong_secrets} wrong attempts, wait {minutes} minutes."
    return RefusalShown(refusal.at, refusal.peer, refusal.error.text, meaning, refusal.text)


def _session(session: Session, number: int, transport: str, limits: NetworkLimits, now: Moment) -> OwnerSession:
    shared = session.online.buckets if session.online is not None else {}
    buckets = {**shared, **session.buckets}
    return OwnerSession(
        number=number,
        peer=session.peer,
        transport=transport,
        since=session.opened_at,
        channels=tuple(session.channels),
        supports=tuple(flag for flag in SUPPORTS if flag in session.supports),
        players=len(session.players),
        named=tuple(session.players)[:NAMED],
        unanswered=session.unanswered,
        meters=tuple(_meter(buckets[name], name, limits, now) for name in _RATES if name in buckets),
    )


def _meter(bucket: Bucket, name: str, limits: NetworkLimits, now: Moment) -> Meter:
    rate = getattr(limits.rates, "global_" if name == "global" else name)
    level = ceil(bucket.level(rate, now))
    return Meter(
        title=_RATES[name],
        level=min(level, rate.burst) if rate.burst else level,
        most=rate.burst,
        per_second=rate.per_second,
        strikes=ceil(bucket.strikes(now)),
    )
