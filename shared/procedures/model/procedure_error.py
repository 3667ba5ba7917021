"""Problems of a procedure or an organisation file, with line and clause."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A problem in a file; `line` counts from 1, `clause` may be empty, `message` names the remedy."""

    file: str
    line: int
    clause: str
    message: str
    level: Severity = "error"

    def __str__(self) -> str:
        where = f"clause {self.clause}: " if self.clause else ""
        return f"{self.file}:{self.line}: {where}{self.message}"


class ProcedureError(ValueError):
    """A procedure, its clauses or an organisation file cannot be used; `problems` lists the reasons."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)

    def in_one_line(self) -> str:
        """The first problem, and how many there are besides."""
        first, *others = map(str, self.problems)
        return f"{first} (and {len(others)} more problems)" if others else first
