"""Builds the reports and seals that procedures require per period, each once, and requests a notification with the figures."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from services.sla import metrics
from services.sla.application.event_messages import EVENT_SOURCE
from services.sla.application.lists.row_collection import ListReader
from services.sla.application.reports.frozen_lists import freeze_list
from services.sla.application.reports.improvement_figures import improvement_figures
from services.sla.application.reports.overdue_notices import tell_overdue
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.application.seals import seal_year
from services.sla.domain.deadlines.counting import CountingRule, DeadlineError, add_duration
from services.sla.domain.deadlines.worktime import Worktime, from_micros, to_micros
from services.sla.domain.lists.case_rows import ListScope
from services.sla.domain.reports.duty_schedule import (
    DUTY_KEY_PREFIX,
    REPORT_PERIODS,
    ScheduledDuty,
    combine_missed,
    duties_due_between,
    next_duty_due,
    period_bounds,
)
from services.sla.domain.reports.statistics import ReportingPeriod, StatisticsCollector
from services.sla.storage import due_timers, duties
from services.sla.storage.case_histories import load_timelines
from services.sla.storage.duties import CompletedPeriod, DutyClaim
from services.sla.storage.reports.improvements import load_improvements
from services.sla.storage.reports.report_lists import ReportKey
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events import encode_event
from shared.contracts.events.notifications import NotificationRequested
from shared.contracts.topics import CASE_EVENTS
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.model.duration import Duration
from shared.procedures.model.form_layout.lists import find_list
from shared.procedures.model.procedure import Procedure
from shared.runtime.clock import Clock, uuid7
from shared.runtime.database.database import Database, Transaction
from shared.runtime.outbox import outbox
from shared.runtime.process.failures import is_infrastructure, redacted_reason
from shared.runtime.process.waiting import sleep_or_stop

_SHORTEST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_MAX_TIMER_WAIT_SECONDS = 60.0
"""Real seconds that a report waits for timers of its period that have not fired yet; then it is built without them."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _DueDuty:
    """A duty of a procedure that is due, with the procedure's calendar and the present instant (domain time)."""

    procedure: Procedure
    worktime: Worktime
    scheduled: ScheduledDuty
    now: datetime

    @property
    def since(self) -> datetime:
        """The first instant of the duty's period."""
        return from_micros(self.scheduled.since)

    @property
    def until(self) -> datetime:
        """The first instant after it."""
        return from_micros(self.scheduled.until)


