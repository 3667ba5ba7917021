"""HTTP API of intake: accepts complaints, one or many, and answers 202 once they are committed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import orjson
import structlog
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import Response

from services.intake import api_documents, metrics
from services.intake.admission import Admission
from services.intake.api_dependencies import API_KEY_SCHEME, Authentication, intake_problem, overload_problem
from services.intake.application.entry_by_hand import with_entering_person
from services.intake.application.group_commit import GroupCommit, OverloadedError
from services.intake.application.raw_copies import RawCopies, RawSubmission
from services.intake.application.registration_result import PendingRegistration, RegistrationResult, refused_submission
from services.intake.application.submission_copies import VIA_HTTP, SubmissionOrigin, submission_copy
from services.intake.application.submission_reading import SubmissionReader
from services.intake.channels.json_document import MalformedJsonError, parse_json
from services.intake.config import IntakeSettings
from services.intake.domain.submission import SourceContext
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.plain_route import add_plain_route
from services.intake.storage import complaints, refusals
from shared.contracts.follow_codes import follow_code
from shared.procedures.access import AccessPolicy, Actor, CaseParties
from shared.runtime.clock import Clock, monotonic, uuid7
from shared.runtime.database.database import Database
from shared.runtime.http.bearer import BEARER_SCHEME
from shared.runtime.http.body import read_body
from shared.runtime.http.problem import HttpProblem, add_problem_handlers
from shared.runtime.process.failures import is_infrastructure, redacted_reason
from shared.runtime.tracing.context import Activity, request_traceparent, working_on

_MAX_KEY_LENGTH = 200
_TAGS: list[str | Enum] = ["complaints"]
_SCHEMES = [Depends(BEARER_SCHEME), Depends(API_KEY_SCHEME)]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ApiDependencies:
    """Dependencies of the routes; `group_commit` runs `RegisterComplaints.register_batch` for the requests that share a transaction."""

    authentication: Authentication
    policy: AccessPolicy
    reader: SubmissionReader
    raw_copies: RawCopies
    group_commit: GroupCommit[PendingRegistration, RegistrationResult]
    database: Database
    settings: IntakeSettings
    clock: Clock
    follow_key: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """The complaints of one request for a source, by its key or by a person."""

    context: SourceContext
    items: Sequence[Any]
    by_person: bool = False


def add_routes(app: FastAPI, dependencies: ApiDependencies) -> None:
    """Add the routes to the application and count its refusals."""
    router = APIRouter(tags=_TAGS, dependencies=_SCHEMES)
    _add_submission_route(app, dependencies)
    _add_batch_route(router, dependencies)
    _add_query_routes(router, dependencies)
    app.include_router(router)
    app.add_middleware(
        Admission,
        is_overloaded=dependencies.group_commit.is_overloaded,
        is_source=dependencies.authentication.is_source,
    )
    add_problem_handlers(app, _count_refused_request)


def _count_refused_request(problem: HttpProblem) -> None:
    if problem.type.code in metrics.REASONS:
        metrics.count_refused(VIA_HTTP, problem.type.code)


def _add_submission_route(app: FastAPI, api: ApiDependencies) -> None:
    async def submit_complaint(request: Request) -> Response:
        """Register a complaint. 202 with case and number once it is committed; a resend gets the same answer, with `duplicate`.

        By the key of a source, or by the token of a person who enters it by hand for a source that lists him.

        Another text under a known `external_id` becomes a `supplement` of the case, or 409, as the organisation file sets for the source.
        """
        started = monotonic()
        entry = await _read_entry(api, request)
        [result] = await _register_items(api, entry, _idempotency_key(request), _traceparent(request))
        metrics.REQUEST_SECONDS.observe(monotonic() - started)
        if result.status == "refused":
            return intake_problem(result.reason, *result.faults).to_response()
        return _json(_response_body(result, api.follow_key), 202, {"Location": f"/v1/complaints/{result.case}"})

    add_plain_route(
        app,
        "/v1/complaints",
        submit_complaint,
        status_code=202,
        summary="Submit one complaint",
        tags=_TAGS,
        dependencies=_SCHEMES,
        **api_documents.SUBMIT,
    )


def _add_batch_route(router: APIRouter, api: ApiDependencies) -> None:
    @router.post("/v1/complaints:batch", status_code=202, summary="Submit up to 1,000 complaints", **api_documents.BATCH)
    async def submit_batch(request: Request) -> Response:
        """Register the complaints of `{"complaints": [...]}`.

        One result each, in order: 202 if all were accepted, 207 if some, 422 if none.
        """
        started = monotonic()
        context = api.authentication.authenticate_within_rate(request)
        items = _items(_parsed(await read_body(request, api.settings.max_batch_bytes)), api.settings.max_batch_items)
        api.authentication.consume_rate(context, len(items))
        results = await _register_items(api, _Entry(context, items), _idempotency_key(request), _traceparent(request))
        metrics.REQUEST_SECONDS.observe(monotonic() - started)
        refused = sum(result.status == "refused" for result in results)
        status = 202 if not refused else 422 if refused == len(results) else 207
        bodies = [{"index": index, **_response_body(result, api.follow_key)} for index, result in enumerate(results)]
        return _json({"accepted": len(results) - refused, "refused": refused, "results": bodies}, status)


def _add_query_routes(router: APIRouter, api: ApiDependencies) -> None:
    @router.get("/v1/complaints/{case}", summary="A complaint as registered", **api_documents.GET)
    async def get_complaint(request: Request, case: str) -> Response:
        """The registration of one of the source's own complaints, masked, without contact data."""
        context = api.authentication.authenticate(request)
        async with api.database.transaction() as tx:
            found = await complaints.find_event_json(tx, case.replace("\x00", ""))
        if found is None or not api.policy.may_read(Actor(context.source.id), CaseParties(source=found[0]), api.clock.now()):
            raise intake_problem(
                "not_found", SubmissionFault("id", "unknown", "send the case id of a complaint that this source submitted")
            )
        event = orjson.loads(found[1])
        event["complaint"].pop("contact", None)
        registration = {
            name: event.get(name) for name in ("case", "number", "procedure", "version", "missing", "unreadable", "forms", "complaint")
        }
        return _json(registration | {"status": "registered", "registered_at": event["at"]}, 200)


