"""Finds the department that takes a case at an instant: that of the rules, or the next one that works in its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.organisation import Department, Organisation

WhyPassedOver = Literal["holiday", "capacity"]


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A department that was not named, and why."""

    department: str
    why: WhyPassedOver


@dataclass(frozen=True, slots=True)
class Replacement:
    """The department that takes the case, and those that the rules gave before it; `none_works` if no one in their place works either."""

    department: str
    passed_over: tuple[PassedOver, ...] = ()
    none_works: bool = False


class WorkingDepartments:
    """The departments of one organisation that name others in their place; the others take their cases at any time.

    A department's own calendar decides whether a day is a day off, else the organisation's: a hotline may work while an office does not.
    """

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        calendars = {"default": default_calendar()}
        calendars.update({str(entry["id"]): Calendar.parse(entry) for entry in organisation.calendars})
        named = {name for department in organisation.departments for name in (department.id, *department.next) if department.next}
        self._calendars = {
            name: calendars[department.calendar or organisation.calendar]
            for name in named
            if (department := organisation.department(name)) is not None
        }

    @property
    def limited(self) -> frozenset[str]:
        """The departments whose open cases have to be counted."""
        departments = (self._organisation.department(name) for name in self._calendars)
        return frozenset(department.id for department in departments if department is not None and department.capacity is not None)

    def replacement(self, department_id: str, at: datetime, open_cases: Mapping[str, int]) -> Replacement:
        """The department itself if it works or names no one in its place, else the first that works, searched breadth first.

        If none works, the department of the rules keeps the case: somebody has to answer for it.
        """
        passed_over: list[PassedOver] = []
        waiting, seen = [department_id], {department_id}
        while waiting:
            department = self._organisation.department(waiting.pop(0))
            if department is None:
                continue
            why = self._why_not(department, at, open_cases)
            if why is None:
                return Replacement(department.id, tuple(passed_over))
            passed_over.append(PassedOver(department.id, why))
            # A circle of departments in each other's place ends where it began.
            waiting += [name for name in department.next if name not in seen]
            seen.update(department.next)
        return Replacement(department_id, none_works=bool(passed_over))

    def _why_not(self, department: Department, at: datetime, open_cases: Mapping[str, int]) -> WhyPassedOver | None:
        calendar = self._calendars.get(department.id)
        if calendar is None:
            return None
        # The hours of the day do not count: whoever comes in next morning is not on holiday at night.
        if not calendar.intervals_on(at.astimezone(calendar.zone).date()):
            return "holiday"
        full = department.capacity is not None and open_cases.get(department.id, 0) >= department.capacity
        return "capacity" if full else None
