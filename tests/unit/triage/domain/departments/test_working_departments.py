"""Departments on holiday or at their capacity give way to the next that works, and the event says so."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triage.domain.assess import assess
from services.triage.domain.departments.working_departments import PassedOver, Replacement, WorkingDepartments
from services.triage.domain.rule_scope import TriageContext
from shared.contracts.events.triage import Routed
from shared.procedures.organisation import Organisation
from tests.unit.triage.conftest import MakeComplaint, MakeRules

ALWAYS = {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
THURSDAY = datetime(2026, 9, 24, 1, 0, tzinfo=UTC)
SATURDAY_NIGHT = datetime(2026, 9, 25, 17, 0, tzinfo=UTC)  # 01:00 on the 26th in China
NATIONAL_DAY = datetime(2026, 10, 1, 2, 0, tzinfo=UTC)


def company(**departments: dict[str, Any]) -> Organisation:
    return Organisation.model_validate(
        {
            "id": "o",
            "calendars": [{"id": "hotline", "version": "1", "schedule": "none", "hours": ALWAYS}],
            "departments": [{"id": name, **fields} for name, fields in departments.items()],
        }
    )


OFFICES = company(
    engineering={"next": ["service", "duty"], "capacity": 2},
    service={"next": ["engineering"]},
    duty={"calendar": "hotline"},
    finance={},
)
WORKING = WorkingDepartments(OFFICES)


def test_department_that_works_takes_its_cases_at_any_hour() -> None:
    assert WORKING.replacement("engineering", THURSDAY, {"engineering": 1}) == Replacement("engineering")
    assert WORKING.replacement("engineering", datetime(2026, 9, 23, 19, 0, tzinfo=UTC), {}) == Replacement("engineering")


def test_calendar_of_each_department_decides_on_holidays() -> None:
    passed = (PassedOver("engineering", "holiday"), PassedOver("service", "holiday"))
    assert WORKING.replacement("engineering", NATIONAL_DAY, {}) == Replacement("duty", passed)
    assert WORKING.replacement("engineering", SATURDAY_NIGHT, {}) == Replacement("duty", passed)
    assert WORKING.replacement("duty", NATIONAL_DAY, {}) == Replacement("duty")


def test_department_at_its_capacity_gives_way() -> None:
    assert WORKING.limited == {"engineering"}
    assert WORKING.replacement("engineering", THURSDAY, {"engineering": 2}) == Replacement(
        "service", (PassedOver("engineering", "capacity"),)
    )


def test_department_that_names_nobody_keeps_its_cases() -> None:
    assert WORKING.replacement("finance", NATIONAL_DAY, {}) == Replacement("finance")
    assert WORKING.replacement("unknown", NATIONAL_DAY, {}) == Replacement("unknown")


def test_department_of_the_rules_keeps_the_case_where_none_works() -> None:
    circle = WorkingDepartments(company(a={"next": ["b"]}, b={"next": ["a"]}))
    assert circle.replacement("a", NATIONAL_DAY, {}) == Replacement("a", none_works=True)


def test_next_has_to_exist() -> None:
    with pytest.raises(ValueError, match=r"departments\.a\.next: b does not exist; add it or correct the id"):
        company(a={"next": ["b"]})


NAMES = ["a", "b", "c", "d"]
GRAPHS = st.fixed_dictionaries(
    {name: st.fixed_dictionaries({"next": st.lists(st.sampled_from(NAMES), unique=True), "capacity": st.integers(1, 3)}) for name in NAMES}
)


@given(GRAPHS, st.fixed_dictionaries({name: st.integers(0, 4) for name in NAMES}), st.sampled_from([THURSDAY, NATIONAL_DAY]))
def test_a_named_replacement_works_and_the_search_ends(graph: dict[str, Any], load: dict[str, int], at: datetime) -> None:
    organisation = company(**graph)
    found = WorkingDepartments(organisation).replacement("a", at, load)
    departments = [each.department for each in found.passed_over]
    assert len(set(departments)) == len(departments)
    assert found.department not in departments
    if found.passed_over:
        assert departments[0] == "a"
        chosen = organisation.department(found.department)
        assert chosen is not None
        free = load[chosen.id] < (chosen.capacity or 0)
        assert (at == THURSDAY and free) or (not chosen.next and not any(chosen.id in graph[name]["next"] for name in NAMES))


def routed(rules: MakeRules, complaint: MakeComplaint, at: datetime, load: dict[str, int] | None = None) -> Routed:
    compiled = rules(other_organisation=OFFICES)
    context = TriageContext(at, ZoneInfo("Asia/Shanghai"), open_cases=load or {})
    return assess(complaint(text="电梯停运"), compiled, context).routed_event(context)


def test_event_names_the_replacement_and_whom_it_replaces(rules: MakeRules, complaint: MakeComplaint) -> None:
    event = routed(rules, complaint, THURSDAY, {"engineering": 2})
    assert (event.type, event.department, event.rule) == ("routed", "service", "subject lift")
    assert [each.model_dump() for each in event.passed_over] == [{"department": "engineering", "why": "capacity"}]
    assert event.reason == "passed over: engineering (capacity)"
    usual = routed(rules, complaint, THURSDAY)
    assert (usual.department, usual.passed_over, usual.reason) == ("engineering", [], "")
    assert "passed_over" not in usual.model_fields_set


def test_cooperating_departments_do_not_hold_the_lead_twice(rules: MakeRules, complaint: MakeComplaint) -> None:
    organisation = company(finance={"next": ["service"], "capacity": 1}, service={})
    context = TriageContext(THURSDAY, ZoneInfo("Asia/Shanghai"), open_cases={"finance": 1})
    decision = assess(complaint(text="物业费"), rules(other_organisation=organisation), context)
    assert (decision.route.department, decision.route.cooperating) == ("service", ())
    assert decision.classified_event(None, context).case == "c1"
