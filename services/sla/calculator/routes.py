"""HTTP API of the deadline calculator."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from services.sla import api_documents
from services.sla.api import SlaApiDependencies, request_errors_as_problems
from services.sla.calculator.calculation import CalculateDeadlines, DeadlineQuestion
from services.sla.domain.deadlines.worktime import to_micros
from shared.contracts.base import InputInstant, StrictModel
from shared.procedures.access import Actor
from shared.runtime.http.bearer import BEARER_SCHEME

_Text = Annotated[str, Field(max_length=200)]
_MOST_ARGUMENTS = 20


class DeadlineParameters(StrictModel):
    """A calculation: the start, and a clock of the procedure or a duration."""

    procedure: Annotated[_Text, Field(description="a procedure of the organisation's sources")]
    start: Annotated[InputInstant, Field(examples=["2026-09-24T16:40:00+08:00"])]
    clock: Annotated[_Text, Field(description="a clock or duty of the procedure, by id or clause")] = ""
    duration: Annotated[_Text, Field(description="30m, 2h, 4wh, 0.5wd, 3wd, 15d, 1w, 1mo, 1q, 1y, same_day, same_working_day")] = ""
    counting: Literal["exclusive", "inclusive"] = "exclusive"
    roll: Literal["forward", "none"] = "forward"
    day_end: Annotated[Literal["", "midnight", "close"], Field(description="none: as the procedure counts")] = ""
    fact: Annotated[list[_Text], Field(max_length=_MOST_ARGUMENTS, description="name=value, with a clock")] = []
    pause: Annotated[list[_Text], Field(max_length=_MOST_ARGUMENTS, description="FROM/TO; FROM/ while it is open")] = []
    extend: Annotated[list[_Text], Field(max_length=_MOST_ARGUMENTS, description="by:2d or until:<instant>")] = []

    def to_question(self) -> DeadlineQuestion:
        """The question with its instant in microseconds."""
        return DeadlineQuestion(
            self.procedure,
            to_micros(self.start),
            self.clock,
            self.duration,
            self.counting,
            self.roll,
            self.day_end,
            self.fact,
            self.pause,
            self.extend,
        )


def router(dependencies: SlaApiDependencies, calculator: CalculateDeadlines) -> APIRouter:
    """`GET /v1/deadlines`."""
    routes = APIRouter(prefix="/v1/deadlines", tags=["deadlines"], dependencies=[Depends(BEARER_SCHEME)])

    @routes.get("", summary="Calculate a deadline", responses=api_documents.DEADLINE)
    async def calculate_deadline(
        _: Annotated[Actor, Depends(dependencies.authenticate)], parameters: Annotated[DeadlineParameters, Query()]
    ) -> dict[str, Any]:
        """The due instants of a clock or duration that starts at an instant, with their explanation; no case is read."""
        with request_errors_as_problems():
            # A procedure's first rulebook takes a second to build, during which the event loop has to serve other requests.
            return await asyncio.to_thread(calculator.calculate, parameters.to_question())

    return routes
