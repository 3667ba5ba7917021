"""Prints a filled form as one HTML file that looks like the paper form: A4, borders, signature lines; no scripts, fonts or other files."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from shared.procedures.forms.filled_form import FilledField, FilledForm

TEMPLATE_NAME = "form.html.j2"
WORDS = {
    "zh": {
        "number": "表单编号",
        "code": "表号",
        "copies": "分送",
        "name": "签名",
        "at": "时间",
        "photo": "照片",
        "hash": "签署版校验码（SHA-256）",
    },
    "en": {
        "number": "Form number",
        "code": "Form",
        "copies": "Copies",
        "name": "Signature",
        "at": "Time",
        "photo": "Photograph",
        "hash": "Hash of the signed version (SHA-256)",
    },
}
"""The fixed words of a printed form, by language."""


def render_form_html(form: FilledForm) -> str:
    """The form as an HTML document."""
    return _template().render(form=form, words=WORDS[form.language], rows=field_rows) + "\n"


def field_rows(fields: tuple[FilledField, ...]) -> list[tuple[FilledField, ...]]:
    """The fields by rows of the printed table: two narrow ones side by side, a wide one alone."""
    rows: list[tuple[FilledField, ...]] = []
    for field in fields:
        if rows and not field.wide and len(rows[-1]) == 1 and not rows[-1][0].wide:
            rows[-1] = (*rows[-1], field)
        else:
            rows.append((field,))
    return rows


@cache
def _template() -> Template:
    # Autoescape covers every value: the complainant's words are printed, and nobody may send markup to whoever opens the form.
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(TEMPLATE_NAME)
