"""HTTP routes of attachments: upload by a source or a person, reading by a signed address."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import structlog
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from services.intake import metrics
from services.intake.api_dependencies import API_KEY_SCHEME, PROBLEM_TYPES, Authentication
from services.intake.attachments.blobs import BlobMissingError
from services.intake.attachments.content_types import IMAGE_TYPES, TEXT_TYPE
from services.intake.attachments.store import AttachmentRefused, AttachmentStore
from services.intake.domain.submission_faults import SubmissionFault
from shared.contracts.attachments import MAX_NAME_LENGTH, ReadGrant
from shared.runtime.clock import Clock
from shared.runtime.http.bearer import BEARER_SCHEME
from shared.runtime.http.body import MAX_DISCARDED_BYTES
from shared.runtime.http.openapi import ANY_OPERATION, problem_responses
from shared.runtime.http.problem import BODY_TOO_LARGE, HttpProblem, ProblemType

REFUSED = ProblemType("attachment_refused", 422, "the file is not taken")
NOT_CONFIGURED = ProblemType("no_attachments", 404, "attachments are not configured")
NO_LEAVE = ProblemType("address_expired", 403, "the address has expired or was changed")
NOT_FOUND = ProblemType("unknown_attachment", 404, "there is no such attachment")
ERASED = ProblemType("erased", 410, "the attachment was erased")
CHANGED = ProblemType("attachment_changed", 500, "the stored attachment was changed")
_HEADERS = {
    "Cache-Control": "private, no-store",
    # A file of a stranger: should a browser show it all the same, it runs nothing and has no origin.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
log = structlog.get_logger(__name__)


class AttachmentAnswer(BaseModel):
    """A stored file; put `reference` into `attachments` of a submission or an action."""

    sha256: str
    name: str = Field(description="the file's name, with the ending of its type where it had another", examples=["现场.jpg"])
    media_type: str = Field(description="by content", examples=["image/jpeg"])
    size: int
    reference: str = Field(examples=[f"sha256:{'0' * 64}/{'0' * 16}/现场.jpg"])


_UPLOAD: dict[str, Any] = {
    "openapi_extra": {
        "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
    },
    "responses": problem_responses(
        *ANY_OPERATION, *(PROBLEM_TYPES[reason] for reason in ("key", "rate", "too_large")), REFUSED, NOT_CONFIGURED
    )
    | {201: {"model": AttachmentAnswer}},
}
_READ: dict[str, Any] = {
    "response_class": Response,
    "responses": problem_responses(*ANY_OPERATION, NO_LEAVE, NOT_FOUND, NOT_CONFIGURED, ERASED, CHANGED)
    | {200: {"description": "the file", "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
}


def router(store: AttachmentStore | None, authentication: Authentication, clock: Clock) -> APIRouter:
    """`POST /v1/attachments` and `GET /v1/attachments/{sha256}`; without a store both answer 404."""
    routes = APIRouter(prefix="/v1/attachments", tags=["attachments"])
    _add_upload(routes, store, authentication)
    _add_reading(routes, store, clock)
    return routes


def _add_upload(routes: APIRouter, store: AttachmentStore | None, authentication: Authentication) -> None:
    @routes.post("", status_code=201, summary="Upload a file", dependencies=[Depends(BEARER_SCHEME), Depends(API_KEY_SCHEME)], **_UPLOAD)
    async def upload_attachment(
        request: Request, name: Annotated[str, Query(min_length=1, max_length=MAX_NAME_LENGTH, examples=["现场.jpg"])]
    ) -> Response:
        """The body is the file as it is. 201 once it is durable; its type is that of its content, regardless of name and Content-Type."""
        source = await authentication.authenticate_uploader(request)
        attachments = _configured(store)
        await refuse_declared_size(request, attachments.limits.max_bytes)
        with refusals_as_problems():
            stored = await attachments.put(name, body_up_to(request, attachments.limits.max_bytes), source)
        fields = {field: getattr(stored, field) for field in AttachmentAnswer.model_fields}
        return Response(orjson.dumps(fields), 201, media_type="application/json")


def _add_reading(routes: APIRouter, store: AttachmentStore | None, clock: Clock) -> None:
    @routes.get("/{sha256}", summary="Read a file by a signed address", **_READ)
    async def read_attachment(
        sha256: str,
        name: Annotated[str, Query(max_length=MAX_NAME_LENGTH)],
        expires: Annotated[int, Query(ge=0, le=2**53)],
        reader: Annotated[str, Query(max_length=200)],
        signature: Annotated[str, Query(max_length=200)],
    ) -> Response:
        """The file. sla issues the address, for a few minutes, to people who may see the case."""
        attachments = _configured(store)
        grant = ReadGrant(sha256, name, expires, reader)
        if not attachments.keys.allows(grant, signature, clock.real_now().timestamp()):
            raise HttpProblem(NO_LEAVE, "signature: ask for a new address with GET /v1/cases/{case}/attachments of sla")
        row = await attachments.find(sha256)
        if row is None:
            raise HttpProblem(NOT_FOUND)
        if row.erased_at is not None:
            raise HttpProblem(ERASED, "its content was deleted; digest and name remain in the case's ledger")
        try:
            unchanged = await attachments.is_unchanged(sha256)
        except BlobMissingError:
            unchanged = False
        if not unchanged:
            metrics.ATTACHMENTS_CHANGED.inc()
            log.error("a stored attachment is missing or was changed", sha256=sha256)
            raise HttpProblem(CHANGED, "its bytes are not those of its digest; restore the file from a backup")
        log.info("attachment read", sha256=sha256, reader=reader)
        disposition = "inline" if row.media_type in IMAGE_TYPES else "attachment"
        headers = _HEADERS | {"Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(name)}", "Content-Length": str(row.size)}
        # Without a charset: a text may be GB18030 as well as UTF-8, and a wrong label is worse than none.
        media_type = "application/octet-stream" if row.media_type == TEXT_TYPE else row.media_type
        return StreamingResponse(attachments.read(sha256), headers=headers, media_type=media_type)


async def refuse_declared_size(request: Request, max_bytes: int) -> None:
    """Raise HttpProblem 413 for a body that announces more than the limit, before any of it is stored."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        await _discard(request)
        raise _too_large(max_bytes)


