"""The timeline of a past instant: events, messages and deadlines as sla recorded them until then."""

from datetime import UTC, datetime
from typing import Any

from services.desk.pages.case.past_timeline import past_timeline
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.loading.loader import load_pack

AT = datetime(2026, 9, 24, 10, tzinfo=UTC)
REFERENCE = f"sha256:{'a' * 64}/{'b' * 16}/photo.jpg"


def run(clock: str, state: str, **fields: Any) -> dict[str, Any]:
    values = {"clock": clock, "round": 1, "state": state, "due_at": "2026-09-25T08:00:00+00:00", "ended_at": None}
    return values | {"dues": [{"start": "2026-09-24T08:00:00+00:00"}]} | fields


def test_timeline_has_what_was_known_then() -> None:
    events = [
        {"event": "registered", "at": "2026-09-24T08:00:00+00:00", "complaint": {"attachments": [REFERENCE]}},
        {"event": "notification_requested", "at": "2026-09-24T08:00:00+00:00", "template": "reminded"},
        {"event": "supplemented", "at": "2026-09-24T09:00:00+00:00", "attachments": [REFERENCE, "a name"]},
        {"event": "clock_breached", "at": "2026-09-24T09:30:00+00:00", "clock": "late", "round": 1},
    ]
    ended = {"ended_at": "2026-09-24T09:00:00+00:00"}
    rounds = [run("late", "stopped", **ended), run("met", "stopped", **ended), run("open", "running"), run("held", "paused", due_at=None)]
    pack = load_pack("hunan-property")
    shown = past_timeline(
        {"case": "c", "number": "TS-1", "events": events}, [{"rounds": rounds}], ProcedureTexts(pack.procedure, "en", pack.clauses), AT, UTC
    )
    assert [item.lane for item in shown.items] == ["event"] * 4 + ["message", "attachment", "attachment"]
    assert [(span.title, span.state) for span in shown.spans] == [
        ("late", "missed"),
        ("met", "met"),
        ("open", "running"),
        ("held", "paused"),
    ]
    assert [span.end for span in shown.spans][2:] == [datetime(2026, 9, 25, 8, tzinfo=UTC), None]
    assert shown.now == AT
    assert max(item.at for item in shown.items) <= AT
