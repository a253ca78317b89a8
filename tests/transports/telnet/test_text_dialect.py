"""L{gossip.transports.telnet.text_dialect} and C{text_format}: commands, their answers, and what games are told."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed

from gossip.network.ratelimit import Rate
from gossip.protocol import server_events
from gossip.protocol.errors import NOT_KEPT, Error
from gossip.registry.changes import ChannelSaved, ChannelsRemoved, MessageSaid
from gossip.registry.entities import Channel
from gossip.transports.telnet.lines import Lettering
from gossip.transports.telnet.text_dialect import _BEFORE_LOGIN, _COMMANDS
from gossip.transports.telnet.text_format import Asked, LineOptions, TextFormat
from tests.support.ports import ANY_RATE
from tests.support.properties import examples
from tests.support.rewording import REWORDED, reword
from tests.support.telnet_games import TelnetTestCase
from tests.support.world import NOW, frame


def said(session_says: Any, session: Any, **payload: Any) -> None:
    """A game by websocket says something on a channel."""
    session_says(session, frame("channels/send", {"channel": "gossip", "name": "Ana", "message": "hi", **payload}))


class CommandTests(TelnetTestCase):
    """Each command: its syntax, its final line, and its effect."""

    def setUp(self) -> None:
        super().setUp()
        self.asked: list[tuple[Any, ...]] = []
        self.rates(**dict.fromkeys(("global_", "channels_send", "channels_subscribe"), ANY_RATE))
        self.beta, self.session = self.websocket("Beta", channels=["gossip"], players=["Ana", "Bo Derek"])
        self.game = self.login("Alpha", "SUBSCRIBE gossip", "SIGNIN Conan")
        self.heard(self.beta)

    def history(self, *asked: Any) -> Deferred[list[MessageSaid]]:
        self.asked.append(asked)
        return succeed([MessageSaid("gossip", seq, None, "Beta", "Bo Derek", "hi " * seq, NOW) for seq in (1, 2, 120)])

    def payloads(self) -> list[Any]:
        """The events that the other game got."""
        return [(told["event"], told.get("payload")) for told in self.heard(self.beta)]

    def test_before_login(self) -> None:
        """Before the login, other commands are refused, and an unknown command is unknown."""
        mud = self.mud()
        for verb in sorted({*_COMMANDS} - _BEFORE_LOGIN):
            self.assertEqual(mud.say(f"@1 {verb.lower()} x y z"), [f"@1 ERR {verb} 401 not logged in"])
        self.assertEqual(mud.say("jump"), ["ERR JUMP 400 unknown command"])
        self.assertEqual(mud.say("pong", "ping x"), ["PONG x"])
        self.assertEqual(mud.say("help")[-1], "OK HELP")
        self.assertEqual(mud.say("option echo=on"), ["OK OPTION echo=on"])

    def test_tags(self) -> None:
        """A tag comes back only in front of the final line; anything that is no tag is no command."""
        self.assertEqual(self.game.say("@a.B-1_ ping"), ["@a.B-1_ PONG"])
        *notes, final = self.game.say("@t HELP")
        self.assertTrue(all(note.startswith("NOTE ") for note in notes))
        self.assertEqual(final, "@t OK HELP")
        for line in ("@ ping", "@" + "x" * 17 + " ping", "@é ping"):
            self.assertEqual(self.game.say(line), ["ERR LINE 400 unknown command"])
        self.assertEqual(self.game.say("@t"), ["@t ERR LINE 400 unknown command"])
        self.assertEqual(self.game.say("@t jump!"), ["@t ERR LINE 400 unknown command"])

    def test_blanks(self) -> None:
        """Blanks before, between and after words do not matter, and blank lines are ignored."""
        self.assertEqual(self.game.say("  @1   ping \t x  ", "   ", ""), ["@1 PONG x"])

    def test_subscribe(self) -> None:
        """Subscribing, unsubscribing, and the list of subscriptions."""
        self.assertEqual(
            self.game.say("subscribe testing", "channels"), ["OK SUBSCRIBE testing", "OK CHANNELS gossip testing"]
        )
        self.assertEqual(
            self.game.say("unsubscribe gossip", "channels"), ["OK UNSUBSCRIBE gossip", "OK CHANNELS testing"]
        )
        self.assertEqual(
            self.game.say("subscribe", "subscribe a b"), ["ERR SUBSCRIBE 400 syntax: SUBSCRIBE channel"] * 2
        )
        self.assertEqual(self.game.say("subscribe all"), ['ERR SUBSCRIBE 400 Could not subscribe to "all"'])

    def test_many_channels(self) -> None:
        """A long list of channels takes several lines, the last of which is final."""
        names = ["".join((*"channel-", chr(97 + n // 26), chr(97 + n % 26))) for n in range(60)]
        self.game.say("OPTION maxline=256", *(f"subscribe {name}" for name in names))
        *lines, final = self.game.say("@t CHANNELS")
        self.assertTrue(final.startswith("@t OK CHANNELS "))
        self.assertTrue(all(line.startswith("CHANNELS ") and len(line) <= 254 for line in lines))
        told = [word for line in lines for word in line.split()[1:]] + final.split()[3:]
        self.assertEqual(told, ["gossip", *names])

    def test_all_channels(self) -> None:
        """CHANNELS ALL lists the channels that a line can name, one line each, cut to its length."""
        for channel in (
            Channel("gossip", False, description="For everybody\nand all"),
            Channel("long", False, description="word " * 400),
            Channel("quiet", False),
            Channel("secret"),
            Channel("two words", False),
        ):
            self.world.registry.enact(ChannelSaved(channel))
        gossip, long, *rest = self.game.say("@t channels all")
        self.assertEqual(gossip, "CHANNEL gossip 2 For everybody and all")
        self.assertTrue(long.startswith("CHANNEL long 0 word word "))
        self.assertLessEqual(len(long), 1022)
        self.assertEqual(rest, ["CHANNEL quiet 0", "@t OK CHANNELS"])
        self.assertEqual(self.game.say("channels everything"), ["OK CHANNELS gossip"])

    def test_offline_games(self) -> None:
        """A mud with the extension is told of a game that is offline; others are not. All know the end of a list."""
        mud = self.mud()
        mud.say("OPTION extensions=directory", f"LOGIN {self.world.client_id('Gamma')} {self.world.secret('Gamma')}")
        self.assertEqual(mud.say("GAMES delta"), ["GAME Delta down 0 The Delta", "OK GAMES 1"])
        self.assertEqual(mud.say("GAMES beta"), ["GAME Beta up 2 The Beta", "OK GAMES 1"])
        self.assertEqual(mud.say("GAMES", "WHO")[2::3], ["OK GAMES 2", "OK WHO 2"])
        self.game.lines()
        self.assertEqual(self.game.say("GAMES delta"), ["ERR GAMES 404 unknown game"])

    def test_changed_channels(self) -> None:
        """A mud with the extension is told of changes, if it wants to hear of channels at all; others are not."""
        mud = self.mud()
        mud.say("OPTION extensions=directory")
        mud.say(f"LOGIN {self.world.client_id('Gamma')} {self.world.secret('Gamma')}")
        self.heard(self.beta), self.game.lines()
        changes: tuple[tuple[dict[str, Any], list[str]], ...] = (
            ({"hidden": False, "description": "For all"}, ["published For all", "described For all"]),
            ({"paused_until": self.clock.wall + 60}, ["paused 2023-11-14T22:01:00Z"]),
            ({"paused_until": None}, ["resumed"]),
            ({"speakers": frozenset()}, ["speakers no"]),
            ({"speakers": None, "description": None}, ["described", "speakers yes"]),
            ({"hidden": True}, ["hidden"]),
        )
        channel = Channel("gossip")
        self.world.registry.enact(ChannelSaved(channel))
        for changed, lines in changes:
            channel = replace(channel, **changed)
            self.service.change(ChannelSaved(channel))
            self.assertEqual(mud.lines(), [f"CHANGED gossip {line}" for line in lines])
        self.service.change(ChannelSaved(Channel("two words", False)))
        self.assertEqual(mud.lines(), [])
        self.assertEqual(mud.say("SUBSCRIBE news"), ["CHANGED news created", "OK SUBSCRIBE news"])
        self.service.change(ChannelsRemoved(("news",)))
        self.assertEqual(mud.lines(), ["CHANGED news removed"])
        mud.say("OPTION events=tells")
        self.service.change(ChannelSaved(replace(channel, hidden=False)))
        self.assertEqual((mud.lines(), self.game.lines(), self.heard(self.beta)), ([], [], []))

    def test_send(self) -> None:
        """A message arrives at other games as it was sent; the answer comes when it is on disk."""
        self.game.send(b"@1 send gossip Conan%20the%20Great  hello   <b>there</b> \x1b[31mred\r\n@2 PING\n")
        self.clock.advance(0)
        self.assertEqual(self.game.wire.value(), b"")
        self.assertEqual(self.game.lines(), ["@1 OK SEND gossip", "@2 PONG"])
        payload = {"channel": "gossip", "game": "Alpha", "name": "Conan the Great", "message": "hello there [31mred"}
        self.assertEqual(self.payloads(), [("channels/broadcast", payload)])

    def test_not_kept(self) -> None:
        """A message that could not be kept is an internal error."""
        self.game.send(b"send gossip Conan hi\n")
        self.writer.settle(kept=False)
        self.assertEqual(self.game.lines(), ["ERR SEND 500 an error occurred, try again"])

    def test_reworded(self) -> None:
        """An error keeps its number whatever its text says: errors of the network, of the dialect, and of closes."""
        reword(self)
        self.assertEqual(
            self.game.say("send testing Conan hi", "tell No Bo@Beta hi", "jump", "send"),
            [f"ERR {error} {REWORDED}" for error in ("SEND 403", "TELL 412", "JUMP 400", "SEND 400")],
        )
        self.assertEqual(self.game.say("quit"), [f"BYE 200 {REWORDED}"])

    def test_emote(self) -> None:
        """An emote is sent with /me."""
        self.assertEqual(self.game.say("emote gossip Conan waves"), ["OK EMOTE gossip"])
        self.assertEqual(self.payloads()[0][1]["message"], "/me waves")

    def test_send_refused(self) -> None:
        """Each reason for a refusal has its number."""
        self.world.registry.enact(ChannelSaved(Channel("paused", paused_until=self.clock.wall + 60)))
        self.game.say("subscribe paused")
        for line, answer in (
            ("send", "ERR SEND 400 syntax: SEND channel name text"),
            ("emote gossip", "ERR EMOTE 400 syntax: EMOTE channel name text"),
            ("send gossip Conan", "ERR SEND 400 empty message"),
            ("send gossip Conan <b>\x1b\x07", "ERR SEND 400 empty message"),
            ("send gossip %20 hi", "ERR SEND 400 Name cannot be empty"),
            ("send testing Conan hi", "ERR SEND 403 not subscribed"),
            ("send paused Conan hi", "ERR SEND 403 channel is paused"),
            (f"send gossip {'x' * 65} hi", "ERR SEND 413 name too long"),
            (f"send gossip {'%20x' * 200} hi", "ERR SEND 413 name too long"),
            (f"send gossip Conan {'x' * 4097}", "ERR SEND 413 message too long"),
            ("send gossip Conan " + "x" * 8192, "ERR LINE 413 line too long"),
        ):
            self.assertEqual(self.game.say(line), [answer], line[:40])
        self.assertEqual(self.payloads(), [])

    def test_too_fast(self) -> None:
        """A command over the rate limit is refused by its verb; the tenth time the connection ends."""
        self.rates(global_=ANY_RATE)
        answers = self.game.say(*["@x send gossip Conan hi"] * 10, *["@y send gossip Conan hi"] * 20)
        self.assertEqual(
            answers,
            ["@x OK SEND gossip"] * 10
            + ["@y ERR SEND 429 rate limit exceeded"] * 9
            + ["BYE 429 disconnected due to rate limit abuse"],
        )
        self.assertTrue(self.game.closed)

    def test_too_many_lines(self) -> None:
        """Every line counts, even one without an answer; the tenth time the connection ends."""
        self.rates(global_=Rate(5, 1))
        mud = self.login("Gamma")
        answers = mud.say(*["pong"] * 4, "foo", "@t pong", *["who"] * 20)
        self.assertEqual(answers[0:2], ["ERR FOO 429 rate limit exceeded", "@t ERR PONG 429 rate limit exceeded"])
        self.assertEqual(
            answers[-2:], ["ERR WHO 429 rate limit exceeded, goodbye", "BYE 429 rate limit exceeded, goodbye"]
        )

    def test_tell(self) -> None:
        """A tell reaches one player, and each reason for a refusal has its number."""
        self.assertEqual(self.game.say("@1 tell Conan Bo%20Derek@beta psst   you"), ["@1 OK TELL Bo%20Derek@beta"])
        ((event, payload),) = self.payloads()
        del payload["sent_at"]
        self.assertEqual(event, "tells/receive")
        self.assertEqual(
            payload, {"from_game": "Alpha", "from_name": "Conan", "to_name": "Bo Derek", "message": "psst you"}
        )
        for line, answer in (
            ("tell Conan", "400 syntax: TELL from-name name@game text"),
            ("tell Conan Ana hi", "400 syntax: TELL from-name name@game text"),
            ("tell Conan Ana@Beta", "400 empty message"),
            ("tell Conan Ana@Delta hi", "404 game offline"),
            ("tell Conan Eve@Beta hi", "404 receiving player offline"),
            ("tell Nobody Ana@Beta hi", "412 sending player offline"),
            (f"tell Conan Ana@Beta {'x' * 4097}", "413 message too long"),
        ):
            self.assertEqual(self.game.say(line), [f"ERR TELL {answer}"], line[:40])
        self.websocket("Gamma", supports=["channels"], players=["Cy"])
        self.assertEqual(self.game.say("tell Conan Cy@Gamma hi")[-1], "ERR TELL 501 not supported")

    def test_report(self) -> None:
        """A report is answered with its number; it is about a message on a channel, or about a player."""
        said(self.say, self.session, name="Cy Two", message="Darn!")
        self.game.lines()
        self.assertEqual(self.game.say("REPORT Ana cy%20two@beta gossip a slur"), ["OK REPORT 1"])
        self.assertEqual(self.game.say("@7 report Ana Cy%20Two@Beta - rude in tells"), ["@7 OK REPORT 2"])
        self.assertEqual(self.game.say("REPORT Ana Cy%20Two@Beta gossip slur"), ["ERR REPORT 409 reported already"])
        reports = self.world.registry.reports.values()
        self.assertEqual(
            [(each.channel, each.name, each.message, each.reason, each.made_by) for each in reports],
            [
                ("gossip", "Cy Two", "Darn!", "a slur", "Ana@Alpha"),
                ("", "Cy Two", "", "rude in tells", "Ana@Alpha"),
            ],
        )

    def test_report_refused(self) -> None:
        """What is wrong with a report is told by number and text."""
        self.rates(global_=ANY_RATE, reports_create=ANY_RATE)
        syntax = "ERR REPORT 400 syntax: REPORT from-name name@game channel|- reason"
        for line in ("REPORT", "REPORT Ana", "REPORT Ana Bo@Beta", "REPORT Ana Bo gossip slur"):
            self.assertEqual(self.game.say(line), [syntax], line)
        for line, answer in (
            ("REPORT Ana Bo@Beta gossip", "400 reason must be 1 to 200 characters"),
            ("REPORT Ana Bo@Beta gossip slur", "404 no such message"),
            ("REPORT Ana Bo@Omega - slur", "404 unknown game"),
        ):
            self.assertEqual(self.game.say(line), [f"ERR REPORT {answer}"], line)

    def test_remove(self) -> None:
        """A MUD removes a message of its own, and is told of removals if it asked for the extension."""
        self.rates(global_=ANY_RATE, channels_remove=ANY_RATE)
        said(self.say, self.session, name="Bo Derek", message="Oops")
        self.game.say("SEND gossip Conan Darn")
        other = self.mud()
        login = f"LOGIN {self.world.client_id('Gamma')} {self.world.secret('Gamma')}"
        self.assertEqual(other.say("OPTION extensions=moderation", login)[-1][:8], "OK LOGIN")
        other.say("SUBSCRIBE gossip")
        self.game.lines()
        other.lines()
        first, second = [each.seq for each in self.service.store.said]
        self.assertEqual(self.game.say(f"@3 remove gossip {second} a <b>typo"), [f"@3 OK REMOVE gossip {second}"])
        self.assertEqual(other.lines(), [f"REMOVED gossip {second} Conan@Alpha a typo"])
        self.assertEqual(self.game.say(f"REMOVE gossip {first} x"), ["ERR REMOVE 403 not yours"])
        syntax = "400 syntax: REMOVE channel number reason"
        for line, answer in (
            ("REMOVE", syntax),
            ("REMOVE gossip", syntax),
            (f"REMOVE gossip {second} again", "404 no such message"),
            ("REMOVE gossip x y", "404 no such message"),
            (f"REMOVE gossip {first}", "400 reason must be 1 to 200 characters"),
        ):
            self.assertEqual(self.game.say(line), [f"ERR REMOVE {answer}"], line)
        other.say("OPTION events=tells")
        said(self.say, self.session, message="Again")
        latest = f"gossip:{self.service.store.said[-1].seq}"
        self.say(self.session, frame("channels/remove", {"id": latest, "reason": "typo"}, "1"))
        self.assertEqual(other.lines(), [])

    @given(st.lists(st.text(max_size=6) | st.sampled_from(["Ana", "Bo@Beta", "@", "gossip", "-", "so"]), max_size=6))
    @examples(200)
    def test_any_report(self, words: list[str]) -> None:
        """Whatever follows the command, it gets one final line, and what it makes has a reason and a reporter."""
        self.rates(global_=ANY_RATE, reports_create=ANY_RATE)
        line = " ".join(" ".join(words).split())
        self.game.send(f"REPORT {line}\n".encode("utf-8", "replace"))
        [answer] = self.game.lines()
        self.assertRegex(answer, r"^(OK REPORT [0-9]+|ERR REPORT 4[0-9][0-9] .+)$")
        for report in self.world.registry.reports.values():
            self.assertTrue(report.reason and report.made_by.endswith("@Alpha"))
        self.world.registry.reports.clear()

    def test_tell_to_the_network(self) -> None:
        """The network itself answers with help, before the final line."""
        told, final = self.game.say("tell Conan system@gossip help")
        self.assertRegex(told, "^TELL Conan system@gossip This is the network")
        self.assertEqual(final, "OK TELL system@gossip")

    def test_all_players(self) -> None:
        """A line can list as many players as a game can have; another line of that length is too long."""
        names = " ".join(f"{number:064d}" for number in range(2000))
        self.assertEqual(self.game.say(f"@1  Players {names}"), ["@1 OK PLAYERS 2000"])
        self.assertEqual(self.game.say(f"send gossip Ana {names}"), ["ERR LINE 413 line too long"])

    def test_players(self) -> None:
        """Players sign in and out, or all are listed at once; other games are told accordingly."""
        self.assertEqual(
            self.game.say("signin Cohen%20B", "signout Conan"), ["OK SIGNIN Cohen%20B", "OK SIGNOUT Conan"]
        )
        self.assertEqual(
            self.payloads(),
            [
                ("players/sign-in", {"game": "Alpha", "name": "Cohen B"}),
                ("players/sign-out", {"game": "Alpha", "name": "Conan"}),
            ],
        )
        self.assertEqual(self.game.say("@1 players Ana%20B Bo Bo %20", "players"), ["@1 OK PLAYERS 2", "OK PLAYERS 0"])
        self.assertEqual(self.game.say("players Ana%20B Bo"), ["OK PLAYERS 2"])
        self.assertEqual(self.payloads(), [])
        self.say(self.session, frame("players/status", {"game": "Alpha"}, "1"))
        self.assertEqual(self.payloads()[0][1]["players"], ["Ana B", "Bo"])
        for verb in ("SIGNIN", "SIGNOUT"):
            self.assertEqual(self.game.say(verb, f"{verb} a b"), [f"ERR {verb} 400 syntax: {verb} name"] * 2)
            self.assertEqual(self.game.say(f"{verb} %20"), [f"ERR {verb} 400 Name cannot be empty"])

    def test_who(self) -> None:
        """Who is online, in all games or in one; a long list takes several lines."""
        self.assertEqual(self.game.say("@1 who"), ["WHO Beta 2 Ana Bo%20Derek", "@1 OK WHO 1"])
        self.assertEqual(self.game.say("who alpha"), ["WHO Alpha 1 Conan", "OK WHO 1"])
        self.assertEqual(self.game.say("who nobody"), ["ERR WHO 404 unknown game"])
        self.assertEqual(self.game.say("who a b"), ["ERR WHO 400 syntax: WHO [game]"])
        self.say(self.session, frame("heartbeat", {"players": [f"Player {number}" for number in range(100)]}))
        *lines, final = self.game.say("option maxline=256", "who beta")[1:]
        self.assertEqual(final, "OK WHO 1")
        self.assertTrue(all(line.startswith("WHO Beta 100 Player%20") and len(line) <= 254 for line in lines))
        self.assertEqual(sum(len(line.split()) - 3 for line in lines), 100)

    def test_history(self) -> None:
        """Messages of a channel, the oldest first; a long message takes several lines, each with its head."""
        said(self.say, self.session)
        self.assertEqual(self.game.say(), ["MSG gossip Ana@Beta hi"])
        *lines, final = self.game.say("option maxline=256", "@1 history gossip 2")[1:]
        self.assertEqual(final, "@1 OK HISTORY 2")
        head = "HISTORY gossip {} 2023-11-14T22:00:00.000Z Bo%20Derek@Beta "
        self.assertEqual(lines[0], head.format(2) + "hi hi")
        self.assertGreater(len(lines), 2)
        self.assertTrue(all(line.startswith(head.format(120)) for line in lines[1:]))
        self.game.say("history gossip")
        self.assertEqual(self.asked, [("gossip", 3, None, None), ("gossip", 51, None, None)])
        for line, answer in (
            ("history", "400 syntax: HISTORY channel [number]"),
            ("history gossip x", "400 syntax: HISTORY channel [number]"),
            ("history gossip 1 2", "400 syntax: HISTORY channel [number]"),
            ("history gossip 101", "400 limit must be 1 to 100"),
            ("history testing", "403 not subscribed"),
        ):
            self.assertEqual(self.game.say(line), [f"ERR HISTORY {answer}"])

    def test_games(self) -> None:
        """Which games are online."""
        self.assertEqual(self.game.say("games"), ["GAME Beta up 2 The Beta", "OK GAMES 1"])
        self.assertEqual(self.game.say("@1 games gossip"), ["GAME gossip up 1 Gossip", "@1 OK GAMES 1"])
        self.assertEqual(self.game.say("games x"), ["ERR GAMES 404 unknown game"])

    def test_options(self) -> None:
        """The options in force are echoed; a bad option changes nothing."""
        self.assertEqual(
            self.game.say("option CharSet=LATIN1 double={}{ events=games,tells echo=ON"),
            ["OK OPTION charset=latin1 double={} events=tells,games echo=on"],
        )
        every = "OK OPTION charset=latin1 maxline=1024 double={} strip= echo=on events=tells,games"
        self.assertEqual(self.game.say("option"), [every])
        for bad in (
            "x=1",
            "charset=koi8-r",
            "maxline=255",
            "maxline=4097",
            "maxline=010240",
            "maxline=",
            "double=ab",
            "strip=é",
            "echo=maybe",
            "events=all",
            "=",
            "maxline=٣٠٠",
        ):
            answer = self.game.say(f"option echo=off {bad}")
            self.assertEqual(answer, [f"ERR OPTION 400 bad option {bad.partition('=')[0]}".rstrip()], bad)
        self.assertEqual(self.game.say("option " + "x" * 5000), ["ERR OPTION 400 bad option " + "x" * 32])
        self.assertEqual(self.game.say("option"), [every])
        self.assertEqual(self.game.say("option events= double="), ["OK OPTION events= double="])

    def test_echo(self) -> None:
        """With echo=on a game is told its own message, written like any other, before the final line."""
        self.game.say("option echo=on double={ maxline=256")
        self.assertEqual(
            self.game.say("@1 send gossip Conan%20B some {Rred"),
            ["MSG gossip Conan%20B@Alpha some {{Rred", "@1 OK SEND gossip"],
        )
        self.assertEqual(len(self.game.say("send gossip Conan " + "word " * 100)), 4)
        self.assertEqual(self.game.say("send testing Conan hi"), ["ERR SEND 403 not subscribed"])
        self.game.say("option events=")
        self.assertEqual(self.game.say("send gossip Conan hi"), ["OK SEND gossip"])

    def test_events(self) -> None:
        """A game is told the kinds of events that it chose, and always the necessary ones."""
        told = {
            "channels": lambda: said(self.say, self.session),
            "tells": lambda: self.say(
                self.session,
                frame("tells/send", {"from_name": "Ana", "to_game": "Alpha", "to_name": "Conan", "message": "hi"}, "1"),
            ),
            "players": lambda: self.say(self.session, frame("players/sign-in", {"name": "New"})),
            "games": lambda: self.websocket("Gamma"),
        }
        expected = {
            "channels": "MSG gossip Ana@Beta hi",
            "tells": "TELL Conan Ana@Beta hi",
            "players": "SIGNIN New@Beta",
            "games": "GAMEUP Gamma",
        }
        for kind, tell in told.items():
            self.game.say(f"option events={','.join(set(told) - {kind})}")
            self.say(self.session, frame("players/sign-out", {"name": "New"}))
            self.game.lines()
            tell()
            self.assertEqual(self.game.lines(), [], kind)
        self.setUp()
        for kind, tell in told.items():
            self.game.say(f"option events={kind}")
            tell()
            self.assertEqual(self.game.lines(), [expected[kind]])
        self.service.notice(60)
        self.assertEqual(self.game.lines(), ["RESTART 60"])

    def test_games_come_and_go(self) -> None:
        """A game that comes online, and one that has been gone for a minute."""
        connection, session = self.websocket("Gamma", players=["Cy"])
        self.say(session, frame("players/sign-out", {"name": "Cy"}))
        self.service.lost(session)
        for _ in range(6):
            self.clock.pump([1.0] * 11)
            self.game.say("pong")
            self.service.alive(self.session)
        del connection
        text = b"".join(self.game.wire.writes)
        for line in (b"GAMEUP Gamma\r\n", b"SIGNOUT Cy@Gamma\r\n", b"GAMEDOWN Gamma\r\n"):
            self.assertIn(line, text)

    def test_charsets(self) -> None:
        """A text in another charset crosses both ways; with charset=ascii, any other line is refused by its verb."""
        for charset, codec in (("latin1", "latin-1"), ("cp437", "cp437"), ("utf-8", "utf-8")):
            self.game.say(f"option charset={charset}")
            self.game.send("send gossip Zoë çé\n".encode(codec))
            self.assertEqual(self.payloads()[-1][1]["message"], "çé")
            self.game.lines()
            said(self.say, self.session, name="Zoë", message="çé")
            self.assertEqual(self.game.raw(), "MSG gossip Zoë@Beta çé\r\n".encode(codec))
        self.game.say("option charset=ascii")
        said(self.say, self.session, name="Zoë", message="çé “→”")
        self.assertEqual(self.game.lines(), ['MSG gossip Zoe@Beta ce "?"'])
        self.assertEqual(self.game.say("@1 send gossip Zoë hi"), ["@1 ERR SEND 415 text not in the charset"])

    def test_windows(self) -> None:
        """A line that is not UTF-8 is read as Windows-1252."""
        self.game.send(b"send gossip Zo\xeb \x93hi\x94\n")
        self.assertEqual(self.payloads()[-1][1]["message"], "“hi”")

    def test_names_travel(self) -> None:
        """A name can be sent back as it was received, and reaches its player."""
        self.game.say("option double={%")
        for name in ("Ana the {Great}", "a@b", "50%", "x,y", "Zoë <3"):
            self.say(self.session, frame("heartbeat", {"players": [name]}))
            said(self.say, self.session, name=name)
            (line,) = self.game.lines()
            who = line.split(" ")[2]
            self.assertEqual(self.game.say(f"tell Conan {who} hi"), [f"OK TELL {who}"])
            self.assertEqual(self.payloads()[-1][1]["to_name"], name)

    def test_quit(self) -> None:
        """The goodbye comes after all answers."""
        self.game.send(b"send gossip Conan bye\nQUIT\nPING\n")
        self.assertEqual(self.game.lines(), ["OK SEND gossip", "BYE 200 goodbye"])
        self.assertTrue(self.game.closed)

    def test_ping_token(self) -> None:
        """A token comes back, cut to the length of a line."""
        self.assertEqual(
            self.game.say("ping", "ping a b", "ping " + "é" * 100), ["PONG", "PONG a b", "PONG " + "é" * 32]
        )


LETTERINGS = (
    Lettering(),
    Lettering(charset="ascii", maxline=256, double="{%"),
    Lettering(charset="latin1", strip="-shouting"),
)


class FormatTests(TelnetTestCase):
    """Events that have no line, and rare ones."""

    def encode(self, event: server_events.ServerEvent) -> bytes:
        return TextFormat(LineOptions()).encode(event)

    def test_notice(self) -> None:
        """A notice has a dash for what it has no word for; whatever an admin wrote, it is one line."""
        until = "2026-11-23T12:00:00Z"
        for fields, line in (
            (("mute", "Ana Two", "gossip", "shouting", until), f"mute Ana%20Two gossip {until} shouting"),
            (("ban", None, None, "spam", None), "ban - - - spam"),
            (("lifted", "-", None, "so", None), "lifted ? - - so"),
            (("mute", "Ana", "big talk", "so", None), "mute Ana big%20talk - so"),
            (("mute", "Ana", "-", "so", None), "mute Ana ? - so"),
        ):
            written = self.encode(server_events.ModerationNotice(Raw(b"1"), *fields))
            self.assertEqual(written, f"NOTICE {line}\r\n".encode())

    @given(st.text(min_size=1), st.text(min_size=1, max_size=64), st.sampled_from(LETTERINGS))
    @examples(200)
    def test_any_notice(self, reason: str, name: str, lettering: Lettering) -> None:
        """A notice is one line of six words at least, and no longer than the MUD wants."""
        notice = server_events.ModerationNotice(Raw(b"1"), "mute", name, "gossip", reason, None)
        written = TextFormat(LineOptions(lettering)).encode(notice)
        (line,) = written.split(b"\r\n")[:-1]
        self.assertLessEqual(len(line) + 2, lettering.maxline)
        self.assertGreaterEqual(len(line.split(b" ")), 6)
        self.assertFalse(re.search(rb"[\x00-\x1f]", line))

    @given(
        st.text(max_size=2000) | st.none(),
        st.sampled_from(("created", "published", "described", "paused", "speakers", "hidden", "removed")),
        st.sampled_from(LETTERINGS),
    )
    @examples(200)
    def test_any_channel(self, text: str | None, change: str, lettering: Lettering) -> None:
        """Whatever is written about a channel is one line, in the list and in the news, and no longer than wanted."""
        channel = server_events.ChannelOf(
            channel="gossip",
            description=text,
            subscribed=True,
            games=12,
            may_speak=False,
            paused_until="2023-11-14T22:01:00Z" if change == "paused" else None,
            last_sent_at=None,
        )
        wire_format = TextFormat(LineOptions(lettering))
        news = wire_format.encode(server_events.ChannelsChanged(Raw(b"1"), change, channel))
        listed = server_events.ChannelsListAnswer(Asked("", "CHANNELS"), 1, server_events.ChannelsTold((channel,)))
        row, final, end = wire_format.encode(listed).split(b"\r\n")
        self.assertEqual((final, end), (b"OK CHANNELS", b""))
        self.assertTrue(row == b"CHANNEL gossip 12" or row.startswith(b"CHANNEL gossip 12 "))
        line, end = news.split(b"\r\n")
        self.assertTrue(f"{line.decode('latin-1')} ".startswith(f"CHANGED gossip {change} "))
        for written in (row, line):
            self.assertLessEqual(len(written) + 2, lettering.maxline)
            self.assertFalse(re.search(rb"[\x00-\x1f]", written))

    def test_not_told(self) -> None:
        """Some events have no line: the first beat, achievements, and answers without a request."""
        for event in (
            server_events.Beat(0),
            server_events.Success("x", None),
            server_events.Failure("x", None, NOT_KEPT),
            server_events.AchievementDeleted(None, "x"),
            server_events.AchievementsSynced(None, ()),
        ):
            self.assertEqual(self.encode(event), b"")

    def test_others(self) -> None:
        """An answer to anything but a line, such as resumed messages, is not written."""
        for ref in (None, object()):
            self.assertEqual(self.encode(server_events.Success("channels/send", ref)), b"")

    def test_long_error(self) -> None:
        """An error is one line, however long the input that it repeats."""
        ref, error = Asked("t", "SUBSCRIBE"), Error.of("bad-channel", channel="é " * 300)
        line = TextFormat(LineOptions().changed("maxline", "256")).encode(server_events.Failure("x", ref, error))
        self.assertLessEqual(len(line), 256)
        self.assertEqual(line.count(b"\n"), 1)
        self.assertTrue(line.startswith(b"@t ERR SUBSCRIBE 400 "))

    def test_codes(self) -> None:
        """Each error has the number that the bridge's specification gives it, whatever its text says."""
        ref = Asked("", "SEND")
        for code, number in (
            ("unauthenticated", 400),
            ("too-many-channels", 403),
            ("muted", 403),
            ("banned", 403),
            ("message-refused", 403),
            ("missing-support", 501),
            ("invalid-payload", 400),
            ("not-kept", 500),
        ):
            line = self.encode(server_events.Failure("channels/send", ref, Error(code, "game offline")))
            self.assertEqual(line, b"ERR SEND %d game offline\r\n" % number)


