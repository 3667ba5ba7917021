"""In a rolling upgrade an older process counts cases by the newer calendars that they have been counted by."""

from __future__ import annotations

from typing import Any, cast

import pytest

from services.sla.application.rulebooks import RulebookRegistry
from shared.procedures.organisation import Organisation
from shared.runtime.database.database import Transaction


class StoredContexts:
    """A transaction that reads the decision contexts of other processes."""

    def __init__(self, *registries: RulebookRegistry) -> None:
        self.rows = [{"calendar": each.calendar_stamp, "content": each.decision_context.content} for each in registries]
        self.reads = 0

    async def fetch(self, _: str, known: list[str]) -> list[dict[str, Any]]:
        self.reads += 1
        return [row for row in self.rows if row["calendar"] not in known]


def registry(version: str, duty_version: str = "1") -> RulebookRegistry:
    versions = {"main": version, "duty": duty_version}
    calendars = [{"id": name, "version": each, "schedule": "none"} for name, each in versions.items()]
    return RulebookRegistry(Organisation.model_validate({"id": "org", "calendar": "main", "calendars": calendars}))


@pytest.mark.parametrize(
    ("other", "expected"),
    [(("3", "1"), "3"), (("2", "1"), "2"), (("1", "1"), "2"), (("3", "0"), "2")],
    ids=["newer", "equal", "older", "one newer, one older"],
)
async def test_only_newer_calendars_are_adopted(other: tuple[str, str], expected: str) -> None:
    mine, theirs = registry("2"), registry(*other)
    before = mine.get("hunan-property", 1, {})
    await mine.adopt_newer_calendars(cast("Transaction", StoredContexts(theirs)), {theirs.calendar_stamp})
    assert mine.calendars["main"].version == expected
    after = mine.get("hunan-property", 1, {})
    assert after.worktime.calendar.version == expected
    assert (after is before) == (expected == "2")
    assert (mine.calendar_stamp == theirs.calendar_stamp) == (other[0] == expected)


async def test_contexts_are_read_once_for_each_stamp() -> None:
    mine, theirs = registry("2"), registry("1")
    stored = StoredContexts(theirs)
    for _ in range(3):
        await mine.adopt_newer_calendars(cast("Transaction", stored), {mine.calendar_stamp, theirs.calendar_stamp})
    assert stored.reads == 1
    await mine.adopt_newer_calendars(cast("Transaction", stored), {mine.calendar_stamp})
    assert stored.reads == 1
