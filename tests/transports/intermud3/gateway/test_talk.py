"""What becomes of packets from the other network, and of what the network tells its gateway."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol import events, server_events
from gossip.protocol.errors import Error
from gossip.protocol.moment import Moment
from gossip.transports.intermud3.gateway.loops import MUTED_SECONDS
from gossip.transports.intermud3.gateway.muds import MOST, Mud, Muds
from gossip.transports.intermud3.gateway.settings import I3GatewaySettings, Mapped, mapped, mistakes, routers_of
from gossip.transports.intermud3.gateway.talk import (
    ASK_SECONDS,
    REASONS,
    Act,
    Ask,
    Came,
    Drop,
    Game,
    Reply,
    Talk,
    Tell,
    Went,
)
from gossip.transports.intermud3.mudmode import read
from gossip.transports.intermud3.packets import BadPacket, Packet, understood
from tests.support.properties import examples
from tests.transports.intermud3 import strict

REF = Raw(b'"r"')
RECORD: list[Any] = [
    -1,
    "192.0.2.5",
    4000,
    0,
    0,
    "lib",
    "lib",
    "driver",
    "LP",
    "open for public",
    "x@example.org",
    {"tell": 1},
    0,
]
UP = '(["Foo":({-1,"192.0.2.5",4000,0,0,"a","b","c","LP","open for public","x@y",(["tell":1,"who":1,]),0,}),])'
EXVENTURE = Game("ExVenture", "ExVenture", ("Alice", "O'Brien", "Ana Lee"))


class Games:
    """The games here: one that shows its players, and one that is hidden."""

    def shown(self) -> Iterable[Game]:
        return [EXVENTURE, Game("Two", "Two", ("Alice",))]

    def game(self, short_name: str) -> Game | None:
        return next((each for each in self.shown() if each.short_name.lower() == short_name.lower()), None)

    def whereis(self, name: str) -> Sequence[tuple[str, str]]:
        return [(game.short_name, player) for game in self.shown() for player in game.players if player.lower() == name]

    def is_known(self, short_name: str) -> bool:
        return short_name.lower() in ("exventure", "two", "hidden", "gossip")

    def player_like(self, short_name: str, token: str) -> str:
        return {"obrien": "O'Brien", "alice": "Alice"}.get(token, token)

    def is_on(self, mud: str, channel: str) -> bool:
        return mud == "Twice"

    def is_us(self, short_name: str, mud: str) -> bool:
        return short_name == "OurRouter"


class TalkTestCase(SynchronousTestCase):
    """A gateway with three channels, to a network on which the MUD Foo is up."""

    charset = "utf-8"

    def setUp(self) -> None:
        self.now = 1000.0
        self.muds = Muds("Gossip", "I3", ("Spam",), lambda name: name == "TakenI3")
        channels = mapped(I3GatewaySettings(channels=("dchat=dchat", "code=imud_code:in", "news=gnews:out")))
        self.talk = Talk("Gossip", channels, self.muds, Games(), self.charset)
        self.hear(f'({{"mudlist",5,"*i4",0,"Gossip",0,7,{UP},}})')

    @property
    def moment(self) -> Moment:
        return Moment(self.now, self.now + 10**9)

    def hear(self, text: str) -> list[Act]:
        packet = understood(read(text.encode()))
        return [*self.talk.hear(packet, "*i4", self.moment)]

    def event(self, text: str) -> Any:
        """The event that a packet becomes."""
        [act] = self.hear(text)
        assert isinstance(act, Ask), act
        return act.event

    def reply(self, text: str) -> str:
        """The packet that answers another."""
        [act] = self.hear(text)
        assert isinstance(act, Reply), act
        strict.frames(act.packet.frame)
        return act.packet.frame[4:-1].decode()

    def say(self, message: str, channel: str = "dchat", name: str = "Ana", game: str = "MyMUD") -> list[str]:
        """What leaves when a player here says something."""
        event = server_events.ChannelsBroadcast(REF, channel, game, name, message)
        return [each[4:-1].decode() for each in self.talk.broadcast(event, self.moment)]

    def tell(self, message: str = "hi", name: str = "Ana", game: str = "MyMUD", to_name: str = "Bob") -> list[str]:
        mud = self.muds.find("Foo")
        assert mud is not None
        event = server_events.TellsReceive(REF, game, name, to_name, "2026-01-01T00:00:00Z", message)
        return [each[4:-1].decode() for each in self.talk.tell(mud, event, self.moment)]

    def chat(self, text: str, mud: str = "Foo", channel: str = "dchat") -> list[Act]:
        return self.hear(f'({{"channel-m",5,"{mud}","bob",0,0,"{channel}","Bob","{text}",}})')


class OutTests(TalkTestCase):
    """What leaves."""

    def test_channel(self) -> None:
        """A message names its player and game, in a form in which a reply finds them."""
        self.assertEqual(self.say("hello"), ['({"channel-m",5,"Gossip","ana.mymud",0,0,"dchat","Ana.MyMUD","hello",})'])
        self.assertEqual(
            self.say("/me waves", name="O'Brien"),
            ['({"channel-e",5,"Gossip","obrien.mymud",0,0,"dchat","O\'Brien.MyMUD","$N waves",})'],
        )

    def test_not_ours(self) -> None:
        """What the network itself says stays here, and so does what a router of our own brings back."""
        self.assertEqual(self.say("restart", name="system", game="gossip"), [])
        self.assertEqual(self.say("hello", game="OurRouter"), [])
        self.assertIn('"ana.gossip"', self.say("hello", game="gossip")[0])

    def test_directions(self) -> None:
        """Nothing leaves for a channel that passes inward only, or not at all."""
        self.assertEqual(self.say("x", "code"), [])
        self.assertEqual(self.say("x", "other"), [])
        self.assertIn('"gnews"', self.say("x", "news")[0])

    def test_tell(self) -> None:
        """A tell to a remote player."""
        self.assertEqual(self.tell(), ['({"tell",5,"Gossip","ana.mymud","Foo","bob","Ana.MyMUD","hi",})'])

    def test_joined(self) -> None:
        """The router is told which channels we hear."""
        self.assertEqual(
            [each.frame[4:-1].decode() for each in self.talk.joined(self.moment)],
            [
                '({"channel-listen",5,"Gossip",0,0,0,"dchat",1,})',
                '({"channel-listen",5,"Gossip",0,0,0,"imud_code",1,})',
            ],
        )

    def test_ascii(self) -> None:
        """For a network that reads only ASCII, texts are written in the nearest letters."""
        self.talk = Talk("Gossip", [Mapped("dchat", "dchat")], self.muds, Games(), "ascii")
        [text] = self.say("“Zoë”")
        self.assertIn('"\\"Zoe\\"",})', text)

    @given(st.text(max_size=5000), st.text(min_size=1, max_size=64), st.text(min_size=1, max_size=64))
    @examples(100)
    def test_sizes(self, message: str, name: str, to_name: str) -> None:
        """Whatever is said, no frame is longer than 8,000 bytes, and a strict driver reads it."""
        event = server_events.ChannelsBroadcast(REF, "dchat", "M" * 15, name, message)
        frames = [*self.talk.broadcast(event, self.moment)]
        told = server_events.TellsReceive(REF, "M" * 15, name, to_name, "", message)
        mud = Mud("N" * 64, "NI3")
        frames += self.talk.tell(mud, told, self.moment)
        frames += self.talk.broadcast(
            server_events.ChannelsBroadcast(REF, "dchat", "M", "x", '"\\' * 4000), self.moment
        )
        for each in frames:
            strict.frames(each)


class InTests(TalkTestCase):
    """What arrives."""

    def test_muds(self) -> None:
        """MUDs that are up come with what their services support; those that are down or gone go."""
        [came] = self.hear(
            '({"mudlist",5,"*i4",0,"Gossip",0,8,(['
            '"Bar":({-1,"",0,0,0,"","","","","","",([]),0,}),"Old":({-1,"",0,0,0,"","","","","",(["tell":1,]),}),'
            '"Down":({0,"",0,0,0,"","","","","","",([]),0,}),"Gossip":({-1,"",0,0,0,"","","","","","",([]),0,}),'
            '"Spam":({-1,"",0,0,0,"","","","","","",([]),0,}),"At@Me":({-1,"",0,0,0,"","","","","","",([]),0,}),'
            '"終焉":({-1,"",0,0,0,"","","","","","",([]),0,}),"Taken":({-1,"",0,0,0,"","","","","","",([]),0,}),])})'
        )
        assert isinstance(came, Came)
        self.assertEqual(
            [(each.name, each.short_name, sorted(each.supports - {"channels", "games"})) for each in came.muds],
            [("Bar", "BarI3", []), ("Old", "OldI3", ["tells"]), ("Taken", "Taken2I3", []), ("終焉", "MudI3", [])],
        )
        foo = self.muds.find("foo")
        assert foo is not None
        self.assertEqual(foo.supports, {"channels", "games", "tells", "players"})
        [went] = self.hear('({"mudlist",5,"*i4",0,"Gossip",0,9,(["Foo":0,"Bar":({12,"",0,}),"Who":0,]),})')
        assert isinstance(went, Went)
        self.assertEqual([each.name for each in went.muds], ["Bar", "Foo"])
        self.assertEqual(self.hear(f'({{"mudlist",5,"*i4",0,"Gossip",0,7,{UP},}})'), [Came([foo])])

    def test_many(self) -> None:
        """At most a thousand MUDs are known, each by a name of its own."""
        came, _ = self.muds.read({f"Very long name {number}": [*RECORD] for number in range(MOST + 100)})
        self.assertEqual((len(came), len(self.muds)), (MOST - 1, MOST))
        self.assertEqual(len({each.short_name.lower() for each in self.muds}), MOST)
        self.assertTrue(all(len(each.short_name) <= 15 and each.short_name.endswith("I3") for each in self.muds))

    def test_outdated(self) -> None:
        """A MUD that is not in the list of a router that was joined anew is gone after a minute."""
        self.muds.came("Bar")
        [*self.talk.joined(self.moment)]
        self.hear(f'({{"mudlist",5,"*i4",0,"Gossip",0,7,{UP},}})')
        self.assertEqual(self.muds.outdated(self.now + 59), [])
        self.assertEqual([each.name for each in self.muds.outdated(self.now + 60)], ["Bar"])
        self.assertEqual([each.name for each in self.muds], ["Foo"])

    def test_channel(self) -> None:
        """What is said on a channel is an event of the MUD's session; colours and marks are read."""
        [act] = self.chat("%^RED%^hello%^RESET%^ there")
        assert isinstance(act, Ask)
        self.assertEqual(act.mud.short_name, "FooI3")
        event: Any = act.event
        self.assertEqual((event.channel, event.name, event.message), ("dchat", "Bob", "hello there"))
        event = self.event('({"channel-e",5,"Foo","bob",0,0,"imud_code","Bob","$N smiles.",})')
        self.assertEqual((event.channel, event.message), ("code", "/me smiles."))
        event = self.event(
            '({"channel-t",5,"Foo","bob",0,0,"dchat","Bar","eve","$N hugs $O.","$N hugs you.","Bob","Eve",})'
        )
        self.assertEqual((event.name, event.message), ("Bob", "/me hugs Eve."))

    def test_before_the_list(self) -> None:
        """A MUD may speak before the list has come."""
        [act] = self.chat("hi", mud="New")
        assert isinstance(act, Ask)
        self.assertEqual(act.mud.short_name, "NewI3")
        self.assertIsNotNone(self.muds.find("new"))

    def test_unmapped(self) -> None:
        """A channel that does not pass is dropped, and the router told, once an hour."""
        [reply, drop] = self.chat("hi", channel="other")
        assert isinstance(reply, Reply)
        self.assertEqual(reply.packet.frame[4:-1], b'({"channel-listen",5,"Gossip",0,0,0,"other",0,})')
        self.assertEqual((drop, self.chat("hi", channel="other")), (Drop("unmapped"), [Drop("unmapped")]))
        self.now += 3600
        self.assertEqual(len(self.chat("hi", channel="other")), 2)
        self.assertEqual(self.chat("hi", channel="gnews")[-1], Drop("unmapped"))

    def test_dropped(self) -> None:
        """What is ours, comes from a MUD that is skipped, or has gone too far is dropped."""
        self.assertEqual(self.chat("hi", mud="GOSSIP"), [Drop("echo")])
        self.assertEqual(self.talk.delivered, 1)
        self.assertEqual(self.chat("hi", mud="spam"), [Drop("skipped")])
        self.assertEqual(self.chat("hi", mud="Twice"), [Drop("twice")])
        self.assertEqual(self.hear('({"tell",0,"Foo","bob","Gossip","ana","Bob","x",})'), [Drop("ttl")])
        self.assertEqual(self.hear('({"tell",5,"Foo","bob","Bar","ana","Bob","x",})'), [Drop("unknown")])
        self.assertEqual(self.hear('({"oob-req",5,"Foo",0,"Gossip",0,})'), [Drop("unknown")])
        self.assertEqual(self.hear('({"finger-reply",5,"Foo",0,"Gossip","a",0,0,0,0,0,0,0,0,0,})'), [Drop("unknown")])
        self.assertEqual(self.hear('({"auth-mud-req",5,"Gossip",0,"Gossip",0,})'), [Drop("echo")])

    def test_too_fast(self) -> None:
        """Ten at once are heard of a MUD, then two a second; others are not held back by it."""
        acts = [act for number in range(12) for act in self.chat(f"number {number}")]
        self.assertEqual(acts.count(Drop("rate")), 2)
        self.assertIsInstance(self.chat("hello", mud="Bar")[0], Ask)
        self.now += 1
        self.assertEqual([act for _ in range(3) for act in self.chat("more")].count(Drop("rate")), 1)

    def test_all_too_fast(self) -> None:
        """Of all MUDs together, fifty a second are heard."""
        acts = [act for number in range(60) for act in self.chat("x", mud=f"M{number}")]
        self.assertEqual(acts.count(Drop("rate")), 10)

    def test_tells(self) -> None:
        """A tell is for a player of a game, or for the only player of a name."""
        event = self.event('({"tell",5,"Foo","bob","Gossip","obrien.exventure","Bob","psst",})')
        self.assertEqual(
            (event.from_name, event.to_game, event.to_name, event.message), ("Bob", "exventure", "O'Brien", "psst")
        )
        event = self.event('({"tell",5,"Foo","bob","Gossip","x.hidden","Bob","psst",})')
        self.assertEqual((event.to_game, event.to_name), ("hidden", "x"))
        event = self.event('({"emoteto",5,"Foo","bob","Gossip","o\'brien","Bob","$N waves.",})')
        self.assertEqual((event.to_game, event.to_name, event.message), ("ExVenture", "O'Brien", "/me waves."))
        for nobody in ("alice", "nobody", "x.y"):
            self.assertEqual(
                self.reply(f'({{"tell",5,"Foo","bob","Gossip","{nobody}","Bob","x",}})'),
                f'({{"error",5,"Gossip",0,"Foo","bob","unk-user","there is no player {nobody} here",0,}})',
            )

    def test_failures(self) -> None:
        """A tell that fails is answered by an error, unless it came too fast; what is said on channels is not."""
        packet = understood(read(b'({"tell",5,"Foo","bob","Gossip","ana.mymud","Bob","x",})'))
        mud = Mud("Foo", "FooI3")
        for code, expected in (("receiver-offline", "unk-user"), ("game-offline", "unk-dst"), ("rate-limited", None)):
            frames = [*self.talk.tell(mud, server_events.Failure("tells/send", packet, Error.of(code)), self.moment)]
            self.assertEqual([strict.frames(each)[0][6] for each in frames], [expected] if expected else [])
        packet = understood(read(b'({"channel-m",5,"Foo","bob",0,0,"dchat","Bob","x",})'))
        failure = server_events.Failure("channels/send", packet, Error.of("channel-paused"))
        self.assertEqual([*self.talk.tell(mud, failure, self.moment)], [])

    def test_errors(self) -> None:
        """A player hears of the error that their tell led to, for a minute, once they told something."""
        error = '({"error",5,"Foo",0,"Gossip","alice.exventure","unk-user","No such player.",0,})'
        self.assertEqual(self.hear(error), [Drop("error")])
        self.tell(name="Alice", game="ExVenture")
        event = self.event(error)
        self.assertEqual(
            (event.from_name, event.to_game, event.to_name, event.message),
            ("system", "exventure", "Alice", "No such player."),
        )
        event = self.event('({"error",5,"*i4",0,"Gossip","alice.exventure","unk-dst","No such MUD.",0,})')
        self.assertEqual(event.message, "No such MUD.")
        self.now += 61
        self.assertEqual(self.hear(error), [Drop("error")])

    def test_banned(self) -> None:
        """A channel that we are banned from is left alone for an hour."""
        self.say("hello")
        acts = self.hear(
            '({"error",5,"*i4",0,"Gossip","ana.mymud","not-allowed","Banned.",({"channel-m",5,"Gossip",0,0,0,"dchat","A","x",}),})'
        )
        self.assertEqual([type(each) for each in acts], [Tell])
        self.assertEqual((self.say("x"), len(self.say("x", "news"))), ([], 1))
        self.now += 3601
        self.assertEqual(len(self.say("x")), 1)

    def test_channels(self) -> None:
        """The channels there are known, and those that are to pass and do not exist are told of once."""
        self.assertEqual(self.talk.missing(), [])
        self.hear('({"chanlist-reply",5,"*i4",0,"Gossip",0,3,(["dchat":({"*i4",0,}),"x":({"*i4",1,}),]),})')
        self.assertEqual(self.talk.channels, {"dchat": "*i4", "x": "*i4"})
        self.assertEqual((self.talk.missing(), self.talk.missing()), (["imud_code", "gnews"], []))
        self.hear('({"chanlist-reply",5,"*i4",0,"Gossip",0,4,(["x":0,]),})')
        self.assertEqual(self.talk.channels, {"dchat": "*i4"})

    def test_players(self) -> None:
        """A MUD is asked for its players at most once in five minutes, and only an answer to that is read."""
        reply = '({"who-reply",5,"Foo",0,"Gossip","gossip",({({"Bob",0,"x",}),({"%^RED%^Eve",9,"",}),({0,}),0,}),})'
        mud = self.muds.find("Foo")
        assert mud is not None
        self.assertEqual(self.hear(reply), [Drop("unknown")])
        packet = self.talk.who(mud, self.moment)
        assert packet is not None
        self.assertEqual(packet.frame[4:-1], b'({"who-req",5,"Gossip","gossip","Foo",0,})')
        self.assertIsNone(self.talk.who(mud, self.moment))
        self.assertEqual(self.event(reply).players, ("Bob", "Eve"))
        self.now += ASK_SECONDS
        self.assertIsNotNone(self.talk.who(mud, self.moment))
        self.assertIsNone(self.talk.who(Mud("Bar", "BarI3", frozenset()), self.moment))


