"""Assesses one event of a case: triage's decision on it, and the group counters that the case leaves or is counted in.

A service loads what `count_changes` name before it applies the events; `TriageState` changes exactly these counters.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

from services.triage.domain.assess import TRIAGE, CountKeys, TriageDecision, assess
from services.triage.domain.clause_fields import clause_fields
from services.triage.domain.compiled_rules import TriageRules
from services.triage.domain.groups.counters import CounterKey, GroupCounter, GroupQuery, group_query, is_counted_around
from services.triage.domain.groups.people import PersonDirectory, PersonKeys
from services.triage.domain.reading.reading_copy import ReadingCopy
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.triage_case import Membership, TriageCase, amended_complaint, case_from_decision
from shared.contracts.complaint import supplemented_text
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import Supplemented
from shared.contracts.events.triage import Registered
from shared.contracts.events.up_to_approval import Amended
from shared.procedures.model.facts import coerce_facts
from shared.procedures.model.triage.entries import CountEntry
from shared.procedures.organisation_triage import counting_scope


@dataclass(frozen=True, slots=True)
class CountChange:
    """How an event changes the counting of a case under one count entry: the counter that it leaves or the one that it is counted in.

    `registers`: the event is the case's registration.
    """

    case: str
    entry: CountEntry = field(compare=False)
    leaves: GroupQuery | None
    joins: GroupQuery | None
    registers: bool = field(default=False, compare=False)


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


def assess_registration(
    registered: Registered, rules: TriageRules, context: TriageContext, reading: ReadingCopy | None = None
) -> AssessedEvent:
    """Assess a new case."""
    complaint = registered.complaint.model_copy(update={"contact": None})
    decision = assess(complaint, rules, context, reading=reading)
    triage_case = case_from_decision(decision, person_keys(registered))
    return AssessedEvent(registered, None, triage_case, decision, tuple(count_changes(None, triage_case)))


def person_keys(registered: Registered) -> PersonKeys:
    """The complainant's keys; registrations of an intake of before have the first one only, as the complainant's id."""
    return tuple(registered.complainant_keys) or tuple((registered.complaint.complainant.id or "").split()[:1])


def assess_event(event: CaseEvent, triage_case: TriageCase, context: TriageContext) -> AssessedEvent:
    """Assess an event of a known case."""
    if isinstance(event, Amended):
        # What a group set or took off is kept with the memberships: read from the echo it would be a person's fact, and stay.
        return AssessedEvent(event, triage_case, triage_case) if event.by == TRIAGE else _assess_amendment(event, triage_case, context)
    if isinstance(event, Supplemented):
        text = supplemented_text(triage_case.complaint.text, event.text)
        return _assess_amendment(Amended(case=event.case, at=event.at, fields={"text": text}), triage_case, context)
    after = triage_case.after_event(event)
    return AssessedEvent(event, triage_case, after, count_changes=tuple(count_changes(triage_case, after)))


def _assess_amendment(event: Amended, triage_case: TriageCase, context: TriageContext) -> AssessedEvent:
    amended = replace(
        triage_case,
        complaint=amended_complaint(triage_case, event.facts, event.fields),
        memberships=memberships_without(triage_case, event.facts),
    )
    if amended == triage_case:
        return AssessedEvent(event, triage_case, triage_case)
    decision = decide_again(amended, context)
    after = amended.with_decision(decision)
    return AssessedEvent(event, triage_case, after, decision, tuple(count_changes(triage_case, after)))


def decide_again(triage_case: TriageCase, context: TriageContext) -> TriageDecision:
    """The decision on the case as it is now, with the facts of its groups."""
    reading = ReadingCopy(triage_case.complaint)
    decision = assess(triage_case.complaint, triage_case.rules, context, triage_case.group_facts, reading)
    if not triage_case.group_facts:
        return decision
    # A key may read what groups of earlier entries set, as a rule reads what rules before it decided: reading its own group's facts,
    # a case could leave by them the group that sets them, lose them, and join again without end.
    keys_by_facts: dict[str, CountKeys] = {}
    # A fact of a group seldom is a key: without this, each of a case's groups costs as many assessments as there are entries.
    keys = {count: of_count for count, of_count in decision.count_keys.items() if count in triage_case.rules.fixed_counts}
    for entry in triage_case.rules.counted_entries:
        if entry.id in triage_case.rules.fixed_counts:
            continue
        facts = triage_case.group_facts_before(entry)
        if (known := repr(sorted(facts.items()))) not in keys_by_facts:
            keys_by_facts[known] = assess(triage_case.complaint, triage_case.rules, context, facts, reading).count_keys
        if of_entry := keys_by_facts[known].get(entry.id):
            keys[entry.id] = of_entry
    return replace(decision, count_keys=keys)


def facts_after(triage_case: TriageCase, removed: Mapping[str, Any], context: TriageContext) -> dict[str, Any]:
    """Values, without the group, of the facts that it had set: another group's, the submission's or the rules' value, else null."""
    if not removed:
        return {}
    derived = decide_again(triage_case, context).derived_facts
    own, _ = coerce_facts(triage_case.procedure, {**derived, **triage_case.complaint.facts, **triage_case.group_facts})
    return {name: own.get(name) for name, value in removed.items() if name not in own or own[name] != value}


