"""The filter of the inbox, as a form or a saved view holds it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Literal, get_args

State = Literal["open", "ended", "all"]
Due = Literal["", "late", "today", "three_days", "none"]
Assigned = Literal["", "me", "nobody", "others"]
MAX_VALUE = 200


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """VisibilityConditions that all hold; empty text is no condition."""

    procedure: str = ""
    class_: str = ""
    department: str = ""
    state: State = "open"
    due: Due = ""
    assigned: Assigned = ""
    escalated: str = ""
    query: str = ""

    def as_parameters(self) -> dict[str, str]:
        """The conditions that are set, by the name of their form field."""
        values = {field.name.rstrip("_"): str(getattr(self, field.name)) for field in fields(self)}
        return {name: value for name, value in values.items() if value and not (name == "state" and value == "open")}


def parse_filter(parameters: dict[str, str]) -> InboxFilter:
    """The filter of a form; a choice that does not exist counts as none, so that an old bookmark still opens a list."""

    def text(name: str) -> str:
        return parameters.get(name, "").replace("\x00", "").strip()[:MAX_VALUE]

    def choice(name: str, allowed: tuple[str, ...], default: str) -> str:
        value = parameters.get(name, default)
        return value if value in allowed else default

    return InboxFilter(
        procedure=text("procedure"),
        class_=text("class"),
        department=text("department"),
        state=choice("state", get_args(State), "open"),  # type: ignore[arg-type] # one of the literals
        due=choice("due", get_args(Due), ""),  # type: ignore[arg-type] # likewise
        assigned=choice("assigned", get_args(Assigned), ""),  # type: ignore[arg-type] # likewise
        escalated=choice("escalated", ("", "yes"), ""),
        query=text("query"),
    )


def due_bounds(due: Due, now: datetime, midnight: datetime) -> tuple[datetime | None, datetime | None]:
    """From (exclusive) and before which instant a case of this choice is due; `midnight` ends today in the reader's zone."""
    match due:
        case "late":
            return None, now
        case "today":
            return None, midnight
        case "three_days":
            return None, midnight + timedelta(days=2)
        case _:
            return None, None
