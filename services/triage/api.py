"""HTTP API of triage: the decision on a case, for people of the organisation."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.application.state_loading import case_from_row
from services.triage.storage import triage_state
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
            rows = await triage_state.find_cases(tx, [case.replace("\x00", "")], for_update=False)
            occurrences = await triage_state.find_group_occurrences(tx, [row["case_id"] for row in rows])
        if not rows:
            raise HttpProblem(_UNKNOWN_CASE, "case: must be the id of a registered case")
        triage_case = case_from_row(rows[0], registry)
        decision: dict[str, Any] = {name: getattr(triage_case, name) for name in ("case", "kind", "subject", "pinned", "ended")}
        decision |= {name: asdict(getattr(triage_case, name)) for name in ("held", "assessed", "grouped")}
        decision["procedure"] = {"id": triage_case.procedure.id, "version": triage_case.procedure.version}
        decision["counts"] = [
            {"count": counter.count, "key": counter.key, "group": occurrence.group}
            for counter, occurrence in occurrences
            if occurrence.case == triage_case.case
        ]
        return JSONResponse(decision)

    return routes
