"""The HTTP edge: what triage decided on a case, for people and systems of the organisation."""

import hmac
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.triage.application.case_rows import case_from_row
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.domain.group_counting import CounterKey, Occurrence
from services.triage.domain.triage_case import TriageCase
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
            marks = await group_counters.find_case_occurrences(tx, [row["case_id"] for row in rows])
        if not rows:
            raise HttpProblem(404, "there is no such case", "case: must be the id of a registered case")
        found = case_from_row(rows[0], registry)
        return JSONResponse(_decision(found, marks))

    return routes


def _decision(triage_case: TriageCase, occurrences: Sequence[tuple[CounterKey, Occurrence]]) -> dict[str, Any]:
    return {
        "case": triage_case.case,
        "kind": triage_case.kind,
        "subject": triage_case.subject,
        "pinned": triage_case.set_by_person,
        "ended": triage_case.ended,
        "held": asdict(triage_case.effective),
        "assessed": asdict(triage_case.by_rules),
        "grouped": asdict(triage_case.by_group),
        "procedure": {"id": triage_case.procedure.id, "version": triage_case.procedure.version},
        "counts": [{"count": counter.count, "key": counter.key, "group": o.group} for counter, o in occurrences],
    }


def _authenticate(request: Request, hashes: list[bytes]) -> None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given = sha256(token.strip().encode("utf-8", "surrogatepass")).digest()
    matches = [hmac.compare_digest(given, known_hash) for known_hash in hashes]
    if scheme.lower() != "bearer" or not any(matches):
        raise HttpProblem(
            401, "the token is missing or unknown", "Authorization: send Bearer and the token of a person of the organisation"
        )
