"""Days, sums and summaries of figures, without a database."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.desk.domain.case_row import CaseRow, apply_event, register_case
from services.desk.domain.figures.case_sums import ALL, CLASS, NO_PERIOD, NOW, CountedCase, SumChanges, counted_case, period_counts
from services.desk.domain.figures.figure_days import (
    FIRST_TIME,
    OPENED,
    PLACES,
    SHUT,
    TIME_LIMITS,
    CaseFigure,
    note_event,
    note_registration,
    pack,
    packed_days,
    time_place,
    unpack,
)
from services.desk.domain.figures.management_view import SHOWN, parse_figure, parse_view
from services.desk.domain.figures.report_fields import report_days, report_rows
from services.desk.domain.figures.summary import PeriodSums, with_stock
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.clocks import ClockBreached, Escalated
from shared.contracts.events.from_work_to_closing import CalledBack, Closed, Linked, Rated, Reopened, Urged
from tests.support.messaging.sample_organisation import registered_event, sample_complaint

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 9, 24, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DATES = st.dates(date(1990, 1, 1), date(2100, 1, 1))


def case_after(*events: CaseEvent) -> CaseRow:
    row = CaseRow("c1")
    for event in (registered_event(sample_complaint("c1", START), "shop", 3), *events):
        apply_event(row, event, frozenset())
        note_event(row, event, ZONE, 60)
    return row


def event(kind: type[CaseEvent], days: float, **fields: Any) -> CaseEvent:
    return kind(case="c1", at=START + days * DAY, procedure="shop", version=3, **fields)


def days_of(row: CaseRow, place: int) -> list[str]:
    return [day.isoformat() for found, day in map(unpack, row.figures) if found == place]


@given(st.integers(0, SHUT), DATES)
def test_a_packed_number_fits_a_column_and_is_read_back(place: int, day: date) -> None:
    assert unpack(pack(place, day)) == (place, day)
    assert 0 <= pack(place, day) < 2**31


def test_places_do_not_overlap() -> None:
    assert max(CaseFigure) < FIRST_TIME
    assert PLACES <= OPENED
    assert packed_days(CaseFigure.URGED, date(2026, 1, 1), date(2026, 1, 3)) == [pack(8, date(2026, 1, 1)), pack(8, date(2026, 1, 2))]


def test_an_event_counts_on_the_day_of_the_organisations_zone() -> None:
    row = case_after(event(Urged, 0.7), event(Urged, 0.71), event(Escalated, 2, clock="answer", round=1))
    assert days_of(row, CaseFigure.URGED) == ["2026-09-25"]
    assert days_of(row, CaseFigure.ESCALATED) == ["2026-09-26"]
    assert days_of(row, CaseFigure.REGISTERED) == ["2026-09-24"]


def test_an_ended_case_is_on_time_or_late_and_has_its_time() -> None:
    row = case_after(event(Closed, 2), event(Reopened, 3), event(ClockBreached, 4, clock="answer", round=2), event(Closed, 40))
    assert (days_of(row, CaseFigure.ON_TIME), days_of(row, CaseFigure.LATE)) == (["2026-09-26"], ["2026-11-03"])
    assert days_of(row, time_place(2 * DAY)) == ["2026-09-26"]
    assert days_of(row, time_place(40 * DAY)) == ["2026-11-03"]
    year = period_counts(row.figures)["year", date(2026, 1, 1)]
    once = ("ENDED", "CLOSED", "ON_TIME", "LATE", "REOPENED")
    assert {name: year[CaseFigure[name]] for name in (*once, "OPEN")} == dict.fromkeys(once, 1) | {"OPEN": 0}


def test_the_stock_changes_with_the_state_at_the_end_of_a_day() -> None:
    same_day = case_after(event(Closed, 0.1))
    assert (days_of(same_day, OPENED), days_of(same_day, SHUT)) == ([], [])
    again = case_after(event(Closed, 2), event(Reopened, 2.1), event(Closed, 5))
    assert (days_of(again, OPENED), days_of(again, SHUT)) == (["2026-09-24"], ["2026-09-29"])


def test_an_end_that_is_dated_before_its_reopening_leaves_no_negative_stock() -> None:
    row = case_after(event(Closed, 5), event(Reopened, 9), event(Closed, 7), event(Reopened, 8))
    assert period_counts(row.figures)[NOW, NO_PERIOD][CaseFigure.OPEN] == 1
    changes = [(place, day) for place, day in map(unpack, row.figures) if place in (OPENED, SHUT)]
    assert [day for _, day in changes] == sorted(day for _, day in changes)


def test_the_latest_outcome_of_a_period_counts() -> None:
    row = case_after(
        event(CalledBack, 1, outcome="dissatisfied"), event(CalledBack, 1.1, outcome="unreachable"), event(Rated, 10, score=60)
    )
    counts = period_counts(row.figures)
    assert counts["month", date(2026, 9, 1)].get(CaseFigure.UNREACHABLE) == 1
    assert CaseFigure.DISSATISFIED not in counts["month", date(2026, 9, 1)]
    assert counts["month", date(2026, 10, 1)].get(CaseFigure.SATISFIED) == 1
    year = counts["year", date(2026, 1, 1)]
    assert (year.get(CaseFigure.SATISFIED), year.get(CaseFigure.UNREACHABLE), year[CaseFigure.CALLED_BACK]) == (1, None, 1)
    assert days_of(case_after(event(Rated, 1, score=59)), CaseFigure.DISSATISFIED)


def test_a_duplicate_and_a_case_without_registration_count_nothing() -> None:
    assert counted_case(case_after(event(Linked, 1, to_case="c0", **{"as": "duplicate"}))) is None
    assert counted_case(CaseRow("c2")) is None


def test_intakes_and_slas_registration_count_once() -> None:
    row = CaseRow("c1")
    registration = registered_event(sample_complaint("c1", START), "shop", 3)
    register_case(row, registration, frozenset())
    note_registration(row, ZONE)
    note_event(row, registration, ZONE, 60)
    assert days_of(row, CaseFigure.REGISTERED) == days_of(row, OPENED) == ["2026-09-24"]


CASES = st.builds(
    CountedCase,
    figures=st.lists(st.builds(pack, st.sampled_from([*CaseFigure, OPENED, SHUT, FIRST_TIME]), DATES), max_size=6, unique=True).map(tuple),
    procedure=st.sampled_from(["p", "q"]),
    department=st.sampled_from(["", "lifts"]),
    class_=st.sampled_from(["a", "b"]),
    channel=st.just("web"),
    seen_by=st.sampled_from([("d:",), ("d:lifts", "p:wang")]),
    against=st.just(()),
)


def totals(changes: SumChanges) -> Counter[Any]:
    return Counter({key: count for row, counts in changes.rows() for place, count in enumerate(counts) if count for key in [(row, place)]})


@given(st.lists(CASES, min_size=1, max_size=5))
def test_changes_step_by_step_add_up_to_the_last_state(steps: list[CountedCase]) -> None:
    stepwise, at_once = SumChanges(), SumChanges()
    for before, after in zip([None, *steps], steps, strict=False):
        stepwise.add(before, after)
    at_once.add(None, steps[-1])
    assert totals(stepwise) == totals(at_once)


@given(st.lists(CASES, max_size=5))
def test_each_dimension_adds_up_to_all_cases(cases: list[CountedCase]) -> None:
    changes = SumChanges()
    for case in cases:
        changes.add(None, case)
    sums: dict[str, Counter[Any]] = {ALL: Counter(), CLASS: Counter()}
    for (unit, period, _, dimension, _, _), counts in changes.rows():
        if dimension in sums:
            sums[dimension].update({(unit, period, place): count for place, count in enumerate(counts)})
    assert sums[ALL] == sums[CLASS]


def test_the_stock_of_each_period_is_that_of_now_without_what_came_later() -> None:
    months = [date(2026, month, 1) for month in (7, 8, 9)]
    sums = {months[0]: [3, 5], months[2]: [-1, 0], date(2026, 10, 1): [4, 4]}
    found = with_stock(months, sums, 10, (0, 0))
    assert [each.counts for each in found] == [(7, 5), (7, 0), (6, 0)]


def period_sums(times: dict[timedelta, int], **figures: int) -> PeriodSums:
    counts = [0] * PLACES
    for name, count in figures.items():
        counts[CaseFigure[name.upper()]] = count
    for taken, count in times.items():
        counts[time_place(taken)] += count
    return PeriodSums(date(2026, 9, 1), tuple(counts))


def test_the_limit_of_a_share_of_the_closings() -> None:
    sums = period_sums({timedelta(hours=3): 5, 5 * DAY: 4, 1000 * DAY: 1})
    assert sums.closed_within(0.5) == timedelta(hours=4)
    assert sums.closed_within(0.9) == 5 * DAY
    assert sums.closed_within(0.95) == timedelta.max
    assert period_sums({}).closed_within(0.5) is None


@given(st.lists(st.integers(0, 700 * 24 * 60), min_size=1), st.floats(0.01, 1))
def test_the_limit_is_the_least_within_which_the_share_was_closed(minutes: list[int], share: float) -> None:
    taken = [timedelta(minutes=each) for each in minutes]
    counts = [0] * PLACES
    for each in taken:
        counts[time_place(each)] += 1
    limit = PeriodSums(date(2026, 9, 1), tuple(counts)).closed_within(share)
    reached = [each for each in TIME_LIMITS if sum(one <= each for one in taken) >= share * len(taken)]
    assert limit == (reached[0] if reached else timedelta.max)


def test_shares_of_nothing_are_none() -> None:
    assert (period_sums({}).on_time_share, period_sums({}, unreachable=3).satisfaction) == (None, None)
    assert period_sums({}, on_time=3, late=1).on_time_share == 0.75
    assert period_sums({}, satisfied=1, understood=1, unreachable=9).satisfaction == 0.5


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ("month", "2026-09-01", "", "", "")),
        ({"unit": "year", "period": "2025-06-05"}, ("year", "2025-01-01", "", "", "")),
        ({"unit": "century", "period": "soon", "only": "colour:red"}, ("month", "2026-09-01", "", "", "")),
        ({"unit": "week", "period": "9999-12-31"}, ("week", "2026-09-21", "", "", "")),
        ({"period": "0001-01-01", "only": "department:a:b\x00"}, ("month", "2000-01-01", "", "department", "a:b")),
        ({"only": "class:"}, ("month", "2026-09-01", "", "class", "")),
    ],
)
def test_a_view_is_read_from_any_address(parameters: dict[str, str], expected: tuple[str, ...]) -> None:
    view = parse_view(parameters, date(2026, 9, 24))
    assert (view.unit, view.period.isoformat(), view.procedure, view.dimension, view.value) == expected
    assert parse_view(view.as_parameters(), date(2026, 9, 24)) == view
    assert len(view.periods) == SHOWN[view.unit]
    assert view.periods == sorted(set(view.periods))


def test_figures_are_named_in_small_letters() -> None:
    assert parse_figure("on_time") is CaseFigure.ON_TIME
    assert [parse_figure(name) for name in ("ON_TIME", "", "time")] == [None, None, None]


def test_a_report_is_rows_of_names_and_texts() -> None:
    figures = {"received": 3, "timely": {"rate": 0.5, "by_clause": {"3.6": {"rate": None}}}, "time": {"elapsed": 5_400_000_000}}
    rows = report_rows(figures, str.upper)
    assert rows == [("RECEIVED", "3"), ("TIMELY · RATE", "50.0%"), ("TIMELY · BY_CLAUSE · 3.6 · RATE", "–"), ("TIME · ELAPSED", "1.5 h")]
    assert report_days({"from": "2026-09-21T00:00:00+08:00", "to": "2026-09-28T00:00:00+08:00"}) == "2026-09-21 – 2026-09-28"
