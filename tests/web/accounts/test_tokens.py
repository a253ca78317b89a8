"""L{gossip.web.accounts.tokens}: what programs can do with a token."""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec.structs import replace
from twisted.internet.address import IPv4Address

from gossip.registry.changes import AccountSaved, ChannelSaved, TicketIssued
from gossip.registry.entities import Account, Channel, Secret, Ticket
from gossip.registry.secret import digest
from gossip.web.accounts.tokens import WRONG
from tests.support.problems import problem
from tests.support.site_browser import Browser
from tests.support.sites import PagesTestCase
from tests.support.visitor import Visitor
from tests.support.world import NOW, uuid


class TokenTestCase(PagesTestCase):
    """A site with two accounts, and a token of each scope: Ana is an admin, Bob is not."""

    def setUp(self) -> None:
        super().setUp()
        for name, admin in (("Ana", True), ("Bob", False)):
            self.world.registry.enact(AccountSaved(Account(name=name, admin=admin, created_at=NOW)))
        self.tokens = {
            (name, scope): self.token(name, scope) for name in ("Ana", "Bob") for scope in ("read", "metrics", "admin")
        }

    def token(self, name: str, scope: str, **more: Any) -> str:
        """Create a token."""
        secret = f"{name}-{scope}-{len(self.world.registry.accounts.tickets)}"
        ticket = Ticket(digest=digest(secret), kind="token", account=name, scope=scope, label="My bot", **more)
        self.world.registry.enact(TicketIssued(ticket))
        return secret

    def ask(
        self,
        path: str,
        token: str | None,
        method: str = "GET",
        body: bytes = b"",
        /,
        host: str = "192.0.2.1",
        **more: str,
    ) -> tuple[int, dict[str, str], Any]:
        """An answer in JSON."""
        headers = more if token is None else {"Authorization": f"Bearer {token}", **more}
        code, heads, text = Browser(self.site, IPv4Address("TCP", host, 1)).ask(method, path, body, **headers)
        kind = "application/json" if code == 200 else "application/problem+json"
        self.assertEqual(heads["content-type"], kind, (path, text))
        return code, heads, json.loads(text)

    def operate(self, operation: str, name: str = "Ana", scope: str = "admin", /, **arguments: Any) -> tuple[int, Any]:
        """Carry out an operation."""
        body = json.dumps(arguments).encode()
        code, _, result = self.ask(f"/api/v1/admin/{operation}", self.tokens[name, scope], "POST", body)
        return code, result


