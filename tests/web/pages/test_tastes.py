"""L{gossip.web.pages.tastes}: what somebody wants to see of the talk."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gossip.registry.accounts import IGNORED
from gossip.registry.changes import AccountRemoved, TastesSaved
from gossip.registry.entities import Tastes
from gossip.registry.errors import Refused
from gossip.web.pages.tastes import meant
from tests.support.site_browser import HOSTILE
from tests.support.sites import AdminPagesTestCase, seen
from tests.support.visitor import Visitor

PAGE = "/account/talk"


class TastesTests(AdminPagesTestCase):
    """Root's own tools."""

    def setUp(self) -> None:
        super().setUp()
        for seq, (name, game) in enumerate((("Ana", "Alpha"), ("Bo", "Alpha"), ("Ana", "Beta"), ("Cy", "Gamma")), 1):
            self.said(seq, f"Line {seq}.", name=name, game=game)

    def send(self, deed: str, **fields: str) -> str:
        """A form of the page is sent; returns where it leads."""
        answer = self.root.post(PAGE, {"do": deed, **fields}, at=PAGE)
        self.assertEqual(answer.code, 303, seen(answer))
        return answer.location

    def lines(self, path: str = "/chat/gossip") -> list[int]:
        """The numbers of the lines on a page."""
        text = self.root.get(path).text
        return [seq for seq in range(1, 5) if f"Line {seq}." in text]

    def test_player(self) -> None:
        """What an ignored player says is not on the pages, for this account only; others of that name are."""
        self.assertEqual(self.lines(), [1, 2, 3, 4])
        self.assertEqual(self.send("ignore", who="ana@ALPHA"), f"{PAGE}?done=ignored")
        self.assertEqual(self.lines(), [2, 3, 4])
        self.assertIn("ana@ALPHA", self.root.get(PAGE).text)
        self.send("ignore", who="Ana@Alpha")
        self.assertEqual(self.registry.accounts.tastes_of("Root").ignored, ("ana@ALPHA",))
        self.assertIn("Line 1.", Visitor(self.site).get("/chat/gossip").text)
        self.send("read", who="ana@alpha")
        self.assertEqual(self.lines(), [1, 2, 3, 4])

    def test_game(self) -> None:
        """A game can be ignored as a whole. A link to one of its lines still shows that line."""
        self.assertEqual(self.send("ignore", who="Alpha", back="/chat/gossip"), "/chat/gossip")
        self.assertEqual(self.lines(), [3, 4])
        self.assertEqual(self.lines("/chat/gossip/2"), [2, 3, 4])
        self.assertIn("all of Alpha", self.root.get(PAGE).text)

    def test_own(self) -> None:
        """Nobody can ignore themselves; whoever ignores all people of the pages still sees what they say."""
        answer = self.root.post(PAGE, {"do": "ignore", "who": "root@Gossip"}, at=PAGE)
        self.assertEqual((answer.code, "You cannot ignore yourself." in answer.text), (422, True))
        self.said(5, "Mine.", name="Root", game="gossip")
        self.said(6, "Theirs.", name="Kim", game="gossip")
        self.send("ignore", who="gossip")
        text = self.root.get("/chat/gossip").text
        self.assertEqual(("Mine." in text, "Theirs." in text), (True, False))

    def test_live(self) -> None:
        """The script of the page is told whom to leave out, and whether to disturb."""
        self.assertNotIn("data-ignored", self.root.get("/chat/gossip").body.decode())
        self.send("ignore", who="Ana@Alpha")
        self.send("disturb", undisturbed="1")
        [log] = [each for _, each in self.root.get("/chat/gossip").page.tags if each.get("id") == "log"]
        self.assertEqual((log["data-ignored"], "data-undisturbed" in log), ('["ana@alpha"]', True))
        self.send("disturb")
        self.assertNotIn("data-undisturbed", self.root.get("/chat/gossip").body.decode())

    def test_refused(self) -> None:
        """What is no game and no player is refused, and stays in the field."""
        for who in ("", "@Alpha", "Ana@", "a b", "x" * 201, HOSTILE, "Ana@Al\u202epha"):
            answer = self.root.post(PAGE, {"do": "ignore", "who": who}, at=PAGE)
            self.assertEqual(answer.code, 422, who)
        self.assertEqual(self.root.post(PAGE, {"do": "nothing"}, at=PAGE).code, 422)
        self.assertEqual(self.registry.accounts.tastes, {})
        self.assertEqual(self.send("ignore", who="Alpha", back="//evil.example"), f"{PAGE}?done=ignored")

    def test_many(self) -> None:
        """The list of an account is bounded, and goes with the account."""
        self.registry.enact(TastesSaved(Tastes("Root", tuple(f"g{number}" for number in range(IGNORED)))))
        answer = self.root.post(PAGE, {"do": "ignore", "who": "Alpha"}, at=PAGE)
        self.assertIn(f"You can ignore at most {IGNORED} players and games.", answer.text)
        self.registry.enact(AccountRemoved("Root"))
        self.assertEqual(self.registry.accounts.tastes, {})

    @given(st.text(max_size=30))
    def test_anything(self, who: str) -> None:
        """Whatever is typed is refused, or is kept in a form that fits a game or a player."""
        try:
            kept = meant(who)
        except Refused:
            return
        self.assertEqual((kept, kept.rpartition("@")[2].isalnum()), (who, True))
