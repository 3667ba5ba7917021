"""Applies assessed events to cases and group counters, and gives the events that triage publishes."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from services.triage.domain.clause_fields import clause_fields
from services.triage.domain.compiled_rules import TriageRules
from services.triage.domain.event_assessment import (
    AssessedEvent,
    CountChange,
    assess_event,
    assess_registration,
    changed_derivations,
    count_changes,
    decide_again,
    event_fields,
    facts_after,
    memberships_without,
    person_keys,
    recounts,
)
from services.triage.domain.groups.counted_cases import CountedCases
from services.triage.domain.groups.counters import CounterKey, Group, GroupChanges, GroupCounter, Occurrence, group_founder
from services.triage.domain.groups.duplicates import DUPLICATES, RULE, add_submission, earlier_submissions, remove_submission
from services.triage.domain.groups.group_counting import PartialCounterError, count_case, recount_case, remove_case
from services.triage.domain.groups.people import PersonDirectory
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.similar.event_finding import EventFinder
from services.triage.domain.triage_case import Membership, TriageCase
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import Linked, Unlinked
from shared.contracts.events.triage import GroupDissolved, GroupFound, LinkProposed, Reclassified, Registered
from shared.contracts.events.up_to_approval import Amended
from shared.procedures.model.facts import coerce_facts
from shared.procedures.model.triage.entries import CountEntry

FOLLOWED_EVENTS = frozenset(
    {
        *("amended", "supplemented", "classified", "reclassified", "withdrawn", "refused", "reopened"),
        # Who follows whom decides what counts across cases; `action_refused` may be of triage's own link.
        *("linked", "unlinked", "action_refused"),
    }
)
"""Types of the case events that triage consumes."""


class CountersNotLoadedError(Exception):
    """Applying an event needs more of group counters than was loaded: for these changes, or of one counter all members."""

    def __init__(self, changes: Sequence[CountChange], whole_counter: CounterKey | None = None) -> None:
        super().__init__()
        self.changes = changes
        self.whole_counter = whole_counter


class TriageState(CountedCases):
    """The cases and group counters that a batch or a simulation decides on.

    The simulator keeps all of them in memory. A service passes those that it loaded, and in `loaded_changes` the count changes for
    which they are complete; methods raise `CountersNotLoadedError` for any other change, after which `undo` makes the state valid again.
    """

    def __init__(
        self,
        cases: Mapping[str, TriageCase] | None = None,
        counters: Mapping[CounterKey, GroupCounter] | None = None,
        loaded_changes: Container[CountChange] | None = None,
        people: PersonDirectory | None = None,
        find_case: Callable[[str], TriageCase | None] | None = None,
    ) -> None:
        super().__init__(cases or {}, counters or {}, find_case)
        self.people = PersonDirectory() if people is None else people
        self._loaded_changes = loaded_changes
        self._events = EventFinder()

    def add_case(self, registered: Registered, rules: TriageRules, context: TriageContext) -> list[CaseEvent]:
        """Assess and apply a registration: the groups that it changes by showing two people to be one, then its own decision and groups."""
        changed = self.people.add(person_keys(registered)).changed
        recounted = [
            event for change in recounts(changed, self.cases, self.counters, self.people) for event in self.recount(change, context)
        ]
        return [*recounted, *self.apply(self._events.find(assess_registration(registered, rules, context)), context)]

    def recount(self, change: CountChange, context: TriageContext) -> Iterator[CaseEvent]:
        """Find the groups near a case again, whose complainant turned out to be another person too."""
        if self._loaded_changes is not None and change not in self._loaded_changes:
            raise CountersNotLoadedError([change])
        key = None if change.joins is None else change.joins.counter
        # A recount before may have set facts that moved the case to another counter, where it was counted with its people as they are.
        if key is None or key not in self.counters or key.key not in self.cases[change.case].counted_keys(change.entry):
            return
        if key.count == DUPLICATES:
            yield from self._propose_found_duplicates(change, self.counters[key], context)
            return
        try:
            label = self._label(change.case, key)
            self.counters[key], changes = recount_case(self.counters[key], change.case, change.entry, self.people, label)
        except PartialCounterError:
            raise CountersNotLoadedError((), key) from None
        yield from self._apply_group_changes(change.case, key, change.entry, changes, context)

    def apply_event(self, event: CaseEvent, context: TriageContext) -> list[CaseEvent]:
        """Assess and apply an event from sla; an event of an unknown case changes nothing."""
        triage_case = self.cases.get(event.case)
        return [] if triage_case is None else self.apply(self._events.find(assess_event(event, triage_case, context)), context)

    def apply(self, assessed: AssessedEvent, context: TriageContext) -> list[CaseEvent]:
        """Apply an event that was assessed before, and give the events to publish, in order."""
        if assessed.before is not None and self._changed_since(assessed.before):
            # A group that was found in the meantime set facts of this case.
            assessed = assess_event(assessed.event, self.cases[assessed.event.case], context)
        return [*self._apply_to_case(assessed, context), *self._apply_count_changes(assessed.count_changes, context)]

    def _changed_since(self, before: TriageCase) -> bool:
        case = self.cases[before.case]
        return (case.group_facts, case.count_keys) != (before.group_facts, before.count_keys) or case.complaint is not before.complaint

    def _apply_to_case(self, assessed: AssessedEvent, context: TriageContext) -> list[CaseEvent]:
        event, decision = assessed.event, assessed.decision
        if isinstance(event, Registered) and decision is not None:
            self.cases[event.case] = assessed.after
            return decision.events(event, context)
        triage_case = self.cases[event.case]
        if decision is None:
            self.cases[event.case] = triage_case.after_event(event)
            return []
        memberships = memberships_without(triage_case, event.facts if isinstance(event, Amended) else ())
        amended = replace(triage_case, complaint=assessed.after.complaint, memberships=memberships)
        events = self._update_case(triage_case, amended.with_decision(decision), decision.classification_fields(), context)
        # `reclassified` adds facts but takes none back; without it sla would never hear that a lift stands still (hunan-property 3.5.1.2).
        return [*changed_derivations(triage_case, amended, decision, context, only_removed=bool(events)), *events]

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
        return [Reclassified.model_validate(event_fields(before, None, context) | explanation | result)]

    def _apply_count_changes(self, changes: Sequence[CountChange], context: TriageContext) -> Iterator[CaseEvent]:
        if self._loaded_changes is not None and (missing := [change for change in changes if change not in self._loaded_changes]):
            raise CountersNotLoadedError(missing)
        for change in changes:
            if change.entry.id == DUPLICATES:
                yield from self._follow_matter(change, context)
            elif change.leaves is not None:
                yield from self._leave_counter(change.case, change.leaves.counter, change.entry, context)
            # A group that the case joined under an earlier entry may have set facts that change this key: that amendment counted it.
            elif change.joins is not None and change.joins.counter.key in self.cases[change.case].counted_keys(change.entry):
                yield from self._join_counter(change.case, change.joins.counter, change.entry, context)

    def _follow_matter(self, change: CountChange, context: TriageContext) -> Iterator[CaseEvent]:
        """Keep the submission under its matter, and link or propose the earlier one of the same person."""
        case, query = change.case, change.joins or change.leaves
        if query is None:
            return
        key = query.counter
        counter = self.counters.get(key, GroupCounter())
        if change.joins is None:
            self.counters[key] = remove_submission(counter, case)
            return
        triage_case = self.cases[case]
        submission = Occurrence(triage_case.complaint.received_at, case, self.people.person(triage_case.complainants))
        self.counters[key], earlier = add_submission(counter, submission, change.entry, self.people)
        leads = [(self.cases[other].lead or other, certain) for other, certain in earlier if self._may_be_linked(case, other)]
        lead, certain = next(((lead, certain) for lead, certain in leads if lead != case), ("", False))
        if not lead or triage_case.lead:
            return
        # Only at its registration: nobody has worked on the case yet, so that no work is stilled without a person's decision.
        if triage_case.procedure.duplicates is not None and certain and change.registers:
            self.cases[case] = replace(triage_case, lead=lead)
            fields = event_fields(triage_case, change.entry, context) | {"rule": RULE, "to_case": lead, "as": "duplicate"}
            yield Linked.model_validate(fields)
        else:
            yield self._propose(case, lead, change.entry, context)

    def _propose_found_duplicates(self, change: CountChange, counter: GroupCounter, context: TriageContext) -> Iterator[CaseEvent]:
        """Propose the links that were not proposed when the submissions came, since they seemed to be of different people."""
        for case, earlier in earlier_submissions(counter, change.case, change.entry, self.people):
            triage_case, lead = self.cases[case], self.cases[earlier].lead or earlier
            known = triage_case.lead or triage_case.proposed or lead == case or not self._may_be_linked(case, earlier)
            of_lead = self.cases.find(lead)
            if not known and (of_lead is None or case not in of_lead.proposed):
                yield self._propose(case, lead, change.entry, context)

    def _may_be_linked(self, case: str, other: str) -> bool:
        # The link stands in both ledgers: who handles the named case would learn who sent the anonymous one.
        return self.cases[case].complaint.complainant.anonymous == self.cases[other].complaint.complainant.anonymous

    def _propose(self, case: str, lead: str, entry: CountEntry, context: TriageContext) -> LinkProposed:
        triage_case = self.cases[case]
        self.cases[case] = replace(triage_case, proposed=tuple(dict.fromkeys([*triage_case.proposed, lead])))
        fields = event_fields(triage_case, entry, context) | {"rule": RULE, "to_case": lead, "as": "duplicate"}
        return LinkProposed.model_validate(fields)

    def _join_counter(self, case: str, key: CounterKey, entry: CountEntry, context: TriageContext) -> Iterator[CaseEvent]:
        triage_case = self.cases[case]
        tells_people_apart = entry.counts_people or entry.same is not None
        person = self.people.person(triage_case.complainants) if tells_people_apart else ""
        occurrence = Occurrence(triage_case.complaint.received_at, case, person)
        try:
            counter, changes = count_case(self.counters.get(key, GroupCounter()), occurrence, entry, self.people, self._label(case, key))
        except PartialCounterError:
            raise CountersNotLoadedError((), key) from None
        self.counters[key] = counter
        yield from self._apply_group_changes(case, key, entry, changes, context)

    def _leave_counter(self, case: str, key: CounterKey, entry: CountEntry, context: TriageContext) -> Iterator[CaseEvent]:
        if key not in self.counters:
            return
        try:
            self.counters[key], changes = remove_case(self.counters[key], case, entry, self.people, self._label(case, key))
        except PartialCounterError:
            raise CountersNotLoadedError((), key) from None
        yield from self._apply_group_changes(case, key, entry, changes, context)

    def _label(self, case: str, key: CounterKey) -> str:
        """The first part of the id of a group that this case completes: unique where one case may complete several under an entry."""
        keys = self.cases[case].count_keys.get(key.count, ())
        return f"{key.count}:{sha256(key.key.encode()).hexdigest()[:8]}" if len(keys) > 1 else key.count

    def _apply_group_changes(
        self, case: str, key: CounterKey, entry: CountEntry, changes: GroupChanges, context: TriageContext
    ) -> Iterator[CaseEvent]:
        """Publish what became of groups, and take from their members, or give them, what the entry says."""
        fields = event_fields(self.cases[case], entry, context)
        for group in changes.dissolved:
            yield GroupDissolved.model_validate(fields | {"group": group.id, "members": list(group.members)})
        for member, group in changes.left:
            yield from self._unlink_member(member, key, entry, group, context)
        for group in changes.found:
            found = {"group": group.id, "members": list(group.members), "count": len(group.members), "key": key.key}
            yield GroupFound.model_validate(fields | found)
        for member, group in changes.joined:
            if member == case or entry.reaches_back:
                yield from self._link_member(member, key, entry, group, context)

    def _link_member(self, case: str, key: CounterKey, entry: CountEntry, group: Group, context: TriageContext) -> Iterator[CaseEvent]:
        triage_case = self.cases[case]
        founder = group_founder(group.id)
        to_case = founder if founder != case else next((member for member in group.members if member != case), "")
        fields = event_fields(triage_case, entry, context)
        yield Linked.model_validate(fields | {"to_case": to_case, "as": entry.does.link_as, "group": group.id})
        facts, _ = coerce_facts(triage_case.procedure, entry.does.set)
        rule = (entry.does.rule or entry.id) if entry.does.reclassify else ""
        membership = Membership(key.count, key.key, group.id, to_case, entry.does.link_as, facts, entry.does.reclassify or "", rule)
        if facts:
            yield Amended.model_validate(fields | {"facts": facts})
        yield from self._change_memberships(case, (*triage_case.memberships, membership), entry, f"group {group.id}", context)

    def _unlink_member(self, case: str, key: CounterKey, entry: CountEntry, group: Group, context: TriageContext) -> Iterator[CaseEvent]:
        triage_case = self.cases[case]
        left = next((m for m in triage_case.memberships if (m.group, m.key) == (group.id, key.key)), None)
        if left is None:  # without `reaches_back` only the case that completed the group was linked
            return
        fields = event_fields(triage_case, entry, context)
        yield Unlinked.model_validate(fields | {"to_case": left.to_case, "as": left.link_as, "group": left.group})
        remaining = tuple(m for m in triage_case.memberships if m is not left)
        without = replace(triage_case, memberships=remaining)
        facts = facts_after(without, left.facts, context)
        if facts:
            yield Amended.model_validate(fields | {"facts": facts})
        yield from self._change_memberships(case, remaining, entry, f"left group {group.id}", context)

    def _change_memberships(
        self, case: str, memberships: tuple[Membership, ...], entry: CountEntry, evidence: str, context: TriageContext
    ) -> Iterator[CaseEvent]:
        """Decide again on a case with the facts and classes of these groups, and count it again by its new keys."""
        before = self.cases[case]
        after = replace(before, memberships=memberships)
        explanation: dict[str, Any] = {**clause_fields(entry.clause), "evidence": [evidence]}
        if after.group_facts != before.group_facts:
            decision = decide_again(after, context)
            after = after.with_decision(decision)
            explanation = decision.classification_fields()
        if after.target() == after.by_group:
            explanation = {**explanation, **clause_fields(entry.clause), "evidence": [evidence]}
        yield from self._update_case(before, after, explanation, context)
        yield from self._apply_count_changes(tuple(count_changes(before, self.cases[case])), context)
