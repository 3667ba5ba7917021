"""The same event in other words across procedures of an organisation: one alarm, members of each procedure, undone by a person."""

from typing import Any

import pytest

from services.triage.domain.compiled_rules import TriageRules, compile_rules
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.state import TriageState
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import Linked, Unlinked
from shared.contracts.events.triage import GroupDissolved, GroupFound, Registered
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation
from tests.unit.triage.conftest import PROCEDURE, MakeComplaint

EVENT: dict[str, Any] = {
    "id": "city_event",
    "procedures": ["shop", "estate"],
    "similar": {},
    "threshold": 3,
    "distinct": "complainant",
    "window": "60d",
    "does": {"reclassify": "middle", "set": {"second_complaint": True}},
}
OWN: dict[str, Any] = {
    "id": "own_event",
    "similar": {},
    "threshold": 3,
    "distinct": "complainant",
    "window": "60d",
    "does": {"as": "same_event"},
}
TEXTS = ("翠湖花园电梯停运三天，老人上不了楼", "翠湖花园的电梯坏了三天没有人修", "翠湖花园老人上不了楼，电梯停运三天了没人管")


class Reports:
    """Texts reported under procedures of one organisation, one after the other."""

    def __init__(self, complaint: MakeComplaint, context: TriageContext, *, counts: list[dict[str, Any]] | None = None) -> None:
        self.complaint, self.context, self.state = complaint, context, TriageState()
        organisation = Organisation.model_validate({"id": "o", "departments": [{"id": "unassigned"}], "same_events": [EVENT]})
        documents = [PROCEDURE | {"id": name, "counts": counts or [], "subjects": [], "routes": []} for name in ("shop", "estate", "other")]
        bound = [bind_parameters(Procedure.model_validate(document)) for document in documents]
        self.rules: dict[str, TriageRules] = {each.procedure.id: compile_rules(each, organisation) for each in bound}

    def report(self, case: str, procedure: str, text: str) -> list[CaseEvent]:
        complaint = self.complaint(case, text=text)
        registered = Registered(case=case, at=complaint.registered_at, complaint=complaint, complainant_keys=[f"phone:{case}"])
        return self.state.add_case(registered, self.rules[procedure], self.context)

    def report_all(self, *procedures: str) -> list[CaseEvent]:
        """Cases a, b and c under these procedures."""
        reported = zip("abc", procedures, TEXTS, strict=True)
        return [event for case, procedure, text in reported for event in self.report(case, procedure, text)]


@pytest.fixture
def reports(complaint: MakeComplaint, context: TriageContext) -> Reports:
    return Reports(complaint, context)


def test_cases_of_two_procedures_make_one_event(reports: Reports) -> None:
    assert not [e for e in reports.report("a", "shop", TEXTS[0]) + reports.report("b", "estate", TEXTS[1]) if isinstance(e, GroupFound)]
    events = reports.report("c", "estate", TEXTS[2])
    (alarm,) = [event for event in events if isinstance(event, GroupFound)]
    assert (alarm.procedure, alarm.rule, alarm.members) == ("estate", "city_event", ["a", "b", "c"])
    links = {event.case: (event.procedure, event.to_case, event.kind_of_link) for event in events if isinstance(event, Linked)}
    assert links == {"a": ("shop", "c", "same_event"), "b": ("estate", "c", "same_event"), "c": ("estate", "a", "same_event")}
    assert {case.effective.class_ for case in reports.state.cases.values()} == {"middle"}
    assert all(case.group_facts == {"second_complaint": True} for case in reports.state.cases.values())


def test_case_of_a_procedure_that_is_not_named_does_not_count(reports: Reports) -> None:
    events = reports.report_all("shop", "estate", "other")
    assert not [event for event in events if isinstance(event, GroupFound)]
    assert "city_event" not in reports.state.cases["c"].count_keys


def test_person_takes_a_member_of_another_procedure_out(reports: Reports) -> None:
    reports.report_all("shop", "shop", "estate")
    unlinked = Unlinked(case="a", at=reports.context.at, role="handler", actor="li", to_case="c", kind_of_link="same_event")
    events = reports.state.apply_event(unlinked, reports.context)
    assert [event.members for event in events if isinstance(event, GroupDissolved)] == [["b", "c"]]
    assert all(case.group_facts == {} for case in reports.state.cases.values())


def test_event_of_a_procedure_stays_within_it(complaint: MakeComplaint, context: TriageContext) -> None:
    reports = Reports(complaint, context, counts=[OWN])
    events = reports.report_all("shop", "shop", "estate")
    assert [event.rule for event in events if isinstance(event, GroupFound)] == ["city_event"]
    assert reports.state.cases["b"].count_keys["own_event"] == ("a",)
    assert reports.state.cases["c"].count_keys["own_event"] == ("c",)
