"""Invariants of the network, for any events in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from msgspec import Raw
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.audiences import SessionsOf, Subscribers, Supporters
from gossip.network.outputs import Broadcast, Close, Commit, Fetch, Find, Hold, ListChannels, Output, Release, Send
from gossip.network.ratelimit import Rate
from gossip.network.session import Session, Situation
from gossip.network.settings import NetworkLimits, Rates
from gossip.protocol import frames
from gossip.protocol.flags import SUPPORTS
from gossip.protocol.server_events import Authenticated, NotAuthenticated
from gossip.registry.changes import (
    ChannelSaved,
    FilterRemoved,
    FilterSaved,
    GameRemoved,
    GameSaved,
    MessageSaid,
    RestrictionLifted,
    RestrictionSet,
)
from gossip.registry.entities import Channel, Filter, Restriction
from gossip.registry.restrictions import player_of
from tests.support.properties import UNLIMITED, event, examples
from tests.support.world import FLAGS, NOW, World, at, flat, frame, hears

GAMES = st.sampled_from(["Alpha", "Beta", "Gamma"])
CHANNELS = st.sampled_from(["gossip", "testing", "no", "all"])
PLAYERS = st.sampled_from(["Ana", "ana", "Bo", "", "<b>", "x" * 65])
MESSAGES = st.sampled_from(["Hi", "", "<b>Hi</b>"])
GAME_NAMES = st.sampled_from(["alpha", "Beta", "Gamma", "Delta", "gossip", "what"])
TITLES = st.sampled_from(["T", "", "U"])
POINTS = st.sampled_from([0, 100, 100, 99, -1])
SESSIONS = st.integers(0, 7)

EVENTS = st.one_of(
    event("heartbeat", players=st.lists(PLAYERS, max_size=3)),
    event("channels/subscribe", channel=CHANNELS),
    event("channels/unsubscribe", channel=CHANNELS),
    event("channels/send", channel=CHANNELS, name=PLAYERS, message=MESSAGES),
    event("channels/list"),
    event("channels/history", channel=CHANNELS, limit=st.sampled_from([None, 1, 100, 101]), after=st.none() | SESSIONS),
    event("players/sign-in", name=PLAYERS),
    event("players/sign-out", name=PLAYERS),
    event("players/status", game=st.none() | GAME_NAMES),
    event("games/status", game=st.none() | GAME_NAMES),
    event(
        "tells/send",
        from_name=PLAYERS,
        to_game=GAME_NAMES,
        to_name=PLAYERS | st.just("system"),
        message=MESSAGES,
    ),
    event(
        "reports/create",
        **{"from": PLAYERS, "reason": MESSAGES, "id": st.none() | st.sampled_from(["gossip:1", "testing:1", "no"])},
        channel=st.none() | CHANNELS,
        game=GAME_NAMES,
        name=PLAYERS,
    ),
    event("channels/remove", id=st.sampled_from(["gossip:1", "testing:1", "no"]), reason=MESSAGES),
    event("achievements/sync"),
    event("achievements/create", title=TITLES, points=POINTS),
    event("achievements/create", title=st.just("T"), points=st.just(100)),
    event("restart"),
    event("authenticate"),
    st.just({"event": 1}),
    st.just({"event": "channels/send", "payload": []}),
)


class Net(RuleBasedStateMachine):
    """Sessions come and go, say anything, and the disk is slow and fails at times."""

    limits = NetworkLimits(rates=UNLIMITED, sessions=3, players=2, channels=2)

    def __init__(self) -> None:
        super().__init__()
        self.world = World(limits=self.limits)
        self.now = NOW
        self.sessions: list[Session] = []
        self.requests = 0
        self.wanted: set[int] = set()
        self.silent: set[int] = set()
        """Events that are answered only when they exceed a limit."""
        self.answers: Counter[int] = Counter()
        self.held: Counter[Session] = Counter()
        self.world.network.tick(at(self.now))

    def session(self, number: int) -> Session:
        return self.sessions[number % len(self.sessions)]

    def carry_out(self, outputs: Sequence[Output], answering: int = 0) -> None:
        """
        Look at what the network returned.

        @param answering: how many of them, from the first, answer earlier requests.
        """
        closed = set()
        for output in reversed(outputs):
            if isinstance(output, Close):
                assert output.session.situation is Situation.GONE
                assert output.session not in closed
                closed.add(output.session)
        for number, output in enumerate(outputs):
            match output:
                case Send(session) if number >= answering:
                    assert session.situation is not Situation.GONE or session in closed
                case Broadcast(audience):
                    sessions = self.world.network.hearing(audience)
                    assert len(set(sessions)) == len(sessions)
                    assert all(each.situation is Situation.ACTIVE for each in sessions)
                case Close(session):
                    closed.discard(session)
                case Hold(session):
                    self.held[session] += 1
                case Fetch(session) | Find(session):
                    assert session.situation is Situation.ACTIVE
                case ListChannels():
                    self.lists(output)
                case Release(session, inner):
                    self.held[session] -= 1
                    assert self.held[session] >= 0
                    assert all(each.session is session for each in inner if isinstance(each, Send))
                case _:
                    pass
        for output in flat(outputs):
            if isinstance(output, Send):
                if isinstance(output.event, Authenticated | NotAuthenticated):
                    continue  # answered without the ref
                ref = getattr(output.event, "ref", None)
                if ref is not None and bytes(ref).isdigit():
                    self.answers[int(bytes(ref))] += 1
                for text in frames.encode(output.event):
                    assert len(text) <= frames.FRAME_OUT

    def lists(self, asked: ListChannels) -> None:
        """A session finds the channels for all and those that it hears, once each, as they are."""
        session, network = asked.session, self.world.network
        listed: list[dict[str, Any]] = []
        for number in range(len(asked.parts)):
            for text in frames.encode(network.listed(asked, number, at(self.now)).event):
                assert len(text) <= frames.FRAME_OUT
                listed += msgspec.json.decode(text)["payload"]["channels"]
        found = {channel["channel"]: channel for channel in listed}
        known = self.world.registry.channels.values()
        assert len(found) == len(listed)
        assert {*found} == {each.name for each in known if not each.hidden or each.name == "testing"} | {
            *session.channels
        }
        for name, channel in found.items():
            games = {each.client_id for each in self.active() if name in each.channels}
            assert (channel["games"], channel["subscribed"]) == (len(games), name in session.channels)
            paused = self.world.registry.channels[name].paused_until
            assert (channel["paused_until"] is not None) == (paused is not None and paused > self.now)
        if isinstance(asked.ref, Raw):
            self.answers[int(bytes(asked.ref))] += 1

    @precondition(lambda self: len(self.sessions) < 40)
    @rule()
    def opens(self) -> None:
        self.sessions.append(self.world.open(self.now))

    @precondition(lambda self: len(self.sessions) < 40)
    @rule(
        game=GAMES,
        supports=st.sampled_from(
            [FLAGS, ("channels",), ("channels", "games", "players"), ("channels", "players", "history"), ()]
        ),
        channels=st.lists(CHANNELS, max_size=3),
        players=st.lists(PLAYERS, max_size=3),
        resume=st.none() | st.dictionaries(CHANNELS, SESSIONS, max_size=2),
        extensions=st.sampled_from([None, ["directory"], ["moderation"]]),
    )
    def joins(
        self,
        game: str,
        supports: Sequence[str],
        channels: list[str],
        players: list[str],
        resume: dict[str, int] | None,
        extensions: list[str] | None,
    ) -> None:
        session = self.world.open(self.now)
        self.sessions.append(session)
        if self.world.registry.game_named(game) is not None:
            more: dict[str, Any] = {"supports": [*supports], "channels": channels, "players": players}
            more |= {"resume": resume, "extensions": extensions}
            self.carry_out(
                self.world.say(session, frame("authenticate", self.world.credentials(game, **more)), self.now)
            )

    @precondition(lambda self: self.sessions)
    @rule(number=SESSIONS, sent=EVENTS, with_ref=st.booleans())
    def says(self, number: int, sent: dict[str, Any], with_ref: bool) -> None:
        session = self.session(number)
        was = session.situation
        if with_ref:
            self.requests += 1
            sent = {**sent, "ref": self.requests}
            silent = {Situation.NEW: "authenticate", Situation.ACTIVE: "heartbeat"}
            if was is not Situation.GONE and sent["event"] != silent[was]:
                self.wanted.add(self.requests)
            elif self.limits.rates is not UNLIMITED:
                self.silent.add(self.requests)
        outputs = self.world.say(session, sent, self.now)
        assert was is not Situation.GONE or outputs == []
        self.carry_out(outputs)

    @precondition(lambda self: self.sessions)
    @rule(number=SESSIONS)
    def goes(self, number: int) -> None:
        self.carry_out(self.world.network.lost(self.session(number), at(self.now)))

    @rule(seconds=st.sampled_from([0, 1, 1.5, 14, 61, -3, 1000]))
    def waits(self, seconds: float) -> None:
        self.now += seconds
        self.carry_out(self.world.network.tick(at(self.now)))

    @precondition(lambda self: self.world.pending)
    @rule(kept=st.booleans())
    def settles(self, kept: bool) -> None:
        commit = self.world.pending[0]
        outputs = self.world.settle_one(self.now, kept)
        answers = commit.then if kept else commit.otherwise
        assert outputs[: len(answers)] == [*answers]
        self.carry_out(outputs, len(answers))

    @rule(
        game=GAMES, attributes=st.dictionaries(st.sampled_from(["hidden", "hides_players", "disabled"]), st.booleans())
    )
    def changes(self, game: str, attributes: dict[str, bool]) -> None:
        known = self.world.registry.game_named(game)
        if known is not None:
            self.world.pending.append(self.world.network.apply(GameSaved(replace(known, **attributes))))

    @rule(game=st.just("Gamma"))
    def removes(self, game: str) -> None:
        known = self.world.registry.game_named(game)
        if known is not None:
            self.world.pending.append(self.world.network.apply(GameRemoved(known.client_id)))

    @rule(name=st.sampled_from(["gossip", "all"]), paused=st.booleans(), hidden=st.booleans())
    def pauses(self, name: str, paused: bool, hidden: bool) -> None:
        channel = Channel(name, hidden, self.now + 5 if paused else None)
        self.world.pending.append(self.world.network.apply(ChannelSaved(channel)))

    @precondition(lambda self: self.world.fetches)
    @rule(count=st.none() | st.integers(0, 101))
    def finds(self, count: int | None) -> None:
        fetch = self.world.fetches.pop(0)
        found = None
        if count is not None:
            seqs = range(count)
            found = [MessageSaid(fetch.channel, seq, None, "Beta", "Bo", "Hi", self.now) for seq in seqs]
        outputs = self.world.network.fetched(fetch, found)
        assert all(isinstance(output, Send) and output.session is fetch.session for output in outputs)
        self.carry_out(outputs)

    @precondition(lambda self: self.world.finds)
    @rule(number=st.none() | st.integers(0, 3))
    def looks_for(self, number: int | None) -> None:
        find = self.world.finds.pop(0)
        said = MessageSaid(find.sought.channel, number or 0, None, "Beta", "Bo", "Hi", self.now)
        outputs = self.world.network.found(find, None if number is None else [said] if number else [], at(self.now))
        self.world._noted(outputs)
        assert all(isinstance(output, Send | Commit) for output in outputs)
        self.carry_out(outputs, len(outputs))

    @rule(
        kind=st.sampled_from(["mute", "ban"]),
        game=GAMES,
        player=st.sampled_from([None, "ana"]),
        channel=st.sampled_from(["", "gossip"]),
        seconds=st.sampled_from([None, 1, 60]),
        lift=st.booleans(),
    )
    def restricts(
        self, kind: str, game: str, player: str | None, channel: str, seconds: int | None, lift: bool
    ) -> None:
        known = self.world.registry.game_named(game)
        if known is None:
            return
        subject = known.client_id if player is None else player_of(known.client_id, player)
        if lift:
            self.world.pending.append(self.world.network.apply(RestrictionLifted(kind, subject, channel)))
            return
        until = None if seconds is None else self.now + seconds
        restriction = Restriction(
            kind=kind, subject=subject, channel=channel, until=until, reason="so", set_by="ana", set_at=self.now
        )
        self.world.pending.append(self.world.network.apply(RestrictionSet(restriction)))

    @rule(action=st.sampled_from(["refuse", "mask", None]), substring=st.booleans())
    def filters(self, action: str | None, substring: bool) -> None:
        if action is None:
            self.world.pending.append(self.world.network.apply(FilterRemoved("hi", "")))
            return
        kept = Filter(text="hi", substring=substring, action=action, reason="so", set_by="ana", set_at=self.now)
        self.world.pending.append(self.world.network.apply(FilterSaved(kept)))

    @rule()
    def restarts(self) -> None:
        self.carry_out(self.world.network.restart(3))

    def active(self) -> list[Session]:
        return [session for session in self.sessions if session.situation is Situation.ACTIVE]

    @invariant()
    def presence_counts(self) -> None:
        presence = self.world.network.presence
        assert Counter(session for online in presence for session in online.sessions) == Counter(self.active())
        for online in presence:
            listed = {name for session in self.active() if session.online is online for name in session.players}
            assert sorted(online.players) == sorted(listed)
            assert all(online.lists(name) and online.plays(name.upper()) for name in listed)
        counted = dict(presence.players_count())
        assert counted == {online.game.client_id: len(online.players) for online in presence}

    @invariant()
    def audiences_are_fresh(self) -> None:
        channels = self.world.network.channels
        subscribed = Counter(name for session in self.active() for name in session.channels)
        assert channels.subscribed() == dict(subscribed)
        hearing = self.world.network.hearing
        for name in subscribed:
            for sender in {session.client_id for session in self.active()}:
                for numbered in (False, True):
                    audience = Subscribers(name, sender, numbered)
                    fresh = {each for each in self.active() if hears(audience, each)}
                    assert set(hearing(audience)) == fresh and len(hearing(audience)) == len(fresh)

    @invariant()
    def nobody_banned_is_here(self) -> None:
        bans = self.world.registry.bans
        for session in self.active():
            assert session.online is not None
            subjects = (session.online.game.client_id,)
            # Of those for good: the clock goes back at times, over the end of others.
            assert bans.find(subjects, session.peer, "", float("inf")) is None
            assert all(bans.find(subjects, session.peer, name, float("inf")) is None for name in session.channels)

    @invariant()
    def flags_are_fresh(self) -> None:
        for online in self.world.network.presence:
            for flag in SUPPORTS:
                for audience in (
                    Supporters(flag, online.game.client_id),
                    SessionsOf(online.game.client_id, flag),
                ):
                    fresh = {each for each in self.active() if hears(audience, each)}
                    assert set(self.world.network.hearing(audience)) == fresh

    @invariant()
    def limits_hold(self) -> None:
        registry = self.world.registry
        assert all(registry.points(client_id) <= 500 for client_id in registry.games)
        for session in self.active():
            assert len(session.channels) <= self.limits.channels
            assert session.online is not None and session.online.game.client_id in registry.games
            assert all(name in registry.channels for name in session.channels)
        for online in self.world.network.presence:
            assert len(online.sessions) <= self.limits.sessions

    @invariant()
    def no_answer_twice(self) -> None:
        assert set(self.answers.values()) <= {1}
        assert set(self.answers) <= self.wanted | self.silent

    def teardown(self) -> None:
        while self.world.finds:
            self.looks_for(1)
        while self.world.pending:
            self.settles(True)
        while self.world.fetches:
            self.finds(1)
        assert not +self.held
        self.every_request_answered()

    def every_request_answered(self) -> None:
        assert set(self.answers) == self.wanted


class LimitedNet(Net):
    """With limits that are reached: a session closed for abuse gets a goodbye in place of an answer."""

    limits = NetworkLimits(
        rates=Rates(Rate(3, 0.1), Rate(1, 0.1), Rate(1, 0.1), Rate(1, 0.1), Rate(1, 0.1)),
        sessions=3,
        players=2,
        channels=2,
    )

    def every_request_answered(self) -> None:
        assert len(self.wanted - set(self.answers)) <= len(self.sessions)


class PropertyTests(SynchronousTestCase):
    """The invariants."""

    def test_net(self) -> None:
        """Nothing raises; one answer to each request; presence, audiences and points are right at any time."""
        run_state_machine_as_test(Net, settings=settings(examples(150), stateful_step_count=50))

    def test_limited_net(self) -> None:
        """The same with rates that are overrun."""
        run_state_machine_as_test(LimitedNet, settings=settings(examples(60), stateful_step_count=50))

    def test_refs(self) -> None:
        """The refs of the tests are digits, the network's own are not."""
        self.assertFalse(bytes(World().network._new_ref()).isdigit())
        self.assertTrue(bytes(Raw(b"12")).isdigit())
