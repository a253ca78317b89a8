"""L{gossip.operations.accounts}: accounts, and the links that let people in."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.operations.accounts import HOUR, LINK_HOURS, issue, signed_out
from gossip.registry.accounts import ACCOUNT_NAME, TICKETS, Accounts
from gossip.registry.changes import AccountSaved, TicketIssued, Together
from gossip.registry.entities import Account
from gossip.registry.errors import Refused
from gossip.registry.registry import Registry
from gossip.registry.secret import digest
from tests.support.operations import AdminTestCase
from tests.support.tickets import ticket
from tests.support.world import NOW, uuid

NO_NAME = "a name has 3 to 20 letters, digits, - and _, and begins with a letter"


class IssueTests(SynchronousTestCase):
    """How many tickets there are of a kind."""

    def setUp(self) -> None:
        self.registry = Registry()

    def issue(self, number: int, kind: str, account: str = "Ana", made_by: str = "start") -> None:
        made = replace(ticket(number, kind, account, NOW + number), made_by=made_by)
        change = issue(self.registry.accounts, made)
        self.registry.check(change)
        self.registry.enact(change)

    def numbers(self, kind: str, account: str = "Ana") -> list[int]:
        """The numbers of the tickets that are there."""
        known = {digest(uuid(number)): number for number in range(100)}
        return [known[each.digest] for each in self.registry.accounts.of(account, kind)]

    def test_most(self) -> None:
        """An account has a maximum number of visits and tokens: one more ends the oldest."""
        for kind in ("visit", "token"):
            for number in range(TICKETS + 3):
                self.issue(number, kind)
            self.assertEqual(self.numbers(kind), list(range(3, TICKETS + 3)))

    def test_the_latest_link(self) -> None:
        """Only the latest link to a new password works, and only the latest link to set up the network."""
        for number in range(3):
            self.issue(number, "reset")
            self.issue(10 + number, "setup", "")
        self.issue(5, "reset", "Bea")
        self.assertEqual((self.numbers("reset"), self.numbers("reset", "Bea")), ([2], [5]))
        self.assertEqual(self.numbers("setup", ""), [12])

    def test_a_link_of_each_node(self) -> None:
        """The link that a node logged goes on working when another node starts."""
        for number, node in enumerate(("a", "b", "c", "b")):
            self.issue(number, "setup", "", f"start of {node}")
        self.assertEqual(self.numbers("setup", ""), [0, 2, 3])

    def test_invitations(self) -> None:
        """An invitation leaves others as they are."""
        for number in range(TICKETS + 3):
            self.issue(number, "invite", "")
        self.assertEqual(len(self.numbers("invite", "")), TICKETS + 3)

    def test_signed_out(self) -> None:
        """An account is signed out everywhere, or everywhere but here; other accounts are not."""
        for number, kind in enumerate(("visit", "visit", "token", "reset")):
            self.issue(number, kind)
        self.issue(9, "visit", "Bea")
        ended = signed_out(self.registry.accounts, "Ana")
        self.assertEqual({*ended.digests}, {digest(uuid(number)) for number in range(4)})
        ended = signed_out(self.registry.accounts, "Ana", "visit", but=digest(uuid(1)))
        self.assertEqual(ended.digests, (digest(uuid(0)),))


class OperationTests(AdminTestCase):
    """Operations on accounts."""

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
        """A name that is taken, blocked or invalid is refused, and no link is made."""
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
        """What is not given stays; an empty address removes the address."""
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
        """A disabled account is signed out everywhere and gets no link; once enabled it must sign in again."""
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
        """The tokens of an account end when it is no longer an admin: they may allow more than it may do now."""
        self.account(admin=True)
        self.account("Bea", admin=True)
        self.registry.enact(TicketIssued(ticket(1, "token")))
        self.registry.enact(TicketIssued(ticket(2, "visit")))
        self.perform("account/edit", name="Ana", admin=False)
        self.assertEqual(list(self.accounts.tickets), [digest(uuid(2))])

    def test_other_address(self) -> None:
        """A link that may have been mailed ends when the account gets another address."""
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
        """There is always an admin: the last one cannot be disabled or removed, and stays an admin."""
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
        """Only the latest link to a new password works, for a day; the old password works until it is used."""
        self.account()
        first = self.secret(self.perform("account/reset", name="ANA")["link"], "reset", "/reset/")
        result = self.perform("account/reset", name="ana")
        self.assertEqual(result["name"], "Ana")
        self.secret(result["link"], "reset", "/reset/")
        self.assertIsNone(self.accounts.shown(first, "reset", NOW))
        self.assertEqual(self.accounts.all["ana"].password, "a hash")
        self.assertRefused("no such account", "account/reset", name="Bea")

    def test_invite(self) -> None:
        """An invitation belongs to no account, and works for a week."""
        result = self.perform("account/invite")
        self.secret(result["link"], "invite", "/sign-up/")
        self.assertEqual(result["until"], "2023-11-21T22:00:00.000Z")
        [made] = self.accounts.tickets.values()
        self.assertEqual((made.account, made.made_by), ("", "unix:ana"))

    def test_remove(self) -> None:
        """Removing an account ends all that signs its owner in; its games stay, without an owner."""
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
        """A game is given to an account that exists, by its name in any case, and taken from it."""
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
        """Whatever the arguments are, an operation is done or refused with a reason, and the admin stays an admin."""
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
