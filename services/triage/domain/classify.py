"""Which kind, class and subject a complaint has: the first rule that matches, with the evidence."""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.triage.domain.compiled_rules import CompiledRule, TriageRules
from services.triage.domain.rule_scope import RuleScope
from shared.procedures.model.procedure import ClassRule, KindRule, Subject

E = TypeVar("E", KindRule, ClassRule, Subject)


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """What was chosen, by which entry, and what that rests on; `id` is empty if no entry matched."""

    id: str = ""
    entry: KindRule | ClassRule | Subject | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DerivedFacts:
    """Facts that rules read out of the complaint, and what that rests on."""

    facts: dict[str, Any] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()


_NO_CHOICE = RuleChoice()
_DEFAULT_KIND = RuleChoice("complaint")


def derive_facts(rules: TriageRules, scope: RuleScope, submitted_facts: Container[str]) -> DerivedFacts:
    """Set the facts that `derived` entries give, in order; what the submission itself gives stays."""
    facts: dict[str, Any] = {}
    evidence: list[str] = []
    for rule in rules.derived:
        new = {name: value for name, value in rule.entry.set.items() if name not in submitted_facts}
        if not new or rule.when is None or not scope.holds(rule.when):
            continue
        read = ", ".join(scope.evidence(rule.when))
        evidence += [f"derived {name} from {read}" for name in new]
        facts.update(new)
        scope.set_facts(new)
    return DerivedFacts(facts, tuple(evidence))


def choose_kind(rules: TriageRules, scope: RuleScope) -> RuleChoice:
    """The submission's kind, with the entry that describes it; else the first matching entry's, else a complaint."""
    given = scope.complaint.kind
    if given is not None:
        entry = next((rule.entry for rule in rules.kinds if rule.entry.id == given), None)
        return RuleChoice(given, entry, (f"complaint.kind = {given}",))
    found = _first(rules.kinds, scope)
    return found if found.id else _DEFAULT_KIND


def choose_class(rules: TriageRules, scope: RuleScope) -> RuleChoice:
    """The first matching class."""
    return _first(rules.classes, scope)


def choose_subject(rules: TriageRules, scope: RuleScope) -> RuleChoice:
    """The first node whose condition holds or one of whose words stands in title or text."""
    if not rules.subjects:
        return _NO_CHOICE
    text = f"{scope.complaint.title or ''}\n{scope.complaint.text}"
    for rule in rules.subjects:
        word = next((word for word in rule.entry.words if word in text), None)
        if word is not None:
            return RuleChoice(rule.entry.id, rule.entry, (f"the word {word}",))
        if rule.when is not None and scope.holds(rule.when):
            return RuleChoice(rule.entry.id, rule.entry, scope.evidence(rule.when))
    return _NO_CHOICE


def _first(rules: tuple[CompiledRule[E], ...], scope: RuleScope) -> RuleChoice:
    for rule in rules:
        if rule.when is None:
            return RuleChoice(rule.entry.id, rule.entry)
        if scope.holds(rule.when):
            return RuleChoice(rule.entry.id, rule.entry, scope.evidence(rule.when))
    return _NO_CHOICE
