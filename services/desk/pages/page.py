"""Renders pages: templates with escaping, words of the reader's language, addresses below the proxy's path, and strict headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.routing import Match

from services.desk.application.live_feed import LiveFeed
from services.desk.config import DeskSettings
from services.desk.pages.shell.names import Names
from services.desk.pages.shell.static_files import load_static_files
from services.desk.pages.shell.words import LANGUAGES, translate, translate_known
from services.desk.session import CSRF_FIELD, Session
from shared.contracts.instants import read_instant
from shared.procedures.model.procedure import LanguageCode

LANGUAGE_COOKIE, THEME_COOKIE = "jiesu_language", "jiesu_theme"
THEMES = ("auto", "light", "dark")
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Cookie, Accept-Language, HX-Request",
}
_TEMPLATES = Path(__file__).parent.parent / "templates"
_STALE_SECONDS = 60


class Pages:
    """Renders the templates of the desk."""

    def __init__(self, settings: DeskSettings, feed: LiveFeed, zone: tzinfo, names: Names) -> None:
        self.static_files = load_static_files()
        self.has_secure_cookies = settings.has_secure_cookies
        self._default_language = settings.desk_language
        self._feed = feed
        self._zone = zone
        self.names = names
        self._restricted: dict[str, Callable[[Session], bool]] = {}
        self.environment = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )

    def restrict(self, route: str, may_open: Callable[[Session], bool]) -> None:
        """Leave a page out of the navigation of anyone who may not open it; the page itself refuses him too."""
        self._restricted[route] = may_open

    def render(
        self,
        request: Request,
        template: str,
        session: Session | None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """The page; the template gets `values` and what `context` lists."""
        text = self.environment.get_template(template).render({**self.context(request, session), **values})
        return HTMLResponse(text, status, {**_HEADERS, **(headers or {})})

    def context(self, request: Request, session: Session | None) -> dict[str, Any]:
        """Values for every template: words, addresses, names of people and units, instants, session, language, theme, as_of."""
        language = self.reader_language(request)
        theme = request.cookies.get(THEME_COOKIE, "auto")
        return {
            "t": partial(translate, language),
            "name_of": partial(translate_known, language),
            "url_for": partial(url_for, request),
            "static": partial(self._static, request),
            "csrf_field": partial(_csrf_field, session),
            "instant": self.instant,
            "zone": str(self._zone),
            "person_name": self.names.person,
            "unit_name": partial(self.names.unit, language),
            "procedure_name": partial(self.names.procedure, language),
            "class_name": partial(self.names.class_, language),
            "subject_name": partial(self.names.subject, language),
            "clock_name": partial(self.names.clock, language),
            "in_words": partial(self.names.reason, language),
            "session": session,
            "left_out": {route for route, may_open in self._restricted.items() if session is None or not may_open(session)},
            "language": language,
            "theme": theme if theme in THEMES else "auto",
            "as_of": self.as_of(language),
            "is_stale": self._feed.age_seconds is None or self._feed.age_seconds > _STALE_SECONDS,
            "here": _here(request),
            "route": getattr(request.scope.get("route"), "name", ""),
        }

    def language(self, request: Request) -> str:
        """The reader's language: his choice, else the first of his browser's that the desk has, else the setting."""
        chosen = request.cookies.get(LANGUAGE_COOKIE, "")
        if chosen in LANGUAGES:
            return chosen
        for item in request.headers.get("accept-language", "").split(","):
            name = item.partition(";")[0].strip().lower()[:2]
            if name in LANGUAGES:
                return name
        return self._default_language

    def reader_language(self, request: Request) -> LanguageCode:
        """The reader's language as the explanations of procedures name it."""
        return "zh" if self.language(request) == "zh" else "en"

    def as_of(self, language: str) -> str:
        """How old the shown state is, in words."""
        age = self._feed.age_seconds
        if age is None:
            return translate(language, "as_of.unknown")
        if age < _STALE_SECONDS:
            return translate(language, "as_of.seconds", n=int(age))
        return translate(language, "as_of.minutes", n=int(age // 60))

    def instant(self, value: datetime | str | None) -> str:
        """Date and time in the organisation's zone, also of an instant as a service writes it; empty for none."""
        read = read_instant(value)
        return "" if read is None else read.astimezone(self._zone).strftime("%Y-%m-%d %H:%M")

    def _static(self, request: Request, name: str) -> str:
        return url_for(request, "static_file", digest=self.static_files[name].digest, name=name)


def _here(request: Request) -> str:
    """The address to come back to; the inbox where it takes forms alone, since it would answer 405 after a change of language."""
    scope = {**request.scope, "method": "GET"}
    if request.method != "GET" and not any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
        return url_for(request, "inbox")
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


def url_for(request: Request, route: str, /, **parameters: Any) -> str:
    """The path of a route below the proxy's path; never with a host, which the client could claim."""
    return f"{request.scope.get('root_path', '')}{_path_of(request.app, route, parameters)}"


def _path_of(app: FastAPI, route: str, parameters: Mapping[str, Any]) -> str:
    texts = [value for value in parameters.values() if isinstance(value, str) and value and "/" not in value]
    if len(texts) < len(parameters):
        return str(app.url_path_for(route, **parameters))
    pieces, names = _path_pieces(app, route, tuple(parameters))
    return "".join(part + parameters[name] for part, name in zip(pieces, names, strict=False)) + pieces[-1]


@lru_cache(maxsize=1000)
def _path_pieces(app: FastAPI, route: str, names: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The parts of a route's path between its parameters, and the parameters' order; a page of 300 events has hundreds of addresses."""
    path = str(app.url_path_for(route, **{name: f"\x00{name}\x00" for name in names}))
    parts = path.split("\x00")
    return parts[::2], parts[1::2]


def _csrf_field(session: Session | None) -> Markup:
    token = "" if session is None else session.csrf
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, escape(token))
