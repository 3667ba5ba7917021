"""The complainant's page and its JSON: `/f`, `/f/{code}` and `/v1/follow/{code}`, open to everybody who has a code.

There is no session and no cookie, so that no other site can act in a visitor's name: only the code, which the path holds, authorises.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Header, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import Field

from services.sla import api_documents
from services.sla.api import request_errors_as_problems
from services.sla.api_documents import ACTION_REFUSED, PROBLEM_TYPES
from services.sla.application.errors import ActionNotOfferedError, CodeUnknownError
from services.sla.follow.access import FollowCases
from services.sla.follow.page import CONTENT_SECURITY_POLICY, CodeFault, PageLanguage, RefusedForm, render_code_page, render_follow_page
from shared.contracts.actions import ActionData
from shared.contracts.base import InputName, LongText, StrictModel
from shared.contracts.follow_codes import lookup_key
from shared.runtime.http.body import read_body, read_model, request_body
from shared.runtime.http.problem import INVALID, FieldFault, HttpProblem
from shared.runtime.http.rate_limit import RateLimit

MAX_BODY_BYTES = 65_536
LONGEST_REASON = 500
LONGEST_TEXT = 20_000
_UNKNOWN = "unknown codes"
_UNKNOWN_FACTOR = 10
_NO_CASE = (404, 429, 503)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    # The address holds the code: no other site may learn it from a link.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def _language(lang: str = "zh") -> PageLanguage:
    # A page for people: a link with a language that it does not speak shows it in Chinese.
    return "en" if lang == "en" else "zh"


Language = Annotated[PageLanguage, Depends(_language)]


class FollowRequest(StrictModel):
    """An action of a complainant; `text` is what he adds, his comment or his reason, `score` (0 to 100) his rating."""

    action: Annotated[InputName, Field(examples=["supplement"])]
    text: LongText = ""
    score: int | None = Field(default=None, ge=0, le=100, strict=True)


class _CodeLimits:
    """Bounds the requests of each code, and of unknown ones in all, so that no one else waits for who guesses."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._rates = RateLimit()

    def check_code(self, code: str) -> None:
        """Raise HttpProblem 429 while the code is used too often."""
        key = lookup_key(code)
        if key:
            self._rates.check(key, self._per_second)
            self._rates.consume(key, self._per_second)

    def count_unknown(self) -> None:
        """Raise HttpProblem 429 while too many unknown codes are tried."""
        per_second = _UNKNOWN_FACTOR * self._per_second
        self._rates.check(_UNKNOWN, per_second)
        self._rates.consume(_UNKNOWN, per_second)


def router(follow: FollowCases, per_second: float) -> APIRouter:
    """The page for people and the same as JSON for web forms and apps."""
    limits = _CodeLimits(per_second)
    routes = APIRouter(tags=["complainants"])
    _add_json_routes(routes, follow, limits)
    _add_pages(routes, follow, limits)
    return routes


def _add_json_routes(routes: APIRouter, follow: FollowCases, limits: _CodeLimits) -> None:
    _name_methods(routes, "/v1/follow/{code}", "GET, HEAD, POST")

    @routes.head("/v1/follow/{code}", include_in_schema=False)
    @routes.get("/v1/follow/{code}", summary="Follow a case", responses=api_documents.FOLLOW)
    async def follow_case(code: str) -> JSONResponse:
        """The public state of the code's case, and the complainant's possible actions."""
        with _counted(limits, code):
            return JSONResponse(await follow.document(code), headers=_HEADERS)

    @routes.post(
        "/v1/follow/{code}",
        summary="Act as the complainant",
        openapi_extra=request_body(FollowRequest, {"action": "rate", "score": 80}),
        responses=api_documents.FOLLOW_ACTION,
    )
    async def act(code: str, request: Request, idempotency_key: Annotated[str | None, Header(max_length=200)] = None) -> JSONResponse:
        """Supplement, urge, rate, withdraw or ask for reopening; answers with what the complainant sees then."""
        with _counted(limits, code):
            asked = await read_model(request, FollowRequest, MAX_BODY_BYTES)
            await _take(follow, code, asked, idempotency_key)
            return JSONResponse(await follow.document(code), headers=_HEADERS)


