"""One thing that a check found, by the way to its place in the file."""

from dataclasses import dataclass

from shared.procedures.inventory import Way
from shared.procedures.problem import Level


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at `way` and what would be right; `clauses` if the place is in clauses.yaml rather than procedure.yaml."""

    way: Way
    message: str
    level: Level = "error"
    clauses: bool = False