class ShownTests(TokenTestCase):
    """Requests with a token."""

    def test_who(self) -> None:
        """A token gives its account and scope."""
        code, _, told = self.ask("/api/v1/account", self.tokens["Bob", "read"])
        expected = {"account": "Bob", "admin": False, "scope": "read", "label": "My bot", "expires": None}
        self.assertEqual((code, told), (200, expected))
        ends = self.token("Ana", "metrics", expires=NOW + 60)
        told = self.ask("/api/v1/account", ends)[2]
        self.assertEqual((told["admin"], told["scope"], told["expires"]), (True, "metrics", "2023-11-14T22:01:00Z"))

    def test_from_the_page(self) -> None:
        """A token from the account page works until its owner revokes it."""
        ana = Visitor(self.site)
        ana.sign_in(self.service, "Ana")
        shown = ana.post("/account/tokens", {"label": "A bot", "scope": "admin"}, "/account").text
        (secret,) = re.findall(r"Authorization: Bearer (\S+)", shown)
        told = self.ask("/api/v1/account", secret)[2]
        self.assertEqual((told["account"], told["scope"], told["label"]), ("Ana", "admin", "A bot"))
        ana.post("/account/end", {"ticket": digest(secret).hex()}, "/account")
        self.assertEqual(self.ask("/api/v1/account", secret)[0], 401)

    def test_none(self) -> None:
        """A request without a token gets an explanation."""
        for headers in ({}, {"Authorization": ""}, {"Authorization": "Basic QW5hOng="}, {"Authorization": "Bearer"}):
            code, heads, told = self.ask("/api/v1/account", None, **headers)
            self.assertEqual(code, 401)
            self.assertTrue(heads["www-authenticate"].startswith('Bearer realm="gossip"'))
            self.assertIn("error", told)

    def test_wrong(self) -> None:
        """An unknown, revoked or orphaned token, or another kind of ticket, is refused."""
        visit = Ticket(digest=digest("visit"), kind="visit", account="Ana")
        self.world.registry.enact(TicketIssued(visit))
        over, nobody = self.token("Ana", "read", expires=NOW), self.token("Nobody", "read")
        for token in ("x", over, nobody, "visit", "é", "a b", "Ana-read"):
            code, heads, _ = self.ask("/api/v1/account", token)
            self.assertEqual(code, 401, token)
            self.assertEqual(heads["www-authenticate"], 'Bearer realm="gossip", error="invalid_token"')

    def test_disabled(self) -> None:
        """The tokens of a disabled account are refused, and those of a former admin lose the rights of admins."""
        account = self.world.registry.accounts.named("Ana")
        assert account is not None
        self.world.registry.enact(AccountSaved(replace(account, admin=False)))
        self.assertEqual(self.operate("game/list")[0], 403)
        self.world.registry.enact(AccountSaved(replace(account, disabled=True)))
        self.assertEqual(self.operate("game/list")[0], 401)

    def test_case(self) -> None:
        """The scheme can be in any case (RFC 9110, section 11.1)."""
        code, _, _ = self.ask("/api/v1/account", None, Authorization=f"bearer  {self.tokens['Ana', 'read']}")
        self.assertEqual(code, 200)

    def test_scopes(self) -> None:
        """A token gives access to what its scope includes, and to nothing else."""
        good = {
            (name, scope): [
                self.ask("/api/v1/account", token)[0],
                self.ask("/api/v1/account/games", token)[0],
                Browser(self.site).ask("GET", "/metrics", b"", Authorization=f"Bearer {token}")[0],
                self.ask("/api/v1/admin/game/list", token, "POST")[0],
            ]
            for (name, scope), token in self.tokens.items()
        }
        self.assertEqual(good["Ana", "read"], [200, 200, 403, 403])
        self.assertEqual(good["Ana", "metrics"], [200, 403, 200, 403])
        self.assertEqual(good["Ana", "admin"], [200, 200, 200, 200])
        # Bob cannot create such tokens now: these are from a time when Bob was an admin.
        self.assertEqual(good["Bob", "read"], [200, 200, 403, 403])
        self.assertEqual(good["Bob", "metrics"], [200, 403, 403, 403])
        self.assertEqual(good["Bob", "admin"], [200, 200, 403, 403])
        _, heads, told = self.ask("/api/v1/admin/game/list", self.tokens["Ana", "read"], "POST")
        self.assertEqual(heads["www-authenticate"], 'Bearer realm="gossip", error="insufficient_scope", scope="admin"')
        self.assertEqual(told, problem(403, "This needs a token with the scope admin."))

    def test_guessing(self) -> None:
        """After too many wrong tokens an address is blocked for a while; other addresses are not."""
        token = self.tokens["Ana", "read"]
        for _ in range(3):
            for _ in range(WRONG - 1):
                self.assertEqual(self.ask("/api/v1/account", "x")[0], 401)
            self.assertEqual(self.ask("/api/v1/account", token)[0], 200)
            self.assertEqual(self.ask("/api/v1/account", "x")[0], 401)
            code, heads, _ = self.ask("/api/v1/account", token)
            self.assertEqual(code, 429)
            self.assertEqual(heads["retry-after"], "900")
            self.assertEqual(self.ask("/api/v1/account", token, host="192.0.2.2")[0], 200)
            self.service.clock.advance(901)

    def test_cached_by_nobody(self) -> None:
        """Answers that need a token are not cached, and pages of other sites cannot read them."""
        self.show("gossip")
        token = self.tokens["Ana", "admin"]
        for path in ("account", "account/games", "channels/gossip/messages", "nothing", "channels/nowhere/messages"):
            heads = Browser(self.site).ask("GET", f"/api/v1/{path}", b"", Authorization=f"Bearer {token}")[1]
            self.assertEqual(heads["cache-control"], "no-store", path)
            self.assertNotIn("access-control-allow-origin", heads, path)
            self.assertNotIn("etag", heads, path)
        self.assertEqual(Browser(self.site).ask("OPTIONS", "/api/v1/account")[0], 405)

    def test_cookie(self) -> None:
        """A session cookie is not a token: a form of another site cannot use the API."""
        visit = Ticket(digest=digest("visit"), kind="visit", account="Ana", expires=NOW + 60)
        self.world.registry.enact(TicketIssued(visit))
        code, _, _ = self.ask("/api/v1/admin/game/list", None, "POST", Cookie="visit=visit")
        self.assertEqual(code, 401)


