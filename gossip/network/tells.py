"""Tells: what one player says to one other (protocol specification, tells/*)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from msgspec import Raw

from gossip.network.answers import failure, success
from gossip.network.audiences import SessionsOf
from gossip.network.channels import checked_message
from gossip.network.echo import Echo
from gossip.network.moderation import Moderation
from gossip.network.nodes import Nodes
from gossip.network.outputs import Broadcast, Outputs, Send
from gossip.network.presence import Presence
from gossip.network.ratelimit import spend
from gossip.network.session import Session
from gossip.network.settings import NetworkSettings, Rules
from gossip.protocol.errors import NOT_KEPT, Denied
from gossip.protocol.events import TellsSend
from gossip.protocol.moment import Moment
from gossip.protocol.server_events import TellsReceive
from gossip.protocol.text import clean_name, timestamp
from gossip.registry.names import NETWORK_GAME, NETWORK_PLAYER, is_network
from gossip.registry.registry import Registry

RULES: Final = "rules"
"""A tell of this word to the network itself asks for the address of its rules."""

_SENT_AT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,12})?Z", re.ASCII)


class Tells:
    """What players say to each other. A tell is not stored."""

    def __init__(
        self,
        registry: Registry,
        presence: Presence,
        moderation: Moderation,
        echo: Echo,
        nodes: Nodes,
        new_ref: Callable[[], Raw],
        rules: Rules,
    ) -> None:
        self._rules = rules
        self._registry = registry
        self._presence = presence
        self._moderation = moderation
        self._echo = echo
        self._nodes = nodes
        self._new_ref = new_ref

    def send(self, session: Session, event: TellsSend, now: Moment) -> Outputs:
        """A player tells something to one other; a tell to the network itself is answered by it."""
        sent_at = timestamp(now.wall) if event.sent_at is None else event.sent_at
        if not is_timestamp(sent_at):
            raise Denied("invalid-payload")
        sender = session.online
        assert sender is not None
        from_name, to_name = clean_name(event.from_name), clean_name(event.to_name)
        rate = self._rules.limits.rates.tells_send
        if is_network(event.to_game):
            spend(sender.buckets, "tells_send", rate, now)
            echoes = self._echo.plays(to_name)
            self._check_names(_plays(session, from_name), echoes or to_name.lower() == NETWORK_PLAYER)
            message = checked_message(event.message, self._rules.limits)
            if echoes:
                self._moderation.check_speaker(sender.game.client_id, session.peer, from_name, "", now)
                answers = self._echo.told(session, from_name, message, now)
            else:
                answers = [Send(session, self._own(event.message, from_name, now))]
            return [*answers, *success(session, event, now)]
        receiver = self._registry.speaker_named(event.to_game)
        online = None if receiver is None else self._presence.online(receiver.client_id)
        if online is None or not online.sessions:
            raise Denied("game-offline")
        if "tells" not in online.supports or online.game.hides_players:
            raise Denied("not-supported")
        # Before the names: two games of thousands of players have long lists to look through.
        spend(sender.buckets, "tells_send", rate, now)
        self._check_names(_plays(session, from_name), not online.lists_players or online.plays(to_name))
        message = checked_message(event.message, self._rules.limits)
        game = sender.game
        self._moderation.check_speaker(game.client_id, session.peer, from_name, "", now)
        told = TellsReceive(self._new_ref(), game.short_name, from_name, to_name, sent_at, message)
        if any(other.node for other in online.sessions):
            return self._nodes.told(
                online.game.client_id, told, success(session, event, now), failure(session, event, NOT_KEPT, now)
            )
        hearing = SessionsOf(online.game.client_id, "tells")
        return [Broadcast(hearing, told), *success(session, event, now)]

    def _own(self, message: str, to_name: str, now: Moment) -> TellsReceive:
        """What the network itself answers to a tell."""
        answer = _answer(message, self._rules.settings)
        return TellsReceive(self._new_ref(), NETWORK_GAME, NETWORK_PLAYER, to_name, timestamp(now.wall), answer)

    def _check_names(self, sends: bool, receives: bool) -> None:
        if not sends:
            raise Denied("sender-offline")
        if not receives:
            raise Denied("receiver-offline")


def _answer(message: str, settings: NetworkSettings) -> str:
    """Where the rules are, or the help of the network."""
    if message.strip().lower() != RULES:
        return settings.help
    if settings.rules_address:
        return f"The rules of {settings.name}: {settings.rules_address}"
    return f"The rules of {settings.name} are on its web pages, at /rules."


def _plays(session: Session, name: str) -> bool:
    """Has the game of a session this player, as far as that is known?"""
    assert session.online is not None
    return not session.lists_players or session.online.plays(name)


def is_timestamp(text: str) -> bool:
    """Is this a time in ISO 8601, UTC, ending in Z, with or without fractions?"""
    match = _SENT_AT.fullmatch(text)
    if match is None:
        return False
    try:
        datetime.fromisoformat(match[1])
    except ValueError:
        return False
    return True
