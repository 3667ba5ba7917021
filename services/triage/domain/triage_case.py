"""A case as triage keeps it: the complaint, its classifications and its count keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from services.triage.domain.assess import TRIAGE, CountKeys, TriageDecision
from services.triage.domain.compiled_rules import TriageRules
from services.triage.domain.groups.duplicates import DUPLICATES
from services.triage.domain.groups.people import PersonKeys
from shared.contracts.complaint import Complaint, ComplaintKind
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import ActionRefused, Linked, Reopened, Unlinked, Withdrawn
from shared.contracts.events.triage import Classified
from shared.contracts.events.up_to_approval import Refused
from shared.contracts.instants import read_instant
from shared.procedures.model.facts import coerce_facts
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.triage.entries import CountEntry

APART = "/apart"
"""Ends the id of the event of a case that a person took out of a group."""
_INSTANT_FIELDS = frozenset({"received_at", "happened_at"})
NOT_AMENDABLE = frozenset(
    {"case", "number", "source", "external_id", "registered_at", "facts", "complainant", "contact", "missing", "unreadable"}
)


@dataclass(frozen=True, slots=True)
class Classification:
    """A class and the rule that gives it."""

    class_: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Membership:
    """A group that changed the case, and what it changed, until the case leaves it or the group dissolves.

    `key` is the count key; `to_case` and `link_as` are those of the link. A fact that a person amended since is no longer the group's.
    """

    count: str
    key: str
    group: str
    to_case: str
    link_as: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    class_: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class TriageCase:
    """The case as triage stores it; the complaint is without contact data.

    `effective` is the class that holds now, `by_rules` the one that the rules give; `memberships` are the groups that changed the case.
    `set_by_person`: a person decided the class, so triage no longer changes it. `kind` and `subject` hold now; `last_decided` are
    kind and subject of triage's last decision. `count_keys` maps count entries to the case's count keys; `ended` is `withdrawn`,
    `refused` or empty; `lead` is the case that this one is a duplicate of, `proposed` are those that triage proposed as such;
    `sequence` is the number of the case's last event on triage's topic.
    """

    complaint: Complaint
    rules: TriageRules
    kind: ComplaintKind
    subject: str
    last_decided: tuple[ComplaintKind, str]
    effective: Classification
    by_rules: Classification
    memberships: tuple[Membership, ...] = ()
    set_by_person: bool = False
    ended: str = ""
    lead: str = ""
    proposed: tuple[str, ...] = ()
    complainants: PersonKeys = ()
    count_keys: CountKeys = field(default_factory=dict)
    sequence: int = 0

    @property
    def case(self) -> str:
        """The case's id."""
        return self.complaint.case

    @property
    def procedure(self) -> Procedure:
        """The procedure that the case is pinned to."""
        return self.rules.procedure

    @property
    def by_group(self) -> Classification:
        """The gravest class that one of the case's groups gives; empty if none gives one."""
        classes = [Classification(m.class_, m.rule) for m in self.memberships if m.class_]
        return min(classes, key=lambda given: class_rank(self.procedure, given.class_), default=Classification())

    @property
    def group_facts(self) -> dict[str, Any]:
        """The facts that the case's groups set; where two set one fact, the value of the entry that the procedure lists last."""
        return self.group_facts_before(None)

    def group_facts_before(self, entry: CountEntry | None) -> dict[str, Any]:
        """The facts that groups of the count entries before this one set; None: of all entries."""
        facts: dict[str, Any] = {}
        if entry is not None and entry.id == DUPLICATES:
            return facts
        for earlier in self.rules.counted_entries if self.memberships else ():
            if earlier is entry:
                break
            for membership in self.memberships:
                if membership.count == earlier.id:
                    facts.update(membership.facts)
        return facts

    def target(self) -> Classification:
        """The class that should hold: that of a group if it is graver than that of the rules."""
        by_group = self.by_group
        if by_group.class_ and class_rank(self.procedure, by_group.class_) < class_rank(self.procedure, self.by_rules.class_):
            return by_group
        return self.by_rules

    def counted_keys(self, entry: CountEntry) -> tuple[str, ...]:
        """The keys under which the case counts now; a duplicate counts under none, since its lead does."""
        if entry.id == DUPLICATES:
            # A duplicate stays known by its matter: its keys may be those that lead from a third submission to the person.
            return () if self.ended or not self.complainants else self.count_keys.get(entry.id, ())
        if self.lead:
            return ()
        if self.ended == Refused.name or (self.ended == Withdrawn.name and not entry.withdrawn):
            return ()
        if entry.same is not None and not self.complainants:
            return ()
        return self.count_keys.get(entry.id, ())

    def with_decision(self, decision: TriageDecision) -> "TriageCase":
        """The case after another decision of triage; `effective`, `kind` and `subject` do not change yet."""
        return replace(
            self,
            by_rules=Classification(decision.class_choice.id, decision.rule),
            last_decided=(decision.kind, decision.subject_choice.id),
            count_keys={**decision.count_keys, **self._known_events(decision.count_keys)},
        )

    def _known_events(self, keys: CountKeys) -> CountKeys:
        """The events that the case's text was found to describe: found once, when it came, in the order in which texts came."""
        similar = [entry.id for entry in self.rules.similar_entries]
        return {count: self.count_keys[count] for count in similar if count in keys and count in self.count_keys}

    def after_event(self, event: CaseEvent) -> "TriageCase":
        """The case after an event that calls for no decision of triage."""
        match event:
            case Classified() if event.by != TRIAGE:
                return self._with_external_classification(event)
            case Withdrawn() | Refused():
                return replace(self, ended=event.name)
            case Reopened():
                # A withdrawal ends a duplicate alone (vocabulary.md), so that it comes back as a case of its own.
                return replace(self, ended="", lead="" if self.ended == Withdrawn.name else self.lead)
            case Linked(kind_of_link="duplicate"):
                return replace(self, lead=event.to_case)
            case Unlinked(kind_of_link="duplicate"):
                return replace(self, lead="")
            case Unlinked():
                return replace(self, count_keys={**self.count_keys, **self._events_apart(event)})
            case ActionRefused(action="link", role="system", actor="") if self.lead and event.data.get("to_case") == self.lead:
                # Sla refused triage's own link: the lead had been answered or had ended, so that this is a repeat, which counts.
                return replace(self, lead="")
        return self

    def _events_apart(self, event: Unlinked) -> CountKeys:
        """Events of the case's own for those that a person took it out of: no other text brings it back."""
        similar = {entry.id for entry in self.rules.similar_entries}
        taken = [m for m in self.memberships if m.count in similar and (m.to_case, event.group or m.group) == (event.to_case, m.group)]
        return {m.count: (f"{self.case}{APART}",) for m in taken if event.kind_of_link in ("", m.link_as)}

    def _with_external_classification(self, event: Classified) -> "TriageCase":
        # Role `system` is a rule of the procedure that sla applied: a later automatic decision may replace it, unlike a person's.
        return replace(
            self,
            effective=Classification(event.class_ or self.effective.class_, event.rule or self.effective.rule),
            kind=event.kind or self.kind,
            subject=event.subject or self.subject,
            set_by_person=self.set_by_person or event.role not in ("", "system") or bool(event.actor),
        )


