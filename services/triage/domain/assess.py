"""Triage's decision on one complaint: facts, kind, class, subject, route, and what it counts towards. Every part says because."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast

from services.triage.domain import classify
from services.triage.domain.classify import RuleChoice
from services.triage.domain.clause_fields import clause_fields
from services.triage.domain.compiled_rules import TriageRules, rules_for
from services.triage.domain.routing import choose_route
from services.triage.domain.routing_rules import RoutingDecision
from services.triage.domain.rule_scope import RuleScope, TriageContext
from shared.contracts.complaint import Complaint, Kind
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.triage import Classified, Registered, Routed, RouteProposed
from shared.procedures.model.bound_procedure import Bound
from shared.procedures.model.clauses import listed
from shared.procedures.model.facts import fit
from shared.procedures.model.procedure import ClassRule, Procedure
from shared.procedures.organisation import Organisation

TRIAGE = "triage"
_MAX_KEY_LENGTH = 200


@dataclass(frozen=True, slots=True)
class TriageDecision:
    """What triage decided.

    `facts` are all facts as the rules saw them, `derived` those that triage added, `keys` the texts by which it counts (count's id → key).
    """

    complaint: Complaint
    rules: TriageRules
    facts: dict[str, Any]
    derived_facts: dict[str, Any]
    kind: Kind
    kind_choice: RuleChoice
    class_choice: RuleChoice
    subject_choice: RuleChoice
    route: RoutingDecision
    count_keys: dict[str, str]
    evidence: tuple[str, ...]

    @property
    def procedure(self) -> Procedure:
        """The regulation that it was decided under."""
        return self.rules.bound_procedure.procedure

    @property
    def rule(self) -> str:
        """The rule that gave the class: several entries may lead to one class."""
        return _rule(self.class_choice)

    @property
    def clauses(self) -> list[str]:
        """The clauses that the classification rests on: the class's first, then the kind's and the subject's."""
        entries = [chosen.entry for chosen in (self.class_choice, self.kind_choice, self.subject_choice) if chosen.entry is not None]
        return list(dict.fromkeys([one for entry in entries for one in listed(entry.clause)]))

    def event_fields(self, context: TriageContext) -> dict[str, Any]:
        """What every event of this decision carries."""
        procedure = self.procedure
        return {"case": self.complaint.case, "procedure": procedure.id, "version": procedure.version, "by": TRIAGE, **context.instants()}

    def classified_event(self, registered: Registered | None, context: TriageContext) -> Classified:
        """The first event of the case on triage's topic, with all that sla needs to open it."""
        values = self.event_fields(context) | self.classification_fields()
        if registered is not None:
            values |= {"registered": registered, "department": self.route.department}
        return Classified.model_validate(values)

    def classification_fields(self) -> dict[str, Any]:
        """The fields of a classification."""
        return {
            "rule": self.rule,
            **clause_fields(self.clauses),
            "kind": self.kind,
            "class": self.class_choice.id,
            "subject": self.subject_choice.id,
            "facts": self.derived_facts,
            "evidence": list(self.evidence),
        }

    def routed_event(self, context: TriageContext) -> Routed:
        """The decision on departments, as an event: `routed`, or `route_proposed`."""
        made = self.route
        event = RouteProposed if made.proposed else Routed
        values = {"rule": made.rule, "department": made.department, "cooperating": list(made.cooperating), "reason": made.reason}
        return event.model_validate(self.event_fields(context) | values | dict(made.clause_fields))

    def events(self, registered: Registered | None, context: TriageContext) -> list[CaseEvent]:
        """`classified`, then `routed` or `route_proposed`."""
        return [self.classified_event(registered, context), self.routed_event(context)]


def assess(complaint: Complaint, bound_procedure: Bound, organisation: Organisation, context: TriageContext) -> TriageDecision:
    """Decide on a complaint; raises `ValueError` naming the condition that cannot be evaluated."""
    rules = rules_for(bound_procedure, organisation)
    given, unfit = fit(rules.procedure, complaint.facts)
    scope = RuleScope(complaint, rules.fact_defaults | given, bound_procedure.parameters, context.zone, rules.read_paths)
    derived = classify.derive_facts(rules, scope, given)
    kind = classify.choose_kind(rules, scope)
    scope.set_case_field("kind", kind.id)
    subject = classify.choose_subject(rules, scope)
    scope.set_case_field("subject", subject.id)
    class_ = classify.choose_class(rules, scope)
    scope.set_case_field("class", class_.id)
    scope.set_case_field("rule", _rule(class_))
    made = choose_route(rules, scope, subject)
    scope.set_case_field("department", made.department)
    evidence = [f"facts.{name} is not of its type and was left out" for name in unfit]
    evidence += derived.evidence
    for what, chosen in (("kind", kind), ("class", class_), ("subject", subject)):
        evidence += [f"{what}: {seen}"[:500] for seen in chosen.evidence]
    chosen_kind = cast("Kind", kind.id)
    return TriageDecision(
        complaint, rules, scope.facts, derived.facts, chosen_kind, kind, class_, subject, made, _keys(rules, scope), tuple(evidence[:100])
    )  # fmt: skip


def _rule(class_: RuleChoice) -> str:
    entry = class_.entry
    return (entry.rule or entry.id) if isinstance(entry, ClassRule) else ""


def _keys(rules: TriageRules, scope: RuleScope) -> dict[str, str]:
    keys = {c.entry.id: _key(scope.value(c.key)) for c in rules.counts if c.when is None or scope.holds(c.when)}
    return {name: key for name, key in keys.items() if key}


def _key(value: Any) -> str:
    text = "" if value is None or isinstance(value, bool) else str(value).strip()
    return text if len(text) <= _MAX_KEY_LENGTH else sha256(text.encode("utf-8", "replace")).hexdigest()
