"""Values of a case for forms: its fields and the latest event of each type, derived from the case's events alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

EventFields = Mapping[str, Any]
"""An event as it was published, with its type as `event`."""
_COMPLAINT_FIELDS = ("number", "source", "external_id", "received_at", "registered_at", "channel", "title", "text", "object", "demand")
_MORE_COMPLAINT_FIELDS = ("place", "product", "against", "happened_at", "attachments", "missing", "kind")
_STATUS_BY_EVENT = {"closed": "closed", "refused": "refused", "withdrawn": "withdrawn", "reopened": "open"}


@dataclass(slots=True)
class CaseRecord:
    """The present values of a case's fields by path (`number`, `complainant.name`, `facts.urgent`), and its events in order."""

    values: dict[str, Any] = field(default_factory=lambda: {"status": "open", "kind": "complaint"})
    events: list[EventFields] = field(default_factory=list)

    def value(self, path: str, after: int = 0, *, first: bool = False) -> Any:
        """The value at a path, None without one; of the latest (or first) event with a sequence greater than `after`."""
        root, dot, name = path.partition(".")
        if not dot or root in ("complainant", "facts", "parameters"):
            return self.values.get(path)
        events = self.events if first else reversed(self.events)
        event = next((event for event in events if event["event"] == root and event["sequence"] > after), None)
        return None if event is None else event.get(name)

    def latest(self, events: Sequence[str], roles: Sequence[str] = (), after: int = 0) -> EventFields | None:
        """The latest event of these types by one of the roles (none: any) with a sequence greater than `after`."""
        return next((event for event in reversed(self.events) if event["sequence"] > after and is_act_of(event, events, roles)), None)

    def last_sequence(self, events: Sequence[str]) -> int:
        """The sequence of the latest event of these types, 0 without one."""
        latest = self.latest(events)
        return 0 if latest is None else int(latest["sequence"])

    def apply(self, event: EventFields) -> None:
        """Take an event into account."""
        self.events.append(event)
        self._set("facts", event.get("facts"))
        if agreed := event.get("date" if event["event"] == "date_agreed" else "next_date"):
            # The deadline may count from the fact of a procedure (device-service 4.1e), which no event of its own sets.
            self.values.update({"agreed_date": agreed, "facts.agreed_date": agreed})
        match event["event"]:
            case "registered":
                self._register(event)
            case "amended":
                self._amend(event.get("fields") or {})
            case "classified" | "reclassified":
                self._replace(event, "kind", "class", "subject")
            case "routed" | "reassigned":
                self.values.update(department=event.get("department", ""), cooperating=event.get("cooperating") or [])
            case "returned":
                self.values.update(department="", cooperating=[], handler="")
            case "assigned":
                self._replace({"handler": event.get("person")}, "handler")
            case "closed" | "refused" | "withdrawn" | "reopened":
                self.values["status"] = _STATUS_BY_EVENT[event["event"]]

    def _register(self, event: EventFields) -> None:
        complaint = event["complaint"]
        self.values["registered_at"] = event["at"]
        self._replace(complaint, *_COMPLAINT_FIELDS, *_MORE_COMPLAINT_FIELDS)
        self._replace(event, "number", "missing")
        self._set("complainant", complaint.get("complainant"))
        self._set("facts", complaint.get("facts"))
        self._set("parameters", event.get("parameters"))

    def _amend(self, fields: Mapping[str, Any]) -> None:
        for name, value in fields.items():
            if isinstance(value, Mapping):
                self._set(name, value)
            else:
                # A null takes the value away.
                self.values[name] = value

    def _set(self, root: str, values: Any) -> None:
        if isinstance(values, Mapping):
            self.values.update({f"{root}.{name}": value for name, value in values.items()})

    def _replace(self, fields: Mapping[str, Any], *names: str) -> None:
        self.values.update({name: fields[name] for name in names if fields.get(name) not in (None, "", [])})


def is_act_of(event: EventFields, events: Sequence[str], roles: Sequence[str]) -> bool:
    """Whether the event is of one of the types and by one of the roles (none: any); a deemed approval counts without a role."""
    return event["event"] in events and (not roles or event.get("role") in roles or event["event"] == "measures_deemed_approved")


def case_record(events: Sequence[EventFields], until: int | None = None) -> CaseRecord:
    """The record of a case after its events, or after the one with the sequence `until`."""
    record = CaseRecord()
    for event in events:
        if until is None or event["sequence"] <= until:
            record.apply(event)
    return record