class QuestionTests(TalkTestCase):
    """What MUDs ask."""

    def test_who(self) -> None:
        """A who-req is answered with the players here and their games."""
        self.assertEqual(
            self.reply('({"who-req",5,"Foo","bob","Gossip",0,})'),
            '({"who-reply",5,"Gossip",0,"Foo","bob",({({"Alice.ExVenture",0,"ExVenture",}),({"O\'Brien.ExVenture",0,'
            '"ExVenture",}),({"Ana Lee.ExVenture",0,"ExVenture",}),({"Alice.Two",0,"Two",}),}),})',
        )

    def test_many(self) -> None:
        """At most a hundred are told of, in a frame that every driver reads."""
        game = Game("N" * 70, "MyMUD", tuple(f"{number:0>60}" for number in range(300)))
        self.patch(Games, "shown", lambda games: [game])
        [act] = self.hear('({"who-req",5,"Foo","bob","Gossip",0,})')
        assert isinstance(act, Reply)
        [value] = strict.frames(act.packet.frame)
        self.assertLess(40, len(value[6]))

    def test_finger(self) -> None:
        """A player, and nothing but the name and the game."""
        expected = '({"finger-reply",5,"Gossip",0,"Foo","bob","O\'Brien.ExVenture",0,0,0,0,0,0,0,"On ExVenture.\r",})'
        for token in ("obrien.exventure", "O'BRIEN.EXVENTURE"):
            self.assertEqual(self.reply(f'({{"finger-req",5,"Foo","bob","Gossip",0,"{token}",}})'), expected)
        self.assertIn('"unk-user"', self.reply('({"finger-req",5,"Foo","bob","Gossip",0,"x.exventure",})'))

    def test_user(self) -> None:
        """How a player is shown."""
        self.assertEqual(
            self.reply('({"chan-user-req",5,"Foo",0,"Gossip",0,"analee.exventure",})'),
            '({"chan-user-reply",5,"Gossip",0,"Foo",0,"analee.exventure","Ana Lee.ExVenture",2,})',
        )

    def test_locate(self) -> None:
        """A question to all is answered only if somebody is found."""
        self.assertEqual(self.hear('({"locate-req",5,"Foo","bob",0,0,"nobody",})'), [])
        acts = self.hear('({"locate-req",5,"Foo","bob",0,0,"alice",})')
        self.assertEqual(
            [each.packet.frame[4:-1].decode() for each in acts if isinstance(each, Reply)],
            [
                f'({{"locate-reply",5,"Gossip",0,"Foo","bob","Gossip","Alice.{game}",0,0,}})'
                for game in ("ExVenture", "Two")
            ],
        )

    def test_others(self) -> None:
        """Pings are answered, nobody is told who hears a channel, and the rest is not understood."""
        self.assertRegex(
            self.reply('({"auth-mud-req",5,"Foo",0,"Gossip",0,})'),
            r'^\(\{"auth-mud-reply",5,"Gossip",0,"Foo",0,[0-9]+,\}\)$',
        )
        self.assertEqual(
            self.reply('({"chan-who-req",5,"Foo","bob","Gossip",0,"dchat",})'),
            '({"chan-who-reply",5,"Gossip",0,"Foo","bob","dchat",({}),})',
        )
        self.assertIn('"unk-type"', self.reply('({"beep",5,"Foo","bob","Gossip","ana",})'))


