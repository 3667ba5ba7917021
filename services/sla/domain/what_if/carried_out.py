"""Carries out the recorded inputs of a case once more, with each timer on time, by the numbers of a rulebook."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from services.sla.domain.evidence.recorded_events import RecordedEvent, group_by_decision, parse_micros, reconstruct_input
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.decide import decide
from services.sla.domain.lifecycle.due_items import next_due
from services.sla.domain.lifecycle.inputs import AdvanceTime, CaseInput, OpenCase, Recalculate
from services.sla.domain.rules.rulebook import Rulebook

FindRulebook = Callable[[RecordedEvent], Rulebook]
"""Returns the rulebook for the first event of a decision."""


@dataclass(slots=True)
class _Carried:
    case: Case | None = None
    rulebook: Rulebook | None = None
    basis: str = ""


def carry_out(recorded: Iterable[RecordedEvent], find: FindRulebook, until: int) -> Iterator[Event]:
    """The events that follow from a case's recorded inputs, and from time alone up to an instant (microseconds).

    Raises `ValueError`, `KeyError` or `TypeError` for a ledger that cannot be read, such as one whose words were erased.
    """
    carried = _Carried()
    for group in group_by_decision(recorded):
        first = group[0]
        # A ledger names the procedure in each event, but a case keeps the parameters with which it was opened.
        rulebook = find(first)
        given = reconstruct_input(group, rulebook.procedure)
        now = max(parse_micros(first.body["recorded_at"]), getattr(given, "at", 0), getattr(given, "registered_at", 0))
        if now > until:
            break
        yield from _on_time(carried, _instant_before(given, now))
        if carried.case is not None and carried.case.open and carried.basis != first.basis and not isinstance(given, Recalculate):
            # Live cases are counted again by newer calendars: what did not move there may move by other numbers.
            yield from _decided(carried, Recalculate(now), rulebook, now)
        carried.rulebook, carried.basis = rulebook, first.basis
        if not isinstance(given, AdvanceTime):
            yield from _decided(carried, given, rulebook, now)
    yield from _on_time(carried, until)


def _decided(carried: _Carried, given: CaseInput, rulebook: Rulebook, now: int) -> list[Event]:
    decision = decide(carried.case, given, rulebook, now)
    carried.case = decision.case
    return decision.events


def _on_time(carried: _Carried, upto: int) -> Iterator[Event]:
    """Execute what is due by an instant, each item at its own.

    The recorded timers stood where the old numbers had put them; occurrences between two of them would be executed as one.
    """
    while carried.case is not None and carried.rulebook is not None and (due := next_due(carried.case)) is not None and due <= upto:
        yield from _decided(carried, AdvanceTime(due), carried.rulebook, due)


def _instant_before(given: CaseInput, now: int) -> int:
    match given:
        case AdvanceTime(upto=upto):
            return min(upto, now)
        case OpenCase(registered_at=at):
            return at - 1
    # An action at the very due instant is in time (time.md).
    return given.at - 1
