"""Which kind, class and subject a complaint has: the first rule that matches, with the evidence."""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.triage.domain.compiled_rules import Plan, Rule
from services.triage.domain.rule_scope import Scope
from shared.procedures.model.procedure import ClassRule, KindRule, Subject

E = TypeVar("E", KindRule, ClassRule, Subject)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen, by which entry, and what that rests on; `id` is empty if no entry matched."""

    id: str = ""
    entry: KindRule | ClassRule | Subject | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Derivation:
    """Facts that rules read out of the complaint, and what that rests on."""

    facts: dict[str, Any] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()


_NOTHING = Chosen()
_COMPLAINT = Chosen("complaint")


def derive(plan: Plan, scope: Scope, given: Container[str]) -> Derivation:
    """Set the facts that `derived` entries give, in order; what the submission itself gives stays."""
    facts: dict[str, Any] = {}
    evidence: list[str] = []
    for rule in plan.derived:
        new = {name: value for name, value in rule.entry.set.items() if name not in given}
        if not new or rule.when is None or not scope.holds(rule.when):
            continue
        read = ", ".join(scope.evidence(rule.when))
        evidence += [f"derived {name} from {read}" for name in new]
        facts.update(new)
        scope.set_facts(new)
    return Derivation(facts, tuple(evidence))


def kind(plan: Plan, scope: Scope) -> Chosen:
    """The submission's kind, with the entry that describes it; else the first matching entry's, else a complaint."""
    given = scope.complaint.kind
    if given is not None:
        entry = next((rule.entry for rule in plan.kinds if rule.entry.id == given), None)
        return Chosen(given, entry, (f"complaint.kind = {given}",))
    found = _first(plan.kinds, scope)
    return found if found.id else _COMPLAINT


def class_of(plan: Plan, scope: Scope) -> Chosen:
    """The first matching class."""
    return _first(plan.classes, scope)


def subject(plan: Plan, scope: Scope) -> Chosen:
    """The first node whose condition holds or one of whose words stands in title or text."""
    if not plan.subjects:
        return _NOTHING
    text = f"{scope.complaint.title or ''}\n{scope.complaint.text}"
    for rule in plan.subjects:
        word = next((word for word in rule.entry.words if word in text), None)
        if word is not None:
            return Chosen(rule.entry.id, rule.entry, (f"the word {word}",))
        if rule.when is not None and scope.holds(rule.when):
            return Chosen(rule.entry.id, rule.entry, scope.evidence(rule.when))
    return _NOTHING


def _first(rules: tuple[Rule[E], ...], scope: Scope) -> Chosen:
    for rule in rules:
        if rule.when is None:
            return Chosen(rule.entry.id, rule.entry)
        if scope.holds(rule.when):
            return Chosen(rule.entry.id, rule.entry, scope.evidence(rule.when))
    return _NOTHING
