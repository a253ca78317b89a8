"""Charts as SVG. The style sheet has their colours and fonts; their input is numbers and our own text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import floor, log10
from typing import Final

from markupsafe import Markup, escape
from msgspec import Struct, json

from gossip.web.views.emblem import drawn
from gossip.web.views.formatting import clock, date, number
from gossip.web.views.queries import DAY, Series

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 400, 160, 38, 22, 10
_NOTHING: Final = Markup("")
_ZONE: Final = Markup('<text class="zone" x="{}" y="{}" text-anchor="end">UTC</text>').format(_LEFT - 6, _HEIGHT - 4)
"""The zone of the times on the axis. The script takes it away when it writes them in the reader's."""


class _Box(Struct, frozen=True):
    """Where the lines of a chart are."""

    left: float
    top: float
    across: float
    down: float


def sparkline(values: Sequence[int | None], what: str) -> Markup:
    """
    A line without axes, with gaps where nothing was counted.

    @param what: what it shows, for screen readers.
    """
    counted = [value for value in values if value is not None]
    now = "not counted" if not values or values[-1] is None else number(values[-1])
    most = max(counted, default=0)
    label = f"{what}: now {now}, at most {number(most)}"
    return Markup(
        '<svg class="sparkline" viewBox="0 0 120 32" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(label, _traces(values, most or 1, _Box(0, 2, 120, 27), 31))


def line_chart(series: Series, what: str = "") -> Markup:
    """
    A line over time, with axes, and with gaps where nothing was counted. It is hidden from screen readers, which have
    the table next to it. The script of charts shows the values under the pointer.

    @param what: what is counted, in the plural: C{players}.
    """
    top = _round_up(max((value for value in series.values if value is not None), default=0))
    across, down = _WIDTH - _LEFT - 8, _HEIGHT - _TOP - _BOTTOM
    parts = [_rules(top, down), _ZONE]
    count = len(series.values)
    for index in _ticks(series):
        left = _LEFT + across * index / max(count - 1, 1)
        start = series.start + index * series.step
        parts.append(
            Markup('<text class="tick" data-at="{}" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                start, left, _HEIGHT - 4, moment(start, series.step)
            )
        )
    parts.append(_traces(series.values, top, _Box(_LEFT, _TOP, across, down), _TOP + down))
    values = json.encode(series.values).decode()
    return _svg(
        parts,
        Markup(
            ' data-start="{}" data-step="{}" data-values="{}" data-what="{}" data-left="{}" data-across="{}"'
        ).format(series.start, series.step, values, what, _LEFT, across),
    )


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
    """A badge for other sites: the emblem of a game, its name and a value."""
    left, right = 36 + 7 * len(label), 14 + 7 * len(value)
    text = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="22" role="img" aria-label="{label}: {value}">'
        "<title>{label}: {value}</title>"
        '<rect width="{width}" height="22" rx="4" fill="#0b1410"/>'
        '<rect x="{left}" width="{right}" height="22" rx="4" fill="{ground}"/>'
        '<svg x="4" y="3" width="16" height="16" viewBox="0 0 7 7">{emblem}</svg>'
        '<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="11">'
        '<text x="27" y="15" fill="#d9e4dd" textLength="{label_length}" lengthAdjust="spacingAndGlyphs">{label}</text>'
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
        emblem=drawn(label),
        label_length=left - 36,
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


def _svg(parts: Sequence[Markup], attributes: Markup = _NOTHING) -> Markup:
    body = Markup("").join(parts)
    return Markup('<svg viewBox="0 0 {} {}" aria-hidden="true" focusable="false"{}>{}</svg>').format(
        _WIDTH, _HEIGHT, attributes, body
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


def _traces(values: Sequence[int | None], top: float, box: _Box, base: float) -> Markup:
    """A line for each run of values, and the area between it and the base."""
    last = max(len(values) - 1, 1)
    parts = []
    for counted, run in groupby(enumerate(values), lambda entry: entry[1] is not None):
        if not counted:
            continue
        places = [
            (box.left + box.across * index / last, box.top + box.down * (1 - (value or 0) / top))
            for index, value in run
        ]
        if len(places) == 1:
            # A line of one point cannot be seen.
            [(x, y)] = places
            places = [(max(x - 1, box.left), y), (min(x + 1, box.left + box.across), y)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(
            Markup('<path class="area" d="M{:.1f},{} L{} L{:.1f},{} Z"/><polyline class="trace" points="{}"/>').format(
                places[0][0], base, points.replace(" ", " L"), places[-1][0], base, points
            )
        )
    return Markup("").join(parts)


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
