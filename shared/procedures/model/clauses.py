"""Clause ids: which is finer than which, and how they are sorted."""

import re

from shared.procedures.model.timed_entries import ClauseIds


def clause_ids(clause: ClauseIds | None) -> tuple[str, ...]:
    """An entry's clause ids: none, one or several."""
    return () if clause is None else (clause,) if isinstance(clause, str) else tuple(clause)


def is_clause_or_subclause(clause: str, parent: str) -> bool:
    """Whether a clause is the wanted one or finer: `3.5.1.2` counts for `3.5.1`, `7(3)(5)` for `7(3)`; not the other way round."""
    return clause == parent or (bool(parent) and clause.startswith(parent) and clause[len(parent)] in ".(")


def clause_sort_key(clause: str) -> list[tuple[int, int, str]]:
    """A sort key that puts 3.10 after 3.9."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|[^\d.]+", clause)]
