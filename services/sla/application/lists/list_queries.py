"""Lists of a procedure for an actor: the cases that he may read, without what is confidential to him."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from services.sla.application.case_list import visible_cases
from services.sla.application.errors import ListNotFoundError, PeriodError
from services.sla.application.identity import case_parties
from services.sla.application.lists.row_collection import ListReader, collect_rows
from services.sla.application.lists.row_spool import RowSpool
from services.sla.application.queries import CaseQueries
from services.sla.domain.deadlines.worktime import Worktime
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lists.case_rows import ListRows, ListScope
from services.sla.domain.lists.list_filter import ListFilter
from services.sla.domain.lists.list_period import ListPeriodError, list_bounds
from services.sla.storage.duties import read_in_one_snapshot
from shared.procedures.access import Actor
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.form_layout.lists import CaseListEntry, find_list, list_ids
from shared.procedures.model.procedure import LanguageCode, Procedure
from shared.runtime.spreadsheets.table_files import TableHead

_LISTS_AT_ONCE = 2
"""Each holds a connection of the pool for as long as it reads."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Which list: `period` as `list_bounds` reads it, and the reader's own filter."""

    procedure: str
    list_id: str
    period: str = ""
    where: ListFilter = field(default_factory=ListFilter)
    language: LanguageCode = "zh"


@dataclass(frozen=True, slots=True)
class BuiltList:
    """A list with its ordered rows; the caller closes the spool."""

    head: TableHead
    spool: RowSpool


class ListQueries:
    """Builds lists; at most two at a time, the others wait."""

    def __init__(self, case_queries: CaseQueries) -> None:
        self._cases = case_queries
        self._turns = asyncio.Semaphore(_LISTS_AT_ONCE)

    async def build(self, request: ListRequest, actor: Actor) -> BuiltList:
        """The list as the actor may read it; raises `ListNotFoundError` or `PeriodError`."""
        cases, now = self._cases, self._cases.clock.now()
        procedure = self.procedure(request.procedure)
        entry = list_of(procedure, request.list_id)
        calendar = cases.rulebooks.calendars[procedure.calendar or cases.rulebooks.organisation.calendar]
        scope = list_scope(entry, request, Worktime.for_calendar(calendar), now)
        reader = ListReader(self.reader_texts(actor, now, request.language), visible_cases(cases.policy, actor, now))
        async with self._turns, cases.database.transaction() as tx:
            await read_in_one_snapshot(tx)
            spool = await collect_rows(tx, procedure, entry, scope, reader)
        texts = FormTexts(procedure, cases.rulebooks.organisation, request.language)
        return BuiltList(list_head(procedure, entry, scope, now, texts), spool)

    def procedure(self, procedure_id: str) -> Procedure:
        """The procedure of that id, as the sources of the organisation use it; raises `ListNotFoundError`."""
        procedures = {procedure.id: procedure for procedure in self._cases.rulebooks.procedures_in_use}
        if procedure_id not in procedures:
            raise ListNotFoundError(f"procedure: must be one that is in use: {', '.join(sorted(procedures))}")
        return procedures[procedure_id]

    def reader_texts(self, actor: Actor, now: datetime, language: LanguageCode) -> Callable[[Case, str], FormTexts | None]:
        """The texts of a case for the actor, None for a case that does not concern him: the same policy as for a single case."""
        cases = self._cases
        cache: dict[tuple[str, int, tuple[str, ...]], FormTexts] = {}

        def texts(case: Case, _basis: str) -> FormTexts | None:
            if not cases.policy.may_read(actor, case_parties(case), now):
                return None
            hidden = cases.hidden_fields(actor, case, now)
            key = (case.procedure, case.version, hidden)
            if key not in cache:
                cache[key] = FormTexts(cases.rulebooks.for_case(case).procedure, cases.rulebooks.organisation, language, hidden)
            return cache[key]

        return texts


def list_of(procedure: Procedure, list_id: str) -> CaseListEntry:
    """A procedure's list; raises `ListNotFoundError`."""
    entry = find_list(procedure.lists, list_id)
    if entry is None:
        raise ListNotFoundError(f"list: must be one of {', '.join(list_ids(procedure.lists))}")
    return entry


def list_scope(entry: CaseListEntry, request: ListRequest, worktime: Worktime, now: datetime) -> ListScope:
    """The instants and the filter of a request; raises `PeriodError`."""
    where = request.where
    # Who names dates of receipt means those, and not the present month.
    kind = None if where.received_from or where.received_before else entry.period
    try:
        bounds = list_bounds(request.period, kind or (entry.period if request.period else None), worktime, now)
    except ListPeriodError as error:
        raise PeriodError(str(error)) from error
    return ListScope(where=where) if bounds is None else ListScope(*bounds, where)


def list_head(procedure: Procedure, entry: CaseListEntry, scope: ListScope, now: datetime, texts: FormTexts) -> TableHead:
    """The head of a list."""
    period = None
    if scope.since is not None and scope.until is not None:
        period = {"from": scope.since.astimezone(texts.zone).isoformat(), "to": scope.until.astimezone(texts.zone).isoformat()}
    document = {
        "procedure": procedure.id,
        "version": procedure.version,
        "list": entry.id,
        "clauses": list(clause_ids(entry.clause)),
        "period": period,
        "at": now.astimezone(texts.zone).isoformat(),
    }
    return TableHead(texts.names.title(entry), ListRows(procedure, entry, scope).titles(texts), document)
