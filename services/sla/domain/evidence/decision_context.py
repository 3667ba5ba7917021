"""The decision context: the organisation and calendars of a decision, serialised so that a replay can use them later."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from shared.procedures.calendars.calendar import WEEKDAYS, Calendar, format_interval, version_parts
from shared.procedures.organisation import Organisation

_EXCLUDED_FIELDS: Any = {
    "calendars": True,
    "sources": True,
    "routing": True,
    "people": {"__all__": {"email", "phone", "token_sha256", "keys"}},
}
"""Fields that no decision on a case reads: addresses, secrets, and what only intake and triage use."""


CalendarVersions = dict[tuple[str, str], tuple[int, ...]]
"""Name and id of a calendar → the numbers of its version."""


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """Organisation and calendars; `content` is their canonical JSON, `stamp` its hash, which every ledger row has."""

    organisation: Organisation
    calendars: dict[str, Calendar]
    stamp: str
    content: bytes


def capture_context(organisation: Organisation, calendars: Mapping[str, Calendar]) -> DecisionContext:
    """The decision context of decisions made now."""
    data = {
        "organisation": organisation.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=_EXCLUDED_FIELDS),
        "calendars": {name: calendar_to_dict(calendar) for name, calendar in calendars.items()},
    }
    content = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    return DecisionContext(organisation, dict(calendars), hashlib.sha256(content).hexdigest()[:16], content)


def parse_context(content: bytes) -> DecisionContext:
    """A decision context from its stored content; raises `ValueError` (also pydantic's) for other content."""
    data = orjson.loads(content)
    calendars = {name: Calendar.parse(each) for name, each in data["calendars"].items()}
    organisation = Organisation.model_validate({"id": "unnamed", **data["organisation"]})
    return DecisionContext(organisation, calendars, hashlib.sha256(content).hexdigest()[:16], content)


def calendar_versions(content: bytes) -> CalendarVersions:
    """The versions of the calendars in a stored basis, without reading its organisation."""
    calendars: dict[str, dict[str, Any]] = orjson.loads(content)["calendars"]
    return {(name, entry["id"]): version_parts(entry["version"]) for name, entry in calendars.items()}


def versions_of(calendars: Mapping[str, Calendar]) -> CalendarVersions:
    """The versions of calendars by name."""
    return {(name, calendar.id): calendar.version_parts for name, calendar in calendars.items()}


def are_newer(calendars: Mapping[str, Calendar], counted_by: CalendarVersions) -> bool:
    """Whether cases counted by `counted_by` are counted again by `calendars`: one calendar of both is newer, and none is older.

    So of two processes with different calendars at most one counts the cases of the other again.
    """
    pairs = [
        (calendar.version_parts, counted_by[name, calendar.id]) for name, calendar in calendars.items() if (name, calendar.id) in counted_by
    ]
    return any(version > counted for version, counted in pairs) and all(version >= counted for version, counted in pairs)


def without_names(context: DecisionContext, kept_names: frozenset[str] = frozenset()) -> DecisionContext:
    """The decision context without the names of people, except `kept_names`, which the case itself contains."""
    people = [person if person.name in kept_names else person.model_copy(update={"name": ""}) for person in context.organisation.people]
    return capture_context(context.organisation.model_copy(update={"people": people}), context.calendars)


def calendar_to_dict(calendar: Calendar) -> dict[str, Any]:
    """A calendar as `Calendar.parse` reads it; it includes the days of its public schedule."""
    days = {_format_day(day): [format_interval(each) for each in hours] if hours else "off" for day, hours in calendar.days.items()}
    return {
        "id": calendar.id,
        "version": calendar.version,
        "zone": calendar.zone.key,
        "schedule": "none",
        "hours": {name: [format_interval(each) for each in hours] for name, hours in zip(WEEKDAYS, calendar.hours, strict=True) if hours},
        "days": days,
        "published_until": None if calendar.published_until is None else str(calendar.published_until),
        "statutory_days": [_format_day(day) for day in sorted(calendar.statutory_days)],
    }


def _format_day(day: date) -> str:
    return day.isoformat()
