"""Replay: make every decision of a case again from its ledger, and compare the events and the final state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from services.sla.domain.evidence import hash_chain
from services.sla.domain.evidence.recorded_events import (
    RECORDING_FIELDS,
    RecordedEvent,
    group_by_decision,
    parse_micros,
    published_body,
    reconstruct_input,
)
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decide import decide
from services.sla.domain.lifecycle.due_items import next_due
from services.sla.domain.lifecycle.inputs import AdvanceTime, ApplyDecision, CaseInput, OpenCase, Recalculate, TakeAction
from services.sla.domain.rules.rulebook import Rulebook

RulebookLookup = Callable[[str, str, int, Mapping[str, Any]], Rulebook]
"""The rulebook for a context stamp, procedure, version and parameters."""


@dataclass(slots=True)
class ReplayResult:
    """The replayed case (None for an empty ledger), its last rulebook and context stamp, and the differences, one text each."""

    case: Case | None = None
    rulebook: Rulebook | None = None
    basis: str = ""
    differences: list[str] = field(default_factory=list)


def replay_decisions(recorded_events: Iterable[RecordedEvent], find_rulebook: RulebookLookup) -> ReplayResult:
    """Make the decisions again; stops at the first that differs, since the later ones depend on it."""
    result = ReplayResult()
    for group in group_by_decision(recorded_events):
        try:
            _replay_decision(result, group, find_rulebook)
        except (ValueError, KeyError, TypeError) as error:
            result.differences.append(f"event {group[0].body.get('sequence')}: cannot be decided again: {error!r}")
        if result.differences:
            break
    return result


def apply_eventless_steps(result: ReplayResult, upto: int | None, new_rulebook: Rulebook | None = None) -> None:
    """Apply what left no event after the last decision: due items up to an instant (None: all), and a recalculation.

    `new_rulebook` is that of the calendars by which the live case was counted last, where they are not those of its last event.
    """
    if result.case is None or result.rulebook is None:
        return
    if new_rulebook is not None:
        result.rulebook = new_rulebook
        result.case = _recalculate_eventless(result.case, new_rulebook)
    result.case = _execute_eventless(result.case, result.rulebook, upto)


def state_differences(case: Case, stored: Mapping[str, Any]) -> list[str]:
    """The fields in which a replayed case differs from the stored one (read from JSON), one text each."""
    replayed = orjson.loads(orjson.dumps(asdict(case)))
    return [
        f"{name}: stored {_abbreviated(stored.get(name))}, replayed {_abbreviated(value)}"
        for name, value in replayed.items()
        if stored.get(name) != value
    ]


def _replay_decision(result: ReplayResult, group: list[RecordedEvent], find_rulebook: RulebookLookup) -> None:
    first = group[0]
    parameters = result.case.parameters if result.case else first.body.get("parameters", {})
    rulebook = find_rulebook(first.basis, first.body["procedure"], first.body["version"], parameters)
    case_input = reconstruct_input(group, rulebook.procedure)
    if result.case is not None:
        if result.basis != first.basis and not isinstance(case_input, Recalculate):
            result.case = _recalculate_eventless(result.case, rulebook)
        result.case = _execute_eventless(result.case, rulebook, _executed_until(case_input))
    # As the service decides: never before the instant of the input, whose clock may be ahead by some milliseconds.
    now = max(parse_micros(first.body["recorded_at"]), getattr(case_input, "at", 0), getattr(case_input, "registered_at", 0))
    decision = decide(result.case, case_input, rulebook, now)
    result.case, result.rulebook, result.basis = decision.case, rulebook, first.basis
    bodies = [orjson.loads(hash_chain.canonical_json(published_body(event, decision.case, rulebook))) for event in decision.events]
    result.differences += _event_differences(group, bodies, [event.cause for event in decision.events])


def _event_differences(group: Sequence[RecordedEvent], bodies: Sequence[dict[str, Any]], causes: Sequence[str]) -> Iterator[str]:
    for recorded, body, cause in zip(group, bodies, causes, strict=False):
        before = {name: value for name, value in recorded.body.items() if name not in RECORDING_FIELDS} | {"cause": recorded.cause}
        after = {**body, "cause": cause}
        if before != after:
            names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
            fields = (f"{name}: recorded {_abbreviated(before.get(name))}, replayed {_abbreviated(after.get(name))}" for name in names)
            yield f"event {recorded.body['sequence']} ({recorded.body['type']}): {'; '.join(fields)}"
    for recorded in group[len(bodies) :]:
        yield f"event {recorded.body['sequence']} ({recorded.body['type']}): recorded, but does not come out"
    for body in bodies[len(group) :]:
        yield f"event {body['sequence']} ({body['type']}): comes out, but is not recorded"


def _executed_until(case_input: CaseInput) -> int:
    """The instant up to which a decision executes what is due before its input."""
    match case_input:
        case OpenCase(registered_at=at) | TakeAction(at=at) | ApplyDecision(at=at) | Recalculate(at=at):
            return at - 1
        case AdvanceTime(upto=upto):
            return upto


def _execute_eventless(case: Case, rulebook: Rulebook, upto: int | None) -> Case:
    """The case after the due items that left no event, such as a reminder whose condition did not hold."""
    while (due_at := next_due(case)) is not None and (upto is None or due_at <= upto):
        decision = decide(case, AdvanceTime(due_at), rulebook, due_at)
        if decision.events:
            break
        case = decision.case
    return case


def _recalculate_eventless(case: Case, rulebook: Rulebook) -> Case:
    """The case counted by other calendars if no deadline moves by that."""
    # At the registration, so that nothing that is due is executed along with it.
    decision = decide(case, Recalculate(case.registered_at), rulebook, case.registered_at)
    return case if decision.events or not case.open else decision.case


def _abbreviated(value: Any, longest: int = 120) -> str:
    text = "nothing" if value is None else orjson.dumps(value).decode()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
