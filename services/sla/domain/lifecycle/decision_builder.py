"""The decision under construction: a working copy of the case and the events of the decision so far."""

from __future__ import annotations

from collections import deque
from typing import Any

from services.sla.domain.deadlines.worktime import Worktime
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.condition_scope import ConditionScope
from services.sla.domain.lifecycle.defaults.call_backs import CALL_BACK_EVENTS, CallBacks, record_call_back
from services.sla.domain.lifecycle.defaults.submissions import TRACKED_EVENTS, record_submission_or_decision
from services.sla.domain.lifecycle.findings.records import TRACKED_FINDINGS
from services.sla.domain.lifecycle.links.records import CaseLink
from services.sla.domain.lifecycle.reviews.records import REVIEW_EVENTS, review_after
from services.sla.domain.rules.plans import SelectorMatch
from services.sla.domain.rules.rulebook import CASE_FLAG_BY_EVENT, Rulebook
from shared.contracts.complaint import supplemented_text
from shared.procedures.expressions.conditions import Condition, UnevaluableConditionError

MICROSECONDS_PER_SECOND = 1_000_000
_NO_PERSONS = frozenset({"complainant", "system"})
END_EVENTS = frozenset({"closed", "refused", "withdrawn"})
"""Events that end a case; its status is then the event's type."""
_RESPONSIBILITY_EVENTS = frozenset({"routed", "reassigned", "route_proposed", "returned", "assigned", "taken_over"})
_MEASURES_EVENTS = ("measures_submitted", "measures_approved", "measures_deemed_approved", "measures_rejected")
_FRESH_RECEIPT_EVENTS = frozenset({"measures_rejected", "review_rejected", "verification_failed", "reopened"})
"""Events that bring the case back to its unit, so that its next signature is a receipt again."""
_CASE_CHANGE_EVENTS = frozenset(
    {"classified", "reclassified", "amended", "supplemented", "linked", "unlinked", *END_EVENTS, *_MEASURES_EVENTS, "reopened"}
)


