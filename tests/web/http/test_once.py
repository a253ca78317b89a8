"""L{gossip.web.http.once}: a form that comes twice is carried out once."""

from __future__ import annotations

import re

from gossip.web.http.once import REMEMBERED
from tests.support.sites import OwnerTestCase


class OnceTests(OwnerTestCase):
    """A form that leads to another page."""

    def setUp(self) -> None:
        super().setUp()
        self.ana.get("/manage/Alpha/profile")
        self.form = {"csrf": self.ana.csrf, "sent": "1", "name": "Once"}

    def rotations(self) -> int:
        """How many secrets the game got."""
        return sum(entry.operation == "game/rotate" for entry in self.service.store.entries)

    def test_again(self) -> None:
        """The same form leads to the same page, and does nothing more, until it is forgotten."""
        pages = {self.ana.post("/manage/Alpha/secret", self.form).body for _ in range(3)}
        self.assertEqual((self.rotations(), len({self.secret(page) for page in pages})), (1, 1))
        self.service.clock.advance(REMEMBERED + 1)
        self.ana.post("/manage/Alpha/secret", self.form)
        self.assertEqual(self.rotations(), 2)

    def secret(self, page: bytes) -> str:
        """The secret that a page shows."""
        return re.findall('id="secret">([0-9a-f-]{36})<', page.decode())[0]  # type: ignore[no-any-return]

    def test_another(self) -> None:
        """A form with other values, from a page that was made anew, or from another browser is another form."""
        self.ana.post("/manage/Alpha/secret", self.form)
        self.ana.post("/manage/Alpha/secret", {**self.form, "more": "1"})
        self.ana.get("/manage/Alpha/profile")
        self.assertNotEqual(self.ana.csrf, self.form["csrf"])
        self.ana.post("/manage/Alpha/secret", {**self.form, "csrf": self.ana.csrf})
        self.assertEqual(self.rotations(), 3)
        self.assertEqual(self.bo.post("/manage/Beta/secret", self.form).code, 403)

    def test_at_once(self) -> None:
        """The second of two at once waits for the first, and leads to the same page."""
        self.service.writer.slow = True
        browsers = [self.later(self.ana, "/manage/Alpha/secret", self.form) for _ in range(2)]
        self.service.writer.settle()
        self.assertEqual([browser.read()[0] for browser in browsers], [303, 303])
        self.assertEqual(self.rotations(), 1)

    def test_refused(self) -> None:
        """A form that is refused is judged anew each time."""
        self.assertEqual(self.ana.post("/manage/Alpha/profile", {**self.form, "name": ""}).code, 422)
        self.assertEqual(self.ana.post("/manage/Alpha/profile", {**self.form, "name": ""}).code, 422)
