"""Duties of procedures: counted inclusively from the first day of their period, due at its end, rolled to the next working day."""

import pytest

from services.sla.domain.deadlines.worktime import Worktime
from services.sla.domain.reports.duty_schedule import duties_due_between, next_duty_due, period_bounds
from shared.procedures.calendars.calendar import default_calendar
from shared.procedures.loading.loader import installed_packs, load_procedure
from tests.support.deadlines import at, local_text

WORKTIME = Worktime.for_calendar(default_calendar())


def due(pack: str, since: str, until: str) -> list[tuple[str, str | None, str | None]]:
    found = duties_due_between(load_procedure(pack), WORKTIME, at(since), at(until))
    return [(each.duty.id, local_text(each.since), local_text(each.due)) for each in found]


def test_a_monthly_report_is_due_at_the_end_of_the_month() -> None:
    assert ("monthly_report", "2026-06-01 00:00", "2026-07-01 00:00") in due("hunan-property", "2026-06-02 00:00", "2026-07-01 00:00")


def test_a_period_that_ends_on_a_day_off_rolls_to_the_end_of_the_next_working_day() -> None:
    # 31 May 2026 is a Sunday.
    assert due("channel-partners", "2026-05-15 00:00", "2026-06-02 00:00") == [
        ("prevention_review", "2026-05-01 00:00", "2026-06-02 00:00")
    ]


def test_a_week_ends_on_sunday_and_its_check_is_due_at_the_end_of_monday() -> None:
    weekly = [each for each in due("hunan-property", "2026-09-07 00:00", "2026-09-15 00:00") if each[0] == "weekly_check"]
    assert weekly == [("weekly_check", "2026-08-31 00:00", "2026-09-08 00:00"), ("weekly_check", "2026-09-07 00:00", "2026-09-15 00:00")]


def test_a_week_whose_sunday_is_worked_in_exchange_does_not_roll() -> None:
    weekly = [each for each in due("hunan-property", "2026-09-16 00:00", "2026-09-21 00:00") if each[0] == "weekly_check"]
    assert weekly == [("weekly_check", "2026-09-14 00:00", "2026-09-21 00:00")]


def test_a_year_is_sealed_after_its_last_day() -> None:
    yearly = [each for each in due("hunan-property", "2025-12-31 00:00", "2026-01-10 00:00") if each[0] == "yearly_seal"]
    assert yearly == [("yearly_seal", "2025-01-01 00:00", "2026-01-01 00:00")]


def test_a_quarter_begins_in_january_april_july_october() -> None:
    assert [local_text(each) for each in period_bounds(WORKTIME, "1q", at("2026-05-20 12:00"))] == ["2026-04-01 00:00", "2026-07-01 00:00"]


def test_nothing_is_due_twice() -> None:
    early = due("hunan-property", "2026-01-01 00:00", "2026-06-15 00:00")
    late = due("hunan-property", "2026-06-15 00:00", "2027-01-10 00:00")
    assert [*early, *late] == due("hunan-property", "2026-01-01 00:00", "2027-01-10 00:00")
    assert len(set(early + late)) == len(early + late)


@pytest.mark.parametrize("pack", installed_packs())
def test_the_next_duty_is_the_first_of_those_due(pack: str) -> None:
    procedure = load_procedure(pack)
    found = list(duties_due_between(procedure, WORKTIME, at("2026-03-10 00:00"), at("2027-05-01 00:00")))
    assert next_duty_due(procedure, WORKTIME, at("2026-03-10 00:00")) == (found[0].due if found else None)
