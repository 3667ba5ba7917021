"""Duties of procedures on real servers: one report a period, a notification to its owner, and the figures on the command line."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from services.sla.application.periodic_reports import DutyRunner
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.deadlines.worktime import Worktime
from shared.contracts.topics import CASE_EVENTS
from shared.procedures.loading.loader import load_organisation
from shared.procedures.model.procedure import Procedure
from shared.runtime.service import Service
from tests.integration.sla.recorded_cases import CommandLine, wait_for_events
from tests.integration.sla.sla_harness import SlaHarness, write_organisation
from tests.support.messaging.topic_client import open_topic_client
from tests.support.waiting import wait_for

RECEIVED_AT = datetime.now(UTC) - timedelta(days=70)
WEEKLY_CHECK = "weekly_check"


async def completed_duties(service: Service) -> list[tuple[str, datetime]]:
    async with service.database.transaction() as tx:
        return [(row["duty"], row["period"]) for row in await tx.fetch("SELECT duty, period FROM duty ORDER BY duty, period")]


async def start_duties_at(service: Service, since: datetime) -> None:
    """Let the procedure's duties have begun at an instant, as after an outage since then."""
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE duty_start SET since = $1", since)


async def duty_notifications(harness: SlaHarness) -> list[dict[str, Any]]:
    async with open_topic_client(harness.settings) as kafka:
        events = await kafka.read_events(CASE_EVENTS)
    return [body | {"key": key} for kind, key, body in events if kind == "notification_requested" and key.startswith("duty:")]


@pytest.fixture
def jiesu(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    return CommandLine(monkeypatch, database_url)


async def test_duty_is_carried_out_once_per_period_by_two_processes_and_after_a_restart(harness: SlaHarness, jiesu: CommandLine) -> None:
    async with harness.build().running() as service:
        await harness.send_first_decision("old-1", RECEIVED_AT, facility_failure=True)
        await harness.send_first_decision("old-2", RECEIVED_AT)
        await harness.send_action("old-2", "withdraw", reason="客户撤回")
        await wait_for_events(service, "old-1", "clock_breached")
        await wait_for_events(service, "old-2", "withdrawn")
        assert await completed_duties(service) == []
        await start_duties_at(service, RECEIVED_AT)
    async with harness.build().running() as service, harness.build().running():
        await wait_for(lambda: nine_weekly_checks(service), what="nine weekly checks", deadline=60)
        sent = await wait_for(lambda: one_notification_per_duty(harness, service), what="a notification of each duty", deadline=30)
    async with harness.build().running() as service:
        await wait_for_events(service, "old-1", "clock_breached")
        duties = [duty for duty, _ in await completed_duties(service)]
        assert await one_notification_per_duty(harness, service) == sent
    assert duties.count(WEEKLY_CHECK) >= 9
    assert duties.count("monthly_report") >= 2
    assert {event["key"] for event in sent} >= {"duty:hunan-property:weekly_check", "duty:hunan-property:monthly_report"}
    assert len({event["notification"] for event in sent}) == len(sent)
    monthly = next(event for event in sent if event["rule"] == "monthly_report")
    assert (monthly["template"], monthly["recipients"], monthly["persons"], monthly["clause"]) == (
        "duty_report",
        ["supervisor"],
        ["li"],
        "3.6",
    )
    assert {"received", "breached", "timely_rate", "period_from"} <= monthly["values"].keys()
    await assert_stored_reports(jiesu, len(duties))
    await assert_monthly_report(jiesu)


async def nine_weekly_checks(service: Service) -> list[tuple[str, datetime]]:
    duties = await completed_duties(service)
    return duties if sum(name == WEEKLY_CHECK for name, _ in duties) >= 9 else []


async def one_notification_per_duty(harness: SlaHarness, service: Service) -> list[dict[str, Any]]:
    notifications, duties = await duty_notifications(harness), await completed_duties(service)
    return notifications if len(notifications) >= len(duties) else []


async def assert_stored_reports(jiesu: CommandLine, expected: int) -> None:
    stored = await jiesu("report", "--stored", "--json")
    assert stored.exit_code == 0, stored.output
    rows = json.loads(stored.stdout)
    assert len({(row["duty"], row["period"]["from"]) for row in rows}) == len(rows) == expected
    weekly = [row for row in rows if row["duty"] == WEEKLY_CHECK]
    assert all(earlier["period"]["to"] == later["period"]["from"] for earlier, later in pairwise(weekly))


async def assert_monthly_report(jiesu: CommandLine) -> None:
    result = await jiesu("report", "month", "--procedure", "hunan-property", "--at", RECEIVED_AT.date(), "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)["figures"]
    assert figures["received"] == 2
    assert figures["by_class"] == {"valid": 2}
    assert figures["breaches"]["count"] >= 1
    assert sum(figures["time"]["by_reason"].values()) == figures["time"]["elapsed"] > 0
    chinese = await jiesu("report", "month", "--procedure", "hunan-property", "--at", RECEIVED_AT.date())
    assert "受理: 2" in chinese.stdout
    english = await jiesu("report", "month", "--procedure", "hunan-property", "--at", RECEIVED_AT.date(), "--language", "en")
    assert "Received: 2" in english.stdout
    assert (await jiesu("report", "month")).exit_code == 2
    assert (await jiesu("report", "month", "--procedure", "no-such")).exit_code == 2


async def test_year_is_sealed_when_it_is_over(harness: SlaHarness) -> None:
    year = datetime.now(UTC).year - 1
    async with harness.build().running() as service:
        await harness.send_first_decision("past", datetime(year, 12, 30, 2, tzinfo=UTC))
        await wait_for_events(service, "past", "registered")
        await start_duties_at(service, datetime(year, 12, 30, 2, tzinfo=UTC))
    async with harness.build().running() as service:

        async def sealed_year() -> Any:
            async with service.database.transaction() as tx:
                return await tx.fetchrow("SELECT s.root, d.report FROM seal s, duty d WHERE s.year = $1 AND d.duty = 'yearly_seal'", year)

        row = await wait_for(sealed_year, what="the seal", deadline=60)
        assert json.loads(row["report"])["seal"]["root"] == row["root"].hex()


class _BrokenRunner(DutyRunner):
    """A runner to which the calendar of one procedure is a fault."""

    def _worktime(self, procedure: Procedure) -> Worktime:
        if procedure.id == "channel-partners":
            raise LookupError("no such calendar")
        return super()._worktime(procedure)


async def test_duties_begin_at_the_first_registration_and_a_fault_of_one_procedure_stops_no_other(harness: SlaHarness) -> None:
    organisation = {"sources": [{"id": "partners", "procedure": "channel-partners"}, {"id": "hotline", "procedure": "hunan-property"}]}
    write_organisation(harness.settings.organisation, **organisation)
    async with harness.build().running() as service:
        await harness.send_first_decision("ancient", datetime(2001, 6, 1, 2, tzinfo=UTC))
        await wait_for_events(service, "ancient", "registered")
        rulebooks = RulebookRegistry(
            load_organisation(harness.settings.organisation), procedure_folder=harness.settings.organisation.parent
        )
        runner = _BrokenRunner(rulebooks, service.database, service.clock)
        assert await runner.run_once() == 0
        assert await completed_duties(service) == []
        await start_duties_at(service, datetime.now(UTC) - timedelta(days=30))
        await runner.run_once()
        assert {duty for duty, _ in await completed_duties(service)} >= {WEEKLY_CHECK}
