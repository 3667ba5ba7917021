"""All that triage has on its desk: cases and tallies, and the events that a new case or a case's news bring about."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from services.triage.domain.assess import TRIAGE, TriageDecision, assess
from services.triage.domain.clause_fields import clause_fields
from services.triage.domain.group_counting import CounterKey, GroupCounter, GroupJoined, GroupLeft, Occurrence, count_case, remove_case
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.triage_case import Classification, TriageCase, amended_complaint, case_from_decision
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.handling import Linked, Reopened, Unlinked, Withdrawn
from shared.contracts.events.measures import Amended, Refused
from shared.contracts.events.triage import Classified, GroupDissolved, GroupFound, Reclassified, Registered
from shared.procedures.model.facts import coerce_facts
from shared.procedures.model.procedure import CountEntry
from shared.procedures.organisation import Organisation

FOLLOWED_EVENTS = frozenset({"amended", "classified", "reclassified", "withdrawn", "refused", "reopened"})
"""News of a case that triage has a use for."""


class TriageState:
    """Holds what a batch (or a simulation) is about; methods change it and return the events to publish, in order.

    A service fills `cases` and `tallies` from its tables and stores them afterwards; the simulator starts empty and keeps it.
    """

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        self.cases: dict[str, TriageCase] = {}
        self.counters: dict[CounterKey, GroupCounter] = {}

    def add_case(self, registered: Registered, decision: TriageDecision, context: TriageContext) -> list[CaseEvent]:
        """A new case: its classification and route, and the group that it completes or joins."""
        known = case_from_decision(decision)
        self.cases[known.case] = known
        events = decision.events(registered, context)
        for entry in known.procedure.counts:
            events += self._count(known.case, entry, context)
        return events

    def apply_event(self, event: CaseEvent, context: TriageContext) -> list[CaseEvent]:
        """News of a case from sla; of an unknown case nothing follows."""
        known = self.cases.get(event.case)
        if known is None:
            return []
        match event:
            case Amended():
                return self._amended(known, event, context)
            case Classified() if event.by != TRIAGE:
                self.cases[event.case] = _with_external_decision(known, event)
            case Withdrawn() | Refused():
                self.cases[event.case] = replace(known, ended=True)
                return self._leave_all(known, context) if isinstance(event, Refused) else []
            case Reopened():
                self.cases[event.case] = replace(known, ended=False)
        return []

    def _amended(self, known: TriageCase, event: Amended, context: TriageContext) -> list[CaseEvent]:
        decision = assess_amendment(known, event, self.organisation, context)
        if decision is None:
            return []
        events = self._change(known, lambda k: k.with_decision(decision), context, decision)
        for entry in known.procedure.counts:
            key = decision.count_keys.get(entry.id, "")
            if key == known.keys.get(entry.id, ""):
                continue
            events += self._leave(known, entry, context)
            events += self._count(known.case, entry, context)
        return events

    def _count(self, case: str, entry: CountEntry, context: TriageContext) -> Iterator[CaseEvent]:
        known = self.cases[case]
        key = known.keys.get(entry.id, "")
        if not key or known.ended:
            return
        name = CounterKey(known.procedure.id, entry.id, key)
        mark = Occurrence(known.complaint.received_at, case, known.complaint.complainant.id or "")
        self.counters[name], found = count_case(self.counters.get(name, GroupCounter()), mark, entry)
        if found is None:
            return
        if found.new:
            yield _group_found(known, entry, found, key, context)
        for member in found.joined:
            if member in self.cases and (member == case or entry.reaches_back):
                yield from self._join(self.cases[member], entry, found, context)

    def _join(self, known: TriageCase, entry: CountEntry, found: GroupJoined, context: TriageContext) -> Iterator[CaseEvent]:
        to = found.first if found.first != known.case else next((m for m in found.members if m != known.case), "")
        because = _event_fields(known, entry, context)
        yield Linked.model_validate(because | {"to_case": to, "as": entry.does.link_as, "group": found.group})
        facts, _ = coerce_facts(known.procedure, entry.does.set)
        if facts:
            yield Amended.model_validate(because | {"facts": facts})
            yield from self._amended(self.cases[known.case], Amended(case=known.case, at=context.at, facts=facts), context)
        if entry.does.reclassify is not None:
            verdict = Classification(entry.does.reclassify, entry.does.rule or entry.id)
            why = {**clause_fields(entry.clause), "facts": facts, "evidence": [f"group {found.group}"]}
            yield from self._change(self.cases[known.case], lambda k: replace(k, grouped=verdict), context, why)

    def _leave_all(self, known: TriageCase, context: TriageContext) -> list[CaseEvent]:
        return [event for entry in known.procedure.counts for event in self._leave(known, entry, context)]

    def _leave(self, known: TriageCase, entry: CountEntry, context: TriageContext) -> Iterator[CaseEvent]:
        name = CounterKey(known.procedure.id, entry.id, known.keys.get(entry.id, ""))
        if name not in self.counters:
            return
        self.counters[name], left = remove_case(self.counters[name], known.case, entry)
        if left is None:
            return
        because = _event_fields(known, entry, context)
        if left.dissolved:
            yield GroupDissolved.model_validate(because | {"group": left.group, "members": list(left.members)})
        for case in (known.case, *(left.members if left.dissolved else ())):
            yield from self._part(case, entry, left, context)

    def _part(self, case: str, entry: CountEntry, left: GroupLeft, context: TriageContext) -> Iterator[CaseEvent]:
        known = self.cases.get(case)
        if known is None:
            return
        yield Unlinked.model_validate(_event_fields(known, entry, context) | {"to_case": left.group.partition("/")[2]})
        why = {**clause_fields(entry.clause), "evidence": [f"left group {left.group}"]}
        yield from self._change(known, lambda k: replace(k, grouped=Classification()), context, why)

    def _change(
        self, known: TriageCase, change: Callable[[TriageCase], TriageCase], context: TriageContext, why: TriageDecision | dict[str, Any]
    ) -> list[CaseEvent]:
        """Apply a change to the case; if that changes what should hold, and no person decided, an event says so."""
        after = change(known)
        self.cases[known.case] = after
        values = why.classification_fields() if isinstance(why, TriageDecision) else why
        kind, subject = (
            (why.kind, why.subject_choice.id)
            if isinstance(why, TriageDecision) and after.seen != known.seen
            else (known.kind, known.subject)
        )
        due = after.target()
        moved = due.class_ != known.target().class_ and due.class_ != known.held.class_
        if known.pinned or not (moved or (kind, subject) != (known.kind, known.subject)):
            return []
        held = due if moved else known.held
        self.cases[known.case] = replace(after, kind=kind, subject=subject, held=held)
        verdict = {"rule": held.rule, "class": held.class_, "from_class": known.held.class_, "kind": kind, "subject": subject}
        return [Reclassified.model_validate(_event_fields(known, None, context) | values | verdict)]


def assess_amendment(triage_case: TriageCase, event: Amended, organisation: Organisation, context: TriageContext) -> TriageDecision | None:
    """Triage's decision on the amended complaint; None if the amendment changes nothing that it knows."""
    complaint = amended_complaint(triage_case, event.facts, event.fields)
    return None if complaint == triage_case.complaint else assess(complaint, triage_case.bound_procedure, organisation, context)


def _with_external_decision(known: TriageCase, event: Classified) -> TriageCase:
    """After a person's decision nothing automatic changes the class; after a rule of the case's handling (role `system`) it may."""
    held = Classification(event.class_ or known.held.class_, event.rule or known.held.rule)
    pinned = known.pinned or event.role not in ("", "system") or bool(event.actor)
    return replace(known, held=held, kind=event.kind or known.kind, subject=event.subject or known.subject, pinned=pinned)


def _event_fields(known: TriageCase, entry: CountEntry | None, context: TriageContext) -> dict[str, Any]:
    procedure = known.procedure
    values = {"case": known.case, "procedure": procedure.id, "version": procedure.version, "by": TRIAGE, **context.instants()}
    return values if entry is None else values | {"rule": entry.id, **clause_fields(entry.clause)}


def _group_found(known: TriageCase, entry: CountEntry, found: GroupJoined, key: str, context: TriageContext) -> GroupFound:
    values = {"group": found.group, "members": list(found.members), "count": len(found.members), "key": key}
    return GroupFound.model_validate(_event_fields(known, entry, context) | values)
