"""The days on which a case counts for each figure, packed into whole numbers that one column and one index hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from services.desk.domain.case_row import CaseRow


class CaseFigure(IntEnum):
    """Figures by their place in a row of sums. `OPEN` is a stock, at the end of a period; the others are cases to which something happened.

    The places are stored: a new figure takes the next free number below `FIRST_TIME`, and a rebuild fills it.
    """

    OPEN = 0
    REGISTERED = 1
    ENDED = 2
    CLOSED = 3
    ON_TIME = 4
    LATE = 5
    DEEMED = 6
    ESCALATED = 7
    URGED = 8
    REOPENED = 9
    CALLED_BACK = 10
    SATISFIED = 11
    DISSATISFIED = 12
    UNDERSTOOD = 13
    UNREACHABLE = 14


FIRST_TIME: Final = 16
"""The place of the first limit of `TIME_LIMITS`."""
_HOURS: Final = (1, 2, 4, 8, 12)
_DAYS: Final = (*range(1, 16), 20, 25, 30, 40, 50, 60, 75, 90, 120, 180, 365)
TIME_LIMITS: Final[tuple[timedelta, ...]] = (*(timedelta(hours=n) for n in _HOURS), *(timedelta(days=n) for n in _DAYS))
"""From receipt to closing: limits that regulations use, so that "half within 5 days" is exact and no estimate. Longer: the place after."""
PLACES: Final = FIRST_TIME + len(TIME_LIMITS) + 1
OPENED: Final = 60
SHUT: Final = 61
"""Days whose end finds a case open that was not before, and the reverse: the stock is their difference."""
OUTCOMES: Final = (CaseFigure.SATISFIED, CaseFigure.DISSATISFIED, CaseFigure.UNDERSTOOD, CaseFigure.UNREACHABLE)
_DAY_BITS: Final = 17
_DAY_MASK: Final = (1 << _DAY_BITS) - 1
_FIRST_DAY: Final = date(1970, 1, 1)
_ENDS: Final = frozenset({"closed", "refused", "withdrawn"})
_SIMPLE: Final = {
    "measures_deemed_approved": CaseFigure.DEEMED,
    "escalated": CaseFigure.ESCALATED,
    "urged": CaseFigure.URGED,
    "reopened": CaseFigure.REOPENED,
    "called_back": CaseFigure.CALLED_BACK,
}


def pack(place: int, day: date) -> int:
    """The number of a place and a day."""
    return place << _DAY_BITS | (day - _FIRST_DAY).days


def unpack(number: int) -> tuple[int, date]:
    """Place and day of a number."""
    return number >> _DAY_BITS, _FIRST_DAY + timedelta(days=number & _DAY_MASK)


def packed_days(place: int, first: date, following: date) -> list[int]:
    """The numbers of a place for the days from `first` until before `following`."""
    return [pack(place, first + timedelta(days=n)) for n in range((following - first).days)]


def note_event(row: CaseRow, event: Any, zone: tzinfo, satisfied_from: int) -> None:
    """Note what an event, which the row has taken over, means for the figures; a rating from `satisfied_from` on is satisfied."""
    kind = event.type
    if kind == "registered":
        note_registration(row, zone)
        return
    if kind not in _SIMPLE and kind not in _ENDS and kind != "rated":
        return
    day = event.at.astimezone(zone).date()
    if row.received_at is not None:
        # Nothing counts before the receipt, whatever the clocks of two sources say: lists are read from there on.
        day = max(day, row.received_at.astimezone(zone).date())
    if kind in _SIMPLE:
        _note(row, _SIMPLE[kind], day)
    if kind in _ENDS:
        _note_end(row, event.at, day)
    elif kind == "reopened":
        _note_state(row, day, is_open=True)
    elif kind == "rated" and event.score is not None:
        _note_outcome(row, "satisfied" if event.score >= satisfied_from else "dissatisfied", day)
    elif kind == "called_back":
        _note_outcome(row, event.outcome, day)


def note_registration(row: CaseRow, zone: tzinfo) -> None:
    """Note the day of receipt; sla's registration repeats intake's."""
    if row.received_at is not None and not any(number >> _DAY_BITS == CaseFigure.REGISTERED for number in row.figures):
        day = row.received_at.astimezone(zone).date()
        # What a topic that lost its beginning told before.
        row.figures = list(dict.fromkeys(max(number, pack(number >> _DAY_BITS, day)) for number in row.figures))
        _note(row, CaseFigure.REGISTERED, day)
        _note_state(row, day, is_open=True)


def time_place(taken: timedelta) -> int:
    """The place of the least limit that a time to close does not exceed."""
    return FIRST_TIME + next((n for n, limit in enumerate(TIME_LIMITS) if taken <= limit), len(TIME_LIMITS))


def _note(row: CaseRow, place: int, day: date) -> None:
    number = pack(place, day)
    if number not in row.figures:
        row.figures.append(number)


def _note_end(row: CaseRow, at: datetime, day: date) -> None:
    _note(row, CaseFigure.ENDED, day)
    _note(row, CaseFigure.LATE if row.breached else CaseFigure.ON_TIME, day)
    if row.state == "closed":
        _note(row, CaseFigure.CLOSED, day)
        if row.received_at is not None:
            _note(row, time_place(at.astimezone(UTC) - row.received_at), day)
    _note_state(row, day, is_open=False)


def _note_outcome(row: CaseRow, outcome: str, day: date) -> None:
    places = {place.name.lower(): place for place in OUTCOMES}
    if outcome in places:
        # The latest of a day counts, as the latest of a period does.
        same_day = {pack(place, day) for place in OUTCOMES}
        row.figures = [number for number in row.figures if number not in same_day]
        _note(row, places[outcome], day)


def _note_state(row: CaseRow, day: date, *, is_open: bool) -> None:
    changes = [number for number in row.figures if number >> _DAY_BITS in (OPENED, SHUT)]
    last_place, last_day = unpack(changes[-1]) if changes else (SHUT, day)
    if is_open == (last_place == OPENED):
        return
    # An action may be dated before the one that it follows; the stock then changes on the later day.
    day = max(day, last_day)
    if changes and day == last_day:
        row.figures.remove(changes[-1])
    else:
        row.figures.append(pack(OPENED if is_open else SHUT, day))
