"""Checks references: events, actions, clocks, classes, facts, parameters and fields that entries name exist and have the right type."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from shared.contracts.actions import ACTION_DATA_FIELDS, ACTION_DEFINITIONS
from shared.contracts.complaint import Complainant
from shared.contracts.events import EVENT_CLASSES
from shared.contracts.events.empty_fields import EMPTY_EVENT_FIELDS
from shared.procedures.checks.expressions import CLOCK_SELECTORS, all_expressions
from shared.procedures.expressions.conditions import COMPLAINT_FIELDS, compile_condition
from shared.procedures.model.actions.action_rules import ActionRule
from shared.procedures.model.bound_procedure import entry_parameters, parameter_type_error, value_fault
from shared.procedures.model.duration import Duration
from shared.procedures.model.effects import CancelClock, DeemEvent, RaiseLevel, Reclassify, RefuseActions, SetFacts, StartClock, role_tuple
from shared.procedures.model.entry_list import LocatedEntry, YamlPath, all_entries
from shared.procedures.model.facts import coerce_fact
from shared.procedures.model.finding import Finding
from shared.procedures.model.form_layout.layout import FormEntry
from shared.procedures.model.procedure import ConfidentialityRule, FactDeclaration, ParameterDeclaration, Procedure, RegisterEntry
from shared.procedures.model.selectors import selected_events
from shared.procedures.model.timed_entries import (
    ActorOfEvent,
    ClockEntry,
    DueEntry,
    LimitFromFact,
    LimitFromParameter,
    LimitSource,
    ReactionEntry,
)
from shared.procedures.model.triage.entries import CountEffect, CountEntry, DerivationEntry, DuplicateRule

_FIELDS = COMPLAINT_FIELDS | {f"complainant.{name}" for name in Complainant.model_fields} | {"complainant"}

_SUBMISSION_FIELDS = {
    "case",
    "number",
    "external_id",
    "received_at",
    "registered_at",
    "contact",
    "missing",
    "channel_family",
    "attachments",
}
"""Fields that no two submissions have in common, or that say nothing of the matter."""


def check_references(procedure: Procedure) -> Iterator[Finding]:
    """Findings for references that do not exist or are of another type, impossible time limits, and unused parameters."""
    for name in procedure.actions:
        yield from _check_exists(("actions", name), "action", name, ACTION_DEFINITIONS)
    for located in all_entries(procedure):
        yield from _check_events(located)
        yield from _check_targets(procedure, located)
        yield from _check_values(procedure, located)
        yield from _check_times(procedure, located)
    yield from _check_entry_parameters(procedure)
    yield from _check_unused_parameters(procedure)


def check_count(procedure: Procedure, located: LocatedEntry) -> Iterator[Finding]:
    """Findings for the class and the facts that a count entry gives to the cases of a procedure."""
    yield from _check_targets(procedure, located)
    yield from _check_values(procedure, located)


def _check_events(located: LocatedEntry) -> Iterator[Finding]:
    entry = located.entry
    selectors = CLOCK_SELECTORS if isinstance(entry, ClockEntry) else ("on",) if isinstance(entry, ReactionEntry) else ()
    for name in selectors:
        for selected in selected_events(getattr(entry, name)):
            yield from _check_exists((*located.yaml_path, name), "event", selected.event, EVENT_CLASSES)
    match entry:
        case DeemEvent(deem=event):
            yield from _check_exists((*located.yaml_path, "deem"), "event", event, EVENT_CLASSES)
        case FormEntry(opens=event):
            yield from _check_exists((*located.yaml_path, "opens"), "event", event, EVENT_CLASSES)
        case ClockEntry(owner=ActorOfEvent(who=event)):
            yield from _check_exists((*located.yaml_path, "owner"), "event", event, EVENT_CLASSES)


def _check_targets(procedure: Procedure, located: LocatedEntry) -> Iterator[Finding]:
    clocks = [clock.id for clock in procedure.clocks]
    classes = [rule.id for rule in procedure.classes]
    match located.entry:
        case StartClock(start=clock) | CancelClock(cancel=clock):
            yield from _check_exists(located.yaml_path, "clock", clock, clocks)
        case Reclassify(reclassify=None, kind=None):
            yield Finding(located.yaml_path, "reclassify names neither a class nor a kind; give one")
        case Reclassify(reclassify=str(class_id)) | CountEntry(does=CountEffect(reclassify=str(class_id))):
            yield from _check_exists(located.yaml_path, "class", class_id, classes)
        case ActionRule() as rule if rule.report_needs:
            yield from _check_report_needs(located, rule)
        case RefuseActions(refuse_further=actions):
            for action in role_tuple(actions):
                yield from _check_exists(located.yaml_path, "action", action, ACTION_DEFINITIONS)
        case RaiseLevel() if not procedure.levels:
            yield Finding(located.yaml_path, "raise_level needs levels; list the roles of the management levels under levels, lowest first")
        case RegisterEntry(required=fields):
            known = _FIELDS | {f"facts.{name}" for name in procedure.facts}
            for field in fields:
                yield from _check_exists((*located.yaml_path, "required"), "field of a complaint", field, known)
        case DuplicateRule(same=fields):
            known = COMPLAINT_FIELDS - _SUBMISSION_FIELDS | {f"facts.{name}" for name in procedure.facts}
            for field in fields:
                yield from _check_exists((*located.yaml_path, "same"), "field that two submissions can have in common", field, known)
        case ConfidentialityRule(hidden=fields):
            for field in fields:
                yield from _check_exists((*located.yaml_path, "hidden"), "field of a complaint", field, _FIELDS)


def _check_report_needs(located: LocatedEntry, rule: ActionRule) -> Iterator[Finding]:
    """Findings for required contents that the action's data cannot give or its event has no field for."""
    action = "close" if located.section == "closing" else located.name.partition(".")[0]
    if action not in ACTION_DEFINITIONS:
        return
    fields = EMPTY_EVENT_FIELDS[ACTION_DEFINITIONS[action].event_id]
    known = ACTION_DATA_FIELDS.intersection(fields)
    for name in rule.report_needs:
        yield from _check_exists((*located.yaml_path, "report_needs"), f"field of {action}'s event", name, known)
    if rule.incomplete == "missing" and "missing" not in fields:
        reporting = sorted(name for name, each in ACTION_DEFINITIONS.items() if "missing" in EMPTY_EVENT_FIELDS[each.event_id])
        message = f"the event of {action} has no field missing; write incomplete: refuse, or use one of {', '.join(reporting)}"
        yield Finding((*located.yaml_path, "incomplete"), message)


