"""The times during which a clock stands still, put in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.sla.domain.deadlines.worktime import micros

Pauses = Sequence[tuple[int, int | None]]
"""Ordered, disjoint, in UTC microseconds; the last may be open (None: not resumed yet)."""


class PauseError(ValueError):
    """A pause that cannot have happened; the text names the value, the rule and the remedy."""


def ordered(pauses: Iterable[tuple[datetime, datetime | None]]) -> Pauses:
    """Put pauses in order and join those that touch; raises PauseError."""
    return joined((micros(begun), None if ended is None else micros(ended)) for begun, ended in pauses)


def joined(pauses: Iterable[tuple[int, int | None]]) -> Pauses:
    """Put pauses given in microseconds in order and join those that touch; raises PauseError."""
    found: list[tuple[int, int | None]] = []
    for begun, ended in sorted(pauses, key=_begun):
        if ended is not None and ended < begun:
            raise PauseError("pause: ends before it begins; give from and to in order, or no end while it is open")
        if not found or not _reaches(found[-1][1], begun):
            found.append((begun, ended))
        elif _reaches(ended, found[-1][1]):
            found[-1] = (found[-1][0], ended)
    return tuple(found)


def _begun(pause: tuple[int, int | None]) -> int:
    return pause[0]


def _reaches(ended: int | None, at: int | None) -> bool:
    return ended is None or (at is not None and ended >= at)


def unpaused(pauses: Pauses, start: int, end: int) -> list[tuple[int, int]]:
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


def holds(pauses: Pauses, end: int) -> tuple[int, int | None] | None:
    """Find the pause that holds back a day ending at `end`: begun before it (then is too late), not resumed before it."""
    for begun, ended in pauses:
        if begun < end and (ended is None or ended >= end):
            return begun, ended
    return None
