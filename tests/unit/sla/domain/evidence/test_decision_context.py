"""A decision context is stored without personal data and read back under the same stamp."""

import pytest

from services.sla.domain.evidence.decision_context import calendar_to_dict, capture_context, parse_context, without_names
from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.organisation import Organisation

NIGHT = {
    "id": "night",
    "version": 7,
    "zone": "Europe/Berlin",
    "schedule": "none",
    "hours": {"sat": ["00:00-24:00"], "mon": ["08:30-12:15", "13:00-17:00"]},
    "days": {"2026-12-24": "off", "2026-12-27": ["10:00-11:00"]},
    "published_until": "2026-12-31",
}
ORGANISATION = Organisation.model_validate(
    {
        "id": "estate",
        "people": [
            {"id": "li", "name": "李明", "email": "li@example.org", "phone": "13800000000", "token_sha256": "ab", "keys": {"k": "v"}}
        ],
        "sources": [{"id": "web", "procedure": "hunan-property"}],
    }
)


@pytest.mark.parametrize("calendar", [default_calendar(), Calendar.parse(NIGHT)], ids=["china", "night"])
def test_calendar_is_read_back_unchanged(calendar: Calendar) -> None:
    parsed = Calendar.parse(calendar_to_dict(calendar))
    for name in ("id", "version", "zone", "hours", "published_until"):
        assert getattr(parsed, name) == getattr(calendar, name)
    assert dict(parsed.days) == dict(calendar.days)


def test_context_is_read_back_under_the_same_stamp() -> None:
    context = capture_context(ORGANISATION, {"default": default_calendar()})
    parsed = parse_context(context.content)
    assert parsed.stamp == context.stamp
    assert capture_context(parsed.organisation, parsed.calendars).content == context.content


def test_context_has_no_contact_data_secrets_or_sources() -> None:
    content = capture_context(ORGANISATION, {"default": default_calendar()}).content
    assert not any(text in content for text in (b"example.org", b"138", b"token", b"keys", b"hunan"))


def test_context_without_names_keeps_only_the_given_names() -> None:
    context = capture_context(ORGANISATION, {})
    assert "李明".encode() not in without_names(context).content
    assert "李明".encode() in without_names(context, frozenset({"李明"})).content
