"""Carries out what procedures do without a case: reports, checks and seals, each once a period, and tells whoever owes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog

from services.sla import metrics
from services.sla.application.case_batch import EVENT_SOURCE
from services.sla.application.cases import DUTY_KEY_PREFIX
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.deadlines.worktime import Worktime, from_micros, to_micros
from services.sla.domain.evidence.case_history import case_timeline
from services.sla.domain.reports.duty_schedule import REPORT_PERIODS, ScheduledDuty, duties_due_between, next_duty_due, period_bounds
from services.sla.domain.reports.statistics import CaseTimeline, ReportingPeriod, StatisticsCollector
from services.sla.storage import ledgers
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events import encode_event
from shared.contracts.events.notifications import NotificationRequested
from shared.contracts.topics import CASE_EVENTS
from shared.procedures.model.procedure import Procedure
from shared.runtime.clock import Clock, uuid7
from shared.runtime.database.database import Database, Transaction
from shared.runtime.outbox import outbox
from shared.runtime.process.supervision import sleep_or_stop
from shared.runtime.service import Service

_LONGEST_PAUSE = 30.0
_MAX_TIMER_WAIT_SECONDS = 60.0
"""Real seconds that a report waits for timers that are still to be carried out for its period."""
_FIRST_RECEIVED_AT = "SELECT min(received_at) FROM cases WHERE procedure = $1"
_COMPLETED_PERIODS = "SELECT duty, period FROM duty WHERE procedure = $1"
_PENDING_TIMER = "SELECT 1 FROM timer WHERE due_at <= $1 LIMIT 1"
_CLAIM = """
INSERT INTO duty (procedure, duty, period, carried_out_at, report) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING duty
"""
_CASES = """
SELECT id FROM cases c WHERE procedure = $1 AND received_at < $2 AND id > $4 AND (status = 'open' OR received_at >= $3
    OR EXISTS (SELECT FROM ledger e WHERE e.case_id = c.id AND e.at >= $3))
ORDER BY id LIMIT $5
"""
_EVENTS = "SELECT case_id, body FROM ledger WHERE case_id = ANY($1::text[]) ORDER BY case_id, sequence"
_PAGE = 500
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CompletedDuty:
    """A duty that was carried out: for which period, when, with which report."""

    procedure: str
    duty: str
    period: datetime
    carried_out_at: datetime
    report: dict[str, Any]


class DutyRunner:
    """The duties of every procedure that some source of the organisation uses."""

    def __init__(self, rulebooks: RulebookRegistry, database: Database, clock: Clock) -> None:
        self._rulebooks = rulebooks
        self._database = database
        self._clock = clock
        self._procedures = [procedure for procedure in rulebooks.procedures_in_use if procedure.duties]

    async def run(self, stop: asyncio.Event) -> None:
        """Carry out what falls due until `stop`."""
        while not stop.is_set():
            await self.run_once()
            await sleep_or_stop(stop, self._wait())

    async def run_once(self) -> int:
        """Carry out what is due now and was not yet; gives how many duties."""
        return sum([await self._carry_out(procedure) for procedure in self._procedures])

    async def _carry_out(self, procedure: Procedure) -> int:
        now, worktime = self._clock.now(), self._worktime(procedure)
        async with self._database.transaction() as tx:
            first = await tx.fetchval(_FIRST_RECEIVED_AT, procedure.id)
            done = {(row["duty"], row["period"]) for row in await tx.fetch(_COMPLETED_PERIODS, procedure.id)}
        if first is None:  # before the first case there is nothing to report
            return 0
        due = [
            each
            for each in duties_due_between(procedure, worktime, to_micros(first), to_micros(now))
            if (each.duty.id, from_micros(each.since)) not in done
        ]
        return sum([await self._carry_out_once(procedure, worktime, each, now) for each in due])

    async def _carry_out_once(self, procedure: Procedure, worktime: Worktime, due: ScheduledDuty, now: datetime) -> bool:
        """One duty of one period, in one transaction: whoever claims it first carries it out."""
        async with self._database.transaction() as tx:
            late = (self._clock.to_real(now) - self._clock.to_real(from_micros(due.due))) / timedelta(seconds=1)
            if late < _MAX_TIMER_WAIT_SECONDS and await tx.fetchval(_PENDING_TIMER, from_micros(due.until)):
                return False
            report = await build_report(tx, procedure, worktime, due.duty.report or "month", due.until - 1)
            if due.duty.seal:
                report["seal"] = await self._seal(tx, worktime, due, now)
            claimed = await tx.fetchval(_CLAIM, procedure.id, due.duty.id, from_micros(due.since), now, orjson.dumps(report))
            if claimed is None:
                return False
            await outbox.add(tx, [self._notification(procedure, worktime, due, report, now)])
            tx.after_commit(metrics.DUTIES_TOTAL.labels(procedure.id, due.duty.id).inc)
        log.info("duty carried out", procedure=procedure.id, duty=due.duty.id, period=from_micros(due.since).isoformat())
        return True

    async def _seal(self, tx: Transaction, worktime: Worktime, due: ScheduledDuty, now: datetime) -> dict[str, Any]:
        year = worktime.to_datetime(due.since).year
        found = await ledgers.seal_year(tx, year, (from_micros(due.since), from_micros(due.until)), now)
        return {"year": year, "root": found.root.hex(), "cases": len(found.leaves)}

    def _notification(
        self, procedure: Procedure, worktime: Worktime, due: ScheduledDuty, report: dict[str, Any], now: datetime
    ) -> CloudEventRecord:
        """The request that tells whoever owes the duty, with the figures; nobody: the organisation's fallback."""
        organisation, duty, at = self._rulebooks.organisation, due.duty, worktime.to_datetime(due.due)
        persons = organisation.role_holders(duty.owner, "", at) or ((organisation.fallback,) if organisation.fallback else ())
        clauses = [duty.clause] if isinstance(duty.clause, str) else list(duty.clause or ())
        key = f"{DUTY_KEY_PREFIX}{procedure.id}:{duty.id}"
        event = NotificationRequested(
            case=key,
            at=at,
            recorded_at=now,
            procedure=procedure.id,
            version=procedure.version,
            rule=duty.id,
            clause=clauses[0] if clauses else "",
            clauses=clauses if len(clauses) > 1 else [],
            role=duty.owner,
            by=list(duty.by),
            late_by=max(0.0, (now - at).total_seconds()),
            notification=f"{key}:{worktime.to_datetime(due.since).date()}",
            recipients=[duty.owner],
            persons=list(persons),
            template="duty_report",
            about="duty_report",
            values=_values(procedure, worktime, due, report),
        )
        return CloudEventRecord(CASE_EVENTS.name, key, uuid7(), event.type, at, encode_event(event), EVENT_SOURCE)

    def _worktime(self, procedure: Procedure) -> Worktime:
        calendars, organisation = self._rulebooks.calendars, self._rulebooks.organisation
        return Worktime.for_calendar(calendars[procedure.calendar or organisation.calendar])

    def _wait(self) -> float:
        """Real seconds until the next duty is due, within bounds."""
        now = to_micros(self._clock.now())
        following = [next_duty_due(procedure, self._worktime(procedure), now) for procedure in self._procedures]
        soonest = min((self._clock.seconds_until(from_micros(at)) for at in following if at is not None), default=_LONGEST_PAUSE)
        return max(0.5, min(_LONGEST_PAUSE, soonest))


