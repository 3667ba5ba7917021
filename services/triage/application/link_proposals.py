"""Follows proposed links and people's decisions on them, and lists them for an actor with both complaints side by side."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from services.triage.application.cursors import decode_cursor, encode_cursor
from services.triage.application.people_loading import load_keys
from services.triage.application.readable_cases import ReadableCase, ReadableCases
from services.triage.domain.assess import TRIAGE
from services.triage.domain.groups.duplicates import matter_fields
from services.triage.storage import link_proposals
from services.triage.storage.link_proposals import LinkProposalRow
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import Linked, Unlinked
from shared.contracts.events.triage import LinkProposed
from shared.procedures.access import Actor
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction

_LAST = (datetime(2200, 1, 1, tzinfo=UTC), ["", ""])
_SHOWN = ("received_at", "channel", "title", "text", "object", "place", "product")


async def follow_proposals(tx: Transaction, published: Iterable[CaseEvent], read: Iterable[CaseEvent | None]) -> None:
    """Keep the proposals among the published events, and the decisions among the events read from sla."""
    proposed = [LinkProposalRow(e.case, e.to_case, e.at, e.clause) for e in published if isinstance(e, LinkProposed)]
    await link_proposals.add_proposals(tx, proposed)
    # Any link of the two by a person decides: a repeat is no duplicate. Taken off again, it does not become a proposal again.
    decisions = [
        (event.case, event.to_case, event.kind_of_link or "duplicate" if isinstance(event, Linked) else event.type, event.at)
        for event in read
        if isinstance(event, Linked | Unlinked) and event.to_case and event.by != TRIAGE
    ]
    await link_proposals.decide_proposals(tx, decisions)


class LinkProposalList:
    """Reads each page in one transaction."""

    def __init__(self, database: Database, cases: ReadableCases, clock: Clock, zone: tzinfo) -> None:
        self._database = database
        self._cases = cases
        self._clock = clock
        self._zone = zone

    async def page(self, actor: Actor, *, is_open: bool, cursor: str | None, limit: int) -> dict[str, Any]:
        """Proposals of which both cases concern the actor, latest first, at most `limit`; raises `PagePositionError`."""
        at, (case, to_case) = _LAST if cursor is None else decode_cursor(cursor, 2)
        now = self._clock.now()
        async with self._database.transaction() as tx:
            rows = await link_proposals.find_proposals(tx, is_open=is_open, before=(at, case, to_case), limit=limit)
            cases = await self._cases.find(tx, {case for row in rows for case in (row["case_id"], row["to_case"])}, actor, now)
            pairs = [(row, cases.get(row["case_id"]), cases.get(row["to_case"])) for row in rows]
            shown = [(row, later, earlier) for row, later, earlier in pairs if later is not None and earlier is not None]
            directory = await load_keys(tx, {key for _, *both in shown for side in both for key in side.case.complainants})
        proposals = []
        for row, later, earlier in shown:
            # A case that was withdrawn or refused since is nobody's duplicate; sla would refuse the link.
            if is_open and (later.case.ended or earlier.case.ended):
                continue
            people = [directory.names(directory.person(side.case.complainants)) for side in (later, earlier)]
            certain = len(people[0]) == len(people[1]) == 1
            proposals.append(self._proposal(row, later, earlier, certain=certain))
        last = rows[-1] if len(rows) == limit else None
        next_cursor = None if last is None else encode_cursor(last["at"], last["case_id"], last["to_case"])
        return {"proposals": proposals, "next_cursor": next_cursor}

    def _proposal(self, row: Mapping[str, Any], later: ReadableCase, earlier: ReadableCase, *, certain: bool) -> dict[str, Any]:
        procedure = later.case.procedure
        same = matter_fields(procedure.duplicates, later.case.complaint, later.case.complaint.facts)
        return {
            "case": later.case.case,
            "to_case": earlier.case.case,
            "as": "duplicate",
            "proposed_at": row["at"].astimezone(self._zone).isoformat(),
            "decision": row["decision"],
            "reason": {
                "procedure": procedure.id,
                "clause": row["clause"],
                "person": "same" if certain else "possibly_same",
                "same": [name for name in same if later.shows(name) and earlier.shows(name)],
            },
            "sides": [self._side(later), self._side(earlier)],
        }

    def _side(self, side: ReadableCase) -> dict[str, Any]:
        fields = side.complaint_fields(*_SHOWN)
        received_at = side.case.complaint.received_at.astimezone(self._zone).isoformat()
        return {
            "case": side.case.case,
            "number": side.case.complaint.number,
            "department": side.parties.department,
            "class": side.case.effective.class_,
            **fields,
            "received_at": received_at if side.shows("received_at") else None,
        }
