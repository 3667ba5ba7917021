"""Finds which of the changed numbers belong to a clock or ladder."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from services.sla.domain.what_if.comparison import FindCauses
from services.sla.domain.what_if.outcomes import OutcomeKey
from shared.procedures.model.procedure import Procedure
from shared.procedures.numbers.changed_procedure import ChangedProcedure
from shared.procedures.numbers.stated_numbers import StatedNumber


def find_causes(changed: ChangedProcedure) -> FindCauses:
    """The changed numbers of the entry that an outcome belongs to, by their keys."""
    numbers = [number for number, _ in changed.changes]

    @cache
    def causes(name: str, *, is_clock: bool) -> tuple[str, ...]:
        return tuple(number.key for number in numbers if _belongs(changed.procedure, number, name, is_clock=is_clock))

    def of_outcome(key: OutcomeKey) -> tuple[str, ...]:
        return causes(key.name, is_clock=key.is_clock)

    return of_outcome


def _belongs(procedure: Procedure, number: StatedNumber, name: str, *, is_clock: bool) -> bool:
    if number.section == "limits":
        return is_clock
    if number.section == "parameters":
        return any(_reads_parameter(entry, str(number.entry[1])) for entry in _entries(procedure, name, is_clock=is_clock))
    section, entries = ("clocks", procedure.clocks) if is_clock else ("ladders", procedure.ladders)
    indexes = {place[1] for place in number.places if place[0] == section}
    return any(entry.id == name and index in indexes for index, entry in enumerate(entries))


def _entries(procedure: Procedure, name: str, *, is_clock: bool) -> Iterator[str]:
    for entry in procedure.clocks if is_clock else procedure.ladders:
        if entry.id == name:
            yield entry.model_dump_json(by_alias=True)


def _reads_parameter(entry: str, parameter: str) -> bool:
    return f'{{"parameter":"{parameter}"}}' in entry or f"parameters.{parameter}" in entry
