"""The fields that a procedure keeps confidential from anyone: the read model does not hold them."""

from __future__ import annotations

from pathlib import Path

from services.desk.domain.viewer import case_keys
from shared.procedures.loading.loader import load_installed, load_procedure
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.procedure_error import ProcedureError
from shared.procedures.organisation import Organisation

UNKNOWN = frozenset({"title", "text", "place", "object", "product", "demand"})
"""Hidden fields of a procedure that is not installed here: its rules are not known, so nothing of its texts is kept."""


class ConfidentialFields:
    """Hidden fields by procedure and version, and the keys of who sees a case."""

    def __init__(self, organisation: Organisation, base_folder: Path) -> None:
        self.organisation = organisation
        self._hidden: dict[tuple[str, int], frozenset[str]] = {}
        for source in organisation.sources:
            reference = source.procedure if source.version is None else f"{source.procedure}@{source.version}"
            procedure = load_procedure(reference, base_folder=base_folder)
            self._hidden[procedure.id, procedure.version] = _hidden_fields(procedure)

    def hidden(self, procedure: str, version: int) -> frozenset[str]:
        """The top-level fields of a complaint that some reader may not see."""
        key = (procedure, version)
        if key not in self._hidden:
            try:
                self._hidden[key] = _hidden_fields(load_installed(procedure, version))
            except ProcedureError:
                self._hidden[key] = UNKNOWN
        return self._hidden[key]

    def seen_by(self, department: str, proposed: str, cooperating: list[str], handler: str) -> list[str]:
        """The keys of who sees a case."""
        return case_keys(self.organisation, department, proposed, cooperating, handler)


def _hidden_fields(procedure: Procedure) -> frozenset[str]:
    return frozenset(field.removeprefix("complaint.") for rule in procedure.confidentiality for field in rule.hidden)
