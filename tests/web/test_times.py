"""Times on pages."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.web.views.layout import templates
from gossip.web.views.times import time_tag

AT = 1795399207.25
"""2026-11-23T02:00:07Z, and a quarter."""


class TimeTests(SynchronousTestCase):
    """One element for one time."""

    def test_forms(self) -> None:
        """Date and clock come from the same source, which the element has for the script."""
        for form, text in (
            ("clock", "02:00"),
            ("seconds", "02:00:07"),
            ("day", "Monday, 23 November 2026"),
            ("date", "23 Nov 2026"),
            ("minute", "23 Nov 2026, 02:00 UTC"),
        ):
            tag = f'<time class="{form}" datetime="2026-11-23T02:00:07Z">{text}</time>'
            self.assertEqual(time_tag(AT, form), tag)  # type: ignore[arg-type]
            self.assertEqual(time_tag("2026-11-23T02:00:07Z", form), tag)  # type: ignore[arg-type]

    def test_ago(self) -> None:
        """A relative time is counted from the time of the page, in both directions."""
        for away, text in ((-3 * 3600, "3 hours ago"), (0, "now"), (61, "in 1 minute"), (-86400, "1 day ago")):
            self.assertIn(f">{text}</time>", time_tag(AT + away, "ago", AT))


class PartsTests(SynchronousTestCase):
    """The shared parts of pages."""

    def written(self, source: str, **values: object) -> str:
        """A piece of a page."""
        return templates().from_string('{% import "parts.html" as parts %}' + source).render(**values)

    def test_escaped(self) -> None:
        """Every part escapes what it is given."""
        bad = "<b>\"'&"
        for source in (
            "{% call parts.menu(bad, bad) %}{{ bad }}{% endcall %}",
            "{{ parts.tabs(bad, [(bad, bad)], bad) }}",
            "{{ parts.drawer_button(bad, bad) }}",
            "{% call parts.drawer(bad, bad) %}{{ bad }}{% endcall %}",
            "{{ parts.copyable(bad, bad) }}",
            "{% call parts.empty(bad, bad) %}{{ bad }}{% endcall %}",
            "{% call parts.confirm(bad, bad, bad, bad, bad, bad) %}{{ bad }}{% endcall %}",
        ):
            written = self.written(source, bad=bad)
            self.assertIn("&lt;b&gt;&#34;&#39;&amp;", written)
            self.assertNotIn('<b>"', written)

    def test_tabs(self) -> None:
        """The tab that is open is marked."""
        written = self.written("{{ parts.tabs('Range', [('?r=week', 'Week'), ('?r=year', 'Year')], '?r=year') }}")
        self.assertIn('<a href="?r=year" aria-current="page">Year</a>', written)
        self.assertIn('<a href="?r=week">Week</a>', written)

    def test_confirm(self) -> None:
        """A question is opened by a button that sends nothing, and sends its form by another."""
        written = self.written("{% call parts.confirm('q', 'New…', 'New?', '/x', 't', 'Yes') %}Sure?{% endcall %}")
        self.assertIn('<button type="button" popovertarget="q">New…</button>', written)
        self.assertIn('id="q" popover role="dialog"', written)
        self.assertIn('<button class="main">Yes</button>', written)
        written = self.written(
            "{% call parts.confirm('q', 'End…', '', '', '', '', about=bad) %}{% endcall %}", bad="<b>"
        )
        self.assertIn('End…<span class="visually-hidden"> &lt;b&gt;</span></button>', written)
