"""Lists of cases that a regulation asks for: which cases, with which columns, in which order."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from shared.procedures.model.form_layout.fields import FormLabel
from shared.procedures.model.timed_entries import TitledEntry

ListPeriod = Literal["week", "month", "quarter", "year"]
LIST_FIELDS = ("overdue", "breached", "due_at", "ended_at", "links")
"""Values of the case for columns, beside the fields of forms."""
LIST_CASE_NAMES = frozenset(
    {
        *("class", "rule", "kind", "subject", "department", "cooperating", "status", "open", "handler", "number"),
        *("received_at", "registered_at", "received_day", "accepted", "suspended", "agreed_date", *LIST_FIELDS),
        *("residents_agreed", "residents_disagreed"),
    }
)
"""The fields of `case` that conditions and columns of lists read: those that follow from the case's published events alone."""
DEFAULT_LIST_ID = "cases"


class ListColumn(FormLabel):
    """A column. Of several paths under `value`, the first that has a value is printed; they are those of a form's field.

    `expression` is a CEL expression instead, for what has to be computed, such as `count.urged`.
    """

    value: str | list[str] = Field(default_factory=list)
    expression: str = ""
    take: Literal["latest", "first", "all", "sum"] = Field(
        default="latest", description="of several events of the type: the latest, the first, all their values, or the sum of their numbers"
    )

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths, in order of preference."""
        return (self.value,) if isinstance(self.value, str) else tuple(self.value)

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if bool(self.paths) == bool(self.expression):
            raise ValueError("a column takes either value or expression; give one of them")
        return self


def _column_tag(value: Any) -> str:
    return "path" if isinstance(value, str) else "column"


AnyListColumn = Annotated[Annotated[str, Tag("path")] | Annotated[ListColumn, Tag("column")], Discriminator(_column_tag)]
"""A column, or its path alone."""


class CaseListEntry(TitledEntry):
    """A list of cases (台帐): the cases of a period for which `when` holds, a row each."""

    cases: Literal["received", "open", "ended", "active"] = Field(
        default="received",
        description="which cases belong to a period: received in it, open at its end, ended in it, or open or changed in it",
    )
    period: ListPeriod | None = Field(default=None, description="the period that one list covers; none: all cases")
    when: str | None = Field(default=None, description="CEL condition on the case; none: every case")
    columns: list[AnyListColumn] = Field(min_length=1)
    order: list[str] = Field(
        default=["received_at"], description="the paths by which rows are ordered; a minus sign before one turns its order around"
    )

    @property
    def expanded_columns(self) -> list[ListColumn]:
        """The columns as models."""
        return [ListColumn(value=column) if isinstance(column, str) else column for column in self.columns]


DEFAULT_LIST = CaseListEntry(
    id=DEFAULT_LIST_ID,
    zh="投诉台帐",
    en="Ledger of complaints",
    columns=[
        *("number", "received_at", "channel", "kind", "class", "subject", "complainant.name", "complainant.enterprise"),
        *("complainant.household", "against", "title", "text", "department", "handler", "due_at", "overdue"),
        *("handled.at", "called_back.outcome", "evaluated.at", "status", "ended_at"),
    ],
)
"""The list that every procedure has, unless it declares one of this id."""


def find_list(lists: Sequence[CaseListEntry], list_id: str) -> CaseListEntry | None:
    """A procedure's list by id; None if there is none."""
    own = next((entry for entry in lists if entry.id == list_id), None)
    return DEFAULT_LIST if own is None and list_id == DEFAULT_LIST_ID else own


def list_ids(lists: Sequence[CaseListEntry]) -> list[str]:
    """The ids of a procedure's lists, that of the default one last."""
    return list(dict.fromkeys([*(entry.id for entry in lists), DEFAULT_LIST_ID]))
