"""Checks the expressions of a procedure: syntax, names, values that are compared with, and types."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from shared.contracts.actions import ACTION_DEFINITIONS
from shared.contracts.complaint import CHANNEL_FAMILIES, Channel, ComplainantKind, ComplaintKind
from shared.contracts.events import EVENT_CLASSES
from shared.contracts.events.closed_values import CLOSED_EVENT_VALUES
from shared.procedures.checks.roles import known_roles
from shared.procedures.checks.sample_case import sample_reader
from shared.procedures.expressions.conditions import CASE_FIELDS, NamePath, compile_condition, unknown_names
from shared.procedures.expressions.text_patterns import common_cues
from shared.procedures.model.actions.action_rules import ActionRule
from shared.procedures.model.entry_list import LocatedEntry, YamlPath, all_entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.form_layout.lists import LIST_CASE_NAMES, CaseListEntry
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.selectors import selected_events
from shared.procedures.model.timed_entries import ClockEntry, ReactionEntry
from shared.procedures.model.triage.entries import CountEntry

TRIAGE_SECTIONS = frozenset({"derived", "kinds", "classes", "subjects", "routes", "counts"})
"""Sections whose conditions triage evaluates, before the case has any events."""
_EXTENSION_EVENTS = frozenset(name for name, event in EVENT_CLASSES.items() if "extend_by" in event.model_fields)
_CLOSED_TEXTS = {
    name.partition(".")[2]: frozenset({*CLOSED_EVENT_VALUES[name], ""})
    for name in (
        *("called_back.outcome", "sanction_recorded.sanction", "concealment_reported.concealment", "call_recorded.result"),
        "compensation_proposed.compensation",
    )
}
"""Field of an event → the texts that it can have."""
CLOCK_SELECTORS = ("starts", "stops", "restarts", "pauses", "resumes", "cancels")
# The CEL library offers no syntax tree, so comparisons with text literals are found by pattern.
_EQUALS = re.compile(r"""\b((?:facts|complaint|case|event|last|parameters)(?:\.\w+)+)\s*(?:==|!=)\s*(?:'([^']*)'|"([^"]*)")""")
_IN_LIST = re.compile(r"""\b((?:facts|complaint|case|event|last|parameters)(?:\.\w+)+)\s+in\s+\[([^\]]*)\]""")
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")


@dataclass(frozen=True, slots=True)
class LocatedExpression:
    """A CEL expression with its place.

    `event_ids` are the events that `event` may be when it is evaluated (none: any event, or no event); `reads_history` is False for
    expressions that are evaluated without an event, and in triage; `returns_text` is True for keys of groups, `returns_any` for columns.
    """

    section: str
    yaml_path: YamlPath
    source: str
    event_ids: tuple[str, ...] = ()
    reads_history: bool = True
    returns_text: bool = False
    returns_any: bool = False


def all_expressions(procedure: Procedure) -> list[LocatedExpression]:
    """All expressions of a procedure."""
    return [expression for located in all_entries(procedure) for expression in _expressions_of(located)]


def check_expressions(procedure: Procedure) -> Iterator[Finding]:
    """Findings for bad syntax, unknown names, values that cannot occur, and wrong types."""
    for expression in all_expressions(procedure):
        yield from check_expression(procedure, expression)


def check_expression(procedure: Procedure, expression: LocatedExpression) -> Iterator[Finding]:
    """Findings for one expression, which reads the facts and patterns of the procedure."""
    try:
        messages = [*_check_names(procedure, expression), *_check_values(procedure, expression)]
        messages = messages or list(_check_type(procedure, expression))
    except ValueError as error:
        messages = [f"«{expression.source}» is not a condition: {error}; see the reference page on conditions"]
    yield from (Finding(expression.yaml_path, message) for message in messages)


def _expressions_of(located: LocatedEntry) -> Iterator[LocatedExpression]:
    entry, section = located.entry, located.section
    if isinstance(entry, ReactionEntry):
        yield from _selector_expressions(located, "on")
    if isinstance(entry, ClockEntry):
        for name in CLOCK_SELECTORS:
            yield from _selector_expressions(located, name)
    reads_history = section not in TRIAGE_SECTIONS and not isinstance(entry, ClockEntry)
    for name in ("when", "requires", "needs_sign_off"):
        source = getattr(entry, name, None)
        if source is not None:
            yield LocatedExpression(section, (*located.yaml_path, name), source, _event_ids(located), reads_history)
    if isinstance(entry, CountEntry) and entry.similar is None:
        yield LocatedExpression(section, (*located.yaml_path, "key"), entry.key, reads_history=False, returns_text=True)
    if isinstance(entry, CaseListEntry):
        for index, column in enumerate(entry.expanded_columns):
            if column.expression:
                yield LocatedExpression(section, (*located.yaml_path, "columns", index), column.expression, returns_any=True)


