"""Reminders: counted back from the due instant, or after a share of the time."""

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
from tests.support.deadlines import at, limit, local_text

WORKTIME = Worktime.for_calendar(default_calendar())


def reminded(start: str, duration: str, **rest: Any) -> str | None:
    reminder = ReminderTiming.parse(before=rest.pop("before", None), share=rest.pop("share", None))
    return local_text(reminder_due(WORKTIME, limit(start, duration, **rest), reminder))


@pytest.mark.parametrize(
    ("duration", "rest", "expected"),
    [
        ("1wd", {"before": "2h"}, "2026-09-22 16:00"),
        ("1wd", {"before": "4wh"}, "2026-09-22 14:00"),
        ("1wd", {"before": "5wh"}, "2026-09-22 13:00"),  # the latest instant with that much left
        ("1wd", {"before": "8wh"}, "2026-09-22 09:00"),
        ("1d", {"before": "4wh"}, "2026-09-22 14:00"),
        ("1d", {"before": "30m"}, "2026-09-22 23:30"),
        ("2h", {"before": "3h"}, None),  # not after the start
        ("2h", {"before": "2h"}, None),
        ("10h", {"share": 0.8}, "2026-09-21 17:00"),
        ("5wh", {"share": 0.6}, "2026-09-21 12:00"),  # used up is used up then
        ("1wd", {"share": 0.5}, "2026-09-21 18:00"),  # of sixteen hours from start to close
        ("1d", {"share": 0.5}, "2026-09-22 04:30"),
        ("same_day", {"share": 0.8}, "2026-09-21 21:00"),
        ("same_working_day", {"before": "2h"}, "2026-09-21 16:00"),
        ("same_working_day", {"share": 0.5}, "2026-09-21 13:30"),  # clock time
        ("date: x", {"before": "2h", "agreed": "2026-09-22 10:00"}, "2026-09-22 08:00"),
        ("date: x", {"before": "2h"}, None),
    ],
)
def test_without_pauses(duration: str, rest: dict[str, Any], expected: str | None) -> None:
    assert reminded("2026-09-21 09:00", duration, **rest) == expected


def test_a_share_includes_the_roll() -> None:
    assert reminded("2026-09-24 00:00", "3d", share="0.5") == "2026-09-26 12:00"  # five days to the end of Monday


@pytest.mark.parametrize(
    ("duration", "rest", "pause", "expected"),
    [
        ("10h", {"before": "2h"}, ("2026-09-21 12:00", "2026-09-21 14:00"), "2026-09-21 19:00"),
        ("10h", {"before": "2h"}, ("2026-09-21 18:00", "2026-09-21 20:00"), "2026-09-21 17:00"),  # back through the pause
        ("10h", {"before": "2h"}, ("2026-09-21 17:00", "2026-09-21 20:00"), "2026-09-21 17:00"),  # sent before the pause began
        ("10h", {"before": "2h"}, ("2026-09-21 16:00", None), None),
        ("10h", {"before": "2h"}, ("2026-09-21 17:30", None), "2026-09-21 17:00"),
        ("10h", {"share": 0.8}, ("2026-09-21 12:00", "2026-09-21 14:00"), "2026-09-21 19:00"),
        ("1d", {"before": "8h"}, ("2026-09-22 15:00", "2026-09-22 17:00"), "2026-09-22 17:00"),  # fell into the pause: on resuming
        ("1d", {"share": 0.5}, ("2026-09-21 10:00", "2026-09-21 12:00"), "2026-09-22 05:30"),
        ("1wd", {"before": "4wh"}, ("2026-09-22 13:30", "2026-09-22 15:00"), "2026-09-22 15:00"),
        ("same_day", {"before": "8h"}, ("2026-09-21 15:00", "2026-09-21 17:00"), "2026-09-21 16:00"),  # cannot pause
    ],
)
def test_pauses(duration: str, rest: dict[str, Any], pause: tuple[str, str | None], expected: str | None) -> None:
    assert reminded("2026-09-21 09:00", duration, pauses=[pause], **rest) == expected


@pytest.mark.parametrize(
    "given", [{}, {"before": "2h", "share": 0.5}, {"before": "1d"}, {"before": "1wd"}, {"share": 0}, {"share": 1}, {"share": "much"}]
)
def test_what_is_no_reminder_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(DeadlineError, match="reminder"):
        ReminderTiming.parse(**given)


def test_before_a_due_instant_beyond_the_first_working_time_is_not_sent() -> None:
    assert reminded("2000-01-03 09:00", "1wd", before="1000wh") is None


STEP = 10 * MICROS_PER_MINUTE


@settings(max_examples=60, deadline=None)
@given(
    begins=st.integers(0, 300),
    lasts=st.integers(1, 60),
    left=st.integers(1, 12),
    working=st.booleans(),
)
def test_before_leaves_that_much_time(begins: int, lasts: int, left: int, working: bool) -> None:
    """Step by step: unpaused time left when the reminder is sent is what it says, and one step later it is less."""
    start = at("2026-09-21 09:00")
    resumed = start + (begins + lasts) * STEP
    pauses = merge_pauses([(start + begins * STEP, resumed)])
    found = TimeLimit(start, Duration.parse("16wh" if working else "20h"), pauses=pauses)
    due = compute_due(WORKTIME, found)[0]
    sent = reminder_due(WORKTIME, found, ReminderTiming.parse(before=f"{left}{'wh' if working else 'h'}"))
    assert due is not None

    def remaining(since: int) -> int:
        steps = range(since, due, STEP)
        return sum(
            not pauses[0][0] <= step < resumed and (not working or WORKTIME.worked_until(step + STEP) > WORKTIME.worked_until(step))
            for step in steps
        )

    if sent is None:
        assert remaining(start + STEP) < left * 6
    elif sent == resumed:  # it may have fallen into the pause
        assert remaining(sent) <= left * 6
    else:
        assert remaining(sent) == left * 6
        assert sent == pauses[0][0] or remaining(sent + STEP) < left * 6  # at equal instants it is sent before the pause
