"""Finds decisions without their object, closings without a condition, and call-backs that are asked for only once."""

from collections.abc import Iterator

from shared.contracts.events import EVENT_CLASSES
from shared.procedures.checks.sample_case import sample_reader
from shared.procedures.expressions.conditions import NamePath, compile_condition
from shared.procedures.model.actions.action_rules import ActionRule
from shared.procedures.model.entry_list import LocatedEntry, YamlPath, all_entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.selectors import SelectedEvent, selected_events
from shared.procedures.model.timed_entries import ClockEntry, LimitFromParameter, ReactionEntry

OBJECTS = {
    "measures_approved": ("measures_submitted",),
    "review_passed": ("measures_submitted", "review_requested"),
    "verified": ("handled",),
}
"""Event of a decision → the events of which one is what it decides on."""
ACTIONS_OF_DEFAULTS = {
    "close_needs_handling": ("close",),
    "dissatisfied_goes_on": ("close",),
    "refuse_decides_acceptance": ("refuse",),
    "verify_needs_its_object": ("verify",),
    "carried_out_as_approved": ("start_work", "handle"),
}
_ONLY_FIRST_CALL_BACK = ("count", "called_back")


def check_decided_objects(procedure: Procedure) -> Iterator[Finding]:
    """Findings for points 1 and 2 of what holds in every procedure, where they can be seen without a case."""
    verified_objects = [event for rule in procedure.action_rules("verify") for event in rule.decides_on]
    for located in all_entries(procedure):
        match located.entry:
            case ActionRule() as rule:
                action = "close" if located.section == "closing" else located.name.partition(".")[0]
                yield from _check_keys(procedure, located.yaml_path, action, rule)
                yield from _check_requirement(located.yaml_path, rule, verified_objects)
            case ReactionEntry() as entry:
                yield from _check_call_back_guard(located, "on", selected_events(entry.on))
            case ClockEntry() as entry:
                yield from _check_call_back_guard(located, "starts", selected_events(entry.starts))
    yield from _check_call_back_before_closing(procedure)


def _check_keys(procedure: Procedure, yaml_path: YamlPath, action: str, rule: ActionRule) -> Iterator[Finding]:
    """Keys that have no effect on this action, and events and parameters that do not exist."""
    if rule.decides_on and action != "verify":
        yield Finding((*yaml_path, "decides_on"), f"decides_on has no effect on {action}; only verify has it")
    for event in rule.decides_on:
        if event not in EVENT_CLASSES:
            yield Finding((*yaml_path, "decides_on"), f"there is no event {event}; name one of the reference page on events")
    if rule.call_back is not None and action != "close":
        yield Finding((*yaml_path, "call_back"), f"call_back has no effect on {action}; write it under closing")
    if rule.call_back is not None and isinstance(rule.call_back.unreached_days, LimitFromParameter):
        name = rule.call_back.unreached_days.parameter
        if name not in procedure.parameters or procedure.parameters[name].type != "int":
            yield Finding(
                (*yaml_path, "call_back"), f"unreached_days needs a parameter of the type int; declare {name} so under parameters"
            )
    for default in rule.waives:
        if action not in ACTIONS_OF_DEFAULTS[default]:
            actions = " and ".join(ACTIONS_OF_DEFAULTS[default])
            yield Finding((*yaml_path, "waives"), f"{default} is a rule for {actions}, not for {action}; move it there")


def _check_requirement(yaml_path: YamlPath, rule: ActionRule, verified_objects: list[str]) -> Iterator[Finding]:
    """Requirements that a decision was taken, whatever it was taken on: a new plan after it would count as decided."""
    paths = _paths(rule.requires)
    for decision, objects in OBJECTS.items():
        reads_decision = any(path[0] in ("count", "last") and path[1] == decision for path in paths)
        allowed = [*objects, *(verified_objects if decision == "verified" else [])]
        if reads_decision and not any(("last", event, "at") in paths for event in allowed):
            message = (
                f"«{rule.requires}» takes {decision} for a decision on whatever came after it too; "
                f"compare last.{decision}.at with last.{objects[0]}.at"
            )
            yield Finding((*yaml_path, "requires"), message)


def _check_call_back_guard(located: LocatedEntry, field: str, selected: tuple[SelectedEvent, ...]) -> Iterator[Finding]:
    """A call-back after a handling that is guarded by there being none yet: a second handling would not be called back."""
    guard = getattr(located.entry, "when", None)
    for event in selected:
        if event.event != "handled":
            continue
        for yaml_path, source in (((*located.yaml_path, "when"), guard), ((*located.yaml_path, field), event.when)):
            if _ONLY_FIRST_CALL_BACK in _paths(source):
                message = f"«{source}» asks for the first call-back only: what is handled again has to be called back again; leave it out"
                yield Finding(yaml_path, message)


def _check_call_back_before_closing(procedure: Procedure) -> Iterator[Finding]:
    """A procedure that asks for a call-back, and closes without one."""
    asking = _call_back_asked_at(procedure)
    if asking is None or any(_needs_call_back(procedure, rule) for rule in procedure.action_rules("close")):
        return
    yield Finding(asking, "the procedure asks for a call-back, and closing does not need it; add {call_back: {}, clause: …} under closing")


def _call_back_asked_at(procedure: Procedure) -> YamlPath | None:
    """The first place where the procedure asks for a call-back: its own word for it, a rule for it, its rate, a condition about it."""
    for name in ("called_back", "call_back"):
        if name in procedure.terms:
            return ("terms", name)
    if "call_back" in procedure.actions:
        return ("actions", "call_back")
    for index, figure in enumerate(procedure.figures):
        if figure.id == "call_back_rate":
            return ("figures", index)
    for index, reaction in enumerate(procedure.reactions):
        on_handled = any(event.event == "handled" for event in selected_events(reaction.on))
        if on_handled and any(path[1] == "called_back" for path in _paths(reaction.when) if path[0] in ("count", "last")):
            return ("reactions", index)
    return None


def _needs_call_back(procedure: Procedure, rule: ActionRule) -> bool:
    """Whether a rule for `close` refuses a case that was handled and not called back."""
    if rule.call_back is not None:
        return True
    paths = _paths(rule.requires)
    if rule.requires is None or not any(path[1] == "called_back" for path in paths if path[0] in ("count", "last")):
        return False
    read = sample_reader(procedure, event_id="closed", overrides={("count", "handled"): 1})
    try:
        return compile_condition(rule.requires).evaluate(read) is not True
    except (ValueError, KeyError):
        return True  # check_expressions reports it


def _paths(source: str | None) -> tuple[NamePath, ...]:
    if source is None:
        return ()
    try:
        return compile_condition(source).paths
    except ValueError:
        return ()  # check_expressions reports it
