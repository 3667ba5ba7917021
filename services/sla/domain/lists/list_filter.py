"""The filter that a reader adds to a list; a case does not match by a field that is hidden from him."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.sla.domain.lists.list_record import ListRecord
from shared.contracts.instants import read_instant


@dataclass(frozen=True, slots=True)
class ListFilter:
    """Conditions that all hold; None is no condition. `against` is a person or unit complained about."""

    status: str | None = None
    kind: str | None = None
    class_: str | None = None
    subject: str | None = None
    department: str | None = None
    handler: str | None = None
    household: str | None = None
    enterprise: str | None = None
    against: str | None = None
    called_back: bool | None = None
    evaluated: bool | None = None
    overdue: bool | None = None
    received_from: datetime | None = None
    received_before: datetime | None = None

    def matches(self, record: ListRecord, is_hidden: Callable[[str], bool]) -> bool:
        """Whether a case matches; a field that `is_hidden` matches nothing, or the filter would reveal its value."""
        return all(
            not is_hidden(path) and (wanted in value if isinstance(value, list) else value == wanted)
            for path, value, wanted in self._comparisons(record)
            if wanted is not None
        ) and self._is_received_between(record)

    def _comparisons(self, record: ListRecord) -> Iterator[tuple[str, Any, Any]]:
        """Each path with the case's value and the wanted one."""
        for path, wanted in (
            ("status", self.status),
            ("kind", self.kind),
            ("class", self.class_),
            ("subject", self.subject),
            ("department", self.department),
            ("handler", self.handler),
            ("complainant.household", self.household),
            ("complainant.enterprise", self.enterprise),
            ("against", self.against),
        ):
            yield path, record.values.get(path), wanted
        yield "called_back", record.counts["called_back"] > 0, self.called_back
        yield "evaluated", record.counts["evaluated"] > 0, self.evaluated
        yield "overdue", record.overdue, self.overdue

    def _is_received_between(self, record: ListRecord) -> bool:
        if self.received_from is None and self.received_before is None:
            return True
        received = read_instant(record.values.get("received_at"))
        if received is None:
            return False
        is_late_enough = self.received_from is None or received >= self.received_from
        return is_late_enough and (self.received_before is None or received < self.received_before)
