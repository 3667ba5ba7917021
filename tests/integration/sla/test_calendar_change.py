"""A new calendar moves the armed deadlines of open cases, each with an event, and what was provisional becomes definitive."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from shared.runtime.service import Service
from tests.integration.sla.harness import CALENDAR, SlaHarness, write_organisation
from tests.integration.sla.recorded_cases import CommandLine, wait_for_events
from tests.support.waiting import wait_for


def calendar(version: str, **changes: Any) -> list[dict[str, Any]]:
    return [CALENDAR | {"version": version} | changes]


async def bodies(service: Service, case: str, kind: str) -> list[dict[str, Any]]:
    async with service.database.transaction() as tx:
        rows = await tx.fetch("SELECT body FROM ledger WHERE case_id = $1 AND type = $2 ORDER BY sequence", case, kind)
    return [orjson.loads(row["body"]) for row in rows]


async def test_deadlines_move_to_a_new_calendar_after_a_restart(
    office: SlaHarness, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    today = datetime.now(UTC).date()
    file = office.settings.organisation
    write_organisation(file, calendars=calendar("1", published_until=str(today + timedelta(days=1))))
    async with office.build().running() as service:
        await office.send_first_decision("open")
        await office.send_first_decision("ended")
        await office.send_action("ended", "withdraw", reason="客户撤回")
        await wait_for_events(service, "open", "clock_started")
        await wait_for_events(service, "ended", "withdrawn")
        started = {each["clock"]: each for each in await bodies(service, "open", "clock_started") if "due_at" in each}
        guessed = [name for name, each in started.items() if each.get("provisional")]
        assert guessed
    off = {str(today + timedelta(days=day)): "off" for day in range(2, 12)}
    write_organisation(file, calendars=calendar("2", published_until=str(today + timedelta(days=400)), days=off))
    async with office.build().running() as service:
        await office.send_action("open", "contact", text="已联系")  # an action that comes before the recount does not hide the case from it
        moved = await wait_for(lambda: bodies(service, "open", "clock_moved"), what="the moved deadlines", deadline=40)
        assert {each["reason"] for each in moved} == {"calendar"}
        for each in moved:
            assert each["from_at"] == started[each["clock"]]["due_at"]
            assert each["due_at"] > each["from_at"]
            assert not each.get("provisional")
        assert {each["clock"] for each in moved} >= set(guessed)
        assert not await bodies(service, "ended", "clock_moved")
    replay = await CommandLine(monkeypatch, database_url)("replay", "--verify")
    assert replay.exit_code == 0, replay.output
