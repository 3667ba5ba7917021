"""The answers of `/v1/what-if`, and its problems."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Final

from pydantic import BaseModel, Field

from services.sla.domain.views.instants import to_text
from services.sla.domain.what_if.comparison import TrialComparison
from services.sla.storage.trials.what_if_runs import WhatIfRun
from services.sla.what_if.orders import TrialOrder
from shared.runtime.http.bearer import UNAUTHORIZED
from shared.runtime.http.openapi import ANY_OPERATION, problem_responses
from shared.runtime.http.problem import BODY_TOO_LARGE, INVALID, TOO_MANY_REQUESTS, ProblemType

MOST_DIFFERENCES: Final = 5_000
NOT_ALLOWED = ProblemType("forbidden", 403, "the trial cannot be made")
ALREADY_RUNNING = ProblemType("what_if_running", 409, "another trial of yours is running")
UNKNOWN_RUN = ProblemType("unknown_what_if", 404, "there is no such trial")


class WhatIfAnswer(BaseModel):
    """A trial: `state` is running, done, cancelled or failed; `result` is there once it is done."""

    run: str
    procedure: str
    state: str = Field(examples=["running"])
    asked: dict[str, Any]
    done: int
    total: int
    result: dict[str, Any] | None


_ANY = (*ANY_OPERATION, UNAUTHORIZED, TOO_MANY_REQUESTS, NOT_ALLOWED, INVALID)
STARTED: dict[int | str, dict[str, Any]] = {202: {"model": WhatIfAnswer}, **problem_responses(*_ANY, ALREADY_RUNNING, BODY_TOO_LARGE)}
ANY_RUN: dict[int | str, dict[str, Any]] = {200: {"model": WhatIfAnswer}, **problem_responses(*_ANY, UNKNOWN_RUN)}


def run_document(run: WhatIfRun) -> dict[str, Any]:
    """A trial as JSON."""
    return {
        "run": str(run.id),
        "procedure": run.procedure,
        "state": run.state,
        "asked": run.asked,
        "done": run.done,
        "total": run.total,
        "result": run.result,
    }


def result_document(
    order: TrialOrder, comparison: TrialComparison, numbers: Mapping[str, str], left_out: Mapping[str, Any], zone: tzinfo
) -> dict[str, Any]:
    """The result of a trial: figures by clause, differences by case with instants in the zone, and what was left out."""
    summary = [
        {"clause": clause, "kind": kind, "before": count.before, "after": count.after, "changed": count.changed}
        for clause, kind, count in comparison.by_clause(tuple(order.pack.clauses))
    ]
    differences = [
        {
            "case": case,
            "number": numbers[case],
            "kind": each.key.kind,
            "name": each.key.name,
            "round": each.key.number,
            "clauses": list(each.clauses),
            "before": to_text(each.before, zone),
            "after": to_text(each.after, zone),
            "because": list(each.numbers),
        }
        for case, listed in comparison.differences.items()
        for each in listed
    ]
    return {
        "cases": comparison.cases,
        "differing": len(comparison.differences),
        "not_replayed": comparison.not_replayed,
        **left_out,
        "summary": summary,
        "differences": differences[:MOST_DIFFERENCES],
        "more_differences": max(0, len(differences) - MOST_DIFFERENCES),
    }
