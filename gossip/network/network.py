"""
The network: sessions, and the table of events.

Each method takes what happened and when, and returns what is to be done. It does nothing else: no I/O, no clock, no
randomness of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from msgspec import Raw

from gossip.network.achievements import Achievements
from gossip.network.answers import failure, success
from gossip.network.audiences import Audience, Audiences, SessionsOf
from gossip.network.authentication import Authentication
from gossip.network.channels import Channels
from gossip.network.consequences import Consequences
from gossip.network.directory import Directory
from gossip.network.echo import Echo
from gossip.network.endings import LEFT, Endings
from gossip.network.expiry import Retention
from gossip.network.heartbeats import Heartbeats
from gossip.network.history import History
from gossip.network.house import House
from gossip.network.joining import Joining
from gossip.network.moderation import Moderation
from gossip.network.mud_logins import MudLogins
from gossip.network.nodes import Nodes
from gossip.network.notes import Notes
from gossip.network.notices import Notices
from gossip.network.outputs import Commit, Fetch, Find, ListChannels, Outputs, Relay, Send, Unsure
from gossip.network.people import People
from gossip.network.players import Players
from gossip.network.presence import Online, Presence, to_others
from gossip.network.rehearsal import Rehearsal
from gossip.network.relays import Echoed, Noticed, Relayed, SessionJoined, Spoke, WrongSecret
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
    ChannelsHistory,
    ChannelsList,
    ChannelsRemove,
    ChannelsSend,
    ChannelsSubscribe,
    ChannelsUnsubscribe,
    ClientEvent,
    Event,
    GamesStatus,
    Heartbeat,
    HistoryAsked,
    Malformed,
    Noop,
    PlayersListed,
    PlayersSignIn,
    PlayersSignOut,
    PlayersStatus,
    Quit,
    ReportsCreate,
    TellsSend,
    Unknown,
    Unreadable,
)
from gossip.protocol.flags import HISTORY
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import (
    Failure,
    GamesDisconnect,
    Restart,
)
from gossip.registry.addresses import read
from gossip.registry.changes import (
    AchievementDropped,
    AchievementKept,
    Change,
    GameOffline,
    MessageSaid,
    MessagesRemoved,
    PlayersCounted,
    ReportMade,
)
from gossip.registry.names import ECHO_CHANNEL
from gossip.registry.registry import Registry

SPREAD: Final = 5
"""By how many seconds the announced downtime varies: the games must not all come back in one second."""

COUNTING: Final = 15 * 60
"""How often players are counted, in seconds."""

# A union in isinstance would be built anew for each event.
_NEVER_EXPECTED: Final = (Unknown, Authenticate)

_LIFTED: Final = frozenset(
    ("muted", "banned", "bad-channel", "channel-paused", "not-allowed-to-speak", "message-refused")
)
"""The errors that an admin can end on any node, at any moment. They are found before anything is counted."""

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
    @ivar house: lets parts of the daemon itself join.
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
        self.nodes = nodes = Nodes(registry, self.presence, self.audiences, self._new_ref, shared)
        self.leads = not shared
        self._moderation = moderation = Moderation(registry)
        self._directory = directory = Directory(registry, self.audiences, moderation, self._new_ref, rules)
        self.channels = Channels(registry, self.audiences, moderation, directory, nodes, self._new_ref, rules)
        self.people = People(self.channels, nodes, rules)
        self.statuses = Statuses(registry, self.presence, rules)
        self._muds = muds = MudLogins(registry)
        self._authentication = Authentication(registry, self.presence, moderation, muds, rules)
        self._players = Players(moderation, nodes, self._new_ref, rules)
        self._history = History(rules, registry.numbers)
        self._reports = Reports(registry, rules)
        self._notices = Notices(registry, self.presence, self.audiences, self._new_ref)
        self._removing = Removing(registry, moderation, new_uuid, self._new_ref, rules)
        self._retention = Retention(registry, self._subscribed, rules)
        self._achievements = Achievements(registry, new_uuid, rules)
        self.notes = Notes(registry)
        self._endings = endings = Endings(self.channels, nodes, rules)
        self._heartbeats = Heartbeats(endings)
        self.house = House(registry, self.presence, self.channels, moderation, nodes, self.notes, self._new_ref, rules)
        self._consequences = Consequences(
            registry,
            self.presence,
            self.audiences,
            self.channels,
            nodes,
            directory,
            self._notices,
            self._removing,
            self.notes,
            endings,
            self._new_ref,
        )
        self._joining = Joining(
            registry,
            self.presence,
            self.channels,
            self._authentication,
            muds,
            self._players,
            self._history,
            self._heartbeats,
            endings,
            nodes,
            self.notes,
            self._new_ref,
            rules,
        )
        self._new_uuid = new_uuid
        self._random = random
        self._ticked = False
        self._quarter: int | None = None

        self._echo = Echo(self.presence, self._new_ref, rules)
        self.rehearsal = Rehearsal(self.presence, self._echo, self._new_ref, self._endings.close)
        tells = Tells(registry, self.presence, moderation, self._echo, nodes, self._new_ref, rules)
        self._table: dict[type[Event], tuple[str, Handler]] = {
            Heartbeat: ("channels", self._heartbeat),
            PlayersListed: (
                "channels",
                lambda session, event, now: [*self._heartbeat(session, event, now), *success(session, event, now)],
            ),
            Noop: ("channels", lambda session, event, now: [*success(session, event, now)]),
            Quit: (
                "channels",
                lambda session, event, now: self._endings.close(session, LEFT, Error.of("goodbye"), now),
            ),
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
        self._endings.waiting[session] = now.steady
        session.opened_at = now.wall
        return []

    @property
    def waiting(self) -> Collection[Session]:
        """The sessions that have not authenticated yet, in the order in which they connected."""
        return self._endings.waiting.keys()

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
                return self._endings.dismiss(session, Failure(wire, ref, Error.of("rate-limited-goodbye")), now)
            return [Send(session, Failure(wire, ref, Error.of("rate-limited")))]
        if isinstance(event, Unreadable):
            return [Send(session, Failure(wire, ref, Error.of("unknown-event")))]
        if session.situation is Situation.NEW:
            if isinstance(event, Authenticate):
                if self.nodes.shared and not self._joining.knows(session, event, now):
                    return [Unsure(session, event)]
                return self._joining.join(session, event, now)
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
        except (Denied, Overrun) as refused:
            if self.nodes.shared and isinstance(refused, Denied) and refused.error.code in _LIFTED:
                return [Unsure(session, event)]
            return self._refuse(session, event, refused, now)

    def receive_surely(self, session: Session, event: ClientEvent, now: Moment) -> Outputs:
        """
        A session sent something that this node was L{Unsure} of. It has caught up with the others: what it knows now
        counts.
        """
        if isinstance(event, Authenticate) and session.situation is Situation.NEW:
            return self._joining.join(session, event, now)
        if session.situation is not Situation.ACTIVE or not isinstance(event, Event):
            return []
        try:
            return self._table[type(event)][1](session, event, now)
        except (Denied, Overrun) as refused:
            return self._refuse(session, event, refused, now)

    def _refuse(self, session: Session, event: Event, refused: Denied | Overrun, now: Moment) -> Outputs:
        """An event was not carried out."""
        if isinstance(refused, Denied):
            return [*failure(session, event, refused.error, now)]
        if refused.abuse:
            abuse = Failure(Authenticate.wire, None, Error.of("rate-limit-abuse"))
            return self._endings.dismiss(session, abuse, now)
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

    def is_silenced(self, session: Session, name: str, now: Moment) -> bool:
        """Is this player of a session, that is active, muted or banned everywhere?"""
        try:
            self._moderation.check_speaker(session.client_id, session.peer, name, "", now)
        except Denied:
            return True
        return False

    def lost(self, session: Session, now: Moment) -> Outputs:
        """A session's connection is gone."""
        return self._endings.lost(session, now)

    def _heartbeat(self, session: Session, event: Heartbeat | PlayersListed, now: Moment) -> Outputs:
        session.unanswered = 0
        return self.nodes.replaced(session) if self._players.replace(session, event.players or ()) else []

    # What time brings.

    def tick(self, now: Moment) -> Outputs:
        """Time went by: beats, time-outs, games whose grace is over, retention. To be called each second."""
        outputs = [*self.notes.keep(), *self._endings.tick(now), *self._count(now)]
        outputs += [*self._notices.tick(now), *self._retention.tick(now, self.leads)]
        if self._ticked:
            for online in self.presence.gone(now):
                outputs.extend(self._went(online))
        self._ticked = True
        return [*outputs, *self._heartbeats.tick(now)]

    def _went(self, online: Online) -> Outputs:
        """The grace of a game is over."""
        offline = GameOffline(online.game.client_id, online.left_at)
        self.registry.enact(offline)
        outputs = to_others(online, GamesDisconnect(self._new_ref(), online.game.short_name))
        return [*outputs, Commit(offline, learned=True)] if self.leads else outputs

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

    def notice(self, downtime: int) -> Outputs:
        """
        All games are told that the network will be away, on whichever node.

        @param downtime: for how many seconds.
        """
        return [Relay(Noticed(downtime))] if self.nodes.shared else self.restart(downtime)

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
            case Echoed() if node:
                return self._echo.echoed(relay)
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
        removed: Sequence[MessagesRemoved],
        now: Moment,
    ) -> Outputs:
        """
        This node did not hear the others for a while, and has read everything anew.

        @param known: what is known now.
        @param sessions: the sessions of each other node.
        @param missed: messages that were not heard, in the order of their numbers.
        @param removed: the latest removals, as they were made. Some of them may have been heard.
        """
        return self._consequences.of_everything(known, sessions, missed, removed, now)

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

    def again(self, commit: Commit, now: Moment) -> Outputs:
        """
        A commit was not carried out, since another node changed what a request was judged by: it is judged again.

        @return: outputs for the place that was kept.
        """
        match commit.change:
            case AchievementKept(client_id) | AchievementDropped(client_id):
                return self._achievements.again(client_id, now)
            case ReportMade(report):
                return self._reports.again(report, now)
        return [*commit.otherwise]

    def learned(self, change: Change, now: Moment) -> Outputs:
        """
        A change is in force from now on, wherever it came from: the registry takes it over, and what follows from it
        is returned. To be called once for each change that is kept.
        """
        return self._consequences.of(change, now)
