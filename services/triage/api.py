"""The HTTP edge: what triage decided on a case, for people and systems of the organisation."""

import hmac
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.triage.application.case_rows import case_from_row
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.storage import group_counters, triage_cases
from shared.runtime.database.database import Database
from shared.runtime.http.problem import HttpProblem


def router(database: Database, registry: ProcedureRegistry) -> APIRouter:
    """`GET /v1/decisions/{case}`, with a person's token."""
    routes = APIRouter(tags=["decisions"])
    hashes = [bytes.fromhex(person.token_sha256) for person in registry.organisation.people if person.token_sha256]

    @routes.get("/v1/decisions/{case}", summary="What triage knows of a case")
    async def decision(request: Request, case: str) -> JSONResponse:
        """Class, kind and subject that hold, what the rules gave, what a group gave, and what the case counts by."""
        _authenticate(request, hashes)
        async with database.transaction() as tx:
            rows = await triage_cases.find_cases(tx, [case.replace("\x00", "")], for_update=False)
            marks = await group_counters.find_group_occurrences(tx, [row["case_id"] for row in rows])
        if not rows:
            raise HttpProblem(404, "there is no such case", "case: must be the id of a registered case")
        found = case_from_row(rows[0], registry)
        told: dict[str, Any] = {name: getattr(found, name) for name in ("case", "kind", "subject", "pinned", "ended")}
        told |= {name: asdict(getattr(found, name)) for name in ("held", "assessed", "grouped")}
        told["procedure"] = {"id": found.procedure.id, "version": found.procedure.version}
        told["counts"] = [{"count": name.count, "key": name.key, "group": mark.group} for name, mark in marks if mark.case == found.case]
        return JSONResponse(told)

    return routes


def _authenticate(request: Request, hashes: list[bytes]) -> None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given = sha256(token.strip().encode("utf-8", "surrogatepass")).digest()
    matches = [hmac.compare_digest(given, known_hash) for known_hash in hashes]
    if scheme.lower() != "bearer" or not any(matches):
        raise HttpProblem(
            401, "the token is missing or unknown", "Authorization: send Bearer and the token of a person of the organisation"
        )
