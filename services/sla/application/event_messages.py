"""Makes the messages of an event: on case-events, and redacted on the topic of each department that the case concerns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from services.sla.application.errors import MAX_EVENT_BYTES, EventTooLargeError
from services.sla.domain.deadlines.worktime import Worktime
from services.sla.domain.evidence import hash_chain
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views import clock_view, event_mapping, redaction
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.topics import CASE_EVENTS, department_topic
from shared.runtime.clock import uuid7

EVENT_SOURCE = "jiesu/sla"


class EventContext(NamedTuple):
    """The common context of the events of one decision; `case` is the case after it, `departments` those that receive the events."""

    case: Case
    rulebook: Rulebook
    worktime: Worktime
    departments: tuple[str, ...]
    context_stamp: str
    traceparent: str | None


def departments_of(case: Case | None) -> tuple[str, ...]:
    """The lead department and the cooperating ones; none before there is a lead."""
    return (case.department, *case.cooperating) if case is not None and case.department else ()


def messages_of(event: Event, fields: dict[str, Any], body: bytes, context: EventContext) -> Iterator[CloudEventRecord]:
    """The messages of an event with its published fields, which `body` encodes; raises `EventTooLargeError`."""
    yield _message(CASE_EVENTS.name, event, fields["at"], body, context)
    if context.departments and event.type not in redaction.NOT_FOR_DEPARTMENTS:
        yield from _department_messages(event, fields, context)


def _department_messages(event: Event, fields: dict[str, Any], context: EventContext) -> Iterator[CloudEventRecord]:
    """The event on the topic of each department, without the fields that are confidential to it."""
    if event.type in redaction.ROUTING_EVENTS:
        # The first event that a department receives: it carries the complaint, and the clocks that started before it was responsible.
        complaint = event_mapping.published_complaint(context.case, context.worktime)
        fields = {**fields, "complaint": complaint, "clocks": clock_view.running_clocks(context.case, context.rulebook)}
    bodies: dict[tuple[str, ...], bytes] = {}
    for department in context.departments:
        unit = context.rulebook.organisation.department(department)
        if unit is None:  # a department that only a rule names has no topic
            continue
        hidden = redaction.hidden_fields(context.rulebook.procedure, unit)
        if hidden not in bodies:
            bodies[hidden] = hash_chain.canonical_json(redaction.redact(fields, hidden))
        yield _message(department_topic(department).name, event, fields["at"], bodies[hidden], context)


def _message(topic: str, event: Event, at: datetime, body: bytes, context: EventContext) -> CloudEventRecord:
    if len(body) > MAX_EVENT_BYTES:
        raise EventTooLargeError
    by = event.data.get("by", "")
    return CloudEventRecord(
        topic=topic,
        key=context.case.id,
        id=uuid7(),
        type=event.type,
        at=at,
        body=body,
        source=EVENT_SOURCE,
        sequence=event.sequence,
        traceparent=context.traceparent,
        # In `notification_requested` the field is the list of channels, which ce_by does not mean.
        by=by if isinstance(by, str) else "",
    )
