"""L{gossip.operations.filters}."""

from __future__ import annotations

from gossip.registry.changes import FilterRemoved, FilterSaved, MessageSaid
from gossip.registry.entities import Filter
from gossip.registry.filters import FILTERS
from tests.support.operations import AdminTestCase
from tests.support.world import NOW

SET = {"set_by": "unix:ana", "set_at": "2023-11-14T22:00:00.000Z"}


class FilterTests(AdminTestCase):
    """Word filters."""

    def test_add_list_remove(self) -> None:
        """A filter is kept in lower case, listed, replaced and removed."""
        self.perform("channel/create", channel="gossip")
        shown = {"text": "buy gold", "channel": None, "substring": False, "action": "refuse", "reason": "No ads", **SET}
        self.assertEqual(self.perform("filter/add", text=" Buy  GOLD", reason="No ads"), shown)
        kept = Filter(text="buy gold", reason="No ads", set_by="unix:ana", set_at=NOW)
        self.assertEqual(self.change, FilterSaved(kept))
        self.perform("filter/add", text="ass", reason="So", channel="gossip", substring=True, action="mask")
        self.assertEqual([each["text"] for each in self.perform("filter/list")["filters"]], ["ass", "buy gold"])
        self.assertRefused("there is no such filter", "filter/remove", text="ass")
        self.assertEqual(self.perform("filter/remove", text="BUY gold"), shown)
        self.assertEqual(self.change, FilterRemoved("buy gold", ""))

    def test_refused(self) -> None:
        """A filter that can match nothing is refused, and so is one too many."""
        for text, substring, error in (
            ("", False, "a filter has 1 to 64 characters, without control characters and tags"),
            ("a\x1bb", True, "a filter has 1 to 64 characters, without control characters and tags"),
            ("x" * 65, False, "a filter has 1 to 64 characters, without control characters and tags"),
            ("***", False, "a filter that contains no whole word needs substring matching"),
        ):
            self.assertRefused(error, "filter/add", text=text, reason="So", substring=substring)
        self.perform("filter/add", text="***", reason="So", substring=True)
        self.perform("filter/remove", text="***")
        self.perform("filter/add", text="می\u200cخواهم", reason="So")
        for number in range(FILTERS - 1):
            kept = Filter(text=f"x{number}", reason="So", set_by="ana", set_at=NOW)
            self.registry.filters.kept[kept.text, ""] = kept
        self.assertRefused("there are 2000 filters already, the maximum", "filter/add", text="one", reason="So")
        self.perform("filter/add", text="x1", reason="Because")

    def test_try(self) -> None:
        """A trial shows what a filter would have hit, and changes nothing."""
        self.perform("channel/create", channel="gossip")
        for seq, text in enumerate(("class", "You ass", "Hi"), 1):
            self.memory.said.append(MessageSaid("gossip", seq, None, "Alpha", "Ana", text, NOW))
        tried = self.perform("filter/try", text="ASS", channel="gossip")
        self.assertEqual((tried["messages"], tried["hits"], [each["seq"] for each in tried["shown"]]), (3, 1, [2]))
        self.assertIsNone(self.change)
        self.assertEqual(self.perform("filter/try", text="ass", substring=True)["hits"], 2)
        self.assertEqual(self.perform("filter/try", text="ana")["hits"], 3)
        self.assertRefused("no such channel", "filter/try", text="ass", channel="nowhere")
        self.assertRefused("a filter that contains no whole word needs substring matching", "filter/try", text="*")
