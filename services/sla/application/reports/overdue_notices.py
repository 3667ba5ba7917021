"""Sends messages about overdue reports and improvement measures to those who owe them, and to the role above."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.sla.application.event_messages import EVENT_SOURCE
from services.sla.application.reports.improvement_actions import improvement_owner
from services.sla.domain.reports.duty_schedule import DUTY_KEY_PREFIX
from services.sla.storage.reports import improvements, report_events, signatures
from services.sla.storage.reports.improvements import Improvement
from services.sla.storage.reports.signatures import StoredReport
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events import encode_event
from shared.contracts.events.notifications import NotificationRequested
from shared.contracts.topics import CASE_EVENTS
from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.timed_entries import PeriodicDuty
from shared.procedures.organisation import Organisation
from shared.runtime.clock import uuid7
from shared.runtime.database.database import Transaction
from shared.runtime.outbox import outbox

_UNSIGNED = (
    "报告应在{due_at}前签署，尚未签署，请立即审阅签署。",
    "The report was to be signed by {due_at}; please read and sign it at once.",
)
_OVERDUE = ("改进措施应在{due_at}前完成，尚未完成：{text}", "An improvement measure was due at {due_at} and is not done: {text}")


async def tell_overdue(tx: Transaction, procedure: Procedure, organisation: Organisation, now: datetime) -> int:
    """Request a message for each report and measure that became overdue, once each; returns how many."""
    reports = await signatures.lock_unsigned(tx, procedure.id, now)
    measures = await improvements.lock_overdue(tx, procedure.id, now)
    for report in reports:
        await _tell_of_report(tx, procedure, organisation, report, now)
    for measure in measures:
        await _tell_of_measure(tx, procedure, organisation, measure, now)
    return len(reports) + len(measures)


async def _tell_of_report(tx: Transaction, procedure: Procedure, organisation: Organisation, report: StoredReport, now: datetime) -> None:
    duty = next((duty for duty in procedure.duties if duty.id == report.key.duty), None)
    role = report.report["owner"]
    persons = (*organisation.role_holders(role, "", now), *_above(organisation, role, now))
    values = {
        **_wording(_UNSIGNED),
        **_titles(procedure, duty),
        "number": f"{procedure.id}/{report.key.duty}",
        "due_at": None if report.sign_by is None else report.sign_by.isoformat(),
        "period_from": report.report["period"]["from"][:10],
        "period_to": report.report["period"]["to"][:10],
    }
    notice = _notice(procedure, duty, f"sign:{report.key.duty}:{report.key.period.date()}", (role, persons, values), now, organisation)
    await outbox.add(tx, [notice])
    await signatures.set_report_chased(tx, report.key, now)
    fields = {"duty": report.key.duty, "period": report.key.period.isoformat(), "persons": list(persons)}
    await report_events.append_event(tx, procedure.id, "report_overdue", now, fields)


async def _tell_of_measure(tx: Transaction, procedure: Procedure, organisation: Organisation, measure: Improvement, now: datetime) -> None:
    duty = next((duty for duty in procedure.duties if duty.id == measure.duty), next(iter(procedure.duties), None))
    owner, role = improvement_owner(organisation, measure), "" if duty is None else duty.owner
    # The one above a measure's owner, who may hold any role, is whoever set it: the role that owes the report.
    persons = (*([owner] if owner else []), *(organisation.role_holders(role, "", now) if role else ()))
    values = {
        **_wording(_OVERDUE),
        **_titles(procedure, duty),
        "number": f"{procedure.id}/{measure.id}",
        "text": measure.text,
        "due_at": measure.due_at.isoformat(),
    }
    notice = _notice(procedure, duty, f"improvement:{measure.id}:{now.isoformat()}", (role, persons, values), now, organisation)
    await outbox.add(tx, [notice])
    await improvements.update_improvement(tx, replace(measure, chased_at=now))
    fields = {"improvement": str(measure.id), "persons": list(dict.fromkeys(persons))}
    await report_events.append_event(tx, procedure.id, "improvement_overdue", now, fields)


def _above(organisation: Organisation, role: str, now: datetime) -> tuple[str, ...]:
    """The holders of the nearest role above that a person holds."""
    above, seen = organisation.role_above(role), {role}
    while above is not None and above not in seen:
        if holders := organisation.role_holders(above, "", now):
            return holders
        seen.add(above)
        above = organisation.role_above(above)
    return ()


def _wording(texts: tuple[str, str]) -> dict[str, str]:
    return {"wording": texts[0], "wording_en": texts[1]}


def _titles(procedure: Procedure, duty: PeriodicDuty | None) -> dict[str, str]:
    title, title_en = (procedure.title.zh, procedure.title.en) if duty is None else (duty.zh or duty.id, duty.en or duty.id)
    return {"title": title, "title_en": title_en, "procedure_title": procedure.title.zh, "procedure_title_en": procedure.title.en}


def _notice(
    procedure: Procedure,
    duty: PeriodicDuty | None,
    about: str,
    message: tuple[str, tuple[str, ...], dict[str, Any]],
    now: datetime,
    organisation: Organisation,
) -> CloudEventRecord:
    role, persons, values = message
    key, clauses = f"{DUTY_KEY_PREFIX}{procedure.id}:{'' if duty is None else duty.id}", () if duty is None else clause_ids(duty.clause)
    event = NotificationRequested(
        case=key,
        at=now,
        recorded_at=now,
        procedure=procedure.id,
        version=procedure.version,
        rule="" if duty is None else duty.id,
        clause=clauses[0] if clauses else "",
        role=role,
        by=["email"] if duty is None else list(duty.by),
        notification=f"{key}:{about}",
        recipients=[role] if role else [],
        persons=list(dict.fromkeys(persons)) or ([organisation.fallback] if organisation.fallback else []),
        template="duty_report",
        about="duty_report",
        values=values,
    )
    return CloudEventRecord(
        topic=CASE_EVENTS.name, key=key, id=uuid7(), type=event.type, at=now, body=encode_event(event), source=EVENT_SOURCE
    )
