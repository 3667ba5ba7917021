"""Triage's decision on one complaint: facts, kind, class, subject, route, and what it counts towards. Every part says because."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast

from services.triage.domain import classify
from services.triage.domain.classify import Chosen
from services.triage.domain.clause_fields import clause
from services.triage.domain.compiled_rules import Plan, plan
from services.triage.domain.routing import route
from services.triage.domain.routing_rules import Route
from services.triage.domain.rule_scope import Context, Scope
from shared.contracts.complaint import Complaint, Kind
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.triage import Classified, Registered, Routed, RouteProposed
from shared.procedures.model.bound_procedure import Bound
from shared.procedures.model.clauses import listed
from shared.procedures.model.facts import fit
from shared.procedures.model.procedure import ClassRule, Procedure
from shared.procedures.organisation import Organisation

TRIAGE = "triage"
_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Decision:
    """What triage decided.

    `facts` are all facts as the rules saw them, `derived` those that triage added, `keys` the texts by which it counts (count's id → key).
    """

    complaint: Complaint
    plan: Plan
    facts: dict[str, Any]
    derived: dict[str, Any]
    kind: Kind
    kind_: Chosen
    class_: Chosen
    subject: Chosen
    route: Route
    keys: dict[str, str]
    evidence: tuple[str, ...]

    @property
    def procedure(self) -> Procedure:
        """The regulation that it was decided under."""
        return self.plan.bound.procedure

    @property
    def rule(self) -> str:
        """The rule that gave the class: several entries may lead to one class."""
        return _rule(self.class_)

    @property
    def clauses(self) -> list[str]:
        """The clauses that the classification rests on: the class's first, then the kind's and the subject's."""
        entries = [chosen.entry for chosen in (self.class_, self.kind_, self.subject) if chosen.entry is not None]
        return list(dict.fromkeys([one for entry in entries for one in listed(entry.clause)]))

    def because(self, context: Context) -> dict[str, Any]:
        """What every event of this decision carries."""
        procedure = self.procedure
        return {"case": self.complaint.case, "procedure": procedure.id, "version": procedure.version, "by": TRIAGE, **context.instants()}

    def classified(self, registered: Registered | None, context: Context) -> Classified:
        """The first event of the case on triage's topic, with all that sla needs to open it."""
        values = self.because(context) | self.verdict()
        if registered is not None:
            values |= {"registered": registered, "department": self.route.department}
        return Classified.model_validate(values)

    def verdict(self) -> dict[str, Any]:
        """The fields of a classification."""
        return {
            "rule": self.rule,
            **clause(self.clauses),
            "kind": self.kind,
            "class": self.class_.id,
            "subject": self.subject.id,
            "facts": self.derived,
            "evidence": list(self.evidence),
        }

    def routed(self, context: Context) -> Routed:
        """The decision on departments, as an event: `routed`, or `route_proposed`."""
        made = self.route
        event = RouteProposed if made.proposed else Routed
        values = {"rule": made.rule, "department": made.department, "cooperating": list(made.cooperating), "reason": made.reason}
        return event.model_validate(self.because(context) | values | dict(made.clause))

    def events(self, registered: Registered | None, context: Context) -> list[CaseEvent]:
        """`classified`, then `routed` or `route_proposed`."""
        return [self.classified(registered, context), self.routed(context)]


def assess(complaint: Complaint, procedure: Bound, organisation: Organisation, context: Context) -> Decision:
    """Decide on a complaint; raises `ValueError` naming the condition that cannot be evaluated."""
    rules = plan(procedure, organisation)
    given, unfit = fit(rules.procedure, complaint.facts)
    scope = Scope(complaint, rules.facts | given, procedure.parameters, context.zone, rules.reads)
    derived = classify.derive(rules, scope, given)
    kind = classify.kind(rules, scope)
    scope.set_case("kind", kind.id)
    subject = classify.subject(rules, scope)
    scope.set_case("subject", subject.id)
    class_ = classify.class_of(rules, scope)
    scope.set_case("class", class_.id)
    scope.set_case("rule", _rule(class_))
    made = route(rules, scope, subject)
    scope.set_case("department", made.department)
    evidence = [f"facts.{name} is not of its type and was left out" for name in unfit]
    evidence += derived.evidence
    for what, chosen in (("kind", kind), ("class", class_), ("subject", subject)):
        evidence += [f"{what}: {seen}"[:500] for seen in chosen.evidence]
    chosen_kind = cast("Kind", kind.id)
    return Decision(
        complaint, rules, scope.facts, derived.facts, chosen_kind, kind, class_, subject, made, _keys(rules, scope), tuple(evidence[:100])
    )  # fmt: skip


def _rule(class_: Chosen) -> str:
    entry = class_.entry
    return (entry.rule or entry.id) if isinstance(entry, ClassRule) else ""


def _keys(rules: Plan, scope: Scope) -> dict[str, str]:
    keys = {c.entry.id: _key(scope.value(c.key)) for c in rules.counts if c.when is None or scope.holds(c.when)}
    return {name: key for name, key in keys.items() if key}


def _key(value: Any) -> str:
    text = "" if value is None or isinstance(value, bool) else str(value).strip()
    return text if len(text) <= _LONGEST_KEY else sha256(text.encode("utf-8", "replace")).hexdigest()
