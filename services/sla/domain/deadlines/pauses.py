"""Orders and merges the pauses of a clock, and answers which of them holds a deadline back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter

from services.sla.domain.deadlines.worktime import to_micros

Pause = tuple[int, int | None]
"""Start and end in UTC microseconds; the end is None while the pause is open."""
Pauses = Sequence[Pause]
"""Pauses in order and without overlap; only the last may be open."""


class PauseError(ValueError):
    """A pause that ends before it starts; the text names the value, the rule and the remedy."""


def normalize_pauses(pauses: Iterable[tuple[datetime, datetime | None]]) -> Pauses:
    """Sort and merge pauses given as aware datetimes; raises PauseError."""
    return merge_pauses((to_micros(start), None if end is None else to_micros(end)) for start, end in pauses)


def merge_pauses(pauses: Iterable[Pause]) -> Pauses:
    """Sort pauses by start and merge those that touch or overlap; raises PauseError."""
    merged: list[Pause] = []
    for start, end in sorted(pauses, key=itemgetter(0)):
        if end is not None and end < start:
            raise PauseError("pause: ends before it begins; give from and to in order, or no end while it is open")
        if not merged:
            merged.append((start, end))
            continue
        last_start, last_end = merged[-1]
        if last_end is not None and last_end < start:
            merged.append((start, end))
        elif last_end is not None and (end is None or end > last_end):
            merged[-1] = (last_start, end)
    return tuple(merged)


def running_intervals(pauses: Pauses, start: int, end: int) -> list[tuple[int, int]]:
    """Return the intervals between two instants in which the clock runs."""
    intervals = []
    for pause_start, pause_end in pauses:
        if pause_start >= end:
            break
        if pause_end is not None and pause_end <= start:
            continue
        if pause_start > start:
            intervals.append((start, pause_start))
        if pause_end is None:
            return intervals
        start = pause_end
    if start < end:
        intervals.append((start, end))
    return intervals


def blocking_pause(pauses: Pauses, day_end: int) -> Pause | None:
    """Return the pause that keeps a day ending at `day_end` from counting: begun before that instant, not resumed before it."""
    for start, end in pauses:
        if start < day_end and (end is None or end >= day_end):
            return start, end
    return None
