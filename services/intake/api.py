"""The HTTP edge: complaints in, one or many; 202 only once they are durable."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

import orjson
import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from services.intake import metrics
from services.intake.api_dependencies import Gate, body_of
from services.intake.application.group_commit import GroupCommit
from services.intake.application.registration import Incoming, Outcome, Register, refusal, refused_row
from services.intake.channels import READERS
from services.intake.channels.json_document import MalformedError, parse
from services.intake.config import IntakeSettings
from services.intake.domain.submission import Office, case_id
from services.intake.domain.submission_faults import Fault
from services.intake.problem import ProblemError, document, response
from services.intake.storage import complaints
from shared.runtime.clock import monotonic, uuid7
from shared.runtime.database.database import Database
from shared.runtime.process.failures import is_infrastructure, reason

VIA = "http"
_TRACE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_LONGEST_KEY = 200
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Edge:
    """What the routes work with."""

    gate: Gate
    books: Register
    commit: GroupCommit[Incoming, Outcome]
    database: Database
    settings: IntakeSettings


def register(app: FastAPI, router: APIRouter, edge: Edge) -> None:
    """Add the routes and how problems are told."""

    @app.exception_handler(ProblemError)
    async def told(_: Request, problem: ProblemError) -> Response:
        if problem.reason in metrics.REASONS:
            metrics.refused(VIA, problem.reason)
        return response(problem)

    _add_submitting(router, edge)
    _add_reading(router, edge)


def _add_submitting(router: APIRouter, edge: Edge) -> None:
    @router.post("/v1/complaints", status_code=202, summary="Submit one complaint")
    async def one(request: Request) -> Response:
        """Body: a complaint's fields. 202 with case and number once it is durable; the same again for a resend."""
        started = monotonic()
        office = edge.gate.admit(request)
        edge.gate.charge(office, 1)
        body = await body_of(request, edge.settings.max_complaint_bytes)
        [outcome] = await _enter(edge, office, [_parsed(body)], _idempotency_key(request), _trace(request))
        metrics.REQUEST_SECONDS.observe(monotonic() - started)
        if outcome.status == "refused":
            return response(ProblemError(outcome.reason, *outcome.faults))
        return _json(_told(outcome), 202, {"Location": f"/v1/complaints/{outcome.case}"})

    @router.post("/v1/complaints:batch", status_code=202, summary="Submit up to 1,000 complaints")
    async def many(request: Request) -> Response:
        """Body: `{"complaints": [...]}`. One result each, in order: 202 if all were accepted, 207 if some, 422 if none."""
        started = monotonic()
        office = edge.gate.admit(request)
        items = _items(_parsed(await body_of(request, edge.settings.max_batch_bytes)), edge.settings.max_batch_items)
        edge.gate.charge(office, len(items))
        outcomes = await _enter(edge, office, items, _idempotency_key(request), _trace(request))
        metrics.REQUEST_SECONDS.observe(monotonic() - started)
        refused = sum(outcome.status == "refused" for outcome in outcomes)
        status = 202 if not refused else 422 if refused == len(outcomes) else 207
        results = [{"index": place, **_told(outcome)} for place, outcome in enumerate(outcomes)]
        return _json({"accepted": len(outcomes) - refused, "refused": refused, "results": results}, status)


def _add_reading(router: APIRouter, edge: Edge) -> None:
    @router.get("/v1/complaints/{case}", summary="A complaint as registered")
    async def get(request: Request, case: str) -> Response:
        """The registration of one of the source's own complaints, masked, without contact data."""
        office = edge.gate.identify(request)
        async with edge.database.transaction() as tx:
            body = await complaints.find(tx, case.replace("\x00", ""), office.source.id)
        if body is None:
            raise ProblemError("not_found", Fault("id", "unknown", "send the case id of a complaint that this source submitted"))
        event = orjson.loads(body)
        event["complaint"].pop("contact", None)
        kept = {name: event.get(name) for name in ("case", "number", "procedure", "version", "missing", "forms", "complaint")}
        return _json(kept | {"status": "registered", "registered_at": event["at"]}, 200)


async def _enter(edge: Edge, office: Office, items: Sequence[Any], key: str | None, trace: str) -> list[Outcome]:
    """One outcome an item; those that are fit are registered together, the others kept as refusals."""
    read = [_read(edge.books, office, item, f"{key}/{place}" if key else None, trace) for place, item in enumerate(items)]
    fit = [each for each in read if isinstance(each, Incoming)]
    try:
        entered = iter(await edge.commit.submit(fit)) if fit else iter(())
        outcomes = [next(entered) if isinstance(each, Incoming) else each for each in read]
        await _keep_refusals(edge, office, [each for each in read if isinstance(each, Outcome)])
    except Exception as error:
        if not is_infrastructure(error):
            raise
        log.warning("complaints could not be stored", reason=reason(error), items=len(items))
        fault = Fault("request", "try_again", "send the same request again, it cannot be registered twice under one reference")
        raise ProblemError("unavailable", fault, headers={"Retry-After": "2"}) from error
    metrics.RECEIVED.labels(VIA).inc(len(items))
    return outcomes


async def _keep_refusals(edge: Edge, office: Office, refused: Sequence[Outcome]) -> None:
    if refused:
        async with edge.database.transaction() as tx:
            await complaints.refuse(tx, [refused_row(each, VIA, office.source.id, "") for each in refused])
    for outcome in refused:
        metrics.refused(VIA, outcome.reason)


def _read(books: Register, office: Office, item: Any, key: str | None, trace: str) -> Incoming | Outcome:
    reading = READERS["json"](item)
    if reading.submission is None:
        missing = any(fault.rule == "missing" for fault in reading.faults)
        return refusal("missing" if missing else "invalid", *reading.faults)
    submission = reading.submission
    forbidden = books.check(submission, office)
    if forbidden is not None:
        return forbidden
    fingerprint = sha256(orjson.dumps(item, option=orjson.OPT_SORT_KEYS)).digest()
    reference, exact = (submission.external_id, False) if submission.external_id else (f"key {key}" if key else None, key is not None)
    case = case_id(office.source.id, submission.channel, reference) if reference else uuid7()
    return Incoming(submission, office, case, fingerprint, trace, exact)


def _parsed(body: bytes) -> Any:
    try:
        return parse(body)
    except MalformedError as error:
        raise ProblemError("malformed", Fault("body", "not_json", f"send JSON in UTF-8 ({error})")) from None


def _items(value: Any, most: int) -> list[Any]:
    items = value.get("complaints") if isinstance(value, dict) else value
    if not isinstance(items, list) or not items:
        raise ProblemError("invalid", Fault("complaints", "not_a_list", 'send {"complaints": [...]} with at least one complaint'))
    if len(items) > most:
        raise ProblemError("too_large", Fault("complaints", "too_many", f"send at most {most} complaints a batch"))
    return items


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= _LONGEST_KEY:
        raise ProblemError("invalid", Fault("Idempotency-Key", "length", f"send 1 to {_LONGEST_KEY} characters"))
    return key


def _trace(request: Request) -> str:
    given = request.headers.get("traceparent", "")
    if _TRACE.fullmatch(given):
        return given
    trace, span = (uuid7().replace("-", "") for _ in range(2))
    return f"00-{trace}-{span[16:]}-01"


def _told(outcome: Outcome) -> dict[str, Any]:
    if outcome.status == "refused":
        return {"status": "refused", "problem": document(outcome.reason, outcome.faults)}
    told = {name: value for name, value in asdict(outcome).items() if name in ("status", "case", "number")}
    return told | {"missing": list(outcome.missing)}


def _json(value: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(value), status, headers, "application/json")
