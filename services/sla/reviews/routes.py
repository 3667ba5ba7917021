"""HTTP API of the review queue: what triage was not sure of, and what was drawn at random, for people to decide."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field, StrictBool, StringConstraints

from services.sla import api_documents
from services.sla.api import MAX_ACTION_BYTES, SlaApiDependencies, action_response, request_errors_as_problems
from services.sla.api_case_list import MAX_CASES, FilterText, QueryInstant
from services.sla.application.reviews.review_queue import ReviewQueue
from services.sla.domain.lifecycle.reviews.decisions import DECIDE_REVIEW
from services.sla.storage.reviews.review_queue import ReviewFilter
from shared.contracts.actions import ActionData
from shared.contracts.base import InputName, LongText, StrictModel
from shared.contracts.complaint import ComplaintKind
from shared.procedures.access import Actor
from shared.runtime.http.bearer import BEARER_SCHEME
from shared.runtime.http.body import read_model, request_body

_NOT_STORED = {"Cache-Control": "no-store"}
_EXAMPLE = {"department": "repairs", "subject": "lift", "text": "电梯故障"}


class ReviewListParameters(StrictModel):
    """Filters, which all apply, and the page."""

    department: FilterText | None = Field(None, description="the lead department; without one, the likeliest")
    reason: Literal["confidence", "audit"] | None = None
    opened_before: QueryInstant | None = Field(None, description="reviews that have waited since before this instant")
    confidence_below: float | None = Field(None, ge=0, le=1, description="the least probable of the first guesses is below")
    confidence_from: float | None = Field(None, ge=0, le=1)
    free: bool | None = Field(None, description="whether nobody works on it")
    cursor: Annotated[str, StringConstraints(max_length=1000)] | None = Field(None, description="`next_cursor` of the page before")
    limit: int = Field(50, ge=1, le=MAX_CASES)

    def to_filter(self) -> ReviewFilter:
        """The filter of the page."""
        return ReviewFilter(**self.model_dump(exclude={"cursor", "limit"}))


class ReviewRequest(StrictModel):
    """A decision in a request's body: `confirm`, or the values that are right; what is left out stays as triage decided or guessed."""

    confirm: StrictBool = False
    kind: ComplaintKind | Literal[""] = ""
    subject: InputName = ""
    department: InputName = ""
    cooperating: list[InputName] = Field(default_factory=list, max_length=50)
    labels: dict[InputName, InputName] = Field(default_factory=dict, max_length=20)
    text: LongText = ""
    role: InputName = ""


_BODY = request_body(ReviewRequest, _EXAMPLE)


def router(dependencies: SlaApiDependencies, queue: ReviewQueue) -> APIRouter:
    """`GET /v1/reviews`, `POST /v1/reviews/{case}` and `POST /v1/reviews/{case}/take` and `…/release`."""
    routes = APIRouter(prefix="/v1/reviews", tags=["reviews"], dependencies=[Depends(BEARER_SCHEME)], responses=api_documents.ANY_CASE)
    authenticated = Depends(dependencies.authenticate)

    @routes.get("", summary="List the review queue", responses=api_documents.REVIEW_LIST)
    async def list_reviews(
        request: Request, actor: Annotated[Actor, authenticated], parameters: Annotated[ReviewListParameters, Query()]
    ) -> JSONResponse:
        """The open reviews of cases that concern you, oldest first; the header Link names the next page."""
        with request_errors_as_problems():
            page = await queue.page(parameters.to_filter(), parameters.cursor, parameters.limit, actor)
        headers = dict(_NOT_STORED)
        if page.next_cursor is not None:
            url = request.url.include_query_params(cursor=page.next_cursor)
            headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
        return JSONResponse({"reviews": page.rows, "next_cursor": page.next_cursor}, headers=headers)

    @routes.post("/{case}/take", summary="Take a review", responses=api_documents.REVIEW_TAKEN)
    async def take_review(case: str, actor: Annotated[Actor, authenticated]) -> dict[str, Any]:
        """No one else can take or decide it until `taken_until`; taken again, the time restarts."""
        with request_errors_as_problems():
            until = await queue.take(case, actor)
        return {"case": case, "taken_by": actor.id, "taken_until": until.isoformat()}

    @routes.post("/{case}/release", summary="Give a review back", status_code=204, responses=api_documents.REVIEW_RELEASED)
    async def release_review(case: str, actor: Annotated[Actor, authenticated]) -> Response:
        """Others can take it; without a lease of yours nothing changes."""
        with request_errors_as_problems():
            await queue.release(case, actor)
        return Response(status_code=204)

    @routes.post("/{case}", summary="Decide on a review", openapi_extra=_BODY, responses=api_documents.ACTION)
    async def decide_review(
        case: str,
        request: Request,
        actor: Annotated[Actor, authenticated],
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> JSONResponse:
        """200 decided, 202 queued until earlier input has been read, 409 refused, or another person works on it."""
        body = await read_model(request, ReviewRequest, MAX_ACTION_BYTES)
        data = ActionData.model_validate(body.model_dump(exclude={"role"}, exclude_unset=True))
        with request_errors_as_problems():
            result = await queue.decide(case, data, body.role, actor, idempotency_key)
        return action_response(case, DECIDE_REVIEW, result, dependencies.zone)

    return routes
