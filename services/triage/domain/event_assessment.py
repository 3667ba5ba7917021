"""Assesses one event of a case: triage's decision on it, and the group counters that the case leaves or is counted in.

A service loads what `count_changes` name before it applies the events; `TriageState` changes exactly these counters.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.triage.domain.assess import TriageDecision, assess
from services.triage.domain.compiled_rules import TriageRules
from services.triage.domain.group_counting import CounterKey, GroupQuery, max_neighbours, window_length
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.triage_case import TriageCase, amended_complaint, case_from_decision
from shared.contracts.complaint import supplemented_text
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import Supplemented
from shared.contracts.events.triage import Registered
from shared.contracts.events.up_to_approval import Amended, Refused
from shared.procedures.model.procedure import CountEntry


@dataclass(frozen=True, slots=True)
class CountChange:
    """How an event changes the counting of a case under one count entry: the counter that it leaves, the one that it is counted in."""

    case: str
    entry: CountEntry = field(compare=False)
    leaves: CounterKey | None
    joins: GroupQuery | None


@dataclass(frozen=True, slots=True)
class AssessedEvent:
    """An event with triage's decision on it, None if the event calls for none.

    `before` is the case that was assessed, None for a registration; `after` is the case after the event, without what groups change.
    """

    event: CaseEvent
    before: TriageCase | None
    after: TriageCase
    decision: TriageDecision | None = None
    count_changes: tuple[CountChange, ...] = ()


def assess_registration(registered: Registered, rules: TriageRules, context: TriageContext) -> AssessedEvent:
    """Assess a new case; raises `ValueError` with the condition that cannot be evaluated."""
    decision = assess(registered.complaint.model_copy(update={"contact": None}), rules, context)
    triage_case = case_from_decision(decision)
    return AssessedEvent(registered, None, triage_case, decision, tuple(_count_changes(None, triage_case)))


def assess_event(event: CaseEvent, triage_case: TriageCase, context: TriageContext) -> AssessedEvent:
    """Assess an event of a known case; raises `ValueError` with the condition that cannot be evaluated."""
    match event:
        case Amended() | Supplemented():
            complaint = (
                amended_complaint(triage_case, event.facts, event.fields)
                if isinstance(event, Amended)
                else amended_complaint(triage_case, {}, {"text": supplemented_text(triage_case.complaint.text, event.text)})
            )
            if complaint == triage_case.complaint:
                return AssessedEvent(event, triage_case, triage_case)
            decision = assess(complaint, triage_case.rules, context)
            amended_case = triage_case.with_decision(decision)
            return AssessedEvent(event, triage_case, amended_case, decision, tuple(_count_changes(triage_case, amended_case)))
        case Refused():
            return AssessedEvent(event, triage_case, triage_case.after_event(event), count_changes=tuple(_count_changes(triage_case, None)))
    return AssessedEvent(event, triage_case, triage_case.after_event(event))


def _count_changes(before: TriageCase | None, after: TriageCase | None) -> Iterator[CountChange]:
    """One change for each count entry under which the case is counted by another key than before."""
    triage_case = after or before
    if triage_case is None:
        return
    for entry in triage_case.procedure.counts:
        old_key = before.count_keys.get(entry.id, "") if before else ""
        new_key = after.count_keys.get(entry.id, "") if after else ""
        if old_key == new_key:
            continue
        leaves = CounterKey(triage_case.procedure.id, entry.id, old_key) if old_key else None
        # An ended case is not counted under a new key.
        joins = _group_query(triage_case, entry, new_key) if new_key and not triage_case.ended else None
        yield CountChange(triage_case.case, entry, leaves, joins)


def _group_query(triage_case: TriageCase, entry: CountEntry, key: str) -> GroupQuery:
    counter = CounterKey(triage_case.procedure.id, entry.id, key)
    return GroupQuery(counter, triage_case.complaint.received_at, window_length(entry), max_neighbours(entry))
