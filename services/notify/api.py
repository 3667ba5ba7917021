"""The HTTP edge: receipts of the text message gateway."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from services.notify import metrics
from services.notify.application.delivery_receipts import RecordReceipts
from services.notify.providers import http_sms
from shared.runtime.clock import Clock
from shared.runtime.http.problem import HttpProblem


def router(receipts: RecordReceipts, secret: str, clock: Clock) -> APIRouter:
    """`POST /v1/receipts`, signed with `secret`; with an empty one every receipt is refused."""
    routes = APIRouter()

    @routes.post("/v1/receipts", status_code=202, response_class=JSONResponse, summary="What became of a message")
    async def receive(request: Request) -> JSONResponse:
        """Body: `{"reference": our idempotency key, "status": "delivered" | "failed" | …, "code": "…"}`.

        Headers: `Jiesu-Timestamp` (seconds since 1970) and `Jiesu-Signature` (hex HMAC-SHA256 over timestamp, full stop, body).
        """
        body = await _body(request)
        if body is None:
            return _problem(413, "the receipt is too long", f"body: at most {http_sms.LONGEST_RECEIPT} bytes", "invalid")
        if not http_sms.is_authentic_receipt(secret, request.headers, body, clock.real_now()):
            return _problem(
                401,
                "the receipt is not signed",
                "jiesu-signature: must be the HMAC over timestamp, full stop and body",
                "forged",
            )
        try:
            receipt = http_sms.parse_receipt(body)
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, fault["loc"])) or "body" for fault in error.errors(include_input=False, include_url=False))
            return _problem(422, "the receipt cannot be read", f"{fields}: reference and status are needed, as texts", "invalid")
        outcome = await receipts.record(receipt)
        if outcome == "unknown":
            return _problem(404, "the message is not known", "reference: must be the idempotency key of a message of ours", "unknown")
        metrics.RECEIPTS.labels(outcome).inc()
        return JSONResponse({"recorded": outcome}, 202)

    return routes


async def _body(request: Request) -> bytes | None:
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > http_sms.LONGEST_RECEIPT:
            return None
    return content


def _problem(status: int, title: str, detail: str, outcome: str) -> JSONResponse:
    metrics.RECEIPTS.labels(outcome).inc()
    return HttpProblem(status, title, detail).to_response()
