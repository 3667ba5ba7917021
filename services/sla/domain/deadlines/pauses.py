"""The times during which a clock stands still, put in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.sla.domain.deadlines.worktime import to_micros

Pauses = Sequence[tuple[int, int | None]]
"""Ordered, disjoint, in UTC microseconds; the last may be open (None: not resumed yet)."""


class PauseError(ValueError):
    """A pause that cannot have happened; the text names the value, the rule and the remedy."""


def normalize_pauses(pauses: Iterable[tuple[datetime, datetime | None]]) -> Pauses:
    """Put pauses in order and join those that touch; raises PauseError."""
    return merge_pauses((to_micros(begun), None if ended is None else to_micros(ended)) for begun, ended in pauses)


def merge_pauses(pauses: Iterable[tuple[int, int | None]]) -> Pauses:
    """Put pauses given in microseconds in order and join those that touch; raises PauseError."""
    found: list[tuple[int, int | None]] = []
    for begun, ended in sorted(pauses, key=_pause_start):
        if ended is not None and ended < begun:
            raise PauseError("pause: ends before it begins; give from and to in order, or no end while it is open")
        if not found or not _ends_at_or_after(found[-1][1], begun):
            found.append((begun, ended))
        elif _ends_at_or_after(ended, found[-1][1]):
            found[-1] = (found[-1][0], ended)
    return tuple(found)


def _pause_start(pause: tuple[int, int | None]) -> int:
    return pause[0]


def _ends_at_or_after(ended: int | None, at: int | None) -> bool:
    return ended is None or (at is not None and ended >= at)


def running_intervals(pauses: Pauses, start: int, end: int) -> list[tuple[int, int]]:
    """Give the stretches between two instants during which the clock runs."""
    found = []
    for begun, ended in pauses:
        if begun >= end:
            break
        if ended is not None and ended <= start:
            continue
        if begun > start:
            found.append((start, begun))
        if ended is None:
            return found
        start = ended
    if start < end:
        found.append((start, end))
    return found


def blocking_pause(pauses: Pauses, day_end: int) -> tuple[int, int | None] | None:
    """Find the pause that holds back a day ending at `end`: begun before it (then is too late), not resumed before it."""
    for begun, ended in pauses:
        if begun < day_end and (ended is None or ended >= day_end):
            return begun, ended
    return None
