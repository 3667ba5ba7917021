"""Duties of procedures on the real servers: each report once a period, told to whoever owes it, and the figures on the command line."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.topics import CASE_EVENTS
from shared.runtime.service import Service
from tests.integration.sla.harness import SlaHarness
from tests.integration.sla.recorded_cases import CommandLine, wait_for_events
from tests.support.services import open_topic_client
from tests.support.waiting import wait_for

LONG_AGO = datetime.now(UTC) - timedelta(days=70)
WEEK = "weekly_check"


async def done(service: Service) -> list[tuple[str, datetime]]:
    async with service.database.transaction() as tx:
        return [(row["duty"], row["period"]) for row in await tx.fetch("SELECT duty, period FROM duty ORDER BY duty, period")]


async def requests(office: SlaHarness) -> list[dict[str, Any]]:
    async with open_topic_client(office.settings) as kafka:
        found = await kafka.read_events(CASE_EVENTS)
    return [body | {"key": key} for kind, key, body in found if kind == "notification_requested" and key.startswith("duty:")]


@pytest.fixture
def jiesu(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    return CommandLine(monkeypatch, database_url)


async def test_each_duty_is_carried_out_once_a_period_by_two_processes_and_after_a_restart(office: SlaHarness, jiesu: CommandLine) -> None:
    async with office.build().running() as service:
        await office.send_first_decision("old-1", LONG_AGO, facility_failure=True)
        await office.send_first_decision("old-2", LONG_AGO)
        await office.send_action("old-2", "withdraw", reason="客户撤回")
        await wait_for_events(service, "old-1", "clock_breached")
        await wait_for_events(service, "old-2", "withdrawn")
    async with office.build().running() as service, office.build().running():
        await wait_for(lambda: nine(service), what="nine weekly checks", deadline=60)
        sent = await wait_for(lambda: told(office, service), what="a request for each", deadline=30)
    async with office.build().running() as service:
        await wait_for_events(service, "old-1", "clock_breached")
        weeks = [each for each, _ in await done(service)]
        assert await told(office, service) == sent
    assert weeks.count(WEEK) >= 9
    assert weeks.count("monthly_report") >= 2
    assert {each["key"] for each in sent} >= {"duty:hunan-property:weekly_check", "duty:hunan-property:monthly_report"}
    assert len({each["notification"] for each in sent}) == len(sent)
    check = next(each for each in sent if each["rule"] == "monthly_report")
    assert (check["template"], check["recipients"], check["persons"], check["clause"]) == ("duty_report", ["supervisor"], ["li"], "3.6")
    assert {"received", "breached", "timely_rate", "period_from"} <= check["values"].keys()
    await listed(jiesu, len(weeks))
    await reported(jiesu)


async def nine(service: Service) -> list[tuple[str, datetime]]:
    found = await done(service)
    return found if sum(name == WEEK for name, _ in found) >= 9 else []


async def told(office: SlaHarness, service: Service) -> list[dict[str, Any]]:
    found, expected = await requests(office), await done(service)
    return found if len(found) >= len(expected) else []


async def listed(jiesu: CommandLine, expected: int) -> None:
    stored = await jiesu("report", "--stored", "--json")
    assert stored.exit_code == 0, stored.output
    rows = json.loads(stored.stdout)
    assert len({(each["duty"], each["period"]["from"]) for each in rows}) == len(rows) == expected
    weeks = [each for each in rows if each["duty"] == WEEK]
    assert all(one["period"]["to"] == other["period"]["from"] for one, other in pairwise(weeks))


async def reported(jiesu: CommandLine) -> None:
    found = await jiesu("report", "month", "--procedure", "hunan-property", "--at", LONG_AGO.date(), "--json")
    assert found.exit_code == 0, found.output
    figures = json.loads(found.stdout)["figures"]
    assert figures["received"] == 2
    assert figures["by_class"] == {"valid": 2}
    assert figures["breaches"]["count"] >= 1
    assert sum(figures["time"]["by_reason"].values()) == figures["time"]["elapsed"] > 0
    text = await jiesu("report", "month", "--procedure", "hunan-property", "--at", LONG_AGO.date())
    assert "受理: 2" in text.stdout
    english = await jiesu("report", "month", "--procedure", "hunan-property", "--at", LONG_AGO.date(), "--language", "en")
    assert "Received: 2" in english.stdout
    assert (await jiesu("report", "month")).exit_code == 2
    assert (await jiesu("report", "month", "--procedure", "no-such")).exit_code == 2


async def test_the_year_is_sealed_when_it_is_over(office: SlaHarness) -> None:
    year = datetime.now(UTC).year - 1
    async with office.build().running() as service:
        await office.send_first_decision("past", datetime(year, 12, 30, 2, tzinfo=UTC))
        await wait_for_events(service, "past", "registered")
    async with office.build().running() as service:

        async def sealed() -> Any:
            async with service.database.transaction() as tx:
                return await tx.fetchrow("SELECT s.root, d.report FROM seal s, duty d WHERE s.year = $1 AND d.duty = 'yearly_seal'", year)

        row = await wait_for(sealed, what="the seal", deadline=60)
        assert json.loads(row["report"])["seal"]["root"] == row["root"].hex()
