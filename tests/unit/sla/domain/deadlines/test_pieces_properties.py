"""Calendars that follow one another, against a brute-force counter and against a single calendar that is cut in pieces."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla.domain.deadlines.calendar_pieces import CalendarPieces, calendar_with_changes, count_duration
from services.sla.domain.deadlines.counting import CountingRule, add_duration
from services.sla.domain.deadlines.deadline import Extension, TimeLimit, compute_due
from services.sla.domain.deadlines.explanation import explain_deadline
from services.sla.domain.deadlines.pauses import normalize_pauses
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from shared.procedures.calendars.calendar import WEEKDAYS, Calendar, default_calendar
from shared.procedures.model.duration import Duration
from tests.support.deadlines.minute_counter import CHINA, LocalPause
from tests.support.deadlines.piece_counter import PieceCounter, piece_calendars
from tests.unit.sla.domain.deadlines.test_counting_properties import (
    CALENDAR_DAYS,
    NIGHT,
    RULES,
    STARTS,
    WORKING_DAYS,
    pauses_around,
)

DUTY = Calendar.parse({"id": "duty", "version": 1, "schedule": "none", "hours": {name: ["08:00-20:00"] for name in WEEKDAYS}})
LONG_AGO = datetime(2000, 1, 1)  # noqa: DTZ001 - the counter is naive
TABLES = {"office": Worktime(default_calendar()), "night": Worktime(NIGHT), "duty": Worktime(DUTY)}
SAME_TABLES = [Worktime(default_calendar()) for _ in range(3)]
DURATIONS = st.sampled_from([*WORKING_DAYS, *CALENDAR_DAYS, "1wh", "8wh", "30wh", "0.5wd", "0.333wd", "2h", "same_day", "same_working_day"])
EXTENDED_DURATIONS = st.sampled_from([("3wd", "1wd"), ("4wh", "2wh"), ("15d", "1d"), ("1mo", "1mo")])
GAPS = st.lists(st.integers(-1500, 6000) | st.sampled_from([0, 60, 120, 1440]), min_size=1, max_size=3)
NAMES = st.lists(st.sampled_from(["office", "night", "duty"]), min_size=4, max_size=4)


def change_instants(start: datetime, gaps: list[int]) -> list[datetime]:
    base = start.replace(second=0, microsecond=0)
    if gaps[0] % 2:
        base = base.replace(minute=0, hour=(0, 6, 18, 20)[gaps[0] % 4])
    instants: list[datetime] = []
    for gap in gaps:
        base += timedelta(minutes=gap if not instants else abs(gap))
        instants.append(base)
    return instants


def piece_changes(start: datetime, gaps: list[int], names: list[str]) -> list[tuple[int, Worktime]]:
    return [(micros(at), TABLES[name]) for at, name in zip(change_instants(start, gaps), names[1:], strict=False)]


def micros(at: datetime) -> int:
    return to_micros(at.replace(tzinfo=CHINA))


def micro_pauses(pauses: list[LocalPause]) -> tuple[tuple[int, int | None], ...]:
    return tuple(normalize_pauses((begin.replace(tzinfo=CHINA), end and end.replace(tzinfo=CHINA)) for begin, end in pauses))


@settings(max_examples=200, deadline=None)
@given(start=STARTS, duration=DURATIONS, rule=RULES, gaps=GAPS, names=NAMES, data=st.data())
def test_pieces_agree_with_the_brute_force_counter(
    start: datetime, duration: str, rule: CountingRule, gaps: list[int], names: list[str], data: st.DataObject
) -> None:
    pauses = data.draw(pauses_around(start, 3000))
    changes = change_instants(start, gaps)
    counters = piece_calendars(rule.counting, rule.roll, rule.day_end, pauses)
    leads = [(LONG_AGO, counters[names[0]]), *((at, counters[name]) for at, name in zip(changes, names[1:], strict=False))]
    expected = PieceCounter(leads, []).due(start, duration)
    calendar = calendar_with_changes(TABLES[names[0]], piece_changes(start, gaps, names))
    due, _, _ = count_duration(calendar, micros(start), Duration.parse(duration), rule, micro_pauses(pauses))
    assert due == (None if expected is None else micros(expected))


@settings(max_examples=200, deadline=None)
@given(start=STARTS, duration=DURATIONS, rule=RULES, gaps=GAPS, data=st.data())
def test_one_calendar_cut_in_pieces_counts_like_the_whole(
    start: datetime, duration: str, rule: CountingRule, gaps: list[int], data: st.DataObject
) -> None:
    pauses = micro_pauses(data.draw(pauses_around(start, 3000)))
    changes = [(micros(at), worktime) for at, worktime in zip(change_instants(start, gaps), SAME_TABLES, strict=False)]
    pieces = CalendarPieces(TABLES["office"], changes)
    parsed = Duration.parse(duration)
    assert count_duration(pieces, micros(start), parsed, rule, pauses) == add_duration(
        TABLES["office"], micros(start), parsed, rule, pauses
    )


@settings(max_examples=150, deadline=None)
@given(start=STARTS, duration=DURATIONS, rule=RULES, gaps=GAPS, names=NAMES, data=st.data())
def test_a_change_of_lead_never_sets_a_due_instant_before_itself_nor_moves_one_that_has_passed(
    start: datetime, duration: str, rule: CountingRule, gaps: list[int], names: list[str], data: st.DataObject
) -> None:
    pauses = micro_pauses(data.draw(pauses_around(start, 3000)))
    changes = piece_changes(start, gaps, names)
    parsed, at = Duration.parse(duration), changes[-1][0]
    before, _, _ = count_duration(calendar_with_changes(TABLES[names[0]], changes[:-1]), micros(start), parsed, rule, pauses)
    after, _, _ = count_duration(calendar_with_changes(TABLES[names[0]], changes), micros(start), parsed, rule, pauses)
    if parsed.kind in ("clock", "same_day") or (before is not None and before <= at):
        assert after == before
    elif after is not None and at >= micros(start):
        assert after > at


@settings(max_examples=150, deadline=None)
@given(
    start=STARTS, gaps=GAPS, names=NAMES, pair=st.sampled_from([("3wd", "1wd"), ("4wh", "2wh"), ("15d", "1d"), ("1mo", "1mo")]), rule=RULES
)
def test_an_extension_never_brings_a_deadline_forward(
    start: datetime, gaps: list[int], names: list[str], pair: tuple[str, str], rule: CountingRule
) -> None:
    changes = piece_changes(start, gaps, names)
    calendar = calendar_with_changes(TABLES[names[0]], changes)
    limit = TimeLimit(micros(start), Duration.parse(pair[0]), rule)
    extended = TimeLimit(micros(start), Duration.parse(pair[0]), rule, extensions=[Extension(by=Duration.parse(pair[1]))])
    before, after = compute_due(calendar, limit)[0], compute_due(calendar, extended)[0]
    assert before is not None
    assert after is not None
    assert after >= before


@settings(max_examples=150, deadline=None)
@given(start=STARTS, duration=DURATIONS, rule=RULES, gaps=GAPS, names=NAMES, data=st.data())
def test_explained_segments_add_up_to_the_duration_and_name_their_calendar(
    start: datetime, duration: str, rule: CountingRule, gaps: list[int], names: list[str], data: st.DataObject
) -> None:
    pauses = micro_pauses(data.draw(pauses_around(start, 3000)))
    changes = piece_changes(start, gaps, names)
    calendar = calendar_with_changes(TABLES[names[0]], changes)
    explanation = explain_deadline(calendar, TimeLimit(micros(start), Duration.parse(duration), rule, pauses))
    if explanation["due"] is not None:
        assert abs(sum(segment["amount"] for segment in explanation["segments"]) - explanation["total"]) < 1e-6
    if isinstance(calendar, CalendarPieces):
        named = {entry["id"] for entry in explanation["calendars"]}
        assert all(segment["calendar"] in named for segment in explanation["segments"] if segment["amount"])