async def _read_entry(api: ApiDependencies, request: Request) -> _Entry:
    """The submission of one complaint: by the source's key, or by the token of a person who enters it for the source."""
    person = await api.authentication.signed_in(request)
    if person is None:
        context = api.authentication.authenticate_within_rate(request)
        api.authentication.consume_rate(context, 1)
        return _Entry(context, [_parsed(await read_body(request, api.settings.max_complaint_bytes))])
    document = _parsed(await read_body(request, api.settings.max_complaint_bytes))
    return _Entry(api.authentication.source_entered_by(person, document), [with_entering_person(document, person)], by_person=True)


async def _register_items(api: ApiDependencies, entry: _Entry, key: str | None, traceparent: str) -> list[RegistrationResult]:
    """One result for each item; valid items are registered together, the refusals of the others are stored."""
    context, items = entry.context, entry.items
    accepted_at = api.clock.now()
    # A key for each item: sent again, every complaint of the batch finds its own case.
    origins = [SubmissionOrigin(context.source.id, VIA_HTTP, accepted_at, f"{key}/{index}" if key else None) for index in range(len(items))]
    validated = [_read_item(api, context, item, origin, traceparent) for item, origin in zip(items, origins, strict=True)]
    pending = [item for item in validated if isinstance(item, PendingRegistration)]
    try:
        with working_on(Activity(traceparent)):
            registered = iter(await api.group_commit.submit(pending, may_be_refused=not entry.by_person)) if pending else iter(())
        results = [next(registered) if isinstance(item, PendingRegistration) else item for item in validated]
        refused = [index for index, result in enumerate(results) if result.status == "refused"]
        await _store_refusals(
            api, context, [results[index] for index in refused], [submission_copy(origins[index], items[index]) for index in refused]
        )
    except OverloadedError:
        raise overload_problem() from None
    except Exception as error:
        if not is_infrastructure(error):
            raise
        log.warning("complaints could not be stored", reason=redacted_reason(error), items=len(items))
        fault = SubmissionFault("request", "try_again", "send the same request again, it cannot be registered twice under one reference")
        raise intake_problem("unavailable", fault, headers={"Retry-After": "2"}) from error
    metrics.RECEIVED.labels(VIA_HTTP).inc(len(items))
    for item in validated:
        # Those that the registration refused are counted by it.
        if isinstance(item, RegistrationResult):
            metrics.count_refused(VIA_HTTP, item.reason)
    return results


