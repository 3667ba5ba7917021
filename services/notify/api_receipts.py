"""HTTP API of notify: the receipts of each provider of the providers file, in its gateway's own protocol."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request
from fastapi import Path as PathParameter
from fastapi.responses import JSONResponse

from services.notify import metrics
from services.notify.api import counted_refusal
from services.notify.application.delivery_receipts import RecordReceipts
from services.notify.providers.provider import Provider
from services.notify.providers.receipts import ReceiptCall, ReceiptForged, ReceiptReader, ReceiptUnreadable
from shared.runtime.clock import Clock
from shared.runtime.http.body import read_body
from shared.runtime.http.openapi import ANY_OPERATION, problem_responses
from shared.runtime.http.problem import BODY_TOO_LARGE, HttpProblem, ProblemType

_LONGEST_CALL = 262_144
"""A gateway reports up to some hundred messages in one call."""
_FORGED = ProblemType("forged", 401, "the receipt is not signed as its gateway signs")
_NO_PROVIDER = ProblemType("unknown_provider", 404, "no provider of this name takes receipts")
_UNREADABLE = ProblemType("unreadable", 422, "the receipt does not follow the gateway's protocol")
_RESPONSES: dict[int | str, dict[str, Any]] = problem_responses(*ANY_OPERATION, _FORGED, _NO_PROVIDER, _UNREADABLE, BODY_TOO_LARGE)


def add_routes(app: FastAPI, receipts: RecordReceipts, providers: Mapping[str, Provider], clock: Clock) -> None:
    """Add `GET` and `POST /v1/receipts/{provider}`."""
    readers = {provider_id: provider for provider_id, provider in providers.items() if isinstance(provider, ReceiptReader)}
    routes = APIRouter()

    async def record_receipts(request: Request, provider: Annotated[str, PathParameter(max_length=40)]) -> JSONResponse:
        """The call is as the provider's gateway documents it; each provider checks its own signature or token."""
        with counted_refusal():
            reader = readers.get(provider)
            if reader is None:
                raise HttpProblem(_NO_PROVIDER, "provider: must be the id of a provider whose gateway calls us; see the providers file")
            # Real time: gateways sign by their own clocks, which no demo scales (ADR 16).
            body = await read_body(request, _LONGEST_CALL)
            call = ReceiptCall(request.method, request.query_params.multi_items(), request.headers, body, clock.real_now())
            try:
                reported = reader.read_receipts(call)
            except ReceiptForged as error:
                raise HttpProblem(_FORGED, str(error)) from None
            except ReceiptUnreadable as error:
                raise HttpProblem(_UNREADABLE, str(error)) from None
            for receipt in reported:
                # An unknown message is no error here: gateways repeat a call that fails, with all the other receipts in it.
                metrics.RECEIPTS.labels(await receipts.record(receipt, provider)).inc()
        return JSONResponse(reader.receipt_reply())

    for method, summary in (("GET", "Report deliveries in the query"), ("POST", "Report deliveries in the gateway's protocol")):
        routes.add_api_route(
            "/v1/receipts/{provider}", record_receipts, methods=[method], summary=summary, responses=_RESPONSES,
            operation_id=f"provider_receipts_{method.lower()}",
        )  # fmt: skip
    app.include_router(routes)
