"""L{gossip.registry.accounts} and L{gossip.operations.accounts}: accounts, tickets, and what admins do with them."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.accounts import HOUR, LINK_HOURS, issue, signed_out
from gossip.registry import accounts as limits
from gossip.registry.accounts import ACCOUNT_NAME, TICKETS, Accounts
from gossip.registry.changes import (
    Account,
    AccountRemoved,
    AccountSaved,
    GameSaved,
    Ticket,
    TicketIssued,
    TicketsExpired,
    TicketsRevoked,
    Together,
)
from gossip.registry.errors import Refused
from gossip.registry.registry import Registry
from gossip.registry.secret import digest
from tests.support.operations import AdminTestCase
from tests.support.world import NOW, World, uuid

DAY = 24 * HOUR
NO_NAME = "a name has 3 to 20 letters, digits, - and _, and begins with a letter"


def ticket(number: int, kind: str = "visit", account: str = "Ana", made_at: float = NOW, **more: Any) -> Ticket:
    """The ticket whose secret is the UUID of this number."""
    return Ticket(digest=digest(uuid(number)), kind=kind, account=account, made_at=made_at, **more)


class AccountsTests(SynchronousTestCase):
    """What is known of accounts, and what the registry lets in."""

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
        """Nobody gets a name that the network or a game could be taken for; who has it keeps it."""
        for name in ("gossip", "GOSSIP", "system"):
            self.assertRefused(f"the name {name} is reserved", name=name)
        # What the network itself says is said by this name, whatever an operator blocks.
        self.assertRaises(Refused, self.registry.check, AccountSaved(Account(name="System")), ("others",))
        self.registry.enact(AccountSaved(Account(name="System", created_at=NOW)))
        self.save("System", admin=True)

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
        """There is an end of new accounts, but not of changes to those that are there."""
        self.patch(limits, "ACCOUNTS", 2)
        self.save("Ana")
        self.save("Bea")
        self.assertRefused("there are too many accounts", name="Cyd")
        self.save("Ana", admin=True)

    def test_admins(self) -> None:
        """Who is disabled is no admin."""
        ana = self.save("Ana", admin=True)
        self.save("Bea", admin=True, disabled=True)
        self.save("Cyd")
        self.assertEqual(self.accounts.admins(), [ana])

    def test_tickets(self) -> None:
        """A ticket is good for who has its secret, for its own kind, and until it ends."""
        self.save()
        made = self.issue(1, expires=NOW + 10)
        self.assertIs(self.accounts.shown(uuid(1), "visit", NOW + 9.9), made)
        for secret, kind, now in ((uuid(1), "visit", NOW + 10), (uuid(1), "token", NOW), (uuid(2), "visit", NOW)):
            self.assertIsNone(self.accounts.shown(secret, kind, now))
        self.assertIsNone(self.accounts.shown(digest(uuid(1)).hex(), "visit", NOW))
        self.issue(3, "token")
        self.assertIsNotNone(self.accounts.shown(uuid(3), "token", NOW + 10**9))

    def test_tickets_of_nobody(self) -> None:
        """The ticket of an account that is disabled or gone is good for nothing; one that is nobody's needs none."""
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


