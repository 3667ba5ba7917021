"""An order for a trial, checked: the procedure with other numbers, and whose cases of which period it is tried on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from shared.procedures.access import Actor
from shared.procedures.loading.loader import Pack, load_pack
from shared.procedures.numbers.changed_procedure import ChangedProcedure, NumberChangeError, change_numbers
from shared.procedures.organisation import Organisation
from shared.runtime.http.problem import FieldFault

WHAT_IF: Final = "what_if"
"""The right of a person of the organisation file."""
LONGEST_PERIOD: Final = timedelta(days=366)


class TrialRefusedError(Exception):
    """An order that cannot be carried out; `faults` name its fields."""

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.remedy}" for fault in faults))
        self.faults = tuple(faults)


class TrialNotAllowedError(Exception):
    """The person has no right to trials."""


@dataclass(frozen=True, slots=True)
class TrialPeriod:
    """The cases received from an instant on and before another."""

    received_from: datetime
    received_before: datetime


@dataclass(frozen=True, slots=True)
class TrialOrder:
    """The order of a trial: the changed numbers and the person who asked."""

    actor: Actor
    pack: Pack
    changed: ChangedProcedure
    period: TrialPeriod


class TrialOrders:
    """Checks orders by the packs of the organisation's sources, the newest version of each.

    Raises `ProcedureError` for a pack that cannot be loaded.
    """

    def __init__(self, organisation: Organisation, base_folder: Path) -> None:
        loaded = [(load_pack(source.procedure_reference, base_folder=base_folder), source.parameters) for source in organisation.sources]
        loaded.sort(key=lambda each: (each[0].procedure.id, each[0].procedure.version))
        self._packs: dict[str, tuple[Pack, dict[str, Any]]] = {pack.procedure.id: (pack, parameters) for pack, parameters in loaded}

    def check(self, actor: Actor, procedure: str, version: int, period: TrialPeriod, numbers: Mapping[str, str]) -> TrialOrder:
        """The order; raises `TrialNotAllowedError`, or `TrialRefusedError` with a fault for each field."""
        require_right(actor)
        if procedure not in self._packs:
            raise TrialRefusedError([FieldFault("procedure", "unknown_procedure", "choose a procedure of the organisation's sources")])
        pack, parameters = self._packs[procedure]
        faults = []
        if version != pack.procedure.version:
            # The keys of numbers are places in the file of one version.
            faults.append(FieldFault("version", "other_version", f"open the page again: the version is {pack.procedure.version}"))
        if period.received_before <= period.received_from:
            faults.append(FieldFault("received_before", "period", "give an instant after the beginning of the period"))
        elif period.received_before - period.received_from > LONGEST_PERIOD:
            faults.append(FieldFault("received_from", "period", f"give a period of {LONGEST_PERIOD.days} days at most"))
        if faults:
            raise TrialRefusedError(faults)
        try:
            changed = change_numbers(pack, numbers, parameters)
        except NumberChangeError as error:
            fields = [("numbers" if each.number == "changes" else f"numbers.{each.number}", each) for each in error.faults]
            raise TrialRefusedError([FieldFault(field, each.rule, each.remedy) for field, each in fields]) from error
        return TrialOrder(actor, pack, changed, period)


def require_right(actor: Actor) -> None:
    """Raise `TrialNotAllowedError` unless the actor may try procedures."""
    if actor.person is None or WHAT_IF not in actor.person.may:
        raise TrialNotAllowedError
