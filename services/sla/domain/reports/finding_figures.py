"""Figures of a period on what was found, imposed, paid, agreed, published and talked over."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.sla.domain.lifecycle.case import Event
from services.sla.domain.lifecycle.findings.records import COMPENSATION_STEPS, NOTICE_STEPS, subject_key

MOST_NAMES = 100
"""Causes and units that a report lists, the most frequent first: both are free names, and a report goes out as one message."""
CENTS = 100
_CASE_VALUES = {"cause_recorded": "cause", "sanction_recorded": "sanction", "concealment_reported": "concealment"}
"""Event → the field by which it is counted, once a case and value."""


@dataclass(slots=True)
class FindingFigures:
    """Adds up the findings of a period case by case; persons are counted, never named: figures go to people outside the case."""

    values: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    units: Counter[str] = field(default_factory=Counter)
    persons: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    cents: Counter[tuple[str, str]] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    agreements: Counter[bool] = field(default_factory=Counter)

    def add(self, period_events: Sequence[Event]) -> None:
        """Add the events of one case in the period."""
        for event_type, name in _CASE_VALUES.items():
            self.values[event_type].update({event.data.get(name, "") for event in period_events if event.type == event_type})
        liable = [event.data for event in period_events if event.type == "liability_recorded"]
        self.units.update({unit for data in liable for unit in data.get("units", ())})
        self.persons += len({person for data in liable for person in data.get("persons", ())})
        # The latest answer of a household counts, as it does for closing.
        answers = {
            subject_key(event.data.get("household", "")): event.data.get("agreed", False)
            for event in period_events
            if event.type == "agreement_recorded"
        }
        self.agreements.update(answers.values())
        for event in period_events:
            self._count(event)

    def _count(self, event: Event) -> None:
        if event.type in NOTICE_STEPS or event.type in COMPENSATION_STEPS or event.type == "meeting_recorded":
            self.steps[event.type] += 1
        if event.type == "call_recorded":
            self.calls[event.data.get("result", "")] += 1
        if event.type in COMPENSATION_STEPS:
            # In cents: sums of floats depend on the order of the cases.
            self.cents[event.type, event.data.get("compensation", "")] += round((event.data.get("amount") or 0.0) * CENTS)

    def to_report(self) -> dict[str, Any]:
        """The figures as JSON-ready data; amounts in yuan."""
        return {
            "causes_found": _most_frequent(self.values["cause_recorded"]),
            "liable": {"units": _most_frequent(self.units), "persons": self.persons},
            "sanctions": _most_frequent(self.values["sanction_recorded"]),
            "compensation": {step.removeprefix("compensation_"): self._compensation(step) for step in sorted(COMPENSATION_STEPS)},
            "concealments": _most_frequent(self.values["concealment_reported"]),
            "agreements": {"agreed": self.agreements[True], "disagreed": self.agreements[False]},
            "notices": {step.removeprefix("notice_"): self.steps[step] for step in sorted(NOTICE_STEPS)},
            "calls": _most_frequent(self.calls),
            "meetings": self.steps["meeting_recorded"],
        }

    def _compensation(self, step: str) -> dict[str, Any]:
        by_kind = {kind: cents / CENTS for (each, kind), cents in sorted(self.cents.items()) if each == step}
        total = sum(cents for (each, _), cents in self.cents.items() if each == step)
        return {"count": self.steps[step], "amount": total / CENTS, "by_kind": by_kind}


def _most_frequent(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_NAMES])
