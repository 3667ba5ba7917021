"""The values that the names in conditions have for a case; each is looked up only when a condition reads it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from services.sla.domain.deadlines.worktime import EPOCH, Worktime
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.rules.rulebook import Rulebook
from shared.contracts.complaint import CHANNEL_FAMILIES
from shared.contracts.events.empty_fields import EMPTY_EVENT_FIELDS, EMPTY_FIELDS_OF_ANY_EVENT
from shared.procedures.expressions.conditions import NamePath
from shared.procedures.model.facts import fact_default

_EMPTY_COMPLAINT: dict[str, Any] = {"against": [], "attachments": [], "missing": [], "happened_at": EPOCH}
INSTANT_FIELDS = frozenset(name for name, empty in EMPTY_FIELDS_OF_ANY_EVENT.items() if empty == EPOCH)
"""Fields of events that hold instants: microseconds in the core, datetimes in the contracts."""


class ConditionScope:
    """Reads names for one case; `event` are the fields of the event that a condition is about, if any."""

    __slots__ = ("case", "event", "rulebook", "worktime")

    def __init__(self, case: Case, rulebook: Rulebook, worktime: Worktime, event: dict[str, Any] | None = None) -> None:
        self.case = case
        self.rulebook = rulebook
        self.worktime = worktime
        self.event = event or {}

    def __call__(self, path: NamePath) -> Any:
        """The value of a path such as ('facts', 'urgent'); the empty value of its type if the case has none."""
        match path[0]:
            case "facts":
                return self._fact(path[1])
            case "case":
                return self._case(path[1])
            case "event":
                return self._field(self.event, path[1], EMPTY_FIELDS_OF_ANY_EVENT)
            case "last":
                return self._field(self.case.last.get(path[1], {}), path[2], EMPTY_EVENT_FIELDS[path[1]])
            case "count":
                return self.case.count.get(path[1], 0)
            case "parameters":
                return self.rulebook.bound_procedure.parameters.get(path[1], "")
        return self._complaint(path)

    def local_date(self, at: int) -> str:
        """The date of an instant in the calendar's zone, such as 2026-09-24."""
        return self.worktime.date_of(self.worktime.day_of(at)).isoformat()

    def _instant(self, at: int) -> datetime:
        # CEL knows fixed offsets only, no named zones (ADR 10).
        local = self.worktime.to_datetime(at)
        return local.replace(tzinfo=timezone(local.utcoffset() or timedelta()))

    def _fact(self, name: str) -> Any:
        fact = self.rulebook.procedure.facts[name]
        value = self.case.facts.get(name)
        if value is None:
            value = fact_default(fact)
        if fact.type == "instant" and isinstance(value, int):
            return self._instant(value)
        return float(value) if fact.type == "number" else value

    def _field(self, data: dict[str, Any], name: str, empty: dict[str, Any]) -> Any:
        if name == "day":
            return self.local_date(data["at"]) if "at" in data else ""
        value = data.get(name)
        if value is None:
            return empty[name]
        return self._instant(value) if name in INSTANT_FIELDS and isinstance(value, int) else value

    def _case(self, name: str) -> Any:
        case = self.case
        match name:
            case "class":
                return case.class_
            case "received_at" | "registered_at":
                return self._instant(getattr(case, name))
            case "received_day":
                return self.local_date(case.received_at)
            case "links":
                return [link.kind for link in case.links]
            case "residents_agreed":
                return case.findings.agreed
            case "residents_disagreed":
                return len(case.findings.agreements) - case.findings.agreed
            case "agreed_date":
                return EPOCH if case.agreed is None else self._instant(case.agreed)
        return getattr(case, name)

    def _complaint(self, path: NamePath) -> Any:
        complaint = self.case.complaint
        name = path[1]
        if name == "complainant":
            value = complaint.get("complainant", {}).get(path[2])
            return value if value is not None else {"anonymous": False, "has": []}.get(path[2], "")
        if name == "channel_family":
            return CHANNEL_FAMILIES[complaint["channel"]]
        value = complaint.get(name)
        if value is None:
            return _EMPTY_COMPLAINT.get(name, "")
        return self._instant(value) if isinstance(value, int) else value
