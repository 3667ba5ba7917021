"""A case shows whether it is late, by how much and on which clock."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.sla.application.case_batch import CaseBatch
from services.sla.domain.deadlines.worktime import from_micros, to_micros
from services.sla.domain.lifecycle.inputs import AdvanceTime, TakeAction
from services.sla.domain.views import case_view, clock_view, lateness
from tests.unit.sla.application.test_case_batch import NOW, case_of, open_batch

ZONE = ZoneInfo("Asia/Shanghai")


def late(batch: CaseBatch, at: datetime) -> dict[str, Any]:
    case = case_of(batch)
    return lateness.lateness(case, batch.rulebooks.for_case(case), to_micros(at), ZONE)


def breached_batch() -> tuple[CaseBatch, datetime]:
    """A case at the instant of its first missed deadline."""
    batch = open_batch()
    due = to_micros(NOW)
    while not lateness.has_breached(case_of(batch)):
        due = batch.next_due("c1") or due
        batch.decide("c1", AdvanceTime(due))
    return batch, from_micros(due)


def test_case_is_not_late_before_its_timers_have_fired() -> None:
    batch = open_batch()
    assert late(batch, NOW + timedelta(days=30)) == {"breached": False, "late_by": 0.0, "breaches": []}
    assert not lateness.has_breached(case_of(batch))


def test_missed_deadline_shows_its_clock_and_by_how_much() -> None:
    batch, due = breached_batch()
    shown = late(batch, due + timedelta(hours=3))
    assert shown["breached"]
    assert shown["late_by"] == 3 * 3600
    [breach] = shown["breaches"]
    assert breach["running"]
    assert breach["due_at"] == due.astimezone(ZONE).isoformat()
    breached = [entry.fields for entry in batch.new_entries if entry.type == "clock_breached"]
    assert [(event["clock"], event["clause"]) for event in breached] == [(breach["clock"], breach["clauses"][0])]


def test_lateness_ends_with_the_clock() -> None:
    batch, due = breached_batch()
    withdrawn = due + timedelta(hours=2)
    batch.decide("c1", TakeAction("withdraw", to_micros(withdrawn), "complainant", "", {"reason": "settled"}))
    shown = late(batch, due + timedelta(days=5))
    ended = [breach for breach in shown["breaches"] if not breach["running"]]
    assert [breach["late_by"] for breach in ended] == [2 * 3600]


def test_document_and_rows_and_clocks_agree() -> None:
    batch, due = breached_batch()
    case, now = case_of(batch), to_micros(due + timedelta(hours=1))
    rulebook = batch.rulebooks.for_case(case)
    row = case_view.case_row(case, rulebook, now, ZONE, ())
    document = case_view.case_document(case, rulebook, now, ZONE, (), [])
    assert {name: document[name] for name in row} == row
    assert tuple(row) == case_view.ROW_FIELDS
    [clock] = [clock for clock in clock_view.clock_states(case, rulebook, now, ZONE) if clock["breached"]]
    assert clock["late_by"] == row["late_by"] == 3600
    assert "title" not in case_view.case_row(case, rulebook, now, ZONE, ("title",))
