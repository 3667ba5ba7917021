"""HTTP API of triage: the decision on a case, for people of the organisation."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from services.triage.application.case_rows import case_from_row
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.domain.group_counting import CounterKey, Occurrence
from services.triage.domain.triage_case import TriageCase
from services.triage.storage import group_counters, triage_cases
from shared.runtime.database.database import Database
from shared.runtime.http.bearer import BEARER_SCHEME, BearerTokens, bearer_token, unauthorized
from shared.runtime.http.problem import HttpProblem, ProblemType

_UNKNOWN_CASE = ProblemType("unknown_case", 404, "there is no such case")


def router(database: Database, registry: ProcedureRegistry) -> APIRouter:
    """`GET /v1/decisions/{case}`, with the bearer token of a person."""
    routes = APIRouter(tags=["decisions"], dependencies=[Depends(BEARER_SCHEME)])
    people = registry.organisation.people
    tokens = BearerTokens((person.token_sha256, person.id) for person in people if person.token_sha256)

    @routes.get("/v1/decisions/{case}", summary="What triage decided on a case")
    async def get_decision(request: Request, case: str) -> JSONResponse:
        """The effective class, kind and subject, the results of the rules and of a group, and the case's counters."""
        if tokens.find(bearer_token(request)) is None:
            raise unauthorized("Authorization: send Bearer and the token of a person of the organisation")
        async with database.transaction() as tx:
            rows = await triage_cases.find_cases(tx, [case.replace("\x00", "")], for_update=False)
            occurrences = await group_counters.find_case_occurrences(tx, [row["case_id"] for row in rows])
        if not rows:
            raise HttpProblem(_UNKNOWN_CASE, "case: must be the id of a registered case")
        return JSONResponse(_decision(case_from_row(rows[0], registry), occurrences))

    return routes


def _decision(triage_case: TriageCase, occurrences: Sequence[tuple[CounterKey, Occurrence]]) -> dict[str, Any]:
    return {
        "case": triage_case.case,
        "kind": triage_case.kind,
        "subject": triage_case.subject,
        "pinned": triage_case.set_by_person,
        "ended": bool(triage_case.ended),
        "held": asdict(triage_case.effective),
        "assessed": asdict(triage_case.by_rules),
        "grouped": asdict(triage_case.by_group),
        "procedure": {"id": triage_case.procedure.id, "version": triage_case.procedure.version},
        "counts": [{"count": counter.count, "key": counter.key, "group": o.group} for counter, o in occurrences],
    }