class DecisionBuilder:
    """One decision. `case` is a working copy, `now` the instant of the decision (microseconds), `events` its events in order.

    Adding an event applies it to the case. `pending` are the events that the event loop in `decide` has not followed up yet.
    """

    __slots__ = ("case", "events", "failed_conditions", "now", "pending", "rulebook", "worktime")

    def __init__(self, case: Case, rulebook: Rulebook, now: int) -> None:
        self.case = case
        self.rulebook = rulebook
        self.now = now
        # The regulation speaks of legal working days: whichever department leads, its calendar does not move them (time.md).
        self.worktime: Worktime = rulebook.worktime
        self.events: list[Event] = []
        self.pending: deque[Event] = deque()
        self.failed_conditions: dict[str, None] = {}

    def holds(self, condition: Condition | None, event_fields: dict[str, Any] | None = None, *, otherwise: bool = False) -> bool:
        """Whether a condition holds for the case now, with these fields under `event`; an absent condition holds.

        `otherwise` is the answer where it cannot be evaluated on this case (an overflow, an index out of range): the entry does not
        apply. Raising would park the case, and anyone who sends such a value could stop its deadlines. `failed_conditions` names it.
        """
        if condition is None:
            return True
        try:
            return condition.holds(ConditionScope(self.case, self.rulebook, self.worktime, event_fields))
        except UnevaluableConditionError:
            self.failed_conditions[condition.source] = None
            return otherwise

    def holds_with_event(self, condition: Condition | None, event: Event | None) -> bool:
        """Whether a condition holds for the case now, with this event under `event`; an absent condition holds."""
        return condition is None or self.holds(condition, None if event is None else {**event.data, "at": event.at})

    def selects(self, match: SelectorMatch, event: Event) -> bool:
        """Whether a selector that names the event's type selects this event."""
        return (self.case.unsigned or not match.requires_unsigned_measures) and self.holds_with_event(match.when, event)

    def add_event(self, event_type: str, at: int, data: dict[str, Any], cause: str = "") -> Event:
        """Add an event at an instant (microseconds) and apply it to the case; the event loop follows it up later."""
        case = self.case
        case.sequence += 1
        if cause == "timer" and self.now > at:
            # What a timer does happens at the due instant, however late it is executed (ADR 7).
            data["late_by"] = (self.now - at) / MICROSECONDS_PER_SECOND
        event = Event(event_type, at, case.sequence, data, cause)
        self.events.append(event)
        self.pending.append(event)
        # At once and not when the loop follows it up, so that the next effect of the same entry reads the changed case.
        self._update_last_and_count(event)
        self._apply_to_case(event_type, data)
        if event_type in CALL_BACK_EVENTS:
            record_call_back(case, self.rulebook.procedure, self.worktime, event)
        case.record_lead(at)
        return event

    def rule_fields(self, rule: str, clauses: list[str]) -> dict[str, Any]:
        """The event fields that name the procedure's entry and its clauses."""
        data: dict[str, Any] = {"rule": rule}
        if clauses:
            data["clause"] = clauses[0]
        if len(clauses) > 1:
            data["clauses"] = clauses
        return data

    def _update_last_and_count(self, event: Event) -> None:
        case, event_type = self.case, event.type
        case.count[event_type] = case.count.get(event_type, 0) + 1
        # Only what some condition reads: the case is stored as JSON with every decision.
        fields = self.rulebook.last_event_fields.get(event_type)
        if fields is not None:
            case.last[event_type] = {"at": event.at, **{name: event.data[name] for name in fields if name in event.data}}

    def _apply_to_case(self, event_type: str, data: dict[str, Any]) -> None:
        if event_type in CASE_FLAG_BY_EVENT:
            setattr(self.case, *CASE_FLAG_BY_EVENT[event_type])
        if event_type in _CASE_CHANGE_EVENTS:
            self._apply_case_change(event_type, data)
        elif event_type in _RESPONSIBILITY_EVENTS:
            self._apply_responsibility(event_type, data)
        if event_type == "signed":
            self.case.receipts[self.case.department] = self.case.receipts.get(self.case.department, 0) + 1
        elif event_type in _FRESH_RECEIPT_EVENTS:
            self.case.receipts = {}
        if event_type in REVIEW_EVENTS or (event_type in END_EVENTS and self.case.review):
            self.case.review = review_after(self.case, event_type, data)
        if event_type in TRACKED_EVENTS:
            record_submission_or_decision(self.case, event_type, data)
        elif event_type in TRACKED_FINDINGS:
            self.case.findings = self.case.findings.after(event_type, data)
        agreed_date = data.get("date") if event_type == "date_agreed" else data.get("next_date")
        if agreed_date is not None:
            self._set_agreed_date(agreed_date)

    def _apply_case_change(self, event_type: str, data: dict[str, Any]) -> None:
        case = self.case
        match event_type:
            case "classified" | "reclassified":
                self._apply_classification(data)
            case "amended":
                self._apply_amended_facts(data.get("facts", {}))
                case.complaint = {**case.complaint, **data.get("fields", {})}
            case "linked":
                case.links.append(CaseLink(data.get("to_case", ""), data.get("as", ""), data.get("group", "")))
            case "unlinked":
                removed = case.find_link(data)
                case.links = [link for link in case.links if link is not removed]
            case "closed" | "refused" | "withdrawn":
                case.status = event_type
                case.ended_by = data.get("role", "") if data.get("role") not in _NO_PERSONS else ""
            case "supplemented" if not data.get("to_case"):
                case.complaint = {**case.complaint, "text": supplemented_text(case.complaint.get("text", ""), data.get("text", ""))}
            case "measures_submitted":
                case.unsigned = bool(data.get("needs_sign_off"))
            case "measures_approved" | "measures_deemed_approved" | "measures_rejected":
                case.unsigned = False
            case "reopened":
                self._apply_reopening()

    def _apply_responsibility(self, event_type: str, data: dict[str, Any]) -> None:
        case = self.case
        match event_type:
            case "routed" | "reassigned":
                case.department, case.cooperating = data["department"], data.get("cooperating", [])
            case "route_proposed":
                case.proposed = data["department"]
            case "returned":
                # Who worked on it did so for the department that is not responsible.
                case.department, case.cooperating, case.handler = "", [], ""
            case "assigned":
                case.handler = data.get("person") or data.get("to_role", "")
            case "taken_over":
                case.owner = data.get("to") or data.get("role", "")

    def _apply_amended_facts(self, facts: dict[str, Any]) -> None:
        """Set facts; null takes one away, as triage does when a case leaves the group that set it."""
        self.case.facts = {name: value for name, value in {**self.case.facts, **facts}.items() if value is not None}

    def _set_agreed_date(self, date: int) -> None:
        self.case.agreed = date
        if "agreed_date" in self.rulebook.procedure.facts:
            self.case.facts["agreed_date"] = date

    def _apply_classification(self, data: dict[str, Any]) -> None:
        case = self.case
        case.kind = data.get("kind") or case.kind
        case.subject = data.get("subject") or case.subject
        case.facts.update(data.get("facts", {}))
        if data.get("class"):
            case.class_, case.rule = data["class"], data.get("rule", "")

    def _apply_reopening(self) -> None:
        case = self.case
        case.status, case.approved, case.suspended, case.unsigned = "open", False, False, False
        # Conditions and bounds such as `at_most` count again from here.
        case.last, case.count, case.decisions, case.call_backs = {}, {"reopened": 1}, {}, CallBacks()
        case.findings = case.findings.after_reopening()
