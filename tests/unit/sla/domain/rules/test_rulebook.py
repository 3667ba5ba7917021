"""Rulebooks: plans compiled from a procedure, and their indexes."""

from __future__ import annotations

import yaml

from services.sla.domain.deadlines.worktime import Worktime
from services.sla.domain.rules.plans import CANCELS, STARTS, STOPS
from services.sla.domain.rules.rulebook import REPLANNING_EVENTS, Rulebook
from shared.procedures.calendars.calendar import Calendar
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation

HEAD = {"id": "small", "version": 1, "title": {"zh": "小", "en": "Small"}, "register": {"number": "S-{seq:05}"}}
CALENDARS = {name: Calendar.parse({"id": name, "version": "1", "schedule": "none"}) for name in ("main", "repairs", "special")}
ORGANISATION = Organisation.model_validate(
    {
        "id": "company",
        "calendar": "main",
        "departments": [{"id": "repairs", "zh": "维修", "en": "Repairs", "calendar": "repairs"}, {"id": "desk", "zh": "台", "en": "Desk"}],
    }
)


def rulebook(text: str) -> Rulebook:
    procedure = Procedure.model_validate({**HEAD, "roles": ["officer", "boss"], **yaml.safe_load(text)})
    return Rulebook(bind_parameters(procedure, allow_unset=True), ORGANISATION, CALENDARS)


CLOCKS = """
parameters:
  limit: {type: duration, clause: "2"}
clocks:
  - id: guarded
    clause: "1"
    starts: registered
    stops: {all: [handled, verified]}
    when: last.urged.role == 'boss' && case.approved
    due:
      - {within: 1d, do: [breach]}
  - id: plain
    clause: "2"
    owner: {who: signed}
    starts: routed
    stops: measures_submitted
    due:
      - {within: {parameter: limit}, clause: ["2.1", "2.2"], do: [breach]}
    reminders:
      - {before: 2h, when: last.contacted.text != '', do: [{remind: owner, clause: "9"}]}
"""


def test_clock_plan_has_matches_by_selector_field_and_event_type() -> None:
    matches = rulebook(CLOCKS).clock_plans["guarded"].matches
    assert {field: sorted(matches[field]) for field in (STARTS, STOPS, CANCELS)} == {
        STARTS: ["registered"],
        STOPS: ["handled", "verified"],
        CANCELS: [],
    }
    assert [match.position for match in matches[STOPS]["verified"]] == [1]


def test_all_selector_needs_every_event_and_others_need_one() -> None:
    plans = rulebook(CLOCKS).clock_plans
    assert (plans["guarded"].stops_needed, plans["plain"].stops_needed) == (2, 1)


def test_selector_of_measures_matches_their_sign_off_while_it_is_awaited() -> None:
    stops = rulebook(CLOCKS).clock_plans["plain"].matches[STOPS]
    assert {event_type: match.requires_unsigned_measures for event_type, (match,) in stops.items()} == {
        "measures_submitted": False,
        "measures_signed_off": True,
    }


def test_parameter_without_a_value_leaves_the_duration_open() -> None:
    [step] = rulebook(CLOCKS).clock_plans["plain"].deadline_steps
    assert step.duration is None


def test_effect_without_a_clause_gets_that_of_its_entry_else_of_the_clock() -> None:
    plans = rulebook(CLOCKS).clock_plans
    [guarded_step], [plain_step], reminders = plans["guarded"].deadline_steps, plans["plain"].deadline_steps, plans["plain"].reminders
    planned = [*guarded_step.effects, *plain_step.effects, *(effect for reminder in reminders for effect in reminder.effects)]
    own = [effect.clauses for effect in planned if not effect.rule]
    assert own == [["1"], ["2.1", "2.2"], ["9"]]
    assert {tuple(effect.clauses) for effect in guarded_step.effects} == {("1",)}
    assert {tuple(effect.clauses) for effect in plain_step.effects} == {("2.1", "2.2")}


def test_replanning_follows_the_events_and_case_flags_that_guards_read() -> None:
    rules = rulebook(CLOCKS)
    assert [plan.clock.id for plan in rules.replannable_plans] == ["guarded", "plain"]
    approvals = {"measures_approved", "measures_deemed_approved", "measures_rejected"}
    assert rules.replanning_events == {*REPLANNING_EVENTS, "urged", "contacted", *approvals}


def test_last_event_fields_are_those_that_conditions_and_owners_read() -> None:
    assert rulebook(CLOCKS).last_event_fields == {"urged": {"role"}, "contacted": {"text"}, "signed": {"role"}}


def test_owner_is_the_declared_role_else_owner_or_handler_else_the_first_role() -> None:
    assert rulebook('ownership: [{role: [boss, officer], clause: "1"}]').owner_roles == ["boss", "officer"]
    assert rulebook("roles: [officer, handler]").owner_roles == ["handler"]
    assert rulebook("roles: [officer, boss]").owner_roles == ["officer"]


def test_worktime_is_of_the_department_else_of_the_procedure_else_of_the_organisation() -> None:
    with_calendar, without = rulebook("calendar: special"), rulebook("{}")
    tables = {name: Worktime.for_calendar(calendar) for name, calendar in CALENDARS.items()}
    assert with_calendar.worktime_for("repairs") is tables["repairs"]
    assert with_calendar.worktime_for("desk") is tables["special"]
    assert without.worktime_for("desk") is tables["main"]
    assert without.worktime_for("unknown") is tables["main"]
