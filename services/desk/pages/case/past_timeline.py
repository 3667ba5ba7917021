"""The timeline of a case as of a past instant, from what sla recorded until then; the read model knows the present alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from services.desk.drawings.case_timeline import CaseTimelineData, SpanState, TimelineItem, TimelineSpan
from services.desk.drawings.words import WORDS
from shared.contracts.attachments import parse_reference
from shared.procedures.explain.procedure_texts import ProcedureTexts

_MOST_SPANS = 15
_STATES: dict[str, SpanState] = {"paused": "paused", "stopped": "met"}


def past_timeline(
    case: Mapping[str, Any], clocks: Iterable[Mapping[str, Any]], texts: ProcedureTexts, at: datetime, zone: tzinfo
) -> CaseTimelineData:
    """Events, messages and attachments recorded until `at`, and the latest deadlines as they were then."""
    events: Sequence[Mapping[str, Any]] = case["events"]
    items = [TimelineItem(_instant(event["at"], zone), "event", texts.event(event["event"])) for event in events]
    items += [
        TimelineItem(_instant(event["at"], zone), "message", event.get("template") or "")
        for event in events
        if event["event"] == "notification_requested"
    ]
    attached = (event for event in events for name in _attached(event) if parse_reference(str(name)) is not None)
    items += [TimelineItem(_instant(event["at"], zone), "attachment", WORDS[texts.language]["lane_attachment"]) for event in attached]
    breached = {(event.get("clock"), event.get("round")) for event in events if event["event"] == "clock_breached"}
    titles = {clock.id: texts.title(clock) for clock in texts.procedure.clocks}
    runs = sorted((run for answer in clocks for run in answer["rounds"] if run["dues"]), key=lambda run: str(run["dues"][0]["start"]))
    spans = [_span(run, titles, zone, is_breached=(run["clock"], run["round"]) in breached) for run in runs[-_MOST_SPANS:]]
    return CaseTimelineData(case["number"] or case["case"], items, spans, at.astimezone(zone))


def _attached(event: Mapping[str, Any]) -> list[Any]:
    """The attachments of an event: a registration has them in its complaint, an amendment in its fields."""
    holders = (event, event.get("complaint") or {}, event.get("fields") or {})
    return [name for holder in holders for name in holder.get("attachments") or ()]


def _span(run: Mapping[str, Any], titles: Mapping[str, str], zone: tzinfo, *, is_breached: bool) -> TimelineSpan:
    end = run["ended_at"] or run["due_at"]
    state: SpanState = "missed" if is_breached else _STATES.get(run["state"], "running")
    start = _instant(run["dues"][0]["start"], zone)
    return TimelineSpan(start, None if end is None else _instant(end, zone), titles.get(run["clock"], run["clock"]), state)


def _instant(text: str, zone: tzinfo) -> datetime:
    return datetime.fromisoformat(text).astimezone(zone)
