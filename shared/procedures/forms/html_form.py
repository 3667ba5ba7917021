"""Prints a filled form as one HTML file that looks like the paper form: A4, borders, signature lines; no scripts, fonts or other files."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from shared.procedures.forms.filled_form import FilledForm
from shared.procedures.forms.page_layout import WORDS, field_rows, foot_lines, head_line, number_line, signature_label

TEMPLATE_NAME = "form.html.j2"


def render_form_html(form: FilledForm) -> str:
    """The form as an HTML document."""
    lines = {"head": head_line(form), "number": number_line(form), "foot": foot_lines(form)}
    return _template().render(form=form, words=WORDS[form.language], rows=field_rows, label=signature_label, **lines) + "\n"


@cache
def _template() -> Template:
    # Autoescape covers every value: the complainant's words are printed, and nobody may send markup to whoever opens the form.
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(TEMPLATE_NAME)
