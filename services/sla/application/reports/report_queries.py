"""Reads the stored reports of a procedure and their lists, and signs them, for the people whom the access policy allows to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from services.sla.application.errors import ListNotFoundError, ReportActionError, ReportNotFoundError, ReportRoleError
from services.sla.application.lists.list_queries import BuiltList, ListQueries
from services.sla.application.queries import CaseQueries
from services.sla.application.reports.frozen_lists import read_frozen_list
from services.sla.domain.evidence.hash_chain import canonical_json
from services.sla.storage.duties import read_in_one_snapshot
from services.sla.storage.reports import report_events, signatures
from services.sla.storage.reports.report_lists import ReportKey
from services.sla.storage.reports.signatures import StoredReport
from shared.contracts.instants import END_OF_INSTANTS
from shared.procedures.access import Actor
from shared.procedures.calendars.zones import procedure_zone
from shared.procedures.model.procedure import Procedure
from shared.runtime.database.database import Transaction

MAX_REPORTS = 200
_HIDDEN_FIELDS = frozenset({"reads"})
"""Fields of a frozen list that only the reading of its rows needs."""


class ReportQueries:
    """Answers of the HTTP routes about reports."""

    def __init__(self, case_queries: CaseQueries, lists: ListQueries) -> None:
        self._cases = case_queries
        self._lists = lists

    async def list_reports(self, procedure_id: str, actor: Actor) -> list[dict[str, Any]]:
        """The reports that the actor may read, the latest first; raises `ListNotFoundError`."""
        procedure, now = self._lists.procedure(procedure_id), self._cases.clock.now()
        async with self._cases.database.transaction() as tx:
            reports = await signatures.load_reports(tx, procedure_id, END_OF_INSTANTS, MAX_REPORTS)
        return [_summary(report, procedure, now) for report in reports if self._may_read(report, actor, now)]

    async def describe_report(self, procedure_id: str, duty: str, day: date, actor: Actor) -> dict[str, Any]:
        """A report with its figures and what its lists are; raises `ListNotFoundError` or `ReportNotFoundError`."""
        now = self._cases.clock.now()
        async with self._cases.database.transaction() as tx:
            report = await self._load(tx, procedure_id, duty, day, actor)
        lists = [{name: value for name, value in frozen.items() if name not in _HIDDEN_FIELDS} for frozen in report.report["lists"]]
        return {**report.report, **_summary(report, self._lists.procedure(procedure_id), now), "lists": lists}

    async def read_list(self, report: tuple[str, str, date], list_id: str, actor: Actor) -> BuiltList:
        """A list of a report as it was then, for those of its cases that the actor may read now.

        Raises `ListNotFoundError` or `ReportNotFoundError`.
        """
        now = self._cases.clock.now()
        async with self._cases.database.transaction() as tx:
            await read_in_one_snapshot(tx)
            stored = await self._load(tx, *report, actor)
            frozen = next((entry for entry in stored.report["lists"] if entry["id"] == list_id), None)
            if frozen is None:
                raise ListNotFoundError(f"list: must be one of {_ids(stored.report['lists'])}")
            texts = self._lists.reader_texts(actor, now, "zh")
            return BuiltList(*await read_frozen_list(tx, stored.key, stored.report, frozen, texts))

    async def sign(self, report: tuple[str, str, date], actor: Actor, text: str) -> dict[str, Any]:
        """Sign a report in the role that owes it, once; raises a `RequestError`.

        The signature covers the report with the hashes of its lists: what is signed is what was drafted.
        """
        now = self._cases.clock.now()
        async with self._cases.database.transaction() as tx:
            stored = await self._load(tx, *report, actor)
            owner = stored.report["owner"]
            if not self._cases.policy.holds_role(actor, owner, now):
                raise ReportRoleError(f"role: the report is signed by {owner}; ask a person who holds that role")
            if stored.signed_at is not None:
                raise ReportActionError(f"sign: the report was signed by {stored.report['signature']['actor']}; it is signed once")
            signature = {"actor": actor.id, "role": owner, "at": now.isoformat(), "text": text}
            digest = sha256(canonical_json(stored.report)).hexdigest()
            signed = {**stored.report, "signature": {**signature, "sha256": digest}}
            await signatures.sign_report(tx, stored.key, now, signed)
            fields = {**signature, "duty": stored.key.duty, "period": stored.key.period.isoformat(), "sha256": digest}
            await report_events.append_event(tx, stored.key.procedure, "report_signed", now, fields)
        return {**_summary(stored, self._lists.procedure(stored.key.procedure), now), "state": "signed", "overdue": False}

    async def _load(self, tx: Transaction, procedure_id: str, duty: str, day: date, actor: Actor) -> StoredReport:
        procedure = self._lists.procedure(procedure_id)
        zone = procedure_zone(procedure, self._cases.rulebooks.organisation)
        period = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        report = await signatures.lock_report(tx, ReportKey(procedure_id, duty, period))
        if report is None or not self._may_read(report, actor, self._cases.clock.now()):
            raise ReportNotFoundError
        return report

    def _may_read(self, report: StoredReport, actor: Actor, now: datetime) -> bool:
        return self._cases.policy.may_read_report(actor, report.report.get("owner", ""), now)


def _summary(report: StoredReport, procedure: Procedure, now: datetime) -> dict[str, Any]:
    duty = next((duty for duty in procedure.duties if duty.id == report.key.duty), None)
    return {
        "procedure": report.key.procedure,
        "duty": report.key.duty,
        "title": "" if duty is None else duty.zh,
        "title_en": "" if duty is None else duty.en,
        "period": report.report["period"],
        "owner": report.report.get("owner", ""),
        "state": report.state,
        "sign_by": None if report.sign_by is None else report.sign_by.isoformat(),
        "overdue": report.is_overdue(now),
        "signature": report.report.get("signature"),
        "lists": [{"id": frozen["id"], "title": frozen["title"], "rows": frozen["rows"]} for frozen in report.report.get("lists", [])],
    }


def _ids(lists: Iterable[dict[str, Any]]) -> str:
    return ", ".join(entry["id"] for entry in lists) or "none: the report contains no list"
