"""Several networks that are one: what is told on one node is known on all."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from msgspec import Struct
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.outputs import Broadcast, Commit, Output, Relay, Send, Unsure
from gossip.network.presence import GRACE
from gossip.network.relays import (
    PlayersReplaced,
    Relayed,
    SessionJoined,
    SessionLeft,
    SignedIn,
    SignedOut,
    Subscribed,
    Told,
    Unsubscribed,
)
from gossip.network.session import Session, Situation
from gossip.network.settings import NetworkLimits
from gossip.protocol.server_events import (
    ChannelsBroadcast,
    ChannelsBroadcastNumbered,
    ChannelsChanged,
    GamesConnect,
    GamesDisconnect,
    ModerationNotice,
    PlayersSignedIn,
    PlayersSignedOut,
    Success,
    TellsReceive,
)
from gossip.registry.changes import (
    Change,
    ChannelSaved,
    ChannelsRemoved,
    GameRemoved,
    GameSaved,
    MessageSaid,
    MessagesRemoved,
    RestrictionLifted,
    RestrictionSet,
)
from gossip.registry.entities import Channel, Game, Removal, Restriction
from gossip.registry.numbers import NumbersHeard
from gossip.registry.registry import Registry
from gossip.registry.remotes import remote_id
from tests.support.properties import UNLIMITED, event, examples
from tests.support.world import NOW, World, at, flat, frame, hears

LIMITS = NetworkLimits(rates=UNLIMITED, sessions=0, channels=3)
FLAGS = ["channels", "players", "tells", "games", "history"]

GAMES = ["Alpha", "Beta", "Gamma"]
CHANNELS = st.sampled_from(["gossip", "testing", "third"])
PLAYERS = st.sampled_from(["Ana", "Bo"])

EVENTS = st.one_of(
    event("heartbeat", players=st.lists(PLAYERS, max_size=2)),
    event("channels/subscribe", channel=CHANNELS),
    event("channels/unsubscribe", channel=CHANNELS),
    event("channels/send", channel=CHANNELS, name=PLAYERS, message=st.just("Hello!")),
    event("players/sign-in", name=PLAYERS),
    event("players/sign-out", name=PLAYERS),
    event("tells/send", from_name=PLAYERS, to_game=st.sampled_from(GAMES), to_name=PLAYERS, message=st.just("psst")),
)


class Heard(Struct, frozen=True):
    """
    An entry of the stream.

    @ivar sessions: all sessions of the node, if it tells them anew.
    """

    node: Node
    entry: Change | Relayed | None
    by: Commit | Relay | None = None
    sessions: tuple[SessionJoined, ...] = ()


class Database:
    """
    What all nodes share. It puts what they commit in one order, and gives numbers to messages.

    @ivar known: what is known by what was committed.
    @ivar sessions: the sessions of each node.
    """

    def __init__(self, known: Registry) -> None:
        self.known = known
        self.stream: list[Heard] = []
        self.sessions: dict[str, dict[int, SessionJoined]] = {}
        self._numbers = itertools.count(1)

    def commit(self, node: Node, output: Commit | Relay) -> None:
        """A node writes a change or a relay."""
        entry: Change | Relayed
        if isinstance(output, Relay):
            entry = output.told
            self._note(self.sessions.setdefault(node.name, {}), entry)
        else:
            entry = output.change
            if isinstance(entry, GameSaved | GameRemoved) and _client_id(entry) not in self.known.games:
                return  # an admin would be told that somebody else was first
            if isinstance(entry, MessageSaid):
                entry = replace(entry, seq=next(self._numbers))
            self.known.enact(entry)
        self.stream.append(Heard(node, entry, output))

    def _note(self, rows: dict[int, SessionJoined], relay: Relayed) -> None:
        match relay:
            case SessionJoined(number):
                rows[number] = relay
            case SessionLeft(number):
                rows.pop(number, None)
            case SignedOut(client_id, name):
                for each in self.sessions.values():
                    for number, row in each.items():
                        if row.client_id == client_id:
                            each[number] = replace(row, players=_without(row.players, name))
            case Subscribed(number) | Unsubscribed(number) | PlayersReplaced(number) | SignedIn(number):
                if number in rows:
                    rows[number] = _changed(rows[number], relay)

    def rewrite(self, node: Node, sessions: Iterable[SessionJoined]) -> None:
        """A node begins a new life: it tells all its sessions anew."""
        rows = self.sessions[node.name] = {each.number: each for each in sessions}
        self.stream.append(Heard(node, None, None, tuple(rows.values())))


def _client_id(change: GameSaved | GameRemoved) -> str:
    return change.game.client_id if isinstance(change, GameSaved) else change.client_id


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(each for each in names if each != name)


def _changed(row: SessionJoined, relay: Relayed) -> SessionJoined:
    match relay:
        case Subscribed(_, channel):
            return replace(row, channels=(*_without(row.channels, channel), channel))
        case Unsubscribed(_, channel):
            return replace(row, channels=_without(row.channels, channel))
        case PlayersReplaced(_, players):
            return replace(row, players=players)
        case SignedIn(_, name):
            return replace(row, players=(*_without(row.players, name), name))
    raise AssertionError(relay)


class Player(Struct, eq=False):
    """
    A game's own view of one connection.

    @ivar since: from where in the stream on it must hear its first channel, for as long as it is subscribed to it.
    @ivar heard: the numbers of the messages that it heard.
    @ivar up: whether the last it heard of a game was that it came.
    @ivar banned: the channels that the game is banned from, as far as it was told.
    """

    session: Session
    since: int
    heard: list[int] = []
    up: dict[str, bool] = {}
    banned: frozenset[str | None] = frozenset()


class Node:
    """
    One of the networks.

    @ivar outbox: what it has not committed yet.
    @ivar position: how much of the stream it has heard.
    @ivar deaf: whether it lost the stream.
    """

    def __init__(self, name: str, database: Database) -> None:
        self.name = name
        self.database = database
        self.world = World(limits=LIMITS, shared=True)
        self.network = self.world.network
        self.outbox: list[Commit | Relay] = []
        self.position = 0
        self.deaf = False
        self.games: list[Player] = []
        self.got: list[tuple[Session, object]] = []
        self.now = NOW
        self.network.tick(at(NOW))

    def __repr__(self) -> str:
        return self.name

    def carry_out(self, outputs: Iterable[Output]) -> None:
        """Do what the network wants, as a service does."""
        for output in flat(list(outputs)):
            match output:
                case Commit() | Relay():
                    self.outbox.append(output)
                case Broadcast(audience, told):
                    resolved = self.network.hearing(audience)
                    for game in self.games:
                        if game.session.situation is Situation.GONE:
                            continue  # a service has no connection for it, and passes it over
                        assert hears(audience, game.session) == (game.session in resolved)
                        if game.session in resolved:
                            self._get(game, told)
                case Unsure(session, event):
                    self.carry_out(self.network.receive_surely(session, event, at(self.now)))
                case Send(session, told):
                    assert not session.node, "nothing is sent to a copy"
                    (game,) = (game for game in self.games if game.session is session)
                    self._get(game, told)

    def _get(self, game: Player, told: object) -> None:
        self.got.append((game.session, told))
        match told:
            case ChannelsBroadcastNumbered():
                assert game.heard[-1:] < [told.seq], "messages come in the order of their numbers, and once"
                game.heard.append(told.seq)
            case ModerationNotice(kind=kind, name=None, channel=channel):
                assert (kind == "ban") != (channel in game.banned), "a game is told of each ban and its end, once"
                game.banned = game.banned | {channel} if kind == "ban" else game.banned - {channel}
            case GamesConnect(_, name):
                assert not game.up.get(name), f"{name} came twice"
                game.up[name] = True
            case GamesDisconnect(_, name):
                assert game.up.get(name, True), f"{name} went twice"
                game.up[name] = False

    def join(self, name: str, *channels: str, **more: Any) -> Player:
        """A game joins here, with whatever else stands in its authenticate."""
        session = self.world.open(self.now)
        game = Player(session, self.position, [], {})
        self.games.append(game)
        credentials = self.world.credentials(name, **{"supports": FLAGS, "channels": list(channels), **more})
        self.carry_out(self.world.say(session, frame("authenticate", credentials), self.now))
        game.banned = self.banned(game)
        return game

    def banned(self, game: Player) -> frozenset[str | None]:
        """The channels that a game is banned from, as this node knows it."""
        bans = self.world.registry.bans.values()
        return frozenset(ban.channel for ban in bans if ban.subject == game.session.client_id)

    def say(self, game: Player, sent: dict[str, Any]) -> None:
        """A game sends a frame."""
        self.carry_out(self.world.say(game.session, sent, self.now))

    def commit(self) -> None:
        """The oldest of what waits is written."""
        if self.outbox:
            self.database.commit(self, self.outbox.pop(0))

    def hear(self) -> None:
        """The next entry of the stream arrives."""
        if self.deaf or self.position == len(self.database.stream):
            return
        heard = self.database.stream[self.position]
        self.position += 1
        node, entry = heard.node.name, heard.entry
        mine = heard.node is self
        if entry is None:
            if not mine:
                self.carry_out(self.network.nodes.replace(node, heard.sessions, at(self.now)))
        elif isinstance(entry, Relayed):
            self.carry_out(self.network.relayed("" if mine else node, entry, at(self.now)))
            if mine and isinstance(heard.by, Relay):
                self.carry_out(heard.by.then)
        else:
            self.carry_out(self.network.learned(entry, at(self.now)))
            if mine and isinstance(heard.by, Commit):
                self.carry_out(self.network.settled(heard.by, True, at(self.now)))

    def listen(self) -> None:
        """
        It hears the stream again: its sessions are told anew, and it reads everything anew. What waits is told after
        that: some of it is known by then.
        """
        self.deaf = False
        self.database.rewrite(self, self.network.nodes.own)
        entries = [each.entry for each in self.database.stream[self.position :]]
        missed = [entry for entry in entries if isinstance(entry, MessageSaid)]
        removed = [entry for entry in entries if isinstance(entry, MessagesRemoved)]
        self.position = len(self.database.stream)
        sessions = {name: tuple(rows.values()) for name, rows in self.database.sessions.items() if name != self.name}
        known = deepcopy(self.database.known)
        self.carry_out(self.network.resynced(known, sessions, missed, removed, at(self.now)))

    def tick(self) -> None:
        """A second goes by."""
        self.now += 1
        for game in self.games:
            self.network.alive(game.session)
        self.carry_out(self.network.tick(at(self.now)))

    def view(self) -> dict[str, object]:
        """Who is online, with which sessions, as this node knows it."""
        return {
            online.game.short_name: sorted(
                (
                    session.node or self.name,
                    session.number,
                    sorted(session.supports),
                    sorted(session.channels),
                    sorted(session.players),
                )
                for session in online.sessions
            )
            for online in self.network.presence
        }


def mute(game: Player, name: str, reason: str) -> Restriction:
    """A mute of a player of a game."""
    subject = f"{name}@{game.session.client_id}"
    return Restriction(kind="mute", subject=subject, reason=reason, set_by="admin", set_at=0.0)


def two() -> tuple[Node, Node]:
    """Two nodes of a network."""
    database = Database(World(shared=True).registry)
    return Node("a", database), Node("b", database)


def settle(*nodes: Node) -> None:
    """Everything is committed and heard."""
    for node in nodes:
        if node.deaf:
            node.listen()
    while any(node.outbox or node.position < len(node.database.stream) for node in nodes):
        for node in nodes:
            node.commit()
            node.hear()


class TwoNodes(RuleBasedStateMachine):
    """Whatever happens on two nodes, in whatever order they commit and hear it, in the end both know the same."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes = two()
        self.database = self.nodes[0].database
        for node, game in zip(self.nodes, GAMES, strict=False):
            node.join(game, "gossip", "testing")
        settle(*self.nodes)

    which = st.integers(0, 1)

    @rule(
        which=which,
        game=st.sampled_from(GAMES),
        channels=st.lists(CHANNELS, max_size=2, unique=True),
        extensions=st.sampled_from(([], ["directory", "moderation"])),
    )
    def join(self, which: int, game: str, channels: list[str], extensions: list[str]) -> None:
        node = self.nodes[which]
        if node.world.registry.game_named(game) is not None:
            node.join(game, *channels, extensions=extensions)

    @precondition(lambda self: any(node.games for node in self.nodes))
    @rule(which=which, number=st.integers(0, 5), sent=EVENTS)
    def say(self, which: int, number: int, sent: dict[str, Any]) -> None:
        node = self.nodes[which]
        if node.games:
            node.say(node.games[number % len(node.games)], sent)

    @precondition(lambda self: any(node.games for node in self.nodes))
    @rule(which=which, number=st.integers(0, 5), channel=CHANNELS)
    def talk(self, which: int, number: int, channel: str) -> None:
        self.say(which, number, frame("channels/send", {"channel": channel, "name": "Ana", "message": "Hello!"}))

    @rule(which=which, number=st.integers(0, 5))
    def lose(self, which: int, number: int) -> None:
        node = self.nodes[which]
        if node.games:
            game = node.games[number % len(node.games)]
            node.carry_out(node.network.lost(game.session, at(node.now)))

    @rule(
        which=which,
        change=st.sampled_from(
            [
                ChannelsRemoved(("gossip",)),
                ChannelsRemoved(("testing",), unused=True),
                ChannelSaved(Channel("testing", description="For tests")),
                RestrictionSet(Restriction(kind="ban", subject="x", reason="r", set_by="ana", set_at=NOW)),
                RestrictionLifted("ban", "x", ""),
                ChannelSaved(Channel("third", hidden=False)),
                "lift",
                "remove",
                "hide",
            ]
        ),
        game=st.sampled_from(GAMES),
    )
    def administer(self, which: int, change: Any, game: str) -> None:
        known = self.nodes[which].world.registry.game_named(game)
        if isinstance(change, str):
            if known is None:
                return
            change = {
                "lift": RestrictionLifted("ban", known.client_id, "gossip"),
                "remove": GameRemoved(known.client_id),
                "hide": GameSaved(replace(known, hides_players=True)),
            }[change]
        elif isinstance(change, RestrictionSet) and known is not None:
            subject = replace(change.restriction, subject=known.client_id, channel="gossip")
            change = RestrictionSet(subject)
        self.nodes[which].outbox.append(Commit(change))

    @rule(which=which, number=st.integers(1, 4))
    def commit(self, which: int, number: int) -> None:
        for _ in range(number):
            self.nodes[which].commit()

    @rule(which=which, number=st.integers(1, 4))
    def hear(self, which: int, number: int) -> None:
        for _ in range(number):
            self.nodes[which].hear()

    @rule(which=which)
    def deafen(self, which: int) -> None:
        self.nodes[which].deaf = True

    @rule(which=which)
    def listen(self, which: int) -> None:
        if self.nodes[which].deaf:
            self.nodes[which].listen()

    @rule(seconds=st.sampled_from([1, 70]))
    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            for node in self.nodes:
                node.tick()

    def teardown(self) -> None:
        settle(*self.nodes)
        for _ in range(int(GRACE) + 2):
            for node in self.nodes:
                node.tick()
        settle(*self.nodes)
        first, second = self.nodes
        assert first.view() == second.view()
        counts = [
            [node.network.audiences.games_on(name) for name in ("gossip", "testing", "third")] for node in self.nodes
        ]
        assert counts[0] == counts[1]
        registries = [node.world.registry for node in self.nodes]
        for name in ("games", "channels", "seen", "user_agents"):
            known = [getattr(registry, name) for registry in (*registries, self.database.known)]
            assert known[0] == known[1] == known[2], name
        for node in self.nodes:
            for game in node.games:
                if game.session.situation is Situation.ACTIVE:
                    assert game.session.online in [*node.network.presence]
                    assert "moderation" not in game.session.extensions or game.banned == node.banned(game)


