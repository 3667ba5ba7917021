"""Chooses the lead and the cooperating departments of a complaint."""

from dataclasses import replace

from services.triage.domain.classifier.suggestion import RULE, Suggestions
from services.triage.domain.classify import RuleChoice
from services.triage.domain.compiled_rules import TriageRules
from services.triage.domain.routing_rules import RoutingDecision, RoutingRule, checked_route, subject_route
from services.triage.domain.rule_scope import RuleScope, TriageContext
from shared.procedures.model.triage.entries import SubjectNode


def choose_route(
    rules: TriageRules, scope: RuleScope, subject: RuleChoice, suggestions: Suggestions, context: TriageContext
) -> RoutingDecision:
    """The first route of source, organisation, procedure and subject that applies, else the classifier's department if it is sure.

    Else the catch-all department is proposed: a department that is only guessed does not read the case before a person has confirmed it.
    A department that does not work on that day, or that leads as many cases as it can, gives way to the next that works.
    """
    route = (
        rules.source_routes.get(scope.complaint.source)
        or _first_route(rules.routing_rules, scope)
        or _subject_route(rules, subject)
        or _classifier_route(rules, suggestions)
        or rules.catch_all_route
    )
    return _to_working_department(route, rules, context)


def _to_working_department(route: RoutingDecision, rules: TriageRules, context: TriageContext) -> RoutingDecision:
    replacement = rules.working.replacement(route.department, context.at, context.open_cases)
    if replacement.none_works:
        reason = "neither the department nor one in its place works on that day or has capacity"
        return replace(route, reason="; ".join(filter(None, (route.reason, reason))))
    if not replacement.passed_over:
        return route
    names = ", ".join(f"{each.department} ({each.why})" for each in replacement.passed_over)
    return replace(
        route,
        department=replacement.department,
        cooperating=tuple(name for name in route.cooperating if name != replacement.department),
        reason="; ".join(filter(None, (route.reason, f"passed over: {names}"))),
        passed_over=replacement.passed_over,
    )


def _first_route(routing_rules: tuple[RoutingRule, ...], scope: RuleScope) -> RoutingDecision | None:
    for rule in routing_rules:
        # Organisation routes serve all procedures: one on a fact that neither this procedure nor the complaint has does not apply.
        if rule.undeclared_facts and not all(name in scope.facts for name in rule.undeclared_facts):
            continue
        if rule.when is None or scope.applies(rule.when):
            return rule.route
    return None


def _subject_route(rules: TriageRules, subject: RuleChoice) -> RoutingDecision | None:
    entry = subject.entry
    return subject_route(entry, rules.bound_procedure, rules.organisation) if isinstance(entry, SubjectNode) else None


def _classifier_route(rules: TriageRules, suggestions: Suggestions) -> RoutingDecision | None:
    organisation = rules.organisation
    existing = None if organisation.everyone or not organisation.departments else {entry.id for entry in organisation.departments}
    department = suggestions.decide("department", existing)
    return checked_route(RoutingDecision(department, rule=RULE), rules.bound_procedure, organisation) if department else None
