"""Procedure data of the read model: the fields that each keeps confidential from anyone, and its limit of satisfaction."""

from __future__ import annotations

from pathlib import Path

from services.desk.domain.viewer import case_keys
from shared.procedures.loading.loader import load_installed, load_procedure
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.procedure_error import ProcedureError
from shared.procedures.organisation import Organisation

UNKNOWN = frozenset({"title", "text", "place", "object", "product", "demand"})
"""Hidden fields of a procedure that is not installed here: its rules are not known, so nothing of its texts is kept."""


DEFAULT_SATISFIED_FROM = 60
"""The least score of a satisfied complainant where the procedure is not installed here (docs/reference/events.md, rated)."""


class ConfidentialFields:
    """Hidden fields and the limit of satisfaction by procedure and version, and the keys of who sees a case."""

    def __init__(self, organisation: Organisation, base_folder: Path) -> None:
        self.organisation = organisation
        self._hidden: dict[tuple[str, int], frozenset[str]] = {}
        self._satisfied_from: dict[tuple[str, int], int] = {}
        for source in organisation.sources:
            reference = source.procedure if source.version is None else f"{source.procedure}@{source.version}"
            procedure = load_procedure(reference, base_folder=base_folder)
            self._keep((procedure.id, procedure.version), procedure)

    def hidden(self, procedure: str, version: int) -> frozenset[str]:
        """The top-level fields of a complaint that some reader may not see."""
        key = (procedure, version)
        if key not in self._hidden:
            try:
                self._keep(key, load_installed(procedure, version))
            except ProcedureError:
                self._hidden[key] = UNKNOWN
        return self._hidden[key]

    def satisfied_from(self, procedure: str, version: int) -> int:
        """The score from which on a rating counts as satisfied."""
        self.hidden(procedure, version)
        return self._satisfied_from.get((procedure, version), DEFAULT_SATISFIED_FROM)

    def seen_by(self, department: str, proposed: str, cooperating: list[str], handler: str) -> list[str]:
        """The keys of who sees a case."""
        return case_keys(self.organisation, department, proposed, cooperating, handler)

    def _keep(self, key: tuple[str, int], procedure: Procedure) -> None:
        self._hidden[key] = _hidden_fields(procedure)
        self._satisfied_from[key] = procedure.satisfied_from


def _hidden_fields(procedure: Procedure) -> frozenset[str]:
    return frozenset(field.removeprefix("complaint.") for rule in procedure.confidentiality for field in rule.hidden)
