"""Clause ids: which is finer than which, and how they are sorted."""

import re

from shared.procedures.model.timed_entries import Clause


def listed(clause: Clause | None) -> tuple[str, ...]:
    """An entry's clause ids: none, one or several."""
    return () if clause is None else (clause,) if isinstance(clause, str) else tuple(clause)


def counts_for(clause: str, wanted: str) -> bool:
    """Whether a clause is the wanted one or finer: `3.5.1.2` counts for `3.5.1`, `7(3)(5)` for `7(3)`; not the other way round."""
    return clause == wanted or (bool(wanted) and clause.startswith(wanted) and clause[len(wanted)] in ".(")


def order(clause: str) -> list[tuple[int, int, str]]:
    """A sort key that puts 3.10 after 3.9."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|[^\d.]+", clause)]
