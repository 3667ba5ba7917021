"""Applies assessed events to cases and group counters, and gives the events that triage publishes."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.triage.domain.assess import TRIAGE
from services.triage.domain.clause_fields import clause_fields
from services.triage.domain.compiled_rules import TriageRules
from services.triage.domain.event_assessment import AssessedEvent, CountChange, assess_event, assess_registration
from services.triage.domain.group_counting import (
    CounterKey,
    GroupCounter,
    GroupJoined,
    GroupLeft,
    Occurrence,
    count_case,
    group_founder,
    remove_case,
)
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.triage_case import Classification, TriageCase
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import Linked, Unlinked
from shared.contracts.events.triage import GroupDissolved, GroupFound, Reclassified, Registered
from shared.contracts.events.up_to_approval import Amended
from shared.procedures.model.facts import coerce_facts
from shared.procedures.model.procedure import CountEntry

FOLLOWED_EVENTS = frozenset({"amended", "classified", "reclassified", "withdrawn", "refused", "reopened"})
"""Types of the case events that triage consumes."""


class CountersNotLoadedError(Exception):
    """Applying an event led to count changes for which the group counters were not loaded."""

    def __init__(self, changes: Sequence[CountChange]) -> None:
        super().__init__()
        self.changes = changes


class TriageState:
    """The cases and group counters that a batch or a simulation decides on.

    The simulator keeps all of them in memory. A service passes those that it loaded, and in `loaded_changes` the count changes for
    which they are complete; methods raise `CountersNotLoadedError` for any other change, after which the state is not valid.
    """

    def __init__(
        self,
        cases: Mapping[str, TriageCase] | None = None,
        counters: Mapping[CounterKey, GroupCounter] | None = None,
        loaded_changes: Container[CountChange] | None = None,
    ) -> None:
        self.cases: dict[str, TriageCase] = dict(cases or {})
        self.counters: dict[CounterKey, GroupCounter] = dict(counters or {})
        self._loaded_changes = loaded_changes

    def add_case(self, registered: Registered, rules: TriageRules, context: TriageContext) -> list[CaseEvent]:
        """Assess and apply a registration: classification, route, and the groups that the case completes or joins."""
        return self.apply(assess_registration(registered, rules, context), context)

    def apply_event(self, event: CaseEvent, context: TriageContext) -> list[CaseEvent]:
        """Assess and apply an event from sla; an event of an unknown case changes nothing."""
        triage_case = self.cases.get(event.case)
        return [] if triage_case is None else self.apply(assess_event(event, triage_case, context), context)

    def apply(self, assessed: AssessedEvent, context: TriageContext) -> list[CaseEvent]:
        """Apply an event that was assessed before, and give the events to publish, in order."""
        if assessed.before is not None and self.cases[assessed.event.case].complaint is not assessed.before.complaint:
            # A group that was found in the meantime set facts of this case.
            assessed = assess_event(assessed.event, self.cases[assessed.event.case], context)
        return [*self._apply_to_case(assessed, context), *self._apply_count_changes(assessed.count_changes, context)]

    def _apply_to_case(self, assessed: AssessedEvent, context: TriageContext) -> list[CaseEvent]:
        event, decision = assessed.event, assessed.decision
        if isinstance(event, Registered) and decision is not None:
            self.cases[event.case] = assessed.after
            return decision.events(event, context)
        triage_case = self.cases[event.case]
        if decision is None:
            self.cases[event.case] = triage_case.after_event(event)
            return []
        return self._update_case(triage_case, triage_case.with_decision(decision), decision.classification_fields(), context)

    def _update_case(self, before: TriageCase, after: TriageCase, explanation: dict[str, Any], context: TriageContext) -> list[CaseEvent]:
        """Replace the case; if its class, kind or subject changes and no person decided the class, publish `reclassified`."""
        decided_again = after.last_decided != before.last_decided
        kind, subject = after.last_decided if decided_again else (before.kind, before.subject)
        target = after.target()
        class_changes = target.class_ != before.target().class_ and target.class_ != before.effective.class_
        # A person's decision outranks a later automatic one (ADR 22).
        if before.set_by_person or not (class_changes or (kind, subject) != (before.kind, before.subject)):
            self.cases[before.case] = after
            return []
        effective = target if class_changes else before.effective
        self.cases[before.case] = replace(after, kind=kind, subject=subject, effective=effective)
        result = {
            "rule": effective.rule,
            "class": effective.class_,
            "from_class": before.effective.class_,
            "kind": kind,
            "subject": subject,
        }
        return [Reclassified.model_validate(_event_fields(before, None, context) | explanation | result)]

    def _apply_count_changes(self, changes: Sequence[CountChange], context: TriageContext) -> Iterator[CaseEvent]:
        if self._loaded_changes is not None and (missing := [change for change in changes if change not in self._loaded_changes]):
            raise CountersNotLoadedError(missing)
        for change in changes:
            if change.leaves is not None:
                yield from self._leave_counter(change.case, change.leaves, change.entry, context)
            # A group that the case joined under an earlier entry may have set facts that change this key: that amendment counted it.
            if change.joins is not None and self.cases[change.case].count_keys.get(change.entry.id) == change.joins.counter.key:
                yield from self._join_counter(change.case, change.joins.counter, change.entry, context)

    def _join_counter(self, case: str, key: CounterKey, entry: CountEntry, context: TriageContext) -> Iterator[CaseEvent]:
        complaint = self.cases[case].complaint
        occurrence = Occurrence(complaint.received_at, case, complaint.complainant.id or "")
        self.counters[key], joined = count_case(self.counters.get(key, GroupCounter()), occurrence, entry)
        if joined is None:
            return
        if joined.new:
            group = {"group": joined.group, "members": list(joined.members), "count": len(joined.members), "key": key.key}
            yield GroupFound.model_validate(_event_fields(self.cases[case], entry, context) | group)
        for member in joined.joined:
            if member == case or entry.reaches_back:
                yield from self._link_member(self.cases[member], entry, joined, context)

    def _link_member(self, triage_case: TriageCase, entry: CountEntry, joined: GroupJoined, context: TriageContext) -> Iterator[CaseEvent]:
        case = triage_case.case
        to_case = joined.first if joined.first != case else next((member for member in joined.members if member != case), "")
        fields = _event_fields(triage_case, entry, context)
        yield Linked.model_validate(fields | {"to_case": to_case, "as": entry.does.link_as, "group": joined.group})
        facts, _ = coerce_facts(triage_case.procedure, entry.does.set)
        if facts:
            amended = Amended.model_validate(fields | {"facts": facts})
            yield amended
            yield from self.apply_event(amended, context)
        if entry.does.reclassify is not None:
            by_group = Classification(entry.does.reclassify, entry.does.rule or entry.id)
            explanation = {**clause_fields(entry.clause), "facts": facts, "evidence": [f"group {joined.group}"]}
            yield from self._update_case(self.cases[case], replace(self.cases[case], by_group=by_group), explanation, context)

    def _leave_counter(self, case: str, key: CounterKey, entry: CountEntry, context: TriageContext) -> Iterator[CaseEvent]:
        if key not in self.counters:
            return
        self.counters[key], left = remove_case(self.counters[key], case, entry)
        if left is None:
            return
        if left.dissolved:
            fields = _event_fields(self.cases[case], entry, context)
            yield GroupDissolved.model_validate(fields | {"group": left.group, "members": list(left.members)})
        for member in (case, *(left.members if left.dissolved else ())):
            yield from self._unlink_member(self.cases[member], entry, left, context)

    def _unlink_member(self, triage_case: TriageCase, entry: CountEntry, left: GroupLeft, context: TriageContext) -> Iterator[CaseEvent]:
        yield Unlinked.model_validate(_event_fields(triage_case, entry, context) | {"to_case": group_founder(left.group)})
        explanation = {**clause_fields(entry.clause), "evidence": [f"left group {left.group}"]}
        yield from self._update_case(triage_case, replace(triage_case, by_group=Classification()), explanation, context)


def _event_fields(triage_case: TriageCase, entry: CountEntry | None, context: TriageContext) -> dict[str, Any]:
    procedure = triage_case.procedure
    fields = {"case": triage_case.case, "procedure": procedure.id, "version": procedure.version, "by": TRIAGE, **context.instants()}
    return fields if entry is None else fields | {"rule": entry.id, **clause_fields(entry.clause)}
