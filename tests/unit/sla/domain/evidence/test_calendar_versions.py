"""A recount goes forward only: cases are counted again by a newer version of the same calendar, and by nothing else."""

from __future__ import annotations

import pytest

from services.sla.domain.evidence.decision_context import are_newer, calendar_versions, capture_context
from shared.procedures.calendars.calendar import Calendar
from shared.procedures.organisation import Organisation


def calendars(**versions: str) -> dict[str, Calendar]:
    return {name: Calendar.parse({"id": name, "version": version, "schedule": "none"}) for name, version in versions.items()}


def counts_again(present: dict[str, Calendar], earlier: dict[str, Calendar]) -> bool:
    return are_newer(present, calendar_versions(capture_context(Organisation.model_validate({"id": "org"}), earlier).content))


@pytest.mark.parametrize(
    ("present", "earlier", "expected"),
    [
        ({"main": "2"}, {"main": "1"}, True),
        ({"main": "1"}, {"main": "2"}, False),
        ({"main": "1"}, {"main": "1"}, False),
        ({"main": "2026.2"}, {"main": "2026"}, True),
        ({"main": "2026"}, {"main": "2026.2"}, False),
        ({"main": "2026.10"}, {"main": "2026.9"}, True),
        ({"main": "2026.9"}, {"main": "2026.10"}, False),
        ({"main": "2", "duty": "1"}, {"main": "1", "duty": "1"}, True),
        ({"main": "2", "duty": "1"}, {"main": "1", "duty": "2"}, False),
        ({"main": "1", "duty": "2"}, {"main": "2", "duty": "1"}, False),
        ({"main": "1", "duty": "1"}, {"main": "1"}, False),
        ({"main": "2"}, {"main": "1", "duty": "1"}, True),
        ({"other": "2"}, {"main": "1"}, False),
    ],
)
def test_recount_goes_forward_only(present: dict[str, str], earlier: dict[str, str], expected: bool) -> None:
    assert counts_again(calendars(**present), calendars(**earlier)) is expected


def test_calendar_under_the_same_name_with_another_id_is_another_calendar() -> None:
    own, built_in = calendars(default="2"), {"default": Calendar.parse({"id": "china", "version": "1"})}
    assert counts_again(own, built_in) is False


def test_same_version_with_other_content_counts_no_case_again() -> None:
    changed = {"main": Calendar.parse({"id": "main", "version": "1", "schedule": "none", "days": {"2026-11-12": "off"}})}
    assert counts_again(changed, calendars(main="1")) is False
