"""HTTP API of notify: delivery receipts of the text message gateway."""

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from services.notify import metrics
from services.notify.application.delivery_receipts import RecordReceipts
from services.notify.providers import http_sms
from shared.runtime.clock import Clock
from shared.runtime.http.body import read_body
from shared.runtime.http.problem import HttpProblem, ProblemType, add_problem_handlers, validation_problem

_FORGED = ProblemType("forged", 401, "the receipt is not signed")
_UNKNOWN = ProblemType("unknown_message", 404, "there is no such message")
_METRIC_OUTCOMES = {_FORGED.code: "forged", _UNKNOWN.code: "unknown"}


def add_routes(app: FastAPI, receipts: RecordReceipts, secret: str, clock: Clock) -> None:
    """Add `POST /v1/receipts`, signed with `secret`; with an empty secret every receipt is refused."""
    routes = APIRouter()

    @routes.post("/v1/receipts", status_code=202, response_class=JSONResponse, summary="Report the delivery of a message")
    async def record_receipt(request: Request) -> JSONResponse:
        """Body: `{"reference": our idempotency key, "status": "delivered" | "failed" | …, "code": "…"}`.

        Headers: `Jiesu-Timestamp` (seconds since 1970) and `Jiesu-Signature` (hex HMAC-SHA256 over timestamp, full stop, body).
        """
        # A signature over the body can be checked only after reading it: the limit is small.
        body = await read_body(request, http_sms.LONGEST_RECEIPT)
        # Real time: the gateway signs by its own clock, which no demo scales (ADR 16).
        if not http_sms.is_authentic_receipt(secret, request.headers, body, clock.real_now()):
            raise HttpProblem(_FORGED, "jiesu-signature: must be the HMAC over timestamp, full stop and body")
        try:
            receipt = http_sms.parse_receipt(body)
        except ValidationError as error:
            raise validation_problem(error.errors(include_input=False, include_url=False)) from None
        outcome = await receipts.record(receipt)
        if outcome == "unknown":
            raise HttpProblem(_UNKNOWN, "reference: must be the idempotency key of a message of ours")
        metrics.RECEIPTS.labels(outcome).inc()
        return JSONResponse({"recorded": outcome}, 202)

    app.include_router(routes)
    add_problem_handlers(app, lambda problem: metrics.RECEIPTS.labels(_METRIC_OUTCOMES.get(problem.type.code, "invalid")).inc())
