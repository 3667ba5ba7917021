"""Effects of a decision on the case's lead and duplicates: inputs for these cases, each decided under its own lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.decision_builder import END_EVENTS, DecisionBuilder
from services.sla.domain.lifecycle.inputs import ApplyDecision
from services.sla.domain.lifecycle.links.duplicates import REASON, RULE
from services.sla.domain.lifecycle.links.records import Duplicate
from services.sla.domain.lifecycle.notifications import COMPLAINANT_ROLE

CASE_CAUSE = "case"
"""The cause of an event that another case brought about."""
_FORWARDED_FIELDS = ("text", "reason", "attachments", "role", "actor")
_NOTICE_FIELDS = ("rule", "clause", "clauses", "by", "template", "about", "urgent", "values")
CaseMessage = tuple[str, ApplyDecision]
"""The id of a case and an input for it."""


def messages_to_other_cases(builder: DecisionBuilder, before: Case | None) -> list[CaseMessage]:
    """The inputs for other cases that the events of a decision lead to; `before` is the case before it."""
    messages: list[CaseMessage] = []
    for event in builder.events:
        messages += [(case_id, ApplyDecision(kind, event.at, data, CASE_CAUSE)) for case_id, kind, data in _follow(builder, event, before)]
    return messages


def _follow(builder: DecisionBuilder, event: Event, before: Case | None) -> Iterator[tuple[str, str, dict[str, Any]]]:
    case, data = builder.case, event.data
    lead_before = before.lead if before else ""
    match event.type:
        case "linked" if data.get("as") == "duplicate":
            yield from _join(builder, event, before)
        case "unlinked" | "withdrawn" if lead_before and not case.lead:
            yield lead_before, "duplicate_left", {"rule": RULE, "duplicate": case.id}
        case "duplicate_joined" if not case.open or case.lead:
            yield data["duplicate"], *_redirect(case)
        case "closed" | "refused" | "reopened":
            for duplicate in case.duplicates:
                yield duplicate.case, event.type, {"rule": RULE, "role": "system", "reason": REASON}
        case "withdrawn" if case.duplicates:
            yield from _succeed(case)
        case "urged" | "supplemented" if data.get("to_case"):
            yield data["to_case"], event.type, {name: data[name] for name in _FORWARDED_FIELDS if name in data}
        # A merged request is among the items of the one that it was merged into.
        case "notification_requested" if COMPLAINANT_ROLE in data["recipients"] and not data.get("merged_into"):
            if data["about"] in END_EVENTS:
                return
            notice = {name: data[name] for name in _NOTICE_FIELDS if name in data}
            for duplicate in case.duplicates:
                yield duplicate.case, event.type, {**notice, "recipients": [COMPLAINANT_ROLE], "persons": []}


def _join(builder: DecisionBuilder, event: Event, before: Case | None) -> Iterator[tuple[str, str, dict[str, Any]]]:
    case = builder.case
    joined: dict[str, Any] = {"rule": RULE, "duplicate": case.id, "received_at": case.received_at, "clocks": case.handed_over}
    if case.complainant_keys:
        joined["complainant_keys"] = case.complainant_keys
    yield event.data["to_case"], "duplicate_joined", joined
    if before is not None and before.lead and before.lead != case.lead:
        yield before.lead, "duplicate_left", {"rule": RULE, "duplicate": case.id}
    # A case that becomes a duplicate brings its duplicates along, so that no lead follows another.
    for duplicate in before.duplicates if before is not None else ():
        yield duplicate.case, "linked", {"rule": RULE, "to_case": case.lead, "as": "duplicate"}


def _redirect(case: Case) -> tuple[str, dict[str, Any]]:
    """The input for a duplicate that came too late: the lead had ended, or had itself become a duplicate, since it was looked up."""
    if case.lead:
        return "linked", {"rule": RULE, "to_case": case.lead, "as": "duplicate"}
    return "unlinked", {"rule": RULE, "to_case": case.id, "as": "duplicate", "reason": "lead_ended"}


def _succeed(case: Case) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The oldest duplicate of another person becomes the lead; those of the person who withdrew end."""
    others = [duplicate for duplicate in case.duplicates if not _is_same_person(case, duplicate)]
    for duplicate in case.duplicates:
        if duplicate not in others:
            yield duplicate.case, "withdrawn", {"rule": RULE, "role": "system", "reason": REASON}
    if others:
        heir, *rest = sorted(others, key=lambda duplicate: (duplicate.received_at, duplicate.case))
        yield heir.case, "unlinked", {"rule": RULE, "to_case": case.id, "as": "duplicate", "reason": "lead_withdrawn"}
        for duplicate in rest:
            yield duplicate.case, "linked", {"rule": RULE, "to_case": heir.case, "as": "duplicate"}


def _is_same_person(case: Case, duplicate: Duplicate) -> bool:
    """Whether the duplicate shares a key with the case, directly or through other duplicates; two id_numbers are two people."""
    known, remaining = set(case.complainant_keys), [*case.duplicates]
    while linked := [each for each in remaining if known & set(each.keys) and not _other_id_number(known, set(each.keys))]:
        known |= {key for each in linked for key in each.keys}
        remaining = [each for each in remaining if each not in linked]
    return duplicate not in remaining


def _other_id_number(known: set[str], keys: set[str]) -> bool:
    first, second = ({key for key in each if key.startswith("id_number:")} for each in (known, keys))
    return bool(first and second and not first & second)
