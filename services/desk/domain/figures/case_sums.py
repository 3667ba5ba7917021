"""The share of a case in the sums of figures: pure functions of its row, so that sums and lists of cases agree."""

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

from services.desk.domain.figures.figure_days import FIRST_TIME, OPENED, OUTCOMES, PLACES, SHUT, CaseFigure, unpack
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
    audience: str


@dataclass(frozen=True, slots=True)
class Audience:
    """The columns of `case_row` by which a case is visible, under a key made from them."""

    key: str
    seen_by: tuple[str, ...]
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CountedCase:
    """The values of a case on which sums depend; two that are equal add the same."""

    figures: tuple[int, ...]
    procedure: str
    department: str
    class_: str
    channel: str
    seen_by: tuple[str, ...]
    against: tuple[str, ...]

    @property
    def audience(self) -> Audience:
        """The keys of those who see the case."""
        return _audience(self.seen_by, self.against)

    @property
    def values(self) -> dict[str, str]:
        """The case's value of each dimension."""
        return {ALL: "", DEPARTMENT: self.department, CLASS: self.class_, CHANNEL: self.channel}


def counted_case(row: CaseRow) -> CountedCase | None:
    """The counted values of the row; None for a case without a registration, and for a duplicate: its lead counts for both."""
    if row.received_at is None or row.lead:
        return None
    figures, seen_by, against = tuple(row.figures), tuple(row.seen_by), tuple(row.against)
    return CountedCase(figures, row.procedure, row.department or row.proposed, row.class_, row.channel, seen_by, against)


class SumChanges:
    """Changes of sums by key, of many cases."""

    def __init__(self) -> None:
        # Equal cases are counted together: of a batch most were received today, and a case has some seventy sums.
        self._cases: Counter[CountedCase] = Counter()

    def add(self, before: CountedCase | None, after: CountedCase | None) -> None:
        """Take away what a case added before, and add what it adds now."""
        if before == after:
            return
        if before is not None:
            self._cases[before] -= 1
        if after is not None:
            self._cases[after] += 1

    @property
    def audiences(self) -> dict[str, Audience]:
        """The audiences of the sums that change, by their keys."""
        audiences = (case.audience for case, number in self._cases.items() if number)
        return {audience.key: audience for audience in audiences}

    def rows(self) -> list[tuple[SumKey, list[int]]]:
        """The keys that change, in order, each with a number for each place up to the last that changes."""
        changes: dict[tuple[str, date, str, str, str, str], list[int]] = {}
        for case, number in self._cases.items():
            if number:
                _count(changes, case, number)
        return [(SumKey(*key), _without_zeros_at_end(changes[key])) for key in sorted(changes) if any(changes[key])]


def _count(changes: dict[tuple[str, date, str, str, str, str], list[int]], case: CountedCase, number: int) -> None:
    audience, values = case.audience.key, tuple(case.values.items())
    for (unit, period), counts in period_counts(case.figures).items():
        places = [(place, number * count) for place, count in counts.items()]
        for dimension, value in values:
            key = (unit, period, case.procedure, dimension, value, audience)
            changed = changes.get(key)
            if changed is None:
                changed = changes[key] = [0] * PLACES
            for place, change in places:
                changed[place] += change


def period_counts(figures: Iterable[int]) -> Mapping[tuple[str, date], Mapping[int, int]]:
    """By unit and period: 1 for each figure that the case has in the period, and what it adds to the stock."""
    counts: dict[tuple[str, date], dict[int, int]] = defaultdict(dict)
    outcomes: dict[tuple[str, date], tuple[date, int]] = {}
    is_open = 0
    for number in figures:
        place, day, periods = _day_of(number)
        if place in (OPENED, SHUT):
            change = 1 if place == OPENED else -1
            is_open += change
            for period in periods:
                counts[period][CaseFigure.OPEN] = counts[period].get(CaseFigure.OPEN, 0) + change
        elif place in OUTCOMES:
            for period in periods:
                outcomes[period] = max(outcomes.get(period, (day, place)), (day, place))
        elif place >= FIRST_TIME:
            # Each closing has its time, also where a case is closed twice in a period.
            for period in periods:
                counts[period][place] = counts[period].get(place, 0) + 1
        else:
            for period in periods:
                counts[period][place] = 1
    for period, (_, place) in outcomes.items():
        counts[period][place] = 1
    if is_open:
        counts[NOW, NO_PERIOD][CaseFigure.OPEN] = is_open
    return counts


def _without_zeros_at_end(counts: list[int]) -> list[int]:
    # Most rows of a week hold registrations alone: a third of the size, to send and to keep.
    last = PLACES
    while not counts[last - 1]:
        last -= 1
    return counts[:last]


# A few thousand days and some fifty places are all that there is of them: reading a number anew took half of the time of a rebuild's sums.
@lru_cache(maxsize=200_000)
def _day_of(number: int) -> tuple[int, date, tuple[tuple[str, date], ...]]:
    place, day = unpack(number)
    return place, day, tuple((unit, period_start(day, unit)) for unit in PERIOD_UNITS)


@lru_cache(maxsize=10_000)
def _audience(seen_by: tuple[str, ...], against: tuple[str, ...]) -> Audience:
    # A hash, since names in `against` may be longer than a key of an index; 128 bits, since complainants choose them.
    key = str(UUID(bytes=blake2b(orjson.dumps([seen_by, against]), digest_size=16).digest()))
    return Audience(key, seen_by, against)
