"""API keys, rate limit and problem types of intake's HTTP API."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.security import APIKeyHeader

from services.intake.application.entry_by_hand import person_fault, source_of_person
from services.intake.application.sources import Sources
from services.intake.domain.submission import SourceContext
from services.intake.domain.submission_faults import SubmissionFault
from shared.runtime.http.bearer import BearerTokens, bearer_token, unauthorized
from shared.runtime.http.identity.people import PersonAuthentication
from shared.runtime.http.problem import BODY_TOO_LARGE, INVALID, UNAVAILABLE, HttpProblem, ProblemType
from shared.runtime.http.rate_limit import RateLimit

API_KEY_SCHEME = APIKeyHeader(name="X-API-Key", auto_error=False)
"""A dependency that adds the other way of sending a key to OpenAPI; it does not refuse a request."""
_REMEDY = "send Authorization: Bearer <API key of a source of the organisation file>"
_PERSON_RATE = 10.0
"""Requests a second of one person: a clerk with a scanner, not a system."""
PROBLEM_TYPES = {
    problem_type.code: problem_type
    for problem_type in (
        BODY_TOO_LARGE,
        INVALID,
        UNAVAILABLE,
        ProblemType("malformed", 400, "the body is malformed"),
        ProblemType("missing", 422, "something that every complaint needs is missing"),
        ProblemType("implausible", 422, "the time of receipt is implausible"),
        ProblemType("key", 401, "Unauthorized"),
        ProblemType("source", 403, "the key belongs to another source"),
        ProblemType("entered_by", 403, "the source may not name this person"),
        ProblemType("channel", 403, "the source may not submit on this channel"),
        ProblemType("rate", 429, "the source submits too fast"),
        ProblemType("overloaded", 429, "more complaints arrive than can be stored in time"),
        ProblemType("key_reused", 422, "the Idempotency-Key was used for another complaint"),
        ProblemType("reference_reused", 409, "the external_id was used for another complaint"),
        ProblemType("not_found", 404, "Not Found"),
        ProblemType("no_column_map", 409, "the source has no column map"),
        ProblemType("unusable_file", 422, "the file cannot be read"),
        ProblemType("signature", 401, "the signature of the call is not valid"),
        ProblemType("mapping", 422, "the map of the source does not fit the call"),
    )
}


def intake_problem(reason: str, *faults: SubmissionFault, headers: Mapping[str, str] | None = None) -> HttpProblem:
    """A problem by its reason, a key of PROBLEM_TYPES."""
    return HttpProblem(PROBLEM_TYPES[reason], faults=faults, headers=headers)


def overload_problem() -> HttpProblem:
    """The 429 of a source while more complaints arrive than can be committed in time: nothing of the request is stored."""
    fault = SubmissionFault("request", "overloaded", "send the same request again after the seconds of Retry-After")
    return intake_problem("overloaded", fault, headers={"Retry-After": "1"})


class Authentication:
    """Finds the source of a request by its API key and limits its rate in this process."""

    def __init__(self, sources: Sources, people: PersonAuthentication) -> None:
        self._contexts = sources.contexts
        contexts = sources.contexts.values()
        self._people = people
        self._keys = BearerTokens((key_sha256, context) for context in contexts for key_sha256 in context.source.key_sha256)
        self._rate_limit = RateLimit()

    def authenticate_within_rate(self, request: Request) -> SourceContext:
        """The source of a request that submits; raises HttpProblem 401 or 429."""
        context = self.authenticate(request)
        self.require_rate(context)
        return context

    def require_rate(self, context: SourceContext) -> None:
        """Raise HttpProblem 429 while the source submits too fast."""
        self._rate_limit.check(context.source.id, context.source.rate_per_second, PROBLEM_TYPES["rate"])

    def authenticate(self, request: Request) -> SourceContext:
        """The source of a request, which sends its key as a bearer token or in X-API-Key; raises HttpProblem 401."""
        key = _api_key(request)
        context = self._keys.find(key)
        if context is None:
            fault = SubmissionFault("Authorization", "unknown_key" if key else "missing", _REMEDY)
            raise unauthorized(faults=[fault], problem_type=PROBLEM_TYPES["key"])
        return context

    def is_source(self, request: Request) -> bool:
        """Whether the request has the key of a source."""
        return self._keys.find(_api_key(request)) is not None

    async def authenticate_uploader(self, request: Request) -> str:
        """The source, or `person:<id>` by the person's token, that uploads a file; raises HttpProblem 401 or 429."""
        person = await self.signed_in(request)
        if person is not None:
            return f"person:{person}"
        context = self.authenticate_within_rate(request)
        self.consume_rate(context, 1)
        return context.source.id

    async def signed_in(self, request: Request) -> str | None:
        """The id of the person whose token the request has, None for any other request; raises HttpProblem 401 or 429."""
        person = await self._people.person(request)
        if person is None:
            return None
        key = f"person:{person.id}"
        self._rate_limit.check(key, _PERSON_RATE, PROBLEM_TYPES["rate"])
        self._rate_limit.consume(key, _PERSON_RATE)
        return person.id

    def source_entered_by(self, person: str, document: Any) -> SourceContext:
        """The source for which a signed-in person enters a complaint; raises HttpProblem 403."""
        context = source_of_person(self._contexts, person, document)
        if isinstance(context, SubmissionFault):
            raise intake_problem("source", context)
        if (fault := person_fault(document, person)) is not None:
            raise intake_problem("entered_by", fault)
        return context

    def consume_rate(self, context: SourceContext, count: int) -> None:
        """Charge `count` complaints to the source."""
        self._rate_limit.consume(context.source.id, context.source.rate_per_second, count)


def _api_key(request: Request) -> str:
    return bearer_token(request) or request.headers.get("x-api-key", "")
