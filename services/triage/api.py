"""HTTP API of triage: the decision on a case, for people of the organisation."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.triage.api_dependencies import UNKNOWN_CASE, TriageApiDependencies
from services.triage.domain.groups.counters import CounterKey, Occurrence
from services.triage.domain.triage_case import TriageCase
from services.triage.storage import group_counters
from shared.procedures.access import Actor
from shared.runtime.http.bearer import BEARER_SCHEME, UNAUTHORIZED
from shared.runtime.http.openapi import ANY_OPERATION, problem_responses
from shared.runtime.http.problem import HttpProblem


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
    """The values in force (`held`), those of the rules (`assessed`) and of a group (`grouped`), and the counts of the case."""

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
    **problem_responses(*ANY_OPERATION, UNAUTHORIZED, UNKNOWN_CASE),
}


def router(dependencies: TriageApiDependencies) -> APIRouter:
    """`GET /v1/decisions/{case}`, with the bearer token of a person."""
    routes = APIRouter(tags=["decisions"], dependencies=[Depends(BEARER_SCHEME)])

    @routes.get("/v1/decisions/{case}", summary="What triage decided on a case", responses=_RESPONSES)
    async def get_decision(case: str, actor: Annotated[Actor, Depends(dependencies.authenticate)]) -> JSONResponse:
        """The effective class, kind and subject, the results of the rules and of a group, and the case's counters."""
        case_id = case.replace("\x00", "")
        async with dependencies.database.transaction() as tx:
            readable = (await dependencies.cases.find(tx, [case_id], actor, dependencies.clock.now())).get(case_id)
            occurrences = await group_counters.find_case_occurrences(tx, [case_id])
        if readable is None:
            raise HttpProblem(UNKNOWN_CASE, "case: must be the id of a registered case that concerns your department")
        return JSONResponse(_decision(readable.case, occurrences, show_keys=not readable.hidden))

    return routes


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