async def body_up_to(request: Request, max_bytes: int) -> AsyncIterator[bytes]:
    """The pieces of the body; one byte beyond the limit ends it, since a chunked body announces no size."""
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > max_bytes:
            await _discard(request)
            raise _too_large(max_bytes)
        yield chunk


@contextmanager
def refusals_as_problems() -> Iterator[None]:
    """Raise `AttachmentRefused` as HttpProblem, and count it."""
    try:
        yield
    except AttachmentRefused as refusal:
        metrics.ATTACHMENTS.labels(refusal.rule).inc()
        problem_type = BODY_TOO_LARGE if refusal.rule == "too_large" else REFUSED
        raise HttpProblem(problem_type, faults=[SubmissionFault("attachment", refusal.rule, refusal.remedy)]) from None
    metrics.ATTACHMENTS.labels("stored").inc()


def _configured(store: AttachmentStore | None) -> AttachmentStore:
    if store is None:
        raise HttpProblem(NOT_CONFIGURED, "set JIESU_ATTACHMENT_STORE and JIESU_ATTACHMENT_KEY of intake")
    return store


def _too_large(max_bytes: int) -> HttpProblem:
    metrics.ATTACHMENTS.labels("too_large").inc()
    fault = SubmissionFault("attachment", "too_large", f"send at most {max_bytes} bytes")
    return HttpProblem(BODY_TOO_LARGE, faults=[fault], headers={"Connection": "close"})


async def _discard(request: Request) -> None:
    """Read a little of the rest: most clients read no answer before they have sent their request."""
    length = 0
    try:
        async for chunk in request.stream():
            length += len(chunk)
            if length > MAX_DISCARDED_BYTES:
                return
    except ClientDisconnect:
        return
