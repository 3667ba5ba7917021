"""Checks the case that a link names before the decision, which sees one case only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.inputs import ApplyDecision, CaseInput, TakeAction

LINK_RULE = "link_target"
"""The rule of a refusal because of the case that the link names."""
FindCase = Callable[[str], Case | None]
"""Returns the case with an id; None if the register has none."""


def resolve_link(case: Case | None, case_input: CaseInput, find_case: FindCase) -> CaseInput:
    """The input with the lead as its case where it links a duplicate, denied where the named case cannot be linked; others unchanged."""
    if case is None:
        return case_input
    match case_input:
        case TakeAction(action="link", data=data) if data.get("case") and not case_input.denied:
            target, problem = _resolve_target(case, data["case"], data.get("as", ""), find_case)
            if problem:
                return replace(case_input, denied=problem, denied_by=LINK_RULE)
            return replace(case_input, data={**data, "case": target})
        # Triage links members of a group before sla has opened them all, so only its duplicates are checked.
        case ApplyDecision(event="linked" | "link_proposed", cause="triage", data=data) if data.get("as") == "duplicate":
            return _resolve_decision(case, case_input, find_case)
    return case_input


def _resolve_decision(case: Case, decision: ApplyDecision, find_case: FindCase) -> ApplyDecision:
    data = decision.data
    if "link" in case.decided_by_person:
        return replace(decision, event="action_refused", data=_refused_link(data, "a person has decided the link"))
    if data["to_case"] != case.id and find_case(data["to_case"]) is None:
        # Of two submissions within a second the second may be opened before the first, whose partition another process reads:
        # the lead answers once it is opened, and redirects what cannot follow it.
        return decision
    target, problem = _resolve_target(case, data["to_case"], "duplicate", find_case)
    lead = find_case(target) if not problem else None
    if lead is not None and lead.answered:
        problem = "as: the case that it would follow has been answered; this one is a repeat"
    if problem:
        return replace(decision, event="action_refused", data=_refused_link(data, problem))
    return replace(decision, data={**data, "to_case": target})


def _resolve_target(case: Case, to_case: str, kind: str, find_case: FindCase) -> tuple[str, str]:
    """The case to link to, and why that is impossible, empty if it is possible."""
    target = find_case(to_case)
    if to_case == case.id:
        return "", "case: a case cannot be linked to itself; name another one"
    if target is None:
        return "", "case: the register has no such case; correct the id"
    return (to_case, "") if kind != "duplicate" else _resolve_lead(case, target)


def _resolve_lead(case: Case, target: Case) -> tuple[str, str]:
    # A lead follows no other case, so the lead of a duplicate is at most one step away.
    lead = target.lead or target.id
    if lead == case.id:
        return "", "case: it is a duplicate of this one already; a circle of duplicates would have no lead"
    if case.lead == lead:
        return "", "case: this case is a duplicate of it already"
    if case.lead:
        return "", f"case: this case is a duplicate of {case.lead}; unlink it from there first"
    if not case.open:
        return "", "as: this case has ended; only an open case can become a duplicate"
    if not target.open:
        return "", "as: the case that it would follow has ended; link it as a repeat"
    if target.procedure != case.procedure:
        return "", "case: it is handled under another procedure; a duplicate has the procedure of its lead"
    return lead, ""


def _refused_link(data: dict[str, Any], reason: str) -> dict[str, Any]:
    rule_fields: dict[str, Any] = {name: data[name] for name in ("clause", "clauses") if name in data}
    return {**rule_fields, "rule": LINK_RULE, "action": "link", "role": "system", "reason": reason, "data": data}
