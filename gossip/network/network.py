"""
The network: sessions, and the table of events.

Each method takes what happened and when, and returns what is to be done. It does nothing else: no I/O, no clock, no
randomness of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from sys import intern
from typing import Any, Final

from msgspec import Raw

from gossip.network.achievements import Achievements
from gossip.network.answers import failure, success
from gossip.network.audiences import Audience, Audiences, SessionsOf, Supporters
from gossip.network.authentication import Authentication, WrongSecretUsed
from gossip.network.channels import Channels
from gossip.network.directory import Directory
from gossip.network.echo import Echo
from gossip.network.expiry import Retention
from gossip.network.history import History
from gossip.network.moderation import Moderation
from gossip.network.nodes import Nodes
from gossip.network.notes import Notes
from gossip.network.notices import Notices
from gossip.network.outputs import Broadcast, Close, Commit, Fetch, Find, ListChannels, Outputs, Send
from gossip.network.people import People
from gossip.network.players import Players
from gossip.network.presence import Online, Presence
from gossip.network.rehearsal import Rehearsal
from gossip.network.relays import Noticed, Relayed, SessionJoined, Spoke, WrongSecret
from gossip.network.removing import Removing
from gossip.network.reports import Reports
from gossip.network.session import Session, Situation
from gossip.network.settings import Rules
from gossip.network.shares import spend_of
from gossip.network.statuses import Statuses
from gossip.network.tells import Tells
from gossip.protocol.errors import Denied, Error, Overrun
from gossip.protocol.events import (
    AchievementsCreate,
    AchievementsDelete,
    AchievementsSync,
    AchievementsUpdate,
    Authenticate,
    Authenticated,
    Beat,
    ChannelsHistory,
    ChannelsList,
    ChannelsRemove,
    ChannelsSend,
    ChannelsSubscribe,
    ChannelsUnsubscribe,
    ClientEvent,
    Event,
    Failure,
    GamesConnect,
    GamesDisconnect,
    GamesStatus,
    Heartbeat,
    HistoryAsked,
    Malformed,
    Noop,
    NotAuthenticated,
    PlayersListed,
    PlayersSignIn,
    PlayersSignOut,
    PlayersStatus,
    Quit,
    ReportsCreate,
    Restart,
    TellsSend,
    Unknown,
    Unreadable,
)
from gossip.protocol.flags import HISTORY, granted
from gossip.protocol.moment import Moment
from gossip.protocol.text import clean_name
from gossip.registry.addresses import read
from gossip.registry.changes import (
    AchievementDropped,
    AchievementKept,
    Audited,
    Change,
    ChannelOpened,
    ChannelsRemoved,
    GameOffline,
    GameOnline,
    GameRemoved,
    GameSaved,
    GameSeen,
    MessageSaid,
    MessagesRemoved,
    PlayersCounted,
    ReportMade,
    Restriction,
    RestrictionSet,
    Together,
    UserAgentMet,
)
from gossip.registry.names import ECHO_CHANNEL
from gossip.registry.registry import Registry
from gossip.registry.restrictions import address_of, is_over, values_of

BEAT: Final = 15
"""How often a session is asked for a sign of life, in seconds."""

UNANSWERED: Final = 3
"""After this many beats without a sign of life, the next beat ends the session."""

DEBUG: Final = 300.0
"""How long a session with C{debug} gets answers to requests without a ref, in seconds."""

SPREAD: Final = 5
"""By how many seconds the announced downtime varies: the games must not all come back in one second."""

COUNTING: Final = 15 * 60
"""How often players are counted, in seconds."""

USER_AGENTS: Final = 10_000
"""At most this many code bases are noted."""

AUTHENTICATION_FAILED: Final = 4000
"""The close code of a session that was refused, or that is closed for abuse."""

HEARTBEAT_FAILED: Final = 4001
"""The close code of a session that gives no sign of life."""

LEFT: Final = 1000
"""The close code of a session that quit (RFC 6455, section 7.4.1)."""

_USER_AGENT, _VERSION = 200, 20
"""How many characters of a code base's name, and of a protocol version, are kept."""

