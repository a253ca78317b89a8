"""Tests for what IMC2 MUDs say and are told: channels, tells, questions, and what passes between them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import LogEvent, capturedLogs, formatEvent

from gossip.network.ratelimit import Rate
from gossip.protocol.server_events import TelnetConnection
from gossip.registry.changes import ChannelSaved, RestrictionSet
from gossip.registry.entities import Restriction
from gossip.registry.restrictions import player_of
from gossip.service.bounded_log import BURST
from gossip.service.watch import STEPS
from gossip.transports.imc2.factory import LOOK_SECONDS
from gossip.transports.seen_players import PLAYER_SECONDS
from tests.support import imc2_client as client
from tests.support.imc2_games import Mud, TwoGames
from tests.support.ports import ANY_RATE
from tests.support.properties import examples
from tests.support.world import frame

_UPDATE = (
    "ICE@Gossip # Gossip ice-update *@{mud} channel=Gossip:{channel} owner=admin@Gossip operators=admin@Gossip "
    'policy=open excluded="" level=Mort localname=i{channel}'
)


class TranscriptTests(TwoGames):
    """The transcripts of the specification."""

    def test_first_seconds(self) -> None:
        """Transcript A: the login and the first seconds of CL-2.3."""
        self.world.change("OldMud", connections=())
        mud = self.mud()
        mud.name = "OldMud"
        key = self.key("OldMud")
        self.assertEqual(
            mud.say(f"PW OldMud {key} version=2 autosetup ServerPw1 SHA256"),
            ["PW Gossip ServerPw1 version=2 GossipNet"],
        )
        own, other = mud.say("*@OldMud 1795694108 OldMud keepalive-request *@*")
        self.assertRegex(
            own,
            r'^\*@Gossip # Gossip is-alive \*@OldMud versionid="gossip [0-9.]+" networkname=GossipNet '
            r'url="https://gossip.example.org" host="gossip.example.org" port=4113$',
        )
        self.assertEqual(
            other,
            '*@ExVenture # ExVenture!Gossip is-alive *@OldMud versionid="none" networkname=GossipNet url="none" '
            'host="none" port=0',
        )
        self.assertEqual(
            mud.say(
                '*@OldMud 1795694109 OldMud is-alive *@* versionid="IMC2 Freedom CL-2.3 ROM 2.4" '
                "url=http://oldmud.example.org host=oldmud.example.org port=4000"
            ),
            [],
        )
        offers = mud.say("*@OldMud 1795694110 OldMud ice-refresh IMC@$")
        self.assertIn(_UPDATE.format(mud="OldMud", channel="gossip"), offers)
        self.old = mud
        self.assertEqual(
            self.speak("/me waves \\"),
            [
                (
                    r"Alice@ExVenture # ExVenture!Gossip ice-msg-b *@* channel=Gossip:gossip emote=1 echo=1 "
                    r'text="waves \\ "'
                )
            ],
        )
        self.assertEqual(
            self.whisper("Shemp", "psst"), ['Alice@ExVenture # ExVenture!Gossip tell Shemp@OldMud text="psst"']
        )
        self.heard(self.other)
        refusal = 'tell Alice@ExVenture text="No player named Shemp@OldMud exists here." isreply=1'
        self.assertEqual(mud.say(f"*@OldMud 1795694112 OldMud {refusal}"), [])
        self.assertEqual(self.said(self.other), [("system", "No player named Shemp@OldMud exists here.")])

    def test_speaking(self) -> None:
        """Transcript B: what QuickMUD sends, and what the speaker sees."""
        for line, message in (
            (
                r'text="Hello \"quoted\" & 100% back\\slash ~Rred ~rlope" emote=0 echo=1',
                'Hello "quoted" & 100% back\\slash red lope',
            ),
            ("text=waves. emote=1 echo=1", "/me waves."),
            ('text="Shemp@OldMud smiles happily." emote=2 echo=1', "/me smiles happily."),
        ):
            (echo,) = self.old.packet("Shemp", f"ice-msg-b *@* channel=Gossip:gossip {line}")
            self.assertRegex(
                echo,
                r"^Shemp-OldMud@Gossip # OldMud!Gossip ice-msg-b \*@OldMud channel=Gossip:gossip emote=[012] "
                r"sender=Shemp@OldMud text=",
            )
            self.assertEqual(self.said(self.other), [("Shemp", message)])

    def test_echo(self) -> None:
        """The echo has the sequence and the text of the speaker, and comes when the message is on disk."""
        line = (
            r'Shemp@OldMud 1795379519 OldMud ice-msg-b *@* channel=Gossip:gossip text="Hi ~Rred \"x\"" emote=0 echo=1'
        )
        self.old.send(line.encode() + b"\n")
        self.clock.advance(0)
        self.assertEqual(self.old.wire.value(), b"")
        self.assertEqual(
            self.old.raw(),
            b"Shemp-OldMud@Gossip 1795379519 OldMud!Gossip ice-msg-b *@OldMud channel=Gossip:gossip emote=0 "
            b'sender=Shemp@OldMud text="Hi ~Rred \\"x\\""\r\n',
        )
        self.assertEqual(self.old.packet("Shemp", "ice-msg-b *@* channel=Gossip:gossip text=x echo=0"), [])
        (echo,) = self.old.packet("Shemp", "ice-msg-b *@* channel=Gossip:gossip text=Zoë echo=1")
        self.assertIn('text="Zoe"', echo)

    def test_questions(self) -> None:
        """Transcript B: tells to nobody, and the list of players."""
        self.assertEqual(
            self.old.packet("Shemp", 'tell bob@ExVenture text="hi there = fine"'),
            ['*@Gossip # Gossip tell Shemp@OldMud isreply=1 text="receiving player offline"'],
        )
        self.assertEqual(
            self.old.packet("Shemp", "who ExVenture type=who"),
            [
                (
                    r'*@ExVenture # ExVenture!Gossip who-reply Shemp@OldMud text="\n\r~WPlayers on ExVenture (2)~!\n\r'
                    r'  Alice\n\r  Conan_the_Great\n\r"'
                )
            ],
        )
        listeners = r'ice-chan-whoreply Bob@Other channel=Gossip:gossip list="listening:\r\n\r\nShemp   \r\n"'
        self.assertEqual(self.old.packet("*", listeners), [])


class ChannelTests(TwoGames):
    """Messages on channels."""

    def test_hostile_texts(self) -> None:
        """Whatever a game says, a client finds the text, and no other keys, colours or lines in it."""
        for message, text in (
            ("sender=Admin@X", '"sender=Admin@X"'),
            ("emote=1", '"emote=1"'),
            ("~Rred ^_^", '"~ Rred ^_^"'),
            ("Zoë — hi", '"Zoe - hi"'),
            ('a" b=c\\', '"a\\" b=c\\\\ "'),
            ("a\nb", '"a b"'),
        ):
            self.assertEqual(self.speak(message)[0].partition(" text=")[2], text)
        head = self.speak("x", 'A "b" @c')[0].split()
        self.assertEqual(head[0], "A__b___c@ExVenture")

    def test_long_text(self) -> None:
        """A long text is at most four packets of 700 bytes; only the first is an emote (rule 6)."""
        lines = self.speak("/me " + "word " * 800)
        self.assertEqual([" emote=1 " in line for line in lines], [True, False, False, False])
        self.assertTrue(lines[-1].endswith('..."'))

    def test_same_bytes(self) -> None:
        """All MUDs get the same bytes of a message, with one sequence."""
        second = self.login("Gamma")
        self.old.raw(), second.raw()
        self.say(self.session, frame("channels/send", {"channel": "gossip", "name": "Alice", "message": "hi"}))
        self.assertEqual(self.old.raw(), second.raw())

    def test_between(self) -> None:
        """IMC2 MUDs hear each other on channels by the network, with its moderation."""
        second = self.login("Gamma")
        self.old.packet("Bob", "ice-msg-b *@* channel=Gossip:gossip text=hi")
        self.assertEqual(
            second.lines(),
            ['Bob@OldMud # OldMud!Gossip ice-msg-b *@* channel=Gossip:gossip emote=0 echo=1 text="hi"'],
        )
        self.assertEqual(self.old.lines(), [])

    def test_failures(self) -> None:
        """What is wrong with a message, its player is told."""
        self.assertIn("no such channel", self.old.packet("Bob", "ice-msg-b *@* channel=Gossip:nowhere text=x")[0])
        self.assertIn("no private channels", self.old.packet("Bob", "ice-msg-p IMC@Gossip channel=x text=x")[0])
        self.assertIn("empty message", self.old.packet("Bob", "ice-msg-b *@* channel=Gossip:gossip text=")[0])
        self.rates(global_=ANY_RATE, channels_send=Rate(1, 0.01))
        self.old.packet("Bob", "ice-msg-b *@* channel=Gossip:gossip text=x")
        self.assertEqual(
            self.old.packet("Bob", "ice-msg-b *@* channel=Gossip:gossip text=x"),
            ['*@Gossip # Gossip tell Bob@OldMud isreply=1 text="rate limit exceeded"'],
        )

    def test_new_channel(self) -> None:
        """Each minute, MUDs learn of channels that became public or hidden, and hear the former."""
        channel = self.world.registry.channels["gossip"]
        self.world.registry.enact(ChannelSaved(type(channel)("dchat", hidden=False)))
        self.clock.advance(LOOK_SECONDS)
        self.assertEqual(self.old.lines(), [_UPDATE.format(mud="OldMud", channel="dchat")])
        (session,) = self.world.network.presence.online(self.world.client_id("OldMud")).sessions  # type: ignore[union-attr]
        self.assertIn("dchat", session.channels)
        self.world.registry.enact(ChannelSaved(type(channel)("dchat", hidden=True)))
        self.clock.advance(LOOK_SECONDS)
        self.assertIn("ICE@Gossip # Gossip ice-destroy *@* channel=Gossip:dchat", self.old.lines())
        self.assertNotIn("dchat", session.channels)


class OnceTests(TwoGames):
    """What is done once for all MUDs."""

    def test_written(self) -> None:
        """Each message of a turn is written once for all MUDs, also if there are several."""
        other = self.login("Gamma")
        self.rates(global_=ANY_RATE, channels_send=ANY_RATE)
        self.old.raw(), other.raw()
        before = self.sent()
        payloads = [{"channel": "gossip", "name": "Alice", "message": f"message {number}"} for number in range(8)]
        super().say(self.session, *(frame("channels/send", payload) for payload in payloads))
        heard = self.old.raw()
        self.assertEqual((heard.count(b"\n"), other.raw()), (8, heard))
        self.assertEqual(self.sent() - before, 8)

    def sent(self) -> int:
        """How many messages were written."""
        (counts,) = (each.by_kind for each in self.transport.counts() if each.name == "imc2_packets_out")
        return counts["ice-msg-b"]


class AnyTextTests(TwoGames):
    """Whatever players of other games and of the MUD itself say."""

    def setUp(self) -> None:
        super().setUp()
        self.rates(global_=ANY_RATE, channels_send=ANY_RATE, tells_send=ANY_RATE)

    @examples(60)
    @given(st.text(max_size=1200), st.text(max_size=40))
    def test_heard(self, message: str, name: str) -> None:
        """
        A client finds the channel, the emote and the speaker of each line as they were sent, and nothing in the text is
        another key. The strict reader has looked at each line.
        """
        for line in [*self.speak(message, name), *self.whisper("Bob", message)]:
            found = client.check(line.replace(" # ", " 1 ", 1))
            self.assertIn(' text="', line)
            self.assertNotIn("sender", found)
            self.assertRegex(found["from"], "^[A-Za-z0-9_.-]{1,40}@ExVenture$")
            if found["type"] == "ice-msg-b":
                said = found["channel"], found["echo"], found["to"]
                self.assertEqual(said, ("Gossip:gossip", "1", "*@*"))
                self.assertEqual(found["emote"], "0" if not message.startswith("/me ") else found["emote"])
            else:
                self.assertEqual(found["to"], "Bob@OldMud")

    @examples(60)
    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=700), st.sampled_from("012"))
    def test_echo(self, text: str, emote: str) -> None:
        """The echo of the MUD's own words has its name and emote; its text is what was typed, without controls."""
        value = text.replace("\\", "\\\\").replace('"', '\\"').translate({10: "\\n", 13: "\\r", 0: None})
        for line in self.old.packet(
            "Shemp", f'ice-msg-b *@* channel=Gossip:gossip text="{value}" emote={emote} echo=1'
        ):
            found = client.check(line.replace(" # ", " 1 ", 1))
            if found["type"] == "tell":
                self.assertIn(found["text"], ("empty message", "message too long"))
                continue
            self.assertEqual((found["sender"], found["emote"]), ("Shemp@OldMud", emote))
            self.assertEqual((found["from"], found["to"]), ("Shemp-OldMud@Gossip", "*@OldMud"))


