"""Whose calendar a clock counts by: the procedure's, or piece by piece that of the department that leads (time.md, Whose calendar)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sla.timeline import event_lines, run_steps

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ORGANISATION: dict[str, Any] = {
    "zh": "公司",
    "en": "Company",
    "calendar": "default",
    "calendars": [
        {"id": "default", "version": "2026", "zone": "Asia/Shanghai", "schedule": "china"},
        {"id": "duty", "version": "1", "schedule": "none", "hours": {name: ["08:00-20:00"] for name in _WEEK}},
        {"id": "early", "version": "1", "schedule": "none", "hours": {name: ["06:00-10:00"] for name in _WEEK[:5]}},
    ],
    "departments": [
        {"id": "repair", "zh": "维修", "en": "Repair", "calendar": "duty"},
        {"id": "early", "zh": "早班", "en": "Early", "calendar": "early"},
        {"id": "plain", "zh": "客服", "en": "Desk"},
        {"id": "unassigned", "zh": "待定", "en": "Unassigned"},
    ],
    "people": [{"id": f"p-{role}", "name": role, "roles": [role], "email": f"{role}@example.org"} for role in ("officer", "boss", "chief")],
    "fallback": "p-chief",
}


def clock(entries: str, calendar: str = "department") -> str:
    return f'clocks:\n- {{id: c, clause: "1", owner: officer, starts: registered, calendar: {calendar}, {entries}}}\n'


def breaches(text: str, *steps: str, until: str = "28 00:00") -> list[str]:
    rows = run_steps(text, *steps, until=until, organisation=ORGANISATION)
    return event_lines(rows, "clock_breached")


@pytest.mark.parametrize(
    ("within", "due"), [("3wd", "12 18:00"), ("20wh", "11 14:00"), ("0.5wd", "09 14:00"), ("same_working_day", "09 18:00")]
)
def test_no_routing_moves_a_clock_of_the_procedure(within: str, due: str) -> None:
    text = clock(f"due: [{{within: {within}}}]", "procedure")
    rows = run_steps(text, "09 11:00 route boss department=repair", until="20 00:00", organisation=ORGANISATION)
    assert event_lines(rows, "clock_breached", "clock_moved") == [f"{due} clock_breached c.1"]


def test_working_time_used_before_a_change_of_lead_stays_used() -> None:
    # Two of ten hours are used by 11:00; the other eight run from there in the hours of the department: 11:00 to 19:00.
    assert breaches(clock("due: [{within: 10wh}]"), "09 11:00 route boss department=repair") == ["09 19:00 clock_breached c.1"]


def test_a_date_counts_once_at_the_close_of_the_department_that_leads_then() -> None:
    text = clock("due: [{within: 2wd}]")
    # Tuesday closes at 18:00 by the procedure; at 19:00 the department takes over, whose Tuesday would close again at 20:00.
    assert breaches(text, "10 19:00 route boss department=repair") == ["11 20:00 clock_breached c.1"]
    # Between its Tuesday's close at 10:00 and the procedure's at 18:00: that Tuesday counts for nobody.
    assert breaches(text, "10 12:00 route boss department=early") == ["12 10:00 clock_breached c.1"]


def test_half_a_working_day_becomes_hours_by_the_calendar_at_the_start() -> None:
    # Half of eight hours, not of twelve: two by 11:00, two more.
    assert breaches(clock("due: [{within: 0.5wd}]"), "09 11:00 route boss department=repair") == ["09 13:00 clock_breached c.1"]


def test_same_working_day_is_the_first_whole_day_counted_inclusively() -> None:
    text = clock("due: [{within: same_working_day}]")
    assert breaches(text, "09 11:00 route boss department=repair") == ["09 20:00 clock_breached c.1"]
    assert breaches(text, "09 11:00 route boss department=early") == ["10 10:00 clock_breached c.1"]


def test_a_department_without_a_calendar_and_no_lead_count_by_the_procedure() -> None:
    text = clock("due: [{within: 10wh}]")
    assert breaches(text, "09 11:00 route boss department=plain") == ["10 11:00 clock_breached c.1"]
    # Nine hours by 18:00 on Monday, of which the department's lunch hour is one; after its return the procedure's hours count.
    steps = ("09 11:00 route boss department=repair", "09 13:00 return boss reason=wrong")
    assert breaches(text, *steps) == ["10 10:00 clock_breached c.1"]


def test_what_has_fallen_due_is_not_counted_again() -> None:
    rows = run_steps(clock("due: [{within: 1wd}]"), "10 19:00 route boss department=repair", until="20 00:00", organisation=ORGANISATION)
    assert event_lines(rows, "clock_breached", "clock_moved") == ["10 18:00 clock_breached c.1"]


def test_repeats_count_on_in_the_same_pieces() -> None:
    text = clock("every: 1wd, do: [{remind: officer}]")
    rows = run_steps(text, "11 11:00 route boss department=repair", until="15 21:00", organisation=ORGANISATION)
    assert event_lines(rows, "reminded") == [
        f"{at} reminded c.1" for at in ("10 18:00", "11 20:00", "12 20:00", "13 20:00", "14 20:00", "15 20:00")
    ]


REMINDED = "actions: {grant_extension: {unasked: true}}\n" + clock(
    "due: [{within: 3wd}], reminders: [{before: 4wh, do: [{remind: officer}]}]"
)


def test_reminders_count_back_in_the_same_pieces() -> None:
    rows = run_steps(REMINDED, "12 16:30 route boss department=repair", until="13 00:00", organisation=ORGANISATION)
    # By the procedure at 14:00; the department's later close comes after it and sends none twice.
    assert event_lines(rows, "reminded", "clock_moved", "clock_breached") == [
        "12 14:00 reminded c.1",
        "12 16:30 clock_moved c.1",
        "12 20:00 clock_breached c.1",
    ]


def test_a_reminder_already_sent_is_sent_again_only_after_an_extension() -> None:
    steps = ("12 16:30 route boss department=repair", "12 17:00 grant_extension boss clock=c by=1wd")
    rows = run_steps(REMINDED, *steps, until="14 00:00", organisation=ORGANISATION)
    assert event_lines(rows, "reminded", "clock_breached") == [
        "12 14:00 reminded c.1",
        "13 16:00 reminded c.1",
        "13 20:00 clock_breached c.1",
    ]


def test_pauses_count_in_the_same_pieces() -> None:
    text = clock("due: [{within: 10wh}], pauses: suspended, resumes: resumed")
    steps = ("09 11:00 route boss department=repair", "09 12:00 suspend boss reason=x", "09 19:00 resume boss")
    # Two hours by the procedure and one by the department before the pause; one after it until 20:00, six on Tuesday from 08:00.
    assert breaches(text, *steps) == ["10 14:00 clock_breached c.1"]
