"""After an outage a service reports since when it was away, what it missed, and when it had caught up."""

from datetime import UTC, datetime, timedelta

from shared.contracts.operations.heartbeats import StartReport
from shared.runtime.database.database import Database
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.integration.runtime.probe_service import ProbeHandler, ProbeSender, build_service, stored_notes, wait_for_notes
from tests.support.waiting import wait_for


def make_service(settings: RuntimeSettings) -> Service:
    handler = ProbeHandler()
    service = build_service(settings, handler)
    service.add_timers(handler.lock, handler.fire)
    return service


async def test_outage_is_reported_with_what_was_missed_and_how_late(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    async with make_service(probe_settings).running() as first:
        assert first.watch.reporter.report == StartReport()
        await sender.send_note("case-1", "before", due=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
        await wait_for_notes(first, ["before"])
    stopped = datetime.now(UTC)
    for number in range(3):
        await sender.send_note("case-2", f"meanwhile {number}")
    due = datetime.now(UTC)
    # Moved while nobody runs: a fixed wait would be too short for a service that starts slowly.
    database = Database(probe_settings, "probe")
    async with database.transaction() as tx:
        await tx.execute("UPDATE timer SET due_at = $1", due)
    await database.close()
    async with make_service(probe_settings).running() as second:
        found = second.watch.reporter.report
        assert found is not None
        assert found.away_since is not None
        assert stopped - timedelta(seconds=5) < found.away_since <= stopped + timedelta(seconds=1)

        def completed() -> StartReport | None:
            report = second.watch.reporter.report
            return report if report is not None and report.caught_up_at is not None else None

        report = await wait_for(completed)
        assert report is not None
        assert (report.missed_timers, report.missed_records) == (1, 3)
        assert report.oldest_timer_due == due
        assert report.late_seconds > 0
        assert "fired" in await stored_notes(second)
