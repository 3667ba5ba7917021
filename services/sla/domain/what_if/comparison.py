"""Compares what became of recorded cases with what would have become of them by other numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.sla.domain.evidence.recorded_events import RecordedEvent
from services.sla.domain.what_if.carried_out import FindRulebook, carry_out
from services.sla.domain.what_if.outcomes import OUTCOME_KINDS, Outcome, OutcomeKey, OutcomeKind, outcomes

NO_CLAUSE = ""


@dataclass(frozen=True, slots=True)
class OutcomeDifference:
    """An outcome that is new (`before` is None), gone (`after` is None), or at another instant (microseconds).

    `numbers` are the changed numbers of the very clock or ladder; none: it follows from a change elsewhere.
    """

    key: OutcomeKey
    clauses: tuple[str, ...]
    before: int | None
    after: int | None
    numbers: tuple[str, ...]


@dataclass(slots=True)
class ClauseCount:
    """How many outcomes of a kind a clause had, how many it would have, and how many differ, moved ones included."""

    before: int = 0
    after: int = 0
    changed: int = 0


@dataclass(slots=True)
class TrialComparison:
    """The result of a trial: figures by clause and kind, the differences by case, and the cases that could not be carried out."""

    cases: int = 0
    not_replayed: int = 0
    counts: dict[tuple[str, OutcomeKind], ClauseCount] = field(default_factory=lambda: defaultdict(ClauseCount))
    differences: dict[str, list[OutcomeDifference]] = field(default_factory=dict)

    def add(self, case: str, before: Mapping[OutcomeKey, Outcome], after: Mapping[OutcomeKey, Outcome], causes: FindCauses) -> None:
        """Add the outcomes of a case."""
        self.cases += 1
        for key, outcome in before.items():
            self.counts[_first(outcome.clauses), key.kind].before += 1
            if key not in after:
                self.counts[_first(outcome.clauses), key.kind].changed += 1
        for key, outcome in after.items():
            self.counts[_first(outcome.clauses), key.kind].after += 1
            if key not in before or before[key].at != outcome.at:
                self.counts[_first(outcome.clauses), key.kind].changed += 1
        differences = list(_differences(before, after, causes))
        if differences:
            self.differences[case] = differences

    def by_clause(self, order: Sequence[str]) -> list[tuple[str, OutcomeKind, ClauseCount]]:
        """The figures in the order of the regulation's clauses."""
        places = {clause: place for place, clause in enumerate(order)}
        kinds = {kind: place for place, kind in enumerate(OUTCOME_KINDS)}
        listed = [(clause, kind, count) for (clause, kind), count in self.counts.items()]
        return sorted(listed, key=lambda each: (places.get(each[0], len(places)), each[0], kinds[each[1]]))


FindCauses = Callable[[OutcomeKey], tuple[str, ...]]
"""Returns the changed numbers that belong to the clock or ladder of an outcome."""


def compare_case(
    comparison: TrialComparison,
    case: str,
    recorded: Sequence[RecordedEvent],
    rulebooks: tuple[FindRulebook, FindRulebook],
    until: int,
    causes: FindCauses,
) -> None:
    """Carry out a case by both rulebooks and add what differs; a case that cannot be carried out is counted apart.

    Both sides are carried out: what an outage once delayed would else look like an effect of the numbers.
    """
    try:
        before, after = (outcomes(carry_out(recorded, find, until)) for find in rulebooks)
    except (ValueError, KeyError, TypeError):
        comparison.not_replayed += 1
        return
    comparison.add(case, before, after, causes)


def _differences(
    before: Mapping[OutcomeKey, Outcome], after: Mapping[OutcomeKey, Outcome], causes: FindCauses
) -> Iterator[OutcomeDifference]:
    for key in _in_order(before, after):
        old, new = before.get(key), after.get(key)
        if old is not None and new is not None and old.at == new.at:
            continue
        outcome = new or old
        if outcome is not None:
            yield OutcomeDifference(key, outcome.clauses, None if old is None else old.at, None if new is None else new.at, causes(key))


def _in_order(before: Mapping[OutcomeKey, Outcome], after: Mapping[OutcomeKey, Outcome]) -> Iterable[OutcomeKey]:
    known = {key: outcome.at for found in (after, before) for key, outcome in found.items()}
    return sorted(known, key=lambda key: (known[key], OUTCOME_KINDS.index(key.kind), key.name, key.number))


def _first(clauses: Sequence[str]) -> str:
    return clauses[0] if clauses else NO_CLAUSE