def case_from_decision(decision: TriageDecision, complainants: PersonKeys) -> TriageCase:
    """A case after its first decision."""
    classification = Classification(decision.class_choice.id, decision.rule)
    return TriageCase(
        complaint=decision.complaint,
        rules=decision.rules,
        kind=decision.kind,
        subject=decision.subject_choice.id,
        last_decided=(decision.kind, decision.subject_choice.id),
        effective=classification,
        by_rules=classification,
        complainants=complainants,
        count_keys=decision.count_keys,
    )


def class_rank(procedure: Procedure, class_: str) -> int:
    """The index of a class in the procedure, which lists the gravest first; an unknown class ranks last."""
    return next((index for index, entry in enumerate(procedure.classes) if entry.id == class_), len(procedure.classes))


def amended_complaint(triage_case: TriageCase, facts: Mapping[str, Any], fields: Mapping[str, Any]) -> Complaint:
    """The complaint after an amendment, without facts of the wrong type and fields that cannot be amended; null takes a fact away."""
    valid_facts, _ = coerce_facts(triage_case.procedure, facts)
    kept_facts = {name: value for name, value in triage_case.complaint.facts.items() if name not in facts or facts[name] is not None}
    amended_fields = {name: value for name, value in fields.items() if _is_amendable(name, value)}
    complaint = triage_case.complaint.model_copy(update={"facts": kept_facts | valid_facts})
    return _with_fields(complaint, amended_fields) if amended_fields else complaint


def _is_amendable(name: str, value: Any) -> bool:
    if name not in Complaint.model_fields or name in NOT_AMENDABLE:
        return False
    # The event's fields are any JSON; pydantic alone would read a number as an instant, in any year.
    return name not in _INSTANT_FIELDS or value is None or read_instant(value) is not None


def _with_fields(complaint: Complaint, fields: Mapping[str, Any]) -> Complaint:
    try:
        return Complaint.model_validate(complaint.model_dump() | dict(fields))
    except ValidationError:
        return complaint