class TellTests(TwoGames):
    """Tells in both directions."""

    def test_any_name(self) -> None:
        """IMC2 lists no players: a tell from and to any name of the MUD passes; others must be online."""
        self.assertEqual(len(self.whisper("Nobody", "x")), 1)
        self.heard(self.other)
        self.assertEqual(self.old.packet("Unheard", "tell alice@exventure text=hi"), [])
        self.assertEqual(self.said(self.other), [("Unheard", "hi")])

    def test_names(self) -> None:
        """A name with blanks is one word there and back."""
        self.old.packet("Bob", "tell conan_the_great@ExVenture text=hi")
        self.assertEqual(self.heard(self.other)[-1]["payload"]["to_name"], "Conan the Great")

    def test_emotes(self) -> None:
        """An emote as a tell is a whole sentence in both directions."""
        self.assertEqual(
            self.whisper("Bob", "/me waves"),
            ['Alice@ExVenture # ExVenture!Gossip tell Bob@OldMud isreply=2 text="Alice@ExVenture waves"'],
        )
        self.heard(self.other)
        self.old.packet("Bob", 'tell alice@ExVenture text="Bob@OldMud waves" isreply=2')
        self.assertEqual(self.said(self.other), [("Bob", "/me waves")])

    def test_network(self) -> None:
        """A tell to the name of the hub reaches the network itself."""
        (line,) = self.old.packet("Bob", "tell system@Gossip text=help")
        self.assertRegex(line, r'^system@Gossip # Gossip tell Bob@OldMud text="This is the network itself\.')
        (line,) = self.old.packet("Bob", "tell echo@Gossip text=hello")
        self.assertEqual(line, 'echo@Gossip # Gossip tell Bob@OldMud text="You said: hello"')

    def test_long(self) -> None:
        """A long tell is split, and never longer than clients bear."""
        self.assertEqual(len(self.whisper("Bob", "x" * 4000)), 4)


