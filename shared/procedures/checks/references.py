"""What entries refer to: events, actions, clocks, ladders, classes, facts, parameters, fields."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from shared.contracts.actions import ACTIONS
from shared.contracts.complaint import Complainant
from shared.contracts.events import EVENTS
from shared.procedures.checks.expressions import SELECTORS, expressions
from shared.procedures.expressions.conditions import COMPLAINT_FIELDS, compiled
from shared.procedures.model.bound_procedure import mistyped
from shared.procedures.model.effects import Cancel, Deem, RaiseLevel, Reclassify, RefuseFurther, SetFacts, Start, names
from shared.procedures.model.entry_list import Item, Way, inventory
from shared.procedures.model.facts import typed
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Confidentiality, Count, CountDoes, Derived, Fact, Form, Parameter, Procedure, Register
from shared.procedures.model.selectors import picks
from shared.procedures.model.timed_entries import Clock, Due, FromDate, FromParameter, Reaction, Reminder, WhoOf, Within

_FIELDS = COMPLAINT_FIELDS | {f"complainant.{name}" for name in Complainant.model_fields} | {"complainant"}


def check(procedure: Procedure) -> Iterator[Finding]:
    """Every reference to something that does not exist or is of another type."""
    for name in procedure.actions:
        yield from _exists(("actions", name), "action", name, ACTIONS)
    for item in inventory(procedure):
        yield from _events(item)
        yield from _targets(procedure, item)
        yield from _values(procedure, item)
        yield from _times(procedure, item)
    yield from _unread(procedure)


def _events(item: Item) -> Iterator[Finding]:
    entry = item.entry
    selectors = SELECTORS if isinstance(entry, Clock) else ("on",) if isinstance(entry, Reaction) else ()
    for name in selectors:
        for pick in picks(getattr(entry, name)):
            yield from _exists((*item.way, name), "event", pick.event, EVENTS)
    match entry:
        case Deem(deem=event):
            yield from _exists((*item.way, "deem"), "event", event, EVENTS)
        case Form(opens=event):
            yield from _exists((*item.way, "opens"), "event", event, EVENTS)
        case Clock(owner=WhoOf(who=event)):
            yield from _exists((*item.way, "owner"), "event", event, EVENTS)


def _targets(procedure: Procedure, item: Item) -> Iterator[Finding]:
    clocks = [clock.id for clock in procedure.clocks]
    classes = [rule.id for rule in procedure.classes]
    match item.entry:
        case Start(start=clock) | Cancel(cancel=clock):
            yield from _exists(item.way, "clock", clock, clocks)
        case Reclassify(reclassify=None, kind=None):
            yield Finding(item.way, "reclassify names neither a class nor a kind; give one")
        case Reclassify(reclassify=str(wanted)) | Count(does=CountDoes(reclassify=str(wanted))):
            yield from _exists(item.way, "class", wanted, classes)
        case RefuseFurther(refuse_further=actions):
            for action in names(actions):
                yield from _exists(item.way, "action", action, ACTIONS)
        case RaiseLevel() if not procedure.levels:
            yield Finding(item.way, "raise_level needs levels; list the roles of the management levels, lowest first, under levels")
        case Register(required=fields):
            for field in fields:
                yield from _exists((*item.way, "required"), "field of a complaint", field, _FIELDS)
        case Confidentiality(hidden=fields):
            for field in fields:
                yield from _exists((*item.way, "hidden"), "field of a complaint", field, _FIELDS)


def _values(procedure: Procedure, item: Item) -> Iterator[Finding]:
    match item.entry:
        case SetFacts(set=facts) | Derived(set=facts):
            yield from _facts(procedure, (*item.way, "set"), facts)
        case Count(does=does):
            yield from _facts(procedure, (*item.way, "does", "set"), does.set)
        case Fact(default=value) as fact if value is not None and typed(fact, value) is None:
            yield Finding(item.way, f"the default {value!r} is not of the type {fact.type}; correct one of them")
        case Parameter(type=kind, default=value) if value is not None and (wrong := mistyped(kind, value)):
            yield Finding(item.way, f"the default {wrong}")


def _facts(procedure: Procedure, way: Way, values: dict[str, Any]) -> Iterator[Finding]:
    for name, value in values.items():
        fact = procedure.facts.get(name)
        if fact is None:
            yield from _exists((*way, name), "fact", name, procedure.facts)
        elif typed(fact, value) is None:
            yield Finding((*way, name), f"{value!r} is not of the type {fact.type} that the fact {name} has")


def _times(procedure: Procedure, item: Item) -> Iterator[Finding]:
    match item.entry:
        case Clock(due=[], every=None):
            yield Finding(item.way, "the clock has neither due nor every; say when something is to happen")
        case Clock(every=within, do=do) if within is not None:
            yield from _limit(procedure, (*item.way, "every"), within)
            if not do:
                yield Finding(item.way, "every without do: say under do what each occurrence does")
        case Clock(do=do) if do:
            yield Finding((*item.way, "do"), "do without every never happens; put it under a due entry, or give every")
        case Due(within=within):
            yield from _limit(procedure, (*item.way, "within"), within)
        case Reminder(before=before, share=share) if (before is None) == (share is None):
            yield Finding(item.way, "a reminder takes either before or share; give one of them")
    if isinstance(item.entry, Clock):
        for place, reminder in enumerate(item.entry.reminders):
            if reminder.of >= len(item.entry.due):
                yield Finding((*item.way, "reminders", place), f"of: there is no due entry {reminder.of}; they count from 0")


def _limit(procedure: Procedure, way: Way, within: Within) -> Iterator[Finding]:
    match within:
        case FromParameter(parameter=name) if name in procedure.parameters and procedure.parameters[name].type != "duration":
            yield Finding(way, f"the parameter {name} is of the type {procedure.parameters[name].type}; a limit needs type: duration")
        case FromParameter(parameter=name):
            yield from _exists(way, "parameter", name, procedure.parameters)
        case FromDate(date=name) if name in procedure.facts and procedure.facts[name].type != "instant":
            yield Finding(way, f"the fact {name} is of the type {procedure.facts[name].type}; a date needs type: instant")
        case FromDate(date=name):
            yield from _exists(way, "fact", name, procedure.facts)
        case str() if within.startswith("date:"):
            yield from _limit(procedure, way, FromDate(date=within.removeprefix("date:").strip()))


def _unread(procedure: Procedure) -> Iterator[Finding]:
    read = {path[1] for expression in expressions(procedure) for path in _paths(expression.source) if path[0] == "parameters"}
    for item in inventory(procedure):
        within = getattr(item.entry, "within", None) or getattr(item.entry, "every", None)
        if isinstance(within, FromParameter):
            read.add(within.parameter)
    for name in procedure.parameters:
        if name not in read:
            yield Finding(("parameters", name), f"no entry uses the parameter {name}; use it or leave it out", "warning")


def _paths(source: str) -> tuple[tuple[str, ...], ...]:
    try:
        return compiled(source).paths
    except ValueError:
        return ()


def _exists(way: Way, what: str, name: str, known: Any) -> Iterator[Finding]:
    if name in known:
        return
    close = get_close_matches(name, list(known), 1)
    remedy = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known)) or 'none'}"
    yield Finding(way, f"there is no {what} {name}; {remedy}")
