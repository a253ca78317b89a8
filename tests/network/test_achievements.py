"""Achievements (protocol specification, Achievements)."""

from __future__ import annotations

from typing import Any

from msgspec import Raw
from twisted.trial.unittest import SynchronousTestCase

from gossip.network.outputs import Commit, Hold, Release, Send
from gossip.network.session import Session
from gossip.network.settings import NetworkLimits
from gossip.protocol.errors import MALFORMED, NOT_KEPT
from gossip.protocol.server_events import (
    AchievementDeleted,
    AchievementOf,
    AchievementRefused,
    AchievementSaved,
    AchievementsSynced,
    Failure,
)
from gossip.registry.changes import AchievementDropped, AchievementKept, GameRemoved
from tests.support.world import NOW, World, at, frame, uuid

R = Raw(b'"r"')
UNSET: Any = object()


class AchievementsTests(SynchronousTestCase):
    """achievements/sync, create, update and delete."""

    def setUp(self) -> None:
        self.world = World()
        self.session = self.world.join("Alpha")
        self.client_id = self.world.game("Alpha").client_id
        self.world.made = 0

    def ask(self, event: str, payload: Any = UNSET, session: Session | None = None) -> Any:
        payload = {} if payload is UNSET else payload
        [answer] = self.world.ask(session or self.session, frame(f"achievements/{event}", payload, "r"))
        self.assertEqual((answer["event"], answer["ref"]), (f"achievements/{event}", "r"))
        return answer

    def errors(self, event: str, payload: Any) -> Any:
        answer = self.ask(event, payload)
        if answer["status"] == "success":
            return None
        self.assertNotIn("error", answer)
        self.assertEqual(list(answer["payload"]), ["errors"])
        return answer["payload"]["errors"]

    def test_too_many(self) -> None:
        """A game has at most as many as the limit allows; at the limit it can still change them."""
        self.world.network.rules.limits = NetworkLimits(achievements=2)
        keys = [self.ask("create", {"title": title})["payload"]["key"] for title in "ab"]
        self.assertEqual(self.errors("create", {"title": "c"}), {"title": ["too many achievements"]})
        self.assertIsNone(self.errors("update", {"key": keys[0], "title": "d"}))
        self.assertIsNone(self.errors("delete", {"key": keys[0]}))
        self.assertIsNone(self.errors("create", {"title": "c"}))
        self.world.network.rules.limits = NetworkLimits(achievements=0)
        self.assertIsNone(self.errors("create", {"title": "e"}))

    def test_create(self) -> None:
        """create answers with the whole achievement once it is kept; a key in the payload is ignored."""
        achievement = AchievementOf(key=uuid(1), title="First")
        outputs = self.world.say(
            self.session, frame("achievements/create", {"title": "First", "key": uuid(7), "x": {}}, "r")
        )
        saved = Send(self.session, AchievementSaved("achievements/create", R, achievement))
        failed = Send(self.session, Failure("achievements/create", R, NOT_KEPT))
        self.assertEqual(outputs, [Commit(AchievementKept(self.client_id, achievement), (saved,), (failed,))])
        self.assertEqual(self.world.registry.achievements, {})
        self.assertEqual(self.world.settle(), [saved])
        self.assertEqual(self.world.registry.achievements, {self.client_id: {uuid(1): achievement}})

    def test_not_kept(self) -> None:
        """An achievement that could not be kept does not exist."""
        self.world.say(self.session, frame("achievements/create", {"title": "First"}, "r"))
        failed = Send(self.session, Failure("achievements/create", R, NOT_KEPT))
        self.assertEqual(self.world.settle(kept=False), [failed])
        self.assertEqual(self.ask("sync")["payload"], {"total": 0, "achievements": []})

    def test_all_attributes(self) -> None:
        """Attributes may be at the ends of their ranges."""
        most = {
            "title": "é" * 200,
            "description": "é" * 1000,
            "points": 100,
            "display": False,
            "partial_progress": True,
            "total_progress": 2**31 - 1,
        }
        self.assertEqual(self.ask("create", most)["payload"], {"key": uuid(1), **most})

    def test_invalid(self) -> None:
        """An answer lists the errors of all attributes at once."""
        cases: dict[str, tuple[Any, ...]] = {
            "title": (1, [], {}, True, "x" * 201, "\x00" * 201),
            "description": (1, [], "x" * 1001),
            "points": ("1", 101, -1, 1.5, True, 10**100, []),
            "display": (0, "true", []),
            "partial_progress": (1, "true"),
            "total_progress": ("1", 1.5, 2**31, -(2**31) - 1, True),
        }
        for name, wrongs in cases.items():
            for wrong in wrongs:
                self.assertEqual(
                    self.errors("create", {"title": "T", name: wrong}), {name: ["is invalid"]}, (name, wrong)
                )
        everything = {"title": 1, "points": -1, "partial_progress": True}
        self.assertEqual(
            self.errors("create", everything),
            {"title": ["is invalid"], "points": ["is invalid"], "total_progress": ["can't be blank"]},
        )
        self.assertEqual(self.world.registry.achievements, {})

    def test_strange(self) -> None:
        """Lone surrogates, and numbers and nesting without end, are wrong types."""
        for written in (b'"\\ud800"', b"9" * 10000, b"[" * 500 + b"]" * 500):
            sent = b'{"event":"achievements/create","ref":"r","payload":{"title":"T","description":%s}}' % written
            [answer] = self.world.ask(self.session, sent)
            self.assertEqual(answer["payload"], {"errors": {"description": ["is invalid"]}})

    def test_blank(self) -> None:
        """A title must be there."""
        for payload in ({}, None, {"title": None}, {"title": ""}, {"title": " \t"}):
            self.assertEqual(self.errors("create", payload), {"title": ["can't be blank"]})
        partial = {"title": "T", "partial_progress": True, "total_progress": None}
        self.assertEqual(self.errors("create", partial), {"total_progress": ["can't be blank"]})
        self.assertIsNone(self.errors("create", {**partial, "total_progress": 0}))

    def test_nulls(self) -> None:
        """A null counts as absent in a new achievement."""
        nulls = dict.fromkeys(("description", "points", "display", "partial_progress", "total_progress"))
        payload = self.ask("create", {"title": "T", **nulls})["payload"]
        self.assertEqual((payload["points"], payload["display"], payload["partial_progress"]), (0, True, False))

    def test_no_object(self) -> None:
        """A payload that is no object is an error like others."""
        for event in ("sync", "create", "update", "delete"):
            self.assertEqual(self.ask(event, [])["error"], MALFORMED.text)

    def test_update(self) -> None:
        """update changes the given attributes only; the key matches in any case."""
        self.ask("create", {"title": "First", "points": 5, "description": "D"})
        self.world.made = 0xAA
        self.ask("create", {"title": "Second"})
        self.assertIsNone(self.errors("update", {"key": uuid(0xAB).upper()}))
        answer = self.ask("update", {"key": uuid(1), "points": 7})
        wanted = {"key": uuid(1), "title": "First", "points": 7, "description": "D"}
        self.assertEqual({name: answer["payload"][name] for name in wanted}, wanted)
        self.assertEqual(self.errors("update", {"key": uuid(1), "title": ""}), {"title": ["can't be blank"]})
        partial = {"key": uuid(1), "partial_progress": True}
        self.assertEqual(self.errors("update", partial), {"total_progress": ["can't be blank"]})
        self.assertIsNone(self.errors("update", {**partial, "total_progress": 3}))
        self.assertEqual(
            self.errors("update", {"key": uuid(1), "total_progress": "x"}), {"total_progress": ["is invalid"]}
        )
        self.assertEqual(self.world.registry.achievements[self.client_id][uuid(1)].total_progress, 3)

    def test_update_with_null(self) -> None:
        """A null is a value: description and total_progress become null, all other attributes need a value."""
        before = {"title": "T", "description": "D", "points": 5, "display": False, "total_progress": 3}
        key = self.ask("create", before)["payload"]["key"]
        needed = ("title", "points", "display", "partial_progress")
        for name in needed:
            self.assertEqual(self.errors("update", {"key": key, name: None}), {name: ["can't be blank"]})
        mixed = {**dict.fromkeys(needed), "description": None, "total_progress": "x"}
        self.assertEqual(
            self.errors("update", {"key": key, **mixed}),
            {**{name: ["can't be blank"] for name in needed}, "total_progress": ["is invalid"]},
        )
        [kept] = self.ask("sync")["payload"]["achievements"]
        self.assertEqual(kept, {"key": key, "partial_progress": False, **before})
        answer = self.ask("update", {"key": key, "description": None, "total_progress": None})
        after = {**kept, "description": None, "total_progress": None}
        self.assertEqual(answer["payload"], after)
        self.assertEqual(self.ask("sync")["payload"]["achievements"], [after])

    def test_null_progress(self) -> None:
        """An achievement with partial progress cannot lose its total, unless the same update ends both."""
        partial = {"title": "T", "partial_progress": True, "total_progress": 3}
        key = self.ask("create", partial)["payload"]["key"]
        gone = {"key": key, "total_progress": None}
        self.assertEqual(self.errors("update", gone), {"total_progress": ["can't be blank"]})
        self.assertIsNone(self.errors("update", {**gone, "partial_progress": False}))
        self.assertIsNone(self.registered(key).total_progress)

    def registered(self, key: str) -> AchievementOf:
        return self.world.registry.achievements[self.client_id][key]

    def test_delete(self) -> None:
        """The key, once it is kept."""
        self.ask("create", {"title": "First"})
        outputs = self.world.say(self.session, frame("achievements/delete", {"key": uuid(1)}, "r"))
        deleted = Send(self.session, AchievementDeleted(R, uuid(1)))
        failed = Send(self.session, Failure("achievements/delete", R, NOT_KEPT))
        self.assertEqual(outputs, [Commit(AchievementDropped(self.client_id, uuid(1)), (deleted,), (failed,))])
        self.assertEqual(self.world.settle(), [deleted])
        self.assertEqual(self.errors("delete", {"key": uuid(1)}), {"key": ["not found"]})

    def test_not_found(self) -> None:
        """Missing, malformed, unknown or another game's key."""
        self.ask("create", {"title": "T"}, self.world.join("Beta"))
        [theirs] = self.world.registry.achievements[self.world.game("Beta").client_id]
        self.ask("create", {"title": "T"})
        for event in ("update", "delete"):
            keys: list[Any] = [None, 1, [], "", "x", uuid(99), theirs]
            payloads: list[Any] = [{}, None, *({"key": key} for key in keys)]
            for payload in payloads:
                self.assertEqual(self.errors(event, payload), {"key": ["not found"]})
            lone = b'{"event":"achievements/%s","ref":"r","payload":{"key":"\\ud800"}}' % event.encode()
            [answer] = self.world.ask(self.session, lone)
            self.assertEqual(answer["payload"], {"errors": {"key": ["not found"]}})

    def test_points(self) -> None:
        """A game has at most 500 points in total, counted after the change."""
        for number in range(5):
            self.assertIsNone(self.errors("create", {"title": f"T{number}", "points": 100 - (number == 4)}))
        full = {"points": ["no points left"]}
        self.assertEqual(self.errors("create", {"title": "T", "points": 2}), full)
        self.assertIsNone(self.errors("create", {"title": "T", "points": 1}))
        self.assertIsNone(self.errors("create", {"title": "T"}))
        [last] = [key for key, one in self.world.registry.achievements[self.client_id].items() if one.points == 99]
        self.assertEqual(self.errors("update", {"key": last, "points": 100}), full)
        self.assertIsNone(self.errors("update", {"key": last, "points": 99, "title": "New"}))
        self.assertIsNone(self.errors("update", {"key": last, "points": 0}))
        self.assertIsNone(self.errors("create", {"title": "T", "points": 99}))
        other = self.world.join("Beta")
        self.assertEqual(self.ask("create", {"title": "T", "points": 100}, other)["status"], "success")

    def test_sync(self) -> None:
        """All of the game's own, ordered by title as code points, in pages."""
        for title in ("b", "a", "Z", "é", "c"):
            self.ask("create", {"title": title})
        self.ask("create", {"title": "theirs"}, self.world.join("Beta"))
        payload = self.ask("sync")["payload"]
        self.assertEqual((payload["total"], [one["title"] for one in payload["achievements"]]), (5, list("Zabcé")))
        for number in range(18):
            self.ask("create", {"title": f"n{number}"})
        answers = self.world.ask(self.session, frame("achievements/sync", ref="r"))
        self.assertEqual([len(answer["payload"]["achievements"]) for answer in answers], [10, 10, 3])
        self.assertEqual({answer["payload"]["total"] for answer in answers}, {23})

    def test_no_ref(self) -> None:
        """Without a ref a request is not carried out."""
        self.assertEqual(self.world.say(self.session, frame("achievements/create", {"title": "T"})), [])

    def test_waiting(self) -> None:
        """A game's requests wait for its last change, those of other games do not."""
        second, other = self.world.join("Alpha"), self.world.join("Beta")
        self.world.made = 0

        def create(session: Session, points: int) -> Any:
            return self.world.say(session, frame("achievements/create", {"title": "T", "points": points}, "r"))

        one, two = (AchievementOf(key=uuid(key), title="T", points=100) for key in (1, 3))
        self.assertIsInstance(create(self.session, 100)[0], Commit)
        self.assertEqual(create(second, -1), [Hold(second)])
        self.assertEqual(create(self.session, 100), [Hold(self.session)])
        self.assertEqual(self.world.say(second, frame("achievements/sync", ref="r")), [Hold(second)])
        self.assertIsInstance(create(other, 100)[0], Commit)
        refused = AchievementRefused("achievements/create", R, {"points": ["is invalid"]})
        saved = Send(self.session, AchievementSaved("achievements/create", R, two))
        failed = Send(self.session, Failure("achievements/create", R, NOT_KEPT))
        commit = Commit(AchievementKept(self.client_id, two), (saved,), (failed,))
        self.assertEqual(
            self.world.settle_one()[1:],
            [Release(second, (Send(second, refused),)), Release(self.session, (commit,))],
        )
        self.assertEqual(len(self.world.settle_one()), 1)
        self.assertEqual(
            self.world.settle_one(), [saved, Release(second, (Send(second, AchievementsSynced(R, (one, two))),))]
        )
        self.assertIsInstance(self.world.say(second, frame("achievements/sync", ref="r"))[0], Send)

    def test_waiting_for_a_failure(self) -> None:
        """Requests that wait go on after a failed change too, and are judged by what is kept."""
        for _ in range(6):
            self.world.say(self.session, frame("achievements/create", {"title": "T", "points": 100}, "r"))
        self.assertIsInstance(self.world.settle_one(kept=False)[1], Release)
        outputs = self.world.settle()
        self.assertEqual(self.world.registry.points(self.client_id), 500)
        self.assertEqual([type(output) for output in outputs].count(Release), 4)

    def test_another_node_was_first(self) -> None:
        """If another node changed the achievements first, the request is judged again, and the others wait for it."""
        second = self.world.join("Alpha")
        self.world.made = 0
        for session, points in ((self.session, 100), (second, 80), (second, 90)):
            self.world.say(session, frame("achievements/create", {"title": "T", "points": points}, "r"))

        def change(number: int, points: int) -> None:
            achievement = AchievementOf(key=uuid(number), title="Other", points=points)
            self.world.registry.enact(AchievementKept(self.client_id, achievement))

        commit = self.world.pending.pop()
        for number in range(90, 94):
            change(number, 100)
        [again] = self.world.network.again(commit, at(NOW))
        assert isinstance(again, Commit)
        self.assertEqual(
            again.change, AchievementKept(self.client_id, AchievementOf(key=uuid(2), title="T", points=100))
        )
        change(94, 15)
        refused = Send(self.session, AchievementRefused("achievements/create", R, {"points": ["no points left"]}))
        outputs = self.world.network.again(again, at(NOW))
        self.assertEqual(outputs[0], refused)
        [after] = outputs[1:]
        assert isinstance(after, Release)
        self.assertEqual((after.session, type(after.outputs[0])), (second, Commit))

    def test_removed_while_waiting(self) -> None:
        """A game that is removed in between leaves nothing behind, and nobody waiting."""
        for _ in range(3):
            self.world.say(self.session, frame("achievements/create", {"title": "T"}, "r"))
        commit = self.world.network.apply(GameRemoved(self.client_id))
        self.world.settled(commit, True, 0)
        outputs = self.world.settle()
        self.assertEqual([type(output) for output in outputs].count(Release), 2)
        self.assertEqual(self.world.registry.achievements, {})