class IssueTests(SynchronousTestCase):
    """How many tickets there are of a kind."""

    def setUp(self) -> None:
        self.registry = Registry()

    def issue(self, number: int, kind: str, account: str = "Ana") -> None:
        change = issue(self.registry.accounts, ticket(number, kind, account, NOW + number))
        self.registry.check(change)
        self.registry.enact(change)

    def numbers(self, kind: str, account: str = "Ana") -> list[int]:
        """The numbers of the tickets that are there."""
        known = {digest(uuid(number)): number for number in range(100)}
        return [known[each.digest] for each in self.registry.accounts.of(account, kind)]

    def test_most(self) -> None:
        """An account has only so many visits and tokens: of one more, the oldest goes."""
        for kind in ("visit", "token"):
            for number in range(TICKETS + 3):
                self.issue(number, kind)
            self.assertEqual(self.numbers(kind), list(range(3, TICKETS + 3)))

    def test_the_latest_link(self) -> None:
        """Only the latest link to a new password is good, and only the latest one to set up the network."""
        for number in range(3):
            self.issue(number, "reset")
            self.issue(10 + number, "setup", "")
        self.issue(5, "reset", "Bea")
        self.assertEqual((self.numbers("reset"), self.numbers("reset", "Bea")), ([2], [5]))
        self.assertEqual(self.numbers("setup", ""), [12])

    def test_invitations(self) -> None:
        """An invitation leaves others as they are."""
        for number in range(TICKETS + 3):
            self.issue(number, "invite", "")
        self.assertEqual(len(self.numbers("invite", "")), TICKETS + 3)

    def test_signed_out(self) -> None:
        """Somebody is signed out everywhere, or everywhere else; others are not."""
        for number, kind in enumerate(("visit", "visit", "token", "reset")):
            self.issue(number, kind)
        self.issue(9, "visit", "Bea")
        ended = signed_out(self.registry.accounts, "Ana")
        self.assertEqual({*ended.digests}, {digest(uuid(number)) for number in range(4)})
        ended = signed_out(self.registry.accounts, "Ana", "visit", but=digest(uuid(1)))
        self.assertEqual(ended.digests, (digest(uuid(0)),))


