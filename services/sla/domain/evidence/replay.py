"""Replays a case from its ledger: the same inputs at the same instants must result in the same events and the same case state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from services.sla.domain.evidence import hash_chain
from services.sla.domain.evidence.recorded_events import (
    NOT_REPLAYED_FIELDS,
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
from shared.contracts.erasure.personal_values import ERASED_FIELD, erased_fields


@dataclass(slots=True)
class ReplayResult:
    """The replayed case (None for an empty ledger), and its differences from the recorded events, one line each."""

    case: Case | None = None
    rulebook: Rulebook | None = None
    basis: str = ""
    differences: list[str] = field(default_factory=list)


RulebookLookup = Callable[[str, str, int, Mapping[str, Any]], Rulebook]
"""Returns the rulebook for a context stamp, procedure, version and parameters."""


def replay_decisions(recorded_events: Iterable[RecordedEvent], find_rulebook: RulebookLookup) -> ReplayResult:
    """Replay all decisions; stops at the first one that differs, since every later decision depends on its result."""
    result = ReplayResult()
    for group in group_by_decision(recorded_events):
        try:
            _replay_decision(result, group, find_rulebook)
        except (ValueError, KeyError, TypeError) as error:
            result.differences.append(f"event {group[0].body.get('sequence')}: cannot be replayed: {error!r}")
        if result.differences:
            break
    return result


def apply_eventless_steps(result: ReplayResult, upto: int | None, new_rulebook: Rulebook | None = None) -> None:
    """Apply the steps that record no event, and that the ledger so does not contain.

    They are due items up to `upto` (None: all) whose condition does not hold, and, with `new_rulebook`, a recalculation with other
    calendars that moved no deadline.
    """
    if result.case is None or result.rulebook is None:
        return
    if new_rulebook is not None:
        result.rulebook = new_rulebook
        result.case = _recalculated(result.case, new_rulebook)
    result.case = _execute_eventless(result.case, result.rulebook, upto)


def state_differences(case: Case, stored: Mapping[str, Any]) -> list[str]:
    """The differences of a replayed case from its stored state (read from JSON), one line for each field."""
    replayed = orjson.loads(orjson.dumps(asdict(case)))
    different = [name for name, value in replayed.items() if stored.get(name) != value]
    return [f"{name}: stored {_abbreviated(stored.get(name))}, replayed {_abbreviated(replayed[name])}" for name in different]


def _replay_decision(found: ReplayResult, group: list[RecordedEvent], find: RulebookLookup) -> None:
    first = group[0]
    stated = first.body["procedure"], first.body["version"]
    parameters = found.case.parameters if found.case else first.body.get("parameters", {})
    rulebook = find(first.basis, *stated, parameters)
    given = reconstruct_input(group, rulebook.procedure)
    if found.case is not None:
        if found.basis != first.basis and not isinstance(given, Recalculate):
            found.case = _recalculated(found.case, rulebook)
        found.case = _execute_eventless(found.case, rulebook, _executed_until(given))
    # The instant of the live decision, as CaseBatch takes it.
    now = max(parse_micros(first.body["recorded_at"]), getattr(given, "at", 0), getattr(given, "registered_at", 0))
    decision = decide(found.case, given, rulebook, now)
    found.case, found.rulebook, found.basis = decision.case, rulebook, first.basis
    made = [orjson.loads(hash_chain.canonical_json(published_body(event, decision.case, rulebook))) for event in decision.events]
    found.differences += list(_event_differences(group, made, [event.cause for event in decision.events]))


def _event_differences(group: Sequence[RecordedEvent], made: Sequence[dict[str, Any]], causes: Sequence[str]) -> Iterator[str]:
    for line, replayed, cause in zip(group, made, causes, strict=False):
        # What a decision makes of erased values, such as a line for a message, was erased from the recorded event as a whole.
        fields = erased_fields(replayed, b"") if ERASED_FIELD in line.body else replayed
        recorded = {name: value for name, value in line.body.items() if name not in NOT_REPLAYED_FIELDS}
        if recorded != fields or line.cause != cause:
            old, new = {**recorded, "cause": line.cause}, {**fields, "cause": cause}
            names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
            text = "; ".join(f"{name}: recorded {_abbreviated(old.get(name))}, replayed {_abbreviated(new.get(name))}" for name in names)
            yield f"event {line.body['sequence']} ({line.body['type']}): {text}"
    for line in group[len(made) :]:
        yield f"event {line.body['sequence']} ({line.body['type']}): recorded, but not replayed"
    for fields in made[len(group) :]:
        yield f"event {fields['sequence']} ({fields['type']}): replayed, but not recorded"


def _executed_until(given: CaseInput) -> int:
    """The instant up to which a decision executes due items before its input."""
    match given:
        case OpenCase(registered_at=at) | TakeAction(at=at) | ApplyDecision(at=at) | Recalculate(at=at):
            # What is due at the very instant of an input comes after it: an action at the due instant is in time.
            return at - 1
        case AdvanceTime(upto=upto):
            return upto


def _execute_eventless(case: Case, rulebook: Rulebook, upto: int | None) -> Case:
    """The case after its due items that record no event, such as a reminder whose condition does not hold."""
    while (due := next_due(case)) is not None and (upto is None or due <= upto):
        tried = decide(case, AdvanceTime(due), rulebook, due)
        if tried.events:
            break
        case = tried.case
    return case


def _recalculated(case: Case, rulebook: Rulebook) -> Case:
    """The case with deadlines recalculated by other calendars; unchanged if a deadline moves, since that recalculation is in the ledger."""
    tried = decide(case, Recalculate(case.registered_at), rulebook, case.registered_at)
    return case if tried.events or not case.open else tried.case


def _abbreviated(value: Any, longest: int = 120) -> str:
    text = "nothing" if value is None else orjson.dumps(value).decode()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
