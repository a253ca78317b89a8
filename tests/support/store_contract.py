"""What is kept comes back, on both databases."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, OperationalError

from gossip.protocol.server_events import AchievementOf, SecureTelnetConnection, TelnetConnection, WebConnection
from gossip.registry.built_in import BUILT_IN
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
from gossip.registry.entities import (
    Account,
    AuditEntry,
    Channel,
    Filter,
    Game,
    I3Identity,
    I3Link,
    Removal,
    Report,
    Restriction,
    Secret,
    Tastes,
    Ticket,
    UserAgent,
)
from gossip.registry.numbers import JUMP
from gossip.registry.removals import LATEST, emptied, stands_for
from gossip.registry.sought import Entries, LatestOf, Numbered
from gossip.store import mark, queries, schema, statements, store, tables
from gossip.store.errors import StoreError, StoreInUse
from gossip.store.store import Store
from tests.support.databases import OnDatabase
from tests.support.later_schema import one_revision_later
from tests.support.properties import examples
from tests.support.world import NOW, uuid

ANA = "00000000-0000-4000-8000-00000000000a"
BO = "00000000-0000-4000-8000-00000000000b"

GAME = Game(
    client_id=ANA,
    short_name="MyMUD",
    name="My MUD ☺",
    secrets=(Secret(bytes(range(32))), Secret(bytes(32), 1234.5)),
    hidden=True,
    hides_players=True,
    disabled=True,
    tagline="“Quoted”",
    description="Two\nlines",
    homepage_url="https://example.org/",
    language="Deutsch",
    connections=(
        WebConnection("https://example.org/play"),
        TelnetConnection("example.org", 4000),
        SecureTelnetConnection("example.org", 4001),
    ),
    created_at=1700000000.125,
)
OTHER = Game(client_id=BO, short_name="Other", name="Other MUD", secrets=())
ACHIEVEMENT = AchievementOf(
    key="00000000-0000-4000-8000-0000000000f0",
    title="Slayer",
    description="Slew it",
    points=100,
    display=False,
    partial_progress=True,
    total_progress=2**31 - 1,
)

SOME = frozenset([ANA, BO])
MUTE = Restriction(
    kind="mute", subject=ANA, channel="gossip", until=1234.5, reason="Shouting ☺", set_by="unix:ana", set_at=0.5
)
BAN = Restriction(kind="ban", subject=f"bo@{BO}", reason="Spam", set_by="ana", set_at=0.5)
FILTER = Filter(text="darn", channel="gossip", substring=True, action="mask", reason="Language", set_by="a", set_at=0.5)
REPORT = Report(
    number=7,
    channel="gossip",
    seq=2**40,
    game="MyMUD",
    name="Ana",
    message="Hello!",
    reason="Rude",
    made_by="bo",
    made_at=2.5,
)

ACCOUNT = Account(
    name="Ana", password="$argon2id$…", admin=True, disabled=True, email="ana@example.org", created_at=1700000000.125
)
VISIT = Ticket(digest=bytes(range(32)), kind="visit", account="Ana", label="192.0.2.1 ☺", made_at=0.5, expires=1234.5)
TOKEN = Ticket(digest=bytes(32), kind="token", account="Ana", scope="read", label="mine", made_by="Ana", made_at=1.5)
INVITE = Ticket(digest=b"\xff" * 32, kind="invite", made_by="unix:ana", made_at=2.5, expires=2345.5)

REMOVAL = Removal(1700000009.5, "unix:ana", "Advertising ☺")

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def said(seq: int, channel: str = "gossip", said_at: float = 1700000000.5, message: str = "Hello!") -> MessageSaid:
    """A message."""
    return MessageSaid(channel, seq, ANA, "MyMUD", "Ana", message, said_at)


class StoreTests(OnDatabase):
    """Every change comes back as it was kept."""

    def kept(self, *changes: Change) -> Store:
        """A store that kept some changes and was opened again."""
        first = self.open()
        for change in changes:
            first.apply(change)
        first.close()
        return self.open()

    def test_empty(self) -> None:
        """A new store knows nothing."""
        known = self.open().load()
        self.assertEqual((known.games, known.channels, known.achievements, known.user_agents), ({}, {}, {}, {}))

    def test_game(self) -> None:
        """A game comes back as it was saved, with its secrets in their order, and can be found by its short name."""
        known = self.kept(GameSaved(GAME), GameSaved(OTHER)).load()
        self.assertEqual(known.games, {ANA: GAME, BO: OTHER})
        self.assertEqual(known.game_named("mymud"), GAME)

    def test_game_saved_again(self) -> None:
        """A game that is saved again has its new values and secrets only, and loses nothing that hangs on it."""
        bare = Game(client_id=ANA, short_name="NewMUD", name="New", secrets=(Secret(b"new"),))
        seen = GameSeen(ANA, "MyMUD 1.0", "2.3.0")
        changes = GameSaved(GAME), seen, AchievementKept(ANA, ACHIEVEMENT), GameSaved(bare)
        known = self.kept(*changes).load()
        self.assertEqual(known.games, {ANA: bare})
        self.assertEqual(known.seen, {ANA: seen})
        self.assertEqual(known.achievements, {ANA: {ACHIEVEMENT.key: ACHIEVEMENT}})

    def test_game_removed(self) -> None:
        """A removed game takes its secrets and achievements along; what it said stays."""
        saved = GameSaved(GAME), AchievementKept(ANA, ACHIEVEMENT), said(1), PlayersCounted(900.0, ((ANA, 3),))
        kept = self.kept(*saved, GameRemoved(ANA))
        known = kept.load()
        self.assertEqual((known.games, known.achievements, known.seen), ({}, {}, {}))
        self.assertEqual(kept.history("gossip", 10), [said(1)])
        self.assertEqual(kept.player_figures([ANA], 0, 1), {900: 3})
        kept.apply(GameSaved(OTHER))
        kept.apply(GameSaved(Game(client_id=ANA, short_name="MyMUD", name="My", secrets=())))
        self.assertEqual(kept.load().games[ANA].secrets, ())
        self.assertEqual(kept.load().achievements, {})

    def test_game_names_are_unique(self) -> None:
        """Two games never share a short name or a name, whatever the case; what was there before stays."""
        kept = self.kept(GameSaved(GAME))
        for short_name, name in (("MYMUD", "Another"), ("Another", "my mud ☺")):
            with self.assertRaises(StoreError):
                kept.apply(GameSaved(Game(client_id=BO, short_name=short_name, name=name, secrets=())))
        self.assertEqual(kept.load().games, {ANA: GAME})

    def test_game_seen(self) -> None:
        """With what a game joined last comes back; without a user agent, too."""
        seen = GameSeen(ANA, "MyMUD 1.0", "2.3.0"), GameSeen(BO, None, "1.0.0")
        known = self.kept(GameSaved(GAME), GameSaved(OTHER), GameSeen(ANA, None, "0.1"), *seen).load()
        self.assertEqual(known.seen, {ANA: seen[0], BO: seen[1]})

    def test_i3_identities(self) -> None:
        """What games are on Intermud-3 comes back as it was saved last, until it or its game is removed."""
        bare = I3Identity(client_id=ANA, name="My Mud")
        full = replace(bare, digest=bytes(32), address="192.0.2.1", open_until=NOW + 0.5, record="{}")
        other = I3Identity(client_id=BO, name="Other Mud")
        games = GameSaved(GAME), GameSaved(OTHER)
        kept = self.kept(*games, I3IdentitySaved(other), I3IdentitySaved(bare), I3IdentitySaved(full))
        self.assertEqual({*kept.load().i3}, {full, other})
        with self.assertRaises(StoreError):
            kept.apply(I3IdentitySaved(replace(other, name="MY MUD")))
        kept.apply(GameSaved(GAME))
        kept.apply(I3IdentityRemoved(BO))
        self.assertEqual([*kept.load().i3], [full])
        kept.apply(GameRemoved(ANA))
        kept.apply(GameSaved(GAME))
        self.assertEqual([*kept.load().i3], [])

    def test_i3_links(self) -> None:
        """What the network is on Intermud-3 comes back as it was saved last, until it is forgotten."""
        bare = I3Link(mud="Gossip")
        full = replace(bare, router="*test", password=2**31 - 1, accepted_at=NOW + 0.5)
        other = I3Link(mud="Other")
        kept = self.kept(I3LinkSaved(other), I3LinkSaved(bare), I3LinkSaved(full))
        self.assertEqual(kept.load().i3_links, {"Gossip": full, "Other": other})
        kept.apply(I3LinkRemoved("Other"))
        self.assertEqual(kept.load().i3_links, {"Gossip": full})

    def test_channel(self) -> None:
        """Channels come back as they were saved last."""
        plain, full = Channel("gossip", speakers=frozenset()), Channel("testing", False, 1234.5, "For tests", SOME)
        full = replace(full, moderators=frozenset(["Ana", "Bo"]))
        known = self.kept(ChannelSaved(Channel("testing")), ChannelSaved(plain), ChannelSaved(full)).load()
        self.assertEqual(known.channels, {"gossip": plain, "testing": full})

    def test_user_agent(self) -> None:
        """Code bases come back as they were saved last."""
        latest = UserAgent("CoffeeMud", "https://example.org/", "https://example.org/source")
        known = self.kept(UserAgentSaved(UserAgent("CoffeeMud")), UserAgentSaved(latest)).load()
        self.assertEqual(known.user_agents, {"CoffeeMud": latest})

    def test_what_games_bring(self) -> None:
        """A channel that a game opens and a code base that it brings are added; what is there stays as it is."""
        channel, agent = (
            Channel("gossip", False, None, "For everybody", SOME, True),
            UserAgent("CoffeeMud", "https://a.example"),
        )
        saved = ChannelSaved(channel), UserAgentSaved(agent)
        opened, met = map(ChannelOpened, ("gossip", "new")), map(UserAgentMet, ("CoffeeMud", "Mine"))
        brought: list[Change] = [*opened, *met]
        known = self.kept(*saved, *brought, *brought).load()
        self.assertEqual(known.channels, {"gossip": channel, "new": Channel("new")})
        self.assertEqual(known.user_agents, {"CoffeeMud": agent, "Mine": UserAgent("Mine")})

    def test_achievements(self) -> None:
        """Achievements come back as they were kept last, but for the dropped ones."""
        bare = AchievementOf(key="bare", title="Bare")
        first = AchievementOf(key=ACHIEVEMENT.key, title="Before")
        kept = self.kept(
            GameSaved(GAME),
            AchievementKept(ANA, first),
            AchievementKept(ANA, ACHIEVEMENT),
            AchievementKept(ANA, bare),
            AchievementKept(ANA, AchievementOf(key="gone", title="Gone")),
            AchievementDropped(ANA, "gone"),
            AchievementDropped(BO, "bare"),
        )
        self.assertEqual(kept.load().achievements, {ANA: {ACHIEVEMENT.key: ACHIEVEMENT, "bare": bare}})

    def test_achievement_of_nobody(self) -> None:
        """An achievement of a game that is not there is not kept."""
        with self.assertRaises(StoreError):
            self.open().apply(AchievementKept(ANA, ACHIEVEMENT))

    def test_history(self) -> None:
        """What was said is read from its end, or from either side of a message, oldest first, channel by channel."""
        kept = self.kept(*(said(seq) for seq in (3, 1, 5, 4)), said(2, "testing"))
        seqs = {
            "latest": kept.history("gossip", 2),
            "all": kept.history("gossip", 10),
            "before": kept.history("gossip", 2, before=5),
            "after": kept.history("gossip", 2, after=1),
            "between": kept.history("gossip", 10, before=5, after=1),
        }
        self.assertEqual(
            {which: [message.seq for message in messages] for which, messages in seqs.items()},
            {"latest": [4, 5], "all": [1, 3, 4, 5], "before": [3, 4], "after": [3, 4], "between": [3, 4]},
        )
        self.assertEqual(kept.history("testing", 1), [said(2, "testing")])
        self.assertEqual(kept.history("nothing", 1), [])

    def test_find(self) -> None:
        """A message is found by its number; or as the latest one of a player, whose name compares without case."""
        own = [MessageSaid("gossip", seq, ANA, "MyMUD", "Zoë", "Hi", 1000.0 + seq) for seq in (1, 3)]
        others = [
            MessageSaid("gossip", 4, BO, "Other", "Zoë", "Hi", 1004.0),
            MessageSaid("testing", 9, ANA, "MyMUD", "Zoë", "Hi", 1009.0),
            *(MessageSaid("gossip", seq, ANA, "MyMUD", "Bo", "Hi", 1010.0) for seq in range(10, 700)),
        ]
        kept = self.open()
        kept.keep([*own, *others])
        self.assertEqual(kept.find(Numbered("gossip", 3)), [own[1]])
        self.assertEqual(kept.find(Numbered("gossip", 2)), [])
        self.assertEqual(kept.find(Numbered("nothing", 3)), [])
        self.assertEqual(kept.find(LatestOf("gossip", "mymud", "ZOË", 1001.0)), [own[1]])
        self.assertEqual(kept.find(LatestOf("gossip", "MyMUD", "Zoë", 1003.5)), [])
        self.assertEqual(kept.find(LatestOf("gossip", "MyMUD", "Cy", 0.0)), [])
        self.assertEqual(kept.find(LatestOf("gossip", "Other", "Zoë", 0.0)), [others[0]])

    def test_removed(self) -> None:
        """Of a removed message all but the name and the text stays; what is read without removed ones fills up."""
        changes = [said(seq) for seq in (1, 2, 3)], MessagesRemoved((said(2), said(9)), REMOVAL)
        kept = self.kept(*changes[0], said(2, "testing"), changes[1])
        left = emptied(said(2), REMOVAL)
        self.assertEqual((left.name, left.message, left.seq, left.game), ("", "", 2, "MyMUD"))
        self.assertEqual(kept.history("gossip", 10), [said(1), left, said(3)])
        self.assertEqual(kept.history("gossip", 2, removed=False), [said(1), said(3)])
        self.assertEqual(kept.history("gossip", 2, after=1, removed=False), [said(3)])
        self.assertEqual(kept.history("testing", 10), [said(2, "testing")])
        self.assertEqual(kept.latest(["gossip"], 2), [left, said(3)])
        self.assertEqual((kept.find(Numbered("gossip", 2)), kept.find(Numbered("gossip", 3))), ([], [said(3)]))
        self.assertEqual({each.seq for each in kept.said_since(0.0, 10, "gossip")}, {1, 3})
        self.assertEqual(kept.message_figures(["gossip"], 0.0, 10**10), {0: 3})
        known = kept.load()
        self.assertIn(("gossip", 2), known.removals)
        self.assertEqual(known.removals.applied([said(1), said(2)]), [said(1), left])

    def test_removed_twice(self) -> None:
        """The first removal of a message counts."""
        again = MessagesRemoved((said(1),), Removal(1700000010.0, "bo", "Again"))
        kept = self.kept(said(1), MessagesRemoved((said(1),), REMOVAL), again)
        self.assertEqual(kept.history("gossip", 10), [emptied(said(1), REMOVAL)])

    def test_removed_and_reported(self) -> None:
        """Reports of a removed message, open or resolved, no longer quote it; those of others do."""
        other = replace(REPORT, number=8, channel="testing")
        resolved = ReportResolved(9, "ana", 3.5, None)
        made = [ReportMade(each) for each in (REPORT, other, replace(REPORT, number=9))]
        kept = self.kept(*made, resolved, MessagesRemoved((said(REPORT.seq),), REMOVAL))
        quoted = [each.message for each in kept.reports(10, resolved=True)]
        self.assertEqual(quoted, ["[removed: Advertising ☺]", "Hello!", "[removed: Advertising ☺]"])

    def test_removed_expire(self) -> None:
        """Removed messages expire like all others, and their numbers are not given again."""
        kept = self.kept(said(7, said_at=1.0), MessagesRemoved((said(7),), REMOVAL), MessagesExpired(5.0))
        self.assertEqual(kept.history("gossip", 10), [])
        known = kept.load()
        self.assertEqual(known.numbers.next_message("gossip"), 7 + JUMP + 1)
        self.assertNotIn(("gossip", 7), known.removals)

    def test_removed_last(self) -> None:
        """The store knows at the start which were removed last, in the order of their removal."""
        self.patch(queries, "LATEST", 2)
        removed = [MessagesRemoved((said(seq),), replace(REMOVAL, at=float(seq))) for seq in (3, 1, 2)]
        kept = self.kept(*(said(seq) for seq in (1, 2, 3)), *removed)
        self.assertEqual([each.seq for each in kept.load().removals.since(0.0, "gossip".__eq__)], [2, 3])
        self.assertLess(2, LATEST)

    def test_tried_again_after_removal(self) -> None:
        """A message and its removal that are written again, since the first attempt seemed to fail, are there once."""
        kept = self.open()
        execute, tries = statements.execute, []

        def breaks(connection: Connection, changes: list[Change]) -> list[Change]:
            rest = execute(connection, changes)
            tries.append(changes)
            if len(tries) == 1:
                connection.commit()
                raise OperationalError("COMMIT", {}, Exception("the connection is gone"))
            return rest

        self.patch(store, "execute", breaks)
        kept.keep([said(1), MessagesRemoved((said(1),), REMOVAL), said(2)])
        self.assertEqual(len(tries), 2)
        self.assertEqual(kept.history("gossip", 10), [emptied(said(1), REMOVAL), said(2)])

    def test_said_by(self) -> None:
        """What a game or one of its players said lately, without what was removed, is found, the latest first."""
        ana, bo = said(1, said_at=1.0), replace(said(2, said_at=2.0), name="Bo")
        others = replace(said(3, said_at=3.0), game="Other"), said(4, said_at=4.0), said(5, "testing", 5.0)
        kept = self.kept(ana, bo, *others, MessagesRemoved((said(4),), REMOVAL))
        self.assertEqual([each.seq for each in kept.said_by("mymud", 0.0, 10)], [5, 2, 1])
        self.assertEqual([each.seq for each in kept.said_by("MyMUD", 1.5, 1)], [5])
        self.assertEqual(kept.said_by("MyMUD", 1.0, 10, "gossip", lambda name: name == "Ana"), [ana])

    def test_network_speaks(self) -> None:
        """What the network says has no client_id; its channel needs no row of its own."""
        message = MessageSaid("gossip", 2**40, None, "gossip", "system", "Bye", 0.0)
        self.assertEqual(self.kept(message).history("gossip", 1), [message])

    def test_sequences(self) -> None:
        """Numbers go on past the highest that any channel had, though all its messages have expired."""
        changes = said(7, said_at=1.0), said(5, said_at=1.0), said(3, "testing", 9.0), said(2, "testing", 1.0)
        known = self.kept(*changes, MessagesExpired(5.0), said(1, said_at=1.0), MessagesExpired(5.0)).load()
        self.assertEqual({known.numbers.next_message(name) for name in ("gossip", "testing", "new")}, {7 + JUMP + 1})

    def test_numbers_by_the_time(self) -> None:
        """Numbers are above the time, so that none comes back in a database that was lost."""
        numbers = self.open().load(NOW + 3 * 365 * 86400).numbers
        self.assertGreater(numbers.next_message("gossip"), 10**13)
        self.assertGreater(numbers.next_report(), 10**5)

    def test_numbers_are_marked(self) -> None:
        """What a daemon may give is marked, for the next one whose clock and database know nothing of it."""
        kept = self.open()
        first = kept.load(NOW + 3 * 365 * 86400, reserve=True).numbers
        given = [(first.next_message("gossip"), first.next_report()) for _ in range(900)]
        self.assertGreater(kept.load().numbers.next_message("gossip"), given[-1][0])
        self.assertGreater(kept.load().numbers.next_report(), given[-1][1])
        self.assertEqual(kept.load().numbers.next_report(), kept.load().numbers.next_report())

    def test_mark_is_damaged(self) -> None:
        """A mark that cannot be read or written stops nobody."""
        kept = self.open()
        path = Path(self.directory) / mark.FILE
        for written in (b"", b"[]", b'{"message":-1}', b'{"message":1e99}', b"\xff"):
            path.write_bytes(written)
            self.assertEqual(kept.load().numbers.next_message("gossip"), JUMP + 1)
        path.unlink()
        path.mkdir()
        self.assertEqual(kept.load(reserve=True).numbers.next_message("gossip"), JUMP + 1)

    def test_directory_is_made(self) -> None:
        """The data directory is made, for its owner only, whichever the database is."""
        self.create()
        self.assertEqual(stat.S_IMODE(Path(self.directory).stat().st_mode), 0o700)

    def test_expiry(self) -> None:
        """Messages from before a time are dropped, others stay."""
        kept = self.kept(said(1, said_at=1.0), said(2, said_at=2.0), said(3, said_at=3.0), MessagesExpired(2.0))
        self.assertEqual([message.seq for message in kept.history("gossip", 10)], [2, 3])

    def test_expiry_in_batches(self) -> None:
        """Many old messages are dropped in several transactions: each tells what is left to do."""
        self.patch(statements, "EXPIRING", 2)
        kept = self.kept(*(said(seq, said_at=seq) for seq in range(1, 6)))
        rest = kept.keep([MessagesExpired(4.5), MessagesExpired(1.5)])
        self.assertEqual((rest, len(kept.history("gossip", 10))), ([MessagesExpired(4.5)], 3))
        rest = kept.keep(rest)
        self.assertEqual((rest, len(kept.history("gossip", 10))), ([MessagesExpired(4.5)], 1))
        self.assertEqual(kept.keep(rest), [])
        kept.apply(MessagesExpired(9.0))
        self.assertEqual(kept.history("gossip", 10), [])

    def test_player_counts(self) -> None:
        """Counts come back for a game, or as the sum of all; counted twice at one time, the latter counts."""
        kept = self.kept(
            PlayersCounted(900.0, ((ANA, 3), (BO, 4))),
            PlayersCounted(1800.0, ((BO, 1),)),
            PlayersCounted(1800.0, ((BO, 2),)),
            PlayersCounted(2700.0, ()),
        )
        self.assertEqual(kept.player_figures([ANA, BO], 0, 1), {900: 7, 1800: 2})
        self.assertEqual(kept.player_figures([ANA], 0, 1), {900: 3})
        self.assertEqual(kept.player_figures([ANA, BO], 901, 1), {1800: 2})

    def test_old_player_counts(self) -> None:
        """Old counts are dropped, many of them in several transactions."""
        self.patch(statements, "_EXPIRING_TIMES", 2)
        kept = self.kept(*(PlayersCounted(at, ((ANA, 1), (BO, 2))) for at in (1.0, 2.0, 3.0, 4.0)))
        rest = kept.keep([PlayerCountsExpired(3.5), PlayerCountsExpired(1.5)])
        self.assertEqual((rest, kept.player_figures([ANA, BO], 0, 1)), ([PlayerCountsExpired(3.5)], {3: 3, 4: 3}))
        self.assertEqual((kept.keep(rest), kept.player_figures([ANA, BO], 0, 1)), ([], {4: 3}))

    def test_restrictions(self) -> None:
        """Mutes and bans come back as they were set last, but for those that were lifted or are over."""
        first = Restriction(kind="mute", subject=ANA, channel="gossip", reason="Before", set_by="bo", set_at=0.0)
        everywhere = Restriction(kind="mute", subject=ANA, reason="So", set_by="ana", set_at=0.5)
        other = Restriction(kind="ban", subject="192.0.2.1", until=5.0, reason="So", set_by="ana", set_at=0.5)
        set_all = [RestrictionSet(each) for each in (first, MUTE, everywhere, BAN, other)]
        kept = self.kept(*set_all, RestrictionLifted("mute", ANA, ""), RestrictionLifted("ban", ANA, "gossip"))
        known = kept.load()
        self.assertEqual(known.mutes, {(ANA, "gossip"): MUTE})
        self.assertEqual(known.bans, {(BAN.subject, ""): BAN, ("192.0.2.1", ""): other})
        kept.apply(RestrictionsExpired(5.0))
        self.assertEqual(kept.load().bans, {(BAN.subject, ""): BAN})
        self.assertEqual(kept.load().mutes, {(ANA, "gossip"): MUTE})

    def test_restrictions_of_a_removed_game(self) -> None:
        """Removing a game removes its restrictions and those of its players; others stay."""
        changes = GameSaved(GAME), GameSaved(OTHER), RestrictionSet(MUTE), RestrictionSet(BAN), GameRemoved(BO)
        known = self.kept(*changes).load()
        self.assertEqual((known.mutes, known.bans), ({(ANA, "gossip"): MUTE}, {}))

    def test_filters(self) -> None:
        """Filters come back as they were saved last, but for the removed ones."""
        first = Filter(text="darn", channel="gossip", reason="Before", set_by="ana", set_at=0.0)
        gone = Filter(text="darn", reason="Gone", set_by="ana", set_at=0.0)
        changes = FilterSaved(first), FilterSaved(gone), FilterSaved(FILTER), FilterRemoved("darn", "")
        self.assertEqual(self.kept(*changes).load().filters.kept, {("darn", "gossip"): FILTER})

    def test_report_of_a_removed_message(self) -> None:
        """A report that was on its way when its message was removed does not quote it, in memory nor on disk."""
        made = ReportMade(REPORT)
        kept = self.kept(said(REPORT.seq), MessagesRemoved((said(REPORT.seq),), REMOVAL), made)
        text = stands_for(REMOVAL.reason)
        self.assertEqual([each.message for each in kept.reports(10)], [text])
        known = kept.load()
        known.enact(made)
        self.assertEqual(known.reports[REPORT.number].message, text)

    def test_reports(self) -> None:
        """Open complaints come back, and numbers go on; resolved ones are listed too."""
        resolved = Report(**{**asdict(REPORT), "number": 9, "resolved_by": "bo", "resolved_at": 3.5, "resolution": "x"})
        other = Report(**{**asdict(REPORT), "number": 9})
        kept = self.kept(ReportMade(REPORT), ReportMade(other), ReportResolved(9, "bo", 3.5, "x"))
        known = kept.load()
        self.assertEqual((known.reports, known.numbers.next_report()), ({7: REPORT}, 10))
        self.assertEqual(kept.reports(10), [REPORT])
        self.assertEqual(kept.reports(10, resolved=True), [resolved, REPORT])
        self.assertEqual(kept.reports(1, resolved=True), [resolved])

    def test_audit(self) -> None:
        """What admins did is kept with the change, the latest is shown first; what is kept twice is there once."""
        entries = [
            AuditEntry(f"key{at}", float(at), "unix:ana", "mute/add", "Ana", '{"who":"Ana"}') for at in (1, 2, 3)
        ]
        set_both = Audited(entries[0], RestrictionSet(MUTE)), Audited(entries[1], RestrictionSet(BAN))
        kept = self.kept(*set_both, Audited(entries[1], RestrictionSet(BAN)), Audited(entries[2], None))
        self.assertEqual(kept.audit(10), entries[::-1])
        self.assertEqual((kept.audit(1), kept.audit(10, Entries(before=3.0))), ([entries[2]], [entries[1], entries[0]]))
        self.assertEqual(len(kept.load().mutes) + len(kept.load().bans), 2)

    def test_audit_sought(self) -> None:
        """Entries are found by their admin, by a text in them, and by their time; nothing in a text is a pattern."""
        made = [
            AuditEntry("1", 1.0, "unix:ana", "mute/add", "Bo@MyMUD", '{"who":"Bo@MyMUD","reason":"100% spam"}'),
            AuditEntry("2", 2.0, "Boss", "ban/add", "Zoë", '{"who":"Zoë"}'),
            AuditEntry("3", 3.0, "Boss", "mute/add", "MyMUD", '{"who":"MyMUD"}'),
        ]
        kept = self.kept(*(Audited(entry, None) for entry in made))
        for sought, found in (
            (Entries(actor="BOSS"), "32"),
            (Entries(actor="bos"), ""),
            (Entries(about="mymud"), "31"),
            (Entries(about="mute/"), "31"),
            (Entries(about="100%"), "1"),
            (Entries(about="1%s"), ""),
            (Entries(about="m_te"), ""),
            (Entries(about="Zoë"), "2"),
            (Entries(since=2.0), "32"),
            (Entries(since=2.0, before=3.0), "2"),
            (Entries("Boss", "mymud", 1.0, 9.0), "3"),
        ):
            self.assertEqual("".join(entry.key for entry in kept.audit(10, sought)), found, sought)

    def test_audit_of(self) -> None:
        """Entries about some operations are read page by page: by time, those of one moment by their keys."""
        entries = [
            AuditEntry(f"key{number}", at, "unix:ana", operation, "Ana", "{}")
            for number, at, operation in (
                (1, 1.25, "mute/add"),
                (2, 1.25, "game/add"),
                (3, 1.25, "mute/add"),
                (4, 1.25, "ban/add"),
                (5, 0.5, "ban/add"),
            )
        ]
        kept = self.kept(*(Audited(entry, None) for entry in entries))
        read, before = [], None
        for _ in range(4):
            for entry in kept.audit_of(("mute/add", "ban/add"), 1, before):
                read.append(entry.key)
                before = entry.at, entry.key
        self.assertEqual(read, ["key4", "key3", "key1", "key5"])
        self.assertEqual(kept.audit_of(("mute/add",), 10), [entries[2], entries[0]])
        self.assertEqual(kept.audit_of((), 10), [])

    def test_audit_and_change_together(self) -> None:
        """A change that fails leaves no note, and a note that fails no change."""
        kept = self.open()
        good, bad = AuditEntry("key", 1.0, "a", "b", "c", "{}"), AuditEntry("key", 1.0, "\0", "b", "c", "{}")
        for change in (Audited(good, ChannelSaved(Channel("\0"))), Audited(bad, ChannelSaved(Channel("gossip")))):
            self.assertRaises(StoreError, kept.apply, change)
        self.assertEqual((kept.audit(10), kept.load().channels), ([], {}))

    def test_old_audit(self) -> None:
        """Old notes are dropped, many of them in several transactions; so are complaints that were resolved then."""
        self.patch(statements, "EXPIRING", 2)
        notes = [Audited(AuditEntry(f"key{at}", float(at), "a", "b", "c", "{}"), None) for at in range(1, 5)]
        kept = self.kept(*notes, ReportMade(REPORT), ReportResolved(7, "bo", 3.0, None))
        rest = kept.keep([AuditExpired(3.5)])
        self.assertEqual((rest, len(kept.audit(10)), kept.reports(10, resolved=True)), ([AuditExpired(3.5)], 2, []))
        self.assertEqual((kept.keep(rest), [entry.at for entry in kept.audit(10)]), ([], [4.0]))

    def test_said_since(self) -> None:
        """What was said of late is read from its end, on one channel or on all."""
        kept = self.kept(said(1, said_at=1.0), said(2, said_at=2.0), said(1, "testing", 3.0))
        self.assertEqual(kept.said_since(2.0, 10), [said(1, "testing", 3.0), said(2, said_at=2.0)])
        self.assertEqual(kept.said_since(0.0, 1), [said(1, "testing", 3.0)])
        self.assertEqual(kept.said_since(0.0, 1, "gossip"), [said(2, said_at=2.0)])

    def test_owner(self) -> None:
        """A game comes back with its owner, or without."""
        owned = replace(GAME, owner="Ana")
        kept = self.kept(GameSaved(GAME), GameSaved(owned))
        self.assertEqual(kept.load().games, {ANA: owned})
        kept.apply(GameSaved(GAME))
        self.assertEqual(kept.load().games, {ANA: GAME})

    def test_accounts(self) -> None:
        """Accounts come back as they were saved last."""
        bare = Account(name="bo-2_x")
        first = Account(name="Ana", password="before", created_at=ACCOUNT.created_at)
        known = self.kept(AccountSaved(first), AccountSaved(bare), AccountSaved(ACCOUNT)).load()
        self.assertEqual(known.accounts.all, {"ana": ACCOUNT, "bo-2_x": bare})
        self.assertEqual(known.accounts.tickets, {})

    def test_account_names_are_unique(self) -> None:
        """Two accounts never share a name, whatever the case; what was there before stays."""
        kept = self.kept(AccountSaved(ACCOUNT))
        self.assertRaises(StoreError, kept.apply, AccountSaved(Account(name="ANA")))
        self.assertEqual(kept.load().accounts.all, {"ana": ACCOUNT})

    def test_account_removed(self) -> None:
        """Removing an account removes its tickets and no others; a new account of that name has none."""
        other = replace(VISIT, digest=b"other", account="Bo")
        changes = [AccountSaved(ACCOUNT), AccountSaved(Account(name="Bo"))]
        issued = [TicketIssued(each) for each in (VISIT, TOKEN, INVITE, other)]
        known = self.kept(*changes, *issued, AccountRemoved("Ana"), AccountSaved(Account(name="Ana"))).load()
        self.assertEqual(known.accounts.all, {"ana": Account(name="Ana"), "bo": Account(name="Bo")})
        self.assertEqual(known.accounts.tickets, {each.digest: each for each in (INVITE, other)})

    def test_tickets(self) -> None:
        """Tickets come back as they were issued, but for the revoked ones; none is known by its secret."""
        issued = [TicketIssued(each) for each in (VISIT, TOKEN, INVITE)]
        kept = self.kept(
            AccountSaved(ACCOUNT), *issued, TicketsRevoked((TOKEN.digest, b"nobody's")), TicketsRevoked(())
        )
        self.assertEqual(kept.load().accounts.tickets, {each.digest: each for each in (VISIT, INVITE)})

    def test_old_tickets(self) -> None:
        """Tickets that ended are dropped, and those that never do stay."""
        kept = self.kept(*(TicketIssued(each) for each in (VISIT, TOKEN, INVITE)), TicketsExpired(1234.0))
        self.assertEqual(len(kept.load().accounts.tickets), 3)
        kept.keep([TicketsExpired(1.0), TicketsExpired(1234.5)])
        self.assertEqual(kept.load().accounts.tickets, {each.digest: each for each in (TOKEN, INVITE)})

    def test_tastes(self) -> None:
        """What somebody wants to see of the talk is kept, replaced, and goes with the account."""
        tastes = Tastes("Ana", ("zoë@mymud", "other"), undisturbed=True)
        kept = self.kept(AccountSaved(ACCOUNT), TastesSaved(Tastes("Ana", ("x",))), TastesSaved(tastes))
        self.assertEqual(kept.load().accounts.tastes, {"ana": tastes})
        kept.apply(AccountRemoved("Ana"))
        self.assertEqual(kept.load().accounts.tastes, {})

    def test_together(self) -> None:
        """What belongs together is kept all, in its order, or none of it: not its note either, nor what is inside."""
        kept = self.open()
        kept.apply(Together((AccountSaved(ACCOUNT), TicketIssued(VISIT), Together((TicketIssued(TOKEN),)))))
        kept.apply(Together((TicketsRevoked((VISIT.digest,)), TicketIssued(INVITE))))
        known = kept.load().accounts
        self.assertEqual((known.all, [*known.tickets]), ({"ana": ACCOUNT}, [TOKEN.digest, INVITE.digest]))
        note = AuditEntry("key", 1.0, "ana", "account/add", "Bo", "{}")
        bad = Together((AccountSaved(Account(name="Bo")), Together((TicketIssued(replace(VISIT, label="\0")),))))
        for change in (bad, Audited(note, bad)):
            self.assertRaises(StoreError, kept.apply, change)
        self.assertEqual((kept.load().accounts.all, kept.audit(10)), ({"ana": ACCOUNT}, []))
        kept.apply(Audited(note, Together((GameSaved(GAME), AccountRemoved("Ana")))))
        known = kept.load().accounts
        self.assertEqual((known.all, [*known.tickets], kept.audit(10)), ({}, [INVITE.digest], [note]))

    def test_all_or_none(self) -> None:
        """Changes that are kept together are kept all or none."""
        kept = self.open()
        with self.assertRaises(IntegrityError):
            kept.keep([ChannelSaved(Channel("gossip")), said(1), said(1)])
        self.assertEqual(kept.load().channels, {})
        self.assertEqual(kept.history("gossip", 10), [])

    def test_order(self) -> None:
        """Changes of different kinds are carried out in their order."""
        kept = self.open()
        kept.keep([GameSaved(GAME), GameRemoved(ANA), GameSaved(OTHER), AchievementKept(BO, ACHIEVEMENT)])
        kept.keep([AchievementDropped(BO, ACHIEVEMENT.key), AchievementKept(BO, ACHIEVEMENT), said(1)])
        self.assertEqual(list(kept.load().games), [BO])
        self.assertEqual(list(kept.load().achievements[BO]), [ACHIEVEMENT.key])

    def test_nul(self) -> None:
        """A text with a NUL in it is refused by both databases, since one cannot hold it."""
        kept = self.kept(GameSaved(GAME))
        changes: list[Change] = [
            said(1, message="\0"),
            ChannelSaved(Channel("gossip", description="a\0")),
            AchievementKept(ANA, AchievementOf(key="key", title="\0a")),
            GameSeen(ANA, "\0", "1.0.0"),
            ReportResolved(1, "ana", 1.0, "\0"),
            AccountSaved(Account(name="Ana", email="\0")),
            TicketIssued(replace(VISIT, label="\0")),
        ]
        for change in changes:
            with self.assertRaises(StoreError):
                kept.apply(change)

    def test_texts(self) -> None:
        """Every other text comes back as it was."""
        kept = self.kept(GameSaved(GAME))
        numbers = iter(range(1, 10**6))

        @examples(50)
        @given(TEXTS, TEXTS)
        def comes_back(one: str, other: str) -> None:
            message = MessageSaid("gossip", next(numbers), None, one, other, one + other, 0.0)
            achievement = AchievementOf(key="key", title=one, description=other)
            kept.keep([message, AchievementKept(ANA, achievement)])
            self.assertEqual(kept.history("gossip", 1), [message])
            self.assertEqual(kept.load().achievements[ANA]["key"], achievement)

        comes_back()

    def test_lost_word(self) -> None:
        """A change committed just before the connection broke counts as kept, and is stored once."""
        kept = self.open()
        tries = []

        def breaks(connection: Connection, changes: list[Change]) -> list[Change]:
            tries.append(changes)
            rest = statements.execute(connection, changes)
            if len(tries) == 1:
                transaction = connection.get_transaction()
                assert transaction is not None
                transaction.commit()
                raise OperationalError("COMMIT", {}, Exception("the connection is gone"))
            return rest

        self.patch(store, "execute", breaks)
        kept.keep([said(1), ChannelSaved(Channel("gossip")), said(2)])
        self.assertEqual(tries[1], [ChannelSaved(Channel("gossip"))])
        self.assertEqual(kept.history("gossip", 10), [said(1), said(2)])

    def test_away(self) -> None:
        """A database that is away twice is a StoreError."""
        kept = self.open()

        def fails(connection: Connection, changes: list[Change]) -> list[Change]:
            raise OperationalError("INSERT", {}, Exception("disk full\nDETAIL: secret"))

        self.patch(store, "execute", fails)
        error = self.assertRaises(StoreError, kept.keep, [said(1)])
        self.assertEqual(str(error), f"{kept.name}: disk full")

    def test_one_daemon_one_store(self) -> None:
        """A second daemon is told the pid of the first; once the first is gone, it can open the store."""
        first = self.open()
        error = self.assertRaises(StoreInUse, Store.open, self.url, self.directory)
        self.assertEqual(str(error), f"another daemon (pid {os.getpid()}) uses {first.name}")
        first.close()
        self.open()

    # The schema.

    def differences(self) -> list[object]:
        """How the schema on disk differs from the tables."""
        with self.database().connect() as connection:
            options = {"version_table": schema.VERSION_TABLE, "compare_type": True, "compare_server_default": True}
            found = list(compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata))
        # SQLAlchemy cannot look at an SQLite index on lower(name), and says so: see test_schema_exactly.
        self.flushWarnings()
        return found

    def test_schema(self) -> None:
        """The migrations lead to the tables."""
        self.open().close()
        self.assertEqual(self.differences(), [])

    def opened(self) -> Store:
        """The store as the daemon opens it."""
        opened = Store.open(self.url, self.directory, BUILT_IN)
        self.addCleanup(opened.close)
        return opened

    def test_built_in(self) -> None:
        """A new store has the channels that are built in; those that were removed do not come back."""
        new = self.opened()
        expected = {change.channel.name: change.channel for change in BUILT_IN if isinstance(change, ChannelSaved)}
        self.assertEqual(set(expected), {"gossip", "testing"})
        self.assertEqual(new.load().channels, expected)
        new.apply(ChannelsRemoved(("testing",)))
        new.apply(ChannelSaved(Channel("gossip", hidden=True)))
        new.close()
        self.assertEqual(self.opened().load().channels, {"gossip": Channel("gossip", hidden=True)})

    def test_nothing_built_in(self) -> None:
        """A store that exists gets none of them, even if it is empty, and if it is upgraded."""
        self.open().close()
        opened = self.opened()
        self.assertEqual(opened.load().channels, {})
        opened.close()
        one_revision_later(self, "    pass\n")
        self.assertEqual(self.opened().load().channels, {})
        self.flushWarnings()

    def test_failed_beginning(self) -> None:
        """A store that could not be made is made as a new one the next time."""
        self.patch(schema, "execute", lambda connection, first: 1 / 0)
        self.assertRaises(ZeroDivisionError, self.opened)
        self.patch(schema, "execute", statements.execute)
        self.assertEqual(set(self.opened().load().channels), {"gossip", "testing"})

    def test_upgrade(self) -> None:
        """An upgrade that rebuilds a table loses nothing, not even what hangs on its rows."""
        self.kept(GameSaved(GAME), AchievementKept(ANA, ACHIEVEMENT), said(1)).close()
        one_revision_later(
            self,
            "    with op.batch_alter_table('games', recreate='always') as games:\n"
            "        games.drop_column('seen_version')\n"
            "    op.add_column('games', sa.Column('seen_version', sa.Text()))\n"
            if self.url is None
            else "    op.add_column('games', sa.Column('later', sa.Text()))\n    op.drop_column('games', 'later')\n",
        )
        known = self.open().load()
        self.flushWarnings()
        self.assertEqual((known.games, known.achievements), ({ANA: GAME}, {ANA: {ACHIEVEMENT.key: ACHIEVEMENT}}))

    def test_online(self) -> None:
        """Which games are online comes back, with what their sessions had; changes of a game do not touch it."""
        come = GameOnline(ANA, ("channels", "tells"), ("gossip", "testing"), NOW + 0.5)
        kept = self.kept(GameSaved(GAME), GameSaved(OTHER), come, GameOnline(BO, ("channels",), ()))
        kept.apply(GameOffline(BO, NOW + 0.25))
        kept.apply(GameSaved(GAME))
        kept.apply(GameSaved(OTHER))
        known = kept.load()
        self.assertEqual((known.online, known.last_seen), ({ANA: come}, {BO: NOW + 0.25}))
        kept.apply(GameRemoved(ANA))
        kept.apply(come)
        self.assertEqual(kept.load().online, {})

    def test_last(self) -> None:
        """When each channel had its last message comes back, and when the daemon is known to have run last."""
        kept = self.kept(*map(ChannelSaved, (Channel("gossip"), Channel("testing"))), said(1), said(2))
        known = kept.load()
        self.assertEqual((known.last_said, known.last_alive), ({"gossip": said(2).said_at}, said(2).said_at))
        kept.apply(PlayersCounted(said(2).said_at + 900, ((ANA, 3),)))
        self.assertEqual(kept.load().last_alive, said(2).said_at + 900)

    def test_described(self) -> None:
        """Who described a channel comes back, and when."""
        channel = Channel("gossip", description="All talk", described_by="Boss", described_at=NOW + 0.5)
        self.assertEqual(self.kept(ChannelSaved(channel)).load().channels, {"gossip": channel})

    def test_unused_channels(self) -> None:
        """Since when channels are unused, and which were removed, comes back; numbers go on where they were."""
        channels = [Channel("one"), Channel("two", kept=True), Channel("three")]
        kept = self.kept(*map(ChannelSaved, channels), said(7))
        kept.apply(ChannelsUnused(("one", "three", "unknown"), NOW + 0.5))
        kept.apply(ChannelsUnused(("three",), None))
        loaded = kept.load().channels
        self.assertEqual(
            loaded, {**{each.name: each for each in channels}, "one": Channel("one", unused_since=NOW + 0.5)}
        )
        kept.apply(ChannelsRemoved(("one", "gossip", "unknown")))
        known = kept.load()
        self.assertEqual(set(known.channels), {"two", "three"})
        self.assertGreater(known.numbers.next_message("gossip"), 7)

    def test_uses_of_secrets(self) -> None:
        """Secrets come back with what they are for; those from before uses were known are client secrets."""
        secrets = (*GAME.secrets, Secret(b"imc2", use="imc2", clear="key"))
        kept = self.kept(GameSaved(replace(GAME, secrets=secrets)))
        self.assertEqual(kept.load().games[ANA].secrets, secrets)
        kept.apply(GameSaved(GAME))
        kept.close()
        with self.database().begin() as connection:
            for table in (
                "tastes",
                "i3_links",
                "i3_identities",
                "nodes",
                "positions",
                "engine",
                "node_sessions",
                "indexed_blocks",
                "indexed_words",
            ):
                connection.execute(text(f"DROP TABLE {table}"))
            if connection.dialect.name == "postgresql":
                connection.execute(text("DROP SEQUENCE numbers"))
            connection.execute(text("DROP INDEX ix_messages_removed_at"))
            connection.execute(text("ALTER TABLE messages DROP COLUMN removed_at"))
            for table, column in (
                ("games", "language"),
                ("secrets", "clear"),
                ("games", "last_seen_at"),
                ("games", "online"),
                ("channels", "moderators"),
                ("channels", "described_by"),
                ("channels", "described_at"),
                ("channels", "kept"),
                ("channels", "unused_since"),
                ("secrets", "use"),
                ("messages", "removed_by"),
                ("messages", "removed_reason"),
            ):
                connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
            connection.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '0003'"))
        self.assertEqual(self.open().load().games, {ANA: replace(GAME, language=None)})
        self.assertEqual(self.differences(), [])

    def test_failed_upgrade(self) -> None:
        """A migration that fails is told and leaves everything as it was; nobody keeps the lock."""
        self.kept(GameSaved(GAME)).close()
        released = schema.configuration
        one_revision_later(self, "    op.drop_table('channels')\n    op.execute('SELECT nothing FROM nowhere')\n")
        self.assertRaises(StoreError, Store.open, self.url, self.directory)
        self.patch(schema, "configuration", released)
        self.assertEqual(self.open().load().games, {ANA: GAME})

    def test_newer_schema(self) -> None:
        """What a newer version used is left alone."""
        self.open().close()
        with self.database().begin() as connection:
            connection.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))
        error = self.assertRaises(StoreError, Store.open, self.url, self.directory)
        self.assertIn("newer version of gossip (its schema is 9999", str(error))

    def test_foreign_database(self) -> None:
        """The database of another program is left alone."""
        if self.url is None:
            Path(self.directory).mkdir()
        with self.database().begin() as connection:
            connection.execute(text("CREATE TABLE recipes (name TEXT)"))
        error = self.assertRaises(StoreError, Store.open, self.url, self.directory)
        self.assertIn("belongs to another program", str(error))

    def test_damaged_connections(self) -> None:
        """What somebody else wrote into the database, and wrongly, is a StoreError."""
        kept = self.kept(GameSaved(GAME))
        with self.database().begin() as connection:
            connection.execute(text('UPDATE games SET connections = \'[{"type": "carrier pigeon"}]\''))
        self.assertRaises(StoreError, kept.load)


class FiguresTests(OnDatabase):
    """Figures and last lines."""

    def test_players(self) -> None:
        """The players of some games are added up, and of each span the most at one time is told."""
        store = self.open()
        for minutes, counts in ((0, (3, 4)), (15, (5, 1)), (59, (2, 2)), (60, (1, 0))):
            both = tuple((uuid(number), count) for number, count in enumerate(counts, 1))
            store.apply(PlayersCounted(NOW + minutes * 60, (*both, (uuid(9), 100))))
        start = int(NOW)
        ours = [uuid(1), uuid(2)]
        self.assertEqual(store.player_figures(ours, NOW, HOUR), {start: 7, start + HOUR: 1})
        self.assertEqual(store.player_figures(ours, NOW + 1, HOUR), {start: 6, start + HOUR: 1})
        self.assertEqual(
            store.player_figures_each(ours, NOW, HOUR),
            {uuid(1): {start: 5, start + HOUR: 1}, uuid(2): {start: 4, start + HOUR: 0}},
        )
        self.assertEqual((store.player_figures([], NOW, HOUR), store.player_figures_each([], NOW, HOUR)), ({}, {}))

    def test_players_of_all(self) -> None:
        """The players of all games are those of games that show them: not hidden, not disabled, not removed."""
        store = self.open()
        different: list[dict[str, Any]] = [{}, {"hidden": True}, {"disabled": True}, {"hides_players": True}, {}]
        for number, values in enumerate(different, 1):
            game = Game(client_id=uuid(number), short_name=f"G{number}", name=f"G{number}", secrets=(), **values)
            store.apply(GameSaved(game))
        counts = tuple((uuid(number), 10**number) for number in range(1, 7))
        store.apply(PlayersCounted(NOW, counts))
        self.assertEqual(store.player_figures(None, NOW, HOUR), {int(NOW): 10 + 10**5})

    def test_messages_of_all(self) -> None:
        """The messages of all channels are those of the channels that are not hidden."""
        store = self.open()
        for channel in (Channel("gossip", hidden=False), Channel("secret"), Channel("open", hidden=False)):
            store.apply(ChannelSaved(channel))
            store.apply(MessageSaid(channel.name, 1, uuid(1), "Alpha", "Ana", "hello", NOW))
        self.assertEqual([said.channel for said in store.latest(None, 9)], ["gossip", "open"])
        self.assertEqual(store.message_figures(None, NOW, HOUR), {int(NOW): 2})

    def test_messages_by_game(self) -> None:
        """The messages of each game on channels that are not hidden are counted, without old and removed ones."""
        store = self.open()
        for channel in (Channel("gossip", hidden=False), Channel("secret")):
            store.apply(ChannelSaved(channel))
        for seq, (channel_name, number, after) in enumerate(
            (("gossip", 1, 0.0), ("gossip", 1, 9.0), ("gossip", 2, 9.0), ("gossip", 2, -1.0), ("secret", 3, 9.0)), 1
        ):
            store.apply(MessageSaid(channel_name, seq, uuid(number), "A", "Ana", "hello", NOW + after))
        store.apply(MessageSaid("gossip", 9, None, "gossip", "Boss", "hello", NOW))
        self.assertEqual(store.messages_by_game(NOW), {uuid(1): 2, uuid(2): 1})
        removed = MessageSaid("gossip", 1, uuid(1), "A", "Ana", "hello", NOW)
        store.apply(MessagesRemoved((removed,), REMOVAL))
        self.assertEqual(store.messages_by_game(NOW), {uuid(1): 1, uuid(2): 1})

    def test_messages(self) -> None:
        """Messages are counted by spans, and the last ones told, of the channels that are asked for."""
        store = self.open()
        for seq, after in enumerate((0.0, 0.5, 3599.9, 3600.0, 9000.0), 1):
            for channel in ("gossip", "secret"):
                store.apply(MessageSaid(channel, seq, uuid(1), "Alpha", "Ana", f"{seq}", NOW + after))
        start = int(NOW)
        counted = store.message_figures(["gossip"], NOW, HOUR)
        self.assertEqual(counted, {start: 3, start + HOUR: 1, start + 2 * HOUR: 1})
        self.assertEqual([said.seq for said in store.latest(["gossip"], 2)], [4, 5])
        self.assertEqual(
            [said.channel for said in store.latest(["gossip", "secret"], 3)], ["secret", "gossip", "secret"]
        )
        self.assertEqual(store.latest([], 3), [])


HOUR = 3600