class OwnTests(TokenTestCase):
    """The games of an owner."""

    def own(self, name: str = "Bob") -> list[dict[str, Any]]:
        """The games of an account."""
        code, _, told = self.ask("/api/v1/account/games", self.tokens[name, "read"])
        self.assertEqual(code, 200)
        games: list[dict[str, Any]] = told["games"]
        return games

    def test_own(self) -> None:
        """An owner gets their own games, and no others."""
        for name in ("Gamma", "Alpha"):
            self.world.change(name, owner="Bob")
        self.world.change("Beta", owner="Ana")
        self.assertEqual([game["game"] for game in self.own()], ["Alpha", "Gamma"])
        self.assertEqual([game["game"] for game in self.own("Ana")], ["Beta"])

    def test_in_full(self) -> None:
        """An owner gets everything about a game, hidden or not, with its live sessions, but no secret."""
        secrets = (Secret(digest(uuid(0xE1))), Secret(digest("old"), NOW + 60))
        self.world.change("Alpha", owner="Bob", hidden=True, hides_players=True, tagline="Here", secrets=secrets)
        self.show("gossip")
        session = self.service.join("Alpha", players=["bo", "Ana"], channels=["gossip", "secret"])
        session.opened_at = NOW - 60
        (game,) = self.own()
        expected = {
            "game": "Alpha",
            "client_id": self.world.game("Alpha").client_id,
            "hidden": True,
            "disabled": False,
            "shows_players": False,
            "tagline": "Here",
            "online": True,
            "players": ["Ana", "bo"],
            "players_online_count": 2,
            "channels": ["gossip", "secret"],
            "old_secret_until": "2023-11-14T22:01:00Z",
            "version": "1.0.0",
        }
        self.assertEqual({key: game[key] for key in expected}, expected)
        (live,) = game["sessions"]
        self.assertEqual(
            {key: live[key] for key in ("peer", "transport", "since", "channels", "players")},
            {
                "peer": "192.0.2.1",
                "transport": "websocket",
                "since": "2023-11-14T21:59:00Z",
                "channels": ["gossip", "secret"],
                "players": 2,
            },
        )
        self.assertNotIn(digest(uuid(0xE1)).hex(), json.dumps(game))
        self.service.clock.advance(61)
        self.assertIsNone(self.own()[0]["old_secret_until"])

    def test_offline(self) -> None:
        """An offline game has no sessions and no players."""
        self.world.change("Alpha", owner="Bob")
        (game,) = self.own()
        self.assertEqual((game["online"], game["players"], game["sessions"], game["version"]), (False, [], [], None))