class LoopTests(TalkTestCase):
    """Other gateways on the same network."""

    def test_loop(self) -> None:
        """What we said is not heard again from another MUD within 30 seconds."""
        self.say("Hello, World!")
        self.assertEqual(self.chat("hello world"), [Drop("loop")])
        self.assertIsInstance(self.chat("hello world", channel="imud_code")[0], Ask)
        self.now += 31
        self.assertIsInstance(self.chat("hello world")[0], Ask)
        self.say("/me waves")
        self.assertEqual(self.hear('({"channel-e",5,"Foo","bob",0,0,"dchat","Bob","$N waves",})'), [Drop("loop")])

    def test_muted(self) -> None:
        """A MUD that brings back five messages in ten minutes is not heard for an hour."""
        for number in range(5):
            self.say(f"message {number}")
            self.assertEqual(self.chat(f"message {number}"), [Drop("loop")])
            self.now += 60
        self.assertEqual(self.chat("something else"), [Drop("loop")])
        self.assertIsInstance(self.chat("something else", mud="Bar")[0], Ask)
        self.now += MUTED_SECONDS
        self.assertIsInstance(self.chat("something else")[0], Ask)

    def test_no_letters(self) -> None:
        """A text without letters is like any other such, and no loop."""
        self.say("!!!")
        self.assertIsInstance(self.chat("???")[0], Ask)

    def test_two_gateways(self) -> None:
        """Two gateways that pass the same channel to each other do not loop."""
        other = Talk("Other", [Mapped("dchat", "dchat")], Muds("Other", "I3", (), lambda name: False), Games(), "utf-8")
        passed, message = 0, "hello"
        for _ in range(10):
            frames = self.talk.broadcast(
                server_events.ChannelsBroadcast(REF, "dchat", "MyMUD", "Ana", message), self.moment
            )
            acts = [act for each in frames for act in other.hear(_packet(each), "*i4", self.moment)]
            # If the other network sent it back on the channel, as a careless one does:
            back = [
                frame
                for act in acts
                if isinstance(act, Ask) and isinstance(act.event, events.ChannelsSend)
                for frame in other.broadcast(
                    server_events.ChannelsBroadcast(REF, "dchat", "GossipI3", act.event.name, act.event.message),
                    self.moment,
                )
            ]
            heard = [act for each in back for act in self.talk.hear(_packet(each), "*i4", self.moment)]
            passed += sum(isinstance(act, Ask) for act in heard)
        self.assertEqual(passed, 0)


