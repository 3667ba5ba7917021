"""The conditions of a procedure: whether they can be read, name only what exists, and give true or false."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import get_args

from shared.contracts.actions import ACTIONS
from shared.contracts.complaint import FAMILIES, Channel, ComplainantKind, Kind
from shared.contracts.events import EVENTS
from shared.contracts.events.base import Outcome
from shared.procedures.checks.roles import known_roles
from shared.procedures.checks.sample import reader
from shared.procedures.expressions.conditions import compiled, unknown_names
from shared.procedures.model.entry_list import Item, Way, inventory
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import ActionRule, Count, Procedure
from shared.procedures.model.selectors import picks
from shared.procedures.model.timed_entries import Clock, Reaction

TRIAGE = frozenset({"derived", "kinds", "classes", "subjects", "routes", "counts"})
"""Sections that triage reads, which knows the complaint and its facts, but no history."""
SELECTORS = ("starts", "stops", "restarts", "pauses", "resumes", "cancels")
_EQUALS = re.compile(r"""\b((?:facts|complaint|case|event|last|parameters)(?:\.\w+)+)\s*(?:==|!=)\s*(?:'([^']*)'|"([^"]*)")""")
_AMONG = re.compile(r"""\b((?:facts|complaint|case|event|last|parameters)(?:\.\w+)+)\s+in\s+\[([^\]]*)\]""")
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")


@dataclass(frozen=True, slots=True)
class Expression:
    """A CEL text of the procedure: where it stands, and the events of which one is at hand when it is read (none: any, or none is)."""

    section: str
    way: Way
    source: str
    events: tuple[str, ...] = ()
    history: bool = True
    gives_text: bool = False


def expressions(procedure: Procedure) -> list[Expression]:
    """Every expression of a procedure."""
    return [expression for item in inventory(procedure) for expression in _of(item)]


def check(procedure: Procedure) -> Iterator[Finding]:
    """Unknown names, values that do not exist, wrong types, bad syntax."""
    for expression in expressions(procedure):
        try:
            wrong = [*_names(procedure, expression), *_values(procedure, expression)] or list(_tried(procedure, expression))
        except ValueError as error:
            wrong = [f"«{expression.source}» is not a condition: {error}; see the reference page on conditions"]
        yield from (Finding(expression.way, message) for message in wrong)


def _of(item: Item) -> Iterator[Expression]:
    entry, section = item.entry, item.section
    history = section not in TRIAGE
    events: tuple[str, ...] = ()
    if isinstance(entry, ActionRule):
        kind = ACTIONS.get("close" if section == "closing" else item.name.partition(".")[0])
        events = tuple(event for event in (kind.event, kind.fails) if event) if kind else ()
    if isinstance(entry, Reaction):
        events = tuple(pick.event for pick in picks(entry.on) if pick.event in EVENTS)
        yield from _of_selector(item, "on")
    if isinstance(entry, Clock):
        for name in SELECTORS:
            yield from _of_selector(item, name)
    for name in ("when", "requires", "needs_sign_off"):
        source = getattr(entry, name, None)
        if source is not None:
            yield Expression(section, (*item.way, name), source, events, history and not (isinstance(entry, Clock)))
    if isinstance(entry, Count):
        yield Expression(section, (*item.way, "key"), entry.key, history=False, gives_text=True)


def _of_selector(item: Item, name: str) -> Iterator[Expression]:
    for pick in picks(getattr(item.entry, name)):
        if pick.when is not None and pick.event in EVENTS:
            yield Expression(item.section, (*item.way, name), pick.when, (pick.event,))


def _names(procedure: Procedure, expression: Expression) -> list[str]:
    facts, parameters = frozenset(procedure.facts), frozenset(procedure.parameters)
    by_event = [unknown_names(expression.source, facts, parameters, event) for event in expression.events or (None,)]
    wrong = next((found for found in by_event if not found), by_event[0])
    roots = {path[0] for path in compiled(expression.source).paths}
    if expression.section in TRIAGE and (late := roots & {"event", "last", "count"}):
        wrong = [*wrong, f"triage knows no {', '.join(sorted(late))} yet; read facts, complaint or case"]
    elif not expression.history and "event" in roots:
        wrong = [*wrong, "no event is at hand in a clock's guard; put the condition into the selector, or read last.<event>"]
    return [f"«{expression.source}»: {message}" for message in wrong]


def _values(procedure: Procedure, expression: Expression) -> Iterator[str]:
    for path, text in _literals(expression.source):
        known = _known(procedure, path)
        if known and text not in known:
            yield f"«{expression.source}»: {path} is never '{text}'; it is one of {', '.join(sorted(known))}"


def _literals(source: str) -> Iterator[tuple[str, str]]:
    for path, single, double in _EQUALS.findall(source):
        if single or double:
            yield path, single or double
    for path, inside in _AMONG.findall(source):
        yield from ((path, single or double) for single, double in _QUOTED.findall(inside))


def _known(procedure: Procedure, path: str) -> Iterable[str]:
    """The texts that a name can have; empty if any."""
    root, _, last = path.rpartition(".")
    if path == "complaint.complainant.kind":
        return get_args(ComplainantKind)
    if path == "complaint.channel_family":
        return set(FAMILIES.values())
    if path == "complaint.channel":
        return get_args(Channel)
    if path == "case.status":
        return ("open", "closed", "refused", "withdrawn")
    if path in ("case.kind", "complaint.kind", "event.kind"):
        return get_args(Kind)
    if last == "class" and root.startswith(("case", "event", "last.classified", "last.reclassified")):
        return {rule.id for rule in procedure.classes}
    if last == "outcome" and root.startswith(("event", "last")):
        return get_args(Outcome)
    return known_roles(procedure) if last == "role" and root.startswith(("event", "last")) else ()


def _tried(procedure: Procedure, expression: Expression) -> Iterator[str]:
    """The expression on both samples: types that do not go together, a value that is no truth."""
    event = expression.events[0] if expression.events else None
    for filled in (False, True):
        try:
            value = compiled(expression.source).value(reader(procedure, event=event, filled=filled))
        except ValueError as error:
            yield str(error)
            return
        except KeyError:
            return  # a name of another of the events; that it exists has been checked
        wanted = str if expression.gives_text else bool
        if not isinstance(value, wanted):
            yield f"«{expression.source}» gives {value!r}; it has to give {'a text' if expression.gives_text else 'true or false'}"
            return