class CrossingTests(TelnetTestCase):
    """Text of one game stays text in another: one test for each attack, in both directions."""

    def setUp(self) -> None:
        super().setUp()
        self.rates(global_=ANY_RATE, channels_send=ANY_RATE)
        self.game = self.login("Alpha", "SUBSCRIBE gossip", "SIGNIN Conan", "OPTION events=channels,tells")
        self.other = self.login("Gamma", "SUBSCRIBE gossip", "SIGNIN Cy", "OPTION events=channels,tells")
        self.beta, self.session = self.websocket("Beta", channels=["gossip"], players=["Ana"])

    def to_mud(self, name: str, message: str) -> bytes:
        """What a MUD reads of a message by websocket."""
        said(self.say, self.session, name=name, message=message)
        return self.game.raw()

    def from_mud(self, line: bytes) -> tuple[bytes, dict[str, Any]]:
        """What another MUD reads, and a game by websocket receives, of a line of a MUD."""
        self.other.raw()
        self.game.send(line)
        self.game.raw()
        told = [one for one in self.heard(self.beta) if one["event"] == "channels/broadcast"]
        self.assertEqual(len(told), 1)
        return self.other.raw(), told[0]["payload"]

    def test_new_lines(self) -> None:
        """No kind of line end makes a second line."""
        for end in ("\n", "\r\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\n\r\n"):
            data = self.to_mud(f"A{end}BYE", f"hi{end}BYE 200 goodbye{end}@x OK LOGIN")
            self.assertEqual(data.count(b"\n"), 1, repr(end))
            self.assertRegex(data, rb"\AMSG gossip A(%20)?BYE@Beta hi ?BYE 200 goodbye ?@x OK LOGIN\r\n\Z")

    def test_new_lines_from_a_mud(self) -> None:
        """Other line ends of Unicode become a blank, or nothing, when they come from a MUD."""
        for end in ("\r", "\x0b", "\x85", "\u2028"):
            data, payload = self.from_mud(f"send gossip A hi{end}BYE\n".encode())
            self.assertRegex(data, rb"\AMSG gossip A@Alpha hi ?BYE\r\n\Z")
            self.assertIn(payload["message"], ("hiBYE", "hi BYE"))

    def test_escape_sequences(self) -> None:
        """No escape sequence is sent, in 7 or in 8 bits, nor a bell, a backspace or a DEL."""
        attack = "\x1b[2J\x1b]0;x\x07\x9b31m\x08\x7f\x90q\x9c"
        for charset in ("utf-8", "latin1"):
            self.game.say(f"OPTION charset={charset}")
            data = self.to_mud(f"A{attack}", f"hi{attack}")
            self.assertEqual(data, b"MSG gossip A[2J]0;x31mq@Beta hi[2J]0;x31mq\r\n")
        self.game.say("OPTION charset=utf-8")
        data, payload = self.from_mud(f"send gossip A{attack} hi{attack}\n".encode())
        self.assertEqual(data, b"MSG gossip A[2J]0;x31mq@Alpha hi[2J]0;x31mq\r\n")
        self.assertEqual((payload["name"], payload["message"]), ("A[2J]0;x31mq", "hi[2J]0;x31mq"))
        self.game.say("OPTION charset=latin1")
        data, payload = self.from_mud(b"send gossip A hi\x9b31m\x1b[m\n")
        self.assertEqual((data, payload["message"]), (b"MSG gossip A@Alpha hi31m[m\r\n", "hi31m[m"))

    def test_telnet_commands(self) -> None:
        """A byte 255 is never a telnet command: it is doubled for peers that speak telnet, and replaced for others."""
        self.game.say("OPTION charset=latin1")
        self.assertEqual(self.to_mud("ÿ", "ÿû\x01 ÿÿ"), b"MSG gossip ?@Beta ?\xfb ??\r\n")
        self.game.send(b"\xff\xf1")  # NOP
        self.assertEqual(self.to_mud("ÿ", "ÿû\x01"), b"MSG gossip \xff\xff@Beta \xff\xff\xfb\r\n")
        self.other.say("OPTION charset=latin1")
        data, payload = self.from_mud(b"send gossip A \xff\xff\xfb\x18\n")
        self.assertEqual((data, payload["message"]), (b"MSG gossip A@Alpha ?\xfb\r\n", "ÿû"))
        self.game.say("OPTION charset=cp437")
        data = self.to_mud("A", "a\xa0b")  # 255 in this code page
        self.assertEqual(data, b"MSG gossip A@Beta a b\r\n")

    def test_tags(self) -> None:
        """No MXP tag is sent, whole, nested, or joined by what is dropped from it."""
        for attack in ("<send href='x'>y</send>", "<<b>b>y", "<\x1bb>y", "<\ufeffb>y", "<!EN x>y", "<b\n>y"):
            data = self.to_mud("A", attack)
            self.assertNotRegex(data, rb"<[A-Za-z/!]", attack)
            _, payload = self.from_mud(f"send gossip A {attack}\n".replace("\n>", ">").encode())
            self.assertNotRegex(payload["message"], "<[A-Za-z/!][^>]*>", attack)
        self.assertEqual(self.to_mud("A", "I <3 you > me"), b"MSG gossip A@Beta I <3 you > me\r\n")

    def test_colours(self) -> None:
        """With double= no colour code crosses in a name, a text or an error, even if characters are doubled."""
        for signs in ("{", "&^}", "@", "%", "{%@,"):
            self.game.say(f"OPTION double={signs}")
            attack = "".join(f"{sign}R {sign}{sign}r {sign}{sign}{sign}x" for sign in signs)
            data = self.to_mud(attack[:20], attack).decode()
            _, _, who, text = data.removesuffix("\r\n").split(" ", 3)
            name = who.removesuffix("@Beta").replace("%40", "@").replace("%2C", ",").replace("%20", " ")
            for sign in signs:
                self.assertNotIn(sign, text.replace(sign * 2, ""), signs)
                self.assertNotIn(sign, name.replace("%25", "%").replace(sign * 2, ""), signs)
            (line,) = self.game.say(f"SUBSCRIBE {attack.split()[0]}")
            self.assertEqual(line.split('"')[1].replace(signs[0] * 2, ""), line.split('"')[1][-1])

    def test_stripped_colours(self) -> None:
        """With strip= the characters are removed."""
        self.game.say("OPTION strip={&")
        self.assertEqual(self.to_mud("{RA", "&rhi{x"), b"MSG gossip RA@Beta rhix\r\n")

    def test_names(self) -> None:
        """A name is one token: no blank of any kind, at sign, percent sign or comma in it forges another."""
        for blank in (" ", "\t", "\n", "\xa0", "\u3000", "\u2003", "\u2028", "\x85"):
            data = self.to_mud(f"A{blank}Eve@Delta hi", "x")
            self.assertRegex(data, rb"\AMSG gossip A(%20)?Eve%40Delta%20hi@Beta x\r\n\Z", repr(blank))
            _, payload = self.from_mud(
                f"send gossip A%20Eve%40Delta{blank}x\n".encode()
                if blank == " "
                else (b"send gossip A%20Eve%40Delta x\n")
            )
            self.assertEqual(payload["name"], "A Eve@Delta")
        self.assertEqual(self.to_mud("%20%40", ","), b"MSG gossip %2520%2540@Beta ,\r\n")

    def test_look_alikes(self) -> None:
        """A look-alike is treated as the character that the charset makes of it."""
        self.game.say("OPTION charset=ascii double={")
        self.assertEqual(self.to_mud("A＠B\u3000C％，", "x"), b"MSG gossip A%40B%20C%25%2C@Beta x\r\n")
        self.assertEqual(self.to_mud("A", "＜b＞x ｛R ＜３"), b"MSG gossip A@Beta x {{R <3\r\n")
        self.assertEqual(self.to_mud("A", "\u2028\u2029\u3000"), b"")
        self.game.say("OPTION charset=utf-8 double=")
        self.assertEqual(self.to_mud("A＠B", "＜b＞"), "MSG gossip A＠B@Beta ＜b＞\r\n".encode())

    def test_turned_around(self) -> None:
        """No character reverses the direction of a line."""
        attack = "\u202e\u2066\ufeff"
        self.assertEqual(self.to_mud(f"A{attack}", f"hi{attack}"), b"MSG gossip A@Beta hi\r\n")
        data, payload = self.from_mud(f"send gossip A{attack} hi{attack}\n".encode())
        self.assertEqual((data, payload["message"]), (b"MSG gossip A@Alpha hi\r\n", "hi"))

    def test_tells(self) -> None:
        """The same holds for tells."""
        message = "a\nBYE 200 x\x1b[31m <b>c"
        payload = {"from_name": "Ana", "to_game": "Alpha", "to_name": "Conan", "message": message}
        self.say(self.session, frame("tells/send", payload, "1"))
        self.assertEqual(self.game.raw(), b"TELL Conan Ana@Beta a BYE 200 x[31m c\r\n")
        self.game.send(b"tell Conan Ana@Beta a\x1b[31m\r\x00 <b>c\n")
        told = [one for one in self.heard(self.beta) if one["event"] == "tells/receive"]
        self.assertEqual(told[0]["payload"]["message"], "a[31m c")
