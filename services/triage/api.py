"""HTTP API of triage: the decision on a case, for people of the organisation."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.triage.application.case_rows import case_from_row
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.domain.groups.counters import CounterKey, Occurrence
from services.triage.domain.triage_case import TriageCase
from services.triage.storage import concerned, group_counters, triage_cases
from shared.procedures.access import AccessPolicy, Actor, CaseParties
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.http.bearer import BEARER_SCHEME, UNAUTHORIZED, BearerTokens, bearer_token, unauthorized
from shared.runtime.http.openapi import ANY_OPERATION, problem_responses
from shared.runtime.http.problem import HttpProblem, ProblemType

_UNKNOWN_CASE = ProblemType("unknown_case", 404, "there is no such case")


class HeldClass(BaseModel):
    """A class and the rule that gives it."""

    class_: str
    rule: str


class DecidingProcedure(BaseModel):
    """The procedure that the case is pinned to."""

    id: str
    version: int


class CountedOccurrence(BaseModel):
    """A count in which the case stands; `key` is empty for whom fields of the complaint are hidden."""

    count: str
    key: str
    group: str


class DecisionAnswer(BaseModel):
    """What holds (`held`), what the rules (`assessed`) and a group (`grouped`) give, and the counts of the case."""

    case: str
    kind: str
    subject: str
    pinned: bool
    ended: bool
    held: HeldClass
    assessed: HeldClass
    grouped: HeldClass
    procedure: DecidingProcedure
    counts: list[CountedOccurrence]


_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": DecisionAnswer},
    **problem_responses(*ANY_OPERATION, UNAUTHORIZED, _UNKNOWN_CASE),
}


def router(database: Database, registry: ProcedureRegistry, clock: Clock) -> APIRouter:
    """`GET /v1/decisions/{case}`, with the bearer token of a person."""
    routes = APIRouter(tags=["decisions"], dependencies=[Depends(BEARER_SCHEME)])
    people = registry.organisation.people
    tokens = BearerTokens((person.token_sha256, Actor(person.id, person)) for person in people if person.token_sha256)
    policy = AccessPolicy(registry.organisation)

    @routes.get("/v1/decisions/{case}", summary="What triage decided on a case", responses=_RESPONSES)
    async def get_decision(request: Request, case: str) -> JSONResponse:
        """The effective class, kind and subject, the results of the rules and of a group, and the case's counters."""
        actor = tokens.find(bearer_token(request))
        if actor is None:
            raise unauthorized("Authorization: send Bearer and the token of a person of the organisation")
        async with database.transaction() as tx:
            rows = await triage_cases.find_cases(tx, [case.replace("\x00", "")], for_update=False)
            concerned_by_case = await concerned.find_parties(tx, [row["case_id"] for row in rows])
            occurrences = await group_counters.find_case_occurrences(tx, [row["case_id"] for row in rows])
        triage_case = case_from_row(rows[0], registry) if rows else None
        parties = CaseParties() if triage_case is None else _parties(triage_case, concerned_by_case)
        now = clock.now()
        if triage_case is None or not policy.may_read(actor, parties, now):
            raise HttpProblem(_UNKNOWN_CASE, "case: must be the id of a registered case that concerns your department")
        hidden = policy.hidden_fields(actor, triage_case.procedure, parties, now)
        return JSONResponse(_decision(triage_case, occurrences, show_keys=not hidden))

    return routes


def _parties(triage_case: TriageCase, concerned_by_case: Mapping[str, CaseParties]) -> CaseParties:
    complaint = triage_case.complaint
    stored = concerned_by_case.get(triage_case.case, CaseParties())
    return replace(stored, source=complaint.source, against=frozenset(complaint.against))


def _decision(triage_case: TriageCase, occurrences: Sequence[tuple[CounterKey, Occurrence]], *, show_keys: bool) -> dict[str, Any]:
    """The answer; a count key is made of the complaint's fields, so it is not shown where some of them are hidden."""
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
        "counts": [{"count": counter.count, "key": counter.key if show_keys else "", "group": o.group} for counter, o in occurrences],
    }