class OperationTests(AdminTestCase):
    """What admins do with accounts."""

    @property
    def accounts(self) -> Accounts:
        return self.registry.accounts

    def account(self, name: str = "Ana", **more: Any) -> Account:
        """An account that is there, with a password."""
        made = Account(name=name, password="a hash", **{"created_at": NOW, **more})
        self.registry.enact(AccountSaved(made))
        return made

    def secret(self, link: str, kind: str, path: str) -> str:
        """The secret in a link; it is good for its kind, and for as long as that is."""
        self.assertTrue(link.startswith(path), link)
        secret = link.removeprefix(path)
        last = NOW + LINK_HOURS[kind] * HOUR
        self.assertIsNotNone(self.accounts.shown(secret, kind, last - 1))
        self.assertIsNone(self.accounts.shown(secret, kind, last))
        return secret

    def test_add(self) -> None:
        """A new account has no password, and its owner gets a link to set one; only a digest of the link is kept."""
        result = self.perform("account/add", name="Ana", admin=True, email="ana@example.org")
        expected = {
            "name": "Ana",
            "admin": True,
            "disabled": False,
            "email": "ana@example.org",
            "has_password": False,
            "created_at": "2023-11-14T22:00:00.000Z",
            "games": [],
            "until": "2023-11-15T22:00:00.000Z",
        }
        self.assertEqual({name: value for name, value in result.items() if name != "link"}, expected)
        secret = self.secret(result["link"], "reset", "/reset/")
        self.assertNotIn(secret, repr(self.change))
        [made] = self.accounts.tickets.values()
        self.assertEqual((made.account, made.made_by), ("Ana", "unix:ana"))
        self.assertEqual(
            self.accounts.named("ana"), Account(name="Ana", admin=True, email="ana@example.org", created_at=NOW)
        )

    def test_add_refused(self) -> None:
        """A name that is taken, blocked or none is refused, and no link is made."""
        self.account()
        self.assertRefused("the name ANA is taken", "account/add", name="ANA")
        self.assertRefused("the name System is reserved", "account/add", name="System")
        self.assertRefused(NO_NAME, "account/add", name="A na")
        self.assertRefused("this is not a valid email address", "account/add", name="Bea", email="nowhere")
        self.assertEqual((list(self.accounts.all), self.accounts.tickets), (["ana"], {}))
        self.perform("account/add", name="Bea", email="")
        self.assertIsNone(self.accounts.all["bea"].email)

    def test_list_and_show(self) -> None:
        """Accounts are shown with their games, by name, and without their passwords."""
        self.account("Bea", admin=True)
        self.account("ana")
        self.add("Zulu", owner="ANA")
        self.add("Alpha", owner="ana")
        listed = self.perform("account/list")["accounts"]
        self.assertEqual([each["name"] for each in listed], ["ana", "Bea"])
        self.assertEqual(listed[0]["games"], ["Alpha", "Zulu"])
        self.assertEqual(self.perform("account/show", name="ANA"), listed[0])
        self.assertTrue(listed[0]["has_password"])
        self.assertNotIn("a hash", repr(listed))
        self.assertRefused("no such account", "account/show", name="Cyd")

    def test_edit(self) -> None:
        """What is not given stays; an empty address is none."""
        self.account(email="ana@example.org", admin=True)
        self.account("Bea", admin=True)
        self.assertTrue(self.perform("account/edit", name="ana", email="other@example.org")["admin"])
        self.assertFalse(self.perform("account/edit", name="ana", admin=False)["admin"])
        self.assertEqual(self.accounts.all["ana"].email, "other@example.org")
        self.assertIsNone(self.perform("account/edit", name="ana", email="")["email"])
        self.assertEqual(self.accounts.all["ana"].password, "a hash")
        self.perform("account/edit", name="ana", admin=False)
        self.assertIsNone(self.change)
        self.assertRefused("no such account", "account/edit", name="Cyd", admin=True)

    def test_disabled(self) -> None:
        """Who is disabled is signed out everywhere at once, and gets no link; enabled again, he must sign in anew."""
        self.account()
        self.account("Bea")
        for number, kind in enumerate(("visit", "token", "reset")):
            self.registry.enact(TicketIssued(ticket(number, kind)))
        self.registry.enact(TicketIssued(ticket(9, "visit", "Bea")))
        self.assertTrue(self.perform("account/edit", name="Ana", disabled=True)["disabled"])
        self.assertIsInstance(self.change, Together)
        self.assertEqual(list(self.accounts.tickets), [digest(uuid(9))])
        self.assertRefused("the account is disabled", "account/reset", name="Ana")
        self.assertFalse(self.perform("account/edit", name="Ana", disabled=False)["disabled"])
        self.assertIsNone(self.accounts.shown(uuid(0), "visit", NOW))

    def test_no_longer_admin(self) -> None:
        """The tokens of who is no longer an admin end: they may be good for more than he may do now."""
        self.account(admin=True)
        self.account("Bea", admin=True)
        self.registry.enact(TicketIssued(ticket(1, "token")))
        self.registry.enact(TicketIssued(ticket(2, "visit")))
        self.perform("account/edit", name="Ana", admin=False)
        self.assertEqual(list(self.accounts.tickets), [digest(uuid(2))])

    def test_other_address(self) -> None:
        """A link that may have gone to an address by mail ends when that is no longer the account's."""
        self.account(email="old@example.org", admin=True)
        self.registry.enact(TicketIssued(ticket(1, "visit")))
        for number, email in ((2, "new@example.org"), (3, None)):
            self.registry.enact(TicketIssued(ticket(number, "reset")))
            self.perform("account/edit", name="Ana", email=email)
            self.assertEqual(list(self.accounts.tickets), [digest(uuid(1))])
        self.registry.enact(TicketIssued(ticket(4, "reset")))
        self.perform("account/edit", name="Ana", email="new@example.org")
        self.assertEqual(len(self.accounts.tickets), 2)

    def test_the_last_admin(self) -> None:
        """There is always an admin: the last one cannot be disabled or removed, nor be one no longer."""
        self.account(admin=True)
        self.account("Bea", admin=True, disabled=True)
        self.account("Cyd")
        text = "the last admin must stay one"
        self.assertRefused(text, "account/edit", name="ana", admin=False)
        self.assertRefused(text, "account/edit", name="ana", disabled=True)
        self.assertRefused(text, "account/remove", name="ana")
        self.perform("account/edit", name="ana", email="ana@example.org")
        self.perform("account/remove", name="Bea")
        self.perform("account/remove", name="Cyd")
        self.account("Dot", admin=True)
        self.perform("account/edit", name="ana", disabled=True)
        self.assertEqual([each.name for each in self.accounts.admins()], ["Dot"])

    def test_reset(self) -> None:
        """A link to a new password is good for a day, and only the latest one is; the old password stays until then."""
        self.account()
        first = self.secret(self.perform("account/reset", name="ANA")["link"], "reset", "/reset/")
        result = self.perform("account/reset", name="ana")
        self.assertEqual(result["name"], "Ana")
        self.secret(result["link"], "reset", "/reset/")
        self.assertIsNone(self.accounts.shown(first, "reset", NOW))
        self.assertEqual(self.accounts.all["ana"].password, "a hash")
        self.assertRefused("no such account", "account/reset", name="Bea")

    def test_invite(self) -> None:
        """An invitation is nobody's yet, and good for a week."""
        result = self.perform("account/invite")
        self.secret(result["link"], "invite", "/sign-up/")
        self.assertEqual(result["until"], "2023-11-21T22:00:00.000Z")
        [made] = self.accounts.tickets.values()
        self.assertEqual((made.account, made.made_by), ("", "unix:ana"))

    def test_remove(self) -> None:
        """With an account all goes that lets its owner in; his games stay, and belong to nobody."""
        self.account()
        self.account("Bea")
        self.add("Alpha", owner="Ana")
        self.add("Beta", owner="Bea")
        before = self.registry.game_named("Alpha")
        assert before is not None
        self.registry.enact(TicketIssued(ticket(1)))
        self.registry.enact(TicketIssued(ticket(2, account="Bea")))
        self.assertEqual(self.perform("account/remove", name="aNA")["games"], ["Alpha"])
        self.assertEqual(list(self.accounts.all), ["bea"])
        self.assertEqual(list(self.accounts.tickets), [digest(uuid(2))])
        self.assertEqual(self.registry.game_named("Alpha"), replace(before, owner=None))
        self.assertEqual([game.short_name for game in self.registry.games_of("Bea")], ["Beta"])
        self.account()
        self.assertEqual(self.registry.games_of("Ana"), [])
        self.assertRefused("no such account", "account/remove", name="Cyd")

    def test_owner(self) -> None:
        """A game is given to an account, by its name in any case, and taken from it; it needs one that is there."""
        self.account()
        self.add("Alpha", owner="ANA")
        self.assertEqual(self.perform("game/show", game="Alpha")["owner"], "Ana")
        self.assertIsNone(self.perform("game/edit", game="Alpha", owner="")["owner"])
        self.assertEqual(self.perform("game/edit", game="Alpha", owner="ana")["owner"], "Ana")
        self.assertEqual(self.perform("game/edit", game="Alpha", tagline="x")["owner"], "Ana")
        self.assertRefused("no such account", "game/edit", game="Alpha", owner="Bea")
        self.assertRefused("no such account", "game/add", name="B", short_name="B", owner="Bea")

    @given(st.text(max_size=24), st.text(max_size=24), st.booleans())
    def test_any_arguments(self, name: str, email: str, disabled: bool) -> None:
        """Whatever is asked for, it is done or refused in words, and who is the admin stays one."""
        self.setUp()
        self.account("Root", admin=True)
        for operation, arguments in (
            ("account/add", {"name": name, "email": email}),
            ("account/edit", {"name": name, "email": email, "disabled": disabled}),
            ("account/edit", {"name": "root", "disabled": disabled}),
            ("account/reset", {"name": name}),
            ("account/remove", {"name": name}),
            ("account/remove", {"name": "ROOT"}),
        ):
            try:
                self.perform(operation, **arguments)
            except Refused as refused:
                self.assertTrue(str(refused))
            self.assertEqual([each.name for each in self.accounts.admins()], ["Root"])
        for each in self.accounts.all.values():
            self.assertTrue(ACCOUNT_NAME.fullmatch(each.name))
