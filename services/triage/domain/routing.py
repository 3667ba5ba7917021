"""Which department leads and which co-operate: source, organisation, procedure, subject, and last the catch-all."""

from services.triage.domain.classify import RuleChoice
from services.triage.domain.compiled_rules import TriageRules
from services.triage.domain.routing_rules import RoutingDecision, RoutingRule, subject_route
from services.triage.domain.rule_scope import RuleScope
from shared.procedures.model.procedure import Subject


def choose_route(rules: TriageRules, scope: RuleScope, subject: RuleChoice) -> RoutingDecision:
    """The first route that applies, else a proposal of the catch-all."""
    return (
        rules.source_routes.get(scope.complaint.source)
        or _first(rules.routing_rules, scope)
        or _of_subject(rules, subject)
        or rules.catch_all_route
    )


def _first(ways: tuple[RoutingRule, ...], scope: RuleScope) -> RoutingDecision | None:
    for way in ways:
        # A condition on a fact that neither the procedure nor the complaint has does not apply.
        if way.undeclared_facts and not all(name in scope.facts for name in way.undeclared_facts):
            continue
        if way.when is None or scope.holds(way.when):
            return way.route
    return None


def _of_subject(plan: TriageRules, subject: RuleChoice) -> RoutingDecision | None:
    entry = subject.entry
    return subject_route(entry, plan.bound_procedure, plan.organisation) if isinstance(entry, Subject) else None
