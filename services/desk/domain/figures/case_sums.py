"""What a case adds to the sums of figures: pure functions of its row, so that sums and lists of cases agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

import orjson

from services.desk.domain.figures.figure_days import FIRST_TIME, OPENED, OUTCOMES, PLACES, SHUT, Figure, unpack
from services.desk.domain.figures.periods import PERIOD_UNITS, period_start

if TYPE_CHECKING:
    from services.desk.domain.case_row import CaseRow

NOW: Final = "now"
"""The unit of the present stock; its period is `NO_PERIOD`."""
NO_PERIOD: Final = date(1970, 1, 1)
ALL, DEPARTMENT, CLASS, CHANNEL = "", "department", "class", "channel"
DIMENSIONS: Final = (ALL, DEPARTMENT, CLASS, CHANNEL)


class SumKey(NamedTuple):
    """A row of sums: a period, a procedure, a value of one dimension, and who sees the cases.

    One dimension at a time: a row for each combination of all of them would make as many rows as there are cases.
    """

    unit: str
    period: date
    procedure: str
    dimension: str
    value: str
    audience: UUID


@dataclass(frozen=True, slots=True)
class Audience:
    """The columns of `case_row` by which a case is visible, under a key made from them."""

    key: UUID
    seen_by: tuple[str, ...]
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CountedCase:
    """What the sums depend on of a case; two that are equal add the same."""

    figures: tuple[int, ...]
    procedure: str
    department: str
    class_: str
    channel: str
    seen_by: tuple[str, ...]
    against: tuple[str, ...]

    @property
    def audience(self) -> Audience:
        """Who sees the case."""
        return _audience(self.seen_by, self.against)

    @property
    def values(self) -> dict[str, str]:
        """The case's value of each dimension."""
        return {ALL: "", DEPARTMENT: self.department, CLASS: self.class_, CHANNEL: self.channel}


def counted_case(row: CaseRow) -> CountedCase | None:
    """What counts of the row; None for a case without a registration, and for a duplicate: its lead counts for both."""
    if row.received_at is None or row.lead:
        return None
    figures, seen_by, against = tuple(row.figures), tuple(row.seen_by), tuple(row.against)
    return CountedCase(figures, row.procedure, row.department or row.proposed, row.class_, row.channel, seen_by, against)


class SumChanges:
    """Changes of sums by key, of many cases."""

    def __init__(self) -> None:
        self.audiences: dict[UUID, Audience] = {}
        self._changes: dict[SumKey, Counter[int]] = defaultdict(Counter)

    def add(self, before: CountedCase | None, after: CountedCase | None) -> None:
        """Take away what a case added before, and add what it adds now."""
        if before == after:
            return
        for case, sign in ((before, -1), (after, 1)):
            if case is not None:
                self.audiences[case.audience.key] = case.audience
                self._count(case, sign)

    def rows(self) -> list[tuple[SumKey, list[int]]]:
        """The keys that change, in order, each with a number for each place."""
        changed = ((key, counts) for key, counts in self._changes.items() if any(counts.values()))
        return [(key, [counts[place] for place in range(PLACES)]) for key, counts in sorted(changed)]

    def _count(self, case: CountedCase, sign: int) -> None:
        audience = case.audience.key
        for (unit, period), counts in period_counts(case.figures).items():
            for dimension, value in case.values.items():
                changed = self._changes[SumKey(unit, period, case.procedure, dimension, value, audience)]
                for place, count in counts.items():
                    changed[place] += sign * count


def period_counts(figures: Iterable[int]) -> Mapping[tuple[str, date], Mapping[int, int]]:
    """By unit and period: 1 for each figure that the case has in the period, and what it adds to the stock."""
    counts: dict[tuple[str, date], dict[int, int]] = defaultdict(dict)
    outcomes: dict[tuple[str, date], tuple[date, int]] = {}
    is_open = 0
    for number in figures:
        place, day = unpack(number)
        for period in _periods_of(day):
            if place in (OPENED, SHUT):
                counts[period][Figure.OPEN] = counts[period].get(Figure.OPEN, 0) + (1 if place == OPENED else -1)
            elif place in OUTCOMES:
                outcomes[period] = max(outcomes.get(period, (day, place)), (day, place))
            elif place >= FIRST_TIME:
                # Each closing has its time, also where a case is closed twice in a period.
                counts[period][place] = counts[period].get(place, 0) + 1
            else:
                counts[period][place] = 1
        is_open += (place == OPENED) - (place == SHUT)
    for period, (_, place) in outcomes.items():
        counts[period][place] = 1
    counts[NOW, NO_PERIOD][Figure.OPEN] = is_open
    return counts


@lru_cache(maxsize=10_000)
def _periods_of(day: date) -> tuple[tuple[str, date], ...]:
    return tuple((unit, period_start(day, unit)) for unit in PERIOD_UNITS)


@lru_cache(maxsize=10_000)
def _audience(seen_by: tuple[str, ...], against: tuple[str, ...]) -> Audience:
    # A hash, since names in `against` may be longer than a key of an index; 128 bits, since complainants choose them.
    key = UUID(bytes=blake2b(orjson.dumps([seen_by, against]), digest_size=16).digest())
    return Audience(key, seen_by, against)
