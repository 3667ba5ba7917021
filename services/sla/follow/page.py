"""Renders the complainant's page: plain HTML that works without scripts, from 320 pixels up, in Chinese and English."""

from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.sla.follow.page_texts import TEXTS
from shared.runtime.http.look.stylesheet import public_stylesheet

PageLanguage = Literal["zh", "en"]
CodeFault = Literal["", "unknown", "too_fast"]
_FOLDER = Path(__file__).parent / "templates"
_STYLE = public_stylesheet((_FOLDER / "style.css").read_text(encoding="utf-8"))
CONTENT_SECURITY_POLICY = _STYLE.content_security_policy
_ENVIRONMENT = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
_ENVIRONMENT.filters["minute"] = lambda instant: instant[:16].replace("T", " ")


@dataclass(frozen=True, slots=True)
class RefusedForm:
    """A form that was refused: what was typed, kept for another try, and the cause; `reason` is that of the procedure's rule."""

    action: str
    text: str
    score: str
    cause: str
    reason: str = ""


def render_code_page(language: PageLanguage, fault: CodeFault = "", *, below: bool = False) -> str:
    """The page on which a code is typed; `fault`: why the one that was typed opens nothing; `below`: shown at the address of a code."""
    # Relative addresses hold behind a proxy that serves the page under a path of its own.
    texts = TEXTS[language]
    return _render("code", language, texts["code_title"], fault=texts["faults"].get(fault, ""), action="../f" if below else "")


def render_follow_page(case: dict[str, Any], language: PageLanguage, refused: RefusedForm | None = None) -> str:
    """The page of a case, from `follow_document`; `refused` is the form that was sent last and not accepted."""
    # The key of a refused form is spent: with it the corrected text would be taken for another request.
    attempt = token_hex(4) if refused else ""
    return _render("follow", language, f"{TEXTS[language]['case_title']} {case['number']}", case=case, refused=refused, attempt=attempt)


def _render(name: str, language: PageLanguage, title: str, **values: Any) -> str:
    return _ENVIRONMENT.get_template(f"{name}.html.j2").render(t=TEXTS[language], title=title, style=Markup(_STYLE.text), **values)  # noqa: S704 - ours
