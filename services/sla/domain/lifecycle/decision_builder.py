"""A decision in the making: a working copy of the case, and the events that it gathers; every event is applied as it is added."""

from __future__ import annotations

from typing import Any

from services.sla.domain.deadlines.worktime import Worktime
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.condition_scope import Scope
from services.sla.domain.rules.rulebook import FLAGS, Doing, Match, Rulebook
from shared.procedures.expressions.conditions import Condition

SECOND = 1_000_000
ENDS = {"closed": "closed", "refused": "refused", "withdrawn": "withdrawn"}
_HANDS = frozenset({"routed", "reassigned", "route_proposed", "returned", "assigned", "taken_over"})
_MEASURES = ("measures_submitted", "measures_approved", "measures_deemed_approved", "measures_rejected")
_CHANGES = frozenset({"classified", "reclassified", "amended", "linked", "unlinked", *ENDS, *_MEASURES, "reopened"})


class Draft:
    """One decision: `case` may be changed, `now` is when it is made (microseconds), `events` is what it says."""

    __slots__ = ("case", "events", "now", "rulebook", "worktime")

    def __init__(self, case: Case, rulebook: Rulebook, now: int) -> None:
        self.case = case
        self.rulebook = rulebook
        self.now = now
        self.worktime: Worktime = rulebook.worktime(case.department)
        self.events: list[Event] = []

    def holds(self, condition: Condition | None, data: dict[str, Any] | None = None) -> bool:
        """Whether a condition holds, perhaps with the data of an event at hand; an absent one does."""
        return condition is None or condition.holds(Scope(self.case, self.rulebook, self.worktime, data))

    def holds_after(self, condition: Condition | None, event: Event | None) -> bool:
        """Whether a condition holds with an event at hand; an absent one does."""
        return condition is None or self.holds(condition, None if event is None else {**event.data, "at": event.at})

    def selects(self, match: Match, event: Event) -> bool:
        """Whether a selector takes the event at hand."""
        return (self.case.unsigned or not match.of_unsigned) and self.holds_after(match.when, event)

    def add(self, kind: str, at: int, data: dict[str, Any], cause: str = "") -> Event:
        """Add an event and apply it to the case."""
        case = self.case
        case.sequence += 1
        if cause == "timer" and self.now > at:
            data["late_by"] = (self.now - at) / SECOND
        event = Event(kind, at, case.sequence, data, cause)
        self.events.append(event)
        self._remember(event)
        self._apply(kind, data)
        return event

    def because(self, rule: str, clauses: list[str]) -> dict[str, Any]:
        """The fields of an event that say which entry and clause it rests on."""
        data: dict[str, Any] = {"rule": rule}
        if clauses:
            data["clause"] = clauses[0]
        if len(clauses) > 1:
            data["clauses"] = clauses
        return data

    def of(self, doing: Doing, rule: str) -> dict[str, Any]:
        """Likewise for an effect."""
        return self.because(rule, doing.clauses)

    def _remember(self, event: Event) -> None:
        case, kind = self.case, event.type
        case.count[kind] = case.count.get(kind, 0) + 1
        fields = self.rulebook.remembered.get(kind)
        if fields is not None:
            case.last[kind] = {"at": event.at, **{name: event.data[name] for name in fields if name in event.data}}

    def _apply(self, kind: str, data: dict[str, Any]) -> None:
        case = self.case
        if kind in FLAGS:
            setattr(case, *FLAGS[kind])
        if kind in _CHANGES:
            self._change(kind, data)
        elif kind in _HANDS:
            self._hand(kind, data)
        agreed = data.get("date") if kind == "date_agreed" else data.get("next_date")
        if agreed is not None:
            self._agree(agreed)

    def _change(self, kind: str, data: dict[str, Any]) -> None:
        """What the case is, and whether it is open, after an event of `_CHANGES`."""
        case = self.case
        match kind:
            case "classified" | "reclassified":
                self._classify(data)
            case "amended":
                case.facts.update(data.get("facts", {}))
                case.complaint = {**case.complaint, **data.get("fields", {})}
            case "linked":
                case.links.append(data.get("as", ""))
            case "unlinked" if case.links:
                case.links.pop()
            case "closed" | "refused" | "withdrawn":
                case.status = kind
            case "measures_submitted":
                case.unsigned = bool(data.get("needs_sign_off"))
            case "measures_approved" | "measures_deemed_approved" | "measures_rejected":
                case.unsigned = False
            case "reopened":
                self._reopen()

    def _hand(self, kind: str, data: dict[str, Any]) -> None:
        """Who is responsible after an event of `_HANDS`."""
        case = self.case
        match kind:
            case "routed" | "reassigned":
                case.department, case.cooperating = data["department"], data.get("cooperating", [])
                self.worktime = self.rulebook.worktime(case.department)
            case "route_proposed":
                case.proposed = data["department"]
            case "returned":
                case.department = ""
            case "assigned":
                case.handler = data.get("person") or data.get("to_role", "")
            case "taken_over":
                case.owner = data.get("to") or data.get("role", "")

    def _agree(self, date: int) -> None:
        self.case.agreed = date
        if "agreed_date" in self.rulebook.procedure.facts:
            self.case.facts["agreed_date"] = date

    def _classify(self, data: dict[str, Any]) -> None:
        case = self.case
        case.kind = data.get("kind") or case.kind
        case.subject = data.get("subject") or case.subject
        case.facts.update(data.get("facts", {}))
        if data.get("class"):
            case.class_, case.rule = data["class"], data.get("rule", "")

    def _reopen(self) -> None:
        case = self.case
        case.status, case.approved, case.suspended, case.unsigned = "open", False, False, False
        case.last, case.count = {}, {"reopened": 1}