class QuestionTests(TwoGames):
    """Questions about games and players."""

    def test_who(self) -> None:
        """Finger, info, the hub itself, and games that are not there."""
        self.assertIn("Alice is on ExVenture.", self.old.packet("Bob", 'who ExVenture type="finger alice"')[0])
        self.assertIn("No such player", self.old.packet("Bob", 'who *@ExVenture type="finger nobody"')[0])
        self.assertIn("The Beta", self.old.packet("Bob", "who ExVenture type=info")[0])
        self.assertIn(r"ExVenture       2\n\r  OldMud          1\n\r", self.old.packet("Bob", "who Gossip type=who")[0])
        self.assertEqual(
            self.old.packet("Bob", "who Nowhere type=who"),
            ['*@Gossip # Gossip tell Bob@OldMud isreply=1 text="unknown game"'],
        )

    def test_long_who(self) -> None:
        """A long list of players is cut, and says how many there are."""
        self.say(self.session, frame("heartbeat", {"players": [f"Player number {n}" for n in range(900)]}))
        (line,) = self.old.packet("Bob", "who ExVenture type=who")
        self.assertRegex(line, r"\(900\).*\.\.\. and [0-9]+ more\\n\\r\"$")

    def test_whois(self) -> None:
        """Each game that shows a player of that name answers."""
        (line,) = self.old.packet("Bob", "whois ALICE@*")
        self.assertRegex(line, r'^\*@ExVenture # ExVenture!Gossip whois-reply Bob@OldMud text="Alice@ExVenture')

    def test_last_on(self) -> None:
        """Where a player is, or that there is none."""
        self.assertIn('"Alice@ExVenture is online"', self.old.packet("Bob", "imc-laston Gossip username=alice")[0])
        self.assertIn('"zoe is not online"', self.old.packet("Bob", "imc-laston Gossip username=zoe")[0])

    def test_admins(self) -> None:
        """Commands to the hub are not carried out."""
        for kind in ("ice-cmd IMC@Gossip", "remote-admin *@Gossip"):
            self.assertIn("ask the admins of the network", self.old.packet("Bob", f"{kind} channel=x command=y")[0])

    def test_games(self) -> None:
        """Games that come and go are told, with where people play them; hidden games are not."""
        connections = (TelnetConnection("mud.example.org", 4000),)
        self.world.change("Gamma", connections=connections, homepage_url="https://mud.example.org")
        self.websocket("Gamma")
        self.assertEqual(
            self.old.lines(),
            [
                (
                    '*@Gamma # Gamma!Gossip is-alive *@OldMud versionid="none" networkname=GossipNet '
                    'url="https://mud.example.org" host="mud.example.org" port=4000'
                )
            ],
        )
        self.world.change("Delta", hidden=True)
        self.websocket("Delta")
        self.assertEqual(self.old.lines(), [])
        alive = self.old.packet("*", "keepalive-request *@*")
        self.assertEqual([line.split()[0] for line in alive], ["*@Gossip", "*@ExVenture", "*@Gamma"])
        self.assertEqual(self.old.packet("*", "keepalive-request *@*"), [])
        self.clock.advance(10)
        self.assertEqual(len(self.old.packet("*", "keepalive-request *@*")), 3)

    def test_players(self) -> None:
        """Whoever does something is taken as online for a quarter of an hour."""
        online = self.world.network.presence.online(self.world.client_id("OldMud"))
        assert online is not None
        self.old.packet("Bob", "who Gossip type=who")
        self.old.packet("Ann", "ice-msg-b *@* channel=Gossip:gossip text=x")
        self.assertEqual(online.players, ("Ann", "Bob"))
        self.clock.advance(PLAYER_SECONDS - 60)
        self.old.packet("Ann", "who Gossip type=who")
        self.clock.advance(120)
        self.assertEqual(online.players, ("Ann",))


