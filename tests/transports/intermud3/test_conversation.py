"""What the router does with the packets of a MUD, and what it tells the MUD: transcripts of clients in the field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol import events, server_events
from gossip.protocol.errors import Error
from gossip.transports.intermud3.conversation import (
    HITS,
    TELLS,
    Act,
    Ask,
    Conversation,
    Drop,
    End,
    Listen,
    Mud,
    Open,
    Pass,
    PassToAll,
    Reply,
    code_of,
    speaker_of,
)
from gossip.transports.intermud3.mudmode import read
from gossip.transports.intermud3.packets import BadPacket, understood
from tests.transports.intermud3 import strict

REF = Raw(b'"r"')

ZUCCHINI = Mud("ZucchiniMud", "Zucchini", frozenset(("tell", "who", "locate")))
LIMA = Mud("Lima Bean", "LimaBean", frozenset(("who",)))
AWAY = Mud("Away", "Away", frozenset(), online=False)
EXVENTURE = Mud("ExVenture", "ExVenture", about="https://ex.example.org")


class Router:
    """A router that knows four games and two channels."""

    name = "*gossip"

    def __init__(self) -> None:
        self.muds = (ZUCCHINI, LIMA, AWAY, EXVENTURE)
        self.offered = {"imud_gossip": "gossip", "testing": "testing"}
        self.shown = {"ExVenture": ("Alice", "O'Brien"), "Zucchini": ("Test",)}

    def channel(self, name: str) -> str | None:
        return self.offered.get(name)

    def channel_name(self, channel: str) -> str | None:
        return next((there for there, here in self.offered.items() if here == channel), None)

    def channels(self) -> Iterable[str]:
        return self.offered

    def number(self) -> int:
        return 1795380807

    def mud(self, name: str) -> Mud | None:
        return next((mud for mud in self.muds if mud.name.lower() == name.lower()), None)

    def game(self, short_name: str) -> Mud | None:
        return next((mud for mud in self.muds if mud.short_name == short_name), None)

    def player_like(self, short_name: str, token: str) -> str:
        return next((name for name in self.shown.get(short_name, ()) if name.lower() == token.lower()), token)

    def whereis(self, name: str) -> Sequence[tuple[str, str]]:
        return [
            (game, player)
            for game, players in self.shown.items()
            for player in players
            if player.lower() == name.lower()
        ]

    def players(self) -> Sequence[tuple[str, int]]:
        return [(game, len(players)) for game, players in self.shown.items()]


class ConversationTestCase(SynchronousTestCase):
    """A conversation with ZucchiniMud."""

    def setUp(self) -> None:
        self.router = Router()
        self.conversation = Conversation(ZUCCHINI, self.router)

    def hear(self, text: str) -> list[Act]:
        return [*self.conversation.hear(understood(read(text.encode())))]

    def told(self, *told: server_events.ServerEvent) -> list[Any]:
        return [value for event in told for value in strict.frames(b"".join(self.conversation.tell(event)))]

    def replies(self, text: str) -> list[Any]:
        """What a packet is answered at once."""
        found = []
        for act in self.hear(text):
            assert isinstance(act, Reply), act
            found += strict.frames(act.frame)
        return found

    def error(self, text: str) -> tuple[str, str]:
        """The code and the receiver of the only answer, an error."""
        (value,) = self.replies(text)
        self.assertEqual(value[0], "error")
        return value[6], value[5]


class ChannelTests(ConversationTestCase):
    """Messages on channels."""

    MESSAGE = '({"channel-m",5,"ZucchiniMud","Test",0,0,"imud_gossip","Test","Hello \\"there\\" %^RED%^x%^RESET%^",})'

    def ask(self, text: str) -> events.ChannelsSend:
        (act,) = self.hear(text)
        assert isinstance(act, Ask) and isinstance(act.event, events.ChannelsSend)
        self.assertEqual(act.channel, act.event.channel)
        return act.event

    def test_said(self) -> None:
        """A message goes to the channel without colours, by the name that players see."""
        sent = self.ask(self.MESSAGE)
        self.assertEqual((sent.channel, sent.name, sent.message), ("gossip", "Test", 'Hello "there" x'))
        unnamed = self.ask('({"channel-m",5,"zucchinimud","test",0,0,"testing",0,"hi",})')
        self.assertEqual((unnamed.channel, unnamed.name), ("testing", "test"))

    def test_emotes(self) -> None:
        """Emotes, and those with a target, are emotes of the network."""
        emote = self.ask('({"channel-e",5,"ZucchiniMud","Test",0,0,"imud_gossip","Test","$N smiles happily.",})')
        self.assertEqual(emote.message, "/me smiles happily.")
        aimed = self.ask(
            '({"channel-t",5,"ZucchiniMud","Test",0,0,"imud_gossip","ExVenture","alice","$N waves at $O.",'
            '"$N waves at you.","Test","Alice",})'
        )
        self.assertEqual((aimed.name, aimed.message), ("Test", "/me waves at Alice."))

    def test_echo(self) -> None:
        """The message comes back when it is on disk, if the MUD listens; the text is as the MUD sent it."""
        sent = self.ask(self.MESSAGE)
        self.assertEqual(self.told(server_events.Success(sent.wire, sent.ref)), [])
        self.conversation.heard_channels.add("gossip")
        expected: Any = read(self.MESSAGE.encode())
        self.assertEqual(self.told(server_events.Success(sent.wire, sent.ref)), [[expected[0], 4, *expected[2:]]])

    def test_refused(self) -> None:
        """A message that is refused is an error to the player."""
        sent = self.ask(self.MESSAGE)
        (value,) = self.told(server_events.Failure(sent.wire, sent.ref, Error.of("channel-paused")))
        expected = ["error", 5, "*gossip", 0, "ZucchiniMud", "Test", "not-allowed", "channel is paused", 0]
        self.assertEqual(value, expected)
        text = '({"channel-m",5,"ZucchiniMud","Test",0,0,"nowhere","Test","x",})'
        self.assertEqual(self.error(text), ("unk-channel", "Test"))

    def test_listen(self) -> None:
        """A wish to hear a channel, by the name that MUDs know, also with a number as a text."""
        listen = '({"channel-listen",5,"ZucchiniMud",0,0,0,"imud_gossip","1",})'
        self.assertEqual(self.hear(listen), [Listen("gossip", True)])
        self.assertEqual(self.hear(listen.replace('"1"', "0")), [Listen("gossip", False)])
        self.assertEqual(self.error(listen.replace("imud_gossip", "nowhere")), ("unk-channel", 0))

    def test_heard(self) -> None:
        """What others say is told to a MUD that listens, long texts in more packets."""
        said = server_events.ChannelsBroadcast(REF, "gossip", "ExVenture", "O'Brien", "hello %^ $N")
        self.assertEqual(self.told(said), [])
        self.conversation.heard_channels.add("gossip")
        expected = ["channel-m", 5, "ExVenture", "obrien", 0, 0, "imud_gossip", "O'Brien", "hello % ^ $ N"]
        self.assertEqual(self.told(said), [expected])
        emote = server_events.ChannelsBroadcast(REF, "gossip", "LimaBean", "Bo", "/me " + "waves " * 400)
        self.assertEqual([value[0] for value in self.told(emote)], ["channel-e", "channel-m"])
        self.assertEqual({value[2] for value in self.told(emote)}, {"Lima Bean"})

    def test_made_and_administered(self) -> None:
        """A MUD can open a channel, and nothing else."""
        add = '({"channel-add",5,"ZucchiniMud","Test","*gossip",0,"flowers",0,})'
        self.assertEqual(self.hear(add), [Open("flowers")])
        self.assertEqual(self.error(add.replace(",0,})", ",1,})")), ("not-allowed", "Test"))
        for kind in ("channel-remove", "channel-admin"):
            self.assertEqual(
                self.error(f'({{"{kind}",5,"ZucchiniMud","Test","*gossip",0,"x",}})'), ("not-allowed", "Test")
            )

    def test_list(self) -> None:
        """The router lists the channels that are offered."""
        (value,) = self.replies('({"chanlist-req",5,"ZucchiniMud",0,"*gossip",0,})')
        listed = {"imud_gossip": ["*gossip", 0], "testing": ["*gossip", 0]}
        self.assertEqual(value, ["chanlist-reply", 5, "*gossip", 0, "ZucchiniMud", 0, 1795380807, listed])


class TellTests(ConversationTestCase):
    """What one player says to one other."""

    def test_sent(self) -> None:
        """A tell goes to the player that the word means; an emote to one player is an emote."""
        (act,) = self.hear('({"tell",5,"ZucchiniMud","Test","exventure","alice","Test","hi there",})')
        assert isinstance(act, Ask) and isinstance(act.event, events.TellsSend)
        event = act.event
        sent = (event.from_name, event.to_game, event.to_name, event.message)
        self.assertEqual(sent, ("Test", "ExVenture", "Alice", "hi there"))
        self.assertEqual(self.told(server_events.Success(event.wire, event.ref)), [])
        (value,) = self.told(server_events.Failure(event.wire, event.ref, Error.of("receiver-offline")))
        expected = ["error", 5, "*gossip", 0, "ZucchiniMud", "Test", "unk-user", "receiving player offline", 0]
        self.assertEqual(value, expected)
        (act,) = self.hear('({"emoteto",5,"ZucchiniMud","Test","Lima Bean","bo","Test","$N waves.",})')
        assert isinstance(act, Ask) and isinstance(act.event, events.TellsSend)
        self.assertEqual((act.event.to_game, act.event.message), ("LimaBean", "/me waves."))

    def test_unknown_mud(self) -> None:
        """A tell to a MUD that is not known is an error."""
        self.assertEqual(self.error('({"tell",5,"ZucchiniMud","Test","None","bo","Test","x",})'), ("unk-dst", "Test"))

    def test_received(self) -> None:
        """A tell comes as one; what the MUD says went wrong is told to its player, and only then."""
        wrong = '({"error",5,"ZucchiniMud",0,"ExVenture","alice","unk-user","No such player.",0,})'
        self.assertEqual(self.hear(wrong), [Drop("unknown")])
        tell = server_events.TellsReceive(REF, "ExVenture", "Alice", "Bob", "2026-11-26T00:00:00Z", "psst")
        expected = ["tell", 5, "ExVenture", "alice", "ZucchiniMud", "bob", "Alice", "psst"]
        self.assertEqual(self.told(tell), [expected])
        back = events.TellsSend(None, "system", "ExVenture", "Alice", "No such player.")
        self.assertEqual(self.hear(wrong), [Ask(back)])
        for number in range(TELLS):
            self.told(server_events.TellsReceive(REF, "ExVenture", f"p{number}", "Bob", "", "x"))
        self.assertEqual(self.hear(wrong), [Drop("unknown")])


class PlayerTests(ConversationTestCase):
    """Questions about players."""

    def answer(self, text: str, *names: str) -> list[Any]:
        (act,) = self.hear(text)
        assert isinstance(act, Ask) and isinstance(act.event, events.PlayersStatus)
        self.assertEqual(act.event.game, "ExVenture")
        return self.told(
            server_events.PlayersStatusAnswer(act.event.ref, (server_events.PlayersOf("ExVenture", names),))
        )

    def test_who(self) -> None:
        """The players of a game; a long list ends where the frame does."""
        who = '({"who-req",5,"ZucchiniMud","Test","ExVenture",0,})'
        expected = ["who-reply", 5, "ExVenture", 0, "ZucchiniMud", "Test", [["Alice", 0, ""]]]
        self.assertEqual(self.answer(who, "Alice"), [expected])
        (value,) = self.answer(who, *(f"Player number {number:05}" for number in range(5000)))
        self.assertTrue(200 < len(value[6]) < 300)

    def test_who_of_the_router(self) -> None:
        """The router lists the games."""
        (value,) = self.replies('({"who-req",5,"ZucchiniMud","Test","*gossip",0,})')
        self.assertEqual(value[6], [["ExVenture", 0, "2 players"], ["Zucchini", 0, "1 player"]])
        self.assertEqual(self.hear('({"who-req",5,"ZucchiniMud","Test",0,0,})'), [Drop("unknown")])

    def test_finger(self) -> None:
        """What is known of a player, whom a word without signs means, too."""
        finger = '({"finger-req",5,"ZucchiniMud","Test","ExVenture",0,"obrien",})'
        (value,) = self.answer(finger, "Alice", "O'Brien")
        extra = "On ExVenture. https://ex.example.org\n"
        expected = ["finger-reply", 5, "ExVenture", 0, "ZucchiniMud", "Test", "O'Brien", *[0] * 7, extra]
        self.assertEqual(value, expected)
        (value,) = self.answer(finger, "Alice")
        self.assertEqual((value[0], value[6]), ("error", "unk-user"))
        (value,) = self.answer(finger, "o-brien", "O'Brien")
        self.assertEqual((value[0], value[6]), ("error", "unk-user"))

    def test_chan_user(self) -> None:
        """A player that somebody asks about after hearing them."""
        (value,) = self.answer('({"chan-user-req",5,"ZucchiniMud",0,"ExVenture",0,"alice",})', "Alice")
        self.assertEqual(value, ["chan-user-reply", 5, "ExVenture", 0, "ZucchiniMud", 0, "alice", "Alice", 2])

    def test_locate(self) -> None:
        """The router answers for games that are no MUDs of Intermud-3, which answer themselves."""
        text = '({"locate-req",5,"ZucchiniMud","Test",0,0,"alice",})'
        answer, passed = self.hear(text)
        assert isinstance(answer, Reply)
        expected = ["locate-reply", 5, "ExVenture", 0, "ZucchiniMud", "Test", "ExVenture", "Alice", 0, 0]
        self.assertEqual(strict.frames(answer.frame), [expected])
        self.assertEqual(passed, PassToAll("locate", understood(read(text.replace("5", "4").encode()))))
        self.router.shown["ExVenture"] = ("alice",) * 30
        self.assertEqual(len(self.hear(text)), HITS + 1)
        self.assertEqual(len(self.hear(text.replace("alice", "test"))), 1)

    def test_others(self) -> None:
        """Who listens to a channel, and the ping of other MUDs, are answered in the name of the game."""
        (value,) = self.replies('({"chan-who-req",5,"ZucchiniMud","Test","ExVenture",0,"imud_gossip",})')
        self.assertEqual(value[6:], ["imud_gossip", []])
        for mud in ("ExVenture", "*gossip"):
            (value,) = self.replies(f'({{"auth-mud-req",5,"ZucchiniMud",0,"{mud}",0,}})')
            self.assertEqual(value[:6], ["auth-mud-reply", 5, mud, 0, "ZucchiniMud", 0])
            self.assertTrue(0 < value[6] < 2**31)

    def test_speaker(self) -> None:
        """What shows that a player is online."""
        for text, name in {
            ChannelTests.MESSAGE: "Test",
            '({"tell",5,"ZucchiniMud","test","ExVenture","alice","Test","hi",})': "Test",
            '({"who-req",5,"ZucchiniMud","Test","ExVenture",0,})': "Test",
            '({"who-req",5,"PyGate","*","ExVenture",0,})': "",
            '({"auth-mud-req",5,"ZucchiniMud",0,"ExVenture",0,})': "",
        }.items():
            self.assertEqual(speaker_of(understood(read(text.encode()))), name)


class PassedTests(ConversationTestCase):
    """What goes from one MUD of Intermud-3 to another."""

    def passed(self, text: str) -> list[Any]:
        (act,) = self.hear(text)
        assert isinstance(act, Pass)
        (value,) = strict.frames(act.packet.frame)
        self.assertEqual(value[4], act.mud.name)
        return value  # type: ignore[no-any-return]

    def test_to_itself(self) -> None:
        """A MUD that pings itself gets its ping back."""
        ping = self.passed('({"auth-mud-req",5,"ZucchiniMud",0,"ZucchiniMud",0,})')
        self.assertEqual(ping, ["auth-mud-req", 4, "ZucchiniMud", 0, "ZucchiniMud", 0])
        pong = self.passed('({"auth-mud-reply",5,"ZucchiniMud",0,"ZucchiniMud",0,123,})')
        self.assertEqual(pong, ["auth-mud-reply", 4, "ZucchiniMud", 0, "ZucchiniMud", 0, 123])

    def test_written_anew(self) -> None:
        """A packet is written anew: names as registered, texts cut, a life that is not longer than ours."""
        value = self.passed(
            f'({{"who-reply",200,"zucchinimud",0,"lima bean","bo",({{({{"{"x" * 600}",0,0,}}),}}),"more",}})'
        )
        self.assertEqual(value[:6], ["who-reply", 4, "ZucchiniMud", 0, "Lima Bean", "bo"])
        self.assertEqual(value[6:], [[["x" * 500, 0, 0]]])

    def test_too_long(self) -> None:
        """What no frame can hold is shortened."""
        row = '({"Player with a name",17,"extra",}),'
        value = self.passed('({"who-reply",5,"ZucchiniMud",0,"Lima Bean","bo",({' + row * 2000 + "}),})")
        self.assertTrue(150 < len(value[6]) < 300)
        texts = ('"' + '\\"' * 500 + '",') * 9
        value = self.passed('({"finger-reply",5,"ZucchiniMud",0,"Lima Bean","bo",' + texts + "})")
        self.assertEqual(len(value), 15)

    def test_nobody_there(self) -> None:
        """A question to a MUD that is away or not known is an error; an answer is not answered."""
        for mud in ("Away", "Nowhere"):
            self.assertEqual(self.error(f'({{"who-req",5,"ZucchiniMud","Test","{mud}",0,}})'), ("unk-dst", "Test"))
            for kind, rest in (("who-reply", "({}),"), ("error", '"unk-user","x",0,')):
                self.assertEqual(self.hear(f'({{"{kind}",5,"ZucchiniMud",0,"{mud}","bo",{rest}}})'), [])

    def test_not_passed(self) -> None:
        """What is not of Intermud-3 as the router knows it goes nowhere."""
        head = '5,"ZucchiniMud","Test","Lima Bean","bo"'
        self.assertEqual(self.error(f'({{"beep",{head},}})'), ("unk-type", "Test"))
        self.assertEqual(self.error(f'({{"mail",{head},1,}})'), ("unk-type", "Test"))
        self.assertEqual(self.error(f'({{"oob-req",{head},}})'), ("not-imp", "Test"))
        self.assertEqual(self.error('({"mudlist",5,"ZucchiniMud",0,"Lima Bean",0,1,([]),})'), ("not-allowed", 0))
        self.assertEqual(self.error('({"beep",5,"ZucchiniMud",0,"*gossip",0,})'), ("not-imp", 0))
        self.assertEqual(self.hear('({"beep",5,"ZucchiniMud",0,0,0,})'), [Drop("unknown")])
        self.assertEqual(self.hear('({"error",5,"ZucchiniMud",0,"*gossip",0,"x","y",0,})'), [Drop("unknown")])
        self.assertEqual(self.hear('({"shutdown",5,"ZucchiniMud",0,"*gossip",0,60,})'), [End()])

    def test_origin_and_life(self) -> None:
        """A packet in the name of another MUD, or one that has lived too long, is dropped."""
        forged, dropped = self.hear('({"tell",5,"ExVenture","alice","Lima Bean","bo","Alice","hi",})')
        assert isinstance(forged, Reply)
        self.assertEqual(strict.frames(forged.frame)[0][6], "unk-src")
        self.assertEqual(dropped, Drop("origin"))
        self.assertEqual(self.hear('({"who-req",0,"ZucchiniMud","Test","ExVenture",0,})'), [Drop("ttl")])

    def test_codes(self) -> None:
        """Errors of the network have codes of Intermud-3."""
        for code, expected in {
            "game-offline": "unk-dst",
            "message-too-long": "bad-pkt",
            "muted": "not-allowed",
        }.items():
            kind = Error.of(code, until="", reason="") if code == "muted" else Error.of(code)
            self.assertEqual(code_of(kind), expected)

    @given(st.data())
    def test_anything(self, data: st.DataObject) -> None:
        """Whatever arrives, only frames that the strictest driver reads leave."""
        texts = st.sampled_from(
            ("gossip", "imud_gossip", "ExVenture", "Lima Bean", "ZucchiniMud", "*gossip", "alice", '"', "\\\n")
        )
        values = st.recursive(st.integers(-1, 5) | texts, lambda inner: st.lists(inner, max_size=4))
        kinds = (
            "tell",
            "channel-m",
            "channel-t",
            "locate-req",
            "who-req",
            "who-reply",
            "finger-reply",
            "error",
            "mail",
        )
        names = st.tuples(st.just("ZucchiniMud"), texts, texts | st.just(0), texts)
        value = [data.draw(st.sampled_from(kinds)), 5, *data.draw(names), *data.draw(st.lists(values, max_size=10))]
        try:
            packet = understood(value)  # type: ignore[arg-type]
        except BadPacket:
            return
        for act in Conversation(ZUCCHINI, Router()).hear(packet):
            if isinstance(act, Reply):
                strict.frames(act.frame)
            elif isinstance(act, Pass | PassToAll):
                strict.frames(act.packet.frame)
