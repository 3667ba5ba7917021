"""Which department leads and which co-operate: source, organisation, procedure, subject, and last the catch-all."""

from services.triage.domain.classify import Chosen
from services.triage.domain.compiled_rules import Plan
from services.triage.domain.routing_rules import Route, Way, of_subject
from services.triage.domain.rule_scope import Scope
from shared.procedures.model.procedure import Subject


def route(plan: Plan, scope: Scope, subject: Chosen) -> Route:
    """The first route that applies, else a proposal of the catch-all."""
    return plan.sources.get(scope.complaint.source) or _first(plan.ways, scope) or _of_subject(plan, subject) or plan.catch_all


def _first(ways: tuple[Way, ...], scope: Scope) -> Route | None:
    for way in ways:
        # A condition on a fact that neither the procedure nor the complaint has does not apply.
        if way.undeclared and not all(name in scope.facts for name in way.undeclared):
            continue
        if way.when is None or scope.holds(way.when):
            return way.route
    return None


def _of_subject(plan: Plan, subject: Chosen) -> Route | None:
    entry = subject.entry
    return of_subject(entry, plan.bound, plan.organisation) if isinstance(entry, Subject) else None
