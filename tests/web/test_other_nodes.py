"""What somebody did on one node is found on the pages of another one, however late that hears of it."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import ensureDeferred, maybeDeferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.executor import Executor
from gossip.operations.keys import GameKey
from gossip.registry.changes import AccountSaved, Change, GameSaved, TicketIssued
from gossip.registry.entities import Account, Game, Ticket
from gossip.registry.secret import digest
from gossip.web.accounts.passwords import Passwords
from gossip.web.site import public_site
from tests.support.memory_nodes import MemoryNode, Stream
from tests.support.passwords import GOOD, QUICK
from tests.support.visitor import Visitor
from tests.support.world import NOW, uuid


class OtherNodesTests(SynchronousTestCase):
    """Two nodes; the pages are those of the second one, which hears something only when somebody asks."""

    def setUp(self) -> None:
        self.stream = Stream()
        self.a, self.b = (MemoryNode(self.stream, name) for name in "ab")
        self.site = public_site(
            self.b, self.b.store, self.b.clock, maybeDeferred, passwords=Passwords(maybeDeferred, QUICK)
        )
        self.visitor = Visitor(self.site)
        self.a.change(AccountSaved(Account(name="Ana", admin=True, created_at=NOW, password=QUICK.hash(GOOD))))
        self.stream.asking = True

    def late(self, *changes: Change) -> None:
        """Something is changed on the first node."""
        self.stream.slow = True
        for change in changes:
            self.a.change(change)

    def ticket(self, kind: str, number: int, **more: Any) -> Ticket:
        return Ticket(digest=digest(uuid(number)), kind=kind, account="Ana", made_at=NOW, **more)

    def test_cookie(self) -> None:
        """A browser that has signed in on the first node."""
        self.late(TicketIssued(self.ticket("visit", 1)))
        self.visitor.cookies["visit"] = uuid(1)
        self.assertEqual(self.visitor.get("/account").code, 200)

    def test_token(self) -> None:
        """A token that was created there."""
        self.late(TicketIssued(self.ticket("token", 2, scope="read")))
        answer = self.visitor.get("/api/v1/account", Authorization=f"Bearer {uuid(2)}")
        self.assertEqual((answer.code, json.loads(answer.body)["account"]), (200, "Ana"))

    def test_links(self) -> None:
        """A link that was made there, and what is sent with the form behind it."""
        self.late(TicketIssued(self.ticket("reset", 3)))
        self.assertEqual(self.visitor.get(f"/reset/{uuid(3)}").code, 200)
        fields = {"password": GOOD, "again": GOOD}
        self.assertEqual(self.visitor.post(f"/reset/{uuid(3)}", fields).code, 303)
        self.assertNotEqual(self.visitor.get(f"/reset/{uuid(4)}").code, 200)

    def test_new_page(self) -> None:
        """The page of a game that was registered there; a path that nothing has costs one question more."""
        self.late(GameSaved(Game(client_id=uuid(5), short_name="Newest", name="The Newest", secrets=())))
        self.assertEqual(self.visitor.get("/games/Newest").code, 200)
        asked = self.b.asked
        self.assertEqual([self.visitor.get(path).code for path in ("/games/Nothing", "/nothing")], [404, 404])
        self.assertEqual(self.b.asked, asked + 1)
        self.assertEqual(self.visitor.get("/games/Newest").code, 200)
        self.assertEqual(self.b.asked, asked + 1)

    def test_form(self) -> None:
        """A form is carried out by what is known everywhere."""
        self.late(AccountSaved(Account(name="Bob", created_at=NOW, password=QUICK.hash(GOOD))))
        answer = self.visitor.post("/sign-in", {"name": "Bob", "password": GOOD})
        self.assertEqual((answer.code, answer.location), (303, "/"))

    def test_operation(self) -> None:
        """An operation finds the game that was registered there."""
        self.late(GameSaved(Game(client_id=uuid(5), short_name="Newest", name="The Newest", secrets=())))
        executor = Executor(self.b, self.b.store, lambda call, *arguments: succeed(call(*arguments)))
        made = self.successResultOf(ensureDeferred(executor.carry_out(GameKey(game="Newest"), "admin")))
        self.assertEqual(made["short_name"], "Newest")
