"""HTTP API of webhooks: a call of another system becomes a submission of its source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import Response

from services.intake import metrics
from services.intake.api_dependencies import API_KEY_SCHEME, intake_problem
from services.intake.application.group_commit import GroupCommit
from services.intake.application.parts import IntakeParts
from services.intake.application.raw_copies import RawSubmission
from services.intake.application.registration_result import PendingRegistration, RegistrationResult, refused_submission
from services.intake.channels.webhooks.call_body import UnusableBodyError
from services.intake.channels.webhooks.signature import BadSignatureError, WebhookCall, verify_call
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.storage import refusals
from services.intake.transports.webhooks import api_documents
from services.intake.transports.webhooks.reading import WebhookSubmissions
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.http.bearer import BEARER_SCHEME
from shared.runtime.http.body import read_body
from shared.runtime.tracing.context import request_traceparent

VIA_WEBHOOK = "webhook"
_UNKNOWN = SubmissionFault("source", "unknown", "call the path of a source that has a webhook in the organisation file")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WebhookSource:
    """A source with its map and the secrets of its signature."""

    submissions: WebhookSubmissions
    secrets: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class WebhookDependencies:
    """Dependencies of the route."""

    parts: IntakeParts
    sources: Mapping[str, WebhookSource]
    group_commit: GroupCommit[PendingRegistration, RegistrationResult]
    database: Database
    clock: Clock


def add_routes(app: FastAPI, api: WebhookDependencies) -> None:
    """Add the route."""
    router = APIRouter(tags=["webhooks"], dependencies=[Depends(BEARER_SCHEME), Depends(API_KEY_SCHEME)])

    @router.post("/v1/webhooks/{source}", status_code=202, summary="A call of another system", **api_documents.CALL)
    async def receive_call(request: Request, source: str) -> Response:
        """Register a call's complaint, read by the map of the source. 202 once it is committed, 200 for a call that makes no case."""
        known = api.sources.get(source)
        if known is None:
            raise intake_problem("not_found", _UNKNOWN)
        if known.submissions.webhook_reader.webhook.signature is None:
            _authenticate_by_key(api, known, request)
        body = await read_body(request, api.parts.settings.max_complaint_bytes)
        _authenticate(api, known, request, body)
        context = known.submissions.context
        # After the signature: nobody else can use up the rate of the source.
        api.parts.authentication.require_rate(context)
        api.parts.authentication.consume_rate(context, 1)
        # In a transaction of its own: a call that is refused is kept too, and can be read again when the map has been corrected.
        async with api.database.transaction() as tx:
            await api.parts.raw_copies.keep_raw(tx, RawSubmission(source, VIA_WEBHOOK, "", body))
        metrics.RECEIVED.labels(VIA_WEBHOOK).inc()
        reading = known.submissions.read(body, request_traceparent(request.headers.get("traceparent")))
        if reading is None:
            return _json({"status": "ignored"}, 200)
        result = (await api.group_commit.submit([reading]))[0] if isinstance(reading, PendingRegistration) else reading
        if result.status == "refused":
            await _store_refusal(api, source, result, counted=isinstance(reading, PendingRegistration))
            return intake_problem(result.reason, *result.faults).to_response()
        fields = {"missing": list(result.missing), "unreadable": list(result.unreadable)}
        return _json({"status": result.status, "case": result.case, "number": result.number, **fields}, 202)

    app.include_router(router)


def _authenticate_by_key(api: WebhookDependencies, known: WebhookSource, request: Request) -> None:
    """Raise HttpProblem 401 or 403 unless the call has the API key of the source."""
    if api.parts.authentication.authenticate(request).source.id != known.submissions.context.source.id:
        raise intake_problem("source", SubmissionFault("Authorization", "other_source", "send the API key of the source in the path"))


def _authenticate(api: WebhookDependencies, known: WebhookSource, request: Request, body: bytes) -> None:
    """Raise HttpProblem 401 unless the call has the signature that the map defines; without one, `_authenticate_by_key` ran before."""
    submissions = known.submissions
    scheme = submissions.webhook_reader.webhook.signature
    if scheme is None:
        return
    query = f"?{request.url.query}" if request.url.query else ""
    try:
        form = submissions.webhook_reader.parameters(body)
        verify_call(WebhookCall(body, dict(request.headers), query, form), scheme, known.secrets, api.clock.real_now())
    except UnusableBodyError as error:
        raise intake_problem("malformed", error.fault) from None
    except BadSignatureError as error:
        log.warning("a webhook call is not signed by its source", source=submissions.context.source.id, rule=error.fault.rule)
        raise intake_problem("signature", error.fault) from None


async def _store_refusal(api: WebhookDependencies, source: str, result: RegistrationResult, *, counted: bool) -> None:
    async with api.database.transaction() as tx:
        await refusals.insert_refusals(tx, [refused_submission(result, VIA_WEBHOOK, source, "")])
    if not counted:
        metrics.count_refused(VIA_WEBHOOK, result.reason)


def _json(document: Any, status: int) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")
