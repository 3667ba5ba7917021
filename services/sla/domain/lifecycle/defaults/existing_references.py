"""Departments exist: route, reassign, assign, hand_over, take_over and unlink name only what the organisation and the case have.

So do facts: amend names only those that the procedure declares.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.defaults.action_refusal import ActionRefusal

RULE = "departments_exist"
FACTS_RULE = "facts_exist"
_HANDOVER_EVENTS = frozenset({"handed_over", "taken_over", "call_recorded"})


def unknown_reference(builder: DecisionBuilder, event_type: str, data: dict[str, Any]) -> ActionRefusal | None:
    """The refusal of an action whose event names a department, person, role, link or fact that does not exist."""
    # A typo would otherwise route the case to a department that has no people: nobody hears of it again.
    problem = next(_problems(builder, event_type, data), None)
    return None if problem is None else ActionRefusal(problem, rule=FACTS_RULE if event_type == "amended" else RULE)


def _problems(builder: DecisionBuilder, event_type: str, data: dict[str, Any]) -> Iterator[str]:
    if event_type == "amended":
        yield from _unknown_facts(builder, data.get("facts", {}))
        return
    if event_type == "unlinked":
        if builder.case.find_link(data) is None:
            yield "case: this case has no such link; name the case of one of its links, and `as` where there are several"
        return
    organisation = builder.rulebook.organisation
    if organisation.everyone:
        return
    if event_type in ("routed", "reassigned"):
        departments = [department.id for department in organisation.departments]
        named = {"department": [data.get("department", "")], "cooperating": data.get("cooperating", [])}
        for field, values in named.items():
            if not set(values) <= set(departments):
                yield f"{field}: the organisation has no such department; name one of {', '.join(departments) or 'those that it adds'}"
    elif event_type == "assigned":
        if data.get("person") and organisation.person(data["person"]) is None:
            yield "person: the organisation has no such person; give the id of one of its people"
        if data.get("to_role") and data["to_role"] not in _known_roles(builder):
            yield f"role: neither the procedure nor the organisation has it; name one of {', '.join(sorted(_known_roles(builder)))}"
    elif event_type in _HANDOVER_EVENTS and data.get("to"):
        to = data["to"]
        # A call may also go to the complainant.
        known = to in _known_roles(builder) or (to == "complainant" and event_type == "call_recorded")
        known = known or organisation.department(to) is not None or organisation.person(to) is not None
        if not known:
            yield "to: is no role, department or person of the organisation; correct the id"


def _unknown_facts(builder: DecisionBuilder, facts: dict[str, Any]) -> Iterator[str]:
    declared = builder.rulebook.procedure.facts
    for name in facts:
        if name not in declared:
            near = get_close_matches(name, declared, n=1)
            yield f"facts.{name}: the procedure has no such fact; " + (
                f"write {near[0]}" if near else f"it has {', '.join(sorted(declared))}"
            )


def _known_roles(builder: DecisionBuilder) -> set[str]:
    people = builder.rulebook.organisation.people
    return {"owner", *builder.rulebook.procedure.role_names, *(role for person in people for role in person.roles)}
