"""Chooses facts, kind, class and subject of a complaint: the first rule that matches, with the evidence."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args

from services.triage.domain.classifier.suggestion import Suggestions
from services.triage.domain.compiled_rules import CompiledRule, TriageRules
from services.triage.domain.rule_scope import RuleScope
from shared.contracts.complaint import ComplaintKind
from shared.contracts.events.found_fact import FoundFact
from shared.procedures.model.triage.entries import ClassRule, KindRule, SubjectNode

E = TypeVar("E", KindRule, ClassRule, SubjectNode)


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """The value that a rule gives, the rule's entry and the evidence; `id` is empty if no entry matched."""

    id: str = ""
    entry: KindRule | ClassRule | SubjectNode | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DerivedFacts:
    """Facts that rules read from the complaint, and the evidence."""

    facts: dict[str, Any] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()


_NO_CHOICE = RuleChoice()
_DEFAULT_KIND = RuleChoice("complaint")
_KINDS = frozenset(get_args(ComplaintKind))


def derive_facts(rules: TriageRules, scope: RuleScope, submitted_facts: Container[str], found: Mapping[str, FoundFact]) -> DerivedFacts:
    """Set the facts that `derived` entries give, in order; facts of the submission are not changed."""
    facts: dict[str, Any] = {}
    evidence: list[str] = []
    for rule in rules.derived:
        read_values = {name: found[source].value for name, source in rule.entry.takes.items() if source in found}
        new_facts = {name: value for name, value in (rule.entry.set | read_values).items() if name not in submitted_facts}
        if not new_facts or rule.when is None or not scope.applies(rule.when):
            continue
        read = ", ".join(scope.evidence(rule.when))
        evidence += [f"derived {name} from {read}" for name in new_facts]
        facts.update(new_facts)
        # At once: later entries may read the fact.
        scope.set_facts(new_facts)
    return DerivedFacts(facts, tuple(evidence))


def choose_kind(rules: TriageRules, scope: RuleScope, suggestions: Suggestions) -> RuleChoice:
    """The submission's kind if it has one, else that of the first matching entry, else the classifier's, else `complaint`."""
    submitted_kind = scope.complaint.kind
    if submitted_kind is not None:
        entry = next((rule.entry for rule in rules.kinds if rule.entry.id == submitted_kind), None)
        return RuleChoice(submitted_kind, entry, (f"complaint.kind = {submitted_kind}",))
    choice = _first_match(rules.kinds, scope)
    if choice.id:
        return choice
    suggested = suggestions.decide("kind", _KINDS)
    return RuleChoice(suggested) if suggested else _DEFAULT_KIND


def choose_class(rules: TriageRules, scope: RuleScope) -> RuleChoice:
    """The class of the first matching entry."""
    return _first_match(rules.classes, scope)


def choose_subject(rules: TriageRules, scope: RuleScope, suggestions: Suggestions) -> RuleChoice:
    """The first node of the subject tree whose condition holds or of which title or text contain a word, else the classifier's."""
    if not rules.subjects:
        return _NO_CHOICE
    text = f"{scope.reading.field('title')}\n{scope.reading.field('text')}"
    for rule in rules.subjects:
        word = next((word for word in rule.entry.words if word in text), None)
        if word is not None:
            return RuleChoice(rule.entry.id, rule.entry, (f"the word {word}",))
        if rule.when is not None and scope.applies(rule.when):
            return RuleChoice(rule.entry.id, rule.entry, scope.evidence(rule.when))
    # A history names subjects by id or by title.
    nodes = {name: rule.entry for rule in rules.subjects for name in (rule.entry.en, rule.entry.zh, rule.entry.id) if name}
    suggested = suggestions.decide("subject", nodes)
    return RuleChoice(nodes[suggested].id, nodes[suggested]) if suggested else _NO_CHOICE


def _first_match(rules: tuple[CompiledRule[E], ...], scope: RuleScope) -> RuleChoice:
    for rule in rules:
        if rule.when is None:
            return RuleChoice(rule.entry.id, rule.entry)
        if scope.applies(rule.when):
            return RuleChoice(rule.entry.id, rule.entry, scope.evidence(rule.when))
    return _NO_CHOICE
