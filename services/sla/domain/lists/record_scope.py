"""The values that the names in a list's expressions have for a case as it was at some instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

from services.sla.domain.lifecycle.condition_scope import INSTANT_FIELDS
from services.sla.domain.lists.list_record import ListRecord
from shared.contracts.complaint import CHANNEL_FAMILIES
from shared.contracts.events.empty_fields import EMPTY_EVENT_FIELDS, EPOCH
from shared.contracts.instants import read_instant
from shared.procedures.expressions.conditions import NamePath
from shared.procedures.model.facts import coerce_fact, fact_default
from shared.procedures.model.procedure import Procedure

_EMPTY: dict[str, Any] = {
    **{name: [] for name in ("against", "attachments", "missing", "cooperating")},
    **dict.fromkeys(("happened_at", "received_at", "registered_at", "agreed_date"), EPOCH),
}
_EMPTY_COMPLAINANT: dict[str, Any] = {"kind": "customer", "anonymous": False, "has": []}


@dataclass(frozen=True, slots=True)
class RecordScope:
    """Reads names for one case, by the declarations of the procedure that has the list."""

    record: ListRecord
    procedure: Procedure
    zone: tzinfo

    def __call__(self, path: NamePath) -> Any:
        """The value of a path such as ('facts', 'urgent'); the empty value of its type if the case has none."""
        match path[0]:
            case "facts":
                return self._fact(path[1])
            case "case":
                return self._case(path[1])
            case "last":
                return self._last(path[1], path[2])
            case "count":
                return self.record.counts[path[1]]
            case "parameters":
                return self.record.values.get(f"parameters.{path[1]}", "")
        return self._complaint(path)

    def _fact(self, name: str) -> Any:
        declared = self.procedure.facts[name]
        # A case of an earlier version may have the fact with another type.
        value = coerce_fact(declared, self.record.values.get(f"facts.{name}"))
        if value is None:
            value = fact_default(declared)
        return self._local(value) if isinstance(value, datetime) else value

    def _case(self, name: str) -> Any:
        record = self.record
        match name:
            case "open":
                return record.values["status"] == "open"
            case "rule" | "overdue" | "breached":
                return getattr(record, name)
            case "accepted" | "suspended":
                return record.flags[name]
            case "links":
                return record.link_kinds
            case "residents_agreed":
                return record.findings.agreed
            case "residents_disagreed":
                return len(record.findings.agreements) - record.findings.agreed
            case "due_at" | "ended_at":
                return self._instant(getattr(record, name))
            case "received_day":
                received = read_instant(record.values.get("received_at"))
                return "" if received is None else received.astimezone(self.zone).date().isoformat()
        return self._value(name)

    def _last(self, event_type: str, name: str) -> Any:
        event = self.record.last_events.get(event_type, {})
        if name == "day":
            at = read_instant(event.get("at"))
            return "" if at is None else at.astimezone(self.zone).date().isoformat()
        value = event.get(name)
        if value is None:
            return EMPTY_EVENT_FIELDS[event_type][name]
        return self._instant(value) if name in INSTANT_FIELDS else value

    def _complaint(self, path: NamePath) -> Any:
        name = path[1]
        match name:
            case "complainant":
                value = self.record.values.get(f"complainant.{path[2]}")
                return _EMPTY_COMPLAINANT.get(path[2], "") if value is None else value
            case "channel_family":
                return CHANNEL_FAMILIES.get(self.record.values.get("channel", ""), "")
            case "case" | "kind":
                # The complaint's own kind; that of the case is what was decided.
                return getattr(self.record, f"complaint_{name}")
        return self._value(name)

    def _value(self, name: str) -> Any:
        empty = _EMPTY.get(name, "")
        value = self.record.values.get(name)
        if value is None:
            return empty
        return self._instant(value) if empty is EPOCH else value

    def _instant(self, text: Any) -> datetime:
        instant = read_instant(text)
        return EPOCH if instant is None else self._local(instant)

    def _local(self, instant: datetime) -> datetime:
        # CEL knows fixed offsets only, no named zones (ADR 10).
        local = instant.astimezone(self.zone)
        return local.replace(tzinfo=timezone(local.utcoffset() or timedelta()))
