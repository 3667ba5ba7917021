"""Values of a message for notify's templates.

Instants are microseconds until `in_json` writes them with the offset of the calendar's zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.procedures.model.wording import Wording

if TYPE_CHECKING:
    from services.sla.domain.deadlines.worktime import Worktime
    from services.sla.domain.lifecycle.case import Case, Event
    from shared.procedures.model.timed_entries import ClockEntry

MATTER_CHARACTERS = 40
_DANGERS = ("danger_to_persons", "danger_to_property")
_INSTANT_VALUES = frozenset({"started_at", "due_at", "received_at", "date", "until", "next_date", "agreed_date"})
_EVENT_VALUES = (
    *("missing", "text", "reason", "demands", "outcome", "date", "until", "next_date"),
    *("cause", "persons", "units", "sanction", "compensation", "amount", "household", "concealment", "place"),
)


def title_values(zh: str, en: str) -> dict[str, Any]:
    """The title of an entry; absent where the procedure gives none."""
    return {name: title for name, title in (("title", zh), ("title_en", en)) if title}


def clock_values(clock: ClockEntry, started_at: int, due_at: int | None, *, overdue: bool) -> dict[str, Any]:
    """The values of a run of a clock."""
    values = {"clock": clock.id, "started_at": started_at, **title_values(clock.zh, clock.en)}
    if due_at is not None:
        values["due_at"] = due_at
    return {**values, "overdue": True} if overdue else values


def event_values(event: Event | None) -> dict[str, Any]:
    """Values of the event that causes a message: the acting person's words, reason, demands, dates."""
    if event is None:
        return {}
    values = {name: event.data[name] for name in _EVENT_VALUES if event.data.get(name)}
    # `result` is the result of the handling.
    return {**values, "call_result": event.data["result"]} if event.data.get("result") else values


def wording_values(wording: Wording | None, case: Case) -> dict[str, Any]:
    """The wording of the entry, and the words of earlier events that it names."""
    if wording is None:
        return {}
    values = {"wording": wording.zh, "wording_en": wording.en}
    for placeholder in wording.history():
        occurred = [case.last[event_type] for event_type in placeholder.of if event_type in case.last]
        if occurred:
            latest = max(occurred, key=lambda fields: fields["at"])
            values[placeholder.name] = latest.get(placeholder.field, "")
    return values


def case_values(case: Case) -> dict[str, Any]:
    """Values of the case for every message."""
    return {
        "number": case.number,
        "class": case.class_,
        "department": case.department,
        "matter": matter_line(case.complaint),
        "received_at": case.received_at,
        # notify lets such a message wait for no digest and no morning.
        **({"danger": True} if any(case.facts.get(fact) for fact in _DANGERS) else {}),
    }


def matter_line(complaint: dict[str, Any]) -> str:
    """The complaint's title, else the beginning of its text, on one line."""
    # Wordings put the matter into a sentence of theirs, so that its own full stop would stand twice.
    line = " ".join(str(complaint.get("title") or complaint.get("text") or "").split()).rstrip("。．.；;，, ")
    return line if len(line) <= MATTER_CHARACTERS else line[: MATTER_CHARACTERS - 1] + "…"


def in_json(values: dict[str, Any], worktime: Worktime) -> dict[str, Any]:
    """The values with instants as ISO text: a template reads JSON."""
    return {
        name: worktime.to_datetime(value).isoformat() if name in _INSTANT_VALUES and isinstance(value, int) else value
        for name, value in values.items()
    }
