"""Who may come in, how much at once and how fast: key, size and rate of an HTTP request."""

from fastapi import Request

from services.intake.application.sources import Sources
from services.intake.domain.submission import Office
from services.intake.domain.submission_faults import Fault
from services.intake.problem import ProblemError
from shared.runtime.clock import monotonic
from shared.runtime.http.rate_limit import Bucket

_REMEDY = "send Authorization: Bearer <API key of a source of the organisation file>"


class Gate:
    """Keeps one bucket a source in this process."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._buckets = {name: Bucket.full(office.source.rate_per_second, monotonic()) for name, office in sources.offices.items()}

    def admit(self, request: Request) -> Office:
        """The office of the request's key. Raises ProblemError."""
        office = self.identify(request)
        wait = self._buckets[office.source.id].wait(monotonic())
        if wait > 0:
            remedy = f"wait {wait:.1f} s; the source may submit {office.source.rate_per_second:g} a second"
            raise ProblemError("rate", Fault("request", "too_fast", remedy), headers={"Retry-After": str(int(wait) + 1)})
        return office

    def identify(self, request: Request) -> Office:
        """The same for a request that submits nothing: no rate applies."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        given = key.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        office = self._sources.of_key(given) if given else None
        if office is None:
            fault = Fault("Authorization", "unknown_key" if given else "missing", _REMEDY)
            raise ProblemError("key", fault, headers={"WWW-Authenticate": "Bearer"})
        return office

    def charge(self, office: Office, count: int) -> None:
        """Draw so many complaints from the source's bucket."""
        self._buckets[office.source.id].take(count)


LINGER = 4_194_304
"""Bytes beyond the limit that are read and thrown away: who is cut off while still sending never sees why."""


async def body_of(request: Request, largest: int) -> bytes:
    """The body, read no further than `largest` bytes. Raises ProblemError."""
    content, length = bytearray(), 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > largest + LINGER:
            break
        if length <= largest:
            content += chunk
    if length > largest:
        raise _too_large(largest)
    return bytes(content)


def _too_large(largest: int) -> ProblemError:
    fault = Fault("body", "too_large", f"send at most {largest} bytes; attachments by reference")
    return ProblemError("too_large", fault, headers={"Connection": "close"})
