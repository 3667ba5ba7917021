"""A problem that a check reports, with its path in the file."""

from dataclasses import dataclass

from shared.procedures.model.entry_list import YamlPath
from shared.procedures.model.procedure_error import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem at `yaml_path` of procedure.yaml, or of clauses.yaml; `message` names the remedy."""

    yaml_path: YamlPath
    message: str
    severity: Severity = "error"
    in_clauses_file: bool = False
