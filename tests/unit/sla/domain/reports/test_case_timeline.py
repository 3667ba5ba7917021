"""Timelines from the bodies of a case's published events."""

from __future__ import annotations

from services.sla.domain.reports.case_timeline import case_timeline
from tests.support.deadlines.shorthand import at

ROUTED = {"type": "routed", "at": "2026-09-02T10:00:00+08:00", "sequence": 2, "department": "repairs"}


def test_receipt_channel_complainant_and_facts_come_from_the_complaint() -> None:
    complaint = {
        "received_at": "2026-09-01T09:00:00+08:00",
        "channel": "letter",
        "complainant": {"kind": "employee"},
        "facts": {"media": True},
    }
    registered = {"type": "registered", "at": "2026-09-02T09:00:00+08:00", "sequence": 1, "complaint": complaint}
    timeline = case_timeline("a", [registered, ROUTED])
    assert (timeline.received_at, timeline.channel, timeline.complainant_kind) == (at("2026-09-01 09:00"), "letter", "employee")
    assert timeline.facts == {"media": True}
    assert [(event.type, event.at, event.sequence) for event in timeline.events] == [
        ("registered", at("2026-09-02 09:00"), 1),
        ("routed", at("2026-09-02 10:00"), 2),
    ]


def test_case_without_registration_was_received_with_its_first_event() -> None:
    timeline = case_timeline("a", [ROUTED])
    assert (timeline.received_at, timeline.channel, timeline.complainant_kind) == (at("2026-09-02 10:00"), "hotline", "customer")


def test_instant_fields_of_an_event_become_microseconds() -> None:
    breached = {"type": "clock_breached", "at": "2026-09-02T10:00:00+08:00", "sequence": 1, "due_at": "2026-09-02T10:00:00+08:00"}
    [event] = case_timeline("a", [breached]).events
    assert event.data["due_at"] == at("2026-09-02 10:00")


def test_timeline_before_an_instant_excludes_events_at_that_instant() -> None:
    timeline = case_timeline("a", [ROUTED])
    assert timeline.before(at("2026-09-02 10:00")).events == []
    assert len(timeline.before(at("2026-09-02 10:00") + 1).events) == 1
