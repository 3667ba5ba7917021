"""Finds limits that reach no one, reactions that forget the unit that takes over, and guards that nothing reads again."""

from collections.abc import Iterator, Mapping

from shared.contracts.events import EVENT_CLASSES
from shared.procedures.expressions.conditions import NamePath, compile_condition
from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.effects import Breach, Escalate, Notify, RaiseLevel, Remind, expand_effect
from shared.procedures.model.entry_list import YamlPath
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure, Title
from shared.procedures.model.selectors import selected_events
from shared.procedures.model.timed_entries import ClockEntry, DueEntry, LimitDefaults, ReactionEntry

_TELLING = (Remind, Notify, Escalate, RaiseLevel)
_REGISTRATION_FIELDS = frozenset({"received_at", "registered_at", "received_day", "number", "id"})
"""Fields of a case that never change after its registration."""


def check_limits(procedure: Procedure, clauses: Mapping[str, Title]) -> Iterator[Finding]:
    """Findings on limits, on reactions to a change of unit and on guards of reminders."""
    yield from _check_override(("limits",), procedure.limits, clauses)
    for index, clock in enumerate(procedure.clocks):
        place: YamlPath = ("clocks", index)
        if clock.limits is not None:
            yield from _check_override((*place, "limits"), clock.limits, clauses)
        yield from _check_recipients(place, clock, clock.effective_limits(procedure.limits))
        yield from _check_reminder_guards(place, clock)
    for index, reaction in enumerate(procedure.reactions):
        yield from _check_change_of_unit(("reactions", index), reaction)


def _check_override(place: YamlPath, limits: LimitDefaults, clauses: Mapping[str, Title]) -> Iterator[Finding]:
    """A default that holds in every procedure is only changed where the regulation states it."""
    changed = [name for name, value in limits.model_dump(exclude={"clause"}).items() if value != getattr(LimitDefaults(), name)]
    named = clause_ids(limits.clause)
    if changed and not named:
        yield Finding(place, f"{changed[0]} changes what holds for every limit; name the clause that says so under clause")
    for clause in named:
        if clause not in clauses:
            yield Finding((*place, "clause"), f"clauses.yaml has no clause {clause}; add it or correct the id")


def _check_recipients(place: YamlPath, clock: ClockEntry, limits: LimitDefaults) -> Iterator[Finding]:
    for index, due in enumerate(clock.due):
        if not limits.tell_owner and limits.escalate_after is None and _is_silent_limit(due):
            message = f"the limit of {clock.id} reaches nobody when it is missed; add remind, notify or escalate, or remove limits"
            yield Finding((*place, "due", index), message)
    if clock.every is not None and not limits.missed_period and limits.remind_at is None and not clock.do:
        yield Finding(place, f"the periods of {clock.id} reach nobody; add remind or notify under do, or remove limits")


def _is_silent_limit(due: DueEntry) -> bool:
    effects = [expand_effect(effect) for effect in due.do]
    return any(isinstance(effect, Breach) for effect in effects) and not any(isinstance(effect, _TELLING) for effect in effects)


def _check_change_of_unit(place: YamlPath, reaction: ReactionEntry) -> Iterator[Finding]:
    events = {selected.event for selected in selected_events(reaction.on)}
    if "routed" not in events or "reassigned" in events:
        return
    if reaction.reassigned:
        message = "works on routed and forgets the unit that takes over; add reassigned under on, or reassigned: false with a clause"
        yield Finding((*place, "on"), message)
    elif not clause_ids(reaction.clause):
        yield Finding((*place, "reassigned"), "leaves the unit that takes over without a message; name the clause that says so")


def _check_reminder_guards(place: YamlPath, clock: ClockEntry) -> Iterator[Finding]:
    for index, reminder in enumerate(clock.reminders):
        paths = _paths(reminder.when)
        if paths and all(_is_settled(path, clock) for path in paths):
            names = ", ".join(sorted(".".join(path) for path in paths))
            message = (
                f"reads only {names}, which nothing changes once the clock runs, so it is never read again; put it on the clock's when"
            )
            yield Finding((*place, "reminders", index, "when"), message)


def _paths(condition: str | None) -> tuple[NamePath, ...]:
    try:
        return () if condition is None else tuple(compile_condition(condition).paths)
    except ValueError:
        return ()  # check_expressions reports it


def _is_settled(path: NamePath, clock: ClockEntry) -> bool:
    """Whether no event can change what a name gives while the clock runs; parameters belong to the organisation, not to the case."""
    match path[0]:
        case "case":
            return path[1] in _REGISTRATION_FIELDS
        case "last" | "count":
            ending = {selected.event for selected in selected_events(clock.stops) if selected.when is None}
            return path[1] in EVENT_CLASSES and path[1] in ending
    return False
