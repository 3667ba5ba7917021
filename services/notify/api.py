"""HTTP API of notify: delivery receipts of the text message gateway."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError

from services.notify import metrics
from services.notify.application.delivery_receipts import RecordReceipts
from services.notify.providers.signed_gateway import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_authentic_receipt
from services.notify.providers.sms import http_sms
from shared.runtime.clock import Clock
from shared.runtime.http.body import header_parameter, read_body, request_body
from shared.runtime.http.openapi import ANY_OPERATION, problem_responses
from shared.runtime.http.problem import BODY_TOO_LARGE, HttpProblem, ProblemType, validation_problem

_FORGED = ProblemType("forged", 401, "the receipt is not signed")
_UNKNOWN = ProblemType("unknown_message", 404, "there is no such message")
_REQUEST: dict[str, Any] = request_body(http_sms.ReceiptBody, {"reference": "0198…", "status": "delivered"}) | {
    "parameters": [
        header_parameter(TIMESTAMP_HEADER, "seconds since 1970, at most five minutes off", required=True),
        header_parameter(SIGNATURE_HEADER, "hex HMAC-SHA256 over timestamp, full stop, body", required=True),
    ]
}
_METRIC_OUTCOMES = {_FORGED.code: "forged", _UNKNOWN.code: "unknown"}


class RecordedReceipt(BaseModel):
    """The status of the message as recorded: `delivered`, `failed` or `undecided`."""

    recorded: str


_RESPONSES: dict[int | str, dict[str, Any]] = {
    202: {"model": RecordedReceipt},
    **problem_responses(*ANY_OPERATION, _FORGED, _UNKNOWN, BODY_TOO_LARGE),
}


def add_routes(app: FastAPI, receipts: RecordReceipts, secret: str, clock: Clock) -> None:
    """Add `POST /v1/receipts`, signed with `secret`; with an empty secret every receipt is refused."""
    routes = APIRouter()

    @routes.post("/v1/receipts", status_code=202, summary="Report the delivery of a message", openapi_extra=_REQUEST, responses=_RESPONSES)
    async def record_receipt(request: Request) -> JSONResponse:
        """Body: `{"reference": our idempotency key, "status": "delivered" | "failed" | …, "code": "…"}`.

        Headers: `Jiesu-Timestamp` (seconds since 1970) and `Jiesu-Signature` (hex HMAC-SHA256 over timestamp, full stop, body).
        """
        with counted_refusal():
            # A signature over the body can be checked only after reading it: the limit is small.
            body = await read_body(request, http_sms.LONGEST_RECEIPT)
            # Real time: the gateway signs by its own clock, which no demo scales (ADR 16).
            if not is_authentic_receipt(secret, request.headers, body, clock.real_now()):
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


@contextmanager
def counted_refusal() -> Iterator[None]:
    """Count a receipt that is refused."""
    try:
        yield
    except HttpProblem as problem:
        metrics.RECEIPTS.labels(_METRIC_OUTCOMES.get(problem.type.code, "invalid")).inc()
        raise
