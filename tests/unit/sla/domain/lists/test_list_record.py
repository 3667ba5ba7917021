"""A case read from its published events has the values that conditions have during its handling: the decided case is the oracle."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings

from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.condition_scope import ConditionScope
from services.sla.domain.lists.case_rows import ListRows, ListScope
from services.sla.domain.lists.list_record import ListRecord, event_of_body, list_record
from services.sla.domain.lists.record_scope import RecordScope
from services.sla.domain.rules.rulebook import Rulebook
from shared.contracts.events import EVENT_CLASSES
from shared.procedures.expressions.conditions import CASE_FIELDS, COMPLAINT_FIELDS, NamePath
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.model.form_layout.lists import DEFAULT_LIST, LIST_CASE_NAMES
from shared.procedures.organisation import open_organisation
from tests.support.scenarios.random_scenarios import DrawnScenario, bind_with_defaults, random_scenarios
from tests.support.scenarios.recording_simulation import RecordingSimulation

NOT_IN_EVENTS = {"channel_family", "attachments"}
"""Fields of the complaint whose value in a case is not the one that was published, or is derived."""


def limit_clocks(rulebook: Rulebook) -> frozenset[str]:
    return frozenset(clock.id for clock in rulebook.procedure.clocks if clock.due)


def simulated(drawn: DrawnScenario) -> tuple[RecordingSimulation, Case, ListRecord]:
    pack, scenario, outages = drawn
    recording = RecordingSimulation(bind_with_defaults(pack), open_organisation(), outages=outages)
    [(name, case)] = recording.run_cases(scenario).items()
    events = [event_of_body(recorded.body) for recorded in recording.ledgers[name]]
    return recording, case, list_record(events, limit_clocks(recording.rulebook))


def names(rulebook: Rulebook) -> list[NamePath]:
    return [
        *(("case", name) for name in LIST_CASE_NAMES & CASE_FIELDS),
        *(("facts", name) for name in rulebook.procedure.facts),
        *(("complaint", name) for name in COMPLAINT_FIELDS - NOT_IN_EVENTS),
        *(("complaint", "complainant", name) for name in ("kind", "anonymous", "name", "household", "enterprise")),
        *(("count", event) for event in EVENT_CLASSES),
    ]


def readable_times(value: Any) -> Any:
    return value.timestamp() if isinstance(value, datetime) else value


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(random_scenarios())
def test_names_have_the_values_of_the_decided_case(drawn: DrawnScenario) -> None:
    recording, case, record = simulated(drawn)
    rulebook = recording.rulebook
    decided = ConditionScope(case, rulebook, rulebook.worktime)
    listed = RecordScope(record, rulebook.procedure, rulebook.worktime.calendar.zone)
    different = {
        ".".join(path): (decided(path), listed(path))
        for path in names(rulebook)
        if readable_times(decided(path)) != readable_times(listed(path))
    }
    assert different == {}
    assert record.overdue == any(
        run.is_active and run.breached is not None and (run.due_at is None or run.due_at <= recording.now)
        for clock, rounds in case.rounds.items()
        if clock in limit_clocks(rulebook)
        for run in rounds
    )


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(random_scenarios())
def test_frozen_record_equals_that_of_a_run_that_ended_there(drawn: DrawnScenario) -> None:
    pack, scenario, _ = drawn
    recording, _, _ = simulated((pack, scenario, []))
    until = scenario.cases[0].received_at + timedelta(days=9, minutes=1)
    [ledger] = recording.ledgers.values()
    frozen = list_record([event_of_body(recorded.body) for recorded in ledger], limit_clocks(recording.rulebook), until)
    happened = [event for event in frozen.events if to_micros(datetime.fromisoformat(event["at"])) >= to_micros(until)]
    assert happened == []
    rows = ListRows(recording.bound.procedure, DEFAULT_LIST, ListScope(until=until))
    texts = FormTexts(recording.bound.procedure, open_organisation())
    earlier = RecordingSimulation(bind_with_defaults(pack), open_organisation())
    earlier.run_cases(scenario.model_copy(update={"until": until - timedelta(microseconds=1), "expect": []}))
    if earlier.ledgers:
        [ledger] = earlier.ledgers.values()
        alone = list_record([event_of_body(recorded.body) for recorded in ledger], limit_clocks(earlier.rulebook))
        assert rows.cells(frozen, texts) == rows.cells(alone, texts)
