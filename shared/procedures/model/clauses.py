"""Clause ids: subclauses, and the order of clauses."""

import re

from shared.procedures.model.timed_entries import ClauseIds


def clause_ids(clause: ClauseIds | None) -> tuple[str, ...]:
    """The clause ids of an entry as a tuple."""
    return () if clause is None else (clause,) if isinstance(clause, str) else tuple(clause)


def is_clause_or_subclause(clause: str, parent: str) -> bool:
    """Whether a clause is `parent` or a subclause of it, as `3.5.1.2` is of `3.5.1` and `7(3)(5)` of `7(3)`."""
    return clause == parent or (bool(parent) and clause.startswith(parent) and clause[len(parent)] in ".(")


def clause_sort_key(clause: str) -> list[tuple[int, int, str]]:
    """A sort key that orders numbers by value: 3.9 before 3.10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|[^\d.]+", clause)]
