"""Decides on one complaint: derived facts, kind, class, subject, route and count keys, with clauses and evidence."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Any, cast

from services.triage.domain import classify
from services.triage.domain.classifier.prediction import Prediction
from services.triage.domain.classifier.suggestion import ReviewReason, Suggestions
from services.triage.domain.classify import RuleChoice
from services.triage.domain.clause_fields import clause_fields
from services.triage.domain.compiled_rules import TriageRules
from services.triage.domain.facts.complaint_facts import complaint_facts
from services.triage.domain.groups.duplicates import DUPLICATES, matter_key
from services.triage.domain.reading.reading_copy import ReadingCopy
from services.triage.domain.routing import choose_route
from services.triage.domain.routing_rules import RoutingDecision
from services.triage.domain.rule_scope import RuleScope, TriageContext
from shared.contracts.complaint import Complaint, ComplaintKind
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.found_fact import FoundFact
from shared.contracts.events.triage import Classified, LabelGuess, Registered, Routed, RouteProposed
from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.facts import coerce_facts
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.triage.entries import ClassRule

TRIAGE = "triage"
CountKeys = Mapping[str, tuple[str, ...]]
"""Id of a count entry → the keys under which a case counts."""
_MAX_KEY_LENGTH = 200
_MAX_KEYS = 50  # as many as a complaint may name under `against`
_MAX_EVIDENCE_LINES = 100
_MAX_EVIDENCE_LENGTH = 500


@dataclass(frozen=True, slots=True)
class TriageDecision:
    """Triage's decision on one complaint.

    `facts` are all facts that the rules read, `derived_facts` those that triage added; `count_keys` maps count entries to count keys;
    `failed_conditions` could not be evaluated on this complaint and did not apply.
    """

    complaint: Complaint
    rules: TriageRules
    facts: dict[str, Any]
    derived_facts: dict[str, Any]
    kind: ComplaintKind
    kind_choice: RuleChoice
    class_choice: RuleChoice
    subject_choice: RuleChoice
    route: RoutingDecision
    count_keys: CountKeys
    evidence: tuple[str, ...]
    found: tuple[FoundFact, ...] = ()
    failed_conditions: tuple[str, ...] = ()
    prediction: Prediction | None = None
    review: ReviewReason = ""

    @property
    def procedure(self) -> Procedure:
        """The procedure under which the decision was made."""
        return self.rules.bound_procedure.procedure

    @property
    def rule(self) -> str:
        """The rule that gave the class; several entries may give the same class."""
        return _rule(self.class_choice)

    @property
    def clauses(self) -> list[str]:
        """The clauses of the classification: those of the class, then of the kind and of the subject."""
        entries = [choice.entry for choice in (self.class_choice, self.kind_choice, self.subject_choice) if choice.entry is not None]
        return list(dict.fromkeys([clause for entry in entries for clause in clause_ids(entry.clause)]))

    def event_fields(self, context: TriageContext) -> dict[str, Any]:
        """The fields of every event of this decision."""
        procedure = self.procedure
        return {"case": self.complaint.case, "procedure": procedure.id, "version": procedure.version, "by": TRIAGE, **context.instants()}

    def classified_event(self, registered: Registered | None, context: TriageContext) -> Classified:
        """The case's first event on triage's topic; with `registered`, from which sla opens the case."""
        fields = self.event_fields(context) | self.classification_fields()
        if registered is not None:
            fields |= {"registered": registered, "department": self.route.department}
        return Classified.model_validate(fields)

    def classification_fields(self) -> dict[str, Any]:
        """The fields of `classified` and `reclassified` that explain the classification."""
        return {
            "rule": self.rule,
            **clause_fields(self.clauses),
            "kind": self.kind,
            "class": self.class_choice.id,
            "subject": self.subject_choice.id,
            "facts": self.derived_facts,
            "evidence": list(self.evidence),
            "found": list(self.found),
        }

    def routed_event(self, context: TriageContext) -> Routed:
        """`routed`, or `route_proposed` if a person has to confirm the route."""
        route = self.route
        event_class = RouteProposed if route.proposed else Routed
        fields: dict[str, Any] = {
            "rule": route.rule,
            "department": route.department,
            "cooperating": list(route.cooperating),
            "reason": route.reason,
        }
        if route.passed_over:
            fields["passed_over"] = [asdict(each) for each in route.passed_over]
        return event_class.model_validate(self.event_fields(context) | fields | dict(route.clause_fields) | self._guess_fields())

    def _guess_fields(self) -> dict[str, Any]:
        """The classifier's guesses; nothing without a classifier, so that the event is the one of before."""
        if self.prediction is None:
            return {}
        guesses = [
            LabelGuess(label=of_label.label, value=guess.value, probability=round(guess.probability, 4))
            for of_label in self.prediction.labels
            for guess in of_label.guesses
        ]
        return {"guesses": guesses, "model": self.prediction.version, "review": self.review}

    def events(self, registered: Registered | None, context: TriageContext) -> list[CaseEvent]:
        """`classified`, then `routed` or `route_proposed`."""
        return [self.classified_event(registered, context), self.routed_event(context)]


