"""Consequences: what else becomes of a change that is in force, wherever it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Raw

from gossip.network.audiences import Audiences
from gossip.network.channels import Channels
from gossip.network.directory import Directory
from gossip.network.endings import AUTHENTICATION_FAILED, Endings
from gossip.network.nodes import Nodes
from gossip.network.notes import Notes, coming_online
from gossip.network.notices import Notices
from gossip.network.outputs import Commit, Outputs
from gossip.network.presence import Online, Presence, to_others
from gossip.network.relays import SessionJoined
from gossip.network.removing import Removing
from gossip.protocol.errors import Error
from gossip.protocol.events import Authenticate
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import Failure, GamesDisconnect
from gossip.registry.changes import (
    Audited,
    Change,
    ChannelOpened,
    ChannelsRemoved,
    GameOffline,
    GameRemoved,
    GameSaved,
    MessageSaid,
    MessagesRemoved,
    ReportMade,
    RestrictionLifted,
    RestrictionSet,
    Together,
)
from gossip.registry.differences import of_channels, of_restrictions
from gossip.registry.entities import Restriction
from gossip.registry.registry import Registry
from gossip.registry.restrictions import address_of, is_over, values_of


class Consequences:
    """Lets the registry take a change over, and follows it up, once for each change."""

    def __init__(
        self,
        registry: Registry,
        presence: Presence,
        audiences: Audiences,
        channels: Channels,
        nodes: Nodes,
        directory: Directory,
        notices: Notices,
        removing: Removing,
        notes: Notes,
        endings: Endings,
        new_ref: Callable[[], Raw],
    ) -> None:
        self._registry = registry
        self._presence = presence
        self._audiences = audiences
        self._channels = channels
        self._nodes = nodes
        self._directory = directory
        self._notices = notices
        self._removing = removing
        self._notes = notes
        self._endings = endings
        self._new_ref = new_ref

    def of(self, change: Change, now: Moment) -> Outputs:
        """A change is in force from now on."""
        parts = [*_parts(change)]
        news = self._directory.news(parts)
        ended = self._notices.before(parts, now)
        self._registry.enact(change)
        followed = [output for each in parts for output in self._follow(each, now)]
        return [*ended, *followed, *self._directory.tell(news, now)]

    def of_everything(
        self,
        known: Registry,
        sessions: Mapping[str, Sequence[SessionJoined]],
        missed: Sequence[MessageSaid],
        removed: Sequence[MessagesRemoved],
        now: Moment,
    ) -> Outputs:
        """
        This node did not hear the others for a while, and has read everything anew. Its games are told of what they
        missed.

        @param known: what is known now.
        @param sessions: the sessions of each other node.
        @param missed: messages that were not heard, in the order of their numbers.
        @param removed: the latest removals, as they were made. Some of them may have been heard.
        """
        # What games opened here while nobody heard of it is not known yet, and comes.
        channels = [*of_channels(self._registry, known, self._channels.opened)]
        restrictions = [*of_restrictions(self._registry, known)]
        news = self._directory.news(channels)
        lifted = [change for change in restrictions if isinstance(change, RestrictionLifted)]
        outputs: Outputs = self._notices.before(lifted, now)
        removed = [*self._registry.removals.unheard(removed)]
        numbers = self._registry.numbers
        numbers.report_given(known.numbers.next_report() - 1)
        for name in known.channels:
            numbers.message_given(name, known.numbers.highest_message(name))
        self._registry.become(known)
        for online in [*self._presence]:
            if online.game.through is not None:
                continue
            game = known.games.get(online.game.client_id)
            outputs.extend(self._follow(GameRemoved(online.game.client_id) if game is None else GameSaved(game), now))
        for change in (*restrictions, *channels):
            outputs.extend(self._follow(change, now))
        self._notices.started(now)
        outputs.extend(self._directory.tell(news, now))
        for name in self._audiences.subscribed():
            if name not in known.channels:
                outputs.append(self._reopen(name))
        for node in {*self._nodes.known, *sessions}:
            outputs.extend(self._nodes.replace(node, sessions.get(node, ()), now))
        for said in missed:
            outputs.extend(self._follow(said, now))
        for each in removed:
            outputs.extend(self._removing.tell(each))
        return outputs

    def _follow(self, change: Change, now: Moment) -> Outputs:
        outputs: Outputs = []
        match change:
            case MessageSaid():  # first: most changes are of this kind
                if self._nodes.shared:
                    self._registry.numbers.message_given(change.channel, change.seq)
                    outputs.extend(self._channels.heard(change))
            case MessagesRemoved():
                outputs.extend(self._removing.removed(change))
            case ReportMade(report) if self._nodes.shared:
                self._registry.numbers.report_given(report.number)
            case GameSaved(game):
                online = self._presence.changed(game)
                if online is not None and game.disabled:
                    outputs.extend(self._expel(online, Error.of("game-disabled"), now))
            case ChannelsRemoved(names, unused):
                for name in names:
                    if not unused:
                        outputs.extend(self._channels.removed(name))
                    elif self._audiences.subscribers(name):
                        # Somebody subscribed to it here while another node took it for unused.
                        outputs.append(self._reopen(name))
            case ChannelOpened(name):
                self._channels.opened.discard(name)
            case GameOffline(client_id) if self._nodes.shared:
                # It has come back here meanwhile: its sessions stand above what another node counted.
                online = self._presence.online(client_id)
                if online is not None and online.here:
                    outputs.extend(self._notes.note(coming_online(online.here[-1], online)))
            case RestrictionSet(restriction):
                outputs.extend(self._notices.began(restriction))
                if restriction.kind == "ban":
                    outputs.extend(self._enforce(restriction, now))
            case GameRemoved(client_id):
                online = self._presence.online(client_id)
                if online is not None:
                    outputs.extend(self._expel(online, Error.of("game-removed"), now))
                    # It cannot come back: no grace.
                    self._presence.forget(client_id)
                    outputs.extend(to_others(online, GamesDisconnect(self._new_ref(), online.game.short_name)))
        return outputs

    def _reopen(self, channel: str) -> Commit:
        """A channel that has subscribers here was taken for unused elsewhere, or its opening is not known yet."""
        opened = ChannelOpened(channel)
        self._registry.enact(opened)
        return Commit(opened, learned=True)

    def _expel(self, online: Online, why: Error, now: Moment) -> Outputs:
        """End all sessions of a game that may no longer be here."""
        ends = (self._endings.close(session, AUTHENTICATION_FAILED, why, now) for session in online.here)
        return [output for outputs in ends for output in outputs]

    def _enforce(self, ban: Restriction, now: Moment) -> Outputs:
        """Somebody was banned: the sessions that the ban names must go."""
        outputs: Outputs = []
        if is_over(ban, now.wall):
            return outputs
        banned = address_of(ban.subject)
        # Those of other nodes are dealt with there.
        active = [session for online in self._presence for session in online.here]
        for session in [*active, *self._endings.waiting]:
            names = ban.subject in (session.client_id, session.through)
            if not (names if banned is None else banned.covers(session.peer)):
                continue
            if not ban.channel:
                abuse = Failure(Authenticate.wire, None, Error.of("expelled", **values_of(ban)))
                outputs.extend(self._endings.dismiss(session, abuse, now))
            elif ban.channel in session.channels:
                del session.channels[ban.channel]
                if session.through is None:
                    self._channels.leave(session, ban.channel)
                outputs.extend(self._nodes.unsubscribed(session, ban.channel))
        return outputs


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
