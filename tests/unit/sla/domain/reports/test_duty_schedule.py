"""The schedule of periodic duties: due at the end of their period, rolled to the next working day."""

from itertools import pairwise

import pytest

from services.sla.domain.deadlines.worktime import Worktime
from services.sla.domain.reports.duty_schedule import combine_missed, duties_due_between, next_duty_due, period_bounds
from shared.procedures.calendars.calendar import default_calendar
from shared.procedures.loading.loader import installed_packs, load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from tests.support.deadlines.shorthand import at, local_text

WORKTIME = Worktime.for_calendar(default_calendar())


def duties_due(pack: str, since: str, until: str) -> list[tuple[str, str | None, str | None]]:
    """Id, start of the period and due instant of each duty that is due in an interval."""
    scheduled = duties_due_between(bind_parameters(load_procedure(pack), allow_unset=True).procedure, WORKTIME, at(since), at(until))
    return [(entry.duty.id, local_text(entry.since), local_text(entry.due)) for entry in scheduled]


def test_monthly_report_is_due_at_the_end_of_the_month() -> None:
    assert ("monthly_report", "2026-06-01 00:00", "2026-07-01 00:00") in duties_due(
        "hunan-property", "2026-06-02 00:00", "2026-07-01 00:00"
    )


def test_duty_of_a_period_that_ends_on_a_day_off_is_due_at_the_end_of_the_next_working_day() -> None:
    assert duties_due("channel-partners", "2026-05-15 00:00", "2026-06-02 00:00") == [  # 31 May 2026 is a Sunday
        ("prevention_review", "2026-05-01 00:00", "2026-06-02 00:00")
    ]


def test_weekly_check_rolls_from_sunday_to_the_end_of_monday() -> None:
    weekly = [entry for entry in duties_due("hunan-property", "2026-09-07 00:00", "2026-09-15 00:00") if entry[0] == "weekly_check"]
    assert weekly == [("weekly_check", "2026-08-31 00:00", "2026-09-08 00:00"), ("weekly_check", "2026-09-07 00:00", "2026-09-15 00:00")]


def test_weekly_check_does_not_roll_from_a_make_up_sunday() -> None:
    weekly = [entry for entry in duties_due("hunan-property", "2026-09-16 00:00", "2026-09-21 00:00") if entry[0] == "weekly_check"]
    assert weekly == [("weekly_check", "2026-09-14 00:00", "2026-09-21 00:00")]


def test_year_seal_is_due_at_the_end_of_31_december() -> None:
    yearly = [entry for entry in duties_due("hunan-property", "2025-12-31 00:00", "2026-01-10 00:00") if entry[0] == "yearly_seal"]
    assert yearly == [("yearly_seal", "2025-01-01 00:00", "2026-01-01 00:00")]


def test_quarter_of_may_is_april_to_june() -> None:
    assert [local_text(bound) for bound in period_bounds(WORKTIME, "1q", at("2026-05-20 12:00"))] == [
        "2026-04-01 00:00",
        "2026-07-01 00:00",
    ]


def test_adjacent_intervals_contain_each_duty_once() -> None:
    early = duties_due("hunan-property", "2026-01-01 00:00", "2026-06-15 00:00")
    late = duties_due("hunan-property", "2026-06-15 00:00", "2027-01-10 00:00")
    assert [*early, *late] == duties_due("hunan-property", "2026-01-01 00:00", "2027-01-10 00:00")
    assert len(set(early + late)) == len(early + late)


@pytest.mark.parametrize("pack", installed_packs())
def test_next_duty_is_the_first_one_due(pack: str) -> None:
    procedure = bind_parameters(load_procedure(pack), allow_unset=True).procedure
    scheduled = list(duties_due_between(procedure, WORKTIME, at("2026-03-10 00:00"), at("2027-05-01 00:00")))
    assert next_duty_due(procedure, WORKTIME, at("2026-03-10 00:00")) == (scheduled[0].due if scheduled else None)


def test_missed_years_are_one_report_a_duty_and_year_and_the_last_year_stays_as_it_is() -> None:
    procedure, start, now = load_procedure("hunan-property"), at("2010-01-01 00:00"), at("2026-03-10 00:00")
    scheduled = list(duties_due_between(procedure, WORKTIME, start, now))
    combined = combine_missed(scheduled, WORKTIME, now)
    assert sum(duty.periods for duty in combined) == len(scheduled) > 900
    missed = [duty for duty in combined if duty.duty.id == "weekly_check" and duty.periods > 1]
    assert [WORKTIME.to_datetime(duty.since).year for duty in missed] == [*range(2010, 2026)]
    assert {duty.periods for duty in missed[1:-1]} <= {52, 53}
    assert [duty for duty in combined if duty.due > at("2025-03-10 00:00")] == [
        duty for duty in scheduled if duty.due > at("2025-03-10 00:00")
    ]
    assert all(earlier.until <= later.since for earlier, later in pairwise(missed))


def test_one_missed_period_is_reported_as_usual() -> None:
    procedure = load_procedure("hunan-property")
    scheduled = list(duties_due_between(procedure, WORKTIME, at("2026-01-01 00:00"), at("2026-02-20 00:00")))
    assert combine_missed(scheduled, WORKTIME, at("2026-02-20 00:00")) == scheduled


@pytest.mark.parametrize(("every", "period", "due"), [("1q", "quarter", "2026-10-01 00:00"), ("1w", "week", "2026-07-07 00:00")])
def test_a_duty_has_the_period_that_the_organisation_sets(every: str, period: str, due: str) -> None:
    procedure = bind_parameters(load_procedure("service-feedback"), {"analysis_every": every}).procedure
    assert [duty.report_period for duty in procedure.duties] == [period]
    assert next_duty_due(procedure, WORKTIME, at("2026-07-01 00:00")) == at(due)
