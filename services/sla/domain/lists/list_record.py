"""A case as lists read it: its fields, its events, and what follows from the events of its clocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.sla.domain.lifecycle.decision_builder import END_EVENTS
from services.sla.domain.lifecycle.findings.records import TRACKED_FINDINGS, Findings
from services.sla.domain.rules.rulebook import CASE_FLAG_BY_EVENT
from shared.contracts.complaint import supplemented_text
from shared.contracts.instants import read_instant
from shared.procedures.forms.case_record import CaseRecord, EventFields

_FLAGS = ("accepted", "suspended")
_RUN_ENDS = ("clock_stopped", "clock_cancelled")


@dataclass(slots=True)
class _Run:
    """One round of a clock: its first due instant as last published, and whether that has been missed."""

    due_at: str | None = None
    missed: bool = False


@dataclass(slots=True)
class ListRecord(CaseRecord):
    """A case after some of its events.

    `counts` and `last_events` (the last event of each type) begin at the registration or at the last reopening, as in conditions elsewhere;
    `limit_clocks` are the clocks that have a limit: one that only repeats is never overdue, its periods are missed one by one.
    """

    limit_clocks: frozenset[str] = frozenset()
    counts: Counter[str] = field(default_factory=Counter)
    last_events: dict[str, EventFields] = field(default_factory=dict)
    links: list[tuple[str, str, str]] = field(default_factory=list)
    flags: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(_FLAGS, False))
    runs: dict[tuple[str, int], _Run] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    breached: bool = False
    ended_at: str = ""
    rule: str = ""
    complaint_case: str = ""
    complaint_kind: str = ""

    def apply(self, event: EventFields) -> None:
        """Take an event into account."""
        CaseRecord.apply(self, event)  # `super()` without arguments fails in a dataclass with slots: it has replaced the class
        event_type = event["event"]
        if event_type == "reopened":
            self.counts, self.last_events, self.ended_at, self.flags["suspended"] = Counter(), {}, "", False
            self.findings = self.findings.after_reopening()
        self.counts[event_type] += 1
        self.last_events[event_type] = event
        flag, value = CASE_FLAG_BY_EVENT.get(event_type, ("", False))
        if flag in self.flags:
            self.flags[flag] = value
        if event_type in END_EVENTS:
            self.ended_at = event["at"]
        self._apply_change(event)
        if event.get("clock") and "round" in event:
            self._apply_clock(event)

    def _apply_change(self, event: EventFields) -> None:
        if event["event"] in TRACKED_FINDINGS:
            self.findings = self.findings.after(event["event"], dict(event))
        match event["event"]:
            case "registered":
                self.complaint_case, self.complaint_kind = event["case"], event["complaint"].get("kind", "")
            case "classified" | "reclassified" if event.get("class"):
                self.rule = event.get("rule", "")
            case "assigned":
                self.values["handler"] = event.get("person") or event.get("to_role", "")
            case "linked":
                self.links.append((event.get("to_case", ""), event.get("as", ""), event.get("group", "")))
            case "unlinked":
                self._unlink(event)
            case "supplemented" if not event.get("to_case"):
                self.values["text"] = supplemented_text(self.values.get("text") or "", event.get("text", ""))

    def _unlink(self, event: EventFields) -> None:
        to_case, kind, group = event.get("to_case", ""), event.get("as", ""), event.get("group", "")
        for link in reversed(self.links):
            if (link[2] == group if group else link[0] == to_case) and (not kind or link[1] == kind):
                self.links = [other for other in self.links if other is not link]
                return

    def _apply_clock(self, event: EventFields) -> None:
        run_id, event_type = (event["clock"], event["round"]), event["event"]
        if event_type in _RUN_ENDS:
            self.runs.pop(run_id, None)
            return
        if event_type == "clock_started":
            self.runs[run_id] = _Run()
        run = self.runs.get(run_id)
        if run is None:
            return
        if event_type in ("clock_started", "clock_moved", "clock_paused", "clock_resumed"):
            run.due_at = event.get("due_at")
        if event_type == "clock_breached":
            self.breached = True
            run.missed = True
        elif event_type == "clock_moved" and _is_later(event.get("due_at"), event["at"]):
            # An extension of an overdue clock: the breach stays counted, but the case is no longer late.
            run.missed = False

    @property
    def overdue(self) -> bool:
        """Whether a limit was missed whose clock still runs."""
        return any(run.missed and clock in self.limit_clocks for (clock, _), run in self.runs.items())

    @property
    def due_at(self) -> str | None:
        """The earliest due instant of the clocks that have not ended."""
        return min((run.due_at for run in self.runs.values() if run.due_at), key=_instant, default=None)

    @property
    def link_kinds(self) -> list[str]:
        """The kinds of the case's links."""
        return [kind for _, kind, _ in self.links]

    def value(self, path: str, after: int = 0, *, first: bool = False) -> Any:
        """The value at a path of a column, None without one."""
        match path:
            case "overdue" | "breached":
                return getattr(self, path)
            case "due_at" | "ended_at":
                return getattr(self, path) or None
            case "links":
                return self.link_kinds or None
        return CaseRecord.value(self, path, after, first=first)

    def taken_value(self, path: str, take: str) -> Any:
        """The value at a path of the latest or first event, the values of all events of the type (each once), or their sum."""
        if take in ("latest", "first"):
            return self.value(path, first=take == "first")
        event_type, _, name = path.partition(".")
        values = [event[name] for event in self.events if event["event"] == event_type and event.get(name) not in (None, "", [])]
        if take == "sum":
            # Of money: binary fractions would show 0.30000000000000004.
            return float(sum((Decimal(str(value)) for value in values), Decimal())) if values else None
        return list(dict.fromkeys(item for value in values for item in (value if isinstance(value, list) else [value])))


def list_record(events: Iterable[EventFields], limit_clocks: frozenset[str], until: datetime | None = None) -> ListRecord:
    """The record of a case after its events, or after those that happened before an instant."""
    record = ListRecord(limit_clocks=limit_clocks)
    for event in events:
        if until is None or _instant(event["at"]) < until:
            record.apply(event)
    return record


def event_of_body(body: Mapping[str, Any]) -> EventFields:
    """A stored event as records read it."""
    return {**body, "event": body["type"]}


def _is_later(instant: Any, than: str) -> bool:
    return bool(instant) and _instant(instant) > _instant(than)


def _instant(text: str) -> datetime:
    instant = read_instant(text)
    return datetime.fromisoformat(text) if instant is None else instant
