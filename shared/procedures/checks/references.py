"""What entries refer to: events, actions, clocks, ladders, classes, facts, parameters, fields."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from shared.contracts.actions import ACTION_DEFINITIONS
from shared.contracts.complaint import Complainant
from shared.contracts.events import EVENT_CLASSES
from shared.procedures.checks.expressions import CLOCK_SELECTORS, all_expressions
from shared.procedures.expressions.conditions import COMPLAINT_FIELDS, compile_condition
from shared.procedures.model.bound_procedure import parameter_type_error
from shared.procedures.model.effects import CancelClock, DeemEvent, RaiseLevel, Reclassify, RefuseActions, SetFacts, StartClock, role_tuple
from shared.procedures.model.entry_list import LocatedEntry, YamlPath, all_entries
from shared.procedures.model.facts import coerce_fact
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import (
    ConfidentialityRule,
    CountEffect,
    CountEntry,
    DerivationEntry,
    FactDeclaration,
    FormEntry,
    ParameterDeclaration,
    Procedure,
    RegisterEntry,
)
from shared.procedures.model.selectors import selected_events
from shared.procedures.model.timed_entries import (
    ActorOfEvent,
    ClockEntry,
    DueEntry,
    LimitFromFact,
    LimitFromParameter,
    LimitSource,
    ReactionEntry,
    ReminderEntry,
)

_FIELDS = COMPLAINT_FIELDS | {f"complainant.{name}" for name in Complainant.model_fields} | {"complainant"}


def check_references(procedure: Procedure) -> Iterator[Finding]:
    """Every reference to something that does not exist or is of another type."""
    for name in procedure.actions:
        yield from _check_exists(("actions", name), "action", name, ACTION_DEFINITIONS)
    for item in all_entries(procedure):
        yield from _check_events(item)
        yield from _check_targets(procedure, item)
        yield from _check_values(procedure, item)
        yield from _check_times(procedure, item)
    yield from _check_unused_parameters(procedure)


def _check_events(item: LocatedEntry) -> Iterator[Finding]:
    entry = item.entry
    selectors = CLOCK_SELECTORS if isinstance(entry, ClockEntry) else ("on",) if isinstance(entry, ReactionEntry) else ()
    for name in selectors:
        for pick in selected_events(getattr(entry, name)):
            yield from _check_exists((*item.yaml_path, name), "event", pick.event, EVENT_CLASSES)
    match entry:
        case DeemEvent(deem=event):
            yield from _check_exists((*item.yaml_path, "deem"), "event", event, EVENT_CLASSES)
        case FormEntry(opens=event):
            yield from _check_exists((*item.yaml_path, "opens"), "event", event, EVENT_CLASSES)
        case ClockEntry(owner=ActorOfEvent(who=event)):
            yield from _check_exists((*item.yaml_path, "owner"), "event", event, EVENT_CLASSES)


def _check_targets(procedure: Procedure, item: LocatedEntry) -> Iterator[Finding]:
    clocks = [clock.id for clock in procedure.clocks]
    classes = [rule.id for rule in procedure.classes]
    match item.entry:
        case StartClock(start=clock) | CancelClock(cancel=clock):
            yield from _check_exists(item.yaml_path, "clock", clock, clocks)
        case Reclassify(reclassify=None, kind=None):
            yield Finding(item.yaml_path, "reclassify names neither a class nor a kind; give one")
        case Reclassify(reclassify=str(wanted)) | CountEntry(does=CountEffect(reclassify=str(wanted))):
            yield from _check_exists(item.yaml_path, "class", wanted, classes)
        case RefuseActions(refuse_further=actions):
            for action in role_tuple(actions):
                yield from _check_exists(item.yaml_path, "action", action, ACTION_DEFINITIONS)
        case RaiseLevel() if not procedure.levels:
            yield Finding(item.yaml_path, "raise_level needs levels; list the roles of the management levels, lowest first, under levels")
        case RegisterEntry(required=fields):
            for field in fields:
                yield from _check_exists((*item.yaml_path, "required"), "field of a complaint", field, _FIELDS)
        case ConfidentialityRule(hidden=fields):
            for field in fields:
                yield from _check_exists((*item.yaml_path, "hidden"), "field of a complaint", field, _FIELDS)


def _check_values(procedure: Procedure, item: LocatedEntry) -> Iterator[Finding]:
    match item.entry:
        case SetFacts(set=facts) | DerivationEntry(set=facts):
            yield from _check_facts(procedure, (*item.yaml_path, "set"), facts)
        case CountEntry(does=does):
            yield from _check_facts(procedure, (*item.yaml_path, "does", "set"), does.set)
        case FactDeclaration(default=value) as fact if value is not None and coerce_fact(fact, value) is None:
            yield Finding(item.yaml_path, f"the default {value!r} is not of the type {fact.type}; correct one of them")
        case ParameterDeclaration(type=kind, default=value) if value is not None and (wrong := parameter_type_error(kind, value)):
            yield Finding(item.yaml_path, f"the default {wrong}")


def _check_facts(procedure: Procedure, way: YamlPath, values: dict[str, Any]) -> Iterator[Finding]:
    for name, value in values.items():
        fact = procedure.facts.get(name)
        if fact is None:
            yield from _check_exists((*way, name), "fact", name, procedure.facts)
        elif coerce_fact(fact, value) is None:
            yield Finding((*way, name), f"{value!r} is not of the type {fact.type} that the fact {name} has")


def _check_times(procedure: Procedure, item: LocatedEntry) -> Iterator[Finding]:
    match item.entry:
        case ClockEntry(due=[], every=None):
            yield Finding(item.yaml_path, "the clock has neither due nor every; say when something is to happen")
        case ClockEntry(every=within, do=do) if within is not None:
            yield from _check_limit(procedure, (*item.yaml_path, "every"), within)
            if not do:
                yield Finding(item.yaml_path, "every without do: say under do what each occurrence does")
        case ClockEntry(do=do) if do:
            yield Finding((*item.yaml_path, "do"), "do without every never happens; put it under a due entry, or give every")
        case DueEntry(within=within):
            yield from _check_limit(procedure, (*item.yaml_path, "within"), within)
        case ReminderEntry(before=before, share=share) if (before is None) == (share is None):
            yield Finding(item.yaml_path, "a reminder takes either before or share; give one of them")
    if isinstance(item.entry, ClockEntry):
        for place, reminder in enumerate(item.entry.reminders):
            if reminder.of >= len(item.entry.due):
                yield Finding((*item.yaml_path, "reminders", place), f"of: there is no due entry {reminder.of}; they count from 0")


def _check_limit(procedure: Procedure, way: YamlPath, within: LimitSource) -> Iterator[Finding]:
    match within:
        case LimitFromParameter(parameter=name) if name in procedure.parameters and procedure.parameters[name].type != "duration":
            yield Finding(way, f"the parameter {name} is of the type {procedure.parameters[name].type}; a limit needs type: duration")
        case LimitFromParameter(parameter=name):
            yield from _check_exists(way, "parameter", name, procedure.parameters)
        case LimitFromFact(date=name) if name in procedure.facts and procedure.facts[name].type != "instant":
            yield Finding(way, f"the fact {name} is of the type {procedure.facts[name].type}; a date needs type: instant")
        case LimitFromFact(date=name):
            yield from _check_exists(way, "fact", name, procedure.facts)
        case str() if within.startswith("date:"):
            yield from _check_limit(procedure, way, LimitFromFact(date=within.removeprefix("date:").strip()))


def _check_unused_parameters(procedure: Procedure) -> Iterator[Finding]:
    read = {path[1] for expression in all_expressions(procedure) for path in _name_paths(expression.source) if path[0] == "parameters"}
    for item in all_entries(procedure):
        within = getattr(item.entry, "within", None) or getattr(item.entry, "every", None)
        if isinstance(within, LimitFromParameter):
            read.add(within.parameter)
    for name in procedure.parameters:
        if name not in read:
            yield Finding(("parameters", name), f"no entry uses the parameter {name}; use it or leave it out", "warning")


def _name_paths(source: str) -> tuple[tuple[str, ...], ...]:
    try:
        return compile_condition(source).paths
    except ValueError:
        return ()


def _check_exists(way: YamlPath, what: str, name: str, known: Any) -> Iterator[Finding]:
    if name in known:
        return
    close = get_close_matches(name, list(known), 1)
    remedy = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known)) or 'none'}"
    yield Finding(way, f"there is no {what} {name}; {remedy}")