def _check_values(procedure: Procedure, located: LocatedEntry) -> Iterator[Finding]:
    match located.entry:
        case SetFacts(set=facts) | DerivationEntry(set=facts):
            yield from _check_facts(procedure, (*located.yaml_path, "set"), facts)
        case CountEntry(does=does):
            yield from _check_facts(procedure, (*located.yaml_path, "does", "set"), does.set)
        case FactDeclaration(default=value) as fact if value is not None and coerce_fact(fact, value) is None:
            yield Finding(located.yaml_path, f"the default {value!r} is not of the type {fact.type}; correct one of them")
        case ParameterDeclaration(type=type_, default=value) if value is not None and (error := parameter_type_error(type_, value)):
            yield Finding(located.yaml_path, f"the default {error}")


def _check_facts(procedure: Procedure, yaml_path: YamlPath, values: dict[str, Any]) -> Iterator[Finding]:
    for name, value in values.items():
        fact = procedure.facts.get(name)
        if fact is None:
            yield from _check_exists((*yaml_path, name), "fact", name, procedure.facts)
        elif coerce_fact(fact, value) is None:
            yield Finding((*yaml_path, name), f"{value!r} is not of the type {fact.type}, which the fact {name} has; correct one of them")


def _check_times(procedure: Procedure, located: LocatedEntry) -> Iterator[Finding]:
    match located.entry:
        case ClockEntry(due=[], every=None):
            yield Finding(located.yaml_path, "the clock has neither due nor every; add one of them")
        case ClockEntry(every=within, do=do) if within is not None:
            yield from _check_limit(procedure, (*located.yaml_path, "every"), within)
            if not do:
                yield Finding(located.yaml_path, "every without do has no effect; add the effects of each occurrence under do")
        case ClockEntry(do=do) if do:
            yield Finding((*located.yaml_path, "do"), "do without every is never run; move it to a due entry, or add every")
        case DueEntry(within=within):
            yield from _check_limit(procedure, (*located.yaml_path, "within"), within)
        # Triage knows no calendar: it compares instants.
        case CountEntry(window_=str(window)) if Duration.parse(window).kind not in ("clock", "days"):
            yield Finding((*located.yaml_path, "window"), f"{window} is no window; write clock time or days, such as 30m, 2h or 7d")
        case DuplicateRule(within_=str(window)) if Duration.parse(window).kind not in ("clock", "days"):
            yield Finding((*located.yaml_path, "within"), f"{window} is no window; write clock time or days, such as 30m, 2h or 7d")
    if isinstance(located.entry, ClockEntry):
        for index, reminder in enumerate(located.entry.reminders):
            if reminder.of >= len(located.entry.due):
                yield Finding((*located.yaml_path, "reminders", index), f"of: there is no due entry {reminder.of}; the first one is 0")