class NodesTests(SynchronousTestCase):
    """Two nodes, one thing at a time."""

    def setUp(self) -> None:
        self.a, self.b = two()

    def settle(self) -> None:
        settle(self.a, self.b)

    def events(self, node: Node, game: Player) -> list[Any]:
        """What a game was told since the last look."""
        told = [event for session, event in node.got if session is game.session]
        node.got = [each for each in node.got if each[0] is not game.session]
        return told

    def test_any_order(self) -> None:
        """Whatever is done on both, in whatever order it is heard, with losses, both end with the same."""
        run_state_machine_as_test(TwoNodes, settings=settings(examples(120), stateful_step_count=60))

    def test_message(self) -> None:
        """A message is heard on both nodes when it comes back with its number, but not by the game that said it."""
        alpha, same, beta = (
            self.a.join("Alpha", "gossip"),
            self.b.join("Alpha", "gossip"),
            self.b.join("Beta", "gossip"),
        )
        self.settle()
        for node, game in ((self.a, alpha), (self.b, same), (self.b, beta)):
            self.events(node, game)
        sent = frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "Hi"}, "r")
        self.a.say(alpha, sent)
        self.assertEqual(self.events(self.a, alpha), [])
        self.settle()
        self.assertEqual([type(each) for each in self.events(self.a, alpha)], [Success])
        self.assertEqual(self.events(self.b, same), [])
        (told,) = self.events(self.b, beta)
        assert isinstance(told, ChannelsBroadcast)
        self.assertEqual((told.game, told.name, told.message), ("Alpha", "Ana", "Hi"))
        self.assertEqual(beta.heard, [1])

    def test_tell(self) -> None:
        """A tell reaches a game that is elsewhere, and succeeds when it was carried there."""
        alpha, beta = self.a.join("Alpha"), self.b.join("Beta")
        self.a.say(alpha, frame("players/sign-in", {"name": "Ana"}))
        self.b.say(beta, frame("players/sign-in", {"name": "Bo"}))
        self.settle()
        self.events(self.a, alpha)
        self.events(self.b, beta)
        tell = {"from_name": "Ana", "to_game": "Beta", "to_name": "Bo", "message": "psst"}
        self.a.say(alpha, frame("tells/send", tell, "t"))
        self.assertEqual(self.events(self.a, alpha), [])
        self.settle()
        self.assertEqual([type(each) for each in self.events(self.a, alpha)], [Success])
        (told,) = self.events(self.b, beta)
        assert isinstance(told, TellsReceive)
        self.assertEqual((told.from_game, told.from_name, told.to_name), ("Alpha", "Ana", "Bo"))
        self.assertTrue(any(isinstance(each.entry, Told) for each in self.a.database.stream))

    def test_last_code_base(self) -> None:
        """The session of a game that joined last says what the game runs, whichever node has its turn first."""
        first, last = (self.a, "Old 1.0"), (self.b, "New 2.0")
        for node, user_agent in (first, last):
            node.join("Beta", user_agent=user_agent)
            self.settle()
        for node, _ in (last, first):
            node.tick()
            self.settle()
        for node, _ in (first, last):
            (seen,) = node.network.registry.seen.values()
            self.assertEqual(seen.user_agent, "New 2.0")

    def test_sign_in_once(self) -> None:
        """A player that one node lists already does not come again on the other."""
        first, second, other = self.a.join("Alpha"), self.b.join("Alpha"), self.b.join("Beta")
        self.a.say(first, frame("players/sign-in", {"name": "Ana"}))
        self.settle()
        self.b.say(second, frame("players/sign-in", {"name": "Ana"}))
        self.settle()
        came = [each for each in self.events(self.b, other) if isinstance(each, PlayersSignedIn)]
        self.assertEqual(len(came), 1)

    def test_out_and_in(self) -> None:
        """Of a sign-out on one node and a sign-in on another, what was committed last holds on both."""
        first, second = self.a.join("Alpha"), self.b.join("Alpha")
        self.a.say(first, frame("players/sign-in", {"name": "Ana"}))
        self.settle()
        for order in ((self.a, self.b), (self.b, self.a)):
            self.b.say(second, frame("players/sign-out", {"name": "Ana"}))
            self.a.say(first, frame("players/sign-in", {"name": "Ana"}))
            for node in order:
                node.commit()
            self.settle()
            listed = [node.network.presence.online(first.session.client_id) for node in (self.a, self.b)]
            players = [online.players for online in listed if online is not None]
            self.assertEqual(players, [("Ana",)] * 2 if order[0] is self.b else [()] * 2)

    def test_in_and_out_at_once(self) -> None:
        """A player that comes and goes, before the node hears of it, is told of once by each node; a list, too."""
        for sent in (
            [("players/sign-in", "Bo"), ("players/sign-out", "Bo")],
            [("players/sign-in", "Bo"), ("players/sign-out", "Bo"), ("players/sign-in", "Bo")],
            [("heartbeat", "Ana"), ("players/sign-in", "Bo")],
        ):
            a, b = two()
            game = a.join("Alpha", players=["Ana"])
            listening = [(node, node.join(name)) for node, name in ((a, "Beta"), (b, "Gamma"))]
            settle(a, b)
            for kind, player in sent:
                a.say(game, frame(kind, {"players": [player]} if kind == "heartbeat" else {"name": player}))
            settle(a, b)
            for node, other in listening:
                told = [
                    "players/sign-in" if isinstance(each, PlayersSignedIn) else "players/sign-out"
                    for session, each in node.got
                    if session is other.session and isinstance(each, PlayersSignedIn | PlayersSignedOut)
                ]
                self.assertEqual(told, [kind for kind, _ in sent if kind != "heartbeat"], node)

    def test_removed_and_subscribed(self) -> None:
        """A channel that an admin removes is left by all its subscribers, whoever subscribed to it meanwhile."""
        alpha, beta = self.a.join("Alpha"), self.b.join("Beta")
        self.settle()
        self.b.outbox.append(Commit(ChannelsRemoved(("gossip",))))
        self.a.say(alpha, frame("channels/subscribe", {"channel": "gossip"}))
        self.b.commit()
        self.settle()
        self.assertEqual(self.a.view(), self.b.view())
        self.assertEqual((list(alpha.session.channels), list(beta.session.channels)), ([], []))

    def test_node_gone(self) -> None:
        """A node that is gone takes its sessions along; their games are offline after the grace."""
        alpha, beta = self.a.join("Alpha"), self.b.join("Beta")
        self.settle()
        self.events(self.a, alpha)
        self.a.network.nodes.gone("b", at(self.a.now))
        for _ in range(int(GRACE) + 1):
            self.a.tick()
        gone = [each.game for each in self.events(self.a, alpha) if isinstance(each, GamesDisconnect)]
        self.assertEqual(gone, ["Beta"])
        self.assertIsNot(beta.session.situation, Situation.GONE)

    def house(self, node: Node, game: Game, *channels: str) -> Session:
        """A part of a node itself joins."""
        session = Session()
        supports = frozenset(("channels", "tells", "games"))
        node.games.append(Player(session, node.position, [], {}))
        node.carry_out(node.network.house.join(session, game, supports, channels, at(node.now)))
        return session

    def test_remote_games(self) -> None:
        """
        A remote game of one node is known on the other: it is told things, has a status, and speaks to all but its own
        gateway. With its node it goes at once.
        """
        alpha = self.b.join("Alpha", "gossip")
        game = Game(
            client_id=remote_id(self.a.world.client_id("Beta"), "Dead Souls"),
            short_name="DeadSoulsI3",
            name="Dead Souls",
            secrets=(),
        )
        gateway = self.house(self.a, self.a.world.game("Beta"), "gossip")
        remote = self.house(self.a, game, "gossip")
        self.settle()
        self.assertEqual(self.a.view(), self.b.view())
        self.assertEqual(self.b.world.registry.speaker_named("DeadSoulsI3"), game)
        self.assertEqual([node.network.audiences.games_on("gossip") for node in (self.a, self.b)], [2, 2])
        self.assertEqual([len(node.network.presence) for node in (self.a, self.b)], [2, 2])
        self.events(self.b, alpha)
        self.a.carry_out(
            self.a.world.say(remote, frame("channels/send", {"channel": "gossip", "name": "Bob", "message": "hi"}))
        )
        tell = {"from_name": "Ana", "to_game": "DeadSoulsI3", "to_name": "Bob", "message": "psst"}
        self.b.say(alpha, frame("players/sign-in", {"name": "Ana"}))
        self.settle()
        self.b.say(alpha, frame("tells/send", tell, "t"))
        self.settle()
        said = [each for each in self.events(self.b, alpha) if isinstance(each, ChannelsBroadcastNumbered)]
        self.assertEqual([(each.game, each.name, each.message) for each in said], [("DeadSoulsI3", "Bob", "hi")])
        heard = [(session, told.message) for session, told in self.a.got if isinstance(told, TellsReceive)]
        self.assertEqual(heard, [(remote, "psst")])
        self.assertFalse([told for session, told in self.a.got if session is gateway and hasattr(told, "message")])
        self.b.deaf = True
        self.settle()
        self.assertEqual(self.a.view(), self.b.view())
        self.events(self.b, alpha)
        self.b.carry_out(self.b.network.nodes.gone("a", at(self.b.now)))
        gone = [each.game for each in self.events(self.b, alpha) if isinstance(each, GamesDisconnect)]
        self.assertEqual(gone, ["DeadSoulsI3"])
        self.assertIsNone(self.b.world.registry.speaker_named("DeadSoulsI3"))

    def deaf(self, *changes: Change) -> None:
        """The node a hears nothing while the other one changes something; then it hears the others again."""
        self.settle()
        self.a.got = []
        self.a.deaf = True
        for change in changes:
            self.b.outbox.append(Commit(change))
        settle(self.b)
        self.assertEqual(self.a.got, [])
        self.a.listen()
        self.settle()

    def test_told_late(self) -> None:
        """A node that was deaf tells games what they missed of channels and moderation, once, and old ones nothing."""
        extensions = ["directory", "moderation"]
        old = self.a.join("Alpha", "gossip", "testing")
        new = self.a.join("Alpha", "gossip", "testing", extensions=extensions)
        self.deaf(ChannelSaved(Channel("third", hidden=False)), RestrictionSet(mute(old, "ana", "spam")))
        events = self.events(self.a, new)
        self.assertEqual([type(each) for each in events], [ModerationNotice, ChannelsChanged])
        self.assertEqual((events[0].kind, events[0].reason, events[1].change), ("mute", "spam", "created"))
        described = Channel("gossip", description="Talk")
        lifted = RestrictionLifted("mute", mute(old, "ana", "spam").subject, "")
        self.deaf(lifted, ChannelSaved(described), ChannelsRemoved(("testing",)))
        events = self.events(self.a, new)
        told = [getattr(each, "kind", None) or each.change for each in events]
        self.assertEqual(told, ["lifted", "described", "removed"])
        self.assertEqual((list(old.session.channels), list(new.session.channels)), (["gossip"], ["gossip"]))
        self.deaf()
        self.assertEqual(self.events(self.a, new), [])
        self.assertEqual(self.events(self.a, old), [])

    def test_removals_told_late(self) -> None:
        """So are removals, of messages that were heard before as well; none is told twice."""
        new, old = self.a.join("Alpha", "gossip", extensions=["moderation"]), self.a.join("Beta", "gossip")
        said = [MessageSaid("gossip", 0, None, "Gamma", "Ana", text, 0.0) for text in ("one", "two")]
        for each in said:
            self.b.outbox.append(Commit(each))
        self.settle()
        removals = [
            MessagesRemoved((replace(each, seq=number),), Removal(NOW, "admin", "slur"))
            for number, each in enumerate(said, 1)
        ]
        self.b.outbox.append(Commit(removals[0]))
        self.deaf(removals[1])
        (told,) = self.events(self.a, new)
        self.assertEqual([(each.seq, each.name, each.reason) for each in told.messages], [(2, "Ana", "slur")])
        self.assertEqual(self.events(self.a, old), [])

    def test_banned_while_deaf(self) -> None:
        """A game that was banned while its node was deaf is told so, and has to go."""
        old = self.a.join("Alpha", "gossip")
        client_id = old.session.client_id
        self.deaf(RestrictionSet(Restriction(kind="ban", subject=client_id, reason="x", set_by="admin", set_at=0.0)))
        self.assertIs(old.session.situation, Situation.GONE)

    def test_opened_while_deaf(self) -> None:
        """A channel that a game opened while its node was deaf stays."""
        self.settle()
        self.a.deaf = True
        alpha = self.a.join("Alpha", "brand-new")
        self.a.listen()
        self.settle()
        self.assertEqual(list(alpha.session.channels), ["brand-new"])
        for node in (self.a, self.b):
            self.assertIn("brand-new", node.network.registry.channels)

    def test_numbers_of_reports(self) -> None:
        """A node that was deaf goes on with the numbers that others gave to reports."""
        self.settle()
        self.a.deaf = True
        self.b.network.registry.numbers.report_given(7)
        self.a.database.known.numbers.report_given(7)
        self.a.listen()
        self.assertEqual(self.a.network.registry.numbers.next_report(), 8)

    def test_alone(self) -> None:
        """A network that is alone tells nobody."""
        world = World()
        outputs = [*world.say(world.open(), frame("authenticate", world.credentials("Alpha", channels=["gossip"])))]
        self.assertFalse([each for each in outputs if isinstance(each, Relay)])

    def test_numbers(self) -> None:
        """The numbers that a node knows are the highest that it heard."""
        numbers = NumbersHeard()
        numbers.message_given("gossip", 7)
        numbers.message_given("gossip", 5)
        numbers.report_given(3)
        self.assertEqual((numbers.highest_message("gossip"), numbers.highest_message("x")), (7, 0))
        self.assertEqual(numbers.next_report(), 4)