class DutyRunner:
    """Carries out the duties of every procedure that a source of the organisation uses."""

    def __init__(self, rulebooks: RulebookRegistry, database: Database, clock: Clock) -> None:
        self._rulebooks = rulebooks
        self._database = database
        self._clock = clock
        self._procedures = [procedure for procedure in rulebooks.procedures_in_use if procedure.duties]

    async def run(self, stop: asyncio.Event) -> None:
        """Carry out duties as they fall due, until `stop` is set."""
        while not stop.is_set():
            await self.run_once()
            await sleep_or_stop(stop, self._pause_seconds())

    async def run_once(self) -> int:
        """Carry out the duties that are due and not completed; returns how many."""
        return sum([await self._run_procedure(procedure) for procedure in self._procedures])

    async def _run_procedure(self, procedure: Procedure) -> int:
        """Carry out the due duties of one procedure; raises infrastructure errors only."""
        try:
            async with self._database.transaction() as tx:
                await tell_overdue(tx, procedure, self._rulebooks.organisation, self._clock.now())
            return sum([await self._carry_out(duty) for duty in await self._due_duties(procedure)])
        except Exception as error:
            # A fault in one procedure's duties or ledgers must not hold up the reports that other regulations require.
            if is_infrastructure(error):
                raise
            metrics.DUTIES_FAILED_TOTAL.labels(procedure.id).inc()
            log.exception("duties failed", procedure=procedure.id, reason=redacted_reason(error))
            return 0

    async def _due_duties(self, procedure: Procedure) -> list[_DueDuty]:
        now, worktime = self._clock.now(), self._worktime(procedure)
        async with self._database.transaction() as tx:
            start = await duties.duties_started_at(tx, procedure.id)
            completed = await duties.completed_periods(tx, procedure.id)
        if start is None:  # no case, nothing to report
            return []
        open_duties = [
            duty
            for duty in duties_due_between(procedure, worktime, to_micros(start), to_micros(now))
            if not any(done.duty == duty.duty.id and to_micros(done.since) <= duty.since < to_micros(done.until) for done in completed)
        ]
        return [_DueDuty(procedure, worktime, duty, now) for duty in combine_missed(open_duties, worktime, to_micros(now))]

    async def _carry_out(self, due: _DueDuty) -> bool:
        """Carry out one duty; False if it has to wait, or if another process has claimed it."""
        period = CompletedPeriod(due.scheduled.duty.id, due.since, due.until)
        async with self._database.transaction() as tx:
            if await self._waits_for_timers(tx, due):
                return False
            # In a transaction of its own: the others have to see the claim while this process computes.
            claim = await duties.claim_duty(tx, due.procedure.id, period, due.now)
        if claim is None:
            return False
        try:
            return await self._complete(due, claim)
        except Exception:
            async with self._database.transaction() as tx:
                await duties.release_duty(tx, claim)
            raise

    async def _complete(self, due: _DueDuty, claim: DutyClaim) -> bool:
        """Compute the report in one snapshot, and store it with its notification."""
        duty, procedure_id = due.scheduled.duty, due.procedure.id
        async with self._database.transaction() as tx:
            # Events of a page that is read later must not count twice or not at all: the figures have to add up.
            await duties.read_in_one_snapshot(tx)
            report = await self._duty_report(tx, due)
            if duty.seal:
                report["seal"] = await _seal_period(tx, due)
            if not await duties.complete_duty(tx, claim, report, _sign_by(due)):
                return False
            await outbox.add(tx, [self._notification(due, report)])
            tx.after_commit(metrics.DUTIES_TOTAL.labels(procedure_id, duty.id).inc)
        log.info("duty carried out", procedure=procedure_id, duty=duty.id, period=due.since.isoformat(), periods=due.scheduled.periods)
        return True

    async def _duty_report(self, tx: Transaction, due: _DueDuty) -> dict[str, Any]:
        """The figures of the period, the lists that the duty names, and the improvement measures; who signs it is the duty's owner."""
        duty, procedure = due.scheduled.duty, due.procedure
        report = await _period_report(tx, due)
        texts = FormTexts(procedure, self._rulebooks.organisation)
        reader = ListReader(lambda case, _: FormTexts(self._rulebooks.for_case(case).procedure, self._rulebooks.organisation))
        key, scope = ReportKey(procedure.id, duty.id, due.since), ListScope(due.since, due.until)
        entries = [entry for list_id in duty.lists if (entry := find_list(procedure.lists, list_id)) is not None]
        lists = [await freeze_list(tx, key, procedure, entry, (scope, reader, texts)) for entry in entries]
        measures = await load_improvements(tx, procedure.id)
        return {**report, "owner": duty.owner, "lists": lists, "improvements": improvement_figures(measures, due.since, due.until)}

    async def _waits_for_timers(self, tx: Transaction, due: _DueDuty) -> bool:
        """Whether a timer of the period has not fired yet and the duty is not late: its events may still change the figures."""
        late = self._clock.to_real(due.now) - self._clock.to_real(from_micros(due.scheduled.due))
        return late < timedelta(seconds=_MAX_TIMER_WAIT_SECONDS) and await due_timers.has_timer_due(tx, due.until)

    def _notification(self, due: _DueDuty, report: dict[str, Any]) -> CloudEventRecord:
        """The request to notify the holders of the duty's role, or the organisation's fallback if there are none."""
        organisation, duty, procedure = self._rulebooks.organisation, due.scheduled.duty, due.procedure
        at = due.worktime.to_datetime(due.scheduled.due)
        persons = organisation.role_holders(duty.owner, "", at) or ((organisation.fallback,) if organisation.fallback else ())
        clauses = [duty.clause] if isinstance(duty.clause, str) else list(duty.clause or ())
        key = f"{DUTY_KEY_PREFIX}{procedure.id}:{duty.id}"
        event = NotificationRequested(
            case=key,
            at=at,
            recorded_at=due.now,
            procedure=procedure.id,
            version=procedure.version,
            rule=duty.id,
            clause=clauses[0] if clauses else "",
            clauses=clauses if len(clauses) > 1 else [],
            role=duty.owner,
            by=list(duty.by),
            late_by=max(0.0, (due.now - at).total_seconds()),
            notification=f"{key}:{due.worktime.to_datetime(due.scheduled.since).date()}",
            recipients=[duty.owner],
            persons=list(persons),
            template="duty_report",
            about="duty_report",
            values=_template_values(due, report),
        )
        return CloudEventRecord(
            topic=CASE_EVENTS.name, key=key, id=uuid7(), type=event.type, at=at, body=encode_event(event), source=EVENT_SOURCE
        )

    def _worktime(self, procedure: Procedure) -> Worktime:
        calendars, organisation = self._rulebooks.calendars, self._rulebooks.organisation
        return Worktime.for_calendar(calendars[procedure.calendar or organisation.calendar])

    def _pause_seconds(self) -> float:
        """Real seconds until the next duty is due, within bounds."""
        now = to_micros(self._clock.now())
        due = [self._next_due(procedure, now) for procedure in self._procedures]
        soonest = min((self._clock.seconds_until(from_micros(at)) for at in due if at is not None), default=_LONGEST_PAUSE_SECONDS)
        return max(_SHORTEST_PAUSE_SECONDS, min(_LONGEST_PAUSE_SECONDS, soonest))

    def _next_due(self, procedure: Procedure, now: int) -> int | None:
        try:
            return next_duty_due(procedure, self._worktime(procedure), now)
        except DeadlineError:  # beyond the calendar's end: `run_once` logs it, and the other procedures decide on the pause
            return None


