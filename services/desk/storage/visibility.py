"""The one place that decides which rows a person sees: every query of the read model takes its condition from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from services.desk.domain.viewer import Viewer
from shared.runtime.database.database import Transaction


class VisibilityConditions:
    """SQL conditions with their parameters: a statement holds only those that are given, so that each plan fits them."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.parameters: list[Any] = []

    def add(self, condition: str, *parameters: Any) -> None:
        """Add a condition; `{0}`, `{1}` in it are its parameters."""
        self.texts.append(self.place(condition, *parameters))

    def place(self, text: str, *parameters: Any) -> str:
        """The text with its parameters numbered."""
        first = len(self.parameters) + 1
        self.parameters += parameters
        return text.format(*(f"${first + number}" for number in range(len(parameters))))

    @property
    def where(self) -> str:
        """All conditions."""
        return " AND ".join(self.texts)


def visible_to(viewer: Viewer, table: str = "case_row") -> VisibilityConditions:
    """The condition on `case_row`, or on a table with the same two columns, under which the person sees a case; others are added to it.

    A case about the person, or about somebody to whom he reports, is not there for him: not in a list, a count, a search or a suggestion.
    """
    conditions = VisibilityConditions()
    if viewer.sees is not None:
        conditions.add(f"{table}.seen_by && {{0}}::text[]", list(viewer.sees))
    # Also for who sees every department: the head of the house may be the one complained about.
    conditions.add(f"NOT ({table}.against && {{0}}::text[])", list(viewer.accused_as))
    return conditions


def visible_of_own(viewer: Viewer) -> VisibilityConditions:
    """The condition of `visible_to` on cases whose handler is one of the viewer's own people: he sees all of those but the ones about him.

    Without the condition on `seen_by`, which always holds there: PostgreSQL would take its index, which has no order.
    """
    return visible_to(replace(viewer, sees=None))


async def is_visible(tx: Transaction, case_id: str, viewer: Viewer) -> bool:
    """Whether the person sees this case."""
    return case_id in await visible_cases(tx, [case_id], viewer)


async def visible_cases(tx: Transaction, case_ids: Sequence[str], viewer: Viewer) -> set[str]:
    """Those of the cases that the person sees."""
    conditions = visible_to(viewer)
    conditions.add("case_id = ANY({0}::text[])", list(case_ids))
    rows = await tx.fetch(f"SELECT case_id FROM case_row WHERE {conditions.where}", *conditions.parameters)  # noqa: S608 - our conditions
    return {row["case_id"] for row in rows}
