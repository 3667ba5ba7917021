"""One thing that a check found, by the way to its place in the file."""

from dataclasses import dataclass

from shared.procedures.model.entry_list import YamlPath
from shared.procedures.model.procedure_error import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at `way` and what would be right; `clauses` if the place is in clauses.yaml rather than procedure.yaml."""

    yaml_path: YamlPath
    message: str
    severity: Severity = "error"
    in_clauses_file: bool = False