class HistoryTests(TokenTestCase):
    """Messages of hidden channels."""

    def test_hidden(self) -> None:
        """Only admins can read hidden channels; for others they do not exist."""
        self.world.registry.enact(ChannelSaved(Channel("secret", True)))
        self.show("gossip")
        for channel in ("secret", "gossip"):
            self.said(1, channel=channel)
        codes = {
            (name, scope): [
                self.ask(f"/api/v1/channels/{channel}/messages", self.tokens[name, scope])[0]
                for channel in ("gossip", "secret", "nowhere")
            ]
            for name, scope in (("Ana", "admin"), ("Ana", "read"), ("Bob", "admin"), ("Bob", "read"))
        }
        self.assertEqual(codes.pop(("Ana", "admin")), [200, 200, 404])
        self.assertEqual({tuple(each) for each in codes.values()}, {(200, 404, 404)})
        told = self.ask("/api/v1/channels/secret/messages?limit=1", self.tokens["Ana", "admin"])[2]
        self.assertEqual([said["channel"] for said in told["messages"]], ["secret"])
        self.assertEqual(self.ask("/api/v1/channels/secret/messages", None)[0], 404)
        self.assertEqual(self.ask("/api/v1/channels/gossip/messages", "x")[0], 401)


class OperationTests(TokenTestCase):
    """Operations with a token."""

    def test_done(self) -> None:
        """An operation is carried out, and the activity log has its account."""
        code, made = self.operate("game/add", name="My MUD", short_name="MyMUD")
        self.assertEqual((code, made["short_name"]), (200, "MyMUD"))
        registry = self.world.registry
        self.assertIsNotNone(registry.authenticate(made["client_id"], made["client_secret"], NOW))
        (entry,) = self.service.store.entries
        self.assertEqual((entry.actor, entry.operation, entry.subject), ("Ana", "game/add", "My MUD"))
        _, listed = self.operate("audit/list", limit=1)
        self.assertEqual([each["actor"] for each in listed["entries"]], ["Ana"])

    def test_refused(self) -> None:
        """A refused operation has its reason, and an unknown one is 404."""
        self.assertEqual(
            self.operate("game/show", game="Nobody"),
            (400, problem(400, "no such game", code="not-found", field="game")),
        )
        self.assertEqual(
            self.operate("game/show"),
            (400, problem(400, "object missing required field game", code="invalid", field=None)),
        )
        self.assertEqual(self.operate("game/explode"), (404, problem(404, "There is no such operation.")))
        code, _, told = self.ask("/api/v1/admin/game/list", self.tokens["Ana", "admin"], "POST", b"{")
        self.assertEqual(
            (code, told), (400, problem(400, "the arguments must be an object of JSON", code="invalid", field=None))
        )

    def test_nobody_else(self) -> None:
        """No other token can carry out operations."""
        for name, scope in (("Ana", "read"), ("Ana", "metrics"), ("Bob", "admin")):
            self.assertEqual(self.operate("game/disable", name, scope, game="Alpha")[0], 403)
        self.assertEqual(self.ask("/api/v1/admin/game/disable", None, "POST", b'{"game": "Alpha"}')[0], 401)
        self.assertFalse(self.world.game("Alpha").disabled)

    def test_not_kept(self) -> None:
        """An unavailable database is reported without its name."""
        self.service.writer.full = True
        self.assertEqual(
            self.operate("game/disable", game="Alpha"), (503, problem(503, "The database is not responding."))
        )

    def test_gone(self) -> None:
        """An operation is carried out, in its turn, even if its connection closes."""
        self.service.writer.slow = True
        browsers = [Browser(self.site), Browser(self.site)]
        for browser, game in zip(browsers, ("Alpha", "Beta"), strict=True):
            body = json.dumps({"game": game}).encode()
            head = f"POST /api/v1/admin/game/disable HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            browser.send(f"{head}Authorization: Bearer {self.tokens['Ana', 'admin']}\r\n\r\n".encode() + body)
        browsers[1].protocol.connectionLost(_closed())
        self.service.writer.slow = False
        self.service.writer.settle()
        self.assertEqual(browsers[0].read()[0], 200)
        self.assertTrue(self.world.game("Beta").disabled)


def _closed() -> Any:
    from twisted.internet.error import ConnectionLost
    from twisted.python.failure import Failure

    return Failure(ConnectionLost())