def _check_limit(procedure: Procedure, yaml_path: YamlPath, within: LimitSource) -> Iterator[Finding]:
    match within:
        case LimitFromParameter(parameter=name) if name in procedure.parameters and procedure.parameters[name].type != "duration":
            yield Finding(yaml_path, f"the parameter {name} is of the type {procedure.parameters[name].type}; a limit needs type: duration")
        case LimitFromParameter(parameter=name):
            yield from _check_exists(yaml_path, "parameter", name, procedure.parameters)
        case LimitFromFact(date=name) if name in procedure.facts and procedure.facts[name].type != "instant":
            yield Finding(yaml_path, f"the fact {name} is of the type {procedure.facts[name].type}; a date needs type: instant")
        case LimitFromFact(date=name):
            yield from _check_exists(yaml_path, "fact", name, procedure.facts)
        case str() if within.startswith("date:"):  # the short form of {date: fact}
            yield from _check_limit(procedure, yaml_path, LimitFromFact(date=within.removeprefix("date:").strip()))


def _check_entry_parameters(procedure: Procedure) -> Iterator[Finding]:
    """Parameters that stand for a threshold, a window, an interval or a period: that they exist, their type, and that the default fits."""
    for section, field, source in entry_parameters(procedure):
        parameter, needed = procedure.parameters.get(source.parameter), "int" if field == "threshold" else "duration"
        if parameter is None:
            yield from _check_exists((section,), "parameter", source.parameter, procedure.parameters)
        elif parameter.type != needed:
            yield Finding((section,), f"the parameter {source.parameter} is of the type {parameter.type}; {field} needs type: {needed}")
        elif parameter.default is not None and (error := value_fault(section, field, parameter.default)):
            yield Finding(("parameters", source.parameter), f"the default {error}")


def _check_unused_parameters(procedure: Procedure) -> Iterator[Finding]:
    read = {source.parameter for _, _, source in entry_parameters(procedure)}
    read |= {path[1] for expression in all_expressions(procedure) for path in _name_paths(expression.source) if path[0] == "parameters"}
    for located in all_entries(procedure):
        match located.entry:
            case DueEntry(within=LimitFromParameter(parameter=name)) | ClockEntry(every=LimitFromParameter(parameter=name)):
                read.add(name)
        if isinstance(located.entry, ActionRule) and located.entry.call_back is not None:
            days = located.entry.call_back.unreached_days
            read |= {days.parameter} if isinstance(days, LimitFromParameter) else set()
    for name in procedure.parameters:
        if name not in read:
            yield Finding(("parameters", name), f"no entry uses the parameter {name}; use it or remove it", "warning")


def _name_paths(source: str) -> tuple[tuple[str, ...], ...]:
    try:
        return compile_condition(source).paths
    except ValueError:
        # check_expressions reports it.
        return ()


def _check_exists(yaml_path: YamlPath, kind: str, name: str, known: Any) -> Iterator[Finding]:
    if name in known:
        return
    close = get_close_matches(name, list(known), 1)
    remedy = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known)) or 'none'}"
    yield Finding(yaml_path, f"there is no {kind} {name}; {remedy}")
