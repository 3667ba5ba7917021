"""The organisation and calendars that decisions are made with, as content that is stored under its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from shared.procedures.calendars.calendar import WEEKDAYS, Calendar, MinuteInterval
from shared.procedures.organisation import Organisation

_EXCLUDED_FIELDS: Any = {
    "calendars": True,
    "sources": True,
    "routing": True,
    "people": {"__all__": {"email", "phone", "token_sha256", "keys"}},
}
"""Fields of an organisation that no decision on a case reads: contact data, secrets, and what only intake and triage use."""


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """Organisation and calendars, their canonical JSON, and the stamp that ledger rows carry: the start of its SHA-256."""

    organisation: Organisation
    calendars: dict[str, Calendar]
    stamp: str
    content: bytes


def capture_context(organisation: Organisation, calendars: Mapping[str, Calendar]) -> DecisionContext:
    """The context of decisions made with this organisation and these calendars."""
    data = {
        "organisation": organisation.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=_EXCLUDED_FIELDS),
        "calendars": {name: calendar_to_dict(calendar) for name, calendar in calendars.items()},
    }
    content = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    return DecisionContext(organisation, dict(calendars), _stamp(content), content)


def parse_context(content: bytes) -> DecisionContext:
    """A context from its stored content; raises `ValueError` (pydantic's included) or `KeyError` for other content."""
    data = orjson.loads(content)
    calendars = {name: Calendar.parse(calendar) for name, calendar in data["calendars"].items()}
    organisation = Organisation.model_validate({"id": "unnamed", **data["organisation"]})
    return DecisionContext(organisation, calendars, _stamp(content), content)


def without_names(context: DecisionContext, kept_names: frozenset[str] = frozenset()) -> DecisionContext:
    """The context without the names of people, except these, under a stamp of its own."""
    people = [person if person.name in kept_names else person.model_copy(update={"name": ""}) for person in context.organisation.people]
    return capture_context(context.organisation.model_copy(update={"people": people}), context.calendars)


def calendar_to_dict(calendar: Calendar) -> dict[str, Any]:
    """A calendar as `Calendar.parse` reads it, with every exception listed, so that no published schedule is needed."""
    days = {day.isoformat(): _format_intervals(intervals) if intervals else "off" for day, intervals in calendar.days.items()}
    hours = {name: _format_intervals(intervals) for name, intervals in zip(WEEKDAYS, calendar.hours, strict=True) if intervals}
    return {
        "id": calendar.id,
        "version": calendar.version,
        "zone": calendar.zone.key,
        "schedule": "none",
        "hours": hours,
        "days": days,
        "published_until": None if calendar.published_until is None else str(calendar.published_until),
    }


def _format_intervals(intervals: Sequence[MinuteInterval]) -> list[str]:
    return [f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}" for start, end in intervals]


def _stamp(content: bytes) -> str:
    # 64 bits suffice to tell apart the contexts of one deployment, a few a year, and every ledger row carries them.
    return hashlib.sha256(content).hexdigest()[:16]