class RelayTests(TwoGames):
    """What passes between two IMC2 MUDs, written anew."""

    def setUp(self) -> None:
        super().setUp()
        self.second = self.login("Gamma", "gAMMA")
        self.old.raw()

    def passed(self, sender: str, rest: str, to: Mud | None = None) -> list[str]:
        """OldMud sends a packet; returns what the other MUD is told."""
        self.old.packet(sender, rest)
        return (to or self.second).lines()

    def test_who(self) -> None:
        """Questions and their replies pass, with line breaks, a route of ours and only known keys."""
        self.assertEqual(
            self.passed("Bob", "who gamma type=who evil=1 text=x"),
            ['Bob@OldMud # OldMud!Gossip who *@gAMMA type="who" text="x"'],
        )
        self.second.packet("*", r'who-reply Bob@OldMud text="\n\rAnn\n\r"')
        self.assertEqual(self.old.lines(), [r'*@Gamma # Gamma!Gossip who-reply Bob@OldMud text="\n\rAnn\n\r"'])

    def test_long(self) -> None:
        """A value that would overrun a client arrives cut (rule 7)."""
        (line,) = self.passed("Bob", f"who gamma type={'x' * 4000}")
        self.assertIn(f'type="{"x" * 200}"', line)

    def test_all(self) -> None:
        """Data of users goes to all MUDs, and beeps to one."""
        self.assertEqual(len(self.passed("*", "user-cache *@* gender=1 user=Bob@OldMud")), 1)
        self.assertEqual(len(self.passed("Bob", "beep Ann@Gamma")), 1)
        self.assertEqual(self.passed("Bob", "beep Ann@Nowhere"), [])
        self.assertEqual(len(self.passed("Bob", "whois ann@*")), 1)

    def test_muted(self) -> None:
        """A muted player does not beep."""
        subject = player_of(self.world.client_id("OldMud"), "Bob")
        muted = Restriction(kind="mute", subject=subject, reason="spam", set_by="x", set_at=0.0)
        self.world.registry.enact(RestrictionSet(muted))
        self.assertEqual(self.passed("Bob", "beep Ann@Gamma"), [])
        self.assertIn("muted", self.old.packet("Bob", "ice-msg-b *@* channel=Gossip:gossip text=x")[0])

    def test_fast(self) -> None:
        """At most 20 packets at once pass."""
        for _ in range(30):
            self.old.packet("Bob", "beep Ann@Gamma")
        self.assertEqual(len(self.second.lines()), 20)


