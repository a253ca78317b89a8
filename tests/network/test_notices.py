"""Notices of mutes and bans: L{gossip.network.notices}."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.outputs import Close, Send
from gossip.protocol import frames
from gossip.protocol.server_events import Failure, ModerationNotice
from gossip.protocol.text import timestamp
from gossip.registry.changes import Audited, Change, RestrictionLifted, RestrictionSet, RestrictionsExpired, Together
from gossip.registry.entities import AuditEntry, Restriction
from gossip.registry.restrictions import player_of
from tests.support.world import NOW, World, at, ref, sent

UNTIL = "2023-11-14T23:00:00Z"


class NoticesTests(SynchronousTestCase):
    """moderation/notice."""

    def setUp(self) -> None:
        self.world = World()
        self.alpha = self.world.client_id("Alpha")
        self.told = self.world.join("Alpha", extensions=["moderation"], players=["Ana"])
        self.also = self.world.join("Alpha", extensions=["directory", "moderation"])
        self.world.join("Alpha", extensions=["directory"])
        self.world.join("Alpha", supports=["channels", "history"])
        self.world.join("Beta", extensions=["moderation"])
        self.world.made = 0
        self.mute = Restriction(
            kind="mute", subject=player_of(self.alpha, "Ana"), reason="shouting", set_by="Root", set_at=NOW
        )

    def learn(self, *changes: Change, now: float = NOW) -> Any:
        """Something changes, at once; what the network wants done."""
        change = changes[0] if len(changes) == 1 else Together(changes)
        return self.world.network.learned(Audited(AuditEntry("k", now, "Root", "x", "", "{}"), change), at(now))

    def notices(self, number: int, *fields: Any) -> list[Send]:
        """The outputs of a notice to both sessions that want it."""
        notice = ModerationNotice(ref(number), *fields)
        return [Send(session, notice) for session in (self.told, self.also)]

    def lifted(self, restriction: Restriction) -> RestrictionLifted:
        return RestrictionLifted(restriction.kind, restriction.subject, restriction.channel)

    def test_frame(self) -> None:
        """The frame has five keys, whatever they are."""
        notice = ModerationNotice(ref(1), "mute", "Ana", None, "shouting", UNTIL)
        payload = b'{"kind":"mute","name":"Ana","channel":null,"reason":"shouting","until":"2023-11-14T23:00:00Z"}'
        self.assertEqual(
            frames.encode(notice), [b'{"event":"moderation/notice","ref":%b,"payload":%b}' % (ref(1), payload)]
        )

    def test_mute(self) -> None:
        """The sessions of the game that want to know are told of a mute, its change and its end, each once."""
        self.assertEqual(self.learn(RestrictionSet(self.mute)), self.notices(1, "mute", "Ana", None, "shouting", None))
        changed = replace(self.mute, channel="gossip", until=NOW + 3600)
        self.assertEqual(
            self.learn(RestrictionSet(changed)), self.notices(2, "mute", "Ana", "gossip", "shouting", UNTIL)
        )
        self.assertEqual(self.learn(self.lifted(changed)), self.notices(3, "lifted", "Ana", "gossip", "shouting", None))
        self.assertEqual(self.learn(self.lifted(changed)), [])
        self.assertEqual(self.learn(self.lifted(self.mute)), self.notices(4, "lifted", "Ana", None, "shouting", None))

    def test_name(self) -> None:
        """A player that the game does not list has the name in lower case; a whole game has none."""
        other = replace(self.mute, subject=player_of(self.alpha, "Bo Derek"))
        self.assertEqual(self.learn(RestrictionSet(other)), self.notices(1, "mute", "bo derek", None, "shouting", None))
        game = replace(self.mute, subject=self.alpha)
        self.assertEqual(self.learn(RestrictionSet(game)), self.notices(2, "mute", None, None, "shouting", None))

    def test_ban(self) -> None:
        """A game that is banned gets its notice before it loses its sessions."""
        outputs = self.learn(RestrictionSet(replace(self.mute, kind="ban", subject=self.alpha)))
        self.assertEqual(outputs[:2], self.notices(1, "ban", None, None, "shouting", None))
        of_one = [each for each in outputs if each.session is self.told]
        self.assertEqual([type(each) for each in of_one], [Send, Send, Close])
        self.assertIsInstance(of_one[1].event, Failure)

    def test_nobody(self) -> None:
        """A restriction of an address, of somebody on the pages or of a game that is away is no notice."""
        for subject in ("192.0.2.1", "192.0.2.0/24", "ana@gossip", player_of(self.world.client_id("Gamma"), "Ana")):
            restriction = replace(self.mute, subject=subject, until=NOW + 1, channel="gossip")
            self.assertEqual(self.learn(RestrictionSet(restriction)), [], subject)
            self.assertEqual(self.world.network.tick(at(NOW + 1)), [], subject)
            self.assertEqual(self.learn(self.lifted(restriction)), [], subject)
        self.assertEqual(self.world.made, 0)

    def test_replaced(self) -> None:
        """What a new mute replaces, for example one of a name that looks alike, does not end."""
        older = replace(self.mute, subject=player_of(self.alpha, "Anä"))
        self.learn(RestrictionSet(older))
        self.assertEqual(
            self.learn(self.lifted(older), RestrictionSet(self.mute)),
            self.notices(2, "mute", "Ana", None, "shouting", None),
        )

    def test_other_goes_on(self) -> None:
        """When a mute ends and a ban of the same player goes on, the game is told of that again; the other way too."""
        ban = replace(self.mute, kind="ban", reason="spam")
        self.learn(RestrictionSet(self.mute))
        self.learn(RestrictionSet(ban))
        self.assertEqual(
            self.learn(self.lifted(self.mute)),
            [
                *self.notices(3, "lifted", "Ana", None, "shouting", None),
                *self.notices(4, "ban", "Ana", None, "spam", None),
            ],
        )

    def expire(self, now: float) -> Any:
        """A second goes by; what sessions are told, without beats."""
        outputs = self.world.network.tick(at(now))
        return [each for each in outputs if isinstance(each, Send) and isinstance(each.event, ModerationNotice)]

    def test_expiry(self) -> None:
        """What ends by itself is told in that second, once: neither again when it is deleted, nor when it is lifted."""
        mute = replace(self.mute, until=NOW + 60)
        self.learn(RestrictionSet(mute))
        self.assertEqual(self.expire(NOW + 59.9), [])
        told = self.expire(NOW + 60)
        self.assertEqual(told, self.notices(2, "lifted", "Ana", None, "shouting", None))
        self.assertEqual(self.expire(NOW + 61), [])
        self.assertEqual(self.learn(self.lifted(mute), now=NOW + 62), [])
        self.learn(RestrictionSet(replace(mute, until=NOW + 70)), now=NOW + 62)
        self.assertEqual(len(self.expire(NOW + 70)), 2)
        self.assertEqual(self.learn(RestrictionsExpired(NOW + 71), now=NOW + 71), [])

    def test_replaced_before_its_end(self) -> None:
        """A mute that was made longer or lifted does not end when it was to end at first."""
        mute = replace(self.mute, until=NOW + 60)
        self.learn(RestrictionSet(mute))
        self.learn(RestrictionSet(replace(mute, until=NOW + 120)))
        self.assertEqual(self.expire(NOW + 60), [])
        self.assertEqual(len(self.expire(NOW + 120)), 2)
        self.learn(RestrictionSet(replace(mute, until=NOW + 180)), now=NOW + 121)
        self.learn(self.lifted(mute), now=NOW + 122)
        self.assertEqual(self.expire(NOW + 180), [])

    def test_restart(self) -> None:
        """A daemon that starts looks out for the ends of what is in force; what has ended is no news."""
        self.world = World()
        for kind, until in (("mute", NOW + 60), ("ban", NOW - 60)):
            self.world.registry.enact(RestrictionSet(replace(self.mute, kind=kind, until=until)))
        self.world.network.started(at(NOW))
        self.told, self.also = (self.world.join("Alpha", extensions=["moderation"], players=["Ana"]) for _ in "12")
        self.world.made = 0
        self.assertEqual(self.expire(NOW + 1), [])
        self.assertEqual(self.expire(NOW + 60), self.notices(1, "lifted", "Ana", None, "shouting", None))

    def test_known_anew(self) -> None:
        """A node that read everything anew looks out for the ends of what it did not hear of, and tells each once."""
        heard = replace(self.mute, until=NOW + 60)
        self.learn(RestrictionSet(heard))
        self.world.made = 0
        known = deepcopy(self.world.registry)
        known.enact(RestrictionSet(replace(self.mute, until=NOW + 90, channel="gossip")))
        told = self.world.network.resynced(known, {}, [], [], at(NOW + 1))
        until = timestamp(NOW + 90, "seconds")
        self.assertEqual(told, self.notices(1, "mute", "Ana", "gossip", "shouting", until))
        self.assertEqual(self.expire(NOW + 60), self.notices(2, "lifted", "Ana", None, "shouting", None))
        self.assertEqual(self.expire(NOW + 90), self.notices(3, "lifted", "Ana", "gossip", "shouting", None))

    def test_old_client(self) -> None:
        """A session without the extension is told nothing."""
        old = self.world.join("Gamma", supports=["channels", "history"])
        mute = replace(self.mute, subject=player_of(self.world.client_id("Gamma"), "Ana"), until=NOW + 60)
        self.assertEqual(sent(self.learn(RestrictionSet(mute)), old), [])
        self.assertEqual(self.expire(NOW + 60), [])
