"""Describes a group for an actor: its alarm, its members page by page, and its history."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from services.triage.application.cursors import decode_cursor, encode_cursor
from services.triage.application.readable_cases import ReadableCase, ReadableCases
from services.triage.storage import group_pages
from shared.procedures.access import Actor
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction

HISTORY_LIMIT = 100
_SEARCHED_MEMBERS = 2_000
"""Members among which one that concerns the actor is searched; who has none among so many gets no page."""
_FIRST = (datetime(1, 1, 2, tzinfo=UTC), [""])
_LAST_ENTRY = 2**63 - 1


class GroupNotFoundError(Exception):
    """There is no such group, or none of its cases concerns the actor."""


class GroupPages:
    """Reads groups in one transaction each, so that members and history belong together."""

    def __init__(self, database: Database, cases: ReadableCases, clock: Clock, zone: tzinfo) -> None:
        self._database = database
        self._cases = cases
        self._clock = clock
        self._zone = zone

    async def describe(self, group: str, actor: Actor, cursor: str | None, limit: int, history_before: int | None) -> dict[str, Any]:
        """The group as the actor may see it; raises `GroupNotFoundError` and `PagePositionError`.

        Cases that do not concern the actor are left out of members and history. The number of members counts them: it is the alarm's.
        """
        received_at, (case,) = _FIRST if cursor is None else decode_cursor(cursor, 1)
        now = self._clock.now()
        async with self._database.transaction() as tx:
            row = await group_pages.find_group(tx, group)
            if row is None:
                raise GroupNotFoundError
            members = await group_pages.find_members(tx, group, (received_at, case), limit)
            entries = await group_pages.find_history(tx, group, history_before or _LAST_ENTRY, HISTORY_LIMIT)
            ids = {case for _, case in members} | {entry["case_id"] for entry in entries} | {row["founder"]}
            readable = await self._cases.find(tx, ids, actor, now)
            if not readable and not await self._concerns(tx, group, actor, now):
                raise GroupNotFoundError
            size = await group_pages.count_members(tx, group)
        return {
            **self._alarm(row, readable),
            "size": size,
            "members": [self._member(readable[case], received_at, group) for received_at, case in members if case in readable],
            "next_cursor": encode_cursor(*members[-1]) if len(members) == limit else None,
            "history": self._history(entries, readable),
            "next_history": entries[-1]["id"] if len(entries) == HISTORY_LIMIT else None,
        }

    async def _concerns(self, tx: Transaction, group: str, actor: Actor, now: datetime) -> bool:
        """Whether one of the first members concerns the actor."""
        members = await group_pages.find_members(tx, group, (_FIRST[0], ""), _SEARCHED_MEMBERS)
        return bool(await self._cases.find(tx, [case for _, case in members], actor, now))

    def _alarm(self, row: Mapping[str, Any], readable: Mapping[str, ReadableCase]) -> dict[str, Any]:
        # A count key is made of fields of the complaint: hidden ones would be read from it.
        shows_key = any(not readable_case.hidden for readable_case in readable.values())
        return {
            "group": row["id"],
            "procedure": row["procedure"],
            "count": row["count"],
            "clause": row["clause"],
            "key": row["key"] if shows_key else "",
            "dissolved_at": self._instant(row["dissolved_at"]),
            "alarm": {
                "at": self._instant(row["found_at"]),
                "case": row["founder"] if row["founder"] in readable else "",
                "size": row["found_size"],
            },
        }

    def _member(self, readable_case: ReadableCase, received_at: datetime, group: str) -> dict[str, Any]:
        triage_case = readable_case.case
        membership = next((m for m in triage_case.memberships if m.group == group), None)
        return {
            "case": triage_case.case,
            "received_at": self._instant(received_at),
            "department": readable_case.parties.department,
            "class": triage_case.effective.class_,
            "reclassified": membership is not None and bool(membership.class_) and membership.class_ == triage_case.effective.class_,
            "linked_as": membership.link_as if membership is not None else "",
        }

    def _history(self, entries: Iterable[Mapping[str, Any]], readable: Mapping[str, ReadableCase]) -> list[dict[str, Any]]:
        return [
            {"at": self._instant(entry["at"]), "event": entry["event"], "case": entry["case_id"]}
            for entry in entries
            if entry["case_id"] in readable
        ]

    def _instant(self, at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(self._zone).isoformat()
