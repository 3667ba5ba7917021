"""A new calendar moves the deadlines of open cases, each with an event; provisional deadlines become definitive."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.sla.application.cases import UpdateCases
from services.sla.application.identity import IdentityRegistry
from services.sla.application.rulebooks import RulebookRegistry
from shared.procedures.loading.loader import load_organisation
from shared.runtime.service import Service
from tests.integration.sla.recorded_cases import CommandLine, wait_for_events
from tests.integration.sla.sla_harness import CALENDAR, SlaHarness, write_organisation
from tests.support.waiting import wait_for


def calendar(version: str, **changes: Any) -> list[dict[str, Any]]:
    return [CALENDAR | {"version": version} | changes]


async def event_bodies(service: Service, case: str, kind: str) -> list[dict[str, Any]]:
    async with service.database.transaction() as tx:
        rows = await tx.fetch("SELECT body FROM ledger WHERE case_id = $1 AND type = $2 ORDER BY sequence", case, kind)
    return [orjson.loads(row["body"]) for row in rows]


async def test_restart_with_a_new_calendar_moves_deadlines_of_open_cases(
    harness: SlaHarness, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    today = datetime.now(UTC).date()
    file = harness.settings.organisation
    write_organisation(file, calendars=calendar("1", published_until=str(today + timedelta(days=1))))
    async with harness.build().running() as service:
        await harness.send_first_decision("open")
        await harness.send_first_decision("ended")
        await harness.send_action("ended", "withdraw", reason="客户撤回")
        await wait_for_events(service, "open", "clock_started")
        await wait_for_events(service, "ended", "withdrawn")
        started = {event["clock"]: event for event in await event_bodies(service, "open", "clock_started") if "due_at" in event}
        provisional = {clock for clock, event in started.items() if event.get("provisional")}
        assert provisional
    off = {str(today + timedelta(days=day)): "off" for day in range(2, 12)}
    write_organisation(file, calendars=calendar("2", published_until=str(today + timedelta(days=400)), days=off))
    async with harness.build().running() as service:
        await harness.send_action("open", "contact", text="已联系")  # an action before the recalculation does not exclude the case from it
        moved = await wait_for(lambda: event_bodies(service, "open", "clock_moved"), what="the moved deadlines", deadline=40)
        assert {event["reason"] for event in moved} == {"calendar"}
        for event in moved:
            assert event["from_at"] == started[event["clock"]]["due_at"]
            assert event["due_at"] > event["from_at"]
            assert not event.get("provisional")
        assert {event["clock"] for event in moved} >= provisional
        assert not await event_bodies(service, "ended", "clock_moved")
    replay = await CommandLine(monkeypatch, database_url)("replay", "--verify")
    assert replay.exit_code == 0, replay.output


async def recount(service: Service, file: Path, version: str, **changes: Any) -> int:
    """How many cases a process with this version of the calendar counts again."""
    organisation = load_organisation(write_organisation(file, calendars=calendar(version, **changes)))
    cases = UpdateCases(RulebookRegistry(organisation), IdentityRegistry(organisation), service.clock)
    return await cases.recalculate_outdated(service.database)


async def test_two_processes_with_two_versions_do_not_flip_cases(harness: SlaHarness, tmp_path: Path) -> None:
    write_organisation(harness.settings.organisation, calendars=calendar("2026.2"))
    off = {str(datetime.now(UTC).date() + timedelta(days=day)): "off" for day in range(2, 12)}
    file = tmp_path / "other.yaml"
    async with harness.build().running() as service:
        await harness.send_first_decision("open")
        await wait_for_events(service, "open", "clock_started")
        assert await recount(service, file, "2026", days=off) == 0
        assert await recount(service, file, "2026.2", days=off) == 0
        assert not await event_bodies(service, "open", "clock_moved")
        assert await recount(service, file, "2026.10", days=off) == 1
        moved = await event_bodies(service, "open", "clock_moved")
        assert moved
        # The process that was started first has the older file: its next decision counts by the newer calendar and moves nothing back.
        await harness.send_action("open", "contact", text="已联系")
        await wait_for_events(service, "open", "contacted")
        assert len(await event_bodies(service, "open", "clock_moved")) == len(moved)
        assert await recount(service, file, "2026.10", days=off) == 0
        assert await recount(service, file, "2026.2") == 0
        assert await event_bodies(service, "open", "clock_moved") == moved


async def test_recount_without_a_moved_deadline_is_followed_by_a_newer_one(harness: SlaHarness, tmp_path: Path) -> None:
    write_organisation(harness.settings.organisation, calendars=calendar("1"))
    file = tmp_path / "other.yaml"
    async with harness.build().running() as service:
        await harness.send_first_decision("open")
        await wait_for_events(service, "open", "clock_started")
        assert [await recount(service, file, version) for version in ("2", "3", "1")] == [1, 1, 0]
        assert not await event_bodies(service, "open", "clock_moved")
