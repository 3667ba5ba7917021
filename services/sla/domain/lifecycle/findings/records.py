"""The state of a case's agreements, compensations and notices, by which their next steps are checked."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from typing import Any

COMPENSATION_STEPS = frozenset({"compensation_proposed", "compensation_approved", "compensation_refused", "compensation_paid"})
NOTICE_STEPS = frozenset({"notice_drafted", "notice_approved", "notice_rejected", "notice_published", "notice_confirmed"})
TRACKED_FINDINGS = frozenset({"agreement_recorded", *COMPENSATION_STEPS, *NOTICE_STEPS})


@dataclass(frozen=True, slots=True)
class Compensation:
    """One compensation: its latest decision or proposal (`step`), its kind, and the amounts proposed or approved and paid, in yuan."""

    step: str
    kind: str = ""
    amount: float | None = None
    paid: float = 0.0

    @property
    def unpaid(self) -> float | None:
        """Return the part of the approved amount that is not paid yet; None for a compensation without an amount."""
        return None if self.amount is None else max(0.0, round(self.amount - self.paid, 2))


@dataclass(frozen=True, slots=True)
class Findings:
    """The residents' answers, and the latest step of each compensation and notice.

    `agreements` maps a household to its latest answer, `compensations` a household (empty: the case) to its compensation, `notices` a
    notice (empty: the only one) to its latest step. A reopened case asks its residents again; what was approved or published before
    stays so.
    """

    agreements: dict[str, bool] = field(default_factory=dict)
    compensations: dict[str, Compensation] = field(default_factory=dict)
    notices: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Findings:
        """The findings from their fields in JSON."""
        compensations = {household: Compensation(**stored) for household, stored in data.get("compensations", {}).items()}
        return cls(data.get("agreements", {}), compensations, data.get("notices", {}))

    @property
    def agreed(self) -> int:
        """The number of households that agreed."""
        return sum(self.agreements.values())

    def after_reopening(self) -> Findings:
        """Return the findings that a reopened case keeps."""
        return replace(self, agreements={})

    def after(self, event_type: str, data: dict[str, Any]) -> Findings:
        """The findings after an event of `TRACKED_FINDINGS`."""
        if event_type == "agreement_recorded":
            return replace(self, agreements={**self.agreements, subject_key(data.get("household", "")): data.get("agreed", False)})
        if event_type in NOTICE_STEPS:
            return replace(self, notices={**self.notices, subject_key(data.get("notice", "")): event_type})
        household = subject_key(data.get("household", ""))
        changed = _after_step(self.compensations.get(household), event_type, data)
        return replace(self, compensations={**self.compensations, household: changed})


def _after_step(before: Compensation | None, event_type: str, data: dict[str, Any]) -> Compensation:
    if before is None or event_type == "compensation_proposed":
        return Compensation(event_type, data.get("compensation", ""), data.get("amount"))
    if event_type == "compensation_paid":
        return replace(before, paid=round(before.paid + (data.get("amount") or 0.0), 2))
    return replace(before, step=event_type, amount=data.get("amount", before.amount))


def subject_key(name: str) -> str:
    """The name of a household or notice as it is compared: full-width as half-width, without blanks, whatever the case."""
    # One household is written 3-1-402, ３-１-４０２ or "3-1-402 " by three people; counted three times it would be a majority.
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()