def _add_pages(routes: APIRouter, follow: FollowCases, limits: _CodeLimits) -> None:
    _name_methods(routes, "/f", "GET, HEAD")
    _name_methods(routes, "/f/{code}", "GET, HEAD, POST")

    @routes.head("/f", include_in_schema=False)
    @routes.get("/f", summary="The page on which a code is typed", response_class=HTMLResponse)
    async def type_code(lang: Language, code: str = "") -> Response:
        """A form; with `code` it leads to the page of that code."""
        if lookup_key(code):
            return RedirectResponse(f"f/{code.strip().replace(' ', '')}?lang={lang}", 303, headers=_HEADERS)
        return _page(render_code_page(lang, "unknown" if code else ""), 404 if code else 200)

    @routes.head("/f/{code}", include_in_schema=False)
    @routes.get("/f/{code}", summary="The page of a case", response_class=HTMLResponse)
    async def show_case(code: str, lang: Language) -> Response:
        """Status, answers and the forms for what the complainant can do."""
        try:
            with _counted(limits, code):
                return _page(render_follow_page(await follow.document(code), lang))
        except HttpProblem as problem:
            return _page(render_code_page(lang, _fault_of(problem.type.status), below=True), problem.type.status)

    @routes.post("/f/{code}", summary="A form of the page", response_class=HTMLResponse, include_in_schema=False)
    async def submit_form(code: str, request: Request, lang: Language) -> Response:
        """Take the action of the form and show the page again, with the reason where it was refused."""
        fields: dict[str, list[str]] = {}
        problem = HttpProblem(INVALID)
        try:
            with _counted(limits, code):
                # First: a form with a fault must not tell known codes from unknown ones.
                await follow.document(code)
                fields |= parse_qs((await read_body(request, MAX_BODY_BYTES)).decode("utf-8", "replace"), max_num_fields=10)
                await _take(follow, code, _from_form(fields), _first(fields, "once") or None)
        except HttpProblem as refusal:
            problem = refusal
            if problem.type.status in _NO_CASE:
                return _page(render_code_page(lang, _fault_of(problem.type.status), below=True), problem.type.status)
        except ValueError:  # a score that is no number, too many fields, a text beyond the limit
            pass
        else:
            # Shown by GET, so that reloading the page sends nothing twice.
            return RedirectResponse(f"{code}?lang={lang}", 303, headers=_HEADERS)
        refused = _refused_form(fields, problem)
        refused = replace(refused, reason=await follow.reason_text(code, lang, refused.reason))
        return _page(render_follow_page(await follow.document(code), lang, refused), 422)


@contextmanager
def _counted(limits: _CodeLimits, code: str) -> Iterator[None]:
    """Charge the request to its code; a code that no case has is charged to all unknown ones."""
    limits.check_code(code)
    with request_errors_as_problems():
        try:
            yield
        except CodeUnknownError:
            limits.count_unknown()
            raise


async def _take(follow: FollowCases, code: str, asked: FollowRequest, idempotency_key: str | None) -> None:
    """Take the action; raises HttpProblem 409 where the procedure refuses it."""
    if asked.action == "supplement" and not asked.text.strip():
        raise HttpProblem(INVALID, faults=[FieldFault("text", "missing", "write what you want to add")])
    if asked.action == "rate" and asked.score is None:
        raise HttpProblem(INVALID, faults=[FieldFault("score", "missing", "give a score of 0 to 100")])
    given = {"text": asked.text, "score": asked.score} if asked.action == "rate" else {"text": asked.text}
    if asked.action in ("withdraw", "reopen"):
        given = {"reason": asked.text[:LONGEST_REASON]}
    result = await follow.act(code, asked.action, ActionData.model_validate(given), idempotency_key)
    refusal = next((event for event in result.events if event.type == "action_refused"), None)
    if refusal is not None:
        raise HttpProblem(ACTION_REFUSED, refusal.data["reason"], clause=refusal.data.get("clause", ""), action=asked.action)


def _from_form(fields: Mapping[str, list[str]]) -> FollowRequest:
    score = _first(fields, "score")
    if score and not (score.isascii() and score.isdecimal()):
        raise ValueError("score: must be a number of 0 to 100")
    return FollowRequest(action=_first(fields, "action"), text=_first(fields, "text"), score=int(score) if score else None)


def _refused_form(fields: Mapping[str, list[str]], problem: HttpProblem) -> RefusedForm:
    typed = {name: _first(fields, name) for name in ("action", "text", "score")}
    if problem.type is ACTION_REFUSED:
        return RefusedForm(**typed, cause="by_rule", reason=problem.detail)
    if problem.type is PROBLEM_TYPES[ActionNotOfferedError]:
        return RefusedForm(**typed, cause="not_offered")
    missing = next((f"{fault.field}_missing" for fault in problem.faults if fault.rule == "missing"), "invalid")
    return RefusedForm(**typed, cause="too_long" if len(typed["text"]) > LONGEST_TEXT else missing)


def _name_methods(routes: APIRouter, path: str, allowed: str) -> None:
    """Answer the methods that a path does not serve: Starlette would name only those of the first of its routes."""

    @routes.api_route(path, methods=["PUT", "PATCH", "DELETE", "OPTIONS"], include_in_schema=False)
    async def refuse_method() -> None:
        raise HTTPException(405, headers={"Allow": allowed})


def _first(fields: Mapping[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0].replace("\r\n", "\n").strip()


def _fault_of(status: int) -> CodeFault:
    """Return the fault that the page names when it cannot show the case."""
    return "too_fast" if status in (429, 503) else "unknown"


def _page(content: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(content, status, headers=_HEADERS)