class HostileTests(TwoGames):
    """What is dropped, and counted."""

    def dropped(self) -> dict[str, int]:
        """How many packets were dropped, by the reason."""
        counts = {each.name: each.by_kind for each in self.transport.counts()}
        return {why: number for why, number in counts["imc2_dropped"].items() if number}

    def test_dropped(self) -> None:
        """Spoofed packets, loops, repetitions, bad names and what is no packet, are dropped and counted."""
        channel = "ice-msg-b *@* channel=Gossip:gossip text=x"
        self.old.say(
            f"Bob@Other 1 OldMud {channel}",
            f"Bob@OldMud 1 Other!OldMud {channel}",
            f"Bob@OldMud 1 OldMud!Gossip {channel}",
            f"{'x' * 41}@OldMud 2 OldMud {channel}",
            "junk",
            "Bob@OldMud 3 OldMud close-notify *@* host=ExVenture",
        )
        self.assertEqual(self.said(self.other), [])
        self.assertEqual(self.dropped(), {"origin": 2, "loop": 1, "name": 1, "grammar": 1, "unknown": 1})
        self.old.say(f"Bob@oldmud 9 OLDMUD {channel}", f"Bob@OldMud 9 OldMud {channel}")
        self.assertEqual(self.said(self.other), [("Bob", "x")])
        self.assertEqual(self.dropped()["repeat"], 1)

    def test_spoofing(self) -> None:
        """A MUD that goes on in the name of others is closed."""
        for number in range(19):
            self.old.say(f"Bob@Other {number} OldMud tell x@y text=x")
        self.assertFalse(self.old.closed)
        self.old.say("Bob@Other 20 OldMud tell x@y text=x")
        self.assertTrue(self.old.closed)

    def test_odd_lines(self) -> None:
        """An unended quote, many keys and a long text disturb nothing; what they say is heard, if it may be."""
        self.old.packet("Bob", 'ice-msg-b *@* channel=Gossip:gossip text="unended')
        keys = " ".join(f"k{number}=v" for number in range(1500))
        self.old.packet("Bob", f"ice-msg-b *@* channel=Gossip:gossip text=many {keys}")
        self.old.packet("Bob", f"ice-msg-b *@* channel=Gossip:gossip text={'x' * 4097}")
        self.assertEqual(self.said(self.other), [("Bob", "unended"), ("Bob", "many")])
        self.assertFalse(self.old.closed)
        self.old.send(b"x" * 17_000)
        self.assertTrue(self.old.closed)

    def test_counts(self) -> None:
        """Packets are counted by a closed set of types."""
        self.old.packet("Bob", "whatever *@* a=b")
        counts = {each.name: each.by_kind for each in self.transport.counts()}
        self.assertEqual(counts["imc2_packets_in"]["other"], 1)
        self.assertEqual(counts["imc2_packets_in"]["is-alive"], 1)
        self.assertNotIn("whatever", json.dumps(counts))

    def test_too_fast(self) -> None:
        """Lines that are dropped count as well: a MUD that floods is closed."""
        self.rates(global_=Rate(20, 1))
        self.old.say(*(f"junk {number}" for number in range(40)))
        self.assertTrue(self.old.closed)


