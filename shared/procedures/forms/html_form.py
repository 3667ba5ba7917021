"""Prints a filled form as one HTML file that looks like the paper form: A4, borders, signature lines; no scripts, fonts or other files."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from shared.procedures.forms.filled_form import FilledForm
from shared.procedures.forms.page_layout import WORDS, field_rows, foot_lines, head_line, number_line, signature_label

PAGE_TEMPLATE, STYLE_TEMPLATE = "form.html.j2", "form.css.j2"


def render_form_html(form: FilledForm) -> str:
    """The form as an HTML document."""
    lines = {"head": head_line(form), "number": number_line(form), "foot": foot_lines(form)}
    style = {"style": Markup(_style(form)), "policy": form_policy(form)}  # noqa: S704 - our own rules with numbers
    return (
        _template(PAGE_TEMPLATE).render(form=form, words=WORDS[form.language], rows=field_rows, label=signature_label, **lines, **style)
        + "\n"
    )


def form_policy(form: FilledForm) -> str:
    """The content security policy of the document: its own style, by hash, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style(form).encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'none'; base-uri 'none'"


def _style(form: FilledForm) -> str:
    # Rules instead of style attributes: a policy that permits those permits the ones of an attacker too.
    heights = sorted({field.lines for section in form.sections for field in section.fields})
    return _template(STYLE_TEMPLATE).render(form=form, heights=heights)


@cache
def _template(name: str) -> Template:
    # Autoescape covers every value: the complainant's words are printed, and nobody may send markup to whoever opens the form.
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(name)
