"""A case as people read it: one row of the list, and the case with its clocks and events."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from services.sla.domain.lifecycle.case import Case
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views import clock_view, lateness, redaction
from services.sla.domain.views.instants import event_in_zone, to_text

ROW_FIELDS = (
    *("case", "number", "procedure", "version", "status", "kind", "class", "subject", "department", "proposed_department"),
    *("cooperating", "handler", "level", "title", "received_at", "due_at", "breached", "late_by"),
)
"""The fields of a row of the list, in the order of the columns of its CSV form."""


def case_row(case: Case, rulebook: Rulebook, now: int, zone: tzinfo, hidden: tuple[str, ...]) -> dict[str, Any]:
    """One row of the list, without the hidden fields."""
    late = lateness.lateness(case, rulebook, now, zone)
    row = {**_attributes(case, zone), "breached": late["breached"], "late_by": late["late_by"]}
    return redaction.redact({name: row[name] for name in ROW_FIELDS}, hidden)


def masked_complainant(case: Case, hidden: tuple[str, ...]) -> dict[str, Any]:
    """Name and phone of the complainant as they were masked at the registration, without hidden fields."""
    complainant = case.complaint.get("complainant") or {}
    shown = {name: complainant.get(name) or "" for name in ("name", "phone")}
    return redaction.redact({"complainant": shown}, hidden)


def case_document(
    case: Case, rulebook: Rulebook, now: int, zone: tzinfo, hidden: tuple[str, ...], events: list[dict[str, Any]]
) -> dict[str, Any]:
    """The case with its clocks and events, without the hidden fields."""
    shown = redaction.redact({**_attributes(case, zone), **lateness.lateness(case, rulebook, now, zone)}, hidden)
    return {
        **shown,
        "clocks": clock_view.clock_states(case, rulebook, now, zone),
        "events": [redaction.redact(event_in_zone(event, rulebook.procedure, zone), hidden) for event in events],
    }


def _attributes(case: Case, zone: tzinfo) -> dict[str, Any]:
    return {
        "case": case.id,
        "number": case.number,
        "procedure": case.procedure,
        "version": case.version,
        "status": case.status,
        "kind": case.kind,
        "class": case.class_,
        "subject": case.subject,
        "department": case.department,
        "proposed_department": case.proposed,
        "cooperating": case.cooperating,
        "handler": case.handler,
        "level": case.level,
        "title": case.complaint.get("title", ""),
        "received_at": to_text(case.received_at, zone),
        "due_at": to_text(lateness.next_deadline(case), zone),
    }