def assess(
    complaint: Complaint,
    rules: TriageRules,
    context: TriageContext,
    group_facts: Mapping[str, Any] = MappingProxyType({}),
    reading: ReadingCopy | None = None,
) -> TriageDecision:
    """Decide on a complaint with the facts that its groups set; the evidence names rules that cannot be evaluated: they do not apply."""
    submitted_facts, invalid_facts = coerce_facts(rules.procedure, {**complaint.facts, **group_facts})
    facts = rules.fact_defaults | submitted_facts
    parameters = rules.bound_procedure.parameters
    scope = RuleScope(complaint, facts, parameters, context.zone, rules.read_paths, rules.patterns, reading)
    # In this order, because each kind of rule may read what was decided before it.
    found = complaint_facts(complaint, scope.reading)
    derived = classify.derive_facts(rules, scope, submitted_facts, found)
    prediction = None
    if context.classifier is not None:
        prediction = context.classifier.predict(scope.reading.field("title"), scope.reading.field("text"))
    suggestions = Suggestions(complaint.case, prediction, rules.procedure.review)
    kind = classify.choose_kind(rules, scope, suggestions)
    scope.set_case_field("kind", kind.id)
    subject = classify.choose_subject(rules, scope, suggestions)
    scope.set_case_field("subject", subject.id)
    class_ = classify.choose_class(rules, scope)
    scope.set_case_field("class", class_.id)
    scope.set_case_field("rule", _rule(class_))
    route = choose_route(rules, scope, subject, suggestions, context)
    scope.set_case_field("department", route.department)
    count_keys = _count_keys(rules, scope)
    unevaluated = "cannot be evaluated on this complaint: it did not apply"
    evidence = [f"«{source[: _MAX_EVIDENCE_LENGTH - 100]}» {unevaluated}" for source in scope.failed_conditions]
    evidence += [f"facts.{name} is not of its type and was left out" for name in invalid_facts]
    evidence += derived.evidence
    for field_name, choice in (("kind", kind), ("class", class_), ("subject", subject)):
        evidence += [f"{field_name}: {line}"[:_MAX_EVIDENCE_LENGTH] for line in choice.evidence]
    evidence += suggestions.evidence()
    return TriageDecision(
        complaint=complaint,
        rules=rules,
        facts=scope.facts,
        derived_facts=derived.facts,
        kind=cast("ComplaintKind", kind.id),
        kind_choice=kind,
        class_choice=class_,
        subject_choice=subject,
        route=route,
        count_keys=count_keys,
        evidence=tuple(evidence[:_MAX_EVIDENCE_LINES]),
        found=tuple(found.values()),
        failed_conditions=tuple(scope.failed_conditions),
        prediction=prediction,
        review=suggestions.review(),
    )


def _rule(class_: RuleChoice) -> str:
    entry = class_.entry
    return (entry.rule or entry.id) if isinstance(entry, ClassRule) else ""


def _count_keys(rules: TriageRules, scope: RuleScope) -> CountKeys:
    # Until its text is compared with others, a case tells of an event of its own.
    own = scope.complaint.case
    counts = [c for c in rules.counts if c.when is None or scope.applies(c.when)]
    keys = {c.entry.id: (own,) if c.key is None else _keys(scope.value_or_none(c.key)) for c in counts}
    matter = matter_key(rules.procedure.duplicates, scope.complaint, scope.facts, scope.reading)
    return {count: of_count for count, of_count in {DUPLICATES: (matter,) if matter else (), **keys}.items() if of_count}


def _keys(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(filter(None, map(_count_key, values))))[:_MAX_KEYS]


def _count_key(value: Any) -> str:
    # PostgreSQL stores no NUL in text.
    text = "" if value is None or isinstance(value, bool) else str(value).replace("\x00", "").strip()
    # A key is part of a primary key, so that a long text is counted by its hash.
    return text if len(text) <= _MAX_KEY_LENGTH else sha256(text.encode("utf-8", "replace")).hexdigest()