class AnythingTests(TalkTestCase):
    """Hostile packets."""

    @given(
        st.sampled_from(["channel-m", "channel-t", "tell", "who-req", "finger-req", "error", "mudlist", "locate-req"]),
        st.lists(st.one_of(st.integers(), st.text(max_size=20), st.just([["a"]]), st.just({"a": [-1]})), max_size=12),
        st.sampled_from(["Gossip", "", "Foo"]),
    )
    @examples(150)
    def test_anything(self, kind: str, rest: list[Any], to_mud: str) -> None:
        """No packet raises, and what is answered can be read by every driver."""
        try:
            packet = understood([kind, 5, "Foo", "bob", to_mud or 0, "ana.exventure", *rest])
        except BadPacket:
            return
        self.now += 10
        for act in self.talk.hear(packet, "*i4", self.moment):
            if isinstance(act, Reply):
                strict.frames(act.packet.frame)
            if isinstance(act, Drop):
                self.assertIn(act.reason, REASONS)


class SettingsTests(SynchronousTestCase):
    """The settings of a gateway."""

    def test_good(self) -> None:
        """Routers and channels are read."""
        settings = I3GatewaySettings(
            routers=("*one 192.0.2.1 8080", "*two i3.example.org 9000"),
            game="I3",
            admin_email="admin@example.org",
            channels=("dchat=dchat", "code=imud_code:in", "news=gnews:out", "all-talk=x:both"),
        )
        self.assertEqual([*mistakes(settings)], [])
        self.assertEqual(
            [str(each) for each in routers_of(settings)], ["*one at 192.0.2.1 8080", "*two at i3.example.org 9000"]
        )
        self.assertEqual(
            [(each.hears, each.says) for each in mapped(settings)],
            [(True, True), (True, False), (False, True), (True, True)],
        )
        self.assertEqual([*mistakes(I3GatewaySettings())], [])

    def test_mistakes(self) -> None:
        """Each mistake is found, by the name of its setting."""
        good: dict[str, Any] = {"routers": ("*one 192.0.2.1 8080",), "game": "I3", "admin_email": "admin@example.org"}
        for name, value in (
            ("routers", ("one 192.0.2.1 8080",)),
            ("routers", ("*one 192.0.2.1 99999",)),
            ("routers", ("*one",)),
            ("mud", "Dead Souls"),
            ("mud", "YourMUD"),
            ("mud", "a@b"),
            ("game", ""),
            ("admin_email", "nobody"),
            ("channels", ("dchat",)),
            ("channels", ("dchat=x:up",)),
            ("channels", ("dchat=x", "other=x")),
            ("channels", ("a b=x",)),
            ("suffix", "I-3"),
        ):
            settings = I3GatewaySettings(**{**good, name: value})
            self.assertEqual([each for each, _ in mistakes(settings)], [name], value)


def _packet(frame: bytes) -> Packet:
    return understood(read(frame[4:]))
