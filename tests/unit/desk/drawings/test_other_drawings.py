"""Month calendar, plots and timeline: inside the picture, told apart without colour, with the same data as a table."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.desk.domain.figures.periods import PERIOD_UNITS, PeriodUnit, next_period, period_label, period_start, periods_between
from services.desk.drawings.case_timeline import CaseTimelineData, TimelineItem, TimelineSpan, draw_case_timeline
from services.desk.drawings.month_calendar import calendar_days, draw_month
from services.desk.drawings.plots.distribution import Share, draw_distribution
from services.desk.drawings.plots.period_bars import PeriodFigures, PeriodRatio, PeriodSeries, draw_period_figures
from services.desk.drawings.plots.scale import scale_for
from services.desk.drawings.words import DAY_MARKS, WEEKDAYS, WORDS
from shared.procedures.calendars.calendar import Calendar
from tests.unit.desk.drawings.svg_picture import LONG_NAMES, assert_readable

LANGUAGES = st.sampled_from(["zh", "en"])
NAMES = st.sampled_from(LONG_NAMES)
CALENDAR = Calendar.parse({"id": "c", "version": "1", "days": {"2026-10-12": ["09:00-12:00"]}})
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)


def test_both_languages_have_every_word() -> None:
    assert WORDS["zh"].keys() == WORDS["en"].keys()
    assert DAY_MARKS["zh"].keys() == DAY_MARKS["en"].keys()
    assert len(WEEKDAYS["zh"]) == len(WEEKDAYS["en"]) == 7


def test_month_names_days_off_make_up_days_and_half_days() -> None:
    drawing = draw_month(calendar_days(CALENDAR, FIRST, LAST), {date(2026, 10, 9): "到期 18:00"}, "zh", "m", today=date(2026, 10, 8))
    states = [row[1] for row in drawing.table.rows]
    assert states[:12] == ["放假"] * 7 + ["工作日", "工作日", "调休上班", "周末", "工时不同"]
    assert drawing.table.rows[11][2] == "09:00-12:00"
    assert drawing.table.rows[8] == ("10月9日 周五", "工作日", "09:00-12:00, 13:00-18:00", "到期 18:00")
    picture = assert_readable(drawing.svg)
    assert [text.text for text in picture.texts() if text.css_class == "label"] == ["现在", "到期 18:00"]
    assert len(picture.of_class("cell")) == 31


def test_a_day_whose_schedule_is_not_announced_says_so() -> None:
    drawing = draw_month(calendar_days(CALENDAR, date(2027, 1, 1), date(2027, 1, 31)), {}, "en", "m")
    assert drawing.table.rows[0][1] == "day off · not announced"
    assert drawing.table.rows[3][1] == "working day · not announced"


@settings(max_examples=25, deadline=None)
@given(st.dates(date(2025, 1, 1), date(2027, 12, 31)), NAMES, LANGUAGES)
def test_month_fits_long_notes(day: date, note: str, language: Any) -> None:
    first = day.replace(day=1)
    last = next_period(first, "month") - timedelta(days=1)
    assert_readable(draw_month(calendar_days(CALENDAR, first, last), {day: note}, language, "m", today=day).svg)


@st.composite
def figures(draw: st.DrawFn) -> PeriodFigures:
    unit = draw(st.sampled_from(PERIOD_UNITS))
    first = draw(st.dates(date(2024, 1, 1), date(2026, 12, 31)))
    periods = periods_between(first, first + timedelta(days=draw(st.integers(0, 500))), unit)
    numbers = st.one_of(st.just(0.0), st.floats(0, 1e6), st.integers(0, 30).map(float))
    count = len(periods)
    series = draw(st.lists(st.tuples(NAMES, st.lists(numbers, min_size=count, max_size=count)), min_size=0, max_size=8))
    shares = draw(st.lists(st.none() | st.floats(0, 1), min_size=count, max_size=count))
    ratio = PeriodRatio(draw(NAMES), tuple(shares)) if draw(st.booleans()) else None
    labels = tuple(period_label(start, unit) for start in periods)
    return PeriodFigures(draw(NAMES), labels, tuple(PeriodSeries(name, tuple(values)) for name, values in series), ratio)


@settings(max_examples=25, deadline=None)
@given(figures(), LANGUAGES)
def test_period_plot_stays_inside_and_lists_every_value(plot: PeriodFigures, language: Any) -> None:
    drawing = draw_period_figures(plot, language, "p")
    picture = assert_readable(drawing.svg)
    assert len(drawing.table.rows) == len(plot.periods)
    assert {len(row) for row in drawing.table.rows} <= {len(drawing.table.heads)}
    ticks = [text for text in picture.texts() if text.css_class == "tick" and text.text in plot.periods]
    assert all(earlier.right <= later.left for earlier, later in pairwise(ticks))


def test_stacked_bars_differ_by_pattern_and_a_period_without_cases_breaks_the_ratio() -> None:
    series = tuple(PeriodSeries(name, (1.0, 2.0, 3.0)) for name in "abcdefg")
    plot = PeriodFigures("t", ("2026-01", "2026-02", "2026-03"), series, PeriodRatio("r", (0.5, None, 1.0)))
    picture = assert_readable(draw_period_figures(plot, "en", "p").svg)
    fills = {element.get("class"): element.get("fill") for element in picture.root.iter() if "series" in element.get("class", "")}
    assert len(set(fills.values())) == len(fills) == 5
    assert "other (3)" in {text.text for text in picture.texts()}
    assert len(picture.of_class("ratio-dot")) == 2
    assert not [element for element in picture.of_class("ratio") if element.tag.endswith("polyline")]
    assert draw_period_figures(plot, "en", "p").table.rows[1] == ("2026-02", *["2"] * 7, "14", "none")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(NAMES, st.floats(0, 1e9)), max_size=20), NAMES, LANGUAGES)
def test_distribution_stays_inside(shares: list[tuple[str, float]], title: str, language: Any) -> None:
    drawing = draw_distribution(title, [Share(*each) for each in shares], language, "d")
    assert_readable(drawing.svg)
    assert len(drawing.table.rows) == len(shares)


@pytest.mark.parametrize(
    ("day", "unit", "label"),
    [
        (date(2027, 1, 2), "week", "2026-W53"),
        (date(2026, 9, 24), "month", "2026-09"),
        (date(2026, 9, 24), "quarter", "2026-Q3"),
        (date(2026, 12, 31), "year", "2026"),
    ],
)
def test_periods_have_one_name_in_both_languages(day: date, unit: PeriodUnit, label: str) -> None:
    assert period_label(period_start(day, unit), unit) == label


@given(st.dates(date(2000, 1, 1), date(2099, 1, 1)), st.sampled_from(PERIOD_UNITS))
def test_each_day_lies_in_its_period(day: date, unit: PeriodUnit) -> None:
    start = period_start(day, unit)
    assert start <= day < next_period(start, unit)
    assert period_start(next_period(start, unit), unit) == next_period(start, unit)


@given(st.floats(0, 1e12))
def test_the_scale_reaches_the_largest_value_with_few_ticks(largest: float) -> None:
    scale = scale_for(largest)
    assert scale.top >= largest
    assert 2 <= len(scale.ticks) <= 6
    assert scale.ticks[-1] == pytest.approx(scale.top)


ITEMS = st.builds(
    TimelineItem,
    st.integers(0, 365 * 86_400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)),
    st.sampled_from(["event", "message", "attachment", "link"]),
    NAMES,
)


@settings(max_examples=20, deadline=None)
@given(st.lists(ITEMS, max_size=300), NAMES, LANGUAGES, st.booleans())
def test_timeline_counts_every_item_and_stays_inside(items: list[TimelineItem], name: str, language: Any, is_open: bool) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    spans = [TimelineSpan(now, None if is_open else now + timedelta(days=9), name, "paused" if is_open else "missed")]
    drawing = draw_case_timeline(CaseTimelineData(name, items, spans, now), language, "t")
    picture = assert_readable(drawing.svg)
    assert len(drawing.table.rows) == len(items) + 2
    marks = picture.of_class("lane")
    counts = [int(element.text or "") for element in picture.of_class("count")]
    assert sum(counts) + len(marks) - len(counts) == len(items)
