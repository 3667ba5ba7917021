"""Reminders: some time before the due instant, or after a share of the time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla.domain.deadlines.counting import DeadlineError
from services.sla.domain.deadlines.deadline import TimeLimit, compute_due
from services.sla.domain.deadlines.pauses import merge_pauses
from services.sla.domain.deadlines.reminder import ReminderTiming, reminder_due
from services.sla.domain.deadlines.worktime import MICROS_PER_MINUTE, Worktime
from shared.procedures.calendars.calendar import default_calendar
from shared.procedures.model.duration import Duration
from tests.support.deadlines.shorthand import at, limit, local_text

WORKTIME = Worktime.for_calendar(default_calendar())


def reminder_time(start: str, duration: str, *, before: str | None = None, share: object = None, **options: Any) -> str | None:
    timing = ReminderTiming.parse(before=before, share=share)
    return local_text(reminder_due(WORKTIME, limit(start, duration, **options), timing))


@pytest.mark.parametrize(
    ("duration", "options", "expected"),
    [
        ("1wd", {"before": "2h"}, "2026-09-22 16:00"),
        ("1wd", {"before": "4wh"}, "2026-09-22 14:00"),
        ("1wd", {"before": "5wh"}, "2026-09-22 13:00"),  # the latest instant at which 5wh are left
        ("1wd", {"before": "8wh"}, "2026-09-22 09:00"),
        ("1d", {"before": "4wh"}, "2026-09-22 14:00"),
        ("1d", {"before": "30m"}, "2026-09-22 23:30"),
        ("2h", {"before": "3h"}, None),  # not after the start
        ("2h", {"before": "2h"}, None),
        ("10h", {"share": 0.8}, "2026-09-21 17:00"),
        ("5wh", {"share": 0.6}, "2026-09-21 12:00"),  # at the close, not at the next opening
        ("1wd", {"share": 0.5}, "2026-09-21 18:00"),  # eight of the sixteen working hours up to the due instant
        ("1d", {"share": 0.5}, "2026-09-22 04:30"),
        ("same_day", {"share": 0.8}, "2026-09-21 21:00"),
        ("same_working_day", {"before": "2h"}, "2026-09-21 16:00"),
        ("same_working_day", {"share": 0.5}, "2026-09-21 13:30"),  # clock time
        ("date: x", {"before": "2h", "agreed": "2026-09-22 10:00"}, "2026-09-22 08:00"),
        ("date: x", {"before": "2h"}, None),
    ],
)
def test_reminder_without_pauses(duration: str, options: dict[str, Any], expected: str | None) -> None:
    assert reminder_time("2026-09-21 09:00", duration, **options) == expected


def test_share_is_of_the_time_including_the_roll() -> None:
    assert reminder_time("2026-09-24 00:00", "3d", share="0.5") == "2026-09-26 12:00"  # five days to the end of Monday


@pytest.mark.parametrize(
    ("duration", "options", "pause", "expected"),
    [
        ("10h", {"before": "2h"}, ("2026-09-21 12:00", "2026-09-21 14:00"), "2026-09-21 19:00"),
        ("10h", {"before": "2h"}, ("2026-09-21 18:00", "2026-09-21 20:00"), "2026-09-21 17:00"),  # counted back through the pause
        ("10h", {"before": "2h"}, ("2026-09-21 17:00", "2026-09-21 20:00"), "2026-09-21 17:00"),  # sent before the pause began
        ("10h", {"before": "2h"}, ("2026-09-21 16:00", None), None),
        ("10h", {"before": "2h"}, ("2026-09-21 17:30", None), "2026-09-21 17:00"),
        ("10h", {"share": 0.8}, ("2026-09-21 12:00", "2026-09-21 14:00"), "2026-09-21 19:00"),
        ("1d", {"before": "8h"}, ("2026-09-22 15:00", "2026-09-22 17:00"), "2026-09-22 17:00"),  # due during the pause, sent on resuming
        ("1d", {"share": 0.5}, ("2026-09-21 10:00", "2026-09-21 12:00"), "2026-09-22 05:30"),
        ("1wd", {"before": "4wh"}, ("2026-09-22 13:30", "2026-09-22 15:00"), "2026-09-22 15:00"),
        ("same_day", {"before": "8h"}, ("2026-09-21 15:00", "2026-09-21 17:00"), "2026-09-21 16:00"),  # does not pause
    ],
)
def test_reminder_with_a_pause(duration: str, options: dict[str, Any], pause: tuple[str, str | None], expected: str | None) -> None:
    assert reminder_time("2026-09-21 09:00", duration, pauses=[pause], **options) == expected


@pytest.mark.parametrize(
    "fields", [{}, {"before": "2h", "share": 0.5}, {"before": "1d"}, {"before": "1wd"}, {"share": 0}, {"share": 1}, {"share": "much"}]
)
def test_invalid_reminder_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(DeadlineError, match="reminder"):
        ReminderTiming.parse(**fields)


def test_reminder_earlier_than_the_calendar_is_not_sent() -> None:
    assert reminder_time("2000-01-03 09:00", "1wd", before="1000wh") is None


STEP = 10 * MICROS_PER_MINUTE
STEPS_PER_HOUR = 6


@settings(max_examples=60, deadline=None)
@given(
    pause_start=st.integers(0, 300),
    pause_length=st.integers(1, 60),
    hours=st.integers(1, 12),
    working=st.booleans(),
)
def test_reminder_is_sent_at_the_last_step_with_that_much_unpaused_time_left(
    pause_start: int, pause_length: int, hours: int, working: bool
) -> None:
    start = at("2026-09-21 09:00")
    paused, resumed = start + pause_start * STEP, start + (pause_start + pause_length) * STEP
    pauses = merge_pauses([(paused, resumed)])
    limited = TimeLimit(start, Duration.parse("16wh" if working else "20h"), pauses=pauses)
    due, _, _ = compute_due(WORKTIME, limited)
    sent = reminder_due(WORKTIME, limited, ReminderTiming.parse(before=f"{hours}{'wh' if working else 'h'}"))
    assert due is not None

    def remaining_steps(since: int) -> int:
        steps = range(since, due, STEP)
        return sum(
            not paused <= step < resumed and (not working or WORKTIME.worked_until(step + STEP) > WORKTIME.worked_until(step))
            for step in steps
        )

    if sent is None:
        assert remaining_steps(start + STEP) < hours * STEPS_PER_HOUR
    elif sent == resumed:  # it may have been due during the pause
        assert remaining_steps(sent) <= hours * STEPS_PER_HOUR
    else:
        assert remaining_steps(sent) == hours * STEPS_PER_HOUR
        assert sent == paused or remaining_steps(sent + STEP) < hours * STEPS_PER_HOUR  # at equal instants the reminder comes first
