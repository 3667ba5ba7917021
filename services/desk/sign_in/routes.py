"""The pages of the sign-in: to the identity provider and back, the form of local accounts, sign-out."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.desk.forms import first, read_form
from services.desk.pages.page import Pages
from services.desk.pages.shell.preferences import local_path
from services.desk.session import CSRF_FIELD, Session, writing
from services.desk.sign_in.attempts import ATTEMPT_LIFETIME, SignInAttempts
from services.desk.sign_in.local_accounts import LocalAccounts
from services.desk.sign_in.provider import CALLBACK_PATH, SIGNED_OUT_PATH, IdentityProvider, ProviderTokens, SignInRefusedError
from services.desk.sign_in.secrets_of_browsers import derived_token, is_derived_token, new_secret
from services.desk.sign_in.sessions import COOKIE, Sessions
from shared.procedures.organisation import Organisation
from shared.runtime.http.identity.provider_keys import ProviderUnavailableError
from shared.runtime.http.rate_limit import RateLimit

BROWSER_COOKIE = "jiesu_desk_browser"
_FORM = "sign-in form"
_STARTS_PER_SECOND = 20.0
"""Attempts to sign in a second, of all browsers together: each is a row, and no one has to be known to begin one."""
_QueryText = Annotated[str, Query(max_length=2000)]
_NextPath = Annotated[str, Query(alias="next", max_length=2000)]
log = structlog.get_logger(__name__)


class SignInPages:
    """Answers of the routes; `secure` cookies are sent by TLS only."""

    def __init__(
        self,
        pages: Pages,
        organisation: Organisation,
        sessions: Sessions,
        provider: IdentityProvider | None,
        attempts: SignInAttempts | None,
        accounts: LocalAccounts | None,
        *,
        secure: bool,
    ) -> None:
        self._pages = pages
        self._organisation = organisation
        self._sessions = sessions
        self._provider = provider
        self._attempts = attempts
        self._accounts = accounts
        self._secure = secure
        self._rate_limit = RateLimit()

    def form(self, request: Request, next_path: str, fault: str = "", status: int = 200) -> Response:
        """The page to sign in; `fault` is the key of what went wrong."""
        browser = request.cookies.get(BROWSER_COOKIE) or new_secret()
        answer = self._pages.render(
            request,
            "sign_in.html",
            None,
            status,
            next_path=next_path,
            fault=fault,
            has_provider=self._attempts is not None,
            has_accounts=self._accounts is not None,
            form_token=derived_token(browser, _FORM),
        )
        self._set_cookie(request, answer, BROWSER_COOKIE, browser, int(ATTEMPT_LIFETIME.total_seconds()))
        return answer

    async def start(self, request: Request, next_path: str) -> Response:
        """Send the browser to the identity provider."""
        if self._attempts is None:
            return self.form(request, next_path)
        self._rate_limit.check("start", _STARTS_PER_SECOND)
        self._rate_limit.consume("start", _STARTS_PER_SECOND)
        browser = request.cookies.get(BROWSER_COOKIE) or new_secret()
        try:
            url = await self._attempts.begin(browser, next_path)
        except ProviderUnavailableError as error:
            log.warning("sign-in not possible", reason=str(error))
            return self.form(request, next_path, "sign_in.unavailable", 503)
        answer = RedirectResponse(url, 303, {"Cache-Control": "no-store"})
        self._set_cookie(request, answer, BROWSER_COOKIE, browser, int(ATTEMPT_LIFETIME.total_seconds()))
        return answer

    async def callback(self, request: Request, state: str, code: str) -> Response:
        """Begin the session of whom the provider sends back."""
        if self._attempts is None:
            return self.form(request, "")
        try:
            signed_in, next_path = await self._attempts.finish(request.cookies.get(BROWSER_COOKIE, ""), state, code)
        except SignInRefusedError as refused:
            log.info("sign-in refused", rule=refused.rule)
            return self.form(request, "", "sign_in.no_person" if refused.rule == "person" else "sign_in.refused", 403)
        except ProviderUnavailableError as error:
            log.warning("sign-in not possible", reason=str(error))
            return self.form(request, "", "sign_in.unavailable", 503)
        replaced = request.cookies.get(COOKIE, "")
        cookie = await self._sessions.begin(signed_in.person, signed_in.tokens, replaced, signed_in.subject, signed_in.provider_session)
        return self._signed_in(request, cookie, next_path)

    async def check_password(self, request: Request) -> Response:
        """Begin the session of a local account."""
        fields = await read_form(request)
        next_path = local_path(first(fields, "next"), request.scope.get("root_path", ""))
        browser = request.cookies.get(BROWSER_COOKIE, "")
        # A form of another site would sign the browser in as somebody else.
        if self._accounts is None or not is_derived_token(first(fields, CSRF_FIELD), browser, _FORM):
            return self.form(request, next_path, "sign_in.form_expired", 403)
        account = await self._accounts.check(first(fields, "name"), first(fields, "password"))
        person = None if account is None else self._organisation.person(account.person)
        if account is None or person is None:
            return self.form(request, next_path, "sign_in.wrong_password", 403)
        tokens = ProviderTokens(account.token, "", "", None)
        cookie = await self._sessions.begin(person, tokens, request.cookies.get(COOKIE, ""))
        return self._signed_in(request, cookie, next_path)

    async def sign_out(self, request: Request, *, everywhere: bool) -> Response:
        """End the session here, or all of the person, and offer to end the one at the provider."""
        identity = await self._sessions.end(request.cookies.get(COOKIE, ""), everywhere=everywhere)
        url = await self._provider.end_session_url(identity) if self._provider is not None and identity else ""
        # A link, not a redirect: the form's target would be another site, which form-action of the page's policy forbids.
        answer = self._pages.render(request, "signed_out.html", None, provider_url=url)
        answer.delete_cookie(COOKIE, path=_cookie_path(request))
        return answer

    async def back_channel_logout(self, request: Request) -> Response:
        """End the sessions that the provider names; 400 for a token that is not accepted."""
        headers = {"Cache-Control": "no-store"}
        if self._provider is None:
            return Response(status_code=404, headers=headers)
        try:
            provider_session, subject = await self._provider.read_logout_token(first(await read_form(request), "logout_token"))
        except SignInRefusedError as refused:
            log.info("logout of the identity provider refused", rule=refused.rule)
            return Response(status_code=400, headers=headers)
        await self._sessions.end_at_provider(provider_session, subject)
        return Response(status_code=200, headers=headers)

    def signed_out(self, request: Request) -> Response:
        """The page after the session at the provider was ended."""
        return self._pages.render(request, "signed_out.html", None, provider_url="")

    def _signed_in(self, request: Request, cookie: str, next_path: str) -> Response:
        answer = RedirectResponse(next_path or f"{request.scope.get('root_path', '')}/", 303, {"Cache-Control": "no-store"})
        self._set_cookie(request, answer, COOKIE, cookie, None)
        answer.delete_cookie(BROWSER_COOKIE, path=_cookie_path(request))
        return answer

    def _set_cookie(self, request: Request, answer: Response, name: str, value: str, max_age: int | None) -> None:
        answer.set_cookie(name, value, max_age=max_age, path=_cookie_path(request), secure=self._secure, httponly=True, samesite="lax")


def router(sign_in: SignInPages) -> APIRouter:
    """The routes; none but the sign-out needs a session."""
    routes = APIRouter(include_in_schema=False)

    def local(request: Request, target: str) -> str:
        return local_path(target, request.scope.get("root_path", ""))

    @routes.get("/sign-in", name="sign_in")
    async def sign_in_page(request: Request, target: _NextPath = "") -> Response:
        return sign_in.form(request, local(request, target))

    @routes.post("/sign-in", name="sign_in_by_password")
    async def sign_in_by_password(request: Request) -> Response:
        return await sign_in.check_password(request)

    @routes.get("/sign-in/start", name="sign_in_start")
    async def sign_in_start(request: Request, target: _NextPath = "") -> Response:
        return await sign_in.start(request, local(request, target))

    @routes.get(CALLBACK_PATH, name="sign_in_callback")
    async def sign_in_callback(request: Request, state: _QueryText = "", code: _QueryText = "") -> Response:
        return await sign_in.callback(request, state, code)

    @routes.post("/sign-in/back-channel-logout", name="back_channel_logout")
    async def back_channel_logout(request: Request) -> Response:
        return await sign_in.back_channel_logout(request)

    @routes.post("/sign-out", name="sign_out")
    async def sign_out(request: Request, _: Annotated[Session, Depends(writing)]) -> Response:
        return await sign_in.sign_out(request, everywhere=first(await read_form(request), "everywhere") == "1")

    @routes.get(SIGNED_OUT_PATH, name="signed_out")
    async def signed_out(request: Request) -> Response:
        return sign_in.signed_out(request)

    return routes


def _cookie_path(request: Request) -> str:
    return f"{request.scope.get('root_path', '')}/"
