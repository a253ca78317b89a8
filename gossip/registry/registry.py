"""
Everything that the network knows, in memory.

The store loads it at the start, and later changes are enacted here: authentication and fan-out never wait for a
database.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from typing import Final

from msgspec.structs import replace

from gossip.protocol.server_events import AchievementOf
from gossip.protocol.skeleton import is_visible, load
from gossip.protocol.text import clean_name, is_line
from gossip.registry.accounts import Accounts
from gossip.registry.changes import (
    AccountRemoved,
    AccountSaved,
    AchievementDropped,
    AchievementKept,
    Audited,
    AuditExpired,
    Change,
    ChannelOpened,
    ChannelSaved,
    ChannelsRemoved,
    ChannelsUnused,
    FilterRemoved,
    FilterSaved,
    GameOffline,
    GameOnline,
    GameRemoved,
    GameSaved,
    GameSeen,
    I3IdentityRemoved,
    I3IdentitySaved,
    I3LinkRemoved,
    I3LinkSaved,
    MessageSaid,
    MessagesExpired,
    MessagesRemoved,
    PlayerCountsExpired,
    PlayersCounted,
    ReportMade,
    ReportResolved,
    RestrictionLifted,
    RestrictionSet,
    RestrictionsExpired,
    TastesSaved,
    TicketIssued,
    TicketsExpired,
    TicketsRevoked,
    Together,
    UserAgentMet,
    UserAgentSaved,
)
from gossip.registry.entities import Channel, Game, I3Identity, I3Link, Report, Secret, UserAgent
from gossip.registry.errors import Refused
from gossip.registry.filters import Filters
from gossip.registry.i3_identities import I3Identities
from gossip.registry.names import NETWORK_ALIAS, NETWORK_GAME, SHORT_NAME, Namesakes, is_i3_name, resembles
from gossip.registry.numbers import Numbers, NumbersInMemory
from gossip.registry.profiles import check_address, check_connections, check_texts
from gossip.registry.remotes import Remotes
from gossip.registry.removals import Removals
from gossip.registry.restrictions import Restrictions, is_over
from gossip.registry.secret import digest, secrets_of

REPORTS: Final = 1000
"""The maximum number of open reports."""

REASON: Final = 200
"""The maximum length of the reason of a restriction, a filter or a report, in characters."""


class Registry:
    """
    Everything that is known. Read it freely; only L{enact} changes it.

    @ivar games: games by client_id.
    @ivar channels: channels by name.
    @ivar achievements: achievements by client_id, then by key.
    @ivar user_agents: code bases by name.
    @ivar seen: the code base and protocol version of each game's last join, by client_id.
    @ivar in_use: the digest of the secret that each game showed last since the start, by its use, then by client_id.
    @ivar online: the games that are online or in their grace, by client_id; right after the start those that were when
        the last daemon ended.
    @ivar last_seen: when the last session of each game that is offline ended, in seconds since the epoch, by client_id.
    @ivar last_alive: when a daemon before this one is known to have run last, in seconds since the epoch; 0 if never.
    @ivar last_said: when each channel had its last message, in seconds since the epoch, by name; nothing for one that
        has no message.
    @ivar mutes: mutes by subject and channel.
    @ivar bans: bans by subject and channel.
    @ivar filters: the word filters.
    @ivar reports: the open reports, by number.
    @ivar removals: the messages that were removed last.
    @ivar accounts: the accounts on the pages, and their tickets.
    @ivar i3: what games are on Intermud-3.
    @ivar i3_links: what the network itself is on other Intermud-3 networks, by its name there.
    @ivar revision: counts changes of what is told of all games: which channels are shown, and the links of code bases.
    @ivar channels_revision: counts changes of C{channels}.
    @ivar remotes: the remote games that are here, which nobody registered.
    @ivar numbers: where the next numbers of messages and reports come from.
    """

    def __init__(self, numbers: Numbers | None = None) -> None:
        load()  # now, not when the first of all names needs it
        self.numbers = numbers or NumbersInMemory()
        self.games: dict[str, Game] = {}
        self.channels: dict[str, Channel] = {}
        self.achievements: dict[str, dict[str, AchievementOf]] = {}
        self.user_agents: dict[str, UserAgent] = {}
        self.seen: dict[str, GameSeen] = {}
        self.in_use: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
        self.online: dict[str, GameOnline] = {}
        self.last_seen: dict[str, float] = {}
        self.last_alive = 0.0
        self.last_said: dict[str, float] = {}
        self.mutes = Restrictions()
        self.bans = Restrictions()
        self.filters = Filters()
        self.reports: dict[int, Report] = {}
        self.removals = Removals()
        self.remotes = Remotes()
        self.accounts = Accounts()
        self.i3 = I3Identities()
        self.i3_links: dict[str, I3Link] = {}
        self.revision = 0
        self.channels_revision = 0
        self._client_ids: dict[str, str] = {}
        self._owned: dict[str, dict[str, None]] = {}
        self._moderated: dict[str, dict[str, None]] = {}
        self._short_names, self._names = Namesakes(), Namesakes()

    def game_named(self, short_name: str) -> Game | None:
        """The game with this short name; C{None} if there is none. Names compare without case."""
        client_id = self._client_ids.get(short_name.lower())
        return None if client_id is None else self.games[client_id]

    def speaker_named(self, short_name: str) -> Game | None:
        """The game with this short name, or else the remote game."""
        return self.game_named(short_name) or self.remotes.named(short_name)

    def game_of(self, client_id: str) -> Game | None:
        """The game with this client_id, or else the remote game."""
        return self.games.get(client_id) or self.remotes.get(client_id)

    def games_of(self, owner: str) -> list[Game]:
        """The games of an account, ordered by short name."""
        owned = [self.games[client_id] for client_id in self._owned.get(owner, ())]
        return sorted(owned, key=lambda game: game.short_name.lower())

    def moderated_by(self, account: str) -> list[str]:
        """The names of the channels that an account moderates, in order."""
        return sorted(self._moderated.get(account, ()), key=lambda name: (name.lower(), name))

    def restrictions(self, kind: str) -> Restrictions:
        """All restrictions of a kind, as in L{Restriction}."""
        return self.bans if kind == "ban" else self.mutes

    def is_restricted(self, game: Game, now: float) -> bool:
        """
        Have admins disabled this game, or muted or banned it or one of its players?

        @param now: seconds since the epoch.
        """
        held = (each for known in (self.mutes, self.bans) for each in known.values() if not is_over(each, now))
        return game.disabled or any(each.subject.rpartition("@")[2] == game.client_id for each in held)

    def authenticate(self, client_id: str, secret: str, now: float, use: str = "") -> Game | None:
        """
        Find the game that has these credentials. It takes the same time whether a game is known or not.

        @param now: seconds since the epoch.
        @param use: what the secret is for, as in L{Secret}. Secrets of other uses are not accepted.
        @return: the game; C{None} if the two do not belong together.
        """
        game = self.games.get(client_id)
        shown = digest(secret)
        matches = False
        for kept in (secrets_of(game, use) if game else ()) or (_NOBODY,):
            valid = kept.expires is None or kept.expires > now
            matches |= hmac.compare_digest(kept.digest, shown) and valid
        if game is None or not matches:
            return None
        # The objects that are kept already: there is one of these for each game that is here.
        self.in_use[use][game.client_id] = next(each.digest for each in secrets_of(game, use) if each.digest == shown)
        return game

    def points(self, client_id: str) -> int:
        """The sum of the points of a game's achievements."""
        return sum(achievement.points for achievement in self.achievements.get(client_id, {}).values())

    def check(
        self, change: Change, blocked_games: tuple[str, ...] = (), blocked_accounts: tuple[str, ...] = ()
    ) -> None:
        """
        Check a change that somebody asks for. Names that are known already are not judged again.

        @param blocked_games: names that no new game and no new account may have, nor one that looks like them. After a
            C{*}, they are endings of short names.
        @param blocked_accounts: names that only admins may have.
        @raise Refused: it is invalid, or contradicts what is known; nothing was changed.
        """
        match change:
            case Audited(_, inner) if inner is not None:
                self.check(inner, blocked_games, blocked_accounts)
            case Together(changes):
                for each in changes:
                    self.check(each, blocked_games, blocked_accounts)
            case AccountSaved() | AccountRemoved() | TastesSaved():
                self.accounts.check(change, blocked_games, blocked_accounts)
            case RestrictionSet(restriction):
                _check_reason(restriction.reason)
            case MessagesRemoved(_, removal):
                _check_reason(removal.reason)
            case FilterSaved(kept):
                _check_reason(kept.reason)
                self.filters.check(kept)
            case ReportMade(report):
                if len(self.reports) >= REPORTS:
                    raise Refused("too-many", None, "too many reports are open already")
                _check_reason(report.reason)
            case GameSaved(game):
                self._check_game(game, (*blocked_games, NETWORK_GAME, NETWORK_ALIAS))
            case I3IdentitySaved(identity):
                self._check_i3(identity, (*blocked_games, NETWORK_GAME, NETWORK_ALIAS))
            case GameRemoved(client_id) if client_id not in self.games:
                raise Refused("not-found", "game", "no such game")
            case UserAgentSaved(user_agent):
                check_address("url", user_agent.url)
                check_address("repo_url", user_agent.repo_url)
            case ChannelSaved(channel) if channel.name not in self.channels and (
                not 1 <= len(channel.name.encode()) <= 64
                or clean_name(channel.name) != channel.name
                or not is_visible(channel.name)
            ):
                raise Refused(
                    "invalid", "channel", "a channel's name has 1 to 64 bytes, without control characters and tags"
                )

    def _check_game(self, game: Game, blocked: tuple[str, ...]) -> None:
        # What is known stays: an admin must be able to disable a game with a name from before there was this rule.
        known = self.games.get(game.client_id)
        if known is None or known.short_name != game.short_name:
            if not SHORT_NAME.fullmatch(game.short_name):
                raise Refused("invalid", "short_name", "a short name has 1 to 15 letters and digits")
            for ending in (each[1:] for each in blocked if each.startswith("*")):
                if game.short_name.lower().endswith(ending.lower()) and len(game.short_name) > len(ending):
                    raise Refused("reserved", "short_name", f"short names that end in {ending} are reserved")
            self._check_namesakes("short_name", game.short_name, self._short_names, game.client_id, blocked)
        if known is None or known.name != game.name:
            if not is_visible(game.name):
                raise Refused("invalid", "name", "a game needs a name")
            self._check_namesakes("name", game.name, self._names, game.client_id, blocked)
        check_texts(game, known)
        if game.owner is not None and self.accounts.named(game.owner) is None:
            raise Refused("not-found", "owner", "no such account")
        check_connections(game)

    def _check_namesakes(self, field: str, name: str, known: Namesakes, owner: str, blocked: tuple[str, ...]) -> None:
        what = field.replace("_", " ")
        if resembles(name, blocked):
            raise Refused("reserved", field, f"the {what} {name} is reserved")
        others = known.others(name, owner)
        if any(getattr(self.games[each], field).lower() == name.lower() for each in others):
            raise Refused("taken", field, f"the {what} {name} is taken")
        if others:
            raise Refused("taken", field, f"the {what} {name} looks like one that is taken")
        if self.i3.others(name, owner):
            raise Refused("taken", field, f"a game has the name {name} on Intermud-3")

    def _check_i3(self, identity: I3Identity, blocked: tuple[str, ...]) -> None:
        name, known = identity.name, self.i3.of(identity.client_id)
        if known is not None and known.name == name:
            return
        if not is_i3_name(name):
            raise Refused(
                "invalid",
                "name",
                'a name on Intermud-3 has 1 to 40 ASCII characters without " \\ @ : , % or *, and no blank around it',
            )
        if resembles(name, blocked):
            raise Refused("reserved", "name", f"the name {name} is reserved")
        if self.i3.others(name, identity.client_id) or self._short_names.others(name, identity.client_id):
            raise Refused("taken", "name", f"the name {name} is taken, or looks like one that is")

    def become(self, other: Registry) -> None:
        """
        Know exactly what another registry knows, which is not used any more; C{numbers} and C{remotes} stay. What was
        read of this one before is no longer what is known: read its attributes anew, and compare its counts of changes.
        """
        revisions = self.revision + 1, self.channels_revision + 1
        kept = "numbers", "remotes"
        vars(self).update({name: value for name, value in vars(other).items() if name not in kept})
        # Those of the other one count from its own beginning: they could be the same by chance.
        self.revision, self.channels_revision = revisions

    def enact(self, change: Change) -> None:
        """Apply a change, which must have been checked."""
        match change:
            # First, since most changes are messages.
            case MessageSaid(channel, said_at=said_at):
                self.last_said[channel] = said_at
            case MessagesExpired() | PlayersCounted() | PlayerCountsExpired() | AuditExpired():
                pass  # only the store keeps these
            case GameSaved(game):
                self._forget_name(game.client_id)
                self.games[game.client_id] = game
                self._client_ids[game.short_name.lower()] = game.client_id
                if game.owner is not None:
                    self._owned.setdefault(game.owner, {})[game.client_id] = None
                self._short_names.add(game.short_name, game.client_id)
                self._names.add(game.name, game.client_id)
            case GameRemoved(client_id):
                self._forget_name(client_id)
                self.games.pop(client_id, None)
                self.achievements.pop(client_id, None)
                self.seen.pop(client_id, None)
                for shown in self.in_use.values():
                    shown.pop(client_id, None)
                self.online.pop(client_id, None)
                self.last_seen.pop(client_id, None)
                self.i3.remove(client_id)
                for restrictions in (self.mutes, self.bans):
                    for subject, channel in [key for key in restrictions if key[0].endswith(client_id)]:
                        restrictions.lift(subject, channel)
            case I3IdentitySaved(identity):
                # The game may have been removed while this change was being written.
                if identity.client_id in self.games:
                    self.i3.save(identity)
            case I3IdentityRemoved(client_id):
                self.i3.remove(client_id)
            case I3LinkSaved(link):
                self.i3_links[link.mud] = link
            case I3LinkRemoved(mud):
                self.i3_links.pop(mud, None)
            case GameSeen(client_id):
                # The same.
                if client_id in self.games:
                    self.seen[client_id] = change
            case GameOnline(client_id):
                # The same.
                if client_id in self.games:
                    self.online[client_id] = change
            case GameOffline(client_id, last_seen_at):
                self.online.pop(client_id, None)
                if client_id in self.games:
                    self.last_seen[client_id] = last_seen_at
            case ChannelSaved(channel):
                known = self.channels.get(channel.name)
                self.channels[channel.name] = channel
                self._note_moderators(channel.name, known.moderators if known else frozenset(), channel.moderators)
                self.channels_revision += 1
                # Games make hidden channels all the time.
                if known is not None and known.hidden != channel.hidden:
                    self.revision += 1
            case ChannelOpened(name):
                self.channels.setdefault(name, Channel(name))
                self.channels_revision += 1
            case ChannelsUnused(names, since):
                for name in names:
                    if name in self.channels:
                        self.channels[name] = replace(self.channels[name], unused_since=since)
                self.channels_revision += 1
            case ChannelsRemoved(names):
                for name in names:
                    gone = self.channels.pop(name, None)
                    if gone is not None:
                        self._note_moderators(name, gone.moderators, frozenset())
                    self.last_said.pop(name, None)
                self.channels_revision += 1
                self.revision += 1
            case UserAgentSaved(user_agent):
                before = self.user_agents.get(user_agent.name, UserAgent(user_agent.name))
                self.user_agents[user_agent.name] = user_agent
                self.revision += before != user_agent
            case UserAgentMet(name):
                self.user_agents.setdefault(name, UserAgent(name))
            case AchievementKept(client_id, achievement):
                # The same.
                if client_id in self.games:
                    self.achievements.setdefault(client_id, {})[achievement.key] = achievement
            case AchievementDropped(client_id, key):
                self.achievements.get(client_id, {}).pop(key, None)
            case Audited(_, inner):
                if inner is not None:
                    self.enact(inner)
            case Together(changes):
                for each in changes:
                    self.enact(each)
            case AccountSaved(account):
                self.accounts.save(account)
            case AccountRemoved(name):
                self.accounts.remove(name)
            case TastesSaved(tastes):
                self.accounts.save_tastes(tastes)
            case TicketIssued(ticket):
                self.accounts.issue(ticket)
            case TicketsRevoked(digests):
                self.accounts.revoke(digests)
            case TicketsExpired(by):
                self.accounts.revoke(self.accounts.expired(by))
            case _:
                self._enact_moderation(change)

    def _enact_moderation(self, change: Change) -> None:
        """Apply a change to restrictions, filters, reports or what was said."""
        match change:
            case RestrictionSet(restriction):
                self.restrictions(restriction.kind).set(restriction)
            case RestrictionLifted(kind, subject, channel):
                self.restrictions(kind).lift(subject, channel)
            case RestrictionsExpired(by):
                for restrictions in (self.mutes, self.bans):
                    over = [key for key, each in restrictions.items() if each.until is not None and each.until <= by]
                    for subject, channel in over:
                        restrictions.lift(subject, channel)
            case FilterSaved(kept):
                self.filters.save(kept)
            case FilterRemoved(text, channel):
                self.filters.remove(text, channel)
            case ReportMade(report):
                self.reports[report.number] = self.removals.applied_to(report)
            case ReportResolved(number):
                self.reports.pop(number, None)
            case MessagesRemoved(messages):
                self.removals.add(change)
                gone = {(said.channel, said.seq) for said in messages}
                for number, report in self.reports.items():
                    if (report.channel, report.seq) in gone:
                        self.reports[number] = self.removals.applied_to(report)

    def _note_moderators(self, channel: str, before: frozenset[str], now: frozenset[str]) -> None:
        for name in before - now:
            moderated = self._moderated[name]
            del moderated[channel]
            if not moderated:
                del self._moderated[name]
        for name in now - before:
            self._moderated.setdefault(name, {})[channel] = None

    def _forget_name(self, client_id: str) -> None:
        game = self.games.get(client_id)
        if game is not None:
            self._client_ids.pop(game.short_name.lower(), None)
            if game.owner is not None:
                owned = self._owned[game.owner]
                del owned[client_id]
                if not owned:
                    del self._owned[game.owner]
            self._short_names.remove(game.short_name, client_id)
            self._names.remove(game.name, client_id)


def _check_reason(reason: str) -> None:
    if not is_visible(reason) or len(reason) > REASON or not is_line(reason):
        raise Refused(
            "invalid", "reason", f"a reason has 1 to {REASON} characters, without control characters and tags"
        )


_NOBODY: Final = Secret(bytes(32))