def _event_ids(located: LocatedEntry) -> tuple[str, ...]:
    """The events that an entry's conditions are evaluated for; in an action's rule those that the action would cause."""
    match located.entry:
        case ReactionEntry(on=selector):
            return tuple(selected.event for selected in selected_events(selector) if selected.event in EVENT_CLASSES)
        case ActionRule():
            action = ACTION_DEFINITIONS.get("close" if located.section == "closing" else located.name.partition(".")[0])
            return tuple(event for event in (action.event_id, action.event_id_if_not_passed) if event) if action else ()
    return ()


def _selector_expressions(located: LocatedEntry, name: str) -> Iterator[LocatedExpression]:
    for selected in selected_events(getattr(located.entry, name)):
        if selected.when is not None and selected.event in EVENT_CLASSES:
            yield LocatedExpression(located.section, (*located.yaml_path, name), selected.when, (selected.event,))


def _check_names(procedure: Procedure, expression: LocatedExpression) -> list[str]:
    # Evaluating is not enough: a true `||` hides a name that does not exist on its other side.
    facts, parameters = frozenset(procedure.facts), frozenset(procedure.parameters)
    patterns = frozenset({*procedure.patterns, *common_cues().patterns})
    case_fields = LIST_CASE_NAMES if expression.section == "lists" else CASE_FIELDS
    by_event = [
        unknown_names(expression.source, facts, parameters, event, patterns, case_fields) for event in expression.event_ids or (None,)
    ]
    # A condition for several events may read a field that only one of them has.
    messages = next((unknown for unknown in by_event if not unknown), by_event[0])
    paths = compile_condition(expression.source).paths
    messages = [*messages, *_action_names(paths, expression.event_ids)]
    roots = {path[0] for path in paths}
    if expression.section in TRIAGE_SECTIONS and (history := roots & {"event", "last", "count"}):
        messages = [*messages, f"{', '.join(sorted(history))} is not available in triage; read facts, complaint or case"]
    elif expression.section not in TRIAGE_SECTIONS and "says" in roots:
        messages = [*messages, "says is available in triage only; set a fact under derived, and read the fact"]
    elif expression.section == "lists" and "event" in roots:
        messages = [*messages, "event is not available in a list, which reads cases and no single event; read last.<event>"]
    elif not expression.reads_history and "event" in roots:
        messages = [*messages, "event is not available in a clock's when; put the condition into the selector, or read last.<event>"]
    return [f"«{expression.source}»: {message}" for message in messages]


def _action_names(paths: Iterable[NamePath], event_ids: tuple[str, ...]) -> Iterator[str]:
    """Names of an action's data that its event has under another name; `by` of an event is who decided, never how long."""
    for path in paths:
        events = event_ids if path[0] == "event" else path[1:2]
        if path[0] in ("event", "last") and path[-1] == "by" and events and set(events) <= _EXTENSION_EVENTS:
            yield f"{'.'.join(path)} is the action's name; the event has it as {'.'.join(path[:-1])}.extend_by"


def _check_values(procedure: Procedure, expression: LocatedExpression) -> Iterator[str]:
    for path, text in _literals(expression.source):
        known = _known_values(procedure, path)
        if known and text not in known:
            yield f"«{expression.source}»: {path} is never '{text}'; use one of {', '.join(sorted(known))}"


def _literals(source: str) -> Iterator[tuple[str, str]]:
    """The names in an expression and the text literals that they are compared with."""
    for path, single, double in _EQUALS.findall(source):
        if single or double:
            yield path, single or double
    for path, inside in _IN_LIST.findall(source):
        yield from ((path, single or double) for single, double in _QUOTED.findall(inside))


def _known_values(procedure: Procedure, path: str) -> Iterable[str]:
    """The values that a name can have; empty if it can have any."""
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
    if last in _CLOSED_TEXTS and root.startswith(("event", "last")):
        return _CLOSED_TEXTS[last]
    return known_roles(procedure) if last == "role" and root.startswith(("event", "last")) else ()


def _check_type(procedure: Procedure, expression: LocatedExpression) -> Iterator[str]:
    """Evaluate the expression on both sample cases: operators that do not fit the types, a value of the wrong type."""
    event = expression.event_ids[0] if expression.event_ids else None
    for filled in (False, True):
        try:
            value = compile_condition(expression.source).evaluate(sample_reader(procedure, event_id=event, filled=filled))
        except ValueError as error:
            yield str(error)
            return
        except KeyError:
            return  # a field of another event in `event_ids`; _check_names has checked that it exists
        is_right = _is_key(value) if expression.returns_text else isinstance(value, bool)
        if expression.returns_any:
            is_right = _is_key(value) or isinstance(value, bool | int | float | datetime)
        if not is_right:
            any_needed = "a text, a list of texts, a number, an instant, or true or false"
            needed = any_needed if expression.returns_any else "a text, or a list of texts" if expression.returns_text else "true or false"
            yield f"«{expression.source}» gives {value!r}; it has to give {needed}"
            return


def _is_key(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))
