"""The HTTP edge: complaints in, one or many; 202 only once they are durable."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from services.intake import metrics
from services.intake.api_dependencies import Authentication, read_body
from services.intake.application.group_commit import GroupCommit
from services.intake.application.registration_result import (
    PendingRegistration,
    RegistrationResult,
    refused_submission,
)
from services.intake.application.submission_reading import SubmissionReader
from services.intake.channels.json_document import MalformedJsonError, parse_json
from services.intake.config import IntakeSettings
from services.intake.domain.submission import SourceContext
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.problem import IntakeHttpError, problem_document, problem_response
from services.intake.storage import complaints, refusals
from shared.runtime.clock import monotonic, uuid7
from shared.runtime.database.database import Database
from shared.runtime.process.failures import is_infrastructure, redacted_reason

VIA_HTTP = "http"
_TRACE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_MAX_KEY_LENGTH = 200
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ApiDependencies:
    """What the routes work with."""

    authentication: Authentication
    reader: SubmissionReader
    group_commit: GroupCommit[PendingRegistration, RegistrationResult]
    database: Database
    settings: IntakeSettings


def add_routes(app: FastAPI, router: APIRouter, dependencies: ApiDependencies) -> None:
    """Add the routes and how problems are told."""

    @app.exception_handler(IntakeHttpError)
    async def told(_: Request, problem: IntakeHttpError) -> Response:
        if problem.reason in metrics.REASONS:
            metrics.count_refused(VIA_HTTP, problem.reason)
        return problem_response(problem)

    _add_submitting(router, dependencies)
    _add_reading(router, dependencies)


def _add_submitting(router: APIRouter, edge: ApiDependencies) -> None:
    @router.post("/v1/complaints", status_code=202, summary="Submit one complaint")
    async def one(request: Request) -> Response:
        """Body: a complaint's fields. 202 with case and number once it is durable; the same again for a resend."""
        started = monotonic()
        office = edge.authentication.authenticate_within_rate(request)
        edge.authentication.consume_rate(office, 1)
        body = await read_body(request, edge.settings.max_complaint_bytes)
        [outcome] = await _register_items(edge, office, [_parsed(body)], _idempotency_key(request), _trace(request))
        metrics.REQUEST_SECONDS.observe(monotonic() - started)
        if outcome.status == "refused":
            return problem_response(IntakeHttpError(outcome.reason, *outcome.faults))
        return _json(_response_body(outcome), 202, {"Location": f"/v1/complaints/{outcome.case}"})

    @router.post("/v1/complaints:batch", status_code=202, summary="Submit up to 1,000 complaints")
    async def many(request: Request) -> Response:
        """Body: `{"complaints": [...]}`. One result each, in order: 202 if all were accepted, 207 if some, 422 if none."""
        started = monotonic()
        office = edge.authentication.authenticate_within_rate(request)
        items = _items(_parsed(await read_body(request, edge.settings.max_batch_bytes)), edge.settings.max_batch_items)
        edge.authentication.consume_rate(office, len(items))
        outcomes = await _register_items(edge, office, items, _idempotency_key(request), _trace(request))
        metrics.REQUEST_SECONDS.observe(monotonic() - started)
        refused = sum(outcome.status == "refused" for outcome in outcomes)
        status = 202 if not refused else 422 if refused == len(outcomes) else 207
        results = [{"index": place, **_response_body(outcome)} for place, outcome in enumerate(outcomes)]
        return _json({"accepted": len(outcomes) - refused, "refused": refused, "results": results}, status)


def _add_reading(router: APIRouter, edge: ApiDependencies) -> None:
    @router.get("/v1/complaints/{case}", summary="A complaint as registered")
    async def get(request: Request, case: str) -> Response:
        """The registration of one of the source's own complaints, masked, without contact data."""
        office = edge.authentication.authenticate(request)
        async with edge.database.transaction() as tx:
            body = await complaints.find_event_json(tx, case.replace("\x00", ""), office.source.id)
        if body is None:
            raise IntakeHttpError(
                "not_found", SubmissionFault("id", "unknown", "send the case id of a complaint that this source submitted")
            )
        event = orjson.loads(body)
        event["complaint"].pop("contact", None)
        kept = {name: event.get(name) for name in ("case", "number", "procedure", "version", "missing", "forms", "complaint")}
        return _json(kept | {"status": "registered", "registered_at": event["at"]}, 200)


async def _register_items(
    edge: ApiDependencies, office: SourceContext, items: Sequence[Any], key: str | None, trace: str
) -> list[RegistrationResult]:
    """One outcome an item; those that are fit are registered together, the others kept as refusals."""
    read = [
        edge.reader.read(item, office, traceparent=trace, idempotency_key=f"{key}/{place}" if key else None)
        for place, item in enumerate(items)
    ]
    fit = [each for each in read if isinstance(each, PendingRegistration)]
    try:
        entered = iter(await edge.group_commit.submit(fit)) if fit else iter(())
        outcomes = [next(entered) if isinstance(each, PendingRegistration) else each for each in read]
        await _store_refusals(edge, office, [each for each in read if isinstance(each, RegistrationResult)])
    except Exception as error:
        if not is_infrastructure(error):
            raise
        log.warning("complaints could not be stored", reason=redacted_reason(error), items=len(items))
        fault = SubmissionFault("request", "try_again", "send the same request again, it cannot be registered twice under one reference")
        raise IntakeHttpError("unavailable", fault, headers={"Retry-After": "2"}) from error
    metrics.RECEIVED.labels(VIA_HTTP).inc(len(items))
    return outcomes


async def _store_refusals(edge: ApiDependencies, office: SourceContext, refused: Sequence[RegistrationResult]) -> None:
    if refused:
        async with edge.database.transaction() as tx:
            await refusals.insert_refusals(tx, [refused_submission(each, VIA_HTTP, office.source.id, "") for each in refused])
    for outcome in refused:
        metrics.count_refused(VIA_HTTP, outcome.reason)


def _parsed(body: bytes) -> Any:
    try:
        return parse_json(body)
    except MalformedJsonError as error:
        raise IntakeHttpError("malformed", SubmissionFault("body", "not_json", f"send JSON in UTF-8 ({error})")) from None


def _items(value: Any, most: int) -> list[Any]:
    items = value.get("complaints") if isinstance(value, dict) else value
    if not isinstance(items, list) or not items:
        raise IntakeHttpError(
            "invalid", SubmissionFault("complaints", "not_a_list", 'send {"complaints": [...]} with at least one complaint')
        )
    if len(items) > most:
        raise IntakeHttpError("too_large", SubmissionFault("complaints", "too_many", f"send at most {most} complaints a batch"))
    return items


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= _MAX_KEY_LENGTH:
        raise IntakeHttpError("invalid", SubmissionFault("Idempotency-Key", "length", f"send 1 to {_MAX_KEY_LENGTH} characters"))
    return key


def _trace(request: Request) -> str:
    given = request.headers.get("traceparent", "")
    if _TRACE.fullmatch(given):
        return given
    trace, span = (uuid7().replace("-", "") for _ in range(2))
    return f"00-{trace}-{span[16:]}-01"


def _response_body(outcome: RegistrationResult) -> dict[str, Any]:
    if outcome.status == "refused":
        return {"status": "refused", "problem": problem_document(outcome.reason, outcome.faults)}
    told = {name: value for name, value in asdict(outcome).items() if name in ("status", "case", "number")}
    return told | {"missing": list(outcome.missing)}


def _json(value: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(value), status, headers, "application/json")
