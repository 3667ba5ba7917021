"""Counters and filter choices of one viewer, from groups of open cases that are read once for all viewers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from services.desk.domain.viewer import Viewer

COUNTERS: Final = ("open", "late", "today", "unassigned", "mine", "escalated")
CHOICES: Final = ("procedure", "class", "department")
MAX_CHOICES: Final = 200


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """Numbers of open cases that the same people see: all, late, due today, without a handler, escalated."""

    seen_by: frozenset[str]
    against: frozenset[str]
    open: int
    late: int
    today: int
    unassigned: int
    escalated: int


@dataclass(frozen=True, slots=True)
class ChoiceGroup:
    """A procedure, class and department that open cases have, and who sees them."""

    seen_by: frozenset[str]
    against: frozenset[str]
    values: tuple[str, ...]


def count_for(viewer: Viewer, groups: Iterable[OpenGroup]) -> dict[str, int]:
    """The counters of the open cases that the viewer sees."""
    counts = dict.fromkeys(COUNTERS, 0)
    for group in groups:
        if viewer.may_see(group.seen_by, group.against):
            counts["open"] += group.open
            counts["late"] += group.late
            counts["today"] += group.today
            counts["unassigned"] += group.unassigned
            counts["escalated"] += group.escalated
            if not group.seen_by.isdisjoint(viewer.own):
                counts["mine"] += group.open
    return counts


def choices_for(viewer: Viewer, groups: Iterable[ChoiceGroup]) -> Mapping[str, list[str]]:
    """The values that the filter's fields offer the viewer, in order."""
    visible = {group.values for group in groups if viewer.may_see(group.seen_by, group.against)}
    return {name: sorted({values[place] for values in visible} - {""})[:MAX_CHOICES] for place, name in enumerate(CHOICES)}