class DroppedTests(TwoGames):
    """What the log says of packets that are dropped."""

    def test_gathered(self) -> None:
        """The first ones have a line each, and a line a minute gathers the others."""
        with capturedLogs() as logs:
            for number in range(BURST + 3):
                self.old.say(f"*@OldMud {number + 100} OldMud nonsense *@*")
            self.assertEqual(len(self.lines(logs)), BURST)
            self.clock.advance(LOOK_SECONDS)
            self.assertEqual(len(self.lines(logs)), BURST + 1)
            self.assertIn("OldMud (unknown)", self.lines(logs)[-1])

    def lines(self, logs: Sequence[LogEvent]) -> list[str]:
        """The lines about dropped packets."""
        return [text for text in map(str, map(formatEvent, logs)) if text.startswith("dropped packets of IMC2")]


class ProgressTests(TwoGames):
    """What the owner of a game sees of its steps."""

    def test_steps(self) -> None:
        """The steps of connecting succeed one by one, as for every other game."""
        self.service.watch.look(self.world.client_id("OldMud"), self.session.peer, self.service.now())
        mud = self.login("OldMud")
        mud.packet("Bob", "ice-msg-b *@* channel=Gossip:gossip text=x")
        self.say(self.session, frame("channels/send", {"channel": "gossip", "name": "Alice", "message": "hi"}))
        self.whisper("Bob", "psst")
        for _ in range(16):
            self.clock.advance(1)
            self.service._carry_out(self.world.network.tick(self.clock.now()))
            self.turn()
        mud.packet("*", "is-alive *@*")
        watched = self.service.watch.look(self.world.client_id("OldMud"), self.session.peer, self.service.now())
        self.assertEqual(set(STEPS) - set(watched.seen), set())
        self.assertNotIn(self.key("OldMud"), repr(watched))
