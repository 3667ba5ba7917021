"""The form of a trial: reads it, and makes the order that sla takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from services.desk.forms import FormFields, first
from shared.procedures.numbers.stated_numbers import StatedNumber

_PREFIX = "number."
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class TrialForm:
    """The fields as they were typed: the first and the last day on which a case was received, and the numbers by their keys."""

    first_day: str
    last_day: str
    numbers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_last_month(cls, now: datetime, zone: tzinfo) -> TrialForm:
        """The last whole month, with nothing changed."""
        last = now.astimezone(zone).date().replace(day=1) - timedelta(days=1)
        return cls(last.replace(day=1).isoformat(), last.isoformat())

    @classmethod
    def read(cls, fields: FormFields) -> TrialForm:
        """The fields of a sent form; others are left out."""
        typed = {name.removeprefix(_PREFIX): first(fields, name).strip()[:_LONGEST] for name in fields if name.startswith(_PREFIX)}
        return cls(first(fields, "first_day")[:_LONGEST], first(fields, "last_day")[:_LONGEST], typed)

    def changed(self, numbers: Sequence[StatedNumber]) -> dict[str, str]:
        """The numbers that differ from those of the procedure."""
        return {number.key: typed for number in numbers if (typed := self.numbers.get(number.key, number.value)) != number.value}

    def day_faults(self) -> list[str]:
        """The names of the days that cannot be read."""
        return [name for name in ("first_day", "last_day") if _day(getattr(self, name)) is None]

    def order(self, procedure: str, version: int, numbers: Sequence[StatedNumber], zone: tzinfo) -> dict[str, Any]:
        """The body of sla's `POST /v1/what-if`; the days have to be readable."""
        first_day, last_day = _day(self.first_day) or date.min, _day(self.last_day) or date.min
        following = last_day + timedelta(days=1) if last_day < date.max else last_day
        return {
            "procedure": procedure,
            "version": version,
            "received_from": datetime.combine(first_day, time.min, zone).isoformat(),
            "received_before": datetime.combine(following, time.min, zone).isoformat(),
            "numbers": self.changed(numbers),
        }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
