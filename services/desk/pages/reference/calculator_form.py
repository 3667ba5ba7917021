"""The form of the deadline calculator: reads it from the address, and asks sla."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, tzinfo
from typing import Any

_MAX_LENGTH = 200


@dataclass(frozen=True, slots=True)
class CalculatorForm:
    """The fields as they were typed: local times without an offset; an empty clock means a duration of one's own."""

    procedure: str = ""
    start: str = ""
    clock: str = ""
    duration: str = ""
    counting: str = "exclusive"
    pause_from: str = ""
    pause_to: str = ""
    extend: str = ""

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> CalculatorForm:
        """The fields of a query string; others are left out."""
        form = cls(**{name: parameters[name].strip()[:_MAX_LENGTH] for name in asdict(cls()) if name in parameters})
        # Without a script the list holds the clocks of every procedure, so that the choice of a clock names its procedure too.
        procedure, separator, clock = form.clock.partition(":")
        return replace(form, procedure=procedure, clock=clock) if separator else form

    def to_query(self, zone: tzinfo) -> dict[str, str]:
        """The parameters of sla's `GET /v1/deadlines`; instants get the offset that the zone has then.

        A time that cannot be read is passed on as it is: sla's answer names the field and the remedy.
        """
        query = {"procedure": self.procedure, "start": _with_offset(self.start, zone)}
        if self.clock:
            query["clock"] = self.clock
        else:
            query |= {"duration": self.duration, "counting": self.counting}
        if self.pause_from:
            query["pause"] = f"{_with_offset(self.pause_from, zone)}/{_with_offset(self.pause_to, zone)}"
        if self.extend:
            query["extend"] = self.extend
        return query


def answered_dues(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The explanations of an answer: of its duration, or of each due entry and, for a repeating clock, its first occurrence."""
    dues = [due["explanation"] for due in answer.get("dues", ()) if due["explanation"]]
    if not dues and answer.get("explanation"):
        dues = [answer["explanation"]]
    return dues


def _with_offset(text: str, zone: tzinfo) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (at if at.tzinfo else at.replace(tzinfo=zone)).isoformat()