def changed_derivations(
    before: TriageCase, amended: TriageCase, decision: TriageDecision, context: TriageContext, *, only_removed: bool
) -> list[CaseEvent]:
    """`amended` with null for the facts that the rules no longer read from the amended complaint, and with those that they read now."""
    if not before.rules.derived:
        return []
    known, derived = decide_again(before, context).derived_facts, decision.derived_facts
    read = {} if only_removed else derived
    facts = {name: value for name, value in read.items() if name not in known or known[name] != value}
    facts |= {name: None for name in known if name not in derived and name not in amended.complaint.facts}
    return [Amended.model_validate(event_fields(before, None, context) | {"facts": facts})] if facts else []


def memberships_without(triage_case: TriageCase, amended: Collection[str]) -> tuple[Membership, ...]:
    """The memberships without facts that a person amended: his word outranks the group's."""
    return tuple(_without_facts(membership, amended) for membership in triage_case.memberships)


def _without_facts(membership: Membership, amended: Collection[str]) -> Membership:
    kept = {name: value for name, value in membership.facts.items() if name not in amended}
    return membership if len(kept) == len(membership.facts) else replace(membership, facts=kept)


def count_changes(before: TriageCase | None, after: TriageCase) -> Iterator[CountChange]:
    """One change for each key under which the case is no longer counted, then for each new one, entry by entry."""
    for entry in after.rules.counted_entries:
        old_keys = before.counted_keys(entry) if before else ()
        new_keys = after.counted_keys(entry)
        # Amended while it is counted, a case has to be found in the counter by the instant that it was counted with.
        moved = before is not None and before.complaint.received_at != after.complaint.received_at and entry.window is not None
        for key in old_keys:
            if before is not None and (moved or key not in new_keys):
                yield CountChange(after.case, entry, _query(before, entry, key), None)
        for key in new_keys:
            if moved or key not in old_keys:
                yield CountChange(after.case, entry, None, _query(after, entry, key), registers=before is None)


def recount_of(triage_case: TriageCase, counter: CounterKey) -> CountChange | None:
    """The query that finds the groups near a case of a counter again; None if the case no longer counts there."""
    entry = next((entry for entry in triage_case.rules.counted_entries if entry.id == counter.count), None)
    if entry is None or counter.key not in triage_case.counted_keys(entry):
        return None
    return CountChange(triage_case.case, entry, None, _query(triage_case, entry, counter.key))


def _query(triage_case: TriageCase, entry: CountEntry, key: str) -> GroupQuery:
    counter = CounterKey(counting_scope(triage_case.procedure.id, entry), entry.id, key)
    return group_query(counter, entry, triage_case.complaint.received_at, triage_case.complainants)


def recounts(
    changed_people: Iterable[str], cases: Mapping[str, TriageCase], counters: Mapping[CounterKey, GroupCounter], people: PersonDirectory
) -> list[CountChange]:
    """The counts that have to be taken again because these people are no longer who they were, among all cases and counters."""
    needed: dict[tuple[str, str, str], CountChange] = {}
    for person in changed_people:
        for key, counter in counters.items():
            counted = [o.case for o in counter.occurrences if o.person and people.is_one_of(o.person, [person])]
            for change in [change for case in sorted(counted) if (change := recount_of(cases[case], key)) is not None]:
                needed[key.count, key.key, change.case] = change
                if not is_counted_around(change.entry):
                    break
    return [change for _, change in sorted(needed.items(), key=itemgetter(0))]


def event_fields(triage_case: TriageCase, entry: CountEntry | None, context: TriageContext) -> dict[str, Any]:
    """The fields of every event of triage on a case; with an entry those that explain it."""
    procedure = triage_case.procedure
    fields = {"case": triage_case.case, "procedure": procedure.id, "version": procedure.version, "by": TRIAGE, **context.instants()}
    return fields if entry is None else fields | {"rule": entry.id, **clause_fields(entry.clause)}
