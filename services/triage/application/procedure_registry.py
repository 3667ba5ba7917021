"""Loads the procedures that cases are pinned to from files, and keeps each one's compiled triage rules in memory."""

from collections.abc import Collection, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any

import orjson

from services.triage.domain.compiled_rules import TriageRules, compile_rules
from services.triage.domain.groups.counters import is_counted_around
from shared.procedures.calendars.zones import procedure_zone
from shared.procedures.loading.loader import load_installed, load_procedure
from shared.procedures.model.bound_procedure import BoundProcedure, bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.procedure_error import ProcedureError
from shared.procedures.organisation import Organisation
from shared.procedures.organisation_triage import ORGANISATION_SCOPE
from shared.runtime.errors import Rejected


class ProcedureRegistry:
    """The triage rules of each procedure version and parameters: procedures of the organisation's sources, and installed packs."""

    def __init__(self, organisation: Organisation, base_folder: Path) -> None:
        self.organisation = organisation
        self._source_procedures: dict[tuple[str, int], Procedure] = {}
        self._rules: dict[tuple[str, int, bytes], TriageRules] = {}
        self._zones: dict[tuple[str, int], tzinfo] = {}
        for source in organisation.sources:
            reference = source.procedure if source.version is None else f"{source.procedure}@{source.version}"
            procedure = load_procedure(reference, base_folder=base_folder)
            self._source_procedures[procedure.id, procedure.version] = procedure

    @property
    def source_procedures(self) -> list[Procedure]:
        """The procedures of the organisation's sources."""
        return list(self._source_procedures.values())

    def rules(self, procedure_id: str, version: int, parameters: Mapping[str, Any]) -> TriageRules:
        """The compiled rules, the same object each time.

        Raises Rejected if the procedure is not installed, `ValueError` for a condition with a syntax error.
        """
        key = (procedure_id, version, orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS))
        rules = self._rules.get(key)
        if rules is None:
            rules = self._rules[key] = compile_rules(self._bind(procedure_id, version, parameters), self.organisation)
        return rules

    def counted_around(self, procedure_id: str) -> set[str]:
        """Count entries of the procedure, in any of its versions in use, or of the organisation, with windows for each case."""
        if procedure_id == ORGANISATION_SCOPE:
            return {event.id for event in self.organisation.same_events if is_counted_around(event)}
        procedures = [rules.procedure for (known, _, _), rules in self._rules.items() if known == procedure_id]
        procedures += [procedure for (known, _), procedure in self._source_procedures.items() if known == procedure_id]
        return {entry.id for procedure in procedures for entry in procedure.counts if is_counted_around(entry)}

    def counting_scopes(self, procedures: Collection[str]) -> set[str]:
        """These scopes, and the organisation if it counts cases of one of these procedures."""
        shared = any(event.concerns(procedure) for event in self.organisation.same_events for procedure in procedures)
        return {*procedures, ORGANISATION_SCOPE} if shared else set(procedures)

    def zone(self, procedure: Procedure) -> tzinfo:
        """The zone of the procedure's calendar."""
        key = (procedure.id, procedure.version)
        if key not in self._zones:
            self._zones[key] = procedure_zone(procedure, self.organisation)
        return self._zones[key]

    def _bind(self, procedure_id: str, version: int, parameters: Mapping[str, Any]) -> BoundProcedure:
        try:
            procedure = self._source_procedures.get((procedure_id, version)) or load_installed(procedure_id, version)
            return bind_parameters(procedure, parameters)
        except ProcedureError as error:
            raise Rejected(f"procedure {procedure_id[:100]}@{version} cannot be used here: is it installed?") from error
