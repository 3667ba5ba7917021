"""Refuses findings with wrong data or out of order, and completes their events from earlier ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.defaults.action_refusal import ActionRefusal
from services.sla.domain.lifecycle.findings.records import Compensation, subject_key
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
    """The refusal of data that state nothing, contradict each other, or name an instant at which they cannot have happened."""
    if action not in FINDING_ACTIONS:
        return None
    problem = next(_wrong_data(builder, action, at, data), None)
    return _too_many_subjects(builder, action, data) if problem is None else ActionRefusal(problem)


def is_blank(value: Any) -> bool:
    """Whether a value states nothing: none, an empty one, white space, or a list of such."""
    if isinstance(value, list):
        return all(map(is_blank, value))
    return value is None or (isinstance(value, str) and not value.strip())


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


def _wrong_data(builder: DecisionBuilder, action: str, at: int, data: dict[str, Any]) -> Iterator[str]:
    for name, value in data.items():
        # Blank is not the same as left out: a household of blanks would be taken for the whole case.
        if value not in ("", []) and any(map(is_blank, value if isinstance(value, list) else [value])):
            yield f"{name}: has blanks only, or an entry with blanks only; write what it is, or leave it out"
    happened_at = data.get("happened_at", at)
    if happened_at > at:
        yield "happened_at: lies in the future; record what has happened, with the instant at which it did"
    if happened_at < builder.case.received_at:
        yield "happened_at: lies before the receipt of the complaint; record it on the case that it was about"
    amount = data.get("amount")
    if amount == 0:
        yield "amount: is 0; give one above 0, or leave it out where there is none"
    if action == "propose_compensation" and data["compensation"] in MONEY_COMPENSATIONS and amount is None:
        yield "amount: is missing; a compensation of this kind has one, in yuan"
    if action == "record_sanction" and data["sanction"] == "fine" and amount is None:
        yield "amount: is missing; a fine has one, in yuan"
    if action == "record_sanction" and data["sanction"] not in ("fine", "other") and amount is not None:
        yield "amount: belongs to a fine or to other sanctions; leave it out, or record the fine as one"


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
        case "propose_compensation" if _step(_compensation(builder, data)) == "compensation_proposed":
            yield "the proposal before it awaits its decision; have that decided first, or name another household"
        case "decide_compensation":
            yield from _undecidable(_step(_compensation(builder, data)), "compensation_proposed", "propose a compensation")
            yield from _differs_from(_compensation(builder, data), data, "proposed")
        case "pay_compensation":
            yield from _unpayable(_compensation(builder, data), data)
            yield from _differs_from(_compensation(builder, data), data, "approved")
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


def _differs_from(compensation: Compensation | None, data: dict[str, Any], before: str) -> Iterator[str]:
    if compensation is None:
        return
    if data.get("compensation") not in (None, "", compensation.kind):
        yield f"compensation differs from the kind that was {before}; leave it out, or propose a compensation of this kind"
    if before == "proposed" and compensation.amount is not None and _exceeds(data, compensation.amount):
        yield "amount exceeds what was proposed; approve at most that, or refuse it and have more proposed"


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
