"""Renders the complainant's page: plain HTML that works without scripts, from 320 pixels up, in Chinese and English."""

import base64
import hashlib
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.sla.follow.page_texts import TEXTS

PageLanguage = Literal["zh", "en"]
CodeFault = Literal["", "unknown", "too_fast"]
_FOLDER = Path(__file__).parent / "templates"
_STYLE = (_FOLDER / "style.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ENVIRONMENT = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
_ENVIRONMENT.filters["minute"] = lambda instant: instant[:16].replace("T", " ")


def render_code_page(language: PageLanguage, fault: CodeFault = "", *, below: bool = False) -> str:
    """The page on which a code is typed; `fault`: why the one that was typed opens nothing; `below`: shown at the address of a code."""
    # Relative addresses hold behind a proxy that serves the page under a path of its own.
    texts = TEXTS[language]
    return _render("code", language, texts["code_title"], fault=texts["faults"].get(fault, ""), action="../f" if below else "")


def render_follow_page(case: dict[str, Any], language: PageLanguage, *, refused: bool = False) -> str:
    """The page of a case, from `follow_document`; `refused`: what was sent last was not accepted."""
    return _render("follow", language, f"{TEXTS[language]['case_title']} {case['number']}", case=case, refused=refused)


def _render(name: str, language: PageLanguage, title: str, **values: Any) -> str:
    return _ENVIRONMENT.get_template(f"{name}.html.j2").render(t=TEXTS[language], title=title, style=Markup(_STYLE), **values)  # noqa: S704 - ours
