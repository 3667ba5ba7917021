"""The procedures that cases are pinned to, with their parameters and zones; reads files once, then answers from memory."""

from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any

import orjson

from shared.procedures.calendars.zones import procedure_zone
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.bound_procedure import BoundProcedure, bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.procedure_error import ProcedureError
from shared.procedures.organisation import Organisation
from shared.runtime.errors import Rejected


class ProcedureRegistry:
    """Procedures by id and version: those of the organisation's sources (which may be files of its own), and the installed packs."""

    def __init__(self, organisation: Organisation, base: Path) -> None:
        self.organisation = organisation
        self._own: dict[tuple[str, int], Procedure] = {}
        self._bound: dict[tuple[str, int, bytes], BoundProcedure] = {}
        self._zones: dict[tuple[str, int], tzinfo] = {}
        for source in organisation.sources:
            procedure = load_procedure(
                source.procedure if source.version is None else f"{source.procedure}@{source.version}", base_folder=base
            )
            self._own[procedure.id, procedure.version] = procedure

    def bound_procedure(self, procedure: str, version: int, parameters: Mapping[str, Any]) -> BoundProcedure:
        """The same object for the same procedure, version and parameters. Raises Rejected for one that is not installed."""
        name = (procedure, version, orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS))
        found = self._bound.get(name)
        if found is None:
            found = self._bound[name] = self._bind(procedure, version, parameters)
        return found

    def zone(self, procedure: Procedure) -> tzinfo:
        """The zone of the procedure's calendar."""
        name = (procedure.id, procedure.version)
        if name not in self._zones:
            self._zones[name] = procedure_zone(procedure, self.organisation)
        return self._zones[name]

    def _bind(self, procedure: str, version: int, parameters: Mapping[str, Any]) -> BoundProcedure:
        try:
            return bind_parameters(self._own.get((procedure, version)) or load_procedure(f"{procedure}@{version}"), parameters)
        except ProcedureError as error:
            raise Rejected(f"procedure {procedure[:100]}@{version} cannot be used here: is it installed?") from error