def register(service: Service, rulebooks: RulebookRegistry) -> None:
    """Carry out the duties beside the rest."""
    service.add_background_loop("duties", DutyRunner(rulebooks, service.database, service.clock).run)


async def build_report(tx: Transaction, procedure: Procedure, worktime: Worktime, period_name: str, at: int) -> dict[str, Any]:
    """The report of the week, month, quarter or year of an instant: procedure, period, figures."""
    since, until = period_bounds(worktime, REPORT_PERIODS[period_name], at)
    tally = StatisticsCollector(procedure, ReportingPeriod(since, until))
    async for each in _load_timelines(tx, procedure.id, from_micros(since), from_micros(until)):
        tally.add(each)
    period = {"kind": period_name, "from": worktime.to_datetime(since).isoformat(), "to": worktime.to_datetime(until).isoformat()}
    return {"procedure": procedure.id, "period": period, "figures": tally.to_report()}


async def _load_timelines(tx: Transaction, procedure: str, since: datetime, until: datetime) -> AsyncIterator[CaseTimeline]:
    """The cases that matter to a period, a page at a time: received before its end, and open, received or changed since its start."""
    after = ""
    while page := [row["id"] for row in await tx.fetch(_CASES, procedure, until, since, after, _PAGE)]:
        after = page[-1]
        bodies: dict[str, list[dict[str, Any]]] = {case: [] for case in page}
        for row in await tx.fetch(_EVENTS, page):
            bodies[row["case_id"]].append(orjson.loads(row["body"]))
        for case, events in bodies.items():
            yield case_timeline(case, events)


async def completed_duties(tx: Transaction, procedure: str = "") -> Sequence[CompletedDuty]:
    """The duties carried out, oldest first."""
    rows = await tx.fetch("SELECT * FROM duty WHERE $1 = '' OR procedure = $1 ORDER BY procedure, period, duty", procedure)
    return [CompletedDuty(row["procedure"], row["duty"], row["period"], row["carried_out_at"], orjson.loads(row["report"])) for row in rows]


def _values(procedure: Procedure, worktime: Worktime, due: ScheduledDuty, report: dict[str, Any]) -> dict[str, Any]:
    """What the message shows: the figures that a person wants at a glance."""
    found = report["figures"]
    return {
        "number": f"{procedure.id}/{due.duty.id}",
        "title": due.duty.zh or due.duty.id,
        "title_en": due.duty.en or due.duty.id,
        "procedure_title": procedure.title.zh,
        "procedure_title_en": procedure.title.en,
        "period_from": str(worktime.to_datetime(due.since).date()),
        "period_to": str(worktime.to_datetime(due.until - 1).date()),
        **{name: found[name] for name in ("received", "open", "closed", "refused", "withdrawn", "reopened", "deemed")},
        "breached": found["breaches"]["count"],
        "escalated": found["escalations"]["count"],
        "timely_rate": found["timely"]["rate"],
        "satisfaction_rate": found["satisfaction"]["all"]["rate"],
        "call_back_rate": found["call_back"]["rate"],
        "by_class": found["by_class"],
        "by_department": found["by_department"],
        "seal": report.get("seal", {}).get("root", ""),
    }
