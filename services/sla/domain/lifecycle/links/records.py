"""The links of a case to other cases, and its duplicates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CaseLink:
    """A link of the case to another one: `kind` is `duplicate`, `group`, `repeat`, `same_event` or empty, `group` that of triage."""

    case: str
    kind: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A duplicate of a lead: `dues` are the due instants that it brought for each clock, `started` the clocks that only it had running."""

    case: str
    received_at: int
    keys: list[str]
    dues: dict[str, list[int | None]]
    started: list[str]
