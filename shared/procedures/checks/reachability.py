"""What can never happen, or never ends: rules behind others, clocks that nothing stops, classes that close without a condition."""

from collections.abc import Iterator, Sequence
from typing import Any

from shared.procedures.checks.sample_case import sample_reader
from shared.procedures.expressions.conditions import compile_condition
from shared.procedures.model.effects import Breach, expand_effect
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import NEVER_HOLDS, ActionRule, Procedure
from shared.procedures.model.timed_entries import ClockEntry

FIRST_MATCH_SECTIONS = ("kinds", "classes", "routes")


def check_reachability(procedure: Procedure) -> Iterator[Finding]:
    """Unreachable rules, clocks without an end, classes without a closing condition."""
    for section in FIRST_MATCH_SECTIONS:
        yield from _check_order(section, getattr(procedure, section))
    if procedure.classes and all(rule.when is not None for rule in procedure.classes):
        message = "every class has a condition, so a complaint may be left without one; let the last have no when"
        yield Finding(("classes", len(procedure.classes) - 1), message, "warning")
    for place, clock in enumerate(procedure.clocks):
        yield from _check_clock_ends(place, clock)
    yield from _check_closing(procedure)


def _check_order(section: str, rules: Sequence[Any]) -> Iterator[Finding]:
    seen: dict[str | None, int] = {}
    for place, rule in enumerate(rules):
        if None in seen:
            yield Finding((section, place), f"is never reached: entry {seen[None] + 1} has no when and takes everything; put that one last")
        elif rule.when in seen and rule.when != NEVER_HOLDS:
            yield Finding((section, place, "when"), f"is never reached: entry {seen[rule.when] + 1} has the same when and wins; drop one")
        seen.setdefault(rule.when, place)


def _check_clock_ends(place: int, clock: ClockEntry) -> Iterator[Finding]:
    if clock.stops is not None or clock.cancels is not None:
        return
    if clock.every is not None:
        yield Finding(("clocks", place), f"nothing stops the repeating clock {clock.id}; say under stops which event ends it")
        return
    strict = any(isinstance(expand_effect(one), Breach) for due in clock.due for one in due.do)
    message = f"nothing stops the clock {clock.id}; say under stops which event meets it"
    yield Finding(("clocks", place), message, "error" if strict else "warning")


def _check_closing(procedure: Procedure) -> Iterator[Finding]:
    """A warning for each class whose cases could be closed although nothing at all has happened."""
    rules = procedure.action_rules("close")
    first = {rule.id: place for place, rule in reversed(list(enumerate(procedure.classes)))}
    for class_id, place in sorted(first.items(), key=lambda found: found[1]):
        if not any(_blocks_closing(procedure, rule, class_id) for rule in rules):
            message = f"the class {class_id} has no closing condition: its cases may be closed at once; add one under closing"
            yield Finding(("classes", place), message, "warning")


def _blocks_closing(procedure: Procedure, rule: ActionRule, class_id: str) -> bool:
    if rule.requires is None:
        return False
    read = sample_reader(procedure, event_id="closed", overrides={("case", "class"): class_id})
    try:
        applies = rule.when is None or "case.class" not in rule.when or compile_condition(rule.when).evaluate(read) is not False
        return applies and compile_condition(rule.requires).evaluate(read) is not True
    except (ValueError, KeyError):
        return True  # an expression that cannot be read is reported by another check