def _read_item(
    api: ApiDependencies, context: SourceContext, item: Any, origin: SubmissionOrigin, traceparent: str
) -> PendingRegistration | RegistrationResult:
    reading = api.reader.read(
        item, context, traceparent=traceparent, idempotency_key=origin.idempotency_key, accepted_at=origin.accepted_at
    )
    if VIA_HTTP in api.settings.raw_keep and isinstance(reading, PendingRegistration):
        return replace(reading, copy=submission_copy(origin, item))
    return reading


async def _store_refusals(
    api: ApiDependencies, context: SourceContext, refused: Sequence[RegistrationResult], copies: Sequence[RawSubmission]
) -> None:
    if refused:
        rows = [
            refused_submission(result, VIA_HTTP, context.source.id, copy.reference) for result, copy in zip(refused, copies, strict=True)
        ]
        async with api.database.transaction() as tx:
            await refusals.insert_refusals(tx, rows)
            await api.raw_copies.keep_all(tx, copies)


def _parsed(body: bytes) -> Any:
    try:
        return parse_json(body)
    except MalformedJsonError as error:
        raise intake_problem("malformed", SubmissionFault("body", "not_json", f"send JSON in UTF-8 ({error})")) from None


def _items(document: Any, max_items: int) -> list[Any]:
    items = document.get("complaints") if isinstance(document, dict) else document
    if not isinstance(items, list) or not items:
        raise intake_problem(
            "invalid", SubmissionFault("complaints", "not_a_list", 'send {"complaints": [...]} with at least one complaint')
        )
    if len(items) > max_items:
        raise intake_problem("too_large", SubmissionFault("complaints", "too_many", f"send at most {max_items} complaints a batch"))
    return items


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= _MAX_KEY_LENGTH:
        raise intake_problem("invalid", SubmissionFault("Idempotency-Key", "length", f"send 1 to {_MAX_KEY_LENGTH} characters"))
    return key


def _traceparent(request: Request) -> str:
    """That of the request's span, the caller's (W3C Trace Context), or a new one, so that all services log one trace id."""
    if traceparent := request_traceparent(request.headers.get("traceparent")):
        return traceparent
    trace, span = (uuid7().replace("-", "") for _ in range(2))
    return f"00-{trace}-{span[16:]}-00"  # not sampled: no span was recorded


def _response_body(result: RegistrationResult, code_key: bytes | None) -> dict[str, Any]:
    if result.status == "refused":
        return {"status": "refused", "problem": intake_problem(result.reason, *result.faults).document()}
    fields = {"missing": list(result.missing), "unreadable": list(result.unreadable)}
    # The source tells it to the complainant: an anonymous one can be told by nobody else.
    code = {} if code_key is None else {"follow_code": follow_code(code_key, result.case)}
    return {"status": result.status, "case": result.case, "number": result.number, **fields, **code}


def _json(document: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(document), status, headers, "application/json")
