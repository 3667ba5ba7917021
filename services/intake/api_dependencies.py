"""Who may come in, how much at once and how fast: key, size and rate of an HTTP request."""

from fastapi import Request

from services.intake.application.sources import Sources
from services.intake.domain.submission import SourceContext
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.problem import IntakeHttpError
from shared.runtime.clock import monotonic
from shared.runtime.http.rate_limit import TokenBucket

_REMEDY = "send Authorization: Bearer <API key of a source of the organisation file>"


class Authentication:
    """Keeps one bucket a source in this process."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._buckets = {name: TokenBucket.full(office.source.rate_per_second, monotonic()) for name, office in sources.contexts.items()}

    def authenticate_within_rate(self, request: Request) -> SourceContext:
        """The office of the request's key. Raises ProblemError."""
        office = self.authenticate(request)
        wait = self._buckets[office.source.id].seconds_until_available(monotonic())
        if wait > 0:
            remedy = f"wait {wait:.1f} s; the source may submit {office.source.rate_per_second:g} a second"
            raise IntakeHttpError("rate", SubmissionFault("request", "too_fast", remedy), headers={"Retry-After": str(int(wait) + 1)})
        return office

    def authenticate(self, request: Request) -> SourceContext:
        """The same for a request that submits nothing: no rate applies."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        given = key.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        office = self._sources.by_api_key(given) if given else None
        if office is None:
            fault = SubmissionFault("Authorization", "unknown_key" if given else "missing", _REMEDY)
            raise IntakeHttpError("key", fault, headers={"WWW-Authenticate": "Bearer"})
        return office

    def consume_rate(self, context: SourceContext, count: int) -> None:
        """Draw so many complaints from the source's bucket."""
        self._buckets[context.source.id].consume(count)


MAX_DISCARDED_BYTES = 4_194_304
"""Bytes beyond the limit that are read and thrown away: who is cut off while still sending never sees why."""


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The body, read no further than `largest` bytes. Raises ProblemError."""
    content, length = bytearray(), 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > max_bytes + MAX_DISCARDED_BYTES:
            break
        if length <= max_bytes:
            content += chunk
    if length > max_bytes:
        raise _too_large(max_bytes)
    return bytes(content)


def _too_large(largest: int) -> IntakeHttpError:
    fault = SubmissionFault("body", "too_large", f"send at most {largest} bytes; attachments by reference")
    return IntakeHttpError("too_large", fault, headers={"Connection": "close"})
