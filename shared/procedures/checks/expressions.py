"""The conditions of a procedure: whether they can be read, name only what exists, and give true or false."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import get_args

from shared.contracts.actions import ACTION_DEFINITIONS
from shared.contracts.complaint import CHANNEL_FAMILIES, Channel, ComplainantKind, ComplaintKind
from shared.contracts.events import EVENT_CLASSES
from shared.contracts.events.base import CallBackOutcome
from shared.procedures.checks.roles import known_roles
from shared.procedures.checks.sample_case import sample_reader
from shared.procedures.expressions.conditions import compile_condition, unknown_names
from shared.procedures.model.entry_list import LocatedEntry, YamlPath, all_entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import ActionRule, CountEntry, Procedure
from shared.procedures.model.selectors import selected_events
from shared.procedures.model.timed_entries import ClockEntry, ReactionEntry

TRIAGE_SECTIONS = frozenset({"derived", "kinds", "classes", "subjects", "routes", "counts"})
"""Sections that triage reads, which knows the complaint and its facts, but no history."""
CLOCK_SELECTORS = ("starts", "stops", "restarts", "pauses", "resumes", "cancels")
_EQUALS = re.compile(r"""\b((?:facts|complaint|case|event|last|parameters)(?:\.\w+)+)\s*(?:==|!=)\s*(?:'([^']*)'|"([^"]*)")""")
_IN_LIST = re.compile(r"""\b((?:facts|complaint|case|event|last|parameters)(?:\.\w+)+)\s+in\s+\[([^\]]*)\]""")
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")


@dataclass(frozen=True, slots=True)
class LocatedExpression:
    """A CEL text of the procedure: where it stands, and the events of which one is at hand when it is read (none: any, or none is)."""

    section: str
    yaml_path: YamlPath
    source: str
    event_ids: tuple[str, ...] = ()
    reads_history: bool = True
    returns_text: bool = False


def all_expressions(procedure: Procedure) -> list[LocatedExpression]:
    """Every expression of a procedure."""
    return [expression for item in all_entries(procedure) for expression in _expressions_of(item)]


def check_expressions(procedure: Procedure) -> Iterator[Finding]:
    """Unknown names, values that do not exist, wrong types, bad syntax."""
    for expression in all_expressions(procedure):
        try:
            wrong = [*_check_names(procedure, expression), *_check_values(procedure, expression)] or list(
                _check_type(procedure, expression)
            )
        except ValueError as error:
            wrong = [f"«{expression.source}» is not a condition: {error}; see the reference page on conditions"]
        yield from (Finding(expression.yaml_path, message) for message in wrong)


def _expressions_of(item: LocatedEntry) -> Iterator[LocatedExpression]:
    entry, section = item.entry, item.section
    history = section not in TRIAGE_SECTIONS
    events: tuple[str, ...] = ()
    if isinstance(entry, ActionRule):
        kind = ACTION_DEFINITIONS.get("close" if section == "closing" else item.name.partition(".")[0])
        events = tuple(event for event in (kind.event_id, kind.event_id_if_not_passed) if event) if kind else ()
    if isinstance(entry, ReactionEntry):
        events = tuple(pick.event for pick in selected_events(entry.on) if pick.event in EVENT_CLASSES)
        yield from _selector_expressions(item, "on")
    if isinstance(entry, ClockEntry):
        for name in CLOCK_SELECTORS:
            yield from _selector_expressions(item, name)
    for name in ("when", "requires", "needs_sign_off"):
        source = getattr(entry, name, None)
        if source is not None:
            yield LocatedExpression(section, (*item.yaml_path, name), source, events, history and not (isinstance(entry, ClockEntry)))
    if isinstance(entry, CountEntry):
        yield LocatedExpression(section, (*item.yaml_path, "key"), entry.key, reads_history=False, returns_text=True)


def _selector_expressions(item: LocatedEntry, name: str) -> Iterator[LocatedExpression]:
    for pick in selected_events(getattr(item.entry, name)):
        if pick.when is not None and pick.event in EVENT_CLASSES:
            yield LocatedExpression(item.section, (*item.yaml_path, name), pick.when, (pick.event,))


def _check_names(procedure: Procedure, expression: LocatedExpression) -> list[str]:
    facts, parameters = frozenset(procedure.facts), frozenset(procedure.parameters)
    by_event = [unknown_names(expression.source, facts, parameters, event) for event in expression.event_ids or (None,)]
    wrong = next((found for found in by_event if not found), by_event[0])
    roots = {path[0] for path in compile_condition(expression.source).paths}
    if expression.section in TRIAGE_SECTIONS and (late := roots & {"event", "last", "count"}):
        wrong = [*wrong, f"triage knows no {', '.join(sorted(late))} yet; read facts, complaint or case"]
    elif not expression.reads_history and "event" in roots:
        wrong = [*wrong, "no event is at hand in a clock's guard; put the condition into the selector, or read last.<event>"]
    return [f"«{expression.source}»: {message}" for message in wrong]


def _check_values(procedure: Procedure, expression: LocatedExpression) -> Iterator[str]:
    for path, text in _literals(expression.source):
        known = _known_values(procedure, path)
        if known and text not in known:
            yield f"«{expression.source}»: {path} is never '{text}'; it is one of {', '.join(sorted(known))}"


def _literals(source: str) -> Iterator[tuple[str, str]]:
    for path, single, double in _EQUALS.findall(source):
        if single or double:
            yield path, single or double
    for path, inside in _IN_LIST.findall(source):
        yield from ((path, single or double) for single, double in _QUOTED.findall(inside))


def _known_values(procedure: Procedure, path: str) -> Iterable[str]:
    """The texts that a name can have; empty if any."""
    root, _, last = path.rpartition(".")
    if path == "complaint.complainant.kind":
        return get_args(ComplainantKind)
    if path == "complaint.channel_family":
        return set(CHANNEL_FAMILIES.values())
    if path == "complaint.channel":
        return get_args(Channel)
    if path == "case.status":
        return ("open", "closed", "refused", "withdrawn")
    if path in ("case.kind", "complaint.kind", "event.kind"):
        return get_args(ComplaintKind)
    if last == "class" and root.startswith(("case", "event", "last.classified", "last.reclassified")):
        return {rule.id for rule in procedure.classes}
    if last == "outcome" and root.startswith(("event", "last")):
        return get_args(CallBackOutcome)
    return known_roles(procedure) if last == "role" and root.startswith(("event", "last")) else ()


def _check_type(procedure: Procedure, expression: LocatedExpression) -> Iterator[str]:
    """The expression on both samples: types that do not go together, a value that is no truth."""
    event = expression.event_ids[0] if expression.event_ids else None
    for filled in (False, True):
        try:
            value = compile_condition(expression.source).evaluate(sample_reader(procedure, event_id=event, filled=filled))
        except ValueError as error:
            yield str(error)
            return
        except KeyError:
            return  # a name of another of the events; that it exists has been checked
        wanted = str if expression.returns_text else bool
        if not isinstance(value, wanted):
            yield f"«{expression.source}» gives {value!r}; it has to give {'a text' if expression.returns_text else 'true or false'}"
            return
