"""What rules may read of one complaint, built once as a CEL context and evaluated many times."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

import cel

from shared.contracts.complaint import FAMILIES, Complaint
from shared.contracts.events.fields import ANY_EVENT_FIELDS, EPOCH, EVENT_FIELDS
from shared.procedures.conditions import CASE_FIELDS, Condition, Path
from shared.procedures.matching import prepared, program

_INSTANTS = frozenset({"received_at", "registered_at", "happened_at", "agreed_date"})
_CASE: dict[str, Any] = {
    **{name: EPOCH if name in _INSTANTS else "" for name in CASE_FIELDS},
    **dict.fromkeys(("approved", "accepted", "suspended"), False),
    "open": True,
    "status": "open",
    "level": 0,
    "links": [],
    "cooperating": [],
}
_NEVER = dict.fromkeys(EVENT_FIELDS, 0)


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision depends on besides complaint and rules: when it is made, the calendar's zone, and when it is written down."""

    at: datetime
    zone: tzinfo
    recorded_at: datetime | None = None

    def instants(self) -> dict[str, datetime]:
        """The instants of every event of the decision."""
        return {"at": self.at} if self.recorded_at is None else {"at": self.at, "recorded_at": self.recorded_at}


class Scope:
    """The names of one complaint; holds only what the rules' paths ask for."""

    def __init__(
        self, complaint: Complaint, facts: dict[str, Any], parameters: Mapping[str, Any], zone: tzinfo, paths: Iterable[Path]
    ) -> None:
        self.complaint = complaint
        self.facts = facts
        self.parameters = parameters
        self.zone = zone
        self.case = _case(complaint, zone)
        self._paths = tuple(paths)
        self._context: cel.Context | None = None

    def set_facts(self, values: Mapping[str, Any]) -> None:
        """Give facts; rules read them from now on."""
        self.facts.update(values)
        self._context = None

    def set_case(self, **values: Any) -> None:
        """Tell what has been decided of the case so far: kind, class_, rule, subject, department."""
        changed = {name.rstrip("_"): value for name, value in values.items() if self.case[name.rstrip("_")] != value}
        self.case.update(changed)
        if any(path[0] == "case" and path[1] in changed for path in self._paths):
            self._context = None

    def holds(self, condition: Condition) -> bool:
        """Whether the condition holds; raises `ValueError` naming it if its value is not true or false."""
        value = self.value(condition)
        if not isinstance(value, bool):
            raise ValueError(f"the condition «{condition.source}» gives {type(value).__name__}; it has to give true or false")  # noqa: TRY004
        return value

    def value(self, condition: Condition) -> Any:
        """The expression's value; raises `ValueError` naming the expression if it cannot be evaluated."""
        if self._context is None:
            self._context = prepared(cel.Context(variables=self._variables()))
        try:
            return program(condition).execute(self._context)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"the condition «{condition.source}» cannot be evaluated: {type(error).__name__}") from error

    def knows(self, condition: Condition) -> bool:
        """Whether every fact and parameter that the condition reads exists here."""
        known = {"facts": self.facts, "parameters": self.parameters}
        return all(path[1] in known[path[0]] for path in condition.paths if path[0] in known)

    def evidence(self, condition: Condition) -> list[str]:
        """What the condition read, as name = value; texts, which may name people, without their value."""
        return [self._witness(path) for path in condition.paths]

    def _witness(self, path: Path) -> str:
        value, name = self.read(path), ".".join(path)
        if isinstance(value, bool):
            return f"{name} = {str(value).lower()}"
        if isinstance(value, int | float) or name in ("complaint.channel", "complaint.channel_family", "complaint.kind", "case.class"):
            return f"{name} = {value}"
        return f"{name} = {value.isoformat()}" if isinstance(value, datetime) else name

    def _variables(self) -> dict[str, Any]:
        variables: dict[str, Any] = {}
        for path in self._paths:
            if path[0] in ("facts", "parameters") and path[1] not in getattr(self, path[0]):
                continue
            node = variables
            for name in path[:-1]:
                node = node.setdefault(name, {})
            node[path[-1]] = self.read(path)
        return variables

    def read(self, path: Path) -> Any:
        """The value of a path such as ('complaint', 'complainant', 'kind'); instants in the calendar's zone, what is unset empty."""
        root, name = path[0], path[1]
        if root == "complaint":
            return self._of_complaint(path)
        if root in ("facts", "parameters"):
            return _local(getattr(self, root).get(name), self.zone)
        if root == "last":
            return EVENT_FIELDS[name][path[2]]
        return {"case": self.case, "event": ANY_EVENT_FIELDS, "count": _NEVER}[root][name]

    def _of_complaint(self, path: Path) -> Any:
        name = path[1]
        if name == "channel_family":
            return FAMILIES[self.complaint.channel]
        if name == "complainant":
            return _filled(getattr(self.complaint.complainant, path[2]))
        value = getattr(self.complaint, name)
        return EPOCH if value is None and name in _INSTANTS else _filled(_local(value, self.zone))


def _case(complaint: Complaint, zone: tzinfo) -> dict[str, Any]:
    return _CASE | {
        "number": complaint.number,
        "received_at": _local(complaint.received_at, zone),
        "registered_at": _local(complaint.registered_at, zone),
        "received_day": complaint.received_at.astimezone(zone).date().isoformat(),
    }


def _local(value: Any, zone: tzinfo) -> Any:
    """Instants with the zone's offset at that instant: CEL takes fixed offsets alone."""
    if not isinstance(value, datetime):
        return value
    local = value.astimezone(zone)
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta()))


def _filled(value: Any) -> Any:
    return "" if value is None else value
