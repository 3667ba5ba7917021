"""Finds rules that are never reached, clocks that never end, and classes whose cases may be closed at once."""

from collections.abc import Iterator, Sequence
from typing import Any

from shared.procedures.checks.sample_case import sample_reader
from shared.procedures.expressions.conditions import compile_condition
from shared.procedures.model.actions.action_rules import ActionRule
from shared.procedures.model.effects import Breach, expand_effect
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.timed_entries import ClockEntry
from shared.procedures.model.triage.entries import NEVER_HOLDS

FIRST_MATCH_SECTIONS = ("kinds", "classes", "routes")


def check_reachability(procedure: Procedure) -> Iterator[Finding]:
    """Findings for unreachable rules, clocks without an end, and classes without a closing condition."""
    for section in FIRST_MATCH_SECTIONS:
        yield from _check_order(section, getattr(procedure, section))
    if procedure.classes and all(rule.when is not None for rule in procedure.classes):
        message = "every class has a condition, so a complaint may get no class; remove when from the last one"
        yield Finding(("classes", len(procedure.classes) - 1), message, "warning")
    for index, clock in enumerate(procedure.clocks):
        yield from _check_clock_ends(index, clock)
    yield from _check_closing(procedure)


def _check_order(section: str, rules: Sequence[Any]) -> Iterator[Finding]:
    first_index: dict[str | None, int] = {}
    for index, rule in enumerate(rules):
        if None in first_index:
            message = f"is never reached: entry {first_index[None] + 1} has no when and applies always; put that one last"
            yield Finding((section, index), message)
        elif rule.when in first_index and rule.when != NEVER_HOLDS:
            message = f"is never reached: entry {first_index[rule.when] + 1} before it has the same when; remove one"
            yield Finding((section, index, "when"), message)
        first_index.setdefault(rule.when, index)


def _check_clock_ends(index: int, clock: ClockEntry) -> Iterator[Finding]:
    if clock.stops is not None or clock.cancels is not None:
        return
    if clock.every is not None:
        yield Finding(("clocks", index), f"nothing stops the repeating clock {clock.id}; name the event that ends it under stops")
        return
    # With a breach it is an error, since every case would be breached in the end, whatever people do.
    breaches = any(isinstance(expand_effect(effect), Breach) for due in clock.due for effect in due.do)
    message = f"nothing stops the clock {clock.id}; name the event that meets it under stops"
    yield Finding(("clocks", index), message, "error" if breaches else "warning")


def _check_closing(procedure: Procedure) -> Iterator[Finding]:
    """An error for each class whose cases may be closed without any earlier action, which needs the engine's rule to be waived."""
    rules = procedure.action_rules("close")
    if not any("close_needs_handling" in rule.waives for rule in rules):
        return
    first_index: dict[str, int] = {}
    for index, class_rule in enumerate(procedure.classes):
        first_index.setdefault(class_rule.id, index)
    for class_id, index in first_index.items():
        if not any(_blocks_closing(procedure, rule, class_id) for rule in rules):
            message = f"the class {class_id} has no closing condition: its cases may be closed at once; add one under closing"
            yield Finding(("classes", index), message)
    if not procedure.classes and not any(_blocks_closing(procedure, rule, "") for rule in rules):
        yield Finding(("actions",), "close_needs_handling is waived, and nothing else has to hold; add a condition under closing")


def _blocks_closing(procedure: Procedure, rule: ActionRule, class_id: str) -> bool:
    """Whether a rule prevents closing an empty case of the class."""
    if rule.call_back is not None:
        return rule.when is None or "case.class" not in rule.when or f"'{class_id}'" in rule.when
    if rule.requires is None:
        return False
    read = sample_reader(procedure, event_id="closed", overrides={("case", "class"): class_id})
    try:
        # A `when` without the class selects some cases of every class; it counts as a condition of each.
        applies = rule.when is None or "case.class" not in rule.when or compile_condition(rule.when).evaluate(read) is not False
        return applies and compile_condition(rule.requires).evaluate(read) is not True
    except (ValueError, KeyError):
        return True  # check_expressions reports it
