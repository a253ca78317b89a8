"""Charts as SVG. The style sheet has their colours and fonts; their input is numbers and our own text."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10

from markupsafe import Markup, escape

from gossip.web.views.formatting import clock, date, number
from gossip.web.views.queries import DAY, Series

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 400, 160, 38, 22, 10


def sparkline(values: Sequence[float], what: str) -> Markup:
    """
    A line without axes.

    @param what: what it shows, for screen readers.
    """
    most = max(values, default=0)
    label = f"{what}: now {number(values[-1] if values else 0)}, at most {number(most)}"
    points = _points(values, most or 1, 0, 0, 120, 28)
    return Markup(
        '<svg class="sparkline" viewBox="0 0 120 32" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path class="area" d="M0,31 L{} L120,31 Z"/><polyline class="trace" points="{}"/></svg>'
    ).format(label, points.replace(" ", " L"), points)


def line_chart(series: Series) -> Markup:
    """A line over time, with axes. It is hidden from screen readers, which have the table next to it."""
    top = _round_up(max(series.values))
    across, down = _WIDTH - _LEFT - 8, _HEIGHT - _TOP - _BOTTOM
    points = _points(series.values, top, _LEFT, _TOP, across, down)
    base = _TOP + down
    parts = [_rules(top, down)]
    count = len(series.values)
    for index in _ticks(series):
        left = _LEFT + across * index / max(count - 1, 1)
        label = moment(series.start + index * series.step, series.step)
        parts.append(Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(left, _HEIGHT - 4, label))
    parts.append(
        Markup('<path class="area" d="M{},{} L{} L{},{} Z"/><polyline class="trace" points="{}"/>').format(
            _LEFT, base, points.replace(" ", " L"), _LEFT + across, base, points
        )
    )
    return _svg(parts)


def hour_chart(values: Sequence[float]) -> Markup:
    """A bar for each hour of the day."""
    top = _round_up(max(values))
    across, down = _WIDTH - _LEFT - 8, _HEIGHT - _TOP - _BOTTOM
    parts = [_rules(top, down)]
    for hour, value in enumerate(values):
        left = _LEFT + across * hour / 24
        tall = down * value / top
        parts.append(
            Markup('<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="2"/>').format(
                left + 2, _TOP + down - tall, across / 24 - 4, tall
            )
        )
        if hour % 3 == 0:
            middle = left + across / 48
            parts.append(
                Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{:02d}</text>').format(middle, _HEIGHT - 4, hour)
            )
    return _svg(parts)


def badge(label: str, value: str, lit: bool) -> bytes:
    """A badge for other sites: a label and a value."""
    left, right = 14 + 7 * len(label), 14 + 7 * len(value)
    text = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="22" role="img" aria-label="{label}: {value}">'
        "<title>{label}: {value}</title>"
        '<rect width="{width}" height="22" rx="4" fill="#0b1410"/>'
        '<rect x="{left}" width="{right}" height="22" rx="4" fill="{ground}"/>'
        '<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="11">'
        '<text x="7" y="15" fill="#d9e4dd" textLength="{label_length}" lengthAdjust="spacingAndGlyphs">{label}</text>'
        '<text x="{value_at}" y="15" fill="#fff" textLength="{value_length}"'
        ' lengthAdjust="spacingAndGlyphs">{value}</text>'
        "</g></svg>\n"
    ).format(
        label=label,
        value=value,
        width=left + right,
        left=left,
        right=right,
        ground="#0b6b3a" if lit else "#53615a",
        label_length=left - 14,
        value_at=left + 7,
        value_length=right - 14,
    )
    return text.encode("utf-8", "replace")


def moment(seconds: float, step: int) -> str:
    """A time for the axis of a chart, in UTC."""
    when = date(seconds)
    if step >= DAY:
        return f"{when:%b %Y}" if step > 3 * DAY else f"{when.day} {when:%b}"
    return f"{when:%a} {clock(seconds)}" if step < 2 * 3600 else f"{when.day} {when:%b}"


def exact(seconds: float, step: int) -> str:
    """A time for a table, in UTC."""
    when = date(seconds)
    return f"{when.day} {when:%b %Y}" + (f", {clock(seconds)}" if step < DAY else "")


def _svg(parts: Sequence[Markup]) -> Markup:
    body = Markup("").join(parts)
    return Markup('<svg viewBox="0 0 {} {}" aria-hidden="true" focusable="false">{}</svg>').format(
        _WIDTH, _HEIGHT, body
    )


def _rules(top: int, down: int) -> Markup:
    """Three horizontal lines with their values."""
    parts = []
    for share in (0, 1) if top == 1 else (0, 0.5, 1):
        height = _TOP + down * (1 - share)
        value = escape(number(int(top * share) if top * share == int(top * share) else top * share))
        parts.append(
            Markup(
                '<line class="rule" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
                '<text x="{}" y="{:.1f}" text-anchor="end">{}</text>'
            ).format(_LEFT, _WIDTH - 8, height, height, _LEFT - 6, height + 4, value)
        )
    return Markup("").join(parts)


def _points(values: Sequence[float], top: float, left: float, upper: float, across: float, down: float) -> str:
    last = max(len(values) - 1, 1)
    return " ".join(
        f"{left + across * index / last:.1f},{upper + down * (1 - value / top):.1f}"
        for index, value in enumerate(values)
    )


def _round_up(most: float) -> int:
    """The end of an axis: a round number whose half is round, too."""
    if most <= 1:
        return 1
    size: int = 10 ** floor(log10(most))
    steps = (1, 2, 4, 6, 8, 10) if size == 1 else (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10)
    step = next(step for step in steps if step * size >= most)
    return round(step * size)


def _ticks(series: Series) -> range:
    every = max(1, len(series.values) // 4)
    return range(every // 2, len(series.values), every)
