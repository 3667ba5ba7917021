"""The clock runs of a case as API and archive show them."""

import pytest

from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decide import decide
from services.sla.domain.lifecycle.inputs import TakeAction
from services.sla.domain.views.clock_view import explained_run, run_summary, started_runs
from tests.unit.sla.timeline import november_instant, small_opening, small_rulebook

RULEBOOK = small_rulebook("""
facts: {urgent: {type: bool, default: false}}
clocks:
- {id: c, clause: "1", starts: registered, stops: handled, restarts: signed, due: [{within: 2h}, {within: 1wd}]}
- {id: dormant, clause: "2", when: facts.urgent, starts: registered, due: [{within: 1h}]}
""")


@pytest.fixture
def case() -> Case:
    opening = small_opening()
    case = decide(None, opening, RULEBOOK, opening.registered_at).case
    for action, at in [("handle", opening.registered_at + 1), ("sign", opening.registered_at + 2)]:
        case = decide(case, TakeAction(action, at, "officer"), RULEBOOK, at).case
    return case


def test_every_started_run_is_shown_and_dormant_ones_are_not(case: Case) -> None:
    summaries = [run_summary(case, RULEBOOK, plan, run) for plan, run in started_runs(case, RULEBOOK)]
    assert [(summary["clock"], summary["round"], summary["state"]) for summary in summaries] == [("c", 1, "stopped"), ("c", 2, "running")]
    assert summaries[0]["due_at"] == november_instant("09 11:00")


def test_each_due_entry_of_a_run_is_explained(case: Case) -> None:
    plan, run = started_runs(case, RULEBOOK)[0]
    dues = explained_run(case, RULEBOOK, plan, run)["dues"]
    assert [due["due"] for due in dues] == [november_instant("09 11:00"), november_instant("10 18:00")]


def test_reminders_and_the_end_of_a_run_are_shown() -> None:
    rulebook = small_rulebook("""
clocks:
- {id: c, clause: "1", starts: registered, stops: handled, due: [{within: 2h}], reminders: [{before: 30m, do: [{notify: officer}]}]}
""")
    opening = small_opening()
    case = decide(None, opening, rulebook, opening.registered_at).case
    plan, run = started_runs(case, rulebook)[0]
    running = explained_run(case, rulebook, plan, run)
    assert running["reminders"] == [{"at": november_instant("09 10:30"), "of": 0, "sent": False}]
    assert running["ended_at"] is None
    case = decide(case, TakeAction("handle", opening.registered_at + 1, "officer"), rulebook, opening.registered_at + 1).case
    plan, run = started_runs(case, rulebook)[0]
    assert explained_run(case, rulebook, plan, run)["ended_at"] == "2026-11-09T09:00:00.000001+08:00"
