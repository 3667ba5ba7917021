"""`/complain/{source}`: the form and its submission. Open to everybody; no session, no cookie, no third party."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from services.intake.attachments.store import AttachmentStore
from services.intake.transports.web_form.form_copies import SourceForm
from services.intake.transports.web_form.form_page import CONTENT_SECURITY_POLICY, TypedForm, render_done_page, render_form_page
from services.intake.transports.web_form.form_token import FormToken, FormTokens
from services.intake.transports.web_form.sent_form import FORM_BYTES, FormBodyError, SentForm, received_form
from services.intake.transports.web_form.submitting import ReceivedComplaint, SubmitForm, genuine_references
from shared.contracts.follow_codes import follow_code
from shared.procedures.model.sources.web_form import WebFormLanguage
from shared.runtime.clock import Clock, monotonic, uuid7
from shared.runtime.http.problem import HttpProblem, ProblemType
from shared.runtime.http.rate_limit import TokenBucket

NO_FORM = ProblemType("", 404, "Not Found")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    # Links lead away from the page with the complainant's code. With `no-referrer` browsers would send the form with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_STATUS = {"": 422, "busy": 429, "unavailable": 503, "body": 413, "type": 415, "cross_site": 403}


def _language(lang: str = "zh") -> WebFormLanguage:
    # A page for people: a link with a language that it does not speak shows it in Chinese.
    return "en" if lang == "en" else "zh"


Language = Annotated[WebFormLanguage, Depends(_language)]


class FormPages:
    """The pages of all sources that have a form."""

    def __init__(
        self,
        forms: dict[str, SourceForm],
        submit: SubmitForm,
        tokens: FormTokens,
        clock: Clock,
        attachments: AttachmentStore | None,
        follow_key: bytes | None,
        follow_url: str,
    ) -> None:
        self._forms = forms
        self._submit = submit
        self._tokens = tokens
        self._clock = clock
        self._attachments = attachments
        self._follow_key = follow_key
        self._follow_url = follow_url
        self._buckets: dict[str, TokenBucket] = {}

    def empty(self, source: str, language: WebFormLanguage) -> Response:
        """The form, opened now; raises HttpProblem 404."""
        form = self._form(source)
        return self._form_page(form, language, TypedForm())

    async def sent(self, source: str, language: WebFormLanguage, request: Request) -> Response:
        """The page after sending: the complaint's number and code, or the form with its faults."""
        form = self._form(source)
        if _is_cross_site(request):
            return self._form_page(form, language, TypedForm(form_fault="cross_site"))
        max_files = form.description.max_files
        max_bytes = FORM_BYTES + max_files * form.description.max_file_bytes
        try:
            async with received_form(request, max_bytes, max_files) as sent:
                return await self._taken(form, language, sent)
        except FormBodyError as error:
            return self._unread(form, language, error)

    def _unread(self, form: SourceForm, language: WebFormLanguage, error: FormBodyError) -> Response:
        """The form with the fields that were read before the reading ended."""
        sent = error.sent
        token = self._tokens.read(sent.values.get("token", ""), form.context.source.id)
        if self._tokens.fault(token, self._clock.real_now().timestamp()) == "expired":
            token = None
        typed = TypedForm(sent.values, genuine_references(self._attachments, sent.kept), form_fault=error.fault)
        page = self._form_page(form, language, typed, token)
        page.headers["Connection"] = "close"
        return page

    async def _taken(self, form: SourceForm, language: WebFormLanguage, sent: SentForm) -> Response:
        sent = replace(sent, kept=genuine_references(self._attachments, sent.kept))
        source = form.context.source.id
        token = self._tokens.read(sent.values.get("token", ""), source)
        fault = self._tokens.fault(token, self._clock.real_now().timestamp())
        if token is None or fault:
            typed = TypedForm(sent.values, sent.kept, form_fault=fault or "missing")
            return self._form_page(form, language, typed, token if fault == "too_fast" else None)
        if not self._has_room(form):
            return self._form_page(form, language, TypedForm(sent.values, sent.kept, form_fault="busy"), token)
        result = await self._submit.submit(form, token, sent)
        if isinstance(result, TypedForm):
            return self._form_page(form, language, result, token)
        return self._done_page(form, language, result)

    def _form(self, source: str) -> SourceForm:
        if source not in self._forms:
            raise HttpProblem(NO_FORM, "source: has no form; add form: to it in the organisation file")
        return self._forms[source]

    def _has_room(self, form: SourceForm) -> bool:
        """Whether the source's forms sent fewer complaints within the last minute than its limit; counts this one if so."""
        now, per_minute = monotonic(), form.description.form.per_minute
        # The visitor's own address is not known behind a proxy, and is shared by a whole estate: the proxy limits that.
        bucket = self._buckets.setdefault(form.context.source.id, TokenBucket(per_minute / 60, per_minute, per_minute, now))
        if bucket.seconds_until_available(now) > 0:
            return False
        bucket.consume(1)
        return True

    def _form_page(self, form: SourceForm, language: WebFormLanguage, typed: TypedForm, token: FormToken | None = None) -> Response:
        """The form with `token`, or a new one: a form that is shown again stays the same form."""
        token = token or FormToken(form.context.source.id, int(self._clock.real_now().timestamp()), uuid7())
        wrong = bool(typed.form_fault or typed.faults or typed.file_faults)
        status = _STATUS.get(typed.form_fault, 422) if wrong else 200
        return _page(render_form_page(form.description, language, self._tokens.sign(token), typed), status)

    def _done_page(self, form: SourceForm, language: WebFormLanguage, received: ReceivedComplaint) -> Response:
        code = follow_code(self._follow_key, received.case) if self._follow_key else ""
        content = render_done_page(
            form.description,
            language,
            received.number,
            code,
            self._follow_url,
            again=received.again,
            anonymous=received.anonymous,
        )
        return _page(content)


def router(pages: FormPages) -> APIRouter:
    """`GET` and `POST /complain/{source}`."""
    routes = APIRouter(tags=["web form"])

    @routes.head("/complain/{source}", include_in_schema=False)
    @routes.get("/complain/{source}", summary="The form of a source", response_class=HTMLResponse, include_in_schema=False)
    async def open_form(source: str, lang: Language) -> Response:
        """The page on which people complain."""
        return pages.empty(source, lang)

    @routes.post("/complain/{source}", summary="Send the form", response_class=HTMLResponse, include_in_schema=False)
    async def send_form(source: str, request: Request, lang: Language) -> Response:
        """Register the complaint; the answer is the page with its number and code."""
        return await pages.sent(source, lang, request)

    return routes


def _is_cross_site(request: Request) -> bool:
    """Whether a page of another site sent the form: without a cookie it would gain nothing, but might write in a visitor's name."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    # Browsers before 2023, and all of them without TLS, send only Origin; programs send neither.
    origin = request.headers.get("origin")
    return origin is not None and _authority(origin.partition("://")[2]) != _authority(request.headers.get("host", ""))


def _authority(text: str) -> str:
    return text.lower().removesuffix(":443").removesuffix(":80")


def _page(content: str, status: int = 200) -> HTMLResponse:
    headers = _HEADERS | ({"Retry-After": "5"} if status in (429, 503) else {})
    return HTMLResponse(content, status, headers=headers)