async def _period_report(tx: Transaction, due: _DueDuty) -> dict[str, Any]:
    """The report of the duty's period; that of several missed periods covers them all and gives their number as `periods`."""
    scheduled, kind = due.scheduled, due.scheduled.duty.report_period or "month"
    if scheduled.periods == 1:
        return await build_report(tx, due.procedure, due.worktime, kind, scheduled.until - 1)
    report = await _report_between(tx, due.procedure, due.worktime, kind, (scheduled.since, scheduled.until))
    return {**report, "periods": scheduled.periods}


def _sign_by(due: _DueDuty) -> datetime | None:
    """When the duty's owner has to have signed the report; None for a report that no one signs."""
    duty = due.scheduled.duty
    if duty.report is None or duty.sign_within is None:
        return None
    # A report that an outage has delayed is due after it exists.
    start = max(due.scheduled.due, to_micros(due.now))
    sign_by, _, _ = add_duration(due.worktime, start, Duration.parse(duty.sign_within), CountingRule("exclusive", "forward"))
    return None if sign_by is None else from_micros(sign_by)


async def build_report(tx: Transaction, procedure: Procedure, worktime: Worktime, period_name: str, at: int) -> dict[str, Any]:
    """The report of the week, month, quarter or year (`period_name`) that contains the instant `at` in microseconds.

    Its keys are `procedure`, `period` and `figures`.
    """
    return await _report_between(tx, procedure, worktime, period_name, period_bounds(worktime, REPORT_PERIODS[period_name], at))


async def _report_between(
    tx: Transaction, procedure: Procedure, worktime: Worktime, period_name: str, bounds: tuple[int, int]
) -> dict[str, Any]:
    since, until = bounds
    collector = StatisticsCollector(procedure, ReportingPeriod(since, until))
    async for timeline in load_timelines(tx, procedure.id, from_micros(since), from_micros(until)):
        collector.add(timeline)
    period = {"kind": period_name, "from": worktime.to_datetime(since).isoformat(), "to": worktime.to_datetime(until).isoformat()}
    return {"procedure": procedure.id, "period": period, "figures": collector.to_report()}


async def _seal_period(tx: Transaction, due: _DueDuty) -> dict[str, Any]:
    year = due.worktime.to_datetime(due.scheduled.since).year
    seal = await seal_year(tx, year, (due.since, due.until), due.now)
    return {"year": year, "root": seal.root.hex(), "cases": len(seal.leaves)}


def _template_values(due: _DueDuty, report: dict[str, Any]) -> dict[str, Any]:
    """The values of the template `duty_report`."""
    figures, duty, procedure = report["figures"], due.scheduled.duty, due.procedure
    return {
        "number": f"{procedure.id}/{duty.id}",
        "title": duty.zh or duty.id,
        "title_en": duty.en or duty.id,
        "procedure_title": procedure.title.zh,
        "procedure_title_en": procedure.title.en,
        "periods": due.scheduled.periods,
        "period_from": str(due.worktime.to_datetime(due.scheduled.since).date()),
        "period_to": str(due.worktime.to_datetime(due.scheduled.until - 1).date()),
        **{name: figures[name] for name in ("received", "open", "closed", "refused", "withdrawn", "reopened", "deemed")},
        "breached": figures["breaches"]["count"],
        "escalated": figures["escalations"]["count"],
        "timely_rate": figures["timely"]["rate"],
        "satisfaction_rate": figures["satisfaction"]["all"]["rate"],
        "call_back_rate": figures["call_back"]["rate"],
        "by_class": figures["by_class"],
        "by_department": figures["by_department"],
        "compensation_paid": figures["compensation"]["paid"]["amount"],
        "liable_units": figures["liable"]["units"],
        "causes_found": figures["causes_found"],
        "seal": report.get("seal", {}).get("root", ""),
        **({} if (sign_by := _sign_by(due)) is None else {"sign_by": sign_by.isoformat()}),
        "lists": [{"title": frozen["title"], "rows": frozen["rows"]} for frozen in report["lists"]],
        "improvements": report["improvements"],
    }
