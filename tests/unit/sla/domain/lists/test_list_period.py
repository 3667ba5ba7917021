"""Periods of lists as people write them."""

from datetime import datetime

import pytest

from services.sla.domain.deadlines.worktime import Worktime
from services.sla.domain.lists.list_period import ListPeriodError, list_bounds
from shared.procedures.calendars.calendar import default_calendar
from shared.procedures.model.form_layout.lists import ListPeriod

WORKTIME = Worktime.for_calendar(default_calendar())
NOW = datetime.fromisoformat("2026-11-27T20:00:00+08:00")


@pytest.mark.parametrize(
    ("text", "kind", "since", "until"),
    [
        ("2026", "month", "2026-01-01", "2027-01-01"),
        ("2026-Q4", None, "2026-10-01", "2027-01-01"),
        ("2026-02", "year", "2026-02-01", "2026-03-01"),
        ("2026-W01", None, "2025-12-29", "2026-01-05"),
        ("2026-09-24", "week", "2026-09-21", "2026-09-28"),
        ("2026-09-24", "quarter", "2026-07-01", "2026-10-01"),
        ("2026-09-24", None, "2026-09-01", "2026-10-01"),
        ("", "month", "2026-11-01", "2026-12-01"),
        ("", "week", "2026-11-23", "2026-11-30"),
    ],
)
def test_period_has_the_bounds_of_the_calendar(text: str, kind: ListPeriod | None, since: str, until: str) -> None:
    bounds = list_bounds(text, kind, WORKTIME, NOW)
    assert bounds == (datetime.fromisoformat(f"{since}T00:00:00+08:00"), datetime.fromisoformat(f"{until}T00:00:00+08:00"))


@pytest.mark.parametrize(("text", "kind"), [("all", "month"), ("", None)])
def test_all_time_has_no_bounds(text: str, kind: ListPeriod | None) -> None:
    assert list_bounds(text, kind, WORKTIME, NOW) is None


@pytest.mark.parametrize("text", ["2026-13", "2026-02-30", "2026-W54", "2026-Q5", "September", "２０２６", "9999", "1999-01", "2026-00"])
def test_what_is_no_period_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ListPeriodError, match=r"period: .*(write|give)"):
        list_bounds(text, "month", WORKTIME, NOW)
