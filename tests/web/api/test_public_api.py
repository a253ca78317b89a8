"""L{gossip.web.api.public_api} and L{gossip.web.api.asyncapi}: data for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.internet.defer import fail

from gossip.operations.catalogue import OPERATIONS
from gossip.protocol import frames, server_events
from gossip.protocol.events import Event, Unknown
from gossip.protocol.server_events import WebConnection
from gossip.registry.changes import AccountSaved, GameSaved, TicketIssued
from gossip.registry.entities import Account, Ticket
from gossip.registry.secret import digest
from gossip.store.errors import StoreError
from tests.support.problems import problem
from tests.support.properties import examples
from tests.support.site_browser import HOSTILE, Browser
from tests.support.sites import PagesTestCase
from tests.support.world import NOW


class ApiTestCase(PagesTestCase):
    """The API of a public site."""

    def ask(self, path: str, code: int = 200, **headers: str) -> Any:
        """An answer, read."""
        got, heads, body = Browser(self.site).ask("GET", path, b"", **headers)
        kind = "application/json" if code == 200 else "application/problem+json"
        self.assertEqual((got, heads["content-type"]), (code, kind), path)
        self.assertEqual(heads["access-control-allow-origin"], "*")
        return json.loads(body)


class ApiTests(ApiTestCase):
    """C{/api/v1}."""

    def test_games(self) -> None:
        """All games are listed, online first, and each has its own path with its details."""
        self.world.change("Beta", connections=(WebConnection("https://beta.example/"),))
        self.service.join("Beta", players=["Bo", "Ana"], channels=["gossip"])
        self.show("gossip")
        games = self.ask("/api/v1/games")["games"]
        self.assertEqual([game["game"] for game in games], ["Beta", "Alpha", "Delta", "Gamma"])
        beta = self.ask("/api/v1/games/beta")
        self.assertEqual({key: beta[key] for key in games[0]}, games[0])
        self.assertEqual((beta["online"], beta["players"], beta["channels"]), (True, ["Ana", "Bo"], ["gossip"]))
        self.assertEqual(beta["connections"], [{"type": "web", "url": "https://beta.example/"}])
        self.assertEqual(beta["players_over_time"]["values"][-1], 2)

    def test_hidden(self) -> None:
        """Hidden games, channels, players and client_ids do not appear."""
        self.world.change("Alpha", hidden=True)
        self.world.change("Beta", hides_players=True)
        self.service.join("Alpha", players=["Ana"], channels=["secret"])
        self.service.join("Beta", players=["Bozo"], channels=["secret"])
        for path in ("games", "games/Beta", "channels", "statistics"):
            text = json.dumps(self.ask(f"/api/v1/{path}"))
            for word in ("Alpha", "Ana", "Bozo", "secret", self.world.game("Beta").client_id):
                self.assertNotIn(word, text, path)
        self.assertEqual(self.ask("/api/v1/games/Alpha", 404), problem(404, "There is no such game."))
        self.assertEqual(self.ask("/api/v1/channels/secret/messages", 404), problem(404, "There is no such channel."))
        self.assertIsNone(self.ask("/api/v1/games/Beta")["players_over_time"])

    def test_messages(self) -> None:
        """The history of a channel has pages, in both directions."""
        self.show("gossip")
        for seq in range(1, 11):
            self.said(seq, HOSTILE)
        path = "/api/v1/channels/gossip/messages"
        answer = self.ask(f"{path}?limit=3")
        self.assertEqual(([each["seq"] for each in answer["messages"]], answer["more"]), ([8, 9, 10], True))
        expected = {"channel": "gossip", "seq": 10, "game": "Alpha", "name": "Ana", "message": HOSTILE}
        self.assertEqual(answer["messages"][-1], {**expected, "said_at": "2023-11-14T22:00:00Z", "removed": None})
        for query, numbers, more in (
            ("before=4&limit=2", [2, 3], True),
            ("before=3", [1, 2], False),
            ("after=8", [9, 10], False),
            ("after=2&limit=2", [3, 4], True),
            ("after=10", [], False),
        ):
            answer = self.ask(f"{path}?{query}")
            self.assertEqual(([each["seq"] for each in answer["messages"]], answer["more"]), (numbers, more), query)
        for query in ("limit=0", "limit=101", "before=x", "after=%00"):
            self.ask(f"{path}?{query}", 400)

    def test_statistics(self) -> None:
        """The statistics of the network are right."""
        self.service.join("Alpha", players=["Ana"])
        self.show("gossip")
        self.said(1, at=NOW - 10)
        told = self.ask("/api/v1/statistics")
        self.assertEqual((told["games"], told["games_online"], told["players_online"]), (4, 1, 1))
        self.assertEqual((sum(told["messages_over_time"]["values"]), told["players_over_time"]["values"][-1]), (1, 1))

    def test_etag(self) -> None:
        """An unchanged answer is not sent again."""
        headers = Browser(self.site).ask("GET", "/api/v1/games")[1]
        again = Browser(self.site).ask("GET", "/api/v1/games", b"", If_None_Match=headers["etag"])
        self.assertEqual((again[0], again[2], again[1]["etag"]), (304, b"", headers["etag"]))
        self.assertNotIn("content-length", again[1])  # that of the answer itself is another
        for known in (f"W/{headers['etag']}", f'"x", W/{headers["etag"]}, "y"', "*"):
            self.assertEqual(Browser(self.site).ask("HEAD", "/api/v1/games", b"", If_None_Match=known)[0], 304, known)
        self.service.join("Alpha")
        self.assertEqual(Browser(self.site).ask("GET", "/api/v1/games", b"", If_None_Match=headers["etag"])[0], 200)

    def test_no_database(self) -> None:
        """An unavailable database is reported in JSON, and the document says so."""
        self.show("gossip")
        paths = self.ask("/api/v1/openapi.json")["paths"]
        self.in_thread = lambda *call: fail(StoreError("/secret/gossip.db: no"))
        for path in ("games/{name}", "channels/{name}/messages", "statistics"):
            asked = path.replace("{name}", "gossip" if "channels" in path else "Alpha")
            self.assertEqual(self.ask(f"/api/v1/{asked}", 503), problem(503, "The database is not responding."))
            self.assertIn("503", paths[f"/api/v1/{path}"]["get"]["responses"])

    def test_read_only(self) -> None:
        """The API cannot change anything without a token."""
        for method in ("POST", "PUT", "DELETE"):
            code, headers, body = Browser(self.site).ask(method, "/api/v1/games")
            self.assertEqual((code, headers["content-type"]), (405, "application/problem+json"))
            self.assertEqual(json.loads(body)["status"], 405)

    def test_unknown(self) -> None:
        """A path of the API that does not exist is a problem in JSON, for a browser as well."""
        for path in ("/api/v1/nothing", "/api/v2/games", "/api/"):
            code, headers, body = Browser(self.site).ask("GET", path, b"", Accept="text/html")
            self.assertEqual((code, headers["content-type"]), (404, "application/problem+json"), path)
            self.assertEqual(json.loads(body)["title"], "Not Found")

    @examples(20)
    @given(st.text(max_size=60))
    def test_any_text(self, text: str) -> None:
        """JSON carries any text in names and messages."""
        self.setUp()
        self.world.registry.enact(GameSaved(replace(self.world.game("Alpha"), name=text, description=text)))
        self.show("gossip", text)
        self.said(1, text, name=text, game=text)
        self.assertIn(text, [game["display_name"] for game in self.ask("/api/v1/games")["games"]])
        self.assertEqual(self.ask("/api/v1/channels/gossip/messages")["messages"][0]["message"], text)


class DocumentTests(ApiTestCase):
    """The documents for programs."""

    def references(self, document: Any) -> Iterator[str]:
        """The references of a document."""
        for key, value in document.items() if isinstance(document, dict) else enumerate(document):
            if key == "$ref":
                yield value
            elif isinstance(value, dict | list):
                yield from self.references(value)

    def check(self, document: Any) -> None:
        """Every reference leads to something in the document."""
        for reference in {*self.references(document)}:
            found = document
            for part in reference.removeprefix("#/").split("/"):
                self.assertIn(part, found, reference)
                found = found[part]

    def token(self, scope: str = "admin") -> str:
        """Create a token of an admin, with the scope admin by default."""
        self.world.registry.enact(AccountSaved(Account(name="Ana", admin=True)))
        self.world.registry.enact(TicketIssued(Ticket(digest=digest("x"), kind="token", account="Ana", scope=scope)))
        return "Bearer x"

    def check_answer(self, answer: Any, response: Any, document: Any, what: str) -> None:
        """An answer has exactly the fields of its schema."""
        ((kind, content),) = response["content"].items()
        schema = content["schema"]
        name = schema.get("$ref", "").rpartition("/")[2]
        if name:
            schema = document["components"]["schemas"][name]
            refused = {"code", "field"} if kind == "application/problem+json" and "code" not in answer else set()
            self.assertEqual(set(answer), set(schema["properties"]) - refused, what)
            for each in schema["properties"]:
                found = schema["properties"][each].get("items", {}).get("$ref")
                for one in answer[each] if found else ():
                    inner = {"content": {"application/json": {"schema": {"$ref": found}}}}
                    self.check_answer(one, inner, document, f"{what} {each}")
        else:
            self.assertEqual((schema, type(answer)), ({"type": "object"}, dict), what)

    def test_openapi(self) -> None:
        """The OpenAPI document has every path of the API, and each answers as it says."""
        self.show("gossip")
        self.said(1)
        document = self.ask("/api/v1/openapi.json")
        self.check(document)
        self.assertEqual(document, self.ask("/api/v1/"))
        self.assertEqual(document, self.ask("/api/v1"))
        token = self.token()
        self.world.change("Alpha", owner="Ana")
        self.service.join("Alpha", players=["Bo"], channels=["gossip"])
        for path, operations in document["paths"].items():
            ((method, operation),) = operations.items()
            self.assertEqual(method == "post", path.startswith("/api/v1/admin/"), path)
            asked = path.replace("{name}", "gossip" if "channels" in path else "Alpha")
            asked += "?q=hello" if path.endswith("/search") else ""
            closed = operation.get("security") == [{"token": []}]
            headers = {"Authorization": token} if closed else {}
            code, _, body = Browser(self.site).ask(method.upper(), asked, b"", **headers)
            response = operation["responses"].get(str(code))
            self.assertIsNotNone(response, (path, code, body))
            self.assertIn(code, (200, 400) if method == "post" else (200,), (path, body))
            self.check_answer(json.loads(body), response, document, path)
            code, _, body = Browser(self.site).ask(method.upper(), asked)
            self.assertEqual(code, 401 if closed else 200, path)
            self.check_answer(json.loads(body), operation["responses"][str(code)], document, path)
        patterns = [pattern.pattern.decode() for pattern, _ in self.site.resource._patterns]
        served = {re.sub(r"\(.*?\)", "{name}", pattern.replace("\\", "")) for pattern in patterns}
        served |= {path.decode() for path in self.site.resource._exact}
        served = {path for path in served if path.startswith("/api/")} - {"/api/v1", "/api/v1/", "/api/v1/openapi.json"}
        self.assertLessEqual(served, {*document["paths"], "/api/v1/admin/{name}/{name}"})

    def test_wrong_scope(self) -> None:
        """The document lists the refusals of every path that takes a token."""
        self.show("gossip")
        self.token("metrics")
        paths = self.ask("/api/v1/openapi.json")["paths"]
        for path in ("/api/v1/channels/{name}/messages", "/api/v1/account/games"):
            asked = path.replace("{name}", "gossip")
            self.assertEqual(Browser(self.site).ask("GET", asked, b"", Authorization="Bearer x")[0], 403)
            self.assertIn("403", paths[path]["get"]["responses"])

    def test_operations(self) -> None:
        """The document has every operation with the schema of its arguments."""
        document = self.ask("/api/v1/openapi.json")
        prefix = "/api/v1/admin/"
        documented = {path.removeprefix(prefix) for path in document["paths"] if path.startswith(prefix)}
        self.assertEqual(documented, set(OPERATIONS))
        for wire, kind in OPERATIONS.items():
            operation = document["paths"][prefix + wire]["post"]
            self.assertEqual(operation["security"], [{"token": []}])
            self.assertTrue(operation["summary"].endswith("."), operation["summary"])
            self.assertNotIn("{", operation["summary"])
            name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            arguments = document["components"]["schemas"][name]
            self.assertEqual(set(arguments["properties"]), set(kind.__struct_fields__), wire)
        for name, schema in document["components"]["schemas"].items():
            self.assertRegex(schema["description"], r"^[A-Z][^{}@\n]+[.?]$", name)
        pause = document["components"]["schemas"]["ChannelPause"]
        self.assertEqual(pause["required"], ["channel"])
        self.assertEqual(pause["properties"]["minutes"]["default"], 30)

    def test_deprecated(self) -> None:
        """The description marks the operations that go away, and no others."""
        paths = self.ask("/api/v1/openapi.json")["paths"]
        marked = {
            path.removeprefix("/api/v1/admin/")
            for path, kinds in paths.items()
            if "deprecated" in str(kinds.get("post", {}).keys())
        }
        self.assertEqual(marked, {wire for wire, operation in OPERATIONS.items() if operation.deprecated})
        self.assertIn("channel/show", marked)

    def test_asyncapi(self) -> None:
        """The AsyncAPI document has every event that a game can send, with the schema of its payload."""
        document = self.ask("/asyncapi.json")
        self.check(document)
        messages = document["components"]["messages"]
        sent = {message["name"] for name, message in messages.items() if name.startswith("send-")}
        wires = {event.wire for event in Event.__subclasses__()}
        readable = {
            wire for wire in wires if not isinstance(frames.decode(b'{"event": "%b"}' % wire.encode()), Unknown)
        }
        self.assertEqual(sent, readable)
        send = messages["send-channels-send"]["payload"]
        self.assertEqual(set(send["properties"]["payload"]["required"]), {"channel", "name", "message"})
        self.assertEqual(send["properties"]["event"], {"const": "channels/send"})
        heard = messages["from-network-channels-broadcast"]["payload"]["properties"]["payload"]
        self.assertEqual(set(heard["required"]), {"channel", "game", "name", "message"})
        self.assertLessEqual({"id", "seq", "sent_at", "emote"}, set(heard["properties"]))
        resumed, status = (messages[f"answer-{name}"]["payload"] for name in ("channels-history", "games-status"))
        self.assertEqual((resumed["required"], status["required"]), (["event", "payload"], ["event", "ref", "payload"]))
        changed = messages["from-network-channels-changed"]["payload"]["properties"]["payload"]
        listed = messages["answer-channels-list"]["payload"]["properties"]["payload"]
        self.assertEqual(set(changed["required"]), {*server_events.ChannelOf.__struct_fields__, "change"})
        self.assertEqual(set(listed["properties"]), {"total", "channels"})
        presence, end = (
            messages[f"{way}-games-status"]["payload"]["properties"]["payload"] for way in ("answer", "end")
        )
        self.assertLessEqual({"online", "uptime_seconds", "last_seen_at"}, {*presence["properties"]})
        self.assertNotIn("online", presence["required"])
        self.assertEqual(end["required"], ["total"])
        # As in OpenAPI it would be an object, which no reader of AsyncAPI takes.
        self.assertNotIn("discriminator", json.dumps(document))
        self.assertEqual(document["servers"]["this"], {"host": "mud.example:4110", "protocol": "ws"})