# A union in isinstance would be built anew for each event.
_NEVER_EXPECTED: Final = (Unknown, Authenticate)

Handler = Callable[[Session, Any, Moment], Outputs]


class Network:
    """
    The network that all games join, whatever carries them.

    @ivar registry: what is known.
    @ivar rules: the settings and limits in force.
    @ivar presence: who is online.
    @ivar channels: who hears what.
    @ivar statuses: what games may know of each other.
    @ivar notes: what a daemon after this one has to know.
    @ivar people: who talks on the pages.
    @ivar nodes: the other daemons of the network, if several share it.
    @ivar leads: whether this one does what is done once for all of them: counts players, drops what is too old.
    @ivar rehearsal: plays to one game what happens on a network with many.
    """

    def __init__(
        self,
        registry: Registry,
        new_uuid: Callable[[], str],
        random: Callable[[], float],
        rules: Rules | None = None,
        shared: bool = False,
    ) -> None:
        """
        @param new_uuid: makes refs and keys: version 4 UUIDs.
        @param random: makes jitter: numbers from 0 to 1.
        @param shared: whether other daemons are nodes of the same network. What is said is then heard when it comes
            back, with its number, by L{learned}.
        """
        self.registry = registry
        self.rules = rules = rules or Rules()
        self.audiences = Audiences()
        self.presence = Presence(self.audiences)
        self.nodes = nodes = Nodes(registry, self.presence, self._new_ref, shared)
        self.leads = not shared
        self._moderation = moderation = Moderation(registry)
        self._directory = directory = Directory(registry, self.audiences, moderation, self._new_ref, rules)
        self.channels = Channels(registry, self.audiences, moderation, directory, nodes, self._new_ref, rules)
        self.people = People(self.channels, nodes, rules)
        self.statuses = Statuses(registry, self.presence, rules)
        self._authentication = Authentication(registry, self.presence, moderation, rules)
        self._players = Players(moderation, nodes, self._new_ref, rules)
        self._history = History(rules, registry.numbers)
        self._reports = Reports(registry, rules)
        self._notices = Notices(registry, self.presence, self.audiences, self._new_ref)
        self._removing = Removing(registry, moderation, new_uuid, self._new_ref, rules)
        self._retention = Retention(registry, self._subscribed, rules)
        self._achievements = Achievements(registry, new_uuid, rules)
        self.notes = Notes(registry)
        self._new_uuid = new_uuid
        self._random = random
        self._unauthenticated: dict[Session, float] = {}
        self._wheel: list[list[Session]] = [[] for _ in range(BEAT)]
        self._ticked: int | None = None
        self._quarter: int | None = None

        self._echo = Echo(self.presence, self._new_ref, rules)
        self.rehearsal = Rehearsal(self.presence, self._echo, self._new_ref, self._close)
        tells = Tells(registry, self.presence, moderation, self._echo, nodes, self._new_ref, rules)
        self._table: dict[type[Event], tuple[str, Handler]] = {
            Heartbeat: ("channels", self._heartbeat),
            PlayersListed: (
                "channels",
                lambda session, event, now: [*self._heartbeat(session, event, now), *success(session, event, now)],
            ),
            Noop: ("channels", lambda session, event, now: [*success(session, event, now)]),
            Quit: ("channels", lambda session, event, now: self._close(session, LEFT, Error.of("goodbye"), now)),
            ChannelsSubscribe: ("channels", self.channels.subscribe),
            ChannelsUnsubscribe: ("channels", self.channels.unsubscribe),
            ChannelsSend: ("channels", self.channels.send),
            ChannelsList: ("channels", directory.ask),
            ChannelsRemove: ("channels", self._removing.remove),
            ChannelsHistory: (HISTORY, self._history.ask),
            HistoryAsked: ("channels", self._history.ask),
            PlayersSignIn: ("players", self._players.sign_in),
            PlayersSignOut: ("players", self._players.sign_out),
            PlayersStatus: ("players", self.statuses.players),
            GamesStatus: ("games", self.statuses.games),
            TellsSend: ("tells", tells.send),
            ReportsCreate: ("channels", self._reports.create),
            AchievementsSync: ("achievements", self._achievements.receive),
            AchievementsCreate: ("achievements", self._achievements.receive),
            AchievementsUpdate: ("achievements", self._achievements.receive),
            AchievementsDelete: ("achievements", self._achievements.receive),
        }
        self._flags = {event.wire: flag for event, (flag, _) in self._table.items()}

    def _new_ref(self) -> Raw:
        return Raw(b'"%s"' % self._new_uuid().encode())

    def _subscribed(self) -> set[str]:
        """The channels that any session is subscribed to, on any node."""
        return {*self.audiences.subscribed(), *self.nodes.subscribed_channels()}

    def hearing(self, audience: Audience) -> tuple[Session, ...]:
        """The sessions of an audience."""
        if isinstance(audience, SessionsOf):
            return self.presence.sessions_of(audience)
        return self.audiences.resolve(audience)

    def started(self, now: Moment) -> None:
        """
        The daemon starts. Games that were online when it ended have the grace to come back: if each of them were
        announced to all that are back already, a restart would cost the square of their number.
        """
        known = self.registry
        self.statuses.since = now.wall
        for client_id, was in known.online.items():
            channels = [name for name in was.channels if name in known.channels]
            self.presence.resume(known.games[client_id], was, channels, known.last_alive, now)
        self._notices.started(now)

    # What happens to a session.

    def opened(self, session: Session, now: Moment) -> Outputs:
        """
        Somebody connected.

        """
        self._unauthenticated[session] = now.steady
        session.opened_at = now.wall
        return []

    @property
    def waiting(self) -> Collection[Session]:
        """The sessions that have not authenticated yet, in the order in which they connected."""
        return self._unauthenticated.keys()

    def receive(self, session: Session, event: ClientEvent, now: Moment) -> Outputs:
        """
        A session sent something: the checks in the order of the specification (Frames and answers), then the event.

        Outputs to the session itself are answers and leave in the order of its requests.
        """
        if session.situation is Situation.GONE:
            return []
        wire, ref = event.wire, event.ref
        try:
            self._charge(session, now)
        except Overrun as overrun:
            if overrun.abuse:
                return self._dismiss(session, Failure(wire, ref, Error.of("rate-limited-goodbye")), now)
            return [Send(session, Failure(wire, ref, Error.of("rate-limited")))]
        if isinstance(event, Unreadable):
            return [Send(session, Failure(wire, ref, Error.of("unknown-event")))]
        if session.situation is Situation.NEW:
            if isinstance(event, Authenticate):
                return self._authenticate(session, event, now)
            return [Send(session, Failure(wire, ref, Error.of("unauthenticated")))]
        if isinstance(event, _NEVER_EXPECTED):
            return [Send(session, Failure(wire, ref, Error.of("unknown-event")))]
        flag = self._flags[event.wire]
        if flag not in session.supports:
            return [*failure(session, event, Error.of("missing-support", flag=flag), now)]
        if isinstance(event, Malformed):
            return [*failure(session, event, event.error, now)]
        try:
            return self._table[type(event)][1](session, event, now)
        except Denied as denied:
            return [*failure(session, event, denied.error, now)]
        except Overrun as overrun:
            if overrun.abuse:
                abuse = Failure(Authenticate.wire, None, Error.of("rate-limit-abuse"))
                return self._dismiss(session, abuse, now)
            return [*failure(session, event, Error.of("rate-limited"), now)]

    def _charge(self, session: Session, now: Moment) -> None:
        """
        Count an event, whatever it is.

        @raise Overrun: the session sends too fast, or all sessions of its game together do.
        """
        limits = self.rules.limits
        spend_of(session, "global", limits.rates.global_, limits.sessions_share, now)

    def fetched(self, fetch: Fetch, found: Sequence[MessageSaid] | None) -> Outputs:
        """
        What a L{Fetch} asked for is there.

        @param found: the oldest first, one message more than was asked for if there is one; C{None} if nothing can be
            read.
        @return: answers for the place that was kept.
        """
        return self._history.fetched(fetch, self._without_removed(found))

    def found(self, find: Find, found: Sequence[MessageSaid] | None, now: Moment) -> Outputs:
        """
        What a L{Find} asked for was looked for.

        @param found: the message; nothing if there is none; C{None} if nothing can be read.
        @return: outputs for the place that was kept.
        """
        finder = self._removing if isinstance(find.request, ChannelsRemove) else self._reports
        return finder.found(find, self._without_removed(found), now)

    def _without_removed(self, found: Sequence[MessageSaid] | None) -> Sequence[MessageSaid] | None:
        """What was found, without what was removed while it was read."""
        return None if found is None else self.registry.removals.without(found)

    def listed(self, asked: ListChannels, number: int, now: Moment) -> Send:
        """Make a part of a list of channels: see L{Directory.listed}."""
        return self._directory.listed(asked, number, now)

    def alive(self, session: Session) -> None:
        """A session gave a sign of life that is no heartbeat event, for example a line on the telnet port."""
        session.unanswered = 0

    def lost(self, session: Session, now: Moment) -> Outputs:
        """A session's connection is gone."""
        was, session.situation = session.situation, Situation.GONE
        self._unauthenticated.pop(session, None)
        if was is Situation.ACTIVE:
            for name in session.channels:
                self.channels.leave(session, name)
            self.presence.leave(session, now)
            return self.nodes.left(session)
        return []

    def _dismiss(self, session: Session, last: Failure | NotAuthenticated, now: Moment) -> Outputs:
        return [Send(session, last), *self._close(session, AUTHENTICATION_FAILED, last.error, now)]

    def _close(self, session: Session, code: int, why: Error, now: Moment) -> Outputs:
        return [Close(session, code, why), *self.lost(session, now)]

    def _authenticate(self, session: Session, event: Authenticate, now: Moment) -> Outputs:
        try:
            game, supports = self._authentication.judge(session, event, now)
        except Denied as denied:
            outputs = self._dismiss(session, NotAuthenticated(event.ref, denied.error), now)
            if isinstance(denied, WrongSecretUsed):
                outputs.extend(self.nodes.wrong_secret(denied.client_id, session))
            return outputs
        del self._unauthenticated[session]
        session.situation = Situation.ACTIVE
        extensions = None if event.extensions is None else granted(event.extensions)
        session.extensions = frozenset(extensions or ())
        session.supports = supports | {HISTORY} if HISTORY in session.extensions else supports
        session.debug_until = now.steady + DEBUG if event.debug else 0.0
        session.online, came = self.presence.join(session, game, now)
        outputs = [Send(session, Authenticated(event.ref, game.short_name, extensions))]
        # A name given twice is one wish: an undeserved failure throws a client in the field into a loop.
        for name in list(dict.fromkeys(event.channels or ()))[: self.rules.limits.channels or None]:
            if (
                self.channels.may_join(name)
                and not self.channels.ban_of(session, name, now)
                and self.channels.may_create(session, name, now)
            ):
                outputs.extend(self.channels.join(session, name, now))
            else:
                outputs.append(Send(session, self.channels.unjoined(name)))
        self._players.replace(session, event.players or ())
        outputs.append(self._beat(session))
        outputs.extend(self._history.resume(session, event.resume or {}))
        self._wheel[(int(now.steady) if self._ticked is None else self._ticked) % BEAT].append(session)
        outputs.extend(self._seen(game.client_id, event))
        session.online.changed()
        if came:
            outputs.extend(self._note_online(session, session.online))
            outputs.extend(self._tell_others(session.online, GamesConnect(self._new_ref(), game.short_name)))
        outputs.extend(self.nodes.joined(session))
        return outputs

    def _note_online(self, session: Session, online: Online) -> Outputs:
        """Note that a game is online, for a daemon after this one."""
        flags, channels = _in_order(session.supports), tuple(session.channels)
        return self.notes.note(GameOnline(online.game.client_id, flags, channels, online.since))

    def _seen(self, client_id: str, event: Authenticate) -> Outputs:
        """Note the code base of a game if it differs from last time."""
        # Thousands of games have the same few: one copy of each is kept.
        user_agent = intern(clean_name(event.user_agent or "")[:_USER_AGENT]) or None
        seen = GameSeen(client_id, user_agent, intern(clean_name(event.version or "1.0.0")[:_VERSION]))
        outputs: Outputs = []
        if self.registry.seen.get(client_id) != seen:
            outputs.extend(self.notes.note(seen))
        known = self.registry.user_agents
        # Games can invent code bases without end.
        if user_agent is not None and user_agent not in known and len(known) < USER_AGENTS:
            outputs.extend(self.notes.note(UserAgentMet(user_agent)))
        return outputs

    def _tell_others(self, online: Online, told: GamesConnect | GamesDisconnect) -> Outputs:
        return [] if online.game.hidden else [Broadcast(Supporters("games", online.game.client_id), told)]

    def _beat(self, session: Session) -> Send:
        beat = Beat(session.beats)
        session.beats += 1
        session.unanswered += 1
        return Send(session, beat)

    def _heartbeat(self, session: Session, event: Heartbeat | PlayersListed, now: Moment) -> Outputs:
        session.unanswered = 0
        return self.nodes.replaced(session) if self._players.replace(session, event.players or ()) else []

    # What time brings.

    def tick(self, now: Moment) -> Outputs:
        """Time went by: beats, time-outs, games whose grace is over, retention. To be called each second."""
        second, last = int(now.steady), self._ticked
        self._ticked = second
        outputs = [*self.notes.keep(), *self._time_out(now), *self._count(now)]
        outputs += [*self._notices.tick(now), *self._retention.tick(now, self.leads)]
        if last is None:
            return outputs
        for online in self.presence.gone(now):
            offline = GameOffline(online.game.client_id, online.left_at)
            self.registry.enact(offline)
            outputs.extend(self._tell_others(online, GamesDisconnect(self._new_ref(), online.game.short_name)))
            if self.leads:
                outputs.append(Commit(offline, learned=True))
        # After a long standstill each slot has its turn once: the games were not asked in between.
        for slot in range(max(last, second - BEAT) + 1, second + 1):
            outputs.extend(self._turn(slot % BEAT, now))
        return outputs

    def _turn(self, slot: int, now: Moment) -> Outputs:
        outputs: Outputs = []
        self._wheel[slot] = here = [session for session in self._wheel[slot] if session.situation is Situation.ACTIVE]
        for session in here:
            if session.unanswered >= UNANSWERED:
                outputs.extend(self._close(session, HEARTBEAT_FAILED, Error.of("heartbeat-failed"), now))
            else:
                outputs.append(self._beat(session))
        return outputs

    def _time_out(self, now: Moment) -> Outputs:
        outputs: Outputs = []
        seconds = self.rules.limits.authenticate_seconds
        if seconds:
            # They stand in the order in which they connected.
            late = [
                session for session, opened_at in self._unauthenticated.items() if opened_at + seconds <= now.steady
            ]
            for session in late:
                outputs.extend(self._close(session, HEARTBEAT_FAILED, Error.of("login-timeout"), now))
        return outputs

    def _count(self, now: Moment) -> Outputs:
        """Each quarter of an hour, count the players."""
        quarter = int(now.wall) // COUNTING
        if self._quarter in (None, quarter):
            self._quarter = quarter
            return []
        self._quarter = quarter
        self._authentication.forgive(now)
        self.channels.forgive(now)
        counts = tuple(self.presence.players_count())
        return [Commit(PlayersCounted(quarter * COUNTING, counts))] if counts and self.leads else []

    def restart(self, downtime: int) -> Outputs:
        """
        The network is about to go away: tell everybody, and commit what was noted.

        @param downtime: for how many seconds; each session hears another number around it.
        """
        outputs = self.notes.keep()
        for online in self.presence:
            for session in online.here:
                jitter = round((2 * self._random() - 1) * SPREAD)
                outputs.append(Send(session, Restart(self._new_ref(), max(downtime + jitter, 0))))
        return outputs

    # What other nodes bring.

    def relayed(self, node: str, relay: Relayed, now: Moment) -> Outputs:
        """
        A node of the network told the others something.

        @param node: its name; empty for this one.
        """
        match relay:
            case Noticed(seconds):
                return self.restart(seconds)
            case WrongSecret(client_id, peer) if node:
                self._authentication.wrong_secret(client_id, read(peer).place, now)
            case Spoke(account) if node:
                self.people.spoke(account, now)
            case _:
                return self.nodes.relayed(node, relay, now)
        return []

    def resynced(
        self,
        known: Registry,
        sessions: Mapping[str, Sequence[SessionJoined]],
        missed: Sequence[MessageSaid],
        now: Moment,
    ) -> Outputs:
        """
        This node did not hear the others for a while, and has read everything anew.

        @param known: what is known now.
        @param sessions: the sessions of each other node.
        @param missed: messages that were not heard, in the order of their numbers.
        """
        bans = {*self.registry.bans.values()}
        self.registry.become(known)
        outputs: Outputs = []
        for online in [*self.presence]:
            game = known.games.get(online.game.client_id)
            outputs.extend(self._follow(GameRemoved(online.game.client_id) if game is None else GameSaved(game), now))
        for ban in known.bans.values():
            if ban not in bans:
                outputs.extend(self._enforce(ban, now))
        for name in self.audiences.subscribed():
            if name not in known.channels:
                outputs.append(self._reopen(name))
        for node in {*self.nodes.known, *sessions}:
            outputs.extend(self.nodes.replace(node, sessions.get(node, ()), now))
        for said in missed:
            outputs.extend(self._follow(said, now))
        return outputs

    def _reopen(self, channel: str) -> Commit:
        """A channel that has subscribers here was taken for unused elsewhere, or its opening is not known yet."""
        opened = ChannelOpened(channel)
        self.registry.enact(opened)
        return Commit(opened, learned=True)

    # What is kept.

    def apply(self, change: Change) -> Commit:
        """
        An admin changes something. It takes effect when it is kept: see L{learned}.

        @raise gossip.registry.errors.Refused: it contradicts what is known; the text says how.
        """
        settings = self.rules.settings
        self.registry.check(change, settings.blocked_games, settings.blocked_accounts)
        return Commit(change)

    def settled(self, commit: Commit, kept: bool, now: Moment) -> Outputs:
        """
        A commit was carried out, or failed: the answers that waited for it. If it was kept, L{learned} comes first.

        @param kept: whether the change is on disk.
        """
        outputs: Outputs = [*(commit.then if kept else commit.otherwise)]
        change = commit.change
        if isinstance(change, MessageSaid):
            # First: most changes are of this kind.
            if change.channel == ECHO_CHANNEL and kept:
                outputs.extend(self._echo.heard(change, now))
        elif isinstance(change, AchievementKept | AchievementDropped):
            outputs.extend(self._achievements.settled(change.client_id, now))
        elif isinstance(change, ReportMade):
            self._reports.settled(change.report)
        return outputs

    def learned(self, change: Change, now: Moment) -> Outputs:
        """
        A change is in force from now on, wherever it came from: the registry takes it over, and what follows from it
        is returned. To be called once for each change that is kept.
        """
        parts = [*_parts(change)]
        news = self._directory.news(parts)
        ended = self._notices.before(parts, now)
        self.registry.enact(change)
        followed = [output for each in parts for output in self._follow(each, now)]
        return [*ended, *followed, *self._directory.tell(news, now)]

    def _follow(self, change: Change, now: Moment) -> Outputs:
        """What else becomes of a change."""
        outputs: Outputs = []
        match change:
            case MessageSaid():  # first: most changes are of this kind
                if self.nodes.shared:
                    self.registry.numbers.message_given(change.channel, change.seq)
                    outputs.extend(self.channels.heard(change))
            case MessagesRemoved():
                outputs.extend(self._removing.removed(change))
            case ReportMade(report) if self.nodes.shared:
                self.registry.numbers.report_given(report.number)
            case GameSaved(game):
                online = self.presence.changed(game)
                if online is not None and game.disabled:
                    outputs.extend(self._expel(online, Error.of("game-disabled"), now))
            case ChannelsRemoved(names, unused):
                for name in names:
                    if not unused:
                        outputs.extend(self.channels.removed(name))
                    elif self.audiences.subscribers(name):
                        # Somebody subscribed to it here while another node took it for unused.
                        outputs.append(self._reopen(name))
            case GameOffline(client_id) if self.nodes.shared:
                # It has come back here meanwhile: its sessions stand above what another node counted.
                online = self.presence.online(client_id)
                if online is not None and online.here:
                    outputs.extend(self._note_online(online.here[-1], online))
            case RestrictionSet(restriction):
                outputs.extend(self._notices.began(restriction))
                if restriction.kind == "ban":
                    outputs.extend(self._enforce(restriction, now))
            case GameRemoved(client_id):
                online = self.presence.online(client_id)
                if online is not None:
                    outputs.extend(self._expel(online, Error.of("game-removed"), now))
                    # It cannot come back: no grace.
                    self.presence.forget(client_id)
                    outputs.extend(self._tell_others(online, GamesDisconnect(self._new_ref(), online.game.short_name)))
        return outputs

    def _expel(self, online: Online, why: Error, now: Moment) -> Outputs:
        """End all sessions of a game that may no longer be here."""
        return [output for session in online.here for output in self._close(session, AUTHENTICATION_FAILED, why, now)]

    def _enforce(self, ban: Restriction, now: Moment) -> Outputs:
        """Somebody was banned: the sessions that the ban names must go."""
        outputs: Outputs = []
        if is_over(ban, now.wall):
            return outputs
        banned = address_of(ban.subject)
        # Those of other nodes are dealt with there.
        active = [session for online in self.presence for session in online.here]
        for session in [*active, *self._unauthenticated]:
            if not (session.client_id == ban.subject if banned is None else banned.covers(session.peer)):
                continue
            if not ban.channel:
                abuse = Failure(Authenticate.wire, None, Error.of("expelled", **values_of(ban)))
                outputs.extend(self._dismiss(session, abuse, now))
            elif ban.channel in session.channels:
                del session.channels[ban.channel]
                self.channels.leave(session, ban.channel)
                outputs.extend(self.nodes.unsubscribed(session, ban.channel))
        return outputs


@lru_cache
def _in_order(flags: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(flags))


def _parts(change: Change) -> Iterator[Change]:
    """The changes that one is made of."""
    if isinstance(change, Audited):
        if change.change is not None:
            yield from _parts(change.change)
    elif isinstance(change, Together):
        for each in change.changes:
            yield from _parts(each)
    else:
        yield change
