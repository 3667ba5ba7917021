"""Refuses findings with wrong data or out of order, and completes their events from earlier ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.defaults.action_refusal import ActionRefusal
from services.sla.domain.lifecycle.findings.records import Compensation, subject_key
from shared.contracts.actions import ACTION_DEFINITIONS
from shared.contracts.events.findings import MONEY_COMPENSATIONS

RULE = "decided_findings"
FINDING_ACTIONS = frozenset(
    {
        *("record_cause", "record_liability", "record_sanction", "record_agreement", "report_concealment", "record_call", "record_meeting"),
        *("propose_compensation", "decide_compensation", "pay_compensation"),
        *("draft_notice", "decide_notice", "publish_notice", "confirm_notice"),
    }
)
"""The actions that record findings."""
MAX_SUBJECTS = 2000
"""Households, and notices, that one case keeps apart: its state is read and written with every decision."""
_TIMED_EVENTS = frozenset({"call_recorded", "meeting_recorded"})


def wrong_finding_data(builder: DecisionBuilder, action: str, at: int, data: dict[str, Any]) -> ActionRefusal | None:
    """The refusal of data that lack a field, or name an instant still to come."""
    one_of = ACTION_DEFINITIONS[action].one_of
    if one_of and not any(data.get(name) for name in one_of):
        return ActionRefusal(f"{one_of[0]}: is missing, and so is {one_of[1]}; give one of them with {action}")
    if action not in FINDING_ACTIONS:
        return None
    if (data.get("happened_at") or at) > at:
        return ActionRefusal("happened_at: lies in the future; record what has happened, with the instant at which it did")
    if action == "propose_compensation" and data["compensation"] in MONEY_COMPENSATIONS and data.get("amount") is None:
        return ActionRefusal("amount: is missing; a compensation of this kind has one, in yuan")
    return _too_many_subjects(builder, action, data)


def decision_out_of_order(builder: DecisionBuilder, action: str, data: dict[str, Any]) -> ActionRefusal | None:
    """The refusal of a step of a compensation or notice whose step before is missing: nothing is decided or paid without it."""
    problem = next(_out_of_order(builder, action, data), None)
    return None if problem is None else ActionRefusal(f"{action}: {problem}", rule=RULE)


def finding_fields(builder: DecisionBuilder, event_type: str, at: int, data: dict[str, Any]) -> dict[str, Any]:
    """Fields of a finding's event that its action left out: what was proposed or approved, who called, and when."""
    if event_type in _TIMED_EVENTS:
        caller = {"caller": data["actor"]} if event_type == "call_recorded" and data.get("actor") else {}
        return {"happened_at": at, **caller}
    compensation = _compensation(builder, data)
    if compensation is None or event_type not in ("compensation_approved", "compensation_refused", "compensation_paid"):
        return {}
    amount = compensation.unpaid if event_type == "compensation_paid" else compensation.amount
    return {"compensation": compensation.kind} | ({} if amount is None else {"amount": amount})


def _too_many_subjects(builder: DecisionBuilder, action: str, data: dict[str, Any]) -> ActionRefusal | None:
    findings = builder.case.findings
    subjects: Collection[str] = ()
    match action:
        case "record_agreement":
            subjects = findings.agreements
        case "propose_compensation":
            subjects = findings.compensations
        case "draft_notice" | "publish_notice":
            subjects = findings.notices
    field = "notice" if action.endswith("notice") else "household"
    if len(subjects) < MAX_SUBJECTS or subject_key(data.get(field, "")) in subjects:
        return None
    return ActionRefusal(f"{field}: the case has {MAX_SUBJECTS} of them already; record the others on a linked case")


def _out_of_order(builder: DecisionBuilder, action: str, data: dict[str, Any]) -> Iterator[str]:
    match action:
        case "decide_compensation":
            yield from _undecidable(_step(_compensation(builder, data)), "compensation_proposed", "propose a compensation")
        case "pay_compensation":
            yield from _unpayable(_compensation(builder, data), data)
        case "decide_notice":
            yield from _undecidable(_notice_step(builder, data), "notice_drafted", "draft a notice")
        case "publish_notice":
            step = _notice_step(builder, data)
            if step == "notice_rejected" or (step in ("", "notice_drafted") and _has_decider(builder)):
                yield "the notice is not approved; have it approved first"
        case "confirm_notice" if _notice_step(builder, data) not in ("notice_published", "notice_confirmed"):
            yield "the notice is not published; publish it first"


def _undecidable(step: str, awaited: str, submission: str) -> Iterator[str]:
    if not step:
        yield f"nothing awaits this decision; {submission} first"
    elif step != awaited:
        yield f"{step} has decided already; {submission} again, and decide on that"


def _unpayable(compensation: Compensation | None, data: dict[str, Any]) -> Iterator[str]:
    if compensation is None or compensation.step != "compensation_approved":
        yield "the compensation is not approved; have it approved first"
    elif compensation.unpaid is not None and (compensation.unpaid == 0 < (compensation.amount or 0) or _exceeds(data, compensation.unpaid)):
        yield "amount exceeds what is approved and not paid yet; pay at most that, or propose a further compensation"


def _exceeds(data: dict[str, Any], unpaid: float) -> bool:
    return (data.get("amount") or 0.0) > unpaid


def _compensation(builder: DecisionBuilder, data: dict[str, Any]) -> Compensation | None:
    return builder.case.findings.compensations.get(subject_key(data.get("household", "")))


def _step(compensation: Compensation | None) -> str:
    return "" if compensation is None else compensation.step


def _notice_step(builder: DecisionBuilder, data: dict[str, Any]) -> str:
    return builder.case.findings.notices.get(subject_key(data.get("notice", "")), "")


def _has_decider(builder: DecisionBuilder) -> bool:
    """Whether the procedure names who decides on notices; if so, a notice is published only after approval."""
    return any(permission.rule.by is not None for permission in builder.rulebook.permissions_by_action.get("decide_notice", ()))
