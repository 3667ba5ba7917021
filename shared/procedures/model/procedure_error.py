"""What is wrong with a procedure or an organisation file: where, in which clause, and what would be right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One thing that is wrong. `line` counts from 1; `clause` is empty where no clause is concerned; `message` says what would be right."""

    file: str
    line: int
    clause: str
    message: str
    level: Severity = "error"

    def __str__(self) -> str:
        where = f"clause {self.clause}: " if self.clause else ""
        return f"{self.file}:{self.line}: {where}{self.message}"


class ProcedureError(ValueError):
    """A procedure, its clauses or an organisation file that cannot be used; `problems` lists why, each with file, line and clause."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)
