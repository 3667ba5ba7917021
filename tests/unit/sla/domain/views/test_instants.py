"""Every instant of an answer is in the organisation's zone; a person's words are left alone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.views.instants import event_in_zone, explanation_in_zone, to_text
from tests.unit.sla.timeline import small_procedure

ZONE = ZoneInfo("Asia/Shanghai")
UTC_TEXT, LOCAL_TEXT = "2026-09-24T02:00:00+00:00", "2026-09-24T10:00:00+08:00"


def test_instants_of_an_event_move_and_words_stay() -> None:
    procedure = small_procedure("facts: {handover: {type: instant}, note: {type: text}}")
    event = {
        "at": UTC_TEXT,
        "recorded_at": "2026-09-24T02:00:00Z",
        "due_at": None,
        "text": UTC_TEXT,
        "facts": {"handover": UTC_TEXT, "note": UTC_TEXT},
        "complaint": {"received_at": UTC_TEXT, "text": UTC_TEXT},
    }
    assert event_in_zone(event, procedure, ZONE) == {
        "at": LOCAL_TEXT,
        "recorded_at": LOCAL_TEXT,
        "due_at": None,
        "text": UTC_TEXT,
        "facts": {"handover": LOCAL_TEXT, "note": UTC_TEXT},
        "complaint": {"received_at": LOCAL_TEXT, "text": UTC_TEXT},
    }


def test_every_instant_of_an_explanation_moves() -> None:
    explained = {"due": UTC_TEXT, "segments": [{"from": UTC_TEXT, "day": "2026-09-24", "amount": 1}], "calendar": {"zone": "UTC"}}
    moved = {"due": LOCAL_TEXT, "segments": [{"from": LOCAL_TEXT, "day": "2026-09-24", "amount": 1}], "calendar": {"zone": "UTC"}}
    assert explanation_in_zone(explained, ZONE) == moved


def test_microseconds_become_text() -> None:
    assert to_text(to_micros(datetime(2026, 9, 24, 2, tzinfo=UTC)), ZONE) == LOCAL_TEXT
    assert to_text(None, ZONE) is None
