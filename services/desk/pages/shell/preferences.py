"""The switches of language and theme: cookies, since they are needed before anyone signs in."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.desk.forms import first, read_form
from services.desk.pages.page import LANGUAGE_COOKIE, THEME_COOKIE, THEMES
from services.desk.pages.shell.words import LANGUAGES

_YEAR_SECONDS = 31_536_000


def router(*, secure: bool) -> APIRouter:
    """`POST /preferences`; `secure` cookies are sent by TLS only."""
    routes = APIRouter()

    # Without a CSRF token: it changes nothing but the look of the caller's own pages.
    @routes.post("/preferences")
    async def set_preferences(request: Request) -> Response:
        """Set what was chosen, and go back to the page; a value that does not exist changes nothing."""
        fields = await read_form(request)
        root = request.scope.get("root_path", "")
        answer = RedirectResponse(local_path(first(fields, "back"), root) or f"{root}/", 303)
        for name, field, allowed in ((LANGUAGE_COOKIE, "language", LANGUAGES), (THEME_COOKIE, "theme", THEMES)):
            if (value := first(fields, field)) in allowed:
                answer.set_cookie(name, value, max_age=_YEAR_SECONDS, path=f"{root}/", secure=secure, httponly=True, samesite="lax")
        return answer

    return routes


def local_path(target: str, root: str = "") -> str:
    """The path of a page of this desk; empty for anything that could lead to another site."""
    parts = urlsplit(target.replace("\\", "/"))
    is_local = not parts.scheme and not parts.netloc and parts.path.startswith(f"{root}/") and not parts.path.startswith("//")
    # A browser takes /desk/../other, and %2e for a dot, to another place behind the proxy.
    leads_up = any(unquote(step) in (".", "..") for step in parts.path.split("/"))
    if not is_local or leads_up or any(ord(letter) < 32 for letter in target):  # noqa: PLR2004 - control characters
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
