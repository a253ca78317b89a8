"""L{gossip.registry.accounts}: accounts and tickets."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.accounts import HOUR
from gossip.registry import accounts as limits
from gossip.registry.changes import (
    AccountRemoved,
    AccountSaved,
    GameSaved,
    TicketIssued,
    TicketsExpired,
    TicketsRevoked,
    Together,
)
from gossip.registry.entities import Account, Ticket
from gossip.registry.errors import Refused
from gossip.registry.registry import Registry
from gossip.registry.secret import digest
from tests.support.tickets import ticket
from tests.support.world import NOW, World, uuid

DAY = 24 * HOUR
NO_NAME = "a name has 3 to 20 letters, digits, - and _, and begins with a letter"


class AccountsTests(SynchronousTestCase):
    """What the registry knows of accounts, and which changes it accepts."""

    def setUp(self) -> None:
        self.registry = Registry()
        self.accounts = self.registry.accounts

    def save(self, name: str = "Ana", **more: Any) -> Account:
        """An account is there."""
        account = Account(name=name, **{"created_at": NOW, **more})
        self.registry.check(AccountSaved(account), ("gossip", "System"))
        self.registry.enact(AccountSaved(account))
        return account

    def issue(self, number: int, *given: Any, **more: Any) -> Ticket:
        """A ticket is there."""
        made = ticket(number, *given, **more)
        self.registry.enact(TicketIssued(made))
        return made

    def assertRefused(self, text: str, **account: Any) -> None:
        with self.assertRaises(Refused) as caught:
            self.save(**account)
        self.assertEqual(str(caught.exception), text)

    def test_names(self) -> None:
        """A name is one word of letters and digits, of a length that can be typed; without case it is there once."""
        ana = self.save("Ana")
        for name in ("aNa", "ANA", "Ana"):
            self.assertIs(self.accounts.named(name), ana)
        self.assertIsNone(self.accounts.named("Bo"))
        for name in ("Bo", "", "x" * 21, "1ana", "-ana", "A na", "Ana\n", "Añna", "Ana@gossip", "<b>", "a.na"):
            self.assertRefused(NO_NAME, name=name)
        for name in ("x" * 20, "B-o", "B_1"):
            self.save(name)
        self.assertRefused("the name ANA is taken", name="ANA")
        self.assertRefused("the name Ana is taken", name="Ana", created_at=NOW + 1)

    def test_blocked_names(self) -> None:
        """A new account cannot look like the network or a game by its name; an existing one keeps its name."""
        for name in ("gossip", "GOSSIP", "system"):
            self.assertRefused(f"the name {name} is reserved", name=name)
        # What the network itself says is said by this name, whatever an operator blocks.
        self.assertRaises(Refused, self.registry.check, AccountSaved(Account(name="System")), ("others",))
        self.registry.enact(AccountSaved(Account(name="System", created_at=NOW)))
        self.save("System", admin=True)

    def test_reserved_names(self) -> None:
        """Only an admin has a name of those that people take for one, in whatever letters; one that exists stays."""
        check, names = self.registry.check, ("Moderator", "root")
        for name in ("moderator", "Moderat0r", "rnoderator", "MODERATOR", "R00T"):
            self.assertRaises(Refused, check, AccountSaved(Account(name=name)), (), names)
            check(AccountSaved(Account(name=name, admin=True)), (), names)
        self.assertRaises(Refused, check, AccountSaved(Account(name="SYSTEM", admin=True)), (), names)
        self.assertRaises(Refused, check, AccountSaved(Account(name="g0ssip", admin=True)), ("gossip",), names)
        check(AccountSaved(Account(name="moderators")), (), names)
        self.registry.enact(AccountSaved(Account(name="root")))
        check(AccountSaved(Account(name="root", email="root@example.org")), (), names)

    def test_alike(self) -> None:
        """No new account looks like another; those that exist stay, and a name that is given up is free."""
        self.save("Bill")
        for name in ("BilI", "B1ll", "Bi1l"):
            self.assertRefused(f"the name {name} looks like one that is taken", name=name)
        self.registry.enact(AccountSaved(Account(name="BilI", created_at=NOW)))
        self.save("BilI", email="bill@example.org")
        self.save("Bill", disabled=True)
        for name in ("BilI", "Bill"):
            self.assertRefused("the name B1ll looks like one that is taken", name="B1ll")
            self.registry.enact(AccountRemoved(name))
        self.save("B1ll")

    def test_mail(self) -> None:
        """What is no address for mail is refused; none is one answer."""
        for email in (
            "",
            "ana",
            "ana@",
            "@example.org",
            "a b@example.org",
            "ana@exam ple",
            "ana\n@example.org",
            "a@b@c",
        ):
            self.assertRefused("this is not a valid email address", email=email)
        for address in (None, "ana@example.org", "a+b.c@localhost"):
            self.save(email=address)

    @given(st.text(max_size=30))
    def test_any_name(self, name: str) -> None:
        """Whatever is asked for: what becomes an account is plain ASCII, and found under its name."""
        self.setUp()
        try:
            account = self.save(name)
        except Refused:
            return
        self.assertTrue(name.isascii() and re.fullmatch("[A-Za-z0-9_-]{3,20}", name), name)
        self.assertIs(self.accounts.named(name.swapcase()), account)

    @given(st.text(st.characters(max_codepoint=0x2FF), max_size=40))
    def test_any_mail(self, email: str) -> None:
        """Whatever is asked for: no address can end a line of a mail, or begin another address."""
        self.setUp()
        try:
            self.save(email=email)
        except Refused:
            return
        self.assertRegex(email, r"\A[^\s,;:<>()\"@]+@[A-Za-z0-9.-]+\Z")

    def test_too_many(self) -> None:
        """The number of accounts is limited; existing ones can still be changed at the limit."""
        self.patch(limits, "ACCOUNTS", 2)
        self.save("Ana")
        self.save("Bea")
        self.assertRefused("there are too many accounts", name="Cyd")
        self.save("Ana", admin=True)

    def test_admins(self) -> None:
        """A disabled account is no admin."""
        ana = self.save("Ana", admin=True)
        self.save("Bea", admin=True, disabled=True)
        self.save("Cyd")
        self.assertEqual(self.accounts.admins(), [ana])

    def test_tickets(self) -> None:
        """A ticket is valid with its secret, for its own kind, and until it ends."""
        self.save()
        made = self.issue(1, expires=NOW + 10)
        self.assertIs(self.accounts.shown(uuid(1), "visit", NOW + 9.9), made)
        for secret, kind, now in ((uuid(1), "visit", NOW + 10), (uuid(1), "token", NOW), (uuid(2), "visit", NOW)):
            self.assertIsNone(self.accounts.shown(secret, kind, now))
        self.assertIsNone(self.accounts.shown(digest(uuid(1)).hex(), "visit", NOW))
        self.issue(3, "token")
        self.assertIsNotNone(self.accounts.shown(uuid(3), "token", NOW + 10**9))

    def test_tickets_of_nobody(self) -> None:
        """The ticket of a disabled or removed account is invalid; a ticket without an account needs none."""
        self.issue(1)
        self.issue(2, "invite", "")
        self.assertIsNone(self.accounts.shown(uuid(1), "visit", NOW))
        self.assertIsNotNone(self.accounts.shown(uuid(2), "invite", NOW))
        ana = self.save()
        self.assertIsNotNone(self.accounts.shown(uuid(1), "visit", NOW))
        self.save(disabled=True)
        self.assertIsNone(self.accounts.shown(uuid(1), "visit", NOW))
        self.registry.enact(AccountSaved(ana))
        self.registry.enact(AccountRemoved("Ana"))
        self.assertEqual(list(self.accounts.tickets), [digest(uuid(2))])
        self.assertIsNone(self.accounts.named("Ana"))

    def test_revoked_and_expired(self) -> None:
        """Tickets are revoked one by one, or when their time is over; others stay."""
        made = [self.issue(number, expires=NOW + number) for number in range(1, 5)]
        forever = self.issue(5, "token")
        self.registry.enact(TicketsRevoked((made[3].digest, digest("no such"))))
        self.registry.enact(TicketsExpired(NOW + 2))
        self.assertEqual(list(self.accounts.tickets.values()), [made[2], forever])

    def test_together(self) -> None:
        """Of several changes none is let in if one is not; all of them are taken over."""
        good, bad = AccountSaved(Account(name="Ana")), AccountSaved(Account(name="?"))
        self.assertRaises(Refused, self.registry.check, Together((good, bad)))
        self.assertRaises(Refused, self.registry.check, Together((Together((bad,)), good)))
        self.assertEqual(self.accounts.all, {})
        self.registry.enact(Together((good, TicketIssued(ticket(1)))))
        self.assertIsNotNone(self.accounts.shown(uuid(1), "visit", NOW))

    def test_owner(self) -> None:
        """A game belongs to an account that is there, or to nobody; an account knows its games."""
        world = World()
        world.registry.enact(AccountSaved(Account(name="Ana")))
        owned = replace(world.game("Beta"), owner="Ana")
        world.registry.check(GameSaved(owned))
        with self.assertRaises(Refused) as caught:
            world.registry.check(GameSaved(replace(owned, owner="Bea")))
        self.assertEqual(str(caught.exception), "no such account")
        for game in (owned, replace(world.game("Alpha"), owner="Ana")):
            world.registry.enact(GameSaved(game))
        self.assertEqual([game.short_name for game in world.registry.games_of("Ana")], ["Alpha", "Beta"])
        self.assertEqual(world.registry.games_of("Bea"), [])
