"""Why an action is refused."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ActionRefusal:
    """Why an action is refused: the reason with its remedy, and the clauses of the broken rules; `late` after a deemed event."""

    reason: str
    clauses: list[str] = field(default_factory=list)
    rule: str = ""
    late: bool = False
