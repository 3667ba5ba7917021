"""The cases that the inputs of a batch link to; decisions only read them, so they are not locked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.sla.domain.lifecycle.case import Case
from services.sla.storage import cases
from shared.contracts.actions import Action
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import Linked
from shared.contracts.events.triage import LinkProposed
from shared.runtime.database.database import Transaction


def linked_case(event: Action | CaseEvent | object) -> str:
    """The case that a record links to; empty if it links none."""
    if isinstance(event, Action):
        return event.data.case if event.action == "link" else ""
    return event.to_case if isinstance(event, Linked | LinkProposed) else ""


def case_linked_by_deferred(stored: Mapping[str, Any]) -> str:
    """The same of a deferred input as it is stored."""
    fields = stored["input"]
    if stored["kind"] == "asked":
        fields = fields["action"]
    data = fields.get("data", {})
    links = fields.get("action") == "link" or fields.get("event") in ("linked", "link_proposed")
    return str(data.get("case") or data.get("to_case") or "") if links else ""


async def load_linked_cases(tx: Transaction, ids: Iterable[str]) -> dict[str, Case]:
    """The cases with these ids; unknown ones are left out."""
    # Not locked: two transactions that link their cases to each other would wait for one another.
    return await cases.read_cases(tx, sorted({case_id for case_id in ids if case_id}))
