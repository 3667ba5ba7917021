"""HTTP API of trials: `POST /v1/what-if`, `GET /v1/what-if/{run}` and `POST /v1/what-if/{run}/cancel`."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from services.sla.api import SlaApiDependencies
from services.sla.what_if import documents
from services.sla.what_if.orders import TrialNotAllowedError, TrialOrders, TrialPeriod, TrialRefusedError
from services.sla.what_if.trials import TrialNotFoundError, TrialRunningError, Trials
from shared.contracts.base import InputInstant, StrictModel
from shared.procedures.access import Actor
from shared.runtime.http.bearer import BEARER_SCHEME
from shared.runtime.http.body import read_model, request_body
from shared.runtime.http.problem import INVALID, HttpProblem

_MAX_BODY = 16_000
_NOT_STORED = {"Cache-Control": "no-store"}
_Text = Annotated[str, Field(max_length=200)]


class WhatIfRequest(StrictModel):
    """A trial: the numbers by their keys, each with its new value, and the period in which the cases were received."""

    procedure: _Text
    version: int = Field(ge=1, description="the newest version of the organisation's sources; other ones have their numbers elsewhere")
    received_from: InputInstant
    received_before: InputInstant
    numbers: dict[_Text, _Text] = Field(min_length=1, max_length=50)


_BODY = request_body(
    WhatIfRequest,
    {
        "procedure": "greentown-qd1001",
        "version": 1,
        "received_from": "2026-10-01T00:00:00+08:00",
        "received_before": "2026-11-01T00:00:00+08:00",
        "numbers": {"clocks.4.due.0.within": "2wd"},
    },
)


def router(dependencies: SlaApiDependencies, orders: TrialOrders, trials: Trials) -> APIRouter:
    """The routes under `/v1/what-if`."""
    routes = APIRouter(prefix="/v1/what-if", tags=["what-if"], dependencies=[Depends(BEARER_SCHEME)])
    authenticated = Depends(dependencies.authenticate)

    @routes.post("", summary="Try other numbers", status_code=202, openapi_extra=_BODY, responses=documents.STARTED)
    async def start_trial(request: Request, actor: Annotated[Actor, authenticated]) -> JSONResponse:
        """Carry recorded cases out again with other numbers; nothing is changed or sent. 409 while another trial of yours runs."""
        body = await read_model(request, WhatIfRequest, _MAX_BODY)
        period = TrialPeriod(body.received_from, body.received_before)
        with _errors_as_problems():
            # The checks of a procedure compile each of its conditions, which takes tenths of a second.
            order = await asyncio.to_thread(orders.check, actor, body.procedure, body.version, period, body.numbers)
            run = await trials.start(order)
        return JSONResponse(documents.run_document(run), 202, _NOT_STORED)

    @routes.get("/{run}", summary="A trial", responses=documents.ANY_RUN)
    async def get_trial(
        run: UUID,
        actor: Annotated[Actor, authenticated],
        wait: Annotated[float, Query(ge=0, le=5, description="seconds to wait for the end")] = 0.0,
    ) -> JSONResponse:
        """How far a trial of yours is, and its result once it is done; kept until your next one, for a day at most."""
        with _errors_as_problems():
            found = await trials.read(run, actor, wait)
        return JSONResponse(documents.run_document(found), headers=_NOT_STORED)

    @routes.post("/{run}/cancel", summary="Cancel a trial", responses=documents.ANY_RUN)
    async def cancel_trial(run: UUID, actor: Annotated[Actor, authenticated]) -> dict[str, Any]:
        """End a trial of yours; one that has ended stays as it is."""
        with _errors_as_problems():
            return documents.run_document(await trials.cancel(run, actor))

    return routes


@contextmanager
def _errors_as_problems() -> Iterator[None]:
    try:
        yield
    except TrialRefusedError as error:
        raise HttpProblem(INVALID, faults=error.faults) from error
    except TrialNotAllowedError as error:
        detail = "may: needs the right `what_if` of the organisation file; ask who keeps that file"
        raise HttpProblem(documents.NOT_ALLOWED, detail) from error
    except TrialRunningError as error:
        raise HttpProblem(documents.ALREADY_RUNNING, "run: wait until it has ended, or cancel it", headers={"Retry-After": "1"}) from error
    except TrialNotFoundError as error:
        raise HttpProblem(documents.UNKNOWN_RUN, "run: must be your last trial; start a new one") from error
